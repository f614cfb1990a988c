#include "base/log.h"
#include "keeper/keeper_parts.h"

enum {
    /* What an hour's delay may be is not worth a word; a catching up after a start neither. */
    MARGIN_SECONDS_MAX = 3600,
    MARGIN_PART = 8, /* of the time between refresh and expiration */
    SOONEST_SECONDS = 60,
    DAY_SECONDS = 86400,
};

static sg_time overdue_time(const struct managed_zone *zone)
{
    const struct kasp_policy *policy = zone->settings->policy;
    if (zone->health.expires_first == 0 || policy == NULL) {
        return INT64_MAX;
    }
    sg_duration margin = policy->signatures_refresh / MARGIN_PART;
    if (margin > MARGIN_SECONDS_MAX) {
        margin = MARGIN_SECONDS_MAX;
    }
    return zone->health.expires_first - policy->signatures_refresh + margin;
}

void overdue_note(struct managed_zone *zone, sg_time now)
{
    struct zone_health *health = &zone->health;
    sg_time overdue_at = overdue_time(zone);
    if (overdue_at == health->overdue_at) {
        return; /* Whoever changes the zone each second does not put off the warning. */
    }
    health->overdue_at = overdue_at;
    health->warn_at = overdue_at < now + SOONEST_SECONDS ? now + SOONEST_SECONDS : overdue_at;
}

void overdue_note_ahead(struct managed_zone *zone, sg_time now)
{
    struct zone_health *health = &zone->health;
    if (zone_record_is_ahead(zone, now)) {
        health->expires_first = health->expires_first < now ? health->expires_first : now;
        health->resign_at = now;
        overdue_note(zone, now);
    }
}

/* An index tells when signatures expire, and that they had begun when it was made. */
void overdue_begin_job(struct managed_zone *zone, const struct zone_job *job)
{
    const struct kasp_policy *policy = zone->settings->policy;
    sg_time begins = job->now;
    if (zone_record_is_ahead(zone, job->now)) {
        resign_index_free(zone->known.resign);
        zone->known.resign = NULL;
    }
    if (job->kind != ZONE_JOB_RECOVER && policy != NULL) {
        begins -= policy->signatures_inception_offset;
    }
    if (zone->known.begins_latest < begins) {
        zone->known.begins_latest = begins;
    }
}

void overdue_warn(struct managed_zone *zone, sg_time now)
{
    struct zone_health *health = &zone->health;
    const char *why = health->problem != NULL ? health->problem : "no reason is known";
    char label[ZONE_LABEL_BYTES];
    char when[TIME_HUMAN_BYTES];

    health->warn_at = now + DAY_SECONDS;
    zone_label(zone->settings, label);
    time_to_http(health->expires_first, when);
    if (health->expires_first <= now) {
        log_write(LOG_DNSSEC, SEVERITY_CRITICAL,
                  "zone %s: signatures are not valid, having expired or, where the clock was set "
                  "back, not begun, the first since %s, and are not made anew: %s",
                  label, when, why);
    } else {
        log_write(
            LOG_DNSSEC, SEVERITY_WARNING,
            "zone %s: signatures are not made anew: the first expires on %s, in %lld hours: %s",
            label, when, (long long)((health->expires_first - now) / 3600), why);
    }
}
