#include "keeper/keeper_scene.h"
#include "keeper/keying.h"
#include "keeper/overtake.h"

static void serve_signed(struct keeper_scene *scene, bool dynamic)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->plan[0].dynamic = dynamic;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_true(scene_status(scene).secure);
}

static void updates_that_wait_are_refused_when_the_zone_takes_none_any_more(void **state)
{
    struct keeper_scene *scene = *state;
    int under_way, waits;
    scene_serve_dynamic(scene);
    scene_update(scene, "first", &under_way);
    scene_turn_once(scene);
    scene_update(scene, "second", &waits);
    scene_be_secondary(scene);
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(under_way, DNS_RCODE_NOERROR);
    assert_int_equal(waits, DNS_RCODE_REFUSED);
    assert_false(scene_serves(scene, "second.example.test.", DNS_TYPE_A));
}

/* Who may update has changed: nobody has asked the new rules yet. */
static void updates_that_wait_are_refused_when_others_may_update(void **state)
{
    struct keeper_scene *scene = *state;
    int under_way, waits;
    scene_serve_dynamic(scene);
    scene_update(scene, "first", &under_way);
    scene_turn_once(scene);
    scene_update(scene, "second", &waits);
    scene->plan[0].updates_fingerprint++;
    scene_configure(scene);
    assert_int_equal(under_way, DNS_RCODE_NOERROR);
    assert_int_equal(waits, DNS_RCODE_REFUSED);
    assert_false(scene_serves(scene, "second.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "third"), DNS_RCODE_NOERROR);
}

static void updates_that_wait_outlive_a_reload_that_does_not_concern_them(void **state)
{
    struct keeper_scene *scene = *state;
    int under_way, waits;
    scene_serve_dynamic(scene);
    scene_update(scene, "first", &under_way);
    scene_turn_once(scene);
    scene_update(scene, "second", &waits);
    scene_configure(scene);
    assert_int_equal(under_way, DNS_RCODE_NOERROR);
    assert_int_equal(waits, DNS_RCODE_NOERROR);
}

static void updates_are_answered_servfail_when_the_disk_is_full_and_leave_no_trace(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    scene_break_disk(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_SERVFAIL);
    assert_int_equal(scene_serial(scene), 7);
    assert_false(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    fake_disk_heal(scene->disk);
    scene_pass(scene, 3600);
    /* Without its thread the store learns by a write that it works again. */
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_serial(scene), 8);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_false(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_true(scene_serves(scene, "newer.example.test.", DNS_TYPE_A));
}

static void updates_are_answered_when_the_server_ends(void **state)
{
    struct keeper_scene *scene = *state;
    int first, second;
    scene_serve_dynamic(scene);
    scene_update(scene, "first", &first);
    scene_turn_once(scene);
    scene_update(scene, "second", &second);
    scene_stop(scene);
    assert_int_equal(first, DNS_RCODE_SERVFAIL);
    assert_int_equal(second, DNS_RCODE_SERVFAIL);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
}

/* Secondaries have the higher serial: a first try that fails must not make it forgotten. */
static void
a_lost_record_is_replaced_above_its_serial_even_if_the_file_is_broken_first(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
        scene_turn(scene);
    }
    assert_int_equal(scene_serial(scene), 10);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 300);
    assert_int_equal(file_write(scene->file, 0644, span_of_text("broken")), SG_OK);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_write_file(scene, 7, false);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 11);
}

static void a_campaign_ends_with_the_policy(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    scene_zone(scene)->known.state.campaign = true;
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_false(scene_status(scene).secure);
    assert_false(scene_zone(scene)->known.state.campaign);
    assert_int_equal(scene_status(scene).resign_at, 0);
    scene_restart(scene);
    assert_false(scene_status(scene).secure);
}

/* Secondaries have the signed serial: they would keep what nobody signs anew. */
static void the_serial_does_not_go_back_with_the_policy(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 101);
}

static void signatures_that_are_due_do_not_wait_for_the_last_update(void **state)
{
    enum { UPDATES = 30 };
    struct keeper_scene *scene = *state;
    int rcodes[UPDATES];
    serve_signed(scene, true);
    sg_time expires = scene_status(scene).expires_first;
    scene_update(scene, "n", &rcodes[0]);
    scene_turn_once(scene);
    scene->now = scene_status(scene).resign_at + 1;
    for (int i = 1; i < UPDATES; i++) {
        scene_update(scene, i % 2 == 0 ? "m" : "n", &rcodes[i]);
        scene_turn_once(scene);
    }
    assert_true(scene_status(scene).expires_first > expires);
    scene_turn(scene);
}

/* CDS is due a day after the keys were made. Whoever reads the keys sees it first. */
static void what_the_keys_have_become_is_published_whoever_reads_them(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    struct managed_zone *zone = scene_zone(scene);
    scene->now += 86700;
    zone->health.key_event_at = INT64_MAX;
    zone->wishes.resign = true;
    keeper_enqueue(scene->keeper, zone);
    scene_turn(scene);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    uint32_t serial = scene_serial(scene); /* a name may have had its turn, too */
    assert_in_range(serial, 8, 10);
    assert_int_equal(keeper_loadkeys(scene->keeper, zone, false), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial);
}

static void an_update_without_effect_publishes_what_the_keys_have_become(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    struct managed_zone *zone = scene_zone(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene->now += 86700;
    kept_keys_drop(&scene->keeper->kept_keys, zone);
    zone->health.key_event_at = INT64_MAX;
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR); /* it is there */
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

/* Where so many others have their keys in memory that there is no room for it. */
static void a_zone_whose_keys_are_not_kept_reads_them_again(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    assert_int_equal(scene->keeper->kept_keys.count, 1);
    scene->keeper->kept_keys.max = 0;
    for (int i = 0; i < 3; i++) {
        char label[8];
        snprintf(label, sizeof(label), "new%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
        assert_int_equal(scene->keeper->kept_keys.count, 0);
    }
    assert_true(scene_serves(scene, "new2.example.test.", DNS_TYPE_A));
    assert_true(scene_status(scene).secure);
}

/* A change of keys that was not committed is not in the zone: what memory knows must not say so. */
static void keys_that_were_not_committed_are_read_again(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    scene_break_disk(scene);
    scene_pass(scene, 86700);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    assert_non_null(scene_status(scene).problem);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    scene->now += 1;
    struct managed_zone *zone = scene_zone(scene);
    zone->health.retry_at = zone->health.key_event_at = INT64_MAX;
    int rcode;
    scene_update(scene, "new", &rcode);
    if (rcode == DNS_RCODE_SERVFAIL) {
        zone->wishes.state = true; /* The store learns by a write that it works again. */
        keeper_enqueue(scene->keeper, zone);
        scene_turn(scene);
        scene_update(scene, "new", &rcode);
    }
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    uint32_t serial = scene_serial(scene);
    assert_int_equal(keeper_loadkeys(scene->keeper, zone, false), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial); /* the record says whose keys signed */
}

/* A success of something else is no reason to forget what failed. */
static void keys_that_could_not_be_looked_at_are_tried_again_though_updates_succeed(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR); /* keys in memory */
    char *away = mem_format("%s.away", scene->folder);
    assert_int_equal(rename(scene->folder, away), 0);
    scene->now += 86700;
    scene_turn(scene);
    assert_non_null(scene_status(scene).problem);
    sg_time again = scene_status(scene).key_event_at;
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_NOERROR);
    assert_non_null(scene_status(scene).problem);
    assert_int_equal(rename(away, scene->folder), 0);
    mem_free(away);
    scene->now = again;
    scene_turn(scene);
    assert_null(scene_status(scene).problem);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

/* Whoever reloads a broken file again and again must not let what is served expire. */
static void a_file_that_stays_broken_does_not_put_off_the_signatures(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    sg_time expires = scene_status(scene).expires_first;
    sg_time due = scene_status(scene).resign_at;
    sg_time keys_due = scene->now + 86700; /* CDS, a day after the keys were made */
    assert_int_equal(file_write(scene->file, 0644, span_of_text("broken")), SG_OK);
    for (sg_time at = keys_due - 600; at < keys_due + 300; at += 60) {
        scene->now = at;
        assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
        scene_turn(scene);
        assert_non_null(scene_status(scene).problem);
    }
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    for (sg_time at = due - 300; at < due + 300; at += 60) {
        scene->now = at;
        assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
        scene_turn(scene);
    }
    assert_true(scene_status(scene).expires_first > expires);
}

/* The clock of a machine that came up decades ahead, and without its keys: when it is set right,
 * what has failed meanwhile is tried again soon, and signatures are due when they are. */
static void what_was_put_off_by_a_false_clock_is_not(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    struct managed_zone *zone = scene_zone(scene);
    sg_time due = scene_status(scene).resign_at;
    char *away = mem_format("%s.away", scene->folder);
    assert_int_equal(rename(scene->folder, away), 0);
    sg_duration jump = 20 * 365 * SG_DAY;
    scene_set_clock(scene, jump);
    assert_int_equal(keeper_loadkeys(scene->keeper, zone, false), SG_OK);
    scene_turn(scene);
    assert_non_null(scene_status(scene).problem);
    assert_in_range(zone->health.retry_at, scene->now, scene->now + SG_HOUR);
    assert_true(zone->health.resign_at >= scene->now);
    scene_set_clock(scene, -jump);
    assert_in_range(zone->health.retry_at, scene->now, scene->now + SG_HOUR);
    assert_true(zone->health.resign_at <= (due > scene->now ? due : scene->now) + SG_HOUR);
    assert_true(zone->health.key_event_at <= scene->now + SG_DAY);
    assert_int_equal(rename(away, scene->folder), 0);
    mem_free(away);
    scene_pass(scene, SG_HOUR);
    assert_null(scene_status(scene).problem);
}

/* It stands in line for keys, as it does while another round runs. */
static void a_policy_goes_while_the_zone_waits_for_its_keys(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    keying_add(scene->keeper, scene_zone(scene));
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_false(scene_status(scene).secure);
    assert_false(scene_zone(scene)->known.keying);
}

/* A reload whose commit failed is done when the disk works again, or the zone would be served as
 * an older configuration had it. */
static void a_load_that_was_not_committed_is_tried_again(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    scene_write_file(scene, 9, true);
    scene_differ(scene);
    scene_break_disk(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_pass(scene, 11);
    assert_int_equal(scene_serial(scene), 7);
    fake_disk_heal(scene->disk);
    scene_pass(scene, 60);
    scene_pass(scene, 60);
    assert_int_equal(scene_serial(scene), 9);
    assert_null(scene_status(scene).problem);
}

/* How often the keeper wakes within an hour in which nothing comes. */
static size_t wakes_in_an_hour(struct keeper_scene *scene)
{
    sg_time end = scene->now + SG_HOUR;
    size_t wakes = 0;
    for (;;) {
        sg_time wake = keeper_turn(scene->keeper, scene->now);
        if (keeper_jobs(scene->keeper) > 0) {
            continue;
        }
        if (wake > end) {
            return wakes;
        }
        scene->now = wake > scene->now ? wake : scene->now;
        assert_true(++wakes < 1000);
    }
}

static void a_disk_that_stays_full_is_tried_less_and_less_often(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    scene_write_file(scene, 9, true);
    scene_differ(scene);
    scene_break_disk(scene);
    scene_configure(scene);
    assert_in_range(wakes_in_an_hour(scene), 10, 30);
    fake_disk_heal(scene->disk);
    scene_pass(scene, 300);
    scene_pass(scene, 300);
    assert_int_equal(scene_serial(scene), 9);
}

static void signing_all_is_not_forgotten_for_a_new_file(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    scene->now += 3600;
    sg_time expires = scene_status(scene).expires_first;
    scene_write_file(scene, 9, true);
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_not_equal(scene_status(scene).expires_first, expires);
    assert_true(scene_serial(scene) > 9);
}

static void a_raised_serial_is_not_forgotten_for_a_file_that_did_not_change(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
}

static void a_raised_serial_that_was_not_committed_is_not_forgotten_for_an_update(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode = -1;
    serve_signed(scene, true);
    scene_break_disk(scene);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_zone(scene)->later.keys = false; /* what would have it tried again all the same */
    fake_disk_heal(scene->disk);
    struct managed_zone *zone = scene_zone(scene);
    zone->wishes.state = true; /* The store learns by a write that it works again. */
    keeper_enqueue(scene->keeper, zone);
    scene_turn(scene);
    scene_update(scene, "new", &rcode);
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
    scene_pass(scene, 400);
    assert_true(scene_serial(scene) >= 100);
}

/* It may be in doubt for days. What of it proves durable is published; what waits behind it was
 * never begun. */
static void updates_behind_a_commit_in_doubt_are_refused(void **state)
{
    struct keeper_scene *scene = *state;
    enum { WRITES_OF_A_COMMIT = 3 };
    int in_doubt, waits, later;
    scene_serve_dynamic(scene);
    scene_update(scene, "doubt", &in_doubt);
    scene_turn_once(scene); /* a job is out */
    scene_update(scene, "waits", &waits);
    fake_disk_set_fault(
        scene->disk,
        &(struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .counts = true});
    fake_disk_refuse_reopen(scene->disk);
    for (int i = 0; i < 5; i++) {
        scene_turn_once(scene);
    }
    assert_int_equal(in_doubt, -1);
    assert_int_equal(waits, DNS_RCODE_SERVFAIL);
    scene_update(scene, "later", &later);
    assert_int_equal(later, DNS_RCODE_SERVFAIL);
    fake_disk_heal(scene->disk);
    struct mailbox box;
    struct store_request poke = {
        .kind = STORE_CONFIG_PUT, .reply = &box, .identity = span_of_text("poke")};
    mailbox_init(&box, NULL, NULL);
    store_submit(scene->store, &poke); /* stands for the store's clock */
    assert_non_null(mailbox_take(&box));
    mem_free(poke.problem);
    mailbox_clear(&box);
    scene_turn(scene);
    assert_int_equal(in_doubt, DNS_RCODE_NOERROR);
    assert_true(scene_serves(scene, "doubt.example.test.", DNS_TYPE_A));
    assert_false(scene_serves(scene, "waits.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "again"), DNS_RCODE_NOERROR);
}

static void the_serial_of_an_unsigned_zone_can_be_raised(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_CONFLICT);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 99), SG_CONFLICT);
}

static void make_keys_without_a_commit(struct keeper_scene *scene)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure_only(scene);
    for (int i = 0; i < 10 && scene_zone(scene)->ledger.id == 0; i++) {
        scene_turn_once(scene);
    }
    scene_break_disk(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
}

/* Who counts from when the keys were made asks for a DS that no cache can follow yet. */
static void keys_wait_from_when_they_are_published(void **state)
{
    struct keeper_scene *scene = *state;
    make_keys_without_a_commit(scene);
    for (int i = 0; i < 20; i++) {
        scene_pass(scene, SG_HOUR * 2);
    }
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_heal(scene->disk);
    for (int i = 0; i < 5; i++) {
        scene_pass(scene, 61);
    }
    assert_true(scene_status(scene).secure);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_pass(scene, 86700);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

static void keys_that_were_made_before_the_server_went_down_wait_as_well(void **state)
{
    struct keeper_scene *scene = *state;
    make_keys_without_a_commit(scene);
    fake_disk_heal(scene->disk);
    scene->now += 2 * SG_DAY;
    scene_restart(scene);
    assert_true(scene_status(scene).secure);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_restart(scene);
    scene_pass(scene, 86700);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

static uint32_t dnskey_ttl(struct keeper_scene *scene)
{
    struct dns_rrset rrset;
    const struct zone_node *apex = zone_version_apex_node(scene_zone(scene)->slot->version);
    assert_true(zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY, &rrset));
    return rrset.ttl;
}

static void change_policy(struct keeper_scene *scene, bool while_down)
{
    if (while_down) {
        scene_restart(scene);
    } else {
        scene_differ(scene);
        scene_configure(scene);
    }
}

static void another_policy_is_what_the_zone_is_signed_by(struct keeper_scene *scene, bool dynamic,
                                                         bool while_down)
{
    struct kasp_policy *policy = scene->policy;
    serve_signed(scene, dynamic);
    assert_int_equal(scene_status(scene).facts->denial, ZONE_DENIAL_NSEC);
    policy->nsec3 = true;
    policy->nsec3_salt_length = 8;
    change_policy(scene, while_down);
    assert_int_equal(scene_status(scene).facts->denial, ZONE_DENIAL_NSEC3);
    assert_int_equal(scene_status(scene).facts->nsec3.salt_length, 8);
    policy->nsec3_opt_out = true;
    policy->nsec3_salt_length = 0;
    change_policy(scene, while_down);
    assert_int_equal(scene_status(scene).facts->nsec3.salt_length, 0);
    assert_true(scene_status(scene).facts->opt_out);
    policy->nsec3 = false;
    policy->dnskey_ttl = 1234;
    change_policy(scene, while_down);
    assert_int_equal(scene_status(scene).facts->denial, ZONE_DENIAL_NSEC);
    assert_int_equal(dnskey_ttl(scene), 1234);
    assert_int_equal(scene_serial(scene), 10);
    change_policy(scene, while_down); /* nothing is different now */
    assert_int_equal(scene_serial(scene), 10);
}

static void a_static_zone_follows_its_policy(void **state)
{
    another_policy_is_what_the_zone_is_signed_by(*state, false, false);
}

static void a_dynamic_zone_follows_its_policy(void **state)
{
    another_policy_is_what_the_zone_is_signed_by(*state, true, false);
}

static void a_static_zone_follows_a_policy_that_changed_while_the_server_was_down(void **state)
{
    another_policy_is_what_the_zone_is_signed_by(*state, false, true);
}

static void a_dynamic_zone_follows_a_policy_that_changed_while_the_server_was_down(void **state)
{
    another_policy_is_what_the_zone_is_signed_by(*state, true, true);
}

/* What caches have of the unsigned time counts: nobody is told of keys that sign again only now. */
static void a_policy_that_was_away_signs_again(struct keeper_scene *scene, bool dynamic)
{
    serve_signed(scene, dynamic);
    scene_pass(scene, 80000);
    for (int i = 0; i < 4; i++) {
        scene->plan[0].policy = NULL;
        change_policy(scene, i % 2 == 0);
        assert_false(scene_status(scene).secure);
        assert_false(scene_serves(scene, "example.test.", DNS_TYPE_DNSKEY));
        scene->plan[0].policy = scene->policy;
        change_policy(scene, i < 2);
        assert_true(scene_status(scene).secure);
    }
    scene_pass(scene, 10000);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_pass(scene, 86700);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

static void a_static_zone_is_signed_by_a_policy_that_was_away(void **state)
{
    a_policy_that_was_away_signs_again(*state, false);
}

static void a_dynamic_zone_is_signed_by_a_policy_that_was_away(void **state)
{
    a_policy_that_was_away_signs_again(*state, true);
}

/* As another signer leaves the files of a key that it has withdrawn. */
static void have_keys_withdrawn(struct keeper_scene *scene)
{
    char when[TIME_TEXT_BYTES];
    time_to_digits(scene->now, when);
    char *command = mem_format("sed -i -e 's/^DNSKEYState:.*/DNSKEYState: unretentive/' "
                               "-e 's/^ZRRSIGState:.*/ZRRSIGState: hidden/' "
                               "-e 's/^DNSKEYChange:.*/DNSKEYChange: %s/' %s/K*.state",
                               when, scene->folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
}

/* Its version has to be signed anew, which cannot be committed; the file, which would do for a
 * static zone otherwise, lacks the update. */
static void an_update_outlives_a_recovery_that_fails(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene->now += SG_DAY;
    have_keys_withdrawn(scene);
    scene->plan[0].dynamic = false;
    scene_break_disk(scene);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    scene_pass(scene, 301);
    scene_pass(scene, 301);
    assert_true(scene_status(scene).secure);
    assert_true(scene_serves(scene, "one.example.test.", DNS_TYPE_A));
}

/* And its successor, which caches know. */
static void have_key_that_signs(struct keeper_scene *scene)
{
    struct signing_key metadata, *key;
    signing_key_init(&metadata);
    metadata.times[KEY_CREATED] = metadata.times[KEY_PUBLISH] = metadata.times[KEY_ACTIVATE] =
        scene->now;
    metadata.state = (struct key_state){.present = true,
                                        .has_roles = true,
                                        .zsk = true,
                                        .goal = KEY_STATE_OMNIPRESENT,
                                        .records = {[KEY_RECORD_DNSKEY] = KEY_STATE_OMNIPRESENT,
                                                    [KEY_RECORD_ZRRSIG] = KEY_STATE_OMNIPRESENT,
                                                    [KEY_RECORD_KRRSIG] = KEY_STATE_NA,
                                                    [KEY_RECORD_DS] = KEY_STATE_NA}};
    for (int record = 0; record < KEY_RECORDS; record++) {
        metadata.state.changes[record] = scene->now;
    }
    const struct key_request request = {.folder = scene->folder,
                                        .zone = &scene->plan[0].apex,
                                        .algorithm = DNSSEC_ECDSAP256SHA256,
                                        .flags = 256,
                                        .metadata = &metadata};
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    signing_key_free(key);
}

/* The key files tell of the other signer until the commit that does justice to it is made. */
static void another_signer_is_seen_after_a_recovery_that_failed(struct keeper_scene *scene,
                                                                bool is_followed, bool restarts)
{
    serve_signed(scene, true);
    scene_stop(scene);
    scene->now += SG_DAY;
    have_keys_withdrawn(scene);
    if (is_followed) {
        have_key_that_signs(scene);
    }
    scene_break_disk(scene);
    scene->now += SG_MINUTE;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_heal(scene->disk);
    if (restarts) {
        scene_restart(scene);
    } else {
        store_health(scene->store);
        scene_pass(scene, 301);
        scene_pass(scene, 301);
    }
    assert_true(scene_status(scene).secure);
    assert_true(overtake_is_in_doubt(scene_zone(scene))); /* as what was signed anew is */
    assert_true(scene_serial(scene) > 7);
}

static void another_signer_is_seen_when_recovery_is_tried_again(void **state)
{
    another_signer_is_seen_after_a_recovery_that_failed(*state, false, false);
}

static void another_signer_is_seen_at_the_start_after_a_recovery_that_failed(void **state)
{
    another_signer_is_seen_after_a_recovery_that_failed(*state, false, true);
}

static void a_successor_by_another_signer_is_seen_after_a_recovery_that_failed(void **state)
{
    another_signer_is_seen_after_a_recovery_that_failed(*state, true, true);
}

/* Its files are written once the commit is made. */
static void key_files_follow_a_recovery_that_signed_anew(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    scene_stop(scene);
    scene->now += SG_DAY;
    have_keys_withdrawn(scene);
    have_key_that_signs(scene);
    scene->now += SG_MINUTE;
    scene_start(scene);
    scene_configure(scene);
    assert_true(overtake_is_in_doubt(scene_zone(scene)));
    char *command = mem_format("! grep -l 'DNSKEYState: unretentive' %s/K*.state && "
                               "grep -q 'DNSKEYState: rumoured' %s/K*.state",
                               scene->folder, scene->folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
    uint32_t serial = scene_serial(scene);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), serial);
}

/* Zones of one name in two views share their keys: what one of them finds the other follows. */
static void a_twin_follows_the_keys(void **state)
{
    struct keeper_scene *scene = *state;
    scene->zones = 2;
    scene->plan[1].policy = scene->policy;
    scene->plan[1].inline_signing = true;
    scene->plan[1].dynamic = true;
    serve_signed(scene, true);
    struct managed_zone *twin = keeper_zone(scene->keeper, 1);
    assert_int_equal(twin->known.state.keys_fingerprint,
                     scene_zone(scene)->known.state.keys_fingerprint);
    scene->now += 86700;
    twin->health.key_event_at = INT64_MAX;
    scene_turn(scene);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    assert_int_equal(twin->known.state.keys_fingerprint,
                     scene_zone(scene)->known.state.keys_fingerprint);
}

/* What has been committed of the other may be steps behind: neither a move nor a purge before it is
 * known. */
static void keys_wait_for_a_twin_that_is_still_to_be_recovered(void **state)
{
    struct keeper_scene *scene = *state;
    scene->policy->signatures_validity = SCENE_LONG_VALIDITY;
    scene->zones = 2;
    scene->plan[1].policy = scene->policy;
    scene->plan[1].inline_signing = true;
    scene->plan[1].dynamic = true;
    serve_signed(scene, true);
    struct managed_zone *twin = keeper_zone(scene->keeper, 1);
    const struct zone_version *version = twin->slot->version;
    twin->slot->version = NULL;
    twin->health.key_event_at = INT64_MAX;
    keeper_try_again(scene->keeper, twin);
    keeper_set_timer(scene->keeper, twin);
    scene->now += 86700;
    scene_turn(scene);
    assert_true(scene_zone(scene)->known.twin_awaited);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    twin->slot->version = version;
    keeper_zone_was_tried(scene->keeper, twin);
    scene_turn(scene);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

/* One that is not served teaches no cache: its secondaries may serve what it had before. */
static void keys_wait_for_a_twin_that_has_expired(void **state)
{
    struct keeper_scene *scene = *state;
    scene->policy->signatures_validity = SCENE_LONG_VALIDITY;
    scene->zones = 2;
    scene->plan[1].type = ZONE_SECONDARY;
    scene->plan[1].file = NULL;
    scene->plan[1].refresh = &scene->refresh;
    scene->plan[1].policy = scene->policy;
    scene->plan[1].inline_signing = true;
    serve_signed(scene, true);
    struct managed_zone *twin = keeper_zone(scene->keeper, 1);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_non_null(twin->slot->version);
    scene_pass(scene, 86401);
    assert_non_null(twin->known.expired);
    scene_pass(scene, SG_DAY);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_restart(scene);
    twin = keeper_zone(scene->keeper, 1);
    assert_non_null(twin->known.expired);
    scene_pass(scene, SG_HOUR);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_non_null(twin->slot->version);
    scene_pass(scene, SG_DAY / 2);
    scene_answer_soa(scene, 5);
    scene_pass(scene, SG_DAY / 2);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_answer_soa(scene, 5);
    scene_pass(scene, SG_HOUR);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

static void jobs_of_every_kind_end_when_the_zone_goes(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    int rcode;
    scene_update(scene, "new", &rcode);
    scene_turn_once(scene);
    int reload = -1;
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), scene_note, &reload), SG_OK);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(reload, RELOAD_FAILED);
    scene->zones = 1;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(updates_that_wait_are_refused_when_the_zone_takes_none_any_more),
        WITH_SCENE(updates_that_wait_are_refused_when_others_may_update),
        WITH_SCENE(updates_that_wait_outlive_a_reload_that_does_not_concern_them),
        WITH_SCENE(updates_are_answered_servfail_when_the_disk_is_full_and_leave_no_trace),
        WITH_SCENE(updates_are_answered_when_the_server_ends),
        WITH_SCENE(a_lost_record_is_replaced_above_its_serial_even_if_the_file_is_broken_first),
        WITH_SCENE(a_campaign_ends_with_the_policy),
        WITH_SCENE(the_serial_does_not_go_back_with_the_policy),
        WITH_SCENE(signatures_that_are_due_do_not_wait_for_the_last_update),
        WITH_SCENE(what_the_keys_have_become_is_published_whoever_reads_them),
        WITH_SCENE(an_update_without_effect_publishes_what_the_keys_have_become),
        WITH_SCENE(a_zone_whose_keys_are_not_kept_reads_them_again),
        WITH_SCENE(keys_that_were_not_committed_are_read_again),
        WITH_SCENE(keys_that_could_not_be_looked_at_are_tried_again_though_updates_succeed),
        WITH_SCENE(a_file_that_stays_broken_does_not_put_off_the_signatures),
        WITH_SCENE(what_was_put_off_by_a_false_clock_is_not),
        WITH_SCENE(a_policy_goes_while_the_zone_waits_for_its_keys),
        WITH_SCENE(a_load_that_was_not_committed_is_tried_again),
        WITH_SCENE(a_disk_that_stays_full_is_tried_less_and_less_often),
        WITH_SCENE(signing_all_is_not_forgotten_for_a_new_file),
        WITH_SCENE(a_raised_serial_is_not_forgotten_for_a_file_that_did_not_change),
        WITH_SCENE(a_raised_serial_that_was_not_committed_is_not_forgotten_for_an_update),
        WITH_SCENE(updates_behind_a_commit_in_doubt_are_refused),
        WITH_SCENE(the_serial_of_an_unsigned_zone_can_be_raised),
        WITH_SCENE(keys_wait_from_when_they_are_published),
        WITH_SCENE(keys_that_were_made_before_the_server_went_down_wait_as_well),
        WITH_SCENE(a_static_zone_follows_its_policy),
        WITH_SCENE(a_dynamic_zone_follows_its_policy),
        WITH_SCENE(a_static_zone_follows_a_policy_that_changed_while_the_server_was_down),
        WITH_SCENE(a_dynamic_zone_follows_a_policy_that_changed_while_the_server_was_down),
        WITH_SCENE(a_static_zone_is_signed_by_a_policy_that_was_away),
        WITH_SCENE(a_dynamic_zone_is_signed_by_a_policy_that_was_away),
        WITH_SCENE(an_update_outlives_a_recovery_that_fails),
        WITH_SCENE(another_signer_is_seen_when_recovery_is_tried_again),
        WITH_SCENE(another_signer_is_seen_at_the_start_after_a_recovery_that_failed),
        WITH_SCENE(a_successor_by_another_signer_is_seen_after_a_recovery_that_failed),
        WITH_SCENE(key_files_follow_a_recovery_that_signed_anew),
        WITH_SCENE(a_twin_follows_the_keys),
        WITH_SCENE(keys_wait_for_a_twin_that_is_still_to_be_recovered),
        WITH_SCENE(keys_wait_for_a_twin_that_has_expired),
        WITH_SCENE(jobs_of_every_kind_end_when_the_zone_goes),
    };
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
