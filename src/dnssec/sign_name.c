#include "dnssec/sign_name.h"

#include <stdlib.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/expiration.h"
#include "dnssec/nsec.h"
#include "dnssec/rrsig.h"
#include "zone/diff.h"

enum {
    LATE_SECONDS = 360, /* what has been due for longer has missed its turn */
    NAME_RRSETS_FIRST = 32,
    NAME_GENERATED_TYPES = 2, /* RRSIG and NSEC, in the bitmap beside the RRsets */
    NSEC3_FIXED_BYTES = 5,    /* what comes before the salt, its length included */
};

static bool is_key_type(uint16_t type)
{
    return type == DNS_TYPE_DNSKEY || type == DNS_TYPE_CDS || type == DNS_TYPE_CDNSKEY;
}

static int compare_keys(const void *a, const void *b)
{
    const struct signing_key *left = ((const struct sign_key *)a)->key;
    const struct signing_key *right = ((const struct sign_key *)b)->key;
    return left->algorithm != right->algorithm ? left->algorithm - right->algorithm
                                               : left->tag - right->tag;
}

static enum sg_result check_keys(const struct sign_run *run)
{
    bool for_keys = false;
    bool for_zone = false;
    for (size_t i = 0; i < run->keys_count; i++) {
        const struct sign_key *key = &run->keys[i];
        for_keys = for_keys || key->signs_keys;
        for_zone = for_zone || key->signs_zone;
        if (key->key->secret == NULL && (key->signs_keys || key->signs_zone)) {
            return SG_BAD_KEY;
        }
        if (i > 0 && compare_keys(key - 1, key) == 0) {
            return SG_CONFLICT;
        }
        if (run->policy->nsec3 && !dnssec_algorithm_allows_nsec3(key->key->algorithm)) {
            return SG_CONFLICT;
        }
    }
    return for_keys && for_zone ? SG_OK : SG_BAD_KEY;
}

enum sg_result sign_run_init(struct sign_run *run, const struct dns_name *apex,
                             const struct sign_keys *keys, const struct sign_policy *policy,
                             sg_time now)
{
    *run = (struct sign_run){.apex = apex, .policy = policy, .now = now, .keep_from = now + 1};
    run->keys_count = keys->count;
    run->keys = mem_alloc_zero(keys->count + 1, sizeof(*run->keys));
    for (size_t i = 0; i < keys->count; i++) {
        run->keys[i] = keys->keys[i];
    }
    qsort(run->keys, run->keys_count, sizeof(*run->keys), compare_keys);
    enum sg_result result = check_keys(run);
    if (result != SG_OK) {
        sign_run_clear(run);
    }
    return result;
}

void sign_run_clear(struct sign_run *run)
{
    mem_free(run->keys);
    *run = (struct sign_run){0};
}

static void grow_authoritative(struct sign_lane *lane, size_t max)
{
    lane->authoritative = mem_resize_array(lane->authoritative, max, sizeof(*lane->authoritative));
    lane->types = mem_resize_array(lane->types, max + NAME_GENERATED_TYPES, sizeof(*lane->types));
    lane->authoritative_max = max;
}

void sign_lane_init(struct sign_lane *lane)
{
    *lane = (struct sign_lane){.report = {.expires_first = INT64_MAX}};
    lane->pile = zone_pile_new();
    random_bytes(&lane->jitter, sizeof(lane->jitter));
    grow_authoritative(lane, NAME_RRSETS_FIRST);
}

void sign_lane_clear(struct sign_lane *lane)
{
    if (lane->pile != NULL) {
        zone_pile_free(lane->pile);
    }
    nsec3_hasher_free(lane->hasher);
    buffer_free(&lane->bytes);
    mem_free(lane->generated);
    mem_free(lane->block);
    mem_free(lane->authoritative);
    mem_free(lane->types);
    *lane = (struct sign_lane){0};
}

static void add_authoritative(struct sign_lane *lane, const struct dns_rrset *rrset)
{
    if (lane->authoritative_count == lane->authoritative_max) {
        grow_authoritative(lane, 2 * lane->authoritative_max);
    }
    lane->authoritative[lane->authoritative_count++] = *rrset;
}

static void add_generated(struct sign_lane *lane, const struct dns_rrset *rrset, size_t at)
{
    if (lane->generated_count == lane->generated_max) {
        size_t max = lane->generated_max == 0 ? NAME_RRSETS_FIRST : 2 * lane->generated_max;
        lane->generated = mem_resize_array(lane->generated, max, sizeof(*lane->generated));
        lane->block = mem_resize_array(lane->block, max, sizeof(*lane->block));
        lane->generated_max = max;
    }
    lane->generated[lane->generated_count++] = (struct sign_rrset){*rrset, at};
}

static bool has_type(const struct dns_rrset *rrsets, size_t count, uint16_t type)
{
    for (size_t i = 0; i < count; i++) {
        if (rrsets[i].type == type) {
            return true;
        }
    }
    return false;
}

static int compare_types(const void *a, const void *b)
{
    return ((const struct dns_rrset *)a)->type - ((const struct dns_rrset *)b)->type;
}

/*
 * The RRsets that this zone is the authority for, plus a delegation's NS, which its bitmap tells
 * of: everything at an ordinary name, NS and DS at a cut (RFC 4035 2.3; the rest there is glue).
 */
static void collect_authoritative(struct sign_lane *lane, const struct zone_node *node,
                                  const struct dns_rrset *apex, size_t apex_count)
{
    bool cut = zone_node_is_cut(node);
    lane->authoritative_count = 0;
    struct zone_rrset_walk walk = zone_node_walk_layer(node, ZONE_SOURCE);
    while (zone_node_walk_next(&walk)) {
        uint16_t type = walk.rrset.type;
        bool hidden = cut && type != DNS_TYPE_NS && type != DNS_TYPE_DS;
        if (!hidden && !dns_type_is_generated(type) && !has_type(apex, apex_count, type)) {
            add_authoritative(lane, &walk.rrset);
        }
    }
    for (size_t i = 0; i < apex_count; i++) {
        add_authoritative(lane, &apex[i]);
    }
    if (apex_count > 0) {
        qsort(lane->authoritative, lane->authoritative_count, sizeof(*lane->authoritative),
              compare_types);
    }
}

static bool is_signed(const struct zone_node *node, const struct dns_rrset *rrset)
{
    return !(zone_node_is_cut(node) && rrset->type == DNS_TYPE_NS);
}

static size_t insert_type(uint16_t *types, size_t count, uint16_t type)
{
    size_t at = count;
    while (at > 0 && types[at - 1] > type) {
        types[at] = types[at - 1];
        at--;
    }
    types[at] = type;
    return count + 1;
}

/* What the bitmap of NSEC (`nsec`) or NSEC3 says, from lane->authoritative, into lane->types. */
static size_t collect_types(struct sign_lane *lane, const struct zone_node *node, bool nsec)
{
    size_t count = 0;
    bool has_signature = nsec;
    for (size_t i = 0; i < lane->authoritative_count; i++) {
        lane->types[count++] = lane->authoritative[i].type;
        has_signature = has_signature || is_signed(node, &lane->authoritative[i]);
    }
    if (nsec) {
        count = insert_type(lane->types, count, DNS_TYPE_NSEC);
    }
    if (has_signature) {
        count = insert_type(lane->types, count, DNS_TYPE_RRSIG);
    }
    return count;
}

/* One draw a name: what expires together is refreshed together, in one block. */
static sg_time draw_expiration(const struct sign_run *run, struct sign_lane *lane, bool in_turn)
{
    const struct expiration_rule rule = {
        .validity = run->policy->validity,
        .jitter = run->policy->jitter,
        .interval = run->policy->interval,
    };
    return (in_turn ? expiration_in_turn : expiration_out_of_turn)(&rule, &lane->jitter, run->now);
}

static sg_time expiration_of(const struct sign_run *run, uint16_t type, sg_time drawn)
{
    if (is_key_type(type)) {
        return run->now + run->policy->validity_dnskey;
    }
    return type == DNS_TYPE_SOA ? run->now + run->policy->validity : drawn;
}

/* Begin an rdata in lane->bytes: room for its length. */
static size_t begin_rdata(struct sign_lane *lane)
{
    buffer_append_u16(&lane->bytes, 0);
    return lane->bytes.length;
}

static void end_rdata(struct sign_lane *lane, size_t begin)
{
    ASSERT(lane->bytes.length - begin <= UINT16_MAX);
    wire_put_u16(lane->bytes.bytes + begin - 2, (uint16_t)(lane->bytes.length - begin));
}

/* What is to be signed. */
struct sign_over {
    const struct dns_name *owner;
    const struct dns_rrset *rrset;
    struct dns_rrset kept; /* the signatures it has */
    sg_time expiration;    /* of new ones */
};

/* The signatures over an RRset that is as it was. The SOA never is. */
static struct dns_rrset find_kept(const struct sign_lane *lane, const struct dns_rrset *rrset)
{
    const struct zone_node made = {.generated = lane->before.generated};
    struct dns_rrset before, signatures = {.count = 0};
    if (rrset->type == DNS_TYPE_SOA ||
        !zone_node_rrset(&lane->before, ZONE_VIEW_SIGNED, rrset->type, &before) ||
        !zone_diff_same_rrset(&before, rrset)) {
        return signatures;
    }
    zone_node_signatures(&made, ZONE_VIEW_SIGNED, rrset->type, &signatures);
    return signatures;
}

/* The signature by that key that may stay. */
static bool find_signature(const struct sign_run *run, const struct dns_rrset *kept,
                           const struct signing_key *key, struct span *out_rdata)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(kept); dns_rdata_next(&c);) {
        if (rrsig_is_by(c.rdata, key) && rrsig_inception(c.rdata, run->now) <= run->now &&
            rrsig_expiration(c.rdata, run->now) >= run->keep_from) {
            *out_rdata = c.rdata;
            return true;
        }
    }
    return false;
}

/* One RRSIG: the kept one, or a new one. */
static enum sg_result add_signature(const struct sign_run *run, struct sign_lane *lane,
                                    const struct sign_over *over, const struct signing_key *key,
                                    uint16_t *made)
{
    struct span old;
    size_t begin = begin_rdata(lane);
    if (find_signature(run, &over->kept, key, &old)) {
        buffer_append(&lane->bytes, old.bytes, old.length);
        end_rdata(lane, begin);
        return SG_OK;
    }
    const struct sign_times times = {
        .inception = (uint32_t)(run->now - run->policy->inception_offset),
        .expiration = (uint32_t)over->expiration,
    };
    enum sg_result result =
        signer_sign(lane->signer, key, over->owner, over->rrset, &times, &lane->bytes);
    if (result == SG_OK) {
        end_rdata(lane, begin);
        ++*made;
    }
    return result;
}

/* The RRSIGs over one RRset, by every key that signs its type. */
static enum sg_result add_signatures(const struct sign_run *run, struct sign_lane *lane,
                                     const struct dns_name *owner, const struct dns_rrset *rrset,
                                     sg_time expiration)
{
    const struct sign_over over = {owner, rrset, find_kept(lane, rrset), expiration};
    size_t at = lane->bytes.length;
    uint16_t count = 0;
    uint16_t made = 0;
    for (size_t i = 0; i < run->keys_count; i++) {
        const struct sign_key *key = &run->keys[i];
        if (!(is_key_type(rrset->type) ? key->signs_keys : key->signs_zone)) {
            continue;
        }
        enum sg_result result = add_signature(run, lane, &over, key->key, &made);
        if (result != SG_OK) {
            return result;
        }
        count++;
    }
    if (made < count && count > 1) {
        /* Those of one time stand in the order of their keys; such as were kept may not. */
        rrsig_sort(lane->bytes.bytes + at, lane->bytes.length - at, count);
    }
    const struct dns_rrset signatures = {
        .bytes = (uint32_t)(lane->bytes.length - at),
        .ttl = rrset->ttl, /* RFC 4034 3 */
        .type = DNS_TYPE_RRSIG,
        .covered = rrset->type,
        .count = count,
    };
    add_generated(lane, &signatures, at);
    lane->differs = lane->differs || made > 0 || over.kept.count != count;
    lane->report.signatures += made;
    if (made > 0 && expiration < lane->report.expires_first) {
        lane->report.expires_first = expiration;
        lane->report.expires_owner = *owner;
        lane->report.expires_type = rrset->type;
    }
    return SG_OK;
}

static void begin_name(struct sign_lane *lane, const struct zone_node *before)
{
    buffer_clear(&lane->bytes);
    lane->generated_count = 0;
    lane->differs = false;
    lane->before = before != NULL ? *before : (struct zone_node){.source = NULL};
}

/* Is what was generated what the name had? Every RRset that is signed was compared. */
static bool is_same(const struct sign_lane *lane)
{
    size_t count = 0;
    struct zone_rrset_walk walk = zone_node_walk_layer(&lane->before, ZONE_GENERATED);
    while (zone_node_walk_next(&walk)) {
        count++;
    }
    return !lane->differs && lane->generated_count == count;
}

/* Pack what was generated. Only now does lane->bytes stay where it is. */
static enum sg_result pack_block(struct sign_lane *lane, struct span owner, zone_block_ref *out_ref)
{
    for (size_t i = 0; i < lane->generated_count; i++) {
        lane->block[i] = lane->generated[i].rrset;
        if (lane->generated[i].at != SIZE_MAX) {
            lane->block[i].packed = lane->bytes.bytes + lane->generated[i].at;
        }
    }
    return zone_pile_add(lane->pile, owner, lane->block, lane->generated_count, out_ref);
}

/* Sign the denial RR that was just written to the end of lane->bytes, from `at` on. */
static enum sg_result add_denial(const struct sign_run *run, struct sign_lane *lane,
                                 const struct dns_name *owner, uint16_t type, size_t at,
                                 sg_time expiration)
{
    struct dns_rrset denial = {
        .bytes = (uint32_t)(lane->bytes.length - at),
        .ttl = run->denial_ttl,
        .type = type,
        .count = 1,
    };
    add_generated(lane, &denial, at);
    /* The buffer grows while it is signed: let it move before. */
    buffer_reserve(&lane->bytes,
                   run->keys_count * (DNSSEC_SIGNATURE_BYTES_MAX + DNS_NAME_BYTES_MAX + 32));
    denial.packed = lane->bytes.bytes + at;
    return add_signatures(run, lane, owner, &denial, expiration);
}

enum sg_result sign_name(const struct sign_run *run, struct sign_lane *lane,
                         const struct sign_name *name, zone_block_ref *out_ref)
{
    sg_time drawn = draw_expiration(run, lane, false);
    begin_name(lane, name->base);
    collect_authoritative(lane, name->node, name->apex, name->apex_count);
    for (size_t i = 0; i < name->apex_count; i++) {
        add_generated(lane, &name->apex[i], SIZE_MAX);
    }
    for (size_t i = 0; i < lane->authoritative_count; i++) {
        const struct dns_rrset *rrset = &lane->authoritative[i];
        if (!is_signed(name->node, rrset)) {
            continue;
        }
        enum sg_result result =
            add_signatures(run, lane, name->owner, rrset, expiration_of(run, rrset->type, drawn));
        if (result != SG_OK) {
            return result;
        }
    }
    if (name->next != NULL) {
        size_t at = lane->bytes.length;
        size_t begin = begin_rdata(lane);
        nsec_rdata_write(name->next, lane->types, collect_types(lane, name->node, true),
                         &lane->bytes);
        end_rdata(lane, begin);
        enum sg_result result = add_denial(run, lane, name->owner, DNS_TYPE_NSEC, at, drawn);
        if (result != SG_OK) {
            return result;
        }
    }
    if (name->base != NULL && name->node->generated == name->base->generated && is_same(lane)) {
        *out_ref = SIGN_SAME;
        return SG_OK;
    }
    if (lane->generated_count == 0) {
        *out_ref = 0;
        return SG_OK;
    }
    return pack_block(lane, (struct span){NULL, 0}, out_ref);
}

/* The NSEC3 that is there, but for the next hash. */
static enum sg_result append_with_next(struct sign_lane *lane, const struct sign_nsec3 *nsec3)
{
    struct dns_rrset rrset;
    struct nsec3_params params;
    if (!zone_node_rrset(nsec3->base, ZONE_VIEW_UNSIGNED, DNS_TYPE_NSEC3, &rrset)) {
        return SG_MALFORMED;
    }
    struct span rdata = dns_rrset_first(&rrset);
    if (nsec3_params_from_rdata(rdata, &params) != SG_OK) {
        return SG_MALFORMED;
    }
    /* RFC 5155 3.2: behind the salt the length of a hash, then the hash. */
    size_t hash_at = NSEC3_FIXED_BYTES + params.salt_length + 1;
    if (rdata.length < hash_at + NSEC3_HASH_BYTES || rdata.bytes[hash_at - 1] != NSEC3_HASH_BYTES) {
        return SG_MALFORMED;
    }
    size_t at = lane->bytes.length;
    buffer_append(&lane->bytes, rdata.bytes, rdata.length);
    memcpy(lane->bytes.bytes + at + hash_at, nsec3->next_hash, NSEC3_HASH_BYTES);
    return SG_OK;
}

static enum sg_result append_nsec3(const struct sign_run *run, struct sign_lane *lane,
                                   const struct sign_nsec3 *nsec3)
{
    if (nsec3->only_next) {
        return append_with_next(lane, nsec3);
    }
    size_t types = 0;
    if (nsec3->node != NULL) {
        collect_authoritative(lane, nsec3->node, nsec3->apex, nsec3->apex_count);
        types = collect_types(lane, nsec3->node, false);
    }
    nsec3_rdata_write(&run->policy->nsec3_params, nsec3->next_hash, lane->types, types,
                      &lane->bytes);
    return SG_OK;
}

enum sg_result sign_nsec3(const struct sign_run *run, struct sign_lane *lane,
                          const struct sign_nsec3 *nsec3, zone_block_ref *out_ref)
{
    struct dns_name owner = {.labels = (uint8_t)(run->apex->labels + 1)};
    size_t label_bytes = 1 + NSEC3_HASH_TEXT_BYTES;
    owner.wire[0] = NSEC3_HASH_TEXT_BYTES;
    base32hex_encode(nsec3->hash, NSEC3_HASH_BYTES, (char *)owner.wire + 1);
    if (label_bytes + run->apex->length > DNS_NAME_BYTES_MAX) {
        return SG_LIMIT; /* RFC 5155 5: such an apex cannot have NSEC3 */
    }
    memcpy(owner.wire + label_bytes, run->apex->wire, run->apex->length);
    owner.length = (uint8_t)(label_bytes + run->apex->length);

    /* In the tree of hashes all is source; here it is what was made before. */
    const struct zone_node before = {
        .generated = nsec3->base != NULL ? nsec3->base->source : NULL,
    };
    begin_name(lane, &before);
    size_t begin = begin_rdata(lane);
    enum sg_result result = append_nsec3(run, lane, nsec3);
    if (result != SG_OK) {
        return result;
    }
    end_rdata(lane, begin);
    result =
        add_denial(run, lane, &owner, DNS_TYPE_NSEC3, begin - 2, draw_expiration(run, lane, false));
    if (result != SG_OK) {
        return result;
    }
    if (is_same(lane)) {
        *out_ref = SIGN_SAME;
        return SG_OK;
    }
    return pack_block(lane, (struct span){owner.wire, label_bytes}, out_ref);
}

/* A denial lives as long as the SOA says now (RFC 9077 3), which may be another time than when it
 * was signed. */
static uint32_t ttl_of(const struct sign_run *run, const struct dns_rrset *rrset)
{
    bool is_denial = rrset->type == DNS_TYPE_NSEC || rrset->type == DNS_TYPE_NSEC3;
    return is_denial ? run->denial_ttl : rrset->ttl;
}

/* Is something due here, and has not been for long? Not so in a campaign, or after an outage. */
static bool is_in_turn(const struct sign_run *run, const struct zone_node *node, bool nsec3)
{
    return rrsig_first_expiration(node, nsec3, run->now) >= run->keep_from - LATE_SECONDS;
}

enum sg_result sign_again(const struct sign_run *run, struct sign_lane *lane,
                          const struct dns_name *owner, const struct zone_node *node, bool nsec3,
                          zone_block_ref *out_ref)
{
    const struct zone_node before = {
        .source = nsec3 ? NULL : node->source,
        .generated = nsec3 ? node->source : node->generated,
    };
    sg_time drawn = draw_expiration(run, lane, is_in_turn(run, node, nsec3));
    begin_name(lane, &before);
    struct zone_rrset_walk walk = zone_node_walk_layer(&before, ZONE_GENERATED);
    while (zone_node_walk_next(&walk)) {
        struct dns_rrset rrset;
        if (walk.rrset.type != DNS_TYPE_RRSIG) {
            rrset = walk.rrset;
            rrset.ttl = ttl_of(run, &rrset);
            add_generated(lane, &rrset, SIZE_MAX);
            continue;
        }
        if (!zone_node_rrset(&before, ZONE_VIEW_SIGNED, walk.rrset.covered, &rrset)) {
            continue; /* over nothing: let it go */
        }
        rrset.ttl = ttl_of(run, &rrset);
        enum sg_result result =
            add_signatures(run, lane, owner, &rrset, expiration_of(run, rrset.type, drawn));
        if (result != SG_OK) {
            return result;
        }
    }
    if (is_same(lane)) {
        *out_ref = SIGN_SAME;
        return SG_OK;
    }
    if (lane->generated_count == 0) {
        *out_ref = 0;
        return SG_OK;
    }
    return pack_block(lane, nsec3 ? zone_node_owner(node) : (struct span){NULL, 0}, out_ref);
}
