#include <strings.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "dnssec/keyfile.h"
#include "dnssec/pkey.h"

enum { BASE64_GROUP = 56, DNSKEY_PROTOCOL = 3, WORD_BYTES_MAX = 1024, PUBLIC_TEXT_MAX = 4096 };

static const struct {
    enum key_time time;
    const char *tag;
} comments[] = {
    {KEY_CREATED, "; Created"},          {KEY_PUBLISH, "; Publish"},
    {KEY_ACTIVATE, "; Activate"},        {KEY_REVOKE, "; Revoke"},
    {KEY_INACTIVE, "; Inactive"},        {KEY_DELETE, "; Delete"},
    {KEY_SYNC_PUBLISH, "; SyncPublish"}, {KEY_SYNC_DELETE, "; SyncDelete"},
};

/* The words of the record: blanks, line ends and parentheses part them, comments are skipped. */
static bool next_word(struct span *text, struct span *out_word)
{
    static const char separators[] = " \t\r\n()";
    bool in_comment = false;
    size_t i = 0;
    for (; i < text->length; i++) {
        char byte = (char)text->bytes[i];
        if (byte == '\n') {
            in_comment = false;
        } else if (byte == ';') {
            in_comment = true;
        } else if (!in_comment && (byte == 0 || strchr(separators, byte) == NULL)) {
            break;
        }
    }
    size_t begin = i;
    while (i < text->length && text->bytes[i] != ';' &&
           (text->bytes[i] == 0 || strchr(separators, (char)text->bytes[i]) == NULL)) {
        i++;
    }
    *out_word = (struct span){text->bytes + begin, i - begin};
    text->bytes += i;
    text->length -= i;
    return out_word->length > 0;
}

static bool word_is(struct span word, const char *text)
{
    return word.length == strlen(text) &&
           strncasecmp((const char *)word.bytes, text, word.length) == 0;
}

static bool next_number(struct span *text, uint32_t max, uint32_t *out_number)
{
    struct span word;
    return next_word(text, &word) && keyfile_number(word, max, out_number) == SG_OK;
}

/* What stands before the rdata: owner, perhaps a TTL, IN, DNSKEY. */
static enum sg_result read_head(struct span *text, struct signing_key *key,
                                struct keyfile_problem *problem)
{
    struct span word;
    if (!next_word(text, &word)) {
        return keyfile_fail(problem, SG_MALFORMED, 0, "holds no DNSKEY record");
    }
    if (dns_name_from_text((const char *)word.bytes, word.length, NULL, &key->zone) != SG_OK) {
        return keyfile_fail(problem, SG_MALFORMED, 0, "the owner is not a domain name");
    }
    dns_name_lower(&key->zone);
    bool has_word = next_word(text, &word);
    if (has_word && word.bytes[0] >= '0' && word.bytes[0] <= '9') {
        if (keyfile_number(word, INT32_MAX, &key->ttl) != SG_OK) {
            return keyfile_fail(problem, SG_MALFORMED, 0, "the TTL is not a number of seconds");
        }
        has_word = next_word(text, &word);
    }
    if (!has_word || !word_is(word, "IN")) {
        return keyfile_fail(problem, SG_MALFORMED, 0, "expected class IN");
    }
    if (!next_word(text, &word) || !word_is(word, "DNSKEY")) {
        return keyfile_fail(problem, SG_MALFORMED, 0, "expected a DNSKEY record");
    }
    return SG_OK;
}

static enum sg_result read_rdata(struct span text, struct buffer *out_rdata,
                                 struct keyfile_problem *problem)
{
    uint32_t flags, protocol, algorithm;
    if (!next_number(&text, UINT16_MAX, &flags) || !next_number(&text, UINT8_MAX, &protocol)) {
        return keyfile_fail(problem, SG_MALFORMED, 0, "DNSKEY flags and protocol expected");
    }
    if (protocol != DNSKEY_PROTOCOL) {
        return keyfile_fail(problem, SG_MALFORMED, 0, "the DNSKEY's protocol is not 3");
    }
    if (!next_number(&text, UINT8_MAX, &algorithm)) {
        return keyfile_fail(problem, SG_MALFORMED, 0, "DNSKEY algorithm number expected");
    }
    buffer_append_u16(out_rdata, (uint16_t)flags);
    buffer_append_u8(out_rdata, (uint8_t)protocol);
    buffer_append_u8(out_rdata, (uint8_t)algorithm);
    struct buffer base64 = BUFFER_EMPTY;
    for (struct span word; next_word(&text, &word) && base64.length < PUBLIC_TEXT_MAX;) {
        buffer_append(&base64, word.bytes, word.length);
    }
    enum sg_result result = base64.length < PUBLIC_TEXT_MAX
                                ? base64_decode(buffer_span(&base64), out_rdata)
                                : SG_MALFORMED;
    buffer_free(&base64);
    return result == SG_OK ? SG_OK
                           : keyfile_fail(problem, SG_MALFORMED, 0, "the public key is not base64");
}

enum sg_result keyfile_public_read(struct span text, struct signing_key *key,
                                   struct keyfile_problem *problem)
{
    struct buffer rdata = BUFFER_EMPTY;
    enum sg_result result = read_head(&text, key, problem);
    if (result != SG_OK) {
        goto out;
    }
    result = read_rdata(text, &rdata, problem);
    if (result != SG_OK) {
        goto out;
    }
    uint16_t flags = wire_get_u16(rdata.bytes);
    uint8_t algorithm = rdata.bytes[3];
    if ((flags & KEY_FLAG_ZONE) == 0) {
        result = keyfile_fail(problem, SG_MALFORMED, 0, "the DNSKEY is not a zone key (RFC 4034)");
        goto out;
    }
    if (!dnssec_algorithm_is_known(algorithm)) {
        result = keyfile_fail(problem, SG_UNSUPPORTED, 0, "the key's algorithm is not supported");
        goto out;
    }
    unsigned bits;
    result = pkey_public_bits(algorithm, (struct span){rdata.bytes + 4, rdata.length - 4}, &bits);
    if (result != SG_OK) {
        result = keyfile_fail(problem, SG_MALFORMED, 0, "the public key has the wrong size");
        goto out;
    }
    key->flags = flags;
    key->algorithm = algorithm;
    key->bits = (uint16_t)bits;
    key->tag = dnskey_tag(buffer_span(&rdata));
    key->dnskey = (struct span){mem_copy(rdata.bytes, rdata.length), rdata.length};

out:
    buffer_free(&rdata);
    return result;
}

static void read_time(const struct keyfile_line *line, struct signing_key *key)
{
    for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
        sg_time when;
        if (keyfile_line_is(line, comments[i].tag) && keyfile_time(line->value, &when) == SG_OK) {
            key->times[comments[i].time] = when;
        }
    }
}

enum sg_result keyfile_public_read_times(struct span text, struct signing_key *key,
                                         struct keyfile_problem *problem)
{
    struct keyfile_line line = keyfile_lines(text);
    (void)problem;
    while (keyfile_line_next(&line)) {
        read_time(&line, key);
    }
    return SG_OK;
}

void keyfile_public_write(const struct signing_key *key, struct buffer *out_text)
{
    char zone[DNS_NAME_TEXT_BYTES];
    dns_name_to_text(&key->zone, zone);
    buffer_format(out_text, "; This is a %s%s-signing key, keyid %u, for %s\n",
                  (key->flags & KEY_FLAG_REVOKE) != 0 ? "revoked " : "",
                  (key->flags & KEY_FLAG_SEP) != 0 ? "key" : "zone", key->tag, zone);
    for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
        if (key->times[comments[i].time] != KEY_TIME_UNSET) {
            keyfile_append_time(out_text, comments[i].tag, key->times[comments[i].time]);
        }
    }
    buffer_format(out_text, "%s ", zone);
    if (key->ttl != 0) {
        buffer_format(out_text, "%u ", key->ttl);
    }
    buffer_format(out_text, "IN DNSKEY %u %u %u", key->flags, DNSKEY_PROTOCOL, key->algorithm);
    struct buffer base64 = BUFFER_EMPTY;
    base64_encode((struct span){key->dnskey.bytes + 4, key->dnskey.length - 4}, &base64);
    for (size_t at = 0; at < base64.length; at += BASE64_GROUP) {
        size_t left = base64.length - at;
        buffer_append_u8(out_text, ' ');
        buffer_append(out_text, base64.bytes + at, left < BASE64_GROUP ? left : BASE64_GROUP);
    }
    buffer_append_u8(out_text, '\n');
    buffer_free(&base64);
}
