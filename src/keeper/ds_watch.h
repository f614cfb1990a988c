/*
 * keeper/ds_watch.h - asks the parent's side for the DS of a zone's keys, until it is as it should
 * be
 *
 *   explicit   the parental agents of the configuration
 *   yes        every address of every name server of the parent, which parent_lookup finds
 *   no         nobody; the operator says what he has seen
 *
 * Joins the two pure machines, ds_check and parent_lookup, to the questions that the keeper can
 * put. Where there are trust anchors, what an agent shows counts only when it is proven (ds_proof);
 * what is not, is as if it had not answered. One question at a time is out. Nothing is asked while
 * nothing is wished. Thread: keeper.
 */
#pragma once

#include "keeper/asking.h"
#include "keeper/ds_check.h"
#include "keeper/ds_proof.h"
#include "keeper/parent_lookup.h"

enum ds_watch_mode { DS_WATCH_NO, DS_WATCH_EXPLICIT, DS_WATCH_YES };

struct ds_watch_settings {
    enum ds_watch_mode mode;
    const struct remote *agents; /* EXPLICIT */
    size_t agents_count;
    struct parent_lookup_settings lookup; /* YES */
    const struct trust_anchors *anchors;  /* NULL: answers count as they are */
    struct ds_check_bounds bounds;
};

/* Told in the keeper's thread, from ds_watch_turn() or when something is heard. It may change what
 * is wanted, but frees nothing. */
typedef void ds_watch_found(void *argument, const struct ds_check_fact *facts, size_t count);
/* Something was heard: ds_watch_turn() has to be called, which tells when to come again. */
typedef void ds_watch_stirred(void *argument);

/* What an agent said is not believed, for another reason than before. */
typedef void ds_watch_doubted(void *argument, const char *text);

/* All of it is borrowed, and what the pointers lead to may change. */
struct ds_watch_of {
    const struct dns_name *apex;
    uint16_t rrclass;
    const void *access; /* zone_settings.access, for sources of questions */
    const struct keeper_asker *asker;
    struct ds_prover prover; /* where there are anchors */
    const sg_time *now;      /* when what was heard is heard */
    ds_watch_found *found;
    ds_watch_stirred *stirred;
    ds_watch_doubted *doubted; /* where there are anchors */
    void *argument;
    uint64_t seed;
};

struct ds_watch;

struct ds_watch *ds_watch_new(const struct ds_watch_of *of,
                              const struct ds_watch_settings *settings);
/* Takes back the question that is out. NULL is fine. */
void ds_watch_free(struct ds_watch *watch);
/* A new configuration; the old one is borrowed until this returns. */
void ds_watch_configure(struct ds_watch *watch, const struct ds_watch_of *of,
                        const struct ds_watch_settings *settings);
/* As ds_check_set_wishes(). */
void ds_watch_want(struct ds_watch *watch, const struct ds_check_wish *wishes, size_t count);
/* As ds_check_forget(). */
void ds_watch_forget(struct ds_watch *watch);
/* Ask now, whatever the wait. */
void ds_watch_demand(struct ds_watch *watch);

/* Ask what is due. Returns when to come again; INT64_MAX: not until something is heard or wished.
 */
sg_time ds_watch_turn(struct ds_watch *watch);

bool ds_watch_is_asking(const struct ds_watch *watch);
/* As ds_check_is_waiting(), ds_check_warn_at(). */
bool ds_watch_is_waiting(const struct ds_watch *watch);
/* May a DS be asked away: no other is waited for that is to come, and one that counts as there has
 * been seen, where somebody can be asked? */
bool ds_watch_lets_withdraw(const struct ds_watch *watch);
sg_time ds_watch_warn_at(const struct ds_watch *watch);
/* Once every `warn_every` while a wish is open: then describe it in the log. */
bool ds_watch_warns(struct ds_watch *watch);
/* As ds_check_describe(), with what the lookup of the parent's servers says. */
void ds_watch_describe(const struct ds_watch *watch, void (*line)(void *argument, const char *text),
                       void *argument);
