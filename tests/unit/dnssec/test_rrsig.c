#include "dnssec/rrsig.h"
#include "signing_bench.h"

enum { RRSIG_BYTES = 24 };

/* type A, algorithm, 2 labels, TTL, expiration, inception, tag, the root as signer, a signature */
static struct span rrsig_of(uint8_t *rdata, uint8_t algorithm, uint16_t tag, uint32_t inception,
                            uint32_t expiration)
{
    memset(rdata, 0, RRSIG_BYTES);
    rdata[1] = DNS_TYPE_A;
    rdata[2] = algorithm;
    rdata[3] = 2;
    wire_put_u32(rdata + 8, expiration);
    wire_put_u32(rdata + 12, inception);
    wire_put_u16(rdata + 16, tag);
    return (struct span){rdata, RRSIG_BYTES};
}

static void a_signature_is_by_the_key_of_its_algorithm_and_tag(void **state)
{
    (void)state;
    uint8_t rdata[RRSIG_BYTES];
    const struct signing_key key = {.algorithm = 13, .tag = 4711};
    struct span short_one = {rdata, 18};
    assert_true(rrsig_is_by(rrsig_of(rdata, 13, 4711, 0, 0), &key));
    assert_false(rrsig_is_by(short_one, &key));
    assert_false(rrsig_is_by(rrsig_of(rdata, 15, 4711, 0, 0), &key));
    assert_false(rrsig_is_by(rrsig_of(rdata, 13, 4712, 0, 0), &key));
}

/* RFC 4034 3.1.5: in 2106 the numbers begin again. */
static void times_are_those_nearest_to_now(void **state)
{
    (void)state;
    uint8_t rdata[RRSIG_BYTES];
    const sg_time end = (sg_time)UINT32_MAX + 1;
    struct span rrsig = rrsig_of(rdata, 13, 1, UINT32_MAX - 99, 1000);
    assert_int_equal(rrsig_inception(rrsig, end), end - 100);
    assert_int_equal(rrsig_expiration(rrsig, end), end + 1000);
    assert_int_equal(rrsig_expiration(rrsig, 500), 1000);
}

static void signatures_are_sorted(void **state)
{
    (void)state;
    uint8_t packed[3 * (2 + RRSIG_BYTES)];
    static const uint32_t unsorted[] = {30, 10, 20};
    for (int i = 0; i < 3; i++) {
        uint8_t *at = packed + i * (2 + RRSIG_BYTES);
        wire_put_u16(at, RRSIG_BYTES);
        rrsig_of(at + 2, 13, 1, 0, unsorted[i]);
    }
    rrsig_sort(packed, sizeof(packed), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wire_get_u32(packed + i * (2 + RRSIG_BYTES) + 10), 10 * (i + 1));
    }
}

static void the_earliest_of_a_name_counts(void **state)
{
    (void)state;
    struct bench bench;
    struct zone_node node;
    struct dns_name ns;
    bench_init(&bench, "example.", "K15 Z15");
    bench.policy.jitter = 0;
    const struct zone_version *version = bench_sign_text(&bench, "@ 60 IN SOA ns h 1 2 3 4 5\n"
                                                                 "@ 60 IN NS ns\n"
                                                                 "ns 60 IN A 192.0.2.1\n");
    sg_time keys = bench.now + bench.policy.validity_dnskey;
    sg_time rest = bench.now + bench.policy.validity;
    const struct zone_node *apex = zone_version_apex_node(version);
    uint16_t type;
    assert_int_equal(rrsig_first_expiration(apex, false, bench.now), keys);
    assert_int_equal(rrsig_first_expiring(apex, false, bench.now, &type), keys);
    assert_int_equal(type, DNS_TYPE_DNSKEY);
    assert_int_equal(rrsig_count_before(apex, false, bench.now, keys), 0);
    assert_int_equal(rrsig_count_before(apex, false, bench.now, keys + 1), 1);
    assert_int_equal(rrsig_count_before(apex, false, bench.now, rest + 1), 4);
    assert_int_equal(dns_name_from_text("ns.example.", 11, NULL, &ns), SG_OK);
    assert_true(zone_version_node(version, &ns, &node));
    assert_int_equal(rrsig_first_expiration(&node, false, bench.now), rest - 1);
    /* By a clock that is behind what made them none of them has begun. */
    sg_time before = bench.now - bench.policy.inception_offset - 1;
    assert_int_equal(rrsig_first_expiration(apex, false, before + 1), keys);
    assert_int_equal(rrsig_first_expiring(apex, false, before, &type), before);
    assert_int_equal(rrsig_count_before(apex, false, before, before), 0);
    assert_int_equal(rrsig_count_before(apex, false, before, before + 1), 4);
    node.generated = NULL;
    assert_int_equal(rrsig_first_expiration(&node, false, bench.now), INT64_MAX);
    zone_version_unref(version);
    bench_clear(&bench);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_by_the_key_of_its_algorithm_and_tag),
        cmocka_unit_test(times_are_those_nearest_to_now),
        cmocka_unit_test(signatures_are_sorted),
        cmocka_unit_test(the_earliest_of_a_name_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
