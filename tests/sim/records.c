#include "sim/records.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "dns/rdata.h"
#include "dns/text.h"

enum { SOA_NUMBERS_BYTES = 20 };

void records_clear(struct records *records)
{
    mem_free(records->at);
    *records = (struct records){0};
}

void records_copy(const struct records *from, struct records *to)
{
    records_clear(to);
    if (from->count > 0) {
        to->at = mem_copy(from->at, from->count * sizeof(*from->at));
        to->count = to->capacity = from->count;
    }
}

static int compare_key(const struct record *record, const struct dns_name *owner, uint16_t type)
{
    int order = dns_name_compare(&record->owner, owner);
    return order != 0 ? order : (int)record->type - (int)type;
}

size_t records_find(const struct records *records, const struct dns_name *owner, uint16_t type)
{
    size_t low = 0, high = records->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_key(&records->at[middle], owner, type) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Of two rdatas of one RRset. */
static int compare_rdata(const struct record *a, const struct record *b)
{
    return dns_rdata_compare(a->type, (struct span){a->rdata, a->length},
                             (struct span){b->rdata, b->length});
}

static size_t find_record(const struct records *records, const struct record *record,
                          bool *out_there)
{
    size_t at = records_find(records, &record->owner, record->type);
    *out_there = false;
    while (at < records->count &&
           compare_key(&records->at[at], &record->owner, record->type) == 0) {
        int order = compare_rdata(&records->at[at], record);
        if (order >= 0) {
            *out_there = order == 0;
            break;
        }
        at++;
    }
    return at;
}

bool records_add(struct records *records, const struct record *record)
{
    bool there;
    size_t at = find_record(records, record, &there);
    if (there) {
        return false;
    }
    if (records->count == records->capacity) {
        records->capacity = records->capacity * 2 + 16;
        records->at = mem_resize_array(records->at, records->capacity, sizeof(*records->at));
    }
    memmove(&records->at[at + 1], &records->at[at], (records->count - at) * sizeof(*records->at));
    records->at[at] = *record;
    records->count++;
    return true;
}

static void remove_at(struct records *records, size_t at, size_t count)
{
    records->count -= count;
    memmove(&records->at[at], &records->at[at + count],
            (records->count - at) * sizeof(*records->at));
}

bool records_remove(struct records *records, const struct record *record, bool ttl_too)
{
    bool there;
    size_t at = find_record(records, record, &there);
    if (!there || (ttl_too && records->at[at].ttl != record->ttl)) {
        return false;
    }
    remove_at(records, at, 1);
    return true;
}

void records_remove_rrset(struct records *records, const struct dns_name *owner, uint16_t type)
{
    size_t from = records_find(records, owner, type);
    size_t to = from;
    while (to < records->count && dns_name_equal(&records->at[to].owner, owner) &&
           (type == 0 || records->at[to].type == type)) {
        to++;
    }
    if (to > from) {
        remove_at(records, from, to - from);
    }
}

bool records_have(const struct records *records, const struct dns_name *owner, uint16_t type)
{
    size_t at = records_find(records, owner, type);
    return at < records->count && dns_name_equal(&records->at[at].owner, owner) &&
           (type == 0 || records->at[at].type == type);
}

static bool record_same(const struct record *a, const struct record *b)
{
    return a->type == b->type && a->ttl == b->ttl && a->length == b->length &&
           dns_name_equal(&a->owner, &b->owner) && memcmp(a->rdata, b->rdata, a->length) == 0;
}

bool records_same(const struct records *a, const struct records *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!record_same(&a->at[i], &b->at[i])) {
            return false;
        }
    }
    return true;
}

uint64_t records_digest(const struct records *records)
{
    uint8_t key[16] = {0};
    for (size_t i = 0; i < records->count; i++) {
        const struct record *record = &records->at[i];
        uint64_t part[4] = {siphash(key, record->owner.wire, record->owner.length),
                            siphash(key, record->rdata, record->length),
                            (uint64_t)record->type << 32 | record->ttl, 0};
        memcpy(&part[3], key, sizeof(part[3]));
        uint64_t sum = siphash(key, part, sizeof(part));
        memcpy(key, &sum, sizeof(sum));
    }
    uint64_t digest;
    memcpy(&digest, key, sizeof(digest));
    return digest;
}

/* What the signer makes, or an operator may not bring along; the SOA is looked at apart. */
static bool is_ours(uint16_t type)
{
    return dns_type_is_generated(type) || type == DNS_TYPE_SOA || type == DNS_TYPE_DNSKEY ||
           type == DNS_TYPE_CDS || type == DNS_TYPE_CDNSKEY || type == DNS_TYPE_PRIVATE_DEFAULT;
}

void records_unsigned(const struct records *records, struct records *out_source)
{
    records_copy(records, out_source);
    size_t kept = 0;
    for (size_t i = 0; i < out_source->count; i++) {
        if (!is_ours(out_source->at[i].type)) {
            out_source->at[kept++] = out_source->at[i];
        }
    }
    out_source->count = kept;
}

char *record_text(const struct record *record)
{
    char owner[DNS_NAME_TEXT_BYTES], type[DNS_TYPE_TEXT_BYTES];
    struct buffer rdata = BUFFER_EMPTY;
    dns_rdata_to_text(record->type, (struct span){record->rdata, record->length}, &rdata);
    char *text = mem_format("%s %u IN %s %s", dns_name_to_text(&record->owner, owner), record->ttl,
                            dns_type_to_text(record->type, type), buffer_text(&rdata));
    buffer_free(&rdata);
    return text;
}

static const struct record *first_missing(const struct records *from, const struct records *in)
{
    for (size_t i = 0; i < from->count; i++) {
        bool there;
        size_t at = find_record(in, &from->at[i], &there);
        if (!there || !record_same(&in->at[at], &from->at[i])) {
            return &from->at[i];
        }
    }
    return NULL;
}

char *records_difference(const struct records *wanted, const struct records *found)
{
    const struct record *missing = first_missing(wanted, found);
    const struct record *surplus = first_missing(found, wanted);
    char *a = missing != NULL ? record_text(missing) : mem_copy_text("-");
    char *b = surplus != NULL ? record_text(surplus) : mem_copy_text("-");
    char *text = mem_format("%zu records wanted, %zu found; missing: %s; too many: %s",
                            wanted->count, found->count, a, b);
    mem_free(a);
    mem_free(b);
    return text;
}

bool record_parse(struct span message, size_t offset, struct record *out_record, size_t *out_after)
{
    struct dns_record parsed;
    struct buffer rdata = BUFFER_EMPTY;
    if (dns_record_parse(message, offset, &parsed) != SG_OK ||
        dns_rdata_from_message(message, parsed.rdata_offset, parsed.rdata_length, parsed.type,
                               &rdata) != SG_OK ||
        rdata.length > RECORD_RDATA_BYTES_MAX) {
        buffer_free(&rdata);
        return false;
    }
    memset(out_record, 0, sizeof(*out_record));
    out_record->owner = parsed.owner;
    dns_name_lower(&out_record->owner);
    out_record->type = parsed.type;
    out_record->ttl = parsed.ttl;
    out_record->length = (uint16_t)rdata.length;
    if (rdata.length > 0) {
        memcpy(out_record->rdata, rdata.bytes, rdata.length);
    }
    buffer_free(&rdata);
    *out_after = parsed.after;
    return true;
}

void record_write(struct writer *writer, const struct record *record)
{
    writer_bytes(writer, record->owner.wire, record->owner.length);
    writer_u16(writer, record->type);
    writer_u16(writer, DNS_CLASS_IN);
    writer_u32(writer, record->ttl);
    writer_u16(writer, record->length);
    writer_bytes(writer, record->rdata, record->length);
}

uint32_t record_serial(const struct record *soa)
{
    ASSERT(soa->type == DNS_TYPE_SOA && soa->length >= SOA_NUMBERS_BYTES);
    return wire_get_u32(soa->rdata + soa->length - SOA_NUMBERS_BYTES);
}
