"""Updates in crowds and beside long work: each has its answer, none waits, none that was
acknowledged is lost, and questions are answered all the while."""

import collections
import socket
import struct
import threading
import time

import dns.message
import dns.query
import dns.rcode
import dns.update
import pytest

from support.contents import Contents
from support.judges import assert_zone_validates
from support.server import HOST
from support.waiting import wait_until

pytestmark = pytest.mark.slow


def flat(zone, names):
    head = f"$ORIGIN {zone}\n@ 300 SOA ns hostmaster 1 7200 900 1209600 300\n@ 300 NS ns\n"
    return head + "".join(f"n{i} 300 A 192.0.2.{i % 250}\n" for i in range(names)) + \
        "ns 300 A 192.0.2.1\n"


# --- more than the quota ------------------------------------------------------------------------

FLOODED = "flood.test."
QUOTA = 10
CONNECTIONS, EACH, ROUNDS_MAX = 8, 40, 20


def receive(connection, length):
    got = b""
    while len(got) < length:
        more = connection.recv(length - len(got))
        assert more, "the connection was closed before all were answered"
        got += more
    return got


class Flood(threading.Thread):
    """One connection: so many updates at once, and then all of their answers."""

    def __init__(self, port, names):
        super().__init__(daemon=True)
        self.port, self.names = port, names
        self.rcodes = {}
        self.failure = None

    def run(self):
        try:
            self.flood()
        except Exception as failure:  # noqa: BLE001: told by the test
            self.failure = failure

    def flood(self):
        sent = {}
        wire = b""
        for number, name in enumerate(self.names):
            update = dns.update.UpdateMessage(FLOODED, id=number)
            update.add(name, 60, "A", "192.0.2.77")
            sent[number] = name
            one = update.to_wire()
            wire += struct.pack("!H", len(one)) + one
        with socket.create_connection((HOST, self.port), 30) as connection:
            connection.sendall(wire)
            while sent:
                (length,) = struct.unpack("!H", receive(connection, 2))
                answer = dns.message.from_wire(receive(connection, length))
                self.rcodes[sent.pop(answer.id)] = dns.rcode.to_text(answer.rcode())


class Asker(threading.Thread):
    """One question after the other; each is to be answered soon, and by the zone."""

    LIMIT = 2  # seconds; a question that waits for the updates before it waits longer

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.ending = threading.Event()
        self.answered = 0
        self.failure = None

    def run(self):
        try:
            while not self.ending.is_set():
                query = dns.message.make_query(f"n{self.answered % 50}.{FLOODED}", "A",
                                               want_dnssec=True)
                answer = dns.query.udp(query, HOST, port=self.port, timeout=self.LIMIT)
                assert answer.rcode() == dns.rcode.NOERROR and len(answer.answer) == 2, answer
                self.answered += 1
        except Exception as failure:  # noqa: BLE001: told by the test
            self.failure = failure


def test_a_flood_of_updates_is_bounded_answered_and_loses_nothing(make_signet, run_server, tmp_path):
    server = make_signet(options=f"update-quota {QUOTA};")
    server.add_zone(FLOODED, flat(FLOODED, 50), policy="default",
                    statements=f"allow-update {{ {HOST}; }};")
    run_server(server)
    server.wait_until_signed(FLOODED)
    asker = Asker(server.port)
    asker.start()
    outcomes = {}
    for round_ in range(ROUNDS_MAX):
        floods = [Flood(server.port, [f"u{round_}-{i}-{j}.{FLOODED}" for j in range(EACH)])
                  for i in range(CONNECTIONS)]
        for flood in floods:
            flood.start()
        for flood in floods:
            flood.join(60)
            assert not flood.is_alive() and flood.failure is None, flood.failure
            outcomes.update(flood.rcodes)
        if "SERVFAIL" in outcomes.values() and round_ > 0:
            break
    asker.ending.set()
    asker.join(30)
    assert asker.failure is None, asker.failure
    print(f"{asker.answered} questions were answered meanwhile")
    assert asker.answered > 2 * (round_ + 1), "they wait for the floods' ends"

    counts = collections.Counter(outcomes.values())
    assert set(counts) == {"NOERROR", "SERVFAIL"}, counts  # both: it was beyond the quota
    held = {owner for owner, rdtype, _ in Contents(server.axfr(FLOODED, tmp_path / "flooded"))
            if rdtype == "A"}
    acknowledged = {name for name, rcode in outcomes.items() if rcode == "NOERROR"}
    assert acknowledged <= held, sorted(acknowledged - held)[:10]
    assert not (set(outcomes) - acknowledged) & held, "what was not acknowledged got in"
    assert_zone_validates(FLOODED, tmp_path / "flooded")

    # The flood is over: everybody has a place again.
    update = dns.update.UpdateMessage(FLOODED)
    update.add("after", 60, "A", "192.0.2.78")
    assert dns.query.tcp(update, HOST, port=server.port, timeout=30).rcode() == dns.rcode.NOERROR
    assert server.answers_with(f"after.{FLOODED}", "A")


def test_updates_that_wait_together_share_a_change(make_signet, run_server):
    """All at once: each has its own answer, and the serial rises less often than they are."""
    zone = FLOODED
    server = make_signet(options="update-quota 1000;")
    server.add_zone(zone, flat(zone, 50), policy="default", statements=f"allow-update {{ {HOST}; }};")
    run_server(server)
    before = server.wait_until_signed(zone)
    floods = [Flood(server.port, [f"u{i}-{j}.{zone}" for j in range(EACH)])
              for i in range(CONNECTIONS)]
    for flood in floods:
        flood.start()
    for flood in floods:
        flood.join(60)
        assert not flood.is_alive() and flood.failure is None, flood.failure
        assert set(flood.rcodes.values()) == {"NOERROR"}
    assert 1 <= server.serial(zone) - before <= CONNECTIONS * EACH // 2


# --- beside long work ---------------------------------------------------------------------------

CAMPAIGN = "campaign.test."
NAMES = 6000
# RSA, so that it takes its time: a signature of it costs as much as ten of the others.
POLICY = """dnssec-policy "p" {{ keys {{ csk lifetime unlimited algorithm {algorithm}; }};
                                 {denial} }};"""
# The least number of updates, one after the other, that are served while one campaign runs: it is
# some dozens where each waits for a slice, and one or two where it waits for most of the campaign.
SERVED_MEANWHILE = 15
NSEC3 = "nsec3param iterations 0 optout no salt-length 0;"


class Campaign:
    """A server with a zone that takes long to sign, and somebody who updates it without a pause."""

    def __init__(self, server):
        self.server = server
        self.sent = []

    def update(self):
        """One update, acknowledged and served."""
        owner = f"u{len(self.sent)}.{CAMPAIGN}"
        update = dns.update.UpdateMessage(CAMPAIGN)
        update.add(owner, 60, "A", "192.0.2.77")
        answer = dns.query.tcp(update, HOST, port=self.server.port, timeout=120)
        assert answer.rcode() == dns.rcode.NOERROR, answer
        assert self.server.answers_with(owner, "A"), f"{owner}: acknowledged and not served"
        self.sent.append(owner)

    def update_until(self, has_ended):
        """How many were served before that: had they waited for the end, it would be none."""
        meanwhile = 0
        deadline = time.monotonic() + 240
        while True:
            self.update()
            if has_ended():
                print(f"{meanwhile} updates were served meanwhile")
                return meanwhile
            meanwhile += 1
            assert time.monotonic() < deadline, "the campaign does not end"

    def reconfigure(self, policy):
        self.server.extra = policy
        self.server.configure()
        started = self.server.log().count("is to be signed anew")
        result = self.server.rndc("reconfig")
        assert result.returncode == 0, result.stderr
        wait_until(lambda: self.server.log().count("is to be signed anew") > started, 60,
                   "the campaign's beginning")

    def check(self, folder):
        path = self.server.axfr(CAMPAIGN, folder / "campaign")
        held = {owner for owner, rdtype, _ in Contents(path) if rdtype == "A"}
        assert set(self.sent) <= held
        assert_zone_validates(CAMPAIGN, path)


@pytest.fixture
def campaign(make_signet, run_server):
    server = make_signet(extra=POLICY.format(algorithm="rsasha256 2048", denial=""))
    server.add_zone(CAMPAIGN, flat(CAMPAIGN, NAMES), policy="p",
                    statements=f"allow-update {{ {HOST}; }};")
    run_server(server)
    server.wait_until_signed(CAMPAIGN, 240)
    return Campaign(server)


def test_updates_do_not_wait_for_another_chain(campaign, tmp_path):
    def is_nsec3():
        return campaign.server.answers_with(CAMPAIGN, "NSEC3PARAM") is not None

    assert not is_nsec3()
    campaign.reconfigure(POLICY.format(algorithm="rsasha256 2048", denial=NSEC3))
    assert campaign.update_until(is_nsec3) >= SERVED_MEANWHILE
    campaign.check(tmp_path)


def algorithms(server):
    response = server.query(CAMPAIGN, "SOA")
    return {record.algorithm for rrset in response.answer for record in rrset
            if record.rdtype == dns.rdatatype.RRSIG}


def test_updates_do_not_wait_for_another_algorithm(campaign, tmp_path):
    assert algorithms(campaign.server) == {8}
    campaign.reconfigure(POLICY.format(algorithm="rsasha512 2048", denial=""))
    assert campaign.update_until(lambda: algorithms(campaign.server) != {8}) >= SERVED_MEANWHILE
    assert algorithms(campaign.server) == {8, 10}
    path = campaign.server.axfr(CAMPAIGN, tmp_path / "campaign")
    held = {owner for owner, rdtype, _ in Contents(path) if rdtype == "A"}
    assert set(campaign.sent) <= held
    assert_zone_validates(CAMPAIGN, path, algorithms=2)


def test_updates_do_not_wait_for_all_signatures_made_anew(campaign, tmp_path):
    """`sign` works in slices: an update is served between two of them, while old signatures are
    left beside new ones."""
    def signatures(at):
        lines = Contents(campaign.server.axfr(CAMPAIGN, tmp_path / at))
        return {(owner, rdata) for owner, rdtype, rdata in lines
                if rdtype == "RRSIG" and owner.startswith("n") and rdata.startswith("A ")}

    old = signatures("before")
    assert len(old) == NAMES + 1
    time.sleep(1.1)  # signatures of another second differ
    result = campaign.server.rndc("sign", CAMPAIGN)
    assert result.returncode == 0, result.stderr
    mixtures = 0
    deadline = time.monotonic() + 240
    while True:
        campaign.update()
        left = len(signatures("meanwhile") & old)
        if left == 0:
            break
        mixtures += left < len(old)
        assert time.monotonic() < deadline, f"{left} signatures are not made anew"
    assert mixtures > 0, "no update was served while the work was under way"
    campaign.check(tmp_path)
