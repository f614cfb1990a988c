#include "dnssec/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>

#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "dnssec/ecdsa_signature.h"
#include "dnssec/key_secret.h"
#include "dnssec/pkey.h"

enum {
    SIGNER_KEYS_MAX = 64, /* imported private keys; beyond, the longest unused one goes */
    SIGNER_PUBLIC_KEYS_MAX = 8,
    SIGNER_DIGESTS_MAX = 4,
    RRSIG_FIXED_BYTES = 18,
    DNSKEY_FIXED_BYTES = 4,
    DNSKEY_PROTOCOL = 3,
    SIGNED_BYTES_KEPT = 1 << 20, /* a rare huge RRset does not stay in memory */
};

/* A key that is ready to sign, or to verify: contexts are initialized once, used many times. */
struct prepared_key {
    uint64_t last_used; /* 0: free */
    uint8_t algorithm;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *operation; /* over a digest: RSA, ECDSA */
    EVP_MD_CTX *one_shot;    /* EdDSA, which sees the whole message */
    EVP_MD *digest;          /* borrowed from the signer */
};

struct signer {
    /* A library context of its own: no lock, no counter, no random generator shared with another
     * thread. */
    OSSL_LIB_CTX *library;
    struct {
        const char *name;
        EVP_MD *digest;
    } digests[SIGNER_DIGESTS_MAX];
    EVP_MD_CTX *hashing;
    uint64_t uses;
    uint64_t private_ids[SIGNER_KEYS_MAX]; /* apart from the keys: the search stays in two lines */
    struct prepared_key private_keys[SIGNER_KEYS_MAX];
    struct buffer public_rdatas[SIGNER_PUBLIC_KEYS_MAX];
    struct prepared_key public_keys[SIGNER_PUBLIC_KEYS_MAX];
    struct buffer signed_bytes;
};

/* What the signed data begins with, and what may differ from the RRset's own owner and TTL. */
struct rrsig_fields {
    uint16_t covered;
    uint8_t algorithm;
    uint8_t labels;
    uint32_t original_ttl;
    struct sign_times times;
    uint16_t tag;
    struct dns_name signer_name;
};

static void prepared_key_clear(struct prepared_key *prepared)
{
    EVP_PKEY_CTX_free(prepared->operation);
    EVP_MD_CTX_free(prepared->one_shot);
    EVP_PKEY_free(prepared->pkey);
    *prepared = (struct prepared_key){0};
}

static struct prepared_key *longest_unused(struct prepared_key *keys, size_t count)
{
    struct prepared_key *found = &keys[0];
    for (size_t i = 1; i < count; i++) {
        if (keys[i].last_used < found->last_used) {
            found = &keys[i];
        }
    }
    return found;
}

static EVP_MD *digest_by_name(struct signer *signer, const char *name)
{
    for (size_t i = 0; i < SIGNER_DIGESTS_MAX; i++) {
        if (signer->digests[i].name == NULL) {
            signer->digests[i].digest = EVP_MD_fetch(signer->library, name, NULL);
            signer->digests[i].name = name;
        }
        if (strcmp(signer->digests[i].name, name) == 0) {
            return signer->digests[i].digest;
        }
    }
    UNREACHABLE(); /* SHA1, SHA256, SHA384, SHA512 */
}

/* Takes pkey. */
static enum sg_result prepare(struct signer *signer, uint8_t algorithm, EVP_PKEY *pkey, bool sign,
                              struct prepared_key *out)
{
    struct prepared_key prepared = {.algorithm = algorithm, .pkey = pkey};
    const char *digest_name = pkey_digest_name(algorithm);
    bool ready;

    if (digest_name == NULL) {
        prepared.one_shot = EVP_MD_CTX_new();
        ready = prepared.one_shot != NULL &&
                (sign ? EVP_DigestSignInit_ex(prepared.one_shot, NULL, NULL, signer->library, NULL,
                                              pkey, NULL)
                      : EVP_DigestVerifyInit_ex(prepared.one_shot, NULL, NULL, signer->library,
                                                NULL, pkey, NULL)) == 1;
    } else {
        prepared.digest = digest_by_name(signer, digest_name);
        prepared.operation = EVP_PKEY_CTX_new_from_pkey(signer->library, pkey, NULL);
        ready = prepared.digest != NULL && prepared.operation != NULL &&
                (sign ? EVP_PKEY_sign_init(prepared.operation)
                      : EVP_PKEY_verify_init(prepared.operation)) == 1;
        if (ready && dnssec_algorithm_is_rsa(algorithm)) {
            ready = EVP_PKEY_CTX_set_rsa_padding(prepared.operation, RSA_PKCS1_PADDING) == 1 &&
                    EVP_PKEY_CTX_set_signature_md(prepared.operation, prepared.digest) == 1;
        }
    }
    if (!ready) {
        prepared_key_clear(&prepared);
        ERR_clear_error();
        return SG_CRYPTO;
    }
    *out = prepared;
    return SG_OK;
}

static struct span public_key_of(struct span dnskey)
{
    return (struct span){dnskey.bytes + DNSKEY_FIXED_BYTES, dnskey.length - DNSKEY_FIXED_BYTES};
}

static enum sg_result find_private(struct signer *signer, const struct signing_key *key,
                                   struct prepared_key **out_prepared)
{
    for (size_t i = 0; i < SIGNER_KEYS_MAX; i++) {
        if (signer->private_ids[i] == key->secret->id) {
            *out_prepared = &signer->private_keys[i];
            return SG_OK;
        }
    }
    EVP_PKEY *pkey;
    enum sg_result result =
        pkey_import_private(signer->library, key->secret, public_key_of(key->dnskey), &pkey);
    if (result != SG_OK) {
        return result;
    }
    struct prepared_key prepared;
    result = prepare(signer, key->algorithm, pkey, true, &prepared);
    if (result != SG_OK) {
        return result;
    }
    struct prepared_key *slot = longest_unused(signer->private_keys, SIGNER_KEYS_MAX);
    prepared_key_clear(slot);
    *slot = prepared;
    signer->private_ids[slot - signer->private_keys] = key->secret->id;
    *out_prepared = slot;
    return SG_OK;
}

static enum sg_result find_public(struct signer *signer, struct span dnskey,
                                  struct prepared_key **out_prepared)
{
    for (size_t i = 0; i < SIGNER_PUBLIC_KEYS_MAX; i++) {
        const struct buffer *known = &signer->public_rdatas[i];
        if (signer->public_keys[i].last_used != 0 && known->length == dnskey.length &&
            memcmp(known->bytes, dnskey.bytes, dnskey.length) == 0) {
            *out_prepared = &signer->public_keys[i];
            return SG_OK;
        }
    }
    EVP_PKEY *pkey;
    uint8_t algorithm = dnskey.bytes[3];
    enum sg_result result =
        pkey_import_public(signer->library, algorithm, public_key_of(dnskey), &pkey);
    if (result != SG_OK) {
        return result;
    }
    struct prepared_key prepared;
    result = prepare(signer, algorithm, pkey, false, &prepared);
    if (result != SG_OK) {
        return result;
    }
    struct prepared_key *slot = longest_unused(signer->public_keys, SIGNER_PUBLIC_KEYS_MAX);
    prepared_key_clear(slot);
    *slot = prepared;
    struct buffer *rdata = &signer->public_rdatas[slot - signer->public_keys];
    buffer_clear(rdata);
    buffer_append(rdata, dnskey.bytes, dnskey.length);
    *out_prepared = slot;
    return SG_OK;
}

static uint8_t rrsig_labels(const struct dns_name *owner)
{
    return (uint8_t)(owner->labels - (dns_name_is_wildcard(owner) ? 1 : 0));
}

/*
 * RFC 4034 3.1.8.1: RRSIG rdata without the signature, then each RR in canonical form and order
 * (which is how an rrset holds them). Fills signer->signed_bytes; returns the length of the rdata.
 */
static size_t write_signed_bytes(struct signer *signer, const struct rrsig_fields *fields,
                                 const struct dns_name *owner, const struct dns_rrset *rrset)
{
    size_t rr_bytes = (size_t)owner->length + 8;
    size_t rdata_bytes = (size_t)RRSIG_FIXED_BYTES + fields->signer_name.length;
    size_t total = rdata_bytes + rrset->count * rr_bytes + rrset->bytes;
    struct buffer *out = &signer->signed_bytes;
    buffer_clear(out);
    buffer_reserve(out, total);

    struct writer writer = writer_of(out->bytes, total);
    writer_u16(&writer, fields->covered);
    writer_u8(&writer, fields->algorithm);
    writer_u8(&writer, fields->labels);
    writer_u32(&writer, fields->original_ttl);
    writer_u32(&writer, fields->times.expiration);
    writer_u32(&writer, fields->times.inception);
    writer_u16(&writer, fields->tag);
    dns_name_wire_lower(writer.at, fields->signer_name.wire, fields->signer_name.length);
    writer.at += fields->signer_name.length;

    uint8_t rr[DNS_NAME_BYTES_MAX + 8];
    dns_name_wire_lower(rr, owner->wire, owner->length);
    wire_put_u16(rr + owner->length, rrset->type);
    wire_put_u16(rr + owner->length + 2, DNS_CLASS_IN);
    wire_put_u32(rr + owner->length + 4, fields->original_ttl);
    bool lower = dns_rdata_names(rrset->type).lower;
    for (struct dns_rdata_cursor rdata = dns_rrset_walk(rrset); dns_rdata_next(&rdata);) {
        writer_bytes(&writer, rr, rr_bytes);
        writer_bytes(&writer, rdata.rdata.bytes - 2, 2 + rdata.rdata.length);
        if (lower) {
            uint8_t *copy = writer.at - rdata.rdata.length;
            dns_rdata_canonical(rrset->type, (struct span){copy, rdata.rdata.length}, copy);
        }
    }
    ASSERT(!writer.failed && writer_length(&writer) == total);
    out->length = total;
    return rdata_bytes;
}

static bool hash_signed_bytes(struct signer *signer, EVP_MD *digest, uint8_t *out_hash,
                              unsigned *out_length)
{
    const struct buffer *message = &signer->signed_bytes;
    return EVP_DigestInit_ex2(signer->hashing, digest, NULL) == 1 &&
           EVP_DigestUpdate(signer->hashing, message->bytes, message->length) == 1 &&
           EVP_DigestFinal_ex(signer->hashing, out_hash, out_length) == 1;
}

static size_t ecdsa_number_bytes(uint8_t algorithm)
{
    switch (algorithm) {
    case DNSSEC_ECDSAP256SHA256:
        return 32;
    case DNSSEC_ECDSAP384SHA384:
        return 48;
    default:
        return 0;
    }
}

/* Sign signer->signed_bytes. */
static bool make_signature(struct signer *signer, struct prepared_key *prepared,
                           uint8_t out_signature[DNSSEC_SIGNATURE_BYTES_MAX], size_t *out_length)
{
    size_t length = DNSSEC_SIGNATURE_BYTES_MAX;
    if (prepared->one_shot != NULL) {
        /* Starting over with the key it has costs next to nothing, and is what newer releases of
         * OpenSSL demand. */
        const struct buffer *message = &signer->signed_bytes;
        *out_length = length;
        return EVP_DigestSignInit_ex(prepared->one_shot, NULL, NULL, NULL, NULL, NULL, NULL) == 1 &&
               EVP_DigestSign(prepared->one_shot, out_signature, out_length, message->bytes,
                              message->length) == 1;
    }
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_length;
    if (!hash_signed_bytes(signer, prepared->digest, hash, &hash_length)) {
        return false;
    }
    size_t number_bytes = ecdsa_number_bytes(prepared->algorithm);
    if (number_bytes == 0) {
        *out_length = length;
        return EVP_PKEY_sign(prepared->operation, out_signature, out_length, hash, hash_length) ==
               1;
    }
    uint8_t der[ECDSA_DER_BYTES_MAX];
    length = sizeof(der);
    *out_length = 2 * number_bytes;
    return EVP_PKEY_sign(prepared->operation, der, &length, hash, hash_length) == 1 &&
           ecdsa_signature_from_der((struct span){der, length}, number_bytes, out_signature);
}

static bool check_signature(struct signer *signer, struct prepared_key *prepared,
                            struct span signature)
{
    if (prepared->one_shot != NULL) {
        const struct buffer *message = &signer->signed_bytes;
        return EVP_DigestVerifyInit_ex(prepared->one_shot, NULL, NULL, NULL, NULL, NULL, NULL) ==
                   1 &&
               EVP_DigestVerify(prepared->one_shot, signature.bytes, signature.length,
                                message->bytes, message->length) == 1;
    }
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_length;
    if (!hash_signed_bytes(signer, prepared->digest, hash, &hash_length)) {
        return false;
    }
    uint8_t der[ECDSA_DER_BYTES_MAX];
    size_t number_bytes = ecdsa_number_bytes(prepared->algorithm);
    if (number_bytes != 0) {
        if (signature.length != 2 * number_bytes) {
            return false;
        }
        signature = (struct span){der, ecdsa_signature_to_der(signature.bytes, number_bytes, der)};
    }
    return EVP_PKEY_verify(prepared->operation, signature.bytes, signature.length, hash,
                           hash_length) == 1;
}

static void release_large(struct signer *signer)
{
    if (signer->signed_bytes.capacity > SIGNED_BYTES_KEPT) {
        buffer_free(&signer->signed_bytes);
    }
}

struct signer *signer_new(void)
{
    struct signer *signer = mem_alloc_zero(1, sizeof(*signer));
    signer->library = OSSL_LIB_CTX_new();
    signer->hashing = EVP_MD_CTX_new();
    ASSERT(signer->library != NULL && signer->hashing != NULL); /* else: out of memory */
    return signer;
}

void signer_free(struct signer *signer)
{
    if (signer == NULL) {
        return;
    }
    for (size_t i = 0; i < SIGNER_KEYS_MAX; i++) {
        prepared_key_clear(&signer->private_keys[i]);
    }
    for (size_t i = 0; i < SIGNER_PUBLIC_KEYS_MAX; i++) {
        prepared_key_clear(&signer->public_keys[i]);
        buffer_free(&signer->public_rdatas[i]);
    }
    for (size_t i = 0; i < SIGNER_DIGESTS_MAX; i++) {
        EVP_MD_free(signer->digests[i].digest);
    }
    EVP_MD_CTX_free(signer->hashing);
    OSSL_LIB_CTX_free(signer->library);
    buffer_free(&signer->signed_bytes);
    mem_free(signer);
}

static pthread_key_t thread_signer;

static void thread_ends(void *signer)
{
    signer_free(signer);
}

static void make_thread_key(void)
{
    int failed = pthread_key_create(&thread_signer, thread_ends);
    ASSERT(failed == 0);
}

struct signer *signer_of_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_thread_key);
    struct signer *signer = pthread_getspecific(thread_signer);
    if (signer == NULL) {
        signer = signer_new();
        pthread_setspecific(thread_signer, signer);
    }
    return signer;
}

enum sg_result signer_sign(struct signer *signer, const struct signing_key *key,
                           const struct dns_name *owner, const struct dns_rrset *rrset,
                           const struct sign_times *times, struct buffer *out_rdata)
{
    if (key->secret == NULL) {
        return SG_BAD_KEY;
    }
    struct prepared_key *prepared;
    enum sg_result result = find_private(signer, key, &prepared);
    if (result != SG_OK) {
        return result;
    }
    prepared->last_used = ++signer->uses;

    const struct rrsig_fields fields = {
        .covered = rrset->type,
        .algorithm = key->algorithm,
        .labels = rrsig_labels(owner),
        .original_ttl = rrset->ttl,
        .times = *times,
        .tag = key->tag,
        .signer_name = key->zone,
    };
    size_t rdata_bytes = write_signed_bytes(signer, &fields, owner, rrset);
    uint8_t signature[DNSSEC_SIGNATURE_BYTES_MAX];
    size_t signature_bytes;
    if (!make_signature(signer, prepared, signature, &signature_bytes)) {
        ERR_clear_error();
        release_large(signer);
        return SG_CRYPTO;
    }
    buffer_append(out_rdata, signer->signed_bytes.bytes, rdata_bytes);
    buffer_append(out_rdata, signature, signature_bytes);
    release_large(signer);
    return SG_OK;
}

static enum sg_result rrsig_parse(struct span rrsig, struct rrsig_fields *out_fields,
                                  struct span *out_signature)
{
    struct reader reader = reader_of(rrsig);
    out_fields->covered = reader_u16(&reader);
    out_fields->algorithm = reader_u8(&reader);
    out_fields->labels = reader_u8(&reader);
    out_fields->original_ttl = reader_u32(&reader);
    out_fields->times.expiration = reader_u32(&reader);
    out_fields->times.inception = reader_u32(&reader);
    out_fields->tag = reader_u16(&reader);
    struct span rest = reader_span(&reader, reader_left(&reader));
    if (reader.failed) {
        return SG_MALFORMED;
    }
    enum sg_result result = dns_name_from_wire(rest, &out_fields->signer_name);
    if (result != SG_OK) {
        return result;
    }
    size_t name_bytes = out_fields->signer_name.length;
    *out_signature = (struct span){rest.bytes + name_bytes, rest.length - name_bytes};
    return SG_OK;
}

/* RFC 4035 5.3.1: what must hold before the signature is looked at. */
static bool rrsig_fits(const struct rrsig_fields *fields, struct span dnskey,
                       const struct dns_name *owner, const struct dns_rrset *rrset)
{
    if (dnskey.length <= DNSKEY_FIXED_BYTES) {
        return false;
    }
    return (wire_get_u16(dnskey.bytes) & KEY_FLAG_ZONE) != 0 &&
           dnskey.bytes[2] == DNSKEY_PROTOCOL && dnskey.bytes[3] == fields->algorithm &&
           dnskey_tag(dnskey) == fields->tag && fields->covered == rrset->type &&
           fields->labels <= rrsig_labels(owner) &&
           dns_name_is_at_or_below(owner, &fields->signer_name);
}

enum sg_result signer_verify(struct signer *signer, struct span dnskey,
                             const struct dns_name *owner, const struct dns_rrset *rrset,
                             struct span rrsig, sg_time now)
{
    struct rrsig_fields fields;
    struct span signature;
    enum sg_result result = rrsig_parse(rrsig, &fields, &signature);
    if (result != SG_OK) {
        return result;
    }
    if (!rrsig_fits(&fields, dnskey, owner, rrset)) {
        return SG_BAD_SIG;
    }
    if (serial_compare(fields.times.inception, (uint32_t)now) > 0 ||
        serial_compare(fields.times.expiration, (uint32_t)now) < 0) {
        return SG_BAD_TIME;
    }
    /* RFC 4035 5.3.2: fewer labels than the owner's mean that a wildcard was expanded. */
    struct dns_name signed_owner = *owner;
    if (fields.labels < rrsig_labels(owner)) {
        struct dns_name encloser = dns_name_parent(owner, (unsigned)owner->labels - fields.labels);
        result = dns_name_wildcard(&encloser, &signed_owner);
        if (result != SG_OK) {
            return SG_BAD_SIG;
        }
    }
    struct prepared_key *prepared;
    result = find_public(signer, dnskey, &prepared);
    if (result != SG_OK) {
        return result;
    }
    prepared->last_used = ++signer->uses;
    write_signed_bytes(signer, &fields, &signed_owner, rrset);
    bool verified = check_signature(signer, prepared, signature);
    ERR_clear_error();
    release_large(signer);
    return verified ? SG_OK : SG_BAD_SIG;
}
