#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "dnssec/keystore.h"
#include "keeper/keeper_parts.h"
#include "keeper/managed_zone.h"
#include "support/table.h"

#define T0          ((sg_time)1767225600)
#define GOOD        "$TTL 60\n@ SOA ns1 host 7 60 60 60 60\n@ NS ns1\nns1 A 192.0.2.1\n"
#define NEWER       "$TTL 60\n@ SOA ns1 host 9 60 60 60 60\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.2\n"
#define SAME_SERIAL "$TTL 60\n@ SOA ns1 host 7 60 60 60 60\n@ NS ns1\nns1 A 192.0.2.3\n"
#define BROKEN      "$TTL 60\n@ SOA ns1 host 8 60 60 60 60\n@ NS ns1\nns1 A 192.0.2.300\n"

/* A keeper whose jobs run at once, in this thread: a pool of no workers. */
struct world {
    char folder[64];
    char *file;
    struct worker_pool *pool;
    struct mailbox mailbox;
    struct keeper *keeper;
    struct kasp_policy *policy;
    size_t loaded, failed, kept, rounds, released;
};

static void count_loaded(void *argument, size_t zones, size_t failed, size_t kept)
{
    struct world *world = argument;
    world->loaded = zones;
    world->failed = failed;
    world->kept = kept;
    world->rounds++;
}

static void release(struct keeper_generation *generation)
{
    struct world *world = generation->owner;
    world->released++;
    mem_free(generation->zones);
    mem_free(generation);
}

static const char *no_folder(const struct keeper_generation *generation, const char *name)
{
    (void)generation;
    (void)name;
    return NULL;
}

static int begin(void **state)
{
    struct world *world = mem_alloc_zero(1, sizeof(*world));
    strcpy(world->folder, "/tmp/signet-keeper-XXXXXX");
    if (mkdtemp(world->folder) == NULL || worker_pool_new(0, &world->pool) != SG_OK) {
        return 1;
    }
    world->file = mem_format("%s/zone", world->folder);
    mailbox_init(&world->mailbox, NULL, NULL);
    struct keeper_io io = {.pool = world->pool,
                           .mailbox = &world->mailbox,
                           .all_loaded = count_loaded,
                           .argument = world};
    world->keeper = keeper_new(&io);
    world->policy = kasp_policy_default();
    *state = world;
    return 0;
}

static void turn(struct world *world, sg_time now)
{
    do {
        keeper_turn(world->keeper, now);
    } while (keeper_jobs(world->keeper) > 0);
}

/* Takes the command. */
static int run_in_shell(char *command)
{
    int failed = system(command);
    mem_free(command);
    return failed;
}

static int end(void **state)
{
    struct world *world = *state;
    keeper_stop(world->keeper);
    turn(world, T0);
    keeper_free(world->keeper);
    epoch_barrier();
    mailbox_clear(&world->mailbox);
    worker_pool_free(world->pool);
    kasp_policy_free(world->policy);
    int failed = run_in_shell(mem_format("rm -rf %s", world->folder));
    mem_free(world->file);
    mem_free(world);
    return failed;
}

static void write_zone(struct world *world, const char *text)
{
    assert_int_equal(file_write(world->file, 0644, span_of_text(text)), SG_OK);
}

/* `zones` zones of the same file: example.test., example0.test. ... */
static void configure(struct world *world, size_t zones, bool is_signed)
{
    struct keeper_generation *generation = mem_alloc_zero(1, sizeof(*generation));
    generation->zones = mem_alloc_zero(zones, sizeof(*generation->zones));
    generation->zones_count = zones;
    generation->key_store_folder = no_folder;
    generation->release = release;
    generation->owner = world;
    for (size_t i = 0; i < zones; i++) {
        char name[64];
        snprintf(name, sizeof(name), "example%zu.test.", i);
        struct zone_settings *settings = &generation->zones[i];
        settings->name = "example";
        settings->view = "_default";
        settings->rrclass = 1;
        settings->file = world->file;
        settings->key_directory = world->folder;
        settings->policy = is_signed ? world->policy : NULL;
        settings->inline_signing = is_signed;
        settings->checks = &zone_check_defaults;
        settings->fingerprint = is_signed;
        assert_int_equal(dns_name_from_text(name, strlen(name), NULL, &settings->apex), SG_OK);
    }
    size_t duplicate;
    assert_int_equal(keeper_configure(world->keeper, generation, T0, &duplicate), SG_OK);
    keeper_front_published(world->keeper);
    turn(world, T0);
}

/* One signed zone from a good file, with which most stories begin. */
static void serve_signed(struct world *world)
{
    write_zone(world, GOOD);
    configure(world, 1, true);
}

static struct zone_status status_of(struct world *world, size_t index)
{
    struct zone_status status;
    managed_zone_status(keeper_zone(world->keeper, index), &status);
    return status;
}

static enum reload_outcome outcome;

static void note_outcome(void *argument, enum reload_outcome ended, const char *text)
{
    (void)argument;
    (void)text;
    outcome = ended;
}

static enum reload_outcome reload(struct world *world)
{
    assert_int_equal(
        keeper_reload(world->keeper, keeper_zone(world->keeper, 0), false, note_outcome, NULL),
        SG_OK);
    outcome = (enum reload_outcome)99;
    turn(world, world->keeper->now > T0 ? world->keeper->now : T0);
    return outcome;
}

static void a_zone_is_loaded_signed_and_published(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    struct zone_status status = status_of(world, 0);
    assert_non_null(status.facts);
    assert_true(status.secure);
    assert_int_equal(status.facts->serial, 7);
    assert_int_equal(world->loaded, 1);
    assert_int_equal(world->failed, 0);
    assert_int_equal(status.key_event_at, T0 + 7500);
    assert_in_range(status.resign_at, T0, T0 + 9 * SG_DAY);
    assert_non_null(status.resign_node);
    assert_non_null(strstr(status.resign_node, "example0.test/"));
}

static void a_broken_file_leaves_the_last_good_version(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    write_zone(world, BROKEN);
    assert_int_equal(reload(world), RELOAD_FAILED);
    assert_int_equal(status_of(world, 0).facts->serial, 7);
    assert_non_null(status_of(world, 0).problem);
    write_zone(world, NEWER);
    assert_int_equal(reload(world), RELOAD_STARTED);
    assert_int_equal(status_of(world, 0).facts->serial, 9);
    assert_null(status_of(world, 0).problem);
    assert_int_equal(reload(world), RELOAD_UP_TO_DATE);
}

static void a_reload_of_all_ends_when_the_last_zone_was_tried(void **state)
{
    struct world *world = *state;
    write_zone(world, GOOD);
    configure(world, 3, false);
    assert_int_equal(world->rounds, 1);
    write_zone(world, BROKEN);
    keeper_reload_all(world->keeper);
    assert_int_equal(world->rounds, 1);
    turn(world, T0);
    assert_int_equal(world->rounds, 2);
    assert_int_equal(world->failed, 0);
    assert_int_equal(world->kept, 3);
    keeper_reload_all(world->keeper);
    write_zone(world, NEWER);
    turn(world, T0);
    assert_int_equal(world->rounds, 3);
    assert_int_equal(world->failed, 0);
    turn(world, T0);
    assert_int_equal(world->rounds, 3);
}

static void the_signed_serial_rises_where_the_files_did_not(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    write_zone(world, SAME_SERIAL);
    assert_int_equal(reload(world), RELOAD_STARTED);
    assert_int_equal(status_of(world, 0).facts->serial, 8);
    assert_int_equal(status_of(world, 0).facts->source_serial, 7);
}

static void signatures_are_made_anew_before_they_expire(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    turn(world, T0 + 86700);                             /* CDS and CDNSKEY appear: signed anew */
    uint32_t serial = status_of(world, 0).facts->serial; /* it may have been a name's turn, too */
    assert_in_range(serial, 8, 10);
    sg_time due = status_of(world, 0).resign_at;
    sg_time expires = status_of(world, 0).expires_first;
    turn(world, due - 1);
    assert_int_equal(status_of(world, 0).facts->serial, serial);
    turn(world, due);
    assert_int_equal(status_of(world, 0).facts->serial, serial + 1);
    assert_true(status_of(world, 0).expires_first > expires);
}

static void a_reload_without_change_does_not_swallow_other_wishes(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    struct managed_zone *zone = keeper_zone(world->keeper, 0);
    assert_int_equal(keeper_reload(world->keeper, zone, false, NULL, NULL), SG_OK);
    assert_int_equal(keeper_loadkeys(world->keeper, zone, true), SG_OK);
    turn(world, T0);
    assert_int_equal(status_of(world, 0).facts->serial, 8);
}

static void a_broken_file_does_not_stop_signing(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    turn(world, T0 + 86700);
    sg_time due = status_of(world, 0).resign_at;
    sg_time expires = status_of(world, 0).expires_first;
    write_zone(world, BROKEN);
    assert_int_equal(reload(world), RELOAD_FAILED);
    assert_int_equal(status_of(world, 0).resign_at, due);
    turn(world, T0 + 87000);
    turn(world, due);
    assert_true(status_of(world, 0).expires_first > expires);
}

static void signing_that_failed_is_tried_until_it_succeeds(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    turn(world, T0 + 86700);
    sg_time due = status_of(world, 0).resign_at;
    sg_time expires = status_of(world, 0).expires_first;
    char *away = mem_format("%s.away", world->folder);
    assert_int_equal(rename(world->folder, away), 0);
    assert_int_equal(file_write(world->folder, 0644, span_of_text("")), SG_OK);
    turn(world, due);
    assert_non_null(status_of(world, 0).problem);
    assert_int_equal(status_of(world, 0).resign_at, due + 300);
    turn(world, due + 300);
    assert_int_equal(status_of(world, 0).resign_at, due + 600);
    assert_int_equal(unlink(world->folder), 0);
    assert_int_equal(rename(away, world->folder), 0);
    mem_free(away);
    turn(world, due + 600);
    assert_null(status_of(world, 0).problem);
    assert_true(status_of(world, 0).expires_first > expires);
}

static void count_warnings(void *argument, enum log_category category, int severity,
                           const char *line)
{
    int *counts = argument; /* warnings, then critical lines */
    if (category == LOG_DNSSEC && strstr(line, "not made anew") != NULL) {
        counts[severity == SEVERITY_CRITICAL]++;
    }
}

static void signatures_that_are_overdue_are_told_each_day(void **state)
{
    struct world *world = *state;
    int counts[2] = {0, 0};
    serve_signed(world);
    turn(world, T0 + 86700);
    struct zone_status status = status_of(world, 0);
    sg_time expires = status.expires_first;
    sg_time overdue = status.overdue_at;
    assert_int_equal(overdue, status.resign_at + 3600);
    char *away = mem_format("%s.away", world->folder);
    assert_int_equal(rename(world->folder, away), 0);
    assert_int_equal(file_write(world->folder, 0644, span_of_text("")), SG_OK);
    log_set_sink(count_warnings, counts);
    for (sg_time now = status.resign_at; now < expires + 86400; now += 1800) {
        turn(world, now);
        if (now < overdue) {
            assert_int_equal(counts[0], 0);
        }
    }
    log_set_sink(NULL, NULL);
    int days = (int)((expires - overdue) / 86400);
    assert_in_range(counts[0], days, days + 1);
    assert_int_equal(counts[1], 1);
    assert_int_equal(unlink(world->folder), 0);
    assert_int_equal(rename(away, world->folder), 0);
    mem_free(away);
    turn(world, expires + 86400 + 300);
    assert_true(status_of(world, 0).overdue_at > expires + 86400 + 300);
}

static size_t count_keys(struct world *world)
{
    struct key_list list;
    struct dns_name zone;
    assert_int_equal(dns_name_from_text("example0.test.", 14, NULL, &zone), SG_OK);
    assert_int_equal(keystore_list(world->folder, &zone, NULL, NULL, &list), SG_OK);
    size_t count = list.count;
    key_list_clear(&list);
    return count;
}

/* The parent's DS speaks of the key that is gone: a new one would make the zone bogus. */
static void a_served_key_whose_files_are_gone_is_not_replaced(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    assert_int_equal(count_keys(world), 1);
    const char *folder = world->folder;
    assert_int_equal(
        run_in_shell(mem_format("mkdir %s/kept && mv %s/K* %s/kept", folder, folder, folder)), 0);
    write_zone(world, NEWER);
    assert_int_equal(reload(world), RELOAD_FAILED);
    assert_int_equal(keeper_loadkeys(world->keeper, keeper_zone(world->keeper, 0), false), SG_OK);
    turn(world, T0);
    assert_non_null(status_of(world, 0).problem);
    assert_int_equal(count_keys(world), 0);
    assert_int_equal(status_of(world, 0).facts->serial, 7);

    assert_int_equal(run_in_shell(mem_format("mv %s/kept/K* %s", folder, folder)), 0);
    assert_int_equal(keeper_reload(world->keeper, keeper_zone(world->keeper, 0), true, NULL, NULL),
                     SG_OK);
    turn(world, T0);
    assert_null(status_of(world, 0).problem);
    assert_int_equal(count_keys(world), 1);
    assert_int_equal(status_of(world, 0).facts->serial, 9);
}

static void a_broken_file_of_an_unsigned_zone_waits_for_a_reload(void **state)
{
    struct world *world = *state;
    write_zone(world, GOOD);
    configure(world, 1, false);
    write_zone(world, BROKEN);
    assert_int_equal(reload(world), RELOAD_FAILED);
    turn(world, T0 + 301);
    assert_int_equal(keeper_turn(world->keeper, T0 + 301), INT64_MAX);
    assert_int_equal(status_of(world, 0).facts->serial, 7);
}

static void a_zone_that_goes_is_whole_for_requests_under_way(void **state)
{
    struct world *world = *state;
    write_zone(world, GOOD);
    configure(world, 2, false);
    const struct zone_slot *slot = managed_zone_settings(keeper_zone(world->keeper, 1))->slot;
    const struct zone_version *version = slot->version;
    assert_non_null(version);
    epoch_join();
    configure(world, 1, false);
    assert_ptr_equal(slot->version, version);
    epoch_leave();
}

/* However much jitter: each of its two names has its turn anywhere in an interval, and then after
 * half of one or more. Else the zone would be signed again as soon as it is, and its serial race.
 */
static void count_changes(struct world *world)
{
    const struct kasp_policy *policy = world->policy;
    sg_duration interval = policy->signatures_validity - policy->signatures_refresh;
    write_zone(world, GOOD);
    configure(world, 8, true);
    sg_time now = T0;
    while (now < T0 + interval) {
        turn(world, now);
        sg_time next = keeper_turn(world->keeper, now);
        now = next > now ? next : now + 1;
    }
    for (size_t i = 0; i < 8; i++) { /* three turns of two names; keys */
        assert_in_range(status_of(world, i).facts->serial, 7, 7 + 2 * 3 + 3);
    }
}

static void signatures_are_not_due_when_they_are_made(void **state)
{
    struct world *world = *state;
    world->policy->signatures_refresh = 12 * SG_DAY;
    world->policy->signatures_jitter = 14 * SG_DAY;
    count_changes(world);
}

static void short_signatures_are_not_due_when_they_are_made(void **state)
{
    struct world *world = *state;
    world->policy->signatures_validity = 2 * SG_HOUR;
    world->policy->signatures_validity_dnskey = 2 * SG_HOUR;
    world->policy->signatures_refresh = SG_HOUR;
    count_changes(world);
}

static void a_missing_file_fails_its_zone_alone(void **state)
{
    struct world *world = *state;
    configure(world, 1, false);
    assert_null(status_of(world, 0).facts);
    assert_int_equal(world->failed, 1);
    write_zone(world, GOOD);
    assert_int_equal(reload(world), RELOAD_STARTED);
    assert_non_null(status_of(world, 0).facts);
}

static void zones_come_stay_and_go_with_the_configuration(void **state)
{
    struct world *world = *state;
    write_zone(world, GOOD);
    configure(world, 3, false);
    const struct zone_slot *slot = managed_zone_settings(keeper_zone(world->keeper, 0))->slot;
    const struct zone_version *version = slot->version;
    assert_non_null(version);
    configure(world, 1, false);
    assert_int_equal(keeper_zones(world->keeper), 1);
    assert_ptr_equal(managed_zone_settings(keeper_zone(world->keeper, 0))->slot, slot);
    assert_ptr_equal(slot->version, version);
    epoch_barrier();
    assert_int_equal(world->released, 1);
    configure(world, 200, true);
    assert_int_equal(world->failed, 0);
    assert_true(status_of(world, 199).secure);
}

static void the_same_zone_twice_is_refused_whole(void **state)
{
    struct world *world = *state;
    struct keeper_generation generation = {0};
    struct zone_settings zones[2] = {{.view = "v", .rrclass = 1}, {.view = "v", .rrclass = 1}};
    zones[0].apex = zones[1].apex = dns_name_root;
    generation.zones = zones;
    generation.zones_count = 2;
    size_t duplicate = 0;
    assert_int_equal(keeper_configure(world->keeper, &generation, T0, &duplicate), SG_EXISTS);
    assert_int_equal(duplicate, 1);
    assert_int_equal(keeper_zones(world->keeper), 0);
}

static void a_zone_without_a_file_is_not_served_and_says_why(void **state)
{
    struct world *world = *state;
    char *file = world->file;
    world->file = NULL;
    configure(world, 1, false);
    world->file = file;
    assert_null(status_of(world, 0).facts);
    assert_non_null(strstr(status_of(world, 0).problem, "no file"));
}

/* How many keys does the zone have? One whose file is broken does not count. */
static size_t keys_of(struct world *world, const char *name)
{
    struct dns_name zone;
    struct key_list list;
    assert_int_equal(dns_name_from_text(name, strlen(name), NULL, &zone), SG_OK);
    enum sg_result result = keystore_list(world->folder, &zone, NULL, NULL, &list);
    assert_true(result == SG_OK || result == SG_BAD_KEY);
    size_t count = list.count;
    key_list_clear(&list);
    return count;
}

static void keys_of_many_zones_are_made_at_once_and_each_once(void **state)
{
    struct world *world = *state;
    enum { ZONES = 30 };
    write_zone(world, GOOD);
    configure(world, ZONES, true);
    assert_int_equal(world->failed, 0);
    keeper_reload_all(world->keeper);
    turn(world, T0 + SG_DAY);
    for (size_t i = 0; i < ZONES; i++) {
        char name[64];
        snprintf(name, sizeof(name), "example%zu.test.", i);
        assert_int_equal(keys_of(world, name), 1);
        assert_true(status_of(world, i).secure);
    }
}

static void a_broken_key_stops_its_own_zone_alone(void **state)
{
    struct world *world = *state;
    char *path = mem_format("%s/Kexample1.test.+013+00001.private", world->folder);
    assert_int_equal(file_write(path, 0600, span_of_text("nonsense")), SG_OK);
    mem_free(path);
    write_zone(world, GOOD);
    configure(world, 3, true);
    assert_int_equal(world->failed, 1);
    assert_true(status_of(world, 0).secure);
    assert_null(status_of(world, 1).facts);
    assert_non_null(strstr(status_of(world, 1).problem,
                           "Kexample1.test.+013+00001: there is a .private but no "
                           ".key file; mend it, or move it away"));
    assert_true(status_of(world, 2).secure);
    assert_int_equal(keys_of(world, "example1.test."), 0);
}

static void a_lost_private_key_is_not_replaced(void **state)
{
    struct world *world = *state;
    char *path = mem_format("%s/Kexample0.test.+013+04711.state", world->folder);
    write_zone(world, GOOD);
    assert_int_equal(file_write(path, 0644, span_of_text("; state\n")), SG_OK);
    configure(world, 1, true);
    assert_null(status_of(world, 0).facts);
    assert_non_null(strstr(status_of(world, 0).problem, "Kexample0.test.+013+04711"));
    mem_free(path);
}

static void a_failed_reload_names_the_first_error(void **state)
{
    struct world *world = *state;
    serve_signed(world);
    write_zone(world, BROKEN);
    assert_int_equal(reload(world), RELOAD_FAILED);
    assert_non_null(strstr(status_of(world, 0).problem, "/zone:4: "));
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(a_zone_is_loaded_signed_and_published),
        WITH_WORLD(a_broken_file_leaves_the_last_good_version),
        WITH_WORLD(a_reload_of_all_ends_when_the_last_zone_was_tried),
        WITH_WORLD(the_signed_serial_rises_where_the_files_did_not),
        WITH_WORLD(signatures_are_made_anew_before_they_expire),
        WITH_WORLD(a_reload_without_change_does_not_swallow_other_wishes),
        WITH_WORLD(a_broken_file_does_not_stop_signing),
        WITH_WORLD(signing_that_failed_is_tried_until_it_succeeds),
        WITH_WORLD(signatures_that_are_overdue_are_told_each_day),
        WITH_WORLD(a_served_key_whose_files_are_gone_is_not_replaced),
        WITH_WORLD(a_broken_file_of_an_unsigned_zone_waits_for_a_reload),
        WITH_WORLD(a_zone_that_goes_is_whole_for_requests_under_way),
        WITH_WORLD(signatures_are_not_due_when_they_are_made),
        WITH_WORLD(short_signatures_are_not_due_when_they_are_made),
        WITH_WORLD(a_missing_file_fails_its_zone_alone),
        WITH_WORLD(zones_come_stay_and_go_with_the_configuration),
        WITH_WORLD(a_zone_without_a_file_is_not_served_and_says_why),
        WITH_WORLD(keys_of_many_zones_are_made_at_once_and_each_once),
        WITH_WORLD(a_broken_key_stops_its_own_zone_alone),
        WITH_WORLD(a_lost_private_key_is_not_replaced),
        WITH_WORLD(a_failed_reload_names_the_first_error),
        WITH_WORLD(the_same_zone_twice_is_refused_whole),
    };
    return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
