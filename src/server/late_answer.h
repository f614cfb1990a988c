/*
 * server/late_answer.h - the response to a request that the keeper decides about
 *
 * Takes from the request all that its response needs, so that it may be given when request,
 * configuration and even the client's connection are gone: header, question, EDNS, TSIG.
 */
#pragma once

#include "net/later.h"
#include "server/request.h"

struct late_answer;

/* NULL: the way back takes no more answers; refuse at once. Thread: that of the request. */
struct late_answer *late_answer_new(const struct request *request);
/* A response without records. Frees it. Thread: any. */
void late_answer_give(struct late_answer *answer, uint16_t rcode, sg_time now);
/* A whole response of somebody else's, TSIG and all; its header gets this request's id. Frees it.
 * Thread: any. */
void late_answer_pass(struct late_answer *answer, struct span response);
/* Without a response. */
void late_answer_drop(struct late_answer *answer);
