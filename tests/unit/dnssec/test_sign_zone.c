#include "base/encoding.h"
#include "base/random.h"
#include "dns/nsec_bitmap.h"
#include "signing_bench.h"

enum { EXPIRATION_AT = 8, INCEPTION_AT = 12 };

static const char plain[] = "@ 300 IN SOA ns hostmaster 1 2 3 4 60\n"
                            "@ 300 IN NS ns\n"
                            "ns 300 IN A 192.0.2.1\n"
                            "sub 300 IN NS ns\n";

static struct zone_node node_at(const struct zone_version *version, const char *text)
{
    struct dns_name name;
    struct zone_node node;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    assert_true(zone_version_node(version, &name, &node));
    return node;
}

static struct dns_rrset rrset_at(const struct zone_node *node, uint16_t type)
{
    struct dns_rrset rrset;
    assert_true(zone_node_rrset(node, ZONE_VIEW_SIGNED, type, &rrset));
    return rrset;
}

static sg_time expiration_of(const struct zone_node *node, uint16_t type)
{
    struct dns_rrset signatures;
    assert_true(zone_node_signatures(node, ZONE_VIEW_SIGNED, type, &signatures));
    return wire_get_u32(dns_rrset_first(&signatures).bytes + EXPIRATION_AT);
}

static void signatures_live_as_long_as_the_policy_says(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "example.", "C13");
    const struct zone_version *version = bench_sign_text(&bench, plain);
    struct zone_node apex = node_at(version, "example."), ns = node_at(version, "ns.example.");
    struct dns_rrset signatures;
    sg_time end = bench.now + bench.policy.validity;

    assert_int_equal(expiration_of(&apex, DNS_TYPE_SOA), end);
    assert_int_equal(expiration_of(&apex, DNS_TYPE_DNSKEY),
                     bench.now + bench.policy.validity_dnskey);
    assert_in_range(expiration_of(&ns, DNS_TYPE_A), end - bench.policy.jitter, end - 1);
    assert_int_equal(expiration_of(&ns, DNS_TYPE_A), expiration_of(&ns, DNS_TYPE_NSEC));
    assert_true(zone_node_signatures(&ns, ZONE_VIEW_SIGNED, DNS_TYPE_A, &signatures));
    assert_int_equal(wire_get_u32(dns_rrset_first(&signatures).bytes + INCEPTION_AT),
                     bench.now - bench.policy.inception_offset);
    assert_int_equal(bench.report.expires_first, bench.now + bench.policy.validity_dnskey);
    assert_int_equal(bench.report.expires_type, DNS_TYPE_DNSKEY);
    assert_true(dns_name_equal(&bench.report.expires_owner, &bench.apex));
    zone_version_unref(version);
    bench_clear(&bench);
    epoch_barrier();
}

/* clang-format off */
static const struct jitter_case {
    const char *name;
    sg_duration validity, jitter, earliest;
} jitters[] = {
    {"two weeks, half a day of jitter",          14 * SG_DAY,  12 * SG_HOUR, 12 * SG_HOUR},
    {"no jitter",                                14 * SG_DAY,  0,            1},
    {"two hours have twenty minutes of jitter",  2 * SG_HOUR,  12 * SG_HOUR, 1200},
    {"half an hour has none",                    30 * SG_MINUTE, 12 * SG_HOUR, 1},
    {"jitter stays within the validity",         3 * SG_HOUR,  SG_DAY,       3 * SG_HOUR},
};
/* clang-format on */

static void jitter_is_bounded(void **state)
{
    const struct jitter_case *c = *state;
    struct bench bench;
    bench_init(&bench, "example.", "C15");
    bench.policy.validity = c->validity;
    bench.policy.jitter = c->jitter;
    for (int round = 0; round < 20; round++) {
        const struct zone_version *version = bench_sign_text(&bench, plain);
        struct zone_node ns = node_at(version, "ns.example.");
        assert_in_range(expiration_of(&ns, DNS_TYPE_A), bench.now + c->validity - c->earliest,
                        bench.now + c->validity - 1);
        zone_version_unref(version);
    }
    bench_clear(&bench);
    epoch_barrier();
}

static void the_two_views_have_their_own_serials(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "example.", "C15");
    const struct zone_version *version = bench_sign_text(&bench, plain);
    const struct zone_facts *facts = zone_version_facts(version);
    assert_int_equal(facts->serial, BENCH_SERIAL);
    assert_int_equal(facts->source_serial, 1);
    assert_int_equal(facts->denial, ZONE_DENIAL_NSEC);
    assert_true(facts->signed_here);
    zone_version_unref(version);
    bench_clear(&bench);
    epoch_barrier();
}

static void denial_lives_as_long_as_a_negative_answer(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "example.", "C15");
    const struct zone_version *version = bench_sign_text(&bench, plain);
    struct zone_node ns = node_at(version, "ns.example.");
    assert_int_equal(rrset_at(&ns, DNS_TYPE_NSEC).ttl, 60); /* RFC 9077: the minimum of the SOA */
    zone_version_unref(version);
    bench_clear(&bench);
    epoch_barrier();
}

static void keys_of_other_signers_are_published_beside_ours(void **state)
{
    (void)state;
    struct bench bench;
    struct buffer text = BUFFER_EMPTY;
    bench_init(&bench, "example.", "C15");
    buffer_append_text(&text, plain);
    buffer_append_text(&text,
                       "@ 60 IN DNSKEY 256 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n"
                       "@ 60 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n"
                       "@ 60 IN DNSKEY \\# 36 ");
    for (size_t i = 0; i < bench.keys[0]->dnskey.length; i++) { /* ours, once more */
        buffer_format(&text, "%02X", bench.keys[0]->dnskey.bytes[i]);
    }
    buffer_append_text(&text, "\n");
    const struct zone_version *version = bench_sign_text(&bench, buffer_text(&text));
    struct zone_node apex = node_at(version, "example.");
    struct dns_rrset joined = rrset_at(&apex, DNS_TYPE_DNSKEY);
    struct span previous = {NULL, 0};
    assert_int_equal(joined.count, 3);
    assert_int_equal(joined.ttl, 3600);
    for (struct dns_rdata_cursor c = dns_rrset_walk(&joined); dns_rdata_next(&c);) {
        assert_true(previous.bytes == NULL ||
                    dns_rdata_compare(DNS_TYPE_DNSKEY, previous, c.rdata) < 0);
        previous = c.rdata;
    }
    /* kzonecheck 3.2 wants a signature by every DNSKEY, whoever signed the zone. */
    bench_judge(&bench, version, false);
    zone_version_unref(version);
    buffer_free(&text);
    bench_clear(&bench);
    epoch_barrier();
}

static void signing_again_replaces_what_was_made_before(void **state)
{
    (void)state;
    struct bench bench;
    const struct zone_version *first, *second;
    bench_init(&bench, "example.", "C15");
    first = bench_sign_text(&bench, plain);
    struct zone_edit *edit = zone_edit_open(first);
    bench.policy.nsec3 = true;
    assert_int_equal(bench_sign(&bench, edit), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &second), SG_OK);

    struct zone_node ns = node_at(second, "ns.example.");
    struct dns_rrset rrset;
    assert_false(zone_node_rrset(&ns, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &rrset));
    ns = node_at(first, "ns.example.");
    assert_true(zone_node_rrset(&ns, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &rrset));
    assert_int_equal(zone_version_facts(second)->denial, ZONE_DENIAL_NSEC3);
    bench_judge(&bench, second, true);
    zone_version_unref(first);
    edit = zone_edit_open(second);
    bench.policy.nsec3 = false;
    assert_int_equal(bench_sign(&bench, edit), SG_OK);
    zone_version_unref(second);
    assert_int_equal(zone_edit_seal(edit, &second), SG_OK);
    bench_judge(&bench, second, true);
    zone_version_unref(second);
    bench_clear(&bench);
    epoch_barrier();
}

static void opt_out_leaves_insecure_delegations_out(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "example.", "C15");
    bench.policy.nsec3 = true;
    const struct zone_version *version = bench_sign_text(&bench, plain);
    uint64_t with = zone_version_facts(version)->records;
    assert_int_equal(bench.report.names, 3);
    assert_false(zone_version_facts(version)->opt_out);
    zone_version_unref(version);
    bench.policy.nsec3_params.flags = 1;
    version = bench_sign_text(&bench, plain);
    assert_int_equal(bench.report.names, 2);
    assert_true(zone_version_facts(version)->opt_out);
    assert_int_equal(zone_version_facts(version)->records, with - 2); /* NSEC3 and its RRSIG */
    zone_version_unref(version);
    bench_clear(&bench);
    epoch_barrier();
}

/* clang-format off */
static const struct refused_case {
    const char *name;
    const char *keys;
    bool nsec3;
    int without_secret; /* which key; -1: none */
    enum sg_result result;
} refused[] = {
    {"without any key",                      "",            false, -1, SG_BAD_KEY},
    {"without a key for the zone",           "K13",         false, -1, SG_BAD_KEY},
    {"without a key for the keys",           "Z13",         false, -1, SG_BAD_KEY},
    {"with a key whose secret is elsewhere", "K13 Z13",     false,  1, SG_BAD_KEY},
    {"with NSEC3 and a key that forbids it", "K5 Z5",       true,  -1, SG_CONFLICT},
};
/* clang-format on */

static void signing_is_refused(void **state)
{
    const struct refused_case *c = *state;
    struct bench bench;
    bench_init(&bench, "example.", c->keys);
    bench.policy.nsec3 = c->nsec3;
    if (c->without_secret >= 0) {
        struct signing_key *key = bench.keys[c->without_secret];
        key_secret_unref(key->secret);
        key->secret = NULL;
    }
    struct zone_edit *edit = bench_load(&bench, span_of_text(plain));
    assert_int_equal(bench_sign(&bench, edit), c->result);
    zone_edit_abandon(edit);
    bench_clear(&bench);
    epoch_barrier();
}

static void two_keys_with_one_tag_are_refused(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "example.", "C13 C13");
    bench.keys[1]->tag = bench.keys[0]->tag;
    struct zone_edit *edit = bench_load(&bench, span_of_text(plain));
    assert_int_equal(bench_sign(&bench, edit), SG_CONFLICT);
    zone_edit_abandon(edit);
    bench_clear(&bench);
    epoch_barrier();
}

static void a_zone_without_soa_is_refused(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "example.", "C15");
    struct zone_edit *edit = zone_edit_new(&bench.apex, DNS_CLASS_IN);
    uint32_t ttl;
    assert_int_equal(zone_edit_add_record(edit, &bench.apex, DNS_TYPE_NS, 300,
                                          (struct span){(const uint8_t *)"\1a", 3}, &ttl),
                     SG_OK);
    assert_int_equal(bench_sign(&bench, edit), SG_MALFORMED);
    zone_edit_abandon(edit);
    bench_clear(&bench);
    epoch_barrier();
}

static void a_key_that_fails_to_sign_fails_the_whole(void **state)
{
    (void)state;
    struct bench bench;
    struct buffer text = BUFFER_EMPTY;
    bench_init(&bench, "example.", "K15 Z13");
    buffer_append_text(&text, plain);
    for (int i = 0; i < 2000; i++) {
        buffer_format(&text, "n%d 300 IN A 192.0.2.1\n", i);
    }
    /* A public half that is no point of the curve: OpenSSL refuses the key. */
    memset((uint8_t *)bench.keys[1]->dnskey.bytes + 4, 1, 64);
    struct zone_edit *edit = bench_load(&bench, buffer_span(&text));
    assert_int_equal(bench_sign(&bench, edit), SG_CRYPTO);
    zone_edit_abandon(edit);
    buffer_free(&text);
    bench_clear(&bench);
    epoch_barrier();
}

/*
 * The model: every name of a random zone in a plain array, the rules of RFC 4035 2 by the letter.
 */
enum { MODEL_NAMES_MAX = 64, MODEL_TYPES = 5, MODEL_ROUNDS = 150 };
static const uint16_t model_types[MODEL_TYPES] = {DNS_TYPE_A, DNS_TYPE_NS, DNS_TYPE_TXT,
                                                  DNS_TYPE_DNAME, DNS_TYPE_DS};
static const char *const model_rdatas[MODEL_TYPES] = {
    "192.0.2.1", "ns", "\"x\"", "target.other.",
    "1 13 2 1111111111111111111111111111111111111111111111111111111111111111"};

struct model {
    struct {
        struct dns_name name;
        bool has[MODEL_TYPES];
    } names[MODEL_NAMES_MAX];
    size_t count;
};

static int compare_names(const void *a, const void *b)
{
    return dns_name_compare(a, b);
}

static void model_draw(struct model *model, struct random_seeded *random, struct buffer *text)
{
    *model = (struct model){.count = 0};
    buffer_clear(text);
    buffer_append_text(text, "@ 300 IN SOA ns hostmaster 1 2 3 4 60\n@ 300 IN NS ns\n");
    size_t wanted = 1 + random_seeded_below(random, MODEL_NAMES_MAX - 1);
    for (size_t i = 0; i < wanted; i++) {
        char owner[64] = "";
        unsigned labels = 1 + random_seeded_below(random, 4);
        for (unsigned l = 0; l < labels; l++) {
            static const char *const words[] = {"a.", "b.", "*.", "\\001."};
            strcat(owner, words[random_seeded_below(random, ARRAY_LEN(words))]);
        }
        strcat(owner, "example.");
        struct dns_name name;
        assert_int_equal(dns_name_from_text(owner, strlen(owner), NULL, &name), SG_OK);
        bool known = false;
        for (size_t k = 0; k < model->count; k++) {
            known = known || dns_name_equal(&model->names[k].name, &name);
        }
        if (known) {
            continue;
        }
        model->names[model->count].name = name;
        uint32_t mask = 1u << random_seeded_below(random, 3) | random_seeded_below(random, 32);
        for (unsigned t = 0; t < MODEL_TYPES; t++) {
            if ((mask >> t & 1) != 0 && !(t == 4 && (mask & 2) == 0)) {
                model->names[model->count].has[t] = true;
                buffer_format(text, "%s 300 IN %s %s\n", owner,
                              (const char *[]){"A", "NS", "TXT", "DNAME", "DS"}[t],
                              model_rdatas[t]);
            }
        }
        model->count++;
    }
    qsort(model->names, model->count, sizeof(model->names[0]), compare_names);
}

static bool model_is_occluded(const struct model *model, size_t index)
{
    const struct dns_name *name = &model->names[index].name;
    for (size_t i = 0; i < model->count; i++) {
        const struct dns_name *other = &model->names[i].name;
        bool cuts = model->names[i].has[1] || model->names[i].has[3];
        if (cuts && i != index && dns_name_is_at_or_below(name, other)) {
            return true;
        }
    }
    return false;
}

static void check_name(const struct model *model, size_t index, const struct zone_node *node,
                       const struct dns_name *next)
{
    const bool *has = model->names[index].has;
    bool cut = has[1];
    struct dns_rrset nsec, signatures;
    assert_true(zone_node_rrset(node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &nsec));
    struct span rdata = dns_rrset_first(&nsec);
    assert_true(dns_name_wire_equal(rdata.bytes, next->wire));
    struct span bitmap = {rdata.bytes + next->length, rdata.length - next->length};
    assert_true(nsec_bitmap_has(bitmap, DNS_TYPE_RRSIG) && nsec_bitmap_has(bitmap, DNS_TYPE_NSEC));
    assert_true(zone_node_signatures(node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &signatures));
    for (size_t t = 0; t < MODEL_TYPES; t++) {
        bool listed = has[t] && (!cut || t == 1 || t == 4);
        assert_int_equal(nsec_bitmap_has(bitmap, model_types[t]), listed);
        assert_int_equal(zone_node_signatures(node, ZONE_VIEW_SIGNED, model_types[t], &signatures),
                         listed && !(cut && t == 1));
    }
}

static void random_zones_have_the_chain_of_the_model(void **state)
{
    (void)state;
    struct random_seeded random = {20261122};
    struct buffer text = BUFFER_EMPTY;
    struct model model;
    struct bench bench;
    bench_init(&bench, "example.", "C15");
    for (int round = 0; round < MODEL_ROUNDS; round++) {
        model_draw(&model, &random, &text);
        const struct zone_version *version = bench_sign_text(&bench, buffer_text(&text));
        struct dns_name next = bench.apex;
        uint64_t names = 1;
        for (size_t i = model.count; i-- > 0;) {
            struct zone_node node;
            struct dns_rrset any;
            assert_true(zone_version_node(version, &model.names[i].name, &node));
            if (model_is_occluded(&model, i)) {
                assert_false(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &any));
                assert_null(node.generated);
                continue;
            }
            check_name(&model, i, &node, &next);
            next = model.names[i].name;
            names++;
        }
        assert_int_equal(bench.report.names, names);
        zone_version_unref(version);
    }
    buffer_free(&text);
    bench_clear(&bench);
    epoch_barrier();
}

/* Every NSEC3 points at the next one, and the last one at the first. */
static void check_circle(const struct zone_version *version, size_t count)
{
    struct zone_cursor cursor;
    uint8_t first[NSEC3_HASH_BYTES], expected[NSEC3_HASH_BYTES];
    size_t found = 0;
    zone_cursor_start_nsec3(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        struct buffer hash = BUFFER_EMPTY;
        struct span owner = zone_node_owner(&cursor.node);
        struct dns_rrset nsec3 = rrset_at(&cursor.node, DNS_TYPE_NSEC3);
        struct span rdata = dns_rrset_first(&nsec3);
        assert_int_equal(base32hex_decode((struct span){owner.bytes + 1, owner.length - 1}, &hash),
                         SG_OK);
        memcpy(found == 0 ? first : hash.bytes, hash.bytes, NSEC3_HASH_BYTES);
        if (found > 0) {
            assert_memory_equal(hash.bytes, expected, NSEC3_HASH_BYTES);
        }
        memcpy(expected, rdata.bytes + 6, NSEC3_HASH_BYTES);
        buffer_free(&hash);
        found++;
    }
    assert_int_equal(found, count);
    assert_memory_equal(expected, first, NSEC3_HASH_BYTES);
}

static void random_zones_have_a_closed_circle_of_hashes(void **state)
{
    (void)state;
    struct random_seeded random = {20261123};
    struct buffer text = BUFFER_EMPTY;
    struct model model;
    struct bench bench;
    bench_init(&bench, "example.", "C15");
    bench.policy.nsec3 = true;
    for (int round = 0; round < MODEL_ROUNDS; round++) {
        model_draw(&model, &random, &text);
        const struct zone_version *version = bench_sign_text(&bench, buffer_text(&text));
        /* Names and empty non-terminals, each ancestor once. */
        static struct dns_name all[MODEL_NAMES_MAX * 5];
        size_t count = 1;
        all[0] = bench.apex;
        for (size_t i = 0; i < model.count; i++) {
            const struct dns_name *name = &model.names[i].name;
            for (unsigned up = 0; up + 1 < name->labels && !model_is_occluded(&model, i); up++) {
                struct dns_name ancestor = dns_name_parent(name, up);
                bool known = false;
                for (size_t k = 0; k < count; k++) {
                    known = known || dns_name_equal(&all[k], &ancestor);
                }
                if (!known) {
                    all[count++] = ancestor;
                }
            }
        }
        check_circle(version, count);
        zone_version_unref(version);
    }
    buffer_free(&text);
    bench_clear(&bench);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_live_as_long_as_the_policy_says),
        cmocka_unit_test(the_two_views_have_their_own_serials),
        cmocka_unit_test(denial_lives_as_long_as_a_negative_answer),
        cmocka_unit_test(keys_of_other_signers_are_published_beside_ours),
        cmocka_unit_test(signing_again_replaces_what_was_made_before),
        cmocka_unit_test(opt_out_leaves_insecure_delegations_out),
        cmocka_unit_test(two_keys_with_one_tag_are_refused),
        cmocka_unit_test(a_zone_without_soa_is_refused),
        cmocka_unit_test(a_key_that_fails_to_sign_fails_the_whole),
        cmocka_unit_test(random_zones_have_the_chain_of_the_model),
        cmocka_unit_test(random_zones_have_a_closed_circle_of_hashes),
    };
    return RUN_TABLE(jitters, jitter_is_bounded) + RUN_TABLE(refused, signing_is_refused) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
