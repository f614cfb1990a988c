#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"

/* Texts that many tests begin with. */
#define KEY_K    "key k { algorithm hmac-sha256; secret \"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\"; };\n"
#define CSK      "keys { csk lifetime unlimited algorithm 13; }; "
#define POLICY_P "dnssec-policy p { " CSK "};\n"
#define PRIMARY  "type primary; file \"x\"; "

/* Is `text` part of some problem's line, "t:line:column: ..."? */
static inline bool report_says(const struct conf_report *report, const char *text)
{
    struct buffer line = BUFFER_EMPTY;
    bool said = false;

    for (size_t i = 0; i < report->count; i++) {
        buffer_clear(&line);
        conf_problem_text(&report->problems[i], &line);
        said |= strstr(buffer_text(&line), text) != NULL;
    }
    buffer_free(&line);
    return said;
}

static inline void print_report(const struct conf_report *report)
{
    struct buffer text = BUFFER_EMPTY;

    for (size_t i = 0; i < report->count; i++) {
        conf_problem_text(&report->problems[i], &text);
    }
    fputs(buffer_text(&text), stderr);
    buffer_free(&text);
}

/* The configuration, which must be sound; `says` (or NULL) must be among its warnings. */
static inline struct conf *load_saying(const char *text, const char *says)
{
    struct conf_report report = {0};
    struct conf *conf = NULL;

    enum sg_result result = conf_load_text("t", span_of_text(text), &conf, &report);
    bool said = says == NULL || report_says(&report, says);
    if (result != SG_OK || !said) {
        print_report(&report);
    }
    assert_int_equal(result, SG_OK);
    assert_true(said);
    conf_report_clear(&report);
    return conf;
}

static inline struct conf *load(const char *text)
{
    return load_saying(text, NULL);
}

/* It must be refused, and `says` be why. */
static inline void refuse(const char *text, const char *says)
{
    struct conf_report report = {0};
    struct conf *conf = NULL;

    enum sg_result result = conf_load_text("t", span_of_text(text), &conf, &report);
    bool said = report_says(&report, says);
    if (!said) {
        print_report(&report);
    }
    assert_int_equal(result, SG_MALFORMED);
    assert_null(conf);
    assert_true(said);
    conf_report_clear(&report);
}

/* It must be accepted without a word. */
static inline void accept_quietly(const char *text)
{
    struct conf_report report = {0};
    struct conf *conf = NULL;

    enum sg_result result = conf_load_text("t", span_of_text(text), &conf, &report);
    print_report(&report);
    assert_int_equal(result, SG_OK);
    assert_int_equal(report.count, 0);
    conf_free(conf);
    conf_report_clear(&report);
}

/* A row of most tables here: what is said, or NULL for a quiet acceptance. */
struct text_case {
    const char *name;
    const char *text;
    bool refused;
    const char *says;
};

static inline void says_what_it_should(void **state)
{
    const struct text_case *c = *state;

    if (c->refused) {
        refuse(c->text, c->says);
    } else if (c->says == NULL) {
        accept_quietly(c->text);
    } else {
        conf_free(load_saying(c->text, c->says));
    }
}
