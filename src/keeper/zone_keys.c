#include "keeper/zone_keys.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "keeper/zone_job.h"
#include "keeper/zone_label.h"

/* What one preparation works on. */
struct preparation {
    const struct zone_settings *settings;
    const struct keeper_generation *generation;
    const struct kasp_policy *policy;
    const struct zone_version *served;    /* NULL: nothing is */
    const struct zone_version *published; /* the same, or a twin's */
    sg_time now;
    const struct zone_clock *clock;
    uint64_t wished;
    bool quiet;
    struct key_folders *folders;
    const char *paths[KASP_KEYS_MAX + 1]; /* of the zone's key folders, each once */
    size_t paths_count;
    struct key_list *list;
    uint64_t *made;              /* the keys that are new */
    bool changed[ZONE_KEYS_MAX]; /* the key's files are to be written again */
    bool taken[ZONE_KEYS_MAX];   /* an entry of the policy has this key */
    char *problem;
};

static void report_key_file(void *argument, const char *path, const char *problem)
{
    const struct preparation *p = argument;
    char label[ZONE_LABEL_BYTES];
    if (p->quiet) {
        return;
    }
    log_write(LOG_DNSSEC, SEVERITY_ERROR, "zone %s: key file %s: %s",
              zone_label(p->settings, label), path, problem);
}

static const char *folder_of(const struct preparation *p, const struct kasp_key *wanted)
{
    const char *folder = wanted->key_store == NULL
                             ? NULL
                             : p->generation->key_store_folder(p->generation, wanted->key_store);
    return folder != NULL ? folder : p->settings->key_directory;
}

static enum sg_result append_folder(struct preparation *p, const char *folder)
{
    struct key_list found = {NULL, 0};
    const struct keystore_index *index;
    enum sg_result result = key_folders_find(p->folders, folder, p->wished, &index);
    if (result == SG_OK) {
        result = keystore_index_list(index, &p->settings->apex, report_key_file, p, &found);
    }
    if (result != SG_OK) {
        p->problem =
            mem_format("keys in '%s': %s%s", folder, sg_result_text(result),
                       result == SG_BAD_KEY ? "; mend or remove the key files named in the log"
                                            : "; see that the folder exists and can be read");
        key_list_clear(&found);
        return result;
    }
    if (p->list->count + found.count > ZONE_KEYS_MAX) {
        p->problem = mem_format("more than %d keys in '%s'; remove those that are done with",
                                ZONE_KEYS_MAX, folder);
        key_list_clear(&found);
        return SG_LIMIT;
    }
    p->list->keys = mem_resize_array(p->list->keys, p->list->count + found.count + 1,
                                     sizeof(struct signing_key *));
    for (size_t i = 0; i < found.count; i++) {
        p->list->keys[p->list->count++] = found.keys[i];
    }
    mem_free(found.keys);
    return SG_OK;
}

/* The key-directory and each key-store of the policy, every folder once. */
static void choose_paths(struct preparation *p)
{
    p->paths[p->paths_count++] = p->settings->key_directory;
    for (unsigned i = 0; i < p->policy->keys_count; i++) {
        const char *folder = folder_of(p, &p->policy->keys[i]);
        bool known = false;
        for (size_t f = 0; f < p->paths_count; f++) {
            known |= strcmp(p->paths[f], folder) == 0;
        }
        if (!known) {
            p->paths[p->paths_count++] = folder;
        }
    }
}

static enum sg_result read_keys(struct preparation *p)
{
    /* A folder that is not there is never made: it may be a disk that is not mounted. */
    enum sg_result result = SG_OK;
    choose_paths(p);
    for (size_t f = 0; f < p->paths_count && result == SG_OK; f++) {
        result = append_folder(p, p->paths[f]);
    }
    return result;
}

static bool rrset_has(const struct dns_rrset *rrset, struct span rdata)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (c.rdata.length == rdata.length &&
            memcmp(c.rdata.bytes, rdata.bytes, rdata.length) == 0) {
            return true;
        }
    }
    return false;
}

static bool list_has(const struct key_list *list, struct span dnskey)
{
    for (size_t i = 0; i < list->count; i++) {
        struct span there = list->keys[i]->dnskey;
        if (there.length == dnskey.length &&
            memcmp(there.bytes, dnskey.bytes, dnskey.length) == 0) {
            return true;
        }
    }
    return false;
}

/* Every key that we publish still has its files: a folder may be gone, or another by mistake. */
static enum sg_result check_served_keys(struct preparation *p)
{
    struct dns_rrset served;
    struct dns_rrset foreign = {.count = 0};
    if (p->served == NULL || !zone_version_facts(p->served)->signed_here) {
        return SG_OK;
    }
    const struct zone_node *apex = zone_version_apex_node(p->served);
    if (!zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY, &served)) {
        return SG_OK;
    }
    (void)zone_node_rrset(apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_DNSKEY, &foreign);
    for (struct dns_rdata_cursor c = dns_rrset_walk(&served); dns_rdata_next(&c);) {
        if (!rrset_has(&foreign, c.rdata) && !list_has(p->list, c.rdata)) {
            p->problem = mem_format("the files of key %u, which is in the zone, are not in '%s'; "
                                    "put them back",
                                    dnskey_tag(c.rdata), p->settings->key_directory);
            return SG_BAD_KEY;
        }
    }
    return SG_OK;
}

/* A .key file without its .private one, which its own times do not declare done with. Whatever its
 * role and algorithm: the parent's DS and the caches do not ask what the policy wants by now. */
static enum sg_result refuse_half_key(struct preparation *p, const struct keystore_index *index,
                                      const char *folder)
{
    struct key_list halves;
    enum sg_result result =
        keystore_index_halves(index, &p->settings->apex, report_key_file, p, &halves);
    if (result != SG_OK) {
        p->problem = mem_format("keys in '%s': %s; mend or move away the key files named in the "
                                "log",
                                folder, sg_result_text(result));
    }
    for (size_t i = 0; i < halves.count && result == SG_OK; i++) {
        if (kasp_key_is_over(halves.keys[i], p->now)) {
            continue;
        }
        char *name = signing_key_file_name(halves.keys[i]);
        p->problem = mem_format("%s.key is in '%s' but %s.private is not; no new key is made in "
                                "its place: bring the .private file back, or move the .key file "
                                "away if the parent has no DS of it",
                                name, folder, name);
        mem_free(name);
        result = SG_BAD_KEY;
    }
    key_list_clear(&halves);
    return result;
}

static enum sg_result refuse_lost_key_of(struct preparation *p, const char *folder)
{
    const struct keystore_index *index;
    enum sg_result result = key_folders_find(p->folders, folder, p->wished, &index);
    if (result != SG_OK) {
        p->problem = mem_format("keys in '%s': %s", folder, sg_result_text(result));
        return result;
    }
    const char *lost = keystore_index_orphan(index, &p->settings->apex);
    if (lost == NULL) {
        return refuse_half_key(p, index, folder);
    }
    p->problem = mem_format("key %s in '%s' has a .state file but no .private file; no new key is "
                            "made in its place: put it back, or remove what is left of it",
                            lost, folder);
    return SG_BAD_KEY;
}

/* A key that was in use and has lost its private half: a new one in its place, without a new DS,
 * would make the zone bogus. In any folder: the policy may have named another one before. */
static enum sg_result refuse_lost_key(struct preparation *p)
{
    enum sg_result result = SG_OK;
    for (size_t f = 0; f < p->paths_count && result == SG_OK; f++) {
        result = refuse_lost_key_of(p, p->paths[f]);
    }
    return result;
}

static enum sg_result make_key(struct preparation *p, const struct kasp_key *wanted)
{
    const char *folder = folder_of(p, wanted);
    enum sg_result result = refuse_lost_key(p);
    if (result != SG_OK) {
        return result;
    }
    if (p->list->count == ZONE_KEYS_MAX) {
        p->problem = mem_format("more than %d keys", ZONE_KEYS_MAX);
        return SG_LIMIT;
    }
    uint16_t tags[2 * ZONE_KEYS_MAX];
    struct key_tag_set set = {tags, 0, wanted->tag_min, wanted->tag_max};
    for (size_t i = 0; i < p->list->count; i++) {
        tags[set.count++] = p->list->keys[i]->tag;
    }
    struct signing_key metadata = {.ttl = p->policy->dnskey_ttl};
    for (int time = 0; time < KEY_TIMES; time++) {
        metadata.times[time] = KEY_TIME_UNSET;
    }
    kasp_key_introduce(&metadata, p->policy, wanted, p->now);

    uint16_t flags =
        (uint16_t)(KEY_FLAG_ZONE | ((wanted->role & KASP_ROLE_KSK) != 0 ? KEY_FLAG_SEP : 0));
    struct signing_key *key = NULL;
    const struct key_request request = {
        .folder = folder,
        .zone = &p->settings->apex,
        .algorithm = wanted->algorithm,
        .bits = wanted->bits,
        .flags = flags,
        .taken = &set,
        .metadata = &metadata,
    };
    result = keystore_batch_generate(key_folders_batch(p->folders), &request, &key);
    if (result != SG_OK) {
        p->problem =
            mem_format("no %s key could be made in '%s': %s",
                       dnssec_algorithm_text(wanted->algorithm), folder, sg_result_text(result));
        return result;
    }
    *p->made |= UINT64_C(1) << p->list->count;
    p->taken[p->list->count] = true;
    p->list->keys = mem_resize_array(p->list->keys, p->list->count + 1, sizeof(*p->list->keys));
    p->list->keys[p->list->count++] = key;
    return SG_OK;
}

static void take_key(struct preparation *p, size_t chosen, const struct kasp_key *wanted)
{
    struct signing_key *key = p->list->keys[chosen];
    p->taken[chosen] = true;
    if (key->state.goal != KEY_STATE_OMNIPRESENT) {
        kasp_key_introduce(key, p->policy, wanted, p->now);
        p->changed[chosen] = true;
    }
}

/* Times without states are read once and for good, so not by a clock that may be false. */
static enum sg_result adopt_keys(struct preparation *p)
{
    for (size_t i = 0; i < p->list->count; i++) {
        struct signing_key *key = p->list->keys[i];
        if (p->clock->doubted && key->state.goal == KEY_STATE_NA && !kasp_key_is_unused(key)) {
            char *name = signing_key_file_name(key);
            p->problem = mem_format("the clock is in doubt, and by it the times of key '%s' would "
                                    "be read, which has no .state file: set the clock",
                                    name);
            mem_free(name);
            return SG_CONFLICT;
        }
        p->changed[i] = kasp_key_adopt(key, p->policy, p->list->count == 1, p->now);
    }
    return SG_OK;
}

/* While the clock is in doubt a zone that is signed goes on with the keys that it has. */
static bool keys_rest(const struct preparation *p)
{
    return p->clock->doubted && p->published != NULL &&
           zone_version_facts(p->published)->signed_here;
}

static enum sg_result satisfy_policy(struct preparation *p)
{
    if (keys_rest(p)) {
        return SG_OK;
    }
    for (unsigned k = 0; k < p->policy->keys_count; k++) {
        const struct kasp_key *wanted = &p->policy->keys[k];
        size_t chosen = kasp_key_choose(wanted, p->list, p->taken);
        if (chosen != SIZE_MAX) {
            take_key(p, chosen, wanted);
            continue;
        }
        enum sg_result result = make_key(p, wanted);
        if (result != SG_OK) {
            return result;
        }
    }
    kasp_keys_appoint_signers(p->list, p->now, p->changed);
    return SG_OK;
}

/* Keys are written before the commit that publishes them, which may fail or come late: no cache
 * learns of a key before it is served. */
static void hold_unpublished(struct preparation *p)
{
    struct dns_rrset served;
    bool some = p->published != NULL && zone_version_facts(p->published)->signed_here &&
                zone_node_rrset(zone_version_apex_node(p->published), ZONE_VIEW_SIGNED,
                                DNS_TYPE_DNSKEY, &served);
    for (size_t i = 0; i < p->list->count; i++) {
        struct signing_key *key = p->list->keys[i];
        if (!some || !rrset_has(&served, key->dnskey)) {
            p->changed[i] |= kasp_key_hold(key, p->policy, p->now);
        }
    }
}

/* Each state that moves on ends a wait that caches need. Returns when to look again. */
static sg_time let_time_pass(struct preparation *p)
{
    if (p->clock->doubted) {
        return p->clock->rests_until;
    }
    for (size_t i = 0; p->clock->anew && i < p->list->count; i++) {
        p->changed[i] |= kasp_key_restart(p->list->keys[i], p->policy, p->now);
    }
    return kasp_keys_advance(p->list, p->policy, p->now, p->changed);
}

static enum sg_result write_changed(struct preparation *p)
{
    for (size_t i = 0; i < p->list->count; i++) {
        if (!p->changed[i]) {
            continue;
        }
        enum sg_result result =
            keystore_batch_write(key_folders_batch(p->folders), p->list->keys[i]);
        if (result != SG_OK) {
            char *text = signing_key_text(p->list->keys[i]);
            p->problem = mem_format("the files of key %s in '%s' cannot be written: %s", text,
                                    p->list->keys[i]->folder, sg_result_text(result));
            mem_free(text);
            return result;
        }
    }
    return SG_OK;
}

/* What the policy says of the signed zone besides its keys: another answer, and it is signed anew.
 */
static uint64_t policy_fingerprint(const struct kasp_policy *policy)
{
    static const uint8_t fixed[16] = {0};
    uint8_t facts[8 + KASP_DIGESTS_MAX] = {
        (uint8_t)(policy->dnskey_ttl >> 24),
        (uint8_t)(policy->dnskey_ttl >> 16),
        (uint8_t)(policy->dnskey_ttl >> 8),
        (uint8_t)policy->dnskey_ttl,
        policy->nsec3,
        policy->nsec3 && policy->nsec3_opt_out,
        policy->nsec3 ? policy->nsec3_salt_length : 0,
        policy->cdnskey,
    };
    memcpy(&facts[8], policy->cds_digests, policy->cds_digests_count);
    return siphash(fixed, facts, sizeof(facts));
}

/* The fingerprints are sums: a key that was just made comes last, and after a restart by its tag.
 */
static void choose_signers(const struct key_list *list, struct zone_keys *keys)
{
    static const uint8_t fixed[16] = {0}; /* a fingerprint, not a defence */
    keys->sign = mem_alloc(list->count * sizeof(*keys->sign));
    for (size_t i = 0; i < list->count; i++) {
        const struct signing_key *key = list->keys[i];
        struct sign_key sign = {key, kasp_key_signs_keys(key), kasp_key_signs_zone(key)};
        uint64_t facts[3] = {key->tag, key->algorithm,
                             (uint64_t)sign.signs_keys << 3 | (uint64_t)sign.signs_zone << 2 |
                                 (uint64_t)kasp_key_is_published(key) << 1 |
                                 (uint64_t)kasp_key_wants_ds(key)};
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

/* Each algorithm in the DNSKEY RRset must sign everything (RFC 6840 5.11). */
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
                                    "the states and times of the zone's keys",
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

enum sg_result zone_keys_prepare(const struct zone_keys_request *request,
                                 struct key_folders *folders, struct zone_keys *out_keys,
                                 char **problem)
{
    struct zone_keys keys = {.wake_at = INT64_MAX, .fresh = true};
    struct preparation p = {.settings = request->settings,
                            .generation = request->generation,
                            .policy = request->settings->policy,
                            .served = request->served,
                            .published = request->published,
                            .now = request->now,
                            .clock = request->clock,
                            .wished = request->wished,
                            .quiet = request->quiet,
                            .folders = folders,
                            .list = &keys.list,
                            .made = &keys.made};

    enum sg_result result = read_keys(&p);
    if (result == SG_OK) {
        result = check_served_keys(&p);
    }
    if (result == SG_OK) {
        result = adopt_keys(&p);
    }
    if (result == SG_OK) {
        result = satisfy_policy(&p);
    }
    if (result == SG_OK) {
        hold_unpublished(&p);
        keys.wake_at = let_time_pass(&p);
        result = write_changed(&p);
    }
    if (result == SG_OK) {
        keys.fingerprint = policy_fingerprint(p.policy);
        choose_signers(p.list, &keys);
        result = check_signers(&p, &keys);
    }
    if (result == SG_OK) {
        result = kasp_apex_rrsets(p.list, p.policy, false, &keys.apex);
    }
    if (result != SG_OK) {
        *problem = p.problem != NULL ? p.problem : mem_copy_text(sg_result_text(result));
        zone_keys_clear(&keys);
        return result;
    }
    *out_keys = keys;
    return SG_OK;
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
    result = key_folders_commit(folders);
    if (result != SG_OK) {
        *problem = mem_format("the files of keys in '%s' cannot be written: %s",
                              request->settings->key_directory, sg_result_text(result));
        zone_keys_clear(&keys);
        goto out;
    }
    zone_keys_log_made(request->settings, &keys);
    *out_keys = keys;

out:
    key_folders_free(folders);
    return result;
}

void zone_keys_log_made(const struct zone_settings *settings, const struct zone_keys *keys)
{
    for (size_t i = 0; i < keys->list.count; i++) {
        const struct signing_key *key = keys->list.keys[i];
        if ((keys->made >> i & 1) != 0) {
            char *text = signing_key_text(key);
            log_write(LOG_DNSSEC, SEVERITY_INFO, "keymgr: DNSKEY %s (%s) created for policy %s",
                      text,
                      key->state.ksk && key->state.zsk ? "CSK"
                      : key->state.ksk                 ? "KSK"
                                                       : "ZSK",
                      settings->policy->name);
            mem_free(text);
        }
    }
}

void zone_keys_clear(struct zone_keys *keys)
{
    kasp_apex_clear(&keys->apex);
    key_list_clear(&keys->list);
    mem_free(keys->sign);
    keys->sign = NULL;
    keys->sign_count = 0;
}

void zone_keys_free(struct zone_keys *keys)
{
    if (keys != NULL) {
        zone_keys_clear(keys);
        mem_free(keys);
    }
}
