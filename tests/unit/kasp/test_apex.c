/* What stands at the apex for a key's states (RFC 7344 4, RFC 8078 4). */
#include "dns/rrtype.h"
#include "kasp/apex.h"
#include "kasp/key_world.h"

#define T0 ((sg_time)1767225600)

struct apex_case {
    const char *name;
    const char *states; /* DNSKEY, ZRRSIG, KRRSIG, DS of a CSK */
    bool deletes;
    bool cdnskey;
    unsigned digests;
    unsigned dnskeys, cdss, cdnskeys; /* how many are there */
    bool are_deletes;
};

static const struct apex_case cases[] = {
    {"a new key has no CDS", "RRRH", false, true, 1, 1, 0, 0, false},
    {"a DS that is asked for has one", "OOOR", false, true, 1, 1, 1, 1, false},
    {"a DS that is there has one", "OOOO", false, true, 1, 1, 1, 1, false},
    {"one that is to go has none", "OOOU", false, true, 1, 1, 0, 0, false},
    {"one for each digest", "OOOO", false, true, 2, 1, 2, 1, false},
    {"no CDNSKEY where the policy wants none", "OOOO", false, false, 1, 1, 1, 0, false},
    {"no CDS without digests", "OOOO", false, true, 0, 1, 0, 1, false},
    {"delete records of both types", "OOOU", true, false, 0, 1, 1, 1, true},
    {"but never beside another", "OOOO", true, true, 1, 1, 1, 1, false},
    {"a key that is gone has nothing", "UUUH", false, true, 1, 0, 0, 0, false},
};

static unsigned count_of(const struct kasp_apex *apex, uint16_t type, bool *is_delete)
{
    for (size_t i = 0; i < apex->count; i++) {
        if (apex->rrsets[i].type == type) {
            *is_delete = apex->rrsets[i].bytes == 2 + 5;
            return apex->rrsets[i].count;
        }
    }
    *is_delete = false;
    return 0;
}

static void stands_at_the_apex(void **state)
{
    const struct apex_case *t = *state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    struct kasp_apex apex;
    bool dnskey_deletes;
    bool cds_deletes;
    bool cdnskey_deletes;
    world_begin(world, policy);
    struct signing_key *key = world_make_key(world, &policy->keys[0], T0);
    key->zone = (struct dns_name){.length = 1};
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] =
            (enum key_state_value)(strchr("HROU-", t->states[record]) - "HROU-");
    }
    policy->cdnskey = t->cdnskey;
    policy->cds_digests[1] = 4;
    policy->cds_digests_count = t->digests;
    const struct kasp_apex_wish wish = {.deletes = t->deletes, .private_type = 65534};
    assert_int_equal(kasp_apex_rrsets(&world->list, policy, &wish, &apex), SG_OK);
    assert_int_equal(count_of(&apex, DNS_TYPE_DNSKEY, &dnskey_deletes), t->dnskeys);
    assert_int_equal(count_of(&apex, DNS_TYPE_CDS, &cds_deletes), t->cdss);
    assert_int_equal(count_of(&apex, DNS_TYPE_CDNSKEY, &cdnskey_deletes), t->cdnskeys);
    assert_int_equal(cds_deletes, t->are_deletes);
    assert_int_equal(cdnskey_deletes, t->are_deletes);
    kasp_apex_clear(&apex);
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

int main(void)
{
    return RUN_TABLE(cases, stands_at_the_apex);
}
