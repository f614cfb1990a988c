#include "server/sig0_in.h"

#include "dns/rrtype.h"
#include "server/access.h"

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

bool sig0_in_is_of_use(const struct request *request)
{
    const struct dns_message *message = request->message;
    const struct zone_table *table = request->view->table;
    bool transfer = message->qtype == DNS_TYPE_AXFR || message->qtype == DNS_TYPE_IXFR;
    const struct zone_slot *slot;

    if (message->opcode == DNS_OPCODE_NOTIFY) {
        slot = zone_table_exact(table, &message->qname);
        return slot != NULL && access_notify(request, slot);
    }
    if (transfer) {
        slot = zone_table_exact(table, &message->qname);
        return slot != NULL && access_transfer(request, slot);
    }
    slot = zone_table_find(table, &message->qname, message->qtype == DNS_TYPE_DS);
    return slot != NULL && access_query(request, slot);
}

enum sg_result sig0_in_verify(const struct request *request, const struct sig0 *sig0, sg_time now,
                              struct sig0_allowance *allowance)
{
    struct dns_rrset keys;

    if (!find_keys(request->view->table, &sig0->signer, &keys)) {
        return SG_BAD_KEY;
    }
    enum sg_result result = sig0_check(sig0, &keys, now);
    if (result != SG_OK) {
        return result;
    }
    return may_spend(allowance, now) ? sig0_verify(request->message, sig0, &keys, now) : SG_LIMIT;
}
