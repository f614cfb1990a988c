/*
 * net/later.h - an answer that somebody else makes, later: to an update, to what is forwarded
 *
 *   net thread: answer() -> net_later_begin() -> 0          (a letter to the keeper carries it off)
 *   any thread: net_later_send(), once, whenever it is known
 *
 * It remembers the way back: over UDP the socket and both addresses, over TCP the connection, which
 * may be gone by then. Answers over TCP may overtake each other (RFC 7766 7).
 */
#pragma once

#include "net/service.h"

struct net_later {
    void (*send)(struct net_later *later, struct span message); /* private to net/ */
};

enum { NET_LATERS_MAX = 1024 }; /* of one connection */

/* NULL: this way takes no more; answer at once. Thread: that of the request, inside answer(). */
static inline struct net_later *net_later_begin(const struct net_request *request)
{
    return request->later != NULL ? request->later(request) : NULL;
}

/* An empty message: there is no answer. Frees it. Thread: any. */
static inline void net_later_send(struct net_later *later, struct span message)
{
    later->send(later, message);
}
