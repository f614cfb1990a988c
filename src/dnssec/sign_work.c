#include "dnssec/sign_work.h"

#include "base/mem.h"
#include "dnssec/sign_apex.h"

enum sg_result sign_work_begin(struct sign_work *work, const struct zone_version *draft,
                               const struct sign_request *request, struct worker_pool *pool)
{
    const struct sign_policy *policy = request->policy;
    *work = (struct sign_work){.pool = pool,
                               .apex = *zone_version_apex(draft),
                               .cancelled = request->cancelled,
                               .progress = request->progress};
    work->lanes_count = 1 + (pool != NULL ? worker_pool_threads(pool) : 0);
    work->lanes = mem_alloc_zero(work->lanes_count, sizeof(*work->lanes));
    work->lanes_taken = mem_alloc_zero(work->lanes_count, sizeof(*work->lanes_taken));

    enum sg_result result =
        sign_run_init(&work->run, &work->apex, request->keys, policy, request->now);
    if (result != SG_OK) {
        return result;
    }
    struct zone_node node;
    if (!zone_version_node(draft, &work->apex, &node)) {
        return SG_MALFORMED;
    }
    const struct sign_apex parts = {
        .node = &node,
        .ours = request->apex,
        .ours_count = request->apex_count,
        .serial = request->serial,
        .nsec3 = policy->nsec3 ? &policy->nsec3_params : NULL,
    };
    return sign_apex_make(&parts, &work->apex_bytes, &work->apex_rrsets, &work->apex_count,
                          &work->run.denial_ttl);
}

void sign_work_share(const struct sign_work *work, size_t count,
                     void (*step)(void *argument, size_t index), void *argument)
{
    size_t ranges = (count + SIGN_RANGE_NAMES - 1) / SIGN_RANGE_NAMES;
    worker_pool_share(ranges > 1 ? work->pool : NULL, ranges, step, argument);
}

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

bool sign_work_has_failed(struct sign_work *work)
{
    if (work->cancelled != NULL && __atomic_load_n(work->cancelled, __ATOMIC_RELAXED)) {
        sign_work_fail(work, SG_CANCELLED);
    }
    return __atomic_load_n(&work->failure, __ATOMIC_RELAXED) != SG_OK;
}

void sign_work_range(struct sign_work *work, size_t range, size_t count, sign_step *step)
{
    struct sign_lane *lane = sign_work_take_lane(work);
    size_t begin = range * SIGN_RANGE_NAMES;
    size_t end = begin + SIGN_RANGE_NAMES < count ? begin + SIGN_RANGE_NAMES : count;
    for (size_t i = begin; i < end; i++) {
        if (sign_work_has_failed(work)) {
            break;
        }
        enum sg_result result = step(work, lane, i);
        if (result != SG_OK) {
            sign_work_fail(work, result);
            break;
        }
    }
    if (work->progress != NULL) {
        __atomic_fetch_add(&work->progress->done, end - begin, __ATOMIC_RELAXED);
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

enum sg_result sign_work_adopt(struct sign_work *work, struct zone_edit *edit,
                               zone_block_ref **out_bases)
{
    zone_block_ref *bases = mem_alloc_zero(work->lanes_count, sizeof(*bases));
    for (size_t i = 0; i < work->lanes_count; i++) {
        struct zone_pile *pile = work->lanes[i].pile;
        if (pile == NULL) {
            continue;
        }
        work->lanes[i].pile = NULL;
        enum sg_result result = zone_edit_adopt(edit, pile, &bases[i]);
        if (result != SG_OK) {
            mem_free(bases);
            return result;
        }
    }
    *out_bases = bases;
    return SG_OK;
}

struct sign_report sign_work_report(const struct sign_work *work)
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

void sign_work_clear(struct sign_work *work)
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
