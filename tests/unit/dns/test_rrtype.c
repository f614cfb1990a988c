#include <ldns/ldns.h>
#include <stdlib.h>

#include "dns/rrtype.h"
#include "support/table.h"

static void types_are_called_as_ldns_calls_them(void **state)
{
    (void)state;
    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        char text[DNS_TYPE_TEXT_BYTES];
        char *theirs = ldns_rr_type2str((ldns_rr_type)type);
        assert_string_equal(dns_type_to_text((uint16_t)type, text), theirs);
        free(theirs);

        uint16_t again = 0;
        assert_int_equal(dns_type_from_text(text, strlen(text), &again), SG_OK);
        assert_int_equal(again, type);
    }
}

static void generic_names_stand_for_known_types_too(void **state)
{
    (void)state;
    uint16_t type = 0;
    assert_int_equal(dns_type_from_text("type1", 5, &type), SG_OK);
    assert_int_equal(type, DNS_TYPE_A);
    assert_int_equal(dns_type_from_text("TYPE65535", 9, &type), SG_OK);
    assert_int_equal(type, 65535);
}

/* clang-format off */
static const struct type_case {
    const char *text;
    int type; /* -1: SG_MALFORMED */
} type_cases[] = {
    {"a", 1}, {"aAaA", 28}, {"nsec3param", 51}, {"NSEC3", 50}, {"NSEC", 47}, {"NS", 2},
    {"openpgpkey", 61}, {"AVC", 258}, {"UINFO", 100}, {"UID", 101}, {"GID", 102}, {"UNSPEC", 103}, {"amtrelay", 260}, {"RESINFO", 261}, {"TA", 32768},
    {"AMTRELAYX", -1}, {"NSEC3P", -1}, {"NSEC3PARAN", -1}, {"N", -1}, {"ZZZZ", -1}, {"0", -1},
    {"", -1}, {"TYPE", -1}, {"TYPE65536", -1}, {"TYPE-1", -1}, {"TYPE1x", -1}, {"TYPE999999", -1},
    {"NSAP-PTR", 23}, {"NSAP_PTR", -1}, {"OPENPGPKEYS", -1},
};

static const struct class_case {
    const char *text;
    int rrclass;
    const char *out;
} class_cases[] = {
    {"in", 1, "IN"}, {"CH", 3, "CH"}, {"chaos", 3, "CH"}, {"HS", 4, "HS"}, {"HESIOD", 4, "HS"},
    {"any", 255, "ANY"}, {"NONE", 254, "NONE"}, {"CLASS1", 1, "IN"}, {"CLASS32", 32, "CLASS32"},
    {"CLASS65536", -1, NULL}, {"I", -1, NULL}, {"INN", -1, NULL}, {"", -1, NULL},
};
/* clang-format on */

static void type_text_is_read(void **state)
{
    const struct type_case *c = *state;
    uint16_t type = 7;
    enum sg_result result = dns_type_from_text(c->text, strlen(c->text), &type);
    assert_int_equal(result, c->type >= 0 ? SG_OK : SG_MALFORMED);
    assert_int_equal(type, c->type >= 0 ? c->type : 7);
}

static void class_text_is_read(void **state)
{
    const struct class_case *c = *state;
    uint16_t rrclass = 7;
    enum sg_result result = dns_class_from_text(c->text, strlen(c->text), &rrclass);
    assert_int_equal(result, c->rrclass >= 0 ? SG_OK : SG_MALFORMED);
    if (c->rrclass >= 0) {
        char text[DNS_TYPE_TEXT_BYTES];
        assert_int_equal(rrclass, c->rrclass);
        assert_string_equal(dns_class_to_text(rrclass, text), c->out);
    }
}

static void rcodes_have_names(void **state)
{
    (void)state;
    assert_string_equal(dns_rcode_to_text(DNS_RCODE_NOERROR), "NOERROR");
    assert_string_equal(dns_rcode_to_text(DNS_RCODE_NOTZONE), "NOTZONE");
    assert_string_equal(dns_rcode_to_text(DNS_RCODE_BADVERS), "BADVERS");
    assert_string_equal(dns_rcode_to_text(DNS_RCODE_BADTRUNC), "BADTRUNC");
    assert_string_equal(dns_rcode_to_text(12), "RESERVED");
    assert_string_equal(dns_rcode_to_text(4095), "RESERVED");
}

static void kinds_of_types(void **state)
{
    (void)state;
    assert_true(dns_type_is_meta(0) && dns_type_is_meta(DNS_TYPE_OPT));
    assert_true(dns_type_is_meta(DNS_TYPE_TSIG) && dns_type_is_meta(DNS_TYPE_ANY));
    assert_true(dns_type_is_meta(128) && !dns_type_is_meta(127) && !dns_type_is_meta(256));
    assert_true(dns_type_is_singleton(DNS_TYPE_SOA) && !dns_type_is_singleton(DNS_TYPE_NS));
    assert_true(dns_type_is_generated(DNS_TYPE_NSEC3) && !dns_type_is_generated(DNS_TYPE_DNSKEY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_called_as_ldns_calls_them),
        cmocka_unit_test(generic_names_stand_for_known_types_too),
        cmocka_unit_test(rcodes_have_names),
        cmocka_unit_test(kinds_of_types),
    };
    return RUN_TABLE(type_cases, type_text_is_read) + RUN_TABLE(class_cases, class_text_is_read) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
