#include "server/control_zone.h"

#include "base/mem.h"
#include "dns/rrtype.h"
#include "server/status.h"
#include "server/zone_requests.h"

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

struct managed_zone *control_zone_find(struct control_call *call, size_t first)
{
    const char *text = control_call_word(call, first);
    const char *class_text = control_call_word(call, first + 1);
    const char *view = control_call_word(call, first + 2);
    struct managed_zone *zone = NULL;
    struct dns_name name;
    uint16_t rrclass = 0;

    if (text == NULL) {
        control_call_explain(call, CONTROL_UNEXPECTED_END, "expected: %s zone [class [view]]",
                             call->words[0]);
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

struct managed_zone *control_zone_find_at_work(struct control_call *call, size_t first)
{
    struct managed_zone *zone = control_zone_find(call, first);
    const char *problem = zone == NULL ? NULL : keeper_lacks_store(call->server->keeper, zone);

    if (problem != NULL) {
        control_call_fail(call, CONTROL_FAILURE, problem);
        return NULL;
    }
    return zone;
}

struct managed_zone *control_zone_find_last(struct control_call *call, size_t first)
{
    if (call->count > first + 3) {
        control_call_fail(call, CONTROL_SYNTAX, "Too many arguments");
        return NULL;
    }
    return control_zone_find_at_work(call, first);
}

void control_zone_fail_by_store(struct control_call *call, const struct managed_zone *zone)
{
    struct zone_status status;

    managed_zone_status(zone, &status);
    control_call_fail(call, CONTROL_FAILURE,
                      status.problem != NULL ? status.problem : "the store cannot be read");
}

/* A secondary's data is its primaries': they are asked. */
static void refresh(struct control_call *call, struct managed_zone *zone, bool whole)
{
    switch (keeper_refresh(call->server->keeper, zone, whole)) {
    case SG_OK:
        control_call_succeed(call, whole ? NULL : "zone refresh queued");
        break;
    case SG_CANCELLED:
        control_call_fail(call, CONTROL_SHUTTING_DOWN, NULL);
        break;
    default:
        control_call_fail(call, CONTROL_FAILURE,
                          whole ? "retransfer: inappropriate zone type: primary"
                                : "not a secondary, mirror, or stub zone");
    }
}

void control_zone_reload(struct control_call *call)
{
    static const struct zone_request_words words = {
        .done = "zone reload successful",
        .up_to_date = "zone reload up-to-date",
        .goes_on = "zone reload queued",
    };
    bool force = control_call_word_is(call, 1, "-force");
    struct managed_zone *zone = control_zone_find_at_work(call, force ? 2 : 1);

    if (zone == NULL) {
        return;
    }
    if (managed_zone_settings(zone)->type == ZONE_SECONDARY) {
        refresh(call, zone, false);
        return;
    }
    struct zone_request *request = zone_request_new(call->server, &words);
    enum sg_result result =
        keeper_reload(call->server->keeper, zone, force, zone_request_ended, request);
    if (result == SG_OK) {
        zone_request_expect(request);
        zone_request_seal(request, control_call_keep(call));
        return;
    }
    zone_request_drop(request);
    if (result == SG_CONFLICT) {
        /* The file would undo what updates have changed; `rndc freeze` comes first. */
        control_call_fail(call, CONTROL_DYNAMIC,
                          "it takes updates, which its file would undo: freeze it, edit the file, "
                          "thaw it");
    } else {
        control_call_fail(call, result == SG_CANCELLED ? CONTROL_SHUTTING_DOWN : CONTROL_FAILURE,
                          result == SG_UNSUPPORTED ? "the zone has no file" : NULL);
    }
}

static void tell_of_zone(struct control_call *call,
                         void (*tell)(const struct server *server, const struct managed_zone *zone,
                                      struct buffer *out_text))
{
    struct managed_zone *zone = control_zone_find(call, 1);
    struct buffer text = BUFFER_EMPTY;

    if (zone == NULL) {
        return;
    }
    tell(call->server, zone, &text);
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

/* Of a zone that is not served nobody waits for the look: what keeps it from that is told. */
static void look_in_vain(struct control_call *call, struct managed_zone *zone, bool sign_all)
{
    struct zone_status status;
    managed_zone_status(zone, &status);
    if (keeper_loadkeys(call->server->keeper, zone, sign_all) != SG_OK) {
        control_call_fail(call, CONTROL_SHUTTING_DOWN, NULL);
    } else if (status.problem != NULL) {
        control_call_explain(call, CONTROL_FAILURE, "it is tried again; so far: %s",
                             status.problem);
    } else {
        control_call_succeed(call, NULL);
    }
}

static void look_at_keys(struct control_call *call, bool sign_all)
{
    static const struct zone_request_words words = {
        .goes_on = "the zone is at work, and its keys are looked at afterwards"};
    struct managed_zone *zone = control_zone_find_at_work(call, 1);

    if (zone == NULL) {
        return;
    }
    struct zone_request *request = zone_request_new(call->server, &words);
    enum sg_result result = keeper_look_at_keys(call->server->keeper, zone, sign_all,
                                                zone_request_carried_out, request);
    if (result == SG_OK) {
        zone_request_expect(request);
        zone_request_seal(request, control_call_keep(call));
        return;
    }
    zone_request_drop(request);
    if (result == SG_CANCELLED || result == SG_IO) {
        look_in_vain(call, zone, sign_all);
    } else {
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

static void refresh_secondary(struct control_call *call, bool whole)
{
    size_t at = control_call_word_is(call, 1, "-force") ? 2 : 1;
    struct managed_zone *zone = control_zone_find_at_work(call, at);

    if (zone != NULL) {
        refresh(call, zone, whole);
    }
}

void control_zone_refresh(struct control_call *call)
{
    refresh_secondary(call, false);
}

void control_zone_retransfer(struct control_call *call)
{
    refresh_secondary(call, true);
}

void control_zone_notify(struct control_call *call)
{
    struct managed_zone *zone = control_zone_find(call, 1);

    if (zone == NULL) {
        return;
    }
    if (keeper_notify(call->server->keeper, zone) == SG_OK) {
        control_call_succeed(call, "zone notify queued");
    } else {
        control_call_fail(call, CONTROL_FAILURE, "the zone is not loaded");
    }
}
