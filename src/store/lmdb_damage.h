/*
 * store/lmdb_damage.h - damage that LMDB does not see: tables that are gone, a file that was cut
 * (private to store/)
 */
#pragma once

#include <lmdb.h>

/* Before it is opened. LMDB_LOST: `folder` has been a store, and LMDB would begin an empty one. */
int lmdb_damage_lost(const char *folder);
/*
 * `reader` has only begun: LMDB has looked at nothing but its meta pages, which it reads when it
 * opens. LMDB_CUT: a page that is in use is behind the end of the file, where a look into the map
 * is a SIGBUS. MDB_CORRUPTED, or a code of the system.
 */
int lmdb_damage_cut(MDB_txn *reader);
