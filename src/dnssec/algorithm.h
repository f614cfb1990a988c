/*
 * dnssec/algorithm.h - the signature algorithms: numbers, names, sizes
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"

enum dnssec_algorithm {
    DNSSEC_RSASHA1 = 5,      /* existing keys are read and sign, with a warning; none are made */
    DNSSEC_NSEC3RSASHA1 = 7, /* the same */
    DNSSEC_RSASHA256 = 8,
    DNSSEC_RSASHA512 = 10,
    DNSSEC_ECDSAP256SHA256 = 13,
    DNSSEC_ECDSAP384SHA384 = 14,
    DNSSEC_ED25519 = 15,
    DNSSEC_ED448 = 16,
};

enum { DNSSEC_SIGNATURE_BYTES_MAX = 512 };

bool dnssec_algorithm_is_known(unsigned algorithm);
bool dnssec_algorithm_can_generate(unsigned algorithm);
bool dnssec_algorithm_is_rsa(unsigned algorithm);
bool dnssec_algorithm_allows_nsec3(unsigned algorithm); /* not 1, 3, 5 */
const char *dnssec_algorithm_text(unsigned algorithm);  /* "ECDSAP256SHA256"; "?" when unknown */
/* Mnemonic in any case (also ECDSA256, ECDSA384) or number. */
MUST_USE enum sg_result dnssec_algorithm_from_text(const char *text, uint8_t *out_algorithm);
/* Key size in bits: fixed, or for RSA the default 2048; `asked` 0 takes the default. SG_LIMIT. */
MUST_USE enum sg_result dnssec_algorithm_bits(unsigned algorithm, unsigned asked,
                                              unsigned *out_bits);
