#include "keeper/zone_aside.h"

#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/handover.h"
#include "dnssec/rrsig.h"
#include "dnssec/sign_change.h"
#include "keeper/aside.h"
#include "keeper/key_orders.h"
#include "keeper/source_wish.h"
#include "keeper/zone_progress.h"
#include "keeper/zone_steps.h"
#include "zone/diff.h"

const struct zone_version *zone_aside_base(const struct zone_job *job)
{
    return job->made.from_aside ? job->lent.aside->version : job->lent.base;
}

/* --- keys as served -------------------------------------------------------------------------- */

/* How many of these signatures the key has made, going by its name. */
static size_t count_signatures(const struct dns_rrset *signatures, const struct signing_key *key)
{
    size_t count = 0;
    for (struct dns_rdata_cursor c = dns_rrset_walk(signatures); dns_rdata_next(&c);) {
        count += rrsig_is_by(c.rdata, key);
    }
    return count;
}

/* Who has signed the SOA signs the zone, who has signed the DNSKEY RRset the keys. False: not all
 * who did are there, or not with their private half, or one cannot be told from another. */
static bool find_signers(const struct zone_version *served, struct zone_keys *keys)
{
    const struct zone_node *apex = zone_version_apex_node(served);
    struct dns_rrset by_zone, by_keys;
    size_t zone_count = 0, keys_count = 0;
    if (!zone_node_signatures(apex, ZONE_VIEW_SIGNED, DNS_TYPE_SOA, &by_zone) ||
        !zone_node_signatures(apex, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY, &by_keys)) {
        return false;
    }
    keys->sign = mem_alloc_zero(keys->list.count, sizeof(*keys->sign));
    for (size_t i = 0; i < keys->list.count; i++) {
        const struct signing_key *key = keys->list.keys[i];
        size_t of_zone = count_signatures(&by_zone, key);
        size_t of_keys = count_signatures(&by_keys, key);
        if (of_zone + of_keys > 0 && key->secret != NULL) {
            keys->sign[keys->sign_count++] = (struct sign_key){key, of_keys > 0, of_zone > 0};
            zone_count += of_zone;
            keys_count += of_keys;
        }
    }
    return zone_count == by_zone.count && keys_count == by_keys.count;
}

/* False: some of these are in the source too. What is ours cannot be told from what is others'. */
static bool find_apex(const struct zone_job *job, struct kasp_apex *apex)
{
    const uint16_t types[KASP_APEX_RRSETS_MAX] = {DNS_TYPE_DNSKEY, DNS_TYPE_CDS, DNS_TYPE_CDNSKEY,
                                                  job->settings->limits.private_type};
    const struct zone_node *node = zone_version_apex_node(job->lent.base);
    for (size_t i = 0; i < KASP_APEX_RRSETS_MAX; i++) {
        struct dns_rrset rrset;
        if (types[i] == 0) {
            continue;
        }
        if (zone_node_rrset(node, ZONE_VIEW_UNSIGNED, types[i], &rrset)) {
            return false;
        }
        if (zone_node_rrset(node, ZONE_VIEW_SIGNED, types[i], &rrset)) {
            struct buffer *packed = &apex->packed[apex->count];
            *packed = BUFFER_EMPTY;
            buffer_append(packed, rrset.packed, rrset.bytes);
            rrset.packed = packed->bytes;
            apex->rrsets[apex->count++] = rrset;
        }
    }
    return true;
}

static void copy_keys(const struct key_list *list, struct key_list *out_list)
{
    out_list->keys = mem_alloc_zero(list->count, sizeof(struct signing_key *));
    for (size_t i = 0; i < list->count; i++) {
        out_list->keys[out_list->count++] = signing_key_copy(list->keys[i]);
    }
}

/* With these a change is signed as the rest of what is served: told by it alone, so that neither
 * a restart nor memory that was let go makes a difference. NULL: that is not possible. */
static struct zone_keys *keys_as_served(const struct zone_job *job)
{
    const struct zone_facts *facts = zone_version_facts(job->lent.base);
    struct zone_keys *keys = mem_alloc_zero(1, sizeof(*keys));
    *keys = (struct zone_keys){
        .wake_at = INT64_MAX,
        .fingerprint = job->lent.state->keys_fingerprint,
        .nsec3 = facts->denial == ZONE_DENIAL_NSEC3,
        .moves = BUFFER_EMPTY,
        .events = BUFFER_EMPTY,
    };
    if (!facts->signed_here) {
        return keys; /* None: it stays unsigned. */
    }
    copy_keys(&job->lent.keys->list, &keys->list);
    if (!find_signers(job->lent.base, keys) || !find_apex(job, &keys->apex)) {
        zone_keys_free(keys);
        return NULL;
    }
    return keys;
}

/* --- what is to be done ---------------------------------------------------------------------- */

/* Would a change of `from` with the job's keys touch all names? */
static bool is_all_touched(const struct zone_job *job, const struct zone_version *from,
                           bool under_way)
{
    const struct zone_signing signing = {
        .policy = job->settings->policy, .keys = job->lent.keys, .before = from, .now = job->now};
    struct sign_policy policy;
    struct sign_keys keys;
    struct sign_request request;
    zone_sign_request(&signing, 0, &policy, &keys, &request);
    return !sign_change_fits(from, &policy) ||
           handover_choose(from, from, &request, under_way) == HANDOVER_WHOLE;
}

static bool is_all_to_be_signed(const struct zone_job *job)
{
    const struct zone_version *base = job->lent.base;
    return base != NULL && zone_keys_changed(job) && !source_is_wanted(job->settings, base) &&
           (zone_leaves_signatures(job) || is_all_touched(job, base, job->lent.state->campaign));
}

/* A clock that is not believed, or is again, has said when those signatures begin and end. */
static bool is_clock_sound(const struct zone_job *job)
{
    return !job->clock.doubted && !job->clock.anew;
}

static bool is_fit(const struct zone_job *job)
{
    return job->lent.aside != NULL && is_clock_sound(job) && !job->asked.sign_all &&
           !is_all_touched(job, job->lent.aside->version, false);
}

/* What an operator has ordered is told him when it is done; waits that begin anew are to begin. */
static bool may_wait(const struct zone_job *job)
{
    bool is_awaited = false;
    for (const struct zone_key_order *at = job->asked.orders; at != NULL; at = at->next) {
        is_awaited |= at->kind != KEY_ORDER_LOOK && at->kind != KEY_ORDER_STATUS;
    }
    const struct zone_facts *facts = zone_version_facts(job->lent.base);
    return facts->names >= job->aside_names_min && !is_awaited && is_clock_sound(job) &&
           (facts->signed_here || facts->denial == ZONE_DENIAL_NONE);
}

/* The next look, when it is done, is as this one: what no commit has does not count. */
static void undo_look(struct zone_job *job)
{
    struct zone_made *made = &job->made;
    made->keys_looked_at = false;
    made->key_event_at = INT64_MAX;
    made->state.keys_fingerprint = job->lent.state->keys_fingerprint;
    zone_facts_clear(&made->state.facts);
    zone_facts_copy(&job->lent.state->facts, &made->state.facts);
}

void zone_aside_consider(struct zone_job *job)
{
    struct zone_made *made = &job->made;
    if (!is_all_to_be_signed(job)) {
        made->aside_useless = true;
        return;
    }
    made->from_aside = is_fit(job);
    made->aside_useless = !made->from_aside;
    struct zone_keys *served = made->from_aside || !may_wait(job) ? NULL : keys_as_served(job);
    if (served != NULL) {
        zone_progress_tell_aside(job, served, job->lent.keys);
        undo_look(job);
        made->aside_keys = job->lent.keys;
        job->lent.keys = served;
    }
}

enum sg_result zone_aside_enter(struct zone_job *job, struct zone_edit **edit)
{
    struct zone_aside *aside = job->lent.aside;
    uint64_t changed;
    struct zone_edit *draft = *edit;
    *edit = zone_edit_open(aside->version);
    enum sg_result result = zone_diff_transform(*edit, zone_edit_draft(draft), false, &changed);
    zone_edit_abandon(draft);
    resign_index_free(job->lent.resign);
    job->lent.resign =
        aside->resign != NULL ? aside->resign : resign_index_new(aside->version, job->now);
    aside->resign = NULL;
    job->made.signatures += aside->signatures;
    return result;
}
