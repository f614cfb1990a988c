#include "dnssec/algorithm.h"

#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

enum { RSA_BITS_DEFAULT = 2048, RSA_BITS_MIN = 1024, RSA_BITS_MAX = 4096 };

/* RFC 8624 3.1: what a signer must not make any more is read and used, never made. */
static const struct algorithm {
    uint8_t number;
    bool can_generate;
    bool rsa;
    bool nsec3;
    uint16_t bits; /* 0: any size */
    const char *text;
} algorithms[] = {
    {DNSSEC_RSASHA1, false, true, false, 0, "RSASHA1"},
    {DNSSEC_NSEC3RSASHA1, false, true, true, 0, "NSEC3RSASHA1"},
    {DNSSEC_RSASHA256, true, true, true, 0, "RSASHA256"},
    {DNSSEC_RSASHA512, true, true, true, 0, "RSASHA512"},
    {DNSSEC_ECDSAP256SHA256, true, false, true, 256, "ECDSAP256SHA256"},
    {DNSSEC_ECDSAP384SHA384, true, false, true, 384, "ECDSAP384SHA384"},
    {DNSSEC_ED25519, true, false, true, 256, "ED25519"},
    {DNSSEC_ED448, true, false, true, 456, "ED448"},
};

static const struct {
    const char *text;
    uint8_t number;
} aliases[] = {
    {"ECDSA256", DNSSEC_ECDSAP256SHA256},
    {"ECDSA384", DNSSEC_ECDSAP384SHA384},
    {"ECDSAP256", DNSSEC_ECDSAP256SHA256},
    {"ECDSAP384", DNSSEC_ECDSAP384SHA384},
};

static const struct algorithm *find(unsigned number)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (algorithms[i].number == number) {
            return &algorithms[i];
        }
    }
    return NULL;
}

bool dnssec_algorithm_is_known(unsigned algorithm)
{
    return find(algorithm) != NULL;
}

bool dnssec_algorithm_can_generate(unsigned algorithm)
{
    const struct algorithm *found = find(algorithm);
    return found != NULL && found->can_generate;
}

bool dnssec_algorithm_is_rsa(unsigned algorithm)
{
    const struct algorithm *found = find(algorithm);
    return found != NULL && found->rsa;
}

bool dnssec_algorithm_allows_nsec3(unsigned algorithm)
{
    const struct algorithm *found = find(algorithm);
    return found != NULL && found->nsec3;
}

const char *dnssec_algorithm_text(unsigned algorithm)
{
    const struct algorithm *found = find(algorithm);
    return found != NULL ? found->text : "?";
}

enum sg_result dnssec_algorithm_from_text(const char *text, uint8_t *out_algorithm)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (strcasecmp(text, algorithms[i].text) == 0) {
            *out_algorithm = algorithms[i].number;
            return SG_OK;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (strcasecmp(text, aliases[i].text) == 0) {
            *out_algorithm = aliases[i].number;
            return SG_OK;
        }
    }
    if (*text < '0' || *text > '9') {
        return SG_MALFORMED;
    }
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != 0 || number > 255) {
        return SG_MALFORMED;
    }
    if (find((unsigned)number) == NULL) {
        return SG_UNSUPPORTED;
    }
    *out_algorithm = (uint8_t)number;
    return SG_OK;
}

enum sg_result dnssec_algorithm_bits(unsigned algorithm, unsigned asked, unsigned *out_bits)
{
    const struct algorithm *found = find(algorithm);
    if (found == NULL) {
        return SG_UNSUPPORTED;
    }
    if (!found->rsa) {
        /* A size that was given and cannot be chosen is ignored, as dnssec-keygen does. */
        *out_bits = found->bits;
        return SG_OK;
    }
    unsigned bits = asked != 0 ? asked : RSA_BITS_DEFAULT;
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        return SG_LIMIT;
    }
    *out_bits = bits;
    return SG_OK;
}
