/*
 * kasp/random_parent.h - a parent that follows late and in its own manner, and at times turns back
 */
#pragma once

#include "kasp/random_scene.h"

static void serve_ds(struct scene *s)
{
    s->at_parent.ttl = s->world.facts.observed.ds_ttl;
    caches_serve(&s->caches.ds, &s->at_parent, s->caches.parent_propagation, s->now);
}

static bool asked_of_parent(const struct scene *s, struct caches_version *wanted)
{
    memset(wanted, 0, sizeof(*wanted));
    for (size_t i = 0; i < s->world.list.count; i++) {
        const struct signing_key *key = s->world.live[i];
        if (kasp_key_wants_ds(key)) {
            caches_add(wanted, world_key_of(key)->number, key->algorithm, false);
        }
    }
    return wanted->count > 0 || s->world.plan.publishes_delete;
}

/* No agent is asked: the operator tells what he sees, and what he was not asked he does not. */
static void tell_of_parent(struct scene *s)
{
    for (size_t i = 0; i < s->world.list.count && !s->world.facts.clock_suspect; i++) {
        struct signing_key *key = s->world.live[i];
        bool is_there = caches_has(&s->at_parent, world_key_of(key)->number);
        enum key_time time = is_there ? KEY_DS_PUBLISH : KEY_DS_REMOVED;
        if (key->times[time] == KEY_TIME_UNSET) {
            enum kasp_sighting ds = is_there ? KASP_DS_SEEN : KASP_DS_MISSING;
            s->words += kasp_note_ds(key, ds, s->now + s->clock_off) == SG_OK;
        }
    }
}

static void look_at_parent(struct scene *s)
{
    sg_time clock = s->now + s->clock_off;
    if (s->tells) {
        tell_of_parent(s);
        return;
    }
    for (size_t i = 0; i < s->world.list.count; i++) {
        struct kasp_key_facts *facts = &s->world.key_facts[i];
        const struct world_key *key = world_key_of(s->world.live[i]);
        enum kasp_sighting ds =
            caches_has(&s->at_parent, key->number) ? KASP_DS_SEEN : KASP_DS_MISSING;
        if (facts->ds != ds || facts->ds_at > clock) {
            facts->ds = ds;
            facts->ds_at = clock;
        }
        facts->ds_asked_at = clock;
        if (s->world.facts.clock_suspect) {
            facts->ds = KASP_DS_UNKNOWN; /* nobody knows when that was */
        }
    }
}

static void keep_common(struct caches_version *out, const struct caches_version *other)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        if (caches_has(other, out->entries[i].number)) {
            out->entries[kept++] = out->entries[i];
        }
    }
    out->count = kept;
}

static void add_all(struct caches_version *out, const struct caches_version *other)
{
    for (size_t i = 0; i < other->count; i++) {
        if (!caches_has(out, other->entries[i].number)) {
            caches_add(out, other->entries[i].number, other->entries[i].algorithm, false);
        }
    }
}

static void parent_acts(struct scene *s)
{
    struct caches_version wanted, next = s->at_parent;
    s->parent_acts_at = NEVER;
    if (!asked_of_parent(s, &wanted)) {
        return;
    }
    if (s->manner == PARENT_ADDS_FIRST) {
        add_all(&next, &wanted);
    } else if (s->manner == PARENT_REMOVES_FIRST) {
        keep_common(&next, &wanted);
    }
    if (s->manner == PARENT_SWAPS || caches_same(&next, &s->at_parent)) {
        next = wanted;
    }
    s->parent_before = s->at_parent;
    s->at_parent = next;
    serve_ds(s);
    if (s->parent_wavers && chance(s, 30)) {
        s->parent_turns_back_at = s->now + between(s, 0, 5 * SG_DAY);
    }
}

/* A backup is played in again: only what the parent still has too, or what the zone still bears. */
static void parent_turns_back(struct scene *s)
{
    s->parent_turns_back_at = NEVER;
    for (size_t i = 0; i < s->parent_before.count; i++) {
        const struct caches_entry *entry = &s->parent_before.entries[i];
        if (!caches_has(&s->at_parent, entry->number) &&
            caches_check_algorithm(&s->caches, &s->parent_before, entry->algorithm) != NULL) {
            return;
        }
    }
    s->at_parent = s->parent_before;
    serve_ds(s);
}

static void wake_parent(struct scene *s)
{
    struct caches_version wanted;
    if (asked_of_parent(s, &wanted) && !caches_same(&wanted, &s->at_parent) &&
        s->parent_acts_at == NEVER) {
        s->parent_acts_at = s->now + (chance(s, 20) ? 0 : between(s, 0, s->parent_delay));
    }
}

/* Nobody asked for it, but somebody has made the DS of a key from its DNSKEY and brought it: only
 * what every cache can follow. */
static void stranger_acts(struct scene *s)
{
    for (size_t i = 0; i < s->world.list.count; i++) {
        const struct signing_key *key = s->world.live[i];
        size_t number = world_key_of(key)->number;
        struct caches_version next = s->at_parent;
        if (!key->state.ksk || key->state.goal != KEY_STATE_OMNIPRESENT ||
            key->state.records[KEY_RECORD_DS] != KEY_STATE_HIDDEN || caches_has(&next, number)) {
            continue;
        }
        caches_add(&next, number, key->algorithm, false);
        if (caches_check_algorithm(&s->caches, &next, key->algorithm) == NULL) {
            s->at_parent = next;
            serve_ds(s);
            s->strangers++;
        }
    }
}
