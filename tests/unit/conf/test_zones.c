#include "base/mem.h"
#include "conf/load.h"
#include "support/table.h"

#define ZONE(text) "zone \"a\" { " text " };"
#define SECONDARY  "type secondary; primaries { 192.0.2.1; }; "

#define HASH    "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
#define STORE_S "key-store s { directory \".\"; }; "
#define POLICY_OF_STORE(name)                                                                      \
    "dnssec-policy " name " { keys { csk key-store s lifetime unlimited algorithm 13; }; }; "

static const struct text_case cases[] = {
    {"a primary zone", ZONE(PRIMARY), false, NULL},
    {"a zone without a type", ZONE("file \"x\";"), true, "zone 'a': 'type' not present"},
    {"a type that is none", ZONE("type foo;"), true, "found 'foo'"},
    {"a primary zone without a file", ZONE("type primary;"), true,
     "zone 'a': missing 'file' entry"},
    {"a secondary zone", ZONE(SECONDARY), false, NULL},
    {"a secondary zone without primaries", ZONE("type secondary;"), true,
     "zone 'a': missing 'primaries' entry"},
    {"a secondary zone with none", ZONE("type secondary; primaries { };"), true,
     "zone 'a': empty 'primaries' entry"},
    {"by both words", ZONE(SECONDARY "masters { ::1; };"), true, "cannot both be used"},
    {"a signed secondary zone needs a file", ZONE(SECONDARY "dnssec-policy default;"), true,
     "missing 'file' entry, which inline-signing needs"},
    {"a signed secondary zone", ZONE(SECONDARY "file \"x\"; dnssec-policy default;"), false, NULL},
    {"a name that is none", "zone \"a..b\" { " PRIMARY " };", true, "expected a domain name"},
    {"the root", "zone . { " PRIMARY " };", false, NULL},
    {"two zones of a name", ZONE(PRIMARY) "\nzone A. { type primary; file \"y\"; };", true,
     "t:2:6: zone 'A.': already exists previous definition: t:1"},
    {"another class", "zone a CH { " PRIMARY " };", true, "wrong class for view '_default'"},
    {"a class that is none", "zone a XX { " PRIMARY " };", true, "unknown class 'XX'"},
    {"a file of two static zones", ZONE(PRIMARY) "zone b { " PRIMARY " };", false, NULL},
    {"a file of two zones that change",
     ZONE(PRIMARY "allow-update { any; };") "zone b { " PRIMARY " };", true,
     "zone 'b': writeable file 'x': already in use: t:1"},
    {"a hint zone", "zone . { type hint; file \"x\"; };", false,
     "warning: zone '.' of type 'hint' is ignored: only a resolver has hints"},
    {"a forward zone", ZONE("type forward; forwarders { ::1; };"), false,
     "warning: zone 'a' of type 'forward' is ignored"},
    {"a policy without inline signing or updates",
     ZONE(PRIMARY "dnssec-policy default; "
                  "inline-signing no;"),
     true,
     "zone 'a': 'inline-signing yes;' must also be configured explicitly for zones using "
     "dnssec-policy without a configured 'allow-update' or 'update-policy'. See "
     "https://kb.isc.org/docs/dnssec-policy-requires-dynamic-dns-or-inline-signing"},
    {"a policy with updates",
     ZONE(PRIMARY "dnssec-policy default; inline-signing no; "
                  "allow-update { ::1; };"),
     false, NULL},
    {"updates by nobody are none",
     ZONE(PRIMARY "dnssec-policy default; inline-signing no; "
                  "allow-update { none; };"),
     true, "must also be configured explicitly"},
    {"a policy and a largest TTL", ZONE(PRIMARY "dnssec-policy default; max-zone-ttl 1d;"), true,
     "option 'max-zone-ttl' cannot be used together with 'dnssec-policy'"},
    {"no policy and a largest TTL", ZONE(PRIMARY "dnssec-policy none; max-zone-ttl 1d;"), false,
     NULL},
    {"answers to be proven, without an anchor",
     ZONE(PRIMARY "dnssec-policy default; checkds-validate yes;"), true,
     "zone 'a': 'checkds-validate' needs 'trust-anchors' of a name above it"},
    {"answers to be proven, with an anchor beside",
     "trust-anchors { b static-ds 1 8 2 \"" HASH "\"; a static-ds 1 8 2 \"" HASH
     "\"; };" ZONE(PRIMARY "dnssec-policy default; checkds-validate yes;"),
     true, "needs 'trust-anchors' of a name above it"},
    {"answers to be proven, with an anchor above",
     "trust-anchors { . static-ds 1 8 2 \"" HASH
     "\"; };" ZONE(PRIMARY "dnssec-policy default; checkds-validate yes;"),
     false, NULL},
    {"answers to be proven that nobody gives",
     ZONE(PRIMARY "dnssec-policy default; checkds no; checkds-validate yes;"), false, NULL},
    {"answers to be proven of no key", ZONE(PRIMARY "checkds-validate yes;"), false, NULL},
    {"a command with its path", ZONE(PRIMARY "ds-submit-command \"/bin/x y\";"), false, NULL},
    {"no command", ZONE(PRIMARY "ds-retract-command \"\";"), false, NULL},
    {"a command without its path", ZONE(PRIMARY "ds-submit-command \"x y\";"), true,
     "'ds-submit-command' must begin with the program's absolute path"},
    {"raw files of a primary", ZONE(PRIMARY "masterfile-format raw;"), true,
     "masterfile-format raw is not supported: convert"},
    {"raw files of a secondary", ZONE(SECONDARY "masterfile-format raw;"), false,
     "files of secondary zones are written as text"},
    {"a zone outside of views", "view v { }; " ZONE(PRIMARY), true,
     "when using 'view' statements, all zones must be in views"},
    {"two views of a name", "view v { }; view v { };", true, "view 'v' already exists"},
    {"an option of the whole server", "view v { edns-udp-size 512; };", false,
     "'edns-udp-size' has no effect in a view: set it in options"},
    {"recursion in a view", "view v { recursion yes; };", false, "'recursion yes' is ignored"},
    {"in-view", "view v { " ZONE(PRIMARY) " }; view w { " ZONE("in-view v;") " };", false, NULL},
    {"in-view of a view to come",
     "view w { " ZONE("in-view v;") " }; view v { " ZONE(PRIMARY) " };", true,
     "must name a view that is defined before, 'v' is none"},
    {"in-view of itself", "view v { " ZONE("in-view v;") " };", true, "'v' is none"},
    {"in-view without the zone", "view v { }; view w { " ZONE("in-view v;") " };", true,
     "zone 'a' is not in view 'v'"},
    {"in-view and more",
     "view v { " ZONE(PRIMARY) " }; view w { " ZONE("in-view v; file \"y\";") " };", true,
     "option 'file' is not allowed in 'in-view' zone 'a'"},
    {"keys of one zone in two views by two policies",
     POLICY_P "dnssec-policy q { }; view v { " ZONE(
         PRIMARY "dnssec-policy p;") " };\n view w { "
                                     "zone a { type primary; file \"y\"; dnssec-policy q; }; };",
     true, "key-directory '.' already in use by zone a with policy p: t:2"},
    {"by two policies in one key-store",
     STORE_S POLICY_OF_STORE("p") POLICY_OF_STORE("q") "view v { " ZONE(
         PRIMARY
         "dnssec-policy p; key-directory \"k\";") " };\n view w { "
                                                  "zone a { type primary; file \"y\"; "
                                                  "dnssec-policy q; key-directory \"l\"; }; };",
     true, "key-store 's' already in use by zone a with policy p and key-directory 'k': t:1"},
    {"some of them in one key-store, some not",
     STORE_S POLICY_OF_STORE("p") "view v { " ZONE(
         PRIMARY
         "dnssec-policy p; key-directory \"k\";") " };\n view w { "
                                                  "zone a { type primary; file \"y\"; "
                                                  "dnssec-policy p; key-directory \"l\"; }; };",
     true, "key-store 's' already in use by zone a with policy p and key-directory 'k': t:1"},
    {"all in one key-store",
     STORE_S POLICY_OF_STORE("p") "view v { " ZONE(
         PRIMARY "dnssec-policy p;") " };\n view w { "
                                     "zone a { type primary; file \"y\"; dnssec-policy p; }; };",
     false, NULL},
    {"by one policy",
     "view v { " ZONE(PRIMARY "dnssec-policy default;") " }; view w { "
                                                        "zone a { type primary; file \"y\"; "
                                                        "dnssec-policy default; }; };",
     false, NULL},
    {"in two directories",
     POLICY_P "view v { " ZONE(
         PRIMARY "dnssec-policy p;") " }; view w { "
                                     "zone a { type primary; file \"y\"; dnssec-policy default; "
                                     "key-directory \"k\"; }; };",
     false, NULL},
};

static const struct conf_zone *zone_of(const struct conf *conf, size_t index)
{
    return conf->views[0]->zones[index];
}

static void the_nearest_layer_wins(void **state)
{
    (void)state;
    struct conf *conf =
        load("options { notify no; max-records 1; check-names primary ignore; };"
             "view v { notify explicit; max-records 2;"
             "  zone a { " PRIMARY "max-records 3; };"
             "  zone b { type primary; file \"y\"; notify yes; check-names warn; }; };"
             "view w { zone a { " PRIMARY " }; };");
    const struct conf_zone_options *a = zone_of(conf, 0)->options, *b = zone_of(conf, 1)->options;
    const struct conf_zone_options *w = conf->views[1]->zones[0]->options;

    assert_int_equal(a->notify.mode, CONF_NOTIFY_EXPLICIT);
    assert_int_equal(a->limits.records_max, 3);
    assert_int_equal(a->checks.names, CHECK_IGNORE);
    assert_int_equal(b->notify.mode, CONF_NOTIFY_YES);
    assert_int_equal(b->limits.records_max, 2);
    assert_int_equal(b->checks.names, CHECK_WARN);
    assert_int_equal(w->notify.mode, CONF_NOTIFY_NO);
    assert_int_equal(w->limits.records_max, 1);
    conf_free(conf);
}

static void a_zone_is_signed_by_the_nearest_policy(void **state)
{
    (void)state;
    struct conf *conf = load(POLICY_P "options { dnssec-policy p; };"
                                      "zone a { " PRIMARY " };"
                                      "zone b { type primary; file \"b\"; dnssec-policy default; };"
                                      "zone c { type primary; file \"c\"; dnssec-policy none; };"
                                      "zone d { type primary; file \"d\"; allow-update { ::1; };"
                                      "         inline-signing no; };");

    assert_string_equal(zone_of(conf, 0)->policy->name, "p");
    assert_true(zone_of(conf, 0)->inline_signing);
    assert_string_equal(zone_of(conf, 1)->policy->name, "default");
    assert_null(zone_of(conf, 2)->policy);
    assert_false(zone_of(conf, 2)->inline_signing);
    assert_false(zone_of(conf, 3)->inline_signing);
    assert_true(conf_zone_is_dynamic(zone_of(conf, 3)));
    conf_free(conf);
}

static void keys_lie_where_they_are_said_to_or_where_the_server_is(void **state)
{
    (void)state;
    struct conf *conf = load("options { directory \"/d\"; };" ZONE(
        PRIMARY) "zone b { type primary; file \"b\"; key-directory \"k\"; };");
    assert_string_equal(zone_of(conf, 0)->key_directory, "/d");
    assert_string_equal(zone_of(conf, 1)->key_directory, "k");
    conf_free(conf);
    conf = load(ZONE(PRIMARY));
    assert_string_equal(zone_of(conf, 0)->key_directory, ".");
    conf_free(conf);
}

static void one_bound_of_checkds_said_alone_counts(void **state)
{
    static const struct {
        const char *said;
        sg_duration low, high;
    } bounds[] = {
        {"", 60, 3600},
        {"max-checkds-time 5;", 5, 5},
        {"min-checkds-time 7200;", 7200, 7200},
        {"min-checkds-time 2; max-checkds-time 9;", 2, 9},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        char *text = mem_format("zone a { " PRIMARY " %s };", bounds[i].said);
        struct conf *conf = load(text);
        const struct conf_zone_parent *parent = &zone_of(conf, 0)->options->parent;
        assert_int_equal(parent->retry_min, bounds[i].low);
        assert_int_equal(parent->retry_max, bounds[i].high);
        conf_free(conf);
        mem_free(text);
    }
}

static void checkds_follows_the_parental_agents(void **state)
{
    (void)state;
    struct conf *conf = load("zone a { " PRIMARY " };"
                             "zone b { " PRIMARY "parental-agents { ::1; }; };"
                             "zone c { " PRIMARY "parental-agents { ::1; }; checkds no; };"
                             "zone d { " PRIMARY "checkds explicit; };");
    static const enum conf_checkds expected[] = {CONF_CHECKDS_YES, CONF_CHECKDS_EXPLICIT,
                                                 CONF_CHECKDS_NO, CONF_CHECKDS_EXPLICIT};

    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_int_equal(zone_of(conf, i)->options->parent.checkds, expected[i]);
    }
    conf_free(conf);
}

static void a_zone_knows_its_name_and_where_it_stands(void **state)
{
    (void)state;
    struct conf *conf = load("\n\n  zone \"Example.ORG\" { " PRIMARY " };");
    const struct conf_zone *zone = zone_of(conf, 0);
    struct dns_name apex;
    char text[DNS_NAME_TEXT_BYTES];

    conf_zone_apex(zone, &apex);
    assert_string_equal(zone->name, "Example.ORG");
    assert_string_equal(dns_name_to_text(&apex, text), "example.org.");
    assert_string_equal(zone->source_file, "t");
    assert_int_equal(zone->source_line, 3);
    assert_int_equal(zone->source_column, 3);
    assert_string_equal(zone->view->name, "_default");
    conf_free(conf);
}

static void a_shared_zone_is_the_other_views(void **state)
{
    (void)state;
    struct conf *conf = load("view v { " ZONE(PRIMARY) " }; view w { " ZONE(
        "in-view v;") " }; view x { " ZONE("in-view w;") " };");

    assert_int_equal(conf->views[1]->zones_count, 0);
    assert_ptr_equal(conf->views[1]->shared_zones[0], zone_of(conf, 0));
    assert_ptr_equal(conf->views[2]->shared_zones[0], zone_of(conf, 0));
    conf_free(conf);
}

/* --- fingerprints ----------------------------------------------------------------------------- */

static const struct fingerprint_case {
    const char *name;
    const char *before, *after;
    bool same, same_content;
} fingerprints[] = {
    {"nothing changed", ZONE(PRIMARY), "# x\n\nzone a IN { file \"x\"; type master; };", true,
     true},
    {"an ACL by name", "acl n { 10/8; };" ZONE(PRIMARY "allow-query { n; };"),
     ZONE(PRIMARY "allow-query { 10/8; };"), true, true},
    {"an ACL", "acl n { 10/8; };" ZONE(PRIMARY "allow-query { n; };"),
     "acl n { 10/9; };" ZONE(PRIMARY "allow-query { n; };"), false, true},
    {"notify", ZONE(PRIMARY), "options { notify no; };" ZONE(PRIMARY), false, true},
    {"a secret", KEY_K ZONE(PRIMARY "also-notify { ::1 key k; };"),
     "key k { algorithm hmac-sha256; secret \"OTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\"; };" ZONE(
         PRIMARY "also-notify { ::1 key k; };"),
     false, true},
    {"minimal responses", ZONE(PRIMARY), "options { minimal-responses yes; };" ZONE(PRIMARY), false,
     true},
    {"the file", ZONE(PRIMARY), ZONE("type primary; file \"y\";"), false, false},
    {"the type", ZONE("type secondary; file \"x\"; primaries { ::1; };"), ZONE(PRIMARY), false,
     false},
    {"a check", ZONE(PRIMARY), "options { check-mx fail; };" ZONE(PRIMARY), false, false},
    {"updates begin", ZONE(PRIMARY), ZONE(PRIMARY "allow-update { ::1; };"), false, false},
    {"updates by others", ZONE(PRIMARY "allow-update { ::1; };"),
     ZONE(PRIMARY "allow-update { ::2; };"), false, true},
    {"a policy", ZONE(PRIMARY), ZONE(PRIMARY "dnssec-policy default;"), false, false},
    {"what the policy says", POLICY_P ZONE(PRIMARY "dnssec-policy p;"),
     "dnssec-policy p { dnskey-ttl 5; };" ZONE(PRIMARY "dnssec-policy p;"), false, false},
    {"where keys are", ZONE(PRIMARY "dnssec-policy default;"),
     ZONE(PRIMARY "dnssec-policy default; key-directory \"k\";"), false, false},
    {"where keys are that there are none of", ZONE(PRIMARY), ZONE(PRIMARY "key-directory \"k\";"),
     true, true},
    {"the view", "view v { " ZONE(PRIMARY) " };", "view w { " ZONE(PRIMARY) " };", false, false},
};

/* Updates that wait while the configuration is read again are judged by this. */
static void knows_who_may_update(void **state)
{
    static const struct {
        const char *options;
        bool same;
    } others[] = {
        {"notify no; allow-transfer { none; };", true},
        {"allow-query { ::2; };", false},
        {"allow-update { ::2; };", false},
        {"allow-update { n; };", false},
        {"update-policy local;", false},
    };
    struct conf *before = load(ZONE(PRIMARY "allow-update { ::1; };"));
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        bool is_own = strstr(others[i].options, "update") != NULL;
        char *text = mem_format("acl n { !10/8; ::1; };" ZONE(PRIMARY "%s %s"), others[i].options,
                                is_own ? "" : "allow-update { ::1; };");
        struct conf *after = load(text);
        assert_int_equal(zone_of(before, 0)->updates_fingerprint ==
                             zone_of(after, 0)->updates_fingerprint,
                         others[i].same);
        conf_free(after);
        mem_free(text);
    }
    conf_free(before);
}

static void changes_when_something_did(void **state)
{
    const struct fingerprint_case *c = *state;
    struct conf *before = load(c->before), *after = load(c->after);
    const struct conf_zone *a = zone_of(before, 0), *b = zone_of(after, 0);

    assert_int_equal(a->fingerprint == b->fingerprint, c->same);
    assert_int_equal(a->content_fingerprint == b->content_fingerprint, c->same_content);
    conf_free(before);
    conf_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_layer_wins),
        cmocka_unit_test(a_zone_is_signed_by_the_nearest_policy),
        cmocka_unit_test(keys_lie_where_they_are_said_to_or_where_the_server_is),
        cmocka_unit_test(one_bound_of_checkds_said_alone_counts),
        cmocka_unit_test(checkds_follows_the_parental_agents),
        cmocka_unit_test(a_zone_knows_its_name_and_where_it_stands),
        cmocka_unit_test(a_shared_zone_is_the_other_views),
        cmocka_unit_test(knows_who_may_update),
    };
    return RUN_TABLE(cases, says_what_it_should) |
           RUN_TABLE(fingerprints, changes_when_something_did) |
           cmocka_run_group_tests(tests, NULL, NULL);
}
