#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/draft.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static void put(struct zone_edit *edit, const char *owner, enum zone_layer layer,
                enum naive_kind kind, unsigned variant)
{
    struct dns_name name = name_of(owner);
    struct naive_rrset buffer;
    assert_int_equal(zone_edit_put_rrset(edit, &name, layer, naive_set(kind, variant, &buffer)),
                     SG_OK);
}

static const struct zone_version *next(const struct zone_version **version, struct zone_edit *edit)
{
    const struct zone_version *sealed = NULL;
    assert_int_equal(zone_edit_seal(edit, &sealed), SG_OK);
    zone_version_unref(*version);
    *version = sealed;
    return sealed;
}

/* A fact comes with the first record that makes it true, and goes with the last. */
static void facts_come_and_go_with_their_records(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    const struct zone_version *version = NULL;
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    put(edit, "example.", ZONE_SOURCE, NAIVE_SOA, 4);
    put(edit, "example.", ZONE_SOURCE, NAIVE_NS, 4);
    const struct zone_facts *facts = zone_version_facts(next(&version, edit));
    assert_int_equal(facts->serial, 4);
    assert_int_equal(facts->source_serial, 4);
    assert_int_equal(facts->negative_ttl, 60);
    assert_int_equal(facts->ttl_max, 304);
    assert_int_equal(facts->names, 1);
    assert_int_equal(facts->records, 2);
    assert_false(facts->has_wildcards || facts->has_cuts_or_dnames || facts->signed_here);
    assert_int_equal(facts->denial, ZONE_DENIAL_NONE);
    assert_true(facts->bytes > 500 && facts->bytes < 3000);

    edit = zone_edit_open(version);
    put(edit, "*.example.", ZONE_SOURCE, NAIVE_A, 8);
    put(edit, "c.example.", ZONE_SOURCE, NAIVE_NS, 8);
    put(edit, "example.", ZONE_GENERATED, NAIVE_SOA, 9);
    put(edit, "example.", ZONE_GENERATED, NAIVE_NSEC, 9);
    put(edit, "*.example.", ZONE_GENERATED, NAIVE_SIG_A, 3);
    facts = zone_version_facts(next(&version, edit));
    assert_int_equal(facts->serial, 9);
    assert_int_equal(facts->source_serial, 4);
    assert_int_equal(facts->names, 3);
    assert_int_equal(facts->records, 2 + 1 + 1 + 4 + 1); /* the SOA counts once */
    assert_true(facts->has_wildcards && facts->has_cuts_or_dnames && facts->signed_here);
    assert_int_equal(facts->denial, ZONE_DENIAL_NSEC);
    assert_int_equal(facts->ttl_max, 308);

    edit = zone_edit_open(version);
    put(edit, "*.example.", ZONE_SOURCE, NAIVE_A, 0); /* and its signatures with it */
    put(edit, "c.example.", ZONE_SOURCE, NAIVE_NS, 0);
    zone_edit_clear_generated(edit);
    facts = zone_version_facts(next(&version, edit));
    assert_int_equal(facts->serial, 4);
    assert_int_equal(facts->names, 1);
    assert_int_equal(facts->records, 2);
    assert_false(facts->has_wildcards || facts->has_cuts_or_dnames || facts->signed_here);
    assert_int_equal(facts->denial, ZONE_DENIAL_NONE);
    assert_int_equal(facts->ttl_max, 308); /* a high-water mark: caches may still hold it */
    zone_version_unref(version);
    epoch_barrier();
}

static zone_block_ref nsec3_block(struct zone_pile *pile, char letter, uint8_t flags)
{
    uint8_t owner[33] = {32};
    memset(owner + 1, letter, 32);
    uint8_t packed[28] = {0, 26, 1, flags, 0, 0, 0, 20};
    struct dns_rrset rrset = {
        .packed = packed, .bytes = 28, .count = 1, .ttl = 60, .type = DNS_TYPE_NSEC3};
    zone_block_ref block;
    assert_int_equal(zone_pile_add(pile, (struct span){owner, 33}, &rrset, 1, &block), SG_OK);
    return block;
}

static void nsec3_records_come_from_a_pile_and_go(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    const struct zone_version *version = NULL;
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    put(edit, "example.", ZONE_SOURCE, NAIVE_SOA, 1);
    static const uint8_t params[] = {0, 5, 1, 0, 0, 0, 0};
    struct dns_rrset rrset = {
        .packed = params, .bytes = 7, .count = 1, .type = DNS_TYPE_NSEC3PARAM};
    assert_int_equal(zone_edit_put_rrset(edit, &apex, ZONE_GENERATED, &rrset), SG_OK);
    struct zone_pile *pile = zone_pile_new();
    zone_block_ref plain = nsec3_block(pile, 'a', 0), opt_out = nsec3_block(pile, 'v', 1), base;
    assert_int_equal(zone_edit_adopt(edit, pile, &base), SG_OK);
    assert_int_equal(zone_edit_place_nsec3(edit, base + plain), SG_OK);
    assert_int_equal(zone_edit_place_nsec3(edit, base + opt_out), SG_OK);
    const struct zone_facts *facts = zone_version_facts(next(&version, edit));
    assert_int_equal(facts->denial, ZONE_DENIAL_NSEC3);
    assert_true(facts->opt_out);
    assert_int_equal(facts->records, 4);
    assert_int_equal(facts->names, 1);

    struct dns_name hash = name_of("vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv.example.");
    edit = zone_edit_open(version);
    assert_int_equal(zone_edit_remove_nsec3(edit, &hash), SG_OK);
    assert_int_equal(zone_edit_remove_nsec3(edit, &hash), SG_NOT_FOUND);
    facts = zone_version_facts(next(&version, edit));
    assert_int_equal(facts->denial, ZONE_DENIAL_NSEC3);
    assert_false(facts->opt_out);
    assert_int_equal(facts->records, 3);

    edit = zone_edit_open(version);
    zone_edit_clear_nsec3(edit);
    facts = zone_version_facts(next(&version, edit));
    assert_int_equal(facts->denial, ZONE_DENIAL_NONE); /* the parameters have no chain */
    assert_int_equal(facts->records, 2);
    zone_version_unref(version);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_come_and_go_with_their_records),
        cmocka_unit_test(nsec3_records_come_from_a_pile_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
