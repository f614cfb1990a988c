/*
 * tools/keygen.h - signet keygen: make a key pair, as dnssec-keygen does
 */
#pragma once

/* `argv` as of main(), argv[0] being "keygen". Returns the exit status. */
int tool_keygen(int argc, char **argv);
