#include "dnssec/sig0.h"

#include "dns/rrtype.h"
#include "dns/serial.h"
#include "dnssec/ecdsa_signature.h"
#include "dnssec/key.h"
#include "dnssec/pkey.h"

enum {
    SIG_FIXED_BYTES = 18, /* type covered ... key tag, RFC 2535 4.1 */
    KEY_FIXED_BYTES = 4,  /* flags, protocol, algorithm, RFC 2535 3.1 */
    KEY_NO_AUTHENTICATION = 0x8000,
    KEY_PROTOCOL_DNSSEC = 3,
    KEY_PROTOCOL_ALL = 255,
};

enum sg_result sig0_parse(const struct dns_message *message, struct sig0 *out_sig0)
{
    struct dns_record record;
    struct sig0 sig0;
    if (message->sig0_offset == 0) {
        return SG_NOT_FOUND;
    }
    if (dns_record_parse(message->wire, message->sig0_offset, &record) != SG_OK) {
        return SG_MALFORMED;
    }
    struct span rdata = {message->wire.bytes + record.rdata_offset, record.rdata_length};
    struct reader reader = reader_of(rdata);
    (void)reader_u16(&reader); /* type covered: dns/message.c has looked */
    sig0.algorithm = reader_u8(&reader);
    (void)reader_u8(&reader);  /* labels and */
    (void)reader_u32(&reader); /* original TTL mean nothing here, RFC 2931 3 */
    sig0.expiration = reader_u32(&reader);
    sig0.inception = reader_u32(&reader);
    sig0.key_tag = reader_u16(&reader);
    /* Not compressed: the signature is over these bytes. */
    struct span left = {reader.at, reader_left(&reader)};
    if (reader.failed || dns_name_from_wire(left, &sig0.signer) != SG_OK ||
        left.length == sig0.signer.length) {
        return SG_MALFORMED;
    }
    dns_name_lower(&sig0.signer);
    sig0.rdata = (struct span){rdata.bytes, SIG_FIXED_BYTES + (size_t)sig0.signer.length};
    sig0.signature =
        (struct span){rdata.bytes + sig0.rdata.length, rdata.length - sig0.rdata.length};
    *out_sig0 = sig0;
    return SG_OK;
}

static bool is_supported(uint8_t algorithm)
{
    switch (algorithm) {
    case DNSSEC_RSASHA256:
    case DNSSEC_RSASHA512:
    case DNSSEC_ECDSAP256SHA256:
    case DNSSEC_ECDSAP384SHA384:
    case DNSSEC_ED25519:
    case DNSSEC_ED448:
        return true;
    default:
        return false;
    }
}

/* RFC 2931 3.1: the rdata, and the message as it was, one additional record fewer. */
static void append_signed(const struct dns_message *message, const struct sig0 *sig0,
                          struct buffer *out_bytes)
{
    enum { ARCOUNT_OFFSET = 10 };
    buffer_append(out_bytes, sig0->rdata.bytes, sig0->rdata.length);
    size_t begin = out_bytes->length;
    buffer_append(out_bytes, message->wire.bytes, message->sig0_offset);
    wire_put_u16(out_bytes->bytes + begin + ARCOUNT_OFFSET, (uint16_t)(message->counts[3] - 1));
}

static size_t number_bytes(uint8_t algorithm)
{
    return algorithm == DNSSEC_ECDSAP256SHA256 ? 32 : algorithm == DNSSEC_ECDSAP384SHA384 ? 48 : 0;
}

static bool verify_by(const struct sig0 *sig0, struct span public_key, struct span bytes)
{
    EVP_PKEY *pkey = NULL;
    uint8_t der[ECDSA_DER_BYTES_MAX];
    struct span signature = sig0->signature;
    size_t numbers = number_bytes(sig0->algorithm);
    if (numbers != 0) { /* sig0_check() has looked at its length */
        signature = (struct span){der, ecdsa_signature_to_der(signature.bytes, numbers, der)};
    }
    if (pkey_import_public(NULL, sig0->algorithm, public_key, &pkey) != SG_OK) {
        return false;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL &&
                EVP_DigestVerifyInit_ex(context, NULL, pkey_digest_name(sig0->algorithm), NULL,
                                        NULL, pkey, NULL) == 1 &&
                EVP_DigestVerify(context, signature.bytes, signature.length, bytes.bytes,
                                 bytes.length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    return good;
}

/* May this KEY have made it (RFC 2535 3.1.2: "no authentication" is the first bit)? */
static bool is_candidate(const struct sig0 *sig0, struct span key)
{
    if (key.length <= KEY_FIXED_BYTES) {
        return false;
    }
    return (wire_get_u16(key.bytes) & KEY_NO_AUTHENTICATION) == 0 &&
           (key.bytes[2] == KEY_PROTOCOL_DNSSEC || key.bytes[2] == KEY_PROTOCOL_ALL) &&
           key.bytes[3] == sig0->algorithm && dnskey_tag(key) == sig0->key_tag;
}

/* To the next KEY that may have made it, of the first SIG0_KEYS_MAX. */
static bool next_candidate(const struct sig0 *sig0, struct dns_rdata_cursor *cursor,
                           unsigned *looked_at)
{
    while (*looked_at < SIG0_KEYS_MAX && dns_rdata_next(cursor)) {
        ++*looked_at;
        if (is_candidate(sig0, cursor->rdata)) {
            return true;
        }
    }
    return false;
}

enum sg_result sig0_check(const struct sig0 *sig0, const struct dns_rrset *keys, sg_time now)
{
    unsigned looked_at = 0;
    size_t numbers = number_bytes(sig0->algorithm);
    struct dns_rdata_cursor cursor = dns_rrset_walk(keys);
    if (!is_supported(sig0->algorithm)) {
        return SG_UNSUPPORTED;
    }
    if (serial_compare((uint32_t)now, sig0->inception) < 0 ||
        serial_compare((uint32_t)now, sig0->expiration) > 0) {
        return SG_BAD_TIME;
    }
    if (!next_candidate(sig0, &cursor, &looked_at)) {
        return SG_BAD_KEY;
    }
    return numbers != 0 && sig0->signature.length != 2 * numbers ? SG_BAD_SIG : SG_OK;
}

enum sg_result sig0_verify(const struct dns_message *message, const struct sig0 *sig0,
                           const struct dns_rrset *keys, sg_time now)
{
    struct buffer bytes = BUFFER_EMPTY;
    unsigned looked_at = 0, verified = 0;
    enum sg_result result = sig0_check(sig0, keys, now);
    if (result != SG_OK) {
        return result;
    }
    struct dns_rdata_cursor cursor = dns_rrset_walk(keys);
    append_signed(message, sig0, &bytes);
    result = SG_BAD_SIG;
    while (result != SG_OK && verified++ < SIG0_VERIFICATIONS_MAX &&
           next_candidate(sig0, &cursor, &looked_at)) {
        struct span public_key = {cursor.rdata.bytes + KEY_FIXED_BYTES,
                                  cursor.rdata.length - KEY_FIXED_BYTES};
        result = verify_by(sig0, public_key, buffer_span(&bytes)) ? SG_OK : SG_BAD_SIG;
    }
    buffer_free(&bytes);
    return result;
}
