/*
 * tools/dsfromkey.h - signet dsfromkey: DS or CDS records of a key, as dnssec-dsfromkey prints them
 */
#pragma once

/* `argv` as of main(), argv[0] being "dsfromkey". Returns the exit status. */
int tool_dsfromkey(int argc, char **argv);
