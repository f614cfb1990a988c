#include "keeper/refresh_script.h"

/* clang-format off */
static const struct row {
    const char *name;
    size_t primaries;
    const char *script;
} rows[] = {
    /* RFC 1034 4.3.5 */
    {"a zone that never came is fetched at once", 1,
     "udp:0 none soa:10 =newer axfr:0 none got:10 =apply none applied:10 =current idle about:3600 expires:86400"},
    {"each refresh asks for the SOA", 1,
     "have:10 none wake:3600 sleep udp:0 soa:10 =current about:3600 expires:86400 sleep udp:0"},
    {"a newer serial is fetched", 1,
     "have:10 sleep udp:0 soa:11 =newer ixfr:0:10 got:11 =apply applied:11 =current expires:86400"},
    {"who is not heard is tried again after retry", 1,
     "have:10 sleep udp:0 silent =same tcp:0 silent =failed idle about:600 sleep udp:0 soa:10 =current about:3600"},
    {"retry goes on until expire, then the zone is served no more", 1,
     "have:10 +:86399 udp:0 silent tcp:0 silent =failed wake:1 sleep expire none about:599"},
    {"an expired zone goes on asking", 1,
     "have:10 +:86400 expire udp:0 silent tcp:0 silent =failed about:600 sleep udp:0 soa:10 =current revive none about:3600 expires:86400"},
    {"an expired zone that changed is fetched", 1,
     "have:10 +:86400 expire udp:0 soa:11 ixfr:0:10 got:11 applied:11 none expires:86400"},
    {"it expires even while a transfer is under way", 1,
     "have:10 +:86390 udp:0 soa:11 ixfr:0:10 wake:10 sleep expire none got:11 =apply applied:11 none"},
    {"failures do not put the expiry off", 1,
     "have:10 sleep udp:0 rcode:5 =failed expires:82800"},
    {"expire is no shorter than refresh and retry", 1,
     "bounds:90000:2419200:600:1209600 have:10 demand udp:0 soa:10 expires:90600"},
    /* min/max-refresh-time, min/max-retry-time */
    {"max-refresh-time", 1, "bounds:300:1000:300:1209600 have:10 demand udp:0 soa:10 about:1000"},
    {"min-refresh-time", 1, "bounds:7200:90000:300:1209600 have:10 demand udp:0 soa:10 about:7200"},
    {"max-retry-time", 1, "bounds:300:2419200:60:100 have:10 demand udp:0 rcode:2 about:100"},
    {"min-retry-time", 1, "bounds:300:2419200:900:1209600 have:10 demand udp:0 rcode:2 about:900"},
    {"a zone that never came is tried sooner, then less often", 1,
     "udp:0 rcode:2 =failed about:5 sleep udp:0 rcode:2 about:10 sleep udp:0 rcode:2 about:20"
     " sleep udp:0 rcode:2 about:40 sleep udp:0 soa:10 axfr:0 broken =failed about:80"},
    /* serials, RFC 1982 */
    {"an older serial is passed over", 2, "have:10 demand udp:0 soa:9 =older udp:1 soa:10 =current"},
    {"all are older", 1, "have:10 demand udp:0 soa:9 =failed about:600 expires:86400"},
    {"a serial wraps around", 1, "have:4294967295 demand udp:0 soa:3 =newer ixfr:0:4294967295"},
    {"2^31 - 1 ahead is newer", 1, "have:1 demand udp:0 soa:2147483648 =newer"},
    {"2^31 ahead is undefined, and not taken", 1, "have:1 demand udp:0 soa:2147483649 =failed"},
    {"2^31 + 1 ahead is older", 1, "have:1 demand udp:0 soa:2147483650 =failed"},
    /* UDP, TCP, EDNS */
    {"truncation leads to TCP", 1, "have:10 demand udp:0 tc:10 =same tcp:0 soa:10 =current"},
    {"truncation leads to TCP without try-tcp-refresh, too", 1, "trytcp:0 have:10 demand udp:0 tc:10 =same tcp:0"},
    {"truncation over TCP is nonsense", 1, "have:10 demand udp:0 tc:10 tcp:0 tc:10 =failed"},
    {"silence without try-tcp-refresh", 1, "trytcp:0 have:10 demand udp:0 silent =failed"},
    {"a false TSIG is not tried over TCP", 2, "have:10 demand udp:0 badsig =next udp:1"},
    {"server tcp-only", 1, "tcponly:0 have:10 demand tcp:0 silent =failed"},
    {"FORMERR: asked without EDNS", 1, "have:10 demand udp:0 rcode:1 =same udp-:0 rcode:1 =failed"},
    {"NOTIMP: asked without EDNS", 1, "have:10 demand udp:0 rcode:4 =same udp-:0 soa:10 =current"},
    {"BADVERS: asked without EDNS", 1, "have:10 demand udp:0 rcode:16 =same udp-:0"},
    {"REFUSED: the next one", 2, "have:10 demand udp:0 rcode:5 =next udp:1"},
    {"an answer without authority is none", 2, "have:10 demand udp:0 lame:99 =next udp:1 soa:10 =current"},
    {"an answer without SOA is none", 2, "have:10 demand udp:0 nosoa =next udp:1"},
    /* several primaries */
    {"primaries in their order", 3,
     "have:10 demand udp:0 rcode:2 =next udp:1 rcode:2 =next udp:2 rcode:2 =failed about:600 sleep udp:0"},
    {"each is asked in the usual way again", 2, "have:10 demand udp:0 silent tcp:0 silent =next udp:1"},
    {"one that has our serial may be behind another", 3,
     "have:10 demand udp:0 soa:10 =equal udp:1 soa:11 =newer ixfr:1:10 got:11 applied:11 =current none"},
    {"all have our serial", 3, "have:10 demand udp:0 soa:10 =equal udp:1 soa:10 =equal udp:2 soa:10 =current none about:3600"},
    {"the next one is behind", 2, "have:10 demand udp:0 soa:10 =equal udp:1 soa:9 =older none about:3600 expires:86400"},
    {"the next one is silent", 2, "have:10 demand udp:0 soa:10 =equal udp:1 silent tcp:1 silent =spared none about:3600 expires:86400"},
    {"the next one is ahead and cannot be had: retry", 2,
     "noixfr:1 have:10 +:3000 demand udp:0 soa:10 =equal udp:1 soa:11 =newer axfr:1 cut =failed about:600 expires:86400"},
    {"an expired zone waits for no other", 2, "have:10 +:86400 expire udp:0 soa:10 =equal revive udp:1 soa:10 =current"},
    {"told from elsewhere of what the first has not", 2, "have:10 notify:7:11 =checks udp:0 soa:10 =equal udp:1 soa:11 =newer"},
    {"a single SOA from one, and the next is ahead", 2,
     "have:10 demand udp:0 soa:11 ixfr:0:10 single:10 =equal udp:1 soa:11 =newer ixfr:1:10"},
    {"a transfer that fails leads to the next one's SOA", 2,
     "noixfr:0 have:10 demand udp:0 soa:11 axfr:0 cut =next udp:1 soa:11 ixfr:1:10 got:11 applied:11 =current"},
    {"all transfers fail", 2,
     "noixfr:0 noixfr:1 have:10 demand udp:0 soa:11 axfr:0 stalled =next udp:1 soa:11 axfr:1 broken =failed about:600 expires:86400"},
    {"nobody to ask", 0, "none wake:9223372035154775807"},
    /* IXFR, RFC 1995 */
    {"without request-ixfr", 1, "noixfr:0 have:10 demand udp:0 soa:11 axfr:0"},
    {"a broken IXFR: AXFR from the same", 2, "have:10 demand udp:0 soa:11 ixfr:0:10 broken =same axfr:0 got:11 =apply"},
    {"IXFR not known there: AXFR", 1, "have:10 demand udp:0 soa:11 ixfr:0:10 refused =same axfr:0"},
    {"hung up at the IXFR: AXFR", 1, "have:10 demand udp:0 soa:11 ixfr:0:10 cut =same axfr:0"},
    {"differences that are too large: AXFR", 1, "have:10 demand udp:0 soa:11 ixfr:0:10 toolarge =same axfr:0"},
    {"an IXFR that stalls: the next one", 2, "have:10 demand udp:0 soa:11 ixfr:0:10 stalled =next udp:1"},
    {"an IXFR with false signatures: the next one", 2, "have:10 demand udp:0 soa:11 ixfr:0:10 forged =next udp:1"},
    {"a broken AXFR after a broken IXFR: the next one", 2,
     "have:10 demand udp:0 soa:11 ixfr:0:10 broken axfr:0 broken =next udp:1 soa:11 ixfr:1:10"},
    {"a single SOA: current", 1, "have:10 demand udp:0 soa:11 ixfr:0:10 single:10 =current about:3600 expires:86400"},
    {"differences that do not fit: AXFR", 1, "have:10 demand udp:0 soa:11 ixfr:0:10 got:11 conflict =same axfr:0 got:11 applied:11 =current"},
    {"what came is not newer: a lie", 2, "have:10 demand udp:0 soa:11 ixfr:0:10 got:10 =same axfr:0 got:9 =next udp:1"},
    {"our own disk is full: retry", 2, "have:10 demand udp:0 soa:11 ixfr:0:10 got:11 diskfull =failed about:600"},
    {"after IXFR fell back, the next change is IXFR again", 1,
     "have:10 demand udp:0 soa:11 ixfr:0:10 broken axfr:0 got:11 applied:11 demand udp:0 soa:12 ixfr:0:11"},
    /* NOTIFY, RFC 1996 */
    {"a NOTIFY checks at once", 1, "have:10 notify:0 =checks udp:0 soa:11 =newer"},
    {"its hint is believed if it says nothing new", 1, "have:10 notify:0:10 =known none"},
    {"an older hint too", 1, "have:10 notify:0:9 =known none"},
    {"a newer hint is only a reason to ask", 1, "have:10 notify:0:500 =checks udp:0 soa:10 =current none"},
    {"the primary that told is asked first, then the others", 3,
     "have:10 notify:1 =checks udp:1 rcode:2 =next udp:2 rcode:2 =next udp:0 rcode:2 =failed"},
    {"from elsewhere: the first one is asked", 2, "have:10 notify:7 =checks udp:0"},
    {"4.4: while a question is out it is asked once more", 2,
     "have:10 notify:0 udp:0 notify:1 =queued none soa:10 =equal udp:1 soa:10 =current udp:1 soa:11 =newer"},
    {"while a transfer runs it is asked once more", 1,
     "have:10 notify:0 udp:0 soa:11 ixfr:0:10 notify:0:12 =queued got:11 applied:11 =current udp:0 soa:12 =newer ixfr:0:11"},
    {"many are one", 1, "have:10 notify:0 udp:0 notify:0 notify:0 notify:0 soa:10 =current udp:0 soa:10 =current none"},
    {"an expired zone is glad of any", 1, "have:10 +:86400 expire udp:0 rcode:2 =failed notify:0:10 =checks udp:0 soa:10 =current revive"},
    {"a zone that never came, too", 1, "udp:0 rcode:2 notify:0:1 =checks udp:0"},
    /* EXPIRE, RFC 7314 4 */
    {"current: it lengthens what is left", 1, "have:10 +:80000 udp:0 soa:10:50000 =current expires:50000"},
    {"current: it does not shorten what is left", 1, "have:10 +:3600 udp:0 soa:10:50000 =current expires:82800"},
    {"it counts for no more than the SOA's", 1, "have:10 +:3600 udp:0 soa:10:999999 =current expires:86400"},
    {"a new version: instead of the SOA's", 1, "have:10 demand udp:0 soa:11 ixfr:0:10 got:11:7200 applied:11 =current expires:7200"},
    {"a new version: as the SOA's reply said", 1, "have:10 demand udp:0 soa:11:7200 ixfr:0:10 got:11 applied:11 =current expires:7200"},
    {"a single SOA that has it", 1, "have:10 +:80000 udp:0 soa:11 ixfr:0:10 single:10:50000 =current expires:50000"},
    {"another primary's is not this one's", 2, "have:10 demand udp:0 soa:9:100 =older udp:1 soa:10 =current expires:86400"},
    {"another primary's is not this one's, by retransfer either", 2,
     "have:10 retransfer axfr:0 broken:10:100 =next axfr:1 got:10 applied:10 =current expires:86400"},
    {"shorter than a refresh: asked before it is over", 1, "have:10 demand udp:0 soa:11 ixfr:0:10 got:11:1000 applied:11 wake:500"},
    {"nothing left there: not revived", 1, "have:10 +:86400 expire udp:0 soa:10:0 =current none wake:30"},
    /* restarts */
    {"timers survive", 1, "have:10 +:1000 restart none wake:2600 expires:85400"},
    {"a retry survives", 1, "have:10 sleep udp:0 rcode:2 about:600 restart none about:600"},
    {"down beyond the refresh: asked at once", 1, "have:10 +:5000 restart udp:0 soa:10 =current"},
    {"down beyond the expiry: not served", 1, "have:10 +:86400 restart expire udp:0"},
    {"expired stays expired", 1, "have:10 +:86400 expire udp:0 restart udp:0 soa:10 =current revive none"},
    {"a clock that was set back", 1, "have:10 +:-1000000 restart none wake:3600 expires:86400"},
    /* the clock is set back while it runs */
    {"set back, it refreshes and expires in time", 1,
     "have:10 back:2592000 none wake:3600 expires:86400 +:3600 udp:0 silent tcp:0 silent =failed about:600 +:82800 expire"},
    {"set back by an hour, what is sooner stays", 1, "have:10 +:3000 back:3000 none wake:3600 expires:86400"},
    {"set back, a zone that never came is tried", 1, "udp:0 rcode:2 =failed back:2592000 none wake:1800 sleep udp:0"},
    {"set back, what is asked is heard", 1, "have:10 demand udp:0 back:86400 soa:11 =newer ixfr:0:10 got:11 applied:11 about:3600 expires:86400"},
    {"set back, an expired zone comes back", 1, "have:10 +:86400 expire udp:0 rcode:2 =failed back:86400 none wake:600 sleep udp:0 soa:10 =current revive"},
    {"a zone without timers is asked for", 1, "found:10 udp:0 soa:10 =current expires:86400"},
    /* commands and configurations */
    {"refresh", 1, "have:10 demand udp:0 soa:10 =current"},
    {"retransfer: AXFR, whatever the serial", 2, "have:10 retransfer axfr:0 got:10 =apply applied:10 =current idle"},
    {"retransfer: the next primary", 2, "have:10 retransfer axfr:0 cut =next axfr:1 got:9 =apply"},
    {"retransfer while another runs", 1, "have:10 demand udp:0 retransfer soa:10 =current axfr:0"},
    {"the same primaries: all goes on", 1, "have:10 demand udp:0 configure:0 none soa:10 =current"},
    {"a retransfer that is over says nothing of other primaries", 1,
     "have:10 retransfer axfr:0 got:10 applied:10 =current configure:1 udp:0 soa:9 =failed"},
    {"one that has failed neither", 1, "have:10 retransfer axfr:0 broken =failed configure:1 udp:0"},
    {"a retransfer that has begun: from the others", 1, "have:10 retransfer axfr:0 configure:1 axfr:0 got:9 =apply"},
    {"a retransfer that waits: from the others", 1, "have:10 demand udp:0 retransfer configure:1 axfr:0"},
    {"other primaries: asked anew", 1, "have:10 demand udp:0 configure:1 udp:0 soa:10 =current"},
    {"other primaries while the first transfer is applied: it expires", 1,
     "udp:0 soa:10 axfr:0 got:10 =apply configure:1 applied:10 =unwanted expires:86400 udp:0 +:86400 expire"},
    {"other primaries while the one that ends an expiry is applied: it expires again", 1,
     "have:10 +:86400 expire udp:0 soa:11 ixfr:0:10 got:11 =apply configure:1 applied:11 =unwanted expires:86400"},
    {"other primaries: what was out is not wanted", 1, "have:10 demand udp:0 soa:11 ixfr:0:10 configure:1 got:11 =unwanted udp:0"},
    {"what nobody asked for", 1, "have:10 soa:11 =unwanted got:11 =unwanted conflict =unwanted none"},
};
/* clang-format on */

static void the_rule_holds(void **state)
{
    const struct row *row = *state;
    struct scene scene;

    scene_init(&scene, row->primaries);
    script_run(row->script, words, &scene);
    scene_clear(&scene);
}

static void a_reply_is_read(void **state)
{
    static const uint8_t wire[] = "\x12\x34\x84\x00\0\1\0\1\0\0\0\1\7example\0\0\6\0\1"
                                  "\300\14\0\6\0\1\0\0\16\20\0\26\0\0"
                                  "\0\0\0\7\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"
                                  "\0\0\51\4\320\0\0\0\0\0\10\0\11\0\4\0\1\0\0";
    struct dns_message message;
    struct refresh_reply reply;
    (void)state;

    assert_int_equal(dns_message_parse((struct span){wire, sizeof(wire) - 1}, &message), SG_OK);
    refresh_reply_read(&message, &reply);
    assert_true(reply.authoritative && reply.has_soa && reply.has_expire && !reply.truncated);
    assert_int_equal(reply.result, SG_OK);
    assert_int_equal(reply.serial, 7);
    assert_int_equal(reply.expire, 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_read),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, the_rule_holds);
}
