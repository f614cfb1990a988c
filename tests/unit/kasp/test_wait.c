#include "kasp/rules.h"
#include "support/table.h"

#define T0 ((sg_time)1767225600)

struct wait_case {
    const char *name; /* the text */
    struct kasp_wait wait;
};

static const struct wait_case cases[] = {
    {"waits for nothing", {.reason = KASP_WAIT_NONE}},
    {"DNSKEY is known to all caches by Thu, 01 Jan 2026 00:00:00 GMT",
     {KASP_WAIT_TIME, KEY_RECORD_DNSKEY, KEY_STATE_OMNIPRESENT, KASP_RULES, T0}},
    {"DS is gone from all caches by Thu, 01 Jan 2026 00:00:00 GMT",
     {KASP_WAIT_TIME, KEY_RECORD_DS, KEY_STATE_HIDDEN, KASP_RULES, T0}},
    {"waits for the parent to publish the DS since Thu, 01 Jan 2026 00:00:00 GMT",
     {KASP_WAIT_PARENT, KEY_RECORD_DS, KEY_STATE_OMNIPRESENT, KASP_RULES, T0}},
    {"waits for the parent to withdraw the DS since Thu, 01 Jan 2026 00:00:00 GMT",
     {KASP_WAIT_PARENT, KEY_RECORD_DS, KEY_STATE_HIDDEN, KASP_RULES, T0}},
    {"waits until the parent is known to have no DS (say `dnssec -checkds withdrawn`), since "
     "Thu, 01 Jan 2026 00:00:00 GMT",
     {KASP_WAIT_NO_DS, KEY_RECORD_DS, KEY_STATE_HIDDEN, KASP_RULES, T0}},
    {"DNSKEY is not withdrawn: its DS may still be at the parent",
     {KASP_WAIT_RULE, KEY_RECORD_DNSKEY, KEY_STATE_UNRETENTIVE, KASP_RULE_PARENT, T0}},
    {"its successor comes on Thu, 01 Jan 2026 00:00:00 GMT",
     {.reason = KASP_WAIT_ROLL, .until = T0}},
    {"its successor, due since Thu, 01 Jan 2026 00:00:00 GMT, waits for the chain of trust",
     {.reason = KASP_WAIT_CHAIN, .until = T0}},
    {"waits for the next step by hand", {.reason = KASP_WAIT_MANUAL}},
    {"waits for the zone of this name in another view, which is not loaded yet or has expired",
     {.reason = KASP_WAIT_TWIN}},
};

static void says(void **state)
{
    const struct wait_case *t = *state;
    char text[KASP_WAIT_TEXT_BYTES];
    kasp_wait_text(&t->wait, text);
    assert_string_equal(text, t->name);
}

static void every_reason_and_rule_fits_a_line(void **state)
{
    (void)state;
    char text[KASP_WAIT_TEXT_BYTES];
    for (unsigned i = 0; i < KASP_WAIT_REASONS * KEY_RECORDS * (KASP_RULES + 1); i++) {
        unsigned rest = i / KASP_WAIT_REASONS;
        const struct kasp_wait wait = {(enum kasp_reason)(i % KASP_WAIT_REASONS),
                                       (enum key_record)(rest % KEY_RECORDS), KEY_STATE_HIDDEN,
                                       rest / KEY_RECORDS, T0};
        kasp_wait_text(&wait, text);
        size_t length = strlen(text);
        assert_true(length > 0 && length + 1 < sizeof(text) && strchr(text, '\n') == NULL);
        assert_true(wait.reason == KASP_WAIT_NONE || strcmp(text, "waits for nothing") != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_reason_and_rule_fits_a_line)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(cases, says);
}
