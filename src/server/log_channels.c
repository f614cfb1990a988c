#include "server/log_channels.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/log_roll.h"

enum {
    LINE_BYTES = 4096 + 256, /* a line of base/log and what stands before it */
    STAMP_BYTES = 48,
    CHANNELS_OF_CATEGORY_MAX = 8,
    FILE_MODE = 0644,
};

struct channel {
    struct conf_channel settings; /* its path is our copy, its name is not used */
    int fd;                       /* -1: none */
    uint64_t bytes;               /* atomic: written so far, what was there before included */
    bool full;                    /* atomic: waits to be rolled */
};

struct route {
    unsigned char channels[CHANNELS_OF_CATEGORY_MAX];
    unsigned count;
};

/* Immutable but for what is said to be atomic. */
struct table {
    struct table *next; /* of the retired ones */
    struct channel *channels;
    size_t count;
    bool is_default; /* made without a logging statement */
    struct route routes[LOG_CATEGORIES];
};

struct log_channels {
    const struct log_defaults *defaults;
    struct table *table;   /* atomic */
    struct table *retired; /* replaced, but a thread may still be inside */
    size_t inside;         /* atomic: threads in the sink */
    unsigned debug_level;  /* atomic */
    bool starting;         /* atomic */
    void (*wake)(void *argument);
    void *wake_argument;
};

static int syslog_priority(int severity)
{
    static const int priorities[] = {LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO};

    return severity < SEVERITY_DEBUG ? priorities[severity] : LOG_DEBUG;
}

/* `rndc trace` opens channels with a debug severity; without it they show info and above. */
static int severity_shown(const struct channel *channel, unsigned debug_level)
{
    int severity = channel->settings.severity;

    if (severity < SEVERITY_DEBUG || debug_level == 0) {
        return severity < SEVERITY_DEBUG ? severity : SEVERITY_INFO;
    }
    return severity == INT_MAX ? SEVERITY_INFO + (int)debug_level : severity;
}

/* "22-Nov-2026 05:17:43.241", or as ISO 8601 has it. */
static void format_stamp(const struct conf_channel *settings, const struct timespec *now,
                         char out_text[STAMP_BYTES])
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    unsigned millisecond = (unsigned)(now->tv_nsec / 1000000) % 1000;
    struct tm tm;

    if (settings->print_time_utc) {
        gmtime_r(&now->tv_sec, &tm);
    } else {
        localtime_r(&now->tv_sec, &tm);
    }
    if (settings->print_time_iso || settings->print_time_utc) {
        snprintf(out_text, STAMP_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03u%s ",
                 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
                 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
                 (unsigned)tm.tm_sec % 100, millisecond, settings->print_time_utc ? "Z" : "");
        return;
    }
    snprintf(out_text, STAMP_BYTES, "%02u-%s-%04u %02u:%02u:%02u.%03u ", (unsigned)tm.tm_mday % 100,
             months[tm.tm_mon], (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, millisecond);
}

static size_t format_line(const struct conf_channel *settings, enum log_category category,
                          int severity, const char *line, char out_line[LINE_BYTES])
{
    char stamp[STAMP_BYTES] = "";
    struct timespec now;

    if (settings->print_time && settings->kind != CONF_LOG_SYSLOG) {
        clock_gettime(CLOCK_REALTIME, &now);
        format_stamp(settings, &now, stamp);
    }
    int length = snprintf(out_line, LINE_BYTES, "%s%s%s%s%s%s\n", stamp,
                          settings->print_category ? log_category_text(category) : "",
                          settings->print_category ? ": " : "",
                          settings->print_severity ? log_severity_text(severity) : "",
                          settings->print_severity ? ": " : "", line);
    if (length >= LINE_BYTES) {
        length = LINE_BYTES - 1;
        out_line[length - 1] = '\n';
    }
    return length < 0 ? 0 : (size_t)length;
}

/* Nothing can be done about a log that cannot be written; the next line tries again. */
static void write_line(int fd, const char *line, size_t length)
{
    ssize_t written = write(fd, line, length);

    (void)written;
}

static void channel_write(struct log_channels *channels, struct channel *channel,
                          enum log_category category, int severity, const char *line)
{
    const struct conf_channel *settings = &channel->settings;
    char text[LINE_BYTES];

    if (settings->kind == CONF_LOG_NULL) {
        return;
    }
    size_t length = format_line(settings, category, severity, line, text);
    if (settings->kind == CONF_LOG_SYSLOG) {
        syslog(settings->facility | syslog_priority(severity), "%.*s", (int)length - 1, text);
        return;
    }
    if (channel->fd < 0) {
        return;
    }
    if (settings->size_bytes_max > 0 &&
        __atomic_load_n(&channel->bytes, __ATOMIC_RELAXED) >= settings->size_bytes_max) {
        if (settings->versions == 0) {
            return; /* As named: a bounded file without versions takes no more. */
        }
        if (!__atomic_exchange_n(&channel->full, true, __ATOMIC_ACQ_REL) &&
            channels->wake != NULL) {
            channels->wake(channels->wake_argument);
        }
    }
    write_line(channel->fd, text, length);
    __atomic_add_fetch(&channel->bytes, length, __ATOMIC_RELAXED);
}

/* Thread: any. */
static void sink(void *argument, enum log_category category, int severity, const char *line)
{
    struct log_channels *channels = argument;
    unsigned debug_level = __atomic_load_n(&channels->debug_level, __ATOMIC_RELAXED);
    bool on_stderr = false;

    /* Counted before the table is looked at: whoever sees no one inside may free old tables. */
    __atomic_add_fetch(&channels->inside, 1, __ATOMIC_SEQ_CST);
    const struct table *table = __atomic_load_n(&channels->table, __ATOMIC_SEQ_CST);
    const struct route *route = &table->routes[(unsigned)category < LOG_CATEGORIES ? category : 0];
    for (unsigned i = 0; i < route->count; i++) {
        struct channel *channel = &table->channels[route->channels[i]];
        on_stderr |= channel->settings.kind == CONF_LOG_STDERR;
        if (severity <= severity_shown(channel, debug_level)) {
            channel_write(channels, channel, category, severity, line);
        }
    }
    __atomic_sub_fetch(&channels->inside, 1, __ATOMIC_SEQ_CST);

    if (severity <= SEVERITY_ERROR && !on_stderr &&
        __atomic_load_n(&channels->starting, __ATOMIC_RELAXED)) {
        dprintf(STDERR_FILENO, "signetd: %s\n", line);
    }
}

static void update_threshold(const struct log_channels *channels)
{
    int threshold = SEVERITY_CRITICAL;

    for (size_t i = 0; i < channels->table->count; i++) {
        int shown = severity_shown(&channels->table->channels[i], channels->debug_level);
        if (channels->table->channels[i].settings.kind == CONF_LOG_NULL) {
            continue;
        }
        threshold = shown > threshold ? shown : threshold;
    }
    log_set_threshold(threshold > SEVERITY_ERROR ? threshold : SEVERITY_ERROR);
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, FILE_MODE);
}

static void roll(const struct channel *channel)
{
    if (channel->settings.suffix_is_timestamp) {
        log_roll_timestamp(channel->settings.path, channel->settings.versions);
    } else {
        log_roll_numbers(channel->settings.path, channel->settings.versions);
    }
}

/* Only what may be rolled: /dev/null or a pipe may be a log too. */
static bool is_regular(const struct channel *channel, uint64_t *out_bytes)
{
    struct stat status;

    *out_bytes = 0;
    if (stat(channel->settings.path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return false;
    }
    *out_bytes = (uint64_t)status.st_size;
    return true;
}

/* Let the name's present file take over the descriptor. Writers notice nothing. */
static void channel_reopen(struct channel *channel)
{
    uint64_t bytes = 0;
    int fd = open_file(channel->settings.path);

    if (fd < 0) {
        return; /* Better the old file than none. */
    }
    if (dup3(fd, channel->fd, O_CLOEXEC) >= 0) {
        (void)is_regular(channel, &bytes);
        __atomic_store_n(&channel->bytes, bytes, __ATOMIC_RELAXED);
    }
    close(fd);
}

static void table_free(struct table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        struct channel *channel = &table->channels[i];
        if (channel->settings.kind == CONF_LOG_FILE && channel->fd >= 0) {
            close(channel->fd);
        }
        mem_free((void *)(uintptr_t)channel->settings.path);
    }
    mem_free(table->channels);
    mem_free(table);
}

/* `first` is the start of the server, when a file with versions but no size is rolled. */
static enum sg_result channel_open(struct channel *channel, const struct conf_channel *settings,
                                   bool first)
{
    uint64_t bytes = 0;

    channel->settings = *settings;
    channel->settings.name = NULL;
    channel->settings.path = settings->path == NULL ? NULL : mem_copy_text(settings->path);
    channel->fd = settings->kind == CONF_LOG_STDERR ? STDERR_FILENO : -1;
    if (settings->kind != CONF_LOG_FILE) {
        return SG_OK;
    }
    if (is_regular(channel, &bytes) && settings->versions > 0 &&
        (settings->size_bytes_max == 0 ? first : bytes >= settings->size_bytes_max)) {
        roll(channel);
        bytes = 0;
    }
    channel->fd = open_file(settings->path);
    channel->bytes = bytes;
    return channel->fd < 0 ? SG_IO : SG_OK;
}

static struct table *table_new(size_t channels)
{
    struct table *table = mem_alloc_zero(1, sizeof(*table));

    table->channels = mem_alloc_zero(channels, sizeof(*table->channels));
    for (size_t i = 0; i < channels; i++) {
        table->channels[i].fd = -1;
    }
    table->count = channels;
    return table;
}

/* Where all lines go without a logging statement. */
static struct conf_channel default_channel(const struct log_defaults *defaults)
{
    struct conf_channel settings = {
        .name = "default", .kind = CONF_LOG_SYSLOG, .facility = LOG_DAEMON, .severity = INT_MAX};

    if (defaults->stderr_always || defaults->foreground) {
        settings.kind = CONF_LOG_STDERR;
        settings.print_time = true;
    }
    if (defaults->file != NULL && !defaults->stderr_always) {
        settings.kind = CONF_LOG_FILE;
        settings.path = defaults->file;
        settings.print_time = true;
        settings.print_category = true;
        settings.print_severity = true;
    }
    return settings;
}

static enum sg_result table_of_defaults(const struct log_defaults *defaults,
                                        struct table **out_table)
{
    struct table *table = table_new(1);
    struct conf_channel settings = default_channel(defaults);

    if (channel_open(&table->channels[0], &settings, false) != SG_OK) {
        int saved = errno;
        table_free(table);
        errno = saved;
        return SG_IO;
    }
    for (unsigned category = 0; category < LOG_CATEGORIES; category++) {
        table->routes[category].count = 1;
    }
    table->is_default = true;
    *out_table = table;
    return SG_OK;
}

static bool route_has(const struct route *route, size_t channel)
{
    for (unsigned i = 0; i < route->count; i++) {
        if (route->channels[i] == channel) {
            return true;
        }
    }
    return false;
}

/* Channels that no category names are not opened: a file may be there for another day. */
static bool is_used(const struct table *table, size_t channel)
{
    bool used = false;

    for (unsigned category = 0; category < LOG_CATEGORIES; category++) {
        used |= route_has(&table->routes[category], channel);
    }
    return used;
}

static enum sg_result table_of_statement(const struct log_channels *channels,
                                         const struct conf_logging *logging,
                                         struct table **out_table)
{
    bool first = __atomic_load_n(&channels->starting, __ATOMIC_RELAXED);
    struct table *table = table_new(logging->channels_count);

    for (unsigned category = 0; category < LOG_CATEGORIES; category++) {
        const struct conf_category *said = &logging->categories[category];
        struct route *route = &table->routes[category];
        route->count = said->count;
        memcpy(route->channels, said->channels, sizeof(route->channels));
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_channel *settings = &logging->channels[i];
        if (!is_used(table, i)) {
            table->channels[i].settings.kind = CONF_LOG_NULL;
            continue;
        }
        if (channel_open(&table->channels[i], settings, first) != SG_OK) {
            log_write(LOG_CONFIG, SEVERITY_ERROR, "logging channel '%s' file '%s': %s",
                      settings->name, settings->path, strerror(errno));
            table_free(table);
            return SG_IO;
        }
    }
    *out_table = table;
    return SG_OK;
}

static void replace_table(struct log_channels *channels, struct table *table)
{
    struct table *old = channels->table;

    __atomic_store_n(&channels->table, table, __ATOMIC_SEQ_CST);
    old->next = channels->retired;
    channels->retired = old;
    update_threshold(channels);
    log_channels_tend(channels);
}

enum sg_result log_channels_new(const struct log_defaults *defaults,
                                struct log_channels **out_channels)
{
    struct log_channels *channels = mem_alloc_zero(1, sizeof(*channels));

    channels->defaults = defaults;
    channels->debug_level = defaults->debug_level;
    channels->starting = true;
    /* Before a chroot(2) or a change of user puts the socket out of reach. */
    openlog("signetd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    if (table_of_defaults(defaults, &channels->table) != SG_OK) {
        mem_free(channels);
        return SG_IO;
    }
    update_threshold(channels);
    log_set_sink(sink, channels);
    *out_channels = channels;
    return SG_OK;
}

void log_channels_free(struct log_channels *channels)
{
    if (channels == NULL) {
        return;
    }
    log_set_sink(NULL, NULL);
    log_set_threshold(SEVERITY_INFO);
    log_channels_tend(channels);
    table_free(channels->table);
    closelog();
    mem_free(channels);
}

enum sg_result log_channels_configure(struct log_channels *channels,
                                      const struct conf_logging *logging)
{
    struct table *table = NULL;

    /* The default stays as it is: a file of -L may have been opened by root, once. */
    bool by_default = channels->defaults->stderr_always || logging->channels_count == 0;
    if (by_default && channels->table->is_default) {
        return SG_OK;
    }
    enum sg_result result = by_default ? table_of_defaults(channels->defaults, &table)
                                       : table_of_statement(channels, logging, &table);
    if (result == SG_OK) {
        replace_table(channels, table);
    }
    return result;
}

void log_channels_started(struct log_channels *channels)
{
    __atomic_store_n(&channels->starting, false, __ATOMIC_RELAXED);
}

void log_channels_on_full(struct log_channels *channels, void (*wake)(void *argument),
                          void *argument)
{
    channels->wake_argument = argument;
    channels->wake = wake;
}

void log_channels_tend(struct log_channels *channels)
{
    for (size_t i = 0; i < channels->table->count; i++) {
        struct channel *channel = &channels->table->channels[i];
        uint64_t bytes = 0;
        if (!__atomic_load_n(&channel->full, __ATOMIC_ACQUIRE)) {
            continue;
        }
        if (is_regular(channel, &bytes)) {
            roll(channel);
        }
        channel_reopen(channel);
        __atomic_store_n(&channel->full, false, __ATOMIC_RELEASE);
    }
    if (__atomic_load_n(&channels->inside, __ATOMIC_SEQ_CST) > 0) {
        return; /* Next time; the tables of a reload are small. */
    }
    while (channels->retired != NULL) {
        struct table *next = channels->retired->next;
        table_free(channels->retired);
        channels->retired = next;
    }
}

void log_channels_reopen(struct log_channels *channels)
{
    for (size_t i = 0; i < channels->table->count; i++) {
        if (channels->table->channels[i].settings.kind == CONF_LOG_FILE) {
            channel_reopen(&channels->table->channels[i]);
        }
    }
}

void log_channels_set_debug(struct log_channels *channels, unsigned level)
{
    __atomic_store_n(&channels->debug_level, level, __ATOMIC_RELAXED);
    update_threshold(channels);
}

unsigned log_channels_debug(const struct log_channels *channels)
{
    return channels->debug_level;
}
