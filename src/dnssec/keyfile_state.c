#include <stddef.h>

#include "dnssec/keyfile.h"

static const char *const state_texts[] = {
    [KEY_STATE_HIDDEN] = "hidden",
    [KEY_STATE_RUMOURED] = "rumoured",
    [KEY_STATE_OMNIPRESENT] = "omnipresent",
    [KEY_STATE_UNRETENTIVE] = "unretentive",
};

/* In the order of writing. BIND's reader and writer differ in a few names: both are read. */
static const struct {
    enum key_time time;
    const char *written;
    const char *also;
} times[] = {
    {KEY_CREATED, "Generated", NULL},
    {KEY_PUBLISH, "Published", NULL},
    {KEY_ACTIVATE, "Active", NULL},
    {KEY_INACTIVE, "Retired", NULL},
    {KEY_REVOKE, "Revoked", NULL},
    {KEY_DELETE, "Removed", NULL},
    {KEY_DS_PUBLISH, "DSPublish", NULL},
    {KEY_DS_REMOVED, "DSRemoved", NULL},
    {KEY_SIG_PUBLISH, "SigPublish", "ZRRSIGPublish"},
    {KEY_SIG_REMOVED, "SigRemoved", "ZZRRSIGDelete"},
    {KEY_SYNC_PUBLISH, "PublishCDS", "SyncPublish"},
    {KEY_SYNC_DELETE, "DeleteCDS", "SyncDelete"},
};

static const char *const change_tags[KEY_RECORDS] = {
    [KEY_RECORD_DNSKEY] = "DNSKEYChange",
    [KEY_RECORD_ZRRSIG] = "ZRRSIGChange",
    [KEY_RECORD_KRRSIG] = "KRRSIGChange",
    [KEY_RECORD_DS] = "DSChange",
};

static const char *const state_tags[KEY_RECORDS] = {
    [KEY_RECORD_DNSKEY] = "DNSKEYState",
    [KEY_RECORD_ZRRSIG] = "ZRRSIGState",
    [KEY_RECORD_KRRSIG] = "KRRSIGState",
    [KEY_RECORD_DS] = "DSState",
};

static bool value_is(struct span value, const char *text)
{
    size_t length = strlen(text);
    return value.length >= length && memcmp(value.bytes, text, length) == 0 &&
           (value.length == length || value.bytes[length] == ' ');
}

static enum sg_result read_state_value(struct span value, enum key_state_value *out_state)
{
    for (size_t i = 0; i < ARRAY_LEN(state_texts); i++) {
        if (value_is(value, state_texts[i])) {
            *out_state = (enum key_state_value)i;
            return SG_OK;
        }
    }
    return SG_MALFORMED;
}

static enum sg_result read_role(struct span value, struct key_state *state, bool *out_role)
{
    if (!value_is(value, "yes") && !value_is(value, "no")) {
        return SG_MALFORMED;
    }
    *out_role = value_is(value, "yes");
    state->has_roles = true;
    return SG_OK;
}

static enum sg_result read_u32(struct span value, bool *out_has, uint32_t *out_number)
{
    enum sg_result result = keyfile_number(value, UINT32_MAX, out_number);
    *out_has = *out_has || result == SG_OK;
    return result;
}

static enum sg_result read_tag(struct span value, bool *out_has, uint16_t *out_tag)
{
    uint32_t number;
    enum sg_result result = keyfile_number(value, UINT16_MAX, &number);
    if (result == SG_OK) {
        *out_has = true;
        *out_tag = (uint16_t)number;
    }
    return result;
}

static enum sg_result read_number_or_role(const struct keyfile_line *line, struct key_state *state)
{
    if (keyfile_line_is(line, "Lifetime")) {
        return read_u32(line->value, &state->has_lifetime, &state->lifetime);
    }
    if (keyfile_line_is(line, "Predecessor")) {
        return read_tag(line->value, &state->has_predecessor, &state->predecessor);
    }
    if (keyfile_line_is(line, "Successor")) {
        return read_tag(line->value, &state->has_successor, &state->successor);
    }
    if (keyfile_line_is(line, "KSK")) {
        return read_role(line->value, state, &state->ksk);
    }
    if (keyfile_line_is(line, "ZSK")) {
        return read_role(line->value, state, &state->zsk);
    }
    if (keyfile_line_is(line, "DSPubCount")) {
        return read_u32(line->value, &state->has_ds_publish_count, &state->ds_publish_count);
    }
    if (keyfile_line_is(line, "DSDelCount") || keyfile_line_is(line, "DSRemCount")) {
        return read_u32(line->value, &state->has_ds_removed_count, &state->ds_removed_count);
    }
    return SG_OK; /* unknown tags are skipped */
}

static enum sg_result read_line(const struct keyfile_line *line, struct signing_key *key)
{
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        if (keyfile_line_is(line, times[i].written) ||
            (times[i].also != NULL && keyfile_line_is(line, times[i].also))) {
            return keyfile_time(line->value, &key->times[times[i].time]);
        }
    }
    for (size_t i = 0; i < KEY_RECORDS; i++) {
        if (keyfile_line_is(line, change_tags[i])) {
            return keyfile_time(line->value, &key->state.changes[i]);
        }
        if (keyfile_line_is(line, state_tags[i])) {
            return read_state_value(line->value, &key->state.records[i]);
        }
    }
    if (keyfile_line_is(line, "GoalState")) {
        return read_state_value(line->value, &key->state.goal);
    }
    return read_number_or_role(line, &key->state);
}

/* "Algorithm" and "Length", which must be those of the key. */
static enum sg_result read_identity(struct keyfile_line *line, const char *tag, uint32_t expected,
                                    struct keyfile_problem *problem)
{
    uint32_t number;
    if (!keyfile_line_next(line) || !keyfile_line_is(line, tag) ||
        keyfile_number(line->value, UINT16_MAX, &number) != SG_OK) {
        return keyfile_fail(problem, SG_MALFORMED, line->number,
                            "expected Algorithm: and Length: as the first lines");
    }
    if (number != expected) {
        return keyfile_fail(problem, SG_BAD_KEY, line->number, "not the state of this key");
    }
    return SG_OK;
}

enum sg_result keyfile_state_read(struct span text, struct signing_key *key,
                                  struct keyfile_problem *problem)
{
    struct keyfile_line line = keyfile_lines(text);
    if (!keyfile_line_next(&line)) { /* BIND discards one line, whatever it is */
        return keyfile_fail(problem, SG_MALFORMED, 0, "is empty");
    }
    enum sg_result result = read_identity(&line, "Algorithm", key->algorithm, problem);
    if (result == SG_OK) {
        result = read_identity(&line, "Length", key->bits, problem);
    }
    while (result == SG_OK && keyfile_line_next(&line)) {
        if (line.number > KEYFILE_LINES_MAX) {
            return keyfile_fail(problem, SG_MALFORMED, line.number, "too many lines");
        }
        if (line.tag.length == 0) {
            return keyfile_fail(problem, SG_MALFORMED, line.number, "expected `Tag: value'");
        }
        if (read_line(&line, key) != SG_OK) {
            return keyfile_fail(problem, SG_MALFORMED, line.number, "bad value");
        }
    }
    if (result == SG_OK) {
        key->state.present = true;
    }
    return result;
}

void keyfile_state_write(const struct signing_key *key, struct buffer *out_text)
{
    const struct key_state *state = &key->state;
    char zone[DNS_NAME_TEXT_BYTES];
    buffer_format(out_text, "; This is the state of key %u, for %s\n", key->tag,
                  dns_name_to_text(&key->zone, zone));
    buffer_format(out_text, "Algorithm: %u\nLength: %u\n", key->algorithm, key->bits);
    if (state->has_lifetime) {
        buffer_format(out_text, "Lifetime: %u\n", state->lifetime);
    }
    if (state->has_predecessor) {
        buffer_format(out_text, "Predecessor: %u\n", state->predecessor);
    }
    if (state->has_successor) {
        buffer_format(out_text, "Successor: %u\n", state->successor);
    }
    if (state->has_roles) {
        buffer_format(out_text, "KSK: %s\nZSK: %s\n", state->ksk ? "yes" : "no",
                      state->zsk ? "yes" : "no");
    }
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        if (key->times[times[i].time] != KEY_TIME_UNSET) {
            keyfile_append_time(out_text, times[i].written, key->times[times[i].time]);
        }
    }
    if (state->has_ds_publish_count) {
        buffer_format(out_text, "DSPubCount: %u\n", state->ds_publish_count);
    }
    if (state->has_ds_removed_count) {
        buffer_format(out_text, "DSDelCount: %u\n", state->ds_removed_count);
    }
    for (size_t i = 0; i < KEY_RECORDS; i++) {
        if (state->changes[i] != KEY_TIME_UNSET) {
            keyfile_append_time(out_text, change_tags[i], state->changes[i]);
        }
    }
    for (size_t i = 0; i < KEY_RECORDS; i++) {
        if (state->records[i] != KEY_STATE_NA) {
            buffer_format(out_text, "%s: %s\n", state_tags[i], state_texts[state->records[i]]);
        }
    }
    if (state->goal != KEY_STATE_NA) {
        buffer_format(out_text, "GoalState: %s\n", state_texts[state->goal]);
    }
}
