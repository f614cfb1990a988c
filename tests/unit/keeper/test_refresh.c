#include "keeper/refresh.h"
#include "script.h"

enum {
    T0 = 1700000000,
    REFRESH = 3600,
    RETRY = 600,
    EXPIRE = 86400,
    PRIMARIES = 3,
};

struct scene {
    struct refresh_shared shared;
    struct refresh_primary primaries[PRIMARIES];
    struct refresh_settings settings;
    struct refresh *refresh;
    struct refresh_order order;
    sg_time now;
    int verdict;
    uint32_t serial;
};

static struct dns_soa soa_of(uint32_t serial)
{
    return (struct dns_soa){serial, REFRESH, RETRY, EXPIRE, 60};
}

static void scene_init(struct scene *scene, size_t primaries)
{
    memset(scene, 0, sizeof(*scene));
    scene->now = T0;
    scene->shared.quota = transfer_quota_new(10, 2);
    for (size_t i = 0; i < PRIMARIES; i++) {
        scene->primaries[i] = (struct refresh_primary){
            .remote = {.address = {192, 0, 2, (uint8_t)(i + 1)}, .address_length = 4, .port = 53},
            .request_ixfr = true,
            .request_expire = true,
            .edns = true,
        };
    }
    scene->settings = (struct refresh_settings){
        .primaries = scene->primaries,
        .primaries_count = primaries,
        .bounds = {300, 2419200, 300, 1209600},
        .try_tcp = true,
    };
    scene->refresh = refresh_new(&scene->shared, &scene->settings, scene, T0);
    scene->serial = 10;
}

static void scene_clear(struct scene *scene)
{
    refresh_free(scene->refresh);
    assert_int_equal(transfer_quota_running(scene->shared.quota), 0);
    transfer_quota_free(scene->shared.quota);
}

/* --- expectations --------------------------------------------------------------------------- */

static void expect_deed(struct scene *scene, enum refresh_deed wanted)
{
    if (wanted != REFRESH_NOTHING) {
        script_expect(refresh_wake(scene->refresh) <= scene->now, 1);
    }
    enum refresh_deed deed = refresh_turn(scene->refresh, scene->now, &scene->order);
    script_expect(deed, wanted);
}

static void expect_question(struct scene *scene, const struct script_word *word, bool tcp,
                            bool edns)
{
    expect_deed(scene, REFRESH_ASK);
    script_expect(scene->order.primary - scene->primaries, word->numbers[0]);
    script_expect(scene->order.tcp, tcp);
    script_expect(scene->order.edns, edns);
}

static void w_udp(void *scene, const struct script_word *word)
{
    expect_question(scene, word, false, true);
}

static void w_tcp(void *scene, const struct script_word *word)
{
    expect_question(scene, word, true, true);
}

static void w_udp_plain(void *scene, const struct script_word *word)
{
    expect_question(scene, word, false, false);
}

static void w_ixfr(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    expect_deed(scene, REFRESH_TRANSFER);
    script_expect(scene->order.primary - scene->primaries, word->numbers[0]);
    script_expect(scene->order.ixfr, true);
    script_expect(scene->order.serial, word->numbers[1]);
}

static void w_axfr(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    expect_deed(scene, REFRESH_TRANSFER);
    script_expect(scene->order.primary - scene->primaries, word->numbers[0]);
    script_expect(scene->order.ixfr, false);
}

static void w_none(void *scene, const struct script_word *word)
{
    (void)word;
    expect_deed(scene, REFRESH_NOTHING);
}

static void w_expire(void *scene, const struct script_word *word)
{
    (void)word;
    expect_deed(scene, REFRESH_EXPIRE);
}

static void w_revive(void *scene, const struct script_word *word)
{
    (void)word;
    expect_deed(scene, REFRESH_REVIVE);
}

/* In so many seconds. */
static void w_wake(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    script_expect(refresh_wake(scene->refresh) - scene->now, word->numbers[0]);
}

/* In three quarters of so many seconds up to all of them: jitter. */
static void w_about(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    sg_duration wait = refresh_wake(scene->refresh) - scene->now;
    script_expect(wait >= word->numbers[0] - word->numbers[0] / 4 && wait <= word->numbers[0], 1);
}

/* Never more asked for than until it expires, in so many seconds. */
static void w_expires(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    script_expect(refresh_timers(scene->refresh)->expire_at - scene->now, word->numbers[0]);
}

static void w_idle(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    script_expect(refresh_is_busy(scene->refresh), false);
}

#define VERDICT(name, value)                                                                       \
    static void name(void *argument, const struct script_word *word)                               \
    {                                                                                              \
        struct scene *scene = argument;                                                            \
        (void)word;                                                                                \
        script_expect(scene->verdict, value);                                                      \
    }
VERDICT(v_current, REFRESH_CURRENT)
VERDICT(v_equal, REFRESH_EQUAL)
VERDICT(v_spared, REFRESH_SPARED)
VERDICT(v_newer, REFRESH_NEWER)
VERDICT(v_older, REFRESH_OLDER)
VERDICT(v_same, REFRESH_SAME)
VERDICT(v_next, REFRESH_NEXT)
VERDICT(v_failed, REFRESH_FAILED)
VERDICT(v_apply, REFRESH_APPLY)
VERDICT(v_unwanted, REFRESH_UNWANTED)
VERDICT(n_checks, 100 + REFRESH_NOTICE_CHECKS)
VERDICT(n_queued, 100 + REFRESH_NOTICE_QUEUED)
VERDICT(n_current, 100 + REFRESH_NOTICE_CURRENT)

/* --- deeds ---------------------------------------------------------------------------------- */

static void w_pass(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->now += word->numbers[0];
}

/* Somebody sets the clock. */
static void w_back(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->now -= word->numbers[0];
    refresh_clock_set_back(scene->refresh, scene->now);
}

/* To the instant that it asked for. */
static void w_sleep(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    script_expect(refresh_wake(scene->refresh) > scene->now, 1);
    scene->now = refresh_wake(scene->refresh);
}

static void replied(struct scene *scene, const struct refresh_reply *reply)
{
    scene->verdict = (int)refresh_replied(scene->refresh, reply, scene->now);
}

static struct refresh_reply good_reply(const struct script_word *word)
{
    return (struct refresh_reply){
        .authoritative = true,
        .has_soa = true,
        .serial = (uint32_t)word->numbers[0],
        .has_expire = word->count > 1,
        .expire = (uint32_t)word->numbers[1],
    };
}

static void w_soa(void *scene, const struct script_word *word)
{
    struct refresh_reply reply = good_reply(word);
    replied(scene, &reply);
}

static void w_lame(void *scene, const struct script_word *word)
{
    struct refresh_reply reply = good_reply(word);
    reply.authoritative = false;
    replied(scene, &reply);
}

static void w_nosoa(void *scene, const struct script_word *word)
{
    (void)word;
    replied(scene, &(struct refresh_reply){.authoritative = true});
}

static void w_truncated(void *scene, const struct script_word *word)
{
    struct refresh_reply reply = good_reply(word);
    reply.truncated = true;
    replied(scene, &reply);
}

static void w_rcode(void *scene, const struct script_word *word)
{
    replied(scene, &(struct refresh_reply){.rcode = (uint16_t)word->numbers[0]});
}

static void w_silent(void *scene, const struct script_word *word)
{
    (void)word;
    replied(scene, &(struct refresh_reply){.result = SG_TIMEOUT});
}

static void w_badsig(void *scene, const struct script_word *word)
{
    (void)word;
    replied(scene, &(struct refresh_reply){.result = SG_BAD_SIG});
}

static void transferred(struct scene *scene, enum sg_result result, const struct script_word *word)
{
    const struct refresh_transfer transfer = {
        .result = result,
        .serial = (uint32_t)word->numbers[0],
        .has_expire = word->count > 1,
        .expire = (uint32_t)word->numbers[1],
    };
    scene->verdict = (int)refresh_transferred(scene->refresh, &transfer, scene->now);
}

#define TRANSFER(name, result)                                                                     \
    static void name(void *scene, const struct script_word *word)                                  \
    {                                                                                              \
        transferred(scene, result, word);                                                          \
    }
TRANSFER(w_got, SG_OK)
TRANSFER(w_single, SG_EXISTS)
TRANSFER(w_broken, SG_MALFORMED)
TRANSFER(w_refused, SG_UNSUPPORTED)
TRANSFER(w_too_large, SG_LIMIT)
TRANSFER(w_cut, SG_IO)
TRANSFER(w_stalled, SG_TIMEOUT)
TRANSFER(w_forged, SG_BAD_SIG)

static void w_applied(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct dns_soa soa = soa_of((uint32_t)word->numbers[0]);
    scene->serial = soa.serial;
    scene->verdict = (int)refresh_applied(scene->refresh, SG_OK, &soa, scene->now);
}

static void w_conflict(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    scene->verdict = (int)refresh_applied(scene->refresh, SG_CONFLICT, NULL, scene->now);
}

static void w_disk_full(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    scene->verdict = (int)refresh_applied(scene->refresh, SG_NO_SPACE, NULL, scene->now);
}

/* The zone is there, and was checked just now. */
static void w_have(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct dns_soa soa = soa_of((uint32_t)word->numbers[0]);
    const struct refresh_timers timers = {scene->now, scene->now + REFRESH, scene->now + EXPIRE,
                                          false};
    scene->serial = soa.serial;
    refresh_restore(scene->refresh, &timers, &soa, scene->now);
}

/* The zone is there, but no timers are. */
static void w_found(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct dns_soa soa = soa_of((uint32_t)word->numbers[0]);
    refresh_restore(scene->refresh, NULL, &soa, scene->now);
}

/* By way of the store. */
static void w_restart(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct buffer bytes = BUFFER_EMPTY;
    struct refresh_timers timers;
    struct dns_soa soa = soa_of(scene->serial);

    (void)word;
    refresh_timers_encode(refresh_timers(scene->refresh), &bytes);
    refresh_free(scene->refresh);
    scene->refresh = refresh_new(&scene->shared, &scene->settings, scene, scene->now);
    assert_int_equal(refresh_timers_decode(buffer_span(&bytes), &timers), SG_OK);
    refresh_restore(scene->refresh, &timers, &soa, scene->now);
    buffer_free(&bytes);
}

static void w_notify(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct dns_soa hint = soa_of((uint32_t)word->numbers[1]);
    struct remote from = scene->primaries[word->numbers[0] % PRIMARIES].remote;

    from.port = 40000; /* a NOTIFY comes from any port */
    from.address[0] = word->numbers[0] < PRIMARIES ? from.address[0] : 10;
    scene->verdict = 100 + (int)refresh_notified(scene->refresh, &from,
                                                 word->count > 1 ? &hint : NULL, scene->now);
}

static void w_demand(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    refresh_demand(scene->refresh, false, scene->now);
}

static void w_retransfer(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    refresh_demand(scene->refresh, true, scene->now);
}

static void w_no_ixfr(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->primaries[word->numbers[0]].request_ixfr = false;
}

static void w_tcp_only(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->primaries[word->numbers[0]].tcp_only = true;
}

static void w_try_tcp(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->settings.try_tcp = word->numbers[0] != 0;
}

static void w_bounds(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->settings.bounds = (struct refresh_bounds){word->numbers[0], word->numbers[1],
                                                     word->numbers[2], word->numbers[3]};
}

/* The same configuration once more, or (1) other primaries. */
static void w_configure(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    static struct refresh_settings settings;
    static struct refresh_primary primaries[PRIMARIES];

    memcpy(primaries, scene->primaries, sizeof(primaries));
    settings = scene->settings;
    settings.primaries = primaries;
    primaries[0].remote.port = word->numbers[0] != 0 ? 5353 : 53;
    script_expect(refresh_configure(scene->refresh, &settings, scene->now), word->numbers[0] == 0);
    memcpy(scene->primaries, primaries, sizeof(primaries));
    refresh_configure(scene->refresh, &scene->settings, scene->now);
}

static const struct script_deed words[] = {
    {"+", w_pass},
    {"back", w_back},
    {"sleep", w_sleep},
    {"udp", w_udp},
    {"tcp", w_tcp},
    {"udp-", w_udp_plain},
    {"ixfr", w_ixfr},
    {"axfr", w_axfr},
    {"none", w_none},
    {"expire", w_expire},
    {"revive", w_revive},
    {"wake", w_wake},
    {"about", w_about},
    {"expires", w_expires},
    {"idle", w_idle},
    {"=current", v_current},
    {"=equal", v_equal},
    {"=spared", v_spared},
    {"=newer", v_newer},
    {"=older", v_older},
    {"=same", v_same},
    {"=next", v_next},
    {"=failed", v_failed},
    {"=apply", v_apply},
    {"=unwanted", v_unwanted},
    {"=checks", n_checks},
    {"=queued", n_queued},
    {"=known", n_current},
    {"soa", w_soa},
    {"lame", w_lame},
    {"nosoa", w_nosoa},
    {"tc", w_truncated},
    {"rcode", w_rcode},
    {"silent", w_silent},
    {"badsig", w_badsig},
    {"got", w_got},
    {"single", w_single},
    {"broken", w_broken},
    {"refused", w_refused},
    {"toolarge", w_too_large},
    {"cut", w_cut},
    {"stalled", w_stalled},
    {"forged", w_forged},
    {"applied", w_applied},
    {"conflict", w_conflict},
    {"diskfull", w_disk_full},
    {"have", w_have},
    {"found", w_found},
    {"restart", w_restart},
    {"notify", w_notify},
    {"demand", w_demand},
    {"retransfer", w_retransfer},
    {"noixfr", w_no_ixfr},
    {"tcponly", w_tcp_only},
    {"trytcp", w_try_tcp},
    {"bounds", w_bounds},
    {"configure", w_configure},
    {NULL, NULL},
};

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

/* --- many zones ----------------------------------------------------------------------------- */

enum { MANY = 50 };

static void questions_keep_to_their_rate(void **state)
{
    struct scene scene;
    struct refresh *zones[MANY];
    struct refresh_order order;
    (void)state;

    scene_init(&scene, 1);
    scene.shared.startup_soa = (struct rate){.per_second = 20};
    for (int i = 0; i < MANY; i++) {
        zones[i] = refresh_new(&scene.shared, &scene.settings, NULL, T0);
    }
    int total = 0;
    for (int second = 0; second < 3; second++) {
        int asked = 0;
        for (int i = 0; i < MANY; i++) {
            asked += refresh_wake(zones[i]) <= T0 + second &&
                     refresh_turn(zones[i], T0 + second, &order) == REFRESH_ASK;
        }
        assert_in_range(asked, 1, 20);
        total += asked;
    }
    assert_int_equal(total, MANY);
    for (int i = 0; i < MANY; i++) {
        refresh_free(zones[i]);
    }
    scene_clear(&scene);
}

/* Those that stand in line get their turns by the new time. */
static void a_line_goes_on_when_the_clock_is_set_back(void **state)
{
    struct scene scene;
    struct refresh *others[5];
    struct refresh_order order;
    int asked = 0;
    (void)state;

    scene_init(&scene, 1);
    scene.shared.soa.per_second = scene.shared.startup_soa.per_second = 1;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = refresh_new(&scene.shared, &scene.settings, NULL, scene.now);
    }
    scene.now -= 3600;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        refresh_clock_set_back(others[i], scene.now);
    }
    for (sg_time end = scene.now + (sg_time)ARRAY_LEN(others); scene.now < end; scene.now++) {
        for (size_t i = 0; i < ARRAY_LEN(others); i++) {
            asked += refresh_turn(others[i], scene.now, &order) == REFRESH_ASK;
        }
    }
    assert_int_equal(asked, ARRAY_LEN(others));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        refresh_free(others[i]);
    }
    scene_clear(&scene);
}

static void transfers_keep_to_their_quota(void **state)
{
    struct scene scene;
    struct refresh *zones[MANY];
    struct refresh_order order;
    const struct refresh_reply reply = {.authoritative = true, .has_soa = true, .serial = 1};
    struct dns_soa soa = soa_of(1);
    int done = 0;
    int running = 0;
    (void)state;

    scene_init(&scene, 1);
    for (intptr_t i = 0; i < MANY; i++) {
        zones[i] = refresh_new(&scene.shared, &scene.settings, &zones[i], T0);
        assert_int_equal(refresh_turn(zones[i], T0, &order), REFRESH_ASK);
        assert_int_equal(refresh_replied(zones[i], &reply, T0), REFRESH_NEWER);
        running += refresh_turn(zones[i], T0, &order) == REFRESH_TRANSFER;
    }
    assert_int_equal(running, 2); /* transfers-per-ns */
    struct refresh **next = &zones[0];
    for (int i = 0; i < MANY; i++) {
        const struct refresh_transfer transfer = {.serial = 1};
        assert_int_equal(refresh_transferred(*next, &transfer, T0), REFRESH_APPLY);
        assert_int_equal(refresh_applied(*next, SG_OK, &soa, T0), REFRESH_CURRENT);
        done++;
        struct refresh **waited = transfer_quota_next(scene.shared.quota);
        if (waited != NULL) {
            assert_int_equal(refresh_wake(*waited), INT64_MIN);
            assert_int_equal(refresh_turn(*waited, T0, &order), REFRESH_TRANSFER);
            assert_int_equal(transfer_quota_running(scene.shared.quota), 2);
        }
        next = i == 0 ? &zones[1] : next + 1;
    }
    assert_int_equal(done, MANY);
    for (int i = 0; i < MANY; i++) {
        refresh_free(zones[i]);
    }
    scene_clear(&scene);
}

static void zones_that_came_together_part(void **state)
{
    struct scene scene;
    int different = 0;
    (void)state;

    scene_init(&scene, 1);
    sg_time last = 0;
    for (int i = 0; i < MANY; i++) {
        struct dns_soa soa = soa_of(1);
        struct refresh_order order;
        const struct refresh_reply reply = {.authoritative = true, .has_soa = true, .serial = 1};
        struct refresh *zone = refresh_new(&scene.shared, &scene.settings, NULL, T0);
        refresh_restore(zone, NULL, &soa, T0);
        assert_int_equal(refresh_turn(zone, T0, &order), REFRESH_ASK);
        assert_int_equal(refresh_replied(zone, &reply, T0), REFRESH_CURRENT);
        different += refresh_timers(zone)->refresh_at != last;
        last = refresh_timers(zone)->refresh_at;
        refresh_free(zone);
    }
    assert_in_range(different, MANY - 5, MANY);
    scene_clear(&scene);
}

static void a_flood_of_notifies_takes_one_turn_at_the_rate(void **state)
{
    struct scene scene;
    struct refresh_order order;
    struct dns_soa soa = soa_of(1);
    const struct remote from = {.address = {192, 0, 2, 2}, .address_length = 4, .port = 53};
    (void)state;

    scene_init(&scene, 2);
    scene.shared.soa = (struct rate){.per_second = 1};
    struct refresh *other = refresh_new(&scene.shared, &scene.settings, NULL, T0);
    struct refresh *told = refresh_new(&scene.shared, &scene.settings, NULL, T0);
    struct refresh *zones[] = {other, told};
    for (int i = 0; i < 2; i++) {
        const struct refresh_reply reply = {.authoritative = true, .has_soa = true, .serial = 1};
        refresh_restore(zones[i], NULL, &soa, T0);
        assert_int_equal(refresh_turn(zones[i], T0, &order), REFRESH_ASK);
        assert_int_equal(refresh_replied(zones[i], &reply, T0), REFRESH_EQUAL);
        assert_int_equal(refresh_turn(zones[i], T0, &order), REFRESH_ASK);
        assert_int_equal(refresh_replied(zones[i], &reply, T0), REFRESH_CURRENT);
    }
    assert_int_equal(refresh_notified(other, NULL, NULL, T0 + 1), REFRESH_NOTICE_CHECKS);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(refresh_notified(told, &from, NULL, T0 + 1), REFRESH_NOTICE_CHECKS);
        refresh_demand(other, false, T0 + 1);
    }
    assert_int_equal(refresh_turn(other, T0 + 1, &order), REFRESH_ASK);
    assert_int_equal(refresh_turn(told, T0 + 1, &order), REFRESH_NOTHING);
    assert_int_equal(refresh_turn(told, T0 + 2, &order), REFRESH_ASK);
    assert_ptr_equal(order.primary, &scene.settings.primaries[1]);
    refresh_free(other);
    refresh_free(told);
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
        cmocka_unit_test(questions_keep_to_their_rate),
        cmocka_unit_test(a_line_goes_on_when_the_clock_is_set_back),
        cmocka_unit_test(transfers_keep_to_their_quota),
        cmocka_unit_test(zones_that_came_together_part),
        cmocka_unit_test(a_flood_of_notifies_takes_one_turn_at_the_rate),
        cmocka_unit_test(a_reply_is_read),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, the_rule_holds);
}
