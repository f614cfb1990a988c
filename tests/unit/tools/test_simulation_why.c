#include "base/mem.h"
#include "support/table.h"
#include "tools/simulation_why.h"

#define T0 ((sg_time)1767225600) /* 2026-01-01T00:00:00Z */

/* clang-format off */
static const struct duration_case {
    const char *name;
    sg_duration duration;
    const char *text;
} durations[] = {
    {"nothing",         0,                              "0s"},
    {"seconds",         59,                             "59s"},
    {"two units",       7500,                           "2h5m"},
    {"all of them",     SG_DAY + SG_HOUR + SG_MINUTE + 1, "1d1h1m1s"},
    {"some are nought", 365 * SG_DAY + 1,               "365d1s"},
    {"less than none",  -1,                             "0s"},
};
/* clang-format on */

static void durations_are_short(void **state)
{
    const struct duration_case *c = *state;
    char *text = simulation_duration(c->duration);
    assert_string_equal(text, c->text);
    mem_free(text);
}

/* Every wait of a life with rolls is a sum that comes out to the second, and is told as one. */
static void waits_are_told_as_sums_of_options(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    struct key_list none = {NULL, 0};
    size_t settled = 0;
    policy->keys[0].lifetime = 60 * 86400;
    simulation_run(&(struct simulation_request){.policy = policy,
                                                .apex = &dns_name_root,
                                                .from = T0,
                                                .until = T0 + 1000 * SG_DAY,
                                                .parent_delay = SG_DAY},
                   &none, &simulation);
    for (size_t i = 0; i < simulation.events_count; i++) {
        const struct simulation_event *event = &simulation.events[i];
        if (event->act == SIMULATION_MOVED &&
            (event->to == KEY_STATE_OMNIPRESENT || event->to == KEY_STATE_HIDDEN)) {
            assert_non_null(strstr(event->why, " = "));
            settled++;
        }
    }
    assert_true(settled > 100);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

static const struct simulation_event *first_move(const struct simulation *simulation,
                                                 enum key_record record, enum key_state_value to)
{
    for (size_t i = 0; i < simulation->events_count; i++) {
        const struct simulation_event *event = &simulation->events[i];
        if (event->act == SIMULATION_MOVED && event->record == record && event->to == to) {
            return event;
        }
    }
    fail_msg("no such move");
    return NULL;
}

static void terms_are_named(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    struct key_list none = {NULL, 0};
    policy->keys[0].lifetime = 60 * 86400;
    simulation_run(
        &(struct simulation_request){
            .policy = policy, .apex = &dns_name_root, .from = T0, .until = T0 + 100 * SG_DAY},
        &none, &simulation);
    assert_string_equal(
        first_move(&simulation, KEY_RECORD_DNSKEY, KEY_STATE_OMNIPRESENT)->why,
        "2h5m after it began = dnskey-ttl 1h + zone-propagation-delay 5m + publish-safety 1h "
        "(Ipub, RFC 7583 3.2.1)");
    assert_string_equal(
        first_move(&simulation, KEY_RECORD_ZRRSIG, KEY_STATE_HIDDEN)->why,
        "10d1h5m after it began = max-zone-ttl 1d + zone-propagation-delay 5m + Dsgn 9d + "
        "retire-safety 1h (Iret, RFC 7583 3.2.1)");
    assert_string_equal(first_move(&simulation, KEY_RECORD_DS, KEY_STATE_HIDDEN)->why,
                        "1d2h after the parent was seen to act = parent-ds-ttl 1d + "
                        "parent-propagation-delay 1h + retire-safety 1h (DprpP + TTLds, RFC 7583 "
                        "3.3.1)");
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_told_as_sums_of_options),
        cmocka_unit_test(terms_are_named),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(durations, durations_are_short);
}
