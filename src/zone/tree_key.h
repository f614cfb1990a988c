/*
 * zone/tree_key.h - names as strings of symbols, for the qp-trie (private to zone/)
 *
 * A branch of the trie has one bit per symbol in a word, so there are 48 symbols, where a byte has
 * 230 values (letters have one case). Hostname bytes, '_' and '*' have a symbol of their own; all
 * others take two: an escape that names a run of neighbouring bytes, then the place in the run.
 * The labels of a name are taken from the last to the first, each followed by symbol 0, and what is
 * read beyond the end of a key is symbol 0 as well. Byte order is symbol order, so keys compare as
 * names do in canonical order (RFC 4034 6.1).
 *
 *   www.example  ->  e x a m p l e 0 w w w 0 (0 0 ...)
 */
#pragma once

#include "base/buffer.h"
#include "dns/name.h"

enum {
    TREE_SYMBOLS = 48,
    TREE_SYMBOL_END = 0,
    /* 250 bytes of labels at two symbols each, 4 ends: more labels have fewer bytes. */
    TREE_KEY_SYMBOLS_MAX = 504,
};

struct tree_key {
    uint16_t length;
    uint16_t labels;
    uint8_t symbols[TREE_KEY_SYMBOLS_MAX + 2]; /* a byte is written as two symbols always */
};

/* `name` is lower case and has `length` bytes of labels, without the root label. */
void tree_key_encode(const uint8_t *name, size_t length, struct tree_key *out_key);

static inline uint8_t tree_key_at(const struct tree_key *key, unsigned offset)
{
    return offset < key->length ? key->symbols[offset] : TREE_SYMBOL_END;
}

enum { TREE_KEYS_EQUAL = UINT16_MAX };
/* Offset of the first difference, or TREE_KEYS_EQUAL. */
unsigned tree_key_difference(const struct tree_key *a, const struct tree_key *b);

/* How many whole labels are within the first `symbols` symbols. */
unsigned tree_key_labels_within(const struct tree_key *key, unsigned symbols);
