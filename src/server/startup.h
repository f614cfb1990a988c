/*
 * server/startup.h - the life of the process, from the command line to the exit status
 */
#pragma once

#include "conf/conf.h"
#include "server/log_channels.h"

/* What the command line says. Borrowed for good. */
struct server_options {
    const char *configuration; /* -c */
    bool foreground;           /* -f or -g */
    const char *user;          /* -u; NULL: whoever we are */
    const char *chroot_folder; /* -t; NULL: none */
    unsigned threads;          /* -n; 0: as many as processors */
    struct conf_overrides overrides;
    struct log_defaults log;
    const char *command_line; /* for the log */
};

/* Start, serve until told to stop, end. Returns the exit status. Thread: main. */
int startup_run(const struct server_options *options);
