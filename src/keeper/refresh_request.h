/*
 * keeper/refresh_request.h - what a secondary asks a primary for: the SOA, or the zone, and how
 * much of it may come
 *
 * Messages and bounds alone; who sends them is secondary.h. Private to keeper/. Thread: any.
 */
#pragma once

#include "dns/request.h"
#include "keeper/keeper.h"
#include "keeper/refresh.h"
#include "zone/transfer.h"
#include "zone/version.h"

/* The SOA as its primaries gave it, not as it is signed. False: there is none. NULL is fine. */
bool refresh_source_soa(const struct zone_version *version, struct dns_rrset *out_rrset,
                        struct dns_soa *out_soa);

void refresh_request_soa(const struct zone_settings *settings, const struct refresh_order *order,
                         struct dns_request *out_request);
/* True: IXFR, from what `version` has; else AXFR. */
bool refresh_request_transfer(const struct zone_settings *settings,
                              const struct zone_version *version, const struct refresh_order *order,
                              struct dns_request *out_request);

/* Why nothing of it could be asked. */
enum sg_result refresh_request_unasked(const struct refresh_order *order);

/* Bounds of what comes. `base` NULL: the whole zone was asked for. */
struct zone_transfer_options refresh_request_options(const struct zone_settings *settings,
                                                     const struct zone_version *base);
/*
 * How many bytes a transfer may bring, names not compressed, on a machine with so much memory (0:
 * not known). A primary that never ends would else take all of it; but who has set `max-records`
 * has said what is too much.
 */
uint64_t refresh_request_bytes_max(uint64_t records_max, uint64_t memory);
/* How long a transfer may bring nothing: max-transfer-idle-in, or the window of
 * min-transfer-rate-in, in which nothing at all is too little, too. */
sg_duration refresh_request_silence_max(const struct zone_settings *settings);
