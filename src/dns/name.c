#include "dns/name.h"

#include "dns/escape.h"

const struct dns_name dns_name_root = {.length = 1, .labels = 0, .wire = {0}};

/* clang-format off */
#define SELF_8(n)   (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7
#define SELF_32(n)  SELF_8(n), SELF_8((n) + 8), SELF_8((n) + 16), SELF_8((n) + 24)
const uint8_t dns_lower[256] = {
    SELF_32(0), SELF_32(32),
    '@', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '[', '\\', ']', '^', '_',
    SELF_32(96), SELF_32(128), SELF_32(160), SELF_32(192), SELF_32(224),
};
/* clang-format on */

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/*
 * Eight bytes to lower case at once. Bit 7 of each byte of `above_z` and `from_a` says whether the
 * low seven bits lie above 'Z' or from 'A' on; no carry leaves a byte, since bit 7 is masked first.
 */
static inline uint64_t lower_word(uint64_t word)
{
    uint64_t low = word & EACH_BYTE(0x7f);
    uint64_t above_z = low + EACH_BYTE(0x7f - 'Z');
    uint64_t from_a = low + EACH_BYTE(0x80 - 'A');
    uint64_t upper = (from_a ^ above_z) & ~word & EACH_BYTE(0x80);
    return word | upper >> 2;
}

static inline uint64_t load_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* Label lengths are below 'A', so whole names are compared as if they were text. */
static bool bytes_equal_ignoring_case(const uint8_t *a, const uint8_t *b, size_t length)
{
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word_a = load_word(a + i);
        uint64_t word_b = load_word(b + i);
        if (word_a != word_b && lower_word(word_a) != lower_word(word_b)) {
            return false;
        }
    }
    for (; i < length; i++) {
        if (dns_lower[a[i]] != dns_lower[b[i]]) {
            return false;
        }
    }
    return true;
}

/* Offset of each label of `name`, leftmost first. */
static void label_starts(const struct dns_name *name, uint8_t out_starts[DNS_LABELS_MAX])
{
    unsigned at = 0;
    for (unsigned label = 0; label < name->labels; label++) {
        out_starts[label] = (uint8_t)at;
        at += name->wire[at] + 1u;
    }
}

/* Left-justified octet strings, absence of an octet first (RFC 4034 6.1). */
static int label_compare(const uint8_t *a, const uint8_t *b)
{
    unsigned shorter = a[0] < b[0] ? a[0] : b[0];
    for (unsigned i = 1; i <= shorter; i++) {
        int difference = dns_lower[a[i]] - dns_lower[b[i]];
        if (difference != 0) {
            return difference;
        }
    }
    return a[0] - b[0];
}

/* A name whose last label is being written: `label_at` is where its length byte will stand. */
struct name_draft {
    size_t label_at;
    size_t used;
    unsigned labels;
    uint8_t wire[DNS_NAME_BYTES_MAX];
};

static bool draft_add_byte(struct name_draft *draft, uint8_t byte)
{
    /* One byte is kept back for the root label. */
    if (draft->used >= DNS_NAME_BYTES_MAX - 1 ||
        draft->used - draft->label_at > DNS_LABEL_BYTES_MAX) {
        return false;
    }
    draft->wire[draft->used++] = byte;
    return true;
}

static bool draft_end_label(struct name_draft *draft)
{
    size_t length = draft->used - draft->label_at - 1;
    if (length == 0) {
        return false;
    }
    draft->wire[draft->label_at] = (uint8_t)length;
    draft->label_at = draft->used++;
    draft->labels++;
    return true;
}

/* Add a character or an escape from the front of `text`: how long it is, 0 when it may not be. */
static inline size_t draft_add_text(struct name_draft *draft, const char *text, size_t length)
{
    uint8_t byte = (uint8_t)text[0];
    size_t escaped = 0;

    if (byte == '.') {
        return draft_end_label(draft) ? 1 : 0;
    }
    if (byte == '\\') {
        escaped = dns_unescape(text + 1, length - 1, &byte);
        if (escaped == 0) {
            return 0;
        }
    }
    return draft_add_byte(draft, byte) ? 1 + escaped : 0;
}

/* Add the label at message[at] behind those of `name`; one byte is kept back for the root label. */
static inline bool name_add_label(struct dns_name *name, struct span message, size_t at)
{
    unsigned length = message.bytes[at];
    if (message.length - at <= length || name->length + length + 1 >= DNS_NAME_BYTES_MAX) {
        return false;
    }
    memcpy(name->wire + name->length, message.bytes + at, length + 1);
    name->length = (uint8_t)(name->length + length + 1);
    name->labels++;
    return true;
}

enum sg_result dns_name_from_text(const char *text, size_t length, const struct dns_name *origin,
                                  struct dns_name *out_name)
{
    const struct dns_name *suffix = origin != NULL ? origin : &dns_name_root;
    struct name_draft draft = {.label_at = 0, .used = 1, .labels = 0};

    if (length == 1 && text[0] == '@') {
        *out_name = *suffix;
        return SG_OK;
    }
    if (length == 1 && text[0] == '.') {
        *out_name = dns_name_root;
        return SG_OK;
    }
    for (size_t i = 0; i < length;) {
        size_t taken = draft_add_text(&draft, text + i, length - i);
        if (taken == 0) {
            return SG_MALFORMED;
        }
        i += taken;
    }
    if (draft.used - draft.label_at == 1) {
        suffix = &dns_name_root; /* It ended in a dot. */
    } else if (!draft_end_label(&draft)) {
        return SG_MALFORMED;
    }
    if (draft.labels == 0 || draft.label_at + suffix->length > DNS_NAME_BYTES_MAX) {
        return SG_MALFORMED;
    }
    memcpy(out_name->wire, draft.wire, draft.label_at);
    memcpy(out_name->wire + draft.label_at, suffix->wire, suffix->length);
    out_name->length = (uint8_t)(draft.label_at + suffix->length);
    out_name->labels = (uint8_t)(draft.labels + suffix->labels);
    return SG_OK;
}

enum sg_result dns_name_from_wire(struct span wire, struct dns_name *out_name)
{
    size_t length = dns_name_wire_check(wire);
    if (length == 0) {
        return SG_MALFORMED;
    }
    memcpy(out_name->wire, wire.bytes, length);
    out_name->length = (uint8_t)length;
    out_name->labels = (uint8_t)dns_name_wire_labels(wire.bytes);
    return SG_OK;
}

enum sg_result dns_name_from_message(struct span message, size_t offset, struct dns_name *out_name,
                                     size_t *out_after)
{
    struct dns_name name = {.length = 0, .labels = 0};
    size_t at = offset;
    size_t chunk = offset; /* where the bytes that `at` walks through begin */
    size_t after = 0;      /* set at the first pointer */

    /* Each step takes a label or a pointer to before `chunk`. */
    for (unsigned pointers = 0; at < message.length;) {
        unsigned length = message.bytes[at];
        if (length == 0) { /* There is room: name_add_label() kept it. */
            name.wire[name.length++] = 0;
            memcpy(out_name->wire, name.wire, name.length);
            out_name->length = name.length;
            out_name->labels = name.labels;
            *out_after = after != 0 ? after : at + 1;
            return SG_OK;
        }
        bool is_label = length <= DNS_LABEL_BYTES_MAX;
        if (is_label && !name_add_label(&name, message, at)) {
            return SG_MALFORMED;
        }
        if (is_label) {
            at += length + 1;
            continue;
        }
        if (length < 0xc0 || message.length - at < 2 || pointers++ == DNS_LABELS_MAX) {
            return SG_MALFORMED;
        }
        size_t target = wire_get_u16(message.bytes + at) & 0x3fffu;
        if (target >= chunk) {
            return SG_MALFORMED;
        }
        after = after != 0 ? after : at + 2;
        at = chunk = target;
    }
    return SG_MALFORMED;
}

/* One byte of a label in presentation format; special in zone files means escaped. */
static char *text_add_byte(char *text, uint8_t byte)
{
    if (byte <= ' ' || byte >= 0x7f) {
        return dns_escape_decimal(text, byte);
    }
    if (strchr(".\\\"();@$", byte) != NULL) {
        *text++ = '\\';
    }
    *text++ = (char)byte;
    return text;
}

const char *dns_name_wire_to_text(const uint8_t *wire, char *out_text)
{
    char *text = out_text;
    if (wire[0] == 0) {
        *text++ = '.';
    }
    while (wire[0] != 0) {
        for (unsigned i = 1; i <= wire[0]; i++) {
            text = text_add_byte(text, wire[i]);
        }
        *text++ = '.';
        wire += wire[0] + 1;
    }
    *text = '\0';
    return out_text;
}

const char *dns_name_to_text(const struct dns_name *name, char *out_text)
{
    return dns_name_wire_to_text(name->wire, out_text);
}

const char *dns_name_to_text_short(const struct dns_name *name, char *out_text)
{
    dns_name_wire_to_text(name->wire, out_text);
    if (name->labels > 0) {
        out_text[strlen(out_text) - 1] = '\0';
    }
    return out_text;
}

size_t dns_name_wire_length(const uint8_t *wire)
{
    size_t at = 0;
    while (wire[at] != 0) {
        at += wire[at] + 1u;
    }
    return at + 1;
}

size_t dns_name_wire_check(struct span wire)
{
    size_t limit = wire.length < DNS_NAME_BYTES_MAX ? wire.length : DNS_NAME_BYTES_MAX;
    for (size_t at = 0; at < limit; at += wire.bytes[at] + 1u) {
        if (wire.bytes[at] == 0) {
            return at + 1;
        }
        if (wire.bytes[at] > DNS_LABEL_BYTES_MAX) {
            return 0;
        }
    }
    return 0;
}

unsigned dns_name_wire_labels(const uint8_t *wire)
{
    unsigned labels = 0;
    while (wire[0] != 0) {
        wire += wire[0] + 1;
        labels++;
    }
    return labels;
}

void dns_name_lower(struct dns_name *name)
{
    dns_name_wire_lower(name->wire, name->wire, name->length);
}

static void lower_eight(uint8_t *out_bytes, const uint8_t *bytes)
{
    uint64_t word = lower_word(load_word(bytes));
    memcpy(out_bytes, &word, sizeof(word));
}

void dns_name_wire_lower(uint8_t *out_wire, const uint8_t *wire, size_t length)
{
    if (length < 8) {
        for (size_t i = 0; i < length; i++) {
            out_wire[i] = dns_lower[wire[i]];
        }
        return;
    }
    for (size_t i = 0; i + 8 < length; i += 8) {
        lower_eight(out_wire + i, wire + i);
    }
    /* The last eight bytes, some of them once more: lower case stays what it is. */
    lower_eight(out_wire + length - 8, wire + length - 8);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->length == b->length && bytes_equal_ignoring_case(a->wire, b->wire, a->length);
}

bool dns_name_wire_equal(const uint8_t *a, const uint8_t *b)
{
    size_t length = dns_name_wire_length(a);
    return length == dns_name_wire_length(b) && bytes_equal_ignoring_case(a, b, length);
}

int dns_name_compare(const struct dns_name *a, const struct dns_name *b)
{
    uint8_t starts_a[DNS_LABELS_MAX];
    uint8_t starts_b[DNS_LABELS_MAX];
    label_starts(a, starts_a);
    label_starts(b, starts_b);

    unsigned common = a->labels < b->labels ? a->labels : b->labels;
    for (unsigned i = 1; i <= common; i++) {
        int order =
            label_compare(a->wire + starts_a[a->labels - i], b->wire + starts_b[b->labels - i]);
        if (order != 0) {
            return order;
        }
    }
    return a->labels - b->labels;
}

bool dns_name_is_at_or_below(const struct dns_name *name, const struct dns_name *ancestor)
{
    if (name->labels < ancestor->labels || name->length < ancestor->length) {
        return false;
    }
    const uint8_t *tail = dns_name_skip(name, (unsigned)(name->labels - ancestor->labels));
    return tail == name->wire + (name->length - ancestor->length) &&
           bytes_equal_ignoring_case(tail, ancestor->wire, ancestor->length);
}

struct dns_name dns_name_parent(const struct dns_name *name, unsigned count)
{
    struct dns_name parent;
    const uint8_t *tail = dns_name_skip(name, count);
    parent.length = (uint8_t)(name->length - (tail - name->wire));
    parent.labels = (uint8_t)(name->labels - count);
    memcpy(parent.wire, tail, parent.length);
    return parent;
}

const uint8_t *dns_name_skip(const struct dns_name *name, unsigned count)
{
    ASSERT(count <= name->labels);
    const uint8_t *at = name->wire;
    for (unsigned label = 0; label < count; label++) {
        at += at[0] + 1;
    }
    return at;
}

enum sg_result dns_name_wildcard(const struct dns_name *name, struct dns_name *out_name)
{
    static const struct dns_name asterisk = {.length = 3, .labels = 1, .wire = {1, '*', 0}};
    return dns_name_join(&asterisk, name, out_name);
}

enum sg_result dns_name_join(const struct dns_name *prefix, const struct dns_name *suffix,
                             struct dns_name *out_name)
{
    size_t length = prefix->length - 1u + suffix->length;
    if (length > DNS_NAME_BYTES_MAX) {
        return SG_LIMIT;
    }
    struct dns_name joined;
    memcpy(joined.wire, prefix->wire, prefix->length - 1u);
    memcpy(joined.wire + prefix->length - 1u, suffix->wire, suffix->length);
    joined.length = (uint8_t)length;
    joined.labels = (uint8_t)(prefix->labels + suffix->labels);
    memcpy(out_name, &joined, offsetof(struct dns_name, wire) + length);
    return SG_OK;
}
