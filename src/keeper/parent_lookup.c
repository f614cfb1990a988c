#include "keeper/parent_lookup.h"

#include "base/mem.h"
#include "dns/rrtype.h"

enum stage { STAGE_SERVERS, STAGE_ADDRESSES, STAGE_FOUND, STAGE_FAILED };

struct parent_lookup {
    struct parent_lookup_settings settings;
    struct dns_name zone;
    enum stage stage;
    struct dns_name parent; /* whose NS RRset is asked for, then: has been found */
    struct dns_name servers[PARENT_LOOKUP_SERVERS_MAX];
    size_t servers_count;
    size_t server; /* whose addresses are asked for */
    bool ipv6;     /* AAAA, after A */
    struct remote addresses[PARENT_LOOKUP_ADDRESSES_MAX];
    size_t addresses_count;
    uint32_t ttl;

    size_t resolver; /* the one that is asked now */
    size_t tries;    /* resolvers that have failed this question */
    bool tcp;
    const char *problem;
};

enum sg_result parent_lookup_new(const struct parent_lookup_settings *settings,
                                 const struct dns_name *zone, struct parent_lookup **out_lookup)
{
    if (zone->labels == 0 || settings->resolvers_count == 0 ||
        (!settings->ipv4 && !settings->ipv6)) {
        return SG_UNSUPPORTED;
    }
    struct parent_lookup *lookup = mem_alloc_zero(1, sizeof(*lookup));
    lookup->settings = *settings;
    if (lookup->settings.resolvers_count > PARENT_LOOKUP_RESOLVERS_MAX) {
        lookup->settings.resolvers_count = PARENT_LOOKUP_RESOLVERS_MAX;
    }
    lookup->zone = *zone;
    lookup->parent = dns_name_parent(zone, 1);
    lookup->ttl = UINT32_MAX;
    *out_lookup = lookup;
    return SG_OK;
}

void parent_lookup_free(struct parent_lookup *lookup)
{
    mem_free(lookup);
}

const struct dns_name *parent_lookup_parent(const struct parent_lookup *lookup)
{
    return lookup->stage == STAGE_ADDRESSES || lookup->stage == STAGE_FOUND ? &lookup->parent
                                                                            : NULL;
}

bool parent_lookup_next(const struct parent_lookup *lookup, struct parent_lookup_order *out_order)
{
    if (lookup->stage > STAGE_ADDRESSES) {
        return false;
    }
    bool for_servers = lookup->stage == STAGE_SERVERS;
    *out_order = (struct parent_lookup_order){
        .resolver = &lookup->settings.resolvers[lookup->resolver],
        .name = for_servers ? &lookup->parent : &lookup->servers[lookup->server],
        .type = for_servers    ? DNS_TYPE_NS
                : lookup->ipv6 ? DNS_TYPE_AAAA
                               : DNS_TYPE_A,
        .tcp = lookup->tcp,
    };
    return true;
}

static void fail(struct parent_lookup *lookup, const char *problem)
{
    lookup->stage = STAGE_FAILED;
    lookup->problem = problem;
}

static void begin_question(struct parent_lookup *lookup)
{
    lookup->tries = 0;
    lookup->tcp = false;
}

/* The next resolver, which stays the first choice if it does better. */
static void try_another(struct parent_lookup *lookup)
{
    lookup->tcp = false;
    lookup->resolver = (lookup->resolver + 1) % lookup->settings.resolvers_count;
    if (++lookup->tries == lookup->settings.resolvers_count) {
        fail(lookup, "no resolver has an answer");
    }
}

/* --- addresses ------------------------------------------------------------------------------ */

static void end_addresses(struct parent_lookup *lookup)
{
    if (lookup->addresses_count == 0) {
        fail(lookup, "no name server of the parent has an address that this host can reach");
    } else {
        lookup->stage = STAGE_FOUND;
    }
}

static void next_addresses(struct parent_lookup *lookup)
{
    begin_question(lookup);
    if (!lookup->ipv6 && lookup->settings.ipv6) {
        lookup->ipv6 = true;
        return;
    }
    lookup->server++;
    lookup->ipv6 = !lookup->settings.ipv4;
    if (lookup->server == lookup->servers_count) {
        end_addresses(lookup);
    }
}

static bool add_address(struct parent_lookup *lookup, struct span bytes)
{
    struct remote remote = {.address_length = (uint8_t)bytes.length, .port = lookup->settings.port};
    memcpy(remote.address, bytes.bytes, bytes.length);
    for (size_t i = 0; i < lookup->addresses_count; i++) {
        if (remote_equal(&lookup->addresses[i], &remote)) {
            return true; /* two names of one server */
        }
    }
    if (lookup->addresses_count == PARENT_LOOKUP_ADDRESSES_MAX) {
        fail(lookup, "the parent's name servers have more than 128 addresses");
        return false;
    }
    lookup->addresses[lookup->addresses_count++] = remote;
    return true;
}

static void take_addresses(struct parent_lookup *lookup, const struct dns_message *message,
                           const struct lookup_reply *reply)
{
    size_t length = lookup->ipv6 ? 16 : 4;
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->records[i].rdata_length != length) {
            try_another(lookup);
            return;
        }
        const uint8_t *bytes = message->wire.bytes + reply->records[i].rdata_offset;
        if (!add_address(lookup, (struct span){bytes, length})) {
            return;
        }
    }
    next_addresses(lookup);
}

/* --- the parent ----------------------------------------------------------------------------- */

static void take_servers(struct parent_lookup *lookup, const struct dns_message *message,
                         const struct lookup_reply *reply)
{
    lookup->servers_count = 0;
    for (size_t i = 0; i < reply->count; i++) {
        size_t end;
        if (i == PARENT_LOOKUP_SERVERS_MAX) {
            fail(lookup, "the parent has more than 32 name servers");
            return;
        }
        struct dns_name *server = &lookup->servers[i];
        if (dns_name_from_message(message->wire, reply->records[i].rdata_offset, server, &end) !=
                SG_OK ||
            end != reply->records[i].rdata_offset + reply->records[i].rdata_length) {
            try_another(lookup);
            return;
        }
        dns_name_lower(server);
        lookup->servers_count++;
    }
    lookup->stage = STAGE_ADDRESSES;
    lookup->server = 0;
    lookup->ipv6 = !lookup->settings.ipv4;
    begin_question(lookup);
}

/* The name is no zone's apex; the zone that it lies in has said so. */
static void step_up(struct parent_lookup *lookup, const struct dns_name *apex)
{
    if (apex->labels >= lookup->parent.labels || !dns_name_is_at_or_below(&lookup->parent, apex)) {
        try_another(lookup);
        return;
    }
    lookup->parent = *apex;
    begin_question(lookup);
}

static void take_reply(struct parent_lookup *lookup, const struct dns_message *message)
{
    struct lookup_reply reply;
    bool for_servers = lookup->stage == STAGE_SERVERS;
    lookup_reply_read(message, &reply);
    if (reply.kind == LOOKUP_TRUNCATED && !lookup->tcp) {
        lookup->tcp = true;
        return;
    }
    if (reply.kind == LOOKUP_FOUND || reply.kind == LOOKUP_NODATA) {
        lookup->ttl = reply.ttl < lookup->ttl ? reply.ttl : lookup->ttl;
    }
    if (for_servers && reply.aliased) {
        /* An alias has no NS; what it points at is not our parent. */
        const struct dns_name above = dns_name_parent(&lookup->parent, 1);
        step_up(lookup, &above);
    } else if (reply.kind == LOOKUP_FOUND && for_servers) {
        take_servers(lookup, message, &reply);
    } else if (reply.kind == LOOKUP_FOUND) {
        take_addresses(lookup, message, &reply);
    } else if (reply.kind == LOOKUP_NODATA && for_servers) {
        step_up(lookup, &reply.soa_owner);
    } else if (!for_servers && (reply.kind == LOOKUP_NODATA || reply.kind == LOOKUP_NXDOMAIN)) {
        next_addresses(lookup); /* nobody can ask it, neither can we */
    } else {
        try_another(lookup);
    }
}

void parent_lookup_heard(struct parent_lookup *lookup, enum sg_result result,
                         const struct dns_message *message)
{
    ASSERT(lookup->stage <= STAGE_ADDRESSES);
    if (result == SG_OK) {
        take_reply(lookup, message);
    } else {
        try_another(lookup);
    }
}

enum sg_result parent_lookup_result(const struct parent_lookup *lookup,
                                    const struct remote **out_addresses, size_t *out_count,
                                    uint32_t *out_ttl, char **out_problem)
{
    char name[DNS_NAME_TEXT_BYTES];
    if (lookup->stage == STAGE_FOUND) {
        *out_addresses = lookup->addresses;
        *out_count = lookup->addresses_count;
        *out_ttl = lookup->ttl;
        return SG_OK;
    }
    if (lookup->stage != STAGE_FAILED) {
        return SG_CANCELLED;
    }
    bool at_servers = lookup->server < lookup->servers_count;
    *out_problem = mem_format(
        "%s (at %s of %s)", lookup->problem, at_servers ? "the addresses" : "the name servers",
        dns_name_to_text(at_servers ? &lookup->servers[lookup->server] : &lookup->parent, name));
    return SG_NOT_FOUND;
}
