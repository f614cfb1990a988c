/*
 * dnssec/key.h - one DNSSEC key: its identity, its public and private half, its times and states
 *
 * The identity of a key is its own object, apart from zone and tag, since keys may be shared and
 * tags change when a key is revoked. Times and states are exactly what BIND's three key files
 * hold; what they mean is kasp/'s business.
 */
#pragma once

#include "base/time.h"
#include "dns/name.h"
#include "dnssec/algorithm.h"

#define KEY_TIME_UNSET ((sg_time)INT64_MIN)

enum key_time { /* in the order of BIND's files */
                KEY_CREATED,
                KEY_PUBLISH,
                KEY_ACTIVATE,
                KEY_REVOKE,
                KEY_INACTIVE,
                KEY_DELETE,
                KEY_DS_PUBLISH,
                KEY_DS_REMOVED,
                KEY_SYNC_PUBLISH,
                KEY_SYNC_DELETE,
                KEY_SIG_PUBLISH,
                KEY_SIG_REMOVED,
                KEY_TIMES
};

enum key_record {
    KEY_RECORD_DNSKEY,
    KEY_RECORD_ZRRSIG,
    KEY_RECORD_KRRSIG,
    KEY_RECORD_DS,
    KEY_RECORDS
};

enum key_state_value {
    KEY_STATE_HIDDEN,
    KEY_STATE_RUMOURED,
    KEY_STATE_OMNIPRESENT,
    KEY_STATE_UNRETENTIVE,
    KEY_STATE_NA, /* not tracked for this role, or absent from the file */
};

/* The content of the .state file, beyond times. */
struct key_state {
    bool present; /* a .state file was there */
    bool ksk, zsk;
    bool has_roles; /* KSK: and ZSK: lines were there */
    bool has_lifetime;
    uint32_t lifetime; /* seconds, 0: unlimited */
    bool has_predecessor, has_successor;
    uint16_t predecessor, successor; /* key tags */
    uint32_t ds_publish_count, ds_removed_count;
    bool has_ds_publish_count, has_ds_removed_count;
    enum key_state_value goal; /* KEY_STATE_NA: absent */
    enum key_state_value records[KEY_RECORDS];
    sg_time changes[KEY_RECORDS];
};

enum { KEY_FLAG_ZONE = 256, KEY_FLAG_SEP = 1, KEY_FLAG_REVOKE = 128, KEY_PUBLIC_BYTES_MAX = 1024 };

struct signing_key_secret; /* opaque: the OpenSSL key; shared, counted */

struct signing_key {
    struct dns_name zone; /* lower case */
    uint8_t algorithm;
    uint16_t flags;
    uint16_t tag;
    uint16_t bits;
    uint32_t ttl;       /* of the DNSKEY record in the .key file; 0: not given */
    struct span dnskey; /* rdata: flags, protocol, algorithm, public key; owned */
    sg_time times[KEY_TIMES];
    struct key_state state;
    char *folder;                      /* where its files are */
    struct signing_key_secret *secret; /* NULL: only the public half is here */
};

/* No times, no states, neither half. */
void signing_key_init(struct signing_key *key);
/* A copy that shares the secret. */
struct signing_key *signing_key_copy(const struct signing_key *key);
void signing_key_free(struct signing_key *key); /* wipes; NULL is fine */
/* Key tag of DNSKEY rdata (RFC 4034 appendix B). */
uint16_t dnskey_tag(struct span dnskey);
/* Can DNSKEY rdata hold a key of its algorithm? SG_MALFORMED: none; SG_UNSUPPORTED: who knows;
 * SG_LIMIT: one that is larger than ours may be. */
MUST_USE enum sg_result dnskey_check(struct span dnskey);
/* "Kexample.test.+013+05915", BIND's escapes included; the caller frees. */
char *signing_key_file_name(const struct signing_key *key);
/* "example.test/ECDSAP256SHA256/5915", as log lines have it. The caller frees. */
char *signing_key_text(const struct signing_key *key);
/* DS or CDS rdata of the key (digest type 1, 2 or 4), appended. */
MUST_USE enum sg_result signing_key_ds(const struct signing_key *key, uint8_t digest_type,
                                       struct buffer *out_rdata);
