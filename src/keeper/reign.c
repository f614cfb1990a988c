#include "keeper/reign.h"

#include "base/assert.h"

static bool is_in(const struct signing_key *key, enum key_record record)
{
    enum key_state_value value = key->state.records[record];
    return value == KEY_STATE_RUMOURED || value == KEY_STATE_OMNIPRESENT;
}

static bool is_out(const struct signing_key *key, enum key_record record)
{
    enum key_state_value value = key->state.records[record];
    return value == KEY_STATE_UNRETENTIVE || value == KEY_STATE_HIDDEN;
}

static bool is_omnipresent(const struct signing_key *key, enum key_record record)
{
    return key->state.records[record] == KEY_STATE_OMNIPRESENT;
}

/* The last key of an algorithm leaves in one step with its signatures, or before them: that may be
 * ours, for a commit that never was. */
static bool leaves_at_once(const struct key_state *state)
{
    return state->records[KEY_RECORD_DNSKEY] == KEY_STATE_UNRETENTIVE &&
           state->records[KEY_RECORD_ZRRSIG] != KEY_STATE_HIDDEN &&
           state->changes[KEY_RECORD_ZRRSIG] >= state->changes[KEY_RECORD_DNSKEY];
}

sg_time reign_last_change(const struct signing_key *key)
{
    sg_time newest = KEY_TIME_UNSET;
    for (int record = 0; record < KEY_RECORDS; record++) {
        bool is_tracked = key->state.records[record] != KEY_STATE_NA;
        sg_time change = is_tracked ? key->state.changes[record] : KEY_TIME_UNSET;
        newest = change > newest ? change : newest;
    }
    return newest;
}

enum reign_trace reign_trace_of(const struct signing_key *key, const struct reign_place *place,
                                sg_time committed_at)
{
    if (!key->state.present || reign_last_change(key) <= committed_at) {
        return REIGN_NONE; /* of a backup, or as it was */
    }
    if (place->has_signed && is_out(key, KEY_RECORD_DNSKEY) && !leaves_at_once(&key->state)) {
        return REIGN_WITHDRAWN;
    }
    if (!place->is_published && is_in(key, KEY_RECORD_DS)) {
        return REIGN_TRUSTED;
    }
    /* A first step towards it may be ours, with a DNSKEY that comes at the same time, or is there;
     * two of them are not. */
    bool is_known = !place->is_published && is_omnipresent(key, KEY_RECORD_DNSKEY) &&
                    is_in(key, KEY_RECORD_ZRRSIG);
    bool has_begun = !place->has_signed && is_omnipresent(key, KEY_RECORD_ZRRSIG);
    return is_known || has_begun ? REIGN_SIGNS : REIGN_NONE;
}

const char *reign_trace_text(enum reign_trace trace)
{
    switch (trace) {
    case REIGN_NONE:
        return "nothing";
    case REIGN_WITHDRAWN:
        return "was withdrawn";
    case REIGN_SIGNS:
        return "signs";
    case REIGN_TRUSTED:
        return "has a DS at the parent";
    }
    UNREACHABLE();
}
