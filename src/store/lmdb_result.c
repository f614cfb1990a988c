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
