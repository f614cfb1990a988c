/*
 * What the disk shows as a zone's state. What is accepted is the same after it was encoded and read
 * once more, but for fields of a later release, which are passed over.
 */
#include "base/assert.h"
#include "base/mem.h"
#include "keeper/zone_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct zone_state first, second;
    struct buffer once = BUFFER_EMPTY;
    struct buffer twice = BUFFER_EMPTY;
    if (zone_state_decode((struct span){bytes, length}, &first) != SG_OK) {
        return 0;
    }
    zone_state_encode(&first, &once);
    enum sg_result result = zone_state_decode(buffer_span(&once), &second);
    ASSERT(result == SG_OK);
    zone_state_encode(&second, &twice);
    ASSERT(once.length == twice.length && memcmp(once.bytes, twice.bytes, once.length) == 0);
    ASSERT(first.files.count == second.files.count && first.frozen == second.frozen);
    zone_state_clear(&first);
    zone_state_clear(&second);
    buffer_free(&once);
    buffer_free(&twice);
    return 0;
}
