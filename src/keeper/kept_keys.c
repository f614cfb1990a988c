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
    known->keys = NULL;
    return keys;
}

void kept_keys_drop(struct kept_keys *kept, struct managed_zone *zone)
{
    zone_keys_free(kept_keys_take(kept, zone));
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
    if (kept->count > kept->max) {
        kept_keys_drop(kept, kept->first);
    }
}
