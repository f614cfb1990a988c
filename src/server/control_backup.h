/*
 * server/control_backup.h - backup PATH: store and keys of the running server, consistent
 *
 * The store thread copies the store between two transactions; a worker then adds the key files
 * (store/backup.h). Thread: keeper.
 */
#pragma once

#include "server/control_call.h"

void control_backup(struct control_call *call);
