/* A zone with a KSK and a ZSK in the real keeper, which roll by order and are looked at. */
#pragma once

#include "keeper/keeper_scene.h"

/* What an order was answered, and a status. */
struct answer {
    unsigned told;
    enum sg_result result;
    char text[1024];
    struct keeper_keys_status status;
};

static inline void take_answer(void *argument, enum sg_result result, const char *text)
{
    struct answer *answer = argument;
    answer->told++;
    answer->result = result;
    (void)snprintf(answer->text, sizeof(answer->text), "%s", text);
}

static inline void take_status(void *argument, const struct keeper_keys_status *status,
                               const char *text)
{
    struct answer *answer = argument;
    answer->told++;
    answer->result = status == NULL ? SG_CONFLICT : SG_OK;
    (void)snprintf(answer->text, sizeof(answer->text), "%s", text);
    if (status != NULL) {
        answer->status = *status;
    }
}

static inline void look(struct keeper_scene *scene, struct answer *answer)
{
    answer->told = 0;
    assert_int_equal(keeper_keys_status(scene->keeper, scene_zone(scene), take_status, answer),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(answer->told, 1);
}

/* The keys of a role with this goal: how many, and the first of them. */
static inline size_t count_keys(struct answer *answer, bool ksk, enum key_state_value goal,
                                const struct keeper_key_status **out_key)
{
    size_t count = 0;
    for (size_t i = 0; i < answer->status.count; i++) {
        const struct keeper_key_status *key = &answer->status.keys[i];
        if (key->state.ksk == ksk && key->state.goal == goal && count++ == 0) {
            *out_key = key;
        }
    }
    return count;
}

static inline struct keeper_key_status the_key(struct keeper_scene *scene, bool ksk,
                                               enum key_state_value goal)
{
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    const struct keeper_key_status *key = NULL;
    look(scene, answer);
    assert_int_equal(count_keys(answer, ksk, goal, &key), 1);
    struct keeper_key_status copy = *key;
    mem_free(answer);
    return copy;
}

static const struct keeper_key_word some_key = {.tag = KEEPER_ANY_KEY};

static inline struct answer note_ds(struct keeper_scene *scene, struct keeper_key_word word)
{
    struct answer answer = {.told = 0};
    assert_int_equal(keeper_note_ds(scene->keeper, scene_zone(scene), &word, take_answer, &answer),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(answer.told, 1);
    return answer;
}

static inline struct answer roll(struct keeper_scene *scene, uint16_t tag)
{
    struct answer answer = {.told = 0};
    const struct keeper_key_word word = {.tag = tag};
    assert_int_equal(keeper_rollover(scene->keeper, scene_zone(scene), &word, take_answer, &answer),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(answer.told, 1);
    return answer;
}

static inline void serve_split(struct keeper_scene *scene)
{
    struct kasp_policy *policy = scene->policy;
    policy->keys[0].role = KASP_ROLE_KSK;
    policy->keys[1] = policy->keys[0];
    policy->keys[1].role = KASP_ROLE_ZSK;
    policy->keys_count = 2;
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
}

/* Waking whenever there is something to be done: nothing is late. */
static inline void live_until(struct keeper_scene *scene, sg_time end)
{
    while (scene->now < end) {
        sg_time wake = keeper_turn(scene->keeper, scene->now);
        scene_pass(scene, (wake < end ? wake : end) - scene->now);
    }
}

/* Signed, and its DS is in place. */
static inline void be_settled(struct keeper_scene *scene)
{
    struct keeper_key_word published = some_key;
    published.published = true;
    live_until(scene, scene->now + 86700);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    assert_int_equal(note_ds(scene, published).result, SG_OK);
    live_until(scene, scene->now + scene->policy->parent_ds_ttl +
                          scene->policy->parent_propagation_delay + scene->policy->retire_safety);
    struct keeper_key_status ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    assert_int_equal(ksk.state.records[KEY_RECORD_DS], KEY_STATE_OMNIPRESENT);
}

static inline size_t published(struct keeper_scene *scene)
{
    struct dns_rrset rrset;
    const struct zone_node *apex = zone_version_apex_node(scene_zone(scene)->slot->version);
    return zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY, &rrset) ? rrset.count : 0;
}

static inline void run(const char *format, const char *folder)
{
    char *command = mem_format(format, folder, folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
}
