#include "store/lmdb_result.h"

#include <errno.h>
#include <lmdb.h>

#include "store/image_file.h"

enum sg_result lmdb_result(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return SG_OK;
    case MDB_NOTFOUND:
        return SG_NOT_FOUND;
    case MDB_MAP_FULL:
        return SG_LIMIT;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case LMDB_LOST:
    case LMDB_CUT:
        return SG_MALFORMED;
    case MDB_VERSION_MISMATCH:
        return SG_UNSUPPORTED;
    case EACCES:
    case EPERM:
        return SG_DENIED;
    default:
        return image_file_result(code);
    }
}

const char *lmdb_text(int code)
{
    switch (code) {
    case LMDB_LOST:
        return "its data.mdb is empty or gone";
    case LMDB_CUT:
        return "its data.mdb is cut short";
    default:
        return mdb_strerror(code);
    }
}

const char *lmdb_advice(int code)
{
    switch (code) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case LMDB_LOST:
    case LMDB_CUT:
        return "; it is damaged: restore a backup (signet restore -f PATH), or move the folder "
               "away to begin anew from the zone files, without what updates have brought";
    case MDB_VERSION_MISMATCH:
        return "; another version of LMDB has written it, or has it open: use that one";
    case EACCES:
    case EPERM:
        return "; the server's user must own folder and files, and be able to write them "
               "(chown -R USER, chmod -R u+rwX store-directory)";
    case EROFS:
        return "; it must be on a file system that can be written to";
    case ENOSPC:
    case EDQUOT:
        return "; free some space";
    default:
        return "";
    }
}
