/*
 * store/store.h - what must survive: every zone's commits, in one environment
 *
 * One thread owns the environment. Whatever waits in its mailbox goes into one transaction with
 * one sync (group commit), then every request gets its answer. Nothing is served from the store:
 * values are copied out. With `threads` false (tests/sim) each request is done inside
 * store_submit(), so that a run is the same each time.
 *
 *   keeper -> request -> mailbox -> [store thread: all that waits, one transaction] -> reply
 *
 * A failed write or sync: every request of that transaction is answered SG_NO_SPACE or SG_IO and
 * nothing of it counts. The store tries the environment again, 1 s to 60 s apart, and says when it
 * works again (`state_changed`). After a failed commit whose outcome nobody knows it reopens the
 * environment and looks: a commit that proves durable is answered SG_OK.
 */
#pragma once

#include "base/mailbox.h"
#include "store/commit.h"
#include "store/store_io.h"

struct store;

enum store_request_kind {
    STORE_ZONE_OPEN,   /* identity -> id, last commit, records since the image, image manifest */
    STORE_ZONE_COMMIT, /* append a record; with an image, drop what came before it */
    STORE_ZONE_IMAGE,  /* an image of the version of commit `number`, made behind it */
    STORE_ZONE_FORGET, /* everything of a zone */
    STORE_ZONE_TRIM,   /* drop records that are older than the newest image and below `number` */
    STORE_CONFIG_PUT,  /* a zone statement added at run time; empty `value`: removed */
    STORE_COPY,        /* backup into `path` */
};

/* A request is the sender's again with the reply. Spans are borrowed until then. */
struct store_request {
    struct letter letter; /* first member */
    enum store_request_kind kind;
    struct mailbox *reply;
    void (*done)(struct store_request *request); /* for whoever takes it out of the mailbox */
    struct span identity;                        /* OPEN: view, class, name; CONFIG: the key */
    uint64_t zone;                               /* all but OPEN */
    struct store_commit_record record;           /* COMMIT: `number` is set by the caller */
    struct span image;     /* COMMIT with STORE_COMMIT_IMAGE: a small image; empty: a file was
                              written with store_image_create() under this zone and number */
    uint64_t number;       /* TRIM, IMAGE */
    struct span value;     /* CONFIG */
    const char *path;      /* COPY */

    enum sg_result result;
    struct store_zone *opened; /* OPEN: owned by the taker, store_zone_free() */
    char *problem;             /* why not, for people; the taker frees */
};

/* A zone as it was committed last. */
struct store_zone {
    uint64_t zone;
    uint64_t last;        /* number of the last commit; 0: none yet */
    struct buffer state;  /* of the last commit */
    sg_time committed_at;
    uint32_t serial, source_serial;
    bool has_image;
    uint64_t image_number;
    struct buffer image;  /* a small one; empty with has_image: a file, store_image_open() */
    /* Commit records in order, from `records_first` on: those after the image are to be applied,
     * those before are for IXFR alone. */
    uint64_t records_first;
    struct buffer *records;
    size_t records_count;
};
void store_zone_free(struct store_zone *zone);

/* Takes the io. `state_changed` is called in the store's thread: `result` SG_OK when writing works
 * again, else why it does not. */
MUST_USE enum sg_result store_new(const struct store_io *io, bool threads,
                                  void (*state_changed)(void *argument, enum sg_result result),
                                  void *argument, struct store **out_store);
/* Lets what waits be committed, then closes the environment. */
void store_free(struct store *store);
/* Thread: any. */
void store_submit(struct store *store, struct store_request *request);
/* Is writing possible at present? Thread: any. */
enum sg_result store_health(const struct store *store);

/* Image files: written and read by workers, named in a commit afterwards. */
const struct store_io *store_images(const struct store *store);
enum { STORE_IMAGE_INLINE_BYTES_MAX = 256 * 1024 };

/* At start, before threads: every zone statement that was added at run time. */
MUST_USE enum sg_result store_config_walk(const struct store_io *io,
                                          bool (*see)(void *argument, struct span key,
                                                      struct span value),
                                          void *argument);
