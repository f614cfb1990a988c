#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
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

/* --- what changes after it was read ----------------------------------------------------------- */

/* Where the folder is: followed by the kernel's word, or by its time alone. */
struct changing {
    char folder[64];
    struct keystore_index *index;
    struct dns_name zone;
};

static void begin_in(struct changing *scene, const char *where)
{
    (void)snprintf(scene->folder, sizeof(scene->folder), "%s/signet-index-XXXXXX", where);
    assert_non_null(mkdtemp(scene->folder));
    assert_int_equal(dns_name_from_text("example.test.", 13, NULL, &scene->zone), SG_OK);
    assert_int_equal(keystore_index_read(scene->folder, &scene->index), SG_OK);
    assert_int_equal(keystore_index_refresh(scene->index), SG_OK);
}

static void end(struct changing *scene)
{
    char *command = mem_format("rm -rf %s %s.old", scene->folder, scene->folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
    keystore_index_free(scene->index);
}

static bool knows(struct changing *scene, unsigned tag)
{
    char *name = mem_format("Kexample.test.+013+%05u", tag);
    assert_int_equal(keystore_index_refresh(scene->index), SG_OK);
    const char *orphan = keystore_index_orphan(scene->index, &scene->zone);
    bool known = orphan != NULL && strcmp(orphan, name) == 0;
    mem_free(name);
    return known;
}

static void put(struct changing *scene, unsigned tag)
{
    char *name = mem_format("Kexample.test.+013+%05u.state", tag);
    write_file(scene->folder, name, "x");
    mem_free(name);
}

static char *path_of(const struct changing *scene, unsigned tag)
{
    return mem_format("%s/Kexample.test.+013+%05u.state", scene->folder, tag);
}

static void what_comes_and_goes_is_noticed(void **state)
{
    (void)state;
    struct changing scene;
    begin_in(&scene, "/tmp");
    assert_false(knows(&scene, 5));
    put(&scene, 5);
    assert_true(knows(&scene, 5));
    char *from = path_of(&scene, 5);
    char *to = path_of(&scene, 7);
    assert_int_equal(rename(from, to), 0);
    assert_false(knows(&scene, 5));
    assert_true(knows(&scene, 7));
    put(&scene, 5);
    assert_int_equal(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE), 0);
    assert_true(knows(&scene, 5));
    assert_int_equal(remove(from), 0);
    assert_true(knows(&scene, 7));
    assert_int_equal(remove(to), 0);
    assert_false(knows(&scene, 7));
    mem_free(from);
    mem_free(to);
    end(&scene);
}

/* A disk may have been mounted there, or the folder's name given to another. */
static void another_folder_in_its_place_is_read(void **state)
{
    (void)state;
    struct changing scene;
    begin_in(&scene, "/tmp");
    put(&scene, 5);
    assert_true(knows(&scene, 5));
    char *old = mem_format("%s.old", scene.folder);
    assert_int_equal(rename(scene.folder, old), 0);
    assert_int_equal(keystore_index_refresh(scene.index), SG_NOT_FOUND);
    assert_int_equal(mkdir(scene.folder, 0700), 0);
    assert_false(knows(&scene, 5));
    put(&scene, 6);
    assert_true(knows(&scene, 6));
    mem_free(old);
    end(&scene);
}

/* More than the kernel remembers (fs.inotify.max_queued_events, 16384). */
static void a_flood_of_changes_drowns_none(void **state)
{
    (void)state;
    struct changing scene;
    begin_in(&scene, "/tmp");
    char *other = mem_format("%s/other", scene.folder);
    char *another = mem_format("%s/another", scene.folder);
    put(&scene, 5);
    assert_int_equal(file_write_unsynced(other, 0600, span_of_text("x")), SG_OK);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(rename(other, another), 0);
        assert_int_equal(rename(another, other), 0);
    }
    put(&scene, 3);
    assert_true(knows(&scene, 3));
    put(&scene, 1);
    assert_true(knows(&scene, 1));
    mem_free(other);
    mem_free(another);
    end(&scene);
}

static struct key_list list_of(struct changing *scene, enum sg_result expected)
{
    struct key_list list;
    assert_int_equal(keystore_index_refresh(scene->index), SG_OK);
    assert_int_equal(keystore_index_list(scene->index, &scene->zone, NULL, NULL, &list), expected);
    return list;
}

static struct signing_key *make_key(const struct changing *scene)
{
    struct signing_key metadata;
    struct signing_key *key;
    signing_key_init(&metadata);
    const struct key_request request = {.folder = scene->folder,
                                        .zone = &scene->zone,
                                        .algorithm = DNSSEC_ED25519,
                                        .flags = KEY_FLAG_ZONE,
                                        .metadata = &metadata};
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    return key;
}

static void copy_private(const struct changing *scene, const struct signing_key *from,
                         const struct signing_key *to)
{
    char *source = signing_key_file_name(from);
    char *target = signing_key_file_name(to);
    char *command =
        mem_format("cp %s/%s.private %s/%s.private", scene->folder, source, scene->folder, target);
    assert_int_equal(system(command), 0);
    mem_free(command);
    mem_free(source);
    mem_free(target);
}

/* Halves that belonged together once are no proof for others. */
static void a_private_half_that_is_replaced_later_is_refused(void **state)
{
    (void)state;
    struct changing scene;
    begin_in(&scene, "/tmp");
    struct signing_key *one = make_key(&scene);
    struct signing_key *other = make_key(&scene);
    for (int i = 0; i < 2; i++) {
        struct key_list list = list_of(&scene, SG_OK);
        assert_int_equal(list.count, 2);
        key_list_clear(&list);
    }
    copy_private(&scene, one, other);
    for (int i = 0; i < 2; i++) {
        struct key_list list = list_of(&scene, SG_BAD_KEY);
        assert_int_equal(list.count, 1);
        assert_int_equal(list.keys[0]->tag, one->tag);
        key_list_clear(&list);
    }
    signing_key_free(one);
    signing_key_free(other);
    end(&scene);
}

enum { NAMES = 24, STEPS = 4000 };

/* The files of a few keys of two zones, staged ones among them, by a number below NAMES. */
static char *some_path(const struct changing *scene, unsigned number)
{
    static const char *const suffixes[] = {"key", "private", "state", "private.0123abcd.new"};
    return mem_format("%s/K%s+013+0000%u.%s", scene->folder,
                      number % 2 == 0 ? "example.test." : "example.test.net.", number / 2 % 3,
                      suffixes[number / 6]);
}

/* Whatever happens in the folder, an index that follows knows what one that is new knows. The keys
 * are no keys, so that each that is found makes the result bad. */
static void an_index_that_follows_knows_what_a_new_one_knows(void **state)
{
    (void)state;
    struct changing scene;
    struct random_seeded random = {7};
    begin_in(&scene, "/tmp");
    for (int step = 0; step < STEPS; step++) {
        char *path = some_path(&scene, random_seeded_below(&random, NAMES));
        char *to = some_path(&scene, random_seeded_below(&random, NAMES));
        switch (random_seeded_below(&random, 3)) {
        case 0:
            assert_int_equal(file_write_unsynced(path, 0600, span_of_text("x")), SG_OK);
            break;
        case 1:
            (void)remove(path);
            break;
        default:
            (void)rename(path, to);
        }
        mem_free(path);
        mem_free(to);
        if (random_seeded_below(&random, 4) > 0) {
            continue;
        }
        struct keystore_index *fresh;
        struct key_list list;
        assert_int_equal(keystore_index_refresh(scene.index), SG_OK);
        const char *orphan = keystore_index_orphan(scene.index, &scene.zone);
        assert_int_equal(keystore_index_read(scene.folder, &fresh), SG_OK);
        const char *fresh_orphan = keystore_index_orphan(fresh, &scene.zone);
        assert_true((orphan == NULL) == (fresh_orphan == NULL));
        assert_true(orphan == NULL || strcmp(orphan, fresh_orphan) == 0);
        assert_int_equal(keystore_index_list(scene.index, &scene.zone, NULL, NULL, &list),
                         keystore_index_list(fresh, &scene.zone, NULL, NULL, &list));
        assert_int_equal(keystore_index_halves(scene.index, &scene.zone, NULL, NULL, &list),
                         keystore_index_halves(fresh, &scene.zone, NULL, NULL, &list));
        keystore_index_free(fresh);
    }
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_and_goes_is_noticed),
        cmocka_unit_test(another_folder_in_its_place_is_read),
        cmocka_unit_test(a_flood_of_changes_drowns_none),
        cmocka_unit_test(a_private_half_that_is_replaced_later_is_refused),
        cmocka_unit_test(an_index_that_follows_knows_what_a_new_one_knows),
    };
    return RUN_TABLE(cases, a_lost_private_half_is_found_and_nothing_else) +
           RUN_TABLE(halves, a_key_file_without_private_half_is_listed) +
           cmocka_run_group_tests_name("an index that follows", tests, NULL, NULL);
}
