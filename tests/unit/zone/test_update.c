#include "base/random.h"
#include "update_scene.h"

/*
 * Whole messages, many of them. Each step of an update has a file of its own with its rows.
 */

/* The zone section was looked at by whoever calls; it is not trusted all the same. */
static void a_zone_section_of_another_zone_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        uint16_t type, rrclass, rcode;
    } sections[] = {
        {"f.", DNS_TYPE_SOA, DNS_CLASS_IN, DNS_RCODE_NOTAUTH},
        {"e.", DNS_TYPE_SOA, DNS_CLASS_CH, DNS_RCODE_NOTAUTH},
        {"e.", DNS_TYPE_NS, DNS_CLASS_IN, DNS_RCODE_FORMERR},
        {"E.", DNS_TYPE_SOA, DNS_CLASS_IN, DNS_RCODE_NOERROR},
    };
    struct scene *scene = scene_open(false);
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        struct zone_update_options options = {0};
        struct zone_update_outcome outcome;
        scene_start_message(scene);
        struct dns_name name = scene_name(scene, sections[i].zone);
        memcpy(scene->wire + DNS_HEADER_BYTES, name.wire, name.length);
        wire_put_u16(scene->wire + DNS_HEADER_BYTES + name.length, sections[i].type);
        wire_put_u16(scene->wire + DNS_HEADER_BYTES + name.length + 2, sections[i].rrclass);
        assert_int_equal(scene_send(scene, &options, &outcome), SG_OK);
        assert_int_equal(outcome.rcode, sections[i].rcode);
    }
    scene_close(scene);
}

static void many_updates_in_one_message(void **state)
{
    (void)state;
    enum { UPDATES = 2000 };
    struct scene *scene = scene_open(true);
    struct zone_update_options options = {.is_signed = true};
    struct zone_update_outcome outcome;
    scene_start_message(scene);
    for (unsigned i = 0; i < UPDATES; i++) {
        char line[100];
        snprintf(line, sizeof(line), "u IN n%u 60 A 192.0.2.%u", i / 2, i % 256);
        scene_add_line(scene, line);
    }
    assert_int_equal(scene_send(scene, &options, &outcome), SG_OK);
    assert_int_equal(outcome.rcode, DNS_RCODE_NOERROR);
    assert_int_equal(outcome.changes, UPDATES / 2);
    assert_int_equal(scene_send(scene, &options, &outcome), SG_OK);
    assert_int_equal(outcome.changes, 0);
    scene_close(scene);
}

/* ---- random messages ---- */

enum { ROUNDS = 3000, LINES_MAX = 6 };

static void random_line(struct random_seeded *random, char section, char *out_line)
{
    static const char *const owners[] = {"@",   "www", "alias", "old", "sub",  "ns.sub",
                                         "cut", "new", "*.w",   "x",   "deep", "www.f."};
    static const char *const classes[] = {"IN", "IN", "IN", "ANY", "NONE", "CH"};
    static const struct {
        const char *type, *rdata;
    } contents[] = {
        {"A", "192.0.2.80"},
        {"A", "192.0.2.7"},
        {"TXT", "x"},
        {"CNAME", "www"},
        {"NS", "ns1"},
        {"NS", "ns.f."},
        {"DS", "1 13 9 00"},
        {"DNAME", "new"},
        {"SOA", "ns1 host 30 2 3 4 5"},
        {"DNSKEY", "256 3 14 AAAA"},
        {"DNSKEY", "257 3 13 BBBB"},
        {"CDS", "7 14 9 00"},
        {"MX", "10 www"},
        {"NSEC3PARAM", "1 0 1 -"},
    };
    const char *owner = owners[random_seeded_below(random, 12)];
    const char *rrclass = classes[random_seeded_below(random, 6)];
    unsigned content = random_seeded_below(random, sizeof(contents) / sizeof(contents[0]));
    bool any = strcmp(rrclass, "ANY") == 0 || (strcmp(rrclass, "NONE") == 0 && section == 'p');
    bool all = any && random_seeded_below(random, 3) == 0;
    unsigned ttl = section == 'p' || strcmp(rrclass, "IN") != 0 ? 0 : 300;
    sprintf(out_line, "%c %s %s %u %s %s", section, rrclass, owner, ttl,
            all ? "ANY" : contents[content].type, any ? "" : contents[content].rdata);
}

static void random_message(struct scene *scene, struct random_seeded *random)
{
    char line[200];
    scene_start_message(scene);
    if (random_seeded_below(random, 4) == 0) {
        random_line(random, 'p', line);
        scene_add_line(scene, line);
    }
    for (unsigned left = random_seeded_below(random, LINES_MAX); left > 0; left--) {
        random_line(random, 'u', line);
        scene_add_line(scene, line);
    }
}

/* What the apex must keep, and no CNAME beside other data. */
static void check_zone(struct scene *scene)
{
    const struct zone_version *draft = zone_edit_draft(scene->edit);
    struct zone_cursor cursor;
    struct dns_rrset rrset;
    const struct zone_node *apex;
    struct zone_node node;
    assert_true(zone_version_node(draft, &scene->apex, &node));
    apex = &node;
    assert_true(zone_node_rrset(apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_SOA, &rrset));
    assert_int_equal(rrset.count, 1);
    assert_true(zone_node_rrset(apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_NS, &rrset));
    zone_cursor_start(&cursor, draft);
    while (zone_cursor_next(&cursor)) {
        struct zone_rrset_walk walk = zone_node_walk_layer(&cursor.node, ZONE_SOURCE);
        unsigned types = 0;
        while (zone_node_walk_next(&walk)) {
            types++;
        }
        assert_true((cursor.node.flags & ZONE_NODE_CNAME) == 0 || types == 1);
        if ((cursor.node.flags & ZONE_NODE_DS) != 0) {
            assert_true(zone_node_is_cut(&cursor.node));
        }
    }
}

static void random_updates_leave_a_zone_that_can_be_served(void **state)
{
    (void)state;
    struct random_seeded random = {2136};
    struct scene *scene = scene_open(true);
    unsigned done = 0, refused = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct zone_update_options options = {.is_signed = true,
                                              .check_names = CHECK_FAIL,
                                              .records_per_type_max = 3,
                                              .types_per_name_max = 4};
        struct zone_update_outcome outcome;
        char *before = scene_dump(scene);
        random_message(scene, &random);
        assert_int_equal(scene_send(scene, &options, &outcome), SG_OK);
        char *after = scene_dump(scene);
        if (outcome.rcode != DNS_RCODE_NOERROR || outcome.changes == 0) {
            assert_string_equal(before, after);
        } else {
            assert_string_not_equal(before, after);
        }
        done += outcome.changes > 0;
        refused += outcome.rcode != DNS_RCODE_NOERROR;
        check_zone(scene);
        mem_free(before);
        mem_free(after);
        if (round % 100 == 99) {
            const struct zone_version *version;
            assert_int_equal(zone_edit_seal(scene->edit, &version), SG_OK);
            scene->edit = zone_edit_open(version);
            zone_version_unref(version);
            epoch_reclaim();
        }
    }
    assert_true(done > ROUNDS / 10 && refused > ROUNDS / 10);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_section_of_another_zone_is_refused),
        cmocka_unit_test(many_updates_in_one_message),
        cmocka_unit_test(random_updates_leave_a_zone_that_can_be_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
