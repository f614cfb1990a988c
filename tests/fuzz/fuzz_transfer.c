/*
 * Bytes as the messages of a transfer that comes in. It ends, is refused, or goes on; what does not
 * fit leaves the draft as it was, and what does can be sealed.
 *
 * The first byte chooses: bit 0 IXFR was asked for, bit 1 generated types are left out, bit 2 tight
 * limits. Each message follows its length in two bytes.
 */
#include <stdint.h>

#include "zone/transfer.h"
#include "zone_fixture.h"

enum { MESSAGES_MAX = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_sealed(struct zone_edit *edit, const struct zone_transfer *transfer)
{
    const struct zone_version *version;
    ASSERT(zone_edit_seal(edit, &version) == SG_OK);
    ASSERT(zone_version_facts(version)->source_serial == zone_transfer_serial(transfer));
    zone_version_unref(version);
}

static void apply(struct zone_transfer *transfer, const struct zone_version *base)
{
    static struct buffer texts[2];
    struct zone_edit *edit = zone_edit_open(base);
    fixture_dump(edit, &texts[0]);
    enum sg_result result = zone_transfer_apply(transfer, NULL, edit);
    fixture_dump(edit, &texts[1]);
    if (result == SG_OK) {
        check_sealed(edit, transfer);
        return;
    }
    ASSERT(result == SG_CONFLICT || result == SG_LIMIT);
    ASSERT(strcmp((char *)texts[0].bytes, (char *)texts[1].bytes) == 0);
    zone_edit_abandon(edit);
}

static bool feed(struct zone_transfer *transfer, struct reader *input)
{
    struct span message;
    bool complete = false;
    for (unsigned i = 0; i < MESSAGES_MAX && fixture_message(input, &message); i++) {
        enum sg_result result = zone_transfer_feed(transfer, message, &complete);
        if (result != SG_OK) {
            ASSERT(result == SG_MALFORMED || result == SG_LIMIT || result == SG_UNSUPPORTED);
            return false;
        }
        if (complete) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct zone_version *base;
    struct reader input = reader_of((struct span){bytes, length});
    uint8_t how = reader_u8(&input);
    struct zone_transfer_options options = {
        .records_max = (how & 4) != 0 ? 8 : 0,
        .bytes_max = (how & 4) != 0 ? 400 : 0,
        .differences_bytes_max = (how & 4) != 0 ? 100 : 0,
        .records_per_type_max = (how & 4) != 0 ? 2 : 0,
        .types_per_name_max = (how & 4) != 0 ? 2 : 0,
        .strip_generated = (how & 2) != 0,
        .private_type = DNS_TYPE_PRIVATE_DEFAULT,
    };
    if (base == NULL) {
        base = fixture_zone();
    }
    struct zone_transfer *transfer = zone_transfer_new(
        zone_version_apex(base), zone_version_class(base), (how & 1) != 0 ? base : NULL, &options);
    if (feed(transfer, &input)) {
        if (zone_transfer_kind(transfer) == ZONE_TRANSFER_WHOLE) {
            check_sealed(zone_transfer_take_whole(transfer), transfer);
        } else if (zone_transfer_kind(transfer) == ZONE_TRANSFER_DIFFERENCES) {
            apply(transfer, base);
        }
    }
    zone_transfer_free(transfer);
    fixture_settle(base);
    return 0;
}
