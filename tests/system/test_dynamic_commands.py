"""freeze, thaw, sync, signing and sign, as the real rndc asks for them and nsupdate notices."""

import re
import subprocess
import threading

import pytest

from support.server import HOST
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster {serial} 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
www A 192.0.2.80
"""


def nsupdate(server, *lines):
    """The finished process; the server's zone is dyn.test."""
    text = "\n".join([f"server {HOST} {server.port}", "zone dyn.test", *lines, "send", ""])
    return subprocess.run(["nsupdate"], input=text, capture_output=True, text=True, timeout=30)


def add(server, name, address="192.0.2.9"):
    return nsupdate(server, f"update add {name}.dyn.test 300 A {address}")


def address_of(server, name):
    rrset = server.answers_with(f"{name}.dyn.test", "A")
    return None if rrset is None else rrset[0].address


def status(server, zone="dyn.test"):
    result = server.rndc("zonestatus", zone)
    assert result.returncode == 0, result.stderr
    return dict(line.split(": ", 1) for line in result.stdout.splitlines())


def restart(server):
    server.terminate()
    server.start(ready=False)
    server.wait_until_answering()
    wait_until(lambda: address_of(server, "www"), what="dyn.test")


def serial_of(server, zone="dyn.test"):
    return server.answers_with(zone, "SOA")[0].serial


def records_of(lines):
    """Records as sets of words, but for what the signer makes and the serial that it chooses."""
    words = [line.split() for line in lines]
    generated = {"SOA", "RRSIG", "NSEC", "DNSKEY", "CDS", "CDNSKEY", "TYPE65534"}
    return {tuple(w) for w in words if len(w) > 4 and w[2] == "IN" and w[3] not in generated}


@pytest.fixture(params=["plain", "signed"])
def dynamic(request, signet, run_server):
    policy = "default" if request.param == "signed" else None
    signet.file = signet.add_zone("dyn.test", ZONE.format(serial=1), policy=policy,
                                  statements="allow-update { any; };")
    signet.static = signet.add_zone("static.test", ZONE.format(serial=1))
    run_server(signet)
    wait_until(lambda: address_of(signet, "www"), what="dyn.test")
    return signet


def test_the_file_is_written_for_people_and_read_by_bind(dynamic, tmp_path):
    assert nsupdate(dynamic, "update add *.wild.dyn.test 300 TYPE65280 \\# 2 0102",
                    "update add one.dyn.test 60 MX 10 mail.example.").returncode == 0
    assert dynamic.rndc("freeze", "dyn.test").returncode == 0
    lines = dynamic.file.read_text().splitlines()
    assert lines[:2] == ["$ORIGIN dyn.test.", "$TTL 300"]
    assert "one                     60      MX      10 mail.example." in lines
    served = dynamic.axfr_lines("dyn.test", tmp_path / "axfr")
    read = subprocess.run(["named-compilezone", "-s", "full", "-o", "-", "dyn.test",
                           str(dynamic.file)], capture_output=True, text=True, timeout=30)
    assert read.returncode == 0, read.stdout + read.stderr
    assert records_of(read.stdout.splitlines()) == records_of(served)


def test_a_frozen_zone_is_edited_reloaded_and_thawed(dynamic):
    assert add(dynamic, "one").returncode == 0
    assert "one" not in dynamic.file.read_text()
    frozen = dynamic.rndc("-r", "freeze", "dyn.test")
    assert (frozen.returncode, frozen.stdout) == (0, "ISC_R_SUCCESS 0\n"), frozen.stderr
    text = dynamic.file.read_text()
    assert "one" in text and "RRSIG" not in text
    assert status(dynamic)["frozen"] == "yes"

    again = dynamic.rndc("freeze", "dyn.test")
    assert again.returncode == 1
    assert "rndc: 'freeze' failed: already frozen\n" in again.stderr
    assert "WARNING: The zone was already frozen.\n" in again.stderr
    assert "REFUSED" in add(dynamic, "two").stderr
    assert re.search(r" 127.0.0.1#\d+ \(dyn.test\): updating zone 'dyn.test/IN': update refused: "
                     r"the zone is frozen, `thaw` lets updates in again\n", dynamic.log())

    # Reload of a frozen zone reads its file, and it stays frozen.
    assert dynamic.rndc("reload", "dyn.test").stdout == "zone reload up-to-date\n"
    dynamic.file.write_text(text.replace("192.0.2.80", "192.0.2.81"))
    assert dynamic.rndc("reload", "dyn.test").stdout == "zone reload successful\n"
    assert address_of(dynamic, "www") == "192.0.2.81"
    assert "REFUSED" in add(dynamic, "two").stderr

    serial = serial_of(dynamic)
    dynamic.file.write_text(dynamic.file.read_text().replace("192.0.2.81", "192.0.2.82"))
    assert dynamic.rndc("thaw", "dyn.test").stdout == "The zone reload and thaw was successful.\n"
    assert (address_of(dynamic, "www"), address_of(dynamic, "one")) == ("192.0.2.82", "192.0.2.9")
    assert status(dynamic)["frozen"] == "no"
    assert serial_of(dynamic) > serial
    assert add(dynamic, "two").returncode == 0
    assert dynamic.rndc("thaw", "dyn.test").stdout == "The zone was not frozen.\n"
    refused = dynamic.rndc("reload", "dyn.test").stderr
    assert "dynamic zone\n" in refused and "freeze it, edit the file, thaw it" in refused
    assert address_of(dynamic, "two") == "192.0.2.9"


def test_a_broken_file_leaves_the_zone_frozen_and_served(dynamic):
    assert dynamic.rndc("freeze", "dyn.test").returncode == 0
    good = dynamic.file.read_text()
    dynamic.file.write_text(good + "x AA nonsense\n")
    thawed = dynamic.rndc("thaw", "dyn.test")
    assert thawed.returncode == 1 and "failure" in thawed.stderr
    assert address_of(dynamic, "www") == "192.0.2.80"
    assert status(dynamic)["frozen"] == "yes" and "problem" in status(dynamic)
    since = status(dynamic)["problem since"]
    restart(dynamic)
    told = status(dynamic)
    assert told["problem"].startswith(f"file '{dynamic.file}' was not taken before this server")
    assert told["problem since"] == since
    assert told["served meanwhile"].startswith("serial ") and told["frozen"] == "yes"
    assert dynamic.rndc("zonestatus", "dyn.test", program="signet").returncode == 2
    again = dynamic.rndc("thaw", "dyn.test")
    assert again.returncode == 1 and "unknown RR type 'AA'" in status(dynamic)["problem"]
    dynamic.file.write_text(good)
    assert dynamic.rndc("thaw", "dyn.test").returncode == 0
    assert add(dynamic, "one").returncode == 0
    restart(dynamic)
    assert "problem" not in status(dynamic)


def test_freeze_ends_the_refusal_of_a_file_that_it_writes_over(signet, run_server):
    path = signet.add_zone("dyn.test", ZONE.format(serial=1), policy="default")
    run_server(signet)
    wait_until(lambda: address_of(signet, "www"), what="dyn.test")
    path.write_text(path.read_text() + "x AA nonsense\n")
    assert signet.rndc("reload", "dyn.test").returncode == 1
    broken = path.read_text()
    signet.zones = []
    signet.add_zone("dyn.test", broken, policy="default", statements="allow-update { any; };")
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    assert signet.rndc("freeze", "dyn.test").returncode == 0
    assert "AA" not in path.read_text()
    restart(signet)
    told = status(signet)
    assert told["frozen"] == "yes" and "problem" not in told


def test_an_edit_that_a_reload_of_all_ignores_is_told(dynamic):
    assert dynamic.rndc("reload").returncode == 0
    text = dynamic.file.read_text()
    assert "was edited while the zone was not frozen" not in dynamic.log()
    dynamic.file.write_text(text + "edited A 192.0.2.77\n")
    assert dynamic.rndc("reload").returncode == 0
    dynamic.wait_for_log("was edited while the zone was not frozen, and is not read")
    assert "`freeze` writes the file, edit that, `thaw` reads it" in dynamic.log()
    assert address_of(dynamic, "edited") is None
    assert "problem" not in status(dynamic)
    assert add(dynamic, "one").returncode == 0


def be_static(server):
    server.zones[0] = server.zones[0].replace("allow-update { any; };", "")
    server.configure()


@pytest.mark.parametrize("how", ["reconfig", "restart", "edited", "another file"])
def test_a_zone_that_takes_no_updates_any_more_keeps_what_they_brought(dynamic, how):
    """Its file, which counts from then on, gets it first; an edit made meanwhile keeps a name."""
    assert add(dynamic, "one").returncode == 0
    serial = serial_of(dynamic)
    be_static(dynamic)
    if how == "edited":
        dynamic.file.write_text(dynamic.file.read_text() + "edited A 192.0.2.77\n")
    if how == "another file":
        (dynamic.folder / "another").write_text(ZONE.format(serial=1))
        dynamic.zones[0] = dynamic.zones[0].replace(str(dynamic.file), str(dynamic.folder / "another"))
        dynamic.configure()
    if how == "restart":
        dynamic.terminate()
        dynamic.start()
    else:
        assert dynamic.rndc("reconfig").returncode == 0
    dynamic.wait_for_log("it takes no updates any more, and its file lacks what they have brought")
    wait_until(lambda: status(dynamic)["dynamic"] == "no", what="the zone is static")
    if how == "another file":
        assert "one" in (dynamic.folder / "another.updates").read_text()
        wait_until(lambda: address_of(dynamic, "one") is None, what="the other file")
        return
    wait_until(lambda: "one" in dynamic.file.read_text(), what="the file")
    assert (address_of(dynamic, "one"), address_of(dynamic, "edited")) == ("192.0.2.9", None)
    assert serial_of(dynamic) >= serial
    if how == "edited":
        assert "edited" in dynamic.file.with_name(dynamic.file.name + ".edited").read_text()
    dynamic.terminate()
    dynamic.start()
    wait_until(lambda: address_of(dynamic, "one"), what="the update after a restart")
    # From now on it is its file's.
    text = dynamic.file.read_text().replace("192.0.2.80", "192.0.2.81")
    dynamic.file.write_text(text)
    assert dynamic.rndc("reload", "dyn.test").returncode == 0
    wait_until(lambda: address_of(dynamic, "www") == "192.0.2.81", what="the edit")
    assert address_of(dynamic, "one") == "192.0.2.9"
    assert not dynamic.file.with_name(dynamic.file.name + ".edited").exists() or how == "edited"


def test_a_zone_that_cannot_be_written_is_served_on_as_it_was(dynamic):
    assert add(dynamic, "one").returncode == 0
    be_static(dynamic)
    gone = dynamic.folder / "gone" / "file"   # its folder is not there
    dynamic.zones[0] = dynamic.zones[0].replace(str(dynamic.file), str(gone))
    dynamic.configure()
    dynamic.rndc("reconfig")
    wait_until(lambda: "brought" in dynamic.rndc("zonestatus", "dyn.test").stdout, what="the problem")
    assert address_of(dynamic, "one") == "192.0.2.9"


def test_frozen_stays_frozen_over_a_restart(dynamic):
    assert add(dynamic, "one").returncode == 0
    assert dynamic.rndc("freeze", "dyn.test").returncode == 0
    dynamic.kill()
    dynamic.start()
    wait_until(lambda: address_of(dynamic, "one"), what="the recovered zone")
    assert status(dynamic)["frozen"] == "yes"
    assert "REFUSED" in add(dynamic, "two").stderr
    assert dynamic.rndc("thaw").returncode == 0
    assert add(dynamic, "two").returncode == 0


def test_freeze_thaw_and_sync_of_all_zones(dynamic):
    assert add(dynamic, "one").returncode == 0
    static = dynamic.static.read_text()
    for command in ["sync", "freeze"]:
        result = dynamic.rndc(command)
        assert (result.returncode, result.stdout) == (0, ""), result.stderr
        assert "one" in dynamic.file.read_text()
    assert dynamic.static.read_text() == static
    assert status(dynamic)["frozen"] == "yes"
    assert dynamic.rndc("thaw").returncode == 0
    assert status(dynamic)["frozen"] == "no"


def test_sync_writes_the_file_and_says_nothing(dynamic):
    for words in [["sync", "dyn.test"], ["sync", "-clean", "dyn.test"], ["sync", "-clean"]]:
        name = f"n{len(dynamic.log())}"
        assert add(dynamic, name).returncode == 0
        result = dynamic.rndc(*words)
        assert (result.returncode, result.stdout) == (0, ""), result.stderr
        assert name in dynamic.file.read_text()
    assert dynamic.rndc("sync", "static.test").returncode == 0
    assert "no matching zone 'nope.test' in any view" in dynamic.rndc("sync", "nope.test").stderr


def test_the_file_has_nothing_that_the_signer_made(signet, run_server):
    """An NSEC3 chain lies apart from the zone's names, and was once written with them."""
    signet.extra = """dnssec-policy "hashed" { keys { csk lifetime unlimited algorithm 13; };
                      nsec3param iterations 0 optout no salt-length 4; };"""
    file = signet.add_zone("dyn.test", ZONE.format(serial=1), policy="hashed",
                           statements="allow-update { any; };")
    run_server(signet)
    signet.wait_until_signed("dyn.test")
    assert add(signet, "more").returncode == 0
    assert signet.rndc("sync", "dyn.test").returncode == 0
    text = file.read_text()
    assert "more" in text and not re.search("RRSIG|NSEC|DNSKEY|CDS", text), text
    assert "NSEC3" in str(signet.axfr_lines("dyn.test", signet.folder / "signed"))


def test_no_acknowledged_update_is_lost_by_freeze_and_thaw(dynamic):
    """Updates without a pause beside freezes and thaws: each is refused, or there for good."""
    done, stop = [], threading.Event()

    def update(worker):
        number = 0
        while not stop.is_set():
            number += 1
            name = f"w{worker}-{number}"
            if add(dynamic, name).returncode == 0:
                done.append(name)

    workers = [threading.Thread(target=update, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(12):
            assert dynamic.rndc("freeze", "dyn.test").returncode == 0
            assert dynamic.rndc("thaw", "dyn.test").returncode == 0
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert len(done) > 12
    missing = [name for name in done if address_of(dynamic, name) != "192.0.2.9"]
    assert missing == []


@pytest.fixture
def signed(signet, run_server):
    signet.file = signet.add_zone("dyn.test", ZONE.format(serial=1), policy="default")
    signet.add_zone("static.test", ZONE.format(serial=1))
    run_server(signet)
    signet.wait_until_signed("dyn.test")
    return signet


def test_signing_serial_raises_the_served_one(signed):
    result = signed.rndc("signing", "-serial", "1000", "dyn.test")
    assert (result.returncode, result.stdout) == (0, "serial request queued\n"), result.stderr
    wait_until(lambda: serial_of(signed) == 1000, what="serial 1000")
    assert status(signed)["serial"] == "1"
    for words, error in [(["-serial", "1000", "dyn.test"], "out of range"),
                         (["-serial", "5000000000", "dyn.test"], "out of range"),
                         (["-serial", "x", "dyn.test"], "not a valid number"),
                         (["-serial", "50"], "unexpected end of input"),
                         (["-serial", "50", "static.test"], "not dynamic"),
                         (["-foo", "dyn.test"], "syntax error"), ([], "unexpected end of input")]:
        result = signed.rndc("signing", *words)
        assert result.returncode == 1 and f"'signing' failed: {error}\n" in result.stderr, words
    # What the policy decides is not for hands: named's words, and what to do.
    told = signed.rndc("signing", "-nsec3param", "1", "0", "0", "-", "dyn.test").stdout.splitlines()
    assert told[0] == "zone uses dnssec-policy, use rndc dnssec command instead"
    assert 'dnssec-policy "default" is built in, so define one of your own in ' in told[1]
    assert signed.rndc("signing", "-list", "static.test").stdout == "No signing records found\n"


def test_sign_makes_every_signature_anew(signed):
    def signatures():
        response = signed.query("www.dyn.test", "A")
        return [record.to_text() for rrset in response.answer for record in rrset
                if rrset.rdtype == 46]
    before, serial = signatures(), serial_of(signed)
    assert signed.rndc("sign", "dyn.test").returncode == 0
    wait_until(lambda: signatures() != before, what="new signatures")
    assert serial_of(signed) > serial
    denied = signed.rndc("sign", "static.test")
    assert denied.returncode == 1 and "'sign' failed: permission denied" in denied.stderr
