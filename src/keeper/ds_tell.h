/*
 * keeper/ds_tell.h - tell the parent's side which DS shall come and go, until it has heard it
 *
 *   wish -> OPEN -> is being told -> told: outlives a restart
 *            ^            '-- failed: again after a wait that grows
 *            '----------------------'
 *
 * By two ways, each for itself: a command of the operator's, one key at a time, and a dynamic
 * update at the parent's primaries, everything at once. Each is told once for each wish, i.e. once
 * for each time that a key's DS is to come or to go: until the key notes it as done, or it is not
 * wanted any more. After a restart a wish is known by its `since`.
 *
 * A command that withdraws waits until no DS is waited for that is to come: a parent that does
 * first what it hears last would have none at all for a while.
 *
 * Pure: no clock, no socket, no process. Thread: keeper.
 */
#pragma once

#include "keeper/ds_check.h"

enum ds_tell_way { DS_TELL_COMMAND, DS_TELL_PUSH, DS_TELL_WAYS };
enum { DS_TELL_DIGESTS_MAX = 4, DS_TELL_BYTES_MAX = DS_CHECK_KEYS_MAX * DS_TELL_WAYS * 13 };

/* One key's DS. */
struct ds_tell_item {
    uint16_t tag;
    uint8_t algorithm;
    enum ds_check_want want;
    sg_time since;
    struct buffer dnskey; /* rdata */
    struct buffer ds[DS_TELL_DIGESTS_MAX];
    size_t ds_count;
    bool told[DS_TELL_WAYS], telling[DS_TELL_WAYS];
};

struct ds_tell_bounds {
    sg_duration retry_min, retry_max;
    bool lacks_command[2]; /* by enum ds_check_want: that is not told, and stays to be told */
};

struct ds_tell;

struct ds_tell *ds_tell_new(const struct ds_tell_bounds *bounds);
void ds_tell_free(struct ds_tell *tell); /* NULL is fine */
void ds_tell_set_bounds(struct ds_tell *tell, const struct ds_tell_bounds *bounds);
/* What was told before a restart: bytes of ds_tell_encode(), checked; what is broken is nothing. */
void ds_tell_restore(struct ds_tell *tell, struct span bytes);
void ds_tell_encode(const struct ds_tell *tell, struct buffer *out_bytes);

/* What is wanted, whole; `digest_types` of the DS records to be made of each key that comes; one
 * that goes has all that can be made. True: what is to outlive a restart has changed. */
bool ds_tell_set_wishes(struct ds_tell *tell, const struct ds_check_wish *wishes, size_t count,
                        const uint8_t *digest_types, size_t digest_types_count, sg_time now);
/*
 * Is it time to tell something by this way, and nothing is being told? Then every item that has
 * `telling` set is to be told now, one of a command. `withdraws`: no DS is waited for that is to
 * come.
 */
bool ds_tell_turn(struct ds_tell *tell, enum ds_tell_way way, bool withdraws, sg_time now);
/* How it went. True: what is told has changed. */
bool ds_tell_ended(struct ds_tell *tell, enum ds_tell_way way, bool success, sg_time now);
/* It could not even be begun, for a reason that is not the parent's: again at `at`. */
void ds_tell_postpone(struct ds_tell *tell, enum ds_tell_way way, sg_time at);
/* When there may be something to tell; INT64_MAX: not before other wishes, or an end. */
sg_time ds_tell_wake(const struct ds_tell *tell, enum ds_tell_way way, bool withdraws);
/* In order of the wishes; borrowed. */
const struct ds_tell_item *ds_tell_items(const struct ds_tell *tell, size_t *out_count);
