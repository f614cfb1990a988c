/*
 * conf/lexer.h - named.conf text as tokens
 *
 * Comments are `//`, `#` and C's. A word goes on until white space, a brace, a semicolon, a quote
 * or a comment. A quoted string may be several lines long, and `\"` is a quote in it; any other
 * backslash is kept, since domain names have escapes of their own.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

enum { CONF_WORD_BYTES_MAX = 65535 };

enum conf_token_kind {
    CONF_TOKEN_END,
    CONF_TOKEN_WORD,
    CONF_TOKEN_QUOTED,
    CONF_TOKEN_OPEN,      /* { */
    CONF_TOKEN_CLOSE,     /* } */
    CONF_TOKEN_SEMICOLON, /* ; */
    CONF_TOKEN_NOT,       /* ! */
    CONF_TOKEN_BROKEN     /* what is wrong is in `text` */
};

struct conf_token {
    enum conf_token_kind kind;
    const char
        *text; /* borrowed from the lexer's text, not ended by a NUL; of BROKEN: a C string */
    uint32_t length;
    unsigned line, column;
    bool escaped; /* a quoted string in which \" stands for a quote */
};

struct conf_lexer {
    const char *at, *end;
    const char *line_start;
    unsigned line;
};

struct conf_lexer conf_lexer_of(struct span text);
/* After BROKEN or END it stays there. */
struct conf_token conf_lexer_next(struct conf_lexer *lexer);
/* The next token is a brace block that follows rules of its own (dyndb, plugin): skip to behind
 * its closing brace. False when there is none. */
bool conf_lexer_skip_block(struct conf_lexer *lexer);
