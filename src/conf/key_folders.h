/*
 * conf/key_folders.h - in which folders the keys of a configuration are
 */
#pragma once

#include "conf/conf.h"

/* Each folder that a zone with a policy, or a key-store, keeps keys in: once, as it is named. */
void conf_key_folders(const struct conf *conf, void (*see)(void *argument, const char *folder),
                      void *argument);
