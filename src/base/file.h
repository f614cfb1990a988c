/*
 * base/file.h - whole files: read bounded, write durably
 *
 * Blocks on the disk: workers, start-up and tools only.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"

/*
 * Read all of `path` into `out_contents` (the caller frees it). SG_NOT_FOUND, SG_DENIED, SG_LIMIT
 * when larger than `bytes_max`, SG_IO otherwise (errno tells).
 */
MUST_USE enum sg_result file_read(const char *path, size_t bytes_max, struct buffer *out_contents);

/*
 * Replace `path` whole: a temporary file in the same folder with `mode`, synced, renamed, and the
 * folder synced. Either the old or the new contents are there after a crash.
 * SG_NOT_FOUND, SG_DENIED, SG_NO_SPACE, SG_IO otherwise (errno tells).
 */
MUST_USE enum sg_result file_write(const char *path, mode_t mode, struct span contents);
/* The same without the syncs, for many files that one syncfs() follows. */
MUST_USE enum sg_result file_write_unsynced(const char *path, mode_t mode, struct span contents);
/* Nothing but the writing: neither another name first nor a sync. `flags` are open()'s, O_CREAT |
 * O_EXCL or O_TRUNC; what O_EXCL made is removed again where it fails. For files that get their
 * names later. */
MUST_USE enum sg_result file_write_bare(const char *path, int flags, mode_t mode,
                                        struct span contents);

/* Do both lead to one file, or one folder? False where either cannot be seen. */
bool file_is_same(const char *path, const char *other);

/* Where this process has mapped so many bytes of the file; NULL: nowhere, or /proc is not there. */
void *file_find_map(int fd, size_t bytes);

/* Which names are in the folder is durable. SG_NOT_FOUND, SG_DENIED (it may not be read) ... */
MUST_USE enum sg_result file_sync_folder(const char *path);

/* Make `path` and what leads to it, durably. SG_OK when it exists already as a folder. */
MUST_USE enum sg_result file_make_folder(const char *path, mode_t mode);
