#include "keeper/zone_progress.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "dns/rrtype.h"
#include "keeper/zone_steps.h"

/* BIND's form. Of a key: algorithm, tag, signatures go, complete. Of a chain: 0, and the rdata of
 * its NSEC3PARAM with more flags (RFC 5155 4.1.2 leaves them free). */
enum {
    KEY_TAG_AT = 1,
    KEY_GOES_AT = 3,
    CHAIN_FLAGS_AT = 2,
    CHAIN_SALT_AT = 6,
    CHAIN_BYTES_MAX = CHAIN_SALT_AT + NSEC3_SALT_BYTES_MAX,
    CHAIN_OPT_OUT = 0x01,
    CHAIN_NO_NSEC = 0x10, /* it gives way to another one, not to NSEC */
    CHAIN_INITIAL = 0x20, /* the zone is not signed yet */
    CHAIN_REMOVE = 0x40,
    CHAIN_CREATE = 0x80,
    RDATAS_MAX = 2 * ZONE_KEYS_MAX + 2,
};

/* ---- what a version has ---- */

static bool find_records(const struct zone_version *version, uint16_t type,
                         struct dns_rrset *out_rrset)
{
    return version != NULL && type != 0 &&
           zone_node_rrset(zone_version_apex_node(version), ZONE_VIEW_SIGNED, type, out_rrset);
}

static bool is_of_key(struct span rdata, const struct signing_key *key)
{
    return rdata.length == KASP_PROGRESS_BYTES && rdata.bytes[0] == key->algorithm &&
           wire_get_u16(rdata.bytes + KEY_TAG_AT) == key->tag;
}

uint64_t zone_progress_told(const struct zone_version *version, uint16_t private_type,
                            const struct key_list *keys)
{
    struct dns_rrset rrset;
    uint64_t told = 0;
    if (!find_records(version, private_type, &rrset)) {
        return 0;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        for (size_t i = 0; i < keys->count && i < ZONE_KEYS_MAX; i++) {
            bool is_told = is_of_key(c.rdata, keys->keys[i]) && c.rdata.bytes[KEY_GOES_AT] == 0;
            told |= (uint64_t)is_told << i;
        }
    }
    return told;
}

/* ---- what is under way beside it ---- */

struct records {
    struct buffer packed;
    size_t count;
};

static void append(struct records *records, const uint8_t *rdata, size_t length)
{
    buffer_append_u16(&records->packed, (uint16_t)length);
    buffer_append(&records->packed, rdata, length);
    records->count++;
}

static bool has_signer(const struct zone_keys *keys, const struct signing_key *key)
{
    for (size_t i = 0; i < keys->sign_count; i++) {
        const struct signing_key *other = keys->sign[i].key;
        if (other->algorithm == key->algorithm && other->tag == key->tag) {
            return true;
        }
    }
    return false;
}

/* Those of `keys` that do not sign by `others`: they begin or, with `goes`, are done with. */
static void append_signers(struct records *records, const struct zone_keys *keys,
                           const struct zone_keys *others, bool goes)
{
    for (size_t i = 0; i < keys->sign_count; i++) {
        const struct signing_key *key = keys->sign[i].key;
        uint8_t rdata[KASP_PROGRESS_BYTES] = {key->algorithm, (uint8_t)(key->tag >> 8),
                                              (uint8_t)key->tag, goes, 0};
        if (!has_signer(others, key)) {
            append(records, rdata, sizeof(rdata));
        }
    }
}

/* Does it tell of a key that goes on as before? */
static bool is_kept(struct span rdata, const struct zone_keys *served, const struct zone_keys *keys)
{
    for (size_t i = 0; i < keys->list.count; i++) {
        const struct signing_key *key = keys->list.keys[i];
        if (is_of_key(rdata, key)) {
            return has_signer(served, key) == has_signer(keys, key);
        }
    }
    return false; /* What told of chains is told anew. */
}

static void append_kept(struct records *records, const struct dns_rrset *rrset,
                        const struct zone_keys *served, const struct zone_keys *keys)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (is_kept(c.rdata, served, keys)) {
            append(records, c.rdata.bytes, c.rdata.length);
        }
    }
}

static void append_chain(struct records *records, const struct nsec3_params *params, unsigned flags)
{
    uint8_t rdata[CHAIN_BYTES_MAX] = {0,
                                      params->algorithm,
                                      (uint8_t)flags,
                                      (uint8_t)(params->iterations >> 8),
                                      (uint8_t)params->iterations,
                                      params->salt_length};
    memcpy(rdata + CHAIN_SALT_AT, params->salt, params->salt_length);
    append(records, rdata, (size_t)CHAIN_SALT_AT + params->salt_length);
}

static bool is_same_chain(const struct nsec3_params *a, const struct nsec3_params *b)
{
    return a->iterations == b->iterations && a->salt_length == b->salt_length &&
           memcmp(a->salt, b->salt, a->salt_length) == 0;
}

/* The chain that the keys are to have, by the policy. */
static struct nsec3_params chain_of(const struct zone_version *version,
                                    const struct kasp_policy *policy, const struct zone_keys *keys)
{
    struct nsec3_params chain = {.algorithm = 1, .salt_length = policy->nsec3_salt_length};
    if (zone_denial_is_kept(policy, version)) {
        return zone_version_facts(version)->nsec3;
    }
    if (keys->salt != NULL) {
        memcpy(chain.salt, keys->salt, chain.salt_length);
    }
    return chain;
}

static void append_chains(struct records *records, const struct zone_version *version,
                          const struct kasp_policy *policy, const struct zone_keys *keys)
{
    const struct zone_facts *facts = zone_version_facts(version);
    const struct nsec3_params next = chain_of(version, policy, keys);
    bool had = facts->denial == ZONE_DENIAL_NSEC3;
    bool stays = had && keys->nsec3 && is_same_chain(&facts->nsec3, &next) &&
                 facts->opt_out == policy->nsec3_opt_out;
    if (keys->nsec3 && !stays) {
        append_chain(records, &next,
                     CHAIN_CREATE | (facts->signed_here ? 0u : CHAIN_INITIAL) |
                         (policy->nsec3_opt_out ? CHAIN_OPT_OUT : 0u));
    }
    if (had && !stays) {
        append_chain(records, &facts->nsec3,
                     CHAIN_REMOVE | (keys->nsec3 ? CHAIN_NO_NSEC : 0u) |
                         (facts->opt_out ? CHAIN_OPT_OUT : 0u));
    }
}

static struct records records_aside(const struct zone_version *version,
                                    const struct zone_settings *settings,
                                    const struct zone_keys *served, const struct zone_keys *keys)
{
    struct records records = {BUFFER_EMPTY, 0};
    struct dns_rrset rrset;
    if (find_records(version, settings->limits.private_type, &rrset)) {
        append_kept(&records, &rrset, served, keys);
    }
    append_signers(&records, keys, served, false);
    append_signers(&records, served, keys, true);
    append_chains(&records, version, settings->policy, keys);
    return records;
}

/* One that was told already is kept: begun again, the work has nothing else to tell. */
static bool find_salt_told(const struct dns_rrset *rrset, uint8_t length, uint8_t *salt)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (c.rdata.length == (size_t)CHAIN_SALT_AT + length && c.rdata.bytes[0] == 0 &&
            (c.rdata.bytes[CHAIN_FLAGS_AT] & CHAIN_CREATE) != 0 &&
            c.rdata.bytes[CHAIN_SALT_AT - 1] == length) {
            memcpy(salt, c.rdata.bytes + CHAIN_SALT_AT, length);
            return true;
        }
    }
    return false;
}

static void draw_salt(const struct zone_job *job, struct zone_keys *keys)
{
    uint8_t length = job->settings->policy->nsec3_salt_length;
    struct dns_rrset rrset;
    if (!keys->nsec3 || length == 0 || keys->salt != NULL ||
        zone_denial_is_kept(job->settings->policy, job->lent.base)) {
        return;
    }
    keys->salt = mem_alloc(length);
    if (!find_records(job->lent.base, job->settings->limits.private_type, &rrset) ||
        !find_salt_told(&rrset, length, keys->salt)) {
        random_bytes(keys->salt, length);
    }
}

void zone_progress_tell_aside(const struct zone_job *job, struct zone_keys *served,
                              struct zone_keys *keys)
{
    uint16_t type = job->settings->limits.private_type;
    struct span rdatas[RDATAS_MAX];
    size_t count = 0;
    draw_salt(job, keys);
    if (!zone_version_facts(job->lent.base)->signed_here || type == 0) {
        return; /* An unsigned zone has no such records: zone_progress_list(). */
    }
    struct records records = records_aside(job->lent.base, job->settings, served, keys);
    const struct dns_rrset packed = {.packed = records.packed.bytes,
                                     .count = (uint16_t)records.count};
    for (struct dns_rdata_cursor c = dns_rrset_walk(&packed);
         count < RDATAS_MAX && dns_rdata_next(&c);) {
        rdatas[count++] = c.rdata;
    }
    kasp_apex_replace(&served->apex, type, 0, rdatas, count);
    buffer_free(&records.packed);
}

bool zone_progress_differs(const struct zone_job *job)
{
    uint16_t type = job->settings->limits.private_type;
    const struct zone_version *base = job->lent.base;
    struct dns_rrset rrset;
    if (base == NULL || job->lent.keys == NULL || type == 0 ||
        zone_node_rrset(zone_version_apex_node(base), ZONE_VIEW_UNSIGNED, type, &rrset)) {
        return false; /* What is in the source is no business of ours. */
    }
    const struct kasp_apex *apex = &job->lent.keys->apex;
    bool is_told = find_records(base, type, &rrset);
    for (size_t i = 0; i < apex->count; i++) {
        const struct dns_rrset *wanted = &apex->rrsets[i];
        if (wanted->type == type) {
            return !is_told || rrset.bytes != wanted->bytes ||
                   memcmp(rrset.packed, wanted->packed, rrset.bytes) != 0;
        }
    }
    return is_told;
}

size_t zone_progress_list(const struct zone_version *version, const struct zone_settings *settings,
                          const struct zone_keys *keys, struct buffer *out_packed)
{
    static const struct zone_keys nobody = {.sign_count = 0};
    struct dns_rrset rrset;
    *out_packed = BUFFER_EMPTY;
    if (find_records(version, settings->limits.private_type, &rrset)) {
        buffer_append(out_packed, rrset.packed, rrset.bytes);
        return rrset.count;
    }
    if (version == NULL || keys == NULL || zone_version_facts(version)->signed_here) {
        return 0;
    }
    struct records records = records_aside(version, settings, &nobody, keys);
    *out_packed = records.packed;
    return records.count;
}
