/*
 * Bytes as changes to a signed zone: after each, sign_change() must have made what sign_zone()
 * makes of the same source, with good signatures and none too many.
 */
#include <stdint.h>

#include "../unit/dnssec/change_scene.h"

enum { ROUNDS_MAX = 12, STEPS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static uint32_t draw(void *from, uint32_t bound)
{
    return reader_u8(from) % bound;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct reader input = reader_of((struct span){bytes, length});
    /* Keys are made once: that is slow, and of no interest here. */
    static struct change_scene scenes[CHANGE_DENIALS];
    struct change_scene *scene = &scenes[reader_u8(&input) % CHANGE_DENIALS];
    if (scene->keys[0] == NULL) {
        change_init(scene, (enum change_denial)(scene - scenes), draw, NULL);
    }
    scene->from = &input;
    change_begin(scene, reader_u8(&input) % STEPS_MAX);
    for (unsigned i = 0; i < ROUNDS_MAX && reader_left(&input) > 0; i++) {
        change_round(scene, reader_u8(&input) % STEPS_MAX);
    }
    zone_version_unref(scene->version);
    scene->version = NULL;
    scene->request.serial = 1;
    scene->request.now = CHANGE_START;
    epoch_barrier();
    return 0;
}
