#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "conf/schema.h"
#include "support/table.h"

static void rows_are_sorted_and_told_apart_by_their_places(void **state)
{
    (void)state;
    for (size_t i = 1; i < schema_rows_count; i++) {
        const struct schema_row *before = &schema_rows[i - 1], *row = &schema_rows[i];
        int order = strcmp(before->name, row->name);
        assert_true(order <= 0);
        for (size_t j = i; j-- > 0 && strcmp(schema_rows[j].name, row->name) == 0;) {
            assert_int_equal(schema_rows[j].places & row->places, 0);
        }
        assert_true(order < 0 || before->places != row->places);
    }
}

static void every_row_says_where_it_may_stand(void **state)
{
    (void)state;
    for (size_t i = 0; i < schema_rows_count; i++) {
        const struct schema_row *row = &schema_rows[i];
        assert_int_not_equal(row->places, 0);
        assert_int_equal((row->places & PLACE_ZONE) != 0, row->zone_types != 0);
        assert_int_equal(strstr(row->grammar, "{}") != NULL, row->body != 0);
        assert_ptr_equal(
            schema_find(row->name, (enum schema_place)(row->places & (~row->places + 1))), row);
        for (const char *at = row->name; *at != '\0'; at++) {
            assert_false(isupper((unsigned char)*at));
        }
    }
}

static void names_are_found_whatever_their_case(void **state)
{
    (void)state;
    assert_non_null(schema_find("Allow-QUERY", PLACE_ZONE));
    assert_null(schema_find("allow-query", PLACE_TOP));
    assert_null(schema_find("", PLACE_TOP));
    assert_null(schema_find("zzz", PLACE_TOP));
    assert_true(schema_is_known("FILE"));
    assert_false(schema_is_known("fil"));
}

static const struct nearest_case {
    const char *name;
    enum schema_place place;
    const char *nearest; /* NULL: none is near */
} nearest_cases[] = {
    {"dnsec-policy", PLACE_TOP, "dnssec-policy"},
    {"dnssec-polciy", PLACE_ZONE, "dnssec-policy"},
    {"optoins", PLACE_TOP, "options"},
    {"Recusion", PLACE_OPTIONS, "recursion"},
    {"allow_query", PLACE_ZONE, "allow-query"},
    {"primarys", PLACE_ZONE, "primaries"},
    {"tls-cert", PLACE_TOP, NULL},
    {"xyz", PLACE_TOP, NULL},
    {"ab", PLACE_TOP, NULL},
    {"auto-dnsec", PLACE_ZONE, NULL}, /* gone: nobody should be led there */
};

static void is_led_to_the_nearest_name(void **state)
{
    const struct nearest_case *c = *state;
    const char *nearest = schema_nearest(c->name, c->place);

    if (c->nearest == NULL) {
        assert_null(nearest);
    } else {
        assert_non_null(nearest);
        assert_string_equal(nearest, c->nearest);
    }
}

static const struct distance_case {
    const char *name;
    const char *other;
    unsigned distance;
} distances[] = {
    {"", "", 0},        {"abc", "abc", 0},       {"abc", "abd", 1},       {"abc", "ab", 1},
    {"abc", "xabc", 1}, {"abcd", "abdc", 1},     {"abc", "", 3},          {"kitten", "sitting", 3},
    {"ca", "abc", 3},   {"abcdef", "badcfe", 3}, {"abcdef", "uvwxyz", 4},
};

static void is_as_far_as_it_is(void **state)
{
    const struct distance_case *c = *state;
    assert_int_equal(schema_distance(c->name, c->other, 3), c->distance);
    assert_int_equal(schema_distance(c->other, c->name, 3), c->distance);
}

/* Where the page tells of the option; NULL: nowhere. */
static const char *find_option(const char *page, const char *name)
{
    char wanted[128];
    size_t length = (size_t)snprintf(wanted, sizeof(wanted), "Ic %s", name);
    const char *at = page;
    while ((at = strstr(at, wanted)) != NULL && strchr(" \n", at[length]) == NULL) {
        at += length;
    }
    return at;
}

static void the_manual_page_marks_what_is_not_in_effect_yet(void **state)
{
    (void)state;
    struct buffer page = BUFFER_EMPTY;
    unsigned unmarked = 0;
    assert_int_equal(file_read(SOURCE_DIR "/man/signet.conf.5", 1 << 20, &page), SG_OK);
    const char *text = buffer_text(&page);
    for (size_t i = 0; i < schema_rows_count; i++) {
        const struct schema_row *row = &schema_rows[i];
        const char *at = row->status == STATUS_PENDING ? find_option(text, row->name) : NULL;
        if (at == NULL) {
            continue;
        }
        const char *mark = strstr(at, "ot in effect yet");
        const char *next = strstr(at, "\n.It ");
        const char *end = strstr(at, "\n.El");
        if (mark == NULL || (next != NULL && mark > next) || (end != NULL && mark > end)) {
            fprintf(stderr, "signet.conf(5) does not say that %s is not in effect yet\n",
                    row->name);
            unmarked++;
        }
    }
    assert_int_equal(unmarked, 0);
    buffer_free(&page);
}

/* What the manual page does not tell, nobody knows of. */
static void the_manual_page_has_every_option_that_does_something(void **state)
{
    (void)state;
    struct buffer page = BUFFER_EMPTY;
    unsigned missing = 0;

    assert_int_equal(file_read(SOURCE_DIR "/man/signet.conf.5", 1 << 20, &page), SG_OK);
    const char *text = buffer_text(&page);
    for (size_t i = 0; i < schema_rows_count; i++) {
        const struct schema_row *row = &schema_rows[i];
        if (row->status != STATUS_USED && row->status != STATUS_PENDING) {
            continue;
        }
        if (find_option(text, row->name) == NULL) {
            fprintf(stderr, "signet.conf(5) lacks %s\n", row->name);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
    buffer_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_told_apart_by_their_places),
        cmocka_unit_test(every_row_says_where_it_may_stand),
        cmocka_unit_test(names_are_found_whatever_their_case),
        cmocka_unit_test(the_manual_page_marks_what_is_not_in_effect_yet),
        cmocka_unit_test(the_manual_page_has_every_option_that_does_something),
    };
    return RUN_TABLE(nearest_cases, is_led_to_the_nearest_name) |
           RUN_TABLE(distances, is_as_far_as_it_is) | cmocka_run_group_tests(tests, NULL, NULL);
}
