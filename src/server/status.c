#include "server/status.h"

#include <inttypes.h>
#include <sys/utsname.h>

#include "base/mem.h"
#include "keeper/zone_label.h"
#include "server/reload.h"
#include "server/store_opening.h"

enum { TROUBLED_NAMED_MAX = 5 };

static void put_line(struct buffer *text, const char *name, const char *value)
{
    buffer_format(text, "%s%s: %s", text->length == 0 ? "" : "\n", name, value);
}

static void put_number(struct buffer *text, const char *name, uint64_t value)
{
    buffer_format(text, "%s%s: %" PRIu64, text->length == 0 ? "" : "\n", name, value);
}

static void put_time(struct buffer *text, const char *name, sg_time when)
{
    char value[TIME_HUMAN_BYTES];

    if (when != 0) {
        time_to_http(when, value);
        put_line(text, name, value);
    }
}

static void put_flag(struct buffer *text, const char *name, bool value)
{
    put_line(text, name, value ? "yes" : "no");
}

static void put_host(struct buffer *text)
{
    struct utsname host;

    if (uname(&host) == 0) {
        buffer_format(text, "\nrunning on %s: %s %s %s %s", host.nodename, host.sysname,
                      host.machine, host.release, host.version);
    }
}

static void put_store(const struct server *server, struct buffer *text)
{
    enum sg_result health = server->store == NULL ? SG_OK : store_health(server->store);

    if (server->store == NULL) {
        put_line(text, "store", "not open: ");
        buffer_append_text(text, store_opening_problem(server));
    } else if (health != SG_OK) {
        buffer_format(
            text, "\nstore: cannot be written: %s; no changes are taken until it can, see the log",
            sg_result_text(health));
    }
}

static void put_clock(const struct keeper *keeper, struct buffer *text)
{
    sg_duration jump;

    switch (keeper_clock(keeper, &jump)) {
    case CLOCK_EARLY:
        put_line(text, "clock", "before this program was written: set it; key states rest");
        break;
    case CLOCK_AHEAD:
    case CLOCK_BEHIND:
        buffer_format(text,
                      "\nclock: jumped %s by %lld seconds; key states rest until it is right "
                      "again or `clock -accept` says that it is",
                      keeper_clock(keeper, &jump) == CLOCK_AHEAD ? "ahead" : "back",
                      (long long)jump);
        break;
    default:
        break;
    }
}

static void put_clock_of_zone(const struct server *server, const struct zone_status *status,
                              struct buffer *text)
{
    char when[TIME_HUMAN_BYTES];
    sg_duration jump;
    bool of_all = keeper_clock(server->keeper, &jump) != CLOCK_TRUSTED;

    time_to_http(status->clock_at, when);
    switch (of_all && status->clock != CLOCK_TRUSTED ? CLOCK_AHEAD : status->clock) {
    case CLOCK_TRUSTED:
        break;
    case CLOCK_BEHIND:
        buffer_format(text,
                      "\nclock: behind the last commit of %s; key states rest until then or "
                      "`clock -accept`",
                      when);
        break;
    case CLOCK_UNLIKELY:
        buffer_format(text,
                      "\nclock: in doubt since the commit of %s; key states rest until "
                      "`clock -accept`",
                      when);
        break;
    case CLOCK_ACCEPTED:
        put_line(text, "clock", "accepted; the waits of the keys have not begun anew yet");
        break;
    default:
        put_line(text, "clock", "in doubt, see status; key states rest");
    }
}

static bool is_overdue(const struct zone_status *status)
{
    return status->overdue_at != 0 && status->overdue_at <= time_now();
}

/* A secondary that has long heard nothing of use, and is served still. */
static bool is_expiring(const struct zone_status *status)
{
    return status->refresh_failure != NULL && status->expiring_at != 0 &&
           status->expiring_at <= time_now();
}

/* A line of ours, and only when something is wrong: a reload of all zones is answered before they
 * have been read. */
static void put_troubled_zones(struct keeper *keeper, struct buffer *text)
{
    struct buffer names = BUFFER_EMPTY;
    size_t count = 0;

    for (size_t i = 0; i < keeper_zones(keeper); i++) {
        struct zone_status status;
        char label[ZONE_LABEL_BYTES];
        managed_zone_status(keeper_zone(keeper, i), &status);
        bool in_doubt = status.clock == CLOCK_BEHIND || status.clock == CLOCK_UNLIKELY;
        if (status.problem == NULL && !in_doubt && !is_overdue(&status) && !is_expiring(&status)) {
            continue;
        }
        if (count < TROUBLED_NAMED_MAX) {
            buffer_format(&names, "%s%s", count == 0 ? "" : ", ",
                          zone_label(status.settings, label));
        }
        count++;
    }
    if (count > 0) {
        buffer_format(text, "\nzones with a problem: %zu (%s%s), see zonestatus", count,
                      buffer_text(&names), count > TROUBLED_NAMED_MAX ? ", ..." : "");
    }
    buffer_free(&names);
}

void status_of_clock(const struct server *server, struct buffer *out_text)
{
    struct keeper *keeper = server->keeper;
    char now[TIME_HUMAN_BYTES];
    sg_duration jump;
    size_t resting = 0;

    for (size_t i = 0; i < keeper_zones(keeper); i++) {
        struct zone_status status;
        managed_zone_status(keeper_zone(keeper, i), &status);
        resting += status.clock != CLOCK_TRUSTED;
    }
    time_to_http(time_now(), now);
    put_line(out_text, "time", now);
    put_clock(keeper, out_text);
    if (keeper_clock(keeper, &jump) == CLOCK_TRUSTED && resting == 0) {
        put_line(out_text, "clock", "not in doubt");
    }
    put_number(out_text, "zones whose key states rest", resting);
}

/* Transfers in, as BIND counts: those out are among the TCP clients. */
static void put_refreshes(const struct keeper *keeper, struct buffer *text)
{
    struct refresh_counts counts;

    keeper_count_refreshes(keeper, &counts);
    put_number(text, "xfers running", counts.transferring);
    put_number(text, "xfers deferred", counts.queued);
    put_number(text, "xfers first refresh", counts.without_zone);
    put_number(text, "soa queries in progress", counts.asking);
}

void status_of_server(const struct server *server, struct buffer *out_text)
{
    const struct server_progress *progress = &server->progress;
    struct net_counts counts;

    net_counts(server->net, &counts);
    put_line(out_text, "version", "Signet " SIGNET_VERSION " <id:>");
    put_host(out_text);
    put_time(out_text, "boot time", progress->booted_at);
    put_time(out_text, "last configured", progress->configured_at);
    put_line(out_text, "configuration file", server->configuration);
    put_number(out_text, "CPUs found", server->processors);
    put_number(out_text, "worker threads", server->threads);
    put_number(out_text, "UDP listeners per interface", server->threads);
    buffer_format(out_text, "\nnumber of zones: %zu (0 automatic)", keeper_zones(server->keeper));
    put_number(out_text, "debug level", log_channels_debug(server->logs));
    put_refreshes(server->keeper, out_text);
    buffer_format(out_text, "\nquery logging is %s",
                  dispatch_query_log(server->desk) ? "ON" : "OFF");
    buffer_append_text(out_text, "\nresponse logging is OFF");
    buffer_append_text(out_text, "\nmemory profiling is INACTIVE");
    buffer_append_text(out_text, "\nrecursive clients: 0/0/0");
    buffer_append_text(out_text, "\nrecursive high-water: 0");
    buffer_format(out_text, "\ntcp clients: %u/%u", counts.tcp_clients,
                  server->generation->conf->options.tcp.clients_max);
    put_number(out_text, "TCP high-water", counts.tcp_clients_high_water);
    put_store(server, out_text);
    put_clock(server->keeper, out_text);
    put_troubled_zones(server->keeper, out_text);
    if (reload_is_busy(server->reload)) {
        buffer_append_text(out_text, "\nreload/reconfig in progress");
    } else if (progress->reload_failed) {
        buffer_append_text(out_text, "\nreload/reconfig failed");
    }
    buffer_append_text(out_text, "\nserver is up and running");
}

static void put_files(struct buffer *text, const struct zone_status *status)
{
    if (status->files_count == 0) {
        if (status->settings->file != NULL) {
            put_line(text, "files", status->settings->file);
        }
        return;
    }
    put_line(text, "files", status->files[0].path);
    for (size_t i = 1; i < status->files_count; i++) {
        buffer_format(text, ", %s", status->files[i].path);
    }
}

static void put_serials(struct buffer *text, const struct zone_status *status)
{
    const struct zone_facts *facts = status->facts;

    if (facts == NULL) {
        return;
    }
    if (status->settings->inline_signing && facts->signed_here) {
        put_number(text, "serial", facts->source_serial);
        put_number(text, "signed serial", facts->serial);
    } else {
        put_number(text, "serial", facts->serial);
    }
    put_number(text, "nodes", facts->names);
}

/* The statement that addzone or modzone gave it; NULL: as signet.conf has it. */
static const struct amendment *amendment_of(const struct server *server,
                                            const struct zone_settings *settings)
{
    char *name = amendment_name(&settings->apex);
    const struct amendment *found = amendments_find(server->amendments, settings->view, name);

    mem_free(name);
    return found;
}

static bool is_reconfigurable(const struct server *server, const struct zone_settings *settings)
{
    const struct amendment *amendment = amendment_of(server, settings);
    const struct conf_zone *zone = settings->access;

    return amendment != NULL && amendment->stored && zone->view->allow_new_zones;
}

/* What queries get meanwhile. */
static void put_served(struct buffer *text, const struct zone_status *status)
{
    if (status->facts == NULL) {
        put_line(text, "served meanwhile", "nothing, queries are answered with SERVFAIL");
    } else {
        buffer_format(text, "\nserved meanwhile: serial %u, %s", status->facts->serial,
                      status->stored ? "as the store has it" : "as it was loaded last");
    }
}

/* What `signet zonestatus` makes its exit status of (tools/control.c). */
static void put_troubles(const struct server *server, const struct zone_status *status,
                         struct buffer *text)
{
    const struct zone_settings *settings = status->settings;
    bool changes = settings->policy != NULL || settings->dynamic || settings->type != ZONE_PRIMARY;

    if (status->problem != NULL) {
        put_line(text, "problem", status->problem);
        put_time(text, "problem since", status->problem_since);
        put_served(text, status);
    }
    if (changes && server->store != NULL) { /* Else it is the zone's problem. */
        put_store(server, text);
    }
    put_clock_of_zone(server, status, text);
    if (is_overdue(status)) {
        char expires[TIME_HUMAN_BYTES];
        time_to_http(status->expires_first, expires);
        buffer_format(text, "\nsignatures: overdue, the first %s on %s",
                      status->expires_first <= time_now() ? "expired" : "expires", expires);
    }
}

static void put_parent_line(void *argument, const char *line)
{
    put_line(argument, "parent", line);
}

static void put_beside(struct buffer *text, const struct zone_beside *beside)
{
    uint64_t done = beside->done < beside->all ? beside->done : beside->all;

    switch (beside->step) {
    case ZONE_BESIDE_NOTHING:
        break;
    case ZONE_BESIDE_IN_LINE:
        put_line(text, "signed anew beside what is served", "waits for other zones");
        break;
    case ZONE_BESIDE_SIGNING:
        buffer_format(text, "\nsigned anew beside what is served: %" PRIu64 " %%",
                      beside->all == 0 ? 0 : done * 100 / beside->all);
        break;
    case ZONE_BESIDE_CATCHING_UP:
        put_line(text, "signed anew beside what is served", "all but what has changed meanwhile");
        break;
    case ZONE_BESIDE_WHOLE:
        put_line(text, "signed anew beside what is served", "100 %, to be published");
        break;
    }
}

void status_of_zone(const struct server *server, const struct managed_zone *zone,
                    struct buffer *out_text)
{
    struct zone_status status;

    managed_zone_status(zone, &status);
    put_line(out_text, "name", status.settings->name);
    put_line(out_text, "type", status.settings->type == ZONE_PRIMARY ? "primary" : "secondary");
    put_files(out_text, &status);
    put_serials(out_text, &status);
    put_time(out_text, "last loaded", status.loaded_at);
    put_time(out_text, "next refresh", status.refresh_at);
    put_time(out_text, "expires", status.expire_at);
    put_flag(out_text, "secure", status.secure);
    if (status.secure) {
        put_flag(out_text, "inline signing", status.settings->inline_signing);
        put_line(out_text, "key maintenance",
                 status.settings->policy != NULL ? "automatic" : "none");
        put_time(out_text, "next key event", status.key_event_at);
        if (status.resign_at != 0 && status.resign_node != NULL) {
            put_line(out_text, "next resign node", status.resign_node);
            put_time(out_text, "next resign time", status.resign_at);
        }
    }
    put_flag(out_text, "dynamic", status.settings->dynamic);
    if (status.settings->dynamic) {
        put_flag(out_text, "frozen", status.frozen);
    }
    put_flag(out_text, "reconfigurable via modzone", is_reconfigurable(server, status.settings));
    /* Ours, and last: scripts know the lines above by heart. */
    if (status.loading) {
        put_flag(out_text, "work in progress", true);
    }
    put_beside(out_text, &status.beside);
    if (status.refresh_failure != NULL) {
        put_line(out_text, "last refresh failed", status.refresh_failure);
    }
    if (is_expiring(&status)) {
        put_line(out_text, "primaries",
                 "unheard for half of the time after which the zone expires");
    }
    if (status.unheard > 0) {
        put_number(out_text, "secondaries asked for their serial", status.unheard);
    } else if (status.doubted) {
        put_line(out_text, "restored",
                 "transfers are whole for a week: not all of its secondaries are known, so that "
                 "they cannot be asked for their serials");
    }
    if (status.unnotified > 0) {
        put_number(out_text, "name servers that cannot be notified", status.unnotified);
    }
    managed_zone_describe_parent(zone, put_parent_line, out_text);
    put_troubles(server, &status, out_text);
}

void status_statement_of_zone(const struct server *server, const struct managed_zone *zone,
                              struct buffer *out_text)
{
    const struct zone_settings *settings = managed_zone_settings(zone);
    const struct amendment *amendment = amendment_of(server, settings);

    if (amendment != NULL) {
        buffer_append_text(out_text, amendment->text);
        return;
    }
    conf_print_zone(settings->access, out_text);
}

void status_statistics(const struct server *server, struct buffer *out_text)
{
    long long now = (long long)time_now();
    struct stats_counts counts;
    struct net_counts net;

    dispatch_counts(server->desk, &counts);
    net_counts(server->net, &net);
    buffer_format(out_text, "+++ Statistics Dump +++ (%lld)\n++ Name Server Statistics ++\n", now);
    for (unsigned i = 0; i < STATS_COUNTERS; i++) {
        if (counts.counters[i] != 0) {
            buffer_format(out_text, "%20" PRIu64 " %s\n", counts.counters[i],
                          stats_counter_text((enum stats_counter)i));
        }
    }
    buffer_append_text(out_text, "++ Socket I/O Statistics ++\n");
    buffer_format(out_text, "%20" PRIu64 " UDP packets received\n", net.udp_received);
    buffer_format(out_text, "%20" PRIu64 " UDP packets sent\n", net.udp_sent);
    buffer_format(out_text, "%20" PRIu64 " UDP send errors\n", net.udp_send_failed);
    buffer_format(out_text, "%20" PRIu64 " TCP connections accepted\n", net.tcp_accepted);
    buffer_format(out_text, "%20" PRIu64 " TCP connections refused\n", net.tcp_refused);
    buffer_format(out_text, "--- Statistics Dump --- (%lld)\n", now);
}
