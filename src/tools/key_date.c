#include "tools/key_date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dnssec/key.h"

enum { DATE_DIGITS = 8, EPOCH_DIGITS = 10, TIME_DIGITS = 14, OFFSET_YEARS_MAX = 1000 };

static const struct {
    const char *text;
    sg_duration seconds;
} units[] = {
    {"", 1},       {"s", 1},       {"mi", SG_MINUTE},   {"h", SG_HOUR},
    {"d", SG_DAY}, {"w", SG_WEEK}, {"mo", 30 * SG_DAY}, {"y", 365 * SG_DAY},
};

enum sg_result key_duration_parse(const char *text, sg_duration *out_duration)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > EPOCH_DIGITS) {
        return SG_MALFORMED;
    }
    sg_duration number = (sg_duration)strtoll(text, NULL, 10);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcasecmp(text + digits, units[i].text) != 0) {
            continue;
        }
        if (number > OFFSET_YEARS_MAX * 365 * SG_DAY / units[i].seconds) {
            return SG_MALFORMED;
        }
        *out_duration = number * units[i].seconds;
        return SG_OK;
    }
    return SG_MALFORMED;
}

/* "+30d", "-3600" or nothing. */
static enum sg_result add_offset(const char *text, sg_time from, sg_time *out_when)
{
    sg_duration offset = 0;
    if (*text != 0) {
        if ((*text != '+' && *text != '-') || key_duration_parse(text + 1, &offset) != SG_OK) {
            return SG_MALFORMED;
        }
        offset = *text == '-' ? -offset : offset;
    }
    *out_when = from + offset;
    return SG_OK;
}

/* An offset may come without its sign. */
static enum sg_result add_duration(const char *text, sg_time from, sg_time *out_when)
{
    sg_duration offset;
    if (key_duration_parse(text, &offset) != SG_OK) {
        return SG_MALFORMED;
    }
    *out_when = from + offset;
    return SG_OK;
}

enum sg_result key_date_parse(const char *text, sg_time now, sg_time base, sg_time *out_when)
{
    if (strcasecmp(text, "none") == 0 || strcasecmp(text, "never") == 0 ||
        strcasecmp(text, "unset") == 0) {
        *out_when = KEY_TIME_UNSET;
        return SG_OK;
    }
    if (strncasecmp(text, "now", 3) == 0) {
        return add_offset(text + 3, now, out_when);
    }
    if (*text == '+' || *text == '-') {
        return add_offset(text, base, out_when);
    }
    size_t digits = strspn(text, "0123456789");
    char padded[TIME_TEXT_BYTES] = "00000000000000";
    sg_time at;
    switch (digits) {
    case EPOCH_DIGITS:
        at = (sg_time)strtoll(text, NULL, 10);
        break;
    case DATE_DIGITS:
    case TIME_DIGITS:
        memcpy(padded, text, digits);
        if (time_from_digits(padded, &at) != SG_OK) {
            return SG_MALFORMED;
        }
        break;
    default:
        return add_duration(text, base, out_when);
    }
    return add_offset(text + digits, at, out_when);
}
