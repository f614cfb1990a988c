#include "zone/update.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/draft.h"
#include "zone/update_work.h"

bool update_refuse(struct update_work *work, uint16_t rcode, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(work->outcome.reason, sizeof(work->outcome.reason), format, arguments);
    va_end(arguments);
    work->outcome.rcode = rcode;
    return false;
}

bool update_refuse_record(struct update_work *work, uint16_t rcode,
                          const struct update_record *record, const char *text)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES];
    return update_refuse(work, rcode, "%s/%s: %s", dns_name_to_text_short(&record->owner, owner),
                         dns_type_to_text(record->type, type), text);
}

void update_note(const struct update_work *work, int severity, const struct update_record *record,
                 const char *text)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES];
    char note[ZONE_UPDATE_REASON_BYTES];
    if (work->options->note == NULL) {
        return;
    }
    snprintf(note, sizeof(note), "%s/%s: %s", dns_name_to_text_short(&record->owner, owner),
             dns_type_to_text(record->type, type), text);
    work->options->note(work->options->argument, severity, note);
}

/* ---- records of a section ---- */

void update_list_start(struct update_list *list, unsigned count)
{
    mem_free(list->records);
    list->records = count > 0 ? mem_alloc(count * sizeof(*list->records)) : NULL;
    list->count = 0;
    buffer_clear(&list->bytes);
}

void update_list_clear(struct update_list *list)
{
    mem_free(list->records);
    buffer_free(&list->bytes);
}

struct update_record *update_read_record(struct update_work *work, const struct dns_record *record)
{
    struct update_record *read = &work->list.records[work->list.count++];
    read->owner = record->owner;
    dns_name_lower(&read->owner);
    read->type = record->type;
    read->rrclass = record->rrclass;
    read->records_max = 0;
    read->ttl = record->ttl;
    read->packed = work->list.bytes.length;
    return read;
}

bool update_is_in_zone(struct update_work *work, const struct update_record *record)
{
    struct span relative;
    return owner_of(&record->owner, work->apex, &relative) ||
           update_refuse_record(work, DNS_RCODE_NOTZONE, record, "the name is out of zone");
}

bool update_read_rdata(struct update_work *work, const struct dns_record *record)
{
    struct buffer *bytes = &work->list.bytes;
    const struct update_record *read = &work->list.records[work->list.count - 1];
    buffer_append_u16(bytes, 0);
    size_t begin = bytes->length;
    if (dns_rdata_from_message(work->message->wire, record->rdata_offset, record->rdata_length,
                               record->type, bytes) != SG_OK) {
        return update_refuse_record(work, DNS_RCODE_FORMERR, read, "malformed rdata");
    }
    wire_put_u16(bytes->bytes + begin - 2, (uint16_t)(bytes->length - begin));
    return true;
}

struct patch_name *update_name(struct update_work *work, const struct update_record *record)
{
    size_t length = (size_t)record->owner.length - work->apex->length;
    return patch_find_name(work->patch, false, (struct span){record->owner.wire, length});
}

/* ---- what is ours at the apex ---- */

static bool layer_rrset(const struct zone_block *block, uint16_t type, struct dns_rrset *out_rrset)
{
    unsigned index;
    if (block == NULL || !block_find(block, false, type, &index)) {
        return false;
    }
    block_entry(block, index, out_rrset);
    return true;
}

static bool holds(const struct dns_rrset *rrset, struct span rdata)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (dns_rdata_compare(rrset->type, c.rdata, rdata) == 0) {
            return true;
        }
    }
    return false;
}

bool update_is_imported(const struct update_work *work, uint16_t type, struct span rdata)
{
    struct dns_rrset source;
    return layer_rrset(zone_version_apex_node(work->base)->source, type, &source) &&
           holds(&source, rdata);
}

bool update_ours(const struct update_work *work, uint16_t type, struct dns_rrset *out_generated)
{
    return work->options->is_signed && work->base != NULL && type != DNS_TYPE_SOA &&
           type != DNS_TYPE_NSEC &&
           layer_rrset(zone_version_apex_node(work->base)->generated, type, out_generated);
}

bool update_is_ours(const struct update_work *work, const struct update_record *record)
{
    struct dns_rrset generated;
    struct span rdata = update_rdata(work, record);
    return update_at_apex(work, record) && update_ours(work, record->type, &generated) &&
           holds(&generated, rdata) && !update_is_imported(work, record->type, rdata);
}

uint32_t update_count(struct update_work *work, const struct update_record *record)
{
    const struct patch_rrset *rrset = patch_name_rrset(update_name(work, record), record->type, 0);
    struct dns_rrset generated;
    uint32_t count = rrset != NULL ? rrset->count : 0;
    if (!update_at_apex(work, record) || !update_ours(work, record->type, &generated)) {
        return count;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&generated); dns_rdata_next(&c);) {
        count += !update_is_imported(work, record->type, c.rdata) &&
                 (rrset == NULL || !patch_rrset_has(rrset, c.rdata));
    }
    return count;
}

struct span update_seen_soa(struct update_work *work)
{
    struct dns_rrset generated;
    if (work->options->is_signed && work->base != NULL &&
        layer_rrset(zone_version_apex_node(work->base)->generated, DNS_TYPE_SOA, &generated)) {
        return dns_rrset_first(&generated);
    }
    struct patch_name *apex = patch_find_name(work->patch, false, (struct span){NULL, 0});
    const struct patch_rrset *soa = patch_name_rrset(apex, DNS_TYPE_SOA, 0);
    return soa != NULL ? patch_rrset_rdata(soa, 0) : (struct span){NULL, 0};
}

/* ---- the whole ---- */

/* RFC 2136 3.1: the zone section, as far as the caller has not looked. */
static bool check_zone_section(struct update_work *work)
{
    if (work->message->qtype != DNS_TYPE_SOA) {
        return update_refuse(work, DNS_RCODE_FORMERR, "update zone section contains non-SOA");
    }
    if (work->message->qclass != work->rrclass ||
        !dns_name_equal(&work->message->qname, work->apex)) {
        return update_refuse(work, DNS_RCODE_NOTAUTH, "not authoritative for update zone");
    }
    return true;
}

enum sg_result zone_update_apply(struct zone_edit *edit, const struct dns_message *message,
                                 const struct zone_update_options *options,
                                 struct zone_update_outcome *out_outcome)
{
    const struct zone_version *draft = zone_edit_draft(edit);
    struct update_work work = {
        .message = message,
        .options = options,
        .apex = zone_version_apex(draft),
        .rrclass = zone_version_class(draft),
        .base = edit->base,
        .draft = draft,
        .patch = patch_new(edit),
    };
    enum sg_result result = SG_OK;
    if (check_zone_section(&work) && update_check_prerequisites(&work) && update_prescan(&work) &&
        update_change(&work) && update_check_result(&work)) {
        result = patch_write(work.patch, &work.outcome.changes);
    }
    if (result == SG_OK) {
        *out_outcome = work.outcome;
        /* Of what was refused nothing is set: the serial must rise for the others of a batch. */
        out_outcome->soa_set = work.outcome.soa_set && work.outcome.rcode == DNS_RCODE_NOERROR;
    }
    update_list_clear(&work.list);
    patch_free(work.patch);
    return result;
}
