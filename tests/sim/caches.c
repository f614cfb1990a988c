#include "support/caches.h"

#include "base/mem.h"
#include "dnssec/keystore.h"
#include "sim/rolls.h"

enum { STATES_MAX = 200, NEGATIVE_TTL = 300 /* of the SOA that sim_zone_soa() makes */ };

static const uint8_t algorithms[] = {DNSSEC_ECDSAP256SHA256, DNSSEC_ED25519};

struct sim_caches {
    struct caches caches;
    struct caches_history served; /* scratch */
    struct key_state states[STATES_MAX];
    uint32_t numbers[STATES_MAX];
    size_t states_count;
};

void caches_begin(struct sim_zone *zone)
{
    zone->caches = mem_alloc_zero(1, sizeof(*zone->caches));
    zone->caches->caches.zone_propagation = zone->policy->zone_propagation_delay;
    zone->caches->caches.parent_propagation = zone->policy->parent_propagation_delay;
}

void caches_free(struct sim_zone *zone)
{
    mem_free(zone->caches);
}

/* A key by algorithm and tag: while caches may remember it no other has both. */
static size_t number_of(uint8_t algorithm, uint16_t tag)
{
    return (size_t)algorithm << 16 | tag;
}

/* --- what goes wrong ------------------------------------------------------------------------ */

static void say_history(struct sim_zone *zone, const struct caches_history *history,
                        const char *what)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct caches_version *version = &history->versions[i];
        struct buffer text = BUFFER_EMPTY;
        for (size_t k = 0; k < version->count; k++) {
            buffer_format(&text, " %u/%zu%s", version->entries[k].algorithm,
                          version->entries[k].number & UINT16_MAX,
                          version->entries[k].signs ? "s" : "");
        }
        world_say(zone->world, "  %s %s%lld:%s", what,
                  version->gone_at == INT64_MAX ? "served, ttl " : "for ",
                  (long long)(version->gone_at == INT64_MAX ? version->ttl
                                                            : version->gone_at - zone->world->now),
                  buffer_text(&text));
        buffer_free(&text);
    }
}

static void say_caches(struct sim_zone *zone)
{
    const struct caches *caches = &zone->caches->caches;
    say_history(zone, &caches->ds, "DS");
    say_history(zone, &caches->dnskey, "DNSKEY");
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        say_history(zone, &caches->data[algorithms[i]], "data");
        say_history(zone, &caches->key_data[algorithms[i]], "CDS");
    }
}

static void check(struct sim_zone *zone)
{
    struct caches *caches = &zone->caches->caches;
    const char *problem = caches_check(caches, zone->world->now);
    if (problem != NULL && !zone->world->times_lie) {
        say_caches(zone);
        world_fail(zone->world, "%s: S2: %s", zone->name, problem);
    }
}

/* --- the zone ------------------------------------------------------------------------------- */

static bool is_signature(const struct record *record, uint16_t covered)
{
    return record->type == DNS_TYPE_RRSIG && wire_get_u16(record->rdata) == covered;
}

/* The signatures over one RRset, from `first` on, by one algorithm. Returns where they end. */
static size_t take_signatures(const struct records *records, size_t first, uint8_t algorithm,
                              struct caches_version *out_version)
{
    const struct record *begin = &records->at[first];
    uint16_t covered = wire_get_u16(begin->rdata);
    size_t at = first;
    *out_version = (struct caches_version){.ttl = begin->ttl};
    for (; at < records->count && is_signature(&records->at[at], covered) &&
           dns_name_equal(&records->at[at].owner, &begin->owner);
         at++) {
        const uint8_t *rdata = records->at[at].rdata;
        size_t number = number_of(rdata[2], wire_get_u16(rdata + 16));
        if (rdata[2] == algorithm && !caches_has(out_version, number)) {
            caches_add(out_version, number, algorithm, false);
        }
    }
    return at;
}

static void add_served(struct caches_history *served, const struct caches_version *version)
{
    struct caches_version *known = caches_find(served, version);
    if (known == NULL) {
        ASSERT(served->count < CACHES_VERSIONS_MAX);
        served->versions[served->count++] = *version;
    } else if (known->ttl < version->ttl) {
        known->ttl = version->ttl;
    }
}

/* Whose signatures RRsets have: either those by keys that sign the zone, or CDS and CDNSKEY. */
static void collect(const struct records *records, uint8_t algorithm, bool of_keys,
                    struct caches_history *out_served)
{
    struct caches_version version;
    size_t end;
    out_served->count = 0;
    for (size_t i = 0; i < records->count; i = end) {
        end = i + 1;
        if (records->at[i].type != DNS_TYPE_RRSIG) {
            continue;
        }
        uint16_t covered = wire_get_u16(records->at[i].rdata);
        bool is_of_keys = covered == DNS_TYPE_CDS || covered == DNS_TYPE_CDNSKEY;
        end = take_signatures(records, i, algorithm, &version);
        if (covered != DNS_TYPE_DNSKEY && is_of_keys == of_keys) {
            add_served(out_served, &version);
        }
    }
}

/* Nothing is signed: every RRset is as bad. */
static void collect_unsigned(const struct records *records, struct caches_history *out_served)
{
    struct caches_version version = {.ttl = NEGATIVE_TTL};
    for (size_t i = 0; i < records->count; i++) {
        version.ttl = records->at[i].ttl > version.ttl ? records->at[i].ttl : version.ttl;
    }
    out_served->count = 0;
    add_served(out_served, &version);
}

static bool signs_keys(const struct sim_zone *zone, const struct records *records,
                       const struct record *dnskey, uint16_t tag)
{
    size_t at = records_find(records, &zone->apex, DNS_TYPE_RRSIG);
    for (; at < records->count && records->at[at].type == DNS_TYPE_RRSIG &&
           dns_name_equal(&records->at[at].owner, &zone->apex);
         at++) {
        const uint8_t *rdata = records->at[at].rdata;
        if (is_signature(&records->at[at], DNS_TYPE_DNSKEY) && rdata[2] == dnskey->rdata[3] &&
            wire_get_u16(rdata + 16) == tag) {
            return true;
        }
    }
    return false;
}

static void collect_keys(const struct sim_zone *zone, const struct records *records,
                         struct caches_history *out_served)
{
    struct caches_version version = {.ttl = NEGATIVE_TTL};
    size_t at = records_find(records, &zone->apex, DNS_TYPE_DNSKEY);
    for (; at < records->count && records->at[at].type == DNS_TYPE_DNSKEY; at++) {
        const struct record *record = &records->at[at];
        uint16_t tag = dnskey_tag((struct span){record->rdata, record->length});
        caches_add(&version, number_of(record->rdata[3], tag), record->rdata[3],
                   signs_keys(zone, records, record, tag));
        version.ttl = record->ttl;
    }
    out_served->count = 0;
    add_served(out_served, &version);
}

void caches_see_zone(struct sim_zone *zone, const struct records *published)
{
    struct sim_caches *mine = zone->caches;
    struct caches *caches = &mine->caches;
    sg_time now = zone->world->now;
    sg_duration stays = caches->zone_propagation;
    collect_keys(zone, published, &mine->served);
    bool is_signed = mine->served.versions[0].count > 0;
    caches_serve_all(&caches->dnskey, &mine->served, stays, now);
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        uint8_t algorithm = algorithms[i];
        collect(published, algorithm, true, &mine->served);
        caches_serve_all(&caches->key_data[algorithm], &mine->served, stays, now);
        if (is_signed) {
            collect(published, algorithm, false, &mine->served);
        } else {
            collect_unsigned(published, &mine->served);
        }
        caches_serve_all(&caches->data[algorithm], &mine->served, stays, now);
    }
    check(zone);
}

/* --- the parent ----------------------------------------------------------------------------- */

void caches_see_ds(struct sim_zone *zone, const struct records *const *shown, size_t count,
                   uint32_t ttl)
{
    struct sim_caches *mine = zone->caches;
    struct caches *caches = &mine->caches;
    mine->served.count = 0;
    for (size_t i = 0; i < count; i++) {
        struct caches_version version = {.ttl = ttl};
        for (size_t k = 0; k < shown[i]->count; k++) {
            const uint8_t *rdata = shown[i]->at[k].rdata;
            size_t number = number_of(rdata[2], wire_get_u16(rdata));
            if (!caches_has(&version, number)) {
                caches_add(&version, number, rdata[2], false);
            }
        }
        add_served(&mine->served, &version);
    }
    caches_serve_all(&caches->ds, &mine->served, caches->parent_propagation, zone->world->now);
    check(zone);
}

/* --- the clock ------------------------------------------------------------------------------ */

static void keep_served(struct caches_history *history)
{
    size_t kept = 0;
    for (size_t i = 0; i < history->count; i++) {
        if (history->versions[i].gone_at == INT64_MAX) {
            history->versions[kept] = history->versions[i];
            history->versions[kept++].held_to = 0;
        }
    }
    history->count = kept;
}

void caches_begin_anew(struct sim_zone *zone)
{
    struct caches *caches = &zone->caches->caches;
    keep_served(&caches->ds);
    keep_served(&caches->dnskey);
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        keep_served(&caches->data[algorithms[i]]);
        keep_served(&caches->key_data[algorithms[i]]);
    }
    check(zone);
}

/* --- the states of keys --------------------------------------------------------------------- */

static struct key_state *state_of(struct sim_caches *mine, uint32_t number)
{
    size_t at = 0;
    while (at < mine->states_count && mine->numbers[at] != number) {
        at++;
    }
    ASSERT(at < STATES_MAX);
    if (at == mine->states_count) {
        mine->numbers[mine->states_count++] = number;
    }
    return &mine->states[at];
}

static void check_key(struct sim_zone *zone, const struct signing_key *key)
{
    static const char *const names[KEY_RECORDS] = {"DNSKEY", "ZRRSIG", "KRRSIG", "DS"};
    size_t number = number_of(key->algorithm, key->tag);
    struct key_state *last = state_of(zone->caches, (uint32_t)number);
    for (int record = 0; record < KEY_RECORDS; record++) {
        enum key_state_value is = key->state.records[record];
        if (!last->present || last->records[record] == KEY_STATE_NA ||
            last->records[record] == is || zone->world->times_lie) {
            continue;
        }
        int presence =
            caches_presence(&zone->caches->caches, (enum key_record)record, number, key->algorithm);
        if ((is == KEY_STATE_OMNIPRESENT && presence != 1) ||
            (is == KEY_STATE_HIDDEN && presence != -1)) {
            say_caches(zone);
            world_fail(zone->world, "%s: S6: the %s of key %u/%u is called %s, and is %s",
                       zone->name, names[record], key->algorithm, key->tag,
                       is == KEY_STATE_HIDDEN ? "hidden" : "omnipresent",
                       presence == 0  ? "in some cache"
                       : presence < 0 ? "in none"
                                      : "in all");
        }
    }
    *last = key->state;
}

void caches_check_states(struct sim_zone *zone)
{
    struct key_list list;
    if (zone->caches == NULL) {
        return;
    }
    enum sg_result result = keystore_list("keys", &zone->apex, NULL, NULL, &list);
    ASSERT(result == SG_OK);
    (void)caches_check(&zone->caches->caches, zone->world->now); /* forgets */
    for (size_t i = 0; i < list.count; i++) {
        check_key(zone, list.keys[i]);
    }
    key_list_clear(&list);
}
