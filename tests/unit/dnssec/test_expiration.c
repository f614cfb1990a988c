#include <stdbool.h>

#include "base/mem.h"
#include "dnssec/expiration.h"
#include "support/table.h"

enum { NAMES = 200000, BINS = 40, CYCLES = 3, START = 1790000000 };

struct scene {
    const char *name;
    sg_duration validity, refresh, jitter;
};

static const struct scene scenes[] = {
    {"the default policy", 14 * SG_DAY, 5 * SG_DAY, 12 * SG_HOUR},
    {"no jitter", 14 * SG_DAY, 5 * SG_DAY, 0},
    {"jitter of half the interval", 14 * SG_DAY, 5 * SG_DAY, 108 * SG_HOUR},
    {"more jitter than there is time", 14 * SG_DAY, 5 * SG_DAY, 14 * SG_DAY},
    {"refresh of nine tenths", 10 * SG_DAY, 9 * SG_DAY - 1, 12 * SG_HOUR},
    {"hardly any refresh", 30 * SG_DAY, SG_HOUR, 2 * SG_DAY},
    {"a validity of two hours", 2 * SG_HOUR, SG_HOUR, 12 * SG_HOUR},
    {"a validity of minutes", 40 * SG_MINUTE, 20 * SG_MINUTE, 20 * SG_MINUTE},
    {"a year", 365 * SG_DAY, 30 * SG_DAY, 7 * SG_DAY},
};

static struct expiration_rule rule_of(const struct scene *scene)
{
    return (struct expiration_rule){scene->validity, scene->jitter,
                                    scene->validity - scene->refresh};
}

/* A zone is signed at once; each name is signed anew when it is due, by a clock that runs: of each
 * fortieth of the interval, from the first to that of the third round, the same share is due. */
static void refreshes_are_even_from_the_first_on(void **state)
{
    const struct scene *scene = *state;
    const struct expiration_rule rule = rule_of(scene);
    struct random_seeded random = {20261128};
    unsigned due[BINS * CYCLES] = {0};
    sg_duration rest = rule.interval / 100 < SG_HOUR ? rule.interval / 100 : SG_HOUR;
    sg_time first = START + rest;
    sg_time end = START + CYCLES * rule.interval;
    unsigned all = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        sg_time turn = expiration_out_of_turn(&rule, &random, START) - scene->refresh;
        assert_in_range(turn, first, START + rule.interval - 1);
        while (turn < end) {
            due[(turn - START) * BINS / rule.interval]++;
            sg_time expires = expiration_in_turn(&rule, &random, turn);
            assert_in_range(expires, turn + scene->refresh + rule.interval / 2 - 1,
                            turn + scene->validity);
            turn = expires - scene->refresh;
            all++;
        }
    }
    unsigned share = all / (BINS * CYCLES);
    /* 5000 or more names each, drawn: seven standard deviations are a tenth. The rest after a
     * signing takes two fifths of the first, and with little jitter of the first of each round. */
    for (unsigned i = 0; i < BINS * CYCLES; i++) {
        unsigned least = i % BINS == 0 ? share / 2 : share * 17 / 20;
        assert_in_range(due[i], least, share * 11 / 10);
    }
}

/* What an outage of a fifth of the interval has left is made at once, and is no wave in the round
 * after: its share comes beside what had its turn, evenly. */
static void what_was_late_is_spread(void **state)
{
    (void)state;
    const struct expiration_rule rule = rule_of(&scenes[0]);
    struct random_seeded random = {7};
    unsigned due[BINS] = {0};
    for (unsigned i = 0; i < NAMES; i++) {
        sg_time expires = expiration_out_of_turn(&rule, &random, START);
        due[(expires - scenes[0].refresh - START) * BINS / rule.interval]++;
    }
    for (unsigned i = 1; i < BINS * 9 / 10; i++) {
        assert_in_range(due[i], NAMES / BINS * 9 / 10, NAMES / BINS * 12 / 10);
    }
}

/* ---- a million names, by the second ---- */

enum {
    MILLION = 1000000,
    /* Every third name is changed within an hour, in the midst of the first round. */
    STORM_PART = 3,
    STORM_AT = 100 * SG_HOUR,
    CHANGE_SECONDS = 30, /* what becomes due so soon is taken along (keeper/zone_resign.c) */
};

/* Add to the seconds at which a name is made anew; changed_at: never, if it is not before the end.
 */
static void live(const struct scene *scene, struct random_seeded *random, sg_time changed_at,
                 sg_duration seconds, uint16_t *due)
{
    const struct expiration_rule rule = rule_of(scene);
    sg_time turn = expiration_out_of_turn(&rule, random, 0) - scene->refresh;
    for (; turn < seconds && turn < changed_at;
         turn = expiration_in_turn(&rule, random, turn) - scene->refresh) {
        due[turn]++;
    }
    if (changed_at < seconds) {
        turn = expiration_out_of_turn(&rule, random, changed_at) - scene->refresh;
    }
    for (; turn < seconds; turn = expiration_in_turn(&rule, random, turn) - scene->refresh) {
        due[turn]++;
    }
}

/* How many are made anew at each second of `seconds`. */
static uint16_t *refreshes_of_a_million(const struct scene *scene, bool storm, sg_duration seconds)
{
    struct random_seeded random = {20261129};
    uint16_t *due = mem_alloc_zero((size_t)seconds, sizeof(*due));
    for (unsigned i = 0; i < MILLION; i++) {
        sg_time changed_at = STORM_AT + random_seeded_below(&random, SG_HOUR);
        bool changes = storm && i % STORM_PART == 0;
        live(scene, &random, changes ? changed_at : seconds, seconds, due);
    }
    return due;
}

/* What was changed, and what was just signed, rests for an hour. */
static bool is_rest(sg_duration hour, bool storm)
{
    sg_duration since_storm = hour - STORM_AT / SG_HOUR;
    return hour == 0 || (storm && since_storm >= 0 && since_storm <= 1);
}

/* Each hour of the validity periods has its share: a quarter more or less, of 4,700 names. */
static void check_hours(const uint16_t *due, sg_duration seconds, double share, bool storm)
{
    for (sg_duration hour = 0; hour < seconds / SG_HOUR; hour++) {
        unsigned count = 0;
        for (sg_duration i = 0; i < SG_HOUR; i++) {
            count += due[hour * SG_HOUR + i];
        }
        assert_true(count <= share * 1.25);
        assert_true(count >= share * 0.75 || is_rest(hour, storm));
    }
}

/* The changes that come of it, and so the IXFRs, are small: at most two and a half times the share
 * of their seconds, which is 40 names; and so there is one every half minute, not more. */
static void check_changes(const uint16_t *due, sg_duration seconds, double share)
{
    unsigned largest = 0, changes = 0;
    for (sg_duration at = 0; at < seconds; at++) {
        unsigned names = 0;
        if (due[at] == 0) {
            continue;
        }
        for (sg_duration end = at + CHANGE_SECONDS; at < end && at < seconds; at++) {
            names += due[at];
        }
        changes++;
        largest = names > largest ? names : largest;
    }
    assert_in_range(largest, 1, (unsigned)(share * CHANGE_SECONDS / SG_HOUR * 2.5));
    assert_in_range(changes, seconds / CHANGE_SECONDS / 2, seconds / CHANGE_SECONDS);
}

static const struct million {
    const char *name;
    struct scene scene;
    bool storm;
} millions[] = {
    {"a million names", {"", 14 * SG_DAY, 5 * SG_DAY, 12 * SG_HOUR}, false},
    {"a million names, much jitter", {"", 14 * SG_DAY, 5 * SG_DAY, 4 * SG_DAY}, false},
    {"a million names, a third of them changed at once",
     {"", 14 * SG_DAY, 5 * SG_DAY, 12 * SG_HOUR},
     true},
};

static void a_million_names_are_a_trickle(void **state)
{
    const struct million *c = *state;
    const sg_duration seconds = 3 * c->scene.validity;
    uint16_t *due = refreshes_of_a_million(&c->scene, c->storm, seconds);
    /* A round takes the interval less half of the jitter. */
    sg_duration turn = c->scene.validity - c->scene.refresh - c->scene.jitter / 2;
    double share = (double)MILLION * SG_HOUR / (double)turn;
    check_hours(due, seconds, share, c->storm);
    check_changes(due, seconds, share);
    mem_free(due);
}

/* Without an interval (a validity that leaves none) all is drawn as in turn. */
static void no_interval_is_no_spread(void **state)
{
    (void)state;
    struct random_seeded random = {1};
    const struct expiration_rule rule = {.validity = SG_DAY, .jitter = 2 * SG_DAY};
    for (unsigned i = 0; i < 1000; i++) {
        assert_in_range(expiration_out_of_turn(&rule, &random, START), START, START + SG_DAY - 1);
    }
    const struct expiration_rule one = {.validity = 10, .jitter = 5, .interval = 1};
    assert_int_equal(expiration_out_of_turn(&one, &random, START), START + 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_late_is_spread),
        cmocka_unit_test(no_interval_is_no_spread),
    };
    return RUN_TABLE(scenes, refreshes_are_even_from_the_first_on) +
           RUN_TABLE(millions, a_million_names_are_a_trickle) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
