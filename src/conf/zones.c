/* Views and zones. */
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "conf/check.h"
#include "conf/fingerprint.h"
#include "conf/zone_claims.h"
#include "dns/rrtype.h"

enum { VIEWS_MAX = 1000 };

/* A view while its zones are read. */
struct view_reader {
    struct conf_loader *loader;
    struct conf_view *view;
    const struct conf_setters *setters;
    struct zone_draft bases[2]; /* by enum conf_zone_type */
    struct conf_names apexes;   /* class and name -> struct conf_zone, in-view ones too */
    struct view_reader *next;
};

/* What all views' zones together must not do. */
struct zones_reader {
    struct view_reader *views;
    struct conf_setters setters;
    struct zone_claims claims;
    struct fingerprints fingerprints;
};

/* --- a zone ----------------------------------------------------------------------------------- */

static bool read_class(struct conf_loader *loader, const struct conf_statement *statement,
                       uint16_t otherwise, uint16_t *out_class)
{
    const char *text = conf_statement_text(statement, 2);

    *out_class = otherwise;
    if (text == NULL || dns_class_from_text(text, strlen(text), out_class) == SG_OK) {
        return true;
    }
    conf_error(loader, statement, &statement->nodes[2], "unknown class '%s'", text);
    return false;
}

/* An `in-view` zone: the other view's answers here too. */
static void share_zone(struct view_reader *reader, const struct conf_statement *statement,
                       const struct zone_id *id, size_t id_length)
{
    struct conf_loader *loader = reader->loader;
    const struct conf_statement *in_view = conf_find_statement(conf_body(statement), "in-view");
    struct conf_view *view = reader->view;

    if (in_view == NULL) {
        return; /* It was reported. */
    }
    const char *name = in_view->nodes[1].text;
    struct view_reader *other = conf_names_find(&loader->views, name, strlen(name));
    if (other == NULL || other == reader) {
        conf_error(loader, in_view, &in_view->nodes[1],
                   "zone '%s': 'in-view' must name a view that is defined before, '%s' is none",
                   statement->nodes[1].text, name);
        return;
    }
    struct conf_zone *zone = conf_names_find(&other->apexes, id, id_length);
    if (zone == NULL) {
        conf_error(loader, in_view, &in_view->nodes[1], "zone '%s' is not in view '%s'",
                   statement->nodes[1].text, name);
        return;
    }
    view->shared_zones[view->shared_zones_count++] = zone;
    const void *key = conf_memory_copy(loader->scratch, id, id_length);
    (void)conf_names_add(&reader->apexes, key, id_length, zone);
}

/* Where one of the two is said alone, it counts. */
static void resolve_checkds_times(struct conf_zone_parent *parent)
{
    if (parent->retry_max < parent->retry_min && parent->retry_min == CONF_CHECKDS_TIME_MIN) {
        parent->retry_min = parent->retry_max;
    } else if (parent->retry_max < parent->retry_min) {
        parent->retry_max = parent->retry_min;
    }
}

static void resolve_checkds(struct zone_draft *draft)
{
    struct conf_zone_parent *parent = &draft->options.parent;

    if (draft->checkds >= 0) {
        parent->checkds = (enum conf_checkds)draft->checkds;
    } else {
        parent->checkds = parent->agents.count > 0 ? CONF_CHECKDS_EXPLICIT : CONF_CHECKDS_YES;
    }
    resolve_checkds_times(parent);
}

/* What nothing proves must not count as proven: without an anchor there is no configuration. */
static void resolve_validation(struct conf_loader *loader, const struct conf_statement *statement,
                               const struct dns_name *apex, struct zone_draft *draft)
{
    struct conf_zone_parent *parent = &draft->options.parent;
    const struct trust_anchors *anchors = &loader->conf->anchors;
    bool is_asked = draft->policy != NULL && parent->checkds != CONF_CHECKDS_NO;

    parent->anchors = parent->validate ? anchors : NULL;
    if (parent->validate && is_asked && !loader->anchors_refused &&
        !trust_anchors_reach(anchors, apex)) {
        conf_error(loader, statement, &statement->nodes[1],
                   "zone '%s': 'checkds-validate' needs 'trust-anchors' of a name above it",
                   statement->nodes[1].text);
    }
}

/* update-policy and allow-update: what stands nearest wins, never both. */
static void resolve_updates(struct conf_loader *loader, enum conf_zone_type type,
                            struct zone_draft *draft)
{
    struct conf_zone_access *access = &draft->options.access;

    if (type == CONF_ZONE_SECONDARY) {
        access->allow_update = NULL;
        access->update_policy = NULL;
    }
    if (draft->allow_update_at != NULL && draft->update_policy_at != NULL) {
        conf_error(loader, draft->allow_update_at, NULL,
                   "'allow-update' is ignored when 'update-policy' is present");
    }
    if (access->update_policy != NULL) {
        access->allow_update = NULL;
    }
}

static const char *folder_of_keys(struct conf_loader *loader, const struct zone_draft *draft)
{
    const char *directory = loader->conf->options.directory;

    if (draft->key_directory != NULL) {
        return draft->key_directory;
    }
    return conf_memory_intern(loader->memory, directory == NULL ? "." : directory);
}

static struct conf_zone *make_zone(struct view_reader *reader,
                                   const struct conf_statement *statement, enum conf_zone_type type,
                                   struct zone_draft *draft, const struct dns_name *apex)
{
    struct conf_loader *loader = reader->loader;
    struct conf_zone *zone = conf_memory_take(loader->memory, sizeof(*zone));

    resolve_checkds(draft);
    resolve_validation(loader, statement, apex, draft);
    resolve_updates(loader, type, draft);
    bool inline_signing =
        draft->policy != NULL &&
        (draft->inline_signing >= 0 ? draft->inline_signing == 1 : draft->policy->inline_signing);
    *zone = (struct conf_zone){
        .name = conf_memory_text(loader->memory, statement->nodes[1].text),
        .apex = conf_memory_copy_bytes(loader->memory, apex->wire, apex->length),
        .type = type,
        .inline_signing = inline_signing,
        .view = reader->view,
        .file = draft->file,
        .journal = draft->journal,
        .policy = draft->policy,
        .key_directory = folder_of_keys(loader, draft),
        .options =
            conf_memory_intern_bytes(loader->memory, &draft->options, sizeof(draft->options)),
        .source_file = conf_memory_intern(loader->memory, statement->file),
        .source_line = statement->nodes[0].line,
        .source_column = statement->nodes[0].column,
    };
    return zone;
}

static void read_zone(struct view_reader *reader, struct zones_reader *zones,
                      const struct conf_statement *statement, enum conf_zone_type type,
                      const struct zone_id *id, size_t id_length)
{
    struct conf_loader *loader = reader->loader;
    struct zone_draft draft;
    struct dns_name apex = {.length = id->length};

    memcpy(&draft, &reader->bases[type], sizeof(draft));
    draft.zone = statement->nodes[1].text;
    for (const struct conf_statement *at = conf_body(statement); at != NULL; at = at->next) {
        if (at->row != NULL) {
            conf_check_source_port(loader, at);
            zone_draft_apply(reader->setters, loader, at, type, &draft);
        }
    }
    memcpy(apex.wire, id->wire, id->length);
    apex.labels = (uint8_t)dns_name_wire_labels(apex.wire);
    struct conf_zone *zone = make_zone(reader, statement, type, &draft, &apex);
    zone->rrclass = id->rrclass;
    reader->view->zones[reader->view->zones_count++] = zone;
    const void *key = conf_memory_copy(loader->scratch, id, id_length);
    (void)conf_names_add(&reader->apexes, key, id_length, zone);

    zone_claims_check(&zones->claims, loader, statement, &draft, zone);
    fingerprint_zone(&zones->fingerprints, loader->scratch, zone);
}

static void pass_over(struct conf_loader *loader, const struct conf_statement *statement,
                      enum schema_zone_type type)
{
    const char *name = statement->nodes[1].text;

    if (type == 0) {
        const struct conf_statement *given = conf_body(statement);
        while (given != NULL && !conf_node_says(&given->nodes[0], "type")) {
            given = given->next;
        }
        if (given == NULL) {
            conf_error(loader, statement, NULL, "zone '%s': 'type' not present", name);
        }
        return; /* A type that is none was reported. */
    }
    const struct conf_statement *given = conf_find_statement(conf_body(statement), "type");
    conf_warning(loader, statement, NULL,
                 "zone '%s' of type '%s' is ignored: only a resolver has %s", name,
                 given == NULL ? "?" : given->nodes[1].text,
                 type == ZONE_TYPE_HINT ? "hints" : "such zones");
}

static void take_zone(struct view_reader *reader, struct zones_reader *zones,
                      const struct conf_statement *statement)
{
    struct conf_loader *loader = reader->loader;
    const struct conf_node *name = &statement->nodes[1];
    struct dns_name apex;
    struct zone_id id;
    uint16_t rrclass;

    if (!read_class(loader, statement, reader->view->rrclass, &rrclass) ||
        dns_name_from_text(name->text, strlen(name->text), NULL, &apex) != SG_OK) {
        return; /* conf/check.c has seen to the name. */
    }
    if (rrclass != reader->view->rrclass) {
        conf_error(loader, statement, &statement->nodes[2], "zone '%s': wrong class for view '%s'",
                   name->text, reader->view->name);
        return;
    }
    dns_name_lower(&apex);
    size_t id_length = zone_id_of(NULL, rrclass, apex.wire, &id);
    enum schema_zone_type type = conf_check_zone_type(statement);
    const struct conf_zone *twin = conf_names_find(&reader->apexes, &id, id_length);
    if (twin != NULL) {
        conf_error(loader, statement, name, "zone '%s': already exists previous definition: %s:%u",
                   name->text, twin->source_file, twin->source_line);
        return;
    }
    switch (type) {
    case ZONE_TYPE_PRIMARY:
        read_zone(reader, zones, statement, CONF_ZONE_PRIMARY, &id, id_length);
        return;
    case ZONE_TYPE_SECONDARY:
        read_zone(reader, zones, statement, CONF_ZONE_SECONDARY, &id, id_length);
        return;
    case ZONE_TYPE_IN_VIEW:
        share_zone(reader, statement, &id, id_length);
        return;
    default:
        pass_over(loader, statement, type);
    }
}

/* --- a view ----------------------------------------------------------------------------------- */

/* Options that BIND has in views too, and Signet for the whole server alone. */
static void warn_of_server_option(struct conf_loader *loader,
                                  const struct conf_statement *statement)
{
    static const char *const server_wide[] = {"edns-udp-size", "max-udp-size", "nocookie-udp-size",
                                              "require-server-cookie"};

    for (size_t i = 0; i < ARRAY_LEN(server_wide); i++) {
        if (strcmp(statement->row->name, server_wide[i]) == 0) {
            conf_warning(loader, statement, NULL, "'%s' has no effect in a view: set it in options",
                         server_wide[i]);
        }
    }
    if (strcmp(statement->row->name, "recursion") == 0 && conf_boolean_of(&statement->nodes[1])) {
        conf_warning(loader, statement, &statement->nodes[1],
                     "'recursion yes' is ignored: Signet answers for its own zones alone");
    }
}

static void take_view_option(struct conf_loader *loader, const struct conf_statement *statement,
                             struct conf_view *view)
{
    const char *option = statement->row->name;
    const struct conf_node *block = conf_statement_block(statement);

    if (strcmp(option, "match-clients") == 0) {
        view->match_clients = conf_build_acl(loader, block);
    } else if (strcmp(option, "match-destinations") == 0) {
        view->match_destinations = conf_build_acl(loader, block);
    } else if (strcmp(option, "match-recursive-only") == 0) {
        view->match_recursive_only = conf_boolean_of(&statement->nodes[1]);
    } else if (strcmp(option, "minimal-responses") == 0) {
        view->minimal_responses = conf_minimal_responses_of(&statement->nodes[1]);
    } else if (strcmp(option, "minimal-any") == 0) {
        view->minimal_any = conf_boolean_of(&statement->nodes[1]);
    } else if (strcmp(option, "provide-ixfr") == 0) {
        view->provide_ixfr = conf_boolean_of(&statement->nodes[1]);
    } else if (strcmp(option, "allow-new-zones") == 0) {
        view->allow_new_zones = conf_boolean_of(&statement->nodes[1]);
    } else if (strcmp(option, "rate-limit") == 0) {
        view->rate_limit = conf_build_rate_limit(loader, statement);
    }
}

/* One layer above the zones: options, then the view. */
static void apply_layer(struct view_reader *reader, const struct conf_statement *first)
{
    for (const struct conf_statement *at = first; at != NULL; at = at->next) {
        if (at->row == NULL || at->row->body == PLACE_ZONE) {
            continue;
        }
        take_view_option(reader->loader, at, reader->view);
        for (int type = CONF_ZONE_PRIMARY; type <= CONF_ZONE_SECONDARY; type++) {
            zone_draft_apply(reader->setters, reader->loader, at, (enum conf_zone_type)type,
                             &reader->bases[type]);
        }
    }
}

static size_t count_zones(const struct conf_statement *first)
{
    size_t count = 0;

    for (const struct conf_statement *at = first; at != NULL; at = at->next) {
        count += at->row != NULL && at->row->body == PLACE_ZONE;
    }
    return count;
}

static struct view_reader *open_view(struct conf_loader *loader, struct zones_reader *zones,
                                     const char *name, uint16_t rrclass)
{
    struct view_reader *reader = conf_memory_take_zero(loader->scratch, 1, sizeof(*reader));

    reader->next = zones->views;
    zones->views = reader;
    reader->loader = loader;
    reader->setters = &zones->setters;
    reader->view = conf_memory_take_zero(loader->memory, 1, sizeof(*reader->view));
    reader->view->name = conf_memory_intern(loader->memory, name);
    reader->view->rrclass = rrclass;
    reader->view->provide_ixfr = true;
    reader->view->minimal_responses = ANSWER_MINIMAL_NO_AUTH_RECURSIVE;
    reader->view->provide_ixfr = true;
    loader->conf->views[loader->conf->views_count++] = reader->view;
    for (int type = CONF_ZONE_PRIMARY; type <= CONF_ZONE_SECONDARY; type++) {
        zone_draft_init(&reader->bases[type]);
    }
    /* What another server sent is not refused for its names (BIND's default too). */
    reader->bases[CONF_ZONE_SECONDARY].options.checks.names = CHECK_WARN;
    apply_layer(reader, loader->options);
    return reader;
}

static void read_zones(struct view_reader *reader, struct zones_reader *zones,
                       const struct conf_statement *first)
{
    size_t count = count_zones(first);

    for (int type = CONF_ZONE_PRIMARY; type <= CONF_ZONE_SECONDARY; type++) {
        zone_draft_next_layer(&reader->bases[type]);
    }
    reader->view->zones =
        conf_memory_take(reader->loader->memory, (count + 1) * sizeof(struct conf_zone *));
    reader->view->shared_zones =
        conf_memory_take(reader->loader->memory, (count + 1) * sizeof(struct conf_zone *));
    for (const struct conf_statement *at = first; at != NULL; at = at->next) {
        if (at->row != NULL && at->row->body == PLACE_ZONE) {
            take_zone(reader, zones, at);
        }
    }
}

static void read_view(struct conf_loader *loader, struct zones_reader *zones,
                      const struct conf_statement *statement)
{
    const struct conf_node *name = &statement->nodes[1];
    const struct conf_statement *body = conf_body(statement);
    uint16_t rrclass;

    if (!read_class(loader, statement, DNS_CLASS_IN, &rrclass)) {
        return;
    }
    if (strcmp(name->text, "_default") == 0) {
        conf_error(loader, statement, name, "attempt to redefine builtin view '_default'");
    }
    struct view_reader *reader = open_view(loader, zones, name->text, rrclass);
    if (!conf_names_add(&loader->views, reader->view->name, strlen(name->text), reader)) {
        conf_error(loader, statement, name, "view '%s' already exists", name->text);
    }
    for (const struct conf_statement *at = body; at != NULL; at = at->next) {
        if (at->row != NULL) {
            warn_of_server_option(loader, at);
        }
    }
    apply_layer(reader, body);
    conf_read_peers(loader, body, reader->view);
    read_zones(reader, zones, body);
}

void conf_resolve_zones(struct conf_loader *loader)
{
    struct zones_reader *zones = mem_alloc_zero(1, sizeof(*zones));
    const struct conf_statement *first_view = conf_find_statement(loader->top, "view");
    size_t views = 1;

    zone_options_setters(&zones->setters);
    for (const struct conf_statement *at = first_view; at != NULL;
         at = conf_next_statement(at->next, "view")) {
        views++;
    }
    loader->conf->views = conf_memory_take_zero(loader->memory, views, sizeof(struct conf_view *));
    if (views > VIEWS_MAX) {
        conf_error(loader, first_view, NULL, "more than %d views", VIEWS_MAX);
    } else if (first_view == NULL) {
        struct view_reader *reader = open_view(loader, zones, "_default", DNS_CLASS_IN);
        (void)conf_names_add(&loader->views, reader->view->name, strlen("_default"), reader);
        conf_read_peers(loader, loader->top, reader->view);
        read_zones(reader, zones, loader->top);
    }
    for (const struct conf_statement *at = views > VIEWS_MAX ? NULL : first_view; at != NULL;
         at = conf_next_statement(at->next, "view")) {
        read_view(loader, zones, at);
    }
    const struct conf_statement *outside = conf_find_statement(loader->top, "zone");
    if (first_view != NULL && outside != NULL) {
        conf_error(loader, outside, NULL,
                   "when using 'view' statements, all zones must be in views");
    }
    for (struct view_reader *reader = zones->views; reader != NULL; reader = reader->next) {
        conf_names_free(&reader->apexes);
    }
    zone_claims_free(&zones->claims);
    fingerprints_free(&zones->fingerprints);
    mem_free(zones);
}
