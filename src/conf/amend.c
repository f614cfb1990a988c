#include "conf/amend.h"

#include <stdio.h>
#include <strings.h>

#include "dns/name.h"

static const char default_view[] = "_default";

/* A list of statements that zones may stand in: the file's, or those of a view. */
struct place {
    struct conf_statement **first;
    struct conf_statement **last;
    struct conf_names zones; /* by apex -> their statement; filled when it is first wanted */
    bool indexed;
    struct place *next;
};

struct amender {
    struct conf_tree *tree;
    struct conf_report *report;
    struct conf_names places; /* by the view's name */
    struct place *first;
};

const char *conf_amendment_place(const char *view, const char *name,
                                 char out_text[CONF_AMENDMENT_PLACE_BYTES])
{
    if (strcmp(view, default_view) == 0) {
        snprintf(out_text, CONF_AMENDMENT_PLACE_BYTES, "added zone '%s'", name);
    } else {
        snprintf(out_text, CONF_AMENDMENT_PLACE_BYTES, "added zone '%s' in view '%s'", name, view);
    }
    return out_text;
}

static bool is_called(const struct conf_statement *statement, const char *word)
{
    const char *text = conf_statement_text(statement, 0);
    return text != NULL && strcasecmp(text, word) == 0;
}

/* The apex of a zone statement. */
static bool read_apex(const struct conf_statement *statement, struct dns_name *out_apex)
{
    const char *text = conf_statement_text(statement, 1);
    if (!is_called(statement, "zone") || text == NULL ||
        dns_name_from_text(text, strlen(text), NULL, out_apex) != SG_OK) {
        return false;
    }
    dns_name_lower(out_apex);
    return true;
}

/* --- places --------------------------------------------------------------------------------- */

static void add_place(struct amender *amender, const char *view, struct conf_statement **first)
{
    struct place *place = conf_memory_take_zero(amender->tree->memory, 1, sizeof(*place));
    place->first = place->last = first;
    while (*place->last != NULL) {
        place->last = &(*place->last)->next;
    }
    place->next = amender->first;
    amender->first = place;
    (void)conf_names_add(&amender->places, view, strlen(view), place);
}

static void find_places(struct amender *amender)
{
    bool has_views = false;
    for (struct conf_statement *at = amender->tree->first; at != NULL; at = at->next) {
        const char *name = conf_statement_text(at, 1);
        struct conf_node *last = &at->nodes[at->count - 1];
        if (is_called(at, "view") && name != NULL && last->kind == CONF_NODE_BLOCK) {
            has_views = true;
            add_place(amender, name, &last->block);
        }
    }
    if (!has_views) {
        add_place(amender, default_view, &amender->tree->first);
    }
}

static void index_place(struct amender *amender, struct place *place)
{
    place->indexed = true;
    for (struct conf_statement *at = *place->first; at != NULL; at = at->next) {
        struct dns_name apex;
        if (read_apex(at, &apex)) {
            const void *key = conf_memory_copy_bytes(amender->tree->memory, apex.wire, apex.length);
            (void)conf_names_add(&place->zones, key, apex.length, at);
        }
    }
}

/* --- one amendment -------------------------------------------------------------------------- */

/* Only what serves a zone by itself can be added. */
static bool check_type(struct amender *amender, const struct conf_statement *statement)
{
    static const char *const fit[] = {"primary", "master", "secondary", "slave"};
    const struct conf_node *block = conf_statement_block(statement);

    for (const struct conf_statement *at = block->block; at != NULL; at = at->next) {
        const char *type = is_called(at, "in-view") ? "in-view" : conf_statement_text(at, 1);
        bool fits = type == NULL || !(is_called(at, "type") || is_called(at, "in-view"));
        for (size_t i = 0; i < ARRAY_LEN(fit) && !fits; i++) {
            fits = strcasecmp(type, fit[i]) == 0;
        }
        if (!fits) {
            conf_problem_at(amender->report, CONF_ERROR, at, &at->nodes[0],
                            "'%s' zones not supported by addzone", type);
            return false;
        }
    }
    return true;
}

/* The statement, alone; NULL: a problem was reported. */
static struct conf_statement *read_statement(struct amender *amender,
                                             const struct conf_amendment *amendment)
{
    char name[CONF_AMENDMENT_PLACE_BYTES];
    struct conf_tree text = {.memory = amender->tree->memory};
    size_t errors = amender->report->errors;

    conf_amendment_place(amendment->view, amendment->name, name);
    conf_tree_read_text(&text, name, span_of_text(amendment->text), amender->report);
    if (amender->report->errors > errors) {
        return NULL;
    }
    struct conf_statement *statement = text.first;
    if (statement == NULL || statement->next != NULL || !is_called(statement, "zone") ||
        conf_statement_block(statement) == NULL) {
        conf_report_add(amender->report, CONF_ERROR, name, 1, 1,
                        "one block of zone options is expected: '{ type primary; ... };'");
        return NULL;
    }
    return check_type(amender, statement) ? statement : NULL;
}

static void remove_statement(struct place *place, struct conf_statement *statement)
{
    struct conf_statement **at = place->first;
    while (*at != statement) {
        at = &(*at)->next;
    }
    *at = statement->next;
    if (place->last == &statement->next) {
        place->last = at;
    }
}

static void amend(struct amender *amender, const struct conf_amendment *amendment)
{
    char name[CONF_AMENDMENT_PLACE_BYTES];
    struct dns_name apex;
    struct place *place =
        conf_names_find(&amender->places, amendment->view, strlen(amendment->view));

    if (dns_name_from_text(amendment->name, strlen(amendment->name), NULL, &apex) != SG_OK) {
        return; /* Whoever keeps it has checked it. */
    }
    dns_name_lower(&apex);
    if (place == NULL) {
        conf_report_add(amender->report, amendment->text == NULL ? CONF_WARNING : CONF_ERROR,
                        conf_amendment_place(amendment->view, amendment->name, name), 1, 1,
                        "there is no view '%s' any more", amendment->view);
        return;
    }
    if (!place->indexed) {
        index_place(amender, place);
    }
    struct conf_statement *present = conf_names_find(&place->zones, apex.wire, apex.length);
    if (present != NULL && amendment->kind == CONF_AMEND_ADD) {
        conf_problem_at(amender->report, CONF_WARNING, present, &present->nodes[1],
                        "zone '%s' was also added by addzone: what stands here counts",
                        amendment->name);
        return;
    }
    struct conf_statement *statement =
        amendment->kind == CONF_AMEND_REMOVE ? NULL : read_statement(amender, amendment);
    if (present != NULL) {
        remove_statement(place, present);
    }
    if (statement != NULL) {
        *place->last = statement;
        place->last = &statement->next;
    }
}

void conf_amend_tree(struct conf_tree *tree, const struct conf_amendment *amendments, size_t count,
                     struct conf_report *report)
{
    struct amender amender = {.tree = tree, .report = report, .places = CONF_NAMES_EMPTY};

    if (count == 0) {
        return;
    }
    find_places(&amender);
    for (size_t i = 0; i < count; i++) {
        amend(&amender, &amendments[i]);
    }
    for (struct place *place = amender.first; place != NULL; place = place->next) {
        conf_names_free(&place->zones);
    }
    conf_names_free(&amender.places);
}
