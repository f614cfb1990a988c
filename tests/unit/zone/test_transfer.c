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

static struct dns_name apex_name(void)
{
    struct dns_name apex;
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    return apex;
}

static const struct zone_version *load(const char *text)
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

static void dump(const struct zone_version *version, char out_text[TEXT_BYTES_MAX])
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

static void start_message(struct message *message, uint16_t flags)
{
    message->writer = writer_of(message->wire, sizeof(message->wire));
    memset(message->wire, 0, DNS_HEADER_BYTES);
    message->writer.at += DNS_HEADER_BYTES;
    wire_put_u16(message->wire + 2, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_AA | flags));
}

static uint16_t sent_class = DNS_CLASS_IN;

static void add_record(struct message *message, const char *line, size_t length)
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

static enum sg_result feed(struct zone_transfer *transfer, const struct message *message,
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
static enum sg_result feed_text(struct zone_transfer *transfer, const char *text,
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
static bool is_own(const void *argument, uint16_t type, struct span rdata)
{
    (void)argument;
    return type == DNS_TYPE_CDS && wire_get_u16(rdata.bytes) == 1;
}

static const struct zone_transfer_own own = {is_own, NULL};

/* What the zone is after the transfer, or why there is none. */
static enum sg_result finish(struct zone_transfer *transfer, const struct zone_version *base,
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

/* ---- rows ---- */

enum asked { AXFR, IXFR };

/* clang-format off */
static const struct row {
    const char *name;
    enum asked asked;
    const char *text;
    enum sg_result result;        /* of the messages */
    bool complete;
    enum zone_transfer_kind kind;
    enum sg_result applied;
    const char *zone;             /* as lines, in dump order without names' endings; NULL: not compared */
} rows[] = {
    {"a whole zone",                  AXFR, SOA(7) "@ 60 NS ns.f.\na 60 A 192.0.2.1\n" SOA(7), SG_OK, true, ZONE_TRANSFER_WHOLE, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 7 2 3 4 5\ne. 60 IN NS ns.f.\na.e. 60 IN A 192.0.2.1\n"},
    {"a whole zone, RR by RR",        AXFR, SOA(7) "--\n@ 60 NS ns.f.\n--\na 60 A 192.0.2.1\n--\n" SOA(7), SG_OK, true, ZONE_TRANSFER_WHOLE, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 7 2 3 4 5\ne. 60 IN NS ns.f.\na.e. 60 IN A 192.0.2.1\n"},
    {"a SOA and nothing else",        AXFR, SOA(7) SOA(7), SG_OK, true, ZONE_TRANSFER_WHOLE, SG_OK, "e. 300 IN SOA ns1.e. host.e. 7 2 3 4 5\n"},
    {"duplicates count once",         AXFR, SOA(7) "a 60 A 192.0.2.1\na 60 A 192.0.2.1\n" SOA(7), SG_OK, true, ZONE_TRANSFER_WHOLE, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 7 2 3 4 5\na.e. 60 IN A 192.0.2.1\n"},
    {"owners are lowered",            AXFR, SOA(7) "A 60 A 192.0.2.1\n" SOA(7), SG_OK, true, ZONE_TRANSFER_WHOLE, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 7 2 3 4 5\na.e. 60 IN A 192.0.2.1\n"},
    {"records out of zone are left out", AXFR, SOA(7) "a.f. 60 A 192.0.2.1\n" SOA(7), SG_OK, true, ZONE_TRANSFER_WHOLE, SG_OK, "e. 300 IN SOA ns1.e. host.e. 7 2 3 4 5\n"},
    {"not begun with a SOA",          AXFR, "@ 60 NS ns.f.\n" SOA(7), SG_MALFORMED, false, ZONE_TRANSFER_UNKNOWN, SG_OK, NULL},
    {"begun out of zone",             AXFR, "f. 60 SOA a. b. 1 2 3 4 5\n", SG_MALFORMED, false, ZONE_TRANSFER_UNKNOWN, SG_OK, NULL},
    {"another SOA at the end",        AXFR, SOA(7) "@ 60 NS ns.f.\n" SOA(8), SG_MALFORMED, false, ZONE_TRANSFER_WHOLE, SG_OK, NULL},
    {"the serial the same, but not the SOA", AXFR, SOA(7) "@ 300 SOA ns1 host 7 2 3 4 6\n", SG_MALFORMED, false, ZONE_TRANSFER_WHOLE, SG_OK, NULL},
    {"a SOA below the apex",          AXFR, SOA(7) "a 300 SOA ns1 host 7 2 3 4 5\n", SG_MALFORMED, false, ZONE_TRANSFER_UNKNOWN, SG_OK, NULL},
    {"records behind the end",        AXFR, SOA(7) SOA(7) "a 60 A 192.0.2.1\n", SG_MALFORMED, false, ZONE_TRANSFER_WHOLE, SG_OK, NULL},
    {"no end yet",                    AXFR, SOA(7) "@ 60 NS ns.f.\n", SG_OK, false, ZONE_TRANSFER_WHOLE, SG_OK, NULL},
    {"differences are no answer to AXFR", AXFR, SOA(11) SOA(10) SOA(11) SOA(11), SG_MALFORMED, false, ZONE_TRANSFER_WHOLE, SG_OK, NULL},

    {"the same serial",               IXFR, SOA(10), SG_OK, true, ZONE_TRANSFER_CURRENT, SG_OK, NULL},
    {"an older serial",               IXFR, SOA(9), SG_OK, true, ZONE_TRANSFER_CURRENT, SG_OK, NULL},
    {"an older serial and a zone",    IXFR, SOA(9) "@ 60 NS ns.f.\n" SOA(9), SG_MALFORMED, false, ZONE_TRANSFER_CURRENT, SG_OK, NULL},
    {"a newer SOA alone",             IXFR, SOA(11), SG_OK, false, ZONE_TRANSFER_UNKNOWN, SG_OK, NULL},
    {"a newer zone instead",          IXFR, SOA(11) "a 60 A 192.0.2.1\n" SOA(11), SG_OK, true, ZONE_TRANSFER_WHOLE, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\na.e. 60 IN A 192.0.2.1\n"},
    {"a newer zone of one record",    IXFR, SOA(11) SOA(11), SG_OK, true, ZONE_TRANSFER_WHOLE, SG_OK, "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\n"},
    {"one difference",                IXFR, SOA(11) SOA(10) "x 300 TXT x\n" SOA(11) "y 60 TXT y\n" SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 300 IN A 192.0.2.80\nwww.e. 300 IN A 192.0.2.81\ny.e. 60 IN TXT \"y\"\n"},
    {"two differences",               IXFR, SOA(12) SOA(10) "x 300 TXT x\n" SOA(11) "y 60 TXT y\n" SOA(11) "y 60 TXT y\nwww 300 A 192.0.2.80\n" SOA(12) "x 60 TXT x\n" SOA(12), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 12 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 300 IN A 192.0.2.81\nx.e. 60 IN TXT \"x\"\n"},
    {"a TTL that changes",            IXFR, SOA(11) SOA(10) "www 300 A 192.0.2.80\nwww 300 A 192.0.2.81\n" SOA(11) "www 60 A 192.0.2.80\nwww 60 A 192.0.2.81\n" SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 60 IN A 192.0.2.80\nwww.e. 60 IN A 192.0.2.81\nx.e. 300 IN TXT \"x\"\n"},
    {"only the SOA changes",          IXFR, SOA(11) SOA(10) SOA(11) SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 300 IN A 192.0.2.80\nwww.e. 300 IN A 192.0.2.81\nx.e. 300 IN TXT \"x\"\n"},
    {"a deletion of what is not there", IXFR, SOA(11) SOA(10) "y 300 TXT x\n" SOA(11) SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_CONFLICT, NULL},
    {"an addition of what is there",  IXFR, SOA(11) SOA(10) "www 300 A 192.0.2.80\n" SOA(11) "x 300 TXT x\n" SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 300 IN A 192.0.2.81\nx.e. 300 IN TXT \"x\"\n"},
    {"an addition of what was added",  IXFR, SOA(11) SOA(10) SOA(11) "y 60 TXT y\ny 60 TXT y\n" SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 300 IN A 192.0.2.80\nwww.e. 300 IN A 192.0.2.81\nx.e. 300 IN TXT \"x\"\ny.e. 60 IN TXT \"y\"\n"},
    {"a deletion of what is ours",    IXFR, SOA(11) SOA(10) OURS("@") SOA(11) SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK, "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 300 IN A 192.0.2.80\nwww.e. 300 IN A 192.0.2.81\nx.e. 300 IN TXT \"x\"\n"},
    {"an addition of what is ours",   IXFR, SOA(11) SOA(10) SOA(11) OURS("@") SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK, "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 300 IN A 192.0.2.80\nwww.e. 300 IN A 192.0.2.81\nx.e. 300 IN TXT \"x\"\n"},
    {"a deletion of what is another's", IXFR, SOA(11) SOA(10) "@ 300 CDS 2 13 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" SOA(11) SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_CONFLICT, NULL},
    {"a deletion below the apex of what would be ours", IXFR, SOA(11) SOA(10) OURS("x") SOA(11) SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_CONFLICT, NULL},
    {"an addition of what is there with another TTL", IXFR, SOA(11) SOA(10) "www 300 A 192.0.2.80\n" SOA(11) "x 60 TXT x\n" SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_CONFLICT, NULL},
    {"differences that do not chain", IXFR, SOA(13) SOA(10) SOA(11) SOA(12) SOA(13) SOA(13), SG_MALFORMED, false, ZONE_TRANSFER_DIFFERENCES, SG_OK, NULL},
    {"differences that go back",      IXFR, SOA(13) SOA(10) SOA(9) SOA(13), SG_MALFORMED, false, ZONE_TRANSFER_DIFFERENCES, SG_OK, NULL},
    {"differences from another serial", IXFR, SOA(13) SOA(9) SOA(13) SOA(13), SG_MALFORMED, false, ZONE_TRANSFER_WHOLE, SG_OK, NULL},
    {"differences beyond the end",    IXFR, SOA(11) SOA(10) SOA(12) SOA(12) SOA(11), SG_MALFORMED, false, ZONE_TRANSFER_DIFFERENCES, SG_OK, NULL},
    {"an end that is another SOA",    IXFR, SOA(11) SOA(10) SOA(11) "@ 300 SOA ns1 host 11 2 3 4 6\n", SG_MALFORMED, false, ZONE_TRANSFER_DIFFERENCES, SG_OK, NULL},
    {"differences cut short",         IXFR, SOA(11) SOA(10) SOA(11) "y 60 TXT y\n", SG_OK, false, ZONE_TRANSFER_DIFFERENCES, SG_OK, NULL},
    {"RR by RR",                      IXFR, SOA(11) "--\n" SOA(10) "--\nx 300 TXT x\n--\n" SOA(11) "--\n" SOA(11), SG_OK, true, ZONE_TRANSFER_DIFFERENCES, SG_OK,
     "e. 300 IN SOA ns1.e. host.e. 11 2 3 4 5\ne. 300 IN NS ns1.e.\nns1.e. 300 IN A 192.0.2.1\nwww.e. 300 IN A 192.0.2.80\nwww.e. 300 IN A 192.0.2.81\n"},
};
/* clang-format on */

static void is_understood(void **state)
{
    const struct row *row = *state;
    const struct zone_version *base = load(base_text);
    struct dns_name apex = apex_name();
    struct zone_transfer_options options = {0};
    char text[TEXT_BYTES_MAX];
    bool complete;
    struct zone_transfer *transfer =
        zone_transfer_new(&apex, DNS_CLASS_IN, row->asked == IXFR ? base : NULL, &options);
    assert_int_equal(feed_text(transfer, row->text, NULL, &complete), row->result);
    assert_int_equal(complete, row->complete);
    assert_int_equal(zone_transfer_kind(transfer), row->kind);
    if (complete && row->kind != ZONE_TRANSFER_CURRENT) {
        assert_int_equal(finish(transfer, base, text), row->applied);
        if (row->applied == SG_OK) {
            assert_string_equal(text, row->zone);
        }
    }
    zone_transfer_free(transfer);
    zone_version_unref(base);
    epoch_barrier();
}

/* ---- random zones ---- */

enum { POOL = 60, ROUNDS = 300 };

static void make_pool(char pool[POOL][200], struct random_seeded *random)
{
    for (unsigned i = 0; i < POOL; i++) {
        unsigned name = random_seeded_below(random, 12);
        switch (i % 4) {
        case 0:
            snprintf(pool[i], 200, "n%u 60 A 192.0.2.%u\n", name, i);
            break;
        case 1:
            snprintf(pool[i], 200, "n%u 60 TXT t%u\n", name, i);
            break;
        case 2:
            snprintf(pool[i], 200,
                     "n%u 60 RRSIG %s 13 2 60 20300101000000 20200101000000 %u e. AAAA\n", name,
                     name % 2 != 0 ? "A" : "NSEC3", i);
            break;
        default:
            snprintf(pool[i], 200,
                     "%032u 60 NSEC3 1 0 0 - 0123456789abcdefghijklmnopqrstuv A TYPE%u\n", name,
                     256 + i);
            break;
        }
    }
}

static void append_soa(char *text, uint32_t serial)
{
    sprintf(text + strlen(text), "@ 300 SOA ns1 host %u 2 3 4 5\n", serial);
}

/* The lines whose bit is set in `now` and not in `not`. */
static void append_lines(char *text, char pool[POOL][200], uint64_t now, uint64_t not )
{
    for (unsigned i = 0; i < POOL; i++) {
        if ((now & ~not ) >> i & 1) {
            strcat(text, pool[i]);
        }
    }
}

static void make_zone(char *out_text, char pool[POOL][200], uint32_t serial, uint64_t bits)
{
    out_text[0] = '\0';
    append_soa(out_text, serial);
    append_lines(out_text, pool, bits, 0);
}

static uint64_t random_bits(struct random_seeded *random)
{
    uint64_t bits = random_seeded_u64(random);
    return (random_seeded_below(random, 2) == 0 ? bits : bits & random_seeded_u64(random)) &
           ((UINT64_C(1) << POOL) - 1);
}

static void one_round(struct random_seeded *random)
{
    static char pool[POOL][200];
    static char zone[TEXT_BYTES_MAX], wanted[TEXT_BYTES_MAX], transferred[TEXT_BYTES_MAX];
    static char text[4 * TEXT_BYTES_MAX];
    struct dns_name apex = apex_name();
    struct zone_transfer_options options = {0};
    uint32_t serial = random_seeded_below(random, 2) == 0 ? 4294967290u : 10;
    make_pool(pool, random);
    uint64_t bits = random_bits(random);
    make_zone(zone, pool, serial, bits);
    const struct zone_version *base = load(zone);

    unsigned differences = random_seeded_below(random, 4);
    text[0] = '\0';
    for (unsigned i = 0; i < differences; i++) {
        append_soa(text, serial);
        uint64_t next = random_bits(random);
        append_lines(text, pool, bits, next);
        serial += 1 + random_seeded_below(random, 4);
        append_soa(text, serial);
        append_lines(text, pool, next, bits);
        bits = next;
    }
    if (differences == 0) { /* a whole zone */
        serial++;
        bits = random_bits(random);
        append_lines(text, pool, bits, 0);
    }
    append_soa(text, serial);
    zone[0] = '\0';
    append_soa(zone, serial);
    memmove(text + strlen(zone), text, strlen(text) + 1);
    memcpy(text, zone, strlen(zone));

    bool complete;
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, base, &options);
    assert_int_equal(feed_text(transfer, text, random, &complete), SG_OK);
    assert_true(complete);
    if (differences > 0) {
        assert_int_equal(zone_transfer_kind(transfer), ZONE_TRANSFER_DIFFERENCES);
    }
    assert_int_equal(finish(transfer, base, transferred), SG_OK);
    zone_transfer_free(transfer);
    make_zone(zone, pool, serial, bits);
    const struct zone_version *version = load(zone);
    dump(version, wanted);
    assert_string_equal(transferred, wanted);
    zone_version_unref(version);
    zone_version_unref(base);
}

static void random_zones_come_as_they_were_sent(void **state)
{
    (void)state;
    struct random_seeded random = {20261127};
    for (unsigned i = 0; i < ROUNDS; i++) {
        one_round(&random);
        epoch_barrier();
    }
}

/* ---- the rest ---- */

static enum sg_result transfer_all(const struct zone_transfer_options *options, const char *text,
                                   char out_text[TEXT_BYTES_MAX])
{
    struct dns_name apex = apex_name();
    bool complete;
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, NULL, options);
    enum sg_result result = feed_text(transfer, text, NULL, &complete);
    if (result == SG_OK) {
        assert_true(complete);
        result = finish(transfer, NULL, out_text);
    }
    zone_transfer_free(transfer);
    return result;
}

static void what_a_signer_made_is_left_out_where_we_sign(void **state)
{
    (void)state;
    char text[TEXT_BYTES_MAX];
    /* The private type is the configured one, and no other. */
    struct zone_transfer_options options = {.strip_generated = true, .private_type = 65280};
    assert_int_equal(
        transfer_all(&options,
                     SOA(7) "a 60 A 192.0.2.1\na 60 NSEC e. A\n@ 0 NSEC3PARAM 1 0 0 -\n"
                            "@ 60 DNSKEY 256 3 13 AAAA\n@ 0 TYPE65280 \\# 5 0d00010001\n"
                            "@ 60 TYPE65534 \\# 5 0d00010001\n"
                            "a 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 e. AAAA\n"
                            "00000000000000000000000000000000 60 NSEC3 1 0 0 - "
                            "0123456789abcdefghijklmnopqrstuv A\n" SOA(7),
                     text),
        SG_OK);
    assert_string_equal(text, "e. 300 IN SOA ns1.e. host.e. 7 2 3 4 5\n"
                              "e. 60 IN DNSKEY 256 3 13 AAAA\n"
                              "e. 60 IN TYPE65534 \\# 5 0D00010001\na.e. 60 IN A 192.0.2.1\n");
}

static void limits_end_it(void **state)
{
    (void)state;
    char text[TEXT_BYTES_MAX];
    static const char zone[] = SOA(7) "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\n" SOA(7);
    struct zone_transfer_options options = {.records_max = 3};
    assert_int_equal(transfer_all(&options, zone, text), SG_LIMIT);
    options.records_max = 4;
    assert_int_equal(transfer_all(&options, zone, text), SG_OK);
    options.bytes_max = 60;
    assert_int_equal(transfer_all(&options, zone, text), SG_LIMIT);
}

static void a_name_has_limits_as_in_updates(void **state)
{
    (void)state;
    char text[TEXT_BYTES_MAX];
    static const char three[] =
        SOA(7) "a 60 A 192.0.2.1\na 60 A 192.0.2.2\nb 60 A 192.0.2.3\na 60 A 192.0.2.3\n" SOA(7);
    static const char types[] =
        SOA(7) "a 60 A 192.0.2.1\na 60 TXT x\nb 60 TXT x\na 60 LOC 0 0 0 N 0 0 0 E 0\n" SOA(7);
    struct zone_transfer_options options = {.records_per_type_max = 2};
    assert_int_equal(transfer_all(&options, three, text), SG_LIMIT);
    options.records_per_type_max = 3;
    assert_int_equal(transfer_all(&options, three, text), SG_OK);
    options.types_per_name_max = 2;
    assert_int_equal(transfer_all(&options, types, text), SG_LIMIT);
    options.types_per_name_max = 3;
    assert_int_equal(transfer_all(&options, types, text), SG_OK);
}

static enum sg_result change_base(const struct zone_transfer_options *options, const char *text)
{
    struct dns_name apex = apex_name();
    const struct zone_version *base = load(base_text);
    char after[TEXT_BYTES_MAX];
    bool complete;
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, base, options);
    enum sg_result result = feed_text(transfer, text, NULL, &complete);
    if (result == SG_OK) {
        assert_true(complete);
        result = finish(transfer, base, after);
    }
    zone_transfer_free(transfer);
    zone_version_unref(base);
    return result;
}

static void differences_have_limits(void **state)
{
    (void)state;
    static const char third[] = SOA(11) SOA(10) SOA(11) "www 60 A 192.0.2.82\n" SOA(11);
    static const char instead[] =
        SOA(11) SOA(10) "www 60 A 192.0.2.81\n" SOA(11) "www 60 A 192.0.2.82\n" SOA(11);
    static const char type[] = SOA(11) SOA(10) SOA(11) "www 60 TXT x\n" SOA(11);
    struct zone_transfer_options options = {.records_per_type_max = 2};
    assert_int_equal(change_base(&options, third), SG_LIMIT);
    assert_int_equal(change_base(&options, instead), SG_OK);
    options.records_per_type_max = 3;
    assert_int_equal(change_base(&options, third), SG_OK);
    options.types_per_name_max = 1;
    assert_int_equal(change_base(&options, third), SG_OK);
    assert_int_equal(change_base(&options, type), SG_LIMIT);
    /* Both have a header of ten bytes, an owner of four and a length with four more. */
    options = (struct zone_transfer_options){.differences_bytes_max = 35};
    assert_int_equal(change_base(&options, instead), SG_LIMIT);
    options.differences_bytes_max = 36;
    assert_int_equal(change_base(&options, instead), SG_OK);
}

enum { LARGE_BYTES = 60000, LARGE_RECORDS = 250 };

/* A record of a type of its own, its rdata a number and so many bytes in all. */
static void append_opaque(struct buffer *message, char label, uint32_t number, size_t bytes)
{
    buffer_append_u8(message, 1);
    buffer_append_u8(message, (uint8_t)label);
    buffer_append(message, "\1e", 3);
    buffer_append_u16(message, 65280);
    buffer_append_u16(message, DNS_CLASS_IN);
    buffer_append_u32(message, 60);
    buffer_append_u16(message, (uint16_t)bytes);
    buffer_append_u32(message, number);
    for (size_t i = 4; i < bytes; i++) {
        buffer_append_u8(message, 0);
    }
    wire_put_u16(message->bytes + 6, (uint16_t)(wire_get_u16(message->bytes + 6) + 1));
}

static void begin_message(struct buffer *message)
{
    buffer_clear(message);
    buffer_append_u16(message, 0);
    buffer_append_u16(message, DNS_FLAG_QR | DNS_FLAG_AA);
    buffer_append_u32(message, 0);
    buffer_append_u32(message, 0);
}

/* Each return to a large name loads it again: a primary that goes to and fro between two of them
 * would hold up whoever feeds what it sends, for seconds a message. */
static void nobody_goes_to_and_fro_between_large_names(void **state)
{
    (void)state;
    struct dns_name apex = apex_name();
    struct buffer message = BUFFER_EMPTY;
    bool complete;
    const struct zone_transfer_options options = {0};
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, NULL, &options);
    assert_int_equal(feed_text(transfer, SOA(7), NULL, &complete), SG_OK);
    for (char label = 'a'; label <= 'b'; label++) {
        for (uint32_t i = 0; i < LARGE_RECORDS; i++) {
            begin_message(&message);
            append_opaque(&message, label, i, LARGE_BYTES);
            assert_int_equal(zone_transfer_feed(transfer, buffer_span(&message), &complete), SG_OK);
        }
    }
    for (uint32_t i = 0; i < 20; i++) { /* once a message is fine, however often */
        begin_message(&message);
        append_opaque(&message, (char)('a' + i % 2), i, 4);
        assert_int_equal(zone_transfer_feed(transfer, buffer_span(&message), &complete), SG_OK);
    }
    begin_message(&message);
    for (uint32_t i = 0; i < 2000; i++) { /* small ones are, too */
        append_opaque(&message, (char)('c' + i % 2), i, 4);
    }
    assert_int_equal(zone_transfer_feed(transfer, buffer_span(&message), &complete), SG_OK);
    begin_message(&message);
    for (uint32_t i = 0; i < 20; i++) {
        append_opaque(&message, (char)('a' + i % 2), 0, 4);
    }
    assert_int_equal(zone_transfer_feed(transfer, buffer_span(&message), &complete), SG_LIMIT);
    zone_transfer_free(transfer);
    buffer_free(&message);
}

/* They are passed over, but not without end. */
static void what_is_out_of_zone_counts_as_well(void **state)
{
    (void)state;
    char text[TEXT_BYTES_MAX];
    static const char zone[] = SOA(7) "a 60 A 192.0.2.1\nb.f. 60 A 192.0.2.1\n" SOA(7);
    struct zone_transfer_options options = {.records_max = 3};
    assert_int_equal(transfer_all(&options, zone, text), SG_LIMIT);
    options.records_max = 4;
    assert_int_equal(transfer_all(&options, zone, text), SG_OK);
    options = (struct zone_transfer_options){.bytes_max = 1};
    while (transfer_all(&options, SOA(7) "a 60 A 192.0.2.1\n" SOA(7), text) == SG_LIMIT) {
        options.bytes_max++;
    }
    assert_int_equal(transfer_all(&options, zone, text), SG_LIMIT);
    options.bytes_max += 30;
    assert_int_equal(transfer_all(&options, zone, text), SG_OK);
}

static void an_error_is_told(void **state)
{
    (void)state;
    struct dns_name apex = apex_name();
    struct zone_transfer_options options = {0};
    struct message message;
    bool complete = false;
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, NULL, &options);
    start_message(&message, DNS_RCODE_REFUSED);
    assert_int_equal(feed(transfer, &message, &complete), SG_UNSUPPORTED);
    assert_int_equal(zone_transfer_rcode(transfer), DNS_RCODE_REFUSED);
    zone_transfer_free(transfer);
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    struct dns_name apex = apex_name();
    struct zone_transfer_options options = {0};
    static const struct {
        uint16_t flags;
        const char *question;
        uint16_t qtype;
    } heads[] = {
        {0, NULL, 0},             /* no records */
        {DNS_FLAG_QR, NULL, 0},   /* toggled below: no response */
        {0x2800, NULL, 0},        /* an UPDATE */
        {0, "f.", DNS_TYPE_AXFR}, /* another zone */
        {0, "e.", DNS_TYPE_IXFR}, /* not what was asked */
        {0, "e.", DNS_TYPE_SOA},  /* the same */
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct message message;
        struct dns_name name;
        bool complete = false;
        struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, NULL, &options);
        start_message(&message, 0);
        wire_put_u16(message.wire + 2, (uint16_t)(DNS_FLAG_QR ^ heads[i].flags));
        if (heads[i].question != NULL) {
            assert_int_equal(dns_name_from_text(heads[i].question, 2, NULL, &name), SG_OK);
            wire_put_u16(message.wire + 4, 1);
            writer_bytes(&message.writer, name.wire, name.length);
            writer_u16(&message.writer, heads[i].qtype);
            writer_u16(&message.writer, DNS_CLASS_IN);
        }
        if (i > 0) {
            add_record(&message, "@ 300 SOA ns1 host 7 2 3 4 5", 28);
        }
        assert_int_equal(feed(transfer, &message, &complete), SG_MALFORMED);
        zone_transfer_free(transfer);
    }
}

/* RFC 1035 3.4: as in a file of that class. */
static void types_are_those_of_the_class(void **state)
{
    (void)state;
    struct dns_name apex = apex_name();
    struct zone_transfer_options options = {0};
    static const struct {
        uint16_t rrclass;
        const char *record;
        enum sg_result result;
    } sent[] = {
        {DNS_CLASS_IN, "a 300 AAAA ::1", SG_OK},
        {DNS_CLASS_CH, "a 300 TXT x", SG_OK},
        {DNS_CLASS_CH, "a 300 AAAA ::1", SG_MALFORMED},
        {DNS_CLASS_HS, "a 300 A 192.0.2.1", SG_OK},
        {DNS_CLASS_CH, "a 300 A 1.2.3.4", SG_MALFORMED},
        {DNS_CLASS_HS, "a 300 SRV 1 1 1 x", SG_MALFORMED},
    };
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        struct message message;
        bool complete = false;
        struct zone_transfer *transfer = zone_transfer_new(&apex, sent[i].rrclass, NULL, &options);
        sent_class = sent[i].rrclass;
        start_message(&message, 0);
        add_record(&message, "@ 300 SOA ns1 host 7 2 3 4 5", 28);
        add_record(&message, sent[i].record, strlen(sent[i].record));
        assert_int_equal(feed(transfer, &message, &complete), sent[i].result);
        zone_transfer_free(transfer);
    }
    sent_class = DNS_CLASS_IN;
}

static void the_question_may_be_there(void **state)
{
    (void)state;
    struct dns_name apex = apex_name();
    struct zone_transfer_options options = {0};
    struct message message;
    bool complete = false;
    const struct zone_version *base = load(base_text);
    struct zone_transfer *transfer = zone_transfer_new(&apex, DNS_CLASS_IN, base, &options);
    start_message(&message, 0);
    wire_put_u16(message.wire + 4, 1);
    writer_bytes(&message.writer, "\1E", 3);
    writer_u16(&message.writer, DNS_TYPE_IXFR);
    writer_u16(&message.writer, DNS_CLASS_IN);
    add_record(&message, "@ 300 SOA ns1 host 10 2 3 4 5", 29);
    assert_int_equal(feed(transfer, &message, &complete), SG_OK);
    assert_true(complete);
    assert_int_equal(zone_transfer_totals(transfer).records, 1);
    assert_int_equal(zone_transfer_totals(transfer).messages, 1);
    zone_transfer_free(transfer);
    zone_version_unref(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_zones_come_as_they_were_sent),
        cmocka_unit_test(what_a_signer_made_is_left_out_where_we_sign),
        cmocka_unit_test(limits_end_it),
        cmocka_unit_test(a_name_has_limits_as_in_updates),
        cmocka_unit_test(differences_have_limits),
        cmocka_unit_test(nobody_goes_to_and_fro_between_large_names),
        cmocka_unit_test(what_is_out_of_zone_counts_as_well),
        cmocka_unit_test(an_error_is_told),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(types_are_those_of_the_class),
        cmocka_unit_test(the_question_may_be_there),
    };
    int failed = RUN_TABLE(rows, is_understood);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
