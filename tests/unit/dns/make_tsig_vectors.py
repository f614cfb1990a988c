#!/usr/bin/python3
"""Write tsig_vectors.inc: signed messages as dnspython makes them, for test_tsig.c."""

import hashlib
import sys
import time

import dns.flags
import dns.message
import dns.rrset
import dns.tsig

NOW = 1700000000
ALGORITHMS = {  # as named.conf has it: the name on the wire, bits of the MAC
    "hmac-md5": ("hmac-md5.sig-alg.reg.int", 128),
    "hmac-sha1": ("hmac-sha1", 160),
    "hmac-sha224": ("hmac-sha224", 224),
    "hmac-sha256": ("hmac-sha256", 256),
    "hmac-sha384": ("hmac-sha384", 384),
    "hmac-sha512": ("hmac-sha512", 512),
    "hmac-md5-80": ("hmac-md5.sig-alg.reg.int", 80),
    "hmac-sha1-80": ("hmac-sha1", 80),
    "hmac-sha256-128": ("hmac-sha256", 128),
    "hmac-sha384-192": ("hmac-sha384", 192),
    "hmac-sha512-256": ("hmac-sha512", 256),
}


def signed(message, key, request_mac=b"", context=None, multi=False):
    message.use_tsig(key, fudge=300)
    message.request_mac = request_mac
    wire = message.to_wire(multi=multi, tsig_ctx=context)
    return wire, message.tsig[0].mac, message.tsig_ctx


def query():
    return dns.message.make_query("Www.Example.", "AXFR", id=0x1234)


def response(number):
    answer = dns.message.make_response(query())
    answer.flags |= dns.flags.AA
    answer.answer.append(dns.rrset.from_text("www.example.", 300, "IN", "A", f"192.0.2.{number}"))
    return answer


def vector(algorithm):
    name, bits = ALGORITHMS[algorithm]
    key = dns.tsig.Key("Key.Example.", bytes(range(1, 33)), name)
    digest = getattr(hashlib, name.split(".")[0].removeprefix("hmac-"))
    dns.tsig.HMACTSig._hashes[key.algorithm] = (digest, bits)
    request, mac, _ = signed(query(), key)
    first, mac_1, context = signed(response(1), key, mac, None, True)
    plain = [response(n).to_wire() for n in (2, 3)]
    for wire in plain:
        context.update(wire)
    last, _, _ = signed(response(4), key, mac, context, True)
    single, _, _ = signed(response(1), key, mac)
    return [("request", query().to_wire(), request), ("single", response(1).to_wire(), single),
            ("first", response(1).to_wire(), first), ("second", plain[0], b""),
            ("third", plain[1], b""), ("last", response(4).to_wire(), last)]


def literal(wire):
    return "BYTES(" + ", ".join(f"0x{b:02x}" for b in wire) + ")" if wire else "{NULL, 0}"


def main():
    time.time = lambda: NOW
    print("/* clang-format off */")
    print("/* Made by make_tsig_vectors.py with dnspython. */")
    for algorithm in ALGORITHMS:
        print(f'{{"{algorithm}",')
        for name, plain, wire in vector(algorithm):
            print(f" .{name} = {{{literal(plain)},\n  {literal(wire)}}},")
        print("},")


sys.exit(main())
