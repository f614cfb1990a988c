"""Scripts for nsupdate and knsupdate, and what came of them."""

import re
import subprocess

from support.server import HOST


class Key:
    """A TSIG key, as each program wants to have it."""

    def __init__(self, name, secret, algorithm="hmac-sha256"):
        self.name, self.secret, self.algorithm = name, secret, algorithm

    @property
    def statement(self):
        return f'key "{self.name}" {{ algorithm {self.algorithm}; secret "{self.secret}"; }};\n'

    @property
    def option(self):
        return ["-y", f"{self.algorithm}:{self.name}:{self.secret}"]


def _run(argv, script, timeout):
    return subprocess.run(argv, input=script, capture_output=True, text=True, timeout=timeout)


def nsupdate(server, zone, lines, key=None, options=(), timeout=60):
    """The rcode of one update. `key`: a Key, the path of a SIG(0) key, or None."""
    script = f"server {HOST} {server.port}\nzone {zone}\n" + "\n".join(lines) + "\nsend\n"
    argv = ["nsupdate", *options]
    if key is not None:
        argv += key.option if isinstance(key, Key) else ["-k", str(key)]
    result = _run(argv, script, timeout)
    text = result.stdout + result.stderr
    failed = re.search(r"update failed: (\w+)", text)
    if failed:
        return failed[1]
    assert result.returncode == 0, f"nsupdate: {text}\n{script}"
    return "NOERROR"


def knsupdate(server, zone, lines, key=None, options=(), timeout=60):
    """The same with Knot's program."""
    script = f"server {HOST} {server.port}\nzone {zone}\n" + "\n".join(lines) + "\nsend\nquit\n"
    argv = ["knsupdate", *options, *(key.option if key is not None else [])]
    result = _run(argv, script, timeout)
    text = result.stdout + result.stderr
    failed = re.search(r"update failed with '?(\w+)|status: (?!NOERROR)(\w+)", text)
    if failed:
        return failed[1] or failed[2]
    assert result.returncode == 0 and "rror" not in text, f"knsupdate: {text}\n{script}"
    return "NOERROR"


def sig0_key(folder, name, algorithm="ECDSAP256SHA256"):
    """A key pair of dnssec-keygen: the path for -k, and the KEY record's rdata."""
    size = ["-b", "2048"] if algorithm.startswith("RSA") else []
    folder.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["dnssec-keygen", "-q", "-T", "KEY", "-n", "HOST", "-a", algorithm, *size,
                           name], cwd=folder, check=True, capture_output=True, text=True)
    stem = made.stdout.strip()
    text = (folder / f"{stem}.key").read_text()
    line = next(x for x in text.splitlines() if not x.startswith(";"))
    return folder / f"{stem}.private", line.split(" KEY ", 1)[1]
