/*
 * A move beside the states of up to three keys, and the rule that forbids it. A key is its
 * algorithm (a, b), goal (+ stays, - leaves), DNSKEY, ZRRSIG, KRRSIG, DS (?: hidden, but nobody has
 * looked at the parent), and the hour of its changes.
 */
#include "kasp/key_world.h"

#define T0 ((sg_time)1767225600)

#define NONE KASP_RULES

enum { CASE_KEYS = 3, NOW_HOUR = 9 };

struct rules_case {
    const char *name;
    const char *keys[CASE_KEYS];
    const char *move; /* key's number, record's and the target's letter */
    enum kasp_rule rule;
};

/* clang-format off */
static const struct rules_case cases[] = {
    /* turn */
    {"a first key signs at once", {"a+RHHH0"}, "0ZR", NONE},
    {"a second one when its DNSKEY is known", {"a-OO--0", "a+RH--5"}, "1ZR", KASP_RULE_TURN},
    {"and then it does", {"a-OO--0", "a+OH--5"}, "1ZR", NONE},
    {"a first key does not below a DS", {"a+O-OO0", "a+RH--5"}, "1ZR", KASP_RULE_TURN},
    {"a signer whose DNSKEY leaves is none", {"a-UO--0", "a+RH--5"}, "1ZR", NONE},
    {"a KRRSIG comes with its DNSKEY", {"a+H-HH0"}, "0KR", KASP_RULE_TURN},
    {"a DS after the DNSKEY", {"a+ROOH0"}, "0DR", KASP_RULE_TURN},
    {"a DS after the KRRSIG", {"a+OORH0"}, "0DR", KASP_RULE_TURN},
    {"the first DS after all signatures", {"a+OROH0"}, "0DR", KASP_RULE_TURN},
    {"a later one sooner", {"a-OUOO5", "a+OROH5"}, "1DR", NONE},
    {"the first one does not come sooner because a stranger's may be there", {"a-OROU5", "a+OROH5"}, "1DR", KASP_RULE_TURN},
    {"nor when its own may be", {"a+ORO?0"}, "0DR", KASP_RULE_TURN},
    /* halfway */
    {"what is rumoured is finished first", {"a+OOOO0", "a-RH--5"}, "1nU", KASP_RULE_HALFWAY},
    {"signatures only with their DNSKEY", {"b+OOOO0", "a-UR--5", "a-OOOU0"}, "1ZU", NONE},
    {"unless no DS is about", {"b+OOOO0", "a-RRRH5"}, "1nU", NONE},
    {"and one that nobody has looked for may be", {"a+O-O?0", "a-RH--5"}, "1nU", KASP_RULE_HALFWAY},
    /* chain */
    {"the only DS stays", {"a-OOOO0", "a+OOOH0"}, "0DU", KASP_RULE_CHAIN},
    {"until another is asked for", {"a-OOOO0", "a+OOOR5"}, "0DU", NONE},
    {"of any algorithm", {"a-OOOO0", "b+OOOR5"}, "0DU", NONE},
    /* dnskey */
    {"a DS that may be alone is a key's that all know", {"a-OOOO0", "a+RORR5"}, "0DU", KASP_RULE_DNSKEY},
    {"a DNSKEY with a DS stays", {"a-OOOO0"}, "0nU", KASP_RULE_PARENT},
    {"its signature as well", {"a-OOOU5", "a+OOOO0"}, "0KU", KASP_RULE_PARENT},
    {"a key stays that may have a DS nobody asked for", {"a-OHO?0", "a+OOOO0"}, "0nU", KASP_RULE_PARENT},
    {"and its signature", {"a-OHO?0", "a+OOOO0"}, "0KU", KASP_RULE_PARENT},
    {"a DS that nobody asked for may be alone", {"a+R-R?5", "a-O-OH0", "a+OO--0"}, "1nU", KASP_RULE_DNSKEY},
    {"the first key of all comes", {"a+HHH?0"}, "0nR", NONE},
    {"a key without a DS goes", {"a-OHOH0", "a+OOOO0"}, "0nU", NONE},
    {"from a chain that is broken nothing is withdrawn", {"a+R-RO5", "a-OU--0", "a+OO--0"}, "1nU", KASP_RULE_DNSKEY},
    {"but time mends it", {"a+R-RO5", "a+OO--0"}, "0nO", NONE},
    /* rrsig */
    {"the DNSKEY of one that signs stays", {"a-OO--0", "a+OO--0", "a+O-OO0"}, "0nU", KASP_RULE_COMPLETE},
    {"also where it has only begun", {"a-OR--9", "a+OO--0", "a+O-OO0"}, "0nU", KASP_RULE_COMPLETE},
    {"until it signs no more", {"a-OU--9", "a+OO--0", "a+O-OO0"}, "0nU", NONE},
    {"the only signatures stay", {"a-OO--0", "a+OH--0", "a+O-OO0"}, "0ZU", KASP_RULE_COMPLETE},
    {"signatures change hands", {"a-OO--0", "a+OR--9", "a+O-OO0"}, "0ZU", NONE},
    {"also to one that came before", {"a-OO--0", "a+OR--5", "a+O-OO0"}, "0ZU", NONE},
    {"a DNSKEY stays for signatures in caches", {"a-OU--5", "a+OR--5", "a+O-OO0"}, "0nU", KASP_RULE_RRSIG},
    {"and goes after them", {"a-OU--5", "a+OO--5", "a+O-OO0"}, "0nU", NONE},
    {"a key that is not known cannot take over", {"a-OO--0", "a+RR--5", "a+O-OO0"}, "0ZU", KASP_RULE_RRSIG},
    {"without a DS nothing is to be verified", {"a-OU--5", "a+OR--5", "a+O-OH0"}, "0nU", NONE},
    {"if it is known that there is none", {"a-OU--5", "a+OR--5", "a+O-O?0"}, "0nU", KASP_RULE_RRSIG},
    /* complete */
    {"an algorithm comes with both roles", {"b+OOOO0", "a+H-HH5"}, "1nR", KASP_RULE_COMPLETE},
    {"and then it does come", {"b+OOOO0", "a+H-HH5", "a+HH--5"}, "1nR", NONE},
    {"the last signer of the keys stays", {"b+OOOO0", "a-O-OH0", "a+OO--0"}, "1nU", KASP_RULE_COMPLETE},
    {"unless all leave", {"b+OOOO0", "a-O-OH0", "a-OO--0"}, "1nU", NONE},
    {"its signatures go last", {"b+OOOO0", "a-U-OH0", "a-OO--0"}, "1KU", KASP_RULE_COMPLETE},
    {"with the last DNSKEY", {"b+OOOO0", "a-U-OH0", "a-UO--0"}, "1KU", NONE},
};
/* clang-format on */

static enum key_state_value value_of(char letter)
{
    const char *letters = "HROU-";
    return letter == '?' ? KEY_STATE_HIDDEN
                         : (enum key_state_value)(strchr(letters, letter) - letters);
}

static void place_key(struct world *world, const char *text)
{
    bool ksk = text[4] != '-';
    bool zsk = text[3] != '-';
    const struct kasp_key wanted = {
        .role = (enum kasp_role)((ksk ? KASP_ROLE_KSK : 0) | (zsk ? KASP_ROLE_ZSK : 0)),
        .algorithm = text[0] == 'a' ? 13 : 15,
        .bits = 256,
        .tag_max = UINT16_MAX,
    };
    struct signing_key *key = world_make_key(world, &wanted, T0);
    key->state.goal = text[1] == '+' ? KEY_STATE_OMNIPRESENT : KEY_STATE_HIDDEN;
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] = value_of(text[2 + record]);
        key->state.changes[record] = T0 + (text[6] - '0') * SG_HOUR;
    }
    struct kasp_key_plan *planned = &world->plan.keys[world->plan.count++];
    *planned = (struct kasp_key_plan){.key = key, .state = key->state};
    planned->times[KEY_DS_REMOVED] = text[5] == '?' ? KEY_TIME_UNSET : T0;
}

static void forbids(void **state)
{
    const struct rules_case *t = *state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    world_begin(world, policy);
    for (size_t i = 0; i < CASE_KEYS && t->keys[i] != NULL; i++) {
        place_key(world, t->keys[i]);
    }
    struct kasp_case c = {policy,         &world->facts, T0 + NOW_HOUR * SG_HOUR,
                          KASP_RULES_ALL, &world->plan,  {0}};
    const struct kasp_move move = {
        .key = (size_t)(t->move[0] - '0'),
        .record = (enum key_record)(strchr("nZKD", t->move[1]) - "nZKD"),
        .target = value_of(t->move[2]),
    };
    assert_int_equal(kasp_rule_against(&c, &move), t->rule);
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

int main(void)
{
    return RUN_TABLE(cases, forbids);
}
