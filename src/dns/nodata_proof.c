#include "dns/nodata_proof.h"

#include "base/encoding.h"
#include "dns/nsec3_hash.h"
#include "dns/nsec_bitmap.h"
#include "dns/rrtype.h"

enum { ENCLOSERS_MAX = 32, NSEC3_FIXED_BYTES = 5, OPT_OUT = 1 };

/* A delegation whose DS there would be, and is not (RFC 4035 5.2). */
static const char *check_bitmap(struct span bitmap)
{
    if (nsec_bitmap_has(bitmap, DNS_TYPE_DS) || nsec_bitmap_has(bitmap, DNS_TYPE_CNAME)) {
        return "its NSEC or NSEC3 tells of other types";
    }
    if (!nsec_bitmap_has(bitmap, DNS_TYPE_NS) || nsec_bitmap_has(bitmap, DNS_TYPE_SOA)) {
        return "its NSEC or NSEC3 is not that of a delegation";
    }
    return NULL;
}

/* --- NSEC ----------------------------------------------------------------------------------- */

/* NULL with `*out_tried` false: there is none. */
static const char *check_nsec(const struct dns_message *message, const struct dns_name *name,
                              const struct signed_rrset *keys, dnskey_choice choice, sg_time now,
                              bool *out_tried)
{
    struct signed_rrset nsec;
    uint32_t ttl;
    *out_tried = true;
    if (signed_rrset_read(message, SIGNED_AUTHORITY, name, DNS_TYPE_NSEC, &nsec) != SG_OK) {
        return "its NSEC is broken";
    }
    *out_tried = nsec.count > 0;
    if (nsec.count != 1) {
        return nsec.count == 0 ? NULL : "it has several NSEC";
    }
    const char *problem = signed_rrset_verify(&nsec, keys, choice, now, &ttl);
    struct span rdata = nsec.records[0].rdata;
    size_t next = dns_name_wire_check(rdata);
    return problem != NULL ? problem
                           : check_bitmap((struct span){rdata.bytes + next, rdata.length - next});
}

/* --- NSEC3 ---------------------------------------------------------------------------------- */

struct nsec3 {
    struct dns_name owner;
    uint8_t hash[NSEC3_HASH_BYTES], next[NSEC3_HASH_BYTES];
    bool opt_out;
    struct span bitmap;
};

struct nsec3s {
    struct nsec3_params params; /* of all of them */
    struct nsec3_hasher *hasher;
    size_t count;
    struct nsec3 records[NODATA_PROOF_RECORDS_MAX];
};

static bool read_owner_hash(const struct dns_name *owner, uint8_t *out_hash)
{
    struct buffer bytes = BUFFER_EMPTY;
    struct span label = {owner->wire + 1, owner->wire[0]};
    bool is_good = base32hex_decode(label, &bytes) == SG_OK && bytes.length == NSEC3_HASH_BYTES;
    if (is_good) {
        memcpy(out_hash, bytes.bytes, NSEC3_HASH_BYTES);
    }
    buffer_free(&bytes);
    return is_good;
}

/* What is of no use is left out. */
static void take_nsec3(struct nsec3s *nsec3s, const struct dns_record *record, struct span rdata,
                       const struct dns_name *apex)
{
    struct nsec3 *nsec3 = &nsec3s->records[nsec3s->count];
    struct nsec3_params params = {0};
    if (nsec3s->count == NODATA_PROOF_RECORDS_MAX || record->owner.labels != apex->labels + 1u ||
        !dns_name_is_at_or_below(&record->owner, apex) ||
        nsec3_params_from_rdata(rdata, &params) != SG_OK) {
        return;
    }
    struct reader reader = reader_of(rdata);
    (void)reader_span(&reader, (size_t)NSEC3_FIXED_BYTES + params.salt_length);
    uint8_t next_length = reader_u8(&reader);
    struct span next = reader_span(&reader, next_length);
    if (reader.failed || next_length != NSEC3_HASH_BYTES ||
        !read_owner_hash(&record->owner, nsec3->hash)) {
        return;
    }
    if (params.flags > OPT_OUT) {
        return; /* RFC 5155 8.2 */
    }
    nsec3->opt_out = params.flags == OPT_OUT;
    params.flags = 0;
    if (nsec3s->count > 0 && memcmp(&params, &nsec3s->params, sizeof(params)) != 0) {
        return; /* of another chain */
    }
    nsec3s->params = params;
    nsec3->owner = record->owner;
    memcpy(nsec3->next, next.bytes, NSEC3_HASH_BYTES);
    nsec3->bitmap = reader_span(&reader, reader_left(&reader));
    nsec3s->count++;
}

static void read_nsec3s(const struct dns_message *message, const struct dns_name *apex,
                        struct nsec3s *out_nsec3s)
{
    size_t offset = message->section_offsets[SIGNED_AUTHORITY];
    for (unsigned left = message->counts[1 + SIGNED_AUTHORITY]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return;
        }
        offset = record.after;
        if (record.type == DNS_TYPE_NSEC3 && record.rrclass == message->qclass) {
            struct span rdata = {message->wire.bytes + record.rdata_offset, record.rdata_length};
            take_nsec3(out_nsec3s, &record, rdata, apex);
        }
    }
}

static const struct nsec3 *find_match(const struct nsec3s *nsec3s, const struct dns_name *name)
{
    uint8_t hash[NSEC3_HASH_BYTES];
    nsec3_hash(nsec3s->hasher, &nsec3s->params, name->wire, name->length, hash);
    for (size_t i = 0; i < nsec3s->count; i++) {
        if (memcmp(nsec3s->records[i].hash, hash, sizeof(hash)) == 0) {
            return &nsec3s->records[i];
        }
    }
    return NULL;
}

/* Between its own hash and the next, which for the last of the chain is the first. */
static const struct nsec3 *find_cover(const struct nsec3s *nsec3s, const struct dns_name *name)
{
    uint8_t hash[NSEC3_HASH_BYTES];
    nsec3_hash(nsec3s->hasher, &nsec3s->params, name->wire, name->length, hash);
    for (size_t i = 0; i < nsec3s->count; i++) {
        const struct nsec3 *nsec3 = &nsec3s->records[i];
        bool is_behind = memcmp(nsec3->hash, hash, sizeof(hash)) < 0;
        bool is_before = memcmp(hash, nsec3->next, sizeof(hash)) < 0;
        bool is_last = memcmp(nsec3->hash, nsec3->next, sizeof(hash)) >= 0;
        if (is_last ? is_behind || is_before : is_behind && is_before) {
            return nsec3;
        }
    }
    return NULL;
}

/* What a proof by NSEC3 is checked against. */
struct judge {
    const struct dns_message *message;
    const struct signed_rrset *keys;
    dnskey_choice choice;
    sg_time now;
};

static const char *verify(const struct judge *judge, const struct nsec3 *nsec3)
{
    struct signed_rrset rrset;
    uint32_t ttl;
    if (signed_rrset_read(judge->message, SIGNED_AUTHORITY, &nsec3->owner, DNS_TYPE_NSEC3,
                          &rrset) != SG_OK ||
        rrset.count != 1) {
        return "its NSEC3 is broken";
    }
    return signed_rrset_verify(&rrset, judge->keys, judge->choice, judge->now, &ttl);
}

/* RFC 5155 8.6: a delegation without DS in the span of an NSEC3 that leaves such ones out. */
static const char *check_opt_out(const struct judge *judge, const struct nsec3s *nsec3s,
                                 const struct dns_name *name)
{
    unsigned above = name->labels - judge->keys->owner.labels;
    for (unsigned i = 1; i <= above && i <= ENCLOSERS_MAX; i++) {
        const struct dns_name encloser = dns_name_parent(name, i);
        const struct dns_name next_closer = dns_name_parent(name, i - 1);
        const struct nsec3 *match = find_match(nsec3s, &encloser);
        const struct nsec3 *cover = match == NULL ? NULL : find_cover(nsec3s, &next_closer);
        if (match == NULL) {
            continue;
        }
        if (cover == NULL || !cover->opt_out) {
            return "no NSEC3 says that its DS is absent";
        }
        /* RFC 5155 8.3: what is below an alias or another delegation is none of this zone's. */
        if (nsec_bitmap_has(match->bitmap, DNS_TYPE_DNAME) ||
            (nsec_bitmap_has(match->bitmap, DNS_TYPE_NS) &&
             !nsec_bitmap_has(match->bitmap, DNS_TYPE_SOA))) {
            return "its NSEC3 are those of another zone";
        }
        const char *problem = verify(judge, match);
        return problem != NULL ? problem : verify(judge, cover);
    }
    return "no NSEC3 says that its DS is absent";
}

static const char *check_nsec3(const struct judge *judge, const struct nsec3s *nsec3s,
                               const struct dns_name *name)
{
    const struct nsec3 *match = find_match(nsec3s, name);
    if (match == NULL) {
        return check_opt_out(judge, nsec3s, name);
    }
    const char *problem = verify(judge, match);
    return problem != NULL ? problem : check_bitmap(match->bitmap);
}

const char *nodata_proof_check(const struct dns_message *message, const struct dns_name *name,
                               const struct signed_rrset *keys, dnskey_choice choice, sg_time now)
{
    const struct judge judge = {message, keys, choice, now};
    struct nsec3s nsec3s = {.count = 0};
    bool tried;
    const char *problem = check_nsec(message, name, keys, choice, now, &tried);
    if (tried) {
        return problem;
    }
    read_nsec3s(message, &keys->owner, &nsec3s);
    if (nsec3s.count == 0) {
        return "no NSEC or NSEC3 says that its DS is absent";
    }
    if (nsec3s.params.iterations > NODATA_PROOF_ITERATIONS_MAX) {
        return "its NSEC3 have more than 150 iterations";
    }
    nsec3s.hasher = nsec3_hasher_new();
    problem = check_nsec3(&judge, &nsec3s, name);
    nsec3_hasher_free(nsec3s.hasher);
    return problem;
}
