#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "server/keys_text.h"
#include "support/table.h"

#define NOW ((sg_time)1795317163) /* Sun Nov 22 03:12:43 2026 */

static const struct keys_text_zone zone = {
    .zone = "kz.test", .view = "_default", .policy = "kz", .publish_interval = 7500};

enum role { KSK = 1, ZSK = 2, CSK = 3 };

/* States as "omnipresent, DNSKEY, ZRRSIG, KRRSIG, DS": a letter each. */
static struct keeper_key_status key_of(enum role role, const char *states)
{
    struct keeper_key_status key = {.algorithm = 13, .tag = 5915, .flags = 256, .bits = 256};
    key.state.ksk = (role & KSK) != 0;
    key.state.zsk = (role & ZSK) != 0;
    key.state.goal = (enum key_state_value)(strchr("HROU-", states[0]) - "HROU-");
    for (int record = 0; record < KEY_RECORDS; record++) {
        key.state.records[record] =
            (enum key_state_value)(strchr("HROU-", states[record + 1]) - "HROU-");
        key.state.changes[record] = KEY_TIME_UNSET;
    }
    for (int time = 0; time < KEY_TIMES; time++) {
        key.times[time] = KEY_TIME_UNSET;
    }
    key.times[KEY_CREATED] = key.times[KEY_PUBLISH] = key.times[KEY_ACTIVATE] = NOW;
    key.ds_at = key.ds_asked_at = KEY_TIME_UNSET;
    key.has_secret = true;
    return key;
}

static void print(const struct keeper_key_status *key, bool as_json, char **out_text)
{
    struct buffer text = BUFFER_EMPTY;
    struct keeper_keys_status *status = mem_alloc_zero(1, sizeof(*status));
    status->now = NOW;
    status->wake_at = INT64_MAX;
    if (key != NULL) {
        status->keys[status->count++] = *key;
    }
    if (as_json) {
        keys_text_json(&zone, status, &text);
    } else {
        keys_text(&zone, status, &text);
    }
    *out_text = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    mem_free(status);
}

static void keys_that_rest_are_told_with_the_reason(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    struct keeper_keys_status *status = mem_alloc_zero(1, sizeof(*status));
    status->wake_at = INT64_MAX;
    status->problem = "key file K1: half a copy";
    keys_text(&zone, status, &text);
    assert_non_null(
        strstr(buffer_text(&text), "\nproblem:       key file K1: half a copy; no key"));
    buffer_free(&text);
    keys_text_json(&zone, status, &text);
    assert_non_null(strstr(buffer_text(&text), "\"problem\": \"key file K1: half a copy\""));
    buffer_free(&text);
    mem_free(status);
}

static void lost_keys_are_told_with_the_folders_that_were_searched(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    struct keeper_keys_status *status = mem_alloc_zero(1, sizeof(*status));
    status->wake_at = INT64_MAX;
    status->lost[status->lost_count++] =
        (struct keeper_lost_key){.algorithm = 13, .tag = 4711, .flags = 257, .role = "CSK"};
    status->searched = "/keys\n/store\n";
    keys_text(&zone, status, &text);
    assert_non_null(strstr(buffer_text(&text),
                           "\n\nkey: 4711 (ECDSAP256SHA256), CSK: in the zone, but its files are "
                           "missing or cannot be read\n"
                           "searched:      /keys\nsearched:      /store\n"));
    buffer_free(&text);
    keys_text_json(&zone, status, &text);
    const char *array = strstr(buffer_text(&text), "\"lost-keys\": [");
    assert_non_null(array);
    assert_non_null(strstr(array, "\"tag\": 4711"));
    assert_non_null(strstr(array, "\"role\": \"CSK\""));
    array = strstr(array, "\"searched\": [");
    assert_non_null(array);
    assert_non_null(strstr(array, "\"/store\""));
    buffer_free(&text);
    mem_free(status);
}

static void what_the_parent_is_waited_for_is_told_with_who_said_what(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    struct keeper_keys_status *status = mem_alloc_zero(1, sizeof(*status));
    struct keys_text_zone waiting = zone;
    waiting.parent = "the DS is to be published\nagent 1 has no DS\n";
    status->wake_at = INT64_MAX;
    keys_text(&waiting, status, &text);
    assert_non_null(strstr(buffer_text(&text), "\nparent:        the DS is to be published\n"
                                               "parent:        agent 1 has no DS\n"));
    buffer_free(&text);
    keys_text_json(&waiting, status, &text);
    const char *array = strstr(buffer_text(&text), "\"parent-waits\": [");
    assert_non_null(array);
    assert_non_null(strstr(array, "\"the DS is to be published\""));
    assert_non_null(strstr(array, "\"agent 1 has no DS\""));
    buffer_free(&text);
    mem_free(status);
}

static void a_new_ksk_has_bind_s_lines(void **state)
{
    (void)state;
    struct keeper_key_status key = key_of(KSK, "OR-RH");
    char *text;
    key.times[KEY_INACTIVE] = NOW + 365 * SG_DAY;
    key.times[KEY_DELETE] = NOW + 367 * SG_DAY;
    key.wait = (struct kasp_wait){.reason = KASP_WAIT_TIME,
                                  .record = KEY_RECORD_DNSKEY,
                                  .target = KEY_STATE_OMNIPRESENT,
                                  .until = NOW + 7500};
    key.signs_keys = key.published = true;
    print(&key, false, &text);
    assert_string_equal(text,
                        "dnssec-policy: kz\n"
                        "current time:  Sun Nov 22 03:12:43 2026\n"
                        "\n"
                        "key: 5915 (ECDSAP256SHA256), KSK\n"
                        "  published:      yes - since Sun Nov 22 03:12:43 2026\n"
                        "  key signing:    yes - since Sun Nov 22 03:12:43 2026\n"
                        "  in short:       signs DNSKEY; DNSKEY is known to all caches by Sun, 22 "
                        "Nov 2026 05:17:43 GMT\n"
                        "\n"
                        "  Next rollover scheduled on Mon Nov 22 01:07:43 2027\n"
                        "  - goal:           omnipresent\n"
                        "  - dnskey:         rumoured\n"
                        "  - ds:             hidden\n"
                        "  - key rrsig:      rumoured\n");
    mem_free(text);
}

static void a_csk_has_its_states_in_bind_s_order(void **state)
{
    (void)state;
    struct keeper_key_status key = key_of(CSK, "OOOOR");
    char *text;
    key.signs_keys = key.signs_zone = key.published = true;
    key.asks = KASP_DS_SEEN;
    key.ds = KASP_DS_MISSING;
    key.ds_asked_at = NOW - 60;
    print(&key, false, &text);
    assert_non_null(strstr(text, "  key signing:    yes - since Sun Nov 22 03:12:43 2026\n"
                                 "  zone signing:   yes - since Sun Nov 22 03:12:43 2026\n"
                                 "  ds at parent:   no, is to be published, asked Sun Nov 22 "
                                 "03:11:43 2026\n"
                                 "  in short:       signs DNSKEY and the zone; "));
    assert_non_null(strstr(text, "\n\n  No rollover scheduled\n"
                                 "  - goal:           omnipresent\n"
                                 "  - dnskey:         omnipresent\n"
                                 "  - ds:             rumoured\n"
                                 "  - zone rrsig:     omnipresent\n"
                                 "  - key rrsig:      omnipresent\n"));
    mem_free(text);
}

/* clang-format off */
static const struct roll_case {
    const char *name;
    enum role role;
    const char *states;
    sg_time active, inactive, delete; /* 0: unset */
    const char *line;
} rolls[] = {
    {"in use for good",         ZSK, "OOO--", NOW, 0, 0, "  No rollover scheduled\n"},
    {"a successor is due",      ZSK, "OOO--", NOW, NOW + 9000, NOW + 9999,
     "  Next rollover scheduled on Sun Nov 22 03:37:43 2026\n"},
    {"it has a successor",      ZSK, "HOO--", NOW, NOW + 60, NOW + 120,
     "  Key will retire on Sun Nov 22 03:13:43 2026\n"},
    {"late",                    ZSK, "OOO--", NOW - 99, NOW - 60, NOW + 120,
     "  Rollover is due since Sun Nov 22 03:11:43 2026\n"},
    {"retired",                 ZSK, "HOU--", NOW, NOW - 60, NOW + 120,
     "  Key is retired, will be removed on Sun Nov 22 03:14:43 2026\n"},
    {"retired, nobody knows until when", ZSK, "HOU--", NOW, NOW - 60, 0, "  Key is retired\n"},
    {"removed",                 ZSK, "HUH--", NOW, NOW - 60, NOW - 30,
     "  Key has been removed from the zone\n"},
    {"a KSK retires when it is deleted", KSK, "HO-OU", NOW, NOW - 60, NOW + 120,
     "  Key will retire on Sun Nov 22 03:14:43 2026\n"},
    {"a CSK as a ZSK",          CSK, "HOUOU", NOW, NOW - 60, NOW + 120,
     "  Key is retired, will be removed on Sun Nov 22 03:14:43 2026\n"},
};
/* clang-format on */

static void the_roll_is_told_as_bind_does(void **state)
{
    const struct roll_case *c = *state;
    struct keeper_key_status key = key_of(c->role, c->states);
    char *text;
    key.times[KEY_ACTIVATE] = c->active;
    key.times[KEY_INACTIVE] = c->inactive == 0 ? KEY_TIME_UNSET : c->inactive;
    key.times[KEY_DELETE] = c->delete == 0 ? KEY_TIME_UNSET : c->delete;
    print(&key, false, &text);
    const char *line = strstr(text, "\n\n  ");
    assert_non_null(line);
    char found[128] = "";
    strncat(found, line + 2, strlen(c->line));
    assert_string_equal(found, c->line);
    mem_free(text);
}

static void what_is_to_come_is_scheduled(void **state)
{
    (void)state;
    struct keeper_key_status key = key_of(ZSK, "ORH--");
    char *text;
    key.times[KEY_ACTIVATE] = NOW + 60;
    print(&key, false, &text);
    assert_non_null(strstr(text, "  zone signing:   no  - scheduled Sun Nov 22 03:13:43 2026\n"));
    mem_free(text);
}

static void a_key_made_in_advance_is_left_out(void **state)
{
    (void)state;
    struct keeper_key_status key = key_of(ZSK, "HHH--");
    char *text;
    key.times[KEY_PUBLISH] = key.times[KEY_ACTIVATE] = KEY_TIME_UNSET;
    print(&key, false, &text);
    assert_null(strstr(text, "key:"));
    mem_free(text);
}

static void progress_is_told_in_bind_s_words(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    struct keeper_keys_status *status = mem_alloc_zero(1, sizeof(*status));
    keys_text_signing(&zone, status, &text);
    assert_string_equal(buffer_text(&text), "No signing records found");
    buffer_clear(&text);

    for (size_t i = 0; i < 4; i++) {
        status->keys[status->count++] = key_of(ZSK, "OOO--");
        status->keys[i].tag = (uint16_t)i;
        status->keys[i].progress = (enum kasp_progress)i;
    }
    keys_text_signing(&zone, status, &text);
    assert_string_equal(buffer_text(&text), "Signing with key 1/ECDSAP256SHA256\n"
                                            "Removing signatures for key 2/ECDSAP256SHA256\n"
                                            "Done signing with key 3/ECDSAP256SHA256");
    buffer_free(&text);
    mem_free(status);
}

static void json_has_it_all(void **state)
{
    (void)state;
    struct keeper_key_status key = key_of(KSK, "OO-OR");
    char *text;
    key.asks = KASP_DS_SEEN;
    key.wait = (struct kasp_wait){.reason = KASP_WAIT_PARENT,
                                  .record = KEY_RECORD_DS,
                                  .target = KEY_STATE_OMNIPRESENT,
                                  .until = NOW};
    key.state.has_successor = true;
    key.state.successor = 7;
    key.state.changes[KEY_RECORD_DS] = NOW;
    print(&key, true, &text);
    static const char *const parts[] = {
        "{\"zone\": \"kz.test\", \"view\": \"_default\", \"policy\": \"kz\", "
        "\"time\": \"2026-11-22T03:12:43Z\", \"next-event\": null, ",
        "\"tag\": 5915, \"algorithm\": 13, \"algorithm-name\": \"ECDSAP256SHA256\"",
        "\"role\": \"KSK\"",
        "\"successor\": 7",
        "\"ds\": {\"state\": \"rumoured\", \"since\": \"2026-11-22T03:12:43Z\"}",
        "\"waits\": {\"reason\": \"parent\", \"since\": \"2026-11-22T03:12:43Z\", \"text\": "
        "\"waits for the parent to publish the DS since ",
        "\"parent\": {\"ds\": \"unknown\", \"wanted\": \"published\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        assert_non_null(strstr(text, parts[i]));
    }
    mem_free(text);
    print(NULL, true, &text);
    assert_non_null(strstr(text, "\"keys\": []}"));
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_rest_are_told_with_the_reason),
        cmocka_unit_test(lost_keys_are_told_with_the_folders_that_were_searched),
        cmocka_unit_test(what_the_parent_is_waited_for_is_told_with_who_said_what),
        cmocka_unit_test(a_new_ksk_has_bind_s_lines),
        cmocka_unit_test(a_csk_has_its_states_in_bind_s_order),
        cmocka_unit_test(what_is_to_come_is_scheduled),
        cmocka_unit_test(a_key_made_in_advance_is_left_out),
        cmocka_unit_test(progress_is_told_in_bind_s_words),
        cmocka_unit_test(json_has_it_all),
    };
    setenv("TZ", "UTC", 1);
    tzset();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rolls, the_roll_is_told_as_bind_does);
}
