/* The changes of an update, one RR after the other (RFC 2136 3.4.2). */
#include <stdio.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "zone/update_work.h"

enum {
    SERIAL_FROM_END = 20, /* RFC 1035 3.3.13: five numbers end the rdata of a SOA */
    SOA_BYTES_MIN = SERIAL_FROM_END + 2,
    WKS_KEY_BYTES = 5, /* address and protocol, RFC 1035 3.4.2 */
    TTL_MAX = INT32_MAX,
};

static bool has_other_than_cname(const struct patch_name *name)
{
    const struct patch_rrset *rrset;
    for (unsigned i = 0; (rrset = patch_name_at(name, i)) != NULL; i++) {
        if (rrset->count > 0 && rrset->type != DNS_TYPE_CNAME &&
            !dns_type_is_beside_cname(rrset->type)) {
            return true;
        }
    }
    return false;
}

/* Types of which nothing that a client says is done, wherever it says it. */
static bool is_unheard(const struct update_work *work, const struct update_record *record)
{
    const struct zone_update_options *options = work->options;
    if (!options->is_signed) {
        return false;
    }
    if (options->private_type != 0 && record->type == options->private_type) {
        return true;
    }
    if (record->type == DNS_TYPE_NSEC3PARAM) {
        update_note(work, SEVERITY_WARNING, record,
                    "ignored: the dnssec-policy decides on the chain");
        return true;
    }
    return false;
}

static uint32_t serial_of(struct span soa)
{
    return soa.length >= SOA_BYTES_MIN ? wire_get_u32(soa.bytes + soa.length - SERIAL_FROM_END) : 0;
}

/* RFC 2136 3.4.2.2: only a SOA that is greater than the one there is. */
static bool is_newer_soa(struct update_work *work, const struct patch_name *name,
                         const struct update_record *record)
{
    const struct patch_rrset *there = patch_name_rrset(name, DNS_TYPE_SOA, 0);
    if (there == NULL) {
        return false;
    }
    /* The source's serial may lag behind the one that is served: it must pass both. */
    uint32_t serial = serial_of(update_rdata(work, record));
    return serial_compare(serial, serial_of(update_seen_soa(work))) > 0 &&
           serial_compare(serial, serial_of(patch_rrset_rdata(there, 0))) > 0;
}

/* Why is an addition not done? NULL: it is. RFC 2136 3.4.2.2, RFC 6672 5.2, RFC 4035 2.4. */
static const char *why_not_added(struct update_work *work, const struct patch_name *name,
                                 const struct update_record *record)
{
    switch (record->type) {
    case DNS_TYPE_CNAME:
        return has_other_than_cname(name) ? "attempt to add CNAME alongside non-CNAME ignored"
                                          : NULL;
    case DNS_TYPE_SOA:
        return !update_at_apex(work, record)       ? "attempt to create a second SOA ignored"
               : !is_newer_soa(work, name, record) ? "SOA that does not raise the serial ignored"
                                                   : NULL;
    case DNS_TYPE_DS:
        if (update_at_apex(work, record)) {
            return "attempt to add a DS at the apex ignored";
        }
        break;
    default:
        break;
    }
    bool hidden = patch_name_rrset(name, DNS_TYPE_CNAME, 0) != NULL;
    return hidden && !(record->type == DNS_TYPE_CNAME || dns_type_is_beside_cname(record->type))
               ? "attempt to add non-CNAME alongside CNAME ignored"
               : NULL;
}

/* The TTL that the whole RRset gets: an update is the way to change it. */
static uint32_t ttl_of(const struct update_work *work, const struct patch_name *name,
                       const struct update_record *record)
{
    struct dns_rrset generated;
    uint32_t limit = work->options->max_zone_ttl;
    uint32_t ttl = record->ttl > TTL_MAX ? 0 : record->ttl; /* RFC 2181 8 */
    if (work->options->is_signed && update_is_key_type(record->type) &&
        update_at_apex(work, record)) {
        const struct patch_rrset *there = patch_name_rrset(name, record->type, 0);
        if (update_ours(work, record->type, &generated)) {
            return generated.ttl;
        }
        ttl = there != NULL ? there->ttl : ttl;
    }
    if (limit != 0 && ttl > limit) {
        update_note(work, SEVERITY_WARNING, record, "TTL is lowered to max-zone-ttl");
        return limit;
    }
    return ttl;
}

/* RFC 2136 3.4.2.2: what the new RR takes the place of. */
static void remove_replaced(struct update_work *work, struct patch_name *name,
                            const struct update_record *record)
{
    struct span rdata = update_rdata(work, record);
    if (dns_type_is_singleton(record->type)) {
        patch_clear(name, record->type, 0);
        return;
    }
    const struct patch_rrset *there = patch_name_rrset(name, record->type, 0);
    if (record->type != DNS_TYPE_WKS || there == NULL) {
        return;
    }
    for (uint32_t i = 0; i < there->count; i++) {
        struct span old = patch_rrset_rdata(there, i);
        if (memcmp(old.bytes, rdata.bytes, WKS_KEY_BYTES) == 0) {
            (void)!patch_remove(name, DNS_TYPE_WKS, old);
            return;
        }
    }
}

/* Is there room for one more RR? False: the outcome, or a note, tells. */
static bool has_room(struct update_work *work, const struct patch_name *name,
                     const struct update_record *record, bool *out_refused)
{
    const struct zone_update_options *options = work->options;
    bool is_new_type = patch_name_rrset(name, record->type, 0) == NULL;
    uint32_t count = update_count(work, record);
    *out_refused = true;
    if (options->records_per_type_max != 0 && count >= options->records_per_type_max) {
        return update_refuse_record(work, DNS_RCODE_REFUSED, record,
                                    "more records than max-records-per-type");
    }
    if (is_new_type && options->types_per_name_max != 0 &&
        patch_name_rrsets(name) >= options->types_per_name_max) {
        return update_refuse_record(work, DNS_RCODE_REFUSED, record,
                                    "more types than max-types-per-name");
    }
    *out_refused = false;
    if (record->records_max != 0 && count >= record->records_max) {
        update_note(work, SEVERITY_WARNING, record,
                    "attempt to add more records than the update-policy permits ignored");
        return false;
    }
    return true;
}

static bool add(struct update_work *work, const struct update_record *record)
{
    struct patch_name *name = update_name(work, record);
    const char *why_not = why_not_added(work, name, record);
    if (why_not != NULL) {
        update_note(work, SEVERITY_NOTICE, record, why_not);
        return true;
    }
    if (update_is_ours(work, record)) {
        return true; /* It is there, and its TTL is ours. */
    }
    const struct patch_rrset *there = patch_name_rrset(name, record->type, 0);
    if (there == NULL || !patch_rrset_has(there, update_rdata(work, record))) {
        bool refused;
        remove_replaced(work, name, record);
        if (!has_room(work, name, record, &refused)) {
            return !refused;
        }
    }
    uint32_t ttl = ttl_of(work, name, record);
    enum sg_result result = patch_add(name, record->type, ttl, update_packed(work, record));
    if (result == SG_LIMIT) {
        return update_refuse_record(work, DNS_RCODE_REFUSED, record, "too large");
    }
    work->outcome.soa_set = work->outcome.soa_set || record->type == DNS_TYPE_SOA;
    return true;
}

/* ---- deletions ---- */

static bool stays(const struct update_work *work, uint16_t type, bool at_apex)
{
    const struct zone_update_options *options = work->options;
    return at_apex && (type == DNS_TYPE_SOA || type == DNS_TYPE_NS ||
                       (options->is_signed && type == DNS_TYPE_NSEC3PARAM) ||
                       (options->is_signed && type == options->private_type));
}

/* RFC 2136 3.4.2.3: all RRsets of a name. */
static void clear_name(struct update_work *work, const struct update_record *record)
{
    struct patch_name *name = update_name(work, record);
    const struct patch_rrset *rrset;
    for (unsigned i = 0; (rrset = patch_name_at(name, i)) != NULL; i++) {
        if (!stays(work, rrset->type, update_at_apex(work, record))) {
            patch_clear(name, rrset->type, rrset->covered);
        }
    }
}

static void note_in_use(const struct update_work *work, const struct update_record *record)
{
    char text[80];
    char type[DNS_TYPE_TEXT_BYTES];
    snprintf(text, sizeof(text), "attempt to delete in use %s ignored",
             dns_type_to_text(record->type, type));
    update_note(work, SEVERITY_NOTICE, record, text);
}

static void clear_rrset(struct update_work *work, const struct update_record *record)
{
    struct dns_rrset generated;
    bool at_apex = update_at_apex(work, record);
    struct patch_name *name = update_name(work, record);
    if (stays(work, record->type, at_apex)) {
        update_note(work, SEVERITY_NOTICE, record, "attempt to delete all SOA or NS ignored");
        return;
    }
    patch_clear(name, record->type, 0);
    if (at_apex && update_ours(work, record->type, &generated) && update_count(work, record) > 0) {
        note_in_use(work, record);
    }
}

/* RFC 2136 3.4.2.4. A delegation may lose its last NS, the zone may not. */
static void remove_record(struct update_work *work, const struct update_record *record)
{
    bool at_apex = update_at_apex(work, record);
    struct patch_name *name = update_name(work, record);
    const struct patch_rrset *there = patch_name_rrset(name, record->type, 0);
    if (there == NULL || !patch_rrset_has(there, update_rdata(work, record))) {
        if (update_is_ours(work, record)) {
            note_in_use(work, record);
        }
        return;
    }
    if (at_apex && record->type == DNS_TYPE_SOA) {
        update_note(work, SEVERITY_NOTICE, record, "attempt to delete SOA ignored");
        return;
    }
    if (at_apex && record->type == DNS_TYPE_NS && there->count == 1) {
        update_note(work, SEVERITY_NOTICE, record, "attempt to delete last NS ignored");
        return;
    }
    (void)!patch_remove(name, record->type, update_rdata(work, record));
}

static bool change_one(struct update_work *work, const struct update_record *record)
{
    if (is_unheard(work, record)) {
        return true;
    }
    if (record->rrclass == work->rrclass) {
        return add(work, record);
    }
    if (record->rrclass == DNS_CLASS_NONE) {
        remove_record(work, record);
    } else if (record->type == DNS_TYPE_ANY) {
        clear_name(work, record);
    } else {
        clear_rrset(work, record);
    }
    return true;
}

bool update_change(struct update_work *work)
{
    for (uint32_t i = 0; i < work->list.count; i++) {
        if (!change_one(work, &work->list.records[i])) {
            return false;
        }
    }
    return true;
}
