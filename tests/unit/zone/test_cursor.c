#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static const struct zone_version *version_of(const char *const *names, size_t count)
{
    struct dns_name apex = name_of("example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    struct naive_rrset buffer;
    assert_int_equal(
        zone_edit_put_rrset(edit, &apex, ZONE_SOURCE, naive_set(NAIVE_SOA, 1, &buffer)), SG_OK);
    for (size_t i = 0; i < count; i++) {
        /* "ns:" in front makes a delegation. */
        bool cut = strncmp(names[i], "ns:", 3) == 0;
        struct dns_name owner = name_of(names[i] + (cut ? 3 : 0));
        enum naive_kind kind = cut ? NAIVE_NS : NAIVE_A;
        assert_int_equal(
            zone_edit_put_rrset(edit, &owner, ZONE_SOURCE, naive_set(kind, 1, &buffer)), SG_OK);
    }
    const struct zone_version *version = NULL;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static void drop(const struct zone_version *version)
{
    zone_version_unref(version);
    epoch_barrier();
}

static void expect(struct zone_cursor *cursor, const char *text, bool below_cut)
{
    struct dns_name owner, expected = name_of(text);
    assert_true(zone_cursor_next(cursor));
    zone_version_owner(cursor->version, &cursor->node, &owner);
    assert_true(dns_name_equal(&owner, &expected));
    assert_int_equal(cursor->below_cut, below_cut);
}

/* RFC 4034 6.1's own example, but for letter case. */
static void names_come_in_canonical_order(void **state)
{
    (void)state;
    static const char *const names[] = {
        "zabc.a.example.", "\\001.z.example.",    "a.example.",       "*.z.example.",
        "z.example.",      "yljkjljk.a.example.", "\\200.z.example.", "z.a.example.",
    };
    static const char *const sorted[] = {
        "example.",         "a.example.",      "yljkjljk.a.example.",
        "z.a.example.",     "zabc.a.example.", "z.example.",
        "\\001.z.example.", "*.z.example.",    "\\200.z.example.",
    };
    const struct zone_version *version = version_of(names, ARRAY_LEN(names));
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, version);
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        expect(&cursor, sorted[i], false);
    }
    assert_false(zone_cursor_next(&cursor));
    assert_false(zone_cursor_next(&cursor));
    drop(version);
}

static const char *const delegated[] = {"ns:b.example.",  "x.b.example.",  "ns:y.b.example.",
                                        "z.y.b.example.", "zz.b.example.", "bb.example.",
                                        "c.example."};

static void names_below_a_delegation_are_told(void **state)
{
    (void)state;
    const struct zone_version *version = version_of(delegated, ARRAY_LEN(delegated));
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, version);
    expect(&cursor, "example.", false);
    expect(&cursor, "b.example.", false);
    expect(&cursor, "x.b.example.", true);
    expect(&cursor, "y.b.example.", true);
    expect(&cursor, "z.y.b.example.", true);
    expect(&cursor, "zz.b.example.", true);
    expect(&cursor, "bb.example.", false);
    expect(&cursor, "c.example.", false);
    assert_false(zone_cursor_next(&cursor));
    drop(version);
}

static void a_walk_resumes_below_a_delegation(void **state)
{
    (void)state;
    const struct zone_version *version = version_of(delegated, ARRAY_LEN(delegated));
    struct zone_cursor cursor;
    struct dns_name from = name_of("xx.b.example."); /* between two names */
    zone_cursor_seek(&cursor, version, &from);
    expect(&cursor, "y.b.example.", true);
    expect(&cursor, "z.y.b.example.", true);
    expect(&cursor, "zz.b.example.", true);
    expect(&cursor, "bb.example.", false);
    from = name_of("bb.example.");
    zone_cursor_seek(&cursor, version, &from);
    expect(&cursor, "bb.example.", false);
    from = name_of("d.example.");
    zone_cursor_seek(&cursor, version, &from);
    assert_false(zone_cursor_next(&cursor));
    from = name_of("example.");
    zone_cursor_seek(&cursor, version, &from);
    expect(&cursor, "example.", false);
    drop(version);
}

static void an_empty_tree_has_no_first_name(void **state)
{
    (void)state;
    const struct zone_version *version = version_of(NULL, 0);
    struct zone_cursor cursor;
    zone_cursor_start_nsec3(&cursor, version);
    assert_false(zone_cursor_next(&cursor));
    drop(version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_in_canonical_order),
        cmocka_unit_test(names_below_a_delegation_are_told),
        cmocka_unit_test(a_walk_resumes_below_a_delegation),
        cmocka_unit_test(an_empty_tree_has_no_first_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
