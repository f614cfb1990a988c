/*
 * What the log is told, as "category severity: line", one a line.
 */
#pragma once

#include "base/buffer.h"
#include "base/log.h"

static struct buffer heard_log_text;

static inline void heard_log_take(void *argument, enum log_category category, int severity,
                                  const char *line)
{
    (void)argument;
    buffer_format(&heard_log_text, "%s %s: %s\n", log_category_text(category),
                  log_severity_text(severity), line);
}

static inline void heard_log_begin(void)
{
    heard_log_text = BUFFER_EMPTY;
    log_set_sink(heard_log_take, NULL);
}

static inline void heard_log_end(void)
{
    log_set_sink(NULL, NULL);
    buffer_free(&heard_log_text);
}

static inline bool heard_log_has(const char *text)
{
    return strstr(buffer_text(&heard_log_text), text) != NULL;
}

/* How often it was said. */
static inline size_t heard_log_count(const char *text)
{
    size_t count = 0;

    for (const char *at = buffer_text(&heard_log_text); (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}
