/*
 * net/control_channel.h - the server's side of rndc: commands over TCP, authentic and only once
 *
 * A connection: the client asks anything, is told a nonce and nothing is run; every later request
 * must carry that nonce. So a recorded connection cannot be played back. Before that each message
 * must have a good MAC, a clock within 300 s, and must not have been seen in the last 900 s.
 * Whatever does not fit is logged and the connection closed without a word, as BIND does.
 *
 * Bounds: connections, bytes of a frame, one request at a time each, seconds without one. When
 * all connections are taken, the oldest that has not shown a key gives way to the next.
 *
 *   accept -> allowed? -> frame -> authentic? -> run() ... control_request_reply() -> next frame
 *
 * Thread: keeper, all functions.
 */
#pragma once

#include <uv.h>

#include "dns/tsig.h"
#include "net/address.h"
#include "net/control_message.h"

enum {
    CONTROL_LISTENERS_MAX = 64,
    CONTROL_CONNECTIONS_MAX = 64,
    CONTROL_GREETING_MS_MAX = 10000, /* until the first authentic request */
    CONTROL_IDLE_MS_MAX = 60000,     /* between two requests */
    CONTROL_REPLAY_WINDOW = 900,     /* seconds; longer than any message is accepted */
};

struct control_channel;
struct control_request; /* one command that waits for its answer */

struct control_listen {
    struct net_address address; /* with port */
    const struct tsig_key *const *keys;
    size_t keys_count;
    bool read_only; /* handed on to run() */
    /* May this client speak to us? */
    bool (*allowed)(void *argument, const struct net_address *client,
                    const struct net_address *local);
    void *argument;
};

/*
 * Run `command` (a C string, borrowed during the call) and answer it with exactly one
 * control_request_reply(), now or in any later turn of the loop.
 */
typedef void control_run(void *argument, struct control_request *request, const char *command);

struct control_channel *control_channel_new(uv_loop_t *loop, control_run *run, void *argument);
/*
 * Listen on these addresses and no others; listeners whose address stays are kept, with the new
 * keys. Keys are copied; `allowed` is borrowed until the next call. For each address that could
 * not be bound `out_errors[i]` is a uv error, else 0. Connections of listeners that are gone end
 * when their last command has been answered.
 */
void control_channel_listen(struct control_channel *channel, const struct control_listen *listens,
                            size_t count, int *out_errors);
/*
 * Close everything; replies that were given have been written as far as the socket takes them.
 * The channel is freed by the loop; requests that are still open may be replied to, into nothing.
 */
void control_channel_close(struct control_channel *channel);

bool control_request_is_read_only(const struct control_request *request);
/*
 * Answer and forget the request. `result` is an isc result code, `error` (NULL: none) its text,
 * `text` the output (NULL: none). The connection may have gone in the meantime.
 */
void control_request_reply(struct control_request *request, uint32_t result, const char *error,
                           const char *text);
