#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/table.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct zone_table *table_of(struct zone_slot **slots, size_t count)
{
    struct zone_table *table = NULL;
    size_t duplicate = 0;
    assert_int_equal(zone_table_new(slots, count, &table, &duplicate), SG_OK);
    return table;
}

static void the_deepest_apex_at_or_above_a_name_is_found(void **state)
{
    (void)state;
    struct zone_slot com = {.apex = name_of("com.")}, example = {.apex = name_of("example.com.")},
                     deep = {.apex = name_of("a.b.c.example.com.")};
    struct zone_slot *slots[] = {&com, &example, &deep};
    struct zone_table *table = table_of(slots, 3);
    struct {
        const char *name;
        struct zone_slot *slot, *above;
    } cases[] = {
        {"com.", &com, &com}, /* nothing above it is here */
        {"xcom.", NULL, NULL},
        {".", NULL, NULL},
        {"org.", NULL, NULL},
        {"www.com.", &com, &com},
        {"example.com.", &example, &com},
        {"xexample.com.", &com, &com},
        {"c.example.com.", &example, &example},
        {"b.c.example.com.", &example, &example},
        {"a.b.c.example.com.", &deep, &example},
        {"x.y.a.b.c.example.com.", &deep, &deep},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dns_name name = name_of(cases[i].name);
        assert_ptr_equal(zone_table_find(table, &name, false), cases[i].slot);
        assert_ptr_equal(zone_table_find(table, &name, true), cases[i].above);
    }
    struct dns_name name = name_of("c.example.com.");
    assert_null(zone_table_exact(table, &name));
    name = name_of("example.com.");
    assert_ptr_equal(zone_table_exact(table, &name), &example);
    zone_table_free(table);
}

static void the_root_is_above_everything(void **state)
{
    (void)state;
    struct zone_slot root = {.apex = dns_name_root};
    struct zone_slot *slots[] = {&root};
    struct zone_table *table = table_of(slots, 1);
    struct dns_name name = name_of("a.b.");
    assert_ptr_equal(zone_table_find(table, &name, false), &root);
    assert_ptr_equal(zone_table_find(table, &name, true), &root);
    assert_ptr_equal(zone_table_find(table, &dns_name_root, false), &root);
    assert_ptr_equal(zone_table_find(table, &dns_name_root, true), &root);
    zone_table_free(table);
}

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct zone_table *table = table_of(NULL, 0);
    assert_null(zone_table_find(table, &dns_name_root, false));
    assert_null(zone_table_exact(table, &dns_name_root));
    zone_table_free(table);
    zone_table_free(NULL);
}

static void a_second_zone_of_the_same_name_is_refused(void **state)
{
    (void)state;
    struct zone_slot a = {.apex = name_of("a.")}, b = {.apex = name_of("b.")},
                     again = {.apex = name_of("a.")};
    struct zone_slot *slots[] = {&a, &b, &again};
    struct zone_table *table = NULL;
    size_t duplicate = 0;
    assert_int_equal(zone_table_new(slots, 3, &table, &duplicate), SG_EXISTS);
    assert_int_equal(duplicate, 2);
    assert_null(table);
}

static void random_tables_answer_as_a_list_does(void **state)
{
    (void)state;
    enum { SLOTS = 300, QUESTIONS = 3000 };
    struct random_seeded random = {3};
    struct dns_name base = name_of("example.");
    struct zone_slot *slots = mem_alloc_zero(SLOTS, sizeof(*slots));
    struct zone_slot *list[SLOTS];
    size_t count = 0;
    for (unsigned i = 0; i < SLOTS; i++) {
        struct dns_name apex = naive_random_name(&random, &base);
        bool known = false;
        for (size_t j = 0; j < count; j++) {
            known = known || dns_name_equal(&slots[j].apex, &apex);
        }
        if (!known) {
            slots[count].apex = apex;
            list[count] = &slots[count];
            count++;
        }
    }
    struct zone_table *table = table_of(list, count);
    for (unsigned i = 0; i < QUESTIONS; i++) {
        struct dns_name name = naive_random_name(&random, &base);
        struct zone_slot *deepest = NULL, *above = NULL, *exact = NULL;
        for (size_t j = 0; j < count; j++) {
            if (!dns_name_is_at_or_below(&name, &slots[j].apex)) {
                continue;
            }
            unsigned labels = slots[j].apex.labels;
            exact = labels == name.labels ? &slots[j] : exact;
            deepest = deepest == NULL || labels > deepest->apex.labels ? &slots[j] : deepest;
            if (labels < name.labels && (above == NULL || labels > above->apex.labels)) {
                above = &slots[j];
            }
        }
        assert_ptr_equal(zone_table_find(table, &name, false), deepest);
        assert_ptr_equal(zone_table_find(table, &name, true), above != NULL ? above : exact);
        assert_ptr_equal(zone_table_exact(table, &name), exact);
    }
    zone_table_free(table);
    mem_free(slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deepest_apex_at_or_above_a_name_is_found),
        cmocka_unit_test(the_root_is_above_everything),
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(a_second_zone_of_the_same_name_is_refused),
        cmocka_unit_test(random_tables_answer_as_a_list_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
