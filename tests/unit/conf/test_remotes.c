#include "conf/load.h"
#include "support/table.h"

#define SECONDARY(text) "zone a { type secondary; " text " };"

static const struct text_case cases[] = {
    {"addresses", SECONDARY("primaries { 192.0.2.1; 2001:db8::1 port 54; };"), false, NULL},
    {"a list", "primaries l { ::1; }; " SECONDARY("primaries { l; };"), false, NULL},
    {"a list of another kind", "parental-agents l { ::1; }; " SECONDARY("primaries { l; };"), false,
     NULL},
    {"a list that is none", SECONDARY("primaries { nosuch; };"), true,
     "'nosuch' is neither an IP address nor a list of remote-servers"},
    {"a list with a slip", "primaries hidden { ::1; };" SECONDARY("primaries { hiden; };"), true,
     "is neither an IP address nor a list of remote-servers, did you mean 'hidden'?"},
    {"the case of a list's name", "primaries hidden { ::1; };" SECONDARY("primaries { Hidden; };"),
     false, NULL},
    {"two lists that differ by case", "primaries l { ::1; }; primaries L { ::1; };", true,
     "'L' is defined twice, first in t:1"},
    {"the server's own port as a source",
     SECONDARY("primaries { ::1; }; transfer-source * port 53;"), true,
     "'transfer-source' cannot have the port that the server listens on"},
    {"another port as a source", SECONDARY("primaries { ::1; }; transfer-source * port 5353;"),
     false, NULL},
    {"a host name", SECONDARY("primaries { ns.example.; };"), true, "is neither an IP address"},
    {"a circle", "primaries l { m; }; primaries m { l; }; " SECONDARY("primaries { l; };"), true,
     "the list 'l' is part of itself"},
    {"two lists of a name", "primaries l { ::1; }; remote-servers l { ::2; };", true,
     "'l' is defined twice, first in t:1"},
    {"a port for a list", "primaries l { ::1; }; " SECONDARY("primaries { l port 54; };"), true,
     "a port needs an IP address before it, 'l' is none"},
    {"a key", KEY_K SECONDARY("primaries { ::1 key k; };"), false, NULL},
    {"a key that is none", SECONDARY("primaries { ::1 key nosuch; };"), true,
     "key 'nosuch' is not defined"},
    {"TLS of no statement", SECONDARY("primaries { ::1 tls ephemeral; };"), false, NULL},
    {"TLS that is none", SECONDARY("primaries { ::1 tls nosuch; };"), true,
     "tls 'nosuch' is not defined"},
    {"what nobody uses is only a warning", "primaries l { nosuch; };", false,
     "warning: 'nosuch' is neither"},
    {"a list called port", "primaries port port 54 { ::1; };", false, NULL},
};

static const char *text_of(const struct conf_remote *remote, char out_text[256])
{
    char address[NET_ADDRESS_TEXT_BYTES], source[NET_ADDRESS_TEXT_BYTES];
    char key[DNS_NAME_TEXT_BYTES];

    snprintf(out_text, 256, "%s key %s tls %s from %s",
             net_address_to_text(&remote->address, address),
             remote->key == NULL ? "-" : dns_name_to_text(&remote->key->name, key),
             remote->tls == NULL ? "-" : remote->tls,
             remote->has_source ? net_address_host_text(&remote->source, source) : "-");
    return out_text;
}

static void lists_are_flattened_with_ports_keys_and_sources(void **state)
{
    (void)state;
    struct conf *conf = load(
        KEY_K "tls t { };"
              "remote-servers inner port 5300 source 192.0.2.99 { 192.0.2.1; 192.0.2.2 port 1; };"
              "primaries outer source-v6 2001:db8::99 { 2001:db8::1 key k; inner tls t; };"
              "options { port 5353; };" SECONDARY("primaries { 192.0.2.7; outer key k; };"));
    const struct conf_remotes *primaries =
        &conf->views[0]->zones[0]->options->transfer_in.primaries;
    static const char *const expected[] = {
        "192.0.2.7#5353 key - tls - from -",
        "2001:db8::1#5353 key k. tls - from 2001:db8::99",
        "192.0.2.1#5300 key k. tls t from 192.0.2.99",
        "192.0.2.2#1 key k. tls t from 192.0.2.99",
    };
    char text[256];

    assert_int_equal(primaries->count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_string_equal(text_of(&primaries->remotes[i], text), expected[i]);
    }
    conf_free(conf);
}

static void a_list_may_be_followed_twice_but_not_into_itself(void **state)
{
    (void)state;
    struct conf *conf = load("primaries l { ::1; };" SECONDARY("primaries { l; l; };"));
    assert_int_equal(conf->views[0]->zones[0]->options->transfer_in.primaries.count, 2);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_flattened_with_ports_keys_and_sources),
        cmocka_unit_test(a_list_may_be_followed_twice_but_not_into_itself),
    };
    return RUN_TABLE(cases, says_what_it_should) | cmocka_run_group_tests(tests, NULL, NULL);
}
