#include "dnssec/pkey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

enum {
    EC_COORDINATE_BYTES_MAX = 48,
    PUBLIC_EXPONENT_BITS_MAX = 33, /* up to 2^32 + 1 */
    EC_POINT_UNCOMPRESSED = 4,
};

/* What the private numbers of RSA are called, in the order of key_secret_part. */
static const char *const rsa_names[KEY_SECRET_PARTS] = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

struct rsa_public {
    struct span exponent, modulus;
};

static struct span strip_zeros(struct span number)
{
    while (number.length > 0 && number.bytes[0] == 0) {
        number.bytes++;
        number.length--;
    }
    return number;
}

static unsigned bits_of(struct span number)
{
    number = strip_zeros(number);
    if (number.length == 0) {
        return 0;
    }
    unsigned top = 8;
    while ((number.bytes[0] >> (top - 1)) == 0) {
        top--;
    }
    return (unsigned)(number.length - 1) * 8 + top;
}

static bool same_number(struct span a, struct span b)
{
    a = strip_zeros(a);
    b = strip_zeros(b);
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* RFC 3110 2: exponent length in one byte, or in two behind a zero. */
static enum sg_result rsa_public_parse(struct span public_key, struct rsa_public *out)
{
    struct reader reader = reader_of(public_key);
    size_t length = reader_u8(&reader);
    if (length == 0) {
        length = reader_u16(&reader);
    }
    out->exponent = reader_span(&reader, length);
    out->modulus = reader_span(&reader, reader_left(&reader));
    if (reader.failed) {
        return SG_MALFORMED;
    }
    unsigned exponent_bits = bits_of(out->exponent);
    if (exponent_bits < 2 || (out->exponent.bytes[length - 1] & 1) == 0 ||
        bits_of(out->modulus) < 512) {
        return SG_MALFORMED;
    }
    if (exponent_bits > PUBLIC_EXPONENT_BITS_MAX || bits_of(out->modulus) > RSA_MODULUS_BITS_MAX) {
        return SG_LIMIT;
    }
    return SG_OK;
}

static size_t public_bytes_of(uint8_t algorithm)
{
    switch (algorithm) {
    case DNSSEC_ECDSAP256SHA256:
        return 64;
    case DNSSEC_ECDSAP384SHA384:
        return 96;
    case DNSSEC_ED25519:
        return 32;
    case DNSSEC_ED448:
        return 57;
    default:
        return 0;
    }
}

static size_t secret_bytes_of(uint8_t algorithm)
{
    switch (algorithm) {
    case DNSSEC_ECDSAP256SHA256:
    case DNSSEC_ED25519:
        return 32;
    case DNSSEC_ECDSAP384SHA384:
        return 48;
    case DNSSEC_ED448:
        return 57;
    default:
        return 0;
    }
}

static bool is_ecdsa(uint8_t algorithm)
{
    return algorithm == DNSSEC_ECDSAP256SHA256 || algorithm == DNSSEC_ECDSAP384SHA384;
}

static const char *curve_of(uint8_t algorithm)
{
    return algorithm == DNSSEC_ECDSAP256SHA256 ? "P-256" : "P-384";
}

static const char *edwards_of(uint8_t algorithm)
{
    return algorithm == DNSSEC_ED25519 ? "ED25519" : "ED448";
}

enum sg_result pkey_public_bits(uint8_t algorithm, struct span public_key, unsigned *out_bits)
{
    if (dnssec_algorithm_is_rsa(algorithm)) {
        struct rsa_public rsa;
        enum sg_result result = rsa_public_parse(public_key, &rsa);
        if (result == SG_OK) {
            *out_bits = bits_of(rsa.modulus);
        }
        return result;
    }
    if (!dnssec_algorithm_is_known(algorithm)) {
        return SG_UNSUPPORTED;
    }
    if (public_key.length != public_bytes_of(algorithm)) {
        return SG_MALFORMED;
    }
    return dnssec_algorithm_bits(algorithm, 0, out_bits);
}

const char *pkey_digest_name(uint8_t algorithm)
{
    switch (algorithm) {
    case DNSSEC_RSASHA1:
    case DNSSEC_NSEC3RSASHA1:
        return "SHA1";
    case DNSSEC_RSASHA256:
    case DNSSEC_ECDSAP256SHA256:
        return "SHA256";
    case DNSSEC_ECDSAP384SHA384:
        return "SHA384";
    case DNSSEC_RSASHA512:
        return "SHA512";
    default:
        return NULL;
    }
}

/* NULL when OpenSSL does not take the numbers. */
static EVP_PKEY *from_numbers(OSSL_LIB_CTX *library, const char *type, int selection,
                              OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *import = EVP_PKEY_CTX_new_from_name(library, type, NULL);
    EVP_PKEY *pkey = NULL;
    if (params == NULL || import == NULL || EVP_PKEY_fromdata_init(import) != 1 ||
        EVP_PKEY_fromdata(import, &pkey, selection, params) != 1) {
        pkey = NULL;
        ERR_clear_error();
    }
    EVP_PKEY_CTX_free(import);
    OSSL_PARAM_free(params);
    return pkey;
}

/* "Secure" makes OpenSSL wipe the copies that it makes on the way. */
static BIGNUM *number_of(struct span bytes)
{
    BIGNUM *number = BN_secure_new();
    if (number != NULL && BN_bin2bn(bytes.bytes, (int)bytes.length, number) == NULL) {
        BN_free(number);
        number = NULL;
    }
    return number;
}

static EVP_PKEY *import_rsa(OSSL_LIB_CTX *library, const struct span *parts, size_t count)
{
    BIGNUM *numbers[KEY_SECRET_PARTS] = {NULL};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool built = build != NULL;
    for (size_t i = 0; i < count && built; i++) {
        numbers[i] = number_of(parts[i]);
        built = numbers[i] != NULL && OSSL_PARAM_BLD_push_BN(build, rsa_names[i], numbers[i]) == 1;
    }
    int selection = count > 2 ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    EVP_PKEY *pkey = built ? from_numbers(library, "RSA", selection, build) : NULL;
    OSSL_PARAM_BLD_free(build);
    for (size_t i = 0; i < count; i++) {
        BN_clear_free(numbers[i]);
    }
    return pkey;
}

/* `scalar` NULL: the public half alone. */
static EVP_PKEY *import_ecdsa(OSSL_LIB_CTX *library, uint8_t algorithm, struct span public_key,
                              const struct span *scalar)
{
    uint8_t point[1 + 2 * EC_COORDINATE_BYTES_MAX];
    point[0] = EC_POINT_UNCOMPRESSED;
    memcpy(point + 1, public_key.bytes, public_key.length);

    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *number = scalar == NULL ? NULL : number_of(*scalar);
    bool built = build != NULL &&
                 OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                                 curve_of(algorithm), 0) == 1 &&
                 OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                  1 + public_key.length) == 1;
    if (built && scalar != NULL) {
        built =
            number != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1;
    }
    int selection = scalar != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    EVP_PKEY *pkey = built ? from_numbers(library, "EC", selection, build) : NULL;
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(number);
    return pkey;
}

enum sg_result pkey_import_public(OSSL_LIB_CTX *library, uint8_t algorithm, struct span public_key,
                                  EVP_PKEY **out_pkey)
{
    unsigned bits;
    enum sg_result result = pkey_public_bits(algorithm, public_key, &bits);
    if (result != SG_OK) {
        return result;
    }
    EVP_PKEY *pkey;
    if (dnssec_algorithm_is_rsa(algorithm)) {
        struct rsa_public rsa;
        result = rsa_public_parse(public_key, &rsa);
        if (result != SG_OK) {
            return result;
        }
        pkey = import_rsa(library, (const struct span[]){rsa.modulus, rsa.exponent}, 2);
    } else if (is_ecdsa(algorithm)) {
        pkey = import_ecdsa(library, algorithm, public_key, NULL);
    } else {
        pkey = EVP_PKEY_new_raw_public_key_ex(library, edwards_of(algorithm), NULL,
                                              public_key.bytes, public_key.length);
    }
    if (pkey == NULL) {
        ERR_clear_error();
        return SG_CRYPTO;
    }
    *out_pkey = pkey;
    return SG_OK;
}

static bool rsa_halves_agree(const struct signing_key_secret *secret, struct span public_key)
{
    struct rsa_public rsa;
    if (rsa_public_parse(public_key, &rsa) != SG_OK) {
        return false;
    }
    for (size_t i = 0; i < KEY_SECRET_PARTS; i++) {
        if (bits_of(secret->parts[i]) < 2 || bits_of(secret->parts[i]) > RSA_MODULUS_BITS_MAX) {
            return false;
        }
    }
    /* An even modulus or prime would never end in Montgomery arithmetic. */
    for (size_t i = KEY_SECRET_PRIME1; i <= KEY_SECRET_PRIME2; i++) {
        if ((secret->parts[i].bytes[secret->parts[i].length - 1] & 1) == 0) {
            return false;
        }
    }
    return same_number(secret->parts[KEY_SECRET_MODULUS], rsa.modulus) &&
           same_number(secret->parts[KEY_SECRET_PUBLIC_EXPONENT], rsa.exponent);
}

/* A scalar of ECDSA is a number, and BIND 9.18 leaves out its leading zeros: one key in 256 is
 * shorter. One of EdDSA is a string (RFC 8032 5.1.5). */
static bool scalar_has_size(uint8_t algorithm, struct span scalar)
{
    size_t bytes = secret_bytes_of(algorithm);
    return is_ecdsa(algorithm) ? scalar.length > 0 && scalar.length <= bytes
                               : scalar.length == bytes;
}

enum sg_result pkey_import_private(OSSL_LIB_CTX *library, const struct signing_key_secret *secret,
                                   struct span public_key, EVP_PKEY **out_pkey)
{
    uint8_t algorithm = secret->algorithm;
    unsigned bits;
    enum sg_result result = pkey_public_bits(algorithm, public_key, &bits);
    if (result != SG_OK) {
        return result;
    }
    EVP_PKEY *pkey;
    if (dnssec_algorithm_is_rsa(algorithm)) {
        if (!rsa_halves_agree(secret, public_key)) {
            return SG_BAD_KEY;
        }
        pkey = import_rsa(library, secret->parts, KEY_SECRET_PARTS);
    } else if (!scalar_has_size(algorithm, secret->parts[KEY_SECRET_SCALAR])) {
        return SG_MALFORMED;
    } else if (is_ecdsa(algorithm)) {
        pkey = import_ecdsa(library, algorithm, public_key, &secret->parts[KEY_SECRET_SCALAR]);
    } else {
        pkey = EVP_PKEY_new_raw_private_key_ex(library, edwards_of(algorithm), NULL,
                                               secret->parts[KEY_SECRET_SCALAR].bytes,
                                               secret->parts[KEY_SECRET_SCALAR].length);
    }
    if (pkey == NULL) {
        ERR_clear_error();
        return SG_CRYPTO;
    }
    *out_pkey = pkey;
    return SG_OK;
}

static bool export_number(EVP_PKEY *pkey, const char *name, size_t bytes, struct buffer *out)
{
    BIGNUM *number = NULL;
    bool exported = false;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) == 1) {
        size_t length = bytes > 0 ? bytes : (size_t)BN_num_bytes(number);
        buffer_reserve(out, length);
        exported = BN_bn2binpad(number, out->bytes + out->length, (int)length) == (int)length;
        out->length += exported ? length : 0;
    }
    BN_clear_free(number);
    return exported;
}

static struct signing_key_secret *export_rsa(EVP_PKEY *pkey, struct buffer *out_public_key)
{
    struct buffer numbers = BUFFER_EMPTY;
    struct signing_key_secret *secret = NULL;
    size_t ends[KEY_SECRET_PARTS];
    buffer_reserve(&numbers, (size_t)KEY_SECRET_PARTS * RSA_MODULUS_BITS_MAX / 8);
    for (size_t i = 0; i < KEY_SECRET_PARTS; i++) {
        if (!export_number(pkey, rsa_names[i], 0, &numbers)) {
            goto out;
        }
        ends[i] = numbers.length;
    }
    struct span parts[KEY_SECRET_PARTS];
    for (size_t i = 0, begin = 0; i < KEY_SECRET_PARTS; begin = ends[i], i++) {
        parts[i] = (struct span){numbers.bytes + begin, ends[i] - begin};
    }
    struct span exponent = parts[KEY_SECRET_PUBLIC_EXPONENT];
    buffer_append_u8(out_public_key, (uint8_t)exponent.length);
    buffer_append(out_public_key, exponent.bytes, exponent.length);
    buffer_append(out_public_key, parts[KEY_SECRET_MODULUS].bytes,
                  parts[KEY_SECRET_MODULUS].length);
    secret = key_secret_new(DNSSEC_RSASHA256, parts);

out:
    buffer_wipe(&numbers);
    return secret;
}

static struct signing_key_secret *export_curve(EVP_PKEY *pkey, uint8_t algorithm,
                                               struct buffer *out_public_key)
{
    uint8_t point[1 + 2 * EC_COORDINATE_BYTES_MAX];
    size_t point_length = sizeof(point);
    struct buffer scalar = BUFFER_EMPTY;
    bool exported;

    if (is_ecdsa(algorithm)) {
        exported =
            export_number(pkey, OSSL_PKEY_PARAM_PRIV_KEY, secret_bytes_of(algorithm), &scalar) &&
            EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
                                            &point_length) == 1 &&
            point_length == 1 + public_bytes_of(algorithm) && point[0] == EC_POINT_UNCOMPRESSED;
        point_length--;
        memmove(point, point + 1, sizeof(point) - 1);
    } else {
        buffer_reserve(&scalar, secret_bytes_of(algorithm));
        scalar.length = secret_bytes_of(algorithm);
        exported = EVP_PKEY_get_raw_private_key(pkey, scalar.bytes, &scalar.length) == 1 &&
                   EVP_PKEY_get_raw_public_key(pkey, point, &point_length) == 1;
    }
    struct signing_key_secret *secret = NULL;
    if (exported) {
        buffer_append(out_public_key, point, point_length);
        struct span parts[KEY_SECRET_PARTS] = {buffer_span(&scalar)};
        secret = key_secret_new(algorithm, parts);
    }
    buffer_wipe(&scalar);
    return secret;
}

enum sg_result pkey_generate(uint8_t algorithm, unsigned bits, struct buffer *out_public_key,
                             struct signing_key_secret **out_secret)
{
    ASSERT(dnssec_algorithm_is_known(algorithm));
    EVP_PKEY *pkey;
    struct signing_key_secret *secret = NULL;
    if (dnssec_algorithm_is_rsa(algorithm)) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
        secret = pkey != NULL ? export_rsa(pkey, out_public_key) : NULL;
    } else if (is_ecdsa(algorithm)) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve_of(algorithm));
        secret = pkey != NULL ? export_curve(pkey, algorithm, out_public_key) : NULL;
    } else {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, edwards_of(algorithm));
        secret = pkey != NULL ? export_curve(pkey, algorithm, out_public_key) : NULL;
    }
    EVP_PKEY_free(pkey);
    if (secret == NULL) {
        ERR_clear_error();
        return SG_CRYPTO;
    }
    secret->algorithm = algorithm;
    *out_secret = secret;
    return SG_OK;
}

enum sg_result pkey_check_pair(const struct signing_key_secret *secret, struct span public_key)
{
    static const uint8_t message[] = "do the halves of this key belong together?";
    const char *digest = pkey_digest_name(secret->algorithm);
    uint8_t signature[DNSSEC_SIGNATURE_BYTES_MAX];
    size_t length = sizeof(signature);
    EVP_PKEY *private_half = NULL, *public_half = NULL;
    EVP_MD_CTX *signing = EVP_MD_CTX_new(), *verifying = EVP_MD_CTX_new();

    enum sg_result result = pkey_import_private(NULL, secret, public_key, &private_half);
    if (result != SG_OK) {
        goto out;
    }
    result = pkey_import_public(NULL, secret->algorithm, public_key, &public_half);
    if (result != SG_OK) {
        goto out;
    }
    if (EVP_DigestSignInit_ex(signing, NULL, digest, NULL, NULL, private_half, NULL) != 1 ||
        EVP_DigestSign(signing, signature, &length, message, sizeof(message)) != 1 ||
        EVP_DigestVerifyInit_ex(verifying, NULL, digest, NULL, NULL, public_half, NULL) != 1 ||
        EVP_DigestVerify(verifying, signature, length, message, sizeof(message)) != 1) {
        result = SG_BAD_KEY;
    }

out:
    ERR_clear_error();
    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
    EVP_PKEY_free(private_half);
    EVP_PKEY_free(public_half);
    return result;
}
