/*
 * keeper/key_folders.h - folders of key files, each read once for many zones and then followed,
 * and one batch of keys that are made or changed meanwhile
 *
 * Time is counted in rounds: what was in a folder when it was read in one round is good for every
 * zone whose keys were wished to be looked at before that round. Our own files do not count: a
 * zone's keys are made for that zone alone.
 *
 * Thread: a worker, one at a time.
 */
#pragma once

#include <stdint.h>

#include "dnssec/keystore.h"

struct key_folders;
struct key_folders *key_folders_new(void);
/* What was not committed is dropped. NULL is fine. */
void key_folders_free(struct key_folders *folders);

/* What is read from now on is read in this round, which is later than the one before. */
void key_folders_begin(struct key_folders *folders, uint64_t round);
/* For a zone whose keys were wished to be looked at in round `wished`. Borrowed until the next. */
MUST_USE enum sg_result key_folders_find(struct key_folders *folders, const char *folder,
                                         uint64_t wished, struct keystore_index **out_index);
/* Where keys are staged; nobody may learn of them before the commit. */
struct keystore_batch *key_folders_batch(struct key_folders *folders);
MUST_USE enum sg_result key_folders_commit(struct key_folders *folders);
