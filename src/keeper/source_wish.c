#include "keeper/source_wish.h"

#include "dns/rrtype.h"

bool source_is_stripped(const struct zone_settings *settings)
{
    return settings->policy != NULL;
}

bool source_is_wanted(const struct zone_settings *settings, const struct zone_version *version)
{
    if (settings->type != ZONE_SECONDARY || version == NULL) {
        return false;
    }
    const struct zone_facts *facts = zone_version_facts(version);
    return source_is_stripped(settings) ? !facts->signed_here && facts->denial != ZONE_DENIAL_NONE
                                        : facts->signed_here;
}

bool source_is_doubted(const struct zone_settings *settings, const struct zone_version *version)
{
    struct dns_rrset rrset;
    if (settings->type != ZONE_SECONDARY || version == NULL || source_is_stripped(settings) ||
        zone_version_facts(version)->denial != ZONE_DENIAL_NONE) {
        return false;
    }
    const struct zone_node *apex = zone_version_apex_node(version);
    return apex != NULL && zone_node_rrset(apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_DNSKEY, &rrset);
}
