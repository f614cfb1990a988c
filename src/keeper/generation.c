#include "keeper/generation.h"

#include <stddef.h>

static void release(struct epoch_retired *retired)
{
    struct keeper_generation *generation =
        (struct keeper_generation *)((char *)retired - offsetof(struct keeper_generation, retired));
    generation->release(generation);
}

struct keeper_generation *generation_use(struct keeper_generation *generation)
{
    generation->uses++;
    return generation;
}

void generation_drop(struct keeper_generation *generation)
{
    if (generation != NULL && --generation->uses == 0) {
        epoch_retire(&generation->retired, release);
    }
}
