"""Keys that come without states. A DS that nothing is known of was submitted before the zone came
here, or by hand: its key stays until the parent is known to have none."""

import re
import subprocess

import dns.dnssec
import dns.rdatatype
import pytest
from support.judges import assert_zone_validates
from support.material import small_zone
from support.signet import tool
from support.waiting import wait_until

ZONE = "unasked.test."
YEARS_AGO = ("-P", "20240101000000", "-A", "20240101000000")
SPLIT_14 = "ksk lifetime unlimited algorithm 14; zsk lifetime unlimited algorithm 14;"


def keygen(folder, *options, algorithm="13"):
    """As auto-dnssec used them: times, and no states. The tag."""
    done = subprocess.run(["dnssec-keygen", "-q", "-a", algorithm, *options, ZONE], cwd=folder, check=True,
                          capture_output=True, text=True)
    return int(done.stdout.strip()[-5:])


def policy(keys):
    return f'dnssec-policy "p" {{ keys {{ {keys} }}; }};\n' if keys else ""


def serve(make_signet, keys, name="p"):
    """`make()` then starts it; the policy's keys are `keys`."""
    signet = make_signet(extra=policy(keys))
    signet.add_zone(ZONE, small_zone(ZONE), policy=name, statements="checkds no;")
    return signet


def rrsets(server, rdtype):
    """The records, and the tags that have signed them."""
    response = server.query(ZONE, rdtype, timeout=5)
    records = [rdata for rrset in response.answer if rrset.rdtype == dns.rdatatype.from_text(rdtype) for rdata in rrset]
    tags = {rdata.key_tag for rrset in response.answer if rrset.rdtype == dns.rdatatype.RRSIG for rdata in rrset}
    return records, tags


def assert_old_keys_serve(signet, ksk, zsk, path, algorithms=1):
    """Whoever has the DS of the KSK, and the DNSKEY RRset as it was, can validate."""
    dnskeys, signers = rrsets(signet, "DNSKEY")
    assert {ksk, zsk} <= {dns.dnssec.key_id(rdata) for rdata in dnskeys} and ksk in signers
    assert zsk in rrsets(signet, "SOA")[1]
    assert_zone_validates(ZONE, signet.axfr(ZONE, path), algorithms=algorithms)


def wait_text(signet, tag):
    text = signet.rndc("dnssec", "-status", ZONE).stdout
    return re.search(rf"^key: {tag} .*?^  in short: +(.*?)$", text, re.MULTILINE | re.DOTALL)[1]


def assert_waits_for_a_word(signet, tag):
    """It says what it waits for, and is not stuck for ever."""
    told = "waits until the parent is known to have no DS (say `dnssec -checkds withdrawn`)"
    assert told in wait_text(signet, tag)
    assert told in signet.log()
    done = signet.rndc("dnssec", "-checkds", "withdrawn", ZONE)
    assert done.returncode == 0, done.stderr
    assert re.search(r"(DS is gone from|DNSKEY is known to) all caches by", wait_text(signet, tag))
    assert tag in {dns.dnssec.key_id(rdata) for rdata in rrsets(signet, "DNSKEY")[0]}


def test_going_insecure_with_old_keys(make_signet, tmp_path):
    signet = serve(make_signet, "", "insecure")
    ksk, zsk = (keygen(signet.folder, *YEARS_AGO, *role) for role in (("-f", "KSK"), ()))
    signet.configure()
    said = tool("checkconf", "-k", signet.configuration).stdout
    assert re.search(rf"/{ksk} .*would be retired; it stays in the zone until the parent is known to have no DS", said)
    told = tool("simulate", "-c", signet.configuration, ZONE).stdout
    assert "nobody knows whether the parent has its DS" in told
    signet.start()
    signet.wait_until_signed(ZONE)
    assert_old_keys_serve(signet, ksk, zsk, tmp_path / "signed")
    assert signet.answers_with(ZONE, "CDS")[0].algorithm == 0
    assert_waits_for_a_word(signet, ksk)


def test_another_algorithm_with_old_keys_and_new_ones_made_in_advance(make_signet, tmp_path):
    signet = serve(make_signet, SPLIT_14)
    ksk, zsk = (keygen(signet.folder, *YEARS_AGO, *role) for role in (("-f", "KSK"), ()))
    for role in (("-f", "KSK"), ()):
        keygen(signet.folder, "-G", *role, algorithm="14")
    signet.start()
    signet.wait_until_signed(ZONE)
    assert_old_keys_serve(signet, ksk, zsk, tmp_path / "signed", algorithms=2)
    assert len(list(signet.folder.glob("K*.private"))) == 4
    assert_waits_for_a_word(signet, ksk)


def test_another_role_hours_after_the_zsk_changed(make_signet, tmp_path):
    signet = serve(make_signet, "", "default")
    ksk = keygen(signet.folder, *YEARS_AGO, "-f", "KSK")
    before = keygen(signet.folder, *YEARS_AGO, "-I", "-3h")
    zsk = keygen(signet.folder, "-P", "20240101000000", "-A", "-3h")
    signet.start()
    signet.wait_until_signed(ZONE)
    assert_old_keys_serve(signet, ksk, zsk, tmp_path / "signed")
    assert before in {dns.dnssec.key_id(rdata) for rdata in rrsets(signet, "DNSKEY")[0]}
    assert_waits_for_a_word(signet, ksk)


@pytest.mark.parametrize("after", ["csk lifetime unlimited algorithm 14;", None])
def test_an_edit_on_the_first_day(make_signet, tmp_path, after):
    signet = serve(make_signet, "csk lifetime unlimited algorithm 13;")
    signet.start()
    signet.wait_until_signed(ZONE)
    csk = dns.dnssec.key_id(rrsets(signet, "DNSKEY")[0][0])
    if after is None:
        signet.zones = [zone.replace('"p"', "insecure") for zone in signet.zones]
        signet.extra = ""
    else:
        signet.extra = policy(after)
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    assert signet.rndc("loadkeys", ZONE).returncode == 0
    assert_waits_for_a_word(signet, csk)
    assert_old_keys_serve(signet, csk, csk, tmp_path / "signed", algorithms=2 if after else 1)


def test_files_of_deleted_keys_do_not_count(make_signet, tmp_path):
    """auto-dnssec never removed any: the one in use signs everything, and goes on."""
    signet = serve(make_signet, "", "default")
    csk = keygen(signet.folder, *YEARS_AGO, "-f", "KSK")
    for role in (("-f", "KSK"), ()):
        keygen(signet.folder, "-P", "20220101000000", "-A", "20220101000000", "-I", "20230101000000", "-D",
               "20230201000000", *role)
    signet.start()
    signet.wait_until_signed(ZONE)
    assert len(list(signet.folder.glob("K*.private"))) == 3
    assert_old_keys_serve(signet, csk, csk, tmp_path / "signed")
    assert {dns.dnssec.key_id(rdata) for rdata in rrsets(signet, "DNSKEY")[0]} == {csk}


def test_a_zsk_that_is_lost_is_not_replaced_below_a_ds(make_signet, tmp_path):
    """Its signatures and DNSKEY are in caches: no other can sign at once."""
    split = "ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13;"
    signet = serve(make_signet, split)
    (tmp_path / "policy").write_text(policy(split))
    names = subprocess.run(["dnssec-keygen", "-q", "-k", "p", "-l", tmp_path / "policy", ZONE], cwd=signet.folder,
                           check=True, capture_output=True, text=True).stdout.split()
    name = next(name for name in names if "KSK: yes" in (signet.folder / f"{name}.state").read_text())
    for path in signet.folder.glob("K*"):
        if path.stem != name:
            path.unlink()
    old = [word for letter in "dkr" for word in (f"-{letter}", "OMNIPRESENT", "20240101000000")]
    subprocess.run(["dnssec-settime", "-s", *YEARS_AGO, "-g", "OMNIPRESENT", *old, name], cwd=signet.folder,
                   check=True, capture_output=True)
    signet.start()
    wait_until(lambda: "bring back the files of the one that did" in signet.log(), 20, "the refusal")
    assert not signet.answers_with(ZONE, "SOA")
