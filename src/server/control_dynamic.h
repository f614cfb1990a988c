/*
 * server/control_dynamic.h - freeze, thaw, sync: the files of zones that change by themselves
 *
 * With a zone, or for all. A zone that is not dynamic is an error for `freeze` alone, as in BIND.
 * Thread: keeper.
 */
#pragma once

#include "server/control_call.h"

void control_freeze(struct control_call *call);
void control_thaw(struct control_call *call);
void control_sync(struct control_call *call);
