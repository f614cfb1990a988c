#include "conf/load.h"
#include "support/table.h"

#define LIMIT(text) "options { rate-limit { " text " }; };"

static const struct text_case cases[] = {
    {"a server", KEY_K "server 192.0.2.1 { keys k; request-ixfr no; bogus yes; transfers 7; };",
     false, NULL},
    {"a key in braces", KEY_K "server 192.0.2.1 { keys { k; }; };", false, NULL},
    {"a format", "server 192.0.2.1 { transfer-format one-answer; };", false,
     "'transfer-format' has no effect in Signet: many answers go into each message"},
    {"two keys", KEY_K "server ::1 { keys { k; k; }; };", true, "a server has exactly one key"},
    {"a key that is none", "server ::1 { keys nosuch; };", true, "key 'nosuch' is not defined"},
    {"a name", "server ns.example { };", true, "expected an address or prefix"},
    {"a server that comes twice", "server 10/8 { }; server 10.0.0.0/8 { };", true,
     "server '10.0.0.0/8' is given twice"},
    {"a rate", LIMIT("responses-per-second 10; exempt-clients { localhost; };"), false,
     "not in effect yet in this version: rate-limit"},
    {"a rate that is too large", LIMIT("responses-per-second 1001;"), true,
     "expected a number from 0 to 1000"},
    {"tables turned around", LIMIT("min-table-size 100; max-table-size 10;"), true,
     "min-table-size is larger than max-table-size"},
};

static void servers_stand_by_the_longest_prefix(void **state)
{
    (void)state;
    struct conf *conf = load(KEY_K "server 10/8 { tcp-only yes; };"
                                   "server 10.1.2.3 { keys k; request-ixfr no; bogus yes; "
                                   "transfers 7; max-udp-size 1400; };"
                                   "server 10.1/16 { transfer-source 192.0.2.9; };");
    const struct conf_view *view = conf->views[0];

    assert_int_equal(view->peers_count, 3);
    assert_int_equal(view->peers[0].prefix_length, 32);
    assert_ptr_equal(view->peers[0].key, conf->keys[0]);
    assert_int_equal(view->peers[0].request_ixfr, 0);
    assert_int_equal(view->peers[0].tcp_only, -1);
    assert_true(view->peers[0].bogus);
    assert_int_equal(view->peers[0].transfers, 7);
    assert_int_equal(view->peers[0].max_udp_size, 1400);
    assert_int_equal(view->peers[1].transfers, 0);
    assert_int_equal(view->peers[1].prefix_length, 16);
    assert_true(view->peers[1].transfer_source.has_v4);
    assert_int_equal(view->peers[2].tcp_only, 1);
    conf_free(conf);
}

static void a_view_answers_ixfr_unless_it_says_no(void **state)
{
    (void)state;
    struct conf *conf =
        load("options { provide-ixfr no; }; view a { }; view b { provide-ixfr yes; };");

    assert_false(conf->views[0]->provide_ixfr);
    assert_true(conf->views[1]->provide_ixfr);
    conf_free(conf);
    conf = load("");
    assert_true(conf->views[0]->provide_ixfr);
    conf_free(conf);
}

static const struct conf_peer *peer_of(const struct conf *conf, const char *text)
{
    struct net_address address;
    assert_int_equal(net_address_from_text(text, 53, &address), SG_OK);
    return conf_peer_find(conf->views[0], &address);
}

static void an_address_has_the_longest_prefix_that_covers_it(void **state)
{
    (void)state;
    struct conf *conf = load("server 10/8 { }; server 10.1.2.3 { }; server 10.1.128/17 { };"
                             "server 2001:db8::/33 { }; server ::1 { };");
    assert_int_equal(peer_of(conf, "10.1.2.3")->prefix_length, 32);
    assert_int_equal(peer_of(conf, "10.1.2.4")->prefix_length, 8);
    assert_int_equal(peer_of(conf, "10.1.128.0")->prefix_length, 17);
    assert_int_equal(peer_of(conf, "10.1.255.255")->prefix_length, 17);
    assert_int_equal(peer_of(conf, "10.1.127.255")->prefix_length, 8);
    assert_null(peer_of(conf, "11.0.0.0"));
    assert_int_equal(peer_of(conf, "2001:db8:7fff::1")->prefix_length, 33);
    assert_null(peer_of(conf, "2001:db8:8000::1"));
    assert_int_equal(peer_of(conf, "::1")->prefix_length, 128);
    assert_null(peer_of(conf, "::2"));
    assert_int_equal(peer_of(conf, "::ffff:10.1.2.3")->prefix_length, 32); /* as it arrives */
    conf_free(conf);
}

static void a_view_has_its_servers_or_those_of_all(void **state)
{
    (void)state;
    struct conf *conf =
        load("server ::1 { }; server ::2 { }; view a { }; view b { server ::3 { }; };");

    assert_int_equal(conf->views[0]->peers_count, 2);
    assert_int_equal(conf->views[1]->peers_count, 1);
    conf_free(conf);
}

static void rates_follow_the_rate_of_responses(void **state)
{
    (void)state;
    struct conf *conf = load(LIMIT("responses-per-second 10; nxdomains-per-second 3; slip 0;"));
    const struct conf_rate_limit *limit = conf->views[0]->rate_limit;

    assert_int_equal(limit->responses_per_second, 10);
    assert_int_equal(limit->referrals_per_second, 10);
    assert_int_equal(limit->nodata_per_second, 10);
    assert_int_equal(limit->errors_per_second, 10);
    assert_int_equal(limit->nxdomains_per_second, 3);
    assert_int_equal(limit->all_per_second, 0);
    assert_int_equal(limit->window_seconds, 15);
    assert_int_equal(limit->slip, 0);
    assert_int_equal(limit->ipv4_prefix_length, 24);
    assert_int_equal(limit->ipv6_prefix_length, 56);
    conf_free(conf);
    conf = load("");
    assert_null(conf->views[0]->rate_limit);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_stand_by_the_longest_prefix),
        cmocka_unit_test(a_view_answers_ixfr_unless_it_says_no),
        cmocka_unit_test(an_address_has_the_longest_prefix_that_covers_it),
        cmocka_unit_test(a_view_has_its_servers_or_those_of_all),
        cmocka_unit_test(rates_follow_the_rate_of_responses),
    };
    return RUN_TABLE(cases, says_what_it_should) | cmocka_run_group_tests(tests, NULL, NULL);
}
