#include "base/mem.h"
#include "keeper/aside.h"
#include "keeper/key_orders.h"
#include "keeper/secondary.h"

enum { UPDATES_MAX = 256 /* in one change */ };

/* Nothing is served yet; or what is served came signed from elsewhere and is now to be signed
 * here: its file must be read again, without its old signatures. */
static bool must_load(const struct managed_zone *zone)
{
    const struct zone_version *version = zone_record_version(zone);
    const struct kasp_policy *policy = zone->settings->policy;
    if (zone->settings->type != ZONE_PRIMARY || zone->ledger.lost) {
        return false;
    }
    if (version == NULL) {
        return true;
    }
    const struct zone_facts *facts = zone_version_facts(version);
    return policy != NULL && policy->keys_count > 0 && zone->settings->file != NULL &&
           !zone->settings->dynamic && !facts->signed_here && facts->denial != ZONE_DENIAL_NONE;
}

/* A look at the keys is put off while all is signed with those of the last one, but for whoever
 * asks how they are: that look changes nothing. */
static bool keys_are_wished(const struct managed_zone *zone)
{
    return zone->wishes.keys &&
           (!aside_is_busy(zone) || key_orders_have(zone->known.orders, KEY_ORDER_STATUS));
}

/* An inline-signed zone has a serial of its own as soon as it is signed: that of its source is not
 * ours to raise. */
static bool raise_is_wished(const struct managed_zone *zone)
{
    const struct zone_settings *settings = zone->settings;
    const struct zone_version *version = zone_record_version(zone);
    bool is_to_be_signed =
        settings->inline_signing && settings->policy != NULL && settings->policy->keys_count > 0;
    return zone->wishes.serial_above != 0 &&
           (!is_to_be_signed || version == NULL || zone_version_facts(version)->signed_here);
}

static bool others_are_wished(const struct managed_zone *zone)
{
    const struct zone_wishes *wishes = &zone->wishes;
    bool on_version = keys_are_wished(zone) || wishes->resign || wishes->dump || wishes->state ||
                      wishes->look || raise_is_wished(zone);
    if (zone->ledger.lost) {
        /* A commit takes the place of what may be readable again. */
        return wishes->load && wishes->give_up;
    }
    return wishes->load || (on_version && zone_record_version(zone) != NULL);
}

/* Updates and the rest take turns, so that neither starves the other. What was accepted before a
 * freeze is to be in the file that the operator edits, or the thaw would undo it. */
static bool updates_are_next(const struct managed_zone *zone)
{
    const struct zone_wishes *wishes = &zone->wishes;
    return zone->updates.first != NULL && zone->slot->version != NULL &&
           (wishes->freeze || !(others_are_wished(zone) && wishes->others_first));
}

bool change_raises_serial(const struct managed_zone *zone)
{
    return zone->wishes.serial_above != 0 || zone->later.serial_above != 0 ||
           (zone->job != NULL && zone->job->asked.serial_above != 0);
}

bool change_is_wished(const struct managed_zone *zone)
{
    return others_are_wished(zone) || updates_are_next(zone) || zone->ledger.stored != NULL ||
           secondary_has_transfer(zone);
}

bool change_is_possible(const struct managed_zone *zone)
{
    return change_is_wished(zone) || must_load(zone);
}

static struct keeper_update *take_updates(struct managed_zone *zone)
{
    struct zone_updates *updates = &zone->updates;
    struct keeper_update *first = updates->first;
    struct keeper_update **after = &updates->first;
    for (size_t i = 0; i < UPDATES_MAX && *after != NULL; i++) {
        after = &(*after)->next;
        updates->count--;
        updates->at_work++;
    }
    updates->first = *after;
    *after = NULL;
    if (updates->first == NULL) {
        updates->last = &updates->first;
    }
    return first;
}

/* The file of a zone that changes by itself is older than what updates or transfers have brought,
 * but for an operator who has frozen it. */
static bool version_is_preferred(const struct managed_zone *zone)
{
    const struct zone_wishes *wishes = &zone->wishes;
    return zone_changes_by_itself(zone) && zone_record_version(zone) != NULL && !wishes->thaw &&
           !wishes->frozen && !wishes->give_up;
}

/* Keys are read with the file, when they are wished, and by whatever signs without having them. */
bool change_wants_keys(const struct managed_zone *zone)
{
    const struct zone_wishes *wishes = &zone->wishes;
    bool missing = zone->known.keys == NULL;
    bool file_loses = version_is_preferred(zone);
    if (zone->known.keyed || zone->settings->policy == NULL || zone->ledger.stored != NULL ||
        zone->known.orders != NULL) {
        return false; /* The job that carries out orders looks by itself. */
    }
    if (updates_are_next(zone) || secondary_has_transfer(zone)) {
        return missing;
    }
    if ((wishes->load && !file_loses) || must_load(zone)) {
        return wishes->force || wishes->thaw || zone->slot->version == NULL;
    }
    if (wishes->dump) {
        return false;
    }
    return keys_are_wished(zone) || (wishes->load && !aside_is_busy(zone)) ||
           (missing && (wishes->resign || raise_is_wished(zone)));
}

/* Other settings may ask for other keys, though. */
static void prefer_version_to_file(struct managed_zone *zone)
{
    struct zone_wishes *wishes = &zone->wishes;
    if (wishes->load && version_is_preferred(zone)) {
        wishes->load = wishes->force = false;
        wishes->keys = true;
        zone_tell_waiters(&zone->waiters, RELOAD_UP_TO_DATE, "");
    }
}

static void choose_load(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_wishes *wishes = &zone->wishes;
    job->kind = ZONE_JOB_LOAD;
    job->asked.thaw = wishes->thaw;
    job->asked.force = wishes->force || zone->slot->version == NULL;
    job->asked.give_up = wishes->give_up;
    job->asked.keys_wished = wishes->keys;
    job->asked.sign_all = wishes->sign_all;
    job->asked.serial_above = wishes->serial_above;
    wishes->load = wishes->force = wishes->keys = wishes->sign_all = false;
    wishes->thaw = wishes->frozen = wishes->give_up = wishes->look = false;
    wishes->serial_above = 0;
    zone->job_waiters = zone->waiters;
    zone->waiters = NULL;
}

static void choose_dump(struct managed_zone *zone, struct zone_job *job)
{
    job->kind = ZONE_JOB_DUMP;
    job->asked.freeze = zone->wishes.freeze;
    job->asked.clean = zone->wishes.clean;
    job->asked.unasked = zone->dump_waiters == NULL && !zone->wishes.freeze;
    zone->health.file_at = INT64_MAX;
    zone->wishes.dump = zone->wishes.freeze = zone->wishes.clean = false;
    zone->job_waiters = zone->dump_waiters;
    zone->dump_waiters = NULL;
}

static void choose_state(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_wishes *wishes = &zone->wishes;
    bool is_bare = zone_history_oldest_commit(&zone->slot->history) == UINT64_MAX;
    job->kind = ZONE_JOB_STATE;
    job->asked.shorten = wishes->shorten && is_bare && !wishes->clean;
    job->asked.clean = wishes->clean || job->asked.shorten;
    zone->ledger.aged |= wishes->shorten && !is_bare; /* A change came first, and is to be told. */
    wishes->state = wishes->clean = wishes->shorten = false;
    if (job->asked.clean) { /* They wait for that, since no dump is wished. */
        zone->job_waiters = zone->dump_waiters;
        zone->dump_waiters = NULL;
    }
}

static void choose_keys(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_wishes *wishes = &zone->wishes;
    job->kind = ZONE_JOB_KEYS;
    if (aside_is_busy(zone)) { /* What else is wished has its turn when that is done. */
        job->asked.orders = key_orders_take(&zone->known.orders, KEY_ORDER_STATUS);
        return;
    }
    job->asked.sign_all = wishes->sign_all;
    job->asked.orders = zone->known.orders;
    zone->known.orders = NULL;
    wishes->keys = wishes->sign_all = false;
}

static void choose_kind(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_wishes *wishes = &zone->wishes;
    bool updates_next = updates_are_next(zone);
    wishes->others_first = false;
    if (zone->ledger.stored != NULL) {
        job->kind = ZONE_JOB_RECOVER;
        job->asked.stored = zone->ledger.stored;
        zone->ledger.stored = NULL;
        return;
    }
    prefer_version_to_file(zone);
    if (updates_next) {
        job->kind = ZONE_JOB_UPDATE;
        job->asked.updates = take_updates(zone);
        wishes->others_first = true;
    } else if (secondary_has_transfer(zone)) {
        job->kind = ZONE_JOB_TRANSFER;
        job->asked.transfer = secondary_take_transfer(zone);
    } else if (wishes->load || must_load(zone)) {
        choose_load(zone, job);
    } else if (wishes->dump) {
        choose_dump(zone, job);
    } else if (keys_are_wished(zone)) {
        choose_keys(zone, job);
    } else if (wishes->resign) {
        job->kind = ZONE_JOB_RESIGN;
        wishes->resign = false;
    } else if (raise_is_wished(zone)) {
        job->kind = ZONE_JOB_RAISE;
        job->asked.serial_above = wishes->serial_above;
        wishes->serial_above = 0;
    } else if (wishes->state) {
        choose_state(zone, job);
    } else {
        /* Else there is nothing left of a load whose file does not count, but its wish of keys. */
        ASSERT(wishes->look || aside_is_busy(zone)); /* change_is_possible() */
        job->kind = ZONE_JOB_LOOK;
        wishes->look = false;
    }
}

void change_choose(struct managed_zone *zone, struct zone_job *job)
{
    choose_kind(zone, job);
    bool is_anew = job->kind == ZONE_JOB_LOAD || job->kind == ZONE_JOB_TRANSFER;
    if (is_anew && zone->ledger.lost_serial != 0) {
        /* Secondaries may have what the store has lost. */
        job->asked.serial_above =
            zone_greater_floor(job->asked.serial_above, zone->ledger.lost_serial);
    }
}
