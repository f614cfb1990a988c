/*
 * tools/invented_key.h - a key that is not there: role, algorithm, size and tag, no cryptography
 */
#pragma once

#include "dnssec/keystore.h"
#include "kasp/policy.h"

/*
 * As the keystore makes one in advance: its roles, no times but Created, no states. The tag lies in
 * the entry's range and is not `taken`; the same arguments give the same key. SG_LIMIT: no tag is
 * free.
 */
MUST_USE enum sg_result invented_key_new(const struct dns_name *zone, const struct kasp_key *entry,
                                         const struct key_tag_set *taken, sg_time now,
                                         struct signing_key **out_key);
