"""update-policy's `external`: a daemon behind a Unix socket decides. The same daemon, rules and
nsupdate scripts for signetd and for the real named; and a daemon that is slow, silent or dead."""

import concurrent.futures
import socket

import dns.tsigkeyring
import dns.update
import pytest

from support.nsupdate import Key, nsupdate, sig0_key
from support.peers import Bind
from support.server import HOST
from support.signet import Signet
from support.update_judge import NO as NO_BYTES
from support.update_judge import YES as YES_BYTES
from support.update_judge import UpdateJudge
from support.waiting import wait_until

pytestmark = pytest.mark.xdist_group("update-external")  # they share servers and the daemon

UPDATER = Key("updater", "c2lnbmV0IHVwZGF0ZSBwb2xpY3khIQ==")
LONG = Key("long.key", "YW5vdGhlciBzZWNyZXQgb2YgYSBrZXkgdGhhdCBpcyBsb25nIQ==", "hmac-sha512")
OK, NO = "NOERROR", "REFUSED"

ZONE = """$ORIGIN {zone}.
$TTL 300
@       IN SOA ns1 hostmaster 10 7200 3600 1209600 300
        IN NS ns1
ns1     IN A 192.0.2.1
yes-www IN A 192.0.2.80
        IN TXT "x"
half    IN A 192.0.2.80
        IN TXT "x"
"""

# zone: its rules; SOCKET is the daemon's, and at SOCKET.none is nobody.
RULES = {
    "grant.test": 'grant "local:SOCKET" external * ;',
    "types.test": 'grant "local:SOCKET" external * TXT;',
    "deny.test": 'deny "local:SOCKET" external * ; grant * zonesub;',
    "order.test": 'grant updater name fixed.order.test; grant "local:SOCKET" external * ANY;',
    "dead.test": 'grant "local:SOCKET.none" external * ; grant updater name fixed.dead.test;',
    "deaddeny.test": 'deny "local:SOCKET.none" external * ; grant * zonesub;',
    "open.test": "grant updater zonesub;",
}


def add(*records):
    return [f"update add {record.split()[0]} 60 {record.split(None, 1)[1]}" for record in records]


# zone, who signs, what is sent, what comes of it, over TCP?
ROWS = [
    ("grant.test", UPDATER, add("yes1.grant.test TXT y"), OK, False),
    ("grant.test", UPDATER, add("yes2.grant.test TXT y"), OK, True),
    ("grant.test", LONG, add("yes3.grant.test AAAA 2001:db8::1"), OK, False),
    ("grant.test", UPDATER, add("no1.grant.test TXT y"), NO, False),
    ("grant.test", UPDATER, add("yes4.grant.test TXT y", "no4.grant.test TXT y"), NO, False),
    ("grant.test", UPDATER, add("yes5.grant.test TXT y", "yes5.grant.test TXT z",
                                "yes6.grant.test TYPE65280 \\# 1 00"), OK, False),
    ("grant.test", UPDATER, add("yes7.grant.test NS ns1.grant.test"), NO, False),  # no types given
    ("grant.test", None, add("yes8.grant.test TXT y"), NO, False),
    ("grant.test", None, add("yes9.grant.test TXT y"), OK, True),  # signed by nobody: it is told
    ("grant.test", UPDATER, ["update delete yes-www.grant.test"], OK, False),
    ("grant.test", UPDATER, ["update delete half.grant.test"], NO, False),  # A yes, TXT no
    ("grant.test", UPDATER, ["update delete half.grant.test A"], OK, False),
    ("grant.test", UPDATER, add("two.grant.test TXT y"), NO, False),    # neither yes nor no
    ("grant.test", UPDATER, add("short.grant.test TXT y"), NO, False),  # not the whole answer
    ("grant.test", UPDATER, add("yes10.grant.test TXT y"), OK, False),
    ("types.test", UPDATER, add("yes1.types.test TXT y"), OK, False),
    ("types.test", UPDATER, add("yes1.types.test A 192.0.2.9"), NO, False),
    ("deny.test", UPDATER, add("yes1.deny.test TXT y"), NO, False),
    ("deny.test", UPDATER, add("no1.deny.test TXT y"), OK, False),
    ("order.test", UPDATER, add("fixed.order.test TXT y"), OK, False),
    ("order.test", UPDATER, add("yes1.order.test NS ns1.order.test"), OK, False),
    ("order.test", LONG, add("fixed.order.test TXT z"), NO, False),
    ("dead.test", UPDATER, add("yes1.dead.test TXT y"), NO, False),
    ("dead.test", UPDATER, add("fixed.dead.test TXT y"), OK, False),
]


def judge(request):
    label = request.name.split(".")[0]
    if label == "half":
        return YES_BYTES if request.rdtype == "A" else NO_BYTES
    for prefix, answer in (("yes", YES_BYTES), ("two", b"\0\0\0\2"), ("short", b"\0\0\0"),
                           ("silent", None)):
        if label.startswith(prefix):
            return answer
    return NO_BYTES


class PolicedBind(Bind):
    socket = None

    def configure(self):
        super().configure()
        text = UPDATER.statement + LONG.statement
        for zone, rules in RULES.items():
            path = self.folder / f"{zone}.zone"
            path.write_text(ZONE.replace("{zone}", zone))
            text += (f'zone "{zone}" {{ type primary; file "{path}"; allow-transfer {{ any; }}; '
                     f'update-policy {{ {rules.replace("SOCKET", self.socket)} }}; }};\n')
        with open(self.folder / "named.conf", "a", encoding="ascii") as out:
            out.write(text)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    path = tmp_path_factory.mktemp("judge") / "socket"
    made = UpdateJudge(path, judge)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def signet(tmp_path_factory, daemon):
    made = Signet(tmp_path_factory.mktemp("external") / "signet",
                  extra=UPDATER.statement + LONG.statement)
    for zone, rules in RULES.items():
        made.add_zone(zone, ZONE.replace("{zone}", zone),
                      statements=f"update-policy {{ {rules.replace('SOCKET', daemon.path)} }};")
    made.signer, rdata = sig0_key(made.folder / "sig0", "signer.sig0.test", "ED25519")
    made.add_zone("sig0.test", ZONE.replace("{zone}", "sig0.test") + f"signer IN KEY {rdata}\n",
                  statements=f'update-policy {{ grant "local:{daemon.path}" external * ; }};')
    made.start()
    for zone in RULES:
        wait_until(lambda: made.answers_with(zone, "SOA"), 30, f"{zone} served")
    yield made
    made.stop()
    assert "Sanitizer" not in made.log(), made.log()[-4000:]
    assert "assertion failed" not in made.log(), made.log()[-4000:]


@pytest.fixture(scope="module")
def named(tmp_path_factory, daemon):
    made = PolicedBind(tmp_path_factory.mktemp("external") / "named")
    made.socket = daemon.path
    made.start()
    yield made
    made.stop()


def test_the_daemon_is_asked_as_named_asks_it_and_obeyed(signet, named, daemon):
    for zone, key, lines, status, tcp in ROWS:
        asked = {}
        for server in (signet, named):
            before = len(daemon.requests)
            assert nsupdate(server, zone, lines, key, ["-v"] if tcp else []) == status, \
                (server.name, zone, lines)
            asked[server.name] = set(daemon.requests[before:])
        # named asks for each record, and before it looks at the types of the rule.
        listed = {request for request in asked["named"]
                  if zone != "types.test" or request.rdtype == "TXT"}
        if zone == "grant.test" and " NS " in lines[0]:
            listed = set()
        if status == OK or len(lines) == 1:
            assert asked["signetd"] == listed, (zone, lines)
    for zone in RULES:
        lines = [sorted(line for line in server.axfr_lines(zone, server.folder / f"axfr.{zone}")
                        if " SOA " not in line) for server in (signet, named)]
        assert lines[0] == lines[1], zone


def test_who_signs_by_sig0_is_told(signet, daemon):
    before = len(daemon.requests)
    assert nsupdate(signet, "sig0.test", add("yes.sig0.test TXT y"), signet.signer) == OK
    assert nsupdate(signet, "sig0.test", add("no.sig0.test TXT y"), signet.signer) == NO
    tag = int(signet.signer.name.split("+")[2].split(".")[0])
    told = {(request.signer, request.key) for request in daemon.requests[before:]}
    assert told == {("signer.sig0.test", f"signer.sig0.test/15/{tag}")}


def test_a_deny_whose_daemon_is_dead_denies(signet, named, daemon):
    """named 9.18 passes the rule over, and so lets in whom its daemon would refuse."""
    lines = add("x.deaddeny.test TXT y")
    assert nsupdate(signet, "deaddeny.test", lines, UPDATER) == NO
    assert nsupdate(named, "deaddeny.test", lines, UPDATER) == OK
    assert (f"update-policy: external 'local:{daemon.path}.none': no such file or directory; what it is to decide on "
            "is refused: start the daemon, or correct the path in update-policy") in signet.log()


def test_a_silent_daemon_holds_up_nothing_and_refuses(signet, daemon):
    """Twelve updates wait for it; queries and the updates of other zones do not."""
    complaints = signet.log().count("what it is to decide on is refused")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(nsupdate, signet, "grant.test", add(f"silent{i}.grant.test TXT y"),
                               UPDATER, ["-v"]) for i in range(12)]
        wait_until(lambda: daemon.silent, 20, "an update that waits")
        meanwhile = 0
        while not all(one.done() for one in waiting):
            assert signet.answers_with("grant.test", "SOA")
            assert nsupdate(signet, "open.test", add(f"x{meanwhile}.open.test TXT y"), UPDATER) == OK
            assert signet.answers_with(f"x{meanwhile}.open.test", "TXT")
            meanwhile += not any(one.done() for one in waiting)
        assert {one.result() for one in waiting} == {NO}
    assert meanwhile > 0, "nothing was served while they waited"
    # Once a minute at most.
    assert signet.log().count("what it is to decide on is refused") <= complaints + 2
    assert nsupdate(signet, "grant.test", add("yes-again.grant.test TXT y"), UPDATER) == OK
    assert "answers again" in signet.log()


def test_too_many_questions_are_refused(signet, daemon):
    before = len(daemon.requests)
    lines = add(*(f"yes{i}.grant.test TXT y" for i in range(300)))
    assert nsupdate(signet, "grant.test", lines, UPDATER, ["-v"]) == NO
    assert len(daemon.requests) == before
    signet.wait_for_log("would be asked more than 256 questions")
    assert nsupdate(signet, "grant.test", lines[:256], UPDATER, ["-v"]) == OK


def test_the_server_ends_while_a_daemon_is_asked(make_signet, run_server, daemon):
    server = make_signet(extra=UPDATER.statement)
    server.add_zone("grant.test", ZONE.replace("{zone}", "grant.test"),
                    statements=f'update-policy {{ grant "local:{daemon.path}" external * ; }};')
    run_server(server)
    wait_until(lambda: server.answers_with("grant.test", "SOA"), 30, "the zone")
    silent = len(daemon.silent)
    update = dns.update.UpdateMessage("grant.test", keyring=dns.tsigkeyring.from_text({"updater": UPDATER.secret}))
    update.add("silent", 60, "TXT", "y")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(update.to_wire(), (HOST, server.port))
        wait_until(lambda: len(daemon.silent) > silent, 20, "an update that waits")
        assert server.terminate() == 0
