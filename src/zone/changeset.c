#include "zone/changeset.h"

#include "dns/rdata.h"
#include "zone/diff.h"
#include "zone/draft.h"
#include "zone/owner.h"

/*
 * An entry's first byte has the flags of enum zone_change_flag, and which of both RRsets follow.
 * Its second byte is the owner's length, or says that the owner is the last entry's. `covered` is
 * there for RRSIG alone. All numbers are big-endian.
 */
enum {
    MAGIC = 0x53474331, /* "SGC1" */
    HEADER_BYTES = 40,
    FLAGS_MASK = ZONE_CHANGE_PUBLIC | ZONE_CHANGE_APPLY | ZONE_CHANGE_GENERATED | ZONE_CHANGE_NSEC3,
    HAS_DELETED = 0x10,
    HAS_ADDED = 0x20,
    OWNER_AS_BEFORE = 255,
    LENGTHS_BYTES = 6, /* count, bytes */
    RRSIG_RDATA_MIN = 18,
};

/* --- making --------------------------------------------------------------------------------- */

struct making {
    struct buffer *out;
    size_t start; /* where the changeset begins in `out` */
    struct zone_changeset_header header;
    struct span owner; /* of the last entry */
    bool any;          /* there is a last entry */
};

/* One type at one name: what both versions have in both layers; .packed NULL: nothing. */
struct quartet {
    struct dns_rrset old[2], new[2]; /* by enum zone_layer */
};

static void append_u64(struct buffer *out, uint64_t value)
{
    buffer_append_u32(out, (uint32_t)(value >> 32));
    buffer_append_u32(out, (uint32_t)value);
}

static void append_header(struct buffer *out, const struct zone_changeset_header *header)
{
    buffer_append_u32(out, MAGIC);
    buffer_append_u32(out, header->serial_from);
    buffer_append_u32(out, header->serial_to);
    buffer_append_u32(out, header->source_serial_from);
    buffer_append_u32(out, header->source_serial_to);
    buffer_append_u32(out, header->entries);
    append_u64(out, header->deleted);
    append_u64(out, header->added);
}

/* Append the rdatas of `all` that are not in `others`, byte for byte. Returns how many. */
static uint16_t append_missing(struct buffer *out, const struct dns_rrset *all,
                               const struct dns_rrset *others, bool everything)
{
    size_t lengths_at = out->length;
    uint16_t count = 0;
    buffer_append_u32(out, all->ttl);
    buffer_append_u16(out, 0);
    buffer_append_u32(out, 0);
    size_t start = out->length;
    struct dns_rdata_cursor other = dns_rrset_walk(others);
    bool more = !everything && others->packed != NULL && dns_rdata_next(&other);
    for (struct dns_rdata_cursor c = dns_rrset_walk(all); dns_rdata_next(&c);) {
        int order = -1;
        while (more && (order = dns_rdata_compare(all->type, c.rdata, other.rdata)) > 0) {
            more = dns_rdata_next(&other);
        }
        if (more && order == 0 && memcmp(c.rdata.bytes, other.rdata.bytes, c.rdata.length) == 0) {
            continue;
        }
        buffer_append(out, c.rdata.bytes - 2, c.rdata.length + 2);
        count++;
    }
    if (count == 0) {
        out->length = lengths_at;
        return 0;
    }
    wire_put_u16(out->bytes + lengths_at + 4, count);
    wire_put_u32(out->bytes + lengths_at + 6, (uint32_t)(out->length - start));
    return count;
}

static void append_owner(struct making *making, struct span owner)
{
    if (making->any && owner_equal(making->owner, owner)) {
        buffer_append_u8(making->out, OWNER_AS_BEFORE);
        return;
    }
    making->any = true;
    making->owner = owner;
    buffer_append_u8(making->out, (uint8_t)owner.length);
    buffer_append(making->out, owner.bytes, owner.length);
}

/* The difference of two RRsets of one type, if there is one. */
static void append_entry(struct making *making, unsigned flags, struct span owner,
                         const struct dns_rrset *old, const struct dns_rrset *new)
{
    if (zone_diff_same_rrset(old, new)) {
        return;
    }
    struct buffer *out = making->out;
    const struct dns_rrset *any = new->packed != NULL ? new : old;
    size_t flags_at = out->length;
    buffer_append_u8(out, (uint8_t)flags);
    append_owner(making, owner);
    buffer_append_u16(out, any->type);
    if (any->type == DNS_TYPE_RRSIG) {
        buffer_append_u16(out, any->covered);
    }
    bool everything = old->ttl != new->ttl;
    uint16_t deleted = append_missing(out, old, new, everything);
    uint16_t added = append_missing(out, new, old, everything);
    out->bytes[flags_at] |=
        (uint8_t)((deleted > 0 ? HAS_DELETED : 0) | (added > 0 ? HAS_ADDED : 0));
    making->header.entries++;
    if ((flags & ZONE_CHANGE_PUBLIC) != 0) {
        making->header.deleted += deleted;
        making->header.added += added;
    }
}

static const struct dns_rrset *seen(const struct dns_rrset layers[2])
{
    return layers[ZONE_GENERATED].packed != NULL ? &layers[ZONE_GENERATED] : &layers[ZONE_SOURCE];
}

/*
 * The signed view shows a generated RRset rather than the source's. As long as one layer is what
 * is seen before and after, its change is the public one.
 */
static void append_quartet(struct making *making, struct span owner, const struct quartet *q)
{
    const struct dns_rrset *old = seen(q->old), *new = seen(q->new);
    bool from_source =
        q->old[ZONE_GENERATED].packed == NULL && q->new[ZONE_GENERATED].packed == NULL;
    /* What is not there is seen in either layer. */
    bool from_generated = (old == &q->old[ZONE_GENERATED] || old->packed == NULL) &&
                          (new == &q->new[ZONE_GENERATED] || new->packed == NULL);
    append_entry(making, ZONE_CHANGE_APPLY | (from_source ? ZONE_CHANGE_PUBLIC : 0), owner,
                 &q->old[ZONE_SOURCE], &q->new[ZONE_SOURCE]);
    append_entry(making,
                 ZONE_CHANGE_APPLY | ZONE_CHANGE_GENERATED |
                     (!from_source && from_generated ? ZONE_CHANGE_PUBLIC : 0),
                 owner, &q->old[ZONE_GENERATED], &q->new[ZONE_GENERATED]);
    if (!from_source && !from_generated) {
        append_entry(making, ZONE_CHANGE_PUBLIC, owner, old, new);
    }
}

/* Four walks side by side, over what both versions have in both layers. */
struct four {
    struct zone_rrset_walk walks[4];
    bool more[4];
};

static uint32_t rank_of(const struct dns_rrset *rrset)
{
    return rrset->type == DNS_TYPE_RRSIG ? UINT32_C(0x10000) | rrset->covered : rrset->type;
}

static struct four four_of(const struct zone_difference *difference)
{
    struct four four;
    for (unsigned i = 0; i < 4; i++) {
        const struct zone_node *node = i < 2 ? &difference->old : &difference->new;
        four.walks[i] = zone_node_walk_layer(node, (enum zone_layer)(i % 2));
        four.more[i] = zone_node_walk_next(&four.walks[i]);
    }
    return four;
}

static bool four_next(struct four *four, struct quartet *out_quartet)
{
    uint32_t least = UINT32_MAX;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t rank = four->more[i] ? rank_of(&four->walks[i].rrset) : UINT32_MAX;
        least = rank < least ? rank : least;
    }
    *out_quartet = (struct quartet){0};
    for (unsigned i = 0; i < 4 && least != UINT32_MAX; i++) {
        if (four->more[i] && rank_of(&four->walks[i].rrset) == least) {
            *(i < 2 ? &out_quartet->old[i % 2] : &out_quartet->new[i % 2]) = four->walks[i].rrset;
            four->more[i] = zone_node_walk_next(&four->walks[i]);
        }
    }
    return least != UINT32_MAX;
}

static void append_name(struct making *making, const struct zone_difference *difference)
{
    struct quartet quartet;
    for (struct four four = four_of(difference); four_next(&four, &quartet);) {
        append_quartet(making, difference->owner, &quartet);
    }
}

static void append_hash(struct making *making, unsigned flags,
                        const struct zone_difference *difference)
{
    struct quartet quartet;
    for (struct four four = four_of(difference); four_next(&four, &quartet);) {
        append_entry(making, flags, difference->owner, &quartet.old[ZONE_SOURCE],
                     &quartet.new[ZONE_SOURCE]);
    }
}

/* One tree; ends early when there are more bytes than a changeset may have. */
static void append_tree(struct making *making, struct zone_diff *diff, bool nsec3,
                        unsigned hash_flags)
{
    struct zone_difference difference;
    while (making->out->length - making->start <= UINT32_MAX && zone_diff_next(diff, &difference)) {
        if (nsec3) {
            append_hash(making, hash_flags, &difference);
        } else {
            append_name(making, &difference);
        }
    }
}

enum sg_result zone_changeset_make(const struct zone_version *old, const struct zone_version *new,
                                   struct buffer *out_bytes)
{
    static const struct zone_facts nothing = {0};
    const struct zone_facts *from = old != NULL ? zone_version_facts(old) : &nothing;
    const struct zone_facts *to = zone_version_facts(new);
    size_t start = out_bytes->length;
    struct making making = {
        .out = out_bytes,
        .start = start,
        .header = {from->serial, to->serial, from->source_serial, to->source_serial, 0, 0, 0},
    };
    /* Where we sign, the hashes are ours. */
    unsigned hash_flags = ZONE_CHANGE_PUBLIC | ZONE_CHANGE_APPLY | ZONE_CHANGE_NSEC3 |
                          (from->signed_here || to->signed_here ? ZONE_CHANGE_GENERATED : 0);
    append_header(out_bytes, &making.header);
    for (unsigned nsec3 = 0; nsec3 < 2; nsec3++) {
        struct zone_diff *diff = zone_diff_new(old, new, nsec3 != 0);
        append_tree(&making, diff, nsec3 != 0, hash_flags);
        zone_diff_free(diff);
    }
    struct buffer header = BUFFER_EMPTY;
    append_header(&header, &making.header);
    memcpy(out_bytes->bytes + start, header.bytes, HEADER_BYTES);
    buffer_free(&header);
    if (out_bytes->length - start > UINT32_MAX) {
        out_bytes->length = start;
        return SG_LIMIT;
    }
    return SG_OK;
}

/* --- reading -------------------------------------------------------------------------------- */

static uint64_t reader_u64(struct reader *reader)
{
    uint64_t high = reader_u32(reader);
    return high << 32 | reader_u32(reader);
}

static bool read_header(struct reader *reader, struct zone_changeset_header *out_header)
{
    uint32_t magic = reader_u32(reader);
    out_header->serial_from = reader_u32(reader);
    out_header->serial_to = reader_u32(reader);
    out_header->source_serial_from = reader_u32(reader);
    out_header->source_serial_to = reader_u32(reader);
    out_header->entries = reader_u32(reader);
    out_header->deleted = reader_u64(reader);
    out_header->added = reader_u64(reader);
    return !reader->failed && magic == MAGIC;
}

static bool is_sound(const struct dns_rrset *rrset)
{
    struct reader reader = reader_of((struct span){rrset->packed, rrset->bytes});
    struct span last = {NULL, 0};
    for (unsigned i = 0; i < rrset->count; i++) {
        struct span rdata = reader_span(&reader, reader_u16(&reader));
        if (reader.failed || dns_rdata_check(rrset->type, rdata) != SG_OK ||
            (rrset->type == DNS_TYPE_RRSIG &&
             (rdata.length < RRSIG_RDATA_MIN || wire_get_u16(rdata.bytes) != rrset->covered)) ||
            (i > 0 && dns_rdata_compare(rrset->type, last, rdata) >= 0)) {
            return false;
        }
        last = rdata;
    }
    return rrset->count > 0 && reader_left(&reader) == 0;
}

static bool read_rrset(struct reader *reader, uint16_t type, uint16_t covered,
                       struct dns_rrset *out_rrset)
{
    uint32_t ttl = reader_u32(reader);
    uint16_t count = reader_u16(reader);
    uint32_t bytes = reader_u32(reader);
    struct span packed = reader_span(reader, bytes);
    *out_rrset = (struct dns_rrset){packed.bytes, bytes, ttl, type, covered, count};
    return !reader->failed && is_sound(out_rrset);
}

static bool read_owner(struct zone_changeset_walk *walk)
{
    uint8_t length = reader_u8(&walk->reader);
    if (length == OWNER_AS_BEFORE) {
        return walk->change.flags != 0;
    }
    walk->change.owner = reader_span(&walk->reader, length);
    return !walk->reader.failed && owner_is_valid(walk->change.owner);
}

static bool read_entry(struct zone_changeset_walk *walk)
{
    struct reader *reader = &walk->reader;
    struct zone_change *change = &walk->change;
    uint8_t first = reader_u8(reader);
    if (!read_owner(walk)) {
        return false;
    }
    change->flags = first & FLAGS_MASK;
    uint16_t type = reader_u16(reader);
    uint16_t covered = type == DNS_TYPE_RRSIG ? reader_u16(reader) : 0;
    if ((first & (ZONE_CHANGE_PUBLIC | ZONE_CHANGE_APPLY)) == 0 || type == 0 ||
        (first & (HAS_DELETED | HAS_ADDED)) == 0 ||
        ((first & ZONE_CHANGE_NSEC3) != 0) != draft_is_nsec3(type, covered)) {
        return false;
    }
    change->deleted = (struct dns_rrset){.type = type, .covered = covered};
    change->added = change->deleted;
    if ((first & HAS_DELETED) != 0 && !read_rrset(reader, type, covered, &change->deleted)) {
        return false;
    }
    change->added.ttl = change->deleted.ttl;
    if ((first & HAS_ADDED) != 0) {
        if (!read_rrset(reader, type, covered, &change->added)) {
            return false;
        }
        change->deleted.ttl = change->deleted.count > 0 ? change->deleted.ttl : change->added.ttl;
    }
    return !reader->failed;
}

enum sg_result zone_changeset_header(struct span bytes, struct zone_changeset_header *out_header)
{
    struct reader reader = reader_of(bytes);
    struct zone_changeset_header header;
    if (!read_header(&reader, &header)) {
        return SG_MALFORMED;
    }
    *out_header = header;
    return SG_OK;
}

struct zone_changeset_walk zone_changeset_walk(struct span bytes)
{
    struct zone_changeset_walk walk = {.reader = reader_of(bytes)};
    struct zone_changeset_header header;
    walk.failed = !read_header(&walk.reader, &header);
    walk.left = walk.failed ? 0 : header.entries;
    return walk;
}

bool zone_changeset_next(struct zone_changeset_walk *walk)
{
    if (walk->left == 0) {
        walk->failed = walk->failed || reader_left(&walk->reader) > 0;
        return false;
    }
    walk->left--;
    if (!read_entry(walk)) {
        walk->failed = true;
        walk->left = 0;
        return false;
    }
    return true;
}
