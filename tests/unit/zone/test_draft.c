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

static void add(struct zone_edit *edit, const char *owner, enum naive_kind kind, unsigned index)
{
    struct dns_name name = name_of(owner);
    uint8_t rdata[600];
    uint32_t ttl;
    size_t length = naive_rdata(kind, 3, index, rdata);
    assert_int_equal(zone_edit_add_record(edit, &name, naive_type(kind), 300,
                                          (struct span){rdata, length}, &ttl),
                     SG_OK);
}

static void nothing_reaches_the_tree_before_it_is_asked_for(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    add(edit, "example.", NAIVE_SOA, 0);
    add(edit, "a.example.", NAIVE_A, 0);
    add(edit, "b.example.", NAIVE_A, 0);
    add(edit, "a.example.", NAIVE_A, 1); /* again, behind another */
    assert_true(tree_is_empty(&edit->draft->names));
    const struct zone_version *draft = zone_edit_draft(edit);
    assert_null(edit->bulk);
    assert_int_equal(zone_version_facts(draft)->names, 3);
    assert_int_equal(zone_version_facts(draft)->records, 4);
    /* From now on each owner goes into the tree when the next one comes. */
    add(edit, "a.example.", NAIVE_A, 2);
    add(edit, "b.example.", NAIVE_TXT, 0);
    draft = zone_edit_draft(edit);
    assert_int_equal(zone_version_facts(draft)->records, 6);
    zone_version_check(draft);
    zone_edit_abandon(edit);
}

static void hashes_and_names_do_not_mix(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct dns_name owner = name_of("0123.example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    add(edit, "example.", NAIVE_SOA, 0);
    add(edit, "0123.example.", NAIVE_A, 0);
    const uint8_t nsec3[] = {1, 0, 0, 0, 0, 1, 7};
    uint8_t rrsig[40] = {0, DNS_TYPE_NSEC3};
    uint32_t ttl;
    assert_int_equal(
        zone_edit_add_record(edit, &owner, DNS_TYPE_NSEC3, 60, (struct span){nsec3, 7}, &ttl),
        SG_OK);
    assert_int_equal(
        zone_edit_add_record(edit, &owner, DNS_TYPE_RRSIG, 60, (struct span){rrsig, 40}, &ttl),
        SG_OK);
    rrsig[1] = DNS_TYPE_A;
    assert_int_equal(
        zone_edit_add_record(edit, &owner, DNS_TYPE_RRSIG, 60, (struct span){rrsig, 40}, &ttl),
        SG_OK);
    const struct zone_version *draft = zone_edit_draft(edit);
    struct zone_cursor cursor;
    zone_cursor_start_nsec3(&cursor, draft);
    assert_true(zone_cursor_next(&cursor));
    assert_int_equal(block_records(cursor.node.source), 2);
    assert_false(zone_cursor_next(&cursor));
    struct zone_node node;
    assert_true(zone_version_node(draft, &owner, &node));
    assert_int_equal(block_records(node.source), 2);
    struct dns_rrset found;
    assert_false(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC3, &found));
    assert_int_equal(zone_version_facts(draft)->records, 5);
    zone_edit_abandon(edit);
}

static void a_name_goes_with_its_last_source_rrset(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct dns_name owner = name_of("a.example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    struct naive_rrset buffer;
    add(edit, "example.", NAIVE_SOA, 0);
    add(edit, "a.example.", NAIVE_A, 0);
    assert_int_equal(
        zone_edit_put_rrset(edit, &owner, ZONE_GENERATED, naive_set(NAIVE_NSEC, 1, &buffer)),
        SG_OK);
    assert_int_equal(zone_version_facts(zone_edit_draft(edit))->records, 3);
    assert_int_equal(zone_edit_put_rrset(edit, &owner, ZONE_SOURCE, naive_set(NAIVE_A, 0, &buffer)),
                     SG_OK);
    struct zone_node node;
    assert_false(zone_version_node(zone_edit_draft(edit), &owner, &node));
    assert_int_equal(zone_version_facts(zone_edit_draft(edit))->records, 1);
    assert_int_equal(
        zone_edit_put_rrset(edit, &owner, ZONE_GENERATED, naive_set(NAIVE_NSEC, 1, &buffer)),
        SG_NOT_FOUND);
    zone_edit_abandon(edit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_reaches_the_tree_before_it_is_asked_for),
        cmocka_unit_test(hashes_and_names_do_not_mix),
        cmocka_unit_test(a_name_goes_with_its_last_source_rrset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
