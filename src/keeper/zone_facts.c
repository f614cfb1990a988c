#include "keeper/zone_facts.h"

#include <string.h>

#include "base/mem.h"

/* ---- the set ---- */

void zone_facts_clear(struct zone_facts_of_keys *facts)
{
    mem_free(facts->keys);
    facts->keys = NULL;
    facts->count = 0;
}

void zone_facts_copy(const struct zone_facts_of_keys *from, struct zone_facts_of_keys *out_copy)
{
    *out_copy = *from;
    out_copy->keys = NULL;
    if (from->count > 0) {
        out_copy->keys = mem_alloc(from->count * sizeof(*from->keys));
        memcpy(out_copy->keys, from->keys, from->count * sizeof(*from->keys));
    }
}

void zone_facts_twins_clear(struct zone_facts_twins *twins)
{
    for (size_t i = 0; i < twins->count; i++) {
        zone_facts_clear(&twins->facts[i]);
    }
    mem_free(twins->facts);
    *twins = (struct zone_facts_twins){NULL, 0, false};
}

static bool times_are_equal(const sg_time *a, const sg_time *b)
{
    return memcmp(a, b, KEY_TIMES * sizeof(*a)) == 0;
}

static bool states_are_equal(const struct key_state *a, const struct key_state *b)
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (a->records[record] != b->records[record] || a->changes[record] != b->changes[record]) {
            return false;
        }
    }
    return a->ksk == b->ksk && a->zsk == b->zsk && a->goal == b->goal &&
           a->has_lifetime == b->has_lifetime && a->lifetime == b->lifetime &&
           a->has_predecessor == b->has_predecessor && a->predecessor == b->predecessor &&
           a->has_successor == b->has_successor && a->successor == b->successor;
}

static bool facts_are_equal(const struct zone_key_fact *a, const struct zone_key_fact *b)
{
    return a->tag == b->tag && a->algorithm == b->algorithm && a->ds == b->ds &&
           a->ds_at == b->ds_at && a->ds_asked_at == b->ds_asked_at &&
           states_are_equal(&a->state, &b->state) && times_are_equal(a->times, b->times);
}

static bool terms_are_equal(const struct zone_high_water *a, const struct zone_high_water *b)
{
    return a->longest == b->longest && a->is_current == b->is_current && a->later == b->later &&
           (a->is_current || a->last == b->last);
}

bool zone_facts_equal(const struct zone_facts_of_keys *a, const struct zone_facts_of_keys *b)
{
    for (int term = 0; term < ZONE_TERMS; term++) {
        if (!terms_are_equal(&a->terms[term], &b->terms[term])) {
            return false;
        }
    }
    if (a->count != b->count || a->committed != b->committed || a->unpublished != b->unpublished ||
        a->whole_unpublished != b->whole_unpublished || a->waits_from != b->waits_from ||
        a->whole_begun != b->whole_begun || a->whole_at != b->whole_at ||
        a->campaign_begun != b->campaign_begun) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!facts_are_equal(&a->keys[i], &b->keys[i])) {
            return false;
        }
    }
    return true;
}

const struct zone_key_fact *zone_facts_find(const struct zone_facts_of_keys *facts, uint16_t tag,
                                            uint8_t algorithm)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (facts->keys[i].tag == tag && facts->keys[i].algorithm == algorithm) {
            return &facts->keys[i];
        }
    }
    return NULL;
}

static const struct zone_key_fact *fact_of(const struct zone_facts_of_keys *facts,
                                           const struct signing_key *key)
{
    return zone_facts_find(facts, key->tag, key->algorithm);
}

/* ---- before a plan ---- */

static bool is_in(enum key_state_value value)
{
    return value == KEY_STATE_RUMOURED || value == KEY_STATE_OMNIPRESENT;
}

static bool waits(enum key_state_value value)
{
    return value == KEY_STATE_RUMOURED || value == KEY_STATE_UNRETENTIVE;
}

static sg_time newest_change(const struct key_state *state)
{
    sg_time newest = KEY_TIME_UNSET;
    for (int record = 0; record < KEY_RECORDS; record++) {
        bool tracked = state->records[record] != KEY_STATE_NA;
        sg_time change = tracked ? state->changes[record] : KEY_TIME_UNSET;
        newest = change > newest ? change : newest;
    }
    return newest;
}

static bool values_are_equal(const struct key_state *a, const struct key_state *b)
{
    return memcmp(a->records, b->records, sizeof(a->records)) == 0;
}

/* What was committed of the key, if that is younger than its file. */
static const struct zone_key_fact *younger_fact(const struct zone_facts_of_keys *facts,
                                                const struct signing_key *key)
{
    const struct zone_key_fact *fact = facts->committed ? fact_of(facts, key) : NULL;
    bool is_older = fact != NULL && key->state.present &&
                    newest_change(&key->state) >= newest_change(&fact->state);
    return is_older ? NULL : fact;
}

sg_time zone_facts_overruled_until(const struct zone_facts_of_keys *facts,
                                   const struct signing_key *key)
{
    const struct zone_key_fact *fact = younger_fact(facts, key);
    return fact != NULL && key->state.present && !values_are_equal(&key->state, &fact->state)
               ? newest_change(&fact->state)
               : KEY_TIME_UNSET;
}

bool zone_facts_undo_plan(const struct zone_facts_of_keys *facts,
                          const struct zone_facts_of_keys *waiting, struct signing_key *key)
{
    const struct zone_key_fact *fact = facts->committed ? fact_of(facts, key) : NULL;
    const struct zone_key_fact *planned = waiting != NULL ? fact_of(waiting, key) : NULL;
    struct key_state *state = &key->state;
    if (fact == NULL || planned == NULL || !values_are_equal(state, &planned->state) ||
        values_are_equal(state, &fact->state)) {
        return false;
    }
    memcpy(state->records, fact->state.records, sizeof(state->records));
    memcpy(state->changes, fact->state.changes, sizeof(state->changes));
    return true;
}

bool zone_facts_take_younger(const struct zone_facts_of_keys *facts, struct signing_key *key)
{
    const struct zone_key_fact *fact = younger_fact(facts, key);
    if (fact == NULL) {
        return false;
    }
    if (key->state.present && values_are_equal(&key->state, &fact->state)) {
        memcpy(key->state.changes, fact->state.changes, sizeof(key->state.changes));
        return true;
    }
    key->state = fact->state;
    key->state.present = true;
    memcpy(key->times, fact->times, sizeof(key->times));
    return true;
}

static bool fact_is_in(const struct zone_facts_of_keys *facts, const struct signing_key *key,
                       enum key_record record)
{
    const struct zone_key_fact *fact = fact_of(facts, key);
    return fact != NULL && is_in(fact->state.records[record]);
}

/* Is the record, in every version that is served, as `value` says: there, or not? */
static bool is_committed(const struct zone_facts_of_keys *facts,
                         const struct zone_facts_twins *twins, const struct signing_key *key,
                         enum key_record record)
{
    bool in = is_in(key->state.records[record]);
    bool all = !facts->committed || fact_is_in(facts, key, record) == in;
    for (size_t i = 0; i < twins->count; i++) {
        all &= fact_is_in(&twins->facts[i], key, record) == in;
    }
    return all;
}

static bool begin_wait(struct key_state *state, enum key_record record, sg_time now)
{
    enum key_state_value value = state->records[record];
    enum key_state_value begun = is_in(value) ? KEY_STATE_RUMOURED : KEY_STATE_UNRETENTIVE;
    /* The DS is the parent's: what is settled is not ours to doubt. */
    if (value == KEY_STATE_NA || (record == KEY_RECORD_DS && !waits(value)) ||
        (value == begun && state->changes[record] >= now)) {
        return false;
    }
    state->records[record] = begun;
    state->changes[record] = now;
    return true;
}

/* As kept by an earlier release, which committed no states. */
static bool hold_unserved(struct key_state *state, sg_time now)
{
    bool changed = false;
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (record != KEY_RECORD_DS && state->records[record] == KEY_STATE_RUMOURED) {
            changed |= begin_wait(state, (enum key_record)record, now);
        }
    }
    return changed;
}

/* Settled at the very instant at which the commit has it begin: what another signer wrote in the
 * second in which we began to follow him. */
static bool settle_later(const struct zone_key_fact *fact, enum key_record record,
                         struct key_state *state)
{
    enum key_state_value value = state->records[record];
    enum key_state_value committed = fact != NULL ? fact->state.records[record] : KEY_STATE_NA;
    if (record == KEY_RECORD_DS || !waits(committed) || waits(value) || value == KEY_STATE_NA ||
        is_in(value) != is_in(committed) || state->changes[record] != fact->state.changes[record]) {
        return false;
    }
    state->records[record] = committed;
    return true;
}

bool zone_facts_hold(const struct zone_facts_of_keys *facts, const struct zone_facts_twins *twins,
                     bool is_served, sg_time now, struct signing_key *key)
{
    struct key_state *state = &key->state;
    bool changed = false;
    if (!facts->committed && twins->count == 0) {
        return !is_served && hold_unserved(state, now);
    }
    const struct zone_key_fact *fact = facts->committed ? fact_of(facts, key) : NULL;
    for (int record = 0; record < KEY_RECORDS; record++) {
        changed |= settle_later(fact, (enum key_record)record, state);
        enum key_state_value value = state->records[record];
        bool was_published =
            !facts->unpublished || !waits(value) || state->changes[record] != facts->planned_at;
        if (!was_published || !is_committed(facts, twins, key, (enum key_record)record)) {
            changed |= begin_wait(state, (enum key_record)record, now);
        }
    }
    return changed;
}

unsigned zone_facts_keep_in(const struct zone_facts_of_keys *facts, struct signing_key *key)
{
    const struct zone_key_fact *fact = facts->committed ? fact_of(facts, key) : NULL;
    unsigned kept = 0;
    for (int record = 0; record < KEY_RECORDS && fact != NULL; record++) {
        enum key_state_value value = key->state.records[record];
        if (value != KEY_STATE_NA && !is_in(value) && is_in(fact->state.records[record])) {
            key->state.records[record] = fact->state.records[record];
            key->state.changes[record] = fact->state.changes[record];
            kept |= 1U << record;
        }
    }
    return kept;
}

bool zone_facts_told_to_leave(const struct zone_facts_of_keys *facts, const struct signing_key *key,
                              sg_time now)
{
    const struct zone_key_fact *fact = facts->committed ? fact_of(facts, key) : NULL;
    bool is_over = key->times[KEY_INACTIVE] != KEY_TIME_UNSET && key->times[KEY_INACTIVE] <= now;
    return fact != NULL && fact->state.goal == KEY_STATE_OMNIPRESENT &&
           key->state.goal == KEY_STATE_HIDDEN && !is_over &&
           key->state.has_successor == fact->state.has_successor;
}

/* Does a key of the algorithm sign that nobody can know yet? */
static bool has_unknown_signer(const struct zone_facts_of_keys *facts, const struct key_list *list,
                               uint8_t algorithm)
{
    bool has = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct signing_key *key = list->keys[i];
        has |= key->algorithm == algorithm && is_in(key->state.records[KEY_RECORD_ZRRSIG]) &&
               !fact_is_in(facts, key, KEY_RECORD_DNSKEY);
    }
    return has;
}

static bool take_back(const struct zone_key_fact *fact, enum key_record record,
                      struct key_state *state)
{
    if (is_in(state->records[record])) {
        return false;
    }
    state->records[record] = fact->state.records[record];
    state->changes[record] = fact->state.changes[record];
    return true;
}

void zone_facts_keep_signers(const struct zone_facts_of_keys *facts, const struct key_list *list,
                             bool *changed)
{
    for (size_t i = 0; i < list->count && facts->committed; i++) {
        struct signing_key *key = list->keys[i];
        bool has_signed =
            fact_is_in(facts, key, KEY_RECORD_DNSKEY) && fact_is_in(facts, key, KEY_RECORD_ZRRSIG);
        if (has_signed && has_unknown_signer(facts, list, key->algorithm)) {
            const struct zone_key_fact *fact = fact_of(facts, key);
            changed[i] |= take_back(fact, KEY_RECORD_DNSKEY, &key->state);
            changed[i] |= take_back(fact, KEY_RECORD_ZRRSIG, &key->state);
        }
    }
}

bool zone_facts_has_nothing_of(const struct zone_facts_of_keys *facts,
                               const struct zone_facts_twins *twins, const struct signing_key *key)
{
    bool some = false;
    for (int record = 0; record < KEY_RECORDS; record++) {
        some |= fact_is_in(facts, key, (enum key_record)record);
        for (size_t i = 0; i < twins->count; i++) {
            some |= fact_is_in(&twins->facts[i], key, (enum key_record)record);
        }
    }
    return !some;
}

void zone_facts_begin_anew(struct zone_facts_of_keys *facts, sg_time now)
{
    facts->waits_from = now;
    facts->whole_begun = facts->whole_at = 0;
    for (size_t i = 0; i < facts->count; i++) {
        facts->keys[i].ds = KASP_DS_UNKNOWN;
        facts->keys[i].ds_at = facts->keys[i].ds_asked_at = KEY_TIME_UNSET;
    }
}

static void tell_of_signatures(const struct zone_facts_of_keys *facts,
                               const struct signing_key *key, struct kasp_key_facts *out)
{
    sg_time change = key->state.changes[KEY_RECORD_ZRRSIG];
    enum key_state_value value = key->state.records[KEY_RECORD_ZRRSIG];
    if (facts->whole_at == 0 || facts->whole_unpublished || !waits(value) ||
        change > facts->whole_begun) {
        return;
    }
    if (value == KEY_STATE_RUMOURED) {
        out->signed_at = facts->whole_at;
    } else {
        out->cleared_at = facts->whole_at;
    }
}

void zone_facts_for_plan(const struct zone_facts_of_keys *facts, const struct key_list *list,
                         struct kasp_key_facts *out_keys, struct kasp_facts *out_facts)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct zone_key_fact *fact = fact_of(facts, list->keys[i]);
        out_keys[i] = (struct kasp_key_facts){
            .ds = fact == NULL ? KASP_DS_UNKNOWN : fact->ds,
            .ds_at = fact == NULL ? KEY_TIME_UNSET : fact->ds_at,
            .ds_asked_at = fact == NULL ? KEY_TIME_UNSET : fact->ds_asked_at,
            .signed_at = KEY_TIME_UNSET,
            .cleared_at = KEY_TIME_UNSET,
        };
        tell_of_signatures(facts, list->keys[i], &out_keys[i]);
    }
    *out_facts = (struct kasp_facts){
        .keys = out_keys,
        .observed = {.dnskey_ttl = facts->terms[ZONE_TERM_DNSKEY_TTL].longest,
                     .zone_ttl = facts->terms[ZONE_TERM_ZONE_TTL].longest,
                     .ds_ttl = facts->terms[ZONE_TERM_DS_TTL].longest,
                     .resign = facts->terms[ZONE_TERM_RESIGN].longest},
        .waits_from = facts->waits_from,
    };
}

/* ---- after a plan, and with a version ---- */

/* The DS is not among them: its waits count from what the parent is seen to do. */
static bool comes_or_goes(const struct zone_key_fact *before, const struct zone_key_fact *now)
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        bool was_in = before != NULL && is_in(before->state.records[record]);
        if (record != KEY_RECORD_DS && was_in != is_in(now->state.records[record])) {
            return true;
        }
    }
    return false;
}

void zone_facts_take_plan(struct zone_facts_of_keys *facts, const struct key_list *list,
                          sg_time now)
{
    size_t count = list->count < ZONE_FACTS_KEYS_MAX ? list->count : ZONE_FACTS_KEYS_MAX;
    struct zone_key_fact *keys = mem_alloc_zero(count + 1, sizeof(*keys));
    bool moved = facts->unpublished; /* It was held, and is of now. */
    for (size_t i = 0; i < count; i++) {
        const struct signing_key *key = list->keys[i];
        const struct zone_key_fact *before = fact_of(facts, key);
        struct zone_key_fact *fact = &keys[i];
        *fact = (struct zone_key_fact){.tag = key->tag,
                                       .algorithm = key->algorithm,
                                       .state = key->state,
                                       .ds_at = KEY_TIME_UNSET,
                                       .ds_asked_at = KEY_TIME_UNSET};
        memcpy(fact->times, key->times, sizeof(fact->times));
        if (before != NULL) {
            fact->ds = before->ds;
            fact->ds_at = before->ds_at;
            fact->ds_asked_at = before->ds_asked_at;
        }
        moved |= comes_or_goes(before, fact);
    }
    mem_free(facts->keys);
    facts->keys = keys;
    facts->count = count;
    facts->committed = true;
    facts->unpublished = moved;
    facts->planned_at = moved ? now : facts->planned_at;
    /* In the second of a whole signing, or of a campaign's beginning, nothing tells later which of
     * the two came first. */
    if (moved && now <= facts->whole_begun) {
        facts->whole_begun = facts->whole_at = 0;
    }
    if (moved && now <= facts->campaign_begun) {
        facts->campaign_begun = 0;
    }
}

void zone_facts_forget_keys(struct zone_facts_of_keys *facts)
{
    zone_facts_clear(facts);
    facts->committed = true;
    facts->unpublished = facts->whole_unpublished = false;
    facts->whole_begun = facts->whole_at = facts->campaign_begun = 0;
}

void zone_facts_sign_whole(struct zone_facts_of_keys *facts, sg_time now)
{
    facts->whole_begun = facts->whole_at = now;
    facts->whole_unpublished = true;
    facts->campaign_begun = 0;
}

void zone_facts_begin_campaign(struct zone_facts_of_keys *facts, sg_time now)
{
    facts->campaign_begun = now;
}

void zone_facts_end_campaign(struct zone_facts_of_keys *facts, sg_time now)
{
    if (facts->campaign_begun != 0) {
        facts->whole_begun = facts->campaign_begun;
        facts->whole_at = now;
        facts->whole_unpublished = true;
        facts->campaign_begun = 0;
    }
}

void zone_facts_observe(struct zone_facts_of_keys *facts, enum zone_term term, sg_duration value,
                        sg_time now, sg_duration cached)
{
    struct zone_high_water *water = &facts->terms[term];
    if (water->is_current && now > water->last) {
        water->last = now;
    }
    if (value >= water->longest) {
        *water = (struct zone_high_water){.longest = value, .last = now, .is_current = true};
        return;
    }
    water->is_current = false;
    water->later = value > water->later ? value : water->later;
    if (now > water->last + water->longest + cached) {
        /* When that was so last is not known: it may have been until now. */
        bool is_current = water->later == value;
        *water = (struct zone_high_water){.longest = water->later,
                                          .last = now,
                                          .is_current = is_current,
                                          .later = is_current ? 0 : value};
    }
}

bool zone_facts_may_have_signatures(const struct zone_facts_of_keys *facts,
                                    const struct zone_key_fact *fact, sg_duration late, sg_time now)
{
    enum key_state_value value = fact->state.records[KEY_RECORD_ZRRSIG];
    sg_time since = fact->state.changes[KEY_RECORD_ZRRSIG];
    if (value == KEY_STATE_NA || is_in(value) || since == KEY_TIME_UNSET ||
        (facts->whole_at != 0 && facts->whole_begun >= since)) {
        return false;
    }
    return now <= since + facts->terms[ZONE_TERM_RESIGN].longest + late;
}

/* What began with the newest plan began at `now`. */
static void correct(struct key_state *state, sg_time planned_at, sg_time now)
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (waits(state->records[record]) && state->changes[record] == planned_at) {
            state->changes[record] = now;
        }
    }
}

enum zone_facts_news zone_facts_published(struct zone_facts_of_keys *facts, sg_time now)
{
    enum zone_facts_news news = ZONE_FACTS_NO_NEWS;
    if (facts->whole_unpublished) {
        news = ZONE_FACTS_IN_TIME;
        bool at_once = facts->whole_begun == facts->whole_at;
        facts->whole_at = now > facts->whole_at ? now : facts->whole_at;
        facts->whole_begun = at_once ? facts->whole_at : facts->whole_begun;
        facts->whole_unpublished = false;
    }
    if (!facts->unpublished) {
        return news;
    }
    facts->unpublished = false;
    if (now <= facts->planned_at) {
        return ZONE_FACTS_IN_TIME;
    }
    for (size_t i = 0; i < facts->count; i++) {
        correct(&facts->keys[i].state, facts->planned_at, now);
    }
    return ZONE_FACTS_LATE;
}

/* ---- the parent ---- */

void zone_facts_see(struct zone_facts_of_keys *facts, const struct zone_ds_look *look)
{
    for (size_t i = 0; i < facts->count; i++) {
        struct zone_key_fact *fact = &facts->keys[i];
        if (fact->tag != look->tag || fact->algorithm != look->algorithm) {
            continue;
        }
        if (fact->ds != look->sighting) {
            bool was_other = fact->ds != KASP_DS_UNKNOWN && look->first == KEY_TIME_UNSET;
            fact->ds = look->sighting;
            fact->ds_at = was_other ? look->last : look->first;
            fact->ds_asked_at = look->last;
            continue;
        }
        if (look->first != KEY_TIME_UNSET && look->first > fact->ds_asked_at) {
            fact->ds_at = look->first; /* It was otherwise in between. */
        }
        if (look->last > fact->ds_asked_at) {
            fact->ds_asked_at = look->last;
        }
    }
    if (look->ttl > 0) {
        zone_facts_observe(facts, ZONE_TERM_DS_TTL, look->ttl, look->last, 0);
    }
}
