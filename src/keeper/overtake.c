#include "keeper/overtake.h"

#include "base/log.h"
#include "base/mem.h"
#include "dns/request.h"
#include "dns/serial.h"
#include "keeper/notifying.h"

enum { ASK_TIMEOUT = 3, ASK_TRIES = 2, ASKED_MAX = 16 };

struct overtake {
    struct overtake *next;
    struct keeper *keeper;
    struct managed_zone *zone;
    void *asked;
};

static void unlink_and_free(struct overtake *overtake)
{
    struct overtake **at = &overtake->keeper->overtakes;
    while (*at != overtake) {
        at = &(*at)->next;
    }
    *at = overtake->next;
    mem_free(overtake);
}

/* The serial of a secondary that is not signed here is its primaries'. */
static bool is_serial_ours(const struct managed_zone *zone)
{
    const struct zone_version *version = zone_record_version(zone);
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

/*
 * What the secondary has under that serial is not what we have made under it since: a difference
 * that leads on from there would make a zone of it that nobody has signed. So the version that is
 * above is told whole.
 */
static void take_serial(struct overtake *overtake, uint32_t theirs)
{
    struct managed_zone *zone = overtake->zone;
    const struct zone_version *version = zone_record_version(zone);
    char label[ZONE_LABEL_BYTES];
    uint32_t above = zone->wishes.serial_above;
    if (version == NULL || !is_serial_ours(zone)) {
        return;
    }
    uint32_t ours = zone_version_facts(version)->serial;
    bool is_ahead = serial_compare(theirs, ours) >= 0;
    if (!is_ahead && !leads_from(zone, theirs, ours)) {
        return;
    }
    uint32_t highest = is_ahead ? theirs : ours;
    zone->ledger.begins_anew = true;
    if (above != 0 && serial_compare(highest, above) <= 0) {
        return;
    }
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: a secondary has serial %u, which the store does not know of; ours is "
              "raised above it",
              zone_label(zone->settings, label), theirs);
    zone->wishes.serial_above = highest;
    keeper_enqueue(overtake->keeper, zone);
}

static bool hear(void *argument, const struct keeper_heard *heard)
{
    struct overtake *overtake = argument;
    struct dns_message message;
    struct dns_soa soa;
    if (heard->result == SG_OK && dns_message_parse(heard->message, &message) == SG_OK &&
        (message.flags & DNS_FLAG_AA) != 0 && dns_reply_soa(&message, &soa) == SG_OK) {
        take_serial(overtake, soa.serial);
    }
    unlink_and_free(overtake);
    return false;
}

static void ask(struct keeper *keeper, struct managed_zone *zone, const struct remote *remote)
{
    const struct keeper_asker *asker = &keeper->io.asker;
    const struct zone_settings *settings = zone->settings;
    const struct dns_request_zone about = {.apex = &settings->apex, .rrclass = settings->rrclass};
    const struct dns_request_edns edns = {0, false};
    struct dns_request request;
    struct overtake *overtake = mem_alloc_zero(1, sizeof(*overtake));
    dns_request_query(&about, DNS_TYPE_SOA, &edns, &request);
    const struct keeper_question question = {
        .kind = KEEPER_QUESTION_NOTIFY, /* the same hosts, asked from the same address */
        .remote = remote,
        .access = settings->access,
        .message = {request.bytes, request.length},
        .udp_tries = ASK_TRIES,
        .timeout = ASK_TIMEOUT,
    };
    *overtake = (struct overtake){.next = keeper->overtakes, .keeper = keeper, .zone = zone};
    overtake->asked = asker->ask(asker->argument, &question, hear, overtake);
    if (overtake->asked == NULL) {
        mem_free(overtake);
        return;
    }
    keeper->overtakes = overtake;
}

void overtake_start(struct keeper *keeper, struct managed_zone *zone)
{
    struct notify_targets targets;
    if (keeper->stopping || keeper->io.asker.ask == NULL || !is_serial_ours(zone) ||
        !notifying_targets(keeper, zone, &targets)) {
        return;
    }
    for (size_t i = 0; i < targets.count && i < ASKED_MAX; i++) {
        ask(keeper, zone, &targets.remotes[i]);
    }
    notify_targets_clear(&targets);
}

void overtake_forget(struct keeper *keeper, const struct managed_zone *zone)
{
    const struct keeper_asker *asker = &keeper->io.asker;
    for (struct overtake *at = keeper->overtakes, *next; at != NULL; at = next) {
        next = at->next;
        if (zone == NULL || at->zone == zone) {
            asker->cancel(asker->argument, at->asked);
            unlink_and_free(at);
        }
    }
}
