/*
 * Any bytes as refresh timers from the store: what is taken comes out the same, and a zone that
 * is restored with it asks, expires and goes on.
 */
#include <stdint.h>

#include "keeper/refresh.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { NOW = 1700000000 };

static void live(const struct refresh_timers *timers)
{
    struct refresh_primary primary = {.remote = {.address_length = 4}};
    const struct refresh_settings settings = {
        .primaries = &primary, .primaries_count = 1, .bounds = {300, 2419200, 300, 1209600}};
    struct refresh_shared shared = {.quota = transfer_quota_new(1, 1)};
    const struct dns_soa soa = {1, 3600, 600, 86400, 60};
    const struct refresh_reply silence = {.result = SG_TIMEOUT};
    struct refresh *refresh = refresh_new(&shared, &settings, NULL, NOW);
    struct refresh_order order;
    bool expired = timers->expired;
    sg_time now = NOW;

    refresh_restore(refresh, timers, &soa, now);
    for (int i = 0; i < 400 && !expired; i++) {
        enum refresh_deed deed = refresh_turn(refresh, now, &order);
        expired = deed == REFRESH_EXPIRE;
        if (deed == REFRESH_ASK) {
            ASSERT(refresh_replied(refresh, &silence, now) == REFRESH_FAILED);
        } else if (deed == REFRESH_NOTHING) {
            ASSERT(refresh_wake(refresh) > now);
            now = refresh_wake(refresh);
        }
    }
    ASSERT(expired && now <= NOW + 86400); /* Nothing keeps a zone alive beyond its SOA's expire. */
    refresh_free(refresh);
    transfer_quota_free(shared.quota);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct refresh_timers timers;
    struct buffer again = BUFFER_EMPTY;

    if (refresh_timers_decode((struct span){bytes, length}, &timers) != SG_OK) {
        return 0;
    }
    refresh_timers_encode(&timers, &again);
    ASSERT(again.length == length && memcmp(again.bytes, bytes, length) == 0);
    buffer_free(&again);
    live(&timers);
    return 0;
}
