/* A zone that is signed aside while updates come at all times. */
#pragma once

#include "keeper/aside.h"
#include "keeper/keeper_scene.h"

enum { CROWD_MAX = 40, TURNS_MAX = 60 };

/* Updates that come one by one, each when the one before was answered. */
struct crowd {
    int rcodes[CROWD_MAX];
    size_t sent;
    size_t meanwhile;     /* answered while the zone was being signed aside */
    struct letter *round; /* a round's reply that is on its way; NULL: none */
    unsigned round_turns;
};

/* As if a round took so many turns. */
enum { ROUND_TURNS = 6 };

static inline void let_rounds_end(struct keeper_scene *scene, struct crowd *crowd)
{
    if (crowd->round != NULL) {
        assert_true(mailbox_send(&scene->mailbox, crowd->round));
        crowd->round = NULL;
    }
    crowd->round_turns = 0;
}

static inline void let_rounds_take_time(struct keeper_scene *scene, struct crowd *crowd)
{
    if (crowd->round != NULL) {
        if (++crowd->round_turns == ROUND_TURNS) {
            let_rounds_end(scene, crowd);
        }
        return;
    }
    for (struct letter *letter = mailbox_take_all(&scene->mailbox), *next; letter != NULL;
         letter = next) {
        next = letter->next;
        if (aside_is_round((struct job *)letter)) {
            crowd->round = letter;
        } else {
            assert_true(mailbox_send(&scene->mailbox, letter));
        }
    }
}

static inline void settle(struct keeper_scene *scene, struct crowd *crowd)
{
    let_rounds_end(scene, crowd);
    scene_turn(scene);
}

static inline void be_dynamic(struct keeper_scene *scene, bool is_signed)
{
    scene->keeper->asides.names_min = 0;
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = is_signed ? scene->policy : NULL;
    scene->plan[0].inline_signing = true;
    scene->plan[0].dynamic = true;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
}

/* Every RRset of the zone's own names has an RRSIG, or none has. */
static inline void check_signatures(struct keeper_scene *scene, bool is_signed)
{
    const struct zone_version *version = scene_zone(scene)->slot->version;
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        struct zone_rrset_walk walk = zone_node_walk(&cursor.node, ZONE_VIEW_SIGNED);
        while (zone_node_walk_next(&walk)) {
            struct dns_rrset signatures;
            assert_true(walk.rrset.type == DNS_TYPE_RRSIG ||
                        zone_node_signatures(&cursor.node, ZONE_VIEW_SIGNED, walk.rrset.type,
                                             &signatures) == is_signed);
        }
    }
}

/* One turn, with an update on its way at all times. What is served is whole. */
static inline void turn(struct keeper_scene *scene, struct crowd *crowd)
{
    char label[16];
    if (crowd->sent == 0 || crowd->rcodes[crowd->sent - 1] >= 0) {
        assert_true(crowd->sent < CROWD_MAX);
        snprintf(label, sizeof(label), "u%zu", crowd->sent);
        scene_update(scene, label, &crowd->rcodes[crowd->sent++]);
    }
    let_rounds_take_time(scene, crowd);
    scene_turn_once(scene);
    const struct zone_facts *facts = zone_version_facts(scene_zone(scene)->slot->version);
    check_signatures(scene, facts->signed_here);
    assert_int_equal(facts->denial != ZONE_DENIAL_NONE, facts->signed_here);
    bool answered = crowd->rcodes[crowd->sent - 1] >= 0;
    crowd->meanwhile += answered && aside_is_busy(scene_zone(scene));
}

static inline void check_kept(struct keeper_scene *scene, const struct crowd *crowd)
{
    char name[40];
    for (size_t i = 0; i < crowd->sent; i++) {
        snprintf(name, sizeof(name), "u%zu.example.test.", i);
        if (crowd->rcodes[i] >= 0) {
            assert_int_equal(crowd->rcodes[i], DNS_RCODE_NOERROR);
            assert_true(scene_serves(scene, name, DNS_TYPE_A));
        }
    }
}

static inline enum zone_denial denial(struct keeper_scene *scene)
{
    return zone_version_facts(scene_zone(scene)->slot->version)->denial;
}

/* Turns with updates until the zone has that denial, and then some. */
static inline void turn_until(struct keeper_scene *scene, struct crowd *crowd,
                              enum zone_denial wanted)
{
    size_t turns = 0;
    while (denial(scene) != wanted) {
        turn(scene, crowd);
        assert_true(turns++ < TURNS_MAX);
    }
    settle(scene, crowd);
    check_kept(scene, crowd);
    assert_null(scene_zone(scene)->known.aside);
    assert_null(scene->keeper->asides.first);
    assert_int_equal(denial(scene), wanted);
}

static inline void turn_until_busy(struct keeper_scene *scene, struct crowd *crowd)
{
    size_t turns = 0;
    while (!aside_is_busy(scene_zone(scene))) {
        turn(scene, crowd);
        assert_true(turns++ < TURNS_MAX);
    }
}

static inline void wish_nsec3(struct keeper_scene *scene, bool nsec3)
{
    scene->policy->nsec3 = nsec3;
    scene_differ(scene);
    scene_configure_only(scene);
}
