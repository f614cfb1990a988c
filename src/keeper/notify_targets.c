#include "keeper/notify_targets.h"

#include "base/crc32c.h"
#include "base/mem.h"

static bool is_listed(const struct notify_targets *targets, const struct remote *remote)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (remote_equal(&targets->remotes[i], remote)) {
            return true;
        }
    }
    return false;
}

static void add(struct notify_targets *targets, const struct notify_rules *rules,
                const struct remote *remote)
{
    if (is_listed(targets, remote) ||
        (rules->is_ours != NULL && rules->is_ours(rules->argument, remote))) {
        return;
    }
    if (rules->is_bogus != NULL && rules->is_bogus(rules->argument, remote)) {
        targets->some_bogus = true;
        return;
    }
    if (targets->count == NOTIFY_TARGETS_MAX) {
        targets->cut_short = true;
        return;
    }
    targets->remotes =
        mem_resize_array(targets->remotes, targets->count + 1, sizeof(*targets->remotes));
    targets->remotes[targets->count++] = *remote;
}

/* Add the addresses of one type that a name owns. Returns how many there were. */
static size_t add_addresses(struct notify_targets *targets, const struct notify_rules *rules,
                            const struct zone_node *node, uint16_t type)
{
    struct dns_rrset rrset;
    size_t length = type == DNS_TYPE_A ? 4 : 16;
    size_t found = 0;

    if (!zone_node_rrset(node, ZONE_VIEW_SIGNED, type, &rrset)) {
        return 0;
    }
    for (struct dns_rdata_cursor at = dns_rrset_walk(&rrset); dns_rdata_next(&at);) {
        struct remote remote = {.address_length = (uint8_t)length, .port = rules->port};
        if (at.rdata.length != length) {
            continue;
        }
        memcpy(remote.address, at.rdata.bytes, length);
        add(targets, rules, &remote);
        found++;
    }
    return found;
}

/* The zone that knows a server's addresses: this one, where the name lies in it, or a deeper one
 * that is served here too, or one elsewhere. */
static const struct zone_version *holder(const struct zone_version *version,
                                         const struct notify_rules *rules,
                                         const struct dns_name *server)
{
    if (dns_name_is_at_or_below(server, zone_version_apex(version))) {
        return version;
    }
    return rules->zone_of == NULL ? NULL : rules->zone_of(rules->argument, server);
}

static void add_server(struct notify_targets *targets, const struct notify_rules *rules,
                       const struct zone_version *version, const struct dns_name *server)
{
    const struct zone_version *zone = holder(version, rules, server);
    struct zone_node node;
    size_t found = 0;

    if (zone != NULL && zone_version_node(zone, server, &node)) {
        found = add_addresses(targets, rules, &node, DNS_TYPE_A);
        found += add_addresses(targets, rules, &node, DNS_TYPE_AAAA);
    }
    if (found > 0) {
        return;
    }
    if (targets->unknown++ == 0) {
        targets->unknown_name = *server;
    }
    targets->unknown_mark = crc32c(targets->unknown_mark, server->wire, server->length);
}

/* The SOA's first name, lower case. */
static bool primary_of(const struct zone_node *apex, struct dns_name *out_name)
{
    struct dns_rrset soa;

    if (!zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_SOA, &soa) || soa.count == 0 ||
        dns_name_from_wire(dns_rrset_first(&soa), out_name) != SG_OK) {
        return false;
    }
    dns_name_lower(out_name);
    return true;
}

static void add_servers(struct notify_targets *targets, const struct notify_rules *rules,
                        const struct zone_version *version)
{
    const struct zone_node *apex = zone_version_apex_node(version);
    struct dns_name primary;
    struct dns_rrset servers;

    if (!zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_NS, &servers)) {
        return;
    }
    bool leave_out = !rules->to_soa && primary_of(apex, &primary);
    for (struct dns_rdata_cursor at = dns_rrset_walk(&servers); dns_rdata_next(&at);) {
        struct dns_name server;
        if (dns_name_from_wire(at.rdata, &server) != SG_OK) {
            continue;
        }
        dns_name_lower(&server);
        if (!leave_out || !dns_name_equal(&server, &primary)) {
            add_server(targets, rules, version, &server);
        }
    }
}

void notify_targets_collect(const struct zone_version *version, const struct notify_rules *rules,
                            struct notify_targets *out_targets)
{
    memset(out_targets, 0, sizeof(*out_targets));
    if (rules->mode == NOTIFY_NO || (rules->mode == NOTIFY_PRIMARY_ONLY && !rules->is_primary)) {
        return;
    }
    for (size_t i = 0; i < rules->also_count; i++) {
        add(out_targets, rules, &rules->also[i]);
    }
    if (rules->mode != NOTIFY_EXPLICIT) {
        add_servers(out_targets, rules, version);
    }
}

void notify_targets_clear(struct notify_targets *targets)
{
    mem_free(targets->remotes);
    memset(targets, 0, sizeof(*targets));
}
