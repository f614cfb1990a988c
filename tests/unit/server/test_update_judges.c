#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "server/update_judges.h"
#include "support/heard_log.h"
#include "support/table.h"

enum { ASKS_MAX = UPDATE_JUDGES_WAITING_MAX, SCRIPT_MAX = 8 };

/* A daemon in the same loop: what it answers to one question after the other. */
struct daemon {
    char folder[32], path[64];
    uv_pipe_t listener, client;
    struct span script[SCRIPT_MAX]; /* no bytes: it hangs up; NULL: it is silent */
    size_t heard;
    uv_write_t write;
    char bytes[1024];
    struct buffer request; /* the last one */
};

struct scene {
    uv_loop_t loop;
    struct daemon daemon;
    struct update_judges *judges;
    size_t done, dropped, answers;
};

static struct span word(const char bytes[4], size_t length)
{
    return (struct span){(const uint8_t *)bytes, length};
}

#define YES word("\0\0\0\1", 4)
#define NO  word("\0\0\0\0", 4)

static void client_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void written(uv_write_t *write, int status)
{
    struct daemon *daemon = write->data;
    (void)status;
    uv_close((uv_handle_t *)&daemon->client, client_closed);
}

static void give_bytes(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buffer)
{
    struct daemon *daemon = handle->data;
    (void)suggested;
    *out_buffer = uv_buf_init(daemon->bytes, sizeof(daemon->bytes));
}

/* A request comes in one piece: it is small. */
static void hear(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct daemon *daemon = stream->data;
    if (length < 0) {
        if (!uv_is_closing((uv_handle_t *)stream)) {
            uv_close((uv_handle_t *)stream, client_closed);
        }
        return;
    }
    buffer_clear(&daemon->request);
    buffer_append(&daemon->request, buffer->base, (size_t)length);
    assert_true(daemon->heard < SCRIPT_MAX);
    struct span answer = daemon->script[daemon->heard++];
    if (answer.bytes != NULL) {
        uv_buf_t bytes = uv_buf_init((char *)(uintptr_t)answer.bytes, (unsigned)answer.length);
        daemon->write.data = daemon;
        assert_int_equal(uv_write(&daemon->write, stream, &bytes, 1, written), 0);
    }
}

static void accept_one(uv_stream_t *listener, int status)
{
    struct daemon *daemon = listener->data;
    assert_int_equal(status, 0);
    (void)uv_pipe_init(listener->loop, &daemon->client, 0);
    daemon->client.data = daemon;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&daemon->client), 0);
    assert_int_equal(uv_read_start((uv_stream_t *)&daemon->client, give_bytes, hear), 0);
}

static void count_answer(void *argument)
{
    struct scene *scene = argument;
    scene->answers++;
}

static void count_done(void *argument)
{
    struct scene *scene = argument;
    scene->done++;
}

static void count_dropped(void *argument)
{
    struct scene *scene = argument;
    scene->dropped++;
}

static int scene_begin(void **state)
{
    struct scene *scene = mem_alloc_zero(1, sizeof(*scene));
    struct daemon *daemon = &scene->daemon;
    strcpy(daemon->folder, "/tmp/signet-judge-XXXXXX");
    if (mkdtemp(daemon->folder) == NULL || uv_loop_init(&scene->loop) != 0) {
        return 1;
    }
    snprintf(daemon->path, sizeof(daemon->path), "%s/socket", daemon->folder);
    daemon->request = BUFFER_EMPTY;
    daemon->listener.data = daemon;
    (void)uv_pipe_init(&scene->loop, &daemon->listener, 0);
    if (uv_pipe_bind(&daemon->listener, daemon->path) != 0 ||
        uv_listen((uv_stream_t *)&daemon->listener, 8, accept_one) != 0) {
        return 1;
    }
    uv_unref((uv_handle_t *)&daemon->listener);
    scene->judges = update_judges_new(&scene->loop, count_answer, scene);
    heard_log_begin();
    *state = scene;
    return 0;
}

static void close_rest(uv_handle_t *handle, void *argument)
{
    (void)argument;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static int scene_end(void **state)
{
    struct scene *scene = *state;
    update_judges_end(&scene->judges);
    assert_null(scene->judges);
    (void)uv_run(&scene->loop, UV_RUN_NOWAIT);
    uv_walk(&scene->loop, close_rest, NULL);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    (void)unlink(scene->daemon.path);
    (void)rmdir(scene->daemon.folder);
    buffer_free(&scene->daemon.request);
    heard_log_end();
    mem_free(scene);
    return 0;
}

/* The A records of `count` names, asked of `path`. */
static struct update_questions *questions_of(const char *path, size_t count)
{
    static const char *const names[] = {"a.e", "b.e", "c.e"};
    struct update_questions *questions = mem_alloc_zero(1, sizeof(*questions));
    questions->items = mem_alloc_zero(count, sizeof(*questions->items));
    questions->count = questions->room = count;
    questions->signer = mem_copy_text("k");
    questions->key = mem_copy_text("k/163/7");
    questions->client = mem_copy_text("192.0.2.1");
    for (size_t i = 0; i < count; i++) {
        struct update_question *question = &questions->items[i];
        question->socket = mem_copy_text(path);
        question->type = DNS_TYPE_A;
        assert_int_equal(dns_name_from_text(names[i], 3, NULL, &question->owner), SG_OK);
    }
    return questions;
}

static bool ask(struct scene *scene, struct update_questions *questions)
{
    return update_judges_ask(scene->judges, questions, count_done, count_dropped, scene);
}

static void run(struct scene *scene, size_t done)
{
    while (scene->done < done) {
        (void)uv_run(&scene->loop, UV_RUN_ONCE);
    }
}

static void each_question_has_its_answer(void **state)
{
    static const char request[] = "\0\0\0\1\0\0\0\046k\0c.e\0"
                                  "192.0.2.1\0A\0k/163/7\0\0\0\0";
    struct scene *scene = *state;
    struct update_questions *questions = questions_of(scene->daemon.path, 3);
    scene->daemon.script[0] = YES;
    scene->daemon.script[1] = NO;
    scene->daemon.script[2] = YES;
    assert_true(ask(scene, questions));
    assert_int_equal(scene->done, 0);
    run(scene, 1);
    assert_int_equal(questions->items[0].verdict, UPDATE_VERDICT_YES);
    assert_int_equal(questions->items[1].verdict, UPDATE_VERDICT_NO);
    assert_int_equal(questions->items[2].verdict, UPDATE_VERDICT_YES);
    assert_int_equal(scene->daemon.heard, 3);
    assert_int_equal(scene->answers, 1);
    assert_int_equal(scene->daemon.request.length, sizeof(request));
    assert_memory_equal(scene->daemon.request.bytes, request, sizeof(request));
    update_questions_free(questions);
}

/* clang-format off */
static const struct failure {
    const char *name;
    struct span answer;
    const char *log;
} failures[] = {
    {"neither yes nor no",   {(const uint8_t *)"\0\0\0\2", 4}, "its answer is neither 0 nor 1; what it is to decide on is refused: see whether the "
     "daemon speaks the protocol"},
    {"half an answer",       {(const uint8_t *)"\0\0", 2},     "it has hung up without an answer; what it is to decide on is refused: look into"},
    {"nothing at all",       {NULL, 0},                        "no answer in 2 seconds; what it is to decide on is refused: look whether"},
};
/* clang-format on */

/* Those in its line are not kept waiting for it, and the log is told once. */
static void one_that_fails_leaves_its_line_without_an_answer(void **state)
{
    struct scene *scene;
    const struct failure *failure = *state;
    assert_int_equal(scene_begin((void **)&scene), 0);
    struct update_questions *first = questions_of(scene->daemon.path, 3);
    struct update_questions *second = questions_of(scene->daemon.path, 1);
    struct update_questions *third = questions_of(scene->daemon.path, 1);
    scene->daemon.script[0] = failure->answer;
    scene->daemon.script[1] = YES;
    assert_true(ask(scene, first));
    assert_true(ask(scene, second));
    run(scene, 2);
    assert_int_equal(scene->daemon.heard, 1);
    assert_int_equal(first->items[0].verdict, UPDATE_VERDICT_NONE);
    assert_int_equal(second->items[0].verdict, UPDATE_VERDICT_NONE);
    assert_true(heard_log_has(failure->log));
    if (failure->answer.bytes != NULL) { /* It can hear the next one. */
        assert_true(ask(scene, third));
        run(scene, 3);
        assert_int_equal(third->items[0].verdict, UPDATE_VERDICT_YES);
        assert_true(heard_log_has("answers again"));
    }
    update_questions_free(first);
    update_questions_free(second);
    update_questions_free(third);
    assert_int_equal(scene_end((void **)&scene), 0);
}

static void one_that_is_not_there_holds_up_no_other(void **state)
{
    struct scene *scene = *state;
    struct update_questions *nobody = questions_of("/nonexistent/socket", 3);
    struct update_questions *somebody = questions_of(scene->daemon.path, 1);
    scene->daemon.script[0] = YES;
    assert_true(ask(scene, nobody));
    assert_true(ask(scene, somebody));
    run(scene, 2);
    assert_int_equal(nobody->items[0].verdict, UPDATE_VERDICT_NONE);
    assert_int_equal(somebody->items[0].verdict, UPDATE_VERDICT_YES);
    assert_true(heard_log_has("update warning: update-policy: external "
                              "'local:/nonexistent/socket': no such file or directory; what it is "
                              "to decide on is refused: start the daemon, or correct the path"));
    update_questions_free(nobody);
    update_questions_free(somebody);
}

static void who_has_ended_and_left_his_socket_is_to_be_started(void **state)
{
    struct scene *scene = *state;
    uv_close((uv_handle_t *)&scene->daemon.listener, NULL); /* removes it */
    (void)uv_run(&scene->loop, UV_RUN_NOWAIT);
    uv_pipe_t left;
    (void)uv_pipe_init(&scene->loop, &left, 0);
    assert_int_equal(uv_pipe_bind(&left, scene->daemon.path), 0); /* Nobody listens. */
    struct update_questions *questions = questions_of(scene->daemon.path, 1);
    assert_true(ask(scene, questions));
    run(scene, 1);
    assert_true(
        heard_log_has("': connection refused; what it is to decide on is refused: the daemon "
                      "has ended and left its socket: start it"));
    update_questions_free(questions);
    uv_close((uv_handle_t *)&left, NULL);
    (void)uv_run(&scene->loop, UV_RUN_NOWAIT);
}

/* Now it answers, now it does not: the log is told of the first time. */
static void the_log_is_told_once_a_minute(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 0; i < 6; i++) {
        struct update_questions *questions = questions_of(scene->daemon.path, 1);
        scene->daemon.script[i] = i % 2 == 0 ? word("\0\0\0\2", 4) : YES;
        assert_true(ask(scene, questions));
        run(scene, i + 1);
        update_questions_free(questions);
    }
    assert_int_equal(heard_log_count("neither 0 nor 1"), 1);
    assert_int_equal(heard_log_count("answers again"), 1);
}

static void so_many_wait_and_no_more(void **state)
{
    struct scene *scene = *state;
    struct update_questions *questions[ASKS_MAX];
    for (size_t i = 0; i < ASKS_MAX; i++) {
        questions[i] = questions_of(scene->daemon.path, 1);
        assert_true(ask(scene, questions[i]));
    }
    assert_false(ask(scene, questions[0]));
    (void)uv_run(&scene->loop, UV_RUN_NOWAIT); /* one is being asked */
    update_judges_end(&scene->judges);
    assert_int_equal(scene->dropped, ASKS_MAX);
    assert_int_equal(scene->done, 0);
    for (size_t i = 0; i < ASKS_MAX; i++) {
        update_questions_free(questions[i]);
    }
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(each_question_has_its_answer),
        WITH_SCENE(one_that_is_not_there_holds_up_no_other),
        WITH_SCENE(who_has_ended_and_left_his_socket_is_to_be_started),
        WITH_SCENE(the_log_is_told_once_a_minute),
        WITH_SCENE(so_many_wait_and_no_more),
    };
    int failed = RUN_TABLE(failures, one_that_fails_leaves_its_line_without_an_answer);
    return failed + cmocka_run_group_tests_name("update_judges", tests, NULL, NULL);
}
