"""Other name servers with the same zones: BIND, Knot, NSD as primaries, Unbound as validator."""

import subprocess

from support.server import HOST, Server


class Peer(Server):
    def __init__(self, folder, zones):
        """`zones`: pairs of name and path of a master file."""
        super().__init__(folder)
        self.zones = zones


class Bind(Peer):
    name = "named"

    def configure(self):
        zones = "".join(f'zone "{name}" {{ type primary; file "{path}"; '
                        f'allow-transfer {{ any; }}; check-names ignore; }};\n'
                        for name, path in self.zones)
        (self.folder / "named.conf").write_text(f"""
options {{
    directory "{self.folder}"; pid-file none; session-keyfile none; recursion no;
    listen-on port {self.port} {{ {HOST}; }}; listen-on-v6 {{ none; }};
    dnssec-validation no; notify no; minimal-responses yes; zone-statistics none;
    check-integrity no; zero-no-soa-ttl no;
}};
controls {{ }};
{zones}""")

    def command(self):
        return ["named", "-g", "-n", "1", "-c", str(self.folder / "named.conf")]


class Knot(Peer):
    name = "knotd"

    def configure(self):
        (self.folder / "db").mkdir(exist_ok=True)
        zones = "".join(f"  - domain: {name}\n    file: {path}\n" for name, path in self.zones)
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
    any: warning
database:
    storage: {self.folder}/db
acl:
  - id: local
    address: {HOST}
    action: transfer
template:
  - id: default
    storage: {self.folder}
    acl: local
    zonefile-sync: -1
    semantic-checks: off
zone:
{zones}""")

    def command(self):
        return ["knotd", "-c", str(self.folder / "knot.conf")]


class Nsd(Peer):
    name = "nsd"

    def configure(self):
        zones = "".join(f'zone:\n  name: "{name}"\n  zonefile: "{path}"\n'
                        f'  provide-xfr: {HOST} NOKEY\n' for name, path in self.zones)
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
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
{zones}""")

    def command(self):
        return ["nsd", "-d", "-c", str(self.folder / "nsd.conf")]


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
