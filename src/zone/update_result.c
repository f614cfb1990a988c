/* What an update leaves must be fit to be served, to be signed, and to be loaded again. */
#include "dns/rrtype.h"
#include "zone/cds_fit.h"
#include "zone/check_target.h"
#include "zone/update_work.h"

/* ---- DS without a delegation ---- */

/* RFC 4035 2.4: a DS belongs to a delegation; one that is left alone goes with it. */
static void remove_orphan_ds(struct update_work *work)
{
    struct patch_name *name;
    for (unsigned i = 0; (name = patch_at(work->patch, i)) != NULL; i++) {
        if (patch_name_rrset(name, DNS_TYPE_DS, 0) == NULL ||
            patch_name_rrset(name, DNS_TYPE_NS, 0) != NULL ||
            !(patch_name_is_changed(name, DNS_TYPE_DS) ||
              patch_name_is_changed(name, DNS_TYPE_NS))) {
            continue;
        }
        struct update_record record = {.type = DNS_TYPE_DS, .owner = *work->apex};
        struct span owner = patch_name_owner(name);
        memmove(record.owner.wire + owner.length, record.owner.wire, record.owner.length);
        memcpy(record.owner.wire, owner.bytes, owner.length);
        record.owner.length = (uint8_t)(record.owner.length + owner.length);
        update_note(work, SEVERITY_NOTICE, &record, "DS without NS is removed");
        patch_clear(name, DNS_TYPE_DS, 0);
    }
}

/* ---- CDS and CDNSKEY ---- */

static void note_ours(const struct update_work *work, uint16_t type,
                      struct cds_algorithms *algorithms)
{
    struct dns_rrset generated;
    if (!update_ours(work, type, &generated)) {
        return;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&generated); dns_rdata_next(&c);) {
        if (!update_is_imported(work, type, c.rdata)) {
            cds_note(algorithms, type, c.rdata);
        }
    }
}

/* Ours and others'; a DELETE of ours stands alone (dnssec/sign_apex.h). */
static struct cds_algorithms list_algorithms(struct update_work *work,
                                             const struct patch_name *apex, uint16_t type)
{
    struct cds_algorithms algorithms = CDS_ALGORITHMS_NONE;
    note_ours(work, type, &algorithms);
    const struct patch_rrset *source =
        algorithms.deletes > 0 ? NULL : patch_name_rrset(apex, type, 0);
    for (uint32_t i = 0; source != NULL && i < source->count; i++) {
        cds_note(&algorithms, type, patch_rrset_rdata(source, i));
    }
    return algorithms;
}

static bool check_cds(struct update_work *work, const struct patch_name *apex)
{
    bool keys_changed = patch_name_is_changed(apex, DNS_TYPE_DNSKEY);
    bool cds_changed = patch_name_is_changed(apex, DNS_TYPE_CDS);
    bool cdnskey_changed = patch_name_is_changed(apex, DNS_TYPE_CDNSKEY);
    if (!keys_changed && !cds_changed && !cdnskey_changed) {
        return true;
    }
    struct cds_algorithms keys = list_algorithms(work, apex, DNS_TYPE_DNSKEY);
    struct cds_algorithms cds = list_algorithms(work, apex, DNS_TYPE_CDS);
    struct cds_algorithms cdnskey = list_algorithms(work, apex, DNS_TYPE_CDNSKEY);
    if (!cds_is_fit(&cds, &keys)) {
        return update_refuse(work, DNS_RCODE_REFUSED, "bad CDS RRset");
    }
    if (!cds_is_fit(&cdnskey, &keys)) {
        return update_refuse(work, DNS_RCODE_REFUSED, "bad CDNSKEY RRset");
    }
    return true;
}

/* ---- name servers of the zone ---- */

static struct patch_name *name_after(struct update_work *work, const struct dns_name *name)
{
    size_t length = (size_t)name->length - work->apex->length;
    return patch_find_name(work->patch, false, (struct span){name->wire, length});
}

static bool has_address(const struct patch_name *name)
{
    return patch_name_rrset(name, DNS_TYPE_A, 0) != NULL ||
           patch_name_rrset(name, DNS_TYPE_AAAA, 0) != NULL;
}

/* Of names that the update adds below `name`, is there one? */
static bool patch_has_below(const struct update_work *work, const struct dns_name *name)
{
    size_t length = (size_t)name->length - work->apex->length;
    struct patch_name *at;
    for (unsigned i = 0; (at = patch_at(work->patch, i)) != NULL; i++) {
        struct span owner = patch_name_owner(at);
        if (owner.length > length && patch_name_rrsets(at) > 0 &&
            owner_is_below(owner, (struct span){name->wire, length})) {
            return true;
        }
    }
    return false;
}

/* Does the name exist when the update is done, if only because one below it does (RFC 4592 2.2.2)?
 * Of the names that were there, those that the update takes away are passed over. */
static bool exists_after(struct update_work *work, const struct dns_name *name)
{
    struct zone_cursor cursor;
    struct dns_name owner;
    if (patch_name_rrsets(name_after(work, name)) > 0 || patch_has_below(work, name)) {
        return true;
    }
    zone_cursor_seek(&cursor, work->draft, name);
    while (zone_cursor_next(&cursor)) {
        zone_version_owner(work->draft, &cursor.node, &owner);
        if (!dns_name_is_at_or_below(&owner, name)) {
            return false;
        }
        if (patch_name_rrsets(name_after(work, &owner)) > 0) {
            return true;
        }
    }
    return false;
}

enum above { ABOVE_NOTHING, ABOVE_DELEGATION, ABOVE_DNAME };

/* What stands between the apex and the name, the first counts. A delegation may be at the name. */
static enum above find_above(struct update_work *work, const struct dns_name *name)
{
    for (unsigned labels = work->apex->labels; labels <= name->labels; labels++) {
        struct dns_name at = dns_name_parent(name, name->labels - labels);
        const struct patch_name *patched = name_after(work, &at);
        if (labels > work->apex->labels && patch_name_rrset(patched, DNS_TYPE_NS, 0) != NULL) {
            return ABOVE_DELEGATION;
        }
        if (labels < name->labels && patch_name_rrset(patched, DNS_TYPE_DNAME, 0) != NULL) {
            return ABOVE_DNAME;
        }
    }
    return ABOVE_NOTHING;
}

/* A name that does not exist is answered for by the wildcard at its closest encloser, if any. */
static bool has_wildcard_address(struct update_work *work, const struct dns_name *name)
{
    struct dns_name wildcard;
    struct dns_name encloser = dns_name_parent(name, 1);
    while (encloser.labels > work->apex->labels && !exists_after(work, &encloser)) {
        encloser = dns_name_parent(&encloser, 1);
    }
    return dns_name_wildcard(&encloser, &wildcard) == SG_OK &&
           has_address(name_after(work, &wildcard));
}

/* As it is found when the file is loaded again (check_target.c): behind a delegation it is another
 * zone's to know. */
static bool is_reached(struct update_work *work, const struct dns_name *target)
{
    switch (find_above(work, target)) {
    case ABOVE_DELEGATION:
        return true;
    case ABOVE_DNAME:
        return false;
    case ABOVE_NOTHING:
        break;
    }
    return has_address(name_after(work, target)) ||
           (!exists_after(work, target) && has_wildcard_address(work, target));
}

/*
 * Without addresses of its name servers the zone could not be found, nor loaded again. What takes
 * them away may be a change of the NS, of an address, of a cut or DNAME above, or any name that
 * comes where a wildcard has stood for it: so each server is looked for with every update. One that
 * could not be reached before, as in a zone that was transferred, is no fault of this update.
 */
static bool check_name_servers(struct update_work *work, const struct patch_name *apex)
{
    bool changed = patch_name_is_changed(apex, DNS_TYPE_NS);
    const struct patch_rrset *servers = patch_name_rrset(apex, DNS_TYPE_NS, 0);
    for (uint32_t i = 0; servers != NULL && i < servers->count; i++) {
        struct dns_name target;
        struct span relative;
        char text[DNS_NAME_TEXT_BYTES];
        if (dns_name_from_wire(patch_rrset_rdata(servers, i), &target) != SG_OK) {
            continue;
        }
        dns_name_lower(&target);
        if (!owner_of(&target, work->apex, &relative) || is_reached(work, &target) ||
            (!changed && !check_server_is_reached(work->draft, &target))) {
            continue;
        }
        return update_refuse(work, DNS_RCODE_REFUSED,
                             "post update name server sanity check failed: '%s' has no address "
                             "records (A or AAAA)",
                             dns_name_to_text_short(&target, text));
    }
    return true;
}

bool update_check_result(struct update_work *work)
{
    remove_orphan_ds(work);
    struct patch_name *apex = patch_find_name(work->patch, false, (struct span){NULL, 0});
    return check_cds(work, apex) && check_name_servers(work, apex);
}
