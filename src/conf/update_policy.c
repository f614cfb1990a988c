/* update-policy: who may change which names and types (RFC 3007 3). */
#include <strings.h>
#include <sys/un.h>

#include "base/mem.h"
#include "conf/loader.h"
#include "conf/value.h"
#include "dns/rrtype.h"

enum { RULES_MAX = 10000, RULE_TYPES_MAX = 256 };

static const struct {
    const char *name;
    enum conf_update_match match;
} matches[] = {
    {"name", CONF_UPDATE_NAME},
    {"subdomain", CONF_UPDATE_SUBDOMAIN},
    {"wildcard", CONF_UPDATE_WILDCARD},
    {"zonesub", CONF_UPDATE_ZONESUB},
    {"self", CONF_UPDATE_SELF},
    {"selfsub", CONF_UPDATE_SELFSUB},
    {"selfwild", CONF_UPDATE_SELFWILD},
    {"ms-self", CONF_UPDATE_MS_SELF},
    {"ms-selfsub", CONF_UPDATE_MS_SELFSUB},
    {"ms-subdomain", CONF_UPDATE_MS_SUBDOMAIN},
    {"ms-subdomain-self-rhs", CONF_UPDATE_MS_SUBDOMAIN_SELF_RHS},
    {"krb5-self", CONF_UPDATE_KRB5_SELF},
    {"krb5-selfsub", CONF_UPDATE_KRB5_SELFSUB},
    {"krb5-subdomain", CONF_UPDATE_KRB5_SUBDOMAIN},
    {"krb5-subdomain-self-rhs", CONF_UPDATE_KRB5_SUBDOMAIN_SELF_RHS},
    {"tcp-self", CONF_UPDATE_TCP_SELF},
    {"6to4-self", CONF_UPDATE_6TO4_SELF},
    {"external", CONF_UPDATE_EXTERNAL},
};

static const struct dns_name *keep_name(struct conf_loader *loader, const char *text)
{
    struct dns_name name;

    memset(&name, 0, sizeof(name)); /* interned by its bytes */
    if (dns_name_from_text(text, strlen(text), NULL, &name) != SG_OK) {
        return NULL;
    }
    dns_name_lower(&name);
    return conf_memory_intern_bytes(loader->memory, &name, sizeof(name));
}

static bool read_match(struct conf_loader *loader, const struct conf_statement *statement,
                       struct conf_update_rule *rule)
{
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        if (conf_node_says(&statement->nodes[2], matches[i].name)) {
            rule->match = matches[i].match;
            return true;
        }
    }
    conf_error(loader, statement, &statement->nodes[2], "'%s' is not a valid update-policy rule",
               statement->nodes[2].text);
    return false;
}

/* The name field: what it must be depends on the rule. */
static bool read_name(struct conf_loader *loader, const struct conf_statement *statement,
                      struct conf_update_rule *rule)
{
    const char *text = conf_statement_text(statement, 3);

    if (text == NULL) {
        conf_error(loader, statement, &statement->nodes[2], "'%s' needs a name behind it",
                   statement->nodes[2].text);
        return false;
    }
    rule->name = keep_name(loader, text);
    if (rule->name == NULL) {
        conf_error(loader, statement, &statement->nodes[3], "'%s' is not a valid name", text);
        return false;
    }
    bool is_root = rule->name->length == 1;
    switch (rule->match) {
    case CONF_UPDATE_WILDCARD:
        if (!dns_name_is_wildcard(rule->name)) {
            conf_error(loader, statement, &statement->nodes[3], "'%s' is not a wildcard", text);
            return false;
        }
        return true;
    case CONF_UPDATE_SELF:
    case CONF_UPDATE_SELFSUB:
    case CONF_UPDATE_SELFWILD:
        if (!is_root && (rule->identity == NULL || !dns_name_equal(rule->name, rule->identity))) {
            conf_error(loader, statement, &statement->nodes[3],
                       "identity and name fields are not the same");
            return false;
        }
        return true;
    case CONF_UPDATE_MS_SELF:
    case CONF_UPDATE_MS_SELFSUB:
    case CONF_UPDATE_KRB5_SELF:
    case CONF_UPDATE_KRB5_SELFSUB:
    case CONF_UPDATE_TCP_SELF:
    case CONF_UPDATE_6TO4_SELF:
        if (!is_root) {
            conf_error(loader, statement, &statement->nodes[3],
                       "name field not set to placeholder value '.'");
            return false;
        }
        return true;
    default:
        return true;
    }
}

/* "A" or "A(4)". */
static bool read_type(struct conf_loader *loader, const struct conf_statement *statement,
                      const struct conf_node *node, struct conf_update_type *out_type)
{
    size_t length = strcspn(node->text, "(");
    const char *limit = node->text + length;
    char digits[8];
    uint32_t records = 0;

    if (dns_type_from_text(node->text, length, &out_type->type) != SG_OK) {
        conf_error(loader, statement, node, "'%s' is not a valid type", node->text);
        return false;
    }
    if (*limit == '(') {
        size_t count = strcspn(limit + 1, ")");
        if (count == 0 || count >= sizeof(digits) || strcmp(limit + 1 + count, ")") != 0) {
            conf_error(loader, statement, node, "'%s': expected a number in brackets", node->text);
            return false;
        }
        memcpy(digits, limit + 1, count);
        digits[count] = '\0';
        if (!conf_value_integer(digits, &records) || records > UINT16_MAX) {
            conf_error(loader, statement, node, "'%s': expected a number in brackets", node->text);
            return false;
        }
    }
    out_type->records_max = (uint16_t)records;
    return true;
}

static bool read_types(struct conf_loader *loader, const struct conf_statement *statement,
                       unsigned first, struct conf_update_rule *rule)
{
    struct conf_update_type types[RULE_TYPES_MAX];
    size_t count = 0;

    memset(types, 0, sizeof(types));
    for (unsigned i = first; i < statement->count; i++) {
        const struct conf_node *node = &statement->nodes[i];
        if (!conf_node_is_text(node) || count == RULE_TYPES_MAX) {
            conf_error(loader, statement, node, "expected ';'");
            return false;
        }
        if (!read_type(loader, statement, node, &types[count])) {
            return false;
        }
        count++;
    }
    rule->types_count = count;
    if (count > 0) {
        rule->types = conf_memory_intern_bytes(loader->memory, types, count * sizeof(types[0]));
    }
    return true;
}

/* Is the identity the name of the key that signs, and not an address, a realm or a daemon? */
static bool is_by_signer(enum conf_update_match match)
{
    return match <= CONF_UPDATE_SELFWILD;
}

/* `external`: the identity is "local:/path". The daemon decides on all names. */
static bool read_daemon(struct conf_loader *loader, const struct conf_statement *statement,
                        struct conf_update_rule *rule)
{
    static const char prefix[] = "local:";
    const struct conf_node *identity = &statement->nodes[1];
    const char *path = identity->text + sizeof(prefix) - 1;

    if (strncmp(identity->text, prefix, sizeof(prefix) - 1) != 0 || path[0] != '/') {
        conf_error(loader, statement, identity,
                   "'%s': the identity of 'external' is \"local:\" and the path of a socket",
                   identity->text);
        return false;
    }
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        conf_error(loader, statement, identity, "'%s' is too long for a socket's path", path);
        return false;
    }
    if (rule->name->length > 1 && !(dns_name_is_wildcard(rule->name) && rule->name->length == 3)) {
        conf_warning(loader, statement, &statement->nodes[3],
                     "the name '%s' is not looked at: the daemon of 'external' is asked about all",
                     statement->nodes[3].text);
    }
    rule->socket = conf_memory_intern(loader->memory, path);
    return true;
}

static bool read_identity(struct conf_loader *loader, const struct conf_statement *statement,
                          struct conf_update_rule *rule)
{
    const struct conf_node *identity = &statement->nodes[1];

    if (rule->match == CONF_UPDATE_EXTERNAL) {
        return true; /* read_daemon() */
    }
    rule->identity = keep_name(loader, identity->text);
    if (rule->identity == NULL) {
        conf_error(loader, statement, identity, "'%s' is not a valid name", identity->text);
        return false;
    }
    if (is_by_signer(rule->match) && !dns_name_is_wildcard(rule->identity)) {
        conf_note_signer(loader, statement, identity, rule->identity);
    }
    return true;
}

static bool read_rule(struct conf_loader *loader, const struct conf_statement *statement,
                      struct conf_update_rule *rule)
{
    const struct conf_node *identity = &statement->nodes[1];
    bool has_name;

    rule->grant = conf_node_says(&statement->nodes[0], "grant");
    rule->identity_text = conf_memory_intern(loader->memory, identity->text);
    if (!read_match(loader, statement, rule)) {
        return false;
    }
    if (!conf_update_match_is_supported(rule->match)) {
        conf_warning(loader, statement, &statement->nodes[2],
                     "'%s' matches nobody: Signet has no GSS-TSIG", statement->nodes[2].text);
    }
    has_name = rule->match != CONF_UPDATE_ZONESUB;
    return read_identity(loader, statement, rule) &&
           (!has_name || read_name(loader, statement, rule)) &&
           (rule->match != CONF_UPDATE_EXTERNAL || read_daemon(loader, statement, rule)) &&
           read_types(loader, statement, has_name ? 4 : 3, rule);
}

static const struct conf_update_policy *keep_policy(struct conf_loader *loader,
                                                    const struct conf_update_rule *rules,
                                                    size_t count, bool local)
{
    struct conf_update_policy policy;

    memset(&policy, 0, sizeof(policy));
    policy.local = local;
    policy.clients = local ? loader->acl_localhost : NULL;
    policy.rules_count = count;
    for (size_t i = 0; i < count; i++) {
        policy.external = policy.external || rules[i].match == CONF_UPDATE_EXTERNAL;
    }
    if (count > 0) {
        policy.rules = conf_memory_intern_bytes(loader->memory, rules, count * sizeof(*rules));
    }
    return conf_memory_intern_bytes(loader->memory, &policy, sizeof(policy));
}

const struct conf_update_policy *conf_build_update_policy(struct conf_loader *loader,
                                                          const struct conf_statement *statement)
{
    const struct conf_statement *first = conf_body(statement);
    size_t count = 0, limit = 1;

    if (statement->nodes[1].kind != CONF_NODE_BLOCK) {
        struct conf_update_rule rule;
        static const struct conf_update_type any = {DNS_TYPE_ANY, 0};
        memset(&rule, 0, sizeof(rule));
        rule.grant = true;
        rule.match = CONF_UPDATE_ZONESUB;
        rule.identity = conf_memory_intern_bytes(
            loader->memory, &loader->conf->options.session_key.name, sizeof(struct dns_name));
        rule.identity_text = conf_memory_intern(loader->memory, "local-ddns");
        rule.types = conf_memory_intern_bytes(loader->memory, &any, sizeof(any));
        rule.types_count = 1;
        return keep_policy(loader, &rule, 1, true);
    }
    for (const struct conf_statement *at = first; at != NULL; at = at->next) {
        limit++;
    }
    if (limit > RULES_MAX) {
        conf_error(loader, statement, NULL, "more than %d rules", RULES_MAX);
        return keep_policy(loader, NULL, 0, false);
    }
    struct conf_update_rule *rules = mem_alloc_zero(limit, sizeof(*rules));
    for (const struct conf_statement *at = first; at != NULL; at = at->next) {
        count += read_rule(loader, at, &rules[count]);
    }
    const struct conf_update_policy *policy = keep_policy(loader, rules, count, false);
    mem_free(rules);
    return policy;
}
