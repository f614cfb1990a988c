/*
 * tools/simulation.h - what the engine (kasp/plan.h) will do with a zone's keys, years ahead
 *
 * Pure: no disk, no clock. The engine is asked at each instant that it names itself; what it wants
 * made is invented (keys of which only role, algorithm and tag are real), and a fake parent does
 * what CDS asks for, a constant delay later, and is seen to at once. Signatures are not made: they
 * are taken to change hands by Dsgn, never sooner.
 */
#pragma once

#include "kasp/plan.h"

enum { SIMULATION_EVENTS_MAX = 10000, SIMULATION_TURNS_MAX = 50000 };
#define SIMULATION_NEVER ((sg_duration)-1)

/* What is told about the world. */
struct simulation_request {
    const struct kasp_policy *policy;
    const struct dns_name *apex;
    sg_time from, until;
    sg_duration parent_delay; /* from CDS to the parent's DS; SIMULATION_NEVER: it does not act */
    sg_duration step_delay;   /* manual-mode: until the operator says -step; or never */
    bool files_missing;       /* as of struct kasp_facts */
};

struct simulation_key {
    struct signing_key *key; /* owned; as it is at the end */
    struct key_state before; /* as it was when it came */
    struct kasp_key_facts facts;
    struct kasp_wait wait; /* at the end */
    sg_time came;          /* the beginning, or when it was made */
    sg_time purged;        /* KEY_TIME_UNSET: not */
    bool invented;
    bool ended;   /* what follows was counted */
    sg_time late; /* how long it was used after its end */
};

enum simulation_act {
    SIMULATION_MOVED,   /* a record: from, to */
    SIMULATION_MADE,    /* a key */
    SIMULATION_PURGED,  /* its files are removed */
    SIMULATION_DS_SEEN, /* the parent has the DS of the key */
    SIMULATION_DS_GONE,
    SIMULATION_STEPPED,      /* the operator said -step */
    SIMULATION_DELETE_BEGUN, /* CDS and CDNSKEY ask for no DS at all (RFC 8078 4) */
    SIMULATION_DELETE_ENDED,
};

struct simulation_event {
    sg_time at;
    enum simulation_act act;
    size_t key; /* SIZE_MAX: of the zone */
    enum key_record record;
    enum key_state_value from, to;
    char *why; /* owned */
};

enum simulation_end {
    SIMULATION_ENDED,       /* at `until` */
    SIMULATION_EVENTS_FULL, /* more events than SIMULATION_EVENTS_MAX: stopped before */
    SIMULATION_TURNS_FULL,
    SIMULATION_KEYS_FULL, /* more keys than the engine takes (KASP_PLAN_KEYS_MAX) */
    SIMULATION_NO_TAG,    /* the tag-range of an entry is too narrow for one more key */
};

struct simulation {
    struct simulation_request request;
    struct simulation_key *keys; /* all that there ever were, in the order of their coming */
    size_t keys_count;
    struct simulation_event *events; /* in their order */
    size_t events_count;
    enum simulation_end end;
    sg_time ended_at;
    sg_duration rolling;    /* how long keys were on their way out */
    size_t published_max;   /* the most DNSKEY records at a time */
    sg_time published_most; /* since when */
    bool manual;            /* something waits for -step at the end */
};

/* Takes the list, whose keys were adopted (kasp_key_adopt()). The caller clears. */
void simulation_run(const struct simulation_request *request, struct key_list *list,
                    struct simulation *out_simulation);
void simulation_clear(struct simulation *simulation);

/* "ksk", "zsk" or "csk". */
const char *simulation_role(const struct simulation_key *key);
