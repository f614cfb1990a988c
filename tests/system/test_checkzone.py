"""`signet checkzone` and named-checkzone agree: on the verdict, on what is wrong, on the content."""

import re
import subprocess

import pytest
from support.material import gov_days
from support.signet import BIN

dns_rdata = pytest.importorskip("dns.rdata")
pytestmark = pytest.mark.skipif(not (BIN / "signet").exists(), reason="signet is not built")

HEAD = """\
$TTL 300
@ SOA ns1 host 1 7200 3600 1209600 300
@ NS ns1
ns1 A 192.0.2.1
"""

# name: (what follows HEAD, or a whole zone; what both say, as a regular expression, or None)
ACCEPTED = {
    "plain": ("www A 192.0.2.2\n", None),
    "CR LF": ("www A 192.0.2.2\r\na TXT x\r\n", None),
    "no newline at the end": ("www A 192.0.2.2", "does not end with newline"),
    "TTL and class in either order": ("a 60 IN A 192.0.2.2\nb IN 60 A 192.0.2.2\nc 1w2d3h4m5s A 192.0.2.2\n", None),
    "blank owner": ("a A 192.0.2.2\n  TXT x\n\tAAAA ::1\n", None),
    "parentheses": ("a TXT ( x ; comment )\n  y\n) ; end\nb ( A\n192.0.2.2 )\n", None),
    "escapes": (r'a\.b A 192.0.2.2' "\n" r'c TXT "a\"b" \065\; "x;y" a\ b' "\n" r'\097bc TXT x' "\n", "check-names"),
    "generic rdata": (r"a TYPE65280 \# 4 0A0B 0C0D" "\n" r"b A \# 4 c0000201" "\n" r"c TYPE1 192.0.2.2" "\n" r"d CLASS1 MX \# 5 000a0161 00" "\n", None),
    "out of zone": ("www.example.net. A 192.0.2.2\n", "ignoring out-of-zone data"),
    "TTLs of one RRset": ("a 100 A 192.0.2.2\na 100 A 192.0.2.3\n", None),
    "TTL too large": ("a 3000000000 TXT x\n", "2147483647|MAXTTL"),
    "bad owner name": ("bad_host A 192.0.2.2\n_x AAAA ::1\n-y A 192.0.2.2\n", r"bad owner name \(check-names\)"),
    "bad name": ("m MX 10 q_d.\n", r"q_d: bad name \(check-names\)"),
    "service names": ("_sip._tcp SRV 1 2 3 ns1\n_dmarc TXT x\n", None),
    "directory and SPF names": ("gc._msdcs A 192.0.2.1\nx._spf.y A 192.0.2.1\n", None),
    "MX is an address": ("m MX 10 192.0.2.1.\n", r"192\.0\.2\.1"),
    "NS is an address": ("d NS 192.0.2.1.\n", r"192\.0\.2\.1"),
    "MX to a CNAME": ("m MX 10 c\nc CNAME ns1\n", r"m\.example\.com/MX 'c\.example\.com' is a CNAME \(illegal\)"),
    "MX to nothing": ("m MX 10 nope\n", r"m\.example\.com/MX 'nope\.example\.com' has no address records"),
    "MX below a DNAME": ("m MX 10 a.d\nd DNAME example.net.\n", r"MX 'a\.d\.example\.com' is below a DNAME"),
    "MX below a cut": ("m MX 10 a.d\nd NS example.net.\n", None),
    "MX by a wildcard": ("m MX 10 a.w\n*.w A 192.0.2.1\n", None),
    "null MX": ("m MX 0 .\n", None),
    "SRV to a CNAME": ("_a._tcp SRV 1 2 3 c\nc CNAME ns1\n", r"SRV 'c\.example\.com' is a CNAME \(illegal\)"),
    "NS to a CNAME": ("d NS c\nc CNAME ns1\n", r"d\.example\.com/NS 'c\.example\.com' is a CNAME \(illegal\)"),
    "no glue": ("d NS ns.d\n", r"d\.example\.com/NS 'ns\.d\.example\.com' has no REQUIRED GLUE"),
    "no sibling glue": ("d NS ns.e\ne NS ns1\n", r"d\.example\.com/NS 'ns\.e\.example\.com' has no SIBLING GLUE"),
    "sibling glue": ("d NS ns.e\ne NS ns.e\nns.e A 192.0.2.5\n", None),
    "inner wildcard": ("a.*.b TXT x\n", "non-terminal wildcard"),
    "SPF without TXT": ('a SPF "v=spf1 -all"\n', "add matching type TXT record"),
    "SPF with TXT": ('a SPF "v=spf1 -all"\na TXT "v=spf1 -all"\n', None),
    "identical for DNS": ("b NSEC a. A\nb NSEC A. A\n", "semantically identical"),
    "duplicates": ("a MX 10 X.example.\na MX 10 x.EXAMPLE.\n", None),
    "CNAME beside DNSSEC": ("c CNAME x.\nc NSEC d.example.com. CNAME NSEC\n", None),
    "$ORIGIN": ("$ORIGIN sub\na A 192.0.2.2\n$ORIGIN b\na A 192.0.2.3\n$ORIGIN example.com.\n$TTL 1h\nc TXT x\n", None),
    "$GENERATE": ("$GENERATE 1-3 a$ A 192.0.2.$\n$GENERATE 0-10/5 b${1,3,d} 60 IN TXT \"x $\" \n", None),
    "$GENERATE bases": ("$GENERATE 8-11 a${2,3,d}-${-1,4,x}-${0,0,X}-${0,2,o} A 192.0.2.$\n", None),
    "$GENERATE nibbles": ("$GENERATE 250-251 x.${0,1,N} TXT x\n$GENERATE 250-250 y.${0,7,N} TXT x\n$GENERATE 4660-4660 z.${0,16,n} TXT x\n$GENERATE 4660-4660 w.${0,6,n} TXT ${-4661,0,n}\n", "out-of-zone"),
    "$GENERATE escapes": ("$GENERATE 1-1 a$$b\\$ CNAME $.\\$x\n$GENERATE 1-2 u$ TXT \"\\\"foo $\\\"\"\n", None),
    "$GENERATE is nobody's owner": ("$GENERATE 1-2 q$ TXT foo$\n TXT bar\n", None),
    "the SOA's minimum": ("@ SOA ns1 host 1 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n", "no TTL specified"),
    "the previous TTL": ("@ 60 SOA ns1 host 1 7200 3600 1209600 300\n@ NS ns1\nns1 50 A 192.0.2.1\nns1 AAAA ::1\n$TTL 20\nns1 TXT x\n", "TTL"),
    "name server below a cut": ("$TTL 5\n@ SOA ns1 host 1 7200 3600 1209600 300\n@ NS ns1.a\na NS b.\n", None),
    "many types": (
        "a CAA 0 issue \"ca.example; x=y\"\na TLSA 3 1 1 0001\na SSHFP 1 1 "
        + "00" * 20
        + "\na DS 1 13 2 "
        + "ab" * 32
        + "\na NS ns1\nb DNSKEY 257 3 13 AAAA AAAA\nb CDS 0 0 0 00\nb CDNSKEY 0 3 0 AA==\n"
        "b NAPTR 1 1 \"u\" \"E2U+sip\" \"!^.*$!sip:x!\" .\nb HINFO x \"y z\"\nb RP m.example. .\n"
        "b LOC 51 30 12.748 N 0 7 39.611 W 0.00m 0.00m 0.00m 0.00m\nb APL 1:192.0.2.0/24 !2:ff00::/8\n"
        "b NSEC3PARAM 1 0 5 ab\nb HTTPS 1 . alpn=h2,h3 port=443\nb SVCB 0 x.example.\n"
        "b CERT PGP 0 0 AAAA\nb URI 1 2 \"https://example.com/\"\nb OPENPGPKEY AAAA\n"
        "b CSYNC 1 3 A NS AAAA\nb ZONEMD 1 1 1 " + "00" * 48 + "\n"
        "b RRSIG A 13 3 300 20300101000000 1700000000 1 example.com. AAAA\nc NSEC d.example.com. A TYPE1234 CAA RRSIG\n",
        None,
    ),
}
REFUSED = {
    "empty": ("", "has 0 SOA records"),
    "no SOA": ("$TTL 5\n@ NS ns1\nns1 A 192.0.2.1\n", "has 0 SOA records"),
    "no NS": ("$TTL 5\n@ SOA ns1 host 1 7200 3600 1209600 300\n", "has no NS records"),
    "two SOAs": (HEAD + "@ SOA ns1 host 2 7200 3600 1209600 300\n", "singleton|SOA"),
    "SOA elsewhere": (HEAD + "a SOA ns1 host 2 7200 3600 1209600 300\n", "not at top of zone"),
    "no TTL at all": ("@ NS ns1\n@ SOA ns1 host 1 7200 3600 1209600 300\nns1 A 192.0.2.1\n", "no TTL specified"),
    "name server without address": (HEAD + "@ NS ns2\n", r"NS 'ns2\.example\.com' has no address records"),
    "name server is a CNAME": ("$TTL 5\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 CNAME x.\n", r"NS 'ns1\.example\.com' is a CNAME \(illegal\)"),
    "name server below a DNAME": ("$TTL 5\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1.a\na DNAME b.\n", "is below a DNAME"),
    "name server by a wildcard CNAME": ("$TTL 5\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n* CNAME x.\n", "is a CNAME"),
    "CNAME and other data": (HEAD + "a CNAME b\na A 192.0.2.2\n", r"a\.example\.com: CNAME and other data"),
    "two CNAMEs": (HEAD + "a CNAME b\na CNAME c\n", "multiple RRs of singleton type"),
    "two DNAMEs": (HEAD + "a DNAME b\na DNAME c\n", "multiple RRs of singleton type"),
    "wildcard NS": (HEAD + "*.foo NS ns1\n", r"invalid NS owner name \(wildcard\)"),
    "DS at the apex": (HEAD + "@ DS 1 13 2 " + "ab" * 32 + "\n", "DS record at top of zone"),
    "unknown type": (HEAD + "a FOO 192.0.2.2\n", "unknown RR type 'FOO'"),
    "meta type": (HEAD + "a OPT x\n", "OPT"),
    "other class": (HEAD + "a CH TXT x\n", "class 'CH'"),
    "class twice": (HEAD + "a IN IN A 192.0.2.2\n", "unknown RR type 'IN'"),
    "TTL twice": (HEAD + "a 60 60 A 192.0.2.2\n", "unknown RR type '60'"),
    "bad TTL directive": (HEAD + "$TTL 1w2x\na TXT x\n", ""),
    "unknown directive": (HEAD + "$FOO x\n", r"unknown \$ directive '\$FOO'"),
    "bad address": (HEAD + "a A 1.2.3\n", r"near '1\.2\.3'"),
    "address with a leading zero": (HEAD + "a A 1.2.3.04\n", ""),
    "bad IPv6 address": (HEAD + "a AAAA ::g\n", "near '::g'"),
    "preference out of range": (HEAD + "a MX 70000 x\n", "out of range"),
    "preference is no number": (HEAD + "a MX a x\n", ""),
    "rdata missing": (HEAD + "a A\n", "unexpected end"),
    "rdata half missing": (HEAD + "a MX 10\n", "unexpected end"),
    "extra rdata": (HEAD + "a A 192.0.2.2 5\n", "extra input text"),
    "string too long": (HEAD + 'a TXT "' + "x" * 256 + '"\n', ""),
    "label too long": (HEAD + "x" * 64 + " TXT x\n", "label|63"),
    "empty label": (HEAD + "a..b TXT x\n", "empty label"),
    "leading dot": (HEAD + ".a TXT x\n", "empty label"),
    "name too long": (HEAD + ".".join(["x" * 60] * 5) + " TXT x\n", ""),
    "zero byte": (HEAD + "a TXT x\0y\n", ""),
    "parenthesis not closed": (HEAD + "a TXT ( x\nb A 192.0.2.2\n", "unbalanced parentheses"),
    "parenthesis not opened": (HEAD + "a TXT x )\n", "unbalanced parentheses"),
    "quote not closed": (HEAD + 'a TXT "x\ny"\n', "unbalanced quotes"),
    "quoted address": (HEAD + 'a A "192.0.2.2"\n', ""),
    "bad escape": (HEAD + r"a\300 TXT x" "\n", ""),
    "generic length": (HEAD + r"a TYPE65280 \# 4 0A0B" "\n", ""),
    "generic rdata of a known type": (HEAD + r"a A \# 3 0A0B0C" "\n", ""),
    "short digest": (HEAD + "a DS 1 8 2 0000\n", ""),
    "bad base64": (HEAD + "a DNSKEY 256 3 8 A\n", ""),
    "bad hexadecimal": (HEAD + "a TLSA 3 1 1 0g\n", ""),
    "bad time": (HEAD + "a RRSIG A 8 2 5 20201301000000 20200101000000 1 . AAAA\n", ""),
    "$GENERATE backwards": (HEAD + "$GENERATE 5-2 t$ TXT x\n", "invalid range '5-2'"),
    "$GENERATE without step": (HEAD + "$GENERATE 1-2/0 t$ TXT x\n", "invalid range"),
    "$GENERATE base": (HEAD + "$GENERATE 1-2 t${0,2,q} TXT x\n", r"\$GENERATE"),
    "$GENERATE extra": (HEAD + "$GENERATE 1-2 t$ TXT foo $\n", "extra input text"),
    "$INCLUDE of nothing": (HEAD + "$INCLUDE nope\n", "nope"),
    "CDS without its key": (HEAD + "@ CDS 1234 8 2 " + "00" * 32 + "\n", "CDS"),
    "CDNSKEY without its key": (HEAD + "@ CDNSKEY 257 3 8 AwEAAQ==\n", "CDNSKEY"),
    "DELETE in company": (HEAD + "@ CDS 0 0 0 00\n@ CDS 1234 8 2 " + "00" * 32 + "\n"
                          "@ DNSKEY 256 3 8 AwEAAQ==\n", "CDS"),
    "first line without owner": (" A 192.0.2.1\n" + HEAD, ""),
}


def run(program, folder, *flags, zone="example.com"):
    command = [*program, "-i", "local", *flags, zone, "zone"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode("latin-1")


SIGNET = [str(BIN / "signet"), "checkzone"]
NAMED = ["named-checkzone"]


def write(folder, text):
    (folder / "zone").write_bytes(text.encode("latin-1"))


def dumped(program, folder, zone="example.com"):
    """The records of a dump, in canonical wire form."""
    status, _ = run(program, folder, "-q", "-D", "-o", "dump", zone=zone)
    assert status == 0
    records = set()
    lines = (folder / "dump").read_text().splitlines()
    for line in (line for line in lines if not line.startswith(";")):
        owner, ttl, rrclass, rrtype, rdata = line.split(None, 4)
        wire = dns_rdata.from_text(rrclass, rrtype, rdata).to_digestable()
        records.add((owner.lower(), int(ttl), rrtype, wire))
    return records


def whole_zone(text):
    return text if " SOA " in text and not text.startswith("@ NS") else HEAD + text


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_bind_accepts_is_accepted_with_the_same_words_and_content(name, tmp_path):
    text, words = ACCEPTED[name]
    write(tmp_path, whole_zone(text))
    status, said = run(SIGNET, tmp_path)
    bind_status, bind_said = run(NAMED, tmp_path)
    assert (bind_status, status) == (0, 0), said + bind_said
    assert "zone example.com/IN: loaded serial 1\nOK\n" in said
    said = "".join(line for line in said.splitlines(True) if ": note: " not in line)
    if words is not None:
        assert re.search(words, said) and re.search(words, bind_said), said + bind_said
    else:
        assert said == "zone example.com/IN: loaded serial 1\nOK\n"
    assert dumped(SIGNET, tmp_path) == dumped(NAMED, tmp_path)


@pytest.mark.parametrize("name", REFUSED)
def test_what_bind_refuses_is_refused_with_the_same_words(name, tmp_path):
    text, words = REFUSED[name]
    write(tmp_path, text)
    status, said = run(SIGNET, tmp_path)
    bind_status, bind_said = run(NAMED, tmp_path)
    assert (bind_status, status) == (1, 1), said + bind_said
    assert "zone example.com/IN: not loaded due to errors." in said
    assert re.search(words, said), said
    assert re.search(words, bind_said), bind_said


MODES = [
    ("-k", "m MX 10 q_d.\n", "ignore warn fail"),
    ("-k", "a_b A 192.0.2.1\n", "ignore warn fail"),
    ("-m", "m MX 10 192.0.2.1.\n", "ignore warn fail"),
    ("-n", "d NS 192.0.2.1.\n", "ignore warn fail"),
    ("-M", "m MX 10 c\nc CNAME ns1\n", "ignore warn fail"),
    ("-S", "_a._tcp SRV 1 2 3 c\nc CNAME ns1\n", "ignore warn fail"),
    ("-r", "b NSEC a. A\nb NSEC A. A\n", "ignore warn fail"),
    ("-T", 'a SPF "v=spf1 -all"\n', "ignore warn"),
    ("-W", "a.*.b TXT x\n", "ignore warn"),
    ("-l", "a 400 TXT x\n", "300 400 500"),
    ("-i", "d NS ns.e\ne NS ns1\nm MX 1 x\n", "local local-sibling none"),
]


@pytest.mark.parametrize(
    "flag, mode, text", [(flag, mode, text) for flag, text, modes in MODES for mode in modes.split()]
)
def test_modes_have_binds_meaning(flag, mode, text, tmp_path):
    write(tmp_path, HEAD + text)
    status, said = run(SIGNET, tmp_path, flag, mode)
    bind_status, bind_said = run(NAMED, tmp_path, flag, mode)
    assert status == bind_status, said + bind_said
    quiet = "zone example.com/IN: loaded serial 1\nOK\n"
    assert ": note: " not in said
    assert (said == quiet) == (bind_said == quiet), said + bind_said


@pytest.mark.parametrize("flag, default, text, note", [
    ("-k", "fail", "a_b A 192.0.2.1\n", "the server refuses it for its names"),
    ("-l", "86400", "a 100000 A 192.0.2.1\n", "the server refuses it for the TTL 100000"),
], ids=["check-names", "max-zone-ttl"])
def test_what_the_server_refuses_by_default_is_noted(flag, default, text, note, tmp_path, make_signet):
    """The verdict is named-checkzone's; with the flag that the note names it is the server's."""
    write(tmp_path, HEAD + text)
    status, said = run(SIGNET, tmp_path)
    assert status == 0 and note in said and f"{flag} {default} is its default" in said
    assert run(SIGNET, tmp_path, "-q") == (0, "")
    status, said = run(SIGNET, tmp_path, flag, default)
    assert status == 1 and ": note: " not in said
    words = next(line for line in said.splitlines() if line.startswith("zone:5: ")).split(": ", 1)[1]
    server = make_signet()
    server.add_zone("example.com", HEAD + text, policy="default")
    server.start()
    server.wait_for_log(words)
    assert "not loaded due to errors" in server.log()


def test_problems_name_file_and_line(tmp_path):
    write(tmp_path, HEAD + "a A 1.2.3\nb MX 70000 x\n")
    _, said = run(SIGNET, tmp_path)
    assert re.search(r"^zone:5: .*'1\.2\.3'", said, re.M)
    assert re.search(r"^zone:6: .*'70000'", said, re.M)


def test_problems_of_the_whole_zone_name_the_file_and_line_that_bind_names(tmp_path):
    (tmp_path / "inner").write_text(
        "b A 192.0.2.1\na TXT x\n$GENERATE 1-3 g$ A 192.0.2.$\ng2 CNAME b\nd_$ A 192.0.2.4\n"
    )
    write(
        tmp_path,
        HEAD + "a CNAME b\n$INCLUDE inner\n*.w NS ns1\nx CNAME y\nx CNAME z\nc_d A 192.0.2.9\n"
        "mx MX 10 ns1\nmx MX 10 a_b.\n@ DS 1 13 2 " + "ab" * 32 + "\n",
    )
    _, said = run(SIGNET, tmp_path, "-k", "fail")
    _, bind_said = run(NAMED, tmp_path, "-k", "fail")

    def places(text):
        kinds = ["CNAME and other data", "check-names", "wildcard", "singleton"]
        found = re.findall(r"\b((?:zone|inner):\d+): (.*)", text)
        return {(place, kind) for place, words in found for kind in kinds if kind in words}

    assert len(places(bind_said)) == 7, bind_said
    assert places(said) == places(bind_said), said + bind_said
    assert "zone:13: example.com: DS record at top of zone" in said


OTHER_CLASSES = ["A 192.0.2.1", "AAAA ::1", "WKS 192.0.2.1 tcp 25", "NSAP 0x01", "NSAP-PTR x", "PX 1 a b", "EID 01",
                 "NIMLOC 01", "SRV 1 1 1 x", "KX 1 x", "APL 1:192.0.2.1/32", "DHCID AAAA", "SVCB 1 .", "HTTPS 1 .",
                 "MX 1 x.", "TXT x", "CAA 0 issue x", "TLSA 1 1 1 00", "LOC 1 N 1 E 1m", 'URI 1 1 "x"', "DNAME x", "RT 1 x",
                 "NAPTR 1 1 a b \"\" ."]


@pytest.mark.parametrize("record", OTHER_CLASSES)
def test_other_classes_have_the_types_that_bind_gives_them(record, tmp_path):
    write(tmp_path, f"$TTL 300\n@ SOA a. b. 1 2 3 4 5\n@ NS ns.example.\nq {record}\n")
    for rrclass in ("CH", "HS"):
        status, said = run(SIGNET, tmp_path, "-c", rrclass)
        bind_status, bind_said = run(NAMED, tmp_path, "-c", rrclass)
        assert status == bind_status, said + bind_said
        assert status == 0 or re.search(r"^zone:4: \S+ is not a type of the zone's class$", said, re.M)


def test_problems_of_what_is_read_from_a_pipe_have_no_line(tmp_path):
    text = HEAD + "a CNAME b\na TXT x\n"
    done = subprocess.run([*SIGNET, "example.com", "-"], input=text.encode(), capture_output=True, timeout=60)
    assert done.returncode == 1
    assert b"zone example.com/IN: a.example.com: CNAME and other data\n" in done.stdout


def test_includes_keep_origin_and_owner_apart(tmp_path):
    (tmp_path / "inner").write_text("inc A 192.0.2.6\n$ORIGIN foo\nbar A 192.0.2.7\n")
    (tmp_path / "blank").write_text(' TXT "blank"\n')
    write(
        tmp_path,
        HEAD + "w A 192.0.2.8\n$INCLUDE inner\n TXT after\nz A 192.0.2.9\n$INCLUDE inner sub\n"
        '$INCLUDE "blank" ; comment\n TXT xx\n',
    )
    assert dumped(SIGNET, tmp_path) == dumped(NAMED, tmp_path)


def test_a_file_that_includes_itself_is_refused(tmp_path):
    write(tmp_path, HEAD + "$INCLUDE zone\n")
    status, said = run(SIGNET, tmp_path)
    assert status == 1 and "deep" in said


def test_quiet_says_nothing(tmp_path):
    write(tmp_path, HEAD + "a A 1.2.3\n")
    assert run(SIGNET, tmp_path, "-q") == (1, "")


def test_standard_input_is_a_file(tmp_path):
    command = [*SIGNET, "example.com", "-"]
    done = subprocess.run(command, input=HEAD.encode(), capture_output=True, timeout=60)
    assert done.returncode == 0


def assert_days_load(count, folder):
    for day in gov_days(folder / "days", count):
        (folder / "zone").write_bytes(day.read_bytes())
        assert dumped(SIGNET, folder, "gov") == dumped(NAMED, folder, "gov"), day


def test_a_real_zone_loads_as_in_bind(tmp_path):
    assert_days_load(2, tmp_path)


@pytest.mark.long
def test_a_real_zone_loads_as_in_bind_every_day(tmp_path):
    assert_days_load(40, tmp_path)
