#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/log_channels.h"

enum { FILE_BYTES_MAX = 64 << 20, WRITERS = 4, LINES_EACH = 3000, PATH_BYTES = 256 };

#define DEADLINE_NS 10000000000ULL

static const struct log_defaults defaults = {.stderr_always = false, .foreground = true};

struct world {
    char folder[64];
    char path[PATH_BYTES];
    struct conf_channel channels[3]; /* 1 is the file */
    struct conf_logging logging;
    struct log_channels *log;
};

static void send_all_to(struct world *world, unsigned char channel)
{
    for (unsigned category = 0; category < LOG_CATEGORIES; category++) {
        world->logging.categories[category] =
            (struct conf_category){.channels = {channel}, .count = 1};
    }
}

static int set_up(void **state)
{
    struct world *world = mem_alloc_zero(1, sizeof(*world));

    strcpy(world->folder, "/tmp/signet-log-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof(world->path), "%s/server.log", world->folder);
    world->channels[0] = (struct conf_channel){.name = "default_syslog", .kind = CONF_LOG_SYSLOG};
    world->channels[1] = (struct conf_channel){
        .name = "file", .kind = CONF_LOG_FILE, .path = world->path, .severity = SEVERITY_INFO};
    world->channels[2] = (struct conf_channel){.name = "nothing", .kind = CONF_LOG_NULL};
    world->logging.channels = world->channels;
    world->logging.channels_count = 3;
    send_all_to(world, 1);
    assert_int_equal(log_channels_new(&defaults, &world->log), SG_OK);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    DIR *folder = opendir(world->folder);

    log_channels_free(world->log);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[PATH_BYTES + 64];
        snprintf(path, sizeof(path), "%.64s/%.200s", world->folder, entry->d_name);
        (void)unlink(path);
    }
    closedir(folder);
    assert_int_equal(rmdir(world->folder), 0);
    mem_free(world);
    return 0;
}

static void configure(struct world *world)
{
    assert_int_equal(log_channels_configure(world->log, &world->logging), SG_OK);
}

/* What the file says; the caller frees. "" when it is not there. */
static char *contents(const struct world *world, const char *suffix)
{
    struct buffer text = BUFFER_EMPTY;
    char path[PATH_BYTES + 64];

    snprintf(path, sizeof(path), "%s%s", world->path, suffix);
    if (file_read(path, FILE_BYTES_MAX, &text) != SG_OK) {
        return mem_copy_text("");
    }
    char *copy = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return copy;
}

static void assert_contents(const struct world *world, const char *suffix, const char *expected)
{
    char *text = contents(world, suffix);

    assert_string_equal(text, expected);
    mem_free(text);
}

static void a_line_has_what_the_channel_prints(void **state)
{
    struct world *world = *state;

    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "plain");
    world->channels[1].print_category = true;
    configure(world);
    log_write(LOG_XFER_OUT, SEVERITY_NOTICE, "with category");
    world->channels[1].print_severity = true;
    configure(world);
    log_write(LOG_DNSSEC, SEVERITY_WARNING, "with both");
    assert_contents(world, "", "plain\nxfer-out: with category\ndnssec: warning: with both\n");
}

/* '9' stands for any digit, 'A' for any letter. */
static bool looks_like(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; text++, pattern++) {
        bool digit = *text >= '0' && *text <= '9';
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (*pattern == '9' ? !digit : *pattern == 'A' ? !letter : *text != *pattern) {
            return false;
        }
    }
    return true;
}

static void times_look_like_bind_s(void **state)
{
    struct world *world = *state;

    world->channels[1].print_time = true;
    world->channels[1].print_category = true;
    world->channels[1].print_severity = true;
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "x");
    char *text = contents(world, "");
    assert_true(looks_like(text, "99-AAA-9999 99:99:99.999 general: info: x\n"));
    mem_free(text);

    world->channels[1].print_time_iso = true;
    assert_int_equal(truncate(world->path, 0), 0);
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "x");
    text = contents(world, "");
    assert_true(looks_like(text, "9999-99-99T99:99:99.999 general: info: x\n"));
    mem_free(text);

    world->channels[1].print_time_utc = true;
    assert_int_equal(truncate(world->path, 0), 0);
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "x");
    text = contents(world, "");
    assert_true(looks_like(text, "9999-99-99T99:99:99.999Z general: info: x\n"));
    mem_free(text);
}

static void a_category_goes_where_it_is_sent(void **state)
{
    struct world *world = *state;

    world->logging.categories[LOG_SECURITY] =
        (struct conf_category){.channels = {2}, .count = 1, .set = true};
    world->logging.categories[LOG_QUERIES] = (struct conf_category){.count = 0, .set = true};
    world->logging.categories[LOG_NOTIFY] =
        (struct conf_category){.channels = {1, 1}, .count = 2, .set = true};
    configure(world);
    log_write(LOG_SECURITY, SEVERITY_INFO, "to null");
    log_write(LOG_QUERIES, SEVERITY_INFO, "to no channel");
    log_write(LOG_NOTIFY, SEVERITY_INFO, "twice");
    log_write(LOG_ZONE, SEVERITY_INFO, "by default");
    assert_contents(world, "", "twice\ntwice\nby default\n");
}

static void a_channel_that_nobody_uses_makes_no_file(void **state)
{
    struct world *world = *state;

    send_all_to(world, 2);
    configure(world);
    assert_int_equal(access(world->path, F_OK), -1);
}

static void severities_follow_the_debug_level(void **state)
{
    struct world *world = *state;

    world->channels[1].severity = SEVERITY_WARNING;
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "too small");
    log_write(LOG_GENERAL, SEVERITY_WARNING, "warning");
    world->channels[1].severity = INT_MAX; /* dynamic */
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_DEBUG, "no debugging yet");
    log_channels_set_debug(world->log, 2);
    assert_int_equal(log_channels_debug(world->log), 2);
    log_write(LOG_GENERAL, SEVERITY_DEBUG + 1, "debug 2");
    log_write(LOG_GENERAL, SEVERITY_DEBUG + 2, "debug 3");
    world->channels[1].severity = SEVERITY_DEBUG + 4; /* debug 5, once there is any */
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_DEBUG + 4, "debug 5");
    log_channels_set_debug(world->log, 0);
    log_write(LOG_GENERAL, SEVERITY_DEBUG, "debugging is over");
    assert_contents(world, "", "warning\ndebug 2\ndebug 5\n");
}

static void a_full_file_is_rolled_and_old_ones_are_counted(void **state)
{
    struct world *world = *state;

    world->channels[1].size_bytes_max = 4;
    world->channels[1].versions = 2;
    configure(world);
    for (int i = 0; i < 5; i++) {
        log_write(LOG_GENERAL, SEVERITY_INFO, "%d234", i);
        log_write(LOG_GENERAL, SEVERITY_INFO, "%d+", i); /* Full, but no line is lost. */
        log_channels_tend(world->log);
    }
    assert_contents(world, "", "");
    assert_contents(world, ".0", "4234\n4+\n");
    assert_contents(world, ".1", "3234\n3+\n");
    assert_contents(world, ".2", "");
}

static void rolled_by_time_the_youngest_stay(void **state)
{
    struct world *world = *state;
    unsigned found = 0;

    world->channels[1].size_bytes_max = 4;
    world->channels[1].versions = 2;
    world->channels[1].suffix_is_timestamp = true;
    configure(world);
    for (int i = 0; i < 4; i++) {
        log_write(LOG_GENERAL, SEVERITY_INFO, "%d234", i);
        log_write(LOG_GENERAL, SEVERITY_INFO, "%d+", i);
        log_channels_tend(world->log); /* Perhaps within the millisecond of the one before. */
    }
    DIR *folder = opendir(world->folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!looks_like(entry->d_name, "server.log.99999999999999999")) {
            continue;
        }
        found++;
        char *text = contents(world, entry->d_name + strlen("server.log"));
        assert_true(strcmp(text, "2234\n2+\n") == 0 || strcmp(text, "3234\n3+\n") == 0);
        mem_free(text);
    }
    closedir(folder);
    assert_int_equal(found, 2);
}

static void a_full_file_without_versions_takes_no_more(void **state)
{
    struct world *world = *state;

    world->channels[1].size_bytes_max = 4;
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "1234");
    log_write(LOG_GENERAL, SEVERITY_INFO, "lost");
    log_channels_tend(world->log);
    assert_contents(world, "", "1234\n");
}

static void a_file_with_versions_but_no_size_is_rolled_at_the_start_only(void **state)
{
    struct world *world = *state;

    assert_int_equal(file_write(world->path, 0644, span_of_text("of the last run\n")), SG_OK);
    world->channels[1].versions = 3;
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "of this run");
    log_channels_started(world->log);
    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "after a reload");
    assert_contents(world, "", "of this run\nafter a reload\n");
    assert_contents(world, ".0", "of the last run\n");
    assert_contents(world, ".1", "");
}

static void a_file_that_was_moved_away_is_opened_again(void **state)
{
    struct world *world = *state;
    char moved[PATH_BYTES + 8];

    configure(world);
    log_write(LOG_GENERAL, SEVERITY_INFO, "before");
    snprintf(moved, sizeof(moved), "%s.old", world->path);
    assert_int_equal(rename(world->path, moved), 0);
    log_write(LOG_GENERAL, SEVERITY_INFO, "still there");
    log_channels_reopen(world->log);
    log_write(LOG_GENERAL, SEVERITY_INFO, "after");
    assert_contents(world, ".old", "before\nstill there\n");
    assert_contents(world, "", "after\n");
}

static void what_cannot_be_opened_changes_nothing(void **state)
{
    struct world *world = *state;

    configure(world);
    world->channels[1].path = "/nonexistent/folder/file";
    assert_int_equal(log_channels_configure(world->log, &world->logging), SG_IO);
    char *text = contents(world, "");
    assert_string_equal(text, "logging channel 'file' file '/nonexistent/folder/file': "
                              "No such file or directory\n");
    mem_free(text);
}

static unsigned lines_written; /* atomic */

static void *write_lines(void *argument)
{
    for (int i = 0; i < LINES_EACH; i++) {
        log_write(LOG_GENERAL, SEVERITY_INFO, "writer %d line %d", *(int *)argument, i);
        __atomic_fetch_add(&lines_written, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Until some writer has got on since `before`, or all have ended. */
static void let_writers_in(unsigned before)
{
    uint64_t deadline_ns = time_monotonic_ns() + DEADLINE_NS;

    while (__atomic_load_n(&lines_written, __ATOMIC_RELAXED) == before &&
           before < WRITERS * LINES_EACH) {
        assert_true(time_monotonic_ns() < deadline_ns);
        sched_yield();
    }
}

static unsigned count_lines(const struct world *world, const char *suffix)
{
    char *text = contents(world, suffix);
    unsigned lines = 0;

    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        assert_memory_equal(at, "writer ", 7); /* No line is torn by another. */
        lines++;
    }
    mem_free(text);
    return lines;
}

static void no_line_is_lost_while_files_are_rolled_and_tables_replaced(void **state)
{
    struct world *world = *state;
    pthread_t threads[WRITERS];
    int numbers[WRITERS];
    unsigned lines = 0;

    world->channels[1].size_bytes_max = 20000;
    world->channels[1].versions = 1000;
    configure(world);
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < 300; i++) {
        unsigned before = __atomic_load_n(&lines_written, __ATOMIC_RELAXED);
        log_channels_tend(world->log);
        configure(world);
        let_writers_in(before);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    log_channels_tend(world->log);
    lines = count_lines(world, "");
    for (unsigned version = 0; version < 1000; version++) {
        char suffix[16];
        snprintf(suffix, sizeof(suffix), ".%u", version);
        lines += count_lines(world, suffix);
    }
    assert_int_equal(lines, WRITERS * LINES_EACH);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(a_line_has_what_the_channel_prints),
        WITH_WORLD(times_look_like_bind_s),
        WITH_WORLD(a_category_goes_where_it_is_sent),
        WITH_WORLD(a_channel_that_nobody_uses_makes_no_file),
        WITH_WORLD(severities_follow_the_debug_level),
        WITH_WORLD(a_full_file_is_rolled_and_old_ones_are_counted),
        WITH_WORLD(rolled_by_time_the_youngest_stay),
        WITH_WORLD(a_full_file_without_versions_takes_no_more),
        WITH_WORLD(a_file_with_versions_but_no_size_is_rolled_at_the_start_only),
        WITH_WORLD(a_file_that_was_moved_away_is_opened_again),
        WITH_WORLD(what_cannot_be_opened_changes_nothing),
        WITH_WORLD(no_line_is_lost_while_files_are_rolled_and_tables_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
