/*
 * Bytes as a sequence of changes to a zone, sealed, abandoned or undone now and then, beside a
 * naive zone that must agree after each step. Memory in tiny chunks, so that bounds are met early.
 */
#include <stdint.h>

#include "../unit/zone/naive.h"
#include "epoch_stub.h"
#include "zone/draft.h"

enum { STEPS_MAX = 400, NAMES_MAX = 60, KEPT = 2 };

struct scene {
    struct reader input;
    struct naive_zone now;    /* what the draft must show */
    struct naive_zone sealed; /* what `newest` must show */
    struct zone_edit *edit;
    const struct zone_version *newest;
    const struct zone_version *kept[KEPT];
    struct naive_zone kept_zones[KEPT];
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Up to three labels of one or two bytes: many names meet. */
static struct dns_name next_name(struct scene *scene)
{
    struct dns_name name = scene->now.apex;
    uint8_t shape = reader_u8(&scene->input);
    for (unsigned labels = shape % 4; labels > 0; labels--) {
        unsigned length = 1 + (shape >> (labels + 2) & 1);
        memmove(name.wire + 1 + length, name.wire, name.length);
        name.wire[0] = (uint8_t)length;
        for (unsigned i = 0; i < length; i++) {
            name.wire[1 + i] = dns_lower[reader_u8(&scene->input)];
        }
        name.length = (uint8_t)(name.length + 1 + length);
        name.labels++;
    }
    return name;
}

static void put(struct scene *scene, const struct dns_name *owner, enum zone_layer layer,
                enum naive_kind kind, unsigned variant)
{
    struct naive_rrset buffer;
    enum sg_result expected = naive_put(&scene->now, owner, layer, kind, variant);
    ASSERT(zone_edit_put_rrset(scene->edit, owner, layer, naive_set(kind, variant, &buffer)) ==
           expected);
}

static void put_next(struct scene *scene)
{
    struct dns_name owner = next_name(scene);
    uint8_t what = reader_u8(&scene->input);
    enum naive_kind kind = (enum naive_kind)(what % NAIVE_KINDS);
    uint8_t variant = reader_u8(&scene->input);
    bool apex_soa = kind == NAIVE_SOA && dns_name_equal(&owner, &scene->now.apex);
    if (scene->now.count == NAMES_MAX || (apex_soa && variant == 0)) {
        return; /* a zone without SOA is not sealed */
    }
    put(scene, &owner, what >= 200 ? ZONE_GENERATED : ZONE_SOURCE, kind, variant);
}

/* Record by record, in whatever order; the set that stood there is replaced first. */
static void add_next(struct scene *scene)
{
    struct dns_name owner = next_name(scene);
    enum naive_kind kind = (enum naive_kind)(1 + reader_u8(&scene->input) % (NAIVE_KINDS - 1));
    uint8_t variant = reader_u8(&scene->input);
    if (scene->now.count == NAMES_MAX || variant == 0) {
        return;
    }
    put(scene, &owner, ZONE_SOURCE, kind, 0);
    unsigned count = naive_count(kind, variant);
    for (unsigned i = 0; i < count; i++) {
        uint8_t rdata[600];
        size_t length = naive_rdata(kind, variant, (i * 3 + variant) % count, rdata);
        uint32_t ttl;
        enum sg_result result =
            zone_edit_add_record(scene->edit, &owner, naive_type(kind), naive_ttl(variant),
                                 (struct span){rdata, length}, &ttl);
        ASSERT(result == SG_OK || result == SG_EXISTS);
    }
    /* i * 3 meets all of 1, 2 and 4 records; of 3 it meets one, so say the rest plainly. */
    put(scene, &owner, ZONE_SOURCE, kind, variant);
}

static void place_next(struct scene *scene)
{
    struct dns_name owner = next_name(scene);
    uint8_t variant = reader_u8(&scene->input);
    struct naive_name *name = naive_find(&scene->now, &owner);
    zone_block_ref block = 0, base = 0;
    if (variant != 0) {
        struct naive_rrset buffer;
        struct zone_pile *pile = zone_pile_new();
        ASSERT(zone_pile_add(pile, (struct span){NULL, 0}, naive_set(NAIVE_NSEC, variant, &buffer),
                             1, &block) == SG_OK);
        ASSERT(zone_edit_adopt(scene->edit, pile, &base) == SG_OK);
    }
    enum sg_result result = zone_edit_place(scene->edit, &owner, variant != 0 ? base + block : 0);
    ASSERT(result == (name != NULL ? SG_OK : SG_NOT_FOUND));
    if (name != NULL) {
        memset(name->sets[ZONE_GENERATED], 0, NAIVE_KINDS);
        name->sets[ZONE_GENERATED][NAIVE_NSEC] = variant;
    }
}

static void seal(struct scene *scene, uint8_t how)
{
    const struct zone_version *version = NULL;
    ASSERT(zone_edit_seal(scene->edit, &version) == SG_OK);
    naive_check_content(&scene->now, version);
    if (scene->newest != NULL && how % 4 == 0) {
        zone_version_unref(version); /* its commit failed */
        naive_copy(&scene->now, &scene->sealed);
    } else {
        unsigned index = how % KEPT;
        if (scene->kept[index] != NULL) {
            naive_check_content(&scene->kept_zones[index], scene->kept[index]);
            zone_version_unref(scene->kept[index]);
        }
        scene->kept[index] = scene->newest;
        naive_copy(&scene->kept_zones[index], &scene->sealed);
        scene->newest = version;
        naive_copy(&scene->sealed, &scene->now);
    }
    if (how & 0x80) {
        epoch_barrier();
    }
    scene->edit = zone_edit_open(scene->newest);
    arena_check(&scene->newest->lineage->arena);
}

static void step(struct scene *scene)
{
    uint8_t what = reader_u8(&scene->input);
    struct dns_name name;
    switch (what % 16) {
    case 0:
        seal(scene, reader_u8(&scene->input));
        break;
    case 1:
        if (scene->newest != NULL) {
            zone_edit_abandon(scene->edit);
            naive_copy(&scene->now, &scene->sealed);
            scene->edit = zone_edit_open(scene->newest);
        }
        break;
    case 2:
    case 3:
        name = next_name(scene);
        naive_check_find(&scene->now, zone_edit_draft(scene->edit), &name);
        naive_check_seek(&scene->now, zone_edit_draft(scene->edit), &name);
        break;
    case 4:
        place_next(scene);
        break;
    case 5:
    case 6:
        add_next(scene);
        break;
    case 7:
        if (what == 7) {
            zone_edit_clear_generated(scene->edit);
            for (size_t i = 0; i < scene->now.count; i++) {
                memset(scene->now.names[i].sets[ZONE_GENERATED], 0, NAIVE_KINDS);
            }
        }
        break;
    default:
        put_next(scene);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct arena_sizes sizes = {64, 512, 5000};
    static struct scene scene;
    scene.newest = NULL;
    memset(scene.kept, 0, sizeof(scene.kept));
    scene.input = reader_of((struct span){bytes, length});
    struct dns_name apex = dns_name_root;
    if (reader_u8(&scene.input) % 2 == 0) {
        ASSERT(dns_name_from_text("a.example.", 10, NULL, &apex) == SG_OK);
    }
    naive_init(&scene.now, &apex);
    scene.edit = draft_new(&apex, DNS_CLASS_IN, &sizes);
    put(&scene, &apex, ZONE_SOURCE, NAIVE_SOA, 1);
    for (unsigned i = 0; i < STEPS_MAX && reader_left(&scene.input) > 0; i++) {
        step(&scene);
    }
    naive_check_content(&scene.now, zone_edit_draft(scene.edit));
    zone_edit_abandon(scene.edit);
    for (unsigned i = 0; i < KEPT; i++) {
        zone_version_unref(scene.kept[i]);
    }
    zone_version_unref(scene.newest);
    epoch_barrier();
    return 0;
}
