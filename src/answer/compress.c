#include "answer/compress.h"

#include "dns/name.h"

enum { POINTER_BITS = 0xC0, POINTER_BYTES = 2 };

/* A suffix and where it stands: hash of its labels, offset 0 for the root. */
struct suffix {
    uint64_t hash;
    uint16_t offset;
};

static const struct suffix root = {0, 0};
static const uint64_t apex_hash = 0x5349474E4554; /* anything but the root's */

static uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return value;
}

static uint64_t load_u32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return value;
}

static uint64_t mix(uint64_t hash, uint64_t bytes)
{
    /* Bit 5 set makes letters of both cases alike; what else it makes alike, the proof tells. */
    const uint64_t lower = 0x2020202020202020u;
    hash = (hash ^ (bytes | lower)) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/* Of a label, its length byte first, in front of a suffix. */
static inline uint64_t label_hash(uint64_t suffix, const uint8_t *label)
{
    const uint8_t *bytes = label + 1;
    unsigned length = *label;
    uint64_t hash = suffix + length;

    for (; length >= 8; length -= 8, bytes += 8) {
        hash = mix(hash, load_u64(bytes));
    }
    if (length >= 4) {
        return mix(hash, load_u32(bytes) | load_u32(bytes + length - 4) << 32);
    }
    if (length > 0) {
        return mix(hash, (uint64_t)bytes[0] | (uint64_t)bytes[length / 2] << 8 |
                             (uint64_t)bytes[length - 1] << 16);
    }
    return hash;
}

/* Where the name that continues at message[offset] really stands; 0 for the root. */
static uint16_t resolve(const struct compress *compress, size_t offset)
{
    const uint8_t *at = compress->message + offset;
    if (*at >= POINTER_BITS) {
        return wire_get_u16(at) & COMPRESS_OFFSET_MAX;
    }
    return *at == 0 ? 0 : (uint16_t)offset;
}

static bool label_same(const uint8_t *a, const uint8_t *b, enum compress_case letters)
{
    if (memcmp(a, b, 1u + *a) == 0) {
        return true;
    }
    if (letters == COMPRESS_CASE_KEPT || *a != *b) {
        return false;
    }
    for (unsigned i = 1; i <= *a; i++) {
        if (dns_lower[a[i]] != dns_lower[b[i]]) {
            return false;
        }
    }
    return true;
}

static uint16_t tag_of(uint64_t hash)
{
    return (uint16_t)(hash >> 32);
}

/* The topmost bits: a product's lower ones know nothing of a label's later bytes. */
static uint32_t first_slot(const struct compress *compress, uint64_t hash)
{
    return (uint32_t)(hash >> 48) & compress->mask;
}

/* The offset of `label` in front of the suffix at `below`, or 0. */
static uint16_t find(const struct compress *compress, uint64_t hash, const uint8_t *label,
                     uint16_t below, enum compress_case letters)
{
    const uint8_t *message = compress->message;

    /* Ends: the table is never full. */
    for (uint32_t i = first_slot(compress, hash); compress->slots[i].offset != 0;
         i = (i + 1) & compress->mask) {
        uint16_t offset = compress->slots[i].offset;
        if (compress->slots[i].tag == tag_of(hash) &&
            label_same(label, message + offset, letters) &&
            resolve(compress, offset + 1u + *label) == below) {
            return offset;
        }
    }
    return 0;
}

static void insert(struct compress *compress, uint64_t hash, size_t offset)
{
    if (compress->room == 0 || offset > COMPRESS_OFFSET_MAX) {
        return;
    }
    uint32_t i = first_slot(compress, hash);
    while (compress->slots[i].offset != 0) {
        i = (i + 1) & compress->mask;
    }
    compress->slots[i] = (struct compress_slot){tag_of(hash), (uint16_t)offset};
    compress->room--;
}

/* Offsets of the labels; how many there are. */
static unsigned split(struct span labels, uint8_t out_starts[DNS_LABELS_MAX])
{
    unsigned count = 0;
    for (size_t i = 0; i < labels.length; i += 1u + labels.bytes[i]) {
        ASSERT(count < DNS_LABELS_MAX);
        out_starts[count++] = (uint8_t)i;
    }
    return count;
}

static struct suffix apex_of(const struct compress *compress)
{
    return compress->apex_offset != 0 ? (struct suffix){apex_hash, compress->apex_offset} : root;
}

/* Remember the labels in front of `known` that stand at message[offset]. */
static void learn(struct compress *compress, size_t offset, size_t length, uint64_t known)
{
    const uint8_t *name = compress->message + offset;
    uint8_t starts[DNS_LABELS_MAX];
    unsigned count = split((struct span){name, length}, starts);

    while (count-- > 0) {
        known = label_hash(known, name + starts[count]);
        insert(compress, known, offset + starts[count]);
    }
}

/* Does the name end in the apex, at a label's start? Then shorten it by that. */
static bool cut_apex(const struct compress *compress, enum compress_case letters,
                     struct span *labels)
{
    const uint8_t *apex = compress->message + compress->apex_offset;
    size_t at = 0;

    if (compress->apex_offset == 0 || labels->length < compress->apex_length) {
        return false;
    }
    size_t start = labels->length - compress->apex_length;
    while (at < start) {
        at += 1u + labels->bytes[at];
    }
    if (at != start) {
        return false;
    }
    for (; at < labels->length; at += 1u + labels->bytes[at]) {
        if (!label_same(labels->bytes + at, apex + (at - start), letters)) {
            return false;
        }
    }
    labels->length = start;
    return true;
}

static uint8_t *write_above(struct compress *compress, struct span labels, struct suffix known,
                            enum compress_case letters, uint8_t *at, const uint8_t *end)
{
    uint8_t starts[DNS_LABELS_MAX];
    unsigned left = split(labels, starts);
    size_t unmatched = labels.length;

    while (left > 0) {
        const uint8_t *label = labels.bytes + starts[left - 1];
        uint64_t hash = label_hash(known.hash, label);
        uint16_t offset = find(compress, hash, label, known.offset, letters);
        if (offset == 0) {
            break;
        }
        known = (struct suffix){hash, offset};
        unmatched = starts[--left];
    }
    size_t tail = known.offset != 0 ? POINTER_BYTES : 1;
    if ((size_t)(end - at) < unmatched + tail) {
        return NULL;
    }
    size_t start = (size_t)(at - compress->message);
    while (left-- > 0) {
        known.hash = label_hash(known.hash, labels.bytes + starts[left]);
        insert(compress, known.hash, start + starts[left]);
    }
    if (unmatched > 0) {
        memcpy(at, labels.bytes, unmatched);
        at += unmatched;
    }
    if (known.offset != 0) {
        wire_put_u16(at, (uint16_t)(POINTER_BITS << 8 | known.offset));
    } else {
        *at = 0;
    }
    return at + tail;
}

void compress_start(struct compress *compress, uint8_t *message, struct compress_slot *slots,
                    uint32_t count)
{
    ASSERT((count & (count - 1)) == 0);
    memset(slots, 0, count * sizeof(*slots));
    *compress = (struct compress){
        .message = message, .slots = slots, .mask = count - 1, .room = count / 4 * 3};
}

void compress_set_apex(struct compress *compress, size_t offset, size_t length)
{
    if (length > 0 && offset <= COMPRESS_OFFSET_MAX) {
        compress->apex_offset = (uint16_t)offset;
        compress->apex_length = (uint16_t)length;
        compress->ancestors_to_learn = true;
    }
}

void compress_learn(struct compress *compress, size_t offset)
{
    size_t length = dns_name_wire_length(compress->message + offset) - 1;

    ASSERT(length >= compress->apex_length);
    learn(compress, offset, length - compress->apex_length, apex_of(compress).hash);
}

uint8_t *compress_write(struct compress *compress, struct span labels, enum compress_case letters,
                        uint8_t *at, const uint8_t *end)
{
    if (cut_apex(compress, letters, &labels)) {
        return write_above(compress, labels, apex_of(compress), letters, at, end);
    }
    if (compress->ancestors_to_learn) {
        compress->ancestors_to_learn = false;
        learn(compress, compress->apex_offset, compress->apex_length, root.hash);
    }
    return write_above(compress, labels, root, letters, at, end);
}

uint8_t *compress_write_relative(struct compress *compress, struct span labels, uint8_t *at,
                                 const uint8_t *end)
{
    return write_above(compress, labels, apex_of(compress), COMPRESS_CASE_IGNORED, at, end);
}
