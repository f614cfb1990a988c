#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "kasp/policy.h"

static void the_default_policy_is_one_csk_that_never_rolls(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();

    assert_string_equal(policy->name, "default");
    assert_false(policy->insecure);
    assert_int_equal(policy->keys_count, 1);
    assert_int_equal(policy->keys[0].role, KASP_ROLE_CSK);
    assert_int_equal(policy->keys[0].algorithm, DNSSEC_ECDSAP256SHA256);
    assert_int_equal(policy->keys[0].bits, 256);
    assert_int_equal(policy->keys[0].lifetime, KASP_LIFETIME_UNLIMITED);
    assert_null(policy->keys[0].key_store);
    assert_int_equal(policy->keys[0].tag_min, 0);
    assert_int_equal(policy->keys[0].tag_max, 65535);
    assert_false(policy->nsec3);
    kasp_policy_free(policy);
}

static void the_default_policy_waits_as_bind_does(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();

    assert_int_equal(policy->dnskey_ttl, 3600);
    assert_int_equal(policy->max_zone_ttl, 86400);
    assert_int_equal(policy->parent_ds_ttl, 86400);
    assert_int_equal(policy->parent_propagation_delay, 3600);
    assert_int_equal(policy->publish_safety, 3600);
    assert_int_equal(policy->retire_safety, 3600);
    assert_int_equal(policy->zone_propagation_delay, 300);
    assert_int_equal(policy->purge_keys, 90 * SG_DAY);
    assert_int_equal(policy->signatures_jitter, 12 * SG_HOUR);
    assert_int_equal(policy->signatures_refresh, 5 * SG_DAY);
    assert_int_equal(policy->signatures_validity, 14 * SG_DAY);
    assert_int_equal(policy->signatures_validity_dnskey, 14 * SG_DAY);
    assert_int_equal(policy->signatures_inception_offset, SG_HOUR);
    assert_true(policy->cdnskey);
    assert_int_equal(policy->cds_digests_count, 1);
    assert_int_equal(policy->cds_digests[0], 2);
    assert_true(policy->inline_signing);
    assert_false(policy->manual_mode);
    assert_false(policy->offline_ksk);
    kasp_policy_free(policy);
}

static void the_insecure_policy_has_no_keys_and_no_largest_ttl(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_insecure();

    assert_string_equal(policy->name, "insecure");
    assert_true(policy->insecure);
    assert_int_equal(policy->keys_count, 0);
    assert_int_equal(policy->max_zone_ttl, 0);
    assert_true(policy->inline_signing);
    kasp_policy_free(policy);
}

static void a_policy_frees_the_names_of_its_key_stores(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();

    policy->keys[0].key_store = mem_copy_text("hsm"); /* LeakSanitizer is the judge. */
    kasp_policy_free(policy);
    kasp_policy_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_policy_is_one_csk_that_never_rolls),
        cmocka_unit_test(the_default_policy_waits_as_bind_does),
        cmocka_unit_test(the_insecure_policy_has_no_keys_and_no_largest_ttl),
        cmocka_unit_test(a_policy_frees_the_names_of_its_key_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
