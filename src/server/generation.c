#include "server/generation.h"

#include "base/mem.h"
#include "conf/memory.h"
#include "server/update_policy.h"
#include "server/zone_peers.h"

static const char *key_store_folder(const struct keeper_generation *keeper, const char *name)
{
    const struct generation *generation = (const struct generation *)keeper;
    const struct conf_key_store *store = conf_key_store_find(generation->conf, name);

    return store == NULL ? NULL : store->directory;
}

static bool may_update(const struct zone_settings *settings, const struct keeper_update *update,
                       const struct zone_update_wish *wish, uint16_t *out_records_max)
{
    const struct conf_zone *zone = settings->access;
    const struct conf_update_policy *policy = zone->options->access.update_policy;

    /* Without a policy, allow-update has decided when the update came. */
    return policy == NULL ||
           update_policy_allows(policy, update->requester, &settings->apex, wish, out_records_max);
}

static void release(struct keeper_generation *keeper)
{
    generation_free((struct generation *)keeper);
}

static enum zone_serial_update serial_update(enum conf_serial_update update)
{
    switch (update) {
    case CONF_SERIAL_INCREMENT:
        return ZONE_SERIAL_INCREMENT;
    case CONF_SERIAL_UNIXTIME:
        return ZONE_SERIAL_UNIXTIME;
    case CONF_SERIAL_DATE:
        return ZONE_SERIAL_DATE;
    case CONF_SERIAL_KEEP:
        return ZONE_SERIAL_KEEP;
    }
    UNREACHABLE();
}

/* One for all zones that say the same. */
static const struct zone_peers *peers_of(struct generation *generation, struct conf_names *known,
                                         const struct conf_zone *zone)
{
    const void *key[2] = {zone->view, zone->options};
    struct zone_peers *peers = conf_names_find(known, key, sizeof(key));
    if (peers == NULL) {
        peers = zone_peers_new(zone->view, zone->options, &generation->system);
        peers->next = generation->peers;
        generation->peers = peers;
        (void)conf_names_add(known, peers->key, sizeof(peers->key), peers);
    }
    return peers;
}

static void fill_settings(const struct conf_zone *zone, const struct zone_peers *peers,
                          struct zone_settings *settings)
{
    *settings = (struct zone_settings){
        .name = zone->name,
        .view = zone->view->name,
        .rrclass = zone->rrclass,
        .type = zone->type == CONF_ZONE_PRIMARY ? ZONE_PRIMARY : ZONE_SECONDARY,
        .file = zone->file,
        .journal = zone->journal,
        .policy = zone->policy,
        .inline_signing = zone->inline_signing,
        .dynamic = conf_zone_is_dynamic(zone),
        .key_directory = zone->key_directory,
        .max_zone_ttl = zone->options->max_zone_ttl,
        .serial_update = serial_update(zone->options->serial_update),
        .loadkeys_interval_minutes = zone->options->loadkeys_interval_minutes,
        .checks = &zone->options->checks,
        .limits =
            {
                .records_max = zone->options->limits.records_max,
                .journal_bytes_max = zone->options->limits.journal_bytes_max,
                .journal_age_max = zone->options->limits.journal_age_max,
                .ixfr_ratio_percent = zone->options->limits.ixfr_ratio_percent,
                .records_per_type_max = zone->options->limits.records_per_type_max,
                .types_per_name_max = zone->options->limits.types_per_name_max,
                .private_type = zone->options->sig_signing_type,
            },
        .notify = &peers->notify,
        .refresh =
            zone->type == CONF_ZONE_SECONDARY && peers->has_primaries ? &peers->refresh : NULL,
        .parent = &peers->parent,
        .telling = peers->is_telling ? &peers->telling : NULL,
        .transfer_time_max = zone->options->transfer_in.time_max,
        .transfer_idle_max = zone->options->transfer_in.idle_max,
        .transfer_bytes_min = zone->options->transfer_in.rate_bytes_min,
        .transfer_window = zone->options->transfer_in.rate_window,
        .access = zone,
        .fingerprint = zone->content_fingerprint,
        .updates_fingerprint = zone->updates_fingerprint,
        .source_file = zone->source_file,
        .source_line = zone->source_line,
    };
    conf_zone_apex(zone, &settings->apex);
}

/* The zone that stands twice in the view, shared ones included; NULL: none. */
static const struct conf_zone *find_twice(const struct conf_view *view)
{
    struct conf_names seen = CONF_NAMES_EMPTY;
    const struct conf_zone *twice = NULL;

    for (size_t i = 0; i < view->zones_count + view->shared_zones_count && twice == NULL; i++) {
        const struct conf_zone *zone =
            i < view->zones_count ? view->zones[i] : view->shared_zones[i - view->zones_count];
        if (!conf_names_add(&seen, zone->apex, dns_name_wire_length(zone->apex),
                            (void *)(uintptr_t)zone)) {
            twice = zone;
        }
    }
    conf_names_free(&seen);
    return twice;
}

static void fill_rates(struct generation *generation)
{
    const struct conf_rates *rates = &generation->conf->options.rates;
    generation->keeper.rates.notify = rates->notify;
    generation->keeper.rates.startup_notify = rates->startup_notify;
    generation->keeper.rates.serial_query = rates->serial_query;
    generation->keeper.rates.updates = rates->update_quota;
    generation->keeper.history_bytes_max = generation->conf->options.history_memory_bytes;
    generation->keeper.rates.transfers_in = rates->transfers_in;
    generation->keeper.rates.transfers_per_server = rates->transfers_per_server;
}

static void fill_system(struct generation *generation)
{
    const struct conf_options *options = &generation->conf->options;
    struct system_resolvers *system = &generation->system;
    system_resolvers_read(NULL, system);
    system->ipv4 &= !options->ipv6_only;
    system->ipv6 &= !options->ipv4_only;
}

enum sg_result generation_new(struct conf *conf, struct generation **out_generation,
                              const struct conf_zone **out_twice)
{
    size_t count = 0;

    for (size_t i = 0; i < conf->views_count; i++) {
        const struct conf_zone *twice = find_twice(conf->views[i]);
        if (twice != NULL) {
            *out_twice = twice;
            return SG_EXISTS;
        }
        count += conf->views[i]->zones_count;
    }
    struct generation *generation = mem_alloc_zero(1, sizeof(*generation));
    generation->conf = conf;
    generation->keeper.zones = mem_alloc_zero(count, sizeof(*generation->keeper.zones));
    generation->keeper.zones_count = count;
    generation->keeper.key_store_folder = key_store_folder;
    generation->keeper.may_update = may_update;
    generation->keeper.release = release;
    fill_rates(generation);
    fill_system(generation);
    struct conf_names known = CONF_NAMES_EMPTY;
    count = 0;
    for (size_t i = 0; i < conf->views_count; i++) {
        for (size_t j = 0; j < conf->views[i]->zones_count; j++) {
            const struct conf_zone *zone = conf->views[i]->zones[j];
            fill_settings(zone, peers_of(generation, &known, zone),
                          &generation->keeper.zones[count++]);
        }
    }
    conf_names_free(&known);
    *out_generation = generation;
    return SG_OK;
}

void generation_add_key(struct generation *generation, const struct tsig_key *key)
{
    struct conf *conf = generation->conf;
    ASSERT(generation->added_key == NULL);
    generation->added_key = mem_copy(key, sizeof(*key));
    generation->keys = mem_alloc_zero(conf->keys_count + 1, sizeof(struct tsig_key *));
    for (size_t i = 0; i < conf->keys_count; i++) {
        generation->keys[i] = conf->keys[i];
    }
    generation->keys[conf->keys_count++] = generation->added_key;
    conf->keys = generation->keys;
}

void generation_free(struct generation *generation)
{
    if (generation == NULL) {
        return;
    }
    while (generation->peers != NULL) {
        struct zone_peers *next = generation->peers->next;
        zone_peers_free(generation->peers);
        generation->peers = next;
    }
    if (generation->added_key != NULL) {
        mem_wipe_free(generation->added_key, sizeof(*generation->added_key));
    }
    mem_free(generation->keys);
    conf_free(generation->conf);
    mem_free(generation->keeper.zones);
    mem_free(generation);
}

/* Slots by the zones of the configuration, for those that `in-view` shares. */
static void index_slots(const struct generation *generation, struct conf_names *slots)
{
    const struct zone_settings *settings = generation->keeper.zones;

    for (size_t i = 0; i < generation->conf->views_count; i++) {
        const struct conf_view *view = generation->conf->views[i];
        for (size_t j = 0; j < view->zones_count; j++, settings++) {
            (void)conf_names_add(slots, &view->zones[j], sizeof(void *), settings->slot);
        }
    }
}

struct front *generation_front(const struct generation *generation)
{
    const struct conf *conf = generation->conf;
    struct front_zones *views = mem_alloc_zero(conf->views_count, sizeof(*views));
    struct conf_names slots = CONF_NAMES_EMPTY;
    struct front *front = NULL;

    index_slots(generation, &slots);
    for (size_t i = 0; i < conf->views_count; i++) {
        const struct conf_view *view = conf->views[i];
        size_t count = 0;
        struct zone_slot **of_view = mem_alloc_zero(view->zones_count + view->shared_zones_count,
                                                    sizeof(struct zone_slot *));
        for (size_t j = 0; j < view->zones_count; j++) {
            of_view[count++] = conf_names_find(&slots, &view->zones[j], sizeof(void *));
        }
        for (size_t j = 0; j < view->shared_zones_count; j++) {
            of_view[count++] = conf_names_find(&slots, &view->shared_zones[j], sizeof(void *));
        }
        views[i] = (struct front_zones){of_view, count};
    }
    enum sg_result result = front_new(conf, views, &front);
    ASSERT(result == SG_OK); /* generation_new() has refused zones that stand twice. */
    for (size_t i = 0; i < conf->views_count; i++) {
        mem_free((void *)(uintptr_t)views[i].slots);
    }
    mem_free(views);
    conf_names_free(&slots);
    return front;
}
