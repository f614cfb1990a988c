/*
 * server/update_forward.h - updates that a secondary passes on to its primary (RFC 2136 6)
 *
 *   net thread: update_forward_answer() -> letter -> keeper's thread: asks the primaries in turn
 *               over TCP -> late_answer
 *
 * Byte for byte, TSIG, SIG(0) and id included: the client and the primary know each other, and we
 * need not have their key. What the primary answers goes back as it came.
 */
#pragma once

#include "net/peer.h"
#include "server/request.h"

struct server;

/*
 * That are out; more are answered SERVFAIL. Each may wait for a connection to a primary that is not
 * there, and the others have to leave room for transfers and questions of other zones.
 */
enum { UPDATE_FORWARDS_MAX = PEER_TCP_SOCKETS_MAX / 4 };

/* A response, or 0 and it is on its way. The client is let in already. */
size_t update_forward_answer(const struct request *request, const struct zone_slot *slot,
                             uint8_t *out_bytes, size_t bytes_max);
/* The server ends: clients get no answer. Thread: keeper. */
void update_forwards_end(struct server *server);
