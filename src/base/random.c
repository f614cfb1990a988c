#include "base/random.h"

#include "base/assert.h"

uint32_t random_u32(void)
{
    uint32_t value;
    random_bytes(&value, sizeof(value));
    return value;
}

uint32_t random_below(uint32_t bound)
{
    ASSERT(bound > 0);
    /* Values below 2^32 mod bound would make the small remainders likelier. */
    uint32_t reject = (uint32_t)(-bound) % bound;
    uint32_t value;
    do {
        value = random_u32();
    } while (value < reject);
    return value % bound;
}

uint64_t random_seeded_u64(struct random_seeded *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t random_seeded_below(struct random_seeded *random, uint32_t bound)
{
    ASSERT(bound > 0);
    return (uint32_t)(((random_seeded_u64(random) >> 32) * bound) >> 32);
}
