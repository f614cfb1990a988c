#include "keeper/refresh.h"

#include "base/mem.h"
#include "dns/serial.h"
#include "keeper/refresh_walk.h"

enum phase {
    PHASE_IDLE,
    PHASE_ASK, /* as soon as serial-query-rate lets it */
    PHASE_ASKING,
    PHASE_WANT,   /* a transfer, not yet at the quota */
    PHASE_QUEUED, /* at the quota */
    PHASE_TRANSFERRING,
    PHASE_APPLYING,
};

/* What is wanted when the present walk is over. */
struct wish {
    bool check;
    bool whole;
    size_t first;
};

struct refresh {
    struct refresh_shared *shared;
    const struct refresh_settings *settings;
    void *owner;
    enum phase phase;
    bool has_zone;
    bool revive;      /* to be told */
    bool wants_whole; /* whatever walk it is */
    unsigned failures;
    struct dns_soa soa; /* of the zone that we have */
    struct refresh_timers timers;
    struct refresh_walk walk;
    struct wish wish;
    struct transfer_place place;
};

/* --- walks ---------------------------------------------------------------------------------- */

static const struct refresh_primary *present(const struct refresh *refresh)
{
    return refresh_walk_present(&refresh->walk, refresh->settings);
}

/* Its turn among all that ask. */
static void stand_in_line(struct refresh *refresh, sg_time now)
{
    struct refresh_shared *shared = refresh->shared;
    struct rate *rate = refresh->walk.startup ? &shared->startup_soa : &shared->soa;

    refresh->walk.ask_at = rate_reserve(rate, now);
    refresh->phase = PHASE_ASK;
}

/* Begin with the present primary. */
static void approach(struct refresh *refresh, sg_time now)
{
    refresh_walk_meet(&refresh->walk, refresh->settings);
    if (refresh->walk.whole && refresh->has_zone) {
        refresh->phase = PHASE_WANT; /* whatever the serial is */
        return;
    }
    stand_in_line(refresh, now);
}

static void walk_begin(struct refresh *refresh, const struct wish *wish, bool startup, sg_time now)
{
    refresh->wish = (struct wish){0};
    if (refresh->settings->primaries_count == 0) {
        refresh->phase = PHASE_IDLE;
        refresh->timers.refresh_at = INT64_MAX;
        return;
    }
    refresh->walk = (struct refresh_walk){
        .first = wish->first < refresh->settings->primaries_count ? wish->first : 0,
        .whole = wish->whole || refresh->wants_whole,
        .startup = startup,
    };
    approach(refresh, now);
}

/* It is over, well or not; somebody may have asked for more meanwhile. */
static void walk_end(struct refresh *refresh, sg_time now)
{
    struct wish wish = refresh->wish;

    transfer_quota_give(refresh->shared->quota, &refresh->place);
    refresh->phase = PHASE_IDLE;
    refresh->walk.startup = refresh->walk.whole = false;
    if (wish.check) {
        walk_begin(refresh, &wish, false, now);
    }
}

static sg_duration jittered(struct refresh *refresh, sg_duration wait)
{
    return refresh_jitter(wait, &refresh->shared->random);
}

/* No primary is left. */
static enum refresh_verdict walk_failed(struct refresh *refresh, sg_time now)
{
    sg_duration wait;

    refresh->failures += refresh->failures < UINT32_MAX;
    if (refresh->has_zone) {
        wait = refresh_retry(&refresh->soa, &refresh->settings->bounds);
    } else {
        wait = refresh_bootstrap(refresh->failures);
    }
    refresh->timers.refresh_at = now + jittered(refresh, wait);
    walk_end(refresh, now);
    return REFRESH_FAILED;
}

static enum refresh_verdict next_primary(struct refresh *refresh, enum refresh_verdict verdict,
                                         sg_time now)
{
    transfer_quota_give(refresh->shared->quota, &refresh->place);
    if (++refresh->walk.tried < refresh->settings->primaries_count) {
        approach(refresh, now);
        return verdict;
    }
    if (!refresh->walk.current) {
        return walk_failed(refresh, now);
    }
    walk_end(refresh, now);
    return verdict == REFRESH_NEXT    ? REFRESH_SPARED
           : verdict == REFRESH_EQUAL ? REFRESH_CURRENT
                                      : verdict;
}

/*
 * A primary was heard. What it says of its own expiry (it may be a secondary itself) counts instead
 * of the SOA's for a zone that came anew, and lengthens, never shortens, what is left for one that
 * is current (RFC 7314 4). It never counts for more than the SOA says.
 */
static void heard(struct refresh *refresh, bool anew, sg_time now)
{
    struct refresh_timers *timers = &refresh->timers;
    const struct refresh_walk *walk = &refresh->walk;
    sg_duration expiry = refresh_expiry(&refresh->soa, &refresh->settings->bounds);

    if (walk->has_expire && walk->expire < expiry) {
        expiry = walk->expire;
    }
    sg_time expire_at = now + expiry;
    if (!anew && walk->has_expire && timers->expire_at != INT64_MAX &&
        timers->expire_at > expire_at) {
        expire_at = timers->expire_at;
    }
    timers->expire_at = expire_at;
    timers->checked_at = now;
    timers->refresh_at =
        now + jittered(refresh, refresh_interval(&refresh->soa, &refresh->settings->bounds));
    if (timers->refresh_at >= expire_at) { /* A short EXPIRE: ask before it is over. */
        sg_duration half = (expire_at - now) / 2;
        timers->refresh_at = now + (half > REFRESH_SHORT_MIN ? half : REFRESH_SHORT_MIN);
    }
    refresh->failures = 0;
    if (timers->expired && expire_at > now) {
        timers->expired = false;
        refresh->revive = !anew; /* A new version is published anyway. */
    }
}

/* It has what we have. That is good to hear, but it may have stayed behind: another one may be
 * ahead of both. */
static enum refresh_verdict heard_equal(struct refresh *refresh, sg_time now)
{
    heard(refresh, false, now);
    refresh->walk.current = true;
    return next_primary(refresh, REFRESH_EQUAL, now);
}

/* --- making and ending ---------------------------------------------------------------------- */

struct refresh *refresh_new(struct refresh_shared *shared, const struct refresh_settings *settings,
                            void *owner, sg_time now)
{
    struct refresh *refresh = mem_alloc_zero(1, sizeof(*refresh));

    refresh->shared = shared;
    refresh->settings = settings;
    refresh->owner = owner;
    refresh->timers.refresh_at = now;
    refresh->timers.expire_at = INT64_MAX;
    walk_begin(refresh, &(struct wish){0}, true, now);
    return refresh;
}

void refresh_free(struct refresh *refresh)
{
    if (refresh == NULL) {
        return;
    }
    transfer_quota_give(refresh->shared->quota, &refresh->place);
    mem_free(refresh);
}

void refresh_restart(struct refresh *refresh, sg_time now)
{
    bool whole = refresh->walk.whole || refresh->wish.whole; /* Somebody waits for it. */

    transfer_quota_give(refresh->shared->quota, &refresh->place);
    walk_begin(refresh, &(struct wish){.whole = whole}, false, now);
}

bool refresh_configure(struct refresh *refresh, const struct refresh_settings *settings,
                       sg_time now)
{
    bool same = refresh_same_primaries(refresh->settings, settings);

    refresh->settings = settings;
    if (refresh->has_zone) {
        refresh_timers_clamp(&refresh->timers, &refresh->soa, &settings->bounds, now);
    }
    if (same) {
        return true;
    }
    refresh_restart(refresh, now); /* What the others know is worth a question. */
    return false;
}

void refresh_want_whole(struct refresh *refresh, bool whole)
{
    refresh->wants_whole = whole;
}

void refresh_restore(struct refresh *refresh, const struct refresh_timers *timers,
                     const struct dns_soa *soa, sg_time now)
{
    const struct refresh_bounds *bounds = &refresh->settings->bounds;

    transfer_quota_give(refresh->shared->quota, &refresh->place);
    refresh->has_zone = true;
    refresh->soa = *soa;
    refresh->failures = 0;
    if (timers == NULL) {
        refresh->timers = (struct refresh_timers){.refresh_at = now,
                                                  .expire_at = now + refresh_expiry(soa, bounds)};
        walk_begin(refresh, &(struct wish){0}, true, now);
        return;
    }
    refresh->timers = *timers;
    refresh_timers_clamp(&refresh->timers, soa, bounds, now);
    refresh->phase = PHASE_IDLE;
    refresh->walk.startup = true; /* An overdue check is one of many. */
}

void refresh_clock_set_back(struct refresh *refresh, sg_time now)
{
    const struct refresh_bounds *bounds = &refresh->settings->bounds;
    struct refresh_timers *timers = &refresh->timers;
    sg_duration tried_again =
        refresh->has_zone ? refresh_retry(&refresh->soa, bounds) : REFRESH_BOOTSTRAP_MAX;

    if (refresh->has_zone) {
        refresh_timers_clamp(timers, &refresh->soa, bounds, now);
    }
    if (refresh->failures > 0 && timers->refresh_at > now + tried_again) {
        timers->refresh_at = now + tried_again;
    }
    if (refresh->phase == PHASE_ASK) {
        stand_in_line(refresh, now);
    }
}

/* --- what to do ----------------------------------------------------------------------------- */

static enum refresh_deed order_question(struct refresh *refresh, struct refresh_order *order)
{
    *order = (struct refresh_order){
        .primary = present(refresh),
        .tcp = refresh->walk.tcp,
        .edns = !refresh->walk.no_edns,
        .serial = refresh->soa.serial,
    };
    refresh->phase = PHASE_ASKING;
    return REFRESH_ASK;
}

static enum refresh_deed order_transfer(struct refresh *refresh, struct refresh_order *order)
{
    const struct refresh_primary *primary = present(refresh);

    if (refresh->phase == PHASE_WANT && refresh->place.lane == NULL &&
        !transfer_quota_take(refresh->shared->quota, &refresh->place, refresh->owner,
                             &primary->remote, primary->transfers)) {
        refresh->phase = PHASE_QUEUED;
    }
    if (!refresh->place.running) {
        return REFRESH_NOTHING;
    }
    refresh->phase = PHASE_TRANSFERRING;
    *order = (struct refresh_order){
        .primary = primary,
        .tcp = true,
        .edns = !refresh->walk.no_edns,
        .ixfr = refresh->has_zone && refresh_walk_has_ixfr(&refresh->walk, refresh->settings),
        .serial = refresh->soa.serial,
    };
    return REFRESH_TRANSFER;
}

enum refresh_deed refresh_turn(struct refresh *refresh, sg_time now,
                               struct refresh_order *out_order)
{
    struct refresh_timers *timers = &refresh->timers;

    if (refresh->revive) {
        refresh->revive = false;
        return REFRESH_REVIVE;
    }
    if (refresh->has_zone && !timers->expired && timers->expire_at <= now) {
        timers->expired = true;
        return REFRESH_EXPIRE;
    }
    if (refresh->phase == PHASE_IDLE && timers->refresh_at <= now) {
        walk_begin(refresh, &(struct wish){0}, refresh->walk.startup, now);
    }
    if (refresh->phase == PHASE_ASK && refresh->walk.ask_at <= now) {
        return order_question(refresh, out_order);
    }
    if (refresh->phase == PHASE_WANT || refresh->phase == PHASE_QUEUED) {
        return order_transfer(refresh, out_order);
    }
    return REFRESH_NOTHING;
}

sg_time refresh_wake(const struct refresh *refresh)
{
    const struct refresh_timers *timers = &refresh->timers;
    sg_time wake = INT64_MAX;

    if (refresh->revive || refresh->phase == PHASE_WANT ||
        (refresh->phase == PHASE_QUEUED && refresh->place.running)) {
        return INT64_MIN;
    }
    if (refresh->phase == PHASE_IDLE) {
        wake = timers->refresh_at;
    } else if (refresh->phase == PHASE_ASK) {
        wake = refresh->walk.ask_at;
    }
    if (refresh->has_zone && !timers->expired && timers->expire_at < wake) {
        wake = timers->expire_at;
    }
    return wake;
}

/* --- replies -------------------------------------------------------------------------------- */

void refresh_reply_read(const struct dns_message *message, struct refresh_reply *out_reply)
{
    struct dns_soa soa = {0};
    uint32_t expire = 0;

    *out_reply = (struct refresh_reply){
        .rcode = dns_reply_rcode(message),
        .truncated = (message->flags & DNS_FLAG_TC) != 0,
        .authoritative = (message->flags & DNS_FLAG_AA) != 0,
        .has_soa = dns_reply_soa(message, &soa) == SG_OK,
        .has_expire = dns_reply_expire(message, &expire) == SG_OK,
    };
    out_reply->serial = soa.serial;
    out_reply->expire = expire;
}

enum refresh_verdict refresh_replied(struct refresh *refresh, const struct refresh_reply *reply,
                                     sg_time now)
{
    struct refresh_walk *walk = &refresh->walk;

    if (refresh->phase != PHASE_ASKING) {
        return REFRESH_UNWANTED;
    }
    if (refresh_walk_another_way(walk, refresh->settings, reply)) {
        walk->ask_at = now;
        refresh->phase = PHASE_ASK;
        return REFRESH_SAME;
    }
    if (reply->result != SG_OK || reply->rcode != DNS_RCODE_NOERROR || reply->truncated ||
        !reply->authoritative || !reply->has_soa) {
        return next_primary(refresh, REFRESH_NEXT, now);
    }
    walk->has_expire = reply->has_expire;
    walk->expire = reply->expire;
    int order = refresh->has_zone ? serial_compare(reply->serial, refresh->soa.serial) : 1;
    if (order < 0) {
        return next_primary(refresh, REFRESH_OLDER, now);
    }
    if (order == 0) {
        return heard_equal(refresh, now);
    }
    walk->current = false;
    refresh->phase = PHASE_WANT;
    return REFRESH_NEWER;
}

/* Was it an IXFR, and may the same primary do better with AXFR? */
static bool axfr_instead(struct refresh *refresh, enum sg_result result)
{
    if (!refresh->has_zone ||
        !refresh_walk_axfr_instead(&refresh->walk, refresh->settings, result)) {
        return false;
    }
    refresh->phase = PHASE_WANT;
    return true;
}

enum refresh_verdict refresh_transferred(struct refresh *refresh,
                                         const struct refresh_transfer *transfer, sg_time now)
{
    struct refresh_walk *walk = &refresh->walk;
    enum sg_result result = transfer->result;

    if (refresh->phase != PHASE_TRANSFERRING) {
        return REFRESH_UNWANTED;
    }
    if (transfer->has_expire) {
        walk->has_expire = true;
        walk->expire = transfer->expire;
    }
    if (result == SG_EXISTS && refresh->has_zone) {
        return heard_equal(refresh, now);
    }
    /* A primary that promised a newer serial and sends another has lied. */
    bool newer = !refresh->has_zone || walk->whole ||
                 serial_compare(transfer->serial, refresh->soa.serial) > 0;
    if (result == SG_OK && !newer) {
        result = SG_MALFORMED;
    }
    if (result == SG_OK) {
        transfer_quota_give(refresh->shared->quota, &refresh->place);
        refresh->phase = PHASE_APPLYING;
        return REFRESH_APPLY;
    }
    if (axfr_instead(refresh, result)) {
        return REFRESH_SAME;
    }
    return next_primary(refresh, REFRESH_NEXT, now);
}

/* It is served and came from those that were primaries when it was asked for: what nobody else is
 * heard of expires all the same. */
static void begin_to_expire(struct refresh *refresh, sg_time now)
{
    struct refresh_timers *timers = &refresh->timers;
    if (timers->expired || timers->expire_at == INT64_MAX) {
        timers->expired = false;
        timers->expire_at = now + refresh_expiry(&refresh->soa, &refresh->settings->bounds);
    }
}

enum refresh_verdict refresh_applied(struct refresh *refresh, enum sg_result result,
                                     const struct dns_soa *soa, sg_time now)
{
    if (result == SG_OK) {
        /* Whoever waits for it or not: this is what we have now. */
        bool wanted = refresh->phase == PHASE_APPLYING;
        refresh->has_zone = true;
        refresh->soa = *soa;
        if (!wanted) {
            begin_to_expire(refresh, now);
            return REFRESH_UNWANTED;
        }
        heard(refresh, true, now);
        walk_end(refresh, now);
        return REFRESH_CURRENT;
    }
    if (refresh->phase != PHASE_APPLYING) {
        return REFRESH_UNWANTED;
    }
    if (result == SG_CONFLICT && axfr_instead(refresh, result)) {
        return REFRESH_SAME;
    }
    if (result == SG_CONFLICT || result == SG_MALFORMED || result == SG_LIMIT) {
        return next_primary(refresh, REFRESH_NEXT, now);
    }
    return walk_failed(refresh, now); /* our own fault: no primary can help */
}

/* --- what others want ----------------------------------------------------------------------- */

/* Its question has its turn at the rate already; in the slow line of the start that is no turn for
 * one that somebody has asked for. */
static bool is_in_line(const struct refresh *refresh)
{
    return refresh->phase == PHASE_ASK && !refresh->walk.startup;
}

/* It keeps its turn, or zones that are told of again and again would use up everybody's. */
static void ask_first(struct refresh *refresh, size_t first)
{
    refresh->walk.first = first;
    refresh->walk.tried = 0;
    refresh_walk_meet(&refresh->walk, refresh->settings);
}

enum refresh_notice refresh_notified(struct refresh *refresh, const struct remote *from,
                                     const struct dns_soa *hint, sg_time now)
{
    const struct wish wish = {.check = true,
                              .first = refresh_walk_place_of(refresh->settings, from)};

    if (hint != NULL && refresh->has_zone && !refresh->timers.expired &&
        serial_compare(hint->serial, refresh->soa.serial) <= 0) {
        return REFRESH_NOTICE_CURRENT;
    }
    /* A question that has not gone out yet will hear of it; its turn stays. */
    if (is_in_line(refresh)) {
        ask_first(refresh, wish.first);
        return REFRESH_NOTICE_CHECKS;
    }
    if (refresh->phase == PHASE_IDLE || refresh->phase == PHASE_ASK) {
        bool whole = refresh->phase == PHASE_ASK && refresh->walk.whole;
        walk_begin(refresh, &(struct wish){.whole = whole, .first = wish.first}, false, now);
        return REFRESH_NOTICE_CHECKS;
    }
    refresh->wish.check = true;
    refresh->wish.first = wish.first;
    return REFRESH_NOTICE_QUEUED;
}

void refresh_demand(struct refresh *refresh, bool whole, sg_time now)
{
    const struct wish wish = {.check = true, .whole = whole};
    bool needs_no_soa = whole && refresh->has_zone;

    if (is_in_line(refresh) && !needs_no_soa) {
        refresh->walk.whole |= whole;
        return;
    }
    if (refresh->phase == PHASE_IDLE || refresh->phase == PHASE_ASK) {
        walk_begin(refresh, &wish, false, now);
        return;
    }
    refresh->wish.check = true;
    refresh->wish.whole |= whole;
}

const struct refresh_timers *refresh_timers(const struct refresh *refresh)
{
    return &refresh->timers;
}

void refresh_count(const struct refresh *refresh, struct refresh_counts *counts)
{
    counts->asking += refresh->phase == PHASE_ASKING;
    counts->without_zone += !refresh->has_zone;
}

bool refresh_is_busy(const struct refresh *refresh)
{
    return refresh->phase != PHASE_IDLE;
}
