#include "change_scene.h"
#include "dnssec/rrsig.h"
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

static const char plain[] = "@ 300 IN SOA ns hostmaster 1 2 3 4 60\n"
                            "@ 300 IN NS ns\n"
                            "ns 300 IN A 192.0.2.1\n"
                            "www 300 IN A 192.0.2.2\n"
                            "www 300 IN MX 1 www\n"
                            "x.y.ent 300 IN A 192.0.2.3\n"
                            "sub 300 IN NS ns.sub\n"
                            "ns.sub 300 IN A 192.0.2.4\n"
                            "sec 300 IN NS ns\n"
                            "sec 300 IN DS 1 13 2 "
                            "1111111111111111111111111111111111111111111111111111111111111111\n";

/* One RRset is replaced; NULL rdata: taken away. The types are those of the zone above. */
struct put {
    const char *owner;
    uint16_t type;
    const char *rdata;
    uint16_t length;
    uint32_t ttl;
};
#define A(owner, address)                                                                          \
    {                                                                                              \
        owner, DNS_TYPE_A, address, 4, 300                                                         \
    }
#define NS(owner)                                                                                  \
    {                                                                                              \
        owner, DNS_TYPE_NS, "\1x", 3, 300                                                          \
    }
#define DS(owner)                                                                                  \
    {                                                                                              \
        owner, DNS_TYPE_DS, "\1\1\15\2________________________________", 36, 300                   \
    }
#define DNAME(owner)                                                                               \
    {                                                                                              \
        owner, DNS_TYPE_DNAME, "\1x", 3, 300                                                       \
    }
#define TXT(owner)                                                                                 \
    {                                                                                              \
        owner, DNS_TYPE_TXT, "\1x", 2, 300                                                         \
    }
#define NONE(owner, type)                                                                          \
    {                                                                                              \
        owner, type, NULL, 0, 0                                                                    \
    }

enum { PUTS_MAX = 3 };

/* clang-format off */
static const struct counted_case {
    const char *name;
    enum change_denial denial;
    uint64_t signatures; /* the SOA's is always one of them */
    struct put puts[PUTS_MAX];
} counted[] = {
    {"nothing",                         CHANGE_NSEC,    1, {{.owner = NULL}}},
    {"an address is another",           CHANGE_NSEC,    2, {A("www.example.", "1234")}},
    {"a TTL is another",                CHANGE_NSEC,    2, {{"ns.example.", DNS_TYPE_A, "\300\0\2\1", 4, 301}}},
    {"a type comes",                    CHANGE_NSEC,    3, {TXT("www.example.")}},
    {"a type goes",                     CHANGE_NSEC,    2, {NONE("www.example.", DNS_TYPE_MX)}},
    {"a name comes",                    CHANGE_NSEC,    4, {A("a.example.", "1234")}},
    {"a name comes last",               CHANGE_NSEC,    4, {A("z.example.", "1234")}},
    {"a name goes",                     CHANGE_NSEC,    2, {NONE("ns.example.", DNS_TYPE_A)}},
    {"a name goes, its neighbour too",  CHANGE_NSEC,    2, {NONE("ns.example.", DNS_TYPE_A), NONE("x.y.ent.example.", DNS_TYPE_A)}},
    {"a wildcard comes",                CHANGE_NSEC,    4, {TXT("*.example.")}},
    {"glue changes",                    CHANGE_NSEC,    1, {A("ns.sub.example.", "1234")}},
    {"a delegation comes",              CHANGE_NSEC,    3, {NS("del.example.")}},
    {"a delegation is secured",         CHANGE_NSEC,    3, {DS("sub.example.")}},
    {"a delegation is secure no more",  CHANGE_NSEC,    2, {NONE("sec.example.", DNS_TYPE_DS)}},
    {"a delegation's glue is ours",     CHANGE_NSEC,    4, {NONE("sub.example.", DNS_TYPE_NS)}},
    {"a name becomes glue",             CHANGE_NSEC,    3, {NS("ent.example.")}},
    {"a DNAME over a name",             CHANGE_NSEC,    4, {DNAME("ent.example.")}},
    {"a DNAME over everything",         CHANGE_NSEC,    3, {DNAME("example.")}},
    {"an address is another",           CHANGE_NSEC3,   2, {A("www.example.", "1234")}},
    {"a type comes",                    CHANGE_NSEC3,   3, {TXT("www.example.")}},
    {"an empty non-terminal is none",   CHANGE_NSEC3,   3, {TXT("ent.example.")}},
    {"glue changes",                    CHANGE_NSEC3,   1, {A("ns.sub.example.", "1234")}},
    {"a delegation is secured",         CHANGE_NSEC3,   3, {DS("sub.example.")}},
    {"an insecure delegation comes",    CHANGE_OPT_OUT, 1, {NS("del.example.")}},
    {"an insecure delegation goes",     CHANGE_OPT_OUT, 1, {NONE("sub.example.", DNS_TYPE_NS), NONE("ns.sub.example.", DNS_TYPE_A)}},
    {"a delegation is secured",         CHANGE_OPT_OUT, 4, {DS("sub.example.")}},
    {"a delegation is secure no more",  CHANGE_OPT_OUT, 2, {NONE("sec.example.", DNS_TYPE_DS)}},
};
/* clang-format on */

static void put_all(struct zone_edit *edit, const struct put *puts)
{
    for (int i = 0; i < PUTS_MAX && puts[i].owner != NULL; i++) {
        struct dns_name owner;
        const struct put *put = &puts[i];
        const char *rdata = put->rdata != NULL ? put->rdata : "";
        assert_int_equal(dns_name_from_text(put->owner, strlen(put->owner), NULL, &owner), SG_OK);
        change_put(edit, &owner, put->type, (struct span){(const uint8_t *)rdata, put->length},
                   put->ttl, put->rdata != NULL);
    }
}

/* The zone above, signed. */
static void begin_plain(struct change_scene *scene, enum change_denial denial)
{
    struct zonefile_report report = {.errors = 0};
    const struct zonefile_options options = {.path = "text"};
    change_init(scene, denial, draw, NULL);
    struct zone_edit *edit = zone_edit_new(&scene->apex, DNS_CLASS_IN);
    assert_int_equal(zonefile_load_text(edit, &options, span_of_text(plain), &report), SG_OK);
    zonefile_report_clear(&report);
    assert_int_equal(sign_zone(edit, &scene->request, NULL, &scene->report), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &scene->version), SG_OK);
}

/* Change, sign, seal; it becomes the scene's version. */
static void change_plain(struct change_scene *scene, const struct put *puts)
{
    const struct zone_version *next;
    struct zone_edit *edit = zone_edit_open(scene->version);
    put_all(edit, puts);
    scene->request.serial++;
    assert_int_equal(sign_change(edit, scene->version, &scene->request, NULL, &scene->report),
                     SG_OK);
    assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
    zone_version_unref(scene->version);
    scene->version = next;
}

static void as_many_signatures_as_the_change_needs(void **state)
{
    const struct counted_case *c = *state;
    struct change_scene scene;
    begin_plain(&scene, c->denial);
    const struct zone_version *base = zone_version_ref(scene.version);
    scene.request.now++;
    change_plain(&scene, c->puts);
    assert_int_equal(scene.report.signatures, c->signatures);
    change_check(&scene, scene.version, base);
    zone_version_unref(base);
    change_clear(&scene);
}

static struct zone_node node_at(const struct zone_version *version, const char *text)
{
    struct dns_name name;
    struct zone_node node;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    assert_true(zone_version_node(version, &name, &node));
    return node;
}

/* How many signatures over a type are by that key; all in all there are `count`. */
static unsigned signatures_by(const struct change_scene *scene, const char *owner, uint16_t type,
                              unsigned key, unsigned count)
{
    struct zone_node node = node_at(scene->version, owner);
    struct dns_rrset signatures;
    unsigned by = 0;
    assert_true(zone_node_signatures(&node, ZONE_VIEW_SIGNED, type, &signatures));
    assert_int_equal(signatures.count, count);
    for (struct dns_rdata_cursor c = dns_rrset_walk(&signatures); dns_rdata_next(&c);) {
        by += rrsig_is_by(c.rdata, scene->keys[key]);
    }
    return by;
}

static void touched_names_get_the_keys_of_today(void **state)
{
    (void)state;
    static const struct put puts[PUTS_MAX] = {A("www.example.", "1234")};
    struct change_scene scene;
    begin_plain(&scene, CHANGE_NSEC);
    /* A second ZSK: what there is stays, what lacks comes. */
    change_use_keys(&scene, 0, 2);
    scene.request.now += SG_HOUR;
    change_plain(&scene, puts);
    assert_int_equal(signatures_by(&scene, "www.example.", DNS_TYPE_MX, 1, 2), 1);
    assert_int_equal(signatures_by(&scene, "www.example.", DNS_TYPE_A, 2, 2), 1);
    assert_int_equal(signatures_by(&scene, "example.", DNS_TYPE_NS, 2, 2), 1);
    assert_int_equal(signatures_by(&scene, "example.", DNS_TYPE_DNSKEY, 0, 1), 1);
    assert_int_equal(signatures_by(&scene, "ns.example.", DNS_TYPE_A, 1, 1), 1);
    /* www: A twice, MX, NSEC; apex: SOA twice, NS, NSEC */
    assert_int_equal(scene.report.signatures, 4 + 4);
    change_count_new(&scene, scene.version, scene.version, false);
    /* The first one signs no more. */
    change_use_keys(&scene, 1, 1);
    scene.request.now += SG_HOUR;
    change_plain(&scene, (const struct put[PUTS_MAX]){A("www.example.", "1235")});
    assert_int_equal(signatures_by(&scene, "www.example.", DNS_TYPE_MX, 2, 1), 1);
    assert_int_equal(signatures_by(&scene, "example.", DNS_TYPE_NS, 2, 1), 1);
    assert_int_equal(signatures_by(&scene, "ns.example.", DNS_TYPE_A, 1, 1), 1);
    assert_int_equal(scene.report.signatures, 2);
    change_count_new(&scene, scene.version, scene.version, false);
    change_clear(&scene);
}

/* Signatures of different days are sorted as rdata is, whichever key has the smaller tag. */
static void old_and_new_signatures_stand_in_order(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct change_scene scene;
        begin_plain(&scene, CHANGE_NSEC);
        change_use_keys(&scene, first, 1);
        change_plain(&scene, (const struct put[PUTS_MAX]){TXT("www.example.")});
        change_use_keys(&scene, 0, 2);
        scene.request.now += SG_DAY;
        change_plain(&scene, (const struct put[PUTS_MAX]){A("www.example.", "1234")});
        zone_version_check(scene.version);
        /* Where all of them stay, too. */
        scene.request.now += SG_DAY;
        change_plain(&scene, (const struct put[PUTS_MAX]){A("www.example.", "1235")});
        zone_version_check(scene.version);
        change_clear(&scene);
    }
}

static void a_signature_that_has_expired_is_not_kept(void **state)
{
    (void)state;
    struct change_scene scene;
    begin_plain(&scene, CHANGE_NSEC);
    scene.request.now += scene.policy.validity;
    change_plain(&scene, (const struct put[PUTS_MAX]){A("www.example.", "1234")});
    /* www: A, MX, NSEC; apex: SOA, NS, NSEC, DNSKEY */
    assert_int_equal(scene.report.signatures, 3 + 4);
    change_clear(&scene);
}

/* clang-format off */
static const struct conflict_case {
    const char *name;
    enum change_denial denial;
    struct sign_policy other; /* what the policy is now: its chain alone counts */
    uint8_t minimum;
    enum sg_result result;
} conflicts[] = {
    {"the same chain",           CHANGE_NSEC,    {.nsec3 = false}, 60, SG_OK},
    {"NSEC becomes NSEC3",       CHANGE_NSEC,    {.nsec3 = true, .nsec3_params = {.algorithm = 1}}, 60, SG_CONFLICT},
    {"NSEC3 becomes NSEC",       CHANGE_NSEC3,   {.nsec3 = false}, 60, SG_CONFLICT},
    {"the same NSEC3",           CHANGE_NSEC3,   {.nsec3 = true, .nsec3_params = {.algorithm = 1}}, 60, SG_OK},
    {"another salt",             CHANGE_NSEC3,   {.nsec3 = true, .nsec3_params = {.algorithm = 1, .salt_length = 1}}, 60, SG_CONFLICT},
    {"other iterations",         CHANGE_NSEC3,   {.nsec3 = true, .nsec3_params = {.algorithm = 1, .iterations = 1}}, 60, SG_CONFLICT},
    {"opt-out now",              CHANGE_NSEC3,   {.nsec3 = true, .nsec3_params = {.algorithm = 1, .flags = 1}}, 60, SG_CONFLICT},
    {"opt-out no more",          CHANGE_OPT_OUT, {.nsec3 = true, .nsec3_params = {.algorithm = 1}}, 60, SG_CONFLICT},
    {"negative answers shorter", CHANGE_NSEC,    {.nsec3 = false}, 59, SG_OK},
};
/* clang-format on */

static void the_whole_zone_must_be_signed(void **state)
{
    const struct conflict_case *c = *state;
    struct change_scene scene;
    begin_plain(&scene, c->denial);
    scene.policy.nsec3 = c->other.nsec3;
    scene.policy.nsec3_params = c->other.nsec3_params;
    struct zone_edit *edit = zone_edit_open(scene.version);
    change_put_soa(edit, &scene.apex, 2, c->minimum);
    assert_int_equal(sign_change(edit, scene.version, &scene.request, NULL, &scene.report),
                     c->result);
    zone_edit_abandon(edit);
    change_clear(&scene);
}

static void a_zone_that_was_never_signed_is_signed_whole(void **state)
{
    (void)state;
    struct change_scene scene;
    change_init(&scene, CHANGE_NSEC, draw, NULL);
    struct zone_edit *edit = zone_edit_new(&scene.apex, DNS_CLASS_IN);
    change_put_soa(edit, &scene.apex, 1, 60);
    assert_int_equal(zone_edit_seal(edit, &scene.version), SG_OK);
    edit = zone_edit_open(scene.version);
    assert_int_equal(sign_change(edit, scene.version, &scene.request, NULL, &scene.report),
                     SG_CONFLICT);
    zone_edit_abandon(edit);
    change_clear(&scene);
}

/* What a first sign_change() made is not taken for the base's. */
static void an_edit_is_signed_once(void **state)
{
    (void)state;
    struct change_scene scene;
    begin_plain(&scene, CHANGE_NSEC3);
    struct zone_edit *edit = zone_edit_open(scene.version);
    put_all(edit, (const struct put[PUTS_MAX]){TXT("new.example.")});
    assert_int_equal(sign_change(edit, scene.version, &scene.request, NULL, &scene.report), SG_OK);
    put_all(edit, (const struct put[PUTS_MAX]){NONE("new.example.", DNS_TYPE_TXT)});
    assert_int_equal(sign_change(edit, scene.version, &scene.request, NULL, &scene.report),
                     SG_CONFLICT);
    zone_edit_abandon(edit);
    change_clear(&scene);
}

static void a_large_change_is_shared_by_all_workers(void **state)
{
    (void)state;
    for (enum change_denial denial = CHANGE_NSEC; denial < CHANGE_DENIALS; denial++) {
        struct change_scene scene;
        begin_plain(&scene, denial);
        assert_int_equal(worker_pool_new(2, &scene.pool), SG_OK);
        const struct zone_version *next;
        struct zone_edit *edit = zone_edit_open(scene.version);
        for (unsigned i = 0; i < 400; i++) {
            char text[32];
            struct dns_name owner;
            snprintf(text, sizeof(text), "n%u.ent%u.example.", i, i % 7);
            assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &owner), SG_OK);
            change_put(edit, &owner, i % 3 == 0 ? DNS_TYPE_NS : DNS_TYPE_TXT,
                       (struct span){(const uint8_t *)"\1x", i % 3 == 0 ? 3 : 2}, 60, 1);
        }
        scene.request.serial++;
        scene.request.now++;
        assert_int_equal(
            sign_change(edit, scene.version, &scene.request, scene.pool, &scene.report), SG_OK);
        assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
        change_check(&scene, next, scene.version);
        zone_version_unref(next);
        worker_pool_free(scene.pool);
        change_clear(&scene);
    }
}

/* A key that cannot sign fails the change; the edit is given up, the base is as it was. */
static void a_change_that_cannot_be_signed_fails(void **state)
{
    (void)state;
    struct change_scene scene;
    begin_plain(&scene, CHANGE_NSEC);
    struct zone_edit *edit = zone_edit_open(scene.version);
    scene.list.count = 1; /* the KSK alone */
    assert_int_equal(sign_change(edit, scene.version, &scene.request, NULL, &scene.report),
                     SG_BAD_KEY);
    zone_edit_abandon(edit);
    change_use_keys(&scene, 0, 1);
    change_plain(&scene, (const struct put[PUTS_MAX]){TXT("www.example.")});
    change_clear(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touched_names_get_the_keys_of_today),
        cmocka_unit_test(old_and_new_signatures_stand_in_order),
        cmocka_unit_test(a_signature_that_has_expired_is_not_kept),
        cmocka_unit_test(a_zone_that_was_never_signed_is_signed_whole),
        cmocka_unit_test(an_edit_is_signed_once),
        cmocka_unit_test(a_large_change_is_shared_by_all_workers),
        cmocka_unit_test(a_change_that_cannot_be_signed_fails),
    };
    return RUN_TABLE(counted, as_many_signatures_as_the_change_needs) +
           RUN_TABLE(conflicts, the_whole_zone_must_be_signed) +
           RUN_TABLE(denials, a_changed_zone_is_as_if_signed_whole) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
