#include "keeper/keeper_scene.h"
#include "support/heard_log.h"

#define CNAMES  "CNAME and other data, or several CNAMEs, at "
#define DNSKEYS "of keys that are not ours"

static const uint8_t address[4] = {192, 0, 2, 7};
static const uint8_t root[1] = {0};

/* What a transfer brings beside SOA and NS. */
struct odd {
    struct buffer records;
    uint16_t count;
};

static void add(struct odd *odd, const char *label, uint16_t type, struct span rdata)
{
    size_t length = strlen(label);
    if (length > 0) {
        buffer_append_u8(&odd->records, (uint8_t)length);
        buffer_append(&odd->records, label, length);
    }
    scene_append_record(&odd->records, type, rdata);
    odd->count++;
}

static void add_cname_and_address(struct odd *odd, const char *label)
{
    add(odd, label, DNS_TYPE_CNAME, (struct span){root, 1});
    add(odd, label, DNS_TYPE_A, (struct span){address, 4});
}

static void add_dnskey(struct odd *odd, uint8_t last)
{
    const uint8_t dnskey[] = {1, 1, 3, 13, 1, 2, 3, last};
    add(odd, "", DNS_TYPE_DNSKEY, (struct span){dnskey, sizeof(dnskey)});
}

/* All of `odd` is forgotten. `before` 0: the whole zone, else what was added since. */
static void answer(struct keeper_scene *scene, uint32_t before, uint32_t serial, struct odd *odd)
{
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    struct buffer message = BUFFER_EMPTY;
    assert_non_null(question);
    scene_reply(question, (uint16_t)(odd->count + (before == 0 ? 3 : 4)), &message);
    scene_append_soa(&message, serial);
    if (before == 0) {
        scene_append_record(&message, DNS_TYPE_NS, (struct span){root, 1});
    } else {
        scene_append_soa(&message, before);
        scene_append_soa(&message, serial);
    }
    buffer_append(&message, odd->records.bytes, odd->records.length);
    scene_append_soa(&message, serial);
    scene_hear(question, SG_OK, buffer_span(&message));
    scene_turn(scene);
    buffer_free(&message);
    buffer_free(&odd->records);
    *odd = (struct odd){BUFFER_EMPTY, 0};
}

static void begin(struct keeper_scene *scene, bool is_signed)
{
    if (is_signed) {
        scene->plan[0].policy = scene->policy;
        scene->plan[0].inline_signing = true;
    }
    scene->primary.request_ixfr = true;
    scene_be_secondary(scene);
    scene_configure(scene);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
}

static void ask(struct keeper_scene *scene, uint32_t serial)
{
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, serial);
    scene_turn(scene);
    heard_log_begin();
}

static void a_cname_beside_other_data_is_said_once_a_transfer(void **state)
{
    struct keeper_scene *scene = *state;
    struct odd odd = {BUFFER_EMPTY, 0};
    begin(scene, false);
    heard_log_begin();
    add_cname_and_address(&odd, "b");
    add_cname_and_address(&odd, "a");
    add(&odd, "c", DNS_TYPE_CNAME, (struct span){root, 1});
    answer(scene, 0, 5, &odd);
    assert_int_equal(scene_status(scene).facts->source_serial, 5);
    assert_int_equal(heard_log_count(CNAMES), 1);
    assert_true(heard_log_has("zoneload warning: "));
    assert_true(heard_log_has(CNAMES "2 names, 'a.example.test' first"));
    heard_log_end();

    /* Differences bring what was not so before. */
    ask(scene, 6);
    add(&odd, "c", DNS_TYPE_A, (struct span){address, 4});
    add(&odd, "d", DNS_TYPE_A, (struct span){address, 4});
    add(&odd, "a", DNS_TYPE_NS, (struct span){root, 1});
    answer(scene, 5, 6, &odd);
    assert_int_equal(scene_status(scene).facts->source_serial, 6);
    assert_true(heard_log_has(CNAMES "1 name, 'c.example.test' first"));
    heard_log_end();

    ask(scene, 7);
    add(&odd, "e", DNS_TYPE_A, (struct span){address, 4});
    answer(scene, 6, 7, &odd);
    assert_int_equal(scene_status(scene).facts->source_serial, 7);
    assert_int_equal(heard_log_count(CNAMES), 0);
    heard_log_end();
}

static void several_cnames_are_said_as_well(void **state)
{
    static const uint8_t other[] = {1, 'x', 0};
    struct keeper_scene *scene = *state;
    struct odd odd = {BUFFER_EMPTY, 0};
    begin(scene, false);
    heard_log_begin();
    add(&odd, "a", DNS_TYPE_CNAME, (struct span){root, 1});
    add(&odd, "a", DNS_TYPE_CNAME, (struct span){other, sizeof(other)});
    answer(scene, 0, 5, &odd);
    assert_true(heard_log_has(CNAMES "1 name, 'a.example.test' first"));
    heard_log_end();
}

static void dnskeys_of_others_are_said_where_we_sign(void **state)
{
    struct keeper_scene *scene = *state;
    struct odd odd = {BUFFER_EMPTY, 0};
    begin(scene, true);
    heard_log_begin();
    add_dnskey(&odd, 1);
    add_dnskey(&odd, 2);
    answer(scene, 0, 5, &odd);
    assert_true(scene_status(scene).secure);
    assert_int_equal(heard_log_count(DNSKEYS), 1);
    assert_true(heard_log_has("2 DNSKEY records " DNSKEYS ", of key "));
    heard_log_end();

    ask(scene, 6);
    add(&odd, "d", DNS_TYPE_A, (struct span){address, 4});
    answer(scene, 5, 6, &odd);
    assert_int_equal(scene_status(scene).facts->source_serial, 6);
    assert_int_equal(heard_log_count(DNSKEYS), 0);
    heard_log_end();

    ask(scene, 7);
    add_dnskey(&odd, 3);
    answer(scene, 6, 7, &odd);
    assert_int_equal(scene_status(scene).facts->source_serial, 7);
    assert_true(heard_log_has("1 DNSKEY record " DNSKEYS));
    heard_log_end();
}

static void a_zone_that_others_sign_has_its_keys(void **state)
{
    struct keeper_scene *scene = *state;
    struct odd odd = {BUFFER_EMPTY, 0};
    begin(scene, false);
    heard_log_begin();
    add_dnskey(&odd, 1);
    answer(scene, 0, 5, &odd);
    assert_int_equal(scene_status(scene).facts->source_serial, 5);
    assert_int_equal(heard_log_count(DNSKEYS), 0);
    heard_log_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cname_beside_other_data_is_said_once_a_transfer,
                                        scene_begin, scene_end),
        cmocka_unit_test_setup_teardown(several_cnames_are_said_as_well, scene_begin, scene_end),
        cmocka_unit_test_setup_teardown(dnskeys_of_others_are_said_where_we_sign, scene_begin,
                                        scene_end),
        cmocka_unit_test_setup_teardown(a_zone_that_others_sign_has_its_keys, scene_begin,
                                        scene_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
