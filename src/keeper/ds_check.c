#include "keeper/ds_check.h"

#include "base/buffer.h"
#include "base/mem.h"
#include "keeper/ds_match.h"
#include "keeper/remote_text.h"

/* What somebody submitted may be with the parent, and in none of its name servers, as long as that.
 */
#define PARENT_LAG_MAX (3 * SG_DAY)

struct wish {
    struct ds_match_key key;
    enum ds_check_want want;
    sg_time since;
    bool noted;          /* it counts as met unless it was seen otherwise */
    bool guessed;        /* noted, by nothing that anybody saw */
    bool may_come;       /* to go before it was seen: it may be on its way yet */
    bool is_unretentive; /* as far as is known it may be at the parent, whoever submitted it */
    struct {             /* by enum ds_check_want */
        bool denied;     /* some agent of this round has not shown it */
        bool shown;      /* some agent has, since the last look that all agreed in */
    } words[2];
    bool seen; /* all agreed once: `what`, from `first` to `last` */
    enum ds_check_want what;
    sg_time first, last;
    sg_time told_for;  /* the `since` that a fact was told for; with `seen` */
    uint32_t told_ttl; /* the largest that a fact had */
};

enum outcome { NOT_ASKED, NO_REPLY, REPLIED };

/* What an agent said last, for the report; whether it agreed is in the wishes. */
struct agent {
    struct remote remote;
    enum outcome outcome;
    enum sg_result result;
    enum ds_reply_kind kind;
    uint16_t rcode;
    bool spoils;   /* beside the right DS of a key it shows a wrong one */
    char *problem; /* why it was not believed; NULL: it was, or said nothing */
    sg_time heard_at;
    sg_time agrees_from; /* with every wish of that round, by time alone; INT64_MAX: not */
};

struct ds_check {
    struct ds_check_bounds bounds;
    struct random_seeded random;
    struct agent *agents;
    size_t agents_count;
    bool too_many_agents;
    struct wish *wishes; /* at most DS_CHECK_KEYS_MAX */
    size_t wishes_count;

    size_t next;        /* of the agents, in this round; 0: no round has begun */
    bool asking;        /* agent `next` has not answered yet */
    bool anew;          /* something new is wanted: this round counts no more */
    uint32_t ttl;       /* the largest of this round */
    sg_time planned_at; /* when that was said: */
    sg_time due_at;     /* of the next round */
    sg_duration retry;  /* the wait before it, should this one fail */
    sg_time warned_at;
};

struct ds_check *ds_check_new(const struct ds_check_bounds *bounds, uint64_t seed)
{
    struct ds_check *check = mem_alloc_zero(1, sizeof(*check));
    check->bounds = *bounds;
    check->random.state = seed;
    check->retry = bounds->retry_min;
    return check;
}

void ds_check_set_bounds(struct ds_check *check, const struct ds_check_bounds *bounds)
{
    check->bounds = *bounds;
}

static void free_agents(struct ds_check *check)
{
    for (size_t i = 0; i < check->agents_count; i++) {
        mem_free(check->agents[i].problem);
    }
    mem_free(check->agents);
}

void ds_check_free(struct ds_check *check)
{
    if (check == NULL) {
        return;
    }
    for (size_t i = 0; i < check->wishes_count; i++) {
        ds_match_key_clear(&check->wishes[i].key);
    }
    mem_free(check->wishes);
    free_agents(check);
    mem_free(check);
}

/* --- whom to ask, and what for -------------------------------------------------------------- */

static sg_duration watch_max(const struct ds_check *check)
{
    const struct ds_check_bounds *bounds = &check->bounds;
    return bounds->watch_max > bounds->retry_max ? bounds->watch_max : bounds->retry_max;
}

static void begin_anew(struct ds_check *check, sg_time now)
{
    check->anew = true;
    check->planned_at = check->due_at = now;
    check->retry = check->bounds.retry_min;
}

static bool are_same_agents(const struct ds_check *check, const struct remote *agents, size_t count)
{
    if (count != check->agents_count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!remote_equal(&check->agents[i].remote, &agents[i])) {
            return false;
        }
    }
    return true;
}

bool ds_check_set_agents(struct ds_check *check, const struct remote *agents, size_t count,
                         sg_time now)
{
    check->too_many_agents = count > DS_CHECK_AGENTS_MAX;
    if (check->too_many_agents) {
        count = 0;
    }
    if (are_same_agents(check, agents, count)) {
        for (size_t i = 0; i < count; i++) {
            check->agents[i].remote = agents[i];
        }
        return true;
    }
    free_agents(check);
    check->agents = mem_alloc_zero(count + 1, sizeof(*check->agents));
    check->agents_count = count;
    for (size_t i = 0; i < count; i++) {
        check->agents[i].remote = agents[i];
    }
    check->asking = false;
    begin_anew(check, now);
    return false;
}

static struct wish *find_wish(struct ds_check *check, const struct ds_check_wish *wanted)
{
    for (size_t i = 0; i < check->wishes_count; i++) {
        struct wish *wish = &check->wishes[i];
        if (ds_match_key_is_of(&wish->key, wanted->key)) {
            return wish;
        }
    }
    return NULL;
}

static bool is_met(const struct wish *wish)
{
    if (wish->seen && wish->what != wish->want) {
        return false;
    }
    return wish->noted || (wish->seen && wish->last >= wish->since);
}

/* True: something else is waited for now. */
static bool renew(struct wish *wish, const struct ds_check_wish *wanted)
{
    bool is_other = wish->want != wanted->want || wish->since != wanted->since;
    wish->want = wanted->want;
    wish->since = wanted->since;
    wish->noted = wanted->noted;
    wish->guessed = wanted->guessed;
    wish->may_come =
        wanted->want == DS_CHECK_WITHDRAWN && wanted->key->times[KEY_DS_PUBLISH] == KEY_TIME_UNSET;
    wish->is_unretentive = wanted->key->state.records[KEY_RECORD_DS] == KEY_STATE_UNRETENTIVE;
    return is_other && !is_met(wish);
}

static struct wish make_wish(const struct ds_check_wish *wanted)
{
    struct wish wish = {.key = ds_match_key_of(wanted->key), .first = KEY_TIME_UNSET};
    (void)renew(&wish, wanted);
    return wish;
}

bool ds_check_is_waiting_for(const struct ds_check *check, enum ds_check_want want)
{
    for (size_t i = 0; i < check->wishes_count; i++) {
        if (check->wishes[i].want == want && !is_met(&check->wishes[i])) {
            return true;
        }
    }
    return false;
}

bool ds_check_is_guessing(const struct ds_check *check)
{
    for (size_t i = 0; i < check->wishes_count; i++) {
        if (check->wishes[i].guessed && !check->wishes[i].seen) {
            return true;
        }
    }
    return false;
}

bool ds_check_is_waiting(const struct ds_check *check)
{
    return ds_check_is_waiting_for(check, DS_CHECK_PUBLISHED) ||
           ds_check_is_waiting_for(check, DS_CHECK_WITHDRAWN);
}

void ds_check_set_wishes(struct ds_check *check, const struct ds_check_wish *wishes, size_t count,
                         sg_time now)
{
    bool has_new = false, had_none = check->wishes_count == 0;
    count = count < DS_CHECK_KEYS_MAX ? count : DS_CHECK_KEYS_MAX;
    struct wish *next = mem_alloc_zero(count, sizeof(*next));
    for (size_t i = 0; i < count; i++) {
        struct wish *old = find_wish(check, &wishes[i]);
        if (old != NULL) {
            next[i] = *old;
            has_new |= renew(&next[i], &wishes[i]);
            *old = check->wishes[--check->wishes_count];
        } else {
            next[i] = make_wish(&wishes[i]);
            has_new |= !next[i].noted || next[i].guessed;
        }
    }
    for (size_t i = 0; i < check->wishes_count; i++) {
        ds_match_key_clear(&check->wishes[i].key);
    }
    mem_free(check->wishes);
    check->wishes = next;
    check->wishes_count = count;
    if (has_new) {
        begin_anew(check, now);
        check->warned_at = now;
    } else if (had_none && count > 0) {
        /* After a start: a hundred thousand zones must not all look at once. */
        check->planned_at = check->warned_at = now;
        check->due_at = now + random_seeded_below(&check->random, (uint32_t)watch_max(check) + 1);
        check->retry = watch_max(check);
    }
}

void ds_check_forget(struct ds_check *check, sg_time now)
{
    for (size_t i = 0; i < check->wishes_count; i++) {
        struct wish *wish = &check->wishes[i];
        wish->seen = false;
        wish->first = KEY_TIME_UNSET;
        wish->words[DS_CHECK_PUBLISHED].shown = wish->words[DS_CHECK_WITHDRAWN].shown = false;
    }
    begin_anew(check, now);
}

void ds_check_demand(struct ds_check *check, sg_time now)
{
    begin_anew(check, now);
}

/* --- a round -------------------------------------------------------------------------------- */

static bool is_wanted(const struct ds_check *check)
{
    return !check->asking && check->wishes_count > 0 && check->agents_count > 0;
}

static void begin_round(struct ds_check *check)
{
    check->next = 0;
    check->anew = false;
    check->ttl = 0;
    for (size_t i = 0; i < check->wishes_count; i++) {
        check->wishes[i].words[DS_CHECK_PUBLISHED].denied = false;
        check->wishes[i].words[DS_CHECK_WITHDRAWN].denied = false;
    }
}

/* A clock that was set back stops nothing. */
static bool is_due(const struct ds_check *check, sg_time now)
{
    return now >= check->due_at || now < check->planned_at;
}

bool ds_check_turn(struct ds_check *check, sg_time now, const struct remote **out_agent)
{
    if (!is_wanted(check)) {
        return false;
    }
    if (check->anew || check->next == 0) {
        if (!is_due(check, now)) {
            return false;
        }
        begin_round(check);
    }
    check->asking = true;
    *out_agent = &check->agents[check->next].remote;
    return true;
}

sg_time ds_check_due_at(const struct ds_check *check)
{
    return check->wishes_count > 0 ? check->due_at : INT64_MAX;
}

sg_time ds_check_wake(const struct ds_check *check)
{
    /* In the midst of a round `due_at` is when that began, so the next question is due. */
    return is_wanted(check) ? check->due_at : INT64_MAX;
}

bool ds_check_is_asking(const struct ds_check *check)
{
    return check->asking;
}

static sg_duration spread(struct ds_check *check, sg_duration wait)
{
    /* A tenth more or less, so that zones which began together part. */
    sg_duration tenth = wait / 10;
    return wait - tenth + random_seeded_below(&check->random, (uint32_t)(2 * tenth) + 1);
}

/* All agents have shown `what`. True: that is news. */
static bool see(struct wish *wish, enum ds_check_want what, sg_time now)
{
    enum ds_check_want other = what == DS_CHECK_PUBLISHED ? DS_CHECK_WITHDRAWN : DS_CHECK_PUBLISHED;
    bool turned = wish->words[other].shown || (wish->seen && wish->what == other);
    bool news = !wish->seen || turned || wish->told_for != wish->since;
    wish->first = turned ? now : wish->first;
    wish->what = what;
    wish->last = now;
    wish->seen = true;
    wish->words[what].shown = wish->words[other].shown = false;
    /* A look from before `since` does not fulfil the wish: the next one is told as well. */
    wish->told_for = now >= wish->since ? wish->since : INT64_MIN;
    return news;
}

static size_t judge_round(struct ds_check *check, sg_time now, struct ds_check_fact *out_facts)
{
    size_t facts = 0;
    for (size_t i = 0; i < check->wishes_count; i++) {
        struct wish *wish = &check->wishes[i];
        enum ds_check_want what = DS_CHECK_PUBLISHED;
        if (wish->words[DS_CHECK_PUBLISHED].denied) {
            what = DS_CHECK_WITHDRAWN;
        }
        if (wish->words[what].denied) {
            continue;
        }
        bool is_news = see(wish, what, now);
        /* How long caches keep it is news as well: the TTL may be lowered before the DS changes. */
        bool lives_longer = what == DS_CHECK_PUBLISHED && check->ttl > wish->told_ttl;
        if (!is_news && !lives_longer) {
            continue;
        }
        wish->told_ttl = lives_longer ? check->ttl : wish->told_ttl;
        out_facts[facts++] = (struct ds_check_fact){
            .tag = wish->key.tag,
            .algorithm = wish->key.algorithm,
            .want = wish->want,
            .what = what,
            .noted = wish->noted,
            .first = wish->first,
            .at = now,
            .ttl = check->ttl,
        };
    }
    return facts;
}

static void plan_next_round(struct ds_check *check, sg_time now)
{
    const struct ds_check_bounds *bounds = &check->bounds;
    sg_duration longest = watch_max(check);
    sg_duration wait = check->retry;
    if (ds_check_is_waiting(check)) {
        wait = wait < bounds->retry_max ? wait : bounds->retry_max;
    } else {
        wait = wait > bounds->retry_max ? wait : bounds->retry_max;
    }
    check->planned_at = now;
    check->due_at = now + spread(check, wait);
    check->retry = 2 * check->retry < longest ? 2 * check->retry : longest;
}

enum shown { NOTHING_TO_SHOW, SHOWS_SOME, SHOWS_ALL };

/* Of all DS that are to be there: SHOWS_ALL, the agent has what the parent was asked for last. */
static enum shown what_it_shows(const struct ds_check *check, const struct ds_reply *reply)
{
    bool spoils, any = false, all = true;
    for (size_t i = 0; i < check->wishes_count; i++) {
        const struct wish *wish = &check->wishes[i];
        if (wish->want == DS_CHECK_PUBLISHED) {
            any = true;
            all &= ds_match_reply(&wish->key, reply, &spoils) == DS_MATCH_SURE;
        }
    }
    return !any ? NOTHING_TO_SHOW : all ? SHOWS_ALL : SHOWS_SOME;
}

/* When it has gone, where the agent has it not; INT64_MAX: that does not tell. One that nobody has
 * seen come may be missing since the agent lags behind the parent. Where nothing is asked for
 * instead that would prove otherwise, time has to. */
static sg_time absence_counts_from(const struct wish *wish, enum shown shown)
{
    if (!wish->may_come || shown == SHOWS_ALL) {
        return INT64_MIN;
    }
    if (shown == SHOWS_SOME) {
        return INT64_MAX;
    }
    return wish->is_unretentive ? wish->since + PARENT_LAG_MAX : INT64_MIN;
}

/* From when on it agrees with all that is wanted. */
static sg_time note_reply(struct ds_check *check, const struct ds_reply *reply, sg_time now,
                          bool *spoils)
{
    sg_time agrees_from = INT64_MIN;
    enum shown shown = what_it_shows(check, reply);
    for (size_t i = 0; i < check->wishes_count; i++) {
        struct wish *wish = &check->wishes[i];
        enum ds_match match = ds_match_reply(&wish->key, reply, spoils);
        sg_time published_from = match == DS_MATCH_SURE ? INT64_MIN : INT64_MAX;
        sg_time withdrawn_from =
            match == DS_MATCH_NONE ? absence_counts_from(wish, shown) : INT64_MAX;
        wish->words[DS_CHECK_PUBLISHED].denied |= published_from > now;
        wish->words[DS_CHECK_PUBLISHED].shown |= published_from <= now;
        wish->words[DS_CHECK_WITHDRAWN].denied |= withdrawn_from > now;
        wish->words[DS_CHECK_WITHDRAWN].shown |= withdrawn_from <= now;
        sg_time from = wish->want == DS_CHECK_PUBLISHED ? published_from : withdrawn_from;
        agrees_from = from > agrees_from ? from : agrees_from;
    }
    return agrees_from;
}

bool ds_check_knows(const struct ds_check *check, const char *problem)
{
    const char *known = check->asking ? check->agents[check->next].problem : NULL;
    return known != NULL && strcmp(known, problem) == 0;
}

size_t ds_check_heard(struct ds_check *check, enum sg_result result, const struct ds_reply *reply,
                      sg_time now, struct ds_check_fact *out_facts)
{
    if (!check->asking) {
        return 0; /* nobody waits for it: other agents were set meanwhile */
    }
    struct agent *agent = &check->agents[check->next];
    agent->outcome = result == SG_OK ? REPLIED : NO_REPLY;
    agent->result = result;
    agent->heard_at = now;
    agent->spoils = false;
    mem_free(agent->problem);
    agent->problem =
        result == SG_OK && reply->problem != NULL ? mem_copy_text(reply->problem) : NULL;
    agent->agrees_from = note_reply(check, result == SG_OK ? reply : NULL, now, &agent->spoils);
    if (result == SG_OK) {
        agent->kind = reply->kind;
        agent->rcode = reply->rcode;
        check->ttl = reply->ttl > check->ttl ? reply->ttl : check->ttl;
    }
    check->asking = false;
    if (check->anew || ++check->next < check->agents_count) {
        return 0;
    }
    check->next = 0;
    size_t facts = judge_round(check, now, out_facts);
    plan_next_round(check, now);
    return facts;
}

/* --- what is said of it --------------------------------------------------------------------- */

sg_time ds_check_warn_at(const struct ds_check *check)
{
    return ds_check_is_waiting(check) ? check->warned_at + check->bounds.warn_every : INT64_MAX;
}

bool ds_check_warns(struct ds_check *check, sg_time now)
{
    if (ds_check_warn_at(check) > now) {
        return false;
    }
    check->warned_at = now;
    return true;
}

static void describe_wish(const struct wish *wish, struct buffer *text)
{
    char when[TIME_HUMAN_BYTES];
    bool published = wish->want == DS_CHECK_PUBLISHED;
    buffer_format(text, "the DS of key %u (%s) ", wish->key.tag,
                  dnssec_algorithm_text(wish->key.algorithm));
    if (is_met(wish)) {
        buffer_format(text, "is %s, as it should be",
                      published ? "at the parent" : "gone from the parent");
        if (wish->seen) {
            time_to_http(wish->last, when);
            buffer_format(text, "; all have said so on %s", when);
        }
        return;
    }
    buffer_format(text, "is to be %s by the parent", published ? "published" : "withdrawn");
    if (wish->since != KEY_TIME_UNSET) {
        time_to_http(wish->since, when);
        buffer_format(text, ", waited for since %s", when);
    }
}

/* Is what it said what is waited for? */
static void describe_agreement(const struct agent *agent, struct buffer *text)
{
    char when[TIME_HUMAN_BYTES];
    if (agent->spoils) {
        buffer_append_text(text, ", one that fits a key and one of its tag with another digest: it "
                                 "is to be removed");
    } else if (agent->agrees_from <= agent->heard_at) {
        buffer_append_text(text, ", as it should be");
    } else if (agent->agrees_from == INT64_MAX) {
        buffer_append_text(text, ", not what is waited for");
    } else {
        time_to_http(agent->agrees_from, when);
        buffer_format(text, ", and what is missing counts as withdrawn from %s on", when);
    }
}

static void describe_agent(const struct agent *agent, struct buffer *text)
{
    char name[REMOTE_TEXT_BYTES];
    char when[TIME_HUMAN_BYTES];
    remote_text(&agent->remote, name);
    buffer_format(text, "parental agent %s ", name);
    if (agent->outcome == NOT_ASKED) {
        buffer_append_text(text, "has not been asked yet");
        return;
    }
    if (agent->outcome == NO_REPLY) {
        buffer_format(text, "does not answer (%s)", remote_failure_text(agent->result));
    } else {
        buffer_append_text(text, ds_reply_kind_text(agent->kind));
        if (agent->kind == DS_REPLY_REFUSED) {
            buffer_format(text, " (rcode %u)", agent->rcode);
        } else if (agent->problem != NULL) {
            buffer_format(text, " (%s)", agent->problem);
        }
        describe_agreement(agent, text);
    }
    time_to_http(agent->heard_at, when);
    buffer_format(text, "; asked on %s", when);
}

void ds_check_describe(const struct ds_check *check, void (*line)(void *argument, const char *text),
                       void *argument)
{
    struct buffer text = BUFFER_EMPTY;
    for (size_t i = 0; i < check->wishes_count; i++) {
        buffer_clear(&text);
        describe_wish(&check->wishes[i], &text);
        line(argument, buffer_text(&text));
    }
    for (size_t i = 0; i < check->agents_count && check->wishes_count > 0; i++) {
        buffer_clear(&text);
        describe_agent(&check->agents[i], &text);
        line(argument, buffer_text(&text));
    }
    if (check->wishes_count > 0 && check->agents_count == 0) {
        line(argument, check->too_many_agents ? "more than 128 parental agents: none is asked"
                                              : "no parental agent is known, so nobody is asked");
    }
    buffer_free(&text);
}
