#include "dns/text_words.h"

#include "dns/escape.h"

enum { NUMBER_DIGITS_MAX = 10 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void text_words_fail(struct text_words *words, const char *error)
{
    if (words->error == NULL) {
        words->error = error;
    }
    words->at = words->end;
}

bool text_words_more(struct text_words *words)
{
    while (words->at < words->end && is_blank(*words->at)) {
        words->at++;
    }
    return words->at < words->end;
}

/* What may not stand for itself: the line's own syntax, and what no text file holds. */
static const char *character_error(char c, bool quoted)
{
    if (c == '\0' || c == '\n') {
        return "control character in a word";
    }
    return !quoted && (c == ';' || c == '(' || c == ')') ? "unexpected ; ( or )" : NULL;
}

struct text_word text_words_next(struct text_words *words)
{
    static const struct text_word nothing = {"", 0, false};

    if (!text_words_more(words)) {
        text_words_fail(words, "a field is missing");
        return nothing;
    }
    bool quoted = *words->at == '"';
    const char *begin = words->at + quoted;
    const char *at = begin;
    while (at < words->end && *at != '"' && (quoted || !is_blank(*at))) {
        const char *error = character_error(*at, quoted);
        if (error == NULL && *at == '\\') {
            at++;
            error = at == words->end ? "text ends in a backslash" : character_error(*at, true);
        }
        if (error != NULL) {
            text_words_fail(words, error);
            return nothing;
        }
        at++;
    }
    if (quoted && at == words->end) {
        text_words_fail(words, "a quote is not closed");
        return nothing;
    }
    words->at = at + quoted;
    return (struct text_word){begin, (size_t)(at - begin), quoted};
}

void text_word_decode(struct text_words *words, struct text_word word, struct buffer *out_bytes)
{
    for (size_t i = 0; i < word.length;) {
        uint8_t byte = (uint8_t)word.text[i++];
        if (byte != '\\') {
            buffer_append_u8(out_bytes, byte);
            continue;
        }
        size_t escaped = dns_unescape(word.text + i, word.length - i, &byte);
        if (escaped == 0) {
            text_words_fail(words, "bad escape");
            return;
        }
        i += escaped;
        buffer_append_u8(out_bytes, byte);
    }
}

uint32_t text_word_number(struct text_words *words, struct text_word word, uint32_t max)
{
    uint64_t value = 0;
    bool good = word.length > 0 && word.length <= NUMBER_DIGITS_MAX;
    for (size_t i = 0; good && i < word.length; i++) {
        good = word.text[i] >= '0' && word.text[i] <= '9';
        value = value * 10 + (uint64_t)(word.text[i] - '0');
    }
    if (!good || value > max) {
        text_words_fail(words, "not a number, or too large");
        return 0;
    }
    return (uint32_t)value;
}

void text_bare_write(struct span bytes, struct buffer *out_text)
{
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t byte = bytes.bytes[i];
        char text[4];
        char *end = text;
        if (byte < ' ' || byte >= 0x7f) {
            end = dns_escape_decimal(text, byte);
        } else if (byte == '"' || byte == '\\') {
            *end++ = '\\';
            *end++ = (char)byte;
        } else {
            *end++ = (char)byte;
        }
        buffer_append(out_text, text, (size_t)(end - text));
    }
}

void text_quoted_write(struct span bytes, struct buffer *out_text)
{
    buffer_append_text(out_text, "\"");
    text_bare_write(bytes, out_text);
    buffer_append_text(out_text, "\"");
}
