#include "base/thread.h"

#include <signal.h>
#include <string.h>

static _Thread_local enum thread_role role_here;

void thread_name(enum thread_role role, const char *name)
{
    char short_name[16] = {0}; /* what the kernel keeps */
    strncpy(short_name, name, sizeof(short_name) - 1);
    pthread_setname_np(pthread_self(), short_name);
    role_here = role;
}

enum thread_role thread_role(void)
{
    return role_here;
}

enum thread_role thread_act_as(enum thread_role role)
{
    enum thread_role before = role_here;
    if (before != THREAD_UNNAMED) {
        role_here = role;
    }
    return before;
}

enum sg_result thread_start(pthread_t *out_thread, void *(*run)(void *), void *argument)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(out_thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? SG_OK : SG_IO;
}
