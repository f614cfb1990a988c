/*
 * tools/checkzone.h - signet checkzone: is a zone file fit to be served? As named-checkzone
 */
#pragma once

/* `argv` as of main(), argv[0] being "checkzone". Returns the exit status. */
int tool_checkzone(int argc, char **argv);
