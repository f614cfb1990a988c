"""`signet checkconf -k`: what would the configured policies do to the keys that exist?"""

import os
import re
import subprocess

import pytest
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
        """Exit status and lines; every line names the place of the zone's statement."""
        before = sorted(self.path.rglob("K*"))
        done = subprocess.run([BIN / "signet", "checkconf", "-k", *options, "t.conf"], cwd=self.path,
                              capture_output=True, text=True, timeout=20)
        assert done.stderr == ""
        assert sorted(self.path.rglob("K*")) == before
        prefix = f"t.conf:4:3: (note: |warning: |)zone '{re.escape(ZONE)}': "
        lines = done.stdout.splitlines()
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
