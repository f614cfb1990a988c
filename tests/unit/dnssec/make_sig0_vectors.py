#!/usr/bin/python3
"""Write sig0_vectors.inc: updates as nsupdate signs them with keys of dnssec-keygen, one for each
algorithm, for test_sig0.c."""

import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

import dns.rdata

ALGORITHMS = {"RSASHA1": ["-b", "2048"], "RSASHA256": ["-b", "2048"], "RSASHA512": ["-b", "2048"],
              "ECDSAP256SHA256": [], "ECDSAP384SHA384": [], "ED25519": [], "ED448": []}


def make_key(folder, algorithm, options):
    made = subprocess.run(["dnssec-keygen", "-q", "-T", "KEY", "-n", "HOST", "-a", algorithm,
                           *options, "host.example."], cwd=folder, check=True,
                          capture_output=True, text=True)
    stem = folder / made.stdout.strip()
    line = next(x for x in stem.with_suffix(stem.suffix + ".key").read_text().splitlines()
                if not x.startswith(";"))
    text = line.split(" KEY ", 1)[1]
    return stem, dns.rdata.from_text("IN", "DNSKEY", text).to_wire()  # the same fields


def capture(stem):
    """The message that nsupdate sends; it is answered, so that it ends."""
    got = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))

        def serve():
            wire, client = sink.recvfrom(65535)
            got.append(wire)
            sink.sendto(wire[:2] + b"\xa8\x00" + bytes(8), client)

        thread = threading.Thread(target=serve)
        thread.start()
        script = (f"server 127.0.0.1 {sink.getsockname()[1]}\nzone example.\n"
                  "update add host.example. 60 A 192.0.2.7\nsend\n")
        subprocess.run(["nsupdate", "-k", str(stem) + ".private"], input=script, text=True,
                       capture_output=True, timeout=60)
        thread.join(60)
    return got[0]


def as_c(name, data):
    lines = [f"static const uint8_t {name}[] = {{"]
    for at in range(0, len(data), 16):
        lines.append("    " + ", ".join(f"0x{b:02x}" for b in data[at:at + 16]) + ",")
    return "\n".join(lines) + "\n};\n"


def main():
    out = ["/* Made by make_sig0_vectors.py. */\n"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for algorithm, options in ALGORITHMS.items():
            inner = pathlib.Path(folder) / algorithm
            inner.mkdir()
            stem, key = make_key(inner, algorithm, options)
            wire = capture(stem)
            name = algorithm.lower()
            out.append(as_c(f"{name}_key", key))
            out.append(as_c(f"{name}_message", wire))
            rows.append(f'    {{"{algorithm}", {{{name}_key, sizeof({name}_key)}}, '
                        f"{{{name}_message, sizeof({name}_message)}}}},")
    out.append("static const struct sig0_vector sig0_vectors[] = {\n" + "\n".join(rows) + "\n};\n")
    path = pathlib.Path(__file__).with_name("sig0_vectors.inc")
    path.write_text("/* clang-format off */\n" + "".join(out) + "/* clang-format on */\n")


sys.exit(main())
