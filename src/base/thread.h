/*
 * base/thread.h - which thread am I, and am I allowed here?
 *
 * The thread is part of each function's contract; thread_assert() checks it. Threads that never
 * said what they are (unit tests, tools) may call anything.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/result.h"

enum thread_role {
    THREAD_UNNAMED = 0,
    THREAD_KEEPER, /* the main thread: timers, queues, decisions, publication */
    THREAD_UDP,
    THREAD_TCP,
    THREAD_WORKER,
    THREAD_STORE,
};

/* Say what the calling thread is, and show it as `name` (15 bytes) in ps and gdb. */
void thread_name(enum thread_role role, const char *name);
enum thread_role thread_role(void);
/*
 * Work that is another thread's is done here and now, since there is no such thread (a pool or a
 * store without threads): its assertions shall look at it as if it were. Returns the role to go
 * back to. A thread that never said what it is stays so.
 */
enum thread_role thread_act_as(enum thread_role role);

#define thread_assert(role_) ASSERT(thread_role() == (role_) || thread_role() == THREAD_UNNAMED)

/* Start a thread with all signals blocked. SG_IO when the system has none left. */
MUST_USE enum sg_result thread_start(pthread_t *out_thread, void *(*run)(void *), void *argument);
