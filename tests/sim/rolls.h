/*
 * sim/rolls.h - keys that come and go, a parent that follows, and caches that remember
 *
 *   rolls.c   policies with short lives, and their edits; is every roll at its end?
 *   parent.c  follows CDS after a while; parental agents that lag, are silent, turn back; an
 * operator caches.c  whatever mix of what was published caches may hold: is it bogus? (S2)
 *
 * They draw from a generator of their own, so that a world is otherwise what it was.
 */
#pragma once

#include "sim/world.h"

enum { PARENT_AGENTS_MAX = 3 };

/* --- rolls.c -------------------------------------------------------------------------------- */

uint32_t rolls_draw(struct world *world, uint32_t bound);
bool rolls_chance(struct world *world, unsigned percent);
/* From `least` to `most` seconds. */
sg_duration rolls_between(struct world *world, sg_duration least, sg_duration most);
/* OpenSSL takes the seed's bytes too, so that keys may be made, and ECDSA is a run's own. */
void rolls_seed_openssl(void);
/* Whether its keys roll by themselves is drawn; parent and caches it has in any case. */
void rolls_begin(struct sim_zone *zone);
/* By this policy, with a parent that does what it should. */
void rolls_begin_with(struct sim_zone *zone, struct kasp_policy *policy);
/* Another policy, from the next configuration on. Takes it. */
void rolls_take(struct sim_zone *zone, struct kasp_policy *policy);
void rolls_end(struct sim_zone *zone);
/* Now and then a policy is edited, or an edit is undone. */
void rolls_step(struct world *world);
/* The same with a name of its own. */
struct kasp_policy *rolls_copy_policy(const struct kasp_policy *from);
/* How often its policy was edited. */
uint64_t rolls_edits(const struct sim_zone *zone);
/* When the job that signed it began: a commit in doubt may be published hours later. */
sg_time rolls_signed_at(const struct sim_zone *zone, const struct records *records);
/* Hardly a signature is left of the version before, or an algorithm has come or gone: it is signed
 * as a whole, which is told as a whole. */
bool rolls_signs_anew(const struct sim_zone *zone, const struct records *published);
/* It is served as it is, or soon will be. */
bool rolls_is_unsigned(const struct sim_zone *zone);
/* Is the version without DNSKEY as it may be? Fails the world where nobody asked for that. */
bool rolls_may_be_unsigned(struct sim_zone *zone, const struct records *published);
/* No roll begins any more: those that are under way have to end (S6). */
void rolls_calm(struct world *world);
void rolls_come_to_rest(struct world *world);

/* --- parent.c ------------------------------------------------------------------------------- */

void parent_begin(struct sim_zone *zone);
void parent_end(struct sim_zone *zone);
/* Whom the keeper is to ask. */
const struct ds_watch_settings *parent_settings(const struct sim_zone *zone);
/* What has become due is done; INT64_MAX: nothing will be. */
void parent_turn(struct world *world);
sg_time parent_wake(const struct world *world);
/* What an agent says to a question for the DS. False: nothing. */
bool parent_answer(struct sim_zone *zone, const struct keeper_question *asked,
                   struct buffer *out_reply);
/* The operator looks at the parent, and tells the keeper what he sees. */
void parent_operator(struct sim_zone *zone);
/* From now on it does what it should, soon. */
void parent_calm(struct sim_zone *zone);
/* Every agent shows exactly the DS of these keys. */
bool parent_shows(const struct sim_zone *zone, const struct key_list *keys);

/* --- caches.c ------------------------------------------------------------------------------- */

void caches_begin(struct sim_zone *zone);
void caches_free(struct sim_zone *zone);
/* The zone was published. Fails the world if some mix of caches finds it bogus. */
void caches_see_zone(struct sim_zone *zone, const struct records *published);
/* Some agent of the parent shows something else now. `ttl` of its DS. */
void caches_see_ds(struct sim_zone *zone, const struct records *const *shown, size_t count,
                   uint32_t ttl);
/* The clock was false, and what keys have done by it is no fault: no cache remembers. */
void caches_begin_anew(struct sim_zone *zone);
/* A record that is called omnipresent is in every cache, one that is hidden in none. */
void caches_check_states(struct sim_zone *zone);
