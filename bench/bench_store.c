/*
 * Commits that survive: how many a second, alone and grouped, beside what a bare sync costs; and
 * how fast a store of many zones opens.
 *
 * usage: bench_store [FOLDER [ZONES]]    default: the working folder, 100000 zones
 *
 * FOLDER says which disk is measured; a folder is made in it and removed.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/store.h"

enum { STATE_BYTES = 200, CHANGESET_BYTES = 400, IMAGE_BYTES = 2000, SECONDS = 3, GROUP_MAX = 64 };

static const uint8_t filler[IMAGE_BYTES] = "what a small change of a signed zone takes";

struct flight {
    struct store_request request;
    uint64_t zone, number;
    char identity[48];
};

static double seconds(void)
{
    return (double)time_monotonic_ns() / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_store: %s\n", what);
    exit(1);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void note_state(void *argument, enum sg_result result)
{
    (void)argument;
    if (result != SG_OK) {
        die("writing failed");
    }
}

static struct store *open_store(const char *folder)
{
    struct store_io io;
    struct store *store;
    char *problem = NULL;
    if (store_lmdb_open(folder, &io, &problem) != SG_OK) {
        die(problem);
    }
    if (store_new(&io, true, note_state, NULL, &store) != SG_OK) {
        die("no store");
    }
    return store;
}

/* The floor: append what a commit takes to a file, and sync it. */
static void bench_sync(const char *folder)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/bare", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    double start = seconds(), spent;
    unsigned count = 0;
    do {
        if (write(fd, filler, CHANGESET_BYTES) != CHANGESET_BYTES || fdatasync(fd) != 0) {
            die("bare write");
        }
        count++;
        spent = seconds() - start;
    } while (spent < SECONDS);
    close(fd);
    printf("%-44s %10.0f /s %8.3f ms each\n", "bare appends, each synced", count / spent,
           spent / count * 1e3);
}

static void submit(struct store *store, struct flight *flight, struct mailbox *box)
{
    flight->number++;
    flight->request = (struct store_request){
        .kind = STORE_ZONE_COMMIT,
        .reply = box,
        .zone = flight->zone,
        .record = {.number = flight->number,
                   .state = {filler, STATE_BYTES},
                   .changeset = {filler, CHANGESET_BYTES}},
    };
    store_submit(store, &flight->request);
}

/* `in_flight` zones, each with one commit on its way at any time. */
static void bench_commits(const char *folder, int in_flight)
{
    struct store *store = open_store(folder);
    struct mailbox box;
    struct flight *flights = mem_alloc_zero((size_t)in_flight, sizeof(*flights));
    mailbox_init(&box, NULL, NULL);
    for (int i = 0; i < in_flight; i++) {
        struct flight *flight = &flights[i];
        snprintf(flight->identity, sizeof(flight->identity), "%d of %d", i, in_flight);
        flight->request = (struct store_request){
            .kind = STORE_ZONE_OPEN, .reply = &box, .identity = span_of_text(flight->identity)};
        store_submit(store, &flight->request);
        mailbox_wait(&box);
        flight->zone = flight->request.opened->zone;
        store_zone_free(flight->request.opened);
    }
    double start = seconds(), spent;
    for (int i = 0; i < in_flight; i++) {
        submit(store, &flights[i], &box);
    }
    unsigned count = 0;
    do {
        struct flight *flight = (struct flight *)mailbox_wait(&box);
        if (flight->request.result != SG_OK) {
            die("a commit failed");
        }
        count++;
        submit(store, flight, &box);
        spent = seconds() - start;
    } while (spent < SECONDS);
    for (int i = 0; i < in_flight; i++) {
        mailbox_wait(&box);
    }
    printf("commits, %2d in flight %*s %10.0f /s %8.3f ms each waits\n", in_flight, 22, "",
           count / spent, spent / count * in_flight * 1e3);
    mailbox_clear(&box);
    store_free(store);
    mem_free(flights);
}

static void open_all(struct store *store, struct flight *flights, size_t zones)
{
    struct mailbox box;
    mailbox_init(&box, NULL, NULL);
    for (size_t i = 0; i < zones; i++) {
        struct flight *flight = &flights[i];
        flight->request = (struct store_request){
            .kind = STORE_ZONE_OPEN, .reply = &box, .identity = span_of_text(flight->identity)};
        store_submit(store, &flight->request);
    }
    for (size_t i = 0; i < zones; i++) {
        struct flight *flight = (struct flight *)mailbox_wait(&box);
        if (flight->request.result != SG_OK) {
            die("a zone does not open");
        }
        flight->zone = flight->request.opened->zone;
        flight->number = flight->request.opened->last;
        store_zone_free(flight->request.opened);
    }
    mailbox_clear(&box);
}

static void commit_images(struct store *store, struct flight *flights, size_t zones)
{
    struct mailbox box;
    mailbox_init(&box, NULL, NULL);
    for (size_t i = 0; i < zones; i++) {
        flights[i].request = (struct store_request){
            .kind = STORE_ZONE_COMMIT,
            .reply = &box,
            .zone = flights[i].zone,
            .record = {.number = 1, .flags = STORE_COMMIT_IMAGE, .state = {filler, STATE_BYTES}},
            .image = {filler, IMAGE_BYTES}};
        store_submit(store, &flights[i].request);
    }
    for (size_t i = 0; i < zones; i++) {
        if (((struct flight *)mailbox_wait(&box))->request.result != SG_OK) {
            die("a commit failed");
        }
    }
    mailbox_clear(&box);
}

static void report(const char *what, double start, size_t zones)
{
    double spent = seconds() - start;
    printf("%-44s %10.0f /s %8.3f s\n", what, (double)zones / spent, spent);
}

static void bench_zones(const char *folder, size_t zones)
{
    struct flight *flights = mem_alloc_zero(zones, sizeof(*flights));
    for (size_t i = 0; i < zones; i++) {
        snprintf(flights[i].identity, sizeof(flights[i].identity), "default IN zone%zu.", i);
    }
    double start = seconds();
    struct store *store = open_store(folder);
    open_all(store, flights, zones);
    report("new zones, an id each", start, zones);
    start = seconds();
    commit_images(store, flights, zones);
    report("first commits with small images", start, zones);
    store_free(store);
    start = seconds();
    store = open_store(folder);
    report("the store opened again", start, 1);
    start = seconds();
    open_all(store, flights, zones);
    report("zones opened again", start, zones);
    store_free(store);
    mem_free(flights);
}

int main(int argc, char **argv)
{
    char folder[256], part[300];
    snprintf(folder, sizeof(folder), "%s/bench_store.XXXXXX", argc > 1 ? argv[1] : ".");
    if (mkdtemp(folder) == NULL) {
        die("cannot make a folder");
    }
    bench_sync(folder);
    static const int in_flight[] = {1, 16, GROUP_MAX};
    for (size_t i = 0; i < ARRAY_LEN(in_flight); i++) {
        snprintf(part, sizeof(part), "%s/%d", folder, in_flight[i]);
        bench_commits(part, in_flight[i]);
    }
    snprintf(part, sizeof(part), "%s/zones", folder);
    bench_zones(part, argc > 2 ? strtoul(argv[2], NULL, 10) : 100000);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
