/* What the parent showed, until the zone's facts are at home: a job, or a round of keying.h, that
 * is out has a copy, and what comes back with it would replace what was noted meanwhile. */
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "keeper/expiry.h"
#include "keeper/keeper_parts.h"
#include "keeper/trust.h"

/* The same sighting of the same key goes on: one look will do. */
static bool extend(struct zone_ds_looks *waiting, const struct zone_ds_look *look)
{
    for (size_t i = waiting->count; i > 0; i--) {
        struct zone_ds_look *last = &waiting->looks[i - 1];
        if (last->tag != look->tag || last->algorithm != look->algorithm) {
            continue;
        }
        if (last->sighting != look->sighting || look->first > last->last) {
            return false; /* In between it was otherwise. */
        }
        last->last = look->last > last->last ? look->last : last->last;
        last->ttl = look->ttl > last->ttl ? look->ttl : last->ttl;
        return true;
    }
    return false;
}

void zone_facts_note_ds(struct keeper *keeper, struct managed_zone *zone,
                        const struct zone_ds_look *looks, size_t count)
{
    struct zone_ds_looks *waiting = &zone->known.ds_looks;
    thread_assert(THREAD_KEEPER);
    if (trust_of_zone(zone) != CLOCK_TRUSTED || zone->known.trusts_anew) {
        return; /* It is asked again. */
    }
    for (size_t i = 0; i < count; i++) {
        if (extend(waiting, &looks[i])) {
            continue;
        }
        if (waiting->count == ZONE_DS_LOOKS_MAX) {
            memmove(waiting->looks, waiting->looks + 1,
                    (waiting->count - 1) * sizeof(*waiting->looks));
            waiting->count--;
        }
        waiting->looks =
            mem_resize_array(waiting->looks, waiting->count + 1, sizeof(*waiting->looks));
        waiting->looks[waiting->count++] = looks[i];
    }
    keeper_wish_keys(keeper, zone, false);
}

void zone_facts_take_looks(struct managed_zone *zone)
{
    expiry_note(zone);
    struct zone_ds_looks *waiting = &zone->known.ds_looks;
    for (size_t i = 0; i < waiting->count; i++) {
        zone_facts_see(&zone->known.state.facts, &waiting->looks[i]);
    }
    mem_free(waiting->looks);
    *waiting = (struct zone_ds_looks){NULL, 0};
}

/* Zones of one name in several views: conf/zones.c has them share all their folders, or none. */
static bool shares_keys(const struct managed_zone *zone, const struct managed_zone *other)
{
    const struct zone_settings *settings = zone->settings;
    return other != zone && settings->policy != NULL &&
           other->settings->policy == settings->policy &&
           dns_name_equal(&other->slot->apex, &zone->slot->apex) &&
           strcmp(other->settings->key_directory, settings->key_directory) == 0;
}

void zone_facts_find_twins(const struct keeper *keeper, struct managed_zone *zone,
                           struct zone_facts_twins *out_twins)
{
    *out_twins = (struct zone_facts_twins){NULL, 0, false};
    for (const struct managed_zone *other = zone_index_chain(&keeper->index, &zone->slot->apex);
         other != NULL; other = other->chain_next) {
        const struct zone_version *version = zone_record_version(other);
        if (!shares_keys(zone, other)) {
            continue;
        }
        out_twins->unknown |= (version == NULL && !other->tried) || other->known.expired != NULL;
        if (version == NULL || !zone_version_facts(version)->signed_here ||
            !other->known.state.facts.committed) {
            continue;
        }
        out_twins->facts =
            mem_resize_array(out_twins->facts, out_twins->count + 1, sizeof(*out_twins->facts));
        struct zone_facts_of_keys *facts = &out_twins->facts[out_twins->count++];
        zone_facts_copy(&other->known.state.facts, facts);
        if (other->known.revived_at > facts->waits_from) { /* expiry_note() */
            facts->waits_from = other->known.revived_at;
        }
    }
    zone->known.twin_awaited = out_twins->unknown;
}

void zone_facts_end_wait_of_twins(struct keeper *keeper, const struct managed_zone *zone)
{
    for (struct managed_zone *other = zone_index_chain(&keeper->index, &zone->slot->apex);
         other != NULL; other = other->chain_next) {
        if (other->known.twin_awaited && shares_keys(zone, other)) {
            other->known.twin_awaited = false;
            keeper_wish_keys(keeper, other, false);
        }
    }
}

/* What one has found the others look at. */
void zone_facts_let_twins_follow(struct keeper *keeper, const struct managed_zone *zone)
{
    for (struct managed_zone *other = zone_index_chain(&keeper->index, &zone->slot->apex);
         other != NULL; other = other->chain_next) {
        if (shares_keys(zone, other) && zone_record_version(other) != NULL &&
            other->known.state.keys_fingerprint != zone->known.state.keys_fingerprint) {
            keeper_wish_keys(keeper, other, false);
        }
    }
}

/* What was committed is served: since when, its facts say from now on, and that is committed. */
void zone_facts_note_published(struct keeper *keeper, struct managed_zone *zone)
{
    enum zone_facts_news news = zone->slot->version == NULL
                                    ? ZONE_FACTS_NO_NEWS
                                    : zone_facts_published(&zone->known.state.facts, keeper->now);
    zone->wishes.state |= news != ZONE_FACTS_NO_NEWS;
    if (news == ZONE_FACTS_LATE) {
        keeper_wish_keys(keeper, zone, false); /* Their files are older by now. */
    }
}
