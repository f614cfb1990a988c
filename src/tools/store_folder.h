/*
 * tools/store_folder.h - where the store is that a tool is to look at
 */
#pragma once

/*
 * `store` as it is, or store-directory of the configuration at `conf_path`, made absolute. NULL:
 * said on stderr in the name of `tool`. The caller frees.
 */
char *store_folder_of(const char *tool, const char *conf_path, const char *store);
