/*
 * keeper/parent_telling.h - ds_tell.h, carried out for a managed zone
 *
 *   ds-submit-command, ds-retract-command   a program gets the key's DNSKEY or DS records
 *   ds-push                                 an update goes to the parent's primaries
 *
 * Never a part of a change of the zone: a parent that is not to be reached holds nothing up. What
 * was told is committed with the zone's state, so that a restart does not repeat it; what a crash
 * cuts off is told once more. Private to keeper/. Thread: keeper.
 */
#pragma once

#include "keeper/ds_tell.h"
#include "keeper/keeper_parts.h"

enum { PARENT_TELLING_PROGRAM_SECONDS_MAX = 60 };

struct parent_telling_settings {
    const char *const *submit; /* words of a command line, NULL at the end; NULL: none */
    const char *const *retract;
    bool ds_records;           /* a command gets DS records, else the DNSKEY */
    const struct remote *push; /* every one of them is told */
    size_t push_count;
    struct ds_tell_bounds bounds; /* of which commands there are, is seen from the above */
};

struct parent_telling;
/* It has ended by one way: parent_telling_turn() has to be called. */
typedef void parent_telling_stirred(void *argument);

/* What was told before a restart is in the zone's state. */
struct parent_telling *parent_telling_new(struct keeper *keeper, struct managed_zone *zone,
                                          parent_telling_stirred *stirred, void *argument);
/* What is out is taken back. NULL is fine. */
void parent_telling_free(struct parent_telling *telling);
/* The zone has new settings; the old ones are borrowed until this returns. */
void parent_telling_adopt(struct parent_telling *telling);
/* Keys are borrowed until this returns. */
void parent_telling_want(struct parent_telling *telling, const struct ds_check_wish *wishes,
                         size_t count);
/* Tell what is due. Returns when to come again; INT64_MAX. `withdraws` as of ds_tell_turn(). */
sg_time parent_telling_turn(struct parent_telling *telling, bool withdraws);
/* What could not be told, a line each. */
void parent_telling_describe(const struct parent_telling *telling,
                             void (*line)(void *argument, const char *text), void *argument);
/* Bring the zone's state up to date before it is committed. */
void parent_telling_encode(struct parent_telling *telling);
