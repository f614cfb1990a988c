#include "base/log.h"
#include "dns/serial.h"
#include "keeper/zone_steps.h"

/* Several changes within a second are ahead of the clock too, and it soon catches up. */
enum { SERIAL_AHEAD_SECONDS_MAX = 60 };
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

bool zone_serial_is_ahead(enum zone_serial_update method, uint32_t serial, sg_time now)
{
    switch (method) {
    case ZONE_SERIAL_UNIXTIME:
        return serial_compare(serial, (uint32_t)(now + SERIAL_AHEAD_SECONDS_MAX)) > 0;
    case ZONE_SERIAL_DATE:
        return serial_compare(serial, date_serial(now) + 99) > 0;
    case ZONE_SERIAL_INCREMENT:
    case ZONE_SERIAL_KEEP:
        break;
    }
    return false;
}

/* Each change of such a zone is one; so it is told when it begins, at each reload, and once a day.
 */
void zone_serial_warn_if_ahead(const struct zone_job *job)
{
    const struct zone_settings *settings = job->settings;
    enum zone_serial_update method = settings->serial_update;
    const struct zone_facts *facts = zone_version_facts(job->made.version);
    const struct zone_version *base = job->lent.base;
    char label[ZONE_LABEL_BYTES];

    if ((!facts->signed_here && !settings->dynamic) ||
        !zone_serial_is_ahead(method, facts->serial, job->now)) {
        return;
    }
    bool was_ahead =
        base != NULL && zone_serial_is_ahead(method, zone_version_facts(base)->serial, job->now);
    bool is_new_day = job->lent.state->clock_at / SG_DAY != job->now / SG_DAY;
    if (was_ahead && !is_new_day && job->kind != ZONE_JOB_LOAD) {
        return;
    }
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: serial %u is ahead of what serial-update-method %s gives now: each change "
              "counts one more until that is greater",
              zone_label(settings, label), facts->serial,
              method == ZONE_SERIAL_DATE ? "date" : "unixtime");
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

/* Above `current` and, where the source has another one that is, the source's. */
static uint32_t choose_above(const struct zone_job *job, uint32_t current, uint32_t source_serial)
{
    if (job->kind == ZONE_JOB_RAISE) {
        return serial_next(current); /* what was asked for, whatever the method */
    }
    bool source_changed = job->kind == ZONE_JOB_LOAD || job->kind == ZONE_JOB_UPDATE ||
                          job->kind == ZONE_JOB_TRANSFER;
    if (source_changed && serial_compare(source_serial, current) > 0) {
        return source_serial;
    }
    return zone_serial_raise(job->settings->serial_update, current, job->now);
}

uint32_t zone_serial_choose(const struct zone_job *job, uint32_t source_serial)
{
    if (job->lent.base == NULL) {
        return first_serial(job, source_serial);
    }
    uint32_t served = zone_version_facts(job->lent.base)->serial;
    uint32_t above = job->asked.serial_above;
    if (above != 0 && serial_compare(above, served) > 0) {
        uint32_t serial = choose_above(job, above, source_serial);
        if (serial_compare(serial, served) > 0) {
            return serial;
        } /* else it is above theirs and, as RFC 1982 counts, behind ours: never go back */
    }
    return choose_above(job, served, source_serial);
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
