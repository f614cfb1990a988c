/*
 * keeper/refresh_timers.h - when a secondary asks again, and until when it may answer
 *
 * Absolute times, so that they survive a restart in a commit record: a zone that was to expire in
 * an hour does so, restarted or not (RFC 1034 4.3.5). Pure.
 */
#pragma once

#include "base/buffer.h"
#include "base/random.h"
#include "base/time.h"
#include "dns/reply.h"

enum {
    REFRESH_EXPIRE_MAX = 24 * 604800, /* as BIND: 24 weeks */
    REFRESH_BOOTSTRAP_MIN = 5,        /* between tries for a zone that never came */
    REFRESH_BOOTSTRAP_MAX = 1800,
    REFRESH_SHORT_MIN = 30, /* between checks, however little a primary has left itself */
    REFRESH_TIMERS_BYTES = 26,
};

struct refresh_timers {
    sg_time checked_at; /* the last time that a primary was heard; 0: never */
    sg_time refresh_at; /* ask again */
    sg_time expire_at;  /* serve no more; INT64_MAX: there is nothing to expire */
    bool expired;
};

/* min- and max-refresh-time, min- and max-retry-time. */
struct refresh_bounds {
    sg_duration refresh_min, refresh_max, retry_min, retry_max;
};

/* The SOA's terms within bounds. The expiry is never shorter than a refresh and a retry, or a
 * single lost packet would take the zone away. */
sg_duration refresh_interval(const struct dns_soa *soa, const struct refresh_bounds *bounds);
sg_duration refresh_retry(const struct dns_soa *soa, const struct refresh_bounds *bounds);
sg_duration refresh_expiry(const struct dns_soa *soa, const struct refresh_bounds *bounds);
/* The wait after `failures` (from 1) tries for a zone that never came. */
sg_duration refresh_bootstrap(unsigned failures);
/* Between three quarters of `wait` and all of it, so that zones which came together part. */
sg_duration refresh_jitter(sg_duration wait, struct random_seeded *random);

/*
 * With a clock that was set back, or other bounds: no time lies further ahead than
 * it could if it were set now.
 */
void refresh_timers_clamp(struct refresh_timers *timers, const struct dns_soa *soa,
                          const struct refresh_bounds *bounds, sg_time now);

/* Appends REFRESH_TIMERS_BYTES. */
void refresh_timers_encode(const struct refresh_timers *timers, struct buffer *out_bytes);
/* SG_MALFORMED, SG_UNSUPPORTED (a later format). Bytes from the disk. */
MUST_USE enum sg_result refresh_timers_decode(struct span bytes, struct refresh_timers *out_timers);
