/*
 * server/control.h - the table of control commands, and those that concern the whole server
 *
 * Thread: keeper.
 */
#pragma once

#include "server/server.h"

/* For control_channel_new(): `server` is a struct server. */
void control_run_command(void *server, struct control_request *request, const char *command);
