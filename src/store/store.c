#include "store/store.h"

#include <stdatomic.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/time.h"
#include "store/transaction.h"
#include "store/zone_log.h"

enum {
    BATCH_REQUESTS_MAX = 1024,
    /* The environment may have to grow several times for one batch, doubling each time. */
    ATTEMPTS_MAX = 64,
    RETRY_SECONDS_MIN = 1,
    RETRY_SECONDS_MAX = 60,
};
/* What is in one transaction is in memory twice; and nobody should wait for gigabytes of others. */
#define BATCH_BYTES_MAX ((size_t)64 << 20)
#define NS_PER_SECOND   ((uint64_t)1000000000)

/* The requests of one transaction. */
struct batch {
    struct store_request *requests[BATCH_REQUESTS_MAX];
    size_t count;
    size_t bytes;
    bool is_images; /* nothing else; see run_all() */
    /* Image files that are of no use to anybody once the transaction is durable. */
    struct zone_log_image gone[BATCH_REQUESTS_MAX];
    size_t gone_count;
};

struct store {
    struct store_io io;
    bool threads;
    pthread_t thread;
    struct mailbox mailbox;
    void (*state_changed)(void *argument, enum sg_result result);
    void *argument;
    _Atomic int health; /* enum sg_result */
    struct batch batch;
    uint64_t last_transaction; /* the last one that counts */
    /* The batch whose commit is in doubt, and which transaction it was. Empty: none is. */
    struct batch held;
    uint64_t held_transaction;
    bool held_counts;       /* as far as could be seen */
    uint64_t retry_seconds; /* how long the next fault waits; 0: writing worked last time */
    uint64_t retry_at_ns;
};

/* ---- one request ---- */

static enum sg_result put_config(struct store_transaction *transaction,
                                 const struct store_request *request)
{
    if (request->identity.length == 0 || request->identity.length > STORE_KEY_BYTES_MAX) {
        return SG_LIMIT;
    }
    if (request->value.length == 0) {
        return store_transaction_remove(transaction, STORE_CONFIG, request->identity);
    }
    return store_transaction_put(transaction, STORE_CONFIG, request->identity, request->value);
}

static enum sg_result apply(struct store_transaction *transaction, struct store_request *request,
                            struct zone_log_image *out_gone)
{
    switch (request->kind) {
    case STORE_ZONE_OPEN:
        return zone_log_open(transaction, request->identity, request->only_known, &request->opened,
                             &request->problem);
    case STORE_ZONE_COMMIT:
        return zone_log_append(transaction, request->zone, &request->record, request->image,
                               out_gone);
    case STORE_ZONE_IMAGE:
        return zone_log_put_image(transaction, request->zone, request->number, request->image,
                                  out_gone);
    case STORE_ZONE_FORGET:
        return zone_log_forget(transaction, request->zone, request->identity, out_gone);
    case STORE_ZONE_TRIM:
        return zone_log_trim(transaction, request->zone, request->number);
    case STORE_CONFIG_PUT:
        return put_config(transaction, request);
    case STORE_COPY:
        break; /* never in a transaction */
    }
    UNREACHABLE();
}

static void reset(struct store_request *request)
{
    store_zone_free(request->opened);
    mem_free(request->problem);
    request->opened = NULL;
    request->problem = NULL;
}

static void batch_clear(struct batch *batch)
{
    batch->count = 0;
    batch->bytes = 0;
    batch->gone_count = 0;
}

/* From here on the request is its sender's. */
static void answer(struct store_request *request)
{
    (void)mailbox_send(request->reply, &request->letter); /* closed: nobody is left to tell */
}

/* An image file that was written for a request which is refused is of use to nobody: who tries
 * again writes it anew, and until then it would hold the room that may be what is missing. Not for
 * a batch that is still in doubt, which the disk may have: see settle() and store_free(). */
static void drop_image(const struct store_io *io, const struct store_request *request)
{
    bool of_commit = request->kind == STORE_ZONE_COMMIT && request->result != SG_OK &&
                     (request->record.flags & STORE_COMMIT_IMAGE) != 0;
    bool of_image = request->kind == STORE_ZONE_IMAGE && request->result != SG_OK;
    uint64_t number = of_commit ? request->record.number : request->number;
    if ((of_commit || of_image) && request->image.length == 0 &&
        !zone_log_may_name_image(io, request->zone, number)) {
        io->image_remove(io->argument, request->zone, number);
    }
}

/* ---- faults ---- */

static const char *advice_for(enum sg_result result)
{
    return result == SG_NO_SPACE ? "free space there"
                                 : "look at the disk and at the rights of the server's user there";
}

static void set_health(struct store *store, enum sg_result result)
{
    if ((enum sg_result)atomic_load(&store->health) == result) {
        return;
    }
    if (result == SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_NOTICE, "store: writing works again");
    } else {
        log_write(LOG_GENERAL, SEVERITY_ERROR,
                  "store: writing failed: %s%s%s; zones are served on, and no change is taken "
                  "until it works: %s; it is tried again by itself",
                  sg_result_text(result), store->io.trouble == NULL ? "" : ": ",
                  store->io.trouble == NULL ? "" : store->io.trouble(store->io.argument),
                  advice_for(result));
    }
    atomic_store(&store->health, (int)result);
    if (store->state_changed != NULL) {
        store->state_changed(store->argument, result);
    }
}

/* The waits double, and go on doubling where writing works again only for a moment. */
static void note_fault(struct store *store, enum sg_result result)
{
    uint64_t seconds = store->retry_seconds == 0 ? RETRY_SECONDS_MIN : store->retry_seconds * 2;
    store->retry_seconds = seconds > RETRY_SECONDS_MAX ? RETRY_SECONDS_MAX : seconds;
    if (store->threads) {
        store->retry_at_ns = time_monotonic_ns() + store->retry_seconds * NS_PER_SECOND;
    }
    set_health(store, result == SG_NO_SPACE ? SG_NO_SPACE : SG_IO);
}

/* Nothing of the batch counts. What only reads is still done. */
static void refuse(struct batch *batch, enum sg_result why, const struct store_io *io)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct store_request *request = batch->requests[i];
        reset(request);
        request->result = why;
        if (request->kind == STORE_ZONE_OPEN) {
            struct store_transaction none = {.io = io, .failed = why};
            struct zone_log_image unused;
            request->result = apply(&none, request, &unused);
        }
        if (request->result == why && request->problem == NULL) {
            request->problem = mem_format("the store cannot be written: %s", sg_result_text(why));
        }
        drop_image(io, request);
        answer(request);
    }
    batch_clear(batch);
}

/* The batch is durable. */
static void accept(struct store *store, struct batch *batch)
{
    for (size_t i = 0; i < batch->gone_count; i++) {
        if (batch->gone[i].number != 0) {
            store->io.image_remove(store->io.argument, batch->gone[i].zone, batch->gone[i].number);
        }
    }
    for (size_t i = 0; i < batch->count; i++) {
        drop_image(&store->io, batch->requests[i]);
        answer(batch->requests[i]);
    }
    batch_clear(batch);
}

/*
 * Look whether the batch in doubt counts. What is seen may be so in the system's memory alone:
 * after a write of the meta page that failed half-way the disk may have the one or the other, and a
 * crash brings it back. The next transaction settles it: if the batch counts, that one's sync
 * covers it; if not, that one takes its place. It has a number behind the batch's, so that both can
 * be told apart where it is in doubt as well.
 */
static enum sg_result look(struct store *store)
{
    uint64_t last;
    enum sg_result result = store_transaction_last(&store->io, &last);
    if (result != SG_OK) {
        return result;
    }
    if (last <= store->held_transaction) {
        store->held_counts = last == store->held_transaction;
    }
    store->last_transaction = last;
    return SG_OK;
}

static uint64_t number_to_try(const struct store *store)
{
    bool is_behind = store->last_transaction >= store->held_transaction;
    return 1 + (is_behind ? store->last_transaction : store->held_transaction);
}

/* Until then nobody may be told even that it failed: who tries again writes an image under the name
 * that the batch's has. */
static void settle(struct store *store)
{
    if (store->held_counts) {
        accept(store, &store->held);
    } else {
        refuse(&store->held, (enum sg_result)atomic_load(&store->health), &store->io);
    }
}

static void try_again(struct store *store)
{
    struct store_transaction transaction = {.io = &store->io};
    enum sg_result result = store->io.reopen(store->io.argument);
    if (result == SG_OK) {
        result = look(store);
    }
    if (result == SG_OK) {
        transaction.number = number_to_try(store);
        result = store_transaction_try(&transaction);
    }
    /* Doubt of no consequence, but in it nothing could be read until the next time. */
    if (result == SG_IN_DOUBT && store->io.reopen(store->io.argument) != SG_OK) {
        result = SG_IO;
    }
    if (result != SG_OK) {
        note_fault(store, result);
        return;
    }
    store->last_transaction = transaction.number;
    settle(store);
    set_health(store, SG_OK);
}

static void hold(struct store *store, uint64_t transaction)
{
    ASSERT(store->held.count == 0); /* with one in doubt nothing else is written */
    store->held = store->batch;
    store->held_transaction = transaction;
    store->held_counts = false;
    batch_clear(&store->batch);
    note_fault(store, SG_IO);
    try_again(store);
}

/* ---- a batch ---- */

/* One request failed half-way, with writing itself in order: the tables of its zone are damaged. It
 * is answered alone, and the others go without what it wrote. */
static void drop_request(struct batch *batch, size_t at)
{
    answer(batch->requests[at]);
    batch->count--;
    memmove(&batch->requests[at], &batch->requests[at + 1],
            (batch->count - at) * sizeof(batch->requests[0]));
}

/* Once: SG_LIMIT asks for another time. */
static enum sg_result attempt(struct store *store, struct store_transaction *transaction)
{
    struct batch *batch = &store->batch;
    batch->gone_count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct store_request *request = batch->requests[i];
        struct zone_log_image gone = {0};
        uint64_t writes = transaction->writes;
        reset(request);
        request->result = apply(transaction, request, &gone);
        if (transaction->failed != SG_OK) {
            return transaction->failed;
        }
        if (request->result != SG_OK && transaction->writes != writes) {
            store_transaction_abort(transaction);
            drop_request(batch, i);
            return SG_LIMIT;
        }
        if (gone.number != 0) {
            batch->gone[batch->gone_count++] = gone;
        }
    }
    return store_transaction_commit(transaction);
}

static void run_batch(struct store *store)
{
    struct batch *batch = &store->batch;
    enum sg_result health = (enum sg_result)atomic_load(&store->health);
    uint64_t number = store->last_transaction + 1;
    bool wrote = false;
    if (batch->count == 0) {
        return;
    }
    if (health != SG_OK) {
        refuse(batch, health, &store->io);
        return;
    }
    enum sg_result result = SG_LIMIT;
    for (int i = 0; i < ATTEMPTS_MAX && result == SG_LIMIT; i++) {
        struct store_transaction transaction = {.io = &store->io, .number = number};
        result = attempt(store, &transaction);
        wrote = transaction.wrote;
    }
    if (result == SG_IN_DOUBT) {
        hold(store, number);
    } else if (result == SG_NO_SPACE && batch->is_images) {
        refuse(batch, result, &store->io);
    } else if (result != SG_OK) {
        note_fault(store, result);
        refuse(batch, (enum sg_result)atomic_load(&store->health), &store->io);
    } else {
        if (wrote) {
            store->last_transaction = number;
            store->retry_seconds = 0;
        }
        accept(store, batch);
    }
}

static void copy(struct store *store, struct store_request *request)
{
    request->result = store->io.copy(store->io.argument, request->path);
    if (request->result != SG_OK) {
        request->problem = mem_format("%s: %s", request->path, sg_result_text(request->result));
    }
    answer(request);
}

static size_t request_bytes(const struct store_request *request)
{
    return request->record.state.length + request->record.changeset.length + request->image.length +
           request->value.length;
}

static void add_to_batch(struct store *store, struct store_request *request)
{
    struct batch *batch = &store->batch;
    bool is_image = request->kind == STORE_ZONE_IMAGE;
    if (batch->is_images != is_image) {
        run_batch(store);
        batch->is_images = is_image;
    }
    batch->requests[batch->count++] = request;
    batch->bytes += request_bytes(request);
    if (batch->count == BATCH_REQUESTS_MAX || batch->bytes >= BATCH_BYTES_MAX) {
        run_batch(store);
    }
}

/*
 * In order of arrival, so that what a sender asks one after the other is done so. Images of what is
 * committed already are in transactions of their own: on a disk with little room they may not fit
 * where commits do, and nothing is lost without them. Whether commits have to wait for the disk the
 * next of them will show.
 */
static void run_all(struct store *store, struct letter *first)
{
    while (first != NULL) {
        struct store_request *request = (struct store_request *)first;
        first = first->next; /* before the letter is used for the answer */
        if (request->kind == STORE_COPY) {
            run_batch(store);
            copy(store, request);
            continue;
        }
        add_to_batch(store, request);
    }
    run_batch(store);
}

static bool is_faulty(const struct store *store)
{
    return store_health(store) != SG_OK;
}

static void *run_thread(void *argument)
{
    struct store *store = argument;
    thread_name(THREAD_STORE, "store");
    while (!mailbox_is_over(&store->mailbox)) {
        struct letter *letter = is_faulty(store)
                                    ? mailbox_wait_until(&store->mailbox, store->retry_at_ns)
                                    : mailbox_wait(&store->mailbox);
        if (letter != NULL) {
            letter->next = mailbox_take_all(&store->mailbox);
            run_all(store, letter);
            store->io.rest(store->io.argument);
        }
        if (is_faulty(store) && time_monotonic_ns() >= store->retry_at_ns) {
            try_again(store);
        }
    }
    return NULL;
}

/* ---- life ---- */

static enum sg_result prepare(struct store *store)
{
    enum sg_result result = store_transaction_last(&store->io, &store->last_transaction);
    if (result != SG_OK) {
        return result;
    }
    struct store_transaction transaction = {.io = &store->io,
                                            .number = store->last_transaction + 1};
    result = zone_log_check_format(&transaction);
    if (result == SG_OK) {
        result = store_transaction_commit(&transaction);
    }
    store->last_transaction += transaction.wrote;
    return result;
}

/* A store that can only be read shall say so before somebody's change fails. */
static void try_to_begin(struct store *store)
{
    enum sg_result result = store->io.begin(store->io.argument);
    if (result == SG_OK) {
        store->io.abort(store->io.argument);
    } else {
        note_fault(store, result);
    }
}

enum sg_result store_new(const struct store_io *io, bool threads,
                         void (*state_changed)(void *argument, enum sg_result result),
                         void *argument, struct store **out_store)
{
    struct store *store = mem_alloc_zero(1, sizeof(*store));
    store->io = *io;
    store->state_changed = state_changed;
    store->argument = argument;
    mailbox_init(&store->mailbox, NULL, NULL);
    enum sg_result result = prepare(store);
    store->threads = threads;
    if (result == SG_OK) {
        try_to_begin(store);
    }
    if (result == SG_OK && threads) {
        result = thread_start(&store->thread, run_thread, store);
        store->threads = result == SG_OK;
    }
    if (result != SG_OK) {
        store->threads = false; /* there is none to wait for */
        store_free(store);
        return result;
    }
    *out_store = store;
    return SG_OK;
}

void store_free(struct store *store)
{
    if (store == NULL) {
        return;
    }
    mailbox_close(&store->mailbox);
    if (store->threads) {
        pthread_join(store->thread, NULL);
    }
    for (size_t i = 0; i < store->held.count; i++) {
        struct store_request *request = store->held.requests[i];
        reset(request);
        request->result = SG_IO; /* still in doubt: the next start will see */
        answer(request);
    }
    mailbox_clear(&store->mailbox);
    store->io.close(store->io.argument);
    mem_free(store);
}

void store_submit(struct store *store, struct store_request *request)
{
    request->result = SG_CANCELLED;
    request->opened = NULL;
    request->problem = NULL;
    request->letter.next = NULL;
    if (store->threads) {
        if (!mailbox_send(&store->mailbox, &request->letter)) {
            answer(request);
        }
        return;
    }
    enum thread_role before = thread_act_as(THREAD_STORE);
    if (is_faulty(store)) {
        try_again(store);
    }
    run_all(store, &request->letter);
    (void)thread_act_as(before);
}

enum sg_result store_health(const struct store *store)
{
    return (enum sg_result)atomic_load(&store->health);
}

const struct store_io *store_images(const struct store *store)
{
    return &store->io;
}

enum sg_result store_config_walk(const struct store_io *io,
                                 bool (*see)(void *argument, struct span key, struct span value),
                                 void *argument)
{
    struct span all = {NULL, 0};
    return io->scan(io->argument, STORE_CONFIG, all, see, argument);
}
