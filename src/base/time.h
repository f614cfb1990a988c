/*
 * base/time.h - instants and durations, in seconds
 *
 * `now` is an argument everywhere below keeper/ and server/: only those two call time_now().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

typedef int64_t sg_time;     /* seconds since 1970-01-01T00:00:00Z, wall clock */
typedef int64_t sg_duration; /* seconds */

#define SG_MINUTE ((sg_duration)60)
#define SG_HOUR   ((sg_duration)3600)
#define SG_DAY    ((sg_duration)86400)
#define SG_WEEK   ((sg_duration)604800)

enum { TIME_TEXT_BYTES = 15, TIME_HUMAN_BYTES = 40 };

/* The wall clock. Thread: any; for keeper/, server/ and tools/ alone. */
sg_time time_now(void);
/* Nanoseconds of a clock that never jumps, for measuring how long something took. */
uint64_t time_monotonic_ns(void);

/* Seconds since the machine was started, those that it slept included; never jumps. */
sg_time time_uptime(void);

/* 14 digits YYYYMMDDHHMMSS in UTC and a NUL, as in RRSIG rdata and key files. */
void time_to_digits(sg_time when, char out_text[TIME_TEXT_BYTES]);
/* The reverse. SG_MALFORMED unless `text` begins with 14 digits that are a real instant. */
MUST_USE enum sg_result time_from_digits(const char *text, sg_time *out_when);
/* "Sun Nov 22 03:12:43 2026" (the C library's ctime, UTC or local), no newline. */
void time_to_ctime(sg_time when, int local, char out_text[TIME_HUMAN_BYTES]);
/* "Sun, 22 Nov 2026 03:13:10 GMT", as HTTP has it. */
void time_to_http(sg_time when, char out_text[TIME_HUMAN_BYTES]);
/* "22-Nov-2026 03:13:10.000" in local time, as BIND's commands answer. */
void time_to_stamp(sg_time when, char out_text[TIME_HUMAN_BYTES]);
/* "2026-11-22T03:13:10Z" (RFC 3339) */
void time_to_iso(sg_time when, char out_text[TIME_HUMAN_BYTES]);
