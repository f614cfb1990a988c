#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/draft.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

/* Every record of a version says the version's serial: its low byte is in each address. */
static void fill(struct zone_edit *edit, unsigned names, uint32_t serial)
{
    for (unsigned i = 0; i < names; i++) {
        char text[32];
        snprintf(text, sizeof(text), "n%u.example.", i);
        struct dns_name owner = name_of(text);
        uint8_t packed[6] = {0,
                             4,
                             (uint8_t)(serial >> 24),
                             (uint8_t)(serial >> 16),
                             (uint8_t)(serial >> 8),
                             (uint8_t)serial};
        struct dns_rrset rrset = {
            .packed = packed, .bytes = 6, .count = 1, .ttl = serial, .type = DNS_TYPE_A};
        assert_int_equal(zone_edit_put_rrset(edit, &owner, ZONE_SOURCE, &rrset), SG_OK);
    }
}

static const struct zone_version *first_version(unsigned names)
{
    static const struct arena_sizes sizes = {64, 1024, 50000};
    struct dns_name apex = name_of("example.");
    struct zone_edit *edit = draft_new(&apex, DNS_CLASS_IN, &sizes);
    struct naive_rrset buffer;
    assert_int_equal(
        zone_edit_put_rrset(edit, &apex, ZONE_SOURCE, naive_set(NAIVE_SOA, 1, &buffer)), SG_OK);
    fill(edit, names, 1);
    const struct zone_version *version = NULL;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static const struct zone_version *next_version(const struct zone_version *base, unsigned names,
                                               uint32_t serial)
{
    struct zone_edit *edit = zone_edit_open(base);
    fill(edit, names, serial);
    assert_int_equal(zone_edit_set_serial(edit, ZONE_SOURCE, serial), SG_OK);
    const struct zone_version *version = NULL;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static void check_serials(const struct zone_version *version, uint32_t serial)
{
    struct zone_cursor *cursor = mem_alloc(sizeof(*cursor));
    zone_cursor_start(cursor, version);
    while (zone_cursor_next(cursor)) {
        struct dns_rrset rrset;
        if (zone_node_rrset(&cursor->node, ZONE_VIEW_SIGNED, DNS_TYPE_A, &rrset)) {
            ASSERT(rrset.ttl == serial && wire_get_u32(rrset.packed + 2) == serial);
        }
    }
    mem_free(cursor);
}

/* No version's successor may use its memory before it is gone, however it ended. */
static void memory_is_used_again_only_when_all_older_versions_are_gone(void **state)
{
    (void)state;
    enum { NAMES = 50, ROUNDS = 100 };
    const struct zone_version *old = first_version(NAMES);
    const struct zone_version *newest = next_version(old, NAMES, 2);
    uint64_t with_old = 0;
    for (uint32_t serial = 3; serial < ROUNDS; serial++) {
        const struct zone_version *next = next_version(newest, NAMES, serial);
        zone_version_unref(newest);
        epoch_barrier();
        newest = next;
        check_serials(old, 1);
        check_serials(newest, serial);
        with_old = newest->lineage->arena.bytes;
    }
    /* While the oldest was held, nothing came back. */
    assert_true(with_old > 60 * ROUNDS * NAMES / 2);
    zone_version_unref(old);
    epoch_barrier();
    uint64_t released = 0;
    for (uint32_t serial = ROUNDS; serial < 2 * ROUNDS; serial++) {
        const struct zone_version *next = next_version(newest, NAMES, serial);
        zone_version_unref(newest);
        epoch_barrier();
        newest = next;
        assert_true(newest->lineage->arena.bytes <= with_old);
        released = newest->lineage->arena.free_bytes;
    }
    assert_true(released > with_old / 2);
    arena_check(&newest->lineage->arena);
    zone_version_unref(newest);
    epoch_barrier();
}

static void a_version_whose_commit_failed_is_undone(void **state)
{
    (void)state;
    enum { NAMES = 50 };
    const struct zone_version *base = first_version(NAMES);
    uint64_t after_one = 0;
    for (unsigned round = 0; round < 50; round++) {
        /* Two in a pipeline, both dropped; their memory serves the next round. */
        const struct zone_version *second = next_version(base, NAMES, 100);
        const struct zone_version *third = next_version(second, NAMES, 101);
        check_serials(second, 100);
        check_serials(third, 101);
        uint64_t bytes = base->lineage->arena.bytes;
        zone_version_unref(third);
        zone_version_unref(second);
        if (round % 2 == 0) {
            epoch_barrier();
        }
        check_serials(base, 1);
        after_one = round == 0 ? bytes : after_one;
        assert_true(bytes <= after_one);
    }
    const struct zone_version *kept = next_version(base, NAMES, 7);
    check_serials(base, 1);
    check_serials(kept, 7);
    arena_check(&kept->lineage->arena);
    zone_version_unref(base);
    epoch_barrier();
    const struct zone_version *after = next_version(kept, NAMES, 8);
    check_serials(kept, 7);
    check_serials(after, 8);
    zone_version_unref(kept);
    zone_version_unref(after);
    epoch_barrier();
}

static void a_reference_taken_while_leaving_keeps_the_version(void **state)
{
    (void)state;
    const struct zone_version *version = first_version(10);
    zone_version_unref(version); /* leaving: a grace period must still pass */
    zone_version_ref(version);   /* a reader that had found it before */
    epoch_barrier();
    check_serials(version, 1);
    zone_version_unref(version);
    zone_version_ref(version);
    zone_version_unref(version); /* twice within one grace period */
    epoch_barrier();
    zone_version_unref(NULL);
}

static void an_edit_keeps_its_base(void **state)
{
    (void)state;
    const struct zone_version *base = first_version(10);
    struct zone_edit *edit = zone_edit_open(base);
    zone_version_unref(base);
    epoch_barrier();
    fill(edit, 5, 2);
    zone_edit_abandon(edit);
    zone_edit_abandon(NULL);
    epoch_barrier();
}

/* Readers by epoch and by reference while a writer publishes, drops and undoes. */
enum { THREADS = 3, VERSIONS = 150, SHARED_NAMES = 12 };

static const struct zone_version *published;
static bool stop;

static void read_once(bool by_reference)
{
    epoch_online();
    const struct zone_version *version = epoch_read(&published);
    if (by_reference) {
        zone_version_ref(version);
        epoch_offline();
        check_serials(version, zone_version_facts(version)->serial);
        zone_version_unref(version);
        return;
    }
    check_serials(version, zone_version_facts(version)->serial);
    epoch_quiesce();
    epoch_offline();
}

static void *reader(void *argument)
{
    epoch_join();
    epoch_offline();
    for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        read_once((i + (argument != NULL)) % 2 == 0);
    }
    epoch_online();
    epoch_leave();
    return NULL;
}

static void readers_see_whole_versions_while_a_writer_goes_on(void **state)
{
    (void)state;
    published = first_version(SHARED_NAMES);
    __atomic_store_n(&stop, false, __ATOMIC_RELAXED);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, reader, i == 1 ? &stop : NULL), 0);
    }
    for (uint32_t serial = 2; serial < VERSIONS; serial++) {
        const struct zone_version *before = published;
        const struct zone_version *next = next_version(before, SHARED_NAMES, serial);
        if (serial % 7 == 0) { /* its commit failed */
            zone_version_unref(next);
            continue;
        }
        epoch_publish(&published, next);
        zone_version_unref(before);
        epoch_reclaim();
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    zone_version_unref(published);
    epoch_barrier();
}

static size_t chain_length(const struct zone_version *version)
{
    size_t length = 0;
    for (const struct zone_version *at = version->lineage->newest; at != NULL; at = at->older) {
        length++;
    }
    return length;
}

/* A disk may stay full for long: each commit that fails leaves nothing behind. */
static void commits_that_go_on_failing_leave_no_trace(void **state)
{
    (void)state;
    const struct zone_version *base = first_version(20);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < 100; i++) {
        zone_version_unref(next_version(base, 20 + i, 2));
        epoch_barrier();
        assert_true(chain_length(base) <= 2);
    }
    for (uint32_t i = 0; i < 100; i++) { /* not yet gone when the next one begins */
        zone_version_unref(next_version(base, 20, 2));
    }
    epoch_barrier();
    for (uint32_t i = 0; i < 3; i++) {
        const struct zone_version *next = next_version(base, 20, 2);
        assert_true(chain_length(base) <= 2);
        bytes = i == 0 ? lineage_bytes(base->lineage) : bytes;
        assert_int_equal(lineage_bytes(base->lineage), bytes);
        zone_version_unref(next);
        epoch_barrier();
    }
    zone_version_unref(base);
    epoch_barrier();
}

/* What is kept for the oldest is all that is kept. */
static void any_number_of_versions_may_be_held(void **state)
{
    enum { HELD = 100 };
    const struct zone_version *held[HELD];
    (void)state;
    held[0] = first_version(5);
    for (uint32_t i = 1; i < HELD; i++) {
        held[i] = next_version(held[i - 1], 5, i + 1);
    }
    for (uint32_t i = 0; i < HELD; i++) {
        assert_false(zone_version_is_unwanted(held[i]));
    }
    for (uint32_t i = 0; i < HELD; i++) {
        zone_version_unref(held[i]);
    }
    epoch_barrier();
}

/* A transfer that takes forever, in a zone that changes all the time. */
static void a_version_for_which_too_much_is_kept_is_unwanted(void **state)
{
    enum { NAMES = 2000, ROUNDS = 400, BYTES_MAX = 2 * LINEAGE_KEPT_BYTES_MIN };
    (void)state;
    const struct zone_version *slow = first_version(NAMES);
    const struct zone_version *newest = next_version(slow, NAMES, 2);
    unsigned cut = 0;
    for (uint32_t serial = 3; serial < ROUNDS; serial++) {
        const struct zone_version *next = next_version(newest, NAMES, serial);
        zone_version_unref(newest);
        epoch_barrier();
        newest = next;
        assert_false(zone_version_is_unwanted(newest));
        assert_true(newest->lineage->arena.bytes < BYTES_MAX);
        if (zone_version_is_unwanted(slow)) {
            assert_true(newest->lineage->kept_bytes > LINEAGE_KEPT_BYTES_MIN);
            zone_version_unref(slow);
            epoch_barrier();
            slow = zone_version_ref(newest);
            cut++;
        }
    }
    assert_in_range(cut, 2, ROUNDS / 10);
    zone_version_unref(slow);
    const struct zone_version *last = next_version(newest, NAMES, ROUNDS);
    zone_version_unref(newest);
    epoch_barrier();
    zone_edit_abandon(zone_edit_open(last));
    assert_int_equal(last->lineage->kept_bytes, 0);
    zone_version_unref(last);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_used_again_only_when_all_older_versions_are_gone),
        cmocka_unit_test(a_version_whose_commit_failed_is_undone),
        cmocka_unit_test(commits_that_go_on_failing_leave_no_trace),
        cmocka_unit_test(any_number_of_versions_may_be_held),
        cmocka_unit_test(a_version_for_which_too_much_is_kept_is_unwanted),
        cmocka_unit_test(a_reference_taken_while_leaving_keeps_the_version),
        cmocka_unit_test(an_edit_keeps_its_base),
        cmocka_unit_test(readers_see_whole_versions_while_a_writer_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
