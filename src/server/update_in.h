/*
 * server/update_in.h - dynamic updates (RFC 2136): which are heard at all
 *
 *   net thread: update_in_answer() -> letter -> keeper's thread: keeper_update() -> the pipeline
 *               -> done -> late_answer
 *
 * Before keeper_update(), and without holding up anything else, the daemons of an update-policy's
 * `external` rules are asked (server/update_judges.h).
 */
#pragma once

#include "server/request.h"

/* The response to an update that is not to be heard, whatever it wants; 0: it is let in. */
size_t update_in_refuse(const struct request *request, uint8_t *out_bytes, size_t bytes_max);
/* Is it for a zone whose primary it would be passed on to? Then that one verifies who asks. The
 * view is the one that it has without a key. */
bool update_in_is_passed_on(const struct request *request);
/* A response, or 0 and the update is on its way to the keeper. */
size_t update_in_answer(const struct request *request, uint8_t *out_bytes, size_t bytes_max);
