#include "keeper/ds_match.h"

#include <string.h>

/* Digest types of which signing_key_ds() knows how they are made (RFC 4034, 4509, 6605). */
static const uint8_t digest_types[DS_MATCH_DIGESTS] = {1, 2, 4};

struct ds_match_key ds_match_key_of(const struct signing_key *key)
{
    struct ds_match_key match = {.tag = key->tag, .algorithm = key->algorithm};
    for (size_t i = 0; i < DS_MATCH_DIGESTS; i++) {
        if (signing_key_ds(key, digest_types[i], &match.rdata[i]) != SG_OK) {
            buffer_clear(&match.rdata[i]);
        }
    }
    return match;
}

void ds_match_key_clear(struct ds_match_key *key)
{
    for (size_t i = 0; i < DS_MATCH_DIGESTS; i++) {
        buffer_free(&key->rdata[i]);
    }
}

bool ds_match_key_is_of(const struct ds_match_key *match, const struct signing_key *key)
{
    return match->tag == key->tag && match->algorithm == key->algorithm;
}

static bool is_same_ds(const struct buffer *rdata, const struct ds_record *record)
{
    enum { FIXED_BYTES = 4 };
    return rdata->length == FIXED_BYTES + record->digest.length &&
           memcmp(rdata->bytes + FIXED_BYTES, record->digest.bytes, record->digest.length) == 0;
}

static enum ds_match match_record(const struct ds_match_key *key, const struct ds_record *record)
{
    if (record->tag != key->tag || record->algorithm != key->algorithm) {
        return DS_MATCH_NONE;
    }
    for (size_t i = 0; i < DS_MATCH_DIGESTS; i++) {
        if (record->digest_type == digest_types[i] && key->rdata[i].length > 0) {
            return is_same_ds(&key->rdata[i], record) ? DS_MATCH_SURE : DS_MATCH_WRONG;
        }
    }
    return DS_MATCH_PERHAPS;
}

/*
 * A right digest beside a wrong one proves nothing: a validator that looks at the stronger of the
 * two (RFC 4509 3) may find that which is wrong. A wrong one alone is none of this key.
 */
enum ds_match ds_match_reply(const struct ds_match_key *key, const struct ds_reply *reply,
                             bool *spoils)
{
    bool has[DS_MATCH_SURE + 1] = {false};
    if (reply == NULL || (reply->kind != DS_REPLY_PRESENT && reply->kind != DS_REPLY_ABSENT)) {
        return DS_MATCH_PERHAPS;
    }
    for (size_t i = 0; i < reply->count; i++) {
        has[match_record(key, &reply->records[i])] = true;
    }
    if (has[DS_MATCH_SURE] && has[DS_MATCH_WRONG]) {
        *spoils = true;
        return DS_MATCH_PERHAPS;
    }
    return has[DS_MATCH_SURE]      ? DS_MATCH_SURE
           : has[DS_MATCH_PERHAPS] ? DS_MATCH_PERHAPS
                                   : DS_MATCH_NONE;
}
