#include "keeper/ds_watch.h"

#include "base/mem.h"
#include "dns/request.h"
#include "keeper/remote_text.h"

enum {
    AGENT_TIMEOUT = 5, /* of BIND's checkds */
    AGENT_TOTAL = 15,
    RESOLVER_TIMEOUT = 3,
    RESOLVER_TRIES = 2,
    LOOKUP_TTL_MIN = 60,
    LOOKUP_TTL_MAX = 86400,
};

struct ds_watch {
    struct ds_watch_of of;
    struct ds_watch_settings settings;
    struct ds_check *check;
    bool wanted;
    void *asked;            /* the question that is out; NULL: none */
    struct remote agent;    /* who is asked for the DS */
    struct ds_proof *proof; /* of what it said; NULL: none is under way */

    struct parent_lookup *lookup; /* under way; NULL: none */
    bool looked_up;               /* agents are what the last lookup has found */
    bool with_ipv6;               /* it looked for addresses of both families */
    sg_time lookup_at;            /* when the next is due */
    sg_duration lookup_wait;      /* after one that fails */
    char *problem;                /* of the last; NULL: none */
};

static sg_time now_of(const struct ds_watch *watch)
{
    return *watch->of.now;
}

static void forget_lookup(struct ds_watch *watch)
{
    parent_lookup_free(watch->lookup);
    watch->lookup = NULL;
    watch->looked_up = false;
    watch->lookup_at = now_of(watch);
    watch->lookup_wait = watch->settings.bounds.retry_min;
    mem_free(watch->problem);
    watch->problem = NULL;
}

static void use_settings(struct ds_watch *watch, const struct ds_watch_settings *settings)
{
    watch->settings = *settings;
    forget_lookup(watch);
    bool is_explicit = settings->mode == DS_WATCH_EXPLICIT;
    (void)ds_check_set_agents(watch->check, settings->agents,
                              is_explicit ? settings->agents_count : 0, now_of(watch));
}

/* What was looked up by these settings, the others would find too. */
static bool is_same_lookup(const struct ds_watch_settings *a, const struct ds_watch_settings *b)
{
    const struct parent_lookup_settings *mine = &a->lookup, *other = &b->lookup;
    if (a->mode != DS_WATCH_YES || b->mode != DS_WATCH_YES || mine->ipv4 != other->ipv4 ||
        mine->ipv6 != other->ipv6 || mine->port != other->port ||
        mine->resolvers_count != other->resolvers_count) {
        return false;
    }
    for (size_t i = 0; i < mine->resolvers_count; i++) {
        if (!remote_equal(&mine->resolvers[i], &other->resolvers[i])) {
            return false;
        }
    }
    return true;
}

struct ds_watch *ds_watch_new(const struct ds_watch_of *of,
                              const struct ds_watch_settings *settings)
{
    struct ds_watch *watch = mem_alloc_zero(1, sizeof(*watch));
    watch->of = *of;
    watch->check = ds_check_new(&settings->bounds, of->seed);
    use_settings(watch, settings);
    return watch;
}

static void take_back(struct ds_watch *watch)
{
    if (watch->asked != NULL) {
        watch->of.asker->cancel(watch->of.asker->argument, watch->asked);
        watch->asked = NULL;
    }
    ds_proof_drop(watch->proof);
    watch->proof = NULL;
}

void ds_watch_free(struct ds_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    take_back(watch);
    forget_lookup(watch);
    ds_check_free(watch->check);
    mem_free(watch);
}

/* What is out was put with the old configuration's key and address, and counts as not heard. */
static void drop_question(struct ds_watch *watch)
{
    if (watch->asked != NULL || watch->proof != NULL) {
        take_back(watch);
        struct ds_check_fact facts[DS_CHECK_KEYS_MAX];
        size_t count = ds_check_heard(watch->check, SG_CANCELLED, NULL, now_of(watch), facts);
        ASSERT(count == 0);
    }
}

void ds_watch_configure(struct ds_watch *watch, const struct ds_watch_of *of,
                        const struct ds_watch_settings *settings)
{
    bool proves_now = watch->settings.anchors == NULL && settings->anchors != NULL;
    drop_question(watch);
    watch->of = *of;
    ds_check_set_bounds(watch->check, &settings->bounds);
    if (watch->looked_up && is_same_lookup(&watch->settings, settings)) {
        parent_lookup_free(watch->lookup); /* It borrows the resolvers. */
        watch->lookup = NULL;
        watch->settings = *settings;
    } else {
        use_settings(watch, settings);
    }
    if (proves_now) { /* What was seen before was taken on trust. */
        ds_check_forget(watch->check, now_of(watch));
    }
    if (ds_check_is_waiting(watch->check)) {
        ds_check_demand(watch->check, now_of(watch));
    }
}

void ds_watch_want(struct ds_watch *watch, const struct ds_check_wish *wishes, size_t count)
{
    watch->wanted = count > 0;
    ds_check_set_wishes(watch->check, wishes, count, now_of(watch));
}

void ds_watch_forget(struct ds_watch *watch)
{
    ds_check_forget(watch->check, now_of(watch));
}

void ds_watch_demand(struct ds_watch *watch)
{
    watch->lookup_at = watch->looked_up ? watch->lookup_at : now_of(watch);
    ds_check_demand(watch->check, now_of(watch));
}

/* --- questions ------------------------------------------------------------------------------ */

static bool put(struct ds_watch *watch, const struct keeper_question *form,
                const struct dns_name *name, uint16_t type, keeper_hear *hear)
{
    const struct keeper_asker *asker = watch->of.asker;
    struct keeper_question question = *form;
    struct dns_request request;
    if (form->kind == KEEPER_QUESTION_DS && watch->settings.anchors != NULL) {
        dns_request_proof(name, watch->of.rrclass, type, &request);
    } else {
        dns_request_lookup(name, watch->of.rrclass, type, &request);
    }
    question.message = (struct span){request.bytes, request.length};
    question.access = watch->of.access;
    watch->asked = asker->ask == NULL ? NULL : asker->ask(asker->argument, &question, hear, watch);
    return watch->asked != NULL;
}

/* SG_OK and the message, or why there is none. */
static enum sg_result open_message(const struct keeper_heard *heard, struct dns_message *message)
{
    if (heard->result != SG_OK) {
        return heard->result;
    }
    return heard->settled ? dns_message_parse(heard->message, message) : SG_BAD_SIG;
}

static bool tells(const struct ds_reply *reply)
{
    return reply->kind == DS_REPLY_PRESENT || reply->kind == DS_REPLY_ABSENT;
}

static void read_reply(const struct ds_watch *watch, const struct dns_message *message,
                       struct ds_reply *out_reply)
{
    ds_reply_read(message, out_reply);
    /* An agent of the configuration may well be a resolver; the parent's own server is not. */
    if (tells(out_reply) && !out_reply->authoritative && watch->settings.mode == DS_WATCH_YES) {
        out_reply->kind = DS_REPLY_CACHED;
    }
}

/* `reply` NULL: there is none. */
static void take_ds(struct ds_watch *watch, enum sg_result result, const struct ds_reply *reply)
{
    struct ds_check_fact facts[DS_CHECK_KEYS_MAX];
    size_t count = ds_check_heard(watch->check, result, reply, now_of(watch), facts);
    if (count > 0) {
        watch->of.found(watch->of.argument, facts, count);
    }
}

/* --- proofs --------------------------------------------------------------------------------- */

static void begin_proof(struct ds_watch *watch, const struct dns_message *message)
{
    const struct ds_proof_of of = {
        .apex = watch->of.apex,
        .rrclass = watch->of.rrclass,
        .access = watch->of.access,
        .asker = watch->of.asker,
        .prover = watch->of.prover,
        .now = watch->of.now,
        .anchors = watch->settings.anchors,
        .resolvers = watch->settings.lookup.resolvers,
        .resolvers_count = watch->settings.lookup.resolvers_count,
        .stirred = watch->of.stirred,
        .argument = watch->of.argument,
    };
    watch->proof = ds_proof_new(&of, &watch->agent, message);
}

static void say_doubt(struct ds_watch *watch, const struct ds_reply *reply)
{
    char name[REMOTE_TEXT_BYTES];
    if (ds_check_knows(watch->check, reply->problem)) {
        return;
    }
    remote_text(&watch->agent, name);
    char *text = mem_format("parental agent %s %s (%s)", name, ds_reply_kind_text(reply->kind),
                            reply->problem);
    watch->of.doubted(watch->of.argument, text);
    mem_free(text);
}

static void end_proof(struct ds_watch *watch)
{
    struct ds_proof *proof = watch->proof;
    const struct trust_chain *chain = ds_proof_chain(proof);
    struct dns_message message;
    struct ds_reply reply;
    enum sg_result result = dns_message_parse(trust_chain_answer(chain), &message);
    watch->proof = NULL;
    ASSERT(result == SG_OK); /* as it was when it came */
    read_reply(watch, &message, &reply);
    reply.ttl = trust_chain_ttl(chain); /* what was signed, not what came */
    if (!trust_chain_is_proven(chain)) {
        reply.kind = DS_REPLY_BOGUS;
        reply.count = 0;
        reply.problem = trust_chain_problem(chain);
        say_doubt(watch, &reply);
    }
    take_ds(watch, SG_OK, &reply);
    ds_proof_drop(proof);
}

static bool hear_ds(void *argument, const struct keeper_heard *heard)
{
    struct ds_watch *watch = argument;
    struct dns_message message;
    watch->asked = NULL;
    struct ds_reply reply;
    enum sg_result result = open_message(heard, &message);
    if (result == SG_OK) {
        read_reply(watch, &message, &reply);
    }
    if (result == SG_OK && watch->settings.anchors != NULL && tells(&reply)) {
        begin_proof(watch, &message); /* The next turn goes on with it. */
    } else {
        take_ds(watch, result, result == SG_OK ? &reply : NULL);
    }
    watch->of.stirred(watch->of.argument);
    return false;
}

static bool is_bogus(const struct ds_watch *watch, const struct remote *remote)
{
    const struct keeper_asker *asker = watch->of.asker;
    return asker->is_bogus != NULL && asker->is_bogus(asker->argument, watch->of.access, remote);
}

static void ask_agent(struct ds_watch *watch, const struct remote *agent)
{
    const struct keeper_question form = {
        .kind = KEEPER_QUESTION_DS,
        .remote = agent,
        .tcp = true,
        .timeout = AGENT_TIMEOUT,
        .idle_timeout = AGENT_TIMEOUT,
        .total_timeout = AGENT_TOTAL,
    };
    watch->agent = *agent;
    if (!put(watch, &form, watch->of.apex, DNS_TYPE_DS, hear_ds)) {
        take_ds(watch, is_bogus(watch, agent) ? SG_DENIED : SG_IO, NULL);
    }
}

/* --- the parent's servers ------------------------------------------------------------------- */

static void end_lookup(struct ds_watch *watch)
{
    const struct remote *addresses;
    size_t count;
    uint32_t ttl;
    char *problem;
    enum sg_result result = parent_lookup_result(watch->lookup, &addresses, &count, &ttl, &problem);
    mem_free(watch->problem);
    watch->problem = NULL;
    watch->looked_up = result == SG_OK;
    if (result == SG_OK) {
        (void)ds_check_set_agents(watch->check, addresses, count, now_of(watch));
        ttl = ttl > LOOKUP_TTL_MIN ? ttl : LOOKUP_TTL_MIN;
        watch->lookup_at = now_of(watch) + (ttl < LOOKUP_TTL_MAX ? ttl : LOOKUP_TTL_MAX);
        watch->lookup_wait = watch->settings.bounds.retry_min;
    } else {
        /* Whoever was asked before need not be the parent's server any more. */
        (void)ds_check_set_agents(watch->check, NULL, 0, now_of(watch));
        watch->problem = problem;
        watch->lookup_at = now_of(watch) + watch->lookup_wait;
        sg_duration longest = watch->settings.bounds.retry_max;
        watch->lookup_wait = 2 * watch->lookup_wait < longest ? 2 * watch->lookup_wait : longest;
    }
    parent_lookup_free(watch->lookup);
    watch->lookup = NULL;
}

static bool hear_lookup(void *argument, const struct keeper_heard *heard)
{
    struct ds_watch *watch = argument;
    struct dns_message message;
    watch->asked = NULL;
    parent_lookup_heard(watch->lookup, open_message(heard, &message), &message);
    watch->of.stirred(watch->of.argument);
    return false;
}

/* False: it has ended. */
static bool ask_resolver(struct ds_watch *watch)
{
    struct parent_lookup_order order;
    if (!parent_lookup_next(watch->lookup, &order)) {
        return false;
    }
    const struct keeper_question form = {
        .kind = KEEPER_QUESTION_LOOKUP,
        .remote = order.resolver,
        .tcp = order.tcp,
        .udp_tries = RESOLVER_TRIES,
        .timeout = RESOLVER_TIMEOUT,
        .idle_timeout = AGENT_TIMEOUT,
        .total_timeout = AGENT_TOTAL,
    };
    if (!put(watch, &form, order.name, order.type, hear_lookup)) {
        parent_lookup_heard(watch->lookup, SG_IO, NULL);
    }
    return true;
}

/* A host may get its way by IPv6, or lose it, long after it was configured. */
static bool reaches_ipv6(const struct ds_watch *watch)
{
    const struct keeper_asker *asker = watch->of.asker;
    return watch->settings.lookup.ipv6 &&
           (asker->reaches_ipv6 == NULL || asker->reaches_ipv6(asker->argument));
}

static enum sg_result begin_lookup(struct ds_watch *watch)
{
    struct parent_lookup_settings settings = watch->settings.lookup;
    settings.ipv6 = watch->with_ipv6 = reaches_ipv6(watch);
    return parent_lookup_new(&settings, watch->of.apex, &watch->lookup);
}

static void look_up(struct ds_watch *watch)
{
    if (watch->lookup == NULL && begin_lookup(watch) != SG_OK) {
        bool has_no_way = !watch->settings.lookup.ipv4 && !watch->with_ipv6;
        mem_free(watch->problem);
        watch->problem =
            mem_copy_text(has_no_way ? "this host has no route by IPv6, and IPv4 is not used (-6)"
                                     : "no resolver is known, or this zone has no parent");
        watch->lookup_at = now_of(watch) + (has_no_way ? watch->settings.bounds.retry_min
                                                       : watch->settings.bounds.retry_max);
        return;
    }
    while (watch->asked == NULL) {
        if (!ask_resolver(watch)) {
            end_lookup(watch);
            return;
        }
    }
}

/* --- turns ---------------------------------------------------------------------------------- */

static bool is_lookup_due(const struct ds_watch *watch)
{
    sg_duration ahead = watch->lookup_at - now_of(watch);
    bool is_past = ahead <= 0 || ahead > 2 * (sg_duration)LOOKUP_TTL_MAX;
    if (watch->settings.mode != DS_WATCH_YES) {
        return false;
    }
    if (watch->lookup != NULL) {
        return true;
    }
    /* What was found is of no use before somebody is to be asked. */
    return ds_check_due_at(watch->check) <= now_of(watch) &&
           (is_past || (watch->looked_up && watch->with_ipv6 != reaches_ipv6(watch)));
}

sg_time ds_watch_turn(struct ds_watch *watch)
{
    const struct remote *agent;
    if (watch->proof != NULL) {
        if (ds_proof_turn(watch->proof)) {
            return INT64_MAX;
        }
        end_proof(watch);
    }
    if (!watch->wanted || watch->settings.mode == DS_WATCH_NO) {
        return INT64_MAX;
    }
    if (watch->asked == NULL && !ds_check_is_asking(watch->check) && is_lookup_due(watch)) {
        look_up(watch);
    }
    while (watch->asked == NULL && ds_check_turn(watch->check, now_of(watch), &agent)) {
        ask_agent(watch, agent);
    }
    if (watch->asked != NULL) {
        return INT64_MAX;
    }
    sg_time wake = ds_check_wake(watch->check);
    if (watch->settings.mode == DS_WATCH_YES && !watch->looked_up) {
        sg_time due_at = ds_check_due_at(watch->check);
        return due_at > watch->lookup_at ? due_at : watch->lookup_at;
    }
    return wake;
}

bool ds_watch_is_asking(const struct ds_watch *watch)
{
    return watch->asked != NULL || watch->proof != NULL;
}

bool ds_watch_is_waiting(const struct ds_watch *watch)
{
    return ds_check_is_waiting(watch->check);
}

bool ds_watch_lets_withdraw(const struct ds_watch *watch)
{
    bool looks = watch->settings.mode != DS_WATCH_NO;
    return !ds_check_is_waiting_for(watch->check, DS_CHECK_PUBLISHED) &&
           !(looks && ds_check_is_guessing(watch->check));
}

sg_time ds_watch_warn_at(const struct ds_watch *watch)
{
    return ds_check_warn_at(watch->check);
}

bool ds_watch_warns(struct ds_watch *watch)
{
    return ds_check_warns(watch->check, now_of(watch));
}

void ds_watch_describe(const struct ds_watch *watch, void (*line)(void *argument, const char *text),
                       void *argument)
{
    ds_check_describe(watch->check, line, argument);
    if (watch->settings.mode == DS_WATCH_NO && ds_watch_is_waiting(watch)) {
        line(argument, "checkds is no: say with `dnssec -checkds` what you have seen");
    }
    if (watch->looked_up && watch->settings.lookup.ipv6 && !watch->with_ipv6 &&
        ds_watch_is_waiting(watch)) {
        line(argument, "the parent's name servers are asked at their IPv4 addresses alone: this "
                       "host had no route by IPv6 when they were looked up");
    }
    if (watch->problem != NULL) {
        char *text = mem_format("the parent's name servers: %s", watch->problem);
        line(argument, text);
        mem_free(text);
    }
}
