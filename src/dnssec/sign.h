/*
 * dnssec/sign.h - RRSIGs: the signed data of RFC 4034 3.1.8.1 and signatures over it
 *
 * A signer belongs to one thread. It keeps one prepared context per key and prefetched digests,
 * so that a signature costs what the algorithm costs (`openssl speed` measures the same path).
 */
#pragma once

#include "dns/rrset.h"
#include "dnssec/key.h"

struct signer;
struct signer *signer_new(void);
void signer_free(struct signer *signer);
/* The calling thread's own, made at its first use and freed when the thread ends: keys that sign
 * often stay imported from one job to the next. */
struct signer *signer_of_thread(void);

struct sign_times {
    uint32_t inception, expiration; /* seconds modulo 2^32 */
};

/*
 * Append the RRSIG rdata over `rrset` at `owner` (absolute, any case) by `key`, which has its
 * secret. `labels` is computed from the owner (a leading "*" does not count). SG_CRYPTO, SG_BAD_KEY
 * when the key has no secret.
 */
MUST_USE enum sg_result signer_sign(struct signer *signer, const struct signing_key *key,
                                    const struct dns_name *owner, const struct dns_rrset *rrset,
                                    const struct sign_times *times, struct buffer *out_rdata);
/*
 * Verify one RRSIG rdata over an RRset with DNSKEY rdata, at `now`; the owner of the key must be
 * the signer's name, which is at or above `owner`. SG_BAD_SIG, SG_BAD_TIME, SG_MALFORMED.
 */
MUST_USE enum sg_result signer_verify(struct signer *signer, struct span dnskey,
                                      const struct dns_name *owner, const struct dns_rrset *rrset,
                                      struct span rrsig, sg_time now);
