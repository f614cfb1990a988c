/*
 * net/peer_request.h - a question as it was sent, and whether a message answers it; for peer*.c
 *
 * Pure but for the random id. Thread: keeper.
 */
#pragma once

#include "net/peer.h"

struct peer_request {
    struct dns_message asked;  /* of `plain` */
    struct buffer plain;       /* without TSIG, under our id */
    struct buffer frame;       /* what goes over the wire: length, message, TSIG */
    struct tsig_key *key;      /* a copy; NULL: unsigned */
    struct tsig_exchange tsig; /* begun by peer_request_frame() */
};

/*
 * SG_MALFORMED: not a request; SG_LIMIT: no room for a TSIG behind it. `out_request` is to be
 * cleared after SG_OK only.
 */
MUST_USE enum sg_result peer_request_init(const struct peer_question *question,
                                          struct peer_request *out_request);
void peer_request_clear(struct peer_request *request);

/*
 * The request for one transport, signed at `now`, a length of two bytes in front (over UDP it
 * stays behind). What is sent again is the same bytes, so that an answer to an earlier try fits.
 * Borrowed until the next call. SG_CRYPTO.
 */
MUST_USE enum sg_result peer_request_frame(struct peer_request *request, sg_time now,
                                           struct span *out_frame);

/*
 * Is `message` the (or, over TCP, the next) answer? SG_NOT_FOUND: another id, question or opcode,
 * or no response at all; SG_MALFORMED; SG_BAD_KEY, SG_BAD_SIG, SG_BAD_TIME (RFC 8945).
 */
MUST_USE enum sg_result peer_request_check(struct peer_request *request, struct span message,
                                           bool tcp, sg_time now);
/* Does a verified TSIG cover everything that was received, or is none needed? */
bool peer_request_is_settled(const struct peer_request *request);
