"""signet backup and restore, and signet journal beside named-journalprint."""

import os
import re
import shutil
import signal
import subprocess
import threading

import dns.rcode
import pytest

from support.fake_primary import FakePrimary
from support.judges import assert_zone_validates
from support.notify_listener import tell
from support.peers import Bind, Knot, installed
from support.server import HOST
from support.signet import tool
from support.updates import add_name
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
www A 192.0.2.80
"""


def nsupdate(server, *lines):
    text = "\n".join([f"server {HOST} {server.port}", "zone dyn.test", *lines, "send", ""])
    return subprocess.run(["nsupdate"], input=text, capture_output=True, text=True, timeout=30)


def add(server, name):
    return nsupdate(server, f"update add {name}.dyn.test 300 A 192.0.2.9")


@pytest.fixture
def server(make_signet, run_server):
    server = make_signet(options='key-directory "keys"; allow-new-zones yes;')
    (server.folder / "keys").mkdir()
    server.add_zone("dyn.test", ZONE, policy="default", statements="allow-update { any; };")
    run_server(server)
    server.wait_until_signed("dyn.test")
    return server


def journal(server, *words):
    return tool("journal", "-c", server.configuration, *words)


def records(server):
    response = server.axfr("dyn.test", server.folder / "axfr").read_text()
    return sorted(line for line in response.splitlines() if line and line[0] != ";")


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in folder.glob("K*")}


def test_a_backup_made_under_updates_brings_everything_back(server):
    (server.folder / "new.db").write_text(ZONE)
    assert server.rndc("addzone", "new.test", '{ type primary; file "new.db"; };').returncode == 0
    done, stop = [], threading.Event()

    def update():
        while not stop.is_set():
            name = f"n{len(done)}"
            assert add(server, name).returncode == 0
            done.append(name)

    worker = threading.Thread(target=update)
    worker.start()
    wait_until(lambda: len(done) > 5, what="some updates")
    before = len(done)
    result = tool("-c", server.folder / "rndc.conf", "backup", "saved", cwd=server.folder)
    stop.set()
    worker.join()
    assert result.returncode == 0, result.stderr
    saved = server.folder / "saved"
    assert result.stdout == f"backup written to '{saved}'\n"
    assert saved.stat().st_mode & 0o777 == 0o700
    copied = modes(saved / "keys" / "1")
    assert copied == modes(server.folder / "keys")
    assert {mode for name, mode in copied.items() if name.endswith(".private")} == {0o600}

    again = server.rndc("backup", str(saved))
    assert again.returncode == 1 and "already exists" in again.stderr
    assert f"'{saved}': already exists; name a folder that does not exist yet" in again.stderr
    nowhere = server.rndc("backup", str(server.folder / "no" / "where"))
    assert nowhere.returncode == 1 and "the folder that it shall be made in does not exist" in \
        nowhere.stderr
    assert "expected: backup PATH" in server.rndc("backup").stderr
    relative = server.rndc("backup", "elsewhere")
    assert relative.returncode == 1 and "syntax error" in relative.stderr

    words = ["restore", "-c", server.configuration, saved]
    refused = tool(*words)
    assert refused.returncode == 1 and "a server is running" in refused.stderr
    server.kill()
    store = server.folder / "signet-store"
    refused = tool(*words)
    assert refused.returncode == 1 and "is there already" in refused.stderr
    assert "-f renames it" in refused.stderr
    keys = server.folder / "keys"
    private = next(keys.glob("K*.private"))
    text = private.read_bytes()
    private.write_bytes(text + b"# edited\n")
    assert tool(*words).returncode == 1
    assert private.read_bytes() == text + b"# edited\n"

    shutil.rmtree(store)
    refused = tool(*words)
    assert refused.returncode == 1 and private.name in refused.stderr
    assert not (store / "data.mdb").exists()
    shutil.rmtree(keys)
    restored = tool(*words)
    assert restored.returncode == 0, restored.stderr
    assert f"keys are in '{keys}'" in restored.stdout
    assert modes(keys) == copied and private.read_bytes() == text
    server.start()
    server.wait_until_signed("dyn.test")
    for name in done[:before]:
        assert server.answers_with(f"{name}.dyn.test", "A"), name
    assert server.answers_with("www.new.test", "A")
    assert len(list(keys.glob("K*.key"))) == len(list((saved / "keys" / "1").glob("K*.key")))


def test_restore_by_force_sets_aside_what_was(server):
    assert add(server, "one").returncode == 0
    saved = server.folder / "saved"
    assert server.rndc("backup", str(saved)).returncode == 0
    assert add(server, "two").returncode == 0
    server.terminate()
    restored = tool("restore", "-f", "-c", server.configuration, saved)
    assert restored.returncode == 0, restored.stderr
    aside, = (server.folder / "signet-store").glob("data.mdb.before-*")
    assert f"is '{aside}' now" in restored.stdout
    server.start()
    server.wait_until_signed("dyn.test")
    assert server.answers_with("one.dyn.test", "A")
    assert server.answers_with("two.dyn.test", "A") is None
    missing = tool("restore", "-c", server.configuration, server.folder)
    assert missing.returncode == 1 and "is not a whole backup" in missing.stderr
    assert "name a folder that `signet backup` has made" in missing.stderr


def test_a_backup_whose_keys_another_configuration_has_elsewhere_is_refused(server):
    saved = server.folder / "saved"
    assert server.rndc("backup", str(saved)).returncode == 0
    server.terminate()
    shutil.rmtree(server.folder / "signet-store")
    text = server.configuration.read_text()
    keys, other = server.folder / "keys", server.folder / "elsewhere"
    server.configuration.write_text(text.replace('key-directory "keys"',
                                                 'key-directory "elsewhere"'))
    words = ["-c", server.configuration, saved]
    refused = tool("restore", *words)
    assert refused.returncode == 1 and not (server.folder / "signet-store").exists()
    assert f"the keys came from '{keys}', and '{server.configuration}' looks for" in refused.stderr
    assert f"'{saved}/MANIFEST'" in refused.stderr and "by -k" in refused.stderr
    # By way of a link that is not there before its target is.
    (server.folder / "link").symlink_to(server.folder)
    for named in [other, server.folder / "link" / "elsewhere"]:
        server.configuration.write_text(text.replace('key-directory "keys"',
                                                     f'key-directory "{named}"'))
        shutil.rmtree(server.folder / "signet-store", ignore_errors=True)
        shutil.rmtree(other, ignore_errors=True)
        manifest = saved / "MANIFEST"
        manifest.write_text(manifest.read_text().replace(f" {keys}\n", f" {other}\n"))
        assert tool("restore", *words).returncode == 0
    # One more beside those that are named is told.
    manifest.write_text(manifest.read_text() + f"keys/2 {keys}\n")
    shutil.copytree(saved / "keys" / "1", saved / "keys" / "2")
    shutil.rmtree(server.folder / "signet-store")
    told = tool("restore", *words)
    assert told.returncode == 0 and f"keys came from '{keys}', which" in told.stderr
    server.configuration.write_text(text.replace('key-directory "keys"',
                                                 'key-directory "nowhere"'))
    shutil.rmtree(server.folder / "signet-store")
    assert tool("restore", *words).returncode == 1
    assert tool("restore", "-k", *words).returncode == 0
    # Where it names none, all zones may be of addzone.
    server.configuration.write_text(re.sub(r'zone "dyn.test" .*', "", text))
    shutil.rmtree(server.folder / "signet-store")
    told = tool("restore", *words)
    assert told.returncode == 0 and "but one of `addzone`" in told.stderr


def ixfr(server, serial):
    answer = subprocess.run(["dig", f"@{HOST}", "-p", str(server.port), "+tcp", "+onesoa",
                             "dyn.test", f"ixfr={serial}"], capture_output=True, text=True,
                            timeout=30).stdout
    return [line.split()[0] for line in answer.splitlines() if line and line[0] != ";"]


def test_after_restore_a_secondary_that_is_silent_at_first_is_overtaken(make_signet, run_server):
    """It got later serials from us, of which the backup knows nothing, and says so late."""
    other = FakePrimary("dyn.test.", ZONE.replace("hostmaster 1 ", "hostmaster 4000 "))
    other.answers = False
    other.start()
    try:
        server = make_signet(options='key-directory "keys";')
        (server.folder / "keys").mkdir()
        server.add_zone("dyn.test", ZONE, policy="default",
                        statements="allow-update { any; }; notify explicit; "
                                   f"also-notify {{ {HOST} port {other.port}; }};")
        run_server(server)
        server.wait_until_signed("dyn.test")
        assert add(server, "one").returncode == 0
        assert server.rndc("backup", str(server.folder / "saved")).returncode == 0
        server.terminate()
        restored = tool("restore", "-f", "-c", server.configuration, server.folder / "saved")
        assert restored.returncode == 0, restored.stderr
        mark = server.folder / "signet-store" / "restored"
        assert mark.exists()
        server.start()
        server.wait_until_signed("dyn.test")
        status = server.rndc("zonestatus", "dyn.test").stdout
        assert "secondaries asked for their serial: 1" in status
        before = server.serial("dyn.test")
        assert add(server, "two").returncode == 0
        # Somebody may have another zone under that serial: all of it is sent.
        assert "ns.dyn.test." in ixfr(server, before)
        other.answers = True
        wait_until(lambda: server.serial("dyn.test") == 4001, 90, "overtaken")
        wait_until(lambda: not mark.exists(), 10, "the end of the doubt")
        assert "asked for their serial" not in server.rndc("zonestatus", "dyn.test").stdout
        for name in ["three", "four"]:
            before = server.serial("dyn.test")
            assert add(server, name).returncode == 0
        assert "four.dyn.test." in ixfr(server, before)
        assert "ns.dyn.test." not in ixfr(server, before)
    finally:
        other.stop()


LOST = 5


def add_at_once(server, zone, *names):
    for name in names:
        assert add_name(server, zone, name) == dns.rcode.NOERROR


def signal_all(peers, number):
    for peer in peers:
        os.killpg(peer.process.pid, number)


def test_after_restore_nobody_gets_a_difference_upon_what_was_lost(server, run_server, tmp_path):
    """The backup is older than what BIND and Knot have. They are silent until updates have brought
    the restored zone to the serial that they have, and then again until it is above that. Of
    another zone nobody is told, so that nobody knows whom to ask."""
    zones = ("dyn.test.", "quiet.test.")
    peers = [run_server(kind(tmp_path / kind.name, fetched=[(zone, server.port) for zone in zones]))
             for kind in (Bind, Knot)]
    told = " ".join(f"{HOST} port {peer.port};" for peer in peers)
    server.zones[0] = server.zones[0].replace(
        "allow-update", f"notify explicit; notify-delay 0; also-notify {{ {told} }}; allow-update")
    server.add_zone("quiet.test.", ZONE, policy="default",
                    statements="notify no; allow-update { any; };")
    server.configure()
    assert server.rndc("reconfig").returncode == 0
    server.wait_until_signed("quiet.test.")

    def all_have_it():
        for zone in zones:
            for peer in peers:
                tell(peer, zone)
            wait_until(lambda: all(peer.serial(zone) == server.serial(zone) for peer in peers), 30,
                       "all have the version")
            ours = server.axfr_lines(zone, tmp_path / zone)
            assert not any(line.startswith("lost") for line in ours)
            for peer in peers:
                assert peer.axfr_lines(zone, tmp_path / peer.name / "theirs") == ours, peer.name

    for updates in (LOST, LOST + 3):
        all_have_it()
        saved, folder = {zone: server.serial(zone) for zone in zones}, f"saved{updates}"
        assert server.rndc("backup", str(server.folder / folder)).returncode == 0
        for zone in zones:
            add_at_once(server, zone, *(f"lost{updates}-{number}" for number in range(LOST)))
            for peer in peers:
                tell(peer, zone)
            wait_until(lambda: all(peer.serial(zone) == saved[zone] + LOST for peer in peers), 30,
                       "all have what will be lost")
        server.terminate()
        restored = tool("restore", "-f", "-c", server.configuration, server.folder / folder)
        assert restored.returncode == 0, restored.stderr

        begin = len(server.log())
        signal_all(peers, signal.SIGSTOP)
        try:
            server.start()
            for zone in zones:
                server.wait_until_signed(zone)
                add_at_once(server, zone, *(f"new{updates}-{number}" for number in range(updates)))
                assert server.serial(zone) == saved[zone] + updates
        finally:
            signal_all(peers, signal.SIGCONT)
        assert "transfers are whole for a week" in server.rndc("zonestatus", "quiet.test").stdout
        wait_until(lambda: server.serial("dyn.test.") > saved["dyn.test."] + LOST, 60,
                   "above what they have")
        for zone in zones:
            add_at_once(server, zone, f"after{updates}")
        all_have_it()
        for zone in zones:
            wrong = f"transfer of '{zone}IN': IXFR started (serial {saved[zone] + LOST} -> "
            assert wrong.replace(".IN", "/IN") not in server.log()[begin:], zone
    for zone in zones:
        assert_zone_validates(zone, tmp_path / zone)


def test_the_journal_tells_each_change_beside_the_server_and_without(server):
    before = records(server)
    for name in ["one", "two"]:
        assert add(server, name).returncode == 0
    assert nsupdate(server, "update delete one.dyn.test").returncode == 0
    online = journal(server, "dyn.test")
    assert online.returncode == 0, online.stderr
    assert add(server, "three").returncode == 0, "the reader does not stand in the way"
    lines = online.stdout.splitlines()
    comments = [line for line in lines if line.startswith("; ")]
    date = r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
    assert re.match(rf"; {date}, commit 1, serial \d+ \(unsigned 1\): the whole zone; its history begins here$",
                    comments[0])
    assert re.match(rf"; {date}, commit \d+, serial \d+ -> \d+ \(unsigned 1 -> 2\)$", comments[1])
    assert any(line.startswith("add one.dyn.test.") for line in lines)
    assert any(line.startswith("del one.dyn.test.") for line in lines)

    # What it tells, done to what was, is what is: also by the judge of transfers.
    zone = {normal(line) for line in before}
    for line in journal(server, "dyn.test").stdout.splitlines():
        if line.startswith("del "):
            zone.remove(normal(line[4:]))
        elif line.startswith("add "):
            zone.add(normal(line[4:]))
    assert zone == {normal(line) for line in records(server)}

    serial = server.answers_with("dyn.test", "SOA")[0].serial
    last = journal(server, "-i", str(serial - 1), "dyn.test").stdout
    assert last.count("; ") == 1 and "add three.dyn.test." in last
    server.kill()
    offline = journal(server, "dyn.test", "IN", "_default")
    assert offline.returncode == 0 and offline.stdout.startswith(online.stdout)
    for words, text in [(["nope.test"], "the store has no zone 'nope.test'"),
                        (["dyn.test", "IN", "v"], "in view 'v'")]:
        result = journal(server, *words)
        assert result.returncode == 1 and text in result.stderr
    missing = tool("journal", "-s", server.folder / "nowhere", "dyn.test")
    assert missing.returncode == 1 and "there is no store" in missing.stderr
    assert not (server.folder / "nowhere").exists()


def normal(line):
    """One record, whatever blanks and case its text has."""
    owner, ttl, rrclass, rdtype, rdata = line.split(None, 4)
    return owner.lower(), ttl, rrclass, rdtype, rdata.replace(" ", "").lower()


class DynamicBind(Bind):
    def configure(self):
        super().configure()
        path = self.folder / "named.conf"
        path.write_text(path.read_text().replace("check-names ignore;",
                                                 "check-names ignore; allow-update { any; };"))


UPDATES = [
    ["update add one 300 A 192.0.2.9"],
    ["update add one 300 A 192.0.2.10", "update add two 60 TXT \"a b\" c",
     "update add two 60 MX 10 mail"],
    ["update add one 600 A 192.0.2.9"],  # another TTL: that of the whole RRset
    ["update delete one A 192.0.2.9", "update add one 600 A 192.0.2.11"],
    ["update delete two", "update add a.b.c 300 CNAME www"],
    ["update delete www A", "update add www 300 AAAA 2001:db8::1", "update add * 1 A 192.0.2.1"],
    ["update add @ 300 NS ns2", "update add ns2 300 A 192.0.2.2"],
    ["update delete a.b.c CNAME", "update delete * A"],
]


def told_changes(text):
    """Transactions, each as a list of pairs: del or add, and the record."""
    transactions = []
    for line in text.splitlines():
        if not line or line.startswith(";"):
            continue
        deed, record = line.split(None, 1)
        record = normal(record)
        if deed == "del" and record[3] == "SOA":
            transactions.append([])
        transactions[-1].append((deed, record))
    return transactions


@pytest.mark.skipif(not installed("named", "named-journalprint"), reason="BIND is not installed")
def test_the_journal_tells_what_named_journalprint_tells(make_signet, run_server, tmp_path):
    server = make_signet()
    server.add_zone("dyn.test", ZONE, statements="allow-update { any; };")
    folder = tmp_path / "named"
    folder.mkdir()
    (folder / "dyn.zone").write_text(ZONE)
    named = DynamicBind(folder, zones=[("dyn.test", "dyn.zone")])
    for each in [server, named]:
        run_server(each)
        for lines in UPDATES:
            said = nsupdate(each, *(with_origin(line) for line in lines))
            assert said.returncode == 0, said.stderr
    printed = subprocess.run(["named-journalprint", str(folder / "dyn.zone.jnl")],
                             capture_output=True, text=True, timeout=30)
    assert printed.returncode == 0, printed.stderr
    theirs = told_changes(printed.stdout)
    ours = told_changes(journal(server, "dyn.test").stdout)
    assert len(theirs) == len(ours) == len(UPDATES)
    for their, our in zip(theirs, ours):
        assert sorted(their) == sorted(our)
        # What goes before what comes, the SOA first of both.
        for told in [their, our]:
            deeds = [deed for deed, _ in told]
            assert deeds == sorted(deeds, reverse=True)
            soas = [at for at, (_, record) in enumerate(told) if record[3] == "SOA"]
            assert soas == [0, deeds.index("add")]


def with_origin(line):
    """nsupdate knows no origin for the names of records."""
    words = line.split(" ")
    words[2] = {"@": "dyn.test."}.get(words[2], f"{words[2]}.dyn.test.")
    if words[-1].isalnum() and words[-2] in ["CNAME", "NS", "10"]:
        words[-1] += ".dyn.test."
    return " ".join(words)
