#include "keeper/kept_keys.h"

#include "keeper/zone_record.h"

void kept_keys_init(struct kept_keys *kept)
{
    *kept = (struct kept_keys){.last = &kept->first, .max = KEPT_KEYS_ZONES_MAX};
}

struct zone_keys *kept_keys_take(struct kept_keys *kept, struct managed_zone *zone)
{
    struct zone_knowledge *known = &zone->known;
    struct zone_keys *keys = known->keys;
    if (keys == NULL) {
        return NULL;
    }
    *known->kept_link = known->kept_next;
    if (known->kept_next != NULL) {
        known->kept_next->known.kept_link = known->kept_link;
    } else {
        kept->last = known->kept_link;
    }
    kept->count--;
    kept->fresh -= keys->fresh;
    known->keys = NULL;
    return keys;
}

void kept_keys_are_stale(struct kept_keys *kept, struct managed_zone *zone)
{
    struct zone_keys *keys = zone->known.keys;
    if (keys != NULL) {
        kept->fresh -= keys->fresh;
        keys->fresh = false;
    }
}

size_t kept_keys_room(const struct kept_keys *kept)
{
    size_t most = kept->max / 2;
    return kept->fresh < most ? most - kept->fresh : 0;
}

void kept_keys_drop(struct kept_keys *kept, struct managed_zone *zone)
{
    zone_keys_free(kept_keys_take(kept, zone));
}

static void let_go(struct kept_keys *kept, struct managed_zone *zone)
{
    struct zone_keys *keys = kept_keys_take(kept, zone);
    if (keys->fresh) {
        zone->known.keyed = false;
    }
    zone_keys_free(keys);
}

void kept_keys_put(struct kept_keys *kept, struct managed_zone *zone, struct zone_keys *keys)
{
    struct zone_knowledge *known = &zone->known;
    kept_keys_drop(kept, zone);
    if (keys == NULL) {
        return;
    }
    known->keys = keys;
    known->kept_next = NULL;
    known->kept_link = kept->last;
    *kept->last = zone;
    kept->last = &known->kept_next;
    kept->count++;
    kept->fresh += keys->fresh;
    bool has_job = kept->first == zone && keys->fresh; /* which comes next, and needs them */
    if (kept->count > kept->max && !has_job) {
        let_go(kept, kept->first);
    }
}
