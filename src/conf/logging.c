/* logging: channels and categories. */
#include <limits.h>
#include <strings.h>
#include <syslog.h>

#include "conf/loader.h"
#include "conf/value.h"

enum { CHANNELS_MAX = 200, VERSIONS_UNLIMITED = INT_MAX };

/* BIND's categories; -1: of parts that Signet does not have. */
static const struct {
    const char *name;
    int category;
} category_names[] = {
    {"general", LOG_GENERAL},
    {"config", LOG_CONFIG},
    {"network", LOG_NETWORK},
    {"client", LOG_CLIENT},
    {"security", LOG_SECURITY},
    {"zone", LOG_ZONE},
    {"zoneload", LOG_ZONE},
    {"dnssec", LOG_DNSSEC},
    {"xfer-in", LOG_XFER_IN},
    {"xfer-out", LOG_XFER_OUT},
    {"notify", LOG_NOTIFY},
    {"update", LOG_UPDATE},
    {"update-security", LOG_UPDATE_SECURITY},
    {"queries", LOG_QUERIES},
    {"cname", -1},
    {"database", -1},
    {"delegation-only", -1},
    {"dispatch", -1},
    {"dnstap", -1},
    {"drop", -1},
    {"edns-disabled", -1},
    {"lame-servers", -1},
    {"nsid", -1},
    {"query-errors", -1},
    {"rate-limit", -1},
    {"resolver", -1},
    {"responses", -1},
    {"rpz", -1},
    {"rpz-passthru", -1},
    {"serve-stale", -1},
    {"spill", -1},
    {"sslkeylog", -1},
    {"trust-anchor-telemetry", -1},
    {"unmatched", -1},
};

static const struct {
    const char *name;
    int facility;
} facilities[] = {
    {"kern", LOG_KERN},     {"user", LOG_USER},     {"mail", LOG_MAIL},
    {"daemon", LOG_DAEMON}, {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV},
    {"syslog", LOG_SYSLOG}, {"lpr", LOG_LPR},       {"news", LOG_NEWS},
    {"uucp", LOG_UUCP},     {"cron", LOG_CRON},     {"ftp", LOG_FTP},
    {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
    {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};

static const struct conf_channel built_in[] = {
    {.name = "default_syslog",
     .kind = CONF_LOG_SYSLOG,
     .facility = LOG_DAEMON,
     .severity = SEVERITY_INFO},
    {.name = "default_debug",
     .kind = CONF_LOG_FILE,
     .path = "signetd.run",
     .severity = INT_MAX,
     .print_time = true},
    {.name = "default_stderr", .kind = CONF_LOG_STDERR, .severity = SEVERITY_INFO},
    {.name = "default_logfile", .kind = CONF_LOG_STDERR, .severity = INT_MAX, .print_time = true},
    {.name = "null", .kind = CONF_LOG_NULL, .severity = SEVERITY_CRITICAL},
};

static int severity_of(const struct conf_statement *statement)
{
    static const char *const names[] = {"critical", "error", "warning", "notice", "info"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (conf_node_says(&statement->nodes[1], names[i])) {
            return (int)i;
        }
    }
    if (conf_node_says(&statement->nodes[1], "dynamic")) {
        return INT_MAX;
    }
    uint32_t level = statement->count > 2 ? conf_integer_of(&statement->nodes[2]) : 1;
    return level > 99 ? SEVERITY_INFO + 99 : SEVERITY_INFO + (int)level;
}

/* versions, size and suffix come in any order, each at most once. */
static void check_file_words(struct conf_loader *loader, const struct conf_statement *statement)
{
    for (unsigned i = 2; i < statement->count; i += 2) {
        const struct conf_node *node = &statement->nodes[i];
        if (conf_statement_after(statement, node->text) != node + 1) {
            conf_error(loader, statement, node, "'%s' is given again", node->text);
        }
    }
}

static void set_file(struct conf_loader *loader, const struct conf_statement *statement,
                     struct conf_channel *channel)
{
    const struct conf_node *versions = conf_statement_after(statement, "versions");
    const struct conf_node *size = conf_statement_after(statement, "size");
    const struct conf_node *suffix = conf_statement_after(statement, "suffix");

    check_file_words(loader, statement);
    channel->kind = CONF_LOG_FILE;
    channel->path = conf_memory_intern(loader->memory, statement->nodes[1].text);
    if (versions != NULL) {
        channel->versions =
            conf_node_says(versions, "unlimited") ? VERSIONS_UNLIMITED : conf_integer_of(versions);
    }
    if (size != NULL) {
        (void)conf_value_size(size->text, &channel->size_bytes_max); /* else: no limit */
    }
    channel->suffix_is_timestamp = suffix != NULL && conf_node_says(suffix, "timestamp");
}

static void set_syslog(struct conf_loader *loader, const struct conf_statement *statement,
                       struct conf_channel *channel)
{
    channel->kind = CONF_LOG_SYSLOG;
    channel->facility = LOG_DAEMON;
    if (statement->count == 1) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(facilities); i++) {
        if (conf_node_says(&statement->nodes[1], facilities[i].name)) {
            channel->facility = facilities[i].facility;
            return;
        }
    }
    conf_error(loader, statement, &statement->nodes[1], "unknown syslog facility '%s'",
               statement->nodes[1].text);
}

static void set_print_time(const struct conf_statement *statement, struct conf_channel *channel)
{
    const struct conf_node *node = &statement->nodes[1];
    bool utc = conf_node_says(node, "iso8601-utc");

    channel->print_time_iso = utc || conf_node_says(node, "iso8601");
    channel->print_time_utc = utc;
    channel->print_time =
        channel->print_time_iso || conf_node_says(node, "local") || conf_boolean_of(node);
}

static void read_channel(struct conf_loader *loader, const struct conf_statement *statement,
                         struct conf_channel *channel)
{
    unsigned destinations = 0;

    *channel = (struct conf_channel){
        .name = conf_memory_intern(loader->memory, statement->nodes[1].text),
        .kind = CONF_LOG_NULL,
        .severity = SEVERITY_INFO,
    };
    for (const struct conf_statement *each = conf_body(statement); each != NULL;
         each = each->next) {
        const char *option = each->row == NULL ? "" : each->row->name;
        if (strcmp(option, "file") == 0) {
            set_file(loader, each, channel);
            destinations++;
        } else if (strcmp(option, "syslog") == 0) {
            set_syslog(loader, each, channel);
            destinations++;
        } else if (strcmp(option, "stderr") == 0) {
            channel->kind = CONF_LOG_STDERR;
            destinations++;
        } else if (strcmp(option, "null") == 0) {
            destinations++;
        } else if (strcmp(option, "severity") == 0) {
            channel->severity = severity_of(each);
        } else if (strcmp(option, "print-time") == 0) {
            set_print_time(each, channel);
        } else if (strcmp(option, "print-severity") == 0) {
            channel->print_severity = conf_boolean_of(&each->nodes[1]);
        } else if (strcmp(option, "print-category") == 0) {
            channel->print_category = conf_boolean_of(&each->nodes[1]);
        } else if (strcmp(option, "buffered") == 0) {
            channel->buffered = conf_boolean_of(&each->nodes[1]);
        }
    }
    if (destinations != 1) {
        conf_error(loader, statement, &statement->nodes[1],
                   "channel '%s' must have exactly one of 'file', 'syslog', 'stderr' and 'null'",
                   channel->name);
    }
}

static bool find_channel(const struct conf_logging *logging, const char *name, size_t *out_index)
{
    for (size_t i = 0; i < logging->channels_count; i++) {
        if (strcasecmp(logging->channels[i].name, name) == 0) {
            *out_index = i;
            return true;
        }
    }
    return false;
}

/* The same; a built-in channel comes to be when it is first used. */
static bool use_channel(struct conf_logging *logging, const char *name, size_t *out_index)
{
    if (find_channel(logging, name, out_index)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(built_in); i++) {
        if (strcasecmp(built_in[i].name, name) == 0) {
            *out_index = logging->channels_count;
            logging->channels[logging->channels_count++] = built_in[i];
            return true;
        }
    }
    return false;
}

static struct conf_category *category_named(struct conf_loader *loader,
                                            const struct conf_statement *statement,
                                            struct conf_category *fallback,
                                            struct conf_category *unused)
{
    const char *name = statement->nodes[1].text;

    if (strcasecmp(name, "default") == 0) {
        return fallback;
    }
    for (size_t i = 0; i < ARRAY_LEN(category_names); i++) {
        if (strcasecmp(name, category_names[i].name) == 0) {
            int category = category_names[i].category;
            return category < 0 ? unused : &loader->conf->logging.categories[category];
        }
    }
    conf_error(loader, statement, &statement->nodes[1], "undefined category: '%s'", name);
    return unused;
}

static void read_category(struct conf_loader *loader, const struct conf_statement *statement,
                          struct conf_category *fallback)
{
    struct conf_category unused = {0};
    struct conf_category *category = category_named(loader, statement, fallback, &unused);
    size_t index;

    if (category->set) {
        conf_warning(loader, statement, &statement->nodes[1],
                     "category '%s' is given again: the last one counts", statement->nodes[1].text);
    }
    category->set = true;
    category->count = 0;
    for (const struct conf_statement *each = conf_body(statement); each != NULL;
         each = each->next) {
        if (!use_channel(&loader->conf->logging, each->nodes[0].text, &index)) {
            conf_error(loader, each, NULL, "undefined channel '%s'", each->nodes[0].text);
        } else if (category->count == ARRAY_LEN(category->channels)) {
            conf_error(loader, each, NULL, "more than %zu channels for a category",
                       ARRAY_LEN(category->channels));
        } else {
            category->channels[category->count++] = (unsigned char)index;
        }
    }
}

static void read_channels(struct conf_loader *loader, const struct conf_statement *body)
{
    struct conf_logging *logging = &loader->conf->logging;
    size_t count = ARRAY_LEN(built_in), index;

    for (const struct conf_statement *at = conf_next_statement(body, "channel");
         at != NULL && count < CHANNELS_MAX; at = conf_next_statement(at->next, "channel")) {
        count++;
    }
    logging->channels = conf_memory_take_zero(loader->memory, count, sizeof(*logging->channels));
    for (const struct conf_statement *at = conf_next_statement(body, "channel"); at != NULL;
         at = conf_next_statement(at->next, "channel")) {
        if (logging->channels_count + ARRAY_LEN(built_in) == CHANNELS_MAX) {
            conf_error(loader, at, NULL, "more than %zu channels",
                       CHANNELS_MAX - ARRAY_LEN(built_in));
            return;
        }
        if (find_channel(logging, at->nodes[1].text, &index)) {
            conf_error(loader, at, &at->nodes[1], "channel '%s' is defined twice",
                       at->nodes[1].text);
        }
        read_channel(loader, at, &logging->channels[logging->channels_count++]);
    }
}

void conf_resolve_logging(struct conf_loader *loader)
{
    struct conf_logging *logging = &loader->conf->logging;
    const struct conf_statement *statement = conf_find_statement(loader->top, "logging");
    struct conf_category fallback = {0};
    size_t index;

    if (statement == NULL) {
        return;
    }
    const struct conf_statement *body = conf_body(statement);
    read_channels(loader, body);
    for (const struct conf_statement *at = conf_next_statement(body, "category"); at != NULL;
         at = conf_next_statement(at->next, "category")) {
        read_category(loader, at, &fallback);
    }
    if (!fallback.set && use_channel(logging, "default_syslog", &index)) {
        fallback.channels[0] = (unsigned char)index;
        fallback.count = 1;
    }
    for (size_t i = 0; i < LOG_CATEGORIES; i++) {
        if (!logging->categories[i].set) {
            logging->categories[i] = fallback;
            logging->categories[i].set = false;
        }
    }
}
