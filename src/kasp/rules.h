/*
 * kasp/rules.h - may a record move, and is the chain of trust whole while it does? (README.md)
 *
 * Private to kasp/. Rules and waits can be left out one by one, for the tests that prove that each
 * of them is needed; kasp_plan() leaves out none.
 */
#pragma once

#include "kasp/plan.h"

enum kasp_rule {
    /* asked of each move, and looked at as it is and as it would be */
    KASP_RULE_CHAIN,
    KASP_RULE_DNSKEY,
    KASP_RULE_RRSIG,
    /* asked of the move alone */
    KASP_RULE_PARENT,
    KASP_RULE_STRANGER, /* a DS that nobody asked about may be there */
    KASP_RULE_COMPLETE,
    KASP_RULE_TURN,    /* a record comes after its key is known */
    KASP_RULE_HALFWAY, /* what is rumoured becomes omnipresent before it goes */
    KASP_RULE_CLOCK,
    /* asked before anything begins */
    KASP_RULE_GATE,   /* a roll waits for the chain */
    KASP_RULE_FILES,  /* a served key without a file: nothing begins */
    KASP_RULE_DELETE, /* delete records are alone, and wanted */
    /* terms of waits */
    KASP_RULE_WAIT_DNSKEY,
    KASP_RULE_WAIT_ZRRSIG,
    KASP_RULE_WAIT_RESIGN,
    KASP_RULE_WAIT_DS,
    KASP_RULE_WAIT_OBSERVED,
    KASP_RULE_SIGHTING, /* a sighting from before the last change does not count */
    KASP_RULE_TURNBACK, /* one that contradicts a state sends it back */
    KASP_RULES
};
#define KASP_RULES_ALL ((1U << KASP_RULES) - 1)

/* What one planning works on. */
struct kasp_case {
    const struct kasp_policy *policy;
    const struct kasp_facts *facts;
    sg_time now;
    unsigned rules; /* a bit each */
    struct kasp_plan *plan;
    size_t order[KASP_PLAN_KEYS_MAX]; /* in which keys are looked at: whatever the list's is */
};

/* A move of one record of one key. */
struct kasp_move {
    size_t key;
    enum key_record record;
    enum key_state_value target;
};

static inline bool kasp_has_rule(const struct kasp_case *c, enum kasp_rule rule)
{
    return (c->rules >> rule & 1U) != 0;
}
static inline bool kasp_is_in(enum key_state_value value)
{
    return value == KEY_STATE_RUMOURED || value == KEY_STATE_OMNIPRESENT;
}
static inline bool kasp_is_about(enum key_state_value value)
{
    return kasp_is_in(value) || value == KEY_STATE_UNRETENTIVE;
}

/*
 * Hidden, as far as we asked for it: but the DNSKEY is there for all to see, and nobody has looked
 * at the parent. Somebody may have brought its DS there, by hand or before we had the key.
 */
bool kasp_ds_is_unknown(const struct kasp_case *c, size_t key);

/* The first rule that forbids the move; KASP_RULES: none. */
enum kasp_rule kasp_rule_against(const struct kasp_case *c, const struct kasp_move *move);
/* Does a DS of the algorithm lead, or has it led until a roll that goes on, into the zone? */
bool kasp_chain_is_in_place(const struct kasp_plan *plan, uint8_t algorithm);
/* May a DS of the algorithm be anywhere? */
bool kasp_has_ds_about(const struct kasp_case *c, uint8_t algorithm);
/* Where the record is rumoured and to go: does it become omnipresent first? Signatures of a key
 * whose DNSKEY has left verify nothing, and go with it. */
bool kasp_finishes_first(const struct kasp_case *c, size_t key, enum key_record record);

/* manual-mode: nothing begins before the operator's step; but what a zone begins with can break
 * nothing, as nothing of any key is anywhere yet. */
bool kasp_waits_for_step(const struct kasp_case *c);

/* Let `when` be the instant to plan again, unless another comes first. */
void kasp_wake(const struct kasp_case *c, sg_time when);

/* kasp_plan() without some rules. */
MUST_USE enum sg_result kasp_plan_by_rules(const struct kasp_policy *policy,
                                           const struct key_list *keys,
                                           const struct kasp_facts *facts, sg_time now,
                                           unsigned rules, struct kasp_plan *out_plan);
