#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/key.h"
#include "dnssec/sig0.h"
#include "support/table.h"

struct sig0_vector {
    const char *name;
    struct span key, message;
};
#include "sig0_vectors.inc"

enum { MESSAGE_BYTES_MAX = 2000 };

/* A message and its SIG(0), parsed from bytes of its own, which a test may change. */
struct scene {
    uint8_t *wire;
    struct dns_message message;
    struct sig0 sig0;
    struct buffer keys;
    struct dns_rrset rrset;
};

static void add_key(struct scene *scene, struct span key)
{
    buffer_append_u16(&scene->keys, (uint16_t)key.length);
    buffer_append(&scene->keys, key.bytes, key.length);
    scene->rrset.packed = scene->keys.bytes;
    scene->rrset.bytes = (uint32_t)scene->keys.length;
    scene->rrset.count++;
}

static void parse(struct scene *scene, size_t length)
{
    struct span wire = {scene->wire, length};
    assert_int_equal(dns_message_parse(wire, &scene->message), SG_OK);
    assert_int_equal(sig0_parse(&scene->message, &scene->sig0), SG_OK);
}

static void open_scene(struct scene *scene, const struct sig0_vector *vector)
{
    *scene = (struct scene){.rrset = {.type = DNS_TYPE_KEY, .ttl = 60}};
    scene->wire = mem_copy(vector->message.bytes, vector->message.length);
    parse(scene, vector->message.length);
}

static void close_scene(struct scene *scene)
{
    buffer_free(&scene->keys);
    mem_free(scene->wire);
}

static sg_time then(const struct scene *scene)
{
    return (sg_time)scene->sig0.inception + 1;
}

static enum sg_result verify(const struct scene *scene)
{
    return sig0_verify(&scene->message, &scene->sig0, &scene->rrset, then(scene));
}

static bool is_old(const struct sig0_vector *vector)
{
    return strcmp(vector->name, "RSASHA1") == 0;
}

static void what_nsupdate_signs_verifies(void **state)
{
    const struct sig0_vector *vector = *state;
    struct scene scene;
    char signer[DNS_NAME_TEXT_BYTES];
    open_scene(&scene, vector);
    assert_string_equal(dns_name_to_text(&scene.sig0.signer, signer), "host.example.");
    assert_int_equal(dnskey_tag(vector->key), scene.sig0.key_tag);
    add_key(&scene, vector->key);
    assert_int_equal(verify(&scene), is_old(vector) ? SG_UNSUPPORTED : SG_OK);
    close_scene(&scene);
}

/* Of what is signed, and of the signature. */
static void a_byte_that_changed_is_found(void **state)
{
    const struct sig0_vector *vector = *state;
    struct scene scene;
    open_scene(&scene, vector);
    add_key(&scene, vector->key);
    for (size_t at = 0; at < vector->message.length && !is_old(vector); at += 7) {
        struct dns_message message;
        struct sig0 sig0;
        scene.wire[at] ^= 1;
        if (dns_message_parse((struct span){scene.wire, vector->message.length}, &message) ==
                SG_OK &&
            sig0_parse(&message, &sig0) == SG_OK) {
            bool is_owner = at >= message.sig0_offset && at < message.sig0_offset + 9;
            enum sg_result result = sig0_verify(&message, &sig0, &scene.rrset, then(&scene));
            assert_true(is_owner || result != SG_OK);
        }
        scene.wire[at] ^= 1;
    }
    close_scene(&scene);
}

static const struct sig0_vector *example(void)
{
    return &sig0_vectors[3];
}

static void another_key_does_not_do(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene, example());
    assert_int_equal(verify(&scene), SG_BAD_KEY); /* no key at all */
    add_key(&scene, sig0_vectors[4].key);
    assert_int_equal(verify(&scene), SG_BAD_KEY); /* another algorithm and tag */
    add_key(&scene, example()->key);
    assert_int_equal(verify(&scene), SG_OK);
    close_scene(&scene);
}

/* RFC 2535 3.1.2: a key may be published and not authenticate. */
static void a_key_that_may_not_authenticate_does_not(void **state)
{
    (void)state;
    static const struct {
        uint16_t flags;
        uint8_t protocol;
        enum sg_result result;
    } cases[] = {
        {0x0200, 3, SG_OK},      {0x0000, 3, SG_OK},      {0x0200, 255, SG_OK},
        {0x8200, 3, SG_BAD_KEY}, {0xc200, 3, SG_BAD_KEY}, {0x0200, 1, SG_BAD_KEY},
        {0x4200, 3, SG_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;
        open_scene(&scene, example());
        uint8_t *key = mem_copy(example()->key.bytes, example()->key.length);
        wire_put_u16(key, cases[i].flags);
        key[2] = cases[i].protocol;
        struct span changed = {key, example()->key.length};
        scene.sig0.key_tag = dnskey_tag(changed); /* it is not what decides here */
        add_key(&scene, changed);
        enum sg_result result = verify(&scene);
        assert_int_equal(result, cases[i].result);
        mem_free(key);
        close_scene(&scene);
    }
}

static void it_holds_from_inception_to_expiration(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene, example());
    add_key(&scene, example()->key);
    const struct {
        sg_time now;
        enum sg_result result;
    } cases[] = {
        {(sg_time)scene.sig0.inception - 1, SG_BAD_TIME},
        {scene.sig0.inception, SG_OK},
        {scene.sig0.expiration, SG_OK},
        {(sg_time)scene.sig0.expiration + 1, SG_BAD_TIME},
        {(sg_time)scene.sig0.inception + (INT64_C(1) << 32), SG_OK}, /* RFC 1982 */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(sig0_verify(&scene.message, &scene.sig0, &scene.rrset, cases[i].now),
                         cases[i].result);
    }
    close_scene(&scene);
}

/* Keys of one tag are easily made: no more than a few are tried. */
static void few_signatures_are_verified_for_one_message(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene, example());
    uint8_t *key = mem_copy(example()->key.bytes, example()->key.length);
    key[10] ^= 1; /* two bytes of the same weight: the tag stays, the key is another */
    key[12] ^= 1;
    if (dnskey_tag((struct span){key, example()->key.length}) != scene.sig0.key_tag) {
        key[12] ^= 1;
        key[10] ^= 1;
        uint8_t swap = key[10];
        key[10] = key[12];
        key[12] = swap;
    }
    struct span other = {key, example()->key.length};
    assert_int_equal(dnskey_tag(other), scene.sig0.key_tag);
    add_key(&scene, other);
    assert_int_equal(verify(&scene), SG_BAD_SIG);
    scene.rrset.count = 1;
    add_key(&scene, example()->key);
    assert_int_equal(verify(&scene), SG_OK);
    buffer_clear(&scene.keys);
    scene.rrset.count = 0;
    for (unsigned i = 0; i < SIG0_VERIFICATIONS_MAX; i++) {
        add_key(&scene, other);
    }
    add_key(&scene, example()->key);
    assert_int_equal(verify(&scene), SG_BAD_SIG);
    mem_free(key);
    close_scene(&scene);
}

static void a_broken_sig_is_malformed(void **state)
{
    (void)state;
    uint8_t wire[MESSAGE_BYTES_MAX];
    struct dns_message message;
    struct sig0 sig0;
    size_t length = example()->message.length;
    memcpy(wire, example()->message.bytes, length);
    assert_int_equal(dns_message_parse((struct span){wire, length}, &message), SG_OK);
    size_t rdata = message.sig0_offset + 11;
    size_t signature = rdata + 18 + 14;
    for (size_t cut = rdata + 2; cut <= signature; cut++) {
        wire_put_u16(wire + rdata - 2, (uint16_t)(cut - rdata));
        assert_int_equal(dns_message_parse((struct span){wire, cut}, &message), SG_OK);
        assert_int_equal(sig0_parse(&message, &sig0), SG_MALFORMED);
    }
    memcpy(wire, example()->message.bytes, length);
    wire_put_u16(wire + rdata + 18, 0xc00c); /* a compressed signer */
    assert_int_equal(dns_message_parse((struct span){wire, length}, &message), SG_OK);
    assert_int_equal(sig0_parse(&message, &sig0), SG_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_key_does_not_do),
        cmocka_unit_test(a_key_that_may_not_authenticate_does_not),
        cmocka_unit_test(it_holds_from_inception_to_expiration),
        cmocka_unit_test(few_signatures_are_verified_for_one_message),
        cmocka_unit_test(a_broken_sig_is_malformed),
    };
    int failed = RUN_TABLE(sig0_vectors, what_nsupdate_signs_verifies);
    failed += RUN_TABLE(sig0_vectors, a_byte_that_changed_is_found);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
