"""A name server under test or beside it: a process in a folder of its own on a port of its own."""

import os
import pathlib
import signal
import subprocess

import dns.flags
import dns.message
import dns.query
import dns.rcode

from support.ports import free_port
from support.waiting import wait_until

HOST = "127.0.0.1"


class Server:
    """`configure()` writes the configuration, `command()` is what runs it."""

    name = "?"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None
        self.log_path = self.folder / "log"

    def configure(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def start(self, ready=True, environment=None):
        self.configure()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                start_new_session=True, env={**os.environ, **(environment or {})})
        if ready:
            self.wait_until_answering()
        return self

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_for_log(self, text, within_s=20):
        wait_until(lambda: text in self.log(), within_s, f"{self.name}: {text!r} in the log")

    def wait_until_answering(self, within_s=60):
        def answers():
            assert self.is_running(), f"{self.name} ended:\n{self.log()[-3000:]}"
            try:
                query = dns.message.make_query("version.bind", "TXT", "CH")
                return dns.query.udp(query, HOST, port=self.port, timeout=0.5)
            except (dns.exception.Timeout, OSError):
                return None
        wait_until(answers, within_s, f"{self.name} answering")

    def terminate(self):
        """Ask politely; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            try:
                self.terminate()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process = None

    def query(self, name, rdtype, want_dnssec=True, tcp=False, payload=4096, rdclass="IN",
              timeout=15, **options):
        """One answer, over TCP where UDP was too small."""
        query = dns.message.make_query(name, rdtype, rdclass, want_dnssec=want_dnssec,
                                       use_edns=0, payload=payload, **options)
        query.flags &= ~dns.flags.RD
        if tcp:
            return dns.query.tcp(query, HOST, port=self.port, timeout=timeout)
        return dns.query.udp_with_fallback(query, HOST, port=self.port, timeout=timeout)[0]

    def answers_with(self, name, rdtype):
        """The answer's RRset of that type, or None while there is none."""
        try:
            response = self.query(name, rdtype, timeout=2)
        except (dns.exception.Timeout, OSError):
            return None
        if response.rcode() != dns.rcode.NOERROR:
            return None
        for rrset in response.answer:
            if rrset.rdtype == dns.rdatatype.from_text(rdtype):
                return rrset
        return None

    def axfr(self, zone, path, key=None):
        """The whole zone as a master file at `path`, by dig."""
        argv = ["dig", f"@{HOST}", "-p", str(self.port), zone, "AXFR", "+onesoa", "+nocomments",
                "+nocmd", "+nostats", "+time=60", "+tries=1"]
        if key:
            argv += ["-y", key]
        path = pathlib.Path(path)
        with open(path, "wb") as out:
            status = subprocess.run(argv, stdout=out, stderr=subprocess.STDOUT,
                                    timeout=900).returncode
            size = out.seek(0, os.SEEK_END)
        with open(path, "rb") as written:
            written.seek(max(0, size - 1000))
            end = written.read().decode(errors="replace")
        assert status == 0 and "Transfer failed" not in end, end
        assert any(line and line[0] != ";" for line in end.splitlines()), f"empty transfer: {end}"
        return path

    def axfr_lines(self, zone, path, key=None):
        """The same as sorted lines, to be compared byte by byte with another server's."""
        text = self.axfr(zone, path, key).read_text()
        return sorted(" ".join(line.split()) for line in text.splitlines()
                      if line and line[0] != ";" and " TSIG " not in " ".join(line.split()))
