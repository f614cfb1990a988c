#include "dns/rdata_format.h"

#include "dns/name.h"
#include "dns/nsec_bitmap.h"
#include "dns/rrtype.h"

enum {
    ALGORITHM_PRIVATEDNS = 253,
    APL_FAMILY_IP4 = 1,
    APL_FAMILY_IP6 = 2,
    WKS_BITMAP_BYTES_MAX = 8192,
    GATEWAY_NONE = 0,
    GATEWAY_IP4 = 1,
    GATEWAY_IP6 = 2,
    GATEWAY_NAME = 3,
    SVCB_MANDATORY = 0,
    SVCB_ALPN = 1,
    SVCB_NO_DEFAULT_ALPN = 2,
    SVCB_PORT = 3,
    SVCB_IP4HINT = 4,
    SVCB_IP6HINT = 6,
    SVCB_DOHPATH = 7,
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(uint8_t c)
{
    return is_digit(c) || (dns_lower[c] >= 'a' && dns_lower[c] <= 'z');
}

/* Digest lengths where a standard fixes them: RFC 3658, 4509, 6605. */
static bool ds_valid(struct span rdata)
{
    size_t digest = rdata.length - 4;
    switch (rdata.bytes[3]) {
    case 1:
        return digest == 20;
    case 2:
        return digest == 32;
    case 4:
        return digest == 48;
    default:
        return true;
    }
}

static bool sshfp_valid(struct span rdata) /* RFC 4255 3.1.2, RFC 6594 */
{
    size_t fingerprint = rdata.length - 2;
    return rdata.bytes[1] == 1 ? fingerprint == 20 : rdata.bytes[1] == 2 ? fingerprint == 32 : true;
}

static bool zonemd_valid(struct span rdata) /* RFC 8976 2.2.4 */
{
    size_t digest = rdata.length - 6;
    return rdata.bytes[5] == 1 ? digest == 48 : rdata.bytes[5] == 2 ? digest == 64 : digest >= 12;
}

static bool caa_valid(struct span rdata) /* RFC 8659 4.1: the tag is letters and digits */
{
    for (size_t i = 0; i < rdata.bytes[1]; i++) {
        if (!is_letter_or_digit(rdata.bytes[2 + i])) {
            return false;
        }
    }
    return true;
}

static bool wks_valid(struct span rdata)
{
    size_t bitmap = rdata.length - 5;
    return bitmap == 0 || (bitmap <= WKS_BITMAP_BYTES_MAX && rdata.bytes[rdata.length - 1] != 0);
}

static bool digits_only(struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.bytes[i])) {
            return false;
        }
    }
    return true;
}

static bool atma_valid(struct span rdata) /* format 1: E.164, in digits */
{
    return rdata.bytes[0] != 1 || digits_only((struct span){rdata.bytes + 1, rdata.length - 1});
}

/* A key of PRIVATEDNS begins with a name (RFC 4034 A.1.1). */
static bool dnskey_valid(struct span rdata)
{
    struct span key = {rdata.bytes + 4, rdata.length - 4};
    return rdata.bytes[3] != ALGORITHM_PRIVATEDNS || dns_name_wire_check(key) > 0;
}

static bool key_valid(struct span rdata) /* RFC 2535 3.1.2: both type bits say "no key" */
{
    bool has_key = (rdata.bytes[0] & 0xc0) != 0xc0;
    return has_key == (rdata.length > 4) && (!has_key || dnskey_valid(rdata));
}

static bool rkey_valid(struct span rdata) /* its flags are reserved */
{
    return wire_get_u16(rdata.bytes) == 0 && dnskey_valid(rdata);
}

static bool x25_valid(struct span rdata) /* RFC 1183 3.1: a PSDN address, at least four digits */
{
    return rdata.bytes[0] >= 4 && digits_only((struct span){rdata.bytes + 1, rdata.length - 1});
}

static bool isdn_valid(struct span rdata) /* one string or two */
{
    size_t first = rdata.bytes[0] + 1u;
    return first == rdata.length || first + rdata.bytes[first] + 1u == rdata.length;
}

/* The signer's zone holds the owner, so it has no more labels (RFC 4034 3.1.3, 3.1.7). */
static bool rrsig_valid(struct span rdata)
{
    return rdata.bytes[3] >= dns_name_wire_labels(rdata.bytes + 18);
}

static bool nxt_valid(struct span rdata) /* RFC 2535 5.2: bit 0 would mean another format */
{
    size_t name = dns_name_wire_length(rdata.bytes);
    const uint8_t *bitmap = rdata.bytes + name;
    size_t length = rdata.length - name;
    return length == 0 || ((bitmap[0] & 0x80) == 0 && length <= 16 && bitmap[length - 1] != 0);
}

static bool loc_size_valid(uint8_t size) /* mantissa and exponent of ten, RFC 1876 2 */
{
    return size == 0 || ((size >> 4) >= 1 && (size >> 4) <= 9 && (size & 15) <= 9);
}

static bool loc_valid(struct span rdata)
{
    const uint32_t equator = UINT32_C(1) << 31;
    if (rdata.bytes[0] != 0) {
        return true; /* a version that is not defined */
    }
    if (rdata.length != 16) {
        return false;
    }
    uint32_t latitude = wire_get_u32(rdata.bytes + 4);
    uint32_t longitude = wire_get_u32(rdata.bytes + 8);
    return loc_size_valid(rdata.bytes[1]) && loc_size_valid(rdata.bytes[2]) &&
           loc_size_valid(rdata.bytes[3]) && latitude >= equator - 90 * UINT32_C(3600000) &&
           latitude <= equator + 90 * UINT32_C(3600000) &&
           longitude >= equator - 180 * UINT32_C(3600000) &&
           longitude <= equator + 180 * UINT32_C(3600000);
}

static bool apl_item_valid(uint16_t family, uint8_t prefix, struct span address)
{
    if (family != APL_FAMILY_IP4 && family != APL_FAMILY_IP6) {
        return true;
    }
    if (address.length > 0 && address.bytes[address.length - 1] == 0) {
        return false; /* RFC 3123 4: trailing zero bytes are left out. */
    }
    return family == APL_FAMILY_IP4 ? prefix <= 32 && address.length <= 4
                                    : prefix <= 128 && address.length <= 16;
}

static bool apl_valid(struct span rdata)
{
    if (rdata.length == 0) {
        return true; /* RFC 3123 5: an empty list is one. */
    }
    struct reader reader = reader_of(rdata);
    while (reader_left(&reader) > 0) {
        uint16_t family = reader_u16(&reader);
        uint8_t prefix = reader_u8(&reader);
        struct span address = reader_span(&reader, reader_u8(&reader) & 0x7f);
        if (reader.failed || !apl_item_valid(family, prefix, address)) {
            return false;
        }
    }
    return true;
}

/* Bytes of a gateway or relay at the start of `left`; SIZE_MAX if it is broken. */
static size_t gateway_length(unsigned kind, struct span left)
{
    switch (kind) {
    case GATEWAY_NONE:
        return 0;
    case GATEWAY_IP4:
        return rdata_field_length('4', left);
    case GATEWAY_IP6:
        return rdata_field_length('F', left);
    case GATEWAY_NAME:
        return rdata_field_length('n', left);
    default:
        return SIZE_MAX;
    }
}

static bool ipseckey_valid(struct span rdata) /* RFC 4025 2.1 */
{
    struct span rest = {rdata.bytes + 3, rdata.length - 3};
    size_t gateway = gateway_length(rdata.bytes[1], rest);
    return gateway < rest.length;
}

static bool amtrelay_valid(struct span rdata) /* RFC 8777 4.2 */
{
    struct span rest = {rdata.bytes + 2, rdata.length - 2};
    unsigned kind = rdata.bytes[1] & 0x7f;
    return kind > GATEWAY_NAME || gateway_length(kind, rest) == rest.length;
}

static bool hip_valid(struct span rdata) /* RFC 8005 5 */
{
    struct reader reader = reader_of(rdata);
    size_t tag_length = reader_u8(&reader);
    reader_u8(&reader);
    size_t key_length = reader_u16(&reader);
    reader_span(&reader, tag_length);
    reader_span(&reader, key_length);
    if (reader.failed || tag_length == 0 || key_length == 0) {
        return false;
    }
    while (reader_left(&reader) > 0) {
        size_t name = dns_name_wire_check((struct span){reader.at, reader_left(&reader)});
        if (name == 0) {
            return false;
        }
        reader_span(&reader, name);
    }
    return true;
}

static bool a6_valid(struct span rdata) /* RFC 2874 3.1.1: a name iff there is a prefix */
{
    bool has_name = rdata.length > rdata_field_length('p', rdata);
    return has_name == (rdata.bytes[0] > 0);
}

/*
 * NAPTR's regexp (RFC 3402 3.2): delimiter ERE delimiter replacement delimiter flags. A back
 * reference is an escaped digit.
 */
static bool naptr_valid(struct span rdata)
{
    struct reader reader = reader_of((struct span){rdata.bytes + 4, rdata.length - 4});
    reader_span(&reader, reader_u8(&reader));
    reader_span(&reader, reader_u8(&reader));
    struct span regexp = reader_span(&reader, reader_u8(&reader));
    if (regexp.length == 0) {
        return true;
    }
    uint8_t delimiter = regexp.bytes[0];
    if (is_digit(delimiter) || strchr("\\i", delimiter) != NULL) {
        return false; /* strchr finds NUL as well. */
    }
    unsigned delimiters = 1;
    for (size_t i = 1; i < regexp.length; i++) {
        uint8_t c = regexp.bytes[i];
        if (c == 0 || (delimiters == 3 && c != 'i')) {
            return false;
        }
        if (c == '\\' && ++i == regexp.length) {
            return false;
        }
        delimiters += c == delimiter;
    }
    return delimiters == 3;
}

/* Is `key` among the service parameters that begin at `params`? */
static bool svcb_has_key(struct span params, uint16_t key)
{
    struct reader reader = reader_of(params);
    while (!reader.failed && reader_left(&reader) >= 4) {
        uint16_t found = reader_u16(&reader);
        reader_span(&reader, reader_u16(&reader));
        if (found == key) {
            return true;
        }
    }
    return false;
}

static bool svcb_mandatory_valid(struct span value, struct span params) /* RFC 9460 8 */
{
    uint16_t previous = SVCB_MANDATORY;
    for (size_t i = 0; i + 2 <= value.length; i += 2) {
        uint16_t key = wire_get_u16(value.bytes + i);
        if (key <= previous || !svcb_has_key(params, key)) {
            return false;
        }
        previous = key;
    }
    return value.length > 0 && value.length % 2 == 0;
}

static bool svcb_alpn_valid(struct span value) /* RFC 9460 7.1.1 */
{
    size_t at = 0;
    while (at < value.length) {
        if (value.bytes[at] == 0) {
            return false;
        }
        at += value.bytes[at] + 1u;
    }
    return value.length > 0 && at == value.length;
}

/* Bytes of the UTF-8 character at the start of `text`; 0 if it is none. Over-long forms pass. */
static size_t utf8_length(struct span text)
{
    uint8_t first = text.bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length > text.length || first > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text.bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/*
 * Length of the expression of a URI template (RFC 6570 2.2) behind "{", its "}" included; 0 if it
 * is broken. `has_dns` becomes true if one of its variables is "dns".
 */
static size_t template_expression(struct span text, bool *has_dns)
{
    size_t at = text.length > 0 && strchr("+#./;?&", text.bytes[0]) != NULL;
    for (; at < text.length; at++) { /* each turn takes a variable and what ends it */
        size_t begin = at;
        while (at < text.length && (is_letter_or_digit(text.bytes[at]) || text.bytes[at] == '_')) {
            at++;
        }
        if (at == begin) {
            return 0;
        }
        *has_dns |= at - begin == 3 && memcmp(text.bytes + begin, "dns", 3) == 0;
        while (at < text.length &&
               (text.bytes[at] == '*' || text.bytes[at] == ':' || is_digit(text.bytes[at]))) {
            at++;
        }
        if (at < text.length && text.bytes[at] != ',') {
            return text.bytes[at] == '}' ? at + 1 : 0;
        }
    }
    return 0;
}

static bool svcb_dohpath_valid(struct span value) /* RFC 9461 5 */
{
    bool has_dns = false;
    size_t step;
    for (size_t at = 0; at < value.length; at += step) {
        struct span left = {value.bytes + at, value.length - at};
        if (left.bytes[0] == '{') {
            step = template_expression((struct span){left.bytes + 1, left.length - 1}, &has_dns);
            step += step > 0;
        } else {
            step = left.bytes[0] == '}' ? 0 : utf8_length(left);
        }
        if (step == 0) {
            return false;
        }
    }
    return has_dns && value.bytes[0] == '/';
}

static bool svcb_param_valid(uint16_t key, struct span value, struct span params)
{
    switch (key) {
    case SVCB_MANDATORY:
        return svcb_mandatory_valid(value, params);
    case SVCB_ALPN:
        return svcb_alpn_valid(value);
    case SVCB_NO_DEFAULT_ALPN:
        return value.length == 0 && svcb_has_key(params, SVCB_ALPN);
    case SVCB_PORT:
        return value.length == 2;
    case SVCB_IP4HINT:
        return value.length > 0 && value.length % 4 == 0;
    case SVCB_IP6HINT:
        return value.length > 0 && value.length % 16 == 0;
    case SVCB_DOHPATH:
        return svcb_dohpath_valid(value);
    default:
        return true;
    }
}

static bool svcb_valid(struct span rdata) /* RFC 9460 2.2: keys in ascending order */
{
    size_t begin = 2 + dns_name_wire_length(rdata.bytes + 2);
    struct span params = {rdata.bytes + begin, rdata.length - begin};
    struct reader reader = reader_of(params);
    int previous = -1;
    while (reader_left(&reader) > 0) {
        uint16_t key = reader_u16(&reader);
        struct span value = reader_span(&reader, reader_u16(&reader));
        if (reader.failed || key <= previous || !svcb_param_valid(key, value, params)) {
            return false;
        }
        previous = key;
    }
    return true;
}

enum {
    /* Names of RFC 1035 types, then those of RFC 3597 4, then KX and others that are only lowered.
     */
    OLD = RDATA_COMPRESS | RDATA_DECOMPRESS | RDATA_LOWER,
    MIDDLE = RDATA_DECOMPRESS | RDATA_LOWER,
};

/* clang-format off */
static const struct rdata_format formats[] = {
    [DNS_TYPE_A]          = {"4", 0, 0, NULL},
    [DNS_TYPE_NS]         = {"n", 1, OLD, NULL},
    [DNS_TYPE_MD]         = {"n", 1, OLD, NULL},
    [DNS_TYPE_MF]         = {"n", 1, OLD, NULL},
    [DNS_TYPE_CNAME]      = {"n", 1, OLD, NULL},
    [DNS_TYPE_SOA]        = {"nn44444", 2, OLD, NULL},
    [DNS_TYPE_MB]         = {"n", 1, OLD, NULL},
    [DNS_TYPE_MG]         = {"n", 1, OLD, NULL},
    [DNS_TYPE_MR]         = {"n", 1, OLD, NULL},
    [DNS_TYPE_WKS]        = {"41*", 0, 0, wks_valid},
    [DNS_TYPE_PTR]        = {"n", 1, OLD, NULL},
    [DNS_TYPE_HINFO]      = {"ss", 0, 0, NULL},
    [DNS_TYPE_MINFO]      = {"nn", 2, OLD, NULL},
    [DNS_TYPE_MX]         = {"2n", 1, OLD, NULL},
    [DNS_TYPE_TXT]        = {"t", 0, 0, NULL},
    [DNS_TYPE_RP]         = {"nn", 2, MIDDLE, NULL},
    [DNS_TYPE_AFSDB]      = {"2n", 1, MIDDLE, NULL},
    [19 /* X25 */]        = {"s", 0, 0, x25_valid},
    [20 /* ISDN */]       = {"t", 0, 0, isdn_valid},
    [DNS_TYPE_RT]         = {"2n", 1, MIDDLE, NULL},
    [22 /* NSAP */]       = {"+", 0, 0, NULL},
    [23 /* NSAP-PTR */]   = {"n", 1, 0, NULL},
    [DNS_TYPE_SIG]        = {"2114442n+", 1, MIDDLE, NULL},
    [DNS_TYPE_KEY]        = {"211*", 0, 0, key_valid},
    [DNS_TYPE_PX]         = {"2nn", 2, MIDDLE, NULL},
    [27 /* GPOS */]       = {"sss", 0, 0, NULL},
    [DNS_TYPE_AAAA]       = {"F", 0, 0, NULL},
    [DNS_TYPE_LOC]        = {"+", 0, 0, loc_valid},
    [DNS_TYPE_NXT]        = {"n*", 1, MIDDLE, nxt_valid},
    [31 /* EID */]        = {"+", 0, 0, NULL},
    [32 /* NIMLOC */]     = {"+", 0, 0, NULL},
    [DNS_TYPE_SRV]        = {"222n", 1, MIDDLE, NULL},
    [34 /* ATMA */]       = {"1+", 0, 0, atma_valid},
    [DNS_TYPE_NAPTR]      = {"22sssn", 1, MIDDLE, naptr_valid},
    [DNS_TYPE_KX]         = {"2n", 1, MIDDLE, NULL},
    [DNS_TYPE_CERT]       = {"221+", 0, 0, NULL},
    [38 /* A6 */]         = {"pq", 0, RDATA_LOWER, a6_valid},
    [DNS_TYPE_DNAME]      = {"n", 1, RDATA_LOWER, NULL},
    [40 /* SINK */]       = {"111*", 0, 0, NULL},
    [DNS_TYPE_APL]        = {"*", 0, 0, apl_valid},
    [DNS_TYPE_DS]         = {"211+", 0, 0, ds_valid},
    [DNS_TYPE_SSHFP]      = {"11+", 0, 0, sshfp_valid},
    [45 /* IPSECKEY */]   = {"111*", 0, 0, ipseckey_valid},
    [DNS_TYPE_RRSIG]      = {"2114442n+", 1, RDATA_LOWER, rrsig_valid},
    [DNS_TYPE_NSEC]       = {"nB", 1, 0, NULL},
    [DNS_TYPE_DNSKEY]     = {"211+", 0, 0, dnskey_valid},
    [49 /* DHCID */]      = {"+", 0, 0, NULL},
    [DNS_TYPE_NSEC3]      = {"112sHb", 0, 0, NULL},
    [DNS_TYPE_NSEC3PARAM] = {"112s", 0, 0, NULL},
    [DNS_TYPE_TLSA]       = {"111+", 0, 0, NULL},
    [53 /* SMIMEA */]     = {"111+", 0, 0, NULL},
    [55 /* HIP */]        = {"+", 0, 0, hip_valid},
    [56 /* NINFO */]      = {"t", 0, 0, NULL},
    [57 /* RKEY */]       = {"211+", 0, 0, rkey_valid},
    [58 /* TALINK */]     = {"nn", 2, 0, NULL},
    [DNS_TYPE_CDS]        = {"211+", 0, 0, ds_valid},
    [DNS_TYPE_CDNSKEY]    = {"211+", 0, 0, dnskey_valid},
    [DNS_TYPE_OPENPGPKEY] = {"+", 0, 0, NULL},
    [DNS_TYPE_CSYNC]      = {"42b", 0, 0, NULL},
    [DNS_TYPE_ZONEMD]     = {"411+", 0, 0, zonemd_valid},
    [DNS_TYPE_SVCB]       = {"2n*", 1, 0, svcb_valid},
    [DNS_TYPE_HTTPS]      = {"2n*", 1, 0, svcb_valid},
    [DNS_TYPE_SPF]        = {"t", 0, 0, NULL},
    [104 /* NID */]       = {"28", 0, 0, NULL},
    [105 /* L32 */]       = {"24", 0, 0, NULL},
    [106 /* L64 */]       = {"28", 0, 0, NULL},
    [107 /* LP */]        = {"2n", 1, 0, NULL},
    [108 /* EUI48 */]     = {"6", 0, 0, NULL},
    [109 /* EUI64 */]     = {"8", 0, 0, NULL},
    [256 /* URI */]       = {"22*", 0, 0, NULL},
    [DNS_TYPE_CAA]        = {"1H*", 0, 0, caa_valid},
    [258 /* AVC */]       = {"t", 0, 0, NULL},
    [259 /* DOA */]       = {"441s*", 0, 0, NULL},
    [260 /* AMTRELAY */]  = {"11*", 0, 0, amtrelay_valid},
    [261 /* RESINFO */]   = {"t", 0, 0, NULL},
    [262 /* WALLET */]    = {"t", 0, 0, NULL},
};
/* clang-format on */

static const struct rdata_format opaque = {"*", 0, 0, NULL};
static const struct rdata_format trust_anchor = {"211+", 0, 0, ds_valid}; /* TA, DLV */

const struct rdata_format *rdata_format_of(uint16_t type)
{
    if (type < ARRAY_LEN(formats) && formats[type].fields != NULL) {
        return &formats[type];
    }
    return type == 32768 || type == 32769 ? &trust_anchor : &opaque;
}

/* Bytes of one or more character strings that fill `left`. */
static size_t strings_length(struct span left)
{
    size_t at = 0;
    while (at < left.length) {
        at += left.bytes[at] + 1u;
    }
    return left.length > 0 && at == left.length ? at : SIZE_MAX;
}

static size_t string_length(struct span left)
{
    return left.length > 0 ? left.bytes[0] + 1u : SIZE_MAX;
}

/* Prefix length, then as many bytes as the rest of the 128 bits needs (RFC 2874 3.1). */
static size_t a6_address_length(struct span left)
{
    if (left.length == 0 || left.bytes[0] > 128) {
        return SIZE_MAX;
    }
    return 1 + (128u - left.bytes[0] + 7u) / 8u;
}

static size_t name_length(struct span left)
{
    size_t length = dns_name_wire_check(left);
    return length > 0 ? length : SIZE_MAX;
}

static size_t field_measure(char field, struct span left)
{
    switch (field) {
    case 'F':
        return 16;
    case 'n':
        return name_length(left);
    case 'q':
        return left.length == 0 ? 0 : name_length(left);
    case 'p':
        return a6_address_length(left);
    case 's':
        return string_length(left);
    case 'H':
        return left.length > 0 && left.bytes[0] > 0 ? string_length(left) : SIZE_MAX;
    case 't':
        return strings_length(left);
    case 'b':
        return nsec_bitmap_check(left) ? left.length : SIZE_MAX;
    case 'B':
        return left.length > 0 && nsec_bitmap_check(left) ? left.length : SIZE_MAX;
    case '+':
        return left.length > 0 ? left.length : SIZE_MAX;
    case '*':
        return left.length;
    default:
        ASSERT(field >= '1' && field <= '8');
        return (size_t)(field - '0');
    }
}

size_t rdata_field_length(char field, struct span left)
{
    size_t length = field_measure(field, left);
    return length <= left.length ? length : SIZE_MAX;
}
