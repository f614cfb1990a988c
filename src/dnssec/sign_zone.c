#include "dnssec/sign_zone.h"

#include <string.h>

#include "base/mem.h"
#include "dnssec/sign_apex.h"
#include "dnssec/sign_work.h"

enum { ITEMS_FIRST = 1024 };

struct sign_lane *sign_work_take_lane(struct sign_work *work)
{
    for (size_t i = 0; i < work->lanes_count; i++) {
        struct sign_lane *lane = &work->lanes[i];
        if (__atomic_exchange_n(&work->lanes_taken[i], true, __ATOMIC_ACQUIRE)) {
            continue;
        }
        if (lane->pile == NULL) {
            sign_lane_init(lane);
        }
        lane->signer = signer_of_thread();
        return lane;
    }
    UNREACHABLE(); /* the pool has no more threads than there are lanes */
}

void sign_work_return_lane(struct sign_work *work, struct sign_lane *lane)
{
    lane->signer = NULL;
    __atomic_store_n(&work->lanes_taken[lane - work->lanes], false, __ATOMIC_RELEASE);
}

void sign_work_fail(struct sign_work *work, enum sg_result result)
{
    int none = SG_OK;
    __atomic_compare_exchange_n(&work->failure, &none, (int)result, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}

bool sign_work_has_failed(const struct sign_work *work)
{
    return __atomic_load_n(&work->failure, __ATOMIC_RELAXED) != SG_OK;
}

void sign_work_range(struct sign_work *work, size_t range, size_t count, sign_step *step)
{
    struct sign_lane *lane = sign_work_take_lane(work);
    size_t end = (range + 1) * SIGN_RANGE_NAMES;
    for (size_t i = range * SIGN_RANGE_NAMES; i < end && i < count; i++) {
        if (sign_work_has_failed(work)) {
            break;
        }
        enum sg_result result = step(work, lane, i);
        if (result != SG_OK) {
            sign_work_fail(work, result);
            break;
        }
    }
    sign_work_return_lane(work, lane);
}

void sign_item_owner(const struct sign_work *work, const struct sign_item *item,
                     struct dns_name *out_owner)
{
    const uint8_t *relative = work->owners.bytes + item->owner;
    size_t length = *relative++;
    memcpy(out_owner->wire, relative, length);
    memcpy(out_owner->wire + length, work->apex.wire, work->apex.length);
    out_owner->length = (uint8_t)(length + work->apex.length);
    out_owner->labels = work->apex.labels;
    for (size_t at = 0; at < length; at += 1u + relative[at]) {
        out_owner->labels++;
    }
}

struct zone_node sign_item_node(const struct sign_item *item)
{
    return (struct zone_node){.source = item->source, .flags = item->flags};
}

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
    zone_block_ref *bases = mem_alloc_zero(work->lanes_count, sizeof(*bases));
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < work->lanes_count && result == SG_OK; i++) {
        struct zone_pile *pile = work->lanes[i].pile;
        if (pile != NULL) {
            work->lanes[i].pile = NULL;
            result = zone_edit_adopt(edit, pile, &bases[i]);
        }
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

static struct sign_report sum_reports(const struct sign_work *work)
{
    struct sign_report sum = {.expires_first = INT64_MAX};
    for (size_t i = 0; i < work->lanes_count; i++) {
        const struct sign_report *report = &work->lanes[i].report;
        sum.signatures += report->signatures;
        sum.names += report->names;
        if (report->signatures > 0 && report->expires_first < sum.expires_first) {
            sum.expires_first = report->expires_first;
            sum.expires_owner = report->expires_owner;
            sum.expires_type = report->expires_type;
        }
    }
    return sum;
}

static void work_clear(struct sign_work *work)
{
    for (size_t i = 0; i < work->lanes_count; i++) {
        sign_lane_clear(&work->lanes[i]);
    }
    mem_free(work->lanes);
    mem_free(work->lanes_taken);
    mem_free(work->chain);
    mem_free(work->chain_made);
    mem_free(work->items);
    buffer_free(&work->owners);
    mem_free(work->apex_rrsets);
    buffer_free(&work->apex_bytes);
    sign_run_clear(&work->run);
}

enum sg_result sign_zone(struct zone_edit *edit, const struct sign_request *request,
                         struct worker_pool *pool, struct sign_report *out_report)
{
    const struct sign_policy *policy = request->policy;
    zone_edit_clear_generated(edit);
    zone_edit_clear_nsec3(edit);
    const struct zone_version *draft = zone_edit_draft(edit);
    struct sign_work work = {.pool = pool, .apex = *zone_version_apex(draft)};
    work.lanes_count = 1 + (pool != NULL ? worker_pool_threads(pool) : 0);
    work.lanes = mem_alloc_zero(work.lanes_count, sizeof(*work.lanes));
    work.lanes_taken = mem_alloc_zero(work.lanes_count, sizeof(*work.lanes_taken));

    enum sg_result result =
        sign_run_init(&work.run, &work.apex, request->keys, policy, request->now);
    if (result != SG_OK) {
        goto out;
    }
    struct zone_node node;
    if (!zone_version_node(draft, &work.apex, &node)) {
        result = SG_MALFORMED;
        goto out;
    }
    const struct sign_apex parts = {
        .node = &node,
        .ours = request->apex,
        .ours_count = request->apex_count,
        .serial = request->serial,
        .nsec3 = policy->nsec3 ? &policy->nsec3_params : NULL,
    };
    result = sign_apex_make(&parts, &work.apex_bytes, &work.apex_rrsets, &work.apex_count,
                            &work.run.denial_ttl);
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
    *out_report = sum_reports(&work);

out:
    work_clear(&work);
    return result;
}
