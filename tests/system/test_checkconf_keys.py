"""`signet checkconf -k`: what would the configured policies do to the keys that exist?"""

import os
import re
import subprocess

import pytest
from support.material import small_zone
from support.signet import BIN

ZONE = "keys.test"
SPLIT = 'ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13;'
SINCE = ["-P", "-40d", "-A", "-40d"]


class Folder:
    """A configuration of one zone in a folder of its own, and its key files."""

    def __init__(self, path):
        self.path = path
        (path / "zone.db").write_text("$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
        self.configure()

    def configure(self, keys=SPLIT, policy="p", statements="", zone=ZONE):
        (self.path / "t.conf").write_text(
            f'options {{ directory "{self.path}"; }};\n{statements}\n'
            f'dnssec-policy "p" {{ keys {{ {keys} }}; }};\n'
            f'  zone "{zone}" {{ type primary; file "zone.db"; dnssec-policy {policy}; inline-signing yes; }};\n')

    def keygen(self, *options, algorithm="13", folder="."):
        size = ["-b", "2048"] if int(algorithm) < 13 else []
        done = subprocess.run(["dnssec-keygen", "-q", "-a", algorithm, *size, *options, ZONE], cwd=self.path / folder,
                              check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def check(self, *options):
        """Exit status and lines of -k; every such line names the place of the zone's statement."""
        before = sorted(self.path.rglob("K*"))
        done = subprocess.run([BIN / "signet", "checkconf", "-k", *options, "t.conf"], cwd=self.path,
                              capture_output=True, text=True, timeout=20)
        assert done.stderr == ""
        assert sorted(self.path.rglob("K*")) == before
        prefix = f"t.conf:4:3: (note: |warning: |)zone '{re.escape(ZONE)}': "
        lines = done.stdout.splitlines()
        self.loaded = [line for line in lines if ": loaded serial " in line]  # with -z
        lines = [line for line in lines if line not in self.loaded]
        for line in lines:
            assert re.match(prefix, line), line
        return done.returncode, {line.replace("t.conf:4:3: ", "").replace(f"zone '{ZONE}': ", "") for line in lines}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


STAYS = ("; it stays in the zone until the parent is known to have no DS of it (checkds, or say "
         "`dnssec -checkds withdrawn`)")


def retired(ksk, *zsks):
    """No DS of the first was asked for, as far as its files tell; it may be there."""
    return {f"note: key {text(ksk)} would be retired{STAYS}",
            *(f"note: key {text(zsk)} would be retired" for zsk in zsks)}


def text(key):
    """The key as log lines have it."""
    zone, algorithm, tag = key.split("+")
    name = {"008": "RSASHA256", "013": "ECDSAP256SHA256", "015": "ED25519"}[algorithm]
    return f"{zone[1:].rstrip('.')}/{name}/{int(tag)}"


def entry(role, algorithm="ECDSAP256SHA256", length=256, tags="0-65535"):
    return f"dnssec-policy p key:'{role} algorithm:{algorithm} length:{length} tag-range:{tags}'"


def test_keys_that_fit_are_told_with_their_roles(folder):
    ksk, zsk = folder.keygen("-f", "KSK", *SINCE), folder.keygen(*SINCE)
    assert folder.check() == (0, {f"note: key {text(ksk)} serves as {entry('ksk')}",
                                  f"note: key {text(zsk)} serves as {entry('zsk')}"})


def test_i_leaves_the_notes_out(folder):
    folder.keygen("-f", "KSK", *SINCE)
    folder.keygen(*SINCE)
    assert folder.check("-i") == (0, set())


def test_without_k_keys_are_not_looked_at(folder):
    done = subprocess.run([BIN / "signet", "checkconf", "t.conf"], cwd=folder.path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_keys_of_another_algorithm_would_be_retired(folder):
    folder.configure("ksk lifetime unlimited algorithm 8 2048; zsk lifetime unlimited algorithm 8 2048;")
    keys = [folder.keygen("-f", "KSK", *SINCE), folder.keygen(*SINCE)]
    status, lines = folder.check()
    assert status == 1
    assert lines == {
        *(f"key file '{text(key)}' does not match dnssec-policy p" for key in keys),
        *retired(*keys),
        *(f"no key file found matching {entry(role, 'RSASHA256', 2048)}" for role in ("ksk", "zsk")),
        *(f"note: a key would be made for {entry(role, 'RSASHA256', 2048)}" for role in ("ksk", "zsk")),
    }


def test_another_layout_of_roles(folder):
    folder.configure("csk lifetime unlimited algorithm 13;")
    folder.keygen("-f", "KSK", *SINCE)
    folder.keygen(*SINCE)
    status, lines = folder.check()
    assert status == 1
    assert "wrong number of key files (2, expected 1)" in lines
    assert f"no key file found matching {entry('csk')}" in lines
    assert sum("does not match dnssec-policy p" in line for line in lines) == 2


def test_a_tag_out_of_range(folder):
    zsk = folder.keygen(*SINCE)
    ksk = folder.keygen("-f", "KSK", *SINCE)
    tag = int(ksk[-5:])
    low, high = (0, tag - 1) if tag > 32767 else (tag + 1, 65535)
    folder.configure(f"ksk lifetime unlimited algorithm 13 tag-range {low} {high};"
                     "zsk lifetime unlimited algorithm 13;")
    status, lines = folder.check()
    assert status == 1
    assert f"key file '{text(ksk)}' does not match dnssec-policy p" in lines
    assert f"no key file found matching {entry('ksk', tags=f'{low}-{high}')}" in lines
    assert f"note: key {text(zsk)} serves as {entry('zsk')}" in lines


def test_no_key_at_all(folder):
    assert folder.check() == (1, {
        "wrong number of key files (0, expected 2)",
        *(f"no key file found matching {entry(role)}" for role in ("ksk", "zsk")),
        *(f"note: a key would be made for {entry(role)}" for role in ("ksk", "zsk"))})


def test_one_too_many(folder):
    folder.keygen("-f", "KSK", *SINCE)
    zsks = {text(folder.keygen(*SINCE)), text(folder.keygen(*SINCE))}
    status, lines = folder.check()
    assert status == 1
    assert "wrong number of key files (3, expected 2)" in lines
    (retired,) = [line for line in lines if "would be retired" in line]
    assert retired.split()[2] in zsks
    assert len(lines) == 4


def test_keys_on_their_way_out_and_in_reserve_are_not_counted(folder):
    folder.keygen("-f", "KSK", *SINCE)
    folder.keygen(*SINCE)
    out = folder.keygen(*SINCE, "-I", "-1h")
    reserve = folder.keygen("-G")
    old = folder.keygen("-f", "KSK", *SINCE)
    revoked = subprocess.run(["dnssec-revoke", "-r", old], cwd=folder.path, check=True, capture_output=True,
                             text=True).stdout.strip().rsplit("/", 1)[-1]
    status, lines = folder.check()
    assert status == 0, lines
    assert f"note: key {text(out)} is on its way out" in lines
    assert f"note: key {text(revoked)} is on its way out" in lines
    assert f"note: key {text(reserve)} is kept for later" in lines


def test_a_key_without_private_half(folder):
    ksk = folder.keygen("-f", "KSK", *SINCE)
    folder.keygen(*SINCE)
    (folder.path / f"{ksk}.private").unlink()
    status, lines = folder.check()
    assert status == 1
    assert f"no key file found matching {entry('ksk')}" in lines
    assert not any("a key would be made" in line for line in lines)
    (lost,) = [line for line in lines if ".private" in line]
    assert lost.startswith(f"{ksk}.key is in '{folder.path}' but {ksk}.private is not; no key would be made")


def test_a_half_key_that_nobody_misses_is_a_warning(folder):
    old = folder.keygen("-f", "KSK", *SINCE)
    (folder.path / f"{old}.private").unlink()
    folder.keygen("-f", "KSK", *SINCE)
    folder.keygen(*SINCE)
    status, lines = folder.check()
    assert status == 0, lines
    assert sum(line.startswith(f"warning: {old}.key is in") for line in lines) == 1


def test_a_state_file_without_private_half(folder):
    (folder.path / f"K{ZONE}.+013+12345.state").write_text("x")
    status, lines = folder.check()
    assert status == 1
    assert any(f"K{ZONE}.+013+12345.state is in" in line for line in lines)


def test_a_broken_file_is_an_error(folder):
    ksk = folder.keygen("-f", "KSK", *SINCE)
    folder.keygen(*SINCE)
    (folder.path / f"{ksk}.private").write_text("nonsense\n")
    status, lines = folder.check()
    assert status == 1
    assert any(line.startswith(f"key file {folder.path}/{ksk}.private: ") for line in lines)
    assert not any("a key would be made" in line for line in lines)


def test_keys_in_key_stores(folder):
    (folder.path / "store").mkdir()
    folder.configure('ksk key-store "s" lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13;',
                     statements=f'key-store "s" {{ directory "{folder.path}/store"; }};')
    folder.keygen("-f", "KSK", *SINCE, folder="store")
    folder.keygen(*SINCE)
    status, lines = folder.check()
    assert status == 0 and len(lines) == 2, lines


def test_a_relative_directory_and_z_besides(folder):
    conf = folder.path / "t.conf"
    conf.write_text(conf.read_text().replace(f'directory "{folder.path}"', 'directory "inner"; key-directory "keys"'))
    (folder.path / "inner" / "keys").mkdir(parents=True)
    os.rename(folder.path / "zone.db", folder.path / "inner" / "zone.db")
    folder.keygen("-f", "KSK", *SINCE, folder="inner/keys")
    folder.keygen(*SINCE, folder="inner/keys")
    status, lines = folder.check("-z")
    assert status == 0 and len(lines) == 2, lines
    assert folder.loaded == [f"zone {ZONE}/IN: loaded serial 1"]


def test_a_folder_that_is_not_there(folder):
    conf = folder.path / "t.conf"
    conf.write_text(conf.read_text().replace("options {", 'options { key-directory "away";'))
    status, lines = folder.check("-i")
    assert status == 1
    assert any(line.startswith("keys in 'away': ") for line in lines)
    assert "note: a key would be made" not in "".join(folder.check()[1])


def test_k_and_p_exclude_each_other(folder):
    done = subprocess.run([BIN / "signet", "checkconf", "-kp", "t.conf"], cwd=folder.path, capture_output=True, text=True)
    assert done.returncode == 1 and "-k cannot be used with -p" in done.stderr


def test_going_insecure_needs_no_keys(folder):
    keys = [folder.keygen("-f", "KSK", *SINCE), folder.keygen(*SINCE)]
    folder.configure(policy="insecure")
    assert folder.check() == (0, retired(*keys))


def test_a_key_set_of_bind_s_policy_fits(folder):
    (folder.path / "policy.conf").write_text(f'dnssec-policy "p" {{ keys {{ {SPLIT} }}; }};')
    subprocess.run(["dnssec-keygen", "-q", "-k", "p", "-l", "policy.conf", ZONE], cwd=folder.path, check=True)
    status, lines = folder.check()
    assert status == 0 and sum(" serves as " in line for line in lines) == 2, lines


# --- what is said beforehand is what the server does ----------------------------------------------------------------

IN_USE = {"KSK": ["-g", "OMNIPRESENT", "-k", "OMNIPRESENT", "-40d", "-r", "OMNIPRESENT", "-40d",
                  "-d", "OMNIPRESENT", "-40d"],
          "ZSK": ["-g", "OMNIPRESENT", "-k", "OMNIPRESENT", "-40d", "-z", "OMNIPRESENT", "-40d"]}
COMING = ["-g", "OMNIPRESENT", "-k", "RUMOURED", "now", "-z", "HIDDEN", "now"]


class Future:
    """Keys in the folder of a server that was not started yet, what `checkconf -k` says, what the server does."""

    def __init__(self, signet, policy):
        self.signet = signet
        signet.extra = f'dnssec-policy "p" {{ {policy} }};'
        signet.add_zone(ZONE, small_zone(f"{ZONE}."), policy="p")

    def key(self, role, *options, states=None, algorithm="13"):
        words = ["dnssec-keygen", "-q", "-a", algorithm, *(["-f", "KSK"] if role == "KSK" else []),
                 *(options or SINCE), ZONE]
        key = subprocess.run(words, cwd=self.signet.folder, check=True, capture_output=True, text=True).stdout.strip()
        if states:
            subprocess.run(["dnssec-settime", "-s", *states, key], cwd=self.signet.folder, check=True,
                           capture_output=True)
        return key

    def foretold(self):
        """Roles of keys that would be made, names of those that would leave and of those that would come."""
        self.signet.configure()
        done = subprocess.run([BIN / "signet", "checkconf", "-k", self.signet.configuration], capture_output=True,
                              text=True, timeout=20)
        lines = done.stdout
        made = sorted(re.findall(r"a key would be made for dnssec-policy p key:'(\w+) algorithm:(\w+)", lines))
        leave = set(re.findall(r"key (\S+) (?:would be retired|is due to roll)", lines))
        come = set(re.findall(r"key (\S+) would come into use", lines))
        return {"made": made, "leave": leave, "come": come}

    def done(self):
        folder = self.signet.folder
        before = {path.stem: self.goal(path.stem) for path in folder.glob("K*.key")}
        self.signet.start()
        self.signet.wait_until_signed(f"{ZONE}.")
        after = {path.stem: self.goal(path.stem) for path in folder.glob("K*.key")}
        assert set(before) <= set(after)
        return {
            "made": sorted(self.role(key) for key in set(after) - set(before)),
            "leave": {text(key) for key in before if before[key] != "hidden" and after[key] == "hidden"},
            "come": {text(key) for key in before if before[key] == "hidden" and after[key] == "omnipresent"},
        }

    def state(self, key):
        path = self.signet.folder / f"{key}.state"
        return dict(re.findall(r"^(\w+): (.*)$", path.read_text(), re.MULTILINE)) if path.exists() else None

    def goal(self, key):
        """Of one without states: made for later, or in use."""
        state = self.state(key)
        if state is None:
            return "omnipresent" if "Activate" in (self.signet.folder / f"{key}.key").read_text() else "hidden"
        return state["GoalState"]

    def role(self, key):
        state = self.state(key)
        role = {("yes", "no"): "ksk", ("no", "yes"): "zsk", ("yes", "yes"): "csk"}[state["KSK"], state["ZSK"]]
        return role, text(key).split("/")[1]


FUTURES = {
    "all fits": (SPLIT, [("KSK", SINCE, None), ("ZSK", SINCE, None)], {}),
    "no keys": (SPLIT, [], {"made": 2}),
    "a CSK in place of both": ("csk lifetime unlimited algorithm 13;", [("KSK", SINCE, None), ("ZSK", SINCE, None)],
                               {"made": 1, "leave": 2}),
    "both in place of a CSK": (SPLIT, [("KSK", SINCE, None)], {"made": 2, "leave": 1}),
    "another algorithm": ("ksk lifetime unlimited algorithm 15; zsk lifetime unlimited algorithm 15;",
                          [("KSK", SINCE, None), ("ZSK", SINCE, None)], {"made": 2, "leave": 2}),
    "one too many": (SPLIT, [("KSK", SINCE, IN_USE["KSK"]), ("ZSK", SINCE, COMING), ("ZSK", SINCE, IN_USE["ZSK"]),
                             ("ZSK", SINCE, COMING)], {"leave": 2}),
    "one is kept for later": (SPLIT, [("KSK", SINCE, None), ("ZSK", ["-G"], None)],
                              {"made": 1, "leave": 1, "come": 1}),  # the one in use signs all of the zone
    "a roll is due": ("ksk lifetime unlimited algorithm 13; zsk lifetime 30d algorithm 13;",
                      [("KSK", SINCE, IN_USE["KSK"]), ("ZSK", SINCE, IN_USE["ZSK"])], {"made": 1, "leave": 1}),
    "a roll is due and one is there": ("ksk lifetime unlimited algorithm 13; zsk lifetime 30d algorithm 13;",
                                       [("KSK", SINCE, IN_USE["KSK"]), ("ZSK", SINCE, IN_USE["ZSK"]),
                                        ("ZSK", ["-G"], None)], {"leave": 1, "come": 1}),
    "a roll is due but not its DS": ("ksk lifetime unlimited algorithm 13; zsk lifetime 30d algorithm 13;",
                                     [("KSK", SINCE, ["-g", "OMNIPRESENT", "-k", "OMNIPRESENT", "-40d", "-r",
                                                      "OMNIPRESENT", "-40d", "-d", "RUMOURED", "-40d"]),
                                      ("ZSK", SINCE, IN_USE["ZSK"])], {}),
}


@pytest.mark.parametrize("name", FUTURES)
def test_the_server_does_what_was_foretold(make_signet, name):
    keys, there, expected = FUTURES[name]
    future = Future(make_signet(), f"keys {{ {keys} }};")
    for role, options, states in there:
        future.key(role, *options, states=states)
    foretold = future.foretold()
    assert {what: len(which) for what, which in foretold.items() if which} == expected, foretold
    assert foretold == future.done()


def test_of_several_keys_the_one_that_has_come_furthest_serves(make_signet):
    future = Future(make_signet(), f"keys {{ {SPLIT} }};")
    future.key("KSK", states=IN_USE["KSK"])
    zsks = sorted((future.key("ZSK", states=COMING) for _ in range(2)), key=lambda key: key[-5:])
    subprocess.run(["dnssec-settime", "-s", *IN_USE["ZSK"], zsks[1]], cwd=future.signet.folder, check=True,
                   capture_output=True)
    foretold = future.foretold()
    assert foretold["leave"] == {text(zsks[0])}
    assert foretold == future.done()


def test_in_manual_mode_nothing_happens_before_the_step(make_signet):
    future = Future(make_signet(), f"manual-mode yes; keys {{ {SPLIT} }};")
    future.key("KSK", states=IN_USE["KSK"])
    future.key("ZSK", states=IN_USE["ZSK"])
    surplus = future.key("ZSK", states=COMING)
    assert future.foretold() == {"made": [], "leave": {text(surplus)}, "come": set()}
    done = subprocess.run([BIN / "signet", "checkconf", "-k", future.signet.configuration], capture_output=True, text=True)
    assert f"key {text(surplus)} would be retired, at the next `signet dnssec -step`" in done.stdout
    assert future.done()["leave"] == set()
    assert future.signet.rndc("dnssec", "-step", ZONE, program="signet").returncode == 0
    assert future.goal(surplus) == "hidden"
