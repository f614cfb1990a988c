/*
 * dns/nodata_proof.h - is it proven that a delegation has no DS? (RFC 4035 5.2, 5155 8.6)
 *
 * By the NSEC or NSEC3 at the name itself, which has NS and neither DS nor SOA; or by an NSEC3 with
 * opt-out over it, below a closest encloser that is proven too. NSEC3 with more than 150
 * iterations are not counted through (RFC 9276 3.2), and no more than 8 are looked at. Thread: any.
 */
#pragma once

#include "dns/signed_rrset.h"

enum { NODATA_PROOF_RECORDS_MAX = 8, NODATA_PROOF_ITERATIONS_MAX = 150 };

/*
 * `message` is a reply to a DS question for `name` without DS records; `keys` are of the zone above
 * it, `choice` those of them that may sign. NULL: it is proven; else why not, in operators' words.
 */
const char *nodata_proof_check(const struct dns_message *message, const struct dns_name *name,
                               const struct signed_rrset *keys, dnskey_choice choice, sg_time now);
