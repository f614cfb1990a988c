#include "dns/tsig.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dns/rrtype.h"

enum {
    RECORD_TAIL_BYTES = 10,
    RDATA_FIXED_BYTES = 16, /* time, fudge, MAC size, original id, error, other length */
    TIME_BYTES = 6,
    MAC_BYTES_MIN = 10, /* RFC 8945 5.2.2.1 */
};

static const struct {
    const char *text;
    const char *digest;
    uint8_t mac_bytes;
    struct dns_name name;
} algorithms[TSIG_ALGORITHMS] = {
    [TSIG_HMAC_MD5] = {"hmac-md5.sig-alg.reg.int",
                       "MD5",
                       16,
                       {26, 4, "\x08hmac-md5\x07sig-alg\x03reg\x03int"}},
    [TSIG_HMAC_SHA1] = {"hmac-sha1", "SHA1", 20, {11, 1, "\x09hmac-sha1"}},
    [TSIG_HMAC_SHA224] = {"hmac-sha224", "SHA224", 28, {13, 1, "\x0bhmac-sha224"}},
    [TSIG_HMAC_SHA256] = {"hmac-sha256", "SHA256", 32, {13, 1, "\x0bhmac-sha256"}},
    [TSIG_HMAC_SHA384] = {"hmac-sha384", "SHA384", 48, {13, 1, "\x0bhmac-sha384"}},
    [TSIG_HMAC_SHA512] = {"hmac-sha512", "SHA512", 64, {13, 1, "\x0bhmac-sha512"}},
};

/* The rdata of a TSIG RR (RFC 8945 4.2); spans lie in the message. */
struct tsig_record {
    struct dns_name key_name; /* lower case, as the two names are digested */
    struct dns_name algorithm_name;
    uint64_t time_signed;
    uint16_t fudge;
    struct span mac;
    uint16_t original_id;
    uint16_t error;
    struct span other;
};

/* A MAC in the making. Keeps its first failure, so that it can be fed straight down. */
struct tsig_digest {
    EVP_MAC_CTX *hmac;
    bool failed;
};

static EVP_MAC *hmac_fetched;
static pthread_once_t hmac_fetch_once = PTHREAD_ONCE_INIT;

static void hmac_fetch(void)
{
    hmac_fetched = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static struct tsig_digest digest_begin(const struct tsig_key *key)
{
    pthread_once(&hmac_fetch_once, hmac_fetch);
    struct tsig_digest digest = {EVP_MAC_CTX_new(hmac_fetched), false};

    /* OpenSSL wants the name writable, but does not write it. */
    union {
        const char *text;
        char *writable;
    } name = {.text = algorithms[key->algorithm].digest};
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.writable, 0),
        OSSL_PARAM_construct_end(),
    };
    digest.failed = digest.hmac == NULL ||
                    EVP_MAC_init(digest.hmac, key->secret, key->secret_length, params) != 1;
    return digest;
}

static void digest_add(struct tsig_digest *digest, const void *bytes, size_t length)
{
    if (!digest->failed && length > 0) {
        digest->failed = EVP_MAC_update(digest->hmac, bytes, length) != 1;
    }
}

static void digest_add_u16(struct tsig_digest *digest, uint16_t value)
{
    uint8_t bytes[2];
    wire_put_u16(bytes, value);
    digest_add(digest, bytes, sizeof(bytes));
}

/* RFC 8945 4.3.1: the MAC that this message answers or follows. */
static void digest_add_prior(struct tsig_digest *digest, const struct tsig_exchange *exchange)
{
    digest_add_u16(digest, exchange->mac_length);
    digest_add(digest, exchange->mac, exchange->mac_length);
}

/* RFC 8945 4.3.2: a message as it was before its TSIG was added, under its original id. */
static void digest_add_message(struct tsig_digest *digest, struct span message, uint16_t id,
                               uint16_t arcount)
{
    uint8_t header[DNS_HEADER_BYTES];
    memcpy(header, message.bytes, sizeof(header));
    wire_put_u16(header, id);
    wire_put_u16(header + 10, arcount);
    digest_add(digest, header, sizeof(header));
    digest_add(digest, message.bytes + sizeof(header), message.length - sizeof(header));
}

static void time_put(uint8_t *at, uint64_t when)
{
    wire_put_u16(at, (uint16_t)(when >> 32));
    wire_put_u32(at + 2, (uint32_t)when);
}

/* RFC 8945 4.3.3; messages after the first of a transfer cover the timers alone (5.3.1). */
static void digest_add_variables(struct tsig_digest *digest, const struct tsig_record *record,
                                 bool timers_only)
{
    uint8_t timers[TIME_BYTES + 2];
    time_put(timers, record->time_signed);
    wire_put_u16(timers + TIME_BYTES, record->fudge);
    if (timers_only) {
        digest_add(digest, timers, sizeof(timers));
        return;
    }
    static const uint8_t class_and_ttl[6] = {0, DNS_CLASS_ANY, 0, 0, 0, 0};
    digest_add(digest, record->key_name.wire, record->key_name.length);
    digest_add(digest, class_and_ttl, sizeof(class_and_ttl));
    digest_add(digest, record->algorithm_name.wire, record->algorithm_name.length);
    digest_add(digest, timers, sizeof(timers));
    digest_add_u16(digest, record->error);
    digest_add_u16(digest, (uint16_t)record->other.length);
    digest_add(digest, record->other.bytes, record->other.length);
}

/* Ends the digest in any case. */
static bool digest_end(struct tsig_digest *digest, uint8_t out_mac[TSIG_MAC_BYTES_MAX])
{
    size_t length;
    bool ok =
        !digest->failed && EVP_MAC_final(digest->hmac, out_mac, &length, TSIG_MAC_BYTES_MAX) == 1;
    EVP_MAC_CTX_free(digest->hmac);
    digest->hmac = NULL;
    return ok;
}

/* The digest over what went unsigned since the last MAC, or a new one that begins with that MAC. */
static struct tsig_digest digest_continue(struct tsig_exchange *exchange)
{
    if (exchange->running != NULL) {
        struct tsig_digest running = {exchange->running, false};
        exchange->running = NULL;
        exchange->unsigned_count = 0;
        return running;
    }
    struct tsig_digest digest = digest_begin(exchange->key);
    if (exchange->mac_length > 0) {
        digest_add_prior(&digest, exchange);
    }
    return digest;
}

static enum sg_result record_parse(const struct dns_message *message,
                                   struct tsig_record *out_record)
{
    struct dns_record record;
    if (dns_record_parse(message->wire, message->tsig_offset, &record) != SG_OK ||
        record.rrclass != DNS_CLASS_ANY || record.ttl != 0) {
        return SG_MALFORMED;
    }
    struct reader reader =
        reader_of((struct span){message->wire.bytes + record.rdata_offset, record.rdata_length});
    if (dns_name_from_wire((struct span){reader.at, reader_left(&reader)},
                           &out_record->algorithm_name) != SG_OK) {
        return SG_MALFORMED;
    }
    reader_span(&reader, out_record->algorithm_name.length);
    out_record->time_signed = (uint64_t)reader_u16(&reader) << 32;
    out_record->time_signed |= reader_u32(&reader);
    out_record->fudge = reader_u16(&reader);
    out_record->mac = reader_span(&reader, reader_u16(&reader));
    out_record->original_id = reader_u16(&reader);
    out_record->error = reader_u16(&reader);
    out_record->other = reader_span(&reader, reader_u16(&reader));
    if (reader.failed || reader_left(&reader) != 0) {
        return SG_MALFORMED;
    }
    out_record->key_name = record.owner;
    dns_name_lower(&out_record->key_name);
    dns_name_lower(&out_record->algorithm_name);
    return SG_OK;
}

static const struct tsig_key *key_find(const struct tsig_key *const *keys, size_t count,
                                       const struct tsig_record *record)
{
    for (size_t i = 0; i < count; i++) {
        if (dns_name_equal(&keys[i]->name, &record->key_name) &&
            dns_name_equal(&algorithms[keys[i]->algorithm].name, &record->algorithm_name)) {
            return keys[i];
        }
    }
    return NULL;
}

/* What local policy asks for, in bytes. */
static size_t key_mac_bytes(const struct tsig_key *key)
{
    return key->mac_bits != 0 ? key->mac_bits / 8u : algorithms[key->algorithm].mac_bytes;
}

/* RFC 8945 5.2.2.1: shorter than that, or longer than the hash, is a FORMERR. */
static bool mac_length_is_legal(const struct tsig_key *key, size_t length)
{
    size_t whole = algorithms[key->algorithm].mac_bytes;
    size_t least = whole / 2 > MAC_BYTES_MIN ? whole / 2 : MAC_BYTES_MIN;
    return length >= least && length <= whole;
}

static bool time_is_near(const struct tsig_record *record, sg_time now)
{
    int64_t difference = now - (int64_t)record->time_signed;
    return difference >= -(int64_t)record->fudge && difference <= record->fudge;
}

/* Is the MAC in `record` that of `message`, given what `digest` covers already? Ends the digest. */
static bool mac_is_right(struct tsig_digest *digest, const struct dns_message *message,
                         const struct tsig_record *record, bool timers_only)
{
    uint8_t mac[TSIG_MAC_BYTES_MAX];
    struct span covered = {message->wire.bytes, message->tsig_offset};
    digest_add_message(digest, covered, record->original_id, (uint16_t)(message->counts[3] - 1));
    digest_add_variables(digest, record, timers_only);
    bool right =
        digest_end(digest, mac) && CRYPTO_memcmp(mac, record->mac.bytes, record->mac.length) == 0;
    mem_wipe(mac, sizeof(mac));
    return right;
}

static void exchange_init(struct tsig_exchange *exchange)
{
    memset(exchange, 0, sizeof(*exchange));
    exchange->key_name = dns_name_root;
    exchange->algorithm_name = dns_name_root;
}

static void exchange_keep_mac(struct tsig_exchange *exchange, const uint8_t *mac, size_t length)
{
    ASSERT(length <= TSIG_MAC_BYTES_MAX);
    memcpy(exchange->mac, mac, length);
    exchange->mac_length = (uint16_t)length;
}

/* BADKEY and BADSIG mean that no MAC of ours would convince the peer (RFC 8945 5.3.2). */
static bool exchange_signs(const struct tsig_exchange *exchange)
{
    return exchange->error != DNS_RCODE_BADKEY && exchange->error != DNS_RCODE_BADSIG;
}

/* Never shorter than what the peer sent, so that its policy is met as well as ours. */
static size_t exchange_mac_bytes(const struct tsig_exchange *exchange)
{
    if (!exchange_signs(exchange)) {
        return 0;
    }
    size_t policy = key_mac_bytes(exchange->key);
    return exchange->mac_length > policy ? exchange->mac_length : policy;
}

/* Write the TSIG RR behind `length` bytes of a message; the MAC in `record` is already made. */
static void record_write(const struct tsig_exchange *exchange, const struct tsig_record *record,
                         struct writer *writer)
{
    size_t rdata_length = record->algorithm_name.length + RDATA_FIXED_BYTES + record->mac.length +
                          record->other.length;
    writer_bytes(writer, exchange->key_name.wire, exchange->key_name.length);
    writer_u16(writer, DNS_TYPE_TSIG);
    writer_u16(writer, DNS_CLASS_ANY);
    writer_u32(writer, 0);
    writer_u16(writer, (uint16_t)rdata_length);
    writer_bytes(writer, record->algorithm_name.wire, record->algorithm_name.length);
    writer_u16(writer, (uint16_t)(record->time_signed >> 32));
    writer_u32(writer, (uint32_t)record->time_signed);
    writer_u16(writer, record->fudge);
    writer_u16(writer, (uint16_t)record->mac.length);
    writer_bytes(writer, record->mac.bytes, record->mac.length);
    writer_u16(writer, record->original_id);
    writer_u16(writer, record->error);
    writer_u16(writer, (uint16_t)record->other.length);
    writer_bytes(writer, record->other.bytes, record->other.length);
}

static const struct {
    uint16_t error;
    enum sg_result result;
} error_results[] = {
    {DNS_RCODE_BADSIG, SG_BAD_SIG},
    {DNS_RCODE_BADKEY, SG_BAD_KEY},
    {DNS_RCODE_BADTIME, SG_BAD_TIME},
    {DNS_RCODE_BADTRUNC, SG_BAD_SIG},
};

static enum sg_result error_result(uint16_t error)
{
    for (size_t i = 0; i < ARRAY_LEN(error_results); i++) {
        if (error_results[i].error == error) {
            return error_results[i].result;
        }
    }
    return error == 0 ? SG_OK : SG_MALFORMED;
}

/* RFC 8945 5.2.3 and 5.2.4, in this order, once the MAC is right. */
static uint16_t policy_error(const struct tsig_key *key, const struct tsig_record *record,
                             sg_time now)
{
    if (!time_is_near(record, now)) {
        return DNS_RCODE_BADTIME;
    }
    return record->mac.length < key_mac_bytes(key) ? DNS_RCODE_BADTRUNC : 0;
}

/* "-128", or nothing for the whole MAC. */
static bool mac_bits_from_text(enum tsig_algorithm algorithm, const char *text,
                               uint16_t *out_mac_bits)
{
    const struct tsig_key key = {.algorithm = algorithm};
    unsigned long whole = algorithms[algorithm].mac_bytes * 8u;
    unsigned long bits = whole;
    if (text[0] != '\0') {
        char *after;
        bits = strtoul(text + 1, &after, 10);
        if (text[1] < '0' || text[1] > '9' || *after != '\0' || bits > whole) {
            return false;
        }
    }
    if (bits % 8 != 0 || !mac_length_is_legal(&key, bits / 8)) {
        return false;
    }
    *out_mac_bits = bits == whole ? 0 : (uint16_t)bits;
    return true;
}

enum sg_result tsig_algorithm_from_text(const char *text, enum tsig_algorithm *out_algorithm,
                                        uint16_t *out_mac_bits)
{
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '.') {
        length--;
    }
    for (enum tsig_algorithm a = 0; a < TSIG_ALGORITHMS; a++) {
        size_t whole = strlen(algorithms[a].text);
        if (length == whole && strncasecmp(text, algorithms[a].text, whole) == 0) {
            *out_algorithm = a;
            *out_mac_bits = 0;
            return SG_OK;
        }
        /* "hmac-md5" for short, and "hmac-sha256-128" for a truncated MAC */
        size_t stem = strcspn(algorithms[a].text, ".");
        if (strncasecmp(text, algorithms[a].text, stem) == 0 &&
            (text[stem] == '-' || text[stem] == '\0') &&
            mac_bits_from_text(a, text + stem, out_mac_bits)) {
            *out_algorithm = a;
            return SG_OK;
        }
    }
    return SG_MALFORMED;
}

const char *tsig_algorithm_text(enum tsig_algorithm algorithm)
{
    ASSERT(algorithm < TSIG_ALGORITHMS);
    return algorithm == TSIG_HMAC_MD5 ? "hmac-md5" : algorithms[algorithm].text;
}

enum sg_result tsig_verify_request(const struct dns_message *message,
                                   const struct tsig_key *const *keys, size_t keys_count,
                                   sg_time now, struct tsig_exchange *out_exchange)
{
    struct tsig_exchange *exchange = out_exchange;
    struct tsig_record record;

    exchange_init(exchange);
    if (message->tsig_offset == 0) {
        return SG_OK;
    }
    if (record_parse(message, &record) != SG_OK) {
        return SG_MALFORMED;
    }
    exchange->time_signed = record.time_signed;
    exchange->fudge = record.fudge;
    exchange->key_name = record.key_name;
    exchange->algorithm_name = record.algorithm_name;
    exchange->original_id = record.original_id;

    const struct tsig_key *key = key_find(keys, keys_count, &record);
    if (key == NULL) {
        exchange->error = DNS_RCODE_BADKEY;
        return SG_BAD_KEY;
    }
    if (!mac_length_is_legal(key, record.mac.length)) {
        return SG_MALFORMED;
    }
    struct tsig_digest digest = digest_begin(key);
    if (!mac_is_right(&digest, message, &record, false)) {
        exchange->error = DNS_RCODE_BADSIG;
        return SG_BAD_SIG;
    }
    exchange->key = key;
    exchange_keep_mac(exchange, record.mac.bytes, record.mac.length);
    exchange->error = policy_error(key, &record, now);
    return error_result(exchange->error);
}

size_t tsig_reserve(const struct tsig_exchange *exchange)
{
    if (exchange->key == NULL && exchange->error == 0) {
        return 0;
    }
    size_t names = (size_t)exchange->key_name.length + exchange->algorithm_name.length;
    size_t other = exchange->error == DNS_RCODE_BADTIME ? TIME_BYTES : 0;
    return names + RECORD_TAIL_BYTES + RDATA_FIXED_BYTES + exchange_mac_bytes(exchange) + other;
}

size_t tsig_sign(struct tsig_exchange *exchange, sg_time now, uint8_t *bytes, size_t length,
                 size_t bytes_max)
{
    size_t reserve = tsig_reserve(exchange);
    if (reserve == 0) {
        return length;
    }
    ASSERT(length >= DNS_HEADER_BYTES && length <= bytes_max);
    uint16_t arcount = wire_get_u16(bytes + 10);
    if (bytes_max - length < reserve || arcount == UINT16_MAX) {
        return 0;
    }
    uint8_t mac[TSIG_MAC_BYTES_MAX];
    uint8_t server_time[TIME_BYTES];
    struct tsig_record record = {
        .key_name = exchange->key_name,
        .algorithm_name = exchange->algorithm_name,
        .time_signed = (uint64_t)now,
        .fudge = TSIG_FUDGE,
        .mac = {mac, exchange_mac_bytes(exchange)},
        .original_id = wire_get_u16(bytes),
        .error = exchange->error,
    };
    if (exchange->error == DNS_RCODE_BADTIME) {
        /* RFC 8945 5.2.3: the client's own time, so that it can verify, and ours beside it. */
        time_put(server_time, (uint64_t)now);
        record.time_signed = exchange->time_signed;
        record.fudge = exchange->fudge;
        record.other = (struct span){server_time, sizeof(server_time)};
    }
    if (exchange_signs(exchange)) {
        struct tsig_digest digest = digest_continue(exchange);
        digest_add(&digest, bytes, length);
        digest_add_variables(&digest, &record, exchange->first_sent);
        if (!digest_end(&digest, mac)) {
            return 0;
        }
        exchange_keep_mac(exchange, mac, record.mac.length);
        exchange->first_sent = true;
    }
    struct writer writer = writer_of(bytes + length, bytes_max - length);
    record_write(exchange, &record, &writer);
    ASSERT(!writer.failed && writer_length(&writer) == reserve);
    wire_put_u16(bytes + 10, (uint16_t)(arcount + 1));
    return length + reserve;
}

void tsig_skip(struct tsig_exchange *exchange, const uint8_t *bytes, size_t length)
{
    if (exchange->key == NULL) {
        return;
    }
    ASSERT(exchange->first_sent && exchange->unsigned_count < TSIG_UNSIGNED_MAX);
    uint16_t count = exchange->unsigned_count;
    struct tsig_digest digest = digest_continue(exchange);
    digest_add(&digest, bytes, length);
    ASSERT(!digest.failed); /* The same key has made a MAC before. */
    exchange->running = digest.hmac;
    exchange->unsigned_count = (uint16_t)(count + 1);
}

size_t tsig_sign_request(const struct tsig_key *key, sg_time now, uint8_t *bytes, size_t length,
                         size_t bytes_max, struct tsig_exchange *out_exchange)
{
    exchange_init(out_exchange);
    out_exchange->key = key;
    out_exchange->key_name = key->name;
    out_exchange->algorithm_name = algorithms[key->algorithm].name;
    out_exchange->time_signed = (uint64_t)now;
    out_exchange->fudge = TSIG_FUDGE;
    out_exchange->original_id = wire_get_u16(bytes);
    dns_name_lower(&out_exchange->key_name);
    size_t signed_length = tsig_sign(out_exchange, now, bytes, length, bytes_max);
    out_exchange->first_sent = false; /* From here on it counts what is received. */
    return signed_length;
}

enum sg_result tsig_verify_response(struct tsig_exchange *exchange,
                                    const struct dns_message *message, sg_time now)
{
    struct tsig_record record;

    ASSERT(exchange->key != NULL);
    if (message->tsig_offset == 0) {
        if (!exchange->first_sent || exchange->unsigned_count == TSIG_UNSIGNED_MAX) {
            return SG_BAD_SIG; /* RFC 8945 5.3.1: the first one is signed. */
        }
        tsig_skip(exchange, message->wire.bytes, message->wire.length);
        return SG_OK;
    }
    if (record_parse(message, &record) != SG_OK) {
        return SG_MALFORMED;
    }
    if (key_find(&exchange->key, 1, &record) == NULL) {
        return SG_BAD_KEY;
    }
    if (record.mac.length == 0 && record.error != 0) {
        return error_result(record.error);
    }
    if (!mac_length_is_legal(exchange->key, record.mac.length)) {
        return SG_MALFORMED;
    }
    struct tsig_digest digest = digest_continue(exchange);
    if (!mac_is_right(&digest, message, &record, exchange->first_sent)) {
        return SG_BAD_SIG;
    }
    exchange_keep_mac(exchange, record.mac.bytes, record.mac.length);
    exchange->first_sent = true;
    if (record.error != 0) {
        return error_result(record.error);
    }
    return error_result(policy_error(exchange->key, &record, now));
}

bool tsig_is_settled(const struct tsig_exchange *exchange)
{
    return exchange->first_sent && exchange->running == NULL;
}

void tsig_exchange_clear(struct tsig_exchange *exchange)
{
    EVP_MAC_CTX_free(exchange->running);
    mem_wipe(exchange, sizeof(*exchange));
}
