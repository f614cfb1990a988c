#include "base/json.h"
#include "support/table.h"

static void commas_stand_between_values(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    struct json json = json_of(&text);
    json_begin_object(&json, NULL);
    json_begin_array(&json, "empty");
    json_end_array(&json);
    json_begin_array(&json, "rows");
    json_begin_object(&json, NULL);
    json_number(&json, "a", -1);
    json_boolean(&json, "b", true);
    json_end_object(&json);
    json_text(&json, NULL, "x");
    json_end_array(&json);
    json_null(&json, "c");
    json_time(&json, "d", 1767225600);
    json_end_object(&json);
    assert_string_equal(buffer_text(&text),
                        "{\"empty\": [], \"rows\": [{\"a\": -1, \"b\": true},\n\"x\"], "
                        "\"c\": null, \"d\": \"2026-01-01T00:00:00Z\"}");
    buffer_free(&text);
}

static void what_json_has_no_place_for_is_escaped(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    struct json json = json_of(&text);
    json_text(&json, NULL, "a\"b\\c\n\x01\x7f\xe4");
    assert_string_equal(buffer_text(&text), "\"a\\\"b\\\\c\\u000a\\u0001\\u007f\\u00e4\"");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_values),
        cmocka_unit_test(what_json_has_no_place_for_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
