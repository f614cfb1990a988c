#include "dnssec/key.h"

#include <ctype.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "dnssec/pkey.h"

enum { DS_DIGEST_SHA1 = 1, DS_DIGEST_SHA256 = 2, DS_DIGEST_SHA384 = 4, DNSKEY_FIXED_BYTES = 4 };

void signing_key_init(struct signing_key *key)
{
    *key = (struct signing_key){.zone = dns_name_root, .state = {.goal = KEY_STATE_NA}};
    for (size_t i = 0; i < KEY_TIMES; i++) {
        key->times[i] = KEY_TIME_UNSET;
    }
    for (size_t i = 0; i < KEY_RECORDS; i++) {
        key->state.records[i] = KEY_STATE_NA;
        key->state.changes[i] = KEY_TIME_UNSET;
    }
}

struct signing_key *signing_key_copy(const struct signing_key *key)
{
    struct signing_key *copy = mem_copy(key, sizeof(*key));
    copy->dnskey.bytes = mem_copy(key->dnskey.bytes, key->dnskey.length);
    copy->folder = key->folder != NULL ? mem_copy_text(key->folder) : NULL;
    if (copy->secret != NULL) {
        key_secret_ref(copy->secret);
    }
    return copy;
}

void signing_key_free(struct signing_key *key)
{
    if (key == NULL) {
        return;
    }
    key_secret_unref(key->secret);
    mem_free((void *)key->dnskey.bytes);
    mem_free(key->folder);
    mem_free(key);
}

uint16_t dnskey_tag(struct span dnskey)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < dnskey.length; i++) {
        sum += (i & 1) != 0 ? dnskey.bytes[i] : (uint32_t)dnskey.bytes[i] << 8;
    }
    return (uint16_t)(sum + (sum >> 16));
}

enum sg_result dnskey_check(struct span dnskey)
{
    unsigned bits;
    if (dnskey.length < DNSKEY_FIXED_BYTES) {
        return SG_MALFORMED;
    }
    return pkey_public_bits(
        dnskey.bytes[3],
        (struct span){dnskey.bytes + DNSKEY_FIXED_BYTES, dnskey.length - DNSKEY_FIXED_BYTES},
        &bits);
}

static void append_label(struct buffer *text, const uint8_t *label, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = dns_lower[label[i]];
        if (isascii(byte) && (isalnum(byte) || byte == '-' || byte == '_')) {
            buffer_append_u8(text, byte);
        } else {
            buffer_format(text, "%%%02X", byte);
        }
    }
    buffer_append_u8(text, '.');
}

char *signing_key_file_name(const struct signing_key *key)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_append_u8(&text, 'K');
    for (const uint8_t *label = key->zone.wire; *label != 0; label += *label + 1) {
        append_label(&text, label + 1, *label);
    }
    if (key->zone.labels == 0) {
        buffer_append_u8(&text, '.');
    }
    buffer_format(&text, "+%03u+%05u", key->algorithm, key->tag);
    char *name = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return name;
}

char *signing_key_text(const struct signing_key *key)
{
    char zone[DNS_NAME_TEXT_BYTES];
    return mem_format("%s/%s/%u", dns_name_to_text_short(&key->zone, zone),
                      dnssec_algorithm_text(key->algorithm), key->tag);
}

static const EVP_MD *ds_digest(uint8_t digest_type)
{
    switch (digest_type) {
    case DS_DIGEST_SHA1:
        return EVP_sha1();
    case DS_DIGEST_SHA256:
        return EVP_sha256();
    case DS_DIGEST_SHA384:
        return EVP_sha384();
    default:
        return NULL;
    }
}

enum sg_result signing_key_ds(const struct signing_key *key, uint8_t digest_type,
                              struct buffer *out_rdata)
{
    const EVP_MD *digest = ds_digest(digest_type);
    if (digest == NULL) {
        return SG_UNSUPPORTED;
    }
    /* RFC 4034 5.1.4: digest over canonical owner name and DNSKEY rdata. */
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_length;
    EVP_MD_CTX *hashing = EVP_MD_CTX_new();
    struct dns_name owner = key->zone;
    dns_name_lower(&owner);
    bool hashed = hashing != NULL && EVP_DigestInit_ex2(hashing, digest, NULL) == 1 &&
                  EVP_DigestUpdate(hashing, owner.wire, owner.length) == 1 &&
                  EVP_DigestUpdate(hashing, key->dnskey.bytes, key->dnskey.length) == 1 &&
                  EVP_DigestFinal_ex(hashing, hash, &hash_length) == 1;
    EVP_MD_CTX_free(hashing);
    if (!hashed) {
        return SG_CRYPTO;
    }
    buffer_append_u16(out_rdata, key->tag);
    buffer_append_u8(out_rdata, key->algorithm);
    buffer_append_u8(out_rdata, digest_type);
    buffer_append(out_rdata, hash, hash_length);
    return SG_OK;
}
