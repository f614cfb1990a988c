"""Packets and connections as nobody should send them: met as RFC 1035, 6891, 7766 and 8945 say."""

import contextlib
import socket
import struct
import subprocess
import time

import pytest
from support import nasty
from support.material import small_zone
from support.peers import Bind, Knot, Nsd
from support.server import HOST

ZONE = nasty.ZONE
SECRET = "c2lnbmV0IHN5c3RlbSB0ZXN0cyE="
HMACS = ["sha1", "sha224", "sha256", "sha384", "sha512"]
KEYS = "".join(f'key "k{h}" {{ algorithm hmac-{h}; secret "{SECRET}"; }};\n' for h in HMACS)


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")
                    if label) + b"\0"


def question(owner, rdtype=1, rdclass=1):
    return name(owner) + struct.pack(">HH", rdtype, rdclass)


def header(flags=0, counts=(1, 0, 0, 0), number=0x1234):
    return struct.pack(">6H", number, flags, *counts)


def opt(payload=1232, version=0, flags=0, options=b""):
    return b"\0" + struct.pack(">HHBBHH", 41, payload, 0, version, flags, len(options)) + options


def option(code, value):
    return struct.pack(">HH", code, len(value)) + value


WWW = question("www." + ZONE)
APEX = question(ZONE, 6)
A_RECORD = name("www." + ZONE) + struct.pack(">HHIH", 1, 1, 3600, 4) + b"\1\2\3\4"
ONE_MORE = (1, 0, 0, 1)

# A packet, and what it meets: rcode and whether the response has OPT. None: no response.
PACKETS = {
    "EDNS 1": (header(counts=ONE_MORE) + WWW + opt(version=1), (16, True)),
    "EDNS 255, DO": (header(counts=ONE_MORE) + WWW + opt(version=255, flags=0x8000), (16, True)),
    "EDNS 1, unknown opcode": (header(0x1800, ONE_MORE) + WWW + opt(version=1), (16, True)),
    "two OPT": (header(counts=(1, 0, 0, 2)) + WWW + opt() + opt(), (1, True)),
    "OPT in answer": (header(counts=(1, 1, 0, 0)) + WWW + opt(), (1, False)),
    "OPT not of the root": (header(counts=ONE_MORE) + WWW + b"\1a" + opt(), (1, False)),
    "payload 0": (header(counts=ONE_MORE) + WWW + opt(0), (0, True)),
    "unknown option": (header(counts=ONE_MORE) + WWW + opt(options=option(65001, b"x")), (0, True)),
    "option past the end": (header(counts=ONE_MORE) + WWW + opt(options=b"\0\3\0\7a"), (1, False)),
    "unknown EDNS flags": (header(counts=ONE_MORE) + WWW + opt(flags=0x7fff), (0, True)),
    "AA, TC, RA, AD, CD, Z": (header(0x06f0) + WWW, (0, False)),
    "a response": (header(0x8000) + WWW, None),
    "11 bytes": (header()[:11], None),
    "no question": (header(counts=(0, 0, 0, 0)), (1, False)),
    "no question but OPT": (header(counts=(0, 0, 0, 1)) + opt(), (1, True)),
    "two questions": (header(counts=(2, 0, 0, 0)) + WWW + WWW, (1, False)),
    "half a question": (header() + WWW[:7], (1, False)),
    "a label of 64": (header() + b"\x40" + b"a" * 64 + b"\0\0\1\0\1", (1, False)),
    "a name of 256": (header() + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\1\0\1", (1, False)),
    "a pointer to itself": (header() + b"\xc0\x0c\0\1\0\1", (1, False)),
    "records that are not there": (header(counts=(1, 0, 0, 2)) + WWW, (1, False)),
    "an answer in a query": (header(counts=(1, 1, 0, 0)) + WWW + A_RECORD, (0, False)),
    "bytes behind the message": (header() + WWW + b"xyz", (0, False)),
    "class ANY": (header() + question("www." + ZONE, 1, 255), (1, False)),
    "class CH": (header() + question("www." + ZONE, 1, 3), (5, False)),
    "class 65280": (header() + question("www." + ZONE, 1, 65280), (5, False)),
    "not our zone": (header(counts=ONE_MORE) + question("www.example") + opt(), (5, True)),
    "type OPT": (header(counts=ONE_MORE) + question("www." + ZONE, 41) + opt(), (1, True)),
    "type MAILB": (header() + question("www." + ZONE, 253), (4, False)),
    "type 65535": (header() + question("www." + ZONE, 65535), (0, False)),
    "AXFR by datagram": (header() + question(ZONE, 252), (1, False)),
    "IXFR without SOA": (header() + question(ZONE, 251), (1, False)),
    "IQUERY": (header(0x0800) + WWW, (4, False)),
    "STATUS with EDNS": (header(0x1000, ONE_MORE) + WWW + opt(), (4, True)),
    "DSO": (header(0x3000, (0, 0, 0, 0)), (4, False)),
    "NOTIFY for another zone": (header(0x2400) + question("other.test", 6), (9, False)),
    "UPDATE": (header(0x2800) + APEX, (5, False)),
    "UPDATE of another zone": (header(0x2800) + question("other.test", 6), (9, False)),
}


def outcome(packet, response):
    """Rcode and presence of OPT; what is alike in every response is checked here."""
    assert response[:2] == packet[:2]
    flags, qd, an, ns, ar = struct.unpack(">5H", response[2:12])
    assert flags & 0x8000 and (flags ^ struct.unpack(">H", packet[2:4])[0]) & 0x7900 == 0
    # The last record is OPT where there is one: nothing here has a TSIG.
    has_opt = ar > 0 and b"\0\0\x29" in response[12:]
    at = response.rfind(b"\0\0\x29")
    return (flags & 15) | (response[at + 5] << 4 if has_opt else 0), has_opt


def ask(port, packet, within_s=10):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(within_s)
        udp.connect((HOST, port))
        udp.send(packet)
        return udp.recv(65535)


@contextlib.contextmanager
def connection(port):
    with socket.create_connection((HOST, port), timeout=10) as tcp:
        yield tcp


def framed(packet):
    return struct.pack(">H", len(packet)) + packet


def read(stream):
    """One message, or None at the end."""
    length = stream.read(2)
    return stream.read(struct.unpack(">H", length)[0]) if len(length) == 2 else None


@pytest.fixture
def served(make_signet):
    signet = make_signet(options="tcp-clients 10; tcp-idle-timeout 10; tcp-initial-timeout 30;",
                         extra=KEYS)
    signet.add_zone(ZONE, nasty.text(), statements="check-names ignore; check-integrity no;")
    return signet.start()


def test_odd_packets_meet_what_the_rfcs_say(served, run_server, tmp_path):
    """And no response's rcode is one that BIND, Knot and NSD would all not give."""
    plain = tmp_path / "plain.zone"
    plain.write_text(nasty.text())
    peers = [run_server(cls(tmp_path / cls.name, [(ZONE, plain)])) for cls in (Bind, Knot, Nsd)]
    for what, (packet, expected) in PACKETS.items():
        if expected is None:
            with pytest.raises(socket.timeout):
                ask(served.port, packet, within_s=0.3)
            continue
        assert outcome(packet, ask(served.port, packet)) == expected, what
        theirs = set()
        for peer in peers:
            with contextlib.suppress(socket.timeout):
                theirs.add(outcome(packet, ask(peer.port, packet, within_s=1))[0])
        assert expected[0] in theirs, f"{what}: {theirs}"


def test_pipelined_queries_are_all_answered(served):
    with connection(served.port) as tcp:
        tcp.sendall(b"".join(framed(header(number=i) + WWW) for i in range(500)))
        tcp.shutdown(socket.SHUT_WR)
        with tcp.makefile("rb") as stream:
            numbers = [read(stream)[:2] for _ in range(500)]
            assert {struct.unpack(">H", n)[0] for n in numbers} == set(range(500))
            assert read(stream) is None


def test_a_query_may_come_byte_by_byte(served):
    with connection(served.port) as tcp, tcp.makefile("rb") as stream:
        for byte in framed(header() + WWW):
            tcp.sendall(bytes([byte]))
        assert outcome(header() + WWW, read(stream)) == (0, False)


def test_a_broken_message_does_not_end_its_connection(served):
    with connection(served.port) as tcp, tcp.makefile("rb") as stream:
        tcp.sendall(framed(header() + WWW[:7]) + framed(header() + WWW))
        assert outcome(header(), read(stream)) == (1, False)
        assert outcome(header(), read(stream)) == (0, False)


def test_who_is_silent_is_closed(served):
    """After tcp-idle-timeout, here 1 s, where something was asked; else tcp-initial-timeout, 3 s."""
    for packets, least_s in ((framed(header() + WWW), 0.9), (b"", 2.9)):
        begin = time.monotonic()
        with connection(served.port) as tcp, tcp.makefile("rb") as stream:
            tcp.sendall(packets)
            while read(stream) is not None:
                pass
            assert least_s < time.monotonic() - begin < least_s + 20


def test_tcp_clients_is_the_limit(served):
    with contextlib.ExitStack() as stack:
        answered = 0
        for _ in range(20):
            tcp = stack.enter_context(connection(served.port))
            with contextlib.suppress(OSError):
                tcp.sendall(framed(header() + WWW))
                answered += read(tcp.makefile("rb")) is not None
        assert answered == 10
    assert outcome(header() + WWW, ask(served.port, header() + WWW)) == (0, False)


@pytest.mark.parametrize("program", ["dig", "kdig"])
@pytest.mark.parametrize("hmac", HMACS)
def test_a_long_transfer_is_signed_throughout(make_signet, program, hmac):
    """dig and kdig verify the MAC of each message, which covers the one before (RFC 8945 5.3.1)."""
    signet = make_signet(extra=KEYS)
    path = signet.folder / "big.zone"
    path.write_text(small_zone("big.test.") + "".join(f'h{i} TXT "{"x" * 100}"\n'
                                                     for i in range(5000)))
    signet.zones.append(f'zone "big.test." {{ type primary; file "{path}"; '
                        f'allow-transfer {{ key "k{hmac}"; }}; }};')
    signet.start()

    def transfer(*key):
        argv = [program, f"@{HOST}", "-p", str(signet.port), "big.test.", "AXFR", *key]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        return done.stdout.count("x" * 100)

    assert transfer("-y", f"hmac-{hmac}:k{hmac}:{SECRET}") == 5000
    assert transfer("-y", f"hmac-{hmac}:k{hmac}:{SECRET[:-4]}AAA=") == 0
    assert transfer() == 0


def zone_that_says(folder, file, text, more=""):
    path = folder / file
    path.write_text(f'$TTL 300\n@ SOA ns h 1 7200 3600 1209600 300\n@ NS ns\nns A 192.0.2.1\n'
                    f'who TXT "{text}"\n{more}')
    return f'{{ type primary; file "{path}"; }};'


def said(signet, owner, *options, server=HOST):
    argv = ["dig", "+short", "+norecurse", f"@{server}", "-p", str(signet.port), *options, owner,
            "TXT"]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30).stdout.split("\n")[:-1]


def test_views_are_told_by_client_destination_and_key(make_signet):
    signet = make_signet(extra=KEYS)
    matches = {"keyed": 'match-clients { key "ksha256"; };',
               "there": "match-destinations { 127.0.0.7; ::1; };",
               "inside": "match-clients { 127.0.0.1; };",
               "outside": ""}
    signet.view = "".join(
        f'view "{view}" {{ {match} zone "v.test." '
        f'{zone_that_says(signet.folder, view, view)} }};\n' for view, match in matches.items())
    signet.configure()
    text = signet.configuration.read_text().replace(f"{{ {HOST}; }};\n    listen-on-v6 {{ none; }}",
                                                    "{ any; };\n    listen-on-v6 "
                                                    f"port {signet.port} {{ ::1; }}")
    signet.configure = lambda: signet.configuration.write_text(text)
    signet.start()
    signet.wait_for_log("all zones loaded")
    assert said(signet, "who.v.test.") == ['"inside"']
    assert said(signet, "who.v.test.", "-b", "127.0.0.3") == ['"outside"']
    for options in ([], ["+tcp"]):
        assert said(signet, "who.v.test.", *options, server="127.0.0.7") == ['"there"']
        assert said(signet, "who.v.test.", *options, server="::1") == ['"there"']
        assert said(signet, "who.v.test.", *options, "-y", f"hmac-sha256:ksha256:{SECRET}",
                    server="127.0.0.7") == ['"keyed"']


def test_chains_cross_the_zones_that_are_served(make_signet):
    signet = make_signet()
    x = zone_that_says(signet.folder, "x", "x", "chain CNAME who.y.x.test.\nd DNAME y.x.test.\n"
                                                "far CNAME who.z.test.\n")
    y = zone_that_says(signet.folder, "y", "y", "back CNAME who.x.test.\n")
    z = zone_that_says(signet.folder, "z", "z")
    signet.zones += [f'zone "x.test." {x}', f'zone "y.x.test." {y}', f'zone "z.test." {z}']
    signet.start()
    signet.wait_for_log("all zones loaded")
    assert said(signet, "chain.x.test.") == ["who.y.x.test.", '"y"']
    assert said(signet, "far.x.test.") == ["who.z.test.", '"z"']
    assert said(signet, "who.y.x.test.") == ['"y"']
    assert said(signet, "back.d.x.test.") == ["y.x.test.", "back.y.x.test.", "who.x.test.", '"x"']
