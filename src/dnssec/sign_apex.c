#include "dnssec/sign_apex.h"

#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dnssec/nsec.h"
#include "zone/cds_fit.h"

enum {
    SOA_NUMBERS_BYTES = 20, /* serial, refresh, retry, expire, minimum: behind two names */
    SOA_MINIMUM_BYTES = 4,
    APEX_ADDED = 2, /* SOA, NSEC3PARAM */
};

static void append_rdata(struct buffer *bytes, struct span rdata)
{
    buffer_append_u16(bytes, (uint16_t)rdata.length);
    buffer_append(bytes, rdata.bytes, rdata.length);
}

/* Both sorted; what both have comes once. */
static enum sg_result merge(struct dns_rrset ours, const struct dns_rrset *foreign,
                            struct buffer *bytes, struct dns_rrset *out_rrset)
{
    struct dns_rdata_cursor left = dns_rrset_walk(&ours);
    struct dns_rdata_cursor right = dns_rrset_walk(foreign);
    bool has_left = dns_rdata_next(&left);
    bool has_right = dns_rdata_next(&right);
    size_t begin = bytes->length;
    size_t count = 0;
    while (has_left || has_right) {
        int order = !has_right  ? -1
                    : !has_left ? 1
                                : dns_rdata_compare(ours.type, left.rdata, right.rdata);
        append_rdata(bytes, order <= 0 ? left.rdata : right.rdata);
        count++;
        if (order <= 0) {
            has_left = dns_rdata_next(&left);
        }
        if (order >= 0) {
            has_right = dns_rdata_next(&right);
        }
    }
    if (count > UINT16_MAX) {
        return SG_LIMIT;
    }
    *out_rrset = ours;
    out_rrset->bytes = (uint32_t)(bytes->length - begin);
    out_rrset->count = (uint16_t)count;
    return SG_OK;
}

/* RFC 8078 4: it must be alone, or a parent takes none of them. */
static bool is_delete(const struct dns_rrset *ours)
{
    struct cds_algorithms algorithms = CDS_ALGORITHMS_NONE;
    for (struct dns_rdata_cursor c = dns_rrset_walk(ours); dns_rdata_next(&c);) {
        cds_note(&algorithms, ours->type, c.rdata);
    }
    return algorithms.deletes > 0;
}

static enum sg_result make_soa(const struct sign_apex *apex, struct buffer *bytes,
                               struct dns_rrset *out_soa, uint32_t *out_negative_ttl)
{
    struct dns_rrset soa;
    if (!zone_node_rrset(apex->node, ZONE_VIEW_UNSIGNED, DNS_TYPE_SOA, &soa) || soa.count != 1) {
        return SG_MALFORMED;
    }
    struct span rdata = dns_rrset_first(&soa);
    ASSERT(rdata.length > SOA_NUMBERS_BYTES); /* rdata of a zone is checked when it enters */
    append_rdata(bytes, rdata);
    wire_put_u32(bytes->bytes + bytes->length - SOA_NUMBERS_BYTES, apex->serial);
    *out_soa = soa;
    uint32_t minimum = wire_get_u32(rdata.bytes + rdata.length - SOA_MINIMUM_BYTES);
    *out_negative_ttl = minimum < soa.ttl ? minimum : soa.ttl; /* RFC 9077 3 */
    return SG_OK;
}

enum sg_result sign_apex_make(const struct sign_apex *apex, struct buffer *out_bytes,
                              struct dns_rrset **out_rrsets, size_t *out_count,
                              uint32_t *out_negative_ttl)
{
    struct buffer bytes = BUFFER_EMPTY;
    struct dns_rrset *rrsets = mem_alloc_zero(apex->ours_count + APEX_ADDED, sizeof(*rrsets));
    size_t *ats = mem_alloc_zero(apex->ours_count + APEX_ADDED, sizeof(*ats));
    size_t count = 1;
    uint32_t negative_ttl;

    enum sg_result result = make_soa(apex, &bytes, &rrsets[0], &negative_ttl);
    for (size_t i = 0; i < apex->ours_count && result == SG_OK; i++) {
        struct dns_rrset foreign = {.count = 0};
        if (apex->ours[i].count == 0) {
            continue;
        }
        if (!is_delete(&apex->ours[i])) {
            (void)zone_node_rrset(apex->node, ZONE_VIEW_UNSIGNED, apex->ours[i].type, &foreign);
        }
        ats[count] = bytes.length;
        result = merge(apex->ours[i], &foreign, &bytes, &rrsets[count]);
        count++;
    }
    if (result != SG_OK) {
        buffer_free(&bytes);
        mem_free(rrsets);
        goto out;
    }
    if (apex->nsec3 != NULL) {
        ats[count] = bytes.length;
        struct buffer rdata = BUFFER_EMPTY;
        nsec3param_rdata_write(apex->nsec3, &rdata);
        append_rdata(&bytes, buffer_span(&rdata));
        buffer_free(&rdata);
        rrsets[count] = (struct dns_rrset){.bytes = (uint32_t)(bytes.length - ats[count]),
                                           .type = DNS_TYPE_NSEC3PARAM,
                                           .count = 1};
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        rrsets[i].packed = bytes.bytes + ats[i];
    }
    *out_bytes = bytes;
    *out_rrsets = rrsets;
    *out_count = count;
    *out_negative_ttl = negative_ttl;

out:
    mem_free(ats);
    return result;
}
