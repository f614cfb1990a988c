/*
 * server/control_keys.h - what a zone's keys do: dnssec -status, signing -list
 *
 *   dnssec -status [-json] ZONE [CLASS [VIEW]]
 *   signing -list ZONE [CLASS [VIEW]]
 *
 * Both look at the keys first, as loadkeys does. Thread: keeper.
 */
#pragma once

#include "server/control_call.h"

void control_keys_status(struct control_call *call);
void control_keys_signing(struct control_call *call);
