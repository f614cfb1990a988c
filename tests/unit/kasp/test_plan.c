/*
 * The worked timelines of BIND's key manager with its default policy, to the second: a parent that
 * acts at once, and plan after plan at the instants that the plans ask for. A line is an instant
 * and what changed by then: the key's number and its DNSKEY, ZRRSIG, KRRSIG, DS.
 */
#include <stdio.h>

#include "kasp/key_world.h"

#define T0 ((sg_time)1767225600) /* 2026-01-01T00:00:00Z */

enum { LOG_BYTES = 4096 };

/* What is done at the zero of a timeline, when the keys made before are settled. */
enum deed { DEED_NOTHING, DEED_ROLL_0, DEED_ROLL_1, DEED_WAIT_FOR_LIFE, DEED_NEW_POLICY };

struct timeline {
    const char *name;
    const char
        *before; /* keys of the policy: c, k, z, each with an algorithm's letter: 8, D (13) */
    enum deed deed;
    const char *after; /* DEED_NEW_POLICY; "": insecure */
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
     * lets both keys sign until 94200, which serves nothing. The old ZRRSIG waits for Dsgn here. */
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
};
/* clang-format on */

static void set_keys(struct kasp_policy *policy, const char *keys, uint32_t zsk_lifetime)
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

static void state_text(const struct signing_key *key, char text[KEY_RECORDS + 1])
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        text[record] = "HROU-"[key->state.records[record]];
    }
    text[KEY_RECORDS] = 0;
}

/* One line for an instant at which something changed. */
static void write_line(const struct world *world, sg_time offset, char last[][KEY_RECORDS + 1],
                       char *log)
{
    char line[512];
    int length = snprintf(line, sizeof(line), "%lld", (long long)offset);
    int empty = length;
    for (size_t i = 0; i < world->list.count; i++) {
        char now[KEY_RECORDS + 1];
        size_t number = world_key_of(world->live[i])->number;
        state_text(world->live[i], now);
        if (strcmp(now, last[number]) != 0) {
            length +=
                snprintf(&line[length], sizeof(line) - (size_t)length, " %zu:%s", number, now);
            memcpy(last[number], now, sizeof(now));
        }
    }
    if (length > empty && log != NULL) {
        assert_true(strlen(log) + (size_t)length + 2 < LOG_BYTES);
        strcat(strcat(log, line), "\n");
    }
}

static sg_time turn_with_parent(struct world *world, sg_time now)
{
    sg_time wake;
    do {
        wake = world_turn(world, now);
    } while (world_parent_obeys(world, now));
    return wake;
}

static void run(struct world *world, sg_time from, sg_time until, char last[][KEY_RECORDS + 1],
                char *log)
{
    for (sg_time now = from; now < until;) {
        sg_time wake = turn_with_parent(world, now);
        assert_true(wake > now);
        write_line(world, now - from, last, log);
        now = wake;
    }
}

static void comes_out_to_the_second(void **state)
{
    const struct timeline *t = *state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    char last[16][KEY_RECORDS + 1] = {""};
    char log[LOG_BYTES] = "";
    sg_time from = T0;
    set_keys(policy, t->before, t->lifetime);
    world_begin(world, policy);
    if (t->deed != DEED_NOTHING) {
        sg_time life = t->lifetime - 7500;
        from = T0 + (t->deed == DEED_WAIT_FOR_LIFE ? life : 20 * SG_DAY);
        run(world, T0, from, last, NULL);
    }
    if (t->deed == DEED_ROLL_0 || t->deed == DEED_ROLL_1) {
        struct signing_key *key = &world->made[t->deed == DEED_ROLL_0 ? 0 : 1]->key;
        assert_int_equal(kasp_roll_key(policy, key, from), SG_OK);
    } else if (t->deed == DEED_NEW_POLICY) {
        set_keys(policy, t->after, t->lifetime);
    }
    run(world, from, from + 40 * SG_DAY, last, log);
    assert_string_equal(log, t->expected);
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

/* Another signer's key in the middle of a roll: its states, links and instants are gone on from. */
static void take_over(struct world *world, size_t number, const char *states, sg_time since,
                      sg_time parent_acted)
{
    struct signing_key *key = world_make_key(world, &world->policy->keys[0], T0);
    struct signing_key *other = &world->made[number == 0 ? 0 : number - 1]->key;
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] =
            (enum key_state_value)(strchr("HROU-", states[record]) - "HROU-");
        key->state.changes[record] = since;
    }
    key->times[KEY_PUBLISH] = key->times[KEY_ACTIVATE] = since;
    key->times[number == 0 ? KEY_DS_REMOVED : KEY_DS_PUBLISH] = parent_acted;
    key->state.goal = number == 0 ? KEY_STATE_HIDDEN : KEY_STATE_OMNIPRESENT;
    key->state.has_lifetime = true;
    if (number > 0) {
        key->state.has_predecessor = other->state.has_successor = true;
        key->state.predecessor = other->tag;
        other->state.successor = key->tag;
    }
}

static void a_roll_is_taken_over_where_it_is(void **state)
{
    (void)state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    char last[16][KEY_RECORDS + 1] = {"OUOU", "OROR"};
    char log[LOG_BYTES] = "";
    world_begin(world, policy);
    take_over(world, 0, "OUOU", T0 + 7500, T0 + 8000);
    take_over(world, 1, "OROR", T0 + 7500, T0 + 8000);
    /* Nobody has looked at the parent since: what was noted counts. */
    for (sg_time now = T0 + 50000; now < T0 + 20 * SG_DAY;) {
        sg_time wake = world_turn(world, now);
        write_line(world, now - T0, last, log);
        now = wake;
    }
    assert_int_equal(world->made_count, 2);
    assert_string_equal(log, "101600 0:OUUH 1:OROO\n105500 0:OUHH\n"
                             "875400 0:UHHH 1:OOOO\n879300 0:HHHH\n");
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_roll_is_taken_over_where_it_is)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(timelines, comes_out_to_the_second);
}
