#include <limits.h>
#include <syslog.h>

#include "conf/load.h"
#include "support/table.h"

#define CHANNEL(text)  "logging { channel c { " text " }; };"
#define CATEGORY(text) "logging { category " text " };"

static const struct text_case cases[] = {
    {"a channel", CHANNEL("file \"x\" versions 3 size 10m suffix timestamp; severity debug 3;"),
     false, NULL},
    {"a channel, turned around",
     CHANNEL("file \"x\" suffix increment size 10m versions unlimited;"), false, NULL},
    {"a size twice", CHANNEL("file \"x\" size 10m size 10m;"), true, "'size' is given again"},
    {"a channel to nowhere", CHANNEL("severity info;"), true,
     "channel 'c' must have exactly one of 'file', 'syslog', 'stderr' and 'null'"},
    {"a channel to two places", CHANNEL("stderr; null;"), true, "must have exactly one of"},
    {"two channels of a name", "logging { channel c { null; }; channel c { null; }; };", true,
     "channel 'c' is defined twice"},
    {"a facility", CHANNEL("syslog local3;"), false, NULL},
    {"a facility that is none", CHANNEL("syslog foo;"), true, "unknown syslog facility 'foo'"},
    {"a severity that is none", CHANNEL("null; severity loud;"), true, "found 'loud'"},
    {"a channel that is none", CATEGORY("default { nosuch; };"), true,
     "undefined channel 'nosuch'"},
    {"a category that is none", CATEGORY("nosuch { null; };"), true,
     "undefined category: 'nosuch'"},
    {"a category of a resolver", CATEGORY("lame-servers { null; };"), false, NULL},
    {"too many channels",
     CATEGORY("queries { null; null; null; null; null; null; null; null; null; };"), true,
     "more than 8 channels for a category"},
};

static void without_a_statement_there_are_no_channels(void **state)
{
    (void)state;
    struct conf *conf = load("");
    assert_int_equal(conf->logging.channels_count, 0);
    conf_free(conf);
}

static void a_channel_is_what_it_says(void **state)
{
    (void)state;
    struct conf *conf = load(
        "logging {"
        "  channel a { file \"x\" versions unlimited size 10m suffix timestamp; severity debug 7;"
        "              print-time iso8601-utc; print-severity yes; print-category yes;"
        "              buffered yes; };"
        "  channel b { syslog local3; severity dynamic; print-time local; };"
        "};");
    const struct conf_channel *a = &conf->logging.channels[0], *b = &conf->logging.channels[1];

    assert_int_equal(a->kind, CONF_LOG_FILE);
    assert_string_equal(a->path, "x");
    assert_int_equal(a->versions, INT_MAX);
    assert_true(a->suffix_is_timestamp);
    assert_int_equal(a->size_bytes_max, 10 << 20);
    assert_int_equal(a->severity, SEVERITY_INFO + 7);
    assert_true(a->print_time && a->print_time_iso && a->print_time_utc);
    assert_true(a->print_severity && a->print_category && a->buffered);
    assert_int_equal(b->kind, CONF_LOG_SYSLOG);
    assert_int_equal(b->facility, LOG_LOCAL3);
    assert_int_equal(b->severity, INT_MAX);
    assert_true(b->print_time && !b->print_time_iso);
    conf_free(conf);
}

static void categories_that_are_not_given_go_where_default_goes(void **state)
{
    (void)state;
    struct conf *conf = load("logging { channel c { stderr; }; channel d { null; };"
                             "category default { c; d; }; category queries { default_stderr; };"
                             "category xfer-in { }; category zoneload { d; }; };");
    const struct conf_logging *logging = &conf->logging;

    assert_int_equal(logging->categories[LOG_GENERAL].count, 2);
    assert_false(logging->categories[LOG_GENERAL].set);
    assert_int_equal(logging->categories[LOG_GENERAL].channels[1], 1);
    assert_int_equal(logging->categories[LOG_XFER_IN].count, 0);
    assert_true(logging->categories[LOG_XFER_IN].set);
    assert_int_equal(logging->categories[LOG_ZONE].channels[0], 1);
    unsigned queries = logging->categories[LOG_QUERIES].channels[0];
    assert_string_equal(logging->channels[queries].name, "default_stderr");
    conf_free(conf);
}

static void without_default_they_go_to_syslog(void **state)
{
    (void)state;
    struct conf *conf = load("logging { category queries { null; }; };");
    const struct conf_category *general = &conf->logging.categories[LOG_GENERAL];

    assert_int_equal(general->count, 1);
    assert_int_equal(conf->logging.channels[general->channels[0]].kind, CONF_LOG_SYSLOG);
    assert_int_equal(conf->logging.channels[general->channels[0]].severity, SEVERITY_INFO);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_statement_there_are_no_channels),
        cmocka_unit_test(a_channel_is_what_it_says),
        cmocka_unit_test(categories_that_are_not_given_go_where_default_goes),
        cmocka_unit_test(without_default_they_go_to_syslog),
    };
    return RUN_TABLE(cases, says_what_it_should) | cmocka_run_group_tests(tests, NULL, NULL);
}
