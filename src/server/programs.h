/*
 * server/programs.h - runs the keeper's programs (keeper/running.h) on the server's loop
 *
 * No shell, no more of the environment than is said, a process group of its own, so that what it
 * has started is killed with it when its time is over. What it leaves behind when it ends by itself
 * lives on. What it writes, errors too, goes to one pipe, of which the beginning is kept. SIGPIPE
 * has to be ignored: a program need not read.
 * Thread: keeper.
 */
#pragma once

#include <uv.h>

#include "keeper/running.h"

enum { PROGRAMS_MAX = 8 }; /* at once */

struct programs;

/* `ends` is told before the keeper hears of an end: it has to know the time, and to have a turn. */
struct programs *programs_new(uv_loop_t *loop, void (*ends)(void *argument), void *argument);
struct keeper_runner programs_runner(struct programs *programs);
/* Kill what runs. `closed` is called from the loop when all of it is gone; then `programs` is
 * freed. */
void programs_close(struct programs *programs, void (*closed)(void *argument), void *argument);
