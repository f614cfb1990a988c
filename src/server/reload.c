#include "server/reload.h"

#include "base/mem.h"
#include "server/configure.h"
#include "server/control_call.h"
#include "server/interfaces.h"
#include "server/shortfalls.h"

struct waiter {
    struct waiter *next;
    struct control_request *request; /* NULL: a signal */
    enum reload_kind kind;
};

struct reload {
    struct waiter *waiting; /* for the next run */
    struct waiter *running; /* for the one that is under way */
    bool busy;
};

/* A worker reads into it. */
struct reading {
    struct errand errand; /* first member */
    const char *path;
    struct conf_overrides overrides;
    enum sg_result result;
    struct conf_report report;
    struct conf *conf;
    struct generation *generation;
    const struct conf_zone *twice;
};

static void read_configuration(struct job *job)
{
    struct reading *reading = (struct reading *)job;

    reading->result =
        conf_load_overriding(reading->path, &reading->overrides, &reading->conf, &reading->report);
    if (reading->result == SG_OK) {
        reading->result = generation_new(reading->conf, &reading->generation, &reading->twice);
    }
}

static const char *first_error(const struct reading *reading, struct buffer *text)
{
    for (size_t i = 0; i < reading->report.count; i++) {
        if (reading->report.problems[i].severity == CONF_ERROR) {
            conf_problem_text(&reading->report.problems[i], text);
            text->length -= text->length > 0; /* its newline */
            break;
        }
    }
    return buffer_text(text);
}

static void answer(struct reload *reload, uint32_t code, const char *text)
{
    struct waiter *waiter = reload->running;

    reload->running = NULL;
    while (waiter != NULL) {
        struct waiter *next = waiter->next;
        const char *success =
            waiter->kind == RELOAD_CONFIGURATION ? NULL : "server reload successful";
        if (waiter->request != NULL) {
            control_request_reply(waiter->request, code,
                                  code == 0 ? NULL : control_result_text(code),
                                  code == 0 ? success : text);
        }
        mem_free(waiter);
        waiter = next;
    }
}

static bool wants_zones(const struct reload *reload)
{
    for (const struct waiter *waiter = reload->running; waiter != NULL; waiter = waiter->next) {
        if (waiter->kind == RELOAD_CONFIGURATION_AND_ZONES) {
            return true;
        }
    }
    return false;
}

/* All of it, now that it is known to be good. */
static enum sg_result take_over(struct server *server, struct reading *reading, char **problem)
{
    bool zones = wants_zones(server->reload);
    size_t wanted = 0;

    enum sg_result result = configure_prepare(server, reading->conf, problem);
    if (result != SG_OK) {
        return result;
    }
    (void)interfaces_bind(server->net, reading->conf, &wanted);
    char *unheard = interfaces_problem(server->net, reading->conf);
    server->progress.reconfig = !zones;
    result = configure_take(server, reading->generation, problem);
    reading->generation = NULL; /* The keeper's now. */
    if (result == SG_OK) {
        shortfalls_log(reading->conf);
        if (unheard != NULL) {
            *problem = mem_format("the new configuration is in use, but: %s", unheard);
            result = SG_IO;
        } else {
            log_write(LOG_GENERAL, SEVERITY_INFO, "reloading configuration succeeded");
        }
    }
    mem_free(unheard);
    if (zones) {
        keeper_reload_all(server->keeper);
        log_write(LOG_GENERAL, SEVERITY_INFO, "scheduled loading changed zones");
    } else {
        log_write(LOG_GENERAL, SEVERITY_INFO, "scheduled loading new zones");
    }
    return result;
}

/* `done` is finish(), which may start the next. */
static void start(struct server *server, void (*done)(struct server *, struct errand *))
{
    struct reload *reload = server->reload;
    struct reading *reading = mem_alloc_zero(1, sizeof(*reading));

    reload->running = reload->waiting;
    reload->waiting = NULL;
    reload->busy = true;
    reading->path = server->configuration;
    reading->overrides = server->options->overrides;
    reading->errand.job.run = read_configuration;
    reading->errand.done = done;
    log_write(LOG_GENERAL, SEVERITY_INFO, "loading configuration from '%s'", server->configuration);
    daemon_reloading();
    server_send(server, &reading->errand);
}

static void finish(struct server *server, struct errand *errand)
{
    struct reading *reading = (struct reading *)errand;
    struct reload *reload = server->reload;
    struct buffer text = BUFFER_EMPTY;
    char *problem = NULL;
    enum sg_result result = reading->result;

    reload->busy = false;
    reload_log_report(&reading->report);
    if (server->progress.stopping) {
        result = SG_CANCELLED;
    } else if (result == SG_OK) {
        result = take_over(server, reading, &problem);
    }
    if (reading->twice != NULL) {
        problem = mem_format("zone '%s' stands twice in view '%s'", reading->twice->name,
                             reading->twice->view->name);
        log_write(LOG_CONFIG, SEVERITY_ERROR, "%s", problem);
    }
    uint32_t code = reload_result_code(result);
    server->progress.reload_failed = code != 0;
    if (code != 0) {
        log_write(LOG_GENERAL, SEVERITY_ERROR, "reloading configuration failed: %s",
                  control_result_text(code));
    }
    daemon_reloaded();
    answer(reload, code, problem != NULL ? problem : first_error(reading, &text));
    if (reading->generation != NULL) {
        generation_free(reading->generation);
    } else if (reading->twice != NULL) {
        conf_free(reading->conf);
    }
    conf_report_clear(&reading->report);
    buffer_free(&text);
    mem_free(problem);
    mem_free(reading);
    if (reload->waiting != NULL) {
        start(server, finish);
    }
}

struct reload *reload_new(void)
{
    return mem_alloc_zero(1, sizeof(struct reload));
}

void reload_free(struct reload *reload)
{
    if (reload == NULL) {
        return;
    }
    answer(reload, CONTROL_SHUTTING_DOWN, NULL);
    reload->running = reload->waiting;
    answer(reload, CONTROL_SHUTTING_DOWN, NULL);
    mem_free(reload);
}

void reload_request(struct server *server, enum reload_kind kind, struct control_request *request)
{
    struct waiter *waiter = mem_alloc_zero(1, sizeof(*waiter));

    *waiter = (struct waiter){server->reload->waiting, request, kind};
    server->reload->waiting = waiter;
    if (!server->reload->busy && !server->progress.stopping) {
        start(server, finish);
    }
}

bool reload_is_busy(const struct reload *reload)
{
    return reload->busy;
}

void reload_log_report(const struct conf_report *report)
{
    static const int severities[] = {
        [CONF_ERROR] = SEVERITY_ERROR,
        [CONF_WARNING] = SEVERITY_WARNING,
        [CONF_NOTE] = SEVERITY_INFO,
    };
    struct buffer text = BUFFER_EMPTY;

    for (size_t i = 0; i < report->count; i++) {
        const struct conf_problem *problem = &report->problems[i];
        buffer_clear(&text);
        conf_problem_text(problem, &text);
        text.length -= text.length > 0; /* its newline */
        log_write(LOG_CONFIG, severities[problem->severity], "%s", buffer_text(&text));
    }
    if (report->errors > report->count) {
        log_write(LOG_CONFIG, SEVERITY_ERROR, "%zu errors in all", report->errors);
    }
    buffer_free(&text);
}

uint32_t reload_result_code(enum sg_result result)
{
    switch (result) {
    case SG_OK:
        return CONTROL_SUCCESS;
    case SG_NOT_FOUND:
        return CONTROL_FILE_NOT_FOUND;
    case SG_DENIED:
        return CONTROL_NO_PERMISSION;
    case SG_EXISTS:
        return CONTROL_EXISTS;
    case SG_CANCELLED:
        return CONTROL_SHUTTING_DOWN;
    default:
        return CONTROL_FAILURE;
    }
}
