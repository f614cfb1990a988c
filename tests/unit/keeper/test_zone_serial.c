#include "keeper/zone_steps.h"
#include "support/table.h"

#define DAY ((sg_time)1767225600) /* 2026-01-01 */

struct row {
    const char *name;
    enum zone_serial_update method;
    uint32_t current;
    sg_time now;
    uint32_t wanted;
};

static const struct row rows[] = {
    {"one more", ZONE_SERIAL_INCREMENT, 7, DAY, 8},
    {"over the end, without 0", ZONE_SERIAL_INCREMENT, UINT32_MAX, DAY, 1},
    {"over the middle", ZONE_SERIAL_INCREMENT, 0x7fffffff, DAY, 0x80000000},
    {"the time", ZONE_SERIAL_UNIXTIME, 7, DAY, 1767225600},
    {"the time is now already", ZONE_SERIAL_UNIXTIME, 1767225600, DAY, 1767225601},
    {"the time was overtaken", ZONE_SERIAL_UNIXTIME, 1767225700, DAY, 1767225701},
    {"the time is greater as RFC 1982 counts", ZONE_SERIAL_UNIXTIME, 4000000000u, DAY, 1767225600},
    {"the time is not greater as RFC 1982 counts", ZONE_SERIAL_UNIXTIME, 3900000000u, DAY,
     3900000001u},
    {"exactly half the circle away is not greater", ZONE_SERIAL_UNIXTIME, 1767225600u + 0x80000000u,
     DAY, 1767225601u + 0x80000000u},
    {"the time wraps in 2106", ZONE_SERIAL_UNIXTIME, 4294967295u, (sg_time)4294967296 + 5, 5},
    {"the time is 0 for a second in 2106", ZONE_SERIAL_UNIXTIME, 4294967295u, (sg_time)4294967296,
     1},
    {"the day", ZONE_SERIAL_DATE, 7, DAY, 2026010100},
    {"the second of the day", ZONE_SERIAL_DATE, 2026010100, DAY, 2026010101},
    {"the hundred-and-first of the day", ZONE_SERIAL_DATE, 2026010199, DAY, 2026010200},
    {"the next day after too many", ZONE_SERIAL_DATE, 2026010205, DAY + SG_DAY, 2026010206},
    {"a new day", ZONE_SERIAL_DATE, 2026010105, DAY + SG_DAY, 2026010200},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    assert_int_equal(zone_serial_raise(row->method, row->current, row->now), row->wanted);
}

struct ahead_row {
    const char *name;
    enum zone_serial_update method;
    uint32_t serial;
    sg_time now;
    bool ahead;
};

static const struct ahead_row ahead_rows[] = {
    {"increment never", ZONE_SERIAL_INCREMENT, 3000000000u, DAY, false},
    {"keep never", ZONE_SERIAL_KEEP, 3000000000u, DAY, false},
    {"unixtime: the time itself", ZONE_SERIAL_UNIXTIME, 1767225600, DAY, false},
    {"unixtime: many changes in a second", ZONE_SERIAL_UNIXTIME, 1767225660, DAY, false},
    {"unixtime: more than a minute", ZONE_SERIAL_UNIXTIME, 1767225661, DAY, true},
    {"unixtime: a date", ZONE_SERIAL_UNIXTIME, 2026010100, DAY, true},
    {"unixtime: so far that the time is greater", ZONE_SERIAL_UNIXTIME, 4000000000u, DAY, false},
    {"unixtime: over the end in 2106", ZONE_SERIAL_UNIXTIME, 62, (sg_time)4294967296, true},
    {"unixtime: not over the end", ZONE_SERIAL_UNIXTIME, 4294967295u, (sg_time)4294967296, false},
    {"date: the last of the day", ZONE_SERIAL_DATE, 2026010199, DAY, false},
    {"date: one too many", ZONE_SERIAL_DATE, 2026010200, DAY, true},
    {"date: of the next day it is none", ZONE_SERIAL_DATE, 2026010200, DAY + SG_DAY, false},
};

static void check_ahead(void **state)
{
    const struct ahead_row *row = *state;
    assert_int_equal(zone_serial_is_ahead(row->method, row->serial, row->now), row->ahead);
}

int main(void)
{
    return RUN_TABLE(rows, check_row) + RUN_TABLE(ahead_rows, check_ahead);
}
