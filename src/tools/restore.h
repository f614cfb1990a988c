/*
 * tools/restore.h - signet restore: bring back what `signet backup` has saved
 */
#pragma once

/* `argv` as of main(), argv[0] being "restore". Returns the exit status. */
int tool_restore(int argc, char **argv);
