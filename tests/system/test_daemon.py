"""signetd as a process: start, background, user, signals, end."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from support.server import HOST
from support.signet import BIN
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
www A 192.0.2.80
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def run(*arguments):
    return subprocess.run([str(BIN / "signetd"), *map(str, arguments)], capture_output=True,
                          text=True, timeout=60)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose parent does not wait is as good as gone.
    return " Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text()


@pytest.fixture
def background(make_signet):
    """Start a server that goes into the background; ended by its pid-file's number."""
    pids = []

    def start(server, *arguments):
        server.configure()
        result = run("-c", server.configuration, *arguments)
        if result.returncode == 0:
            pids.append(int((server.folder / "signetd.pid").read_text()))
        return result, pids[-1] if pids else None

    yield start
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_the_starter_returns_when_the_server_answers(make_signet, background):
    server = make_signet()
    server.add_zone("example.org", ZONE)
    result, pid = background(server, "-L", server.log_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "" and result.stderr == ""
    # No waiting: it answers.
    assert server.answers_with("www.example.org", "A")[0].address == "192.0.2.80"
    assert os.getsid(pid) == pid
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
    lines = server.log().splitlines()
    assert "all zones loaded" in lines[-2] and lines[-1].endswith("general: notice: running")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), what="the end")
    assert not (server.folder / "signetd.pid").exists()


def test_a_bad_configuration_is_said_where_it_was_started(make_signet, background):
    server = make_signet(options="frobnicate yes;")
    result, _ = background(server)
    assert result.returncode == 1
    assert re.search(r"signet\.conf:\d+:\d+: .*frobnicate", result.stderr), result.stderr
    assert "exiting (due to fatal error)" in result.stderr


def test_a_configuration_that_is_not_there(tmp_path):
    result = run("-g", "-c", tmp_path / "nowhere.conf")
    assert result.returncode == 1
    assert "nowhere.conf" in result.stderr and "No such file" in result.stderr


@pytest.mark.parametrize("arguments", [["-g", "--frob"], ["-p", "0"], ["-p", "x"], ["-n", "0"],
                                       ["-d", "x"], ["-4", "-6"], ["extra"]])
def test_a_wrong_command_line_is_refused(arguments):
    result = run(*arguments)
    assert result.returncode == 1
    assert result.stderr.strip()


@pytest.mark.parametrize("arguments", [["-v"], ["-V"], ["-h"]])
def test_version_and_help(arguments):
    result = run(*arguments)
    assert result.returncode == 0
    assert "ignet" in result.stdout and result.stderr == ""


def test_named_s_options_without_a_meaning_are_accepted(make_signet, run_server):
    server = make_signet()
    server.arguments = ["-m", "record", "-M", "fill", "-S", "1000", "-T", "x", "-U", "2", "-X",
                        "none", "-x", "cache", "-D", "text", "-n", "1", "-s"]
    run_server(server)
    assert "worker threads: 1\n" in server.rndc("status").stdout


def test_p_replaces_the_port(make_signet, run_server):
    server = make_signet()
    server.add_zone("example.org", ZONE)
    server.configure()
    text = server.configuration.read_text().replace(f"listen-on port {server.port} ",
                                                    "listen-on ")
    server.configure = lambda: server.configuration.write_text(text)
    server.arguments = ["-p", str(server.port)]
    run_server(server)
    assert server.answers_with("www.example.org", "A")


def test_a_relative_directory_starts_where_the_server_was_started(make_signet, run_server):
    """Keys, store and zones are below it once, not twice; also when the file is read again."""
    server = make_signet()
    inner = server.folder / "inner"
    (inner / "keys").mkdir(parents=True)
    (inner / "example.org.db").write_text(ZONE)
    (inner / "plain.org.db").write_text(ZONE)
    (server.folder / "more.conf").write_text("""
zone "plain.org" { type primary; file "plain.org.db"; dnssec-policy default; };""")
    server.zones = ["""zone "example.org" { type primary; file "example.org.db";
                       key-directory "keys"; dnssec-policy default; }; include "more.conf";"""]
    configure = server.configure

    def configure_relative():
        configure()
        text = server.configuration.read_text()
        server.configuration.write_text(text.replace(f'directory "{server.folder}"',
                                                     'directory "inner"'))
    server.configure = configure_relative
    server.command = lambda: [str(BIN / "signetd"), "-g", "-c", "signet.conf"]
    run_server(server)   # in its folder
    server.wait_until_signed("example.org")
    server.wait_until_signed("plain.org")
    for command in ("reload", "reconfig"):
        result = server.rndc(command)
        assert result.returncode == 0, result.stderr
    assert list((inner / "keys").glob("Kexample.org.*.private"))
    assert list(inner.glob("Kplain.org.*.private"))
    assert (inner / "signet-store").is_dir() and not (inner / "inner").exists()
    server.terminate()
    server.start()
    server.wait_until_signed("plain.org")
    assert len(list(inner.glob("Kplain.org.*.private"))) == 1
    result = subprocess.run([BIN / "signet", "journal", "-c", "signet.conf", "example.org"],
                            cwd=server.folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@as_root
def test_u_gives_up_root_for_good(make_signet, background):
    server = make_signet()
    server.add_zone("example.org", ZONE, policy="default")
    server.folder.chmod(0o755)
    for folder in server.folder.parents:  # pytest's folders are closed to others
        if folder == pathlib.Path("/tmp"):
            break
        folder.chmod(0o755)
    shutil.chown(server.folder, "nobody")
    result, pid = background(server, "-u", "nobody", "-L", server.log_path)
    assert result.returncode == 0, result.stderr
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    nobody = shutil._get_uid("nobody")
    assert fields["Uid"].split() == [str(nobody)] * 4
    assert len(set(fields["Gid"].split())) == 1 and fields["Gid"].split()[0] != "0"
    assert "0" not in fields["Groups"].split()
    for which in ("CapEff", "CapPrm"):
        assert int(fields[which], 16) & ~(1 << 10) == 0, "nothing but CAP_NET_BIND_SERVICE"
    assert int(fields["CapInh"], 16) == 0
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    keys = list(server.folder.glob("K*.private"))
    assert keys and all(key.stat().st_uid == nobody for key in keys)
    # What it may do later: read its configuration again.
    assert server.rndc("reload").stdout == "server reload successful\n"


def test_an_unknown_user_is_refused(make_signet, background):
    result, _ = background(make_signet(), "-u", "no-such-user")
    assert result.returncode == 1
    assert "user 'no-such-user' unknown" in result.stderr


@as_root
def test_t_makes_the_folder_the_root(make_signet):
    server = make_signet()
    path = server.add_zone("example.org", ZONE, policy="default")
    server.configure()
    text = server.configuration.read_text().replace(f'"{server.folder}"', '"/"') \
        .replace(str(server.folder), "")
    server.configure = lambda: server.configuration.write_text(text)
    server.command = lambda: [str(BIN / "signetd"), "-g", "-t", str(server.folder), "-c",
                              "/signet.conf"]
    # There is no /proc in there, which a leak check would need.
    server.start(environment={"ASAN_OPTIONS": "detect_leaks=0"})
    server.wait_until_signed("example.org")
    assert path.exists() and list(server.folder.glob("Kexample.org.*.private"))
    assert server.rndc("reload").returncode == 0


def test_the_pid_file_tells_who_runs(make_signet, run_server):
    server = run_server(make_signet())
    server.wait_for_log("running\n")
    assert int((server.folder / "signetd.pid").read_text()) == server.process.pid
    other = make_signet("other")
    other.configure()
    text = other.configuration.read_text().replace(f"{other.folder}/signetd.pid",
                                                   f"{server.folder}/signetd.pid")
    other.configure = lambda: other.configuration.write_text(text)
    other.start(ready=False)
    assert other.process.wait(20) == 1
    assert f"process {server.process.pid} holds the pid-file" in other.log()
    assert int((server.folder / "signetd.pid").read_text()) == server.process.pid


def test_a_stale_pid_file_is_no_hindrance(make_signet, run_server):
    server = make_signet()
    (server.folder / "signetd.pid").write_text("1\n")
    run_server(server)
    server.wait_for_log("running\n")
    assert int((server.folder / "signetd.pid").read_text()) == server.process.pid


def test_a_second_server_on_the_same_port_says_so(make_signet, run_server):
    first = run_server(make_signet("first"))
    second = make_signet("second")
    second.port = first.port
    second.start(ready=False)
    assert second.process.wait(20) == 1
    assert f"127.0.0.1#{first.port}" in second.log()
    assert "is another server running?" in second.log()
    assert first.is_running()


def test_an_address_that_is_taken_is_said_once(make_signet, run_server):
    first = run_server(make_signet("first"))
    second = make_signet("second")
    second.port = first.port
    second.start(ready=False)
    assert second.process.wait(20) == 1
    assert second.log().count("Address already in use") == 1


def test_a_start_without_its_control_channel_ends_in_order(make_signet, run_server):
    """Zones that are stored have been asked for by then, and nobody awaits the answer."""
    first = run_server(make_signet("first"))
    second = make_signet("second")
    second.add_zone("example.org", ZONE, policy="default")
    second.control_port = first.control_port
    second.start(ready=False)
    assert second.process.wait(20) == 1
    assert "could not listen for commands" in second.log()
    assert "exiting (due to fatal error)" in second.log()


def test_two_servers_do_not_share_a_store(make_signet, run_server):
    """Each would make keys for the same zones, and write the other's files."""
    first = make_signet("first")
    first.add_zone("example.org", ZONE, policy="default")
    run_server(first)
    second = make_signet("second", options=f'key-directory "{first.folder}"; '
                                           f'store-directory "{first.folder}/signet-store";')
    second.start(ready=False)
    assert second.process.wait(20) == 1
    lock = f"{first.folder}/signet-store/signetd.lock"
    assert f"process {first.process.pid} holds the lock '{lock}'" in second.log()
    open_files = pathlib.Path(f"/proc/{first.process.pid}/fd").iterdir()
    assert [os.path.realpath(file) for file in open_files].count(os.path.realpath(lock)) == 1
    assert first.answers_with("www.example.org", "A")
    first.kill()  # A lock that nobody holds any more is no hindrance.
    run_server(second)


@as_root
def test_a_directory_that_may_not_be_written_is_told_and_zones_are_served(make_signet):
    server = make_signet()
    for folder in [server.folder, *server.folder.parents]:  # pytest's are closed to others
        if folder == pathlib.Path("/tmp"):
            break
        folder.chmod(0o755)
    server.add_zone("plain.test", ZONE)
    server.add_zone("signed.test", ZONE, policy="default")
    plain = server.configure
    store = server.folder / "store"

    def configure():
        plain()
        text = server.configuration.read_text()
        server.configuration.write_text(
            re.sub(r"pid-file .*;", f'pid-file none; store-directory "{store}";', text))

    server.configure = configure
    command = server.command()
    server.command = lambda: ["setpriv", "--reuid", "nobody", "--regid", "nogroup",
                              "--clear-groups", *command]
    # Without a store nothing that changes would last: what never changes is served.
    server.start()
    server.wait_for_log("running\n")
    assert f"store-directory '{store}': cannot make " in server.log()
    assert server.answers_with("www.plain.test", "A")
    assert server.answers_with("www.signed.test", "A") is None
    server.kill()
    store.mkdir()
    store.chmod(0o777)
    server.start()
    server.wait_for_log("running\n")
    assert f"the working directory '{server.folder}' is not writable for uid " in server.log()
    assert server.answers_with("www.plain.test", "A")
    assert "zone signed.test/IN: not loaded due to errors: no ECDSAP256SHA256 key could be made " \
        "in " in server.log()
    assert server.answers_with("www.signed.test", "A") is None


class Manager:
    """systemd's end of NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def next(self):
        return self.socket.recv(4096).decode().splitlines()


def test_systemd_is_told_of_start_reload_and_end(make_signet, tmp_path):
    manager = Manager(tmp_path)
    server = make_signet()
    server.add_zone("example.org", ZONE)
    server.start(ready=False, environment={"NOTIFY_SOCKET": manager.path})
    ready = manager.next()
    assert ready[0] == "READY=1" and f"MAINPID={server.process.pid}" in ready
    assert server.answers_with("www.example.org", "A"), "READY=1 means that it answers"
    server.process.send_signal(signal.SIGHUP)
    reloading = manager.next()
    assert reloading[0] == "RELOADING=1" and reloading[1].startswith("MONOTONIC_USEC=")
    assert manager.next() == ["READY=1"]
    server.process.send_signal(signal.SIGTERM)
    assert manager.next() == ["STOPPING=1"]
    assert server.process.wait(20) == 0


def test_every_end_is_a_clean_one(make_signet):
    """The allocator was once told something about its last breath that read memory at random."""
    server = make_signet()
    server.add_zone("example.org", ZONE)
    for time in range(30):
        server.start()
        assert server.terminate() == 0, f"end {time}: {server.log()[-2000:]}"


def test_an_added_zone_leaves_systemd_out(make_signet, tmp_path):
    """A RELOADING=1 without its READY=1 would be taken for a reload that hangs."""
    manager = Manager(tmp_path)
    server = make_signet(options="allow-new-zones yes;")
    path = server.add_zone("example.org", ZONE)
    server.start(ready=False, environment={"NOTIFY_SOCKET": manager.path})
    assert manager.next()[0] == "READY=1"
    assert server.rndc("addzone", "new.test", f'{{ type primary; file "{path}"; }};').returncode == 0
    assert server.rndc("delzone", "new.test").returncode == 0
    server.process.send_signal(signal.SIGTERM)
    assert manager.next() == ["STOPPING=1"]
    assert server.process.wait(20) == 0


def test_a_start_that_fails_late_ends_in_order(make_signet):
    """The control address is taken last, when zones are loading and the session key is written."""
    server = make_signet(options='session-keyfile "session.key";')
    for i in range(50):
        server.add_zone(f"z{i}.test", ZONE, policy="default", statements="update-policy local;")
    server.view = "\n".join(server.zones)
    server.extra = f'controls {{ inet 192.0.2.1 port {server.control_port} allow {{ any; }}; }};'
    for _ in range(3):
        server.start(ready=False)
        assert server.process.wait(30) == 1, server.log()[-2000:]
        assert "exiting (due to fatal error)" in server.log()
    assert "assertion failed" not in server.log()


def test_signals_during_the_start_are_taken_when_it_is_done(make_signet, run_server):
    server = make_signet(extra="".join(f"acl a{i} {{ 10.{i % 256}.0.0/16; }};\n" for i in range(30000)))
    server.add_zone("example.org", ZONE)
    server.start(ready=False)
    wait_until(lambda: "starting Signet" in server.log(), pause_s=0.001)
    for number in [signal.SIGUSR1, signal.SIGHUP]:
        server.process.send_signal(number)
    server.wait_until_answering()
    server.wait_for_log("received SIGUSR1 signal")
    server.wait_for_log("received SIGHUP signal")
    log = server.log()
    assert log.index("received SIG") > log.index("loading configuration from"), "not before"


def test_g_opens_no_log_file_and_misses_none(make_signet, run_server):
    server = make_signet(extra="""logging { channel x { file "/nonexistent/log"; };
                                            category default { x; }; };""")
    server.add_zone("example.org", ZONE)
    run_server(server)
    assert server.answers_with("www.example.org", "A")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(make_signet, run_server, number):
    server = make_signet()
    server.add_zone("example.org", ZONE, policy="default")
    run_server(server)
    server.process.send_signal(number)
    assert server.process.wait(20) == 0
    assert server.log().rstrip().endswith("exiting")
    assert not (server.folder / "signetd.pid").exists()


@pytest.mark.parametrize("delay_s", [0.0, 0.3, 1.0])
def test_a_long_load_can_be_interrupted(make_signet, delay_s):
    server = make_signet()
    names = "".join(f"n{i} A 192.0.2.{i % 250}\n" for i in range(150_000))
    server.add_zone("example.org", ZONE + names, policy="default")
    server.start(ready=False)
    server.wait_for_log("command channel listening")
    # A span of time on purpose: the moment shall be anywhere in the load.
    try:
        server.process.wait(delay_s)
    except subprocess.TimeoutExpired:
        pass
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(15) == 0
    assert "exiting\n" in server.log()
    if "are left" in server.log():
        assert "waiting at most 2 seconds for 1 jobs; a second signal ends at once" in server.log()
    assert not (server.folder / "signetd.pid").exists()


def test_a_second_signal_ends_it_at_once(make_signet):
    server = make_signet()
    names = "".join(f"name{i:06} A 192.0.2.{i % 250}\n" for i in range(200_000))
    path = server.add_zone("example.org", ZONE + names, policy="default")
    server.start(ready=False)
    server.wait_for_log("read, now signing\n", within_s=60)
    server.process.send_signal(signal.SIGINT)
    server.wait_for_log("a second signal ends at once")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(1.5) == 0, "sooner than its patience"
    keys = sorted(server.folder.glob("K*.private"))
    assert keys and not (server.folder / "signetd.pid").exists()
    path.write_text(ZONE)
    server.start()
    server.wait_until_signed("example.org")
    assert sorted(server.folder.glob("K*.private")) == keys


def test_a_large_zone_is_spoken_of_before_it_is_done(make_signet, run_server):
    """Else its operator looks at a silent log for minutes, and stops a server that is all right."""
    server = make_signet()
    words = " ".join(240 * "x" for _ in range(4))
    names = "".join(f"name{i} TXT {words}\n" for i in range(5000))  # 4 MiB, few signatures
    server.add_zone("large.test", ZONE + names, policy="default")
    server.add_zone("small.test", ZONE, policy="default")
    run_server(server)
    server.wait_for_log("running\n", within_s=60)
    log = server.log()
    assert log.index("zone large.test/IN: loading from ") < \
        log.index("zone large.test/IN: read, now signing\n") < \
        log.index("zone large.test/IN: loaded serial 1\n")
    assert "zone small.test/IN: loading" not in log, "one line is enough for it"


def test_a_restart_finds_the_same_keys(make_signet, run_server):
    server = make_signet()
    server.add_zone("example.org", ZONE, policy="default")
    run_server(server)
    server.wait_until_signed("example.org")
    before = sorted(path.name for path in server.folder.glob("K*"))
    server.terminate()
    server.start()
    server.wait_until_signed("example.org")
    assert before and sorted(path.name for path in server.folder.glob("K*")) == before


def test_a_logging_statement_is_followed(make_signet, run_server):
    server = make_signet(extra="""
logging {
    channel all { file "all.log" versions 3 size 1m; severity dynamic;
                  print-time iso8601-utc; print-category yes; print-severity yes; };
    channel questions { file "questions.log"; print-time yes; };
    category default { all; };
    category queries { questions; };
};""")
    server.add_zone("example.org", ZONE)
    server.command = lambda: [str(BIN / "signetd"), "-f", "-c", str(server.configuration)]
    run_server(server)
    every, questions = server.folder / "all.log", server.folder / "questions.log"
    wait_until(lambda: "running\n" in every.read_text(), what="the last line")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z general: notice: running",
                        every.read_text().splitlines()[-1])
    assert server.rndc("querylog", "on").returncode == 0
    server.query("www.example.org", "A")
    wait_until(lambda: "www.example.org" in questions.read_text(), what="the query")
    assert re.match(r"\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d\.\d{3} client ", questions.read_text())
    assert "client" not in every.read_text()

    every.rename(server.folder / "moved.log")
    server.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: every.exists() and "opened again" in every.read_text(), what="a new file")


def test_a_log_file_that_cannot_be_opened_is_fatal(make_signet):
    server = make_signet(extra="""logging { channel x { file "/nonexistent/log"; };
                                            category default { x; }; };""")
    server.command = lambda: [str(BIN / "signetd"), "-f", "-c", str(server.configuration)]
    server.start(ready=False)
    assert server.process.wait(20) == 1
    assert re.search(r"signet\.conf:\d+:\d+: .*/nonexistent/log", server.log())


def test_listen_on_any_answers_on_every_address(make_signet, run_server):
    server = make_signet()
    server.add_zone("example.org", ZONE)
    server.configure()
    text = server.configuration.read_text().replace(f"{{ {HOST}; }};\n    listen-on-v6 {{ none; }}",
                                                    "{ any; };\n    listen-on-v6 { none; }")
    server.configure = lambda: server.configuration.write_text(text)
    run_server(server)
    result = subprocess.run(["dig", "@127.0.0.7", "-p", str(server.port), "www.example.org",
                             "+short", "+tries=1"], capture_output=True, text=True, timeout=20)
    assert result.stdout == "192.0.2.80\n"
