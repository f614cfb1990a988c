/*
 * base/folder_watch.h - which names come to a folder and go from it, as the kernel tells (inotify)
 *
 * For a folder of a hundred thousand files in which a few change now and then. What the kernel does
 * not see it cannot tell: only file systems that no other machine changes are watched.
 *
 * Thread: any, one at a time.
 */
#pragma once

#include <stdbool.h>

#include "base/result.h"

struct folder_watch;

/* SG_UNSUPPORTED: not on such a file system, or the kernel has no more watches to give;
 * SG_NOT_FOUND, SG_DENIED, SG_IO. */
MUST_USE enum sg_result folder_watch_new(const char *path, struct folder_watch **out_watch);
void folder_watch_free(struct folder_watch *watch); /* NULL is fine */

/* `comes`: the name is in the folder since; else it may have gone from it. In order. */
typedef void folder_watch_tell(void *argument, const char *name, bool comes);
/*
 * What has happened since the last time. SG_LIMIT: more than is remembered, or another folder has
 * this path by now; then all of it is to be read again, under a new watch.
 */
MUST_USE enum sg_result folder_watch_take(struct folder_watch *watch, folder_watch_tell *tell,
                                          void *argument);
