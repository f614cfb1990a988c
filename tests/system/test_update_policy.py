"""update-policy beside the real named: the same rules, zones and nsupdate scripts, the same outcomes.

Every row says what comes of it; both servers must say that, and hold the same zone afterwards.
"""

import pytest

from support.nsupdate import Key, nsupdate
from support.peers import Bind
from support.signet import Signet
from support.waiting import wait_until

pytestmark = pytest.mark.xdist_group("update-policy")  # they share two servers

SECRET = "c2lnbmV0IHVwZGF0ZSBwb2xpY3khIQ=="
OK, NO = "NOERROR", "REFUSED"
TCP = "over TCP"

ZONE = """$ORIGIN {zone}.
$TTL 300
@       IN SOA ns1 hostmaster 10 7200 3600 1209600 300
        IN NS ns1
ns1     IN A 192.0.2.1
host    IN A 192.0.2.7
www     IN A 192.0.2.80
        IN TXT "x"
cut     IN NS ns1
"""

DS = "DS 12345 13 2 49FD46E6C4B45C55D4AC1B1E5D5C0C5F3DB6D1FBDA2E6A9C0E3B7E0A1B2C3D4E"
LOOPBACK = "1.0.0.127.in-addr.arpa"
LOOPBACK_6TO4 = "1.0.0.0.0.0.f.7.2.0.0.2.ip6.arpa"  # 2002:7f00:0001::/48, RFC 3056


def add(*records):
    return [f"update add {record.split()[0]} 60 {record.split(None, 1)[1]}" for record in records]


# zone: (rules, [(who signs, what is sent, what comes of it[, TCP])]); Z is the zone.
POLICIES = {
    "name.test": ("grant updater name host.Z;", [
        ("updater", add("host.Z TXT y"), OK),
        ("updater", add("HOST.Z MX 10 www.Z"), OK),
        ("updater", add("x.host.Z TXT y"), NO),
        ("updater", add("www.Z TXT y"), NO),
        ("updater", add("Z TXT y"), NO),
        ("host.Z", add("host.Z TXT z"), NO),
        (None, add("host.Z TXT z"), NO),
        (None, add("host.Z TXT z"), NO, TCP),
        # All of a message or nothing.
        ("updater", add("host.Z TXT both", "www.Z TXT both"), NO),
    ]),
    "types.test": ("grant updater name host.Z A AAAA; grant updater name www.Z TXT;", [
        ("updater", add("host.Z A 192.0.2.8"), OK),
        ("updater", add("host.Z AAAA 2001:db8::8"), OK),
        ("updater", add("host.Z TXT y"), NO),
        ("updater", add("host.Z NS ns1.Z"), NO),
        ("updater", ["update delete host.Z A 192.0.2.7"], OK),
        # Each type that goes with a name needs a rule of its own.
        ("updater", ["update delete www.Z"], NO),
        ("updater", ["update delete www.Z A"], NO),
        ("updater", ["update delete www.Z TXT"], OK),
        ("updater", ["update delete host.Z"], OK),
    ]),
    "subdomain.test": ("grant updater subdomain dyn.Z;", [
        ("updater", add("dyn.Z TXT y"), OK),
        ("updater", add("a.b.dyn.Z TXT y"), OK),
        ("updater", add("*.dyn.Z TXT y"), OK),
        ("updater", add("xdyn.Z TXT y"), NO),
        ("updater", add("Z TXT y"), NO),
    ]),
    "wildcard.test": ("grant updater wildcard *.dyn.Z;", [
        ("updater", add("a.dyn.Z TXT y"), OK),
        ("updater", add("a.b.dyn.Z TXT y"), OK),
        ("updater", add("*.dyn.Z TXT y"), OK),
        ("updater", add("dyn.Z TXT y"), NO),
        ("updater", add("www.Z TXT y"), NO),
    ]),
    "zonesub.test": ("grant updater zonesub;", [
        ("updater", add("any.thing.Z TXT y"), OK),
        ("updater", add("Z TXT y"), OK),
        # Without a list of types: neither what makes a zone ...
        ("updater", add("cut2.Z NS ns1.Z"), NO),
        ("updater", ["update delete cut.Z NS"], NO),
        ("updater", add("Z SOA ns1.Z hostmaster.Z 99 7200 3600 1209600 300"), NO),
        ("updater", add(f"cut.Z {DS}"), OK),
        # ... nor what a signer makes.
        ("updater", add("www.Z NSEC z.Z A"), NO),
        ("other", add("www.Z TXT z"), NO),
    ]),
    "any.test": ("grant updater zonesub ANY;", [
        ("updater", add("cut2.Z NS ns1.Z"), OK),
        ("updater", ["update delete cut.Z NS"], OK),
        ("updater", add("Z SOA ns1.Z hostmaster.Z 99 7200 3600 1209600 300"), OK),
        ("updater", ["update delete www.Z"], OK),
    ]),
    "self.test": ("grant * self . ;", [
        ("host.Z", add("host.Z TXT y"), OK),
        ("www.Z", add("www.Z TXT y"), OK),
        ("host.Z", add("x.host.Z TXT y"), NO),
        ("host.Z", add("www.Z TXT n"), NO),
        ("host.Z", add("host.Z NS ns1.Z"), NO),
        ("updater", add("www.Z TXT n"), NO),
        ("host.Z", ["update delete host.Z"], OK),
        ("www.Z", ["update delete host.Z"], OK),  # nothing is there: no record asks for leave
    ]),
    "selftypes.test": ("grant *.Z self . A AAAA;", [
        ("host.Z", add("host.Z AAAA 2001:db8::9"), OK),
        ("host.Z", add("host.Z TXT y"), NO),
        ("host.Z", add("host.Z A 192.0.2.9", "host.Z TXT y"), NO),
        ("updater", add("updater.Z A 192.0.2.9"), NO),
    ]),
    "selfnamed.test": ("grant host.Z self host.Z TXT;", [
        ("host.Z", add("host.Z TXT y"), OK),
        ("host.Z", add("host.Z A 192.0.2.9"), NO),
        ("www.Z", add("www.Z TXT y"), NO),
        ("www.Z", add("host.Z TXT z"), NO),
    ]),
    "selfsub.test": ("grant * selfsub . ;", [
        ("host.Z", add("host.Z TXT y"), OK),
        ("host.Z", add("a.b.host.Z TXT y"), OK),
        ("host.Z", add("xhost.Z TXT y"), NO),
        ("host.Z", add("Z TXT y"), NO),
        ("www.Z", add("a.host.Z TXT z"), NO),
    ]),
    "selfsubtypes.test": ("grant host.Z selfsub host.Z TXT;", [
        ("host.Z", add("a.host.Z TXT y"), OK),
        ("host.Z", add("a.host.Z A 192.0.2.9"), NO),
        ("www.Z", add("a.www.Z TXT y"), NO),
    ]),
    "selfwild.test": ("grant * selfwild . ;", [
        ("host.Z", add("a.host.Z TXT y"), OK),
        ("host.Z", add("a.b.host.Z TXT y"), OK),
        ("host.Z", add("*.host.Z TXT y"), OK),
        ("host.Z", add("host.Z TXT y"), NO),
        ("www.Z", add("a.host.Z TXT z"), NO),
    ]),
    "deny.test": ("deny updater name secret.Z; deny updater subdomain dyn.Z TXT MX;"
                  "deny www.Z self . ; grant * zonesub;", [
        ("updater", add("secret.Z TXT y"), NO),
        ("other", add("secret.Z TXT y"), OK),
        ("updater", add("a.dyn.Z TXT y"), NO),
        ("updater", add("a.dyn.Z MX 10 www.Z"), NO),
        ("updater", add("a.dyn.Z A 192.0.2.9"), OK),
        ("updater", add("b.dyn.Z A 192.0.2.9", "b.dyn.Z TXT y"), NO),
        ("www.Z", add("www.Z A 192.0.2.9"), NO),
        ("www.Z", add("x.www.Z A 192.0.2.9"), OK),
    ]),
    "order.test": ("grant updater name host.Z TXT; deny updater name host.Z; grant updater zonesub;", [
        ("updater", add("host.Z TXT y"), OK),       # the first rule that matches decides
        ("updater", add("host.Z MX 10 www.Z"), NO),
        ("updater", add("www.Z MX 10 www.Z"), OK),
        ("updater", ["update delete host.Z"], NO),  # TXT might go, A may not
    ]),
    "wildidentity.test": ("grant *.ops.Z zonesub TXT;", [
        ("a.ops.Z", add("www.Z TXT y"), OK),
        ("b.a.ops.Z", add("www.Z TXT z"), OK),
        ("ops.Z", add("www.Z TXT n"), NO),
    ]),
    "127.in-addr.arpa": ("grant * tcp-self . PTR;", [
        (None, add(f"{LOOPBACK} PTR host.test."), OK, TCP),
        (None, add("2.0.0.127.in-addr.arpa PTR host.test."), NO, TCP),
        (None, add(f"x.{LOOPBACK} PTR host.test."), NO, TCP),
        (None, add(f"{LOOPBACK} TXT y"), NO, TCP),
        (None, add(f"{LOOPBACK} PTR other.test."), NO),  # no handshake has proved the address
        ("updater", add(f"{LOOPBACK} PTR keyed.test."), OK, TCP),
        ("updater", add(f"{LOOPBACK} PTR other.test."), NO),
    ]),
    "2.0.0.2.ip6.arpa": ("grant * 6to4-self . NS DS;", [
        (None, add(f"{LOOPBACK_6TO4} NS ns1.Z"), OK, TCP),
        (None, add(f"{LOOPBACK_6TO4} {DS}"), OK, TCP),
        (None, add(f"{LOOPBACK_6TO4} PTR host.test."), NO, TCP),
        (None, add("2.0.0.0.0.0.f.7.2.0.0.2.ip6.arpa NS ns1.Z"), NO, TCP),
        (None, add(f"x.{LOOPBACK_6TO4} NS ns1.Z"), NO, TCP),
        (None, add(f"{LOOPBACK_6TO4} NS ns2.Z"), NO),
    ]),
}

LABELS = ["host", "www", "ops", "a.ops", "b.a.ops"]
KEYS = {name: Key(name, SECRET) for name in
        ["updater", "other", *(f"{label}.{zone}" for zone in POLICIES for label in LABELS)]}
STATEMENTS = "".join(key.statement for key in KEYS.values())


def with_zone(text, zone):
    return " ".join(zone if word == "Z" else word.replace(".Z", f".{zone}")
                    for word in text.split(" "))


class PolicedBind(Bind):
    def configure(self):
        super().configure()
        text = "".join(
            f'zone "{zone}" {{ type primary; file "{self.folder}/{zone}.zone"; notify no; '
            f'allow-transfer {{ any; }}; update-policy {{ {with_zone(rules, zone)} }}; }};\n'
            for zone, (rules, _) in POLICIES.items())
        for zone in POLICIES:
            (self.folder / f"{zone}.zone").write_text(ZONE.replace("{zone}", zone))
        with open(self.folder / "named.conf", "a", encoding="ascii") as out:
            out.write(STATEMENTS + text)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("update-policy")
    signet = Signet(folder / "signet", extra=STATEMENTS)
    for zone, (rules, _) in POLICIES.items():
        signet.add_zone(zone, ZONE.replace("{zone}", zone),
                        statements=f"update-policy {{ {with_zone(rules, zone)} }};")
    named = PolicedBind(folder / "named")
    signet.start()
    named.start()
    for server in (signet, named):
        for zone in POLICIES:
            wait_until(lambda: server.answers_with(zone, "SOA"), 30, f"{zone} served")
    yield signet, named
    named.stop()
    signet.stop()
    assert "Sanitizer" not in signet.log(), signet.log()[-4000:]


def records(server, zone, folder):
    """All but the serial; named keeps the case in which a name came, Signet has lower case."""
    lines = server.axfr_lines(zone, folder / f"{server.name}.{zone}")
    return sorted(line.lower() for line in lines if " SOA " not in line)


@pytest.mark.parametrize("zone", POLICIES)
def test_the_outcomes_are_those_of_named(servers, tmp_path, zone):
    signet, named = servers
    for who, lines, status, *transport in POLICIES[zone][1]:
        key = KEYS[with_zone(who, zone)] if who else None
        sent = [with_zone(line, zone) for line in lines]
        options = ["-v"] if transport else []
        outcomes = {server.name: nsupdate(server, zone, sent, key, options)
                    for server in (signet, named)}
        assert outcomes == {"signetd": status, "named": status}, (who, sent)
        assert records(signet, zone, tmp_path) == records(named, zone, tmp_path), (who, sent)


def test_prerequisites_tell_a_stranger_nothing(servers):
    """named 9.18 answers them to everybody who has some key: it asks its policy for the records
    that are to be changed, and here are none. RFC 2136 3.3: who may not update is REFUSED."""
    for line, said in (("prereq yxdomain secret.name.test", "NXDOMAIN"),
                       ("prereq yxdomain www.name.test", "NOERROR")):
        outcomes = [nsupdate(server, "name.test", [line], KEYS["other"]) for server in servers]
        assert outcomes == [NO, said]
