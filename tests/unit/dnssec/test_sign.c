#include <pthread.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/key_secret.h"
#include "dnssec/keyfile.h"
#include "dnssec/pkey.h"
#include "dnssec/sign.h"
#include "support/table.h"

#define RFC8080_KEY "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="

/* Signatures that others published: RFC 6605 6, RFC 8080 6 with its erratum 4935. */
/* clang-format off */
static const struct published_case {
    const char *name;
    const char *dnskey;
    const char *owner;
    uint16_t type;
    const char *rdata; /* hexadecimal */
    uint32_t expiration, inception;
    const char *signature;
} published[] = {
    {"RFC 6605 6.1, P-256",
     "example.net. IN DNSKEY 257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+"
     "Wi9xMWyQLc8NAA==",
     "www.example.net.", DNS_TYPE_A, "C0000201", 1284026679, 1281607479,
     "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw=="},
    {"RFC 6605 6.2, P-384",
     "example.net. IN DNSKEY 257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X"
     "1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40",
     "www.example.net.", DNS_TYPE_A, "C0000201", 1284027625, 1281608425,
     "/L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bd"
     "cJzusdnI0RSMROxxwGipWcJm"},
    {"RFC 8080 6.1, Ed25519",
     "example.com. IN DNSKEY 257 3 15 " RFC8080_KEY,
     "example.com.", DNS_TYPE_MX, "000A046D61696C076578616D706C6503636F6D00", 1440021600, 1438207200,
     "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg=="},
};

static const struct algorithm_case {
    const char *name;
    uint8_t algorithm;
    unsigned bits;
    size_t signature_bytes;
} algorithms[] = {
    {"RSASHA1 signs, though no keys are made", DNSSEC_RSASHA1,         1024, 128},
    {"NSEC3RSASHA1 signs, the same",           DNSSEC_NSEC3RSASHA1,    1024, 128},
    {"RSASHA256 signs",                        DNSSEC_RSASHA256,       1024, 128},
    {"RSASHA512 signs with the largest key",   DNSSEC_RSASHA512,       4096, 512},
    {"ECDSAP256SHA256 signs",                  DNSSEC_ECDSAP256SHA256,  256,  64},
    {"ECDSAP384SHA384 signs",                  DNSSEC_ECDSAP384SHA384,  384,  96},
    {"ED25519 signs",                          DNSSEC_ED25519,          256,  64},
    {"ED448 signs",                            DNSSEC_ED448,            456, 114},
};
/* clang-format on */

enum { FIXED = 18, NOW = 1500000000 };
static const struct sign_times times = {.inception = NOW - 3600, .expiration = NOW + 86400};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct signing_key *make_key(uint8_t algorithm, unsigned bits, const char *zone)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    struct buffer rdata = BUFFER_EMPTY;
    signing_key_init(key);
    buffer_append(&rdata, "\x01\x00\x03", 3);
    buffer_append_u8(&rdata, algorithm);
    assert_int_equal(pkey_generate(algorithm, bits, &rdata, &key->secret), SG_OK);
    key->zone = name_of(zone);
    key->algorithm = algorithm;
    key->flags = KEY_FLAG_ZONE;
    key->dnskey = (struct span){mem_copy(rdata.bytes, rdata.length), rdata.length};
    key->tag = dnskey_tag(key->dnskey);
    buffer_free(&rdata);
    return key;
}

static struct dns_rrset rrset_of(uint16_t type, const char *packed, size_t bytes, uint16_t count)
{
    return (struct dns_rrset){.packed = (const uint8_t *)packed,
                              .bytes = (uint32_t)bytes,
                              .ttl = 300,
                              .type = type,
                              .count = count};
}

#define RRSET(type, count, packed) rrset_of((type), (packed), sizeof(packed) - 1, (count))

static void a_published_signature_verifies_and_nothing_else(void **state)
{
    const struct published_case *c = *state;
    struct keyfile_problem problem;
    struct signing_key key;
    struct signer *signer = signer_new();
    struct buffer rrsig = BUFFER_EMPTY, rdata = BUFFER_EMPTY;
    struct dns_name owner = name_of(c->owner);

    signing_key_init(&key);
    assert_int_equal(keyfile_public_read(span_of_text(c->dnskey), &key, &problem), SG_OK);
    buffer_append_u16(&rdata, 0);
    assert_int_equal(hex_decode(span_of_text(c->rdata), &rdata), SG_OK);
    wire_put_u16(rdata.bytes, (uint16_t)(rdata.length - 2));
    struct dns_rrset rrset = rrset_of(c->type, (const char *)rdata.bytes, rdata.length, 1);

    buffer_append_u16(&rrsig, c->type);
    buffer_append_u8(&rrsig, key.algorithm);
    buffer_append_u8(&rrsig, owner.labels);
    buffer_append_u32(&rrsig, 3600);
    buffer_append_u32(&rrsig, c->expiration);
    buffer_append_u32(&rrsig, c->inception);
    buffer_append_u16(&rrsig, key.tag);
    buffer_append(&rrsig, key.zone.wire, key.zone.length);
    assert_int_equal(base64_decode(span_of_text(c->signature), &rrsig), SG_OK);

    assert_int_equal(
        signer_verify(signer, key.dnskey, &owner, &rrset, buffer_span(&rrsig), c->inception + 1),
        SG_OK);
    for (size_t i = 0; i < rrsig.length; i++) {
        rrsig.bytes[i] ^= 0x10;
        assert_int_not_equal(signer_verify(signer, key.dnskey, &owner, &rrset, buffer_span(&rrsig),
                                           c->inception + 1),
                             SG_OK);
        rrsig.bytes[i] ^= 0x10;
    }
    rdata.bytes[2] ^= 1;
    assert_int_equal(
        signer_verify(signer, key.dnskey, &owner, &rrset, buffer_span(&rrsig), c->inception + 1),
        SG_BAD_SIG);
    buffer_free(&rdata);
    buffer_free(&rrsig);
    mem_free((void *)key.dnskey.bytes);
    signer_free(signer);
}

static void ed25519_gives_the_very_bytes_of_rfc_8080(void **state)
{
    (void)state;
    static const char private_file[] = "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\n"
                                       "PrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n";
    struct keyfile_problem problem;
    struct signing_key *key = mem_alloc(sizeof(*key));
    struct signer *signer = signer_new();
    struct buffer rrsig = BUFFER_EMPTY, signature = BUFFER_EMPTY;
    signing_key_init(key);
    assert_int_equal(
        keyfile_public_read(span_of_text("Example.COM. IN DNSKEY 257 3 15 " RFC8080_KEY), key,
                            &problem),
        SG_OK);
    assert_int_equal(keyfile_private_read(span_of_text(private_file), key, &problem), SG_OK);
    struct dns_name owner = name_of("EXAMPLE.com.");
    /* RFC 4034 6.2: owner and the name in MX are signed in lower case. */
    struct dns_rrset rrset = RRSET(DNS_TYPE_MX, 1,
                                   "\0\x14\0\x0a\x04MAIL\x07"
                                   "eXample\x03"
                                   "com\0");
    rrset.ttl = 3600;
    const struct sign_times then = {1438207200, 1440021600};
    assert_int_equal(signer_sign(signer, key, &owner, &rrset, &then, &rrsig), SG_OK);
    assert_int_equal(base64_decode(span_of_text(published[2].signature), &signature), SG_OK);
    assert_int_equal(rrsig.length, FIXED + key->zone.length + signature.length);
    assert_memory_equal(rrsig.bytes + FIXED + key->zone.length, signature.bytes, signature.length);
    buffer_free(&rrsig);
    buffer_free(&signature);
    signing_key_free(key);
    signer_free(signer);
}

static void an_algorithm_signs_and_verifies(void **state)
{
    const struct algorithm_case *c = *state;
    struct signing_key *key = make_key(c->algorithm, c->bits, "example.");
    struct signer *signer = signer_new();
    struct dns_name owner = name_of("www.example.");
    struct dns_rrset rrset = RRSET(DNS_TYPE_A, 2, "\0\x04\xc0\0\2\1\0\x04\xc0\0\2\2");

    for (int round = 0; round < 3; round++) {
        struct buffer rrsig = BUFFER_EMPTY;
        assert_int_equal(signer_sign(signer, key, &owner, &rrset, &times, &rrsig), SG_OK);
        assert_int_equal(rrsig.length, FIXED + key->zone.length + c->signature_bytes);
        assert_int_equal(
            signer_verify(signer, key->dnskey, &owner, &rrset, buffer_span(&rrsig), NOW), SG_OK);
        rrsig.bytes[rrsig.length - 1] ^= 1;
        assert_int_equal(
            signer_verify(signer, key->dnskey, &owner, &rrset, buffer_span(&rrsig), NOW),
            SG_BAD_SIG);
        buffer_free(&rrsig);
    }
    signing_key_free(key);
    signer_free(signer);
}

struct bench {
    struct signer *signer;
    struct signing_key *key;
    struct buffer rrsig;
};

static struct bench signed_rrset(const char *owner_text, const struct dns_rrset *rrset)
{
    struct bench bench = {signer_new(), make_key(DNSSEC_ECDSAP256SHA256, 0, "example."),
                          BUFFER_EMPTY};
    struct dns_name owner = name_of(owner_text);
    assert_int_equal(signer_sign(bench.signer, bench.key, &owner, rrset, &times, &bench.rrsig),
                     SG_OK);
    return bench;
}

static enum sg_result verify_at(struct bench *bench, const char *owner_text,
                                const struct dns_rrset *rrset, sg_time now)
{
    struct dns_name owner = name_of(owner_text);
    return signer_verify(bench->signer, bench->key->dnskey, &owner, rrset,
                         buffer_span(&bench->rrsig), now);
}

static void bench_clear(struct bench *bench)
{
    buffer_free(&bench->rrsig);
    signing_key_free(bench->key);
    signer_free(bench->signer);
}

static void a_wildcard_signature_covers_what_is_expanded_from_it(void **state)
{
    (void)state;
    struct dns_rrset rrset = RRSET(DNS_TYPE_A, 1, "\0\x04\xc0\0\2\1");
    struct bench bench = signed_rrset("*.w.example.", &rrset);
    assert_int_equal(bench.rrsig.bytes[3], 2); /* RFC 4034 3.1.3: the asterisk does not count */
    assert_int_equal(verify_at(&bench, "*.w.example.", &rrset, NOW), SG_OK);
    assert_int_equal(verify_at(&bench, "A.b.W.example.", &rrset, NOW), SG_OK);
    assert_int_equal(verify_at(&bench, "a.v.example.", &rrset, NOW), SG_BAD_SIG);
    assert_int_equal(verify_at(&bench, "w.example.", &rrset, NOW), SG_BAD_SIG);
    bench_clear(&bench);
}

static void a_signature_is_good_from_inception_to_expiration(void **state)
{
    (void)state;
    struct dns_rrset rrset = RRSET(DNS_TYPE_A, 1, "\0\x04\xc0\0\2\1");
    struct bench bench = signed_rrset("www.example.", &rrset);
    assert_int_equal(verify_at(&bench, "www.example.", &rrset, NOW - 3601), SG_BAD_TIME);
    assert_int_equal(verify_at(&bench, "www.example.", &rrset, NOW - 3600), SG_OK);
    assert_int_equal(verify_at(&bench, "www.example.", &rrset, NOW + 86400), SG_OK);
    assert_int_equal(verify_at(&bench, "www.example.", &rrset, NOW + 86401), SG_BAD_TIME);
    bench_clear(&bench);
}

static void a_signature_of_something_else_is_refused(void **state)
{
    (void)state;
    struct dns_rrset rrset = RRSET(DNS_TYPE_A, 1, "\0\x04\xc0\0\2\1");
    struct dns_rrset txt = RRSET(DNS_TYPE_TXT, 1,
                                 "\0\x04\x03"
                                 "abc");
    struct bench bench = signed_rrset("www.example.", &rrset);
    assert_int_equal(verify_at(&bench, "www.example.", &txt, NOW), SG_BAD_SIG);
    assert_int_equal(verify_at(&bench, "www.elsewhere.", &rrset, NOW), SG_BAD_SIG);
    for (size_t length = 0; length < bench.rrsig.length; length++) {
        struct dns_name owner = name_of("www.example.");
        assert_int_not_equal(signer_verify(bench.signer, bench.key->dnskey, &owner, &rrset,
                                           (struct span){bench.rrsig.bytes, length}, NOW),
                             SG_OK);
    }
    /* A key that is not for zones (RFC 4034 2.1.1). */
    ((uint8_t *)bench.key->dnskey.bytes)[0] = 0;
    assert_int_equal(verify_at(&bench, "www.example.", &rrset, NOW), SG_BAD_SIG);
    bench_clear(&bench);
}

static void a_key_without_its_secret_does_not_sign(void **state)
{
    (void)state;
    struct dns_rrset rrset = RRSET(DNS_TYPE_A, 1, "\0\x04\xc0\0\2\1");
    struct bench bench = signed_rrset("www.example.", &rrset);
    struct dns_name owner = name_of("www.example.");
    size_t before = bench.rrsig.length;
    key_secret_unref(bench.key->secret);
    bench.key->secret = NULL;
    assert_int_equal(signer_sign(bench.signer, bench.key, &owner, &rrset, &times, &bench.rrsig),
                     SG_BAD_KEY);
    assert_int_equal(bench.rrsig.length, before);
    bench_clear(&bench);
}

static void more_keys_than_a_signer_keeps_sign_all_the_same(void **state)
{
    (void)state;
    struct signing_key *keys[100];
    struct signer *signer = signer_new();
    struct dns_name owner = name_of("www.example.");
    struct dns_rrset rrset = RRSET(DNS_TYPE_A, 1, "\0\x04\xc0\0\2\1");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        keys[i] = make_key(DNSSEC_ED25519, 0, "example.");
    }
    for (size_t i = 0; i < 3 * ARRAY_LEN(keys); i++) {
        struct buffer rrsig = BUFFER_EMPTY;
        const struct signing_key *key = keys[(i * 37) % ARRAY_LEN(keys)];
        assert_int_equal(signer_sign(signer, key, &owner, &rrset, &times, &rrsig), SG_OK);
        assert_int_equal(
            signer_verify(signer, key->dnskey, &owner, &rrset, buffer_span(&rrsig), NOW), SG_OK);
        buffer_free(&rrsig);
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        signing_key_free(keys[i]);
    }
    signer_free(signer);
}

static void the_largest_rrset_is_signed(void **state)
{
    (void)state;
    enum { COUNT = 65535, BYTES = 6 };
    uint8_t *packed = mem_alloc((size_t)COUNT * BYTES);
    for (uint32_t i = 0; i < COUNT; i++) {
        wire_put_u16(packed + i * BYTES, 4);
        wire_put_u32(packed + i * BYTES + 2, i);
    }
    struct dns_rrset rrset =
        rrset_of(DNS_TYPE_A, (const char *)packed, (size_t)COUNT * BYTES, COUNT);
    struct bench bench = signed_rrset("www.example.", &rrset);
    assert_int_equal(verify_at(&bench, "www.example.", &rrset, NOW), SG_OK);
    bench_clear(&bench);
    mem_free(packed);
}

static void *sign_in_thread(void *argument)
{
    struct signer *signer = signer_of_thread();
    struct dns_name owner = name_of("www.example.");
    struct dns_rrset rrset = RRSET(DNS_TYPE_A, 1, "\0\x04\xc0\0\2\1");
    struct buffer rrsig = BUFFER_EMPTY;
    assert_int_equal(signer_sign(signer, argument, &owner, &rrset, &times, &rrsig), SG_OK);
    buffer_free(&rrsig);
    return signer_of_thread() == signer ? signer : NULL;
}

static void each_thread_has_a_signer_of_its_own(void **state)
{
    (void)state;
    struct signing_key *key = make_key(DNSSEC_ECDSAP256SHA256, 0, "example.");
    pthread_t threads[2];
    void *signers[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, sign_in_thread, key), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &signers[i]);
        assert_non_null(signers[i]);
    }
    signing_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_gives_the_very_bytes_of_rfc_8080),
        cmocka_unit_test(a_wildcard_signature_covers_what_is_expanded_from_it),
        cmocka_unit_test(a_signature_is_good_from_inception_to_expiration),
        cmocka_unit_test(a_signature_of_something_else_is_refused),
        cmocka_unit_test(a_key_without_its_secret_does_not_sign),
        cmocka_unit_test(more_keys_than_a_signer_keeps_sign_all_the_same),
        cmocka_unit_test(the_largest_rrset_is_signed),
        cmocka_unit_test(each_thread_has_a_signer_of_its_own),
    };
    return RUN_TABLE(published, a_published_signature_verifies_and_nothing_else) +
           RUN_TABLE(algorithms, an_algorithm_signs_and_verifies) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
