#include "keeper/key_orders.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "kasp/parent.h"
#include "keeper/keeper_parts.h"
#include "keeper/key_preparation.h"
#include "keeper/key_tell.h"

/* ---- a worker ---- */

static void answer(struct zone_key_order *order, enum sg_result result, char *text)
{
    mem_free(order->text);
    order->result = result;
    order->text = text;
}

/* Could the order mean this key? A key that is done with is meant only by its tag. */
static bool is_meant(const struct zone_key_order *order, const struct signing_key *key)
{
    if ((order->word.algorithm != 0 && order->word.algorithm != key->algorithm) ||
        (order->word.tag != KEEPER_ANY_KEY && order->word.tag != key->tag)) {
        return false;
    }
    if (order->word.tag != KEEPER_ANY_KEY) {
        return true;
    }
    enum key_state_value ds = key->state.records[KEY_RECORD_DS];
    return key->state.ksk &&
           ds == (order->word.published ? KEY_STATE_RUMOURED : KEY_STATE_UNRETENTIVE);
}

/* BIND's name of it, as its first lines have it. */
static const char *order_text(const struct zone_key_order *order)
{
    return order->kind == KEY_ORDER_DS ? "checkds" : "rollover";
}

static const char *ds_text(const struct zone_key_order *order)
{
    return order->word.published ? "published" : "withdrawn";
}

static void answer_no_key(const struct preparation *p, struct zone_key_order *order)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_format(&text, "Error executing %s command: no matching key found\n", order_text(order));
    if (order->word.tag == KEEPER_ANY_KEY) {
        buffer_format(&text, "no key of the zone waits for its DS to be %s", ds_text(order));
        order->tells_waits = true;
    } else {
        buffer_format(&text, "the zone has no key %d%s: it has", order->word.tag,
                      order->word.algorithm != 0 ? " of that algorithm" : "");
        for (size_t i = 0; i < p->list->count; i++) {
            const struct signing_key *key = p->list->keys[i];
            buffer_format(&text, "%s %s %u (%s)", i == 0 ? "" : ",", key_tell_role(&key->state),
                          key->tag, dnssec_algorithm_text(key->algorithm));
        }
    }
    answer(order, SG_NOT_FOUND, mem_copy_text(buffer_text(&text)));
    buffer_free(&text);
}

/* SIZE_MAX: the order is answered, no key can be told. */
static size_t find_key(const struct preparation *p, struct zone_key_order *order)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < p->list->count; i++) {
        if (!is_meant(order, p->list->keys[i])) {
            continue;
        }
        if (found != SIZE_MAX) {
            answer(order, SG_EXISTS,
                   mem_format("Error: multiple possible keys found, retry command with %s",
                              order->word.tag == KEEPER_ANY_KEY ? "-key id" : "-alg algorithm"));
            return SIZE_MAX;
        }
        found = i;
    }
    if (found == SIZE_MAX) {
        answer_no_key(p, order);
    }
    return found;
}

/* Why the word is not taken. */
static const char *ds_objection(const struct signing_key *key, bool published)
{
    switch (key->state.records[KEY_RECORD_DS]) {
    case KEY_STATE_RUMOURED:
        return "the parent is asked to publish it";
    case KEY_STATE_OMNIPRESENT:
        return published ? "it is there already, as all caches know" : "it is in use";
    case KEY_STATE_UNRETENTIVE:
        return "the parent is asked to withdraw it";
    default:
        return published ? "the parent is not asked for it" : "there is none";
    }
}

static void refuse_ds(struct zone_key_order *order, const struct signing_key *key)
{
    if (!key->state.ksk) {
        answer(order, SG_NOT_FOUND,
               mem_format("Error executing checkds command: no matching key found\n"
                          "key %u is a ZSK, which has no DS: name the KSK, see `dnssec -status`",
                          key->tag));
        return;
    }
    answer(order, SG_NOT_FOUND,
           mem_format("Error executing checkds command: no matching key found\n"
                      "key %u does not wait for its DS to be %s: %s",
                      key->tag, ds_text(order), ds_objection(key, order->word.published)));
    order->tells_waits = true;
}

static void note_ds(struct preparation *p, struct zone_key_order *order)
{
    size_t index = find_key(p, order);
    if (index == SIZE_MAX) {
        return;
    }
    struct signing_key *key = p->list->keys[index];
    sg_time noted = key->times[order->word.published ? KEY_DS_PUBLISH : KEY_DS_REMOVED];
    sg_time when = order->word.when != 0     ? order->word.when
                   : noted != KEY_TIME_UNSET ? noted /* Said again, it does not begin again. */
                                             : p->now;
    if (when > p->now) {
        answer(order, SG_CONFLICT,
               mem_format("the DS cannot have been %s in the future", ds_text(order)));
        return;
    }
    if (kasp_note_ds(key, order->word.published ? KASP_DS_SEEN : KASP_DS_MISSING, when) != SG_OK) {
        refuse_ds(order, key);
        return;
    }
    p->changed[index] = true;
    char named[16] = ""; /* whom BIND names only if he was named */
    char since[TIME_HUMAN_BYTES];
    if (order->word.tag != KEEPER_ANY_KEY) {
        (void)snprintf(named, sizeof(named), "KSK %u: ", key->tag);
    }
    time_to_stamp(when, since);
    answer(order, SG_OK, mem_format("%sMarked DS as %s since %s", named, ds_text(order), since));
}

static void roll(struct preparation *p, struct zone_key_order *order)
{
    size_t index = find_key(p, order);
    if (index == SIZE_MAX) {
        return;
    }
    struct signing_key *key = p->list->keys[index];
    sg_time when = order->word.when < p->now ? p->now : order->word.when;
    if (kasp_roll_key(p->policy, key, when) != SG_OK) {
        answer(order, SG_DENIED,
               mem_format("Error executing rollover command: key is not actively signing\n"
                          "key %u cannot be rolled: it is %s",
                          key->tag,
                          key->state.goal == KEY_STATE_HIDDEN ? "on its way out, or gone"
                                                              : "not in use yet"));
        order->tells_waits = true;
        return;
    }
    p->changed[index] = true;
    order->tells_waits = when == p->now;
    char due[TIME_HUMAN_BYTES];
    time_to_stamp(when, due);
    answer(order, SG_OK, mem_format("Key %u: Rollover scheduled on %s", key->tag, due));
}

void key_orders_apply(struct preparation *p)
{
    for (struct zone_key_order *order = p->orders; order != NULL; order = order->next) {
        if (order->kind == KEY_ORDER_LOOK) {
            answer(order, SG_OK, NULL);
        } else if (p->clock->doubted && order->kind != KEY_ORDER_STATUS) {
            answer(order, SG_CONFLICT,
                   mem_copy_text(
                       p->clock->unserved
                           ? "the zone has expired and is not served, and the states of its keys "
                             "rest until a primary is heard: see `signet zonestatus`"
                           : "the clock is in doubt, and the states of keys rest: set it, or "
                             "`signet clock -accept`"));
        } else if (order->kind == KEY_ORDER_DS) {
            note_ds(p, order);
        } else if (order->kind == KEY_ORDER_ROLL) {
            roll(p, order);
        } else if (order->kind == KEY_ORDER_STEP && !p->policy->manual_mode) {
            answer(
                order, SG_CONFLICT,
                mem_format("dnssec-policy %s is not in manual-mode: its keys go on by themselves",
                           p->policy->name));
        } else if (order->kind == KEY_ORDER_STEP) {
            answer(order, SG_OK, mem_copy_text("nothing waits for a step"));
        }
    }
}

/* Those that are at work are told of by their states, cleared or not. */
static uint64_t find_cleared(const struct preparation *p, const struct zone_key_order *order,
                             uint64_t told)
{
    uint64_t cleared = 0;
    for (size_t i = 0; i < p->list->count && i < ZONE_KEYS_MAX; i++) {
        const struct signing_key *key = p->list->keys[i];
        bool is_it = order->word.tag == KEEPER_ANY_KEY ||
                     (order->word.tag == key->tag && order->word.algorithm == key->algorithm);
        bool is_done = kasp_key_progress(p->list, i) == KASP_PROGRESS_DONE;
        cleared |= (uint64_t)(is_it && is_done) << i & told;
    }
    return cleared;
}

uint64_t key_orders_clear(struct preparation *p, uint64_t told)
{
    for (struct zone_key_order *order = p->orders; order != NULL; order = order->next) {
        if (order->kind != KEY_ORDER_CLEAR || p->clock->doubted) {
            continue; /* or it was refused */
        }
        uint64_t cleared = find_cleared(p, order, told);
        if (cleared == 0 && order->word.tag != KEEPER_ANY_KEY) {
            answer(order, SG_NOT_FOUND,
                   mem_format("no record tells that signing with key %d is done: `signing -list`",
                              order->word.tag));
        } else {
            answer(order, SG_OK, mem_copy_text("request queued"));
        }
        told &= ~cleared;
    }
    return told;
}

bool key_orders_have(const struct zone_key_order *orders, enum key_order_kind kind)
{
    for (const struct zone_key_order *order = orders; order != NULL; order = order->next) {
        if (order->kind == kind) {
            return true;
        }
    }
    return false;
}

static struct keeper_keys_status *status_of(const struct preparation *p)
{
    struct keeper_keys_status *status = mem_alloc_zero(1, sizeof(*status));
    status->now = p->now;
    status->wake_at = p->plan.wake_at;
    status->manual = p->plan.manual;
    status->publishes_delete = p->plan.publishes_delete;
    for (size_t i = 0; i < p->plan.count; i++) {
        const struct signing_key *key = p->list->keys[i];
        const struct zone_key_fact *fact = zone_facts_find(p->facts, key->tag, key->algorithm);
        struct keeper_key_status *out = &status->keys[status->count++];
        *out = (struct keeper_key_status){
            .algorithm = key->algorithm,
            .tag = key->tag,
            .flags = key->flags,
            .bits = key->bits,
            .state = key->state,
            .wait = p->plan.keys[i].wait,
            .ds = fact == NULL ? KASP_DS_UNKNOWN : fact->ds,
            .asks = p->plan.keys[i].asks,
            .ds_at = fact == NULL ? KEY_TIME_UNSET : fact->ds_at,
            .ds_asked_at = fact == NULL ? KEY_TIME_UNSET : fact->ds_asked_at,
            .published = kasp_key_is_published(key),
            .signs_keys = kasp_key_signs_keys(key),
            .signs_zone = kasp_key_signs_zone(key),
            .wants_ds = kasp_key_wants_ds(key),
            .has_secret = key->secret != NULL,
            .progress = kasp_key_progress(p->list, i),
        };
        memcpy(out->times, key->times, sizeof(out->times));
    }
    return status;
}

/* "stepped: CSK 4711 ECDSAP256SHA256: DNSKEY rumoured", a line for each key; and those made. */
static char *steps_text(const struct preparation *p)
{
    struct buffer text = BUFFER_EMPTY;
    const char *line = p->moves->length == 0 ? "" : buffer_text(p->moves);
    for (size_t i = 0; i < p->list->count; i++) {
        if ((*p->made >> i & 1) != 0) {
            buffer_format(&text, "%smade: key %u %s", text.length > 0 ? "\n" : "",
                          p->list->keys[i]->tag,
                          dnssec_algorithm_text(p->list->keys[i]->algorithm));
        }
    }
    while (*line != '\0') {
        const char *end = strchr(line, '\n');
        buffer_format(&text, "%sstepped: %.*s", text.length > 0 ? "\n" : "", (int)(end - line),
                      line);
        line = end + 1;
    }
    char *owned = text.length > 0 ? mem_copy_text(buffer_text(&text)) : NULL;
    buffer_free(&text);
    return owned;
}

static void append_wait(const struct kasp_key_plan *planned, struct buffer *text)
{
    char wait[KASP_WAIT_TEXT_BYTES];
    kasp_wait_text(&planned->wait, wait);
    buffer_format(text, "\nkey %u: %s", planned->key->tag, wait);
}

/* Of the algorithm, whose DS is not in place: that is what a successor waits for. */
static bool is_in_the_way(const struct kasp_key_plan *planned, uint8_t algorithm)
{
    enum key_state_value ds = planned->state.records[KEY_RECORD_DS];
    return planned->key->algorithm == algorithm && planned->state.ksk &&
           planned->state.goal == KEY_STATE_OMNIPRESENT && ds != KEY_STATE_OMNIPRESENT;
}

/* It was ordered now, and nothing has begun. */
static void append_roll_waits(const struct preparation *p, size_t index, struct buffer *text)
{
    const struct kasp_key_plan *planned = &p->plan.keys[index];
    if (planned->state.goal != KEY_STATE_OMNIPRESENT || planned->wait.reason == KASP_WAIT_NONE) {
        return; /* It is followed. */
    }
    buffer_append_text(text, "\nno successor is made yet: that waits for the following");
    append_wait(planned, text);
    for (size_t i = 0; i < p->plan.count; i++) {
        if (planned->wait.reason == KASP_WAIT_CHAIN && i != index &&
            is_in_the_way(&p->plan.keys[i], planned->key->algorithm)) {
            append_wait(&p->plan.keys[i], text);
        }
    }
}

static void tell_waits(const struct preparation *p, struct zone_key_order *order)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_append_text(&text, order->text);
    for (size_t i = 0; i < p->plan.count; i++) {
        const struct signing_key *key = p->plan.keys[i].key;
        bool is_any = order->word.tag == KEEPER_ANY_KEY && key->state.ksk;
        if (!is_any && !(order->word.tag == key->tag && is_meant(order, key))) {
            continue;
        }
        if (order->result == SG_OK) {
            append_roll_waits(p, i, &text);
        } else {
            append_wait(&p->plan.keys[i], &text);
        }
    }
    answer(order, order->result, mem_copy_text(buffer_text(&text)));
    buffer_free(&text);
}

void key_orders_report(struct preparation *p)
{
    for (struct zone_key_order *order = p->orders; order != NULL; order = order->next) {
        bool is_step = order->kind == KEY_ORDER_STEP && order->result == SG_OK;
        char *steps = is_step ? steps_text(p) : NULL;
        if (steps != NULL) {
            answer(order, SG_OK, steps);
        }
        if (order->tells_waits) {
            tell_waits(p, order);
        }
        if (order->kind == KEY_ORDER_STATUS) {
            mem_free(order->status);
            order->status = status_of(p);
        }
    }
}

void key_orders_refuse(struct preparation *p, const char *why)
{
    for (struct zone_key_order *order = p->orders; order != NULL; order = order->next) {
        if (order->kind != KEY_ORDER_STATUS) {
            answer(order, SG_CONFLICT, mem_copy_text(why));
            order->tells_waits = false;
        }
    }
    key_orders_report(p);
    for (struct zone_key_order *order = p->orders; order != NULL; order = order->next) {
        if (order->kind == KEY_ORDER_STATUS) {
            order->status->problem = why;
        }
    }
}

static char *folders_text(const struct preparation *p)
{
    struct buffer text = BUFFER_EMPTY;
    for (size_t i = 0; i < p->paths_count; i++) {
        buffer_format(&text, "%s\n", p->paths[i]);
    }
    char *owned = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return owned;
}

void key_orders_tell_lost(const struct preparation *p)
{
    for (struct zone_key_order *order = p->orders; order != NULL; order = order->next) {
        if (order->kind != KEY_ORDER_STATUS || p->paths_count == 0) {
            continue; /* Without folders nobody has searched. */
        }
        mem_free(order->status);
        order->status = status_of(p);
        order->status->lost_count = key_search_lost(p, true, order->status->lost);
        answer(order, SG_OK, folders_text(p));
        order->status->searched = order->text;
    }
}

/* ---- the keeper ---- */

struct zone_key_order *key_orders_take(struct zone_key_order **orders, enum key_order_kind kind)
{
    struct zone_key_order *taken = NULL;
    struct zone_key_order **last = &taken;
    for (struct zone_key_order **at = orders; *at != NULL;) {
        struct zone_key_order *order = *at;
        if (order->kind != kind) {
            at = &order->next;
            continue;
        }
        *at = order->next;
        order->next = NULL;
        *last = order;
        last = &order->next;
    }
    return taken;
}

static void tell(struct zone_key_order *order, const char *problem)
{
    if (order->kind == KEY_ORDER_STATUS) {
        struct keeper_keys_status *status = order->status;
        bool some_are_lost = status != NULL && status->lost_count > 0;
        if (some_are_lost) {
            status->problem = problem;
        }
        order->status_done(order->argument, problem == NULL || some_are_lost ? status : NULL,
                           problem != NULL ? problem : "");
    } else {
        order->done(order->argument, problem == NULL ? order->result : SG_CONFLICT,
                    problem != NULL       ? problem
                    : order->text != NULL ? order->text
                                          : "");
    }
}

void key_orders_tell(struct zone_key_order *orders, const char *problem)
{
    while (orders != NULL) {
        struct zone_key_order *next = orders->next;
        tell(orders, problem);
        mem_free(orders->text);
        mem_free(orders->status);
        mem_free(orders);
        orders = next;
    }
}

static enum sg_result add(struct keeper *keeper, struct managed_zone *zone,
                          const struct zone_key_order *order)
{
    thread_assert(THREAD_KEEPER);
    if (zone->settings->policy == NULL) {
        return SG_UNSUPPORTED;
    }
    if (keeper->stopping || zone->gone || zone_record_version(zone) == NULL) {
        return SG_CANCELLED;
    }
    if (zone->ledger.lost) {
        return SG_IO; /* No look is made until what the store has of it can be read. */
    }
    struct zone_key_order **last = &zone->known.orders;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = mem_alloc_zero(1, sizeof(**last));
    **last = *order;
    if (order->kind != KEY_ORDER_STATUS) {
        answer(*last, SG_CONFLICT,
               mem_copy_text("the keys could not be looked at now: `zonestatus` says why"));
    }
    keeper_wish_keys(keeper, zone, false);
    return SG_OK;
}

enum sg_result keeper_look_at_keys(struct keeper *keeper, struct managed_zone *zone, bool sign_all,
                                   keys_order_done *done, void *argument)
{
    const struct zone_key_order order = {
        .kind = KEY_ORDER_LOOK, .done = done, .argument = argument};
    enum sg_result result = add(keeper, zone, &order);
    return result == SG_OK ? keeper_loadkeys(keeper, zone, sign_all) : result;
}

enum sg_result keeper_note_ds(struct keeper *keeper, struct managed_zone *zone,
                              const struct keeper_key_word *word, keys_order_done *done,
                              void *argument)
{
    const struct zone_key_order order = {
        .kind = KEY_ORDER_DS, .word = *word, .done = done, .argument = argument};
    return add(keeper, zone, &order);
}

enum sg_result keeper_rollover(struct keeper *keeper, struct managed_zone *zone,
                               const struct keeper_key_word *word, keys_order_done *done,
                               void *argument)
{
    const struct zone_key_order order = {
        .kind = KEY_ORDER_ROLL, .word = *word, .done = done, .argument = argument};
    return add(keeper, zone, &order);
}

enum sg_result keeper_step(struct keeper *keeper, struct managed_zone *zone, keys_order_done *done,
                           void *argument)
{
    const struct zone_key_order order = {
        .kind = KEY_ORDER_STEP, .done = done, .argument = argument};
    return add(keeper, zone, &order);
}

enum sg_result keeper_clear_progress(struct keeper *keeper, struct managed_zone *zone,
                                     const struct keeper_key_word *word, keys_order_done *done,
                                     void *argument)
{
    const struct zone_key_order order = {
        .kind = KEY_ORDER_CLEAR, .word = *word, .done = done, .argument = argument};
    return add(keeper, zone, &order);
}

enum sg_result keeper_keys_status(struct keeper *keeper, struct managed_zone *zone,
                                  keys_status_done *done, void *argument)
{
    const struct zone_key_order order = {
        .kind = KEY_ORDER_STATUS, .status_done = done, .argument = argument};
    return add(keeper, zone, &order);
}
