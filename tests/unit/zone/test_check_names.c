#include "support/table.h"
#include "zone/check_names.h"

static const struct hostname_case {
    const char *name;
    bool host;
    bool owner; /* where a wildcard passes */
    bool mailbox;
} hostnames[] = {
    {"a.example.", true, true, true},        {".", true, true, true},
    {"A-1.exAmple.", true, true, true},      {"1.2.3.", true, true, true},
    {"a_b.example.", false, false, true},    {"a.ex_ample.", false, false, false},
    {"-a.example.", false, false, true},     {"a-.example.", false, false, true},
    {"a.-.", false, false, false},           {"*.example.", false, true, true},
    {"a.*.example.", false, false, false},   {"*", false, true, true},
    {"a\\.b.example.", false, false, true},  {"a\\032b.example.", false, false, false},
    {"\\200.example.", false, false, false},
};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct span labels_of(const struct dns_name *name)
{
    return (struct span){name->wire, name->length};
}

static void is_judged(void **state)
{
    const struct hostname_case *c = *state;
    struct dns_name name = name_of(c->name);
    assert_int_equal(check_is_hostname(labels_of(&name), false), c->host);
    assert_int_equal(check_is_hostname(labels_of(&name), true), c->owner);
    assert_int_equal(check_is_mailbox(labels_of(&name)), c->mailbox);
    /* Relative names lack their root label. */
    struct span relative = {name.wire, name.length - 1u};
    assert_int_equal(check_is_hostname(relative, false), c->host);
}

static void special_owners_need_no_hostname(void **state)
{
    (void)state;
    static const char *const special[] = {"gc._msdcs.x.", "GC._MSDCS.x.",   "a._spf.b.",
                                          "_spf.",        "x._spf_verify.", "x.y._spf_rate.z."};
    static const char *const others[] = {"x.gc._msdcs.", "_msdcs.gc.", "gc.x.", "_spfx.",
                                         "spf.",         "gc.",        "."};
    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        struct dns_name name = name_of(special[i]);
        assert_true(check_is_special_owner(labels_of(&name)));
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct dns_name name = name_of(others[i]);
        assert_false(check_is_special_owner(labels_of(&name)));
    }
}

static void addresses_are_seen_in_the_names_they_became(void **state)
{
    (void)state;
    static const char *const addresses[] = {"192.0.2.1.", "192.0.2.1.example.", "2001:db8::1.",
                                            "::1.example."};
    static const char *const names[] = {"192.0.2.",
                                        "192.0.2.256.",
                                        "a.192.0.2.1.",
                                        "1.192.0.2.1.",
                                        "192.0.2.1.net.",
                                        "example.",
                                        ".",
                                        "1.2.3.a.",
                                        "111.222.333.44455555.",
                                        "fe80.example."};
    struct dns_name apex = name_of("example.");
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct dns_name name = name_of(addresses[i]);
        assert_true(check_is_address(&name, &apex));
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct dns_name name = name_of(names[i]);
        assert_false(check_is_address(&name, &apex));
        assert_false(check_is_address(&name, &dns_name_root));
    }
}

static void an_inner_wildcard_is_not_the_first_label(void **state)
{
    (void)state;
    struct dns_name inner = name_of("a.*.b.");
    struct dns_name first = name_of("*.b.");
    struct dns_name both = name_of("*.*.");
    struct dns_name longer = name_of("a.\\*\\*.b.");
    assert_true(check_has_inner_wildcard((struct span){inner.wire, inner.length - 1u}));
    assert_true(check_has_inner_wildcard((struct span){both.wire, both.length - 1u}));
    assert_false(check_has_inner_wildcard((struct span){first.wire, first.length - 1u}));
    assert_false(check_has_inner_wildcard((struct span){longer.wire, longer.length - 1u}));
    assert_false(check_has_inner_wildcard((struct span){first.wire, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_owners_need_no_hostname),
        cmocka_unit_test(addresses_are_seen_in_the_names_they_became),
        cmocka_unit_test(an_inner_wildcard_is_not_the_first_label),
    };
    return RUN_TABLE(hostnames, is_judged) + cmocka_run_group_tests(tests, NULL, NULL);
}
