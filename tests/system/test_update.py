"""Dynamic updates (RFC 2136, 3007) as nsupdate and knsupdate send them, judged by what is served."""

import subprocess

import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.update
import pytest

from support import judges
from support.server import HOST
from support.signet import Signet
from support.nsupdate import Key, knsupdate, nsupdate, sig0_key
from support.waiting import wait_until

pytestmark = pytest.mark.xdist_group("update")  # they share servers and build on each other

KEY = Key("updater", "c2lnbmV0IHVwZGF0ZSB0ZXN0cyE=")
OTHER = Key("other", "YW5vdGhlciB1cGRhdGUga2V5ISE=")

ZONE = """$ORIGIN {zone}
$TTL 300
@       IN SOA ns1 hostmaster 10 7200 3600 1209600 300
        IN NS ns1
        IN NS ns2
        IN TXT apex
ns1     IN A 192.0.2.1
ns2     IN A 192.0.2.2
www     IN A 192.0.2.80
        IN A 192.0.2.81
        IN TXT "x"
alias   IN CNAME www
sub     IN NS ns.sub
ns.sub  IN A 192.0.2.53
deep.ent IN A 192.0.2.9
gone    IN A 192.0.2.90
        IN TXT "to be deleted"
*.w     IN A 192.0.2.10
"""


def zone_text(zone):
    return ZONE.replace("{zone}", zone + ".")


def dig(server, name, rdtype):
    """Rdata of the answer, sorted; the status where it is not NOERROR."""
    result = subprocess.run(["dig", f"@{HOST}", "-p", str(server.port), name, rdtype, "+norec",
                             "+noall", "+answer", "+comments", "+time=5", "+tries=2", "+tcp"],
                            capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stdout
    if "status: NOERROR" not in result.stdout:
        return result.stdout.split("status: ")[1].split(",")[0]
    lines = [line.split(None, 4) for line in result.stdout.splitlines()
             if line and not line.startswith(";")]
    return sorted(line[4] for line in lines if line[3] == rdtype)


def ttl_of(server, name, rdtype):
    return server.answers_with(name, rdtype).ttl


def serial_of(server, zone):
    return server.answers_with(zone, "SOA")[0].serial


def start(folder, zones, extra=""):
    """A server with zones: name -> (policy, statements)."""
    server = Signet(folder, extra=KEY.statement + OTHER.statement + extra,
                    options=f'session-keyfile "{folder}/session.key";')
    for zone, (policy, statements) in zones.items():
        server.add_zone(zone, zone_text(zone), policy=policy, statements=statements)
    server.start()
    for zone, (policy, _) in zones.items():
        if policy:
            server.wait_until_signed(zone)
        else:
            wait_until(lambda: server.answers_with(zone, "SOA"), 30, f"{zone} served")
    return server


def finish(server):
    server.stop()
    assert "Sanitizer" not in server.log(), server.log()[-4000:]
    assert "assertion failed" not in server.log(), server.log()[-4000:]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = start(tmp_path_factory.mktemp("update") / "signet", {
        "signed.test": ("default", "allow-update { key updater; };"),
        "plain.test": (None, "allow-update { key updater; };"),
    })
    yield made
    finish(made)


# Each row: what is sent, its rcode, and what is served after: (name, type) -> rdata or status.
SCRIPTS = {
    # --- prerequisites, RFC 2136 2.4
    "yxdomain holds": (["prereq yxdomain www.Z", "update add p1.Z 60 TXT y"], "NOERROR", {("p1.Z", "TXT"): ['"y"']}),
    "yxdomain fails": (["prereq yxdomain none.Z", "update add p2.Z 60 TXT y"], "NXDOMAIN", {("p2.Z", "TXT"): "NXDOMAIN"}),
    "yxdomain of an empty non-terminal": (["prereq yxdomain ent.Z", "update add p3.Z 60 TXT y"], "NXDOMAIN", {}),
    "nxdomain holds": (["prereq nxdomain p4.Z", "update add p4.Z 60 TXT y"], "NOERROR", {("p4.Z", "TXT"): ['"y"']}),
    "nxdomain fails": (["prereq nxdomain www.Z", "update add p5.Z 60 TXT y"], "YXDOMAIN", {("p5.Z", "TXT"): "NXDOMAIN"}),
    "yxrrset holds": (["prereq yxrrset www.Z A", "update add p6.Z 60 TXT y"], "NOERROR", {("p6.Z", "TXT"): ['"y"']}),
    "yxrrset fails": (["prereq yxrrset www.Z MX", "update add p7.Z 60 TXT y"], "NXRRSET", {("p7.Z", "TXT"): "NXDOMAIN"}),
    "yxrrset with values holds": (["prereq yxrrset www.Z A 192.0.2.81", "prereq yxrrset www.Z A 192.0.2.80", "update add p8.Z 60 TXT y"], "NOERROR", {("p8.Z", "TXT"): ['"y"']}),
    "yxrrset with a value missing": (["prereq yxrrset www.Z A 192.0.2.80", "update add p9.Z 60 TXT y"], "NXRRSET", {}),
    "nxrrset holds": (["prereq nxrrset www.Z MX", "update add p10.Z 60 TXT y"], "NOERROR", {("p10.Z", "TXT"): ['"y"']}),
    "nxrrset fails": (["prereq nxrrset www.Z A", "update add p11.Z 60 TXT y"], "YXRRSET", {}),
    "prerequisites are not made by the update": (["prereq yxdomain p12.Z", "update add p12.Z 60 TXT y"], "NXDOMAIN", {("p12.Z", "TXT"): "NXDOMAIN"}),
    # --- additions, 2.5.1
    "a name": (["update add a1.Z 60 A 192.0.2.7"], "NOERROR", {("a1.Z", "A"): ["192.0.2.7"]}),
    "several types": (["update add a2.Z 60 A 192.0.2.7", "update add a2.Z 60 MX 10 www.Z"], "NOERROR", {("a2.Z", "A"): ["192.0.2.7"], ("a2.Z", "MX"): ["10 www.Z."]}),
    "a wildcard": (["update add *.a3.Z 60 A 192.0.2.7"], "NOERROR", {("x.y.a3.Z", "A"): ["192.0.2.7"], ("*.a3.Z", "A"): ["192.0.2.7"]}),
    "a name under a wildcard": (["update add a.w.Z 60 TXT w"], "NOERROR", {("a.w.Z", "A"): [], ("b.w.Z", "A"): ["192.0.2.10"]}),
    "below an empty non-terminal": (["update add x.ent.Z 60 TXT y"], "NOERROR", {("ent.Z", "TXT"): [], ("x.ent.Z", "TXT"): ['"y"']}),
    "an unknown type": (["update add a4.Z 60 TYPE65280 \\# 2 0102"], "NOERROR", {("a4.Z", "TYPE65280"): ["\\# 2 0102"]}),
    "added and deleted": (["update add a5.Z 60 A 192.0.2.7", "update delete a5.Z A"], "NOERROR", {("a5.Z", "A"): "NXDOMAIN"}),
    # --- CNAME, 3.4.2.2
    "CNAME beside data is ignored": (["update add www.Z 60 CNAME ns1.Z"], "NOERROR", {("www.Z", "CNAME"): []}),
    "data beside CNAME is ignored": (["update add alias.Z 60 A 192.0.2.7"], "NOERROR", {("alias.Z", "CNAME"): ["www.Z."]}),
    "CNAME replaces CNAME": (["update add c1.Z 60 CNAME www.Z", "update add c1.Z 60 CNAME ns1.Z"], "NOERROR", {("c1.Z", "CNAME"): ["ns1.Z."]}),
    "data makes way for CNAME": (["update add c2.Z 60 A 192.0.2.7", "update delete c2.Z", "update add c2.Z 60 CNAME www.Z"], "NOERROR", {("c2.Z", "CNAME"): ["www.Z."]}),
    "DNAME": (["update add d1.Z 60 DNAME www.Z"], "NOERROR", {("d1.Z", "DNAME"): ["www.Z."]}),
    # --- deletions, 2.5.2 to 2.5.4
    "one record": (["update add e1.Z 60 A 192.0.2.7", "update add e1.Z 60 A 192.0.2.8", "update delete e1.Z A 192.0.2.7"], "NOERROR", {("e1.Z", "A"): ["192.0.2.8"]}),
    "an RRset": (["update delete gone.Z TXT"], "NOERROR", {("gone.Z", "TXT"): [], ("gone.Z", "A"): ["192.0.2.90"]}),
    "a name is deleted": (["update delete deep.ent.Z"], "NOERROR", {("deep.ent.Z", "A"): "NXDOMAIN"}),
    "what is not there": (["update delete none.Z", "update delete www.Z MX"], "NOERROR", {}),
    "the apex keeps SOA and NS": (["update delete Z SOA", "update delete Z NS"], "NOERROR", {("Z", "NS"): ["ns1.Z.", "ns2.Z."]}),
    "one of two NS": (["update delete Z NS ns2.Z", "update delete Z NS ns1.Z"], "NOERROR", {("Z", "NS"): ["ns1.Z."]}),
    # --- refused
    "NSEC": (["update add www.Z 60 NSEC a.Z A"], "REFUSED", {}),
    "NSEC3": (["update delete www.Z NSEC3"], "REFUSED", {}),
    "RRSIG": (["update delete www.Z RRSIG"], "REFUSED", {}),
    "one refused record, and none is added": (["update add r1.Z 60 TXT y", "update delete r1.Z NSEC"], "REFUSED", {("r1.Z", "TXT"): "NXDOMAIN"}),
    "a name out of zone": (["update add www.elsewhere.test. 60 TXT y"], "NOTZONE", {}),
    "a host that is none": (["check-names off", "update add _x.Z 60 A 192.0.2.7"], "REFUSED", {}),
    "a name server without address": (["update add Z 60 NS nowhere.Z"], "REFUSED", {}),
    # --- delegations
    "a delegation": (["update add cut.Z 60 NS ns.cut.Z", "update add ns.cut.Z 60 A 192.0.2.54"], "NOERROR", {}),
    "DS without NS is ignored": (["update add ds1.Z 60 DS 12345 13 2 49FD46E6C4B45C55D4AC1B1E5D5C0C5F3DB6D1FBDA2E6A9C0E3B7E0A1B2C3D4E"], "NOERROR", {("ds1.Z", "DS"): "NXDOMAIN"}),
}

ROWS = [(name, zone) for name in SCRIPTS for zone in ("signed.test", "plain.test")]


@pytest.mark.parametrize("name,zone", ROWS)
def test_nsupdate(server, name, zone):
    lines, status, served = SCRIPTS[name]
    lines = [line.replace("Z", zone, 2) if "Z" in line else line for line in lines]
    assert nsupdate(server, zone, lines, KEY) == status
    for (owner, rdtype), rdata in served.items():
        wanted = [r.replace("Z", zone) for r in rdata] if isinstance(rdata, list) else rdata
        owner = owner.replace("Z", zone)
        wait_until(lambda: dig(server, owner, rdtype) == wanted, 20,
                   f"{owner} {rdtype} {wanted}, it is {dig(server, owner, rdtype)}")


@pytest.mark.parametrize("rrclass, rdtype, rdata, rcode", [
    ("HS", "A", "192.0.2.1", "NOERROR"), ("HS", "AAAA", "::1", "FORMERR"), ("HS", "TXT", "x", "NOERROR"),
    ("CH", "SRV", "1 1 1 x.", "FORMERR"),
])
def test_updates_take_the_types_of_the_class_as_files_do(make_signet, run_server, rrclass, rdtype, rdata, rcode):
    server = make_signet()
    path = server.folder / "other.db"
    path.write_text("$TTL 300\n@ SOA a. b. 1 2 3 4 5\n@ NS ns.example.\n")
    server.extra = (f'view v {rrclass} {{ zone "c.test" {rrclass} {{ type primary; file "{path}"; '
                    f'allow-update {{ any; }}; }}; }};')
    run_server(server)
    wait_until(lambda: server.query("c.test", "SOA", rdclass=rrclass).rcode() == dns.rcode.NOERROR, 20, "the zone")
    update = dns.update.UpdateMessage("c.test", rdclass=rrclass)
    generic = dns.rdata.from_text("IN", rdtype, rdata).to_generic()   # as the types of IN are written
    update.add("a", 60, dns.rdata.GenericRdata(dns.rdataclass.from_text(rrclass),
                                               dns.rdatatype.from_text(rdtype), generic.data))
    assert dns.rcode.to_text(dns.query.udp(update, HOST, port=server.port, timeout=15).rcode()) == rcode


KNOT = {
    "add": (["update add k1.Z. 60 A 192.0.2.7"], "NOERROR", ("k1.Z", "A", ["192.0.2.7"])),
    "prerequisite": (["prereq yxdomain none.Z.", "update add k2.Z. 60 A 192.0.2.7"], "NXDOMAIN", ("k2.Z", "A", "NXDOMAIN")),
    "value": (["prereq yxrrset alias.Z. CNAME www.Z.", "update add k3.Z. 60 TXT y"], "NOERROR", ("k3.Z", "TXT", ['"y"'])),
    "delete": (["update add k4.Z. 60 A 192.0.2.7", "update add k4.Z. 60 A 192.0.2.8", "update del k4.Z. A 192.0.2.8"], "NOERROR", ("k4.Z", "A", ["192.0.2.7"])),
    "refused": (["update add k5.Z. 60 NSEC a.Z. A"], "REFUSED", ("k5.Z", "A", "NXDOMAIN")),
}


@pytest.mark.parametrize("name", KNOT)
def test_knsupdate(server, name):
    lines, status, (owner, rdtype, wanted) = KNOT[name]
    lines = [line.replace("Z.", "signed.test.") for line in lines]
    assert knsupdate(server, "signed.test.", lines, KEY) == status
    owner = owner.replace("Z", "signed.test")
    wait_until(lambda: dig(server, owner, rdtype) == wanted, 20, f"{owner} {rdtype} {wanted}")


@pytest.mark.parametrize("zone", ["signed.test", "plain.test"])
def test_the_ttl_is_the_whole_rrsets(server, zone):
    for ttl, address in ((60, "192.0.2.1"), (90, "192.0.2.2"), (30, "192.0.2.1")):
        assert nsupdate(server, zone, [f"update add ttl.{zone} {ttl} A {address}"], KEY) == "NOERROR"
        wait_until(lambda: ttl_of(server, f"ttl.{zone}", "A") == ttl, 20, f"a TTL of {ttl}")
    assert dig(server, f"ttl.{zone}", "A") == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("zone", ["signed.test", "plain.test"])
def test_each_change_raises_the_serial_and_what_changes_nothing_does_not(server, zone):
    before = serial_of(server, zone)
    assert nsupdate(server, zone, [f"update add s1.{zone} 60 TXT y"], KEY) == "NOERROR"
    wait_until(lambda: serial_of(server, zone) == before + 1, 20, "a serial one higher")
    assert nsupdate(server, zone, [f"update add s1.{zone} 60 TXT y"], KEY) == "NOERROR"
    assert nsupdate(server, zone, [f"update add s1.{zone} 60 TXT y", "prereq yxdomain x."], KEY) != "NOERROR"
    assert nsupdate(server, zone, [f"update delete none.{zone}"], KEY) == "NOERROR"
    assert serial_of(server, zone) == before + 1


@pytest.mark.parametrize("zone", ["signed.test", "plain.test"])
def test_a_client_may_raise_the_soa_and_only_raise_it(server, zone):
    def soa(serial, minimum):
        return [f"update add {zone} 300 SOA ns1.{zone}. hostmaster.{zone}. {serial} 7200 3600 1209600 {minimum}"]

    before = serial_of(server, zone)
    assert nsupdate(server, zone, soa(before, 77), KEY) == "NOERROR"
    assert nsupdate(server, zone, soa(before - 1, 78), KEY) == "NOERROR"
    assert serial_of(server, zone) == before
    assert nsupdate(server, zone, soa(before + 5, 79), KEY) == "NOERROR"
    # The other minimum gives all denials another TTL, in versions that may follow at once.
    wait_until(lambda: serial_of(server, zone) >= before + 5, 20, "the serial that was asked for")
    assert server.answers_with(zone, "SOA")[0].minimum == 79


def test_a_serial_as_prerequisite_lets_one_of_two_through(server):
    zone = "signed.test"
    soa = server.answers_with(zone, "SOA")[0]
    prerequisite = f"prereq yxrrset {zone} SOA {soa.to_text()}"
    assert nsupdate(server, zone, [prerequisite, f"update add cas1.{zone} 60 TXT y"], KEY) == "NOERROR"
    assert nsupdate(server, zone, [prerequisite, f"update add cas2.{zone} 60 TXT y"], KEY) == "NXRRSET"
    assert dig(server, f"cas2.{zone}", "TXT") == "NXDOMAIN"


@pytest.mark.parametrize("zone", ["signed.test", "plain.test"])
def test_many_updates_in_one_message(server, zone):
    lines = [f"update add m{i}.{zone} 60 A 192.0.2.{i}" for i in range(255)]
    before = serial_of(server, zone)
    assert nsupdate(server, zone, lines, KEY) == "NOERROR"
    wait_until(lambda: dig(server, f"m254.{zone}", "A") == ["192.0.2.254"], 20, "the last one")
    assert dig(server, f"m0.{zone}", "A") == ["192.0.2.0"]
    assert serial_of(server, zone) == before + 1
    assert nsupdate(server, zone, [f"update delete m{i}.{zone}" for i in range(255)], KEY) == "NOERROR"
    wait_until(lambda: dig(server, f"m254.{zone}", "A") == "NXDOMAIN", 20, "all deleted")


def test_over_tcp(server):
    assert nsupdate(server, "signed.test", ["update add tcp.signed.test 60 TXT y"], KEY, ["-v"]) == "NOERROR"
    wait_until(lambda: dig(server, "tcp.signed.test", "TXT") == ['"y"'], 20, "the record")


@pytest.mark.parametrize("key,status", [
    (None, "REFUSED"),
    (OTHER, "REFUSED"),
    (Key("unknown", KEY.secret), "NOTAUTH"),
    (Key("updater", "d3Jvbmcgc2VjcmV0IGZvciB0ZXN0cyE="), "NOTAUTH"),
])
def test_only_the_right_key_is_heard(server, key, status):
    if status == "NOTAUTH":  # nsupdate says so before it looks at the rcode
        result = nsupdate_text(server, ["update add no.signed.test 60 TXT y"], key)
        assert "NOTAUTH" in result or "BADKEY" in result or "BADSIG" in result, result
    else:
        assert nsupdate(server, "signed.test", ["update add no.signed.test 60 TXT y"], key) == status
    assert dig(server, "no.signed.test", "TXT") == "NXDOMAIN"


def nsupdate_text(server, lines, key):
    script = f"server {HOST} {server.port}\nzone signed.test\n" + "\n".join(lines) + "\nsend\n"
    result = subprocess.run(["nsupdate", *key.option], input=script, capture_output=True, text=True,
                            timeout=60)
    assert result.returncode != 0
    return result.stdout + result.stderr


def test_a_zone_that_is_not_ours(server):
    assert nsupdate(server, "elsewhere.test", ["update add x.elsewhere.test 60 TXT y"], KEY) == "NOTAUTH"


# --- what is the signer's

FOREIGN = "256 3 13 oJMRESz5E4gYzS/q6XDrvU1qMPYIjCWzJaOau8XNEZeqCYKD5ar0IRd8KqXXFJkqmVfRvMGPmM1x8fGAa2XhSA=="


def test_keys_of_others_come_and_go_beside_ours(server):
    zone = "signed.test"
    ours = dig(server, zone, "DNSKEY")
    count = len(ours)
    ttl = ttl_of(server, zone, "DNSKEY")
    assert nsupdate(server, zone, [f"update add {zone} 60 DNSKEY {FOREIGN}"], KEY) == "NOERROR"
    wait_until(lambda: len(dig(server, zone, "DNSKEY")) == count + 1, 20, "a DNSKEY more")
    assert ttl_of(server, zone, "DNSKEY") == ttl
    validate(server, zone, with_foreign_keys=True)
    assert nsupdate(server, zone, [f"update delete {zone} DNSKEY"], KEY) == "NOERROR"
    wait_until(lambda: dig(server, zone, "DNSKEY") == ours, 20, "our keys alone")
    server.wait_for_log("attempt to delete in use DNSKEY ignored")


@pytest.mark.parametrize("rdtype", ["DNSKEY", "NSEC3PARAM", "TYPE65534"])
def test_what_the_signer_made_stays(server, rdtype):
    zone = "signed.test"
    before = dig(server, zone, rdtype)
    serial = serial_of(server, zone)
    assert nsupdate(server, zone, [f"update delete {zone} {rdtype}"], KEY) == "NOERROR"
    assert dig(server, zone, rdtype) == before and serial_of(server, zone) == serial


def test_a_cds_that_no_key_is_of_is_refused(server):
    zone = "signed.test"
    digest = "49FD46E6C4B45C55D4AC1B1E5D5C0C5F3DB6D1FBDA2E6A9C0E3B7E0A1B2C3D4E"
    assert nsupdate(server, zone, [f"update add {zone} 60 CDS 12345 8 2 {digest}"], KEY) == "REFUSED"


# --- after it all

def validate(server, zone, with_foreign_keys=False):
    """kzonecheck 3.2 finds no signature by a DNSKEY that signs nothing, and complains."""
    path = server.axfr(zone, server.folder / "axfr.zone")
    judges.assert_zone_validates(zone, path, algorithms=2 if with_foreign_keys else 1)


def test_the_signed_zone_validates_after_all_that(server):
    validate(server, "signed.test")


def test_what_was_acknowledged_is_there_after_a_restart(tmp_path):
    zone = "signed.test"
    server = start(tmp_path / "signet", {zone: ("default", "allow-update { key updater; };")})
    try:
        for i in range(20):
            assert nsupdate(server, zone, [f"update add r{i}.{zone} 60 TXT {i}"], KEY) == "NOERROR"
        serial = serial_of(server, zone)
        server.kill()
        server.start()
        server.wait_until_signed(zone)
        assert serial_of(server, zone) >= serial
        for i in range(20):
            assert dig(server, f"r{i}.{zone}", "TXT") == [f'"{i}"']
        validate(server, zone)
    finally:
        finish(server)


# --- update-policy

POLICIES = {
    "name": ("grant updater name host.Z A;", [("host.Z", "A 192.0.2.7", True), ("x.host.Z", "A 192.0.2.7", False), ("host.Z", "TXT y", False)]),
    "subdomain": ("grant updater subdomain dyn.Z;", [("dyn.Z", "TXT y", True), ("a.b.dyn.Z", "TXT y", True), ("other.Z", "TXT y", False)]),
    "wildcard": ("grant updater wildcard *.dyn.Z;", [("a.dyn.Z", "TXT y", True), ("dyn.Z", "TXT y", False)]),
    "zonesub": ("grant updater zonesub;", [("anything.Z", "TXT y", True), ("Z", "TXT y", True), ("cut.Z", "NS ns1.Z", False)]),
    "zonesub ANY": ("grant updater zonesub ANY;", [("cut.Z", "NS ns1.Z", True)]),
    "self": ("grant * self . ;", [("host.Z", "TXT y", False)]),
    "deny first": ("deny updater name secret.Z; grant updater zonesub;", [("secret.Z", "TXT y", False), ("open.Z", "TXT y", True)]),
    "another key": ("grant other zonesub;", [("host.Z", "TXT y", False)]),
    "krb5-self": ("grant * krb5-self . ; grant updater name host.Z;", [("host.Z", "TXT y", True), ("x.Z", "TXT y", False)]),
}


@pytest.fixture(scope="module")
def policed(tmp_path_factory):
    zones = {}
    for i, (rules, _) in enumerate(POLICIES.values()):
        zone = f"p{i}.test"
        zones[zone] = (None, "update-policy { " + rules.replace("Z", zone) + " };")
    zones["records.test"] = ("default", "update-policy { grant updater zonesub TXT(2) A; };")
    zones["local.test"] = ("default", "update-policy local;")
    zones["reverse.test"] = (None, "update-policy { grant * tcp-self . PTR(1); };")
    made = start(tmp_path_factory.mktemp("policy") / "signet", zones)
    yield made
    finish(made)


@pytest.mark.parametrize("index,name", enumerate(POLICIES))
def test_update_policy(policed, index, name):
    zone = f"p{index}.test"
    for owner, rdata, allowed in POLICIES[name][1]:
        owner, rdata = owner.replace("Z", zone), rdata.replace("Z", zone)
        status = nsupdate(policed, zone, [f"update add {owner} 60 {rdata}"], KEY)
        assert status == ("NOERROR" if allowed else "REFUSED"), owner
        rdtype = rdata.split()[0]
        if allowed and rdtype != "NS":
            wait_until(lambda: dig(policed, owner, rdtype), 20, owner)


def test_a_policy_may_bound_the_number_of_records(policed):
    zone = "records.test"
    lines = [f"update add host.{zone} 60 TXT {i}" for i in range(5)]
    assert nsupdate(policed, zone, lines, KEY) == "NOERROR"
    wait_until(lambda: dig(policed, f"host.{zone}", "TXT") == ['"0"', '"1"'], 20, "two records")
    assert nsupdate(policed, zone, [f"update add host.{zone} 60 MX 1 ns1.{zone}"], KEY) == "REFUSED"


def test_a_policy_is_asked_for_each_type_that_goes_with_a_name(policed):
    zone = "p0.test"  # host.p0.test: A alone
    assert nsupdate(policed, zone, [f"update delete www.{zone}"], KEY) == "REFUSED"
    assert nsupdate(policed, zone, [f"update delete host.{zone}"], KEY) == "NOERROR"


def test_without_a_key_no_policy_but_an_addresss_is_heard(policed):
    assert nsupdate(policed, "p3.test", ["update add x.p3.test 60 TXT y"]) == "REFUSED"
    # tcp-self: the name of the client's address, which is not in this zone.
    assert nsupdate(policed, "reverse.test", ["update add x.reverse.test 60 TXT y"], None, ["-v"]) == "REFUSED"


def test_rules_that_match_nobody_are_told_of(policed):
    assert "'krb5-self' matches nobody: Signet has no GSS-TSIG" in policed.log()


def test_local_is_the_session_key(policed):
    path = policed.folder / "session.key"
    wait_until(path.exists, 20, "the session key's file")
    assert path.stat().st_mode & 0o077 == 0
    assert nsupdate(policed, "local.test", ["update add x.local.test 60 TXT y"], path) == "NOERROR"
    wait_until(lambda: dig(policed, "x.local.test", "TXT") == ['"y"'], 20, "the record")
    assert nsupdate(policed, "local.test", ["update add y.local.test 60 TXT y"], KEY) == "REFUSED"
    assert nsupdate(policed, "records.test", ["update add y.records.test 60 TXT y"], path) == "REFUSED"


def test_nsupdate_l_is_told_where_the_session_key_is(policed):
    """Its own path is compiled in: that of named. Where ::1 does not answer, what it sends to
    127.0.0.1 next is empty (to named too), so it gets -4."""
    path = policed.folder / "session.key"
    wait_until(path.exists, 20, "the session key's file")
    script = "zone local.test\nupdate add l.local.test 60 TXT y\nsend\n"
    done = subprocess.run(["nsupdate", "-l", "-4", "-p", str(policed.port), "-k", str(path)], input=script,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: dig(policed, "l.local.test", "TXT") == ['"y"'], 20, "the record")


# --- SIG(0)

SIG0_ALGORITHMS = ["RSASHA256", "RSASHA512", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519", "ED448"]


@pytest.fixture(scope="module")
def signers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sig0")
    zone = "sig0.test"
    made = Signet(folder / "signet", extra=KEY.statement)
    keys = {}
    text = zone_text(zone)
    for algorithm in SIG0_ALGORITHMS:
        name = f"{algorithm.lower()}.{zone}"
        keys[algorithm], rdata = sig0_key(folder / "keys" / algorithm, name, algorithm)
        text += f"{name}. IN KEY {rdata}\n"
    keys["stranger"], _ = sig0_key(folder / "keys" / "stranger", f"stranger.{zone}")
    keys["impostor"], _ = sig0_key(folder / "keys" / "impostor", f"ed25519.{zone}", "ED25519")
    made.add_zone(zone, text, policy="default", statements="update-policy { grant * selfsub . ANY; };")
    made.add_zone("acl.test", zone_text("acl.test"),
                  statements=f'allow-update {{ key "ed25519.{zone}"; }};')
    made.start()
    made.wait_until_signed(zone)
    yield made, keys
    finish(made)


@pytest.mark.parametrize("algorithm", SIG0_ALGORITHMS)
@pytest.mark.parametrize("transport", [[], ["-v"]])
def test_sig0(signers, algorithm, transport):
    server, keys = signers
    owner = f"{algorithm.lower()}.sig0.test"
    text = "tcp" if transport else "udp"
    assert nsupdate(server, "sig0.test", [f"update add {text}.{owner} 60 TXT {text}"], keys[algorithm], transport) == "NOERROR"
    wait_until(lambda: dig(server, f"{text}.{owner}", "TXT") == [f'"{text}"'], 20, "the record")
    assert nsupdate(server, "sig0.test", ["update add www.sig0.test 60 TXT y"], keys[algorithm], transport) == "REFUSED"


@pytest.mark.parametrize("name", ["stranger", "impostor"])
def test_sig0_by_a_key_that_is_not_in_the_zone(signers, name):
    server, keys = signers
    owner = "stranger" if name == "stranger" else "ed25519"
    assert nsupdate(server, "sig0.test", [f"update add no.{owner}.sig0.test 60 TXT y"], keys[name]) == "NOTAUTH"
    assert dig(server, f"no.{owner}.sig0.test", "TXT") == "NXDOMAIN"


def test_sig0_names_a_key_of_an_access_list(signers):
    server, keys = signers
    assert nsupdate(server, "acl.test", ["update add x.acl.test 60 TXT y"], keys["ED25519"]) == "NOERROR"
    wait_until(lambda: dig(server, "x.acl.test", "TXT") == ['"y"'], 20, "the record")
    assert nsupdate(server, "acl.test", ["update add y.acl.test 60 TXT y"], keys["ED448"]) == "REFUSED"


def test_a_signer_may_change_its_own_key(signers):
    server, keys = signers
    owner = "ecdsap384sha384.sig0.test"
    path, rdata = sig0_key(server.folder / "rolled", owner, "ED25519")
    old = keys["ECDSAP384SHA384"]
    assert nsupdate(server, "sig0.test", [f"update delete {owner} KEY", f"update add {owner} 300 KEY {rdata}"], old) == "NOERROR"
    wait_until(lambda: len(dig(server, owner, "KEY")) == 1, 20, "the new key")
    assert nsupdate(server, "sig0.test", [f"update add x.{owner} 60 TXT y"], path) == "NOERROR"
    assert nsupdate(server, "sig0.test", [f"update add y.{owner} 60 TXT y"], old) == "NOTAUTH"
    validate(server, "sig0.test")
