#include "keeper/ds_proof.h"

#include "base/mem.h"
#include "dns/reply.h"
#include "dns/request.h"

enum { TIMEOUT = 5, TOTAL = 15 };

enum stage { STAGE_ASKING, STAGE_JUDGING, STAGE_ENDED };

struct ds_proof {
    struct job job; /* first member */
    struct ds_proof_of of;
    struct remote agent;
    bool agent_resolves; /* it finds answers for others (RA) */
    enum stage stage;
    bool dropped; /* while it is judged */
    struct trust_chain *chain;
    void *asked;            /* the question that is out; NULL: none */
    size_t answers;         /* how many there are */
    size_t resolver, tries; /* which is asked, and how many have failed this question */
    sg_time judged_at;
};

struct ds_proof *ds_proof_new(const struct ds_proof_of *of, const struct remote *agent,
                              const struct dns_message *message)
{
    struct ds_proof *proof = mem_alloc_zero(1, sizeof(*proof));
    proof->of = *of;
    proof->agent = *agent;
    proof->agent_resolves = (message->flags & DNS_FLAG_RA) != 0;
    proof->chain = trust_chain_new(of->apex, of->anchors);
    trust_chain_heard(proof->chain, SG_OK, message);
    proof->answers = 1;
    return proof;
}

static void free_proof(struct ds_proof *proof)
{
    trust_chain_free(proof->chain);
    mem_free(proof);
}

void ds_proof_drop(struct ds_proof *proof)
{
    if (proof == NULL) {
        return;
    }
    if (proof->asked != NULL) {
        proof->of.asker->cancel(proof->of.asker->argument, proof->asked);
    }
    if (proof->stage == STAGE_JUDGING) {
        proof->dropped = true;
    } else {
        free_proof(proof);
    }
}

const struct trust_chain *ds_proof_chain(const struct ds_proof *proof)
{
    return proof->chain;
}

const struct remote *ds_proof_agent(const struct ds_proof *proof)
{
    return &proof->agent;
}

/* --- questions ------------------------------------------------------------------------------ */

/* The agent serves the zone that has signed the DS; of those above it may know nothing. */
static bool is_for_agent(const struct ds_proof *proof)
{
    return proof->agent_resolves || proof->answers == 1;
}

static void take(struct ds_proof *proof, enum sg_result result, const struct dns_message *message)
{
    bool is_good = result == SG_OK && dns_reply_rcode(message) == DNS_RCODE_NOERROR;
    if (!is_good && !is_for_agent(proof) && ++proof->tries < proof->of.resolvers_count) {
        proof->resolver = (proof->resolver + 1) % proof->of.resolvers_count;
        return;
    }
    trust_chain_heard(proof->chain, result, message);
    proof->answers++;
    proof->tries = 0;
}

static bool hear(void *argument, const struct keeper_heard *heard)
{
    struct ds_proof *proof = argument;
    struct dns_message message;
    enum sg_result result = heard->result;
    proof->asked = NULL;
    if (result == SG_OK) {
        result = heard->settled ? dns_message_parse(heard->message, &message) : SG_BAD_SIG;
    }
    take(proof, result, &message);
    proof->of.stirred(proof->of.argument);
    return false;
}

/* False: it cannot be put. */
static bool ask(struct ds_proof *proof, const struct dns_name *name, uint16_t type)
{
    bool for_agent = is_for_agent(proof);
    const struct keeper_asker *asker = proof->of.asker;
    struct dns_request request;
    if (asker->ask == NULL || (!for_agent && proof->of.resolvers_count == 0)) {
        return false;
    }
    dns_request_proof(name, proof->of.rrclass, type, &request);
    const struct keeper_question question = {
        .kind = for_agent ? KEEPER_QUESTION_DS : KEEPER_QUESTION_LOOKUP,
        .remote = for_agent ? &proof->agent : &proof->of.resolvers[proof->resolver],
        .access = proof->of.access,
        .message = {request.bytes, request.length},
        .tcp = true,
        .timeout = TIMEOUT,
        .idle_timeout = TIMEOUT,
        .total_timeout = TOTAL,
    };
    proof->asked = asker->ask(asker->argument, &question, hear, proof);
    return proof->asked != NULL;
}

/* --- judging -------------------------------------------------------------------------------- */

static void judge(struct job *job)
{
    struct ds_proof *proof = (struct ds_proof *)job;
    trust_chain_judge(proof->chain, proof->judged_at);
}

bool ds_proof_is_job(const struct job *job)
{
    return job->run == judge;
}

void ds_proof_take_job(struct job *job)
{
    struct ds_proof *proof = (struct ds_proof *)job;
    proof->stage = STAGE_ENDED;
    if (proof->dropped) {
        free_proof(proof);
    } else {
        proof->of.stirred(proof->of.argument);
    }
}

bool ds_proof_turn(struct ds_proof *proof)
{
    const struct dns_name *name;
    uint16_t type;
    while (proof->stage == STAGE_ASKING && proof->asked == NULL) {
        if (!trust_chain_next(proof->chain, &name, &type)) {
            proof->stage = STAGE_JUDGING;
            proof->judged_at = *proof->of.now;
            proof->job.run = judge;
            proof->of.prover.submit(proof->of.prover.argument, &proof->job);
        } else if (!ask(proof, name, type)) {
            take(proof, SG_NOT_FOUND, NULL);
        }
    }
    return proof->stage != STAGE_ENDED;
}
