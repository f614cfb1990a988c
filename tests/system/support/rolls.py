"""Keys that roll in seconds: a policy that BIND reads as well, settled keys, what is said of them."""

import re
import subprocess
import time

import dns.dnssec
import dns.rdatatype

from support.material import small_zone

PARENT = "test."
CHILD = "child.test."

# What a name server or the parent takes on a busy machine is well below two seconds and one.
TIMES = """
    dnskey-ttl PT1S; max-zone-ttl PT2S; zone-propagation-delay PT2S; publish-safety PT0S;
    retire-safety PT1S; signatures-validity PT10S; signatures-refresh PT8S; signatures-jitter PT0S;
    signatures-validity-dnskey PT10S; parent-ds-ttl PT1S; parent-propagation-delay PT1S;
    purge-keys PT4S;
"""
SPLIT = "ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13;"
CSK = "csk lifetime unlimited algorithm 13;"


def policy(keys, more=""):
    return f'dnssec-policy "rolls" {{ keys {{ {keys} }}; {TIMES} {more} }};\n'


def short_zone():
    return small_zone(CHILD).replace("$TTL 3600", "$TTL 2")


def dnskeys(server, flags=None):
    """Tag and algorithm of what is published."""
    found = server.answers_with(CHILD, "DNSKEY") or []
    return {(dns.dnssec.key_id(rdata), int(rdata.algorithm)) for rdata in found
            if flags in (None, rdata.flags)}


def signers(server, rdtype="SOA"):
    response = server.query(CHILD, rdtype)
    return {(rdata.key_tag, int(rdata.algorithm)) for rrset in response.answer
            if rrset.rdtype == dns.rdatatype.RRSIG for rdata in rrset}


def settle_keys(folder, keys, more=""):
    """Key files of a zone whose chain of trust has been in place for an hour: its DS in text."""
    folder.mkdir(parents=True, exist_ok=True)
    since = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() - 3600))
    (folder / "policy").write_text(policy(keys, more))
    names = subprocess.run(["dnssec-keygen", "-q", "-k", "rolls", "-l", "policy", CHILD],
                           cwd=folder, check=True, capture_output=True, text=True).stdout.split()
    found = set()
    for name in names:
        state = (folder / f"{name}.state").read_text()
        words = ["-P", since, "-A", since, "-g", "OMNIPRESENT", "-k", "OMNIPRESENT", since]
        if "KSK: yes" in state:
            words += ["-r", "OMNIPRESENT", since, "-d", "OMNIPRESENT", since, "-P", "ds", since]
            ds = subprocess.run(["dnssec-dsfromkey", "-2", f"{name}.key"], cwd=folder, check=True,
                                capture_output=True, text=True).stdout
            found.add(" ".join(ds.split()[3:]).lower())
        words += ["-z", "OMNIPRESENT", since] if "ZSK: yes" in state else []
        subprocess.run(["dnssec-settime", "-s", *words, name], cwd=folder, check=True,
                       capture_output=True)
    return found


def key_files(folder):
    """The fields of each .state file, by tag; those of a key that is purged just now are not there."""
    files = {}
    for path in folder.glob("K*.state"):
        try:
            text = path.read_text()
        except FileNotFoundError:
            continue
        tag = int(re.match(r"K.*\+(\d+)\.state", path.name)[1])
        files[tag] = dict(re.findall(r"^(\w+): (\S+)", text, re.MULTILINE))
    return files


def set_states(signet, tag, *states):
    """An operator's edit: pairs of dnssec-settime's letter and a state. It is made again where the
    server has written the file at the same moment."""
    names = {"-d": "DSState", "-k": "DNSKEYState", "-r": "KRRSIGState",
             "-z": "ZRRSIGState"}
    words = [word for i in range(0, len(states), 2) for word in (*states[i:i + 2], "now")]
    wanted = {names[states[i]]: states[i + 1].lower() for i in range(0, len(states), 2)}
    key = next(signet.folder.glob(f"K*+{tag:05}.key"))
    for _ in range(5):
        subprocess.run(["dnssec-settime", "-s", *words, key], check=True, capture_output=True)
        assert signet.rndc("loadkeys", CHILD).returncode == 0
        time.sleep(0.3)
        if wanted.items() <= key_files(signet.folder)[tag].items():
            return
    raise AssertionError(f"key {tag} is not {wanted}")
