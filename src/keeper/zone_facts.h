/*
 * keeper/zone_facts.h - what is known of a zone's keys beside their files: what was published of
 * each and when, what was seen at the parent, what caches may still hold
 *
 * A key's states live twice. Its .state file is what operators, tools and other signers read and
 * edit; it is written before the commit that makes it true, which may fail or come late. The
 * commit record has the states that the committed version stands for, whole with every commit:
 *
 *   look: files + facts -> plan -> files written -> version signed -> COMMIT -> PUBLISH
 *                               (the plan's instant)         (the same)  (corrected to now)
 *
 * At each look the two are brought together (zone_facts_take_younger(), zone_facts_hold(),
 * zone_facts_keep_signers()), by three rules:
 *
 *   (1) The younger of the two is believed, a key at a time: by its newest change. Files that a
 *       backup brought back are older than what was committed; what an operator or another signer
 *       wrote is younger, and so is what we wrote for a commit that never was. Where the two differ
 *       in when alone, goal and times are the file's all the same. An edit that is dated back looks
 *       like a backup, so it is told that it does not count.
 *   (2) A record whose state says "in the zone" while what is committed has it not, or the reverse,
 *       has not begun to wait: its change is now. So a plan is never more than one step ahead of
 *       what is served, however often a commit fails, and its waits begin with the look whose
 *       commit is made. Nor has it ended in the second in which a commit has it begin.
 *
 *   (3) Files that are several steps ahead, since another signer had the zone or the store is a
 *       backup's, may have a key sign whose DNSKEY the committed version has not: caches hold a
 *       DNSKEY RRset without it. Who signs that version signs on beside it, until the plan finds
 *       the new one known.
 *
 * A record that the files have out while our own commit has it in stays in for the plan to decide
 * (zone_facts_keep_in()): what we wrote for a commit that never was is planned again, and what
 * somebody edited goes only if no cache needs it. Where a plan waits as the zone is signed aside by
 * it, the look after that plans from the commit alone (zone_facts_undo_plan()).
 *
 * What was planned at one instant and published at a later one is corrected to the later one when
 * it is published, and that is committed in turn. A version that is recovered counts as published
 * then, unless that commit tells. Zones of one name in several views share the files: in (2) a
 * record is in the zone when it is in all of them, and out when it is in none, so that none gets a
 * step ahead of the slowest. What they see at the parent is each one's own.
 */
#pragma once

#include "base/buffer.h"
#include "dnssec/keystore.h"
#include "kasp/plan.h"

struct keeper;
struct managed_zone;

enum { ZONE_FACTS_KEYS_MAX = KASP_PLAN_KEYS_MAX };

/* A key by tag and algorithm, as the committed version has it. */
struct zone_key_fact {
    uint16_t tag;
    uint8_t algorithm;
    struct key_state state;
    sg_time times[KEY_TIMES];
    enum kasp_sighting ds;
    sg_time ds_at, ds_asked_at; /* as struct kasp_key_facts */
};

static inline bool zone_fact_is_published(const struct zone_key_fact *fact)
{
    enum key_state_value dnskey = fact->state.records[KEY_RECORD_DNSKEY];
    return dnskey == KEY_STATE_RUMOURED || dnskey == KEY_STATE_OMNIPRESENT;
}

/* What caches may hold longer than the policy says by now. */
enum zone_term {
    ZONE_TERM_DNSKEY_TTL,
    ZONE_TERM_ZONE_TTL,
    ZONE_TERM_DS_TTL,
    ZONE_TERM_RESIGN,
    ZONE_TERM_VALIDITY,
    ZONE_TERMS
};
struct zone_high_water {
    sg_duration longest;
    sg_time last;      /* when it was seen to be so; */
    bool is_current;   /* and it was so when it was looked at last */
    sg_duration later; /* the longest that was seen since then; 0: nothing shorter was */
};

struct zone_facts_of_keys {
    struct zone_key_fact *keys; /* owned */
    size_t count;
    bool committed; /* `keys` is what a version of ours has; else nothing is known of that */
    bool unpublished, whole_unpublished; /* when `planned_at`, `whole_at` was published is not
                                            known yet */
    sg_time planned_at;                  /* the newest plan by which records came or went */
    sg_time waits_from;                  /* 0: never set */
    /* Every RRset was signed by the keys of `whole_begun` until `whole_at`; 0: never. */
    sg_time whole_begun, whole_at;
    sg_time campaign_begun; /* of the one that is under way */
    struct zone_high_water terms[ZONE_TERMS];
};

void zone_facts_clear(struct zone_facts_of_keys *facts);
void zone_facts_copy(const struct zone_facts_of_keys *from, struct zone_facts_of_keys *out_copy);
bool zone_facts_equal(const struct zone_facts_of_keys *a, const struct zone_facts_of_keys *b);
const struct zone_key_fact *zone_facts_find(const struct zone_facts_of_keys *facts, uint16_t tag,
                                            uint8_t algorithm);

/* --- before a plan -------------------------------------------------------------------------- */

/* Others that share the keys, as their commits have them; only those that serve a signed version.
 */
struct zone_facts_twins {
    struct zone_facts_of_keys *facts; /* owned, each */
    size_t count;
    bool unknown; /* what one of them will serve: it is still to be recovered, or has expired */
};
void zone_facts_twins_clear(struct zone_facts_twins *twins);

/*
 * Before all others, where nobody shares the files: where the key's states are those of a plan that
 * waits to be published, as the zone is signed beside what is served, it is planned again from what
 * is committed. Else what that plan noted would make the next one come out otherwise, which has the
 * zone signed anew, and so on. True if the key changed.
 */
bool zone_facts_undo_plan(const struct zone_facts_of_keys *facts,
                          const struct zone_facts_of_keys *waiting, struct signing_key *key);
/* Rule (1), before states are adopted from times. True: the key's files are to be written. */
bool zone_facts_take_younger(const struct zone_facts_of_keys *facts, struct signing_key *key);
/* Before that: will other states than the file's be taken, since these are older than an instant?
 * KEY_TIME_UNSET: no. */
sg_time zone_facts_overruled_until(const struct zone_facts_of_keys *facts,
                                   const struct signing_key *key);
/*
 * Rule (2). `is_served` (only where nothing was committed): its DNSKEY is in what is served. True
 * if the key changed.
 */
bool zone_facts_hold(const struct zone_facts_of_keys *facts, const struct zone_facts_twins *twins,
                     bool is_served, sg_time now, struct signing_key *key);
/*
 * Before rule (2): what is committed as in, and the key's states have out, is in as committed.
 * Returns a bit for each such record.
 */
unsigned zone_facts_keep_in(const struct zone_facts_of_keys *facts, struct signing_key *key);
/* Was the key, as committed, to stay, and its files say that it is to leave? Not where a successor
 * or the end of its time, both ours, say the same. */
bool zone_facts_told_to_leave(const struct zone_facts_of_keys *facts, const struct signing_key *key,
                              sg_time now);
/*
 * Rule (3), after the others. `changed` has a place for each key of the list.
 */
void zone_facts_keep_signers(const struct zone_facts_of_keys *facts, const struct key_list *list,
                             bool *changed);
/* Is nothing of the key in any version that is committed? */
bool zone_facts_has_nothing_of(const struct zone_facts_of_keys *facts,
                               const struct zone_facts_twins *twins, const struct signing_key *key);
/* The clock was false: sightings of that time are none, and every wait begins now. */
void zone_facts_begin_anew(struct zone_facts_of_keys *facts, sg_time now);
/* What the engine wants to know; `out_keys` has room for each key of the list. */
void zone_facts_for_plan(const struct zone_facts_of_keys *facts, const struct key_list *list,
                         struct kasp_key_facts *out_keys, struct kasp_facts *out_facts);

/* --- after a plan, and with a version ------------------------------------------------------- */

/* The keys are as the list has them; a commit is to follow. */
void zone_facts_take_plan(struct zone_facts_of_keys *facts, const struct key_list *list,
                          sg_time now);
/* All of the zone is signed by the keys of now, in the version that is to be committed; or will be
 * in turn, and has been. */
void zone_facts_sign_whole(struct zone_facts_of_keys *facts, sg_time now);
void zone_facts_begin_campaign(struct zone_facts_of_keys *facts, sg_time now);
void zone_facts_end_campaign(struct zone_facts_of_keys *facts, sg_time now);
/* No key of ours is in the zone any more, or none was. */
void zone_facts_forget_keys(struct zone_facts_of_keys *facts);
/* A term was so until `now`; what no cache can hold any more is forgotten. */
void zone_facts_observe(struct zone_facts_of_keys *facts, enum zone_term term, sg_duration value,
                        sg_time now, sg_duration cached);
/* May the zone still have signatures of a key that does not sign it any more? `late`: how long the
 * most urgent signature has been due. */
bool zone_facts_may_have_signatures(const struct zone_facts_of_keys *facts,
                                    const struct zone_key_fact *fact, sg_duration late,
                                    sg_time now);
enum zone_facts_news { ZONE_FACTS_NO_NEWS, ZONE_FACTS_IN_TIME, ZONE_FACTS_LATE };
/* What was committed with these facts is published since `now`, and they say so from now on. Late:
 * states were corrected. */
enum zone_facts_news zone_facts_published(struct zone_facts_of_keys *facts, sg_time now);

/* --- bytes ---------------------------------------------------------------------------------- */

void zone_facts_encode_key(const struct zone_key_fact *fact, struct buffer *out_bytes);
void zone_facts_encode_rest(const struct zone_facts_of_keys *facts, struct buffer *out_bytes);
/* False: they are not what was written. Bytes from the disk. */
MUST_USE bool zone_facts_decode_key(struct reader *reader, struct zone_facts_of_keys *facts);
MUST_USE bool zone_facts_decode_rest(struct reader *reader, struct zone_facts_of_keys *facts);

/* --- the parent ----------------------------------------------------------------------------- */

/* What all agents of the parent showed of a key's DS, at the first and the last look that showed
 * it without a break; `first` unset: it was never seen otherwise. `ttl` of the DS; 0: none was
 * seen. */
struct zone_ds_look {
    uint16_t tag;
    uint8_t algorithm;
    enum kasp_sighting sighting;
    sg_time first, last;
    uint32_t ttl;
};
void zone_facts_see(struct zone_facts_of_keys *facts, const struct zone_ds_look *look);

enum { ZONE_DS_LOOKS_MAX = 256 };
/* Looks that wait for the zone's facts to be at home. */
struct zone_ds_looks {
    struct zone_ds_look *looks; /* owned */
    size_t count;
};
/*
 * Keep them, in order, and have the keys looked at. May be called while a job of the zone is out.
 * Looks by a clock that is in doubt are nothing. Thread: keeper.
 */
void zone_facts_note_ds(struct keeper *keeper, struct managed_zone *zone,
                        const struct zone_ds_look *looks, size_t count);
/* The zone's facts are at home: let them know. Thread: keeper. */
void zone_facts_take_looks(struct managed_zone *zone);
/* Copies, for a job; where one is unknown the zone has its keys looked at again when that one was
 * tried, or is served again. Thread: keeper. */
void zone_facts_find_twins(const struct keeper *keeper, struct managed_zone *zone,
                           struct zone_facts_twins *out_twins);
/* The zone is served, or cannot be: those that have waited for it look at their keys. */
void zone_facts_end_wait_of_twins(struct keeper *keeper, const struct managed_zone *zone);
