/*
 * server/arrival.h - what a net thread hands to the keeper's thread
 *
 * A letter in the server's inbox: the keeper's thread calls `take`, which owns it from then on.
 * When the server ends, `drop` is called instead.
 */
#pragma once

#include "base/mailbox.h"

struct server;

struct arrival {
    struct letter letter; /* first member */
    void (*take)(struct arrival *arrival, struct server *server);
    void (*drop)(struct arrival *arrival);
};
