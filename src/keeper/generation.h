/*
 * keeper/generation.h - how long one configuration's settings live
 *
 * A use is counted for each zone and each job that reads the settings, and for the keeper itself.
 * Thread: keeper.
 */
#pragma once

#include "keeper/keeper.h"

struct keeper_generation *generation_use(struct keeper_generation *generation);
/* NULL is fine. After the last use, released when no reader can still look at it. */
void generation_drop(struct keeper_generation *generation);
