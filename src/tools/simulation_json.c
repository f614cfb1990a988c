#include "base/json.h"
#include "tools/simulation_print.h"

static void append_texts(struct json *json, const char *name, const char *const *texts,
                         size_t count)
{
    json_begin_array(json, name);
    for (size_t i = 0; i < count; i++) {
        json_text(json, NULL, texts[i]);
    }
    json_end_array(json);
}

static void append_states(struct json *json, const char *name, const struct key_state *state)
{
    json_begin_object(json, name);
    json_text(json, "goal", simulation_state_text(state->goal));
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (state->records[record] != KEY_STATE_NA) {
            json_text(json, simulation_record_text((enum key_record)record),
                      simulation_state_text(state->records[record]));
        }
    }
    json_end_object(json);
}

static void append_delay(struct json *json, const char *name, sg_duration delay)
{
    if (delay == SIMULATION_NEVER) {
        json_null(json, name);
    } else {
        json_number(json, name, delay);
    }
}

static void append_key(struct json *json, const struct simulation_key *key, size_t number)
{
    char wait[KASP_WAIT_TEXT_BYTES];
    kasp_wait_text(&key->wait, wait);
    json_begin_object(json, NULL);
    json_number(json, "number", (int64_t)number);
    json_number(json, "tag", key->key->tag);
    json_number(json, "algorithm", key->key->algorithm);
    json_text(json, "role", simulation_role(key));
    json_boolean(json, "invented", key->invented);
    json_time(json, "from", key->came);
    if (!key->invented) {
        append_states(json, "at_first", &key->before);
    }
    append_states(json, "at_last", &key->key->state);
    if (key->purged == KEY_TIME_UNSET) {
        json_text(json, "waits", wait);
    }
    json_end_object(json);
}

static void append_event(struct json *json, const struct simulation *simulation,
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
    json_begin_object(json, NULL);
    json_time(json, "time", event->at);
    json_number(json, "epoch", event->at);
    json_text(json, "event", acts[event->act]);
    if (event->key != SIZE_MAX) {
        json_number(json, "key", (int64_t)event->key);
        json_number(json, "tag", simulation->keys[event->key].key->tag);
    }
    if (event->act == SIMULATION_MOVED) {
        json_text(json, "record", simulation_record_text(event->record));
        json_text(json, "from", simulation_state_text(event->from));
        json_text(json, "to", simulation_state_text(event->to));
    }
    json_text(json, "why", event->why);
    json_end_object(json);
}

void simulation_print_json(const struct simulation *simulation, const struct simulation_page *page,
                           struct buffer *out_text)
{
    const struct simulation_request *request = &simulation->request;
    struct json json = json_of(out_text);
    json_begin_object(&json, NULL);
    json_text(&json, "zone", page->zone);
    json_text(&json, "view", page->view);
    json_text(&json, "policy", request->policy->name);
    json_time(&json, "from", request->from);
    json_time(&json, "until", request->until);
    json_time(&json, "ended", simulation->ended_at);
    json_boolean(&json, "complete", simulation->end == SIMULATION_ENDED);
    append_delay(&json, "parent_delay", request->parent_delay);
    append_delay(&json, "step_delay", request->step_delay);
    append_texts(&json, "notes", page->notes, page->notes_count);
    append_texts(&json, "warnings", page->warnings, page->warnings_count);
    json_begin_array(&json, "keys");
    for (size_t i = 0; i < simulation->keys_count; i++) {
        append_key(&json, &simulation->keys[i], i);
    }
    json_end_array(&json);
    json_begin_array(&json, "events");
    for (size_t i = 0; i < simulation->events_count; i++) {
        append_event(&json, simulation, &simulation->events[i]);
    }
    json_end_array(&json);
    json_end_object(&json);
    buffer_append_text(out_text, "\n");
}
