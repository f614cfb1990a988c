#include "dnssec/key_secret.h"
#include "support/table.h"

static void parts_are_copied_and_held_until_the_last_holder_lets_go(void **state)
{
    (void)state;
    uint8_t bytes[] = "secretnumber";
    struct span parts[KEY_SECRET_PARTS] = {{bytes, 6}, {bytes + 6, 6}};
    struct signing_key_secret *secret = key_secret_new(13, parts);
    struct signing_key_secret *other = key_secret_new(13, parts);
    memset(bytes, 0, sizeof(bytes));

    assert_int_not_equal(secret->id, other->id);
    assert_ptr_equal(key_secret_ref(secret), secret);
    key_secret_unref(secret);
    assert_memory_equal(secret->parts[0].bytes, "secret", 6);
    assert_memory_equal(secret->parts[1].bytes, "number", 6);
    assert_int_equal(secret->parts[2].length, 0);
    key_secret_unref(secret);
    key_secret_unref(other);
    key_secret_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_copied_and_held_until_the_last_holder_lets_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
