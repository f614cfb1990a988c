/*
 * base/json.h - JSON that is written straight down (RFC 8259)
 *
 * Commas and escapes are the writer's, nesting is the caller's. Elements of arrays begin lines. A
 * name of NULL is an element of an array, or the whole. Bytes beyond ASCII are given as Latin-1, so
 * that the text is always JSON.
 */
#pragma once

#include "base/buffer.h"
#include "base/time.h"

struct json {
    struct buffer *text; /* borrowed; appended to */
    bool follows;        /* a value stands before, on this level */
};

static inline struct json json_of(struct buffer *text)
{
    return (struct json){.text = text};
}

void json_begin_object(struct json *json, const char *name);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *name);
void json_end_array(struct json *json);
void json_text(struct json *json, const char *name, const char *text);
void json_number(struct json *json, const char *name, int64_t number);
void json_boolean(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);
/* "2026-01-02T00:05:00Z" */
void json_time(struct json *json, const char *name, sg_time when);
