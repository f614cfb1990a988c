/*
 * server/update_requester.h - who asks for an update, as the update-policy wants to know it
 */
#pragma once

#include "server/request.h"
#include "server/update_questions.h"

struct update_requester {
    bool has_key;             /* a TSIG or SIG(0) that verified */
    struct dns_name key_name; /* lower case */
    struct net_address client;
    bool tcp;
    struct update_questions *questions; /* what daemons have said, or will; NULL: none was asked */
};

static inline void update_requester_learn(const struct request *request,
                                          struct update_requester *out_requester)
{
    *out_requester = (struct update_requester){
        .has_key = request->key != NULL,
        .client = *request->net->client,
        .tcp = request->net->tcp,
    };
    if (request->key != NULL) {
        out_requester->key_name = request->key->name;
    }
}
