#include "server/shortfalls.h"

static const char *const texts[SHORTFALLS] = {
    [SHORTFALL_OFFLINE_KSK] = "has a policy with offline-ksk: it is not implemented yet; the KSK "
                              "must be here",
    [SHORTFALL_PARENT] = "has parental-agents: the parent's DS is not watched yet",
};

static bool wants(const struct conf_zone *zone, enum shortfall shortfall)
{
    const struct kasp_policy *policy = zone->policy;
    switch (shortfall) {
    case SHORTFALL_OFFLINE_KSK:
        return policy != NULL && policy->offline_ksk;
    case SHORTFALL_PARENT:
        return policy != NULL && zone->options->parent.agents.count > 0;
    case SHORTFALLS:
        break;
    }
    UNREACHABLE();
}

static void count_zone(const struct conf_zone *zone, size_t counts[SHORTFALLS],
                       const struct conf_zone *first[SHORTFALLS])
{
    for (int i = 0; i < SHORTFALLS; i++) {
        if (wants(zone, (enum shortfall)i) && counts[i]++ == 0) {
            first[i] = zone;
        }
    }
}

void shortfalls_count(const struct conf *conf, size_t out_counts[SHORTFALLS],
                      const struct conf_zone *out_first[SHORTFALLS])
{
    for (int i = 0; i < SHORTFALLS; i++) {
        out_counts[i] = 0;
        out_first[i] = NULL;
    }
    for (size_t v = 0; v < conf->views_count; v++) {
        for (size_t z = 0; z < conf->views[v]->zones_count; z++) {
            count_zone(conf->views[v]->zones[z], out_counts, out_first);
        }
    }
}

void shortfalls_log(const struct conf *conf)
{
    size_t counts[SHORTFALLS];
    const struct conf_zone *first[SHORTFALLS];

    shortfalls_count(conf, counts, first);
    for (int i = 0; i < SHORTFALLS; i++) {
        if (counts[i] == 1) {
            log_write(LOG_CONFIG, SEVERITY_WARNING, "zone '%s' %s", first[i]->name, texts[i]);
        } else if (counts[i] > 1) {
            log_write(LOG_CONFIG, SEVERITY_WARNING, "zone '%s' (and %zu more) %s", first[i]->name,
                      counts[i] - 1, texts[i]);
        }
    }
}
