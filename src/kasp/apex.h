/*
 * kasp/apex.h - DNSKEY, CDS, CDNSKEY and progress records of a zone, from its keys (RFC 4034 2,
 * 7344, 8078)
 */
#pragma once

#include "kasp/keyset.h"

enum { KASP_APEX_RRSETS_MAX = 4 };

struct kasp_apex {
    struct dns_rrset rrsets[KASP_APEX_RRSETS_MAX];
    size_t count;
    struct buffer packed[KASP_APEX_RRSETS_MAX]; /* what the rrsets point into */
};

struct kasp_apex_wish {
    bool deletes;          /* CDS and CDNSKEY ask for no DS at all: kasp_plan() */
    uint16_t private_type; /* of progress records (progress.h); 0: none */
    uint64_t progress_told;
};

/*
 * `deletes`: no key wants a DS, and CDS and CDNSKEY say that there shall be none (RFC 8078 4),
 * whatever the policy says of their types. SG_CRYPTO if a digest cannot be made. The caller clears.
 */
MUST_USE enum sg_result kasp_apex_rrsets(const struct key_list *keys,
                                         const struct kasp_policy *policy,
                                         const struct kasp_apex_wish *wish,
                                         struct kasp_apex *out_apex);
/* The rdata of a CDS, else of a CDNSKEY, that says that there shall be no DS (RFC 8078 4). */
struct span kasp_apex_delete(uint16_t type);
/* These rdatas in place of what it has of the type; none at all: it has none then. At most
 * KASP_APEX_RRSETS_MAX types. Copies them. */
void kasp_apex_replace(struct kasp_apex *apex, uint16_t type, uint32_t ttl,
                       const struct span *rdatas, size_t count);
void kasp_apex_clear(struct kasp_apex *apex);
