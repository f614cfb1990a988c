/*
 * tools/zone_trouble.h - the exit status of `signet zonestatus`, for monitoring
 */
#pragma once

#include "base/buffer.h"

enum { ZONE_HAS_PROBLEM = 2, ZONE_IS_OVERDUE = 3 }; /* see signet(8) */

/* What the answer to `command` says of its zone: 0: nothing, or it is another command. */
int zone_trouble(const char *command, struct span text);
