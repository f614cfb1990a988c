#include "zone/update_wishes.h"

#include "dns/rrtype.h"

static void tell_all_types(const struct zone_version *version, struct zone_update_wish *wish,
                           zone_update_hear_wish *hear, void *argument)
{
    struct zone_node node;
    if (version == NULL || !zone_version_node(version, wish->owner, &node)) {
        return;
    }
    struct zone_rrset_walk walk = zone_node_walk_layer(&node, ZONE_SOURCE);
    while (zone_node_walk_next(&walk)) {
        wish->type = walk.rrset.type;
        hear(argument, wish);
    }
}

void zone_update_wishes(const struct zone_version *version, const struct dns_name *apex,
                        const struct dns_message *message, zone_update_hear_wish *hear,
                        void *argument)
{
    size_t offset = message->section_offsets[1];
    for (unsigned left = message->counts[2]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return;
        }
        dns_name_lower(&record.owner);
        if (!dns_name_is_at_or_below(&record.owner, apex)) {
            return;
        }
        struct zone_update_wish wish = {
            .owner = &record.owner,
            .type = record.type,
            .adds = record.rrclass != DNS_CLASS_ANY && record.rrclass != DNS_CLASS_NONE,
        };
        if (record.type == DNS_TYPE_ANY) {
            tell_all_types(version, &wish, hear, argument);
        } else {
            hear(argument, &wish);
        }
        offset = record.after;
    }
}
