#include "server/interfaces.h"

#include "base/log.h"
#include "base/mem.h"

struct wanted {
    struct net_address *addresses;
    size_t count;
};

static void add(struct wanted *wanted, const struct net_address *address)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (net_address_equal(&wanted->addresses[i], address)) {
            return;
        }
    }
    if (wanted->count == NET_ADDRESSES_MAX) {
        log_write(LOG_NETWORK, SEVERITY_ERROR,
                  "more than %d addresses to listen on: the rest is "
                  "left out",
                  NET_ADDRESSES_MAX);
        return;
    }
    wanted->addresses[wanted->count++] = *address;
}

static struct net_address wildcard(const struct conf_listen *listen)
{
    struct net_address address;

    enum sg_result result =
        net_address_from_text(listen->ipv6 ? "::" : "0.0.0.0", listen->port, &address);
    ASSERT(result == SG_OK);
    return address;
}

/*
 * Shall "any" be the wildcard address? At first yes; where that turned out to be taken, its
 * addresses are served one by one, and must not be given up for another attempt at each reload.
 */
static bool prefers_wildcard(const struct net *net, const struct net_address *any, bool first)
{
    const struct net_address *bound = NULL;
    size_t count = net_bound(net, &bound);
    bool one_by_one = false;

    for (size_t i = 0; i < count; i++) {
        if (net_address_equal(&bound[i], any)) {
            return true;
        }
        one_by_one |= net_address_port(&bound[i]) == net_address_port(any) &&
                      net_address_is_v6(&bound[i]) == net_address_is_v6(any);
    }
    return first && !one_by_one;
}

struct host {
    struct net_address *addresses;
    size_t count;
};

static void add_matching(struct wanted *wanted, const struct conf_listen *listen,
                         const struct host *host)
{
    for (size_t i = 0; i < host->count; i++) {
        struct net_address address = host->addresses[i];
        if (net_address_is_v6(&address) != listen->ipv6) {
            continue;
        }
        net_address_set_port(&address, listen->port);
        if (conf_acl_matches(listen->addresses, &address, &address, NULL)) {
            add(wanted, &address);
        }
    }
}

static bool is_plain(const struct conf_listen *listen)
{
    return listen->tls == NULL && listen->http == NULL;
}

static void collect(const struct conf *conf, const struct net *net, const struct host *host,
                    bool first, struct wanted *wanted)
{
    for (size_t i = 0; i < conf->options.listens_count; i++) {
        const struct conf_listen *listen = &conf->options.listens[i];
        struct net_address any = wildcard(listen);
        if (!is_plain(listen)) {
            continue;
        }
        if (conf_acl_is_any(listen->addresses) && prefers_wildcard(net, &any, first)) {
            add(wanted, &any);
        } else {
            add_matching(wanted, listen, host);
        }
    }
}

static bool wants_any(const struct conf *conf)
{
    for (size_t i = 0; i < conf->options.listens_count; i++) {
        if (conf_acl_is_any(conf->options.listens[i].addresses)) {
            return true;
        }
    }
    return false;
}

/* By itself, or by the wildcard address. */
static bool is_served(const struct net *net, const struct net_address *address)
{
    const struct net_address *bound = NULL;
    size_t count = net_bound(net, &bound);

    for (size_t i = 0; i < count; i++) {
        if (net_address_equal(&bound[i], address) ||
            (net_address_is_wildcard(&bound[i]) &&
             net_address_port(&bound[i]) == net_address_port(address) &&
             net_address_is_v6(&bound[i]) == net_address_is_v6(address))) {
            return true;
        }
    }
    return false;
}

static void warn_of_encrypted(const struct conf *conf)
{
    for (size_t i = 0; i < conf->options.listens_count; i++) {
        const struct conf_listen *listen = &conf->options.listens[i];
        if (!is_plain(listen)) {
            log_write(LOG_NETWORK, SEVERITY_WARNING,
                      "listen-on port %u with tls or http is not implemented yet: left out",
                      listen->port);
        }
    }
}

static bool host_has(const struct host *host, const struct net_address *address)
{
    for (size_t i = 0; i < host->count; i++) {
        if (net_address_same_host(&host->addresses[i], address)) {
            return true;
        }
    }
    return false;
}

/* Addresses that the statement names and this host does not have: they are passed over, since they
 * may come later, but not in silence. */
static void warn_of_strangers(const struct conf_listen *listen, const struct host *host)
{
    char text[NET_ADDRESS_TEXT_BYTES];

    for (size_t i = 0; i < listen->named_count; i++) {
        if (!net_address_is_wildcard(&listen->named[i]) && !host_has(host, &listen->named[i])) {
            log_write(LOG_NETWORK, SEVERITY_WARNING,
                      "%s: listen-on: no interface of this host has the address %s: nobody is "
                      "answered there, until `scan` or `reload` finds it",
                      listen->place, net_address_host_text(&listen->named[i], text));
        }
    }
}

/* The same of a list that names none by itself, such as one of prefixes. */
static void warn_of_no_match(const struct conf_listen *listen, const struct host *host)
{
    struct wanted matching = {.addresses =
                                  mem_alloc_zero(NET_ADDRESSES_MAX, sizeof(*matching.addresses))};

    add_matching(&matching, listen, host);
    if (matching.count == 0) {
        log_write(LOG_NETWORK, SEVERITY_WARNING,
                  "%s: listen-on%s matches no address of this host: nobody is answered there",
                  listen->place, listen->ipv6 ? "-v6" : "");
    }
    mem_free(matching.addresses);
}

static void warn_of_unmatched(const struct conf *conf, const struct host *host)
{
    for (size_t i = 0; i < conf->options.listens_count; i++) {
        const struct conf_listen *listen = &conf->options.listens[i];
        warn_of_strangers(listen, host);
        if (listen->place != NULL && listen->named_count == 0 && is_plain(listen)) {
            warn_of_no_match(listen, host);
        }
    }
}

size_t interfaces_bind(struct net *net, const struct conf *conf, size_t *out_wanted)
{
    struct wanted wanted = {.addresses =
                                mem_alloc_zero(NET_ADDRESSES_MAX, sizeof(*wanted.addresses))};
    struct host host = {NULL, 0};

    warn_of_encrypted(conf);
    if (net_address_local(&host.addresses, &host.count) != SG_OK) {
        log_write(LOG_NETWORK, SEVERITY_ERROR, "the host does not tell its addresses");
    } else {
        warn_of_unmatched(conf, &host);
    }
    collect(conf, net, &host, true, &wanted);
    size_t meant = wanted.count;
    size_t served = net_bind(net, wanted.addresses, wanted.count);
    if (served < meant && wants_any(conf)) {
        /* A wildcard that is taken in part: e.g. a resolver on a loopback address. */
        wanted.count = 0;
        collect(conf, net, &host, false, &wanted);
        meant = wanted.count;
        served = net_bind(net, wanted.addresses, wanted.count);
    }
    if (meant == 0) {
        log_write(LOG_NETWORK, SEVERITY_WARNING, "not listening on any interfaces");
    }
    mem_free(host.addresses);
    mem_free(wanted.addresses);
    *out_wanted = meant;
    return served;
}

/* Those that the configuration names, or that the host has of them, and that are not served. */
static void list_missing(const struct net *net, const struct conf *conf, const struct host *host,
                         struct buffer *missing)
{
    struct wanted wanted = {.addresses =
                                mem_alloc_zero(NET_ADDRESSES_MAX, sizeof(*wanted.addresses))};

    for (size_t i = 0; i < conf->options.listens_count; i++) {
        const struct conf_listen *listen = &conf->options.listens[i];
        if (is_plain(listen) && !conf_acl_is_any(listen->addresses)) {
            add_matching(&wanted, listen, host);
        }
    }
    for (size_t i = 0; i < wanted.count; i++) {
        char text[NET_ADDRESS_TEXT_BYTES];
        if (!is_served(net, &wanted.addresses[i])) {
            buffer_format(missing, "%s%s", missing->length == 0 ? "" : ", ",
                          net_address_to_text(&wanted.addresses[i], text));
        }
    }
    mem_free(wanted.addresses);
}

static bool wants_something(const struct conf *conf)
{
    for (size_t i = 0; i < conf->options.listens_count; i++) {
        if (!conf_acl_is_none(conf->options.listens[i].addresses)) {
            return true;
        }
    }
    return false;
}

char *interfaces_problem(const struct net *net, const struct conf *conf)
{
    const struct net_address *bound = NULL;
    struct host host = {NULL, 0};
    struct buffer missing = BUFFER_EMPTY;
    char *problem = NULL;

    if (net_address_local(&host.addresses, &host.count) == SG_OK) {
        list_missing(net, conf, &host, &missing);
    }
    if (missing.length > 0) {
        problem = mem_format("could not listen on %s: the log says why", buffer_text(&missing));
    } else if (net_bound(net, &bound) == 0 && wants_something(conf)) {
        problem = mem_copy_text("listen-on names no address of this host: nobody is answered");
    }
    buffer_free(&missing);
    mem_free(host.addresses);
    return problem;
}
