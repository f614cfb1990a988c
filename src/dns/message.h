/*
 * dns/message.h - a request taken apart: header, question, EDNS, where the TSIG lies
 *
 * Parsing borrows the packet and allocates nothing. FORMERR is decided here and nowhere else. The
 * usual query (one question, no records but OPT) takes a short path; for other messages the
 * sections are walked and checked, and their offsets kept for update, notify and TSIG.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "dns/edns.h"
#include "dns/name.h"

enum {
    DNS_HEADER_BYTES = 12,
    DNS_MESSAGE_BYTES_MAX = 65535,
    DNS_FLAG_QR = 0x8000,
    DNS_FLAG_AA = 0x0400,
    DNS_FLAG_TC = 0x0200,
    DNS_FLAG_RD = 0x0100,
    DNS_FLAG_RA = 0x0080,
    DNS_FLAG_AD = 0x0020,
    DNS_FLAG_CD = 0x0010,
};

struct dns_message {
    struct span wire; /* the whole packet, borrowed */
    uint16_t id;
    uint16_t flags; /* as received, opcode and rcode included */
    uint8_t opcode;
    uint8_t rcode;
    uint16_t counts[4]; /* QDCOUNT ... ARCOUNT as the header says */

    /* The question; has_question is false where QDCOUNT is 0. */
    bool has_question;
    uint16_t qtype;
    uint16_t qclass;
    uint16_t question_end; /* offset behind the question section */
    struct dns_name qname; /* lower case; the packet has it as the client wrote it, at 12 */

    struct dns_edns edns;
    uint16_t section_offsets[3]; /* where answer, authority and additional begin */
    uint32_t tsig_offset;        /* of the TSIG RR, the last one; 0: none */
    uint32_t sig0_offset;        /* of the SIG RR that covers no type, the last one; 0: none */
};

/*
 * Returns SG_OK, or SG_MALFORMED with `out_message` filled as far as it went: `id`, `flags`,
 * `opcode`, the question if that was whole, and EDNS if QDCOUNT alone is at fault, for a FORMERR
 * response. SG_NO_SPACE for fewer than 12 bytes: nothing can be answered. Responses (QR set) parse
 * too; the caller drops them.
 *
 * FORMERR: QDCOUNT other than 1 (0 is fine in responses, and for opcodes that Signet does not
 * know: those are NOTIMP), compressed or broken question name, more than one OPT, OPT not owned by
 * the root, OPT with broken options, a COOKIE or a client subnet
 * of a length that cannot be (RFC 7873 5.2.2, RFC 7871 7.1.2; EDNS is filled in), TSIG or SIG(0)
 * (RFC 2931) not last or not in additional, records that run past the end. Bytes behind the last
 * record are ignored, as BIND does. An OPT of a version above 0 parses (BADVERS is the caller's).
 */
MUST_USE enum sg_result dns_message_parse(struct span wire, struct dns_message *out_message);

/* One RR of a section, for messages that carry records. */
struct dns_record {
    struct dns_name owner; /* case as received */
    uint16_t type;
    uint16_t rrclass;
    uint32_t ttl;
    uint16_t rdata_length;
    size_t rdata_offset;
    size_t after; /* offset of the next record */
};
MUST_USE enum sg_result dns_record_parse(struct span message, size_t offset,
                                         struct dns_record *out_record);
