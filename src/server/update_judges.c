#include "server/update_judges.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

enum { TELL_SECONDS = 60, READ_BYTES = 16 };

/* An update that waits. */
struct plea {
    struct plea *next;
    struct update_questions *questions;
    size_t at; /* the question that is asked, or stands in line */
    uint64_t deadline_ns;
    void (*done)(void *argument);
    void (*drop)(void *argument);
    void *argument;
};

/* One question and its answer. */
struct hearing {
    struct judge *judge; /* NULL: nobody waits for it any more */
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_write_t write;
    struct buffer request;
    char bytes[READ_BYTES];
    uint8_t answer[UPDATE_VERDICT_BYTES];
    size_t answered; /* so many bytes */
    unsigned open;   /* handles */
};

struct judge {
    struct judge *next;
    struct update_judges *judges;
    char *socket;
    struct plea *first, **last; /* the first is the one that is heard */
    struct hearing *hearing;    /* NULL: none */
    bool failing;
    bool is_told;     /* the log was told that it fails, and not yet that it answers again */
    uint64_t told_ns; /* when the log was told; 0: never */
};

struct update_judges {
    uv_loop_t *loop;
    struct judge *first;
    size_t waiting;
    void (*answers)(void *argument);
    void *argument;
};

static void turn(struct judge *judge);

/* ---- pleas ---- */

static struct plea *take_first(struct judge *judge)
{
    struct plea *plea = judge->first;
    judge->first = plea->next;
    if (judge->first == NULL) {
        judge->last = &judge->first;
    }
    plea->next = NULL;
    return plea;
}

static void end_plea(struct update_judges *judges, struct plea *plea)
{
    void (*done)(void *) = plea->done;
    void *argument = plea->argument;
    judges->waiting--;
    mem_free(plea);
    judges->answers(judges->argument);
    done(argument);
}

static struct judge *judge_of(struct update_judges *judges, const char *socket)
{
    for (struct judge *judge = judges->first; judge != NULL; judge = judge->next) {
        if (strcmp(judge->socket, socket) == 0) {
            return judge;
        }
    }
    struct judge *judge = mem_alloc_zero(1, sizeof(*judge));
    judge->judges = judges;
    judge->socket = mem_copy_text(socket);
    judge->last = &judge->first;
    judge->next = judges->first;
    judges->first = judge;
    return judge;
}

static struct judge *stand_in_line(struct update_judges *judges, struct plea *plea)
{
    struct judge *judge = judge_of(judges, plea->questions->items[plea->at].socket);
    *judge->last = plea;
    judge->last = &plea->next;
    return judge;
}

/* One that asks nobody at present and has nothing to remember: that the log was told keeps one
 * which now answers and now does not from filling it. */
static void judge_free_idle(struct judge *judge)
{
    if (judge->first != NULL || judge->hearing != NULL || judge->told_ns != 0) {
        return;
    }
    struct judge **link = &judge->judges->first;
    while (*link != judge) {
        link = &(*link)->next;
    }
    *link = judge->next;
    mem_free(judge->socket);
    mem_free(judge);
}

/* ---- hearings ---- */

static void handle_closed(uv_handle_t *handle)
{
    struct hearing *hearing = handle->data;
    if (--hearing->open == 0) {
        buffer_free(&hearing->request);
        mem_free(hearing);
    }
}

static void hearing_close(struct hearing *hearing)
{
    hearing->judge->hearing = NULL;
    hearing->judge = NULL;
    uv_close((uv_handle_t *)&hearing->pipe, handle_closed);
    uv_close((uv_handle_t *)&hearing->timer, handle_closed);
}

/* A failure, and what the operator is to do. */
struct complaint {
    const char *why, *advice;
};

static const struct complaint no_answer = {"no answer in 2 seconds",
                                           "look whether the daemon hangs, and restart it"};
static const struct complaint too_slow = {
    "it answers too slowly", "too many updates wait for the daemon: find out what takes its time"};
static const struct complaint hung_up = {"it has hung up without an answer",
                                         "look into the daemon's own log"};
static const struct complaint no_verdict = {
    "its answer is neither 0 nor 1",
    "see whether the daemon speaks the protocol of 'external' in signet.conf(5)"};

static struct complaint complaint_of(int status)
{
    struct complaint complaint = {uv_strerror(status), "look into the daemon's own log"};
    if (status == UV_EOF || status == UV_ECONNRESET || status == UV_EPIPE) {
        return hung_up;
    }
    if (status == UV_ENOENT) {
        complaint.advice = "start the daemon, or correct the path in update-policy";
    } else if (status == UV_ECONNREFUSED) {
        complaint.advice = "the daemon has ended and left its socket: start it";
    } else if (status == UV_EACCES) {
        complaint.advice = "let the server's user write to the socket and search its folders";
    }
    return complaint;
}

static void tell_failure(struct judge *judge, const struct complaint *complaint)
{
    uint64_t now = time_monotonic_ns();
    judge->failing = true;
    if (judge->told_ns == 0 || now - judge->told_ns >= TELL_SECONDS * 1000000000ULL) {
        judge->told_ns = now;
        judge->is_told = true;
        log_write(LOG_UPDATE, SEVERITY_WARNING,
                  "update-policy: external 'local:%s': %s; what it is to decide on is refused: %s",
                  judge->socket, complaint->why, complaint->advice);
    }
}

static void tell_success(struct judge *judge)
{
    if (judge->failing && judge->is_told) {
        judge->is_told = false;
        log_write(LOG_UPDATE, SEVERITY_INFO, "update-policy: external 'local:%s': answers again",
                  judge->socket);
    }
    judge->failing = false;
}

/* It delays nobody else: who stands in its line goes on without an answer. */
static void fail(struct hearing *hearing, const struct complaint *complaint)
{
    struct judge *judge = hearing->judge;
    struct plea *plea = judge->first;
    hearing_close(hearing);
    tell_failure(judge, complaint);
    judge->first = NULL;
    judge->last = &judge->first;
    while (plea != NULL) {
        struct plea *next = plea->next;
        end_plea(judge->judges, plea);
        plea = next;
    }
}

static void fail_by_status(struct hearing *hearing, int status)
{
    struct complaint complaint = complaint_of(status);
    fail(hearing, &complaint);
}

static void succeed(struct hearing *hearing, enum update_verdict verdict)
{
    struct judge *judge = hearing->judge;
    struct update_judges *judges = judge->judges;
    struct plea *plea = take_first(judge);
    hearing_close(hearing);
    tell_success(judge);
    plea->questions->items[plea->at++].verdict = verdict;
    if (plea->at == plea->questions->count) {
        end_plea(judges, plea);
    } else {
        struct judge *other = stand_in_line(judges, plea);
        if (other != judge) {
            turn(other);
        }
    }
    turn(judge);
}

static void timed_out(uv_timer_t *timer)
{
    struct hearing *hearing = timer->data;
    if (hearing->judge != NULL) {
        fail(hearing, &no_answer);
    }
}

static void give_bytes(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buffer)
{
    struct hearing *hearing = handle->data;
    (void)suggested;
    *out_buffer = uv_buf_init(hearing->bytes, sizeof(hearing->bytes));
}

/* Four bytes; what comes behind them is nothing to us. */
static void take_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct hearing *hearing = stream->data;
    if (hearing->judge == NULL) {
        return;
    }
    if (length < 0) {
        fail_by_status(hearing, (int)length);
        return;
    }
    size_t left = UPDATE_VERDICT_BYTES - hearing->answered;
    size_t taken = (size_t)length < left ? (size_t)length : left;
    memcpy(hearing->answer + hearing->answered, buffer->base, taken);
    hearing->answered += taken;
    if (hearing->answered < UPDATE_VERDICT_BYTES) {
        return;
    }
    enum update_verdict verdict = update_questions_read(hearing->answer);
    if (verdict == UPDATE_VERDICT_NONE) {
        fail(hearing, &no_verdict);
    } else {
        succeed(hearing, verdict);
    }
}

static void written(uv_write_t *write, int status)
{
    struct hearing *hearing = write->data;
    if (hearing->judge != NULL && status < 0) {
        fail_by_status(hearing, status);
    }
}

static void connected(uv_connect_t *connect, int status)
{
    struct hearing *hearing = connect->data;
    if (hearing->judge == NULL) {
        return;
    }
    uv_stream_t *stream = (uv_stream_t *)&hearing->pipe;
    uv_buf_t bytes = uv_buf_init((char *)hearing->request.bytes, (unsigned)hearing->request.length);
    if (status == 0) {
        status = uv_read_start(stream, give_bytes, take_bytes);
    }
    if (status == 0) {
        status = uv_write(&hearing->write, stream, &bytes, 1, written);
    }
    if (status != 0) {
        fail_by_status(hearing, status);
    }
}

static void begin(struct judge *judge)
{
    uv_loop_t *loop = judge->judges->loop;
    const struct plea *plea = judge->first;
    struct hearing *hearing = mem_alloc_zero(1, sizeof(*hearing));
    judge->hearing = hearing;
    hearing->judge = judge;
    hearing->request = BUFFER_EMPTY;
    update_questions_request(plea->questions, plea->at, &hearing->request);
    (void)uv_pipe_init(loop, &hearing->pipe, 0);
    (void)uv_timer_init(loop, &hearing->timer);
    hearing->open = 2;
    hearing->pipe.data = hearing->timer.data = hearing->connect.data = hearing->write.data =
        hearing;
    (void)uv_timer_start(&hearing->timer, timed_out, JUDGE_ANSWER_MS, 0);
    uv_pipe_connect(&hearing->connect, &hearing->pipe, judge->socket, connected);
}

/* The next one in line that still has time. */
static void turn(struct judge *judge)
{
    if (judge->hearing != NULL) {
        return;
    }
    while (judge->first != NULL && judge->first->deadline_ns <= time_monotonic_ns()) {
        struct plea *plea = take_first(judge);
        tell_failure(judge, &too_slow);
        end_plea(judge->judges, plea);
    }
    if (judge->first != NULL) {
        begin(judge);
    } else {
        judge_free_idle(judge);
    }
}

/* ---- in and out ---- */

struct update_judges *update_judges_new(uv_loop_t *loop, void (*answers)(void *argument),
                                        void *argument)
{
    struct update_judges *judges = mem_alloc_zero(1, sizeof(*judges));
    judges->loop = loop;
    judges->answers = answers;
    judges->argument = argument;
    return judges;
}

bool update_judges_ask(struct update_judges *judges, struct update_questions *questions,
                       void (*done)(void *argument), void (*drop)(void *argument), void *argument)
{
    if (judges == NULL || judges->waiting >= UPDATE_JUDGES_WAITING_MAX) {
        return false;
    }
    struct plea *plea = mem_alloc_zero(1, sizeof(*plea));
    *plea = (struct plea){
        .questions = questions,
        .deadline_ns = time_monotonic_ns() + JUDGE_UPDATE_MS * 1000000ULL,
        .done = done,
        .drop = drop,
        .argument = argument,
    };
    judges->waiting++;
    turn(stand_in_line(judges, plea));
    return true;
}

static void judge_end(struct judge *judge)
{
    if (judge->hearing != NULL) {
        hearing_close(judge->hearing);
    }
    while (judge->first != NULL) {
        struct plea *plea = take_first(judge);
        plea->drop(plea->argument);
        mem_free(plea);
    }
    mem_free(judge->socket);
    mem_free(judge);
}

void update_judges_end(struct update_judges **judges)
{
    if (*judges == NULL) {
        return;
    }
    for (struct judge *judge = (*judges)->first, *next; judge != NULL; judge = next) {
        next = judge->next;
        judge_end(judge);
    }
    mem_free(*judges);
    *judges = NULL;
}
