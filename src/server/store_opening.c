#include "server/store_opening.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/amendments.h"
#include "server/reload.h"
#include "store/backup.h"

enum { RETRY_SECONDS_MIN = 1, RETRY_SECONDS_MAX = 60 };
#define NS_PER_SECOND UINT64_C(1000000000)

/* One try. */
struct attempt {
    struct errand errand; /* first member */
    char *folder;
    enum sg_result result;
    char *problem; /* why not */
    struct server *server;
    struct store *store;
    struct amendments *amendments;
    char *restored; /* the store's mark; NULL: it was not restored */
};

struct store_opening {
    char *restored;        /* the mark of a store that was restored (backup.h); NULL: it has none */
    char *why;             /* of the log: what the last try has met; NULL: the store is open */
    char *problem;         /* the same, with what to do */
    bool trying;           /* an errand is out */
    bool hurry;            /* and another one is wanted */
    struct attempt *ready; /* it was opened, and waits for the end of a reload */
    uint64_t retry_seconds;
    uint64_t retry_at_ns;
};

/* Thread: store. The keeper looks how it is (watch_store()). */
static void state_changed(void *argument, enum sg_result result)
{
    (void)result;
    server_wake(argument);
}

/* When it was put in place: no other restore has that time. */
static uint64_t restore_of(const char *mark)
{
    struct stat status;
    if (stat(mark, &status) != 0) {
        return 1;
    }
    return ((uint64_t)status.st_mtim.tv_sec * NS_PER_SECOND + (uint64_t)status.st_mtim.tv_nsec) | 1;
}

static void open_store(struct attempt *attempt)
{
    struct store_io io;

    attempt->result = store_lmdb_open(attempt->folder, &io, &attempt->problem);
    if (attempt->result != SG_OK) {
        return;
    }
    attempt->result = amendments_read(&io, &attempt->amendments);
    if (attempt->result != SG_OK) {
        io.close(io.argument);
        return;
    }
    char *mark = mem_format("%s/" BACKUP_RESTORED_MARK, attempt->folder);
    if (access(mark, F_OK) == 0) {
        attempt->restored = mark;
    } else {
        mem_free(mark);
    }
    attempt->result = store_new(&io, true, state_changed, attempt->server, &attempt->store);
    if (attempt->result != SG_OK) {
        amendments_free(attempt->amendments);
        attempt->amendments = NULL;
    }
}

static void attempt_clear(struct attempt *attempt)
{
    mem_free(attempt->restored);
    store_free(attempt->store);
    amendments_free(attempt->amendments);
    mem_free(attempt->problem);
    mem_free(attempt->folder);
}

/* The next try is later than this one was. */
static void note_failure(struct store_opening *opening, const struct attempt *attempt)
{
    const char *why = attempt->problem != NULL ? attempt->problem : sg_result_text(attempt->result);
    char *text = mem_format("store-directory '%s': %s", attempt->folder, why);

    if (opening->why == NULL || strcmp(opening->why, text) != 0) {
        log_write(LOG_GENERAL, SEVERITY_ERROR,
                  "%s; zones that are signed here, take updates or are secondaries are not served "
                  "until it can be opened",
                  text);
    }
    mem_free(opening->why);
    mem_free(opening->problem);
    opening->why = text;
    /* Damage, or a full disk, has said already what to do. */
    bool is_of_folder = attempt->result == SG_IO || attempt->result == SG_DENIED;
    char *advice = is_of_folder ? mem_format("; it must be a folder that user %u may write",
                                             (unsigned)geteuid())
                                : mem_copy_text("");
    opening->problem =
        mem_format("%s%s; it is tried again every minute and at reconfig", text, advice);
    mem_free(advice);
    uint64_t wait = 2 * opening->retry_seconds;
    wait = wait < RETRY_SECONDS_MIN ? RETRY_SECONDS_MIN : wait;
    opening->retry_seconds = wait < RETRY_SECONDS_MAX ? wait : RETRY_SECONDS_MAX;
    opening->retry_at_ns = time_monotonic_ns() + opening->retry_seconds * NS_PER_SECOND;
}

enum sg_result store_opening_start(struct server *server, const struct conf *conf)
{
    struct attempt attempt = {.folder = mem_copy_text(conf->options.store_directory),
                              .server = server};
    enum sg_result result;

    server->store_opening = mem_alloc_zero(1, sizeof(*server->store_opening));
    open_store(&attempt);
    result = attempt.result;
    if (result == SG_OK) {
        server->store = attempt.store;
        server->amendments = attempt.amendments;
        server->store_opening->restored = attempt.restored;
        attempt.restored = NULL;
        attempt.store = NULL;
        attempt.amendments = NULL;
    } else if (result == SG_EXISTS) {
        log_write(LOG_GENERAL, SEVERITY_CRITICAL, "store-directory '%s': %s", attempt.folder,
                  attempt.problem);
    } else {
        note_failure(server->store_opening, &attempt);
        result = SG_OK;
    }
    attempt_clear(&attempt);
    return result;
}

static void drop_ready(struct store_opening *opening)
{
    attempt_clear(opening->ready);
    mem_free(opening->ready);
    opening->ready = NULL;
}

void store_opening_free(struct store_opening *opening)
{
    if (opening == NULL) {
        return;
    }
    if (opening->ready != NULL) {
        drop_ready(opening);
    }
    mem_free(opening->why);
    mem_free(opening->problem);
    mem_free(opening->restored);
    mem_free(opening);
}

const char *store_opening_problem(const struct server *server)
{
    return server->store_opening->problem;
}

/* --- later ----------------------------------------------------------------------------------- */

/* A reload that has come since may name another folder. */
static bool is_of_configured_folder(const struct server *server, const struct attempt *attempt)
{
    return strcmp(attempt->folder, server->generation->conf->options.store_directory) == 0;
}

/* While no reload looks at the list of amendments, which changes here. */
static void take_store(struct server *server)
{
    struct store_opening *opening = server->store_opening;
    struct attempt *attempt = opening->ready;
    struct amendments *before = server->amendments;
    size_t added = attempt->amendments->count;

    opening->ready = NULL;
    mem_free(opening->why);
    mem_free(opening->problem);
    opening->why = opening->problem = NULL;
    log_write(LOG_GENERAL, SEVERITY_NOTICE,
              "store-directory '%s' is open now: zones that need it are loaded", attempt->folder);
    mem_free(opening->restored);
    opening->restored = attempt->restored;
    attempt->restored = NULL;
    store_opening_tell(server);
    server->store = attempt->store;
    server->amendments = amendments_late(attempt->amendments, before);
    attempt->store = NULL;
    attempt_clear(attempt);
    mem_free(attempt);
    amendments_free(before);
    keeper_take_store(server->keeper, server->store);
    if (added > 0) {
        log_write(LOG_GENERAL, SEVERITY_NOTICE,
                  "the configuration is read again, with %zu zones that addzone has added", added);
        reload_request(server, RELOAD_CONFIGURATION, NULL);
    }
    server_turn(server);
}

static void try_to_open(struct job *job)
{
    open_store((struct attempt *)job);
}

static void start_attempt(struct server *server);

static void tried(struct server *server, struct errand *errand)
{
    struct attempt *attempt = (struct attempt *)errand;
    struct store_opening *opening = server->store_opening;
    const char *reason = NULL;

    opening->trying = false;
    if (attempt->result == SG_OK) {
        opening->ready = attempt; /* the next tick takes it, or the end of the process closes it */
        store_opening_tick(server);
        return;
    }
    note_failure(opening, attempt);
    reason = opening->problem;
    attempt_clear(attempt);
    mem_free(attempt);
    keeper_miss_store(server->keeper, reason);
    if (opening->hurry) {
        start_attempt(server);
    }
}

static void start_attempt(struct server *server)
{
    struct store_opening *opening = server->store_opening;
    struct attempt *attempt = mem_alloc_zero(1, sizeof(*attempt));

    opening->hurry = false;
    opening->trying = true;
    attempt->server = server;
    attempt->folder = mem_copy_text(server->generation->conf->options.store_directory);
    attempt->errand.job.run = try_to_open;
    attempt->errand.done = tried;
    server_send(server, &attempt->errand);
}

void store_opening_tell(struct server *server)
{
    const struct store_opening *opening = server->store_opening;

    if (opening->problem != NULL) {
        keeper_miss_store(server->keeper, opening->problem);
    }
    if (opening->restored != NULL) {
        log_write(LOG_GENERAL, SEVERITY_NOTICE,
                  "the store was restored from a backup: all secondaries are asked for their "
                  "serials, and transfers are whole until those of the zone have answered");
        keeper_note_restored(server->keeper, restore_of(opening->restored));
    }
}

static void end_restored(struct server *server)
{
    struct store_opening *opening = server->store_opening;

    if (opening->restored == NULL || !keeper_has_overtaken(server->keeper)) {
        return;
    }
    (void)unlink(opening->restored); /* Else the next start asks once more. */
    mem_free(opening->restored);
    opening->restored = NULL;
    log_write(LOG_GENERAL, SEVERITY_NOTICE,
              "the secondaries of all restored zones have told their serials or were given up");
}

void store_opening_tick(struct server *server)
{
    struct store_opening *opening = server->store_opening;

    if (!server->progress.stopping) {
        end_restored(server);
    }
    if (opening->problem == NULL || server->progress.stopping) {
        return;
    }
    if (opening->ready != NULL && reload_is_busy(server->reload)) {
        return;
    }
    if (opening->ready != NULL && is_of_configured_folder(server, opening->ready)) {
        take_store(server);
    } else if (opening->ready != NULL) {
        drop_ready(opening);
        start_attempt(server);
    } else if (!opening->trying && time_monotonic_ns() >= opening->retry_at_ns) {
        start_attempt(server);
    }
}

void store_opening_hurry(struct server *server)
{
    struct store_opening *opening = server->store_opening;

    if (opening->problem == NULL || opening->ready != NULL) {
        return;
    }
    if (opening->trying) {
        opening->hurry = true;
    } else {
        start_attempt(server);
    }
}
