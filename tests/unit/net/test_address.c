#include "base/mem.h"
#include "net/address.h"
#include "support/table.h"

/* clang-format off */
static const struct text_case {
    const char *name, *in, *out; /* out NULL: malformed */
} text_cases[] = {
    {"an IPv4 address is read and written",      "192.0.2.1",         "192.0.2.1#53"},
    {"an IPv6 address is written short",         "2001:DB8:0:0::1",   "2001:db8::1#53"},
    {"the IPv4 wildcard is an address",          "0.0.0.0",           "0.0.0.0#53"},
    {"the IPv6 wildcard is an address",          "::",                "::#53"},
    {"a scope by interface name is kept",        "fe80::1%lo",        "fe80::1%lo#53"},
    {"a scope by number is kept",                "fe80::1%1",         "fe80::1%lo#53"},
    {"an unknown interface is malformed",        "fe80::1%nosuch0",   NULL},
    {"an empty scope is malformed",              "fe80::1%",          NULL},
    {"a negative scope is malformed",            "fe80::1%-1",        NULL},
    {"a scope beyond 32 bits is malformed",      "fe80::1%4294967296", NULL},
    {"a name is not an address",                 "localhost",         NULL},
    {"three octets are not an address",          "192.0.2",           NULL},
    {"an octet above 255 is malformed",          "192.0.2.256",       NULL},
    {"nothing is not an address",                "",                  NULL},
    {"a port in the text is malformed",          "192.0.2.1#53",      NULL},
    {"a text without end is malformed",          "2001:db8:0:0:0:0:0:1000000000000000000000000000000000000000000000000000000", NULL},
};

static const struct same_case {
    const char *name, *a, *b;
    bool same;
} same_cases[] = {
    {"an address is itself",                     "192.0.2.1",         "192.0.2.1",         true},
    {"other addresses differ",                   "192.0.2.1",         "192.0.2.2",         false},
    {"a mapped address is the IPv4 address",     "::ffff:192.0.2.1",  "192.0.2.1",         true},
    {"the families do not meet otherwise",       "::",                "0.0.0.0",           false},
    {"a scope is part of a link-local address",  "fe80::1%1",         "fe80::1%2",         false},
};
/* clang-format on */

static void text_goes_both_ways(void **state)
{
    const struct text_case *c = *state;
    struct net_address address;
    char text[NET_ADDRESS_TEXT_BYTES];

    enum sg_result result = net_address_from_text(c->in, 53, &address);
    assert_int_equal(result, c->out == NULL ? SG_MALFORMED : SG_OK);
    if (c->out != NULL) {
        assert_string_equal(net_address_to_text(&address, text), c->out);
        assert_int_equal(net_address_port(&address), 53);
    }
}

static void same_host(void **state)
{
    const struct same_case *c = *state;
    struct net_address a;
    struct net_address b;

    assert_int_equal(net_address_from_text(c->a, 53, &a), SG_OK);
    assert_int_equal(net_address_from_text(c->b, 53, &b), SG_OK);
    assert_int_equal(net_address_same_host(&a, &b), c->same);
    assert_int_equal(net_address_equal(&a, &b), c->same);
    net_address_set_port(&b, 5353);
    assert_int_equal(net_address_port(&b), 5353);
    assert_int_equal(net_address_same_host(&a, &b), c->same);
    assert_false(net_address_equal(&a, &b));
}

static void wildcards_are_told_from_addresses(void **state)
{
    struct net_address address;

    (void)state;
    assert_int_equal(net_address_from_text("0.0.0.0", 53, &address), SG_OK);
    assert_true(net_address_is_wildcard(&address));
    assert_false(net_address_is_v6(&address));
    assert_int_equal(net_address_length(&address), sizeof(struct sockaddr_in));
    assert_int_equal(net_address_from_text("::", 53, &address), SG_OK);
    assert_true(net_address_is_wildcard(&address));
    assert_true(net_address_is_v6(&address));
    assert_int_equal(net_address_length(&address), sizeof(struct sockaddr_in6));
    assert_int_equal(net_address_from_text("::1", 53, &address), SG_OK);
    assert_false(net_address_is_wildcard(&address));
}

static void the_host_has_its_loopback_address(void **state)
{
    struct net_address *addresses;
    struct net_address loopback;
    size_t count;
    bool found = false;

    (void)state;
    assert_int_equal(net_address_from_text("127.0.0.1", 0, &loopback), SG_OK);
    assert_int_equal(net_address_local(&addresses, &count), SG_OK);
    for (size_t i = 0; i < count; i++) {
        found |= net_address_same_host(&addresses[i], &loopback);
        assert_int_equal(net_address_port(&addresses[i]), 0);
    }
    assert_true(found);
    mem_free(addresses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wildcards_are_told_from_addresses),
        cmocka_unit_test(the_host_has_its_loopback_address),
    };
    int failed = RUN_TABLE(text_cases, text_goes_both_ways);
    failed += RUN_TABLE(same_cases, same_host);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
