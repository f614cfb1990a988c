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

/* Walk the whole version once: after loading and after sign_zone(). */
struct resign_index *resign_index_new(const struct zone_version *version);
void resign_index_free(struct resign_index *index);
/* Learn what a change made: O(change). `old` and `new` are of one lineage. */
void resign_index_note(struct resign_index *index, const struct zone_version *old,
                       const struct zone_version *new);
/* The earliest expiration of any signature of ours; INT64_MAX: there is none. */
sg_time resign_index_first(const struct resign_index *index);
size_t resign_index_bytes(const struct resign_index *index);

/* What is to be made anew. */
struct resign_wish {
    sg_time expires_before;  /* signatures that expire before this are due */
    bool all;                /* every signature, whatever its age (`rndc sign`) */
    uint64_t signatures_max; /* stop after about so many, most urgent first */
};

/* Where a campaign over all signatures stands; begin with all zero. Kept in the commit record. */
struct resign_cursor {
    bool started;
    bool nsec3;     /* names are done, the hashes are under way */
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
 * Sign anew in the draft what is due. At the names that are visited, signatures by keys that do not
 * sign any more are dropped and those of keys that now do are added. The SOA gets request->serial
 * and is signed if anything was. `out_more`: more is due than signatures_max allowed. With
 * report->signatures 0 nothing was due and the edit may be abandoned. With wish.all the work goes
 * on where the cursor stands.
 */
MUST_USE enum sg_result resign(const struct resign_work *work, struct sign_report *out_report,
                               bool *out_more);
