/*
 * tools/key_date.h - dates on the command lines of key tools, as BIND's tools take them
 *
 * now[+-offset], [+-]offset, YYYYMMDD[HHMMSS][+-offset], ten digits of seconds since 1970,
 * none/never/unset. Offset: a number and y (365 days), mo (30 days), w, d, h, mi, s or nothing.
 */
#pragma once

#include "base/time.h"

/* `out_when` is KEY_TIME_UNSET for "none". An offset alone counts from `base`. SG_MALFORMED. */
MUST_USE enum sg_result key_date_parse(const char *text, sg_time now, sg_time base,
                                       sg_time *out_when);
/* A duration such as "30d" or "3600". */
MUST_USE enum sg_result key_duration_parse(const char *text, sg_duration *out_duration);
