#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "kasp/parent.h"
#include "keeper/key_orders.h"
#include "keeper/key_preparation.h"
#include "keeper/key_tell.h"
#include "keeper/zone_label.h"

enum {
    ROUNDS_MAX = KASP_KEYS_MAX + 2, /* each makes keys, and the last one none */
    RETRY_SECONDS = 3600,           /* where a successor could not be made */
};

/* ---- files and facts ---- */

static void note_overruled(struct preparation *p, const struct signing_key *key)
{
    sg_time until = zone_facts_overruled_until(p->facts, key);
    if (until != KEY_TIME_UNSET) {
        char *name = signing_key_file_name(key);
        char when[TIME_HUMAN_BYTES];
        time_to_http(until, when);
        buffer_format(&p->overruled,
                      "the states in '%s.state' are older than those of the last commit and do not "
                      "count: an edit must be dated after %s\n",
                      name, when);
        mem_free(name);
    }
}

/* Times without states are read once and for good, so not by a clock that may be false. */
static enum sg_result adopt_key(struct preparation *p, size_t index)
{
    struct signing_key *key = p->list->keys[index];
    if (p->clock->doubted && !p->clock->unserved && key->state.goal == KEY_STATE_NA &&
        !kasp_key_is_unused(key)) {
        char *name = signing_key_file_name(key);
        p->problem = mem_format("the clock is in doubt, and by it the times of key '%s' would "
                                "be read, which has no .state file: set the clock",
                                name);
        mem_free(name);
        return SG_CONFLICT;
    }
    bool alone = kasp_key_is_alone(p->list, index, p->policy, p->now);
    p->changed[index] |= kasp_key_adopt(key, p->policy, alone, p->now);
    return SG_OK;
}

/* Keys are written before the commit that publishes them, which may fail or come late: no cache
 * learns of anything before it is served. */
static void hold_uncommitted(struct preparation *p)
{
    struct dns_rrset served;
    bool some = p->published != NULL && zone_version_facts(p->published)->signed_here &&
                zone_node_rrset(zone_version_apex_node(p->published), ZONE_VIEW_SIGNED,
                                DNS_TYPE_DNSKEY, &served);
    for (size_t i = 0; i < p->list->count; i++) {
        struct signing_key *key = p->list->keys[i];
        bool is_served = some && key_search_rrset_has(&served, key->dnskey);
        p->kept[i] = zone_facts_keep_in(p->facts, key);
        p->changed[i] |= p->kept[i] != 0;
        p->changed[i] |= zone_facts_hold(p->facts, p->twins, is_served, p->now, key);
    }
    zone_facts_keep_signers(p->facts, p->list, p->changed);
}

static bool is_wanted(const struct preparation *p, const struct signing_key *key)
{
    for (unsigned i = 0; i < p->policy->keys_count; i++) {
        if (kasp_key_matches(&p->policy->keys[i], key)) {
            return true;
        }
    }
    return false;
}

/* Is there one that is to stay and can do what this one does? Another signer rolled it meanwhile.
 */
static bool was_followed(const struct preparation *p, const struct signing_key *key)
{
    for (size_t i = 0; i < p->list->count; i++) {
        const struct signing_key *other = p->list->keys[i];
        if (other != key && other->algorithm == key->algorithm &&
            other->state.ksk == key->state.ksk && other->state.zsk == key->state.zsk &&
            other->state.goal == KEY_STATE_OMNIPRESENT && is_wanted(p, other)) {
            return true;
        }
    }
    return false;
}

/* An edit tells a key of the policy to leave: that is done by having it followed. */
static void roll_who_shall_leave(struct preparation *p)
{
    char label[ZONE_LABEL_BYTES];
    for (size_t i = 0; i < p->list->count; i++) {
        struct signing_key *key = p->list->keys[i];
        if (!zone_facts_told_to_leave(p->facts, key, p->now) || !is_wanted(p, key) ||
            was_followed(p, key)) {
            continue;
        }
        key->state.goal = KEY_STATE_OMNIPRESENT;
        if (kasp_roll_key(p->policy, key, p->now) != SG_OK) {
            key->state.goal = KEY_STATE_HIDDEN;
            continue;
        }
        p->changed[i] = true;
        char *text = signing_key_text(key);
        log_write(
            LOG_DNSSEC, SEVERITY_NOTICE,
            "zone %s: keymgr: the .state file of DNSKEY %s tells it to leave: it does once its "
            "successor has taken over",
            zone_label(p->settings, label), text);
        mem_free(text);
    }
}

/* What was seen at the parent by a false clock, in the future of the right one. */
static bool forget_future_sightings(struct signing_key *key, sg_time now)
{
    static const enum key_time times[] = {KEY_DS_PUBLISH, KEY_DS_REMOVED};
    bool changed = false;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        if (key->times[times[i]] != KEY_TIME_UNSET && key->times[times[i]] > now) {
            key->times[times[i]] = KEY_TIME_UNSET;
            changed = true;
        }
    }
    return changed;
}

static void begin_anew(struct preparation *p)
{
    zone_facts_begin_anew(p->facts, p->now);
    for (size_t i = 0; i < p->list->count; i++) {
        struct signing_key *key = p->list->keys[i];
        p->changed[i] |= kasp_key_restart(key, p->policy, p->now);
        p->changed[i] |= forget_future_sightings(key, p->now);
    }
}

static enum sg_result adopt_keys(struct preparation *p)
{
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < p->list->count; i++) {
        struct signing_key *key = p->list->keys[i];
        /* A twin may have published what waits here. */
        p->changed[i] = p->twins->count == 0 && zone_facts_undo_plan(p->facts, p->waiting, key);
        note_overruled(p, key);
        p->changed[i] |= zone_facts_take_younger(p->facts, key);
    }
    for (size_t i = 0; i < p->list->count && result == SG_OK; i++) {
        result = adopt_key(p, i);
    }
    if (result != SG_OK) {
        return result;
    }
    hold_uncommitted(p);
    if (!p->clock->doubted) {
        roll_who_shall_leave(p);
    }
    if (p->clock->anew && !p->clock->doubted) {
        begin_anew(p);
    }
    return SG_OK;
}

/* ---- the plan ---- */

/* While the clock is in doubt, or nothing is served, a zone that is signed goes on with the keys
 * that it has; one that has none yet begins with new ones. */
static bool keys_rest(const struct preparation *p)
{
    bool in_use = p->published != NULL && zone_version_facts(p->published)->signed_here;
    for (size_t i = 0; i < p->list->count; i++) {
        in_use |= kasp_key_is_published(p->list->keys[i]);
    }
    return p->clock->doubted && in_use;
}

/* What begins anew for one begins anew for all that have the keys. */
static sg_time latest_waits_from(const struct preparation *p)
{
    sg_time latest = p->facts->waits_from;
    for (size_t i = 0; i < p->twins->count; i++) {
        sg_time its = p->twins->facts[i].waits_from;
        latest = its > latest ? its : latest;
    }
    return latest;
}

/* Keys that are served wait for the others that have them: they may have come less far. */
static bool twins_are_awaited(const struct preparation *p)
{
    return p->twins->unknown && p->published != NULL &&
           zone_version_facts(p->published)->signed_here;
}

static enum sg_result plan(struct preparation *p, bool files_missing)
{
    struct kasp_key_facts keys[KASP_PLAN_KEYS_MAX];
    struct kasp_facts facts;
    zone_facts_for_plan(p->facts, p->list, keys, &facts);
    facts.waits_from = latest_waits_from(p);
    facts.unserved = keys_rest(p) && p->clock->unserved;
    facts.clock_suspect = keys_rest(p) && !p->clock->unserved;
    facts.twin_unknown = twins_are_awaited(p);
    facts.files_missing = files_missing;
    facts.step = key_orders_have(p->orders, KEY_ORDER_STEP);
    return kasp_plan(p->policy, p->list, &facts, p->now, &p->plan);
}

static void apply(struct preparation *p)
{
    for (size_t i = 0; i < p->plan.count; i++) {
        key_tell_moves(p, &p->plan.keys[i], (*p->made >> i & 1) != 0);
        kasp_plan_apply(&p->plan.keys[i], p->list->keys[i]);
        p->changed[i] |= p->plan.keys[i].changed;
    }
}

/* A successor that cannot be made must not keep the zone from being signed on: it is told, and
 * tried again. */
static void note_missing_successor(struct preparation *p)
{
    p->retry_at = p->now + RETRY_SECONDS;
    mem_free(*p->missing);
    *p->missing = p->problem;
    p->problem = NULL;
}

static enum sg_result make_keys(struct preparation *p, bool *missing)
{
    for (unsigned i = 0; i < p->plan.makes_count; i++) {
        const struct kasp_make *make = &p->plan.makes[i];
        enum sg_result result = key_search_make(p, &p->policy->keys[make->entry]);
        if (result != SG_OK && make->predecessor != SIZE_MAX) {
            note_missing_successor(p);
            *missing = true;
        } else if (result != SG_OK) {
            return result;
        }
    }
    return SG_OK;
}

static enum sg_result plan_and_make(struct preparation *p)
{
    bool missing = false;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        enum sg_result result = plan(p, missing);
        if (result != SG_OK) {
            p->problem = mem_format("more than %d keys", KASP_PLAN_KEYS_MAX);
            return result;
        }
        apply(p);
        if (p->plan.makes_count == 0) {
            return SG_OK;
        }
        result = make_keys(p, &missing);
        if (result != SG_OK) {
            return result;
        }
    }
    return SG_OK; /* The rest comes with the next look. */
}

/* The records of a key that its file has out and the zone still has, with commas. */
static void name_kept(const struct preparation *p, size_t index, struct buffer *names)
{
    static const char *const records[KEY_RECORDS] = {"DNSKEY", "ZRRSIG", "KRRSIG", "DS"};
    for (int record = 0; record < KEY_RECORDS; record++) {
        enum key_state_value value = p->list->keys[index]->state.records[record];
        bool is_in = value == KEY_STATE_RUMOURED || value == KEY_STATE_OMNIPRESENT;
        if (is_in && (p->kept[index] >> record & 1U) != 0) {
            buffer_format(names, "%s%s", names->length > 0 ? ", " : "", records[record]);
        }
    }
}

/* Edits that would have broken the chain of trust, or told of what is not so, are overruled. */
static void tell_overruled(const struct preparation *p)
{
    char label[ZONE_LABEL_BYTES];
    for (size_t i = 0; i < p->plan.count && !p->clock->doubted; i++) {
        struct buffer names = BUFFER_EMPTY;
        name_kept(p, i, &names);
        if (names.length > 0) {
            char *text = signing_key_text(p->list->keys[i]);
            log_write(
                LOG_DNSSEC, SEVERITY_WARNING,
                "zone %s: keymgr: the .state file of DNSKEY %s says that it is withdrawn (%s), "
                "and it is not: it stays as long as it is needed, and the file is written "
                "again; to have it leave, `dnssec -rollover` or `dnssec-settime -s -g HIDDEN`",
                zone_label(p->settings, label), text, buffer_text(&names));
            mem_free(text);
        }
        buffer_free(&names);
    }
}

/* ---- what it asks for ---- */

static enum sg_result write_key(struct preparation *p, const struct signing_key *key)
{
    enum sg_result result = keystore_batch_write(key_folders_batch(p->folders), key);
    if (result != SG_OK) {
        char *text = signing_key_text(key);
        p->problem = mem_format("the files of key %s in '%s' cannot be written: %s", text,
                                key->folder, sg_result_text(result));
        mem_free(text);
    }
    return result;
}

static enum sg_result write_keys(struct preparation *p, bool stay)
{
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < p->list->count && result == SG_OK; i++) {
        const struct signing_key *key = p->list->keys[i];
        if (p->changed[i] && (key->state.goal == KEY_STATE_OMNIPRESENT) == stay) {
            result = write_key(p, key);
        }
    }
    return result;
}

/* Who is told to leave comes before who follows: cut off in between, the one that is left alone is
 * taken for a key that was made in advance, and is used. */
static enum sg_result write_changed(struct preparation *p)
{
    enum sg_result result = write_keys(p, false);
    return result == SG_OK ? write_keys(p, true) : result;
}

/* Its files go while nothing of it is in any version, so that it does not matter whether what is
 * committed next knows that. */
static void purge(struct preparation *p)
{
    struct key_list *list = p->list;
    char label[ZONE_LABEL_BYTES];
    uint64_t made = 0;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct signing_key *key = list->keys[i];
        bool goes = i < p->plan.count && p->plan.keys[i].purge && !p->clock->doubted &&
                    zone_facts_has_nothing_of(p->facts, p->twins, key);
        if (goes && keystore_remove(key) == SG_OK) {
            char *text = signing_key_text(key);
            log_write(LOG_DNSSEC, SEVERITY_INFO,
                      "zone %s: keymgr: purge DNSKEY %s (%s): its files are removed",
                      zone_label(p->settings, label), text, key_tell_role(&key->state));
            mem_free(text);
            signing_key_free(key);
            continue;
        }
        p->plan.keys[kept] = p->plan.keys[i];
        p->changed[kept] = p->changed[i];
        made |= (*p->made >> i & 1) << kept;
        list->keys[kept++] = key;
    }
    *p->made = made;
    list->count = kept;
    p->plan.count = kept;
}

/* The files have been written over. */
static void log_overruled(struct preparation *p)
{
    char label[ZONE_LABEL_BYTES];
    const char *line = p->overruled.length == 0 ? "" : buffer_text(&p->overruled);
    zone_label(p->settings, label);
    while (*line != '\0') {
        const char *end = strchr(line, '\n');
        log_write(LOG_DNSSEC, SEVERITY_WARNING, "zone %s: %.*s", label, (int)(end - line), line);
        line = end + 1;
    }
}

enum sg_result key_planning_run(struct preparation *p, sg_time *out_wake)
{
    enum sg_result result = adopt_keys(p);
    if (result != SG_OK) {
        return result;
    }
    key_tell_found(p);
    key_orders_apply(p);
    if (!keys_rest(p)) {
        kasp_keys_appoint_signers(p->list, p->now, p->changed);
    }
    result = plan_and_make(p);
    if (result == SG_OK) {
        tell_overruled(p);
        key_tell_blocked(p);
        purge(p);
        result = write_changed(p);
    }
    if (result != SG_OK) {
        return result;
    }
    log_overruled(p);
    key_orders_report(p);
    zone_facts_take_plan(p->facts, p->list, p->now);
    sg_time wake = p->plan.wake_at;
    if (p->retry_at != 0 && p->retry_at < wake) {
        wake = p->retry_at;
    }
    *out_wake = p->clock->doubted ? p->clock->rests_until : wake;
    return SG_OK;
}
