/*
 * What a primary sends is taken, for it answers for it: who refused it would serve old data or
 * none. But what no zone may hold, or what does not go with how it is signed here, is said in the
 * log: once a transfer, of that which it brings.
 */
#include <inttypes.h>

#include "base/log.h"
#include "dns/rrtype.h"
#include "keeper/key_preparation.h"
#include "keeper/zone_steps.h"
#include "zone/diff.h"

/* Names where it is so. */
struct finding {
    uint64_t count;
    struct dns_name first; /* with a count above 0 */
};

/* RFC 1034 3.6.2 */
static bool has_cname_and_more(const struct zone_node *node)
{
    if ((node->flags & ZONE_NODE_CNAME) == 0) {
        return false; /* Of nearly all names no block is looked at. */
    }
    struct zone_rrset_walk walk = zone_node_walk_layer(node, ZONE_SOURCE);
    while (zone_node_walk_next(&walk)) {
        bool is_cname = walk.rrset.type == DNS_TYPE_CNAME;
        if (is_cname ? walk.rrset.count > 1 : !dns_type_is_beside_cname(walk.rrset.type)) {
            return true;
        }
    }
    return false;
}

static void note(struct finding *finding, const struct zone_version *draft,
                 const struct zone_node *node)
{
    if (finding->count++ == 0) {
        zone_version_owner(draft, node, &finding->first);
    }
}

/* Leaves of the tree alone, but for names with a CNAME and for cuts: little beside the transfer. */
static void find_in_all(const struct zone_version *draft, struct finding *finding)
{
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, draft);
    while (zone_cursor_next(&cursor)) {
        if (has_cname_and_more(&cursor.node)) {
            note(finding, draft, &cursor.node);
        }
    }
}

static void find_in_changes(const struct zone_version *base, const struct zone_version *draft,
                            struct finding *finding)
{
    struct zone_difference change;
    struct zone_diff *diff = zone_diff_new(base, draft, false);
    while (zone_diff_next(diff, &change)) {
        if (has_cname_and_more(&change.new) && !has_cname_and_more(&change.old)) {
            note(finding, draft, &change.new);
        }
    }
    zone_diff_free(diff);
}

static void warn_of_cnames(const struct zone_job *job, const struct zone_version *base,
                           const struct zone_version *draft)
{
    struct finding finding = {.count = 0};
    char label[ZONE_LABEL_BYTES];
    char name[DNS_NAME_TEXT_BYTES];
    if (base == NULL) {
        find_in_all(draft, &finding);
    } else {
        find_in_changes(base, draft, &finding);
    }
    if (finding.count > 0) {
        log_write(
            LOG_ZONE, SEVERITY_WARNING,
            "zone %s: the transfer brings CNAME and other data, or several CNAMEs, at %" PRIu64
            " name%s, '%s' first: it is taken, but resolvers may see the one or the other; "
            "have it mended at the primary",
            zone_label(job->settings, label), finding.count, finding.count == 1 ? "" : "s",
            dns_name_to_text_short(&finding.first, name));
    }
}

static struct dns_rrset dnskeys_of(const struct zone_node *apex)
{
    struct dns_rrset dnskeys = {.count = 0};
    (void)zone_node_rrset(apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_DNSKEY, &dnskeys);
    return dnskeys;
}

static void warn_of_dnskeys(const struct zone_job *job, const struct zone_version *base,
                            const struct zone_version *draft)
{
    struct zone_node apex = {.flags = 0};
    struct dns_rrset known = {.count = 0};
    unsigned count = 0;
    uint16_t first = 0;
    if (base != NULL) {
        known = dnskeys_of(zone_version_apex_node(base));
    }
    (void)zone_version_node(draft, &job->settings->apex, &apex);
    struct dns_rrset dnskeys = dnskeys_of(&apex);
    for (struct dns_rdata_cursor c = dns_rrset_walk(&dnskeys); dns_rdata_next(&c);) {
        if (zone_is_own_key_record(job, DNS_TYPE_DNSKEY, c.rdata) ||
            key_search_rrset_has(&known, c.rdata)) {
            continue;
        }
        first = count == 0 ? dnskey_tag(c.rdata) : first;
        count++;
    }
    if (count > 0) {
        char label[ZONE_LABEL_BYTES];
        log_write(LOG_ZONE, SEVERITY_WARNING,
                  "zone %s: the transfer brings %u DNSKEY record%s of keys that are not ours, of "
                  "key %u first: published beside ours, as is right where others sign the zone as "
                  "well; else have them taken out at the primary",
                  zone_label(job->settings, label), count, count == 1 ? "" : "s", first);
    }
}

void zone_warn_of_transferred(const struct zone_job *job, struct zone_edit *edit)
{
    const struct zone_version *draft = zone_edit_draft(edit);
    const struct zone_version *base =
        zone_edit_continues(edit, job->lent.base) ? job->lent.base : NULL;
    warn_of_cnames(job, base, draft);
    if (zone_is_to_be_signed(job)) {
        warn_of_dnskeys(job, base, draft);
    }
}
