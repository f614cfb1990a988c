#include "keeper/refresh_timers.h"

enum { FORMAT = 1, FLAG_EXPIRED = 1, DOUBLINGS_MAX = 16 };

/* The year 36812: larger times are no times. */
static const sg_time time_max = (sg_time)1 << 40;

static sg_duration within(sg_duration value, sg_duration least, sg_duration most)
{
    return value < least ? least : value > most ? most : value;
}

sg_duration refresh_interval(const struct dns_soa *soa, const struct refresh_bounds *bounds)
{
    return within(soa->refresh, bounds->refresh_min, bounds->refresh_max);
}

sg_duration refresh_retry(const struct dns_soa *soa, const struct refresh_bounds *bounds)
{
    return within(soa->retry, bounds->retry_min, bounds->retry_max);
}

sg_duration refresh_expiry(const struct dns_soa *soa, const struct refresh_bounds *bounds)
{
    sg_duration least = refresh_interval(soa, bounds) + refresh_retry(soa, bounds);
    return within(soa->expire, least, least > REFRESH_EXPIRE_MAX ? least : REFRESH_EXPIRE_MAX);
}

sg_duration refresh_bootstrap(unsigned failures)
{
    unsigned doublings = failures > 0 ? failures - 1 : 0;
    sg_duration wait = (sg_duration)REFRESH_BOOTSTRAP_MIN
                       << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
    return wait < REFRESH_BOOTSTRAP_MAX ? wait : REFRESH_BOOTSTRAP_MAX;
}

sg_duration refresh_jitter(sg_duration wait, struct random_seeded *random)
{
    if (wait < 4) {
        return wait;
    }
    sg_duration quarter = wait / 4 < UINT32_MAX ? wait / 4 : UINT32_MAX - 1;
    return wait - random_seeded_below(random, (uint32_t)quarter + 1);
}

void refresh_timers_clamp(struct refresh_timers *timers, const struct dns_soa *soa,
                          const struct refresh_bounds *bounds, sg_time now)
{
    sg_time refresh_last = now + refresh_interval(soa, bounds);
    sg_time expire_last = now + refresh_expiry(soa, bounds);

    if (timers->refresh_at > refresh_last) {
        timers->refresh_at = refresh_last;
    }
    if (timers->expire_at > expire_last) {
        timers->expire_at = expire_last;
    }
    if (timers->checked_at > now) {
        timers->checked_at = now;
    }
}

static void append_time(struct buffer *bytes, sg_time when)
{
    uint64_t seconds = when < 0 ? 0 : (uint64_t)when;
    buffer_append_u32(bytes, (uint32_t)(seconds >> 32));
    buffer_append_u32(bytes, (uint32_t)seconds);
}

void refresh_timers_encode(const struct refresh_timers *timers, struct buffer *out_bytes)
{
    buffer_append_u8(out_bytes, FORMAT);
    buffer_append_u8(out_bytes, timers->expired ? FLAG_EXPIRED : 0);
    append_time(out_bytes, timers->checked_at);
    append_time(out_bytes, timers->refresh_at);
    append_time(out_bytes, timers->expire_at);
}

static sg_time read_time(struct reader *reader)
{
    uint64_t high = reader_u32(reader);
    uint64_t seconds = high << 32 | reader_u32(reader);

    if (seconds == INT64_MAX) {
        return INT64_MAX;
    }
    if (seconds > (uint64_t)time_max) {
        reader->failed = true;
        return 0;
    }
    return (sg_time)seconds;
}

enum sg_result refresh_timers_decode(struct span bytes, struct refresh_timers *out_timers)
{
    struct reader reader = reader_of(bytes);
    struct refresh_timers timers;

    uint8_t format = reader_u8(&reader);
    if (!reader.failed && format > FORMAT) {
        return SG_UNSUPPORTED;
    }
    uint8_t flags = reader_u8(&reader);
    timers.expired = (flags & FLAG_EXPIRED) != 0;
    timers.checked_at = read_time(&reader);
    timers.refresh_at = read_time(&reader);
    timers.expire_at = read_time(&reader);
    if (reader.failed || reader_left(&reader) != 0 || format != FORMAT || flags > FLAG_EXPIRED) {
        return SG_MALFORMED;
    }
    *out_timers = timers;
    return SG_OK;
}
