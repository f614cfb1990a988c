/*
 * server/log_channels.h - where log lines go: files, standard error, syslog
 *
 * The sink behind base/log. Several threads write at once without a lock: each line is one
 * write(2) to a file opened for appending. A `logging` statement becomes an immutable table that
 * is published by one pointer; the one before is freed once no thread is inside the sink. A file
 * that has reached its size is rolled by the keeper: a new one takes over its descriptor
 * (dup2), so that a writer never sees it closed.
 *
 * Thread: keeper, except where said.
 */
#pragma once

#include "conf/conf.h"

/* What holds without a `logging` statement. */
struct log_defaults {
    bool stderr_always;   /* -g: a logging statement is not looked at either */
    bool foreground;      /* -f: standard error instead of syslog */
    const char *file;     /* -L: this file instead; NULL: none */
    unsigned debug_level; /* -d */
};

struct log_channels;

/*
 * Make the default channels and become the sink of base/log. SG_IO when the file of -L cannot be
 * opened (errno tells). Before threads start; `defaults` is borrowed for good.
 */
MUST_USE enum sg_result log_channels_new(const struct log_defaults *defaults,
                                         struct log_channels **out_channels);
/* No other thread may write any more. Lines go to standard error from then on. */
void log_channels_free(struct log_channels *channels);

/*
 * Take over a `logging` statement. SG_IO when a file cannot be opened: said in the log, and
 * nothing has changed. Blocks on the disk for an open.
 */
MUST_USE enum sg_result log_channels_configure(struct log_channels *channels,
                                               const struct conf_logging *logging);

/*
 * While the server starts, errors also go to standard error, where whoever started it looks.
 * This ends it.
 */
void log_channels_started(struct log_channels *channels);

/* Called in any thread, and may only signal: log_channels_tend() is wanted. */
void log_channels_on_full(struct log_channels *channels, void (*wake)(void *argument),
                          void *argument);
/* Roll the files that are full; free tables that nobody writes through any more. */
void log_channels_tend(struct log_channels *channels);
/* Open every file by its name again: something else has moved it away. */
void log_channels_reopen(struct log_channels *channels);

/* rndc trace: 0 is off. Channels of severity `dynamic` follow it. */
void log_channels_set_debug(struct log_channels *channels, unsigned level);
unsigned log_channels_debug(const struct log_channels *channels);
