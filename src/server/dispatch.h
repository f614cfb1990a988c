/*
 * server/dispatch.h - the front desk: what becomes of a message
 *
 * The table of contents of everything that a request can meet, in the order of the RFCs: parse,
 * TSIG, view, class, zone, access list, answer. Threads of net/ call it through the net_service.
 */
#pragma once

#include "net/service.h"
#include "server/front.h"
#include "server/stats.h"

struct inbox;

struct dispatch;

/* Drops everything until the first front is published. `inbox` (server/arrival.h) takes what the
 * keeper decides about; NULL: such requests fail. */
struct dispatch *dispatch_new(struct inbox *inbox);
/* When all net threads are gone; frees the front as well. */
void dispatch_free(struct dispatch *desk);

/* For net_new(). Valid until dispatch_free(). */
struct net_service dispatch_service(struct dispatch *desk);

/*
 * Let queries see `front` from now on; takes it. The one before is freed after a grace period.
 * Thread: keeper.
 */
void dispatch_publish(struct dispatch *desk, struct front *front);

/* Log each query, as `querylog` and `rndc querylog` ask. Off at first. Thread: any. */
void dispatch_set_query_log(struct dispatch *desk, bool on);
bool dispatch_query_log(const struct dispatch *desk);

/* Sums over all threads, those that ended included. Thread: any. */
void dispatch_counts(const struct dispatch *desk, struct stats_counts *out_counts);
/* Outgoing transfers that run at present. */
unsigned dispatch_transfers(const struct dispatch *desk);
