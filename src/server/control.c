#include "server/control.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/control_backup.h"
#include "server/control_call.h"
#include "server/control_dnssec.h"
#include "server/control_dynamic.h"
#include "server/control_signing.h"
#include "server/control_zone.h"
#include "server/interfaces.h"
#include "server/reload.h"
#include "server/status.h"
#include "server/zone_edit.h"

enum { DEBUG_LEVEL_MAX = 99, LINE_BYTES_LOGGED = 512, STATISTICS_MODE = 0644 };

static void run_null(struct control_call *call)
{
    control_call_succeed(call, NULL);
}

static void run_status(struct control_call *call)
{
    struct buffer text = BUFFER_EMPTY;

    status_of_server(call->server, &text);
    control_call_succeed(call, buffer_text(&text));
    buffer_free(&text);
}

static void run_reload(struct control_call *call)
{
    if (call->count > 1) {
        control_zone_reload(call);
        return;
    }
    struct control_request *request = control_call_keep(call);
    reload_request(call->server, RELOAD_CONFIGURATION_AND_ZONES, request);
}

static void run_reconfig(struct control_call *call)
{
    struct control_request *request = control_call_keep(call);

    reload_request(call->server, RELOAD_CONFIGURATION, request);
}

/* `halt` differs from `stop` once there are journals to write into zone files. */
static void run_stop(struct control_call *call)
{
    char text[32];

    if (control_call_word_is(call, 1, "-p")) {
        snprintf(text, sizeof(text), "pid: %ld", (long)getpid());
        control_call_succeed(call, text);
    } else if (call->count > 1) {
        control_call_fail(call, CONTROL_SYNTAX, NULL);
        return;
    } else {
        control_call_succeed(call, NULL);
    }
    server_stop(call->server);
}

static void run_querylog(struct control_call *call)
{
    struct dispatch *desk = call->server->desk;
    bool on = !dispatch_query_log(desk);

    if (control_call_word_is(call, 1, "on") || control_call_word_is(call, 1, "yes") ||
        control_call_word_is(call, 1, "true") || control_call_word_is(call, 1, "1")) {
        on = true;
    } else if (control_call_word_is(call, 1, "off") || control_call_word_is(call, 1, "no") ||
               control_call_word_is(call, 1, "false") || control_call_word_is(call, 1, "0")) {
        on = false;
    } else if (call->count > 1) {
        control_call_fail(call, CONTROL_SYNTAX, NULL);
        return;
    }
    dispatch_set_query_log(desk, on);
    log_write(LOG_GENERAL, SEVERITY_INFO, "query logging is now %s", on ? "on" : "off");
    control_call_succeed(call, NULL);
}

static void set_debug_level(struct control_call *call, unsigned level)
{
    log_channels_set_debug(call->server->logs, level);
    log_write(LOG_GENERAL, SEVERITY_INFO, "debug level is now %u", level);
    control_call_succeed(call, NULL);
}

/* `clock`: is it in doubt? `clock -accept`: it is right, whatever it has done. */
static void run_clock(struct control_call *call)
{
    struct keeper *keeper = call->server->keeper;
    struct buffer text = BUFFER_EMPTY;

    if (call->count > 2 || (call->count == 2 && !control_call_word_is(call, 1, "-accept"))) {
        control_call_explain(call, CONTROL_SYNTAX, "expected: clock [-accept]");
        return;
    }
    if (call->count == 2) {
        buffer_format(&text, "the clock is accepted; zones whose keys go on: %zu",
                      keeper_accept_clock(keeper));
    } else {
        status_of_clock(call->server, &text);
    }
    control_call_succeed(call, buffer_text(&text));
    buffer_free(&text);
}

static void run_trace(struct control_call *call)
{
    const char *text = control_call_word(call, 1);
    unsigned level = log_channels_debug(call->server->logs) + 1;

    if (text != NULL) {
        char *end = NULL;
        unsigned long number = strtoul(text, &end, 10);
        if (end == text || *end != '\0' || number > DEBUG_LEVEL_MAX) {
            control_call_fail(call, CONTROL_RANGE, NULL);
            return;
        }
        level = (unsigned)number;
    }
    set_debug_level(call, level < DEBUG_LEVEL_MAX ? level : DEBUG_LEVEL_MAX);
}

static void run_notrace(struct control_call *call)
{
    set_debug_level(call, 0);
}

static void run_scan(struct control_call *call)
{
    const struct server *server = call->server;
    size_t wanted = 0;

    (void)interfaces_bind(server->net, server->generation->conf, &wanted);
    char *problem = interfaces_problem(server->net, server->generation->conf);
    if (problem == NULL) {
        control_call_succeed(call, NULL);
    } else {
        control_call_fail(call, CONTROL_FAILURE, problem);
    }
    mem_free(problem);
}

/* The keeper's thread touches no disk: a worker appends what it was given. */
struct statistics_errand {
    struct errand errand; /* first member */
    struct control_request *request;
    char *path;
    struct buffer text;
    bool written;
};

static void write_statistics(struct job *job)
{
    struct statistics_errand *errand = (struct statistics_errand *)job;
    int fd = open(errand->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, STATISTICS_MODE);

    if (fd < 0) {
        return;
    }
    errand->written =
        write(fd, errand->text.bytes, errand->text.length) == (ssize_t)errand->text.length;
    errand->written &= close(fd) == 0;
}

static void statistics_written(struct server *server, struct errand *done)
{
    struct statistics_errand *errand = (struct statistics_errand *)done;

    (void)server;
    if (errand->written) {
        log_write(LOG_GENERAL, SEVERITY_INFO, "dumpstats complete");
        control_request_reply(errand->request, CONTROL_SUCCESS, NULL, NULL);
    } else {
        char *text = mem_format("could not write '%s'", errand->path);
        control_request_reply(errand->request, CONTROL_FAILURE,
                              control_result_text(CONTROL_FAILURE), text);
        mem_free(text);
    }
    buffer_free(&errand->text);
    mem_free(errand->path);
    mem_free(errand);
}

static void run_stats(struct control_call *call)
{
    const char *path = call->server->generation->conf->options.statistics_file;
    struct statistics_errand *errand = mem_alloc_zero(1, sizeof(*errand));

    errand->errand.job.run = write_statistics;
    errand->errand.done = statistics_written;
    errand->request = control_call_keep(call);
    errand->path = mem_copy_text(path != NULL ? path : "signet.stats");
    status_statistics(call->server, &errand->text);
    server_send(call->server, &errand->errand);
}

static void run_later(struct control_call *call)
{
    control_call_explain(call, CONTROL_NOT_IMPLEMENTED,
                         "signetd %s does not know how to do '%s' yet; nothing was changed",
                         SIGNET_VERSION, call->words[0]);
}

static void run_resolver_only(struct control_call *call)
{
    control_call_explain(call, CONTROL_NOT_IMPLEMENTED, "'%s' is for resolvers; signetd is none",
                         call->words[0]);
}

enum { READ_ONLY = 1, QUIET = 2 };

/* Everything that rndc knows, so that nothing it knows is an "unknown command". */
static const struct command {
    const char *name;
    void (*run)(struct control_call *call);
    unsigned flags; /* READ_ONLY: changes nothing; QUIET: logged at debug level only */
} commands[] = {
    {"null", run_null, READ_ONLY | QUIET},
    {"status", run_status, READ_ONLY | QUIET},
    {"reload", run_reload, 0},
    {"reconfig", run_reconfig, 0},
    {"zonestatus", control_zone_status, READ_ONLY},
    {"showzone", control_zone_show, READ_ONLY},
    {"stop", run_stop, 0},
    {"halt", run_stop, 0},
    {"querylog", run_querylog, 0},
    {"trace", run_trace, 0},
    {"clock", run_clock, 0},
    {"notrace", run_notrace, 0},
    {"scan", run_scan, 0},
    {"stats", run_stats, 0},
    {"loadkeys", control_zone_loadkeys, 0},
    {"sign", control_zone_sign, 0},
    {"addzone", control_addzone, 0},
    {"modzone", control_modzone, 0},
    {"delzone", control_delzone, 0},
    {"backup", control_backup, 0},
    {"freeze", control_freeze, 0},
    {"thaw", control_thaw, 0},
    {"sync", control_sync, 0},
    {"signing", control_signing, 0},
    {"dnssec", control_dnssec, 0},
    {"refresh", control_zone_refresh, 0},
    {"retransfer", control_zone_retransfer, 0},
    {"notify", control_zone_notify, 0},

    {"dnstap", run_later, 0},
    {"dumpdb", run_later, 0},
    {"memprof", run_later, 0},
    {"reset-stats", run_later, 0},
    {"responselog", run_later, 0},
    {"skr", run_later, 0},
    {"tcp-timeouts", run_later, 0},
    {"testgen", run_later, READ_ONLY},
    {"tsig-delete", run_later, 0},
    {"tsig-list", run_later, 0},

    {"fetchlimit", run_resolver_only, 0},
    {"flush", run_resolver_only, 0},
    {"flushname", run_resolver_only, 0},
    {"flushtree", run_resolver_only, 0},
    {"managed-keys", run_resolver_only, 0},
    {"nta", run_resolver_only, 0},
    {"recursing", run_resolver_only, 0},
    {"secroots", run_resolver_only, 0},
    {"serve-stale", run_resolver_only, 0},
    {"validation", run_resolver_only, 0},
};

static const struct command *find_command(const struct control_call *call)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (control_call_word_is(call, 0, commands[i].name)) {
            return &commands[i];
        }
    }
    return NULL;
}

static void run_call(struct control_call *call, const char *line)
{
    const struct command *command = find_command(call);

    log_write(LOG_GENERAL,
              command != NULL && (command->flags & QUIET) != 0 ? SEVERITY_DEBUG : SEVERITY_INFO,
              "received control channel command '%.*s'", LINE_BYTES_LOGGED, line);
    if (command == NULL) {
        log_write(LOG_GENERAL, SEVERITY_WARNING, "unknown control channel command '%.*s'",
                  LINE_BYTES_LOGGED, call->words[0]);
        control_call_fail(call, CONTROL_UNKNOWN_COMMAND, NULL);
    } else if (control_request_is_read_only(call->request) && (command->flags & READ_ONLY) == 0) {
        log_write(LOG_GENERAL, SEVERITY_INFO, "rejecting restricted control channel command '%.*s'",
                  LINE_BYTES_LOGGED, line);
        control_call_fail(call, CONTROL_NO_PERMISSION, NULL);
    } else if (call->server->progress.stopping) {
        control_call_fail(call, CONTROL_SHUTTING_DOWN, NULL);
    } else {
        command->run(call);
    }
}

void control_run_command(void *argument, struct control_request *request, const char *line)
{
    struct server *server = argument;
    struct control_call call;

    if (control_call_open(server, request, line, &call) != SG_OK) {
        control_request_reply(request, CONTROL_SYNTAX, control_result_text(CONTROL_SYNTAX), NULL);
        return;
    }
    if (call.count == 0) {
        control_call_fail(&call, CONTROL_UNEXPECTED_END, NULL);
    } else {
        run_call(&call, line);
    }
    control_call_close(&call);
    if (server->keeper != NULL) {
        server_turn(server);
    }
}
