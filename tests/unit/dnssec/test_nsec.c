#include "base/encoding.h"
#include "dns/rrtype.h"
#include "dnssec/nsec.h"
#include "support/table.h"

static void assert_hex(struct buffer *rdata, const char *hex)
{
    struct buffer text = BUFFER_EMPTY;
    hex_encode(buffer_span(rdata), &text);
    assert_string_equal(buffer_text(&text), hex);
    buffer_free(&text);
    buffer_free(rdata);
}

static void nsec_is_as_rfc_4034_shows_it(void **state)
{
    (void)state;
    /* RFC 4034 4.3: host.example.com. A MX RRSIG NSEC TYPE1234 */
    static const uint16_t types[] = {1, 15, 46, 47, 1234};
    struct dns_name next;
    struct buffer rdata = BUFFER_EMPTY;
    assert_int_equal(dns_name_from_text("host.example.com.", 17, NULL, &next), SG_OK);
    nsec_rdata_write(&next, types, ARRAY_LEN(types), &rdata);
    assert_hex(&rdata, "04686F7374076578616D706C6503636F6D00"
                       "0006400100000003041B"
                       "000000000000000000000000000000000000000000000000000020");
}

static const struct nsec3_params params = {
    .algorithm = 1, .flags = 1, .iterations = 12, .salt_length = 4, .salt = "\xaa\xbb\xcc\xdd"};

static void nsec3_has_its_flags_and_nsec3param_has_none(void **state)
{
    (void)state;
    static const uint16_t types[] = {DNS_TYPE_NS};
    static const uint8_t next[NSEC3_HASH_BYTES] = "01234567890123456789";
    struct buffer rdata = BUFFER_EMPTY;
    nsec3_rdata_write(&params, next, types, 1, &rdata);
    assert_hex(&rdata, "0101000C04AABBCCDD143031323334353637383930313233343536373839000120");
    rdata = BUFFER_EMPTY;
    nsec3param_rdata_write(&params, &rdata);
    assert_hex(&rdata, "0100000C04AABBCCDD");
}

static void an_empty_non_terminal_has_an_empty_bitmap(void **state)
{
    (void)state;
    static const uint8_t next[NSEC3_HASH_BYTES] = "01234567890123456789";
    struct buffer rdata = BUFFER_EMPTY;
    nsec3_rdata_write(&params, next, NULL, 0, &rdata);
    assert_hex(&rdata, "0101000C04AABBCCDD143031323334353637383930313233343536373839");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nsec_is_as_rfc_4034_shows_it),
        cmocka_unit_test(nsec3_has_its_flags_and_nsec3param_has_none),
        cmocka_unit_test(an_empty_non_terminal_has_an_empty_bitmap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
