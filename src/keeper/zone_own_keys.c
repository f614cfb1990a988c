/*
 * A source may bring records of keys whose files are here: the file of a zone that named signed in
 * place, our own dump of one, a primary that is signed with the same keys. Taken for somebody
 * else's they would stay when their key has left, and its CDS beside that of its successor.
 */
#include "base/buffer.h"
#include "base/log.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "keeper/zone_steps.h"

enum { CDS_HEAD_BYTES = 4, CDNSKEY_HEAD_BYTES = 4, FLAGS_BYTES = 2 };
enum { ALGORITHM_DELETE = 0 }; /* RFC 8078 4 */

/* tag, algorithm, digest type, digest (RFC 7344 3.1) */
static bool is_cds_of(const struct signing_key *key, struct span cds)
{
    struct buffer ours = BUFFER_EMPTY;
    bool same = wire_get_u16(cds.bytes) == key->tag && cds.bytes[2] == key->algorithm;
    if (same && signing_key_ds(key, cds.bytes[3], &ours) == SG_OK) {
        same = ours.length == cds.length && memcmp(ours.bytes, cds.bytes, cds.length) == 0;
    }
    buffer_free(&ours);
    return same;
}

/* Whatever the flags: of one key there is one DNSKEY. */
static bool is_of(const struct signing_key *key, uint16_t type, struct span rdata)
{
    return type == DNS_TYPE_CDS
               ? is_cds_of(key, rdata)
               : rdata.length == key->dnskey.length &&
                     memcmp(rdata.bytes + FLAGS_BYTES, key->dnskey.bytes + FLAGS_BYTES,
                            rdata.length - FLAGS_BYTES) == 0;
}

/* DELETE is said by the policy alone: beside a CDS of ours it would be wrong. */
static bool is_ours(const struct key_list *keys, uint16_t type, struct span rdata)
{
    if (type == DNS_TYPE_CDS && rdata.length < CDS_HEAD_BYTES) {
        return false;
    }
    if (type != DNS_TYPE_DNSKEY && rdata.length >= CDNSKEY_HEAD_BYTES &&
        rdata.bytes[type == DNS_TYPE_CDS ? 2 : 3] == ALGORITHM_DELETE) {
        return true;
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (is_of(keys->keys[i], type, rdata)) {
            return true;
        }
    }
    return false;
}

/* How many RRs leave. */
static enum sg_result drop(struct zone_edit *edit, const struct key_list *keys, uint16_t type,
                           const struct dns_name *apex, unsigned *dropped)
{
    struct zone_node node;
    struct dns_rrset rrset;
    if (!zone_version_node(zone_edit_draft(edit), apex, &node) ||
        !zone_node_rrset(&node, ZONE_VIEW_UNSIGNED, type, &rrset)) {
        return SG_OK;
    }
    struct buffer left = BUFFER_EMPTY;
    unsigned count = 0;
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        if (!is_ours(keys, type, c.rdata)) {
            buffer_append_u16(&left, (uint16_t)c.rdata.length);
            buffer_append(&left, c.rdata.bytes, c.rdata.length);
            count++;
        }
    }
    enum sg_result result = SG_OK;
    if (count < rrset.count) {
        *dropped += rrset.count - count;
        rrset.packed = left.bytes;
        rrset.bytes = (uint32_t)left.length;
        rrset.count = (uint16_t)count;
        result = zone_edit_put_rrset(edit, apex, ZONE_SOURCE, &rrset);
    }
    buffer_free(&left);
    return result;
}

bool zone_is_own_key_record(const struct zone_job *job, uint16_t type, struct span rdata)
{
    return is_ours(&job->lent.keys->list, type, rdata);
}

enum sg_result zone_drop_own_keys(struct zone_job *job, struct zone_edit *edit)
{
    static const uint16_t types[] = {DNS_TYPE_DNSKEY, DNS_TYPE_CDS, DNS_TYPE_CDNSKEY};
    unsigned dropped = 0;
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < ARRAY_LEN(types) && result == SG_OK; i++) {
        result = drop(edit, &job->lent.keys->list, types[i], &job->settings->apex, &dropped);
    }
    if (result != SG_OK) {
        job->problem =
            mem_format("its own keys cannot be taken out of what came: %s", sg_result_text(result));
    } else if (dropped > 0) {
        char label[ZONE_LABEL_BYTES];
        log_write(LOG_ZONE, SEVERITY_NOTICE,
                  "zone %s: %u DNSKEY, CDS and CDNSKEY records of its own keys, or that ask for no "
                  "DS, are left out of its source: the policy says when they are published",
                  zone_label(job->settings, label), dropped);
    }
    return result;
}
