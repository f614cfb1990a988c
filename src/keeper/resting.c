#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "keeper/keeper_parts.h"

enum { DAY_SECONDS = 86400 };

static void tell(struct managed_zone *zone, sg_time now)
{
    char label[ZONE_LABEL_BYTES];
    zone->health.rest_told_at = now;
    log_write(LOG_DNSSEC, SEVERITY_ERROR, "zone %s: it is signed on, but no key of it changes: %s",
              zone_label(zone->settings, label), zone->health.rest_problem);
}

static void end(struct managed_zone *zone)
{
    struct zone_health *health = &zone->health;
    char label[ZONE_LABEL_BYTES];
    if (health->rest_problem != NULL) {
        mem_free(health->rest_problem);
        health->rest_problem = NULL;
        log_write(LOG_DNSSEC, SEVERITY_NOTICE, "zone %s: what its keys wait for is mended",
                  zone_label(zone->settings, label));
    }
}

void resting_note(struct managed_zone *zone, const struct zone_job *job, sg_time now)
{
    struct zone_health *health = &zone->health;
    if (!zone_job_keys_rest(job)) {
        end(zone);
        return;
    }
    const char *problem = job->lent.keys->problem;
    bool is_news = health->rest_problem == NULL || strcmp(health->rest_problem, problem) != 0;
    health->rest_since = health->rest_problem == NULL ? now : health->rest_since;
    if (is_news) {
        mem_free(health->rest_problem);
        health->rest_problem = mem_copy_text(problem);
    }
    if (is_news || now >= health->rest_told_at + DAY_SECONDS) {
        tell(zone, now);
    }
}
