#include "server/keys_text.h"

#include "base/json.h"

static const char *state_text(enum key_state_value value)
{
    static const char *const texts[] = {"hidden", "rumoured", "omnipresent", "unretentive", "-"};
    return texts[value];
}

static bool is_in(enum key_state_value value)
{
    return value == KEY_STATE_RUMOURED || value == KEY_STATE_OMNIPRESENT;
}

static const char *role_text(const struct key_state *state)
{
    if (state->ksk) {
        return state->zsk ? "CSK" : "KSK";
    }
    return state->zsk ? "ZSK" : "NOSIGN";
}

/* Made in advance: nothing is known of it but when. */
static bool is_unused(const struct keeper_key_status *key)
{
    for (int time = 0; time < KEY_TIMES; time++) {
        if (time != KEY_CREATED && key->times[time] != KEY_TIME_UNSET) {
            return false;
        }
    }
    for (int record = 0; record < KEY_RECORDS; record++) {
        enum key_state_value value = key->state.records[record];
        if (value != KEY_STATE_HIDDEN && value != KEY_STATE_NA) {
            return false;
        }
    }
    return true;
}

/* ---- lines of BIND ---- */

static void append_time(struct buffer *out_text, const char *words, sg_time when)
{
    char text[TIME_HUMAN_BYTES];
    time_to_ctime(when, 1, text);
    buffer_format(out_text, "%s%s\n", words, text);
}

static void append_use(struct buffer *out_text, const char *name, enum key_state_value state,
                       sg_time since, sg_time now)
{
    buffer_format(out_text, "  %-16s", name);
    if (is_in(state) && since != KEY_TIME_UNSET) {
        append_time(out_text, "yes - since ", since);
    } else if (is_in(state)) {
        buffer_append_text(out_text, "yes\n");
    } else if (since != KEY_TIME_UNSET && since > now) {
        append_time(out_text, "no  - scheduled ", since);
    } else {
        buffer_append_text(out_text, "no\n");
    }
}

static sg_time successor_due(const struct keys_text_zone *zone, const struct keeper_key_status *key)
{
    return key->wait.reason == KASP_WAIT_ROLL ? key->wait.until
                                              : key->times[KEY_INACTIVE] - zone->publish_interval;
}

static void append_roll(struct buffer *out_text, const struct keys_text_zone *zone,
                        const struct keeper_key_status *key, sg_time now)
{
    bool only_ksk = key->state.ksk && !key->state.zsk;
    sg_time active = key->times[only_ksk ? KEY_PUBLISH : KEY_ACTIVATE];
    sg_time retire = key->times[only_ksk ? KEY_DELETE : KEY_INACTIVE];
    bool signs = is_in(key->state.records[only_ksk ? KEY_RECORD_KRRSIG : KEY_RECORD_ZRRSIG]);
    bool leaves = key->state.goal == KEY_STATE_HIDDEN;
    if (active == KEY_TIME_UNSET) {
        return;
    }
    if (leaves && !signs && !is_in(key->state.records[KEY_RECORD_DNSKEY])) {
        buffer_append_text(out_text, "  Key has been removed from the zone\n");
    } else if (leaves && !signs && key->times[KEY_DELETE] != KEY_TIME_UNSET) {
        append_time(out_text, "  Key is retired, will be removed on ", key->times[KEY_DELETE]);
    } else if (leaves && !signs) {
        buffer_append_text(out_text, "  Key is retired\n");
    } else if (retire == KEY_TIME_UNSET || key->times[KEY_INACTIVE] == KEY_TIME_UNSET) {
        buffer_append_text(out_text, "  No rollover scheduled\n");
    } else if (now >= retire) {
        append_time(out_text, "  Rollover is due since ", retire);
    } else if (leaves) {
        append_time(out_text, "  Key will retire on ", retire);
    } else {
        append_time(out_text, "  Next rollover scheduled on ", successor_due(zone, key));
    }
}

static void append_states(struct buffer *out_text, const struct key_state *state)
{
    static const struct {
        enum key_record record;
        const char *name;
    } rows[] = {
        {KEY_RECORD_DNSKEY, "dnskey:"},
        {KEY_RECORD_DS, "ds:"},
        {KEY_RECORD_ZRRSIG, "zone rrsig:"},
        {KEY_RECORD_KRRSIG, "key rrsig:"},
    };
    buffer_format(out_text, "  - %-16s%s\n", "goal:", state_text(state->goal));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (state->records[rows[i].record] != KEY_STATE_NA) {
            buffer_format(out_text, "  - %-16s%s\n", rows[i].name,
                          state_text(state->records[rows[i].record]));
        }
    }
}

/* ---- lines of ours ---- */

static const char *deed_text(const struct keeper_key_status *key)
{
    if (key->signs_keys && key->signs_zone) {
        return "signs DNSKEY and the zone";
    }
    if (key->signs_keys) {
        return "signs DNSKEY";
    }
    if (key->signs_zone) {
        return "signs the zone";
    }
    return key->published ? "is published" : "is not in the zone";
}

static const char *sighting_text(const struct keeper_key_status *key)
{
    static const char *const texts[] = {
        [KASP_DS_UNKNOWN] = "unknown", [KASP_DS_SEEN] = "yes", [KASP_DS_MISSING] = "no"};
    return texts[key->ds];
}

/* What an operator said (-checkds), or a signer of before in the key's files, of the DS that is
 * asked for or was there. */
static enum kasp_sighting said_of_ds(const struct keeper_key_status *key)
{
    sg_time in = key->times[KEY_DS_PUBLISH];
    sg_time out = key->times[KEY_DS_REMOVED];
    if (is_in(key->state.records[KEY_RECORD_DS])) {
        return in != KEY_TIME_UNSET ? KASP_DS_SEEN : KASP_DS_UNKNOWN;
    }
    return out != KEY_TIME_UNSET ? KASP_DS_MISSING : KASP_DS_UNKNOWN;
}

/* "ds at parent: no, is to be published, asked Sat Nov 28 ..." */
static void append_parent(struct buffer *out_text, const struct keeper_key_status *key)
{
    static const char *const wishes[] = {
        [KASP_DS_UNKNOWN] = "",
        [KASP_DS_SEEN] = ", is to be published",
        [KASP_DS_MISSING] = ", is to be withdrawn",
    };
    char when[TIME_HUMAN_BYTES];
    enum kasp_sighting said = said_of_ds(key);
    if (!key->state.ksk ||
        (key->asks == KASP_DS_UNKNOWN && key->ds == KASP_DS_UNKNOWN && said == KASP_DS_UNKNOWN)) {
        return;
    }
    if (key->ds == KASP_DS_UNKNOWN && said != KASP_DS_UNKNOWN) {
        bool is_there = said == KASP_DS_SEEN;
        time_to_ctime(key->times[is_there ? KEY_DS_PUBLISH : KEY_DS_REMOVED], 1, when);
        buffer_format(out_text, "  %-16snot seen; said to be %s since %s%s",
                      "ds at parent:", is_there ? "published" : "withdrawn", when,
                      key->asks == said ? "" : wishes[key->asks]);
    } else {
        buffer_format(out_text, "  %-16s%s%s", "ds at parent:", sighting_text(key),
                      key->asks == key->ds ? "" : wishes[key->asks]);
    }
    if (key->ds_asked_at != KEY_TIME_UNSET) {
        time_to_ctime(key->ds_asked_at, 1, when);
        buffer_format(out_text, ", asked %s", when);
    }
    buffer_append_text(out_text, "\n");
}

static void append_key(struct buffer *out_text, const struct keys_text_zone *zone,
                       const struct keeper_key_status *key, sg_time now)
{
    const enum key_state_value *records = key->state.records;
    char wait[KASP_WAIT_TEXT_BYTES];
    kasp_wait_text(&key->wait, wait);
    buffer_format(out_text, "\nkey: %u (%s), %s\n", key->tag, dnssec_algorithm_text(key->algorithm),
                  role_text(&key->state));
    append_use(out_text, "published:", records[KEY_RECORD_DNSKEY], key->times[KEY_PUBLISH], now);
    if (key->state.ksk) {
        append_use(out_text, "key signing:", records[KEY_RECORD_KRRSIG], key->times[KEY_PUBLISH],
                   now);
    }
    if (key->state.zsk) {
        append_use(out_text, "zone signing:", records[KEY_RECORD_ZRRSIG], key->times[KEY_ACTIVATE],
                   now);
    }
    append_parent(out_text, key);
    buffer_format(out_text, "  %-16s%s; %s\n", "in short:", deed_text(key), wait);
    if (!key->has_secret) {
        buffer_format(out_text, "  %-16s%s\n", "private key:", "missing");
    }
    buffer_append_text(out_text, "\n");
    append_roll(out_text, zone, key, now);
    append_states(out_text, &key->state);
}

/* The next line of `*rest`, in `out_line`. False: no more. */
static bool next_line(const char **rest, struct buffer *out_line)
{
    if (*rest == NULL || **rest == '\0') {
        return false;
    }
    size_t length = strcspn(*rest, "\n");
    buffer_clear(out_line);
    buffer_append(out_line, *rest, length);
    *rest += length + ((*rest)[length] == '\n');
    return true;
}

static void append_lost(const struct keeper_keys_status *status, struct buffer *out_text)
{
    struct buffer line = BUFFER_EMPTY;
    for (size_t i = 0; i < status->lost_count; i++) {
        const struct keeper_lost_key *key = &status->lost[i];
        buffer_format(out_text,
                      "%skey: %u (%s), %s: in the zone, but its files are missing or cannot be "
                      "read\n",
                      i == 0 ? "\n" : "", key->tag, dnssec_algorithm_text(key->algorithm),
                      key->role);
    }
    for (const char *rest = status->searched; next_line(&rest, &line);) {
        buffer_format(out_text, "searched:      %s\n", buffer_text(&line));
    }
    buffer_free(&line);
}

void keys_text(const struct keys_text_zone *zone, const struct keeper_keys_status *status,
               struct buffer *out_text)
{
    buffer_format(out_text, "dnssec-policy: %s\n", zone->policy);
    append_time(out_text, "current time:  ", status->now);
    if (status->wake_at != INT64_MAX) {
        append_time(out_text, "next event:    ", status->wake_at);
    }
    if (status->problem != NULL) {
        buffer_format(out_text, "problem:       %s; no key changes until then\n", status->problem);
    }
    if (status->manual) {
        buffer_format(out_text, "manual-mode:   something waits for 'dnssec -step %s'\n",
                      zone->zone);
    }
    if (status->publishes_delete) {
        buffer_append_text(out_text, "cds, cdnskey:  ask the parent to remove every DS\n");
    }
    struct buffer line = BUFFER_EMPTY;
    for (const char *rest = zone->parent; next_line(&rest, &line);) {
        buffer_format(out_text, "parent:        %s\n", buffer_text(&line));
    }
    buffer_free(&line);
    for (size_t i = 0; i < status->count; i++) {
        if (!is_unused(&status->keys[i])) {
            append_key(out_text, zone, &status->keys[i], status->now);
        }
    }
    append_lost(status, out_text);
}

/* ---- progress ---- */

void keys_text_signing(const struct keys_text_zone *zone, const struct keeper_keys_status *status,
                       struct buffer *out_text)
{
    static const char *const texts[] = {
        [KASP_PROGRESS_NONE] = "",
        [KASP_PROGRESS_SIGNING] = "Signing with",
        [KASP_PROGRESS_REMOVING] = "Removing signatures for",
        [KASP_PROGRESS_DONE] = "Done signing with",
    };
    bool some = false;
    (void)zone; /* as the other writers */
    for (size_t i = 0; i < status->count; i++) {
        const struct keeper_key_status *key = &status->keys[i];
        if (key->progress != KASP_PROGRESS_NONE) {
            buffer_format(out_text, "%s%s key %u/%s", some ? "\n" : "", texts[key->progress],
                          key->tag, dnssec_algorithm_text(key->algorithm));
            some = true;
        }
    }
    if (!some) {
        buffer_append_text(out_text, "No signing records found");
    }
}

/* ---- JSON ---- */

static void append_json_times(struct json *json, const struct keeper_key_status *key)
{
    static const char *const names[KEY_TIMES] = {
        [KEY_CREATED] = "created",           [KEY_PUBLISH] = "publish",
        [KEY_ACTIVATE] = "activate",         [KEY_REVOKE] = "revoke",
        [KEY_INACTIVE] = "inactive",         [KEY_DELETE] = "delete",
        [KEY_DS_PUBLISH] = "ds-publish",     [KEY_DS_REMOVED] = "ds-removed",
        [KEY_SYNC_PUBLISH] = "sync-publish", [KEY_SYNC_DELETE] = "sync-delete",
        [KEY_SIG_PUBLISH] = "sig-publish",   [KEY_SIG_REMOVED] = "sig-removed",
    };
    json_begin_object(json, "times");
    for (int time = 0; time < KEY_TIMES; time++) {
        if (key->times[time] != KEY_TIME_UNSET) {
            json_time(json, names[time], key->times[time]);
        }
    }
    json_end_object(json);
}

static void append_json_states(struct json *json, const struct key_state *state)
{
    static const char *const names[KEY_RECORDS] = {"dnskey", "zone-rrsig", "key-rrsig", "ds"};
    json_text(json, "goal", state_text(state->goal));
    json_begin_object(json, "states");
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (state->records[record] == KEY_STATE_NA) {
            continue;
        }
        json_begin_object(json, names[record]);
        json_text(json, "state", state_text(state->records[record]));
        if (state->changes[record] != KEY_TIME_UNSET) {
            json_time(json, "since", state->changes[record]);
        }
        json_end_object(json);
    }
    json_end_object(json);
}

static const char *reason_text(enum kasp_reason reason)
{
    static const char *const texts[KASP_WAIT_REASONS] = {
        [KASP_WAIT_NONE] = "none",   [KASP_WAIT_TIME] = "time",   [KASP_WAIT_PARENT] = "parent",
        [KASP_WAIT_MANUAL] = "step", [KASP_WAIT_RULE] = "rule",   [KASP_WAIT_TURN] = "turn",
        [KASP_WAIT_ROLL] = "roll",   [KASP_WAIT_CHAIN] = "chain", [KASP_WAIT_KEY] = "key",
        [KASP_WAIT_FILES] = "files", [KASP_WAIT_CLOCK] = "clock", [KASP_WAIT_UNSERVED] = "expired",
        [KASP_WAIT_PURGE] = "purge", [KASP_WAIT_TWIN] = "view",   [KASP_WAIT_NO_DS] = "no-ds",
    };
    return texts[reason];
}

/* Does the reason say until when, or since? */
static bool has_instant(enum kasp_reason reason)
{
    return reason == KASP_WAIT_TIME || reason == KASP_WAIT_PARENT || reason == KASP_WAIT_NO_DS ||
           reason == KASP_WAIT_ROLL || reason == KASP_WAIT_CHAIN || reason == KASP_WAIT_PURGE;
}

static void append_json_wait(struct json *json, const struct kasp_wait *wait)
{
    char text[KASP_WAIT_TEXT_BYTES];
    bool since = wait->reason == KASP_WAIT_PARENT || wait->reason == KASP_WAIT_NO_DS ||
                 wait->reason == KASP_WAIT_CHAIN;
    kasp_wait_text(wait, text);
    json_begin_object(json, "waits");
    json_text(json, "reason", reason_text(wait->reason));
    if (has_instant(wait->reason)) {
        json_time(json, since ? "since" : "until", wait->until);
    }
    json_text(json, "text", text);
    json_end_object(json);
}

static void append_json_parent(struct json *json, const struct keeper_key_status *key)
{
    static const char *const texts[] = {[KASP_DS_UNKNOWN] = "unknown",
                                        [KASP_DS_SEEN] = "published",
                                        [KASP_DS_MISSING] = "withdrawn"};
    json_begin_object(json, "parent");
    json_text(json, "ds", texts[key->ds]);
    if (key->ds_at != KEY_TIME_UNSET) {
        json_time(json, "since", key->ds_at);
    }
    if (key->ds_asked_at != KEY_TIME_UNSET) {
        json_time(json, "asked", key->ds_asked_at);
    }
    if (key->asks == KASP_DS_UNKNOWN) {
        json_null(json, "wanted");
    } else {
        json_text(json, "wanted", texts[key->asks]);
    }
    json_end_object(json);
}

static void append_json_key(struct json *json, const struct keeper_key_status *key)
{
    json_begin_object(json, NULL);
    json_number(json, "tag", key->tag);
    json_number(json, "algorithm", key->algorithm);
    json_text(json, "algorithm-name", dnssec_algorithm_text(key->algorithm));
    json_number(json, "bits", key->bits);
    json_number(json, "flags", key->flags);
    json_text(json, "role", role_text(&key->state));
    json_boolean(json, "published", key->published);
    json_boolean(json, "signs-keys", key->signs_keys);
    json_boolean(json, "signs-zone", key->signs_zone);
    json_boolean(json, "wants-ds", key->wants_ds);
    json_boolean(json, "private-key", key->has_secret);
    if (key->state.has_lifetime) {
        json_number(json, "lifetime", key->state.lifetime);
    }
    if (key->state.has_predecessor) {
        json_number(json, "predecessor", key->state.predecessor);
    }
    if (key->state.has_successor) {
        json_number(json, "successor", key->state.successor);
    }
    append_json_states(json, &key->state);
    append_json_times(json, key);
    append_json_wait(json, &key->wait);
    if (key->state.ksk) {
        append_json_parent(json, key);
    }
    json_end_object(json);
}

static void append_json_lost(struct json *json, const struct keeper_keys_status *status)
{
    struct buffer line = BUFFER_EMPTY;
    json_begin_array(json, "lost-keys");
    for (size_t i = 0; i < status->lost_count; i++) {
        const struct keeper_lost_key *key = &status->lost[i];
        json_begin_object(json, NULL);
        json_number(json, "tag", key->tag);
        json_number(json, "algorithm", key->algorithm);
        json_text(json, "algorithm-name", dnssec_algorithm_text(key->algorithm));
        json_number(json, "flags", key->flags);
        json_text(json, "role", key->role);
        json_end_object(json);
    }
    json_end_array(json);
    json_begin_array(json, "searched");
    for (const char *rest = status->searched; next_line(&rest, &line);) {
        json_text(json, NULL, buffer_text(&line));
    }
    json_end_array(json);
    buffer_free(&line);
}

void keys_text_json(const struct keys_text_zone *zone, const struct keeper_keys_status *status,
                    struct buffer *out_text)
{
    struct json json = json_of(out_text);
    json_begin_object(&json, NULL);
    json_text(&json, "zone", zone->zone);
    json_text(&json, "view", zone->view);
    json_text(&json, "policy", zone->policy);
    json_time(&json, "time", status->now);
    if (status->wake_at == INT64_MAX) {
        json_null(&json, "next-event");
    } else {
        json_time(&json, "next-event", status->wake_at);
    }
    json_boolean(&json, "waits-for-step", status->manual);
    json_boolean(&json, "publishes-delete", status->publishes_delete);
    if (status->problem != NULL) {
        json_text(&json, "problem", status->problem);
    }
    struct buffer line = BUFFER_EMPTY;
    json_begin_array(&json, "parent-waits");
    for (const char *rest = zone->parent; next_line(&rest, &line);) {
        json_text(&json, NULL, buffer_text(&line));
    }
    json_end_array(&json);
    buffer_free(&line);
    append_json_lost(&json, status);
    json_begin_array(&json, "keys");
    for (size_t i = 0; i < status->count; i++) {
        append_json_key(&json, &status->keys[i]);
    }
    json_end_array(&json);
    json_end_object(&json);
}
