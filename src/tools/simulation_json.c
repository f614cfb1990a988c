#include <stdio.h>

#include "base/mem.h"
#include "tools/simulation_print.h"

/* RFC 8259 7. Names of zones are ASCII, escaped as in zone files; bytes beyond it, as the names of
 * views and policies may have, are given as Latin-1, so that the text is always JSON. */
static void append_string(struct buffer *out_text, const char *text)
{
    buffer_append_text(out_text, "\"");
    for (; *text != 0; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            buffer_format(out_text, "\\%c", byte);
        } else if (byte < 0x20 || byte > 0x7e) {
            buffer_format(out_text, "\\u%04x", byte);
        } else {
            buffer_append_u8(out_text, byte);
        }
    }
    buffer_append_text(out_text, "\"");
}

static void append_text_member(struct buffer *out_text, const char *name, const char *text)
{
    buffer_format(out_text, "\"%s\": ", name);
    append_string(out_text, text);
}

static void append_time_member(struct buffer *out_text, const char *name, sg_time when)
{
    char text[SIMULATION_TIME_BYTES];
    simulation_time_text(when, text);
    buffer_format(out_text, "\"%s\": \"%s\"", name, text);
}

static void append_strings(struct buffer *out_text, const char *name, const char *const *texts,
                           size_t count)
{
    buffer_format(out_text, "  \"%s\": [", name);
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out_text, i == 0 ? "\n    " : ",\n    ");
        append_string(out_text, texts[i]);
    }
    buffer_append_text(out_text, count == 0 ? "],\n" : "\n  ],\n");
}

static void append_states(struct buffer *out_text, const char *name, const struct key_state *state)
{
    buffer_format(out_text, "\"%s\": {\"goal\": \"%s\"", name, simulation_state_text(state->goal));
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (state->records[record] != KEY_STATE_NA) {
            buffer_format(out_text, ", \"%s\": \"%s\"",
                          simulation_record_text((enum key_record)record),
                          simulation_state_text(state->records[record]));
        }
    }
    buffer_append_text(out_text, "}");
}

/* null, as where there is none. */
static void append_delay(struct buffer *out_text, const char *name, sg_duration delay)
{
    if (delay == SIMULATION_NEVER) {
        buffer_format(out_text, "  \"%s\": null,\n", name);
    } else {
        buffer_format(out_text, "  \"%s\": %lld,\n", name, (long long)delay);
    }
}

static void append_key(struct buffer *out_text, const struct simulation_key *key, size_t number)
{
    char wait[KASP_WAIT_TEXT_BYTES];
    kasp_wait_text(&key->wait, wait);
    buffer_format(out_text,
                  "    {\"number\": %zu, \"tag\": %u, \"algorithm\": %u, \"role\": \"%s\", "
                  "\"invented\": %s, ",
                  number, key->key->tag, key->key->algorithm, simulation_role(key),
                  key->invented ? "true" : "false");
    append_time_member(out_text, "from", key->came);
    if (!key->invented) {
        buffer_append_text(out_text, ", ");
        append_states(out_text, "at_first", &key->before);
    }
    buffer_append_text(out_text, ", ");
    append_states(out_text, "at_last", &key->key->state);
    if (key->purged == KEY_TIME_UNSET) {
        buffer_append_text(out_text, ", ");
        append_text_member(out_text, "waits", wait);
    }
    buffer_append_text(out_text, "}");
}

static void append_event(struct buffer *out_text, const struct simulation *simulation,
                         const struct simulation_event *event)
{
    static const char *const acts[] = {
        [SIMULATION_MOVED] = "state",
        [SIMULATION_MADE] = "made",
        [SIMULATION_PURGED] = "purged",
        [SIMULATION_DS_SEEN] = "ds-published",
        [SIMULATION_DS_GONE] = "ds-removed",
        [SIMULATION_STEPPED] = "step",
        [SIMULATION_DELETE_BEGUN] = "cds-delete-published",
        [SIMULATION_DELETE_ENDED] = "cds-delete-withdrawn",
    };
    buffer_append_text(out_text, "    {");
    append_time_member(out_text, "time", event->at);
    buffer_format(out_text, ", \"epoch\": %lld, \"event\": \"%s\", ", (long long)event->at,
                  acts[event->act]);
    if (event->key != SIZE_MAX) {
        buffer_format(out_text, "\"key\": %zu, \"tag\": %u, ", event->key,
                      simulation->keys[event->key].key->tag);
    }
    if (event->act == SIMULATION_MOVED) {
        buffer_format(out_text, "\"record\": \"%s\", \"from\": \"%s\", \"to\": \"%s\", ",
                      simulation_record_text(event->record), simulation_state_text(event->from),
                      simulation_state_text(event->to));
    }
    append_text_member(out_text, "why", event->why);
    buffer_append_text(out_text, "}");
}

void simulation_print_json(const struct simulation *simulation, const struct simulation_page *page,
                           struct buffer *out_text)
{
    const struct simulation_request *request = &simulation->request;
    buffer_append_text(out_text, "{\n  ");
    append_text_member(out_text, "zone", page->zone);
    buffer_append_text(out_text, ",\n  ");
    append_text_member(out_text, "view", page->view);
    buffer_append_text(out_text, ",\n  ");
    append_text_member(out_text, "policy", request->policy->name);
    buffer_append_text(out_text, ",\n  ");
    append_time_member(out_text, "from", request->from);
    buffer_append_text(out_text, ",\n  ");
    append_time_member(out_text, "until", request->until);
    buffer_append_text(out_text, ",\n  ");
    append_time_member(out_text, "ended", simulation->ended_at);
    buffer_format(out_text, ",\n  \"complete\": %s,\n",
                  simulation->end == SIMULATION_ENDED ? "true" : "false");
    append_delay(out_text, "parent_delay", request->parent_delay);
    append_delay(out_text, "step_delay", request->step_delay);
    append_strings(out_text, "notes", page->notes, page->notes_count);
    append_strings(out_text, "warnings", page->warnings, page->warnings_count);
    buffer_append_text(out_text, "  \"keys\": [\n");
    for (size_t i = 0; i < simulation->keys_count; i++) {
        append_key(out_text, &simulation->keys[i], i);
        buffer_append_text(out_text, i + 1 < simulation->keys_count ? ",\n" : "\n");
    }
    buffer_append_text(out_text, "  ],\n  \"events\": [\n");
    for (size_t i = 0; i < simulation->events_count; i++) {
        append_event(out_text, simulation, &simulation->events[i]);
        buffer_append_text(out_text, i + 1 < simulation->events_count ? ",\n" : "\n");
    }
    buffer_append_text(out_text, "  ]\n}\n");
}
