#include "server/control_signing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keeper/managed_zone.h"
#include "server/control_keys.h"
#include "server/control_zone.h"
#include "server/zone_requests.h"

enum { SALT_BYTES_MAX = 255, AUTO_SALT_BYTES = 8, ITERATIONS_MAX = 50 /* as BIND */ };

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

/* "all", or as -list has it: "12345/ECDSAP256SHA256", "12345/13". False: answered. */
static bool read_key(struct control_call *call, const char *text, struct keeper_key_word *out_key)
{
    char *end = NULL;

    *out_key = (struct keeper_key_word){.tag = KEEPER_ANY_KEY};
    if (strcasecmp(text, "all") == 0) {
        return true;
    }
    unsigned long tag = strtoul(text, &end, 10);
    if (end == text || *end != '/' || text[0] == '-' || text[0] == '+' || tag > UINT16_MAX ||
        dnssec_algorithm_from_text(end + 1, &out_key->algorithm) != SG_OK) {
        control_call_explain(call, CONTROL_SYNTAX, "'%s' is neither 'all' nor id/algorithm", text);
        return false;
    }
    out_key->tag = (int)tag;
    return true;
}

static void clear(struct control_call *call)
{
    static const struct zone_request_words answers = {.goes_on = "request queued"};
    struct keeper_key_word key;

    if (call->count < 4) {
        control_call_fail(call, CONTROL_UNEXPECTED_END,
                          "expected: signing -clear (id/algorithm | all) zone [class [view]]");
        return;
    }
    if (!read_key(call, call->words[2], &key)) {
        return;
    }
    struct managed_zone *zone = control_zone_find_last(call, 3);
    if (zone == NULL) {
        return;
    }
    struct zone_request *request = zone_request_new(call->server, &answers);
    enum sg_result result =
        keeper_clear_progress(call->server->keeper, zone, &key, zone_request_carried_out, request);
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
    control_call_fail(call, CONTROL_FAILURE,
                      result == SG_CANCELLED ? "the zone is not loaded"
                                             : "the zone has no dnssec-policy: it is not signed");
}

static enum control_result read_number(const char *text, unsigned long max)
{
    char *end = NULL;

    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || text[0] == '-' || text[0] == '+') {
        return CONTROL_BAD_NUMBER;
    }
    return errno != 0 || number > max ? CONTROL_RANGE : CONTROL_SUCCESS;
}

static bool is_salt(const char *text)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");

    return strcmp(text, "-") == 0 || strcasecmp(text, "auto") == 0 ||
           (text[digits] == '\0' && digits > 0 && digits % 2 == 0 && digits / 2 <= SALT_BYTES_MAX);
}

/* hash flags iterations salt. False: answered. */
static bool check_nsec3param(struct control_call *call)
{
    static const unsigned long maxima[] = {UINT8_MAX, UINT8_MAX, ITERATIONS_MAX};

    for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
        enum control_result wrong = read_number(call->words[2 + i], maxima[i]);
        if (wrong != CONTROL_SUCCESS) {
            control_call_fail(call, wrong, NULL);
            return false;
        }
    }
    if (!is_salt(call->words[5])) {
        control_call_explain(call, CONTROL_SYNTAX, "'%s' is not a salt: hexadecimal, - or auto",
                             call->words[5]);
        return false;
    }
    return true;
}

/* What was asked for, as a policy has it. */
struct denial_wish {
    bool nsec3; /* else NSEC */
    bool opt_out;
    uint8_t salt_length;
    bool iterates; /* which no policy may any more */
};

static struct denial_wish denial_wish_of(const struct control_call *call, bool is_none)
{
    struct denial_wish wish = {.nsec3 = !is_none};
    if (!is_none) {
        const char *salt = call->words[5];
        wish.opt_out = (strtoul(call->words[3], NULL, 10) & 1) != 0;
        wish.iterates = strtoul(call->words[4], NULL, 10) != 0;
        wish.salt_length = (uint8_t)(strcasecmp(salt, "auto") == 0 ? AUTO_SALT_BYTES
                                     : strcmp(salt, "-") == 0      ? 0
                                                                   : strlen(salt) / 2);
    }
    return wish;
}

static bool has_wish(const struct kasp_policy *policy, const struct denial_wish *wish)
{
    return policy->nsec3 == wish->nsec3 &&
           (!wish->nsec3 || (policy->nsec3_opt_out == wish->opt_out &&
                             policy->nsec3_salt_length == wish->salt_length));
}

static bool is_built_in(const struct kasp_policy *policy)
{
    return policy->insecure || strcmp(policy->name, "default") == 0;
}

/* BIND's line, and what its operator is to do instead: edit the policy. */
static void answer_policy(struct control_call *call, const struct kasp_policy *policy,
                          const struct denial_wish *wish)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_append_text(&text, "zone uses dnssec-policy, use rndc dnssec command instead\n");
    if (has_wish(policy, wish)) {
        buffer_format(&text, "dnssec-policy \"%s\" has %s like that already: nothing is to be done",
                      policy->name, wish->nsec3 ? "NSEC3" : "NSEC");
    } else {
        buffer_append_text(&text, "nothing was changed: ");
        if (is_built_in(policy)) {
            buffer_format(&text,
                          "dnssec-policy \"%s\" is built in, so define one of your own in %s, "
                          "name it in the zone, and there ",
                          policy->name, call->server->configuration);
        } else {
            buffer_format(&text, "in dnssec-policy \"%s\" of %s ", policy->name,
                          call->server->configuration);
        }
        if (wish->nsec3) {
            buffer_format(&text, "%s 'nsec3param iterations 0 optout %s salt-length %u;'",
                          policy->nsec3 ? "change 'nsec3param' to" : "write",
                          wish->opt_out ? "yes" : "no", wish->salt_length);
        } else {
            buffer_append_text(&text, "remove 'nsec3param'");
        }
        buffer_append_text(&text, ", then `signet reconfig` or `rndc reconfig`");
    }
    if (wish->iterates) {
        buffer_append_text(&text, "\nmore iterations than 0 are not made any more (RFC 9276)");
    }
    control_call_succeed(call, buffer_text(&text));
    buffer_free(&text);
}

/* The chain follows the policy: there is nothing to choose by hand. */
static void defer_to_policy(struct control_call *call)
{
    bool is_none = control_call_word_is(call, 2, "none");
    size_t zone_at = is_none ? 3 : 6;

    if (call->count <= zone_at) {
        control_call_fail(call, CONTROL_UNEXPECTED_END,
                          "expected: signing -nsec3param (hash flags iterations salt | none) zone "
                          "[class [view]]");
        return;
    }
    if (!is_none && !check_nsec3param(call)) {
        return;
    }
    struct managed_zone *zone = control_zone_find_last(call, zone_at);
    if (zone == NULL) {
        return;
    }
    const struct kasp_policy *policy = managed_zone_settings(zone)->policy;
    if (policy != NULL) {
        struct denial_wish wish = denial_wish_of(call, is_none);
        answer_policy(call, policy, &wish);
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
        clear(call);
    } else if (control_call_word_is(call, 1, "-nsec3param")) {
        defer_to_policy(call);
    } else {
        control_call_fail(call, CONTROL_SYNTAX, NULL);
    }
}
