/*
 * keeper/key_tell.h - lines for the log of what keys do, in the words of BIND (private to keeper/)
 *
 * Watchers of logs look for them. They are gathered during a look and written once all is durable
 * (zone_keys_log_made()). Thread: worker.
 */
#pragma once

#include "keeper/key_preparation.h"

/* A key comes from its files that no commit has; and the TTL of what is served is another. */
void key_tell_found(struct preparation *p);
/* What the plan changes; before it is applied. */
void key_tell_moves(struct preparation *p, const struct kasp_key_plan *planned, bool is_made);
/* The apex is as it is to be: which CDS and CDNSKEY come and go, whatever for: states of keys, the
 * policy's digests, or that there shall be no DS. */
void key_tell_cds(struct preparation *p, const struct kasp_apex *apex);
/* The plan is the last one of the look: what waits for a step. */
void key_tell_blocked(struct preparation *p);
const char *key_tell_role(const struct key_state *state);
