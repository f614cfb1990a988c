/* Keys that are made and written, one by one and in batches. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "dnssec/keystore_scene.h"

static void the_private_file_is_for_its_owner_alone(void **state)
{
    (void)state;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    char *path = path_of(key, "private");
    assert_int_equal(mode_of(key, "private"), 0600);
    assert_int_equal(mode_of(key, "key"), 0644);
    assert_int_equal(mode_of(key, "state"), 0); /* only a policy keeps states */
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(keystore_write(key), SG_OK);
    assert_int_equal(mode_of(key, "private"), 0600);
    mem_free(path);
    signing_key_free(key);
}

static void states_are_written_and_read(void **state)
{
    (void)state;
    struct key_list found;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    key->state.present = true;
    key->state.has_roles = key->state.zsk = true;
    key->state.goal = KEY_STATE_OMNIPRESENT;
    key->state.records[KEY_RECORD_DNSKEY] = KEY_STATE_RUMOURED;
    key->state.changes[KEY_RECORD_DNSKEY] = 1795317163;
    key->times[KEY_SIG_PUBLISH] = 1795317164;
    assert_int_equal(keystore_write(key), SG_OK);
    assert_int_equal(mode_of(key, "state"), 0644);

    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    assert_memory_equal(&found.keys[0]->state, &key->state, sizeof(key->state));
    assert_memory_equal(found.keys[0]->times, key->times, sizeof(key->times));
    key_list_clear(&found);
    signing_key_free(key);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *listing = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(listing);
    return count;
}

static ino_t inode_of(const struct signing_key *key, const char *suffix)
{
    struct stat status;
    char *path = path_of(key, suffix);
    assert_int_equal(stat(path, &status), 0);
    mem_free(path);
    return status.st_ino;
}

static struct signing_key *stage(struct keystore_batch *batch, const char *zone_text)
{
    struct signing_key metadata;
    struct signing_key *key;
    struct dns_name zone = name_of(zone_text);
    signing_key_init(&metadata);
    metadata.state.present = true;
    const struct key_request request = {.folder = folder,
                                        .zone = &zone,
                                        .algorithm = DNSSEC_ED25519,
                                        .flags = 257,
                                        .metadata = &metadata};
    assert_int_equal(keystore_batch_generate(batch, &request, &key), SG_OK);
    return key;
}

static void a_batch_is_seen_only_when_it_is_committed(void **state)
{
    (void)state;
    struct key_list found;
    struct keystore_batch *batch = keystore_batch_new();
    for (int i = 0; i < 20; i++) {
        signing_key_free(stage(batch, "example."));
    }
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 0);
    key_list_clear(&found);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 20);
    assert_int_equal(count_files(), 60);
    assert_int_equal(mode_of(found.keys[0], "private"), 0600);
    assert_int_equal(mode_of(found.keys[0], "state"), 0644);
    key_list_clear(&found);
    assert_int_equal(keystore_batch_commit(batch), SG_OK); /* of nothing */
    keystore_batch_free(batch);
}

static void a_batch_goes_back_to_what_it_had(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    signing_key_free(stage(batch, "example."));
    size_t before = keystore_batch_count(batch);
    signing_key_free(stage(batch, "other."));
    assert_int_equal(count_files(), 6);
    keystore_batch_keep(batch, before);
    assert_int_equal(count_files(), 3);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(count_files(), 3);
    keystore_batch_free(batch);
}

/* Its .key and .state have room, and its .private has not: what is left would pass for a lost key.
 */
static void a_key_that_cannot_be_made_leaves_nothing_in_its_batch(void **state)
{
    (void)state;
    struct rlimit before;
    struct signing_key metadata, *key;
    struct dns_name zone = name_of("example.");
    struct keystore_batch *batch = keystore_batch_new();
    signing_key_init(&metadata);
    metadata.state.present = true;
    const struct key_request request = {.folder = folder,
                                        .zone = &zone,
                                        .algorithm = DNSSEC_RSASHA256,
                                        .flags = 257,
                                        .metadata = &metadata};
    signing_key_free(stage(batch, "example."));
    size_t count = keystore_batch_count(batch);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {1000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum sg_result result = keystore_batch_generate(batch, &request, &key);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_ptr_not_equal(signal(SIGXFSZ, handler), SIG_ERR);
    assert_int_equal(result, SG_NO_SPACE);
    assert_int_equal(keystore_batch_count(batch), count);
    assert_int_equal(count_files(), count);
    keystore_batch_free(batch);
}

static void a_batch_that_is_dropped_leaves_nothing(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    signing_key_free(stage(batch, "example."));
    assert_int_equal(count_files(), 3);
    keystore_batch_free(batch);
    keystore_batch_free(NULL);
    assert_int_equal(count_files(), 0);
}

static void a_key_that_is_written_again_in_a_batch_has_its_files_once(void **state)
{
    (void)state;
    struct key_list found;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *key = stage(batch, "example.");
    key->state.goal = KEY_STATE_OMNIPRESENT;
    key->times[KEY_PUBLISH] = 1700000000;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    assert_int_equal(count_files(), 3);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(count_files(), 3);
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.keys[0]->state.goal, KEY_STATE_OMNIPRESENT);
    assert_int_equal(found.keys[0]->times[KEY_PUBLISH], 1700000000);
    key_list_clear(&found);
    signing_key_free(key);
    keystore_batch_free(batch);
}

/* As the keeper does it: the successor is made before its predecessor is told to leave. What is cut
 * off in between is stood for by a name that cannot be given. */
static void a_batch_names_keys_that_were_there_before_new_ones(void **state)
{
    (void)state;
    struct key_list found;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *old = stage(batch, "example.");
    old->state.goal = KEY_STATE_OMNIPRESENT;
    assert_int_equal(keystore_batch_write(batch, old), SG_OK);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);

    struct signing_key *successor = stage(batch, "example.");
    old->state.goal = KEY_STATE_HIDDEN;
    assert_int_equal(keystore_batch_write(batch, old), SG_OK);
    char *taken = path_of(successor, "private");
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_int_equal(keystore_batch_commit(batch), SG_EXISTS);
    assert_int_equal(rmdir(taken), 0);
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.keys[0]->state.goal, KEY_STATE_HIDDEN);
    assert_int_equal(count_files(), 3);
    key_list_clear(&found);
    mem_free(taken);
    signing_key_free(old);
    signing_key_free(successor);
    keystore_batch_free(batch);
}

/* A .state that says what was done, beside times of before, would be believed. */
static void a_batch_names_the_state_of_a_key_that_was_there_last(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *key = stage(batch, "example.");
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    ino_t before = inode_of(key, "state");

    key->state.goal = KEY_STATE_HIDDEN;
    key->times[KEY_INACTIVE] = 1800000000;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    char *taken = path_of(key, "private");
    assert_int_equal(unlink(taken), 0);
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_int_not_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(rmdir(taken), 0);
    assert_int_equal(inode_of(key, "state"), before);
    mem_free(taken);
    signing_key_free(key);
    keystore_batch_free(batch);
}

static void files_that_would_be_the_same_are_left_alone(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *key = stage(batch, "example.");
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    ino_t before[] = {inode_of(key, "key"), inode_of(key, "private"), inode_of(key, "state")};
    key->state.goal = KEY_STATE_OMNIPRESENT;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    assert_int_equal(count_files(), 4);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(inode_of(key, "key"), before[0]);
    assert_int_equal(inode_of(key, "private"), before[1]);
    assert_int_not_equal(inode_of(key, "state"), before[2]);

    /* Back to what is on the disk before the batch is committed: the last word counts. */
    key->state.goal = KEY_STATE_HIDDEN;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    key->state.goal = KEY_STATE_OMNIPRESENT;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    struct key_list found;
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.keys[0]->state.goal, KEY_STATE_OMNIPRESENT);
    key_list_clear(&found);

    /* A mode that somebody widened is put right. */
    char *path = path_of(key, "private");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(mode_of(key, "private"), 0600);
    mem_free(path);
    signing_key_free(key);
    keystore_batch_free(batch);
}

static void a_new_key_never_replaces_another(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *key = stage(batch, "example.");
    struct buffer text;
    char *path = path_of(key, "private");
    write_text(key, "private", "someone else's");
    assert_int_equal(keystore_batch_commit(batch), SG_EXISTS);
    assert_int_equal(file_read(path, 4096, &text), SG_OK);
    assert_string_equal(buffer_text(&text), "someone else's");
    assert_int_equal(count_files(), 1); /* A .key left here would pass for that of a lost key. */
    buffer_free(&text);
    mem_free(path);
    keystore_batch_free(batch);
    signing_key_free(key);
}

static unsigned collisions;

static void count_collisions(void *argument, enum log_category category, int severity,
                             const char *line)
{
    static const char words[] = "keymgr: key collision id ";
    (void)argument;
    collisions += category == LOG_DNSSEC && severity == SEVERITY_INFO &&
                  strncmp(line, words, strlen(words)) == 0;
}

static void tags_that_are_taken_are_not_drawn(void **state)
{
    (void)state;
    static uint16_t tags[65536];
    struct key_tag_set taken = {tags, 0, 0, UINT16_MAX};
    struct signing_key metadata;
    struct signing_key *key;
    struct dns_name zone = name_of("example.");
    signing_key_init(&metadata);
    struct key_request request = {folder, &zone, DNSSEC_ED25519, 0, 257, &taken, &metadata};
    /* Only tags of 8 modulo 64 are free: one of 64 draws fits, and so does its revoked tag. */
    for (unsigned tag = 0; tag < 65536; tag++) {
        if (tag % 64 != 8) {
            tags[taken.count++] = (uint16_t)tag;
        }
    }
    collisions = 0;
    log_set_sink(count_collisions, NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(keystore_generate(&request, &key), SG_OK);
        assert_int_equal(key->tag % 64, 8);
        signing_key_free(key);
    }
    log_set_sink(NULL, NULL);
    assert_true(collisions > 0); /* All four at the first draw: one case of 16 millions. */

    const struct key_tag_set range = {NULL, 0, 30000, 40000};
    request.taken = &range;
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    assert_in_range(key->tag, 30000, 40000);
    signing_key_free(key);

    const struct key_tag_set none = {NULL, 0, 7, 6};
    request.taken = &none;
    assert_int_equal(keystore_generate(&request, &key), SG_LIMIT);
}

static void what_must_not_be_made_is_refused(void **state)
{
    (void)state;
    struct signing_key metadata;
    struct signing_key *key = NULL;
    struct dns_name zone = name_of("example.");
    signing_key_init(&metadata);
    const struct key_request old = {folder, &zone, 5, 0, 256, NULL, &metadata};
    const struct key_request small = {folder, &zone, 8, 512, 256, NULL, &metadata};
    const struct key_request nowhere = {"/nonexistent", &zone, 15, 0, 256, NULL, &metadata};
    assert_int_equal(keystore_generate(&old, &key), SG_UNSUPPORTED);
    assert_int_equal(keystore_generate(&small, &key), SG_LIMIT);
    assert_int_equal(keystore_generate(&nowhere, &key), SG_NOT_FOUND);
    assert_null(key);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_private_file_is_for_its_owner_alone),
        TEST(states_are_written_and_read),
        TEST(a_batch_is_seen_only_when_it_is_committed),
        TEST(a_batch_goes_back_to_what_it_had),
        TEST(a_key_that_cannot_be_made_leaves_nothing_in_its_batch),
        TEST(a_batch_that_is_dropped_leaves_nothing),
        TEST(a_key_that_is_written_again_in_a_batch_has_its_files_once),
        TEST(a_batch_names_keys_that_were_there_before_new_ones),
        TEST(a_batch_names_the_state_of_a_key_that_was_there_last),
        TEST(files_that_would_be_the_same_are_left_alone),
        TEST(a_new_key_never_replaces_another),
        TEST(tags_that_are_taken_are_not_drawn),
        TEST(what_must_not_be_made_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
