#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "dnssec/keystore.h"
#include "support/table.h"

/* clang-format off */
static const struct orphan_case {
    const char *name;
    const char *files[3];
    const char *orphan; /* NULL: none */
} cases[] = {
    {"an empty folder",                 {NULL}, NULL},
    {"a whole key",                     {"Kexample.test.+013+00001.state", "Kexample.test.+013+00001.private"}, NULL},
    {"a state without its private half", {"Kexample.test.+013+00001.state", "Kexample.test.+013+00001.key"}, "Kexample.test.+013+00001"},
    {"a new key that lacks one name",   {"Kexample.test.+013+00001.state", "Kexample.test.+013+00001.key",
                                         "Kexample.test.+013+00001.private.0123abcd.new"}, NULL},
    {"another one's staged half",       {"Kexample.test.+013+00001.state", "Kexample.test.+013+00002.private.0123abcd.new"},
                                        "Kexample.test.+013+00001"},
    {"another zone's",                  {"Kother.test.+013+00001.state"}, NULL},
    {"a zone whose name begins alike",  {"Kexample.test.net.+013+00001.state"}, NULL},
    {"only a public key, which is a half",               {"Kexample.test.+013+00001.key"}, NULL},
};
/* clang-format on */

static void a_lost_private_half_is_found_and_nothing_else(void **state)
{
    const struct orphan_case *c = *state;
    char folder[] = "/tmp/signet-orphan-XXXXXX";
    struct dns_name zone;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(dns_name_from_text("example.test.", 13, NULL, &zone), SG_OK);
    for (size_t i = 0; i < ARRAY_LEN(c->files) && c->files[i] != NULL; i++) {
        char *path = mem_format("%s/%s", folder, c->files[i]);
        assert_int_equal(file_write_unsynced(path, 0600, span_of_text("x")), SG_OK);
        mem_free(path);
    }
    struct keystore_index *index;
    assert_int_equal(keystore_index_read(folder, &index), SG_OK);
    const char *found = keystore_index_orphan(index, &zone);
    char *command = mem_format("rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
    assert_true((found == NULL) == (c->orphan == NULL));
    if (found != NULL) {
        assert_string_equal(found, c->orphan);
    }
    keystore_index_free(index);
}

/* --- .key files alone ------------------------------------------------------------------------- */

#define KEY_NAME "Kadd.test.+013+63097"
#define RECORD                                                                                     \
    "add.test. 3600 IN DNSKEY 257 3 13 bgGkSgzdMmIgFWP8KhggJVckaDop9waiiYMsffQqLiKrzfoXnxUhV5nD "  \
    "fxYyJ7dSa5uvz/L8dlngJ1uCNO+sSg==\n"

/* clang-format off */
static const struct half_case {
    const char *name;
    const char *file; /* beside the .key file */
    const char *text; /* of the .key file */
    enum sg_result result;
    size_t count;
    sg_time inactive;
} halves[] = {
    {"a .key file alone",       NULL,                      RECORD, SG_OK, 1, KEY_TIME_UNSET},
    {"with times",              NULL,                      "; Inactive: 20261123031856 (x)\n" RECORD, SG_OK, 1, 1795403936},
    {"with a .private file",    KEY_NAME ".private",       RECORD, SG_OK, 0, 0},
    {"a batch was cut off",     KEY_NAME ".private.0123abcd.new", RECORD, SG_OK, 0, 0},
    {"another key's .private",  "Kadd.test.+013+63098.private", RECORD, SG_OK, 1, KEY_TIME_UNSET},
    {"no DNSKEY in it",         NULL,                      "add.test. IN KEY 512 3 13 AAAA\n", SG_BAD_KEY, 0, 0},
};
/* clang-format on */

static void write_file(const char *folder, const char *name, const char *text)
{
    char *path = mem_format("%s/%s", folder, name);
    assert_int_equal(file_write_unsynced(path, 0600, span_of_text(text)), SG_OK);
    mem_free(path);
}

static void a_key_file_without_private_half_is_listed(void **state)
{
    const struct half_case *c = *state;
    char folder[] = "/tmp/signet-half-XXXXXX";
    struct dns_name zone;
    struct keystore_index *index;
    struct key_list list;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(dns_name_from_text("add.test.", 9, NULL, &zone), SG_OK);
    write_file(folder, KEY_NAME ".key", c->text);
    if (c->file != NULL) {
        write_file(folder, c->file, "x");
    }
    assert_int_equal(keystore_index_read(folder, &index), SG_OK);
    enum sg_result result = keystore_index_halves(index, &zone, NULL, NULL, &list);
    char *command = mem_format("rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
    assert_int_equal(result, c->result);
    assert_int_equal(list.count, c->count);
    if (list.count > 0) {
        assert_null(list.keys[0]->secret);
        assert_int_equal(list.keys[0]->tag, 63097);
        assert_int_equal(list.keys[0]->times[KEY_INACTIVE], c->inactive);
    }
    key_list_clear(&list);
    keystore_index_free(index);
}

int main(void)
{
    return RUN_TABLE(cases, a_lost_private_half_is_found_and_nothing_else) +
           RUN_TABLE(halves, a_key_file_without_private_half_is_listed);
}
