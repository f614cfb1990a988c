"""Third parties that say whether a signed zone is right."""

import subprocess


def _run(*argv, timeout=600):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout)


def ldns_verify_zone(path):
    result = _run("ldns-verify-zone", path)
    assert result.returncode == 0, f"ldns-verify-zone:\n{(result.stdout + result.stderr)[-2000:]}"


def dnssec_verify(zone, path):
    # -z: a key that signs zone and keys alike need not be seconded by a zone-signing key.
    result = _run("dnssec-verify", "-z", "-o", zone, path)
    assert result.returncode == 0, f"dnssec-verify:\n{(result.stdout + result.stderr)[-2000:]}"


def kzonecheck(zone, path):
    result = _run("kzonecheck", "--dnssec", "on", "-o", zone, path)
    assert result.returncode == 0, f"kzonecheck:\n{(result.stdout + result.stderr)[-2000:]}"


def assert_zone_validates(zone, path):
    """All three judges accept the master file."""
    ldns_verify_zone(path)
    dnssec_verify(zone, path)
    kzonecheck(zone, path)
