#include "net/control_message.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "base/encoding.h"

enum {
    VERSION = 1,
    TYPE_BINARY = 1,
    TYPE_TABLE = 2,
    MD5_TEXT_BYTES = 22, /* base64 of 16 bytes without its padding */
    SHA_TEXT_BYTES = 88, /* base64 of 64 bytes; shorter ones are filled up with NULs */
    ENTRIES_MAX = 4096,  /* in one table; a frame of 32 KiB holds no more than that */
    DECIMAL_BYTES_MAX = 10,
};

/* The wire codes are those of BIND's isccc; 157 has a layout of its own. */
static const struct control_algorithm {
    uint8_t code;
    const EVP_MD *(*digest)(void);
} algorithms[TSIG_ALGORITHMS] = {
    [TSIG_HMAC_MD5] = {157, EVP_md5},       [TSIG_HMAC_SHA1] = {161, EVP_sha1},
    [TSIG_HMAC_SHA224] = {162, EVP_sha224}, [TSIG_HMAC_SHA256] = {163, EVP_sha256},
    [TSIG_HMAC_SHA384] = {164, EVP_sha384}, [TSIG_HMAC_SHA512] = {165, EVP_sha512},
};

struct entry {
    struct span name;
    uint8_t type;
    struct span value;
};

static bool span_is(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.bytes, text, span.length) == 0;
}

/* False at the end of the table and after an error (`reader->failed`). */
static bool entry_next(struct reader *reader, struct entry *out_entry)
{
    if (reader->failed || reader_left(reader) == 0) {
        return false;
    }
    out_entry->name = reader_span(reader, reader_u8(reader));
    out_entry->type = reader_u8(reader);
    out_entry->value = reader_span(reader, reader_u32(reader));
    return !reader->failed;
}

static bool decimal(struct span text, uint32_t *out_value)
{
    uint64_t value = 0;

    if (text.length == 0 || text.length > DECIMAL_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text.bytes[i] - '0');
    }
    if (value > UINT32_MAX) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

/*
 * The value that `key`'s MAC over `body` has in `_auth`: for MD5 the text alone, for the others
 * the algorithm's code and the text. False when the library does not offer the digest.
 */
static bool authenticator(const struct tsig_key *key, struct span body, struct buffer *out_value)
{
    const struct control_algorithm *algorithm = &algorithms[key->algorithm];
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (HMAC(algorithm->digest(), key->secret, key->secret_length, body.bytes, body.length, mac,
             &length) == NULL) {
        return false;
    }
    buffer_clear(out_value);
    if (key->algorithm == TSIG_HMAC_MD5) {
        base64_encode((struct span){mac, length}, out_value);
        out_value->length = MD5_TEXT_BYTES;
        return true;
    }
    buffer_append_u8(out_value, algorithm->code);
    base64_encode((struct span){mac, length}, out_value);
    while (out_value->length < 1 + SHA_TEXT_BYTES) {
        buffer_append_u8(out_value, 0);
    }
    return true;
}

static void put_header(struct buffer *frame, const char *name, uint8_t type, size_t length)
{
    buffer_append_u8(frame, (uint8_t)strlen(name));
    buffer_append_text(frame, name);
    buffer_append_u8(frame, type);
    buffer_append_u32(frame, (uint32_t)length);
}

static void put_span(struct buffer *frame, const char *name, struct span value)
{
    put_header(frame, name, TYPE_BINARY, value.length);
    buffer_append(frame, value.bytes, value.length);
}

static void put_optional(struct buffer *frame, const char *name, struct span value)
{
    if (value.length > 0) {
        put_span(frame, name, value);
    }
}

static void put_decimal(struct buffer *frame, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    put_span(frame, name, span_of_text(text));
}

static void put_table(struct buffer *frame, const char *name, const struct buffer *entries)
{
    put_header(frame, name, TYPE_TABLE, entries->length);
    buffer_append(frame, entries->bytes, entries->length);
}

static void put_body(const struct control_message *message, struct buffer *body)
{
    struct buffer entries = BUFFER_EMPTY;

    put_decimal(&entries, "_ser", message->serial);
    put_decimal(&entries, "_tim", message->made_at);
    put_decimal(&entries, "_exp", message->expires_at);
    put_optional(&entries, "_frm", message->from);
    put_optional(&entries, "_to", message->to);
    if (message->is_reply) {
        put_span(&entries, "_rpl", span_of_text("1"));
    }
    if (message->nonce != 0) {
        put_decimal(&entries, "_nonce", message->nonce);
    }
    put_table(body, "_ctrl", &entries);

    buffer_clear(&entries);
    put_span(&entries, "type", message->command);
    if (message->is_reply) {
        put_decimal(&entries, "result", message->result);
        put_optional(&entries, "err", message->error);
        put_optional(&entries, "text", message->text);
    }
    put_table(body, "_data", &entries);
    buffer_free(&entries);
}

static enum sg_result decode_control(struct span table, struct control_message *message)
{
    struct reader reader = reader_of(table);
    struct entry entry;
    uint32_t number = 0;
    bool has_serial = false;
    bool has_times[2] = {false, false};

    for (int i = 0; i < ENTRIES_MAX && entry_next(&reader, &entry); i++) {
        if (span_is(entry.name, "_frm")) {
            message->from = entry.value;
        } else if (span_is(entry.name, "_to")) {
            message->to = entry.value;
        } else if (span_is(entry.name, "_rpl")) {
            message->is_reply = true;
        } else if (!decimal(entry.value, &number)) {
            continue; /* A field of a later version, or one that will be missed below. */
        } else if (span_is(entry.name, "_ser")) {
            message->serial = number;
            has_serial = true;
        } else if (span_is(entry.name, "_tim")) {
            message->made_at = number;
            has_times[0] = true;
        } else if (span_is(entry.name, "_exp")) {
            message->expires_at = number;
            has_times[1] = true;
        } else if (span_is(entry.name, "_nonce")) {
            message->nonce = number;
        }
    }
    bool whole = !reader.failed && reader_left(&reader) == 0;
    return whole && has_serial && has_times[0] && has_times[1] ? SG_OK : SG_MALFORMED;
}

static enum sg_result decode_data(struct span table, struct control_message *message)
{
    struct reader reader = reader_of(table);
    struct entry entry;
    bool has_command = false;
    bool valid = true;

    for (int i = 0; i < ENTRIES_MAX && entry_next(&reader, &entry); i++) {
        if (entry.type != TYPE_BINARY) {
            continue;
        }
        if (span_is(entry.name, "type")) {
            message->command = entry.value;
            has_command = true;
        } else if (span_is(entry.name, "result")) {
            valid = decimal(entry.value, &message->result);
        } else if (span_is(entry.name, "err")) {
            message->error = entry.value;
        } else if (span_is(entry.name, "text")) {
            message->text = entry.value;
        }
    }
    bool whole = !reader.failed && reader_left(&reader) == 0;
    return whole && has_command && valid ? SG_OK : SG_MALFORMED;
}

void control_message_encode(const struct control_message *message, const struct tsig_key *key,
                            struct buffer *out_frame)
{
    struct buffer body = BUFFER_EMPTY;
    struct buffer value = BUFFER_EMPTY;
    struct buffer entries = BUFFER_EMPTY;

    put_body(message, &body);
    /* A key whose digest is not on offer gives a MAC of zeros, which no peer accepts. */
    if (!authenticator(key, buffer_span(&body), &value)) {
        buffer_clear(&value);
        while (value.length < 1 + SHA_TEXT_BYTES) {
            buffer_append_u8(&value, 0);
        }
    }
    put_span(&entries, key->algorithm == TSIG_HMAC_MD5 ? "hmd5" : "hsha", buffer_span(&value));

    size_t start = out_frame->length;
    buffer_append_u32(out_frame, 0);
    buffer_append_u32(out_frame, VERSION);
    put_table(out_frame, "_auth", &entries);
    buffer_append(out_frame, body.bytes, body.length);
    wire_put_u32(out_frame->bytes + start, (uint32_t)(out_frame->length - start - 4));

    buffer_free(&entries);
    buffer_free(&value);
    buffer_free(&body);
}

enum sg_result control_message_verify(struct span frame, const struct tsig_key *const *keys,
                                      size_t keys_count, const struct tsig_key **out_key,
                                      struct span *out_body)
{
    struct reader reader = reader_of(frame);
    struct entry auth;
    struct entry mac;

    if (reader_u32(&reader) != VERSION) {
        return reader.failed ? SG_MALFORMED : SG_UNSUPPORTED;
    }
    /* First, since the MAC covers what follows it. */
    if (!entry_next(&reader, &auth) || !span_is(auth.name, "_auth") || auth.type != TYPE_TABLE) {
        return SG_MALFORMED;
    }
    struct reader inner = reader_of(auth.value);
    if (!entry_next(&inner, &mac) || mac.type != TYPE_BINARY) {
        return SG_MALFORMED;
    }
    bool md5 = span_is(mac.name, "hmd5");
    if (!(md5 && mac.value.length == MD5_TEXT_BYTES) &&
        !(span_is(mac.name, "hsha") && mac.value.length == 1 + SHA_TEXT_BYTES)) {
        return SG_MALFORMED;
    }

    struct span body = {reader.at, reader_left(&reader)};
    struct buffer expected = BUFFER_EMPTY;
    enum sg_result result = SG_BAD_SIG;
    for (size_t i = 0; i < keys_count && result != SG_OK; i++) {
        if (md5 == (keys[i]->algorithm == TSIG_HMAC_MD5) &&
            authenticator(keys[i], body, &expected) && expected.length == mac.value.length &&
            CRYPTO_memcmp(expected.bytes, mac.value.bytes, expected.length) == 0) {
            *out_key = keys[i];
            *out_body = body;
            result = SG_OK;
        }
    }
    buffer_wipe(&expected);
    return result;
}

enum sg_result control_message_decode(struct span body, struct control_message *out_message)
{
    struct control_message message = {0};
    struct reader reader = reader_of(body);
    struct entry entry;
    bool has_control = false;
    bool has_data = false;

    for (int i = 0; i < ENTRIES_MAX && entry_next(&reader, &entry); i++) {
        enum sg_result result = SG_OK;
        if (entry.type != TYPE_TABLE) {
            continue;
        }
        if (span_is(entry.name, "_ctrl")) {
            result = decode_control(entry.value, &message);
            has_control = true;
        } else if (span_is(entry.name, "_data")) {
            result = decode_data(entry.value, &message);
            has_data = true;
        }
        if (result != SG_OK) {
            return result;
        }
    }
    if (reader.failed || reader_left(&reader) > 0 || !has_control || !has_data) {
        return SG_MALFORMED;
    }
    *out_message = message;
    return SG_OK;
}
