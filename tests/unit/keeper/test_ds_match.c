/* What one reply proves of one key; what many agents prove together: test_ds_check.c. */
#include "dnssec/algorithm.h"
#include "keeper/ds_match.h"
#include "support/table.h"

enum { SHOWN_MAX = 3, NOBODY_KNOWS = 200 };

/* A DS of the key itself by that digest, one of its tag and algorithm with another digest, or that
 * of another key. */
enum shown { NONE, RIGHT, WRONG, OTHER };

static const struct row {
    const char *name;
    enum ds_reply_kind kind;
    struct {
        enum shown shown;
        uint8_t digest_type;
    } records[SHOWN_MAX];
    enum ds_match match;
    bool spoils;
} rows[] = {
    {"its DS", DS_REPLY_PRESENT, {{RIGHT, 2}}, DS_MATCH_SURE, false},
    {"by SHA-1", DS_REPLY_PRESENT, {{RIGHT, 1}}, DS_MATCH_SURE, false},
    {"by two digests", DS_REPLY_PRESENT, {{RIGHT, 2}, {RIGHT, 4}}, DS_MATCH_SURE, false},
    {"beside another's", DS_REPLY_PRESENT, {{OTHER, 2}, {RIGHT, 2}}, DS_MATCH_SURE, false},
    {"beside one that nobody can compute",
     DS_REPLY_PRESENT,
     {{RIGHT, 2}, {WRONG, NOBODY_KNOWS}},
     DS_MATCH_SURE,
     false},
    {"beside a wrong one", DS_REPLY_PRESENT, {{RIGHT, 2}, {WRONG, 4}}, DS_MATCH_PERHAPS, true},
    {"one that nobody can compute",
     DS_REPLY_PRESENT,
     {{WRONG, NOBODY_KNOWS}},
     DS_MATCH_PERHAPS,
     false},
    {"a wrong one alone", DS_REPLY_PRESENT, {{WRONG, 2}}, DS_MATCH_NONE, false},
    {"another's alone", DS_REPLY_PRESENT, {{OTHER, 2}}, DS_MATCH_NONE, false},
    {"no DS", DS_REPLY_ABSENT, {{NONE, 0}}, DS_MATCH_NONE, false},
    {"the child's word", DS_REPLY_CHILD, {{NONE, 0}}, DS_MATCH_PERHAPS, false},
    {"an unproven word", DS_REPLY_UNPROVEN, {{NONE, 0}}, DS_MATCH_PERHAPS, false},
    {"a bogus DS", DS_REPLY_BOGUS, {{RIGHT, 2}}, DS_MATCH_PERHAPS, false},
};

static void make_key(struct signing_key *key, uint8_t *dnskey, uint8_t fill)
{
    enum { DNSKEY_BYTES = 68 };
    signing_key_init(key);
    memset(dnskey, fill, DNSKEY_BYTES);
    dnskey[0] = 1, dnskey[1] = 1, dnskey[2] = 3, dnskey[3] = DNSSEC_ECDSAP256SHA256;
    key->zone = (struct dns_name){.length = 9, .labels = 1};
    memcpy(key->zone.wire, "\7example", 9);
    key->algorithm = DNSSEC_ECDSAP256SHA256;
    key->dnskey = (struct span){dnskey, DNSKEY_BYTES};
    key->tag = dnskey_tag(key->dnskey);
}

static void show(struct ds_reply *reply, const struct signing_key *key, uint8_t digest_type,
                 bool wrong, struct buffer *rdata)
{
    uint8_t computed = digest_type == NOBODY_KNOWS ? 2 : digest_type;
    assert_int_equal(signing_key_ds(key, computed, rdata), SG_OK);
    rdata->bytes[10] ^= wrong;
    reply->records[reply->count++] = (struct ds_record){
        .tag = key->tag,
        .algorithm = key->algorithm,
        .digest_type = digest_type,
        .digest = {rdata->bytes + 4, rdata->length - 4},
    };
}

static void a_reply_proves(void **state)
{
    const struct row *row = *state;
    struct signing_key key, other;
    uint8_t dnskeys[2][68];
    struct buffer rdatas[SHOWN_MAX] = {BUFFER_EMPTY, BUFFER_EMPTY, BUFFER_EMPTY};
    struct ds_reply reply = {.kind = row->kind};
    bool spoils = false;
    make_key(&key, dnskeys[0], 1);
    make_key(&other, dnskeys[1], 2);
    for (size_t i = 0; i < SHOWN_MAX && row->records[i].shown != NONE; i++) {
        show(&reply, row->records[i].shown == OTHER ? &other : &key, row->records[i].digest_type,
             row->records[i].shown == WRONG, &rdatas[i]);
    }
    struct ds_match_key match = ds_match_key_of(&key);
    assert_true(ds_match_key_is_of(&match, &key));
    assert_false(ds_match_key_is_of(&match, &other));
    assert_int_equal(ds_match_reply(&match, &reply, &spoils), row->match);
    assert_int_equal(spoils, row->spoils);
    assert_int_equal(ds_match_reply(&match, NULL, &spoils), DS_MATCH_PERHAPS);
    ds_match_key_clear(&match);
    for (size_t i = 0; i < SHOWN_MAX; i++) {
        buffer_free(&rdatas[i]);
    }
}

int main(void)
{
    return RUN_TABLE(rows, a_reply_proves);
}
