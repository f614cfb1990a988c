"""What a zone says when it is in trouble: in the log, in zonestatus, in the exit status."""

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
