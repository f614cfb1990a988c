/* The prerequisites of an update (RFC 2136 2.4, 3.2). */
#include <stdio.h>
#include <stdlib.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/update_work.h"

static bool fails(struct update_work *work, uint16_t rcode, const char *what)
{
    const struct update_record *record = &work->list.records[work->list.count - 1];
    char text[100];
    snprintf(text, sizeof(text), "'%s' prerequisite not satisfied", what);
    return update_refuse_record(work, rcode, record, text);
}

/* RFC 2136 2.4.4: an empty non-terminal owns nothing and is not in use. */
static bool is_in_use(struct update_work *work, const struct update_record *record)
{
    return update_at_apex(work, record) || patch_name_rrsets(update_name(work, record)) > 0;
}

/* 2.4.1 to 2.4.5. Those that name rdata are kept in the list. */
static bool check_one(struct update_work *work, const struct dns_record *record)
{
    if (!update_read_record(work, record)) {
        return false;
    }
    const struct update_record *read = &work->list.records[work->list.count - 1];
    if (record->ttl != 0) {
        return update_refuse_record(work, DNS_RCODE_FORMERR, read, "prerequisite TTL is not zero");
    }
    if (record->rrclass == work->rrclass) {
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
    bool there = of_name ? is_in_use(work, read) : update_count(work, read) > 0;
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
        if (!is_there(work, record) || (last && distinct != update_count(work, record))) {
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
