#include "tools/key_forecast.h"

#include "base/mem.h"
#include "tools/invented_key.h"

enum { /* as the keeper's */
       ROUNDS_MAX = KASP_KEYS_MAX + 2,
       KEYS_SEEN_MAX = KASP_PLAN_KEYS_MAX / 2,
};

struct forecast {
    const struct kasp_policy *policy;
    const struct dns_name *zone;
    sg_time now;
    struct kasp_facts facts;
    struct key_list *list;
    struct key_forecast *told;
};

/* As the keeper leaves them out (key_archive.c). Which of them makes no difference here. */
static void leave_out_gone(const struct forecast *f)
{
    struct key_list *list = f->list;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool many = kept + list->count - i > KEYS_SEEN_MAX;
        if (many && kasp_key_is_gone(list->keys[i], f->now)) {
            signing_key_free(list->keys[i]);
        } else {
            list->keys[kept++] = list->keys[i];
        }
    }
    list->count = kept;
}

/* Times and states do not tell whether the parent has its DS, or had it and has it no more. */
static bool ds_is_unknown(const struct signing_key *key)
{
    return key->state.ksk && kasp_key_is_published(key) &&
           key->state.records[KEY_RECORD_DS] == KEY_STATE_HIDDEN &&
           key->times[KEY_DS_REMOVED] == KEY_TIME_UNSET;
}

static void adopt(const struct forecast *f)
{
    bool changed[KASP_PLAN_KEYS_MAX] = {false};
    for (size_t i = 0; i < f->list->count; i++) {
        bool alone = kasp_key_is_alone(f->list, i, f->policy, f->now);
        (void)kasp_key_adopt(f->list->keys[i], f->policy, alone, f->now);
    }
    kasp_keys_appoint_signers(f->list, f->now, changed);
    for (size_t i = 0; i < f->list->count; i++) {
        f->told->keys[i] = (struct key_forecast_key){
            .entry = KASP_KEYS_MAX,
            .served = f->list->keys[i]->state.goal == KEY_STATE_OMNIPRESENT,
            .over = kasp_key_is_over(f->list->keys[i], f->now),
            .unused = kasp_key_is_unused(f->list->keys[i]),
            .ds_unknown = ds_is_unknown(f->list->keys[i]),
            .follows = SIZE_MAX,
        };
    }
    f->told->count = f->list->count;
}

static enum sg_result make_up(const struct forecast *f, const struct kasp_make *make)
{
    struct key_list *list = f->list;
    const struct kasp_key *entry = &f->policy->keys[make->entry];
    uint16_t tags[KASP_PLAN_KEYS_MAX];
    struct key_tag_set taken = {tags, 0, entry->tag_min, entry->tag_max};
    struct signing_key *key;
    if (list->count == KASP_PLAN_KEYS_MAX) {
        return SG_LIMIT;
    }
    for (size_t i = 0; i < list->count; i++) {
        tags[taken.count++] = list->keys[i]->tag;
    }
    enum sg_result result = invented_key_new(f->zone, entry, &taken, f->now, &key);
    if (result == SG_OK) {
        list->keys = mem_resize_array(list->keys, list->count + 1, sizeof(struct signing_key *));
        list->keys[list->count] = key;
        f->told->keys[list->count++] = (struct key_forecast_key){
            .entry = KASP_KEYS_MAX, .is_made = true, .follows = make->predecessor};
        f->told->count = list->count;
        f->told->makes = true;
    }
    return result;
}

/* Whoever is told by this plan to follow another, which is told to leave. */
static void note_following(const struct forecast *f, const struct kasp_plan *plan, size_t index)
{
    const struct kasp_key_plan *planned = &plan->keys[index];
    bool served = f->list->keys[index]->state.goal == KEY_STATE_OMNIPRESENT;
    if (served || planned->state.goal != KEY_STATE_OMNIPRESENT || !planned->state.has_predecessor) {
        return;
    }
    for (size_t i = 0; i < plan->count; i++) {
        const struct signing_key *other = f->list->keys[i];
        if (i != index && other->tag == planned->state.predecessor &&
            other->algorithm == planned->key->algorithm) {
            f->told->keys[index].follows = i;
        }
    }
}

static void apply(const struct forecast *f, const struct kasp_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        note_following(f, plan, i);
    }
    for (size_t i = 0; i < plan->count; i++) {
        kasp_plan_apply(&plan->keys[i], f->list->keys[i]);
        f->told->keys[i].entry = plan->keys[i].entry;
        f->told->keys[i].serves = plan->keys[i].state.goal == KEY_STATE_OMNIPRESENT;
    }
}

static enum sg_result plan_and_make(const struct forecast *f)
{
    struct kasp_plan plan = {.makes_count = 1};
    enum sg_result result = SG_OK;
    for (int round = 0; round < ROUNDS_MAX && result == SG_OK && plan.makes_count > 0; round++) {
        result = kasp_plan(f->policy, f->list, &f->facts, f->now, &plan);
        if (result != SG_OK) {
            return result;
        }
        apply(f, &plan);
        for (unsigned i = 0; i < plan.makes_count && result == SG_OK; i++) {
            result = make_up(f, &plan.makes[i]);
        }
    }
    return result;
}

enum sg_result key_forecast_make(const struct kasp_policy *policy, const struct dns_name *zone,
                                 bool files_missing, sg_time now, struct key_list *list,
                                 struct key_forecast *out_forecast)
{
    const struct forecast forecast = {
        .policy = policy,
        .zone = zone,
        .now = now,
        .facts = {.files_missing = files_missing, .step = policy->manual_mode},
        .list = list,
        .told = out_forecast,
    };
    *out_forecast = (struct key_forecast){.count = 0};
    leave_out_gone(&forecast);
    if (list->count > KASP_PLAN_KEYS_MAX) {
        return SG_LIMIT;
    }
    adopt(&forecast);
    return plan_and_make(&forecast);
}
