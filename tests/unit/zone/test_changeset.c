#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_edits.h"
#include "zone/changeset.h"
#include "zone/owner.h"

enum { ROUNDS = 60, STEPS = 30, RECORDS_MAX = 60000 };

static const struct arena_sizes small_sizes = {64, 1024, 4096};
static struct edits edits;

static const struct zone_version *seal(struct zone_edit *edit)
{
    const struct zone_version *version;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static struct zone_edit *begin(const char *apex, uint64_t seed)
{
    edits_init(&edits, apex, seed);
    struct zone_edit *edit = draft_new(&edits.apex, DNS_CLASS_IN, &small_sizes);
    edits_put_soa(&edits, edit, 1, ZONE_SOURCE);
    return edit;
}

static void change(struct zone_edit *edit, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        edits_change_something(&edits, edit);
    }
}

static struct buffer make(const struct zone_version *old, const struct zone_version *new)
{
    struct buffer bytes = BUFFER_EMPTY;
    assert_int_equal(zone_changeset_make(old, new, &bytes), SG_OK);
    return bytes;
}

static const struct zone_version *applied(const struct zone_version *old,
                                          const struct buffer *changeset)
{
    struct zone_edit *edit = zone_edit_open(old);
    assert_int_equal(zone_changeset_apply(edit, buffer_span(changeset), false), SG_OK);
    return seal(edit);
}

/* --- what is public, held against the whole signed view ------------------------------------- */

struct record {
    const struct dns_name *owner;
    uint16_t type;
    uint32_t ttl;
    struct span rdata;
};

static int compare_records(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    int order = dns_name_compare(a->owner, b->owner);
    order = order != 0 ? order : (int)a->type - (int)b->type;
    order = order != 0 ? order : (a->ttl > b->ttl) - (a->ttl < b->ttl);
    size_t shorter = a->rdata.length < b->rdata.length ? a->rdata.length : b->rdata.length;
    order = order != 0 ? order : memcmp(a->rdata.bytes, b->rdata.bytes, shorter);
    return order != 0 ? order : (int)a->rdata.length - (int)b->rdata.length;
}

struct records {
    struct record *records;
    size_t count;
    struct edits_walk walks[2];
};

static void add_records(struct records *all, const struct dns_name *owner,
                        const struct dns_rrset *rrset)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        assert_true(all->count < RECORDS_MAX);
        all->records[all->count++] = (struct record){owner, rrset->type, rrset->ttl, c.rdata};
    }
}

/* Every record of the signed view, sorted. */
static struct records view_of(const struct zone_version *version)
{
    struct records all = {mem_alloc_zero(RECORDS_MAX, sizeof(struct record)), 0, {{0}, {0}}};
    for (unsigned nsec3 = 0; nsec3 < 2; nsec3++) {
        all.walks[nsec3] = edits_walk(version, nsec3 != 0);
        for (size_t i = 0; i < all.walks[nsec3].count; i++) {
            const struct edits_named *named = &all.walks[nsec3].names[i];
            struct zone_rrset_walk walk = zone_node_walk(&named->node, ZONE_VIEW_SIGNED);
            while (zone_node_walk_next(&walk)) {
                add_records(&all, &named->owner, &walk.rrset);
            }
        }
    }
    qsort(all.records, all.count, sizeof(*all.records), compare_records);
    assert_int_equal(all.count, zone_version_facts(version)->records);
    return all;
}

static void records_free(struct records *all)
{
    mem_free(all->records);
    mem_free(all->walks[0].names);
    mem_free(all->walks[1].names);
}

static struct dns_name absolute(struct span owner)
{
    struct dns_name name = edits.apex;
    memmove(name.wire + owner.length, name.wire, name.length);
    memcpy(name.wire, owner.length > 0 ? owner.bytes : name.wire, owner.length);
    name.length = (uint8_t)(name.length + owner.length);
    name.labels = (uint8_t)(name.labels + owner_labels(owner));
    return name;
}

/* The public entries are the records of one view that the other does not have. */
static void check_public(const struct zone_version *old, const struct zone_version *new,
                         const struct buffer *bytes)
{
    static struct dns_name owners[RECORDS_MAX];
    struct records lost = view_of(old), gained = view_of(new);
    struct records sums[2] = {{mem_alloc_zero(RECORDS_MAX, sizeof(struct record)), 0, {{0}, {0}}},
                              {mem_alloc_zero(RECORDS_MAX, sizeof(struct record)), 0, {{0}, {0}}}};
    size_t entries = 0;
    struct zone_changeset_walk walk = zone_changeset_walk(buffer_span(bytes));
    for (; zone_changeset_next(&walk); entries++) {
        if ((walk.change.flags & ZONE_CHANGE_PUBLIC) != 0) {
            owners[entries] = absolute(walk.change.owner);
            add_records(&sums[0], &owners[entries], &walk.change.deleted);
            add_records(&sums[1], &owners[entries], &walk.change.added);
        }
    }
    assert_false(walk.failed);
    struct zone_changeset_header header;
    assert_int_equal(zone_changeset_header(buffer_span(bytes), &header), SG_OK);
    assert_int_equal(header.entries, entries);
    assert_int_equal(header.deleted, sums[0].count);
    assert_int_equal(header.added, sums[1].count);
    assert_int_equal(header.serial_from, zone_version_facts(old)->serial);
    assert_int_equal(header.serial_to, zone_version_facts(new)->serial);
    assert_int_equal(header.source_serial_from, zone_version_facts(old)->source_serial);
    assert_int_equal(header.source_serial_to, zone_version_facts(new)->source_serial);
    for (unsigned i = 0; i < 2; i++) {
        qsort(sums[i].records, sums[i].count, sizeof(struct record), compare_records);
    }
    size_t next[2] = {0, 0};
    for (size_t i = 0, j = 0; i < lost.count || j < gained.count;) {
        int order = i == lost.count     ? 1
                    : j == gained.count ? -1
                                        : compare_records(&lost.records[i], &gained.records[j]);
        if (order != 0) {
            unsigned which = order > 0;
            assert_true(next[which] < sums[which].count);
            assert_int_equal(compare_records(which == 0 ? &lost.records[i] : &gained.records[j],
                                             &sums[which].records[next[which]]),
                             0);
            next[which]++;
        }
        i += order <= 0;
        j += order >= 0;
    }
    assert_int_equal(next[0], sums[0].count);
    assert_int_equal(next[1], sums[1].count);
    records_free(&lost);
    records_free(&gained);
    mem_free(sums[0].records);
    mem_free(sums[1].records);
}

static void run(const char *apex, uint64_t seed)
{
    struct zone_edit *edit = begin(apex, seed);
    change(edit, 200);
    const struct zone_version *newest = seal(edit);
    /* A zone of its own that gets every change as a changeset. */
    edit = draft_new(&edits.apex, DNS_CLASS_IN, &small_sizes);
    struct buffer bytes = make(NULL, newest);
    assert_int_equal(zone_changeset_apply(edit, buffer_span(&bytes), false), SG_OK);
    const struct zone_version *copy = seal(edit);
    edits_check_same(newest, copy, false);
    for (unsigned round = 0; round < ROUNDS; round++) {
        buffer_clear(&bytes);
        edit = zone_edit_open(newest);
        change(edit, edits_below(&edits, STEPS));
        const struct zone_version *next = seal(edit);
        assert_int_equal(zone_changeset_make(newest, next, &bytes), SG_OK);
        check_public(newest, next, &bytes);
        const struct zone_version *next_copy = applied(copy, &bytes);
        edits_check_same(next, next_copy, false);

        /* And back, so that what was added goes and what went is added. */
        struct buffer back = make(next, newest);
        const struct zone_version *before = applied(next_copy, &back);
        edits_check_same(newest, before, false);
        buffer_free(&back);
        zone_version_unref(before);
        zone_version_unref(newest);
        zone_version_unref(copy);
        newest = next;
        copy = next_copy;
    }
    buffer_free(&bytes);
    zone_version_unref(newest);
    zone_version_unref(copy);
    epoch_barrier();
}

static void applied_to_the_old_version_it_gives_the_new_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run("example.", seed);
        run(".", seed + 100);
    }
}

static void between_lineages_too(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct zone_edit *edit = begin("example.", seed);
        change(edit, 150);
        const struct zone_version *old = seal(edit);
        edit = begin("example.", seed);
        change(edit, 170);
        const struct zone_version *new = seal(edit);
        struct buffer bytes = make(old, new);
        check_public(old, new, &bytes);
        const struct zone_version *got = applied(old, &bytes);
        edits_check_same(new, got, false);
        buffer_free(&bytes);
        zone_version_unref(got);
        zone_version_unref(old);
        zone_version_unref(new);
        epoch_barrier();
    }
}

/* --- single cases --------------------------------------------------------------------------- */

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static void put(struct zone_edit *edit, const char *owner, enum zone_layer layer, uint16_t type,
                unsigned set, uint32_t ttl)
{
    struct edits_rrset buffer;
    struct dns_name name = name_of(owner);
    edits_put(edit, &name, layer, edits_set(type, 0, set, ttl, &buffer));
}

static struct zone_change next_of(struct zone_changeset_walk *walk)
{
    assert_true(zone_changeset_next(walk));
    return walk->change;
}

static void what_stays_is_not_told(void **state)
{
    (void)state;
    struct zone_edit *edit = begin("example.", 1);
    put(edit, "a.example.", ZONE_SOURCE, DNS_TYPE_A, 0x0f, 300);
    put(edit, "b.example.", ZONE_SOURCE, DNS_TYPE_A, 0x0f, 300);
    const struct zone_version *old = seal(edit);
    edit = zone_edit_open(old);
    put(edit, "a.example.", ZONE_SOURCE, DNS_TYPE_A, 0x1e, 300);
    put(edit, "b.example.", ZONE_SOURCE, DNS_TYPE_A, 0x1f, 301);
    const struct zone_version *new = seal(edit);
    struct buffer bytes = make(old, new);
    struct zone_changeset_walk walk = zone_changeset_walk(buffer_span(&bytes));
    struct zone_change change = next_of(&walk);
    assert_int_equal(change.flags, ZONE_CHANGE_PUBLIC | ZONE_CHANGE_APPLY);
    assert_int_equal(change.deleted.count, 1);
    assert_int_equal(change.added.count, 1);
    assert_int_equal(dns_rrset_first(&change.added).bytes[3], 4);
    change = next_of(&walk); /* RFC 1995 3: a new TTL deletes and adds every record */
    assert_int_equal(change.deleted.count, 4);
    assert_int_equal(change.deleted.ttl, 300);
    assert_int_equal(change.added.count, 5);
    assert_int_equal(change.added.ttl, 301);
    assert_false(zone_changeset_next(&walk));
    assert_false(walk.failed);
    buffer_free(&bytes);
    zone_version_unref(old);
    zone_version_unref(new);
    epoch_barrier();
}

/* A foreign DNSKEY beside ours: secondaries see one RRset, the zone keeps two. */
static void a_mixture_at_the_apex_parts_what_is_seen_from_what_is_kept(void **state)
{
    (void)state;
    struct zone_edit *edit = begin("example.", 1);
    put(edit, "example.", ZONE_SOURCE, DNS_TYPE_DNSKEY, 0x01, 300);
    const struct zone_version *old = seal(edit);
    edit = zone_edit_open(old);
    put(edit, "example.", ZONE_GENERATED, DNS_TYPE_DNSKEY, 0x03, 300); /* ours comes */
    edits_put_soa(&edits, edit, 9, ZONE_GENERATED);
    const struct zone_version *new = seal(edit);
    struct buffer bytes = make(old, new);
    struct zone_changeset_walk walk = zone_changeset_walk(buffer_span(&bytes));

    struct zone_change change = next_of(&walk); /* the SOA as it will be served */
    assert_int_equal(change.flags, ZONE_CHANGE_APPLY | ZONE_CHANGE_GENERATED);
    assert_int_equal(change.deleted.count, 0);
    change = next_of(&walk);
    assert_int_equal(change.flags, ZONE_CHANGE_PUBLIC);
    assert_int_equal(change.deleted.count, 1);
    assert_int_equal(change.added.count, 1);
    change = next_of(&walk);
    assert_int_equal(change.flags, ZONE_CHANGE_APPLY | ZONE_CHANGE_GENERATED);
    assert_int_equal(change.added.count, 2);
    change = next_of(&walk);
    assert_int_equal(change.flags, ZONE_CHANGE_PUBLIC);
    assert_int_equal(change.deleted.count, 0);
    assert_int_equal(change.added.count, 1);
    assert_int_equal(dns_rrset_first(&change.added).bytes[4], 1);
    assert_false(zone_changeset_next(&walk));
    buffer_free(&bytes);

    /* The source's key changes under ours, and is not seen. */
    edit = zone_edit_open(new);
    put(edit, "example.", ZONE_SOURCE, DNS_TYPE_DNSKEY, 0x04, 300);
    const struct zone_version *third = seal(edit);
    bytes = make(new, third);
    walk = zone_changeset_walk(buffer_span(&bytes));
    change = next_of(&walk);
    assert_int_equal(change.flags, ZONE_CHANGE_APPLY);
    assert_false(zone_changeset_next(&walk));
    buffer_free(&bytes);
    zone_version_unref(old);
    zone_version_unref(new);
    zone_version_unref(third);
    epoch_barrier();
}

static void what_does_not_fit_is_a_conflict(void **state)
{
    (void)state;
    struct zone_edit *edit = begin("example.", 1);
    put(edit, "a.example.", ZONE_SOURCE, DNS_TYPE_A, 0x03, 300);
    put(edit, "a.example.", ZONE_GENERATED, DNS_TYPE_NSEC, 0x01, 300);
    const struct zone_version *old = seal(edit);
    edit = zone_edit_open(old);
    put(edit, "a.example.", ZONE_SOURCE, DNS_TYPE_A, 0x06, 300);
    put(edit, "a.example.", ZONE_GENERATED, DNS_TYPE_NSEC, 0x02, 300);
    edits_put_soa(&edits, edit, 2, ZONE_SOURCE);
    const struct zone_version *new = seal(edit);
    struct buffer bytes = make(old, new);
    zone_version_unref(new); /* Its commit failed: the next edits begin at `old` again. */

    static const struct {
        unsigned set;
        uint32_t ttl;
    } cases[] = {
        {0x00, 300}, /* nothing there */
        {0x02, 300}, /* what is to be deleted is gone */
        {0x07, 300}, /* what is to be added is there */
        {0x03, 301}, /* another TTL */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        edit = zone_edit_open(old);
        put(edit, "a.example.", ZONE_SOURCE, DNS_TYPE_A, cases[i].set, cases[i].ttl);
        assert_int_equal(zone_changeset_apply(edit, buffer_span(&bytes), false), SG_CONFLICT);
        zone_edit_abandon(edit);

        /* The source layer alone goes as far as it can, and leaves SOA and NSEC alone. */
        edit = zone_edit_open(old);
        put(edit, "a.example.", ZONE_SOURCE, DNS_TYPE_A, cases[i].set, cases[i].ttl);
        assert_int_equal(zone_changeset_apply(edit, buffer_span(&bytes), true), SG_OK);
        const struct zone_version *got = seal(edit);
        struct dns_name name = name_of("a.example.");
        struct zone_node node;
        struct dns_rrset rrset;
        assert_true(zone_version_node(got, &name, &node));
        assert_true(zone_node_rrset(&node, ZONE_VIEW_UNSIGNED, DNS_TYPE_A, &rrset));
        unsigned got_set = 0;
        for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
            got_set |= 1U << c.rdata.bytes[3];
        }
        assert_int_equal(got_set, (cases[i].set & ~0x01U) | 0x04);
        assert_int_equal(zone_version_facts(got)->serial, 1);
        if (cases[i].set != 0) {
            assert_true(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &rrset));
            assert_int_equal(dns_rrset_first(&rrset).bytes[3], 1);
        }
        zone_version_unref(got);
    }
    buffer_free(&bytes);
    zone_version_unref(old);
    epoch_barrier();
}

/* Cut anywhere, or one bit turned: told, or applied as something, but never worse. */
static void broken_bytes_are_malformed(void **state)
{
    (void)state;
    struct zone_edit *edit = begin("example.", 5);
    change(edit, 60);
    const struct zone_version *old = seal(edit);
    edit = zone_edit_open(old);
    change(edit, 20);
    const struct zone_version *new = seal(edit);
    struct buffer bytes = make(old, new);
    zone_version_unref(new);
    for (size_t length = 0; length < bytes.length; length++) {
        uint8_t *cut = mem_copy(bytes.bytes, length);
        edit = zone_edit_open(old);
        assert_int_equal(zone_changeset_apply(edit, (struct span){cut, length}, false),
                         SG_MALFORMED);
        zone_edit_abandon(edit);
        mem_free(cut);
    }
    for (size_t bit = 0; bit < bytes.length * 8; bit += 1 + edits_below(&edits, 7)) {
        bytes.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        edit = zone_edit_open(old);
        enum sg_result result = zone_changeset_apply(edit, buffer_span(&bytes), false);
        assert_true(result == SG_OK || result == SG_MALFORMED || result == SG_CONFLICT);
        zone_edit_abandon(edit);
        bytes.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    buffer_append_u8(&bytes, 0);
    struct zone_changeset_walk walk = zone_changeset_walk(buffer_span(&bytes));
    while (zone_changeset_next(&walk)) {
    }
    assert_true(walk.failed);
    buffer_free(&bytes);
    zone_version_unref(old);
    epoch_barrier();
}

static void it_is_appended_to_what_is_there(void **state)
{
    (void)state;
    const struct zone_version *version = seal(begin("example.", 1));
    struct buffer bytes = BUFFER_EMPTY;
    struct zone_changeset_header header;
    buffer_append_text(&bytes, "before");
    assert_int_equal(zone_changeset_make(NULL, version, &bytes), SG_OK);
    assert_memory_equal(bytes.bytes, "before", 6);
    struct span changeset = {bytes.bytes + 6, bytes.length - 6};
    assert_int_equal(zone_changeset_header(changeset, &header), SG_OK);
    assert_int_equal(header.serial_from, 0);
    assert_int_equal(header.serial_to, 1);
    assert_int_equal(header.added, 1);
    assert_int_equal(zone_changeset_header(buffer_span(&bytes), &header), SG_MALFORMED);
    buffer_free(&bytes);
    zone_version_unref(version);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applied_to_the_old_version_it_gives_the_new_one),
        cmocka_unit_test(between_lineages_too),
        cmocka_unit_test(what_stays_is_not_told),
        cmocka_unit_test(a_mixture_at_the_apex_parts_what_is_seen_from_what_is_kept),
        cmocka_unit_test(what_does_not_fit_is_a_conflict),
        cmocka_unit_test(broken_bytes_are_malformed),
        cmocka_unit_test(it_is_appended_to_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
