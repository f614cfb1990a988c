#include "zone/check_names.h"

#include "zone/zonefile_words.h"

enum { IPV4_LABELS = 4, IPV4_TEXT_BYTES_MAX = 16 };

static bool is_border(uint8_t c)
{
    c = dns_lower[c];
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool label_is_host(const uint8_t *label, size_t length)
{
    if (length == 0 || !is_border(label[0]) || !is_border(label[length - 1])) {
        return length == 0;
    }
    for (size_t i = 1; i + 1 < length; i++) {
        if (!is_border(label[i]) && label[i] != '-') {
            return false;
        }
    }
    return true;
}

static bool label_is(const uint8_t *label, size_t length, const char *text)
{
    if (length != strlen(text)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (dns_lower[label[i]] != (uint8_t)text[i]) {
            return false;
        }
    }
    return true;
}

bool check_is_hostname(struct span labels, bool wildcard)
{
    const uint8_t *at = labels.bytes;
    const uint8_t *end = at + labels.length;
    if (wildcard && labels.length >= 2 && at[0] == 1 && at[1] == '*') {
        at += 2;
    }
    for (; at < end; at += 1 + *at) {
        if (!label_is_host(at + 1, *at)) {
            return false;
        }
    }
    return true;
}

bool check_is_mailbox(struct span name)
{
    size_t first = name.bytes[0];
    for (size_t i = 1; i <= first; i++) {
        if (name.bytes[i] < 0x21 || name.bytes[i] > 0x7e) {
            return false;
        }
    }
    return check_is_hostname((struct span){name.bytes + 1 + first, name.length - 1 - first}, false);
}

bool check_is_special_owner(struct span labels)
{
    const uint8_t *at = labels.bytes;
    const uint8_t *end = at + labels.length;
    if (labels.length > 3 && label_is(at + 1, at[0], "gc") && label_is(at + 4, at[3], "_msdcs")) {
        return true;
    }
    for (; at < end; at += 1 + *at) {
        if (label_is(at + 1, *at, "_spf") || label_is(at + 1, *at, "_spf_verify") ||
            label_is(at + 1, *at, "_spf_rate")) {
            return true;
        }
    }
    return false;
}

bool check_has_inner_wildcard(struct span labels)
{
    const uint8_t *at = labels.bytes;
    const uint8_t *end = at + labels.length;
    if (at == end) {
        return false;
    }
    for (at += 1 + *at; at < end; at += 1 + *at) {
        if (at[0] == 1 && at[1] == '*') {
            return true;
        }
    }
    return false;
}

/* The first `count` labels with dots between. 0 if they are longer than an IPv4 address. */
static size_t join_labels(const struct dns_name *name, unsigned count,
                          uint8_t out_text[IPV4_TEXT_BYTES_MAX])
{
    size_t length = 0;
    const uint8_t *label = name->wire;
    for (unsigned i = 0; i < count; i++) {
        if (length + *label + 1 > IPV4_TEXT_BYTES_MAX) {
            return 0;
        }
        memcpy(out_text + length, label + 1, *label);
        length += *label;
        out_text[length++] = '.';
        label += 1 + *label;
    }
    return length - 1;
}

/* What the operator wrote is gone: the apex may have completed it. */
bool check_is_address(const struct dns_name *name, const struct dns_name *apex)
{
    uint8_t address[16];
    uint8_t text[IPV4_TEXT_BYTES_MAX];
    bool completed = apex->labels > 0 && dns_name_is_at_or_below(name, apex);
    unsigned written = completed ? (unsigned)(name->labels - apex->labels) : name->labels;
    if (written == 1) {
        return zonefile_ipv6(name->wire + 1, name->wire[0], address);
    }
    if (written != IPV4_LABELS) {
        return false;
    }
    size_t length = join_labels(name, IPV4_LABELS, text);
    return length > 0 && zonefile_ipv4(text, length, address);
}
