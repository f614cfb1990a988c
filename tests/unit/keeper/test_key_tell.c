/* What watchers of logs look for, in the words of BIND: each line, with its zone and key. */
#include <string.h>

#include "base/log.h"
#include "keeper/keeper_scene.h"

static struct buffer told;

static void keep_line(void *argument, enum log_category category, int severity, const char *line)
{
    (void)argument;
    bool is_cds = strstr(line, " CDS (") != NULL || strstr(line, " CDNSKEY ") != NULL;
    if (severity == SEVERITY_INFO && category == (is_cds ? LOG_GENERAL : LOG_DNSSEC)) {
        buffer_format(&told, "%s\n", line);
    }
}

/* How many lines since the last time end so; with a key, "%s" is its name. */
static unsigned count_told(const char *format, const char *key)
{
    char *end = mem_format("%s\n", format);
    char *at = strstr(end, "%s");
    if (at != NULL) {
        char *named = mem_format("%.*s%s%s", (int)(at - end), end, key, at + 2);
        mem_free(end);
        end = named;
    }
    unsigned count = 0;
    for (const char *line = told.length == 0 ? "" : buffer_text(&told);
         (line = strstr(line, end)) != NULL; line++) {
        count++;
    }
    mem_free(end);
    return count;
}

static void assert_told(const char *format, const char *key)
{
    if (count_told(format, key) != 1) {
        fail_msg("'%s' (%s) is told %u times in:\n%s", format, key, count_told(format, key),
                 told.length == 0 ? "" : buffer_text(&told));
    }
}

static void serve_signed(struct keeper_scene *scene)
{
    buffer_clear(&told);
    log_set_sink(keep_line, NULL);
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
}

/* The name of the only key that was made. */
static char *key_made(void)
{
    const char *begin = strstr(buffer_text(&told), "keymgr: DNSKEY example.test/");
    assert_non_null(begin);
    begin += strlen("keymgr: DNSKEY ");
    return mem_format("%.*s", (int)strcspn(begin, " "), begin);
}

static void configure(struct keeper_scene *scene, const struct kasp_policy *policy)
{
    buffer_clear(&told);
    scene->plan[0].policy = policy;
    scene_differ(scene);
    scene_configure(scene);
}

/* Every answer has a signature in all caches, so that the parent may have the DS. */
static void wait_for_cds(struct keeper_scene *scene)
{
    for (int i = 0; i < 25; i++) {
        scene_pass(scene, SG_HOUR);
    }
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

static void end_told(void)
{
    log_set_sink(NULL, NULL);
    buffer_free(&told);
}

static void cds_of_a_key_come_once(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    char *key = key_made();
    wait_for_cds(scene);
    assert_told(": CDS (SHA-256) for key %s is now published", key);
    assert_told(": CDNSKEY for key %s is now published", key);
    assert_int_equal(count_told("is now deleted", NULL), 0);
    assert_null(strstr(buffer_text(&told), "DELETE"));
    scene_restart(scene);
    assert_told(": CDS (SHA-256) for key %s is now published", key);
    mem_free(key);
    end_told();
}

static void cds_that_the_policy_changes_are_told(void **state)
{
    struct keeper_scene *scene = *state;
    struct kasp_policy *policy = scene->policy;
    serve_signed(scene);
    char *key = key_made();
    wait_for_cds(scene);
    policy->cds_digests[0] = 4;
    configure(scene, policy);
    assert_told(": CDS (SHA-384) for key %s is now published", key);
    assert_told(": CDS (SHA-256) for key %s is now deleted", key);
    assert_int_equal(count_told(": CDNSKEY for key %s is now deleted", key), 0);
    policy->cdnskey = false;
    configure(scene, policy);
    assert_told(": CDNSKEY for key %s is now deleted", key);
    assert_int_equal(count_told("is now published", NULL), 0);
    mem_free(key);
    end_told();
}

static void delete_records_come_and_go(void **state)
{
    struct keeper_scene *scene = *state;
    struct kasp_policy *insecure = kasp_policy_insecure();
    serve_signed(scene);
    char *key = key_made();
    wait_for_cds(scene);
    configure(scene, insecure);
    assert_told(": CDS (SHA-256) for key %s is now deleted", key);
    assert_told(": CDNSKEY for key %s is now deleted", key);
    assert_told(": CDS (DELETE) for zone example.test is now published", NULL);
    assert_told(": CDNSKEY (DELETE) for zone example.test is now published", NULL);
    configure(scene, scene->policy);
    assert_told(": CDS (DELETE) for zone example.test is now deleted", NULL);
    assert_told(": CDNSKEY (DELETE) for zone example.test is now deleted", NULL);
    scene->plan[0].policy = scene->policy; /* before `insecure` goes */
    kasp_policy_free(insecure);
    mem_free(key);
    end_told();
}

static void ignore(void *argument, enum sg_result result, const char *text)
{
    (void)argument, (void)text;
    assert_int_equal(result, SG_OK);
}

/* The end of a zone that goes insecure. */
static void delete_records_go_with_the_last_key(void **state)
{
    struct keeper_scene *scene = *state;
    struct kasp_policy *insecure = kasp_policy_insecure();
    const struct keeper_key_word withdrawn = {.tag = KEEPER_ANY_KEY};
    serve_signed(scene);
    wait_for_cds(scene);
    configure(scene, insecure);
    assert_int_equal(keeper_note_ds(scene->keeper, scene_zone(scene), &withdrawn, ignore, NULL),
                     SG_OK);
    scene_turn(scene);
    buffer_clear(&told);
    for (int i = 0; i < 30 && scene_serves(scene, "example.test.", DNS_TYPE_CDS); i++) {
        scene_pass(scene, SG_HOUR);
    }
    assert_told(": CDS (DELETE) for zone example.test is now deleted", NULL);
    assert_told(": CDNSKEY (DELETE) for zone example.test is now deleted", NULL);
    scene->plan[0].policy = NULL; /* before `insecure` goes */
    kasp_policy_free(insecure);
    end_told();
}

static void another_ttl_of_dnskey_is_told(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    assert_null(strstr(buffer_text(&told), "Updating"));
    uint32_t old = scene->policy->dnskey_ttl;
    scene->policy->dnskey_ttl = 7200;
    configure(scene, scene->policy);
    char *line =
        mem_format("zone example.test/IN/inside: Updating DNSKEY TTL from %u to 7200", old);
    assert_told(line, NULL);
    mem_free(line);
    end_told();
}

/* One that lies there and was never used, as `dnssec-keygen -G` makes it. */
static void a_key_that_is_selected_is_told(void **state)
{
    struct keeper_scene *scene = *state;
    struct signing_key metadata;
    struct signing_key *key;
    signing_key_init(&metadata);
    const struct key_request request = {
        .folder = scene->folder,
        .zone = &scene->plan[0].apex,
        .algorithm = scene->policy->keys[0].algorithm,
        .flags = 257,
        .metadata = &metadata,
    };
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    char *text = signing_key_text(key);
    signing_key_free(key);
    serve_signed(scene);
    assert_told(": keymgr: DNSKEY %s (CSK) selected for policy default", text);
    assert_told(": DNSKEY %s (CSK) is now published", text);
    assert_null(strstr(buffer_text(&told), "created for policy"));
    mem_free(text);
    end_told();
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        ROW(cds_of_a_key_come_once),        ROW(cds_that_the_policy_changes_are_told),
        ROW(delete_records_come_and_go),    ROW(delete_records_go_with_the_last_key),
        ROW(another_ttl_of_dnskey_is_told), ROW(a_key_that_is_selected_is_told),
    };
    return cmocka_run_group_tests_name("key_tell", tests, NULL, NULL);
}
