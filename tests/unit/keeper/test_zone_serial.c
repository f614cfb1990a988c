#include "dns/rrtype.h"
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

/* --- what comes after what is served --- */

#define SERVED UINT32_C(3000000000)

struct choice {
    const char *name;
    enum zone_job_kind kind;
    enum zone_serial_update method;
    uint32_t source, above, wanted; /* counted from SERVED */
};

static const struct choice choices[] = {
    {"above what others have", ZONE_JOB_RAISE, ZONE_SERIAL_INCREMENT, 0, 9, 10},
    {"what others have is behind", ZONE_JOB_RAISE, ZONE_SERIAL_INCREMENT, 0, UINT32_MAX, 1},
    {"what others have is too far to be passed", ZONE_JOB_RAISE, ZONE_SERIAL_INCREMENT, 0,
     INT32_MAX, 1},
    {"almost too far", ZONE_JOB_RAISE, ZONE_SERIAL_INCREMENT, 0, INT32_MAX - 1, INT32_MAX},
    {"the time is above theirs and behind ours", ZONE_JOB_UPDATE, ZONE_SERIAL_UNIXTIME, 0,
     0x50000000, 1},
    {"the source is above theirs and behind ours", ZONE_JOB_TRANSFER, ZONE_SERIAL_INCREMENT,
     0x80000005, 0x50000000, 1},
};

static const struct zone_version *serve(uint32_t serial)
{
    const struct zone_version *version;
    struct buffer rdata = BUFFER_EMPTY;
    struct dns_name apex;
    uint32_t ttl;
    assert_int_equal(dns_name_from_text("example.", 8, NULL, &apex), SG_OK);
    struct zone_edit *edit = zone_edit_new(&apex, 1);
    buffer_append_u16(&rdata, 0); /* two root names */
    buffer_append_u32(&rdata, serial);
    for (unsigned i = 0; i < 4; i++) {
        buffer_append_u32(&rdata, 3600);
    }
    assert_int_equal(zone_edit_add_record(edit, &apex, DNS_TYPE_SOA, 60, buffer_span(&rdata), &ttl),
                     SG_OK);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    buffer_free(&rdata);
    return version;
}

static void check_choice(void **state)
{
    const struct choice *choice = *state;
    const struct zone_settings settings = {.serial_update = choice->method};
    const struct zone_job job = {
        .kind = choice->kind,
        .settings = &settings,
        .now = DAY,
        .asked.serial_above = SERVED + choice->above,
        .lent.base = serve(SERVED),
    };
    assert_int_equal(zone_serial_choose(&job, SERVED + choice->source), SERVED + choice->wanted);
    zone_version_unref(job.lent.base);
}

int main(void)
{
    int failed = RUN_TABLE(rows, check_row);
    failed += RUN_TABLE(ahead_rows, check_ahead);
    return failed + RUN_TABLE(choices, check_choice);
}
