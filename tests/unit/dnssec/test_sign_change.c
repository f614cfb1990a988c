#include "change_scene.h"
#include "signing_bench.h"

enum { ZONES = 12, ROUNDS = 40 };

static uint32_t draw(void *from, uint32_t bound)
{
    return random_seeded_below(from, bound);
}

/* clang-format off */
static const struct denial_case {
    const char *name;
    enum change_denial denial;
} denials[] = {
    {"NSEC",               CHANGE_NSEC},
    {"NSEC3",              CHANGE_NSEC3},
    {"NSEC3 with opt-out", CHANGE_OPT_OUT},
};
/* clang-format on */

static void a_changed_zone_is_as_if_signed_whole(void **state)
{
    const struct denial_case *c = *state;
    for (unsigned zone = 0; zone < ZONES; zone++) {
        struct random_seeded random = {20261203 + zone};
        struct change_scene scene;
        change_init(&scene, c->denial, draw, &random);
        change_begin(&scene, zone % 3 == 0 ? 0 : 30);
        for (unsigned round = 0; round < ROUNDS; round++) {
            change_round(&scene, random_seeded_below(&random, zone % 2 == 0 ? 3 : 12));
        }
        change_clear(&scene);
    }
}

int main(void)
{
    return RUN_TABLE(denials, a_changed_zone_is_as_if_signed_whole);
}
