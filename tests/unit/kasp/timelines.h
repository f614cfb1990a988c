/*
 * kasp/timelines.h - the worked timelines of BIND's key manager with its default policy, to the
 * second, and a parent that acts at once
 *
 * A line is an instant and what changed by then: the key's number and its DNSKEY, ZRRSIG, KRRSIG,
 * DS. Keys are numbered as they are made.
 */
#pragma once

#include "kasp/policy.h"

#define T0 ((sg_time)1767225600) /* 2026-01-01T00:00:00Z */

/* What is done at the zero of a timeline, when the keys made before are settled; or, the last, when
 * their DNSKEY are known and no DS has been asked for yet. */
enum deed {
    DEED_NOTHING,
    DEED_ROLL_0,
    DEED_ROLL_1,
    DEED_WAIT_FOR_LIFE,
    DEED_NEW_POLICY,
    DEED_NEW_POLICY_EARLY,
};

struct timeline {
    const char *name;
    const char
        *before; /* keys of the policy: c, k, z, each with an algorithm's letter: 8, D (13) */
    enum deed deed;
    const char *after; /* DEED_NEW_POLICY(_EARLY); "": insecure */
    uint32_t lifetime; /* of ZSKs */
    const char *expected;
};

static const char csk_roll[] = "0 1:RHRH\n"
                               "7500 0:OUOU 1:OROR\n"
                               "101100 0:OUUH 1:OROO\n"
                               "105000 0:OUHH\n"
                               "875400 0:UHHH 1:OOOO\n"
                               "879300 0:HHHH\n";

/* clang-format off */
static const struct timeline timelines[] = {
    {"first signing, CSK", "cD", DEED_NOTHING, NULL, 0,
     "0 0:RRRH\n7500 0:OROH\n86700 0:OOOR\n176700 0:OOOO\n"},
    {"first signing, KSK and ZSK", "kDzD", DEED_NOTHING, NULL, 0,
     "0 0:R-RH 1:RR--\n7500 0:O-OH 1:OR--\n86700 0:O-OR 1:OO--\n176700 0:O-OO\n"},
    {"ZSK roll at the end of its life", "kDzD", DEED_WAIT_FOR_LIFE, NULL, 90 * 86400,
     "0 2:RH--\n7500 1:OU-- 2:OR--\n875400 1:UH-- 2:OO--\n879300 1:HH--\n"},
    {"ZSK roll by command", "kDzD", DEED_ROLL_1, NULL, 0,
     "0 2:RH--\n7500 1:OU-- 2:OR--\n875400 1:UH-- 2:OO--\n879300 1:HH--\n"},
    {"KSK roll", "kDzD", DEED_ROLL_0, NULL, 0,
     "0 2:R-RH\n7500 0:O-OU 2:O-OR\n101100 0:U-UH 2:O-OO\n105000 0:H-HH\n"},
    {"CSK roll", "cD", DEED_ROLL_0, NULL, 0, csk_roll},
    {"algorithm roll, CSK", "c8", DEED_NEW_POLICY, "cD", 0,
     "0 1:RRRH\n7500 1:OROH\n86700 0:OOOU 1:OOOR\n176700 0:UUUH 1:OOOO\n180600 0:HUHH\n"
     "263400 0:HHHH\n"},
    {"algorithm roll, KSK and ZSK", "k8z8", DEED_NEW_POLICY, "kDzD", 0,
     "0 2:R-RH 3:RR--\n7500 2:O-OH 3:OR--\n86700 0:O-OU 2:O-OR 3:OO--\n"
     "176700 0:U-UH 1:UU-- 2:O-OO\n180600 0:H-HH 1:HU--\n263400 1:HH--\n"},
    /* BIND withdraws the old DNSKEY at 97500, while RRsets and caches still have its signatures; and
     * lets both keys sign until 94200: what the old one signs then its DNSKEY would have to outlive as
     * well, Dsgn from then on. The old ZRRSIG goes when the new one comes, and waits for Dsgn here. */
    {"CSK to KSK and ZSK", "cD", DEED_NEW_POLICY, "kDzD", 0,
     "0 1:R-RH 2:RH--\n7500 0:OUOU 1:O-OR 2:OR--\n97500 0:OUUH 1:O-OO\n101400 0:OUHH\n"
     "875400 0:UHHH 2:OO--\n879300 0:HHHH\n"},
    {"KSK and ZSK to CSK", "kDzD", DEED_NEW_POLICY, "cD", 0,
     "0 2:RHRH\n7500 0:O-OU 1:OU-- 2:OROR\n97500 0:U-UH 2:OROO\n101400 0:H-HH\n"
     "875400 1:UH-- 2:OOOO\n879300 1:HH--\n"},
    {"going insecure", "cD", DEED_NEW_POLICY, "", 0,
     "0 0:OOOU\n90000 0:UUUH\n93900 0:HUHH\n695100 0:HHHH\n"},
    {"going insecure, KSK and ZSK", "kDzD", DEED_NEW_POLICY, "", 0,
     "0 0:O-OU\n90000 0:U-UH 1:UU--\n93900 0:H-HH 1:HU--\n695100 1:HH--\n"},
    /* BIND withdraws the old key at once, at 0, or at 86700 when the new DS is asked for. But nobody has
     * looked at the parent yet, where a DS may be that was brought by hand: below it, that would be
     * bogus. So its DS counts as one withdrawn at 0, and the key stays until no cache can have it. */
    {"going insecure before a DS was asked for", "cD", DEED_NEW_POLICY_EARLY, "", 0,
     "0 0:OROU\n90000 0:UUUH\n93900 0:HUHH\n695100 0:HHHH\n"},
    {"going insecure before a DS was asked for, KSK and ZSK", "kDzD", DEED_NEW_POLICY_EARLY, "", 0,
     "0 0:O-OU\n90000 0:U-UH 1:UU--\n93900 0:H-HH 1:HU--\n695100 1:HH--\n"},
    {"algorithm roll before a DS was asked for", "c8", DEED_NEW_POLICY_EARLY, "cD", 0,
     "0 0:OROU 1:RRRH\n7500 1:OROH\n66700 0:OOOU\n86700 1:OOOR\n90000 0:UUUH\n93900 0:HUHH\n"
     "176700 0:HHHH 1:OOOO\n"},
};
/* clang-format on */

static inline void set_keys(struct kasp_policy *policy, const char *keys, uint32_t zsk_lifetime)
{
    policy->keys_count = 0;
    policy->insecure = *keys == 0;
    policy->max_zone_ttl = *keys == 0 ? 0 : (uint32_t)SG_DAY;
    for (; *keys != 0; keys += 2) {
        policy->keys[policy->keys_count++] = (struct kasp_key){
            .role = keys[0] == 'c'   ? KASP_ROLE_CSK
                    : keys[0] == 'k' ? KASP_ROLE_KSK
                                     : KASP_ROLE_ZSK,
            .lifetime = keys[0] == 'z' ? zsk_lifetime : 0,
            .algorithm = keys[1] == 'D' ? 13 : 8,
            .bits = keys[1] == 'D' ? 256 : 2048,
            .tag_max = UINT16_MAX,
        };
    }
}

/* When it is done, after the first key was made. */
static inline sg_duration deed_at(const struct timeline *t)
{
    switch (t->deed) {
    case DEED_NOTHING:
        return 0;
    case DEED_WAIT_FOR_LIFE:
        return t->lifetime - 7500;
    case DEED_NEW_POLICY_EARLY:
        return 20000;
    default:
        return 20 * SG_DAY;
    }
}
