"""Another configuration for a server that runs: taken, or refused and the old one goes on."""

import re
import signal

import pytest

from support.ports import free_port
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
www A 192.0.2.80
"""


def test_sighup_reads_the_configuration_and_edited_files_again(make_signet, run_server):
    server = make_signet()
    edited = ZONE + "edited A 192.0.2.81\n"
    paths = {"example.org": server.add_zone("example.org", ZONE),
             "signed.test": server.add_zone("signed.test", ZONE, policy="default")}
    run_server(server)
    before = server.wait_until_signed("signed.test")
    for path in paths.values():
        path.write_text(edited)
    server.add_zone("new.test", ZONE)
    server.configure()
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_log("received SIGHUP signal to reload zones\n")
    wait_until(lambda: server.answers_with("www.new.test", "A"), what="the new zone")
    for zone in paths:
        wait_until(lambda zone=zone: server.answers_with(f"edited.{zone}", "A"), what="the edit")
    assert server.wait_until_signed("signed.test") == before + 1


def test_a_bad_configuration_at_reload_leaves_the_old_one(make_signet, run_server):
    server = make_signet()
    server.add_zone("example.org", ZONE)
    run_server(server)
    server.options = "listen-onn { any; };"
    server.add_zone("new.test", ZONE)
    server.configure()
    result = server.rndc("reload")
    assert result.returncode == 1
    assert "rndc: 'reload' failed: failure\n" in result.stderr
    assert re.search(r"signet\.conf:\d+:\d+: .*listen-onn", result.stderr)
    assert "reloading configuration failed: failure" in server.log()
    assert server.answers_with("www.example.org", "A")
    assert server.answers_with("www.new.test", "A") is None
    assert "reload/reconfig failed" in server.rndc("status").stdout

    server.options = ""
    server.configure()
    assert server.rndc("reload").returncode == 0
    wait_until(lambda: server.answers_with("www.new.test", "A"), what="the new zone")
    assert "reload/reconfig failed" not in server.rndc("status").stdout


# What a hand or a script can make of the file: the text of the good one -> that of the bad one.
BROKEN = {
    "cut off": lambda text: text[:len(text) // 2],
    "a brace too many": lambda text: text + "};\n",
    "a comment that is open": lambda text: "/* " + text,
    "a string that is open": lambda text: text.replace('secret "', 'secret ', 1),
    "zeros": lambda text: text + "\0" * 4096,
    "not a configuration": lambda text: "\x7fELF\2\1\1" + "\0" * 100,
    "a missing include": lambda text: text + 'include "nosuch.conf";\n',
    "an include of itself": lambda text: text + 'include "signet.conf";\n',
    "a working directory that is not there": lambda text: text.replace(
        'directory "', 'directory "/nosuch', 1),
    "an undefined ACL": lambda text: text + 'zone "a" { type primary; file "a"; allow-query { nosuch; }; };\n',
    "an undefined policy": lambda text: text + 'zone "a" { type primary; file "a"; dnssec-policy nosuch; };\n',
    "a policy that cannot work": lambda text: text + "dnssec-policy p { keys { ksk lifetime 1d algorithm 13; }; };\n",
    "a zone twice": lambda text: text + 'zone "example.org" { type primary; file "a"; };\n',
    "a zone beside views": lambda text: text + "view v { };\n",
    "a port that is none": lambda text: text.replace("listen-on port ", "listen-on port 7", 1),
    "gone": None,
    "a folder": "folder",
}


@pytest.mark.parametrize("how", ["SIGHUP", "reload", "reconfig"])
def test_no_configuration_stops_a_running_server(make_signet, run_server, how):
    """Every one of them is refused, said in the log, and the last good one goes on."""
    server = make_signet()
    server.add_zone("example.org", ZONE)
    run_server(server)
    good = server.configuration.read_text()
    for count, (name, spoil) in enumerate(BROKEN.items(), 1):
        server.configuration.unlink(missing_ok=True)
        if spoil == "folder":
            server.configuration.mkdir()
        elif spoil is not None:
            server.configuration.write_text(spoil(good))
        if how == "SIGHUP":
            server.process.send_signal(signal.SIGHUP)
        else:
            assert server.rndc(how).returncode == 1, name
        failed = "reloading configuration failed: "
        wait_until(lambda n=count: server.log().count(failed) == n, what=f"the refusal of: {name}")
        assert server.answers_with("www.example.org", "A"), name
        if spoil == "folder":
            server.configuration.rmdir()
            server.configuration.touch()
    server.add_zone("new.test", ZONE)
    server.configure()
    assert server.rndc("reload").returncode == 0
    wait_until(lambda: server.answers_with("www.new.test", "A"), what="the new zone")


def test_a_reload_moves_to_another_port(make_signet, run_server):
    server = make_signet()
    server.add_zone("example.org", ZONE)
    run_server(server)
    old = server.port
    server.port = free_port()
    server.configure()
    assert server.rndc("reload").returncode == 0
    assert server.answers_with("www.example.org", "A")
    server.port = old
    assert server.answers_with("www.example.org", "A") is None
