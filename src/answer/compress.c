#include "answer/compress.h"

#include "dns/name.h"

enum { POINTER_BITS = 0xC0, POINTER_BYTES = 2 };

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
    return hash ^ hash >> 29;
}

/* Of a label, its length byte first, in front of a suffix. */
static uint64_t label_hash(uint64_t suffix, const uint8_t *label)
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
    return (uint16_t)(hash >> 48);
}

/* The offset of `label` in front of the suffix at `below`, or 0. */
static uint16_t find(const struct compress *compress, uint64_t hash, const uint8_t *label,
                     uint16_t below, enum compress_case letters)
{
    const uint8_t *message = compress->message;

    /* Ends: the table is never full. */
    for (uint32_t i = (uint32_t)hash & compress->mask; compress->slots[i].offset != 0;
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
    uint32_t i = (uint32_t)hash & compress->mask;
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

void compress_start(struct compress *compress, uint8_t *message, struct compress_slot *slots,
                    uint32_t count)
{
    ASSERT((count & (count - 1)) == 0);
    memset(slots, 0, count * sizeof(*slots));
    *compress = (struct compress){message, slots, count - 1, count / 4 * 3};
}

void compress_learn(struct compress *compress, size_t offset)
{
    const uint8_t *name = compress->message + offset;
    uint8_t starts[DNS_LABELS_MAX];
    unsigned count = split((struct span){name, dns_name_wire_length(name) - 1}, starts);
    uint64_t hash = 0;

    while (count-- > 0) {
        hash = label_hash(hash, name + starts[count]);
        insert(compress, hash, offset + starts[count]);
    }
}

struct compress_suffix compress_suffix_at(const struct compress_suffix *known, struct span labels,
                                          size_t offset)
{
    uint8_t starts[DNS_LABELS_MAX];
    unsigned count = split(labels, starts);
    uint64_t hash = known->hash;

    while (count-- > 0) {
        hash = label_hash(hash, labels.bytes + starts[count]);
    }
    return (struct compress_suffix){hash, (uint16_t)offset};
}

uint8_t *compress_write(struct compress *compress, struct span labels,
                        const struct compress_suffix *known, enum compress_case letters,
                        uint8_t *at, const uint8_t *end)
{
    uint8_t starts[DNS_LABELS_MAX];
    unsigned left = split(labels, starts);
    uint64_t hash = known->hash;
    uint16_t below = known->offset;
    size_t unmatched = labels.length;

    while (left > 0) {
        const uint8_t *label = labels.bytes + starts[left - 1];
        uint64_t longer = label_hash(hash, label);
        uint16_t offset = find(compress, longer, label, below, letters);
        if (offset == 0) {
            break;
        }
        hash = longer;
        below = offset;
        unmatched = starts[--left];
    }
    size_t tail = below != 0 ? POINTER_BYTES : 1;
    if ((size_t)(end - at) < unmatched + tail) {
        return NULL;
    }
    size_t start = (size_t)(at - compress->message);
    while (left-- > 0) {
        hash = label_hash(hash, labels.bytes + starts[left]);
        insert(compress, hash, start + starts[left]);
    }
    if (unmatched > 0) {
        memcpy(at, labels.bytes, unmatched);
        at += unmatched;
    }
    if (below != 0) {
        wire_put_u16(at, (uint16_t)(POINTER_BITS << 8 | below));
    } else {
        *at = 0;
    }
    return at + tail;
}
