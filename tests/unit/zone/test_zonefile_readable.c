#include <stdio.h>

#include "base/random.h"
#include "dns/rrtype.h"
#include "support/table.h"
#include "zone/zonefile.h"

enum { ROUNDS = 400, RECORDS = 40, RDATA_BYTES = 600 };

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static const struct zone_version *load(const struct dns_name *apex, struct span text)
{
    struct zonefile_report report;
    struct zonefile_options options = {.path = "text"};
    const struct zone_version *version;
    struct zone_edit *edit = zone_edit_new(apex, 1);
    if (zonefile_load_text(edit, &options, text, &report) != SG_OK || report.warnings > 0) {
        fail_msg("%s in\n%.*s", report.problems[0].text, (int)text.length,
                 (const char *)text.bytes);
    }
    zonefile_report_clear(&report);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

/* The flat form, which names every record in full, is the judge. */
static void expect_same_when_read_back(const struct zone_version *version, enum zone_view view)
{
    struct buffer flat = BUFFER_EMPTY;
    struct buffer again = BUFFER_EMPTY;
    struct buffer readable = BUFFER_EMPTY;
    zonefile_write(version, view, &flat);
    zonefile_write_readable(version, view, &readable);
    const struct zone_version *read = load(zone_version_apex(version), buffer_span(&readable));
    zonefile_write(read, view, &again);
    assert_string_equal(buffer_text(&again), buffer_text(&flat));
    zone_version_unref(read);
    buffer_free(&flat);
    buffer_free(&again);
    buffer_free(&readable);
}

static void it_looks_as_people_write_it(void **state)
{
    (void)state;
    struct dns_name apex = name_of("e.");
    struct buffer text = BUFFER_EMPTY;
    const struct zone_version *version =
        load(&apex, span_of_text("$TTL 300\n@ SOA ns h 7 2 3 4 5\n@ NS ns\n@ 60 A 192.0.2.1\n"
                                 "@ 60 A 192.0.2.2\nns A 192.0.2.3\n*.b.a MX 10 Mail.x.\n"
                                 "\\@ 0 TXT \"a b\" ;\n"));
    zonefile_write_readable(version, ZONE_VIEW_SIGNED, &text);
    assert_string_equal(buffer_text(&text),
                        "$ORIGIN e.\n"
                        "$TTL 300\n"
                        "@                               IN SOA  ns.e. h.e. (\n"
                        "                                        7          ; serial\n"
                        "                                        2          ; refresh\n"
                        "                                        3          ; retry\n"
                        "                                        4          ; expire\n"
                        "                                        5          ; negative TTL\n"
                        "                                        )\n"
                        "                        60      A       192.0.2.1\n"
                        "                        60      A       192.0.2.2\n"
                        "                                NS      ns.e.\n"
                        "\\@                      0       TXT     \"a b\"\n"
                        "*.b.a                           MX      10 Mail.x.\n"
                        "ns                              A       192.0.2.3\n");
    zone_version_unref(version);
    buffer_free(&text);
}

static void a_signed_zone_reads_back_with_its_signatures(void **state)
{
    (void)state;
    static const char hash[] = "0123456789abcdefghijklmnopqrstuv";
    char text[2000];
    struct dns_name apex = name_of("e.");
    snprintf(text, sizeof(text),
             "$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n"
             "@ RRSIG SOA 13 1 300 20300101000000 20200101000000 1 e. AAAA\n"
             "@ RRSIG NS 13 1 300 20300101000000 20200101000000 1 e. AAAA\n"
             "@ 0 NSEC3PARAM 1 0 0 -\n"
             "@ 0 RRSIG NSEC3PARAM 13 1 0 20300101000000 20200101000000 1 e. AAAA\n"
             "%s 5 NSEC3 1 0 0 - %s A\n"
             "%s 5 RRSIG NSEC3 13 2 5 20300101000000 20200101000000 1 e. AAAA\n",
             hash, hash, hash);
    const struct zone_version *version = load(&apex, span_of_text(text));
    expect_same_when_read_back(version, ZONE_VIEW_SIGNED);
    expect_same_when_read_back(version, ZONE_VIEW_UNSIGNED);
    zone_version_unref(version);
}

/* --- any zone reads back the same --------------------------------------------------------------
 */

static const uint8_t nasty[] = "aZ09.\\\"();@$ \t*_\n\r-#\0\x7f\xff/'`{";

static uint8_t random_byte(struct random_seeded *random)
{
    return random_seeded_below(random, 8) == 0 ? (uint8_t)random_seeded_below(random, 256)
                                               : nasty[random_seeded_below(random, sizeof(nasty))];
}

/* Up to three labels below the apex, lower case; sometimes what a line may not mistake for its
 * own words. */
static struct dns_name random_owner(struct random_seeded *random, const struct dns_name *apex)
{
    static const char *const words[] = {"\\@", "\\$ttl", "\\$origin", "in", "300", "soa", "*", "a"};
    struct dns_name owner = *apex;
    for (unsigned labels = random_seeded_below(random, 4); labels > 0; labels--) {
        struct dns_name front = {.labels = 1};
        struct dns_name joined;
        if (random_seeded_below(random, 3) == 0) {
            front = name_of(words[random_seeded_below(random, 8)]);
        } else {
            uint8_t length = (uint8_t)(1 + random_seeded_below(random, 5));
            length = random_seeded_below(random, 20) == 0 ? DNS_LABEL_BYTES_MAX : length;
            front.wire[0] = length;
            for (unsigned i = 1; i <= length; i++) {
                front.wire[i] = random_byte(random);
            }
            front.length = (uint8_t)(length + 2);
        }
        dns_name_lower(&front);
        if (dns_name_join(&front, &owner, &joined) == SG_OK) {
            owner = joined;
        }
    }
    return owner;
}

static size_t random_rdata(struct random_seeded *random, uint16_t type, uint8_t *out)
{
    struct dns_name target;
    size_t length;
    switch (type) {
    case DNS_TYPE_A:
        memset(out, (int)random_seeded_below(random, 256), 4);
        return 4;
    case DNS_TYPE_TXT:
        length = random_seeded_below(random, 256);
        out[0] = (uint8_t)length;
        for (size_t i = 1; i <= length; i++) {
            out[i] = random_byte(random);
        }
        return length + 1;
    case DNS_TYPE_MX:
        out[0] = 0;
        out[1] = (uint8_t)random_seeded_below(random, 3);
        target = random_owner(random, &dns_name_root);
        memcpy(out + 2, target.wire, target.length);
        return 2u + target.length;
    case DNS_TYPE_NS:
        target = random_owner(random, &dns_name_root);
        memcpy(out, target.wire, target.length);
        return target.length;
    default: /* RFC 3597 */
        length = random_seeded_below(random, 20);
        for (size_t i = 0; i < length; i++) {
            out[i] = random_byte(random);
        }
        return length;
    }
}

static void add(struct zone_edit *edit, const struct dns_name *owner, uint16_t type, uint32_t ttl,
                const uint8_t *rdata, size_t length)
{
    uint32_t standing;
    enum sg_result result =
        zone_edit_add_record(edit, owner, type, ttl, (struct span){rdata, length}, &standing);
    assert_true(result == SG_OK || result == SG_EXISTS);
}

static const struct zone_version *random_zone(struct random_seeded *random,
                                              const struct dns_name *apex)
{
    static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_TXT, DNS_TYPE_MX, DNS_TYPE_NS, 65280};
    static const uint32_t ttls[] = {0, 300, 300, 300, 86400, INT32_MAX};
    struct zone_edit *edit = zone_edit_new(apex, 1);
    const struct zone_version *version;
    uint8_t rdata[RDATA_BYTES];
    struct dns_name host = random_owner(random, apex);
    memcpy(rdata, host.wire, host.length);
    memcpy(rdata + host.length, host.wire, host.length);
    memset(rdata + 2 * host.length, 0, 20);
    rdata[2 * host.length + 3] = 1;
    add(edit, apex, DNS_TYPE_SOA, ttls[random_seeded_below(random, 6)], rdata,
        2u * host.length + 20);
    for (int i = 0; i < RECORDS; i++) {
        struct dns_name owner = random_owner(random, apex);
        uint16_t type = types[random_seeded_below(random, 5)];
        add(edit, &owner, type, ttls[random_seeded_below(random, 6)], rdata,
            random_rdata(random, type, rdata));
    }
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static const struct apex_case {
    const char *name;
    const char *apex;
} apexes[] = {
    {"any zone reads back the same", "example."},
    {"the root zone reads back the same", "."},
    {"an apex of odd bytes reads back the same", "a\\.b\\032\\$.\\@."},
};

static void any_zone_reads_back_the_same(void **state)
{
    const struct apex_case *c = *state;
    struct dns_name apex = name_of(c->apex);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct random_seeded random = {.state = seed};
        const struct zone_version *version = random_zone(&random, &apex);
        expect_same_when_read_back(version, ZONE_VIEW_SIGNED);
        zone_version_unref(version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_looks_as_people_write_it),
        cmocka_unit_test(a_signed_zone_reads_back_with_its_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) |
           RUN_TABLE(apexes, any_zone_reads_back_the_same);
}
