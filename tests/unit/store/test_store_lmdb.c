#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/fixture.h"

/* ---- the system's calls, failing when they are told to ---- */

enum { META_BYTES_MAX = 1024 }; /* LMDB writes pages, and smaller pieces of its meta pages alone */

static struct {
    _Atomic int sync_fails;       /* in how many calls; 0: it does not */
    _Atomic int meta_fails;       /* the same; -1: every one */
    _Atomic bool meta_is_written; /* by a call that fails all the same */
    _Atomic int syncs;
} calls;

static bool is_due(_Atomic int *count)
{
    int left = atomic_load(count);
    if (left > 0) {
        atomic_store(count, left - 1);
    }
    return left == 1;
}

/* A folder that was synced, and how many names it had then. */
struct synced {
    ino_t inode;
    size_t names;
};
static struct synced synced[64];
static size_t synced_count;

int fsync(int fd);
int fdatasync(int fd);
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at);

int fdatasync(int fd)
{
    static int (*next)(int);
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    }
    calls.syncs++;
    if (is_due(&calls.sync_fails)) {
        errno = EIO;
        return -1;
    }
    return next(fd);
}

static size_t count_names(int fd)
{
    size_t names = 0;
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fdopendir(again);
    assert_non_null(directory);
    while (readdir(directory) != NULL) {
        names++;
    }
    closedir(directory);
    return names;
}

int fsync(int fd)
{
    static int (*next)(int);
    struct stat status;
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "fsync");
    }
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) && synced_count < 64) {
        synced[synced_count++] = (struct synced){status.st_ino, count_names(fd)};
    }
    return next(fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    static ssize_t (*next)(int, const void *, size_t, off_t);
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "pwrite");
    }
    bool is_meta = length < META_BYTES_MAX;
    if (is_meta && calls.meta_fails == -1) {
        errno = EIO; /* also LMDB's attempt to write the old one back */
        return -1;
    }
    if (is_meta && is_due(&calls.meta_fails)) {
        if (calls.meta_is_written) {
            (void)!next(fd, bytes, length, at);
            calls.meta_fails = 1; /* the old one is not written back either */
            calls.meta_is_written = false;
        }
        errno = EIO;
        return -1;
    }
    return next(fd, bytes, length, at);
}

/* ---- */

static char *folder;
static struct store *store;
static struct watch watch;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    store = NULL;
    watch = (struct watch){SG_OK, 0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_free(store);
    folder_free(folder);
    calls.sync_fails = 0;
    calls.meta_fails = 0;
    return 0;
}

static void start(bool threads)
{
    store = store_on(open_lmdb(folder), threads, &watch);
}

static void restart(void)
{
    store_free(store);
    start(false);
}

static void many_zones_survive_closing(void **state)
{
    (void)state;
    enum { ZONES = 500 };
    char identity[32];
    start(false);
    for (uint64_t i = 1; i <= ZONES; i++) {
        snprintf(identity, sizeof(identity), "zone %u", (unsigned)i);
        assert_int_equal(zone_id(store, identity), i);
        for (uint64_t number = 1; number <= 1 + i % 4; number++) {
            assert_int_equal(commit(store, i, number), SG_OK);
        }
    }
    restart();
    for (uint64_t i = ZONES; i >= 1; i--) {
        snprintf(identity, sizeof(identity), "zone %u", (unsigned)i);
        assert_int_equal(zone_id(store, identity), i);
        assert_zone(store, identity, 1, 1 + i % 4);
    }
}

static void a_commit_is_synced_before_it_is_acknowledged(void **state)
{
    (void)state;
    start(true);
    uint64_t a = zone_id(store, "a");
    for (uint64_t number = 1; number <= 5; number++) {
        int before = calls.syncs;
        assert_int_equal(commit(store, a, number), SG_OK);
        assert_true(calls.syncs > before);
    }
}

static void a_second_opener_is_refused(void **state)
{
    (void)state;
    char *problem = NULL;
    char wanted[300];
    struct store_io io;
    start(false);
    assert_int_equal(store_lmdb_open(folder, &io, &problem), SG_EXISTS);
    snprintf(wanted, sizeof(wanted),
             "another server is running: process %ld holds the lock '%s/signetd.lock'",
             (long)getpid(), folder);
    assert_string_equal(problem, wanted);
    mem_free(problem);
    store_free(store);
    start(false);
}

static void the_folder_is_made_and_closed_to_others(void **state)
{
    (void)state;
    char path[200];
    struct stat status;
    snprintf(path, sizeof(path), "%s/a/b", folder);
    struct store_io io = open_lmdb(path);
    io.close(io.argument);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    snprintf(path, sizeof(path), "%s/a/b/data.mdb", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* All names that are in the folder now were when it was last synced. */
static void assert_names_are_durable(const char *path)
{
    struct stat status;
    size_t names = 0;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &status), 0);
    for (size_t i = 0; i < synced_count; i++) {
        names = synced[i].inode == status.st_ino ? synced[i].names : names;
    }
    assert_int_equal(names, count_names(fd));
    close(fd);
}

/* What is committed to a new store is not lost with the names of its files. */
static void the_names_of_a_new_store_are_durable(void **state)
{
    (void)state;
    static const char *const folders[] = {"", "/a", "/a/b"};
    char path[200];
    synced_count = 0;
    snprintf(path, sizeof(path), "%s/a/b", folder);
    struct store_io io = open_lmdb(path);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, folders[i]);
        assert_names_are_durable(path);
    }
    io.close(io.argument);
}

static void what_is_no_store_is_refused(void **state)
{
    (void)state;
    char path[200], text[8192];
    char *problem = NULL;
    struct store_io io;
    memset(text, 'x', sizeof(text));
    snprintf(path, sizeof(path), "%s/data.mdb", folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
    close(fd);
    assert_int_equal(store_lmdb_open(folder, &io, &problem), SG_MALFORMED);
    assert_non_null(strstr(problem, folder));
    mem_free(problem);
    problem = NULL;
    assert_int_equal(store_lmdb_open("/dev/null/store", &io, &problem), SG_IO);
    mem_free(problem);
}

static enum sg_result commit_large(uint64_t zone, uint64_t number, size_t bytes)
{
    struct commit_text text;
    struct store_request request = commit_request(zone, number, &text);
    char *large = mem_alloc_zero(1, bytes);
    request.record.changeset = (struct span){(const uint8_t *)large, bytes};
    enum sg_result result = ask(store, &request);
    mem_free(large);
    return result;
}

static void the_map_grows(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit_large(a, 1, (size_t)66 << 20), SG_OK); /* more than all there was */
    assert_int_equal(watch.changes, 0);
    restart();
    assert_int_equal(commit(store, a, 2), SG_OK);
    const struct store_io *io = store_images(store);
    uint8_t key[STORE_LOG_KEY_BYTES];
    struct span record;
    store_put_u64(key, a);
    store_put_u64(key + 8, 1);
    struct span where = {key, sizeof(key)};
    assert_int_equal(io->get(io->argument, STORE_COMMITS, where, &record), SG_OK);
    assert_int_equal(record.length, ((size_t)66 << 20) + STORE_COMMIT_HEADER_BYTES + 7);
}

static void a_full_disk_is_survived(void **state)
{
    (void)state;
    struct rlimit before, small;
    signal(SIGXFSZ, SIG_IGN);
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){1 << 20, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(commit_large(a, 2, 2 << 20), SG_NO_SPACE);
    assert_int_equal(watch.last, SG_NO_SPACE);
    assert_zone(store, "a", 1, 1);
    assert_int_equal(commit(store, a, 2), SG_OK); /* there is room for a small one */
    assert_int_equal(commit_large(a, 3, 2 << 20), SG_NO_SPACE);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(commit(store, a, 3), SG_OK);
    assert_int_equal(watch.last, SG_OK);
    assert_zone(store, "a", 1, 3);
    restart();
    assert_zone(store, "a", 1, 3);
}

static void a_failed_sync_is_survived(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    calls.sync_fails = 1;
    assert_int_equal(commit(store, a, 2), SG_IO);
    assert_int_equal(calls.sync_fails, 0);
    assert_zone(store, "a", 1, 1);
    assert_int_equal(commit(store, a, 2), SG_OK);
    restart();
    assert_zone(store, "a", 1, 2);
}

static void a_meta_page_that_was_not_written_has_failed(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    calls.meta_fails = 1;
    assert_int_equal(commit(store, a, 2), SG_IO);
    assert_int_equal(calls.meta_fails, 0);
    assert_int_equal(store_health(store), SG_OK); /* opened again, and tried */
    assert_int_equal(watch.changes, 2);
    assert_int_equal(commit(store, a, 2), SG_OK);
    restart();
    assert_zone(store, "a", 1, 2);
}

static void a_meta_page_that_was_written_counts(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    calls.meta_fails = 1;
    calls.meta_is_written = true;
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_int_equal(watch.changes, 2);
    assert_int_equal(commit(store, a, 3), SG_OK);
    restart();
    assert_zone(store, "a", 1, 3);
}

/* Its own batch alone: whether that is on the disk nobody can tell yet. */
static void a_meta_page_that_cannot_be_written_at_all_holds_up_no_other(void **state)
{
    (void)state;
    struct mailbox box;
    struct commit_text text;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    calls.meta_fails = -1;
    struct store_request request = commit_request(a, 2, &text);
    request.reply = &box;
    store_submit(store, &request);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(commit(store, a, 2), SG_IO);
        assert_zone(store, "a", 1, 1);
    }
    assert_null(mailbox_take(&box));
    calls.meta_fails = 0;
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_IO);
    note_problem(&request);
    mailbox_clear(&box);
    restart();
    assert_zone(store, "a", 1, 2);
}

static void orphan_images_are_removed_when_the_store_opens(void **state)
{
    (void)state;
    start(false);
    const struct store_io *io = store_images(store);
    uint64_t a = zone_id(store, "a");
    struct store_image *unfinished;
    write_image(io, a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    assert_int_equal(commit_image(store, a, 2, "small", 0), SG_OK);
    write_image(io, a, 1, "named no more");
    write_image(io, a, 2, "the image of this number is small");
    write_image(io, a, 3, "never named");
    write_image(io, a + 1, 1, "of another zone");
    write_image(io, a, 4, "named");
    assert_int_equal(commit(store, a, 3), SG_OK);
    assert_int_equal(commit_image(store, a, 4, "", 0), SG_OK);
    assert_int_equal(io->image_create(io->argument, a, 5, &unfinished), SG_OK);
    restart();
    io = store_images(store);
    assert_false(has_image(io, a, 1) || has_image(io, a, 2) || has_image(io, a, 3));
    assert_false(has_image(io, a + 1, 1));
    assert_true(has_image(io, a, 4));
    assert_int_equal(io->image_append(unfinished, span_of_text("gone")), SG_OK);
    assert_int_not_equal(io->image_finish(unfinished, true), SG_OK);
}

static void a_damaged_record_is_told_loudly(void **state)
{
    (void)state;
    uint8_t key[STORE_LOG_KEY_BYTES];
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    const struct store_io *io = store_images(store);
    store_put_u64(key, a);
    store_put_u64(key + 8, 1);
    assert_int_equal(io->begin(io->argument), SG_OK);
    assert_int_equal(io->put(io->argument, STORE_COMMITS, (struct span){key, sizeof(key)},
                             span_of_text("no commit record at all")),
                     SG_OK);
    assert_int_equal(io->commit(io->argument), SG_OK);
    assert_null(open_zone(store, "a", SG_MALFORMED));
    assert_string_equal(problem_seen, "record of commit 1: malformed");
}

static void a_copy_made_while_running_is_a_store(void **state)
{
    (void)state;
    char path[200];
    start(true);
    const struct store_io *io = store_images(store);
    uint64_t a = zone_id(store, "a"), b = zone_id(store, "b");
    write_image(io, a, 1, "large");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    assert_int_equal(commit(store, b, 1), SG_OK);
    snprintf(path, sizeof(path), "%s/backup", folder);
    struct store_request request = {.kind = STORE_COPY, .path = path};
    assert_int_equal(ask(store, &request), SG_OK);
    assert_int_equal(ask(store, &request), SG_EXISTS);
    write_image(io, a, 2, "larger");
    assert_int_equal(commit_image(store, a, 2, "", 0), SG_OK);
    assert_int_equal(commit(store, b, 2), SG_OK);
    store_free(store);
    store = store_on(open_lmdb(path), false, &watch);
    assert_zone(store, "a", 1, 1);
    assert_zone(store, "b", 1, 1);
    assert_true(has_image(store_images(store), a, 1));
    assert_int_equal(commit(store, b, 2), SG_OK);
}

static void a_copy_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct rlimit before, small;
    char path[200];
    signal(SIGXFSZ, SIG_IGN);
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit_large(a, 1, 2 << 20), SG_OK);
    snprintf(path, sizeof(path), "%s/backup", folder);
    struct store_request request = {.kind = STORE_COPY, .path = path};
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){1 << 20, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(ask(store, &request), SG_NO_SPACE);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_int_equal(watch.changes, 0); /* the disk of the store is another one, or it will tell */
    assert_int_equal(ask(store, &request), SG_OK);
}

/* Commit and tell each one that was acknowledged, until the end. */
static _Noreturn void commit_for_ever(int pipe_fd)
{
    start(true);
    struct store_zone *zone = open_zone(store, "a", SG_OK);
    for (uint64_t number = zone->last + 1;; number++) {
        enum sg_result result = number % 7 == 0 ? commit_image(store, zone->zone, number, "i", 0)
                                                : commit(store, zone->zone, number);
        if (result != SG_OK || write(pipe_fd, &number, sizeof(number)) != sizeof(number)) {
            _exit(1);
        }
        if (number % 10 == 0 && trim(store, zone->zone, number - 5) != SG_OK) {
            _exit(1);
        }
    }
}

static void kill_9_loses_nothing_acknowledged(void **state)
{
    (void)state;
    enum { KILLS = 8 };
    uint64_t acknowledged = 0;
    for (int i = 0; i < KILLS; i++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        if (child == 0) {
            commit_for_ever(fds[1]);
        }
        close(fds[1]);
        uint64_t until = acknowledged + 20 + (uint64_t)i * 7;
        while (acknowledged < until) {
            assert_int_equal(read(fds[0], &acknowledged, sizeof(acknowledged)),
                             sizeof(acknowledged));
        }
        kill(child, SIGKILL);
        while (read(fds[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged)) {
        }
        close(fds[0]);
        waitpid(child, NULL, 0);
        start(false);
        struct store_zone *zone = open_zone(store, "a", SG_OK);
        assert_true(zone->last == acknowledged || zone->last == acknowledged + 1);
        assert_records(zone, zone->records_first, zone->last);
        acknowledged = zone->last;
        store_zone_free(zone);
        store_free(store);
        store = NULL;
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kill_9_loses_nothing_acknowledged), /* first: it forks, so no thread was there yet */
        TEST(many_zones_survive_closing),
        TEST(a_commit_is_synced_before_it_is_acknowledged),
        TEST(a_second_opener_is_refused),
        TEST(the_folder_is_made_and_closed_to_others),
        TEST(the_names_of_a_new_store_are_durable),
        TEST(what_is_no_store_is_refused),
        TEST(the_map_grows),
        TEST(a_full_disk_is_survived),
        TEST(a_failed_sync_is_survived),
        TEST(a_meta_page_that_was_not_written_has_failed),
        TEST(a_meta_page_that_was_written_counts),
        TEST(a_meta_page_that_cannot_be_written_at_all_holds_up_no_other),
        TEST(orphan_images_are_removed_when_the_store_opens),
        TEST(a_damaged_record_is_told_loudly),
        TEST(a_copy_made_while_running_is_a_store),
        TEST(a_copy_that_fails_leaves_nothing),
    };
    return cmocka_run_group_tests_name("store_lmdb", tests, NULL, NULL);
}
