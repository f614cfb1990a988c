#include "dnssec/nsec3_mend.h"

#include <stdlib.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "zone/neighbour.h"

enum { ITEMS_FIRST = 16 };

/* A touched name while the mending is planned. */
struct place {
    uint8_t hash[NSEC3_HASH_BYTES];
    bool was;   /* it has an NSEC3 */
    bool needs; /* it must have one, for itself or for what is below it */
    bool empty; /* an empty non-terminal of the draft */
    bool lost;  /* what it had an NSEC3 for, or some of that, has gone */
};

/* What is known while the plan is made. */
struct plan {
    struct nsec3_mend *mend;
    struct zone_edit *edit;
    const struct zone_version *draft; /* before the circle changes */
    struct place *places;             /* one for each touched name */
};

static bool opts_out(const struct nsec3_mend *mend)
{
    return (mend->work->run.policy->nsec3_params.flags & 1) != 0;
}

static bool is_insecure(const struct zone_node *node)
{
    return zone_node_is_cut(node) && (node->flags & ZONE_NODE_DS) == 0;
}

static void touched_name(const struct nsec3_mend *mend, size_t index, struct dns_name *out_name)
{
    relative_join(touched_owner(mend->touched, &mend->touched->names[index]), &mend->work->apex,
                  out_name);
}

static enum sg_result hash_owner(const struct nsec3_mend *mend, const uint8_t *hash,
                                 struct dns_name *out_owner)
{
    struct dns_name label = {.length = 2 + NSEC3_HASH_TEXT_BYTES, .labels = 1};
    label.wire[0] = NSEC3_HASH_TEXT_BYTES;
    base32hex_encode(hash, NSEC3_HASH_BYTES, (char *)label.wire + 1);
    return dns_name_join(&label, &mend->work->apex, out_owner);
}

static enum sg_result read_hash(const struct zone_node *node, uint8_t out_hash[NSEC3_HASH_BYTES])
{
    struct span label = zone_node_owner(node);
    struct buffer hash = BUFFER_EMPTY;
    enum sg_result result = SG_MALFORMED;
    if (label.length == 1 + NSEC3_HASH_TEXT_BYTES &&
        base32hex_decode((struct span){label.bytes + 1, label.length - 1}, &hash) == SG_OK &&
        hash.length == NSEC3_HASH_BYTES) {
        memcpy(out_hash, hash.bytes, NSEC3_HASH_BYTES);
        result = SG_OK;
    }
    buffer_free(&hash);
    return result;
}

static void add_item(struct nsec3_mend *mend, const uint8_t *hash, uint32_t name)
{
    if (mend->count == mend->max) {
        mend->max = mend->max == 0 ? ITEMS_FIRST : 2 * mend->max;
        mend->items = mem_resize_array(mend->items, mend->max, sizeof(*mend->items));
    }
    struct nsec3_mended *item = &mend->items[mend->count++];
    *item = (struct nsec3_mended){.name = name, .made = {.ref = SIGN_SAME}};
    memcpy(item->hash, hash, NSEC3_HASH_BYTES);
}

/* What the name itself is, before and after. */
static enum sg_result look_at(const struct plan *plan, struct nsec3_hasher *hasher, size_t index)
{
    struct place *place = &plan->places[index];
    struct dns_name name;
    struct zone_match before, after;
    struct zone_node nsec3;
    touched_name(plan->mend, index, &name);
    nsec3_hash(hasher, &plan->mend->work->run.policy->nsec3_params, name.wire, name.length,
               place->hash);
    bool exact = false;
    place->was = zone_version_nsec3(plan->mend->base, place->hash, &nsec3, &exact) && exact;
    enum sg_result result = zone_version_find(plan->mend->base, &name, &before);
    if (result == SG_OK) {
        result = zone_version_find(plan->draft, &name, &after);
    }
    if (result != SG_OK) {
        return result;
    }
    if (place->was && before.kind == ZONE_MATCH_NONE) {
        return SG_CONFLICT; /* RFC 5155 7.1: another name has this hash */
    }
    place->empty = after.kind == ZONE_MATCH_EMPTY;
    place->lost = before.kind == ZONE_MATCH_NAME;
    place->needs =
        after.kind == ZONE_MATCH_NAME && !(opts_out(plan->mend) && is_insecure(&after.node));
    return SG_OK;
}

/* Is there below the name one that has an NSEC3 for itself? */
static bool is_needed_below(const struct plan *plan, size_t index)
{
    struct zone_cursor cursor;
    struct dns_name name;
    touched_name(plan->mend, index, &name);
    struct span owner = touched_owner(plan->mend->touched, &plan->mend->touched->names[index]);
    zone_cursor_seek(&cursor, plan->draft, &name);
    while (zone_cursor_next(&cursor)) {
        if (!relative_is_at_or_below(zone_node_owner(&cursor.node), owner)) {
            return false;
        }
        if (!cursor.below_cut && !is_insecure(&cursor.node)) {
            return true;
        }
    }
    return false;
}

/*
 * Empty non-terminals. Without opt-out each has an authoritative name below it. With it, what is
 * new below them is among the touched names; what they were there for may have gone.
 */
static void settle_empty(const struct plan *plan)
{
    const struct touched *touched = plan->mend->touched;
    for (size_t i = touched->count; i-- > 1;) {
        struct place *place = &plan->places[i];
        struct place *above = &plan->places[touched->names[i].above];
        if (place->empty && !place->needs) {
            place->needs =
                !opts_out(plan->mend) || (place->was && (!place->lost || is_needed_below(plan, i)));
        }
        above->needs = above->needs || (above->empty && place->needs);
        above->lost = above->lost || (place->was && !place->needs);
    }
}

/* Stand for an NSEC3 until it is made. */
static enum sg_result stake_out(const struct plan *plan, const struct dns_name *owner)
{
    static const uint8_t packed[] = {0, 5, 1, 0, 0, 0, 0};
    const struct dns_rrset stake = {packed, sizeof(packed), 0, DNS_TYPE_NSEC3, 0, 1};
    return zone_edit_put_rrset(plan->edit, owner, ZONE_SOURCE, &stake);
}

static enum sg_result change_circle(const struct plan *plan)
{
    struct nsec3_mend *mend = plan->mend;
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < mend->touched->count && result == SG_OK; i++) {
        const struct place *place = &plan->places[i];
        struct dns_name owner;
        if (place->was == place->needs) {
            continue;
        }
        result = hash_owner(mend, place->hash, &owner);
        if (result == SG_OK) {
            result =
                place->needs ? stake_out(plan, &owner) : zone_edit_remove_nsec3(plan->edit, &owner);
        }
    }
    return result;
}

/* Its next is not what it was: the one before a hash that came or went. */
static enum sg_result add_before(struct nsec3_mend *mend, const uint8_t *hash)
{
    struct zone_node node;
    uint8_t before[NSEC3_HASH_BYTES];
    if (!zone_neighbour_before_hash(mend->draft, hash, &node)) {
        return SG_OK;
    }
    enum sg_result result = read_hash(&node, before);
    if (result == SG_OK) {
        add_item(mend, before, UINT32_MAX);
    }
    return result;
}

static int compare_items(const void *a, const void *b)
{
    const struct nsec3_mended *left = a;
    const struct nsec3_mended *right = b;
    int order = memcmp(left->hash, right->hash, NSEC3_HASH_BYTES);
    return order != 0 ? order : (left->name > right->name) - (left->name < right->name);
}

/* Each hash once: the one whose name is known comes first. Two names are a conflict. */
static enum sg_result sort_items(struct nsec3_mend *mend)
{
    size_t kept = 0;
    qsort(mend->items, mend->count, sizeof(*mend->items), compare_items);
    for (size_t i = 0; i < mend->count; i++) {
        const struct nsec3_mended *item = &mend->items[i];
        if (kept == 0 || memcmp(mend->items[kept - 1].hash, item->hash, NSEC3_HASH_BYTES) != 0) {
            mend->items[kept++] = *item;
        } else if (item->name != UINT32_MAX) {
            return SG_CONFLICT;
        }
    }
    mend->count = kept;
    return SG_OK;
}

static enum sg_result list_items(const struct plan *plan)
{
    struct nsec3_mend *mend = plan->mend;
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < mend->touched->count && result == SG_OK; i++) {
        const struct place *place = &plan->places[i];
        if (place->needs && (mend->touched->names[i].changed || !place->was)) {
            add_item(mend, place->hash, (uint32_t)i);
        }
        if (place->was != place->needs) {
            result = add_before(mend, place->hash);
        }
    }
    return result == SG_OK ? sort_items(mend) : result;
}

enum sg_result nsec3_mend_plan(struct nsec3_mend *mend, struct zone_edit *edit)
{
    enum sg_result result = touched_add_ancestors(mend->touched);
    if (result != SG_OK) {
        return result;
    }
    struct plan plan = {
        .mend = mend,
        .edit = edit,
        .draft = zone_edit_draft(edit),
        .places = mem_alloc_zero(mend->touched->count, sizeof(*plan.places)),
    };
    struct nsec3_hasher *hasher = nsec3_hasher_new();
    for (size_t i = 0; i < mend->touched->count && result == SG_OK; i++) {
        result = look_at(&plan, hasher, i);
    }
    if (result != SG_OK) {
        goto out;
    }
    settle_empty(&plan);
    result = change_circle(&plan);
    if (result != SG_OK) {
        goto out;
    }
    mend->draft = zone_edit_draft(edit);
    result = list_items(&plan);

out:
    nsec3_hasher_free(hasher);
    mem_free(plan.places);
    return result;
}

static enum sg_result sign_item(const struct nsec3_mend *mend, struct sign_lane *lane,
                                struct nsec3_mended *item)
{
    struct sign_work *work = mend->work;
    struct zone_node there, next, node;
    uint8_t next_hash[NSEC3_HASH_BYTES];
    bool exact;
    if (!zone_neighbour_after_hash(mend->draft, item->hash, &next) ||
        !zone_version_nsec3(mend->base, item->hash, &there, &exact)) {
        return SG_MALFORMED;
    }
    enum sg_result result = read_hash(&next, next_hash);
    if (result != SG_OK) {
        return result;
    }
    struct sign_nsec3 nsec3 = {
        .hash = item->hash,
        .next_hash = next_hash,
        .base = exact ? &there : NULL,
        .only_next = item->name == UINT32_MAX,
    };
    if (item->name == 0) {
        nsec3.apex = work->apex_rrsets;
        nsec3.apex_count = work->apex_count;
    }
    if (item->name != UINT32_MAX) {
        struct dns_name name;
        touched_name(mend, item->name, &name);
        nsec3.node = touched_is_authoritative(mend->draft, &name, &node) ? &node : NULL;
    }
    item->made.lane = (uint32_t)(lane - work->lanes);
    return sign_nsec3(&work->run, lane, &nsec3, &item->made.ref);
}

static void sign_range(void *argument, size_t index)
{
    const struct nsec3_mend *mend = argument;
    struct sign_lane *lane = sign_work_take_lane(mend->work);
    size_t end = (index + 1) * SIGN_RANGE_NAMES;
    for (size_t i = index * SIGN_RANGE_NAMES; i < end && i < mend->count; i++) {
        enum sg_result result =
            sign_work_has_failed(mend->work) ? SG_OK : sign_item(mend, lane, &mend->items[i]);
        if (result != SG_OK) {
            sign_work_fail(mend->work, result);
        }
    }
    sign_work_return_lane(mend->work, lane);
}

void nsec3_mend_sign(struct nsec3_mend *mend)
{
    sign_work_share(mend->work, mend->count, sign_range, mend);
}

enum sg_result nsec3_mend_place(const struct nsec3_mend *mend, struct zone_edit *edit,
                                const zone_block_ref *bases)
{
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < mend->count && result == SG_OK; i++) {
        const struct sign_made *made = &mend->items[i].made;
        if (made->ref != SIGN_SAME) {
            result = zone_edit_place_nsec3(edit, bases[made->lane] + made->ref);
        }
    }
    return result;
}

void nsec3_mend_clear(struct nsec3_mend *mend)
{
    mem_free(mend->items);
    mend->items = NULL;
    mend->count = 0;
}
