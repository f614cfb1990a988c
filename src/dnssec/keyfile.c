#include "dnssec/keyfile.h"

#include <stdio.h>
#include <strings.h>

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct span trim(struct span text)
{
    while (text.length > 0 && is_blank(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.bytes[text.length - 1])) {
        text.length--;
    }
    return text;
}

enum sg_result keyfile_fail(struct keyfile_problem *problem, enum sg_result result, unsigned line,
                            const char *what)
{
    if (line == 0) {
        snprintf(problem->text, sizeof(problem->text), "%s", what);
    } else {
        snprintf(problem->text, sizeof(problem->text), "line %u: %s", line, what);
    }
    return result;
}

struct keyfile_line keyfile_lines(struct span text)
{
    return (struct keyfile_line){.rest = text};
}

/* The text up to the next line feed, which is taken off `rest`. */
static struct span take_line(struct span *rest)
{
    const uint8_t *end = memchr(rest->bytes, '\n', rest->length);
    size_t length = end != NULL ? (size_t)(end - rest->bytes) : rest->length;
    struct span taken = {rest->bytes, length};
    size_t skipped = length + (end != NULL);
    rest->bytes += skipped;
    rest->length -= skipped;
    return taken;
}

bool keyfile_line_next(struct keyfile_line *line)
{
    while (line->rest.length > 0) {
        struct span text = trim(take_line(&line->rest));
        line->number++;
        if (text.length == 0) {
            continue;
        }
        const uint8_t *colon = memchr(text.bytes, ':', text.length);
        size_t tag_length = colon != NULL ? (size_t)(colon - text.bytes) : 0;
        line->tag = (struct span){text.bytes, tag_length};
        line->value = text;
        if (colon != NULL) {
            line->value =
                trim((struct span){text.bytes + tag_length + 1, text.length - tag_length - 1});
        }
        return true;
    }
    return false;
}

bool keyfile_line_is(const struct keyfile_line *line, const char *tag)
{
    return line->tag.length == strlen(tag) &&
           strncasecmp((const char *)line->tag.bytes, tag, line->tag.length) == 0;
}

enum sg_result keyfile_number(struct span value, uint32_t max, uint32_t *out_number)
{
    uint64_t number = 0;
    size_t i = 0;
    for (; i < value.length && value.bytes[i] >= '0' && value.bytes[i] <= '9'; i++) {
        number = number * 10 + (uint64_t)(value.bytes[i] - '0');
        if (number > max) {
            return SG_MALFORMED;
        }
    }
    if (i == 0 || (i < value.length && !is_blank(value.bytes[i]))) {
        return SG_MALFORMED;
    }
    *out_number = (uint32_t)number;
    return SG_OK;
}

enum sg_result keyfile_time(struct span value, sg_time *out_when)
{
    char digits[TIME_TEXT_BYTES] = "";
    size_t length = sizeof(digits) - 1;
    if (value.length < length || (value.length > length && !is_blank(value.bytes[length]))) {
        return SG_MALFORMED;
    }
    memcpy(digits, value.bytes, length);
    sg_time when;
    if (time_from_digits(digits, &when) != SG_OK || when < 0) {
        return SG_MALFORMED; /* no key is older than the epoch */
    }
    *out_when = when;
    return SG_OK;
}

void keyfile_append_time(struct buffer *out_text, const char *tag, sg_time when)
{
    char digits[TIME_TEXT_BYTES];
    char human[TIME_HUMAN_BYTES];
    time_to_digits(when, digits);
    time_to_ctime(when, 1, human);
    buffer_format(out_text, "%s: %s (%s)\n", tag, digits, human);
}
