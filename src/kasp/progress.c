#include "kasp/progress.h"

static enum key_state_value zrrsig_of(const struct key_list *keys, size_t index)
{
    return keys->keys[index]->state.records[KEY_RECORD_ZRRSIG];
}

/* Does another key of its algorithm sign the zone, or has it until a moment ago? One that came in
 * the same instant has signed all of the zone with it. */
static bool has_other(const struct key_list *keys, size_t index, bool signs)
{
    const struct signing_key *own = keys->keys[index];
    for (size_t i = 0; i < keys->count; i++) {
        const struct signing_key *other = keys->keys[i];
        enum key_state_value value = zrrsig_of(keys, i);
        bool together = value == KEY_STATE_RUMOURED && other->state.changes[KEY_RECORD_ZRRSIG] ==
                                                           own->state.changes[KEY_RECORD_ZRRSIG];
        bool counts = kasp_key_signs_zone(other) || (!signs && value == KEY_STATE_UNRETENTIVE);
        if (i != index && other->algorithm == own->algorithm && counts && (signs || !together)) {
            return true;
        }
    }
    return false;
}

enum kasp_progress kasp_key_progress(const struct key_list *keys, size_t index)
{
    const struct signing_key *key = keys->keys[index];
    switch (zrrsig_of(keys, index)) {
    case KEY_STATE_RUMOURED:
        return has_other(keys, index, false) ? KASP_PROGRESS_SIGNING : KASP_PROGRESS_DONE;
    case KEY_STATE_OMNIPRESENT:
        return KASP_PROGRESS_DONE;
    case KEY_STATE_UNRETENTIVE:
        if (has_other(keys, index, true)) {
            return KASP_PROGRESS_REMOVING;
        }
        break;
    default:
        break;
    }
    return kasp_key_signs_keys(key) ? KASP_PROGRESS_DONE : KASP_PROGRESS_NONE;
}

bool kasp_progress_rdata(const struct key_list *keys, size_t index, uint64_t told,
                         uint8_t out_rdata[KASP_PROGRESS_BYTES])
{
    const struct signing_key *key = keys->keys[index];
    enum kasp_progress progress = kasp_key_progress(keys, index);
    bool complete = progress == KASP_PROGRESS_DONE && (told >> index & 1) != 0;
    if (!complete && progress != KASP_PROGRESS_SIGNING && progress != KASP_PROGRESS_REMOVING) {
        return false;
    }
    out_rdata[0] = key->algorithm;
    wire_put_u16(&out_rdata[1], key->tag);
    out_rdata[3] = progress == KASP_PROGRESS_REMOVING;
    out_rdata[4] = complete;
    return true;
}
