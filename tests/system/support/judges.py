"""Third parties that say whether a signed zone is right."""

import collections
import concurrent.futures
import os
import pathlib
import subprocess
import time

from support import figures

Verdict = collections.namedtuple("Verdict", "status output")

# A run that takes longer than this is worth a line among the figures.
NOTEWORTHY_S = 30


def _run(path, within_s, *argv):
    """`timeout` and wait4: the status, and what the judge cost in time and memory."""
    output = pathlib.Path(f"{path}.{argv[0]}")
    begin = time.monotonic()
    with open(output, "wb") as out:
        process = subprocess.Popen(["timeout", str(within_s), *map(str, argv)],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - begin
    if wall_s > NOTEWORTHY_S:
        figures.note(f"{argv[0]} {pathlib.Path(path).name}: {wall_s:.0f} s, "
                     f"CPU {usage.ru_utime + usage.ru_stime:.0f} s, {usage.ru_maxrss // 1024} MB")
    return Verdict(process.returncode, output.read_text(errors="replace"))


def ldns_verify_zone(path, within_s):
    verdict = _run(path, within_s, "ldns-verify-zone", path)
    assert verdict.status == 0, f"ldns-verify-zone: {verdict.status}\n{verdict.output[-2000:]}"


def dnssec_verify(zone, path, within_s):
    # -z: a key that signs zone and keys alike need not be seconded by a zone-signing key.
    verdict = _run(path, within_s, "dnssec-verify", "-z", "-o", zone, path)
    assert verdict.status == 0, f"dnssec-verify: {verdict.status}\n{verdict.output[-2000:]}"


# What kzonecheck says of the zone's own data, signed or not: real zones have it.
OF_THE_SOURCE = ("missing glue record",)


def kzonecheck(zone, path, within_s):
    verdict = _run(path, within_s, "kzonecheck", "--dnssec", "on", "-o", zone, path)
    complaints = [line for line in verdict.output.splitlines()
                  if line.startswith("[") and not line.endswith(OF_THE_SOURCE)]
    assert not complaints, "kzonecheck:\n" + "\n".join(complaints[:20])
    assert verdict.status == 0 or "Error summary" in verdict.output, verdict


def assert_zone_validates(zone, path, algorithms=1, within_s=600):
    """
    All three judges, side by side, accept the master file. With several algorithms only two are
    asked: Debian's kzonecheck 3.2 also refuses, now and then, zones with two algorithms that
    dnssec-signzone made.
    """
    with concurrent.futures.ThreadPoolExecutor() as pool:
        verdicts = [pool.submit(ldns_verify_zone, path, within_s),
                    pool.submit(dnssec_verify, zone, path, within_s)]
        if algorithms == 1:
            verdicts.append(pool.submit(kzonecheck, zone, path, within_s))
    for verdict in verdicts:
        verdict.result()
