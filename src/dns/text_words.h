/*
 * dns/text_words.h - rdata text as words: bare or quoted, apart by blanks. Private to dns/.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

struct text_word {
    const char *text; /* escapes still in it; without the quotes */
    size_t length;
    bool quoted;
};

/* Keeps its first error, a constant; then every word is missing. */
struct text_words {
    const char *at;
    const char *end;
    const char *error;
};

/* Is there another word? Steps over blanks. */
bool text_words_more(struct text_words *words);
/* The next word; an empty one, and an error, if there is none or it is broken. */
struct text_word text_words_next(struct text_words *words);
/* Note `error` unless there is one. */
void text_words_fail(struct text_words *words, const char *error);
/* Append what `word` stands for, escapes resolved. */
void text_word_decode(struct text_words *words, struct text_word word, struct buffer *out_bytes);
/* Append `bytes` in quotes, escaped; and without quotes. */
void text_quoted_write(struct span bytes, struct buffer *out_text);
void text_bare_write(struct span bytes, struct buffer *out_text);
/* A decimal number up to `max`, without sign; 0 and an error otherwise. */
uint32_t text_word_number(struct text_words *words, struct text_word word, uint32_t max);
