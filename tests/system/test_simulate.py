"""`signet simulate`: what a policy will do to a zone's keys, from the key files that exist."""

import calendar
import json
import os
import re
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest
from support.signet import BIN

ZONE = "keys.test"
SPLIT = "ksk lifetime unlimited algorithm 13; zsk lifetime P90D algorithm 13;"
DAY = 86400


class Folder:
    """A configuration of one zone in a folder of its own, and its key files."""

    def __init__(self, path):
        self.path = path
        (path / "keys").mkdir()
        self.configure()

    def configure(self, keys=SPLIT, policy="p", options="", zone_options=""):
        (self.path / "t.conf").write_text(
            f'options {{ directory "{self.path}"; key-directory "keys"; }};\n'
            f'dnssec-policy "p" {{ keys {{ {keys} }}; {options} }};\n'
            f'zone "{ZONE}" {{ type primary; file "zone.db"; dnssec-policy {policy}; inline-signing yes;'
            f' {zone_options} }};\n')

    def keygen(self, *options, algorithm="13"):
        size = ["-b", "2048"] if int(algorithm) < 13 else []
        done = subprocess.run(["dnssec-keygen", "-q", "-a", algorithm, *size, *options, ZONE],
                              cwd=self.path / "keys", check=True, capture_output=True, text=True)
        return int(done.stdout.strip()[-5:])

    def settime(self, tag, *options, algorithm="013"):
        subprocess.run(["dnssec-settime", "-s", *options, f"K{ZONE}.+{algorithm}+{tag:05}"], cwd=self.path / "keys",
                       check=True, capture_output=True)

    def snapshot(self):
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in self.path.rglob("K*")}

    def run(self, *arguments, status=0):
        before = self.snapshot()
        done = subprocess.run([BIN / "signet", "simulate", "-c", "t.conf", *arguments], cwd=self.path,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stderr
        assert self.snapshot() == before, "key files are read only"
        return done

    def json(self, *arguments, **keywords):
        return json.loads(self.run("--json", *arguments, ZONE, **keywords).stdout)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def moves(page, key, record):
    return [(event["epoch"], event["to"]) for event in page["events"]
            if event["event"] == "state" and event["key"] == key and event["record"] == record]


def test_a_first_signing_and_a_zsk_roll_come_out_as_worked(folder):
    page = folder.json("--from", "20260101", "--for", "120d", "--parent-delay", "0")
    start = calendar.timegm((2026, 1, 1, 0, 0, 0))
    assert [(key["role"], key["invented"]) for key in page["keys"]] == [("ksk", True), ("zsk", True), ("zsk", True)]
    assert moves(page, 0, "DS") == [(start + 86700, "rumoured"), (start + 176700, "omnipresent")]
    due = start + 90 * DAY - 7500
    assert moves(page, 2, "DNSKEY") == [(due, "rumoured"), (due + 7500, "omnipresent")]
    assert moves(page, 1, "ZRRSIG") == [(start, "rumoured"), (start + 86700, "omnipresent"),
                                        (due + 7500, "unretentive"), (due + 875400, "hidden")]
    assert moves(page, 1, "DNSKEY")[2:] == [(due + 875400, "unretentive"), (due + 879300, "hidden")]
    assert page["complete"] is True


def settled(folder, *roles, algorithm="13"):
    """Keys that have been in use for years, as their .state files tell."""
    now = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() - 400 * DAY))
    tags = []
    for role in roles:
        ksk = role in ("ksk", "csk")
        tag = folder.keygen(*(["-f", "KSK"] if ksk else []), "-P", now, "-A", now, algorithm=algorithm)
        states = ["-g", "OMNIPRESENT", "-k", "OMNIPRESENT", now]
        states += ["-r", "OMNIPRESENT", now, "-d", "OMNIPRESENT", now] if ksk else []
        states += ["-z", "OMNIPRESENT", now] if role in ("zsk", "csk") else []
        folder.settime(tag, *states, algorithm=f"{int(algorithm):03}")
        tags.append(tag)
    return tags


def test_it_goes_on_from_the_keys_that_exist(folder):
    ksk, zsk = settled(folder, "ksk", "zsk")
    page = folder.json("--for", "30d")
    real = [key for key in page["keys"] if not key["invented"]]
    assert {key["tag"] for key in real} == {ksk, zsk}
    assert all(key["at_first"]["DNSKEY"] == "omnipresent" for key in real)
    # Its 90 days are over: a successor comes at once. The KSK stays as it is.
    new = [key for key in page["keys"] if key["invented"]]
    assert [key["role"] for key in new] == ["zsk"]
    assert not [event for event in page["events"] if event.get("tag") == ksk]
    gone = [event["time"] for event in page["events"] if event.get("tag") == zsk and event.get("to") == "hidden"]
    assert len(gone) == 2


def test_an_edit_of_the_algorithm_rolls(folder):
    ksk, zsk = settled(folder, "ksk", "zsk", algorithm="8")
    page = folder.json("--for", "10d", "--parent-delay", "6h")
    assert [key["role"] for key in page["keys"] if key["invented"]] == ["ksk", "zsk"]
    of_old = [(event["tag"], event["record"]) for event in page["events"]
              if event.get("to") == "unretentive" and event["tag"] in (ksk, zsk)]
    # The DS first, then all signatures and keys of the algorithm together (RFC 6781 4.1.4).
    assert of_old[0] == (ksk, "DS")
    assert set(of_old[1:]) == {(ksk, "DNSKEY"), (ksk, "KRRSIG"), (zsk, "DNSKEY"), (zsk, "ZRRSIG")}
    ds = [event for event in page["events"] if event["event"].startswith("ds-")]
    assert {event["event"] for event in ds} == {"ds-published", "ds-removed"}
    asked = next(event["epoch"] for event in page["events"] if event.get("record") == "DS")
    assert {event["epoch"] for event in ds} == {asked + 6 * 3600}


def test_going_insecure(folder):
    (csk,) = settled(folder, "csk")
    folder.settime(csk, "-z", "OMNIPRESENT", "20200101")
    folder.configure(policy="insecure")
    page = folder.json("--for", "30d")
    assert [event["event"] for event in page["events"]][:2] == ["state", "cds-delete-published"]
    assert page["keys"][0]["at_last"]["DNSKEY"] == "hidden"
    assert page["warnings"] == []


def test_by_hand_with_a_parent_that_nobody_asks(folder):
    folder.configure(options="manual-mode yes;", zone_options="checkds no;")
    done = folder.run("--for", "10d", "--step-delay", "1h", ZONE)
    assert re.search(r"zone +signet dnssec -step ", done.stdout)
    assert re.search(r"the parent publishes its DS +then: signet dnssec -checkds -key \d+ -alg 13 published keys.test",
                     done.stdout)
    assert "note: manual-mode: the operator says -step 1h after" in done.stdout
    assert "the operator says so at once, since checkds is no" in done.stdout
    done = folder.run("--for", "10d", "--step-delay", "never", ZONE)
    assert re.search(r"[KZC]SK \d", done.stdout), "the first keys need no step"
    assert "the parent publishes its DS" not in done.stdout
    assert "warning: at the end something waits for `signet dnssec -step`" in done.stdout


def test_what_has_no_margin_is_told(folder):
    folder.configure("ksk lifetime unlimited algorithm 13; zsk lifetime P11D algorithm 13;")
    page = folder.json("--for", "100d", "--parent-delay", "never")
    assert any(line.startswith("zsk lifetime 11d: a roll takes 10d3h10m, so that keys roll most of the time")
               for line in page["warnings"])
    assert any("waits for the parent to publish the DS since" in line for line in page["warnings"])


def test_a_lost_half_makes_no_key(folder):
    zsk = folder.keygen("-P", "-40d", "-A", "-40d")
    (folder.path / "keys" / f"K{ZONE}.+013+{zsk:05}.private").unlink()
    page = folder.json("--for", "30d")
    assert page["events"] == [] and page["keys"] == []
    assert any(".private is not: no key is made" in line for line in page["warnings"])


def test_the_picture_is_svg_with_a_bar_for_each_record(folder):
    folder.configure('csk lifetime P60D algorithm 13;')
    done = folder.run("--for", "100d", "--svg", "life.svg", ZONE)
    assert "keys at the end" in done.stdout
    root = ElementTree.parse(folder.path / "life.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for label in ("DNSKEY", "ZRRSIG", "KRRSIG", "DS", "RRSIG", "parent"):
        assert texts.count(label) == 2, label
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    for state in ("rumoured", "omnipresent", "unretentive", "DS at the parent", "signatures of the zone are valid"):
        assert any(title.startswith(state) for title in titles), state


@pytest.mark.parametrize("arguments, message", [
    (["--for", "101y", ZONE], "--for: '101y' cannot be"),
    (["--for", "0", ZONE], "--for: '0' cannot be"),
    (["--parent-delay", "soon", ZONE], "--parent-delay: 'soon' cannot be"),
    (["--from", "yesterday", ZONE], "--from: 'yesterday' cannot be"),
    (["other.test"], "zone 'other.test' is not in t.conf"),
    ([ZONE, "IN", "inner"], f"zone '{ZONE}' is not in t.conf"),
    (["--svg", "nowhere/x.svg", ZONE], "nowhere/x.svg: "),
    ([], "usage: signet simulate"),
])
def test_what_cannot_be_is_told(folder, arguments, message):
    assert message in folder.run(*arguments, status=1).stderr


def test_a_zone_that_is_not_signed(folder):
    folder.configure(policy="none")
    assert f"zone '{ZONE}' has no dnssec-policy" in folder.run(ZONE, status=1).stderr


def test_a_folder_that_is_not_there(folder):
    os.rmdir(folder.path / "keys")
    assert "keys in 'keys': " in folder.run(ZONE, status=1).stderr


def test_a_zone_of_several_views_is_named_with_its_view(folder):
    zone = f'zone "{ZONE}" {{ type primary; file "%s.db"; dnssec-policy default; inline-signing yes; }};'
    (folder.path / "t.conf").write_text(
        f'options {{ directory "{folder.path}"; key-directory "keys"; }};\n'
        + "".join(f'view "{view}" {{ {zone % view} }};\n' for view in ("inner", "outer")))
    assert "in several views" in folder.run(ZONE, status=1).stderr
    assert "view outer" in folder.run("--for", "1d", ZONE, "IN", "outer").stdout
