/* The options statement: what holds for the whole server. */
#include <limits.h>
#include <strings.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "conf/setters.h"

enum { DNS_PORT = 53, TLS_PORT = 853, HTTPS_PORT = 443, HTTP_PORT = 80, LISTENS_MAX = 1024 };

#define MEMBER(name) offsetof(struct conf_options, name)

/* clang-format off */
static const struct conf_setter option_setters[] = {
    {"allow-hmac-md5", SET_BOOL, MEMBER(allow_hmac_md5)},
    {"allow-new-zones", SET_BOOL, MEMBER(allow_new_zones)},
    {"answer-cookie", SET_BOOL, MEMBER(cookies.answer)},
    {"blackhole", SET_ACL, MEMBER(blackhole)},
    {"directory", SET_TEXT, MEMBER(directory)},
    {"dump-file", SET_TEXT, MEMBER(dump_file)},
    {"edns-udp-size", SET_U16, MEMBER(edns_payload)},
    {"flush-zones-on-shutdown", SET_BOOL, MEMBER(flush_zones_on_shutdown)},
    {"history-memory", SET_SIZE, MEMBER(history_memory_bytes)},
    {"max-transfer-time-out", SET_MINUTES, MEMBER(max_transfer_time_out)},
    {"max-udp-size", SET_U16, MEMBER(max_udp_size)},
    {"nocookie-udp-size", SET_U16, MEMBER(cookies.udp_size_without)},
    {"notify-rate", SET_U32, MEMBER(rates.notify)},
    {"pid-file", SET_TEXT_OR_NONE, MEMBER(pid_file)},
    {"querylog", SET_BOOL, MEMBER(query_log)},
    {"require-server-cookie", SET_BOOL, MEMBER(cookies.required)},
    {"serial-query-rate", SET_U32, MEMBER(rates.serial_query)},
    {"session-keyfile", SET_TEXT_OR_NONE, MEMBER(session_key.file)},
    {"startup-notify-rate", SET_U32, MEMBER(rates.startup_notify)},
    {"statistics-file", SET_TEXT, MEMBER(statistics_file)},
    {"store-directory", SET_TEXT, MEMBER(store_directory)},
    {"tcp-advertised-timeout", SET_TENTHS, MEMBER(tcp.advertised_timeout)},
    {"tcp-clients", SET_U32, MEMBER(tcp.clients_max)},
    {"tcp-idle-timeout", SET_TENTHS, MEMBER(tcp.idle_timeout)},
    {"tcp-initial-timeout", SET_TENTHS, MEMBER(tcp.initial_timeout)},
    {"tcp-keepalive-timeout", SET_TENTHS, MEMBER(tcp.keepalive_timeout)},
    {"tcp-listen-queue", SET_U32, MEMBER(tcp.listen_queue)},
    {"transfer-message-size", SET_U16, MEMBER(transfer_message_bytes)},
    {"transfers-in", SET_U32, MEMBER(rates.transfers_in)},
    {"transfers-out", SET_U32, MEMBER(rates.transfers_out)},
    {"transfers-per-ns", SET_U32, MEMBER(rates.transfers_per_server)},
    {"update-quota", SET_U32, MEMBER(rates.update_quota)},
};
/* clang-format on */

void conf_options_init(struct conf_options *options)
{
    *options = (struct conf_options){
        .pid_file = "/run/signet/signetd.pid",
        .statistics_file = "signet.stats",
        .dump_file = "signet_dump.db",
        .edns_payload = 1232, /* what passes without fragments, DNS flag day 2020 */
        .max_udp_size = 1232,
        .transfer_message_bytes = 20480,
        .tcp = {.clients_max = 150,
                .listen_queue = 10,
                .initial_timeout = 30,
                .idle_timeout = 30,
                .keepalive_timeout = 30,
                .advertised_timeout = 30},
        .rates = {.transfers_out = 10,
                  .transfers_in = 10,
                  .transfers_per_server = 2,
                  .notify = 20,
                  .startup_notify = 20,
                  .serial_query = 20,
                  .update_quota = 100},
        .cookies = {.answer = true, .udp_size_without = 4096},
        .session_key = {.file = "/run/signet/session.key", .algorithm = TSIG_HMAC_SHA256},
        .max_transfer_time_out = 120 * SG_MINUTE,
        .history_memory_bytes = (uint64_t)64 << 20,
    };
    static const char session_key_name[] = "local-ddns";
    enum sg_result result = dns_name_from_text(session_key_name, strlen(session_key_name), NULL,
                                               &options->session_key.name);
    ASSERT(result == SG_OK);
}

/* --- texts, cookies, the session key ---------------------------------------------------------- */

static const char *text_or_empty(struct conf_loader *loader, const struct conf_node *node)
{
    bool none = node->kind == CONF_NODE_WORD && conf_node_says(node, "none");
    return none ? "" : conf_memory_intern(loader->memory, node->text);
}

static void set_server_id(struct conf_loader *loader, const struct conf_statement *statement,
                          struct conf_options *options)
{
    const struct conf_node *node = &statement->nodes[1];

    options->server_id_hostname = node->kind == CONF_NODE_WORD && conf_node_says(node, "hostname");
    options->server_id = NULL;
    if (node->kind == CONF_NODE_QUOTED) {
        options->server_id = conf_memory_intern(loader->memory, node->text);
    }
}

static void add_cookie_secret(struct conf_loader *loader, const struct conf_statement *statement,
                              struct conf_cookies *cookies)
{
    struct buffer secret = BUFFER_EMPTY;
    const char *text = statement->nodes[1].text;

    if (cookies->secrets_count == ARRAY_LEN(cookies->secrets)) {
        conf_error(loader, statement, NULL, "more than %zu cookie secrets",
                   ARRAY_LEN(cookies->secrets));
    } else if (hex_decode(span_of_text(text), &secret) != SG_OK ||
               secret.length != sizeof(cookies->secrets[0])) {
        conf_error(loader, statement, &statement->nodes[1],
                   "a cookie secret is %zu bytes in hexadecimal digits",
                   sizeof(cookies->secrets[0]));
    } else {
        memcpy(cookies->secrets[cookies->secrets_count++], secret.bytes, secret.length);
    }
    buffer_wipe(&secret);
}

static void set_session_key(struct conf_loader *loader, const struct conf_statement *statement,
                            struct conf_session_key *key)
{
    const char *text = statement->nodes[1].text;

    if (strcmp(statement->row->name, "session-keyname") == 0) {
        if (dns_name_from_text(text, strlen(text), NULL, &key->name) == SG_OK) {
            dns_name_lower(&key->name);
        }
    } else if (tsig_algorithm_from_text(text, &key->algorithm, &key->mac_bits) != SG_OK) {
        conf_error(loader, statement, &statement->nodes[1], "session-keyalg '%s' is unknown", text);
    } else {
        conf_check_hmac(loader, statement, key->algorithm);
    }
}

/* --- listen-on -------------------------------------------------------------------------------- */

static uint16_t port_option(const struct conf_loader *loader, const char *name, uint16_t otherwise)
{
    const struct conf_statement *statement = conf_find_statement(loader->options, name);
    return statement == NULL ? otherwise : (uint16_t)conf_integer_of(&statement->nodes[1]);
}

/* The name of a tls or http statement, or NULL where it is "none" or not given. */
static const char *reference(struct conf_loader *loader, const struct conf_statement *statement,
                             const char *keyword, const struct conf_names *names,
                             const char *builtin)
{
    const struct conf_node *node = conf_statement_after(statement, keyword);

    if (node == NULL || conf_node_says(node, "none")) {
        return NULL;
    }
    if (conf_node_says(node, builtin)) {
        return builtin;
    }
    const char *name = conf_terms_named(names, node->text);
    if (name == NULL) {
        struct schema_hint hint;
        conf_error(loader, statement, node, "%s '%s' is not defined%s", keyword, node->text,
                   conf_did_you_mean(loader, names, node->text, &hint));
    }
    return name;
}

/* Addresses that the list names by themselves: each is meant to be one of the host's. */
static void read_named(struct conf_loader *loader, const struct conf_statement *statement,
                       struct conf_listen *listen)
{
    const struct conf_statement *first = conf_body(statement);
    size_t count = 0;

    for (const struct conf_statement *at = first; at != NULL; at = at->next) {
        count++;
    }
    struct net_address *named =
        conf_memory_take_zero(loader->memory, count, sizeof(struct net_address));
    for (const struct conf_statement *at = first; at != NULL; at = at->next) {
        struct net_address *address = &named[listen->named_count];
        if (at->count == 1 && conf_node_is_text(&at->nodes[0]) &&
            net_address_from_text(at->nodes[0].text, listen->port, address) == SG_OK &&
            net_address_is_v6(address) == listen->ipv6) {
            listen->named_count++;
        }
    }
    listen->named = named;
}

static void read_listen(struct conf_loader *loader, const struct conf_statement *statement,
                        struct conf_listen *listen)
{
    const struct conf_node *port = conf_statement_after(statement, "port");
    const struct conf_node *proxy = conf_statement_after(statement, "proxy");

    *listen = (struct conf_listen){
        .ipv6 = strcmp(statement->row->name, "listen-on-v6") == 0,
        .addresses = conf_build_acl(loader, conf_statement_block(statement)),
        .tls = reference(loader, statement, "tls", &loader->tls, "ephemeral"),
        .http = reference(loader, statement, "http", &loader->http, "default"),
    };
    if (proxy != NULL) {
        conf_error(loader, statement, proxy, "'proxy' is not supported");
    }
    if (listen->http != NULL) {
        listen->port = listen->tls != NULL ? port_option(loader, "https-port", HTTPS_PORT)
                                           : port_option(loader, "http-port", HTTP_PORT);
    } else {
        listen->port =
            listen->tls != NULL ? port_option(loader, "tls-port", TLS_PORT) : loader->default_port;
    }
    if (port != NULL) {
        listen->port = (uint16_t)conf_integer_of(port);
    }
    read_named(loader, statement, listen);
    char *place = mem_format("%s:%u", statement->file, statement->nodes[0].line);
    listen->place = conf_memory_text(loader->memory, place);
    mem_free(place);
}

static void add_listen(struct conf_loader *loader, const struct conf_listen *listen)
{
    struct conf_options *options = &loader->conf->options;
    bool unwanted = listen->ipv6 ? loader->overrides.ipv4_only : loader->overrides.ipv6_only;

    if (!unwanted && !conf_acl_is_none(listen->addresses) && options->listens_count < LISTENS_MAX) {
        options->listens[options->listens_count++] = *listen;
    }
}

static void read_listens(struct conf_loader *loader, const char *name, bool ipv6)
{
    const struct conf_statement *at = conf_find_statement(loader->options, name);
    struct conf_listen listen = {
        .port = loader->default_port, .ipv6 = ipv6, .addresses = loader->acl_any};

    if (at == NULL) {
        add_listen(loader, &listen);
    }
    for (; at != NULL; at = conf_next_statement(at->next, name)) {
        read_listen(loader, at, &listen);
        if (listen.tls != NULL || listen.http != NULL) {
            conf_warning(loader, at, NULL, "'%s' over TLS or HTTP is not served yet", name);
        }
        add_listen(loader, &listen);
    }
}

static void count_listens(struct conf_loader *loader)
{
    size_t count = 2;

    for (const struct conf_statement *at = loader->options; at != NULL; at = at->next) {
        count += at->row != NULL && strncmp(at->row->name, "listen-on", 9) == 0;
    }
    if (count > LISTENS_MAX) {
        conf_error(loader, loader->options, NULL, "more than %d listen-on statements", LISTENS_MAX);
    }
    loader->conf->options.listens =
        conf_memory_take_zero(loader->memory, count, sizeof(struct conf_listen));
}

/* --- all of it -------------------------------------------------------------------------------- */

static void take_odd_option(struct conf_loader *loader, const struct conf_statement *statement)
{
    struct conf_options *options = &loader->conf->options;
    const char *option = statement->row->name;

    if (strcmp(option, "version") == 0) {
        options->version_text = text_or_empty(loader, &statement->nodes[1]);
    } else if (strcmp(option, "hostname") == 0) {
        options->hostname_text = text_or_empty(loader, &statement->nodes[1]);
    } else if (strcmp(option, "server-id") == 0) {
        set_server_id(loader, statement, options);
    } else if (strcmp(option, "cookie-secret") == 0) {
        add_cookie_secret(loader, statement, &options->cookies);
    } else if (strcmp(option, "session-keyname") == 0 || strcmp(option, "session-keyalg") == 0) {
        set_session_key(loader, statement, &options->session_key);
    } else if (strcmp(option, "recursion") == 0 && conf_boolean_of(&statement->nodes[1])) {
        conf_warning(loader, statement, &statement->nodes[1],
                     "'recursion yes' is ignored: Signet answers for its own zones alone");
    }
}

/* The whole path, since the process enters that folder: what is made of it, such as the folder of
 * keys, would be looked for below itself, and itself at the next reload. */
static void find_directory(struct conf_loader *loader, struct conf_options *options)
{
    const char *start = loader->overrides.start_folder;
    char here[PATH_MAX];

    if (!loader->on_disk || options->directory == NULL || options->directory[0] == '/' ||
        options->directory[0] == '\0') {
        return;
    }
    if (start == NULL) {
        start = getcwd(here, sizeof(here)) == NULL ? "." : here;
    }
    char *path = mem_format("%s/%s", strcmp(start, "/") == 0 ? "" : start, options->directory);
    options->directory = conf_memory_intern(loader->memory, path);
    mem_free(path);
}

void conf_resolve_options(struct conf_loader *loader)
{
    struct conf_options *options = &loader->conf->options;
    struct conf_setters setters;

    conf_options_init(options);
    conf_setters_init(&setters, option_setters, ARRAY_LEN(option_setters), PLACE_OPTIONS);
    for (const struct conf_statement *at = loader->options; at != NULL; at = at->next) {
        if (at->row != NULL && !conf_setters_apply(&setters, loader, at, options)) {
            take_odd_option(loader, at);
        }
    }
    find_directory(loader, options);
    if (options->store_directory == NULL) {
        options->store_directory = "/var/lib/signet";
        if (options->directory != NULL) {
            char *path = mem_format("%s/signet-store", options->directory);
            options->store_directory = conf_memory_intern(loader->memory, path);
            mem_free(path);
        }
    }
    count_listens(loader);
    read_listens(loader, "listen-on", false);
    read_listens(loader, "listen-on-v6", true);
}
