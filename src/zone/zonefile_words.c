#include "zone/zonefile_words.h"

#include <endian.h>

#include "base/time.h"
#include "dns/rrtype.h"

enum {
    NAME_TEXT_BYTES_MAX = 254, /* without escapes: a byte of wire each, and the root label */
    PERIOD_BYTES_MAX = 64,
    NUMBER_DIGITS_MAX = 64, /* leading zeros among them */
    TYPE_KEY_BITS = 6,
    IPV6_GROUPS = 8,
};

/*
 * A mnemonic of up to eight characters is one 64-bit number, and the multiplier was searched so
 * that the common ones fall into slots of their own: gcc refuses a table in which two collide.
 */
#define TYPE_KEY8(a, b, c, d, e, f, g, h)                                                          \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 |              \
     (uint64_t)(e) << 32 | (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)
#define TYPE_KEY_PAD(a, b, c, d, e, f, g, h, ...) TYPE_KEY8(a, b, c, d, e, f, g, h)
#define TYPE_KEY(...)                             TYPE_KEY_PAD(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0)
#define TYPE_SLOT(key)                                                                             \
    ((unsigned)((uint64_t)(key)*UINT64_C(0x12f349cefc936bcb) >> (64 - TYPE_KEY_BITS)))
#define TYPE_ENTRY(type, ...)                                                                      \
    [TYPE_SLOT(TYPE_KEY(__VA_ARGS__))] = {TYPE_KEY(__VA_ARGS__), DNS_TYPE_##type}

enum { DNS_TYPE_SMIMEA = 53, DNS_TYPE_URI = 256 };

static const struct {
    uint64_t key;
    uint16_t type;
} type_table[1 << TYPE_KEY_BITS] = {
    TYPE_ENTRY(A, 'A'),
    TYPE_ENTRY(NS, 'N', 'S'),
    TYPE_ENTRY(CNAME, 'C', 'N', 'A', 'M', 'E'),
    TYPE_ENTRY(SOA, 'S', 'O', 'A'),
    TYPE_ENTRY(PTR, 'P', 'T', 'R'),
    TYPE_ENTRY(HINFO, 'H', 'I', 'N', 'F', 'O'),
    TYPE_ENTRY(MX, 'M', 'X'),
    TYPE_ENTRY(TXT, 'T', 'X', 'T'),
    TYPE_ENTRY(RP, 'R', 'P'),
    TYPE_ENTRY(AFSDB, 'A', 'F', 'S', 'D', 'B'),
    TYPE_ENTRY(AAAA, 'A', 'A', 'A', 'A'),
    TYPE_ENTRY(LOC, 'L', 'O', 'C'),
    TYPE_ENTRY(SRV, 'S', 'R', 'V'),
    TYPE_ENTRY(NAPTR, 'N', 'A', 'P', 'T', 'R'),
    TYPE_ENTRY(KX, 'K', 'X'),
    TYPE_ENTRY(CERT, 'C', 'E', 'R', 'T'),
    TYPE_ENTRY(DNAME, 'D', 'N', 'A', 'M', 'E'),
    TYPE_ENTRY(DS, 'D', 'S'),
    TYPE_ENTRY(SSHFP, 'S', 'S', 'H', 'F', 'P'),
    TYPE_ENTRY(RRSIG, 'R', 'R', 'S', 'I', 'G'),
    TYPE_ENTRY(NSEC, 'N', 'S', 'E', 'C'),
    TYPE_ENTRY(DNSKEY, 'D', 'N', 'S', 'K', 'E', 'Y'),
    TYPE_ENTRY(NSEC3, 'N', 'S', 'E', 'C', '3'),
    TYPE_ENTRY(TLSA, 'T', 'L', 'S', 'A'),
    TYPE_ENTRY(SMIMEA, 'S', 'M', 'I', 'M', 'E', 'A'),
    TYPE_ENTRY(CDS, 'C', 'D', 'S'),
    TYPE_ENTRY(CDNSKEY, 'C', 'D', 'N', 'S', 'K', 'E', 'Y'),
    TYPE_ENTRY(CSYNC, 'C', 'S', 'Y', 'N', 'C'),
    TYPE_ENTRY(ZONEMD, 'Z', 'O', 'N', 'E', 'M', 'D'),
    TYPE_ENTRY(SVCB, 'S', 'V', 'C', 'B'),
    TYPE_ENTRY(HTTPS, 'H', 'T', 'T', 'P', 'S'),
    TYPE_ENTRY(SPF, 'S', 'P', 'F'),
    TYPE_ENTRY(CAA, 'C', 'A', 'A'),
    TYPE_ENTRY(URI, 'U', 'R', 'I'),
};

/* ASCII letters of eight bytes at once to upper case. */
static inline uint64_t upper8(uint64_t text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = text & (0x7f * ones);
    uint64_t from_a = low + (0x80 - 'a') * ones;
    uint64_t above_z = low + (0x7f - 'z') * ones;
    uint64_t letters = (from_a ^ above_z) & ~text & (0x80 * ones);
    return text - (letters >> 2);
}

enum sg_result zonefile_type(const struct scan_token *token, uint16_t *out_type)
{
    if (token->length - 1 < sizeof(uint64_t)) {
        uint64_t key;
        memcpy(&key, token->text, sizeof(key)); /* the window's slack makes it safe */
        key = le64toh(key) & (UINT64_MAX >> (64 - 8 * token->length));
        key = upper8(key);
        if (type_table[TYPE_SLOT(key)].key == key) {
            *out_type = type_table[TYPE_SLOT(key)].type;
            return SG_OK;
        }
    }
    return dns_type_from_text((const char *)token->text, token->length, out_type);
}

enum sg_result zonefile_number(const struct scan_token *token, uint32_t value_max,
                               uint32_t *out_value)
{
    uint64_t value = 0;
    if (token->length - 1 >= NUMBER_DIGITS_MAX) {
        return SG_MALFORMED;
    }
    for (size_t i = 0; i < token->length; i++) {
        unsigned digit = token->text[i] - (unsigned)'0';
        if (digit > 9) {
            return SG_MALFORMED;
        }
        value = value > UINT32_MAX ? value : value * 10 + digit;
    }
    if (value > value_max) {
        return SG_LIMIT;
    }
    *out_value = (uint32_t)value;
    return SG_OK;
}

static unsigned period_unit(uint8_t c)
{
    switch (dns_lower[c]) {
    case 'w':
        return SG_WEEK;
    case 'd':
        return SG_DAY;
    case 'h':
        return SG_HOUR;
    case 'm':
        return SG_MINUTE;
    case 's':
        return 1;
    default:
        return 0;
    }
}

enum sg_result zonefile_period(const struct scan_token *token, uint32_t *out_seconds)
{
    uint64_t seconds = 0;
    if (token->length - 1 >= PERIOD_BYTES_MAX) {
        return SG_MALFORMED;
    }
    for (size_t i = 0; i < token->length; i++) {
        uint64_t value = 0;
        size_t start = i;
        for (; i < token->length && (scan_chars[token->text[i]] & SCAN_CHAR_DIGIT); i++) {
            value = value > UINT32_MAX ? value : value * 10 + token->text[i] - '0';
        }
        /* Only a number alone goes without a unit. */
        bool bare = i == token->length && start == 0;
        unsigned unit = bare ? 1 : i < token->length ? period_unit(token->text[i]) : 0;
        if (i == start || unit == 0) {
            return SG_MALFORMED;
        }
        seconds += value * unit;
    }
    if (seconds > UINT32_MAX) {
        return SG_LIMIT;
    }
    *out_seconds = (uint32_t)seconds;
    return SG_OK;
}

static inline const char *label_problem(size_t length)
{
    return length == 0 ? "empty label" : length > DNS_LABEL_BYTES_MAX ? "label too long" : NULL;
}

static const char *odd_name(const struct scan_token *token, const struct dns_name *origin,
                            struct dns_name *out_name)
{
    enum sg_result result =
        dns_name_from_text((const char *)token->text, token->length, origin, out_name);
    return result == SG_OK ? NULL : "bad name";
}

const char *zonefile_name(const struct scan_token *token, const struct dns_name *origin,
                          struct dns_name *out_name)
{
    if (token->kind == SCAN_QUOTED) {
        return "a name may not be quoted";
    }
    if (token->escaped ||
        (token->length == 1 && (token->text[0] == '@' || token->text[0] == '.'))) {
        return odd_name(token, origin, out_name);
    }
    if (token->length > NAME_TEXT_BYTES_MAX) {
        return "name too long";
    }
    /* The text shifted by one byte, with each dot's place taken by the next label's length. */
    uint8_t *label = out_name->wire;
    uint8_t *at = label + 1;
    unsigned labels = 0;
    for (size_t i = 0; i < token->length; i++) {
        uint8_t c = token->text[i];
        if (c != '.') {
            *at++ = c;
            continue;
        }
        size_t length = (size_t)(at - label) - 1;
        if (length - 1 >= DNS_LABEL_BYTES_MAX) {
            return label_problem(length);
        }
        *label = (uint8_t)length;
        label = at++;
        labels++;
    }
    if (at == label + 1) {
        *label = 0; /* It ended with a dot. */
        out_name->length = (uint8_t)(at - out_name->wire);
        out_name->labels = (uint8_t)labels;
        return NULL;
    }
    size_t length = (size_t)(at - label) - 1;
    if (length > DNS_LABEL_BYTES_MAX) {
        return label_problem(length);
    }
    *label = (uint8_t)length;
    size_t before = (size_t)(at - out_name->wire);
    if (before + origin->length > DNS_NAME_BYTES_MAX) {
        return "name too long";
    }
    memcpy(at, origin->wire, origin->length);
    out_name->length = (uint8_t)(before + origin->length);
    out_name->labels = (uint8_t)(labels + 1 + origin->labels);
    return NULL;
}

bool zonefile_ipv4(const uint8_t *text, size_t length, uint8_t out_address[4])
{
    const uint8_t *at = text;
    const uint8_t *end = text + length;
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0;
        const uint8_t *start = at;
        for (; at < end && (scan_chars[*at] & SCAN_CHAR_DIGIT) && at - start < 3; at++) {
            value = value * 10 + (unsigned)(*at - '0');
        }
        /* A leading zero might have meant octal, so it is refused everywhere. */
        if (at == start || value > 255 || (*start == '0' && at - start > 1)) {
            return false;
        }
        out_address[i] = (uint8_t)value;
        if (i < 3 && (at == end || *at++ != '.')) {
            return false;
        }
    }
    return at == end;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = dns_lower[c];
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to four hexadecimal digits at `text`. Returns how many. */
static size_t ipv6_group(const uint8_t *text, const uint8_t *end, uint16_t *out_group)
{
    unsigned value = 0;
    size_t digits = 0;
    for (; digits < 4 && text + digits < end; digits++) {
        int digit = hex_digit(text[digits]);
        if (digit < 0) {
            break;
        }
        value = value << 4 | (unsigned)digit;
    }
    *out_group = (uint16_t)value;
    return digits;
}

/* Let the groups behind the "::" move to the end. */
static bool ipv6_spread(uint8_t address[16], unsigned groups, unsigned gap)
{
    if (gap > IPV6_GROUPS || groups == IPV6_GROUPS) {
        return gap > IPV6_GROUPS && groups == IPV6_GROUPS;
    }
    size_t moved = 2 * (size_t)(groups - gap);
    memmove(address + 16 - moved, address + 2 * gap, moved);
    memset(address + 2 * gap, 0, 16 - moved - 2 * gap);
    return true;
}

bool zonefile_ipv6(const uint8_t *text, size_t length, uint8_t out_address[16])
{
    const uint8_t *at = text;
    const uint8_t *end = text + length;
    unsigned groups = 0;
    unsigned gap = IPV6_GROUPS + 1; /* none */
    if (length >= 2 && at[0] == ':' && at[1] == ':') {
        gap = 0;
        at += 2;
    }
    while (at < end) {
        uint16_t group;
        size_t digits = ipv6_group(at, end, &group);
        if (at + digits < end && at[digits] == '.') {
            if (groups > IPV6_GROUPS - 2 ||
                !zonefile_ipv4(at, (size_t)(end - at), out_address + 2 * groups)) {
                return false;
            }
            return ipv6_spread(out_address, groups + 2, gap);
        }
        if (digits == 0 || groups == IPV6_GROUPS) {
            return false;
        }
        wire_put_u16(out_address + 2 * groups++, group);
        at += digits;
        if (at == end) {
            break;
        }
        if (*at++ != ':' || at == end) {
            return false;
        }
        if (*at == ':') {
            if (gap <= IPV6_GROUPS) {
                return false;
            }
            gap = groups;
            at++;
        }
    }
    return ipv6_spread(out_address, groups, gap);
}
