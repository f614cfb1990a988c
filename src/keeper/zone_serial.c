#include "dns/serial.h"
#include "keeper/zone_steps.h"

/* Of a date, or a time, that was reset to a small number nothing is left to be passed by counting.
 */
enum { WENT_BACK_MOST = 1 << 20 };

static uint32_t date_serial(sg_time now)
{
    char digits[TIME_TEXT_BYTES];
    time_to_digits(now, digits);
    uint32_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value * 10 + (uint32_t)(digits[i] - '0');
    }
    return value * 100;
}

uint32_t zone_serial_raise(enum zone_serial_update method, uint32_t current, sg_time now)
{
    uint32_t wanted = method == ZONE_SERIAL_UNIXTIME ? (uint32_t)now
                      : method == ZONE_SERIAL_DATE   ? date_serial(now)
                                                     : current;
    return wanted != 0 && serial_compare(wanted, current) > 0 ? wanted : serial_next(current);
}

/* Nothing was committed yet: the source's own, or a later one where the method or a secondary that
 * knows the zone asks for it. */
static uint32_t first_serial(const struct zone_job *job, uint32_t source_serial)
{
    enum zone_serial_update method = job->settings->serial_update;
    uint32_t above = job->asked.serial_above;
    bool by_time = method == ZONE_SERIAL_UNIXTIME || method == ZONE_SERIAL_DATE;
    uint32_t serial = source_serial;
    if (by_time) {
        uint32_t timed = zone_serial_raise(method, source_serial, job->now);
        serial = timed == serial_next(source_serial) ? source_serial : timed;
    }
    if (above != 0 && serial_compare(serial, above) <= 0) {
        serial = zone_serial_raise(method, above, job->now);
    }
    return serial;
}

uint32_t zone_serial_choose(const struct zone_job *job, uint32_t source_serial)
{
    enum zone_serial_update method = job->settings->serial_update;
    if (job->lent.base == NULL) {
        return first_serial(job, source_serial);
    }
    uint32_t current = zone_version_facts(job->lent.base)->serial;
    uint32_t above = job->asked.serial_above;
    if (above != 0 && serial_compare(above, current) > 0) {
        current = above;
    }
    if (job->kind == ZONE_JOB_RAISE) {
        return serial_next(current); /* what was asked for, whatever the method */
    }
    bool source_changed = job->kind == ZONE_JOB_LOAD || job->kind == ZONE_JOB_UPDATE ||
                          job->kind == ZONE_JOB_TRANSFER;
    if (source_changed && serial_compare(source_serial, current) > 0) {
        return source_serial;
    }
    return zone_serial_raise(method, current, job->now);
}

/*
 * Where the policy was taken away, or a secondary has fetched an older zone, the serial is a lower
 * one, and its secondaries stay where they were. When ours has come up to theirs they would take a
 * difference that leads on from what we have under that serial, and not they. So until the base is
 * above all that was served no difference is told.
 */
void zone_serial_note(struct zone_job *job)
{
    uint32_t *went_back = &job->made.state.went_back;
    if (job->made.version == NULL || job->lent.base == NULL) {
        return;
    }
    uint32_t from = zone_version_facts(job->lent.base)->serial;
    uint32_t to = zone_version_facts(job->made.version)->serial;
    if (*went_back != 0 && serial_compare(from, *went_back) > 0) {
        *went_back = 0;
    }
    bool is_far = *went_back == 0 || *went_back - from > WENT_BACK_MOST;
    if (is_far && serial_compare(to, from) < 0) {
        *went_back = from;
    }
    job->made.serial_is_reused = *went_back != 0 && *went_back - from <= WENT_BACK_MOST;
}
