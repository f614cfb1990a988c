/* May the update be done at all? Looked at as a whole before anything changes (RFC 2136 3.4.1). */
#include "dns/rrtype.h"
#include "zone/check_names.h"
#include "zone/update_work.h"

/* Made by the signer, and by nobody else. */
static bool is_signers(uint16_t type)
{
    return type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC || type == DNS_TYPE_NSEC3 ||
           type == DNS_TYPE_SIG || type == DNS_TYPE_NXT;
}

static bool is_malformed(const struct update_work *work, const struct dns_record *record)
{
    bool is_meta = dns_type_is_meta(record->type);
    if (record->rrclass == work->rrclass) {
        return is_meta;
    }
    if (record->rrclass == DNS_CLASS_ANY) {
        return record->ttl != 0 || record->rdata_length != 0 ||
               (is_meta && record->type != DNS_TYPE_ANY);
    }
    return record->rrclass != DNS_CLASS_NONE || record->ttl != 0 || is_meta;
}

/* BIND's check-names: the owners of addresses and of MX are hostnames. */
static bool has_bad_owner(const struct update_record *record)
{
    struct span owner = {record->owner.wire, record->owner.length};
    switch (record->type) {
    case DNS_TYPE_A:
        return !check_is_hostname(owner, true) && !check_is_special_owner(owner);
    case DNS_TYPE_AAAA:
    case DNS_TYPE_WKS:
    case DNS_TYPE_MX:
        return !check_is_hostname(owner, true);
    default:
        return false;
    }
}

/* What would keep the zone from being loaded. */
static bool check_owner(struct update_work *work, const struct update_record *record)
{
    if (record->rrclass != work->rrclass) {
        return true;
    }
    if (record->type == DNS_TYPE_NS && dns_name_is_wildcard(&record->owner)) {
        return update_refuse_record(work, DNS_RCODE_REFUSED, record,
                                    "invalid NS owner name (wildcard)");
    }
    if (work->options->check_names == CHECK_IGNORE || !has_bad_owner(record)) {
        return true;
    }
    if (work->options->check_names == CHECK_FAIL) {
        return update_refuse_record(work, DNS_RCODE_REFUSED, record,
                                    "bad owner name (check-names)");
    }
    update_note(work, SEVERITY_WARNING, record, "bad owner name (check-names)");
    return true;
}

static bool may(struct update_work *work, struct update_record *record, uint16_t type)
{
    const struct zone_update_options *options = work->options;
    const struct zone_update_wish wish = {
        .owner = &record->owner,
        .type = type,
        .adds = record->rrclass == work->rrclass,
        .rdata =
            record->rrclass != DNS_CLASS_ANY ? update_rdata(work, record) : (struct span){NULL, 0},
    };
    return options->may(options->argument, &wish, &record->records_max);
}

/* Deleting a name deletes each type that it has, but for those that stay (RFC 2136 3.4.2.3). */
static bool may_clear(struct update_work *work, struct update_record *record)
{
    const struct patch_name *name = update_name(work, record);
    const struct patch_rrset *rrset;
    for (unsigned i = 0; (rrset = patch_name_at(name, i)) != NULL; i++) {
        bool stays = update_at_apex(work, record) &&
                     (rrset->type == DNS_TYPE_SOA || rrset->type == DNS_TYPE_NS);
        if (rrset->count > 0 && !stays && !may(work, record, rrset->type)) {
            return false;
        }
    }
    return true;
}

static bool check_policy(struct update_work *work, struct update_record *record)
{
    if (work->options->may == NULL) {
        return true;
    }
    bool allowed =
        record->type == DNS_TYPE_ANY ? may_clear(work, record) : may(work, record, record->type);
    return allowed ||
           update_refuse_record(work, DNS_RCODE_REFUSED, record, "rejected by update-policy");
}

/* Acknowledged, it would be neither in the source nor published for longer than its key is. */
static bool adds_own_key(const struct update_work *work, const struct update_record *record)
{
    const struct zone_update_options *options = work->options;
    return options->is_signed && options->is_own != NULL && record->rrclass == work->rrclass &&
           update_is_key_type(record->type) && update_at_apex(work, record) &&
           options->is_own(options->argument, record->type, update_rdata(work, record));
}

static bool scan_one(struct update_work *work, const struct dns_record *record)
{
    struct update_record *read = update_read_record(work, record);
    if (!update_is_in_zone(work, read)) {
        return false;
    }
    if (is_malformed(work, record)) {
        return update_refuse_record(work, DNS_RCODE_FORMERR, read, "malformed update");
    }
    /* RFC 1035 3.4: what it would be in another class has no name, and no format that we know. To
     * take it away needs none. */
    if (record->rrclass == work->rrclass && !dns_class_has_type(record->rrclass, record->type)) {
        return update_refuse_record(work, DNS_RCODE_FORMERR, read,
                                    "the type is not one of the zone's class");
    }
    if (record->rrclass != DNS_CLASS_ANY && !update_read_rdata(work, record)) {
        return false;
    }
    if (is_signers(record->type)) {
        return update_refuse_record(work, DNS_RCODE_REFUSED, read,
                                    "explicit updates of this type are not allowed");
    }
    if (adds_own_key(work, read)) {
        return update_refuse_record(work, DNS_RCODE_REFUSED, read,
                                    "of a key of ours, or asks for no DS: when that is published "
                                    "is the policy's to say");
    }
    return check_owner(work, read) && check_policy(work, read);
}

bool update_prescan(struct update_work *work)
{
    const struct dns_message *message = work->message;
    size_t offset = message->section_offsets[1];
    update_list_start(&work->list, message->counts[2]);
    for (unsigned left = message->counts[2]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return update_refuse(work, DNS_RCODE_FORMERR, "malformed update section");
        }
        if (!scan_one(work, &record)) {
            return false;
        }
        offset = record.after;
    }
    return true;
}
