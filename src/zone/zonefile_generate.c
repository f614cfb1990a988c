/*
 * $GENERATE range owner [ttl] [class] type rdata: BIND's directive for a series of records.
 *
 * In owner and rdata `$` stands for the number, `$$` for itself, `\$` stays as it is, and
 * `${offset,width,base}` changes how the number is written. The base is d, o, x or X, or n or N
 * for hexadecimal digits from the last to the first with dots between, as ip6.arpa wants them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "zone/zonefile_loader.h"
#include "zone/zonefile_words.h"

enum {
    RECORDS_MAX = 1000000,
    EXPANSION_BYTES_MAX = 4 * 65536, /* rdata in \DDD escapes */
    WIDTH_MAX = 255,
    NUMBER_BYTES = 2 * WIDTH_MAX + 2,
};

struct range {
    uint32_t start;
    uint32_t stop;
    uint32_t step;
};

/* "start-stop" or "start-stop/step". */
static bool parse_range(const struct scan_token *token, struct range *out_range)
{
    const uint8_t *end = token->text + token->length;
    const uint8_t *dash = memchr(token->text, '-', token->length);
    if (dash == NULL) {
        return false;
    }
    const uint8_t *slash = memchr(dash, '/', (size_t)(end - dash));
    const uint8_t *stop_end = slash == NULL ? end : slash;
    struct scan_token start = {token->text, (size_t)(dash - token->text), SCAN_WORD, false};
    struct scan_token stop = {dash + 1, (size_t)(stop_end - dash) - 1, SCAN_WORD, false};
    struct range range = {.step = 1};
    if (zonefile_number(&start, INT32_MAX, &range.start) != SG_OK ||
        zonefile_number(&stop, INT32_MAX, &range.stop) != SG_OK || range.start > range.stop) {
        return false;
    }
    if (slash != NULL) {
        struct scan_token step = {slash + 1, (size_t)(end - slash) - 1, SCAN_WORD, false};
        if (zonefile_number(&step, INT32_MAX, &range.step) != SG_OK || range.step == 0) {
            return false;
        }
    }
    *out_range = range;
    return true;
}

/* How one `$` is written. */
struct modifier {
    int64_t offset;
    uint32_t width;
    char base;
};

/* A number at *at, with a sign if `sign` allows one. */
static bool take_number(const uint8_t **at, const uint8_t *end, bool sign, int64_t *out_number)
{
    bool negative = sign && *at < end && **at == '-';
    const uint8_t *start = *at + negative;
    const uint8_t *digit = start;
    while (digit < end && (scan_chars[*digit] & SCAN_CHAR_DIGIT)) {
        digit++;
    }
    struct scan_token token = {start, (size_t)(digit - start), SCAN_WORD, false};
    uint32_t value;
    if (zonefile_number(&token, INT32_MAX, &value) != SG_OK) {
        return false;
    }
    *out_number = negative ? -(int64_t)value : value;
    *at = digit;
    return true;
}

static bool take(const uint8_t **at, const uint8_t *end, char c)
{
    if (*at == end || **at != (uint8_t)c) {
        return false;
    }
    ++*at;
    return true;
}

/* "width[,base]" */
static bool parse_width(const uint8_t **at, const uint8_t *end, struct modifier *modifier)
{
    int64_t width;
    if (!take_number(at, end, false, &width) || width > WIDTH_MAX) {
        return false;
    }
    modifier->width = (uint32_t)width;
    if (!take(at, end, ',')) {
        return true;
    }
    if (*at == end || strchr("doxXnN", **at) == NULL) {
        return false;
    }
    modifier->base = (char)*(*at)++;
    return true;
}

/* "{offset[,width[,base]]}", *at on the brace. */
static bool parse_modifier(const uint8_t **at, const uint8_t *end, struct modifier *out_modifier)
{
    struct modifier modifier = {0, 0, 'd'};
    ++*at;
    if (!take_number(at, end, true, &modifier.offset)) {
        return false;
    }
    if (take(at, end, ',') && !parse_width(at, end, &modifier)) {
        return false;
    }
    if (!take(at, end, '}')) {
        return false;
    }
    *out_modifier = modifier;
    return true;
}

/* Hexadecimal digits, the last first; `width` counts the dots. */
static void append_nibbles(struct buffer *out, uint32_t value, const struct modifier *modifier)
{
    const char *digits = modifier->base == 'n' ? "0123456789abcdef" : "0123456789ABCDEF";
    uint32_t width = modifier->width;
    do {
        buffer_append_u8(out, (uint8_t)digits[value & 15]);
        value >>= 4;
        width -= width > 0;
        if (width > 0 || value != 0) {
            buffer_append_u8(out, '.');
            width -= width > 0;
        }
    } while (width > 0 || value != 0);
}

static void append_number(struct buffer *out, uint32_t number, const struct modifier *modifier)
{
    int64_t value = (int64_t)number + modifier->offset;
    int width = (int)modifier->width;
    switch (modifier->base) {
    case 'd':
        buffer_format(out, "%0*d", width, (int)value);
        break;
    case 'o':
        buffer_format(out, "%0*o", width, (unsigned)value);
        break;
    case 'x':
        buffer_format(out, "%0*x", width, (unsigned)value);
        break;
    case 'X':
        buffer_format(out, "%0*X", width, (unsigned)value);
        break;
    default:
        append_nibbles(out, (uint32_t)value, modifier);
    }
}

/* What a `$` stands for, *at behind it. */
static bool expand_dollar(const uint8_t **at, const uint8_t *end, uint32_t number,
                          struct buffer *out)
{
    struct modifier modifier = {0, 0, 'd'};
    if (take(at, end, '$')) {
        buffer_append_u8(out, '$');
        return true;
    }
    if (*at < end && **at == '{' && !parse_modifier(at, end, &modifier)) {
        return false;
    }
    append_number(out, number, &modifier);
    return true;
}

/* The template with every `$` written out. False for a bad modifier, or too much text. */
static bool expand(struct span template, uint32_t number, struct buffer *out)
{
    const uint8_t *at = template.length > 0 ? template.bytes : (const uint8_t *)"";
    const uint8_t *end = at + template.length;
    buffer_clear(out);
    while (at < end && out->length <= EXPANSION_BYTES_MAX) {
        uint8_t c = *at++;
        if (c == '\\' && at < end) {
            buffer_append_u8(out, c);
            buffer_append_u8(out, *at++);
        } else if (c != '$') {
            buffer_append_u8(out, c);
        } else if (!expand_dollar(&at, end, number, out)) {
            return false;
        }
    }
    /* The slack that a scan wants behind its end. */
    buffer_reserve(out, SCAN_SLACK_BYTES);
    memset(out->bytes + out->length, 0, SCAN_SLACK_BYTES);
    return at == end;
}

/* The rdata's template: a quoted one may hold blanks, and \" for a quote. */
static void copy_template(const struct scan_token *token, struct buffer *out_template)
{
    for (size_t i = 0; i < token->length; i++) {
        bool quote = token->kind == SCAN_QUOTED && token->text[i] == '\\' &&
                     i + 1 < token->length && token->text[i + 1] == '"';
        buffer_append_u8(out_template, token->text[quote ? ++i : i]);
    }
}

/* What the line says, its range apart. */
struct series {
    struct scan_token owner;
    struct zonefile_record record;
    struct buffer rdata;
    unsigned line;
};

/* One record of the series. False: an error was reported. */
static bool generate(struct zonefile_loader *loader, const struct series *series, uint32_t number,
                     struct buffer *text)
{
    static const uint8_t nothing[SCAN_SLACK_BYTES];
    struct scan scan = {.at = nothing, .end = nothing, .line = series->line, .final = true};
    if (!expand((struct span){series->owner.text, series->owner.length}, number, text)) {
        zonefile_refuse_line(loader, &scan, "$GENERATE: bad modifier in the owner name");
        return false;
    }
    struct scan_token owner = {text->bytes, text->length, SCAN_WORD, series->owner.escaped};
    if (!zonefile_set_owner(loader, &scan, &owner)) {
        return false;
    }
    if (!expand(buffer_span(&series->rdata), number, text)) {
        zonefile_refuse_line(loader, &scan, "$GENERATE: bad modifier in the rdata, or too long");
        return false;
    }
    scan.at = text->bytes;
    scan.end = text->bytes + text->length;
    if (loader->owner.state == OWNER_OUTSIDE) {
        char name[DNS_NAME_TEXT_BYTES];
        zonefile_warn_line(loader, &scan, "ignoring out-of-zone data (%s)",
                           dns_name_to_text_short(&loader->owner.name, name));
        return true;
    }
    return zonefile_read_rdata(loader, &scan, &series->record);
}

static void generate_all(struct zonefile_loader *loader, const struct series *series,
                         const struct range *range)
{
    struct buffer text = BUFFER_EMPTY;
    struct zonefile_owner owner = loader->owner; /* The series is nobody's previous owner. */
    for (uint64_t number = range->start; number <= range->stop; number += range->step) {
        if (!generate(loader, series, (uint32_t)number, &text)) {
            break; /* The others are no better. */
        }
    }
    loader->owner = owner;
    buffer_free(&text);
}

/* The word behind "$GENERATE" or behind the range. */
static bool read_word(struct zonefile_loader *loader, struct scan *scan,
                      struct scan_token *out_token)
{
    enum scan_kind kind = scan_next(scan, out_token);
    if (kind == SCAN_WORD) {
        return true;
    }
    zonefile_refuse_line(loader, scan, "%s",
                         kind == SCAN_BROKEN ? scan->problem
                                             : "$GENERATE: range, owner, type and rdata expected");
    return false;
}

void zonefile_read_generate(struct zonefile_loader *loader, struct scan *scan)
{
    struct scan_token token;
    struct range range;
    struct series series = {.rdata = BUFFER_EMPTY};
    if (!read_word(loader, scan, &token)) {
        return;
    }
    if (!parse_range(&token, &range) || (range.stop - range.start) / range.step >= RECORDS_MAX) {
        zonefile_refuse_line(loader, scan, "$GENERATE: invalid range '%.*s'", (int)token.length,
                             (const char *)token.text);
        return;
    }
    if (!read_word(loader, scan, &series.owner) ||
        !zonefile_read_type(loader, scan, &series.record)) {
        return;
    }
    enum scan_kind kind = scan_next(scan, &token);
    if (kind == SCAN_END || kind == SCAN_BROKEN) {
        zonefile_refuse_line(loader, scan, "%s",
                             kind == SCAN_BROKEN ? scan->problem : "unexpected end of line");
        return;
    }
    if (!zonefile_line_is_whole(loader, scan)) {
        return;
    }
    series.line = scan->line;
    copy_template(&token, &series.rdata);
    generate_all(loader, &series, &range);
    buffer_free(&series.rdata);
    scan_consume_end(scan);
}
