/*
 * tools/store_folder.h - where the store is that a tool is to look at, and the keys beside it
 */
#pragma once

#include <stdbool.h>

/*
 * `store` as it is, or store-directory of the configuration at `conf_path`, made absolute. NULL:
 * said on stderr in the name of `tool`. The caller frees.
 */
char *store_folder_of(const char *tool, const char *conf_path, const char *store);
/* Each folder that the configuration keeps keys in, absolute. False: it cannot be read; said. */
bool store_folder_keys(const char *tool, const char *conf_path,
                       void (*see)(void *argument, const char *folder), void *argument);
