#include "conf/conf.h"

#include "base/mem.h"
#include "conf/check.h"
#include "conf/loader.h"

void conf_free(struct conf *conf)
{
    if (conf == NULL) {
        return;
    }
    for (size_t i = 0; i < conf->policies_count; i++) {
        kasp_policy_free(conf->policies[i]);
    }
    conf_memory_free(conf->memory); /* The conf itself is in there. */
}

static void resolve(struct conf_loader *loader)
{
    const struct conf_statement *options = conf_find_statement(loader->top, "options");
    loader->options = options == NULL ? NULL : conf_body(options);

    const struct conf_statement *port = conf_find_statement(loader->options, "port");
    loader->default_port = port == NULL ? 53 : (uint16_t)conf_integer_of(&port->nodes[1]);
    loader->conf->options.ipv4_only = loader->overrides.ipv4_only;
    loader->conf->options.ipv6_only = loader->overrides.ipv6_only;
    if (loader->overrides.port != 0) {
        loader->default_port = loader->overrides.port;
    }
    conf_resolve_keys(loader);
    conf_collect_acls(loader);
    conf_collect_remotes(loader);
    conf_resolve_policies(loader);
    conf_resolve_logging(loader);
    conf_resolve_options(loader);
    conf_resolve_controls(loader);
    conf_resolve_anchors(loader);
    conf_resolve_zones(loader);
    conf_check_places(loader);
    conf_check_unused_acls(loader);
    conf_check_unused_remotes(loader);
}

/* Where a tree is from. */
struct conf_origin {
    const char *name;
    const struct conf_overrides *overrides; /* NULL: none */
    bool on_disk;
};

/* Takes nothing of the tree: it may go when this is done. */
static enum sg_result resolve_tree(struct conf_tree *tree, const struct conf_origin *origin,
                                   struct conf **out_conf, struct conf_report *report)
{
    struct conf_memory *memory = conf_memory_new();
    struct conf *conf = conf_memory_take_zero(memory, 1, sizeof(*conf));
    struct conf_loader *loader = mem_alloc_zero(1, sizeof(*loader));
    size_t errors = report->errors;

    conf->memory = memory;
    conf->path = conf_memory_text(memory, origin->name);
    conf_check_tree(tree, report);
    *loader = (struct conf_loader){.conf = conf,
                                   .memory = memory,
                                   .scratch = tree->memory,
                                   .report = report,
                                   .top = tree->first,
                                   .on_disk = origin->on_disk};
    if (origin->overrides != NULL) {
        loader->overrides = *origin->overrides;
    }
    resolve(loader);

    struct conf_names *names[] = {&loader->acls,       &loader->remote_lists, &loader->keys,
                                  &loader->key_stores, &loader->policies,     &loader->tls,
                                  &loader->http,       &loader->views};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        conf_names_free(names[i]);
    }
    mem_free(loader);
    if (report->errors > errors) {
        conf_free(conf);
        return SG_MALFORMED;
    }
    conf_memory_seal(memory);
    *out_conf = conf;
    return SG_OK;
}

enum sg_result conf_load_overriding(const char *path, const struct conf_overrides *overrides,
                                    struct conf **out_conf, struct conf_report *report)
{
    const struct conf_origin origin = {path, overrides, true};
    struct conf_tree tree = {
        .memory = conf_memory_new(),
        .start_folder = overrides == NULL ? NULL : overrides->start_folder,
    };
    size_t errors = report->errors;

    enum sg_result result = conf_tree_read(&tree, path, report);
    if (result == SG_OK && report->errors > errors) {
        result = SG_MALFORMED; /* A brace is missing: all that follows would be guesswork. */
    }
    if (result == SG_OK && overrides != NULL) {
        conf_amend_tree(&tree, overrides->amendments, overrides->amendments_count, report);
        result = report->errors > errors ? SG_MALFORMED : SG_OK;
    }
    if (result == SG_OK) {
        result = resolve_tree(&tree, &origin, out_conf, report);
    }
    conf_memory_free(tree.memory);
    return result;
}

enum sg_result conf_load(const char *path, struct conf **out_conf, struct conf_report *report)
{
    return conf_load_overriding(path, NULL, out_conf, report);
}

enum sg_result conf_load_text(const char *name, struct span text, struct conf **out_conf,
                              struct conf_report *report)
{
    const struct conf_origin origin = {name, NULL, false};
    struct conf_tree tree = {.memory = conf_memory_new()};
    size_t errors = report->errors;

    conf_tree_read_text(&tree, name, text, report);
    enum sg_result result =
        report->errors > errors ? SG_MALFORMED : resolve_tree(&tree, &origin, out_conf, report);
    conf_memory_free(tree.memory);
    return result;
}

void conf_zone_apex(const struct conf_zone *zone, struct dns_name *out_apex)
{
    struct span wire = {zone->apex, dns_name_wire_length(zone->apex)};
    enum sg_result result = dns_name_from_wire(wire, out_apex);
    ASSERT(result == SG_OK);
}

bool conf_zone_is_dynamic(const struct conf_zone *zone)
{
    const struct conf_zone_access *access = &zone->options->access;
    return access->update_policy != NULL ||
           (access->allow_update != NULL && !conf_acl_is_none(access->allow_update));
}

const struct conf_key_store *conf_key_store_find(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->key_stores_count; i++) {
        if (strcmp(conf->key_stores[i].name, name) == 0) {
            return &conf->key_stores[i];
        }
    }
    return NULL;
}
