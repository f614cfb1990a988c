#include <stdio.h>

#include "base/mem.h"
#include "tools/simulation_print.h"
#include "tools/simulation_why.h"

const char *simulation_state_text(enum key_state_value value)
{
    static const char *const texts[] = {"hidden", "rumoured", "omnipresent", "unretentive", "-"};
    return texts[value];
}

const char *simulation_record_text(enum key_record record)
{
    static const char *const texts[KEY_RECORDS] = {"DNSKEY", "ZRRSIG", "KRRSIG", "DS"};
    return texts[record];
}

/* "CSK 12345*": made up, if there is a star. */
static const char *label_of(const struct simulation *simulation, size_t index, char text[24])
{
    static const char *const roles[] = {"key", "KSK", "ZSK", "CSK"};
    if (index == SIZE_MAX) {
        return "zone";
    }
    const struct simulation_key *key = &simulation->keys[index];
    unsigned role = (key->key->state.ksk ? 1U : 0U) | (key->key->state.zsk ? 2U : 0U);
    (void)snprintf(text, 24, "%s %u%s", roles[role], key->key->tag, key->invented ? "*" : "");
    return text;
}

static void append_what(const struct simulation_event *event, struct buffer *out_text)
{
    static const char *const acts[] = {
        [SIMULATION_MADE] = "is made",
        [SIMULATION_PURGED] = "its files are removed",
        [SIMULATION_DS_SEEN] = "the parent publishes its DS",
        [SIMULATION_DS_GONE] = "the parent removes its DS",
        [SIMULATION_STEPPED] = "signet dnssec -step",
        [SIMULATION_DELETE_BEGUN] = "CDS DELETE published",
        [SIMULATION_DELETE_ENDED] = "CDS DELETE withdrawn",
    };
    static const char *const moves[KEY_RECORDS][5] = {
        [KEY_RECORD_DNSKEY] = {"gone from all caches", "published", "in all caches", "withdrawn"},
        [KEY_RECORD_ZRRSIG] = {"gone from all caches", "signs the zone", "in all caches",
                               "signs no more"},
        [KEY_RECORD_KRRSIG] = {"gone from all caches", "signs DNSKEY", "in all caches",
                               "signs no more"},
        [KEY_RECORD_DS] = {"gone from all caches", "asked for", "in all caches", "to be removed"},
    };
    if (event->act != SIMULATION_MOVED) {
        buffer_format(out_text, "%-42s", acts[event->act]);
        return;
    }
    char state[32];
    (void)snprintf(state, sizeof(state), "%s", simulation_state_text(event->to));
    buffer_format(out_text, "%-7s%-13s%-22s", simulation_record_text(event->record), state,
                  moves[event->record][event->to]);
}

static void append_event(const struct simulation *simulation, const struct simulation_page *page,
                         size_t index, struct buffer *out_text)
{
    const struct simulation_event *event = &simulation->events[index];
    char when[TIME_HUMAN_BYTES] = "";
    char label[24];
    if (index == 0 || simulation->events[index - 1].at != event->at) {
        time_to_iso(event->at, when);
    }
    buffer_format(out_text, "%-22s%-12s", when, label_of(simulation, event->key, label));
    append_what(event, out_text);
    bool of_parent = event->act == SIMULATION_DS_SEEN || event->act == SIMULATION_DS_GONE;
    if (of_parent && !page->checkds) {
        buffer_format(out_text, "then: signet dnssec -checkds -key %u -alg %u %s %s\n",
                      simulation->keys[event->key].key->tag,
                      simulation->keys[event->key].key->algorithm,
                      event->act == SIMULATION_DS_SEEN ? "published" : "withdrawn", page->zone);
    } else {
        buffer_format(out_text, "%s\n", event->why);
    }
}

static void append_key(const struct simulation *simulation, size_t index, struct buffer *out_text)
{
    const struct simulation_key *key = &simulation->keys[index];
    char label[24];
    buffer_format(out_text, "  %-12s%-18s", label_of(simulation, index, label),
                  dnssec_algorithm_text(key->key->algorithm));
}

static void append_states(const struct key_state *state, struct buffer *out_text)
{
    buffer_format(out_text, "goal %s", simulation_state_text(state->goal));
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (state->records[record] != KEY_STATE_NA) {
            buffer_format(out_text, ", %s %s", simulation_record_text((enum key_record)record),
                          simulation_state_text(state->records[record]));
        }
    }
    buffer_append_text(out_text, "\n");
}

static void append_keys_at_first(const struct simulation *simulation, struct buffer *out_text)
{
    size_t count = 0;
    for (size_t i = 0; i < simulation->keys_count && !simulation->keys[i].invented; i++) {
        append_key(simulation, i, out_text);
        append_states(&simulation->keys[i].before, out_text);
        count++;
    }
    if (count == 0) {
        buffer_append_text(out_text, "  none\n");
    }
}

static void append_keys_at_last(const struct simulation *simulation, struct buffer *out_text)
{
    for (size_t i = 0; i < simulation->keys_count; i++) {
        char text[KASP_WAIT_TEXT_BYTES];
        if (simulation->keys[i].purged == KEY_TIME_UNSET) {
            kasp_wait_text(&simulation->keys[i].wait, text);
            append_key(simulation, i, out_text);
            buffer_format(out_text, "%s\n", text);
        }
    }
}

static void append_list(const char *title, const char *const *lines, size_t count,
                        struct buffer *out_text)
{
    for (size_t i = 0; i < count; i++) {
        buffer_format(out_text, "%s: %s\n", title, lines[i]);
    }
}

void simulation_print_table(const struct simulation *simulation, const struct simulation_page *page,
                            struct buffer *out_text)
{
    char from[TIME_HUMAN_BYTES], until[TIME_HUMAN_BYTES];
    time_to_iso(simulation->request.from, from);
    time_to_iso(simulation->ended_at, until);
    buffer_format(out_text, "zone %s, view %s, dnssec-policy %s\nfrom %s until %s\n", page->zone,
                  page->view, simulation->request.policy->name, from, until);
    append_list("note", page->notes, page->notes_count, out_text);
    buffer_append_text(out_text, "\nkeys at the beginning\n");
    append_keys_at_first(simulation, out_text);
    buffer_format(out_text, "\n%-22s%-12s%-42s%s\n", "time", "key", "what", "why");
    for (size_t i = 0; i < simulation->events_count; i++) {
        append_event(simulation, page, i, out_text);
    }
    buffer_append_text(out_text, "\nkeys at the end\n");
    append_keys_at_last(simulation, out_text);
    if (page->warnings_count > 0) {
        buffer_append_text(out_text, "\n");
    }
    append_list("warning", page->warnings, page->warnings_count, out_text);
}
