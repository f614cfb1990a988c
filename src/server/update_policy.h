/*
 * server/update_policy.h - which rule of an update-policy decides on one change (RFC 3007 3)
 *
 * The first rule whose identity, name and types match grants or denies; none: denied. Identities
 * are the names of TSIG keys and of SIG(0) signers; with tcp-self and 6to4-self it is the address
 * that asks, over TCP, where a handshake has proved it. Rules of Kerberos principals (ms-*, krb5-*)
 * match nobody: Signet does no GSS-TSIG, and the configuration says so when it is read. What the
 * daemon of an `external` rule says was asked before and comes with the requester; one that has
 * not answered makes no grant match and every deny.
 *
 * Pure: nothing is logged. Thread: any that holds the requester.
 */
#pragma once

#include "conf/settings.h"
#include "server/update_requester.h"
#include "zone/update.h"

/*
 * May the requester do that? `out_records_max`, set in both cases: how many RRs of that type the
 * rule allows at that name, 0: no limit.
 */
bool update_policy_allows(const struct conf_update_policy *policy,
                          const struct update_requester *requester, const struct dns_name *apex,
                          const struct zone_update_wish *wish, uint16_t *out_records_max);

/* Could any rule grant this requester anything? Else its updates need not be looked at. */
bool update_policy_knows(const struct conf_update_policy *policy,
                         const struct update_requester *requester);
