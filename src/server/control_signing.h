/*
 * server/control_signing.h - signing -serial, and what else `rndc signing` may be asked
 *
 * Thread: keeper.
 */
#pragma once

#include "server/control_call.h"

void control_signing(struct control_call *call);
