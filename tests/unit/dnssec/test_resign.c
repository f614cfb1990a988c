#include "change_scene.h"
#include "dnssec/resign.h"
#include "dnssec/resign_index.h"
#include "dnssec/rrsig.h"
#include "signing_bench.h"

enum { ZONES = 4, ROUNDS = 50, SLICES_MAX = 1000, REFRESH = 5 * SG_DAY };

static uint32_t draw(void *from, uint32_t bound)
{
    return random_seeded_below(from, bound);
}

struct life {
    struct change_scene scene;
    struct random_seeded random;
    struct resign_index *index;
    struct resign_cursor cursor;
    bool more;
};

static void begin(struct life *life, enum change_denial denial, uint64_t seed, unsigned steps)
{
    *life = (struct life){.random = {seed}};
    change_init(&life->scene, denial, draw, &life->random);
    change_begin(&life->scene, steps);
    life->index = resign_index_new_cut(life->scene.version, life->scene.request.now, 3);
}

static void end(struct life *life)
{
    resign_index_free(life->index);
    change_clear(&life->scene);
}

static sg_time true_first_of(const struct zone_version *version, sg_time now, bool nsec3)
{
    sg_time first = INT64_MAX;
    struct zone_cursor cursor;
    (nsec3 ? zone_cursor_start_nsec3 : zone_cursor_start)(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        sg_time there = rrsig_first_expiration(&cursor.node, nsec3, now);
        first = there < first ? there : first;
    }
    return first;
}

static sg_time true_first(const struct life *life)
{
    sg_time names = true_first_of(life->scene.version, life->scene.request.now, false);
    sg_time hashes = true_first_of(life->scene.version, life->scene.request.now, true);
    return names < hashes ? names : hashes;
}

/* One resign() in an edit of its own, kept or abandoned. */
static void visit(struct life *life, const struct resign_wish *wish, bool keep)
{
    struct change_scene *scene = &life->scene;
    struct zone_edit *edit = zone_edit_open(scene->version);
    const struct resign_work work = {
        .edit = edit,
        .base = scene->version,
        .index = life->index,
        .request = &scene->request,
        .wish = *wish,
        .cursor = wish->all ? &life->cursor : NULL,
        .pool = scene->pool,
    };
    scene->request.serial++;
    assert_int_equal(resign(&work, &scene->report, &life->more), SG_OK);
    if (!keep || scene->report.signatures == 0) {
        scene->request.serial--;
        zone_edit_abandon(edit);
        return;
    }
    const struct zone_version *next;
    assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
    assert_int_equal(zone_version_facts(next)->serial, scene->request.serial);
    resign_index_note(life->index, scene->version, next, scene->request.now);
    zone_version_unref(scene->version);
    scene->version = next;
}

static void refresh(struct life *life, uint64_t signatures_max)
{
    const struct resign_wish wish = {.expires_before = life->scene.request.now + REFRESH,
                                     .signatures_max = signatures_max};
    unsigned slices = 0;
    do {
        assert_true(slices++ < SLICES_MAX);
        visit(life, &wish, random_seeded_below(&life->random, 8) != 0 || signatures_max > 100);
        assert_true(resign_index_first(life->index) <= true_first(life));
    } while (life->more || resign_index_first(life->index) < wish.expires_before);
    assert_true(true_first(life) >= wish.expires_before);
}

static void change(struct life *life)
{
    const struct zone_version *base = zone_version_ref(life->scene.version);
    change_round(&life->scene, random_seeded_below(&life->random, 12));
    resign_index_note(life->index, base, life->scene.version, life->scene.request.now);
    zone_version_unref(base);
    assert_true(resign_index_first(life->index) <= true_first(life));
}

/* clang-format off */
static const struct denial_case {
    const char *name;
    enum change_denial denial;
} denials[] = {
    {"no signature grows old, NSEC",    CHANGE_NSEC},
    {"no signature grows old, NSEC3",   CHANGE_NSEC3},
    {"no signature grows old, opt-out", CHANGE_OPT_OUT},
};
/* clang-format on */

static void check_all_good(struct life *life)
{
    struct change_scene *scene = &life->scene;
    const struct zone_version *fresh = change_sign_fresh(scene, scene->version);
    change_check_equal(scene->version, fresh, false);
    change_check_equal(scene->version, fresh, true);
    change_check_facts(scene->version, fresh);
    change_count_new(scene, scene->version, scene->version, false);
    change_count_new(scene, scene->version, scene->version, true);
    zone_version_unref(fresh);
}

static void no_signature_grows_old(void **state)
{
    const struct denial_case *c = *state;
    for (unsigned zone = 0; zone < ZONES; zone++) {
        struct life life;
        begin(&life, c->denial, 20261210 + zone, 40);
        for (unsigned round = 0; round < ROUNDS; round++) {
            life.scene.request.now += random_seeded_below(&life.random, 12 * SG_HOUR);
            if (random_seeded_below(&life.random, 3) == 0) {
                change(&life);
            } else {
                refresh(&life, 1 + random_seeded_below(&life.random, 12));
            }
        }
        refresh(&life, UINT64_MAX);
        check_all_good(&life);
        end(&life);
    }
}

static void nothing_is_due_and_nothing_is_done(void **state)
{
    (void)state;
    struct life life;
    begin(&life, CHANGE_NSEC, 1, 20);
    const struct resign_wish wish = {.expires_before = life.scene.request.now + REFRESH,
                                     .signatures_max = 100};
    const struct zone_version *before = life.scene.version;
    visit(&life, &wish, true);
    assert_int_equal(life.scene.report.signatures, 0);
    assert_false(life.more);
    assert_ptr_equal(life.scene.version, before);
    assert_int_equal(resign_index_first(life.index), true_first(&life));
    end(&life);
}

/* The index learns nothing from an edit that came to nothing. */
static void an_abandoned_edit_leaves_its_signatures_due(void **state)
{
    (void)state;
    struct life life;
    begin(&life, CHANGE_NSEC3, 2, 40);
    life.scene.request.now += 10 * SG_DAY;
    const struct resign_wish wish = {.expires_before = life.scene.request.now + REFRESH,
                                     .signatures_max = UINT64_MAX};
    sg_time first = true_first(&life);
    visit(&life, &wish, false);
    assert_true(life.scene.report.signatures > 0);
    assert_int_equal(resign_index_first(life.index), first);
    change(&life);
    assert_true(resign_index_first(life.index) <= true_first(&life));
    assert_true(true_first(&life) < wish.expires_before);
    visit(&life, &wish, true);
    assert_true(true_first(&life) >= wish.expires_before);
    assert_true(resign_index_first(life.index) >= wish.expires_before);
    end(&life);
}

/* A change beside what resign() does. */
static void sign_and_note(struct life *life, struct zone_edit *edit)
{
    struct change_scene *scene = &life->scene;
    const struct zone_version *next;
    scene->request.serial++;
    assert_int_equal(sign_change(edit, scene->version, &scene->request, NULL, &scene->report),
                     SG_OK);
    assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
    resign_index_note(life->index, scene->version, next, scene->request.now);
    zone_version_unref(scene->version);
    scene->version = next;
}

/* Names of one record, by one change. */
static void fill(struct life *life, unsigned names)
{
    struct change_scene *scene = &life->scene;
    struct zone_edit *edit = zone_edit_open(scene->version);
    const struct zone_version *next;
    for (unsigned i = 0; i < names; i++) {
        char text[32];
        struct dns_name owner;
        snprintf(text, sizeof(text), "n%u.example.", i);
        assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &owner), SG_OK);
        change_put(edit, &owner, DNS_TYPE_A, (struct span){(const uint8_t *)"abcd", 4}, 60, 1);
    }
    assert_int_equal(
        sign_change(edit, scene->version, &scene->request, scene->pool, &scene->report), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
    change_check(scene, next, scene->version);
    resign_index_note(life->index, scene->version, next, scene->request.now);
    zone_version_unref(scene->version);
    scene->version = next;
}

/* How many names' signatures, the apex's aside, expire before that. */
static unsigned count_before(const struct zone_version *version, sg_time now, sg_time before)
{
    unsigned count = 0;
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        count += zone_node_owner(&cursor.node).length > 0 &&
                 rrsig_first_expiration(&cursor.node, false, now) < before;
    }
    return count;
}

/* After a long power cut: no name that has a day left is signed before one that has no hour. */
static void the_most_urgent_come_first(void **state)
{
    (void)state;
    struct life life;
    begin(&life, CHANGE_NSEC, 3, 0);
    fill(&life, 200);
    sg_time now = life.scene.request.now += 13 * SG_DAY + 4 * SG_HOUR;
    const struct resign_wish wish = {.expires_before = now + REFRESH, .signatures_max = 20};
    unsigned slices = 0;
    unsigned all = count_before(life.scene.version, now, now + SG_DAY);
    assert_int_equal(all, 200);
    do {
        unsigned urgent = count_before(life.scene.version, now, now + SG_HOUR);
        unsigned rest = all - urgent;
        visit(&life, &wish, true);
        unsigned left = count_before(life.scene.version, now, now + SG_HOUR);
        all = count_before(life.scene.version, now, now + SG_DAY);
        assert_true(left < urgent || urgent == 0);
        assert_true(left == 0 || all - left == rest);
        slices++;
    } while (life.more);
    assert_int_equal(all, 0);
    assert_true(slices > 10);
    end(&life);
}

/* Signatures by keys that no longer sign go, those of keys that now sign come: name by name. */
static void a_campaign_signs_all_in_slices(void **state)
{
    (void)state;
    for (enum change_denial denial = CHANGE_NSEC; denial < CHANGE_DENIALS; denial++) {
        struct life life;
        begin(&life, denial, 20261220 + denial, 20);
        fill(&life, 60);
        change_use_keys(&life.scene, 1, 1);
        life.scene.request.now += SG_HOUR;
        sg_time started = life.scene.request.now;
        const struct resign_wish wish = {.all = true, .signatures_max = 10};
        uint64_t slices = 0, made = 0, needed = 0;
        do {
            life.scene.request.now += SG_MINUTE;
            visit(&life, &wish, true);
            assert_in_range(life.scene.report.signatures, 1, 17);
            made += life.scene.report.signatures;
            slices++;
        } while (life.more);
        assert_true(slices > 5);
        for (int nsec3 = 0; nsec3 < 2; nsec3++) {
            struct zone_cursor cursor;
            (nsec3 == 1 ? zone_cursor_start_nsec3 : zone_cursor_start)(&cursor, life.scene.version);
            while (zone_cursor_next(&cursor)) {
                sg_time first =
                    rrsig_first_expiration(&cursor.node, nsec3 == 1, life.scene.request.now);
                assert_true(first >=
                            started + life.scene.policy.validity - life.scene.policy.jitter);
                needed += rrsig_count_before(&cursor.node, nsec3 == 1, started, INT64_MAX);
            }
        }
        assert_int_equal(made, needed + slices - 1); /* the SOA in each slice */
        check_all_good(&life);
        assert_true(resign_index_first(life.index) <= true_first(&life));
        end(&life);
    }
}

/* The change itself signs the SOA and what it touches; on the way of the campaign each version is
 * good, and another change in the midst of it has the new TTL by itself. */
static void another_negative_ttl_comes_in_slices(void **state)
{
    (void)state;
    for (enum change_denial denial = CHANGE_NSEC; denial < CHANGE_DENIALS; denial++) {
        struct life life;
        begin(&life, denial, 20261220 + denial, 20);
        fill(&life, 60);
        struct change_scene *scene = &life.scene;
        struct dns_name owner;
        assert_int_equal(dns_name_from_text("zz.example.", 11, NULL, &owner), SG_OK);
        for (unsigned round = 0; round < 2; round++) {
            struct zone_edit *edit = zone_edit_open(scene->version);
            change_put_soa(edit, &scene->apex, (uint8_t)(250 + round), (uint8_t)(30 + 60 * round));
            sign_and_note(&life, edit);
            assert_in_range(scene->report.signatures, 1, 2);
            const struct resign_wish wish = {.all = true, .signatures_max = 10};
            unsigned slices = 0;
            life.cursor = (struct resign_cursor){.started = false};
            do {
                scene->request.now += SG_MINUTE;
                visit(&life, &wish, true);
                change_count_new(scene, scene->version, scene->version, false);
                change_count_new(scene, scene->version, scene->version, true);
                if (slices++ == 2) {
                    edit = zone_edit_open(scene->version);
                    change_put_next(scene, edit, &owner);
                    sign_and_note(&life, edit);
                }
            } while (life.more);
            assert_true(slices > 5);
            check_all_good(&life); /* as if it were signed whole */
        }
        end(&life);
    }
}

/* The cursor would come to some of them when they have long expired. */
static void a_campaign_signs_first_what_is_urgent(void **state)
{
    (void)state;
    struct life life;
    begin(&life, CHANGE_NSEC, 3, 0);
    fill(&life, 200);
    sg_time now = life.scene.request.now += 13 * SG_DAY;
    const struct resign_wish wish = {
        .all = true, .expires_before = now + 5 * SG_DAY, .signatures_max = 20};
    unsigned slices = 0;
    unsigned urgent = count_before(life.scene.version, now, now + SG_DAY);
    assert_true(urgent > 50);
    for (unsigned left; urgent > 0; urgent = left, slices++) {
        visit(&life, &wish, true);
        left = count_before(life.scene.version, now, now + SG_DAY);
        assert_true(left < urgent);
        assert_true(life.more);
        assert_false(life.cursor.started);
    }
    assert_true(slices > 2);
    do {
        assert_true(slices++ < SLICES_MAX);
        visit(&life, &wish, true);
    } while (life.more);
    assert_true(life.cursor.started);
    end(&life);
}

/* Then all that is made anew expires within the day as well. */
static void a_campaign_of_short_lives_ends(void **state)
{
    (void)state;
    struct life life;
    begin(&life, CHANGE_NSEC, 3, 0);
    fill(&life, 20);
    struct sign_policy *policy = (struct sign_policy *)life.scene.request.policy;
    policy->validity = policy->validity_dnskey = 12 * SG_HOUR;
    policy->interval = 9 * SG_HOUR;
    const struct resign_wish wish = {
        .all = true, .expires_before = life.scene.request.now + 3 * SG_HOUR, .signatures_max = 20};
    unsigned slices = 0;
    do {
        assert_true(slices++ < SLICES_MAX);
        visit(&life, &wish, true);
    } while (life.more);
    end(&life);
}

/* Insecure delegations have nothing to be signed, but there are so many that to pass them by takes
 * longer than a slice may. */
static void a_slice_of_a_campaign_passes_by_no_more_than_its_share(void **state)
{
    (void)state;
    enum { CUTS = 1000, NAMES_MAX = 64 };
    struct life life = {.random = {5}};
    struct change_scene *scene = &life.scene;
    change_init(scene, CHANGE_OPT_OUT, draw, &life.random);
    struct zone_edit *edit = zone_edit_new(&scene->apex, DNS_CLASS_IN);
    change_put_soa(edit, &scene->apex, 1, 60);
    for (unsigned i = 0; i < CUTS; i++) {
        char text[32];
        struct dns_name owner;
        uint32_t ttl;
        snprintf(text, sizeof(text), "n%u.example.", i);
        assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &owner), SG_OK);
        assert_int_equal(zone_edit_add_record(edit, &owner, DNS_TYPE_NS, 60,
                                              (struct span){(const uint8_t *)"\1x", 3}, &ttl),
                         SG_OK);
    }
    assert_int_equal(sign_zone(edit, &scene->request, NULL, &scene->report), SG_OK);
    uint64_t signatures = scene->report.signatures;
    assert_in_range(signatures, 3, 50);
    assert_int_equal(zone_edit_seal(edit, &scene->version), SG_OK);
    life.index = resign_index_new(scene->version, scene->request.now);
    const struct resign_wish wish = {
        .all = true, .signatures_max = UINT64_MAX, .names_max = NAMES_MAX};
    uint64_t made = 0, slices = 0, signing = 0;
    do {
        visit(&life, &wish, true);
        made += scene->report.signatures;
        signing += scene->report.signatures > 0;
        slices++;
    } while (life.more);
    assert_int_equal(slices, CUTS / NAMES_MAX + 1);
    assert_int_equal(signing, 2); /* the apex, and its NSEC3 at the end */
    assert_int_equal(made, signatures + 1 /* the SOA twice */);
    end(&life);
}

/* 1,200 names signed at once: from the first on, each day has its share; so, but for chance, do
 * each hour and each tenth of one. */
static void refreshes_are_a_smooth_trickle(void **state)
{
    (void)state;
    enum { NAMES = 1200, BIN_HOURS = 24, BINS = 20, STEP = 360 };
    struct life life = {.random = {4}};
    struct change_scene *scene = &life.scene;
    change_init(scene, CHANGE_NSEC, draw, &life.random);
    scene->policy.jitter = 12 * SG_HOUR;
    scene->policy.interval = scene->policy.validity - REFRESH;
    struct zone_edit *edit = zone_edit_new(&scene->apex, DNS_CLASS_IN);
    change_put_soa(edit, &scene->apex, 1, 60);
    for (unsigned i = 0; i < NAMES; i++) {
        char text[32];
        struct dns_name owner;
        uint32_t ttl;
        snprintf(text, sizeof(text), "n%u.example.", i);
        assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &owner), SG_OK);
        assert_int_equal(zone_edit_add_record(edit, &owner, DNS_TYPE_A, 60,
                                              (struct span){(const uint8_t *)"abcd", 4}, &ttl),
                         SG_OK);
    }
    assert_int_equal(sign_zone(edit, &scene->request, NULL, &scene->report), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &scene->version), SG_OK);
    life.index = resign_index_new(scene->version, scene->request.now);
    print_message("%zu bytes of index for %d names\n", resign_index_bytes(life.index), NAMES);
    assert_in_range(resign_index_bytes(life.index), 1, NAMES);
    uint64_t sum = 0, most = 0, fewest = UINT64_MAX, most_of_hour = 0, most_at_once = 0;
    for (unsigned bin = 0; bin < BINS; bin++) {
        uint64_t made = 0, of_hour = 0;
        for (unsigned step = 0; step < BIN_HOURS * SG_HOUR / STEP; step++) {
            scene->request.now += STEP;
            const struct resign_wish wish = {.expires_before = scene->request.now + REFRESH,
                                             .signatures_max = UINT64_MAX};
            visit(&life, &wish, true);
            assert_true(resign_index_first(life.index) >= wish.expires_before);
            uint64_t at_once =
                scene->report.signatures > 0 ? scene->report.signatures - 1 /* SOA */ : 0;
            made += at_once;
            of_hour += at_once;
            most_at_once = at_once > most_at_once ? at_once : most_at_once;
            if ((step + 1) % (SG_HOUR / STEP) == 0) {
                most_of_hour = of_hour > most_of_hour ? of_hour : most_of_hour;
                of_hour = 0;
            }
        }
        sum += made;
        most = made > most ? made : most;
        fewest = made < fewest ? made : fewest;
    }
    uint64_t share = sum / BINS;
    print_message("every %d hours %llu signatures, %llu to %llu\n", BIN_HOURS,
                  (unsigned long long)share, (unsigned long long)fewest, (unsigned long long)most);
    /* Each is due again after 8.5 to 9 days, 274 signatures of 137 names in a day. With its jitter
     * alone the first signing would let none be due for 8.5 days, and then all. */
    assert_in_range(share, 260, 290);
    assert_in_range(fewest, share / 2, share);
    assert_in_range(most, share, share * 3 / 2);
    /* An hour's mean is 5.7 names of two signatures, a step's 0.6: of as many draws of Poisson's
     * distribution the greatest are about 16 and 6. */
    print_message("at most %llu in an hour, %llu at once\n", (unsigned long long)most_of_hour,
                  (unsigned long long)most_at_once);
    assert_in_range(most_of_hour, share / 24, 2 * 20);
    assert_in_range(most_at_once, 1, 2 * 8);
    assert_true(true_first(&life) >= scene->request.now + REFRESH);
    end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_and_nothing_is_done),
        cmocka_unit_test(an_abandoned_edit_leaves_its_signatures_due),
        cmocka_unit_test(the_most_urgent_come_first),
        cmocka_unit_test(a_campaign_signs_all_in_slices),
        cmocka_unit_test(a_campaign_signs_first_what_is_urgent),
        cmocka_unit_test(a_campaign_of_short_lives_ends),
        cmocka_unit_test(another_negative_ttl_comes_in_slices),
        cmocka_unit_test(a_slice_of_a_campaign_passes_by_no_more_than_its_share),
        cmocka_unit_test(refreshes_are_a_smooth_trickle),
    };
    return RUN_TABLE(denials, no_signature_grows_old) + cmocka_run_group_tests(tests, NULL, NULL);
}
