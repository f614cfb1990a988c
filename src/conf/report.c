#include "conf/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { PROBLEM_TEXT_BYTES = 1024 };

void conf_report_clear(struct conf_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        mem_free(report->problems[i].file);
        mem_free(report->problems[i].text);
    }
    mem_free(report->problems);
    *report = (struct conf_report){0};
}

/* A list that many zones use is wrong once. */
static bool is_listed(const struct conf_report *report, const char *file, unsigned line,
                      unsigned column, const char *text)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct conf_problem *problem = &report->problems[i];
        if (problem->line == line && problem->column == column &&
            strcmp(problem->file, file) == 0 && strcmp(problem->text, text) == 0) {
            return true;
        }
    }
    return false;
}

void conf_report_add(struct conf_report *report, enum conf_severity severity, const char *file,
                     unsigned line, unsigned column, const char *format, ...)
{
    char text[PROBLEM_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    /* Words of the file come in here: a terminal must not obey them. */
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            *at = '?';
        }
    }
    if (is_listed(report, file, line, column, text)) {
        return;
    }
    report->errors += severity == CONF_ERROR;
    report->warnings += severity == CONF_WARNING;
    /* A flood of warnings must leave room for the error that matters. */
    size_t room = severity == CONF_ERROR ? CONF_PROBLEMS_MAX : CONF_PROBLEMS_MAX / 2;
    if (report->count >= room) {
        return;
    }
    report->problems =
        mem_resize_array(report->problems, report->count + 1, sizeof(*report->problems));
    report->problems[report->count++] = (struct conf_problem){
        .severity = severity,
        .file = mem_copy_text(file),
        .line = line,
        .column = column,
        .text = mem_copy_text(text),
    };
}

void conf_problem_text(const struct conf_problem *problem, struct buffer *out_text)
{
    buffer_append_text(out_text, problem->file);
    if (problem->line > 0) {
        buffer_format(out_text, ":%u:%u", problem->line, problem->column);
    }
    static const char *const words[] = {"", "warning: ", "note: "};
    buffer_format(out_text, ": %s%s\n", words[problem->severity], problem->text);
}
