/*
 * dns/rrtype.h - RR types, classes, opcodes and rcodes by number and mnemonic
 *
 * Mnemonics of types: all that ldns knows, TYPEnnn (RFC 3597) for the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/result.h"

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_NS = 2,
    DNS_TYPE_MD = 3,
    DNS_TYPE_MF = 4,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_MB = 7,
    DNS_TYPE_MG = 8,
    DNS_TYPE_MR = 9,
    DNS_TYPE_NULL = 10,
    DNS_TYPE_WKS = 11,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_HINFO = 13,
    DNS_TYPE_MINFO = 14,
    DNS_TYPE_MX = 15,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_RP = 17,
    DNS_TYPE_AFSDB = 18,
    DNS_TYPE_RT = 21,
    DNS_TYPE_SIG = 24,
    DNS_TYPE_KEY = 25,
    DNS_TYPE_PX = 26,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_LOC = 29,
    DNS_TYPE_NXT = 30,
    DNS_TYPE_SRV = 33,
    DNS_TYPE_NAPTR = 35,
    DNS_TYPE_KX = 36,
    DNS_TYPE_CERT = 37,
    DNS_TYPE_DNAME = 39,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_APL = 42,
    DNS_TYPE_DS = 43,
    DNS_TYPE_SSHFP = 44,
    DNS_TYPE_RRSIG = 46,
    DNS_TYPE_NSEC = 47,
    DNS_TYPE_DNSKEY = 48,
    DNS_TYPE_NSEC3 = 50,
    DNS_TYPE_NSEC3PARAM = 51,
    DNS_TYPE_TLSA = 52,
    DNS_TYPE_CDS = 59,
    DNS_TYPE_CDNSKEY = 60,
    DNS_TYPE_OPENPGPKEY = 61,
    DNS_TYPE_CSYNC = 62,
    DNS_TYPE_ZONEMD = 63,
    DNS_TYPE_SVCB = 64,
    DNS_TYPE_HTTPS = 65,
    DNS_TYPE_SPF = 99,
    DNS_TYPE_TKEY = 249,
    DNS_TYPE_TSIG = 250,
    DNS_TYPE_IXFR = 251,
    DNS_TYPE_AXFR = 252,
    DNS_TYPE_MAILB = 253,
    DNS_TYPE_MAILA = 254,
    DNS_TYPE_ANY = 255,
    DNS_TYPE_CAA = 257,
    DNS_TYPE_PRIVATE_DEFAULT = 65534, /* BIND's progress records, if sig-signing-type is not set */
};

enum dns_class {
    DNS_CLASS_IN = 1,
    DNS_CLASS_CH = 3,
    DNS_CLASS_HS = 4,
    DNS_CLASS_NONE = 254,
    DNS_CLASS_ANY = 255
};

enum dns_opcode { DNS_OPCODE_QUERY = 0, DNS_OPCODE_NOTIFY = 4, DNS_OPCODE_UPDATE = 5 };

enum dns_rcode {
    DNS_RCODE_NOERROR = 0,
    DNS_RCODE_FORMERR = 1,
    DNS_RCODE_SERVFAIL = 2,
    DNS_RCODE_NXDOMAIN = 3,
    DNS_RCODE_NOTIMP = 4,
    DNS_RCODE_REFUSED = 5,
    DNS_RCODE_YXDOMAIN = 6,
    DNS_RCODE_YXRRSET = 7,
    DNS_RCODE_NXRRSET = 8,
    DNS_RCODE_NOTAUTH = 9,
    DNS_RCODE_NOTZONE = 10,
    DNS_RCODE_BADVERS = 16,
    DNS_RCODE_BADSIG = 16,
    DNS_RCODE_BADKEY = 17,
    DNS_RCODE_BADTIME = 18,
    DNS_RCODE_BADTRUNC = 22,
};

enum { DNS_TYPE_TEXT_BYTES = 16 };

/* "AAAA", "TYPE65534". */
const char *dns_type_to_text(uint16_t type, char out_text[DNS_TYPE_TEXT_BYTES]);
MUST_USE enum sg_result dns_type_from_text(const char *text, size_t length, uint16_t *out_type);
const char *dns_class_to_text(uint16_t rrclass, char out_text[DNS_TYPE_TEXT_BYTES]);
MUST_USE enum sg_result dns_class_from_text(const char *text, size_t length, uint16_t *out_class);
const char *dns_rcode_to_text(unsigned rcode);

/* Types that are questions or message parts, never zone data: OPT, TKEY ... ANY (128-255), 0. */
bool dns_type_is_meta(uint16_t type);
/* At most one RR in an RRset: SOA, CNAME, DNAME. (NSEC is one by construction.) */
bool dns_type_is_singleton(uint16_t type);
/* What may stand beside a CNAME (RFC 4034 2.5, RFC 2535 2.3.5); not another CNAME. */
bool dns_type_is_beside_cname(uint16_t type);
/* Does the class have this type? Some, addresses above all, are of the class IN alone. The class HS
 * has A, and CH another A, which is not implemented. */
bool dns_class_has_type(uint16_t rrclass, uint16_t type);
/* Made by the signer: RRSIG, NSEC, NSEC3, NSEC3PARAM. Loading an unsigned zone strips them. */
bool dns_type_is_generated(uint16_t type);
