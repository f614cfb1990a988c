#include "dnssec/handover.h"

#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dnssec/key.h"

enum {
    KEYS_MAX = 128,          /* more than that are signed whole */
    DNSKEY_ALGORITHM_AT = 3, /* RFC 4034 2.1 */
    DNSKEY_BYTES_MIN = 4,
    RRSIG_ALGORITHM_AT = 2, /* RFC 4034 3.1 */
    RRSIG_TAG_AT = 16,
    RRSIG_BYTES_MIN = 18,
    ALGORITHM_SHIFT = 16,
};

/* Keys as signatures name them: algorithm and tag. */
struct names {
    uint32_t names[KEYS_MAX];
    size_t count;
    bool is_full; /* there are more, or one that cannot be read */
    bool repeats; /* one came twice */
};

static bool has_name(const struct names *names, uint32_t name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->names[i] == name) {
            return true;
        }
    }
    return false;
}

static void add_name(struct names *names, uint32_t name)
{
    if (has_name(names, name)) {
        names->repeats = true;
    } else if (names->count == KEYS_MAX) {
        names->is_full = true;
    } else {
        names->names[names->count++] = name;
    }
}

static uint32_t dnskey_name(struct span rdata)
{
    return (uint32_t)rdata.bytes[DNSKEY_ALGORITHM_AT] << ALGORITHM_SHIFT | dnskey_tag(rdata);
}

static uint32_t rrsig_name(struct span rdata)
{
    return (uint32_t)rdata.bytes[RRSIG_ALGORITHM_AT] << ALGORITHM_SHIFT |
           wire_get_u16(rdata.bytes + RRSIG_TAG_AT);
}

/* Who has signed the zone: the SOA is signed anew with every version, by all of them. */
static void list_before(const struct zone_version *base, struct names *out_names)
{
    struct dns_rrset signatures;
    *out_names = (struct names){.count = 0};
    if (!zone_node_signatures(zone_version_apex_node(base), ZONE_VIEW_SIGNED, DNS_TYPE_SOA,
                              &signatures)) {
        return;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&signatures); dns_rdata_next(&c);) {
        if (c.rdata.length < RRSIG_BYTES_MIN) {
            out_names->is_full = true;
            return;
        }
        add_name(out_names, rrsig_name(c.rdata));
    }
}

static void list_after(const struct sign_request *request, struct names *out_names)
{
    *out_names = (struct names){.count = 0};
    for (size_t i = 0; i < request->keys->count; i++) {
        const struct sign_key *key = &request->keys->keys[i];
        if (key->signs_zone) {
            add_name(out_names, (uint32_t)key->key->algorithm << ALGORITHM_SHIFT | key->key->tag);
        }
    }
}

static bool are_same(const struct names *a, const struct names *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!has_name(b, a->names[i])) {
            return false;
        }
    }
    return a->count == b->count;
}

static bool has_algorithms_of(const struct names *names, const struct names *others)
{
    for (size_t i = 0; i < others->count; i++) {
        bool found = false;
        for (size_t j = 0; j < names->count && !found; j++) {
            found = names->names[j] >> ALGORITHM_SHIFT == others->names[i] >> ALGORITHM_SHIFT;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* The DNSKEYs that the new version has: ours, and others' from the source. */
struct published {
    const struct dns_rrset *ours; /* NULL: none */
    struct dns_rrset others;      /* count 0: none */
};

static struct published find_published(const struct zone_version *draft,
                                       const struct sign_request *request)
{
    struct published published = {NULL, {.count = 0}};
    for (size_t i = 0; i < request->apex_count; i++) {
        if (request->apex[i].type == DNS_TYPE_DNSKEY) {
            published.ours = &request->apex[i];
        }
    }
    if (!zone_node_rrset(zone_version_apex_node(draft), ZONE_VIEW_UNSIGNED, DNS_TYPE_DNSKEY,
                         &published.others)) {
        published.others = (struct dns_rrset){.count = 0};
    }
    return published;
}

static bool holds(const struct dns_rrset *rrset, struct span rdata)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (dns_rdata_compare(DNS_TYPE_DNSKEY, c.rdata, rdata) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_published(const struct published *published, struct span rdata)
{
    return (published->ours != NULL && holds(published->ours, rdata)) ||
           (published->others.count > 0 && holds(&published->others, rdata));
}

/* What of the base's DNSKEY RRset goes; nothing, if there is none. */
static void list_gone(const struct zone_version *base, const struct published *published,
                      struct names *out_names)
{
    struct dns_rrset dnskey;
    *out_names = (struct names){.count = 0};
    if (!zone_node_rrset(zone_version_apex_node(base), ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY,
                         &dnskey)) {
        return;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&dnskey); dns_rdata_next(&c);) {
        if (c.rdata.length < DNSKEY_BYTES_MIN) {
            out_names->is_full = true;
        } else if (!is_published(published, c.rdata)) {
            add_name(out_names, dnskey_name(c.rdata));
        }
    }
}

/* Names of keys that `but` (NULL: nothing) does not hold too. False: one is no key. */
static bool add_names(const struct dns_rrset *rrset, const struct dns_rrset *but,
                      struct names *names)
{
    if (rrset == NULL || rrset->count == 0) {
        return true;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (c.rdata.length < DNSKEY_BYTES_MIN) {
            return false;
        }
        if (but == NULL || !holds(but, c.rdata)) {
            add_name(names, dnskey_name(c.rdata));
        }
    }
    return true;
}

static bool have_one_name_each(const struct published *published)
{
    struct names names = {.count = 0};
    return add_names(published->ours, NULL, &names) &&
           add_names(&published->others, published->ours, &names) && !names.is_full &&
           !names.repeats;
}

/* One of them is among the others. */
static bool is_any_of(const struct names *gone, const struct names *signers)
{
    for (size_t i = 0; i < gone->count; i++) {
        if (has_name(signers, gone->names[i])) {
            return true;
        }
    }
    return false;
}

/* Signatures over keys are made anew with the apex, whoever made them. */
static bool is_over_zone_data(const struct dns_rrset *rrset)
{
    return rrset->type == DNS_TYPE_RRSIG && rrset->covered != DNS_TYPE_DNSKEY &&
           rrset->covered != DNS_TYPE_CDS && rrset->covered != DNS_TYPE_CDNSKEY;
}

static bool is_by_any(const struct dns_rrset *signatures, const struct names *names)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(signatures); dns_rdata_next(&c);) {
        if (c.rdata.length < RRSIG_BYTES_MIN || has_name(names, rrsig_name(c.rdata))) {
            return true;
        }
    }
    return false;
}

static bool is_signed_by_any(const struct zone_node *node, const struct names *names)
{
    struct zone_rrset_walk walk = zone_node_walk(node, ZONE_VIEW_SIGNED);
    while (zone_node_walk_next(&walk)) {
        if (is_over_zone_data(&walk.rrset) && is_by_any(&walk.rrset, names)) {
            return true;
        }
    }
    return false;
}

/* Which keys the names have that no campaign has come to yet is written nowhere else. */
static bool tree_is_signed_by_any(const struct zone_version *base, bool nsec3,
                                  const struct names *names)
{
    struct zone_cursor *cursor = mem_alloc(sizeof(*cursor));
    bool found = false;
    (nsec3 ? zone_cursor_start_nsec3 : zone_cursor_start)(cursor, base);
    while (!found && zone_cursor_next(cursor)) {
        found = is_signed_by_any(&cursor->node, names);
    }
    mem_free(cursor);
    return found;
}

/* Has the base a signature over its data by a key that goes? */
static bool leaves_signatures(const struct zone_version *base, const struct names *gone,
                              const struct names *before, bool under_way)
{
    if (gone->count == 0 || is_any_of(gone, before)) {
        return gone->count > 0;
    }
    return under_way &&
           (tree_is_signed_by_any(base, false, gone) || tree_is_signed_by_any(base, true, gone));
}

enum handover handover_choose(const struct zone_version *base, const struct zone_version *draft,
                              const struct sign_request *request, bool under_way)
{
    struct names before, after, gone;
    const struct published published = find_published(draft, request);
    list_before(base, &before);
    list_after(request, &after);
    list_gone(base, &published, &gone);
    if (before.count == 0 || before.is_full || after.is_full || gone.is_full ||
        is_any_of(&gone, &after)) { /* replaced by another key of the same name */
        return HANDOVER_WHOLE;
    }
    bool same = are_same(&before, &after);
    if (same && !under_way) {
        return HANDOVER_NONE; /* A key that goes has left nothing behind. */
    }
    if (leaves_signatures(base, &gone, &before, under_way) || !have_one_name_each(&published) ||
        !has_algorithms_of(&before, &after) || !has_algorithms_of(&after, &before)) {
        return HANDOVER_WHOLE;
    }
    return same ? HANDOVER_NONE : HANDOVER_CAMPAIGN;
}
