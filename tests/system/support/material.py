"""Zones to test with: small ones made here, real and generated ones from beside the project."""

import os
import pathlib
import subprocess
import sys

import pytest

from support.signet import ROOT

SHARED = pathlib.Path(os.environ.get("SIGNET_SHARED", ROOT.parent / "shared"))

SMALL = """$ORIGIN {zone}
$TTL 3600
@       IN SOA ns1 hostmaster 1 7200 3600 1209600 300
        IN NS ns1
        IN NS ns2
        IN MX 10 mail
        IN TXT "a small zone"
ns1     IN A 192.0.2.1
        IN AAAA 2001:db8::1
ns2     IN A 192.0.2.2
mail    IN A 192.0.2.25
www     IN CNAME web.a.b
web.a.b IN A 192.0.2.80
*.wild  IN A 192.0.2.99
        IN TXT "anything below wild"
old     IN DNAME new
x.new   IN A 192.0.2.17
secure  IN NS ns.secure
        IN DS 12345 13 2 49FD46E6C4B45C55D4AC1B1E5D5C0C5F3DB6D1FBDA2E6A9C0E3B7E0A1B2C3D4E
ns.secure IN A 192.0.2.53
plain   IN NS ns1.plain
ns1.plain IN A 192.0.2.54
"""


def small_zone(zone="example.test."):
    return SMALL.replace("{zone}", zone)


def shared(path):
    """A file beside the project; the test is skipped, loudly, where it is missing."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"MISSING: {found}: this test needs real data beside the checkout")
    return found


def gov_days(folder, count):
    """The first `count` days of the .gov zone as paths, oldest first."""
    script = shared("data/gov/days.sh")
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["sh", script, folder, str(count)], check=True)
    return sorted(folder.glob("*.zone"))


def generated(kind, names, zone):
    """Text of a generated zone, `flat` or `tld`."""
    script = shared("bench/genzone.py")
    return subprocess.run([sys.executable, script, kind, str(names), zone], check=True,
                          capture_output=True, text=True).stdout
