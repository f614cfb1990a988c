#include "keeper/expiry.h"

#include "base/log.h"
#include "keeper/keeper_parts.h"
#include "keeper/notifying.h"
#include "keeper/overtake.h"
#include "keeper/publish.h"
#include "keeper/secondary.h"

void expiry_begin(struct managed_zone *zone)
{
    char label[ZONE_LABEL_BYTES];
    zone->known.heard = false;
    if (zone->slot->version != NULL) {
        zone->known.expired = zone_version_ref(zone->slot->version);
        publish(zone->slot, NULL);
        /* Whoever is told now would come and find nothing. */
        notify_send_clear(zone->keeper->notify, &zone->notify);
    }
    log_write(LOG_ZONE, SEVERITY_WARNING, "zone %s: expired", zone_label(zone->settings, label));
}

/* Of signatures that have expired meanwhile no validator would believe an answer. */
static bool is_valid(sg_time expires_first, sg_time now)
{
    return expires_first == 0 || expires_first > now; /* 0: it is not signed here */
}

void expiry_end(struct managed_zone *zone)
{
    if (zone->known.expired == NULL) {
        return;
    }
    bool is_signed = zone->settings->policy != NULL;
    if (is_signed && !is_valid(zone->health.expires_first, zone->keeper->now)) {
        zone->known.heard = true;
        zone->wishes.resign = true;
        keeper_enqueue(zone->keeper, zone);
        return;
    }
    publish(zone->slot, zone->known.expired);
    zone->known.expired = NULL;
    if (zone->job == NULL && !zone->known.keying) { /* Else what it knows is lent. */
        zone_facts_note_published(zone->keeper, zone);
    }
    notifying_changed(zone->keeper, zone, false);
    expiry_is_over(zone);
}

bool expiry_lasts(const struct managed_zone *zone, const struct zone_job *job)
{
    sg_time now = zone->keeper->now;
    if (zone->settings->type != ZONE_SECONDARY) {
        return false;
    }
    if (job->kind == ZONE_JOB_RECOVER) {
        return secondary_had_expired(buffer_span(&job->made.state.timers), now);
    }
    /* Of what came what differs is signed, and the rest as it becomes due. */
    bool is_heard = zone->known.heard || job->kind == ZONE_JOB_TRANSFER;
    return zone->known.expired != NULL && !(is_heard && is_valid(job->made.expires_first, now));
}

void expiry_is_over(struct managed_zone *zone)
{
    struct keeper *keeper = zone->keeper;
    zone->known.heard = false;
    overtake_revived(keeper, zone);
    zone->wishes.state = true; /* A restart is not to find it expired. */
    keeper_enqueue(keeper, zone);
    if (zone->settings->policy != NULL) {
        zone->known.revived_at = keeper->now;
        kept_keys_are_stale(&keeper->kept_keys, zone);
        zone->known.keyed = false;
        keeper_wish_keys(keeper, zone, false);
        zone_facts_end_wait_of_twins(keeper, zone);
    }
}

void expiry_take_job(struct managed_zone *zone, const struct zone_job *job)
{
    if (zone->known.heard && is_valid(job->made.expires_first, zone->keeper->now)) {
        expiry_end(zone);
    }
}

void expiry_note(struct managed_zone *zone)
{
    sg_time *waits_from = &zone->known.state.facts.waits_from;
    *waits_from = zone->known.revived_at > *waits_from ? zone->known.revived_at : *waits_from;
    zone->known.revived_at = 0;
}
