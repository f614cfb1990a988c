"""A secondary passes updates on to its primary (RFC 2136 6), TSIG and SIG(0) untouched."""

import socket
import threading

import dns.message
import dns.rcode
import dns.update
import pytest

from support.fake_primary import FakePrimary
from support.material import small_zone
from support.nsupdate import Key, nsupdate, sig0_key
from support.peers import KEY, OTHER_KEY, Bind, Knot
from support.ports import free_port
from support.server import HOST
from support.waiting import wait_until

ZONE = "example.test."
TEXT = small_zone(ZONE)
CLIENT = Key(KEY.name, KEY.secret)


class UpdatedBind(Bind):
    def configure(self):
        super().configure()
        path = self.folder / "named.conf"
        path.write_text(path.read_text().replace(
            "check-names ignore;", f'check-names ignore; allow-update {{ key "{KEY.name}"; }};'))


class UpdatedKnot(Knot):
    def configure(self):
        super().configure()
        path = self.folder / "knot.conf"
        path.write_text(path.read_text().replace("[transfer, notify]", "[transfer, notify, update]")
                        .replace("zonefile-load: difference", "zonefile-load: whole")
                        .replace("any: warning", "any: info"))


PRIMARIES = pytest.mark.parametrize("kind", [UpdatedBind, UpdatedKnot], ids=["bind", "knot"])
FORWARD = "allow-update-forwarding { any; };"


@pytest.fixture
def make_pair(signet, run_server, tmp_path):
    """A primary that takes updates by KEY, and signetd as its secondary; both serve the zone."""
    def make(kind, statements=FORWARD, knows_key=False, before=()):
        path = tmp_path / "zone"
        path.write_text(TEXT)
        primary = run_server(kind(tmp_path / "primary", zones=[(ZONE, path)], notify=[signet.port], key=KEY))
        if knows_key:
            signet.add_key(KEY)
        # Transfers are by the key, too, which the secondary must then have: by another name here.
        signet.add_secondary(ZONE, [*before, primary.port], key=KEY if knows_key else None, statements=statements)
        if not knows_key:
            open_transfers(primary)
        signet.start()
        wait_until(lambda: signet.serial(ZONE) == 1, 20, "the zone has come")
        return primary, signet
    return make


def open_transfers(primary):
    """To anybody, so that the secondary needs no key at all."""
    for name in ("named.conf", "knot.conf"):
        path = primary.folder / name
        if path.exists():
            text = path.read_text().replace(f'allow-transfer {{ key "{KEY.name}"; }}', "allow-transfer { any; }")
            text = text.replace("acl: local\n", "acl: [local, seen]\n")
            path.write_text(text)
    primary.reload()


def update(server, name, key=CLIENT, options=(), record="60 A 192.0.2.77"):
    return nsupdate(server, ZONE, [f"update add {name}.{ZONE} {record}"], key, options)


def comes_back(signet, name):
    """The primary's NOTIFY is signed by a key that the secondary may not have."""
    assert signet.rndc("refresh", ZONE).returncode == 0
    wait_until(lambda: signet.answers_with(f"{name}.{ZONE}", "A"), 20, f"{name} at the secondary")


@PRIMARIES
@pytest.mark.parametrize("knows_key", [False, True], ids=["a-foreign-key", "a-known-key"])
def test_an_update_goes_to_the_primary_and_comes_back(make_pair, kind, knows_key):
    primary, signet = make_pair(kind, knows_key=knows_key)
    assert update(signet, "udp") == "NOERROR"
    assert update(signet, "tcp", options=["-v"]) == "NOERROR"
    assert primary.answers_with(f"udp.{ZONE}", "A") and primary.answers_with(f"tcp.{ZONE}", "A")
    comes_back(signet, "udp")
    comes_back(signet, "tcp")


@PRIMARIES
def test_what_the_primary_answers_goes_back(make_pair, kind):
    _, signet = make_pair(kind)
    assert nsupdate(signet, ZONE, [f"prereq yxdomain none.{ZONE}", f"update add a.{ZONE} 60 A 192.0.2.1"],
                    CLIENT) == "NXDOMAIN"
    assert nsupdate(signet, ZONE, [f"prereq nxdomain www.{ZONE}", f"update add a.{ZONE} 60 A 192.0.2.1"],
                    CLIENT) == "YXDOMAIN"
    assert update(signet, "nobody", key=None) in ("REFUSED", "NOTAUTH")
    assert update(signet, "other", key=Key(KEY.name, OTHER_KEY.secret)) in ("NOTAUTH", "BADSIG")
    assert signet.answers_with(f"nobody.{ZONE}", "A") is None


def test_sig0_is_passed_through_as_it_is(make_signet, run_server, tmp_path):
    """Its signature covers the id. named has no SIG(0) any more: the primary is one of ours."""
    path, rdata = sig0_key(tmp_path / "keys", f"signer.{ZONE}")
    primary, secondary = make_signet("primary"), make_signet("secondary")
    primary.add_zone(ZONE, TEXT + f"signer 60 KEY {rdata}\n",
                     statements=f'allow-update {{ key "signer.{ZONE}"; }};')
    run_server(primary)
    secondary.add_secondary(ZONE, [primary.port], statements=FORWARD)
    run_server(secondary)
    wait_until(lambda: secondary.serial(ZONE) == 1, 20, "the zone has come")
    assert update(secondary, "nobody", key=None) == "REFUSED"
    assert update(secondary, "by-sig0", key=path) == "NOERROR"
    assert primary.answers_with(f"by-sig0.{ZONE}", "A")
    comes_back(secondary, "by-sig0")


@pytest.mark.parametrize("statements, rcode", [
    ("", "REFUSED"), ("allow-update-forwarding { none; };", "REFUSED"),
    ("allow-update-forwarding { 192.0.2.1; };", "REFUSED"),
])
def test_without_leave_nothing_is_passed_on(make_pair, statements, rcode):
    _, signet = make_pair(UpdatedBind, statements=statements, knows_key=True)
    assert update(signet, "a") == rcode
    assert f"update forwarding '{ZONE.rstrip('.')}/IN' denied" in signet.log()


def test_a_foreign_key_is_badkey_where_nothing_is_passed_on(make_pair):
    _, signet = make_pair(UpdatedBind, statements="")
    assert update(signet, "a") in ("NOTAUTH", "BADKEY")


def test_a_list_may_name_a_key(make_pair):
    _, signet = make_pair(UpdatedBind, statements=f'allow-update-forwarding {{ key "{KEY.name}"; }};', knows_key=True)
    assert update(signet, "a") == "NOERROR"
    assert update(signet, "b", key=None) == "REFUSED"


def test_the_next_primary_is_asked_where_the_first_is_not_there(make_pair):
    _, signet = make_pair(UpdatedBind, before=[free_port()])
    assert update(signet, "a") == "NOERROR"


def test_the_next_primary_is_asked_where_the_first_cannot_be_reached(make_pair):
    """Its host is down, or a filter drops or rejects what is sent there."""
    _, signet = make_pair(UpdatedBind, before=["53; 255.255.255.255"])
    assert update(signet, "a") == "NOERROR"


def test_while_there_is_no_primary_it_is_servfail(make_pair):
    primary, signet = make_pair(UpdatedBind)
    primary.stop()
    assert update(signet, "a") == "SERVFAIL"
    assert "forwarding update for zone 'example.test' failed: no primary took it" in signet.log()


def drop_what_comes(port):
    """Listeners, and whom they would have to accept first: nobody else gets a connection."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(0)
    clients = [socket.socket() for _ in range(4)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex((HOST, port))
    return listener, clients


def test_a_primary_that_drops_what_comes_does_not_take_all_connections(signet, run_server):
    primary, other = run_server(FakePrimary(ZONE, TEXT)), run_server(FakePrimary("other.test.", small_zone("other.test.")))
    signet.add_secondary(ZONE, [primary.port], statements=FORWARD)
    signet.add_secondary("other.test.", [other.port])
    signet.start()
    wait_until(lambda: signet.serial(ZONE) == 1 and signet.serial("other.test.") == 1, 20, "both have come")
    primary.stop()
    held = drop_what_comes(primary.port)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(4)
    for number in range(300):
        message = dns.update.UpdateMessage(ZONE, id=number + 1)
        message.add(f"n{number}.{ZONE}", 60, "A", "192.0.2.1")
        client.sendto(message.to_wire(), (HOST, signet.port))
    fetched = other.count("AXFR")
    assert signet.rndc("retransfer", "other.test.").returncode == 0
    wait_until(lambda: other.count("AXFR") > fetched, 4, "the transfer of another zone")
    for _ in range(300 - 64):  # before any connection is given up
        assert dns.message.from_wire(client.recv(512)).rcode() == dns.rcode.SERVFAIL
    with pytest.raises(socket.timeout):
        client.recv(512)
    held[0].close()


def test_many_at_once_are_passed_on_and_an_end_waits_for_none(make_pair):
    primary, signet = make_pair(UpdatedBind)
    results = []
    threads = [threading.Thread(target=lambda i=i: results.append(update(signet, f"many{i}"))) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["NOERROR"] * 20
    for i in range(20):
        assert primary.answers_with(f"many{i}.{ZONE}", "A")
    assert signet.terminate() == 0
