/*
 * zone/zonefile_source.h - a file or a text, a window at a time. Private to zonefile.
 *
 * Not mapped: an editor that cuts a mapped file short would kill the server. A window that fits the
 * cache is also faster than a mapping.
 */
#pragma once

#include "zone/zonefile_scan.h"

enum {
    ZONEFILE_WINDOW_BYTES = 256 * 1024,
    ZONEFILE_LINE_BYTES_MAX = 16 * 1024 * 1024 /* one logical line, its comments included */
};

struct zonefile_source {
    struct scan scan;
    int file;         /* -1: from memory */
    struct span text; /* what memory still has */
    uint8_t *window;
    size_t window_bytes;
};

/* SG_NOT_FOUND, SG_DENIED, SG_IO. */
MUST_USE enum sg_result zonefile_source_open(struct zonefile_source *source, const char *path);
/* Borrows the text. The first window has `window_bytes`, which tests make small. */
void zonefile_source_from_text(struct zonefile_source *source, struct span text,
                               size_t window_bytes);
/*
 * Read on: what is left from `scan.at` stays and more follows it, in a larger window if it is full.
 * SG_IO, or SG_LIMIT for a line beyond ZONEFILE_LINE_BYTES_MAX.
 */
MUST_USE enum sg_result zonefile_source_refill(struct zonefile_source *source);
void zonefile_source_close(struct zonefile_source *source);
