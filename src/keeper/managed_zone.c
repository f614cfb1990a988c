#include "keeper/managed_zone.h"

#include <string.h>

#include "keeper/aside.h"
#include "keeper/keeper_parts.h"
#include "keeper/secondary.h"
#include "keeper/trust.h"
#include "keeper/zone_parent.h"
#include "keeper/zone_progress.h"

const struct zone_settings *managed_zone_settings(const struct managed_zone *zone)
{
    return zone->settings;
}

size_t managed_zone_signing_records(const struct managed_zone *zone, struct buffer *out_packed,
                                    bool *out_beside)
{
    const struct zone_aside *aside = zone->known.aside;
    *out_beside = aside_is_busy(zone);
    return zone_progress_list(zone_record_version(zone), zone->settings,
                              aside != NULL ? aside->keys : NULL, out_packed);
}

static sg_time known_or_zero(sg_time when)
{
    return when == INT64_MAX ? 0 : when;
}

/* Of a secondary that is not served. NULL: it is, or what the store has of it is still looked at.
 */
static const char *absence_of(const struct managed_zone *zone)
{
    if (zone->secondary == NULL || zone->slot->version != NULL || zone->ledger.opening ||
        zone->job != NULL) {
        return NULL;
    }
    return zone->known.expired != NULL
               ? "it has expired: no primary was heard for as long as its SOA allows; it is served "
                 "again when one is"
               : "nothing has come from its primaries yet";
}

/* What the zone's own work met, or what it would meet. */
static const char *problem_of(const struct managed_zone *zone)
{
    const struct store *store = zone->keeper->io.store;
    const char *missing = keeper_lacks_store(zone->keeper, zone);
    if (missing != NULL) {
        return missing; /* What it says now; the zone may have met an older reason. */
    }
    if (zone->health.problem != NULL) {
        return zone->health.problem;
    }
    if (zone->health.rest_problem != NULL) {
        return zone->health.rest_problem;
    }
    const char *absence = absence_of(zone);
    if (absence != NULL || store == NULL || !zone_is_stored(zone->settings)) {
        return absence;
    }
    switch (store_health(store)) {
    case SG_OK:
        return NULL;
    case SG_NO_SPACE:
        return "the store has no space left: the zone is served, changes are refused until there "
               "is room";
    default:
        return "the store cannot be written: the zone is served, changes are refused until it can";
    }
}

static sg_time problem_since(const struct managed_zone *zone)
{
    const struct zone_health *health = &zone->health;
    sg_time refused_at = zone->known.state.refused_at;
    if (health->problem == NULL) {
        return health->rest_problem != NULL ? health->rest_since : 0;
    }
    bool is_refusal = health->failed == ZONE_JOB_LOAD && !health->by_store && refused_at != 0;
    return is_refusal ? refused_at : health->problem_since;
}

/* The SOA's EXPIRE is not what holds: it has bounds, and a primary may have said less (RFC 7314).
 */
static sg_time half_expired_at(const struct refresh_timers *timers)
{
    if (timers == NULL || known_or_zero(timers->expire_at) == 0 || timers->checked_at == 0) {
        return 0;
    }
    return timers->expire_at - (timers->expire_at - timers->checked_at) / 2;
}

void managed_zone_status(const struct managed_zone *zone, struct zone_status *out_status)
{
    const struct zone_version *version = zone->slot->version;
    const struct refresh_timers *timers = secondary_timers(zone);
    *out_status = (struct zone_status){
        .settings = zone->settings,
        .facts = version == NULL ? NULL : zone_version_facts(version),
        .loaded_at = zone->known.state.loaded_at,
        .loading = zone->job != NULL || zone->queue != NULL || zone->known.keying,
        .files = zone->known.state.files.files,
        .files_count = zone->known.state.files.count,
        .beside = aside_tell(zone),
        .frozen = zone->known.state.frozen,
        .secure = version != NULL && zone_version_facts(version)->denial != ZONE_DENIAL_NONE,
        .resign_node = zone->health.resign_node,
        .resign_at = known_or_zero(zone->health.resign_at),
        .expires_first = zone->health.expires_first,
        .overdue_at = known_or_zero(zone->health.overdue_at),
        .key_event_at = known_or_zero(zone->health.key_event_at),
        .clock = trust_to_show(zone),
        .clock_at = zone->known.state.clock_at,
        .problem = problem_of(zone),
        .problem_since = problem_since(zone),
        .refresh_at = timers == NULL ? 0 : known_or_zero(timers->refresh_at),
        .expire_at = timers == NULL ? 0 : known_or_zero(timers->expire_at),
        .expiring_at = half_expired_at(timers),
        .refresh_failure = secondary_failure(zone),
        .unheard = zone->ledger.unheard - zone->ledger.unlisted,
        .doubted = zone->ledger.doubted,
        .unnotified = zone->notify.unknown,
        .stored = zone->ledger.continues,
    };
}

bool managed_zone_waits_for_parent(const struct managed_zone *zone)
{
    return zone_parent_is_waiting(zone);
}

void managed_zone_describe_parent(const struct managed_zone *zone,
                                  void (*line)(void *argument, const char *text), void *argument)
{
    zone_parent_describe(zone, line, argument);
}
