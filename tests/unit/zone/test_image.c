#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "random_edits.h"
#include "zone/image.h"

enum { HEADER_BYTES = 280, PIECE_HEAD_BYTES = 16 };

static const struct arena_sizes small_sizes = {64, 1024, 4096};
static struct edits edits;

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static const struct zone_version *seal(struct zone_edit *edit)
{
    const struct zone_version *version;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static const struct zone_version *random_version(const char *apex, uint64_t seed, unsigned changes)
{
    edits_init(&edits, apex, seed);
    struct zone_edit *edit = draft_new(&edits.apex, DNS_CLASS_IN, &small_sizes);
    edits_put_soa(&edits, edit, 1, ZONE_SOURCE);
    for (unsigned i = 0; i < changes; i++) {
        edits_change_something(&edits, edit);
    }
    return seal(edit);
}

static bool append_to(void *argument, struct span bytes)
{
    buffer_append(argument, bytes.bytes, bytes.length);
    return true;
}

static struct buffer image_of(const struct zone_version *version)
{
    struct buffer image = BUFFER_EMPTY;
    assert_int_equal(zone_image_write(version, append_to, &image), SG_OK);
    return image;
}

/* Gives a few bytes at a time; fails where it is told to. */
struct tap {
    struct reader reader;
    size_t at_once, fails_at;
};

static size_t take_from(void *argument, uint8_t *out_bytes, size_t bytes_max)
{
    struct tap *tap = argument;
    size_t left = reader_left(&tap->reader);
    if (tap->fails_at != 0 && left <= tap->fails_at) {
        return SIZE_MAX;
    }
    size_t count = left < bytes_max ? left : bytes_max;
    count = tap->at_once != 0 && count > tap->at_once ? tap->at_once : count;
    struct span span = reader_span(&tap->reader, count);
    memcpy(out_bytes, count > 0 ? span.bytes : out_bytes, count);
    return count;
}

static struct zone_edit *read_small(struct span image, size_t at_once)
{
    struct tap tap = {reader_of(image), at_once, 0};
    struct zone_edit *edit = draft_new(&edits.apex, DNS_CLASS_IN, &small_sizes);
    assert_int_equal(image_read_draft(edit, take_from, &tap), SG_OK);
    return edit;
}

static enum sg_result try_read(struct span image)
{
    struct tap tap = {reader_of(image), 0, 0};
    struct zone_edit *edit;
    enum sg_result result = zone_image_read(&edits.apex, DNS_CLASS_IN, take_from, &tap, &edit);
    if (result == SG_OK) {
        zone_edit_abandon(edit);
    }
    return result;
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const struct zone_version *version =
            random_version(seed % 2 == 0 ? "." : "a.example.", seed, (unsigned)seed * 40);
        struct buffer image = image_of(version);
        const struct zone_version *copy = seal(read_small(buffer_span(&image), seed % 5));
        edits_check_same(version, copy, false);
        zone_version_check(copy);
        arena_check(&copy->lineage->arena);
        assert_int_equal(zone_version_facts(copy)->denial, zone_version_facts(version)->denial);
        assert_int_equal(zone_version_facts(copy)->opt_out, zone_version_facts(version)->opt_out);
        assert_int_equal(zone_version_facts(copy)->signed_here,
                         zone_version_facts(version)->signed_here);

        struct buffer again = image_of(copy);
        assert_int_equal(again.length, image.length);
        assert_memory_equal(again.bytes, image.bytes, image.length);
        buffer_free(&again);
        buffer_free(&image);
        zone_version_unref(version);
        zone_version_unref(copy);
        epoch_barrier();
    }
}

/* The draft is like any other: changes go on from there, and older versions stay as they are. */
static void edits_go_on_from_an_image(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        const struct zone_version *version = random_version("example.", seed, 150);
        struct buffer image = image_of(version);
        struct zone_edit *edit = read_small(buffer_span(&image), 0);
        struct edits *before = mem_copy(&edits, sizeof(edits));
        for (unsigned i = 0; i < 40; i++) {
            edits_change_something(&edits, edit);
        }
        const struct zone_version *changed = seal(edit);
        edit = zone_edit_open(version);
        edits = *before;
        for (unsigned i = 0; i < 40; i++) {
            edits_change_something(&edits, edit);
        }
        const struct zone_version *expected = seal(edit);
        edits_check_same(expected, changed, false);

        edit = zone_edit_open(changed);
        for (unsigned i = 0; i < 40; i++) {
            edits_change_something(&edits, edit);
        }
        const struct zone_version *next = seal(edit);
        edits_check_same(expected, changed, false);
        zone_version_unref(next);
        zone_version_unref(changed);
        zone_version_unref(expected);
        zone_version_unref(version);
        mem_free(before);
        buffer_free(&image);
        epoch_barrier();
    }
}

/* Wide blocks, and a piece larger than others. */
static void a_name_may_be_larger_than_a_piece(void **state)
{
    enum { TEXTS = 3000, TEXT_BYTES = 200 };
    (void)state;
    edits_init(&edits, "example.", 1);
    struct zone_edit *edit = zone_edit_new(&edits.apex, DNS_CLASS_IN);
    edits_put_soa(&edits, edit, 1, ZONE_SOURCE);
    static const char *const owners[] = {"a.example.", "b.example.", "large.example.",
                                         "z.example."};
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        struct dns_name owner = name_of(owners[i]);
        for (unsigned text = 0; text < (i == 2 ? TEXTS : 1); text++) {
            uint8_t rdata[1 + TEXT_BYTES] = {TEXT_BYTES};
            uint32_t ttl;
            wire_put_u32(rdata + 1, text);
            assert_int_equal(zone_edit_add_record(edit, &owner, DNS_TYPE_TXT, 60,
                                                  (struct span){rdata, sizeof(rdata)}, &ttl),
                             SG_OK);
        }
    }
    const struct zone_version *version = seal(edit);
    struct buffer image = image_of(version);
    assert_true(image.length > TEXTS * TEXT_BYTES);
    const struct zone_version *copy = seal(read_small(buffer_span(&image), 100000));
    edits_check_same(version, copy, false);
    buffer_free(&image);
    zone_version_unref(version);
    zone_version_unref(copy);
    epoch_barrier();
}

static void put_checksum(struct buffer *image, size_t piece_at)
{
    uint32_t bytes, crc;
    uint8_t *piece = image->bytes + piece_at;
    memcpy(&bytes, piece + 4, sizeof(bytes));
    crc = crc32c(crc32c(0, piece, 12), piece + PIECE_HEAD_BYTES, bytes);
    memcpy(piece + 12, &crc, sizeof(crc));
}

static size_t piece_after(const struct buffer *image, size_t piece_at)
{
    uint32_t bytes;
    memcpy(&bytes, image->bytes + piece_at + 4, sizeof(bytes));
    return piece_at + PIECE_HEAD_BYTES + bytes;
}

static void damage_is_found(void **state)
{
    (void)state;
    const struct zone_version *version = random_version("example.", 3, 40);
    struct buffer image = image_of(version);
    for (size_t length = 0; length < image.length; length += 1 + length / 100) {
        uint8_t *cut = mem_copy(image.bytes, length);
        assert_int_equal(try_read((struct span){cut, length}), SG_MALFORMED);
        mem_free(cut);
    }
    for (size_t bit = 0; bit < image.length * 8; bit += 1 + edits_below(&edits, 50)) {
        image.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        enum sg_result result = try_read(buffer_span(&image));
        bool of_release = bit / 8 >= 8 && bit / 8 < 16;
        assert_int_equal(result, of_release ? SG_UNSUPPORTED : SG_MALFORMED);
        image.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    buffer_append_u8(&image, 0);
    assert_int_equal(try_read(buffer_span(&image)), SG_MALFORMED);
    image.length--;
    assert_int_equal(try_read(buffer_span(&image)), SG_OK);

    /* A piece that is whole but not there, or there twice. */
    size_t hashes = piece_after(&image, HEADER_BYTES);
    size_t end = piece_after(&image, hashes);
    assert_int_equal(piece_after(&image, end), image.length);
    struct buffer other = BUFFER_EMPTY;
    buffer_append(&other, image.bytes, hashes);
    buffer_append(&other, image.bytes + end, image.length - end);
    assert_int_equal(try_read(buffer_span(&other)), SG_MALFORMED);
    buffer_clear(&other);
    buffer_append(&other, image.bytes, hashes);
    buffer_append(&other, image.bytes + HEADER_BYTES, image.length - HEADER_BYTES);
    assert_int_equal(try_read(buffer_span(&other)), SG_MALFORMED);
    buffer_free(&other);
    buffer_free(&image);
    zone_version_unref(version);
    epoch_barrier();
}

/* Past the checksum, too, nothing but a zone is taken for one. */
static void checksums_are_not_trusted(void **state)
{
    (void)state;
    const struct zone_version *version = random_version("example.", 4, 60);
    struct buffer image = image_of(version);
    size_t hashes = piece_after(&image, HEADER_BYTES);
    size_t end = piece_after(&image, hashes);
    unsigned sealed = 0, refused = 0;
    for (size_t bit = HEADER_BYTES * 8; bit < end * 8; bit += 1 + edits_below(&edits, 20)) {
        size_t piece = bit / 8 < hashes ? HEADER_BYTES : hashes;
        if (bit / 8 - piece < PIECE_HEAD_BYTES) {
            continue;
        }
        image.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        put_checksum(&image, piece);
        struct tap tap = {reader_of(buffer_span(&image)), 0, 0};
        struct zone_edit *edit = draft_new(&edits.apex, DNS_CLASS_IN, &small_sizes);
        enum sg_result result = image_read_draft(edit, take_from, &tap);
        if (result == SG_OK) {
            const struct zone_version *read;
            if (zone_edit_seal(edit, &read) == SG_OK) { /* checks the invariants */
                zone_version_unref(read);
            }
            sealed++;
        } else {
            assert_int_equal(result, SG_MALFORMED);
            zone_edit_abandon(edit);
            refused++;
        }
        image.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        put_checksum(&image, piece);
        if ((sealed + refused) % 64 == 0) {
            epoch_barrier(); /* 10 ms, so not for each; memory stays bounded */
        }
    }
    assert_true(sealed > 0 && refused > 0);
    buffer_free(&image);
    zone_version_unref(version);
    epoch_barrier();
}

static void another_zone_is_a_conflict(void **state)
{
    (void)state;
    const struct zone_version *version = random_version("example.", 5, 20);
    struct buffer image = image_of(version);
    struct dns_name other = name_of("example.org.");
    struct tap tap = {reader_of(buffer_span(&image)), 0, 0};
    struct zone_edit *edit;
    assert_int_equal(zone_image_read(&other, DNS_CLASS_IN, take_from, &tap, &edit), SG_CONFLICT);
    tap.reader = reader_of(buffer_span(&image));
    assert_int_equal(zone_image_read(&edits.apex, DNS_CLASS_CH, take_from, &tap, &edit),
                     SG_CONFLICT);
    buffer_free(&image);
    zone_version_unref(version);
    epoch_barrier();
}

static unsigned calls_left;

static bool fail_later(void *argument, struct span bytes)
{
    (void)argument;
    (void)bytes;
    return calls_left-- > 0;
}

static void failures_of_the_disk_are_told(void **state)
{
    (void)state;
    const struct zone_version *version = random_version("example.", 6, 60);
    struct buffer image = image_of(version);
    for (unsigned calls = 0; calls < 4; calls++) { /* header, names, hashes, end */
        calls_left = calls;
        assert_int_equal(zone_image_write(version, fail_later, NULL), SG_CANCELLED);
    }
    calls_left = 4;
    assert_int_equal(zone_image_write(version, fail_later, NULL), SG_OK);
    for (size_t left = 1; left < image.length; left += 137) {
        struct tap tap = {reader_of(buffer_span(&image)), 64, left};
        struct zone_edit *edit;
        assert_int_equal(zone_image_read(&edits.apex, DNS_CLASS_IN, take_from, &tap, &edit), SG_IO);
    }
    buffer_free(&image);
    zone_version_unref(version);
    epoch_barrier();
}

static void no_room_is_a_limit(void **state)
{
    (void)state;
    const struct zone_version *version = random_version("example.", 7, 200);
    struct buffer image = image_of(version);
    for (uint32_t chunks = 2; chunks < 30; chunks++) {
        const struct arena_sizes sizes = {64, 64, chunks};
        struct tap tap = {reader_of(buffer_span(&image)), 0, 0};
        struct zone_edit *edit = draft_new(&edits.apex, DNS_CLASS_IN, &sizes);
        assert_int_equal(image_read_draft(edit, take_from, &tap), SG_LIMIT);
        zone_edit_abandon(edit);
    }
    buffer_free(&image);
    zone_version_unref(version);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(edits_go_on_from_an_image),
        cmocka_unit_test(a_name_may_be_larger_than_a_piece),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(checksums_are_not_trusted),
        cmocka_unit_test(another_zone_is_a_conflict),
        cmocka_unit_test(failures_of_the_disk_are_told),
        cmocka_unit_test(no_room_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
