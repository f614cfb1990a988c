/*
 * Dynamic updates as text: rows of RRs that make a message, and what must come of it.
 *
 *   "p ANY www 0 A"  is a prerequisite, "u IN www 60 A 192.0.2.7" an update: class, owner, TTL,
 *   type, rdata; none: RDLENGTH is 0. One RR a line. Names are relative to the zone "e.".
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "support/table.h"
#include "zone/update.h"
#include "zone/zonefile.h"

static const char scene_text[] = "$TTL 300\n"
                                 "@ SOA ns1 host 10 2 3 4 5\n"
                                 "@ NS ns1\n@ NS ns2\n@ TXT apex\n"
                                 "@ 3600 DNSKEY 256 3 14 AAAA\n" /* of another signer */
                                 "ns1 A 192.0.2.1\nns2 A 192.0.2.2\n"
                                 "www A 192.0.2.80\nwww A 192.0.2.81\nwww TXT x\n"
                                 "alias CNAME www\nold DNAME www\n"
                                 "sub NS ns.sub\nsub DS 1 13 9 00\nns.sub A 192.0.2.53\n"
                                 "cut NS ns.sub\n"
                                 "deep.ent A 192.0.2.9\n*.w A 192.0.2.10\n"
                                 "wks WKS \\# 6 c0000201 06 01\n";

#define SCENE_RRSIG_SOA "SOA 13 1 3600 20300101000000 20200101000000 1 e. AAAA"
#define SCENE_RRSIG_NS  "NS 13 1 300 20300101000000 20200101000000 1 e. BBBB"

/* The apex as it is served. */
static const char *const scene_generated[][2] = {
    {"SOA", "ns1 host 20 2 3 4 5"}, {"DNSKEY", "257 3 13 BBBB"},  {"DNSKEY", "256 3 14 AAAA"},
    {"CDS", "7 13 9 00"},           {"CDNSKEY", "257 3 13 BBBB"}, {"NSEC3PARAM", "1 0 0 -"},
    {"NSEC", "alias.e. NS SOA"},    {"RRSIG", SCENE_RRSIG_SOA},   {"RRSIG", SCENE_RRSIG_NS},
};

struct scene {
    struct dns_name apex;
    struct zone_edit *edit;
    struct buffer notes;
    uint8_t wire[DNS_MESSAGE_BYTES_MAX];
    struct writer writer;
};

static inline struct dns_name scene_name(const struct scene *scene, const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), &scene->apex, &name), SG_OK);
    return name;
}

static inline void scene_rdata(const struct scene *scene, uint16_t type, const char *text,
                               struct buffer *out_rdata)
{
    const char *error = "";
    if (dns_rdata_from_text(type, text, strlen(text), &scene->apex, out_rdata, &error) != SG_OK) {
        fail_msg("%s: %s", text, error);
    }
}

static inline void scene_generate(struct scene *scene)
{
    for (size_t i = 0; i < sizeof(scene_generated) / sizeof(scene_generated[0]);) {
        uint16_t type;
        struct buffer packed = BUFFER_EMPTY;
        struct dns_rrset rrset = {.ttl = 3600};
        const char *name = scene_generated[i][0];
        assert_int_equal(dns_type_from_text(name, strlen(name), &type), SG_OK);
        for (; i < sizeof(scene_generated) / sizeof(scene_generated[0]) &&
               strcmp(scene_generated[i][0], name) == 0 &&
               !(type == DNS_TYPE_RRSIG && rrset.count > 0); /* each covers another type */
             i++) {
            struct buffer rdata = BUFFER_EMPTY;
            scene_rdata(scene, type, scene_generated[i][1], &rdata);
            struct buffer sorted = BUFFER_EMPTY; /* 256 comes before 257 */
            buffer_append_u16(&sorted, (uint16_t)rdata.length);
            buffer_append(&sorted, rdata.bytes, rdata.length);
            buffer_append(&sorted, packed.bytes, packed.length);
            buffer_free(&packed);
            packed = sorted;
            rrset.count++;
            rrset.covered = type == DNS_TYPE_RRSIG ? wire_get_u16(rdata.bytes) : 0;
            buffer_free(&rdata);
        }
        rrset.type = type;
        rrset.packed = packed.bytes;
        rrset.bytes = (uint32_t)packed.length;
        assert_int_equal(zone_edit_put_rrset(scene->edit, &scene->apex, ZONE_GENERATED, &rrset),
                         SG_OK);
        buffer_free(&packed);
    }
}

/* A draft that follows a version of that zone; `is_signed`: with what we publish at its apex. */
static inline struct scene *scene_open_text(bool is_signed, const char *text)
{
    struct scene *scene = mem_alloc_zero(1, sizeof(*scene));
    struct zonefile_report report;
    struct zonefile_options options = {.path = "text"};
    const struct zone_version *version;
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &scene->apex), SG_OK);
    scene->edit = zone_edit_new(&scene->apex, DNS_CLASS_IN);
    if (zonefile_load_text(scene->edit, &options, span_of_text(text), &report) != SG_OK) {
        fail_msg("%s", report.problems[0].text);
    }
    zonefile_report_clear(&report);
    if (is_signed) {
        scene_generate(scene);
    }
    assert_int_equal(zone_edit_seal(scene->edit, &version), SG_OK);
    scene->edit = zone_edit_open(version);
    zone_version_unref(version);
    return scene;
}

static inline struct scene *scene_open(bool is_signed)
{
    return scene_open_text(is_signed, scene_text);
}

static inline void scene_close(struct scene *scene)
{
    zone_edit_abandon(scene->edit);
    buffer_free(&scene->notes);
    mem_free(scene);
    epoch_barrier();
}

/* ---- messages ---- */

static inline void scene_start_message(struct scene *scene)
{
    scene->writer = writer_of(scene->wire, sizeof(scene->wire));
    writer_u16(&scene->writer, 1);
    writer_u16(&scene->writer, DNS_OPCODE_UPDATE << 11);
    for (int i = 0; i < 4; i++) {
        writer_u16(&scene->writer, i == 0 ? 1 : 0);
    }
    writer_bytes(&scene->writer, scene->apex.wire, scene->apex.length);
    writer_u16(&scene->writer, DNS_TYPE_SOA);
    writer_u16(&scene->writer, DNS_CLASS_IN);
}

/* One line. Prerequisites come before updates. */
static inline void scene_add_line(struct scene *scene, char *line)
{
    char *rest = line;
    const char *section = strtok_r(NULL, " ", &rest);
    const char *class_text = strtok_r(NULL, " ", &rest);
    const char *owner = strtok_r(NULL, " ", &rest);
    const char *ttl = strtok_r(NULL, " ", &rest);
    const char *type_text = strtok_r(NULL, " ", &rest);
    uint16_t type, rrclass;
    struct buffer rdata = BUFFER_EMPTY;
    struct dns_name name = scene_name(scene, owner);
    assert_int_equal(dns_type_from_text(type_text, strlen(type_text), &type), SG_OK);
    assert_int_equal(dns_class_from_text(class_text, strlen(class_text), &rrclass), SG_OK);
    if (rest != NULL && strncmp(rest, "raw ", 4) == 0) { /* bytes that need not fit the type */
        for (const char *at = rest + 4; *at != '\0'; at += 2) {
            char digits[3] = {at[0], at[1], '\0'};
            buffer_append_u8(&rdata, (uint8_t)strtoul(digits, NULL, 16));
        }
    } else if (rest != NULL && *rest != '\0') {
        scene_rdata(scene, type, rest, &rdata);
    }
    writer_bytes(&scene->writer, name.wire, name.length);
    writer_u16(&scene->writer, type);
    writer_u16(&scene->writer, rrclass);
    writer_u32(&scene->writer, (uint32_t)strtoul(ttl, NULL, 10));
    writer_u16(&scene->writer, (uint16_t)rdata.length);
    writer_bytes(&scene->writer, rdata.bytes, rdata.length);
    buffer_free(&rdata);
    uint8_t *count = scene->wire + (section[0] == 'p' ? 6 : 8);
    wire_put_u16(count, (uint16_t)(wire_get_u16(count) + 1));
}

static inline void scene_note(void *argument, int severity, const char *text)
{
    struct scene *scene = argument;
    (void)severity;
    buffer_append_text(&scene->notes, text);
    buffer_append_text(&scene->notes, "\n");
}

static inline enum sg_result scene_send(struct scene *scene, struct zone_update_options *options,
                                        struct zone_update_outcome *out_outcome)
{
    struct dns_message message;
    struct span wire = {scene->wire, writer_length(&scene->writer)};
    assert_false(scene->writer.failed);
    assert_int_equal(dns_message_parse(wire, &message), SG_OK);
    options->note = scene_note;
    if (options->argument == NULL) {
        options->argument = scene;
    }
    buffer_clear(&scene->notes);
    return zone_update_apply(scene->edit, &message, options, out_outcome);
}

static inline struct zone_update_outcome
scene_update(struct scene *scene, struct zone_update_options *options, const char *lines)
{
    struct zone_update_outcome outcome;
    char *copy = mem_copy_text(lines), *rest = copy, *line;
    scene_start_message(scene);
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        scene_add_line(scene, line);
    }
    mem_free(copy);
    assert_int_equal(scene_send(scene, options, &outcome), SG_OK);
    return outcome;
}

/* ---- what came of it ---- */

static inline char *scene_dump(struct scene *scene)
{
    struct buffer text = BUFFER_EMPTY;
    zonefile_write(zone_edit_draft(scene->edit), ZONE_VIEW_UNSIGNED, &text);
    char *dump = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return dump;
}

static inline void scene_append_missing(const char *sign, const char *here, const char *there,
                                        struct buffer *out_text)
{
    while (*here != '\0') {
        size_t length = strcspn(here, "\n") + 1;
        char line[2048] = "\n";
        assert_true(length < sizeof(line) - 2);
        memcpy(line + 1, here, length);
        if (strstr(there, line) == NULL && strncmp(there, line + 1, length) != 0) {
            buffer_append_text(out_text, sign);
            buffer_append(out_text, here, length);
        }
        here += length;
    }
}

/* Lines that went, then lines that came: "-www.e. 300 IN A 192.0.2.80\n". */
static inline char *scene_difference(const char *before, const char *after)
{
    struct buffer text = BUFFER_EMPTY;
    scene_append_missing("-", before, after, &text);
    scene_append_missing("+", after, before, &text);
    char *difference = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return difference;
}

struct scene_row {
    const char *name;
    const char *lines;
    uint16_t rcode;
    const char *difference;
    const char *note; /* part of the notes, or of the reason; NULL: neither is there */
};

static inline void scene_check_row(const struct scene_row *row, bool is_signed,
                                   struct zone_update_options *options)
{
    struct scene *scene = scene_open(is_signed);
    char *before = scene_dump(scene);
    options->is_signed = is_signed;
    struct zone_update_outcome outcome = scene_update(scene, options, row->lines);
    char *after = scene_dump(scene);
    char *difference = scene_difference(before, after);
    const char *said =
        outcome.rcode != DNS_RCODE_NOERROR ? outcome.reason : buffer_text(&scene->notes);
    assert_int_equal(outcome.rcode, row->rcode);
    assert_string_equal(difference, row->difference != NULL ? row->difference : "");
    assert_int_equal(outcome.changes > 0, row->difference != NULL);
    if (row->note == NULL) {
        assert_string_equal(said, "");
    } else if (strstr(said, row->note) == NULL) {
        fail_msg("'%s' does not say '%s'", said, row->note);
    }
    mem_free(before);
    mem_free(after);
    mem_free(difference);
    scene_close(scene);
}
