#include "dns/lookup_reply.h"

#include "dns/reply.h"
#include "dns/rrtype.h"

static void shorten(struct lookup_reply *reply, uint32_t ttl)
{
    reply->ttl = ttl < reply->ttl ? ttl : reply->ttl;
}

static enum sg_result take_record(const struct dns_record *record, struct lookup_reply *reply)
{
    if (reply->count == LOOKUP_RECORDS_MAX) {
        return SG_LIMIT;
    }
    reply->records[reply->count].rdata_offset = record->rdata_offset;
    reply->records[reply->count++].rdata_length = record->rdata_length;
    shorten(reply, record->ttl);
    return SG_OK;
}

static enum sg_result take_alias(struct span wire, const struct dns_record *record,
                                 struct lookup_reply *reply, struct dns_name *out_alias)
{
    size_t end;
    if (dns_name_from_message(wire, record->rdata_offset, out_alias, &end) != SG_OK ||
        end != record->after) {
        return SG_MALFORMED;
    }
    shorten(reply, record->ttl);
    return SG_EXISTS;
}

/* Records of the type asked for that `name` owns (SG_OK), or its alias (SG_EXISTS). SG_NOT_FOUND:
 * neither; SG_LIMIT: too many; SG_MALFORMED. */
static enum sg_result read_owned(const struct dns_message *message, const struct dns_name *name,
                                 struct lookup_reply *reply, struct dns_name *out_alias)
{
    enum sg_result result = SG_NOT_FOUND;
    size_t offset = message->section_offsets[0];
    for (unsigned left = message->counts[1]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return SG_MALFORMED;
        }
        offset = record.after;
        if (record.rrclass != message->qclass || !dns_name_equal(&record.owner, name)) {
            continue;
        }
        if (record.type == message->qtype) {
            result = take_record(&record, reply);
        } else if (record.type == DNS_TYPE_CNAME && result == SG_NOT_FOUND) {
            result = take_alias(message->wire, &record, reply, out_alias);
        }
        if (result == SG_LIMIT || result == SG_MALFORMED) {
            return result;
        }
    }
    return result;
}

static enum sg_result read_answer(const struct dns_message *message, struct lookup_reply *reply)
{
    struct dns_name name = message->qname;
    enum sg_result result = SG_EXISTS;
    for (int aliases = 0; result == SG_EXISTS && aliases <= LOOKUP_ALIASES_MAX; aliases++) {
        struct dns_name alias;
        result = read_owned(message, &name, reply, &alias);
        if (result == SG_EXISTS) {
            name = alias;
            reply->aliased = true;
        }
    }
    return result;
}

/* The SOA that says so. Without one the resolver does not know (RFC 2308 2.2). */
static enum lookup_reply_kind read_authority(const struct dns_message *message,
                                             struct lookup_reply *reply)
{
    size_t offset = message->section_offsets[1];
    for (unsigned left = message->counts[2]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return LOOKUP_FAILED;
        }
        offset = record.after;
        if (record.type == DNS_TYPE_SOA && record.rrclass == message->qclass) {
            reply->soa_owner = record.owner;
            dns_name_lower(&reply->soa_owner);
            shorten(reply, record.ttl);
            return LOOKUP_NODATA;
        }
    }
    return LOOKUP_FAILED;
}

static enum lookup_reply_kind read_reply(const struct dns_message *message,
                                         struct lookup_reply *reply)
{
    uint16_t rcode = dns_reply_rcode(message);
    if (!message->has_question || (message->flags & DNS_FLAG_QR) == 0) {
        return LOOKUP_FAILED;
    }
    if ((message->flags & DNS_FLAG_TC) != 0) {
        return LOOKUP_TRUNCATED;
    }
    if (rcode != DNS_RCODE_NOERROR) {
        return rcode == DNS_RCODE_NXDOMAIN ? LOOKUP_NXDOMAIN : LOOKUP_FAILED;
    }
    enum sg_result result = read_answer(message, reply);
    if (result == SG_NOT_FOUND) {
        return read_authority(message, reply);
    }
    return result == SG_OK ? LOOKUP_FOUND : LOOKUP_FAILED;
}

void lookup_reply_read(const struct dns_message *message, struct lookup_reply *out_reply)
{
    *out_reply = (struct lookup_reply){.ttl = UINT32_MAX};
    out_reply->kind = read_reply(message, out_reply);
    if (out_reply->kind != LOOKUP_FOUND) {
        out_reply->count = 0;
    }
    if (out_reply->kind != LOOKUP_FOUND && out_reply->kind != LOOKUP_NODATA) {
        out_reply->ttl = 0;
    }
}
