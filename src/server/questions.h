/*
 * server/questions.h - the keeper's questions to other servers (keeper/asking.h), over net/peer.h
 *
 * Thread: keeper.
 */
#pragma once

#include "keeper/asking.h"
#include "net/peer.h"

struct server;

/* The desk, on the server's loop, and how the keeper uses it. */
struct keeper_asker questions_open(struct server *server);
/* What the keeper's asker does (keeper/asking.h), for the server's own questions. */
void *questions_ask(struct server *server, const struct keeper_question *asked,
                    keeper_hear *hear_it, void *hear_argument);
void questions_cancel(void *asked);
/* Before the loop is closed: the keeper has ended all its questions, or does not care. */
void questions_close(struct server *server);
