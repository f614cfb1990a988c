/*
 * What log lines say of a zone that cannot do what is asked of it.
 */
#include <stdio.h>

#include "base/log.h"
#include "dns/rrtype.h"
#include "keeper/zone_record.h"

void zone_served_text(const struct managed_zone *zone, char out_text[ZONE_SERVED_BYTES])
{
    const struct zone_version *version = zone->slot->version;
    if (version == NULL) {
        snprintf(out_text, ZONE_SERVED_BYTES, "not loaded due to errors");
    } else {
        snprintf(out_text, ZONE_SERVED_BYTES, "serial %u is served on%s",
                 zone_version_facts(version)->serial,
                 zone->ledger.continues ? ", as the store has it" : "");
    }
}

const char *zone_words_of_loss(const struct zone_settings *settings, bool is_ahead)
{
    /* Its file lacks what updates brought: that is for people to give up. */
    bool needs_word =
        (settings->dynamic || is_ahead) && settings->type == ZONE_PRIMARY && settings->file != NULL;
    return needs_word ? "; restore a backup, or give up what updates have brought since its file "
                        "was written: `reload -force` takes the file"
                      : "";
}

void zone_say_refused(const struct managed_zone *zone, const struct keeper_update *update,
                      const char *why)
{
    char rrclass[DNS_TYPE_TEXT_BYTES];
    if (why == NULL) {
        why = zone->slot->version == NULL ? "the zone is not loaded"
                                          : "too many updates wait, or the zone or the server ends";
    }
    log_write(LOG_UPDATE, SEVERITY_NOTICE, "%s: updating zone '%s/%s': update refused: %s",
              update->client, zone->settings->name,
              dns_class_to_text(zone->settings->rrclass, rrclass), why);
}
