#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/backup.h"
#include "store/fixture.h"

/* Between the code and the C library: a disk that cannot read a folder to its end. */
static bool readdir_fails;

struct dirent *readdir(DIR *stream)
{
    static struct dirent *(*next)(DIR *);
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "readdir");
    }
    if (readdir_fails) {
        errno = EIO;
        return NULL;
    }
    return next(stream);
}

struct place {
    char *folder;
    char *backup, *keys, *store, *private_key, *tables;
};

static void write_text(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(file_write(path, mode, span_of_text(text)), SG_OK);
    assert_int_equal(chmod(path, mode), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777u;
}

static void assert_text(const char *path, const char *text)
{
    struct buffer contents = BUFFER_EMPTY;
    assert_int_equal(file_read(path, 1000, &contents), SG_OK);
    assert_string_equal(buffer_text(&contents), text);
    buffer_free(&contents);
}

/* A key folder, and a backup whose store is as if STORE_COPY had made it. */
static int begin(void **state)
{
    struct place *place = mem_alloc_zero(1, sizeof(*place));
    place->folder = folder_new();
    place->backup = mem_format("%s/backup", place->folder);
    place->keys = mem_format("%s/the keys", place->folder);
    place->store = mem_format("%s/store", place->folder);
    place->private_key = mem_format("%s/Kz.+013+00001.private", place->keys);
    place->tables = mem_format("%s/data.mdb", place->store);
    char *images = mem_format("%s/images", place->backup);
    char *image = mem_format("%s/0001-0002", images);
    char *tables = mem_format("%s/data.mdb", place->backup);
    char *public_key = mem_format("%s/Kz.+013+00001.key", place->keys);
    char *other = mem_format("%s/rndc.key", place->keys);
    assert_int_equal(file_make_folder(images, 0700), SG_OK);
    assert_int_equal(file_make_folder(place->keys, 0750), SG_OK);
    write_text(image, "image", 0600);
    write_text(tables, "tables", 0600);
    write_text(place->private_key, "secret", 0640);
    write_text(public_key, "public", 0644);
    write_text(other, "no key of a zone", 0600);
    mem_free(other);
    mem_free(public_key);
    mem_free(tables);
    mem_free(image);
    mem_free(images);
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    folder_free(place->folder);
    mem_free(place->backup);
    mem_free(place->keys);
    mem_free(place->store);
    mem_free(place->private_key);
    mem_free(place->tables);
    mem_free(place);
    return 0;
}

static void finish(const struct place *place)
{
    char *problem = NULL;
    /* The same folder by another name is saved once; one that is not there has no keys. */
    char *again = mem_format("%s/../the keys", place->keys);
    char *nowhere = mem_format("%s/nowhere", place->folder);
    const char *folders[] = {place->keys, again, nowhere};
    assert_int_equal(backup_finish(place->backup, folders, 3, 1795000000, &problem), SG_OK);
    assert_null(problem);
    mem_free(nowhere);
    mem_free(again);
}

static void restore(const struct place *place, const char *aside, enum sg_result expected)
{
    const struct backup_restore request = {
        .backup = place->backup, .store = place->store, .set_aside = aside};
    char *problem = NULL;
    size_t keys = 0;
    assert_int_equal(backup_restore(&request, &keys, &problem), expected);
    assert_int_equal(problem == NULL, expected == SG_OK);
    assert_int_equal(keys, expected == SG_OK);
    mem_free(problem);
}

static void a_backup_has_keys_with_their_modes_and_says_whence(void **state)
{
    const struct place *place = *state;
    finish(place);
    char *saved = mem_format("%s/keys/1/Kz.+013+00001.private", place->backup);
    char *public_key = mem_format("%s/keys/1/Kz.+013+00001.key", place->backup);
    char *other = mem_format("%s/keys/1/rndc.key", place->backup);
    char *second = mem_format("%s/keys/2", place->backup);
    assert_text(saved, "secret");
    assert_int_equal(mode_of(saved), 0600);
    assert_int_equal(mode_of(public_key), 0644);
    assert_int_not_equal(access(other, F_OK), 0);
    assert_int_not_equal(access(second, F_OK), 0);
    mem_free(second);
    mem_free(other);
    mem_free(public_key);
    mem_free(saved);
}

static void fail_to_finish(const struct place *place)
{
    char *problem = NULL;
    const char *folders[] = {place->keys, place->private_key}; /* a file is no folder */
    assert_int_not_equal(backup_finish(place->backup, folders, 2, 1795000000, &problem), SG_OK);
    assert_non_null(problem);
    mem_free(problem);
}

static void a_backup_that_fails_is_not_left_behind(void **state)
{
    const struct place *place = *state;
    fail_to_finish(place);
    assert_int_not_equal(access(place->backup, F_OK), 0);
    assert_text(place->private_key, "secret");
}

static void what_others_put_into_a_failed_backup_stays(void **state)
{
    const struct place *place = *state;
    char *stranger = mem_format("%s/notes", place->backup);
    char *tables = mem_format("%s/data.mdb", place->backup);
    write_text(stranger, "not ours", 0600);
    fail_to_finish(place);
    assert_text(stranger, "not ours");
    assert_int_not_equal(access(tables, F_OK), 0);
    mem_free(tables);
    mem_free(stranger);
}

static void everything_comes_back(void **state)
{
    const struct place *place = *state;
    finish(place);
    folder_free(mem_copy_text(place->keys));
    restore(place, NULL, SG_OK);
    char *image = mem_format("%s/images/0001-0002", place->store);
    assert_text(image, "image");
    assert_text(place->tables, "tables");
    assert_text(place->private_key, "secret");
    assert_int_equal(mode_of(place->private_key), 0600);
    mem_free(image);
}

static void what_is_in_the_way_stays_as_it_is(void **state)
{
    const struct place *place = *state;
    finish(place);
    write_text(place->private_key, "another", 0600);
    restore(place, NULL, SG_EXISTS);
    assert_text(place->private_key, "another");
    assert_int_not_equal(access(place->tables, F_OK), 0);
    restore(place, ".aside", SG_OK);
    char *aside = mem_format("%s.aside", place->private_key);
    assert_text(aside, "another");
    assert_text(place->private_key, "secret");
    mem_free(aside);
    restore(place, NULL, SG_EXISTS); /* the store */
}

static void assert_owner(const char *folder, const char *name, uid_t uid)
{
    struct stat status;
    char *path = mem_format("%s%s", folder, name);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, uid);
    assert_int_equal(status.st_gid, uid);
    mem_free(path);
}

/* Root restores; the server has a user of its own, who must be able to write there. */
static void what_root_restores_is_the_server_s(void **state)
{
    const struct place *place = *state;
    enum { SERVER = 65534, OTHER = 65533 };
    if (geteuid() != 0) {
        skip();
    }
    finish(place);
    char *saved = mem_format("%s/data.mdb", place->backup);
    assert_int_equal(chown(saved, SERVER, SERVER), 0);
    folder_free(mem_copy_text(place->keys));
    char *deep = mem_format("%s/var/lib/store", place->folder);
    const struct place elsewhere = {.backup = place->backup, .store = deep};
    restore(&elsewhere, NULL, SG_OK);
    static const char *const made[] = {"/../", "", "/images", "/signetd.lock", "/data.mdb"};
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        assert_owner(deep, made[i], SERVER);
    }
    assert_owner(place->keys, "", SERVER);

    /* A folder that is there already knows better. */
    assert_int_equal(mkdir(place->store, 0700), 0);
    assert_int_equal(chown(place->store, OTHER, OTHER), 0);
    restore(place, NULL, SG_OK);
    assert_owner(place->store, "/images", OTHER);
    assert_owner(place->store, "/signetd.lock", OTHER);
    mem_free(deep);
    mem_free(saved);
}

static void a_store_in_use_is_left_alone(void **state)
{
    const struct place *place = *state;
    finish(place);
    assert_int_equal(file_make_folder(place->store, 0700), SG_OK);
    char *path = mem_format("%s/signetd.lock", place->store);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    restore(place, ".aside", SG_CONFLICT);
    close(fd);
    restore(place, NULL, SG_OK);
    mem_free(path);
}

/* Of a folder that is read in part, some keys would be missing without a word. */
static void half_a_folder_is_not_saved_for_the_whole(void **state)
{
    const struct place *place = *state;
    const char *folders[] = {place->keys};
    char *problem = NULL;
    readdir_fails = true;
    assert_int_equal(backup_finish(place->backup, folders, 1, 1795000000, &problem), SG_IO);
    assert_non_null(strstr(problem, "the keys': "));
    mem_free(problem);
    readdir_fails = false;
}

static void half_a_folder_is_not_restored_for_the_whole(void **state)
{
    const struct place *place = *state;
    finish(place);
    readdir_fails = true;
    restore(place, NULL, SG_IO);
    readdir_fails = false;
    assert_int_not_equal(access(place->tables, F_OK), 0);
}

static void half_a_backup_is_none(void **state)
{
    const struct place *place = *state;
    restore(place, NULL, SG_NOT_FOUND); /* no manifest yet */
    assert_int_not_equal(access(place->store, F_OK), 0);
}

int main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH_PLACE(a_backup_has_keys_with_their_modes_and_says_whence),
        WITH_PLACE(a_backup_that_fails_is_not_left_behind),
        WITH_PLACE(what_others_put_into_a_failed_backup_stays),
        WITH_PLACE(everything_comes_back),
        WITH_PLACE(what_is_in_the_way_stays_as_it_is),
        WITH_PLACE(what_root_restores_is_the_server_s),
        WITH_PLACE(a_store_in_use_is_left_alone),
        WITH_PLACE(half_a_folder_is_not_saved_for_the_whole),
        WITH_PLACE(half_a_folder_is_not_restored_for_the_whole),
        WITH_PLACE(half_a_backup_is_none),
    };
    return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
