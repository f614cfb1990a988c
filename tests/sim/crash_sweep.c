/*
 * Whole rolls, and a death at each operation of the disk
 *
 *   sim --sweep all|ROLL [EVERY [FIRST]]   at each operation, or each EVERY-th from FIRST on
 *   sim --sweep ROLL KIND AT               at that one, with its trace
 *
 * A roll is played once without a death, to count its operations: writes of the store, writes,
 * syncs, names and removals of key files. Then once for each kind of death at each of them, a
 * process each: it dies there, starts again, and goes on to the end, where all invariants hold
 * that the simulator knows, and as many keys were made as without a death.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "sim/crash_files.h"
#include "sim/rolls.h"

enum { KEYS_MAX = 16, KEYS_WANTED_MAX = 2, EDITS_MAX = 3, AT_ONCE = 2 };
enum { SEED = 5, UPDATE_DAYS = 3 };

/* A policy, from some day on. */
struct edit {
    unsigned day;
    bool insecure;
    uint8_t algorithm;
    unsigned keys_count;
    struct {
        enum kasp_role role;
        uint32_t lifetime;
    } keys[KEYS_WANTED_MAX];
};

struct roll {
    const char *name;
    struct edit edits[EDITS_MAX];
    size_t edits_count;
    unsigned days;
    size_t keys_made; /* in all */
};

#define LIFE            (4 * (uint32_t)SG_DAY)
#define ED25519         .algorithm = DNSSEC_ED25519
#define CSK(life)       .keys_count = 1, .keys = {{KASP_ROLE_CSK, life}}
#define SPLIT(ksk, zsk) .keys_count = 2, .keys = {{KASP_ROLE_KSK, ksk}, {KASP_ROLE_ZSK, zsk}}

/* The last edit is made after the roll has begun, and before another one would. */
static const struct roll rolls[] = {
    {"zsk", {{0, ED25519, SPLIT(0, LIFE)}, {5, ED25519, SPLIT(0, 0)}}, 2, 10, 3},
    {"ksk", {{0, ED25519, SPLIT(LIFE, 0)}, {5, ED25519, SPLIT(0, 0)}}, 2, 10, 3},
    {"csk", {{0, ED25519, CSK(LIFE)}, {5, ED25519, CSK(0)}}, 2, 10, 2},
    {"algorithm",
     {{0, ED25519, CSK(0)}, {2, .algorithm = DNSSEC_ECDSAP256SHA256, CSK(0)}},
     2,
     8,
     2},
    {"insecure",
     {{0, ED25519, CSK(0)}, {2, .insecure = true, ED25519}, {7, ED25519, CSK(0)}},
     3,
     11,
     2},
};

static const char *const kinds[CRASH_KINDS] = {"lost", "done", "part", "kill"};

/* --- one run -------------------------------------------------------------------------------- */

static struct kasp_policy *make_policy(const struct edit *edit)
{
    struct kasp_policy *policy = kasp_policy_default();
    policy->insecure = edit->insecure;
    policy->keys_count = edit->keys_count;
    for (unsigned i = 0; i < KEYS_WANTED_MAX; i++) {
        policy->keys[i] = (struct kasp_key){.role = edit->keys[i].role,
                                            .lifetime = edit->keys[i].lifetime,
                                            .algorithm = edit->algorithm,
                                            .bits = 256,
                                            .tag_max = UINT16_MAX};
    }
    policy->inline_signing = true;
    policy->max_zone_ttl = 340; /* exactly what its records have at most */
    policy->dnskey_ttl = 300;
    policy->publish_safety = policy->retire_safety = SG_MINUTE;
    policy->zone_propagation_delay = 5 * SG_MINUTE;
    policy->parent_ds_ttl = policy->parent_propagation_delay = 10 * SG_MINUTE;
    policy->purge_keys = SG_DAY;
    policy->signatures_validity = policy->signatures_validity_dnskey = 14 * SG_DAY;
    policy->signatures_refresh = 12 * SG_DAY;
    policy->signatures_jitter = 0;
    return policy;
}

/* Every key that has had its files, for good, under some name. */
struct keys_made {
    char names[KEYS_MAX][256];
    size_t count;
};

static void note_keys(struct world *world, struct keys_made *made)
{
    DIR *folder = opendir("keys");
    ASSERT(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *suffix = strstr(entry->d_name, ".private");
        size_t known = 0;
        if (suffix == NULL || strcmp(suffix, ".private") != 0) {
            continue;
        }
        while (known < made->count && strcmp(made->names[known], entry->d_name) != 0) {
            known++;
        }
        if (known == KEYS_MAX) {
            world_fail(world, "more keys than anybody can want");
        }
        snprintf(made->names[known], sizeof(made->names[known]), "%s", entry->d_name);
        made->count += known == made->count;
    }
    closedir(folder);
}

static void recover(struct world *world)
{
    world_say(world, "died at operation %llu: %s", (unsigned long long)crash_files_count(),
              crash_files_last());
    world_crash(world);
    crash_files_recover();
    world_start(world);
}

static void pass(struct world *world, sg_time end, struct keys_made *made)
{
    while (world->now < end) {
        world_pass(world, end - world->now);
        if (fake_disk_is_without_power(world->disk)) {
            recover(world);
        }
        note_keys(world, made);
    }
}

static void play_day(struct world *world, const struct roll *roll, unsigned day,
                     struct keys_made *made)
{
    struct sim_zone *zone = &world->zones[0];
    for (size_t i = 1; i < roll->edits_count; i++) {
        if (roll->edits[i].day == day) {
            world_say(world, "%s: another policy", zone->name);
            rolls_take(zone, make_policy(&roll->edits[i]));
            world_configure(world);
        }
    }
    pass(world, world->now + SG_HOUR, made);
    if (day % UPDATE_DAYS == 0) {
        step_update(zone);
    }
    for (unsigned hours = 23; hours > 0; hours--) {
        pass(world, world->now + SG_HOUR, made);
        caches_check_states(zone);
    }
}

static void check_keys(struct world *world, const struct roll *roll, const struct keys_made *made)
{
    if (made->count != roll->keys_made) {
        for (size_t i = 0; i < made->count; i++) {
            world_say(world, "  %s", made->names[i]);
        }
        world_fail(world, "%zu keys were made, and not %zu", made->count, roll->keys_made);
    }
}

/* What a run without a death tells of the operations until the roll has ended. */
struct operations {
    uint64_t count;
    uint8_t kinds[CRASH_OPERATIONS_MAX]; /* that are worth a death there */
};

static void play(const struct roll *roll, enum crash_kind kind, uint64_t at, FILE *trace,
                 struct operations *out_operations)
{
    struct world *world = mem_alloc_zero(1, sizeof(*world));
    struct keys_made made = {.count = 0};
    thread_name(THREAD_KEEPER, "sim");
    world_prepare(world, SEED, trace);
    world->zones_count = 1;
    sim_zone_new_rolling(world, 0, make_policy(&roll->edits[0]), &world->zones[0]);
    world->clock_is_steady = true;
    world_start(world);
    crash_files_arm(world->disk, kind, at); /* An empty store is there. */
    for (unsigned day = 0; day < roll->days; day++) {
        play_day(world, roll, day, &made);
    }
    out_operations->count = crash_files_count();
    for (uint64_t i = 0; i < out_operations->count; i++) {
        out_operations->kinds[i] = crash_files_kinds(i + 1);
    }
    if (at != 0 && world->tally.crashes != 1) {
        world_fail(world, "there is no operation %llu", (unsigned long long)at);
    }
    check_keys(world, roll, &made); /* The roll has ended: nothing is left to do for peace. */
    step_peace(world);
    note_keys(world, &made);
    check_keys(world, roll, &made);
    world_say(world, "%s held: %llu operations, %zu versions, %zu keys", roll->name,
              (unsigned long long)out_operations->count, world->zones[0].seen.versions, made.count);
    world_free(world);
    mem_free(world);
    fflush(trace);
}

/* --- a process each ------------------------------------------------------------------------- */

struct point {
    const struct roll *roll;
    enum crash_kind kind;
    uint64_t at;
    pid_t pid; /* 0: none */
    FILE *trace;
    char *folder;
    int told_fd; /* of a pipe: the operations that there were */
};

static void start_point(struct point *point)
{
    int ends[2];
    fflush(NULL);
    point->trace = tmpfile();
    point->folder = sim_enter_folder();
    if (point->trace == NULL || pipe(ends) != 0 || (point->pid = fork()) < 0) {
        perror("sim");
        exit(2);
    }
    if (point->pid == 0) {
        dup2(fileno(point->trace), STDERR_FILENO); /* what a sanitizer says */
        static struct operations operations;
        play(point->roll, point->kind, point->at, point->trace, &operations);
        (void)!write(ends[1], &operations, sizeof(operations)); /* A pipe holds as much. */
        exit(0);
    }
    close(ends[1]);
    point->told_fd = ends[0];
}

/* True: it held. */
static bool end_point(struct point *point, int status, struct operations *out_operations)
{
    bool held = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (read(point->told_fd, out_operations, sizeof(*out_operations)) !=
        (ssize_t)sizeof(*out_operations)) {
        held = false;
    }
    if (!held) {
        sim_print_tail(point->trace);
        printf("FAILED (status %d): sim --sweep %s %s %llu\n", status, point->roll->name,
               kinds[point->kind], (unsigned long long)point->at);
        fflush(stdout);
    }
    close(point->told_fd);
    fclose(point->trace);
    sim_remove_folder(point->folder);
    point->pid = 0;
    return held;
}

static struct point *wait_for_one(struct point points[AT_ONCE], int *out_status)
{
    pid_t pid = wait(out_status);
    size_t i = 0;
    while (i < AT_ONCE && points[i].pid != pid) {
        i++;
    }
    ASSERT(i < AT_ONCE);
    return &points[i];
}

static bool are_running(const struct point points[AT_ONCE])
{
    bool some = false;
    for (size_t i = 0; i < AT_ONCE; i++) {
        some |= points[i].pid != 0;
    }
    return some;
}

/* A place to start one; waits for it if there is none. */
static struct point *free_place(struct point points[AT_ONCE], uint64_t *failed)
{
    struct operations operations;
    int status;
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (points[i].pid == 0) {
            return &points[i];
        }
    }
    struct point *point = wait_for_one(points, &status);
    *failed += !end_point(point, status, &operations);
    return point;
}

/* Every `every`-th of the points from `first` on. Returns how many failed. */
static uint64_t sweep(const struct roll *roll, uint64_t every, uint64_t first, uint64_t *points_run)
{
    struct point points[AT_ONCE] = {{.roll = roll}};
    struct operations operations, ignored;
    uint64_t seen = 0, run = 0, failed = 0;
    int status;
    start_point(&points[0]);
    (void)wait_for_one(points, &status);
    if (!end_point(&points[0], status, &operations)) {
        return 1;
    }
    for (uint64_t i = 0; i < operations.count * CRASH_KINDS; i++) {
        bool is_told = (operations.kinds[i / CRASH_KINDS] >> i % CRASH_KINDS & 1) != 0;
        if (is_told && seen++ % every == first % every) {
            struct point *point = free_place(points, &failed);
            *point = (struct point){.roll = roll,
                                    .kind = (enum crash_kind)(i % CRASH_KINDS),
                                    .at = 1 + i / CRASH_KINDS};
            start_point(point);
            run++;
        }
    }
    while (are_running(points)) {
        struct point *point = wait_for_one(points, &status);
        failed += !end_point(point, status, &ignored);
    }
    printf("%s: %llu operations, %llu points, %llu deaths, %llu failed\n", roll->name,
           (unsigned long long)operations.count, (unsigned long long)seen, (unsigned long long)run,
           (unsigned long long)failed);
    fflush(stdout);
    *points_run += run;
    return failed;
}

/* --- the command ---------------------------------------------------------------------------- */

static int play_one(const struct roll *roll, const char *kind, uint64_t at)
{
    static struct operations operations;
    for (int i = 0; i < CRASH_KINDS; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            char *folder = sim_enter_folder();
            setvbuf(stdout, NULL, _IOLBF, 0);
            play(roll, (enum crash_kind)i, at, stdout, &operations);
            sim_remove_folder(folder);
            return 0;
        }
    }
    return 2;
}

static bool is_number(const char *text)
{
    return *text != 0 && strspn(text, "0123456789") == strlen(text);
}

int crash_sweep_main(int argc, char **argv)
{
    uint64_t every = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    uint64_t last = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    uint64_t run = 0, failed = 0;
    size_t found = 0;
    bool is_one = argc == 5 && !is_number(argv[3]);
    for (size_t i = 0; i < ARRAY_LEN(rolls) && argc >= 3 && argc <= 5; i++) {
        const struct roll *roll = &rolls[i];
        bool is_meant = strcmp(argv[2], roll->name) == 0;
        if (is_meant && is_one) {
            return play_one(roll, argv[3], last);
        }
        if ((is_meant || strcmp(argv[2], "all") == 0) && every > 0) {
            failed += sweep(roll, every, last, &run);
            found++;
        }
    }
    if (found == 0) {
        fputs("usage: sim --sweep all|ROLL [EVERY [FIRST]] | --sweep ROLL KIND AT\n"
              "rolls: zsk ksk csk algorithm insecure; kinds: lost done part kill\n",
              stderr);
        return 2;
    }
    printf("%llu deaths, %llu failed\n", (unsigned long long)run, (unsigned long long)failed);
    return failed > 0;
}
