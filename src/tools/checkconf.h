/*
 * tools/checkconf.h - signet checkconf: is a configuration sound? As named-checkconf
 */
#pragma once

/* `argv` as of main(), argv[0] being "checkconf". Returns the exit status: 0, or 1 for errors. */
int tool_checkconf(int argc, char **argv);
