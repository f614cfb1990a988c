#include "server/control_zone.h"

#include "base/mem.h"
#include "dns/rrtype.h"
#include "server/status.h"

enum { ANSWER_SECONDS_MAX = 30 }; /* half of what rndc waits */

/* A reload that was asked for and has not ended; known to the keeper and to the server's list. */
struct zone_request {
    struct zone_request *next;
    struct server *server;
    struct control_request *request; /* NULL: it was answered already */
    sg_time answer_by;
};

static bool take_name(struct control_call *call, const char *text, struct dns_name *out_name)
{
    if (dns_name_from_text(text, strlen(text), NULL, out_name) != SG_OK) {
        control_call_explain(call, CONTROL_SYNTAX, "'%s' is not a domain name", text);
        return false;
    }
    dns_name_lower(out_name);
    return true;
}

static bool view_is_known(const struct server *server, const char *name)
{
    const struct conf *conf = server->generation->conf;

    for (size_t i = 0; i < conf->views_count; i++) {
        if (strcmp(conf->views[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void say_not_found(struct control_call *call, const char *zone, const char *view)
{
    if (view == NULL) {
        control_call_explain(call, CONTROL_NOT_FOUND, "no matching zone '%s' in any view", zone);
    } else if (!view_is_known(call->server, view)) {
        control_call_explain(call, CONTROL_NOT_FOUND, "no matching view '%s'", view);
    } else {
        control_call_explain(call, CONTROL_NOT_FOUND, "no matching zone '%s' in view '%s'", zone,
                             view);
    }
}

/* The zone that words 1 to 3 name. Otherwise the call has been answered and it is NULL. */
static struct managed_zone *find_zone(struct control_call *call)
{
    const char *text = control_call_word(call, 1);
    const char *class_text = control_call_word(call, 2);
    const char *view = control_call_word(call, 3);
    struct managed_zone *zone = NULL;
    struct dns_name name;
    uint16_t rrclass = 0;

    if (text == NULL) {
        control_call_fail(call, CONTROL_UNEXPECTED_END, NULL);
        return NULL;
    }
    if (!take_name(call, text, &name)) {
        return NULL;
    }
    if (class_text != NULL &&
        dns_class_from_text(class_text, strlen(class_text), &rrclass) != SG_OK) {
        control_call_fail(call, CONTROL_UNKNOWN_CLASS, NULL);
        return NULL;
    }
    size_t found = keeper_find(call->server->keeper, &name, rrclass, view, &zone);
    if (found == 1) {
        return zone;
    }
    if (found == 0) {
        say_not_found(call, text, view);
        return NULL;
    }
    control_call_explain(call, CONTROL_MULTIPLE, "zone '%s' was found in multiple views", text);
    return NULL;
}

static void request_unlink(struct zone_request *request)
{
    for (struct zone_request **at = &request->server->zone_requests; *at != NULL;
         at = &(*at)->next) {
        if (*at == request) {
            *at = request->next;
            return;
        }
    }
}

static void reload_ended(void *argument, enum reload_outcome outcome, const char *text)
{
    struct zone_request *request = argument;

    request_unlink(request);
    if (request->request != NULL && outcome == RELOAD_FAILED) {
        control_request_reply(request->request, CONTROL_FAILURE,
                              control_result_text(CONTROL_FAILURE), text);
    } else if (request->request != NULL) {
        control_request_reply(request->request, CONTROL_SUCCESS, NULL,
                              outcome == RELOAD_UP_TO_DATE ? "zone reload up-to-date"
                                                           : "zone reload successful");
    }
    mem_free(request);
}

void zone_requests_tick(struct server *server)
{
    sg_time now = time_now();

    for (struct zone_request *at = server->zone_requests; at != NULL; at = at->next) {
        if (at->request != NULL && at->answer_by <= now) {
            control_request_reply(at->request, CONTROL_SUCCESS, NULL, "zone reload queued");
            at->request = NULL;
        }
    }
}

void zone_requests_end(struct server *server)
{
    for (struct zone_request *at = server->zone_requests; at != NULL; at = at->next) {
        if (at->request != NULL) {
            control_request_reply(at->request, CONTROL_SHUTTING_DOWN,
                                  control_result_text(CONTROL_SHUTTING_DOWN),
                                  "the server ends; the zone was not read again");
            at->request = NULL;
        }
    }
}

void control_zone_reload(struct control_call *call)
{
    struct managed_zone *zone = find_zone(call);

    if (zone == NULL) {
        return;
    }
    /* The file would undo what updates have changed; `rndc freeze` comes first. */
    if (managed_zone_settings(zone)->dynamic) {
        control_call_fail(call, CONTROL_DYNAMIC, NULL);
        return;
    }
    struct server *server = call->server;
    struct zone_request *request = mem_alloc_zero(1, sizeof(*request));
    enum sg_result result = keeper_reload(server->keeper, zone, false, reload_ended, request);
    if (result != SG_OK) {
        mem_free(request);
        control_call_fail(call, result == SG_CANCELLED ? CONTROL_SHUTTING_DOWN : CONTROL_FAILURE,
                          result == SG_UNSUPPORTED ? "the zone has no file" : NULL);
        return;
    }
    request->server = server;
    request->request = control_call_keep(call);
    request->answer_by = time_now() + ANSWER_SECONDS_MAX;
    request->next = server->zone_requests;
    server->zone_requests = request;
}

static void tell_of_zone(struct control_call *call,
                         void (*tell)(const struct managed_zone *zone, struct buffer *out_text))
{
    struct managed_zone *zone = find_zone(call);
    struct buffer text = BUFFER_EMPTY;

    if (zone == NULL) {
        return;
    }
    tell(zone, &text);
    control_call_succeed(call, buffer_text(&text));
    buffer_free(&text);
}

void control_zone_status(struct control_call *call)
{
    tell_of_zone(call, status_of_zone);
}

void control_zone_show(struct control_call *call)
{
    tell_of_zone(call, status_statement_of_zone);
}

static void look_at_keys(struct control_call *call, bool sign_all)
{
    struct managed_zone *zone = find_zone(call);

    if (zone == NULL) {
        return;
    }
    switch (keeper_loadkeys(call->server->keeper, zone, sign_all)) {
    case SG_OK:
        control_call_succeed(call, NULL);
        break;
    case SG_CANCELLED:
        control_call_fail(call, CONTROL_SHUTTING_DOWN, NULL);
        break;
    default:
        control_call_fail(call, CONTROL_NO_PERMISSION, "the zone has no dnssec-policy");
    }
}

void control_zone_loadkeys(struct control_call *call)
{
    look_at_keys(call, false);
}

void control_zone_sign(struct control_call *call)
{
    look_at_keys(call, true);
}
