#include "server/control_dnssec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "keeper/managed_zone.h"
#include "server/control_keys.h"
#include "server/control_zone.h"
#include "server/zone_requests.h"

/* What was written before the zone. */
struct words {
    size_t next; /* the first that is not taken */
    struct keeper_key_word key;
};

/* BIND's codes; the text says more. */
static enum control_result code_of(enum sg_result result)
{
    switch (result) {
    case SG_NOT_FOUND:
        return CONTROL_NO_KEY;
    case SG_EXISTS:
        return CONTROL_MANY_KEYS;
    case SG_DENIED:
        return CONTROL_KEY_NOT_ACTIVE;
    default:
        return CONTROL_FAILURE;
    }
}

static const struct zone_request_words answers = {
    .goes_on = "it is not done yet: the work goes on, the log tells how it ends",
    .goes_on_is_a_failure = true,
    .code_of = code_of,
};

static bool take_tag(struct control_call *call, const char *text, int *out_tag)
{
    char *end = NULL;
    unsigned long tag = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || text[0] == '-' || text[0] == '+' || tag > UINT16_MAX) {
        control_call_explain(call, CONTROL_RANGE, "'%s' is not a key tag", text);
        return false;
    }
    *out_tag = (int)tag;
    return true;
}

static bool take_algorithm(struct control_call *call, const char *text, uint8_t *out_algorithm)
{
    if (dnssec_algorithm_from_text(text, out_algorithm) != SG_OK) {
        control_call_explain(call, CONTROL_SYNTAX, "'%s' is not an algorithm", text);
        return false;
    }
    return true;
}

static bool take_when(struct control_call *call, const char *text, sg_time *out_when)
{
    bool is_time = strlen(text) == TIME_TEXT_BYTES - 1 && time_from_digits(text, out_when) == SG_OK;
    *out_when = is_time ? *out_when : time_now();
    if (!is_time && strcmp(text, "now") != 0) {
        control_call_explain(call, CONTROL_SYNTAX, "'%s' is not a time: YYYYMMDDHHMMSS, or now",
                             text);
        return false;
    }
    return true;
}

/* May be shortened, as with BIND: -k, -ke. */
static bool word_is_option(const struct control_call *call, size_t index, const char *name)
{
    size_t length = strlen(call->words[index]);
    return length >= 2 && strncasecmp(call->words[index], name, length) == 0;
}

/* -key, -alg and -when, in any order. False: answered. */
static bool take_options(struct control_call *call, struct words *words)
{
    while (words->next < call->count && call->words[words->next][0] == '-') {
        const char *value = control_call_word(call, words->next + 1);
        bool taken = false;
        if (value == NULL) {
            control_call_fail(call, CONTROL_UNEXPECTED_END, NULL);
        } else if (word_is_option(call, words->next, "-key")) {
            taken = take_tag(call, value, &words->key.tag);
        } else if (word_is_option(call, words->next, "-alg")) {
            taken = take_algorithm(call, value, &words->key.algorithm);
        } else if (word_is_option(call, words->next, "-when")) {
            taken = take_when(call, value, &words->key.when);
        } else {
            control_call_explain(call, CONTROL_SYNTAX, "unknown option '%s'",
                                 call->words[words->next]);
        }
        if (!taken) {
            return false;
        }
        words->next += 2;
    }
    return true;
}

/* It is under way, or it is said why not. */
static void end(struct control_call *call, const struct managed_zone *zone,
                struct zone_request *request, enum sg_result result)
{
    if (result == SG_OK) {
        zone_request_expect(request);
        zone_request_seal(request, control_call_keep(call));
        return;
    }
    zone_request_drop(request);
    if (result == SG_IO) {
        control_zone_fail_by_store(call, zone);
        return;
    }
    control_call_fail(call, result == SG_CANCELLED ? CONTROL_FAILURE : CONTROL_NO_PERMISSION,
                      result == SG_CANCELLED ? "the zone is not loaded"
                                             : "the zone has no dnssec-policy");
}

static void check_ds(struct control_call *call, struct words *words)
{
    words->key.published = control_call_word_is(call, words->next, "published");
    if (!words->key.published && !control_call_word_is(call, words->next, "withdrawn")) {
        control_call_fail(call, words->next < call->count ? CONTROL_SYNTAX : CONTROL_UNEXPECTED_END,
                          "expected: dnssec -checkds [-key id [-alg algorithm]] [-when time] "
                          "(published | withdrawn) zone [class [view]]");
        return;
    }
    struct managed_zone *zone = control_zone_find_last(call, words->next + 1);
    if (zone == NULL) {
        return;
    }
    struct zone_request *request = zone_request_new(call->server, &answers);
    end(call, zone, request,
        keeper_note_ds(call->server->keeper, zone, &words->key, zone_request_carried_out, request));
}

static void roll_over(struct control_call *call, struct words *words)
{
    if (words->key.tag == KEEPER_ANY_KEY) {
        control_call_fail(call, CONTROL_SYNTAX, "Key id is required when scheduling rollover");
        return;
    }
    struct managed_zone *zone = control_zone_find_last(call, words->next);
    if (zone == NULL) {
        return;
    }
    struct zone_request *request = zone_request_new(call->server, &answers);
    end(call, zone, request,
        keeper_rollover(call->server->keeper, zone, &words->key, zone_request_carried_out,
                        request));
}

static void step(struct control_call *call, struct words *words)
{
    struct managed_zone *zone = control_zone_find_last(call, words->next);
    if (zone == NULL) {
        return;
    }
    struct zone_request *request = zone_request_new(call->server, &answers);
    end(call, zone, request,
        keeper_step(call->server->keeper, zone, zone_request_carried_out, request));
}

typedef void run_order(struct control_call *call, struct words *words);

static run_order *order_of(const struct control_call *call)
{
    if (control_call_word_is(call, 1, "-checkds")) {
        return check_ds;
    }
    if (control_call_word_is(call, 1, "-rollover")) {
        return roll_over;
    }
    return control_call_word_is(call, 1, "-step") ? step : NULL;
}

void control_dnssec(struct control_call *call)
{
    struct words words = {.next = 2, .key = {.tag = KEEPER_ANY_KEY}};
    run_order *run = order_of(call);
    if (control_call_word_is(call, 1, "-status")) {
        control_keys_status(call);
    } else if (run == NULL) {
        control_call_fail(call, call->count == 1 ? CONTROL_UNEXPECTED_END : CONTROL_SYNTAX,
                          "expected: dnssec -status, -checkds, -rollover or -step");
    } else if (take_options(call, &words)) {
        run(call, &words);
    }
}
