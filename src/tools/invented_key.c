#include "tools/invented_key.h"

#include <string.h>

#include "base/mem.h"

/* Flags, protocol, algorithm, and a number of four bytes in place of a public key. */
enum { RDATA_BYTES = 8, DRAWS_MAX = 1 << 18 };

/* Numbers that follow each other would give tags that do. */
static uint32_t scatter(uint32_t draw)
{
    uint32_t mixed = draw * UINT32_C(2654435761);
    return mixed ^ mixed >> 15;
}

static bool fits(const struct kasp_key *entry, const struct key_tag_set *taken, uint16_t tag)
{
    bool may_be_had = tag >= entry->tag_min && tag <= entry->tag_max;
    for (size_t i = 0; i < taken->count && may_be_had; i++) {
        may_be_had = taken->tags[i] != tag;
    }
    return may_be_had;
}

/* Rdata whose tag, and whose tag when revoked, may be had. */
static bool draw(uint8_t rdata[RDATA_BYTES], const struct kasp_key *entry,
                 const struct key_tag_set *taken)
{
    uint8_t flags = rdata[1];
    for (uint32_t number = 1; number <= DRAWS_MAX; number++) {
        wire_put_u32(&rdata[4], scatter(2 * number + (flags & KEY_FLAG_SEP)));
        rdata[1] = flags | KEY_FLAG_REVOKE;
        uint16_t revoked = dnskey_tag((struct span){rdata, RDATA_BYTES});
        rdata[1] = flags;
        if (fits(entry, taken, revoked) &&
            fits(entry, taken, dnskey_tag((struct span){rdata, RDATA_BYTES}))) {
            return true;
        }
    }
    return false;
}

enum sg_result invented_key_new(const struct dns_name *zone, const struct kasp_key *entry,
                                const struct key_tag_set *taken, sg_time now,
                                struct signing_key **out_key)
{
    bool ksk = (entry->role & KASP_ROLE_KSK) != 0;
    uint16_t flags = (uint16_t)(KEY_FLAG_ZONE | (ksk ? KEY_FLAG_SEP : 0));
    uint8_t rdata[RDATA_BYTES] = {(uint8_t)(flags >> 8), (uint8_t)flags, 3, entry->algorithm};
    if (!draw(rdata, entry, taken)) {
        return SG_LIMIT;
    }
    struct signing_key *key = mem_alloc(sizeof(*key));
    signing_key_init(key);
    key->zone = *zone;
    key->algorithm = entry->algorithm;
    key->bits = entry->bits;
    key->flags = flags;
    key->dnskey = (struct span){mem_copy(rdata, sizeof(rdata)), sizeof(rdata)};
    key->tag = dnskey_tag(key->dnskey);
    key->times[KEY_CREATED] = now;
    key->state.present = true;
    key->state.has_roles = true;
    key->state.ksk = ksk;
    key->state.zsk = (entry->role & KASP_ROLE_ZSK) != 0;
    key->state.goal = KEY_STATE_HIDDEN;
    *out_key = key;
    return SG_OK;
}
