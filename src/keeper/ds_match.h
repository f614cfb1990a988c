/*
 * keeper/ds_match.h - is the DS of a key among those that a parent shows? (RFC 4034 5.1.4)
 *
 * The key is recognised by tag, algorithm and digest, which is computed anew. A DS whose digest we
 * cannot compute never proves that the key's is there, and as long as one with the key's tag and
 * algorithm stands there, it has not gone.
 *
 * Pure. Thread: any, one at a time.
 */
#pragma once

#include "base/buffer.h"
#include "dns/ds_reply.h"
#include "dnssec/key.h"

enum { DS_MATCH_DIGESTS = 3 };

/* A key as a parent may show it. */
struct ds_match_key {
    uint16_t tag;
    uint8_t algorithm;
    struct buffer rdata[DS_MATCH_DIGESTS]; /* the DS that fit; empty: could not be made */
};

/* Borrows nothing. The caller clears. */
struct ds_match_key ds_match_key_of(const struct signing_key *key);
void ds_match_key_clear(struct ds_match_key *key);
bool ds_match_key_is_of(const struct ds_match_key *match, const struct signing_key *key);

/* What a reply proves of a key: that its DS is there, that it is not, or neither. */
enum ds_match { DS_MATCH_NONE, DS_MATCH_WRONG, DS_MATCH_PERHAPS, DS_MATCH_SURE };
/* Never DS_MATCH_WRONG. NULL: no reply came. `*spoils` is set where a DS that fits and one of the
 * key's that does not stand beside each other. */
enum ds_match ds_match_reply(const struct ds_match_key *key, const struct ds_reply *reply,
                             bool *spoils);
