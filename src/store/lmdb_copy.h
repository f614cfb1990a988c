/*
 * store/lmdb_copy.h - a copy of an open environment and of its image files, for backup (private to
 * store/)
 *
 * The copy is a store itself: its tables are those of the last commit, and each image that a
 * manifest names is linked, or copied where the new folder is on another file system.
 */
#pragma once

#include <lmdb.h>

#include "base/result.h"

/*
 * Make `folder`, which must not be there, out of the environment and the folder of its images;
 * `manifests` is their table. All is synced; on failure nothing is left of it. No transaction of
 * this thread may be open. SG_EXISTS; SG_NOT_FOUND: its parent is not there; SG_DENIED,
 * SG_NO_SPACE, SG_IO.
 */
MUST_USE enum sg_result lmdb_copy_make(MDB_env *env, MDB_dbi manifests, const char *images,
                                       const char *folder);
