/*
 * keeper/clock_guard.h - can the wall clock be believed? (pure)
 *
 * The wall clock is set by people and programs; the clock that counts from the machine's boot only
 * runs on. Where the two part by more than CLOCK_STEP_MAX one of them was set, and nobody knows
 * which time is right. Smaller steps are NTP's daily bread and are followed.
 *
 *   TRUSTED --jump ahead--> AHEAD --back within the limit, or accepted--> TRUSTED
 *   TRUSTED --jump back---> BEHIND --the same, or later than ever seen--> TRUSTED
 *   start before CLOCK_EARLIEST -> EARLY --any later time, or accepted--> TRUSTED
 *
 * Thread: any, one at a time.
 */
#pragma once

#include <stdbool.h>

#include "base/time.h"

#define CLOCK_STEP_MAX (5 * SG_MINUTE)
#define CLOCK_EARLIEST ((sg_time)1767225600) /* 2026-01-01: before this program was written */

enum clock_doubt {
    CLOCK_TRUSTED,
    CLOCK_EARLY,    /* it shows a time before this program was written */
    CLOCK_AHEAD,    /* it has jumped ahead */
    CLOCK_BEHIND,   /* it has jumped back; of a zone: it is behind the zone's last commit */
    CLOCK_UNLIKELY, /* of a zone: it is far ahead of the last commit, or has been in doubt then */
    CLOCK_ACCEPTED, /* of a zone: it is believed again, but the waits of its keys have not begun */
};

struct clock_guard {
    bool begun;
    enum clock_doubt doubt;
    sg_time offset;   /* of the wall clock to the other, as it was believed last */
    sg_time latest;   /* what was believed last */
    sg_duration jump; /* AHEAD, BEHIND: how far */
};

/* `wall` and `uptime` as they are now. The first call believes the wall clock, unless it is EARLY.
 */
void clock_guard_look(struct clock_guard *guard, sg_time wall, sg_time uptime);
/* Somebody says that the wall clock is right. */
void clock_guard_accept(struct clock_guard *guard, sg_time wall, sg_time uptime);
