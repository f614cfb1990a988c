/*
 * base/log.h - lines in operators' words
 *
 * Severities and categories are BIND's, so that `logging` statements carry over. base/ only
 * formats and hands the line to the sink that was set; channels live in server/. Without a sink,
 * lines of severity info and above go to standard error. No secret may ever be an argument.
 * Thread: any.
 */
#pragma once

#include "base/assert.h"

enum log_severity {
    SEVERITY_CRITICAL,
    SEVERITY_ERROR,
    SEVERITY_WARNING,
    SEVERITY_NOTICE,
    SEVERITY_INFO,
    SEVERITY_DEBUG, /* debug 1; higher levels are SEVERITY_DEBUG + 1 ... */
};

enum log_category {
    LOG_GENERAL,
    LOG_CONFIG,
    LOG_NETWORK,
    LOG_CLIENT,
    LOG_SECURITY,
    LOG_ZONE,
    LOG_DNSSEC,
    LOG_XFER_IN,
    LOG_XFER_OUT,
    LOG_NOTIFY,
    LOG_UPDATE,
    LOG_UPDATE_SECURITY,
    LOG_QUERIES,
    LOG_CATEGORIES
};

const char *log_category_text(enum log_category category); /* "xfer-out" */
const char *log_severity_text(int severity);               /* "info", "debug 3" */

/* `line` has no newline and is valid during the call only. Several threads may call at once. */
typedef void log_sink(void *argument, enum log_category category, int severity, const char *line);
/* Before threads start. NULL: standard error again. */
void log_set_sink(log_sink *sink, void *argument);
/* The most verbose severity that any channel wants: cheaper lines are not even formatted. */
void log_set_threshold(int severity);

void log_write(enum log_category category, int severity, const char *format, ...) PRINTF_LIKE(3, 4);
