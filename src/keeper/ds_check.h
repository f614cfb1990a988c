/*
 * keeper/ds_check.h - is the DS of our keys at the parent, or has it gone? (parental agents)
 *
 *             .------- again after a wait that grows ------------------------.
 *             v                                                             |
 *   IDLE -> WAIT -> ask agent 1 -> ask agent 2 -> ... -> the last one: the round is judged
 *    ^ nothing is wanted                                         '-> facts, where they are news
 *
 * A round asks every agent once, one after the other. A key's DS is published when in one and the
 * same round every agent showed a DS that fits it, withdrawn when in one round every agent said
 * that there is none. An agent that is silent, wrong or answers for the child never agrees. There
 * are no counters: two digests of one key at one agent are one agent's word.
 *
 * What is as it should be is looked at on, more and more rarely: a parent may turn back, and then
 * that is a fact as well. So a wish stays until it is taken back.
 *
 * Which DS fits a key: keeper/ds_match.h.
 *
 * Pure: no clock, no socket. ds_check_turn() says whom to ask, the keeper asks and tells what came.
 * Thread: keeper.
 */
#pragma once

#include "base/random.h"
#include "dns/ds_reply.h"
#include "dnssec/key.h"
#include "keeper/remote.h"

enum {
    DS_CHECK_KEYS_MAX = 32,
    DS_CHECK_AGENTS_MAX = 128, /* 13 servers of a parent have 26 addresses */
};

struct ds_check_bounds {
    sg_duration retry_min; /* after the first round that did not agree; doubles from then on */
    sg_duration retry_max;
    sg_duration warn_every; /* while a wanted DS does not come */
    sg_duration watch_max;  /* between looks at what is as it should be; at least retry_max */
};

enum ds_check_want { DS_CHECK_PUBLISHED, DS_CHECK_WITHDRAWN };

/* One key whose DS is waited for. `key` is borrowed during ds_check_want() alone. */
struct ds_check_wish {
    const struct signing_key *key;
    enum ds_check_want want;
    sg_time since; /* when the parent was first expected to act: older looks do not fulfil it */
    bool noted;    /* it was seen so before, by us or by the operator: no look is urgent */
    bool guessed;  /* noted only as times of another signer's key files let it be: one is urgent */
};

struct ds_check;

/* The bounds are copied; `seed` is for the spread of retries. */
struct ds_check *ds_check_new(const struct ds_check_bounds *bounds, uint64_t seed);
void ds_check_free(struct ds_check *check); /* NULL is fine */
/* From the next round on. */
void ds_check_set_bounds(struct ds_check *check, const struct ds_check_bounds *bounds);

/*
 * Whom to ask; copied, what lies behind key and origin is the configuration's. The same agents:
 * nothing changes but those two. Others: what is out is forgotten (cancel it) and a new round is
 * due. Returns false then. None: nobody ever agrees. More than DS_CHECK_AGENTS_MAX: to ask some
 * would not be to ask all, so nobody is asked, and ds_check_describe() says why.
 */
bool ds_check_set_agents(struct ds_check *check, const struct remote *agents, size_t count,
                         sg_time now);
/*
 * What is waited for, whole: at most DS_CHECK_KEYS_MAX, one for each key. Wishes that were there
 * keep what is known of their keys; a new one, or another for a key, makes a round due at once, and
 * one that is under way counts no more.
 */
void ds_check_set_wishes(struct ds_check *check, const struct ds_check_wish *wishes, size_t count,
                         sg_time now);
/* What was seen was seen for nothing: it is all news again, and a round is due. */
void ds_check_forget(struct ds_check *check, sg_time now);
/* The operator wants to know now: the next round is due, and retries begin anew. */
void ds_check_demand(struct ds_check *check, sg_time now);

/* True: ask `*out_agent` (borrowed until the next call of anything here) for the DS over TCP, then
 * call ds_check_heard(). False: nothing to do until ds_check_wake(). */
bool ds_check_turn(struct ds_check *check, sg_time now, const struct remote **out_agent);
/* When a round is due, or was, whoever is asked in it. */
sg_time ds_check_due_at(const struct ds_check *check);
sg_time ds_check_wake(const struct ds_check *check); /* INT64_MAX: never */

/*
 * A fact, for the key set: the DS of this key was seen by all, or by none, whichever was wanted.
 * Told when it is news: seen so for the first time, after it was seen otherwise, for the first
 * time since the wish's `since`, or with a longer TTL than before.
 */
struct ds_check_fact {
    uint16_t tag;
    uint8_t algorithm;
    enum ds_check_want want, what;
    bool noted;    /* the wish was */
    sg_time first; /* the first of the looks that all showed this; KEY_TIME_UNSET: it was never seen
                      otherwise */
    sg_time at;    /* when the last agent of this round had answered */
    uint32_t ttl;  /* the largest that the round's DS records had; 0 where there were none */
};
/* Has the agent that is asked now had this reply.problem before? */
bool ds_check_knows(const struct ds_check *check, const char *problem);
/*
 * What the agent said: SG_OK and the reply, or why there was none. Returns how many facts came out
 * of it (0 in the midst of a round), at most DS_CHECK_KEYS_MAX.
 */
size_t ds_check_heard(struct ds_check *check, enum sg_result result, const struct ds_reply *reply,
                      sg_time now, struct ds_check_fact *out_facts);

/* Does something count as there that is guessed, and no look has shown how it is? */
bool ds_check_is_guessing(const struct ds_check *check);
/* Is something waited for: a wish that no round has fulfilled? */
bool ds_check_is_waiting(const struct ds_check *check);
bool ds_check_is_waiting_for(const struct ds_check *check, enum ds_check_want want);
/* Is it time to say that a DS is still waited for? True at most once every `warn_every`. */
bool ds_check_warns(struct ds_check *check, sg_time now);
/* When that will be; INT64_MAX: nothing is waited for. */
sg_time ds_check_warn_at(const struct ds_check *check);
/*
 * In operators' words, a line each without end of line: what is waited for, since when, what each
 * agent said and when. `line` is called once a line.
 */
void ds_check_describe(const struct ds_check *check, void (*line)(void *argument, const char *text),
                       void *argument);
bool ds_check_is_asking(const struct ds_check *check);
