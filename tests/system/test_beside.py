"""What an operator is told while all of a large zone is signed beside what is served."""

import re

import pytest
from support.judges import assert_zone_validates
from support.material import small_zone
from support.waiting import wait_until

ZONE = "beside.test"
NAMES = 3000
# RSA, so that it takes seconds.
POLICY = """dnssec-policy "p" {{ keys {{ csk lifetime unlimited algorithm 8 2048; }}; {denial} }};
"""
NSEC3 = "nsec3param iterations 0 optout no salt-length 4;"
BEGUN = "that is done beside what is served"
pytestmark = pytest.mark.slow


def serve(server, policy, denial):
    text = small_zone(f"{ZONE}.") + "".join(f"h{i} A 192.0.2.1\n" for i in range(NAMES))
    server.extra = POLICY.format(denial=denial)
    server.add_zone(ZONE, text, policy=policy)
    server.start()
    if policy:
        server.wait_until_signed(ZONE)
    else:
        wait_until(lambda: server.serial(ZONE), 30, "the zone is served")
    assert progress(server) is None


def begin(server, denial):
    """The zone is to be signed so; returns when that is under way."""
    server.extra = POLICY.format(denial=denial)
    if "dnssec-policy" not in server.zones[0]:
        server.zones[0] = server.zones[0].replace("allow-transfer",
                                                  'dnssec-policy "p"; inline-signing yes; allow-transfer')
    server.configure()
    assert server.rndc("reconfig").returncode == 0
    wait_until(lambda: BEGUN in server.log(), 30, "it has begun")


def is_published(server):
    return "published: " in server.log().split(BEGUN)[1]


def signing_list(server):
    return server.rndc("signing", "-list", ZONE).stdout.splitlines()


def private_records(server):
    return {rdata.data for rdata in server.answers_with(ZONE, "TYPE65534") or []}


def salt(server):
    parameters = server.answers_with(ZONE, "NSEC3PARAM")
    return parameters and parameters[0].salt.hex().upper()


def progress(server):
    """What `zonestatus` tells of it; None: nothing."""
    status = server.rndc("zonestatus", ZONE, program="signet")
    assert status.returncode == 0, status.stdout
    found = re.search(r"^signed anew beside what is served: (.*)$", status.stdout, re.M)
    return found and found[1]


# Of the private record's octets, the first is 0 for chains, then hash algorithm, flags (as BIND's:
# 0x80 the chain is made, 0x40 it is removed), iterations, salt. A zone without signatures has none.
@pytest.mark.parametrize("policy, before, after, words, flags", [
    (None, "", NSEC3, "Pending NSEC3 chain 1 0 0 {salt}", None),
    ("p", "", NSEC3, "Creating NSEC3 chain 1 0 0 {salt}", 0x80),
    ("p", NSEC3, "", "Removing NSEC3 chain 1 0 0 {salt} / creating NSEC chain", 0x40),
], ids=["pending", "creating", "removing"])
def test_it_is_told_what_is_under_way_and_how_far_it_is(signet, tmp_path, policy, before, after, words, flags):
    serve(signet, policy, before)
    salt_before = salt(signet)
    begin(signet, after)
    seen = [progress(signet)]
    told = signing_list(signet)
    chains = {record for record in private_records(signet) if record[0] == 0}
    salt_meanwhile = salt(signet)
    assert not is_published(signet), "it was too fast for this test"
    assert salt_meanwhile == salt_before, "what is served is as it was"

    wait_until(lambda: seen.append(progress(signet)) or seen[-1] is None, 120, "it is done")
    parts = [int(text.split()[0]) for text in seen if text and text.endswith("%")]
    assert len(parts) > 2 and parts == sorted(parts) and parts[0] < 50 < parts[-1] <= 100, seen

    wait_until(lambda: is_published(signet), 30, "it is published")
    assert (salt(signet) is None) == (not after)
    chain = salt(signet) or salt_before
    assert words.format(salt=chain) in told, told
    assert chains == ({bytes.fromhex(f"0001{flags:02x}000004{chain}")} if flags else set())
    # The look at the keys that follows takes back what the records told.
    wait_until(lambda: not private_records(signet), 60, "its records have gone")
    assert [line.split(" key ")[0] for line in signing_list(signet)] == ["Done signing with"]
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))
