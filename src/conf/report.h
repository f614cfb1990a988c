/*
 * conf/report.h - what is wrong with a configuration, and where
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

enum { CONF_PROBLEMS_MAX = 200 };

enum conf_severity { CONF_ERROR, CONF_WARNING, CONF_NOTE };

struct conf_problem {
    enum conf_severity severity;
    char *file;
    unsigned line, column; /* 0: the file as a whole */
    char *text;
};

/* Begin with zeros. In the order in which they were found. */
struct conf_report {
    struct conf_problem *problems;
    size_t count;
    size_t errors; /* also those beyond CONF_PROBLEMS_MAX, which are not listed */
    size_t warnings;
};

void conf_report_clear(struct conf_report *report);
/* Secrets never come here. Copies `file`. */
void conf_report_add(struct conf_report *report, enum conf_severity severity, const char *file,
                     unsigned line, unsigned column, const char *format, ...) PRINTF_LIKE(6, 7);
/* "file:line:column: text", appended with a newline. */
void conf_problem_text(const struct conf_problem *problem, struct buffer *out_text);
