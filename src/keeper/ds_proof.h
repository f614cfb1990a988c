/*
 * keeper/ds_proof.h - what one agent says of the DS, proven before it counts (`checkds-validate`)
 *
 *   the agent's answer -> DNSKEY of who has signed it, of the same agent -> DS and DNSKEY of the
 *   zones above, of a resolver (of the agent, if it is one) -> all of it judged in a worker
 *
 * Joins dns/trust_chain.h to questions and a worker. One question at a time is out, all by TCP: the
 * answers are large. Thread: keeper; the judging: worker.
 */
#pragma once

#include "base/worker_pool.h"
#include "dns/trust_chain.h"
#include "keeper/asking.h"

/* Who has the judging done: the job's `reply` is the submitter's to set, and the job comes back by
 * ds_proof_take_job(). */
struct ds_prover {
    void (*submit)(void *argument, struct job *job);
    void *argument;
};

/* All of it is borrowed. */
struct ds_proof_of {
    const struct dns_name *apex;
    uint16_t rrclass;
    const void *access; /* zone_settings.access, for sources of questions */
    const struct keeper_asker *asker;
    struct ds_prover prover;
    const sg_time *now;
    const struct trust_anchors *anchors; /* until ds_proof_new() returns */
    const struct remote *resolvers;
    size_t resolvers_count;
    void (*stirred)(void *argument); /* something was heard: ds_proof_turn() */
    void *argument;
};

struct ds_proof;

/* `message` is what the agent (copied) has answered to the question for the DS. */
struct ds_proof *ds_proof_new(const struct ds_proof_of *of, const struct remote *agent,
                              const struct dns_message *message);
/* No call back any more; frees it, now or when the worker is done with it. NULL is fine. */
void ds_proof_drop(struct ds_proof *proof);

/* Ask or submit what comes next. False: it has ended. */
bool ds_proof_turn(struct ds_proof *proof);
/* How it has ended; borrowed. */
const struct trust_chain *ds_proof_chain(const struct ds_proof *proof);
const struct remote *ds_proof_agent(const struct ds_proof *proof);

bool ds_proof_is_job(const struct job *job);
/* A worker's reply. Takes the job. */
void ds_proof_take_job(struct job *job);
