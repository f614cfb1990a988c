/* The words of test_refresh.c: what primaries answer, and what refresh.h is to do of it. */
#pragma once

#include "keeper/refresh_scene.h"
#include "keeper/script.h"

/* --- expectations --------------------------------------------------------------------------- */

static inline void expect_deed(struct scene *scene, enum refresh_deed wanted)
{
    if (wanted != REFRESH_NOTHING) {
        script_expect(refresh_wake(scene->refresh) <= scene->now, 1);
    }
    enum refresh_deed deed = refresh_turn(scene->refresh, scene->now, &scene->order);
    script_expect(deed, wanted);
}

static inline void expect_question(struct scene *scene, const struct script_word *word, bool tcp,
                                   bool edns)
{
    expect_deed(scene, REFRESH_ASK);
    script_expect(scene->order.primary - scene->primaries, word->numbers[0]);
    script_expect(scene->order.tcp, tcp);
    script_expect(scene->order.edns, edns);
}

static inline void w_udp(void *scene, const struct script_word *word)
{
    expect_question(scene, word, false, true);
}

static inline void w_tcp(void *scene, const struct script_word *word)
{
    expect_question(scene, word, true, true);
}

static inline void w_udp_plain(void *scene, const struct script_word *word)
{
    expect_question(scene, word, false, false);
}

static inline void w_ixfr(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    expect_deed(scene, REFRESH_TRANSFER);
    script_expect(scene->order.primary - scene->primaries, word->numbers[0]);
    script_expect(scene->order.ixfr, true);
    script_expect(scene->order.serial, word->numbers[1]);
}

static inline void w_axfr(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    expect_deed(scene, REFRESH_TRANSFER);
    script_expect(scene->order.primary - scene->primaries, word->numbers[0]);
    script_expect(scene->order.ixfr, false);
}

static inline void w_none(void *scene, const struct script_word *word)
{
    (void)word;
    expect_deed(scene, REFRESH_NOTHING);
}

static inline void w_expire(void *scene, const struct script_word *word)
{
    (void)word;
    expect_deed(scene, REFRESH_EXPIRE);
}

static inline void w_revive(void *scene, const struct script_word *word)
{
    (void)word;
    expect_deed(scene, REFRESH_REVIVE);
}

/* In so many seconds. */
static inline void w_wake(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    script_expect(refresh_wake(scene->refresh) - scene->now, word->numbers[0]);
}

/* In three quarters of so many seconds up to all of them: jitter. */
static inline void w_about(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    sg_duration wait = refresh_wake(scene->refresh) - scene->now;
    script_expect(wait >= word->numbers[0] - word->numbers[0] / 4 && wait <= word->numbers[0], 1);
}

/* Never more asked for than until it expires, in so many seconds. */
static inline void w_expires(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    script_expect(refresh_timers(scene->refresh)->expire_at - scene->now, word->numbers[0]);
}

static inline void w_idle(void *argument, const struct script_word *word)
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

static inline void w_pass(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->now += word->numbers[0];
}

/* Somebody sets the clock. */
static inline void w_back(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->now -= word->numbers[0];
    refresh_clock_set_back(scene->refresh, scene->now);
}

/* To the instant that it asked for. */
static inline void w_sleep(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    script_expect(refresh_wake(scene->refresh) > scene->now, 1);
    scene->now = refresh_wake(scene->refresh);
}

static inline void replied(struct scene *scene, const struct refresh_reply *reply)
{
    scene->verdict = (int)refresh_replied(scene->refresh, reply, scene->now);
}

static inline struct refresh_reply good_reply(const struct script_word *word)
{
    return (struct refresh_reply){
        .authoritative = true,
        .has_soa = true,
        .serial = (uint32_t)word->numbers[0],
        .has_expire = word->count > 1,
        .expire = (uint32_t)word->numbers[1],
    };
}

static inline void w_soa(void *scene, const struct script_word *word)
{
    struct refresh_reply reply = good_reply(word);
    replied(scene, &reply);
}

static inline void w_lame(void *scene, const struct script_word *word)
{
    struct refresh_reply reply = good_reply(word);
    reply.authoritative = false;
    replied(scene, &reply);
}

static inline void w_nosoa(void *scene, const struct script_word *word)
{
    (void)word;
    replied(scene, &(struct refresh_reply){.authoritative = true});
}

static inline void w_truncated(void *scene, const struct script_word *word)
{
    struct refresh_reply reply = good_reply(word);
    reply.truncated = true;
    replied(scene, &reply);
}

static inline void w_rcode(void *scene, const struct script_word *word)
{
    replied(scene, &(struct refresh_reply){.rcode = (uint16_t)word->numbers[0]});
}

static inline void w_silent(void *scene, const struct script_word *word)
{
    (void)word;
    replied(scene, &(struct refresh_reply){.result = SG_TIMEOUT});
}

static inline void w_badsig(void *scene, const struct script_word *word)
{
    (void)word;
    replied(scene, &(struct refresh_reply){.result = SG_BAD_SIG});
}

static inline void transferred(struct scene *scene, enum sg_result result,
                               const struct script_word *word)
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

static inline void w_applied(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct dns_soa soa = soa_of((uint32_t)word->numbers[0]);
    scene->serial = soa.serial;
    scene->verdict = (int)refresh_applied(scene->refresh, SG_OK, &soa, scene->now);
}

static inline void w_conflict(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    scene->verdict = (int)refresh_applied(scene->refresh, SG_CONFLICT, NULL, scene->now);
}

static inline void w_disk_full(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    scene->verdict = (int)refresh_applied(scene->refresh, SG_NO_SPACE, NULL, scene->now);
}

/* The zone is there, and was checked just now. */
static inline void w_have(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct dns_soa soa = soa_of((uint32_t)word->numbers[0]);
    const struct refresh_timers timers = {scene->now, scene->now + REFRESH, scene->now + EXPIRE,
                                          false};
    scene->serial = soa.serial;
    refresh_restore(scene->refresh, &timers, &soa, scene->now);
}

/* The zone is there, but no timers are. */
static inline void w_found(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct dns_soa soa = soa_of((uint32_t)word->numbers[0]);
    refresh_restore(scene->refresh, NULL, &soa, scene->now);
}

/* By way of the store. */
static inline void w_restart(void *argument, const struct script_word *word)
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

static inline void w_notify(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct dns_soa hint = soa_of((uint32_t)word->numbers[1]);
    struct remote from = scene->primaries[word->numbers[0] % PRIMARIES].remote;

    from.port = 40000; /* a NOTIFY comes from any port */
    from.address[0] = word->numbers[0] < PRIMARIES ? from.address[0] : 10;
    scene->verdict = 100 + (int)refresh_notified(scene->refresh, &from,
                                                 word->count > 1 ? &hint : NULL, scene->now);
}

static inline void w_demand(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    refresh_demand(scene->refresh, false, scene->now);
}

static inline void w_retransfer(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    refresh_demand(scene->refresh, true, scene->now);
}

static inline void w_no_ixfr(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->primaries[word->numbers[0]].request_ixfr = false;
}

static inline void w_tcp_only(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->primaries[word->numbers[0]].tcp_only = true;
}

static inline void w_try_tcp(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->settings.try_tcp = word->numbers[0] != 0;
}

static inline void w_bounds(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->settings.bounds = (struct refresh_bounds){word->numbers[0], word->numbers[1],
                                                     word->numbers[2], word->numbers[3]};
}

/* The same configuration once more, or (1) other primaries. */
static inline void w_configure(void *argument, const struct script_word *word)
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
