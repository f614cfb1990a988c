/*
 * conf/fingerprint.h - has a zone's statement changed since the last load? private to conf/
 *
 * Hashes of what a zone comes to, as text: the same at each load, which pointers are not. What
 * zones share is printed once.
 */
#pragma once

#include "conf/conf.h"
#include "conf/memory.h"

/* Begin with zeros. */
struct fingerprints {
    struct conf_names hashes; /* of options or a policy, by pointer */
    struct buffer bytes;      /* of the zone at hand */
};

/* Set the fingerprints of a zone that is complete otherwise. */
void fingerprint_zone(struct fingerprints *fingerprints, struct conf_memory *scratch,
                      struct conf_zone *zone);
void fingerprints_free(struct fingerprints *fingerprints);
