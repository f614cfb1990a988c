#include <string.h>

#include "conf/value.h"
#include "support/table.h"

enum value_kind { BOOLEAN, INTEGER, SIZE, PERCENT, DURATION };

static const struct value_case {
    const char *name; /* the text */
    enum value_kind kind;
    int64_t value; /* -1: refused */
} values[] = {
    {"yes", BOOLEAN, 1},
    {"TRUE", BOOLEAN, 1},
    {"1", BOOLEAN, 1},
    {"no", BOOLEAN, 0},
    {"False", BOOLEAN, 0},
    {"0", BOOLEAN, 0},
    {"maybe", BOOLEAN, -1},
    {"", BOOLEAN, -1},
    {"0", INTEGER, 0},
    {"4294967295", INTEGER, 4294967295},
    {"4294967296", INTEGER, -1},
    {"99999999999999999999999", INTEGER, -1},
    {"-1", INTEGER, -1},
    {"+1", INTEGER, -1},
    {"1 ", INTEGER, -1},
    {"0x10", INTEGER, -1},
    {"", INTEGER, -1},
    {"10", SIZE, 10},
    {"10k", SIZE, 10240},
    {"10M", SIZE, 10485760},
    {"2g", SIZE, 2147483648},
    {"9223372036854775807", SIZE, INT64_MAX},
    {"99999999999g", SIZE, -1},
    {"10kb", SIZE, -1},
    {"10x", SIZE, -1},
    {"k", SIZE, -1},
    {"50%", PERCENT, 50},
    {"50", PERCENT, -1},
    {"%", PERCENT, -1},
    {"3600", DURATION, 3600},
    {"1h", DURATION, 3600},
    {"1W2d3h4m5s", DURATION, 604800 + 2 * 86400 + 3 * 3600 + 4 * 60 + 5},
    {"30m1h", DURATION, 5400},
    {"1h30", DURATION, -1},
    {"h", DURATION, -1},
    {"1y", DURATION, -1},
    {"P1D", DURATION, 86400},
    {"p1d", DURATION, 86400},
    {"P2W", DURATION, 1209600},
    {"P1Y", DURATION, 31536000},
    {"P1M", DURATION, 2678400},
    {"PT1M", DURATION, 60},
    {"P1Y2M3DT4H5M6S", DURATION, 31536000 + 2 * 2678400 + 3 * 86400 + 4 * 3600 + 5 * 60 + 6},
    {"PT0S", DURATION, 0},
    {"P", DURATION, -1},
    {"PT", DURATION, -1},
    {"P1", DURATION, -1},
    {"P1W1D", DURATION, -1},
    {"PT5S3M", DURATION, -1},
    {"P1DT", DURATION, -1},
    {"P1H", DURATION, -1},
    {"P1DT1D", DURATION, -1},
    {"PT1HT1M", DURATION, -1},
    {"P136Y", DURATION, 4288896000},
    {"P137Y", DURATION, -1},
    {"4294967296", DURATION, -1},
    {"", DURATION, -1},
};

static void is_read_exactly(void **state)
{
    const struct value_case *c = *state;
    uint64_t size = 0;
    uint32_t number = 0;
    bool boolean = false, good = false;

    switch (c->kind) {
    case BOOLEAN:
        good = conf_value_boolean(c->name, &boolean);
        number = boolean;
        break;
    case INTEGER:
        good = conf_value_integer(c->name, &number);
        break;
    case SIZE:
        good = conf_value_size(c->name, &size);
        break;
    case PERCENT:
        good = conf_value_percent(c->name, &number);
        break;
    case DURATION:
        good = conf_value_duration(c->name, &number);
        break;
    }
    assert_int_equal(good, c->value >= 0);
    if (good) {
        assert_int_equal(c->kind == SIZE ? size : number, c->value);
    }
}

static const struct prefix_case {
    const char *name; /* the text */
    bool looks_like;
    int length; /* -1: refused */
    uint8_t first, last;
} prefixes[] = {
    {"192.0.2.1", true, 32, 192, 1},
    {"10/8", true, 8, 10, 0},
    {"10.1/16", true, 16, 10, 0},
    {"10.0.0.0/8", true, 8, 10, 0},
    {"0/0", true, 0, 0, 0},
    {"2001:db8::/32", true, 32, 0x20, 0},
    {"::1", true, 128, 0, 1},
    {"::/0", true, 0, 0, 0},
    {"10", true, -1, 0, 0},
    {"10.1", true, -1, 0, 0},
    {"10.1.1.1/8", true, -1, 0, 0},
    {"10/33", true, -1, 0, 0},
    {"256/8", true, -1, 0, 0},
    {"010/8", true, -1, 0, 0},
    {"10./8", true, -1, 0, 0},
    {"1.2.3.4.5", true, -1, 0, 0},
    {"10/", true, -1, 0, 0},
    {"10//8", true, -1, 0, 0},
    {"2001:db8::1/32", true, -1, 0, 0},
    {"::/129", true, -1, 0, 0},
    {":::", true, -1, 0, 0},
    {"beef", false, -1, 0, 0},
    {"localhost", false, -1, 0, 0},
    {"", false, -1, 0, 0},
};

static void is_a_prefix_or_not(void **state)
{
    const struct prefix_case *c = *state;
    struct conf_prefix prefix;
    bool looks_like;

    const char *wrong = conf_value_prefix(c->name, &prefix, &looks_like);
    assert_int_equal(looks_like, c->looks_like);
    assert_int_equal(wrong == NULL, c->length >= 0);
    if (wrong == NULL) {
        assert_int_equal(prefix.length, c->length);
        assert_int_equal(prefix.bytes[0], c->first);
        assert_int_equal(prefix.bytes[prefix.ipv6 ? 15 : 3], c->last);
        assert_int_equal(prefix.ipv6, strchr(c->name, ':') != NULL);
    }
}

int main(void)
{
    return RUN_TABLE(values, is_read_exactly) | RUN_TABLE(prefixes, is_a_prefix_or_not);
}
