#include "dnssec/sign_change.h"

#include "base/mem.h"
#include "dnssec/nsec3_mend.h"
#include "dnssec/sign_work.h"
#include "dnssec/touched.h"
#include "zone/neighbour.h"

struct change {
    struct sign_work work;
    const struct zone_version *base, *draft;
    struct touched
        names; /* NSEC: and those before names that came or went; NSEC3: and those above */
    struct sign_made *made; /* one for each of `names` */
    struct nsec3_mend nsec3;
};

bool sign_change_fits(const struct zone_version *base, const struct sign_policy *policy)
{
    const struct zone_facts *facts = zone_version_facts(base);
    const struct nsec3_params *wanted = &policy->nsec3_params;
    if (!facts->signed_here) {
        return false;
    }
    if (!policy->nsec3) {
        return facts->denial == ZONE_DENIAL_NSEC;
    }
    return facts->denial == ZONE_DENIAL_NSEC3 && facts->opt_out == ((wanted->flags & 1) != 0) &&
           facts->nsec3.algorithm == wanted->algorithm &&
           facts->nsec3.iterations == wanted->iterations &&
           facts->nsec3.salt_length == wanted->salt_length &&
           memcmp(facts->nsec3.salt, wanted->salt, wanted->salt_length) == 0;
}

static bool has_same_nsec3(const struct zone_version *base, const struct zone_version *draft)
{
    struct zone_difference difference;
    struct zone_diff *diff = zone_diff_new(base, draft, true);
    bool same = !zone_diff_next(diff, &difference);
    zone_diff_free(diff);
    return same;
}

static enum sg_result check_chain(const struct change *change)
{
    bool fits = sign_change_fits(change->base, change->work.run.policy) &&
                has_same_nsec3(change->base, change->draft);
    return fits ? SG_OK : SG_CONFLICT;
}

static void owner_of_name(const struct change *change, size_t index, struct dns_name *out_owner)
{
    relative_join(touched_owner(&change->names, &change->names.names[index]), &change->work.apex,
                  out_owner);
}

/* The NSECs before names that came or went: their next is another. */
static enum sg_result add_predecessors(struct change *change)
{
    size_t count = change->names.count;
    enum sg_result result = SG_OK;
    for (size_t i = 1; i < count && result == SG_OK; i++) {
        struct dns_name owner;
        struct zone_node node;
        owner_of_name(change, i, &owner);
        bool was = touched_is_authoritative(change->base, &owner, &node);
        bool is = touched_is_authoritative(change->draft, &owner, &node);
        if (was != is && zone_neighbour_before(change->draft, &owner, &node)) {
            result = touched_add(&change->names, zone_node_owner(&node), false);
        }
    }
    touched_sort(&change->names);
    return result;
}

static enum sg_result list_names(struct change *change, struct zone_edit *edit)
{
    enum sg_result result = touched_collect(&change->names, change->base, change->draft);
    if (result != SG_OK) {
        return result;
    }
    if (!change->work.run.policy->nsec3) {
        return add_predecessors(change);
    }
    change->nsec3 = (struct nsec3_mend){
        .work = &change->work,
        .base = change->base,
        .touched = &change->names,
    };
    result = nsec3_mend_plan(&change->nsec3, edit);
    change->draft = zone_edit_draft(edit);
    return result;
}

static enum sg_result sign_touched(const struct change *change, struct sign_lane *lane,
                                   size_t index)
{
    struct dns_name owner, next_owner;
    struct zone_node node, base, next;
    struct sign_made *made = &change->made[index];
    if (change->work.run.policy->nsec3 && !change->names.names[index].changed) {
        made->ref = SIGN_SAME; /* only its NSEC3 may come or go */
        return SG_OK;
    }
    owner_of_name(change, index, &owner);
    made->lane = (uint32_t)(lane - change->work.lanes);
    if (!touched_is_authoritative(change->draft, &owner, &node)) {
        /* It has gone, or is glue or occluded and has nothing (RFC 4035 2.2, 2.3). */
        bool stays = zone_version_node(change->draft, &owner, &node) && node.generated != NULL;
        made->ref = stays ? 0 : SIGN_SAME;
        return SG_OK;
    }
    struct sign_name name = {.owner = &owner, .node = &node};
    if (zone_version_node(change->base, &owner, &base)) {
        name.base = &base;
    }
    if (index == 0) {
        name.apex = change->work.apex_rrsets;
        name.apex_count = change->work.apex_count;
    }
    if (!change->work.run.policy->nsec3) {
        if (!zone_neighbour_after(change->draft, &owner, &next)) {
            return SG_MALFORMED;
        }
        zone_version_owner(change->draft, &next, &next_owner);
        name.next = &next_owner;
    }
    lane->report.names++;
    enum sg_result result = sign_name(&change->work.run, lane, &name, &made->ref);
    if (result == SG_OK && made->ref == 0 && node.generated == NULL) {
        made->ref = SIGN_SAME;
    }
    return result;
}

static void sign_range(void *argument, size_t index)
{
    struct change *change = argument;
    struct sign_lane *lane = sign_work_take_lane(&change->work);
    size_t end = (index + 1) * SIGN_RANGE_NAMES;
    for (size_t i = index * SIGN_RANGE_NAMES; i < end && i < change->names.count; i++) {
        enum sg_result result =
            sign_work_has_failed(&change->work) ? SG_OK : sign_touched(change, lane, i);
        if (result != SG_OK) {
            sign_work_fail(&change->work, result);
        }
    }
    sign_work_return_lane(&change->work, lane);
}

static enum sg_result place_names(const struct change *change, struct zone_edit *edit,
                                  const zone_block_ref *bases)
{
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < change->names.count && result == SG_OK; i++) {
        const struct sign_made *made = &change->made[i];
        struct dns_name owner;
        if (made->ref != SIGN_SAME) {
            owner_of_name(change, i, &owner);
            result =
                zone_edit_place(edit, &owner, made->ref != 0 ? bases[made->lane] + made->ref : 0);
        }
    }
    return result;
}

static enum sg_result sign_and_place(struct change *change, struct zone_edit *edit)
{
    zone_block_ref *bases;
    change->made = mem_alloc_zero(change->names.count, sizeof(*change->made));
    sign_work_share(&change->work, change->names.count, sign_range, change);
    if (change->work.run.policy->nsec3 && !sign_work_has_failed(&change->work)) {
        nsec3_mend_sign(&change->nsec3);
    }
    if (sign_work_has_failed(&change->work)) {
        return (enum sg_result)change->work.failure;
    }
    enum sg_result result = sign_work_adopt(&change->work, edit, &bases);
    if (result != SG_OK) {
        return result;
    }
    result = place_names(change, edit, bases);
    if (result == SG_OK) {
        result = nsec3_mend_place(&change->nsec3, edit, bases);
    }
    mem_free(bases);
    return result;
}

enum sg_result sign_change(struct zone_edit *edit, const struct zone_version *base,
                           const struct sign_request *request, struct worker_pool *pool,
                           struct sign_report *out_report)
{
    struct change change = {.base = base, .draft = zone_edit_draft(edit)};
    enum sg_result result = sign_work_begin(&change.work, change.draft, request, pool);
    if (result != SG_OK) {
        goto out;
    }
    result = check_chain(&change);
    if (result != SG_OK) {
        goto out;
    }
    result = list_names(&change, edit);
    if (result != SG_OK) {
        goto out;
    }
    result = sign_and_place(&change, edit);
    if (result != SG_OK) {
        goto out;
    }
    *out_report = sign_work_report(&change.work);

out:
    nsec3_mend_clear(&change.nsec3);
    touched_free(&change.names);
    mem_free(change.made);
    sign_work_clear(&change.work);
    return result;
}
