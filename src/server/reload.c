#include "server/reload.h"

#include "base/mem.h"
#include "server/configure.h"
#include "server/control_call.h"
#include "server/interfaces.h"
#include "server/shortfalls.h"
#include "server/store_opening.h"

struct waiter {
    struct waiter *next;
    struct control_request *request; /* NULL: a signal */
    enum reload_kind kind;
};

struct reload {
    struct waiter *waiting;  /* for the next run */
    struct waiter *running;  /* for the one that is under way */
    struct zone_edit *edits; /* that wait */
    struct zone_edit **edits_last;
    bool busy;
};

/* A worker reads into it. */
struct reading {
    struct errand errand; /* first member */
    const char *path;
    struct conf_overrides overrides;
    struct zone_edit *edit; /* NULL: a reload */
    const struct amendments *before;
    struct amendments *amendments; /* what it was read with */
    enum sg_result result;
    struct conf_report report;
    struct conf *conf;
    struct generation *generation;
    const struct conf_zone *twice;
    char *objection; /* to the zone that is to be added; NULL: none, or in the report */
};

static void load_amended(struct reading *reading)
{
    struct conf_overrides *overrides = &reading->overrides;
    struct conf_amendment *amendments =
        amendments_for_conf(reading->amendments, &overrides->amendments_count);

    overrides->amendments = amendments;
    conf_report_clear(&reading->report);
    reading->result =
        conf_load_overriding(reading->path, overrides, &reading->conf, &reading->report);
    mem_free(amendments);
}

static void read_configuration(struct job *job)
{
    struct reading *reading = (struct reading *)job;
    const struct amendments *before = reading->before;
    bool is_reload = reading->edit == NULL;

    reading->result = is_reload ? SG_OK : zone_edit_fits(reading->edit, before);
    if (reading->result != SG_OK) {
        reading->objection =
            mem_copy_text(reading->result == SG_EXISTS ? "another addzone of that zone came first"
                                                       : "the zone has been deleted meanwhile");
        return;
    }
    reading->amendments =
        is_reload ? amendments_stored(before) : zone_edit_apply(reading->edit, before);
    load_amended(reading);
    while (reading->result != SG_OK && is_reload &&
           amendments_leave_out_again(reading->amendments, &reading->report, before) > 0) {
        load_amended(reading);
    }
    if (reading->result == SG_OK) {
        reading->result = generation_new(reading->conf, &reading->generation, &reading->twice);
    }
    if (reading->result == SG_OK && reading->edit != NULL) {
        reading->result = zone_edit_check(reading->edit, reading->conf, &reading->objection);
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
    struct amendments *old = server->amendments;
    size_t wanted = 0;

    enum sg_result result = configure_prepare(server, reading->conf, problem);
    if (result != SG_OK && reading->edit == NULL) {
        return result; /* An edit is durable by now: it goes through, and the log says the rest. */
    }
    (void)interfaces_bind(server->net, reading->conf, &wanted);
    char *unheard = interfaces_problem(server->net, reading->conf);
    server->progress.reconfig = !zones;
    server->amendments = reading->amendments;
    reading->amendments = old; /* to be freed with the rest */
    if (reading->edit != NULL) {
        zone_edit_prepare(reading->edit);
    }
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
    store_opening_hurry(server);
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
    reading->before = server->amendments;
    if (reload->running == NULL) {
        reading->edit = reload->edits;
        reload->edits = reading->edit->next;
        reload->edits_last = reload->edits == NULL ? &reload->edits : reload->edits_last;
    }
    reading->errand.job.run = read_configuration;
    reading->errand.done = done;
    log_write(LOG_GENERAL, SEVERITY_INFO, "loading configuration from '%s'", server->configuration);
    if (reading->edit == NULL) {
        daemon_reloading(); /* An edit is no reload: the service manager does not wait for it. */
    }
    server_send(server, &reading->errand);
}

static void reading_free(struct reading *reading)
{
    if (reading->generation != NULL) {
        generation_free(reading->generation);
    } else if (reading->twice != NULL) {
        conf_free(reading->conf);
    }
    amendments_free(reading->amendments);
    conf_report_clear(&reading->report);
    mem_free(reading->objection);
    mem_free(reading);
}

static void finish(struct server *server, struct errand *errand);

static void start_next(struct server *server)
{
    struct reload *reload = server->reload;

    reload->busy = false;
    if (!server->progress.stopping && (reload->waiting != NULL || reload->edits != NULL)) {
        start(server, finish);
    }
}

/* --- an edit of one zone ---------------------------------------------------------------------- */

static void fail_edit(struct reading *reading, enum sg_result result, const char *problem)
{
    struct buffer text = BUFFER_EMPTY;
    struct zone_edit *edit = reading->edit;
    uint32_t code = reload_result_code(result);

    if (problem == NULL) {
        problem = reading->objection;
    }
    if (problem != NULL) {
        log_write(LOG_GENERAL, SEVERITY_ERROR, "zone '%s' was not changed: %.*s", edit->written,
                  (int)strcspn(problem, "\n"), problem);
    } else { /* The report was logged. */
        log_write(LOG_GENERAL, SEVERITY_ERROR, "zone '%s' was not changed", edit->written);
        problem = first_error(reading, &text);
    }
    zone_edit_failed(edit, code, problem);
    buffer_free(&text);
}

static void edit_stored(struct zone_edit *edit, enum sg_result result)
{
    struct reading *reading = edit->argument;
    struct server *server = edit->server;
    char *problem = NULL;

    if (result == SG_OK && server->progress.stopping) {
        zone_edit_failed(edit, CONTROL_SHUTTING_DOWN, NULL);
    } else if (result != SG_OK) {
        problem = mem_format("it could not be stored: %s", sg_result_text(result));
        fail_edit(reading, result, problem);
    } else {
        (void)take_over(server, reading, &problem);
        zone_edit_taken(edit);
    }
    mem_free(problem);
    reading_free(reading);
    start_next(server);
}

static void finish_edit(struct server *server, struct reading *reading)
{
    enum sg_result result = server->progress.stopping ? SG_CANCELLED : reading->result;
    char *problem = NULL;

    if (result == SG_OK) {
        zone_edit_store(reading->edit, edit_stored, reading);
        return;
    }
    if (reading->twice != NULL) {
        problem = mem_format("zone '%s' stands twice in view '%s'", reading->twice->name,
                             reading->twice->view->name);
    }
    fail_edit(reading, result, problem);
    mem_free(problem);
    reading_free(reading);
    start_next(server);
}

/* --- the end of a reading --------------------------------------------------------------------- */

static void finish(struct server *server, struct errand *errand)
{
    struct reading *reading = (struct reading *)errand;
    struct reload *reload = server->reload;
    struct buffer text = BUFFER_EMPTY;
    char *problem = NULL;
    enum sg_result result = reading->result;

    reload_log_report(&reading->report);
    if (reading->edit != NULL) {
        finish_edit(server, reading);
        return;
    }
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
    buffer_free(&text);
    mem_free(problem);
    reading_free(reading);
    start_next(server);
}

struct reload *reload_new(void)
{
    struct reload *reload = mem_alloc_zero(1, sizeof(*reload));

    reload->edits_last = &reload->edits;
    return reload;
}

void reload_free(struct reload *reload)
{
    if (reload != NULL) {
        reload_end(reload);
        mem_free(reload);
    }
}

void reload_end(struct reload *reload)
{
    answer(reload, CONTROL_SHUTTING_DOWN, NULL);
    reload->running = reload->waiting;
    reload->waiting = NULL;
    answer(reload, CONTROL_SHUTTING_DOWN, NULL);
    while (reload->edits != NULL) {
        struct zone_edit *edit = reload->edits;
        reload->edits = edit->next;
        zone_edit_failed(edit, CONTROL_SHUTTING_DOWN, NULL);
    }
    reload->edits_last = &reload->edits;
}

/* There is something to do. */
static void start_or_end(struct server *server)
{
    if (server->progress.stopping) {
        reload_end(server->reload);
    } else if (!server->reload->busy) {
        start(server, finish);
    }
}

void reload_request(struct server *server, enum reload_kind kind, struct control_request *request)
{
    struct waiter *waiter = mem_alloc_zero(1, sizeof(*waiter));

    *waiter = (struct waiter){server->reload->waiting, request, kind};
    server->reload->waiting = waiter;
    start_or_end(server);
}

void reload_edit(struct server *server, struct zone_edit *edit)
{
    struct reload *reload = server->reload;

    edit->next = NULL;
    *reload->edits_last = edit;
    reload->edits_last = &edit->next;
    start_or_end(server);
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
