#include "server/control_dynamic.h"

#include "keeper/managed_zone.h"
#include "server/control_zone.h"
#include "server/zone_requests.h"

typedef enum sg_result keeper_command(struct keeper *keeper, struct managed_zone *zone,
                                      reload_done *done, void *argument);

static const struct zone_request_words freeze_words = {
    .goes_on = "it is not frozen yet: the work goes on, zonestatus tells when it is",
    .goes_on_is_a_failure = true,
};
static const struct zone_request_words thaw_words = {
    .done = "The zone reload and thaw was successful.",
    .up_to_date = "The zone reload and thaw was successful.",
    .goes_on = "A zone reload and thaw was started.\nCheck the logs to see the result.",
};
static const struct zone_request_words thaw_all_words = {
    .goes_on = "A reload and thaw of all zones was started.\nCheck the logs to see the result.",
};
static const struct zone_request_words sync_words = {
    .goes_on = "it is not written yet: the work goes on, the log tells when it has ended",
    .goes_on_is_a_failure = true,
};

/* Of all zones that have to do with it. */
static void run_all(struct control_call *call, keeper_command *command,
                    const struct zone_request_words *words)
{
    struct keeper *keeper = call->server->keeper;
    struct zone_request *request = zone_request_new(call->server, words);

    for (size_t i = 0; i < keeper_zones(keeper); i++) {
        if (command(keeper, keeper_zone(keeper, i), zone_request_ended, request) == SG_OK) {
            zone_request_expect(request);
        }
    }
    log_write(LOG_GENERAL, SEVERITY_INFO, "%s of all zones begun", call->words[0]);
    zone_request_seal(request, control_call_keep(call));
}

/* False: it was not begun, for `out_result`, and the call is still to be answered. */
static bool run_one(struct control_call *call, struct managed_zone *zone, keeper_command *command,
                    const struct zone_request_words *words, enum sg_result *out_result)
{
    struct zone_request *request = zone_request_new(call->server, words);

    *out_result = command(call->server->keeper, zone, zone_request_ended, request);
    if (*out_result != SG_OK) {
        zone_request_drop(request);
        return false;
    }
    zone_request_expect(request);
    zone_request_seal(request, control_call_keep(call));
    return true;
}

static void say_why_not(struct control_call *call, const struct managed_zone *zone,
                        enum sg_result result)
{
    switch (result) {
    case SG_CANCELLED:
        control_call_fail(call, CONTROL_SHUTTING_DOWN, NULL);
        return;
    case SG_IO:
        control_zone_fail_by_store(call, zone);
        return;
    case SG_NOT_FOUND:
        control_call_fail(call, CONTROL_FAILURE, "the zone is not loaded");
        return;
    default:
        if (managed_zone_settings(zone)->type == ZONE_PRIMARY) {
            control_call_fail(call, CONTROL_NOT_DYNAMIC,
                              "it takes no updates: edit its file, then reload it");
        } else {
            control_call_fail(call, CONTROL_NOT_PRIMARY, "a secondary's data is its primaries'");
        }
    }
}

void control_freeze(struct control_call *call)
{
    enum sg_result result;

    if (call->count == 1) {
        run_all(call, keeper_freeze, &freeze_words);
        return;
    }
    struct managed_zone *zone = control_zone_find_at_work(call, 1);
    if (zone == NULL || run_one(call, zone, keeper_freeze, &freeze_words, &result)) {
        return;
    }
    if (result == SG_EXISTS) {
        control_call_fail(call, CONTROL_FROZEN,
                          "WARNING: The zone was already frozen.\n"
                          "Someone else may be editing it or it may still be re-loading.");
        return;
    }
    say_why_not(call, zone, result);
}

void control_thaw(struct control_call *call)
{
    enum sg_result result;

    if (call->count == 1) {
        run_all(call, keeper_thaw, &thaw_all_words);
        return;
    }
    struct managed_zone *zone = control_zone_find_at_work(call, 1);
    if (zone == NULL || run_one(call, zone, keeper_thaw, &thaw_words, &result)) {
        return;
    }
    if (result == SG_EXISTS || result == SG_UNSUPPORTED) {
        control_call_succeed(call, "The zone was not frozen."); /* what was wished for */
        return;
    }
    say_why_not(call, zone, result);
}

/* -clean: what BIND has in journal files is here in memory and in the store. */
void control_sync(struct control_call *call)
{
    bool clean = control_call_word_is(call, 1, "-clean");
    keeper_command *command = clean ? keeper_sync_clean : keeper_sync;
    size_t first = clean ? 2 : 1;
    enum sg_result result;

    if (call->count == first) {
        run_all(call, command, &sync_words);
        return;
    }
    struct managed_zone *zone = control_zone_find_at_work(call, first);
    if (zone == NULL || run_one(call, zone, command, &sync_words, &result)) {
        return;
    }
    if (result == SG_UNSUPPORTED) {
        control_call_succeed(call, NULL); /* Its file is what it was read from. */
        return;
    }
    say_why_not(call, zone, result);
}
