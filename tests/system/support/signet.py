"""signetd in a folder of its own."""

import os
import pathlib
import subprocess

import dns.rdatatype

from support.server import HOST, Server
from support.ports import free_port
from support.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("SIGNET_BIN", ROOT / "build/release/bin"))


class Signet(Server):
    name = "signetd"

    def __init__(self, folder, options="", extra="", view=None):
        super().__init__(folder)
        self.control_port = free_port()
        self.zones = []      # texts of zone statements
        self.options = options
        self.extra = extra   # further top-level statements
        self.view = view     # text that replaces the zone statements
        self.arguments = []

    @property
    def configuration(self):
        return self.folder / "signet.conf"

    def add_zone(self, name, text, policy=None, statements=""):
        """A primary zone with the text of its file; `policy` is a name or None."""
        path = self.folder / (name.strip(".").replace("/", "_") or "root")
        path = path.with_name(path.name + ".zone")
        path.write_text(text)
        signing = f'dnssec-policy "{policy}"; inline-signing yes;' if policy else ""
        self.zones.append(f'zone "{name}" {{ type primary; file "{path}"; {signing} '
                          f'allow-transfer {{ any; }}; {statements} }};')
        return path

    def add_secondary(self, name, primaries, key=None, policy=None, statements=""):
        """A zone that is fetched from the ports in `primaries`; `key` is a peers.Key or None."""
        with_key = f' key "{key.name}"' if key else ""
        asked = "".join(f"{HOST} port {port}{with_key}; " for port in primaries)
        signing = f'dnssec-policy "{policy}"; inline-signing yes;' if policy else ""
        self.add_key(key)
        self.zones.append(f'zone "{name}" {{ type secondary; file "{name}secondary"; {signing} '
                          f'primaries {{ {asked}}}; allow-transfer {{ any; }}; {statements} }};')

    def add_key(self, key):
        statement = key and (f'key "{key.name}" {{ algorithm {key.algorithm}; '
                             f'secret "{key.secret}"; }};\n')
        if statement and statement not in self.extra:
            self.extra += statement

    def serial(self, zone):
        """The SOA serial that is answered, or None while there is none."""
        soa = self.answers_with(zone, "SOA")
        return soa[0].serial if soa else None

    def configure(self):
        self.configuration.write_text(f"""
options {{
    directory "{self.folder}";
    listen-on port {self.port} {{ {HOST}; }};
    listen-on-v6 {{ none; }};
    pid-file "{self.folder}/signetd.pid";
    {self.options}
}};
key "control" {{ algorithm hmac-sha256; secret "c2lnbmV0IHN5c3RlbSB0ZXN0cyE="; }};
controls {{ inet {HOST} port {self.control_port} allow {{ {HOST}; }} keys {{ "control"; }}; }};
{self.extra}
{self.view if self.view is not None else chr(10).join(self.zones)}
""")
        (self.folder / "rndc.conf").write_text(f"""
key "control" {{ algorithm hmac-sha256; secret "c2lnbmV0IHN5c3RlbSB0ZXN0cyE="; }};
options {{ default-server {HOST}; default-port {self.control_port}; default-key "control"; }};
""")

    def command(self):
        return [str(BIN / "signetd"), "-g", "-c", str(self.configuration), *self.arguments]

    def rndc(self, *words, program="rndc"):
        """The real rndc, or `signet` as its twin; the finished process."""
        path = program if program == "rndc" else str(BIN / program)
        return subprocess.run([path, "-c", str(self.folder / "rndc.conf"), *words],
                              capture_output=True, text=True, timeout=30)

    def wait_until_signed(self, zone, within_s=60):
        """The SOA serial once the zone is served with signatures."""
        def signed():
            assert self.is_running(), f"signetd ended:\n{self.log()[-3000:]}"
            try:
                response = self.query(zone, "SOA", timeout=2)
            except OSError:
                return None
            types = {rrset.rdtype for rrset in response.answer}
            if dns.rdatatype.RRSIG in types and dns.rdatatype.SOA in types:
                return next(r for r in response.answer if r.rdtype == dns.rdatatype.SOA)[0].serial
            return None
        return wait_until(signed, within_s, f"{zone} signed")


def tool(*words, **options):
    """One offline subcommand of `signet`; the finished process."""
    return subprocess.run([str(BIN / "signet"), *map(str, words)], capture_output=True, text=True,
                          timeout=120, **options)
