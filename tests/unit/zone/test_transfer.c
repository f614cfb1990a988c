#include "zone/transfer_scene.h"

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
        cmocka_unit_test(an_error_is_told),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(types_are_those_of_the_class),
        cmocka_unit_test(the_question_may_be_there),
    };
    int failed = RUN_TABLE(rows, is_understood);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
