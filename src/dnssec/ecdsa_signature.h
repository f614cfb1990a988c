/*
 * dnssec/ecdsa_signature.h - ECDSA signatures: OpenSSL's DER and DNSSEC's r | s (RFC 6605 4)
 *
 * Private to dnssec/.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

enum { ECDSA_NUMBER_BYTES_MAX = 48, ECDSA_DER_BYTES_MAX = 2 * (ECDSA_NUMBER_BYTES_MAX + 3) + 3 };

/* Two numbers of `number_bytes` each. False for DER that is not such a signature. */
bool ecdsa_signature_from_der(struct span der, size_t number_bytes, uint8_t *out_raw);
/* The reverse; returns the length of what was written to `out_der`. */
size_t ecdsa_signature_to_der(const uint8_t *raw, size_t number_bytes,
                              uint8_t out_der[ECDSA_DER_BYTES_MAX]);
