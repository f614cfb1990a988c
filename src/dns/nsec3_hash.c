#include "dns/nsec3_hash.h"

#include <openssl/evp.h>

#include "base/mem.h"

enum { NSEC3_ALGORITHM_SHA1 = 1 };

struct nsec3_hasher {
    EVP_MD *sha1;
    EVP_MD_CTX *context;
};

struct nsec3_hasher *nsec3_hasher_new(void)
{
    struct nsec3_hasher *hasher = mem_alloc(sizeof(*hasher));
    hasher->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    hasher->context = EVP_MD_CTX_new();
    ASSERT(hasher->sha1 != NULL && hasher->context != NULL);
    ASSERT(EVP_DigestInit_ex2(hasher->context, hasher->sha1, NULL) == 1);
    return hasher;
}

void nsec3_hasher_free(struct nsec3_hasher *hasher)
{
    if (hasher != NULL) {
        EVP_MD_CTX_free(hasher->context);
        EVP_MD_free(hasher->sha1);
        mem_free(hasher);
    }
}

void nsec3_hash(struct nsec3_hasher *hasher, const struct nsec3_params *params, const uint8_t *wire,
                size_t length, uint8_t out_hash[NSEC3_HASH_BYTES])
{
    /* Name or hash, and the salt behind it, in one piece: an update costs as much as hashing. */
    uint8_t input[DNS_NAME_BYTES_MAX + NSEC3_SALT_BYTES_MAX];
    ASSERT(length <= DNS_NAME_BYTES_MAX);
    dns_name_wire_lower(input, wire, length);

    /* RFC 5155 5: IH(salt, x, 0) = H(x || salt), IH(salt, x, k) = H(IH(salt, x, k-1) || salt) */
    for (unsigned round = 0; round <= params->iterations; round++) {
        memcpy(input + length, params->salt, params->salt_length);
        int ok = EVP_DigestInit_ex2(hasher->context, NULL, NULL) == 1 &&
                 EVP_DigestUpdate(hasher->context, input, length + params->salt_length) == 1 &&
                 EVP_DigestFinal_ex(hasher->context, out_hash, NULL) == 1;
        ASSERT(ok);
        memcpy(input, out_hash, NSEC3_HASH_BYTES);
        length = NSEC3_HASH_BYTES;
    }
}

enum sg_result nsec3_params_from_rdata(struct span rdata, struct nsec3_params *out_params)
{
    if (rdata.length < 5 || rdata.length - 5 < rdata.bytes[4]) {
        return SG_MALFORMED;
    }
    if (rdata.bytes[0] != NSEC3_ALGORITHM_SHA1) {
        return SG_UNSUPPORTED;
    }
    out_params->algorithm = rdata.bytes[0];
    out_params->flags = rdata.bytes[1];
    out_params->iterations = wire_get_u16(rdata.bytes + 2);
    out_params->salt_length = rdata.bytes[4];
    memcpy(out_params->salt, rdata.bytes + 5, out_params->salt_length);
    return SG_OK;
}
