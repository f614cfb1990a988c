#include "dns/text_svcb.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "dns/escape.h"

enum {
    PARAMS_MAX = 64,
    ADDRESS_TEXT_BYTES = 64,
    KEY_TEXT_BYTES = 16,
    KEY_MANDATORY = 0,
    KEY_ALPN = 1,
    KEY_NO_DEFAULT_ALPN = 2,
    KEY_PORT = 3,
    KEY_IP4HINT = 4,
    KEY_ECH = 5,
    KEY_IP6HINT = 6,
    KEYS_WRITTEN = 7, /* those that every reader of SVCB knows by name */
};

static const char *const key_names[] = {
    "mandatory", "alpn",     "no-default-alpn", "port",  "ipv4hint",
    "ech",       "ipv6hint", "dohpath",         "ohttp",
};

/* A parameter while it is read: its value lies in `struct params_draft`. */
struct param {
    uint16_t key;
    size_t begin;
    size_t length;
};

struct params_draft {
    struct text_words *words;
    struct buffer values;
    struct param params[PARAMS_MAX];
    size_t count;
};

static int number_order(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* One of `key_names`, or "key" and a number without leading zeros. */
static bool key_from_text(const char *text, size_t length, uint16_t *out_key)
{
    for (size_t i = 0; i < ARRAY_LEN(key_names); i++) {
        if (strlen(key_names[i]) == length && memcmp(key_names[i], text, length) == 0) {
            *out_key = (uint16_t)i;
            return true;
        }
    }
    if (length < 4 || length > 8 || memcmp(text, "key", 3) != 0 || (text[3] == '0' && length > 4)) {
        return false;
    }
    struct text_words words = {text, text + length, NULL};
    uint32_t key =
        text_word_number(&words, (struct text_word){text + 3, length - 3, false}, UINT16_MAX);
    *out_key = (uint16_t)key;
    return words.error == NULL;
}

/*
 * The next item of a comma-separated list at value[*at]; commas and backslashes in an item are
 * escaped (RFC 9460 appendix A.1). False at the end. The item replaces what `out_item` held.
 */
static bool list_next(struct span value, size_t *at, struct buffer *out_item)
{
    buffer_clear(out_item);
    if (*at > value.length) {
        return false;
    }
    for (; *at < value.length && value.bytes[*at] != ','; ++*at) {
        if (value.bytes[*at] == '\\' && *at + 1 < value.length) {
            ++*at;
        }
        buffer_append_u8(out_item, value.bytes[*at]);
    }
    ++*at; /* the comma, or behind the end */
    return true;
}

static void alpn_read(struct params_draft *draft, struct span value)
{
    struct buffer item = BUFFER_EMPTY;
    for (size_t at = 0; list_next(value, &at, &item);) {
        if (item.length == 0 || item.length > UINT8_MAX) {
            text_words_fail(draft->words, "bad alpn");
            break;
        }
        buffer_append_u8(&draft->values, (uint8_t)item.length);
        buffer_append(&draft->values, item.bytes, item.length);
    }
    buffer_free(&item);
}

static void mandatory_read(struct params_draft *draft, struct span value)
{
    struct buffer item = BUFFER_EMPTY;
    uint16_t keys[PARAMS_MAX];
    size_t count = 0;
    for (size_t at = 0; list_next(value, &at, &item);) {
        if (count == PARAMS_MAX || !key_from_text(buffer_text(&item), item.length, &keys[count])) {
            text_words_fail(draft->words, "bad list of mandatory keys");
            break;
        }
        count++;
    }
    qsort(keys, count, sizeof(keys[0]), number_order);
    for (size_t i = 0; i < count; i++) {
        buffer_append_u16(&draft->values, keys[i]);
    }
    buffer_free(&item);
}

static void addresses_read(struct params_draft *draft, int family, struct span value)
{
    struct buffer item = BUFFER_EMPTY;
    for (size_t at = 0; list_next(value, &at, &item);) {
        uint8_t address[16];
        if (item.length > ADDRESS_TEXT_BYTES ||
            inet_pton(family, buffer_text(&item), address) != 1) {
            text_words_fail(draft->words, "bad address");
            break;
        }
        buffer_append(&draft->values, address, family == AF_INET ? 4 : 16);
    }
    buffer_free(&item);
}

static void value_read(struct params_draft *draft, bool by_name, uint16_t key, struct span value)
{
    const struct text_word word = {(const char *)value.bytes, value.length, false};
    switch (by_name ? key : UINT16_MAX) {
    case KEY_MANDATORY:
        mandatory_read(draft, value);
        break;
    case KEY_ALPN:
        alpn_read(draft, value);
        break;
    case KEY_PORT:
        buffer_append_u16(&draft->values,
                          (uint16_t)text_word_number(draft->words, word, UINT16_MAX));
        break;
    case KEY_IP4HINT:
        addresses_read(draft, AF_INET, value);
        break;
    case KEY_IP6HINT:
        addresses_read(draft, AF_INET6, value);
        break;
    case KEY_ECH:
        if (base64_decode(value, &draft->values) != SG_OK) {
            text_words_fail(draft->words, "bad base64");
        }
        break;
    default:
        buffer_append(&draft->values, value.bytes, value.length);
        break;
    }
}

/* key, key=value or key="value"; the last comes as two words that touch. */
static void param_read(struct params_draft *draft)
{
    struct text_word word = text_words_next(draft->words);
    const char *equals = word.length > 0 ? memchr(word.text, '=', word.length) : NULL;
    size_t key_length = equals != NULL ? (size_t)(equals - word.text) : word.length;
    uint16_t key;
    if (word.quoted || draft->count == PARAMS_MAX || !key_from_text(word.text, key_length, &key)) {
        text_words_fail(draft->words, "unknown service parameter, or too many");
        return;
    }
    struct buffer value = BUFFER_EMPTY;
    if (equals != NULL) {
        struct text_word text = {equals + 1, word.length - key_length - 1, false};
        if (text.length == 0 && draft->words->at < draft->words->end && *draft->words->at == '"') {
            text = text_words_next(draft->words);
        }
        text_word_decode(draft->words, text, &value);
    }
    buffer_text(&value); /* so that its bytes are never NULL */
    size_t begin = draft->values.length;
    value_read(draft, word.text[0] != 'k', key, buffer_span(&value));
    buffer_free(&value);

    size_t at = draft->count++;
    for (; at > 0 && draft->params[at - 1].key > key; at--) {
        draft->params[at] = draft->params[at - 1];
    }
    draft->params[at] = (struct param){key, begin, draft->values.length - begin};
}

void text_svcb_read(struct text_words *words, struct buffer *out_rdata)
{
    struct params_draft draft = {.words = words, .values = BUFFER_EMPTY, .count = 0};
    while (text_words_more(words)) {
        param_read(&draft);
    }
    for (size_t i = 0; i < draft.count; i++) {
        const struct param *param = &draft.params[i];
        if (param->length > UINT16_MAX) {
            text_words_fail(words, "service parameter too long");
            break;
        }
        buffer_append_u16(out_rdata, param->key);
        buffer_append_u16(out_rdata, (uint16_t)param->length);
        if (param->length > 0) {
            buffer_append(out_rdata, draft.values.bytes + param->begin, param->length);
        }
    }
    buffer_free(&draft.values);
}

static void key_write(uint16_t key, struct buffer *out_text)
{
    char text[KEY_TEXT_BYTES];
    snprintf(text, sizeof(text), "key%u", (unsigned)key);
    buffer_append_text(out_text, key < KEYS_WRITTEN ? key_names[key] : text);
}

/* A comma or a backslash within an item is escaped once more (RFC 9460 A.1). */
static void alpn_item_write(struct span item, struct buffer *out_list)
{
    for (size_t i = 0; i < item.length; i++) {
        if (item.bytes[i] == ',' || item.bytes[i] == '\\') {
            buffer_append_u8(out_list, '\\');
        }
        buffer_append_u8(out_list, item.bytes[i]);
    }
}

static void alpn_write(struct reader *value, struct buffer *out_text)
{
    struct buffer list = BUFFER_EMPTY;
    while (reader_left(value) > 0 && !value->failed) {
        alpn_item_write(reader_span(value, reader_u8(value)), &list);
        if (reader_left(value) > 0) {
            buffer_append_u8(&list, ',');
        }
    }
    text_quoted_write(buffer_span(&list), out_text);
    buffer_free(&list);
}

static void addresses_write(int family, struct reader *value, struct buffer *out_text)
{
    char text[INET6_ADDRSTRLEN];
    while (reader_left(value) > 0 && !value->failed) {
        struct span address = reader_span(value, family == AF_INET ? 4 : 16);
        buffer_append_text(out_text, inet_ntop(family, address.bytes, text, sizeof(text)));
        buffer_append_text(out_text, reader_left(value) > 0 ? "," : "");
    }
}

static void value_write(uint16_t key, struct span span, struct buffer *out_text)
{
    struct reader value = reader_of(span);
    switch (key) {
    case KEY_MANDATORY:
        while (reader_left(&value) > 0 && !value.failed) {
            key_write(reader_u16(&value), out_text);
            buffer_append_text(out_text, reader_left(&value) > 0 ? "," : "");
        }
        break;
    case KEY_ALPN:
        alpn_write(&value, out_text);
        break;
    case KEY_PORT:
        buffer_format(out_text, "%u", (unsigned)reader_u16(&value));
        break;
    case KEY_IP4HINT:
        addresses_write(AF_INET, &value, out_text);
        break;
    case KEY_IP6HINT:
        addresses_write(AF_INET6, &value, out_text);
        break;
    case KEY_ECH:
        base64_encode(span, out_text);
        break;
    default:
        text_quoted_write(span, out_text);
        break;
    }
}

void text_svcb_write(struct span params, struct buffer *out_text)
{
    struct reader reader = reader_of(params);
    while (reader_left(&reader) > 0 && !reader.failed) {
        uint16_t key = reader_u16(&reader);
        struct span value = reader_span(&reader, reader_u16(&reader));
        key_write(key, out_text);
        if (value.length > 0) {
            buffer_append_text(out_text, "=");
            value_write(key, value, out_text);
        }
        buffer_append_text(out_text, reader_left(&reader) > 0 ? " " : "");
    }
}
