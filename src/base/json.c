#include "base/json.h"

static void append_string(struct buffer *out, const char *text)
{
    buffer_append_u8(out, '"');
    for (; *text != 0; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            buffer_format(out, "\\%c", byte);
        } else if (byte < 0x20 || byte > 0x7e) {
            buffer_format(out, "\\u%04x", byte);
        } else {
            buffer_append_u8(out, byte);
        }
    }
    buffer_append_u8(out, '"');
}

static void begin_value(struct json *json, const char *name)
{
    if (json->follows) {
        buffer_append_text(json->text, name == NULL ? ",\n" : ", ");
    }
    if (name != NULL) {
        append_string(json->text, name);
        buffer_append_text(json->text, ": ");
    }
    json->follows = true;
}

static void begin_level(struct json *json, const char *name, char bracket)
{
    begin_value(json, name);
    buffer_append_u8(json->text, (uint8_t)bracket);
    json->follows = false;
}

static void end_level(struct json *json, char bracket)
{
    buffer_append_u8(json->text, (uint8_t)bracket);
    json->follows = true;
}

void json_begin_object(struct json *json, const char *name)
{
    begin_level(json, name, '{');
}

void json_end_object(struct json *json)
{
    end_level(json, '}');
}

void json_begin_array(struct json *json, const char *name)
{
    begin_level(json, name, '[');
}

void json_end_array(struct json *json)
{
    end_level(json, ']');
}

void json_text(struct json *json, const char *name, const char *text)
{
    begin_value(json, name);
    append_string(json->text, text);
}

void json_number(struct json *json, const char *name, int64_t number)
{
    begin_value(json, name);
    buffer_format(json->text, "%lld", (long long)number);
}

void json_boolean(struct json *json, const char *name, bool value)
{
    begin_value(json, name);
    buffer_append_text(json->text, value ? "true" : "false");
}

void json_null(struct json *json, const char *name)
{
    begin_value(json, name);
    buffer_append_text(json->text, "null");
}

void json_time(struct json *json, const char *name, sg_time when)
{
    char text[TIME_HUMAN_BYTES];
    time_to_iso(when, text);
    json_text(json, name, text);
}
