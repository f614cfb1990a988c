#include "kasp/denial.h"
#include "support/table.h"

struct denial_case {
    const char *name;
    bool wants_nsec3;
    uint8_t algorithm;
    struct kasp_denial current;
    enum kasp_denial_step step;
};

/* The policy's NSEC3, where it wants it: no opt-out, a salt of 8 bytes. */
static const struct denial_case cases[] = {
    {"an unsigned zone has nothing to change",
     true,
     13,
     {false, false, false, 0, 0},
     KASP_DENIAL_STAYS},
    {"NSEC stays", false, 13, {true, false, false, 0, 0}, KASP_DENIAL_STAYS},
    {"NSEC to NSEC3", true, 13, {true, false, false, 0, 0}, KASP_DENIAL_TO_NSEC3},
    {"NSEC3 to NSEC", false, 13, {true, true, false, 8, 0}, KASP_DENIAL_TO_NSEC},
    {"a salt of the right length stays", true, 13, {true, true, false, 8, 0}, KASP_DENIAL_STAYS},
    {"a salt of another length is made anew",
     true,
     13,
     {true, true, false, 4, 0},
     KASP_DENIAL_NEW_CHAIN},
    {"opt-out goes", true, 13, {true, true, true, 8, 0}, KASP_DENIAL_NEW_CHAIN},
    {"iterations go (RFC 9276 3.1)", true, 13, {true, true, false, 8, 10}, KASP_DENIAL_NEW_CHAIN},
    {"NSEC3 waits for the last RSASHA1", true, 5, {true, false, false, 0, 0}, KASP_DENIAL_WAITS},
    {"and goes before the first", true, 5, {true, true, false, 8, 0}, KASP_DENIAL_TO_NSEC},
};

static void takes_the_step(void **state)
{
    const struct denial_case *t = *state;
    const struct kasp_policy policy = {.nsec3 = t->wants_nsec3, .nsec3_salt_length = 8};
    struct signing_key key = {.algorithm = t->algorithm};
    struct signing_key *keys[] = {&key};
    const struct key_list list = {keys, 1};
    key.state.records[KEY_RECORD_DNSKEY] = KEY_STATE_UNRETENTIVE;
    assert_int_equal(kasp_denial_plan(&policy, &list, &t->current), t->step);
    key.state.records[KEY_RECORD_DNSKEY] = KEY_STATE_HIDDEN;
    assert_int_not_equal(kasp_denial_plan(&policy, &list, &t->current), KASP_DENIAL_WAITS);
}

int main(void)
{
    return RUN_TABLE(cases, takes_the_step);
}
