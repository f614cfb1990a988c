#include "dns/trust_chain.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "dns/nodata_proof.h"
#include "dns/reply.h"
#include "dns/rrtype.h"

enum { DS_FIXED_BYTES = 4, DIGEST_SHA256 = 2, DIGEST_SHA384 = 4 };

struct link {
    struct dns_name zone;
    struct buffer ds, dnskey; /* messages; empty: not there */
};

enum stage { STAGE_ASKING, STAGE_COLLECTED, STAGE_PROVEN, STAGE_FAILED };

struct trust_chain {
    enum stage stage;
    struct trust_anchor *anchors; /* copies, with their rdata */
    size_t anchors_count;
    struct link links[TRUST_CHAIN_ZONES_MAX + 1]; /* the zone itself, and upwards */
    size_t links_count;
    bool wants_keys; /* of the last link; else its DS */
    uint32_t ttl;
    char *problem;
};

bool trust_anchors_reach(const struct trust_anchors *anchors, const struct dns_name *zone)
{
    for (size_t i = 0; i < anchors->count; i++) {
        const struct dns_name *anchored = &anchors->anchors[i].zone;
        if (anchored->labels < zone->labels && dns_name_is_at_or_below(zone, anchored)) {
            return true;
        }
    }
    return false;
}

/* --- beginning and end ---------------------------------------------------------------------- */

static struct trust_anchor copy_anchor(const struct trust_anchor *anchor)
{
    struct trust_anchor copy = *anchor;
    uint8_t *rdata = mem_alloc(anchor->rdata.length);
    memcpy(rdata, anchor->rdata.bytes, anchor->rdata.length);
    copy.rdata.bytes = rdata;
    return copy;
}

struct trust_chain *trust_chain_new(const struct dns_name *zone,
                                    const struct trust_anchors *anchors)
{
    struct trust_chain *chain = mem_alloc_zero(1, sizeof(*chain));
    chain->anchors = mem_alloc_zero(anchors->count, sizeof(*chain->anchors));
    for (size_t i = 0; i < anchors->count; i++) {
        if (dns_name_is_at_or_below(zone, &anchors->anchors[i].zone)) {
            chain->anchors[chain->anchors_count++] = copy_anchor(&anchors->anchors[i]);
        }
    }
    chain->links[0].zone = *zone;
    dns_name_lower(&chain->links[0].zone);
    chain->links_count = 1;
    return chain;
}

void trust_chain_free(struct trust_chain *chain)
{
    if (chain == NULL) {
        return;
    }
    for (size_t i = 0; i < chain->anchors_count; i++) {
        mem_free((void *)(uintptr_t)chain->anchors[i].rdata.bytes);
    }
    for (size_t i = 0; i < chain->links_count; i++) {
        buffer_free(&chain->links[i].ds);
        buffer_free(&chain->links[i].dnskey);
    }
    mem_free(chain->anchors);
    mem_free(chain->problem);
    mem_free(chain);
}

static void fail(struct trust_chain *chain, const char *what, const struct dns_name *zone,
                 const char *why)
{
    char name[DNS_NAME_TEXT_BYTES];
    if (chain->stage != STAGE_FAILED) {
        chain->problem = mem_format("%s of %s: %s", what, dns_name_to_text(zone, name), why);
        chain->stage = STAGE_FAILED;
    }
}

/* --- collecting ----------------------------------------------------------------------------- */

static struct link *last_link(struct trust_chain *chain)
{
    return &chain->links[chain->links_count - 1];
}

static bool is_anchored(const struct trust_chain *chain, const struct dns_name *zone)
{
    for (size_t i = 0; i < chain->anchors_count; i++) {
        if (dns_name_equal(&chain->anchors[i].zone, zone)) {
            return true;
        }
    }
    return false;
}

/* Could an anchor be reached from there? */
static bool is_below_an_anchor(const struct trust_chain *chain, const struct dns_name *zone)
{
    for (size_t i = 0; i < chain->anchors_count; i++) {
        if (dns_name_is_at_or_below(zone, &chain->anchors[i].zone)) {
            return true;
        }
    }
    return false;
}

bool trust_chain_next(const struct trust_chain *chain, const struct dns_name **out_name,
                      uint16_t *out_type)
{
    if (chain->stage != STAGE_ASKING) {
        return false;
    }
    *out_name = &chain->links[chain->links_count - 1].zone;
    *out_type = chain->wants_keys ? DNS_TYPE_DNSKEY : DNS_TYPE_DS;
    return true;
}

/* Who has signed what says that there is no DS: the signer of the first signature of an NSEC or
 * NSEC3. */
static bool find_denier(const struct dns_message *message, struct dns_name *out_signer)
{
    size_t offset = message->section_offsets[SIGNED_AUTHORITY];
    for (unsigned left = message->counts[1 + SIGNED_AUTHORITY]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return false;
        }
        offset = record.after;
        struct span rdata = {message->wire.bytes + record.rdata_offset, record.rdata_length};
        if (record.type == DNS_TYPE_RRSIG && record.rrclass == message->qclass &&
            signature_signer(rdata, DNS_TYPE_NSEC, DNS_TYPE_NSEC3, out_signer)) {
            return true;
        }
    }
    return false;
}

static void take_signer(struct trust_chain *chain, const struct dns_name *signer)
{
    const struct dns_name *zone = &last_link(chain)->zone;
    if (signer->labels >= zone->labels || !dns_name_is_at_or_below(zone, signer)) {
        fail(chain, "the DS", zone, "what is no zone above it has signed it");
    } else if (!is_below_an_anchor(chain, signer)) {
        fail(chain, "the DS", zone, "no trust anchor is at or above the zone that has signed it");
    } else if (chain->links_count == TRUST_CHAIN_ZONES_MAX + 1) {
        fail(chain, "the DS", zone, "more than 16 zones are above it");
    } else {
        chain->links[chain->links_count++].zone = *signer;
        chain->wants_keys = true;
    }
}

static void take_ds(struct trust_chain *chain, const struct dns_message *message)
{
    const struct link *link = last_link(chain);
    struct signed_rrset ds;
    struct dns_name signer;
    if (signed_rrset_read(message, SIGNED_ANSWER, &link->zone, DNS_TYPE_DS, &ds) != SG_OK) {
        fail(chain, "the DS", &link->zone, "the answer is broken");
    } else if (ds.count == 0 && chain->links_count > 1) {
        fail(chain, "the DS", &link->zone, "there is none, so that nothing below can be proven");
    } else if (ds.count > 0 ? signed_rrset_signer(&ds, &signer) : find_denier(message, &signer)) {
        take_signer(chain, &signer);
    } else {
        fail(chain, "the DS", &link->zone, "the answer is not signed");
    }
}

static void take_keys(struct trust_chain *chain)
{
    if (is_anchored(chain, &last_link(chain)->zone)) {
        chain->stage = STAGE_COLLECTED;
    } else {
        chain->wants_keys = false;
    }
}

void trust_chain_heard(struct trust_chain *chain, enum sg_result result,
                       const struct dns_message *message)
{
    ASSERT(chain->stage == STAGE_ASKING);
    struct link *link = last_link(chain);
    const char *what = chain->wants_keys ? "the DNSKEY" : "the DS";
    uint16_t type = chain->wants_keys ? DNS_TYPE_DNSKEY : DNS_TYPE_DS;
    if (result != SG_OK) {
        fail(chain, what, &link->zone,
             result == SG_NOT_FOUND ? "there is nobody to ask for it" : sg_result_text(result));
        return;
    }
    if (!message->has_question || message->qtype != type ||
        !dns_name_equal(&message->qname, &link->zone) ||
        dns_reply_rcode(message) != DNS_RCODE_NOERROR || (message->flags & DNS_FLAG_TC) != 0) {
        fail(chain, what, &link->zone, "nobody answers that");
        return;
    }
    struct buffer *kept = chain->wants_keys ? &link->dnskey : &link->ds;
    buffer_append(kept, message->wire.bytes, message->wire.length);
    if (chain->wants_keys) {
        take_keys(chain);
    } else {
        take_ds(chain, message);
    }
}

/* --- judging -------------------------------------------------------------------------------- */

static void parse(const struct buffer *kept, struct dns_message *out_message)
{
    enum sg_result result = dns_message_parse(buffer_span(kept), out_message);
    ASSERT(result == SG_OK); /* as it was when it came */
}

/* RFC 4034 5.1.4. SHA-1 proves nothing any more. */
static bool fits_ds(const struct dns_name *zone, struct span dnskey, struct span ds)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    const EVP_MD *type = ds.bytes[3] == DIGEST_SHA256   ? EVP_sha256()
                         : ds.bytes[3] == DIGEST_SHA384 ? EVP_sha384()
                                                        : NULL;
    if (type == NULL || ds.bytes[2] != dnskey.bytes[3]) {
        return false;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool made = context != NULL && EVP_DigestInit_ex(context, type, NULL) == 1 &&
                EVP_DigestUpdate(context, zone->wire, zone->length) == 1 &&
                EVP_DigestUpdate(context, dnskey.bytes, dnskey.length) == 1 &&
                EVP_DigestFinal_ex(context, digest, &length) == 1;
    EVP_MD_CTX_free(context);
    return made && ds.length == DS_FIXED_BYTES + length &&
           memcmp(ds.bytes + DS_FIXED_BYTES, digest, length) == 0;
}

static bool fits_anchor(const struct trust_anchor *anchor, const struct dns_name *zone,
                        struct span dnskey)
{
    if (!dns_name_equal(&anchor->zone, zone)) {
        return false;
    }
    if (anchor->type == DNS_TYPE_DS) {
        return fits_ds(zone, dnskey, anchor->rdata);
    }
    return anchor->rdata.length == dnskey.length &&
           memcmp(anchor->rdata.bytes, dnskey.bytes, dnskey.length) == 0;
}

/* Which of the keys does an anchor name, or, of a zone without any, its DS RRset? */
static dnskey_choice choose(const struct trust_chain *chain, const struct signed_rrset *keys,
                            const struct signed_rrset *ds)
{
    dnskey_choice choice = 0;
    for (size_t i = 0; i < keys->count; i++) {
        bool fits = false;
        for (size_t j = 0; j < chain->anchors_count && ds == NULL; j++) {
            fits |= fits_anchor(&chain->anchors[j], &keys->owner, keys->records[i].rdata);
        }
        for (size_t j = 0; j < (ds == NULL ? 0 : ds->count); j++) {
            fits |= fits_ds(&keys->owner, keys->records[i].rdata, ds->records[j].rdata);
        }
        choice |= fits ? (dnskey_choice)1 << i : 0;
    }
    return choice & signed_rrset_zone_keys(keys);
}

/* The keys of a zone, proven by its DS or, where that is NULL, by the anchors. */
static bool judge_keys(struct trust_chain *chain, const struct link *link,
                       const struct signed_rrset *ds, sg_time now, struct signed_rrset *out_keys)
{
    struct dns_message message;
    uint32_t ttl;
    parse(&link->dnskey, &message);
    if (signed_rrset_read(&message, SIGNED_ANSWER, &link->zone, DNS_TYPE_DNSKEY, out_keys) !=
        SG_OK) {
        fail(chain, "the DNSKEY", &link->zone, "the answer is broken");
        return false;
    }
    dnskey_choice choice = choose(chain, out_keys, ds);
    if (choice == 0) {
        fail(chain, "the DNSKEY", &link->zone,
             ds == NULL ? "none is a trust anchor" : "none fits a DS");
        return false;
    }
    const char *problem = signed_rrset_verify(out_keys, out_keys, choice, now, &ttl);
    if (problem != NULL) {
        fail(chain, "the DNSKEY", &link->zone, problem);
    }
    return problem == NULL;
}

/* The DS of a zone, by the keys of the zone above; of the zone that it is all about: or that it has
 * none. */
static bool judge_ds(struct trust_chain *chain, const struct link *link, bool may_be_absent,
                     const struct signed_rrset *keys, sg_time now, struct signed_rrset *out_ds)
{
    struct dns_message message;
    const char *problem;
    dnskey_choice choice = signed_rrset_zone_keys(keys);
    parse(&link->ds, &message);
    if (signed_rrset_read(&message, SIGNED_ANSWER, &link->zone, DNS_TYPE_DS, out_ds) != SG_OK) {
        problem = "the answer is broken";
    } else if (out_ds->count == 0 && may_be_absent) {
        chain->ttl = 0;
        problem = nodata_proof_check(&message, &link->zone, keys, choice, now);
    } else {
        problem = signed_rrset_verify(out_ds, keys, choice, now, &chain->ttl);
    }
    if (problem != NULL) {
        fail(chain, "the DS", &link->zone, problem);
    }
    return problem == NULL;
}

void trust_chain_judge(struct trust_chain *chain, sg_time now)
{
    struct {
        struct signed_rrset keys, ds;
    } *rrsets = mem_alloc_zero(1, sizeof(*rrsets));
    bool is_good = chain->stage == STAGE_COLLECTED;
    ASSERT(chain->stage != STAGE_ASKING);
    for (size_t i = chain->links_count - 1; is_good && i > 0; i--) {
        const struct link *link = &chain->links[i];
        const struct signed_rrset *ds = i == chain->links_count - 1 ? NULL : &rrsets->ds;
        is_good = judge_keys(chain, link, ds, now, &rrsets->keys) &&
                  judge_ds(chain, link - 1, i == 1, &rrsets->keys, now, &rrsets->ds);
    }
    if (is_good) {
        chain->stage = STAGE_PROVEN;
    }
    mem_free(rrsets);
}

bool trust_chain_is_proven(const struct trust_chain *chain)
{
    return chain->stage == STAGE_PROVEN;
}

const char *trust_chain_problem(const struct trust_chain *chain)
{
    return chain->problem;
}

uint32_t trust_chain_ttl(const struct trust_chain *chain)
{
    return chain->stage == STAGE_PROVEN ? chain->ttl : 0;
}

struct span trust_chain_answer(const struct trust_chain *chain)
{
    return buffer_span(&chain->links[0].ds);
}
