#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/rndc_conf.h"
#include "support/table.h"

/* "secret" is c2VjcmV0. */
#define KEY(name) "key " name " { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\n"

static const struct good_case {
    const char *name;
    const char *text;
    size_t keys, servers;
    const char *default_server, *default_key;
    unsigned default_port;
} good[] = {
    {"rndc.key as rndc-confgen writes it",
     "key \"rndc-key\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n", 1, 0, NULL, NULL,
     0},
    {"an empty file", "", 0, 0, NULL, NULL, 0},
    {"comments of three kinds", "# one\n// two\n/* three\n */ " KEY("a"), 1, 0, NULL, NULL, 0},
    {"options", KEY("a") "options { default-server h; default-key a; default-port 54; };", 1, 0,
     "h", "a", 54},
    {"case does not count", "KEY a { Algorithm HMAC-SHA1; SECRET c2VjcmV0; }; OPTIONS { };", 1, 0,
     NULL, NULL, 0},
    {"a server with addresses",
     KEY("a") "server h { key a; port 54; addresses { 192.0.2.1 port 55; 2001:db8::1; }; };", 1, 1,
     NULL, NULL, 0},
    {"sources are accepted",
     "options { default-source-address 192.0.2.9; default-source-address-v6 ::1; };", 0, 0, NULL,
     NULL, 0},
};

static const struct bad_case {
    const char *name;
    const char *text;
    const char *problem;
} bad[] = {
    {"an unknown statement", "\nzone x { };", ":2: expected"},
    {"a key without a secret", "key a { algorithm hmac-sha256; };", "needs an algorithm"},
    {"a key without an algorithm", "key a { secret c2VjcmV0; };", "needs an algorithm"},
    {"an algorithm nobody knows", "key a { algorithm rot13; secret c2VjcmV0; };",
     "unknown algorithm"},
    {"a secret that is not base64", "key a { algorithm hmac-sha1; secret \"???\"; };",
     "not base64"},
    {"a port beyond the last", "options { default-port 65536; };", "not a port"},
    {"a port that is a word", "options { default-port rndc; };", "not a port"},
    {"a missing semicolon", "options { default-port 1 }", "';' is missing"},
    {"a file that ends too early", "options { default-port 1;", "unknown option"},
    {"an unknown option", "options { default-colour red; };", "unknown option"},
    {"a file that includes itself without end", "include \"@\"; include \"@\";", "too many files"},
};

static char path[64];

static void write_text(const char *text)
{
    struct buffer contents = BUFFER_EMPTY;

    strcpy(path, "/tmp/signet-rndc-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (; *text != '\0'; text++) {
        if (*text == '@') {
            buffer_append_text(&contents, path);
        } else {
            buffer_append(&contents, text, 1);
        }
    }
    assert_int_equal(file_write(path, 0600, buffer_span(&contents)), SG_OK);
    buffer_free(&contents);
}

static void assert_text(const char *text, const char *expected)
{
    if (expected == NULL) {
        assert_null(text);
    } else {
        assert_string_equal(text, expected);
    }
}

static void is_read(void **state)
{
    const struct good_case *c = *state;
    struct rndc_conf conf;
    char *problem = NULL;

    write_text(c->text);
    assert_int_equal(rndc_conf_load(path, &conf, &problem), SG_OK);
    assert_int_equal(conf.keys_count, c->keys);
    assert_int_equal(conf.servers_count, c->servers);
    assert_text(conf.defaults.name, c->default_server);
    assert_text(conf.defaults.key, c->default_key);
    assert_int_equal(conf.defaults.port, c->default_port);
    for (size_t i = 0; i < conf.keys_count; i++) {
        assert_int_equal(conf.keys[i].secret_length, 6);
        assert_memory_equal(conf.keys[i].secret, "secret", 6);
    }
    rndc_conf_clear(&conf);
    unlink(path);
}

static void is_refused_with_its_place(void **state)
{
    const struct bad_case *c = *state;
    struct rndc_conf conf;
    char *problem = NULL;

    write_text(c->text);
    assert_int_equal(rndc_conf_load(path, &conf, &problem), SG_MALFORMED);
    assert_non_null(strstr(problem, c->problem));
    assert_memory_equal(problem, path, strlen(path));
    assert_null(strstr(problem, "c2VjcmV0")); /* No secret in a message. */
    mem_free(problem);
    unlink(path);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct rndc_conf conf;
    char *problem = NULL;

    (void)state;
    assert_int_equal(rndc_conf_load("/nonexistent/rndc.key", &conf, &problem), SG_NOT_FOUND);
    assert_string_equal(problem, "/nonexistent/rndc.key: No such file or directory");
    mem_free(problem);
}

static void servers_and_keys_are_found_by_name(void **state)
{
    struct rndc_conf conf;
    char *problem = NULL;

    (void)state;
    write_text(KEY("\"One.\"") KEY("two") "server alpha { key two; addresses { a port 1; b; }; };"
                                          "server beta { port 99; };");
    assert_int_equal(rndc_conf_load(path, &conf, &problem), SG_OK);
    assert_ptr_equal(rndc_conf_key(&conf, "one"), &conf.keys[0]);
    assert_ptr_equal(rndc_conf_key(&conf, "TWO"), &conf.keys[1]);
    assert_null(rndc_conf_key(&conf, "three"));
    const struct rndc_server *alpha = rndc_conf_server(&conf, "ALPHA");
    assert_string_equal(alpha->key, "two");
    assert_int_equal(alpha->addresses_count, 2);
    assert_string_equal(alpha->addresses[0].host, "a");
    assert_int_equal(alpha->addresses[0].port, 1);
    assert_int_equal(alpha->addresses[1].port, 0);
    assert_int_equal(rndc_conf_server(&conf, "beta")->port, 99);
    assert_null(rndc_conf_server(&conf, "gamma"));
    rndc_conf_clear(&conf);
    unlink(path);
}

static void a_new_key_comes_back_from_its_file(void **state)
{
    struct tsig_key key, other;
    struct buffer text = BUFFER_EMPTY;
    struct rndc_conf conf;
    char *problem = NULL;

    (void)state;
    rndc_key_make("rndc-key", &key);
    rndc_key_make("rndc-key", &other);
    assert_memory_not_equal(key.secret, other.secret, RNDC_KEY_SECRET_BYTES);
    rndc_key_text(&key, &text);
    write_text(buffer_text(&text));
    assert_int_equal(rndc_conf_load(path, &conf, &problem), SG_OK);
    assert_int_equal(conf.keys_count, 1);
    assert_int_equal(conf.keys[0].algorithm, TSIG_HMAC_SHA256);
    assert_int_equal(conf.keys[0].secret_length, RNDC_KEY_SECRET_BYTES);
    assert_memory_equal(conf.keys[0].secret, key.secret, RNDC_KEY_SECRET_BYTES);
    assert_non_null(rndc_conf_key(&conf, "rndc-key"));
    rndc_conf_clear(&conf);
    buffer_free(&text);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(servers_and_keys_are_found_by_name),
        cmocka_unit_test(a_new_key_comes_back_from_its_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_TABLE(good, is_read) +
           RUN_TABLE(bad, is_refused_with_its_place);
}
