/*
 * sim - a keeper and its store, real, in a fake world (README.md)
 *
 *   sim SEED [STEPS]           one seed, its trace on standard output
 *   sim --seeds FROM COUNT     many, a process each; the trace of the first that fails
 *   sim --twice SEED           the same seed twice: it holds, and the traces are the same
 *   sim --twice SEED STEP      the same with a fault that is planted after so many steps: it fails,
 *                              and the traces are the same
 *   sim --sweep ...            whole rolls, with a death at each write (crash_sweep.c)
 */
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "sim/world.h"

enum { TAIL_LINES = 60, SEEDS_AT_ONCE = 2 };
#define NO_FAULT UINT_MAX

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

char *sim_enter_folder(void)
{
    char *folder =
        mem_format("%s/signet-sim-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("keys", 0700) != 0) {
        perror(folder);
        exit(2);
    }
    return folder;
}

void sim_remove_folder(char *folder)
{
    (void)!chdir("/");
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(folder);
}

static void say_tally(struct world *world)
{
    const struct tally *tally = &world->tally;
    size_t versions = 0;
    for (size_t i = 0; i < world->zones_count; i++) {
        versions += world->zones[i].seen.versions;
    }
    world_say(world,
              "seed %llu held: %zu versions, %zu turns, %zu updates (%zu acknowledged, %zu "
              "refused), %zu reloads, %zu faults, %zu crashes, %zu differences, %zu rests, %zu "
              "lost stores, %zu backups (%zu "
              "restored), %zu configurations",
              (unsigned long long)world->seed, versions, tally->turns, tally->updates,
              tally->acknowledged, tally->refused, tally->reloads, tally->faults, tally->crashes,
              tally->differences, tally->rests, tally->losses, tally->backups, tally->restores,
              tally->configurations);
}

/* As if greater serials had been seen than were published: the next version of each is below (S3).
 */
static void plant_fault(struct world *world)
{
    world_say(world, "--- a fault is planted");
    for (size_t i = 0; i < world->zones_count; i++) {
        world->zones[i].seen.serial += 1u << 20;
    }
}

/* In a folder that was entered. */
static void run(uint64_t seed, unsigned steps, unsigned fault_at, FILE *trace)
{
    struct world *world = mem_alloc_zero(1, sizeof(*world));
    thread_name(THREAD_KEEPER, "sim");
    world_new(world, seed, trace);
    world_settle(world);
    for (unsigned i = 0; i < steps; i++) {
        if (i == fault_at) {
            plant_fault(world);
        }
        step(world);
    }
    step_peace(world);
    say_tally(world);
    world_free(world);
    mem_free(world);
    fflush(trace);
}

/* --- many seeds ----------------------------------------------------------------------------- */

struct child {
    pid_t pid; /* 0: none */
    uint64_t seed;
    FILE *trace;
    char *folder;
};

static void start_child(struct child *child, uint64_t seed, unsigned steps)
{
    fflush(NULL);
    child->seed = seed;
    child->trace = tmpfile();
    child->folder = sim_enter_folder();
    child->pid = fork();
    if (child->trace == NULL || child->pid < 0) {
        perror("sim");
        exit(2);
    }
    if (child->pid == 0) {
        dup2(fileno(child->trace), STDERR_FILENO); /* what a sanitizer says */
        run(seed, steps, NO_FAULT, child->trace);
        exit(0);
    }
}

void sim_print_tail(FILE *trace)
{
    char line[2048];
    long lines = 0, at = 0;
    rewind(trace);
    while (fgets(line, sizeof(line), trace) != NULL) {
        lines++;
    }
    rewind(trace);
    while (fgets(line, sizeof(line), trace) != NULL) {
        if (at++ >= lines - TAIL_LINES) {
            fputs(line, stdout);
        }
    }
}

/* True: the seed held. */
static bool end_child(struct child *child, int status)
{
    bool held = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!held) {
        sim_print_tail(child->trace);
        printf("seed %llu FAILED (status %d)\n", (unsigned long long)child->seed, status);
        fflush(stdout);
    }
    fclose(child->trace);
    sim_remove_folder(child->folder);
    child->pid = 0;
    return held;
}

static bool wait_for_one(struct child children[SEEDS_AT_ONCE])
{
    int status;
    pid_t pid = wait(&status);
    for (size_t i = 0; i < SEEDS_AT_ONCE; i++) {
        if (children[i].pid == pid) {
            return end_child(&children[i], status);
        }
    }
    return true;
}

static size_t count_running(const struct child children[SEEDS_AT_ONCE])
{
    size_t running = 0;
    for (size_t i = 0; i < SEEDS_AT_ONCE; i++) {
        running += children[i].pid != 0;
    }
    return running;
}

static int run_seeds(uint64_t from, uint64_t count)
{
    struct child children[SEEDS_AT_ONCE] = {{0}};
    uint64_t failed = 0;
    for (uint64_t seed = from; seed < from + count; seed++) {
        if (count_running(children) == SEEDS_AT_ONCE) {
            failed += !wait_for_one(children);
        }
        size_t free_place = 0;
        while (children[free_place].pid != 0) {
            free_place++;
        }
        start_child(&children[free_place], seed, SIM_STEPS);
    }
    while (count_running(children) > 0) {
        failed += !wait_for_one(children);
    }
    printf("%llu seeds from %llu on, %llu failed\n", (unsigned long long)count,
           (unsigned long long)from, (unsigned long long)failed);
    return failed > 0;
}

/* --- the same seed twice -------------------------------------------------------------------- */

/* A program of its own, not a copy of this one: its addresses are others. */
static pid_t start_program(uint64_t seed, const char *fault_at, FILE *trace)
{
    char *text = mem_format("%llu", (unsigned long long)seed);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fileno(trace), STDOUT_FILENO);
        execl("/proc/self/exe", "sim", "--here", text, fault_at, (char *)NULL);
        _exit(2);
    }
    mem_free(text);
    return pid;
}

/* What it exits with; -1: it did not. */
static int run_into(uint64_t seed, const char *fault_at, struct buffer *out_trace)
{
    char *folder = sim_enter_folder();
    FILE *trace = tmpfile();
    int status = -1;
    ASSERT(trace != NULL);
    pid_t pid = start_program(seed, fault_at, trace);
    bool ended = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    rewind(trace);
    for (int byte; (byte = fgetc(trace)) != EOF;) {
        buffer_append_u8(out_trace, (uint8_t)byte);
    }
    fclose(trace);
    sim_remove_folder(folder);
    return ended ? WEXITSTATUS(status) : -1;
}

static bool has_failed(const struct buffer *trace)
{
    return memmem(trace->bytes, trace->length, " FAILED: ", 9) != NULL;
}

/* `fault_at`: NULL, and it holds; or it has to fail. */
static int run_twice(uint64_t seed, const char *fault_at)
{
    struct buffer first = BUFFER_EMPTY, second = BUFFER_EMPTY;
    int wanted = fault_at != NULL;
    bool ends_so = run_into(seed, fault_at, &first) == wanted;
    ends_so &= run_into(seed, fault_at, &second) == wanted && has_failed(&first) == wanted;
    bool same = first.length == second.length && first.length > 0 &&
                memcmp(first.bytes, second.bytes, first.length) == 0;
    printf("seed %llu twice: %s, %zu bytes of trace%s\n", (unsigned long long)seed,
           same ? "the same" : "NOT the same", first.length,
           ends_so            ? ""
           : fault_at != NULL ? ", and the fault was NOT found"
                              : ", and it did NOT hold");
    buffer_free(&first);
    buffer_free(&second);
    return same && ends_so ? 0 : 1;
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "sim: '%s' is not a number\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--seeds") == 0) {
        return run_seeds(number(argv[2]), number(argv[3]));
    }
    if (argc >= 2 && strcmp(argv[1], "--sweep") == 0) {
        return crash_sweep_main(argc, argv);
    }
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "--twice") == 0) {
        return run_twice(number(argv[2]), argv[3]);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "--here") == 0) { /* for --twice */
        run(number(argv[2]), SIM_STEPS, argc == 4 ? (unsigned)number(argv[3]) : NO_FAULT, stdout);
        return 0;
    }
    if (argc != 2 && argc != 3) {
        fputs("usage: sim SEED [STEPS] | --seeds FROM COUNT | --twice SEED [STEP] | --sweep ...\n",
              stderr);
        return 2;
    }
    char *folder = sim_enter_folder();
    run(number(argv[1]), argc == 3 ? (unsigned)number(argv[2]) : SIM_STEPS, NO_FAULT, stdout);
    sim_remove_folder(folder);
    return 0;
}
