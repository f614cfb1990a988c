#include "answer/fixture.h"
#include "answer/ixfr.h"
#include "base/crc32c.h"
#include "dns/rdata.h"
#include "zone/changeset.h"
#include "zone/random_edits.h"

enum { ROUNDS = 25, STEPS = 30, SET_SLOTS = 1 << 18, LINKS_MAX = 64 };

static const struct arena_sizes small_sizes = {64, 1024, 8192};
static const struct zone_history_commit no_commit;
static struct edits edits;
static uint8_t out[DNS_MESSAGE_BYTES_MAX];

/* --- a secondary: a set of records, that takes transfers ------------------------------------ */

struct secondary {
    struct buffer *slots[SET_SLOTS]; /* owner, type, ttl, rdata */
    size_t count;
};

static struct buffer gone; /* where a record was; so that a search goes on */

static struct buffer **find(struct secondary *secondary, const struct buffer *record)
{
    size_t at = crc32c(0, record->bytes, record->length) % SET_SLOTS;
    while (secondary->slots[at] != NULL &&
           (secondary->slots[at]->length != record->length ||
            memcmp(secondary->slots[at]->bytes, record->bytes, record->length) != 0)) {
        at = (at + 1) % SET_SLOTS;
    }
    return &secondary->slots[at];
}

static void take(struct secondary *secondary, const struct buffer *record)
{
    struct buffer **slot = find(secondary, record);
    assert_null(*slot); /* What is added was not there. */
    *slot = mem_copy(record, sizeof(*record));
    (*slot)->bytes = mem_copy(record->bytes, record->length);
    secondary->count++;
}

static void drop(struct secondary *secondary, const struct buffer *record)
{
    struct buffer **slot = find(secondary, record);
    assert_non_null(*slot); /* What is deleted was there. */
    buffer_free(*slot);
    mem_free(*slot);
    *slot = &gone;
    secondary->count--;
}

static void secondary_free(struct secondary *secondary)
{
    for (size_t i = 0; i < SET_SLOTS; i++) {
        if (secondary->slots[i] != NULL && secondary->slots[i] != &gone) {
            buffer_free(secondary->slots[i]);
            mem_free(secondary->slots[i]);
        }
    }
    mem_free(secondary);
}

static void check_same(struct secondary *a, struct secondary *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < SET_SLOTS; i++) {
        if (a->slots[i] != NULL && a->slots[i] != &gone) {
            assert_non_null(*find(b, a->slots[i]));
        }
    }
}

/* Records as they come. */
struct arrival {
    struct buffer *records;
    size_t count, capacity;
    unsigned messages;
};

static void arrive(struct arrival *arrival, const uint8_t *bytes, size_t length)
{
    struct dns_message message;
    struct span wire = {bytes, length};
    assert_int_equal(dns_message_parse(wire, &message), SG_OK);
    assert_int_equal(message.id, 0x1234);
    assert_int_equal(message.flags & ~DNS_FLAG_RD, DNS_FLAG_QR | DNS_FLAG_AA);
    assert_int_equal(message.counts[0], arrival->messages == 0);
    assert_int_equal(message.counts[2], 0);
    size_t at = message.has_question ? message.section_offsets[0] : DNS_HEADER_BYTES;
    for (unsigned i = 0; i < message.counts[1]; i++) {
        struct dns_record record;
        struct buffer text = BUFFER_EMPTY;
        assert_int_equal(dns_record_parse(wire, at, &record), SG_OK);
        assert_int_equal(record.rrclass, DNS_CLASS_IN);
        buffer_append(&text, record.owner.wire, record.owner.length);
        buffer_append_u16(&text, record.type);
        buffer_append_u32(&text, record.ttl);
        assert_int_equal(dns_rdata_from_message(wire, record.rdata_offset, record.rdata_length,
                                                record.type, &text),
                         SG_OK);
        if (arrival->count == arrival->capacity) {
            arrival->capacity = arrival->capacity > 0 ? arrival->capacity * 2 : 64;
            arrival->records =
                mem_resize_array(arrival->records, arrival->capacity, sizeof(struct buffer));
        }
        arrival->records[arrival->count++] = text;
        at = record.after;
    }
    arrival->messages++;
}

static void arrival_clear(struct arrival *arrival)
{
    for (size_t i = 0; i < arrival->count; i++) {
        buffer_free(&arrival->records[i]);
    }
    mem_free(arrival->records);
}

static bool is_soa(const struct buffer *record)
{
    return wire_get_u16(record->bytes + edits.apex.length) == DNS_TYPE_SOA &&
           memcmp(record->bytes, edits.apex.wire, edits.apex.length) == 0;
}

static bool is_equal(const struct buffer *a, const struct buffer *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static const struct dns_message *question(bool edns)
{
    static struct dns_message message;
    static uint8_t wire[512];
    struct writer w = writer_of(wire, sizeof(wire));
    writer_u16(&w, 0x1234);
    writer_u16(&w, 0);
    writer_u16(&w, 1);
    writer_u32(&w, 0);
    writer_u16(&w, edns ? 1 : 0);
    writer_bytes(&w, edits.apex.wire, edits.apex.length);
    writer_u16(&w, DNS_TYPE_IXFR);
    writer_u16(&w, DNS_CLASS_IN);
    if (edns) {
        writer_bytes(&w, "\0\0\51\20\0\0\0\0\0\0\0", 11);
    }
    assert_int_equal(dns_message_parse((struct span){wire, writer_length(&w)}, &message), SG_OK);
    return &message;
}

static struct secondary *whole_zone(const struct zone_version *version)
{
    struct secondary *secondary = mem_alloc_zero(1, sizeof(*secondary));
    struct arrival arrival = {0};
    struct axfr *axfr = axfr_new(version, question(false));
    for (size_t length; (length = axfr_next(axfr, NULL, 0, out)) > 0;) {
        arrive(&arrival, out, length);
    }
    assert_true(is_equal(&arrival.records[0], &arrival.records[arrival.count - 1]));
    for (size_t i = 1; i < arrival.count; i++) {
        take(secondary, &arrival.records[i]);
    }
    axfr_free(axfr);
    arrival_clear(&arrival);
    return secondary;
}

/* As RFC 1995 4 says. Returns how many differences there were. */
static unsigned follow(struct secondary *secondary, const struct arrival *arrival)
{
    const struct buffer *records = arrival->records;
    unsigned differences = 0;
    size_t last = arrival->count - 1;
    assert_true(arrival->count >= 4);
    assert_true(is_soa(&records[0]));
    assert_true(is_equal(&records[0], &records[last]));
    size_t i = 1;
    for (; i < last; differences++) {
        assert_true(is_soa(&records[i]));
        drop(secondary, &records[i++]);
        while (!is_soa(&records[i])) {
            drop(secondary, &records[i++]);
        }
        take(secondary, &records[i++]);
        while (!is_soa(&records[i])) {
            take(secondary, &records[i++]);
        }
    }
    assert_int_equal(i, last);
    assert_non_null(*find(secondary, &records[0]));
    return differences;
}

/* --- a primary ------------------------------------------------------------------------------ */

struct primary {
    struct zone_history history;
    const struct zone_version *versions[LINKS_MAX]; /* by serial */
    uint32_t serial;
};

static void seal(struct primary *primary, struct zone_edit *edit, uint32_t serial)
{
    edits_put_soa(&edits, edit, serial, ZONE_SOURCE);
    edits_put_soa(&edits, edit, serial, ZONE_GENERATED);
    assert_int_equal(zone_edit_seal(edit, &primary->versions[serial]), SG_OK);
    if (serial > 1) {
        struct buffer changeset = BUFFER_EMPTY;
        assert_int_equal(zone_changeset_make(primary->versions[serial - 1],
                                             primary->versions[serial], &changeset),
                         SG_OK);
        zone_history_add(&primary->history, zone_history_link_new(&edits.apex, &changeset), false,
                         &no_commit);
    }
    primary->serial = serial;
}

static void change(struct zone_edit *edit, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        edits_change_something(&edits, edit);
    }
}

static void start(struct primary *primary, const char *apex, uint64_t seed, unsigned changes)
{
    *primary = (struct primary){.serial = 0};
    edits_init(&edits, apex, seed);
    struct zone_edit *edit = draft_new(&edits.apex, DNS_CLASS_IN, &small_sizes);
    edits_put_soa(&edits, edit, 1, ZONE_SOURCE);
    change(edit, changes);
    seal(primary, edit, 1);
}

static void go_on(struct primary *primary, unsigned changes)
{
    struct zone_edit *edit = zone_edit_open(primary->versions[primary->serial]);
    change(edit, changes);
    seal(primary, edit, primary->serial + 1);
}

static void stop(struct primary *primary)
{
    zone_history_clear(&primary->history);
    for (uint32_t serial = 1; serial <= primary->serial; serial++) {
        zone_version_unref(primary->versions[serial]);
    }
    epoch_barrier();
}

static enum sg_result open_ixfr(const struct primary *primary, uint32_t from, uint32_t to,
                                unsigned ratio_percent, struct ixfr **out_ixfr)
{
    const struct zone_history_link *links[LINKS_MAX];
    size_t count = zone_history_collect(&primary->history, from, to, links, LINKS_MAX);
    assert_int_equal(count, to - from);
    return ixfr_new(primary->versions[to], links, count, ratio_percent, question(false), out_ixfr);
}

static struct arrival stream(struct ixfr *ixfr)
{
    struct arrival arrival = {0};
    for (size_t length; (length = ixfr_next(ixfr, NULL, 0, out)) > 0;) {
        arrive(&arrival, out, length);
    }
    assert_false(ixfr_totals(ixfr).broken);
    assert_int_equal(ixfr_totals(ixfr).records, arrival.count);
    assert_int_equal(ixfr_totals(ixfr).messages, arrival.messages);
    ixfr_free(ixfr);
    return arrival;
}

/* The old zone and the differences make the new zone. Returns how many records went over. */
static size_t check_transfer(const struct primary *primary, uint32_t from, uint32_t to,
                             unsigned differences)
{
    struct ixfr *ixfr;
    struct secondary *secondary = whole_zone(primary->versions[from]);
    struct secondary *expected = whole_zone(primary->versions[to]);
    assert_int_equal(open_ixfr(primary, from, to, 0, &ixfr), SG_OK);
    struct arrival arrival = stream(ixfr);
    assert_int_equal(follow(secondary, &arrival), differences);
    check_same(secondary, expected);
    check_same(expected, secondary);
    size_t count = arrival.count;
    arrival_clear(&arrival);
    secondary_free(secondary);
    secondary_free(expected);
    return count;
}

static void the_old_zone_and_the_differences_make_the_new_zone(void **state)
{
    static struct primary primary;
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        start(&primary, seed % 2 == 0 ? "." : "example.", seed, 120);
        for (unsigned round = 0; round < ROUNDS; round++) {
            go_on(&primary, edits_below(&edits, STEPS));
            check_transfer(&primary, primary.serial - 1, primary.serial, 1);
            if (round % 5 == 4) { /* over several versions, and to one that is no longer newest */
                uint32_t to = primary.serial - edits_below(&edits, 2);
                check_transfer(&primary, 1 + edits_below(&edits, to - 1), to, 1);
            }
        }
        stop(&primary);
    }
}

static void put(struct zone_edit *edit, const char *owner, unsigned set, uint32_t ttl)
{
    struct edits_rrset buffer;
    struct dns_name name;
    assert_int_equal(dns_name_from_text(owner, strlen(owner), NULL, &name), SG_OK);
    edits_put(edit, &name, ZONE_SOURCE, edits_set(DNS_TYPE_A, 0, set, ttl, &buffer));
}

static void what_came_and_went_between_is_not_told(void **state)
{
    static struct primary primary;
    static const unsigned sets[] = {0x01, 0x03, 0x06, 0x05};
    (void)state;
    start(&primary, "example.", 1, 0);
    for (unsigned i = 0; i < ARRAY_LEN(sets); i++) {
        struct zone_edit *edit = zone_edit_open(primary.versions[primary.serial]);
        put(edit, "a.example.", sets[i], 300);
        put(edit, "brief.example.", i == 1 ? 0xff : 0, 300);
        put(edit, "ttl.example.", 0x01, i == 2 ? 301 : 300);
        seal(&primary, edit, primary.serial + 1);
    }
    /* From {1} to {1, 3}: one record; four SOAs. */
    assert_int_equal(check_transfer(&primary, 2, 5, 1), 4 + 1);
    /* From {1, 2} to {2, 3}, the brief ones gone, a TTL. */
    assert_int_equal(check_transfer(&primary, 3, 4, 1), 4 + 2 + 8 + 2);
    stop(&primary);
}

static void fill_large(struct zone_edit *edit, unsigned count, uint32_t ttl)
{
    struct buffer packed = BUFFER_EMPTY;
    for (unsigned i = 0; i < count; i++) {
        buffer_append_u16(&packed, 4);
        buffer_append_u32(&packed, i);
    }
    const struct dns_rrset rrset = {packed.bytes,   (uint32_t)packed.length, ttl, DNS_TYPE_A, 0,
                                    (uint16_t)count};
    struct dns_name owner;
    assert_int_equal(dns_name_from_text("large.example.", 14, NULL, &owner), SG_OK);
    edits_put(edit, &owner, ZONE_SOURCE, &rrset);
    buffer_free(&packed);
}

/* More than anybody wants to condense is told change by change. */
static void a_long_chain_is_told_link_by_link(void **state)
{
    enum { RECORDS = 15000 };
    static struct primary primary;
    (void)state;
    start(&primary, "example.", 2, 50);
    for (unsigned i = 0; i < 4; i++) {
        struct zone_edit *edit = zone_edit_open(primary.versions[primary.serial]);
        fill_large(edit, RECORDS, 300 + i % 2);
        change(edit, 20);
        seal(&primary, edit, primary.serial + 1);
    }
    assert_true(check_transfer(&primary, 2, 5, 3) > 6 * RECORDS);
    check_transfer(&primary, 3, 5, 1);
    stop(&primary);
}

static void no_more_than_the_zone_is_told(void **state)
{
    static struct primary primary;
    struct ixfr *ixfr;
    (void)state;
    start(&primary, "example.", 1, 0);
    struct zone_edit *edit = zone_edit_open(primary.versions[1]);
    fill_large(edit, 97, 300);
    seal(&primary, edit, 2); /* 98 records, of which 97 are new */
    assert_int_equal(open_ixfr(&primary, 1, 2, 101, &ixfr), SG_LIMIT);
    assert_int_equal(open_ixfr(&primary, 1, 2, 102, &ixfr), SG_OK); /* 99 with both SOAs */
    ixfr_free(ixfr);
    edit = zone_edit_open(primary.versions[2]);
    fill_large(edit, 97, 301);
    seal(&primary, edit, 3);
    assert_int_equal(open_ixfr(&primary, 2, 3, 100, &ixfr), SG_LIMIT);
    assert_int_equal(open_ixfr(&primary, 2, 3, 0, &ixfr), SG_OK);
    ixfr_free(ixfr);
    edit = zone_edit_open(primary.versions[3]);
    fill_large(edit, 96, 300);
    seal(&primary, edit, 4);
    /* Condensed it is small, although what it is made of was not. */
    assert_int_equal(open_ixfr(&primary, 2, 4, 100, &ixfr), SG_OK);
    ixfr_free(ixfr);
    assert_int_equal(open_ixfr(&primary, 2, 4, 3, &ixfr), SG_LIMIT);
    assert_int_equal(open_ixfr(&primary, 2, 4, 4, &ixfr), SG_OK);
    ixfr_free(ixfr);
    stop(&primary);
}

static void a_broken_changeset_is_not_told(void **state)
{
    static struct primary primary;
    const struct zone_history_link *links[1];
    (void)state;
    start(&primary, "example.", 3, 60);
    go_on(&primary, 20);
    struct buffer whole = BUFFER_EMPTY;
    assert_int_equal(zone_changeset_make(primary.versions[1], primary.versions[2], &whole), SG_OK);
    for (size_t length = 40; length < whole.length; length += 1 + length / 8) {
        struct buffer cut = BUFFER_EMPTY;
        buffer_append(&cut, whole.bytes, length);
        zone_history_add(&primary.history, zone_history_link_new(&edits.apex, &cut), true,
                         &no_commit);
        assert_int_equal(zone_history_collect(&primary.history, 1, 2, links, 1), 0);
    }
    /* Sound, but of serials that its SOAs do not have. */
    wire_put_u32(whole.bytes + 4, 0);
    zone_history_add(&primary.history, zone_history_link_new(&edits.apex, &whole), true,
                     &no_commit);
    assert_int_equal(zone_history_collect(&primary.history, 0, 2, links, 1), 0);
    stop(&primary);
}

/* Each is sound, but the SOAs in between, or the last one and the version's, are not the same. */
static void what_does_not_fit_together_is_not_told(void **state)
{
    static struct primary primary;
    struct ixfr *ixfr;
    const struct zone_history_link *links[2];
    (void)state;
    start(&primary, "example.", 3, 60);
    go_on(&primary, 20);
    go_on(&primary, 20);
    for (unsigned which = 0; which < 3; which++) {
        zone_history_clear(&primary.history);
        for (uint32_t serial = 1; serial <= 2; serial++) {
            struct buffer bytes = BUFFER_EMPTY;
            assert_int_equal(
                zone_changeset_make(primary.versions[serial], primary.versions[serial + 1], &bytes),
                SG_OK);
            struct zone_history_link *link = zone_history_link_new(&edits.apex, &bytes);
            if (serial == which) { /* the SOA's minimum */
                const struct dns_rrset *soa = zone_history_soa_to(link);
                ((uint8_t *)(uintptr_t)soa->packed)[soa->bytes - 1] ^= 1;
            }
            zone_history_add(&primary.history, link, false, &no_commit);
        }
        assert_int_equal(zone_history_collect(&primary.history, 1, 3, links, 2), 2);
        assert_int_equal(ixfr_new(primary.versions[3], links, 2, 0, question(false), &ixfr),
                         which == 0 ? SG_OK : SG_MALFORMED);
        if (which == 0) {
            ixfr_free(ixfr);
        }
    }
    stop(&primary);
}

static void over_udp_it_is_one_message_or_none(void **state)
{
    static struct primary primary;
    struct ixfr *ixfr;
    (void)state;
    start(&primary, "example.", 4, 60);
    go_on(&primary, 3);
    size_t whole = 0;
    for (size_t bytes_max = 4000; bytes_max > 0; bytes_max--) {
        assert_int_equal(open_ixfr(&primary, 1, 2, 0, &ixfr), SG_OK);
        memset(out, 0xA5, bytes_max + 1);
        size_t length = ixfr_single(ixfr, NULL, 0, out, bytes_max);
        ixfr_free(ixfr);
        assert_true(out[bytes_max] == 0xA5 || length == 0);
        if (whole == 0) {
            struct arrival arrival = {0};
            struct secondary *secondary = whole_zone(primary.versions[1]);
            struct secondary *expected = whole_zone(primary.versions[2]);
            memset(out, 0, 1);
            assert_int_equal(open_ixfr(&primary, 1, 2, 0, &ixfr), SG_OK);
            whole = ixfr_single(ixfr, NULL, 0, out, bytes_max);
            arrive(&arrival, out, whole);
            assert_int_equal(follow(secondary, &arrival), 1);
            check_same(secondary, expected);
            assert_int_equal(ixfr_totals(ixfr).records, arrival.count);
            ixfr_free(ixfr);
            arrival_clear(&arrival);
            secondary_free(secondary);
            secondary_free(expected);
        }
        assert_int_equal(length, bytes_max >= whole ? whole : 0);
    }
    assert_true(whole > 100 && whole < 4000);
    stop(&primary);
}

static struct tsig_key key = {.algorithm = TSIG_HMAC_SHA256, .secret_length = 32};

static void tsig_covers_every_message(void **state)
{
    enum { RECORDS = 9000 };
    static struct primary primary;
    const struct tsig_key *keys[] = {&key};
    uint8_t wire[1024];
    (void)state;
    start(&primary, "example.", 5, 10);
    struct zone_edit *edit = zone_edit_open(primary.versions[1]);
    fill_large(edit, RECORDS, 300);
    seal(&primary, edit, 2);
    go_on(&primary, 0);
    assert_int_equal(dns_name_from_text("transfer.", 9, NULL, &key.name), SG_OK);
    for (unsigned udp = 0; udp < 2; udp++) {
        struct tsig_exchange client, server;
        struct dns_message query, response;
        const struct zone_history_link *links[2];
        struct ixfr *ixfr;
        struct span plain = question(true)->wire;
        memcpy(wire, plain.bytes, plain.length);
        size_t length =
            tsig_sign_request(&key, FIXTURE_NOW, wire, plain.length, sizeof(wire), &client);
        assert_int_equal(dns_message_parse((struct span){wire, length}, &query), SG_OK);
        assert_int_equal(tsig_verify_request(&query, keys, 1, FIXTURE_NOW, &server), SG_OK);
        uint32_t from = udp != 0 ? 2 : 1;
        size_t count = zone_history_collect(&primary.history, from, 3, links, 2);
        assert_int_equal(ixfr_new(primary.versions[3], links, count, 0, &query, &ixfr), SG_OK);
        unsigned messages = 0;
        if (udp != 0) {
            length = ixfr_single(ixfr, &server, FIXTURE_NOW, out, 4096);
            assert_int_equal(dns_message_parse((struct span){out, length}, &response), SG_OK);
            assert_int_equal(tsig_verify_response(&client, &response, FIXTURE_NOW), SG_OK);
            messages++;
        }
        while (udp == 0 && (length = ixfr_next(ixfr, &server, FIXTURE_NOW, out)) > 0) {
            assert_int_equal(dns_message_parse((struct span){out, length}, &response), SG_OK);
            assert_int_equal(tsig_verify_response(&client, &response, FIXTURE_NOW), SG_OK);
            assert_int_equal(response.edns.present, messages == 0);
            messages++;
        }
        assert_true(udp != 0 || messages > 3);
        assert_true(tsig_is_settled(&client));
        ixfr_free(ixfr);
        tsig_exchange_clear(&client);
        tsig_exchange_clear(&server);
    }
    stop(&primary);
}

/* The history forgets, the version goes: what was begun goes on, and keeps neither. */
static void a_transfer_outlives_its_history_and_its_version(void **state)
{
    static struct primary primary;
    struct ixfr *ixfr;
    struct arrival arrival = {0};
    (void)state;
    start(&primary, "example.", 6, 60);
    go_on(&primary, 30);
    struct secondary *secondary = whole_zone(primary.versions[1]);
    struct secondary *expected = whole_zone(primary.versions[2]);
    assert_int_equal(open_ixfr(&primary, 1, 2, 0, &ixfr), SG_OK);
    assert_int_equal(primary.versions[2]->state, 1); /* its own reference alone */
    go_on(&primary, 30);
    zone_history_clear(&primary.history);
    for (uint32_t serial = 1; serial <= 3; serial++) {
        zone_version_unref(primary.versions[serial]);
    }
    primary.serial = 0;
    epoch_barrier();
    for (size_t length; (length = ixfr_next(ixfr, NULL, 0, out)) > 0;) {
        arrive(&arrival, out, length);
    }
    ixfr_free(ixfr);
    assert_int_equal(follow(secondary, &arrival), 1);
    check_same(secondary, expected);
    arrival_clear(&arrival);
    secondary_free(secondary);
    secondary_free(expected);
    stop(&primary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_zone_and_the_differences_make_the_new_zone),
        cmocka_unit_test(what_came_and_went_between_is_not_told),
        cmocka_unit_test(a_long_chain_is_told_link_by_link),
        cmocka_unit_test(no_more_than_the_zone_is_told),
        cmocka_unit_test(a_broken_changeset_is_not_told),
        cmocka_unit_test(what_does_not_fit_together_is_not_told),
        cmocka_unit_test(over_udp_it_is_one_message_or_none),
        cmocka_unit_test(tsig_covers_every_message),
        cmocka_unit_test(a_transfer_outlives_its_history_and_its_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
