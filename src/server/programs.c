#include "server/programs.h"

#include <signal.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"

enum {
    LINGER_MS = 1000, /* for what is still in the pipe when the program has ended */
    READ_BYTES = 4096,
};

/* One that runs. */
struct program {
    struct programs *programs;
    struct program *next, **back;
    uv_process_t process;
    uv_pipe_t input, output;
    uv_timer_t timer;
    unsigned open; /* handles that are being closed */
    bool ending;   /* and no others are to be */
    uv_write_t write;
    struct buffer in; /* what it reads */
    struct buffer out;
    char bytes[READ_BYTES];
    keeper_hear_end *hear; /* NULL: nobody waits for it */
    void *argument;
    bool spawned, exited, drained, timed_out;
    int64_t status;
    int signal;
};

struct programs {
    uv_loop_t *loop;
    struct program *first;
    size_t count;
    void (*ends)(void *argument);
    void *ends_argument;
    void (*closed)(void *argument);
    void *argument;
};

static void end_if_closed(struct programs *programs)
{
    if (programs->closed != NULL && programs->count == 0) {
        programs->closed(programs->argument);
        mem_free(programs);
    }
}

static void handle_closed(uv_handle_t *handle)
{
    struct program *program = handle->data;
    struct programs *programs = program->programs;
    if (--program->open > 0 || !program->ending) {
        return;
    }
    *program->back = program->next;
    if (program->next != NULL) {
        program->next->back = program->back;
    }
    programs->count--;
    buffer_free(&program->in);
    buffer_free(&program->out);
    mem_free(program);
    end_if_closed(programs);
}

static void close_handle(struct program *program, void *handle)
{
    if (!uv_is_closing(handle)) {
        program->open++;
        uv_close(handle, handle_closed);
    }
}

static void close_all(struct program *program)
{
    program->ending = true;
    close_handle(program, &program->input);
    close_handle(program, &program->output);
    close_handle(program, &program->timer);
    if (program->spawned) {
        close_handle(program, &program->process);
    }
}

static void tell_end(struct program *program)
{
    keeper_hear_end *hear = program->hear;
    enum sg_result result = program->timed_out ? SG_TIMEOUT : program->signal != 0 ? SG_IO : SG_OK;
    const struct keeper_ran ran = {
        .result = result,
        .status = (int)program->status,
        .signal = program->signal,
        .output = buffer_span(&program->out),
    };
    program->hear = NULL;
    if (hear != NULL) {
        program->programs->ends(program->programs->ends_argument);
        hear(program->argument, &ran);
    }
    close_all(program);
}

static void end_if_done(struct program *program)
{
    if (program->exited && program->drained && !program->ending) {
        tell_end(program);
    }
}

/*
 * Its time is over. Of every child whose status the loop has taken exited() was called before a
 * timer runs: one that has not exited here still has its number, and the group is its own. Later
 * both may be another's, so what it has left behind is not killed, whatever it holds.
 */
static void timed_out(uv_timer_t *timer)
{
    struct program *program = timer->data;
    if (program->exited) { /* Something that it has left behind holds the pipe. */
        program->drained = true;
        end_if_done(program);
        return;
    }
    program->timed_out = true;
    (void)kill(-program->process.pid, SIGKILL);
}

static void exited(uv_process_t *process, int64_t status, int signal)
{
    struct program *program = process->data;
    program->exited = true;
    program->status = status;
    program->signal = signal;
    if (!program->ending) {
        (void)uv_timer_start(&program->timer, timed_out, LINGER_MS, 0);
    }
    end_if_done(program);
}

static void give_bytes(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buffer)
{
    struct program *program = handle->data;
    (void)suggested;
    *out_buffer = uv_buf_init(program->bytes, sizeof(program->bytes));
}

static void take_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct program *program = stream->data;
    if (length < 0) {
        program->drained = true;
        end_if_done(program);
        return;
    }
    size_t room = KEEPER_PROGRAM_OUTPUT_MAX - program->out.length;
    buffer_append(&program->out, buffer->base, (size_t)length < room ? (size_t)length : room);
}

/* Whether it has read it or not: that is the end of its input. */
static void written(uv_write_t *write, int status)
{
    struct program *program = write->handle->data;
    (void)status;
    close_handle(program, &program->input);
}

static void init_handles(struct program *program)
{
    uv_loop_t *loop = program->programs->loop;
    (void)uv_pipe_init(loop, &program->input, 0);
    (void)uv_pipe_init(loop, &program->output, 0);
    (void)uv_timer_init(loop, &program->timer);
    program->input.data = program->output.data = program->timer.data = program->process.data =
        program;
}

static enum sg_result spawn(struct program *program, const struct keeper_program *wanted)
{
    uv_file ends[2]; /* of the pipe that it writes to */
    if (uv_pipe(ends, UV_NONBLOCK_PIPE, 0) != 0) {
        return SG_IO;
    }
    if (uv_pipe_open(&program->output, ends[0]) != 0) {
        close(ends[0]);
        close(ends[1]);
        return SG_IO;
    }
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&program->input},
        {.flags = UV_INHERIT_FD, .data.fd = ends[1]},
        {.flags = UV_INHERIT_FD, .data.fd = ends[1]},
    };
    const uv_process_options_t options = {
        .exit_cb = exited,
        .file = wanted->words[0],
        .args = (char **)(uintptr_t)wanted->words,
        .env = (char **)(uintptr_t)wanted->environment,
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED, /* a process group of its own */
        .stdio_count = 3,
        .stdio = stdio,
    };
    int failed = uv_spawn(program->programs->loop, &program->process, &options);
    program->spawned = true; /* The handle is there, whatever became of it. */
    close(ends[1]);
    return failed == 0 ? SG_OK : SG_IO;
}

static enum sg_result run(void *argument, const struct keeper_program *wanted,
                          keeper_hear_end *hear, void *hear_argument, void **out_running)
{
    struct programs *programs = argument;
    if (programs->count >= PROGRAMS_MAX || programs->closed != NULL) {
        return SG_LIMIT;
    }
    struct program *program = mem_alloc_zero(1, sizeof(*program));
    program->programs = programs;
    program->next = programs->first;
    program->back = &programs->first;
    if (program->next != NULL) {
        program->next->back = &program->next;
    }
    programs->first = program;
    programs->count++;
    program->in = program->out = BUFFER_EMPTY;
    init_handles(program);
    enum sg_result result = spawn(program, wanted);
    if (result != SG_OK) {
        close_all(program);
        return result;
    }
    program->hear = hear;
    program->argument = hear_argument;
    buffer_append(&program->in, wanted->input.bytes, wanted->input.length);
    uv_buf_t input = uv_buf_init((char *)program->in.bytes, (unsigned)program->in.length);
    (void)uv_timer_start(&program->timer, timed_out, (uint64_t)wanted->time_max * 1000, 0);
    if (uv_read_start((uv_stream_t *)&program->output, give_bytes, take_bytes) != 0) {
        program->drained = true;
    }
    if (uv_write(&program->write, (uv_stream_t *)&program->input, &input, 1, written) != 0) {
        close_handle(program, &program->input);
    }
    *out_running = program;
    return SG_OK;
}

static void cancel(void *argument, void *running)
{
    struct program *program = running;
    (void)argument;
    program->hear = NULL;
    program->drained = true; /* exited() is the end. */
    if (!program->ending) {
        (void)uv_timer_start(&program->timer, timed_out, 0, 0);
    }
}

struct programs *programs_new(uv_loop_t *loop, void (*ends)(void *argument), void *argument)
{
    struct programs *programs = mem_alloc_zero(1, sizeof(*programs));
    programs->loop = loop;
    programs->ends = ends;
    programs->ends_argument = argument;
    return programs;
}

struct keeper_runner programs_runner(struct programs *programs)
{
    return (struct keeper_runner){.run = run, .cancel = cancel, .argument = programs};
}

void programs_close(struct programs *programs, void (*closed)(void *argument), void *argument)
{
    programs->closed = closed;
    programs->argument = argument;
    for (struct program *program = programs->first; program != NULL; program = program->next) {
        cancel(programs, program);
    }
    end_if_closed(programs);
}
