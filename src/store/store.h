/*
 * store/store.h - what must survive: every zone's commits, in one environment
 *
 * One thread owns the environment. Whatever waits in its mailbox goes into one transaction with
 * one sync (group commit), then every request gets its answer. What of it cannot be (a number that
 * is not the next one, say) is refused alone. Nothing is served from the store: values are copied
 * out. With `threads` false (tests/sim) each request is done inside
 * store_submit(), so that a run is the same each time.
 *
 *   keeper -> request -> mailbox -> [store thread: all that waits, one transaction] -> reply
 *
 * A failed write or sync: every request of that transaction is answered SG_NO_SPACE or SG_IO and
 * nothing of it counts. Until writing works again whatever would write is answered so at once;
 * readings go on. The store tries the environment again, 1 s to 60 s apart (without a thread: with
 * each request), and says when it works again (`state_changed`).
 *
 * A commit whose outcome nobody knows (SG_IN_DOUBT: the meta page was not written for certain) is
 * held: the store reopens the environment and looks. What proves durable is answered SG_OK, what is
 * not there is answered as a failed write; but only after another transaction went well, since
 * until then a crash may bring back the one or the other. So long the requests of that one
 * transaction wait for their answer, and the image files that they name are to be left alone.
 */
#pragma once

#include "base/mailbox.h"
#include "store/commit.h"
#include "store/store_io.h"

struct store;

enum store_request_kind {
    STORE_ZONE_OPEN,   /* identity -> id, last commit, records, image; a new identity gets an id,
                          or SG_NOT_FOUND with `only_known` */
    STORE_ZONE_COMMIT, /* append a record; an image takes the place of the one before, and with
                          STORE_COMMIT_BREAKS also of all records before (else: TRIM) */
    STORE_ZONE_IMAGE,  /* an image of the version of commit `number`, made while others followed */
    STORE_ZONE_FORGET, /* everything of a zone; its id is never given again; `zone` 0: whatever id
                          the identity has */
    STORE_ZONE_TRIM,   /* drop records that are older than the newest image and below `number` */
    STORE_CONFIG_PUT,  /* a zone statement added at run time; empty `value`: removed */
    STORE_COPY,        /* backup into the new folder `path`; commits wait meanwhile */
};

/*
 * A request is the sender's again with the reply. Spans are borrowed until then.
 *
 * Results beside those of faults. OPEN: SG_MALFORMED (damaged; `opened`, unless it is NULL, then
 * has nothing but the id, the last number, and the last serial and state that can be read, for
 * whoever builds the zone anew), SG_UNSUPPORTED, SG_LIMIT. COMMIT: SG_CONFLICT (not the next
 * number), SG_NOT_FOUND (the image file is not there), SG_LIMIT. FORGET: SG_CONFLICT (the identity
 * has another id). COPY: SG_EXISTS, SG_NOT_FOUND. Any: SG_CANCELLED, the store is closing.
 */
struct store_request {
    struct letter letter; /* first member */
    enum store_request_kind kind;
    struct mailbox *reply;
    void (*done)(struct store_request *request); /* for whoever takes it out of the mailbox */
    struct span identity; /* OPEN, FORGET: view, class, name; CONFIG: the key; 1 to 511 bytes */
    bool only_known;      /* OPEN */
    uint64_t zone;        /* COMMIT, IMAGE, FORGET, TRIM */
    struct store_commit_record record; /* COMMIT: `number` is set by the caller */
    struct span image; /* COMMIT with STORE_COMMIT_IMAGE: a small image; empty: a file was written
                          with image_create() of store_images() under this zone and number */
    uint64_t number;   /* TRIM, IMAGE */
    struct span value; /* CONFIG */
    const char *path;  /* COPY */

    enum sg_result result;
    struct store_zone *opened; /* OPEN: owned by the taker, store_zone_free() */
    char *problem;             /* why not, for people; may be NULL; the taker frees */
};

/* A zone as it was committed last. */
struct store_zone {
    uint64_t zone;
    uint64_t last;       /* number of the last commit; 0: none yet */
    struct buffer state; /* of the last commit */
    sg_time committed_at;
    uint32_t serial, source_serial;
    bool has_image;
    uint64_t image_number;
    struct buffer image; /* a small one; empty with has_image: a file, image_open() */
    /* Commit records in order, from `records_first` on: those after the image are to be applied,
     * those before are for IXFR alone. */
    uint64_t records_first;
    struct buffer *records;
    size_t records_count;
};
void store_zone_free(struct store_zone *zone);

/* Takes the io, on failure too: SG_UNSUPPORTED (tables of a later release), SG_NO_SPACE, SG_IO (new
 * tables could not be written, or no thread was to be had). `state_changed`, unless
 * it is NULL, is called in the store's thread: `result` SG_OK when writing works again, else why it
 * does not, and the log has it by then; it does not call the store. */
MUST_USE enum sg_result store_new(const struct store_io *io, bool threads,
                                  void (*state_changed)(void *argument, enum sg_result result),
                                  void *argument, struct store **out_store);
/* Lets what waits be committed, then closes the environment. */
void store_free(struct store *store);
/* Thread: any. */
void store_submit(struct store *store, struct store_request *request);
/* Is writing possible at present? Thread: any. */
enum sg_result store_health(const struct store *store);

/* Image files: written and read by workers (image_*() alone), named in a commit afterwards. One
 * that no commit came to name may be used by the next try under its number, or is removed by
 * image_remove(), or when the store is next opened; the store removes it by itself where its
 * request is refused for good: SG_CONFLICT, SG_NOT_FOUND, or STORE_ZONE_IMAGE for whatever reason.
 */
const struct store_io *store_images(const struct store *store);
enum { STORE_IMAGE_INLINE_BYTES_MAX = 256 * 1024 };

/* At start, before threads: every zone statement that was added at run time. */
MUST_USE enum sg_result
store_config_walk(const struct store_io *io,
                  bool (*see)(void *argument, struct span key, struct span value), void *argument);
