#include "fixture.h"
#include "server/system_resolvers.h"
#include "server/zone_peers.h"

#define SECONDARY                                                                                  \
    DESK_KEY "key l { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0c2VjcmV0\"; };\n"            \
             "server 192.0.2.2 { keys l; request-ixfr no; edns no; };\n"                           \
             "server 2001:db8::/32 { bogus yes; transfers 7; edns-udp-size 512; };\n"              \
             "zone example { type secondary; file \"x\"; notify explicit; "                        \
             "also-notify { 192.0.2.9 port 5353 key k; }; request-ixfr yes; "                      \
             "primaries { 192.0.2.1 key k; 192.0.2.2; 2001:db8::1 port 54; }; };\n"

static const struct system_resolvers no_system;

static bool key_is(const struct tsig_key *key, const char *name)
{
    char text[DNS_NAME_TEXT_BYTES];
    return key != NULL && strcmp(dns_name_to_text(&key->name, text), name) == 0;
}

static void whom_a_zone_asks_and_tells_is_what_its_options_say(void **state)
{
    (void)state;
    struct conf *conf = desk_conf(SECONDARY);
    const struct conf_zone *zone = conf->views[0]->zones[0];
    struct zone_peers *peers = zone_peers_new(zone->view, zone->options, &no_system);
    assert_true(peers->has_primaries);
    assert_int_equal(peers->refresh.primaries_count, 3);
    const struct refresh_primary *primaries = peers->refresh.primaries;
    assert_int_equal(primaries[0].remote.port, 53);
    assert_true(key_is(primaries[0].remote.key, "k."));
    assert_true(primaries[0].request_ixfr && primaries[0].edns);
    /* A `server` statement has the word where the list says nothing. */
    assert_true(key_is(primaries[1].remote.key, "l."));
    assert_false(primaries[1].request_ixfr || primaries[1].edns);
    assert_int_equal(primaries[2].remote.address_length, 16);
    assert_int_equal(primaries[2].remote.port, 54);
    assert_null(primaries[2].remote.key);
    assert_true(primaries[2].bogus && !primaries[1].bogus && !primaries[0].bogus);
    assert_int_equal(primaries[2].transfers, 7);
    assert_int_equal(primaries[2].edns_payload, 512);
    assert_int_equal(peers->notify.mode, NOTIFY_EXPLICIT);
    assert_int_equal(peers->notify.also_count, 1);
    assert_int_equal(peers->notify.also[0].port, 5353);
    assert_true(key_is(peers->notify.also[0].key, "k."));
    zone_peers_free(peers);
    conf_free(conf);
}

static void a_zone_without_primaries_has_none(void **state)
{
    (void)state;
    struct conf *conf = desk_conf("zone example { type primary; file \"x\"; };\n");
    const struct conf_zone *zone = conf->views[0]->zones[0];
    struct zone_peers *peers = zone_peers_new(zone->view, zone->options, &no_system);
    assert_false(peers->has_primaries);
    assert_int_equal(peers->notify.also_count, 0);
    zone_peers_free(peers);
    conf_free(conf);
}

static struct zone_peers *expect_watch(struct conf *conf, size_t zone,
                                       const struct system_resolvers *system,
                                       enum ds_watch_mode mode, size_t agents, size_t resolvers)
{
    const struct conf_zone *of = conf->views[0]->zones[zone];
    struct zone_peers *peers = zone_peers_new(of->view, of->options, system);
    assert_int_equal(peers->parent.mode, mode);
    assert_int_equal(peers->parent.agents_count, agents);
    assert_int_equal(peers->parent.lookup.resolvers_count, resolvers);
    return peers;
}

static void whom_to_ask_for_the_ds_is_what_its_options_say(void **state)
{
    (void)state;
    struct conf *conf =
        desk_conf(DESK_KEY "zone a { type primary; file \"a\"; };\n"
                           "zone b { type primary; file \"b\"; min-checkds-time 5; "
                           "parental-agents { 192.0.2.1 key k; 2001:db8::1 port 54; }; };\n"
                           "zone c { type primary; file \"c\"; checkds no; };\n"
                           "zone d { type primary; file \"d\"; "
                           "parent-resolvers port 5353 { 192.0.2.3; 192.0.2.4 key k; }; };\n");
    const struct system_resolvers system = {
        .resolvers = {{.address = {192, 0, 2, 53}, .address_length = 4, .port = 53}},
        .count = 1,
        .ipv4 = true,
    };
    struct zone_peers *a = expect_watch(conf, 0, &system, DS_WATCH_YES, 0, 1);
    assert_int_equal(a->parent.lookup.resolvers[0].address[3], 53);
    assert_true(a->parent.lookup.ipv4 && !a->parent.lookup.ipv6);
    assert_int_equal(a->parent.bounds.retry_max, 3600);
    zone_peers_free(a);
    struct zone_peers *b = expect_watch(conf, 1, &system, DS_WATCH_EXPLICIT, 2, 1);
    assert_true(key_is(b->parent.agents[0].key, "k."));
    assert_int_equal(b->parent.agents[1].port, 54);
    assert_non_null(b->parent.agents[1].origin); /* it may say a source */
    assert_int_equal(b->parent.bounds.retry_min, 5);
    zone_peers_free(b);
    zone_peers_free(expect_watch(conf, 2, &system, DS_WATCH_NO, 0, 1));
    struct zone_peers *d = expect_watch(conf, 3, &system, DS_WATCH_YES, 0, 2);
    assert_int_equal(d->parent.lookup.resolvers[0].port, 5353);
    assert_true(key_is(d->parent.lookup.resolvers[1].key, "k."));
    zone_peers_free(d);
    conf_free(conf);
}

static void whom_and_what_to_tell_is_what_its_options_say(void **state)
{
    (void)state;
    struct conf *conf =
        desk_conf(DESK_KEY "zone a { type primary; file \"a\"; };\n"
                           "zone b { type primary; file \"b\"; ds-push { 192.0.2.1 key k; }; "
                           "ds-command-records ds; "
                           "ds-submit-command \"/bin/tell  --all\ta \"; };\n");
    const struct conf_zone *a = conf->views[0]->zones[0], *b = conf->views[0]->zones[1];
    struct zone_peers *peers = zone_peers_new(a->view, a->options, &no_system);
    assert_false(peers->is_telling);
    zone_peers_free(peers);
    peers = zone_peers_new(b->view, b->options, &no_system);
    assert_true(peers->is_telling && peers->telling.ds_records);
    assert_int_equal(peers->telling.push_count, 1);
    assert_true(key_is(peers->telling.push[0].key, "k."));
    assert_null(peers->telling.retract);
    static const char *const words[] = {"/bin/tell", "--all", "a"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        assert_string_equal(peers->telling.submit[i], words[i]);
    }
    assert_null(peers->telling.submit[3]);
    zone_peers_free(peers);
    conf_free(conf);
}

static void addresses_go_there_and_back(void **state)
{
    static const char *const texts[] = {"192.0.2.1", "2001:db8::1", "fe80::1%lo"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct net_address address, again;
        struct remote remote;
        if (net_address_from_text(texts[i], 5300, &address) != SG_OK) {
            continue; /* no scopes here */
        }
        remote_of_address(&address, &remote);
        remote_address(&remote, &again);
        assert_true(net_address_equal(&address, &again));
        assert_int_equal(remote.port, 5300);
    }
}

/* A client of an IPv6 socket that speaks IPv4 is the primary of that address. */
static void a_mapped_address_is_the_address(void **state)
{
    struct net_address mapped, plain;
    struct remote one, other;
    (void)state;
    assert_int_equal(net_address_from_text("::ffff:192.0.2.1", 53, &mapped), SG_OK);
    assert_int_equal(net_address_from_text("192.0.2.1", 53, &plain), SG_OK);
    remote_of_address(&mapped, &one);
    remote_of_address(&plain, &other);
    assert_true(remote_equal(&one, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whom_a_zone_asks_and_tells_is_what_its_options_say),
        cmocka_unit_test(a_zone_without_primaries_has_none),
        cmocka_unit_test(whom_to_ask_for_the_ds_is_what_its_options_say),
        cmocka_unit_test(whom_and_what_to_tell_is_what_its_options_say),
        cmocka_unit_test(addresses_go_there_and_back),
        cmocka_unit_test(a_mapped_address_is_the_address),
    };
    return cmocka_run_group_tests_name("zone_peers", tests, NULL, NULL);
}
