#include "zone/cds_fit.h"

#include "base/assert.h"
#include "dns/rrtype.h"

enum { CDS_ALGORITHM = 2, KEY_ALGORITHM = 3, ALGORITHM_DELETE = 0 }; /* RFC 8078 4 */

void cds_note(struct cds_algorithms *algorithms, uint16_t type, struct span rdata)
{
    size_t at = type == DNS_TYPE_CDS ? CDS_ALGORITHM : KEY_ALGORITHM;
    bool is_known = type == DNS_TYPE_CDS || type == DNS_TYPE_CDNSKEY || type == DNS_TYPE_DNSKEY;
    if (!is_known || rdata.length <= at) {
        return;
    }
    uint8_t algorithm = rdata.bytes[at];
    algorithms->count++;
    algorithms->deletes += type != DNS_TYPE_DNSKEY && algorithm == ALGORITHM_DELETE;
    algorithms->bits[algorithm / 64] |= UINT64_C(1) << algorithm % 64;
}

bool cds_is_fit(const struct cds_algorithms *set, const struct cds_algorithms *keys)
{
    if (set->deletes > 0) {
        return set->count == 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(set->bits); i++) {
        if ((set->bits[i] & ~keys->bits[i]) != 0) {
            return false;
        }
    }
    return true;
}
