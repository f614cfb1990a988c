/*
 * support/false_clock.c - the wall clock of a process is off by as many seconds as a file says;
 * LD_PRELOAD. The clock since boot goes on as it is.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

time_t time(time_t *out_now)
{
    struct timespec now;
    long off = 0;
    const char *path = getenv("FALSE_CLOCK");
    FILE *file = path == NULL ? NULL : fopen(path, "re");

    if (file != NULL) {
        if (fscanf(file, "%ld", &off) != 1) {
            off = 0;
        }
        fclose(file);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    if (out_now != NULL) {
        *out_now = now.tv_sec + off;
    }
    return now.tv_sec + off;
}
