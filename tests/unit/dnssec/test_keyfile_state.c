#include <stdlib.h>
#include <time.h>

#include "dnssec/keyfile.h"
#include "support/table.h"

#define HEAD "; This is the state of key 5915, for kz.test.\nAlgorithm: 13\nLength: 256\n"

/* Every line that there is, in the order and spelling of BIND. */
static const char by_bind[] = HEAD "Lifetime: 7776000\n"
                                   "Predecessor: 1\n"
                                   "Successor: 21947\n"
                                   "KSK: no\n"
                                   "ZSK: yes\n"
                                   "Generated: 20261122031201 (Sun Nov 22 03:12:01 2026)\n"
                                   "Published: 20261122031202 (Sun Nov 22 03:12:02 2026)\n"
                                   "Active: 20261122031203 (Sun Nov 22 03:12:03 2026)\n"
                                   "Retired: 20261122031204 (Sun Nov 22 03:12:04 2026)\n"
                                   "Revoked: 20261122031205 (Sun Nov 22 03:12:05 2026)\n"
                                   "Removed: 20261122031206 (Sun Nov 22 03:12:06 2026)\n"
                                   "DSPublish: 20261122031207 (Sun Nov 22 03:12:07 2026)\n"
                                   "DSRemoved: 20261122031208 (Sun Nov 22 03:12:08 2026)\n"
                                   "SigPublish: 20261122031209 (Sun Nov 22 03:12:09 2026)\n"
                                   "SigRemoved: 20261122031210 (Sun Nov 22 03:12:10 2026)\n"
                                   "PublishCDS: 20261122031211 (Sun Nov 22 03:12:11 2026)\n"
                                   "DeleteCDS: 20261122031212 (Sun Nov 22 03:12:12 2026)\n"
                                   "DSPubCount: 2\n"
                                   "DSDelCount: 3\n"
                                   "DNSKEYChange: 20261122031213 (Sun Nov 22 03:12:13 2026)\n"
                                   "ZRRSIGChange: 20261122031214 (Sun Nov 22 03:12:14 2026)\n"
                                   "KRRSIGChange: 20261122031215 (Sun Nov 22 03:12:15 2026)\n"
                                   "DSChange: 20261122031216 (Sun Nov 22 03:12:16 2026)\n"
                                   "DNSKEYState: rumoured\n"
                                   "ZRRSIGState: omnipresent\n"
                                   "KRRSIGState: unretentive\n"
                                   "DSState: hidden\n"
                                   "GoalState: hidden\n";

/* clang-format off */
static const struct spelling_case {
    const char *name;
    const char *line;
    enum key_time time;
} spellings[] = {
    {"SigPublish as BIND writes it", "SigPublish: 20261122031243 (x)\n",    KEY_SIG_PUBLISH},
    {"SigPublish as BIND reads it",  "ZRRSIGPublish: 20261122031243 (x)\n", KEY_SIG_PUBLISH},
    {"SigRemoved as BIND writes it", "SigRemoved: 20261122031243\n",        KEY_SIG_REMOVED},
    {"SigRemoved as BIND reads it",  "ZZRRSIGDelete: 20261122031243\n",     KEY_SIG_REMOVED},
    {"PublishCDS as BIND writes it", "PublishCDS: 20261122031243\n",        KEY_SYNC_PUBLISH},
    {"PublishCDS as BIND reads it",  "SyncPublish: 20261122031243\n",       KEY_SYNC_PUBLISH},
    {"DeleteCDS as BIND writes it",  "DeleteCDS: 20261122031243\n",         KEY_SYNC_DELETE},
    {"DeleteCDS as BIND reads it",   "SyncDelete: 20261122031243\n",        KEY_SYNC_DELETE},
    {"tags in any case",             "dspublish: 20261122031243\n",         KEY_DS_PUBLISH},
};

static const struct bad_case {
    const char *name;
    const char *text;
    enum sg_result result;
} bad[] = {
    {"nothing",                       "",                                           SG_MALFORMED},
    {"no first line to skip",         "Algorithm: 13\nLength: 256\n",               SG_MALFORMED},
    {"no length",                     ";\nAlgorithm: 13\nKSK: yes\n",               SG_MALFORMED},
    {"another algorithm",             ";\nAlgorithm: 14\nLength: 256\n",            SG_BAD_KEY},
    {"another length",                ";\nAlgorithm: 13\nLength: 384\n",            SG_BAD_KEY},
    {"a role that is neither",        HEAD "KSK: maybe\n",                          SG_MALFORMED},
    {"a role in capitals",            HEAD "KSK: YES\n",                            SG_MALFORMED},
    {"a state that is none",          HEAD "DSState: visible\n",                    SG_MALFORMED},
    {"a state with a tail",           HEAD "DSState: hiddenly\n",                   SG_MALFORMED},
    {"a time that is none",           HEAD "Generated: 2026\n",                     SG_MALFORMED},
    {"a lifetime above 32 bits",      HEAD "Lifetime: 4294967296\n",                SG_MALFORMED},
    {"a line without colon",          HEAD "KSK yes\n",                             SG_MALFORMED},
};
/* clang-format on */

static void key_init(struct signing_key *key)
{
    signing_key_init(key);
    key->algorithm = 13;
    key->bits = 256;
    key->tag = 5915;
    assert_int_equal(dns_name_from_text("kz.test.", 8, NULL, &key->zone), SG_OK);
}

static void either_spelling_is_read(void **state)
{
    const struct spelling_case *c = *state;
    struct keyfile_problem problem;
    struct signing_key key;
    struct buffer text = BUFFER_EMPTY;
    key_init(&key);
    buffer_append_text(&text, HEAD);
    buffer_append_text(&text, c->line);
    assert_int_equal(keyfile_state_read(buffer_span(&text), &key, &problem), SG_OK);
    assert_int_equal(key.times[c->time], 1795317163);
    buffer_free(&text);
}

static void a_broken_file_is_told_of(void **state)
{
    const struct bad_case *c = *state;
    struct keyfile_problem problem = {""};
    struct signing_key key;
    key_init(&key);
    assert_int_equal(keyfile_state_read(span_of_text(c->text), &key, &problem), c->result);
    assert_string_not_equal(problem.text, "");
    assert_false(key.state.present);
}

static void what_bind_wrote_is_written_again_byte_by_byte(void **state)
{
    (void)state;
    struct keyfile_problem problem;
    struct signing_key key;
    struct buffer text = BUFFER_EMPTY;
    key_init(&key);
    assert_int_equal(keyfile_state_read(span_of_text(by_bind), &key, &problem), SG_OK);
    assert_true(key.state.present && key.state.has_roles && key.state.zsk && !key.state.ksk);
    assert_int_equal(key.state.successor, 21947);
    assert_int_equal(key.state.records[KEY_RECORD_KRRSIG], KEY_STATE_UNRETENTIVE);
    keyfile_state_write(&key, &text);
    assert_string_equal(buffer_text(&text), by_bind);
    buffer_free(&text);
}

static void what_is_not_there_is_not_written(void **state)
{
    (void)state;
    struct keyfile_problem problem;
    struct signing_key key;
    struct buffer text = BUFFER_EMPTY;
    key_init(&key);
    assert_int_equal(keyfile_state_read(span_of_text(HEAD "Future: feature\n"), &key, &problem),
                     SG_OK);
    assert_int_equal(key.state.goal, KEY_STATE_NA);
    assert_int_equal(key.state.changes[KEY_RECORD_DS], KEY_TIME_UNSET);
    keyfile_state_write(&key, &text);
    assert_string_equal(buffer_text(&text), HEAD);
    buffer_free(&text);
}

static void a_count_is_read_in_both_spellings(void **state)
{
    (void)state;
    struct keyfile_problem problem;
    struct signing_key key;
    key_init(&key);
    assert_int_equal(keyfile_state_read(span_of_text(HEAD "DSRemCount: 7\n"), &key, &problem),
                     SG_OK);
    assert_true(key.state.has_ds_removed_count);
    assert_int_equal(key.state.ds_removed_count, 7);
}

static void times_of_the_private_file_stay_where_the_state_has_none(void **state)
{
    (void)state;
    struct keyfile_problem problem;
    struct signing_key key;
    key_init(&key);
    key.times[KEY_SYNC_PUBLISH] = 12345;
    key.times[KEY_PUBLISH] = 12345;
    const char *text = HEAD "Published: 20261122031243\n";
    assert_int_equal(keyfile_state_read(span_of_text(text), &key, &problem), SG_OK);
    assert_int_equal(key.times[KEY_SYNC_PUBLISH], 12345);
    assert_int_equal(key.times[KEY_PUBLISH], 1795317163);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_bind_wrote_is_written_again_byte_by_byte),
        cmocka_unit_test(what_is_not_there_is_not_written),
        cmocka_unit_test(a_count_is_read_in_both_spellings),
        cmocka_unit_test(times_of_the_private_file_stay_where_the_state_has_none),
    };
    setenv("TZ", "UTC", 1);
    tzset();
    return RUN_TABLE(spellings, either_spelling_is_read) +
           RUN_TABLE(bad, a_broken_file_is_told_of) + cmocka_run_group_tests(tests, NULL, NULL);
}
