#include "zone/tree_key.h"

/*
 * Bytes in canonical order and their symbols. An escape and the place behind it make one step of
 * two symbols; places begin at 1, so that symbol 0 is an end wherever it stands.
 *
 *   00-29 escape 1     2a '*' 2      2b-2c escape 3      2d '-' 4      2e-2f escape 5
 *   30-39 digits 6-15  3a-40, 5b-5e escape 16            5f '_' 17     60 escape 18
 *   61-7a letters (and 41-5a) 19-44  7b-a9 escape 45     aa-d8 escape 46   d9-ff escape 47
 */
enum {
    ESCAPE_LOW = 1,
    ASTERISK = 2,
    ESCAPE_PLUS = 3,
    HYPHEN = 4,
    ESCAPE_DOT = 5,
    DIGITS = 6,
    ESCAPE_COLON = 16,
    UNDERSCORE = 17,
    ESCAPE_BACKQUOTE = 18,
    LETTERS = 19,
    ESCAPE_HIGH_1 = 45,
    ESCAPE_HIGH_2 = 46,
    ESCAPE_HIGH_3 = 47,
};

struct step {
    uint8_t first, second; /* second 0: none */
};

/* clang-format off */
#define ONE(symbol)            {(symbol), 0}
#define TWO(escape, place)     {(escape), (place)}
#define RUN_2(e, p)            TWO(e, p), TWO(e, (p) + 1)
#define RUN_4(e, p)            RUN_2(e, p), RUN_2(e, (p) + 2)
#define RUN_8(e, p)            RUN_4(e, p), RUN_4(e, (p) + 4)
#define RUN_16(e, p)           RUN_8(e, p), RUN_8(e, (p) + 8)
#define SINGLE_2(s)            ONE(s), ONE((s) + 1)
#define SINGLE_8(s)            SINGLE_2(s), SINGLE_2((s) + 2), SINGLE_2((s) + 4), SINGLE_2((s) + 6)
#define ALPHABET               SINGLE_8(LETTERS), SINGLE_8(LETTERS + 8), SINGLE_8(LETTERS + 16), \
                               SINGLE_2(LETTERS + 24)

static const struct step steps[256] = {
    RUN_16(ESCAPE_LOW, 1), RUN_16(ESCAPE_LOW, 17), RUN_8(ESCAPE_LOW, 33), RUN_2(ESCAPE_LOW, 41),
    ONE(ASTERISK), RUN_2(ESCAPE_PLUS, 1), ONE(HYPHEN), RUN_2(ESCAPE_DOT, 1),
    SINGLE_8(DIGITS), SINGLE_2(DIGITS + 8),
    RUN_4(ESCAPE_COLON, 1), RUN_2(ESCAPE_COLON, 5), TWO(ESCAPE_COLON, 7),
    ALPHABET,
    RUN_4(ESCAPE_COLON, 8), ONE(UNDERSCORE), TWO(ESCAPE_BACKQUOTE, 1),
    ALPHABET,
    RUN_16(ESCAPE_HIGH_1, 1), RUN_16(ESCAPE_HIGH_1, 17), RUN_8(ESCAPE_HIGH_1, 33),
    RUN_4(ESCAPE_HIGH_1, 41), RUN_2(ESCAPE_HIGH_1, 45), TWO(ESCAPE_HIGH_1, 47),
    RUN_16(ESCAPE_HIGH_2, 1), RUN_16(ESCAPE_HIGH_2, 17), RUN_8(ESCAPE_HIGH_2, 33),
    RUN_4(ESCAPE_HIGH_2, 41), RUN_2(ESCAPE_HIGH_2, 45), TWO(ESCAPE_HIGH_2, 47),
    RUN_16(ESCAPE_HIGH_3, 1), RUN_16(ESCAPE_HIGH_3, 17), RUN_4(ESCAPE_HIGH_3, 33),
    RUN_2(ESCAPE_HIGH_3, 37), TWO(ESCAPE_HIGH_3, 39),
};
/* clang-format on */

void tree_key_encode(const uint8_t *name, size_t length, struct tree_key *out_key)
{
    uint8_t starts[DNS_LABELS_MAX];
    unsigned labels = 0;
    for (size_t at = 0; at < length; at += 1U + name[at]) {
        ASSERT(labels < DNS_LABELS_MAX);
        starts[labels++] = (uint8_t)at;
    }

    uint8_t *symbol = out_key->symbols;
    for (unsigned i = labels; i-- > 0;) {
        const uint8_t *byte = name + starts[i] + 1;
        const uint8_t *end = byte + name[starts[i]];
        for (; byte < end; byte++) {
            const struct step *step = &steps[*byte];
            memcpy(symbol, step, sizeof(*step));
            symbol += 1 + (step->second != 0);
        }
        *symbol++ = TREE_SYMBOL_END;
    }
    out_key->labels = (uint16_t)labels;
    out_key->length = (uint16_t)(symbol - out_key->symbols);
}

unsigned tree_key_difference(const struct tree_key *a, const struct tree_key *b)
{
    unsigned shorter = a->length < b->length ? a->length : b->length;
    for (unsigned i = 0; i < shorter; i++) {
        if (a->symbols[i] != b->symbols[i]) {
            return i;
        }
    }
    return a->length == b->length ? TREE_KEYS_EQUAL : shorter;
}

unsigned tree_key_labels_within(const struct tree_key *key, unsigned symbols)
{
    unsigned labels = 0;
    unsigned end = symbols < key->length ? symbols : key->length;
    for (unsigned i = 0; i < end; i++) {
        labels += key->symbols[i] == TREE_SYMBOL_END;
    }
    return labels;
}
