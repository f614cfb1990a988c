/*
 * dnssec/key_secret.h - the private half of a key, as plain numbers that any thread may import
 *
 * OpenSSL's own key objects take shared locks, so each signer makes one of its own from this.
 * Counted, immutable, wiped when the last holder lets go. Private to dnssec/.
 */
#pragma once

#include <stdint.h>

#include "base/buffer.h"

enum key_secret_part { /* RSA, in the order of the .private file; other algorithms have one part */
                       KEY_SECRET_SCALAR = 0,
                       KEY_SECRET_MODULUS = 0,
                       KEY_SECRET_PUBLIC_EXPONENT,
                       KEY_SECRET_PRIVATE_EXPONENT,
                       KEY_SECRET_PRIME1,
                       KEY_SECRET_PRIME2,
                       KEY_SECRET_EXPONENT1,
                       KEY_SECRET_EXPONENT2,
                       KEY_SECRET_COEFFICIENT,
                       KEY_SECRET_PARTS
};

struct signing_key_secret {
    uint64_t id; /* never reused, so that a signer can remember what it imported */
    unsigned holders;
    uint8_t algorithm;
    struct span parts[KEY_SECRET_PARTS]; /* big-endian; into `bytes` */
    uint8_t *bytes;
    size_t length;
};

/* Copies the parts. The caller holds it. */
struct signing_key_secret *key_secret_new(uint8_t algorithm,
                                          const struct span parts[KEY_SECRET_PARTS]);
struct signing_key_secret *key_secret_ref(struct signing_key_secret *secret);
void key_secret_unref(struct signing_key_secret *secret); /* NULL is fine */
