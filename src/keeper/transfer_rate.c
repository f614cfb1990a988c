#include "keeper/transfer_rate.h"

static const uint64_t NS_PER_SECOND = 1000000000;

bool transfer_rate_is_too_low(struct transfer_rate *rate, uint64_t bytes, uint64_t now_ns)
{
    uint64_t seconds = (now_ns - rate->began_ns) / NS_PER_SECOND;
    uint64_t window = (uint64_t)rate->window;

    if (rate->bytes_min == 0 || seconds < window) {
        return false;
    }
    bool too_low = (bytes - rate->began_bytes) * window < rate->bytes_min * seconds;
    rate->began_ns = now_ns;
    rate->began_bytes = bytes;
    return too_low;
}
