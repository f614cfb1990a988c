/*
 * server/update_questions.h - what an update has to ask daemons (update-policy's `external`)
 *
 *   net thread: update_questions_gather() -> keeper's thread: server/update_judges.c asks them
 *               -> worker: update_policy_allows() looks up what they said
 *
 * Whoever holds the update holds its questions, and nobody else looks at them. The protocol is
 * BIND's: a request has a version (1), its whole length, signer, name, address, type and key as
 * texts that end in a zero byte, and a TKEY token with its length, here always empty; the answer is
 * four bytes, 1 for yes, 0 for no.
 */
#pragma once

#include "base/buffer.h"
#include "zone/update.h"

struct conf_update_policy;
struct request;
struct update_requester;
struct zone_slot;

enum {
    UPDATE_QUESTIONS_MAX = 256, /* of one update; one with more of them is refused */
    UPDATE_VERDICT_BYTES = 4,
};

enum update_verdict {
    UPDATE_VERDICT_NONE, /* nobody has answered */
    UPDATE_VERDICT_NO,
    UPDATE_VERDICT_YES,
};

struct update_question {
    char *socket; /* path of the daemon's */
    struct dns_name owner;
    uint16_t type;
    enum update_verdict verdict;
};

struct update_questions {
    bool gathering; /* what is looked up is noted */
    bool too_many;
    size_t count, room;
    struct update_question *items;
    char *signer, *key; /* as a request has them; "": nobody */
    char *client;       /* the address */
};

/*
 * All that the policy might ask about the update. NULL: no rule asks anybody. Thread: that of the
 * request.
 */
struct update_questions *update_questions_gather(const struct request *request,
                                                 const struct zone_slot *slot,
                                                 const struct conf_update_policy *policy,
                                                 const struct update_requester *requester);
/* `questions` may be NULL. */
void update_questions_free(struct update_questions *questions);
/* What it keeps in memory; of NULL: 0. */
size_t update_questions_bytes(const struct update_questions *questions);

/* What the daemon said of that change; `questions` may be NULL. */
enum update_verdict update_questions_verdict(struct update_questions *questions, const char *socket,
                                             const struct zone_update_wish *wish);
/* What the daemon is sent. */
void update_questions_request(const struct update_questions *questions, size_t at,
                              struct buffer *out_request);
/* What it has answered by that. NONE: neither yes nor no. */
enum update_verdict update_questions_read(const uint8_t answer[UPDATE_VERDICT_BYTES]);
