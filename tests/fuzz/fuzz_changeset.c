/*
 * Bytes as a changeset: walked, and applied to a small zone. What applies must make a zone that the
 * changeset from the old one, made anew, gives again.
 */
#include <stdint.h>

#include "../unit/zone/random_edits.h"
#include "epoch_stub.h"
#include "zone/changeset.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { CHANGES = 60 };

static const struct zone_version *make_base(void)
{
    static const struct arena_sizes sizes = {64, 512, 5000};
    static struct edits edits;
    const struct zone_version *version;
    edits_init(&edits, "example.", 5);
    struct zone_edit *edit = draft_new(&edits.apex, DNS_CLASS_IN, &sizes);
    edits_put_soa(&edits, edit, 1, ZONE_SOURCE);
    for (unsigned i = 0; i < CHANGES; i++) {
        edits_change_something(&edits, edit);
    }
    ASSERT(zone_edit_seal(edit, &version) == SG_OK);
    return version;
}

static void walk(struct span changeset)
{
    struct zone_changeset_header header = {0};
    uint64_t entries = 0;
    struct zone_changeset_walk walk = zone_changeset_walk(changeset);
    while (zone_changeset_next(&walk)) {
        entries++;
    }
    enum sg_result result = zone_changeset_header(changeset, &header);
    ASSERT(walk.failed || (result == SG_OK && header.entries == entries));
}

static void check_made_anew(const struct zone_version *base, const struct zone_version *version)
{
    struct buffer again = BUFFER_EMPTY;
    const struct zone_version *copy;
    struct zone_edit *edit;
    ASSERT(zone_changeset_make(base, version, &again) == SG_OK);
    struct buffer whole = BUFFER_EMPTY;
    ASSERT(zone_changeset_make(NULL, base, &whole) == SG_OK);
    edit = zone_edit_new(zone_version_apex(base), zone_version_class(base));
    ASSERT(zone_changeset_apply(edit, buffer_span(&whole), false) == SG_OK);
    ASSERT(zone_changeset_apply(edit, buffer_span(&again), false) == SG_OK);
    ASSERT(zone_edit_seal(edit, &copy) == SG_OK);
    edits_check_same(version, copy, false);
    zone_version_unref(copy);
    buffer_free(&again);
    buffer_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct zone_version *base;
    const struct zone_version *version;
    if (base == NULL) {
        base = make_base();
    }
    bool source_only = length > 0 && (bytes[length - 1] & 1) != 0;
    struct span changeset = {bytes, length > 0 ? length - 1 : 0};
    walk(changeset);
    struct zone_edit *edit = zone_edit_open(base);
    if (zone_changeset_apply(edit, changeset, source_only) != SG_OK) {
        zone_edit_abandon(edit);
    } else if (zone_edit_seal(edit, &version) == SG_OK) {
        check_made_anew(base, version);
        zone_version_unref(version);
    }
    epoch_barrier();
    return 0;
}
