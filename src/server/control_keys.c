#include "server/control_keys.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "dns/rrset.h"
#include "keeper/managed_zone.h"
#include "server/control_zone.h"
#include "server/keys_text.h"
#include "server/signing_text.h"
#include "server/zone_requests.h"

/* Write what is known of the keys. */
typedef void keys_writer(const struct keys_text_zone *zone, const struct keeper_keys_status *status,
                         struct buffer *out_text);

/* Somebody waits for the keys to be looked at; the configuration may be another by then. */
struct keys_question {
    struct zone_request *request;
    keys_writer *write;
    char *zone, *view, *policy; /* owned */
    sg_duration publish_interval;
    struct buffer parent; /* lines */
};

static const struct zone_request_words answers = {
    .goes_on = "the zone is at work, and its keys are looked at afterwards: ask again later",
    .goes_on_is_a_failure = true,
};

static void free_question(struct keys_question *question)
{
    mem_free(question->zone);
    mem_free(question->view);
    mem_free(question->policy);
    buffer_free(&question->parent);
    mem_free(question);
}

/* A keys_status_done. */
static void answer(void *argument, const struct keeper_keys_status *status, const char *text)
{
    struct keys_question *question = argument;
    struct buffer written = BUFFER_EMPTY;
    /* What progress the lost ones have made nobody knows. */
    bool is_enough =
        status != NULL && (status->lost_count == 0 || question->write != keys_text_signing);
    if (!is_enough) {
        zone_request_carried_out(question->request, SG_CONFLICT, text);
    } else {
        const struct keys_text_zone zone = {question->zone, question->view, question->policy,
                                            question->publish_interval,
                                            buffer_text(&question->parent)};
        question->write(&zone, status, &written);
        zone_request_carried_out(question->request, SG_OK, buffer_text(&written));
    }
    buffer_free(&written);
    free_question(question);
}

static void take_line(void *argument, const char *text)
{
    buffer_format(argument, "%s\n", text);
}

static void ask(struct control_call *call, struct managed_zone *zone, keys_writer *write)
{
    const struct zone_settings *settings = managed_zone_settings(zone);
    const struct kasp_policy *policy = settings->policy;
    struct keys_question *question = mem_alloc_zero(1, sizeof(*question));
    char name[DNS_NAME_TEXT_BYTES];
    question->request = zone_request_new(call->server, &answers);
    question->write = write;
    question->zone = mem_copy_text(dns_name_to_text_short(&settings->apex, name));
    question->view = mem_copy_text(settings->view);
    question->policy = mem_copy_text(policy->name);
    question->publish_interval =
        (sg_duration)policy->dnskey_ttl + policy->zone_propagation_delay + policy->publish_safety;
    if (managed_zone_waits_for_parent(zone)) {
        managed_zone_describe_parent(zone, take_line, &question->parent);
    }
    enum sg_result result = keeper_keys_status(call->server->keeper, zone, answer, question);
    if (result == SG_OK) {
        zone_request_expect(question->request);
        zone_request_seal(question->request, control_call_keep(call));
        return;
    }
    zone_request_drop(question->request);
    free_question(question);
    if (result == SG_IO) {
        control_zone_fail_by_store(call, zone);
    } else {
        control_call_fail(call, CONTROL_FAILURE, "the zone is not loaded");
    }
}

static void write_no_keys(struct control_call *call, bool as_json)
{
    control_call_succeed(call, as_json ? "{\"policy\": null, \"keys\": []}"
                                       : "Zone does not have dnssec-policy");
}

/* May be shortened, as with BIND. */
static bool is_option(const char *word, const char *option)
{
    return word != NULL && strlen(word) >= 2 && strncasecmp(word, option, strlen(word)) == 0;
}

void control_keys_status(struct control_call *call)
{
    const char *option = control_call_word(call, 2);
    bool as_json = is_option(option, "-json");
    bool is_verbose = is_option(option, "-v"); /* BIND 9.21: with states. Ours are always told. */
    struct managed_zone *zone = control_zone_find_last(call, as_json || is_verbose ? 3 : 2);
    if (zone == NULL) {
        return;
    }
    if (managed_zone_settings(zone)->policy == NULL) {
        write_no_keys(call, as_json);
        return;
    }
    ask(call, zone, as_json ? keys_text_json : keys_text);
}

/* While all of a zone is signed beside what is served, nobody looks at its keys; and of one that
 * is signed elsewhere there are none. */
static void tell_signing_records(struct control_call *call, size_t count,
                                 const struct buffer *packed)
{
    const struct dns_rrset rrset = {.packed = packed->bytes, .count = (uint16_t)count};
    struct buffer text = BUFFER_EMPTY;
    bool some = false;
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        some |= signing_text_append(c.rdata, &text);
    }
    control_call_succeed(call, some ? buffer_text(&text) : "No signing records found");
    buffer_free(&text);
}

void control_keys_signing(struct control_call *call)
{
    struct managed_zone *zone = control_zone_find_last(call, 2);
    struct buffer packed = BUFFER_EMPTY;
    bool is_beside = false;
    if (zone == NULL) {
        return;
    }
    size_t count = managed_zone_signing_records(zone, &packed, &is_beside);
    if (is_beside || managed_zone_settings(zone)->policy == NULL) {
        tell_signing_records(call, count, &packed);
    } else {
        ask(call, zone, keys_text_signing);
    }
    buffer_free(&packed);
}
