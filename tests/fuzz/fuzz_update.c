/*
 * Bytes as dynamic updates of a small signed zone, one after the other. What is refused leaves the
 * draft as it was, what is said to change nothing changes nothing, and what is left can be sealed.
 *
 * The first byte chooses the options; each message follows its length in two bytes.
 */
#include <stdint.h>

#include "zone/update.h"
#include "zone_fixture.h"

enum { MESSAGES_MAX = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A policy that denies now and then, always the same. */
static bool may(void *argument, const struct zone_update_wish *wish, uint16_t *out_records_max)
{
    (void)argument;
    *out_records_max = wish->owner->wire[1] == 'w' ? 2 : 0;
    return wish->type != DNS_TYPE_MX || wish->rdata.length == 0 || wish->adds;
}

static void note(void *argument, int severity, const char *text)
{
    (void)argument;
    ASSERT(severity > 0 && text[0] != '\0');
}

static void update_one(struct zone_edit *edit, struct span wire,
                       const struct zone_update_options *options, struct buffer texts[2])
{
    struct dns_message message;
    struct zone_update_outcome outcome;
    if (dns_message_parse(wire, &message) != SG_OK || !message.has_question) {
        return;
    }
    fixture_dump(edit, &texts[0]);
    ASSERT(zone_update_apply(edit, &message, options, &outcome) == SG_OK);
    fixture_dump(edit, &texts[1]);
    bool same = strcmp((char *)texts[0].bytes, (char *)texts[1].bytes) == 0;
    ASSERT(same == (outcome.changes == 0));
    ASSERT((outcome.rcode == DNS_RCODE_NOERROR) == (outcome.reason[0] == '\0'));
    ASSERT(same || outcome.rcode == DNS_RCODE_NOERROR);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct zone_version *base;
    static struct buffer texts[2];
    struct reader input = reader_of((struct span){bytes, length});
    uint8_t how = reader_u8(&input);
    struct zone_update_options options = {
        .is_signed = (how & 1) != 0,
        .serial_pending = (how & 2) != 0,
        .check_names = (how & 4) != 0 ? CHECK_FAIL : CHECK_WARN,
        .max_zone_ttl = (how & 8) != 0 ? 3600 : 0,
        .private_type = DNS_TYPE_PRIVATE_DEFAULT,
        .records_per_type_max = (how & 16) != 0 ? 4 : 0,
        .types_per_name_max = (how & 16) != 0 ? 4 : 0,
        .may = (how & 32) != 0 ? may : NULL,
        .note = note,
    };
    if (base == NULL) {
        base = fixture_zone();
    }
    struct zone_edit *edit = zone_edit_open(base);
    const struct zone_version *version;
    struct span message;
    for (unsigned i = 0; i < MESSAGES_MAX && fixture_message(&input, &message); i++) {
        update_one(edit, message, &options, texts);
    }
    ASSERT(zone_edit_seal(edit, &version) == SG_OK);
    zone_version_unref(version);
    fixture_settle(base);
    return 0;
}
