#include "keeper/zone_keys.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "dns/rrtype.h"
#include "kasp/denial.h"
#include "kasp/progress.h"
#include "keeper/key_orders.h"
#include "keeper/key_preparation.h"
#include "keeper/key_tell.h"
#include "keeper/zone_label.h"
#include "keeper/zone_progress.h"

/* What the policy says of the signed zone besides its keys: another answer, and it is signed anew.
 */
static uint64_t policy_fingerprint(const struct kasp_policy *policy, bool nsec3)
{
    static const uint8_t fixed[16] = {0};
    uint8_t facts[8 + KASP_DIGESTS_MAX] = {
        (uint8_t)(policy->dnskey_ttl >> 24),
        (uint8_t)(policy->dnskey_ttl >> 16),
        (uint8_t)(policy->dnskey_ttl >> 8),
        (uint8_t)policy->dnskey_ttl,
        nsec3,
        nsec3 && policy->nsec3_opt_out,
        nsec3 ? policy->nsec3_salt_length : 0,
        policy->cdnskey,
    };
    memcpy(&facts[8], policy->cds_digests, policy->cds_digests_count);
    return siphash(fixed, facts, sizeof(facts));
}

/* The fingerprints are sums: a key that was just made comes last, and after a restart by its tag.
 */
static void choose_signers(const struct key_list *list, uint16_t private_type, uint64_t told,
                           struct zone_keys *keys)
{
    static const uint8_t fixed[16] = {0}; /* a fingerprint, not a defence */
    keys->sign = mem_alloc(list->count * sizeof(*keys->sign));
    for (size_t i = 0; i < list->count; i++) {
        const struct signing_key *key = list->keys[i];
        struct sign_key sign = {key, kasp_key_signs_keys(key), kasp_key_signs_zone(key)};
        uint8_t progress[KASP_PROGRESS_BYTES];
        uint64_t progress_type = kasp_progress_rdata(list, i, told, progress) ? private_type : 0;
        if (progress_type != 0 && progress[KASP_PROGRESS_BYTES - 1] != 0) {
            progress_type <<= 16; /* It is complete. */
        }
        uint64_t facts[3] = {
            key->tag, key->algorithm,
            progress_type << 4 | (uint64_t)sign.signs_keys << 3 | (uint64_t)sign.signs_zone << 2 |
                (uint64_t)kasp_key_is_published(key) << 1 | (uint64_t)kasp_key_wants_ds(key)};
        keys->fingerprint += siphash(fixed, facts, sizeof(facts));
        if (sign.signs_keys || sign.signs_zone) {
            keys->sign[keys->sign_count++] = sign;
        }
    }
}

static enum sg_result check_secrets(struct preparation *p, const struct zone_keys *keys)
{
    for (size_t i = 0; i < keys->sign_count; i++) {
        const struct signing_key *key = keys->sign[i].key;
        if (key->secret == NULL) {
            char *text = signing_key_text(key);
            p->problem = mem_format("key %s is to sign but its private half is not in '%s'", text,
                                    key->folder);
            mem_free(text);
            return SG_BAD_KEY;
        }
    }
    return SG_OK;
}

/* Whose DNSKEY is published: nobody can verify what others sign. */
static void find_signers(const struct zone_keys *keys, uint8_t algorithm, bool *signs_keys,
                         bool *signs_zone)
{
    *signs_keys = *signs_zone = false;
    for (size_t s = 0; s < keys->sign_count; s++) {
        const struct sign_key *sign = &keys->sign[s];
        if (sign->key->algorithm == algorithm && kasp_key_is_published(sign->key)) {
            *signs_keys |= sign->signs_keys;
            *signs_zone |= sign->signs_zone;
        }
    }
}

/* Each algorithm in the DNSKEY RRset must sign everything (RFC 6840 5.11). */
static enum sg_result check_signers(struct preparation *p, const struct zone_keys *keys)
{
    enum sg_result result = check_secrets(p, keys);
    if (result != SG_OK) {
        return result;
    }
    size_t published = 0;
    for (size_t i = 0; i < p->list->count; i++) {
        const struct signing_key *key = p->list->keys[i];
        bool signs_keys;
        bool signs_zone;
        if (!kasp_key_is_published(key)) {
            continue;
        }
        published++;
        find_signers(keys, key->algorithm, &signs_keys, &signs_zone);
        if (!signs_keys || !signs_zone) {
            p->problem = mem_format("algorithm %s is published but no key of it signs the %s; see "
                                    "the states and times of the zone's keys, and bring back the "
                                    "files of the one that did",
                                    dnssec_algorithm_text(key->algorithm),
                                    signs_keys ? "zone" : "DNSKEY records");
            return SG_CONFLICT;
        }
    }
    /* Going insecure: the keys that are there sign on while a DS may still point at them. */
    if ((keys->sign_count == 0 || published == 0) && p->policy->keys_count > 0) {
        p->problem =
            mem_copy_text("no published key signs; see the states and times of the zone's keys");
        return SG_CONFLICT;
    }
    return SG_OK;
}

/* A key of an algorithm that knows no NSEC3 keeps the zone from having it (RFC 5155 2). */
static bool may_have_nsec3(const struct kasp_policy *policy, const struct key_list *list)
{
    const struct kasp_denial nsec = {.signed_here = true};
    return policy->nsec3 && kasp_denial_plan(policy, list, &nsec) == KASP_DENIAL_TO_NSEC3;
}

/* What the parent is to show, and since when. */
static void choose_wishes(const struct preparation *p, struct zone_keys *keys)
{
    keys->wishes = mem_alloc((p->plan.count + 1) * sizeof(*keys->wishes));
    for (size_t i = 0; i < p->plan.count; i++) {
        const struct kasp_key_plan *planned = &p->plan.keys[i];
        if (planned->asks == KASP_DS_UNKNOWN) {
            continue;
        }
        keys->wishes[keys->wishes_count++] = (struct ds_check_wish){
            .key = p->list->keys[i],
            .want = planned->asks == KASP_DS_SEEN ? DS_CHECK_PUBLISHED : DS_CHECK_WITHDRAWN,
            .since = planned->state.changes[KEY_RECORD_DS],
        };
    }
}

/* What was so until now, before a plan makes it otherwise. */
static void observe(const struct preparation *p, sg_duration late)
{
    const struct kasp_policy *policy = p->policy;
    if (p->clock->doubted) {
        return;
    }
    zone_keys_observe(p->facts, policy, p->served, late, p->now);
}

void zone_keys_observe(struct zone_facts_of_keys *facts, const struct kasp_policy *policy,
                       const struct zone_version *version, sg_duration late, sg_time now)
{
    struct dns_rrset dnskey;
    sg_duration slow = policy->zone_propagation_delay;
    if (version != NULL) {
        zone_facts_observe(facts, ZONE_TERM_ZONE_TTL, zone_version_facts(version)->ttl_max, now,
                           slow);
    }
    if (version != NULL && zone_node_rrset(zone_version_apex_node(version), ZONE_VIEW_SIGNED,
                                           DNS_TYPE_DNSKEY, &dnskey)) {
        zone_facts_observe(facts, ZONE_TERM_DNSKEY_TTL, dnskey.ttl, now, slow);
    }
    /* Signatures of an older policy live as long as it said, and are made anew as this one says. */
    slow += facts->terms[ZONE_TERM_ZONE_TTL].longest;
    zone_facts_observe(facts, ZONE_TERM_VALIDITY, policy->signatures_validity, now, slow);
    /* One that is so late that it has expired is in no cache (RFC 4035 5.3.3): after a clock that
     * was wrong by years nothing has to wait for years. */
    sg_duration spare = late < policy->signatures_refresh ? policy->signatures_refresh - late : 0;
    zone_facts_observe(facts, ZONE_TERM_RESIGN, facts->terms[ZONE_TERM_VALIDITY].longest - spare,
                       now, slow);
}

/* What they do in the zone, as their states are now. */
static enum sg_result describe(struct preparation *p, struct zone_keys *keys)
{
    keys->nsec3 = may_have_nsec3(p->policy, p->list);
    keys->fingerprint = policy_fingerprint(p->policy, keys->nsec3) + p->plan.publishes_delete;
    uint16_t private_type = p->settings->limits.private_type;
    uint64_t told = zone_progress_told(p->served, private_type, p->list);
    if (keys->problem == NULL) { /* Else the keys rest, and orders are refused. */
        told = key_orders_clear(p, told);
    }
    choose_signers(p->list, private_type, told, keys);
    choose_wishes(p, keys);
    enum sg_result result = check_signers(p, keys);
    if (result == SG_OK) {
        const struct kasp_apex_wish wish = {
            .deletes = p->plan.publishes_delete,
            .private_type = private_type,
            .progress_told = told,
        };
        result = kasp_apex_rrsets(p->list, p->policy, &wish, &keys->apex);
    }
    if (result == SG_OK) {
        key_tell_cds(p, &keys->apex);
    }
    return result;
}

static enum sg_result look(struct preparation *p, sg_duration late, struct zone_keys *keys)
{
    enum sg_result result = key_search_read(p);
    if (result == SG_OK) {
        result = key_search_check_served(p);
    }
    if (result == SG_OK) {
        observe(p, late);
        result = key_planning_run(p, &keys->wake_at);
    }
    return result == SG_OK ? describe(p, keys) : result;
}

/* Such a look needs no folder and stages nothing. */
static enum sg_result rest(struct preparation *p, sg_duration late, struct zone_keys *keys)
{
    enum sg_result result = key_rest_run(p, &keys->wake_at);
    if (result == SG_OK) {
        observe(p, late);
        result = describe(p, keys);
    }
    return result;
}

static void begin(const struct zone_keys_request *request, struct zone_keys *keys,
                  struct preparation *out_preparation)
{
    static const struct zone_facts_twins nobody = {NULL, 0, false};
    *keys = (struct zone_keys){
        .wake_at = INT64_MAX, .moves = BUFFER_EMPTY, .events = BUFFER_EMPTY, .fresh = true};
    zone_facts_copy(request->facts, &keys->facts);
    *out_preparation =
        (struct preparation){.settings = request->settings,
                             .generation = request->generation,
                             .policy = request->settings->policy,
                             .served = request->served,
                             .published = request->published,
                             .now = request->now,
                             .clock = request->clock,
                             .wished = request->wished,
                             .quiet = request->quiet,
                             .list = &keys->list,
                             .made = &keys->made,
                             .twins = request->twins != NULL ? request->twins : &nobody,
                             .waiting = request->waiting,
                             .facts = &keys->facts,
                             .moves = &keys->moves,
                             .events = &keys->events,
                             .missing = &keys->missing,
                             .reports = BUFFER_EMPTY,
                             .overruled = BUFFER_EMPTY,
                             .orders = request->orders};
}

/*
 * The look failed: whatever is wrong in the folder, signatures must not expire while the keys that
 * make them are there. True takes `why`.
 */
static bool rest_instead(const struct zone_keys_request *request, char *why,
                         struct zone_keys *out_keys)
{
    struct zone_keys keys;
    struct preparation p;
    begin(request, &keys, &p);
    keys.problem = why;
    enum sg_result result = rest(&p, request->late, &keys);
    mem_free(p.problem);
    if (result != SG_OK) {
        key_orders_tell_lost(&p);
        keys.problem = NULL;
        zone_keys_clear(&keys);
        return false;
    }
    key_orders_refuse(&p, why);
    *out_keys = keys;
    return true;
}

enum sg_result zone_keys_prepare(const struct zone_keys_request *request,
                                 struct key_folders *folders, struct zone_keys *out_keys,
                                 char **problem)
{
    struct zone_keys keys;
    struct preparation p;
    begin(request, &keys, &p);
    p.folders = folders;
    size_t staged_by_others = keystore_batch_count(key_folders_batch(folders));

    enum sg_result result = look(&p, request->late, &keys);
    buffer_free(&p.overruled);
    if (result == SG_OK) {
        buffer_free(&p.reports);
        *out_keys = keys;
        return SG_OK;
    }
    keystore_batch_keep(key_folders_batch(folders), staged_by_others);
    char *why = p.problem != NULL ? p.problem : mem_copy_text(sg_result_text(result));
    zone_keys_clear(&keys);
    if (rest_instead(request, why, out_keys)) {
        buffer_free(&p.reports);
        return SG_OK;
    }
    key_search_log_reports(&p);
    *problem = why;
    return result;
}

enum sg_result zone_keys_prepare_alone(const struct zone_keys_request *request,
                                       struct zone_keys *out_keys, char **problem)
{
    struct key_folders *folders = key_folders_new();
    struct zone_keys keys;
    enum sg_result result = zone_keys_prepare(request, folders, &keys, problem);
    if (result != SG_OK) {
        goto out;
    }
    if (keys.problem == NULL && (!request->keeps_files || keys.made != 0)) {
        result = key_folders_commit(folders);
    }
    if (result != SG_OK) {
        char *why = mem_format("the files of keys in '%s' cannot be written: %s",
                               request->settings->key_directory, sg_result_text(result));
        zone_keys_clear(&keys);
        if (rest_instead(request, why, out_keys)) {
            result = SG_OK;
        } else {
            *problem = why;
        }
        goto out;
    }
    zone_keys_log_made(request->settings, &keys);
    *out_keys = keys;

out:
    key_folders_free(folders);
    return result;
}

static void log_lines(const char *label, const char *prefix, struct buffer *lines)
{
    const char *line = lines->length == 0 ? "" : buffer_text(lines);
    while (*line != '\0') {
        const char *end = strchr(line, '\n');
        bool is_cds = strncmp(line, "CDS ", 4) == 0 || strncmp(line, "CDNSKEY ", 8) == 0;
        log_write(is_cds ? LOG_GENERAL : LOG_DNSSEC, SEVERITY_INFO, "zone %s: %s%.*s", label,
                  prefix, (int)(end - line), line);
        line = end + 1;
    }
    buffer_free(lines);
}

/* A look that finds all as it was is no news: there may be many of them each second. */
static void log_look(const char *label, const struct zone_keys *keys, bool is_news)
{
    int severity = is_news ? SEVERITY_INFO : SEVERITY_DEBUG;
    char when[TIME_HUMAN_BYTES];
    log_write(LOG_DNSSEC, severity, "zone %s: reconfiguring zone keys", label);
    if (keys->wake_at != INT64_MAX) {
        time_to_stamp(keys->wake_at, when);
        log_write(LOG_DNSSEC, severity, "zone %s: next key event: %s", label, when);
    }
}

void zone_keys_log_made(const struct zone_settings *settings, struct zone_keys *keys)
{
    char label[ZONE_LABEL_BYTES];
    zone_label(settings, label);
    log_look(label, keys, keys->made != 0 || keys->moves.length > 0 || keys->events.length > 0);
    for (size_t i = 0; i < keys->list.count; i++) {
        const struct signing_key *key = keys->list.keys[i];
        if ((keys->made >> i & 1) != 0) {
            char *text = signing_key_text(key);
            log_write(LOG_DNSSEC, SEVERITY_INFO, "keymgr: DNSKEY %s (%s) created for policy %s",
                      text, key_tell_role(&key->state), settings->policy->name);
            mem_free(text);
        }
    }
    log_lines(label, "keymgr: ", &keys->moves);
    log_lines(label, "", &keys->events);
}

void zone_keys_clear(struct zone_keys *keys)
{
    kasp_apex_clear(&keys->apex);
    key_list_clear(&keys->list);
    buffer_free(&keys->moves);
    buffer_free(&keys->events);
    zone_facts_clear(&keys->facts);
    mem_free(keys->missing);
    mem_free(keys->sign);
    mem_free(keys->wishes);
    mem_free(keys->problem);
    mem_free(keys->salt);
    keys->problem = NULL;
    keys->missing = NULL;
    keys->salt = NULL;
    keys->sign = NULL;
    keys->wishes = NULL;
    keys->sign_count = keys->wishes_count = 0;
}

void zone_keys_free(struct zone_keys *keys)
{
    if (keys != NULL) {
        zone_keys_clear(keys);
        mem_free(keys);
    }
}
