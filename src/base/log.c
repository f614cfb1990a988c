#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum { LOG_LINE_BYTES = 4096 };

static const char *const category_texts[LOG_CATEGORIES] = {
    [LOG_GENERAL] = "general",   [LOG_CONFIG] = "config",
    [LOG_NETWORK] = "network",   [LOG_CLIENT] = "client",
    [LOG_SECURITY] = "security", [LOG_ZONE] = "zoneload",
    [LOG_DNSSEC] = "dnssec",     [LOG_XFER_IN] = "xfer-in",
    [LOG_XFER_OUT] = "xfer-out", [LOG_NOTIFY] = "notify",
    [LOG_UPDATE] = "update",     [LOG_UPDATE_SECURITY] = "update-security",
    [LOG_QUERIES] = "queries",
};

static log_sink *sink_now;
static void *sink_argument;
static int threshold = SEVERITY_INFO;

const char *log_category_text(enum log_category category)
{
    return (unsigned)category < LOG_CATEGORIES ? category_texts[category] : "general";
}

const char *log_severity_text(int severity)
{
    static const char *const texts[] = {"critical", "error", "warning", "notice", "info"};
    static const char *const debug[] = {"debug 1", "debug 2", "debug 3", "debug 4"};
    if (severity < SEVERITY_DEBUG) {
        return texts[severity < 0 ? 0 : severity];
    }
    size_t level = (size_t)(severity - SEVERITY_DEBUG);
    return debug[level < ARRAY_LEN(debug) ? level : ARRAY_LEN(debug) - 1];
}

void log_set_sink(log_sink *sink, void *argument)
{
    sink_argument = argument;
    sink_now = sink;
}

void log_set_threshold(int severity)
{
    __atomic_store_n(&threshold, severity, __ATOMIC_RELAXED);
}

void log_write(enum log_category category, int severity, const char *format, ...)
{
    if (severity > __atomic_load_n(&threshold, __ATOMIC_RELAXED)) {
        return;
    }
    char line[LOG_LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    /* A name from outside may hold anything: one line stays one line. */
    for (int i = 0; i < length && i < LOG_LINE_BYTES - 1; i++) {
        if ((unsigned char)line[i] < ' ') {
            line[i] = '?';
        }
    }
    if (sink_now != NULL) {
        sink_now(sink_argument, category, severity, line);
    } else {
        fprintf(stderr, "%s: %s: %s\n", log_category_text(category), log_severity_text(severity),
                line);
    }
}
