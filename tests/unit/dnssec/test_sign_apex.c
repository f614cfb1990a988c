#include "dnssec/sign_apex.h"
#include "signing_bench.h"

static const char zone[] = "@ 300 IN SOA ns hostmaster 1 2 3 4 60\n"
                           "@ 300 IN NS ns\n"
                           "@ 60 IN CDS 1 13 99 0202\n"
                           "@ 60 IN CDS 3 13 99 0202\n";

#define CDS(tag) "\0\6\0" tag "\x0d\x63\2\2"

struct made {
    struct buffer bytes;
    struct dns_rrset *rrsets;
    size_t count;
    uint32_t negative_ttl;
};

static enum sg_result make(const char *text, const struct dns_rrset *ours, size_t count,
                           const struct nsec3_params *nsec3, struct made *out_made)
{
    struct bench bench;
    struct zone_node node;
    bench_init(&bench, "example.", "");
    struct zone_edit *edit = bench_load(&bench, span_of_text(text));
    assert_true(zone_version_node(zone_edit_draft(edit), &bench.apex, &node));
    const struct sign_apex apex = {&node, ours, count, 4711, nsec3};
    enum sg_result result = sign_apex_make(&apex, &out_made->bytes, &out_made->rrsets,
                                           &out_made->count, &out_made->negative_ttl);
    zone_edit_abandon(edit);
    bench_clear(&bench);
    return result;
}

static void made_clear(struct made *made)
{
    buffer_free(&made->bytes);
    mem_free(made->rrsets);
}

static void the_soa_gets_its_serial_and_sets_the_ttl_of_denial(void **state)
{
    (void)state;
    struct made made;
    assert_int_equal(make(zone, NULL, 0, NULL, &made), SG_OK);
    assert_int_equal(made.count, 1);
    assert_int_equal(made.rrsets[0].type, DNS_TYPE_SOA);
    assert_int_equal(made.rrsets[0].ttl, 300);
    struct span rdata = dns_rrset_first(&made.rrsets[0]);
    assert_int_equal(wire_get_u32(rdata.bytes + rdata.length - 20), 4711);
    assert_int_equal(wire_get_u32(rdata.bytes + rdata.length - 4), 60);
    assert_int_equal(made.negative_ttl, 60);
    made_clear(&made);
    assert_int_equal(make("@ 30 IN SOA ns hostmaster 1 2 3 4 60\n", NULL, 0, NULL, &made), SG_OK);
    assert_int_equal(made.negative_ttl, 30);
    made_clear(&made);
}

static void ours_and_theirs_are_joined_in_order(void **state)
{
    (void)state;
    static const char ours_packed[] = CDS("\2") CDS("\3") CDS("\4");
    static const char joined[] = CDS("\1") CDS("\2") CDS("\3") CDS("\4");
    const struct dns_rrset ours = {
        (const uint8_t *)ours_packed, sizeof(ours_packed) - 1, 3600, DNS_TYPE_CDS, 0, 3};
    struct made made;
    assert_int_equal(make(zone, &ours, 1, NULL, &made), SG_OK);
    assert_int_equal(made.count, 2);
    assert_int_equal(made.rrsets[1].count, 4);
    assert_int_equal(made.rrsets[1].ttl, 3600);
    assert_int_equal(made.rrsets[1].bytes, sizeof(joined) - 1);
    assert_memory_equal(made.rrsets[1].packed, joined, sizeof(joined) - 1);
    made_clear(&made);
}

/* RFC 8078 4 */
static void a_delete_stands_alone(void **state)
{
    (void)state;
    static const char delete_packed[] = "\0\5\0\0\0\0\0";
    const struct dns_rrset ours = {
        (const uint8_t *)delete_packed, sizeof(delete_packed) - 1, 3600, DNS_TYPE_CDS, 0, 1};
    struct made made;
    assert_int_equal(make(zone, &ours, 1, NULL, &made), SG_OK);
    assert_int_equal(made.count, 2);
    assert_int_equal(made.rrsets[1].count, 1);
    assert_memory_equal(made.rrsets[1].packed, delete_packed, sizeof(delete_packed) - 1);
    made_clear(&made);
}

static void an_empty_set_of_ours_leaves_theirs_alone(void **state)
{
    (void)state;
    const struct dns_rrset ours = {.type = DNS_TYPE_CDS};
    struct made made;
    assert_int_equal(make(zone, &ours, 1, NULL, &made), SG_OK);
    assert_int_equal(made.count, 1); /* the SOA */
    made_clear(&made);
}

static void nsec3param_has_ttl_0_and_no_flags(void **state)
{
    (void)state;
    const struct nsec3_params params = {.algorithm = 1, .flags = 1, .salt_length = 2, .salt = "ab"};
    struct made made;
    assert_int_equal(make(zone, NULL, 0, &params, &made), SG_OK);
    assert_int_equal(made.count, 2);
    assert_int_equal(made.rrsets[1].type, DNS_TYPE_NSEC3PARAM);
    assert_int_equal(made.rrsets[1].ttl, 0);
    assert_int_equal(made.rrsets[1].bytes, 9);
    assert_memory_equal(made.rrsets[1].packed, "\0\7\1\0\0\0\2ab", 9);
    made_clear(&made);
}

static void without_soa_there_is_nothing_to_sign(void **state)
{
    (void)state;
    struct made made;
    assert_int_equal(make("@ 300 IN NS ns\n", NULL, 0, NULL, &made), SG_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_soa_gets_its_serial_and_sets_the_ttl_of_denial),
        cmocka_unit_test(ours_and_theirs_are_joined_in_order),
        cmocka_unit_test(a_delete_stands_alone),
        cmocka_unit_test(an_empty_set_of_ours_leaves_theirs_alone),
        cmocka_unit_test(nsec3param_has_ttl_0_and_no_flags),
        cmocka_unit_test(without_soa_there_is_nothing_to_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
