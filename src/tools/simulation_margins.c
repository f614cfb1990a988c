#include "tools/simulation_margins.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "tools/simulation_why.h"

/* So long may it take until somebody notices and mends a signer that stands still. */
#define OUTAGE_USUAL SG_DAY
/* A DS wait longer than this at the end of a simulation is a stall, not a wait. */
#define STALL SG_WEEK

struct reporter {
    margins_report *report;
    void *argument;
};

static void tell(const struct reporter *to, const char *format, ...) PRINTF_LIKE(2, 3);

static void tell(const struct reporter *to, const char *format, ...)
{
    char text[MARGIN_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    to->report(to->argument, text);
}

/* ---- keys ---- */

static sg_duration zone_ttl(const struct kasp_policy *policy)
{
    return policy->max_zone_ttl != 0 ? (sg_duration)policy->max_zone_ttl : SG_WEEK;
}

static sg_duration resign_interval(const struct kasp_policy *policy)
{
    return policy->signatures_validity - policy->signatures_refresh;
}

/* From the successor's making until the key is nowhere, or the next roll may begin. */
static sg_duration roll_duration(const struct kasp_policy *policy, enum kasp_role role,
                                 sg_duration parent_delay)
{
    sg_duration publish =
        (sg_duration)policy->dnskey_ttl + policy->zone_propagation_delay + policy->publish_safety;
    sg_duration zone = zone_ttl(policy) + policy->zone_propagation_delay + resign_interval(policy);
    sg_duration parent = policy->parent_ds_ttl + policy->parent_propagation_delay +
                         (parent_delay > 0 ? parent_delay : 0);
    sg_duration retire = 0;
    if ((role & KASP_ROLE_ZSK) != 0) {
        retire = zone;
    }
    if ((role & KASP_ROLE_KSK) != 0 && parent > retire) {
        retire = parent;
    }
    return publish + retire + policy->retire_safety;
}

static void judge_lifetime(const struct reporter *to, const struct kasp_policy *policy,
                           const struct kasp_key *key, sg_duration parent_delay)
{
    static const char *const roles[] = {"", "ksk", "zsk", "csk"};
    sg_duration lifetime = key->lifetime;
    sg_duration roll = roll_duration(policy, key->role, parent_delay);
    char *life = simulation_duration(lifetime);
    char *takes = simulation_duration(roll);
    char *resign = simulation_duration(resign_interval(policy));
    if (lifetime <= roll) {
        tell(to,
             "%s lifetime %s is shorter than a roll takes, %s: the next one is due before the last "
             "is over, and waits",
             roles[key->role], life, takes);
    } else if (lifetime < 2 * roll) {
        tell(to, "%s lifetime %s: a roll takes %s, so that keys roll most of the time",
             roles[key->role], life, takes);
    }
    if ((key->role & KASP_ROLE_ZSK) != 0 && lifetime < resign_interval(policy)) {
        tell(to,
             "%s lifetime %s is shorter than Dsgn, %s (signatures-validity less "
             "signatures-refresh): its signatures outlive its use",
             roles[key->role], life, resign);
    }
    mem_free(life);
    mem_free(takes);
    mem_free(resign);
}

/* ---- signatures ---- */

static void judge_validity(const struct reporter *to, const struct kasp_policy *policy,
                           sg_duration validity, const char *option)
{
    char *refresh = simulation_duration(policy->signatures_refresh);
    char *valid = simulation_duration(validity);
    sg_duration lasts = validity - policy->signatures_refresh;
    if (policy->signatures_refresh * 4 > validity * 3) {
        char *each = simulation_duration(lasts);
        tell(to,
             "signatures-refresh %s is close to %s %s: every signature is made anew after %s at "
             "the latest",
             refresh, option, valid, each);
        mem_free(each);
    }
    if (policy->signatures_jitter >= lasts) {
        char *jitter = simulation_duration(policy->signatures_jitter);
        tell(to,
             "signatures-jitter %s is not less than %s less signatures-refresh: some signatures "
             "are due as soon as they are made",
             jitter, option);
        mem_free(jitter);
    }
    mem_free(refresh);
    mem_free(valid);
}

static void judge_refresh(const struct reporter *to, const struct kasp_policy *policy)
{
    sg_duration needs = zone_ttl(policy) + policy->zone_propagation_delay;
    char *refresh = simulation_duration(policy->signatures_refresh);
    char *least = simulation_duration(needs);
    if (policy->signatures_refresh < needs) {
        tell(to,
             "signatures-refresh %s is shorter than max-zone-ttl and zone-propagation-delay, %s: "
             "signatures may expire in caches and secondaries before those see the new ones",
             refresh, least);
    }
    if (policy->signatures_refresh < OUTAGE_USUAL) {
        tell(to,
             "signatures-refresh %s: the zone becomes bogus if the signer stands still for that "
             "long",
             refresh);
    }
    if (policy->signatures_inception_offset == 0) {
        tell(to, "signatures-inception-offset 0: a validator whose clock is slow finds new "
                 "signatures not valid yet");
    }
    mem_free(refresh);
    mem_free(least);
}

/* ---- what the world takes ---- */

static void judge_delays(const struct reporter *to, const struct kasp_policy *policy)
{
    if (policy->max_zone_ttl == 0) {
        tell(to, "max-zone-ttl unlimited: a week is taken for it, and a record with a longer TTL "
                 "may be verified with a key that is gone");
    }
    if (policy->zone_propagation_delay == 0) {
        tell(to, "zone-propagation-delay 0: a secondary that is a moment late serves what the "
                 "next step no longer allows for");
    }
    if (policy->publish_safety == 0) {
        tell(to, "publish-safety 0: a new key is used the second that caches may know it");
    }
    if (policy->retire_safety == 0) {
        tell(to, "retire-safety 0: an old key goes the second that caches can do without it");
    }
    if (policy->parent_propagation_delay == 0) {
        tell(to, "parent-propagation-delay 0: a name server of the parent that is a moment late "
                 "hands out the old DS");
    }
    if (policy->parent_ds_ttl < policy->parent_propagation_delay) {
        tell(to, "parent-ds-ttl is shorter than parent-propagation-delay: is it the TTL of the DS "
                 "at the parent?");
    }
}

void policy_margins(const struct kasp_policy *policy, sg_duration parent_delay,
                    margins_report *report, void *argument)
{
    const struct reporter to = {report, argument};
    for (unsigned i = 0; i < policy->keys_count; i++) {
        if (policy->keys[i].lifetime != KASP_LIFETIME_UNLIMITED) {
            judge_lifetime(&to, policy, &policy->keys[i], parent_delay);
        }
    }
    if (policy->keys_count > 0) {
        judge_validity(&to, policy, policy->signatures_validity, "signatures-validity");
        judge_validity(&to, policy, policy->signatures_validity_dnskey,
                       "signatures-validity-dnskey");
        judge_refresh(&to, policy);
        judge_delays(&to, policy);
    }
}

/* ---- what came to light ---- */

static void judge_lateness(const struct reporter *to, const struct simulation *simulation)
{
    const struct simulation_key *worst = NULL;
    size_t count = 0;
    for (size_t i = 0; i < simulation->keys_count; i++) {
        const struct simulation_key *key = &simulation->keys[i];
        count += key->late > 0;
        if (key->late > 0 && (worst == NULL || key->late > worst->late)) {
            worst = key;
        }
    }
    if (worst != NULL) {
        char *late = simulation_duration(worst->late);
        tell(to, "%zu of %zu keys are used after the end of their lifetime, key %u by %s", count,
             simulation->keys_count, worst->key->tag, late);
        mem_free(late);
    }
}

static void judge_stall(const struct reporter *to, const struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->keys_count; i++) {
        const struct simulation_key *key = &simulation->keys[i];
        const struct kasp_wait *wait = &key->wait;
        bool parent = wait->reason == KASP_WAIT_PARENT || wait->reason == KASP_WAIT_NO_DS ||
                      wait->reason == KASP_WAIT_CHAIN;
        bool stalls = (parent && simulation->ended_at - wait->until > STALL) ||
                      wait->reason == KASP_WAIT_FILES;
        if (key->purged == KEY_TIME_UNSET && stalls) {
            char text[KASP_WAIT_TEXT_BYTES];
            kasp_wait_text(wait, text);
            tell(to, "at the end key %u %s", key->key->tag, text);
        }
    }
}

void simulation_margins(const struct simulation *simulation, margins_report *report, void *argument)
{
    const struct reporter to = {report, argument};
    sg_duration whole = simulation->ended_at - simulation->request.from;
    judge_lateness(&to, simulation);
    if (whole > 0 && simulation->rolling * 2 > whole) {
        tell(&to, "keys are rolling %d%% of the time",
             (int)(simulation->rolling * 100 / whole)); /* at most 100 */
    }
    judge_stall(&to, simulation);
    if (simulation->manual) {
        tell(&to, "at the end something waits for `signet dnssec -step`");
    }
    switch (simulation->end) {
    case SIMULATION_EVENTS_FULL:
        tell(&to, "stopped early, after %d events", SIMULATION_EVENTS_MAX);
        break;
    case SIMULATION_TURNS_FULL:
        tell(&to, "stopped early, after %d instants", SIMULATION_TURNS_MAX);
        break;
    case SIMULATION_KEYS_FULL:
        tell(&to,
             "stopped early: more than %d keys that are in use, or on their way in or out, so that "
             "no key moves any more",
             KASP_PLAN_KEYS_MAX);
        break;
    case SIMULATION_NO_TAG:
        tell(&to, "stopped early: no key tag is free in the tag-range of an entry of the policy");
        break;
    case SIMULATION_ENDED:
        break;
    }
}
