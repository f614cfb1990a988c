/*
 * server/server.h - one process: what its parts share, and the event loop of the keeper's thread
 *
 *   woken by  a job's reply, a command, a signal, each second
 *   does      server_turn(): the keeper's turn, and what follows from it
 *
 * Errands are jobs of the server's own, such as reading the configuration: a worker runs them,
 * then `done` is called here. Thread: keeper (main), all functions.
 */
#pragma once

#include <uv.h>

#include "net/control_channel.h"
#include "net/net.h"
#include "net/peer.h"
#include "server/arrival.h"
#include "server/daemon.h"
#include "server/dispatch.h"
#include "server/generation.h"
#include "server/log_channels.h"
#include "server/startup.h"

enum {
    SERVER_SIGNALS = 4,
    SERVER_STOP_MS_MAX = 2000, /* then running jobs are left behind; all they write is crash-safe */
};

struct amendments;
struct reload;
struct programs;
struct store_opening;
struct zone_request;

struct server_loop {
    uv_loop_t uv;
    struct mailbox keeper_mailbox;
    struct mailbox commits;       /* replies of the store */
    struct mailbox store_replies; /* to the server's own requests */
    struct mailbox errands;
    struct inbox inbox;   /* arrivals from net threads; open from the very start */
    uv_async_t woken;     /* a letter in one of the mailboxes */
    uv_async_t logs_full; /* a log file wants to be rolled */
    uv_timer_t tick;      /* each second */
    uv_signal_t signals[SERVER_SIGNALS];
    bool takes_arrivals; /* atomic: the loop can be woken */
    sg_time wake_at;     /* when the keeper wants its next turn */
};

struct server_progress {
    sg_time booted_at;
    sg_time configured_at;
    bool loaded;   /* every zone was tried; not said yet */
    size_t failed; /* zones of them that could not be loaded */
    bool reconfig; /* what was asked for last was `reconfig` */
    bool stopping;
    bool abandoned; /* jobs were still running when the patience ended */
    bool reload_failed;
    uint64_t stop_deadline_ns;
    uint64_t errands; /* out at present */
};

struct server {
    const struct server_options *options;
    char *configuration;            /* absolute path */
    const struct daemon_user *user; /* NULL: no change of user */
    unsigned processors, threads;
    struct log_channels *logs;
    struct worker_pool *pool;
    struct tsig_key session_key; /* without a secret until a zone wants it */
    struct store *store;         /* NULL: it could not be opened yet */
    struct store_opening *store_opening;
    struct peer_desk *peers;                /* questions to other servers */
    struct update_forward *update_forwards; /* that primaries are asked to take */
    size_t update_forwards_count;
    struct programs *programs;
    struct update_judges *judges; /* the daemons that update policies ask */
    struct keeper *keeper;
    struct generation *generation; /* the present one; it is the keeper's */
    struct dispatch *desk;
    struct net *net;
    struct control_channel *control;
    struct reload *reload;
    struct amendments *amendments;      /* beside signet.conf; NULL: none */
    struct zone_request *zone_requests; /* commands that will be answered */
    struct daemon_pid_file pid_file;
    struct server_loop loop;
    struct server_progress progress;
};

struct errand {
    struct job job; /* first member; the errand's maker sets `run` only */
    void (*done)(struct server *server, struct errand *errand);
};
/* Let a worker run it, ahead of bulk work. `done` frees it. */
void server_send(struct server *server, struct errand *errand);

/* Ask the store; `done` of the request is called here. The server does not end before. */
void server_ask_store(struct server *server, struct store_request *request);

/* Before the front desk is made: arrivals wait until the loop runs. */
void server_inbox_open(struct server *server);
/* Drop what has arrived, take no more. After the net threads have ended. */
void server_inbox_close(struct server *server);

/*
 * Without a handler SIGHUP and SIGUSR1 end a process: held while the server starts, they are taken
 * when the loop is open. Thread: main, before any other.
 */
void server_signals_hold(bool hold);

/* Open the loop and take signals; the mailboxes work from here on. SG_IO. */
MUST_USE enum sg_result server_loop_open(struct server *server);
/* Until server_stop() was called and all jobs have ended, or the patience has. */
void server_loop_run(struct server *server);
/* Everything of the loop is closed, the control channel too. */
void server_loop_close(struct server *server);

/* Let there be a turn soon, once the loop is open. Thread: any. */
void server_wake(void *server);
/* After anything that gave the keeper something to do. */
void server_turn(struct server *server);
/* The keeper's word that all zones have been tried. */
void server_all_loaded(void *server, size_t zones, size_t failed, size_t kept);
/* Of the machine, for the keeper. */
sg_time server_uptime(void *server);
/* Begin to end. Again: end now. */
void server_stop(struct server *server);
