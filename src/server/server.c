#include "server/server.h"

#include <signal.h>

#include "server/programs.h"
#include "server/questions.h"
#include "server/reload.h"
#include "server/store_opening.h"
#include "server/update_forward.h"
#include "server/update_judges.h"
#include "server/zone_requests.h"

enum { TICK_MS = 1000 };

static void wake(void *argument)
{
    uv_async_send(argument);
}

static void take_errands(struct server *server)
{
    for (struct letter *letter = mailbox_take_all(&server->loop.errands), *next; letter != NULL;
         letter = next) {
        struct errand *errand = (struct errand *)letter;
        next = letter->next;
        server->progress.errands--;
        errand->done(server, errand);
    }
    for (struct letter *letter = mailbox_take_all(&server->loop.store_replies), *next;
         letter != NULL; letter = next) {
        struct store_request *request = (struct store_request *)letter;
        next = letter->next;
        server->progress.errands--;
        request->done(request);
    }
}

/* The lines that scripts wait for, in named's words and order: they end otherwise where something
 * failed, but never fail to come. */
static void say_loaded(struct server *server)
{
    struct server_progress *progress = &server->progress;

    if (!progress->loaded || progress->stopping) {
        return;
    }
    progress->loaded = false;
    const char *words =
        progress->reconfig ? "any newly configured zones are now loaded" : "all zones loaded";
    if (progress->failed > 0) {
        log_write(LOG_GENERAL, SEVERITY_NOTICE, "%s, but for %zu", words, progress->failed);
    } else {
        log_write(LOG_GENERAL, SEVERITY_NOTICE, "%s", words);
    }
    log_write(LOG_GENERAL, SEVERITY_NOTICE, "running");
    log_channels_started(server->logs);
    daemon_running();
}

static void end_if_idle(struct server *server)
{
    struct server_progress *progress = &server->progress;

    if (!progress->stopping) {
        return;
    }
    if (keeper_is_idle(server->keeper) && progress->errands == 0) {
        uv_stop(&server->loop.uv);
    } else if (time_monotonic_ns() >= progress->stop_deadline_ns) {
        log_write(LOG_GENERAL, SEVERITY_NOTICE,
                  "%zu jobs are still at work: they are left, and begun anew at the next start",
                  keeper_jobs(server->keeper));
        progress->abandoned = true;
        uv_stop(&server->loop.uv);
    }
}

void server_turn(struct server *server)
{
    sg_time now = time_now();

    server->loop.wake_at = keeper_turn(server->keeper, now);
    say_loaded(server);
    end_if_idle(server);
    if (server->loop.wake_at <= now) {
        uv_async_send(&server->loop.woken); /* There is more, but others shall have a turn too. */
    }
}

static void take_arrivals(struct server *server)
{
    keeper_note_time(server->keeper, time_now());
    for (struct letter *letter = mailbox_take_all(&server->loop.inbox.mailbox), *next;
         letter != NULL; letter = next) {
        struct arrival *arrival = (struct arrival *)letter;
        next = letter->next;
        arrival_leaves(&server->loop.inbox, arrival);
        if (server->progress.stopping) {
            arrival->drop(arrival);
        } else {
            arrival->take(arrival, server);
        }
    }
}

void server_wake(void *argument)
{
    struct server *server = argument;

    if (__atomic_load_n(&server->loop.takes_arrivals, __ATOMIC_ACQUIRE)) {
        uv_async_send(&server->loop.woken);
    }
}

void server_inbox_open(struct server *server)
{
    mailbox_init(&server->loop.inbox.mailbox, server_wake, server);
}

void server_inbox_close(struct server *server)
{
    struct mailbox *mailbox = &server->loop.inbox.mailbox;

    mailbox_close(mailbox);
    for (struct letter *letter = mailbox_take_all(mailbox), *next; letter != NULL; letter = next) {
        struct arrival *arrival = (struct arrival *)letter;
        next = letter->next;
        arrival_leaves(&server->loop.inbox, arrival);
        arrival->drop(arrival);
    }
    mailbox_clear(mailbox);
}

static void woken(uv_async_t *async)
{
    struct server *server = async->data;

    take_errands(server);
    take_arrivals(server);
    server_turn(server);
}

static void logs_full(uv_async_t *async)
{
    struct server *server = async->data;

    log_channels_tend(server->logs);
}

sg_time server_uptime(void *server)
{
    (void)server;
    return time_uptime();
}

/* Has the clock jumped, or come back? */
static bool watch_clock(struct server *server)
{
    sg_duration jump;
    enum clock_doubt before = keeper_clock(server->keeper, &jump);

    keeper_note_time(server->keeper, time_now());
    return keeper_clock(server->keeper, &jump) != before;
}

static void tick(uv_timer_t *timer)
{
    struct server *server = timer->data;

    zone_requests_tick(server);
    store_opening_tick(server);
    log_channels_tend(server->logs);
    bool changed = watch_clock(server);
    if (changed || server->loop.wake_at <= time_now()) {
        server_turn(server);
        return;
    }
    epoch_reclaim();
    end_if_idle(server);
}

static void signalled(uv_signal_t *watcher, int number)
{
    struct server *server = watcher->data;

    switch (number) {
    case SIGHUP:
        log_write(LOG_GENERAL, SEVERITY_INFO, "received SIGHUP signal to reload zones");
        reload_request(server, RELOAD_CONFIGURATION_AND_ZONES, NULL);
        break;
    case SIGUSR1:
        log_channels_reopen(server->logs);
        log_write(LOG_GENERAL, SEVERITY_INFO, "received SIGUSR1 signal: log files opened again");
        break;
    default:
        log_write(LOG_GENERAL, SEVERITY_INFO, "received SIG%s signal",
                  number == SIGINT ? "INT" : "TERM");
        server_stop(server);
    }
}

void server_send(struct server *server, struct errand *errand)
{
    errand->job.reply = &server->loop.errands;
    server->progress.errands++;
    worker_pool_submit(server->pool, WORK_SOON, &errand->job);
}

void server_ask_store(struct server *server, struct store_request *request)
{
    request->reply = &server->loop.store_replies;
    server->progress.errands++;
    store_submit(server->store, request);
}

void server_signals_hold(bool hold)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

enum sg_result server_loop_open(struct server *server)
{
    static const int signals[SERVER_SIGNALS] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
    struct server_loop *loop = &server->loop;

    if (uv_loop_init(&loop->uv) != 0) {
        return SG_IO;
    }
    if (uv_async_init(&loop->uv, &loop->woken, woken) != 0 ||
        uv_async_init(&loop->uv, &loop->logs_full, logs_full) != 0 ||
        uv_timer_init(&loop->uv, &loop->tick) != 0 ||
        uv_timer_start(&loop->tick, tick, TICK_MS, TICK_MS) != 0) {
        return SG_IO;
    }
    loop->woken.data = server;
    loop->logs_full.data = server;
    loop->tick.data = server;
    for (size_t i = 0; i < SERVER_SIGNALS; i++) {
        if (uv_signal_init(&loop->uv, &loop->signals[i]) != 0 ||
            uv_signal_start(&loop->signals[i], signalled, signals[i]) != 0) {
            return SG_IO;
        }
        loop->signals[i].data = server;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* A client that has gone is told of by write(2). */
    mailbox_init(&loop->keeper_mailbox, wake, &loop->woken);
    mailbox_init(&loop->errands, wake, &loop->woken);
    mailbox_init(&loop->store_replies, wake, &loop->woken);
    mailbox_init(&loop->commits, wake, &loop->woken);
    __atomic_store_n(&loop->takes_arrivals, true, __ATOMIC_RELEASE);
    log_channels_on_full(server->logs, wake, &loop->logs_full);
    loop->wake_at = INT64_MAX;
    server_signals_hold(false);
    return SG_OK;
}

void server_loop_run(struct server *server)
{
    (void)uv_run(&server->loop.uv, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *handle, void *argument)
{
    (void)argument;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void programs_closed(void *argument)
{
    struct server *server = argument;
    server->programs = NULL;
}

void server_loop_close(struct server *server)
{
    struct server_loop *loop = &server->loop;

    __atomic_store_n(&loop->takes_arrivals, false, __ATOMIC_RELEASE);
    log_channels_on_full(server->logs, NULL, NULL);
    if (server->control != NULL) {
        control_channel_close(server->control);
        server->control = NULL;
    }
    questions_close(server);
    if (server->programs != NULL) {
        programs_close(server->programs, programs_closed, server);
    }
    while (server->peers != NULL || server->programs != NULL) {
        (void)uv_run(&loop->uv, UV_RUN_ONCE);
    }
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
    uv_walk(&loop->uv, close_handle, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    int left = uv_loop_close(&loop->uv);
    ASSERT(left == 0);
    mailbox_clear(&loop->keeper_mailbox);
    mailbox_clear(&loop->errands);
    mailbox_clear(&loop->store_replies);
    mailbox_clear(&loop->commits);
}

void server_all_loaded(void *argument, size_t zones, size_t failed, size_t kept)
{
    struct server *server = argument;

    if (failed > 0) {
        log_write(LOG_GENERAL, SEVERITY_ERROR,
                  "%zu of %zu zones could not be loaded and are not served, see zonestatus", failed,
                  zones);
    }
    if (kept > 0) {
        log_write(LOG_GENERAL, SEVERITY_ERROR,
                  "%zu of %zu zones could not be loaded anew and are served as they were, see "
                  "zonestatus",
                  kept, zones);
    }
    server->progress.failed = failed + kept;
    server->progress.loaded = true;
}

void server_stop(struct server *server)
{
    struct server_progress *progress = &server->progress;

    if (progress->stopping) {
        progress->stop_deadline_ns = time_monotonic_ns(); /* Asked twice: no more patience. */
        end_if_idle(server);
        return;
    }
    progress->stopping = true;
    progress->stop_deadline_ns = time_monotonic_ns() + SERVER_STOP_MS_MAX * 1000000ULL;
    log_write(LOG_GENERAL, SEVERITY_INFO, "shutting down");
    daemon_stopping();
    zone_requests_end(server);
    reload_end(server->reload);
    if (!keeper_is_idle(server->keeper)) {
        log_write(LOG_GENERAL, SEVERITY_NOTICE,
                  "waiting at most %d seconds for %zu jobs; a second signal ends at once",
                  SERVER_STOP_MS_MAX / 1000, keeper_jobs(server->keeper));
    }
    keeper_stop(server->keeper);
    update_forwards_end(server);
    update_judges_end(&server->judges);
    uv_async_send(&server->loop.woken);
}
