/*
 * Any text is read or refused with a reason; what is read can be printed, and what is printed
 * reads as the same: the text of its text, and every zone's fingerprint.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_report(const struct conf_report *report, enum sg_result result)
{
    struct buffer text = BUFFER_EMPTY;

    ASSERT((result == SG_OK) == (report->errors == 0));
    ASSERT(report->count <= CONF_PROBLEMS_MAX);
    for (size_t i = 0; i < report->count; i++) {
        buffer_clear(&text);
        conf_problem_text(&report->problems[i], &text);
        ASSERT(text.length > 1 && text.bytes[text.length - 1] == '\n');
        ASSERT(memchr(text.bytes, '\n', text.length) == text.bytes + text.length - 1);
    }
    buffer_free(&text);
}

static void check_same(const struct conf *a, const struct conf *b)
{
    ASSERT(a->views_count == b->views_count);
    for (size_t i = 0; i < a->views_count; i++) {
        ASSERT(a->views[i]->zones_count == b->views[i]->zones_count);
        for (size_t j = 0; j < a->views[i]->zones_count; j++) {
            const struct conf_zone *x = a->views[i]->zones[j], *y = b->views[i]->zones[j];
            ASSERT(x->content_fingerprint == y->content_fingerprint);
        }
    }
}

static void check_printed(const struct conf *conf)
{
    struct buffer text = BUFFER_EMPTY, again = BUFFER_EMPTY;
    struct conf_report report = {0};
    struct conf *printed = NULL;

    conf_print(conf, false, &text);
    enum sg_result result = conf_load_text("printed", buffer_span(&text), &printed, &report);
    ASSERT(result == SG_OK);
    conf_print(printed, false, &again);
    ASSERT(text.length == again.length && memcmp(text.bytes, again.bytes, text.length) == 0);
    check_same(conf, printed);
    conf_free(printed);
    conf_report_clear(&report);
    buffer_free(&again);
    buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct conf_report report = {0};
    struct conf *conf = NULL;

    enum sg_result result = conf_load_text("fuzz", (struct span){bytes, length}, &conf, &report);
    check_report(&report, result);
    if (result == SG_OK) {
        check_printed(conf);
        conf_free(conf);
    }
    conf_report_clear(&report);
    return 0;
}
