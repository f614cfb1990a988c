"""A clock that cannot be believed moves no key: `signet clock`, and what status says."""

import os
import subprocess

import pytest

from support.false_clock import DAY, FalseClock
from support.signet import BIN
from support.waiting import wait_until

ZONE = """$TTL 300
@ SOA ns hostmaster 1 7200 900 1209600 300
@ NS ns
ns A 192.0.2.1
www A 192.0.2.80
"""


@pytest.fixture
def server(make_signet, tmp_path):
    server = make_signet()
    server.clock = FalseClock(tmp_path)
    server.add_zone("signed.test", ZONE, policy="default")
    server.add_zone("plain.test", ZONE)
    server.start(environment=server.clock.environment)
    server.wait_until_signed("signed.test")
    return server


def signet(server, *words):
    """The client has the machine's clock too: commands carry a time."""
    return subprocess.run([str(BIN / "signet"), "-c", str(server.folder / "rndc.conf"), *words],
                          capture_output=True, text=True, timeout=30,
                          env={**os.environ, **server.clock.environment})


def states(server):
    """What the keys' .state files say, without their times."""
    return {path.name: [line for line in path.read_text().splitlines() if "State" in line]
            for path in server.folder.glob("K*.state")}


def is_in_doubt(server, text):
    result = signet(server, "zonestatus", "signed.test")
    return result.returncode == 2 and f"\nclock: {text}" in result.stdout


def is_trusted(server):
    return signet(server, "zonestatus", "signed.test").returncode == 0


def test_a_clock_that_jumps_is_told_and_moves_no_key(server):
    assert "clock: not in doubt" in signet(server, "clock").stdout
    before = states(server)
    server.clock.set(5 * DAY)
    server.wait_for_log("the clock has jumped ahead by 43")
    assert is_in_doubt(server, "in doubt, see status")
    assert "\nclock: jumped ahead by 43" in signet(server, "status").stdout
    assert signet(server, "zonestatus", "plain.test").returncode == 0
    assert signet(server, "loadkeys", "signed.test").returncode == 0
    assert server.answers_with("www.signed.test", "A")
    server.kill()  # The next process cannot see the jump, and knows of it.
    server.start(environment=server.clock.environment)
    wait_until(lambda: is_in_doubt(server, "in doubt since the commit"), what="the doubt")
    assert states(server) == before
    result = signet(server, "clock", "-accept")
    assert result.stdout == "the clock is accepted; zones whose keys go on: 1\n", result.stderr
    wait_until(lambda: is_trusted(server), what="the end of the doubt")
    server.kill()  # At once: what is told as trusted is durable.
    assert states(server) == before  # Its waits began anew.
    server.start(environment=server.clock.environment)
    wait_until(lambda: server.answers_with("www.signed.test", "A"), what="the zone")
    assert is_trusted(server)


def test_a_clock_behind_the_last_commit_is_told_until_it_is_right(server):
    server.terminate()
    server.clock.set(-3 * DAY)
    server.start(environment=server.clock.environment)
    wait_until(lambda: is_in_doubt(server, "behind the last commit of"), what="the doubt")
    assert "the clock is behind the zone's last commit of " in server.log()
    assert "zones with a problem: 1 (signed.test/IN)" in signet(server, "status").stdout
    server.terminate()
    server.clock.set(0)
    server.start(environment=server.clock.environment)
    wait_until(lambda: is_trusted(server), what="the end of the doubt")


def test_words_of_the_command(server):
    for words in [["-acept"], ["-accept", "now"]]:
        assert signet(server, "clock", *words).returncode == 1
    assert signet(server, "clock", "-accept").stdout.endswith("go on: 0\n")
