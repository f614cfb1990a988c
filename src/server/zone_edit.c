#include "server/zone_edit.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "keeper/managed_zone.h"
#include "server/reload.h"
#include "server/store_opening.h"

static void edit_free(struct zone_edit *edit)
{
    mem_free(edit->failure);
    mem_free(edit->view);
    mem_free(edit->name);
    mem_free(edit->written);
    mem_free(edit->text);
    mem_free(edit->file);
    mem_free(edit->put.problem);
    buffer_free(&edit->key);
    mem_free(edit);
}

/* --- commands --------------------------------------------------------------------------------- */

static const struct conf_view *find_view(const struct server *server, const char *name)
{
    const struct conf *conf = server->generation->conf;

    for (size_t i = 0; i < conf->views_count; i++) {
        if (strcmp(conf->views[i]->name, name) == 0) {
            return conf->views[i];
        }
    }
    return NULL;
}

/* The words `zone [class [view]]` from `first` to `end`. NULL: the call was answered. */
static struct zone_edit *read_zone(struct control_call *call, size_t first, size_t end)
{
    const char *name = first < end ? call->words[first] : NULL;
    struct dns_name apex;
    uint16_t rrclass = 0;

    if (name == NULL) {
        control_call_explain(call, CONTROL_UNEXPECTED_END, "expected: %s zone [class [view]]%s",
                             call->words[0], first == end ? "" : " { options };");
        return NULL;
    }
    if (strpbrk(name, "\"\n") != NULL ||
        dns_name_from_text(name, strlen(name), NULL, &apex) != SG_OK) {
        control_call_explain(call, CONTROL_SYNTAX, "'%s' is not a domain name", name);
        return NULL;
    }
    if (first + 1 < end && dns_class_from_text(call->words[first + 1],
                                               strlen(call->words[first + 1]), &rrclass) != SG_OK) {
        control_call_fail(call, CONTROL_UNKNOWN_CLASS, NULL);
        return NULL;
    }
    dns_name_lower(&apex);
    struct zone_edit *edit = mem_alloc_zero(1, sizeof(*edit));
    edit->server = call->server;
    edit->apex = apex;
    edit->rrclass = rrclass;
    edit->name = amendment_name(&apex);
    edit->written = mem_copy_text(name);
    edit->view = mem_copy_text(first + 2 < end ? call->words[first + 2] : "_default");
    edit->key = BUFFER_EMPTY;
    return edit;
}

static void queue(struct control_call *call, struct zone_edit *edit)
{
    enum sg_result result = amendment_key(edit->view, edit->rrclass, &edit->apex, &edit->key);

    if (result != SG_OK) {
        control_call_fail(call, CONTROL_FAILURE, "the name of the view is too long");
        edit_free(edit);
        return;
    }
    edit->request = control_call_keep(call);
    reload_edit(call->server, edit);
}

/* May the view's zones be changed by commands? The class is filled in. */
static bool check_view(struct control_call *call, struct zone_edit *edit)
{
    const struct conf_view *view = find_view(call->server, edit->view);

    if (view == NULL || (edit->rrclass != 0 && edit->rrclass != view->rrclass)) {
        control_call_explain(call, CONTROL_NOT_FOUND, "no matching view found for '%s'",
                             edit->view);
        return false;
    }
    if (!view->allow_new_zones) {
        control_call_explain(call, CONTROL_NO_PERMISSION,
                             "Not allowing new zones in view '%s'\n"
                             "signet.conf must say `allow-new-zones yes;` in options or the view.",
                             edit->view);
        return false;
    }
    edit->rrclass = view->rrclass;
    return true;
}

/* The statement as it would stand in signet.conf. */
static char *write_statement(const struct zone_edit *edit, const char *block)
{
    char rrclass[DNS_TYPE_TEXT_BYTES];

    if (edit->rrclass == DNS_CLASS_IN) {
        return mem_format("zone \"%s\" %s", edit->written, block);
    }
    return mem_format("zone \"%s\" %s %s", edit->written, dns_class_to_text(edit->rrclass, rrclass),
                      block);
}

/* A zone to be added that is there, or one to be changed that is not (NULL). */
static void say_misplaced(struct control_call *call, const struct zone_edit *edit,
                          const struct managed_zone *zone)
{
    if (zone == NULL) {
        control_call_explain(call, CONTROL_NOT_FOUND,
                             "no zone '%s' in view '%s'; addzone makes a new one", edit->written,
                             edit->view);
        return;
    }
    const struct amendment *present =
        amendments_find(call->server->amendments, edit->view, edit->name);
    const struct zone_settings *settings = managed_zone_settings(zone);
    if (present != NULL && present->stored) {
        control_call_explain(call, CONTROL_EXISTS,
                             "zone '%s' was added before; modzone changes it, delzone removes it",
                             edit->written);
    } else {
        control_call_explain(call, CONTROL_EXISTS, "zone '%s' stands in %s:%u", edit->written,
                             settings->source_file, settings->source_line);
    }
}

static void change_zone(struct control_call *call, enum zone_edit_kind kind)
{
    size_t last = call->count - 1;
    struct managed_zone *zone = NULL;

    if (call->words[last][0] != '{') {
        control_call_explain(call, CONTROL_SYNTAX, "expected: %s zone [class [view]] { options };",
                             call->words[0]);
        return;
    }
    struct zone_edit *edit = read_zone(call, 1, last);
    if (edit == NULL) {
        return;
    }
    if (!check_view(call, edit)) {
        edit_free(edit);
        return;
    }
    size_t found = keeper_find(call->server->keeper, &edit->apex, edit->rrclass, edit->view, &zone);
    if ((found > 0) != (kind == ZONE_EDIT_MODIFY)) {
        say_misplaced(call, edit, found > 0 ? zone : NULL);
        edit_free(edit);
        return;
    }
    const struct amendment *present =
        amendments_find(call->server->amendments, edit->view, edit->name);
    edit->kind = kind;
    edit->stored = kind == ZONE_EDIT_ADD || (present != NULL && present->stored);
    if (edit->stored && call->server->store == NULL) {
        control_call_explain(call, CONTROL_FAILURE,
                             "the store, which would keep the zone, is not open: %s",
                             store_opening_problem(call->server));
        edit_free(edit);
        return;
    }
    edit->text = write_statement(edit, call->words[last]);
    queue(call, edit);
}

void control_addzone(struct control_call *call)
{
    change_zone(call, ZONE_EDIT_ADD);
}

void control_modzone(struct control_call *call)
{
    change_zone(call, ZONE_EDIT_MODIFY);
}

/* One that is not served, since it did not fit at the start, can be deleted as well. */
static bool find_zone_to_delete(struct control_call *call, size_t first, struct zone_edit *edit)
{
    struct managed_zone *zone = NULL;
    const char *view = control_call_word(call, first + 2);

    size_t found = keeper_find(call->server->keeper, &edit->apex, edit->rrclass, view, &zone);
    if (found == 1) {
        const struct zone_settings *settings = managed_zone_settings(zone);
        mem_free(edit->view);
        edit->view = mem_copy_text(settings->view);
        edit->rrclass = settings->rrclass;
    } else if (found > 1) {
        control_call_explain(call, CONTROL_MULTIPLE, "zone '%s' was found in multiple views",
                             edit->written);
        return false;
    }
    const struct amendment *present =
        amendments_find(call->server->amendments, edit->view, edit->name);
    edit->stored = present != NULL && present->stored;
    if (found == 0 && !edit->stored) {
        control_call_explain(call, CONTROL_NOT_FOUND, "no matching zone '%s' in any view",
                             edit->written);
        return false;
    }
    edit->rrclass = edit->rrclass == 0 ? DNS_CLASS_IN : edit->rrclass;
    return true;
}

void control_delzone(struct control_call *call)
{
    bool clean = control_call_word_is(call, 1, "-clean") || control_call_word_is(call, 1, "-c");
    size_t first = clean ? 2 : 1;
    struct zone_edit *edit = read_zone(call, first, call->count);

    if (edit == NULL) {
        return;
    }
    edit->kind = ZONE_EDIT_DELETE;
    edit->clean = clean;
    if (clean && call->server->store == NULL) {
        control_call_explain(call, CONTROL_FAILURE,
                             "the store, which is to be cleaned, is not open: %s",
                             store_opening_problem(call->server));
        edit_free(edit);
        return;
    }
    if (!find_zone_to_delete(call, first, edit)) {
        edit_free(edit);
        return;
    }
    queue(call, edit);
}

/* --- steps ------------------------------------------------------------------------------------ */

enum sg_result zone_edit_fits(const struct zone_edit *edit, const struct amendments *before)
{
    const struct amendment *present = amendments_find(before, edit->view, edit->name);
    bool is_there = present != NULL && present->kind != CONF_AMEND_REMOVE;

    if (edit->kind == ZONE_EDIT_ADD && is_there && !present->broken) {
        return SG_EXISTS;
    }
    return edit->kind == ZONE_EDIT_MODIFY && edit->stored && !is_there ? SG_NOT_FOUND : SG_OK;
}

struct amendments *zone_edit_apply(const struct zone_edit *edit, const struct amendments *before)
{
    const struct amendment_wish wish = {edit->view, edit->name, edit->text};

    return amendments_change(before, &wish, edit->kind == ZONE_EDIT_ADD);
}

/* The zone of the edit in its view, last since it was added; NULL: it is not there. */
static const struct conf_zone *find_conf_zone(const struct zone_edit *edit,
                                              const struct conf_view *view)
{
    for (size_t i = view->zones_count; i-- > 0;) {
        if (dns_name_wire_equal(view->zones[i]->apex, edit->apex.wire)) {
            return view->zones[i];
        }
    }
    return NULL;
}

/* Does the new zone's own statement count? What signet.conf says of the name goes before it. */
static bool is_in_use(const struct zone_edit *edit, const struct conf_zone *zone)
{
    char place[CONF_AMENDMENT_PLACE_BYTES];

    return zone != NULL &&
           strcmp(zone->source_file, conf_amendment_place(edit->view, edit->name, place)) == 0;
}

enum sg_result zone_edit_check(const struct zone_edit *edit, const struct conf *conf,
                               char **out_problem)
{
    const struct conf_zone *zone = NULL;

    if (edit->kind != ZONE_EDIT_ADD) {
        return SG_OK;
    }
    for (size_t i = 0; i < conf->views_count && zone == NULL; i++) {
        if (strcmp(conf->views[i]->name, edit->view) == 0) {
            zone = find_conf_zone(edit, conf->views[i]);
        }
    }
    if (!is_in_use(edit, zone)) {
        *out_problem = zone == NULL
                           ? mem_copy_text("signet.conf has a statement of that zone")
                           : mem_format("signet.conf has a statement of that zone, in %s:%u",
                                        zone->source_file, zone->source_line);
        return SG_EXISTS;
    }
    bool is_read = zone->file != NULL && zone->type == CONF_ZONE_PRIMARY;
    if (!is_read || access(zone->file, F_OK) == 0 || errno != ENOENT) {
        return SG_OK;
    }
    char here[PATH_MAX];
    *out_problem = mem_format(
        "dns_zone_loadnew failed: file not found\n"
        "'%s' was looked for in '%s'. Write it first, then add the zone.",
        zone->file, zone->file[0] == '/' || getcwd(here, sizeof(here)) == NULL ? "/" : here);
    return SG_NOT_FOUND;
}

static void take_stored(struct store_request *request)
{
    struct zone_edit *edit =
        (struct zone_edit *)((char *)request - offsetof(struct zone_edit, put));

    edit->durable(edit, request->result);
}

void zone_edit_store(struct zone_edit *edit,
                     void (*durable)(struct zone_edit *edit, enum sg_result result), void *argument)
{
    edit->durable = durable;
    edit->argument = argument;
    if (!edit->stored) {
        durable(edit, SG_OK);
        return;
    }
    mem_free(edit->put.problem);
    edit->put = (struct store_request){
        .kind = STORE_CONFIG_PUT,
        .done = take_stored,
        .identity = buffer_span(&edit->key),
        .value = edit->text == NULL ? (struct span){NULL, 0} : span_of_text(edit->text),
    };
    server_ask_store(edit->server, &edit->put);
}

static void answer_deletion(struct zone_edit *edit);

static void wiped(void *argument, enum sg_result result)
{
    struct zone_edit *edit = argument;

    edit->wiping = false;
    edit->wiped = result;
    if (edit->taken) {
        answer_deletion(edit);
    }
}

void zone_edit_prepare(struct zone_edit *edit)
{
    struct managed_zone *zone = NULL;

    if (edit->kind != ZONE_EDIT_DELETE ||
        keeper_find(edit->server->keeper, &edit->apex, edit->rrclass, edit->view, &zone) != 1) {
        return;
    }
    log_write(LOG_GENERAL, SEVERITY_INFO, "zone %s scheduled for removal via delzone",
              edit->written);
    const char *file = managed_zone_settings(zone)->file;
    if (edit->clean) {
        edit->file = file == NULL ? NULL : mem_copy_text(file);
        edit->wiping = true;
        keeper_wipe(edit->server->keeper, zone, wiped, edit);
    }
}

/* --- the end ---------------------------------------------------------------------------------- */

void zone_edit_failed(struct zone_edit *edit, uint32_t code, const char *text)
{
    control_request_reply(edit->request, code, control_result_text(code), text);
    edit_free(edit);
}

struct removal {
    struct errand errand; /* first member */
    struct zone_edit *edit;
    int error;
};

static void remove_file(struct job *job)
{
    struct removal *removal = (struct removal *)job;

    removal->error = unlink(removal->edit->file) == 0 ? 0 : errno;
}

static void say_deleted(struct zone_edit *edit)
{
    const char *end = edit->clean ? " and associated files" : "";
    if (edit->wiped != SG_OK) {
        char *problem = mem_format("zone '%s' is deleted, but the store still has what was in it: "
                                   "%s",
                                   edit->written, sg_result_text(edit->wiped));
        zone_edit_failed(edit, reload_result_code(edit->wiped), problem);
        mem_free(problem);
        return;
    }
    char *text = edit->stored
                     ? mem_format("zone '%s'%s will be deleted.", edit->written, end)
                     : mem_format("zone '%s' is no longer active and will be deleted.\n"
                                  "To keep it from returning when the server is restarted, it\n"
                                  "must also be removed from named.conf.",
                                  edit->written);

    control_request_reply(edit->request, CONTROL_SUCCESS, NULL, text);
    mem_free(text);
    edit_free(edit);
}

static void file_removed(struct server *server, struct errand *errand)
{
    struct removal *removal = (struct removal *)errand;

    (void)server;
    if (removal->error != 0 && removal->error != ENOENT) {
        log_write(LOG_GENERAL, SEVERITY_WARNING, "delzone: '%s' could not be removed: %s",
                  removal->edit->file, strerror(removal->error));
    }
    say_deleted(removal->edit);
    mem_free(removal);
}

/* When the store has forgotten the zone, and its file is gone too. */
static void answer_deletion(struct zone_edit *edit)
{
    if (edit->wiping) {
        edit->taken = true;
        return;
    }
    if (edit->file == NULL) {
        say_deleted(edit);
        return;
    }
    struct removal *removal = mem_alloc_zero(1, sizeof(*removal));
    removal->errand.job.run = remove_file;
    removal->errand.done = file_removed;
    removal->edit = edit;
    server_send(edit->server, &removal->errand);
}

static void answer_change(struct zone_edit *edit)
{
    char *text = edit->stored ? mem_format("zone '%s' reconfigured.", edit->written)
                              : mem_format("zone '%s' must also be reconfigured in\n"
                                           "named.conf to make changes permanent.",
                                           edit->written);

    control_request_reply(edit->request, CONTROL_SUCCESS, NULL, text);
    mem_free(text);
    edit_free(edit);
}

/* A zone with options that cannot be followed is served as it was: who changed them hears of it. */
static void changed_zone_ended(void *argument, enum reload_outcome outcome, const char *text)
{
    struct zone_edit *edit = argument;

    if (outcome != RELOAD_FAILED) {
        answer_change(edit);
    } else if (edit->server->progress.stopping) {
        zone_edit_failed(edit, CONTROL_SHUTTING_DOWN, NULL);
    } else {
        char *problem = mem_format("zone '%s' has its new options, but could not be loaded with "
                                   "them: %s\nIt is served as it was until they are mended.",
                                   edit->written, text);
        zone_edit_failed(edit, CONTROL_FAILURE, problem);
        mem_free(problem);
    }
}

static void await_change(struct zone_edit *edit)
{
    struct keeper *keeper = edit->server->keeper;
    struct managed_zone *zone = NULL;

    if (keeper_find(keeper, &edit->apex, edit->rrclass, edit->view, &zone) != 1 ||
        managed_zone_settings(zone)->type == ZONE_SECONDARY ||
        keeper_reload(keeper, zone, false, changed_zone_ended, edit) != SG_OK) {
        answer_change(edit); /* There is no file to be read. */
    }
}

/* A zone that cannot be loaded is taken back: who adds it will do so again. */
static void new_zone_ended(void *argument, enum reload_outcome outcome, const char *text)
{
    struct zone_edit *edit = argument;

    if (outcome == RELOAD_STARTED || outcome == RELOAD_UP_TO_DATE) {
        control_request_reply(edit->request, CONTROL_SUCCESS, NULL, NULL);
        edit_free(edit);
    } else if (edit->server->progress.stopping) {
        zone_edit_failed(edit, CONTROL_SHUTTING_DOWN, NULL);
    } else if (outcome == RELOAD_GONE) {
        /* Whoever deleted it may have added one of that name again: that one stays. */
        zone_edit_failed(edit, CONTROL_FAILURE, text);
    } else {
        edit->kind = ZONE_EDIT_DELETE;
        edit->failure = mem_format("dns_zone_loadnew failed: %s\nThe zone was not added.", text);
        mem_free(edit->text);
        edit->text = NULL;
        reload_edit(edit->server, edit);
    }
}

/* A zone of addzone that signet.conf has by now as well is served on, and needs its file. */
static void keep_what_is_served(struct zone_edit *edit)
{
    struct keeper *keeper = edit->server->keeper;
    struct managed_zone *zone = NULL;

    if (edit->wiping && keeper_find(keeper, &edit->apex, edit->rrclass, edit->view, &zone) == 1 &&
        keeper_keep(keeper, zone)) {
        edit->wiping = false;
        mem_free(edit->file);
        edit->file = NULL;
    }
}

void zone_edit_taken(struct zone_edit *edit)
{
    struct managed_zone *zone = NULL;

    if (edit->failure != NULL) {
        zone_edit_failed(edit, CONTROL_FAILURE, edit->failure);
        return;
    }
    if (edit->kind == ZONE_EDIT_DELETE) {
        keep_what_is_served(edit);
        answer_deletion(edit);
        return;
    }
    log_write(LOG_GENERAL, SEVERITY_INFO, "%s zone %s in view %s via %s",
              edit->kind == ZONE_EDIT_ADD ? "added" : "updated", edit->written, edit->view,
              edit->kind == ZONE_EDIT_ADD ? "addzone" : "modzone");
    if (edit->kind == ZONE_EDIT_MODIFY) {
        await_change(edit);
        return;
    }
    size_t found = keeper_find(edit->server->keeper, &edit->apex, edit->rrclass, edit->view, &zone);
    if (found != 1) {
        zone_edit_failed(edit, CONTROL_FAILURE, "the zone is not served");
        return;
    }
    if (managed_zone_settings(zone)->type == ZONE_SECONDARY) {
        /* Its primary may be away for days, and is asked until it is not. */
        control_request_reply(edit->request, CONTROL_SUCCESS, NULL, NULL);
        edit_free(edit);
        return;
    }
    keeper_await(edit->server->keeper, zone, new_zone_ended, edit);
}
