"""Day after day the same zone, edited or fetched: each version is right and costs what its
difference needs, and secondaries that took the differences have the same zone."""

import shutil
import time

import pytest

from support import figures
from support.difference import Signed, signatures_needed
from support.judges import ldns_verify_zone
from support.material import gov_days
from support.peers import PEERS, Knot
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


class Watch:
    """signetd signs gov. for three secondaries; what each day costs it is counted, and all of them
    have the same."""

    def __init__(self, signet, folder, policy, label):
        self.signet = signet
        self.folder = folder
        self.label = f"gov {label} {policy}"  # of figures
        self.nsec3 = policy == "nsec3"
        self.secondaries = [kind(folder / kind.name, fetched=[("gov.", signet.port)])
                            for kind in PEERS]
        self.before = None  # the day that is served
        self.days = 0
        signet.extra = POLICIES

    def statements(self):
        told = " ".join(f"{HOST} port {peer.port};" for peer in self.secondaries)
        return f"check-names ignore; notify explicit; notify-delay 0; also-notify {{ {told} }};"

    def start(self, run_server, day):
        run_server(self.signet)
        self.signet.wait_until_signed("gov.", within_s=180)
        for peer in self.secondaries:
            run_server(peer)
        self.before = Signed(day, "gov.", self.nsec3)
        self.days = 1
        self.begin = time.monotonic()
        assert published(self.signet)[0][1] == len(self.before.covered) + 1 + self.nsec3, \
            "first signing: all of it, DNSKEY and NSEC3PARAM"
        self.judge()

    def judge(self):
        """What is served is right, and the secondaries get the same, byte for byte."""
        signed = self.signet.axfr("gov.", self.folder / "signed")
        ldns_verify_zone(signed, 600)
        ours = lines_of(signed)
        serial = self.signet.serial("gov.")
        for peer in self.secondaries:
            wait_until(lambda peer=peer: peer.serial("gov.") == serial, 120,
                       f"{peer.name} has the version")
            theirs = lines_of(peer.axfr("gov.", self.folder / f"{peer.name}.signed"))
            assert theirs == ours, f"{peer.name}: {sorted(theirs ^ ours)[:10]}"

    def judge_day(self, day, versions):
        """The version that follows the first `versions` ones is that day, and cost the difference."""
        wait_until(lambda: len(published(self.signet)) > versions, 120, "the next version")
        after = Signed(day, "gov.", self.nsec3)
        assert len(published(self.signet)) == versions + 1
        serial, made = published(self.signet)[-1]
        assert made == signatures_needed(self.before, after), f"{day.name} (serial {serial})"
        figures.note(f"{self.label} {day.stem}: {made} signatures of {len(after.covered)}")
        self.judge()
        self.before = after
        self.days += 1

    def end(self):
        started = [line for line in self.signet.log().splitlines()
                   if "started" in line and "gov/IN" in line]
        differences = [line for line in started if "IXFR started" in line]
        assert len(differences) >= len(self.secondaries) * (self.days - 1), \
            "all came as differences"
        figures.note(f"{self.label}: {self.days} days accepted in "
                     f"{time.monotonic() - self.begin:.0f} s")


def reload(server):
    result = server.rndc("reload", "gov.")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["nsec", "nsec3"])
def test_each_day_costs_its_difference(signet, run_server, tmp_path, request, policy):
    days = gov_days(tmp_path / "days", 40 if request.config.getoption("--long") else 3)
    watch = Watch(signet, tmp_path, policy, "reloaded")
    path = signet.add_zone("gov.", days[0].read_text(), policy=policy,
                           statements=watch.statements())
    watch.start(run_server, days[0])
    for day in days[1:]:
        # A reload of what is unchanged, even of a new file, costs nothing.
        versions = len(published(signet))
        shutil.copy(path, f"{path}.new")
        shutil.move(f"{path}.new", path)
        reload(signet)
        reload(signet)
        assert len(published(signet)) == versions

        shutil.copy(day, path)
        reload(signet)
        watch.judge_day(day, versions)
    watch.end()


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["nsec", pytest.param("nsec3", marks=pytest.mark.long)])
def test_a_day_that_is_fetched_costs_its_difference(signet, run_server, tmp_path, request, policy):
    """An unsigned primary tells of each day, and gives it as a difference."""
    days = gov_days(tmp_path / "days", 40 if request.config.getoption("--long") else 2)
    path = tmp_path / "unsigned"
    shutil.copy(days[0], path)
    primary = run_server(Knot(tmp_path / "primary", zones=[("gov.", path)], notify=[signet.port]))
    watch = Watch(signet, tmp_path, policy, "fetched")
    signet.add_secondary("gov.", [primary.port], policy=policy, statements=watch.statements())
    watch.start(run_server, days[0])
    for day in days[1:]:
        versions = len(published(signet))
        shutil.copy(day, path)
        primary.reload()
        watch.judge_day(day, versions)
        assert signet.rndc("refresh", "gov.").returncode == 0  # there is nothing newer
    watch.end()
    assert primary.transfers_out("gov.") == ["AXFR"] + ["IXFR"] * (len(days) - 1)
    assert len(published(signet)) == len(days)
