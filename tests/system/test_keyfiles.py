"""Key files go both ways: BIND's and ldns's tools take ours, `signet` takes theirs."""

import pathlib
import re
import shutil
import stat
import subprocess

import pytest
from support.signet import BIN

ALGORITHMS = ["RSASHA256", "RSASHA512", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519", "ED448"]
OLD_ALGORITHMS = ["RSASHA1", "NSEC3RSASHA1"]
ZONE = """\
example.test. 300 IN SOA ns.example.test. host.example.test. 1 7200 3600 1209600 300
example.test. 300 IN NS ns.example.test.
ns.example.test. 300 IN A 192.0.2.1
"""
POLICY = """\
dnssec-policy "roles" {
    keys {
        ksk lifetime unlimited algorithm ecdsap256sha256;
        zsk lifetime P30D algorithm ecdsap256sha256;
        csk lifetime P1Y algorithm rsasha256 2048;
    };
};
"""


def run(*command, cwd=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def refuse(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, f"{command}: {done.stdout}{done.stderr}"
    return done.stderr


def signet(*command):
    return run(BIN / "signet", *command)


def tool(name):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed: it has not judged")
    return name


def contents(folder):
    return {path.name: path.read_text() for path in pathlib.Path(folder).iterdir()}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_bind_takes_our_keys(tmp_path, algorithm):
    ksk = signet("keygen", "-q", "-a", algorithm, "-K", tmp_path, "-f", "KSK", "-L", "3600", "example.test")
    zsk = signet("keygen", "-q", "-a", algorithm, "-K", tmp_path, "Example.Test.")
    (tmp_path / "zone").write_text(ZONE)

    run(tool("dnssec-signzone"), "-S", "-K", tmp_path, "-o", "example.test", "-f", "signed", "zone", cwd=tmp_path)

    signed = (tmp_path / "signed").read_text()
    for key in (ksk, zsk):
        assert re.search(rf"\b{int(key[-5:])}\b", signed), f"{key} has not signed"
    run("dnssec-verify", "-o", "example.test", "signed", cwd=tmp_path)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_ldns_takes_our_keys(tmp_path, algorithm):
    tool("ldns-signzone")
    keys = [signet("keygen", "-q", "-a", algorithm, "-K", tmp_path, *flag, "example.test") for flag in (["-f", "KSK"], [])]
    (tmp_path / "zone").write_text(ZONE)

    run("ldns-signzone", "-o", "example.test", "-f", "signed", "zone", *keys, cwd=tmp_path)

    run("ldns-verify-zone", "signed", cwd=tmp_path)


def test_settime_reads_and_rewrites_our_dates(tmp_path):
    key = signet("keygen", "-q", "-K", tmp_path, "-f", "KSK", "-P", "20260102030405", "-A", "20260103",
                 "-I", "now+1y", "-D", "none", "-P", "sync", "1767225600", "-D", "sync", "+1mo", "example.test")

    told = run(tool("dnssec-settime"), "-u", "-p", "all", tmp_path / key)

    dates = dict(line.split(": ", 1) for line in told.splitlines())
    assert dates["Publish"] == "1767323045"
    assert dates["Activate"] == "1767398400"
    assert dates["SYNC Publish"] == "1767225600"
    assert dates["Revoke"] == dates["Delete"] == "UNSET"
    assert int(dates["Inactive"]) - int(dates["Created"]) == 365 * 86400
    assert int(dates["SYNC Delete"]) - int(dates["Created"]) == 30 * 86400
    run("dnssec-settime", "-D", "+2y", tmp_path / key)
    assert signet("dsfromkey", tmp_path / key)


@pytest.mark.parametrize("algorithm", ALGORITHMS + OLD_ALGORITHMS)
@pytest.mark.parametrize("flags", [[], ["-f", "KSK"]])
def test_ds_is_what_bind_says(tmp_path, algorithm, flags):
    key = run(tool("dnssec-keygen"), "-q", "-a", algorithm, "-K", tmp_path, *flags, "a/b.Example.test")
    path = tmp_path / f"{key}.key"
    for options in ([], ["-1"], ["-2", "-a", "SHA-384"], ["-T", "300", "-C"]):
        ours = signet("dsfromkey", *options, path)
        theirs = run("dnssec-dsfromkey", *options, path)
        assert ours.lower() == theirs.lower()


def test_ds_needs_no_private_file(tmp_path):
    key = signet("keygen", "-q", "-K", tmp_path, "example.test")
    (tmp_path / f"{key}.private").unlink()
    assert signet("dsfromkey", "-K", tmp_path, key).startswith("example.test. IN DS ")


def test_our_files_look_like_those_of_bind(tmp_path):
    """The same words in the same places: only numbers, dates and keys differ."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    options = ["-q", "-a", "ECDSAP384SHA384", "-f", "KSK", "-L", "60", "-R", "+1d", "-I", "+2d", "-D", "+3d",
               "-P", "sync", "+1h", "-D", "sync", "+4d"]
    signet("keygen", *options, "-K", ours, "example.test")
    run(tool("dnssec-keygen"), *options, "-K", theirs, "example.test")

    def shape(folder, suffix):
        (path,) = folder.glob(f"*{suffix}")
        text = re.sub(r"\(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\)", "(ctime)", path.read_text())
        text = re.sub(r"keyid \d+", "keyid N", re.sub(r"\b\d{14}\b", "TIME", text))
        return re.sub(r"(PrivateKey: |257 3 14 ).*", r"\1SECRET", text)

    assert shape(ours, ".key") == shape(theirs, ".key")
    assert shape(ours, ".private") == shape(theirs, ".private")
    for path in theirs.iterdir():
        (twin,) = ours.glob(f"*{path.suffix}")
        assert stat.S_IMODE(twin.stat().st_mode) == stat.S_IMODE(path.stat().st_mode), path.suffix


def test_policy_keys_of_bind_have_ds(tmp_path):
    """Keys with a .state file, as dnssec-keygen -k makes them."""
    (tmp_path / "policy.conf").write_text(POLICY)
    keys = run(tool("dnssec-keygen"), "-q", "-k", "roles", "-l", tmp_path / "policy.conf", "-K", tmp_path,
               "example.test").split()
    assert len(keys) == 3
    for key in keys:
        assert (tmp_path / f"{key}.state").exists()
        assert signet("dsfromkey", tmp_path / key) == run("dnssec-dsfromkey", tmp_path / f"{key}.key")


def test_tags_stay_in_the_range_asked_for(tmp_path):
    for _ in range(8):
        key = signet("keygen", "-q", "-a", "ED25519", "-M", "0:32767", "-K", tmp_path, "example.test")
        assert int(key[-5:]) <= 32767


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["-a", "RSASHA1"], "no new keys"),
        (["-a", "DSA"], "unsupported algorithm"),
        (["-a", "8", "-b", "512"], "out of range"),
        (["-P", "tomorrow"], "not a date"),
        (["-G", "-P", "now"], "cannot use -G"),
        (["-f", "XSK"], "unknown flag"),
        (["-K", "/nonexistent"], "not found"),
        (["-L", "-1"], "not a number"),
        (["-M", "2:1"], "range of key tags"),
        (["-n", "HOST"], "type ZONE"),
    ],
)
def test_keygen_says_what_is_wrong(options, complaint):
    assert complaint in refuse(BIN / "signet", "keygen", *options, "example.test")


def test_a_broken_key_is_named(tmp_path):
    key = signet("keygen", "-q", "-K", tmp_path, "example.test")
    (tmp_path / f"{key}.key").write_text("example.test. IN DNSKEY 256 3 13 AAAA\n")
    complaint = refuse(BIN / "signet", "dsfromkey", tmp_path / key)
    assert f"{key}.key: the public key has the wrong size" in complaint
