/*
 * dnssec/pkey.h - between the bytes of DNSSEC keys and OpenSSL's key objects
 *
 * Public keys as in DNSKEY rdata: RSA by RFC 3110, ECDSA by RFC 6605, EdDSA by RFC 8080.
 * Private to dnssec/.
 */
#pragma once

#include <openssl/evp.h>

#include "dnssec/algorithm.h"
#include "dnssec/key_secret.h"

enum { RSA_MODULUS_BITS_MAX = 4096 };

/* Size in bits of a DNSKEY's public key. SG_MALFORMED, SG_UNSUPPORTED. */
MUST_USE enum sg_result pkey_public_bits(uint8_t algorithm, struct span public_key,
                                         unsigned *out_bits);
/* The digest that the algorithm signs over, such as "SHA256"; NULL for EdDSA. */
const char *pkey_digest_name(uint8_t algorithm);

/* The caller frees with EVP_PKEY_free(). `library` may be NULL. SG_MALFORMED, SG_CRYPTO. */
MUST_USE enum sg_result pkey_import_public(OSSL_LIB_CTX *library, uint8_t algorithm,
                                           struct span public_key, EVP_PKEY **out_pkey);
MUST_USE enum sg_result pkey_import_private(OSSL_LIB_CTX *library,
                                            const struct signing_key_secret *secret,
                                            struct span public_key, EVP_PKEY **out_pkey);
/* A new pair: appends the public key as DNSKEY rdata has it. SG_CRYPTO. */
MUST_USE enum sg_result pkey_generate(uint8_t algorithm, unsigned bits,
                                      struct buffer *out_public_key,
                                      struct signing_key_secret **out_secret);
/* Do the halves belong together? Signs and verifies once. SG_BAD_KEY. */
MUST_USE enum sg_result pkey_check_pair(const struct signing_key_secret *secret,
                                        struct span public_key);
