#include "dns/ds_reply.h"

#include "dns/reply.h"
#include "dns/rrtype.h"

enum { DS_FIXED_BYTES = 4 };

const char *ds_reply_kind_text(enum ds_reply_kind kind)
{
    static const char *const texts[] = {
        [DS_REPLY_PRESENT] = "has DS records",
        [DS_REPLY_ABSENT] = "has no DS",
        [DS_REPLY_REFUSED] = "answers with an error",
        [DS_REPLY_LAME] = "is not authoritative and does not resolve (neither AA nor RA)",
        [DS_REPLY_CACHED] = "is not authoritative for the parent: it answers from a cache",
        [DS_REPLY_CHILD] = "answers for the zone itself, not for its parent",
        [DS_REPLY_UNPROVEN] = "shows no DS and no SOA of the parent",
        [DS_REPLY_BOGUS] = "is not believed, its answer does not validate",
        [DS_REPLY_MALFORMED] = "sends what is no answer",
    };
    return texts[kind];
}

static bool read_ds(struct span wire, const struct dns_record *record, struct ds_reply *reply)
{
    struct reader reader =
        reader_of((struct span){wire.bytes + record->rdata_offset, record->rdata_length});
    struct ds_record ds = {
        .tag = reader_u16(&reader),
        .algorithm = reader_u8(&reader),
        .digest_type = reader_u8(&reader),
    };
    if (reader.failed || record->rdata_length == DS_FIXED_BYTES ||
        reply->count == DS_REPLY_RECORDS_MAX) {
        return false;
    }
    ds.digest = reader_span(&reader, reader_left(&reader));
    reply->records[reply->count++] = ds;
    reply->ttl = record->ttl > reply->ttl ? record->ttl : reply->ttl;
    return true;
}

/* The answer section, which may hold RRSIGs as well. */
static enum ds_reply_kind read_answer(const struct dns_message *message, struct ds_reply *reply)
{
    size_t offset = message->section_offsets[0];
    for (unsigned left = message->counts[1]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return DS_REPLY_MALFORMED;
        }
        offset = record.after;
        if (record.type == DNS_TYPE_DS && record.rrclass == message->qclass &&
            dns_name_equal(&record.owner, &message->qname) &&
            !read_ds(message->wire, &record, reply)) {
            return DS_REPLY_MALFORMED;
        }
    }
    return reply->count > 0 ? DS_REPLY_PRESENT : DS_REPLY_UNPROVEN;
}

/* Whose SOA says that there is nothing? */
static enum ds_reply_kind read_authority(const struct dns_message *message)
{
    enum ds_reply_kind kind = DS_REPLY_UNPROVEN;
    size_t offset = message->section_offsets[1];
    for (unsigned left = message->counts[2]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return DS_REPLY_MALFORMED;
        }
        offset = record.after;
        if (record.type != DNS_TYPE_SOA || record.rrclass != message->qclass) {
            continue;
        }
        if (dns_name_equal(&record.owner, &message->qname)) {
            return DS_REPLY_CHILD;
        }
        if (dns_name_is_at_or_below(&message->qname, &record.owner)) {
            kind = DS_REPLY_ABSENT;
        }
    }
    return kind;
}

static enum ds_reply_kind read_reply(const struct dns_message *message, struct ds_reply *reply)
{
    if (!message->has_question || message->qtype != DNS_TYPE_DS ||
        (message->flags & DNS_FLAG_QR) == 0 || (message->flags & DNS_FLAG_TC) != 0) {
        return DS_REPLY_MALFORMED;
    }
    if (reply->rcode != DNS_RCODE_NOERROR) {
        return DS_REPLY_REFUSED;
    }
    if ((message->flags & (DNS_FLAG_AA | DNS_FLAG_RA)) == 0) {
        return DS_REPLY_LAME;
    }
    enum ds_reply_kind kind = read_answer(message, reply);
    return kind == DS_REPLY_UNPROVEN ? read_authority(message) : kind;
}

void ds_reply_read(const struct dns_message *message, struct ds_reply *out_reply)
{
    *out_reply = (struct ds_reply){
        .rcode = dns_reply_rcode(message),
        .authoritative = (message->flags & DNS_FLAG_AA) != 0,
    };
    out_reply->kind = read_reply(message, out_reply);
    if (out_reply->kind != DS_REPLY_PRESENT) {
        out_reply->count = 0;
        out_reply->ttl = 0;
    }
}
