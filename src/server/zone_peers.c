#include "server/zone_peers.h"

#include <string.h>

#include "base/mem.h"
#include "server/system_resolvers.h"

enum { DNS_PORT = 53 };

void remote_of_address(const struct net_address *address, struct remote *out_remote)
{
    unsigned length;
    const uint8_t *bytes = net_address_bytes(address, &length);
    *out_remote =
        (struct remote){.address_length = (uint8_t)length, .port = net_address_port(address)};
    memcpy(out_remote->address, bytes, length);
    if (net_address_is_v6(address) && length == 16) {
        out_remote->scope = address->at.v6.sin6_scope_id;
    }
}

void remote_address(const struct remote *remote, struct net_address *out_address)
{
    memset(out_address, 0, sizeof(*out_address));
    if (remote->address_length == 4) {
        out_address->at.v4.sin_family = AF_INET;
        memcpy(&out_address->at.v4.sin_addr, remote->address, 4);
    } else {
        out_address->at.v6.sin6_family = AF_INET6;
        memcpy(&out_address->at.v6.sin6_addr, remote->address, 16);
        out_address->at.v6.sin6_scope_id = remote->scope;
    }
    net_address_set_port(out_address, remote->port);
}

static void fill_remote(const struct conf_view *view, const struct conf_remote *from,
                        struct remote *out_remote)
{
    const struct conf_peer *peer = conf_peer_find(view, &from->address);
    remote_of_address(&from->address, out_remote);
    out_remote->key = from->key != NULL ? from->key : peer != NULL ? peer->key : NULL;
    out_remote->origin = from;
}

static enum notify_mode notify_mode(enum conf_notify mode)
{
    switch (mode) {
    case CONF_NOTIFY_NO:
        return NOTIFY_NO;
    case CONF_NOTIFY_YES:
        return NOTIFY_YES;
    case CONF_NOTIFY_EXPLICIT:
        return NOTIFY_EXPLICIT;
    case CONF_NOTIFY_PRIMARY:
        return NOTIFY_PRIMARY_ONLY;
    }
    UNREACHABLE();
}

/* A `server` statement counts before what the zone says. */
static bool either(int8_t of_peer, bool of_zone)
{
    return of_peer >= 0 ? of_peer > 0 : of_zone;
}

static void fill_primary(const struct conf_view *view, const struct conf_zone_transfer_in *in,
                         const struct conf_remote *from, struct refresh_primary *out_primary)
{
    const struct conf_peer *peer = conf_peer_find(view, &from->address);
    fill_remote(view, from, &out_primary->remote);
    out_primary->request_ixfr = either(peer != NULL ? peer->request_ixfr : -1, in->request_ixfr);
    out_primary->request_expire =
        either(peer != NULL ? peer->request_expire : -1, in->request_expire);
    out_primary->edns = either(peer != NULL ? peer->edns : -1, true);
    out_primary->tcp_only = either(peer != NULL ? peer->tcp_only : -1, false);
    if (peer != NULL) {
        out_primary->bogus = peer->bogus;
        out_primary->edns_payload = peer->edns_payload;
        out_primary->transfers = peer->transfers;
    }
}

static enum ds_watch_mode watch_mode(enum conf_checkds mode)
{
    switch (mode) {
    case CONF_CHECKDS_NO:
        return DS_WATCH_NO;
    case CONF_CHECKDS_YES:
        return DS_WATCH_YES;
    case CONF_CHECKDS_EXPLICIT:
        return DS_WATCH_EXPLICIT;
    }
    UNREACHABLE();
}

static struct remote *make_remotes(const struct conf_view *view, const struct conf_remotes *from)
{
    struct remote *remotes = mem_alloc_zero(from->count, sizeof(*remotes));
    for (size_t i = 0; i < from->count; i++) {
        fill_remote(view, &from->remotes[i], &remotes[i]);
    }
    return remotes;
}

static void fill_parent(struct zone_peers *peers, const struct conf_view *view,
                        const struct conf_zone_parent *parent,
                        const struct system_resolvers *system)
{
    bool has_resolvers = parent->resolvers.count > 0;
    peers->agents = make_remotes(view, &parent->agents);
    peers->resolvers = make_remotes(view, &parent->resolvers);
    peers->parent = (struct ds_watch_settings){
        .mode = watch_mode(parent->checkds),
        .agents = peers->agents,
        .agents_count = parent->agents.count,
        .lookup =
            {
                .resolvers = has_resolvers ? peers->resolvers : system->resolvers,
                .resolvers_count = has_resolvers ? parent->resolvers.count : system->count,
                .ipv4 = system->ipv4,
                .ipv6 = system->ipv6,
                .port = DNS_PORT,
            },
        .anchors = parent->anchors,
        .bounds = {parent->retry_min, parent->retry_max, SG_DAY, SG_DAY},
    };
}

/* The words of a command line, in one piece of memory; NULL for none. */
static const char **make_words(const char *command)
{
    static const char blanks[] = " \t\r\n";
    char *rest = NULL;
    if (command == NULL) {
        return NULL;
    }
    size_t length = strlen(command);
    size_t words_max = length / 2 + 2; /* each is followed by a blank, and NULL ends them */
    const char **words = mem_alloc_zero(1, words_max * sizeof(*words) + length + 1);
    char *text = (char *)(words + words_max);
    memcpy(text, command, length);
    size_t count = 0;
    for (char *word = strtok_r(text, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        words[count++] = word;
    }
    return words;
}

static void fill_telling(struct zone_peers *peers, const struct conf_view *view,
                         const struct conf_zone_parent *parent)
{
    peers->push = make_remotes(view, &parent->push);
    peers->submit = make_words(parent->submit_command);
    peers->retract = make_words(parent->retract_command);
    peers->is_telling = parent->push.count > 0 || peers->submit != NULL || peers->retract != NULL;
    peers->telling = (struct parent_telling_settings){
        .submit = peers->submit,
        .retract = peers->retract,
        .ds_records = parent->command_gets_ds,
        .push = peers->push,
        .push_count = parent->push.count,
        .bounds = {.retry_min = parent->retry_min, .retry_max = parent->retry_max},
    };
}

struct zone_peers *zone_peers_new(const struct conf_view *view,
                                  const struct conf_zone_options *options,
                                  const struct system_resolvers *system)
{
    const struct conf_zone_transfer_in *in = &options->transfer_in;
    const struct conf_remotes *also = &options->notify.also;
    struct zone_peers *peers = mem_alloc_zero(1, sizeof(*peers));
    peers->key[0] = view;
    peers->key[1] = options;
    peers->also = make_remotes(view, also);
    peers->notify = (struct zone_notify_settings){
        .mode = notify_mode(options->notify.mode),
        .to_soa = options->notify.to_soa,
        .delay = options->notify.delay,
        .also = peers->also,
        .also_count = also->count,
    };
    peers->has_primaries = in->primaries.count > 0;
    peers->primaries = mem_alloc_zero(in->primaries.count, sizeof(*peers->primaries));
    for (size_t i = 0; i < in->primaries.count; i++) {
        fill_primary(view, in, &in->primaries.remotes[i], &peers->primaries[i]);
    }
    peers->refresh = (struct refresh_settings){
        .primaries = peers->primaries,
        .primaries_count = in->primaries.count,
        .bounds = {in->min_refresh_time, in->max_refresh_time, in->min_retry_time,
                   in->max_retry_time},
        .try_tcp = in->try_tcp_refresh,
        .multi_primary = in->multi_primary,
    };
    fill_parent(peers, view, &options->parent, system);
    fill_telling(peers, view, &options->parent);
    return peers;
}

void zone_peers_free(struct zone_peers *peers)
{
    mem_free(peers->also);
    mem_free(peers->agents);
    mem_free(peers->resolvers);
    mem_free(peers->push);
    mem_free((void *)(uintptr_t)peers->submit);
    mem_free((void *)(uintptr_t)peers->retract);
    mem_free(peers->primaries);
    mem_free(peers);
}
