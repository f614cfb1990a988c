"""A store that cannot be opened: what needs none is served, the rest comes when it can be."""

import os
import subprocess
import threading

import pytest

from support.server import HOST
from support.signet import tool
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
www A 192.0.2.80
"""
NEED_IT = ["signed.test", "dyn.test", "added.test"]


def add(server, name):
    text = "\n".join([f"server {HOST} {server.port}", "zone dyn.test",
                      f"update add {name}.dyn.test 300 A 192.0.2.9", "send", ""])
    return subprocess.run(["nsupdate"], input=text, capture_output=True, text=True, timeout=30)


def answers(server, zone):
    return server.answers_with(f"www.{zone}", "A") is not None


@pytest.fixture
def server(make_signet, run_server):
    """It has run, and a file stands where its store was."""
    server = make_signet(options="allow-new-zones yes;")
    server.add_zone("plain.test", ZONE)
    server.add_zone("signed.test", ZONE, policy="default")
    server.add_zone("dyn.test", ZONE, statements="allow-update { any; };")
    (server.folder / "added.db").write_text(ZONE)
    run_server(server)
    serial = server.wait_until_signed("signed.test")
    assert add(server, "kept").returncode == 0
    result = server.rndc("addzone", "added.test", '{ type primary; file "added.db"; };')
    assert result.returncode == 0, result.stderr
    server.terminate()
    server.store = server.folder / "signet-store"
    server.store.rename(server.folder / "aside")
    server.store.write_text("in the way")
    server.start()
    server.signed_serial = serial
    return server


def come_back(server):
    wait_until(lambda: all(answers(server, zone) for zone in NEED_IT), 30, "all zones")
    assert server.serial("signed.test") == server.signed_serial
    assert server.answers_with("kept.dyn.test", "A")
    assert add(server, "later").returncode == 0
    status = server.rndc("status").stdout
    assert "store:" not in status and "zones with a problem" not in status, status
    assert "problem" not in server.rndc("zonestatus", "dyn.test").stdout
    assert server.rndc("backup", str(server.folder / "saved")).returncode == 0


def test_what_needs_no_store_is_served_and_the_rest_comes_with_it(server):
    assert answers(server, "plain.test")
    assert "2 of 3 zones could not be loaded" in server.log()
    for zone in NEED_IT:
        assert not answers(server, zone), zone
    assert add(server, "lost").returncode == 2
    why = f"store-directory '{server.store}': cannot make '{server.store}': Not a directory"
    advice = "it is tried again every minute and at reconfig"
    assert f"{why}; zones that are signed here" in server.log()
    for line in [f"store: not open: {why}; ", "zones with a problem: 2 (", advice]:
        assert line in server.rndc("status").stdout
    for zone in ["signed.test", "dyn.test"]:
        status = server.rndc("zonestatus", zone).stdout
        assert f"problem: the store is not open: {why}; " in status and advice in status, status
    assert "problem" not in server.rndc("zonestatus", "plain.test").stdout
    for words in [["backup", str(server.folder / "none")], ["freeze", "dyn.test"],
                  ["addzone", "more.test", '{ type primary; file "added.db"; };'],
                  ["reload", "dyn.test"], ["sign", "signed.test"], ["sync", "dyn.test"],
                  ["delzone", "-clean", "dyn.test"]]:
        result = server.rndc(*words)
        assert result.returncode == 1, words
        assert "is not open" in result.stderr and why in result.stderr, result.stderr
    result = tool("journal", "-c", server.configuration, "dyn.test")
    assert result.returncode == 1 and f"there is no store in '{server.store}'" in result.stderr
    assert server.rndc("reload", "plain.test").returncode == 0

    server.store.unlink()
    (server.folder / "aside").rename(server.store)
    come_back(server)
    server.kill()
    server.start()
    wait_until(lambda: server.answers_with("later.dyn.test", "A"), what="the update")


def test_a_reconfig_that_names_another_folder_opens_it_at_once(server):
    before = server.log().count("is open now")
    server.options += f' store-directory "{server.folder}/aside";'
    server.configure()
    assert server.rndc("reconfig").returncode == 0
    wait_until(lambda: server.log().count("is open now") > before, 10, "the store")
    come_back(server)


def test_a_folder_that_comes_while_another_is_named_is_not_taken(server):
    """The first one can be opened in the midst of the reconfig that names the second."""
    slow = server.folder / "slow.conf"
    os.mkfifo(slow)
    server.extra += f'\ninclude "{slow}";\n'
    server.options += f' store-directory "{server.folder}/aside";'
    server.configure()
    reads = server.log().count("loading configuration from")
    reconfig = threading.Thread(target=server.rndc, args=["reconfig"])
    reconfig.start()
    wait_until(lambda: server.log().count("loading configuration from") > reads, 20, "the reading")
    server.store.unlink()
    wait_until(lambda: (server.store / "lock.mdb").exists(), 70, "a store in the first folder")
    with open(slow, "w", encoding="ascii") as pipe:
        slow.unlink()
        slow.write_text("# It is read again, with what addzone has added.\n")
        pipe.write("# That is all.\n")
    reconfig.join(30)
    come_back(server)
    assert f"store-directory '{server.store}' is open now" not in server.log()


def test_the_end_comes_in_order_without_a_store(server):
    server.terminate()
    assert "exiting" in server.log() and "fatal" not in server.log()


@pytest.mark.parametrize("left", [0, 8192, 12288, 40960])
def test_a_damaged_store_is_told_and_not_begun_anew(make_signet, run_server, left):
    """Its data.mdb is empty or cut: no signal, no new store, and the good file brings all back."""
    server = make_signet()
    server.add_zone("plain.test", ZONE)
    server.add_zone("dyn.test", ZONE, statements="allow-update { any; };")
    run_server(server)
    for name in ["kept", *(f"more{i}" for i in range(20))]:
        assert add(server, name).returncode == 0
    server.terminate()
    tables = server.folder / "signet-store" / "data.mdb"
    good = tables.read_bytes()
    assert len(good) > left
    os.truncate(tables, left)
    server.start()
    assert answers(server, "plain.test") and not answers(server, "dyn.test")
    assert add(server, "lost").returncode == 2
    status = server.rndc("status").stdout
    for line in ["store: not open: ", "it is damaged: restore a backup", "tried again every minute"]:
        assert line in status and line.replace("store: not", "the store is not") in server.rndc(
            "zonestatus", "dyn.test").stdout, status
    assert "may write" not in status
    result = tool("journal", "-c", server.configuration, "dyn.test")
    assert result.returncode == 1 and "it is damaged: restore a backup" in result.stderr
    assert tables.stat().st_size == left

    tables.write_bytes(good)
    assert server.rndc("reconfig").returncode == 0
    wait_until(lambda: server.answers_with("kept.dyn.test", "A"), 30, "the update")
    assert "store:" not in server.rndc("status").stdout
    server.terminate()
    server.start()
    assert server.answers_with("more19.dyn.test", "A")
