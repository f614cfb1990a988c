#include "keeper/secondary.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "keeper/expiry.h"
#include "keeper/notifying.h"
#include "keeper/overtake.h"
#include "keeper/publish.h"
#include "keeper/refresh_request.h"
#include "keeper/refresh_words.h"
#include "keeper/remote_text.h"
#include "keeper/source_wish.h"
#include "keeper/transfer_rate.h"

enum {
    ASK_TIMEOUT = 5,
    ASK_TRIES = 2,
    CONNECT_TIMEOUT = 15,
    FILE_DELAY = 5,      /* after a transfer: others may follow at once */
    FILE_INTERVAL = 300, /* Its file is whole each time, however small the change. */
};

struct zone_secondary {
    struct keeper *keeper;
    struct managed_zone *zone;
    struct refresh *refresh;
    void *asked;                    /* a question that is out; NULL: none */
    struct zone_transfer *incoming; /* while it comes */
    struct zone_transfer *ready;    /* whole, for the pipeline */
    bool stripped;                  /* either of them: as the settings were when it began */
    char from[REMOTE_TEXT_BYTES];   /* of whom the last question was asked */
    char *key;                      /* with which TSIG key; NULL: none */
    char *failure;                  /* why the last one was of no use; NULL: it was of use */
    uint64_t began_ns;
    struct transfer_rate rate;
};

/* --- words for the log ---------------------------------------------------------------------- */

static void say(const struct zone_secondary *secondary, int severity, const char *what,
                const char *rest)
{
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_XFER_IN, severity, "zone %s: refresh: %s%s",
              zone_label(secondary->zone->settings, label), what, rest);
}

/* Takes the text, which zonestatus shows until a primary was of use. NULL: one was. */
static void keep_failure(struct zone_secondary *secondary, char *text)
{
    mem_free(secondary->failure);
    secondary->failure = text;
}

/* With the primary that was asked last. */
static char *failure_text(const struct zone_secondary *secondary, struct refresh_failure failure)
{
    failure.from = secondary->from;
    failure.key = secondary->key;
    return refresh_failure_text(&failure);
}

/* Takes `failure`, which counts where the verdict says that it failed. */
static void say_verdict(struct zone_secondary *secondary, enum refresh_verdict verdict,
                        char *failure)
{
    const struct refresh_settings *settings = secondary->zone->settings->refresh;
    switch (verdict) {
    case REFRESH_NEXT:
    case REFRESH_FAILED:
        keep_failure(secondary, failure);
        say(secondary, SEVERITY_WARNING, failure,
            verdict == REFRESH_NEXT ? "; the next primary is asked"
                                    : "; no primary is left, it is tried again later");
        return;
    case REFRESH_SPARED:
        keep_failure(secondary, NULL);
        say(secondary, SEVERITY_INFO, failure, "; another primary has our serial");
        break;
    case REFRESH_OLDER:
        keep_failure(secondary, NULL);
        if (settings == NULL || !settings->multi_primary) {
            say(secondary, SEVERITY_INFO, "an older serial than ours has primary ",
                secondary->from);
        }
        break;
    case REFRESH_CURRENT:
    case REFRESH_EQUAL:
        keep_failure(secondary, NULL);
        say(secondary, SEVERITY_DEBUG, "up to date with primary ", secondary->from);
        break;
    default:
        break;
    }
    mem_free(failure);
}

/* --- asking --------------------------------------------------------------------------------- */

/* The serial that its primaries gave it; 0: there is none. */
static uint32_t own_serial(const struct zone_secondary *secondary)
{
    struct dns_rrset rrset;
    struct dns_soa soa;
    return refresh_source_soa(zone_record_version(secondary->zone), &rrset, &soa) ? soa.serial : 0;
}

/* What the refresh has just learnt outlives a restart. */
static void keep_timers(struct zone_secondary *secondary)
{
    if (zone_record_version(secondary->zone) == NULL) {
        return; /* Times are kept beside a version. */
    }
    secondary->zone->wishes.state = true;
    keeper_enqueue(secondary->keeper, secondary->zone);
}

static void take_reply(struct zone_secondary *secondary, const struct refresh_reply *reply)
{
    enum refresh_verdict verdict =
        refresh_replied(secondary->refresh, reply, secondary->keeper->now);
    say_verdict(secondary, verdict,
                failure_text(secondary, (struct refresh_failure){
                                            .result = reply->result,
                                            .rcode = reply->rcode,
                                            .truncated = reply->truncated,
                                            .authoritative = reply->authoritative,
                                            .has_soa = reply->has_soa,
                                            .serial = reply->serial,
                                            .ours = own_serial(secondary),
                                        }));
    /* Once, at the end of the walk that has heard of one. */
    bool is_over = !refresh_is_busy(secondary->refresh) && verdict != REFRESH_FAILED;
    if (verdict == REFRESH_CURRENT || is_over) {
        keep_timers(secondary);
    }
    secondary_turn(secondary->keeper, secondary->zone);
}

static bool hear_soa(void *argument, const struct keeper_heard *heard)
{
    struct zone_secondary *secondary = argument;
    struct refresh_reply reply = {.result = heard->result};
    struct dns_message message;
    secondary->asked = NULL;
    if (heard->result == SG_OK) {
        reply.result = dns_message_parse(heard->message, &message);
        if (reply.result == SG_OK) {
            refresh_reply_read(&message, &reply);
        }
    }
    take_reply(secondary, &reply);
    return false;
}

static bool ask(struct zone_secondary *secondary, const struct keeper_question *question,
                keeper_hear *hear)
{
    const struct keeper_asker *asker = &secondary->keeper->io.asker;
    char key[DNS_NAME_TEXT_BYTES];
    remote_text(question->remote, secondary->from);
    mem_free(secondary->key);
    secondary->key = question->remote->key == NULL
                         ? NULL
                         : mem_copy_text(dns_name_to_text_short(&question->remote->key->name, key));
    secondary->asked =
        asker->ask == NULL ? NULL : asker->ask(asker->argument, question, hear, secondary);
    return secondary->asked != NULL;
}

static void ask_soa(struct zone_secondary *secondary, const struct refresh_order *order)
{
    const struct zone_settings *settings = secondary->zone->settings;
    struct dns_request request;
    refresh_request_soa(settings, order, &request);
    const struct keeper_question question = {
        .kind = KEEPER_QUESTION_SOA,
        .remote = &order->primary->remote,
        .access = settings->access,
        .message = {request.bytes, request.length},
        .tcp = order->tcp,
        .udp_tries = ASK_TRIES,
        .timeout = ASK_TIMEOUT,
        .idle_timeout = CONNECT_TIMEOUT,
        .total_timeout = CONNECT_TIMEOUT,
    };
    if (!ask(secondary, &question, hear_soa)) {
        const struct refresh_reply reply = {.result = refresh_request_unasked(order)};
        say_verdict(secondary, refresh_replied(secondary->refresh, &reply, secondary->keeper->now),
                    failure_text(secondary, (struct refresh_failure){.result = reply.result}));
    }
}

/* --- fetching ------------------------------------------------------------------------------- */

static void log_transfer(const struct zone_secondary *secondary, const char *how, bool completed,
                         uint32_t serial)
{
    struct zone_transfer_totals totals = zone_transfer_totals(secondary->incoming);
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_XFER_IN, completed ? SEVERITY_INFO : SEVERITY_ERROR,
              "transfer of '%s' from %s: %s: %llu messages, %llu records, %llu bytes, %llu ms "
              "(serial %u)",
              zone_label(secondary->zone->settings, label), secondary->from, how,
              (unsigned long long)totals.messages, (unsigned long long)totals.records,
              (unsigned long long)totals.bytes,
              (unsigned long long)((time_monotonic_ns() - secondary->began_ns) / 1000000), serial);
}

static void end_fetch(struct zone_secondary *secondary, enum sg_result result,
                      const struct dns_message *first)
{
    struct refresh_transfer transfer = {.result = result};
    secondary->asked = NULL;
    if (result == SG_OK) {
        transfer.serial = zone_transfer_serial(secondary->incoming);
        if (zone_transfer_kind(secondary->incoming) == ZONE_TRANSFER_CURRENT) {
            transfer.result = SG_EXISTS;
        }
    }
    transfer.has_expire = first != NULL && dns_reply_expire(first, &transfer.expire) == SG_OK;
    enum refresh_verdict verdict =
        refresh_transferred(secondary->refresh, &transfer, secondary->keeper->now);
    bool of_no_use = verdict == REFRESH_NEXT || verdict == REFRESH_FAILED;
    char *failure =
        failure_text(secondary, (struct refresh_failure){
                                    .transfer = true,
                                    .result = result == SG_OK && of_no_use ? SG_MALFORMED : result,
                                    .rcode = zone_transfer_rcode(secondary->incoming),
                                    .records = zone_transfer_totals(secondary->incoming).records,
                                });
    log_transfer(secondary, result == SG_OK ? "Transfer completed" : failure, result == SG_OK,
                 transfer.serial);
    say_verdict(secondary, verdict, failure);
    if (verdict == REFRESH_APPLY) {
        secondary->ready = secondary->incoming;
        secondary->incoming = NULL;
        keeper_enqueue(secondary->keeper, secondary->zone);
    } else {
        zone_transfer_free(secondary->incoming);
        secondary->incoming = NULL;
        if (verdict == REFRESH_CURRENT) {
            keep_timers(secondary);
        }
    }
    secondary_turn(secondary->keeper, secondary->zone);
}

static bool is_too_slow(struct zone_secondary *secondary)
{
    struct zone_transfer_totals totals = zone_transfer_totals(secondary->incoming);
    return transfer_rate_is_too_low(&secondary->rate, totals.bytes, time_monotonic_ns());
}

static bool hear_transfer(void *argument, const struct keeper_heard *heard)
{
    struct zone_secondary *secondary = argument;
    struct dns_message message;
    bool complete = false;
    if (heard->result != SG_OK) {
        end_fetch(secondary, heard->result, NULL);
        return false;
    }
    enum sg_result result = zone_transfer_feed(secondary->incoming, heard->message, &complete);
    if (result == SG_OK && !complete) {
        if (!is_too_slow(secondary)) {
            return true;
        }
        result = SG_TIMEOUT;
    }
    if (result == SG_OK && !heard->settled) {
        result = SG_BAD_SIG; /* The last message must be signed (RFC 8945 5.3.1). */
    }
    bool parsed = result == SG_OK && dns_message_parse(heard->message, &message) == SG_OK;
    end_fetch(secondary, result, parsed ? &message : NULL);
    return false;
}

static void fetch(struct zone_secondary *secondary, const struct refresh_order *order)
{
    const struct zone_settings *settings = secondary->zone->settings;
    struct dns_request request;
    const struct zone_version *version = zone_record_version(secondary->zone);
    bool ixfr = refresh_request_transfer(settings, version, order, &request);
    const struct zone_version *base = ixfr ? version : NULL;
    const struct zone_transfer_options options = refresh_request_options(settings, base);
    secondary->stripped = options.strip_generated;
    zone_transfer_free(secondary->incoming);
    secondary->incoming = zone_transfer_new(&settings->apex, settings->rrclass, base, &options);
    secondary->began_ns = time_monotonic_ns();
    secondary->rate = (struct transfer_rate){.bytes_min = settings->transfer_bytes_min,
                                             .window = settings->transfer_window,
                                             .began_ns = secondary->began_ns};
    const struct keeper_question question = {
        .kind = KEEPER_QUESTION_TRANSFER,
        .remote = &order->primary->remote,
        .access = settings->access,
        .message = {request.bytes, request.length},
        .tcp = true,
        .timeout = CONNECT_TIMEOUT,
        .idle_timeout = refresh_request_silence_max(settings),
        .total_timeout = settings->transfer_time_max,
    };
    if (!ask(secondary, &question, hear_transfer)) {
        const struct refresh_transfer transfer = {.result = refresh_request_unasked(order)};
        say_verdict(secondary,
                    refresh_transferred(secondary->refresh, &transfer, secondary->keeper->now),
                    failure_text(secondary, (struct refresh_failure){.transfer = true,
                                                                     .result = transfer.result}));
    }
}

/* --- expiry --------------------------------------------------------------------------------- */

static void expire(struct zone_secondary *secondary)
{
    expiry_begin(secondary->zone);
    keep_timers(secondary);
}

static void revive(struct zone_secondary *secondary)
{
    expiry_end(secondary->zone);
    keep_timers(secondary);
}

/* --- the zone's turn ------------------------------------------------------------------------ */

static void carry_out(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_secondary *secondary = zone->secondary;
    struct refresh_order order;
    if (secondary == NULL || zone->gone) {
        return;
    }
    refresh_want_whole(secondary->refresh,
                       source_is_wanted(zone->settings, zone_record_version(zone)));
    for (enum refresh_deed deed = refresh_turn(secondary->refresh, keeper->now, &order);
         deed != REFRESH_NOTHING; deed = refresh_turn(secondary->refresh, keeper->now, &order)) {
        switch (deed) {
        case REFRESH_ASK:
            ask_soa(secondary, &order);
            break;
        case REFRESH_TRANSFER:
            fetch(secondary, &order);
            break;
        case REFRESH_EXPIRE:
            expire(secondary);
            break;
        case REFRESH_REVIVE:
            revive(secondary);
            break;
        case REFRESH_NOTHING:
            break;
        }
    }
    keeper_set_timer(keeper, zone);
}

/* Whoever gives a place back lets the next one fetch: in a row, since there may be very many. */
void secondary_fetch_next(struct keeper *keeper)
{
    if (keeper->stopping || keeper->fetching) {
        return;
    }
    keeper->fetching = true;
    for (struct managed_zone *next; (next = transfer_quota_next(keeper->refresh.quota)) != NULL;) {
        carry_out(keeper, next);
    }
    keeper->fetching = false;
}

void secondary_turn(struct keeper *keeper, struct managed_zone *zone)
{
    if (!keeper->stopping) {
        carry_out(keeper, zone);
        secondary_fetch_next(keeper);
    }
}

sg_time secondary_wake(const struct managed_zone *zone)
{
    return zone->secondary == NULL ? INT64_MAX : refresh_wake(zone->secondary->refresh);
}

bool secondary_has_transfer(const struct managed_zone *zone)
{
    return zone->secondary != NULL && zone->secondary->ready != NULL;
}

struct zone_transfer *secondary_take_transfer(struct managed_zone *zone)
{
    struct zone_transfer *ready = zone->secondary->ready;
    zone->secondary->ready = NULL;
    return ready;
}

bool secondary_had_expired(struct span bytes, sg_time now)
{
    struct refresh_timers timers;
    return bytes.length > 0 && refresh_timers_decode(bytes, &timers) == SG_OK &&
           (timers.expired || timers.expire_at <= now);
}

/* The file is for people and for other programs: the store has it all. */
static void wish_file(struct managed_zone *zone)
{
    struct zone_health *health = &zone->health;
    sg_time soon = zone->keeper->now + FILE_DELAY;
    sg_time next = health->file_written_at + FILE_INTERVAL;
    if (zone->settings->file != NULL && zone->settings->type == ZONE_SECONDARY &&
        health->file_at == INT64_MAX) {
        health->file_at = health->file_written_at != 0 && next > soon ? next : soon;
    }
}

void secondary_came(struct managed_zone *zone)
{
    expiry_end(zone);
    wish_file(zone);
}

void secondary_applied(struct keeper *keeper, struct managed_zone *zone, enum sg_result result)
{
    struct zone_secondary *secondary = zone->secondary;
    struct dns_rrset rrset;
    struct dns_soa soa;
    if (secondary == NULL) {
        return;
    }
    if (result == SG_OK && !refresh_source_soa(zone_record_version(zone), &rrset, &soa)) {
        result = SG_MALFORMED;
    }
    say_verdict(
        secondary,
        refresh_applied(secondary->refresh, result, result == SG_OK ? &soa : NULL, keeper->now),
        mem_format("what came from %s could not be taken: %s", secondary->from,
                   zone->health.failed == ZONE_JOB_TRANSFER && zone->health.problem != NULL
                       ? zone->health.problem
                       : sg_result_text(result)));
    keep_timers(secondary);
    if (result == SG_OK && source_is_wanted(zone->settings, zone_record_version(zone))) {
        refresh_demand(secondary->refresh, true, keeper->now); /* It began before these settings. */
    }
    secondary_turn(keeper, zone);
}

const char *secondary_failure(const struct managed_zone *zone)
{
    return zone->secondary == NULL ? NULL : zone->secondary->failure;
}

const struct refresh_timers *secondary_timers(const struct managed_zone *zone)
{
    return zone->secondary == NULL ? NULL : refresh_timers(zone->secondary->refresh);
}

void secondary_count(const struct managed_zone *zone, struct refresh_counts *counts)
{
    if (zone->secondary != NULL) {
        refresh_count(zone->secondary->refresh, counts);
    }
}

void secondary_notified(struct keeper *keeper, struct managed_zone *zone, const struct remote *from,
                        const struct dns_soa *hint)
{
    (void)refresh_notified(zone->secondary->refresh, from, hint, keeper->now);
    secondary_turn(keeper, zone);
}

void secondary_demand(struct keeper *keeper, struct managed_zone *zone, bool whole)
{
    refresh_demand(zone->secondary->refresh, whole, keeper->now);
    secondary_turn(keeper, zone);
}

void secondary_encode_timers(struct managed_zone *zone)
{
    if (zone->secondary == NULL) {
        return;
    }
    struct refresh_timers timers = *refresh_timers(zone->secondary->refresh);
    if (zone->known.expired != NULL && !timers.expired) {
        /* Heard, and not signed yet: a restart in between has it expired, and asks at once. */
        timers.expired = true;
        timers.refresh_at = zone->keeper->now;
    }
    buffer_clear(&zone->known.state.timers);
    refresh_timers_encode(&timers, &zone->known.state.timers);
}

static void cancel(struct zone_secondary *secondary)
{
    const struct keeper_asker *asker = &secondary->keeper->io.asker;
    if (secondary->asked != NULL) {
        asker->cancel(asker->argument, secondary->asked);
        secondary->asked = NULL;
    }
    zone_transfer_free(secondary->incoming);
    zone_transfer_free(secondary->ready);
    secondary->incoming = secondary->ready = NULL;
}

static void restore(struct zone_secondary *secondary)
{
    struct managed_zone *zone = secondary->zone;
    struct refresh_timers timers;
    struct dns_rrset rrset;
    struct dns_soa soa;
    if (!refresh_source_soa(zone_record_version(zone), &rrset, &soa)) {
        return;
    }
    struct span bytes = buffer_span(&zone->known.state.timers);
    bool known = bytes.length > 0 && refresh_timers_decode(bytes, &timers) == SG_OK;
    if (zone->known.state.files.count == 0) {
        wish_file(zone); /* It was not written any more after the last transfer. */
    }
    refresh_restore(secondary->refresh, known ? &timers : NULL, &soa, secondary->keeper->now);
}

/* What there is, or what comes, is not what these settings are for. */
static void demand_source(struct zone_secondary *secondary)
{
    const struct managed_zone *zone = secondary->zone;
    const struct zone_version *version = zone_record_version(zone);
    bool comes = secondary->incoming != NULL || secondary->ready != NULL;
    if (comes && secondary->stripped != source_is_stripped(zone->settings)) {
        cancel(secondary);
        refresh_restart(secondary->refresh, secondary->keeper->now);
    }
    bool wanted = source_is_wanted(zone->settings, version);
    if (wanted) {
        say(secondary, SEVERITY_INFO,
            zone->settings->policy != NULL
                ? "it came signed and is to be signed here"
                : "it was signed here and is to be served as its primaries have it",
            ": the whole zone is fetched anew, and served as it is until it comes");
    }
    if (wanted || source_is_doubted(zone->settings, version)) {
        refresh_demand(secondary->refresh, true, secondary->keeper->now);
    }
}

void secondary_begin(struct keeper *keeper, struct managed_zone *zone)
{
    const struct refresh_settings *settings = zone->settings->refresh;
    if (settings == NULL) {
        secondary_end(zone);
        if (zone->settings->type == ZONE_PRIMARY) {
            expiry_end(zone); /* There is nobody to hear of any more. */
        }
        return;
    }
    if (zone->secondary == NULL && keeper_lacks_store(keeper, zone) != NULL) {
        return; /* What came could not be kept; with the store it begins. */
    }
    if (zone->secondary != NULL) {
        if (!refresh_configure(zone->secondary->refresh, settings, keeper->now)) {
            cancel(zone->secondary);
            keep_failure(zone->secondary, NULL);
        }
    } else {
        zone->secondary = mem_alloc_zero(1, sizeof(*zone->secondary));
        zone->secondary->keeper = keeper;
        zone->secondary->zone = zone;
        zone->secondary->refresh = refresh_new(&keeper->refresh, settings, zone, keeper->now);
        restore(zone->secondary);
    }
    demand_source(zone->secondary);
    secondary_turn(keeper, zone);
}

void secondary_clock_set_back(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->secondary != NULL) {
        refresh_clock_set_back(zone->secondary->refresh, keeper->now);
    }
}

void secondary_stop(struct managed_zone *zone)
{
    if (zone->secondary != NULL) {
        cancel(zone->secondary);
    }
}

void secondary_end(struct managed_zone *zone)
{
    if (zone->secondary != NULL) {
        cancel(zone->secondary);
        refresh_free(zone->secondary->refresh);
        mem_free(zone->secondary->key);
        mem_free(zone->secondary->failure);
        mem_free(zone->secondary);
        zone->secondary = NULL;
    }
}
