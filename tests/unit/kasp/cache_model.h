/*
 * kasp/cache_model.h - what caches all over the world may hold of a zone's keys, and a validator
 *
 * Knows nothing of key states: it sees RRsets as they are served and remembers each version for as
 * long as a cache may. A validator may hold any mix of the versions that are alive. It is strict:
 * each algorithm of the DS RRset must verify (RFC 4035 2.2, RFC 6840 5.11).
 */
#pragma once

#include <string.h>

#include "kasp/rules.h"
#include "support/table.h"

enum { MODEL_ENTRIES_MAX = 40, MODEL_VERSIONS_MAX = 256, MODEL_ALGORITHMS = 17 };

struct model_entry {
    size_t number;
    uint8_t algorithm;
    bool signs; /* the DNSKEY RRset */
};

/* One version of an RRset, or of the signatures of one algorithm over data. */
struct model_version {
    struct model_entry entries[MODEL_ENTRIES_MAX];
    size_t count;
    sg_time gone_at; /* no cache has it from then on; INT64_MAX: it is served */
    sg_duration ttl;
};

struct model_history { /* the last version is served */
    struct model_version versions[MODEL_VERSIONS_MAX];
    size_t count;
};

struct model {
    struct model_history ds, dnskey, data[MODEL_ALGORITHMS];
    sg_duration zone_propagation, parent_propagation, resign;
};

static inline bool model_has(const struct model_version *version, size_t number)
{
    for (size_t i = 0; i < version->count; i++) {
        if (version->entries[i].number == number) {
            return true;
        }
    }
    return false;
}

static inline bool model_signs(const struct model_version *version, size_t number)
{
    for (size_t i = 0; i < version->count; i++) {
        if (version->entries[i].number == number) {
            return version->entries[i].signs;
        }
    }
    return false;
}

static inline bool model_same(const struct model_version *a, const struct model_version *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!model_has(b, a->entries[i].number) ||
            a->entries[i].signs != model_signs(b, a->entries[i].number)) {
            return false;
        }
    }
    return a->count == b->count;
}

static inline void model_add(struct model_version *version, size_t number, uint8_t algorithm,
                             bool signs)
{
    assert_true(version->count < MODEL_ENTRIES_MAX);
    version->entries[version->count++] = (struct model_entry){number, algorithm, signs};
}

static inline void model_forget(struct model_history *history, sg_time now)
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
static inline void model_serve(struct model_history *history, const struct model_version *version,
                               sg_duration stays, sg_time now)
{
    model_forget(history, now);
    if (history->count > 0) {
        struct model_version *served = &history->versions[history->count - 1];
        if (model_same(served, version)) {
            served->ttl = version->ttl > served->ttl ? version->ttl : served->ttl;
            return;
        }
        served->gone_at = now + stays + served->ttl;
        model_forget(history, now);
    }
    assert_true(history->count < MODEL_VERSIONS_MAX);
    history->versions[history->count] = *version;
    history->versions[history->count++].gone_at = INT64_MAX;
}

/* Signatures of an algorithm change hands as they come due, come and go all at once. */
static inline void model_serve_data(struct model *model, uint8_t algorithm,
                                    const struct model_version *version, sg_time now)
{
    struct model_history *history = &model->data[algorithm];
    bool whole = version->count == 0 || history->count == 0 ||
                 history->versions[history->count - 1].count == 0;
    for (size_t i = 0; i + 1 < history->count && whole; i++) {
        struct model_version *older = &history->versions[i];
        sg_time gone_at = now + model->zone_propagation + older->ttl;
        older->gone_at = gone_at < older->gone_at ? gone_at : older->gone_at;
    }
    model_serve(history, version, model->zone_propagation + (whole ? 0 : model->resign), now);
}

/* All RRsets were signed anew. */
static inline void model_resign(struct model *model, sg_time now)
{
    for (int a = 0; a < MODEL_ALGORITHMS; a++) {
        for (size_t i = 0; i + 1 < model->data[a].count; i++) {
            struct model_version *version = &model->data[a].versions[i];
            sg_time gone_at = now + model->zone_propagation + version->ttl;
            version->gone_at = gone_at < version->gone_at ? gone_at : version->gone_at;
        }
    }
}

static inline bool model_opens(const struct model_version *ds, uint8_t algorithm,
                               const struct model_version *dnskey)
{
    for (size_t i = 0; i < ds->count; i++) {
        if (ds->entries[i].algorithm == algorithm && model_signs(dnskey, ds->entries[i].number)) {
            return true;
        }
    }
    return false;
}

static inline bool model_verifies(const struct model_version *dnskey,
                                  const struct model_version *data)
{
    for (size_t i = 0; i < data->count; i++) {
        if (model_has(dnskey, data->entries[i].number)) {
            return true;
        }
    }
    return false;
}

static inline const char *model_check_algorithm(const struct model *model,
                                                const struct model_version *ds, uint8_t algorithm)
{
    for (size_t k = 0; k < model->dnskey.count; k++) {
        const struct model_version *dnskey = &model->dnskey.versions[k];
        if (!model_opens(ds, algorithm, dnskey)) {
            return "bogus: no DS of a cache opens a DNSKEY RRset of a cache";
        }
        for (size_t w = 0; w < model->data[algorithm].count; w++) {
            if (!model_verifies(dnskey, &model->data[algorithm].versions[w])) {
                return "bogus: no DNSKEY of a cache verifies data of a cache";
            }
        }
    }
    return NULL;
}

/* NULL, or what a validator complains of. */
static inline const char *model_check(struct model *model, sg_time now)
{
    model_forget(&model->ds, now);
    model_forget(&model->dnskey, now);
    for (int a = 0; a < MODEL_ALGORITHMS; a++) {
        model_forget(&model->data[a], now);
    }
    for (size_t d = 0; d < model->ds.count; d++) {
        const struct model_version *ds = &model->ds.versions[d];
        for (size_t i = 0; i < ds->count; i++) {
            const char *problem = model_check_algorithm(model, ds, ds->entries[i].algorithm);
            if (problem != NULL) {
                return problem;
            }
        }
    }
    return NULL;
}

/* In how many of the versions that are alive is the record? All: 1, none: -1, else 0. */
static inline int model_presence(const struct model *model, enum key_record record, size_t number,
                                 uint8_t algorithm)
{
    const struct model_history *history = record == KEY_RECORD_DS       ? &model->ds
                                          : record == KEY_RECORD_ZRRSIG ? &model->data[algorithm]
                                                                        : &model->dnskey;
    size_t in = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct model_version *version = &history->versions[i];
        in +=
            record == KEY_RECORD_KRRSIG ? model_signs(version, number) : model_has(version, number);
    }
    return in == 0 ? -1 : in == history->count;
}
