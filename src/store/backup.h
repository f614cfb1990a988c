/*
 * store/backup.h - the folder that `signet backup` makes and `signet restore` reads
 *
 *   PATH/data.mdb, PATH/images/   the store's copy (STORE_COPY), first
 *   PATH/keys/0/, keys/1/, ...    the key files of each key folder, after it: a commit names no
 *                                 key whose files are not older
 *   PATH/MANIFEST                 where each folder came from; last, so that a backup without it
 *                                 is one that was broken off
 *
 * Modes are kept, and private keys have 0600 whatever they had; as root owners are kept too, and
 * folders that a restore makes belong to the owner of the store. Blocks on the disk: workers and
 * tools.
 */
#pragma once

#include <stddef.h>

#include "base/result.h"
#include "base/time.h"

/*
 * The key files of `folders` and the manifest, into a backup whose store is there. A key folder
 * that does not exist holds no keys. `out_problem` (the caller frees) tells why not; the backup is
 * removed then, apart from files that others have put there.
 */
MUST_USE enum sg_result backup_finish(const char *backup, const char *const *folders, size_t count,
                                      sg_time now, char **out_problem);

/* In a store that was restored: the server that opens it asks all secondaries for their serials,
 * and removes the file when each has answered or was given up, and what they have is overtaken. */
#define BACKUP_RESTORED_MARK "restored"

struct backup_restore {
    const char *backup;
    const char *store;     /* the store folder to be made */
    const char *set_aside; /* NULL: what is in the way is an error; else it is renamed with this
                              behind its name */
    void (*tell)(void *argument, const char *text); /* of each folder of keys, and what was renamed;
                                                       NULL: nobody is told */
    void *argument;
};
/* Each folder that keys of the backup came from, and how many. As backup_restore() otherwise. */
MUST_USE enum sg_result
backup_key_folders(const char *backup, void (*see)(void *argument, const char *folder, size_t keys),
                   void *argument, char **out_problem);
/*
 * Put everything back. Nothing is written before all of it has been looked at: SG_NOT_FOUND (not a
 * whole backup), SG_EXISTS (a store or another key file is in the way), SG_CONFLICT (a server uses
 * the store), SG_IO, SG_NO_SPACE, SG_DENIED. The store's tables come last.
 */
MUST_USE enum sg_result backup_restore(const struct backup_restore *request, size_t *out_keys,
                                       char **out_problem);
