#include "conf/lexer.h"

struct conf_lexer conf_lexer_of(struct span text)
{
    const char *start = (const char *)text.bytes;
    return (struct conf_lexer){
        .at = start, .end = start + text.length, .line_start = start, .line = 1};
}

static unsigned column_of(const struct conf_lexer *lexer, const char *at)
{
    return (unsigned)(at - lexer->line_start) + 1;
}

static void new_line(struct conf_lexer *lexer)
{
    lexer->line++;
    lexer->line_start = lexer->at;
}

static bool comment_starts(const struct conf_lexer *lexer, const char *at)
{
    return *at == '/' && at + 1 < lexer->end && (at[1] == '/' || at[1] == '*');
}

static void skip_line(struct conf_lexer *lexer)
{
    const char *newline = memchr(lexer->at, '\n', (size_t)(lexer->end - lexer->at));
    lexer->at = newline == NULL ? lexer->end : newline;
}

/* False when the comment never ends: then the lexer stays in front of it. */
static bool skip_c_comment(struct conf_lexer *lexer)
{
    struct conf_lexer start = *lexer;

    lexer->at += 2;
    while (lexer->at + 1 < lexer->end) {
        if (lexer->at[0] == '*' && lexer->at[1] == '/') {
            lexer->at += 2;
            return true;
        }
        if (*lexer->at++ == '\n') {
            new_line(lexer);
        }
    }
    *lexer = start;
    return false;
}

/* NULL, or what is wrong. */
static const char *skip_blank(struct conf_lexer *lexer)
{
    while (lexer->at < lexer->end) {
        char c = *lexer->at;
        if (c == '\n') {
            lexer->at++;
            new_line(lexer);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
            lexer->at++;
        } else if (c == '#' || (comment_starts(lexer, lexer->at) && lexer->at[1] == '/')) {
            skip_line(lexer);
        } else if (!comment_starts(lexer, lexer->at)) {
            return NULL;
        } else if (!skip_c_comment(lexer)) {
            return "the comment that begins here never ends";
        }
    }
    return NULL;
}

static struct conf_token broken(struct conf_lexer *lexer, const char *at, const char *why)
{
    lexer->at = at;
    return (struct conf_token){.kind = CONF_TOKEN_BROKEN,
                               .text = why,
                               .length = (uint32_t)strlen(why),
                               .line = lexer->line,
                               .column = column_of(lexer, at)};
}

/* A long key is written over several lines. */
static void count_lines(struct conf_lexer *lexer, const char *at, const char *end)
{
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        lexer->line++;
        lexer->line_start = ++at;
    }
}

static struct conf_token read_quoted(struct conf_lexer *lexer)
{
    const char *start = lexer->at + 1;
    const char *at = start;
    bool escaped = false;

    while (at < lexer->end && *at != '"') {
        if ((unsigned char)*at < ' ' && memchr("\t\r\n", *at, 3) == NULL) {
            return broken(lexer, lexer->at, "a quoted string with a control character");
        }
        if (*at == '\\' && at + 1 < lexer->end && (at[1] == '"' || at[1] == '\\')) {
            escaped |= at[1] == '"';
            at++;
        }
        at++;
    }
    if (at >= lexer->end) {
        return broken(lexer, lexer->at,
                      "unbalanced quotes: the string that begins here never ends");
    }
    if (at - start > CONF_WORD_BYTES_MAX) {
        return broken(lexer, lexer->at, "the string is too long");
    }
    struct conf_token token = {.kind = CONF_TOKEN_QUOTED,
                               .text = start,
                               .length = (uint32_t)(at - start),
                               .line = lexer->line,
                               .column = column_of(lexer, lexer->at),
                               .escaped = escaped};
    count_lines(lexer, start, at);
    lexer->at = at + 1;
    return token;
}

static bool ends_word(const struct conf_lexer *lexer, const char *at)
{
    return (unsigned char)*at <= ' ' || *at == '{' || *at == '}' || *at == ';' || *at == '"' ||
           *at == '!' || *at == '#' || comment_starts(lexer, at);
}

static struct conf_token read_word(struct conf_lexer *lexer)
{
    const char *at = lexer->at;

    while (at < lexer->end && !ends_word(lexer, at)) {
        at++;
    }
    if (at == lexer->at) {
        return broken(lexer, at, "a control character");
    }
    if (at - lexer->at > CONF_WORD_BYTES_MAX) {
        return broken(lexer, lexer->at, "the word is too long");
    }
    struct conf_token token = {.kind = CONF_TOKEN_WORD,
                               .text = lexer->at,
                               .length = (uint32_t)(at - lexer->at),
                               .line = lexer->line,
                               .column = column_of(lexer, lexer->at)};
    lexer->at = at;
    return token;
}

struct conf_token conf_lexer_next(struct conf_lexer *lexer)
{
    const char *why = skip_blank(lexer);
    if (why != NULL) {
        return broken(lexer, lexer->at, why);
    }
    struct conf_token token = {
        .text = lexer->at, .length = 1, .line = lexer->line, .column = column_of(lexer, lexer->at)};
    if (lexer->at == lexer->end) {
        token.length = 0;
        return token;
    }
    switch (*lexer->at) {
    case '{':
        token.kind = CONF_TOKEN_OPEN;
        break;
    case '}':
        token.kind = CONF_TOKEN_CLOSE;
        break;
    case ';':
        token.kind = CONF_TOKEN_SEMICOLON;
        break;
    case '!':
        token.kind = CONF_TOKEN_NOT;
        break;
    case '"':
        return read_quoted(lexer);
    default:
        return read_word(lexer);
    }
    lexer->at++;
    return token;
}

bool conf_lexer_skip_block(struct conf_lexer *lexer)
{
    unsigned depth = 0;

    while (skip_blank(lexer) == NULL && lexer->at < lexer->end) {
        bool quoted = *lexer->at == '"';
        if (quoted && read_quoted(lexer).kind == CONF_TOKEN_BROKEN) {
            return false;
        }
        if (quoted) {
            continue;
        }
        depth += *lexer->at == '{';
        if (*lexer->at == '}' && depth-- == 0) {
            return false;
        }
        lexer->at++;
        if (depth == 0) {
            return lexer->at[-1] == '}';
        }
    }
    return false;
}
