#include "answer/axfr.h"
#include "answer/fixture.h"

enum { HOSTS = 20000, MESSAGES_MAX = 1000, LARGE_RDATA = 60000 };

static uint8_t out[DNS_MESSAGE_BYTES_MAX];

static struct axfr *start(const struct fixture *fixture, bool edns)
{
    static uint8_t wire[512];
    struct fixture_query query = {.name = "@", .type = DNS_TYPE_AXFR, .edns = edns};
    struct dns_message question;
    size_t length = fixture_query_wire(&query, wire);
    assert_int_equal(dns_message_parse((struct span){wire, length}, &question), SG_OK);
    return axfr_new(fixture->slots[0].version, &question);
}

/* One message as ldns reads it: its records are appended. */
static void collect(const uint8_t *bytes, size_t length, ldns_rr_list *records)
{
    ldns_pkt *packet;
    assert_int_equal(ldns_wire2pkt(&packet, bytes, length), LDNS_STATUS_OK);
    assert_true(ldns_pkt_aa(packet));
    assert_int_equal(ldns_pkt_id(packet), 0x1234);
    assert_int_equal(ldns_pkt_nscount(packet), 0);
    ldns_rr_list *answer = ldns_rr_list_clone(ldns_pkt_answer(packet));
    ldns_rr_list_push_rr_list(records, answer);
    ldns_rr_list_free(answer);
    ldns_pkt_free(packet);
}

static ldns_rr_list *transfer(const struct fixture *fixture)
{
    ldns_rr_list *records = ldns_rr_list_new();
    struct axfr *axfr = start(fixture, false);

    for (size_t length; (length = axfr_next(axfr, NULL, FIXTURE_NOW, out)) > 0;) {
        collect(out, length, records);
    }
    assert_int_equal(axfr_totals(axfr).records, ldns_rr_list_rr_count(records));
    axfr_free(axfr);
    return records;
}

static ldns_rr_list *read_file(const char *file)
{
    char path[512];
    ldns_zone *zone;
    snprintf(path, sizeof(path), "%s/tests/unit/answer/zones/%s", SOURCE_DIR, file);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    assert_int_equal(ldns_zone_new_frm_fp(&zone, stream, NULL, 3600, LDNS_RR_CLASS_IN),
                     LDNS_STATUS_OK);
    fclose(stream);
    ldns_rr_list *records = ldns_rr_list_clone(ldns_zone_rrs(zone));
    ldns_rr_list_push_rr(records, ldns_rr_clone(ldns_zone_soa(zone)));
    ldns_zone_deep_free(zone);
    return records;
}

static void the_signed_zone_arrives_whole_between_two_soas(void **state)
{
    static const char *const files[] = {"nsec.zone", "nsec3.zone", "optout.zone"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        static struct fixture fixture;
        fixture_load(&fixture, "@", files[i]);
        ldns_rr_list *got = transfer(&fixture);
        ldns_rr_list *expected = read_file(files[i]);
        const ldns_rr *first = ldns_rr_list_rr(got, 0);
        ldns_rr *last = ldns_rr_list_pop_rr(got);
        assert_int_equal(ldns_rr_get_type(first), LDNS_RR_TYPE_SOA);
        assert_int_equal(ldns_rr_compare(first, last), 0);
        ldns_rr_list_sort(got);
        ldns_rr_list_sort(expected);
        assert_int_equal(ldns_rr_list_rr_count(got), ldns_rr_list_rr_count(expected));
        assert_int_equal(ldns_rr_list_compare(got, expected), 0);
        ldns_rr_free(last);
        ldns_rr_list_deep_free(got);
        ldns_rr_list_deep_free(expected);
        fixture_clear(&fixture);
    }
}

/* Names that share suffixes, one record larger than a usual message. */
static void load_large(struct fixture *fixture)
{
    struct buffer text = BUFFER_EMPTY;

    buffer_append_text(&text,
                       "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n");
    for (int i = 0; i < HOSTS; i++) {
        buffer_format(&text, "host%d.sub%d A 192.0.2.%d\nhost%d.sub%d MX 10 mail.sub%d\n", i,
                      i % 100, i % 256, i, i % 100, i % 100);
    }
    buffer_format(&text, "large TYPE65280 \\# %d ", LARGE_RDATA);
    for (int i = 0; i < LARGE_RDATA; i++) {
        buffer_append_text(&text, "ab");
    }
    buffer_append_text(&text, "\n");
    fixture_load_text(fixture, "@", buffer_text(&text));
    buffer_free(&text);
}

static void messages_keep_to_16_kib_unless_a_record_needs_more(void **state)
{
    static struct fixture fixture;
    (void)state;
    load_large(&fixture);
    struct axfr *axfr = start(&fixture, true);
    ldns_rr_list *records = ldns_rr_list_new();
    unsigned messages = 0, large = 0;
    for (size_t length; (length = axfr_next(axfr, NULL, FIXTURE_NOW, out)) > 0; messages++) {
        collect(out, length, records);
        large += length > 16384 + 100;
        /* Question and OPT are in the first message only. */
        assert_int_equal(wire_get_u16(out + 4), messages == 0);
        assert_int_equal(wire_get_u16(out + 10), messages == 0);
    }
    assert_int_equal(large, 1);
    assert_int_equal(ldns_rr_list_rr_count(records), 2 * HOSTS + 4);
    assert_int_equal(axfr_totals(axfr).messages, messages);
    ldns_rr_list_deep_free(records);
    axfr_free(axfr);
    fixture_clear(&fixture);
}

static void a_record_that_fits_no_message_breaks_the_transfer(void **state)
{
    enum { HUGE_RDATA = 65530 };
    static struct fixture fixture;
    struct buffer text = BUFFER_EMPTY;
    (void)state;
    buffer_append_text(&text,
                       "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n");
    buffer_format(&text, "huge TYPE65280 \\# %d ", HUGE_RDATA);
    for (int i = 0; i < HUGE_RDATA; i++) {
        buffer_append_text(&text, "ab");
    }
    buffer_append_text(&text, "\n");
    fixture_load_text(&fixture, "@", buffer_text(&text));
    buffer_free(&text);
    struct axfr *axfr = start(&fixture, false);
    assert_true(axfr_next(axfr, NULL, FIXTURE_NOW, out) > 0);
    assert_false(axfr_totals(axfr).broken);
    assert_int_equal(axfr_next(axfr, NULL, FIXTURE_NOW, out), 0);
    assert_true(axfr_totals(axfr).broken);
    axfr_free(axfr);
    fixture_clear(&fixture);
}

static struct tsig_key key = {.algorithm = TSIG_HMAC_SHA256, .secret_length = 32};

static bool is_signed(const uint8_t *bytes, size_t length)
{
    struct dns_message message;
    assert_int_equal(dns_message_parse((struct span){bytes, length}, &message), SG_OK);
    return message.tsig_offset != 0;
}

static void tsig_covers_every_message_and_is_on_the_first_and_last(void **state)
{
    static struct fixture fixture;
    struct tsig_exchange client, server;
    struct dns_message query, response;
    const struct tsig_key *keys[] = {&key};
    uint8_t wire[1024];
    struct fixture_query asked = {.name = "@", .type = DNS_TYPE_AXFR};
    (void)state;
    key.name = fixture_name("transfer.");
    load_large(&fixture);
    size_t length = fixture_query_wire(&asked, wire);
    length = tsig_sign_request(&key, FIXTURE_NOW, wire, length, sizeof(wire), &client);
    assert_int_equal(dns_message_parse((struct span){wire, length}, &query), SG_OK);
    assert_int_equal(tsig_verify_request(&query, keys, 1, FIXTURE_NOW, &server), SG_OK);

    struct axfr *axfr = axfr_new(fixture.slots[0].version, &query);
    unsigned gap = 0, longest = 0, signed_messages = 0, messages = 0;
    while ((length = axfr_next(axfr, &server, FIXTURE_NOW, out)) > 0) {
        assert_int_equal(dns_message_parse((struct span){out, length}, &response), SG_OK);
        gap = is_signed(out, length) ? 0 : gap + 1;
        longest = gap > longest ? gap : longest;
        signed_messages += gap == 0;
        assert_true(messages > 0 || gap == 0);
        if (gap > 0) {
            tsig_skip(&client, out, length);
        } else {
            assert_int_equal(tsig_verify_response(&client, &response, FIXTURE_NOW), SG_OK);
        }
        messages++;
    }
    assert_int_equal(gap, 0);
    assert_true(signed_messages < messages);
    assert_true(longest <= 99);
    axfr_free(axfr);
    tsig_exchange_clear(&client);
    tsig_exchange_clear(&server);
    fixture_clear(&fixture);
}

static void two_transfers_do_not_disturb_each_other(void **state)
{
    static struct fixture fixture;
    static uint8_t other[DNS_MESSAGE_BYTES_MAX];
    size_t length;
    (void)state;
    load_large(&fixture);
    struct axfr *a = start(&fixture, false);
    struct axfr *b = start(&fixture, false);
    do {
        length = axfr_next(a, NULL, FIXTURE_NOW, out);
        assert_int_equal(axfr_next(b, NULL, FIXTURE_NOW, other), length);
        assert_memory_equal(out, other, length);
    } while (length > 0);
    axfr_free(a);
    axfr_free(b);
    fixture_clear(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signed_zone_arrives_whole_between_two_soas),
        cmocka_unit_test(messages_keep_to_16_kib_unless_a_record_needs_more),
        cmocka_unit_test(a_record_that_fits_no_message_breaks_the_transfer),
        cmocka_unit_test(tsig_covers_every_message_and_is_on_the_first_and_last),
        cmocka_unit_test(two_transfers_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
