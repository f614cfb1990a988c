/*
 * dnssec/resign.h - which signatures are due next, and making them anew
 *
 * The names of a zone in canonical order are cut into ranges of some hundred, and so are the
 * hashes of NSEC3. Of each range the index knows the earliest expiration (which may be earlier
 * than the truth, never later), in a heap. Visiting the most urgent range walks its names, signs
 * anew what is due and learns the range's true expiration. So the index costs some bytes a range,
 * a change costs O(log ranges), and after a long power cut the most urgent come first.
 *
 * The index belongs to a zone; whoever holds the zone's baton may use it. It speaks of the version
 * that the baton's holder works on; a change that is abandoned leaves it pessimistic, not false.
 */
#pragma once

#include "dnssec/sign_zone.h"

struct resign_index;

/*
 * Walk the whole version once: after loading and after sign_zone(). `now` tells which of the
 * instants that are 2^32 seconds apart an expiration means, as does the `now` of each resign() and
 * note. What has not begun by then has expired; so where the clock is set back behind the beginning
 * of what was signed, the index has to be made anew.
 */
struct resign_index *resign_index_new(const struct zone_version *version, sg_time now);
void resign_index_free(struct resign_index *index); /* NULL is fine */
/*
 * Learn what a change made, at `now`: O(change), and of the ranges that resign() signed in, the
 * truth. `old` and `new` are of one lineage; each change that was not abandoned is to be noted,
 * once, in order.
 */
void resign_index_note(struct resign_index *index, const struct zone_version *old,
                       const struct zone_version *new, sg_time now);
/* The earliest expiration of any signature of ours; INT64_MAX: there is none. What resign() made
 * counts when it was noted. */
sg_time resign_index_first(const struct resign_index *index);
/* Whose signature that is, in the version that was noted last: a walk over one range. False: there
 * is none, or what the index knew of is gone. */
MUST_USE bool resign_index_first_node(const struct resign_index *index,
                                      const struct zone_version *version,
                                      struct dns_name *out_owner, uint16_t *out_type);
size_t resign_index_bytes(const struct resign_index *index);

/* What is to be made anew. */
struct resign_wish {
    sg_time expires_before; /* signatures that expire before this are due */
    bool all; /* every signature, whatever its age (`rndc sign`); what expires within a day first */
    uint64_t signatures_max; /* stop after about so many, most urgent first */
    /* With `all`: stop after so many names and hashes, too; 0: no limit. Those that have no
     * signature, as insecure delegations under opt-out, cost the look. */
    uint64_t names_max;
};

/* Where a campaign over all signatures stands; begin with all zero. Kept in the commit record. */
struct resign_cursor {
    bool started;
    bool nsec3;     /* names are done, the hashes are under way or done */
    uint8_t length; /* of the relative owner name, or hash label, behind which it goes on */
    uint8_t owner[DNS_NAME_BYTES_MAX];
};

/* All is borrowed but the cursor, which moves on. */
struct resign_work {
    struct zone_edit *edit; /* a draft of `base` */
    const struct zone_version *base;
    struct resign_index *index;
    const struct sign_request *request;
    struct resign_wish wish;
    struct resign_cursor *cursor; /* NULL unless wish.all */
    struct worker_pool *pool;     /* may be NULL */
};

/*
 * Sign anew in the draft what is due. At names where something is due, signatures by keys that do
 * not sign any more are dropped and those of keys that now do are added; RRsets stay as they are,
 * those of the apex too: request->apex is not looked at. The SOA gets request->serial and is signed
 * if anything was. `out_more`: more is due than the limits allowed. With report->signatures 0
 * nothing was due, or found so far, the draft is as it was, and the edit may be abandoned. With
 * wish.all the work goes on where the cursor stands, which moves only if this succeeds. Once an
 * edit, behind sign_change() if both have a part in it; what that signed is not due.
 */
MUST_USE enum sg_result resign(const struct resign_work *work, struct sign_report *out_report,
                               bool *out_more);
