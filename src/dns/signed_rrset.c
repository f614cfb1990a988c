#include "dns/signed_rrset.h"

#include <ldns/ldns.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"

enum {
    KEY_FLAG_ZONE = 0x0100,
    KEY_FLAG_REVOKE = 0x0080,
    KEY_PROTOCOL = 3,
};

/* --- reading -------------------------------------------------------------------------------- */

/* The fields of an RRSIG (RFC 4034 3.1) whose rdata is well formed. */
struct signature {
    uint16_t covered;
    uint8_t algorithm, labels;
    uint32_t ttl, expiration, inception;
    uint16_t tag;
    struct dns_name signer;
};

static void read_signature(struct span rdata, struct signature *out_signature)
{
    struct reader reader = reader_of(rdata);
    out_signature->covered = reader_u16(&reader);
    out_signature->algorithm = reader_u8(&reader);
    out_signature->labels = reader_u8(&reader);
    out_signature->ttl = reader_u32(&reader);
    out_signature->expiration = reader_u32(&reader);
    out_signature->inception = reader_u32(&reader);
    out_signature->tag = reader_u16(&reader);
    enum sg_result result =
        dns_name_from_wire(reader_span(&reader, reader_left(&reader)), &out_signature->signer);
    ASSERT(result == SG_OK);
}

static enum sg_result take(struct signed_rrset *rrset, const struct dns_record *record,
                           size_t offset)
{
    const struct signed_record taken = {
        offset, {rrset->wire.bytes + record->rdata_offset, record->rdata_length}};
    bool is_signature = record->type == DNS_TYPE_RRSIG;
    if (dns_rdata_check(record->type, taken.rdata) != SG_OK) {
        return SG_MALFORMED;
    }
    if (!is_signature) {
        if (rrset->count == SIGNED_RRSET_RECORDS_MAX) {
            return SG_LIMIT;
        }
        rrset->records[rrset->count++] = taken;
    } else if (wire_get_u16(taken.rdata.bytes) == rrset->type &&
               rrset->signatures_count < SIGNED_RRSET_SIGNATURES_MAX) {
        rrset->signatures[rrset->signatures_count++] = taken;
    }
    return SG_OK;
}

enum sg_result signed_rrset_read(const struct dns_message *message, enum signed_section section,
                                 const struct dns_name *owner, uint16_t type,
                                 struct signed_rrset *out_rrset)
{
    size_t offset = message->section_offsets[section];
    *out_rrset = (struct signed_rrset){.wire = message->wire, .owner = *owner, .type = type};
    dns_name_lower(&out_rrset->owner);
    for (unsigned left = message->counts[1 + section]; left > 0; left--) {
        struct dns_record record;
        if (dns_record_parse(message->wire, offset, &record) != SG_OK) {
            return SG_MALFORMED;
        }
        bool is_wanted = (record.type == type || record.type == DNS_TYPE_RRSIG) &&
                         record.rrclass == message->qclass && dns_name_equal(&record.owner, owner);
        enum sg_result result = is_wanted ? take(out_rrset, &record, offset) : SG_OK;
        if (result != SG_OK) {
            return result;
        }
        offset = record.after;
    }
    return SG_OK;
}

bool signature_signer(struct span rdata, uint16_t type, uint16_t other_type,
                      struct dns_name *out_signer)
{
    struct signature signature;
    if (dns_rdata_check(DNS_TYPE_RRSIG, rdata) != SG_OK) {
        return false;
    }
    read_signature(rdata, &signature);
    if (signature.covered != type && signature.covered != other_type) {
        return false;
    }
    dns_name_lower(&signature.signer);
    *out_signer = signature.signer;
    return true;
}

bool signed_rrset_signer(const struct signed_rrset *rrset, struct dns_name *out_signer)
{
    return rrset->signatures_count > 0 &&
           signature_signer(rrset->signatures[0].rdata, rrset->type, rrset->type, out_signer);
}

/* --- keys ----------------------------------------------------------------------------------- */

/* RSA with SHA-2, ECDSA, EdDSA. SHA-1 proves nothing any more (RFC 9905). */
static bool is_trusted_algorithm(uint8_t algorithm)
{
    return algorithm == 8 || algorithm == 10 || (algorithm >= 13 && algorithm <= 16);
}

dnskey_choice signed_rrset_zone_keys(const struct signed_rrset *keys)
{
    dnskey_choice choice = 0;
    for (size_t i = 0; i < keys->count; i++) {
        const uint8_t *rdata = keys->records[i].rdata.bytes;
        unsigned flags = wire_get_u16(rdata);
        if ((flags & KEY_FLAG_ZONE) != 0 && (flags & KEY_FLAG_REVOKE) == 0 &&
            rdata[2] == KEY_PROTOCOL && is_trusted_algorithm(rdata[3])) {
            choice |= (dnskey_choice)1 << i;
        }
    }
    return choice;
}

/* RFC 4034 appendix B. */
static uint16_t tag_of(struct span dnskey)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < dnskey.length; i++) {
        sum += (i & 1) != 0 ? dnskey.bytes[i] : (uint32_t)dnskey.bytes[i] << 8;
    }
    return (uint16_t)(sum + (sum >> 16));
}

/* --- signatures ----------------------------------------------------------------------------- */

/* Why a signature is of no use, the more telling later. */
enum flaw {
    FLAW_NO_SIGNATURE,
    FLAW_SIGNER,
    FLAW_ALGORITHM,
    FLAW_KEY,
    FLAW_WILDCARD,
    FLAW_EARLY,
    FLAW_EXPIRED,
    FLAW_BAD,
    FLAW_TRIES,
    FLAW_NONE,
};

static const char *flaw_text(enum flaw flaw)
{
    static const char *const texts[] = {
        [FLAW_NO_SIGNATURE] = "it is not signed",
        [FLAW_SIGNER] = "another zone has signed it",
        [FLAW_ALGORITHM] = "it is signed in an algorithm that proves nothing",
        [FLAW_KEY] = "no key that is trusted has signed it",
        [FLAW_WILDCARD] = "its signature is that of a wildcard",
        [FLAW_EARLY] = "its signature is not valid yet",
        [FLAW_EXPIRED] = "its signature has expired",
        [FLAW_BAD] = "its signature is wrong",
        [FLAW_TRIES] = "its signatures and keys are too many to be tried",
        [FLAW_NONE] = NULL,
    };
    return texts[flaw];
}

static ldns_rr *make_rr(struct span wire, size_t offset)
{
    ldns_rr *rr = NULL;
    return ldns_wire2rr(&rr, wire.bytes, wire.length, &offset, LDNS_SECTION_ANSWER) ==
                   LDNS_STATUS_OK
               ? rr
               : NULL;
}

static bool verify(ldns_rr_list *records, struct span wire, size_t signature_at,
                   struct span wire_of_keys, size_t key_at, sg_time now)
{
    ldns_rr *signature = make_rr(wire, signature_at);
    ldns_rr *key = make_rr(wire_of_keys, key_at);
    bool is_good = signature != NULL && key != NULL &&
                   ldns_verify_rrsig_time(records, signature, key, now) == LDNS_STATUS_OK;
    ldns_rr_free(signature);
    ldns_rr_free(key);
    return is_good;
}

/* What can be said of it without its key. RFC 4035 5.3.1. */
static enum flaw look_at(const struct signed_rrset *rrset, const struct signed_rrset *keys,
                         const struct signature *signature, sg_time now)
{
    uint32_t clock = (uint32_t)now;
    bool is_wildcard = dns_name_is_wildcard(&rrset->owner);
    if (!dns_name_equal(&signature->signer, &keys->owner)) {
        return FLAW_SIGNER;
    }
    if (!is_trusted_algorithm(signature->algorithm)) {
        return FLAW_ALGORITHM;
    }
    if (is_wildcard || signature->labels != rrset->owner.labels) {
        return FLAW_WILDCARD;
    }
    /* RFC 1982: both are within 68 years. */
    if ((int32_t)(clock - signature->inception) < 0) {
        return FLAW_EARLY;
    }
    return (int32_t)(signature->expiration - clock) < 0 ? FLAW_EXPIRED : FLAW_NONE;
}

/* Whom it may be signed by, and when. */
struct chosen {
    const struct signed_rrset *keys;
    dnskey_choice choice;
    sg_time now;
};

static enum flaw try_keys(ldns_rr_list *records, const struct signed_rrset *rrset, size_t at,
                          const struct signature *signature, const struct chosen *chosen,
                          unsigned *tries)
{
    enum flaw flaw = FLAW_KEY;
    const struct signed_rrset *keys = chosen->keys;
    for (size_t i = 0; i < keys->count; i++) {
        struct span key = keys->records[i].rdata;
        if ((chosen->choice >> i & 1) == 0 || key.bytes[3] != signature->algorithm ||
            tag_of(key) != signature->tag) {
            continue;
        }
        if ((*tries)++ == SIGNED_RRSET_TRIES_MAX) {
            return FLAW_TRIES;
        }
        if (verify(records, rrset->wire, rrset->signatures[at].offset, keys->wire,
                   keys->records[i].offset, chosen->now)) {
            return FLAW_NONE;
        }
        flaw = FLAW_BAD;
    }
    return flaw;
}

static ldns_rr_list *make_list(const struct signed_rrset *rrset)
{
    ldns_rr_list *list = ldns_rr_list_new();
    for (size_t i = 0; i < rrset->count; i++) {
        ldns_rr *rr = make_rr(rrset->wire, rrset->records[i].offset);
        if (rr == NULL || !ldns_rr_list_push_rr(list, rr)) {
            ldns_rr_free(rr);
            ldns_rr_list_deep_free(list);
            return NULL;
        }
    }
    return list;
}

const char *signed_rrset_verify(const struct signed_rrset *rrset, const struct signed_rrset *keys,
                                dnskey_choice choice, sg_time now, uint32_t *out_ttl)
{
    enum flaw worst = FLAW_NO_SIGNATURE;
    unsigned tries = 0;
    const struct chosen chosen = {keys, choice, now};
    ldns_rr_list *records = rrset->count > 0 ? make_list(rrset) : NULL;
    if (records == NULL) {
        return "there is none that could be read";
    }
    for (size_t i = 0; i < rrset->signatures_count && worst < FLAW_TRIES; i++) {
        struct signature signature;
        read_signature(rrset->signatures[i].rdata, &signature);
        enum flaw flaw = look_at(rrset, keys, &signature, now);
        if (flaw == FLAW_NONE) {
            flaw = try_keys(records, rrset, i, &signature, &chosen, &tries);
        }
        if (flaw == FLAW_NONE) {
            *out_ttl = signature.ttl;
        }
        worst = flaw > worst ? flaw : worst;
    }
    ldns_rr_list_deep_free(records);
    return flaw_text(worst);
}
