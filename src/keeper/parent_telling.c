#include "keeper/parent_telling.h"

#include "base/log.h"
#include "base/mem.h"
#include "dns/ds_update.h"
#include "dns/lookup_reply.h"
#include "dns/reply.h"
#include "dns/request.h"
#include "dns/text.h"
#include "keeper/remote_text.h"

enum {
    BUSY_WAIT = 5, /* too many programs run */
    PUSH_TIMEOUT = 5,
    PUSH_TOTAL = 15,
    OUTPUT_LINES_MAX = 20,
    OUTPUT_LINE_MAX = 200,
    ENVIRONMENT_MAX = 10,
};

struct parent_telling {
    struct keeper *keeper;
    struct managed_zone *zone;
    parent_telling_stirred *stirred;
    void *argument;
    struct ds_tell *tell;
    void *running;                /* a program; NULL: none */
    char *subject;                /* of it, for the log */
    void *asked;                  /* a question; NULL: none */
    bool pushing;                 /* the servers are told, one after the other */
    size_t server;                /* of the push list, who is told now */
    struct dns_name parent;       /* the zone there that is to be changed */
    char *problems[DS_TELL_WAYS]; /* of the last try; NULL: none */
};

static const struct parent_telling_settings *settings_of(const struct parent_telling *telling)
{
    return telling->zone->settings->telling;
}

static sg_time now_of(const struct parent_telling *telling)
{
    return telling->keeper->now;
}

static bool has_way(const struct parent_telling *telling, enum ds_tell_way way)
{
    const struct parent_telling_settings *settings = settings_of(telling);
    return way == DS_TELL_COMMAND ? settings->submit != NULL || settings->retract != NULL
                                  : settings->push_count > 0;
}

static void say(const struct parent_telling *telling, int severity, const char *text)
{
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_DNSSEC, severity, "zone %s: %s", zone_label(telling->zone->settings, label),
              text);
}

/* Else a restart would tell it once more. */
static void keep_told(const struct parent_telling *telling)
{
    telling->zone->wishes.state = true;
    keeper_enqueue(telling->keeper, telling->zone);
}

/* `problem` is taken; NULL: it was told. */
static void end_way(struct parent_telling *telling, enum ds_tell_way way, char *problem)
{
    mem_free(telling->problems[way]);
    telling->problems[way] = problem;
    if (problem != NULL) {
        char *text = mem_format("%s; it is tried again", problem);
        say(telling, SEVERITY_WARNING, text);
        mem_free(text);
    }
    if (ds_tell_ended(telling->tell, way, problem == NULL, now_of(telling))) {
        keep_told(telling);
    }
}

/* --- commands ------------------------------------------------------------------------------- */

static const struct ds_tell_item *item_of_command(const struct parent_telling *telling)
{
    size_t count;
    const struct ds_tell_item *items = ds_tell_items(telling->tell, &count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].telling[DS_TELL_COMMAND]) {
            return &items[i];
        }
    }
    return NULL;
}

static void write_records(const struct parent_telling *telling, const struct ds_tell_item *item,
                          struct buffer *out_text)
{
    const struct managed_zone *zone = telling->zone;
    const struct kasp_policy *policy = zone->settings->policy;
    const uint8_t *owner = zone->slot->apex.wire;
    if (!settings_of(telling)->ds_records) {
        dns_record_to_text(owner, policy->dnskey_ttl, DNS_TYPE_DNSKEY, buffer_span(&item->dnskey),
                           out_text);
        buffer_append_text(out_text, "\n");
        return;
    }
    for (size_t i = 0; i < item->ds_count; i++) {
        dns_record_to_text(owner, (uint32_t)policy->parent_ds_ttl, DNS_TYPE_DS,
                           buffer_span(&item->ds[i]), out_text);
        buffer_append_text(out_text, "\n");
    }
}

static void log_output(const struct parent_telling *telling, struct span output)
{
    const char *at = (const char *)output.bytes, *end = at + output.length;
    for (int i = 0; at != NULL && at < end && i < OUTPUT_LINES_MAX; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        int length = (int)(stop - at < OUTPUT_LINE_MAX ? stop - at : OUTPUT_LINE_MAX);
        char *text = mem_format("%s says: %.*s", telling->subject, length, at);
        say(telling, SEVERITY_INFO, text);
        mem_free(text);
        at = stop + 1;
    }
}

static char *problem_of_program(const struct parent_telling *telling, const struct keeper_ran *ran)
{
    if (ran->result == SG_TIMEOUT) {
        return mem_format("%s was killed, since it took longer than %d seconds", telling->subject,
                          PARENT_TELLING_PROGRAM_SECONDS_MAX);
    }
    if (ran->result != SG_OK) {
        return mem_format("%s died of signal %d", telling->subject, ran->signal);
    }
    return ran->status == 0 ? NULL
                            : mem_format("%s ended with status %d", telling->subject, ran->status);
}

static void hear_program(void *argument, const struct keeper_ran *ran)
{
    struct parent_telling *telling = argument;
    telling->running = NULL;
    log_output(telling, ran->output);
    char *problem = problem_of_program(telling, ran);
    if (problem == NULL) {
        char *text = mem_format("%s has succeeded", telling->subject);
        say(telling, SEVERITY_NOTICE, text);
        mem_free(text);
    }
    end_way(telling, DS_TELL_COMMAND, problem);
    telling->stirred(telling->argument);
}

static void fill_environment(const struct parent_telling *telling, const struct ds_tell_item *item,
                             char *out_environment[ENVIRONMENT_MAX])
{
    const struct zone_settings *settings = telling->zone->settings;
    bool submits = item->want == DS_CHECK_PUBLISHED;
    out_environment[0] = mem_copy_text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                                       "/sbin:/bin");
    out_environment[1] = mem_copy_text("LC_ALL=C");
    out_environment[2] = mem_format("SIGNET_ZONE=%s", settings->name);
    out_environment[3] = mem_format("SIGNET_VIEW=%s", settings->view);
    out_environment[4] = mem_format("SIGNET_ACTION=%s", submits ? "submit" : "retract");
    out_environment[5] = mem_format("SIGNET_KEY_TAG=%u", item->tag);
    out_environment[6] = mem_format("SIGNET_KEY_ALGORITHM=%u", item->algorithm);
    out_environment[7] = NULL;
}

static enum sg_result run_program(struct parent_telling *telling, const struct ds_tell_item *item,
                                  const char *const *words)
{
    const struct keeper_runner *runner = &telling->keeper->io.runner;
    char *environment[ENVIRONMENT_MAX];
    struct buffer records = BUFFER_EMPTY;
    fill_environment(telling, item, environment);
    write_records(telling, item, &records);
    const struct keeper_program program = {
        .words = words,
        .environment = (const char *const *)environment,
        .input = buffer_span(&records),
        .time_max = PARENT_TELLING_PROGRAM_SECONDS_MAX,
    };
    enum sg_result result =
        runner->run == NULL
            ? SG_UNSUPPORTED
            : runner->run(runner->argument, &program, hear_program, telling, &telling->running);
    for (size_t i = 0; environment[i] != NULL; i++) {
        mem_free(environment[i]);
    }
    buffer_free(&records);
    return result;
}

static void run_command(struct parent_telling *telling)
{
    const struct ds_tell_item *item = item_of_command(telling);
    bool submits = item->want == DS_CHECK_PUBLISHED;
    const char *const *words =
        submits ? settings_of(telling)->submit : settings_of(telling)->retract;
    mem_free(telling->subject);
    telling->subject = mem_format("%s for key %u",
                                  submits ? "ds-submit-command" : "ds-retract-command", item->tag);
    enum sg_result result = run_program(telling, item, words);
    if (result == SG_LIMIT) {
        ds_tell_postpone(telling->tell, DS_TELL_COMMAND, now_of(telling) + BUSY_WAIT);
    } else if (result != SG_OK) {
        end_way(telling, DS_TELL_COMMAND,
                mem_format("%s cannot be run: %s", telling->subject, words[0]));
    } else {
        char *text = mem_format("%s runs: %s", telling->subject, words[0]);
        say(telling, SEVERITY_INFO, text);
        mem_free(text);
    }
}

/* --- updates -------------------------------------------------------------------------------- */

static const struct remote *server_of(const struct parent_telling *telling)
{
    return &settings_of(telling)->push[telling->server];
}

static void end_push(struct parent_telling *telling, const char *what, const char *how)
{
    char name[REMOTE_TEXT_BYTES];
    char *problem = NULL;
    if (what != NULL) {
        remote_text(server_of(telling), name);
        problem = mem_format("ds-push to %s: %s%s", name, what, how);
    } else {
        say(telling, SEVERITY_NOTICE, "ds-push: the parent's primaries have the DS");
    }
    telling->pushing = false;
    end_way(telling, DS_TELL_PUSH, problem);
}

static bool ask(struct parent_telling *telling, struct span message, keeper_hear *hear)
{
    const struct keeper_asker *asker = &telling->keeper->io.asker;
    const struct keeper_question question = {
        .kind = KEEPER_QUESTION_PUSH,
        .remote = server_of(telling),
        .access = telling->zone->settings->access,
        .message = message,
        .tcp = true,
        .timeout = PUSH_TIMEOUT,
        .idle_timeout = PUSH_TIMEOUT,
        .total_timeout = PUSH_TOTAL,
    };
    telling->asked =
        asker->ask == NULL ? NULL : asker->ask(asker->argument, &question, hear, telling);
    if (telling->asked == NULL) {
        end_push(telling, "it cannot be asked",
                 ": is it bogus by a `server` statement? A server of `ds-push` must not be");
    }
    return telling->asked != NULL;
}

static enum sg_result open_message(const struct keeper_heard *heard, struct dns_message *message)
{
    if (heard->result != SG_OK) {
        return heard->result;
    }
    return heard->settled ? dns_message_parse(heard->message, message) : SG_BAD_SIG;
}

static bool hear_update(void *argument, const struct keeper_heard *heard)
{
    struct parent_telling *telling = argument;
    struct dns_message message;
    telling->asked = NULL;
    enum sg_result result = open_message(heard, &message);
    uint16_t rcode = result == SG_OK ? dns_reply_rcode(&message) : 0;
    if (result != SG_OK) {
        end_push(telling, "the update failed: ", remote_failure_text(result));
    } else if (rcode != DNS_RCODE_NOERROR) {
        end_push(telling, "the update was answered ", dns_rcode_to_text(rcode));
    } else if (++telling->server == settings_of(telling)->push_count) {
        end_push(telling, NULL, NULL);
    } /* Else the next one is told in the turn to come. */
    telling->stirred(telling->argument);
    return false;
}

static enum sg_result add_item(struct ds_update *update, const struct ds_tell_item *item,
                               uint32_t ttl)
{
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < item->ds_count && result == SG_OK; i++) {
        struct span rdata = buffer_span(&item->ds[i]);
        result = item->want == DS_CHECK_PUBLISHED ? ds_update_add(update, ttl, rdata)
                                                  : ds_update_remove(update, rdata);
    }
    return result;
}

static void send_update(struct parent_telling *telling)
{
    const struct managed_zone *zone = telling->zone;
    struct ds_update update;
    size_t count;
    const struct ds_tell_item *items = ds_tell_items(telling->tell, &count);
    enum sg_result result = SG_OK;
    uint32_t ttl = (uint32_t)zone->settings->policy->parent_ds_ttl;
    ds_update_begin(&update, &telling->parent, &zone->slot->apex, zone->slot->rrclass);
    for (size_t i = 0; i < count && result == SG_OK; i++) {
        if (items[i].telling[DS_TELL_PUSH]) {
            result = add_item(&update, &items[i], ttl);
        }
    }
    if (result != SG_OK) {
        end_push(telling, "too many DS records", "");
    } else {
        (void)ask(telling, buffer_span(&update.wire), hear_update);
    }
    buffer_free(&update.wire);
}

/* Which zone there has the name above ours: it may be the name itself, or lie above it. */
static bool find_parent(struct parent_telling *telling, const struct dns_message *message)
{
    struct lookup_reply reply;
    struct dns_name above = dns_name_parent(&telling->zone->slot->apex, 1);
    lookup_reply_read(message, &reply);
    if (reply.kind == LOOKUP_FOUND && !reply.aliased) {
        telling->parent = above;
        return true;
    }
    if (reply.kind == LOOKUP_NODATA && dns_name_is_at_or_below(&above, &reply.soa_owner)) {
        telling->parent = reply.soa_owner;
        return true;
    }
    return false;
}

static bool hear_soa(void *argument, const struct keeper_heard *heard)
{
    struct parent_telling *telling = argument;
    struct dns_message message;
    telling->asked = NULL;
    enum sg_result result = open_message(heard, &message);
    if (result != SG_OK) {
        end_push(telling, "asked for the parent's SOA: ", remote_failure_text(result));
    } else if (!find_parent(telling, &message)) {
        end_push(telling, "it does not serve the parent", "");
    } else {
        send_update(telling);
    }
    telling->stirred(telling->argument);
    return false;
}

static void begin_server(struct parent_telling *telling)
{
    const struct managed_zone *zone = telling->zone;
    struct dns_name above = dns_name_parent(&zone->slot->apex, 1);
    const struct dns_request_zone about = {.apex = &above, .rrclass = zone->slot->rrclass};
    const struct dns_request_edns edns = {0, false};
    struct dns_request request;
    dns_request_query(&about, DNS_TYPE_SOA, &edns, &request);
    (void)ask(telling, (struct span){request.bytes, request.length}, hear_soa);
}

static void push(struct parent_telling *telling)
{
    telling->server = 0;
    telling->pushing = true;
    if (telling->zone->slot->apex.labels == 0) {
        end_push(telling, "the root has no parent", "");
    }
}

/* --- turns ---------------------------------------------------------------------------------- */

static void turn(struct parent_telling *telling, enum ds_tell_way way, bool withdraws)
{
    bool is_due = ds_tell_turn(telling->tell, way, withdraws, now_of(telling));
    if (is_due && way == DS_TELL_COMMAND) {
        run_command(telling);
    } else if (is_due) {
        push(telling);
    }
    if (way == DS_TELL_PUSH && telling->pushing && telling->asked == NULL) {
        begin_server(telling);
    }
}

sg_time parent_telling_turn(struct parent_telling *telling, bool withdraws)
{
    sg_time wake = INT64_MAX;
    for (int i = 0; i < DS_TELL_WAYS; i++) {
        enum ds_tell_way way = (enum ds_tell_way)i;
        if (has_way(telling, way)) {
            turn(telling, way, withdraws);
            sg_time next = ds_tell_wake(telling->tell, way, withdraws);
            wake = next < wake ? next : wake;
        }
    }
    return wake;
}

void parent_telling_want(struct parent_telling *telling, const struct ds_check_wish *wishes,
                         size_t count)
{
    static const uint8_t sha256 = 2;
    const struct kasp_policy *policy = telling->zone->settings->policy;
    bool has_digests = policy->cds_digests_count > 0;
    bool corrected = ds_tell_set_wishes(
        telling->tell, wishes, count, has_digests ? policy->cds_digests : &sha256,
        has_digests ? policy->cds_digests_count : 1, now_of(telling));
    if (corrected) {
        keep_told(telling);
    }
}

void parent_telling_describe(const struct parent_telling *telling,
                             void (*line)(void *argument, const char *text), void *argument)
{
    for (int way = 0; way < DS_TELL_WAYS; way++) {
        if (telling->problems[way] != NULL) {
            line(argument, telling->problems[way]);
        }
    }
}

void parent_telling_encode(struct parent_telling *telling)
{
    struct buffer *told = &telling->zone->known.state.told;
    buffer_clear(told);
    ds_tell_encode(telling->tell, told);
}

/* --- from the first wish to the end --------------------------------------------------------- */

static struct ds_tell_bounds bounds_of(const struct parent_telling_settings *settings)
{
    struct ds_tell_bounds bounds = settings->bounds;
    bounds.lacks_command[DS_CHECK_PUBLISHED] = settings->submit == NULL;
    bounds.lacks_command[DS_CHECK_WITHDRAWN] = settings->retract == NULL;
    return bounds;
}

struct parent_telling *parent_telling_new(struct keeper *keeper, struct managed_zone *zone,
                                          parent_telling_stirred *stirred, void *argument)
{
    struct parent_telling *telling = mem_alloc_zero(1, sizeof(*telling));
    telling->keeper = keeper;
    telling->zone = zone;
    telling->stirred = stirred;
    telling->argument = argument;
    const struct ds_tell_bounds bounds = bounds_of(zone->settings->telling);
    telling->tell = ds_tell_new(&bounds);
    ds_tell_restore(telling->tell, buffer_span(&zone->known.state.told));
    return telling;
}

static void take_back(struct parent_telling *telling)
{
    const struct keeper_io *io = &telling->keeper->io;
    if (telling->running != NULL) {
        io->runner.cancel(io->runner.argument, telling->running);
        telling->running = NULL;
        (void)ds_tell_ended(telling->tell, DS_TELL_COMMAND, false, now_of(telling));
    }
    if (telling->asked != NULL) {
        io->asker.cancel(io->asker.argument, telling->asked);
        telling->asked = NULL;
    }
    if (telling->pushing) {
        telling->pushing = false;
        (void)ds_tell_ended(telling->tell, DS_TELL_PUSH, false, now_of(telling));
    }
}

void parent_telling_adopt(struct parent_telling *telling)
{
    const struct ds_tell_bounds bounds = bounds_of(settings_of(telling));
    take_back(telling);
    ds_tell_set_bounds(telling->tell, &bounds);
    for (int way = 0; way < DS_TELL_WAYS; way++) {
        ds_tell_postpone(telling->tell, (enum ds_tell_way)way, now_of(telling));
        mem_free(telling->problems[way]);
        telling->problems[way] = NULL;
    }
}

void parent_telling_free(struct parent_telling *telling)
{
    if (telling == NULL) {
        return;
    }
    take_back(telling);
    for (int way = 0; way < DS_TELL_WAYS; way++) {
        mem_free(telling->problems[way]);
    }
    mem_free(telling->subject);
    ds_tell_free(telling->tell);
    mem_free(telling);
}
