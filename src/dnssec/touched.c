#include "dnssec/touched.h"

#include <stdlib.h>

#include "base/mem.h"

enum { NAMES_FIRST = 16 };

static size_t split_labels(struct span name, uint8_t out_begins[DNS_LABELS_MAX])
{
    size_t labels = 0;
    for (size_t at = 0; at < name.length; at += 1u + name.bytes[at]) {
        out_begins[labels++] = (uint8_t)at;
    }
    return labels;
}

int relative_compare(struct span a, struct span b)
{
    uint8_t begins_a[DNS_LABELS_MAX], begins_b[DNS_LABELS_MAX];
    size_t left_a = split_labels(a, begins_a);
    size_t left_b = split_labels(b, begins_b);
    while (left_a > 0 && left_b > 0) {
        const uint8_t *label_a = a.bytes + begins_a[--left_a];
        const uint8_t *label_b = b.bytes + begins_b[--left_b];
        size_t common = *label_a < *label_b ? *label_a : *label_b;
        int order = memcmp(label_a + 1, label_b + 1, common);
        if (order != 0 || *label_a != *label_b) {
            return order != 0 ? order : *label_a - *label_b;
        }
    }
    return (left_a > 0) - (left_b > 0);
}

bool relative_is_at_or_below(struct span name, struct span ancestor)
{
    size_t at = 0;
    while (name.length - at > ancestor.length) {
        at += 1u + name.bytes[at];
    }
    return name.length - at == ancestor.length &&
           (ancestor.length == 0 || memcmp(name.bytes + at, ancestor.bytes, ancestor.length) == 0);
}

void relative_join(struct span relative, const struct dns_name *apex, struct dns_name *out_name)
{
    ASSERT(relative.length + apex->length <= DNS_NAME_BYTES_MAX);
    if (relative.length > 0) {
        memcpy(out_name->wire, relative.bytes, relative.length);
    }
    memcpy(out_name->wire + relative.length, apex->wire, apex->length);
    out_name->length = (uint8_t)(relative.length + apex->length);
    out_name->labels = apex->labels;
    for (size_t at = 0; at < relative.length; at += 1u + relative.bytes[at]) {
        out_name->labels++;
    }
}

bool touched_is_authoritative(const struct zone_version *version, const struct dns_name *name,
                              struct zone_node *out_node)
{
    struct zone_match match;
    if (zone_version_find(version, name, &match) != SG_OK || match.kind != ZONE_MATCH_NAME) {
        return false;
    }
    *out_node = match.node;
    return true;
}

struct span touched_owner(const struct touched *touched, const struct touched_name *name)
{
    const uint8_t *at = touched->owners.bytes + name->owner;
    return (struct span){at + 1, *at};
}

enum sg_result touched_add(struct touched *touched, struct span owner, bool changed)
{
    if (touched->owners.length > UINT32_MAX || touched->count == UINT32_MAX) {
        return SG_LIMIT;
    }
    if (touched->count == touched->max) {
        touched->max = touched->max == 0 ? NAMES_FIRST : 2 * touched->max;
        touched->names = mem_resize_array(touched->names, touched->max, sizeof(*touched->names));
    }
    touched->names[touched->count++] = (struct touched_name){
        .owner = (uint32_t)touched->owners.length,
        .changed = changed,
    };
    buffer_append_u8(&touched->owners, (uint8_t)owner.length);
    buffer_append(&touched->owners, owner.bytes, owner.length);
    return SG_OK;
}

static int compare_names(const void *a, const void *b, void *argument)
{
    const struct touched *touched = argument;
    return relative_compare(touched_owner(touched, a), touched_owner(touched, b));
}

static bool is_sorted(struct touched *touched)
{
    for (size_t i = 1; i < touched->count; i++) {
        if (compare_names(&touched->names[i - 1], &touched->names[i], touched) >= 0) {
            return false;
        }
    }
    return true;
}

void touched_sort(struct touched *touched)
{
    if (is_sorted(touched)) {
        return;
    }
    qsort_r(touched->names, touched->count, sizeof(*touched->names), compare_names, touched);
    size_t kept = 0;
    for (size_t i = 0; i < touched->count; i++) {
        struct touched_name *name = &touched->names[i];
        if (kept > 0 && compare_names(&touched->names[kept - 1], name, touched) == 0) {
            touched->names[kept - 1].changed = touched->names[kept - 1].changed || name->changed;
        } else {
            touched->names[kept++] = *name;
        }
    }
    touched->count = kept;
}

static bool cuts(const struct zone_node *node)
{
    return node->source != NULL && (node->flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) != 0;
}

/* Is there a delegation or DNAME strictly above the name? */
static bool is_below_cut(const struct zone_version *version, const struct dns_name *name)
{
    struct zone_match match;
    unsigned labels = (unsigned)name->labels - zone_version_apex(version)->labels;
    return zone_version_find(version, name, &match) == SG_OK && match.cut.source != NULL &&
           match.cut_labels < labels;
}

static enum sg_result add_below(struct touched *touched, const struct zone_version *draft,
                                const struct dns_name *name, struct span owner)
{
    struct zone_cursor cursor;
    enum sg_result result = SG_OK;
    zone_cursor_seek(&cursor, draft, name);
    while (result == SG_OK && zone_cursor_next(&cursor)) {
        struct span below = zone_node_owner(&cursor.node);
        if (!relative_is_at_or_below(below, owner)) {
            break;
        }
        result = touched_add(touched, below, true);
    }
    return result;
}

static enum sg_result add_difference(struct touched *touched, const struct zone_version *base,
                                     const struct zone_version *draft,
                                     const struct zone_difference *difference)
{
    enum sg_result result = touched_add(touched, difference->owner, true);
    if (result != SG_OK || cuts(&difference->old) == cuts(&difference->new)) {
        return result;
    }
    /* What is below another cut is that one's affair, if it comes or goes. */
    struct dns_name name;
    relative_join(difference->owner, zone_version_apex(base), &name);
    if (is_below_cut(base, &name) || is_below_cut(draft, &name)) {
        return SG_OK;
    }
    return add_below(touched, draft, &name, difference->owner);
}

enum sg_result touched_collect(struct touched *touched, const struct zone_version *base,
                               const struct zone_version *draft)
{
    struct zone_difference difference;
    struct zone_diff *diff = zone_diff_new(base, draft, false);
    enum sg_result result = touched_add(touched, (struct span){NULL, 0}, true);
    while (result == SG_OK && zone_diff_next(diff, &difference)) {
        result = add_difference(touched, base, draft, &difference);
    }
    zone_diff_free(diff);
    touched_sort(touched);
    return result;
}

/* The one above each: of the names before it, the last that has one label less. */
static void link_ancestors(struct touched *touched)
{
    uint32_t last[DNS_LABELS_MAX + 1] = {0};
    for (size_t i = 0; i < touched->count; i++) {
        uint8_t begins[DNS_LABELS_MAX];
        size_t labels = split_labels(touched_owner(touched, &touched->names[i]), begins);
        touched->names[i].above = labels > 0 ? last[labels - 1] : 0;
        last[labels] = (uint32_t)i;
    }
}

/* Those above a name that are not above the one before it, which has added them. */
static enum sg_result add_above(struct touched *touched, size_t index)
{
    uint8_t wire[DNS_NAME_BYTES_MAX]; /* the buffer moves while it grows */
    struct span owner = touched_owner(touched, &touched->names[index]);
    owner.bytes = memcpy(wire, owner.bytes, owner.length);
    enum sg_result result = SG_OK;
    for (size_t at = 1u + wire[0]; at < owner.length && result == SG_OK; at += 1u + wire[at]) {
        const struct span ancestor = {wire + at, owner.length - at};
        if (relative_is_at_or_below(touched_owner(touched, &touched->names[index - 1]), ancestor)) {
            break;
        }
        result = touched_add(touched, ancestor, false);
    }
    return result;
}

enum sg_result touched_add_ancestors(struct touched *touched)
{
    size_t count = touched->count;
    enum sg_result result = SG_OK;
    for (size_t i = 1; i < count && result == SG_OK; i++) {
        result = add_above(touched, i);
    }
    if (result == SG_OK) {
        touched_sort(touched);
        link_ancestors(touched);
    }
    return result;
}

void touched_free(struct touched *touched)
{
    buffer_free(&touched->owners);
    mem_free(touched->names);
    *touched = TOUCHED_EMPTY;
}
