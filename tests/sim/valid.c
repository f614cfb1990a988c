#include <stdlib.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "dns/nsec3_hash.h"
#include "dns/nsec_bitmap.h"
#include "dnssec/sign.h"
#include "sim/world.h"

/*
 * Written from the RFCs (4035 2, 5155 7.1), upon the records of an AXFR alone: of what signs, only
 * the check of one signature, the hash and the bitmap are Signet's own, and those have judges of
 * their own elsewhere.
 */
enum { CACHE_SLOTS = 1 << 15, KEYS_MAX = 16, TYPES_MAX = 64, RRSIG_NAME_AT = 18 };

/* Signatures that verified once: most are the same in the next version. */
struct valid_cache {
    struct signer *signer;
    struct nsec3_hasher *hasher;
    uint64_t seen[CACHE_SLOTS];
};

struct valid_cache *valid_cache_new(void)
{
    struct valid_cache *cache = mem_alloc_zero(1, sizeof(*cache));
    cache->signer = signer_new();
    cache->hasher = nsec3_hasher_new();
    return cache;
}

void valid_cache_free(struct valid_cache *cache)
{
    signer_free(cache->signer);
    nsec3_hasher_free(cache->hasher);
    mem_free(cache);
}

/* One name of the zone, its records from `first` to before `end`. */
struct name {
    size_t first, end;
    bool is_cut, below_cut, is_hash;
};

struct checking {
    struct sim_zone *zone;
    const struct records *records;
    const struct record *keys[KEYS_MAX];
    size_t keys_count;
    struct name *names; /* in canonical order, NSEC3 owners apart */
    size_t names_count;
    struct name *hashes;
    size_t hashes_count;
    sg_time expires_at;
    enum sim_denial denial; /* that it has */
};

#define REFUSE(checking, name, ...) refuse((checking), (name), mem_format(__VA_ARGS__))

_Noreturn static void refuse(const struct checking *checking, const struct name *name, char *why)
{
    char owner[DNS_NAME_TEXT_BYTES];
    world_fail(checking->zone->world, "%s: not valid at %s: %s", checking->zone->name,
               dns_name_to_text(&checking->records->at[name->first].owner, owner), why);
}

static const struct dns_name *owner_of(const struct checking *checking, const struct name *name)
{
    return &checking->records->at[name->first].owner;
}

static bool is_apex(const struct checking *checking, const struct name *name)
{
    return dns_name_equal(owner_of(checking, name), &checking->zone->apex);
}

static bool has(const struct checking *checking, const struct name *name, uint16_t type)
{
    return records_have(checking->records, owner_of(checking, name), type);
}

/* --- signatures ----------------------------------------------------------------------------- */

static void pack(const struct records *records, size_t first, size_t end, struct buffer *out_packed,
                 struct dns_rrset *out_rrset)
{
    for (size_t i = first; i < end; i++) {
        buffer_append_u16(out_packed, records->at[i].length);
        buffer_append(out_packed, records->at[i].rdata, records->at[i].length);
    }
    *out_rrset = (struct dns_rrset){.packed = out_packed->bytes,
                                    .bytes = (uint32_t)out_packed->length,
                                    .ttl = records->at[first].ttl,
                                    .type = records->at[first].type,
                                    .count = (uint16_t)(end - first)};
}

static uint64_t fingerprint(const struct record *owner, const struct dns_rrset *rrset,
                            const struct record *signature, const struct record *key)
{
    static const uint8_t fixed[16] = {1};
    const uint64_t parts[5] = {
        siphash(fixed, owner->owner.wire, owner->owner.length),
        siphash(fixed, rrset->packed, rrset->bytes),
        siphash(fixed, signature->rdata, signature->length),
        siphash(fixed, key->rdata, key->length),
        (uint64_t)rrset->type << 32 | rrset->ttl,
    };
    return siphash(fixed, parts, sizeof(parts)) | 1;
}

/* Now; while times lie, one that the signature claims. */
static sg_time time_of(const struct checking *checking, const struct record *signature)
{
    const struct world *world = checking->zone->world;
    return world->times_lie ? (sg_time)wire_get_u32(signature->rdata + 12) : world->now;
}

static bool verifies(const struct checking *checking, const struct record *owner,
                     const struct dns_rrset *rrset, const struct record *signature)
{
    struct valid_cache *cache = checking->zone->world->valid;
    uint16_t tag = wire_get_u16(signature->rdata + 16);
    for (size_t k = 0; k < checking->keys_count; k++) {
        const struct record *key = checking->keys[k];
        struct span dnskey = {key->rdata, key->length};
        if (dnskey_tag(dnskey) != tag || key->rdata[3] != signature->rdata[2]) {
            continue;
        }
        uint64_t *slot = &cache->seen[fingerprint(owner, rrset, signature, key) % CACHE_SLOTS];
        uint64_t print = fingerprint(owner, rrset, signature, key);
        if (*slot == print || signer_verify(cache->signer, dnskey, &owner->owner, rrset,
                                            (struct span){signature->rdata, signature->length},
                                            time_of(checking, signature)) == SG_OK) {
            *slot = print;
            return true;
        }
    }
    return false;
}

static void check_times(struct checking *checking, const struct name *name,
                        const struct record *signature)
{
    sg_time now = checking->zone->world->now;
    /* Serial numbers, but the simulator's years are few. Caches keep it for its TTL; a TTL that is
     * longer than what policies leave of a signature they have to cut off (RFC 4035 5.3.3). */
    sg_duration kept = signature->ttl <= SG_DAY ? (sg_duration)signature->ttl : 0;
    sg_time expires = (sg_time)wire_get_u32(signature->rdata + 8) - kept;
    sg_time begins = wire_get_u32(signature->rdata + 12);
    if (checking->zone->world->times_lie) {
        return;
    }
    if (begins > now || expires <= now) {
        REFUSE(checking, name, "a signature over type %u holds from %lld to %lld, not now",
               wire_get_u16(signature->rdata), (long long)(begins - SIM_EPOCH),
               (long long)(expires - SIM_EPOCH));
    }
    if (checking->expires_at == 0 || expires < checking->expires_at) {
        checking->expires_at = expires;
    }
}

/* Is the RRset from `first` to before `end` signed by each algorithm of the DNSKEY RRset? Of the
 * DNSKEY RRset, a signature by a key with the SEP flag has to be there (here all KSKs have it). */
static void check_signed(struct checking *checking, const struct name *name, size_t first,
                         size_t end)
{
    const struct record *record = &checking->records->at[first];
    struct buffer packed = BUFFER_EMPTY;
    struct dns_rrset rrset;
    unsigned good = 0;
    size_t at = records_find(checking->records, &record->owner, DNS_TYPE_RRSIG);
    pack(checking->records, first, end, &packed, &rrset);
    for (; at < name->end && checking->records->at[at].type == DNS_TYPE_RRSIG; at++) {
        const struct record *signature = &checking->records->at[at];
        if (wire_get_u16(signature->rdata) != record->type) {
            continue;
        }
        check_times(checking, name, signature);
        if (signature->ttl != record->ttl || wire_get_u32(signature->rdata + 4) != record->ttl ||
            !dns_name_wire_equal(signature->rdata + RRSIG_NAME_AT, checking->zone->apex.wire)) {
            REFUSE(checking, name, "a signature over type %u has another TTL or signer",
                   record->type);
        }
        if (!verifies(checking, record, &rrset, signature)) {
            REFUSE(checking, name, "a signature by %u over type %u, of %lld, does not verify",
                   wire_get_u16(signature->rdata + 16), record->type,
                   (long long)wire_get_u32(signature->rdata + 12) - SIM_EPOCH);
        }
        good++;
    }
    buffer_free(&packed);
    if (good == 0) {
        REFUSE(checking, name, "type %u is not signed", record->type);
    }
}

static bool is_to_be_signed(const struct name *name, uint16_t type)
{
    if (name->below_cut || type == DNS_TYPE_RRSIG) {
        return false;
    }
    return !name->is_cut || type == DNS_TYPE_DS || type == DNS_TYPE_NSEC;
}

/* Nothing else is signed: something that is gone, or that is not ours. */
static void check_no_more_signatures(const struct checking *checking, const struct name *name)
{
    const struct records *records = checking->records;
    size_t at = records_find(records, owner_of(checking, name), DNS_TYPE_RRSIG);
    for (; at < name->end && records->at[at].type == DNS_TYPE_RRSIG; at++) {
        uint16_t covered = wire_get_u16(records->at[at].rdata);
        if (!has(checking, name, covered) || !is_to_be_signed(name, covered)) {
            REFUSE(checking, name, "a signature over type %u has nothing to sign", covered);
        }
    }
}

/* Where the RRset at `first` ends; all of it has one TTL. */
static size_t end_of_rrset(const struct checking *checking, const struct name *name, size_t first)
{
    const struct record *at = checking->records->at;
    size_t end = first + 1;
    while (end < name->end && at[end].type == at[first].type) {
        if (at[end].ttl != at[first].ttl && at[first].type != DNS_TYPE_RRSIG) {
            REFUSE(checking, name, "type %u has several TTLs", at[first].type);
        }
        end++;
    }
    return end;
}

static void check_name_signatures(struct checking *checking, const struct name *name)
{
    for (size_t i = name->first, end; i < name->end; i = end) {
        end = end_of_rrset(checking, name, i);
        if (is_to_be_signed(name, checking->records->at[i].type)) {
            check_signed(checking, name, i, end);
        }
    }
    check_no_more_signatures(checking, name);
}

/* --- the denial of existence ---------------------------------------------------------------- */

/* The types that a name's NSEC or NSEC3 has to show (RFC 4035 2.3, RFC 5155 7.1). */
static void expected_bitmap(const struct checking *checking, const struct name *name,
                            struct writer *writer)
{
    uint16_t types[TYPES_MAX];
    size_t count = 0;
    for (size_t i = name->first; i < name->end; i++) {
        uint16_t type = checking->records->at[i].type;
        bool shown = !name->is_cut || type == DNS_TYPE_NS || type == DNS_TYPE_DS ||
                     type == DNS_TYPE_NSEC || type == DNS_TYPE_RRSIG;
        if (shown && (count == 0 || types[count - 1] != type)) {
            types[count++] = type;
        }
    }
    nsec_bitmap_write(writer, types, count);
}

static void check_nsec(struct checking *checking, const struct name *name, const struct name *next)
{
    static uint8_t bytes[NSEC_BITMAP_BYTES_MAX];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    size_t at = records_find(checking->records, owner_of(checking, name), DNS_TYPE_NSEC);
    if (!has(checking, name, DNS_TYPE_NSEC)) {
        REFUSE(checking, name, "it has no NSEC");
    }
    const struct record *nsec = &checking->records->at[at];
    const struct dns_name *wanted = owner_of(checking, next);
    expected_bitmap(checking, name, &writer);
    if (!dns_name_wire_equal(nsec->rdata, wanted->wire)) {
        char *text = record_text(nsec);
        REFUSE(checking, name, "its NSEC does not lead to the next name: %s", text);
    }
    size_t length = writer_length(&writer);
    if (nsec->length != wanted->length + length ||
        memcmp(nsec->rdata + wanted->length, bytes, length) != 0) {
        char *text = record_text(nsec);
        REFUSE(checking, name, "its NSEC shows other types: %s", text);
    }
}

static void check_no_nsec(struct checking *checking, const struct name *name)
{
    if (has(checking, name, DNS_TYPE_NSEC)) {
        REFUSE(checking, name, "it has an NSEC and is below a cut");
    }
}

static void check_nsec_chain(struct checking *checking)
{
    const struct name *before = &checking->names[0]; /* the apex sorts first */
    for (size_t i = 1; i < checking->names_count; i++) {
        const struct name *name = &checking->names[i];
        if (name->below_cut) {
            check_no_nsec(checking, name);
        } else {
            check_nsec(checking, before, name);
            before = name;
        }
    }
    check_nsec(checking, before, &checking->names[0]);
    if (checking->hashes_count > 0) {
        REFUSE(checking, &checking->hashes[0], "an NSEC3 in a zone with NSEC");
    }
}

/* One that the chain has to hold. */
struct hashed {
    uint8_t hash[NSEC3_HASH_BYTES];
    const struct name *name; /* NULL: an empty non-terminal */
};

struct chain {
    struct hashed *at;
    size_t count, capacity;
    struct nsec3_params params;
};

static void chain_add(struct checking *checking, struct chain *chain, const struct dns_name *owner,
                      const struct name *name)
{
    struct hashed hashed = {.name = name};
    nsec3_hash(checking->zone->world->valid->hasher, &chain->params, owner->wire, owner->length,
               hashed.hash);
    for (size_t i = 0; i < chain->count; i++) {
        if (memcmp(chain->at[i].hash, hashed.hash, NSEC3_HASH_BYTES) == 0) {
            return; /* an empty non-terminal of several names */
        }
    }
    if (chain->count == chain->capacity) {
        chain->capacity = chain->capacity * 2 + 64;
        chain->at = mem_resize_array(chain->at, chain->capacity, sizeof(*chain->at));
    }
    chain->at[chain->count++] = hashed;
}

static int compare_hashed(const void *a, const void *b)
{
    return memcmp(((const struct hashed *)a)->hash, ((const struct hashed *)b)->hash,
                  NSEC3_HASH_BYTES);
}

static bool is_opted_out(const struct checking *checking, const struct name *name)
{
    return checking->denial == SIM_OPT_OUT && name->is_cut && !has(checking, name, DNS_TYPE_DS);
}

static void build_chain(struct checking *checking, struct chain *chain)
{
    for (size_t i = 0; i < checking->names_count; i++) {
        const struct name *name = &checking->names[i];
        if (!name->below_cut && !is_opted_out(checking, name)) {
            chain_add(checking, chain, owner_of(checking, name), name);
        }
    }
    for (size_t i = 0; i < checking->names_count; i++) {
        const struct name *name = &checking->names[i];
        if (name->below_cut || is_opted_out(checking, name)) {
            continue;
        }
        unsigned depth = owner_of(checking, name)->labels - checking->zone->apex.labels;
        for (unsigned up = 1; up < depth; up++) {
            struct dns_name above = dns_name_parent(owner_of(checking, name), up);
            chain_add(checking, chain, &above, NULL);
        }
    }
    qsort(chain->at, chain->count, sizeof(*chain->at), compare_hashed);
}

/* The whole rdata that the NSEC3 has to have. */
static void check_nsec3(struct checking *checking, const struct chain *chain, size_t index)
{
    static uint8_t bytes[NSEC_BITMAP_BYTES_MAX + 300];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    const struct hashed *hashed = &chain->at[index];
    const struct hashed *next = &chain->at[(index + 1) % chain->count];
    const struct name *found = &checking->hashes[index];
    const struct record *nsec3 =
        &checking->records
             ->at[records_find(checking->records, owner_of(checking, found), DNS_TYPE_NSEC3)];
    char label[NSEC3_HASH_TEXT_BYTES + 1];
    base32hex_encode(hashed->hash, NSEC3_HASH_BYTES, label);
    if (nsec3->owner.wire[0] != NSEC3_HASH_TEXT_BYTES ||
        memcmp(nsec3->owner.wire + 1, label, NSEC3_HASH_TEXT_BYTES) != 0) {
        REFUSE(checking, hashed->name != NULL ? hashed->name : found, "its NSEC3 is not there: %s",
               label);
    }
    writer_u8(&writer, 1);
    writer_u8(&writer, checking->denial == SIM_OPT_OUT ? 1 : 0);
    writer_u16(&writer, chain->params.iterations);
    writer_u8(&writer, chain->params.salt_length);
    writer_bytes(&writer, chain->params.salt, chain->params.salt_length);
    writer_u8(&writer, NSEC3_HASH_BYTES);
    writer_bytes(&writer, next->hash, NSEC3_HASH_BYTES);
    if (hashed->name != NULL) {
        expected_bitmap(checking, hashed->name, &writer);
    }
    if (nsec3->type != DNS_TYPE_NSEC3 || nsec3->length != writer_length(&writer) ||
        memcmp(nsec3->rdata, bytes, nsec3->length) != 0) {
        char *text = record_text(nsec3);
        REFUSE(checking, hashed->name != NULL ? hashed->name : found,
               "its NSEC3 says something else: %s", text);
    }
}

static void check_nsec3_chain(struct checking *checking)
{
    struct chain chain = {.count = 0};
    size_t at = records_find(checking->records, &checking->zone->apex, DNS_TYPE_NSEC3PARAM);
    const struct name *apex = &checking->names[0];
    if (!has(checking, apex, DNS_TYPE_NSEC3PARAM)) {
        REFUSE(checking, apex, "it has no NSEC3PARAM");
    }
    const struct record *parameters = &checking->records->at[at];
    enum sg_result result = nsec3_params_from_rdata(
        (struct span){parameters->rdata, parameters->length}, &chain.params);
    ASSERT(result == SG_OK);
    build_chain(checking, &chain);
    for (size_t i = 0; i < chain.count && i < checking->hashes_count; i++) {
        check_nsec3(checking, &chain, i);
    }
    if (chain.count != checking->hashes_count) {
        REFUSE(checking, apex, "%zu NSEC3 are wanted and %zu are there", chain.count,
               checking->hashes_count);
    }
    mem_free(chain.at);
}

/* --- the zone ------------------------------------------------------------------------------- */

static void find_keys(struct checking *checking)
{
    const struct records *records = checking->records;
    size_t at = records_find(records, &checking->zone->apex, DNS_TYPE_DNSKEY);
    for (; at < records->count && records->at[at].type == DNS_TYPE_DNSKEY; at++) {
        ASSERT(checking->keys_count < KEYS_MAX);
        checking->keys[checking->keys_count++] = &records->at[at];
    }
}

static void find_names(struct checking *checking)
{
    const struct records *records = checking->records;
    const struct dns_name *cut = NULL;
    checking->names = mem_alloc_zero(records->count + 1, sizeof(*checking->names));
    checking->hashes = mem_alloc_zero(records->count + 1, sizeof(*checking->hashes));
    for (size_t i = 0, end; i < records->count; i = end) {
        const struct dns_name *owner = &records->at[i].owner;
        struct name name = {.first = i};
        for (end = i + 1; end < records->count && dns_name_equal(&records->at[end].owner, owner);) {
            end++;
        }
        name.end = end;
        name.is_hash = records_have(records, owner, DNS_TYPE_NSEC3);
        name.below_cut = cut != NULL && dns_name_is_at_or_below(owner, cut);
        name.is_cut = !name.below_cut && records_have(records, owner, DNS_TYPE_NS) &&
                      !dns_name_equal(owner, &checking->zone->apex);
        cut = name.is_cut ? owner : cut;
        if (name.is_hash) {
            checking->hashes[checking->hashes_count++] = name;
        } else {
            checking->names[checking->names_count++] = name;
        }
    }
}

/* What the zone says of itself; anything but that is then refused, and what nobody ever wanted. */
static enum sim_denial find_denial(const struct checking *checking)
{
    const struct records *records = checking->records;
    if (checking->hashes_count == 0 && !has(checking, &checking->names[0], DNS_TYPE_NSEC3PARAM)) {
        return SIM_NSEC;
    }
    if (checking->hashes_count == 0) {
        return SIM_NSEC3;
    }
    size_t at = records_find(records, owner_of(checking, &checking->hashes[0]), DNS_TYPE_NSEC3);
    return (records->at[at].rdata[1] & 1) != 0 ? SIM_OPT_OUT : SIM_NSEC3;
}

sg_time valid_check(struct sim_zone *zone, const struct records *published)
{
    struct checking checking = {.zone = zone, .records = published};
    find_keys(&checking);
    find_names(&checking);
    if (checking.keys_count == 0 || !is_apex(&checking, &checking.names[0])) {
        world_fail(zone->world, "%s: not valid: it has no DNSKEY", zone->name);
    }
    for (size_t i = 0; i < checking.names_count; i++) {
        check_name_signatures(&checking, &checking.names[i]);
    }
    for (size_t i = 0; i < checking.hashes_count; i++) {
        check_name_signatures(&checking, &checking.hashes[i]);
    }
    zone->denial_served = checking.denial = find_denial(&checking);
    if ((zone->denials & 1u << checking.denial) == 0) {
        world_fail(zone->world, "%s: not valid: nobody wants it with denial=%d", zone->name,
                   checking.denial);
    }
    if (checking.denial == SIM_NSEC) {
        check_nsec_chain(&checking);
    } else {
        check_nsec3_chain(&checking);
    }
    mem_free(checking.names);
    mem_free(checking.hashes);
    return checking.expires_at;
}
