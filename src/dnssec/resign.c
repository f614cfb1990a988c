#include "dnssec/resign.h"

#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/resign_index.h"
#include "dnssec/rrsig.h"
#include "dnssec/sign_work.h"
#include "dnssec/touched.h"

enum { VISITED_FIRST = 16 };

/* Names of one tree that are to be looked through, in no order, each once. */
struct again_tree {
    struct touched owners;
    struct sign_made *made;
    bool nsec3;
};

/* A range that was visited, and what the base has in it. */
struct visited {
    struct resign_range *range;
    sg_time first;
};

struct again {
    const struct resign_work *job;
    struct sign_work work;
    const struct zone_version *draft;
    struct again_tree trees[2];
    struct visited *visited;
    size_t visited_count, visited_max;
    uint64_t signatures; /* about so many will be made */
    uint64_t looked_at;  /* names and hashes, of a campaign */
    bool apex_due;       /* not its SOA alone */
    bool more;
    struct resign_cursor cursor;
};

/* One tree, for workers. */
struct share {
    struct again *again;
    struct again_tree *tree;
};

static bool is_full(const struct again *again)
{
    return again->signatures > 0 && again->signatures >= again->job->wish.signatures_max;
}

static bool is_slice_over(const struct again *again)
{
    uint64_t names_max = again->job->wish.names_max;
    return is_full(again) || (names_max > 0 && again->looked_at >= names_max);
}

/* The name as the draft has it. */
static bool find_node(const struct zone_version *draft, bool nsec3, struct span owner,
                      struct zone_node *out_node)
{
    if (!nsec3) {
        struct dns_name name;
        relative_join(owner, zone_version_apex(draft), &name);
        return zone_version_node(draft, &name, out_node);
    }
    struct zone_cursor cursor;
    zone_cursor_seek_nsec3(&cursor, draft, owner);
    if (!zone_cursor_next(&cursor) || relative_compare(zone_node_owner(&cursor.node), owner) != 0) {
        return false;
    }
    *out_node = cursor.node;
    return true;
}

/* Signatures that a name of the draft has and that are due. */
static enum sg_result add_due(struct again *again, bool nsec3, const struct zone_node *node)
{
    struct span owner = zone_node_owner(node);
    again->signatures +=
        rrsig_count_before(node, nsec3, again->work.run.now, again->work.run.keep_from);
    if (!nsec3 && owner.length == 0) {
        again->apex_due = true; /* it comes last, with the SOA */
        return SG_OK;
    }
    return touched_add(&again->trees[nsec3].owners, owner, true);
}

static enum sg_result add_signed(struct again *again, bool nsec3, const struct zone_node *node)
{
    bool is_signed = rrsig_first_expiration(node, nsec3, again->work.run.now) != INT64_MAX;
    return is_signed ? add_due(again, nsec3, node) : SG_OK;
}

static void add_visited(struct again *again, struct resign_range *range, sg_time first)
{
    if (again->visited_count == again->visited_max) {
        again->visited_max = again->visited_max == 0 ? VISITED_FIRST : 2 * again->visited_max;
        again->visited =
            mem_resize_array(again->visited, again->visited_max, sizeof(*again->visited));
    }
    again->visited[again->visited_count++] = (struct visited){range, first};
}

/*
 * Walk a range as the base has it: what is learned holds whatever becomes of the edit. Adds what
 * expires from `from` on and before `to`; the range stays in the heap for what expires later.
 */
static enum sg_result visit(struct again *again, struct resign_range *range, sg_time from,
                            sg_time to)
{
    const struct resign_work *job = again->job;
    sg_time now = again->work.run.now;
    sg_time first = INT64_MAX, later = INT64_MAX;
    struct resign_walk walk;
    enum sg_result result = SG_OK;
    resign_walk_start(&walk, job->index, range, job->base);
    while (result == SG_OK && resign_walk_next(&walk)) {
        struct zone_node node;
        sg_time there = rrsig_first_expiration(&walk.cursor.node, range->nsec3, now);
        first = there < first ? there : first;
        if (there < to) {
            there = find_node(again->draft, range->nsec3, zone_node_owner(&walk.cursor.node), &node)
                        ? rrsig_first_expiration(&node, range->nsec3, now)
                        : INT64_MAX;
        }
        later = there >= to && there < later ? there : later;
        if (there < from || there >= to) {
            continue; /* those before `from` were added in an earlier visit */
        }
        again->more = again->more || is_full(again);
        if (!is_full(again)) {
            result = add_due(again, range->nsec3, &node);
        }
    }
    add_visited(again, range, result == SG_OK ? first : range->due.key);
    resign_index_set(job->index, range, later);
    return result;
}

/* What expires from `from` on and before `to`, wherever it is. */
static enum sg_result collect_between(struct again *again, sg_time from, sg_time to)
{
    struct resign_index *index = again->job->index;
    enum sg_result result = SG_OK;
    while (result == SG_OK && !again->more && resign_index_first(index) < to) {
        again->more = is_full(again);
        if (!again->more) {
            result = visit(again, resign_index_most_urgent(index), from, to);
        }
    }
    return result;
}

/*
 * The most urgent range is not all urgent: what expires within the hour comes first wherever it
 * is, then the day's, then the rest. When all goes well there is only the rest.
 */
static enum sg_result collect_due(struct again *again, sg_time before)
{
    static const sg_duration urgencies[] = {SG_HOUR, SG_DAY, INT64_MAX / 2};
    enum sg_result result = SG_OK;
    sg_time from = INT64_MIN;
    for (size_t i = 0; i < ARRAY_LEN(urgencies) && result == SG_OK; i++) {
        sg_time to = again->work.run.now + urgencies[i];
        to = to < before ? to : before;
        result = collect_between(again, from, to);
        from = to;
    }
    /* Each range's last word is its first visit's: what the base has. */
    for (size_t i = again->visited_count; i-- > 0;) {
        resign_index_set(again->job->index, again->visited[i].range, again->visited[i].first);
    }
    return result;
}

static void start_behind(struct zone_cursor *walk, const struct zone_version *draft,
                         const struct resign_cursor *cursor)
{
    struct span owner = {cursor->owner, cursor->length};
    if (cursor->nsec3) {
        zone_cursor_seek_nsec3(walk, draft, owner);
    } else {
        struct dns_name name;
        relative_join(owner, zone_version_apex(draft), &name);
        zone_cursor_seek(walk, draft, &name);
    }
}

static void move_behind(struct resign_cursor *cursor, struct span owner)
{
    cursor->started = true;
    cursor->length = (uint8_t)owner.length;
    if (owner.length > 0) {
        memcpy(cursor->owner, owner.bytes, owner.length);
    }
}

/* A campaign: everything behind the cursor, until there is enough. */
static enum sg_result collect_tree(struct again *again)
{
    struct resign_cursor *cursor = &again->cursor;
    enum sg_result result = SG_OK;
    struct zone_cursor walk;
    if (cursor->length + zone_version_apex(again->draft)->length > DNS_NAME_BYTES_MAX) {
        *cursor =
            (struct resign_cursor){.started = false}; /* no name of this zone: from the start */
    }
    start_behind(&walk, again->draft, cursor);
    while (result == SG_OK && !again->more && zone_cursor_next(&walk)) {
        struct span owner = zone_node_owner(&walk.node);
        struct span last = {cursor->owner, cursor->length};
        if (cursor->started && relative_compare(owner, last) <= 0) {
            continue;
        }
        again->more = is_slice_over(again);
        if (!again->more) {
            again->looked_at++;
            result = add_signed(again, cursor->nsec3, &walk.node);
            move_behind(cursor, owner);
        }
    }
    return result;
}

static bool has_collected(const struct again *again)
{
    return again->apex_due || again->trees[0].owners.count + again->trees[1].owners.count > 0;
}

static enum sg_result collect_all(struct again *again)
{
    sg_time soon = again->work.run.now + SG_DAY;
    sg_time due = again->job->wish.expires_before;
    again->cursor = *again->job->cursor;
    /* Of what is made anew nothing is due at once, however short its life is; or there is no end.
     */
    soon = due < soon ? due : soon;
    if (resign_index_first(again->job->index) < soon) {
        /* What expires before the cursor may come to it has a slice of its own. */
        enum sg_result urgent = collect_due(again, soon);
        if (urgent != SG_OK || has_collected(again)) {
            again->more = true;
            return urgent;
        }
        again->more = false;
    }
    if (!again->cursor.nsec3) {
        enum sg_result result = collect_tree(again);
        if (result != SG_OK || again->more) {
            return result;
        }
        again->cursor = (struct resign_cursor){.started = true, .nsec3 = true};
    }
    return collect_tree(again);
}

static enum sg_result sign_one(const struct again *again, struct sign_lane *lane,
                               struct again_tree *tree, size_t index)
{
    struct sign_made *made = &tree->made[index];
    struct span owner = touched_owner(&tree->owners, &tree->owners.names[index]);
    struct sign_run run = again->work.run;
    struct dns_name name;
    struct zone_node node;
    made->lane = (uint32_t)(lane - again->work.lanes);
    made->ref = SIGN_SAME;
    if (!find_node(again->draft, tree->nsec3, owner, &node)) {
        return SG_OK;
    }
    if (!tree->nsec3 && owner.length == 0 && !again->apex_due) {
        run.keep_from = run.now + 1; /* its SOA alone */
    }
    lane->report.names++;
    relative_join(owner, &again->work.apex, &name);
    return sign_again(&run, lane, &name, &node, tree->nsec3, &made->ref);
}

static void sign_range(void *argument, size_t index)
{
    struct share *share = argument;
    struct sign_work *work = &share->again->work;
    struct sign_lane *lane = sign_work_take_lane(work);
    size_t end = (index + 1) * SIGN_RANGE_NAMES;
    for (size_t i = index * SIGN_RANGE_NAMES; i < end && i < share->tree->owners.count; i++) {
        enum sg_result result =
            sign_work_has_failed(work) ? SG_OK : sign_one(share->again, lane, share->tree, i);
        if (result != SG_OK) {
            sign_work_fail(work, result);
        }
    }
    sign_work_return_lane(work, lane);
}

static enum sg_result place(const struct again *again, const struct again_tree *tree,
                            const zone_block_ref *bases)
{
    struct zone_edit *edit = again->job->edit;
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < tree->owners.count && result == SG_OK; i++) {
        const struct sign_made *made = &tree->made[i];
        struct dns_name name;
        if (made->ref == SIGN_SAME) {
            continue;
        }
        zone_block_ref block = made->ref != 0 ? bases[made->lane] + made->ref : 0;
        if (tree->nsec3) {
            result = zone_edit_place_nsec3(edit, block);
        } else {
            relative_join(touched_owner(&tree->owners, &tree->owners.names[i]), &again->work.apex,
                          &name);
            result = zone_edit_place(edit, &name, block);
        }
    }
    return result;
}

static enum sg_result sign_all(struct again *again)
{
    for (int nsec3 = 0; nsec3 < 2; nsec3++) {
        struct again_tree *tree = &again->trees[nsec3];
        struct share share = {again, tree};
        tree->made = mem_alloc_zero(tree->owners.count, sizeof(*tree->made));
        sign_work_share(&again->work, tree->owners.count, sign_range, &share);
    }
    if (sign_work_has_failed(&again->work)) {
        return (enum sg_result)again->work.failure;
    }
    zone_block_ref *bases;
    enum sg_result result = sign_work_adopt(&again->work, again->job->edit, &bases);
    if (result != SG_OK) {
        return result;
    }
    for (int nsec3 = 0; nsec3 < 2 && result == SG_OK; nsec3++) {
        result = place(again, &again->trees[nsec3], bases);
    }
    mem_free(bases);
    return result;
}

/* What was signed in these ranges is known when the change is noted. */
static void mark_ranges(const struct again *again)
{
    for (int nsec3 = 0; nsec3 < 2; nsec3++) {
        const struct touched *owners = &again->trees[nsec3].owners;
        struct resign_index *index = again->job->index;
        for (size_t i = 0; i < owners->count; i++) {
            struct span owner = touched_owner(owners, &owners->names[i]);
            resign_index_mark(index, resign_index_range(index, nsec3 == 1, owner));
        }
    }
}

static enum sg_result sign_collected(struct again *again)
{
    const struct resign_work *job = again->job;
    if (!has_collected(again)) {
        return SG_OK;
    }
    enum sg_result result = touched_add(&again->trees[0].owners, (struct span){NULL, 0}, true);
    if (result == SG_OK) {
        result = zone_edit_set_serial(job->edit, ZONE_GENERATED, job->request->serial);
    }
    if (result != SG_OK) {
        return result;
    }
    again->draft = zone_edit_draft(job->edit);
    result = sign_all(again);
    if (result == SG_OK) {
        mark_ranges(again);
    }
    return result;
}

enum sg_result resign(const struct resign_work *job, struct sign_report *out_report, bool *out_more)
{
    struct again again = {.job = job, .draft = zone_edit_draft(job->edit)};
    again.trees[1].nsec3 = true;
    enum sg_result result = sign_work_begin(&again.work, again.draft, job->request, job->pool);
    if (result != SG_OK) {
        goto out;
    }
    job->index->now = job->request->now;
    again.work.run.keep_from = job->wish.all ? INT64_MAX : job->wish.expires_before;
    result = job->wish.all ? collect_all(&again) : collect_due(&again, job->wish.expires_before);
    if (result != SG_OK) {
        goto out;
    }
    result = sign_collected(&again);
    if (result != SG_OK) {
        goto out;
    }
    if (job->wish.all) {
        *job->cursor = again.cursor;
    }
    *out_report = sign_work_report(&again.work);
    *out_more = again.more;

out:
    for (int nsec3 = 0; nsec3 < 2; nsec3++) {
        touched_free(&again.trees[nsec3].owners);
        mem_free(again.trees[nsec3].made);
    }
    mem_free(again.visited);
    sign_work_clear(&again.work);
    return result;
}
