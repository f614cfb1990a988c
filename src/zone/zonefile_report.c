#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "zone/zonefile.h"

enum { PROBLEM_TEXT_BYTES = 1600 }; /* a name of \DDD escapes and some words */

static void clear_problem(struct zonefile_problem *problem)
{
    mem_free(problem->file);
    mem_free(problem->text);
    mem_free(problem->subject);
}

void zonefile_report_clear(struct zonefile_report *report)
{
    for (size_t i = 0; i < report->problems_count; i++) {
        clear_problem(&report->problems[i]);
    }
    for (size_t i = 0; i < report->files_count; i++) {
        mem_free(report->files[i]);
    }
    mem_free(report->files);
    *report = (struct zonefile_report){0};
}

/*
 * Where the problem goes: NULL if there is no room. An error takes the place of the last warning,
 * since it is the errors that keep the zone from being loaded.
 */
static struct zonefile_problem *place_for(struct zonefile_report *report,
                                          enum zonefile_severity severity)
{
    if (report->problems_count < ZONEFILE_PROBLEMS_MAX) {
        return &report->problems[report->problems_count++];
    }
    if (severity == ZONEFILE_WARNING) {
        return NULL;
    }
    for (size_t i = ZONEFILE_PROBLEMS_MAX; i-- > 0;) {
        struct zonefile_problem *problem = &report->problems[i];
        if (problem->severity == ZONEFILE_WARNING) {
            clear_problem(problem);
            memmove(problem, problem + 1, (ZONEFILE_PROBLEMS_MAX - 1 - i) * sizeof(*problem));
            return &report->problems[ZONEFILE_PROBLEMS_MAX - 1];
        }
    }
    return NULL;
}

/* Count the problem and make room for it. NULL: the list is full. */
static struct zonefile_problem *add(struct zonefile_report *report, enum zonefile_severity severity)
{
    if (severity == ZONEFILE_ERROR) {
        report->errors++;
    } else {
        report->warnings++;
    }
    return place_for(report, severity);
}

/* The subject, its owner and its rdata in one piece. */
static struct zonefile_subject *copy_subject(const struct zonefile_subject *subject)
{
    struct {
        struct zonefile_subject subject;
        struct dns_name owner;
        uint8_t rdata[];
    } *copy = mem_alloc(sizeof(*copy) + subject->rdata.length);
    copy->subject = *subject;
    copy->owner = *subject->owner;
    copy->subject.owner = &copy->owner;
    if (subject->rdata.length > 0) {
        memcpy(copy->rdata, subject->rdata.bytes, subject->rdata.length);
    }
    copy->subject.rdata.bytes = copy->rdata;
    return &copy->subject;
}

void zonefile_report_add_about(struct zonefile_report *report, enum zonefile_severity severity,
                               const struct zonefile_subject *subject, const char *text)
{
    struct zonefile_problem *problem = add(report, severity);
    if (problem != NULL) {
        *problem = (struct zonefile_problem){
            .severity = severity, .text = mem_copy_text(text), .subject = copy_subject(subject)};
    }
}

void zonefile_report_add(struct zonefile_report *report, enum zonefile_severity severity,
                         const char *file, unsigned line, const char *format, ...)
{
    struct zonefile_problem *problem = add(report, severity);
    if (problem == NULL) {
        return;
    }
    char text[PROBLEM_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    *problem = (struct zonefile_problem){.severity = severity,
                                         .file = file == NULL ? NULL : mem_copy_text(file),
                                         .line = line,
                                         .text = mem_copy_text(text)};
}
