/*
 * keeper/running.h - programs that the keeper has run, such as the operator's ds-submit-command
 *
 * The keeper starts no processes: it says what is to be run, and is called back in its own thread.
 * server/programs.c carries it out.
 */
#pragma once

#include "base/buffer.h"
#include "base/time.h"

enum { KEEPER_PROGRAM_OUTPUT_MAX = 4096 };

struct keeper_program {
    const char *const *words;       /* of the command line, no shell; NULL at the end */
    const char *const *environment; /* all of it; NULL at the end */
    struct span input;              /* for its standard input */
    sg_duration time_max;           /* then it is killed, with all that it has started */
};

/* How it ended. */
struct keeper_ran {
    enum sg_result result; /* SG_OK: by itself, with `status`; SG_TIMEOUT: it was killed; SG_IO: it
                              could not be run, or died of `signal` */
    int status, signal;
    struct span output; /* the beginning of what it has written; borrowed until this returns */
};
typedef void keeper_hear_end(void *argument, const struct keeper_ran *ran);

struct keeper_runner {
    /* SG_LIMIT: too many run already; SG_IO and others: it cannot be run. Never calls back from
     * inside. Everything is copied. */
    enum sg_result (*run)(void *argument, const struct keeper_program *program,
                          keeper_hear_end *hear, void *hear_argument, void **out_running);
    /* Kill it; no call back any more. */
    void (*cancel)(void *argument, void *running);
    void *argument;
};
