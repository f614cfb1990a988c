#include "keeper/overtake.h"

#include "base/log.h"
#include "base/mem.h"
#include "dns/request.h"
#include "dns/serial.h"
#include "keeper/notifying.h"
#include "keeper/remote_text.h"

enum {
    ASK_TIMEOUT = 3,
    ASK_TRIES = 2,
    ASKED_MAX = 16,   /* of a zone's secondaries */
    AGAIN_FIRST = 15, /* after the first silence, then twice as long each time */
    AGAIN_MOST = 3600,
    GIVEN_UP = 7 * 86400,
    FAR_AHEAD = 1 << 30,   /* a serial that is farther above ours is not overtaken */
    ASKS_PER_SECOND = 100, /* of all zones: a restored store may have very many */
};

/* One secondary that has not said yet what it has. */
struct overtake {
    struct heap_node due;          /* first member; in the heap unless it is being asked */
    struct overtake *next, **back; /* of the keeper's */
    struct keeper *keeper;
    struct managed_zone *zone;
    struct remote remote;
    void *asked; /* the question that is out; NULL: none */
    sg_time began_at;
    unsigned silences;
    bool is_unlisted; /* stands for those whom nobody here knows: asked never, given up in time */
};

/* When all is heard and overtaken, that is committed: the next start has nobody to ask. */
static void settle(struct managed_zone *zone)
{
    struct zone_ledger *ledger = &zone->ledger;
    if (ledger->unheard > 0 || ledger->overtaken != 0) {
        return;
    }
    ledger->unheard_since = 0;
    if (zone->known.state.unheard_since != 0 && ledger->id != 0) {
        zone->wishes.state = true;
        keeper_enqueue(zone->keeper, zone);
    }
}

static void end(struct overtake *overtake)
{
    struct managed_zone *zone = overtake->zone;
    struct zone_ledger *ledger = &zone->ledger;
    heap_remove(&overtake->keeper->overtakes_due, &overtake->due);
    *overtake->back = overtake->next;
    if (overtake->next != NULL) {
        overtake->next->back = overtake->back;
    }
    ledger->unlisted -= overtake->is_unlisted;
    if (--ledger->unheard == 0) {
        ledger->doubted = false;
        settle(zone);
    }
    mem_free(overtake);
}

/* The serial of a secondary that is not signed here is its primaries'. */
static bool is_serial_ours(const struct managed_zone *zone, const struct zone_version *version)
{
    return zone->settings->type == ZONE_PRIMARY ||
           (zone->settings->policy != NULL && version != NULL &&
            zone_version_facts(version)->signed_here);
}

/* Is there a difference from that serial of ours? */
static bool leads_from(const struct managed_zone *zone, uint32_t serial, uint32_t ours)
{
    static const struct zone_history_link *links[ZONE_HISTORY_LINKS_MAX];
    size_t count =
        zone_history_collect(&zone->slot->history, serial, ours, links, ARRAY_LEN(links));
    for (size_t i = 0; i < count; i++) {
        zone_history_unref(links[i]);
    }
    return count > 0;
}

/* Who says so is mistaken or lies: it would cost most of the serials that are left. */
static bool is_far(const struct overtake *overtake, uint32_t theirs, uint32_t ours)
{
    char label[ZONE_LABEL_BYTES];
    char from[REMOTE_TEXT_BYTES];
    if (serial_compare(theirs, ours) <= 0 || theirs - ours <= FAR_AHEAD) {
        return false;
    }
    remote_text(&overtake->remote, from);
    log_write(LOG_ZONE, SEVERITY_ERROR,
              "zone %s: secondary %s has serial %u, so far above ours (%u) that it is not believed "
              "and takes no change of ours; have it transfer the zone whole, or, if all "
              "secondaries are there, raise ours: signing -serial",
              zone_label(overtake->zone->settings, label), from, theirs, ours);
    return true;
}

/*
 * What the secondary has under that serial is not what we have made under it since: a difference
 * that leads on from there would make a zone of it that nobody has signed. So the version that is
 * above both is told whole.
 */
static void take_serial(struct overtake *overtake, uint32_t theirs)
{
    struct managed_zone *zone = overtake->zone;
    const struct zone_version *version = zone_record_version(zone);
    uint32_t *above = &zone->wishes.serial_above, *overtaken = &zone->ledger.overtaken;
    char label[ZONE_LABEL_BYTES];
    char from[REMOTE_TEXT_BYTES];
    if (version == NULL || !is_serial_ours(zone, version)) {
        return;
    }
    uint32_t ours = zone_version_facts(version)->serial;
    int order = serial_compare(theirs, ours);
    bool is_passed = order < 0 && leads_from(zone, theirs, ours);
    if ((order < 0 && !is_passed) || is_far(overtake, theirs, ours)) {
        return;
    }
    uint32_t highest = is_passed ? ours : theirs;
    if (*overtaken == 0 || serial_compare(highest, *overtaken) > 0) {
        *overtaken = highest;
    }
    zone_history_be_ambiguous(&zone->slot->history);
    /* One that was silent when we began may have got ours since: no change is made for its sake,
     * but the next one is told whole. */
    bool may_be_ours = order == 0 && overtake->silences > 0;
    if (may_be_ours && zone->ledger.id != 0) {
        zone->wishes.state = true; /* That doubt has to outlive a restart. */
        keeper_enqueue(overtake->keeper, zone);
    }
    if (may_be_ours || (*above != 0 && serial_compare(highest, *above) <= 0)) {
        return;
    }
    remote_text(&overtake->remote, from);
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: secondary %s has serial %u, which the store does not know of; ours is "
              "raised above it",
              zone_label(zone->settings, label), from, theirs);
    *above = highest;
    keeper_enqueue(overtake->keeper, zone);
}

static void be_silent(struct overtake *overtake)
{
    struct keeper *keeper = overtake->keeper;
    char label[ZONE_LABEL_BYTES];
    char from[REMOTE_TEXT_BYTES];
    if (keeper->now - overtake->began_at >= GIVEN_UP) {
        remote_text(&overtake->remote, from);
        log_write(LOG_ZONE, SEVERITY_WARNING,
                  "zone %s: secondary %s was not heard for a week and is asked for its serial no "
                  "more; if it comes back with one above ours, raise ours: signing -serial",
                  zone_label(overtake->zone->settings, label), from);
        end(overtake);
        return;
    }
    sg_duration wait = overtake->silences < 8 ? AGAIN_FIRST << overtake->silences : AGAIN_MOST;
    overtake->silences++;
    heap_put(&keeper->overtakes_due, &overtake->due, keeper->now + wait);
}

/* Whoever answers with a serial has said it; whoever does not serve the zone has none. One that is
 * silent, or where it has expired, may have it all the same. */
static bool hear(void *argument, const struct keeper_heard *heard)
{
    struct overtake *overtake = argument;
    struct dns_message message;
    struct dns_soa soa;
    overtake->asked = NULL;
    if (heard->result != SG_OK || dns_message_parse(heard->message, &message) != SG_OK ||
        dns_reply_rcode(&message) == DNS_RCODE_SERVFAIL) {
        be_silent(overtake);
        return false;
    }
    if ((message.flags & DNS_FLAG_AA) != 0 && dns_reply_soa(&message, &soa) == SG_OK) {
        take_serial(overtake, soa.serial);
    }
    end(overtake);
    return false;
}

static void ask(struct keeper *keeper, struct overtake *overtake)
{
    const struct keeper_asker *asker = &keeper->io.asker;
    const struct zone_settings *settings = overtake->zone->settings;
    const struct dns_request_zone about = {.apex = &settings->apex, .rrclass = settings->rrclass};
    const struct dns_request_edns edns = {0, false};
    struct dns_request request;
    dns_request_query(&about, DNS_TYPE_SOA, &edns, &request);
    const struct keeper_question question = {
        .kind = KEEPER_QUESTION_SERIAL,
        .remote = &overtake->remote,
        .access = settings->access,
        .message = {request.bytes, request.length},
        .udp_tries = ASK_TRIES,
        .timeout = ASK_TIMEOUT,
    };
    heap_remove(&keeper->overtakes_due, &overtake->due);
    overtake->asked = asker->ask(asker->argument, &question, hear, overtake);
    if (overtake->asked == NULL) {
        be_silent(overtake);
    }
}

/* Keys and origins of a list go with their configuration: the remote is looked for anew. */
static bool find_remote(struct overtake *overtake)
{
    struct notify_targets targets;
    bool found = false;
    if (!notifying_targets(overtake->keeper, overtake->zone, &targets)) {
        return false;
    }
    for (size_t i = 0; i < targets.count && !found; i++) {
        if (remote_equal(&targets.remotes[i], &overtake->remote)) {
            overtake->remote = targets.remotes[i];
            found = true;
        }
    }
    notify_targets_clear(&targets);
    return found;
}

sg_time overtake_turn(struct keeper *keeper)
{
    struct overtake *overtake;
    while ((overtake = (struct overtake *)heap_first(&keeper->overtakes_due)) != NULL &&
           overtake->due.key <= keeper->now) {
        if (overtake->is_unlisted) {
            end(overtake);
            continue;
        }
        if (overtake->zone->slot->version == NULL) { /* It has expired, and may come back. */
            heap_put(&keeper->overtakes_due, &overtake->due, keeper->now + AGAIN_MOST);
            continue;
        }
        if (!rate_take(&keeper->overtakes_rate, keeper->now)) {
            return keeper->now + 1;
        }
        if (find_remote(overtake)) {
            ask(keeper, overtake);
        } else {
            end(overtake); /* It is no secondary of this zone any more. */
        }
    }
    return overtake == NULL ? INT64_MAX : overtake->due.key;
}

void overtake_clock_set_back(struct keeper *keeper, sg_duration by)
{
    heap_shift(&keeper->overtakes_due, -by);
    for (struct overtake *at = keeper->overtakes; at != NULL; at = at->next) {
        at->began_at -= by;
    }
}

/* One that was asked before the last start may have got ours since, and is given up in time.
 * `remote` NULL: those whom nobody knows. */
static void add(struct keeper *keeper, struct managed_zone *zone, const struct remote *remote)
{
    sg_time since = zone->ledger.unheard_since;
    struct overtake *overtake = mem_alloc_zero(1, sizeof(*overtake));
    *overtake = (struct overtake){.next = keeper->overtakes,
                                  .back = &keeper->overtakes,
                                  .keeper = keeper,
                                  .zone = zone,
                                  .began_at = since,
                                  .silences = since < keeper->now,
                                  .is_unlisted = remote == NULL};
    if (remote != NULL) {
        overtake->remote = *remote;
    }
    if (overtake->next != NULL) {
        overtake->next->back = &overtake->next;
    }
    keeper->overtakes = overtake;
    zone->ledger.unheard++;
    zone->ledger.unlisted += overtake->is_unlisted;
    heap_put(&keeper->overtakes_due, &overtake->due,
             overtake->is_unlisted ? since + GIVEN_UP : keeper->now);
}

bool overtake_is_of_backup(const struct keeper *keeper, const struct zone_state *state)
{
    return keeper->restored != 0 && state->restore != keeper->restored;
}

/* The first commit is made before anybody is asked. */
void overtake_tell_state(struct managed_zone *zone, const struct zone_job *job)
{
    const struct zone_ledger *ledger = &zone->ledger;
    struct zone_state *state = &zone->known.state;
    bool is_ours = zone->settings->type == ZONE_PRIMARY || zone->settings->policy != NULL;
    if (zone_record_version(zone) == NULL && job->kind != ZONE_JOB_RECOVER) {
        state->unheard_since = is_ours && job->store != NULL ? job->now : 0;
        state->unheard_doubted = false;
    } else {
        state->unheard_since = ledger->unheard_since;
        state->unheard_doubted = ledger->unheard_since != 0 && overtake_is_in_doubt(zone);
        if (zone->keeper->restored != 0 && job->kind != ZONE_JOB_RECOVER) {
            state->restore = zone->keeper->restored;
        }
    }
}

/* Nobody can ask them: they have a week to fetch it whole. */
static void wait_for_unlisted(struct keeper *keeper, struct managed_zone *zone)
{
    char label[ZONE_LABEL_BYTES];
    add(keeper, zone, NULL);
    log_write(
        LOG_ZONE, SEVERITY_WARNING,
        "zone %s: it comes from a backup, or from another signer, and not all of its "
        "secondaries are known, or some are bogus, so that they cannot be asked for their serials: "
        "transfers are whole for a week; if one has a serial above %u, raise ours: signing "
        "-serial",
        zone_label(zone->settings, label), zone_version_facts(zone_record_version(zone))->serial);
}

static void ask_all(struct keeper *keeper, struct managed_zone *zone)
{
    struct notify_targets targets = {.count = 0};
    (void)notifying_targets(keeper, zone, &targets);
    for (size_t i = 0; i < targets.count && i < ASKED_MAX; i++) {
        add(keeper, zone, &targets.remotes[i]);
    }
    if (zone->ledger.doubted && (targets.count == 0 || targets.count > ASKED_MAX ||
                                 targets.unknown > 0 || targets.some_bogus || targets.cut_short)) {
        wait_for_unlisted(keeper, zone);
    }
    if (zone->ledger.unheard == 0) {
        zone->ledger.unheard_since = 0; /* The next commit says so, whatever it is for. */
    }
    notify_targets_clear(&targets);
}

void overtake_recovering(struct managed_zone *zone, const struct zone_job *job)
{
    if (zone->keeper->io.asker.ask != NULL && is_serial_ours(zone, job->made.version) &&
        (overtake_is_of_backup(zone->keeper, &job->made.state) ||
         job->made.state.unheard_doubted)) {
        zone->ledger.doubted = true; /* overtake_start() follows. */
        zone_history_be_ambiguous(&zone->slot->history);
    }
}

void overtake_start(struct keeper *keeper, struct managed_zone *zone, enum overtake_origin origin)
{
    struct zone_ledger *ledger = &zone->ledger;
    const struct zone_state *state = &zone->known.state;
    bool is_again = origin == OVERTAKE_RECOVERED && state->unheard_since != 0;
    sg_time before = keeper->now - 1; /* for a quick start, or one that sets the clock back */
    if (keeper->stopping || keeper->io.asker.ask == NULL || ledger->unheard > 0 ||
        !is_serial_ours(zone, zone_record_version(zone))) {
        return;
    }
    keeper->overtakes_rate.per_second = ASKS_PER_SECOND;
    ledger->unheard_since = !is_again                       ? keeper->now
                            : state->unheard_since < before ? state->unheard_since
                                                            : before;
    ledger->doubted = origin == OVERTAKE_RESTORED || state->unheard_doubted;
    if (zone->slot->version != NULL) {
        ask_all(keeper, zone);
    } /* Else it has expired: overtake_revived(). */
    if (overtake_is_in_doubt(zone)) {
        zone_history_be_ambiguous(&zone->slot->history);
    }
}

void overtake_revived(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->ledger.unheard_since != 0 && zone->ledger.unheard == 0 && !keeper->stopping) {
        ask_all(keeper, zone);
    }
}

void overtake_published(struct managed_zone *zone, bool breaks)
{
    struct zone_ledger *ledger = &zone->ledger;
    const struct zone_version *version = zone_record_version(zone);
    if (ledger->overtaken != 0 && breaks &&
        serial_compare(zone_version_facts(version)->serial, ledger->overtaken) > 0) {
        ledger->overtaken = 0;
        zone_history_clear(&zone->slot->history);
        settle(zone);
    }
    if (overtake_is_in_doubt(zone)) {
        zone_history_be_ambiguous(&zone->slot->history);
    }
}

/* What is not recovered, or has only heard of what it has to overtake, would begin anew after a
 * restart. */
static bool is_done(const struct keeper *keeper, const struct managed_zone *zone)
{
    const struct zone_ledger *ledger = &zone->ledger;
    return !ledger->opening && !ledger->lost && ledger->stored == NULL &&
           !opening_is_wanted(keeper, zone) && !overtake_is_in_doubt(zone) &&
           !change_raises_serial(zone);
}

bool overtake_is_done(struct keeper *keeper)
{
    size_t *left = &keeper->overtakes_left;
    if (keeper->overtakes != NULL) {
        return false;
    }
    if (*left < keeper->zones_count && !is_done(keeper, keeper->zones[*left])) {
        return false; /* It is asked every second: the others are not looked at for nothing. */
    }
    for (size_t i = 0; i < keeper->zones_count; i++) {
        if (!is_done(keeper, keeper->zones[i])) {
            *left = i;
            return false;
        }
    }
    return true;
}

static void cancel(struct overtake *overtake)
{
    const struct keeper_asker *asker = &overtake->keeper->io.asker;
    if (overtake->asked != NULL) {
        asker->cancel(asker->argument, overtake->asked);
    }
    end(overtake);
}

void overtake_forget(struct keeper *keeper, const struct managed_zone *zone)
{
    for (struct overtake *at = keeper->overtakes, *next; at != NULL; at = next) {
        next = at->next;
        if (zone == NULL || at->zone == zone) {
            cancel(at);
        }
    }
}
