/*
 * net/peer.h - questions that we ask of others: one message over UDP, or a stream over TCP
 *
 * For NOTIFY, SOA refresh, transfers in, forwarded updates and, later, DS checks. Runs on the
 * keeper's libuv loop; never blocks. UDP is tried, repeated and, on TC or on demand, followed by
 * TCP. Ids and source ports are random; an answer counts only from the address that was asked, with
 * the id and question that were sent. TSIG is made and verified here. peer knows no zone.
 *
 * Sockets are bounded; what is asked beyond that waits in line, and its time begins with its
 * socket. What comes over UDP and does not fit is dropped, since anybody could have sent it, and a
 * TSIG that does not verify counts only when nothing better came in that try's time. Over TCP the
 * first false message is the end.
 *
 * Thread: keeper, all functions; the callback too.
 */
#pragma once

#include <uv.h>

#include "base/buffer.h"
#include "dns/tsig.h"
#include "net/address.h"

enum { PEER_UDP_SOCKETS_MAX = 256, PEER_TCP_SOCKETS_MAX = 256 }; /* of a desk, at once */

struct peer_desk; /* all exchanges of one loop */
struct peer_exchange;

enum peer_event {
    PEER_MESSAGE, /* one verified message; over TCP more may follow until peer_cancel() */
    PEER_FAILED,  /* `result` tells: SG_TIMEOUT, SG_REFUSED, SG_IO
                     (unreachable, or closed before you had enough), SG_BAD_KEY, SG_BAD_SIG,
                     SG_BAD_TIME, SG_MALFORMED (also: another id or question over TCP),
                     SG_CRYPTO; the exchange is gone */
};

struct peer_answer {
    enum peer_event event;
    enum sg_result result;
    struct span message; /* borrowed until the callback returns */
    bool settled;        /* a verified TSIG covers everything so far, or the request had none */
    bool tcp;
    bool unsent; /* FAILED: no connection came to be over which it could have been heard */
};
/* Return true to go on receiving (TCP), false: the exchange is done and freed. The message may have
 * any rcode. It may pause or cancel its own exchange and ask others. */
typedef bool peer_callback(void *argument, struct peer_exchange *exchange,
                           const struct peer_answer *answer);

struct peer_question {
    const struct net_address *server; /* with port */
    const struct net_address *source; /* NULL: the kernel chooses */
    const struct tsig_key *key;       /* NULL: none; copied */
    struct span message;              /* a whole request without TSIG; its id is replaced in ours */
    bool as_it_is;                    /* its id stays, and so does a TSIG that it may have; the
                                         answer is not verified. Over TCP alone, without a key */
    bool tcp;                         /* do not try UDP */
    bool udp_only;                    /* no TCP after TC (it is handed over) or silence */
    unsigned udp_tries;               /* 0: 3 */
    sg_duration udp_timeout;          /* each, 0: 3 */
    sg_duration connect_timeout;      /* 0: 10 */
    sg_duration idle_timeout;         /* between messages, 0: 30 */
    sg_duration total_timeout;        /* 0: 60 */
};

struct peer_desk *peer_desk_new(uv_loop_t *loop);
/* Cancels what runs, without callbacks; handles close on the loop's next turns, then
 * `closed` is called. */
void peer_desk_close(struct peer_desk *desk, void (*closed)(void *argument), void *argument);
/* How many exchanges run or wait in line. */
size_t peer_desk_running(const struct peer_desk *desk);
/* How many sockets are open. */
size_t peer_desk_sockets(const struct peer_desk *desk);

/*
 * Ask. Copies everything. SG_MALFORMED: not a request of one question; SG_LIMIT: too large to be
 * signed; SG_CANCELLED: the desk is closing. The callback is never called from inside, here or
 * below: that there was no socket is told as PEER_FAILED.
 */
MUST_USE enum sg_result peer_ask(struct peer_desk *desk, const struct peer_question *question,
                                 peer_callback *callback, void *argument,
                                 struct peer_exchange **out_exchange);
/* No callback comes any more. */
void peer_cancel(struct peer_exchange *exchange);
/* TCP: stop and go on reading, so that whoever takes the messages is not overrun. */
void peer_pause(struct peer_exchange *exchange);
void peer_resume(struct peer_exchange *exchange);
