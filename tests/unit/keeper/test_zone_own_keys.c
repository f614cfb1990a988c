#include "keeper/keeper_scene.h"
#include "support/heard_log.h"

/* Signed, with a key of its own; the caller frees what is listed. */
static void sign(struct keeper_scene *scene, struct key_list *out_keys)
{
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_write_file(scene, 10, false);
    scene_configure(scene);
    assert_int_equal(keystore_list(scene->folder, &scene->plan[0].apex, NULL, NULL, out_keys),
                     SG_OK);
    assert_int_equal(out_keys->count, 1);
}

static void append_generic(struct buffer *text, const char *type, struct span rdata)
{
    buffer_format(text, "@ %s \\# %zu ", type, rdata.length);
    for (size_t i = 0; i < rdata.length; i++) {
        buffer_format(text, "%02x", rdata.bytes[i]);
    }
    buffer_format(text, "\n");
}

static void append_cds(struct buffer *text, const struct signing_key *key, uint8_t digest_type)
{
    struct buffer rdata = BUFFER_EMPTY;
    assert_int_equal(signing_key_ds(key, digest_type, &rdata), SG_OK);
    append_generic(text, "CDS", buffer_span(&rdata));
    buffer_free(&rdata);
}

/* As the scene's file, with that at the apex; loaded. */
static void load(struct keeper_scene *scene, const char *added)
{
    int outcome = -1;
    char *text = mem_format("$TTL 60\n@ SOA ns1 host 11 3600 600 86400 60\n@ NS ns1\n"
                            "ns1 A 192.0.2.1\n%s",
                            added);
    assert_int_equal(file_write(scene->file, 0644, span_of_text(text)), SG_OK);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    mem_free(text);
}

static unsigned count(struct keeper_scene *scene, enum zone_view view, uint16_t type)
{
    struct dns_rrset rrset;
    const struct zone_version *version = scene_zone(scene)->slot->version;
    return zone_node_rrset(zone_version_apex_node(version), view, type, &rrset) ? rrset.count : 0;
}

static void records_of_our_keys_are_no_part_of_the_source(void **state)
{
    struct keeper_scene *scene = *state;
    struct key_list keys;
    struct buffer text = BUFFER_EMPTY;
    sign(scene, &keys);
    unsigned cds = count(scene, ZONE_VIEW_SIGNED, DNS_TYPE_CDS);
    append_generic(&text, "DNSKEY", keys.keys[0]->dnskey);
    append_generic(&text, "CDNSKEY", keys.keys[0]->dnskey);
    append_cds(&text, keys.keys[0], 2);
    append_cds(&text, keys.keys[0], 4);
    heard_log_begin();
    load(scene, buffer_text(&text));
    assert_true(heard_log_has("4 DNSKEY, CDS and CDNSKEY records of its own keys"));
    heard_log_end();
    assert_int_equal(count(scene, ZONE_VIEW_UNSIGNED, DNS_TYPE_DNSKEY), 0);
    assert_int_equal(count(scene, ZONE_VIEW_UNSIGNED, DNS_TYPE_CDS), 0);
    assert_int_equal(count(scene, ZONE_VIEW_UNSIGNED, DNS_TYPE_CDNSKEY), 0);
    assert_int_equal(count(scene, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY), 1);
    assert_int_equal(count(scene, ZONE_VIEW_SIGNED, DNS_TYPE_CDS), cds);

    /* What was left out makes no change of its own. */
    uint32_t serial = scene_serial(scene);
    load(scene, buffer_text(&text));
    assert_int_equal(scene_serial(scene), serial);
    buffer_free(&text);
    key_list_clear(&keys);
}

static void other_peoples_keys_stay(void **state)
{
    struct keeper_scene *scene = *state;
    struct key_list keys;
    sign(scene, &keys);
    unsigned cds = count(scene, ZONE_VIEW_SIGNED, DNS_TYPE_CDS);
    struct signing_key *other = signing_key_copy(keys.keys[0]);
    struct buffer text = BUFFER_EMPTY;
    uint8_t *bytes = (uint8_t *)other->dnskey.bytes;
    bytes[other->dnskey.length - 1] ^= 1;
    other->tag = dnskey_tag(other->dnskey);
    append_generic(&text, "DNSKEY", keys.keys[0]->dnskey);
    append_generic(&text, "DNSKEY", other->dnskey);
    append_cds(&text, other, 2);
    load(scene, buffer_text(&text));
    assert_int_equal(count(scene, ZONE_VIEW_UNSIGNED, DNS_TYPE_DNSKEY), 1);
    assert_int_equal(count(scene, ZONE_VIEW_UNSIGNED, DNS_TYPE_CDS), 1);
    assert_int_equal(count(scene, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY), 2);
    assert_int_equal(count(scene, ZONE_VIEW_SIGNED, DNS_TYPE_CDS), cds + 1);
    buffer_free(&text);
    signing_key_free(other);
    key_list_clear(&keys);
}

static void delete_is_the_policys_to_say(void **state)
{
    struct keeper_scene *scene = *state;
    struct key_list keys;
    sign(scene, &keys);
    load(scene, "@ CDS 0 0 0 00\n@ CDNSKEY 0 3 0 AA==\n");
    assert_int_equal(count(scene, ZONE_VIEW_UNSIGNED, DNS_TYPE_CDS), 0);
    assert_int_equal(count(scene, ZONE_VIEW_UNSIGNED, DNS_TYPE_CDNSKEY), 0);
    key_list_clear(&keys);
}

/* With a record that would be added, were all the rest in order. */
static int update_apex(struct keeper_scene *scene, uint16_t type, uint16_t rrclass,
                       struct span rdata)
{
    static const uint8_t address[] = {192, 0, 2, 9};
    int rcode;
    struct scene_update *update = scene_update_new(scene, 0, 0, 2);
    scene_append_rr(update, "beside", DNS_TYPE_A, 1, 60, (struct span){address, sizeof(address)});
    scene_append_rr(update, "", type, rrclass, rrclass == 1 ? 60 : 0, rdata);
    scene_send_update(scene, 0, update, &rcode);
    scene_turn(scene);
    return rcode;
}

static void an_update_that_adds_a_record_of_our_keys_is_refused_as_a_whole(void **state)
{
    static const uint8_t delete_cds[] = {0, 0, 0, 0, 0}, delete_cdnskey[] = {0, 0, 3, 0, 0};
    struct keeper_scene *scene = *state;
    struct key_list keys;
    scene->plan[0].dynamic = true;
    sign(scene, &keys);
    struct span dnskey = keys.keys[0]->dnskey;
    struct buffer cds = BUFFER_EMPTY, other = BUFFER_EMPTY;
    assert_int_equal(signing_key_ds(keys.keys[0], 2, &cds), SG_OK);
    buffer_append(&other, dnskey.bytes, dnskey.length);
    other.bytes[0] ^= 1; /* the ZONE bit: the same key under other flags */
    uint32_t serial = scene_serial(scene);
    const struct {
        uint16_t type;
        struct span rdata;
        const char *log;
    } rows[] = {
        {DNS_TYPE_DNSKEY, dnskey, "example.test/DNSKEY: of a key of ours"},
        {DNS_TYPE_CDNSKEY, dnskey, "example.test/CDNSKEY: of a key of ours"},
        {DNS_TYPE_CDS, buffer_span(&cds), "example.test/CDS: of a key of ours"},
        {DNS_TYPE_DNSKEY, buffer_span(&other), "example.test/DNSKEY: of a key of ours"},
        {DNS_TYPE_CDS, {delete_cds, sizeof(delete_cds)}, "/CDS: of a key of ours, or asks for no"},
        {DNS_TYPE_CDNSKEY, {delete_cdnskey, sizeof(delete_cdnskey)}, "or asks for no DS"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        heard_log_begin();
        assert_int_equal(update_apex(scene, rows[i].type, 1, rows[i].rdata), DNS_RCODE_REFUSED);
        assert_true(heard_log_has("update unsuccessful"));
        assert_true(heard_log_has(rows[i].log));
        heard_log_end();
        assert_int_equal(scene_serial(scene), serial);
    }
    /* RFC 2136 3.4.2.4: what is not in the source is not there to be deleted; all else is done. */
    assert_int_equal(update_apex(scene, DNS_TYPE_DNSKEY, DNS_CLASS_NONE, dnskey),
                     DNS_RCODE_NOERROR);
    assert_int_equal(count(scene, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY), 1);
    assert_int_not_equal(scene_serial(scene), serial);
    buffer_free(&other);
    buffer_free(&cds);
    key_list_clear(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_of_our_keys_are_no_part_of_the_source, scene_begin,
                                        scene_end),
        cmocka_unit_test_setup_teardown(other_peoples_keys_stay, scene_begin, scene_end),
        cmocka_unit_test_setup_teardown(
            an_update_that_adds_a_record_of_our_keys_is_refused_as_a_whole, scene_begin, scene_end),
        cmocka_unit_test_setup_teardown(delete_is_the_policys_to_say, scene_begin, scene_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
