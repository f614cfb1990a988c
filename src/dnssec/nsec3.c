#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "dnssec/sign_work.h"

/*
 * The chain of hashes (RFC 5155 7.1). Names are hashed by all workers, parted by the first byte
 * of the hash, and each part is sorted by whichever worker comes along: hashes are uniform, so
 * the parts are about equal.
 */
enum { CHAIN_PARTS = 256, HASH_RANGE_NAMES = 1024 };

struct sort {
    struct nsec3_entry *chain;
    size_t begins[CHAIN_PARTS + 1];
};

static void hash_range(void *argument, size_t index)
{
    struct sign_work *work = argument;
    struct sign_lane *lane = sign_work_take_lane(work);
    if (lane->hasher == NULL) {
        lane->hasher = nsec3_hasher_new();
    }
    size_t end = (index + 1) * HASH_RANGE_NAMES;
    for (size_t i = index * HASH_RANGE_NAMES; i < end && i < work->items_count; i++) {
        struct dns_name owner;
        sign_item_owner(work, &work->items[i], &owner);
        nsec3_hash(lane->hasher, &work->run.policy->nsec3_params, owner.wire, owner.length,
                   work->chain[i].hash);
        work->chain[i].item = (uint32_t)i;
    }
    sign_work_return_lane(work, lane);
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(((const struct nsec3_entry *)a)->hash, ((const struct nsec3_entry *)b)->hash,
                  NSEC3_HASH_BYTES);
}

static void sort_part(void *argument, size_t index)
{
    struct sort *sort = argument;
    size_t begin = sort->begins[index];
    size_t count = sort->begins[index + 1] - begin;
    if (count > 1) {
        qsort(sort->chain + begin, count, sizeof(*sort->chain), compare_hashes);
    }
}

static void sort_chain(struct sign_work *work)
{
    struct nsec3_entry *unsorted = work->chain;
    struct sort sort = {.chain = mem_alloc_zero(work->chain_count, sizeof(*sort.chain))};
    for (size_t i = 0; i < work->chain_count; i++) {
        sort.begins[unsorted[i].hash[0] + 1]++;
    }
    size_t next[CHAIN_PARTS];
    for (size_t part = 0; part < CHAIN_PARTS; part++) {
        sort.begins[part + 1] += sort.begins[part];
        next[part] = sort.begins[part];
    }
    for (size_t i = 0; i < work->chain_count; i++) {
        sort.chain[next[unsorted[i].hash[0]]++] = unsorted[i];
    }
    worker_pool_share(work->pool, CHAIN_PARTS, sort_part, &sort);
    mem_free(unsorted);
    work->chain = sort.chain;
}

enum sg_result nsec3_chain_make(struct sign_work *work)
{
    if (work->items_count > UINT32_MAX) {
        return SG_LIMIT;
    }
    work->chain_count = work->items_count;
    work->chain = mem_alloc_zero(work->chain_count, sizeof(*work->chain));
    size_t ranges = (work->items_count + HASH_RANGE_NAMES - 1) / HASH_RANGE_NAMES;
    worker_pool_share(work->pool, ranges, hash_range, work);
    sort_chain(work);
    for (size_t i = 1; i < work->chain_count; i++) {
        if (compare_hashes(&work->chain[i - 1], &work->chain[i]) == 0) {
            char apex[DNS_NAME_TEXT_BYTES];
            log_write(LOG_DNSSEC, SEVERITY_ERROR,
                      "zone %s: two names have the same NSEC3 hash: choose another salt",
                      dns_name_to_text_short(&work->apex, apex));
            return SG_CONFLICT;
        }
    }
    return SG_OK;
}

static enum sg_result sign_entry(struct sign_work *work, struct sign_lane *lane, size_t at)
{
    const struct nsec3_entry *entry = &work->chain[at];
    const struct sign_item *item = &work->items[entry->item];
    const struct zone_node node = sign_item_node(item);
    bool is_apex = entry->item == 0;
    const struct sign_nsec3 nsec3 = {
        .hash = entry->hash,
        .next_hash = work->chain[(at + 1) % work->chain_count].hash,
        .node = item->source != NULL ? &node : NULL,
        .apex = is_apex ? work->apex_rrsets : NULL,
        .apex_count = is_apex ? work->apex_count : 0,
    };
    work->chain_made[at].lane = (uint32_t)(lane - work->lanes);
    return sign_nsec3(&work->run, lane, &nsec3, &work->chain_made[at].ref);
}

static void sign_entries(void *argument, size_t index)
{
    struct sign_work *work = argument;
    sign_work_range(work, index, work->chain_count, sign_entry);
}

void nsec3_chain_sign(struct sign_work *work)
{
    work->chain_made = mem_alloc_zero(work->chain_count, sizeof(*work->chain_made));
    size_t ranges = (work->chain_count + SIGN_RANGE_NAMES - 1) / SIGN_RANGE_NAMES;
    worker_pool_share(work->pool, ranges, sign_entries, work);
}
