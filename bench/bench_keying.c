/*
 * Keys that roll in many zones: the CPU that the real keeper spends on each look at a zone's keys,
 * by what it is spent on, beside the signatures that come of it. Every zone has its own hour: looks
 * do not come in crowds that would share what they cost.
 *
 * usage: bench_keying [FOLDER [ZONES [LOOKS]]]    default: /dev/shm, 10000 zones, 4000 looks
 *
 * The pool has no threads, so that all is done by one: "the keeper's own thread" is what its turns
 * spend beside their jobs. A folder is made in FOLDER and removed; on a disk, syncs take long and
 * cost no CPU. There is no store. The clock is a number, and time passes as fast as the work is
 * done. Linked with --wrap for each function that is timed (CMakeLists.txt).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/epoch.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "keeper/keeper_parts.h"
#include "measure.h"

#define T0 ((sg_time)1767225600)

enum {
    ZONES = 10000,
    LOOKS = 4000,
    LIFETIME = 30 * SG_DAY,
    RESIGN = 20 * SG_DAY,
    TURNS_MAX = 1000000,
};

/* --- what is timed ---------------------------------------------------------------------------- */

enum part { LOOK, FOLDER, FILES, PLAN, WRITE, MAKE, COMMIT, SIGN, TURN, JOB, PARTS };

static const char *const part_names[PARTS] = {
    [LOOK] = "look at a zone's keys, all of it",
    [FOLDER] = "  the folder's names",
    [FILES] = "  the key files read and checked",
    [PLAN] = "  the plan",
    [WRITE] = "  key files written",
    [MAKE] = "  new keys made, and written",
    [COMMIT] = "key files synced and named",
    [SIGN] = "signatures",
    [TURN] = "the keeper's turns, jobs within",
    [JOB] = "  jobs, which are a worker's",
};

static uint64_t spent_ns[PARTS], calls[PARTS];
static uint64_t clock_reads, clock_read_ns;

/* Reading this clock is a system call, some twenty a look: what it costs itself is left out. */
static uint64_t work_ns(void)
{
    clock_reads++;
    return measure_cpu_ns() - clock_reads * clock_read_ns;
}

static void learn_cost_of_clock(void)
{
    enum { READS = 100000 };
    uint64_t began = measure_cpu_ns();
    for (int i = 0; i < READS; i++) {
        (void)measure_cpu_ns();
    }
    clock_read_ns = (measure_cpu_ns() - began) / READS;
}

static void note(enum part part, uint64_t began)
{
    spent_ns[part] += work_ns() - began;
    calls[part]++;
}

/* NOLINTBEGIN: the linker's names */
#define TIMED(part, type, name, parameters, arguments)                                             \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        uint64_t began = work_ns();                                                                \
        type result = __real_##name arguments;                                                     \
        note(part, began);                                                                         \
        return result;                                                                             \
    }
/* NOLINTEND */

TIMED(LOOK, enum sg_result, zone_keys_prepare,
      (const struct zone_keys_request *request, struct key_folders *folders,
       struct zone_keys *out_keys, char **problem),
      (request, folders, out_keys, problem))
TIMED(FOLDER, enum sg_result, key_folders_find,
      (struct key_folders * folders, const char *folder, uint64_t wished,
       struct keystore_index **out_index),
      (folders, folder, wished, out_index))
TIMED(FILES, enum sg_result, keystore_index_list,
      (struct keystore_index * index, const struct dns_name *zone, keystore_report *report,
       void *argument, struct key_list *out_list),
      (index, zone, report, argument, out_list))
TIMED(PLAN, enum sg_result, kasp_plan,
      (const struct kasp_policy *policy, const struct key_list *keys,
       const struct kasp_facts *facts, sg_time now, struct kasp_plan *out_plan),
      (policy, keys, facts, now, out_plan))
TIMED(WRITE, enum sg_result, keystore_batch_write,
      (struct keystore_batch * batch, const struct signing_key *key), (batch, key))
TIMED(MAKE, enum sg_result, keystore_batch_generate,
      (struct keystore_batch * batch, const struct key_request *request,
       struct signing_key **out_key),
      (batch, request, out_key))
TIMED(COMMIT, enum sg_result, keystore_batch_commit, (struct keystore_batch * batch), (batch))
TIMED(SIGN, enum sg_result, signer_sign,
      (struct signer * signer, const struct signing_key *key, const struct dns_name *owner,
       const struct dns_rrset *rrset, const struct sign_times *times, struct buffer *out_rdata),
      (signer, key, owner, rrset, times, out_rdata))
TIMED(TURN, sg_time, keeper_turn, (struct keeper * keeper, sg_time now), (keeper, now))

/* NOLINTBEGIN: the linker's names */
void __real_worker_pool_submit(struct worker_pool *pool, enum work_class class, struct job *job);
void __wrap_worker_pool_submit(struct worker_pool *pool, enum work_class class, struct job *job);
void __wrap_worker_pool_submit(struct worker_pool *pool, enum work_class class, struct job *job)
{
    uint64_t began = work_ns(); /* A pool without threads does it here and now. */
    __real_worker_pool_submit(pool, class, job);
    note(JOB, began);
}
/* NOLINTEND */

/* --- the keeper ------------------------------------------------------------------------------- */

struct world {
    char folder[300];
    char *file;
    size_t zones;
    struct kasp_policy *policies;
    struct zone_settings *settings;
    struct worker_pool *pool;
    struct mailbox mailbox;
    struct keeper *keeper;
    sg_time now;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_keying: %s\n", what);
    exit(1);
}

static void release(struct keeper_generation *generation)
{
    mem_free(generation->zones);
    mem_free(generation);
}

static const char *no_folder(const struct keeper_generation *generation, const char *name)
{
    (void)generation, (void)name;
    return NULL;
}

/* A KSK that stays, and a ZSK that no other zone rolls in the same minute. */
static void set_policy(struct kasp_policy *policy, const struct kasp_policy *base, size_t i)
{
    *policy = *base;
    policy->keys[0].role = KASP_ROLE_KSK;
    policy->keys[0].lifetime = KASP_LIFETIME_UNLIMITED;
    policy->keys[1] = policy->keys[0];
    policy->keys[1].role = KASP_ROLE_ZSK;
    policy->keys[1].lifetime = (uint32_t)(LIFETIME + i * SG_MINUTE);
    policy->keys_count = 2;
    policy->signatures_validity = 10 * 365 * SG_DAY;
    policy->signatures_validity_dnskey = policy->signatures_validity;
    policy->signatures_refresh = policy->signatures_validity - RESIGN;
    policy->signatures_jitter = 0;
}

static void set_zone(struct world *world, struct zone_settings *zone, size_t i)
{
    char *name = mem_format("zone-%06zu.example", i);
    char *absolute = mem_format("%s.", name);
    *zone = (struct zone_settings){
        .name = name,
        .view = "_default",
        .rrclass = 1,
        .file = world->file,
        .policy = &world->policies[i],
        .inline_signing = true,
        .key_directory = world->folder,
        .checks = &zone_check_defaults,
        .fingerprint = 1,
    };
    if (dns_name_from_text(absolute, strlen(absolute), NULL, &zone->apex) != SG_OK) {
        die("name");
    }
    mem_free(absolute);
}

static void configure(struct world *world)
{
    struct keeper_generation *generation = mem_alloc_zero(1, sizeof(*generation));
    struct kasp_policy *base = kasp_policy_default();
    world->policies = mem_alloc(world->zones * sizeof(*world->policies));
    generation->zones = mem_alloc(world->zones * sizeof(*generation->zones));
    generation->zones_count = world->zones;
    for (size_t i = 0; i < world->zones; i++) {
        set_policy(&world->policies[i], base, i);
        set_zone(world, &generation->zones[i], i);
    }
    generation->key_store_folder = no_folder;
    generation->release = release;
    generation->rates.notify = generation->rates.startup_notify = 20;
    size_t duplicate;
    if (keeper_configure(world->keeper, generation, world->now, &duplicate) != SG_OK) {
        die("configuration");
    }
    keeper_front_published(world->keeper);
    kasp_policy_free(base); /* Its name alone was shared. */
}

static sg_time settle(struct world *world)
{
    sg_time wake;
    size_t turns = 0;
    do {
        wake = keeper_turn(world->keeper, world->now);
    } while ((keeper_jobs(world->keeper) > 0 || wake <= world->now) && turns++ < TURNS_MAX);
    return wake;
}

static void live_until(struct world *world, sg_time end, uint64_t looks_max)
{
    while (world->now < end && calls[LOOK] < looks_max) {
        sg_time wake = settle(world);
        world->now = wake < end ? wake : end;
    }
}

static void show_ds_of(struct world *world, struct managed_zone *zone)
{
    struct dns_rrset rrset;
    if (zone->slot->version == NULL ||
        !zone_node_rrset(zone_version_apex_node(zone->slot->version), ZONE_VIEW_SIGNED,
                         DNS_TYPE_DNSKEY, &rrset)) {
        die("a zone is not signed");
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        struct zone_ds_look look = {.tag = dnskey_tag(c.rdata),
                                    .algorithm = c.rdata.bytes[3],
                                    .sighting = KASP_DS_SEEN,
                                    .first = world->now,
                                    .last = world->now};
        if ((c.rdata.bytes[1] & KEY_FLAG_SEP) != 0) {
            zone_facts_note_ds(world->keeper, zone, &look, 1);
        }
    }
}

/* The DS of every KSK is at the parent, as it is seen there. */
static void show_ds(struct world *world)
{
    for (size_t i = 0; i < world->zones; i++) {
        show_ds_of(world, keeper_zone(world->keeper, i));
    }
}

/* --- what is told ----------------------------------------------------------------------------- */

static void report(const char *title, uint64_t all_ns)
{
    double looks = (double)calls[LOOK];
    printf("\n%s: %.0f looks at keys\n%-40s %12s %10s\n", title, looks, "", "us a look", "calls");
    for (int part = 0; part < PARTS; part++) {
        printf("%-40s %12.1f %10.2f\n", part_names[part], (double)spent_ns[part] / 1000 / looks,
               (double)calls[part] / looks);
    }
    const struct {
        const char *what;
        uint64_t ns;
    } sums[] = {
        {"the keeper's own thread", spent_ns[TURN] - spent_ns[JOB]},
        {"everything", all_ns},
        {"everything but signatures and new keys", all_ns - spent_ns[SIGN] - spent_ns[MAKE]},
    };
    for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
        printf("%-40s %12.1f\n", sums[i].what, (double)sums[i].ns / 1000 / looks);
    }
}

static void forget(void)
{
    memset(spent_ns, 0, sizeof(spent_ns));
    memset(calls, 0, sizeof(calls));
}

static void measure_life(struct world *world, const char *title, sg_time end, uint64_t looks)
{
    forget();
    uint64_t began = work_ns();
    live_until(world, end, looks);
    report(title, work_ns() - began);
}

int main(int argc, char **argv)
{
    struct world world = {.zones = argc > 2 ? (size_t)atol(argv[2]) : ZONES, .now = T0};
    uint64_t looks = argc > 3 ? (uint64_t)atol(argv[3]) : LOOKS;
    snprintf(world.folder, sizeof(world.folder), "%s/bench-keying-XXXXXX",
             argc > 1 ? argv[1] : "/dev/shm");
    if (mkdtemp(world.folder) == NULL || worker_pool_new(0, &world.pool) != SG_OK) {
        die("folder");
    }
    world.file = mem_format("%s/zone", world.folder);
    if (file_write(world.file, 0644,
                   span_of_text("$TTL 3600\n@ SOA ns1 host 1 3600 600 86400 3600\n@ NS ns1\n"
                                "@ MX 10 mail\nns1 A 192.0.2.1\nmail A 192.0.2.2\n"
                                "www A 192.0.2.3\nwww AAAA 2001:db8::1\n")) != SG_OK) {
        die("zone file");
    }
    log_set_threshold(SEVERITY_ERROR);
    learn_cost_of_clock();
    mailbox_init(&world.mailbox, NULL, NULL);
    const struct keeper_io io = {.pool = world.pool, .mailbox = &world.mailbox};
    world.keeper = keeper_new(&io);
    configure(&world);
    measure_life(&world, "all zones begin at once", T0 + 1, UINT64_MAX);
    live_until(&world, T0 + 2 * SG_DAY, UINT64_MAX);
    show_ds(&world);
    live_until(&world, T0 + LIFETIME - SG_DAY, UINT64_MAX);
    measure_life(&world, "ZSKs roll, each zone at its own time", INT64_MAX, looks);
    char *command = mem_format("rm -rf '%s'", world.folder);
    int failed = system(command);
    mem_free(command);
    return failed;
}
