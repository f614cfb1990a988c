#include "conf/load.h"
#include "support/table.h"

#define OPTION(text) "options { " text " };"

static const struct text_case cases[] = {
    {"recursion", OPTION("recursion yes;"), false,
     "t:1:21: warning: 'recursion yes' is ignored: Signet answers for its own zones alone"},
    {"no recursion", OPTION("recursion no;"), false, NULL},
    {"a number that is too small", OPTION("edns-udp-size 100;"), false,
     "warning: 'edns-udp-size' is 512 to 4096: 512 is used for 100"},
    {"a number that is too large", OPTION("tcp-idle-timeout 5000;"), false,
     "warning: 'tcp-idle-timeout' is 1 to 1200: 1200 is used for 5000"},
    {"TLS is not served yet", OPTION("listen-on tls ephemeral { any; };"), false,
     "'listen-on' over TLS or HTTP is not served yet"},
    {"TLS that is none", OPTION("listen-on tls nosuch { any; };"), true,
     "tls 'nosuch' is not defined"},
    {"HTTP that is none", OPTION("listen-on http nosuch { any; };"), true,
     "http 'nosuch' is not defined"},
    {"the PROXY protocol", OPTION("listen-on proxy plain { any; };"), true,
     "'proxy' is not supported"},
    {"a cookie secret", OPTION("cookie-secret \"00112233445566778899aabbccddeeff\";"), false,
     "t:1:11: warning: read and checked, but not in effect yet in this version: cookie-secret"},
    {"a short cookie secret", OPTION("cookie-secret \"0011\";"), true,
     "a cookie secret is 16 bytes in hexadecimal digits"},
    {"an algorithm that is none", OPTION("session-keyalg foo;"), true,
     "session-keyalg 'foo' is unknown"},
    {"paths are quoted", OPTION("directory /tmp;"), true, "expected a quoted string"},
};

static void the_defaults_are_those_of_a_primary(void **state)
{
    (void)state;
    struct conf *conf = load("");
    const struct conf_options *options = &conf->options;
    char name[DNS_NAME_TEXT_BYTES];

    assert_null(options->directory);
    assert_string_equal(options->store_directory, "/var/lib/signet");
    assert_string_equal(options->pid_file, "/run/signet/signetd.pid");
    assert_null(options->version_text);
    assert_null(options->server_id);
    assert_int_equal(options->listens_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(options->listens[i].port, 53);
        assert_int_equal(options->listens[i].ipv6, i);
        assert_true(conf_acl_is_any(options->listens[i].addresses));
    }
    assert_int_equal(options->edns_payload, 1232);
    assert_int_equal(options->max_udp_size, 1232);
    assert_int_equal(options->tcp.clients_max, 150);
    assert_int_equal(options->tcp.idle_timeout, 30);
    assert_int_equal(options->tcp.initial_timeout, 30);
    assert_int_equal(options->max_transfer_time_out, 7200);
    assert_int_equal(options->rates.transfers_out, 10);
    assert_int_equal(options->history_memory_bytes, 64 << 20);
    assert_string_equal(options->session_key.file, "/run/signet/session.key");
    assert_string_equal(dns_name_to_text(&options->session_key.name, name), "local-ddns.");
    conf_free(conf);
}

static void options_are_what_they_say(void **state)
{
    (void)state;
    struct conf *conf = load(
        OPTION("directory \"/d\"; pid-file none; version none; hostname \"h\"; server-id hostname;"
               "tcp-idle-timeout 25; tcp-initial-timeout 100; max-transfer-time-out 3;"
               "session-keyfile none; session-keyname Mine; session-keyalg hmac-sha512;"
               "history-memory 10m; querylog yes; blackhole { 10/8; };"
               "cookie-secret \"00112233445566778899aabbccddeeff\";"));
    const struct conf_options *options = &conf->options;
    char name[DNS_NAME_TEXT_BYTES];

    assert_string_equal(options->directory, "/d");
    assert_string_equal(options->store_directory, "/d/signet-store");
    assert_null(options->pid_file);
    assert_string_equal(options->version_text, "");
    assert_string_equal(options->hostname_text, "h");
    assert_true(options->server_id_hostname);
    assert_int_equal(options->tcp.idle_timeout, 3); /* tenths of a second, rounded up */
    assert_int_equal(options->tcp.initial_timeout, 10);
    assert_int_equal(options->max_transfer_time_out, 180);
    assert_null(options->session_key.file);
    assert_string_equal(dns_name_to_text(&options->session_key.name, name), "mine.");
    assert_int_equal(options->session_key.algorithm, TSIG_HMAC_SHA512);
    assert_int_equal(options->history_memory_bytes, 10 << 20);
    assert_true(options->query_log);
    assert_non_null(options->blackhole);
    assert_int_equal(options->cookies.secrets_count, 1);
    assert_int_equal(options->cookies.secrets[0][15], 0xff);
    conf_free(conf);
}

static void none_is_a_name_where_it_is_quoted(void **state)
{
    (void)state;
    struct conf *conf =
        load(OPTION("pid-file \"none\"; version \"none\"; server-id \"hostname\";"));

    assert_string_equal(conf->options.pid_file, "none");
    assert_string_equal(conf->options.version_text, "none");
    assert_string_equal(conf->options.server_id, "hostname");
    assert_false(conf->options.server_id_hostname);
    conf_free(conf);
}

static void listeners_that_are_none_are_not_there(void **state)
{
    (void)state;
    struct conf *conf = load(OPTION("port 5300; listen-on { ::1; }; listen-on port 54 { any; };"
                                    "listen-on-v6 { none; };"));

    assert_int_equal(conf->options.listens_count, 2);
    assert_int_equal(conf->options.listens[0].port, 5300);
    assert_int_equal(conf->options.listens[1].port, 54);
    assert_false(conf->options.listens[1].ipv6);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_a_primary),
        cmocka_unit_test(options_are_what_they_say),
        cmocka_unit_test(none_is_a_name_where_it_is_quoted),
        cmocka_unit_test(listeners_that_are_none_are_not_there),
    };
    return RUN_TABLE(cases, says_what_it_should) | cmocka_run_group_tests(tests, NULL, NULL);
}
