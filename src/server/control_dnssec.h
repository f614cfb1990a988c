/*
 * server/control_dnssec.h - dnssec -checkds, -rollover, -step: the operator's word on keys
 *
 *   dnssec -status ...: control_keys.h
 *   dnssec -checkds [-key ID [-alg A]] [-when T] published | withdrawn ZONE [CLASS [VIEW]]
 *   dnssec -rollover -key ID [-alg A] [-when T] ZONE [CLASS [VIEW]]
 *   dnssec -step ZONE [CLASS [VIEW]]
 *
 * Answered when the keys' states are durable, or with what is in the way. Thread: keeper.
 */
#pragma once

#include "server/control_call.h"

void control_dnssec(struct control_call *call);
