"""addzone, modzone, delzone, showzone: the real rndc, and zones that outlive restarts."""

import subprocess

import pytest

from support.signet import tool
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster {serial} 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
www A 192.0.2.80
"""
ALLOW = "allow-new-zones yes;"
OWN = 'dnssec-policy "own" { keys { csk lifetime unlimited algorithm 13; }; };'


@pytest.fixture
def server(make_signet, run_server):
    server = make_signet(options=ALLOW)
    server.add_zone("file.test", ZONE.format(serial=1))
    run_server(server)
    for name in ["new", "other"]:
        (server.folder / f"{name}.db").write_text(ZONE.format(serial=1))
    return server


def answers(server, zone):
    return server.answers_with(f"www.{zone}", "A") is not None


def add(server, zone, statements='file "new.db";', *where):
    return server.rndc("addzone", zone, *where, f"{{ type primary; {statements} }};")


def refused(result, command, error, text=""):
    assert result.returncode == 1 and result.stdout == "", result.stdout
    assert f"rndc: '{command}' failed: {error}\n" in result.stderr, result.stderr
    assert text in result.stderr, result.stderr


def test_an_added_zone_is_served_at_once_and_kept(server):
    result = add(server, "new.test")
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert answers(server, "new.test")
    assert server.rndc("showzone", "new.test").stdout == \
        'zone "new.test" { type primary; file "new.db"; };\n'
    assert "reconfigurable via modzone: yes" in server.rndc("zonestatus", "new.test").stdout
    assert "reconfigurable via modzone: no" in server.rndc("zonestatus", "file.test").stdout
    refused(add(server, "new.test"), "addzone", "already exists",
            "zone 'new.test' was added before; modzone changes it, delzone removes it")
    refused(add(server, "file.test"), "addzone", "already exists",
            f"zone 'file.test' stands in {server.configuration}:")
    refused(server.rndc("modzone", "nope.test", "{ type primary; };"), "modzone", "not found",
            "no zone 'nope.test' in view '_default'; addzone makes a new one")
    refused(server.rndc("delzone"), "delzone", "unexpected end of input",
            "expected: delzone zone [class [view]]\n")
    refused(add(server, "NEW.test."), "addzone", "already exists")
    for command in ["reload", "reconfig"]:
        assert server.rndc(command).returncode == 0
        assert answers(server, "new.test")
    server.kill()   # No leave is taken: what was acknowledged is durable.
    server.start()
    wait_until(lambda: answers(server, "new.test"), what="new.test after the crash")
    assert server.rndc("showzone", "new.test").stdout.startswith('zone "new.test" {')


def test_showzone_shows_all_of_a_statement_of_the_file(make_signet, run_server):
    """What the zone has from its surroundings too: added elsewhere, it is the same zone."""
    server = make_signet(options="allow-transfer { 192.0.2.7; !10.0.0.0/8; };",
                         extra='key "k" { algorithm hmac-sha256; secret "c2lnbmV0"; };')
    file = str(server.folder / 'a "b"')
    quoted = file.replace('"', '\\"')
    server.zones += [
        'zone "far.test" { type secondary; file "far.db"; '
        'primaries { 127.0.0.1 port 1 key k; ::1; }; allow-transfer { key k; none; }; '
        'allow-update-forwarding { any; }; };',
        f'zone "near.test" {{ type primary; file "{quoted}"; '
        'update-policy { grant k subdomain near.test. A(3) TXT; }; };']
    (server.folder / 'a "b"').write_text(ZONE.format(serial=1))
    run_server(server)
    assert server.rndc("showzone", "far.test").stdout == (
        'zone "far.test" { type secondary; file "far.db"; allow-update-forwarding { any; }; '
        'allow-transfer { key "k."; none; }; '
        'primaries { 127.0.0.1 port 1 key "k."; ::1 port 53; }; };\n')
    assert server.rndc("showzone", "near.test").stdout == (
        f'zone "near.test" {{ type primary; file "{quoted}"; '
        'allow-transfer { 192.0.2.7; !10.0.0.0/8; }; '
        'update-policy { grant "k" subdomain "near.test." A(3) TXT; }; };\n')


def test_a_signed_zone_keeps_its_signatures_over_a_restart(server):
    assert add(server, "new.test", 'file "new.db"; dnssec-policy default;').returncode == 0
    serial = server.wait_until_signed("new.test")

    def signatures():
        response = server.query("www.new.test", "A")
        return sorted(record.to_text() for rrset in response.answer for record in rrset)
    before = signatures()
    server.kill()
    server.start()
    assert server.wait_until_signed("new.test") == serial
    assert signatures() == before


@pytest.mark.parametrize("statements, error, text", [
    ('fil "new.db";', "failure", "unknown option 'fil'"),
    ('file "nope.db";', "file not found", "'nope.db' was looked for in '"),
    ('file "new.db"; dnssec-policy "nope";', "failure", "nope"),
    ('file "broken.db";', "failure", "dns_zone_loadnew failed: "),
    ('file "new.db"; }; options { directory "/"; ', "failure", "one block of zone options"),
    ('file "new.db"', "failure", "missing ';'"),
    ('type hint; file "new.db";', "failure", "'hint' zones not supported by addzone"),
])
def test_a_bad_statement_is_explained_and_changes_nothing(server, statements, error, text):
    (server.folder / "broken.db").write_text(ZONE.format(serial=1) + "x AA 1\n")
    refused(add(server, "new.test", statements), "addzone", error, text)
    refused(server.rndc("showzone", "new.test"), "showzone", "not found")
    assert answers(server, "file.test")
    assert add(server, "new.test").returncode == 0
    assert answers(server, "new.test")


def test_what_is_wrong_is_placed_as_checkconf_does(server):
    result = add(server, "new.test", 'fil "new.db";')
    assert "added zone 'new.test':1:33: " in result.stderr, result.stderr
    server.wait_for_log("zone 'new.test' was not changed")
    assert server.log().count("added zone 'new.test':1:33: ") == 1, "logged once"


@pytest.mark.parametrize("statement", [
    'zone "new.test" { type hint; file "root.hint"; };',
    'zone "new.test" { type forward; forwarders { 192.0.2.1; }; };',
    'zone "new.test" { type primary; file "other.db"; };',
])
def test_a_name_that_the_file_has_by_now_is_not_added(server, statement):
    """What was written into signet.conf since its last reading is read with the new zone."""
    (server.folder / "root.hint").write_text(". 300 NS ns.\nns. 300 A 192.0.2.1\n")
    server.zones.append(statement)
    server.configure()
    refused(add(server, "new.test"), "addzone", "already exists",
            "signet.conf has a statement of that zone")
    assert answers(server, "file.test")
    assert server.rndc("reconfig").returncode == 0
    if "primary" not in statement:
        refused(add(server, "new.test"), "addzone", "already exists")
        assert not answers(server, "new.test")
    told = server.log().count("was also added by addzone")
    server.kill()
    server.start()
    wait_until(lambda: answers(server, "file.test"), what="file.test after the crash")
    assert server.log().count("was also added by addzone") == told, "nothing was stored"


def test_a_name_that_another_view_shares_is_not_added(make_signet, run_server):
    server = make_signet(view="""
view "own" { match-clients { none; }; zone "new.test" { type primary; file "new.db"; }; };
view "open" { allow-new-zones yes; zone "new.test" { in-view "own"; }; };
""")
    (server.folder / "new.db").write_text(ZONE.format(serial=1))
    run_server(server)
    refused(add(server, "new.test", 'file "new.db";', "IN", "open"), "addzone", "already exists")
    assert answers(server, "new.test")


def test_a_secondary_is_added_though_its_primary_is_away(server):
    result = server.rndc("addzone", "far.test",
                         '{ type secondary; file "far.db"; primaries { 127.0.0.1 port 1; }; };')
    assert result.returncode == 0, result.stderr
    assert "type: secondary" in server.rndc("zonestatus", "far.test").stdout
    assert server.rndc("delzone", "far.test").stdout == "zone 'far.test' will be deleted.\n"


def test_views_classes_and_leave(make_signet, run_server):
    server = make_signet(view="""
view "open" { allow-new-zones yes; match-clients { any; };
    zone "file.test" { type primary; file "new.db"; }; };
view "shut" { match-clients { none; }; };
""")
    (server.folder / "new.db").write_text(ZONE.format(serial=1))
    run_server(server)
    refused(add(server, "new.test"), "addzone", "not found", "no matching view found for '_default'")
    refused(add(server, "new.test", 'file "new.db";', "IN", "shut"), "addzone",
            "permission denied", "Not allowing new zones in view 'shut'")
    assert add(server, "new.test", 'file "new.db";', "IN", "open").returncode == 0
    assert answers(server, "new.test")
    server.kill()
    server.start()
    wait_until(lambda: answers(server, "new.test"), what="new.test in its view")
    assert server.rndc("delzone", "new.test").stdout == "zone 'new.test' will be deleted.\n"
    assert not answers(server, "new.test")


def test_modzone_lasts_for_added_zones_alone(server):
    assert add(server, "new.test").returncode == 0
    other = '{ type primary; file "other.db"; allow-transfer { none; }; };'
    (server.folder / "other.db").write_text(ZONE.format(serial=2).replace("www", "other"))
    assert server.rndc("modzone", "new.test", other).stdout == "zone 'new.test' reconfigured.\n"
    wait_until(lambda: server.answers_with("other.new.test", "A"), what="the other file")
    assert server.rndc("modzone", "file.test", other).stdout == \
        ("zone 'file.test' must also be reconfigured in\n"
         "named.conf to make changes permanent.\n")
    wait_until(lambda: server.answers_with("other.file.test", "A"), what="the other file")
    refused(server.rndc("modzone", "nope.test", other), "modzone", "not found")
    refused(server.rndc("modzone", "new.test", "{ type primary; fil; };"), "modzone", "failure")
    server.terminate()
    server.start()
    wait_until(lambda: server.answers_with("other.new.test", "A"), what="what was modified")
    wait_until(lambda: answers(server, "file.test"), what="what the file says")


def test_modzone_tells_of_options_that_cannot_be_followed(server):
    """Once it said that all was well, and the next start did not serve the zone any more."""
    assert add(server, "new.test").returncode == 0
    lost = '{ type primary; file "lost.db"; };'
    refused(server.rndc("modzone", "new.test", lost), "modzone", "failure", "lost.db")
    assert answers(server, "new.test"), "as it was"
    (server.folder / "lost.db").write_text(ZONE.format(serial=3).replace("www", "found"))
    assert server.rndc("modzone", "new.test", lost).stdout == "zone 'new.test' reconfigured.\n"
    wait_until(lambda: server.answers_with("found.new.test", "A"), what="the file that is there now")


def test_a_deleted_zone_is_gone_for_good(server):
    for zone in ["one.test", "two.test"]:
        assert add(server, zone).returncode == 0
    assert server.rndc("delzone", "one.test").stdout == "zone 'one.test' will be deleted.\n"
    assert (server.folder / "new.db").exists()
    assert server.rndc("delzone", "-clean", "two.test").stdout == \
        "zone 'two.test' and associated files will be deleted.\n"
    wait_until(lambda: not (server.folder / "new.db").exists(), what="the file removed")
    assert not answers(server, "one.test") and not answers(server, "two.test")
    server.kill()
    server.start()
    assert answers(server, "file.test") or wait_until(lambda: answers(server, "file.test"))
    assert not answers(server, "one.test")
    refused(server.rndc("delzone", "one.test"), "delzone", "not found",
            "no matching zone 'one.test' in any view")


def test_a_configured_zone_returns_with_its_file(server):
    assert server.rndc("delzone", "file.test").stdout == (
        "zone 'file.test' is no longer active and will be deleted.\n"
        "To keep it from returning when the server is restarted, it\n"
        "must also be removed from named.conf.\n")
    assert not answers(server, "file.test")
    assert add(server, "new.test").returncode == 0   # reads signet.conf, and brings nothing back
    assert not answers(server, "file.test")
    assert server.rndc("reconfig").returncode == 0
    wait_until(lambda: answers(server, "file.test"), what="file.test again")


def test_a_zone_of_the_file_is_not_added_when_delzone_took_it_away(server):
    """Else its own file would be read under other options at the next restart."""
    assert server.rndc("delzone", "file.test").returncode == 0
    refused(add(server, "file.test"), "addzone", "already exists",
            f"signet.conf has a statement of that zone, in {server.configuration}:")
    assert not answers(server, "file.test")
    assert server.rndc("reconfig").returncode == 0
    wait_until(lambda: answers(server, "file.test"), what="file.test of the file again")
    # Taken out of the file as well, it can be added.
    assert server.rndc("delzone", "file.test").returncode == 0
    server.zones = []
    server.configure()
    assert add(server, "file.test").returncode == 0
    assert answers(server, "file.test")


def test_a_zone_of_both_is_the_file_s(server):
    (server.folder / "other.db").write_text(ZONE.format(serial=2).replace("www", "other"))
    assert add(server, "new.test", 'file "other.db";').returncode == 0
    assert server.answers_with("other.new.test", "A")
    server.add_zone("new.test", ZONE.format(serial=3))
    server.configure()
    assert server.rndc("reload").returncode == 0
    wait_until(lambda: answers(server, "new.test"), what="the file's statement")
    assert "zone 'new.test' was also added by addzone" in server.log()


def test_an_added_zone_that_does_not_fit_any_more_stops_no_start(server):
    server.extra = OWN
    server.configure()
    assert server.rndc("reconfig").returncode == 0
    assert add(server, "bad.test", 'file "new.db"; dnssec-policy "own";').returncode == 0
    assert add(server, "good.test", 'file "other.db";').returncode == 0
    server.extra = ""
    server.configure()
    refused(server.rndc("reconfig"), "reconfig", "failure", "added zone 'bad.test'")
    assert answers(server, "bad.test")
    server.terminate()
    server.start()
    wait_until(lambda: answers(server, "good.test"), what="good.test")
    assert not answers(server, "bad.test")
    assert "zone 'bad.test', which addzone has added, is not served: " in server.log()
    assert server.rndc("reconfig").returncode == 0
    assert not answers(server, "bad.test")
    server.extra = OWN
    server.configure()
    assert server.rndc("reconfig").returncode == 0, "signet.conf was mended"
    wait_until(lambda: answers(server, "bad.test"), what="bad.test again")
    server.extra = ""
    server.configure()
    refused(server.rndc("reconfig"), "reconfig", "failure", "added zone 'bad.test'")
    assert server.rndc("delzone", "bad.test").stdout == "zone 'bad.test' will be deleted.\n"


def test_one_that_does_not_fit_is_told_from_its_twin_in_another_view(make_signet, run_server):
    view = 'view "{0}" {{ allow-new-zones yes; match-clients {{ {1}; }}; }};'
    server = make_signet(view=view.format("one", "none") + view.format("two", "any"), extra=OWN)
    for name in ["new", "other"]:
        (server.folder / f"{name}.db").write_text(ZONE.format(serial=1))
    run_server(server)
    signed = 'file "new.db"; dnssec-policy "own";'
    assert add(server, "new.test", signed, "IN", "one").returncode == 0
    assert add(server, "new.test", 'file "other.db";', "IN", "two").returncode == 0
    server.terminate()
    server.extra = ""
    server.start()
    wait_until(lambda: answers(server, "new.test"), what="new.test in the other view")


def test_without_leave_nothing_is_added_but_what_was_stays(server):
    assert add(server, "new.test").returncode == 0
    server.options = ""
    server.configure()
    assert server.rndc("reconfig").returncode == 0
    refused(add(server, "two.test"), "addzone", "permission denied",
            "Not allowing new zones in view '_default'\n"
            "signet.conf must say `allow-new-zones yes;`")
    assert answers(server, "new.test")


def test_who_waits_when_the_server_ends_is_told(server):
    import subprocess
    server.extra = "".join(f"acl a{i} {{ 10.{i % 256}.0.0/16; }};\n" for i in range(100000))
    server.configure()   # so that each reading takes a while
    words = ["rndc", "-c", str(server.folder / "rndc.conf")]
    before = server.log().count("control channel command")
    running = [subprocess.Popen([*words, *command], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
               for command in [["addzone", f"z{i}.test", '{ type primary; file "new.db"; };']
                               for i in range(8)] + [["reconfig"]]]
    wait_until(lambda: server.log().count("control channel command") == before + len(running),
               what="all of them")
    server.terminate()
    outputs = [process.communicate(timeout=30)[0] for process in running]
    assert all(output == "" or "failed: shutting down" in output for output in outputs), outputs
    assert sum("failed: shutting down" in output for output in outputs) > 3, outputs


def test_many_at_once_are_done_one_after_the_other(server):
    import subprocess
    words = ["rndc", "-c", str(server.folder / "rndc.conf")]
    running = [subprocess.Popen([*words, "addzone", f"z{i}.test",
                                 '{ type primary; file "new.db"; };'],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for i in range(20)]
    running += [subprocess.Popen([*words, "reconfig"], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT) for _ in range(3)]
    for process in running:
        output = process.communicate(timeout=30)[0]
        assert process.returncode == 0, output
    server.kill()
    server.start()
    for i in range(20):
        wait_until(lambda: answers(server, f"z{i}.test"), what=f"z{i}.test")


def test_of_commands_that_add_one_zone_at_once_one_is_done(server):
    """Asked while another is under way, each found the name free."""
    for number in range(6):
        (server.folder / f"file{number}.db").write_text(
            ZONE.format(serial=1).replace("www", f"from{number}"))
    for name in ["a.test", "b.test", "c.test"]:
        running = [subprocess.Popen(
            ["rndc", "-c", str(server.folder / "rndc.conf"), "addzone", name,
             f'{{ type primary; file "file{number}.db"; }};'],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for number in range(6)]
        ends = [process.communicate(timeout=60) for process in running]
        done = [number for number in range(6) if running[number].returncode == 0]
        assert len(done) == 1, ends
        assert sum("already exists" in stderr for _, stderr in ends) == 5, ends
        assert server.answers_with(f"from{done[0]}.{name}", "A")
        assert f'file "file{done[0]}.db"' in server.rndc("showzone", name).stdout


def test_what_delzone_has_cleaned_does_not_come_back_after_a_crash(server):
    """Neither the file nor what the store had."""
    statements = 'file "new.db"; dnssec-policy default;'
    for attempt in range(3):
        (server.folder / "new.db").write_text(ZONE.format(serial=1))
        assert add(server, "new.test", statements).returncode == 0
        assert server.wait_until_signed("new.test") == 1
        assert server.rndc("signing", "-serial", "100", "new.test").returncode == 0
        wait_until(lambda: server.answers_with("new.test", "SOA")[0].serial == 100,
                   what="the serial")
        result = server.rndc("delzone", "-clean", "new.test")
        assert result.returncode == 0, result.stderr
        server.kill()
        assert not (server.folder / "new.db").exists()
        server.start()
        wait_until(lambda: answers(server, "file.test"), what="the start")
        journal = tool("journal", "-c", server.configuration, "new.test")
        assert "the store has no zone" in journal.stderr, journal.stdout
