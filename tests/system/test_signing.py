"""A zone file and a policy become a zone that every judge accepts (RFC 4034, 4035, 5155)."""

import re
import shutil
import subprocess
import time

import pytest
from support import figures, nasty
from support.contents import Contents
from support.judges import assert_zone_validates
from support.material import generated, gov_days, small_zone
from support.nsupdate import nsupdate
from support.waiting import wait_until

POLICIES = """
dnssec-policy "nsec" { keys { csk lifetime unlimited algorithm 13; }; };
dnssec-policy "nsec3" { keys { csk lifetime unlimited algorithm 13; };
                        nsec3param iterations 0 optout no salt-length 8; };
dnssec-policy "optout" { keys { csk lifetime unlimited algorithm 13; };
                         nsec3param iterations 0 optout yes salt-length 0; };
dnssec-policy "split" { keys { ksk lifetime unlimited algorithm 13;
                               zsk lifetime unlimited algorithm 13; }; };
dnssec-policy "two" { keys { csk lifetime unlimited algorithm 13;
                             csk lifetime unlimited algorithm 15; }; };
dnssec-policy "rsa" { keys { ksk lifetime unlimited algorithm rsasha256 2048;
                             zsk lifetime unlimited algorithm rsasha256 2048; }; };
dnssec-policy "p384" { keys { csk lifetime unlimited algorithm 14; }; };
dnssec-policy "ed448" { keys { csk lifetime unlimited algorithm 16; }; };
"""
DENIAL = ["nsec", "nsec3", "optout"]
# Where each version of a large zone is judged, one kind will do in the gate.
ONE_DENIAL = ["nsec3", *(pytest.param(denial, marks=pytest.mark.long) for denial in ("nsec", "optout"))]


def signed_file(signet, zone, text, policy, path, within_s=120):
    signet.extra = POLICIES
    signet.add_zone(zone, text, policy=policy)
    signet.start()
    signet.wait_until_signed(zone, within_s=within_s)
    return signet.axfr(zone, path)


@pytest.mark.parametrize("policy", ["default", *DENIAL, "split", "two", "rsa", "p384", "ed448"])
def test_small_zone_validates_with_every_policy(signet, tmp_path, policy):
    path = signed_file(signet, "example.test.", small_zone(), policy, tmp_path / "signed")
    assert_zone_validates("example.test.", path, algorithms=2 if policy == "two" else 1)


# Beside the nasty zone: what lies under cuts and a DNAME, names in rdata whose case counts or does
# not (RFC 6840 5.1), TTLs that differ in an RRset, types without a special place anywhere.
MORE = r"""
below.old   IN TXT "occluded by a DNAME"
occ.plain   IN TXT "occluded by a delegation"
sub.plain   IN NS ns.sub.plain
ns.sub.plain IN A 192.0.2.9
x.y.plain   IN CNAME www
*.secure    IN A 192.0.2.3
only.glue.out IN AAAA 2001:db8::7
ds2.deep.er IN NS ns1
ds2.deep.er IN DS 12345 13 2 49FD46E6C4B45C55D4AC1B1E5D5C0C5F3DB6D1FBDA2E6A9C0E3B7E0A1B2C3D4E
ttl1        1 IN A 192.0.2.1
ttl1        1 IN TXT "x"
_sip._tcp   IN SRV 0 0 5060 WWW.Nasty.Test.
uu          IN MX 10 MAIL.NASTY.TEST.
rp          IN RP Foo.Nasty.test. Bar.nasty.test.
afs         IN AFSDB 1 WWW.nasty.test.
n1          IN NAPTR 1 1 "" "" "" WWW.Nasty.TEST.
kx          IN KX 1 WWW.nasty.test.
px          IN PX 10 A.nasty.test. B.nasty.test.
rt          IN RT 1 A.Nasty.test.
minfo       IN MINFO A.nasty.test. B.nasty.test.
mr          IN MR A.nasty.test.
lp          IN LP 10 WWW.Nasty.test.
ipseckey    IN IPSECKEY 10 3 2 WWW.Nasty.test. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
svcb        IN SVCB 1 WWW.Nasty.test. alpn=h2
hinfo       IN HINFO "a" "B"
loc         IN LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
csync       IN CSYNC 66 3 A NS AAAA
apl         IN APL 1:192.168.32.0/21 !1:192.168.38.0/28
nxt         IN TYPE30 \# 3 000102
cert        IN CERT 1 2 3 AQID
sshfp       IN SSHFP 1 1 49FD46E6C4B45C55D4AC1B1E5D5C0C5F3DB6D1FB
openpgp     IN OPENPGPKEY AQID
uri         IN URI 1 1 "http://x/"
eui48       IN EUI48 00-11-22-33-44-55
\001\255\000bin IN A 192.0.2.1
A.B.C       IN A 192.0.2.1
"""


def facts(path):
    """Every record in one form; of signatures what does not depend on time and key."""
    subprocess.run(["named-compilezone", "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-s",
                    "full", "-o", f"{path}.full", nasty.ZONE, path], check=True,
                   capture_output=True)
    found = set()
    with open(f"{path}.full", encoding="ascii") as lines:
        for line in lines:
            if line[0] in ";\n":
                continue
            owner, ttl, _, rdtype, *rdata = line.split()
            if rdtype == "RRSIG":
                rdata = [rdata[0], rdata[2], rdata[3]]  # type covered, labels, original TTL
            elif rdtype == "SOA":
                rdata = rdata[-1:]  # without the serial
            elif rdtype == "NSEC":
                rdata = [word.lower() for word in rdata]
            found.add((owner.lower(), ttl, rdtype, " ".join(rdata)))
    return found


@pytest.mark.parametrize("denial", DENIAL)
def test_what_is_signed_is_what_dnssec_signzone_signs(signet, tmp_path, denial):
    """Not a signature, a bitmap, a link or a TTL more or less, with the same key and parameters."""
    options = {"nsec": [], "nsec3": ["-3", "-", "-H", "0"], "optout": ["-3", "-", "-H", "0", "-A"]}
    text = nasty.text() + MORE
    signet.extra = POLICIES.replace("salt-length 8", "salt-length 0")
    signet.add_zone(nasty.ZONE, text, policy=denial,
                    statements="check-names ignore; check-integrity no;")
    signet.start()
    signet.wait_until_signed(nasty.ZONE)
    ours = facts(signet.axfr(nasty.ZONE, tmp_path / "ours"))
    for path in signet.folder.glob("K*"):
        shutil.copy(path, tmp_path)
    (tmp_path / "plain").write_text(text)
    subprocess.run(["dnssec-signzone", "-S", "-z", "-o", nasty.ZONE, "-x", "-P", "-f", "theirs",
                    *options[denial], "plain"], cwd=tmp_path, check=True, capture_output=True)
    theirs = facts(tmp_path / "theirs")
    assert not ours ^ theirs, f"ours {sorted(ours - theirs)}\ntheirs {sorted(theirs - ours)}"
    assert len(ours) > 300


@pytest.mark.parametrize("policy", DENIAL)
@pytest.mark.parametrize("kind", ["flat", "tld"])
def test_generated_zone_validates(signet, tmp_path, kind, policy):
    text = generated(kind, 3000, "big.test.")
    path = signed_file(signet, "big.test.", text, policy, tmp_path / "signed")
    assert_zone_validates("big.test.", path)


@pytest.mark.parametrize("policy", DENIAL)
def test_real_zone_validates_each_day(make_signet, tmp_path, request, policy):
    count = 40 if request.config.getoption("--long") else 1
    for day in gov_days(tmp_path / "days", count):
        signet = make_signet(day.stem)
        path = signed_file(signet, "gov.", day.read_text(), policy, tmp_path / f"{day.stem}.signed")
        assert_zone_validates("gov.", path)
        signet.stop()


@pytest.mark.long
@pytest.mark.parametrize("policy", DENIAL)
def test_a_million_names_validate(signet, tmp_path, policy):
    text = generated("flat", 1000000, "million.test.")
    begin = time.monotonic()
    path = signed_file(signet, "million.test.", text, policy, tmp_path / f"million-{policy}",
                       within_s=1800)
    signet.stop()
    figures.note(f"million-{policy}: signed and transferred in {time.monotonic() - begin:.0f} s, "
                 f"{path.stat().st_size >> 20} MB of text")
    assert_zone_validates("million.test.", path, within_s=7200)


def test_restart_keeps_the_keys(signet):
    signet.add_zone("example.test.", small_zone(), policy="default")
    signet.start()
    signet.wait_until_signed("example.test.")
    before = {rdata.to_text() for rdata in signet.answers_with("example.test.", "DNSKEY")}
    assert signet.terminate() == 0
    signet.start()
    signet.wait_until_signed("example.test.")
    assert {rdata.to_text() for rdata in signet.answers_with("example.test.", "DNSKEY")} == before


@pytest.mark.parametrize("statements", ["", "allow-update { any; };"], ids=["static", "dynamic"])
def test_another_denial_comes_with_a_reconfig(signet, tmp_path, statements):
    zone = "example.test."
    signet.extra = POLICIES
    signet.add_zone(zone, small_zone(), policy="nsec", statements=statements)
    signet.start()
    serial = signet.wait_until_signed(zone)
    policy = "nsec"
    for number, after in enumerate(["nsec3", "optout", "nsec"]):
        signet.zones[0] = signet.zones[0].replace(f'"{policy}"', f'"{after}"')
        policy = after
        signet.configure()
        assert signet.rndc("reconfig").returncode == 0
        wait_until(lambda: signet.serial(zone) > serial, 20, f"the zone signed by {after}")
        serial = signet.serial(zone)
        path = signet.axfr(zone, tmp_path / f"signed{number}")
        assert ("NSEC3PARAM" in path.read_text().split()) == (after != "nsec")
        assert_zone_validates(zone, path)


def signer_tags(server, zone):
    response = server.query(zone, "SOA")
    return {rdata.key_tag for rrset in response.answer if rrset.rdtype == 46 for rdata in rrset}


def lacking(path):
    """RRsets that have not got two signatures; those that key-signing keys sign aside."""
    return [key for key, signatures in Contents(path).signatures().items()
            if len(signatures) != 2 and key[1] not in ("DNSKEY", "CDS", "CDNSKEY")]


@pytest.mark.parametrize("policy", ONE_DENIAL)
def test_other_keys_sign_name_by_name(signet, tmp_path, policy):
    """Nobody waits for all of the zone, no secondary has to fetch it whole, and it validates at
    every moment, signed by the old key or by both. Debian's kzonecheck 3.2 wants to see the new one
    everywhere, since the old one has the SEP flag, so that it is asked in the end alone."""
    zone = "big.test."
    one_key = f'dnssec-policy "{policy}" {{ keys {{ csk lifetime unlimited algorithm 13; '
    at_once = one_key.replace("{ keys", "{ dnskey-ttl PT1S; zone-propagation-delay PT0S; "
                              "publish-safety PT0S; keys")
    signet.extra = POLICIES.replace(one_key, at_once)
    signet.add_zone(zone, generated("flat", 9000, zone), policy=policy,
                    statements="allow-update { any; }; max-ixfr-ratio unlimited;")
    signet.start()
    before = signet.wait_until_signed(zone)
    assert one_key in POLICIES
    signet.extra = POLICIES.replace(one_key, at_once + "zsk lifetime unlimited algorithm 13; ")
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    wait_until(lambda: len(signer_tags(signet, zone)) == 2, 20, "the other keys")
    path = signet.axfr(zone, tmp_path / "gradual")
    assert_zone_validates(zone, path, algorithms=2)
    assert lacking(path), "for a roll's sake nothing is signed that is not due"
    assert signet.rndc("sign", zone).returncode == 0
    moments = []

    def is_done():
        path = signet.axfr(zone, tmp_path / f"at{len(moments)}")
        assert_zone_validates(zone, path, algorithms=2)
        moments.append(len(lacking(path)))
        return moments[-1] == 0

    wait_until(is_done, 120, "all signed by both keys")
    assert nsupdate(signet, zone, ["update add new.big.test. 60 A 192.0.2.7"]) == "NOERROR"
    path = signet.axfr(zone, tmp_path / "after")
    assert_zone_validates(zone, path)
    assert not lacking(path)
    dig = subprocess.run(["dig", "@127.0.0.1", "-p", str(signet.port), "+noall", "+answer", "+tcp",
                          zone, f"IXFR={before}"], capture_output=True, text=True, timeout=60)
    soas = [int(line.split()[6]) for line in dig.stdout.splitlines() if line.split()[3] == "SOA"]
    assert soas[1] == before, "differences lead here from before there were other keys"


def denial_ttls(path):
    fields = [line.split() for line in path.read_text().splitlines()]
    return {int(f[1]) for f in fields if len(f) > 3 and f[3] in ("NSEC", "NSEC3")}


def large_versions(server, zone):
    """How many versions took more than a thousand signatures, the first one aside."""
    made = re.findall(rf"zone {re.escape(zone)}/IN published: .* signatures=(\d+)", server.log())
    return sum(int(number) > 1000 for number in made[1:])


@pytest.mark.parametrize("policy", ONE_DENIAL)
def test_another_negative_ttl_comes_name_by_name(signet, tmp_path, policy):
    """An update of the SOA's minimum does not wait for the whole zone, nor do others behind it; what
    is published meanwhile validates, and denials live no longer than the SOA says (RFC 9077)."""
    zone = "big.test."
    signet.extra = POLICIES
    signet.add_zone(zone, generated("flat", 9000, zone), policy=policy,
                    statements="allow-update { any; }; max-ixfr-ratio unlimited;")
    signet.start()
    signet.wait_until_signed(zone)
    soa = signet.answers_with(zone, "SOA")[0]
    assert soa.minimum != 77
    text = (f"update add {zone} 3600 SOA {soa.mname} {soa.rname} {soa.serial + 10} {soa.refresh} "
            f"{soa.retry} {soa.expire} 77")
    assert nsupdate(signet, zone, [text]) == "NOERROR"
    moments = []

    def is_done():
        number = len(moments)
        reply = signet.query(f"none{number}.{zone}", "A")
        assert {rrset.ttl for rrset in reply.authority} <= set(range(78)), reply
        path = signet.axfr(zone, tmp_path / f"at{number}")
        assert nsupdate(signet, zone, [f"update add x{number}.{zone} 60 A 192.0.2.7"]) == "NOERROR"
        assert_zone_validates(zone, path, algorithms=2)
        moments.append(denial_ttls(path))
        return moments[-1] == {77}

    wait_until(is_done, 120, "all denials with the new TTL")
    assert large_versions(signet, zone) > 1, "it was all done at once"
    path = signet.axfr(zone, tmp_path / "after")
    assert denial_ttls(path) == {77}
    assert_zone_validates(zone, path)
