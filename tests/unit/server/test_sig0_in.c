#include "dnssec/sig0.h"
#include "fixture.h"
#include "server/sig0_in.h"

struct sig0_vector {
    const char *name;
    struct span key, message;
};
#include "../dnssec/sig0_vectors.inc"

#define CONF "zone example { type primary; file \"x\"; allow-update { any; }; };\n"

struct scene {
    struct desk *desk;
    struct dns_message message;
    struct sig0 sig0;
    struct sig0_allowance allowance;
};

static const struct sig0_vector *vector(void)
{
    return &sig0_vectors[3];
}

/* An update of "example." signed by "host.example.", asked of a desk with that zone. */
static void open_scene(struct scene *scene)
{
    *scene = (struct scene){.desk = desk_open(CONF)};
    assert_int_equal(dns_message_parse(vector()->message, &scene->message), SG_OK);
    assert_int_equal(sig0_parse(&scene->message, &scene->sig0), SG_OK);
}

/* What stands in the zone from now on, besides. */
static void put(struct scene *scene, const char *owner, uint16_t type, struct span rdata)
{
    struct zone_slot *slot = &scene->desk->slots[0];
    struct dns_name name = desk_name(owner);
    struct zone_edit *edit = zone_edit_open(slot->version);
    const struct zone_version *version;
    uint32_t ttl;
    assert_int_equal(zone_edit_add_record(edit, &name, type, 60, rdata, &ttl), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    zone_version_unref(slot->version);
    slot->version = version;
}

static enum sg_result verify(struct scene *scene, sg_time after_inception)
{
    struct zone_slot *slots[] = {&scene->desk->slots[0]};
    struct zone_table *table;
    char text[DNS_NAME_TEXT_BYTES];
    size_t duplicate;
    assert_int_equal(zone_table_new(slots, 1, &table, &duplicate), SG_OK);
    const struct front_view view = {.table = table};
    const struct request request = {.view = &view, .message = &scene->message};
    assert_string_equal(dns_name_to_text(&scene->sig0.signer, text), "host.example.");
    enum sg_result result =
        sig0_in_verify(&request, &scene->sig0, (sg_time)scene->sig0.inception + after_inception,
                       &scene->allowance);
    zone_table_free(table);
    return result;
}

static void the_key_is_found_in_the_zone(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene);
    assert_int_equal(verify(&scene, 1), SG_BAD_KEY); /* no such name */
    put(&scene, "host.example", DNS_TYPE_TXT, (struct span){(const uint8_t *)"\1x", 2});
    assert_int_equal(verify(&scene, 1), SG_BAD_KEY); /* a name without KEY */
    put(&scene, "host.example", DNS_TYPE_KEY, vector()->key);
    assert_int_equal(verify(&scene, 1), SG_OK);
    assert_int_equal(verify(&scene, -1), SG_BAD_TIME);
    desk_close(scene.desk);
}

static void a_key_at_or_below_a_delegation_is_not_ours(void **state)
{
    (void)state;
    static const char *const cuts[] = {"host.example", "example"};
    struct scene scene;
    for (size_t i = 0; i < 2; i++) {
        struct dns_name target = desk_name("ns.elsewhere");
        open_scene(&scene);
        put(&scene, "host.example", DNS_TYPE_KEY, vector()->key);
        put(&scene, cuts[i], DNS_TYPE_NS, (struct span){target.wire, target.length});
        /* The apex's NS is no cut. */
        assert_int_equal(verify(&scene, 1), i == 0 ? SG_BAD_KEY : SG_OK);
        desk_close(scene.desk);
    }
}

static void a_zone_that_is_not_loaded_has_no_keys(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene);
    zone_version_unref(scene.desk->slots[0].version);
    scene.desk->slots[0].version = NULL;
    assert_int_equal(verify(&scene, 1), SG_BAD_KEY);
    desk_close(scene.desk);
}

static void verifications_are_counted_by_the_second(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene);
    assert_int_equal(verify(&scene, 1), SG_BAD_KEY); /* costs nothing */
    put(&scene, "host.example", DNS_TYPE_KEY, vector()->key);
    for (unsigned i = 0; i < SIG0_VERIFICATIONS_PER_SECOND_MAX; i++) {
        assert_int_equal(verify(&scene, 1), SG_OK);
    }
    assert_int_equal(verify(&scene, 1), SG_LIMIT);
    assert_int_equal(verify(&scene, 2), SG_OK);
    desk_close(scene.desk);
}

static void only_signatures_are_counted(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene);
    put(&scene, "host.example", DNS_TYPE_KEY, vector()->key);
    const struct sig0 good = scene.sig0;
    assert_int_equal(verify(&scene, -1), SG_BAD_TIME);
    scene.sig0.key_tag ^= 1;
    assert_int_equal(verify(&scene, 1), SG_BAD_KEY);
    scene.sig0 = good;
    scene.sig0.algorithm = 1;
    assert_int_equal(verify(&scene, 1), SG_UNSUPPORTED);
    scene.sig0 = good;
    scene.sig0.signature.length--;
    assert_int_equal(verify(&scene, 1), SG_BAD_SIG);
    assert_int_equal(scene.allowance.spent, 0);
    scene.sig0 = good;
    assert_int_equal(verify(&scene, 1), SG_OK);
    assert_int_equal(scene.allowance.spent, 1);
    desk_close(scene.desk);
}

/* Whoever has signed it: nobody may. */
static void who_may_not_do_it_is_not_verified(void **state)
{
    static const struct {
        const char *conf;
        uint16_t rcode;
    } rows[] = {
        {"zone example { type primary; file \"x\"; allow-update { 192.0.2.99; }; };\n",
         DNS_RCODE_REFUSED},
        {"zone other { type primary; file \"x\"; allow-update { any; }; };\n", DNS_RCODE_NOTAUTH},
        {"zone example { type primary; file \"x\"; update-policy { grant a.b zonesub ANY; }; };\n",
         DNS_RCODE_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct desk *desk = desk_open(rows[i].conf);
        desk_ask(desk, vector()->message.bytes, vector()->message.length);
        assert_int_equal(desk_rcode(desk), rows[i].rcode);
        assert_false(desk_logged(desk, "request has invalid signature: SIG(0): "));
        assert_false(desk_logged(desk, "/key host.example"));
        assert_true(desk_logged(desk, "/claimed key host.example (example): update"));
        desk_close(desk);
    }
}

/* The vectors are old: through the whole desk they are refused, and the log tells why. */
static void a_request_that_does_not_verify_is_not_heard(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene);
    desk_ask(scene.desk, vector()->message.bytes, vector()->message.length);
    assert_int_equal(desk_rcode(scene.desk), DNS_RCODE_NOTAUTH);
    assert_true(desk_logged(scene.desk, "request has invalid signature: SIG(0): "));
    assert_false(desk_logged(scene.desk, "key host.example"));
    desk_close(scene.desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_found_in_the_zone),
        cmocka_unit_test(a_key_at_or_below_a_delegation_is_not_ours),
        cmocka_unit_test(a_zone_that_is_not_loaded_has_no_keys),
        cmocka_unit_test(verifications_are_counted_by_the_second),
        cmocka_unit_test(only_signatures_are_counted),
        cmocka_unit_test(who_may_not_do_it_is_not_verified),
        cmocka_unit_test(a_request_that_does_not_verify_is_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
