/*
 * Zones that were changed again and again, as ldns-verify-zone and dnssec-verify see them.
 */
#include "change_scene.h"
#include "signing_bench.h"

enum { ZONES = 2, ROUNDS = 4, CHANGES = 5, STEPS_MAX = 24 };

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

static bool has_type(struct zone_edit *edit, const struct dns_name *owner, uint16_t type)
{
    struct zone_node node;
    struct dns_rrset rrset;
    return zone_version_node(zone_edit_draft(edit), owner, &node) &&
           zone_node_rrset(&node, ZONE_VIEW_UNSIGNED, type, &rrset);
}

/* A step that leaves a zone which the judges would load: no CNAME with company, no wildcard that is
 * a delegation, DS at delegations alone. */
static void tame_step(struct change_scene *scene, struct zone_edit *edit)
{
    struct dns_name owner = change_draw_name(scene);
    if (dns_name_equal(&owner, &scene->apex)) {
        return;
    }
    switch (change_draw(scene, dns_name_is_wildcard(&owner) ? 1 : 8)) {
    case 0:
        change_put(edit, &owner, DNS_TYPE_TXT, (struct span){(const uint8_t *)"\1x", 2}, 300,
                   change_draw(scene, 3) > 0);
        break;
    case 1:
        change_put(edit, &owner, DNS_TYPE_NS, (struct span){(const uint8_t *)"\2ns\4test", 9}, 300,
                   1);
        break;
    case 2:
        change_put(edit, &owner, DNS_TYPE_DS,
                   (struct span){(const uint8_t *)"\1\1\15\2________________________________", 36},
                   300, has_type(edit, &owner, DNS_TYPE_NS));
        break;
    case 3:
        change_put(edit, &owner, DNS_TYPE_DS, (struct span){(const uint8_t *)"", 0}, 0, 0);
        change_put(edit, &owner, DNS_TYPE_NS, (struct span){(const uint8_t *)"", 0}, 0, 0);
        break;
    case 4:
    case 5:
        change_put(edit, &owner, DNS_TYPE_A, (struct span){(const uint8_t *)"\300\0\2\1", 4},
                   300 + change_draw(scene, 2), 1);
        break;
    default:
        change_remove_name(edit, &owner);
        break;
    }
}

static void change_and_sign(struct change_scene *scene)
{
    const struct zone_version *next;
    struct zone_edit *edit = zone_edit_open(scene->version);
    for (uint32_t steps = change_draw(scene, STEPS_MAX); steps > 0; steps--) {
        tame_step(scene, edit);
    }
    if (change_draw(scene, 3) == 0) {
        /* NSEC records that are not touched keep the TTL of before. */
        change_put_soa(edit, &scene->apex, 1, (uint8_t)(30 + change_draw(scene, 60)));
    }
    scene->request.serial++;
    assert_int_equal(sign_change(edit, scene->version, &scene->request, NULL, &scene->report),
                     SG_OK);
    assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
    zone_version_unref(scene->version);
    scene->version = next;
}

static void the_judges_are_content(void **state)
{
    const struct denial_case *c = *state;
    for (unsigned zone = 0; zone < ZONES; zone++) {
        struct random_seeded random = {20261230 + zone};
        struct change_scene scene;
        change_init(&scene, c->denial, draw, &random);
        scene.request.now = (sg_time)time(NULL);
        change_begin(&scene, 0);
        struct bench bench = {.apex = scene.apex, .list = scene.list};
        memcpy(bench.sign_keys, scene.sign_keys, sizeof(scene.sign_keys));
        for (unsigned round = 0; round < ROUNDS; round++) {
            for (unsigned change = 0; change < CHANGES; change++) {
                change_and_sign(&scene);
            }
            bench_judge(&bench, scene.version, false);
        }
        change_clear(&scene);
    }
}

int main(void)
{
    return RUN_TABLE(denials, the_judges_are_content);
}
