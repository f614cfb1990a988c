#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"
#include "zone/changeset.h"
#include "zone/edit.h"
#include "zone/history.h"

enum { LINKS = 40, LINKS_MAX = 100 };

static const struct zone_history_link *links[LINKS_MAX];

#define T0 ((sg_time)1767225600)

enum { FROM = 0x11f3a7c5, TO = 0x625b9d71 };

static void put_soa(struct zone_edit *edit, uint32_t serial)
{
    uint8_t packed[24] = {0, 22};
    const struct dns_rrset soa = {packed, sizeof(packed), 1, DNS_TYPE_SOA, 0, 1};
    wire_put_u32(packed + 4, serial);
    assert_int_equal(zone_edit_put_rrset(edit, &dns_name_root, ZONE_SOURCE, &soa), SG_OK);
}

/* Where the bytes say `old` they say `new` now. */
static void put_everywhere(struct buffer *bytes, uint32_t old, uint32_t new)
{
    for (size_t at = 0; at + 4 <= bytes->length; at++) {
        if (wire_get_u32(bytes->bytes + at) == old) {
            wire_put_u32(bytes->bytes + at, new);
        }
    }
}

/* An honest changeset, of a SOA alone, with the serials as wanted. */
static struct buffer changeset_of(uint32_t from, uint32_t to)
{
    static struct buffer made;
    if (made.length == 0) {
        const struct zone_version *old, *new;
        struct zone_edit *edit = zone_edit_new(&dns_name_root, DNS_CLASS_IN);
        put_soa(edit, FROM);
        assert_int_equal(zone_edit_seal(edit, &old), SG_OK);
        edit = zone_edit_open(old);
        put_soa(edit, TO);
        assert_int_equal(zone_edit_seal(edit, &new), SG_OK);
        assert_int_equal(zone_changeset_make(old, new, &made), SG_OK);
        zone_version_unref(old);
        zone_version_unref(new);
        epoch_barrier();
    }
    struct buffer bytes = BUFFER_EMPTY;
    buffer_append(&bytes, made.bytes, made.length);
    put_everywhere(&bytes, FROM, from);
    put_everywhere(&bytes, TO, to);
    return bytes;
}

static void trim_bytes(struct zone_history *history, size_t bytes_max)
{
    const struct zone_history_limits limits = {bytes_max, UINT64_MAX, INT64_MIN};
    zone_history_trim(history, &limits);
}

static void add_bytes(struct zone_history *history, struct buffer *bytes, bool breaks)
{
    struct zone_history_link *link = zone_history_link_new(&dns_name_root, bytes);
    uint32_t serial = zone_history_serial_to(link);
    zone_history_add(history, link, breaks,
                     &(const struct zone_history_commit){.number = serial, .at = T0 + serial});
    assert_null(bytes->bytes);
}

static void add(struct zone_history *history, uint32_t from, uint32_t to, bool breaks)
{
    struct buffer bytes = changeset_of(from, to);
    add_bytes(history, &bytes, breaks);
}

static void fill(struct zone_history *history, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        add(history, i, i + 1, false);
    }
}

static void clear(struct zone_history *history)
{
    zone_history_clear(history);
    assert_null(history->newest);
    assert_int_equal(history->bytes, 0);
    assert_int_equal(history->links, 0);
    epoch_barrier();
}

static void unref(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        zone_history_unref(links[i]);
    }
}

static void a_chain_leads_from_any_serial_to_any_later_one(void **state)
{
    struct zone_history history = {0};
    (void)state;
    fill(&history, LINKS);
    for (uint32_t from = 0; from <= LINKS + 2; from++) {
        for (uint32_t to = 0; to <= LINKS + 2; to++) {
            size_t count = zone_history_collect(&history, from, to, links, LINKS_MAX);
            bool known = from >= 1 && to <= LINKS + 1 && from < to;
            assert_int_equal(count, known ? to - from : 0);
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(zone_history_serial_from(links[i]), from + i);
                assert_int_equal(zone_history_serial_to(links[i]), from + i + 1);
                assert_true(zone_history_changeset(links[i]).length > 40);
            }
            unref(count);
        }
    }
    assert_int_equal(zone_history_collect(&history, 1, 11, links, 9), 0);
    assert_int_equal(zone_history_collect(&history, 1, 11, links, 10), 10);
    unref(10);
    clear(&history);
}

static void the_oldest_links_go_first(void **state)
{
    struct zone_history history = {0};
    (void)state;
    fill(&history, LINKS);
    size_t bytes = history.bytes;
    for (uint32_t left = LINKS; left > 0; left--) {
        trim_bytes(&history, bytes * left / LINKS);
        assert_int_equal(history.links, left);
        assert_true(history.bytes <= bytes * left / LINKS);
        uint32_t oldest = LINKS + 1 - left;
        assert_int_equal(zone_history_oldest_commit(&history), oldest + 1);
        assert_int_equal(zone_history_collect(&history, oldest, LINKS + 1, links, LINKS_MAX), left);
        unref(left);
        assert_int_equal(zone_history_collect(&history, oldest - 1, LINKS + 1, links, LINKS_MAX),
                         0);
    }
    trim_bytes(&history, 0);
    assert_null(history.newest);
    assert_true(zone_history_oldest_commit(&history) == UINT64_MAX);
    fill(&history, 3); /* begins anew */
    assert_int_equal(history.links, 3);
    clear(&history);
}

/* Each of these tells of two records: a SOA and the next. */
static void links_of_too_many_records_go(void **state)
{
    struct zone_history history = {0};
    (void)state;
    fill(&history, LINKS);
    assert_int_equal(history.records, 2 * LINKS);
    zone_history_trim(&history, &(const struct zone_history_limits){SIZE_MAX, 7, INT64_MIN});
    assert_int_equal(history.links, 3);
    assert_int_equal(history.records, 6);
    assert_int_equal(zone_history_oldest_commit(&history), LINKS - 1);
    clear(&history);
    assert_int_equal(history.records, 0);
}

static void links_that_are_too_old_go(void **state)
{
    struct zone_history history = {0};
    (void)state;
    assert_true(zone_history_oldest_at(&history) == INT64_MAX);
    fill(&history, 5); /* made one second apart */
    assert_int_equal(zone_history_oldest_at(&history), T0 + 2);
    zone_history_trim(&history, &(const struct zone_history_limits){SIZE_MAX, UINT64_MAX, T0 + 4});
    assert_int_equal(history.links, 3);
    assert_int_equal(zone_history_oldest_at(&history), T0 + 4);
    zone_history_trim(&history, &(const struct zone_history_limits){SIZE_MAX, UINT64_MAX, T0 + 9});
    assert_int_equal(history.links, 0);
    clear(&history);
}

static void a_break_forgets_what_was(void **state)
{
    struct zone_history history = {0};
    (void)state;
    fill(&history, 5);
    add(&history, 6, 7, true);
    assert_int_equal(history.links, 1);
    add(&history, 9, 10, false); /* does not follow 7 */
    assert_int_equal(history.links, 1);
    assert_int_equal(zone_history_collect(&history, 9, 10, links, LINKS_MAX), 1);
    unref(1);
    struct buffer silent = changeset_of(10, 10);
    wire_put_u32(silent.bytes + 28, 0); /* changes nothing: says nothing to a secondary */
    wire_put_u32(silent.bytes + 36, 0);
    add_bytes(&history, &silent, false);
    assert_int_equal(history.links, 1);
    add(&history, 10, 10, false); /* an edit that kept its serial: no difference may skip it */
    assert_int_equal(history.links, 0);
    add(&history, 10, 11, false); /* from which of the two contents of 10? */
    assert_int_equal(history.links, 0);
    add(&history, 11, 12, false);
    assert_int_equal(zone_history_collect(&history, 10, 12, links, LINKS_MAX), 0);
    assert_int_equal(zone_history_collect(&history, 11, 12, links, LINKS_MAX), 1);
    unref(1);
    add(&history, 12, 5, false); /* back: no link, and 5 may have been served before */
    add(&history, 5, 6, false);
    assert_int_equal(history.links, 0);
    fill(&history, 5);
    add(&history, 10, 10, true);
    assert_int_equal(history.links, 0);
    fill(&history, 2);
    struct buffer broken = BUFFER_EMPTY;
    buffer_append_text(&broken, "no changeset");
    add_bytes(&history, &broken, false);
    assert_int_equal(history.links, 0);
    clear(&history);
}

static void what_does_not_lead_from_one_serial_to_the_other_is_no_link(void **state)
{
    struct zone_history history = {0};
    struct buffer whole = changeset_of(3, 4);
    (void)state;
    for (size_t length = 0; length < whole.length; length++) {
        struct buffer cut = BUFFER_EMPTY;
        fill(&history, 2);
        assert_int_equal(history.links, 2);
        buffer_append(&cut, whole.bytes, length);
        add_bytes(&history, &cut, false);
        assert_int_equal(history.links, 0);
    }
    for (size_t at = 4; at <= 8; at += 4) { /* a header that its SOAs give the lie */
        struct buffer false_header = changeset_of(3, 4);
        wire_put_u32(false_header.bytes + 4, at == 4 ? 2 : 3);
        wire_put_u32(false_header.bytes + 8, at == 8 ? 5 : 4);
        add_bytes(&history, &false_header, true);
        assert_int_equal(history.links, 0);
    }
    fill(&history, 2);
    add_bytes(&history, &whole, false);
    assert_int_equal(history.links, 3);
    assert_int_equal(zone_history_collect(&history, 3, 4, links, LINKS_MAX), 1);
    assert_int_equal(wire_get_u32(zone_history_soa_from(links[0])->packed + 4), 3);
    assert_int_equal(wire_get_u32(zone_history_soa_to(links[0])->packed + 4), 4);
    unref(1);
    clear(&history);
}

static void links_are_bounded(void **state)
{
    struct zone_history history = {0};
    (void)state;
    fill(&history, ZONE_HISTORY_LINKS_MAX + 10);
    assert_int_equal(history.links, ZONE_HISTORY_LINKS_MAX);
    assert_int_equal(zone_history_collect(&history, 10, 12, links, LINKS_MAX), 0);
    assert_int_equal(zone_history_collect(&history, 11, 12, links, LINKS_MAX), 1);
    unref(1);
    clear(&history);
}

/* The link lives for as long as somebody streams from it (ASan would tell). */
static void a_reference_outlives_the_chain(void **state)
{
    struct zone_history history = {0};
    (void)state;
    fill(&history, 3);
    assert_int_equal(zone_history_collect(&history, 1, 4, links, LINKS_MAX), 3);
    clear(&history);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(zone_history_serial_from(links[i]), 1 + i);
        struct zone_changeset_walk walk = zone_changeset_walk(zone_history_changeset(links[i]));
        assert_true(zone_changeset_next(&walk));
    }
    unref(3);
}

/* --- readers while the keeper changes (TSan would tell) ------------------------------------- */

struct shared {
    struct zone_history history;
    uint32_t newest; /* atomic */
    bool stop;       /* atomic */
};

static void *read_all_the_time(void *argument)
{
    struct shared *shared = argument;
    const struct zone_history_link *mine[LINKS_MAX];
    struct random_seeded random = {1};
    uintptr_t found = 0;
    epoch_join();
    while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
        uint32_t to = __atomic_load_n(&shared->newest, __ATOMIC_ACQUIRE);
        uint32_t from = to - 1 - random_seeded_below(&random, LINKS);
        size_t count = zone_history_collect(&shared->history, from, to, mine, LINKS_MAX);
        epoch_quiesce();
        ASSERT(count == 0 || count == to - from);
        for (size_t i = 0; i < count; i++) {
            ASSERT(zone_history_serial_from(mine[i]) == from + i);
            zone_history_unref(mine[i]);
        }
        found += count > 0;
    }
    epoch_leave();
    return (void *)found;
}

static void readers_find_whole_chains_while_the_keeper_changes_them(void **state)
{
    enum { ADDED = 3000, READERS = 2 };
    static struct shared shared = {.newest = 1};
    pthread_t readers[READERS];
    (void)state;
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_all_the_time, &shared), 0);
    }
    size_t bytes = 0;
    for (uint32_t serial = 1; serial <= ADDED; serial++) {
        add(&shared.history, serial, serial + 1, serial % 500 == 0);
        bytes = bytes == 0 ? shared.history.bytes : bytes;
        __atomic_store_n(&shared.newest, serial + 1, __ATOMIC_RELEASE);
        trim_bytes(&shared.history, bytes * LINKS / 2);
        epoch_reclaim();
    }
    __atomic_store_n(&shared.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    }
    clear(&shared.history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_leads_from_any_serial_to_any_later_one),
        cmocka_unit_test(the_oldest_links_go_first),
        cmocka_unit_test(links_of_too_many_records_go),
        cmocka_unit_test(links_that_are_too_old_go),
        cmocka_unit_test(a_break_forgets_what_was),
        cmocka_unit_test(what_does_not_lead_from_one_serial_to_the_other_is_no_link),
        cmocka_unit_test(links_are_bounded),
        cmocka_unit_test(a_reference_outlives_the_chain),
        cmocka_unit_test(readers_find_whole_chains_while_the_keeper_changes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
