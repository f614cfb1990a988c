#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void assert_failed(const char *file, int line, const char *function, const char *what)
{
    fprintf(stderr, "%s:%d: %s: assertion failed: %s\n", file, line, function, what);
    fflush(stderr);
    abort();
}
