/*
 * tools/journal.h - signet journal: what changed in a zone, and when, as named-journalprint prints
 */
#pragma once

/* `argv` as of main(), argv[0] being "journal". Returns the exit status. */
int tool_journal(int argc, char **argv);
