#include "base/mem.h"
#include "base/random.h"
#include "conf/acl.h"
#include "conf/acl_list.h"
#include "conf/load.h"
#include "support/table.h"

/*
 * Verdicts for 127.0.0.1 to 127.0.0.4, each without and with key k. All but the last group were
 * taken from BIND 9.18 itself, asked from these addresses.
 */
static const struct acl_case {
    const char *name; /* the list */
    const char *definitions;
    const char *verdicts;
} cases[] = {
    {"any;", "", "11111111"},
    {"none;", "", "00000000"},
    {"!any;", "", "00000000"},
    {"!none;", "", "11111111"},
    {"127.0.0.1;", "", "11000000"},
    {"127.0.0.2/31;", "", "00111100"},
    {"127/8; !127.0.0.1;", "", "11111111"},
    {"!127.0.0.1; 127/8;", "", "00111111"},
    {"127.0.0.4; none; !127.0.0.3;", "", "00000011"},
    {"key k;", "", "01010101"},
    {"!key k; any;", "", "10101010"},
    {"127.0.0.1; key k;", "", "11010101"},
    {"!127.0.0.1; key k;", "", "00010101"},
    {"{ 127.0.0.1; 127.0.0.2; };", "", "11110000"},
    {"!{ 127.0.0.1; 127.0.0.2; }; any;", "", "00001111"},
    {"{ !127.0.0.1; any; }; any;", "", "11111111"},
    {"{ !127.0.0.1; any; };", "", "00111111"},
    {"!{ !127.0.0.1; any; }; any;", "", "11000000"},
    {"!{ !127.0.0.1; any; }; key k;", "", "01000000"},
    {"!{ !{ 127.0.0.1; }; }; any;", "", "11111111"},
    {"{ none; }; 127.0.0.3;", "", "00001100"},
    {"{ { { !127.0.0.1; }; }; }; 127.0.0.1;", "", "11000000"},
    {"{ !127.0.0.3; any; }; !127.0.0.1; key k;", "", "11110111"},
    {"{ !127.0.0.3; none; 127.0.0.1; }; 127.0.0.4; !127.0.0.1;", "", "00000011"},
    {"n; any;", "acl n { !127.0.0.1; any; };", "11111111"},
    {"!n; any;", "acl n { !127.0.0.1; any; };", "11000000"},
    {"!n; 127.0.0.1;", "acl n { 127.0.0.2; };", "11000000"},
    {"127.0.0.3; { !127/8; }; { n5; n1; }; n2;",
     "acl n1 { 127.0.0.4; key k; }; acl n2 { 10/8; }; acl n3 { !any; 127.0.0.1; };"
     "acl n5 { { n2; !127.0.0.4; }; n3; };",
     "01011111"},
    {"!{ { 127.0.0.2; !127.0.0.4; }; n1; }; 127.0.0.1; n4;",
     "acl n1 { 127.0.0.4; key k; }; acl n4 { !127.0.0.1; n1; };", "10000000"},
    {"10/8; ::/0;", "", "00000000"},
    {"0/0;", "", "11111111"},
    {"localhost;", "", "11000000"},
    {"localnets;", "", "11111111"},
    {"!localhost; any;", "", "00111111"},
    /* Here BIND differs: a list that is negated also undoes what stood before it. First match
     * is what its manual says. */
    {"127.0.0.2; !{ 127.0.0.2; any; };", "", "00110000"},
    {"127.0.0.1; !n;", "acl n { 127.0.0.1; };", "11000000"},
};

static const struct conf_acl *query_acl(const struct conf *conf)
{
    return conf->views[0]->zones[0]->options->access.allow_query;
}

static struct net_address address_of(const char *text)
{
    struct net_address address;
    assert_int_equal(net_address_from_text(text, 53, &address), SG_OK);
    return address;
}

static struct conf *load_list(const char *definitions, const char *list)
{
    struct buffer text = BUFFER_EMPTY;

    buffer_format(&text, KEY_K "%s zone \"a\" { " PRIMARY "allow-query { %s }; };", definitions,
                  list);
    struct conf *conf = load(buffer_text(&text));
    buffer_free(&text);
    return conf;
}

static void decides(void **state)
{
    const struct acl_case *c = *state;
    static const char *const clients[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"};
    struct conf *conf = load_list(c->definitions, c->name);
    char verdicts[9] = {0};

    for (size_t i = 0; i < 8; i++) {
        struct net_address client = address_of(clients[i / 2]);
        const struct tsig_key *key = i % 2 == 1 ? conf->keys[0] : NULL;
        verdicts[i] = conf_acl_matches(query_acl(conf), &client, &client, key) ? '1' : '0';
    }
    assert_string_equal(verdicts, c->verdicts);
    conf_free(conf);
}

static void addresses_of_ipv6_match_prefixes_of_ipv6(void **state)
{
    (void)state;
    struct conf *conf = load_list("", "!2001:db8:0:1::/64; 2001:db8::/32; fe80::1; ::/3;");
    const struct {
        const char *client;
        bool yes;
    } clients[] = {
        {"2001:db8::1", true},       {"2001:db8:0:1::1", false}, {"2001:db9::1", false},
        {"fe80::1", true},           {"fe80::2", false},         {"::1", true},
        {"1fff:ffff::1", true},      {"2000::", false},          {"192.0.2.1", false},
        {"::ffff:192.0.2.1", false}, /* an IPv4 client, so ::/3 is not meant */
    };

    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        struct net_address client = address_of(clients[i].client);
        assert_int_equal(conf_acl_matches(query_acl(conf), &client, &client, NULL), clients[i].yes);
    }
    conf_free(conf);
}

static void a_mapped_address_is_an_ipv4_client(void **state)
{
    (void)state;
    struct conf *conf = load_list("", "192.0.2.0/24;");
    struct net_address client = address_of("::ffff:192.0.2.7");

    assert_true(conf_acl_matches(query_acl(conf), &client, &client, NULL));
    conf_free(conf);
}

static void equal_lists_are_one(void **state)
{
    (void)state;
    struct conf *conf =
        load("acl n { 10/8; 192.0.2.1; 192.0.2.2; 192.0.2.3; 192.0.2.4; 192.0.2.5; 192.0.2.6; "
             "192.0.2.7; };"
             "zone a { " PRIMARY "allow-query { 10/8; 192.0.2.1; 192.0.2.2; 192.0.2.3; 192.0.2.4; "
             "192.0.2.5; 192.0.2.6; 192.0.2.7; }; };"
             "zone b { type primary; file \"y\"; allow-query { { 10/8; }; 192.0.2.1; 192.0.2.2; "
             "192.0.2.3; 192.0.2.4; 192.0.2.5; 192.0.2.6; 192.0.2.7; }; };"
             "zone c { type primary; file \"z\"; allow-query { n; }; };");
    const struct conf_view *view = conf->views[0];

    assert_ptr_equal(view->zones[0]->options, view->zones[1]->options);
    assert_ptr_equal(view->zones[0]->options, view->zones[2]->options);
    conf_free(conf);
}

static void what_is_any_or_none_is_known_as_such(void **state)
{
    (void)state;
    const struct {
        const char *list;
        bool any, none, keys;
    } lists[] = {
        {"any;", true, false, false},
        {"none;", false, true, false},
        {"", false, true, false},
        {"any; none;", true, false, false},
        {"{ any; };", true, false, false},
        {"10/8; any;", false, false, false},
        {"10/8; key k;", false, false, true},
        {"{ !10/8; key k; };", false, false, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct conf *conf = load_list("", lists[i].list);
        assert_int_equal(conf_acl_is_any(query_acl(conf)), lists[i].any);
        assert_int_equal(conf_acl_is_none(query_acl(conf)), lists[i].none);
        assert_int_equal(conf_acl_has_keys(query_acl(conf)), lists[i].keys);
        conf_free(conf);
    }
}

/* --- against a naive model ---------------------------------------------------------------------
 */

static struct acl_element random_element(struct random_seeded *random)
{
    uint8_t bytes[16] = {0};
    bool ipv6 = random_seeded_below(random, 3) == 0;
    unsigned bits = ipv6 ? 128 : 32;
    unsigned length = random_seeded_below(random, 2) == 0 ? random_seeded_below(random, bits + 1)
                                                          : bits - random_seeded_below(random, 6);

    /* Few different bits, so that prefixes lie in each other. */
    bytes[0] = (uint8_t)(random_seeded_below(random, 2) << 7);
    bytes[bits / 8 - 1] = (uint8_t)random_seeded_below(random, 64);
    bytes[1] = (uint8_t)random_seeded_below(random, 2);
    for (unsigned bit = length; bit < bits; bit++) {
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] & ~(0x80u >> bit % 8));
    }
    struct acl_element element = acl_element_of_bytes(ipv6, bytes, length);
    element.negated = random_seeded_below(random, 3) == 0;
    return element;
}

static bool covers(const struct acl_element *element, const uint8_t *client, unsigned length)
{
    uint8_t bytes[16];

    if ((element->kind == ACL_PREFIX6) != (length == 16)) {
        return false;
    }
    acl_element_bytes(element, bytes);
    for (unsigned bit = 0; bit < element->prefix_length; bit++) {
        if (((bytes[bit / 8] ^ client[bit / 8]) & (0x80u >> bit % 8)) != 0) {
            return false;
        }
    }
    return true;
}

static bool naive_matches(const struct acl_element *elements, size_t count,
                          const struct net_address *client)
{
    unsigned length;
    const uint8_t *bytes = net_address_bytes(client, &length);

    for (size_t i = 0; i < count; i++) {
        if (covers(&elements[i], bytes, length)) {
            return !elements[i].negated;
        }
    }
    return false;
}

static struct net_address random_client(struct random_seeded *random)
{
    struct net_address client = {0};
    struct acl_element near = random_element(random);
    uint8_t bytes[16];

    acl_element_bytes(&near, bytes);
    bytes[near.kind == ACL_PREFIX6 ? 15 : 3] ^= (uint8_t)random_seeded_below(random, 4);
    client.at.any.sa_family = near.kind == ACL_PREFIX6 ? AF_INET6 : AF_INET;
    if (near.kind == ACL_PREFIX6) {
        memcpy(&client.at.v6.sin6_addr, bytes, 16);
    } else {
        memcpy(&client.at.v4.sin_addr, bytes, 4);
    }
    return client;
}

static void long_lists_decide_as_a_walk_over_them_does(void **state)
{
    (void)state;
    enum { LISTS = 300, ELEMENTS_MAX = 60, CLIENTS = 100 };
    struct random_seeded random = {20261122};
    struct acl_element elements[ELEMENTS_MAX];
    unsigned yes = 0;

    for (int list = 0; list < LISTS; list++) {
        struct conf_memory *memory = conf_memory_new();
        size_t count = 1 + random_seeded_below(&random, ELEMENTS_MAX);
        for (size_t i = 0; i < count; i++) {
            struct acl_element element = random_element(&random);
            memcpy(&elements[i], &element, sizeof(element));
        }
        const struct conf_acl *acl = acl_list_new(memory, elements, count, NULL);
        for (int i = 0; i < CLIENTS; i++) {
            struct net_address client = random_client(&random);
            bool expected = naive_matches(elements, count, &client);
            assert_int_equal(conf_acl_matches(acl, &client, &client, NULL), expected);
            yes += expected;
        }
        conf_memory_free(memory);
    }
    assert_in_range(yes, LISTS * CLIENTS / 10, LISTS * CLIENTS * 9 / 10);
}

static void the_ends_of_the_address_space_are_in_ranges_too(void **state)
{
    (void)state;
    struct conf_memory *memory = conf_memory_new();
    struct acl_element elements[10];
    uint8_t bytes[16];
    struct net_address last4 = address_of("255.255.255.255"), first4 = address_of("0.0.0.0");
    struct net_address last6 = address_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

    memset(bytes, 0xff, sizeof(bytes));
    memset(elements, 0, sizeof(elements));
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        uint8_t cut[16];
        unsigned length = (unsigned)(32 - i);
        memcpy(cut, bytes, sizeof(cut));
        for (unsigned bit = length; bit < 32; bit++) {
            cut[bit / 8] = (uint8_t)(cut[bit / 8] & ~(0x80u >> bit % 8));
        }
        elements[i] = acl_element_of_bytes(false, cut, length);
    }
    elements[9] = acl_element_of_bytes(true, bytes, 128);
    const struct conf_acl *acl = acl_list_new(memory, elements, ARRAY_LEN(elements), NULL);
    assert_true(conf_acl_matches(acl, &last4, &last4, NULL));
    assert_false(conf_acl_matches(acl, &first4, &first4, NULL));
    assert_true(conf_acl_matches(acl, &last6, &last6, NULL));
    conf_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_ipv6_match_prefixes_of_ipv6),
        cmocka_unit_test(a_mapped_address_is_an_ipv4_client),
        cmocka_unit_test(equal_lists_are_one),
        cmocka_unit_test(what_is_any_or_none_is_known_as_such),
        cmocka_unit_test(long_lists_decide_as_a_walk_over_them_does),
        cmocka_unit_test(the_ends_of_the_address_space_are_in_ranges_too),
    };
    return RUN_TABLE(cases, decides) | cmocka_run_group_tests(tests, NULL, NULL);
}
