/* What is told of the keys of a zone while they follow each other. */
#include "dns/rrtype.h"
#include "kasp/apex.h"
#include "kasp/key_world.h"
#include "kasp/progress.h"

#define T0 ((sg_time)1767225600)

#define N KASP_PROGRESS_NONE
#define S KASP_PROGRESS_SIGNING
#define R KASP_PROGRESS_REMOVING
#define D KASP_PROGRESS_DONE

/* Two keys of a role each, as their records are: DNSKEY, ZRRSIG, KRRSIG, DS. */
static const struct progress_case {
    const char *name;
    const char *first, *second;         /* NULL: there is none */
    unsigned other_algorithm, together; /* of the second */
    enum kasp_progress is[2];
} cases[] = {
    {"a first signing is done with its commit", "RR--", NULL, 0, 0, {D, N}},
    {"a key that signs", "OO--", NULL, 0, 0, {D, N}},
    {"a KSK signs DNSKEY alone", "O-OO", NULL, 0, 0, {D, N}},
    {"a key that is published and waits", "OO--", "RH--", 0, 0, {D, N}},
    {"one follows another", "OU--", "OR--", 0, 0, {R, S}},
    {"it has followed", "UH--", "OO--", 0, 0, {N, D}},
    {"the old one is not withdrawn yet", "OO--", "OR--", 0, 0, {D, S}},
    {"two that begin together have signed it all", "RR--", "RR--", 0, 1, {D, D}},
    {"another algorithm signs all at once", "OO--", "RR--", 1, 0, {D, D}},
    {"the last of an algorithm goes at once", "UU--", "OO--", 1, 0, {N, D}},
    {"a CSK whose role as a ZSK goes", "OUOO", "OR--", 0, 0, {R, S}},
    {"what has gone is nothing", "HH--", NULL, 0, 0, {N, N}},
};

static void set_states(struct signing_key *key, const char *states)
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] =
            (enum key_state_value)(strchr("HROU-", states[record]) - "HROU-");
        key->state.changes[record] = T0;
    }
}

/* What goes on has a record, in BIND's form, and what is done if one told that it began. */
static void records_tell_of_it(const struct world *world, const enum kasp_progress is[2],
                               uint64_t told)
{
    struct kasp_policy *policy = kasp_policy_default();
    const struct kasp_apex_wish wish = {.private_type = 65400, .progress_told = told};
    struct kasp_apex apex;
    size_t expected = 0;
    size_t found = 0;
    policy->cds_digests_count = 0;
    for (size_t i = 0; i < 2; i++) {
        expected += is[i] == S || is[i] == R || (is[i] == D && (told >> i & 1) != 0);
    }
    assert_int_equal(kasp_apex_rrsets(&world->list, policy, &wish, &apex), SG_OK);
    for (size_t i = 0; i < apex.count; i++) {
        if (apex.rrsets[i].type != 65400) {
            continue;
        }
        assert_int_equal(apex.rrsets[i].ttl, 0);
        for (struct dns_rdata_cursor c = dns_rrset_walk(&apex.rrsets[i]); dns_rdata_next(&c);) {
            size_t key = wire_get_u16(&c.rdata.bytes[1]) == world->live[0]->tag ? 0 : 1;
            assert_int_equal(c.rdata.length, 5);
            assert_int_equal(c.rdata.bytes[0], world->live[key]->algorithm);
            assert_int_equal(wire_get_u16(&c.rdata.bytes[1]), world->live[key]->tag);
            assert_int_equal(c.rdata.bytes[3], is[key] == R);
            assert_int_equal(c.rdata.bytes[4], is[key] == D);
            found++;
        }
    }
    assert_int_equal(found, expected);
    kasp_apex_clear(&apex);
    kasp_policy_free(policy);
}

static void progress_follows_from_states(void **state)
{
    const struct progress_case *t = *state;
    struct kasp_policy *policy = kasp_policy_default();
    struct world *world = mem_alloc(sizeof(*world));
    world_begin(world, policy);
    for (size_t i = 0; i < 2 && (i == 0 || t->second != NULL); i++) {
        struct signing_key *key = world_make_key(world, &policy->keys[0], T0);
        set_states(key, i == 0 ? t->first : t->second);
        if (i == 1) {
            key->algorithm = t->other_algorithm ? 15 : key->algorithm;
            key->state.changes[KEY_RECORD_ZRRSIG] = t->together ? T0 : T0 + 1;
        }
    }
    for (size_t i = 0; i < world->list.count; i++) {
        assert_int_equal(kasp_key_progress(&world->list, i), t->is[i]);
    }
    for (uint64_t told = 0; told < 4; told++) {
        records_tell_of_it(world, t->is, told);
    }
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

int main(void)
{
    return RUN_TABLE(cases, progress_follows_from_states);
}
