#include <errno.h>
#include <sys/random.h>

#include "base/assert.h"
#include "base/random.h"

void random_bytes(void *out_bytes, size_t length)
{
    uint8_t *at = out_bytes;
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0) {
            ASSERT(errno == EINTR); /* the kernel has a generator since 3.17 */
            continue;
        }
        at += got;
        length -= (size_t)got;
    }
}
