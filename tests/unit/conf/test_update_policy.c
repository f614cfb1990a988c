#include "conf/load.h"
#include "dns/rrtype.h"
#include "support/table.h"

#define KEY(name)                                                                                  \
    "key " name " { algorithm hmac-sha256; secret \"c2lnbmV0IHN5c3RlbSB0ZXN0cyE=\"; };"
#define RULE(text) KEY("k") "zone a { " PRIMARY "update-policy { " text " }; };"

static const struct text_case cases[] = {
    {"a name", RULE("grant k name www.a A AAAA;"), false, NULL},
    {"zonesub has no name", RULE("grant k zonesub;"), false, NULL},
    {"zonesub has types at once", RULE("deny k zonesub TXT;"), false, NULL},
    {"a limit of records", RULE("grant k zonesub A(4) AAAA(65535);"), false, NULL},
    {"a limit that is none", RULE("grant k zonesub A(x);"), true,
     "'A(x)': expected a number in brackets"},
    {"a limit that is not closed", RULE("grant k zonesub A(4;"), true, "expected a number"},
    {"a limit that is too large", RULE("grant k zonesub A(65536);"), true, "expected a number"},
    {"a rule that is none", RULE("grant k foo x;"), true,
     "'foo' is not a valid update-policy rule"},
    {"a word that is none", RULE("allow k zonesub;"), true,
     "expected 'grant' or 'deny', found 'allow'"},
    {"a name is missing", RULE("grant k name;"), true, "'name' needs a name behind it"},
    {"a name that is none", RULE("grant k name a..b;"), true, "'a..b' is not a valid name"},
    {"an identity that is none", RULE("grant a..b zonesub;"), true, "'a..b' is not a valid name"},
    {"a type that is none", RULE("grant k zonesub FOO;"), true, "'FOO' is not a valid type"},
    {"a wildcard", RULE("grant k wildcard *.a;"), false, NULL},
    {"a wildcard that is none", RULE("grant k wildcard a;"), true, "'a' is not a wildcard"},
    {"self by a dot", RULE("grant * self . A;"), false, NULL},
    {"self by the same name", RULE("grant K self k. A;"), false, NULL},
    {"self by another name", RULE("grant k self foo A;"), true,
     "identity and name fields are not the same"},
    {"a key that nobody has defined", RULE("grant kk name www.a A;"), false,
     "warning: key 'kk' is not defined: only SIG(0) signers of that name match"},
    {"to refuse one that nobody has defined", RULE("deny other zonesub;"), false,
     "warning: key 'other' is not defined"},
    {"any key", RULE("grant * zonesub; grant *.x subdomain a;"), false, NULL},
    {"the session key", RULE("grant local-ddns zonesub;"), false, NULL},
    {"an address is no key", RULE("grant 1.0.0.127.in-addr.arpa tcp-self . PTR;"), false, NULL},
    {"a realm", RULE("grant EXAMPLE.COM krb5-self . A;"), false,
     "warning: 'krb5-self' matches nobody: Signet has no GSS-TSIG"},
    {"a realm with a name", RULE("grant EXAMPLE.COM ms-self foo A;"), true,
     "name field not set to placeholder value '.'"},
    {"6to4-self with a name", RULE("grant * 6to4-self foo NS;"), true,
     "name field not set to placeholder value '.'"},
    {"tcp-self", RULE("grant * tcp-self . PTR(1) ANY(2);"), false, NULL},
    {"external", RULE("grant \"local:/x\" external * A; deny \"local:/y\" external .;"), false,
     NULL},
    {"external of a key", RULE("grant k external * A;"), true,
     "the identity of 'external' is \"local:\" and the path of a socket"},
    {"external with a path from somewhere", RULE("grant \"local:x\" external *;"), true,
     "the identity of 'external' is \"local:\" and the path of a socket"},
    {"external without a name", RULE("grant \"local:/x\" external;"), true,
     "'external' needs a name behind it"},
    {"external with a path that does not fit",
     RULE("grant \"local:/123456789012345678901234567890123456789012345678901234567890"
          "123456789012345678901234567890123456789012345678\" external *;"),
     true, "is too long for a socket's path"},
    {"external with a name of its own", RULE("grant \"local:/x\" external host.a;"), false,
     "warning: the name 'host.a' is not looked at"},
    {"local", "zone a { " PRIMARY "update-policy local; };", false, NULL},
    {"something else", "zone a { " PRIMARY "update-policy foo; };", true,
     "expected 'local' or '{', found 'foo'"},
    {"beside allow-update", "zone a { " PRIMARY "update-policy local; allow-update { any; }; };",
     true, "'allow-update' is ignored when 'update-policy' is present"},
};

static void rules_are_what_they_say(void **state)
{
    (void)state;
    struct conf *conf = load(RULE("deny K.Example subdomain Sub.A; grant * tcp-self . PTR(1) ANY;"
                                  "grant k zonesub;"));
    const struct conf_update_policy *policy =
        conf->views[0]->zones[0]->options->access.update_policy;
    char name[DNS_NAME_TEXT_BYTES];

    assert_false(policy->local);
    assert_int_equal(policy->rules_count, 3);
    const struct conf_update_rule *rules = policy->rules;
    assert_false(rules[0].grant);
    assert_int_equal(rules[0].match, CONF_UPDATE_SUBDOMAIN);
    assert_string_equal(dns_name_to_text(rules[0].identity, name), "k.example.");
    assert_string_equal(dns_name_to_text(rules[0].name, name), "sub.a.");
    assert_int_equal(rules[0].types_count, 0);
    assert_true(rules[1].grant);
    assert_int_equal(rules[1].types_count, 2);
    assert_int_equal(rules[1].types[0].type, DNS_TYPE_PTR);
    assert_int_equal(rules[1].types[0].records_max, 1);
    assert_int_equal(rules[1].types[1].type, DNS_TYPE_ANY);
    assert_null(rules[2].name);
    assert_true(conf_zone_is_dynamic(conf->views[0]->zones[0]));
    conf_free(conf);
}

static void external_names_the_socket_of_a_daemon(void **state)
{
    (void)state;
    struct conf *conf = load(RULE("grant k zonesub; deny \"local:/run/judge\" external * TXT;"));
    const struct conf_update_policy *policy =
        conf->views[0]->zones[0]->options->access.update_policy;

    assert_true(policy->external);
    assert_null(policy->rules[0].socket);
    assert_string_equal(policy->rules[1].socket, "/run/judge");
    assert_int_equal(policy->rules[1].types_count, 1);
    conf_free(conf);
    conf = load(RULE("grant k zonesub;"));
    assert_false(conf->views[0]->zones[0]->options->access.update_policy->external);
    conf_free(conf);
}

static void local_is_the_session_key_for_all_of_the_zone(void **state)
{
    (void)state;
    struct conf *conf = load("options { session-keyname mine; };"
                             "zone a { " PRIMARY "update-policy local; };");
    const struct conf_update_policy *policy =
        conf->views[0]->zones[0]->options->access.update_policy;
    char name[DNS_NAME_TEXT_BYTES];

    assert_true(policy->local);
    assert_int_equal(policy->rules_count, 1);
    assert_true(policy->rules[0].grant);
    assert_int_equal(policy->rules[0].match, CONF_UPDATE_ZONESUB);
    assert_string_equal(dns_name_to_text(policy->rules[0].identity, name), "mine.");
    assert_int_equal(policy->rules[0].types[0].type, DNS_TYPE_ANY);
    conf_free(conf);
}

/* Every rule of BIND's, with the name that it wants. */
static const struct match_case {
    const char *name;
    const char *rule;
    enum conf_update_match match;
    bool has_name;
} matches[] = {
    {"name", "grant k name www.a;", CONF_UPDATE_NAME, true},
    {"subdomain", "grant k subdomain a;", CONF_UPDATE_SUBDOMAIN, true},
    {"wildcard", "grant k wildcard *.a;", CONF_UPDATE_WILDCARD, true},
    {"zonesub", "grant k zonesub;", CONF_UPDATE_ZONESUB, false},
    {"self", "grant k self .;", CONF_UPDATE_SELF, true},
    {"selfsub", "grant k selfsub .;", CONF_UPDATE_SELFSUB, true},
    {"selfwild", "grant k selfwild .;", CONF_UPDATE_SELFWILD, true},
    {"ms-self", "grant R ms-self .;", CONF_UPDATE_MS_SELF, true},
    {"ms-selfsub", "grant R ms-selfsub .;", CONF_UPDATE_MS_SELFSUB, true},
    {"ms-subdomain", "grant R ms-subdomain a;", CONF_UPDATE_MS_SUBDOMAIN, true},
    {"ms-subdomain-self-rhs", "grant R ms-subdomain-self-rhs a SRV;",
     CONF_UPDATE_MS_SUBDOMAIN_SELF_RHS, true},
    {"krb5-self", "grant R krb5-self .;", CONF_UPDATE_KRB5_SELF, true},
    {"krb5-selfsub", "grant R krb5-selfsub .;", CONF_UPDATE_KRB5_SELFSUB, true},
    {"krb5-subdomain", "grant R krb5-subdomain a;", CONF_UPDATE_KRB5_SUBDOMAIN, true},
    {"krb5-subdomain-self-rhs", "grant R krb5-subdomain-self-rhs a PTR;",
     CONF_UPDATE_KRB5_SUBDOMAIN_SELF_RHS, true},
    {"tcp-self", "grant * tcp-self . PTR;", CONF_UPDATE_TCP_SELF, true},
    {"6to4-self", "grant * 6to4-self . NS;", CONF_UPDATE_6TO4_SELF, true},
    {"external", "grant \"local:/run/judge\" external *;", CONF_UPDATE_EXTERNAL, true},
};

static void every_rule_of_binds_is_known(void **state)
{
    const struct match_case *c = *state;
    struct buffer text = BUFFER_EMPTY;

    buffer_format(&text, RULE("%s"), c->rule);
    struct conf *conf = load(buffer_text(&text));
    const struct conf_update_rule *rule =
        &conf->views[0]->zones[0]->options->access.update_policy->rules[0];
    assert_int_equal(rule->match, c->match);
    assert_true((rule->name != NULL) == c->has_name);
    conf_free(conf);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_what_they_say),
        cmocka_unit_test(external_names_the_socket_of_a_daemon),
        cmocka_unit_test(local_is_the_session_key_for_all_of_the_zone),
    };
    return RUN_TABLE(cases, says_what_it_should) |
           RUN_TABLE(matches, every_rule_of_binds_is_known) |
           cmocka_run_group_tests(tests, NULL, NULL);
}
