#include "base/encoding.h"
#include "base/mem.h"
#include "dnssec/key.h"
#include "dnssec/keyfile.h"
#include "support/table.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct signing_key *key_of(const char *record)
{
    struct keyfile_problem problem;
    struct signing_key *key = mem_alloc(sizeof(*key));
    signing_key_init(key);
    assert_int_equal(keyfile_public_read(span_of_text(record), key, &problem), SG_OK);
    return key;
}

/* clang-format off */
static const struct file_name_case {
    const char *name;
    const char *zone;
    uint8_t algorithm;
    uint16_t tag;
    const char *file;
} file_names[] = { /* as BIND's tools name them */
    {"an ordinary zone",           "example.test.",     13,  5915, "Kexample.test.+013+05915"},
    {"the root",                   ".",                 13, 25051, "K.+013+25051"},
    {"capitals are lowered",       "EXAMPLE.Test.",      8,     1, "Kexample.test.+008+00001"},
    {"other bytes are escaped",    "a/b_c.ex*mple.",    13, 10877, "Ka%2Fb_c.ex%2Ample.+013+10877"},
    {"a dot within a label, too",  "a\\.b.test.",       15, 65535, "Ka%2Eb.test.+015+65535"},
    {"a blank, too",               "te\\032st.",        15, 22030, "Kte%20st.+015+22030"},
    {"and bytes above 127",        "\\200.",            16,     7, "K%C8.+016+00007"},
};

/* Keys of dnssec-keygen and what dnssec-dsfromkey says of them. */
static const struct ds_case {
    const char *name;
    uint8_t digest;
    const char *hex;
} ds_cases[] = {
    {"SHA-1",   1, "4C54" "0D" "01" "DACB18C77D01B33683111D940CB4FEFA9C485D3F"},
    {"SHA-256", 2, "4C54" "0D" "02" "9D563C2693819928E064F4FFFC2A41678AE2171BD7F40C021CDF291E7F7020B6"},
    {"SHA-384", 4, "4C54" "0D" "04" "B919A8CB39DC1F4083C4BEB591DB5499E8D6E4D663BE08663A6ADFABD830BC36"
                   "E61B2609FC108AF6B48E11A1F8113384"},
};
/* clang-format on */

static const char ds_key[] =
    "Example.TEST. IN DNSKEY 256 3 13 Kfo9v2QEcyjNa2dnPgScXD19Ya8SJk+Lbq+8jHpRIQGaMJAuLar8G2MC "
    "G9lys7bUmYnSX3XGc3eE0iI20C5p2A==";

static void files_are_named_as_by_bind(void **state)
{
    const struct file_name_case *c = *state;
    struct signing_key key = {.zone = name_of(c->zone), .algorithm = c->algorithm, .tag = c->tag};
    char *file = signing_key_file_name(&key);
    assert_string_equal(file, c->file);
    mem_free(file);
}

static void ds_is_what_dnssec_dsfromkey_prints(void **state)
{
    const struct ds_case *c = *state;
    struct signing_key *key = key_of(ds_key);
    struct buffer rdata = BUFFER_EMPTY, hex = BUFFER_EMPTY;
    assert_int_equal(key->tag, 19540);
    assert_int_equal(signing_key_ds(key, c->digest, &rdata), SG_OK);
    hex_encode(buffer_span(&rdata), &hex);
    assert_string_equal(buffer_text(&hex), c->hex);
    buffer_free(&hex);
    buffer_free(&rdata);
    signing_key_free(key);
}

static void an_unknown_digest_is_refused(void **state)
{
    (void)state;
    struct signing_key *key = key_of(ds_key);
    struct buffer rdata = BUFFER_EMPTY;
    assert_int_equal(signing_key_ds(key, 3, &rdata), SG_UNSUPPORTED);
    assert_int_equal(rdata.length, 0);
    signing_key_free(key);
}

static void log_text_names_zone_algorithm_and_tag(void **state)
{
    (void)state;
    struct signing_key *key = key_of(ds_key);
    char *text = signing_key_text(key);
    assert_string_equal(text, "example.test/ECDSAP256SHA256/19540");
    mem_free(text);
    signing_key_free(key);
}

static void a_tag_of_odd_length_counts_the_last_byte(void **state)
{
    (void)state;
    static const uint8_t rdata[] = {1, 0, 3, 15, 0xff}; /* RFC 4034 appendix B */
    assert_int_equal(dnskey_tag((struct span){rdata, sizeof(rdata)}),
                     (0x0100 + 0x030f + 0xff00 + 1) & 0xffff);
    static const uint8_t carried[] = {0xff, 0xff, 0xff, 0xff};
    assert_int_equal(dnskey_tag((struct span){carried, sizeof(carried)}), 0xffff);
}

static void a_copy_stands_on_its_own(void **state)
{
    (void)state;
    struct signing_key *key = key_of(ds_key);
    key->folder = mem_copy_text("/keys");
    struct signing_key *copy = signing_key_copy(key);
    signing_key_free(key);
    assert_int_equal(copy->tag, dnskey_tag(copy->dnskey));
    assert_string_equal(copy->folder, "/keys");
    signing_key_free(copy);
    signing_key_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_digest_is_refused),
        cmocka_unit_test(log_text_names_zone_algorithm_and_tag),
        cmocka_unit_test(a_tag_of_odd_length_counts_the_last_byte),
        cmocka_unit_test(a_copy_stands_on_its_own),
    };
    return RUN_TABLE(file_names, files_are_named_as_by_bind) +
           RUN_TABLE(ds_cases, ds_is_what_dnssec_dsfromkey_prints) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
