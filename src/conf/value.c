#include "conf/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"

enum { PREFIX_TEXT_BYTES = 64, DIGITS_MAX = 19 };

bool conf_value_boolean(const char *text, bool *out_value)
{
    static const char *const yes[] = {"yes", "true", "1"};
    static const char *const no[] = {"no", "false", "0"};

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out_value = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* The number at `*at`, which is moved behind it. False without digits, or with too many. */
static bool read_number(const char **at, uint64_t *out_value)
{
    const char *start = *at;
    uint64_t value = 0;

    while (isdigit((unsigned char)**at) && *at - start < DIGITS_MAX) {
        value = value * 10 + (uint64_t)(**at - '0');
        (*at)++;
    }
    if (*at == start || isdigit((unsigned char)**at)) {
        return false;
    }
    *out_value = value;
    return true;
}

bool conf_value_integer(const char *text, uint32_t *out_value)
{
    uint64_t value;

    if (!read_number(&text, &value) || *text != '\0' || value > UINT32_MAX) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

bool conf_value_percent(const char *text, uint32_t *out_percent)
{
    uint64_t value;

    if (!read_number(&text, &value) || strcmp(text, "%") != 0 || value > UINT32_MAX) {
        return false;
    }
    *out_percent = (uint32_t)value;
    return true;
}

bool conf_value_size(const char *text, uint64_t *out_bytes)
{
    uint64_t value;
    unsigned shift = 0;

    if (!read_number(&text, &value)) {
        return false;
    }
    switch (tolower((unsigned char)*text)) {
    case '\0':
        break;
    case 'k':
        shift = 10;
        break;
    case 'm':
        shift = 20;
        break;
    case 'g':
        shift = 30;
        break;
    default:
        return false;
    }
    if ((shift > 0 && text[1] != '\0') || value > UINT64_MAX >> shift) {
        return false;
    }
    *out_bytes = value << shift;
    return true;
}

struct unit {
    char letter;
    uint32_t seconds;
};

/*
 * Numbers, each with a unit of `units`, in the order of `units` where `ordered`; up to the end or
 * to a 't'. `*at` is moved, `*total` grows.
 */
static bool read_units(const char **at, const struct unit *units, size_t units_count, bool ordered,
                       uint64_t *total)
{
    size_t next = 0;

    while (**at != '\0' && tolower((unsigned char)**at) != 't') {
        uint64_t value;
        if (!read_number(at, &value) || value > UINT32_MAX) {
            return false;
        }
        size_t unit = ordered ? next : 0;
        char letter = (char)tolower((unsigned char)**at);
        while (unit < units_count && units[unit].letter != letter) {
            unit++;
        }
        if (unit == units_count) {
            return false;
        }
        *total += value * units[unit].seconds;
        if (*total > UINT32_MAX) {
            return false;
        }
        next = unit + 1;
        (*at)++;
    }
    return true;
}

static const struct unit week_units[] = {{'w', 604800}};
static const struct unit date_units[] = {{'y', 31536000}, {'m', 2678400}, {'d', 86400}};
static const struct unit time_units[] = {{'h', 3600}, {'m', 60}, {'s', 1}};
static const struct unit ttl_units[] = {
    {'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

static bool read_iso8601(const char *text, uint64_t *total)
{
    const char *at = text;

    if (*at == '\0') {
        return false;
    }
    if (strpbrk(text, "wW") != NULL) {
        return read_units(&at, week_units, ARRAY_LEN(week_units), true, total) && *at == '\0';
    }
    if (!read_units(&at, date_units, ARRAY_LEN(date_units), true, total)) {
        return false;
    }
    if (*at == '\0') {
        return true;
    }
    at++; /* T */
    return *at != '\0' && read_units(&at, time_units, ARRAY_LEN(time_units), true, total) &&
           *at == '\0';
}

bool conf_value_duration(const char *text, uint32_t *out_seconds)
{
    uint64_t total = 0;

    if (conf_value_integer(text, out_seconds)) {
        return true;
    }
    bool good = tolower((unsigned char)*text) == 'p'
                    ? read_iso8601(text + 1, &total)
                    : *text != '\0' &&
                          read_units(&text, ttl_units, ARRAY_LEN(ttl_units), false, &total) &&
                          *text == '\0';
    if (good) {
        *out_seconds = (uint32_t)total;
    }
    return good;
}

/* "10", "10.1", ... with the octets that are missing taken as 0. How many there were, or 0. */
static unsigned read_octets(const char *text, uint8_t out_bytes[16])
{
    unsigned octets = 0;

    while (octets < 4) {
        uint64_t value;
        const char *start = text;
        bool leading_zero = text[0] == '0' && text[1] >= '0' && text[1] <= '9'; /* octal? */
        if (leading_zero || !read_number(&text, &value) || value > 255 || text - start > 3) {
            return 0;
        }
        out_bytes[octets++] = (uint8_t)value;
        if (*text == '\0') {
            return octets;
        }
        if (*text++ != '.') {
            return 0;
        }
    }
    return 0;
}

static bool bits_behind_are_zero(const struct conf_prefix *prefix)
{
    for (unsigned bit = prefix->length; bit < (prefix->ipv6 ? 128u : 32u); bit++) {
        if ((prefix->bytes[bit / 8] & (0x80u >> bit % 8)) != 0) {
            return false;
        }
    }
    return true;
}

static bool looks_like_prefix(const char *text)
{
    bool digits = strspn(text, "0123456789./") == strlen(text) && *text != '\0' && *text != '.' &&
                  *text != '/';
    bool colons =
        strchr(text, ':') != NULL && strspn(text, "0123456789abcdefABCDEF:./") == strlen(text);
    return digits || colons;
}

const char *conf_value_prefix(const char *text, struct conf_prefix *out_prefix,
                              bool *out_looks_like)
{
    char address[PREFIX_TEXT_BYTES];
    struct conf_prefix prefix = {0};
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);

    *out_looks_like = looks_like_prefix(text);
    if (!*out_looks_like || length >= sizeof(address)) {
        return "not an address";
    }
    memcpy(address, text, length);
    address[length] = '\0';
    prefix.ipv6 = strchr(address, ':') != NULL;
    unsigned octets = prefix.ipv6 ? 16 : read_octets(address, prefix.bytes);
    if (octets == 0 || (prefix.ipv6 && inet_pton(AF_INET6, address, prefix.bytes) != 1)) {
        return "not an address";
    }
    uint32_t bits = prefix.ipv6 ? 128 : 32;
    if (slash == NULL) {
        if (octets < 4) {
            return "an incomplete IPv4 address or prefix";
        }
    } else if (!conf_value_integer(slash + 1, &bits) || bits > (prefix.ipv6 ? 128 : 32)) {
        return "an invalid prefix length";
    }
    prefix.length = (uint8_t)bits;
    if (!bits_behind_are_zero(&prefix)) {
        return "an address that has bits behind its prefix length";
    }
    *out_prefix = prefix;
    return NULL;
}
