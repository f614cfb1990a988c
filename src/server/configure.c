#include "server/configure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/control_listen.h"
#include "server/session_key.h"

enum sg_result configure_directory(const struct conf *conf, char **out_problem)
{
    const char *directory = conf->options.directory;

    if (directory == NULL) {
        return SG_OK;
    }
    if (chdir(directory) != 0) {
        *out_problem =
            mem_format("change directory to '%s' failed: %s", directory, strerror(errno));
        log_write(LOG_CONFIG, SEVERITY_ERROR, "%s", *out_problem);
        return SG_IO;
    }
    return SG_OK;
}

/* As the user that we are from now on. Without leave, signing would fail one zone at a time. */
static void warn_of_read_only_directory(void)
{
    char path[PATH_MAX] = ".";

    if (access(".", W_OK | X_OK) != 0) {
        log_write(LOG_CONFIG, SEVERITY_WARNING,
                  "the working directory '%s' is not writable for uid %u",
                  getcwd(path, sizeof(path)) == NULL ? "." : path, (unsigned)geteuid());
    }
}

enum sg_result configure_log(struct server *server, const struct conf *conf, char **out_problem)
{
    if (server->options->log.stderr_always) {
        log_write(LOG_GENERAL, SEVERITY_NOTICE,
                  "not using config file logging statement for logging due to -g option");
    }
    enum sg_result result = log_channels_configure(server->logs, &conf->logging);
    if (result != SG_OK) {
        *out_problem = mem_copy_text("the files of the logging statement cannot be opened");
    }
    return result;
}

enum sg_result configure_prepare(struct server *server, const struct conf *conf, char **out_problem)
{
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    enum sg_result result = configure_directory(conf, out_problem);
    if (result == SG_OK) {
        result = configure_log(server, conf, out_problem);
    }
    if (result != SG_OK && before >= 0 && fchdir(before) != 0) {
        log_write(LOG_CONFIG, SEVERITY_ERROR, "the working directory is lost: %s", strerror(errno));
    }
    if (before >= 0) {
        close(before);
    }
    return result;
}

enum sg_result configure_take(struct server *server, struct generation *generation,
                              char **out_problem)
{
    const struct conf *conf = generation->conf;
    struct net_limits limits = configure_net_limits(conf);
    sg_time now = time_now();
    size_t twice = 0;

    warn_of_read_only_directory();
    session_key_join(server, generation);
    enum sg_result result = keeper_configure(server->keeper, &generation->keeper, now, &twice);
    ASSERT(result == SG_OK); /* generation_new() has refused zones that stand twice. */
    server->generation = generation;
    server->progress.configured_at = now;
    dispatch_publish(server->desk, generation_front(generation));
    keeper_front_published(server->keeper);
    dispatch_set_query_log(server->desk,
                           conf->options.query_log || dispatch_query_log(server->desk));
    net_set_limits(server->net, &limits);
    return control_listen_take(server, conf, out_problem);
}

struct net_limits configure_net_limits(const struct conf *conf)
{
    return (struct net_limits){
        .tcp_clients = conf->options.tcp.clients_max,
        .tcp_initial_timeout = conf->options.tcp.initial_timeout,
        .tcp_idle_timeout = conf->options.tcp.idle_timeout,
    };
}
