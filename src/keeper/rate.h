/*
 * keeper/rate.h - so many a second (notify-rate, serial-query-rate)
 *
 * One rate for all zones of a keeper. A value; 0 a second is no limit.
 */
#pragma once

#include <stdbool.h>

#include "base/time.h"

struct rate {
    unsigned per_second;
    sg_time second; /* the latest that something was given */
    sg_time asked;  /* when it was asked for a place last */
    unsigned used;  /* of the second */
};

/* May it be now? A clock that was set back does not stop it. */
static inline bool rate_allows(const struct rate *rate, sg_time now)
{
    return rate->per_second == 0 || rate->second != now || rate->used < rate->per_second;
}

/* The same; then it counts. */
static inline bool rate_take(struct rate *rate, sg_time now)
{
    if (!rate_allows(rate, now)) {
        return false;
    }
    rate->used = rate->second == now ? rate->used + 1 : 1;
    rate->second = now;
    return true;
}

/*
 * The second in which it may be, now or later: the caller waits for that, and need not ask again.
 * So a hundred thousand that stand in line cost nothing. Not to be mixed with rate_take().
 */
static inline sg_time rate_reserve(struct rate *rate, sg_time now)
{
    /* A clock that was set back makes a place that is soon one of another day: those who stand in
     * line are told of it and ask anew (refresh_clock_set_back()). */
    if (rate->second < now || rate->per_second == 0 || now < rate->asked) {
        rate->second = now;
        rate->used = 0;
    }
    rate->asked = now;
    if (rate->per_second != 0 && rate->used >= rate->per_second) {
        rate->second++;
        rate->used = 0;
    }
    rate->used++;
    return rate->second;
}
