/* Parts of conf/print.h that concern one zone, and address match lists. */
#include <inttypes.h>
#include <stdio.h>

#include "conf/acl_list.h"
#include "conf/print.h"
#include "conf/schema.h"
#include "conf/zone_options.h"
#include "dns/rrtype.h"

/* Options that are being printed, beside what they are by default. */
struct zone_printer {
    const struct conf_zone_options *options, *defaults;
    unsigned zone_types;
    struct buffer *text;
};

void print_quoted(const char *text, struct buffer *out_text)
{
    buffer_append_text(out_text, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"') {
            buffer_append_text(out_text, "\\");
        }
        buffer_append(out_text, at, 1);
    }
    buffer_append_text(out_text, "\"");
}

void print_name(const struct dns_name *name, struct buffer *out_text)
{
    char text[DNS_NAME_TEXT_BYTES];
    print_quoted(dns_name_to_text(name, text), out_text);
}

const char *print_boolean(bool value)
{
    return value ? "yes" : "no";
}

/* --- address match lists -----------------------------------------------------------------------
 */

static void print_element(const struct acl_element *element, struct buffer *out_text)
{
    struct net_address address = {0};
    char host[NET_ADDRESS_TEXT_BYTES];
    uint8_t bytes[16];

    switch ((enum acl_element_kind)element->kind) {
    case ACL_ANY:
        buffer_append_text(out_text, "any");
        return;
    case ACL_KEY:
        buffer_append_text(out_text, "key ");
        print_name(element->key, out_text);
        return;
    case ACL_PREFIX4:
    case ACL_PREFIX6:
        acl_element_bytes(element, bytes);
        address.at.any.sa_family = element->kind == ACL_PREFIX4 ? AF_INET : AF_INET6;
        if (element->kind == ACL_PREFIX4) {
            memcpy(&address.at.v4.sin_addr, bytes, 4);
        } else {
            memcpy(&address.at.v6.sin6_addr, bytes, 16);
        }
        buffer_append_text(out_text, net_address_host_text(&address, host));
        if (element->prefix_length != (element->kind == ACL_PREFIX4 ? 32 : 128)) {
            buffer_format(out_text, "/%u", element->prefix_length);
        }
        return;
    case ACL_LIST:
        break;
    }
    UNREACHABLE();
}

/* A list that is being printed. */
struct acl_printed {
    const struct conf_acl *list;
    uint32_t next;
    const char *closing;
};

/* False: the element is a list that has to be printed first, as the one on top. */
static bool print_one(const struct acl_element *element, struct acl_printed *out_inner,
                      struct buffer *out_text)
{
    bool is_none = element->kind == ACL_ANY && element->negated;

    if (is_none) {
        buffer_append_text(out_text, "none; ");
        return true;
    }
    buffer_append_text(out_text, element->negated ? "!" : "");
    if (element->kind != ACL_LIST) {
        print_element(element, out_text);
        buffer_append_text(out_text, "; ");
        return true;
    }
    if (element->list->name != NULL) {
        buffer_format(out_text, "%s; ", element->list->name);
        return true;
    }
    buffer_append_text(out_text, "{ ");
    *out_inner = (struct acl_printed){element->list, 0, "}; "};
    return false;
}

void print_acl(const struct conf_acl *acl, struct buffer *out_text)
{
    struct acl_printed open[ACL_DEPTH_MAX + 1] = {{acl, 0, "}"}};
    unsigned depth = 1;

    if (acl->name != NULL) { /* An option that is one of the host's lists and nothing else. */
        buffer_format(out_text, "{ %s; }", acl->name);
        return;
    }
    buffer_append_text(out_text, "{ ");
    while (depth > 0) {
        struct acl_printed *top = &open[depth - 1];
        if (top->next == top->list->count) {
            buffer_append_text(out_text, top->closing);
            depth--;
            continue;
        }
        if (!print_one(&top->list->elements[top->next++], &open[depth], out_text)) {
            ASSERT(depth <= ACL_DEPTH_MAX);
            depth++;
        }
    }
}

/* --- options of a zone ------------------------------------------------------------------------ */

static bool may_stand(const struct zone_printer *printer, const char *option)
{
    const struct schema_row *row = schema_find(option, PLACE_ZONE);
    return printer->zone_types == 0 ||
           (row != NULL && (row->zone_types & printer->zone_types) != 0);
}

/* The option's name, if it may stand in such a zone. */
static bool begin_option(const struct zone_printer *printer, const char *option)
{
    if (!may_stand(printer, option)) {
        return false;
    }
    buffer_format(printer->text, "\t%s ", option);
    return true;
}

static void print_acl_option(const struct zone_printer *printer, const char *option,
                             const struct conf_acl *acl)
{
    if (acl != NULL && begin_option(printer, option)) {
        print_acl(acl, printer->text);
        buffer_append_text(printer->text, ";\n");
    }
}

static void print_number(const struct zone_printer *printer, const char *option, uint64_t value,
                         uint64_t otherwise)
{
    if (value != otherwise && begin_option(printer, option)) {
        buffer_format(printer->text, "%" PRIu64 ";\n", value);
    }
}

static void print_switch(const struct zone_printer *printer, const char *option, bool value,
                         bool otherwise)
{
    if (value != otherwise && begin_option(printer, option)) {
        buffer_format(printer->text, "%s;\n", print_boolean(value));
    }
}

static void print_command(const struct zone_printer *printer, const char *option,
                          const char *command)
{
    if (command != NULL && begin_option(printer, option)) {
        print_quoted(command, printer->text);
        buffer_append_text(printer->text, ";\n");
    }
}

static void print_word(const struct zone_printer *printer, const char *option,
                       const char *const *words, unsigned value, unsigned otherwise)
{
    if (value != otherwise && begin_option(printer, option)) {
        buffer_format(printer->text, "%s;\n", words[value]);
    }
}

static void print_check(const struct zone_printer *printer, const char *option,
                        enum check_mode value, enum check_mode otherwise)
{
    static const char *const modes[] = {"ignore", "warn", "fail"};
    print_word(printer, option, modes, value, otherwise);
}

static bool is_wildcard(const struct net_address *address)
{
    unsigned length, set = 0;
    const uint8_t *bytes = net_address_bytes(address, &length);

    for (unsigned i = 0; i < length; i++) {
        set |= bytes[i];
    }
    return set == 0;
}

static void print_one_source(const char *option, const struct net_address *source,
                             struct buffer *out_text)
{
    char host[NET_ADDRESS_TEXT_BYTES];

    buffer_format(out_text, "\t%s %s", option,
                  is_wildcard(source) ? "*" : net_address_host_text(source, host));
    if (net_address_port(source) != 0) {
        buffer_format(out_text, " port %u", net_address_port(source));
    }
    buffer_append_text(out_text, ";\n");
}

void print_source(const char *option, const struct conf_source *source, struct buffer *out_text)
{
    char option_v6[64];

    (void)snprintf(option_v6, sizeof(option_v6), "%s-v6", option);
    if (source->has_v4) {
        print_one_source(option, &source->v4, out_text);
    }
    if (source->has_v6) {
        print_one_source(option_v6, &source->v6, out_text);
    }
}

static void print_source_option(const struct zone_printer *printer, const char *option,
                                const struct conf_source *source)
{
    if (may_stand(printer, option)) {
        print_source(option, source, printer->text);
    }
}

/* Flattened, a server may have another source than its neighbour, and a list has one: those that
 * differ from the first are left to the kernel, as there is no way to say it. */
static void print_remotes(const struct zone_printer *printer, const char *option,
                          const struct conf_remotes *remotes)
{
    char host[NET_ADDRESS_TEXT_BYTES];
    const struct net_address *sources[2] = {NULL, NULL};

    if (remotes->count == 0 || !begin_option(printer, option)) {
        return;
    }
    for (size_t i = 0; i < remotes->count; i++) {
        const struct conf_remote *remote = &remotes->remotes[i];
        int family = net_address_is_v6(&remote->address);
        if (remote->has_source && sources[family] == NULL) {
            sources[family] = &remote->source;
        }
    }
    for (int family = 0; family < 2; family++) {
        if (sources[family] != NULL) {
            buffer_format(printer->text, "%s %s ", family == 0 ? "source" : "source-v6",
                          net_address_host_text(sources[family], host));
        }
    }
    buffer_append_text(printer->text, "{ ");
    for (size_t i = 0; i < remotes->count; i++) {
        const struct conf_remote *remote = &remotes->remotes[i];
        buffer_format(printer->text, "%s port %u", net_address_host_text(&remote->address, host),
                      net_address_port(&remote->address));
        if (remote->key != NULL) {
            buffer_append_text(printer->text, " key ");
            print_name(&remote->key->name, printer->text);
        }
        if (remote->tls != NULL) {
            buffer_append_text(printer->text, " tls ");
            print_quoted(remote->tls, printer->text);
        }
        buffer_append_text(printer->text, "; ");
    }
    buffer_append_text(printer->text, "};\n");
}

static void print_rule(const struct conf_update_rule *rule, struct buffer *out_text)
{
    static const char *const matches[] = {"name",
                                          "subdomain",
                                          "wildcard",
                                          "zonesub",
                                          "self",
                                          "selfsub",
                                          "selfwild",
                                          "ms-self",
                                          "ms-selfsub",
                                          "ms-subdomain",
                                          "ms-subdomain-self-rhs",
                                          "krb5-self",
                                          "krb5-selfsub",
                                          "krb5-subdomain",
                                          "krb5-subdomain-self-rhs",
                                          "tcp-self",
                                          "6to4-self",
                                          "external"};
    char type[DNS_TYPE_TEXT_BYTES];

    buffer_format(out_text, "%s ", rule->grant ? "grant" : "deny");
    print_quoted(rule->identity_text, out_text);
    buffer_format(out_text, " %s", matches[rule->match]);
    if (rule->name != NULL) {
        buffer_append_text(out_text, " ");
        print_name(rule->name, out_text);
    }
    for (size_t i = 0; i < rule->types_count; i++) {
        buffer_format(out_text, " %s", dns_type_to_text(rule->types[i].type, type));
        if (rule->types[i].records_max > 0) {
            buffer_format(out_text, "(%u)", rule->types[i].records_max);
        }
    }
    buffer_append_text(out_text, "; ");
}

static void print_updates(const struct zone_printer *printer)
{
    const struct conf_zone_access *access = &printer->options->access;

    print_acl_option(printer, "allow-update", access->allow_update);
    if (access->update_policy == NULL || !begin_option(printer, "update-policy")) {
        return;
    }
    if (access->update_policy->local) {
        buffer_append_text(printer->text, "local;\n");
        return;
    }
    buffer_append_text(printer->text, "{ ");
    for (size_t i = 0; i < access->update_policy->rules_count; i++) {
        print_rule(&access->update_policy->rules[i], printer->text);
    }
    buffer_append_text(printer->text, "};\n");
}

static void print_checks(const struct zone_printer *printer)
{
    const struct zone_check_options *checks = &printer->options->checks;
    const struct zone_check_options *defaults = &printer->defaults->checks;
    enum check_mode names =
        printer->zone_types == ZONE_TYPE_SECONDARY ? CHECK_WARN : defaults->names;

    print_check(printer, "check-names", checks->names, names);
    print_check(printer, "check-mx", checks->mx, defaults->mx);
    print_check(printer, "check-mx-cname", checks->mx_cname, defaults->mx_cname);
    print_check(printer, "check-srv-cname", checks->srv_cname, defaults->srv_cname);
    print_check(printer, "check-dup-records", checks->dup_records, defaults->dup_records);
    print_switch(printer, "check-wildcard", checks->wildcard != CHECK_IGNORE,
                 defaults->wildcard != CHECK_IGNORE);
    print_switch(printer, "check-sibling", checks->sibling != CHECK_IGNORE,
                 defaults->sibling != CHECK_IGNORE);
    print_switch(printer, "check-integrity", checks->integrity, defaults->integrity);
    static const char *const spf[] = {"ignore", "warn"};
    print_word(printer, "check-spf", spf, checks->spf, defaults->spf);
}

void print_zone_content(const struct conf_zone_options *options, unsigned zone_types,
                        struct buffer *out_text)
{
    static const char *const serials[] = {"increment", "unixtime", "date", "keep"};
    struct zone_draft draft;
    zone_draft_init(&draft);
    const struct conf_zone_options *defaults = &draft.options;
    struct zone_printer printer = {options, defaults, zone_types, out_text};

    print_checks(&printer);
    print_word(&printer, "serial-update-method", serials, options->serial_update,
               defaults->serial_update);
    print_number(&printer, "max-zone-ttl", options->max_zone_ttl, defaults->max_zone_ttl);
    print_number(&printer, "dnssec-loadkeys-interval", options->loadkeys_interval_minutes,
                 defaults->loadkeys_interval_minutes);
    print_number(&printer, "sig-signing-type", options->sig_signing_type,
                 defaults->sig_signing_type);
    print_number(&printer, "max-records", options->limits.records_max,
                 defaults->limits.records_max);
    print_number(&printer, "max-records-per-type", options->limits.records_per_type_max,
                 defaults->limits.records_per_type_max);
    print_number(&printer, "max-types-per-name", options->limits.types_per_name_max,
                 defaults->limits.types_per_name_max);
}

static void print_notify(const struct zone_printer *printer)
{
    static const char *const modes[] = {"no", "yes", "explicit", "primary-only"};
    const struct conf_zone_notify *notify = &printer->options->notify;
    const struct conf_zone_notify *defaults = &printer->defaults->notify;

    print_word(printer, "notify", modes, notify->mode, defaults->mode);
    print_switch(printer, "notify-to-soa", notify->to_soa, defaults->to_soa);
    print_number(printer, "notify-delay", (uint64_t)notify->delay, (uint64_t)defaults->delay);
    print_number(printer, "notify-defer", (uint64_t)notify->defer, (uint64_t)defaults->defer);
    print_remotes(printer, "also-notify", &notify->also);
    print_source_option(printer, "notify-source", &notify->source);
}

static void print_transfer_in(const struct zone_printer *printer)
{
    const struct conf_zone_transfer_in *in = &printer->options->transfer_in;
    const struct conf_zone_transfer_in *otherwise = &printer->defaults->transfer_in;

    print_remotes(printer, "primaries", &in->primaries);
    print_source_option(printer, "transfer-source", &in->source);
    print_switch(printer, "request-ixfr", in->request_ixfr, otherwise->request_ixfr);
    print_switch(printer, "request-expire", in->request_expire, otherwise->request_expire);
    print_switch(printer, "try-tcp-refresh", in->try_tcp_refresh, otherwise->try_tcp_refresh);
    print_switch(printer, "multi-master", in->multi_primary, otherwise->multi_primary);
    print_number(printer, "request-ixfr-max-diffs", in->ixfr_diffs_max, otherwise->ixfr_diffs_max);
    bool rate = in->rate_bytes_min != otherwise->rate_bytes_min ||
                in->rate_window != otherwise->rate_window;
    if (rate && begin_option(printer, "min-transfer-rate-in")) {
        buffer_format(printer->text, "%u %lld;\n", in->rate_bytes_min,
                      (long long)(in->rate_window / SG_MINUTE));
    }
    const struct {
        const char *option;
        sg_duration value, otherwise, unit;
    } durations[] = {
        {"min-refresh-time", in->min_refresh_time, otherwise->min_refresh_time, 1},
        {"max-refresh-time", in->max_refresh_time, otherwise->max_refresh_time, 1},
        {"min-retry-time", in->min_retry_time, otherwise->min_retry_time, 1},
        {"max-retry-time", in->max_retry_time, otherwise->max_retry_time, 1},
        {"max-transfer-time-in", in->time_max, otherwise->time_max, SG_MINUTE},
        {"max-transfer-idle-in", in->idle_max, otherwise->idle_max, SG_MINUTE},
    };
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        print_number(printer, durations[i].option,
                     (uint64_t)(durations[i].value / durations[i].unit),
                     (uint64_t)(durations[i].otherwise / durations[i].unit));
    }
}

static void print_limits(const struct zone_printer *printer)
{
    const struct conf_zone_limits *limits = &printer->options->limits;
    const struct conf_zone_limits *defaults = &printer->defaults->limits;

    print_number(printer, "max-transfer-time-out",
                 (uint64_t)(limits->transfer_time_out_max / SG_MINUTE),
                 (uint64_t)(defaults->transfer_time_out_max / SG_MINUTE));
    print_number(printer, "max-transfer-idle-out",
                 (uint64_t)(limits->transfer_idle_out_max / SG_MINUTE),
                 (uint64_t)(defaults->transfer_idle_out_max / SG_MINUTE));
    if (limits->ixfr_ratio_percent != defaults->ixfr_ratio_percent &&
        begin_option(printer, "max-ixfr-ratio")) {
        buffer_format(printer->text, limits->ixfr_ratio_percent == 0 ? "unlimited;\n" : "%u%%;\n",
                      limits->ixfr_ratio_percent);
    }
    print_number(printer, "max-journal-age", (uint64_t)limits->journal_age_max,
                 (uint64_t)defaults->journal_age_max);
    if (limits->journal_bytes_max == UINT64_MAX && begin_option(printer, "max-journal-size")) {
        buffer_append_text(printer->text, "unlimited;\n");
    } else if (limits->journal_bytes_max != UINT64_MAX) {
        print_number(printer, "max-journal-size", limits->journal_bytes_max,
                     defaults->journal_bytes_max);
    }
}

static void print_access(const struct zone_printer *printer)
{
    const struct conf_zone_access *access = &printer->options->access;

    print_acl_option(printer, "allow-query", access->allow_query);
    print_acl_option(printer, "allow-query-on", access->allow_query_on);
    print_acl_option(printer, "allow-notify", access->allow_notify);
    print_acl_option(printer, "allow-update-forwarding", access->allow_update_forwarding);
    if (access->allow_transfer == NULL || !begin_option(printer, "allow-transfer")) {
        return;
    }
    if (access->transfer_port != 0) {
        buffer_format(printer->text, "port %u ", access->transfer_port);
    }
    if (access->transfer_tls_only) {
        buffer_append_text(printer->text, "transport tls ");
    }
    print_acl(access->allow_transfer, printer->text);
    buffer_append_text(printer->text, ";\n");
}

void print_zone_service(const struct conf_zone_options *options, unsigned zone_types,
                        struct buffer *out_text)
{
    static const char *const statistics[] = {"none", "terse", "full"};
    static const char *const checkds[] = {"no", "yes", "explicit"};
    static const char *const records[] = {"dnskey", "ds"};
    static const char *const styles[] = {"relative", "full"};
    struct zone_draft draft;
    zone_draft_init(&draft);
    const struct conf_zone_options *defaults = &draft.options;
    struct zone_printer printer = {options, defaults, zone_types, out_text};

    print_access(&printer);
    print_updates(&printer);
    print_notify(&printer);
    print_transfer_in(&printer);
    print_remotes(&printer, "parental-agents", &options->parent.agents);
    print_source_option(&printer, "parental-source", &options->parent.source);
    print_remotes(&printer, "parent-resolvers", &options->parent.resolvers);
    print_remotes(&printer, "ds-push", &options->parent.push);
    print_command(&printer, "ds-submit-command", options->parent.submit_command);
    print_command(&printer, "ds-retract-command", options->parent.retract_command);
    print_word(&printer, "ds-command-records", records, options->parent.command_gets_ds, 0);
    print_number(&printer, "min-checkds-time", (uint64_t)options->parent.retry_min,
                 (uint64_t)defaults->parent.retry_min);
    print_number(&printer, "max-checkds-time", (uint64_t)options->parent.retry_max,
                 (uint64_t)defaults->parent.retry_max);
    enum conf_checkds unsaid =
        options->parent.agents.count > 0 ? CONF_CHECKDS_EXPLICIT : CONF_CHECKDS_YES;
    print_word(&printer, "checkds", checkds, options->parent.checkds, unsaid);
    print_switch(&printer, "checkds-validate", options->parent.validate, defaults->parent.validate);
    print_limits(&printer);
    print_word(&printer, "masterfile-style", styles, options->file_style, defaults->file_style);
    print_switch(&printer, "ixfr-from-differences", options->ixfr_from_differences,
                 defaults->ixfr_from_differences);
    print_word(&printer, "zone-statistics", statistics, options->statistics, defaults->statistics);
    /* No option of a zone, but part of what it says: for fingerprints. */
    if (zone_types == 0) {
        buffer_format(out_text, "\tminimal-responses %d;\n", options->access.minimal_responses);
    }
}

void print_zone_updates(const struct conf_zone_options *options, struct buffer *out_text)
{
    struct zone_draft draft;
    zone_draft_init(&draft);
    struct zone_printer printer = {options, &draft.options, 0, out_text};

    print_acl_option(&printer, "allow-query", options->access.allow_query);
    print_updates(&printer);
}

static void print_secrets_of(const struct conf_remotes *list, struct buffer *out_bytes)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct tsig_key *key = list->remotes[i].key;
        if (key != NULL) {
            buffer_append(out_bytes, key->secret, key->secret_length);
        }
    }
}

void print_zone_secrets(const struct conf_zone_options *options, struct buffer *out_bytes)
{
    const struct conf_remotes *lists[] = {&options->notify.also, &options->transfer_in.primaries,
                                          &options->parent.agents, &options->parent.resolvers,
                                          &options->parent.push};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        print_secrets_of(lists[i], out_bytes);
    }
}
