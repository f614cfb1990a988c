/*
 * keeper/publish.h - the one place where readers get to see a new version
 */
#pragma once

#include "zone/table.h"

/* Takes the caller's reference to `version` (NULL: the zone is no longer served) and gives up the
 * one to what was served before. Thread: keeper. */
void publish(struct zone_slot *slot, const struct zone_version *version);
