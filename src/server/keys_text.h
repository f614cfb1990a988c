/*
 * server/keys_text.h - what a zone's keys do, as `dnssec -status` tells it
 *
 * The text has the lines of BIND 9.18 and 9.20, which scripts read, and beside them what each key
 * waits for.
 */
#pragma once

#include "keeper/keeper.h"

/* What the status itself does not tell; borrowed. */
struct keys_text_zone {
    const char *zone, *view, *policy;
    sg_duration
        publish_interval; /* Ipub by the policy: how long before its end a key is followed */
    const char *parent;   /* what is waited for there and what each agent said, a line each; NULL */
};

void keys_text(const struct keys_text_zone *zone, const struct keeper_keys_status *status,
               struct buffer *out_text);
void keys_text_json(const struct keys_text_zone *zone, const struct keeper_keys_status *status,
                    struct buffer *out_text);
/*
 * A line for each key that signs or whose signatures go, in the words that BIND has for its private
 * records: "Done signing with key 5915/ECDSAP256SHA256". A key that takes over from another one as
 * signatures fall due is "Signing" until every cache has its signatures.
 */
void keys_text_signing(const struct keys_text_zone *zone, const struct keeper_keys_status *status,
                       struct buffer *out_text);
