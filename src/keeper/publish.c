#include "keeper/publish.h"

#include "base/thread.h"

void publish(struct zone_slot *slot, const struct zone_version *version)
{
    thread_assert(THREAD_KEEPER);
    const struct zone_version *before = slot->version;
    epoch_publish(&slot->version, version);
    if (before != NULL) {
        zone_version_unref(before); /* freed after the grace period of those who still read it */
    }
}
