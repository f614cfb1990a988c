/*
 * server/request.h - one message as the front desk sees it, and how it is answered
 */
#pragma once

#include "net/service.h"
#include "server/front.h"
#include "server/stats.h"

struct inbox;

enum { REQUEST_PREFIX_BYTES = 2048 };

struct request {
    const struct net_request *net;
    const struct front *front;
    const struct front_view *view; /* NULL until chosen */
    const struct tsig_key
        *key; /* of a TSIG that verified, or who signed by SIG(0), a name only; NULL: neither */
    bool key_is_claimed; /* by a SIG(0) that was not verified: it tells what to refuse, no more */
    struct tsig_exchange *tsig; /* NULL: the response is not signed */
    sg_time now;                /* set where there is a TSIG */
    struct stats_block *counters;
    struct dns_message *message;
    struct inbox *inbox; /* of the keeper's thread, for arrivals; NULL: none */
};

/* Extended DNS errors (RFC 8914) that tell an operator why. */
enum request_error {
    REQUEST_ERROR_NONE = 0,
    REQUEST_ERROR_NOT_READY = 14,
    REQUEST_ERROR_PROHIBITED = 18,
    REQUEST_ERROR_NOT_AUTHORITATIVE = 20,
};

/*
 * Encode `answer` into `out_bytes`, within what the client and the options allow. Returns the
 * length and counts the outcome.
 */
size_t request_answer(const struct request *request, const struct answer *answer,
                      enum request_error error, uint8_t *out_bytes, size_t bytes_max);
/* How many bytes the client takes in one response, of the `bytes_max` there is room for. */
size_t request_bytes_max(const struct request *request, size_t bytes_max);
/* The same without records. */
size_t request_refuse(const struct request *request, uint16_t rcode, enum request_error error,
                      uint8_t *out_bytes, size_t bytes_max);

/* "client @0x2a 192.0.2.1#53/key k (example)": how each log line about a request begins. A key that
 * is not proved yet is a "claimed key". */
const char *request_prefix(const struct request *request, char out_text[REQUEST_PREFIX_BYTES]);
void request_log(const struct request *request, enum log_category category, int severity,
                 const char *format, ...) PRINTF_LIKE(4, 5);
/* BIND's line of category queries. */
void request_log_query(const struct request *request);
