/* What a transfer may bring, and what is left out of it. */
#include "zone/transfer_scene.h"

static enum sg_result transfer_all(const struct zone_transfer_options *options, const char *text,
                                   char out_text[TEXT_BYTES_MAX])
{
    struct dns_name apex = apex_name();
    bool complete;
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, NULL, options);
    enum sg_result result = feed_text(transfer, text, NULL, &complete);
    if (result == SG_OK) {
        assert_true(complete);
        result = finish(transfer, NULL, out_text);
    }
    zone_transfer_free(transfer);
    return result;
}

static void what_a_signer_made_is_left_out_where_we_sign(void **state)
{
    (void)state;
    char text[TEXT_BYTES_MAX];
    /* The private type is the configured one, and no other. */
    struct zone_transfer_options options = {.strip_generated = true, .private_type = 65280};
    assert_int_equal(
        transfer_all(&options,
                     SOA(7) "a 60 A 192.0.2.1\na 60 NSEC e. A\n@ 0 NSEC3PARAM 1 0 0 -\n"
                            "@ 60 DNSKEY 256 3 13 AAAA\n@ 0 TYPE65280 \\# 5 0d00010001\n"
                            "@ 60 TYPE65534 \\# 5 0d00010001\n"
                            "a 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 e. AAAA\n"
                            "00000000000000000000000000000000 60 NSEC3 1 0 0 - "
                            "0123456789abcdefghijklmnopqrstuv A\n" SOA(7),
                     text),
        SG_OK);
    assert_string_equal(text, "e. 300 IN SOA ns1.e. host.e. 7 2 3 4 5\n"
                              "e. 60 IN DNSKEY 256 3 13 AAAA\n"
                              "e. 60 IN TYPE65534 \\# 5 0D00010001\na.e. 60 IN A 192.0.2.1\n");
}

static void limits_end_it(void **state)
{
    (void)state;
    char text[TEXT_BYTES_MAX];
    static const char zone[] = SOA(7) "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\n" SOA(7);
    struct zone_transfer_options options = {.records_max = 3};
    assert_int_equal(transfer_all(&options, zone, text), SG_LIMIT);
    options.records_max = 4;
    assert_int_equal(transfer_all(&options, zone, text), SG_OK);
    options.bytes_max = 60;
    assert_int_equal(transfer_all(&options, zone, text), SG_LIMIT);
}

static void a_name_has_limits_as_in_updates(void **state)
{
    (void)state;
    char text[TEXT_BYTES_MAX];
    static const char three[] =
        SOA(7) "a 60 A 192.0.2.1\na 60 A 192.0.2.2\nb 60 A 192.0.2.3\na 60 A 192.0.2.3\n" SOA(7);
    static const char types[] =
        SOA(7) "a 60 A 192.0.2.1\na 60 TXT x\nb 60 TXT x\na 60 LOC 0 0 0 N 0 0 0 E 0\n" SOA(7);
    struct zone_transfer_options options = {.records_per_type_max = 2};
    assert_int_equal(transfer_all(&options, three, text), SG_LIMIT);
    options.records_per_type_max = 3;
    assert_int_equal(transfer_all(&options, three, text), SG_OK);
    options.types_per_name_max = 2;
    assert_int_equal(transfer_all(&options, types, text), SG_LIMIT);
    options.types_per_name_max = 3;
    assert_int_equal(transfer_all(&options, types, text), SG_OK);
}

static enum sg_result change_base(const struct zone_transfer_options *options, const char *text)
{
    struct dns_name apex = apex_name();
    const struct zone_version *base = load(base_text);
    char after[TEXT_BYTES_MAX];
    bool complete;
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, base, options);
    enum sg_result result = feed_text(transfer, text, NULL, &complete);
    if (result == SG_OK) {
        assert_true(complete);
        result = finish(transfer, base, after);
    }
    zone_transfer_free(transfer);
    zone_version_unref(base);
    return result;
}

static void differences_have_limits(void **state)
{
    (void)state;
    static const char third[] = SOA(11) SOA(10) SOA(11) "www 60 A 192.0.2.82\n" SOA(11);
    static const char instead[] =
        SOA(11) SOA(10) "www 60 A 192.0.2.81\n" SOA(11) "www 60 A 192.0.2.82\n" SOA(11);
    static const char type[] = SOA(11) SOA(10) SOA(11) "www 60 TXT x\n" SOA(11);
    struct zone_transfer_options options = {.records_per_type_max = 2};
    assert_int_equal(change_base(&options, third), SG_LIMIT);
    assert_int_equal(change_base(&options, instead), SG_OK);
    options.records_per_type_max = 3;
    assert_int_equal(change_base(&options, third), SG_OK);
    options.types_per_name_max = 1;
    assert_int_equal(change_base(&options, third), SG_OK);
    assert_int_equal(change_base(&options, type), SG_LIMIT);
    /* Both have a header of ten bytes, an owner of four and a length with four more. */
    options = (struct zone_transfer_options){.differences_bytes_max = 35};
    assert_int_equal(change_base(&options, instead), SG_LIMIT);
    options.differences_bytes_max = 36;
    assert_int_equal(change_base(&options, instead), SG_OK);
}

enum { LARGE_BYTES = 60000, LARGE_RECORDS = 250 };

/* A record of a type of its own, its rdata a number and so many bytes in all. */
static void append_opaque(struct buffer *message, char label, uint32_t number, size_t bytes)
{
    buffer_append_u8(message, 1);
    buffer_append_u8(message, (uint8_t)label);
    buffer_append(message, "\1e", 3);
    buffer_append_u16(message, 65280);
    buffer_append_u16(message, DNS_CLASS_IN);
    buffer_append_u32(message, 60);
    buffer_append_u16(message, (uint16_t)bytes);
    buffer_append_u32(message, number);
    for (size_t i = 4; i < bytes; i++) {
        buffer_append_u8(message, 0);
    }
    wire_put_u16(message->bytes + 6, (uint16_t)(wire_get_u16(message->bytes + 6) + 1));
}

static void begin_message(struct buffer *message)
{
    buffer_clear(message);
    buffer_append_u16(message, 0);
    buffer_append_u16(message, DNS_FLAG_QR | DNS_FLAG_AA);
    buffer_append_u32(message, 0);
    buffer_append_u32(message, 0);
}

/* Each return to a large name loads it again: a primary that goes to and fro between two of them
 * would hold up whoever feeds what it sends, for seconds a message. */
static void nobody_goes_to_and_fro_between_large_names(void **state)
{
    (void)state;
    struct dns_name apex = apex_name();
    struct buffer message = BUFFER_EMPTY;
    bool complete;
    const struct zone_transfer_options options = {0};
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, NULL, &options);
    assert_int_equal(feed_text(transfer, SOA(7), NULL, &complete), SG_OK);
    for (char label = 'a'; label <= 'b'; label++) {
        for (uint32_t i = 0; i < LARGE_RECORDS; i++) {
            begin_message(&message);
            append_opaque(&message, label, i, LARGE_BYTES);
            assert_int_equal(zone_transfer_feed(transfer, buffer_span(&message), &complete), SG_OK);
        }
    }
    for (uint32_t i = 0; i < 20; i++) { /* once a message is fine, however often */
        begin_message(&message);
        append_opaque(&message, (char)('a' + i % 2), i, 4);
        assert_int_equal(zone_transfer_feed(transfer, buffer_span(&message), &complete), SG_OK);
    }
    begin_message(&message);
    for (uint32_t i = 0; i < 2000; i++) { /* small ones are, too */
        append_opaque(&message, (char)('c' + i % 2), i, 4);
    }
    assert_int_equal(zone_transfer_feed(transfer, buffer_span(&message), &complete), SG_OK);
    begin_message(&message);
    for (uint32_t i = 0; i < 20; i++) {
        append_opaque(&message, (char)('a' + i % 2), 0, 4);
    }
    assert_int_equal(zone_transfer_feed(transfer, buffer_span(&message), &complete), SG_LIMIT);
    zone_transfer_free(transfer);
    buffer_free(&message);
}

/* They are passed over, but not without end. */
static void what_is_out_of_zone_counts_as_well(void **state)
{
    (void)state;
    char text[TEXT_BYTES_MAX];
    static const char zone[] = SOA(7) "a 60 A 192.0.2.1\nb.f. 60 A 192.0.2.1\n" SOA(7);
    struct zone_transfer_options options = {.records_max = 3};
    assert_int_equal(transfer_all(&options, zone, text), SG_LIMIT);
    options.records_max = 4;
    assert_int_equal(transfer_all(&options, zone, text), SG_OK);
    options = (struct zone_transfer_options){.bytes_max = 1};
    while (transfer_all(&options, SOA(7) "a 60 A 192.0.2.1\n" SOA(7), text) == SG_LIMIT) {
        options.bytes_max++;
    }
    assert_int_equal(transfer_all(&options, zone, text), SG_LIMIT);
    options.bytes_max += 30;
    assert_int_equal(transfer_all(&options, zone, text), SG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_signer_made_is_left_out_where_we_sign),
        cmocka_unit_test(limits_end_it),
        cmocka_unit_test(a_name_has_limits_as_in_updates),
        cmocka_unit_test(differences_have_limits),
        cmocka_unit_test(nobody_goes_to_and_fro_between_large_names),
        cmocka_unit_test(what_is_out_of_zone_counts_as_well),
    };
    return cmocka_run_group_tests_name("transfer_limits", tests, NULL, NULL);
}
