#include "dns/rrtype.h"

#include <stdio.h>

#include "dns/name.h"

enum { MNEMONIC_BYTES_MAX = 10, NUMBER_DIGITS_MAX = 5 };

struct type_name {
    char text[MNEMONIC_BYTES_MAX + 2];
    uint16_t type;
    bool input_only; /* ldns does not know it: read, but written as TYPEnnn for its tools */
};

/* Sorted by text for the binary search; no two begin with the same eight characters. */
/* clang-format off */
static const struct type_name type_names[] = {
    {"A", 1, false},           {"A6", 38, false},        {"AAAA", 28, false},
    {"AFSDB", 18, false},      {"AMTRELAY", 260, true}, {"ANY", 255, false},      {"APL", 42, false},
    {"ATMA", 34, false},       {"AVC", 258, true},       {"AXFR", 252, false},
    {"CAA", 257, false},       {"CDNSKEY", 60, false},   {"CDS", 59, false},
    {"CERT", 37, false},       {"CNAME", 5, false},      {"CSYNC", 62, false},
    {"DHCID", 49, false},      {"DLV", 32769, false},    {"DNAME", 39, false},
    {"DNSKEY", 48, false},     {"DS", 43, false},        {"EID", 31, false},
    {"EUI48", 108, false},     {"EUI64", 109, false},    {"GID", 102, true},        {"GPOS", 27, false},
    {"HINFO", 13, false},      {"HIP", 55, false},       {"HTTPS", 65, false},
    {"IPSECKEY", 45, false},   {"ISDN", 20, false},      {"IXFR", 251, false},
    {"KEY", 25, false},        {"KX", 36, false},        {"L32", 105, false},
    {"L64", 106, false},       {"LOC", 29, false},       {"LP", 107, false},
    {"MAILA", 254, false},     {"MAILB", 253, false},    {"MB", 7, false},
    {"MD", 3, false},          {"MF", 4, false},         {"MG", 8, false},
    {"MINFO", 14, false},      {"MR", 9, false},         {"MX", 15, false},
    {"NAPTR", 35, false},      {"NID", 104, false},      {"NIMLOC", 32, false},
    {"NINFO", 56, true},       {"NS", 2, false},         {"NSAP", 22, false},
    {"NSAP-PTR", 23, false},   {"NSEC", 47, false},      {"NSEC3", 50, false},
    {"NSEC3PARAM", 51, false}, {"NULL", 10, false},      {"NXT", 30, false},
    {"OPENPGPKEY", 61, false}, {"OPT", 41, false},       {"PTR", 12, false},
    {"PX", 26, false},         {"RESINFO", 261, true},   {"RKEY", 57, true},
    {"RP", 17, false},         {"RRSIG", 46, false},     {"RT", 21, false},
    {"SIG", 24, false},        {"SINK", 40, false},      {"SMIMEA", 53, false},
    {"SOA", 6, false},         {"SPF", 99, false},       {"SRV", 33, false},
    {"SSHFP", 44, false},      {"SVCB", 64, false},      {"TA", 32768, true},
    {"TALINK", 58, false},     {"TKEY", 249, false},     {"TLSA", 52, false},
    {"TSIG", 250, false},      {"TXT", 16, false},       {"UID", 101, true},        {"UINFO", 100, true},      {"UNSPEC", 103, true},
    {"URI", 256, false},
    {"WALLET", 262, true},     {"WKS", 11, false},       {"X25", 19, false},
    {"ZONEMD", 63, false},
};

static const char *const rcode_names[] = {
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI", NULL, NULL, NULL, NULL,
    "BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG", "BADTRUNC", "BADCOOKIE",
};
/* clang-format on */

static uint8_t upper(char c)
{
    return (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* The first eight characters in upper case as a number that sorts like the text. */
static uint64_t mnemonic_key(const char *text, size_t length)
{
    uint64_t key = 0;
    for (size_t i = 0; i < 8; i++) {
        key = key << 8 | (i < length ? upper(text[i]) : 0u);
    }
    return key;
}

static uint64_t table_key(const struct type_name *entry)
{
    return (uint64_t)wire_get_u32((const uint8_t *)entry->text) << 32 |
           wire_get_u32((const uint8_t *)entry->text + 4);
}

static bool text_is(const char *text, size_t length, const char *upper_case)
{
    for (size_t i = 0; i < length; i++) {
        if (upper(text[i]) != (uint8_t)upper_case[i] || upper_case[i] == '\0') {
            return false;
        }
    }
    return upper_case[length] == '\0';
}

/* `prefix` and a number below 65536, RFC 3597 5. */
static enum sg_result number_from_text(const char *prefix, const char *text, size_t length,
                                       uint16_t *out_number)
{
    size_t skip = strlen(prefix);
    if (length <= skip || length > skip + NUMBER_DIGITS_MAX || !text_is(text, skip, prefix)) {
        return SG_MALFORMED;
    }
    uint32_t number = 0;
    for (size_t i = skip; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return SG_MALFORMED;
        }
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    if (number > UINT16_MAX) {
        return SG_MALFORMED;
    }
    *out_number = (uint16_t)number;
    return SG_OK;
}

const char *dns_type_to_text(uint16_t type, char out_text[DNS_TYPE_TEXT_BYTES])
{
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++) {
        if (type_names[i].type == type && !type_names[i].input_only) {
            memcpy(out_text, type_names[i].text, sizeof(type_names[i].text));
            return out_text;
        }
    }
    snprintf(out_text, DNS_TYPE_TEXT_BYTES, "TYPE%u", (unsigned)type);
    return out_text;
}

enum sg_result dns_type_from_text(const char *text, size_t length, uint16_t *out_type)
{
    if (length <= MNEMONIC_BYTES_MAX) {
        uint64_t key = mnemonic_key(text, length);
        const struct type_name *base = type_names;
        for (size_t left = ARRAY_LEN(type_names); left > 1; left -= left / 2) {
            base += table_key(base + left / 2) <= key ? left / 2 : 0;
        }
        if (text_is(text, length, base->text)) {
            *out_type = base->type;
            return SG_OK;
        }
    }
    return number_from_text("TYPE", text, length, out_type);
}

const char *dns_class_to_text(uint16_t rrclass, char out_text[DNS_TYPE_TEXT_BYTES])
{
    switch (rrclass) {
    case DNS_CLASS_IN:
        return strcpy(out_text, "IN");
    case DNS_CLASS_CH:
        return strcpy(out_text, "CH");
    case DNS_CLASS_HS:
        return strcpy(out_text, "HS");
    case DNS_CLASS_NONE:
        return strcpy(out_text, "NONE");
    case DNS_CLASS_ANY:
        return strcpy(out_text, "ANY");
    default:
        snprintf(out_text, DNS_TYPE_TEXT_BYTES, "CLASS%u", (unsigned)rrclass);
        return out_text;
    }
}

enum sg_result dns_class_from_text(const char *text, size_t length, uint16_t *out_class)
{
    static const struct {
        const char *text;
        uint16_t rrclass;
    } names[] = {{"IN", DNS_CLASS_IN},  {"CH", DNS_CLASS_CH},     {"CHAOS", DNS_CLASS_CH},
                 {"HS", DNS_CLASS_HS},  {"HESIOD", DNS_CLASS_HS}, {"NONE", DNS_CLASS_NONE},
                 {"ANY", DNS_CLASS_ANY}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (text_is(text, length, names[i].text)) {
            *out_class = names[i].rrclass;
            return SG_OK;
        }
    }
    return number_from_text("CLASS", text, length, out_class);
}

const char *dns_rcode_to_text(unsigned rcode)
{
    const char *text = rcode < ARRAY_LEN(rcode_names) ? rcode_names[rcode] : NULL;
    return text != NULL ? text : "RESERVED";
}

bool dns_type_is_meta(uint16_t type)
{
    return type == 0 || type == DNS_TYPE_OPT || (type >= 128 && type <= 255);
}

bool dns_type_is_singleton(uint16_t type)
{
    return type == DNS_TYPE_SOA || type == DNS_TYPE_CNAME || type == DNS_TYPE_DNAME;
}

bool dns_class_has_type(uint16_t rrclass, uint16_t type)
{
    static const uint16_t internet[] = {
        DNS_TYPE_A,   DNS_TYPE_WKS,    22 /* NSAP */, 23 /* NSAP-PTR */, DNS_TYPE_PX, DNS_TYPE_AAAA,
        31 /* EID */, 32 /* NIMLOC */, DNS_TYPE_SRV,  34 /* ATMA */,     DNS_TYPE_KX, 38 /* A6 */,
        DNS_TYPE_APL, 49 /* DHCID */,  DNS_TYPE_SVCB, DNS_TYPE_HTTPS};
    if (rrclass == DNS_CLASS_IN || (rrclass == DNS_CLASS_HS && type == DNS_TYPE_A)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(internet); i++) {
        if (internet[i] == type) {
            return false;
        }
    }
    return true;
}

bool dns_type_is_beside_cname(uint16_t type)
{
    return type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC || type == DNS_TYPE_KEY ||
           type == DNS_TYPE_SIG || type == DNS_TYPE_NXT;
}

bool dns_type_is_generated(uint16_t type)
{
    return type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC || type == DNS_TYPE_NSEC3 ||
           type == DNS_TYPE_NSEC3PARAM;
}
