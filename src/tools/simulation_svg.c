#include <stdio.h>

#include "base/mem.h"
#include "tools/simulation_print.h"
#include "tools/simulation_why.h"

/* In user units, which are pixels. */
enum {
    PICTURE_WIDTH = 1230,
    PLOT_LEFT = 220,
    PLOT_WIDTH = 960,
    HEADER_HEIGHT = 96,
    FIGURE_HEIGHT = 80,
    BAR_HEIGHT = 11,
    ROW_HEIGHT = 15,
    KEY_GAP = 12,
    TICKS = 8,
    KEYS_SHOWN_MAX = 200
};

/* A picture that grows downwards. */
struct canvas {
    const struct simulation *simulation;
    struct buffer *out;
    int y;
};

static const char *colour_of(enum key_state_value value)
{
    static const char *const colours[] = {
        [KEY_STATE_HIDDEN] = "none",
        [KEY_STATE_RUMOURED] = "#e9b44c",
        [KEY_STATE_OMNIPRESENT] = "#2f855a",
        [KEY_STATE_UNRETENTIVE] = "#c05621",
        [KEY_STATE_NA] = "none",
    };
    return colours[value];
}

/* XML 1.0 2.4; bytes that it has no place for become question marks. */
static void append_escaped(struct buffer *out, const char *text)
{
    for (; *text != 0; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '<' || byte == '>' || byte == '&' || byte == '"') {
            buffer_format(out, "&#%u;", byte);
        } else {
            buffer_append_u8(out, byte < 0x20 || byte > 0x7e ? (uint8_t)'?' : byte);
        }
    }
}

static double x_of(const struct canvas *canvas, sg_time when)
{
    sg_time from = canvas->simulation->request.from;
    sg_time until = canvas->simulation->ended_at;
    sg_time shown = when < from ? from : when > until ? until : when;
    return PLOT_LEFT +
           (until > from ? (double)(shown - from) * PLOT_WIDTH / (double)(until - from) : 0);
}

static void append_text(const struct canvas *canvas, double x, const char *class, const char *text)
{
    buffer_format(canvas->out, "<text x=\"%.1f\" y=\"%d\" class=\"%s\">", x,
                  canvas->y + BAR_HEIGHT - 1, class);
    append_escaped(canvas->out, text);
    buffer_append_text(canvas->out, "</text>\n");
}

/* A piece of a bar, with a tooltip. */
struct piece {
    sg_time from, to;
    const char *colour;
    const char *what;
    int height;
};

static void append_piece(const struct canvas *canvas, const struct piece *piece)
{
    char from[TIME_HUMAN_BYTES], to[TIME_HUMAN_BYTES];
    double left = x_of(canvas, piece->from);
    double width = x_of(canvas, piece->to) - left;
    if (piece->to <= canvas->simulation->request.from ||
        piece->from >= canvas->simulation->ended_at) {
        return;
    }
    time_to_iso(piece->from, from);
    time_to_iso(piece->to, to);
    /* What is short beside the whole is seen all the same. */
    buffer_format(canvas->out,
                  "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\">"
                  "<title>%s, %s to %s</title></rect>\n",
                  left, canvas->y + (BAR_HEIGHT - piece->height), width < 0.7 ? 0.7 : width,
                  piece->height, piece->colour, piece->what, from, to);
}

/* ---- rows ---- */

static bool is_shown(enum key_state_value value)
{
    return value != KEY_STATE_HIDDEN && value != KEY_STATE_NA;
}

/* One record of one key. */
static void append_states(struct canvas *canvas, size_t index, enum key_record record)
{
    const struct simulation *simulation = canvas->simulation;
    struct piece piece = {.from = simulation->request.from, .height = BAR_HEIGHT};
    enum key_state_value value = simulation->keys[index].before.records[record];
    append_text(canvas, PLOT_LEFT - 60, "row", simulation_record_text(record));
    for (size_t i = 0; i <= simulation->events_count; i++) {
        const struct simulation_event *event =
            i < simulation->events_count ? &simulation->events[i] : NULL;
        if (event != NULL &&
            (event->act != SIMULATION_MOVED || event->key != index || event->record != record)) {
            continue;
        }
        piece.to = event == NULL ? simulation->ended_at : event->at;
        piece.colour = colour_of(value);
        piece.what = simulation_state_text(value);
        if (is_shown(value) && piece.to > piece.from) {
            append_piece(canvas, &piece);
        }
        piece.from = piece.to;
        value = event == NULL ? value : event->to;
    }
    canvas->y += ROW_HEIGHT;
}

/* When the parent has the DS, whatever caches hold. */
static void append_parent(struct canvas *canvas, size_t index)
{
    const struct simulation *simulation = canvas->simulation;
    enum key_state_value first = simulation->keys[index].before.records[KEY_RECORD_DS];
    struct piece piece = {.from = simulation->request.from,
                          .colour = "#553c9a",
                          .what = "DS at the parent",
                          .height = BAR_HEIGHT / 2};
    bool known = false;
    bool has = first == KEY_STATE_OMNIPRESENT;
    append_text(canvas, PLOT_LEFT - 60, "row", "parent");
    for (size_t i = 0; i < simulation->events_count; i++) {
        const struct simulation_event *event = &simulation->events[i];
        bool comes = event->act == SIMULATION_DS_SEEN;
        if (event->key != index || (!comes && event->act != SIMULATION_DS_GONE)) {
            continue;
        }
        piece.to = event->at;
        /* What goes was there before. */
        if (!comes && (has || !known)) {
            append_piece(canvas, &piece);
        }
        piece.from = event->at;
        has = comes;
        known = true;
    }
    if (!known) {
        has = simulation->keys[index].facts.ds == KASP_DS_SEEN;
    }
    if (has) {
        piece.to = simulation->ended_at;
        append_piece(canvas, &piece);
    }
    canvas->y += ROW_HEIGHT;
}

/* From the inception of the first signature of the key until the last one expires. */
static void append_validity(struct canvas *canvas, size_t index, enum key_record record)
{
    const struct simulation *simulation = canvas->simulation;
    const struct kasp_policy *policy = simulation->request.policy;
    enum key_state_value first = simulation->keys[index].before.records[record];
    bool zone = record == KEY_RECORD_ZRRSIG;
    sg_duration validity = zone ? policy->signatures_validity : policy->signatures_validity_dnskey;
    struct piece piece = {.from = simulation->request.from,
                          .colour = zone ? "#3182ce" : "#63b3ed",
                          .what = zone ? "signatures of the zone are valid"
                                       : "signatures of DNSKEY, CDS, CDNSKEY are valid",
                          .height = BAR_HEIGHT / 2};
    bool signs = first == KEY_STATE_RUMOURED || first == KEY_STATE_OMNIPRESENT;
    append_text(canvas, PLOT_LEFT - 60, "row", zone ? "RRSIG" : "its RRSIG");
    for (size_t i = 0; i < simulation->events_count; i++) {
        const struct simulation_event *event = &simulation->events[i];
        if (event->act != SIMULATION_MOVED || event->key != index || event->record != record) {
            continue;
        }
        if (event->to == KEY_STATE_RUMOURED) {
            piece.from = event->at - policy->signatures_inception_offset;
            signs = true;
        } else if (event->to == KEY_STATE_UNRETENTIVE && signs) {
            piece.to = event->at + validity;
            append_piece(canvas, &piece);
            signs = false;
        }
    }
    if (signs) {
        piece.to = simulation->ended_at;
        append_piece(canvas, &piece);
    }
    canvas->y += ROW_HEIGHT;
}

static void append_key(struct canvas *canvas, size_t index)
{
    const struct simulation_key *key = &canvas->simulation->keys[index];
    char label[32];
    (void)snprintf(label, sizeof(label), "%s %u%s", simulation_role(key), key->key->tag,
                   key->invented ? "*" : "");
    append_text(canvas, 8, "key", label);
    canvas->y += ROW_HEIGHT;
    append_text(canvas, 8, "row", dnssec_algorithm_text(key->key->algorithm));
    canvas->y -= ROW_HEIGHT;
    append_states(canvas, index, KEY_RECORD_DNSKEY);
    if (key->key->state.zsk) {
        append_states(canvas, index, KEY_RECORD_ZRRSIG);
        append_validity(canvas, index, KEY_RECORD_ZRRSIG);
    }
    if (key->key->state.ksk) {
        append_states(canvas, index, KEY_RECORD_KRRSIG);
        append_validity(canvas, index, KEY_RECORD_KRRSIG);
        append_states(canvas, index, KEY_RECORD_DS);
        append_parent(canvas, index);
    }
    canvas->y += KEY_GAP;
}

/* ---- what is around them ---- */

static int height_of_key(const struct simulation_key *key)
{
    int rows = 1 + (key->key->state.zsk ? 2 : 0) + (key->key->state.ksk ? 4 : 0);
    return rows * ROW_HEIGHT + KEY_GAP;
}

static void append_legend(const struct canvas *canvas)
{
    static const struct {
        enum key_state_value value;
        const char *meaning;
    } rows[] = {
        {KEY_STATE_RUMOURED, "rumoured: there, some caches do not know it yet"},
        {KEY_STATE_OMNIPRESENT, "omnipresent: in every cache"},
        {KEY_STATE_UNRETENTIVE, "unretentive: gone, some caches still have it"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double x = 8.0 + 330.0 * (double)i;
        buffer_format(canvas->out,
                      "<rect x=\"%.1f\" y=\"%d\" width=\"20\" height=\"%d\" fill=\"%s\"/>\n", x,
                      canvas->y, BAR_HEIGHT, colour_of(rows[i].value));
        append_text(canvas, x + 26, "row", rows[i].meaning);
    }
}

static void append_axis(const struct canvas *canvas, int bottom)
{
    const struct simulation *simulation = canvas->simulation;
    sg_time from = simulation->request.from;
    sg_duration whole = simulation->ended_at - from;
    for (int tick = 0; tick <= TICKS; tick++) {
        sg_time when = from + whole * tick / TICKS;
        double x = x_of(canvas, when);
        char text[TIME_HUMAN_BYTES];
        time_to_iso(when, text);
        text[whole < 30 * SG_DAY ? 16 : 10] = 0; /* to the minute, or the day */
        buffer_format(canvas->out,
                      "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#cbd5e0\"/>\n", x,
                      canvas->y + ROW_HEIGHT, x, bottom);
        append_text(canvas, x - 32, "row", text);
    }
}

/* The life of one signature, to a scale of its own. */
static void append_signature(struct canvas *canvas)
{
    const struct kasp_policy *policy = canvas->simulation->request.policy;
    double whole = (double)(policy->signatures_inception_offset + policy->signatures_validity);
    double scale = whole > 0 ? PLOT_WIDTH / whole : 0;
    double made = PLOT_LEFT + (double)policy->signatures_inception_offset * scale;
    double end = PLOT_LEFT + PLOT_WIDTH;
    double anew = end - (double)policy->signatures_refresh * scale;
    double early = anew - (double)policy->signatures_jitter * scale;
    early = early < made ? made : early;
    char *offset = simulation_duration(policy->signatures_inception_offset);
    char *validity = simulation_duration(policy->signatures_validity);
    char *refresh = simulation_duration(policy->signatures_refresh);
    char *jitter = simulation_duration(policy->signatures_jitter);
    append_text(canvas, 8, "key", "one signature");
    buffer_format(canvas->out,
                  "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#bee3f8\"/>\n"
                  "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#3182ce\"/>\n"
                  "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#2c5282\"/>\n",
                  PLOT_LEFT, canvas->y, PLOT_WIDTH, BAR_HEIGHT, made, canvas->y, early - made,
                  BAR_HEIGHT, early, canvas->y, anew - early, BAR_HEIGHT);
    canvas->y += ROW_HEIGHT;
    buffer_format(canvas->out, "<text x=\"%d\" y=\"%d\" class=\"row\">", PLOT_LEFT,
                  canvas->y + BAR_HEIGHT);
    buffer_format(canvas->out,
                  "valid from %s before it is made until %s after; made anew %s before its end, or "
                  "up to %s sooner; the light end is what an outage may take</text>\n",
                  offset, validity, refresh, jitter);
    mem_free(offset);
    mem_free(validity);
    mem_free(refresh);
    mem_free(jitter);
}

static void append_title(struct canvas *canvas, const struct simulation_page *page)
{
    char *title = mem_format("%s: dnssec-policy %s, as the engine would carry it out", page->zone,
                             canvas->simulation->request.policy->name);
    canvas->y = 12;
    append_text(canvas, 8, "title", title);
    mem_free(title);
    canvas->y += 22;
    append_legend(canvas);
    canvas->y += 20;
    append_text(canvas, 8, "row",
                "* a key that does not exist yet; its tag is made up. Point at a bar for its "
                "times.");
    canvas->y += 20;
}

void simulation_print_svg(const struct simulation *simulation, const struct simulation_page *page,
                          struct buffer *out_text)
{
    struct canvas canvas = {simulation, out_text, 0};
    size_t shown =
        simulation->keys_count < KEYS_SHOWN_MAX ? simulation->keys_count : KEYS_SHOWN_MAX;
    int bottom = HEADER_HEIGHT;
    for (size_t i = 0; i < shown; i++) {
        bottom += height_of_key(&simulation->keys[i]);
    }
    buffer_format(out_text,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                  "viewBox=\"0 0 %d %d\">\n"
                  "<style>text{font-family:sans-serif;fill:#1a202c}.title{font-size:16px;"
                  "font-weight:bold}.key{font-size:11px;font-weight:bold}.row{font-size:11px}"
                  "</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
                  PICTURE_WIDTH, bottom + FIGURE_HEIGHT, PICTURE_WIDTH, bottom + FIGURE_HEIGHT);
    append_title(&canvas, page);
    append_axis(&canvas, bottom);
    canvas.y = HEADER_HEIGHT;
    for (size_t i = 0; i < shown; i++) {
        append_key(&canvas, i);
    }
    if (shown < simulation->keys_count) {
        char *more = mem_format("and %zu more keys", simulation->keys_count - shown);
        append_text(&canvas, 8, "key", more);
        mem_free(more);
    }
    canvas.y += 30;
    append_signature(&canvas);
    buffer_append_text(out_text, "</svg>\n");
}
