#include "dns/message.h"

#include "dns/rrtype.h"

enum {
    QUESTION_TAIL_BYTES = 4, /* QTYPE, QCLASS */
    RECORD_TAIL_BYTES = 10,  /* TYPE, CLASS, TTL, RDLENGTH */
    EDNS_DO = 0x8000,
    OPCODE_MASK = 0x7800,
    COOKIE_CLIENT_BYTES = 8,
    COOKIE_BYTES_MIN = 16, /* with a server's cookie */
    COOKIE_BYTES_MAX = 40,
    SUBNET_HEADER_BYTES = 4, /* FAMILY, SOURCE and SCOPE PREFIX-LENGTH */
    SUBNET_IPV4 = 1,
    SUBNET_IPV6 = 2,
    SUBNET_IPV4_BITS = 32,
    SUBNET_IPV6_BITS = 128,
};

/* The sections behind the question, as indices of `section_offsets`. */
enum { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTIONS };

/*
 * The name at the start of `left`, lowered. A question's name is the first of its message, so it
 * has nothing to point at: compression is refused. Returns its length, 0 if it is broken.
 */
static inline size_t question_name(struct span left, struct dns_name *out_name)
{
    size_t limit = left.length < DNS_NAME_BYTES_MAX ? left.length : DNS_NAME_BYTES_MAX;
    size_t at = 0;
    unsigned labels = 0;
    for (; at < limit && left.bytes[at] != 0; at += left.bytes[at] + 1u) {
        if (left.bytes[at] > DNS_LABEL_BYTES_MAX) {
            return 0;
        }
        labels++;
    }
    if (at >= limit) {
        return 0;
    }
    dns_name_wire_lower(out_name->wire, left.bytes, at + 1);
    out_name->length = (uint8_t)(at + 1);
    out_name->labels = (uint8_t)labels;
    return at + 1;
}

static enum sg_result question_parse(struct dns_message *message)
{
    struct span left = {message->wire.bytes + DNS_HEADER_BYTES,
                        message->wire.length - DNS_HEADER_BYTES};
    size_t length = question_name(left, &message->qname);
    if (length == 0 || left.length - length < QUESTION_TAIL_BYTES) {
        return SG_MALFORMED;
    }
    message->qtype = wire_get_u16(left.bytes + length);
    message->qclass = wire_get_u16(left.bytes + length + 2);
    message->question_end = (uint16_t)(DNS_HEADER_BYTES + length + QUESTION_TAIL_BYTES);
    message->has_question = true;
    return SG_OK;
}

/* RFC 7871 6: just the octets that the prefix needs, and no bit beyond it; the scope is for answers
 * to tell. */
static bool subnet_is_sound(struct span option, bool asks)
{
    if (option.length < SUBNET_HEADER_BYTES) {
        return false;
    }
    unsigned family = wire_get_u16(option.bytes);
    unsigned prefix = option.bytes[2];
    unsigned spare_bits = (8 - prefix % 8) % 8;
    if (option.length - SUBNET_HEADER_BYTES != (prefix + 7) / 8 || (asks && option.bytes[3] != 0) ||
        (family == SUBNET_IPV4 && prefix > SUBNET_IPV4_BITS) ||
        (family == SUBNET_IPV6 && prefix > SUBNET_IPV6_BITS)) {
        return false;
    }
    return prefix == 0 || (option.bytes[option.length - 1] & ((1u << spare_bits) - 1)) == 0;
}

/* What is not implemented either must be well made, where an RFC says so. EXPIRE, NSID and others
 * do not: what they carry in a request is passed over. */
static bool option_is_sound(unsigned code, struct span option, bool asks)
{
    switch (code) {
    case EDNS_OPTION_COOKIE: /* the client's alone, or with a server's of 8 to 32 bytes */
        return option.length == COOKIE_CLIENT_BYTES ||
               (option.length >= COOKIE_BYTES_MIN && option.length <= COOKIE_BYTES_MAX);
    case EDNS_OPTION_SUBNET:
        return subnet_is_sound(option, asks);
    default:
        return true;
    }
}

/* `tail` is the TYPE of an OPT RR whose owner was the root; its rdata lies in the message. */
static enum sg_result edns_parse(const uint8_t *tail, bool asks, struct dns_edns *out_edns)
{
    struct span rdata = {tail + RECORD_TAIL_BYTES, wire_get_u16(tail + 8)};
    bool wants_nsid = false;
    bool sound = true;

    for (size_t at = 0; at < rdata.length;) {
        if (rdata.length - at < 4) {
            return SG_MALFORMED;
        }
        size_t length = wire_get_u16(rdata.bytes + at + 2);
        if (rdata.length - at - 4 < length) {
            return SG_MALFORMED;
        }
        unsigned code = wire_get_u16(rdata.bytes + at);
        wants_nsid |= code == EDNS_OPTION_NSID;
        sound = sound && option_is_sound(code, (struct span){rdata.bytes + at + 4, length}, asks);
        at += 4 + length;
    }
    uint16_t payload = wire_get_u16(tail + 2);
    out_edns->present = true;
    out_edns->version = tail[5];
    out_edns->dnssec_ok = (wire_get_u16(tail + 6) & EDNS_DO) != 0;
    out_edns->wants_nsid = wants_nsid;
    out_edns->payload = payload < EDNS_PAYLOAD_MIN ? EDNS_PAYLOAD_MIN : payload;
    /* Another version may make its options otherwise: BADVERS comes first. */
    return sound || out_edns->version != 0 ? SG_OK : SG_MALFORMED;
}

/* RFC 2931 3: a SIG that covers type 0 signs the message, not a record. */
static bool is_sig0(const struct dns_message *message, const struct dns_record *record)
{
    return record->type == DNS_TYPE_SIG && record->rdata_length >= 2 &&
           wire_get_u16(message->wire.bytes + record->rdata_offset) == 0;
}

/* OPT, TSIG and SIG(0) are allowed in one place each (RFC 6891 6.1.1, 8945 5.1, 2931 3.1). */
static enum sg_result special_record_parse(struct dns_message *message, int section,
                                           const struct dns_record *record, size_t offset)
{
    if (record->type == DNS_TYPE_OPT) {
        if (section != SECTION_ADDITIONAL || message->edns.present || record->owner.length != 1) {
            return SG_MALFORMED;
        }
        return edns_parse(message->wire.bytes + record->rdata_offset - RECORD_TAIL_BYTES,
                          (message->flags & DNS_FLAG_QR) == 0, &message->edns);
    }
    if (record->type == DNS_TYPE_TSIG) {
        if (section != SECTION_ADDITIONAL) {
            return SG_MALFORMED;
        }
        message->tsig_offset = (uint32_t)offset;
    }
    if (section == SECTION_ADDITIONAL && is_sig0(message, record)) {
        message->sig0_offset = (uint32_t)offset;
    }
    return SG_OK;
}

static enum sg_result section_parse(struct dns_message *message, int section, size_t *offset)
{
    message->section_offsets[section] = (uint16_t)*offset;
    for (unsigned left = message->counts[section + 1]; left > 0; left--) {
        struct dns_record record;
        if (message->tsig_offset != 0 || message->sig0_offset != 0 ||
            dns_record_parse(message->wire, *offset, &record) != SG_OK ||
            special_record_parse(message, section, &record, *offset) != SG_OK) {
            return SG_MALFORMED;
        }
        *offset = record.after;
    }
    return SG_OK;
}

/*
 * A response may leave the question out, as later messages of a transfer do (RFC 5936 2.2). So may
 * requests of an opcode that we do not know, such as DSO, which are to be NOTIMP and not FORMERR.
 */
static bool needs_question(const struct dns_message *message)
{
    return (message->flags & DNS_FLAG_QR) == 0 &&
           (message->opcode == DNS_OPCODE_QUERY || message->opcode == DNS_OPCODE_NOTIFY ||
            message->opcode == DNS_OPCODE_UPDATE);
}

/* Everything but the usual query. */
static enum sg_result general_parse(struct dns_message *message)
{
    size_t offset = DNS_HEADER_BYTES;

    if (message->counts[0] > 1) {
        return SG_MALFORMED;
    }
    if (message->counts[0] == 1) {
        enum sg_result result = question_parse(message);
        if (result != SG_OK) {
            return result;
        }
        offset = message->question_end;
    }
    for (int section = SECTION_ANSWER; section < SECTIONS; section++) {
        enum sg_result result = section_parse(message, section, &offset);
        if (result != SG_OK) {
            return result;
        }
    }
    /* Only now: a FORMERR, too, answers OPT with OPT (RFC 6891 6.1.1). */
    return message->counts[0] == 0 && needs_question(message) ? SG_MALFORMED : SG_OK;
}

/* QUERY with one question, and nothing else but perhaps one record in the additional section? */
static inline bool has_usual_counts(const struct dns_message *message)
{
    return (message->flags & (DNS_FLAG_QR | OPCODE_MASK)) == 0 && message->counts[0] == 1 &&
           message->counts[1] == 0 && message->counts[2] == 0 && message->counts[3] <= 1;
}

/* Does an OPT RR, whole and with the root as its owner, lie at message->question_end? */
static inline bool opt_follows(const struct dns_message *message)
{
    size_t left = message->wire.length - message->question_end;
    const uint8_t *at = message->wire.bytes + message->question_end;
    return left >= EDNS_OPT_BYTES && at[0] == 0 && wire_get_u16(at + 1) == DNS_TYPE_OPT &&
           left - EDNS_OPT_BYTES >= wire_get_u16(at + 9);
}

enum sg_result dns_message_parse(struct span wire, struct dns_message *out_message)
{
    if (wire.length < DNS_HEADER_BYTES) {
        return SG_NO_SPACE;
    }
    /* Field by field: clearing the name as well would cost more than the rest. */
    struct dns_message *message = out_message;
    message->wire = wire;
    message->id = wire_get_u16(wire.bytes);
    message->flags = wire_get_u16(wire.bytes + 2);
    message->opcode = (uint8_t)((message->flags & OPCODE_MASK) >> 11);
    message->rcode = (uint8_t)(message->flags & 0xf);
    for (size_t i = 0; i < 4; i++) {
        message->counts[i] = wire_get_u16(wire.bytes + 4 + 2 * i);
    }
    message->has_question = false;
    message->qtype = message->qclass = 0;
    message->question_end = DNS_HEADER_BYTES;
    message->qname.length = 1;
    message->qname.labels = 0;
    message->qname.wire[0] = 0;
    message->edns = (struct dns_edns){.payload = EDNS_PAYLOAD_MIN};
    message->section_offsets[0] = message->section_offsets[1] = message->section_offsets[2] = 0;
    message->tsig_offset = 0;
    message->sig0_offset = 0;

    if (wire.length > DNS_MESSAGE_BYTES_MAX) {
        return SG_MALFORMED;
    }
    if (!has_usual_counts(message)) {
        return general_parse(message);
    }
    enum sg_result result = question_parse(message);
    if (result != SG_OK) {
        return result;
    }
    uint16_t offset = message->question_end;
    message->section_offsets[SECTION_ANSWER] = offset;
    message->section_offsets[SECTION_AUTHORITY] = offset;
    message->section_offsets[SECTION_ADDITIONAL] = offset;
    if (message->counts[3] == 0) {
        return SG_OK;
    }
    if (opt_follows(message)) {
        return edns_parse(wire.bytes + offset + 1, (message->flags & DNS_FLAG_QR) == 0,
                          &message->edns);
    }
    size_t additional = offset;
    return section_parse(message, SECTION_ADDITIONAL, &additional);
}

enum sg_result dns_record_parse(struct span message, size_t offset, struct dns_record *out_record)
{
    size_t at;
    if (dns_name_from_message(message, offset, &out_record->owner, &at) != SG_OK ||
        message.length - at < RECORD_TAIL_BYTES) {
        return SG_MALFORMED;
    }
    const uint8_t *tail = message.bytes + at;
    size_t rdata_length = wire_get_u16(tail + 8);
    if (message.length - at - RECORD_TAIL_BYTES < rdata_length) {
        return SG_MALFORMED;
    }
    out_record->type = wire_get_u16(tail);
    out_record->rrclass = wire_get_u16(tail + 2);
    out_record->ttl = wire_get_u32(tail + 4);
    out_record->rdata_length = (uint16_t)rdata_length;
    out_record->rdata_offset = at + RECORD_TAIL_BYTES;
    out_record->after = at + RECORD_TAIL_BYTES + rdata_length;
    return SG_OK;
}
