/*
 * server/control_call.h - one control command: its words and its answer
 *
 * Words are separated by blanks; one that stands in double quotes may hold blanks; one that begins
 * with a brace is all that follows, to the end (addzone). Result codes
 * and their texts are those of BIND 9.20's isc results, since scripts look at them (rndc -r).
 */
#pragma once

#include "server/server.h"

enum { CONTROL_WORDS_MAX = 32, CONTROL_TEXT_BYTES = 2048 };

enum control_result {
    CONTROL_SUCCESS = 0,
    CONTROL_NO_PERMISSION = 6,
    CONTROL_EXISTS = 18,
    CONTROL_SHUTTING_DOWN = 22,
    CONTROL_NOT_FOUND = 23,
    CONTROL_UNEXPECTED_END = 24,
    CONTROL_FAILURE = 25,
    CONTROL_NOT_IMPLEMENTED = 27,
    CONTROL_FILE_NOT_FOUND = 38,
    CONTROL_RANGE = 41,
    CONTROL_BAD_NUMBER = 56,
    CONTROL_MULTIPLE = 62,
    CONTROL_UNKNOWN_CLASS = 81,
    CONTROL_SYNTAX = 90,
    CONTROL_FROZEN = 155,
    CONTROL_DYNAMIC = 172,
    CONTROL_UNKNOWN_COMMAND = 173,
    CONTROL_NOT_PRIMARY = 179,
    CONTROL_NOT_DYNAMIC = 182,
    CONTROL_NO_KEY = 194,
    CONTROL_MANY_KEYS = 195,
    CONTROL_KEY_NOT_ACTIVE = 196,
};
const char *control_result_text(uint32_t result);

struct control_call {
    struct server *server;
    struct control_request *request; /* NULL once it was answered */
    char *line;                      /* the words point into it */
    char *words[CONTROL_WORDS_MAX];
    size_t count;
};

/* SG_LIMIT: too many words; SG_MALFORMED: a quote is not closed. */
MUST_USE enum sg_result control_call_open(struct server *server, struct control_request *request,
                                          const char *line, struct control_call *out_call);
void control_call_close(struct control_call *call);
/* The word at `index`, or NULL when there are not as many. */
const char *control_call_word(const struct control_call *call, size_t index);
/* Case is ignored. False when there is no such word. */
bool control_call_word_is(const struct control_call *call, size_t index, const char *word);

/* `text` may be NULL. Exactly one of these for each call, or the request is kept for later. */
void control_call_succeed(struct control_call *call, const char *text);
void control_call_fail(struct control_call *call, enum control_result result, const char *text);
/* The same with a text that is cut after CONTROL_TEXT_BYTES. */
void control_call_explain(struct control_call *call, enum control_result result, const char *format,
                          ...) PRINTF_LIKE(3, 4);
/* The request, to be answered later by whoever takes it. */
struct control_request *control_call_keep(struct control_call *call);
