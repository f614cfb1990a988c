#include "dnssec/expiration.h"

enum {
    JITTER_SHORT = 1200, /* for signatures that live an hour or two */
    REST_PART = 100,     /* the rest is such a part of the interval */
};

static sg_duration least(sg_duration a, sg_duration b)
{
    return a < b ? a : b;
}

/*
 * However the jitter falls, a signature lives half the interval until its turn: what is due as
 * soon as it is made would be made without end.
 */
static sg_duration bounded_jitter(const struct expiration_rule *rule)
{
    sg_duration validity = rule->validity;
    sg_duration most = validity > 2 * SG_HOUR ? validity - 1
                       : validity >= SG_HOUR  ? JITTER_SHORT
                                              : 0;
    if (rule->interval > 0) {
        most = least(most, rule->interval / 2);
    }
    return least(rule->jitter, most);
}

static sg_duration draw_below(struct random_seeded *random, sg_duration bound)
{
    return bound > 0 ? random_seeded_below(random, (uint32_t)bound) : 0;
}

sg_time expiration_in_turn(const struct expiration_rule *rule, struct random_seeded *random,
                           sg_time now)
{
    return now + rule->validity - 1 - draw_below(random, bounded_jitter(rule));
}

/*
 * A moment that is taken from all of a name's life falls into a long interval more often than into
 * a short one, by their lengths, and anywhere in it. Taking that into account is what makes the
 * trickle even where the first round ends and the second begins. What was just made rests a while:
 * a hundredth of the interval, of which the others get the share.
 */
sg_time expiration_out_of_turn(const struct expiration_rule *rule, struct random_seeded *random,
                               sg_time now)
{
    enum { DRAWS_MAX = 64 }; /* each is taken with a probability of a half or more */
    sg_duration jitter = bounded_jitter(rule);
    sg_duration interval = 0;
    if (rule->interval <= 1) {
        return expiration_in_turn(rule, random, now);
    }
    for (int i = 0; i < DRAWS_MAX; i++) {
        interval = rule->interval - 1 - draw_below(random, jitter);
        if (draw_below(random, rule->interval) < interval) {
            break;
        }
    }
    sg_duration rest = least(SG_HOUR, rule->interval / REST_PART);
    return now + rule->validity - rule->interval + rest + draw_below(random, interval - rest);
}
