#include "dnssec/rrsig.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dns/rdata.h"

enum {
    RRSIG_ALGORITHM_AT = 2,
    RRSIG_EXPIRATION_AT = 8,
    RRSIG_INCEPTION_AT = 12,
    RRSIG_TAG_AT = 16,
    RRSIG_FIXED_BYTES = 18,
};

static sg_time time_of(uint32_t seconds, sg_time now)
{
    return now + (int32_t)(seconds - (uint32_t)now);
}

bool rrsig_is_by(struct span rdata, const struct signing_key *key)
{
    return rdata.length > RRSIG_FIXED_BYTES && rdata.bytes[RRSIG_ALGORITHM_AT] == key->algorithm &&
           wire_get_u16(rdata.bytes + RRSIG_TAG_AT) == key->tag;
}

sg_time rrsig_inception(struct span rdata, sg_time now)
{
    return time_of(wire_get_u32(rdata.bytes + RRSIG_INCEPTION_AT), now);
}

sg_time rrsig_expiration(struct span rdata, sg_time now)
{
    return rdata.length > RRSIG_FIXED_BYTES
               ? time_of(wire_get_u32(rdata.bytes + RRSIG_EXPIRATION_AT), now)
               : INT64_MAX;
}

static int compare_rrsigs(const void *a, const void *b)
{
    const struct span *left = a;
    const struct span *right = b;
    return dns_rdata_compare(DNS_TYPE_RRSIG, *left, *right);
}

void rrsig_sort(uint8_t *packed, size_t bytes, uint16_t count)
{
    uint8_t *unsorted = mem_copy(packed, bytes);
    struct span *rdatas = mem_alloc_zero(count, sizeof(*rdatas));
    const struct dns_rrset rrset = {.packed = unsorted, .count = count};
    struct dns_rdata_cursor cursor = dns_rrset_walk(&rrset);
    for (uint16_t i = 0; dns_rdata_next(&cursor); i++) {
        rdatas[i] = cursor.rdata;
    }
    qsort(rdatas, count, sizeof(*rdatas), compare_rrsigs);
    for (uint16_t i = 0; i < count; i++) {
        size_t length = rdatas[i].length + 2; /* with the length in front */
        memcpy(packed, rdatas[i].bytes - 2, length);
        packed += length;
    }
    mem_free(rdatas);
    mem_free(unsorted);
}

/* The expirations in a node of either tree, one by one. */
struct expirations {
    struct zone_rrset_walk walk;
    struct dns_rdata_cursor rdatas;
    sg_time now;
};

static struct expirations expirations_of(const struct zone_node *node, bool nsec3, sg_time now)
{
    return (struct expirations){
        .walk = zone_node_walk_layer(node, nsec3 ? ZONE_SOURCE : ZONE_GENERATED),
        .now = now,
    };
}

static bool next_set(struct expirations *all)
{
    while (zone_node_walk_next(&all->walk)) {
        if (all->walk.rrset.type == DNS_TYPE_RRSIG) {
            all->rdatas = dns_rrset_walk(&all->walk.rrset);
            return true;
        }
    }
    return false;
}

/* What has not begun is worth no more than what has ended. */
static sg_time good_until(struct span rdata, sg_time now)
{
    sg_time expiration = rrsig_expiration(rdata, now);
    bool is_early = expiration != INT64_MAX && rrsig_inception(rdata, now) > now;
    return is_early && expiration > now ? now : expiration;
}

static bool next_expiration(struct expirations *all, sg_time *out_expiration)
{
    while (!dns_rdata_next(&all->rdatas)) {
        if (!next_set(all)) {
            return false;
        }
    }
    *out_expiration = good_until(all->rdatas.rdata, all->now);
    return true;
}

sg_time rrsig_first_expiring(const struct zone_node *node, bool nsec3, sg_time now,
                             uint16_t *out_type)
{
    struct expirations all = expirations_of(node, nsec3, now);
    sg_time first = INT64_MAX, there;
    while (next_expiration(&all, &there)) {
        if (there < first) {
            first = there;
            *out_type = wire_get_u16(all.rdatas.rdata.bytes); /* "type covered" is its first */
        }
    }
    return first;
}

sg_time rrsig_first_expiration(const struct zone_node *node, bool nsec3, sg_time now)
{
    uint16_t type;
    return rrsig_first_expiring(node, nsec3, now, &type);
}

uint64_t rrsig_count_before(const struct zone_node *node, bool nsec3, sg_time now, sg_time before)
{
    struct expirations all = expirations_of(node, nsec3, now);
    uint64_t count = 0;
    sg_time there;
    while (next_expiration(&all, &there)) {
        count += there < before;
    }
    return count;
}
