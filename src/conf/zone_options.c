#include "conf/zone_options.h"

#include <strings.h>

#define MEMBER(name)                                                                               \
    (offsetof(struct zone_draft, options) + offsetof(struct conf_zone_options, name))

/* clang-format off */
static const struct conf_setter zone_setters[] = {
    {"allow-notify", SET_ACL, MEMBER(access.allow_notify)},
    {"allow-query", SET_ACL, MEMBER(access.allow_query)},
    {"allow-query-on", SET_ACL, MEMBER(access.allow_query_on)},
    {"allow-update-forwarding", SET_ACL, MEMBER(access.allow_update_forwarding)},
    {"also-notify", SET_REMOTES, MEMBER(notify.also)},
    {"check-dup-records", SET_CHECK, MEMBER(checks.dup_records)},
    {"check-integrity", SET_BOOL, MEMBER(checks.integrity)},
    {"check-mx", SET_CHECK, MEMBER(checks.mx)},
    {"check-mx-cname", SET_CHECK, MEMBER(checks.mx_cname)},
    {"check-sibling", SET_CHECK_BOOL, MEMBER(checks.sibling)},
    {"check-srv-cname", SET_CHECK, MEMBER(checks.srv_cname)},
    {"check-wildcard", SET_CHECK_BOOL, MEMBER(checks.wildcard)},
    {"checkds-validate", SET_BOOL, MEMBER(parent.validate)},
    {"dnssec-loadkeys-interval", SET_U32, MEMBER(loadkeys_interval_minutes)},
    {"ds-push", SET_REMOTES, MEMBER(parent.push)},
    {"file", SET_TEXT, offsetof(struct zone_draft, file)},
    {"journal", SET_TEXT, offsetof(struct zone_draft, journal)},
    {"key-directory", SET_TEXT, offsetof(struct zone_draft, key_directory)},
    {"masters", SET_REMOTES, MEMBER(transfer_in.primaries)},
    {"max-checkds-time", SET_SECONDS, MEMBER(parent.retry_max)},
    {"max-ixfr-ratio", SET_PERCENT, MEMBER(limits.ixfr_ratio_percent)},
    {"max-journal-size", SET_SIZE, MEMBER(limits.journal_bytes_max)},
    {"max-records", SET_U32, MEMBER(limits.records_max)},
    {"max-records-per-type", SET_U32, MEMBER(limits.records_per_type_max)},
    {"max-refresh-time", SET_SECONDS, MEMBER(transfer_in.max_refresh_time)},
    {"max-retry-time", SET_SECONDS, MEMBER(transfer_in.max_retry_time)},
    {"max-transfer-idle-in", SET_MINUTES, MEMBER(transfer_in.idle_max)},
    {"max-transfer-idle-out", SET_MINUTES, MEMBER(limits.transfer_idle_out_max)},
    {"max-transfer-time-in", SET_MINUTES, MEMBER(transfer_in.time_max)},
    {"max-transfer-time-out", SET_MINUTES, MEMBER(limits.transfer_time_out_max)},
    {"max-types-per-name", SET_U32, MEMBER(limits.types_per_name_max)},
    {"min-checkds-time", SET_SECONDS, MEMBER(parent.retry_min)},
    {"min-refresh-time", SET_SECONDS, MEMBER(transfer_in.min_refresh_time)},
    {"min-retry-time", SET_SECONDS, MEMBER(transfer_in.min_retry_time)},
    {"multi-master", SET_BOOL, MEMBER(transfer_in.multi_primary)},
    {"notify-defer", SET_SECONDS, MEMBER(notify.defer)},
    {"notify-delay", SET_SECONDS, MEMBER(notify.delay)},
    {"notify-source", SET_SOURCE, MEMBER(notify.source)},
    {"notify-source-v6", SET_SOURCE, MEMBER(notify.source)},
    {"notify-to-soa", SET_BOOL, MEMBER(notify.to_soa)},
    {"parent-resolvers", SET_REMOTES, MEMBER(parent.resolvers)},
    {"parental-agents", SET_REMOTES, MEMBER(parent.agents)},
    {"parental-source", SET_SOURCE, MEMBER(parent.source)},
    {"parental-source-v6", SET_SOURCE, MEMBER(parent.source)},
    {"primaries", SET_REMOTES, MEMBER(transfer_in.primaries)},
    {"request-expire", SET_BOOL, MEMBER(transfer_in.request_expire)},
    {"request-ixfr", SET_BOOL, MEMBER(transfer_in.request_ixfr)},
    {"request-ixfr-max-diffs", SET_U32, MEMBER(transfer_in.ixfr_diffs_max)},
    {"sig-signing-type", SET_U16, MEMBER(sig_signing_type)},
    {"transfer-source", SET_SOURCE, MEMBER(transfer_in.source)},
    {"transfer-source-v6", SET_SOURCE, MEMBER(transfer_in.source)},
    {"try-tcp-refresh", SET_BOOL, MEMBER(transfer_in.try_tcp_refresh)},
};
/* clang-format on */

void zone_options_setters(struct conf_setters *setters)
{
    conf_setters_init(setters, zone_setters, ARRAY_LEN(zone_setters), PLACE_ZONE);
    /* Rows differ between zones and the layers above; the setters are the same. */
    for (size_t i = 0; i < ARRAY_LEN(zone_setters); i++) {
        const struct schema_row *row = schema_find(zone_setters[i].option, PLACE_OPTIONS);
        if (row != NULL) {
            setters->of_row[row - schema_rows] = (uint8_t)(i + 1);
        }
    }
}

void zone_draft_init(struct zone_draft *draft)
{
    memset(draft, 0, sizeof(*draft)); /* Options are interned by their bytes. */
    draft->inline_signing = -1;
    draft->checkds = -1;

    struct conf_zone_options *options = &draft->options;
    options->access.minimal_responses = ANSWER_MINIMAL_NO_AUTH_RECURSIVE;
    options->notify.mode = CONF_NOTIFY_YES;
    options->notify.delay = 5;
    options->transfer_in.request_ixfr = true;
    options->transfer_in.request_expire = true;
    options->transfer_in.try_tcp_refresh = true;
    options->transfer_in.min_refresh_time = 300;
    options->transfer_in.max_refresh_time = 4 * SG_WEEK;
    options->transfer_in.min_retry_time = 500;
    options->transfer_in.max_retry_time = 2 * SG_WEEK;
    options->transfer_in.time_max = 120 * SG_MINUTE;
    options->transfer_in.idle_max = 60 * SG_MINUTE;
    options->transfer_in.rate_bytes_min = 10240;
    options->transfer_in.rate_window = 5 * SG_MINUTE;
    options->parent.retry_min = CONF_CHECKDS_TIME_MIN;
    options->parent.retry_max = CONF_CHECKDS_TIME_MAX;
    options->limits.records_per_type_max = 100;
    options->limits.types_per_name_max = 100;
    options->limits.ixfr_ratio_percent = 100;
    options->limits.transfer_time_out_max = 120 * SG_MINUTE;
    options->limits.transfer_idle_out_max = 60 * SG_MINUTE;
    options->checks = zone_check_defaults;
    options->loadkeys_interval_minutes = 60;
    options->sig_signing_type = DNS_TYPE_PRIVATE_DEFAULT;
    options->statistics = CONF_STATISTICS_TERSE;
}

void zone_draft_next_layer(struct zone_draft *draft)
{
    draft->policy_at = NULL;
    draft->max_ttl_at = NULL;
    draft->allow_update_at = NULL;
    draft->update_policy_at = NULL;
}

/* --- options with a way of their own ---------------------------------------------------------- */

static void set_allow_transfer(struct conf_loader *loader, const struct conf_statement *statement,
                               struct zone_draft *draft)
{
    struct conf_zone_access *access = &draft->options.access;
    const struct conf_node *port = conf_statement_after(statement, "port");
    const struct conf_node *transport = conf_statement_after(statement, "transport");

    access->allow_transfer = conf_build_acl(loader, conf_statement_block(statement));
    access->transfer_port = port == NULL ? 0 : (uint16_t)conf_integer_of(port);
    access->transfer_tls_only = transport != NULL && conf_node_says(transport, "tls");
}

static void set_allow_update(struct conf_loader *loader, const struct conf_statement *statement,
                             struct zone_draft *draft)
{
    draft->options.access.allow_update = conf_build_acl(loader, conf_statement_block(statement));
    draft->allow_update_at = statement;
}

static void set_update_policy(struct conf_loader *loader, const struct conf_statement *statement,
                              struct zone_draft *draft)
{
    draft->options.access.update_policy = conf_build_update_policy(loader, statement);
    draft->update_policy_at = statement;
}

static void set_notify(struct conf_loader *loader, const struct conf_statement *statement,
                       struct zone_draft *draft)
{
    const struct conf_node *node = &statement->nodes[1];
    enum conf_notify *mode = &draft->options.notify.mode;
    (void)loader;

    if (conf_node_says(node, "explicit")) {
        *mode = CONF_NOTIFY_EXPLICIT;
    } else if (conf_node_says(node, "primary-only") || conf_node_says(node, "master-only")) {
        *mode = CONF_NOTIFY_PRIMARY;
    } else {
        *mode = conf_boolean_of(node) ? CONF_NOTIFY_YES : CONF_NOTIFY_NO;
    }
}

static void set_checkds(struct conf_loader *loader, const struct conf_statement *statement,
                        struct zone_draft *draft)
{
    const struct conf_node *node = &statement->nodes[1];
    (void)loader;

    if (conf_node_says(node, "explicit")) {
        draft->checkds = CONF_CHECKDS_EXPLICIT;
    } else {
        draft->checkds = conf_boolean_of(node) ? CONF_CHECKDS_YES : CONF_CHECKDS_NO;
    }
}

/* Run without a shell: a path, and words between blanks. "" is none. */
static const char *command_of(struct conf_loader *loader, const struct conf_statement *statement)
{
    const struct conf_node *node = &statement->nodes[1];
    if (node->text[0] == '\0') {
        return NULL;
    }
    if (node->text[0] != '/' || strlen(node->text) > CONF_COMMAND_BYTES_MAX) {
        conf_error(loader, statement, node,
                   "'%s' must begin with the program's absolute path, and have at most %d bytes",
                   statement->row->name, CONF_COMMAND_BYTES_MAX);
    }
    return conf_memory_intern(loader->memory, node->text);
}

static void set_submit_command(struct conf_loader *loader, const struct conf_statement *statement,
                               struct zone_draft *draft)
{
    draft->options.parent.submit_command = command_of(loader, statement);
}

static void set_retract_command(struct conf_loader *loader, const struct conf_statement *statement,
                                struct zone_draft *draft)
{
    draft->options.parent.retract_command = command_of(loader, statement);
}

static void set_command_records(struct conf_loader *loader, const struct conf_statement *statement,
                                struct zone_draft *draft)
{
    (void)loader;
    draft->options.parent.command_gets_ds = conf_node_says(&statement->nodes[1], "ds");
}

static void set_minimal_responses(struct conf_loader *loader,
                                  const struct conf_statement *statement, struct zone_draft *draft)
{
    (void)loader;
    draft->options.access.minimal_responses = conf_minimal_responses_of(&statement->nodes[1]);
}

static void set_policy(struct conf_loader *loader, const struct conf_statement *statement,
                       struct zone_draft *draft)
{
    const struct conf_node *node = &statement->nodes[1];

    draft->policy_at = statement;
    draft->policy = NULL;
    if (strcmp(node->text, "none") == 0) {
        return;
    }
    draft->policy = conf_names_find(&loader->policies, node->text, strlen(node->text));
    if (draft->policy == NULL) {
        struct schema_hint hint;
        conf_error(loader, statement, node,
                   "%s%s%soption 'dnssec-policy %s' has no matching dnssec-policy config%s",
                   draft->zone == NULL ? "" : "zone '", draft->zone == NULL ? "" : draft->zone,
                   draft->zone == NULL ? "" : "': ", node->text,
                   conf_did_you_mean(loader, &loader->policies, node->text, &hint));
    }
}

static void set_serial_update(struct conf_loader *loader, const struct conf_statement *statement,
                              struct zone_draft *draft)
{
    static const char *const methods[] = {"increment", "unixtime", "date", "keep"};
    const struct conf_node *node = &statement->nodes[1];

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (conf_node_says(node, methods[i])) {
            draft->options.serial_update = (enum conf_serial_update)i;
        }
    }
    if (draft->options.serial_update == CONF_SERIAL_KEEP) { /* OpenDNSSEC's word */
        conf_warning(loader, statement, node,
                     "serial-update-method keep: signatures and keys that are renewed raise the "
                     "signed serial all the same, and an edited file is refused unless its serial "
                     "is above that");
    }
}

static void set_max_zone_ttl(struct conf_loader *loader, const struct conf_statement *statement,
                             struct zone_draft *draft)
{
    const struct conf_node *node = &statement->nodes[1];
    (void)loader;

    draft->max_ttl_at = statement;
    draft->options.max_zone_ttl = conf_node_says(node, "unlimited") ? 0 : conf_duration_of(node);
}

static void set_journal_age(struct conf_loader *loader, const struct conf_statement *statement,
                            struct zone_draft *draft)
{
    const struct conf_node *node = &statement->nodes[1];
    (void)loader;

    draft->options.limits.journal_age_max =
        conf_node_says(node, "unlimited") ? 0 : conf_duration_of(node);
}

static void set_inline(struct conf_loader *loader, const struct conf_statement *statement,
                       struct zone_draft *draft)
{
    (void)loader;
    draft->inline_signing = conf_boolean_of(&statement->nodes[1]);
}

static void set_format(struct conf_loader *loader, const struct conf_statement *statement,
                       struct zone_draft *draft)
{
    (void)loader;
    draft->options.file_raw = conf_node_says(&statement->nodes[1], "raw");
    draft->format_at = statement;
}

static void set_style(struct conf_loader *loader, const struct conf_statement *statement,
                      struct zone_draft *draft)
{
    (void)loader;
    draft->options.file_style =
        conf_node_says(&statement->nodes[1], "full") ? CONF_STYLE_FULL : CONF_STYLE_RELATIVE;
}

static void set_statistics(struct conf_loader *loader, const struct conf_statement *statement,
                           struct zone_draft *draft)
{
    const struct conf_node *node = &statement->nodes[1];
    enum conf_statistics *statistics = &draft->options.statistics;
    (void)loader;

    if (conf_node_says(node, "full")) {
        *statistics = CONF_STATISTICS_FULL;
    } else if (conf_node_says(node, "terse")) {
        *statistics = CONF_STATISTICS_TERSE;
    } else if (conf_node_says(node, "none")) {
        *statistics = CONF_STATISTICS_NONE;
    } else {
        *statistics = conf_boolean_of(node) ? CONF_STATISTICS_FULL : CONF_STATISTICS_NONE;
    }
}

static void set_check_spf(struct conf_loader *loader, const struct conf_statement *statement,
                          struct zone_draft *draft)
{
    (void)loader;
    draft->options.checks.spf = conf_node_says(&statement->nodes[1], "warn");
}

static void set_transfer_rate(struct conf_loader *loader, const struct conf_statement *statement,
                              struct zone_draft *draft)
{
    struct conf_zone_transfer_in *in = &draft->options.transfer_in;
    (void)loader;

    in->rate_bytes_min = conf_integer_of(&statement->nodes[1]);
    in->rate_window = conf_integer_of(&statement->nodes[2]) * SG_MINUTE;
}

static const struct {
    const char *option;
    void (*set)(struct conf_loader *loader, const struct conf_statement *statement,
                struct zone_draft *draft);
} odd_setters[] = {
    {"allow-transfer", set_allow_transfer},
    {"allow-update", set_allow_update},
    {"check-spf", set_check_spf},
    {"checkds", set_checkds},
    {"dnssec-policy", set_policy},
    {"ds-command-records", set_command_records},
    {"ds-retract-command", set_retract_command},
    {"ds-submit-command", set_submit_command},
    {"inline-signing", set_inline},
    {"masterfile-format", set_format},
    {"masterfile-style", set_style},
    {"max-journal-age", set_journal_age},
    {"max-zone-ttl", set_max_zone_ttl},
    {"min-transfer-rate-in", set_transfer_rate},
    {"minimal-responses", set_minimal_responses},
    {"notify", set_notify},
    {"serial-update-method", set_serial_update},
    {"update-policy", set_update_policy},
    {"zone-statistics", set_statistics},
};

/* check-names and ixfr-from-differences: above zones they say for which type of zone. */
static void apply_by_type(const struct conf_statement *statement, enum conf_zone_type zone_type,
                          struct zone_draft *draft)
{
    bool above = (statement->row->places & PLACE_ZONE) == 0;
    const struct conf_node *node = &statement->nodes[1];
    bool primary = conf_node_says(node, "primary") || conf_node_says(node, "master");
    bool secondary = conf_node_says(node, "secondary") || conf_node_says(node, "slave");
    bool fits = zone_type == CONF_ZONE_PRIMARY ? primary : secondary;

    if (strcmp(statement->row->name, "check-names") == 0) {
        const struct conf_node *mode = above ? &statement->nodes[2] : node;
        if (!above || fits) {
            draft->options.checks.names = conf_node_says(mode, "fail")   ? CHECK_FAIL
                                          : conf_node_says(mode, "warn") ? CHECK_WARN
                                                                         : CHECK_IGNORE;
        }
        return;
    }
    draft->options.ixfr_from_differences = primary || secondary ? fits : conf_boolean_of(node);
}

void zone_draft_apply(const struct conf_setters *setters, struct conf_loader *loader,
                      const struct conf_statement *statement, enum conf_zone_type zone_type,
                      struct zone_draft *draft)
{
    const char *option = statement->row->name;

    if (conf_setters_apply(setters, loader, statement, draft)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(odd_setters); i++) {
        if (strcmp(option, odd_setters[i].option) == 0) {
            odd_setters[i].set(loader, statement, draft);
            return;
        }
    }
    if (strcmp(option, "check-names") == 0 || strcmp(option, "ixfr-from-differences") == 0) {
        apply_by_type(statement, zone_type, draft);
    }
}
