#include <stdio.h>

#include "conf/conf.h"
#include "dns/rrtype.h"
#include "server/update_policy.h"
#include "support/table.h"

enum by { BY_NOBODY, BY_K, BY_HOST, BY_TCP4, BY_UDP4, BY_TCP6, BY_TCP_6TO4 };

static const struct requester {
    const char *key; /* NULL: none */
    const char *address;
    bool tcp;
} requesters[] = {
    [BY_NOBODY] = {NULL, "192.0.2.1", false},   [BY_K] = {"k", "192.0.2.1", false},
    [BY_HOST] = {"host.e", "192.0.2.1", false}, /* a SIG(0) signer */
    [BY_TCP4] = {NULL, "192.0.2.1", true},      [BY_UDP4] = {"k", "192.0.2.1", false},
    [BY_TCP6] = {NULL, "2001:db8::1", true},    [BY_TCP_6TO4] = {NULL, "2002:c000:201::5", true},
};

/* clang-format off */
static const struct row {
    const char *name;
    const char *rules;
    enum by by;
    const char *owner;
    const char *type;
    bool allowed;
    uint16_t records_max;
} rows[] = {
    {"no rule matches: denied",               "grant other zonesub;",               BY_K,      "a.e", "A",     false, 0},
    {"the first rule decides, deny",          "deny k name a.e; grant k zonesub;",  BY_K,      "a.e", "A",     false, 0},
    {"the first rule decides, grant",         "grant k zonesub; deny k name a.e;",  BY_K,      "a.e", "A",     true,  0},
    {"a rule for other types is passed over", "deny k zonesub TXT; grant k zonesub;", BY_K,    "a.e", "A",     true,  0},
    {"nobody is no key",                      "grant * zonesub ANY;",               BY_NOBODY, "a.e", "A",     false, 0},
    {"any key",                               "grant * zonesub;",                   BY_K,      "a.e", "A",     true,  0},
    {"a signer's name",                       "grant host.e zonesub;",              BY_HOST,   "a.e", "A",     true,  0},
    {"keys below a name",                     "grant *.e zonesub;",                 BY_HOST,   "a.e", "A",     true,  0},
    {"keys below another name",               "grant *.f zonesub;",                 BY_HOST,   "a.e", "A",     false, 0},
    {"a wildcard is not its parent",          "grant *.host.e zonesub;",            BY_HOST,   "a.e", "A",     false, 0},

    {"name",                                  "grant k name a.e;",                  BY_K,      "a.e", "A",     true,  0},
    {"name, not below it",                    "grant k name a.e;",                  BY_K,      "b.a.e", "A",   false, 0},
    {"subdomain, the name",                   "grant k subdomain a.e;",             BY_K,      "a.e", "A",     true,  0},
    {"subdomain, below it",                   "grant k subdomain a.e;",             BY_K,      "c.b.a.e", "A", true,  0},
    {"subdomain, beside it",                  "grant k subdomain a.e;",             BY_K,      "xa.e", "A",    false, 0},
    {"wildcard, below it",                    "grant k wildcard *.a.e;",            BY_K,      "b.a.e", "A",   true,  0},
    {"wildcard, further below",               "grant k wildcard *.a.e;",            BY_K,      "c.b.a.e", "A", true,  0},
    {"wildcard, itself",                      "grant k wildcard *.a.e;",            BY_K,      "*.a.e", "A",   true,  0},
    {"wildcard, not the parent",              "grant k wildcard *.a.e;",            BY_K,      "a.e", "A",     false, 0},
    {"zonesub, the apex",                     "grant k zonesub;",                   BY_K,      "e", "A",       true,  0},
    {"self",                                  "grant * self .;",                    BY_HOST,   "host.e", "A",  true,  0},
    {"self, not another name",                "grant * self .;",                    BY_HOST,   "x.host.e", "A", false, 0},
    {"self of another key",                   "grant k self k;",                    BY_HOST,   "host.e", "A",  false, 0},
    {"selfsub, the name",                     "grant * selfsub .;",                 BY_HOST,   "host.e", "A",  true,  0},
    {"selfsub, below it",                     "grant * selfsub .;",                 BY_HOST,   "x.host.e", "A", true, 0},
    {"selfsub, not above it",                 "grant * selfsub .;",                 BY_HOST,   "e", "A",       false, 0},
    {"selfwild, below it",                    "grant * selfwild .;",                BY_HOST,   "x.host.e", "A", true, 0},
    {"selfwild, not the name",                "grant * selfwild .;",                BY_HOST,   "host.e", "A",  false, 0},
    {"tcp-self",                              "grant * tcp-self . PTR(1);",         BY_TCP4,   "1.2.0.192.in-addr.arpa", "PTR", true, 1},
    {"tcp-self, another name",                "grant * tcp-self . PTR(1);",         BY_TCP4,   "2.2.0.192.in-addr.arpa", "PTR", false, 0},
    {"tcp-self, not over UDP",                "grant * tcp-self . PTR(1);",         BY_UDP4,   "1.2.0.192.in-addr.arpa", "PTR", false, 0},
    {"tcp-self, an identity",                 "grant *.2.0.192.in-addr.arpa tcp-self . PTR;", BY_TCP4, "1.2.0.192.in-addr.arpa", "PTR", true, 0},
    {"tcp-self, another identity",            "grant *.3.0.192.in-addr.arpa tcp-self . PTR;", BY_TCP4, "1.2.0.192.in-addr.arpa", "PTR", false, 0},
    {"tcp-self over IPv6",                    "grant * tcp-self . PTR;",            BY_TCP6,   "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "PTR", true, 0},
    {"6to4-self by IPv4",                     "grant * 6to4-self . ANY;",           BY_TCP4,   "1.0.2.0.0.0.0.c.2.0.0.2.ip6.arpa", "NS", true, 0},
    {"6to4-self by IPv6",                     "grant * 6to4-self . ANY;",           BY_TCP_6TO4, "1.0.2.0.0.0.0.c.2.0.0.2.ip6.arpa", "NS", true, 0},
    {"6to4-self of no such network",          "grant * 6to4-self . ANY;",           BY_TCP6,   "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "NS", false, 0},

    {"without types: not NS",                 "grant k zonesub;",                   BY_K,      "a.e", "NS",    false, 0},
    {"without types: not SOA",                "grant k zonesub;",                   BY_K,      "e", "SOA",     false, 0},
    {"without types: not RRSIG",              "grant k zonesub;",                   BY_K,      "e", "RRSIG",   false, 0},
    {"without types: DS",                     "grant k zonesub;",                   BY_K,      "a.e", "DS",    true,  0},
    {"ANY is all types",                      "grant k zonesub ANY;",               BY_K,      "e", "SOA",     true,  0},
    {"a list of types",                       "grant k zonesub A AAAA;",            BY_K,      "a.e", "AAAA",  true,  0},
    {"not in the list of types",              "grant k zonesub A AAAA;",            BY_K,      "a.e", "TXT",   false, 0},
    {"a number of records",                   "grant k zonesub A(4);",              BY_K,      "a.e", "A",     true,  4},
    {"a number for all types",                "grant k zonesub ANY(3);",            BY_K,      "a.e", "A",     true,  3},
    {"a type's own number",                   "grant k zonesub ANY(3) A(5);",       BY_K,      "a.e", "A",     true,  5},

    {"ms-self matches nobody",                "grant * ms-self .; ",                BY_HOST,   "host.e", "A",  false, 0},
    {"krb5-subdomain matches nobody",         "grant * krb5-subdomain e;",          BY_HOST,   "host.e", "A",  false, 0},
    {"external, a daemon that was not asked", "grant \"local:/x\" external *;",     BY_K,      "a.e", "A",     false, 0},
    {"external, yes",                         "grant \"local:/y\" external *;",     BY_K,      "a.e", "A",     true,  0},
    {"external, no",                          "grant \"local:/n\" external *;",     BY_K,      "a.e", "A",     false, 0},
    {"external, no answer",                   "grant \"local:/0\" external *;",     BY_K,      "a.e", "A",     false, 0},
    {"external, not its types",               "grant \"local:/y\" external * TXT;", BY_K,      "a.e", "A",     false, 0},
    {"external, its types",                   "grant \"local:/y\" external * A(3);", BY_K,     "a.e", "A",     true,  3},
    {"external, what was not asked",          "grant \"local:/y\" external *;",     BY_K,      "b.e", "A",     false, 0},
    {"external, nobody over UDP",             "grant \"local:/y\" external *;",     BY_NOBODY, "a.e", "A",     false, 0},
    {"external, nobody over TCP",             "grant \"local:/y\" external *;",     BY_TCP4,   "a.e", "A",     true,  0},
    {"external, no: the next rule",           "grant \"local:/n\" external *; grant k zonesub;", BY_K, "a.e", "A", true, 0},
    {"external, denied",                      "deny \"local:/y\" external *; grant k zonesub;", BY_K, "a.e", "A", false, 0},
    {"external, not denied",                  "deny \"local:/n\" external *; grant k zonesub;", BY_K, "a.e", "A", true, 0},
    {"external, a deny without an answer",    "deny \"local:/0\" external *; grant k zonesub;", BY_K, "a.e", "A", false, 0},

    {"and what follows decides",              "grant * ms-self .; grant k zonesub;", BY_K,     "a.e", "A",     true,  0},
};
/* clang-format on */

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct conf *load(const char *policy)
{
    struct conf_report report = {0};
    struct conf *conf = NULL;
    struct buffer text = BUFFER_EMPTY;
    buffer_format(&text, "zone e { type primary; file \"x\"; update-policy %s; };", policy);
    if (conf_load_text("t", buffer_span(&text), &conf, &report) != SG_OK) {
        fail_msg("%s", report.problems[0].text);
    }
    conf_report_clear(&report);
    buffer_free(&text);
    return conf;
}

static const struct conf_update_policy *policy_of(const struct conf *conf)
{
    return conf->views[0]->zones[0]->options->access.update_policy;
}

static struct update_requester requester_of(enum by by)
{
    struct update_requester requester = {.tcp = requesters[by].tcp};
    assert_int_equal(net_address_from_text(requesters[by].address, 53, &requester.client), SG_OK);
    if (requesters[by].key != NULL) {
        requester.has_key = true;
        requester.key_name = name_of(requesters[by].key);
    }
    return requester;
}

/* What three daemons have said of a.e. */
static struct update_questions answers_of_daemons(struct update_question items[3])
{
    static const char *const sockets[] = {"/y", "/n", "/0"};
    static const enum update_verdict verdicts[] = {UPDATE_VERDICT_YES, UPDATE_VERDICT_NO,
                                                   UPDATE_VERDICT_NONE};
    for (size_t i = 0; i < 3; i++) {
        items[i] = (struct update_question){.socket = (char *)(uintptr_t)sockets[i],
                                            .owner = name_of("a.e"),
                                            .type = DNS_TYPE_A,
                                            .verdict = verdicts[i]};
    }
    return (struct update_questions){.count = 3, .room = 3, .items = items};
}

static void is_decided(void **state)
{
    const struct row *row = *state;
    struct update_question items[3];
    struct update_questions answers = answers_of_daemons(items);
    char rules[300];
    snprintf(rules, sizeof(rules), "{ %s }", row->rules);
    struct conf *conf = load(rules);
    struct update_requester requester = requester_of(row->by);
    requester.questions = &answers;
    struct dns_name apex = name_of("e"), owner = name_of(row->owner);
    struct zone_update_wish wish = {.owner = &owner, .adds = true};
    uint16_t records_max = 77;
    assert_int_equal(dns_type_from_text(row->type, strlen(row->type), &wish.type), SG_OK);
    assert_int_equal(update_policy_allows(policy_of(conf), &requester, &apex, &wish, &records_max),
                     row->allowed);
    assert_int_equal(records_max, row->records_max);
    if (row->allowed) {
        assert_true(update_policy_knows(policy_of(conf), &requester));
    }
    conf_free(conf);
}

static void who_is_granted_nothing_is_not_known(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        enum by by;
        bool known;
    } cases[] = {
        {"{ grant k zonesub; }", BY_K, true},
        {"{ grant k zonesub; }", BY_HOST, false},
        {"{ deny k zonesub; }", BY_K, false},
        {"{ grant * zonesub; }", BY_NOBODY, false},
        {"{ grant * tcp-self . A; }", BY_TCP4, true},
        {"{ grant * tcp-self . A; }", BY_NOBODY, false},
        {"{ grant * krb5-self . A; }", BY_K, false},
        {"{ grant \"local:/y\" external *; }", BY_K, true},
        {"{ grant \"local:/y\" external *; }", BY_TCP4, true},
        {"{ grant \"local:/y\" external *; }", BY_NOBODY, false},
        {"{ deny \"local:/y\" external *; }", BY_K, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf *conf = load(cases[i].rules);
        struct update_requester requester = requester_of(cases[i].by);
        assert_int_equal(update_policy_knows(policy_of(conf), &requester), cases[i].known);
        conf_free(conf);
    }
}

static void local_is_the_session_key_from_here(void **state)
{
    (void)state;
    struct conf *conf = load("local");
    struct update_requester requester = requester_of(BY_K);
    struct dns_name apex = name_of("e");
    struct zone_update_wish wish = {.owner = &apex, .type = DNS_TYPE_SOA, .adds = true};
    uint16_t records_max;
    static const struct {
        const char *key, *address;
        bool allowed;
    } cases[] = {
        {"local-ddns", "127.0.0.1", true},
        {"local-ddns", "192.0.2.1", false},
        {"k", "127.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        requester.key_name = name_of(cases[i].key);
        assert_int_equal(net_address_from_text(cases[i].address, 53, &requester.client), SG_OK);
        assert_int_equal(
            update_policy_allows(policy_of(conf), &requester, &apex, &wish, &records_max),
            cases[i].allowed);
    }
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_granted_nothing_is_not_known),
        cmocka_unit_test(local_is_the_session_key_from_here),
    };
    int failed = RUN_TABLE(rows, is_decided);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
