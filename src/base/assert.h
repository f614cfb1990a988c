/*
 * base/assert.h - promises the code makes to itself; never bytes from the wire or the disk
 *
 * ASSERT stays on in production. Input is checked and refused with an sg_result instead.
 */
#pragma once

#define MUST_USE                         __attribute__((warn_unused_result))
#define ARRAY_LEN(array)                 (sizeof(array) / sizeof((array)[0]))
#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

#define ASSERT(condition)                                                                          \
    ((condition) ? (void)0 : assert_failed(__FILE__, __LINE__, __func__, #condition))
#define UNREACHABLE() assert_failed(__FILE__, __LINE__, __func__, "unreachable")

/* Write where and what to standard error, then abort. */
_Noreturn void assert_failed(const char *file, int line, const char *function, const char *what);
