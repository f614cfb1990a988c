#include "server/update_policy.h"

#include <stdio.h>

#include "dns/rrtype.h"

enum {
    REVERSE_TEXT_BYTES = 80,
    SIX_TO_FOUR_BYTES = 6, /* 2002::/16 and an IPv4 address, RFC 3056 2 */
};

/* Below the wildcard's parent, at any depth: `*` alone stands for every name but the root. */
static bool is_below_wildcard(const struct dns_name *name, const struct dns_name *wildcard)
{
    const struct dns_name parent = dns_name_parent(wildcard, 1);
    return name->length > parent.length && dns_name_is_at_or_below(name, &parent);
}

static bool is_identity(const struct dns_name *name, const struct dns_name *identity)
{
    return dns_name_is_wildcard(identity) ? is_below_wildcard(name, identity)
                                          : dns_name_equal(name, identity);
}

/* ---- names that stand for addresses ---- */

static void append_nibbles(char *text, const uint8_t *bytes, unsigned length)
{
    for (unsigned i = length; i > 0; i--) {
        text += sprintf(text, "%x.%x.", bytes[i - 1] & 0xfu, bytes[i - 1] >> 4);
    }
    strcpy(text, "ip6.arpa.");
}

/* The name of the PTR records of an address (RFC 1035 3.5, RFC 3596 2.5). */
static void reverse_text(const uint8_t *bytes, unsigned length, char out_text[REVERSE_TEXT_BYTES])
{
    if (length == 4) {
        snprintf(out_text, REVERSE_TEXT_BYTES, "%u.%u.%u.%u.in-addr.arpa.", bytes[3], bytes[2],
                 bytes[1], bytes[0]);
    } else {
        append_nibbles(out_text, bytes, length);
    }
}

/* The reverse delegation of the 6to4 network that the address speaks for. False: of none. */
static bool six_to_four_text(const uint8_t *bytes, unsigned length,
                             char out_text[REVERSE_TEXT_BYTES])
{
    uint8_t prefix[SIX_TO_FOUR_BYTES] = {0x20, 0x02};
    if (length == 4) {
        memcpy(prefix + 2, bytes, 4);
    } else if (memcmp(bytes, prefix, 2) == 0) {
        memcpy(prefix, bytes, sizeof(prefix));
    } else {
        return false;
    }
    append_nibbles(out_text, prefix, sizeof(prefix));
    return true;
}

/* The name that the client's address speaks for. False: none, or it is not proved. */
static bool self_of_address(enum conf_update_match match, const struct update_requester *requester,
                            struct dns_name *out_self)
{
    char text[REVERSE_TEXT_BYTES];
    unsigned length;
    const uint8_t *bytes = net_address_bytes(&requester->client, &length);
    if (!requester->tcp) {
        return false;
    }
    if (match == CONF_UPDATE_TCP_SELF) {
        reverse_text(bytes, length, text);
    } else if (!six_to_four_text(bytes, length, text)) {
        return false;
    }
    return dns_name_from_text(text, strlen(text), NULL, out_self) == SG_OK;
}

/* ---- rules ---- */

static bool is_by_address(const struct conf_update_rule *rule)
{
    return rule->match == CONF_UPDATE_TCP_SELF || rule->match == CONF_UPDATE_6TO4_SELF;
}

/* Whom the rule is about. `out_self` is the name that "self" rules compare with. */
static bool identity_matches(const struct conf_update_rule *rule,
                             const struct update_requester *requester, struct dns_name *out_self)
{
    if (rule->match == CONF_UPDATE_EXTERNAL) {
        return requester->has_key || requester->tcp; /* the daemon is told which */
    }
    if (rule->identity == NULL || !conf_update_match_is_supported(rule->match)) {
        return false;
    }
    if (is_by_address(rule)) {
        return self_of_address(rule->match, requester, out_self) &&
               is_identity(out_self, rule->identity);
    }
    if (!requester->has_key) {
        return false;
    }
    *out_self = requester->key_name;
    return is_identity(&requester->key_name, rule->identity);
}

static bool name_matches(const struct conf_update_rule *rule, const struct dns_name *self,
                         const struct dns_name *apex, const struct dns_name *owner)
{
    switch (rule->match) {
    case CONF_UPDATE_NAME:
        return dns_name_equal(owner, rule->name);
    case CONF_UPDATE_SUBDOMAIN:
        return dns_name_is_at_or_below(owner, rule->name);
    case CONF_UPDATE_WILDCARD:
        return is_below_wildcard(owner, rule->name);
    case CONF_UPDATE_ZONESUB:
        return dns_name_is_at_or_below(owner, apex);
    case CONF_UPDATE_SELF:
    case CONF_UPDATE_TCP_SELF:
    case CONF_UPDATE_6TO4_SELF:
        return dns_name_equal(owner, self);
    case CONF_UPDATE_SELFSUB:
        return dns_name_is_at_or_below(owner, self);
    case CONF_UPDATE_SELFWILD:
        return owner->length > self->length && dns_name_is_at_or_below(owner, self);
    case CONF_UPDATE_EXTERNAL:
        return true;
    default:
        return false; /* of principals that we do not know */
    }
}

/* Without types: what hosts and services are made of, not what makes a zone. */
static bool type_matches(const struct conf_update_rule *rule, uint16_t type,
                         uint16_t *out_records_max)
{
    bool matches = false;
    if (rule->types_count == 0) {
        *out_records_max = 0;
        return type != DNS_TYPE_NS && type != DNS_TYPE_SOA && !dns_type_is_generated(type);
    }
    for (size_t i = 0; i < rule->types_count; i++) {
        const struct conf_update_type *listed = &rule->types[i];
        if (listed->type == type) {
            *out_records_max = listed->records_max;
            return true;
        }
        if (listed->type == DNS_TYPE_ANY && !matches) {
            *out_records_max = listed->records_max;
            matches = true;
        }
    }
    return matches;
}

/* A daemon that does not answer must let in nobody: neither by a grant nor past a deny. */
static bool daemon_matches(const struct conf_update_rule *rule,
                           const struct update_requester *requester,
                           const struct zone_update_wish *wish)
{
    if (rule->match != CONF_UPDATE_EXTERNAL) {
        return true;
    }
    enum update_verdict verdict =
        update_questions_verdict(requester->questions, rule->socket, wish);
    return rule->grant ? verdict == UPDATE_VERDICT_YES : verdict != UPDATE_VERDICT_NO;
}

static bool client_matches(const struct conf_update_policy *policy,
                           const struct update_requester *requester)
{
    return policy->clients == NULL ||
           conf_acl_matches(policy->clients, &requester->client, &requester->client, NULL);
}

bool update_policy_allows(const struct conf_update_policy *policy,
                          const struct update_requester *requester, const struct dns_name *apex,
                          const struct zone_update_wish *wish, uint16_t *out_records_max)
{
    struct dns_name self;
    uint16_t records_max = 0;
    bool allowed = false;
    for (size_t i = 0; i < policy->rules_count && client_matches(policy, requester); i++) {
        const struct conf_update_rule *rule = &policy->rules[i];
        if (identity_matches(rule, requester, &self) &&
            name_matches(rule, &self, apex, wish->owner) &&
            type_matches(rule, wish->type, &records_max) && daemon_matches(rule, requester, wish)) {
            allowed = rule->grant;
            break;
        }
    }
    *out_records_max = allowed ? records_max : 0;
    return allowed;
}

bool update_policy_knows(const struct conf_update_policy *policy,
                         const struct update_requester *requester)
{
    struct dns_name self;
    for (size_t i = 0; i < policy->rules_count && client_matches(policy, requester); i++) {
        if (policy->rules[i].grant && identity_matches(&policy->rules[i], requester, &self)) {
            return true;
        }
    }
    return false;
}
