#include "zone/transfer.h"

#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "zone/draft.h"
#include "zone/owner.h"
#include "zone/patch.h"

enum {
    SERIAL_FROM_END = 20, /* RFC 1035 3.3.13: five numbers end the rdata of a SOA */
    SOA_BYTES_MIN = SERIAL_FROM_END + 2,
    CHANGE_HEADER_BYTES = 10, /* kept difference: what, owner length, type, TTL, rdata length */
    TTL_MAX = INT32_MAX,
    /* What a message may cost by names that it comes back to: any name once, small ones as often as
     * there are records, some 20 ms of copying. */
    RELOADED_BYTES_MAX = 4 * BLOCK_BYTES_MAX,
};

/* What the next record may be. */
enum stage {
    STAGE_FIRST,  /* the new SOA */
    STAGE_SECOND, /* what tells a whole zone from differences */
    STAGE_WHOLE,
    STAGE_DELETED,
    STAGE_ADDED,
    STAGE_COMPLETE,
};

enum change { CHANGE_DELETE, CHANGE_ADD };

/* One RR that lies in the zone. */
struct incoming {
    struct dns_name owner; /* lower case */
    struct span relative;  /* of it */
    uint16_t type;
    uint32_t ttl;
    struct span rdata;
    uint32_t serial; /* of a SOA */
};

struct zone_transfer {
    struct dns_name apex;
    uint16_t rrclass;
    uint16_t rcode;
    bool has_base;
    uint32_t base_serial;
    struct zone_transfer_options options;
    struct zone_transfer_totals totals;

    enum stage stage;
    enum zone_transfer_kind kind;
    struct buffer soa; /* rdata of the first one */
    uint32_t soa_ttl;
    uint32_t serial;         /* of the first SOA */
    uint32_t serial_reached; /* by the differences so far */
    struct zone_edit *edit;  /* of a whole zone */
    uint64_t loaded_before;  /* by its gather, before the present message */
    struct buffer changes;   /* differences, in order */
    struct buffer rdata;     /* of the present record */
};

static bool is_stripped(const struct zone_transfer *transfer, uint16_t type)
{
    return transfer->options.strip_generated &&
           (dns_type_is_generated(type) ||
            (transfer->options.private_type != 0 && type == transfer->options.private_type));
}

static bool is_first_soa(const struct zone_transfer *transfer, const struct incoming *record)
{
    return record->serial == transfer->serial &&
           dns_rdata_compare(DNS_TYPE_SOA, record->rdata, buffer_span(&transfer->soa)) == 0;
}

/* ---- what a record does ---- */

static enum sg_result take_first(struct zone_transfer *transfer, const struct incoming *record)
{
    if (record->type != DNS_TYPE_SOA) {
        return SG_MALFORMED;
    }
    buffer_append(&transfer->soa, record->rdata.bytes, record->rdata.length);
    transfer->soa_ttl = record->ttl;
    transfer->serial = record->serial;
    transfer->stage = STAGE_SECOND;
    if (transfer->has_base && serial_compare(record->serial, transfer->base_serial) <= 0) {
        transfer->kind = ZONE_TRANSFER_CURRENT;
        transfer->stage = STAGE_COMPLETE;
    }
    return SG_OK;
}

static enum sg_result add_to_whole(struct zone_transfer *transfer, const struct incoming *record)
{
    uint32_t ttl;
    if (is_stripped(transfer, record->type)) {
        return SG_OK;
    }
    enum sg_result result = zone_edit_add_record(transfer->edit, &record->owner, record->type,
                                                 record->ttl, record->rdata, &ttl);
    if (transfer->edit->gather.loaded - transfer->loaded_before > RELOADED_BYTES_MAX) {
        return SG_LIMIT;
    }
    return result == SG_EXISTS ? SG_OK : result;
}

static enum sg_result take_whole(struct zone_transfer *transfer, const struct incoming *record)
{
    if (record->type != DNS_TYPE_SOA) {
        return add_to_whole(transfer, record);
    }
    if (!is_first_soa(transfer, record)) {
        return SG_MALFORMED;
    }
    transfer->stage = STAGE_COMPLETE;
    return SG_OK;
}

static enum sg_result begin_whole(struct zone_transfer *transfer, const struct incoming *record)
{
    const struct incoming soa = {
        .owner = transfer->apex,
        .type = DNS_TYPE_SOA,
        .ttl = transfer->soa_ttl,
        .rdata = buffer_span(&transfer->soa),
    };
    transfer->kind = ZONE_TRANSFER_WHOLE;
    transfer->stage = STAGE_WHOLE;
    transfer->edit = zone_edit_new(&transfer->apex, transfer->rrclass);
    transfer->edit->gather.records_per_type_max = transfer->options.records_per_type_max;
    transfer->edit->gather.types_per_name_max = transfer->options.types_per_name_max;
    enum sg_result result = add_to_whole(transfer, &soa);
    return result != SG_OK ? result : take_whole(transfer, record);
}

/* RFC 1995 4: differences go on with the SOA of the serial that was asked for. */
static enum sg_result take_second(struct zone_transfer *transfer, const struct incoming *record)
{
    if (!transfer->has_base || record->type != DNS_TYPE_SOA ||
        record->serial != transfer->base_serial) {
        return begin_whole(transfer, record);
    }
    transfer->kind = ZONE_TRANSFER_DIFFERENCES;
    transfer->stage = STAGE_DELETED;
    transfer->serial_reached = record->serial;
    return SG_OK;
}

static enum sg_result keep_change(struct zone_transfer *transfer, enum change change,
                                  const struct incoming *record)
{
    struct buffer *changes = &transfer->changes;
    uint64_t bytes_max = transfer->options.differences_bytes_max;
    if (is_stripped(transfer, record->type)) {
        return SG_OK;
    }
    buffer_append_u8(changes, (uint8_t)change);
    buffer_append_u8(changes, (uint8_t)record->relative.length);
    buffer_append_u16(changes, record->type);
    buffer_append_u32(changes, record->ttl);
    buffer_append(changes, record->relative.bytes, record->relative.length);
    buffer_append_u16(changes, (uint16_t)record->rdata.length);
    buffer_append(changes, record->rdata.bytes, record->rdata.length);
    return bytes_max != 0 && changes->length > bytes_max ? SG_LIMIT : SG_OK;
}

/* The SOA behind the deletions: of the version that the additions lead to. */
static enum sg_result take_deleted(struct zone_transfer *transfer, const struct incoming *record)
{
    if (record->type != DNS_TYPE_SOA) {
        return keep_change(transfer, CHANGE_DELETE, record);
    }
    if (serial_compare(record->serial, transfer->serial_reached) <= 0) {
        return SG_MALFORMED; /* it must rise, so that it ends */
    }
    transfer->serial_reached = record->serial;
    transfer->stage = STAGE_ADDED;
    return SG_OK;
}

/* The SOA behind the additions: the last one, or the next difference begins with it. */
static enum sg_result take_added(struct zone_transfer *transfer, const struct incoming *record)
{
    if (record->type != DNS_TYPE_SOA) {
        return keep_change(transfer, CHANGE_ADD, record);
    }
    if (record->serial != transfer->serial_reached) {
        return SG_MALFORMED;
    }
    if (record->serial != transfer->serial) {
        transfer->stage = STAGE_DELETED;
        return SG_OK;
    }
    if (!is_first_soa(transfer, record)) {
        return SG_MALFORMED;
    }
    transfer->stage = STAGE_COMPLETE;
    return SG_OK;
}

static enum sg_result take(struct zone_transfer *transfer, const struct incoming *record)
{
    switch (transfer->stage) {
    case STAGE_FIRST:
        return take_first(transfer, record);
    case STAGE_SECOND:
        return take_second(transfer, record);
    case STAGE_WHOLE:
        return take_whole(transfer, record);
    case STAGE_DELETED:
        return take_deleted(transfer, record);
    case STAGE_ADDED:
        return take_added(transfer, record);
    case STAGE_COMPLETE:
        return SG_MALFORMED; /* records behind the end */
    }
    UNREACHABLE();
}

/* ---- messages ---- */

/* SG_OUT_OF_ZONE: to be passed over. */
static enum sg_result read_record(struct zone_transfer *transfer, struct span message,
                                  const struct dns_record *record, struct incoming *out_record)
{
    if (record->rrclass != transfer->rrclass || dns_type_is_meta(record->type) ||
        !dns_class_has_type(record->rrclass, record->type)) {
        return SG_MALFORMED;
    }
    out_record->owner = record->owner;
    dns_name_lower(&out_record->owner);
    if (!owner_of(&out_record->owner, &transfer->apex, &out_record->relative)) {
        return SG_OUT_OF_ZONE;
    }
    buffer_clear(&transfer->rdata);
    if (dns_rdata_from_message(message, record->rdata_offset, record->rdata_length, record->type,
                               &transfer->rdata) != SG_OK) {
        return SG_MALFORMED;
    }
    out_record->type = record->type;
    out_record->ttl = record->ttl > TTL_MAX ? 0 : record->ttl; /* RFC 2181 8 */
    out_record->rdata = buffer_span(&transfer->rdata);
    if (record->type == DNS_TYPE_SOA) {
        if (out_record->relative.length != 0 || out_record->rdata.length < SOA_BYTES_MIN) {
            return SG_MALFORMED; /* a SOA elsewhere than at the apex */
        }
        out_record->serial =
            wire_get_u32(out_record->rdata.bytes + out_record->rdata.length - SERIAL_FROM_END);
    }
    return SG_OK;
}

/* Count `bytes` of a record in. What is passed over costs time, so there is an end to it, too. */
static enum sg_result count_bytes(struct zone_transfer *transfer, size_t bytes)
{
    const struct zone_transfer_options *options = &transfer->options;
    struct zone_transfer_totals *totals = &transfer->totals;
    totals->bytes += bytes;
    uint64_t records = totals->records + totals->out_of_zone;
    bool exceeds = (options->records_max != 0 && records > options->records_max) ||
                   (options->bytes_max != 0 && totals->bytes > options->bytes_max);
    return exceeds ? SG_LIMIT : SG_OK;
}

/* Names at full length, which is what it will cost us. */
static enum sg_result count_record(struct zone_transfer *transfer, const struct incoming *record)
{
    transfer->totals.records++;
    return count_bytes(transfer,
                       record->relative.length + CHANGE_HEADER_BYTES + record->rdata.length);
}

static enum sg_result pass_over(struct zone_transfer *transfer, const struct dns_record *record)
{
    transfer->totals.out_of_zone++;
    return count_bytes(transfer,
                       (size_t)record->owner.length + CHANGE_HEADER_BYTES + record->rdata_length);
}

static enum sg_result take_answers(struct zone_transfer *transfer,
                                   const struct dns_message *message)
{
    size_t offset = message->section_offsets[0];
    for (unsigned left = message->counts[1]; left > 0; left--) {
        struct dns_record record;
        struct incoming incoming;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return SG_MALFORMED;
        }
        offset = record.after;
        enum sg_result result = read_record(transfer, message->wire, &record, &incoming);
        if (result == SG_OK) {
            result = count_record(transfer, &incoming);
            result = result == SG_OK ? take(transfer, &incoming) : result;
        } else if (result == SG_OUT_OF_ZONE && transfer->stage != STAGE_FIRST) {
            result = pass_over(transfer, &record);
        }
        if (result != SG_OK) {
            return result == SG_OUT_OF_ZONE ? SG_MALFORMED : result;
        }
    }
    return SG_OK;
}

/* RFC 5936 2.2.1: a question, where there is one, is the one that was asked. */
static bool is_answer(const struct zone_transfer *transfer, const struct dns_message *message)
{
    if ((message->flags & DNS_FLAG_QR) == 0 || message->opcode != DNS_OPCODE_QUERY) {
        return false;
    }
    return !message->has_question || (dns_name_equal(&message->qname, &transfer->apex) &&
                                      message->qclass == transfer->rrclass &&
                                      (message->qtype == DNS_TYPE_AXFR ||
                                       (message->qtype == DNS_TYPE_IXFR && transfer->has_base)));
}

enum sg_result zone_transfer_feed(struct zone_transfer *transfer, struct span message,
                                  bool *out_complete)
{
    struct dns_message parsed;
    if (dns_message_parse(message, &parsed) != SG_OK || !is_answer(transfer, &parsed)) {
        return SG_MALFORMED;
    }
    if (parsed.rcode != DNS_RCODE_NOERROR) {
        transfer->rcode = parsed.rcode;
        return SG_UNSUPPORTED;
    }
    transfer->totals.messages++;
    transfer->loaded_before = transfer->edit != NULL ? transfer->edit->gather.loaded : 0;
    /* A message without records brings nothing, and there would be no end to them. */
    enum sg_result result = parsed.counts[1] > 0 ? take_answers(transfer, &parsed) : SG_MALFORMED;
    if (result == SG_OK) {
        *out_complete = transfer->stage == STAGE_COMPLETE;
    }
    return result;
}

uint16_t zone_transfer_rcode(const struct zone_transfer *transfer)
{
    return transfer->rcode;
}

enum zone_transfer_kind zone_transfer_kind(const struct zone_transfer *transfer)
{
    return transfer->kind;
}

uint32_t zone_transfer_serial(const struct zone_transfer *transfer)
{
    return transfer->serial;
}

struct zone_transfer_totals zone_transfer_totals(const struct zone_transfer *transfer)
{
    return transfer->totals;
}

/* ---- into an edit ---- */

struct zone_edit *zone_transfer_take_whole(struct zone_transfer *transfer)
{
    ASSERT(transfer->kind == ZONE_TRANSFER_WHOLE && transfer->stage == STAGE_COMPLETE);
    struct zone_edit *edit = transfer->edit;
    ASSERT(edit != NULL); /* it is taken once */
    transfer->edit = NULL;
    return edit;
}

static bool exceeds(const struct zone_transfer *transfer, const struct patch_name *name,
                    const struct patch_rrset *rrset)
{
    const struct zone_transfer_options *options = &transfer->options;
    return (options->records_per_type_max != 0 && rrset->count > options->records_per_type_max) ||
           (options->types_per_name_max != 0 &&
            patch_name_rrsets(name) > options->types_per_name_max);
}

static bool is_passed_over(const struct zone_transfer_own *own, struct span owner, uint16_t type,
                           struct span rdata)
{
    bool may_be_own = type == DNS_TYPE_DNSKEY || type == DNS_TYPE_CDS || type == DNS_TYPE_CDNSKEY;
    return own != NULL && owner.length == 0 && may_be_own &&
           own->is_own(own->argument, type, rdata);
}

/* One difference into the patch; the reader is ours, and sound. */
static enum sg_result patch_change(const struct zone_transfer *transfer,
                                   const struct zone_transfer_own *own, struct patch *patch,
                                   struct reader *reader)
{
    enum change change = (enum change)reader_u8(reader);
    size_t owner_length = reader_u8(reader);
    uint16_t type = reader_u16(reader);
    uint32_t ttl = reader_u32(reader);
    struct span owner = reader_span(reader, owner_length);
    const uint8_t *packed = reader->at;
    struct span rdata = reader_span(reader, reader_u16(reader));
    ASSERT(!reader->failed);
    if (is_passed_over(own, owner, type, rdata)) {
        return SG_OK;
    }

    uint16_t covered = type == DNS_TYPE_RRSIG ? wire_get_u16(rdata.bytes) : 0;
    struct patch_name *name = patch_find_name(patch, draft_is_nsec3(type, covered), owner);
    if (change == CHANGE_DELETE) {
        return patch_remove(name, type, rdata) == SG_OK ? SG_OK : SG_CONFLICT;
    }
    const struct patch_rrset *there = patch_name_rrset(name, type, covered);
    if (there != NULL && patch_rrset_has(there, rdata)) {
        /* NSD adds once more what the apex of its zone has had all along. */
        return there->ttl == ttl ? SG_OK : SG_CONFLICT;
    }
    enum sg_result result = patch_add(name, type, ttl, packed);
    if (result == SG_OK && exceeds(transfer, name, patch_name_rrset(name, type, covered))) {
        return SG_LIMIT;
    }
    return result;
}

static enum sg_result patch_soa(struct zone_transfer *transfer, struct patch *patch,
                                const struct buffer *packed)
{
    struct patch_name *apex = patch_find_name(patch, false, (struct span){NULL, 0});
    const struct patch_rrset *soa = patch_name_rrset(apex, DNS_TYPE_SOA, 0);
    if (soa == NULL ||
        wire_get_u32(patch_rrset_rdata(soa, 0).bytes + patch_rrset_rdata(soa, 0).length -
                     SERIAL_FROM_END) != transfer->base_serial) {
        return SG_CONFLICT;
    }
    patch_clear(apex, DNS_TYPE_SOA, 0);
    return patch_add(apex, DNS_TYPE_SOA, transfer->soa_ttl, packed->bytes);
}

enum sg_result zone_transfer_apply(struct zone_transfer *transfer,
                                   const struct zone_transfer_own *own, struct zone_edit *edit)
{
    ASSERT(transfer->kind == ZONE_TRANSFER_DIFFERENCES && transfer->stage == STAGE_COMPLETE);
    struct patch *patch = patch_new(edit);
    struct reader reader = reader_of(buffer_span(&transfer->changes));
    struct buffer soa = BUFFER_EMPTY;
    uint64_t changes;
    buffer_append_u16(&soa, (uint16_t)transfer->soa.length);
    buffer_append(&soa, transfer->soa.bytes, transfer->soa.length);
    enum sg_result result = patch_soa(transfer, patch, &soa);
    while (result == SG_OK && reader_left(&reader) > 0) {
        result = patch_change(transfer, own, patch, &reader);
    }
    if (result == SG_OK) {
        result = patch_write(patch, &changes);
    }
    patch_free(patch);
    buffer_free(&soa);
    return result;
}

struct zone_transfer *zone_transfer_new(const struct dns_name *apex, uint16_t rrclass,
                                        const struct zone_version *base,
                                        const struct zone_transfer_options *options)
{
    struct zone_transfer *transfer = mem_alloc_zero(1, sizeof(*transfer));
    transfer->apex = *apex;
    dns_name_lower(&transfer->apex);
    transfer->rrclass = rrclass;
    transfer->options = *options;
    if (base != NULL) {
        transfer->base_serial = zone_version_facts(base)->source_serial;
        transfer->has_base = true;
    }
    return transfer;
}

void zone_transfer_free(struct zone_transfer *transfer)
{
    if (transfer == NULL) {
        return;
    }
    zone_edit_abandon(transfer->edit);
    buffer_free(&transfer->soa);
    buffer_free(&transfer->changes);
    buffer_free(&transfer->rdata);
    mem_free(transfer);
}
