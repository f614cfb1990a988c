#include "keeper/trust.h"

#include "base/log.h"
#include "keeper/keeper_parts.h"

static bool has_keys(const struct managed_zone *zone)
{
    return zone->settings->policy != NULL;
}

enum clock_doubt trust_of_zone(const struct managed_zone *zone)
{
    const struct keeper *keeper = zone->keeper;
    const struct zone_state *state = &zone->known.state;
    if (!has_keys(zone)) {
        return CLOCK_TRUSTED;
    }
    if (keeper->clock.doubt != CLOCK_TRUSTED || zone->known.trusts_anew) {
        return keeper->clock.doubt;
    }
    if (state->clock_doubted) {
        return CLOCK_UNLIKELY;
    }
    return keeper->now < state->clock_at ? CLOCK_BEHIND : CLOCK_TRUSTED;
}

enum clock_doubt trust_to_show(const struct managed_zone *zone)
{
    enum clock_doubt doubt = trust_of_zone(zone);
    return doubt == CLOCK_TRUSTED && has_keys(zone) && zone->known.trusts_anew ? CLOCK_ACCEPTED
                                                                               : doubt;
}

void trust_tell_job(const struct managed_zone *zone, struct zone_clock *out_clock)
{
    enum clock_doubt doubt = trust_of_zone(zone);
    bool passes = doubt == CLOCK_BEHIND; /* by itself, when the commit's time has come */
    bool unserved = doubt == CLOCK_TRUSTED && has_keys(zone) && zone->known.expired != NULL;
    *out_clock = (struct zone_clock){
        .doubted = doubt != CLOCK_TRUSTED || unserved,
        .unserved = unserved,
        .lasts = doubt != CLOCK_TRUSTED && !passes,
        .anew = zone->known.trusts_anew && doubt == CLOCK_TRUSTED,
        .rests_until = passes && zone->known.state.clock_at > zone->keeper->now
                           ? zone->known.state.clock_at
                           : INT64_MAX,
    };
}

void trust_begin_state(struct zone_job *job)
{
    struct zone_state *state = &job->made.state;
    if (job->clock.doubted && !job->clock.unserved) {
        state->clock_doubted |= job->clock.lasts;
    } else if (!job->clock.anew) {
        state->clock_at = job->now;
        state->clock_doubted = false;
    }
}

/* The states of the keys have begun anew. Not of a zone that has expired: they do when it is back.
 */
static bool is_told_anew(const struct zone_job *job)
{
    return job->clock.anew && !job->clock.doubted && job->made.keys_looked_at &&
           !zone_job_keys_rest(job);
}

void trust_end_state(struct zone_job *job)
{
    struct zone_state *state = &job->made.state;
    if (is_told_anew(job)) {
        state->clock_at = job->now;
        state->clock_doubted = false;
        /* It is committed, even if it is all that is new. */
        job->made.unchanged &= job->lent.base == NULL;
    }
}

void trust_take_job(struct managed_zone *zone, const struct zone_job *job)
{
    if (is_told_anew(job)) {
        zone->known.trusts_anew = false;
    }
}

/* --- all zones ------------------------------------------------------------------------------- */

static void begin_anew(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_health *health = &zone->health;
    zone->known.trusts_anew = true;
    kept_keys_are_stale(&keeper->kept_keys, zone);
    zone->known.keyed = false;
    if (health->retry_at != INT64_MAX && health->retry_at > keeper->now) {
        health->retry_at = keeper->now; /* It may be years away. */
    }
    keeper_wish_keys(keeper, zone, true);
    keeper_set_timer(keeper, zone);
}

/* It outlives a restart, which cannot see the jump any more. */
static void keep_doubt(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone_record_version(zone) != NULL) {
        zone->wishes.state = true;
        keeper_enqueue(keeper, zone);
    }
}

static void log_doubt(const struct clock_guard *clock)
{
    if (clock->doubt == CLOCK_EARLY) {
        log_write(LOG_GENERAL, SEVERITY_ERROR,
                  "the clock shows a time before this program was written: set it; the states of "
                  "keys rest until it is later");
        return;
    }
    log_write(LOG_GENERAL, SEVERITY_ERROR,
              "the clock has jumped %s by %lld seconds: the states of keys rest until it %s, or "
              "until `signet clock -accept` says that it is right",
              clock->doubt == CLOCK_AHEAD ? "ahead" : "back", (long long)clock->jump,
              clock->doubt == CLOCK_AHEAD ? "is set back" : "shows what it has shown before");
}

static void note_change(struct keeper *keeper, enum clock_doubt before)
{
    enum clock_doubt doubt = keeper->clock.doubt;
    if (doubt != CLOCK_TRUSTED) {
        log_doubt(&keeper->clock);
    } else {
        log_write(LOG_GENERAL, SEVERITY_NOTICE,
                  "the clock is right again: the states of keys go on");
    }
    for (size_t i = 0; i < keeper->zones_count; i++) {
        struct managed_zone *zone = keeper->zones[i];
        if (!has_keys(zone)) {
            continue;
        }
        aside_cancel(keeper, zone); /* Its signatures may have times of a clock that was false. */
        if (doubt != CLOCK_TRUSTED) {
            keep_doubt(keeper, zone);
        } else if (before == CLOCK_BEHIND && !zone->known.state.clock_doubted) {
            keeper_wish_keys(keeper, zone,
                             false); /* Its times were early: nothing ended by them. */
        } else {
            begin_anew(keeper, zone);
        }
    }
}

void trust_look(struct keeper *keeper)
{
    enum clock_doubt before = keeper->clock.doubt;
    if (keeper->io.uptime == NULL || keeper->stopping) {
        return;
    }
    clock_guard_look(&keeper->clock, keeper->now, keeper->io.uptime(keeper->io.argument));
    if (keeper->clock.doubt != before) {
        note_change(keeper, before);
    }
}

enum clock_doubt keeper_clock(const struct keeper *keeper, sg_duration *out_jump)
{
    *out_jump = keeper->clock.jump;
    return keeper->clock.doubt;
}

size_t keeper_accept_clock(struct keeper *keeper)
{
    size_t count = 0;
    for (size_t i = 0; i < keeper->zones_count; i++) {
        struct managed_zone *zone = keeper->zones[i];
        if (trust_of_zone(zone) != CLOCK_TRUSTED) {
            begin_anew(keeper, zone);
            count++;
        }
    }
    if (keeper->io.uptime != NULL) {
        clock_guard_accept(&keeper->clock, keeper->now, keeper->io.uptime(keeper->io.argument));
    }
    log_write(LOG_GENERAL, SEVERITY_NOTICE,
              "the clock is accepted as right: the keys of %zu zones go on, with waits that begin "
              "anew, and are used to sign everything anew",
              count);
    return count;
}

/* --- one zone -------------------------------------------------------------------------------- */

void trust_log_zone(const struct managed_zone *zone)
{
    char label[ZONE_LABEL_BYTES];
    char when[TIME_HUMAN_BYTES];
    enum clock_doubt doubt = trust_of_zone(zone);
    if (doubt != CLOCK_BEHIND && doubt != CLOCK_UNLIKELY) {
        return;
    }
    time_to_http(zone->known.state.clock_at, when);
    log_write(LOG_DNSSEC, SEVERITY_WARNING,
              "zone %s: the clock is %s the zone's last commit of %s: the states of its keys rest "
              "until %s`signet clock -accept` says that it is right",
              zone_label(zone->settings, label), doubt == CLOCK_BEHIND ? "behind" : "far ahead of",
              when, doubt == CLOCK_BEHIND ? "then, or until " : "");
}
