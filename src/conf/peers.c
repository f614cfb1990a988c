/* server statements, and rate-limit: small blocks of a view. */
#include <stdlib.h>

#include "base/mem.h"
#include "conf/setters.h"
#include "conf/value.h"

enum { PEERS_MAX = 100000 };

#define MEMBER(name) offsetof(struct conf_rate_limit, name)

/* clang-format off */
static const struct conf_setter rate_setters[] = {
    {"all-per-second", SET_U32, MEMBER(all_per_second)},
    {"errors-per-second", SET_U32, MEMBER(errors_per_second)},
    {"exempt-clients", SET_ACL, MEMBER(exempt_clients)},
    {"ipv4-prefix-length", SET_U32, MEMBER(ipv4_prefix_length)},
    {"ipv6-prefix-length", SET_U32, MEMBER(ipv6_prefix_length)},
    {"log-only", SET_BOOL, MEMBER(log_only)},
    {"max-table-size", SET_U32, MEMBER(max_table_size)},
    {"min-table-size", SET_U32, MEMBER(min_table_size)},
    {"nodata-per-second", SET_U32, MEMBER(nodata_per_second)},
    {"nxdomains-per-second", SET_U32, MEMBER(nxdomains_per_second)},
    {"qps-scale", SET_U32, MEMBER(qps_scale)},
    {"referrals-per-second", SET_U32, MEMBER(referrals_per_second)},
    {"responses-per-second", SET_U32, MEMBER(responses_per_second)},
    {"slip", SET_U32, MEMBER(slip)},
    {"window", SET_U32, MEMBER(window_seconds)},
};
/* clang-format on */

const struct conf_rate_limit *conf_build_rate_limit(struct conf_loader *loader,
                                                    const struct conf_statement *statement)
{
    const struct conf_statement *body = conf_body(statement);
    struct conf_rate_limit *limit = conf_memory_take_zero(loader->memory, 1, sizeof(*limit));
    struct conf_setters setters;

    conf_setters_init(&setters, rate_setters, ARRAY_LEN(rate_setters), PLACE_RATE_LIMIT);
    limit->window_seconds = 15;
    limit->slip = 2;
    limit->ipv4_prefix_length = 24;
    limit->ipv6_prefix_length = 56;
    limit->min_table_size = 500;
    limit->max_table_size = 20000;
    const struct conf_statement *all = conf_find_statement(body, "responses-per-second");
    if (all != NULL) { /* The others follow it unless they say otherwise. */
        unsigned rate = conf_integer_of(&all->nodes[1]);
        limit->referrals_per_second = limit->nodata_per_second = rate;
        limit->nxdomains_per_second = limit->errors_per_second = rate;
    }
    for (const struct conf_statement *at = body; at != NULL; at = at->next) {
        if (at->row != NULL) {
            (void)conf_setters_apply(&setters, loader, at, limit);
        }
    }
    if (limit->min_table_size > limit->max_table_size) {
        conf_error(loader, statement, NULL, "min-table-size is larger than max-table-size");
    }
    return limit;
}

static const struct {
    const char *option;
    size_t offset;
} peer_switches[] = {
    {"edns", offsetof(struct conf_peer, edns)},
    {"provide-ixfr", offsetof(struct conf_peer, provide_ixfr)},
    {"request-expire", offsetof(struct conf_peer, request_expire)},
    {"request-ixfr", offsetof(struct conf_peer, request_ixfr)},
    {"tcp-only", offsetof(struct conf_peer, tcp_only)},
};

static void read_peer_key(struct conf_loader *loader, const struct conf_statement *statement,
                          struct conf_peer *peer)
{
    const struct conf_statement *first = conf_body(statement);

    if (statement->nodes[1].kind != CONF_NODE_BLOCK) {
        peer->key = conf_key_named(loader, statement, &statement->nodes[1]);
    } else if (first == NULL || first->next != NULL) {
        conf_error(loader, statement, NULL, "a server has exactly one key");
    } else {
        peer->key = conf_key_named(loader, first, &first->nodes[0]);
    }
}

static void take_peer_option(struct conf_loader *loader, const struct conf_statement *statement,
                             struct conf_peer *peer)
{
    const char *option = statement->row->name;
    const struct conf_node *node = &statement->nodes[1];

    conf_check_source_port(loader, statement);
    for (size_t i = 0; i < ARRAY_LEN(peer_switches); i++) {
        if (strcmp(option, peer_switches[i].option) == 0) {
            *(int8_t *)((char *)peer + peer_switches[i].offset) = conf_boolean_of(node);
            return;
        }
    }
    if (strcmp(option, "bogus") == 0) {
        peer->bogus = conf_boolean_of(node);
    } else if (strcmp(option, "keys") == 0) {
        read_peer_key(loader, statement, peer);
    } else if (strcmp(option, "edns-udp-size") == 0) {
        peer->edns_payload = (uint16_t)conf_integer_of(node);
    } else if (strcmp(option, "max-udp-size") == 0) {
        peer->max_udp_size = (uint16_t)conf_integer_of(node);
    } else if (strcmp(option, "transfers") == 0) {
        peer->transfers = conf_integer_of(node);
    } else if (strncmp(option, "transfer-source", 15) == 0) {
        conf_set_source(statement, &peer->transfer_source);
    } else if (strncmp(option, "notify-source", 13) == 0) {
        conf_set_source(statement, &peer->notify_source);
    }
}

static void read_peer(struct conf_loader *loader, const struct conf_statement *statement,
                      struct conf_peer *peer)
{
    struct conf_prefix prefix;
    bool looks_like;
    const char *wrong = conf_value_prefix(statement->nodes[1].text, &prefix, &looks_like);

    ASSERT(wrong == NULL); /* conf/check.c has seen to it. */
    *peer = (struct conf_peer){.prefix_length = prefix.length,
                               .request_ixfr = -1,
                               .provide_ixfr = -1,
                               .request_expire = -1,
                               .edns = -1,
                               .tcp_only = -1};
    peer->address.at.any.sa_family = prefix.ipv6 ? AF_INET6 : AF_INET;
    if (prefix.ipv6) {
        memcpy(&peer->address.at.v6.sin6_addr, prefix.bytes, 16);
    } else {
        memcpy(&peer->address.at.v4.sin_addr, prefix.bytes, 4);
    }
    for (const struct conf_statement *at = conf_body(statement); at != NULL; at = at->next) {
        if (at->row != NULL) {
            take_peer_option(loader, at, peer);
        }
    }
}

/* The longest prefix first: the first that covers an address is the one that counts. */
static int compare_peers(const void *left, const void *right)
{
    const struct conf_peer *a = left, *b = right;
    return (int)b->prefix_length - (int)a->prefix_length;
}

static void check_twice(struct conf_loader *loader, const struct conf_statement *first,
                        const struct conf_peer *peers, size_t count)
{
    struct conf_names seen = CONF_NAMES_EMPTY;
    const struct conf_statement *at = conf_find_statement(first, "server");

    for (size_t i = 0; i < count; i++, at = conf_next_statement(at->next, "server")) {
        char text[NET_ADDRESS_TEXT_BYTES];
        const char *host = net_address_host_text(&peers[i].address, text);
        char *prefix = mem_format("%s/%u", host, peers[i].prefix_length);
        const char *kept = conf_memory_intern(loader->scratch, prefix);
        if (!conf_names_add(&seen, kept, strlen(kept), (void *)at)) {
            conf_error(loader, at, &at->nodes[1], "server '%s' is given twice", kept);
        }
        mem_free(prefix);
    }
    conf_names_free(&seen);
}

static bool covers(const struct conf_peer *peer, const uint8_t *address, unsigned length)
{
    unsigned prefix_bytes;
    const uint8_t *prefix = net_address_bytes(&peer->address, &prefix_bytes);
    unsigned whole = peer->prefix_length / 8;
    unsigned bits = peer->prefix_length % 8;

    return prefix_bytes == length && memcmp(prefix, address, whole) == 0 &&
           (bits == 0 || (prefix[whole] ^ address[whole]) >> (8 - bits) == 0);
}

const struct conf_peer *conf_peer_find(const struct conf_view *view,
                                       const struct net_address *address)
{
    unsigned length;
    const uint8_t *bytes = net_address_bytes(address, &length);

    for (size_t i = 0; i < view->peers_count; i++) {
        if (covers(&view->peers[i], bytes, length)) {
            return &view->peers[i];
        }
    }
    return NULL;
}

void conf_read_peers(struct conf_loader *loader, const struct conf_statement *first,
                     struct conf_view *view)
{
    const struct conf_statement *at = conf_find_statement(first, "server");
    size_t count = 0;

    if (at == NULL && first != loader->top) { /* A view without any has those of the file. */
        first = loader->top;
        at = conf_find_statement(first, "server");
    }
    for (const struct conf_statement *each = at; each != NULL;
         each = conf_next_statement(each->next, "server")) {
        count++;
    }
    if (count == 0) {
        return;
    }
    if (count > PEERS_MAX) {
        conf_error(loader, at, NULL, "more than %d server statements", PEERS_MAX);
        return;
    }
    struct conf_peer *peers = conf_memory_take(loader->memory, count * sizeof(*peers));
    for (; at != NULL; at = conf_next_statement(at->next, "server")) {
        read_peer(loader, at, &peers[view->peers_count++]);
    }
    check_twice(loader, first, peers, view->peers_count);
    qsort(peers, view->peers_count, sizeof(*peers), compare_peers);
    view->peers = peers;
}
