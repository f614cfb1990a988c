#include "dnssec/sign_zone.h"

#include <string.h>

#include "base/mem.h"
#include "dnssec/sign_work.h"

enum { ITEMS_FIRST = 1024 };

static enum sg_result add_item(struct sign_work *work, struct span relative,
                               const struct zone_node *node)
{
    if (work->owners.length > UINT32_MAX || work->items_count == UINT32_MAX) {
        return SG_LIMIT;
    }
    if (work->items_count == work->items_max) {
        work->items_max = work->items_max == 0 ? ITEMS_FIRST : 2 * work->items_max;
        work->items = mem_resize_array(work->items, work->items_max, sizeof(*work->items));
    }
    work->items[work->items_count++] = (struct sign_item){
        .source = node != NULL ? node->source : NULL,
        .flags = node != NULL ? node->flags : 0,
        .owner = (uint32_t)work->owners.length,
    };
    buffer_append_u8(&work->owners, (uint8_t)relative.length);
    buffer_append(&work->owners, relative.bytes, relative.length);
    return SG_OK;
}

static struct span previous_owner(const struct sign_work *work)
{
    if (work->items_count == 0) {
        return (struct span){NULL, 0};
    }
    const uint8_t *at = work->owners.bytes + work->items[work->items_count - 1].owner;
    return (struct span){at + 1, *at};
}

static bool is_at_or_below(struct span name, struct span ancestor)
{
    size_t at = 0;
    while (name.length - at > ancestor.length) {
        at += 1u + name.bytes[at];
    }
    return name.length - at == ancestor.length &&
           (ancestor.length == 0 || memcmp(name.bytes + at, ancestor.bytes, ancestor.length) == 0);
}

/*
 * The empty non-terminals between `owner` and what it has in common with the name before it, the
 * topmost first. An ancestor that owned records would have come directly before.
 */
static enum sg_result add_empty_nonterminals(struct sign_work *work, struct span owner)
{
    size_t begins[DNS_LABELS_MAX];
    size_t count = 0;
    struct span previous = previous_owner(work);
    for (size_t at = 0; at < owner.length; at += 1u + owner.bytes[at]) {
        const struct span ancestor = {owner.bytes + at, owner.length - at};
        if (at == 0) {
            continue; /* the name itself */
        }
        if (is_at_or_below(previous, ancestor)) {
            break;
        }
        begins[count++] = at;
    }
    enum sg_result result = SG_OK;
    while (count > 0 && result == SG_OK) {
        size_t at = begins[--count];
        result = add_item(work, (struct span){owner.bytes + at, owner.length - at}, NULL);
    }
    return result;
}

/* List what gets a denial record: no glue, nothing occluded, with opt-out no insecure delegation
 * (RFC 5155 7.1). */
static enum sg_result list_names(struct sign_work *work, const struct zone_version *draft)
{
    const struct sign_policy *policy = work->run.policy;
    bool opt_out = policy->nsec3 && (policy->nsec3_params.flags & 1) != 0;
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, draft);
    while (zone_cursor_next(&cursor)) {
        const struct zone_node *node = &cursor.node;
        bool insecure = zone_node_is_cut(node) && (node->flags & ZONE_NODE_DS) == 0;
        if (cursor.below_cut || (opt_out && insecure)) {
            continue;
        }
        struct span owner = zone_node_owner(node);
        enum sg_result result = SG_OK;
        if (policy->nsec3) {
            result = add_empty_nonterminals(work, owner);
        }
        if (result == SG_OK) {
            result = add_item(work, owner, node);
        }
        if (result != SG_OK) {
            return result;
        }
    }
    ASSERT(work->items_count > 0 && (work->items[0].flags & ZONE_NODE_APEX) != 0);
    return SG_OK;
}

static enum sg_result sign_item(struct sign_work *work, struct sign_lane *lane, size_t index)
{
    struct sign_item *item = &work->items[index];
    if (item->source == NULL) {
        return SG_OK;
    }
    struct dns_name owner, next;
    const struct zone_node node = sign_item_node(item);
    struct sign_name name = {.owner = &owner, .node = &node};
    sign_item_owner(work, item, &owner);
    if (index == 0) {
        name.apex = work->apex_rrsets;
        name.apex_count = work->apex_count;
    }
    if (!work->run.policy->nsec3) {
        sign_item_owner(work, &work->items[(index + 1) % work->items_count], &next);
        name.next = &next;
    }
    lane->report.names++;
    item->made.lane = (uint32_t)(lane - work->lanes);
    return sign_name(&work->run, lane, &name, &item->made.ref);
}

static void sign_range(void *argument, size_t index)
{
    struct sign_work *work = argument;
    sign_work_range(work, index, work->items_count, sign_item);
}

static enum sg_result sign_all(struct sign_work *work)
{
    size_t ranges = (work->items_count + SIGN_RANGE_NAMES - 1) / SIGN_RANGE_NAMES;
    if (work->progress != NULL) { /* With NSEC3 each name has an RR of the chain besides. */
        uint64_t all = (uint64_t)work->items_count << work->run.policy->nsec3;
        __atomic_store_n(&work->progress->all, all, __ATOMIC_RELAXED);
    }
    if (work->run.policy->nsec3) {
        enum sg_result result = nsec3_chain_make(work);
        if (result != SG_OK) {
            return result;
        }
    }
    worker_pool_share(work->pool, ranges, sign_range, work);
    if (work->run.policy->nsec3 && !sign_work_has_failed(work)) {
        nsec3_chain_sign(work);
    }
    return (enum sg_result)work->failure;
}

/* Everything is made: hand the piles over and let names point at their blocks. */
static enum sg_result place_all(struct sign_work *work, struct zone_edit *edit)
{
    zone_block_ref *bases;
    enum sg_result result = sign_work_adopt(work, edit, &bases);
    if (result != SG_OK) {
        return result;
    }
    for (size_t i = 0; i < work->items_count && result == SG_OK; i++) {
        const struct sign_item *item = &work->items[i];
        struct dns_name owner;
        if (item->made.ref != 0) {
            sign_item_owner(work, item, &owner);
            result = zone_edit_place(edit, &owner, bases[item->made.lane] + item->made.ref);
        }
    }
    for (size_t i = 0; i < work->chain_count && result == SG_OK; i++) {
        const struct sign_made *made = &work->chain_made[i];
        result = zone_edit_place_nsec3(edit, bases[made->lane] + made->ref);
    }
    mem_free(bases);
    return result;
}

enum sg_result sign_zone(struct zone_edit *edit, const struct sign_request *request,
                         struct worker_pool *pool, struct sign_report *out_report)
{
    zone_edit_clear_generated(edit);
    zone_edit_clear_nsec3(edit);
    const struct zone_version *draft = zone_edit_draft(edit);
    struct sign_work work;
    enum sg_result result = sign_work_begin(&work, draft, request, pool);
    if (result != SG_OK) {
        goto out;
    }
    result = list_names(&work, draft);
    if (result != SG_OK) {
        goto out;
    }
    result = sign_all(&work);
    if (result != SG_OK) {
        goto out;
    }
    result = place_all(&work, edit);
    if (result != SG_OK) {
        goto out;
    }
    *out_report = sign_work_report(&work);

out:
    sign_work_clear(&work);
    return result;
}
