/*
 * kasp/keyset.h - the keys of one zone beside its policy: which exist, which are missing, what
 * each does in the zone now
 *
 * Pure: no clock, no disk. A key's states outrank its times (BIND's order); a key without a
 * .state file is adopted, i.e. its states are derived from its times once.
 */
#pragma once

#include "dnssec/keystore.h"
#include "dnssec/sign_zone.h"
#include "kasp/policy.h"

/* By its own times or flags nobody counts on this key any more: inactive, deleted or revoked. */
bool kasp_key_is_over(const struct signing_key *key, sg_time now);

/* Same algorithm, size and role, both its tags in the entry's range, and not revoked. */
bool kasp_key_matches(const struct kasp_key *wanted, const struct signing_key *key);

/*
 * Is it in use, by its states or times, and no zone-signing key of its algorithm beside it? Then a
 * key-signing key signs everything. Files of keys that are done with, or made for later, do not
 * count.
 */
bool kasp_key_is_alone(const struct key_list *keys, size_t index, const struct kasp_policy *policy,
                       sg_time now);

/*
 * Fill in role and states that the key's files do not tell, from its times (only what is missing).
 * `alone`: kasp_key_is_alone(). True if it changed.
 */
bool kasp_key_adopt(struct signing_key *key, const struct kasp_policy *policy, bool alone,
                    sg_time now);

/*
 * Index of the key that serves `wanted`: one whose goal is omnipresent, else one that was made in
 * advance and never used; keys that `taken` marks are passed over. SIZE_MAX: one must be made.
 */
size_t kasp_key_choose(const struct kasp_key *wanted, const struct key_list *keys,
                       const bool *taken);

/* Made in advance: nothing is known of it but when. */
bool kasp_key_is_unused(const struct signing_key *key);
/* It was used, and nothing of it is in the zone or in any cache, as its states tell; or its own
 * times, where it has none. */
bool kasp_key_is_gone(const struct signing_key *key, sg_time now);

/*
 * Each published algorithm signs the zone (RFC 6840 5.11): where no key of it does, one that is
 * published and was to sign later, or nobody said when, begins now; but not below a DS before every
 * cache has its DNSKEY. Sets `changed[i]`.
 */
void kasp_keys_appoint_signers(const struct key_list *keys, sg_time now, bool *changed);

/* The clock was false, and nobody knows how long the key's records have been seen: their waits
 * begin anew, and nothing has changed in the future. True if it changed. */
bool kasp_key_restart(struct signing_key *key, const struct kasp_policy *policy, sg_time now);

/* What a key does in the zone. */
bool kasp_key_is_published(const struct signing_key *key);
bool kasp_key_signs_keys(const struct signing_key *key);
bool kasp_key_signs_zone(const struct signing_key *key);
/* Never for a revoked key: no parent may be asked for its DS (RFC 5011). */
bool kasp_key_wants_ds(const struct signing_key *key);
