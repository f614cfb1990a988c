/*
 * kasp/progress.h - how far a key is with signing the zone (reference: private type)
 *
 * Keys of one algorithm follow each other signature by signature, as these fall due. While that
 * goes on, records of the private type at the apex tell of it, in BIND's form; one that told of a
 * key that signs says that it is complete afterwards, until an operator clears it. A key that
 * signed all in the commit that brought it never has one: it would only cost a signature.
 */
#pragma once

#include "kasp/keyset.h"

enum kasp_progress {
    KASP_PROGRESS_NONE,     /* it signs nothing */
    KASP_PROGRESS_SIGNING,  /* it takes over from another key */
    KASP_PROGRESS_REMOVING, /* another key takes over from it */
    KASP_PROGRESS_DONE,     /* it signs, and nothing is left to be taken over */
};

enum kasp_progress kasp_key_progress(const struct key_list *keys, size_t index);

enum { KASP_PROGRESS_BYTES = 5 };
/* The rdata of its record. False: it has none. `told`, a bit for each key: a record has told that
 * it begins to sign, or has done so. */
bool kasp_progress_rdata(const struct key_list *keys, size_t index, uint64_t told,
                         uint8_t out_rdata[KASP_PROGRESS_BYTES]);
