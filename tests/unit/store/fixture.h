/* A folder of its own for a test, and requests to a store that wait for their answer. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/store.h"
#include "support/fake_disk.h"
#include "support/table.h"

static inline int remove_entry(const char *path, const struct stat *status, int type,
                               struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static inline char *folder_new(void)
{
    /* In memory where that can be had: what is proven here is not the speed of syncs. */
    const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char *folder = mem_format("%s/signet-store-XXXXXX", where);
    assert_non_null(mkdtemp(folder));
    return folder;
}

static inline void folder_free(char *folder)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(folder);
}

static inline struct store_io open_lmdb(const char *folder)
{
    struct store_io io;
    char *problem = NULL;
    if (store_lmdb_open(folder, &io, &problem) != SG_OK) {
        fail_msg("%s", problem);
    }
    return io;
}

/* What a store said of itself. */
struct watch {
    enum sg_result last;
    int changes;
};

static inline void watch_state(void *argument, enum sg_result result)
{
    struct watch *watch = argument;
    watch->last = result;
    watch->changes++;
}

static inline struct store *store_on(struct store_io io, bool threads, struct watch *watch)
{
    struct store *store;
    assert_int_equal(store_new(&io, threads, watch_state, watch, &store), SG_OK);
    return store;
}

static _Thread_local char
    problem_seen[200]; /* of the last request that was answered; may be empty */

/* An answer is here: keep what it says of the problem. */
static inline void note_problem(struct store_request *request)
{
    snprintf(problem_seen, sizeof(problem_seen), "%s",
             request->problem != NULL ? request->problem : "");
    mem_free(request->problem);
    request->problem = NULL;
}

/* Submit and wait for the answer. */
static inline enum sg_result ask(struct store *store, struct store_request *request)
{
    struct mailbox box;
    mailbox_init(&box, NULL, NULL);
    request->reply = &box;
    store_submit(store, request);
    assert_ptr_equal(mailbox_wait(&box), &request->letter);
    mailbox_clear(&box);
    note_problem(request);
    return request->result;
}

/* NULL when it failed with `expected`. */
static inline struct store_zone *open_zone(struct store *store, const char *identity,
                                           enum sg_result expected)
{
    struct store_request request = {.kind = STORE_ZONE_OPEN, .identity = span_of_text(identity)};
    assert_int_equal(ask(store, &request), expected);
    if (expected == SG_MALFORMED && request.opened != NULL) {
        /* What is left of it is no zone. */
        assert_int_equal(request.opened->records_count, 0);
        assert_false(request.opened->has_image);
        store_zone_free(request.opened);
        request.opened = NULL;
    }
    assert_true((expected == SG_OK) == (request.opened != NULL));
    return request.opened;
}

static inline uint64_t zone_id(struct store *store, const char *identity)
{
    struct store_zone *zone = open_zone(store, identity, SG_OK);
    uint64_t id = zone->zone;
    store_zone_free(zone);
    return id;
}

/* A commit whose state and changeset tell its number. */
struct commit_text {
    char state[32], changeset[32];
};

static inline struct store_request commit_request(uint64_t zone, uint64_t number,
                                                  struct commit_text *text)
{
    snprintf(text->state, sizeof(text->state), "state %u", (unsigned)number);
    snprintf(text->changeset, sizeof(text->changeset), "changeset %u", (unsigned)number);
    return (struct store_request){.kind = STORE_ZONE_COMMIT,
                                  .zone = zone,
                                  .record = {.number = number,
                                             .at = (sg_time)(1000 + number),
                                             .serial = (uint32_t)(2000 + number),
                                             .source_serial = (uint32_t)(3000 + number),
                                             .state = span_of_text(text->state),
                                             .changeset = span_of_text(text->changeset)}};
}

static inline enum sg_result commit(struct store *store, uint64_t zone, uint64_t number)
{
    struct commit_text text;
    struct store_request request = commit_request(zone, number, &text);
    return ask(store, &request);
}

static inline enum sg_result commit_image(struct store *store, uint64_t zone, uint64_t number,
                                          const char *image, unsigned flags)
{
    struct commit_text text;
    struct store_request request = commit_request(zone, number, &text);
    request.record.flags = STORE_COMMIT_IMAGE | flags;
    request.image = span_of_text(image);
    return ask(store, &request);
}

static inline enum sg_result trim(struct store *store, uint64_t zone, uint64_t number)
{
    struct store_request request = {.kind = STORE_ZONE_TRIM, .zone = zone, .number = number};
    return ask(store, &request);
}

/* The zone is what the commits first ... last of commit_request() make. */
static inline void assert_records(const struct store_zone *zone, uint64_t first, uint64_t last)
{
    assert_int_equal(zone->last, last);
    assert_int_equal(zone->records_count, last - first + 1);
    assert_int_equal(zone->records_first, first);
    for (uint64_t number = first; number <= last; number++) {
        struct store_commit_record record;
        struct commit_text text;
        struct store_request wanted = commit_request(zone->zone, number, &text);
        struct span bytes = buffer_span(&zone->records[number - first]);
        assert_int_equal(store_commit_decode(bytes, &record), SG_OK);
        assert_int_equal(record.number, number);
        assert_int_equal(record.serial, wanted.record.serial);
        assert_int_equal(record.changeset.length, wanted.record.changeset.length);
        assert_memory_equal(record.changeset.bytes, text.changeset, record.changeset.length);
        if (number == last) {
            assert_int_equal(zone->serial, wanted.record.serial);
            assert_int_equal(zone->source_serial, wanted.record.source_serial);
            assert_int_equal(zone->committed_at, wanted.record.at);
            assert_int_equal(zone->state.length, strlen(text.state));
            assert_memory_equal(zone->state.bytes, text.state, zone->state.length);
        }
    }
}

static inline void assert_zone(struct store *store, const char *identity, uint64_t first,
                               uint64_t last)
{
    struct store_zone *zone = open_zone(store, identity, SG_OK);
    assert_records(zone, first, last);
    store_zone_free(zone);
}

static inline void write_image(const struct store_io *io, uint64_t zone, uint64_t number,
                               const char *text)
{
    struct store_image *image;
    assert_int_equal(io->image_create(io->argument, zone, number, &image), SG_OK);
    assert_int_equal(io->image_append(image, span_of_text(text)), SG_OK);
    assert_int_equal(io->image_finish(image, true), SG_OK);
}

static inline bool has_image(const struct store_io *io, uint64_t zone, uint64_t number)
{
    struct store_image *image;
    enum sg_result result = io->image_open(io->argument, zone, number, &image);
    if (result == SG_OK) {
        io->image_close(image);
    }
    return result == SG_OK;
}
