/*
 * tools/control.h - send a command to the server and show what it says, as rndc does
 */
#pragma once

/*
 * `arguments` as of main(): rndc's flags, then the command. Returns the exit status: 0 when the
 * server did what it was told, 1 otherwise; with zonestatus also 2: the zone has a problem, 3: its
 * signatures are not made anew in time.
 */
int tool_control(int count, char **arguments);
