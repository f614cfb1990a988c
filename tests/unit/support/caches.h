/*
 * support/caches.h - what caches all over the world may hold of a zone's keys, and a validator
 *
 * Knows nothing of key states: it sees RRsets as they are served and remembers each version for as
 * long as a cache may. A validator may hold any mix of the versions that are alive. It is strict:
 * each algorithm of the DS RRset must verify (RFC 4035 2.2, RFC 6840 5.11).
 *
 * kasp/test_never_bogus.c serves it what the states of keys stand for, the simulator (tests/sim)
 * what was really published.
 */
#pragma once

#include <string.h>

#include "base/assert.h"
#include "kasp/rules.h"

enum { CACHES_ENTRIES_MAX = 40, CACHES_VERSIONS_MAX = 256, CACHES_ALGORITHMS = 17 };

struct caches_entry {
    size_t number;
    uint8_t algorithm;
    bool signs; /* the DNSKEY RRset */
};

/* One version of an RRset, or of the signatures of one algorithm over data. */
struct caches_version {
    struct caches_entry entries[CACHES_ENTRIES_MAX];
    size_t count;
    sg_time gone_at; /* no cache has it from then on; INT64_MAX: it is served */
    sg_time held_to; /* what was served with another TTL before */
    sg_duration ttl;
};

struct caches_history { /* of what is served one by one, the last version is served */
    struct caches_version versions[CACHES_VERSIONS_MAX];
    size_t count;
};

struct caches {
    struct caches_history ds, dnskey, data[CACHES_ALGORITHMS];
    struct caches_history
        key_data[CACHES_ALGORITHMS]; /* CDS, CDNSKEY: signed as the DNSKEY RRset */
    sg_duration zone_propagation, parent_propagation, resign;
};

static inline bool caches_has(const struct caches_version *version, size_t number)
{
    for (size_t i = 0; i < version->count; i++) {
        if (version->entries[i].number == number) {
            return true;
        }
    }
    return false;
}

static inline bool caches_signs(const struct caches_version *version, size_t number)
{
    for (size_t i = 0; i < version->count; i++) {
        if (version->entries[i].number == number) {
            return version->entries[i].signs;
        }
    }
    return false;
}

static inline bool caches_same(const struct caches_version *a, const struct caches_version *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!caches_has(b, a->entries[i].number) ||
            a->entries[i].signs != caches_signs(b, a->entries[i].number)) {
            return false;
        }
    }
    return a->count == b->count;
}

static inline void caches_add(struct caches_version *version, size_t number, uint8_t algorithm,
                              bool signs)
{
    ASSERT(version->count < CACHES_ENTRIES_MAX);
    version->entries[version->count++] = (struct caches_entry){number, algorithm, signs};
}

static inline void caches_forget(struct caches_history *history, sg_time now)
{
    size_t kept = 0;
    for (size_t i = 0; i < history->count; i++) {
        if (history->versions[i].gone_at > now) {
            if (kept != i) {
                history->versions[kept] = history->versions[i];
            }
            kept++;
        }
    }
    history->count = kept;
}

/* `stays`: how long the version that was served may be found from now on, beside its TTL. */
static inline void caches_serve(struct caches_history *history,
                                const struct caches_version *version, sg_duration stays,
                                sg_time now)
{
    caches_forget(history, now);
    if (history->count > 0) {
        struct caches_version *served = &history->versions[history->count - 1];
        if (caches_same(served, version)) {
            served->ttl = version->ttl > served->ttl ? version->ttl : served->ttl;
            return;
        }
        served->gone_at = now + stays + served->ttl;
        caches_forget(history, now);
    }
    ASSERT(history->count < CACHES_VERSIONS_MAX);
    history->versions[history->count] = *version;
    history->versions[history->count++].gone_at = INT64_MAX;
}

static inline struct caches_version *caches_find(struct caches_history *history,
                                                 const struct caches_version *version)
{
    for (size_t i = 0; i < history->count; i++) {
        if (caches_same(&history->versions[i], version)) {
            return &history->versions[i];
        }
    }
    return NULL;
}

static inline void caches_end(struct caches_version *version, sg_duration stays, sg_time now)
{
    sg_time gone_at = now + stays + version->ttl;
    version->gone_at = gone_at > version->held_to ? gone_at : version->held_to;
}

/* One of those that are served at once (signatures change hands one by one, name servers lag). */
static inline void caches_serve_one(struct caches_history *history,
                                    const struct caches_version *version, sg_duration stays,
                                    sg_time now)
{
    struct caches_version *known = caches_find(history, version);
    if (known == NULL) {
        ASSERT(history->count < CACHES_VERSIONS_MAX);
        known = &history->versions[history->count++];
        *known = *version;
        known->held_to = now;
    } else if (known->gone_at != INT64_MAX) {
        known->held_to = known->gone_at;
    } else if (known->ttl != version->ttl) {
        caches_end(known, stays, now);
        known->held_to = known->gone_at;
    }
    known->ttl = version->ttl;
    known->gone_at = INT64_MAX;
}

/* These are served, and nothing else. */
static inline void caches_serve_all(struct caches_history *history,
                                    const struct caches_history *served, sg_duration stays,
                                    sg_time now)
{
    caches_forget(history, now);
    for (size_t i = 0; i < history->count; i++) {
        struct caches_version *version = &history->versions[i];
        bool is_served = false;
        for (size_t k = 0; k < served->count; k++) {
            is_served |= caches_same(version, &served->versions[k]);
        }
        if (!is_served && version->gone_at == INT64_MAX) {
            caches_end(version, stays, now);
        }
    }
    for (size_t i = 0; i < served->count; i++) {
        caches_serve_one(history, &served->versions[i], stays, now);
    }
}

/* Signatures of an algorithm change hands as they come due, come and go all at once. */
static inline void caches_serve_data(struct caches *caches, uint8_t algorithm,
                                     const struct caches_version *version, sg_time now)
{
    struct caches_history *history = &caches->data[algorithm];
    bool whole = version->count == 0 || history->count == 0 ||
                 history->versions[history->count - 1].count == 0;
    for (size_t i = 0; i + 1 < history->count && whole; i++) {
        struct caches_version *older = &history->versions[i];
        sg_time gone_at = now + caches->zone_propagation + older->ttl;
        older->gone_at = gone_at < older->gone_at ? gone_at : older->gone_at;
    }
    caches_serve(history, version, caches->zone_propagation + (whole ? 0 : caches->resign), now);
}

/* All RRsets were signed anew. */
static inline void caches_resign(struct caches *caches, sg_time now)
{
    for (int a = 0; a < CACHES_ALGORITHMS; a++) {
        for (size_t i = 0; i + 1 < caches->data[a].count; i++) {
            struct caches_version *version = &caches->data[a].versions[i];
            sg_time gone_at = now + caches->zone_propagation + version->ttl;
            version->gone_at = gone_at < version->gone_at ? gone_at : version->gone_at;
        }
    }
}

static inline bool caches_opens(const struct caches_version *ds, uint8_t algorithm,
                                const struct caches_version *dnskey)
{
    for (size_t i = 0; i < ds->count; i++) {
        if (ds->entries[i].algorithm == algorithm && caches_signs(dnskey, ds->entries[i].number)) {
            return true;
        }
    }
    return false;
}

static inline bool caches_verifies(const struct caches_version *dnskey,
                                   const struct caches_version *data)
{
    for (size_t i = 0; i < data->count; i++) {
        if (caches_has(dnskey, data->entries[i].number)) {
            return true;
        }
    }
    return false;
}

static inline bool caches_verify_all(const struct caches_version *dnskey,
                                     const struct caches_history *data)
{
    for (size_t i = 0; i < data->count; i++) {
        if (!caches_verifies(dnskey, &data->versions[i])) {
            return false;
        }
    }
    return true;
}

static inline const char *caches_check_algorithm(const struct caches *caches,
                                                 const struct caches_version *ds, uint8_t algorithm)
{
    for (size_t k = 0; k < caches->dnskey.count; k++) {
        const struct caches_version *dnskey = &caches->dnskey.versions[k];
        if (!caches_opens(ds, algorithm, dnskey)) {
            return "bogus: no DS of a cache opens a DNSKEY RRset of a cache";
        }
        if (!caches_verify_all(dnskey, &caches->data[algorithm])) {
            return "bogus: no DNSKEY of a cache verifies data of a cache";
        }
        if (!caches_verify_all(dnskey, &caches->key_data[algorithm])) {
            return "bogus: no DNSKEY of a cache verifies CDS or CDNSKEY of a cache";
        }
    }
    return NULL;
}

/* NULL, or what a validator complains of. */
static inline const char *caches_check(struct caches *caches, sg_time now)
{
    caches_forget(&caches->ds, now);
    caches_forget(&caches->dnskey, now);
    for (int a = 0; a < CACHES_ALGORITHMS; a++) {
        caches_forget(&caches->data[a], now);
        caches_forget(&caches->key_data[a], now);
    }
    for (size_t d = 0; d < caches->ds.count; d++) {
        const struct caches_version *ds = &caches->ds.versions[d];
        for (size_t i = 0; i < ds->count; i++) {
            const char *problem = caches_check_algorithm(caches, ds, ds->entries[i].algorithm);
            if (problem != NULL) {
                return problem;
            }
        }
    }
    return NULL;
}

/* In how many of the versions that are alive is the record? All: 1, none: -1, else 0. */
static inline int caches_presence(const struct caches *caches, enum key_record record,
                                  size_t number, uint8_t algorithm)
{
    const struct caches_history *history = record == KEY_RECORD_DS       ? &caches->ds
                                           : record == KEY_RECORD_ZRRSIG ? &caches->data[algorithm]
                                                                         : &caches->dnskey;
    size_t in = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct caches_version *version = &history->versions[i];
        in += record == KEY_RECORD_KRRSIG ? caches_signs(version, number)
                                          : caches_has(version, number);
    }
    return in == 0 ? -1 : in == history->count;
}
