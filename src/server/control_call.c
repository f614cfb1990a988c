#include "server/control_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"

static const struct result_text {
    uint32_t result;
    const char *text;
} result_texts[] = {
    {CONTROL_SUCCESS, "success"},
    {CONTROL_NO_PERMISSION, "permission denied"},
    {CONTROL_EXISTS, "already exists"},
    {CONTROL_SHUTTING_DOWN, "shutting down"},
    {CONTROL_NOT_FOUND, "not found"},
    {CONTROL_UNEXPECTED_END, "unexpected end of input"},
    {CONTROL_FAILURE, "failure"},
    {CONTROL_NOT_IMPLEMENTED, "not implemented"},
    {CONTROL_FILE_NOT_FOUND, "file not found"},
    {CONTROL_RANGE, "out of range"},
    {CONTROL_BAD_NUMBER, "not a valid number"},
    {CONTROL_MULTIPLE, "multiple"},
    {CONTROL_UNKNOWN_CLASS, "unknown class/type"},
    {CONTROL_SYNTAX, "syntax error"},
    {CONTROL_FROZEN, "already frozen"},
    {CONTROL_DYNAMIC, "dynamic zone"},
    {CONTROL_UNKNOWN_COMMAND, "unknown command"},
    {CONTROL_NOT_PRIMARY, "not primary"},
    {CONTROL_NOT_DYNAMIC, "not dynamic"},
    {CONTROL_NO_KEY, "no matching key found"},
    {CONTROL_MANY_KEYS, "too many keys matching"},
    {CONTROL_KEY_NOT_ACTIVE, "key is not actively signing"},
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

const char *control_result_text(uint32_t result)
{
    for (size_t i = 0; i < ARRAY_LEN(result_texts); i++) {
        if (result_texts[i].result == result) {
            return result_texts[i].text;
        }
    }
    return "failure";
}

enum sg_result control_call_open(struct server *server, struct control_request *request,
                                 const char *line, struct control_call *out_call)
{
    struct control_call call = {.server = server, .request = request, .line = mem_copy_text(line)};
    enum sg_result result = SG_OK;

    for (char *at = call.line; result == SG_OK;) {
        while (is_blank(*at)) {
            *at++ = '\0';
        }
        if (*at == '\0') {
            break;
        }
        if (call.count == CONTROL_WORDS_MAX) {
            result = SG_LIMIT;
            break;
        }
        if (*at == '{') {
            call.words[call.count++] = at; /* a block to the end, whatever is in it */
            break;
        }
        bool quoted = *at == '"';
        at += quoted;
        call.words[call.count++] = at;
        while (*at != '\0' && (quoted ? *at != '"' : !is_blank(*at))) {
            at++;
        }
        if (quoted && *at == '\0') {
            result = SG_MALFORMED;
        } else if (quoted) {
            *at++ = '\0';
        }
    }
    if (result != SG_OK) {
        mem_free(call.line);
        return result;
    }
    *out_call = call;
    return SG_OK;
}

void control_call_close(struct control_call *call)
{
    mem_free(call->line);
    call->line = NULL;
}

const char *control_call_word(const struct control_call *call, size_t index)
{
    return index < call->count ? call->words[index] : NULL;
}

bool control_call_word_is(const struct control_call *call, size_t index, const char *word)
{
    return index < call->count && strcasecmp(call->words[index], word) == 0;
}

struct control_request *control_call_keep(struct control_call *call)
{
    struct control_request *request = call->request;

    ASSERT(request != NULL);
    call->request = NULL;
    return request;
}

void control_call_succeed(struct control_call *call, const char *text)
{
    control_request_reply(control_call_keep(call), CONTROL_SUCCESS, NULL, text);
}

void control_call_fail(struct control_call *call, enum control_result result, const char *text)
{
    control_request_reply(control_call_keep(call), (uint32_t)result, control_result_text(result),
                          text);
}

void control_call_explain(struct control_call *call, enum control_result result, const char *format,
                          ...)
{
    char text[CONTROL_TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    control_call_fail(call, result, text);
}
