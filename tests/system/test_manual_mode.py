"""manual-mode: keys wait for `dnssec -step`."""

import re

from support.material import small_zone

ZONE = "byhand.test."
POLICY = """dnssec-policy "p" { manual-mode yes;
    keys { ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13; }; };
"""


def keys(signet):
    return sorted(path.name for path in signet.folder.glob("K*.private"))


def test_a_new_zone_needs_no_step(make_signet):
    signet = make_signet(extra=POLICY)
    signet.add_zone(ZONE, small_zone(ZONE), policy="p")
    signet.start()
    signet.wait_until_signed(ZONE)
    first = keys(signet)
    assert len(first) == 2

    # Then a roll does: nothing is made before it.
    signet.extra = POLICY.replace("algorithm 13", "algorithm 14")
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    assert signet.rndc("loadkeys", ZONE).returncode == 0
    status = signet.rndc("dnssec", "-status", ZONE).stdout
    assert "manual-mode: " in status, status
    assert keys(signet) == first
    done = signet.rndc("dnssec", "-step", ZONE)
    assert done.returncode == 0, done.stderr
    assert sorted(line.split()[0] for line in done.stdout.splitlines()) == ["made:"] * 2 + ["stepped:"] * 3
    assert "stepped: ZSK" in done.stdout and "DNSKEY rumoured" in done.stdout
    for program in ("rndc", "signet"):
        again = signet.rndc("dnssec", "-step", ZONE, program=program)
        assert (again.returncode, again.stdout) == (0, "nothing waits for a step\n"), again.stderr
    assert re.search(r"keymgr-manual-mode: block ", signet.log())
    assert len(keys(signet)) == 4
