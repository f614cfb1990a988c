/*
 * zone/zonefile_scan.h - characters of a master file to tokens (RFC 1035 5.1). Private to zonefile.
 *
 * A scan looks at a window of the file. Where a line runs over the window's end and the file goes
 * on, the scan is `starved`: tokens from then on are SCAN_END, and the loader reads the line again
 * from its begin with a larger window. Parsers therefore need no state between windows, and nothing
 * that is found in a line may have an effect before its end has been seen unstarved.
 *
 * Tokens point into the window and keep their escapes.
 */
#pragma once

#include <stdbool.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/buffer.h"

enum {
    SCAN_SLACK_BYTES = 16,    /* zero bytes behind a window, so that wide loads may overrun */
    SCAN_CHAR_DELIMITER = 1,  /* ends a word */
    SCAN_CHAR_ESCAPE = 2,     /* the backslash */
    SCAN_CHAR_BLANK = 4,      /* space and tab */
    SCAN_CHAR_DOT = 8,        /* ends a label */
    SCAN_CHAR_DIGIT = 16,     /* decimal */
    SCAN_PARENTHESES_MAX = 64 /* nested */
};
extern const uint8_t scan_chars[256];

enum scan_kind {
    SCAN_WORD,
    SCAN_QUOTED, /* without its quotes; may be empty */
    SCAN_END,    /* of the logical line; not consumed, so it comes again */
    SCAN_BROKEN, /* `problem` tells why */
};

struct scan_token {
    const uint8_t *text;
    size_t length;
    enum scan_kind kind;
    bool escaped; /* there is a backslash in it */
};

struct scan {
    const uint8_t *at;
    const uint8_t *end;
    const char *problem;
    unsigned line;
    unsigned depth;     /* of parentheses */
    unsigned open_line; /* where the outermost one stands */
    bool final;         /* nothing follows `end` */
    bool starved;
};

/* The odd half of scan_next(): comments, parentheses, quotes, escapes, ends. */
enum scan_kind scan_next_odd(struct scan *scan, struct scan_token *out_token);

/* How far the plain characters go, 16 at a time where the processor can. May stop early. */
static inline const uint8_t *scan_plain(const uint8_t *at)
{
#ifdef __SSE2__
    /* No delimiter lies above the quote but ( ) ; and \. What is below it besides, such as an
     * exclamation mark, is left to the table. */
    while (true) {
        __m128i text = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8('"')), text);
        __m128i parenthesis =
            _mm_cmpeq_epi8(_mm_and_si128(text, _mm_set1_epi8((char)0xfe)), _mm_set1_epi8('('));
        __m128i other = _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8(';')),
                                     _mm_cmpeq_epi8(text, _mm_set1_epi8('\\')));
        int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, parenthesis), other));
        if (found != 0) {
            return at + __builtin_ctz((unsigned)found);
        }
        at += sizeof(text);
    }
#else
    return at;
#endif
}

/* The next token of the logical line. */
static inline enum scan_kind scan_next(struct scan *scan, struct scan_token *out_token)
{
    const uint8_t *at = scan->at;
    while (scan_chars[*at] & SCAN_CHAR_BLANK) {
        at++;
    }
    const uint8_t *start = at;
    at = scan_plain(at);
    while (!(scan_chars[*at] & (SCAN_CHAR_DELIMITER | SCAN_CHAR_ESCAPE))) {
        at++;
    }
    if (at == start && *at == '\n' && scan->depth == 0) {
        scan->at = start;
        return SCAN_END;
    }
    /* A zero byte may be the window's end; a word that ends elsewhere is whole. */
    if (at == start || *at == '\\' || *at == 0) {
        scan->at = start;
        return scan_next_odd(scan, out_token);
    }
    scan->at = at;
    *out_token = (struct scan_token){start, (size_t)(at - start), SCAN_WORD, false};
    return SCAN_WORD;
}

/* A place to return to. Field by field: to copy what was just written in other sizes stalls. */
struct scan_mark {
    const uint8_t *at;
    unsigned line;
    unsigned depth;
};

static inline struct scan_mark scan_mark(const struct scan *scan)
{
    return (struct scan_mark){scan->at, scan->line, scan->depth};
}

static inline void scan_return(struct scan *scan, struct scan_mark mark)
{
    scan->at = mark.at;
    scan->line = mark.line;
    scan->depth = mark.depth;
}

/* Skip what is left of the logical line, broken tokens included, up to its SCAN_END. */
void scan_skip_line(struct scan *scan);
/* Consume the line end that SCAN_END stands before. */
void scan_consume_end(struct scan *scan);

static inline bool scan_is_finished(const struct scan *scan)
{
    return scan->at == scan->end && scan->final;
}

/* Does the token say `text`, case ignored? */
bool scan_token_is(const struct scan_token *token, const char *text);
