#include "conf/load.h"
#include "support/table.h"

#define SECRET "secret \"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\";"
#define FILES  "cert-file \"/a\"; key-file \"/b\"; "

static const struct text_case cases[] = {
    {"a key", KEY_K, false, NULL},
    {"no secret", "key k { algorithm hmac-sha256; };", true,
     "t:1:5: key 'k' must have both 'secret' and 'algorithm'"},
    {"no algorithm", "key k { " SECRET " };", true, "must have both"},
    {"an unknown algorithm", "key k { algorithm hmac-foo; " SECRET " };", true,
     "unknown algorithm 'hmac-foo'"},
    {"a truncated algorithm", "key k { algorithm hmac-sha256-128; " SECRET " };", false, NULL},
    {"a secret that is none", "key k { algorithm hmac-sha1; secret \"***\"; };", true,
     "t:1:37: the secret is not base64 of 1 to 512 bytes"},
    {"MD5", "key k { algorithm hmac-md5; " SECRET " };", true,
     "t:1:19: hmac-md5 is not to be used any more: take hmac-sha256 on both sides, or say "
     "'allow-hmac-md5 yes' in options"},
    {"MD5 by its other name, truncated, in a view",
     "view v { key k { algorithm hmac-md5-80; " SECRET " }; };", true,
     "hmac-md5 is not to be used"},
    {"MD5 that is not allowed",
     "options { allow-hmac-md5 no; }; key k { algorithm HMAC-MD5.SIG-ALG.REG.INT; " SECRET " };",
     true, "hmac-md5 is not to be used"},
    {"MD5 that is allowed",
     "options { allow-hmac-md5 yes; }; key k { algorithm hmac-md5; " SECRET " };", false, NULL},
    {"MD5 of the session key", "options { session-keyalg hmac-md5; };", true,
     "t:1:26: hmac-md5 is not to be used"},
    {"a short secret", "key k { algorithm hmac-sha256; secret \"YWJj\"; };", false,
     "the key 'k' is too short to be secure"},
    {"a name that is none", "key \"a..b\" { algorithm hmac-sha1; " SECRET " };", true,
     "key 'a..b': the name is not a domain name"},
    {"two keys of a name", KEY_K "key K. { algorithm hmac-sha256; " SECRET " };", true,
     "t:2:5: key 'K.' is defined twice"},
    {"a view may repeat a key", KEY_K "view v { " KEY_K " };", false, NULL},
    {"but not change it", KEY_K "view v { key k { algorithm hmac-sha512; " SECRET " }; };", true,
     "key 'k' is defined twice"},
    {"an algorithm with a slip", "key k { algorithm hmac-sha265; secret \"YWJj\"; };", true,
     "unknown algorithm 'hmac-sha265', did you mean 'hmac-sha256'?"},
    {"a reserved name of a key-store", "key-store key-directory { };", true,
     "key-store: name 'key-directory' not allowed"},
    {"two key-stores of a name", "key-store s { }; key-store s { };", true,
     "duplicate key-store found 's'"},
    {"TLS", "tls t { " FILES "protocols { TLSv1.2; tlsv1.3; }; };", false,
     "not in effect yet in this version: tls"},
    {"half of TLS", "tls t { cert-file \"/a\"; };", true, "must both be given, or neither"},
    {"an old TLS", "tls t { " FILES "protocols { TLSv1.1; }; };", true,
     "'TLSv1.1' is not a TLS version"},
    {"a reserved name of TLS", "tls ephemeral { " FILES " };", true, "is reserved"},
    {"two of TLS", "tls t { " FILES " }; tls t { " FILES " };", true, "tls 't' is defined twice"},
    {"HTTP", "http h { endpoints { \"/dns-query\"; }; };", false, "not in effect yet"},
    {"a relative path", "http h { endpoints { \"dns-query\"; }; };", true,
     "'dns-query' is not an absolute path"},
    {"a reserved name of HTTP", "http default { };", true, "'default' is reserved"},
};

static void a_secret_is_never_told(void **state)
{
    (void)state;
    static const char text[] = "key k { algorithm hmac-sha256; secret \"SECRET*\"; };"
                               "key l { algorithm hmac-sha256; secret x SECRET; };"
                               "key m { algorithm hmac-sha256 SECRET; };"
                               "key n { algorithm SECRET; secret \"YWJj\"; };"
                               "key o { algorithm hmac-sha256; SECRET; };"
                               "options { cookie-secret \"SECRET\"; };";
    struct conf_report report = {0};
    struct conf *conf = NULL;

    assert_int_equal(conf_load_text("t", span_of_text(text), &conf, &report), SG_MALFORMED);
    assert_true(report.errors >= 6);
    assert_false(report_says(&report, "SECRET"));
    conf_report_clear(&report);
}

static void a_key_is_what_it_says(void **state)
{
    (void)state;
    struct conf *conf = load("key \"K.Example\" { algorithm \"HMAC-SHA512-256\"; secret \""
                             "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="
                             "\"; };");
    char name[DNS_NAME_TEXT_BYTES];

    assert_int_equal(conf->keys_count, 1);
    assert_string_equal(dns_name_to_text(&conf->keys[0]->name, name), "k.example.");
    assert_int_equal(conf->keys[0]->algorithm, TSIG_HMAC_SHA512);
    assert_int_equal(conf->keys[0]->mac_bits, 256);
    assert_int_equal(conf->keys[0]->secret_length, 20);
    assert_memory_equal(conf->keys[0]->secret, "12345678901234567890", 20);
    conf_free(conf);
}

static void thousands_of_keys_are_all_there(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;

    for (int i = 0; i < 3000; i++) {
        buffer_format(&text, "key k%d { algorithm hmac-sha256; " SECRET " };\n", i);
    }
    struct conf *conf = load(buffer_text(&text));
    assert_int_equal(conf->keys_count, 3000);
    conf_free(conf);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_never_told),
        cmocka_unit_test(a_key_is_what_it_says),
        cmocka_unit_test(thousands_of_keys_are_all_there),
    };
    return RUN_TABLE(cases, says_what_it_should) | cmocka_run_group_tests(tests, NULL, NULL);
}
