#include "conf/load.h"
#include "support/table.h"

#define P(text)    "dnssec-policy p { " text " };"
#define KEYS(text) P("keys { " text " };")
#define UNLIMITED  "lifetime unlimited algorithm "

static const struct text_case cases[] = {
    {"a policy of defaults", P(""), false, NULL},
    {"reserved names", "dnssec-policy default { };", true,
     "dnssec-policy: dnssec-policy name may not be 'insecure', 'none', or 'default' (which are "
     "built-in policies)"},
    {"reserved names, quoted", "dnssec-policy \"none\" { };", true, "name may not be"},
    {"names differ by case", "dnssec-policy p { }; dnssec-policy P { };", false, NULL},
    {"two of a name", P("") P(""), true, "dnssec-policy: duplicately named policy found 'p'"},
    {"no keys at all", KEYS(""), true, "'keys' must name at least one key"},
    {"a role that is none", KEYS("kzk " UNLIMITED "13;"), true,
     "expected 'csk' or 'ksk' or 'zsk', found 'kzk'"},
    {"no lifetime", KEYS("csk algorithm 13;"), true, "expected 'lifetime', found 'algorithm'"},
    {"no algorithm", KEYS("csk lifetime unlimited;"), true, "expected 'algorithm' before ';'"},
    {"a lifetime that is none", KEYS("csk lifetime forever algorithm 13;"), true,
     "expected a duration or 'unlimited', found 'forever'"},
    {"an unknown algorithm", KEYS("csk " UNLIMITED "foo;"), true,
     "t:1:59: dnssec-policy: bad algorithm foo"},
    {"an algorithm with a slip", KEYS("csk " UNLIMITED "ecdsap256sha265;"), true,
     "t:1:59: dnssec-policy: bad algorithm ecdsap256sha265, did you mean 'ECDSAP256SHA256'?"},
    {"an algorithm in other letters", KEYS("csk " UNLIMITED "EcdsaP256Sha256;"), false, NULL},
    {"RSASHA1", KEYS("csk " UNLIMITED "5;"), false, "is deprecated"},
    {"RSA has a length", KEYS("csk " UNLIMITED "8 3072;"), false, NULL},
    {"RSA too short", KEYS("csk " UNLIMITED "8 512;"), true,
     "dnssec-policy: key with algorithm RSASHA256 has invalid key length 512"},
    {"RSA too long", KEYS("csk " UNLIMITED "8 8192;"), true, "has invalid key length 8192"},
    {"others have theirs", KEYS("csk " UNLIMITED "13 256;"), false,
     "has predefined length; ignoring length value 256"},
    {"something behind the length", KEYS("csk " UNLIMITED "8 2048 x;"), true,
     "missing ';' before this"},
    {"the tags of a key", KEYS("csk " UNLIMITED "8 tag-range 0 32767 2048;"), false, NULL},
    {"tag-min too big", KEYS("csk " UNLIMITED "13 tag-range 70000 80000;"), true,
     "dnssec-policy: tag-min too big"},
    {"tag-max too big", KEYS("csk " UNLIMITED "13 tag-range 0 65536;"), true,
     "dnssec-policy: tag-max too big"},
    {"tags turned around", KEYS("csk " UNLIMITED "13 tag-range 5 5;"), true,
     "dnssec-policy: tag-min >= tag_max"},
    {"half a range", KEYS("csk " UNLIMITED "13 tag-range 5;"), true,
     "expected a key tag before ';'"},
    {"a key-store that is none", KEYS("csk key-store hsm " UNLIMITED "13;"), true,
     "dnssec-policy: keystore hsm does not exist"},
    {"a key-store with a slip", "key-store cards { };" KEYS("csk key-store crads " UNLIMITED "13;"),
     true, "dnssec-policy: keystore crads does not exist, did you mean 'cards'?"},
    {"the zone's own directory", KEYS("csk key-store key-directory " UNLIMITED "13;"), false, NULL},
    {"a KSK alone", KEYS("ksk " UNLIMITED "13;"), true,
     "dnssec-policy: algorithm 13 requires both KSK and ZSK roles"},
    {"a ZSK of another algorithm", KEYS("ksk " UNLIMITED "13; zsk " UNLIMITED "8;"), true,
     "dnssec-policy: algorithm 8 requires both KSK and ZSK roles"},
    {"two KSKs", KEYS("ksk " UNLIMITED "13; ksk " UNLIMITED "13; zsk " UNLIMITED "13;"), false,
     "warning: dnssec-policy: algorithm 13 has multiple keys with KSK role"},
    {"two ZSKs", KEYS("csk " UNLIMITED "13; zsk " UNLIMITED "13;"), false,
     "warning: dnssec-policy: algorithm 13 has multiple keys with ZSK role"},
    {"a short lifetime", KEYS("csk lifetime 20d algorithm 13;"), false,
     "warning: dnssec-policy: key lifetime is shorter than 30 days"},
    /* Tkey+Sp+Dz = 7500, Tds+Sr+Dp = 93600, Dsgn+Tsig+Sr+Dz = 867900 */
    {"a KSK that cannot roll", KEYS("ksk lifetime 93600 algorithm 13; zsk " UNLIMITED "13;"), true,
     "dnssec-policy: key lifetime is shorter than the time it takes to do a rollover"},
    {"a KSK that just can", KEYS("ksk lifetime 93601 algorithm 13; zsk " UNLIMITED "13;"), false,
     "30 days"},
    {"a ZSK that cannot roll", KEYS("ksk " UNLIMITED "13; zsk lifetime 867900 algorithm 13;"), true,
     "shorter than the time it takes"},
    {"a ZSK that just can", KEYS("ksk " UNLIMITED "13; zsk lifetime 867901 algorithm 13;"), false,
     "30 days"},
    {"a ZSK where no TTL is too large",
     P("max-zone-ttl 0; keys { ksk " UNLIMITED "13; zsk lifetime 15d algorithm 13; };"), true,
     "shorter than the time it takes"},
    {"NSEC3 iterations", P("nsec3param iterations 5;"), true,
     "dnssec-policy: nsec3 iterations value 5 not allowed, must be zero"},
    {"NSEC3 salt", P("nsec3param salt-length 256;"), true,
     "dnssec-policy: nsec3 salt length 256 too high"},
    {"NSEC3 in its order", P("nsec3param iterations 0 optout yes salt-length 8;"), false, NULL},
    {"NSEC3 out of its order", P("nsec3param salt-length 8 iterations 0;"), true,
     "expected ';', found 'iterations'"},
    {"NSEC3 with RSASHA1", P("nsec3param; keys { csk " UNLIMITED "5; };"), true,
     "dnssec-policy: cannot use nsec3 with algorithm 'RSASHA1'"},
    {"a digest that is none", P("cds-digest-types { foo; };"), true,
     "dnssec-policy: bad cds digest-type foo"},
    {"a digest that is not made", P("cds-digest-types { 3; };"), true,
     "dnssec-policy: unsupported cds digest-type 3"},
    {"SHA-1", P("cds-digest-types { SHA-1; };"), false, "deprecated CDS digest-type SHA-1"},
    {"no digest at all", P("cds-digest-types { };"), false, NULL},
    {"digests by name and number", P("cds-digest-types { sha-256; 4; };"), false, NULL},
    {"refresh at 90 %",
     P("signatures-refresh 9d; signatures-validity 10d; signatures-validity-dnskey 90d;"), true,
     "dnssec-policy: policy 'p' signatures-refresh must be at most 90% of the "
     "signatures-validity"},
    {"refresh just below",
     P("signatures-refresh 777599; signatures-validity 10d; signatures-validity-dnskey 10d;"),
     false, NULL},
    {"refresh against the DNSKEYs'", P("signatures-validity-dnskey 5d;"), true,
     "at most 90% of the signatures-validity-dnskey"},
    {"jitter beyond validity", P("signatures-jitter 20d;"), true,
     "dnssec-policy: signatures-jitter cannot be larger than signatures-validity"},
    {"jitter beyond the DNSKEYs'",
     P("signatures-jitter 9d; signatures-refresh 1d; signatures-validity-dnskey 8d;"), true,
     "signatures-jitter cannot be larger than signatures-validity-dnskey"},
    {"a CSK whose KSK is offline", P("offline-ksk yes; " CSK), true,
     "dnssec-policy: csk keys are not allowed when offline-ksk is enabled"},
    {"nor the CSK that is there by default", P("offline-ksk yes;"), true,
     "csk keys are not allowed when offline-ksk is enabled"},
    {"an option that is gone", P("parent-registration-delay 1d;"), true,
     "option 'parent-registration-delay' no longer exists"},
    {"a zone's policy that is not there", "zone a { " PRIMARY "dnssec-policy q; };", true,
     "zone 'a': option 'dnssec-policy q' has no matching dnssec-policy config"},
    {"a policy may be defined after its use", "zone a { " PRIMARY "dnssec-policy p; };" POLICY_P,
     false, NULL},
    {"names of policies have a case", "zone a { " PRIMARY "dnssec-policy P; };" POLICY_P, true,
     "option 'dnssec-policy P' has no matching"},
};

static const struct kasp_policy *policy_named(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->policies_count; i++) {
        if (strcmp(conf->policies[i]->name, name) == 0) {
            return conf->policies[i];
        }
    }
    return NULL;
}

static void a_policy_has_what_it_says(void **state)
{
    (void)state;
    struct conf *conf =
        load("key-store hsm { directory \"/tmp\"; pkcs11-uri \"pkcs11:token=x\"; };"
             "dnssec-policy p {"
             "  keys { ksk key-store hsm lifetime P1Y algorithm rsasha512 tag-range 1 99 3072;"
             "         zsk key-directory lifetime 60d algorithm 10; };"
             "  cdnskey no; cds-digest-types { 4; 2; 2; }; dnskey-ttl 1m; inline-signing no;"
             "  manual-mode yes; max-zone-ttl 2m; nsec3param optout yes salt-length 7;"
             "  parent-ds-ttl 3m; parent-propagation-delay 4m; publish-safety 5m; purge-keys 6m;"
             "  retire-safety 7m; signatures-jitter 8m; signatures-refresh 9m;"
             "  signatures-validity 10d; signatures-validity-dnskey 11d;"
             "  signatures-inception-offset 12m; zone-propagation-delay 13m;"
             "};");
    const struct kasp_policy *policy = policy_named(conf, "p");

    assert_int_equal(policy->keys_count, 2);
    assert_int_equal(policy->keys[0].role, KASP_ROLE_KSK);
    assert_string_equal(policy->keys[0].key_store, "hsm");
    assert_int_equal(policy->keys[0].lifetime, 31536000);
    assert_int_equal(policy->keys[0].algorithm, 10);
    assert_int_equal(policy->keys[0].bits, 3072);
    assert_int_equal(policy->keys[0].tag_min, 1);
    assert_int_equal(policy->keys[0].tag_max, 99);
    assert_null(policy->keys[1].key_store);
    assert_int_equal(policy->keys[1].bits, 2048);
    assert_false(policy->cdnskey);
    assert_int_equal(policy->cds_digests_count, 2);
    assert_int_equal(policy->cds_digests[0], 4);
    assert_false(policy->inline_signing);
    assert_true(policy->manual_mode);
    assert_true(policy->nsec3);
    assert_true(policy->nsec3_opt_out);
    assert_int_equal(policy->nsec3_salt_length, 7);
    const sg_duration minutes[] = {
        policy->dnskey_ttl,         policy->max_zone_ttl,
        policy->parent_ds_ttl,      policy->parent_propagation_delay,
        policy->publish_safety,     policy->purge_keys,
        policy->retire_safety,      policy->signatures_jitter,
        policy->signatures_refresh,
    };
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
        assert_int_equal(minutes[i], (i + 1) * 60);
    }
    assert_int_equal(policy->signatures_validity, 10 * SG_DAY);
    assert_int_equal(policy->signatures_validity_dnskey, 11 * SG_DAY);
    assert_int_equal(policy->signatures_inception_offset, 12 * 60);
    assert_int_equal(policy->zone_propagation_delay, 13 * 60);
    assert_string_equal(conf_key_store_find(conf, "hsm")->pkcs11_uri, "pkcs11:token=x");
    assert_null(conf_key_store_find(conf, "nosuch"));
    conf_free(conf);
}

static void what_a_policy_does_not_say_is_as_in_the_default(void **state)
{
    (void)state;
    struct conf *conf = load("dnssec-policy p { };");
    struct kasp_policy expected = *policy_named(conf, "default");

    expected.name = policy_named(conf, "p")->name;
    assert_memory_equal(policy_named(conf, "p"), &expected, sizeof(expected));
    assert_non_null(policy_named(conf, "insecure"));
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_has_what_it_says),
        cmocka_unit_test(what_a_policy_does_not_say_is_as_in_the_default),
    };
    return RUN_TABLE(cases, says_what_it_should) | cmocka_run_group_tests(tests, NULL, NULL);
}
