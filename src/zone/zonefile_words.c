#include "zone/zonefile_words.h"

#include "base/time.h"
#include "dns/rrtype.h"
#include "zone/zonefile_wide.h"

enum {
    WIDE_NAME_BYTES_MAX = 240, /* so that a word stored over the end stays in the name */
    PERIOD_BYTES_MAX = 64,
    NUMBER_DIGITS_MAX = 64,
    NUMBER_ZEROS_FROM = 11, /* so many digits may begin with zeros only in other parsers */
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

enum sg_result zonefile_type(const struct scan_token *token, uint16_t *out_type)
{
    if (token->length - 1 < sizeof(uint64_t)) {
        uint64_t key = wide_upper(wide_first(wide_load(token->text), token->length));
        if (type_table[TYPE_SLOT(key)].key == key) {
            *out_type = type_table[TYPE_SLOT(key)].type;
            return SG_OK;
        }
    }
    return dns_type_from_text((const char *)token->text, token->length, out_type);
}

/* clang-format off */
const uint8_t zonefile_hex[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
    ['8'] = 9, ['9'] = 10,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};
/* clang-format on */

enum sg_result zonefile_number(const struct scan_token *token, uint32_t value_max,
                               uint32_t *out_value)
{
    uint64_t value = 0;
    if (token->length - 1 >= NUMBER_DIGITS_MAX ||
        (token->length >= NUMBER_ZEROS_FROM && token->text[0] == '0')) {
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

/* Let the label that begins at `label` end at `end`. 0, or more when it is empty or too long. */
static inline unsigned close_label(uint8_t *label, const uint8_t *end)
{
    size_t length = (size_t)(end - label) - 1;
    *label = (uint8_t)length;
    return length - 1 >= DNS_LABEL_BYTES_MAX;
}

/*
 * The text shifted by one byte, with each dot's place taken by the next label's length. `wire` has
 * DNS_NAME_BYTES_MAX bytes; a name that might leave too little of them is not wide.
 */
static inline const char *wide_name(const struct scan_token *token, const struct dns_name *origin,
                                    bool lower, uint8_t *wire, size_t *out_length,
                                    unsigned *out_labels)
{
    uint8_t *label = wire;
    unsigned labels = 0;
    unsigned bad = 0;
    for (size_t i = 0; i < token->length; i += sizeof(uint64_t)) {
        uint64_t word = wide_load(token->text + i);
        uint64_t dots = wide_first(wide_equal(word, '.'), token->length - i);
        wide_store(wire + 1 + i, lower ? wide_lower(word) : word);
        for (; dots != 0; dots &= dots - 1) {
            uint8_t *dot = wire + 1 + i + wide_first_index(dots);
            bad |= close_label(label, dot);
            label = dot;
            labels++;
        }
    }
    uint8_t *end = wire + 1 + token->length;
    if (token->text[token->length - 1] == '.') {
        *label = 0;
        *out_labels = labels;
    } else {
        bad |= close_label(label, end);
        wide_copy(end, origin->wire, origin->length);
        end += origin->length;
        *out_labels = labels + 1 + origin->labels;
    }
    *out_length = (size_t)(end - wire);
    return bad ? "empty label, or one longer than 63 bytes" : NULL;
}

static inline bool name_is_wide(const struct scan_token *token, const struct dns_name *origin)
{
    bool at_or_root = token->length == 1 && (token->text[0] == '@' || token->text[0] == '.');
    return !token->escaped && !at_or_root && token->length + origin->length <= WIDE_NAME_BYTES_MAX;
}

static const char *odd_name(const struct scan_token *token, const struct dns_name *origin,
                            struct dns_name *out_name)
{
    if (token->kind == SCAN_QUOTED) {
        return "a name may not be quoted";
    }
    enum sg_result result =
        dns_name_from_text((const char *)token->text, token->length, origin, out_name);
    return result == SG_OK ? NULL : "bad name";
}

const char *zonefile_name(const struct scan_token *token, const struct dns_name *origin,
                          struct dns_name *out_name)
{
    size_t length;
    unsigned labels;
    if (token->kind == SCAN_QUOTED || !name_is_wide(token, origin)) {
        return odd_name(token, origin, out_name);
    }
    const char *problem = wide_name(token, origin, false, out_name->wire, &length, &labels);
    out_name->length = (uint8_t)length;
    out_name->labels = (uint8_t)labels;
    return problem;
}

const char *zonefile_owner_name(const struct scan_token *token, const struct dns_name *origin_lower,
                                struct dns_name *out_name)
{
    size_t length;
    unsigned labels;
    if (token->kind == SCAN_QUOTED || !name_is_wide(token, origin_lower)) {
        const char *problem = odd_name(token, origin_lower, out_name);
        if (problem == NULL) {
            dns_name_lower(out_name);
        }
        return problem;
    }
    const char *problem = wide_name(token, origin_lower, true, out_name->wire, &length, &labels);
    out_name->length = (uint8_t)length;
    out_name->labels = (uint8_t)labels;
    return problem;
}

const char *zonefile_name_write(const struct scan_token *token, const struct dns_name *origin,
                                struct writer *out)
{
    struct dns_name name;
    size_t length;
    unsigned labels;
    bool room = (size_t)(out->end - out->at) >= DNS_NAME_BYTES_MAX && !out->failed;
    if (token->kind == SCAN_QUOTED || !room || !name_is_wide(token, origin)) {
        const char *problem = odd_name(token, origin, &name);
        if (problem == NULL) {
            writer_bytes(out, name.wire, name.length);
        }
        return problem;
    }
    const char *problem = wide_name(token, origin, false, out->at, &length, &labels);
    out->at += length;
    return problem;
}

/*
 * One to three digits at `text` to a number up to 255. 0, or more when it is none: a leading zero,
 * which might have meant octal, is refused everywhere.
 */
static inline unsigned octet(const uint8_t *text, size_t length, uint8_t *out_value)
{
    static const uint32_t least[] = {1, 0, 0x100, 0x10000};
    const uint32_t most = 0x20505;
    /* Digits in the high bytes, the last one highest, zeros below. */
    uint32_t digits = ((uint32_t)wide_load(text) ^ 0x30303030u) << (32 - 8 * (length & 3)) % 32;
    uint32_t ordered = __builtin_bswap32(digits);
    uint32_t no_digit = (digits | (digits + 0x76767676u)) & 0x80808080u;
    *out_value = (uint8_t)((digits >> 8) * (100u << 16 | 10u << 8 | 1u) >> 16);
    return (ordered - least[length & 3] > most - least[length & 3]) | (no_digit != 0) |
           (length - 1 > 2);
}

bool zonefile_ipv4(const uint8_t *text, size_t length, uint8_t out_address[4])
{
    enum { TEXT_BYTES_MIN = 7, TEXT_BYTES_MAX = 15 };
    if (length < TEXT_BYTES_MIN || length > TEXT_BYTES_MAX) {
        return false;
    }
    unsigned dots = wide_bits16(text, '.') & ((1u << length) - 1);
    unsigned behind_first = dots & (dots - 1);
    unsigned behind_second = behind_first & (behind_first - 1);
    if (behind_second == 0 || (behind_second & (behind_second - 1)) != 0) {
        return false; /* not three of them */
    }
    size_t first = (size_t)__builtin_ctz(dots);
    size_t second = (size_t)__builtin_ctz(behind_first);
    size_t third = (size_t)__builtin_ctz(behind_second);
    unsigned bad = octet(text, first, &out_address[0]);
    bad |= octet(text + first + 1, second - first - 1, &out_address[1]);
    bad |= octet(text + second + 1, third - second - 1, &out_address[2]);
    bad |= octet(text + third + 1, length - third - 1, &out_address[3]);
    return bad == 0;
}

/* Up to four hexadecimal digits at `text`. Returns how many. */
static inline size_t ipv6_group(const uint8_t *text, const uint8_t *end, uint16_t *out_group)
{
    unsigned value = 0;
    size_t digits = 0;
    for (; digits < 4 && text + digits < end && zonefile_hex[text[digits]] != 0; digits++) {
        value = value << 4 | (zonefile_hex[text[digits]] - 1u);
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

/* The last two groups are an IPv4 address (RFC 4291 2.2, form 3). */
static bool ipv6_end_with_ipv4(struct span text, uint8_t address[16], unsigned groups, unsigned gap)
{
    return groups <= IPV6_GROUPS - 2 &&
           zonefile_ipv4(text.bytes, text.length, address + 2 * groups) &&
           ipv6_spread(address, groups + 2, gap);
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
            struct span rest = {at, (size_t)(end - at)};
            return ipv6_end_with_ipv4(rest, out_address, groups, gap);
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
        if (*at != ':') {
            continue;
        }
        if (gap <= IPV6_GROUPS) {
            return false;
        }
        gap = groups;
        at++;
    }
    return ipv6_spread(out_address, groups, gap);
}
