/*
 * dns/tsig.h - transaction signatures (RFC 8945)
 *
 * Algorithms hmac-md5 (refused unless a key names it), -sha1, -sha224, -sha256, -sha384, -sha512,
 * truncation as 5.2.2.1 says. A context carries what a reply, and every message of a transfer,
 * must cover. Secrets are wiped when freed and never printed.
 */
#pragma once

#include "base/time.h"
#include "dns/message.h"

enum tsig_algorithm {
    TSIG_HMAC_MD5,
    TSIG_HMAC_SHA1,
    TSIG_HMAC_SHA224,
    TSIG_HMAC_SHA256,
    TSIG_HMAC_SHA384,
    TSIG_HMAC_SHA512,
    TSIG_ALGORITHMS
};

enum {
    TSIG_MAC_BYTES_MAX = 64,
    TSIG_FUDGE = 300,
    TSIG_SECRET_BYTES_MAX = 512,
    TSIG_UNSIGNED_MAX = 99, /* messages between two signed ones, RFC 8945 5.3.1 */
    TSIG_RR_BYTES_MAX = 255 + 10 + 255 + 16 + 64 + 6
};

struct tsig_key {
    struct dns_name name; /* lower case */
    enum tsig_algorithm algorithm;
    uint16_t mac_bits; /* 0: the whole MAC; "hmac-sha256-128" gives 128 */
    uint16_t secret_length;
    uint8_t secret[TSIG_SECRET_BYTES_MAX];
};

/* "hmac-sha256", "hmac-sha256-128", "hmac-md5.sig-alg.reg.int"; case ignored. */
MUST_USE enum sg_result tsig_algorithm_from_text(const char *text,
                                                 enum tsig_algorithm *out_algorithm,
                                                 uint16_t *out_mac_bits);
const char *tsig_algorithm_text(enum tsig_algorithm algorithm);

/* State of one signed exchange. A plain value; tsig_exchange_clear() wipes it. */
struct tsig_exchange {
    const struct tsig_key *key; /* borrowed; NULL: the request was not signed */
    uint16_t error;             /* 0, BADSIG, BADKEY, BADTIME, BADTRUNC: for the response's TSIG */
    uint64_t time_signed;       /* of the request */
    uint16_t fudge;
    uint16_t mac_length; /* the MAC that the next message covers */
    uint8_t mac[TSIG_MAC_BYTES_MAX];
    bool first_sent;          /* later messages of a transfer cover only the timers (5.3.1) */
    struct dns_name key_name; /* of the request, lower case */
    struct dns_name algorithm_name;
    uint16_t original_id;
    uint16_t unsigned_count; /* messages that `running` covers */
    void *running;           /* private: digest over unsigned messages between two signed ones */
};

/*
 * Verify the TSIG of a parsed request against `keys`. SG_OK (`key` stays NULL if there is no
 * TSIG); SG_BAD_KEY, SG_BAD_SIG, SG_BAD_TIME (RFC 8945 5.2): `error` is set, answer NOTAUTH and
 * call tsig_sign() as for any response: it makes the unsigned TSIG of BADKEY and BADSIG and the
 * signed one of BADTIME and BADTRUNC (a SG_BAD_SIG too). SG_MALFORMED: FORMERR, without TSIG.
 * `out_exchange` is usable in all cases; `key` names who asked only after SG_OK.
 */
MUST_USE enum sg_result tsig_verify_request(const struct dns_message *message,
                                            const struct tsig_key *const *keys, size_t keys_count,
                                            sg_time now, struct tsig_exchange *out_exchange);
/*
 * Append a TSIG RR to the response of `length` bytes in `bytes` (capacity `bytes_max`), raise
 * ARCOUNT, and remember the MAC for the next message. Returns the new length, or 0 if it does not
 * fit (the caller reserves tsig_reserve() bytes). Without TSIG in the request: nothing to do.
 */
size_t tsig_sign(struct tsig_exchange *exchange, sg_time now, uint8_t *bytes, size_t length,
                 size_t bytes_max);
/* Bytes that tsig_sign() will need. 0 for an exchange without TSIG. */
size_t tsig_reserve(const struct tsig_exchange *exchange);
/* A message of a transfer that goes unsigned (RFC 8945 5.3.1): it is covered by the next one. */
void tsig_skip(struct tsig_exchange *exchange, const uint8_t *bytes, size_t length);
/* Begin an exchange as the client: sign a request, verify the answer(s). */
size_t tsig_sign_request(const struct tsig_key *key, sg_time now, uint8_t *bytes, size_t length,
                         size_t bytes_max, struct tsig_exchange *out_exchange);
/*
 * SG_OK also for a message of a transfer without TSIG, up to TSIG_UNSIGNED_MAX in a row: whoever
 * uses what came asks tsig_is_settled() at the end. Otherwise as above; a TSIG that reports the
 * peer's error gives that error.
 */
MUST_USE enum sg_result tsig_verify_response(struct tsig_exchange *exchange,
                                             const struct dns_message *message, sg_time now);
/* Does a verified TSIG cover everything that was received? */
bool tsig_is_settled(const struct tsig_exchange *exchange);
void tsig_exchange_clear(struct tsig_exchange *exchange);
