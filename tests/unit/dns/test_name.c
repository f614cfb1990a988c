#include <ctype.h>
#include <ldns/ldns.h>
#include <stdlib.h>

#include "base/random.h"
#include "dns/name.h"
#include "support/table.h"

#define X10  "xxxxxxxxxx"
#define X63  X10 X10 X10 X10 X10 X10 "xxx"
#define X254 X63 "." X63 "." X63 "." X10 X10 X10 X10 X10 X10 "x" /* 255 bytes with the root */

/* clang-format off */
static const struct text_case {
    const char *name;
    const char *text;
    const char *out; /* NULL: SG_MALFORMED */
} text_cases[] = {
    {"the root",                          ".",              "."},
    {"an absolute name",                  "www.example.",   "www.example."},
    {"a relative name is completed",      "www",            "www.Origin."},
    {"at is the origin",                  "@",              "Origin."},
    {"an escaped at is a label",          "\\@.",           "\\@."},
    {"case is kept",                      "WwW.",           "WwW."},
    {"an escaped dot is no end of label", "a\\.b.",         "a\\.b."},
    {"a decimal escape",                  "\\097\\000.",    "a\\000."},
    {"a dot as decimal",                  "a\\046b.",       "a\\.b."},
    {"a final escaped dot is relative",   "a\\.",           "a\\..Origin."},
    {"what zone files hold special",      "\\\"\\(\\)\\;\\$.", "\\\"\\(\\)\\;\\$."},
    {"a byte above 127",                  "\\255.",         "\\255."},
    {"a blank",                           "a\\ b.",         "a\\032b."},
    {"63 bytes in a label",               X63 ".",          X63 "."},
    {"255 bytes in a name",               X254 ".",         X254 "."},
    {"nothing",                           "",               NULL},
    {"an empty label",                    "a..b.",          NULL},
    {"an empty first label",              ".a.",            NULL},
    {"two dots",                          "..",             NULL},
    {"64 bytes in a label",               X63 "x.",         NULL},
    {"256 bytes in a name",               "x" X254 ".",     NULL},
    {"too long with the origin",          X254,             NULL},
    {"a decimal above 255",               "\\256.",         NULL},
    {"a decimal cut short",               "\\25",           NULL},
    {"a decimal with a letter",           "\\25a.",         NULL},
    {"a backslash at the end",            "a\\",            NULL},
};
/* clang-format on */

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static void text_is_read(void **state)
{
    const struct text_case *c = *state;
    struct dns_name origin = name_of("Origin.");
    struct dns_name name;
    char text[DNS_NAME_TEXT_BYTES];
    enum sg_result result = dns_name_from_text(c->text, strlen(c->text), &origin, &name);
    assert_int_equal(result, c->out != NULL ? SG_OK : SG_MALFORMED);
    if (c->out != NULL) {
        assert_string_equal(dns_name_to_text(&name, text), c->out);
        assert_int_equal(dns_name_wire_check((struct span){name.wire, name.length}), name.length);
        assert_int_equal(dns_name_wire_length(name.wire), name.length);
        assert_int_equal(dns_name_wire_labels(name.wire), name.labels);
    }
}

/* A random name of few different labels, so that neighbours occur. */
static struct dns_name random_name(struct random_seeded *random, unsigned labels_max)
{
    struct dns_name name = dns_name_root;
    unsigned labels = random_seeded_below(random, labels_max + 1);
    for (unsigned i = 0; i < labels; i++) {
        struct dns_name label = {.labels = 1};
        unsigned length = 1 + random_seeded_below(random, 4) * random_seeded_below(random, 6);
        label.wire[0] = (uint8_t)length;
        for (unsigned k = 1; k <= length; k++) {
            static const uint8_t bytes[] = {0, '*', 'A', 'a', 'B', 'b', '.', 'Z', '[', 200, 232};
            label.wire[k] = bytes[random_seeded_below(random, sizeof(bytes))];
        }
        label.wire[length + 1] = 0;
        label.length = (uint8_t)(length + 2);
        struct dns_name joined;
        if (dns_name_join(&label, &name, &joined) == SG_OK) {
            name = joined;
        }
    }
    return name;
}

static void text_of_any_name_reads_back(void **state)
{
    (void)state;
    struct random_seeded random = {1};
    for (int i = 0; i < 20000; i++) {
        struct dns_name name = random_name(&random, 6);
        struct dns_name again;
        char text[DNS_NAME_TEXT_BYTES];
        dns_name_to_text(&name, text);
        assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &again), SG_OK);
        assert_int_equal(again.length, name.length);
        assert_int_equal(again.labels, name.labels);
        assert_memory_equal(again.wire, name.wire, name.length);
    }
}

static void the_longest_text_fits(void **state)
{
    (void)state;
    struct dns_name name;
    char text[DNS_NAME_TEXT_BYTES + 1];
    uint8_t wire[255];
    memset(wire, 1, sizeof(wire));
    wire[0] = wire[64] = wire[128] = 63;
    wire[192] = 61;
    wire[254] = 0;
    assert_int_equal(dns_name_from_wire((struct span){wire, sizeof(wire)}, &name), SG_OK);
    text[DNS_NAME_TEXT_BYTES] = 'x';
    dns_name_to_text(&name, text);
    assert_true(strlen(text) < DNS_NAME_TEXT_BYTES);
    assert_int_equal(text[DNS_NAME_TEXT_BYTES], 'x');
}

static void the_short_text_has_no_final_dot(void **state)
{
    (void)state;
    char text[DNS_NAME_TEXT_BYTES];
    struct dns_name name = name_of("a.b.");
    assert_string_equal(dns_name_to_text_short(&name, text), "a.b");
    assert_string_equal(dns_name_to_text_short(&dns_name_root, text), ".");
}

static void only_ascii_letters_are_lowered(void **state)
{
    (void)state;
    uint8_t all[256];
    uint8_t lowered[256];
    for (unsigned i = 0; i < 256; i++) {
        all[i] = (uint8_t)i;
    }
    for (unsigned begin = 0; begin < 16; begin++) {
        dns_name_wire_lower(lowered, all + begin, 256 - begin);
        for (unsigned i = begin; i < 256; i++) {
            unsigned expected = i >= 'A' && i <= 'Z' ? i + 32 : i;
            assert_int_equal(lowered[i - begin], expected);
            assert_int_equal(dns_lower[i], expected);
        }
    }
    for (unsigned length = 0; length < 32; length++) { /* all of them, and nothing behind */
        uint8_t bytes[33];
        memset(bytes, 'A', sizeof(bytes));
        dns_name_wire_lower(bytes, bytes, length);
        for (unsigned i = 0; i < sizeof(bytes); i++) {
            assert_int_equal(bytes[i], i < length ? 'a' : 'A');
        }
    }
}

/* The example of RFC 4034 6.1. */
static void the_order_is_that_of_rfc_4034(void **state)
{
    (void)state;
    static const char *const sorted[] = {
        "example.",         "a.example.",      "yljkjljk.a.example.",
        "Z.a.example.",     "zABC.a.EXAMPLE.", "z.example.",
        "\\001.z.example.", "*.z.example.",    "\\200.z.example."};
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
            struct dns_name a = name_of(sorted[i]);
            struct dns_name b = name_of(sorted[k]);
            int order = dns_name_compare(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

static void ldns_orders_names_alike(void **state)
{
    (void)state;
    struct random_seeded random = {2};
    for (int i = 0; i < 20000; i++) {
        struct dns_name a = random_name(&random, 4);
        struct dns_name b = random_name(&random, 4);
        ldns_rdf *theirs_a = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, a.length, a.wire);
        ldns_rdf *theirs_b = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, b.length, b.wire);
        int order = dns_name_compare(&a, &b);
        int theirs = ldns_dname_compare(theirs_a, theirs_b);
        assert_int_equal((order > 0) - (order < 0), theirs);
        assert_int_equal(dns_name_equal(&a, &b), theirs == 0);
        assert_int_equal(dns_name_wire_equal(a.wire, b.wire), theirs == 0);
        assert_int_equal(dns_name_is_at_or_below(&a, &b),
                         theirs == 0 || ldns_dname_is_subdomain(theirs_a, theirs_b));
        ldns_rdf_deep_free(theirs_a);
        ldns_rdf_deep_free(theirs_b);
    }
}

static void at_or_below_goes_by_labels_not_bytes(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct dns_name below = name_of("a.EXAMPLE.");
    struct dns_name similar = name_of("aexample.");
    struct dns_name inside = name_of("x\\007example."); /* holds the apex's bytes in a label */
    assert_true(dns_name_is_at_or_below(&apex, &apex));
    assert_true(dns_name_is_at_or_below(&below, &apex));
    assert_true(dns_name_is_at_or_below(&below, &dns_name_root));
    assert_false(dns_name_is_at_or_below(&apex, &below));
    assert_false(dns_name_is_at_or_below(&similar, &apex));
    assert_false(dns_name_is_at_or_below(&inside, &apex));
}

static void parents_and_wildcards(void **state)
{
    (void)state;
    struct dns_name name = name_of("a.b.example.");
    struct dns_name parent = dns_name_parent(&name, 2);
    struct dns_name expected = name_of("example.");
    assert_true(dns_name_equal(&parent, &expected));
    assert_int_equal(parent.labels, 1);
    parent = dns_name_parent(&name, 3);
    assert_int_equal(parent.length, 1);

    struct dns_name wildcard;
    assert_int_equal(dns_name_wildcard(&expected, &wildcard), SG_OK);
    char text[DNS_NAME_TEXT_BYTES];
    assert_string_equal(dns_name_to_text(&wildcard, text), "*.example.");
    assert_true(dns_name_is_wildcard(&wildcard));
    assert_false(dns_name_is_wildcard(&name));

    struct dns_name longest = name_of(X254 ".");
    assert_int_equal(dns_name_wildcard(&longest, &wildcard), SG_LIMIT);
    assert_int_equal(dns_name_join(&longest, &dns_name_root, &wildcard), SG_OK);
    assert_int_equal(dns_name_join(&longest, &name, &wildcard), SG_LIMIT);
}

/* clang-format off */
#define WIRE(text) text, sizeof(text) - 1
static const struct message_case {
    const char *name;
    const char *message;
    size_t length;
    size_t offset;
    const char *text; /* NULL: SG_MALFORMED */
    size_t after;
} message_cases[] = {
    {"plain",                      WIRE("\1a\1b\0rest"),          0, "a.b.", 5},
    {"a pointer back",             WIRE("\1b\0\1a\xc0\0rest"),    3, "a.b.", 7},
    {"a pointer to a pointer",     WIRE("\1c\0\1b\xc0\0\xc0\3"),  7, "b.c.", 9},
    {"the root",                   WIRE("\0"),                    0, ".",    1},
    {"a pointer to itself",        WIRE("\1a\0\xc0\3"),           3, NULL,   0},
    {"a pointer ahead",            WIRE("\xc0\2\1a\0"),           0, NULL,   0},
    {"a pointer into its own name", WIRE("\1a\1b\xc0\2"),         0, NULL,   0},
    {"two that point at each other", WIRE("\xc0\2\xc0\0"),        2, NULL,   0},
    {"a pointer cut short",        WIRE("\1a\0\xc0"),             3, NULL,   0},
    {"a label cut short",          WIRE("\3ab"),                  0, NULL,   0},
    {"no end",                     WIRE("\1a"),                   0, NULL,   0},
    {"a label of type 01",         WIRE("\x41\1\0"),              0, NULL,   0},
    {"a label of type 10",         WIRE("\x81\1\0"),              0, NULL,   0},
    {"an offset behind the end",   WIRE("\0"),                    1, NULL,   0},
};
/* clang-format on */

static void names_are_decompressed(void **state)
{
    const struct message_case *c = *state;
    struct span message = {(const uint8_t *)c->message, c->length};
    struct dns_name name;
    size_t after = 0;
    enum sg_result result = dns_name_from_message(message, c->offset, &name, &after);
    assert_int_equal(result, c->text != NULL ? SG_OK : SG_MALFORMED);
    assert_int_equal(after, c->after);
    if (c->text != NULL) {
        char text[DNS_NAME_TEXT_BYTES];
        assert_string_equal(dns_name_to_text(&name, text), c->text);
    }
}

static void pointers_cannot_make_a_name_too_long(void **state)
{
    (void)state;
    /* Each name is one label of 15 bytes and a pointer to the name before it. */
    uint8_t message[18 * 40] = {0};
    size_t length = 1;
    size_t previous = 0;
    for (unsigned i = 1; i <= 30; i++) {
        size_t begin = length;
        message[length] = 15;
        memset(message + length + 1, 'a', 15);
        wire_put_u16(message + length + 16, (uint16_t)(0xc000 | previous));
        length += 18;
        previous = begin;
        struct dns_name name;
        size_t after;
        assert_int_equal(
            dns_name_from_message((struct span){message, length}, begin, &name, &after),
            i * 16 + 1 <= 255 ? SG_OK : SG_MALFORMED);
    }
}

static void wire_is_checked(void **state)
{
    (void)state;
    struct dns_name longest = name_of(X254 ".");
    uint8_t wire[300];
    memset(wire, 1, sizeof(wire)); /* labels of one byte without end */
    assert_int_equal(dns_name_wire_check((struct span){wire, sizeof(wire)}), 0);
    wire[254] = 0;
    assert_int_equal(dns_name_wire_check((struct span){wire, sizeof(wire)}), 255);
    assert_int_equal(dns_name_wire_labels(wire), DNS_LABELS_MAX);
    wire[254] = 1;
    wire[256] = 0;
    assert_int_equal(dns_name_wire_check((struct span){wire, sizeof(wire)}), 0);
    for (size_t length = 0; length < longest.length; length++) {
        assert_int_equal(dns_name_wire_check((struct span){longest.wire, length}), 0);
    }
    assert_int_equal(dns_name_wire_check((struct span){(const uint8_t *)"\x40", 80}), 0);
    assert_int_equal(dns_name_wire_check((struct span){NULL, 0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_name_reads_back),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(the_short_text_has_no_final_dot),
        cmocka_unit_test(only_ascii_letters_are_lowered),
        cmocka_unit_test(the_order_is_that_of_rfc_4034),
        cmocka_unit_test(ldns_orders_names_alike),
        cmocka_unit_test(at_or_below_goes_by_labels_not_bytes),
        cmocka_unit_test(parents_and_wildcards),
        cmocka_unit_test(pointers_cannot_make_a_name_too_long),
        cmocka_unit_test(wire_is_checked),
    };
    return RUN_TABLE(text_cases, text_is_read) + RUN_TABLE(message_cases, names_are_decompressed) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
