#include "conf/print.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "conf/check.h"
#include "conf/loader.h"
#include "dns/rrtype.h"

/* --- what others name ------------------------------------------------------------------------- */

static void print_key(const struct tsig_key *key, bool hide_secrets, struct buffer *out_text)
{
    struct buffer secret = BUFFER_EMPTY;

    buffer_append_text(out_text, "key ");
    print_name(&key->name, out_text);
    buffer_format(out_text, " {\n\talgorithm \"%s", tsig_algorithm_text(key->algorithm));
    if (key->mac_bits > 0) {
        buffer_format(out_text, "-%u", key->mac_bits);
    }
    buffer_append_text(out_text, "\";\n\tsecret \"");
    if (hide_secrets) {
        buffer_append_text(out_text, "????????????????");
    } else {
        base64_encode((struct span){key->secret, key->secret_length}, &secret);
        buffer_append(out_text, secret.bytes, secret.length);
    }
    buffer_append_text(out_text, "\";\n};\n");
    buffer_wipe(&secret);
}

static void print_tls(const struct conf_tls *tls, struct buffer *out_text)
{
    buffer_append_text(out_text, "tls ");
    print_quoted(tls->name, out_text);
    buffer_append_text(out_text, " {\n");
    print_text_option("cert-file", tls->cert_file, out_text);
    print_text_option("key-file", tls->key_file, out_text);
    print_text_option("ca-file", tls->ca_file, out_text);
    print_text_option("dhparam-file", tls->dhparam_file, out_text);
    print_text_option("remote-hostname", tls->remote_hostname, out_text);
    print_text_option("ciphers", tls->ciphers, out_text);
    print_text_option("cipher-suites", tls->cipher_suites, out_text);
    if (tls->protocols != 0) {
        buffer_format(out_text, "\tprotocols { %s%s};\n",
                      (tls->protocols & CONF_TLS_V12) != 0 ? "TLSv1.2; " : "",
                      (tls->protocols & CONF_TLS_V13) != 0 ? "TLSv1.3; " : "");
    }
    print_boolean_option("prefer-server-ciphers", tls->prefer_server_ciphers, out_text);
    print_boolean_option("session-tickets", tls->session_tickets, out_text);
    buffer_append_text(out_text, "};\n");
}

static void print_http(const struct conf_http *http, struct buffer *out_text)
{
    buffer_append_text(out_text, "http ");
    print_quoted(http->name, out_text);
    buffer_append_text(out_text, " {\n\tendpoints { ");
    for (size_t i = 0; i < http->endpoints_count; i++) {
        print_quoted(http->endpoints[i], out_text);
        buffer_append_text(out_text, "; ");
    }
    buffer_append_text(out_text, "};\n");
    print_number_option("listener-clients", http->listener_clients, out_text);
    print_number_option("streams-per-connection", http->streams_per_connection, out_text);
    buffer_append_text(out_text, "};\n");
}

static void print_named(const struct conf *conf, bool hide_secrets, struct buffer *out_text)
{
    for (size_t i = 0; i < conf->keys_count; i++) {
        print_key(conf->keys[i], hide_secrets, out_text);
    }
    for (size_t i = 0; i < conf->tls_count; i++) {
        print_tls(&conf->tls[i], out_text);
    }
    for (size_t i = 0; i < conf->http_count; i++) {
        print_http(&conf->http[i], out_text);
    }
    for (size_t i = 0; i < conf->key_stores_count; i++) {
        const struct conf_key_store *store = &conf->key_stores[i];
        buffer_append_text(out_text, "key-store ");
        print_quoted(store->name, out_text);
        buffer_append_text(out_text, " {\n");
        print_text_option("directory", store->directory, out_text);
        print_text_option("pkcs11-uri", store->pkcs11_uri, out_text);
        buffer_append_text(out_text, "};\n");
    }
    for (size_t i = 0; i < conf->policies_count; i++) {
        const char *name = conf->policies[i]->name;
        if (strcmp(name, "default") != 0 && strcmp(name, "insecure") != 0) {
            print_policy(conf->policies[i], out_text);
        }
    }
}

/* --- logging, controls ------------------------------------------------------------------------ */

static const char *facility_text(int facility)
{
    static const char *const names[] = {
        "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
        "uucp",   "cron",   "authpriv", "ftp",    NULL,     NULL,     NULL,     NULL,
        "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
    return names[facility >> 3]; /* syslog.h: the facility stands above three bits of priority */
}

static void print_destination(const struct conf_channel *channel, struct buffer *out_text)
{
    switch (channel->kind) {
    case CONF_LOG_NULL:
        buffer_append_text(out_text, "\t\tnull;\n");
        return;
    case CONF_LOG_STDERR:
        buffer_append_text(out_text, "\t\tstderr;\n");
        return;
    case CONF_LOG_SYSLOG:
        buffer_format(out_text, "\t\tsyslog %s;\n", facility_text(channel->facility));
        return;
    case CONF_LOG_FILE:
        break;
    }
    buffer_append_text(out_text, "\t\tfile ");
    print_quoted(channel->path, out_text);
    if (channel->versions == INT_MAX) {
        buffer_append_text(out_text, " versions unlimited");
    } else if (channel->versions > 0) {
        buffer_format(out_text, " versions %u", channel->versions);
    }
    if (channel->size_bytes_max > 0) {
        buffer_format(out_text, " size %" PRIu64, channel->size_bytes_max);
    }
    buffer_append_text(out_text, channel->suffix_is_timestamp ? " suffix timestamp;\n" : ";\n");
}

static void print_channel(const struct conf_channel *channel, struct buffer *out_text)
{
    const char *time = channel->print_time_utc   ? "iso8601-utc"
                       : channel->print_time_iso ? "iso8601"
                                                 : print_boolean(channel->print_time);

    buffer_append_text(out_text, "\tchannel ");
    print_quoted(channel->name, out_text);
    buffer_append_text(out_text, " {\n");
    print_destination(channel, out_text);
    if (channel->severity == INT_MAX) {
        buffer_append_text(out_text, "\t\tseverity dynamic;\n");
    } else if (channel->severity >= SEVERITY_DEBUG) {
        buffer_format(out_text, "\t\tseverity debug %d;\n", channel->severity - SEVERITY_INFO);
    } else {
        buffer_format(out_text, "\t\tseverity %s;\n", log_severity_text(channel->severity));
    }
    buffer_format(out_text,
                  "\t\tprint-time %s;\n\t\tprint-severity %s;\n\t\tprint-category %s;\n"
                  "\t\tbuffered %s;\n\t};\n",
                  time, print_boolean(channel->print_severity),
                  print_boolean(channel->print_category), print_boolean(channel->buffered));
}

static bool is_built_in(const char *channel)
{
    return strncmp(channel, "default_", 8) == 0 || strcmp(channel, "null") == 0;
}

static void print_logging(const struct conf_logging *logging, struct buffer *out_text)
{
    if (logging->channels_count == 0) {
        return;
    }
    buffer_append_text(out_text, "logging {\n");
    for (size_t i = 0; i < logging->channels_count; i++) {
        if (!is_built_in(logging->channels[i].name)) {
            print_channel(&logging->channels[i], out_text);
        }
    }
    for (size_t i = 0; i < LOG_CATEGORIES; i++) {
        const struct conf_category *category = &logging->categories[i];
        buffer_format(out_text, "\tcategory %s { ", log_category_text((enum log_category)i));
        for (unsigned j = 0; j < category->count; j++) {
            print_quoted(logging->channels[category->channels[j]].name, out_text);
            buffer_append_text(out_text, "; ");
        }
        buffer_append_text(out_text, "};\n");
    }
    buffer_append_text(out_text, "};\n");
}

static void print_controls(const struct conf *conf, struct buffer *out_text)
{
    char host[NET_ADDRESS_TEXT_BYTES];

    if (!conf->controls_given) {
        return;
    }
    buffer_append_text(out_text, "controls {\n");
    for (size_t i = 0; i < conf->controls_count; i++) {
        const struct conf_control *control = &conf->controls[i];
        buffer_format(out_text, "\tinet %s port %u allow ",
                      net_address_host_text(&control->address, host),
                      net_address_port(&control->address));
        print_acl(control->allow, out_text);
        for (size_t j = 0; j < control->keys_count; j++) {
            buffer_append_text(out_text, j == 0 ? " keys { " : "");
            print_name(&control->keys[j]->name, out_text);
            buffer_append_text(out_text, j + 1 == control->keys_count ? "; }" : "; ");
        }
        buffer_append_text(out_text, control->read_only ? " read-only yes;\n" : ";\n");
    }
    buffer_append_text(out_text, "};\n");
}

static void print_anchors(const struct trust_anchors *anchors, struct buffer *out_text)
{
    if (anchors->count == 0) {
        return;
    }
    buffer_append_text(out_text, "trust-anchors {\n");
    for (size_t i = 0; i < anchors->count; i++) {
        const struct trust_anchor *anchor = &anchors->anchors[i];
        struct reader reader = reader_of(anchor->rdata);
        bool is_ds = anchor->type == DNS_TYPE_DS;
        buffer_append_text(out_text, "\t");
        print_name(&anchor->zone, out_text);
        buffer_format(out_text, " %s %u", is_ds ? "static-ds" : "static-key", reader_u16(&reader));
        buffer_format(out_text, " %u", reader_u8(&reader));
        buffer_format(out_text, " %u \"", reader_u8(&reader));
        struct span rest = reader_span(&reader, reader_left(&reader));
        if (is_ds) {
            hex_encode(rest, out_text);
        } else {
            base64_encode(rest, out_text);
        }
        buffer_append_text(out_text, "\";\n");
    }
    buffer_append_text(out_text, "};\n");
}

/* --- options ---------------------------------------------------------------------------------- */

static void print_text_or_none(const char *option, const char *text, struct buffer *out_text)
{
    if (text == NULL || *text == '\0') {
        buffer_format(out_text, "\t%s none;\n", option);
    } else {
        print_text_option(option, text, out_text);
    }
}

static void print_listens(const struct conf_options *options, struct buffer *out_text)
{
    bool families[2] = {false, false};

    for (size_t i = 0; i < options->listens_count; i++) {
        const struct conf_listen *listen = &options->listens[i];
        families[listen->ipv6] = true;
        buffer_format(out_text, "\tlisten-on%s port %u ", listen->ipv6 ? "-v6" : "", listen->port);
        if (listen->tls != NULL) {
            buffer_append_text(out_text, "tls ");
            print_quoted(listen->tls, out_text);
            buffer_append_text(out_text, " ");
        }
        if (listen->http != NULL) {
            buffer_append_text(out_text, listen->tls == NULL ? "tls none http " : "http ");
            print_quoted(listen->http, out_text);
            buffer_append_text(out_text, " ");
        }
        print_acl(listen->addresses, out_text);
        buffer_append_text(out_text, ";\n");
    }
    buffer_append_text(out_text, families[0] ? "" : "\tlisten-on { none; };\n");
    buffer_append_text(out_text, families[1] ? "" : "\tlisten-on-v6 { none; };\n");
}

/*
 * Defaults are told too, but for those of options that have no effect yet: a load of what is
 * printed would warn of them, although nobody asked for them.
 */
static bool is_told(const char *option, bool is_default)
{
    const struct schema_row *row = schema_find(option, PLACE_OPTIONS);
    ASSERT(row != NULL);
    return !is_default || row->status != STATUS_PENDING;
}

static void print_numbers(const struct conf_options *options, const struct conf_options *defaults,
                          struct buffer *out_text)
{
    const struct {
        const char *option;
        uint64_t value, otherwise;
    } numbers[] = {
        {"edns-udp-size", options->edns_payload, defaults->edns_payload},
        {"max-udp-size", options->max_udp_size, defaults->max_udp_size},
        {"nocookie-udp-size", options->cookies.udp_size_without,
         defaults->cookies.udp_size_without},
        {"transfer-message-size", options->transfer_message_bytes,
         defaults->transfer_message_bytes},
        {"tcp-clients", options->tcp.clients_max, defaults->tcp.clients_max},
        {"tcp-listen-queue", options->tcp.listen_queue, defaults->tcp.listen_queue},
        {"tcp-initial-timeout", (uint64_t)options->tcp.initial_timeout * 10,
         (uint64_t)defaults->tcp.initial_timeout * 10},
        {"tcp-idle-timeout", (uint64_t)options->tcp.idle_timeout * 10,
         (uint64_t)defaults->tcp.idle_timeout * 10},
        {"tcp-keepalive-timeout", (uint64_t)options->tcp.keepalive_timeout * 10,
         (uint64_t)defaults->tcp.keepalive_timeout * 10},
        {"tcp-advertised-timeout", (uint64_t)options->tcp.advertised_timeout * 10,
         (uint64_t)defaults->tcp.advertised_timeout * 10},
        {"transfers-out", options->rates.transfers_out, defaults->rates.transfers_out},
        {"transfers-in", options->rates.transfers_in, defaults->rates.transfers_in},
        {"transfers-per-ns", options->rates.transfers_per_server,
         defaults->rates.transfers_per_server},
        {"notify-rate", options->rates.notify, defaults->rates.notify},
        {"startup-notify-rate", options->rates.startup_notify, defaults->rates.startup_notify},
        {"serial-query-rate", options->rates.serial_query, defaults->rates.serial_query},
        {"update-quota", options->rates.update_quota, defaults->rates.update_quota},
        {"max-transfer-time-out", (uint64_t)(options->max_transfer_time_out / SG_MINUTE),
         (uint64_t)(defaults->max_transfer_time_out / SG_MINUTE)},
        {"history-memory", options->history_memory_bytes, defaults->history_memory_bytes},
    };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (is_told(numbers[i].option, numbers[i].value == numbers[i].otherwise)) {
            print_number_option(numbers[i].option, numbers[i].value, out_text);
        }
    }
}

static void print_switches(const struct conf_options *options, const struct conf_options *defaults,
                           struct buffer *out_text)
{
    const struct {
        const char *option;
        bool value, otherwise;
    } switches[] = {
        {"answer-cookie", options->cookies.answer, defaults->cookies.answer},
        {"require-server-cookie", options->cookies.required, defaults->cookies.required},
        {"allow-hmac-md5", options->allow_hmac_md5, defaults->allow_hmac_md5},
        {"querylog", options->query_log, defaults->query_log},
        {"flush-zones-on-shutdown", options->flush_zones_on_shutdown,
         defaults->flush_zones_on_shutdown},
    };

    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        if (is_told(switches[i].option, switches[i].value == switches[i].otherwise)) {
            print_boolean_option(switches[i].option, switches[i].value, out_text);
        }
    }
}

static void print_rate_limit(const struct conf_rate_limit *limit, struct buffer *out_text)
{
    const struct {
        const char *option;
        unsigned value;
    } numbers[] = {
        {"responses-per-second", limit->responses_per_second},
        {"referrals-per-second", limit->referrals_per_second},
        {"nodata-per-second", limit->nodata_per_second},
        {"nxdomains-per-second", limit->nxdomains_per_second},
        {"errors-per-second", limit->errors_per_second},
        {"all-per-second", limit->all_per_second},
        {"window", limit->window_seconds},
        {"slip", limit->slip},
        {"qps-scale", limit->qps_scale},
        {"ipv4-prefix-length", limit->ipv4_prefix_length},
        {"ipv6-prefix-length", limit->ipv6_prefix_length},
        {"min-table-size", limit->min_table_size},
        {"max-table-size", limit->max_table_size},
    };

    buffer_append_text(out_text, "\trate-limit {\n");
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        /* "qps-scale 0" is no statement: without one nothing is scaled. */
        if (numbers[i].value > 0 || strcmp(numbers[i].option, "qps-scale") != 0) {
            print_number_option(numbers[i].option, numbers[i].value, out_text);
        }
    }
    print_boolean_option("log-only", limit->log_only, out_text);
    if (limit->exempt_clients != NULL) {
        buffer_append_text(out_text, "\texempt-clients ");
        print_acl(limit->exempt_clients, out_text);
        buffer_append_text(out_text, ";\n");
    }
    buffer_append_text(out_text, "\t};\n");
}

/* What stands in options or in a view, for all zones there. */
static void print_view_options(const struct conf_view *view, struct buffer *out_text)
{
    static const char *const minimal[] = {"no", "yes", "no-auth", "no-auth-recursive"};

    buffer_format(out_text, "\tminimal-responses %s;\n", minimal[view->minimal_responses]);
    print_boolean_option("minimal-any", view->minimal_any, out_text);
    print_boolean_option("provide-ixfr", view->provide_ixfr, out_text);
    print_boolean_option("allow-new-zones", view->allow_new_zones, out_text);
    if (view->rate_limit != NULL) {
        print_rate_limit(view->rate_limit, out_text);
    }
}

static void print_options(const struct conf *conf, const struct conf_view *only_view,
                          bool hide_secrets, struct buffer *out_text)
{
    const struct conf_options *options = &conf->options;
    const struct conf_session_key *session = &options->session_key;
    struct conf_options defaults;

    conf_options_init(&defaults);
    buffer_append_text(out_text, "options {\n");
    print_text_option("directory", options->directory, out_text);
    print_text_option("store-directory", options->store_directory, out_text);
    print_text_or_none("pid-file", options->pid_file, out_text);
    print_text_or_none("session-keyfile", session->file, out_text);
    buffer_append_text(out_text, "\tsession-keyname ");
    print_name(&session->name, out_text);
    buffer_format(out_text, ";\n\tsession-keyalg \"%s\";\n",
                  tsig_algorithm_text(session->algorithm));
    print_text_option("statistics-file", options->statistics_file, out_text);
    if (is_told("dump-file", strcmp(options->dump_file, defaults.dump_file) == 0)) {
        print_text_option("dump-file", options->dump_file, out_text);
    }
    if (options->version_text != NULL) {
        print_text_or_none("version", options->version_text, out_text);
    }
    if (options->hostname_text != NULL) {
        print_text_or_none("hostname", options->hostname_text, out_text);
    }
    if (options->server_id_hostname) {
        buffer_append_text(out_text, "\tserver-id hostname;\n");
    }
    print_text_option("server-id", options->server_id, out_text);
    print_listens(options, out_text);
    if (options->blackhole != NULL) {
        buffer_append_text(out_text, "\tblackhole ");
        print_acl(options->blackhole, out_text);
        buffer_append_text(out_text, ";\n");
    }
    print_numbers(options, &defaults, out_text);
    for (unsigned i = 0; i < options->cookies.secrets_count && !hide_secrets; i++) {
        struct span secret = {options->cookies.secrets[i], sizeof(options->cookies.secrets[i])};
        buffer_append_text(out_text, "\tcookie-secret \"");
        hex_encode(secret, out_text);
        buffer_append_text(out_text, "\";\n");
    }
    print_switches(options, &defaults, out_text);
    if (only_view != NULL) {
        print_view_options(only_view, out_text);
    }
    buffer_append_text(out_text, "};\n");
}

/* --- views ------------------------------------------------------------------------------------ */

static void print_peer(const struct conf_peer *peer, struct buffer *out_text)
{
    char host[NET_ADDRESS_TEXT_BYTES];
    const struct {
        const char *option;
        int8_t value;
    } switches[] = {
        {"request-ixfr", peer->request_ixfr},
        {"provide-ixfr", peer->provide_ixfr},
        {"request-expire", peer->request_expire},
        {"edns", peer->edns},
        {"tcp-only", peer->tcp_only},
    };

    buffer_format(out_text, "server %s/%u {\n", net_address_host_text(&peer->address, host),
                  peer->prefix_length);
    print_boolean_option("bogus", peer->bogus, out_text);
    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        if (switches[i].value >= 0) {
            print_boolean_option(switches[i].option, switches[i].value == 1, out_text);
        }
    }
    if (peer->edns_payload > 0) {
        print_number_option("edns-udp-size", peer->edns_payload, out_text);
    }
    if (peer->max_udp_size > 0) {
        print_number_option("max-udp-size", peer->max_udp_size, out_text);
    }
    if (peer->transfers > 0) {
        print_number_option("transfers", peer->transfers, out_text);
    }
    if (peer->key != NULL) {
        buffer_append_text(out_text, "\tkeys ");
        print_name(&peer->key->name, out_text);
        buffer_append_text(out_text, ";\n");
    }
    print_source("transfer-source", &peer->transfer_source, out_text);
    print_source("notify-source", &peer->notify_source, out_text);
    buffer_append_text(out_text, "};\n");
}

static void print_view_zones(const struct conf_view *view, struct buffer *out_text)
{
    for (size_t i = 0; i < view->peers_count; i++) {
        print_peer(&view->peers[i], out_text);
    }
    for (size_t i = 0; i < view->zones_count; i++) {
        print_zone(view->zones[i], out_text);
    }
    for (size_t i = 0; i < view->shared_zones_count; i++) {
        print_shared_zone(view->shared_zones[i], out_text);
    }
}

static void print_view(const struct conf_view *view, struct buffer *out_text)
{
    char class_text[DNS_TYPE_TEXT_BYTES];
    const struct {
        const char *option;
        const struct conf_acl *acl;
    } acls[] = {{"match-clients", view->match_clients},
                {"match-destinations", view->match_destinations}};

    buffer_append_text(out_text, "view ");
    print_quoted(view->name, out_text);
    buffer_format(out_text, " %s {\n", dns_class_to_text(view->rrclass, class_text));
    for (size_t i = 0; i < ARRAY_LEN(acls); i++) {
        if (acls[i].acl != NULL) {
            buffer_format(out_text, "\t%s ", acls[i].option);
            print_acl(acls[i].acl, out_text);
            buffer_append_text(out_text, ";\n");
        }
    }
    print_boolean_option("match-recursive-only", view->match_recursive_only, out_text);
    print_view_options(view, out_text);
    print_view_zones(view, out_text);
    buffer_append_text(out_text, "};\n");
}

void conf_print(const struct conf *conf, bool hide_secrets, struct buffer *out_text)
{
    bool has_views = conf->views_count != 1 || strcmp(conf->views[0]->name, "_default") != 0;

    print_named(conf, hide_secrets, out_text);
    print_logging(&conf->logging, out_text);
    print_controls(conf, out_text);
    print_anchors(&conf->anchors, out_text);
    print_options(conf, has_views ? NULL : conf->views[0], hide_secrets, out_text);
    for (size_t i = 0; i < conf->views_count; i++) {
        if (has_views) {
            print_view(conf->views[i], out_text);
        } else {
            print_view_zones(conf->views[i], out_text);
        }
    }
}
