#include <ldns/ldns.h>

#include "base/encoding.h"
#include "base/random.h"
#include "dns/nsec3_hash.h"
#include "support/table.h"

/* RFC 5155 appendix A: salt aabbccdd, 12 iterations. */
static const struct hash_case {
    const char *name;
    const char *hash;
} cases[] = {
    {"example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
    {"a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
    {"ai.example.", "gjeqe526plbf1g8mklp59enfd789njgi"},
    {"NS1.Example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
    {"*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
    {"2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi"},
};

static void names_hash_as_in_rfc_5155(void **state)
{
    const struct hash_case *c = *state;
    static const struct nsec3_params params = {1, 0, 12, 4, {0xaa, 0xbb, 0xcc, 0xdd}};
    struct dns_name name;
    assert_int_equal(dns_name_from_text(c->name, strlen(c->name), NULL, &name), SG_OK);
    struct nsec3_hasher *hasher = nsec3_hasher_new();
    uint8_t hash[NSEC3_HASH_BYTES];
    char text[NSEC3_HASH_TEXT_BYTES + 1];
    for (int again = 0; again < 2; again++) { /* A hasher keeps nothing from the name before. */
        nsec3_hash(hasher, &params, name.wire, name.length, hash);
        text[base32hex_encode(hash, sizeof(hash), text)] = '\0';
        assert_string_equal(text, c->hash);
    }
    nsec3_hasher_free(hasher);
}

static void ldns_hashes_alike(void **state)
{
    (void)state;
    struct random_seeded random = {4};
    struct nsec3_hasher *hasher = nsec3_hasher_new();
    for (int i = 0; i < 500; i++) {
        struct nsec3_params params = {.algorithm = 1};
        params.iterations = (uint16_t)(random_seeded_below(&random, 4) * 5);
        params.salt_length = (uint8_t)random_seeded_below(&random, i % 10 == 0 ? 256 : 9);
        for (unsigned k = 0; k < params.salt_length; k++) {
            params.salt[k] = (uint8_t)random_seeded_u64(&random);
        }
        struct dns_name name = {.length = 1};
        unsigned labels = random_seeded_below(&random, 4);
        unsigned at = 0;
        for (unsigned label = 0; label < labels; label++) {
            unsigned length = 1 + random_seeded_below(&random, 63);
            name.wire[at++] = (uint8_t)length;
            for (unsigned k = 0; k < length; k++) {
                name.wire[at++] = (uint8_t)('A' + random_seeded_below(&random, 60));
            }
        }
        name.wire[at++] = 0;
        uint8_t hash[NSEC3_HASH_BYTES];
        nsec3_hash(hasher, &params, name.wire, at, hash);
        char text[NSEC3_HASH_TEXT_BYTES + 2];
        size_t length = base32hex_encode(hash, sizeof(hash), text);
        memcpy(text + length, ".", 2);

        ldns_rdf *theirs_name = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, at, name.wire);
        ldns_dname2canonical(theirs_name);
        ldns_rdf *theirs = ldns_nsec3_hash_name(theirs_name, 1, params.iterations,
                                                params.salt_length, params.salt);
        char *theirs_text = ldns_rdf2str(theirs);
        assert_string_equal(theirs_text, text);
        free(theirs_text);
        ldns_rdf_deep_free(theirs);
        ldns_rdf_deep_free(theirs_name);
    }
    nsec3_hasher_free(hasher);
}

static void parameters_are_read(void **state)
{
    (void)state;
    struct nsec3_params params;
    static const uint8_t rdata[] = {1, 1, 0, 10, 2, 0xaa, 0xbb, 99};
    assert_int_equal(nsec3_params_from_rdata((struct span){rdata, 7}, &params), SG_OK);
    assert_int_equal(params.iterations, 10);
    assert_int_equal(params.flags, 1);
    assert_int_equal(params.salt_length, 2);
    assert_memory_equal(params.salt, rdata + 5, 2);
    assert_int_equal(nsec3_params_from_rdata((struct span){rdata, 8}, &params), SG_OK);
    for (size_t length = 0; length < 7; length++) {
        assert_int_equal(nsec3_params_from_rdata((struct span){rdata, length}, &params),
                         SG_MALFORMED);
    }
    static const uint8_t other[] = {2, 0, 0, 0, 0};
    assert_int_equal(nsec3_params_from_rdata((struct span){other, 5}, &params), SG_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ldns_hashes_alike),
        cmocka_unit_test(parameters_are_read),
    };
    return RUN_TABLE(cases, names_hash_as_in_rfc_5155) + cmocka_run_group_tests(tests, NULL, NULL);
}
