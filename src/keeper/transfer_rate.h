/*
 * keeper/transfer_rate.h - does a transfer come fast enough? (min-transfer-rate-in)
 *
 * Looked at when a message has come: who sends none is given up by the timeout between messages.
 * Pure, and by a clock that never jumps. Thread: any.
 */
#pragma once

#include <stdbool.h>

#include "base/time.h"

struct transfer_rate {
    uint32_t bytes_min; /* in a window; 0: there is no limit */
    sg_duration window;
    uint64_t began_ns;    /* the present window */
    uint64_t began_bytes; /* what had come until then */
};

/* `bytes`: all that has come so far. Once a window is over: was it less than the limit? What came
 * too late is compared with what so much time allows, as one message may take longer. */
bool transfer_rate_is_too_low(struct transfer_rate *rate, uint64_t bytes, uint64_t now_ns);
