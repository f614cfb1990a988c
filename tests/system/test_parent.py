"""The parent's side: its agents are asked for the DS until all agree, and it is told what to do."""

import os
import re
import stat
import subprocess

import dns.dnssec
import pytest
from support.peers import KEY, OTHER_KEY, PEERS, Bind, Key, Knot, Unbound
from support.ports import free_port
from support.server import HOST
from support.waiting import wait_until

ZONE = "example.test."
PUSH_KEY = Key("push.key", "hmac-sha256", "dGhlIGtleSBvZiB0aGUgdXBkYXRlcyB0byB0aGUgcGFyZW50")

CHILD = """$ORIGIN example.test.
$TTL 1
@   SOA ns hostmaster 1 3600 600 86400 1
    NS ns
ns  A 192.0.2.1
www A 192.0.2.2
"""

PARENT = """$ORIGIN test.
$TTL 1
@          SOA ns1 hostmaster {serial} 3600 600 86400 1
           NS ns1
ns1        A {address}
example    NS ns.example
ns.example A 192.0.2.1
{ds}
"""

# Everything is known everywhere within two seconds, so that a DS is wanted at once.
POLICY = """dnssec-policy "fast" {
    keys { csk lifetime unlimited algorithm 13; };
    dnskey-ttl 1; max-zone-ttl 1; publish-safety 0; retire-safety 0; zone-propagation-delay 0;
    parent-ds-ttl 1; parent-propagation-delay 0; };
"""
RETRY = "min-checkds-time 1; max-checkds-time 1;"


def ds_of(signet, digest="-2"):
    """The DS records of the zone's keys, as BIND makes them of the key files."""
    files = sorted(signet.folder.glob("Kexample.test.*.key"))
    assert files
    return "\n".join(subprocess.run(["dnssec-dsfromkey", digest, path], check=True, text=True,
                                    capture_output=True).stdout for path in files)


class Parent:
    """The zone `test.` at a server that is to show a DS, or not."""

    def __init__(self, kind, folder, key=None, address=HOST, **options):
        folder.mkdir(parents=True)
        self.path = folder / "test.zone"
        self.address = address
        self.serial = 0
        self.write("")
        self.server = kind(folder, zones=[("test.", self.path)], key=key, **options)

    @property
    def port(self):
        return self.server.port

    def write(self, ds):
        self.serial += 1
        self.path.write_text(PARENT.format(serial=self.serial, ds=ds, address=self.address))

    def show(self, ds):
        self.write(ds)
        self.server.reload()
        wait_until(lambda: bool(self.server.answers_with(ZONE, "DS")) == bool(ds), 20,
                   "the parent shows what it is to show")


def agents_of(*parents, key=None):
    with_key = f' key "{key.name}"' if key else ""
    return " ".join(f"{HOST} port {parent.port}{with_key};" for parent in parents)


def start_child(make_signet, agents, statements="", extra=""):
    asked = f"parental-agents {{ {agents} }};" if agents else ""
    signet = make_signet(extra=POLICY + extra)
    signet.add_zone(ZONE, CHILD, policy="fast", statements=f"{asked} {RETRY} {statements}")
    signet.start()
    signet.wait_until_signed(ZONE)
    return signet


def status(signet):
    return signet.rndc("zonestatus", ZONE).stdout


def wait_for_status(signet, text):
    try:
        wait_until(lambda: text in status(signet), 20, f"{text!r} in zonestatus", pause_s=0.2)
    except AssertionError as late:
        raise AssertionError(f"{late}: {status(signet)}") from late


SEEN = "keymgr: checkds DS for key example.test/ECDSAP256SHA256/"


@pytest.mark.parametrize("kind", PEERS)
def test_a_ds_is_waited_for_until_the_parent_shows_it(make_signet, run_server, tmp_path, kind):
    parent = Parent(kind, tmp_path / "parent")
    run_server(parent.server)
    signet = start_child(make_signet, agents_of(parent))
    wait_for_status(signet, "is to be published by the parent, waited for since")
    wait_for_status(signet, f"parental agent {HOST}#{parent.port} has no DS, not what is waited")
    assert SEEN not in signet.log()
    parent.show(ds_of(signet))
    signet.wait_for_log(SEEN)
    assert re.search(rf"{re.escape(SEEN)}\d+ seen published at ", signet.log())
    wait_for_status(signet, "is at the parent, as it should be")


def test_all_agents_must_show_it(make_signet, run_server, tmp_path):
    parents = [Parent(kind, tmp_path / kind.name) for kind in PEERS]
    for parent in parents:
        run_server(parent.server)
    signet = start_child(make_signet, agents_of(*parents))
    wait_for_status(signet, "is to be published by the parent")
    ds = ds_of(signet)
    parents[0].show(ds)
    wrong = ds.split()
    wrong[-1] = "00" * 32
    parents[2].show(" ".join(wrong))  # a digest that is not the key's
    wait_for_status(signet, f"{HOST}#{parents[0].port} has DS records, as it should be")
    wait_for_status(signet, f"{HOST}#{parents[1].port} has no DS, not what is waited for")
    wait_for_status(signet, f"{HOST}#{parents[2].port} has DS records, not what is waited for")
    assert SEEN not in signet.log()
    parents[1].show(ds)
    parents[2].show(ds_of(signet, "-aSHA-384"))
    signet.wait_for_log(SEEN)


def test_an_agent_that_is_silent_agrees_with_nothing(make_signet, run_server, tmp_path):
    parent = Parent(Bind, tmp_path / "parent")
    run_server(parent.server)
    silent = free_port()
    signet = start_child(make_signet, f"{agents_of(parent)} {HOST} port {silent};")
    wait_for_status(signet, "is to be published by the parent")
    parent.show(ds_of(signet))
    wait_for_status(signet, f"{HOST}#{parent.port} has DS records, as it should be")
    wait_for_status(signet, f"parental agent {HOST}#{silent} does not answer (connection refused: ")
    assert SEEN not in signet.log()
    # A new configuration has other agents: they are asked at once.
    signet.zones = []
    signet.add_zone(ZONE, CHILD, policy="fast",
                    statements=f"parental-agents {{ {agents_of(parent)} }}; {RETRY}")
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    signet.wait_for_log(SEEN)


class Guarded(Bind):
    """Answers those alone who have the key."""

    def configure(self):
        super().configure()
        path = self.folder / "named.conf"
        path.write_text(path.read_text().replace(
            "check-names ignore;", f'check-names ignore; allow-query {{ key "{KEY.name}"; }};'))


@pytest.mark.parametrize("key", [KEY, OTHER_KEY, None])
def test_an_agent_that_wants_a_key_gets_it(make_signet, run_server, tmp_path, key):
    parent = Parent(Guarded, tmp_path / "parent", key=KEY)
    run_server(parent.server)
    extra = "" if key is None else (f'key "{key.name}" {{ algorithm {key.algorithm}; '
                                    f'secret "{key.secret}"; }};')
    signet = start_child(make_signet, agents_of(parent, key=key), extra=extra)
    wait_for_status(signet, "is to be published by the parent")
    parent.write(ds_of(signet))
    parent.server.reload()
    if key is KEY:
        signet.wait_for_log(SEEN)
        return
    wait_for_status(signet, "answers with an error (rcode 5)" if key is None else
                    f"parental agent {HOST}#{parent.port} does not answer")
    assert SEEN not in signet.log()


class Choosy(Bind):
    """Answers one address alone, and tells of every question."""

    client = HOST

    def configure(self):
        super().configure()
        path = self.folder / "named.conf"
        path.write_text(path.read_text().replace("options {", "options { querylog yes;").replace(
            "check-names ignore;", f"check-names ignore; allow-query {{ {self.client}; }};"))


@pytest.mark.parametrize("words, source", [
    ("parental-agents {{ {agents} }}; parental-source 127.0.0.5;", "127.0.0.5"),
    ("parental-agents source 127.0.0.6 {{ {agents} }}; parental-source 127.0.0.5;", "127.0.0.6"),
    ("parental-agents {{ {agents} }};", None)])
def test_agents_are_asked_from_the_address_that_is_said(make_signet, run_server, tmp_path, words,
                                                        source):
    parent = Parent(Choosy, tmp_path / "parent")
    parent.server.client = source or "127.0.0.5"
    run_server(parent.server)
    signet = start_child(make_signet, "", words.format(agents=agents_of(parent)))
    wait_for_status(signet, "is to be published by the parent")
    parent.write(ds_of(signet))
    parent.server.reload()
    if source is None:
        wait_for_status(signet, f"{HOST}#{parent.port} answers with an error (rcode 5)")
        assert SEEN not in signet.log()
        return
    signet.wait_for_log(SEEN)
    # "+T": recursion is desired, over TCP.
    asked = re.findall(r"client \S+ ([\d.]+)#\d+ \(example\.test\): query: example\.test IN DS (\S+)",
                       parent.server.log())
    assert asked and {address for address, _ in asked} == {source}
    assert all("T" in flags for _, flags in asked), asked


class WellKnown(Knot):
    """On port 53 of an address of its own, too."""

    address = HOST

    def configure(self):
        super().configure()
        path = self.folder / "knot.conf"
        path.write_text(path.read_text().replace(
            f"    listen: {HOST}@{self.port}\n",
            f"    listen: [{HOST}@{self.port}, {self.address}@53]\n"))


@pytest.mark.skipif(os.geteuid() != 0, reason="port 53 needs root")
def test_the_parents_own_servers_are_found_and_asked(make_signet, run_server, tmp_path):
    address = f"127.53.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
    parent = Parent(WellKnown, tmp_path / "parent", address=address)
    parent.server.address = address
    run_server(parent.server)
    resolver = Unbound(tmp_path / "resolver", parent.server, [("test.", "")])
    run_server(resolver)
    signet = start_child(make_signet, "", f"parent-resolvers port {resolver.port} {{ {HOST}; }};")
    wait_for_status(signet, f"parental agent {address}#53 has no DS, not what is waited for")
    parent.show(ds_of(signet))
    signet.wait_for_log(SEEN)


def address_of(number):
    """For this run of the tests alone."""
    return f"127.{number}.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"


class OneOfThree(Parent):
    """One of the addresses of the two name servers of `test.`: ns1 has two of them."""

    def __init__(self, folder, number):
        self.at = address_of(number)
        super().__init__(WellKnown, folder)
        self.server.address = self.at

    def write(self, ds):
        super().write(ds)
        text = self.path.read_text().replace(
            f"ns1        A {HOST}\n", f"           NS ns2\nns1        A {address_of(54)}\n"
            f"           A {address_of(55)}\nns2        A {address_of(56)}\n")
        assert "NS ns2" in text
        self.path.write_text(text)


def stays_waiting(signet, tag, behind):
    """Two rounds go by, in which one address was behind."""
    agent = re.compile(rf"parental agent {re.escape(behind.at)}#53 has .*, not what is waited for; "
                       r"asked on (.*)")
    seen = set()

    def asked():
        seen.update(agent.findall(status(signet)))
        return len(seen) >= 3
    wait_until(asked, 30, f"{behind.at} asked again", pause_s=0.2)
    assert f"the DS of key {tag} (ECDSAP256SHA256) is to be " in status(signet)


@pytest.mark.skipif(os.geteuid() != 0, reason="port 53 needs root")
def test_a_roll_waits_for_every_address_of_every_server(make_signet, run_server, tmp_path):
    parents = [OneOfThree(tmp_path / f"parent{number}", number) for number in (54, 55, 56)]
    for parent in parents:
        run_server(parent.server)
    resolver = Unbound(tmp_path / "resolver", parents[0].server, [("test.", "")])
    run_server(resolver)
    signet, old = start_rolling(make_signet, "",
                                f"parent-resolvers port {resolver.port} {{ {HOST}; }};")
    for parent in parents:
        parent.show(ds_of_key(signet, old))
    signet.wait_for_log(f"{SEEN}{old} seen published")
    new = roll(signet, old)
    both = ds_of_key(signet, old) + ds_of_key(signet, new)
    for behind, ahead in ((parents[1], parents[0]), (parents[2], parents[1])):
        ahead.show(both)
        stays_waiting(signet, new, behind)
    parents[2].show(both)
    signet.wait_for_log(f"{SEEN}{new} seen published")
    for behind, ahead in ((parents[1], parents[0]), (parents[2], parents[1])):
        ahead.show(ds_of_key(signet, new))
        stays_waiting(signet, old, behind)
        assert ksk_tags(signet) == {old, new}, "one address still has the DS of the old key"
    parents[2].show(ds_of_key(signet, new))
    signet.wait_for_log(f"{SEEN}{old} seen withdrawn")
    wait_until(lambda: ksk_tags(signet) == {new}, 60, "the old key is gone")


def test_where_no_resolver_answers_that_is_told(make_signet):
    signet = start_child(make_signet, "", f"parent-resolvers port {free_port()} {{ {HOST}; }};")
    wait_for_status(signet, "the parent's name servers: no resolver has an answer")
    wait_for_status(signet, "no parental agent is known, so nobody is asked")


# --- telling the parent ---------------------------------------------------------------------------

SCRIPT = """#!/bin/sh
echo "$SIGNET_ACTION $SIGNET_ZONE $SIGNET_KEY_TAG $* $(env | wc -l)" >> {folder}/runs
cat > {folder}/input
test "$(wc -l < {folder}/runs)" -ge {succeeds} || {{ echo "not now" >&2; exit 9; }}
"""


def write_script(folder, succeeds):
    path = folder / "submit"
    path.write_text(SCRIPT.format(folder=folder, succeeds=succeeds))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def runs(folder):
    path = folder / "runs"
    return path.read_text().splitlines() if path.exists() else []


def test_a_command_is_run_until_it_succeeds_and_no_more(make_signet, tmp_path):
    script = write_script(tmp_path, succeeds=3)
    signet = start_child(make_signet, "", 'checkds no; ds-command-records ds; '
                         f'ds-submit-command "{script} --quietly  now";')
    signet.wait_for_log("has succeeded")
    assert "says: not now" in signet.log()
    assert "ended with status 9; it is tried again" in signet.log()
    tag = ds_of(signet).split()[3]
    assert len(runs(tmp_path)) == 3
    assert runs(tmp_path)[0].startswith(f"submit {ZONE} {tag} --quietly now ")
    given = (tmp_path / "input").read_text().split()
    assert given[:4] == [ZONE, "1", "IN", "DS"] and given[4:] == ds_of(signet).split()[3:]
    signet.kill()
    signet.start()
    wait_for_status(signet, "is to be published by the parent")
    signet.rndc("loadkeys", ZONE)
    signet.wait_until_signed(ZONE)
    assert len(runs(tmp_path)) == 3


def test_a_command_that_a_crash_cuts_off_is_run_again(make_signet, tmp_path):
    script = write_script(tmp_path, succeeds=1000)
    signet = start_child(make_signet, "", f'checkds no; ds-submit-command "{script}";')
    wait_until(lambda: len(runs(tmp_path)) >= 1, 20, "a run")
    signet.kill()
    write_script(tmp_path, succeeds=1)
    signet.start()
    signet.wait_for_log("has succeeded")
    assert " IN DNSKEY 257 3 13 " in (tmp_path / "input").read_text()


class UpdatedBind(Bind):
    def configure(self):
        super().configure()
        path = self.folder / "named.conf"
        key = (f'key "{PUSH_KEY.name}" {{ algorithm {PUSH_KEY.algorithm}; '
               f'secret "{PUSH_KEY.secret}"; }};')
        path.write_text(key + path.read_text().replace(
            "check-names ignore;",
            f'check-names ignore; allow-update {{ key "{PUSH_KEY.name}"; }};'))


class UpdatedKnot(Knot):
    def configure(self):
        super().configure()
        path = self.folder / "knot.conf"
        text = path.read_text()
        key = (f"key:\n  - id: {PUSH_KEY.name}\n    algorithm: {PUSH_KEY.algorithm}\n"
               f"    secret: {PUSH_KEY.secret}\n")
        rule = f"  - id: push\n    key: {PUSH_KEY.name}\n    action: update\n"
        text = text.replace("template:\n", f"{rule}template:\n", 1)
        text = text.replace("    acl: local\n", "    acl: [push, local]\n")
        path.write_text(text.replace("acl:\n", f"{key}acl:\n", 1))


@pytest.mark.parametrize("kind", [UpdatedBind, UpdatedKnot])
def test_the_parent_gets_the_ds_by_an_update(make_signet, run_server, tmp_path, kind):
    parent = Parent(kind, tmp_path / "parent")
    run_server(parent.server)
    extra = (f'key "{PUSH_KEY.name}" {{ algorithm {PUSH_KEY.algorithm}; '
             f'secret "{PUSH_KEY.secret}"; }};')
    signet = start_child(make_signet, agents_of(parent),
                         f"ds-push {{ {agents_of(parent, key=PUSH_KEY)} }};", extra)
    signet.wait_for_log("ds-push: the parent's primaries have the DS")
    signet.wait_for_log(SEEN)
    shown = parent.server.answers_with(ZONE, "DS")
    assert [str(record.key_tag) for record in shown] == [ds_of(signet).split()[3]]


def test_an_update_that_is_refused_is_told_and_sent_again(make_signet, run_server, tmp_path):
    parent = Parent(UpdatedBind, tmp_path / "parent")
    run_server(parent.server)
    signet = start_child(make_signet, agents_of(parent), f"ds-push {{ {agents_of(parent)} }};")
    wait_for_status(signet, f"ds-push to {HOST}#{parent.port}: the update was answered REFUSED")
    wait_until(lambda: signet.log().count("was answered REFUSED") >= 2, 20, "a second try")
    assert SEEN not in signet.log()


# --- rolls ----------------------------------------------------------------------------------------

ROLLS = POLICY.replace('"fast"', '"rolls"').replace(
    "csk lifetime unlimited algorithm 13;",
    "ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13;")


def ds_tags(server):
    found = server.answers_with(ZONE, "DS")
    return {record.key_tag for record in found} if found else set()


def ksk_tags(server):
    found = server.answers_with(ZONE, "DNSKEY")
    return {dns.dnssec.key_id(key) for key in found if key.flags == 257} if found else set()


def ds_of_key(signet, tag):
    path, = signet.folder.glob(f"Kexample.test.+013+{tag:05}.key")
    return subprocess.run(["dnssec-dsfromkey", "-2", path], check=True, text=True,
                          capture_output=True).stdout


def start_rolling(make_signet, agents, statements, extra=""):
    asked = f"parental-agents {{ {agents} }};" if agents else ""
    signet = make_signet(extra=ROLLS + extra)
    signet.add_zone(ZONE, CHILD, policy="rolls", statements=f"{asked} {RETRY} {statements}")
    signet.start()
    signet.wait_until_signed(ZONE)
    old, = ksk_tags(signet)
    return signet, old


def roll(signet, old):
    """Once the chain is in place; the new key's tag when it is published."""
    wait_until(lambda: "DSState: omnipresent" in
               next(signet.folder.glob(f"K*+{old:05}.state")).read_text(), 30, "the chain")
    done = signet.rndc("dnssec", "-rollover", "-key", str(old), ZONE)
    assert done.returncode == 0, done
    wait_until(lambda: len(ksk_tags(signet)) == 2, 30, "a successor")
    return (ksk_tags(signet) - {old}).pop()


@pytest.mark.parametrize("kind", [UpdatedBind, UpdatedKnot])
def test_a_key_rolls_with_the_parent_by_updates(make_signet, run_server, tmp_path, kind):
    parent = Parent(kind, tmp_path / "parent")
    run_server(parent.server)
    extra = (f'key "{PUSH_KEY.name}" {{ algorithm {PUSH_KEY.algorithm}; '
             f'secret "{PUSH_KEY.secret}"; }};')
    signet, old = start_rolling(make_signet, agents_of(parent),
                                f"ds-push {{ {agents_of(parent, key=PUSH_KEY)} }};", extra)
    wait_until(lambda: ds_tags(parent.server) == {old}, 30, "the first DS")
    new = roll(signet, old)

    def has_rolled():
        shown = ds_tags(parent.server)
        assert shown, "the parent must have a DS at any time"
        assert shown <= ksk_tags(signet), "and its key must be there"
        return shown == {new} and ksk_tags(signet) == {new}
    wait_until(has_rolled, 60, "the roll", pause_s=0.1)
    assert f"{SEEN}{new} seen published" in signet.log()
    assert f"{SEEN}{old} seen withdrawn" in signet.log()


# Of somebody else who signs the zone as well.
OTHER_DS = f"{ZONE} 1 IN DS 4711 13 2 {'AB' * 32}\n"


@pytest.mark.parametrize("kind, others", [(UpdatedBind, ""), (UpdatedKnot, ""),
                                          (UpdatedBind, OTHER_DS)])
def test_the_last_ds_goes_by_an_update_when_the_zone_goes_insecure(make_signet, run_server,
                                                                   tmp_path, kind, others):
    parent = Parent(kind, tmp_path / "parent")
    parent.write(others)
    run_server(parent.server)
    foreign = {4711} if others else set()
    extra = (f'key "{PUSH_KEY.name}" {{ algorithm {PUSH_KEY.algorithm}; '
             f'secret "{PUSH_KEY.secret}"; }};')
    signet, old = start_rolling(make_signet, agents_of(parent),
                                f"ds-push {{ {agents_of(parent, key=PUSH_KEY)} }};", extra)
    wait_until(lambda: ds_tags(parent.server) == {old} | foreign, 30, "the first DS")
    signet.wait_for_log(f"{SEEN}{old} seen published")
    wait_until(lambda: "DSState: omnipresent" in
               next(signet.folder.glob(f"K*+{old:05}.state")).read_text(), 30, "the chain")
    signet.zones[0] = signet.zones[0].replace('"rolls"', '"insecure"')
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    wait_until(lambda: ds_tags(parent.server) == foreign, 30, "our DS is gone, and ours alone")
    signet.wait_for_log(f"{SEEN}{old} seen withdrawn")
    assert ksk_tags(signet) == {old}, "signed as long as a cache may have the DS"


def test_a_roll_with_the_parent_survives_kill_9_at_any_time(make_signet, run_server, tmp_path):
    parent = Parent(UpdatedBind, tmp_path / "parent")
    run_server(parent.server)
    extra = (f'key "{PUSH_KEY.name}" {{ algorithm {PUSH_KEY.algorithm}; '
             f'secret "{PUSH_KEY.secret}"; }};')
    signet, old = start_rolling(make_signet, agents_of(parent),
                                f"ds-push {{ {agents_of(parent, key=PUSH_KEY)} }};", extra)
    wait_until(lambda: ds_tags(parent.server) == {old}, 30, "the first DS")
    new = roll(signet, old)

    def has_rolled():
        signet.kill()
        signet.start()
        signet.wait_until_signed(ZONE)
        shown = ds_tags(parent.server)
        assert shown and shown <= ksk_tags(signet)
        return shown == {new} and ksk_tags(signet) == {new}
    wait_until(has_rolled, 90, "the roll", pause_s=1.3)


def test_what_goes_is_told_when_what_comes_is_there(make_signet, run_server, tmp_path):
    parent = Parent(Bind, tmp_path / "parent")
    run_server(parent.server)
    script = write_script(tmp_path, succeeds=0)
    signet, old = start_rolling(
        make_signet, agents_of(parent),
        f'ds-submit-command "{script}"; ds-retract-command "{script}";')
    submit = f"submit {ZONE} {old} "
    wait_until(lambda: [run.startswith(submit) for run in runs(tmp_path)] == [True], 30, submit)
    parent.show(ds_of_key(signet, old))
    new = roll(signet, old)
    wait_until(lambda: len(runs(tmp_path)) == 2, 30, "the new key is submitted")
    assert runs(tmp_path)[1].startswith(f"submit {ZONE} {new} ")
    wait_for_status(signet, f"the DS of key {old} (ECDSAP256SHA256) is to be withdrawn")
    wait_for_status(signet, f"parental agent {HOST}#{parent.port} has DS records, not what")
    assert len(runs(tmp_path)) == 2, "nothing is retracted while nothing has come"
    parent.show(ds_of_key(signet, old) + ds_of_key(signet, new))
    wait_until(lambda: len(runs(tmp_path)) == 3, 30, "the old key is retracted")
    assert runs(tmp_path)[2].startswith(f"retract {ZONE} {old} ")
    assert old in ksk_tags(signet), "its DS is still there"
    parent.show(ds_of_key(signet, new))
    signet.wait_for_log(f"{SEEN}{old} seen withdrawn")
    wait_until(lambda: ksk_tags(signet) == {new}, 60, "the old key is gone")
    assert len(runs(tmp_path)) == 3


def test_a_parent_that_turns_back_holds_the_key(make_signet, run_server, tmp_path):
    """The old DS is shown again after it was gone: its key must stay."""
    parent = Parent(Bind, tmp_path / "parent")
    run_server(parent.server)
    signet, old = start_rolling(make_signet, agents_of(parent), "")
    wait_for_status(signet, "is to be published")
    parent.show(ds_of_key(signet, old))
    signet.wait_for_log(f"{SEEN}{old} seen published")
    parent.show("")
    signet.wait_for_log("the parent has turned back: the DS of key")
    wait_for_status(signet, "is to be published by the parent")
    parent.show(ds_of_key(signet, old))
    wait_until(lambda: signet.log().count(f"{SEEN}{old} seen published") >= 2, 30, "seen again")
