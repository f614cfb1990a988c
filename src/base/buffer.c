#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { BUFFER_FIRST_BYTES = 64 };

/* One byte more than asked for, so that buffer_text() always has room for its NUL. */
void buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t wanted;
    if (__builtin_add_overflow(buffer->length, more, &wanted) || wanted == SIZE_MAX) {
        UNREACHABLE(); /* no caller holds that many bytes */
    }
    if (wanted + 1 <= buffer->capacity) {
        return;
    }
    size_t capacity = buffer->capacity < BUFFER_FIRST_BYTES
                          ? BUFFER_FIRST_BYTES
                          : buffer->capacity + buffer->capacity / 2;
    buffer->capacity = capacity < wanted + 1 ? wanted + 1 : capacity;
    buffer->bytes = mem_resize(buffer->bytes, buffer->capacity);
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0) {
        return;
    }
    buffer_reserve(buffer, length);
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
    buffer_append(buffer, &value, sizeof(value));
}

void buffer_append_u16(struct buffer *buffer, uint16_t value)
{
    uint8_t bytes[2];
    wire_put_u16(bytes, value);
    buffer_append(buffer, bytes, sizeof(bytes));
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    wire_put_u32(bytes, value);
    buffer_append(buffer, bytes, sizeof(bytes));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ASSERT(length >= 0); /* the format is ours */
    buffer_reserve(buffer, (size_t)length);
    va_start(arguments, format);
    vsnprintf((char *)buffer->bytes + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}

const char *buffer_text(struct buffer *buffer)
{
    buffer_reserve(buffer, 0);
    buffer->bytes[buffer->length] = 0;
    return (const char *)buffer->bytes;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

void buffer_free(struct buffer *buffer)
{
    mem_free(buffer->bytes);
    *buffer = BUFFER_EMPTY;
}

void buffer_wipe(struct buffer *buffer)
{
    mem_wipe_free(buffer->bytes, buffer->capacity);
    *buffer = BUFFER_EMPTY;
}
