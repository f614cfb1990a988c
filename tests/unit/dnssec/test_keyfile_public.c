#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "dnssec/keyfile.h"
#include "support/table.h"

#define PUBLIC                                                                                     \
    "bgGkSgzdMmIgFWP8KhggJVckaDop9waiiYMsffQqLiKrzfoXnxUhV5nD "                                    \
    "fxYyJ7dSa5uvz/L8dlngJ1uCNO+sSg=="

static const char by_bind[] = "; This is a key-signing key, keyid 63097, for add.test.\n"
                              "; Created: 20261122031356 (Sun Nov 22 03:13:56 2026)\n"
                              "; Publish: 20261122031356 (Sun Nov 22 03:13:56 2026)\n"
                              "; Activate: 20261122031356 (Sun Nov 22 03:13:56 2026)\n"
                              "; SyncPublish: 20261123031856 (Mon Nov 23 03:18:56 2026)\n"
                              "add.test. 3600 IN DNSKEY 257 3 13 " PUBLIC "\n";

/* clang-format off */
static const struct good_case {
    const char *name;
    const char *text;
} good[] = {
    {"without a TTL",               "add.test. IN DNSKEY 257 3 13 " PUBLIC},
    {"as ldns-keygen writes it",    "ADD.test.\tIN\tDNSKEY\t257 3 13 " PUBLIC " ;{id = 63097 (ksk)}\n"},
    {"over several lines",          ";\n; x ( y\nadd.test. 60 in dnskey 257 3 13 (\n" PUBLIC " ; )\n )\n"},
};

static const struct bad_case {
    const char *name;
    const char *text;
    enum sg_result result;
} bad[] = {
    {"nothing",                        "",                                             SG_MALFORMED},
    {"comments alone",                 "; add.test. IN DNSKEY 257 3 13 " PUBLIC,       SG_MALFORMED},
    {"an owner that is no name",       "a..b. IN DNSKEY 257 3 13 " PUBLIC,             SG_MALFORMED},
    {"no class",                       "add.test. DNSKEY 257 3 13 " PUBLIC,            SG_MALFORMED},
    {"another class",                  "add.test. CH DNSKEY 257 3 13 " PUBLIC,         SG_MALFORMED},
    {"another type",                   "add.test. IN KEY 257 3 13 " PUBLIC,            SG_MALFORMED},
    {"a TTL with letters",             "add.test. 1h IN DNSKEY 257 3 13 " PUBLIC,      SG_MALFORMED},
    {"a TTL above 2^31",               "add.test. 2147483648 IN DNSKEY 257 3 13 " PUBLIC, SG_MALFORMED},
    {"flags above 16 bits",            "add.test. IN DNSKEY 65793 3 13 " PUBLIC,       SG_MALFORMED},
    {"not a zone key",                 "add.test. IN DNSKEY 1 3 13 " PUBLIC,           SG_MALFORMED},
    {"another protocol",               "add.test. IN DNSKEY 257 2 13 " PUBLIC,         SG_MALFORMED},
    {"an algorithm nobody knows",      "add.test. IN DNSKEY 257 3 253 " PUBLIC,        SG_UNSUPPORTED},
    {"an algorithm of another size",   "add.test. IN DNSKEY 257 3 14 " PUBLIC,         SG_MALFORMED},
    {"a key that is not base64",       "add.test. IN DNSKEY 257 3 13 !!!!",            SG_MALFORMED},
    {"no key",                         "add.test. IN DNSKEY 257 3 13",                 SG_MALFORMED},
    {"nothing behind the class",       "add.test. IN",                                 SG_MALFORMED},
};
/* clang-format on */

static struct signing_key *empty_key(void)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    signing_key_init(key);
    return key;
}

static void the_times_are_those_of_the_comments(void **state)
{
    (void)state;
    static const char text[] = "; This is a key-signing key, keyid 63097, for add.test.\n"
                               "; Created: 20261122031356 (Sun Nov 22 03:13:56 2026)\n"
                               "; Publish: tomorrow\n"
                               "; Inactive: 20261123031856 (Mon Nov 23 03:18:56 2026)\n"
                               "; Delete:\n"
                               "add.test. 3600 IN DNSKEY 257 3 13 " PUBLIC "\n";
    struct keyfile_problem problem;
    struct signing_key *key = empty_key();
    assert_int_equal(keyfile_public_read_times(span_of_text(text), key, &problem), SG_OK);
    assert_int_equal(key->times[KEY_CREATED], 1795317236);
    assert_int_equal(key->times[KEY_INACTIVE], 1795403936);
    assert_int_equal(key->times[KEY_PUBLISH], KEY_TIME_UNSET);
    assert_int_equal(key->times[KEY_ACTIVATE], KEY_TIME_UNSET);
    assert_int_equal(key->times[KEY_DELETE], KEY_TIME_UNSET);
    signing_key_free(key);
}

static void the_record_is_read(void **state)
{
    const struct good_case *c = *state;
    struct keyfile_problem problem;
    struct signing_key *key = empty_key();
    char zone[DNS_NAME_TEXT_BYTES];
    assert_int_equal(keyfile_public_read(span_of_text(c->text), key, &problem), SG_OK);
    assert_int_equal(key->tag, 63097);
    assert_int_equal(key->flags, 257);
    assert_int_equal(key->algorithm, 13);
    assert_int_equal(key->bits, 256);
    assert_string_equal(dns_name_to_text(&key->zone, zone), "add.test.");
    signing_key_free(key);
}

static void a_broken_file_is_told_of(void **state)
{
    const struct bad_case *c = *state;
    struct keyfile_problem problem = {""};
    struct signing_key *key = empty_key();
    assert_int_equal(keyfile_public_read(span_of_text(c->text), key, &problem), c->result);
    assert_string_not_equal(problem.text, "");
    signing_key_free(key);
}

static void what_bind_wrote_is_written_again_byte_by_byte(void **state)
{
    (void)state;
    struct keyfile_problem problem;
    struct signing_key *key = empty_key();
    struct buffer text = BUFFER_EMPTY;
    assert_int_equal(keyfile_public_read(span_of_text(by_bind), key, &problem), SG_OK);
    assert_int_equal(key->ttl, 3600);
    key->times[KEY_CREATED] = key->times[KEY_PUBLISH] = key->times[KEY_ACTIVATE] = 1795317236;
    key->times[KEY_SYNC_PUBLISH] = 1795403936;
    keyfile_public_write(key, &text);
    assert_string_equal(buffer_text(&text), by_bind);
    buffer_free(&text);
    signing_key_free(key);
}

static void a_revoked_zone_key_is_called_so(void **state)
{
    (void)state;
    struct keyfile_problem problem;
    struct signing_key *key = empty_key();
    struct buffer text = BUFFER_EMPTY;
    const char *file = "add.test. IN DNSKEY 384 3 13 " PUBLIC;
    static const char first[] =
        "; This is a revoked zone-signing key, keyid 63224, for add.test.\n";
    assert_int_equal(keyfile_public_read(span_of_text(file), key, &problem), SG_OK);
    keyfile_public_write(key, &text);
    assert_true(text.length > strlen(first));
    assert_memory_equal(buffer_text(&text), first, strlen(first));
    assert_non_null(strstr(buffer_text(&text), "\nadd.test. IN DNSKEY 384 3 13 "));
    buffer_free(&text);
    signing_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_bind_wrote_is_written_again_byte_by_byte),
        cmocka_unit_test(the_times_are_those_of_the_comments),
        cmocka_unit_test(a_revoked_zone_key_is_called_so),
    };
    setenv("TZ", "UTC", 1);
    tzset();
    return RUN_TABLE(good, the_record_is_read) + RUN_TABLE(bad, a_broken_file_is_told_of) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
