/*
 * dnssec/expiration.h - until when a signature is valid, so that refreshes are a trickle
 *
 * A signature is made anew when `refresh` is left of it. One that is made in its turn lives for
 * the validity less a jitter, and comes in turn again after what is left: the interval. Were all
 * names of a zone given that when they are signed at once, they would come in turn at once, too,
 * a wave in each interval. So a signature that is made at any other moment (the zone is signed
 * whole, changed by many names, late after an outage, a campaign) ends as if the name had had its
 * turns since ever, and now were any moment of an interval. Then as many names are due in each
 * second of the first interval as in any later one; but nothing within its first hour.
 *
 * Whatever is drawn ends at now + refresh or later and before now + validity. Pure.
 */
#pragma once

#include "base/random.h"
#include "base/time.h"

struct expiration_rule {
    sg_duration validity;
    sg_duration jitter;   /* up to so much less; bounded here where validity or interval is short */
    sg_duration interval; /* validity less refresh; 0: no spread, all is drawn as in turn */
};

/* Of a signature that is made anew because it is due. */
sg_time expiration_in_turn(const struct expiration_rule *rule, struct random_seeded *random,
                           sg_time now);
/* Of any other. */
sg_time expiration_out_of_turn(const struct expiration_rule *rule, struct random_seeded *random,
                               sg_time now);
