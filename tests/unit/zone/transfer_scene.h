/* The messages of a transfer from a text, and what the zone is after them. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "support/table.h"
#include "zone/transfer.h"
#include "zone/zonefile.h"

/*
 * A transfer is lines "owner TTL TYPE rdata"; a line "--" ends a message. Names are relative to
 * the zone "e.".
 */
enum { MESSAGE_BYTES_MAX = 4000, TEXT_BYTES_MAX = 32000 };

#define OURS(owner) owner " 300 CDS 1 13 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
#define SOA(serial) "@ 300 SOA ns1 host " #serial " 2 3 4 5\n"

static const char base_text[] = SOA(10) "@ 300 NS ns1\nns1 300 A 192.0.2.1\n"
                                        "www 300 A 192.0.2.80\nwww 300 A 192.0.2.81\n"
                                        "x 300 TXT x\n";

static inline struct dns_name apex_name(void)
{
    struct dns_name apex;
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    return apex;
}

static inline const struct zone_version *load(const char *text)
{
    struct dns_name apex = apex_name();
    struct zonefile_report report;
    struct zonefile_options options = {.path = "text"};
    const struct zone_version *version;
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    if (zonefile_load_text(edit, &options, span_of_text(text), &report) != SG_OK) {
        fail_msg("%s", report.problems[0].text);
    }
    zonefile_report_clear(&report);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static inline void dump(const struct zone_version *version, char out_text[TEXT_BYTES_MAX])
{
    struct buffer text = BUFFER_EMPTY;
    zonefile_write(version, ZONE_VIEW_UNSIGNED, &text);
    assert_true(text.length < TEXT_BYTES_MAX);
    strcpy(out_text, buffer_text(&text));
    buffer_free(&text);
}

/* ---- messages ---- */

struct message {
    uint8_t wire[MESSAGE_BYTES_MAX];
    struct writer writer;
};

static inline void start_message(struct message *message, uint16_t flags)
{
    message->writer = writer_of(message->wire, sizeof(message->wire));
    memset(message->wire, 0, DNS_HEADER_BYTES);
    message->writer.at += DNS_HEADER_BYTES;
    wire_put_u16(message->wire + 2, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_AA | flags));
}

static uint16_t sent_class = DNS_CLASS_IN;

static inline void add_record(struct message *message, const char *line, size_t length)
{
    char copy[1000], *rest = copy;
    struct dns_name apex = apex_name(), owner;
    uint16_t type;
    struct buffer rdata = BUFFER_EMPTY;
    const char *error = "";
    assert_true(length < sizeof(copy));
    memcpy(copy, line, length);
    copy[length] = '\0';
    const char *name = strtok_r(NULL, " ", &rest);
    const char *ttl = strtok_r(NULL, " ", &rest);
    const char *type_text = strtok_r(NULL, " ", &rest);
    assert_int_equal(dns_name_from_text(name, strlen(name), &apex, &owner), SG_OK);
    assert_int_equal(dns_type_from_text(type_text, strlen(type_text), &type), SG_OK);
    if (dns_rdata_from_text(type, rest, strlen(rest), &apex, &rdata, &error) != SG_OK) {
        fail_msg("%s: %s", line, error);
    }
    writer_bytes(&message->writer, owner.wire, owner.length);
    writer_u16(&message->writer, type);
    writer_u16(&message->writer, sent_class);
    writer_u32(&message->writer, (uint32_t)strtoul(ttl, NULL, 10));
    writer_u16(&message->writer, (uint16_t)rdata.length);
    writer_bytes(&message->writer, rdata.bytes, rdata.length);
    assert_false(message->writer.failed);
    buffer_free(&rdata);
    wire_put_u16(message->wire + 6, (uint16_t)(wire_get_u16(message->wire + 6) + 1));
}

static inline enum sg_result feed(struct zone_transfer *transfer, const struct message *message,
                                  bool *out_complete)
{
    /* Exactly as long as it is, so that a look beyond its end is seen. */
    size_t length = writer_length(&message->writer);
    uint8_t *copy = mem_copy(message->wire, length);
    enum sg_result result = zone_transfer_feed(transfer, (struct span){copy, length}, out_complete);
    mem_free(copy);
    return result;
}

/* Feed all lines; a message ends at "--", and at random where `random` is given. */
static inline enum sg_result feed_text(struct zone_transfer *transfer, const char *text,
                                       struct random_seeded *random, bool *out_complete)
{
    struct message message;
    enum sg_result result = SG_OK;
    bool open = false;
    *out_complete = false;
    while (*text != '\0' && result == SG_OK) {
        size_t length = strcspn(text, "\n");
        bool ends = strncmp(text, "--", 2) == 0;
        if (!ends) {
            if (!open) {
                start_message(&message, 0);
                open = true;
            }
            add_record(&message, text, length);
            ends = random != NULL && random_seeded_below(random, 3) == 0;
        }
        if (ends && open) {
            assert_false(*out_complete);
            result = feed(transfer, &message, out_complete);
            open = false;
        }
        text += length + (text[length] == '\n');
    }
    if (open && result == SG_OK) {
        result = feed(transfer, &message, out_complete);
    }
    return result;
}

/* Key 1 is ours. */
static inline bool is_own(const void *argument, uint16_t type, struct span rdata)
{
    (void)argument;
    return type == DNS_TYPE_CDS && wire_get_u16(rdata.bytes) == 1;
}

static const struct zone_transfer_own own = {is_own, NULL};

/* What the zone is after the transfer, or why there is none. */
static inline enum sg_result finish(struct zone_transfer *transfer, const struct zone_version *base,
                                    char out_text[TEXT_BYTES_MAX])
{
    struct zone_edit *edit;
    const struct zone_version *version;
    out_text[0] = '\0';
    if (zone_transfer_kind(transfer) == ZONE_TRANSFER_WHOLE) {
        edit = zone_transfer_take_whole(transfer);
    } else {
        char before[TEXT_BYTES_MAX];
        edit = zone_edit_open(base);
        enum sg_result result = zone_transfer_apply(transfer, &own, edit);
        if (result != SG_OK) {
            dump(zone_edit_draft(edit), out_text);
            dump(base, before);
            assert_string_equal(out_text, before);
            zone_edit_abandon(edit);
            return result;
        }
    }
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    dump(version, out_text);
    assert_int_equal(zone_version_facts(version)->source_serial, zone_transfer_serial(transfer));
    zone_version_unref(version);
    return SG_OK;
}
