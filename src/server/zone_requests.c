#include "server/zone_requests.h"

#include "base/mem.h"

enum { ANSWER_SECONDS_MAX = 30 }; /* half of what rndc waits */

struct zone_request {
    struct zone_request *next;
    struct server *server;
    struct control_request *request; /* NULL: it was answered already */
    const struct zone_request_words *words;
    sg_time answer_by;
    size_t expected; /* zones that have not ended, and 1 until sealed */
    bool up_to_date; /* nothing else has been heard */
    size_t failed;
    enum control_result code; /* of the first that failed, as the next */
    char *problem;
    char *said; /* NULL: words->done */
};

struct zone_request *zone_request_new(struct server *server, const struct zone_request_words *words)
{
    struct zone_request *request = mem_alloc_zero(1, sizeof(*request));

    *request = (struct zone_request){
        .next = server->zone_requests,
        .server = server,
        .words = words,
        .answer_by = time_now() + ANSWER_SECONDS_MAX,
        .expected = 1,
        .up_to_date = true,
        .code = CONTROL_FAILURE,
    };
    server->zone_requests = request;
    return request;
}

void zone_request_expect(struct zone_request *request)
{
    request->expected++;
}

static void reply(struct zone_request *request)
{
    const struct zone_request_words *words = request->words;

    if (request->request == NULL) {
        return;
    }
    if (request->failed > 0) {
        char *text = request->failed == 1 ? mem_copy_text(request->problem)
                                          : mem_format("%s (and %zu more zones failed)",
                                                       request->problem, request->failed - 1);
        control_request_reply(request->request, request->code, control_result_text(request->code),
                              text);
        mem_free(text);
    } else {
        const char *text = request->up_to_date ? words->up_to_date : words->done;
        control_request_reply(request->request, CONTROL_SUCCESS, NULL,
                              request->said != NULL ? request->said : text);
    }
}

static void release(struct zone_request *request)
{
    if (--request->expected > 0) {
        return;
    }
    reply(request);
    struct zone_request **at = &request->server->zone_requests;
    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    mem_free(request->problem);
    mem_free(request->said);
    mem_free(request);
}

void zone_request_ended(void *argument, enum reload_outcome outcome, const char *text)
{
    struct zone_request *request = argument;

    request->up_to_date = request->up_to_date && outcome == RELOAD_UP_TO_DATE;
    if (outcome == RELOAD_FAILED && request->failed++ == 0) {
        request->problem = mem_copy_text(text);
    }
    release(request);
}

void zone_request_carried_out(void *argument, enum sg_result result, const char *text)
{
    struct zone_request *request = argument;
    if (result == SG_OK && request->said == NULL && *text != '\0') {
        request->said = mem_copy_text(text);
    }
    if (result != SG_OK && request->failed == 0 && request->words->code_of != NULL) {
        request->code = request->words->code_of(result);
    }
    zone_request_ended(request, result == SG_OK ? RELOAD_STARTED : RELOAD_FAILED, text);
}

void zone_request_seal(struct zone_request *request, struct control_request *answered)
{
    request->request = answered;
    release(request);
}

void zone_request_drop(struct zone_request *request)
{
    ASSERT(request->expected == 1);
    release(request);
}

void zone_requests_tick(struct server *server)
{
    sg_time now = time_now();

    for (struct zone_request *at = server->zone_requests; at != NULL; at = at->next) {
        if (at->request == NULL || at->answer_by > now) {
            continue;
        }
        uint32_t result = at->words->goes_on_is_a_failure ? CONTROL_FAILURE : CONTROL_SUCCESS;
        control_request_reply(at->request, result,
                              result == CONTROL_SUCCESS ? NULL : control_result_text(result),
                              at->words->goes_on);
        at->request = NULL;
    }
}

void zone_requests_end(struct server *server)
{
    for (struct zone_request *at = server->zone_requests; at != NULL; at = at->next) {
        if (at->request != NULL) {
            control_request_reply(at->request, CONTROL_SHUTTING_DOWN,
                                  control_result_text(CONTROL_SHUTTING_DOWN),
                                  "the server ends; the zone's work was not done");
            at->request = NULL;
        }
    }
}
