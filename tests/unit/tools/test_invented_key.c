#include "kasp/keyset.h"
#include "support/table.h"
#include "tools/invented_key.h"

static const struct kasp_key entries[] = {
    {.role = KASP_ROLE_KSK, .algorithm = 13, .bits = 256, .tag_max = UINT16_MAX},
    {.role = KASP_ROLE_ZSK, .algorithm = 8, .bits = 2048, .tag_max = UINT16_MAX},
    {.role = KASP_ROLE_CSK, .algorithm = 15, .bits = 256, .tag_min = 500, .tag_max = 2000},
};

static void it_is_what_the_policy_asks_for(void **state)
{
    (void)state;
    const struct key_tag_set none = {.tags = NULL};
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        struct signing_key *key, *again;
        assert_int_equal(invented_key_new(&dns_name_root, &entries[i], &none, 7, &key), SG_OK);
        assert_int_equal(invented_key_new(&dns_name_root, &entries[i], &none, 7, &again), SG_OK);
        assert_true(kasp_key_matches(&entries[i], key));
        assert_true(kasp_key_is_unused(key));
        assert_int_equal(key->times[KEY_CREATED], 7);
        assert_int_equal(key->tag, again->tag);
        signing_key_free(key);
        signing_key_free(again);
    }
}

static void tags_are_never_given_twice(void **state)
{
    (void)state;
    const struct kasp_key narrow = {
        .role = KASP_ROLE_ZSK, .algorithm = 13, .bits = 256, .tag_min = 1000, .tag_max = 1299};
    uint16_t tags[400];
    struct key_tag_set taken = {.tags = tags};
    struct signing_key *key;
    while (invented_key_new(&dns_name_root, &narrow, &taken, 0, &key) == SG_OK) {
        assert_true(taken.count < ARRAY_LEN(tags));
        for (size_t i = 0; i < taken.count; i++) {
            assert_int_not_equal(tags[i], key->tag);
        }
        tags[taken.count++] = key->tag;
        signing_key_free(key);
    }
    assert_true(taken.count > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_the_policy_asks_for),
        cmocka_unit_test(tags_are_never_given_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
