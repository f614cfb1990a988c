/* A check of a DS, and what parental agents can say to it. */
#pragma once

#include "dnssec/algorithm.h"
#include "keeper/ds_check.h"
#include "support/table.h"

enum { T0 = 1700000000, RETRY_MIN = 60, RETRY_MAX = 3600, AGENTS = 3 };

static const struct ds_check_bounds bounds = {RETRY_MIN, RETRY_MAX, SG_DAY, 4 * RETRY_MAX};

static struct remote agents[AGENTS];

/* --- a key, and what a parent could show of it ----------------------------------------------- */

static inline void make_key(struct signing_key *key, uint8_t first)
{
    static uint8_t rdata[4][68];
    uint8_t *bytes = rdata[first % 4];
    signing_key_init(key);
    memset(bytes, first, 68);
    bytes[0] = 1, bytes[1] = 1, bytes[2] = 3, bytes[3] = DNSSEC_ECDSAP256SHA256;
    key->zone = (struct dns_name){.length = 9, .labels = 1};
    memcpy(key->zone.wire, "\7example", 9);
    key->algorithm = DNSSEC_ECDSAP256SHA256;
    key->flags = 257;
    key->dnskey = (struct span){bytes, 68};
    key->tag = dnskey_tag(key->dnskey);
}

static inline struct buffer ds_of(const struct signing_key *key, uint8_t type)
{
    struct buffer rdata = BUFFER_EMPTY;
    assert_int_equal(signing_key_ds(key, type, &rdata), SG_OK);
    return rdata;
}

enum word {
    SHOWS,
    SHOWS_SHA1,
    SHOWS_BOTH,
    NO_DS,
    WRONG_DIGEST,
    ONE_RIGHT_ONE_WRONG,
    STRANGE_DIGEST,
    OTHER_KEY,
    OF_CHILD,
    LAME,
    SERVFAIL,
    SILENT,
    HANGS_UP,
    WORDS
};

struct said {
    enum sg_result result;
    struct ds_reply reply;
    struct buffer first, second;
};

static inline void add(struct ds_reply *reply, const struct buffer *rdata, uint8_t type)
{
    reply->records[reply->count++] = (struct ds_record){
        .tag = wire_get_u16(rdata->bytes),
        .algorithm = rdata->bytes[2],
        .digest_type = type,
        .digest = {rdata->bytes + 4, rdata->length - 4},
    };
    reply->kind = DS_REPLY_PRESENT;
    reply->ttl = 3600;
}

static inline void say(struct said *said, enum word word, const struct signing_key *key,
                       const struct signing_key *other)
{
    *said = (struct said){.result = word == SILENT     ? SG_TIMEOUT
                                    : word == HANGS_UP ? SG_IO
                                                       : SG_OK,
                          .reply = {.kind = DS_REPLY_ABSENT}};
    const struct signing_key *shown = word == OTHER_KEY ? other : key;
    said->first = ds_of(shown, word == SHOWS_SHA1 ? 1 : 2);
    said->second = ds_of(shown, 4);
    switch (word) {
    case WRONG_DIGEST:
        said->first.bytes[10] ^= 1;
        add(&said->reply, &said->first, 2);
        break;
    case ONE_RIGHT_ONE_WRONG: /* A validator may look at the second alone. */
        add(&said->reply, &said->first, 2);
        said->second.bytes[10] ^= 1;
        add(&said->reply, &said->second, 4);
        break;
    case STRANGE_DIGEST:
        add(&said->reply, &said->first, 200);
        break;
    case SHOWS_BOTH:
        add(&said->reply, &said->second, 4);
        add(&said->reply, &said->first, 2);
        break;
    case SHOWS_SHA1:
        add(&said->reply, &said->first, 1);
        break;
    case SHOWS:
    case OTHER_KEY:
        add(&said->reply, &said->first, 2);
        break;
    case OF_CHILD:
        said->reply.kind = DS_REPLY_CHILD;
        break;
    case LAME:
        said->reply.kind = DS_REPLY_LAME;
        break;
    case SERVFAIL:
        said->reply.kind = DS_REPLY_REFUSED;
        said->reply.rcode = 2;
        break;
    default:
        break;
    }
}

static inline void unsay(struct said *said)
{
    buffer_free(&said->first);
    buffer_free(&said->second);
}

/* --- rounds --------------------------------------------------------------------------------- */

struct scene {
    struct ds_check *check;
    struct signing_key key, other;
    sg_time now;
    struct ds_check_fact facts[DS_CHECK_KEYS_MAX];
};

static inline void wish_for(struct scene *scene, enum ds_check_want want)
{
    const struct ds_check_wish wish = {&scene->key, want, scene->now, false, false};
    ds_check_set_wishes(scene->check, &wish, 1, scene->now);
}

static inline void scene_init(struct scene *scene, size_t count, enum ds_check_want want)
{
    memset(scene, 0, sizeof(*scene));
    for (size_t i = 0; i < AGENTS; i++) {
        agents[i] = (struct remote){
            .address = {192, 0, 2, (uint8_t)(i + 1)}, .address_length = 4, .port = 53};
    }
    scene->now = T0;
    make_key(&scene->key, 1);
    make_key(&scene->other, 2);
    scene->check = ds_check_new(&bounds, 1);
    memset(scene->facts, 0, sizeof(scene->facts));
    /* None to begin with, so none is no change. */
    assert_int_equal(ds_check_set_agents(scene->check, agents, count, T0), count == 0);
    wish_for(scene, want);
}

static inline void scene_clear(struct scene *scene)
{
    ds_check_free(scene->check);
}

static inline size_t hear(struct scene *scene, enum word word)
{
    struct said said;
    say(&said, word, &scene->key, &scene->other);
    size_t facts = ds_check_heard(scene->check, said.result, &said.reply, scene->now, scene->facts);
    unsay(&said);
    return facts;
}

static inline size_t ask(struct scene *scene, size_t agent, enum word word)
{
    const struct remote *asked = NULL;
    assert_true(ds_check_wake(scene->check) <= scene->now);
    assert_true(ds_check_turn(scene->check, scene->now, &asked));
    assert_true(remote_equal(asked, &agents[agent]));
    assert_true(ds_check_is_asking(scene->check));
    assert_true(ds_check_wake(scene->check) == INT64_MAX);
    const struct remote *twice;
    assert_false(ds_check_turn(scene->check, scene->now, &twice));
    scene->now++;
    return hear(scene, word);
}
