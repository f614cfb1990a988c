"""A zone with everything that answers stumble over, and questions about it."""

import random
import subprocess

ZONE = "nasty.test."

TEXT = r"""$ORIGIN nasty.test.
$TTL 3600
@           IN SOA ns1 hostmaster 2026010101 7200 3600 1209600 300
@           IN NS ns1
@           IN NS ns2.sub.deep
@           IN NS ns.elsewhere.example.
@           IN MX 10 mail
@           IN MX 20 mail.elsewhere.example.
@           IN TXT "apex" "of the zone"
@           IN CAA 0 issue "ca.example"
ns1         IN A 192.0.2.1
ns1         IN AAAA 2001:db8::1
ns2.sub.deep IN A 192.0.2.2
mail        IN A 192.0.2.25
mail        IN AAAA 2001:db8::25
www         IN A 192.0.2.80
www         IN A 192.0.2.81
www         IN A 192.0.2.82
ttl         7 IN A 192.0.2.83
big         IN TXT "BIG0"
big         IN TXT "BIG1"
big         IN TXT "BIG2"
big         IN TXT "BIG3"
big         IN TXT "BIG4"
big         IN TXT "BIG5"
alias       IN CNAME www
alias2      IN CNAME alias
alias3      IN CNAME alias2
dangling    IN CNAME nothing.here
outside     IN CNAME www.elsewhere.example.
loop1       IN CNAME loop2
loop2       IN CNAME loop1
intocut     IN CNAME host.plain
intowild    IN CNAME some.wild
self        IN CNAME self
*.wild      IN A 192.0.2.99
*.wild      IN TXT "wild"
a.wild      IN A 192.0.2.98
*.cname     IN CNAME www
*.wildmx    IN MX 5 mail
ent.*.starent IN A 192.0.2.97
*.sub.deep  IN TXT "deeper wild"
old         IN DNAME new
under.old2  IN DNAME www.new
x.new       IN A 192.0.2.17
new         IN A 192.0.2.18
www.new     IN A 192.0.2.19
y.www.new   IN TXT "target of two DNAMEs"
loopd       IN DNAME loopd
cnametodname IN CNAME x.old
srv         IN SRV 0 5 443 www
srv         IN SRV 1 5 443 nothing.here
ptr         IN PTR www
naptr       IN NAPTR 10 10 "u" "sip" "!^.*$!sip:x@nasty.test!" .
svc         IN HTTPS 1 . alpn=h2 ipv4hint=192.0.2.80
unknown     IN TYPE65280 \# 4 0A000001
a.b.c.d.e   IN A 192.0.2.40
ent1.ent2   IN TXT "below an empty non-terminal"
plain       IN NS ns.plain
plain       IN NS ns1
ns.plain    IN A 192.0.2.54
ns.plain    IN AAAA 2001:db8::54
plain2      IN NS ns.plain
secure      IN NS ns.secure
secure      IN NS ns.elsewhere.example.
secure      IN DS 12345 13 2 49FD46E6C4B45C55D4AC1B1E5D5C0C5F3DB6D1FBDA2E6A9C0E3B7E0A1B2C3D4E
ns.secure   IN A 192.0.2.55
out         IN NS ns.elsewhere.example.
out2.ent3   IN NS ns.elsewhere.example.
deepglue    IN NS a.b.deepglue
a.b.deepglue IN A 192.0.2.56
UPPER       IN A 192.0.2.60
MiXed       IN CNAME UPPER
\255\001    IN TXT "odd bytes"
a\.b        IN TXT "a dot inside a label"
-           IN A 192.0.2.61
_25._tcp.mail IN TLSA 3 1 1 49FD46E6C4B45C55D4AC1B1E5D5C0C5F3DB6D1FBDA2E6A9C0E3B7E0A1B2C3D4E
"""

TYPES = ["A", "AAAA", "NS", "SOA", "MX", "TXT", "CNAME", "DNAME", "PTR", "SRV", "DS", "DNSKEY",
         "NSEC", "NSEC3", "NSEC3PARAM", "RRSIG", "CDS", "CDNSKEY", "ANY", "HTTPS", "CAA", "TLSA",
         "TYPE65280", "TYPE999"]


def text():
    """The zone; `big` is made to need more than one datagram."""
    lines = TEXT
    for i in range(6):
        lines = lines.replace(f'"BIG{i}"', " ".join(f'"{chr(97 + i) * 200}"' for _ in range(2)))
    return lines


def sign(folder, path, denial):
    """Sign with BIND's tool: a KSK and a ZSK; the path of the signed file and the DNSKEYs."""
    flags = {"nsec": [], "nsec3": ["-3", "ab12", "-H", "0"], "optout": ["-3", "-", "-H", "0", "-A"]}
    for extra in ([], ["-f", "KSK"]):
        subprocess.run(["dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", *extra, ZONE],
                       cwd=folder, check=True, capture_output=True)
    signed = folder / f"{denial}.signed"
    subprocess.run(["dnssec-signzone", "-S", "-o", ZONE, "-x", "-P", "-f", signed, *flags[denial],
                    path], cwd=folder, check=True, capture_output=True)
    keys = "".join(p.read_text() for p in folder.glob("K*.key"))
    return signed, "\n".join(k for k in keys.splitlines() if not k.startswith(";")) + "\n"


def owners():
    found = set()
    for line in TEXT.splitlines()[2:]:
        owner = line.split()[0]
        found.add(ZONE if owner == "@" else f"{owner}.{ZONE}")
    return sorted(found)


def questions(count, seed):
    """Pairs of owner and type, with DO, datagram size: everything near what exists."""
    rng = random.Random(seed)
    names = owners()
    parents = sorted({n.split(".", 1)[1] for n in names if n.count(".") > 2 and "\\" not in n})
    labels = ["a", "z", "zz", "*", "ns", "www", "x", "nothing", "-", "a.b", "\\000", "old", "wild"]

    def name():
        pick = rng.random()
        base = rng.choice(names)
        if pick < 0.45:
            return base
        if pick < 0.55:
            return rng.choice(parents)
        if pick < 0.85:
            return f"{rng.choice(labels)}.{base}"
        if pick < 0.95:
            return f"{rng.choice(labels)}{rng.randint(0, 99)}.{rng.choice(parents)}"
        return f"{rng.choice(labels)}.{rng.choice(labels)}.{rng.choice(labels)}.{base}"

    for _ in range(count):
        owner = "".join(c.upper() if rng.random() < 0.2 else c for c in name())
        yield (owner, rng.choice(TYPES), rng.random() < 0.7, rng.choice([None, 512, 1232, 4096]))
