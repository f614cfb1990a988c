#include "server/sig0_in.h"

#include "dns/rrtype.h"
#include "dnssec/sig0.h"

static bool may_spend(struct sig0_allowance *allowance, sg_time now)
{
    if (allowance->second != now) {
        *allowance = (struct sig0_allowance){.second = now};
    }
    return allowance->spent++ < SIG0_VERIFICATIONS_PER_SECOND_MAX;
}

/* The KEY RRset at the signer's name, as it is served. Borrowed within the epoch. */
static bool find_keys(const struct zone_table *table, const struct dns_name *signer,
                      struct dns_rrset *out_keys)
{
    struct zone_match match;
    const struct zone_slot *slot = zone_table_find(table, signer, false);
    const struct zone_version *version = slot != NULL ? zone_slot_version(slot) : NULL;
    return version != NULL && zone_version_find(version, signer, &match) == SG_OK &&
           match.kind == ZONE_MATCH_NAME &&
           (match.cut.source == NULL || !zone_node_is_cut(&match.cut)) &&
           match.node.source != NULL &&
           zone_node_rrset(&match.node, ZONE_VIEW_SIGNED, DNS_TYPE_KEY, out_keys);
}

enum sg_result sig0_in_verify(const struct request *request, sg_time now,
                              struct sig0_allowance *allowance, struct dns_name *out_signer)
{
    struct sig0 sig0;
    struct dns_rrset keys;
    enum sg_result result = sig0_parse(request->message, &sig0);
    if (result != SG_OK) {
        return result;
    }
    if (!find_keys(request->view->table, &sig0.signer, &keys)) {
        return SG_BAD_KEY;
    }
    if (!may_spend(allowance, now)) {
        return SG_LIMIT;
    }
    result = sig0_verify(request->message, &sig0, &keys, now);
    if (result == SG_OK) {
        *out_signer = sig0.signer;
    }
    return result;
}
