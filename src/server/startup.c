#include "server/startup.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "server/configure.h"
#include "server/control.h"
#include "server/control_listen.h"
#include "server/interfaces.h"
#include "server/programs.h"
#include "server/questions.h"
#include "server/reload.h"
#include "server/session_key.h"
#include "server/shortfalls.h"
#include "server/store_opening.h"
#include "server/update_forward.h"
#include "server/update_judges.h"
#include "server/zone_edit.h"

/* What the start has made of the configuration, until the keeper takes it. */
struct start {
    struct conf *conf;
    struct generation *generation;
    struct daemon_user user;
};

static unsigned processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) {
        return (unsigned)CPU_COUNT(&set);
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

static void say_what_starts(const struct server *server)
{
    struct utsname host;

    log_write(LOG_GENERAL, SEVERITY_NOTICE, "starting Signet %s", SIGNET_VERSION);
    if (uname(&host) == 0) {
        log_write(LOG_GENERAL, SEVERITY_NOTICE, "running on %s %s %s %s", host.sysname,
                  host.machine, host.release, host.version);
    }
    log_write(LOG_GENERAL, SEVERITY_NOTICE, "running as: %s", server->options->command_line);
    log_write(LOG_GENERAL, SEVERITY_INFO, "found %u CPU%s, using %u worker thread%s",
              server->processors, server->processors == 1 ? "" : "s", server->threads,
              server->threads == 1 ? "" : "s");
}

static enum sg_result load_configuration(struct server *server, struct start *start)
{
    struct conf_report report = {.problems = NULL};
    const struct conf_zone *twice = NULL;

    log_write(LOG_GENERAL, SEVERITY_INFO, "loading configuration from '%s'", server->configuration);
    enum sg_result result = conf_load_overriding(server->configuration, &server->options->overrides,
                                                 &start->conf, &report);
    int saved = errno;
    reload_log_report(&report);
    if (result != SG_OK && report.errors == 0) {
        log_write(LOG_CONFIG, SEVERITY_ERROR, "'%s': %s", server->configuration,
                  result == SG_IO ? strerror(saved) : sg_result_text(result));
    }
    conf_report_clear(&report);
    if (result == SG_OK) {
        result = generation_new(start->conf, &start->generation, &twice);
        if (result != SG_OK) {
            log_write(LOG_CONFIG, SEVERITY_ERROR, "zone '%s' stands twice in view '%s'",
                      twice->name, twice->view->name);
            conf_free(start->conf);
        } else {
            shortfalls_log(start->conf);
        }
    }
    return result;
}

/* Folders that must be there, while we may still make them. */
static void prepare_folders(const struct server *server, const struct conf *conf)
{
    const char *pid_file = conf->options.pid_file;
    const char *store = conf->options.store_directory;

    if (pid_file != NULL && daemon_own_folder_of(pid_file, server->user) != SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_WARNING, "the folder of pid-file '%s': %s", pid_file,
                  strerror(errno));
    }
    if (session_key_is_wanted(conf) &&
        daemon_own_folder_of(conf->options.session_key.file, server->user) != SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_WARNING, "the folder of session-keyfile '%s': %s",
                  conf->options.session_key.file, strerror(errno));
    }
    if (daemon_own_folder(store, server->user) != SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_WARNING, "store-directory '%s': %s", store,
                  strerror(errno));
    }
}

static enum sg_result bind_addresses(struct server *server, const struct conf *conf)
{
    struct net_service service = dispatch_service(server->desk);
    struct net_settings settings = {
        .udp_threads = server->threads,
        .tcp_threads = server->threads > 1 ? server->threads / 2 : 1,
        .tcp_listen_queue = conf->options.tcp.listen_queue,
    };
    struct net_limits limits = configure_net_limits(conf);
    size_t wanted = 0;

    server->net = net_new(&service, &settings, &limits);
    size_t served = interfaces_bind(server->net, conf, &wanted);
    if (served == 0 && wanted > 0) {
        log_write(LOG_NETWORK, SEVERITY_CRITICAL,
                  "none of the %zu addresses to listen on could be had; is another server running?",
                  wanted);
        return SG_IO;
    }
    return SG_OK;
}

static enum sg_result take_pid_file(struct server *server, const struct conf *conf)
{
    const char *path = conf->options.pid_file;
    pid_t owner = 0;

    if (path == NULL) {
        return SG_OK;
    }
    enum sg_result result = daemon_pid_file_take(path, &server->pid_file, &owner);
    switch (result) {
    case SG_OK:
        break;
    case SG_EXISTS:
        log_write(LOG_GENERAL, SEVERITY_CRITICAL,
                  "another server is running: process %ld holds the pid-file '%s'", (long)owner,
                  path);
        break;
    case SG_CONFLICT:
        log_write(LOG_GENERAL, SEVERITY_CRITICAL, "pid-file '%s' is not a regular file", path);
        break;
    default:
        log_write(LOG_GENERAL, SEVERITY_CRITICAL, "could not write pid-file '%s': %s", path,
                  strerror(errno));
    }
    return result;
}

static enum sg_result give_up_root(const struct server *server)
{
    if (server->user != NULL && daemon_become(server->user) != SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_CRITICAL, "could not become user '%s'", server->user->name);
        return SG_DENIED;
    }
    daemon_forbid_core();
    return SG_OK;
}

static void outsider_answers(void *argument)
{
    struct server *server = argument;
    keeper_note_time(server->keeper, time_now());
    server_wake(server); /* It may have given the keeper work. */
}

/* Threads, loop, keeper: all that must not exist before the user has changed. */
static enum sg_result make_parts(struct server *server, const struct conf *conf)
{
    enum sg_result result = store_opening_start(server, conf);
    if (result != SG_OK) {
        return result;
    }
    result = server_loop_open(server);
    if (result != SG_OK) {
        return result;
    }
    result = worker_pool_new(server->threads, &server->pool);
    if (result != SG_OK) {
        return result;
    }
    server->programs = programs_new(&server->loop.uv, outsider_answers, server);
    server->judges = update_judges_new(&server->loop.uv, outsider_answers, server);
    struct keeper_io io = {
        .pool = server->pool,
        .mailbox = &server->loop.keeper_mailbox,
        .store = server->store,
        .commits = &server->loop.commits,
        .asker = questions_open(server),
        .runner = programs_runner(server->programs),
        .all_loaded = server_all_loaded,
        .uptime = server_uptime,
        .argument = server,
    };
    server->keeper = keeper_new(&io);
    store_opening_tell(server);
    server->reload = reload_new();
    server->control = control_channel_new(&server->loop.uv, control_run_command, server);
    return SG_OK;
}

static enum sg_result load_amended(struct server *server, struct conf_report *report,
                                   struct conf **out_conf)
{
    struct conf_overrides overrides = server->options->overrides;
    struct conf_amendment *amendments =
        amendments_for_conf(server->amendments, &overrides.amendments_count);

    overrides.amendments = amendments;
    enum sg_result result =
        conf_load_overriding(server->configuration, &overrides, out_conf, report);
    mem_free(amendments);
    return result;
}

/* Zones of addzone. One that does not fit signet.conf any more is no reason not to start. */
static enum sg_result add_zones(struct server *server, struct start *start)
{
    const struct conf_zone *twice = NULL;
    enum sg_result result = SG_MALFORMED;
    bool again = server->amendments != NULL && server->amendments->count > 0;
    bool wanted = again;

    while (again) {
        struct conf_report report = {.problems = NULL};
        struct conf *conf = NULL;
        result = load_amended(server, &report, &conf);
        again = result != SG_OK && amendments_leave_out(server->amendments, &report) > 0;
        if (!again) {
            reload_log_report(&report);
        }
        conf_report_clear(&report);
        if (result == SG_OK) {
            generation_free(start->generation);
            start->generation = NULL;
            result = generation_new(conf, &start->generation, &twice);
        }
    }
    if (twice != NULL) {
        log_write(LOG_CONFIG, SEVERITY_ERROR, "zone '%s' stands twice in view '%s'", twice->name,
                  twice->view->name);
    }
    return wanted ? result : SG_OK;
}

/* From the command line to a server that answers. On failure the reason has been logged. */
static enum sg_result start_up(struct server *server, struct start *start)
{
    char *problem = NULL;

    enum sg_result result = load_configuration(server, start);
    if (result != SG_OK) {
        return result;
    }
    const struct conf *conf = start->conf;
    result = configure_directory(conf, &problem);
    if (result == SG_OK) {
        prepare_folders(server, conf);
        control_listen_prepare_key(server, conf);
        result = bind_addresses(server, conf);
    }
    if (result == SG_OK) {
        result = give_up_root(server);
    }
    if (result == SG_OK) {
        result = configure_log(server, conf, &problem);
    }
    if (result == SG_OK) {
        result = take_pid_file(server, conf);
    }
    if (result == SG_OK) {
        result = make_parts(server, conf);
    }
    if (result == SG_OK) {
        result = add_zones(server, start);
    }
    if (result == SG_OK) {
        struct generation *generation = start->generation;
        start->generation = NULL; /* The keeper's now. */
        result = configure_take(server, generation, &problem);
    }
    if (result == SG_OK) {
        result = net_start(server->net);
    }
    mem_free(problem);
    return result;
}

/* In the reverse order, whatever of it there is. */
static void tear_down(struct server *server)
{
    mem_end();
    if (server->net != NULL) {
        net_stop(server->net);
    }
    server_inbox_close(server);
    if (server->keeper != NULL) {
        keeper_stop(server->keeper); /* Its questions end before the loop does. */
        update_forwards_end(server);
        update_judges_end(&server->judges);
    }
    store_free(server->store); /* All that was asked of it has been answered. */
    if (server->keeper != NULL) {
        server_loop_close(server);
        reload_free(server->reload);
        dispatch_free(server->desk);
        keeper_free(server->keeper);
        worker_pool_free(server->pool);
        epoch_barrier();
    } else {
        dispatch_free(server->desk);
    }
    net_free(server->net);
    amendments_free(server->amendments);
    store_opening_free(server->store_opening);
}

static bool find_configuration(struct server *server)
{
    char *path = realpath(server->options->configuration, NULL);

    if (path == NULL) {
        log_write(LOG_CONFIG, SEVERITY_CRITICAL, "configuration '%s': %s",
                  server->options->configuration, strerror(errno));
        return false;
    }
    server->configuration = mem_copy_text(path);
    free(path);
    return true;
}

/* What must happen before a file is read: user, root folder, background. */
static bool enter(struct server *server, struct start *start)
{
    const struct server_options *options = server->options;

    if (options->user != NULL) {
        /* Before the chroot, which has no passwd of its own. */
        if (daemon_user_find(options->user, &start->user) != SG_OK) {
            log_write(LOG_GENERAL, SEVERITY_CRITICAL, "user '%s' unknown", options->user);
            return false;
        }
        server->user = &start->user;
    }
    if (options->chroot_folder != NULL && daemon_chroot(options->chroot_folder) != SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_CRITICAL, "chroot to '%s': %s", options->chroot_folder,
                  strerror(errno));
        return false;
    }
    if (!find_configuration(server)) {
        return false;
    }
    if (!options->foreground && daemon_detach() != SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_CRITICAL, "could not go into the background: %s",
                  strerror(errno));
        return false;
    }
    return true;
}

static int serve(struct server *server, struct start *start)
{
    bool started = start_up(server, start) == SG_OK;

    if (started) {
        server_turn(server);
    } else if (server->keeper != NULL) {
        server_stop(server); /* Zones may be loading already, and a key be written. */
    }
    if (server->keeper != NULL) {
        server_loop_run(server);
    }
    if (server->progress.abandoned) {
        daemon_pid_file_drop(&server->pid_file);
        log_write(LOG_GENERAL, SEVERITY_NOTICE, "exiting");
        _exit(started ? EXIT_SUCCESS
                      : EXIT_FAILURE); /* Workers still run: nothing that they use may be freed. */
    }
    tear_down(server);
    generation_free(start->generation);
    daemon_pid_file_drop(&server->pid_file);
    log_write(LOG_GENERAL, started ? SEVERITY_NOTICE : SEVERITY_CRITICAL, "%s",
              started ? "exiting" : "exiting (due to fatal error)");
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

int startup_run(const struct server_options *options)
{
    struct server server = {.options = options, .pid_file = {NULL, -1}};
    struct start start = {.conf = NULL};
    int status = EXIT_FAILURE;

    thread_name(THREAD_KEEPER, "signetd");
    if (log_channels_new(&options->log, &server.logs) != SG_OK) {
        fprintf(stderr, "signetd: log file '%s': %s\n", options->log.file, strerror(errno));
        return EXIT_FAILURE;
    }
    server.progress.booted_at = time_now();
    server.processors = processors();
    server.threads = options->threads != 0 ? options->threads : server.processors;
    if (enter(&server, &start)) {
        say_what_starts(&server);
        server_inbox_open(&server);
        server.desk = dispatch_new(&server.loop.inbox);
        status = serve(&server, &start);
    }
    mem_free(server.configuration);
    log_channels_free(server.logs);
    return status;
}
