#include "conf/load.h"
#include "support/table.h"

static const struct text_case cases[] = {
    {"a channel", KEY_K "controls { inet 127.0.0.1 port 954 allow { any; } keys { k; }; };", false,
     NULL},
    {"no allow", "controls { inet 127.0.0.1; };", true, "expected 'allow' before ';'"},
    {"a key that is none", "controls { inet ::1 allow { any; } keys { nosuch; }; };", true,
     "key 'nosuch' is not defined"},
    {"no keys", "controls { inet ::1 allow { any; } keys { }; };", true, "'keys' names no key"},
    {"a host name", "controls { inet localhost allow { any; }; };", true, "found 'localhost'"},
    {"a UNIX socket", "controls { unix \"/x\" perm 0600 owner 0 group 0; };", true,
     "UNIX domain sockets are not supported"},
};

static void channels_are_what_they_say(void **state)
{
    (void)state;
    struct conf *conf =
        load(KEY_K "controls { inet * allow { any; };"
                   "  inet ::1 port 954 allow { none; } keys { k; } read-only yes; };"
                   "controls { inet 192.0.2.1 port * allow { any; }; };");
    char text[NET_ADDRESS_TEXT_BYTES];

    assert_true(conf->controls_given);
    assert_int_equal(conf->controls_count, 3);
    assert_string_equal(net_address_to_text(&conf->controls[0].address, text), "0.0.0.0#953");
    assert_int_equal(conf->controls[0].keys_count, 0);
    assert_string_equal(net_address_to_text(&conf->controls[1].address, text), "::1#954");
    assert_ptr_equal(conf->controls[1].keys[0], conf->keys[0]);
    assert_true(conf->controls[1].read_only);
    assert_true(conf_acl_is_none(conf->controls[1].allow));
    assert_string_equal(net_address_to_text(&conf->controls[2].address, text), "192.0.2.1#953");
    conf_free(conf);
}

static void none_at_all_and_an_empty_statement_differ(void **state)
{
    (void)state;
    struct conf *without = load(""), *empty = load("controls { };");

    assert_false(without->controls_given);
    assert_true(empty->controls_given);
    assert_int_equal(empty->controls_count, 0);
    conf_free(without);
    conf_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_are_what_they_say),
        cmocka_unit_test(none_at_all_and_an_empty_statement_differ),
    };
    return RUN_TABLE(cases, says_what_it_should) | cmocka_run_group_tests(tests, NULL, NULL);
}
