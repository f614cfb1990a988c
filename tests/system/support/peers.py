"""Other name servers with the same zones: BIND, Knot, NSD as primaries, Unbound as validator."""

import collections
import signal
import subprocess

from support.server import HOST, Server

# One TSIG key, as all of them write it; `secret` is base64.
Key = collections.namedtuple("Key", "name algorithm secret")
KEY = Key("transfer.key", "hmac-sha256", "dGhlIHNlY3JldCBvZiB0aGUgc3lzdGVtIHRlc3RzISE=")
OTHER_KEY = Key("transfer.key", "hmac-sha256", "YW5vdGhlciBzZWNyZXQgdW5kZXIgdGhlIHNhbWUgbmFtZQ==")


class Peer(Server):
    def __init__(self, folder, zones=(), fetched=(), notify=(), key=None):
        """
        `zones`: pairs of name and path of a master file, served as a primary.
        `fetched`: pairs of name and port of the primary, served as a secondary.
        `notify`: ports that are told of changes. `key`: for all of it, both ways; or None.
        """
        super().__init__(folder)
        self.zones = list(zones)
        self.fetched = list(fetched)
        self.notify = list(notify)
        self.key = key

    def reload(self):
        """Read the master files again."""
        self.process.send_signal(signal.SIGHUP)

    def serial(self, zone):
        soa = self.answers_with(zone, "SOA")
        return soa[0].serial if soa else None

    def transfers_out(self, zone):
        """What the log says of transfers to others: a list of "AXFR" and "IXFR"."""
        raise NotImplementedError


class Bind(Peer):
    name = "named"

    def configure(self):
        key = f' key "{self.key.name}"' if self.key else ""
        allowed = f'key "{self.key.name}"' if self.key else "any"
        told = "".join(f"{HOST} port {port}{key}; " for port in self.notify)
        telling = f"notify explicit; also-notify {{ {told}}};" if told else "notify no;"
        zones = "".join(f'zone "{name}" {{ type primary; file "{path}"; '
                        f'allow-transfer {{ {allowed}; }}; check-names ignore; {telling} '
                        f'ixfr-from-differences yes; }};\n' for name, path in self.zones)
        zones += "".join(f'zone "{name}" {{ type secondary; file "{self.folder}/{name}secondary"; '
                         f'primaries {{ {HOST} port {port}{key}; }}; allow-transfer {{ any; }}; '
                         f'notify no; masterfile-format text; }};\n'
                         for name, port in self.fetched)
        keys = (f'key "{self.key.name}" {{ algorithm {self.key.algorithm}; '
                f'secret "{self.key.secret}"; }};') if self.key else ""
        (self.folder / "named.conf").write_text(f"""
options {{
    directory "{self.folder}"; pid-file none; session-keyfile none; recursion no;
    listen-on port {self.port} {{ {HOST}; }}; listen-on-v6 {{ none; }};
    dnssec-validation no; minimal-responses yes; zone-statistics none;
    check-integrity no; zero-no-soa-ttl no; notify-delay 0;
}};
controls {{ }};
{keys}
{zones}""")

    def command(self):
        return ["named", "-g", "-n", "1", "-c", str(self.folder / "named.conf")]

    def transfers_out(self, zone):
        label = f"transfer of '{zone.rstrip('.')}/IN': "
        lines = [line.split(label)[1] for line in self.log().splitlines()
                 if label in line and " started" in line]
        # An IXFR that is answered with the whole zone is told as "AXFR-style IXFR".
        return [line.split()[0].split("-")[0] for line in lines]


class Knot(Peer):
    name = "knotd"

    def configure(self):
        (self.folder / "db").mkdir(exist_ok=True)
        remotes, key_of = "", ""
        keys = ""
        if self.key:
            keys = (f"key:\n  - id: {self.key.name}\n    algorithm: {self.key.algorithm}\n"
                    f"    secret: {self.key.secret}\n")
            key_of = f"\n    key: {self.key.name}"
        ports = [*self.notify, *{port for _, port in self.fetched}]
        if ports:
            remotes = "remote:\n" + "".join(
                f"  - id: at{port}\n    address: {HOST}@{port}{key_of}\n" for port in ports)
        told = f"    notify: [{', '.join(f'at{port}' for port in self.notify)}]\n" \
            if self.notify else ""
        zones = "".join(f"  - domain: {name}\n    file: {path}\n{told}"
                        for name, path in self.zones)
        zones += "".join(f"  - domain: {name}\n    master: at{port}\n"
                         f"    file: {self.folder}/{name}secondary\n"
                         for name, port in self.fetched)
        # Of a zone that it fetches anybody may see what came.
        opened = f"  - id: seen\n    address: {HOST}\n    action: transfer\n"
        acl = "[local, seen]" if self.fetched else "local"
        (self.folder / "knot.conf").write_text(f"""
server:
    rundir: {self.folder}
    listen: {HOST}@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    version: ""
log:
  - target: stderr
    any: {"info" if ports else "warning"}
database:
    storage: {self.folder}/db
{keys}{remotes}acl:
  - id: local
    address: {HOST}
    action: [transfer, notify]{key_of}
{opened}template:
  - id: default
    storage: {self.folder}
    acl: {acl}
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: changes
    semantic-checks: off
zone:
{zones}""")

    def command(self):
        return ["knotd", "-c", str(self.folder / "knot.conf")]

    def transfers_out(self, zone):
        lines = [line for line in self.log().splitlines()
                 if f"[{zone}]" in line and "XFR, outgoing" in line and " started" in line]
        return ["IXFR" if "IXFR, outgoing" in line else "AXFR" for line in lines]


class Nsd(Peer):
    name = "nsd"

    def configure(self):
        key = self.key.name if self.key else "NOKEY"
        told = "".join(f"  notify: {HOST}@{port} {key}\n" for port in self.notify)
        zones = "".join(f'zone:\n  name: "{name}"\n  zonefile: "{path}"\n'
                        f'  store-ixfr: yes\n  create-ixfr: yes\n'
                        f'  provide-xfr: {HOST} {key}\n{told}' for name, path in self.zones)
        zones += "".join(f'zone:\n  name: "{name}"\n  zonefile: "{self.folder}/{name}secondary"\n'
                         f'  request-xfr: {HOST}@{port} {key}\n  allow-notify: {HOST} {key}\n'
                         f'  provide-xfr: {HOST} NOKEY\n' for name, port in self.fetched)
        keys = (f'key:\n  name: "{self.key.name}"\n  algorithm: {self.key.algorithm}\n'
                f'  secret: "{self.key.secret}"\n') if self.key else ""
        (self.folder / "nsd.conf").write_text(f"""
server:
  ip-address: {HOST}@{self.port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{self.folder}"
  database: ""
  pidfile: ""
  xfrdfile: "{self.folder}/xfrd.state"
  zonelistfile: "{self.folder}/zone.list"
  xfrdir: "{self.folder}"
  xfrd-reload-timeout: 0
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  minimal-responses: yes
  verbosity: {2 if self.notify or self.fetched else 0}
remote-control:
  control-enable: no
{keys}{zones}""")

    def command(self):
        return ["nsd", "-d", "-c", str(self.folder / "nsd.conf")]

    def transfers_out(self, zone):
        name = zone.rstrip(".")
        lines = [line for line in self.log().splitlines()
                 if f"for {name}" in line and ("axfr for" in line or "ixfr for" in line)]
        return ["IXFR" if "ixfr for" in line else "AXFR" for line in lines]


PEERS = (Bind, Knot, Nsd)


class Unbound(Server):
    """Validates what `upstream` says of each zone, with that zone's keys as trust anchors."""

    name = "unbound"

    def __init__(self, folder, upstream, zones):
        """`zones`: pairs of name and DNSKEY or DS records in text, one a line."""
        super().__init__(folder)
        self.upstream = upstream
        self.zones = zones

    def configure(self):
        anchors, stubs = "", ""
        for name, records in self.zones:
            path = self.folder / (name.strip(".").replace("/", "_") + ".anchor")
            path.write_text(records)
            anchors += f'  trust-anchor-file: "{path}"\n'
            stubs += f'stub-zone:\n  name: "{name}"\n  stub-addr: {HOST}@{self.upstream.port}\n'
        (self.folder / "unbound.conf").write_text(f"""
server:
  interface: {HOST}
  port: {self.port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  verbosity: 1
  val-log-level: 2
  do-not-query-localhost: no
  do-ip6: no
  access-control: 127.0.0.0/8 allow_snoop
  module-config: "validator iterator"
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  aggressive-nsec: no
  harden-below-nxdomain: no
  qname-minimisation: no
  outgoing-port-avoid: 0-32767
  local-zone: "test." nodefault
  local-zone: "invalid." nodefault
  local-zone: "localhost." nodefault
{anchors}remote-control:
  control-enable: no
{stubs}""")

    def command(self):
        return ["unbound", "-d", "-c", str(self.folder / "unbound.conf")]



def installed(*programs):
    return all(subprocess.run(["which", p], capture_output=True).returncode == 0 for p in programs)
