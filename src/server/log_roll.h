/*
 * server/log_roll.h - move a full log file away and keep a few old ones
 */
#pragma once

#include <stdbool.h>

/*
 * Rename `path`: with numbers to PATH.0, the older ones moving up to PATH.(versions - 1); with
 * timestamps to PATH.20261122051743241 (local time), of which the youngest `versions` are kept.
 * What cannot be renamed stays as it is. `versions` > 0. Thread: keeper.
 */
void log_roll_numbers(const char *path, unsigned versions);
void log_roll_timestamp(const char *path, unsigned versions);
