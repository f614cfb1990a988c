#include "keeper/zone_parent.h"

#include "base/log.h"
#include "base/mem.h"
#include "keeper/parent_telling.h"
#include "keeper/trust.h"

struct zone_parent {
    struct keeper *keeper;
    struct managed_zone *zone;
    struct ds_watch *watch;
    struct parent_telling *telling; /* NULL: nobody is told */
    sg_time wake;                   /* of the two */
    bool has_reserved;              /* `wake` is a second of the keeper's rate */
    bool was_dropped;               /* something was seen while the clock was in doubt */
};

/* --- words for the log ---------------------------------------------------------------------- */

static void say(const struct managed_zone *zone, int severity, const char *text)
{
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_DNSSEC, severity, "zone %s: %s", zone_label(zone->settings, label), text);
}

/* "example.test/ECDSAP256SHA256/5915", as other lines have it. */
static void key_text(const struct managed_zone *zone, const struct ds_check_fact *fact,
                     struct buffer *out_text)
{
    char apex[DNS_NAME_TEXT_BYTES];
    size_t length = strlen(dns_name_to_text(&zone->slot->apex, apex));
    length -= length > 1; /* without the last dot, but that of the root */
    buffer_format(out_text, "%.*s/%s/%u", (int)length, apex, dnssec_algorithm_text(fact->algorithm),
                  fact->tag);
}

static void say_fact(const struct managed_zone *zone, const struct ds_check_fact *fact)
{
    bool published = fact->what == DS_CHECK_PUBLISHED;
    bool turned_back = fact->what != fact->want && fact->first == fact->at;
    struct buffer text = BUFFER_EMPTY;
    char when[TIME_HUMAN_BYTES];
    bool known = fact->noted && fact->first != fact->at;
    if (fact->what != fact->want ? !turned_back : known) {
        return;
    }
    time_to_http(fact->at, when);
    /* Scripts look for the words of the first, which are BIND's. */
    buffer_append_text(&text, turned_back ? "the parent has turned back: the DS of key "
                                          : "keymgr: checkds DS for key ");
    key_text(zone, fact, &text);
    if (turned_back) {
        buffer_format(&text, ", which is to be %s, was", published ? "withdrawn" : "published");
    }
    buffer_format(&text, " seen %s at %s", published ? "published" : "withdrawn", when);
    say(zone, turned_back ? SEVERITY_WARNING : SEVERITY_NOTICE, buffer_text(&text));
    buffer_free(&text);
}

static void say_line(void *argument, const char *text)
{
    say(argument, SEVERITY_WARNING, text);
}

void zone_parent_describe(const struct managed_zone *zone,
                          void (*line)(void *argument, const char *text), void *argument)
{
    if (zone->parent != NULL) {
        ds_watch_describe(zone->parent->watch, line, argument);
    }
    if (zone->parent != NULL && zone->parent->telling != NULL) {
        parent_telling_describe(zone->parent->telling, line, argument);
    }
}

/* --- turns ---------------------------------------------------------------------------------- */

static void arm(struct zone_parent *parent, sg_time wake)
{
    parent->wake = wake;
    parent->has_reserved = false;
}

static void turn(struct zone_parent *parent)
{
    struct keeper *keeper = parent->keeper;
    if (parent->wake > keeper->now) {
        return;
    }
    /* All zones may have been told of their parents at the same time. */
    sg_time at = parent->has_reserved ? keeper->now : rate_reserve(&keeper->parents, keeper->now);
    if (at > keeper->now) {
        parent->wake = at;
        parent->has_reserved = true;
        return;
    }
    sg_time wake = ds_watch_turn(parent->watch);
    if (parent->telling != NULL) {
        /* What is to come must be there before the command for what goes is run. */
        sg_time tell_at =
            parent_telling_turn(parent->telling, ds_watch_lets_withdraw(parent->watch));
        wake = tell_at < wake ? tell_at : wake;
    }
    arm(parent, wake > keeper->now ? wake : keeper->now + 1);
}

void zone_parent_turn(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_parent *parent = zone->parent;
    if (parent == NULL || keeper->stopping) {
        return;
    }
    turn(parent);
    if (ds_watch_warns(parent->watch)) {
        zone_parent_describe(zone, say_line, zone);
    }
    keeper_set_timer(keeper, zone);
}

sg_time zone_parent_wake(const struct managed_zone *zone)
{
    const struct zone_parent *parent = zone->parent;
    if (parent == NULL) {
        return INT64_MAX;
    }
    sg_time warn_at = ds_watch_warn_at(parent->watch);
    return parent->wake < warn_at ? parent->wake : warn_at;
}

static bool is_clock_believed(const struct managed_zone *zone)
{
    return trust_of_zone(zone) == CLOCK_TRUSTED && !zone->known.trusts_anew;
}

static void take_facts(void *argument, const struct ds_check_fact *facts, size_t count)
{
    struct zone_parent *parent = argument;
    struct zone_ds_look looks[DS_CHECK_KEYS_MAX];
    parent->was_dropped |= !is_clock_believed(parent->zone); /* Such looks are nothing. */
    for (size_t i = 0; i < count; i++) {
        bool published = facts[i].what == DS_CHECK_PUBLISHED;
        say_fact(parent->zone, &facts[i]);
        looks[i] = (struct zone_ds_look){
            .tag = facts[i].tag,
            .algorithm = facts[i].algorithm,
            .sighting = published ? KASP_DS_SEEN : KASP_DS_MISSING,
            .first = facts[i].first,
            .last = facts[i].at,
            .ttl = published ? facts[i].ttl : 0,
        };
    }
    zone_facts_note_ds(parent->keeper, parent->zone, looks, count);
}

static void stir(void *argument)
{
    struct zone_parent *parent = argument;
    arm(parent, parent->keeper->now);
    zone_parent_turn(parent->keeper, parent->zone);
}

/* --- proofs ---------------------------------------------------------------------------------- */

static void submit(void *argument, struct job *job)
{
    struct keeper *keeper = argument;
    job->reply = keeper->io.mailbox;
    keeper->jobs++;
    worker_pool_submit(keeper->io.pool, WORK_SOON, job);
}

static void say_doubt(void *argument, const char *text)
{
    const struct zone_parent *parent = argument;
    say(parent->zone, SEVERITY_WARNING, text);
}

/* --- a zone's parent, from its first wish to its end ---------------------------------------- */

static struct ds_watch_of watch_of(struct zone_parent *parent)
{
    struct managed_zone *zone = parent->zone;
    return (struct ds_watch_of){
        .apex = &zone->slot->apex,
        .rrclass = zone->slot->rrclass,
        .access = zone->settings->access,
        .asker = &parent->keeper->io.asker,
        .prover = {submit, parent->keeper},
        .now = &parent->keeper->now,
        .found = take_facts,
        .stirred = stir,
        .doubted = say_doubt,
        .argument = parent,
        .seed = zone->slot->id ^ random_seeded_below(&parent->keeper->refresh.random, UINT32_MAX),
    };
}

/* A zone that is not in the newest configuration may have a job that is still to come back. */
static bool is_configured(const struct keeper *keeper, const struct managed_zone *zone)
{
    const struct zone_settings *settings = zone->settings;
    return zone_index_find(&keeper->index, &settings->apex, settings->rrclass, settings->view) ==
           zone;
}

static bool has_parent(const struct managed_zone *zone)
{
    return zone->settings->policy != NULL && zone->settings->parent != NULL;
}

static void begin_telling(struct zone_parent *parent)
{
    if (parent->zone->settings->telling != NULL) {
        parent->telling = parent_telling_new(parent->keeper, parent->zone, stir, parent);
    }
}

static void begin(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_parent *parent = mem_alloc_zero(1, sizeof(*parent));
    parent->keeper = keeper;
    parent->zone = zone;
    const struct ds_watch_of of = watch_of(parent);
    parent->watch = ds_watch_new(&of, zone->settings->parent);
    zone->parent = parent;
    begin_telling(parent);
}

/* Has the parent done it, as far as the key remembers? Its own time says when that was noted. */
static bool was_noted(const struct ds_check_wish *wish)
{
    const struct signing_key *key = wish->key;
    bool published = wish->want == DS_CHECK_PUBLISHED;
    enum key_state_value ds = key->state.records[KEY_RECORD_DS];
    if (ds == KEY_STATE_OMNIPRESENT || ds == KEY_STATE_HIDDEN) {
        return published == (ds == KEY_STATE_OMNIPRESENT);
    }
    enum key_state_value begun = published ? KEY_STATE_RUMOURED : KEY_STATE_UNRETENTIVE;
    return ds == begun && key->times[published ? KEY_DS_PUBLISH : KEY_DS_REMOVED] != KEY_TIME_UNSET;
}

/* Keys that came without states have those that their times allow: nobody may have seen a DS. */
static bool is_guessed(const struct ds_check_wish *wish)
{
    return wish->want == DS_CHECK_PUBLISHED &&
           wish->key->state.records[KEY_RECORD_DS] == KEY_STATE_OMNIPRESENT &&
           wish->key->times[KEY_DS_PUBLISH] == KEY_TIME_UNSET;
}

void zone_parent_want(struct keeper *keeper, struct managed_zone *zone,
                      const struct ds_check_wish *wishes, size_t count)
{
    if (zone->parent == NULL) {
        if (count == 0 || !has_parent(zone) || keeper->stopping || !is_configured(keeper, zone)) {
            return;
        }
        begin(keeper, zone);
    }
    struct ds_check_wish noted[DS_CHECK_KEYS_MAX];
    count = count < DS_CHECK_KEYS_MAX ? count : DS_CHECK_KEYS_MAX;
    for (size_t i = 0; i < count; i++) {
        noted[i] = wishes[i];
        noted[i].noted |= was_noted(&wishes[i]);
        noted[i].guessed = noted[i].noted && is_guessed(&wishes[i]);
    }
    if (zone->parent->was_dropped && is_clock_believed(zone)) {
        zone->parent->was_dropped = false;
        ds_watch_forget(zone->parent->watch);
    }
    ds_watch_want(zone->parent->watch, noted, count);
    if (zone->parent->telling != NULL) {
        parent_telling_want(zone->parent->telling, noted, count);
    }
    /* Not now: a fact may have led here, in the midst of the watch's turn. A place in the line is
     * kept, unless it was taken by a clock that was a day ahead. */
    if (!zone->parent->has_reserved || zone->parent->wake > keeper->now + SG_DAY) {
        arm(zone->parent, keeper->now);
    }
    keeper_set_timer(keeper, zone);
}

static void adopt_telling(struct keeper *keeper, struct zone_parent *parent)
{
    if (parent->telling != NULL && parent->zone->settings->telling != NULL) {
        parent_telling_adopt(parent->telling);
        return;
    }
    parent_telling_free(parent->telling);
    parent->telling = NULL;
    begin_telling(parent);
    if (parent->telling != NULL) {
        keeper_wish_keys(keeper, parent->zone, false); /* They say what is to be told. */
    }
}

void zone_parent_adopt(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_parent *parent = zone->parent;
    if (parent == NULL) {
        return;
    }
    if (!has_parent(zone)) {
        zone_parent_end(zone);
        return;
    }
    const struct ds_watch_of of = watch_of(parent);
    ds_watch_configure(parent->watch, &of, zone->settings->parent);
    adopt_telling(keeper, parent);
    arm(parent, keeper->now);
    keeper_set_timer(keeper, zone);
}

void zone_parent_demand(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->parent != NULL) {
        ds_watch_demand(zone->parent->watch);
        arm(zone->parent, keeper->now);
        keeper_set_timer(keeper, zone);
    }
}

void zone_parent_encode(struct managed_zone *zone)
{
    if (zone->parent != NULL && zone->parent->telling != NULL) {
        parent_telling_encode(zone->parent->telling);
    }
}

bool zone_parent_is_waiting(const struct managed_zone *zone)
{
    return zone->parent != NULL && ds_watch_is_waiting(zone->parent->watch);
}

void zone_parent_end(struct managed_zone *zone)
{
    if (zone->parent != NULL) {
        ds_watch_free(zone->parent->watch);
        parent_telling_free(zone->parent->telling);
        mem_free(zone->parent);
        zone->parent = NULL;
    }
}
