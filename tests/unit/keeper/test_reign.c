#include "keeper/reign.h"
#include "support/table.h"

#define COMMIT ((sg_time)1767225600)
#define LATER  (COMMIT + 1)
#define H      KEY_STATE_HIDDEN
#define R      KEY_STATE_RUMOURED
#define O      KEY_STATE_OMNIPRESENT
#define U      KEY_STATE_UNRETENTIVE
#define N      KEY_STATE_NA

/* clang-format off */
static const struct trace_case {
    const char *name;
    enum key_state_value records[KEY_RECORDS]; /* DNSKEY, ZRRSIG, KRRSIG, DS */
    sg_time change;
    struct reign_place place; /* published, has signed */
    enum reign_trace trace;
    bool at_once; /* the ZRRSIG has changed with the DNSKEY */
} cases[] = {
    {"a ZSK as it was",                        {O, O, N, N}, COMMIT, {true, true},   REIGN_NONE, false},
    {"one whose file was written later",       {O, O, N, N}, LATER,  {true, true},   REIGN_NONE, false},
    {"a ZSK was withdrawn",                    {U, H, N, N}, LATER,  {true, true},   REIGN_WITHDRAWN, false},
    {"and is gone",                            {H, H, N, N}, LATER,  {true, true},   REIGN_WITHDRAWN, false},
    {"so a backup of before says",             {H, H, N, N}, COMMIT, {true, true},   REIGN_NONE, false},
    {"ours, for a commit that never was",      {U, H, N, N}, LATER,  {true, false},  REIGN_NONE, false},
    {"it is retired, and still published",     {O, U, N, N}, LATER,  {true, true},   REIGN_NONE, false},
    {"a KSK leaves, its successor is there",   {U, N, U, H}, LATER,  {true, false},  REIGN_NONE, false},
    {"a ZSK was made for a later roll",        {R, H, N, N}, LATER,  {false, false}, REIGN_NONE, false},
    {"caches know it, and it does not sign",   {O, H, N, N}, LATER,  {false, false}, REIGN_NONE, false},
    {"it has begun to sign",                   {O, R, N, N}, LATER,  {false, false}, REIGN_SIGNS, false},
    {"ours was to begin",                      {O, R, N, N}, LATER,  {true, false},  REIGN_NONE, false},
    {"ours has begun, and is known to sign",   {O, O, N, N}, LATER,  {true, false},  REIGN_SIGNS, false},
    {"an older file knows it to sign",         {O, O, N, N}, COMMIT, {false, false}, REIGN_NONE, false},
    {"a KSK was made",                         {R, N, R, H}, LATER,  {false, false}, REIGN_NONE, false},
    {"caches know it, the parent does not",    {O, N, O, H}, LATER,  {false, false}, REIGN_NONE, false},
    {"its DS is asked for",                    {O, N, O, R}, LATER,  {false, false}, REIGN_TRUSTED, false},
    {"its DS is there",                        {O, N, O, O}, LATER,  {false, false}, REIGN_TRUSTED, false},
    {"ours is asked for",                      {O, N, O, R}, LATER,  {true, false},  REIGN_NONE, false},
    {"a CSK of another algorithm was made",    {R, R, R, H}, LATER,  {false, false}, REIGN_NONE, false},
    {"the parent has its DS",                  {O, O, O, O}, LATER,  {false, false}, REIGN_TRUSTED, false},
    {"the last of an algorithm leaves with its signatures", {U, U, N, N}, LATER, {true, true}, REIGN_NONE, true},
    {"and they are gone",                      {H, H, N, N}, LATER,  {true, true},   REIGN_WITHDRAWN, true},
    {"a CSK was withdrawn",                    {U, U, U, H}, LATER,  {true, true},   REIGN_WITHDRAWN, false},
};
/* clang-format on */

static void tells_of_another_signer(void **state)
{
    const struct trace_case *c = *state;
    struct signing_key key;
    signing_key_init(&key);
    for (int record = 0; record < KEY_RECORDS; record++) {
        key.state.records[record] = c->records[record];
        key.state.changes[record] = COMMIT - 1000;
    }
    key.state.changes[KEY_RECORD_DNSKEY] = c->change;
    key.state.changes[KEY_RECORD_ZRRSIG] = c->at_once ? c->change : COMMIT - 1000;
    assert_int_equal(reign_trace_of(&key, &c->place, COMMIT), REIGN_NONE); /* no .state file */
    key.state.present = true;
    assert_int_equal(reign_last_change(&key), c->change);
    assert_int_equal(reign_trace_of(&key, &c->place, COMMIT), c->trace);
}

int main(void)
{
    return RUN_TABLE(cases, tells_of_another_signer);
}
