/* The prerequisites of an update (RFC 2136 2.4, 3.2). */
#include <stdio.h>
#include <stdlib.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/lineage.h"
#include "zone/update_work.h"

static bool fails(struct update_work *work, uint16_t rcode, const char *what)
{
    const struct update_record *record = &work->list.records[work->list.count - 1];
    char text[100];
    snprintf(text, sizeof(text), "'%s' prerequisite not satisfied", what);
    return update_refuse_record(work, rcode, record, text);
}

/* ---- what is there ---- */

/* What a signer makes, and no source has where the zone is signed here. */
static bool is_of_chain(uint16_t type)
{
    return type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC || type == DNS_TYPE_NSEC3;
}

static uint32_t count_in(const struct dns_rrset *rrset, const struct span *rdata)
{
    if (rdata == NULL) {
        return rrset->count;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (dns_rdata_compare(rrset->type, c.rdata, *rdata) == 0) {
            return 1;
        }
    }
    return 0;
}

/* As it is served: what the signer will make of the updates before this one nobody has seen. */
static uint32_t count_served(const struct update_work *work, uint16_t type, bool nsec3,
                             struct span owner, const struct span *rdata)
{
    const struct zone_version *base = work->base;
    const struct tree_cell *leaf =
        base != NULL ? tree_find(base->chunks, nsec3 ? &base->nsec3 : &base->names, owner) : NULL;
    if (leaf == NULL) {
        return 0;
    }
    struct zone_node node = tree_node(base->chunks, leaf);
    struct zone_rrset_walk walk = zone_node_walk(&node, ZONE_VIEW_SIGNED);
    uint32_t count = 0;
    while (zone_node_walk_next(&walk)) {
        count += walk.rrset.type == type ? count_in(&walk.rrset, rdata) : 0;
    }
    return count;
}

static uint32_t count_in_source(struct update_work *work, uint16_t type, bool nsec3,
                                struct span owner, const struct span *rdata)
{
    const struct patch_name *name = patch_find_name(work->patch, nsec3, owner);
    const struct patch_rrset *rrset;
    uint32_t count = 0;
    for (unsigned i = 0; (rrset = patch_name_at(name, i)) != NULL; i++) {
        if (rrset->type == type) {
            count += rdata == NULL ? rrset->count : patch_rrset_has(rrset, *rdata);
        }
    }
    return count;
}

/* RRs of such a type, in either tree; those of one `rdata` if it is not NULL. All signatures of a
 * name are one RRset here, whatever they cover: a prerequisite names the type RRSIG alone. */
static uint32_t count_of_chain(struct update_work *work, const struct update_record *record,
                               const struct span *rdata)
{
    size_t length = (size_t)record->owner.length - work->apex->length;
    const struct span owner = {record->owner.wire, length};
    uint32_t count = 0;
    for (int nsec3 = 0; nsec3 < 2; nsec3++) {
        count += work->options->is_signed
                     ? count_served(work, record->type, nsec3 == 1, owner, rdata)
                     : count_in_source(work, record->type, nsec3 == 1, owner, rdata);
    }
    return count;
}

static uint32_t count_there(struct update_work *work, const struct update_record *record)
{
    return is_of_chain(record->type) ? count_of_chain(work, record, NULL)
                                     : update_count(work, record);
}

/* ---- the prerequisites ---- */

/* RFC 2136 2.4.4: an empty non-terminal owns nothing and is not in use. */
static bool is_in_use(struct update_work *work, const struct update_record *record)
{
    return update_at_apex(work, record) || patch_name_rrsets(update_name(work, record)) > 0;
}

/* 2.4.1 to 2.4.5. Those that name rdata are kept in the list. */
static bool check_one(struct update_work *work, const struct dns_record *record)
{
    const struct update_record *read = update_read_record(work, record);
    if (record->ttl != 0) {
        return update_refuse_record(work, DNS_RCODE_FORMERR, read, "prerequisite TTL is not zero");
    }
    if (!update_is_in_zone(work, read)) {
        return false;
    }
    if (record->rrclass == work->rrclass) {
        if (dns_type_is_meta(record->type)) {
            return update_refuse_record(work, DNS_RCODE_FORMERR, read,
                                        "prerequisite of a type that no RR has");
        }
        return update_read_rdata(work, record);
    }
    if (record->rrclass != DNS_CLASS_ANY && record->rrclass != DNS_CLASS_NONE) {
        return update_refuse_record(work, DNS_RCODE_FORMERR, read, "malformed prerequisite");
    }
    if (record->rdata_length != 0) {
        return update_refuse_record(work, DNS_RCODE_FORMERR, read,
                                    "prerequisite RDATA is not empty");
    }
    bool wanted = record->rrclass == DNS_CLASS_ANY;
    bool of_name = record->type == DNS_TYPE_ANY;
    bool there = of_name ? is_in_use(work, read) : count_there(work, read) > 0;
    if (there != wanted) {
        return of_name
                   ? fails(work, wanted ? DNS_RCODE_NXDOMAIN : DNS_RCODE_YXDOMAIN,
                           wanted ? "name in use" : "name not in use")
                   : fails(work, wanted ? DNS_RCODE_NXRRSET : DNS_RCODE_YXRRSET,
                           wanted ? "RRset exists (value independent)" : "RRset does not exist");
    }
    work->list.count--;
    return true;
}

/* Any order that brings together what belongs together. */
static int compare(const void *a, const void *b, void *argument)
{
    const struct update_work *work = argument;
    const struct update_record *left = a, *right = b;
    if (left->owner.length != right->owner.length) {
        return left->owner.length < right->owner.length ? -1 : 1;
    }
    int order = memcmp(left->owner.wire, right->owner.wire, left->owner.length);
    if (order != 0) {
        return order;
    }
    if (left->type != right->type) {
        return left->type < right->type ? -1 : 1;
    }
    return dns_rdata_compare(left->type, update_rdata(work, left), update_rdata(work, right));
}

static bool is_there(struct update_work *work, const struct update_record *record)
{
    struct span rdata = update_rdata(work, record);
    if (record->type == DNS_TYPE_SOA && update_at_apex(work, record)) {
        /* Whoever names the serial wants to be the only one to change it. */
        return !work->options->serial_pending &&
               dns_rdata_compare(DNS_TYPE_SOA, update_seen_soa(work), rdata) == 0;
    }
    if (is_of_chain(record->type)) {
        return count_of_chain(work, record, &rdata) > 0;
    }
    const struct patch_rrset *rrset = patch_name_rrset(update_name(work, record), record->type, 0);
    return (rrset != NULL && patch_rrset_has(rrset, rdata)) || update_is_ours(work, record);
}

/* 2.4.2, 3.2.3: the RRsets are those of the zone, all of their RRs and no other. */
static bool check_values(struct update_work *work)
{
    struct update_list *list = &work->list;
    if (list->count > 1) {
        qsort_r(list->records, list->count, sizeof(*list->records), compare, work);
    }
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct update_record *record = &list->records[i];
        const struct update_record *next = i + 1 < list->count ? record + 1 : NULL;
        if (next != NULL && compare(record, next, work) == 0) {
            continue;
        }
        distinct++;
        bool last = next == NULL || next->type != record->type ||
                    !dns_name_equal(&next->owner, &record->owner);
        if (!is_there(work, record) || (last && distinct != count_there(work, record))) {
            list->count = i + 1;
            return fails(work, DNS_RCODE_NXRRSET, "RRset exists (value dependent)");
        }
        distinct = last ? 0 : distinct;
    }
    return true;
}

bool update_check_prerequisites(struct update_work *work)
{
    const struct dns_message *message = work->message;
    size_t offset = message->section_offsets[0];
    update_list_start(&work->list, message->counts[1]);
    for (unsigned left = message->counts[1]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return update_refuse(work, DNS_RCODE_FORMERR, "malformed prerequisite section");
        }
        if (!check_one(work, &record)) {
            return false;
        }
        offset = record.after;
    }
    return check_values(work);
}
