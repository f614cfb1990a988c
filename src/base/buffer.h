/*
 * base/buffer.h - bytes that grow, bytes that are looked at, and two cursors over wire format
 *
 * Cursors keep their first error: read or write straight down and check once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/result.h"

/* Borrowed bytes. */
struct span {
    const uint8_t *bytes;
    size_t length;
};

/* Owned bytes that grow. Begin with BUFFER_EMPTY, end with buffer_free(). */
struct buffer {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
};
#define BUFFER_EMPTY ((struct buffer){NULL, 0, 0})

void buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_u16(struct buffer *buffer, uint16_t value); /* big-endian */
void buffer_append_u32(struct buffer *buffer, uint32_t value); /* big-endian */
void buffer_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* The bytes as a C string: a NUL is kept behind the last byte, not counted. */
const char *buffer_text(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* length 0, memory kept */
void buffer_free(struct buffer *buffer);
void buffer_wipe(struct buffer *buffer); /* as buffer_free, for secrets */

static inline struct span buffer_span(const struct buffer *buffer)
{
    return (struct span){buffer->bytes, buffer->length};
}

static inline struct span span_of_text(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static inline uint16_t wire_get_u16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static inline uint32_t wire_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void wire_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void wire_put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* Reads big-endian values. After an error every read gives 0 and `failed` stays true. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct reader reader_of(struct span span)
{
    /* C17 allows no arithmetic on NULL, which the bytes of an empty span may be. */
    const uint8_t *end = span.length == 0 ? span.bytes : span.bytes + span.length;
    return (struct reader){span.bytes, end, false};
}

static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline bool reader_need(struct reader *reader, size_t bytes)
{
    if (reader->failed || reader_left(reader) < bytes) {
        reader->failed = true;
        return false;
    }
    return true;
}

static inline uint8_t reader_u8(struct reader *reader)
{
    return reader_need(reader, 1) ? *reader->at++ : 0;
}

static inline uint16_t reader_u16(struct reader *reader)
{
    if (!reader_need(reader, 2)) {
        return 0;
    }
    reader->at += 2;
    return wire_get_u16(reader->at - 2);
}

static inline uint32_t reader_u32(struct reader *reader)
{
    if (!reader_need(reader, 4)) {
        return 0;
    }
    reader->at += 4;
    return wire_get_u32(reader->at - 4);
}

/* The next `bytes` bytes, borrowed; an empty span with NULL on error. */
static inline struct span reader_span(struct reader *reader, size_t bytes)
{
    if (!reader_need(reader, bytes)) {
        return (struct span){NULL, 0};
    }
    reader->at += bytes;
    return (struct span){reader->at - bytes, bytes};
}

/* Writes into fixed memory. After an overflow every write does nothing and `failed` stays true. */
struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

static inline struct writer writer_of(uint8_t *bytes, size_t length)
{
    return (struct writer){bytes, bytes, bytes + length, false};
}

static inline size_t writer_length(const struct writer *writer)
{
    return (size_t)(writer->at - writer->start);
}

static inline bool writer_need(struct writer *writer, size_t bytes)
{
    if (writer->failed || (size_t)(writer->end - writer->at) < bytes) {
        writer->failed = true;
        return false;
    }
    return true;
}

static inline void writer_u8(struct writer *writer, uint8_t value)
{
    if (writer_need(writer, 1)) {
        *writer->at++ = value;
    }
}

static inline void writer_u16(struct writer *writer, uint16_t value)
{
    if (writer_need(writer, 2)) {
        wire_put_u16(writer->at, value);
        writer->at += 2;
    }
}

static inline void writer_u32(struct writer *writer, uint32_t value)
{
    if (writer_need(writer, 4)) {
        wire_put_u32(writer->at, value);
        writer->at += 4;
    }
}

static inline void writer_bytes(struct writer *writer, const void *bytes, size_t length)
{
    if (length > 0 && writer_need(writer, length)) {
        memcpy(writer->at, bytes, length);
        writer->at += length;
    }
}
