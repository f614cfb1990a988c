/*
 * server/session_key.h - the key of `update-policy local`, which `nsupdate -l` reads from its file
 *
 * Made once a process, when a zone first asks for it; each configuration that wants it gets it
 * among its keys. The file has mode 0600: whoever may read it may update.
 *
 * Thread: keeper.
 */
#pragma once

#include "conf/conf.h"

struct generation;
struct server;

/* Does a zone have `update-policy local`, and is there a file for its key? */
bool session_key_is_wanted(const struct conf *conf);
/* Before the generation is published: give it the key if it wants one, and let a worker write the
 * file. */
void session_key_join(struct server *server, struct generation *generation);
