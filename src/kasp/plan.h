/*
 * kasp/plan.h - what is to be done with a zone's keys at an instant (README.md)
 *
 * Pure and total: the same arguments give the same plan, a plan that was carried out gives an empty
 * one at the same instant, and no order of calls, edits or late wakes makes the zone bogus. The
 * caller commits states and records together, and has made and purged nothing before that.
 */
#pragma once

#include "kasp/keyset.h"

enum { KASP_PLAN_KEYS_MAX = 64, KASP_STEPS_MAX = 32, KASP_WAIT_TEXT_BYTES = 128 };

/* Seen at the parent, by every agent that was asked. */
enum kasp_sighting { KASP_DS_UNKNOWN, KASP_DS_SEEN, KASP_DS_MISSING };

struct kasp_key_facts {
    enum kasp_sighting ds;
    sg_time ds_at; /* the first instant of that sighting; unset: it was so at the first look */
    sg_time ds_asked_at; /* the last one */
    sg_time signed_at;   /* every RRset has had a signature of the key since; else unset */
    sg_time cleared_at;  /* no RRset has had one since; else unset */
};

/* The longest that a cache may still hold, whatever the policy says now. 0: nothing was observed.
 */
struct kasp_terms {
    sg_duration dnskey_ttl;
    sg_duration zone_ttl;
    sg_duration ds_ttl;
    sg_duration resign; /* how long a signature that was made may stay: Dsgn */
};

struct kasp_facts {
    const struct kasp_key_facts *keys; /* beside the key list; NULL: nothing is known */
    struct kasp_terms observed;
    sg_time waits_from; /* no wait began earlier: the clock has leapt ahead then. 0: it never did */
    /* No move, no new key. Sightings of that time are unknown, and a new look is taken before the
     * clock is trusted again. */
    bool clock_suspect;
    bool unserved;      /* nothing of the zone is served, nor was by those who have it from here */
    bool twin_unknown;  /* what another zone that shares the keys serves: no move, no new key */
    bool files_missing; /* a served key has no file: no new key, none leaves */
    bool step;          /* manual-mode: once, all that is due; the first keys need none */
};

enum kasp_reason {
    KASP_WAIT_NONE,   /* as it shall be */
    KASP_WAIT_TIME,   /* a record settles at `until` */
    KASP_WAIT_PARENT, /* the parent is to publish or withdraw the DS; since `until` */
    /* The parent is to be known to have no DS, as nobody has seen whether it has; since `until` */
    KASP_WAIT_NO_DS,
    KASP_WAIT_MANUAL,   /* -step */
    KASP_WAIT_RULE,     /* `rule` forbids the move now: another key comes first */
    KASP_WAIT_TURN,     /* not its turn: a record of its own comes first */
    KASP_WAIT_ROLL,     /* all is well; its successor is due at `until` */
    KASP_WAIT_CHAIN,    /* a successor is due, but the chain of trust is not in place */
    KASP_WAIT_KEY,      /* a successor is to be made */
    KASP_WAIT_FILES,    /* files of a served key are missing */
    KASP_WAIT_CLOCK,    /* the clock is not to be trusted */
    KASP_WAIT_UNSERVED, /* the zone is not served now */
    KASP_WAIT_TWIN,     /* what another zone that shares the keys serves is not known yet */
    KASP_WAIT_PURGE,    /* gone; its files go at `until` */
    KASP_WAIT_REASONS
};

/* What a key waits for: printed by kasp_wait_text(). */
struct kasp_wait {
    enum kasp_reason reason;
    enum key_record record;
    enum key_state_value target; /* of the record */
    unsigned rule;               /* enum kasp_rule */
    sg_time until;
};

struct kasp_key_plan {
    const struct signing_key *key; /* borrowed */
    struct key_state state;        /* from `now` on */
    sg_time times[KEY_TIMES];
    uint32_t ttl;            /* of its DNSKEY record */
    unsigned entry;          /* of the policy, which it serves; KASP_KEYS_MAX: none */
    bool changed;            /* state, times or ttl differ from the key's */
    bool purge;              /* remove its files; it is nowhere */
    enum kasp_sighting asks; /* what the parent is to show; unknown: no matter */
    struct kasp_wait wait;
};

/* A key that is to be made: its roles alone, no times, no states; then plan again. */
struct kasp_make {
    unsigned entry;     /* of the policy */
    size_t predecessor; /* SIZE_MAX: none */
};

struct kasp_plan {
    struct kasp_key_plan keys[KASP_PLAN_KEYS_MAX]; /* in the order of the list */
    size_t count;
    struct kasp_make makes[KASP_KEYS_MAX];
    unsigned makes_count;
    bool publishes_delete; /* CDS and CDNSKEY say: no DS (RFC 8078 4) */
    bool manual;           /* something waits for -step */
    sg_time wake_at;       /* when to plan again without news; INT64_MAX: never. Never <= now */
};

/*
 * What is to be done now. The keys were adopted (kasp_key_adopt()). SG_LIMIT: more than
 * KASP_PLAN_KEYS_MAX keys; nothing is set then.
 */
MUST_USE enum sg_result kasp_plan(const struct kasp_policy *policy, const struct key_list *keys,
                                  const struct kasp_facts *facts, sg_time now,
                                  struct kasp_plan *out_plan);
/* Take the plan's states, times and TTL over into the key, which is the plan's own. */
void kasp_plan_apply(const struct kasp_key_plan *planned, struct signing_key *key);

/* "waits for the parent to publish the DS, since 2026-01-02T00:05:00Z" */
void kasp_wait_text(const struct kasp_wait *wait, char out_text[KASP_WAIT_TEXT_BYTES]);
