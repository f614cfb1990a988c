#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

sg_time time_now(void)
{
    return (sg_time)time(NULL);
}

uint64_t time_monotonic_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

void time_to_digits(sg_time when, char out_text[TIME_TEXT_BYTES])
{
    struct tm parts;
    time_t seconds = (time_t)when;
    if (gmtime_r(&seconds, &parts) == NULL || parts.tm_year < -1900 || parts.tm_year > 8099 ||
        strftime(out_text, TIME_TEXT_BYTES, "%Y%m%d%H%M%S", &parts) != TIME_TEXT_BYTES - 1) {
        memcpy(out_text, "00000000000000", TIME_TEXT_BYTES);
    }
}

sg_time time_uptime(void)
{
    struct timespec at;
    clock_gettime(CLOCK_BOOTTIME, &at);
    return (sg_time)at.tv_sec;
}

static int number(const char *digits, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        value = value * 10 + (digits[i] - '0');
    }
    return value;
}

/* Days since 1970-01-01 of a proleptic Gregorian date: timegm() would accept 31 February. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

enum sg_result time_from_digits(const char *text, sg_time *out_when)
{
    for (int i = 0; i < TIME_TEXT_BYTES - 1; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return SG_MALFORMED;
        }
    }
    int year = number(text, 4);
    int month = number(text + 4, 2);
    int day = number(text + 6, 2);
    int hour = number(text + 8, 2);
    int minute = number(text + 10, 2);
    int second = number(text + 12, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
        hour > 23 || minute > 59 || second > 60) {
        return SG_MALFORMED;
    }
    *out_when =
        days_from_civil(year, month, day) * SG_DAY + hour * SG_HOUR + minute * SG_MINUTE + second;
    return SG_OK;
}

static void format(sg_time when, int local, const char *pattern, char *out_text)
{
    struct tm parts;
    time_t seconds = (time_t)when;
    struct tm *known = local ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts);
    if (known == NULL || strftime(out_text, TIME_HUMAN_BYTES, pattern, &parts) == 0) {
        snprintf(out_text, TIME_HUMAN_BYTES, "%lld", (long long)when);
    }
}

void time_to_ctime(sg_time when, int local, char out_text[TIME_HUMAN_BYTES])
{
    format(when, local, "%a %b %e %H:%M:%S %Y", out_text);
}

void time_to_http(sg_time when, char out_text[TIME_HUMAN_BYTES])
{
    format(when, 0, "%a, %d %b %Y %H:%M:%S GMT", out_text);
}

void time_to_stamp(sg_time when, char out_text[TIME_HUMAN_BYTES])
{
    format(when, 1, "%d-%b-%Y %H:%M:%S.000", out_text);
}

void time_to_iso(sg_time when, char out_text[TIME_HUMAN_BYTES])
{
    format(when, 0, "%Y-%m-%dT%H:%M:%SZ", out_text);
}
