#include "zone/image.h"

#include <assert.h>
#include <stddef.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "zone/block_check.h"
#include "zone/draft.h"

/*
 *   image:  header | pieces of names | pieces of hashes | the end
 *   piece:  kind, bytes, names, checksum of these three and of what follows | names
 *   name:   bytes of the source block, of the generated block (0: none) | both blocks
 *   end:    a piece whose content says how many names and hashes there were
 *
 * Blocks are written as they lie in memory, so they are read without a look at single records,
 * but for the checks of block_check(). Numbers are in the machine's own order; the header tells
 * which that is.
 */
enum {
    VERSION = 1,
    BYTE_ORDER_MARK = 0x01020304,
    PIECE_BYTES = 256 * 1024, /* and what the last name in it needs; fits the cache */
    PIECE_BYTES_MAX = 3 * BLOCK_BYTES_MAX,
};

static const uint8_t magic[8] = "SGNTIMG";

enum piece_kind { PIECE_NAMES = 1, PIECE_HASHES, PIECE_END };

struct image_header {
    uint8_t magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint16_t rrclass;
    uint8_t apex_length;
    uint8_t apex[DNS_NAME_BYTES_MAX];
    uint8_t zeros[2];
    uint32_t checksum; /* of all above */
};

struct image_piece {
    uint32_t kind;
    uint32_t bytes; /* behind this */
    uint32_t names;
    uint32_t checksum;
};

static_assert(sizeof(struct image_header) == 280 && sizeof(struct image_piece) == 16,
              "no holes that hold chance");

struct name_bytes {
    uint32_t source, generated;
};

struct totals {
    uint64_t names, hashes;
};

static uint32_t header_checksum(const struct image_header *header)
{
    return crc32c(0, header, offsetof(struct image_header, checksum));
}

static uint32_t piece_checksum(const struct image_piece *piece, const uint8_t *content)
{
    return crc32c(crc32c(0, piece, offsetof(struct image_piece, checksum)), content, piece->bytes);
}

static struct image_header header_of(const struct dns_name *apex, uint16_t rrclass)
{
    struct image_header header;
    memset(&header, 0, sizeof(header));
    memcpy(header.magic, magic, sizeof(magic));
    header.version = VERSION;
    header.byte_order = BYTE_ORDER_MARK;
    header.rrclass = rrclass;
    header.apex_length = apex->length;
    memcpy(header.apex, apex->wire, apex->length);
    header.checksum = header_checksum(&header);
    return header;
}

/* --- writing -------------------------------------------------------------------------------- */

struct writing {
    zone_image_sink *sink;
    void *argument;
    struct buffer piece; /* its head first, filled in when it is sent */
    uint32_t names;
};

static void begin_piece(struct writing *writing)
{
    static const struct image_piece blank = {0, 0, 0, 0};
    buffer_clear(&writing->piece);
    buffer_append(&writing->piece, &blank, sizeof(blank));
    writing->names = 0;
}

static bool send_piece(struct writing *writing, enum piece_kind kind)
{
    const uint8_t *content = writing->piece.bytes + sizeof(struct image_piece);
    struct image_piece piece = {.kind = kind,
                                .bytes =
                                    (uint32_t)(writing->piece.length - sizeof(struct image_piece)),
                                .names = writing->names};
    piece.checksum = piece_checksum(&piece, content);
    memcpy(writing->piece.bytes, &piece, sizeof(piece));
    bool taken = writing->sink(writing->argument, buffer_span(&writing->piece));
    begin_piece(writing);
    return taken;
}

static void append_name(struct writing *writing, const struct zone_node *node)
{
    const struct name_bytes bytes = {
        (uint32_t)block_bytes(node->source),
        node->generated != NULL ? (uint32_t)block_bytes(node->generated) : 0};
    buffer_append(&writing->piece, &bytes, sizeof(bytes));
    buffer_append(&writing->piece, node->source, bytes.source);
    buffer_append(&writing->piece, node->generated, bytes.generated);
    writing->names++;
}

/* One tree from begin to end. */
static bool write_tree(struct writing *writing, struct zone_cursor *cursor, enum piece_kind kind,
                       uint64_t *out_names)
{
    uint64_t names = 0;
    for (; zone_cursor_next(cursor); names++) {
        append_name(writing, &cursor->node);
        if (writing->piece.length >= PIECE_BYTES && !send_piece(writing, kind)) {
            return false;
        }
    }
    *out_names = names;
    return writing->names == 0 || send_piece(writing, kind);
}

enum sg_result zone_image_write(const struct zone_version *version, zone_image_sink *sink,
                                void *argument)
{
    const struct image_header header =
        header_of(zone_version_apex(version), zone_version_class(version));
    struct writing writing = {.sink = sink, .argument = argument};
    struct totals totals;
    struct zone_cursor cursor;
    enum sg_result result = SG_CANCELLED;
    begin_piece(&writing);
    if (!sink(argument, (struct span){(const uint8_t *)&header, sizeof(header)})) {
        goto out;
    }
    zone_cursor_start(&cursor, version);
    if (!write_tree(&writing, &cursor, PIECE_NAMES, &totals.names)) {
        goto out;
    }
    zone_cursor_start_nsec3(&cursor, version);
    if (!write_tree(&writing, &cursor, PIECE_HASHES, &totals.hashes)) {
        goto out;
    }
    buffer_append(&writing.piece, &totals, sizeof(totals));
    if (send_piece(&writing, PIECE_END)) {
        result = SG_OK;
    }

out:
    buffer_free(&writing.piece);
    return result;
}

/* --- reading -------------------------------------------------------------------------------- */

struct reading {
    struct zone_edit *edit;
    zone_image_source *source;
    void *argument;
    struct buffer content; /* of the present piece */
    struct totals totals;
};

/* SG_MALFORMED: the image ends before. */
static enum sg_result read_bytes(struct reading *reading, void *out_bytes, size_t length)
{
    uint8_t *at = out_bytes;
    for (size_t got; length > 0; at += got, length -= got) {
        got = reading->source(reading->argument, at, length);
        if (got == SIZE_MAX) {
            return SG_IO;
        }
        if (got == 0 || got > length) {
            return SG_MALFORMED;
        }
    }
    return SG_OK;
}

static enum sg_result read_header(struct reading *reading)
{
    const struct zone_lineage *lineage = reading->edit->lineage;
    const struct image_header expected = header_of(&lineage->apex, lineage->rrclass);
    struct image_header header;
    enum sg_result result = read_bytes(reading, &header, sizeof(header));
    if (result != SG_OK) {
        return result;
    }
    if (memcmp(header.magic, magic, sizeof(magic)) != 0) {
        return SG_MALFORMED;
    }
    if (header.version != VERSION || header.byte_order != BYTE_ORDER_MARK) {
        return SG_UNSUPPORTED; /* The rest may look like anything. */
    }
    if (header_checksum(&header) != header.checksum) {
        return SG_MALFORMED;
    }
    return memcmp(&header, &expected, sizeof(header)) == 0 ? SG_OK : SG_CONFLICT;
}

/* Copy a block to where it will stay, and see whether it is one. */
static enum sg_result take_block(struct reading *reading, struct span from, enum block_place place,
                                 arena_ref *out_block, struct block_summary *out_summary)
{
    struct arena *arena = &reading->edit->lineage->arena;
    arena_ref block;
    enum sg_result result = arena_alloc(arena, from.length, &block);
    if (result != SG_OK) {
        return result;
    }
    memcpy(arena_write(arena, block), from.bytes, from.length);
    if (!block_check(arena_at(arena->chunks, block), from.length, place, out_summary)) {
        return SG_MALFORMED; /* The arena goes with the edit. */
    }
    *out_block = block;
    return SG_OK;
}

/* RRs in the signed view, which shows of a type in both blocks the generated ones. */
static uint64_t count_seen(const struct zone_node *node, const struct block_summary *source,
                           const struct block_summary *generated)
{
    if ((source->types & generated->types) == 0 &&
        (source->signatures & generated->signatures) == 0) {
        return (uint64_t)source->records + generated->records;
    }
    uint64_t records = 0;
    struct zone_rrset_walk walk = zone_node_walk(node, ZONE_VIEW_SIGNED);
    while (zone_node_walk_next(&walk)) {
        records += walk.rrset.count;
    }
    return records;
}

static enum sg_result append(struct zone_edit *edit, bool hash, struct draft_name *name,
                             const struct block_summary summaries[2])
{
    const struct zone_lineage *lineage = edit->lineage;
    uint8_t *const *chunks = lineage->arena.chunks;
    const struct block_summary *source = &summaries[ZONE_SOURCE];
    name->leaf.hi = source->flags;
    const struct zone_node node = tree_node(chunks, &name->leaf);
    if (node.source->owner_length + lineage->apex.length > DNS_NAME_BYTES_MAX) {
        return SG_MALFORMED;
    }
    uint64_t records = count_seen(&node, source, &summaries[ZONE_GENERATED]);
    name->counts = version_counts(&node, hash, records, source->opt_outs);
    name->ttl_max = source->ttl_max;
    return draft_append(edit, hash, name);
}

static enum sg_result take_name(struct reading *reading, struct reader *reader, bool hash)
{
    struct span head = reader_span(reader, sizeof(struct name_bytes));
    struct name_bytes bytes;
    if (head.bytes == NULL) {
        return SG_MALFORMED;
    }
    memcpy(&bytes, head.bytes, sizeof(bytes));
    struct span source = reader_span(reader, bytes.source);
    struct span generated = reader_span(reader, bytes.generated);
    if (source.bytes == NULL || generated.bytes == NULL || bytes.source == 0 ||
        (hash && bytes.generated > 0)) {
        return SG_MALFORMED;
    }
    struct draft_name name = {.leaf = {0}};
    struct block_summary summaries[2] = {{0}, {0}};
    enum sg_result result = take_block(reading, source, hash ? BLOCK_OF_HASH : BLOCK_OF_SOURCE,
                                       &name.leaf.ref, &summaries[ZONE_SOURCE]);
    if (result == SG_OK && bytes.generated > 0) {
        result = take_block(reading, generated, BLOCK_OF_GENERATED, &name.leaf.lo,
                            &summaries[ZONE_GENERATED]);
    }
    return result == SG_OK ? append(reading->edit, hash, &name, summaries) : result;
}

static enum sg_result take_names(struct reading *reading, const struct image_piece *piece)
{
    bool hash = piece->kind == PIECE_HASHES;
    struct reader reader = reader_of(buffer_span(&reading->content));
    for (uint32_t i = 0; i < piece->names; i++) {
        enum sg_result result = take_name(reading, &reader, hash);
        if (result != SG_OK) {
            return result;
        }
    }
    *(hash ? &reading->totals.hashes : &reading->totals.names) += piece->names;
    return reader_left(&reader) == 0 ? SG_OK : SG_MALFORMED;
}

/* The last piece: were these all, and does nothing follow? */
static enum sg_result take_end(struct reading *reading)
{
    uint8_t more;
    if (reading->content.length != sizeof(struct totals) ||
        memcmp(reading->content.bytes, &reading->totals, sizeof(struct totals)) != 0) {
        return SG_MALFORMED;
    }
    size_t got = reading->source(reading->argument, &more, 1);
    return got == 0 ? SG_OK : got == SIZE_MAX ? SG_IO : SG_MALFORMED;
}

static enum sg_result read_piece(struct reading *reading, struct image_piece *out_piece)
{
    struct image_piece piece;
    enum sg_result result = read_bytes(reading, &piece, sizeof(piece));
    if (result != SG_OK) {
        return result;
    }
    if (piece.kind < out_piece->kind || piece.kind > PIECE_END || piece.bytes > PIECE_BYTES_MAX) {
        return SG_MALFORMED; /* Names come before hashes, and those before the end. */
    }
    buffer_clear(&reading->content);
    buffer_reserve(&reading->content, piece.bytes);
    result = read_bytes(reading, reading->content.bytes, piece.bytes);
    if (result != SG_OK) {
        return result;
    }
    reading->content.length = piece.bytes;
    if (piece_checksum(&piece, reading->content.bytes) != piece.checksum) {
        return SG_MALFORMED;
    }
    *out_piece = piece;
    return SG_OK;
}

enum sg_result image_read_draft(struct zone_edit *edit, zone_image_source *source, void *argument)
{
    struct reading reading = {.edit = edit, .source = source, .argument = argument};
    struct image_piece piece = {.kind = PIECE_NAMES};
    enum sg_result result = read_header(&reading);
    while (result == SG_OK) {
        result = read_piece(&reading, &piece);
        if (result != SG_OK || piece.kind == PIECE_END) {
            break;
        }
        result = take_names(&reading, &piece);
    }
    if (result == SG_OK) {
        result = take_end(&reading);
    }
    buffer_free(&reading.content);
    if (result == SG_OK) {
        draft_flush(edit);
        result = edit->failed;
    }
    return result;
}

enum sg_result zone_image_read(const struct dns_name *apex, uint16_t rrclass,
                               zone_image_source *source, void *argument,
                               struct zone_edit **out_edit)
{
    struct zone_edit *edit = zone_edit_new(apex, rrclass);
    enum sg_result result = image_read_draft(edit, source, argument);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    *out_edit = edit;
    return SG_OK;
}
