/*
 * conf/zone_claims.h - is a zone sound, by itself and beside the others? (private to conf/)
 *
 * Zones claim what only one may have: a file that the server writes, keys in a folder.
 */
#pragma once

#include "conf/zone_options.h"

/* Room for a byte string that names something: pointers, classes, names. */
struct zone_id {
    const void *scope;
    uint16_t rrclass;
    uint8_t length;
    uint8_t wire[DNS_NAME_BYTES_MAX];
};
/* How long it is. */
size_t zone_id_of(const void *scope, uint16_t rrclass, const uint8_t *wire, struct zone_id *out_id);

/* What all views' zones together must not do. Zero: none has claimed anything. */
struct zone_claims {
    struct conf_names files;    /* path -> struct conf_zone */
    struct conf_names key_sets; /* key directory and name -> struct conf_zone */
};
void zone_claims_free(struct zone_claims *claims);

/* Tells the loader of whatever is wrong with it, and claims what it uses. */
void zone_claims_check(struct zone_claims *claims, struct conf_loader *loader,
                       const struct conf_statement *statement, const struct zone_draft *draft,
                       struct conf_zone *zone);
