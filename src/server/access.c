#include "server/access.h"

static bool matches(const struct request *request, const struct conf_acl *acl, bool otherwise)
{
    if (acl == NULL) {
        return otherwise;
    }
    return conf_acl_matches(acl, request->net->client, request->net->local, request->key);
}

bool access_query_from(const struct request *request, const struct zone_slot *slot)
{
    return matches(request, front_options(slot)->access.allow_query, true);
}

bool access_query(const struct request *request, const struct zone_slot *slot)
{
    const struct conf_zone_access *access = &front_options(slot)->access;
    const struct net_address *local = request->net->local;

    if (!access_query_from(request, slot)) {
        return false;
    }
    return access->allow_query_on == NULL ||
           conf_acl_matches(access->allow_query_on, local, local, request->key);
}

bool access_transfer(const struct request *request, const struct zone_slot *slot)
{
    const struct conf_zone_access *access = &front_options(slot)->access;

    /* TLS is not served yet: what may leave by TLS alone does not leave. */
    if (access->transfer_tls_only) {
        return false;
    }
    if (access->transfer_port != 0 &&
        access->transfer_port != net_address_port(request->net->local)) {
        return false;
    }
    return matches(request, access->allow_transfer, false);
}

bool access_ixfr(const struct request *request)
{
    const struct conf_view *view = request->view->conf;
    const struct conf_peer *peer = conf_peer_find(view, request->net->client);

    return peer != NULL && peer->provide_ixfr >= 0 ? peer->provide_ixfr > 0 : view->provide_ixfr;
}

bool access_notify(const struct request *request, const struct zone_slot *slot)
{
    const struct conf_zone_options *options = front_options(slot);
    const struct conf_remotes *primaries = &options->transfer_in.primaries;

    /* A list adds to the primaries, who may always tell (BIND). */
    for (size_t i = 0; i < primaries->count; i++) {
        if (net_address_same_host(&primaries->remotes[i].address, request->net->client)) {
            return true;
        }
    }
    return matches(request, options->access.allow_notify, false);
}

bool access_update(const struct request *request, const struct zone_slot *slot)
{
    return matches(request, front_options(slot)->access.allow_update, false);
}

bool access_forwarding(const struct request *request, const struct zone_slot *slot)
{
    return matches(request, front_options(slot)->access.allow_update_forwarding, false);
}
