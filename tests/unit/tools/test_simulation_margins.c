#include "base/mem.h"
#include "support/table.h"
#include "tools/simulation_margins.h"

#define T0 ((sg_time)1767225600) /* 2026-01-01T00:00:00Z */

static void append(void *argument, const char *text)
{
    struct buffer *all = argument;
    buffer_format(all, "%s\n", text);
}

static void zsk_of_a_week(struct kasp_policy *policy)
{
    policy->keys[0].role = KASP_ROLE_ZSK;
    policy->keys[0].lifetime = 7 * 86400;
}
static void zsk_of_three_weeks(struct kasp_policy *policy)
{
    policy->keys[0].role = KASP_ROLE_ZSK;
    policy->keys[0].lifetime = 20 * 86400;
}
static void ksk_of_two_days(struct kasp_policy *policy)
{
    policy->keys[0].role = KASP_ROLE_KSK;
    policy->keys[0].lifetime = 2 * 86400;
}
static void refresh_near_validity(struct kasp_policy *policy)
{
    policy->signatures_refresh = 12 * SG_DAY;
}
static void refresh_near_dnskey_validity(struct kasp_policy *policy)
{
    policy->signatures_validity_dnskey = 6 * SG_DAY;
}
static void refresh_below_ttl(struct kasp_policy *policy)
{
    policy->max_zone_ttl = 6 * 86400;
}
static void refresh_of_an_hour(struct kasp_policy *policy)
{
    policy->signatures_refresh = SG_HOUR;
    policy->max_zone_ttl = 60;
}
static void much_jitter(struct kasp_policy *policy)
{
    policy->signatures_jitter = 10 * SG_DAY;
}
static void no_ttl(struct kasp_policy *policy)
{
    policy->max_zone_ttl = 0;
    policy->signatures_refresh = 8 * SG_DAY;
}
static void no_inception_offset(struct kasp_policy *policy)
{
    policy->signatures_inception_offset = 0;
}
static void no_zone_propagation(struct kasp_policy *policy)
{
    policy->zone_propagation_delay = 0;
}
static void no_publish_safety(struct kasp_policy *policy)
{
    policy->publish_safety = 0;
}
static void no_retire_safety(struct kasp_policy *policy)
{
    policy->retire_safety = 0;
}
static void no_parent_propagation(struct kasp_policy *policy)
{
    policy->parent_propagation_delay = 0;
}
static void short_ds_ttl(struct kasp_policy *policy)
{
    policy->parent_ds_ttl = 300;
}
static void nothing(struct kasp_policy *policy)
{
    (void)policy;
}
static void no_keys(struct kasp_policy *policy)
{
    policy->keys_count = 0;
    policy->max_zone_ttl = 0;
}

/* Each edit of the default policy brings its own warning and no other. */
static const struct margin_case {
    const char *name;
    void (*edit)(struct kasp_policy *policy);
    const char *lines[3]; /* how they begin; NULL: no more */
} margins[] = {
    {"the default policy has margins", nothing, {NULL}},
    {"so has a zone without keys", no_keys, {NULL}},
    {"ZSK lifetime below a roll and Dsgn",
     zsk_of_a_week,
     {"zsk lifetime 7d is shorter than a roll takes, 10d3h10m",
      "zsk lifetime 7d is shorter than Dsgn, 9d"}},
    {"ZSK lifetime of less than two rolls",
     zsk_of_three_weeks,
     {"zsk lifetime 20d: a roll takes 10d3h10m"}},
    {"KSK lifetime below what the parent takes",
     ksk_of_two_days,
     {"ksk lifetime 2d is shorter than a roll takes, 2d4h5m"}},
    {"refresh close to validity",
     refresh_near_validity,
     {"signatures-refresh 12d is close to signatures-validity 14d: every signature is made anew "
      "after 2d",
      "signatures-refresh 12d is close to signatures-validity-dnskey 14d"}},
    {"refresh close to the validity of DNSKEY's",
     refresh_near_dnskey_validity,
     {"signatures-refresh 5d is close to signatures-validity-dnskey 6d"}},
    {"refresh below TTL and propagation",
     refresh_below_ttl,
     {"signatures-refresh 5d is shorter than max-zone-ttl and zone-propagation-delay, 6d5m"}},
    {"refresh below what an outage takes",
     refresh_of_an_hour,
     {"signatures-refresh 1h: the zone becomes bogus if the signer stands still"}},
    {"jitter that is all of the time",
     much_jitter,
     {"signatures-jitter 10d is not less than signatures-validity less",
      "signatures-jitter 10d is not less than signatures-validity-dnskey less"}},
    {"no largest TTL", no_ttl, {"max-zone-ttl unlimited: a week is taken"}},
    {"no inception offset", no_inception_offset, {"signatures-inception-offset 0"}},
    {"no propagation delay", no_zone_propagation, {"zone-propagation-delay 0"}},
    {"no publish-safety", no_publish_safety, {"publish-safety 0"}},
    {"no retire-safety", no_retire_safety, {"retire-safety 0"}},
    {"a parent that is quick", no_parent_propagation, {"parent-propagation-delay 0"}},
    {"a DS TTL that is none", short_ds_ttl, {"parent-ds-ttl is shorter than"}},
};

static void each_is_told(void **state)
{
    const struct margin_case *c = *state;
    struct kasp_policy *policy = kasp_policy_default();
    struct buffer all = BUFFER_EMPTY;
    policy->signatures_jitter = 0;
    c->edit(policy);
    policy_margins(policy, SG_DAY, append, &all);
    const char *line = buffer_text(&all);
    for (size_t i = 0; i < ARRAY_LEN(c->lines) && c->lines[i] != NULL; i++) {
        char begins[256] = "";
        strncat(begins, line, strlen(c->lines[i]));
        assert_string_equal(begins, c->lines[i]);
        line = strchr(line, '\n') + 1;
    }
    assert_string_equal(line, "");
    buffer_free(&all);
    kasp_policy_free(policy);
}

static void simulate(struct kasp_policy *policy, sg_duration parent_delay, struct buffer *out_all)
{
    struct simulation simulation;
    struct key_list none = {NULL, 0};
    simulation_run(&(struct simulation_request){.policy = policy,
                                                .apex = &dns_name_root,
                                                .from = T0,
                                                .until = T0 + 400 * SG_DAY,
                                                .parent_delay = parent_delay},
                   &none, &simulation);
    simulation_margins(&simulation, append, out_all);
    simulation_clear(&simulation);
}

static void what_came_to_light_is_told(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct buffer all = BUFFER_EMPTY;
    policy->keys[0].lifetime = 30 * 86400;
    simulate(policy, SG_DAY, &all);
    assert_string_equal(buffer_text(&all), "");

    simulate(policy, 40 * SG_DAY, &all);
    assert_non_null(strstr(buffer_text(&all), " keys are used after the end of their lifetime"));
    assert_non_null(strstr(buffer_text(&all), "keys are rolling "));
    buffer_clear(&all);

    simulate(policy, SIMULATION_NEVER, &all);
    assert_non_null(strstr(buffer_text(&all), " waits for the parent to publish the DS since "));
    buffer_free(&all);
    kasp_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_came_to_light_is_told)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(margins, each_is_told);
}
