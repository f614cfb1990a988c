#include "base/mem.h"
#include "kasp/keyset.h"
#include "keeper/key_orders.h"
#include "keeper/key_preparation.h"

enum { RETRY_SECONDS = 300 };

/* With the states of the commit, whatever its .state file says. NULL: it cannot be read. */
static struct signing_key *read_key(const struct preparation *p, const struct zone_key_fact *fact)
{
    const struct signing_key named = {
        .zone = p->settings->apex, .algorithm = fact->algorithm, .tag = fact->tag};
    char *name = signing_key_file_name(&named);
    struct signing_key *key = NULL;
    for (size_t i = 0; i < p->paths_count && key == NULL; i++) {
        char *path = mem_format("%s/%s", p->paths[i], name);
        if (keystore_read_pair(path, NULL, NULL, &key) != SG_OK) {
            key = NULL;
        }
        mem_free(path);
    }
    mem_free(name);
    if (key != NULL) {
        key->state = fact->state;
        key->state.present = true;
        memcpy(key->times, fact->times, sizeof(key->times));
    }
    return key;
}

static bool is_committed_to(const struct preparation *p)
{
    return p->facts->committed && p->served != NULL && zone_version_facts(p->served)->signed_here;
}

/* Of those that are not in use nobody misses one. */
static void read_keys(struct preparation *p)
{
    p->list->keys = mem_alloc((p->facts->count + 1) * sizeof(*p->list->keys));
    for (size_t i = 0; i < p->facts->count; i++) {
        struct signing_key *key = read_key(p, &p->facts->keys[i]);
        if (key != NULL) {
            p->list->keys[p->list->count++] = key;
        }
    }
}

static bool some_key_signs(const struct key_list *list)
{
    bool some = false;
    for (size_t i = 0; i < list->count; i++) {
        some |= kasp_key_is_published(list->keys[i]) && kasp_key_signs_keys(list->keys[i]);
    }
    return some;
}

/* Nothing moves: it only says what is asked of the parent, and what else states tell. */
static enum sg_result plan_nothing(struct preparation *p)
{
    struct kasp_key_facts keys[KASP_PLAN_KEYS_MAX];
    struct kasp_facts facts;
    zone_facts_for_plan(p->facts, p->list, keys, &facts);
    facts.clock_suspect = true;
    enum sg_result result = kasp_plan(p->policy, p->list, &facts, p->now, &p->plan);
    for (size_t i = 0; i < p->plan.count && result == SG_OK; i++) {
        p->plan.keys[i].wait = (struct kasp_wait){.reason = KASP_WAIT_FILES, .until = p->now};
    }
    p->plan.wake_at = p->now + RETRY_SECONDS;
    return result;
}

enum sg_result key_rest_run(struct preparation *p, sg_time *out_wake)
{
    if (!is_committed_to(p) || p->facts->count > ZONE_KEYS_MAX) {
        return SG_CONFLICT;
    }
    key_search_choose_paths(p);
    read_keys(p);
    enum sg_result result = plan_nothing(p);
    if (result == SG_OK) {
        result = key_search_check_served(p);
    }
    if (result == SG_OK && !some_key_signs(p->list)) {
        result = SG_CONFLICT;
    }
    if (result == SG_OK) {
        *out_wake = p->plan.wake_at;
    }
    return result;
}
