/*
 * conf/zone_options.h - what a zone says, layer upon layer; private to conf/
 *
 * The same function applies one statement of options, of a view or of a zone to a draft: the
 * draft of options is the base of each view's, which is the base of its zones'. So a zone costs
 * only what it says itself.
 */
#pragma once

#include "conf/setters.h"

/* A zone's options before they are interned, and what is no part of them. */
struct zone_draft {
    struct conf_zone_options options;
    const struct kasp_policy *policy;
    const char *key_directory;
    /* Where it was said, for errors; NULL: not in the zone itself. */
    const struct conf_statement *policy_at, *max_ttl_at, *allow_update_at, *update_policy_at;
    const struct conf_statement *format_at; /* wherever it was said */
    int8_t inline_signing;                  /* -1: not said */
    int8_t checkds;                         /* enum conf_checkds, -1: not said */
    const char *file, *journal;
    const char *zone; /* its name as written; NULL: a layer above */
};

/* The compiled-in defaults. */
void zone_draft_init(struct zone_draft *draft);
/* The setters, once for a load. */
void zone_options_setters(struct conf_setters *setters);
/* One sound statement; those that are nothing of a zone's are passed over. `zone_type` is for
 * options that tell primaries from secondaries. */
void zone_draft_apply(const struct conf_setters *setters, struct conf_loader *loader,
                      const struct conf_statement *statement, enum conf_zone_type zone_type,
                      struct zone_draft *draft);
/* What the other layers' statements left behind for errors is not this layer's. */
void zone_draft_next_layer(struct zone_draft *draft);
