#include "conf/acl_list.h"

#include <stdlib.h>

#include "base/mem.h"

/* A prefix of a run, with its place in the order of the file. */
struct covered {
    struct acl_address first, last;
    uint32_t order;
    bool negated;
};

struct acl_element acl_element_of_bytes(bool ipv6, const uint8_t *bytes, unsigned prefix_length)
{
    struct acl_element element;

    memset(&element, 0, sizeof(element)); /* Lists are interned by their bytes. */
    element.kind = ipv6 ? ACL_PREFIX6 : ACL_PREFIX4;
    element.prefix_length = (uint8_t)prefix_length;
    if (ipv6) {
        element.prefix.high = (uint64_t)wire_get_u32(bytes) << 32 | wire_get_u32(bytes + 4);
        element.prefix.low = (uint64_t)wire_get_u32(bytes + 8) << 32 | wire_get_u32(bytes + 12);
    } else {
        element.prefix.low = wire_get_u32(bytes);
    }
    return element;
}

void acl_element_bytes(const struct acl_element *element, uint8_t out_bytes[16])
{
    if (element->kind == ACL_PREFIX4) {
        wire_put_u32(out_bytes, (uint32_t)element->prefix.low);
        return;
    }
    wire_put_u32(out_bytes, (uint32_t)(element->prefix.high >> 32));
    wire_put_u32(out_bytes + 4, (uint32_t)element->prefix.high);
    wire_put_u32(out_bytes + 8, (uint32_t)(element->prefix.low >> 32));
    wire_put_u32(out_bytes + 12, (uint32_t)element->prefix.low);
}

static int compare_addresses(struct acl_address a, struct acl_address b)
{
    if (a.high != b.high) {
        return a.high < b.high ? -1 : 1;
    }
    return a.low == b.low ? 0 : a.low < b.low ? -1 : 1;
}

/* By first address, the wider prefix first, then the order of the file. */
static int compare_covered(const void *left, const void *right)
{
    const struct covered *a = left, *b = right;

    int order = compare_addresses(a->first, b->first);
    if (order == 0) {
        order = compare_addresses(b->last, a->last);
    }
    return order != 0 ? order : a->order < b->order ? -1 : 1;
}

static struct covered covered_by(const struct acl_element *element, uint32_t order)
{
    struct covered covered = {element->prefix, element->prefix, order, element->negated};
    unsigned free_bits = (element->kind == ACL_PREFIX4 ? 32u : 128u) - element->prefix_length;

    if (free_bits >= 64) {
        covered.last.low = UINT64_MAX;
        covered.last.high |= free_bits == 128 ? UINT64_MAX : ((uint64_t)1 << (free_bits - 64)) - 1;
    } else {
        covered.last.low |= ((uint64_t)1 << free_bits) - 1;
    }
    return covered;
}

/* The address behind; false when there is none. */
static bool next_address(struct acl_address *address, bool ipv6)
{
    if (!ipv6) {
        return ++address->low <= UINT32_MAX;
    }
    return ++address->low != 0 || ++address->high != 0;
}

struct sweep {
    struct acl_range *ranges;
    size_t count;
};

static void begin_range(struct sweep *sweep, struct acl_address first, enum acl_verdict verdict)
{
    if (sweep->count > 0 && compare_addresses(sweep->ranges[sweep->count - 1].first, first) == 0) {
        sweep->ranges[sweep->count - 1].verdict = verdict; /* Nothing lay in between. */
    } else {
        sweep->ranges[sweep->count++] = (struct acl_range){first, verdict};
    }
}

/* From the address behind a prefix that ends at `last`, `behind` decides. */
static void end_range(struct sweep *sweep, struct acl_address last, bool ipv6,
                      enum acl_verdict behind)
{
    if (next_address(&last, ipv6)) {
        begin_range(sweep, last, behind);
    }
}

/*
 * Prefixes lie beside each other or one inside the other, so a stack of those that are open is
 * enough: a range begins where one begins and where one ends. On the stack each entry has the
 * smallest `order` of itself and those around it: the element that decides.
 */
static void make_ranges(struct covered *covered, size_t count, bool ipv6, struct sweep *sweep)
{
    const struct covered *open[130];
    struct covered deciding[130];
    size_t depth = 0;

    qsort(covered, count, sizeof(*covered), compare_covered);
    for (size_t i = 0; i <= count; i++) {
        while (depth > 0 &&
               (i == count || compare_addresses(open[depth - 1]->last, covered[i].first) < 0)) {
            depth--;
            enum acl_verdict behind = depth == 0                    ? ACL_NO_MATCH
                                      : deciding[depth - 1].negated ? ACL_NO
                                                                    : ACL_YES;
            end_range(sweep, open[depth]->last, ipv6, behind);
        }
        if (i == count) {
            break;
        }
        bool repeated = depth > 0 &&
                        compare_addresses(open[depth - 1]->first, covered[i].first) == 0 &&
                        compare_addresses(open[depth - 1]->last, covered[i].last) == 0;
        if (repeated) {
            continue; /* The earlier one decides. */
        }
        ASSERT(depth < ARRAY_LEN(open)); /* A prefix of each length at most. */
        open[depth] = &covered[i];
        deciding[depth] = depth > 0 && deciding[depth - 1].order < covered[i].order
                              ? deciding[depth - 1]
                              : covered[i];
        begin_range(sweep, covered[i].first, deciding[depth].negated ? ACL_NO : ACL_YES);
        depth++;
    }
}

static const struct acl_range *ranges_of(struct conf_memory *memory,
                                         const struct acl_element *elements, size_t count,
                                         enum acl_element_kind kind, uint32_t *out_count)
{
    struct covered *covered = mem_alloc_zero(count, sizeof(*covered));
    struct sweep sweep = {mem_alloc_zero(2 * count, sizeof(*sweep.ranges)), 0};
    size_t covered_count = 0;

    for (size_t i = 0; i < count; i++) {
        if (elements[i].kind == kind) {
            covered[covered_count++] = covered_by(&elements[i], (uint32_t)i);
        }
    }
    make_ranges(covered, covered_count, kind == ACL_PREFIX6, &sweep);
    const struct acl_range *ranges =
        conf_memory_copy(memory, sweep.ranges, sweep.count * sizeof(*sweep.ranges));
    *out_count = (uint32_t)sweep.count;
    mem_free(sweep.ranges);
    mem_free(covered);
    return ranges;
}

static size_t run_length(const struct acl_element *elements, size_t count)
{
    size_t length = 0;

    while (length < count && elements[length].kind <= ACL_PREFIX6) {
        length++;
    }
    return length;
}

static void make_runs(struct conf_memory *memory, struct conf_acl *acl)
{
    size_t runs_max = acl->count / ACL_RUN_ELEMENTS_MIN;
    struct acl_run *runs = conf_memory_take_zero(memory, runs_max + 1, sizeof(*runs));
    const struct acl_element *elements = acl->elements;

    for (size_t i = 0; i < acl->count;) {
        size_t length = run_length(elements + i, acl->count - i);
        if (length >= ACL_RUN_ELEMENTS_MIN) {
            struct acl_run *run = &runs[acl->runs_count++];
            run->first = (uint32_t)i;
            run->elements = (uint32_t)length;
            run->ranges4 =
                ranges_of(memory, elements + i, length, ACL_PREFIX4, &run->ranges4_count);
            run->ranges6 =
                ranges_of(memory, elements + i, length, ACL_PREFIX6, &run->ranges6_count);
        }
        i += length > 0 ? length : 1;
    }
    acl->runs = runs;
}

static void describe(struct conf_acl *acl)
{
    const struct acl_element *first = acl->elements;

    acl->none = acl->count == 0 || (first->kind == ACL_ANY && first->negated);
    acl->any = acl->count > 0 && first->kind == ACL_ANY && !first->negated;
    for (size_t i = 0; i < acl->count; i++) {
        const struct acl_element *element = &acl->elements[i];
        acl->has_negated |= element->negated;
        acl->has_keys |= element->kind == ACL_KEY;
        if (element->kind == ACL_LIST) {
            acl->has_keys |= element->list->has_keys;
            acl->depth = element->list->depth >= acl->depth ? (uint8_t)(element->list->depth + 1)
                                                            : acl->depth;
        }
    }
}

const struct conf_acl *acl_list_new(struct conf_memory *memory, const struct acl_element *elements,
                                    size_t count, const char *name)
{
    struct identity {
        const struct acl_element *elements;
        const char *name;
        size_t count;
    } identity = {elements, name, count};

    static const struct acl_element nothing[1];
    ASSERT(count <= ACL_ELEMENTS_MAX);
    identity.elements = nothing;
    if (count > 0) {
        identity.elements = conf_memory_intern_bytes(memory, elements, count * sizeof(*elements));
    }
    struct conf_acl *acl = conf_memory_recall(memory, &identity, sizeof(identity));
    if (acl == NULL) {
        acl = conf_memory_take_zero(memory, 1, sizeof(*acl));
        acl->name = name;
        acl->elements = identity.elements;
        acl->count = (uint32_t)count;
        describe(acl);
        make_runs(memory, acl);
        conf_memory_remember(memory, &identity, sizeof(identity), acl);
    }
    return acl;
}
