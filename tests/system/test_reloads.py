"""Day after day the same zone, edited: each version is right and costs what its difference needs,
and secondaries that took the differences have the same zone."""

import shutil

import pytest

from support import figures
from support.difference import Signed, signatures_needed
from support.judges import ldns_verify_zone
from support.material import gov_days
from support.peers import PEERS
from support.server import HOST
from support.waiting import wait_until

POLICIES = """
dnssec-policy "nsec" { keys { csk lifetime unlimited algorithm 13; }; };
dnssec-policy "nsec3" { keys { csk lifetime unlimited algorithm 13; };
                        nsec3param iterations 0 optout no salt-length 0; };
"""


def published(server):
    """(serial, signatures) of each version of gov. that the log tells of."""
    lines = [line for line in server.log().splitlines() if "zone gov./IN published: " in line]
    return [tuple(int(line.split(word)[1].split()[0]) for word in ("serial=", "signatures="))
            for line in lines]


def lines_of(path):
    """The records of a transfer, whatever their order."""
    with open(path, encoding="ascii") as lines:
        return {" ".join(line.split()) for line in lines if line[0] not in ";\n"}


def reload(server):
    result = server.rndc("reload", "gov.")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["nsec", "nsec3"])
def test_each_day_costs_its_difference(signet, run_server, tmp_path, request, policy):
    days = gov_days(tmp_path / "days", 40 if request.config.getoption("--long") else 3)
    secondaries = [kind(tmp_path / kind.name, fetched=[("gov.", signet.port)]) for kind in PEERS]
    told = " ".join(f"{HOST} port {peer.port};" for peer in secondaries)
    signet.extra = POLICIES
    path = signet.add_zone("gov.", days[0].read_text(), policy=policy, statements=f"""
        check-names ignore; notify explicit; notify-delay 0; also-notify {{ {told} }};""")
    run_server(signet)
    signet.wait_until_signed("gov.", within_s=180)
    for peer in secondaries:
        run_server(peer)
    before = Signed(days[0], "gov.", policy == "nsec3")
    assert published(signet)[0][1] == len(before.covered) + 1 + (policy == "nsec3"), \
        "first signing: all of it, DNSKEY and NSEC3PARAM"

    for day in days[1:]:
        for peer in secondaries:
            wait_until(lambda peer=peer: peer.serial("gov.") == signet.serial("gov."), 120,
                       f"{peer.name} has the version")
        # A reload of what is unchanged, even of a new file, costs nothing.
        versions = len(published(signet))
        shutil.copy(path, f"{path}.new")
        shutil.move(f"{path}.new", path)
        reload(signet)
        reload(signet)
        assert len(published(signet)) == versions

        shutil.copy(day, path)
        reload(signet)
        wait_until(lambda: len(published(signet)) > versions, 120, "the next version")
        after = Signed(day, "gov.", policy == "nsec3")
        serial, made = published(signet)[-1]
        assert made == signatures_needed(before, after), f"{day.name} (serial {serial})"
        figures.note(f"gov {policy} {day.stem}: {made} signatures of {len(after.covered)}")
        signed = signet.axfr("gov.", tmp_path / "signed")
        ldns_verify_zone(signed, 600)
        ours = lines_of(signed)
        for peer in secondaries:
            wait_until(lambda peer=peer: peer.serial("gov.") == serial, 120,
                       f"{peer.name} has the version")
            theirs = lines_of(peer.axfr("gov.", tmp_path / f"{peer.name}.signed"))
            assert theirs == ours, f"{peer.name}: {sorted(theirs ^ ours)[:10]}"
        before = after

    started = [line for line in signet.log().splitlines() if "started" in line and "gov/IN" in line]
    differences = [line for line in started if "IXFR started" in line]
    assert len(differences) >= len(secondaries) * (len(days) - 1), "all came as differences"
