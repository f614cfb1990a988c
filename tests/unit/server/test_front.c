#include "fixture.h"

#define VIEWS                                                                                      \
    DESK_KEY                                                                                       \
    "view keyed { match-clients { key k; }; zone example { type primary; file \"a\"; }; };\n"      \
    "view inside { match-clients { 127.0.0.0/8; }; match-destinations { 127.0.0.1; };\n"           \
    "  zone example { type primary; file \"b\"; }; };\n"                                           \
    "view elsewhere { match-destinations { 127.0.0.2; };\n"                                        \
    "  zone example { type primary; file \"c\"; }; };\n"                                           \
    "view recursive { match-recursive-only yes; zone example { type primary; file \"d\"; }; };\n"  \
    "view rest { zone example { type primary; file \"e\"; }; };\n"

/* clang-format off */
static const struct row {
    const char *name, *client, *local;
    bool key, recursive;
    uint16_t rrclass;
    const char *view; /* NULL: none */
} rows[] = {
    {"a key goes first",                       "127.0.0.1", "127.0.0.1", true,  false, 1, "keyed"},
    {"a client by its address",                "127.0.0.1", "127.0.0.1", false, false, 1, "inside"},
    {"clients and destinations must match",    "127.0.0.1", "127.0.0.2", false, false, 1, "elsewhere"},
    {"destinations alone",                     "192.0.2.1", "127.0.0.2", false, false, 1, "elsewhere"},
    {"who wants recursion",                    "192.0.2.1", "127.0.0.3", false, true,  1, "recursive"},
    {"all others",                             "192.0.2.1", "127.0.0.3", false, false, 1, "rest"},
    {"IPv6 clients",                           "::1",       "::1",       false, false, 1, "rest"},
    {"class CH has a view that is built in",   "127.0.0.1", "127.0.0.1", false, false, 3, "_bind"},
    {"class HS has none",                      "127.0.0.1", "127.0.0.1", false, false, 4, NULL},
};
/* clang-format on */

static void a_client_gets_its_view(void **state)
{
    const struct row *row = *state;
    struct desk *desk = mem_alloc_zero(1, sizeof(*desk));
    struct net_address client;
    struct net_address local;

    desk->conf = desk_conf(VIEWS);
    struct front *front = desk_front(desk, desk->conf);
    assert_int_equal(net_address_from_text(row->client, 5300, &client), SG_OK);
    assert_int_equal(net_address_from_text(row->local, 53, &local), SG_OK);
    const struct front_client who = {&client, &local, row->key ? desk->conf->keys[0] : NULL,
                                     row->rrclass, row->recursive};
    const struct front_view *view = front_view_find(front, &who);
    if (row->view == NULL) {
        assert_null(view);
    } else {
        assert_non_null(view);
        assert_string_equal(view->conf->name, row->view);
    }
    assert_true(front->shows_view);
    assert_false(front->takes_all);
    front_free(front);
    for (size_t i = 0; i < desk->slots_count; i++) {
        zone_version_unref(desk->slots[i].version);
    }
    epoch_barrier();
    conf_free(desk->conf);
    mem_free(desk);
}

static void a_lone_view_takes_all_without_matching(void **state)
{
    struct conf *conf = desk_conf("options { server-id \"x\"; };");
    const struct front_zones none = {NULL, 0};
    struct front *front;

    (void)state;
    assert_int_equal(front_new(conf, &none, &front), SG_OK);
    assert_true(front->takes_all);
    assert_false(front->shows_view);
    assert_string_equal(front->server_id.bytes, "x");
    front_free(front);
    epoch_barrier();
    conf_free(conf);
}

static void two_zones_of_one_name_are_refused(void **state)
{
    struct conf *conf = desk_conf("options { };");
    struct zone_slot slots[2] = {{.apex = desk_name("example"), .rrclass = 1},
                                 {.apex = desk_name("example"), .rrclass = 1}};
    struct zone_slot *list[] = {&slots[0], &slots[1]};
    const struct front_zones zones = {list, 2};
    struct front *front = NULL;

    (void)state;
    assert_int_equal(front_new(conf, &zones, &front), SG_EXISTS);
    assert_null(front);
    front_free(NULL);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_view_takes_all_without_matching),
        cmocka_unit_test(two_zones_of_one_name_are_refused),
    };
    int failed = RUN_TABLE(rows, a_client_gets_its_view);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
