#include "answer/nsec3_memo.h"

#include <assert.h>

enum {
    PLACES = 128,
    NAME_BYTES_MAX = 62, /* longer names and salts are hashed each time */
    SALT_BYTES_MAX = 8,
};

/* What a hash depends on, zeros behind name and salt, so that it compares as bytes. */
struct memo_key {
    uint16_t iterations;
    uint8_t salt_length;
    uint8_t name_length; /* 0: a free place */
    uint8_t salt[SALT_BYTES_MAX];
    uint8_t name[NAME_BYTES_MAX];
    uint8_t zero[2];
};

static_assert(sizeof(struct memo_key) == 76, "padding would be compared");

struct memo_place {
    struct memo_key key;
    uint8_t hash[NSEC3_HASH_BYTES];
};

static _Thread_local struct memo_place places[PLACES];

static struct memo_place *place_of(const struct memo_key *key)
{
    uint64_t mixed = 0;
    uint64_t word;

    for (size_t i = 0; i < NAME_BYTES_MAX / sizeof(word) * sizeof(word); i += sizeof(word)) {
        memcpy(&word, key->name + i, sizeof(word));
        mixed = (mixed ^ word) * 0x9E3779B97F4A7C15u;
    }
    return &places[mixed >> 32 & (PLACES - 1)];
}

void nsec3_memo_hash(struct nsec3_hasher *hasher, const struct nsec3_params *params,
                     const uint8_t *wire, size_t length, uint8_t out_hash[NSEC3_HASH_BYTES])
{
    if (length > NAME_BYTES_MAX || params->salt_length > SALT_BYTES_MAX) {
        nsec3_hash(hasher, params, wire, length, out_hash);
        return;
    }
    struct memo_key key = {.iterations = params->iterations,
                           .salt_length = params->salt_length,
                           .name_length = (uint8_t)length};
    memcpy(key.salt, params->salt, params->salt_length);
    memcpy(key.name, wire, length);

    struct memo_place *place = place_of(&key);
    if (memcmp(&place->key, &key, sizeof(key)) != 0) {
        nsec3_hash(hasher, params, wire, length, place->hash);
        place->key = key;
    }
    memcpy(out_hash, place->hash, NSEC3_HASH_BYTES);
}
