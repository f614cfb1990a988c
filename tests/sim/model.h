/*
 * sim/model.h - what a zone should be, as those who change it know it
 *
 * A zone is `state`, which has been acknowledged, and after it, in order, what was asked for and
 * not been answered yet. What is published must be the state after some number of these: all or
 * nothing of each, in order, and never back again (S1).
 */
#pragma once

#include "sim/records.h"

enum model_prerequisite { MODEL_ALWAYS, MODEL_IN_USE, MODEL_NOT_IN_USE };

struct model_change {
    enum { MODEL_ADD, MODEL_REMOVE, MODEL_REMOVE_RRSET, MODEL_REMOVE_NAME } kind;
    struct record record; /* owner; type; or all of it */
};

enum { MODEL_CHANGES_MAX = 8 };

struct model_wish {
    struct model_wish *next;
    unsigned id;
    bool is_whole;         /* a file: the zone is `whole` then */
    bool outlives_a_crash; /* a file: it is still there after one */
    enum model_prerequisite prerequisite;
    struct dns_name about; /* of the prerequisite */
    struct model_change changes[MODEL_CHANGES_MAX];
    size_t changes_count;
    struct records whole;
};

struct model {
    struct records state;
    struct model_wish *first;
    struct records published;
    size_t visible; /* at least so many of the wishes are published already */
};

/* Takes the wish. */
void model_add(struct model *model, struct model_wish *wish);
/* What rcode the first wish deserves, upon the state. */
uint16_t model_rcode(const struct model *model);
/* All wishes up to `id` were done, or that one was not. False: what is published says otherwise. */
bool model_acknowledge(struct model *model, unsigned id);
bool model_refuse(struct model *model, unsigned id);
/*
 * `found` is published. False: it is no state that may be; `out_nearest` (the caller clears) is
 * what may have been meant.
 */
bool model_see(struct model *model, const struct records *found, struct records *out_nearest);
/* After a crash the zone is what was seen last; what is not visible never happened, files apart. */
void model_forget(struct model *model);
void model_clear(struct model *model);
/* The state with every wish. */
void model_newest(const struct model *model, struct records *out_records);
