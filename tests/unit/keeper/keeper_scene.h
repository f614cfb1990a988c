/*
 * A keeper whose jobs run at once, in this thread, over a store on a disk in memory, with a fake
 * network: what it asks is written down, and answered when the test says so. One turn takes replies
 * and starts jobs, so that a test can look between the steps of a change.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "dns/reply.h"
#include "dns/rrtype.h"
#include "keeper/keeper_parts.h"
#include "keeper/scene_question.h"
#include "keeper/secondary.h"
#include "support/fake_disk.h"
#include "support/table.h"

#define T0 ((sg_time)1767225600)

enum { SCENE_ZONES_MAX = 4, SCENE_QUESTIONS_MAX = 16, SCENE_TURNS_MAX = 200 };
/* As the validity of signatures: none is due to be made anew within days of the first. */
enum { SCENE_LONG_VALIDITY = 4000 * SG_DAY };

/* A program that the keeper had run; it ends when the test says so. */
struct scene_program {
    unsigned runs;
    bool out, full; /* full: no more are taken */
    char *words, *environment, *input;
    keeper_hear_end *hear;
    void *argument;
};

struct keeper_scene {
    char folder[64];
    char *file;
    struct worker_pool *pool;
    struct mailbox mailbox, commits;
    struct fake_disk *disk;
    struct store *store;
    struct keeper *keeper;
    struct kasp_policy *policy;
    struct zone_settings plan[SCENE_ZONES_MAX]; /* what the next configuration says */
    size_t zones;
    unsigned transfers_in; /* 0: enough */
    uint32_t update_quota; /* 0: none */
    bool storeless;        /* scene_start() finds that the store cannot be opened */
    sg_time now;
    sg_duration skew; /* how far the clock has been set since the machine's start */
    struct scene_question questions[SCENE_QUESTIONS_MAX];
    size_t questions_count; /* ever asked */
    struct refresh_primary primary;
    struct refresh_settings refresh;
    struct zone_notify_settings notify;
    struct scene_program program;
};

/* --- programs -------------------------------------------------------------------------------- */

static inline char *scene_join(const char *const *words)
{
    struct buffer text = BUFFER_EMPTY;
    for (size_t i = 0; words[i] != NULL; i++) {
        buffer_format(&text, "%s%s", i > 0 ? " " : "", words[i]);
    }
    char *joined = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return joined;
}

static inline void scene_forget_program(struct scene_program *program)
{
    mem_free(program->words);
    mem_free(program->environment);
    mem_free(program->input);
    program->words = program->environment = program->input = NULL;
}

static inline enum sg_result scene_run(void *argument, const struct keeper_program *wanted,
                                       keeper_hear_end *hear, void *hear_argument,
                                       void **out_running)
{
    struct keeper_scene *scene = argument;
    struct scene_program *program = &scene->program;
    if (program->full) {
        return SG_LIMIT;
    }
    assert_false(program->out);
    scene_forget_program(program);
    program->runs++;
    program->out = true;
    program->words = scene_join(wanted->words);
    program->environment = scene_join(wanted->environment);
    program->input =
        mem_format("%.*s", (int)wanted->input.length, (const char *)wanted->input.bytes);
    program->hear = hear;
    program->argument = hear_argument;
    *out_running = program;
    return SG_OK;
}

static inline void scene_kill(void *argument, void *running)
{
    struct scene_program *program = running;
    (void)argument;
    assert_true(program->out);
    program->out = false;
}

static inline void scene_end_program(struct keeper_scene *scene, int status, const char *output)
{
    const struct keeper_ran ran = {
        .result = SG_OK, .status = status, .output = span_of_text(output)};
    assert_true(scene->program.out);
    scene->program.out = false;
    scene->program.hear(scene->program.argument, &ran);
}

/* --- network -------------------------------------------------------------------------------- */

static inline void *scene_ask(void *argument, const struct keeper_question *asked,
                              keeper_hear *hear, void *hear_argument)
{
    struct keeper_scene *scene = argument;
    assert_true(scene->questions_count < SCENE_QUESTIONS_MAX);
    struct scene_question *question = &scene->questions[scene->questions_count++];
    *question = (struct scene_question){.out = true,
                                        .kind = asked->kind,
                                        .hear = hear,
                                        .argument = hear_argument,
                                        .remote = *asked->remote,
                                        .message = BUFFER_EMPTY};
    buffer_append(&question->message, asked->message.bytes, asked->message.length);
    return question;
}

/* The last question of this kind that was asked, if it is still out. */
static inline struct scene_question *scene_asked(struct keeper_scene *scene,
                                                 enum keeper_question_kind kind)
{
    size_t i = scene->questions_count;
    while (i > 0 && scene->questions[i - 1].kind != kind) {
        i--;
    }
    return i > 0 && scene->questions[i - 1].out ? &scene->questions[i - 1] : NULL;
}

static inline void scene_answer_soa(struct keeper_scene *scene, uint32_t serial)
{
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_SOA);
    struct buffer message = BUFFER_EMPTY;
    assert_non_null(question);
    scene_reply(question, 1, &message);
    scene_append_soa(&message, serial);
    scene_hear(question, SG_OK, buffer_span(&message));
    buffer_free(&message);
}

/* The whole zone: SOA, NS, an A record, SOA. */
static inline void scene_answer_transfer(struct keeper_scene *scene, uint32_t serial)
{
    static const uint8_t address[4] = {192, 0, 2, 7};
    static const uint8_t root[1] = {0};
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    struct buffer message = BUFFER_EMPTY;
    assert_non_null(question);
    scene_reply(question, 4, &message);
    scene_append_soa(&message, serial);
    scene_append_record(&message, DNS_TYPE_NS, (struct span){root, 1});
    scene_append_record(&message, DNS_TYPE_A, (struct span){address, 4});
    scene_append_soa(&message, serial);
    scene_hear(question, SG_OK, buffer_span(&message));
    buffer_free(&message);
}

/* --- keeper --------------------------------------------------------------------------------- */

static inline void scene_release(struct keeper_generation *generation)
{
    /* Whoever still looks at it shall stumble. */
    struct remote *also = generation->owner;
    mem_free(also);
    mem_free(generation->zones);
    mem_free(generation);
}

/* A key-store has the name of its folder. */
static inline const char *scene_store_folder(const struct keeper_generation *generation,
                                             const char *name)
{
    (void)generation;
    return name[0] == '/' ? name : NULL;
}

static inline void scene_store_changed(void *argument, enum sg_result result)
{
    (void)argument, (void)result;
}

static inline sg_time scene_uptime(void *argument)
{
    const struct keeper_scene *scene = argument;
    return scene->now - scene->skew;
}

static inline void scene_start(struct keeper_scene *scene)
{
    mailbox_init(&scene->mailbox, NULL, NULL);
    mailbox_init(&scene->commits, NULL, NULL);
    scene->store = NULL;
    if (!scene->storeless) {
        struct store_io io = fake_disk_io(scene->disk);
        assert_int_equal(store_new(&io, false, scene_store_changed, NULL, &scene->store), SG_OK);
    }
    const struct keeper_io keeper = {
        .pool = scene->pool,
        .mailbox = &scene->mailbox,
        .store = scene->store,
        .commits = &scene->commits,
        .uptime = scene_uptime,
        .asker = {.ask = scene_ask, .cancel = scene_cancel, .argument = scene},
        .runner = {scene_run, scene_kill, scene},
        .argument = scene};
    scene->keeper = keeper_new(&keeper);
    if (scene->storeless) {
        keeper_miss_store(scene->keeper, "not mounted");
    }
}

/* It can be opened after all. */
static inline void scene_take_store(struct keeper_scene *scene)
{
    struct store_io io = fake_disk_io(scene->disk);
    scene->storeless = false;
    assert_int_equal(store_new(&io, false, scene_store_changed, NULL, &scene->store), SG_OK);
    keeper_take_store(scene->keeper, scene->store);
}

/* What the store has just told of a zone cannot be built for once: its image cannot be opened. */
static inline void scene_lack_image(struct keeper_scene *scene)
{
    struct letter *letter = mailbox_take(&scene->commits);
    assert_non_null(letter);
    ((struct store_request *)letter)->opened->has_image = false;
    (void)mailbox_send(&scene->commits, letter);
}

static inline void scene_turn_once(struct keeper_scene *scene)
{
    (void)keeper_turn(scene->keeper, scene->now);
}

/* Until nothing is to be done at once; more turns than anything needs are a loop. */
static inline void scene_turn(struct keeper_scene *scene)
{
    size_t turns = 0;
    sg_time wake;
    do {
        wake = keeper_turn(scene->keeper, scene->now);
        assert_true(turns++ < SCENE_TURNS_MAX);
    } while (keeper_jobs(scene->keeper) > 0 || wake <= scene->now);
}

static inline void scene_pass(struct keeper_scene *scene, sg_duration seconds)
{
    scene->now += seconds;
    scene_turn(scene);
}

/* Somebody sets the clock. */
static inline void scene_set_clock(struct keeper_scene *scene, sg_duration step)
{
    scene->now += step;
    scene->skew += step;
    scene_turn(scene);
}

static inline void scene_stop(struct keeper_scene *scene)
{
    size_t turns = 0;
    keeper_stop(scene->keeper);
    do {
        (void)keeper_turn(scene->keeper, scene->now);
        assert_true(turns++ < SCENE_TURNS_MAX);
    } while (!keeper_is_idle(scene->keeper));
    keeper_free(scene->keeper);
    epoch_barrier();
    store_free(scene->store);
    mailbox_clear(&scene->mailbox);
    mailbox_clear(&scene->commits);
    for (size_t i = 0; i < scene->questions_count; i++) {
        buffer_free(&scene->questions[i].message);
    }
    scene->questions_count = 0;
}

/* Take the plan as a new configuration, without a turn. */
static inline void scene_configure_only(struct keeper_scene *scene)
{
    struct keeper_generation *generation = mem_alloc_zero(1, sizeof(*generation));
    generation->zones = mem_copy(scene->plan, sizeof(scene->plan));
    generation->zones_count = scene->zones;
    generation->key_store_folder = scene_store_folder;
    generation->release = scene_release;
    generation->rates.notify = generation->rates.startup_notify = 20;
    generation->rates.serial_query = 20;
    generation->rates.transfers_in = scene->transfers_in != 0 ? scene->transfers_in : 10;
    generation->rates.transfers_per_server = 10;
    generation->rates.updates = scene->update_quota;
    size_t duplicate;
    assert_int_equal(keeper_configure(scene->keeper, generation, scene->now, &duplicate), SG_OK);
    keeper_front_published(scene->keeper);
}

static inline void scene_configure(struct keeper_scene *scene)
{
    scene_configure_only(scene);
    scene_turn(scene);
}

static inline void scene_restart(struct keeper_scene *scene)
{
    scene_stop(scene);
    scene_start(scene);
    scene_configure(scene);
}

/* What differs between two configurations; a change of it makes the keeper look again. */
static inline void scene_differ(struct keeper_scene *scene)
{
    for (size_t i = 0; i < SCENE_ZONES_MAX; i++) {
        scene->plan[i].fingerprint++;
    }
}

static inline int scene_begin(void **state)
{
    static const char *const views[SCENE_ZONES_MAX] = {"inside", "outside", "third", "fourth"};
    struct keeper_scene *scene = mem_alloc_zero(1, sizeof(*scene));
    strcpy(scene->folder, "/tmp/signet-keeper-XXXXXX");
    if (mkdtemp(scene->folder) == NULL || worker_pool_new(0, &scene->pool) != SG_OK) {
        return 1;
    }
    scene->file = mem_format("%s/zone", scene->folder);
    scene->disk = fake_disk_new();
    scene->policy = kasp_policy_default();
    scene->now = T0;
    scene->zones = 1;
    scene->primary.remote =
        (struct remote){.address = {192, 0, 2, 1}, .address_length = 4, .port = 53};
    scene->refresh = (struct refresh_settings){
        .primaries = &scene->primary,
        .primaries_count = 1,
        .bounds = {1, 1000000, 1, 1000000},
    };
    for (size_t i = 0; i < SCENE_ZONES_MAX; i++) {
        struct zone_settings *plan = &scene->plan[i];
        plan->name = "example.test";
        plan->view = views[i];
        plan->rrclass = 1;
        plan->file = scene->file;
        plan->key_directory = scene->folder;
        plan->checks = &zone_check_defaults;
        plan->fingerprint = 1;
        if (dns_name_from_text("example.test.", 13, NULL, &plan->apex) != SG_OK) {
            return 1;
        }
    }
    scene_start(scene);
    *state = scene;
    return 0;
}

static inline int scene_end(void **state)
{
    struct keeper_scene *scene = *state;
    scene_stop(scene);
    worker_pool_free(scene->pool);
    kasp_policy_free(scene->policy);
    fake_disk_free(scene->disk);
    char *command = mem_format("rm -rf %s", scene->folder);
    int failed = system(command);
    mem_free(command);
    scene_forget_program(&scene->program);
    mem_free(scene->file);
    mem_free(scene);
    return failed;
}

/* --- what a test says ------------------------------------------------------------------------ */

static inline struct managed_zone *scene_zone(struct keeper_scene *scene)
{
    return keeper_zone(scene->keeper, 0);
}

static inline struct zone_status scene_status(struct keeper_scene *scene)
{
    struct zone_status status;
    managed_zone_status(scene_zone(scene), &status);
    return status;
}

/* What is served; 0: nothing. */
static inline uint32_t scene_serial(struct keeper_scene *scene)
{
    const struct zone_facts *facts = scene_status(scene).facts;
    return facts == NULL ? 0 : facts->serial;
}

static inline bool scene_serves(struct keeper_scene *scene, const char *text, uint16_t type)
{
    const struct zone_version *version = scene_zone(scene)->slot->version;
    struct dns_name name;
    struct dns_rrset rrset;
    struct zone_node node;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return version != NULL && zone_version_node(version, &name, &node) &&
           zone_node_rrset(&node, ZONE_VIEW_SIGNED, type, &rrset);
}

/* A zone file with this serial, and with an A record at `www` or not. */
static inline void scene_write_file(struct keeper_scene *scene, unsigned serial, bool www)
{
    char *text = mem_format("$TTL 60\n@ SOA ns1 host %u 3600 600 86400 60\n@ NS ns1\n"
                            "ns1 A 192.0.2.1\n%s",
                            serial, www ? "www A 192.0.2.2\n" : "");
    assert_int_equal(file_write(scene->file, 0644, span_of_text(text)), SG_OK);
    mem_free(text);
}

static inline void scene_be_secondary(struct keeper_scene *scene)
{
    scene->plan[0].type = ZONE_SECONDARY;
    scene->plan[0].file = NULL;
    scene->plan[0].dynamic = false;
    scene->plan[0].refresh = &scene->refresh;
}

/* Configured, asked, fetched, served. */
static inline void scene_fetch(struct keeper_scene *scene, uint32_t serial)
{
    scene_be_secondary(scene);
    scene_configure(scene);
    scene_answer_soa(scene, serial);
    scene_turn(scene);
    scene_answer_transfer(scene, serial);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial);
}

/* Every write fails, until fake_disk_heal(). */
static inline void scene_break_disk(struct keeper_scene *scene)
{
    fake_disk_set_fault(scene->disk,
                        &(struct fake_disk_fault){.at = 1, .result = SG_NO_SPACE, .goes_on = true});
}

/* --- updates -------------------------------------------------------------------------------- */

struct scene_update {
    struct keeper_update update;
    int *rcode; /* -1 until it is answered */
};

static inline void scene_update_done(struct keeper_update *update)
{
    struct scene_update *mine = (struct scene_update *)update;
    *mine->rcode = update->rcode;
    buffer_free(&update->wire);
    mem_free(update);
}

/* An update of the zone with so many prerequisites and changes; scene_append_rr() appends them. */
static inline struct scene_update *scene_update_new(const struct keeper_scene *scene, size_t zone,
                                                    uint16_t prerequisites, uint16_t changes)
{
    struct scene_update *mine = mem_alloc_zero(1, sizeof(*mine));
    struct buffer *wire = &mine->update.wire;
    const struct dns_name *apex = &scene->plan[zone].apex;
    *wire = BUFFER_EMPTY;
    buffer_append_u16(wire, 1);
    buffer_append_u16(wire, 5 << 11);
    buffer_append_u16(wire, 1);
    buffer_append_u16(wire, prerequisites);
    buffer_append_u16(wire, changes);
    buffer_append_u16(wire, 0);
    buffer_append(wire, apex->wire, apex->length);
    buffer_append_u16(wire, DNS_TYPE_SOA);
    buffer_append_u16(wire, 1);
    return mine;
}

/* Of `label`, in the zone; "" is its apex. */
static inline void scene_append_rr(struct scene_update *mine, const char *label, uint16_t type,
                                   uint16_t rrclass, uint32_t ttl, struct span rdata)
{
    struct buffer *wire = &mine->update.wire;
    if (*label != '\0') {
        buffer_append_u8(wire, (uint8_t)strlen(label));
        buffer_append(wire, label, strlen(label));
    }
    buffer_append_u16(wire, 0xc000 | DNS_HEADER_BYTES); /* the apex in the zone section */
    buffer_append_u16(wire, type);
    buffer_append_u16(wire, rrclass);
    buffer_append_u32(wire, ttl);
    buffer_append_u16(wire, (uint16_t)rdata.length);
    buffer_append(wire, rdata.bytes, rdata.length);
}

static inline void scene_send_update(struct keeper_scene *scene, size_t zone,
                                     struct scene_update *mine, int *out_rcode)
{
    struct keeper_update *update = &mine->update;
    assert_int_equal(dns_message_parse(buffer_span(&update->wire), &update->message), SG_OK);
    update->client = (char *)(uintptr_t) "client";
    update->done = scene_update_done;
    mine->rcode = out_rcode;
    *out_rcode = -1;
    keeper_update(scene->keeper, keeper_zone(scene->keeper, zone), update);
}

/* `label`.example.test. A 192.0.2.9 is to be added. */
static inline void scene_update_zone(struct keeper_scene *scene, size_t zone, const char *label,
                                     int *out_rcode)
{
    static const uint8_t address[] = {192, 0, 2, 9};
    struct scene_update *mine = scene_update_new(scene, zone, 0, 1);
    scene_append_rr(mine, label, DNS_TYPE_A, 1, 60, (struct span){address, sizeof(address)});
    scene_send_update(scene, zone, mine, out_rcode);
}

static inline void scene_update(struct keeper_scene *scene, const char *label, int *out_rcode)
{
    scene_update_zone(scene, 0, label, out_rcode);
}

static inline int scene_update_now(struct keeper_scene *scene, const char *label)
{
    int rcode;
    scene_update(scene, label, &rcode);
    scene_turn(scene);
    return rcode;
}

/* A dynamic zone, unsigned, loaded from its file. */
static inline void scene_serve_dynamic(struct keeper_scene *scene)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].dynamic = true;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
}

/* --- commands ------------------------------------------------------------------------------- */

/* What a command's end was; -1: not told yet. */
static inline void scene_note(void *argument, enum reload_outcome outcome, const char *text)
{
    (void)text;
    *(int *)argument = (int)outcome;
}
