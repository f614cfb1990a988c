/*
 * store/store_lock.h - one process at a time in a store-directory
 *
 * The file `signetd.lock`, held with flock(): several processes may use an LMDB environment, but
 * not a store. It holds also against the same process, which LMDB forbids to open an environment
 * twice. Closing the descriptor gives it back; the file stays, or two could lock two files of one
 * name.
 *
 * Thread: any.
 */
#pragma once

#include "base/result.h"

/* SG_EXISTS: another process has it; SG_DENIED, SG_IO ... On failure `out_fd` is -1 and
 * `out_problem` is the caller's to free. */
MUST_USE enum sg_result store_lock_take(const char *folder, int *out_fd, char **out_problem);
