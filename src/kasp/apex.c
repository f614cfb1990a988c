#include "kasp/apex.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/rdata.h"
#include "kasp/progress.h"

enum { APEX_RDATAS_MAX = 256 };

/* Rdatas of one type, sorted in as they come. */
struct collection {
    uint16_t type;
    size_t count;
    struct buffer rdatas[APEX_RDATAS_MAX];
};

static void collect(struct collection *collection, struct span rdata)
{
    size_t at = 0;
    int order = 1;
    while (at < collection->count) {
        order = dns_rdata_compare(collection->type, rdata, buffer_span(&collection->rdatas[at]));
        if (order <= 0) {
            break;
        }
        at++;
    }
    if (order == 0 || collection->count == APEX_RDATAS_MAX) {
        return; /* keystore_list() is bounded far below */
    }
    memmove(&collection->rdatas[at + 1], &collection->rdatas[at],
            (collection->count - at) * sizeof(collection->rdatas[0]));
    collection->rdatas[at] = BUFFER_EMPTY;
    buffer_append(&collection->rdatas[at], rdata.bytes, rdata.length);
    collection->count++;
}

static void finish(struct collection *collection, uint32_t ttl, struct kasp_apex *apex)
{
    struct buffer *packed = &apex->packed[apex->count];
    for (size_t i = 0; i < collection->count; i++) {
        buffer_append_u16(packed, (uint16_t)collection->rdatas[i].length);
        buffer_append(packed, collection->rdatas[i].bytes, collection->rdatas[i].length);
        buffer_free(&collection->rdatas[i]);
    }
    if (collection->count > 0) {
        apex->rrsets[apex->count] = (struct dns_rrset){
            .packed = packed->bytes,
            .bytes = (uint32_t)packed->length,
            .ttl = ttl,
            .type = collection->type,
            .count = (uint16_t)collection->count,
        };
        apex->count++;
    }
    mem_free(collection);
}

static struct collection *collection_new(uint16_t type)
{
    struct collection *collection = mem_alloc_zero(1, sizeof(*collection));
    collection->type = type;
    return collection;
}

static enum sg_result collect_ds(struct collection *collection, const struct signing_key *key,
                                 uint8_t digest)
{
    struct buffer rdata = BUFFER_EMPTY;
    enum sg_result result = signing_key_ds(key, digest, &rdata);
    if (result == SG_OK) {
        collect(collection, buffer_span(&rdata));
    }
    buffer_free(&rdata);
    return result;
}

static enum sg_result collect_cds(struct collection *collection, const struct key_list *keys,
                                  const struct kasp_policy *policy)
{
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < keys->count && result == SG_OK; i++) {
        if (!kasp_key_wants_ds(keys->keys[i])) {
            continue;
        }
        for (unsigned d = 0; d < policy->cds_digests_count && result == SG_OK; d++) {
            result = collect_ds(collection, keys->keys[i], policy->cds_digests[d]);
        }
    }
    return result;
}

static void collect_progress(struct collection *collection, const struct key_list *keys,
                             size_t index, uint64_t told)
{
    uint8_t rdata[KASP_PROGRESS_BYTES];
    if (collection->type != 0 && kasp_progress_rdata(keys, index, told, rdata)) {
        collect(collection, (struct span){rdata, sizeof(rdata)});
    }
}

struct span kasp_apex_delete(uint16_t type)
{
    static const uint8_t no_ds[] = {0, 0, 0, 0, 0};
    static const uint8_t no_dnskey[] = {0, 0, 3, 0, 0};
    return type == DNS_TYPE_CDS ? (struct span){no_ds, sizeof(no_ds)}
                                : (struct span){no_dnskey, sizeof(no_dnskey)};
}

enum sg_result kasp_apex_rrsets(const struct key_list *keys, const struct kasp_policy *policy,
                                const struct kasp_apex_wish *wish, struct kasp_apex *out_apex)
{
    struct kasp_apex apex = {.count = 0};
    struct collection *progress = collection_new(wish->private_type);
    struct collection *dnskey = collection_new(DNS_TYPE_DNSKEY);
    struct collection *cdnskey = collection_new(DNS_TYPE_CDNSKEY);
    struct collection *cds = collection_new(DNS_TYPE_CDS);

    for (size_t i = 0; i < keys->count; i++) {
        const struct signing_key *key = keys->keys[i];
        if (kasp_key_is_published(key)) {
            collect(dnskey, key->dnskey);
        }
        if (policy->cdnskey && kasp_key_wants_ds(key)) {
            collect(cdnskey, key->dnskey);
        }
        collect_progress(progress, keys, i, wish->progress_told);
    }
    enum sg_result result = collect_cds(cds, keys, policy);
    if (wish->deletes && cds->count + cdnskey->count == 0) { /* They must be alone (RFC 8078 4). */
        collect(cds, kasp_apex_delete(DNS_TYPE_CDS));
        collect(cdnskey, kasp_apex_delete(DNS_TYPE_CDNSKEY));
    }
    finish(dnskey, policy->dnskey_ttl, &apex);
    finish(cds, policy->dnskey_ttl, &apex);
    finish(cdnskey, policy->dnskey_ttl, &apex);
    finish(progress, 0, &apex);
    if (result != SG_OK) {
        kasp_apex_clear(&apex);
        return result;
    }
    *out_apex = apex;
    return SG_OK;
}

void kasp_apex_replace(struct kasp_apex *apex, uint16_t type, uint32_t ttl,
                       const struct span *rdatas, size_t count)
{
    struct collection *collection = collection_new(type);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        collect(collection, rdatas[i]);
    }
    for (size_t i = 0; i < apex->count; i++) {
        if (apex->rrsets[i].type == type) {
            buffer_free(&apex->packed[i]);
            continue;
        }
        apex->rrsets[kept] = apex->rrsets[i];
        apex->packed[kept++] = apex->packed[i];
    }
    for (size_t i = kept; i < KASP_APEX_RRSETS_MAX; i++) {
        apex->packed[i] = BUFFER_EMPTY;
    }
    apex->count = kept;
    finish(collection, ttl, apex);
}

void kasp_apex_clear(struct kasp_apex *apex)
{
    for (size_t i = 0; i < KASP_APEX_RRSETS_MAX; i++) {
        buffer_free(&apex->packed[i]);
    }
    apex->count = 0;
}
