/*
 * A small signed zone, random or fuzzed changes to its source, and what sign_change() must have
 * made of them: the zone that sign_zone() makes of the same source, every signature good, and no
 * signature more than the difference needs. Without cmocka, for the fuzz target too.
 */
#pragma once

#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dnssec/pkey.h"
#include "dnssec/sign_change.h"

enum { CHANGE_KEYS = 3, CHANGE_LABELS_MAX = 4, CHANGE_START = 1790000000 };

enum change_denial { CHANGE_NSEC, CHANGE_NSEC3, CHANGE_OPT_OUT, CHANGE_DENIALS };

struct change_scene {
    struct dns_name apex;
    struct signing_key *keys[CHANGE_KEYS]; /* a KSK and two ZSKs */
    struct sign_key sign_keys[CHANGE_KEYS];
    struct sign_keys list;
    struct buffer dnskey_bytes;
    struct dns_rrset dnskey;
    struct sign_policy policy;
    struct sign_request request;
    struct signer *signer;
    uint32_t (*draw)(void *from, uint32_t bound);
    void *from;
    const struct zone_version *version;
    struct worker_pool *pool; /* NULL unless the test brings one */
    struct sign_report report;
};

static inline struct signing_key *change_make_key(const struct dns_name *apex, uint16_t flags)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    struct buffer rdata = BUFFER_EMPTY;
    signing_key_init(key);
    buffer_append_u16(&rdata, flags);
    buffer_append(&rdata, "\3\17", 2); /* Ed25519: the fastest */
    ASSERT(pkey_generate(DNSSEC_ED25519, 0, &rdata, &key->secret) == SG_OK);
    key->flags = flags;
    key->zone = *apex;
    key->algorithm = DNSSEC_ED25519;
    key->dnskey = (struct span){mem_copy(rdata.bytes, rdata.length), rdata.length};
    key->tag = dnskey_tag(key->dnskey);
    buffer_free(&rdata);
    return key;
}

static inline int change_compare_keys(const void *a, const void *b)
{
    return dns_rdata_compare(DNS_TYPE_DNSKEY, (*(struct signing_key *const *)a)->dnskey,
                             (*(struct signing_key *const *)b)->dnskey);
}

/* The first `zsks` ZSKs sign. */
static inline void change_use_keys(struct change_scene *scene, unsigned first, unsigned count)
{
    scene->sign_keys[0] = (struct sign_key){scene->keys[0], true, false};
    for (unsigned i = 0; i < count; i++) {
        scene->sign_keys[1 + i] = (struct sign_key){scene->keys[1 + first + i], false, true};
    }
    scene->list = (struct sign_keys){scene->sign_keys, 1 + count};
}

static inline void change_init(struct change_scene *scene, enum change_denial denial,
                               uint32_t (*draw)(void *from, uint32_t bound), void *from)
{
    *scene = (struct change_scene){
        .policy = {.inception_offset = SG_HOUR,
                   .validity = 14 * SG_DAY,
                   .validity_dnskey = 14 * SG_DAY,
                   .jitter = SG_DAY,
                   .nsec3 = denial != CHANGE_NSEC,
                   .nsec3_params = {.algorithm = 1, .flags = denial == CHANGE_OPT_OUT}},
        .draw = draw,
        .from = from,
    };
    ASSERT(dns_name_from_text("example.", 8, NULL, &scene->apex) == SG_OK);
    do {
        for (unsigned i = 0; i < CHANGE_KEYS; i++) {
            signing_key_free(scene->keys[i]);
            scene->keys[i] = change_make_key(&scene->apex, i == 0 ? 257 : 256);
        }
    } while (scene->keys[0]->tag == scene->keys[1]->tag ||
             scene->keys[0]->tag == scene->keys[2]->tag ||
             scene->keys[1]->tag == scene->keys[2]->tag);
    struct signing_key *sorted[CHANGE_KEYS];
    memcpy(sorted, scene->keys, sizeof(sorted));
    qsort(sorted, CHANGE_KEYS, sizeof(*sorted), change_compare_keys);
    for (unsigned i = 0; i < CHANGE_KEYS; i++) {
        buffer_append_u16(&scene->dnskey_bytes, (uint16_t)sorted[i]->dnskey.length);
        buffer_append(&scene->dnskey_bytes, sorted[i]->dnskey.bytes, sorted[i]->dnskey.length);
    }
    scene->dnskey = (struct dns_rrset){scene->dnskey_bytes.bytes,
                                       (uint32_t)scene->dnskey_bytes.length,
                                       3600,
                                       DNS_TYPE_DNSKEY,
                                       0,
                                       CHANGE_KEYS};
    change_use_keys(scene, 0, 1);
    scene->request = (struct sign_request){.apex = &scene->dnskey,
                                           .apex_count = 1,
                                           .keys = &scene->list,
                                           .policy = &scene->policy,
                                           .serial = 1,
                                           .now = CHANGE_START};
    scene->signer = signer_new();
}

static inline void change_clear(struct change_scene *scene)
{
    zone_version_unref(scene->version);
    for (unsigned i = 0; i < CHANGE_KEYS; i++) {
        signing_key_free(scene->keys[i]);
    }
    buffer_free(&scene->dnskey_bytes);
    signer_free(scene->signer);
    epoch_barrier();
}

static inline uint32_t change_draw(struct change_scene *scene, uint32_t bound)
{
    return scene->draw(scene->from, bound);
}

/* Few labels, so that names are often above or below each other. */
static inline struct dns_name change_draw_name(struct change_scene *scene)
{
    static const char *const labels[] = {"\1a", "\1b", "\1*", "\1\1", "\2ab"};
    struct dns_name name = scene->apex;
    for (uint32_t left = change_draw(scene, CHANGE_LABELS_MAX + 1); left > 0; left--) {
        const char *label = labels[change_draw(scene, ARRAY_LEN(labels))];
        size_t length = 1u + (size_t)label[0];
        memmove(name.wire + length, name.wire, name.length);
        memcpy(name.wire, label, length);
        name.length = (uint8_t)(name.length + length);
        name.labels++;
    }
    return name;
}

/* An RRset of one record; a `count` of 0 takes it away. */
static inline void change_put(struct zone_edit *edit, const struct dns_name *owner, uint16_t type,
                              struct span rdata, uint32_t ttl, uint16_t count)
{
    uint8_t packed[128];
    wire_put_u16(packed, (uint16_t)rdata.length);
    memcpy(packed + 2, rdata.bytes, rdata.length);
    const struct dns_rrset rrset = {packed, (uint32_t)rdata.length + 2, ttl, type, 0, count};
    ASSERT(zone_edit_put_rrset(edit, owner, ZONE_SOURCE, &rrset) == SG_OK);
}

static inline void change_put_soa(struct zone_edit *edit, const struct dns_name *apex,
                                  uint8_t serial, uint8_t minimum)
{
    const uint8_t rdata[22] = {[5] = serial, [21] = minimum};
    change_put(edit, apex, DNS_TYPE_SOA, (struct span){rdata, sizeof(rdata)}, 300, 1);
}

/* Give an RRset of a few kinds to a name, or take it away. */
static inline void change_put_next(struct change_scene *scene, struct zone_edit *edit,
                                   const struct dns_name *owner)
{
    static const uint16_t types[] = {DNS_TYPE_A,     DNS_TYPE_NS, DNS_TYPE_TXT,   DNS_TYPE_NS,
                                     DNS_TYPE_DNAME, DNS_TYPE_DS, DNS_TYPE_CNAME, DNS_TYPE_DS};
    static const uint16_t apex_types[] = {DNS_TYPE_A,   DNS_TYPE_NS,     DNS_TYPE_TXT,
                                          DNS_TYPE_CDS, DNS_TYPE_DNSKEY, DNS_TYPE_DNAME};
    bool apex = dns_name_equal(owner, &scene->apex);
    uint16_t type = apex ? apex_types[change_draw(scene, ARRAY_LEN(apex_types))]
                         : types[change_draw(scene, ARRAY_LEN(types))];
    uint8_t rdata[36] = {0};
    size_t length;
    switch (type) {
    case DNS_TYPE_A:
        length = 4;
        break;
    case DNS_TYPE_TXT:
        rdata[0] = 1;
        length = 2;
        break;
    case DNS_TYPE_DS:
    case DNS_TYPE_CDS:
    case DNS_TYPE_DNSKEY:
        memcpy(rdata, "\1\1\3\17", 4);
        length = 36;
        break;
    default: /* a name */
        rdata[0] = 1;
        length = 3;
        break;
    }
    uint32_t variant = change_draw(scene, 5);
    rdata[length - 2 + (type == DNS_TYPE_TXT)] = (uint8_t)('a' + variant / 2);
    rdata[length - 1] = type == DNS_TYPE_TXT ? 'x' : rdata[length - 1];
    bool removes = variant == 0 || (apex && type == DNS_TYPE_DNAME && variant < 4);
    change_put(edit, owner, type, (struct span){rdata, length}, variant == 4 ? 301 : 300, !removes);
}

static inline void change_remove_name(struct zone_edit *edit, const struct dns_name *owner)
{
    struct zone_node node;
    for (unsigned left = 20; left > 0; left--) {
        if (!zone_version_node(zone_edit_draft(edit), owner, &node)) {
            return;
        }
        struct zone_rrset_walk walk = zone_node_walk_layer(&node, ZONE_SOURCE);
        ASSERT(zone_node_walk_next(&walk));
        struct dns_rrset rrset = walk.rrset;
        rrset.count = 0;
        ASSERT(zone_edit_put_rrset(edit, owner, ZONE_SOURCE, &rrset) == SG_OK);
    }
}

static inline void change_step(struct change_scene *scene, struct zone_edit *edit)
{
    struct dns_name owner = change_draw_name(scene);
    bool apex = dns_name_equal(&owner, &scene->apex);
    uint32_t what = change_draw(scene, 16);
    if (what < 3 && !apex) {
        change_remove_name(edit, &owner);
    } else if (what == 3) {
        change_put_soa(edit, &scene->apex, (uint8_t)change_draw(scene, 200),
                       change_draw(scene, 8) == 0 ? 59 : 60);
    } else {
        change_put_next(scene, edit, &owner);
    }
}

/* The zone as it is, signed whole and anew. */
static inline const struct zone_version *change_sign_fresh(struct change_scene *scene,
                                                           const struct zone_version *version)
{
    struct zone_edit *edit = zone_edit_new(&scene->apex, DNS_CLASS_IN);
    struct zone_cursor *cursor = mem_alloc(sizeof(*cursor));
    zone_cursor_start(cursor, version);
    while (zone_cursor_next(cursor)) {
        struct dns_name owner;
        zone_version_owner(version, &cursor->node, &owner);
        struct zone_rrset_walk walk = zone_node_walk(&cursor->node, ZONE_VIEW_UNSIGNED);
        while (zone_node_walk_next(&walk)) {
            for (struct dns_rdata_cursor c = dns_rrset_walk(&walk.rrset); dns_rdata_next(&c);) {
                uint32_t ttl;
                ASSERT(zone_edit_add_record(edit, &owner, walk.rrset.type, walk.rrset.ttl, c.rdata,
                                            &ttl) == SG_OK);
            }
        }
    }
    mem_free(cursor);
    struct sign_report report;
    const struct zone_version *fresh;
    ASSERT(sign_zone(edit, &scene->request, NULL, &report) == SG_OK);
    ASSERT(zone_edit_seal(edit, &fresh) == SG_OK);
    return fresh;
}

static inline bool change_is_key_type(uint16_t type)
{
    return type == DNS_TYPE_DNSKEY || type == DNS_TYPE_CDS || type == DNS_TYPE_CDNSKEY;
}

/* All but the signatures' bytes is the same. */
static inline void change_check_node(const struct zone_node *node, const struct zone_node *fresh)
{
    struct zone_rrset_walk here = zone_node_walk(node, ZONE_VIEW_SIGNED);
    struct zone_rrset_walk there = zone_node_walk(fresh, ZONE_VIEW_SIGNED);
    while (zone_node_walk_next(&there)) {
        ASSERT(zone_node_walk_next(&here));
        ASSERT(here.rrset.type == there.rrset.type && here.rrset.covered == there.rrset.covered);
        ASSERT(here.rrset.ttl == there.rrset.ttl && here.rrset.count == there.rrset.count);
        ASSERT(here.rrset.type == DNS_TYPE_RRSIG ||
               (here.rrset.bytes == there.rrset.bytes &&
                memcmp(here.rrset.packed, there.rrset.packed, here.rrset.bytes) == 0));
    }
    ASSERT(!zone_node_walk_next(&here));
    ASSERT((node->generated == NULL) == (fresh->generated == NULL));
}

static inline void change_check_equal(const struct zone_version *version,
                                      const struct zone_version *fresh, bool nsec3)
{
    struct zone_cursor *here = mem_alloc(sizeof(*here));
    struct zone_cursor *there = mem_alloc(sizeof(*there));
    (nsec3 ? zone_cursor_start_nsec3 : zone_cursor_start)(here, version);
    (nsec3 ? zone_cursor_start_nsec3 : zone_cursor_start)(there, fresh);
    while (zone_cursor_next(there)) {
        struct dns_name left, right;
        ASSERT(zone_cursor_next(here));
        zone_version_owner(version, &here->node, &left);
        zone_version_owner(fresh, &there->node, &right);
        ASSERT(dns_name_equal(&left, &right));
        change_check_node(&here->node, &there->node);
    }
    ASSERT(!zone_cursor_next(here));
    mem_free(here);
    mem_free(there);
}

static inline void change_check_facts(const struct zone_version *version,
                                      const struct zone_version *fresh)
{
    const struct zone_facts *here = zone_version_facts(version);
    const struct zone_facts *there = zone_version_facts(fresh);
    ASSERT(here->serial == there->serial && here->source_serial == there->source_serial);
    ASSERT(here->negative_ttl == there->negative_ttl && here->denial == there->denial);
    ASSERT(here->opt_out == there->opt_out && here->signed_here == there->signed_here);
    ASSERT(here->names == there->names && here->records == there->records);
    ASSERT(here->has_wildcards == there->has_wildcards);
    ASSERT(here->has_cuts_or_dnames == there->has_cuts_or_dnames);
}

/* By one of the keys, and good at the request's `now`. */
static inline void change_verify(const struct change_scene *scene, const struct dns_name *owner,
                                 const struct dns_rrset *rrset, struct span rrsig)
{
    for (unsigned i = 0; i < CHANGE_KEYS; i++) {
        if (wire_get_u16(rrsig.bytes + 16) == scene->keys[i]->tag) {
            ASSERT(signer_verify(scene->signer, scene->keys[i]->dnskey, owner, rrset, rrsig,
                                 scene->request.now) == SG_OK);
            return;
        }
    }
    UNREACHABLE();
}

static inline bool change_has_rdata(const struct dns_rrset *rrset, struct span rdata)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (c.rdata.length == rdata.length &&
            memcmp(c.rdata.bytes, rdata.bytes, rdata.length) == 0) {
            return true;
        }
    }
    return false;
}

/* Verify a name's signatures; returns how many of them `base` does not have. */
static inline uint64_t change_check_signatures(const struct change_scene *scene,
                                               const struct dns_name *owner,
                                               const struct zone_node *node,
                                               const struct zone_node *base)
{
    uint64_t new = 0;
    struct zone_rrset_walk walk = zone_node_walk(node, ZONE_VIEW_SIGNED);
    while (zone_node_walk_next(&walk)) {
        struct dns_rrset rrset, old, old_signatures = {.count = 0};
        if (walk.rrset.type != DNS_TYPE_RRSIG) {
            continue;
        }
        uint16_t type = walk.rrset.covered;
        ASSERT(zone_node_rrset(node, ZONE_VIEW_SIGNED, type, &rrset));
        bool kept = base != NULL && type != DNS_TYPE_SOA &&
                    zone_node_rrset(base, ZONE_VIEW_SIGNED, type, &old) && old.ttl == rrset.ttl &&
                    old.bytes == rrset.bytes && memcmp(old.packed, rrset.packed, old.bytes) == 0 &&
                    zone_node_signatures(base, ZONE_VIEW_SIGNED, type, &old_signatures);
        for (struct dns_rdata_cursor c = dns_rrset_walk(&walk.rrset); dns_rdata_next(&c);) {
            change_verify(scene, owner, &rrset, c.rdata);
            ASSERT(!kept || change_has_rdata(&old_signatures, c.rdata));
            new += !kept;
        }
    }
    return new;
}

static inline uint64_t change_count_new(const struct change_scene *scene,
                                        const struct zone_version *version,
                                        const struct zone_version *base, bool nsec3)
{
    struct zone_cursor *cursor = mem_alloc(sizeof(*cursor));
    struct zone_cursor *old = mem_alloc(sizeof(*old));
    uint64_t new = 0;
    (nsec3 ? zone_cursor_start_nsec3 : zone_cursor_start)(cursor, version);
    while (zone_cursor_next(cursor)) {
        struct dns_name owner, there;
        struct zone_node *found = NULL;
        zone_version_owner(version, &cursor->node, &owner);
        (nsec3 ? zone_cursor_start_nsec3 : zone_cursor_start)(old, base);
        while (found == NULL && zone_cursor_next(old)) {
            zone_version_owner(base, &old->node, &there);
            found = dns_name_equal(&owner, &there) ? &old->node : NULL;
        }
        new += change_check_signatures(scene, &owner, &cursor->node, found);
    }
    mem_free(cursor);
    mem_free(old);
    return new;
}

/* `version` is what was made of a change to `base` with scene->report. */
static inline void change_check(struct change_scene *scene, const struct zone_version *version,
                                const struct zone_version *base)
{
    const struct zone_version *fresh = change_sign_fresh(scene, version);
    change_check_equal(version, fresh, false);
    change_check_equal(version, fresh, true);
    change_check_facts(version, fresh);
    zone_version_unref(fresh);
    uint64_t needed = change_count_new(scene, version, base, false) +
                      change_count_new(scene, version, base, true);
    ASSERT(scene->report.signatures == needed);
}

/* The first version: a SOA, an NS, and what `steps` steps bring. */
static inline void change_begin(struct change_scene *scene, unsigned steps)
{
    struct zone_edit *edit = zone_edit_new(&scene->apex, DNS_CLASS_IN);
    change_put_soa(edit, &scene->apex, 1, 60);
    change_put(edit, &scene->apex, DNS_TYPE_NS, (struct span){(const uint8_t *)"\1a", 3}, 300, 1);
    while (steps-- > 0) {
        change_step(scene, edit);
    }
    ASSERT(sign_zone(edit, &scene->request, NULL, &scene->report) == SG_OK);
    ASSERT(zone_edit_seal(edit, &scene->version) == SG_OK);
}

/* One change of some steps, checked; it becomes scene->version. */
static inline void change_round(struct change_scene *scene, unsigned steps)
{
    const struct zone_version *base = scene->version;
    const struct zone_version *next;
    struct zone_edit *edit = zone_edit_open(base);
    while (steps-- > 0) {
        change_step(scene, edit);
    }
    scene->request.serial++;
    scene->request.now += 1 + change_draw(scene, 60);
    struct dns_rrset soa;
    struct zone_node apex;
    ASSERT(zone_version_node(zone_edit_draft(edit), &scene->apex, &apex));
    ASSERT(zone_node_rrset(&apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_SOA, &soa));
    bool same_ttl = soa.packed[soa.bytes - 1] == zone_version_facts(base)->negative_ttl;
    if (same_ttl) {
        ASSERT(sign_change(edit, base, &scene->request, scene->pool, &scene->report) == SG_OK);
    } else { /* What is not touched would keep its TTL until a campaign comes by. */
        ASSERT(sign_zone(edit, &scene->request, scene->pool, &scene->report) == SG_OK);
    }
    ASSERT(zone_edit_seal(edit, &next) == SG_OK);
    if (same_ttl) {
        change_check(scene, next, base);
    }
    zone_version_unref(base);
    scene->version = next;
}
