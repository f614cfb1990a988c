#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/programs.h"
#include "support/table.h"

struct heard {
    struct keeper_ran ran;
    char output[KEEPER_PROGRAM_OUTPUT_MAX + 1];
    unsigned times;
};

static void hear(void *argument, const struct keeper_ran *ran)
{
    struct heard *heard = argument;
    heard->ran = *ran;
    heard->times++;
    if (ran->output.length > 0) {
        memcpy(heard->output, ran->output.bytes, ran->output.length);
    }
    heard->output[ran->output.length] = '\0';
}

static unsigned ends;

static void count_end(void *argument)
{
    (void)argument;
    ends++;
}

static bool is_closed;

static void note_closed(void *argument)
{
    (void)argument;
    is_closed = true;
}

static void close_programs(uv_loop_t *loop, struct programs *programs)
{
    is_closed = false;
    programs_close(programs, note_closed, NULL);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    assert_true(is_closed);
    assert_int_equal(uv_loop_close(loop), 0);
}

static enum sg_result start(struct programs *programs, const char *script, struct span input,
                            sg_duration time_max, struct heard *heard, void **out_running)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", "SAID=so", NULL};
    const char *const words[] = {"/bin/sh", "-c", script, NULL};
    const struct keeper_program program = {words, environment, input, time_max};
    const struct keeper_runner runner = programs_runner(programs);
    memset(heard, 0, sizeof(*heard));
    return runner.run(runner.argument, &program, hear, heard, out_running);
}

/* clang-format off */
static const struct program_case {
    const char *name;
    const char *script;
    enum sg_result result;
    int status;
    const char *output;
} cases[] = {
    {"it reads its input",            "cat",                          SG_OK,      0, "key\n"},
    {"its errors are output too",     "echo a; echo b >&2; exit 3",   SG_OK,      3, "a\nb\n"},
    {"it has no more of the environment than is said", "echo $SAID $HOME", SG_OK, 0, "so\n"},
    {"it need not read",              "exit 0",                       SG_OK,      0, ""},
    {"it dies",                       "kill -9 $$",                   SG_IO,      0, ""},
    {"it takes too long",             "echo x; sleep 60",             SG_TIMEOUT, 0, "x\n"},
    {"its child takes too long",      "sleep 60 & echo x; wait",      SG_TIMEOUT, 0, "x\n"},
    {"what it leaves behind is not waited for", "sleep 60 & echo x",  SG_OK,      0, "x\n"},
    {"its group is its own",          "test $(ps -o pgid= -p $$) = $$ || echo no", SG_OK, 0, ""},
};
/* clang-format on */

static void is_run(void **state)
{
    const struct program_case *c = *state;
    struct heard heard;
    void *running;
    uv_loop_t loop;
    ends = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct programs *programs = programs_new(&loop, count_end, NULL);
    assert_int_equal(start(programs, c->script, span_of_text("key\n"), 1, &heard, &running), SG_OK);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard.times, 1);
    assert_int_equal(ends, 1);
    assert_int_equal(heard.ran.result, c->result);
    if (c->result == SG_OK) {
        assert_int_equal(heard.ran.status, c->status);
    }
    assert_string_equal(heard.output, c->output);
    close_programs(&loop, programs);
}

static void more_than_it_may_say_is_cut_and_read(void **state)
{
    struct heard heard;
    void *running;
    uv_loop_t loop;
    struct buffer input = BUFFER_EMPTY;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        buffer_append_text(&input, "0123456789");
    }
    assert_int_equal(uv_loop_init(&loop), 0);
    struct programs *programs = programs_new(&loop, count_end, NULL);
    assert_int_equal(start(programs, "cat", buffer_span(&input), 60, &heard, &running), SG_OK);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard.ran.result, SG_OK);
    assert_int_equal(strlen(heard.output), KEEPER_PROGRAM_OUTPUT_MAX);
    close_programs(&loop, programs);
    buffer_free(&input);
}

static void what_is_not_there_cannot_be_run(void **state)
{
    const char *const words[] = {"/nonexistent/program", NULL};
    const char *const environment[] = {NULL};
    const struct keeper_program program = {words, environment, {NULL, 0}, 1};
    struct heard heard = {.times = 0};
    void *running;
    uv_loop_t loop;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct programs *programs = programs_new(&loop, count_end, NULL);
    const struct keeper_runner runner = programs_runner(programs);
    assert_int_equal(runner.run(runner.argument, &program, hear, &heard, &running), SG_IO);
    close_programs(&loop, programs);
    assert_int_equal(heard.times, 0);
}

/* Not one that has ended and waits for its parent to look. */
static bool is_alive(pid_t process)
{
    char path[64];
    char mode = 'Z';
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    bool is_read = fscanf(file, "%*d %*s %c", &mode) == 1;
    (void)fclose(file);
    return is_read && mode != 'Z';
}

/* Another's: the number of a program that has ended may be given anew. What has the number of the
 * group then, here a process that was left behind, is none of ours. */
static void a_program_that_has_ended_is_not_killed_by_its_number(void **state)
{
    char path[] = "/tmp/signet-programs-XXXXXX";
    char script[128];
    char text[32] = "";
    struct heard heard;
    void *running;
    uv_loop_t loop;
    int file = mkstemp(path);
    (void)state;
    assert_true(file >= 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    struct programs *programs = programs_new(&loop, count_end, NULL);
    (void)snprintf(script, sizeof(script), "sleep 60 & echo $! > %s", path);
    assert_int_equal(start(programs, script, span_of_text(""), 60, &heard, &running), SG_OK);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard.ran.result, SG_OK);
    assert_true(read(file, text, sizeof(text) - 1) > 0);
    pid_t left = (pid_t)strtol(text, NULL, 10);
    assert_true(left > 1);
    (void)usleep(100 * 1000); /* for a signal to be seen */
    assert_true(is_alive(left));
    (void)kill(left, SIGKILL);
    close_programs(&loop, programs);
    (void)close(file);
    (void)unlink(path);
}

static void no_more_than_a_few_run_at_once(void **state)
{
    struct heard heard[PROGRAMS_MAX + 1];
    void *running[PROGRAMS_MAX + 1];
    uv_loop_t loop;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct programs *programs = programs_new(&loop, count_end, NULL);
    for (size_t i = 0; i <= PROGRAMS_MAX; i++) {
        assert_int_equal(start(programs, "sleep 60", span_of_text(""), 60, &heard[i], &running[i]),
                         i < PROGRAMS_MAX ? SG_OK : SG_LIMIT);
    }
    const struct keeper_runner runner = programs_runner(programs);
    runner.cancel(runner.argument, running[0]);
    close_programs(&loop, programs); /* at once: they are killed */
    for (size_t i = 0; i < PROGRAMS_MAX; i++) {
        assert_int_equal(heard[i].times, 0);
    }
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the server has it: a program need not read */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_it_may_say_is_cut_and_read),
        cmocka_unit_test(what_is_not_there_cannot_be_run),
        cmocka_unit_test(a_program_that_has_ended_is_not_killed_by_its_number),
        cmocka_unit_test(no_more_than_a_few_run_at_once),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(cases, is_run);
}
