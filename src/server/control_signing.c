#include "server/control_signing.h"

#include <errno.h>
#include <stdlib.h>

#include "keeper/managed_zone.h"
#include "server/control_keys.h"
#include "server/control_zone.h"

/* CONTROL_SUCCESS, or what is wrong with the number. */
static enum control_result read_serial(const char *text, uint32_t *out_serial)
{
    char *end = NULL;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || text[0] == '-' || text[0] == '+') {
        return CONTROL_BAD_NUMBER;
    }
    if (errno != 0 || number > UINT32_MAX) {
        return CONTROL_RANGE;
    }
    *out_serial = (uint32_t)number;
    return CONTROL_SUCCESS;
}

static void raise_serial(struct control_call *call)
{
    uint32_t serial = 0;

    if (call->count < 4) {
        control_call_fail(call, CONTROL_UNEXPECTED_END, NULL);
        return;
    }
    enum control_result wrong = read_serial(call->words[2], &serial);
    if (wrong != CONTROL_SUCCESS) {
        control_call_fail(call, wrong, NULL);
        return;
    }
    struct managed_zone *zone = control_zone_find_at_work(call, 3);
    if (zone == NULL) {
        return;
    }
    const struct zone_settings *settings = managed_zone_settings(zone);
    if (settings->policy == NULL && !settings->dynamic) {
        control_call_fail(call, CONTROL_NOT_DYNAMIC, NULL);
        return;
    }
    struct zone_status status;
    managed_zone_status(zone, &status);
    switch (keeper_raise_serial(call->server->keeper, zone, serial)) {
    case SG_OK:
        control_call_succeed(call, "serial request queued");
        return;
    case SG_CONFLICT:
        control_call_explain(call, CONTROL_RANGE, "%u is not greater than the present serial %u",
                             serial, status.facts->serial);
        return;
    default:
        control_call_fail(call, CONTROL_FAILURE, "the zone is not loaded");
    }
}

/* Chains and signatures follow the policy: there is nothing to clear or to choose by hand. */
static void defer_to_policy(struct control_call *call, size_t zone_at)
{
    struct managed_zone *zone = control_zone_find(call, zone_at);

    if (zone == NULL) {
        return;
    }
    if (managed_zone_settings(zone)->policy != NULL) {
        control_call_succeed(call, "zone uses dnssec-policy, use rndc dnssec command instead");
    } else {
        control_call_fail(call, CONTROL_FAILURE, "the zone has no dnssec-policy: it is not signed");
    }
}

void control_signing(struct control_call *call)
{
    if (call->count == 1) {
        control_call_fail(call, CONTROL_UNEXPECTED_END, NULL);
    } else if (control_call_word_is(call, 1, "-serial")) {
        raise_serial(call);
    } else if (control_call_word_is(call, 1, "-list")) {
        control_keys_signing(call);
    } else if (control_call_word_is(call, 1, "-clear")) {
        defer_to_policy(call, 3);
    } else if (control_call_word_is(call, 1, "-nsec3param")) {
        defer_to_policy(call, control_call_word_is(call, 2, "none") ? 3 : 6);
    } else {
        control_call_fail(call, CONTROL_SYNTAX, NULL);
    }
}
