#include <stdio.h>

#include "kasp/rules.h"

static const char *record_text(enum key_record record)
{
    static const char *const texts[KEY_RECORDS] = {"DNSKEY", "zone RRSIG", "DNSKEY RRSIG", "DS"};
    return texts[record];
}

static const char *rule_text(unsigned rule)
{
    switch (rule) {
    case KASP_RULE_CHAIN:
        return "no other DS is there or under way";
    case KASP_RULE_DNSKEY:
        return "caches still need it to reach the zone's keys";
    case KASP_RULE_RRSIG:
        return "caches still need it to verify the zone";
    case KASP_RULE_PARENT:
    case KASP_RULE_STRANGER:
        return "its DS may still be at the parent";
    case KASP_RULE_COMPLETE:
        return "its algorithm would not sign the whole zone";
    default:
        return "it is not known everywhere yet";
    }
}

static const char *verb_of(enum key_state_value target)
{
    return target == KEY_STATE_UNRETENTIVE ? "withdrawn" : "introduced";
}

void kasp_wait_text(const struct kasp_wait *wait, char out_text[KASP_WAIT_TEXT_BYTES])
{
    char when[TIME_HUMAN_BYTES];
    time_to_http(wait->until, when);
    const char *record = record_text(wait->record);
    bool comes = wait->target == KEY_STATE_OMNIPRESENT;
    switch (wait->reason) {
    case KASP_WAIT_TIME:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "%s is %s caches by %s", record,
                       comes ? "known to all" : "gone from all", when);
        return;
    case KASP_WAIT_PARENT:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "waits for the parent to %s the DS since %s",
                       comes ? "publish" : "withdraw", when);
        return;
    case KASP_WAIT_NO_DS:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES,
                       "waits until the parent is known to have no DS (say `dnssec "
                       "-checkds withdrawn`), since %s",
                       when);
        return;
    case KASP_WAIT_MANUAL:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "waits for the next step by hand");
        return;
    case KASP_WAIT_RULE:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "%s is not %s: %s", record,
                       verb_of(wait->target), rule_text(wait->rule));
        return;
    case KASP_WAIT_TURN:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES,
                       "%s waits until the key and its signatures are known to all", record);
        return;
    case KASP_WAIT_ROLL:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "its successor comes on %s", when);
        return;
    case KASP_WAIT_CHAIN:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES,
                       "its successor, due since %s, waits for the chain of trust", when);
        return;
    case KASP_WAIT_KEY:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "its successor is to be made");
        return;
    case KASP_WAIT_FILES:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES,
                       "waits until what is wrong with the key files is mended");
        return;
    case KASP_WAIT_CLOCK:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "waits until the clock can be trusted");
        return;
    case KASP_WAIT_UNSERVED:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES,
                       "waits until the zone, which has expired, is served again");
        return;
    case KASP_WAIT_TWIN:
        (void)snprintf(
            out_text, KASP_WAIT_TEXT_BYTES,
            "waits for the zone of this name in another view, which is not loaded yet or "
            "has expired");
        return;
    case KASP_WAIT_PURGE:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "is gone; its files are removed on %s",
                       when);
        return;
    default:
        (void)snprintf(out_text, KASP_WAIT_TEXT_BYTES, "waits for nothing");
        return;
    }
}
