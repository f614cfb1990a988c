#include "dnssec/sign_name.h"
#include "signing_bench.h"

static const char zone[] = "@ 300 IN SOA ns hostmaster 1 2 3 4 60\n"
                           "@ 300 IN NS ns\n"
                           "www 60 IN A 192.0.2.1\n"
                           "sub 300 IN NS ns.sub\n"
                           "sub 300 IN A 192.0.2.2\n";

struct workbench {
    struct bench bench;
    struct zone_edit *edit;
    struct sign_run run;
    struct sign_lane lane;
    struct signer *signer;
};

static void begin(struct workbench *w, const char *keys)
{
    bench_init(&w->bench, "example.", keys);
    w->edit = bench_load(&w->bench, span_of_text(zone));
    assert_int_equal(
        sign_run_init(&w->run, &w->bench.apex, &w->bench.list, &w->bench.policy, w->bench.now),
        SG_OK);
    w->run.denial_ttl = 60;
    sign_lane_init(&w->lane);
    w->signer = signer_new();
    w->lane.signer = w->signer;
}

static void end(struct workbench *w)
{
    sign_lane_clear(&w->lane);
    sign_run_clear(&w->run);
    signer_free(w->signer);
    zone_edit_abandon(w->edit);
    bench_clear(&w->bench);
    epoch_barrier();
}

/* Sign one name, give the block to the edit, and show the node as it then is. */
static struct zone_node sign_one(struct workbench *w, const char *owner_text, bool nsec)
{
    struct dns_name owner;
    struct zone_node node;
    zone_block_ref ref, base;
    assert_int_equal(dns_name_from_text(owner_text, strlen(owner_text), NULL, &owner), SG_OK);
    assert_true(zone_version_node(zone_edit_draft(w->edit), &owner, &node));
    const struct sign_name name = {
        .owner = &owner, .node = &node, .next = nsec ? &w->bench.apex : NULL};
    assert_int_equal(sign_name(&w->run, &w->lane, &name, &ref), SG_OK);
    if (ref == 0) {
        return node;
    }
    assert_int_equal(zone_edit_adopt(w->edit, w->lane.pile, &base), SG_OK);
    w->lane.pile = NULL;
    assert_int_equal(zone_edit_place(w->edit, &owner, base + ref), SG_OK);
    assert_true(zone_version_node(zone_edit_draft(w->edit), &owner, &node));
    return node;
}

static void every_key_signs_and_the_rrsigs_stand_in_order(void **state)
{
    (void)state;
    struct workbench w;
    begin(&w, "C16 C15 C13 C15");
    struct zone_node node = sign_one(&w, "www.example.", true);
    static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_NSEC};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct dns_rrset signatures, rrset;
        struct span previous = {NULL, 0};
        struct dns_name owner;
        size_t verified = 0;
        assert_int_equal(dns_name_from_text("www.example.", 12, NULL, &owner), SG_OK);
        assert_true(zone_node_rrset(&node, ZONE_VIEW_SIGNED, types[i], &rrset));
        assert_true(zone_node_signatures(&node, ZONE_VIEW_SIGNED, types[i], &signatures));
        assert_int_equal(signatures.count, 4);
        assert_int_equal(signatures.ttl, rrset.ttl);
        for (struct dns_rdata_cursor c = dns_rrset_walk(&signatures); dns_rdata_next(&c);) {
            assert_true(previous.bytes == NULL ||
                        dns_rdata_compare(DNS_TYPE_RRSIG, previous, c.rdata) < 0);
            previous = c.rdata;
            for (size_t k = 0; k < w.bench.list.count; k++) {
                verified += signer_verify(w.signer, w.bench.keys[k]->dnskey, &owner, &rrset,
                                          c.rdata, w.bench.now) == SG_OK;
            }
        }
        assert_int_equal(verified, 4);
    }
    assert_int_equal(w.lane.report.signatures, 8);
    end(&w);
}

static void an_insecure_delegation_without_nsec_gets_nothing(void **state)
{
    (void)state;
    struct workbench w;
    begin(&w, "C15");
    struct zone_node node = sign_one(&w, "sub.example.", false);
    assert_null(node.generated);
    assert_int_equal(w.lane.report.signatures, 0);
    end(&w);
}

static void a_delegation_has_a_signed_nsec_and_nothing_else(void **state)
{
    (void)state;
    struct workbench w;
    struct dns_rrset any;
    begin(&w, "C15");
    struct zone_node node = sign_one(&w, "sub.example.", true);
    assert_true(zone_node_signatures(&node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &any));
    assert_false(zone_node_signatures(&node, ZONE_VIEW_SIGNED, DNS_TYPE_NS, &any));
    assert_false(zone_node_signatures(&node, ZONE_VIEW_SIGNED, DNS_TYPE_A, &any));
    assert_true(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &any));
    assert_int_equal(any.ttl, 60);
    /* example. NS RRSIG NSEC */
    assert_int_equal(any.bytes, 2 + 9 + 2 + 6);
    assert_memory_equal(any.packed + 11, "\0\6\x20\0\0\0\0\3", 8);
    end(&w);
}

static void an_apex_of_the_longest_names_has_no_nsec3(void **state)
{
    (void)state;
    struct workbench w;
    zone_block_ref ref;
    struct dns_name apex = {.length = 224, .labels = 4};
    static const uint8_t hash[NSEC3_HASH_BYTES] = {1};
    const struct sign_nsec3 nsec3 = {.hash = hash, .next_hash = hash};
    begin(&w, "C15");
    static const uint8_t lengths[] = {55, 55, 55, 54};
    for (size_t i = 0, at = 0; i < 4; at += 1u + lengths[i++]) {
        memset(apex.wire + at + 1, 'a', lengths[i]);
        apex.wire[at] = lengths[i];
    }
    w.run.apex = &apex;
    assert_int_equal(sign_nsec3(&w.run, &w.lane, &nsec3, &ref), SG_LIMIT);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_signs_and_the_rrsigs_stand_in_order),
        cmocka_unit_test(an_insecure_delegation_without_nsec_gets_nothing),
        cmocka_unit_test(a_delegation_has_a_signed_nsec_and_nothing_else),
        cmocka_unit_test(an_apex_of_the_longest_names_has_no_nsec3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
