/*
 * keeper/asking.h - questions to other servers, as the keeper puts them
 *
 * The keeper has no sockets: it says what is to be asked of whom, and is called back in its own
 * thread. server/questions.c carries it out with net/peer.h; tests/sim answers by itself.
 */
#pragma once

#include "keeper/remote.h"

enum keeper_question_kind {
    KEEPER_QUESTION_SOA,
    KEEPER_QUESTION_TRANSFER,
    KEEPER_QUESTION_NOTIFY,
    KEEPER_QUESTION_SERIAL, /* of who is told by NOTIFY: its SOA, asked from the same address */
    KEEPER_QUESTION_DS,     /* of a parental agent */
    KEEPER_QUESTION_PUSH,   /* of a parent's primary: its SOA, and an update */
    KEEPER_QUESTION_LOOKUP, /* of a resolver */
    /* A client's update, to its primary: as it is, TSIG and id included, whatever the remote's key;
     * the answer is not verified. */
    KEEPER_QUESTION_FORWARD,
};

struct keeper_question {
    enum keeper_question_kind kind;
    const struct remote *remote; /* its `origin` is the configuration's, e.g. for a source */
    const void *access;          /* of the zone that it is about: zone_settings.access */
    struct span message;         /* without TSIG, which the remote's key makes; copied */
    bool tcp;                    /* else UDP alone */
    unsigned udp_tries;
    sg_duration timeout;       /* of one try, or until TCP is connected */
    sg_duration idle_timeout;  /* between messages */
    sg_duration total_timeout; /* of a transfer */
};

/* What came: SG_OK and a message, or why there was none; then the question is gone. */
struct keeper_heard {
    enum sg_result result;
    struct span message; /* borrowed until the callback returns */
    bool settled;        /* a TSIG covers everything so far, or none was asked for */
    bool unsent;         /* there was no connection: nobody there has heard the question (TCP) */
};
/* True: more messages are wanted (TCP). False: the question is gone. */
typedef bool keeper_hear(void *argument, const struct keeper_heard *heard);

struct keeper_asker {
    /* NULL: it cannot be asked. Never calls back from inside. */
    void *(*ask)(void *argument, const struct keeper_question *question, keeper_hear *hear,
                 void *hear_argument);
    /* No call back any more. */
    void (*cancel)(void *argument, void *asked);
    /* Is it one of the addresses that we serve? */
    bool (*is_ours)(void *argument, const struct remote *remote);
    /* Is it never to be asked or told, where `access` is a zone's? ask() does not either. */
    bool (*is_bogus)(void *argument, const void *access, const struct remote *remote);
    /* Is there a way to the world by IPv6, now? NULL: always. */
    bool (*reaches_ipv6)(void *argument);
    void *argument;
};
