#include "keeper/notifying.h"

#include "base/log.h"
#include "base/mem.h"
#include "dns/request.h"
#include "keeper/remote_text.h"

/* One message that is out. */
struct telling {
    struct telling *next, **back; /* of the keeper's */
    void *asked;
    struct keeper *keeper;
    struct notify_ask *ask;
    char remote[REMOTE_TEXT_BYTES];
    char label[ZONE_LABEL_BYTES];
};

/* --- whom ----------------------------------------------------------------------------------- */

struct looking {
    const struct keeper *keeper;
    const struct zone_settings *settings;
};

static bool is_ours(void *argument, const struct remote *remote)
{
    const struct looking *looking = argument;
    const struct keeper_asker *asker = &looking->keeper->io.asker;
    return asker->is_ours != NULL && asker->is_ours(asker->argument, remote);
}

static bool is_bogus(void *argument, const struct remote *remote)
{
    const struct looking *looking = argument;
    const struct keeper_asker *asker = &looking->keeper->io.asker;
    return asker->is_bogus != NULL &&
           asker->is_bogus(asker->argument, looking->settings->access, remote);
}

/* The deepest zone of the same view that the name lies in. */
static const struct zone_version *zone_of(void *argument, const struct dns_name *name)
{
    const struct looking *looking = argument;
    struct dns_name at = *name;
    for (;;) {
        const struct managed_zone *zone = zone_index_find(
            &looking->keeper->index, &at, looking->settings->rrclass, looking->settings->view);
        if (zone != NULL) {
            return zone->slot->version;
        }
        if (at.length <= 1) {
            return NULL;
        }
        size_t label = 1u + at.wire[0];
        memmove(at.wire, at.wire + label, at.length - label);
        at.length = (uint8_t)(at.length - label);
        at.labels--;
    }
}

bool notifying_targets(struct keeper *keeper, struct managed_zone *zone,
                       struct notify_targets *out_targets)
{
    const struct zone_notify_settings *settings = zone->settings->notify;
    const struct zone_version *version = zone->slot->version;
    if (settings == NULL || version == NULL || keeper->notify == NULL) {
        return false;
    }
    struct looking looking = {keeper, zone->settings};
    const struct notify_rules rules = {
        .mode = settings->mode,
        .is_primary = zone->settings->type == ZONE_PRIMARY,
        .to_soa = settings->to_soa,
        .port = 53,
        .also = settings->also,
        .also_count = settings->also_count,
        .is_ours = is_ours,
        .is_bogus = is_bogus,
        .zone_of = zone_of,
        .argument = &looking,
    };
    notify_targets_collect(version, &rules, out_targets);
    return true;
}

/* Whose address is in no zone here would wait for its refresh, and nobody knew why. Which servers
 * also-notify means cannot be told: if they are as many, it may be these. */
static void note_unknown(struct managed_zone *zone, const struct notify_targets *targets)
{
    struct notify_zone *told = &zone->notify;
    bool may_be_listed = targets->unknown <= zone->settings->notify->also_count;
    char label[ZONE_LABEL_BYTES];
    char name[DNS_NAME_TEXT_BYTES];
    told->unknown = may_be_listed ? 0 : targets->unknown;
    if (told->unknown > 0 && told->unknown_mark != targets->unknown_mark) {
        char *more = told->unknown == 1 ? NULL : mem_format(" and %zu more", told->unknown - 1);
        log_write(LOG_NOTIFY, SEVERITY_WARNING,
                  "zone %s: name server %s%s cannot be notified: no zone here knows the address; "
                  "put it into also-notify, or say `notify explicit`",
                  zone_label(zone->settings, label),
                  dns_name_to_text_short(&targets->unknown_name, name), more != NULL ? more : "");
        mem_free(more);
    }
    told->unknown_mark = may_be_listed ? 0 : targets->unknown_mark;
}

void notifying_changed(struct keeper *keeper, struct managed_zone *zone, bool startup)
{
    struct notify_targets targets;
    if (!notifying_targets(keeper, zone, &targets)) {
        return;
    }
    if (!startup) { /* Then zones that know the addresses may still be to come. */
        note_unknown(zone, &targets);
    }
    const struct notify_news news = {
        .owner = zone,
        .serial = zone_version_facts(zone->slot->version)->serial,
        .delay = zone->settings->notify->delay,
        .startup = startup,
    };
    notify_send_changed(keeper->notify, &zone->notify, &news, &targets, keeper->now);
    notify_targets_clear(&targets);
}

void notifying_adopt(struct keeper *keeper, struct managed_zone *zone)
{
    const struct zone_notify_settings *settings = zone->settings->notify;
    notify_send_adopt(keeper->notify, &zone->notify, settings == NULL ? NULL : settings->also,
                      settings == NULL ? 0 : settings->also_count);
}

/* --- telling -------------------------------------------------------------------------------- */

static void telling_free(struct telling *telling)
{
    *telling->back = telling->next;
    if (telling->next != NULL) {
        telling->next->back = telling->back;
    }
    mem_free(telling);
}

static void take_answer(struct telling *telling, enum sg_result result, uint16_t rcode)
{
    enum notify_verdict verdict = notify_send_answered(telling->keeper->notify, telling->ask,
                                                       result, rcode, telling->keeper->now);
    if (verdict == NOTIFY_GIVEN_UP) {
        log_write(LOG_NOTIFY, SEVERITY_NOTICE,
                  "zone %s: notify to %s failed after %d tries: %s; it will ask by itself when its "
                  "refresh time has come",
                  telling->label, telling->remote, NOTIFY_TRIES_MAX, sg_result_text(result));
    } else if (verdict == NOTIFY_REFUSED) {
        log_write(LOG_NOTIFY, SEVERITY_NOTICE, "zone %s: notify to %s: it answered %s",
                  telling->label, telling->remote, dns_rcode_to_text(rcode));
    }
    telling_free(telling);
}

static bool hear(void *argument, const struct keeper_heard *heard)
{
    struct dns_message message;
    enum sg_result result = heard->result;
    if (result == SG_OK) {
        result = dns_message_parse(heard->message, &message);
    }
    take_answer(argument, result, result == SG_OK ? dns_reply_rcode(&message) : 0);
    return false;
}

static void tell(struct keeper *keeper, const struct notify_order *order)
{
    struct managed_zone *zone = order->owner;
    const struct zone_settings *settings = zone->settings;
    const struct zone_version *version = zone->slot->version;
    struct dns_request_zone about = {.apex = &settings->apex, .rrclass = settings->rrclass};
    struct dns_request request;
    struct dns_rrset soa;
    struct telling *telling = mem_alloc_zero(1, sizeof(*telling));
    telling->keeper = keeper;
    telling->next = keeper->tellings;
    telling->back = &keeper->tellings;
    if (telling->next != NULL) {
        telling->next->back = &telling->next;
    }
    keeper->tellings = telling;
    telling->ask = order->ask;
    zone_label(settings, telling->label);
    remote_text(&order->remote, telling->remote);
    if (version != NULL &&
        zone_node_rrset(zone_version_apex_node(version), ZONE_VIEW_SIGNED, DNS_TYPE_SOA, &soa)) {
        about.soa = dns_rrset_first(&soa);
        about.soa_ttl = soa.ttl;
    }
    enum sg_result result = dns_request_notify(&about, &request);
    const struct keeper_question question = {
        .kind = KEEPER_QUESTION_NOTIFY,
        .remote = &order->remote,
        .access = settings->access,
        .message = {request.bytes, request.length},
        .udp_tries = 1,
        .timeout = order->timeout,
    };
    const struct keeper_asker *asker = &keeper->io.asker;
    if (result == SG_OK) {
        telling->asked = asker->ask(asker->argument, &question, hear, telling);
    }
    if (telling->asked == NULL) {
        take_answer(telling, result != SG_OK ? result : SG_IO, 0);
    }
}

void notifying_stop(struct keeper *keeper)
{
    const struct keeper_asker *asker = &keeper->io.asker;
    while (keeper->tellings != NULL) {
        struct telling *telling = keeper->tellings;
        asker->cancel(asker->argument, telling->asked);
        (void)notify_send_answered(keeper->notify, telling->ask, SG_CANCELLED, 0, keeper->now);
        telling_free(telling);
    }
}

sg_time notifying_turn(struct keeper *keeper)
{
    struct notify_order order;
    if (keeper->notify == NULL || keeper->io.asker.ask == NULL) {
        return INT64_MAX;
    }
    while (notify_send_next(keeper->notify, keeper->now, &order)) {
        tell(keeper, &order);
    }
    return notify_send_wake(keeper->notify, keeper->now);
}
