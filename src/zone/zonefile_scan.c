#include "zone/zonefile_scan.h"

#include <strings.h>

/* clang-format off */
const uint8_t scan_chars[256] = {
    [0] = SCAN_CHAR_DELIMITER, ['\n'] = SCAN_CHAR_DELIMITER, ['\r'] = SCAN_CHAR_DELIMITER,
    [' '] = SCAN_CHAR_DELIMITER | SCAN_CHAR_BLANK, ['\t'] = SCAN_CHAR_DELIMITER | SCAN_CHAR_BLANK,
    [';'] = SCAN_CHAR_DELIMITER, ['('] = SCAN_CHAR_DELIMITER, [')'] = SCAN_CHAR_DELIMITER,
    ['"'] = SCAN_CHAR_DELIMITER, ['\\'] = SCAN_CHAR_ESCAPE, ['.'] = SCAN_CHAR_DOT,
    ['0'] = SCAN_CHAR_DIGIT, ['1'] = SCAN_CHAR_DIGIT, ['2'] = SCAN_CHAR_DIGIT,
    ['3'] = SCAN_CHAR_DIGIT, ['4'] = SCAN_CHAR_DIGIT, ['5'] = SCAN_CHAR_DIGIT,
    ['6'] = SCAN_CHAR_DIGIT, ['7'] = SCAN_CHAR_DIGIT, ['8'] = SCAN_CHAR_DIGIT,
    ['9'] = SCAN_CHAR_DIGIT,
};
/* clang-format on */

static enum scan_kind broken(struct scan *scan, const char *problem)
{
    scan->problem = problem;
    return SCAN_BROKEN;
}

/* At the window's end: more of the file may follow. */
static enum scan_kind starve(struct scan *scan)
{
    scan->starved = true;
    return SCAN_END;
}

static enum scan_kind end_of_file(struct scan *scan)
{
    if (!scan->final) {
        return starve(scan);
    }
    if (scan->depth > 0) {
        scan->depth = 0;
        scan->line = scan->open_line; /* The end of the file tells nobody where to look. */
        return broken(scan, "unbalanced parentheses: ')' is missing at the end of the file");
    }
    return SCAN_END;
}

/* A line ends at LF, at CR LF, or at a lone CR. */
static size_t line_end_bytes(const struct scan *scan)
{
    return scan->at[0] == '\r' && scan->at[1] == '\n' ? 2 : 1;
}

/* `at` is on a backslash: step over the escape. False when it does not end in this line. */
static bool step_over_escape(const struct scan *scan, const uint8_t **at)
{
    const uint8_t *next = *at + 1;
    if (next == scan->end || *next == '\n' || *next == '\r' || *next == 0) {
        return false;
    }
    *at = next + 1;
    return true;
}

static enum scan_kind broken_escape(struct scan *scan, const uint8_t *at)
{
    if (at + 1 == scan->end && !scan->final) {
        return starve(scan);
    }
    scan->at = at + 1;
    return broken(scan, "'\\' at the end of the line");
}

/* One character of a string. False: it cannot stand there. */
static bool step_in_string(const struct scan *scan, const uint8_t **at)
{
    if (**at == '\\') {
        return step_over_escape(scan, at);
    }
    if (**at == '\n' || **at == '\r' || **at == 0) {
        return false;
    }
    ++*at;
    return true;
}

static enum scan_kind broken_string(struct scan *scan, const uint8_t *at)
{
    if (*at == '\\') {
        return broken_escape(scan, at);
    }
    if (at == scan->end && !scan->final) {
        return starve(scan);
    }
    scan->at = at;
    return broken(scan, "unbalanced quotes: '\"' is missing at the end of the line");
}

/* The quote at scan->at opens a string; it must be closed in the same line. */
static enum scan_kind quoted(struct scan *scan, struct scan_token *out_token)
{
    const uint8_t *start = scan->at + 1;
    const uint8_t *at = start;
    bool escaped = false;
    while (*at != '"') {
        escaped |= *at == '\\';
        if (!step_in_string(scan, &at)) {
            return broken_string(scan, at);
        }
    }
    scan->at = at + 1;
    *out_token = (struct scan_token){start, (size_t)(at - start), SCAN_QUOTED, escaped};
    return SCAN_QUOTED;
}

/* A word with escapes, or one that touches the window's end. */
static enum scan_kind word(struct scan *scan, struct scan_token *out_token)
{
    const uint8_t *start = scan->at;
    const uint8_t *at = start;
    bool escaped = false;
    while (!(scan_chars[*at] & SCAN_CHAR_DELIMITER)) {
        if (*at != '\\') {
            at++;
            continue;
        }
        escaped = true;
        if (!step_over_escape(scan, &at)) {
            return broken_escape(scan, at);
        }
    }
    if (at == scan->end && !scan->final) {
        return starve(scan);
    }
    scan->at = at;
    *out_token = (struct scan_token){start, (size_t)(at - start), SCAN_WORD, escaped};
    return SCAN_WORD;
}

/* A CR before the LF is part of the comment. */
static void skip_comment(struct scan *scan)
{
    const uint8_t *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
    scan->at = newline == NULL ? scan->end : newline;
}

/* A CR behind which the window ends: does a LF follow? */
static bool is_half_line_end(const struct scan *scan)
{
    return *scan->at == '\r' && scan->at + 1 == scan->end && !scan->final;
}

/* One piece of what may stand between tokens. False: there is none. */
static bool step_over_gap(struct scan *scan)
{
    switch (*scan->at) {
    case ' ':
    case '\t':
        scan->at++;
        return true;
    case '\r':
    case '\n':
        if (scan->depth == 0 || is_half_line_end(scan)) {
            return false;
        }
        scan->at += line_end_bytes(scan);
        scan->line++;
        return true;
    case ';':
        skip_comment(scan);
        return true;
    case '(':
        if (scan->depth == SCAN_PARENTHESES_MAX) {
            return false;
        }
        scan->open_line = scan->depth++ == 0 ? scan->line : scan->open_line;
        scan->at++;
        return true;
    case ')':
        if (scan->depth == 0) {
            return false;
        }
        scan->depth--;
        scan->at++;
        return true;
    default:
        return false;
    }
}

enum scan_kind scan_next_odd(struct scan *scan, struct scan_token *out_token)
{
    while (step_over_gap(scan)) { /* the window's end is no gap */
    }
    switch (*scan->at) {
    case '\r':
    case '\n':
        return is_half_line_end(scan) ? starve(scan) : SCAN_END;
    case '(':
        scan->at++;
        return broken(scan, "parentheses are nested too deeply");
    case ')':
        scan->at++;
        return broken(scan, "unbalanced parentheses: ')' without '('");
    case '"':
        return quoted(scan, out_token);
    case 0:
        if (scan->at == scan->end) {
            return end_of_file(scan);
        }
        scan->at++;
        return broken(scan, "a zero byte");
    default:
        return word(scan, out_token);
    }
}

void scan_skip_line(struct scan *scan)
{
    struct scan_token token;
    while (scan_next(scan, &token) != SCAN_END) {
    }
}

void scan_consume_end(struct scan *scan)
{
    if (scan->at == scan->end) {
        return;
    }
    scan->at += line_end_bytes(scan);
    scan->line++;
}

bool scan_token_is(const struct scan_token *token, const char *text)
{
    return token->kind == SCAN_WORD && token->length == strlen(text) &&
           strncasecmp((const char *)token->text, text, token->length) == 0;
}
