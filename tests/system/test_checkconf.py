"""`signet checkconf` and named-checkconf agree on what is a configuration, and on what is none."""

import os
import re
import shutil
import subprocess

import pytest
from support.configurations import AGREED, KEY, POLICY, PRIMARY, options, zone
from support.signet import BIN

# fmt: off
# What named-checkconf 9.18 takes and Signet does not, and why.
REFUSED = {
    "key md5": ('key k { algorithm hmac-md5; secret "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };', "RFC 8945 6: MUST NOT be used"),
    "hex number": (options('tcp-clients 0x10;'), "numbers are decimal"),
    "session bad alg": (options('session-keyalg foo;'), "named fails when it starts"),
    "duration iso empty": (options('max-cache-ttl P;'), "a duration of nothing"),
    "duration iso T": (options('max-cache-ttl PT;'), "a duration of nothing"),
    "acl spaced": (options('allow-query { 10 / 8; };'), "a prefix is one word"),
    "key empty secret": ('key k { algorithm hmac-sha256; secret ""; };', "a key that protects nothing"),
    "key truncated 16": ('key k { algorithm hmac-sha256-16; secret "YWJj"; };', "RFC 8945 5.2.2.1 wants 80 bits at least"),
    "channel twice": ('logging { channel c { stderr; }; channel c { null; }; };', "which one?"),
    "syslog bad": ('logging { channel c { syslog foo; }; };', "named fails when it starts"),
    "controls empty keys": ('controls { inet 127.0.0.1 allow { any; } keys { }; };', "nobody could use it"),
    "primaries key undefined": (zone('type secondary; primaries { 192.0.2.1 key nosuch; };'), "named fails when it starts"),
    "list kinds twice": ('primaries l { 192.0.2.1; }; parental-agents l { 192.0.2.2; };', "one namespace, as in 9.20"),
    "database": (zone('type primary; database "foo bar";'), "there is no file to load"),
    "policy max-zone-ttl": (POLICY + zone(PRIMARY + 'dnssec-policy p; inline-signing yes; max-zone-ttl 1d;'), "an error in 9.20"),
    "policy nsec3 iterations": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; nsec3param iterations 5; };', "an error in 9.20, RFC 9276"),
    "policy registration delay": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; parent-registration-delay 1d; };', "gone in 9.20"),
    "policy key alg 1": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 1; }; };', "never made"),
    "policy key alg dsa": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm dsa; }; };', "never made"),
    "policy key alg 3": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 3; }; };', "never made"),
    "policy key alg 253": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 253; }; };', "never made"),
    "policy key alg 12": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 12; }; };', "never made"),
    "acl of itself, unused": ('acl a { a; };', "it cannot be meant"),
    "acl refuses undefined key": (options('allow-query { !key nosuch; any; };'), "it would refuse nobody"),
    "acl refuses list with one": ('acl a { key nosuch; }; options { allow-query { !a; any; }; };', "it would refuse nobody"),
    "acl loop, unused": ('acl a { b; }; acl b { a; };', "it cannot be meant"),
    "acl chain": (''.join(f'acl a{i} {{ a{i + 1}; }}; ' for i in range(99)) + 'acl a99 { any; }; options { allow-query { a0; }; };', "32 lists deep"),
    "acl with a scope": (options('allow-query { fe80::1%lo; };'), "scopes are not matched"),
    "acl braces": ('acl a ' + '{ ' * 2000 + 'any; ' + '}; ' * 2000, "32 blocks deep"),
    "acl long name": ('acl ' + 'a' * 3000 + ' { any; };', "255 bytes"),
    "update-policy external of a key": (KEY + zone(PRIMARY + 'update-policy { grant k external *; };'), "there is no daemon to ask"),
    "update-policy external somewhere": (KEY + zone(PRIMARY + 'update-policy { deny "local:x" external .; grant k zonesub; };'), "relative to what?"),
    "update-policy no number": (KEY + zone(PRIMARY + 'update-policy { grant k zonesub A(); };'), "how many?"),
    "include deep": ('include "deep0.conf";', "16 files deep"),
    "string with NUL": ('options { version "a\0b"; };', "BIND keeps what stands before it"),
    "long string": ('options { version "' + 'a' * 10_000_000 + '"; };', "64 KiB"),
    "log folder not there": ('logging { channel c { file "/nosuch/x.log"; }; category queries { c; }; };', "named fails when it starts"),
    "options policy unknown": (options('dnssec-policy nosuch;'), "it would be an error with the first zone"),
    "session name bad": (options('session-keyname "a..b";'), "named fails when it starts"),
    "sig type low": (options('sig-signing-type 65279;'), "an error in a zone"),
    "key of two views": ('view a { key k { algorithm hmac-sha256; secret "YWJjZA=="; }; }; view b { key k { algorithm hmac-sha256; secret "YWJjZQ=="; }; };', "names of keys are the server's"),
    "controls unix": ('controls { unix "/x" perm 0600 owner 0 group 0; };', "not supported, an error in 9.20"),
    "geoip": (options('allow-query { geoip country US; };'), "an ACL must not be passed over"),
    "masterfile raw": ('zone "x" { type primary; file "x.db";  masterfile-format raw; };', "cannot be read"),
    "auto-dnssec": ('zone "x" { type primary; file "x.db";  auto-dnssec maintain; inline-signing yes; };', "gone in 9.20, and it meant signing"),
}

# What Signet takes and named-checkconf 9.18 does not, and why.
ACCEPTED = {
    "redirect": (zone('type redirect; file "x";'), "ignored with a warning"),
    "forward without forwarders": (zone(PRIMARY + 'forward first;'), "only a resolver forwards"),
    "hint without file": ('zone "." { type hint; };', "ignored with a warning"),
    "mirror without primaries": (zone('type mirror; file "x";'), "ignored with a warning"),
    "serial keep": (zone(PRIMARY + 'serial-update-method keep;'), "OpenDNSSEC's word"),
    "signing interval": (options('sig-validity-interval 10 11;'), "without effect"),
    "rrset-order bad": (options('rrset-order { order foo; };'), "without effect"),
    "dnstap without output": (options('dnstap { auth; };'), "without effect"),
    "disable-algorithms bad": (options('disable-algorithms . { foo; };'), "only a resolver validates"),
    "quoted address": (zone('type secondary; primaries { "192.0.2.1"; };'), "says what it means"),
    "algorithm with a dot": ('key k { algorithm hmac-sha256.; secret "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };', "a domain name (RFC 8945 6)"),
    "list of another kind": (zone('type secondary; primaries { l; };') + ' parental-agents l { 192.0.2.1; };', "one namespace, as in 9.20"),
    "primaries with a source": (zone('type secondary; primaries source 127.0.0.1 { 192.0.2.1; };'), "as in 9.20"),
    "policy inline by itself": (zone('type secondary; primaries { 192.0.2.1; }; file "x"; dnssec-policy default;'), "as in 9.20"),
    "min-transfer-rate-in": (options('min-transfer-rate-in 1 1;'), "as in 9.20"),
    "checkds": (zone(PRIMARY + 'dnssec-policy default; inline-signing yes; checkds explicit;'), "as in 9.20"),
    "form feed": ('options {\f recursion no;\v };', "white space"),
    "plugin": ('plugin query "x.so" { a b { c }; d };', "ignored with a warning"),
    "rpz": (options('response-policy { zone "rpz" policy given; } break-dnssec yes;'), "ignored with a warning"),
    "catalog": (options('catalog-zones { zone "cat" default-primaries { 192.0.2.1; }; };'), "ignored with a warning"),
    "query-source port": (options('query-source address * port 53;'), "ignored with a warning"),
    "include unquoted": ('include inc.conf;', "says what it means"),
    "double semicolon": (options('recursion no;;'), "says nothing"),
    "stray semicolon": (';', "says nothing"),
    "quoted keyword": ('"options" { };', "says what it means"),
    "quoted value": (options('recursion "no";'), "says what it means"),
    "number quoted": (options('port "53";'), "says what it means"),
}
# fmt: on


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inc.conf").write_text("options { };\n")
    (tmp_path / "incopt.conf").write_text("recursion no;\n")
    for i in range(20):
        (tmp_path / f"deep{i}.conf").write_text(f'include "deep{i + 1}.conf";\n')
    (tmp_path / "deep20.conf").write_text("options { };\n")
    (tmp_path / "loop1.conf").write_text('include "loop2.conf";\n')
    (tmp_path / "loop2.conf").write_text('include "loop1.conf";\n')
    (tmp_path / "dangling.conf").symlink_to("nowhere")
    (tmp_path / "comment.conf").write_text("/* ")
    (tmp_path / "brace.conf").write_text("};")
    (tmp_path / "inczone.conf").write_text('type primary; file "x";\n')
    return tmp_path


def run(folder, *command):
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20)
    assert result.returncode in (0, 1), result.stderr
    return result


def verdicts(folder, text):
    (folder / "t.conf").write_text(text + "\n")
    named = run(folder, shutil.which("named-checkconf") or "/usr/bin/named-checkconf", "t.conf")
    signet = run(folder, BIN / "signet", "checkconf", "t.conf")
    if signet.returncode == 1:
        assert ".conf:" in signet.stdout, "an error names its place"
    return named.returncode, signet.returncode


@pytest.mark.parametrize("name", AGREED)
def test_both_say_the_same(folder, name):
    named, signet = verdicts(folder, AGREED[name])
    assert signet == named


@pytest.mark.parametrize("name", REFUSED)
def test_signet_is_stricter_where_it_says_so(folder, name):
    assert verdicts(folder, REFUSED[name][0]) == (0, 1)


@pytest.mark.parametrize("name", ACCEPTED)
def test_signet_is_more_patient_where_it_says_so(folder, name):
    assert verdicts(folder, ACCEPTED[name][0]) == (1, 0)


def test_what_is_printed_is_taken_by_both(folder):
    """What -p prints loads again and prints as the same; BIND takes it but for what it lacks."""
    text = "\n".join(
        [
            KEY,
            "acl inner { !10/8; any; };",
            options('directory "/tmp"; allow-query { !inner; 192.0.2.1; }; notify explicit;'),
            zone(PRIMARY + "allow-update { key k; }; also-notify { 192.0.2.7 key k; };"),
            'zone "b" { type secondary; file "b.db"; primaries { 192.0.2.1 port 54; ::1; }; };',
            "logging { channel c { stderr; }; category default { c; }; };",
        ]
    )
    (folder / "t.conf").write_text(text)
    printed = run(folder, BIN / "signet", "checkconf", "-p", "t.conf").stdout
    (folder / "p.conf").write_text(printed)
    again = run(folder, BIN / "signet", "checkconf", "-p", "p.conf")
    assert again.returncode == 0
    assert again.stdout == printed

    ours = ("store-directory", "history-memory", "max-journal-age", "allow-hmac-md5")
    for_bind = [line for line in printed.splitlines() if not line.strip().startswith(ours)]
    (folder / "b.conf").write_text("\n".join(for_bind) + "\n")
    assert run(folder, "named-checkconf", "b.conf").stdout == ""


def warnings(said):
    """What is said, as a set, without its place; one item for each option that is not in effect."""
    texts = re.findall(r"^\S+?:\d+:\d+: (.*)$", said, re.M)
    options = [text.split(": ")[-1].split(", ") for text in texts if "not in effect yet" in text]
    return {text for text in texts if "not in effect yet" not in text}, set(sum(options, []))


@pytest.mark.parametrize("name", [*AGREED, *ACCEPTED])
def test_what_is_printed_is_printed_alike_and_draws_no_warning_of_its_own(folder, name):
    (folder / "t.conf").write_text((AGREED[name] if name in AGREED else ACCEPTED[name][0]) + "\n")
    printed = run(folder, BIN / "signet", "checkconf", "-p", "t.conf")
    if printed.returncode != 0:
        return
    first = folder / "p.conf"
    first.write_text(printed.stdout)
    again = run(folder, BIN / "signet", "checkconf", "-p", "p.conf")
    assert again.returncode == 0, again.stderr
    assert again.stdout == printed.stdout
    of_text, pending_of_text = warnings(printed.stderr)
    of_print, pending_of_print = warnings(again.stderr)
    assert pending_of_print <= pending_of_text
    assert len(of_print) <= len(of_text), again.stderr


def test_secrets_are_hidden_by_x(folder):
    (folder / "t.conf").write_text(KEY)
    assert "MTIz" in run(folder, BIN / "signet", "checkconf", "-p", "t.conf").stdout
    hidden = run(folder, BIN / "signet", "checkconf", "-p", "-x", "t.conf")
    assert "MTIz" not in hidden.stdout
    assert "????" in hidden.stdout


def test_zones_are_listed_as_named_checkconf_does(folder):
    (folder / "t.conf").write_text(
        "view a { " + zone(PRIMARY) + ' }; view b { zone "x" { type secondary; primaries { ::1; }; }; };'
    )
    ours = run(folder, BIN / "signet", "checkconf", "-l", "t.conf").stdout
    theirs = run(folder, "named-checkconf", "-l", "t.conf").stdout
    assert ours == theirs


def test_zones_are_loaded_by_z(folder):
    (folder / "good.db").write_text("$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
    (folder / "bad.db").write_text("$TTL 60\n@ NS ns\n")
    for file, status in (("good.db", 0), ("bad.db", 1), ("none.db", 1)):
        (folder / "t.conf").write_text(zone(f'type primary; file "{file}";'))
        assert run(folder, BIN / "signet", "checkconf", "-z", "t.conf").returncode == status
        assert run(folder, "named-checkconf", "-z", "t.conf").returncode == status


def test_z_tells_the_serial_of_every_zone_that_loads(folder):
    (folder / "7.db").write_text("$TTL 60\n@ SOA a b 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
    (folder / "8.db").write_text((folder / "7.db").read_text().replace("b 7", "b 8"))
    (folder / "bad.db").write_text((folder / "7.db").read_text().replace("ns A", "www A"))
    zones = [("seven.test.", "7.db"), (".", "8.db"), ("bad.test", "bad.db")]
    (folder / "t.conf").write_text("".join(
        f'zone "{name}" {{ type primary; file "{file}"; }};\n' for name, file in zones)
        + 'zone "s.test" { type secondary; primaries { ::1; }; file "s.db"; };')
    theirs = run(folder, "named-checkconf", "-z", "t.conf").stdout.splitlines()
    ours = run(folder, BIN / "signet", "checkconf", "-z", "t.conf").stdout.splitlines()
    told = ["zone seven.test/IN: loaded serial 7", "zone ./IN: loaded serial 8",
            "zone bad.test/IN: not loaded due to errors."]
    assert [line for line in theirs if "loaded" in line] == told
    assert [line for line in ours if "loaded" in line] == told


def test_z_warns_of_updates_that_a_journal_of_named_alone_has(folder):
    def said(statements):
        (folder / "t.conf").write_text(zone(f'type primary; file "7.db"; {statements}'))
        result = run(folder, BIN / "signet", "checkconf", "-z", "t.conf")
        assert result.returncode == 0 and "loaded serial 7" in result.stdout
        return [line for line in result.stdout.splitlines() if "warning" in line]

    (folder / "7.db").write_text("$TTL 60\n@ SOA a b 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
    numbers = (7, 64, 9, 200)  # the serials 7 to 9, and where they stand
    header = b";BIND LOG V9.2\n\0" + b"".join(n.to_bytes(4, "big") for n in numbers)
    (folder / "7.db.jnl").write_bytes(header.ljust(64, b"\0"))
    signed = "dnssec-policy default; inline-signing yes;"
    assert said("") == []
    (warning,) = said(signed)
    assert "7.db.jnl holds updates that named has taken, up to serial 9" in warning
    (folder / "7.db.jnl").unlink()
    assert said(signed) == []


def test_a_configuration_that_is_not_there(folder):
    result = run(folder, BIN / "signet", "checkconf", "nosuch.conf")
    assert result.returncode == 1
    assert result.stdout == "nosuch.conf: file not found\n"


def test_it_looks_where_its_manual_page_says(folder):
    """Each build has its own folder; the pages of a build name that one."""
    page = (BIN.parent / "man/signet-checkconf.8").read_text()
    path = re.search(r"^\.Pa (/\S+/signet\.conf)$", page, re.MULTILINE)[1]
    if not os.path.exists(path):
        assert f"{path}: file not found" in run(folder, BIN / "signet", "checkconf").stdout
    strings = subprocess.run(["strings", BIN / "signetd"], capture_output=True, text=True).stdout
    assert path in strings.splitlines()


def test_what_does_nothing_yet_is_said_once(folder):
    """No option that is read is without effect in silence."""
    (folder / "t.conf").write_text(
        options("answer-cookie yes; allow-new-zones yes; rate-limit { responses-per-second 5; };")
        + zone(PRIMARY + "notify explicit; max-journal-size 1m;")
    )
    assert run(folder, BIN / "signet", "checkconf", "t.conf").stdout == (
        "t.conf:1:11: warning: read and checked, but not in effect yet in this version: "
        "answer-cookie, rate-limit\n"
    )


def test_the_stock_configuration_of_debian_with_a_zone(folder):
    """Taken over unchanged, by include: the hint zone draws a warning, and nothing an error."""
    (folder / "t.conf").write_text(
        'include "/etc/bind/named.conf";\n' + zone('type primary; file "/etc/bind/db.empty";')
    )
    result = run(folder, BIN / "signet", "checkconf", "-z", "t.conf")
    assert result.returncode == 0, result.stdout
    lines = result.stdout.splitlines()
    assert ["warning" in line for line in lines] == [True] * 2 + [False] * (len(lines) - 2)
    assert lines[-1] == "zone example.org/IN: loaded serial 1"
    assert "warning: zone '.' of type 'hint' is ignored" in result.stdout


def test_the_stock_configuration_of_debian(folder):
    result = run(folder, BIN / "signet", "checkconf", "/etc/bind/named.conf")
    assert result.returncode == 0
    assert "warning: zone '.' of type 'hint' is ignored" in result.stdout
