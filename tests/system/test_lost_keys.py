"""Key sets that are not whole: nothing is made in place of a key that somebody may count on."""

import json
import re
import subprocess

import dns.dnssec
import pytest
from support.judges import assert_zone_validates
from support.material import small_zone
from support.waiting import wait_until

ZONE = "lost.test."
POLICY = """dnssec-policy "split" {
    keys { ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13; }; };
"""
SHORT = """dnssec-policy "short" {
    keys { ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13; %s };
    signatures-validity PT60S; signatures-validity-dnskey PT60S; signatures-refresh PT50S;
    signatures-jitter 0; dnskey-ttl 30; };
"""
SINCE = ["-P", "-40d", "-A", "-40d"]
STORES = """key-store "kept" { directory "kept"; };
dnssec-policy "stores" {
    keys { ksk key-store "kept" lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13; }; };
"""


@pytest.fixture
def keygen(make_signet):
    signet = make_signet(extra=POLICY + STORES)
    (signet.folder / "kept").mkdir()
    signet.add_zone(ZONE, small_zone(ZONE), policy="split")

    def make(*options, algorithm="13"):
        done = subprocess.run(["dnssec-keygen", "-q", "-a", algorithm, *options, ZONE], cwd=signet.folder,
                              check=True, capture_output=True, text=True)
        return done.stdout.strip()

    make.signet = signet
    return make


def rewrite(folder, key, *options):
    """dnssec-settime or -revoke, which the test wants before the private half is lost."""
    return subprocess.run([*options, key], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def lose(folder, key):
    (folder / f"{key}.private").unlink()


def keys(folder):
    return {path.stem for path in folder.glob("K*.key")}


def complaint(signet):
    """The line of zonestatus, once there is one."""
    def find():
        status = signet.rndc("zonestatus", ZONE)
        return re.search(r"^problem: (.*)", status.stdout, re.MULTILINE)
    return wait_until(find, what="a problem in zonestatus")[1]


def served_keys(signet):
    return list(signet.answers_with(ZONE, "DNSKEY") or [])


def assert_not_served(signet, lost, before):
    problem = complaint(signet)
    assert f"{lost}.key" in problem and f"{lost}.private" in problem
    assert "bring" in problem and "move" in problem
    assert problem in signet.log()
    assert signet.query(ZONE, "SOA").rcode() == dns.rcode.SERVFAIL
    assert keys(signet.folder) == before


@pytest.mark.parametrize("role", ["KSK", "ZSK"])
def test_no_key_is_made_in_place_of_one_whose_private_half_is_lost(keygen, tmp_path, role):
    signet = keygen.signet
    made = {"KSK": keygen("-f", "KSK", *SINCE), "ZSK": keygen(*SINCE)}
    private = signet.folder / f"{made[role]}.private"
    half = private.read_bytes()
    private.unlink()
    signet.start()
    assert_not_served(signet, made[role], set(made.values()))

    private.write_bytes(half)
    signet.rndc("loadkeys", ZONE)
    signet.wait_until_signed(ZONE)
    assert keys(signet.folder) == set(made.values())
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))


def test_a_lost_key_of_another_algorithm_counts_as_well(keygen):
    signet = keygen.signet
    lost = keygen("-f", "KSK", *SINCE, algorithm="15")
    lose(signet.folder, lost)
    signet.start()
    assert_not_served(signet, lost, {lost})


def test_a_lost_key_counts_in_whichever_folder_it_is(keygen):
    signet = keygen.signet
    lost = keygen("-f", "KSK", *SINCE)
    lose(signet.folder, lost)
    signet.zones.clear()
    signet.add_zone(ZONE, small_zone(ZONE), policy="stores")
    signet.start()
    assert_not_served(signet, lost, {lost})
    assert keys(signet.folder / "kept") == set()


def test_what_is_moved_away_is_in_the_way_no_more(keygen):
    signet = keygen.signet
    lost = keygen("-f", "KSK", *SINCE)
    lose(signet.folder, lost)
    signet.start()
    complaint(signet)
    (signet.folder / f"{lost}.key").rename(signet.folder / f"away.{lost}")
    signet.rndc("loadkeys", ZONE)
    signet.wait_until_signed(ZONE)
    assert lost not in keys(signet.folder) and len(keys(signet.folder)) == 2


@pytest.mark.parametrize("end", [["-I", "-1d"], ["-D", "-1d"]])
def test_a_lost_key_whose_times_say_that_it_is_over_is_not_missed(keygen, end):
    signet = keygen.signet
    lost = keygen("-f", "KSK", *SINCE, *end)
    lose(signet.folder, lost)
    signet.start()
    signet.wait_until_signed(ZONE)
    assert len(keys(signet.folder)) == 3


def test_a_lost_key_that_was_revoked_is_not_missed(keygen):
    signet = keygen.signet
    lost = keygen("-f", "KSK", *SINCE)
    path = rewrite(signet.folder, lost, "dnssec-revoke")
    revoked = path.rsplit("/", 1)[-1].strip()
    for file in signet.folder.glob(f"{lost}.*"):
        file.unlink()
    lose(signet.folder, revoked)
    signet.start()
    signet.wait_until_signed(ZONE)
    assert len(keys(signet.folder)) == 3


def test_a_zone_that_has_its_keys_does_not_miss_another(keygen):
    signet = keygen.signet
    lose(signet.folder, keygen("-f", "KSK", *SINCE))
    keygen("-f", "KSK", *SINCE)
    keygen(*SINCE)
    signet.start()
    signet.wait_until_signed(ZONE)
    assert len(keys(signet.folder)) == 3


def test_a_signed_zone_goes_on_without_a_private_half(keygen):
    signet = keygen.signet
    ksk = keygen("-f", "KSK", *SINCE)
    keygen(*SINCE)
    signet.start()
    signet.wait_until_signed(ZONE)
    before = served_keys(signet)
    for suffix in ("private", "state"):
        (signet.folder / f"{ksk}.{suffix}").unlink()
    signet.rndc("loadkeys", ZONE)
    assert "put them back" in complaint(signet)
    for program in ("rndc", "signet"):
        for word in ("loadkeys", "sign"):
            told = signet.rndc(word, ZONE, program=program)
            assert told.returncode == 1 and "put them back" in told.stderr, (told.stdout, told.stderr)
    assert served_keys(signet) == before
    assert len(keys(signet.folder)) == 2


@pytest.mark.parametrize("options", [["-P", "now", "-A", "none"], ["-P", "now", "-A", "+3d"]])
def test_a_published_key_signs_where_no_other_does(keygen, tmp_path, options):
    signet = keygen.signet
    made = {keygen("-f", "KSK", *SINCE), keygen(*options)}
    signet.start()
    signet.wait_until_signed(ZONE)
    assert keys(signet.folder) == made
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))


def test_a_published_key_waits_where_another_one_signs(keygen, tmp_path):
    """And since no entry of the policy wants it, it leaves: at once, or when it is known
    everywhere, if a DS is under way."""
    signet = keygen.signet
    keygen("-f", "KSK", *SINCE)
    signs = keygen(*SINCE)
    waits = keygen("-P", "now", "-A", "none")
    signet.start()
    signet.wait_until_signed(ZONE)
    signed = signet.axfr(ZONE, tmp_path / "signed")
    assert_zone_validates(ZONE, signed)
    by = set(re.findall(r"RRSIG\s+A \d+ \d+ \d+ \d+ \d+ (\d+) ", signed.read_text()))
    assert by == {str(int(signs[-5:]))}
    state = (signet.folder / f"{waits}.state").read_text()
    assert "GoalState: hidden" in state and "ZRRSIGState: hidden" in state


def test_a_revoked_key_asks_for_no_ds(keygen, tmp_path):
    signet = keygen.signet
    good = keygen("-f", "KSK", *SINCE, "-P", "sync", "-39d")
    keygen(*SINCE)
    old = keygen("-f", "KSK", *SINCE, "-P", "sync", "-39d")
    revoked = rewrite(signet.folder, old, "dnssec-revoke").rsplit("/", 1)[-1].strip()
    for file in signet.folder.glob(f"{old}.*"):
        file.unlink()
    signet.start()
    signet.wait_until_signed(ZONE)
    assert {key.flags for key in served_keys(signet)} == {256, 257, 385}
    assert len(keys(signet.folder)) == 3
    for rdtype in ("CDS", "CDNSKEY"):
        assert len(signet.answers_with(ZONE, rdtype)) == 1, rdtype
    assert signet.answers_with(ZONE, "CDS")[0].key_tag == int(good[-5:])
    assert signet.answers_with(ZONE, "CDNSKEY")[0].flags == 257
    assert int(revoked[-5:]) in {dns.dnssec.key_id(rdata) for rdata in served_keys(signet)}
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))


def test_a_revoked_key_is_none_that_the_policy_wants(keygen):
    signet = keygen.signet
    old = keygen("-f", "KSK", *SINCE, "-P", "sync", "-39d")
    keygen(*SINCE)
    rewrite(signet.folder, old, "dnssec-revoke")
    for file in signet.folder.glob(f"{old}.*"):
        file.unlink()
    signet.start()
    signet.wait_until_signed(ZONE)
    assert {key.flags for key in served_keys(signet)} == {256, 257, 385}
    assert not signet.answers_with(ZONE, "CDS")


@pytest.mark.parametrize("suffixes", [("key", "private", "state"), ("private",)],
                         ids=["files", "private-half"])
@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
def test_the_status_names_the_keys_that_are_served_without_files(keygen, restarts, suffixes):
    signet = keygen.signet
    ksk = keygen("-f", "KSK", *SINCE)
    zsk = keygen(*SINCE)
    signet.start()
    signet.wait_until_signed(ZONE)
    found = json.loads(signet.rndc("dnssec", "-status", "-json", ZONE).stdout)
    assert (found["lost-keys"], found["searched"]) == ([], [])
    if restarts:
        signet.terminate()
    for suffix in suffixes:
        (signet.folder / f"{ksk}.{suffix}").rename(signet.folder / f"away.{suffix}")
    if restarts:
        signet.start()
    tags = {role: int(name[-5:]) for role, name in (("KSK", ksk), ("ZSK", zsk))}
    status = signet.rndc("dnssec", "-status", ZONE)
    assert status.returncode == 0, status.stderr
    assert f"problem:       the files of key {tags['KSK']}, which the zone has, are not in" in status.stdout
    assert f"\nkey: {tags['ZSK']} (ECDSAP256SHA256), ZSK\n" in status.stdout
    line = f"\nkey: {tags['KSK']} (ECDSAP256SHA256), KSK: in the zone, but its files are missing or cannot be read\n"
    assert line in status.stdout
    assert f"\nsearched:      {signet.folder}" in status.stdout

    found = json.loads(signet.rndc("dnssec", "-status", "-json", ZONE).stdout)
    listed = [tags["ZSK"]] if "key" in suffixes else [tags["KSK"], tags["ZSK"]]
    assert sorted(key["tag"] for key in found["keys"]) == sorted(listed)
    assert found["lost-keys"] == [{"tag": tags["KSK"], "algorithm": 13, "algorithm-name": "ECDSAP256SHA256",
                                   "flags": 257, "role": "KSK"}]
    assert found["searched"] == [str(signet.folder)] and "put them back" in found["problem"]
    progress = signet.rndc("signing", "-list", ZONE)
    assert progress.returncode == 1 and "put them back" in progress.stderr

    for suffix in suffixes:
        (signet.folder / f"away.{suffix}").rename(signet.folder / f"{ksk}.{suffix}")
    found = json.loads(signet.rndc("dnssec", "-status", "-json", ZONE).stdout)
    assert len(found["keys"]) == 2 and found["lost-keys"] == [] and "problem" not in found


def expiration(signet):
    """Of the signature over the zone's SOA."""
    section = signet.query(ZONE, "SOA").answer
    return min(rdata.expiration for rrset in section if rrset.rdtype == dns.rdatatype.RRSIG for rdata in rrset)


@pytest.mark.parametrize("trouble", ["a broken file", "a state alone"])
def test_signatures_are_made_anew_whatever_else_is_in_the_folder(make_signet, tmp_path, trouble):
    signet = make_signet(extra=SHORT % "")
    signet.add_zone(ZONE, small_zone(ZONE), policy="short")
    signet.start()
    signet.wait_until_signed(ZONE)
    before = keys(signet.folder)
    if trouble == "a broken file":
        stray = signet.folder / f"K{ZONE}+008+00007.private"
    else:  # and a key is to be made
        stray = signet.folder / f"K{ZONE}+013+00007.state"
        signet.terminate()
        signet.extra = SHORT % "csk lifetime unlimited algorithm 15;"
    stray.write_text("half a copy")
    if trouble != "a broken file":
        signet.start()
    assert stray.stem in complaint(signet)
    first = expiration(signet)
    wait_until(lambda: expiration(signet) > first + 10, 120, "signatures that were made anew")
    assert keys(signet.folder) == before
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))
    status = signet.rndc("dnssec", "-status", ZONE)
    assert status.returncode == 0 and stray.stem in status.stdout
    assert signet.log().count("it is signed on, but no key of it changes") == 1
    stray.unlink()
    signet.rndc("loadkeys", ZONE)
    wait_until(lambda: "problem: " not in signet.rndc("zonestatus", ZONE).stdout, what="the end of it")
    wait_until(lambda: len(keys(signet.folder)) == (2 if trouble == "a broken file" else 3), what="all keys")


def test_an_edit_that_waits_for_lost_keys_is_taken_when_loadkeys_finds_them(keygen):
    """The edit is not lost from sight until another reload, nor is the zone's problem stale."""
    signet = keygen.signet
    signet.start()
    signet.wait_until_signed(ZONE)
    away = signet.folder / "away"
    away.mkdir()
    files = list(signet.folder.glob("K*"))
    for path in files:
        path.rename(away / path.name)
    with open(signet.folder / "lost.test.zone", "a") as file:
        file.write("edited A 192.0.2.99\n")
    assert signet.rndc("reload", ZONE).returncode == 1
    assert signet.answers_with(f"edited.{ZONE}", "A") is None
    complaint(signet)
    for path in files:
        (away / path.name).rename(path)
    done = signet.rndc("loadkeys", ZONE)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: signet.answers_with(f"edited.{ZONE}", "A"), what="the edit")
    assert "problem:" not in signet.rndc("zonestatus", ZONE).stdout
