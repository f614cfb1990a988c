#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "keeper/key_folders.h"
#include "support/table.h"

struct scene {
    char path[40];
    struct key_folders *folders;
};

static const struct folder_case {
    const char *name;
    unsigned first_round, wished, second_round;
    bool sees_what_came_between;
} cases[] = {
    {"a wish from before the reading is served by it", 5, 4, 6, false},
    {"one of the same round is newer", 5, 5, 6, true},
    {"a later one as well", 5, 7, 8, true},
};

static bool is_seen(struct scene *scene, unsigned round, unsigned wished)
{
    struct dns_name zone;
    struct keystore_index *index;
    assert_int_equal(dns_name_from_text("example.test.", 13, NULL, &zone), SG_OK);
    key_folders_begin(scene->folders, round);
    assert_int_equal(key_folders_find(scene->folders, scene->path, wished, &index), SG_OK);
    return keystore_index_orphan(index, &zone) != NULL;
}

static void a_folder_is_read_again_for_newer_wishes_alone(void **state)
{
    const struct folder_case *c = *state;
    struct scene scene = {.path = "/tmp/signet-folders-XXXXXX", .folders = key_folders_new()};
    assert_non_null(mkdtemp(scene.path));
    assert_false(is_seen(&scene, c->first_round, 0));
    char *file = mem_format("%s/Kexample.test.+013+00001.state", scene.path);
    assert_int_equal(file_write_unsynced(file, 0600, span_of_text("x")), SG_OK);
    assert_int_equal(is_seen(&scene, c->second_round, c->wished), c->sees_what_came_between);
    assert_int_equal(remove(file), 0);
    assert_int_equal(remove(scene.path), 0);
    mem_free(file);
    key_folders_free(scene.folders);
}

static void many_folders_are_not_all_kept(void **state)
{
    (void)state;
    struct key_folders *folders = key_folders_new();
    struct keystore_index *index;
    assert_int_equal(key_folders_find(folders, "/nonexistent", 0, &index), SG_NOT_FOUND);
    for (int i = 0; i < 40; i++) {
        char path[64] = "/tmp";
        for (int deep = 0; deep < i % 20; deep++) {
            strcat(path, "/.");
        }
        assert_int_equal(key_folders_find(folders, path, 0, &index), SG_OK);
    }
    key_folders_free(folders);
    key_folders_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_folders_are_not_all_kept)};
    return RUN_TABLE(cases, a_folder_is_read_again_for_newer_wishes_alone) +
           cmocka_run_group_tests_name("key folders", tests, NULL, NULL);
}
