#include "base/mem.h"
#include "dnssec/key_secret.h"
#include "dnssec/keyfile.h"
#include "support/table.h"

#define SCALAR "+PLptleBZkhlS1eA4RoLIHzYgmty07se0d+ofGV/ed4="
#define HEAD   "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n"
#define SECRET "PrivateKey: " SCALAR "\n"

static const char by_bind[] = HEAD SECRET "Predecessor: 12\n"
                                          "Successor: 60000\n"
                                          "Created: 20261122054501\n"
                                          "Publish: 20261122054502\n"
                                          "Activate: 20261122054503\n"
                                          "Revoke: 20261122054504\n"
                                          "Inactive: 20261122054505\n"
                                          "Delete: 20261122054506\n"
                                          "DSPublish: 20261122054507\n"
                                          "SyncPublish: 20261122054508\n"
                                          "SyncDelete: 20261122054509\n";

/* clang-format off */
static const struct good_case {
    const char *name;
    const char *text;
    bool has_secret;
} good[] = {
    {"of the old format, without times",  "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n" SECRET, true},
    {"with fields in another order",      HEAD "Created: 20261122054501\n" SECRET,                              true},
    {"with fields of a later version",    "Private-key-format: v1.4\nAlgorithm: 13 (?)\nNew: 1\n" SECRET,       true},
    {"with what BIND reads and ignores",  HEAD SECRET "MaxTTL: 3600\nRollPeriod: 86400\n",                      true},
    {"with carriage returns",             "Private-key-format: v1.3\r\nAlgorithm: 13\r\nPrivateKey: " SCALAR "\r\n", true},
    {"of a key that others sign with",    HEAD "External:\n",                                                   false},
};

static const struct bad_case {
    const char *name;
    const char *text;
    enum sg_result result;
} bad[] = {
    {"nothing",                      "",                                                    SG_MALFORMED},
    {"no format",                    "Algorithm: 13\n" SECRET,                              SG_MALFORMED},
    {"a format without version",     "Private-key-format: 1.3\n",                           SG_MALFORMED},
    {"a format without minor",       "Private-key-format: v1\nAlgorithm: 13\n" SECRET,      SG_MALFORMED},
    {"format 2",                     "Private-key-format: v2.0\nAlgorithm: 13\n" SECRET,    SG_UNSUPPORTED},
    {"no algorithm",                 "Private-key-format: v1.3\n" SECRET,                   SG_MALFORMED},
    {"another algorithm",            "Private-key-format: v1.3\nAlgorithm: 14\n" SECRET,    SG_BAD_KEY},
    {"no secret",                    HEAD "Created: 20261122054501\n",                      SG_MALFORMED},
    {"an empty secret",              HEAD "PrivateKey:\n",                                  SG_MALFORMED},
    {"a secret that is not base64",  HEAD "PrivateKey: *\n",                                SG_MALFORMED},
    {"two secrets",                  HEAD SECRET SECRET,                                    SG_MALFORMED},
    {"an unknown field",             HEAD SECRET "Flavour: sweet\n",                        SG_MALFORMED},
    {"a field of RSA",               HEAD SECRET "Prime1: AQAB\n",                          SG_MALFORMED},
    {"a line without colon",         HEAD SECRET "AQAB\n",                                  SG_MALFORMED},
    {"a time that is none",          HEAD SECRET "Created: yesterday\n",                    SG_MALFORMED},
    {"a tag above 16 bits",          HEAD SECRET "Successor: 65536\n",                      SG_MALFORMED},
    {"a key in a token",             HEAD "Engine: cGtjczExAA==\nLabel: a2V5AA==\n",        SG_UNSUPPORTED},
};
/* clang-format on */

static void key_init(struct signing_key *key)
{
    signing_key_init(key);
    key->algorithm = 13;
    key->dnskey = (struct span){(const uint8_t *)"....", 4};
}

static void is_read(void **state)
{
    const struct good_case *c = *state;
    struct keyfile_problem problem = {""};
    struct signing_key key;
    key_init(&key);
    assert_int_equal(keyfile_private_read(span_of_text(c->text), &key, &problem), SG_OK);
    assert_int_equal(key.secret != NULL, c->has_secret);
    if (c->has_secret) {
        assert_int_equal(key.secret->parts[KEY_SECRET_SCALAR].length, 32);
        assert_int_equal(key.secret->parts[KEY_SECRET_SCALAR].bytes[0], 0xf8);
    }
    key_secret_unref(key.secret);
}

static void is_refused(void **state)
{
    const struct bad_case *c = *state;
    struct keyfile_problem problem = {""};
    struct signing_key key;
    key_init(&key);
    assert_int_equal(keyfile_private_read(span_of_text(c->text), &key, &problem), c->result);
    assert_string_not_equal(problem.text, "");
    assert_null(strstr(problem.text, "AQAB")); /* never a secret in a message */
    assert_null(key.secret);
}

static void what_bind_wrote_is_written_again_byte_by_byte(void **state)
{
    (void)state;
    struct keyfile_problem problem;
    struct signing_key key;
    struct buffer text = BUFFER_EMPTY;
    key_init(&key);
    assert_int_equal(keyfile_private_read(span_of_text(by_bind), &key, &problem), SG_OK);
    assert_int_equal(key.times[KEY_SYNC_DELETE] - key.times[KEY_CREATED], 8);
    assert_int_equal(key.times[KEY_SIG_PUBLISH], KEY_TIME_UNSET);
    keyfile_private_write(&key, &text);
    assert_string_equal(buffer_text(&text), by_bind);
    buffer_wipe(&text);
    key_secret_unref(key.secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_bind_wrote_is_written_again_byte_by_byte),
    };
    return RUN_TABLE(good, is_read) + RUN_TABLE(bad, is_refused) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
