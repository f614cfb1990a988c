#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"
#include "conf/memory.h"

static void the_same_text_is_the_same_pointer(void **state)
{
    (void)state;
    struct conf_memory *memory = conf_memory_new();
    char text[] = "abc";

    const char *first = conf_memory_intern(memory, text);
    text[0] = 'x';
    assert_string_equal(first, "abc");
    assert_ptr_equal(conf_memory_intern(memory, "abc"), first);
    assert_ptr_not_equal(conf_memory_intern(memory, "xbc"), first);
    assert_ptr_not_equal(conf_memory_intern(memory, "ab"), first);
    assert_ptr_equal(conf_memory_intern_bytes(memory, "abc", 4), first);
    conf_memory_free(memory);
}

static void what_was_taken_stays_where_it_is_and_does_not_overlap(void **state)
{
    (void)state;
    struct conf_memory *memory = conf_memory_new();
    struct random_seeded random = {7};
    enum { COUNT = 3000 };
    static uint8_t *pieces[COUNT];
    static size_t lengths[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        lengths[i] = random_seeded_below(&random, i % 100 == 0 ? 3000000 : 300);
        pieces[i] = conf_memory_take(memory, lengths[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, lengths[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < lengths[i]; j += 97) {
            assert_int_equal(pieces[i][j], (uint8_t)i);
        }
    }
    conf_memory_free(memory);
}

static void names_find_what_was_added_and_nothing_else(void **state)
{
    (void)state;
    struct conf_names names = CONF_NAMES_EMPTY;
    enum { COUNT = 5000 };
    static char keys[COUNT][16];

    assert_null(conf_names_find(&names, "x", 1));
    for (size_t i = 0; i < COUNT; i++) {
        int length = snprintf(keys[i], sizeof(keys[i]), "name%zu", i);
        assert_true(conf_names_add(&names, keys[i], (size_t)length, keys[i]));
        assert_false(conf_names_add(&names, keys[i], (size_t)length, &names));
    }
    assert_int_equal(names.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_ptr_equal(conf_names_find(&names, keys[i], strlen(keys[i])), keys[i]);
        assert_null(conf_names_find(&names, keys[i], strlen(keys[i]) + 1));
    }
    size_t at = 0, walked = 0;
    while (conf_names_next(&names, &at) != NULL) {
        walked++;
    }
    assert_int_equal(walked, COUNT);
    conf_names_free(&names);
}

static void what_was_remembered_is_recalled_by_equal_bytes(void **state)
{
    (void)state;
    struct conf_memory *memory = conf_memory_new();
    uint64_t key[2] = {1, 2};
    int thing;

    conf_memory_remember(memory, key, sizeof(key), &thing);
    key[1] = 3;
    assert_null(conf_memory_recall(memory, key, sizeof(key)));
    key[1] = 2;
    assert_ptr_equal(conf_memory_recall(memory, key, sizeof(key)), &thing);
    conf_memory_seal(memory);
    assert_null(conf_memory_recall(memory, key, sizeof(key)));
    conf_memory_free(memory);
    conf_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_text_is_the_same_pointer),
        cmocka_unit_test(what_was_taken_stays_where_it_is_and_does_not_overlap),
        cmocka_unit_test(names_find_what_was_added_and_nothing_else),
        cmocka_unit_test(what_was_remembered_is_recalled_by_equal_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
