#include "change_scene.h"
#include "dnssec/handover.h"
#include "dnssec/key.h"
#include "signing_bench.h"

static uint32_t draw(void *from, uint32_t bound)
{
    return random_seeded_below(from, bound);
}

struct hands {
    struct change_scene scene; /* a KSK and two ZSKs, all published; the first ZSK signs */
    struct random_seeded random;
};

static void begin(struct hands *hands)
{
    *hands = (struct hands){.random = {7}};
    change_init(&hands->scene, CHANGE_NSEC, draw, &hands->random);
    change_begin(&hands->scene, 10);
}

static enum handover choose(struct hands *hands, bool under_way)
{
    struct zone_edit *edit = zone_edit_open(hands->scene.version);
    enum handover chosen = handover_choose(hands->scene.version, zone_edit_draft(edit),
                                           &hands->scene.request, under_way);
    zone_edit_abandon(edit);
    return chosen;
}

/* The DNSKEY RRset without its `index`th RR, or with another in its place. */
static void replace_dnskey(struct hands *hands, unsigned index, const struct span *other,
                           struct buffer *bytes, struct dns_rrset *out_rrset)
{
    unsigned at = 0;
    *out_rrset = hands->scene.dnskey;
    out_rrset->count = 0;
    for (struct dns_rdata_cursor c = dns_rrset_walk(&hands->scene.dnskey); dns_rdata_next(&c);) {
        struct span rdata = at == index && other != NULL ? *other : c.rdata;
        if (at++ != index || other != NULL) {
            buffer_append_u16(bytes, (uint16_t)rdata.length);
            buffer_append(bytes, rdata.bytes, rdata.length);
            out_rrset->count++;
        }
    }
    out_rrset->packed = bytes->bytes;
    out_rrset->bytes = (uint32_t)bytes->length;
    hands->scene.request.apex = out_rrset;
}

/* Where the key is in the RRset. */
static unsigned place_of(struct hands *hands, const struct signing_key *key, struct span *out_rdata)
{
    unsigned at = 0;
    for (struct dns_rdata_cursor c = dns_rrset_walk(&hands->scene.dnskey); dns_rdata_next(&c);) {
        if (dnskey_tag(c.rdata) == key->tag) {
            *out_rdata = c.rdata;
            return at;
        }
        at++;
    }
    fail();
    return 0;
}

static void who_signs_already_hands_nothing_over(void **state)
{
    struct hands hands;
    (void)state;
    begin(&hands);
    assert_int_equal(choose(&hands, false), HANDOVER_NONE);
    assert_int_equal(choose(&hands, true), HANDOVER_NONE); /* the campaign goes on */
    change_clear(&hands.scene);
}

static void another_key_takes_over_in_turn(void **state)
{
    struct hands hands;
    (void)state;
    begin(&hands);
    change_use_keys(&hands.scene, 1, 1);
    assert_int_equal(choose(&hands, false), HANDOVER_CAMPAIGN);
    assert_int_equal(choose(&hands, true), HANDOVER_CAMPAIGN);
    change_use_keys(&hands.scene, 0, 2);
    assert_int_equal(choose(&hands, false), HANDOVER_CAMPAIGN);
    change_clear(&hands.scene);
}

/* Its signatures are in the zone as long as the campaign has not come round. */
static void a_key_does_not_leave_while_its_signatures_are_there(void **state)
{
    struct hands hands;
    struct buffer bytes = BUFFER_EMPTY;
    struct dns_rrset left;
    struct span rdata;
    (void)state;
    begin(&hands);
    replace_dnskey(&hands, place_of(&hands, hands.scene.keys[1], &rdata), NULL, &bytes, &left);
    change_use_keys(&hands.scene, 1, 1);
    assert_int_equal(choose(&hands, false), HANDOVER_WHOLE);
    assert_int_equal(choose(&hands, true), HANDOVER_WHOLE);
    buffer_clear(&bytes);
    /* A key that has not signed. */
    replace_dnskey(&hands, place_of(&hands, hands.scene.keys[2], &rdata), NULL, &bytes, &left);
    change_use_keys(&hands.scene, 0, 1);
    assert_int_equal(choose(&hands, false), HANDOVER_NONE);
    assert_int_equal(choose(&hands, true), HANDOVER_NONE);
    /* Nor has a key that signs other keys alone. */
    buffer_clear(&bytes);
    replace_dnskey(&hands, place_of(&hands, hands.scene.keys[0], &rdata), NULL, &bytes, &left);
    change_use_keys(&hands.scene, 1, 1);
    assert_int_equal(choose(&hands, false), HANDOVER_CAMPAIGN);
    assert_int_equal(choose(&hands, true), HANDOVER_CAMPAIGN);
    buffer_free(&bytes);
    change_clear(&hands.scene);
}

/* In mid campaign: the SOA has signatures by the second key alone, other names by the first one. */
static void a_key_whose_signatures_are_left_somewhere_does_not_leave(void **state)
{
    (void)state;
    for (enum change_denial denial = CHANGE_NSEC; denial < CHANGE_DENIALS; denial++) {
        struct hands hands = {.random = {7}};
        struct change_scene *scene = &hands.scene;
        const struct zone_version *next;
        struct buffer bytes = BUFFER_EMPTY;
        struct dns_rrset left;
        struct span rdata;
        struct dns_name owner;
        assert_int_equal(dns_name_from_text("n.example.", 10, NULL, &owner), SG_OK);
        change_init(scene, denial, draw, &hands.random);
        change_begin(scene, 0);
        for (unsigned key = 0; key < 2; key++) {
            struct zone_edit *edit = zone_edit_open(scene->version);
            if (key == 0) {
                change_put(edit, &owner, DNS_TYPE_A, (struct span){(const uint8_t *)"abcd", 4}, 60,
                           1);
            }
            change_use_keys(scene, key, 1);
            assert_int_equal(
                sign_change(edit, scene->version, &scene->request, NULL, &scene->report), SG_OK);
            assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
            zone_version_unref(scene->version);
            scene->version = next;
        }
        replace_dnskey(&hands, place_of(&hands, scene->keys[1], &rdata), NULL, &bytes, &left);
        assert_int_equal(choose(&hands, true), HANDOVER_WHOLE);
        buffer_free(&bytes);
        change_clear(scene);
    }
}

/* Whatever made it so, it must not have each change sign the whole zone. */
static void a_zone_without_dnskeys_loses_none(void **state)
{
    struct hands hands = {.random = {7}};
    (void)state;
    change_init(&hands.scene, CHANGE_NSEC, draw, &hands.random);
    hands.scene.request.apex_count = 0;
    change_begin(&hands.scene, 10);
    assert_int_equal(choose(&hands, false), HANDOVER_NONE);
    assert_int_equal(choose(&hands, true), HANDOVER_NONE);
    change_clear(&hands.scene);
}

/* Signatures cannot be told apart by algorithm and tag. */
static void two_keys_of_one_name_do_not_meet(void **state)
{
    struct hands hands;
    struct buffer bytes = BUFFER_EMPTY, twin = BUFFER_EMPTY;
    struct dns_rrset changed;
    struct span rdata, other;
    (void)state;
    begin(&hands);
    /* The sum that is the tag stays the same where two bytes of it are swapped (RFC 4034 B). */
    unsigned signer = place_of(&hands, hands.scene.keys[1], &rdata);
    buffer_append(&twin, rdata.bytes, rdata.length);
    size_t at = 4;
    while (twin.bytes[at] == twin.bytes[at + 2]) {
        at += 2;
    }
    uint8_t byte = twin.bytes[at];
    twin.bytes[at] = twin.bytes[at + 2];
    twin.bytes[at + 2] = byte;
    other = buffer_span(&twin);
    assert_int_equal(dnskey_tag(other), hands.scene.keys[1]->tag);
    replace_dnskey(&hands, signer, &other, &bytes, &changed);
    assert_int_equal(choose(&hands, false), HANDOVER_WHOLE); /* it was replaced */
    buffer_clear(&bytes);
    unsigned idle = place_of(&hands, hands.scene.keys[0], &rdata);
    replace_dnskey(&hands, idle, &other, &bytes, &changed);
    change_use_keys(&hands.scene, 1, 1);
    assert_int_equal(choose(&hands, false), HANDOVER_WHOLE); /* it stands beside it */
    buffer_free(&bytes);
    buffer_free(&twin);
    change_clear(&hands.scene);
}

static void another_algorithm_signs_the_whole_zone_at_once(void **state)
{
    struct hands hands;
    (void)state;
    begin(&hands);
    struct signing_key *other = signing_key_copy(hands.scene.keys[2]);
    change_use_keys(&hands.scene, 0, 2);
    other->algorithm ^= 1;
    hands.scene.sign_keys[2].key = other;
    assert_int_equal(choose(&hands, false), HANDOVER_WHOLE);
    change_use_keys(&hands.scene, 1, 1);
    hands.scene.sign_keys[1].key = other;
    assert_int_equal(choose(&hands, false), HANDOVER_WHOLE);
    signing_key_free(other);
    change_clear(&hands.scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_signs_already_hands_nothing_over),
        cmocka_unit_test(another_key_takes_over_in_turn),
        cmocka_unit_test(a_key_does_not_leave_while_its_signatures_are_there),
        cmocka_unit_test(a_key_whose_signatures_are_left_somewhere_does_not_leave),
        cmocka_unit_test(a_zone_without_dnskeys_loses_none),
        cmocka_unit_test(two_keys_of_one_name_do_not_meet),
        cmocka_unit_test(another_algorithm_signs_the_whole_zone_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
