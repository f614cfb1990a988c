#include "conf/zone_claims.h"

#include <string.h>

#include "conf/check.h"

size_t zone_id_of(const void *scope, uint16_t rrclass, const uint8_t *wire, struct zone_id *out_id)
{
    memset(out_id, 0, sizeof(*out_id));
    out_id->scope = scope;
    out_id->rrclass = rrclass;
    out_id->length = (uint8_t)dns_name_wire_length(wire);
    memcpy(out_id->wire, wire, out_id->length);
    return offsetof(struct zone_id, wire) + out_id->length;
}

void zone_claims_free(struct zone_claims *claims)
{
    conf_names_free(&claims->files);
    conf_names_free(&claims->key_sets);
}

static void check_policy(struct conf_loader *loader, const struct conf_statement *statement,
                         const struct zone_draft *draft, const struct conf_zone *zone)
{
    const struct conf_statement *at = draft->policy_at == NULL ? statement : draft->policy_at;

    if (zone->policy != NULL && draft->max_ttl_at != NULL) {
        conf_error(loader, draft->max_ttl_at, NULL,
                   "zone '%s': option 'max-zone-ttl' cannot be used together with 'dnssec-policy'",
                   zone->name);
    }
    bool dynamic = zone->type == CONF_ZONE_PRIMARY && conf_zone_is_dynamic(zone);
    if (zone->policy != NULL && !zone->inline_signing && !dynamic) {
        conf_error(loader, at, NULL,
                   "zone '%s': 'inline-signing yes;' must also be configured explicitly for zones "
                   "using dnssec-policy without a configured 'allow-update' or 'update-policy'. "
                   "See https://kb.isc.org/docs/dnssec-policy-requires-dynamic-dns-or-inline-"
                   "signing",
                   zone->name);
    }
}

static void check_format(struct conf_loader *loader, const struct zone_draft *draft,
                         const struct conf_zone *zone)
{
    if (!zone->options->file_raw) {
        return;
    }
    if (zone->type == CONF_ZONE_PRIMARY) {
        conf_error(loader, draft->format_at, NULL,
                   "masterfile-format raw is not supported: convert the files of primary zones "
                   "with named-compilezone");
    } else {
        conf_warning(loader, draft->format_at, NULL,
                     "masterfile-format raw is not supported: files of secondary zones are "
                     "written as text");
    }
}

static void check_sources(struct conf_loader *loader, const struct conf_statement *statement,
                          const struct conf_zone *zone)
{
    const struct conf_statement *body = conf_body(statement);
    const struct conf_statement *masters = conf_find_statement(body, "masters");

    bool asks_nobody = masters == NULL && conf_find_statement(body, "primaries") == NULL;
    if (zone->type == CONF_ZONE_SECONDARY && asks_nobody) {
        conf_error(loader, statement, NULL, "zone '%s': missing 'primaries' entry", zone->name);
    }
    if (zone->type == CONF_ZONE_SECONDARY && !asks_nobody &&
        conf_body(masters == NULL ? conf_find_statement(body, "primaries") : masters) == NULL) {
        conf_error(loader, statement, NULL, "zone '%s': empty 'primaries' entry", zone->name);
    }
    const struct conf_statement *agents = conf_find_statement(body, "parental-agents");
    if (agents != NULL && conf_body(agents) == NULL) {
        conf_error(loader, agents, NULL, "zone '%s': empty 'parental-agents' entry", zone->name);
    }
    if (masters != NULL && conf_find_statement(body, "primaries") != NULL) {
        conf_error(loader, masters, NULL,
                   "zone '%s': 'primaries' and 'masters' cannot both be used", zone->name);
    }
    if (zone->file == NULL && zone->type == CONF_ZONE_PRIMARY) {
        conf_error(loader, statement, NULL, "zone '%s': missing 'file' entry", zone->name);
    }
    if (zone->file == NULL && zone->type == CONF_ZONE_SECONDARY && zone->inline_signing) {
        conf_error(loader, statement, NULL,
                   "zone '%s': missing 'file' entry, which inline-signing needs", zone->name);
    }
}

/* A file that the server writes must belong to one zone alone. */
static void check_file(struct zone_claims *claims, struct conf_loader *loader,
                       const struct conf_statement *statement, struct conf_zone *zone)
{
    if (zone->file == NULL) {
        return;
    }
    size_t length = strlen(zone->file);
    const struct conf_zone *other = conf_names_find(&claims->files, zone->file, length);
    if (other == NULL) {
        (void)conf_names_add(&claims->files, zone->file, length, zone);
        return;
    }
    bool writes =
        zone->type == CONF_ZONE_SECONDARY || conf_zone_is_dynamic(zone) || zone->inline_signing;
    bool other_writes =
        other->type == CONF_ZONE_SECONDARY || conf_zone_is_dynamic(other) || other->inline_signing;
    if (writes || other_writes) {
        conf_error(loader, statement, NULL, "zone '%s': writeable file '%s': already in use: %s:%u",
                   zone->name, zone->file, other->source_file, other->source_line);
    }
}

/* The first zone of this name that uses the folder of keys; NULL: it is this one. */
static const struct conf_zone *user_of_keys(struct zone_claims *claims, struct conf_loader *loader,
                                            const void *folder, struct conf_zone *zone)
{
    struct zone_id id;
    size_t length = zone_id_of(folder, zone->rrclass, zone->apex, &id);
    const struct conf_zone *other = conf_names_find(&claims->key_sets, &id, length);
    if (other == NULL) {
        const void *key = conf_memory_copy(loader->scratch, &id, length);
        (void)conf_names_add(&claims->key_sets, key, length, zone);
    }
    return other;
}

static void check_key_store(struct zone_claims *claims, struct conf_loader *loader,
                            const struct conf_statement *statement, struct conf_zone *zone,
                            const char *name)
{
    const struct conf_key_store *store = conf_names_find(&loader->key_stores, name, strlen(name));
    if (store == NULL || store->directory == NULL) {
        return; /* Its folder is the key-directory. */
    }
    const struct conf_zone *other = user_of_keys(claims, loader, store, zone);
    if (other != NULL && other != zone &&
        (other->policy != zone->policy || other->key_directory != zone->key_directory)) {
        conf_error(loader, statement, NULL,
                   "key-store '%s' already in use by zone %s with policy %s and key-directory "
                   "'%s': %s:%u",
                   name, other->name, other->policy->name, other->key_directory, other->source_file,
                   other->source_line);
    }
}

/* The same zone in two views may share its keys, but then all of them, by one policy. */
static void check_keys(struct zone_claims *claims, struct conf_loader *loader,
                       const struct conf_statement *statement, struct conf_zone *zone)
{
    const struct kasp_policy *policy = zone->policy;
    if (policy == NULL) {
        return;
    }
    const struct conf_zone *other = user_of_keys(claims, loader, zone->key_directory, zone);
    if (other != NULL && other->policy != policy) {
        conf_error(loader, statement, NULL,
                   "key-directory '%s' already in use by zone %s with policy %s: %s:%u",
                   zone->key_directory, other->name, other->policy->name, other->source_file,
                   other->source_line);
    }
    for (unsigned i = 0; i < policy->keys_count; i++) {
        if (policy->keys[i].key_store != NULL) {
            check_key_store(claims, loader, statement, zone, policy->keys[i].key_store);
        }
    }
}

void zone_claims_check(struct zone_claims *claims, struct conf_loader *loader,
                       const struct conf_statement *statement, const struct zone_draft *draft,
                       struct conf_zone *zone)
{
    check_policy(loader, statement, draft, zone);
    check_sources(loader, statement, zone);
    check_format(loader, draft, zone);
    check_file(claims, loader, statement, zone);
    check_keys(claims, loader, statement, zone);
}
