/*
 * keeper/refresh_walk.h - one walk along the primaries: who is asked, and in which way
 *
 * Each is asked as its settings say, and once more in another way where that may help, before the
 * next one is. When to ask, and what an answer is for the zone: refresh.h. Pure. Thread: keeper.
 */
#pragma once

#include "keeper/refresh.h"

struct refresh_walk {
    size_t first; /* whom it began with */
    size_t tried; /* how many have been given up */
    sg_time ask_at;
    bool startup;
    bool whole;   /* retransfer */
    bool tcp;     /* of the present primary: ask over TCP */
    bool no_edns; /* it does not take it */
    bool no_ixfr; /* its IXFR was no good */
    bool current; /* one has our serial, and none has told of a newer one */
    bool has_expire;
    uint32_t expire; /* what it said */
};

const struct refresh_primary *refresh_walk_present(const struct refresh_walk *walk,
                                                   const struct refresh_settings *settings);
/* The present primary is asked in the way that its settings say. */
void refresh_walk_meet(struct refresh_walk *walk, const struct refresh_settings *settings);
/* The same primary in another way? Sets it up, then. */
bool refresh_walk_another_way(struct refresh_walk *walk, const struct refresh_settings *settings,
                              const struct refresh_reply *reply);
/* Is the present primary asked for differences, where we have a zone? */
bool refresh_walk_has_ixfr(const struct refresh_walk *walk,
                           const struct refresh_settings *settings);
/* That came to nothing, for this reason: may AXFR do better? Sets it up, then. */
bool refresh_walk_axfr_instead(struct refresh_walk *walk, const struct refresh_settings *settings,
                               enum sg_result result);
/* The place of a primary in the settings; the first one for anybody else, and for NULL. */
size_t refresh_walk_place_of(const struct refresh_settings *settings, const struct remote *from);
