"""manual-mode: keys wait for `dnssec -step`."""

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
    assert done.returncode == 0 and "all that was due is done" in done.stdout, done.stderr
    assert len(keys(signet)) == 4
