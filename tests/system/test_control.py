"""Commands over the control channel: the real rndc, and `signet` as its twin."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from support.ports import free_port
from support.server import HOST
from support.signet import BIN, tool
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster {serial} 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
www A {address}
"""
PROGRAMS = pytest.mark.parametrize("program", ["rndc", "signet"])
ALGORITHMS = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]


def zone_text(serial=1, address="192.0.2.80"):
    return ZONE.format(serial=serial, address=address)


@pytest.fixture
def served(signet, run_server):
    """A server with one unsigned zone, running."""
    signet.zone_file = signet.add_zone("example.org", zone_text())
    run_server(signet)
    signet.wait_for_log("running\n")
    return signet


@PROGRAMS
def test_status_has_named_s_lines(served, program):
    result = served.rndc("status", program=program)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    starts = ["version: Signet ", "running on ", "boot time: ", "last configured: ",
              "configuration file: ", "CPUs found: ", "worker threads: ",
              "UDP listeners per interface: ", "number of zones: 1 (0 automatic)",
              "debug level: 0", "xfers running: ", "xfers deferred: ", "xfers first refresh: ",
              "soa queries in progress: ", "query logging is OFF", "response logging is OFF",
              "memory profiling is INACTIVE", "recursive clients: ", "recursive high-water: ",
              "tcp clients: ", "TCP high-water: ", "server is up and running"]
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts):
        assert line.startswith(start)


@PROGRAMS
def test_zonestatus_tells_serial_and_file(served, program):
    result = served.rndc("zonestatus", "example.org", program=program)
    assert result.returncode == 0, result.stderr
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert lines["name"] == "example.org"
    assert lines["type"] == "primary"
    assert lines["files"] == str(served.zone_file)
    assert lines["serial"] == "1"
    assert lines["secure"] == "no"
    assert lines["dynamic"] == "no"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", lines["last loaded"])


def test_zonestatus_of_a_signed_zone_has_both_serials(signet, run_server):
    signet.add_zone("example.org", zone_text(serial=7), policy="default")
    run_server(signet)
    signet.wait_until_signed("example.org")
    text = signet.rndc("zonestatus", "example.org").stdout
    names = [line.split(":")[0] for line in text.splitlines()]
    assert names == ["name", "type", "files", "serial", "signed serial", "nodes", "last loaded",
                     "secure", "inline signing", "key maintenance", "next key event",
                     "next resign node", "next resign time", "dynamic", "reconfigurable via modzone"]
    assert "\nserial: 7\n" in text and "\nkey maintenance: automatic\n" in text
    # BIND's form: the name without its last dot, and the type that is signed.
    assert re.search(r"^next resign node: (\w+\.)?example\.org/[A-Z0-9]+$", text, re.M), text


def test_zonestatus_tells_what_is_signed_next_after_a_restart_and_after_sign(signet, run_server):
    signet.add_zone("example.org", zone_text(serial=7), policy="default")
    run_server(signet)
    signet.wait_until_signed("example.org")

    def due():
        text = signet.rndc("zonestatus", "example.org").stdout
        return (re.search(r"^next resign node: (\w+\.)?example\.org/[A-Z0-9]+$", text, re.M) and
                re.search(r"^next resign time: .+ GMT$", text, re.M))

    assert due()
    signet.stop()
    signet.start()
    assert due(), signet.rndc("zonestatus", "example.org").stdout
    serial = signet.serial("example.org")
    assert signet.rndc("sign", "example.org").returncode == 0
    wait_until(lambda: signet.serial("example.org") != serial, 20, "signed anew")
    wait_until(due, 5, "the next resign node")


@PROGRAMS
@pytest.mark.parametrize("words, error, text", [
    (["zonestatus", "nope.test"], "not found", "no matching zone 'nope.test' in any view"),
    (["zonestatus", "example.org", "CH"], "not found", "no matching zone 'example.org'"),
    (["zonestatus", "example.org", "IN", "v"], "not found", "no matching view 'v'"),
    (["zonestatus", "example.org", "XX"], "unknown class/type", ""),
    (["zonestatus"], "unexpected end of input", "expected: zonestatus zone [class [view]]"),
    (["frobnicate"], "unknown command", ""),
    (["trace", "many"], "out of range", ""),
    (["querylog", "perhaps"], "syntax error", ""),
    (["freeze", "example.org"], "not dynamic", "edit its file, then reload it"),
    (["dumpdb"], "not implemented", "does not know how to do 'dumpdb' yet"),
    (["flush"], "not implemented", "is for resolvers"),
])
def test_what_cannot_be_done_is_said_and_exits_with_1(served, program, words, error, text):
    result = served.rndc(*words, program=program)
    assert result.returncode == 1
    assert result.stdout == ""
    assert f"{program}: '{words[0]}' failed: {error}\n" in result.stderr
    assert text in result.stderr


@PROGRAMS
def test_a_changed_zone_is_served_after_its_reload(served, program):
    assert served.rndc("reload", "example.org", program=program).stdout == \
        "zone reload up-to-date\n"
    served.zone_file.write_text(zone_text(2, "192.0.2.81"))
    result = served.rndc("reload", "example.org", program=program)
    assert result.stdout == "zone reload successful\n", result.stderr
    # No waiting: the answer comes when the new version is out.
    assert served.answers_with("www.example.org", "A")[0].address == "192.0.2.81"


def test_a_broken_zone_file_is_told_and_the_old_zone_stays(served):
    served.zone_file.write_text(zone_text(3).replace("www A", "www AA"))
    result = served.rndc("reload", "example.org")
    assert result.returncode == 1
    assert "rndc: 'reload' failed: failure\n" in result.stderr
    assert served.answers_with("www.example.org", "A")[0].address == "192.0.2.80"
    assert "problem: " in served.rndc("zonestatus", "example.org").stdout


@PROGRAMS
def test_reload_and_reconfig_take_new_zones(served, program):
    served.add_zone("one.test", zone_text())
    served.configure()
    result = served.rndc("reload", program=program)
    assert (result.returncode, result.stdout) == (0, "server reload successful\n")
    wait_until(lambda: served.answers_with("www.one.test", "A"), what="one.test")

    served.add_zone("two.test", zone_text())
    served.configure()
    result = served.rndc("reconfig", program=program)
    assert (result.returncode, result.stdout) == (0, "")
    wait_until(lambda: served.answers_with("www.two.test", "A"), what="two.test")
    served.wait_for_log("any newly configured zones are now loaded\n")

    del served.zones[1:]
    served.configure()
    assert served.rndc("reload", program=program).returncode == 0
    wait_until(lambda: served.answers_with("www.one.test", "A") is None, what="one.test gone")


@pytest.mark.parametrize("command", ["stop", "halt"])
def test_stop_answers_and_then_the_server_ends(served, command):
    pid = served.process.pid
    result = served.rndc(command, "-p")
    assert (result.returncode, result.stdout) == (0, f"pid: {pid}\n")
    assert served.process.wait(20) == 0
    assert not (served.folder / "signetd.pid").exists()
    log = served.log()
    assert log.index("shutting down") < log.index("exiting")


def test_switches_are_seen_in_status_and_log(served):
    assert served.rndc("querylog", "on").returncode == 0
    assert served.rndc("trace", "3").returncode == 0
    status = served.rndc("status").stdout
    assert "query logging is ON" in status and "debug level: 3" in status
    served.query("www.example.org", "A")
    wait_until(lambda: "query: www.example.org IN A" in served.log(), what="the query in the log")
    assert served.rndc("querylog").returncode == 0
    assert served.rndc("notrace").returncode == 0
    status = served.rndc("status").stdout
    assert "query logging is OFF" in status and "debug level: 0" in status


def test_statistics_are_written_to_their_file(make_signet, run_server):
    server = make_signet(options='statistics-file "counts";')
    server.add_zone("example.org", zone_text())
    run_server(server)
    server.query("www.example.org", "A")
    assert server.rndc("stats").returncode == 0
    text = (server.folder / "counts").read_text()
    assert text.startswith("+++ Statistics Dump +++ (") and "--- Statistics Dump --- (" in text


def test_result_codes_are_bind_s(served):
    result = served.rndc("-r", "zonestatus", "nope.test")
    assert "ISC_R_NOTFOUND 23\n" in result.stdout
    result = served.rndc("-r", "zonestatus", "nope.test", program="signet")
    assert "ISC_R_NOTFOUND 23\n" in result.stdout
    assert "ISC_R_SUCCESS 0\n" in served.rndc("-r", "null", program="signet").stdout
    assert served.rndc("-q", "status", program="signet").stdout == ""


@PROGRAMS
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_hmac_is_understood(make_signet, run_server, program, algorithm):
    port = free_port()
    key = f'key "k" {{ algorithm hmac-{algorithm}; secret "c2VjcmV0IG9mIHRoaXMgdGVzdA=="; }};'
    server = make_signet(options="allow-hmac-md5 yes;" if algorithm == "md5" else "",
                         extra=f'{key}\ncontrols {{ inet {HOST} port {port} '
                               f'allow {{ {HOST}; }} keys {{ "k"; }}; }};')
    run_server(server)
    (server.folder / "rndc.conf").write_text(
        f'{key}\noptions {{ default-server {HOST}; default-port {port}; default-key "k"; }};')
    result = server.rndc("status", program=program)
    assert result.returncode == 0, result.stderr


@PROGRAMS
def test_a_stranger_s_key_gets_no_word(served, program):
    conf = served.folder / "rndc.conf"
    conf.write_text(conf.read_text().replace("c2lnbmV0", "ZGlmZmVy"))
    result = served.rndc("stop", program=program)
    assert result.returncode == 1
    assert "connection to remote host closed" in result.stderr
    served.wait_for_log("invalid command from 127.0.0.1#")
    assert ": bad auth\n" in served.log()
    assert served.is_running()


@pytest.mark.parametrize("word, meant", [("relaod", "reload"), ("chekzone", "checkzone"),
                                         ("zonestats", "zonestatus")])
def test_a_mistyped_word_is_not_sent_to_the_server(served, word, meant):
    for words in ([word, "example.org"], ["-s", HOST, word]):
        result = served.rndc(*words, program="signet")
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == f"signet: '{word}' is no subcommand and no command; " \
                                f"did you mean '{meant}'?\n"
    assert f"'{word}" not in served.log()


def test_help_and_manual_have_every_command_that_there_is():
    """What the server's table runs, beyond the rows that refuse."""
    source = pathlib.Path(__file__).parents[2]
    table = (source / "src/server/control.c").read_text().split("} commands[] = {")[1].split("};")[0]
    rows = re.findall(r'{"([a-z-]+)", (\w+),', table)
    known = {word for word, run in rows if run not in ("run_later", "run_resolver_only")}
    assert len(known) > 25
    commands = tool("help").stdout.split("is sent to the server:")[1]
    manual = (source / "man/signet.8").read_text()
    for word in known:
        assert re.search(rf"(^  |, |also |, ){word}\b", commands, re.MULTILINE), word
        assert re.search(rf"^\.(It )?Ic {word}\b", manual, re.MULTILINE), word


def test_a_mistyped_word_is_told_where_there_is_no_server():
    result = tool("chekconf", "/etc/x.conf")
    assert result.returncode == 1 and "did you mean 'checkconf'?" in result.stderr


def test_who_waits_when_the_server_is_killed_is_told(make_signet, run_server):
    """Not that its key might be a stranger's: the server had accepted it."""
    server = make_signet()
    zone = server.add_zone("example.org", zone_text())
    run_server(server)
    server.wait_for_log("running\n")
    names = "".join(f"name{i:06} A 192.0.2.{i % 250}\n" for i in range(400_000))
    zone.write_text(zone_text(2) + names)
    client = subprocess.Popen([str(BIN / "signet"), "-c", str(server.folder / "rndc.conf"),
                               "reload", "example.org"], stderr=subprocess.PIPE, text=True)
    server.wait_for_log("zone example.org/IN: loading from ")
    server.kill()
    error = client.communicate(timeout=20)[1]
    assert client.returncode == 1
    assert "the server closed the connection before it answered" in error
    assert "key" not in error


@PROGRAMS
def test_who_waits_when_the_server_is_stopped_is_told(make_signet, run_server, program):
    server = make_signet()
    zone = server.add_zone("example.org", zone_text())
    run_server(server)
    server.wait_for_log("running\n")
    names = "".join(f"name{i:06} A 192.0.2.{i % 250}\n" for i in range(400_000))
    zone.write_text(zone_text(2) + names)
    path = program if program == "rndc" else str(BIN / program)
    client = subprocess.Popen([path, "-c", str(server.folder / "rndc.conf"), "reload",
                               "example.org"], stderr=subprocess.PIPE, text=True)
    server.wait_for_log("zone example.org/IN: loading from ")
    server.process.send_signal(signal.SIGTERM)
    error = client.communicate(timeout=20)[1]
    assert client.returncode == 1
    assert f"{program}: 'reload' failed: shutting down\n" in error
    assert server.process.wait(20) == 0


def test_a_client_s_patience_ends(served):
    """A server that accepts and says nothing: the time it may take is the client's choice."""
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        result = served.rndc("-p", str(port), "-t", "1", "status", program="signet")
    assert result.returncode == 1
    assert "no answer within 1 seconds" in result.stderr


def test_a_reload_of_all_is_answered_before_zones_are_read_as_named_does(served):
    """Its answer is about the configuration; status and log tell what became of the zones."""
    served.zone_file.write_text(zone_text(3).replace("www A", "www AA"))
    before = served.log()
    result = served.rndc("reload")
    assert (result.returncode, result.stdout) == (0, "server reload successful\n")
    wait_until(lambda: "running\n" in served.log()[len(before):], what="the end")
    log = served.log()[len(before):]
    # The words that scripts wait for come when all is over, also at a reload.
    assert log.index("example.org.zone:5: ") < log.index(
        "1 of 1 zones could not be loaded anew and are served as they were, see zonestatus\n"
    ) < log.index("all zones loaded, but for 1\n") < log.index("running\n")
    assert "all zones loaded\n" not in log
    assert "zones with a problem: 1 (example.org/IN), see zonestatus\n" in \
        served.rndc("status").stdout
    served.zone_file.write_text(zone_text(4))
    assert served.rndc("reload", "example.org").returncode == 0
    assert "problem" not in served.rndc("status").stdout


def test_an_address_that_a_reload_cannot_have_is_told(served):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 0))
        taken = other.getsockname()[1]
        served.options = f"listen-on port {taken} {{ {HOST}; }};"
        served.configure()
        for words in (["reload"], ["reconfig"], ["scan"]):
            result = served.rndc(*words)
            assert result.returncode == 1, words
            assert f"could not listen on {HOST}#{taken}: the log says why" in result.stderr
        assert "reload/reconfig failed\n" in served.rndc("status").stdout
        assert served.answers_with("www.example.org", "A"), "what it had it keeps"
        assert f"could not listen on UDP or TCP socket {HOST}#{taken}: Address already in use" \
            in served.log()
    assert served.rndc("reload").stdout == "server reload successful\n"
    assert "failed" not in served.rndc("status").stdout


def test_a_reload_to_an_address_that_is_not_ours_is_told(served):
    """named says 'server reload successful' and answers nobody any more."""
    text = served.configuration.read_text().replace(f"port {served.port} {{ {HOST}; }}",
                                                    f"port {served.port} {{ 192.0.2.55; }}")
    served.configuration.write_text(text)
    result = served.rndc("reload")
    assert result.returncode == 1
    assert "listen-on names no address of this host" in result.stderr
    assert "not listening on any interfaces\n" in served.log()


def test_a_read_only_channel_changes_nothing(make_signet, run_server):
    port = free_port()
    server = make_signet(extra=f'controls {{ inet {HOST} port {port} allow {{ any; }} '
                               f'keys {{ "control"; }} read-only yes; }};')
    server.add_zone("example.org", zone_text())
    run_server(server)
    ask = lambda *words: server.rndc("-p", str(port), *words)
    assert ask("status").returncode == 0
    assert ask("zonestatus", "example.org").returncode == 0
    for words in (["stop"], ["reload"], ["querylog", "on"]):
        result = ask(*words)
        assert result.returncode == 1 and "permission denied" in result.stderr
    assert server.is_running()


def test_who_is_not_allowed_is_turned_away(make_signet, run_server):
    port = free_port()
    server = make_signet(extra=f'controls {{ inet {HOST} port {port} allow {{ 192.0.2.1; }} '
                               f'keys {{ "control"; }}; }};')
    run_server(server)
    assert server.rndc("-p", str(port), "status").returncode == 1
    server.wait_for_log("rejected command channel message from 127.0.0.1#")


def test_views_are_told_apart(make_signet, run_server):
    server = make_signet(view="")
    path = server.add_zone("example.org", zone_text())
    zone = f'zone "example.org" {{ type primary; file "{path}"; }};'
    server.view = (f'view "inner" {{ match-clients {{ 127.0.0.1; }}; {zone} }};\n'
                   f'view "outer" {{ {zone} zone "only.test" {{ type primary; '
                   f'file "{path}"; }}; }};')
    run_server(server)
    result = server.rndc("zonestatus", "example.org")
    assert result.returncode == 1 and "failed: multiple" in result.stderr
    assert "zone 'example.org' was found in multiple views" in result.stderr
    assert server.rndc("zonestatus", "example.org", "IN", "outer").returncode == 0
    assert server.rndc("reload", "example.org", "IN", "inner").returncode == 0
    result = server.rndc("zonestatus", "only.test", "IN", "inner")
    assert "no matching zone 'only.test' in view 'inner'" in result.stderr
    # named's way to say which of them a line is about.
    for view in ("inner", "outer"):
        assert f"zone example.org/IN/{view}: loaded serial 1\n" in server.log()


def test_a_control_address_that_is_taken_is_an_error(make_signet, run_server):
    first = run_server(make_signet("first"))
    second = make_signet("second")
    second.control_port = first.control_port
    second.start(ready=False)
    assert second.process.wait(20) == 1
    assert f"could not listen for commands on 127.0.0.1#{first.control_port}: " \
           "address already in use" in second.log()


needs_namespace = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None or
    subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0,
    reason="needs root and network namespaces")


@needs_namespace
def test_without_controls_there_is_a_channel_and_a_key(make_signet):
    """In a namespace of its own, where port 953 is free."""
    server = make_signet()
    server.add_zone("example.org", zone_text())
    plain, command = server.configure, server.command

    def configure():
        plain()
        text = server.configuration.read_text()
        server.configuration.write_text(re.sub(r"\n(key|controls) .*", "", text))

    def in_namespace():
        return ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *command()]

    server.configure, server.command = configure, in_namespace
    server.start(ready=False)
    server.wait_for_log("running\n")
    key = server.folder / "rndc.key"
    assert key.stat().st_mode & 0o777 == 0o600
    enter = ["nsenter", "-t", str(server.process.pid), "-n"]
    for address in ("127.0.0.1", "::1"):
        result = subprocess.run([*enter, "rndc", "-k", str(key), "-s", address, "zonestatus",
                                 "example.org"], capture_output=True, text=True, timeout=30)
        assert result.returncode == 0, result.stderr + server.log()

    # Another server beside it warns, and goes on without a channel.
    other = make_signet("other")
    other.configure()
    text = other.configuration.read_text()
    other.configuration.write_text(re.sub(r"\n(key|controls) .*", "", text))
    other.configure = lambda: None
    other.command = lambda: [*enter, *type(other).command(other)]
    other.start(ready=False)
    other.wait_for_log("running\n")
    assert "going on without control channel" in other.log()

    # The key stays the same over a restart.
    before = key.read_bytes()
    server.stop()
    server.start(ready=False)
    wait_until(lambda: server.log().count("running\n") == 2, what="the second start")
    assert key.read_bytes() == before

    # One of MD5 would be a way in that the configuration does not allow.
    server.stop()
    key.write_text('key "rndc-key" { algorithm hmac-md5; secret "c2VjcmV0IG9mIHRoaXMgdGVzdA=="; };')
    server.start(ready=False)
    wait_until(lambda: server.log().count("running\n") == 3, what="the third start")
    assert f"command channel: {key}: hmac-md5 is not to be used any more" in server.log()
    result = subprocess.run(["nsenter", "-t", str(server.process.pid), "-n", "rndc", "-k", str(key),
                             "-s", "127.0.0.1", "status"], capture_output=True, timeout=30)
    assert result.returncode != 0
