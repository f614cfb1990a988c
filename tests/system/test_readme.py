"""The examples of README.md, run as they are written but for folders, addresses and ports."""

import os
import pathlib
import re
import subprocess

import pytest

from support.ports import free_port
from support.server import HOST
from support.signet import BIN
from support.waiting import wait_until

README = pathlib.Path(__file__).parents[2] / "README.md"
ZONE = """$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
"""


def blocks(heading):
    """What stands between fences below a heading."""
    section = README.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.M | re.S)


@pytest.fixture
def operator(signet, tmp_path):
    """A shell whose `signet` knows where the server is, and whose `vi` adds a record."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, lines in {
            "sudo": 'exec "$@"',
            "vi": 'echo "edited A 192.0.2.90" >> "$1"',
            "signet": f'[ "$1" != restore ] || {{ shift; exec {BIN}/signet restore '
                      f'-c {signet.configuration} "$@"; }}\n'
                      f'exec {BIN}/signet -c {signet.folder}/rndc.conf "$@"'}.items():
        (bin_folder / name).write_text(f"#!/bin/sh\n{lines}\n")
        (bin_folder / name).chmod(0o755)

    def written(text, peer=None):
        for old, new in {"/usr/local/etc/signet": str(signet.folder),
                         "/var/lib/signet": str(signet.folder),
                         "/var/backups": str(tmp_path),
                         "server 127.0.0.1": f"server {HOST} {signet.port}",
                         "192.0.2.1 key": f"{HOST} port {signet.port} key",
                         "192.0.2.2;": f"{HOST} port {peer};"}.items():
            text = text.replace(old, new)
        return text

    def run(text):
        result = subprocess.run(["sh", "-ec", written(text)], capture_output=True, text=True,
                                timeout=60,
                                env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"})
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout
    signet.written, signet.run = written, run
    return signet


def test_a_signed_zone_without_root(tmp_path):
    """Everything but the build, which is the one that is tested, by a shell that knows nothing."""
    packages, build, begin, edit = blocks("A signed zone without root")
    wanted = subprocess.run(["bash", "-c", '. scripts/packages.sh; echo "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}"'],
                            cwd=README.parent, capture_output=True, text=True, check=True).stdout
    assert packages.split("--no-install-recommends ")[1] == wanted
    port, control_port = str(free_port()), str(free_port())
    signet = [BIN / "signet", "-k", tmp_path / "signet-zone/rndc.key", "-p", control_port]

    def run(text):
        text = text.replace("5300", port).replace("5953", control_port)
        done = subprocess.run(["sh", "-ec", text], capture_output=True, text=True, timeout=60, cwd=folder,
                              env={"HOME": str(tmp_path), "PATH": f"{BIN}:{os.environ['PATH']}"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    folder = tmp_path
    assert "--preset release" in build and "build/release/bin" in build
    try:
        told = run(begin)
        assert told.startswith("zone example.org/IN: loaded serial 1\n")
        assert re.search(r"^www\.example\.org\.\s3600\sIN\sRRSIG\sA 13 ", told, re.M), told
        assert re.search(r"^example\.org\. IN DS \d+ 13 2 [0-9A-F]{64}$", told, re.M), told
        folder = tmp_path / "signet-zone"
        told = run(edit)
        assert "zone reload successful" in told and "serial: 2\n" in told
        assert re.search(r"^new\.example\.org\.\s3600\sIN\sRRSIG\sA 13 ", told, re.M), told
        wait_until(lambda: not (folder / "signetd.pid").exists(), what="the end")
    finally:
        subprocess.run([*signet, "stop"], capture_output=True, timeout=30)  # if something above failed


def test_updates_by_nsupdate(operator, run_server):
    key, statements, update, edit = blocks("Updates by nsupdate")
    run_server(operator)
    operator.run(key)
    (operator.folder / "dyn.example.zone").write_text(ZONE)
    operator.zones.append(operator.written(statements))
    operator.configure()
    command, rest = update.split("\n", 1)
    operator.run(command)
    wait_until(lambda: operator.answers_with("dyn.example", "SOA"), what="dyn.example")
    operator.run(rest)
    assert operator.answers_with("www.dyn.example", "A")[0].address == "192.0.2.80"
    operator.run(edit)
    assert operator.answers_with("edited.dyn.example", "A")[0].address == "192.0.2.90"
    assert operator.answers_with("www.dyn.example", "A")


def test_a_secondary(operator, make_signet, run_server):
    primary, secondary = blocks("A secondary")
    other = make_signet("secondary")
    operator.run("tsig-keygen transfer > /usr/local/etc/signet/transfer.key")
    (operator.folder / "example.org.zone").write_text(ZONE)
    operator.zones.append(operator.written(primary, other.port))
    other.zones.append(operator.written(secondary))
    run_server(operator)
    run_server(other)
    operator.wait_until_signed("example.org")
    wait_until(lambda: other.answers_with("ns.example.org", "A"), what="the transfer")


def test_zones_while_it_runs_and_backup(operator, run_server):
    (zones,), (backup,) = blocks("Zones while it runs"), blocks("Backup")
    operator.options = "allow-new-zones yes;"
    path = operator.folder / "new.example.zone"
    path.write_text(ZONE)
    operator.add_zone("kept.example", ZONE, policy="default")
    run_server(operator)
    operator.wait_until_signed("kept.example")
    assert "name: new.example\n" in operator.run(zones)
    wait_until(lambda: not path.exists(), what="delzone -clean")
    save, rest = backup.split("\n", 1)
    stop, restore = rest.split("\n", 1)
    operator.run(save)
    operator.run(stop)
    wait_until(lambda: not operator.is_running(), what="the end")
    assert "restored: the store " in operator.run(restore)
    operator.start()
    operator.wait_until_signed("kept.example")


def test_the_list_of_tools_knows_no_others_than_signet_does():
    table = README.read_text().split("\n## The tools\n")[1].split("\n## ")[0]
    words = re.findall(r"`([a-z]+)[^`]*`", table.split("Commands for")[0])
    known = subprocess.run([BIN / "signet", "help"], capture_output=True, text=True,
                           timeout=30).stdout
    manual = (README.parent / "man" / "signet.8").read_text()
    assert len(words) > 20
    for word in words:
        assert word == "signet" or word in known or f".It Ic {word}" in manual, word
