/*
 * keeper/refresh_settings.h - from whom a secondary gets its zone, and how it asks (pure)
 */
#pragma once

#include "keeper/refresh_timers.h"
#include "keeper/remote.h"

struct refresh_primary {
    struct remote remote;
    bool request_ixfr;
    bool request_expire;
    bool edns;
    bool tcp_only;
    bool bogus;            /* it is not asked */
    uint16_t edns_payload; /* what we say that we take; 0: the default */
    unsigned transfers;    /* at the same time from it; 0: transfers-per-ns */
};

struct refresh_settings {
    const struct refresh_primary *primaries; /* in the order in which they are asked */
    size_t primaries_count;
    struct refresh_bounds bounds;
    bool try_tcp;       /* try-tcp-refresh */
    bool multi_primary; /* a lower serial is no reason for a word */
};

/* Are they the same servers, with the same keys, in the same order, and bogus or not as before? */
bool refresh_same_primaries(const struct refresh_settings *a, const struct refresh_settings *b);
