/*
 * server/update_judges.h - the daemons that decide on updates (update-policy's `external`)
 *
 * One question at a time to each, over a connection of its own as BIND does it; other daemons,
 * other updates and all queries go on meanwhile, since nothing here waits. What is asked of one
 * daemon stands in line. A daemon that does not answer in JUDGE_ANSWER_MS, hangs up or says neither
 * yes nor no has failed: all that stands in its line goes on without an answer, so that it delays
 * nobody for longer, and the log says so once a minute. An update waits for JUDGE_UPDATE_MS at
 * most, and for one more answer. What nobody has answered is refused by update_policy_allows().
 *
 * Thread: keeper, all functions and the callbacks.
 */
#pragma once

#include <uv.h>

#include "server/update_questions.h"

enum {
    UPDATE_JUDGES_WAITING_MAX = 256, /* updates, all daemons together */
    JUDGE_ANSWER_MS = 2000,
    JUDGE_UPDATE_MS = 4000,
};

struct update_judges;

/* `answers` is told before an update goes on: the keeper has to know the time, and have a turn. */
struct update_judges *update_judges_new(uv_loop_t *loop, void (*answers)(void *argument),
                                        void *argument);
/*
 * Ask all of its questions; then `done`, perhaps without all verdicts. When the server ends before,
 * `drop` instead. Never called from within. False, and nothing is called: too many wait.
 */
bool update_judges_ask(struct update_judges *judges, struct update_questions *questions,
                       void (*done)(void *argument), void (*drop)(void *argument), void *argument);
/* The end: updates are dropped; handles are gone when the loop has had a turn. Of NULL: nothing. */
void update_judges_end(struct update_judges **judges);
