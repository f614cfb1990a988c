/*
 * Random policies, edits, commands, parents and clocks for five years each: no validator with any
 * mix of caches finds the zone bogus, states tell the truth, and every roll ends. Each rule and
 * each wait left out is found out.
 *
 * NEVER_BOGUS_SEEDS=n runs other than the default number; NEVER_BOGUS_FIRST=seed begins there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kasp/random_life.h"

enum { SEEDS = 300, MUTANT_SEEDS_MAX = 400 };

static void tell_history(const struct caches_history *history, const char *name, sg_time now)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct caches_version *version = &history->versions[i];
        print_message("  %s %lld:", name,
                      version->gone_at == NEVER ? -1LL : (long long)(version->gone_at - now));
        for (size_t k = 0; k < version->count; k++) {
            print_message(" %zu%s", version->entries[k].number,
                          version->entries[k].signs ? "s" : "");
        }
        print_message("\n");
    }
}

static void tell(const struct scene *s, uint64_t seed, const char *problem)
{
    print_message("seed %llu, day %lld.%05lld: %s (key %zu, record %d)\n", (unsigned long long)seed,
                  (long long)((s->now - T0) / SG_DAY), (long long)((s->now - T0) % SG_DAY), problem,
                  s->key, (int)s->record);
    for (size_t i = 0; i < s->world.list.count; i++) {
        const struct world_key *key = world_key_of(s->world.live[i]);
        const struct key_state *state = &key->key.state;
        char text[KASP_WAIT_TEXT_BYTES] = "";
        if (i < s->world.plan.count && s->world.plan.keys[i].key == &key->key) {
            kasp_wait_text(&s->world.plan.keys[i].wait, text);
        }
        print_message("  key %zu alg %u%s%s goal %c %c%c%c%c %s\n", key->number, key->key.algorithm,
                      state->ksk ? " ksk" : "", state->zsk ? " zsk" : "", "HROU-"[state->goal],
                      "HROU-"[state->records[0]], "HROU-"[state->records[1]],
                      "HROU-"[state->records[2]], "HROU-"[state->records[3]], text);
    }
    print_message("  parent manner %d wavers %d seldom %d clock %lld\n", (int)s->manner,
                  s->parent_wavers, s->looks_seldom, (long long)s->clock_off);
    tell_history(&s->caches.ds, "DS", s->now);
    tell_history(&s->caches.dnskey, "DNSKEY", s->now);
    for (int a = 0; a < CACHES_ALGORITHMS; a++) {
        tell_history(&s->caches.data[a], "data", s->now);
    }
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value == NULL ? otherwise : strtoull(value, NULL, 10);
}

static void no_validator_ever_finds_the_zone_bogus(void **state)
{
    (void)state;
    struct scene *s = mem_alloc_zero(1, sizeof(*s));
    uint64_t first = number_of("NEVER_BOGUS_FIRST", 1);
    uint64_t seeds = number_of("NEVER_BOGUS_SEEDS", SEEDS);
    unsigned turns = 0;
    unsigned keys = 0;
    unsigned failures = 0;
    unsigned rolls = 0;
    unsigned words = 0;
    unsigned strangers = 0;
    unsigned takeovers = 0;
    unsigned hasty = 0;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        const char *problem = live(s, seed, KASP_RULES_ALL);
        turns += s->turns;
        rolls += s->rolls;
        words += s->words;
        strangers += s->strangers;
        takeovers += s->takeovers;
        hasty += s->hasty;
        keys += (unsigned)s->world.made_count;
        if (problem != NULL && failures++ < 5) {
            tell(s, seed, problem);
        }
        world_end(&s->world);
    }
    print_message("%llu policies, %u turns, %u keys, %u strangers, %u takeovers, %u of them hasty, "
                  "%u failures\n",
                  (unsigned long long)seeds, turns, keys, strangers, takeovers, hasty, failures);
    assert_int_equal(failures, 0);
    assert_true(keys > seeds * 3 && rolls > seeds && words > seeds);
    assert_true(strangers > seeds / 10 && takeovers > seeds / 10 && hasty > seeds / 50);
    mem_free(s);
}

/* The first seed that complains of a world without some rules; 0: none does. */
static uint64_t seed_that_complains(struct scene *s, unsigned rules, uint64_t seeds,
                                    const char **out_problem)
{
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        *out_problem = live(s, seed, rules);
        world_end(&s->world);
        if (*out_problem != NULL) {
            return seed;
        }
    }
    return 0;
}

static void each_rule_is_needed(void **state)
{
    (void)state;
    struct scene *s = mem_alloc_zero(1, sizeof(*s));
    for (unsigned rule = 0; rule < KASP_RULES; rule++) {
        unsigned rules = KASP_RULES_ALL & ~(1U << rule);
        const char *problem = NULL;
        uint64_t seed = seed_that_complains(s, rules, MUTANT_SEEDS_MAX, &problem);
        print_message("without rule %u, seed %llu: %s\n", rule, (unsigned long long)seed,
                      seed != 0 ? problem : "nothing");
        assert_true(seed != 0);
    }
    mem_free(s);
}

/* With a parent that never turns back, a key may go before its DS: one of the two rules suffices.
 */
static void the_dnskey_rule_holds_where_the_parent_is_trusted(void **state)
{
    (void)state;
    struct scene *s = mem_alloc_zero(1, sizeof(*s));
    unsigned trusting = KASP_RULES_ALL & ~(1U << KASP_RULE_PARENT);
    unsigned neither = trusting & ~(1U << KASP_RULE_DNSKEY);
    const char *problem = NULL;
    s->parent_is_steady = true;
    uint64_t seed = seed_that_complains(s, trusting, MUTANT_SEEDS_MAX, &problem);
    if (seed != 0) {
        tell(s, seed, problem);
    }
    assert_int_equal(seed, 0);
    assert_true(seed_that_complains(s, neither, MUTANT_SEEDS_MAX, &problem) != 0);
    assert_non_null(strstr(problem, "bogus"));
    mem_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_validator_ever_finds_the_zone_bogus),
        cmocka_unit_test(each_rule_is_needed),
        cmocka_unit_test(the_dnskey_rule_holds_where_the_parent_is_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
