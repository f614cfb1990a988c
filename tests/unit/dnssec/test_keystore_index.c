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
    {"only a public key",               {"Kexample.test.+013+00001.key"}, NULL},
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

int main(void)
{
    return RUN_TABLE(cases, a_lost_private_half_is_found_and_nothing_else);
}
