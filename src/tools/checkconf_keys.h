/*
 * tools/checkconf_keys.h - signet checkconf -k: what would the policies do to the keys there are?
 *
 * As named-checkconf -k: an error for each key file that a zone's policy would retire and for each
 * key that it would make, so that a migration that begins with an unwanted roll is noticed before.
 */
#pragma once

#include "conf/conf.h"

/* What was found of one zone, errors, warnings and notes; borrowed during the call. */
typedef void checkconf_keys_report(const void *argument, const struct conf_report *report);

/*
 * Look at the keys of every zone with a dnssec-policy, in the current directory's sight. Nothing is
 * made or written; only the name that a cut off key still lacks is given, as by any reader. Returns
 * how many errors there are. Blocks on the disk.
 */
size_t checkconf_keys(const struct conf *conf, sg_time now, checkconf_keys_report *report,
                      const void *argument);
