"""What a zone says when it is in trouble: in the log, in zonestatus, in the exit status."""

import time

import pytest

from support.waiting import wait_until

ZONE = """$TTL 30
@ SOA ns hostmaster 1 7200 900 1209600 30
@ NS ns
ns A 192.0.2.1
www A 192.0.2.80
"""
SHORT = """dnssec-policy "short" {
    keys { csk lifetime unlimited algorithm 13; };
    signatures-validity PT60S; signatures-validity-dnskey PT60S; signatures-refresh PT50S;
    signatures-jitter 0; dnskey-ttl 30; max-zone-ttl 30;
};"""


@pytest.mark.slow
def test_signatures_that_are_not_made_anew_are_told_before_they_expire(make_signet, run_server):
    server = make_signet(extra=SHORT, options='key-directory "keys";')
    (server.folder / "keys").mkdir()
    server.add_zone("short.test", ZONE, policy="short")
    run_server(server)
    server.wait_until_signed("short.test")
    assert server.rndc("zonestatus", "short.test", program="signet").returncode == 0
    (server.folder / "keys").rename(server.folder / "away")

    def overdue():
        result = server.rndc("zonestatus", "short.test", program="signet")
        return result if result.returncode == 3 else None
    result = wait_until(overdue, 100, "exit status 3")
    assert "\nproblem: " in result.stdout
    assert "\nsignatures: overdue, the first expires on " in result.stdout
    # rndc knows no such status: the command was done.
    assert server.rndc("zonestatus", "short.test").returncode == 0
    assert "zones with a problem: 1 (short.test/IN), see zonestatus" in server.rndc("status").stdout


def problem_of(server, zone):
    """What zonestatus says of a zone's problem, as a dict; the lines that are only then there."""
    result = server.rndc("zonestatus", zone, program="signet")
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    return {key: lines[key] for key in lines if key in ("problem", "problem since",
                                                        "served meanwhile")}


@pytest.mark.parametrize("policy", ["default", None])
def test_a_refused_file_is_told_over_a_restart(signet, run_server, policy):
    path = signet.add_zone("sick.test", ZONE, policy=policy)
    signet.add_zone("good.test", ZONE)
    run_server(signet)
    wait_until(lambda: signet.answers_with("www.sick.test", "A"), what="sick.test")
    assert problem_of(signet, "sick.test") == {}
    path.write_text(ZONE + "x AA 1\n")
    assert signet.rndc("reload", "sick.test").returncode == 1
    before = problem_of(signet, "sick.test")
    assert f"{path}:6: unknown RR type 'AA'" in before["problem"]
    assert before["served meanwhile"].startswith("serial 1, as ")
    wait_until(lambda: time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
               != before["problem since"], what="another second")
    signet.terminate()
    log = signet.log()
    signet.start(ready=False)
    signet.wait_until_answering()
    wait_until(lambda: "running\n" in signet.log()[len(log):], what="the end")
    after, log = problem_of(signet, "sick.test"), signet.log()[len(log):]
    assert "all zones loaded, but for 1\n" in log
    if policy:
        assert after == before and signet.answers_with("www.sick.test", "A")
        assert "zone sick.test/IN: serial 1 is served on, as the store has it: file '" in log
        assert "1 of 2 zones could not be loaded anew and are served as they were" in log
    else:
        assert after["served meanwhile"] == "nothing, queries are answered with SERVFAIL"
        assert "zone sick.test/IN: not loaded due to errors: file '" in log
        assert "1 of 2 zones could not be loaded and are not served" in log
    path.write_text(ZONE)
    assert signet.rndc("reload", "sick.test").returncode == 0
    assert problem_of(signet, "sick.test") == {}


def test_a_problem_is_an_exit_status_of_its_own(signet, run_server):
    path = signet.add_zone("good.test", ZONE)
    run_server(signet)
    wait_until(lambda: signet.answers_with("www.good.test", "A"), what="good.test")
    assert signet.rndc("zonestatus", "good.test", program="signet").returncode == 0
    path.write_text(ZONE + "x AA 1\n")
    assert signet.rndc("reload", "good.test").returncode == 1
    result = signet.rndc("zonestatus", "good.test", program="signet")
    assert result.returncode == 2 and "\nproblem: " in result.stdout
    assert signet.rndc("zonestatus", "nope.test", program="signet").returncode == 1


def test_a_file_without_a_folder_is_missed_in_the_one_that_was_searched(signet, run_server):
    path = signet.add_zone("good.test", ZONE)
    signet.zones[0] = signet.zones[0].replace(str(path), path.name)
    run_server(signet)
    wait_until(lambda: signet.answers_with("www.good.test", "A"), what="good.test")
    path.rename(f"{path}.away")
    result = signet.rndc("reload", "good.test")
    assert f"file '{path.name}' was not taken: not found in '{signet.folder}'" in result.stderr
