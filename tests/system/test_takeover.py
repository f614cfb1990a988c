"""Key sets change hands: those of dnssec-keygen come to Signet, those of Signet go to named."""

import re
import shutil
import subprocess

import dns.dnssec
import dns.rcode
import pytest
from support.judges import assert_zone_validates
from support.material import small_zone
from support.nsupdate import nsupdate
from support.peers import Bind
from support.waiting import wait_until

ZONE = "example.test."
ALGORITHMS = {5: "RSASHA1", 7: "NSEC3RSASHA1", 8: "RSASHA256", 10: "RSASHA512",
              13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384", 15: "ED25519", 16: "ED448"}


def dnssec_keygen(folder, algorithm, *options):
    size = ["-b", "2048"] if algorithm < 13 else []
    subprocess.run(["dnssec-keygen", "-q", "-a", ALGORITHMS[algorithm], *size, *options, ZONE],
                   cwd=folder, check=True, capture_output=True)


def private_keys(folder):
    """Names and secrets; the times of a key are its policy's business."""
    times = re.compile(rb"^(Created|Publish|Activate|Inactive|Delete|SyncPublish|SyncDelete|"
                       rb"DSPublish|DSRemoved): .*\n", re.MULTILINE)
    return {path.name: times.sub(b"", path.read_bytes()) for path in folder.glob("K*.private")}


def tags(folder):
    return {int(re.match(r"K.*\+(\d+)\.private", path.name)[1]) for path in
            folder.glob("K*.private")}


def served_tags(server):
    found = server.answers_with(ZONE, "DNSKEY")
    return {dns.dnssec.key_id(rdata) for rdata in found} if found else set()


def has_signed(named, path):
    """It signs in portions, and serves each."""
    named.axfr(ZONE, path)
    return subprocess.run(["ldns-verify-zone", path], capture_output=True).returncode == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_of_dnssec_keygen_sign(make_signet, tmp_path, algorithm):
    signet = make_signet(extra=f"""dnssec-policy "split" {{
        keys {{ ksk lifetime unlimited algorithm {algorithm};
                zsk lifetime unlimited algorithm {algorithm}; }};
        {"nsec3param iterations 0 optout no salt-length 0;" if algorithm == 7 else ""} }};""")
    dnssec_keygen(signet.folder, algorithm, "-f", "KSK")
    dnssec_keygen(signet.folder, algorithm)
    before = private_keys(signet.folder)
    signet.add_zone(ZONE, small_zone(ZONE), policy="split")
    signet.start()
    signet.wait_until_signed(ZONE)
    assert private_keys(signet.folder) == before
    assert served_tags(signet) == tags(signet.folder)
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))


def test_keys_that_bind_made_by_policy_sign(make_signet, tmp_path):
    policy = """dnssec-policy "split" {
        keys { ksk lifetime unlimited algorithm 13; zsk lifetime P90D algorithm 13; }; };"""
    (tmp_path / "policy.conf").write_text(policy)
    signet = make_signet(extra=policy)
    subprocess.run(["dnssec-keygen", "-q", "-k", "split", "-l", tmp_path / "policy.conf", ZONE],
                   cwd=signet.folder, check=True, capture_output=True)
    before = private_keys(signet.folder)
    assert len(before) == 2
    signet.add_zone(ZONE, small_zone(ZONE), policy="split")
    signet.start()
    signet.wait_until_signed(ZONE)
    assert private_keys(signet.folder) == before
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))


class SigningBind(Bind):
    """named that signs; its key folder is its own."""

    policy = ""

    def configure(self):
        super().configure()
        path = self.folder / "named.conf"
        path.write_text(self.policy + path.read_text().replace(
            "check-names ignore;", 'check-names ignore; dnssec-policy "split"; inline-signing yes;'
            f' key-directory "{self.folder}";'))


@pytest.mark.parametrize("algorithm", [a for a in ALGORITHMS if a >= 8])
def test_named_goes_on_with_our_keys(make_signet, run_server, tmp_path, algorithm):
    policy = f"""dnssec-policy "split" {{
        keys {{ ksk lifetime unlimited algorithm {algorithm};
                zsk lifetime unlimited algorithm {algorithm}; }}; }};\n"""
    signet = make_signet(extra=policy)
    signet.add_zone(ZONE, small_zone(ZONE), policy="split")
    signet.start()
    signet.wait_until_signed(ZONE)
    ours = served_tags(signet)
    signet.stop()
    named = SigningBind(tmp_path / "named", [(ZONE, tmp_path / "named" / "zone")])
    named.policy = policy
    (named.folder / "zone").write_text(small_zone(ZONE))
    for path in signet.folder.glob("K*"):
        shutil.copy(path, named.folder)
    run_server(named)
    wait_until(lambda: has_signed(named, tmp_path / "portion"), 60, "named has signed")
    assert served_tags(named) == ours
    assert private_keys(named.folder) == private_keys(signet.folder)
    assert_zone_validates(ZONE, named.axfr(ZONE, tmp_path / "signed"))


# --- what stands in named's journal alone -------------------------------------------------------

class UpdatedBind(Bind):
    """named that takes updates, and whom `rndc` of `signet` reaches while that does not run."""

    def __init__(self, folder, signet, zone_file):
        super().__init__(folder, [(ZONE, zone_file)])
        self.signet = signet

    def configure(self):
        super().configure()
        path = self.folder / "named.conf"
        path.write_text(path.read_text().replace("ixfr-from-differences yes;", "allow-update { any; };")
                        .replace("controls { };", "controls { inet 127.0.0.1 port "
                                 f'{self.signet.control_port} allow {{ any; }} keys {{ "control"; }}; }};\n'
                                 'key "control" { algorithm hmac-sha256; '
                                 'secret "c2lnbmV0IHN5c3RlbSB0ZXN0cyE="; };'))

    def sync(self):
        done = self.signet.rndc("sync", ZONE)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def updated(make_signet, run_server, tmp_path):
    """signetd that has not begun, and the zone's file of a named that died with an update in its
    journal."""
    def make(policy=None, statements="allow-update { any; };"):
        signet = make_signet()
        path = signet.add_zone(ZONE, small_zone(ZONE), policy=policy, statements=statements)
        signet.configure()
        named = run_server(UpdatedBind(tmp_path / "named", signet, path))
        assert nsupdate(named, ZONE, [f"update add told.{ZONE} 60 TXT y"]) == "NOERROR"
        named.kill()
        assert "told" not in path.read_text() and path.with_name(path.name + ".jnl").exists()
        return signet, named, path
    return make


def refuses(signet):
    signet.start(ready=False)
    signet.wait_for_log(".jnl holds updates that named has taken, up to serial 2")
    assert signet.query(ZONE, "SOA").rcode() == dns.rcode.SERVFAIL


def has_the_update(signet):
    wait_until(lambda: signet.answers_with(f"told.{ZONE}", "TXT"), 20, "what named was told")


@pytest.mark.parametrize("policy", [None, "default"])
def test_what_the_journal_of_named_alone_has_is_not_lost(updated, policy):
    signet, named, path = updated(policy)
    refuses(signet)
    signet.stop()
    named.start()
    named.sync()
    named.stop()
    assert path.with_name(path.name + ".jnl").exists()
    signet.start()  # the journal ends where the file does
    has_the_update(signet)


def test_without_its_journal_the_file_is_all_there_is(updated):
    signet, _, path = updated()
    refuses(signet)
    path.with_name(path.name + ".jnl").unlink()
    assert signet.rndc("reload", ZONE).returncode == 0
    wait_until(lambda: signet.serial(ZONE) == 1, 20, "the file")
    assert signet.answers_with(f"told.{ZONE}", "TXT") is None


def test_a_journal_elsewhere_is_found(updated, tmp_path):
    elsewhere = tmp_path / "elsewhere.jnl"
    signet, _, path = updated(statements=f'allow-update {{ any; }}; journal "{elsewhere}";')
    path.with_name(path.name + ".jnl").rename(elsewhere)
    refuses(signet)


def test_a_journal_that_cannot_be_read_is_not_taken_for_none(make_signet):
    signet = make_signet()
    path = signet.add_zone(ZONE, small_zone(ZONE), statements="allow-update { any; };")
    path.with_name(path.name + ".jnl").mkdir()
    signet.start(ready=False)
    signet.wait_for_log(".jnl cannot be read")


def test_of_a_zone_of_ours_no_journal_is_looked_at(updated, tmp_path):
    signet, _, path = updated()
    journal = path.with_name(path.name + ".jnl")
    journal.rename(tmp_path / "aside")
    signet.start()
    wait_until(lambda: signet.serial(ZONE) == 1, 20, "the zone")
    signet.stop()
    (tmp_path / "aside").rename(journal)
    signet.start()
    wait_until(lambda: signet.serial(ZONE) == 1, 20, "the zone, from the store")
