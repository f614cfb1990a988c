"""How much of a zone's history is kept for IXFR, and how an operator ends it."""

import re
import subprocess
import time

import pytest

from support.server import HOST
from support.signet import tool
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
"""
DYNAMIC = "allow-update { any; };"


def nsupdate(server, zone, *lines):
    text = "\n".join([f"server {HOST} {server.port}", f"zone {zone}", *lines, "send", ""])
    done = subprocess.run(["nsupdate"], input=text, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def add(server, zone, name, strings=1):
    text = " ".join(['"' + "x" * 200 + '"'] * strings)
    nsupdate(server, zone, f"update add {name}.{zone} 300 TXT {text}")
    return server.serial(zone)


def is_difference(server, zone, serial):
    """Is an IXFR from that serial a difference, and not the whole zone?"""
    answer = subprocess.run(
        ["dig", f"@{HOST}", "-p", str(server.port), "+tcp", "+onesoa", zone, f"ixfr={serial}"],
        capture_output=True, text=True, timeout=30).stdout
    owners = [line.split()[0] for line in answer.splitlines() if line and line[0] != ";"]
    assert f"{zone}." in owners, answer
    return f"ns.{zone}." not in owners


def journal(server, zone):
    told = tool("journal", "-c", server.configuration, zone)
    assert told.returncode == 0, told.stderr
    return told.stdout


def restart(server):
    server.kill()
    server.start()
    server.wait_until_answering()


def test_max_journal_size_of_a_zone_tells_which_serials_get_a_difference(make_signet, run_server):
    server = make_signet()
    server.add_zone("short.test", ZONE, statements=DYNAMIC + "max-journal-size 8k;"
                    "max-ixfr-ratio unlimited;")
    server.add_zone("long.test", ZONE, statements=DYNAMIC + "max-journal-size unlimited;"
                    "max-ixfr-ratio unlimited;")
    run_server(server)
    serials = {}
    for zone in ["short.test", "long.test"]:
        serials[zone] = [add(server, zone, f"n{i}", 4) for i in range(16)]
    for start in range(2):
        short, long = serials["short.test"], serials["long.test"]
        assert all(is_difference(server, "long.test", serial) for serial in long[:-1:6])
        told = [is_difference(server, "short.test", serial) for serial in short[:-1]]
        assert not any(told[:5]) and all(told[-3:]), told
        assert told == sorted(told), "what is told is told from some serial on"
        if start == 0:
            restart(server)


def test_max_journal_age_ends_what_is_told_and_what_is_stored(make_signet, run_server):
    server = make_signet(options="max-ixfr-ratio unlimited; max-journal-age 3;")
    server.add_zone("short.test", ZONE, statements=DYNAMIC)
    server.add_zone("long.test", ZONE, statements=DYNAMIC + "max-journal-age unlimited;")
    run_server(server)
    before = {zone: server.serial(zone) for zone in ["short.test", "long.test"]}
    began = time.monotonic()
    for zone in before:
        add(server, zone, "one")
    if time.monotonic() - began < 2:
        assert is_difference(server, "short.test", before["short.test"])
    wait_until(lambda: not is_difference(server, "short.test", before["short.test"]), 20,
               "the end of what is too old")
    wait_until(lambda: "add one.short.test." not in journal(server, "short.test"), 20,
               "the end of it in the store")
    assert is_difference(server, "long.test", before["long.test"])
    assert "add one.long.test." in journal(server, "long.test")
    restart(server)
    assert not is_difference(server, "short.test", before["short.test"])
    assert is_difference(server, "long.test", before["long.test"])
    assert server.answers_with("one.short.test", "TXT")
    serial = server.serial("short.test")
    began = time.monotonic()
    add(server, "short.test", "two")
    if time.monotonic() - began < 2:
        assert is_difference(server, "short.test", serial)
    server.kill()
    time.sleep(4)  # a span of time on purpose: what is in the store grows too old meanwhile
    server.start()
    server.wait_until_answering()
    assert not is_difference(server, "short.test", serial)
    assert server.answers_with("two.short.test", "TXT")


def served(server, zone):
    lines = server.axfr_lines(zone, server.folder / "axfr")
    return sorted(line.lower() for line in lines)


@pytest.mark.parametrize("everything", [False, True])
def test_a_clean_sync_ends_the_history_and_keeps_the_zone(make_signet, run_server, everything):
    server = make_signet(options="max-ixfr-ratio unlimited;")
    file = server.add_zone("dyn.test", ZONE, statements=DYNAMIC)
    server.add_zone("other.test", ZONE, statements=DYNAMIC)
    server.add_zone("signed.test", ZONE, policy="default")
    run_server(server)
    server.wait_until_signed("signed.test")
    zones = ["dyn.test", "other.test"]
    before = {zone: server.serial(zone) for zone in zones}
    for zone in zones:
        add(server, zone, "one")
    assert server.rndc("sync", "dyn.test").returncode == 0
    assert is_difference(server, "dyn.test", before["dyn.test"])
    assert "add one.dyn.test." in journal(server, "dyn.test")

    cleaned = server.rndc("sync", "-clean", *([] if everything else ["dyn.test"]))
    assert (cleaned.returncode, cleaned.stdout) == (0, ""), cleaned.stderr
    assert "one" in file.read_text()
    contents = {zone: served(server, zone) for zone in [*zones, "signed.test"]}
    for start in range(2):
        assert not is_difference(server, "dyn.test", before["dyn.test"])
        assert is_difference(server, "other.test", before["other.test"]) != everything
        told = [line for line in journal(server, "dyn.test").splitlines()]
        assert len(told) == 1 and told[0].endswith(": the whole zone; its history begins here")
        assert {zone: served(server, zone) for zone in contents} == contents
        if start == 0:
            restart(server)
    serial = server.serial("dyn.test")
    add(server, "dyn.test", "two")
    assert is_difference(server, "dyn.test", serial)
    restart(server)
    assert is_difference(server, "dyn.test", serial)
    assert "add two.dyn.test." in journal(server, "dyn.test")


def test_a_clean_sync_whose_file_cannot_be_written_removes_nothing(make_signet, run_server):
    server = make_signet(options="max-ixfr-ratio unlimited;")
    file = server.add_zone("dyn.test", ZONE, statements=DYNAMIC)
    run_server(server)
    before = server.serial("dyn.test")
    add(server, "dyn.test", "one")
    file.unlink()
    file.mkdir()
    result = server.rndc("sync", "-clean", "dyn.test")
    assert result.returncode == 1 and "could not be written" in result.stderr
    for start in range(2):
        assert is_difference(server, "dyn.test", before)
        assert "add one.dyn.test." in journal(server, "dyn.test")
        if start == 0:
            restart(server)


def test_a_large_reload_is_told_as_a_difference_also_after_a_restart(make_signet, run_server):
    """So large that an image of the zone is stored with it, which once ended the history."""
    server = make_signet(options="max-ixfr-ratio unlimited; max-journal-size unlimited;")
    file = server.add_zone("edited.test", ZONE, policy="default")
    run_server(server)
    server.wait_until_signed("edited.test")
    before = server.serial("edited.test")
    text = ZONE.replace("hostmaster 1 ", "hostmaster 2 ") + "first A 192.0.2.2\n"
    file.write_text(text)
    server.rndc("reload", "edited.test")
    wait_until(lambda: server.answers_with("first.edited.test", "A"), 20, "the first edit")
    many = "".join(f"n{i} A 192.0.2.9\n" for i in range(3000))
    file.write_text(text.replace("hostmaster 2 ", "hostmaster 3 ") + many)
    server.rndc("reload", "edited.test")
    wait_until(lambda: server.answers_with("n2999.edited.test", "A"), 60, "the second edit")
    images = [path.name for path in (server.folder / "signet-store" / "images").iterdir()]
    assert len(images) == 1, images
    serial = server.serial("edited.test")
    for start in range(2):
        assert is_difference(server, "edited.test", before)
        told = journal(server, "edited.test")
        assert "the whole zone" not in told
        assert len(re.findall(r"^add n\d+\.edited\.test\. 300 IN A 192", told, re.M)) == 3000
        if start == 0:
            restart(server)
            wait_until(lambda: server.serial("edited.test") == serial, 20, "the zone is recovered")
