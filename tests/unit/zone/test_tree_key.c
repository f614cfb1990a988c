#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "zone/tree_key.h"

static struct tree_key key_of(const struct dns_name *name)
{
    struct tree_key key;
    tree_key_encode(name->wire, name->length - 1U, &key);
    return key;
}

static int compare_keys(const struct tree_key *a, const struct tree_key *b)
{
    unsigned difference = tree_key_difference(a, b);
    return difference == TREE_KEYS_EQUAL
               ? 0
               : (int)tree_key_at(a, difference) - (int)tree_key_at(b, difference);
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void check_pair(const struct dns_name *a, const struct dns_name *b)
{
    struct tree_key key_a = key_of(a);
    struct tree_key key_b = key_of(b);
    assert_int_equal(sign(compare_keys(&key_a, &key_b)), sign(dns_name_compare(a, b)));
    assert_int_equal(key_a.labels, a->labels);
}

static void all_pairs_of_bytes_sort_as_names_do(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            struct dns_name a = {.length = 3, .labels = 1, .wire = {1, (uint8_t)first}};
            struct dns_name b = {.length = 3, .labels = 1, .wire = {1, (uint8_t)second}};
            check_pair(&a, &b);
            /* One is a prefix of the other, or has a label more. */
            struct dns_name c = {
                .length = 4, .labels = 1, .wire = {2, (uint8_t)first, (uint8_t)second}};
            struct dns_name d = {
                .length = 5, .labels = 2, .wire = {1, (uint8_t)second, 1, (uint8_t)first}};
            check_pair(&a, &c);
            check_pair(&b, &c);
            check_pair(&a, &d);
            check_pair(&c, &d);
        }
    }
}

static struct dns_name random_name(struct random_seeded *random)
{
    struct dns_name name = {.length = 1};
    unsigned range = random_seeded_below(random, 2) == 0 ? 256 : 3;
    unsigned longest = random_seeded_below(random, 2) == 0 ? 3 : DNS_LABEL_BYTES_MAX;
    for (unsigned labels = random_seeded_below(random, 6); labels > 0; labels--) {
        unsigned length = 1 + random_seeded_below(random, longest);
        if (name.length + 1 + length > DNS_NAME_BYTES_MAX) {
            break;
        }
        memmove(name.wire + 1 + length, name.wire, name.length);
        name.wire[0] = (uint8_t)length;
        for (unsigned i = 0; i < length; i++) {
            name.wire[1 + i] = (uint8_t)random_seeded_below(random, range);
        }
        name.length = (uint8_t)(name.length + 1 + length);
        name.labels++;
    }
    return name;
}

static void random_names_sort_as_names_do(void **state)
{
    (void)state;
    struct random_seeded random = {1};
    for (unsigned i = 0; i < 20000; i++) {
        struct dns_name a = random_name(&random);
        struct dns_name b = random_name(&random);
        if (random_seeded_below(&random, 2) == 0 && a.length + 3 <= DNS_NAME_BYTES_MAX) {
            b = a; /* a child or a changed byte: long common parts */
            memmove(b.wire + 2, b.wire, b.length);
            b.wire[0] = 1;
            b.wire[1] = (uint8_t)i;
            b.length = (uint8_t)(b.length + 2);
            b.labels++;
        }
        check_pair(&a, &b);
    }
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    struct dns_name name = {.length = 1};
    unsigned lengths[] = {61, 63, 63, 63}; /* all bytes need an escape */
    for (unsigned i = 0; i < 4; i++) {
        memmove(name.wire + 1 + lengths[i], name.wire, name.length);
        name.wire[0] = (uint8_t)lengths[i];
        memset(name.wire + 1, 0xff, lengths[i]);
        name.length = (uint8_t)(name.length + 1 + lengths[i]);
        name.labels++;
    }
    assert_int_equal(name.length, DNS_NAME_BYTES_MAX);
    assert_int_equal(key_of(&name).length, TREE_KEY_SYMBOLS_MAX);

    struct dns_name many = {.length = DNS_NAME_BYTES_MAX, .labels = DNS_LABELS_MAX};
    for (unsigned i = 0; i < DNS_LABELS_MAX; i++) {
        many.wire[2 * i] = 1;
        many.wire[2 * i + 1] = 0xff;
    }
    assert_int_equal(key_of(&many).length, 3 * DNS_LABELS_MAX);
    assert_int_equal(key_of(&many).labels, DNS_LABELS_MAX);
}

static void labels_are_counted_within_a_prefix(void **state)
{
    (void)state;
    static const uint8_t wire[] = "\003www\007example"; /* e x a m p l e 0 w w w 0 */
    struct tree_key key;
    tree_key_encode(wire, sizeof(wire) - 1, &key);
    assert_int_equal(tree_key_labels_within(&key, 0), 0);
    assert_int_equal(tree_key_labels_within(&key, 7), 0);
    assert_int_equal(tree_key_labels_within(&key, 8), 1);
    assert_int_equal(tree_key_labels_within(&key, 11), 1);
    assert_int_equal(tree_key_labels_within(&key, 12), 2);
    assert_int_equal(tree_key_labels_within(&key, 99), 2);
    assert_int_equal(tree_key_at(&key, 12), TREE_SYMBOL_END);
    assert_int_equal(tree_key_at(&key, 500), TREE_SYMBOL_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pairs_of_bytes_sort_as_names_do),
        cmocka_unit_test(random_names_sort_as_names_do),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(labels_are_counted_within_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
