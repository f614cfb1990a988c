/* dnssec-policy statements: what they say, and whether it hangs together. */
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "conf/loader.h"
#include "conf/value.h"

enum {
    KEY_LIFETIME_SHORT = 30 * 86400,
    RSA_BITS_MIN = 1024,
    RSA_BITS_MAX = 4096,
    /* What timing takes for the largest TTL where a policy sets no limit: a week. */
    MAX_TTL_UNLIMITED = 604800,
};

static void wrong(struct conf_loader *loader, const struct conf_statement *statement,
                  const struct conf_node *node, const char *text)
{
    conf_error(loader, statement, node, "dnssec-policy: %s", text);
}

/* --- key entries ---------------------------------------------------------------------------- */

/* An entry of `keys` that is being read, word by word. */
struct key_words {
    struct conf_loader *loader;
    const struct conf_statement *statement;
    unsigned next;
};

static const struct conf_node *take_word(struct key_words *words, const char *expected)
{
    const struct conf_statement *statement = words->statement;

    if (words->next < statement->count && conf_node_is_text(&statement->nodes[words->next])) {
        return &statement->nodes[words->next++];
    }
    if (words->next < statement->count) {
        conf_error(words->loader, statement, &statement->nodes[words->next], "expected %s",
                   expected);
    } else {
        conf_report_add(words->loader->report, CONF_ERROR, statement->file, statement->end_line,
                        statement->end_column, "expected %s before ';'", expected);
    }
    return NULL;
}

static bool next_says(const struct key_words *words, const char *keyword)
{
    return words->next < words->statement->count &&
           conf_node_says(&words->statement->nodes[words->next], keyword);
}

/* The word `keyword` and the value behind it. NULL: an error was reported. */
static const struct conf_node *take_value(struct key_words *words, const char *keyword)
{
    char expected[32];

    if (!next_says(words, keyword)) {
        struct key_words here = *words;
        snprintf(expected, sizeof(expected), "'%s'", keyword);
        const struct conf_node *found = take_word(&here, expected);
        if (found != NULL) {
            conf_error(words->loader, words->statement, found, "expected %s, found '%s'", expected,
                       found->text);
        }
        return NULL;
    }
    words->next++;
    return take_word(words, keyword);
}

static bool read_role_and_store(struct key_words *words, struct kasp_key *key)
{
    const struct conf_node *role = take_word(words, "'csk', 'ksk' or 'zsk'");
    if (role == NULL) {
        return false;
    }
    key->role = conf_node_says(role, "csk")   ? KASP_ROLE_CSK
                : conf_node_says(role, "ksk") ? KASP_ROLE_KSK
                                              : KASP_ROLE_ZSK;
    if (next_says(words, "key-directory")) {
        words->next++;
    } else if (next_says(words, "key-store")) {
        const struct conf_node *store = take_value(words, "key-store");
        if (store == NULL) {
            return false;
        }
        if (strcmp(store->text, "key-directory") == 0) {
            return true;
        }
        if (conf_names_find(&words->loader->key_stores, store->text, strlen(store->text)) == NULL) {
            struct schema_hint hint;
            conf_error(
                words->loader, words->statement, store,
                "dnssec-policy: keystore %s does not exist%s", store->text,
                conf_did_you_mean(words->loader, &words->loader->key_stores, store->text, &hint));
            return false;
        }
        key->key_store = mem_copy_text(store->text);
    }
    return true;
}

static bool read_lifetime(struct key_words *words, struct kasp_key *key)
{
    const struct conf_node *lifetime = take_value(words, "lifetime");

    if (lifetime == NULL) {
        return false;
    }
    if (conf_node_says(lifetime, "unlimited")) {
        key->lifetime = KASP_LIFETIME_UNLIMITED;
        return true;
    }
    if (!conf_value_duration(lifetime->text, &key->lifetime)) {
        conf_error(words->loader, words->statement, lifetime,
                   "expected a duration or 'unlimited', found '%s'", lifetime->text);
        return false;
    }
    return true;
}

static const char *algorithm_hint(const char *wanted, struct schema_hint *out_hint)
{
    struct schema_nearest nearest;

    schema_nearest_begin(&nearest, wanted);
    for (unsigned algorithm = 0; algorithm <= UINT8_MAX; algorithm++) {
        if (dnssec_algorithm_can_generate(algorithm)) {
            schema_nearest_try(&nearest, dnssec_algorithm_text(algorithm));
        }
    }
    return schema_nearest_hint(&nearest, out_hint);
}

static bool read_algorithm(struct key_words *words, struct kasp_key *key)
{
    const struct conf_node *algorithm = take_value(words, "algorithm");

    if (algorithm == NULL) {
        return false;
    }
    if (dnssec_algorithm_from_text(algorithm->text, &key->algorithm) != SG_OK ||
        !dnssec_algorithm_is_known(key->algorithm)) {
        struct schema_hint hint;
        conf_error(words->loader, words->statement, algorithm, "dnssec-policy: bad algorithm %s%s",
                   algorithm->text, algorithm_hint(algorithm->text, &hint));
        return false;
    }
    if (key->algorithm == DNSSEC_RSASHA1 || key->algorithm == DNSSEC_NSEC3RSASHA1) {
        conf_warning(words->loader, words->statement, algorithm,
                     "dnssec-policy: DNSSEC algorithm %s is deprecated: keys that are there sign, "
                     "none are made",
                     dnssec_algorithm_text(key->algorithm));
    }
    return true;
}

static bool read_tag(struct key_words *words, const char *name, uint32_t *out_tag)
{
    const struct conf_node *node = take_word(words, "a key tag");

    if (node == NULL) {
        return false;
    }
    if (!conf_value_integer(node->text, out_tag)) {
        conf_error(words->loader, words->statement, node, "expected a number, found '%s'",
                   node->text);
        return false;
    }
    if (*out_tag > UINT16_MAX) {
        conf_error(words->loader, words->statement, node, "dnssec-policy: %s too big", name);
        return false;
    }
    return true;
}

static bool read_tag_range(struct key_words *words, struct kasp_key *key)
{
    uint32_t tag_min, tag_max;

    key->tag_min = 0;
    key->tag_max = UINT16_MAX;
    if (!next_says(words, "tag-range")) {
        return true;
    }
    const struct conf_node *at = &words->statement->nodes[words->next++];
    if (!read_tag(words, "tag-min", &tag_min) || !read_tag(words, "tag-max", &tag_max)) {
        return false;
    }
    if (tag_min >= tag_max) {
        wrong(words->loader, words->statement, at, "tag-min >= tag_max");
        return false;
    }
    key->tag_min = (uint16_t)tag_min;
    key->tag_max = (uint16_t)tag_max;
    return true;
}

static bool read_bits(struct key_words *words, struct kasp_key *key)
{
    bool given = words->next < words->statement->count;
    bool is_rsa = dnssec_algorithm_is_rsa(key->algorithm);
    uint32_t asked = 0;
    unsigned bits;

    if (given) {
        const struct conf_node *node = take_word(words, "a key length");
        if (node == NULL) {
            return false;
        }
        if (!conf_value_integer(node->text, &asked)) {
            conf_error(words->loader, words->statement, node, "expected ';', found '%s'",
                       node->text);
            return false;
        }
        if (is_rsa && (asked < RSA_BITS_MIN || asked > RSA_BITS_MAX)) {
            conf_error(words->loader, words->statement, node,
                       "dnssec-policy: key with algorithm %s has invalid key length %u",
                       dnssec_algorithm_text(key->algorithm), asked);
            return false;
        }
        if (!is_rsa) {
            conf_warning(words->loader, words->statement, node,
                         "dnssec-policy: key algorithm %s has predefined length; ignoring length "
                         "value %u",
                         dnssec_algorithm_text(key->algorithm), asked);
        }
    }
    if (dnssec_algorithm_bits(key->algorithm, is_rsa ? asked : 0, &bits) != SG_OK) {
        wrong(words->loader, words->statement, NULL, "invalid key length");
        return false;
    }
    key->bits = (uint16_t)bits;
    return true;
}

static bool read_key(struct conf_loader *loader, const struct conf_statement *statement,
                     struct kasp_key *key)
{
    struct key_words words = {loader, statement, 0};

    *key = (struct kasp_key){0};
    if (!read_role_and_store(&words, key) || !read_lifetime(&words, key) ||
        !read_algorithm(&words, key) || !read_tag_range(&words, key) || !read_bits(&words, key)) {
        return false;
    }
    if (words.next < statement->count) {
        conf_error(loader, statement, &statement->nodes[words.next], "missing ';' before this");
        return false;
    }
    return true;
}

static void read_keys(struct conf_loader *loader, const struct conf_statement *statement,
                      struct kasp_policy *policy)
{
    policy->keys_count = 0;
    if (conf_body(statement) == NULL) {
        /* Taken as it stands, the zone would go insecure without anybody having said so. */
        wrong(loader, statement, NULL, "'keys' must name at least one key");
    }
    for (const struct conf_statement *each = conf_body(statement); each != NULL;
         each = each->next) {
        if (policy->keys_count == KASP_KEYS_MAX) {
            conf_error(loader, each, NULL, "dnssec-policy: more than %d keys", KASP_KEYS_MAX);
            return;
        }
        struct kasp_key *key = &policy->keys[policy->keys_count];
        if (read_key(loader, each, key)) {
            policy->keys_count++;
        } else {
            mem_free(key->key_store);
            key->key_store = NULL;
        }
    }
}

/* --- other options -------------------------------------------------------------------------- */

static void read_digests(struct conf_loader *loader, const struct conf_statement *statement,
                         struct kasp_policy *policy)
{
    static const struct {
        const char *name;
        uint8_t number;
    } digests[] = {{"SHA-1", 1}, {"SHA1", 1},    {"SHA-256", 2}, {"SHA256", 2},
                   {"GOST", 3},  {"GOST-94", 3}, {"SHA-384", 4}, {"SHA384", 4}};

    policy->cds_digests_count = 0;
    for (const struct conf_statement *each = conf_body(statement); each != NULL;
         each = each->next) {
        const char *text = each->nodes[0].text;
        uint32_t number = 0;
        bool known = conf_value_integer(text, &number) && number <= UINT8_MAX;
        for (size_t i = 0; !known && i < ARRAY_LEN(digests); i++) {
            known = strcasecmp(text, digests[i].name) == 0;
            number = known ? digests[i].number : 0;
        }
        if (!known) {
            conf_error(loader, each, NULL, "dnssec-policy: bad cds digest-type %s", text);
            continue;
        }
        if (number != 1 && number != 2 && number != 4) {
            conf_error(loader, each, NULL, "dnssec-policy: unsupported cds digest-type %s", text);
            continue;
        }
        if (number == 1) {
            conf_warning(loader, each, NULL, "dnssec-policy: deprecated CDS digest-type %s", text);
        }
        bool listed = memchr(policy->cds_digests, (int)number, policy->cds_digests_count) != NULL;
        if (!listed) {
            policy->cds_digests[policy->cds_digests_count++] = (uint8_t)number;
        }
    }
}

static void read_nsec3(struct conf_loader *loader, const struct conf_statement *statement,
                       struct kasp_policy *policy)
{
    const struct conf_node *iterations = conf_statement_after(statement, "iterations");
    const struct conf_node *opt_out = conf_statement_after(statement, "optout");
    const struct conf_node *salt = conf_statement_after(statement, "salt-length");

    policy->nsec3 = true;
    policy->nsec3_opt_out = opt_out != NULL && conf_boolean_of(opt_out);
    if (iterations != NULL && conf_integer_of(iterations) != 0) { /* RFC 9276 3.1 */
        conf_error(loader, statement, iterations,
                   "dnssec-policy: nsec3 iterations value %u not allowed, must be zero",
                   conf_integer_of(iterations));
    }
    if (salt != NULL && conf_integer_of(salt) > UINT8_MAX) {
        conf_error(loader, statement, salt, "dnssec-policy: nsec3 salt length %u too high",
                   conf_integer_of(salt));
    } else if (salt != NULL) {
        policy->nsec3_salt_length = (uint8_t)conf_integer_of(salt);
    }
    for (unsigned i = 0; i < policy->keys_count; i++) {
        if (!dnssec_algorithm_allows_nsec3(policy->keys[i].algorithm)) {
            conf_error(loader, statement, NULL,
                       "dnssec-policy: cannot use nsec3 with algorithm '%s'",
                       dnssec_algorithm_text(policy->keys[i].algorithm));
            return;
        }
    }
}

static void read_durations(const struct conf_statement *body, struct kasp_policy *policy)
{
    const struct {
        const char *name;
        sg_duration *value;
    } durations[] = {
        {"parent-ds-ttl", &policy->parent_ds_ttl},
        {"parent-propagation-delay", &policy->parent_propagation_delay},
        {"publish-safety", &policy->publish_safety},
        {"purge-keys", &policy->purge_keys},
        {"retire-safety", &policy->retire_safety},
        {"signatures-jitter", &policy->signatures_jitter},
        {"signatures-refresh", &policy->signatures_refresh},
        {"signatures-validity", &policy->signatures_validity},
        {"signatures-validity-dnskey", &policy->signatures_validity_dnskey},
        {"signatures-inception-offset", &policy->signatures_inception_offset},
        {"zone-propagation-delay", &policy->zone_propagation_delay},
    };
    const struct {
        const char *name;
        uint32_t *value;
    } ttls[] = {{"dnskey-ttl", &policy->dnskey_ttl}, {"max-zone-ttl", &policy->max_zone_ttl}};

    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        const struct conf_statement *statement = conf_find_statement(body, durations[i].name);
        if (statement != NULL) {
            *durations[i].value = conf_duration_of(&statement->nodes[1]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(ttls); i++) {
        const struct conf_statement *statement = conf_find_statement(body, ttls[i].name);
        if (statement != NULL) {
            *ttls[i].value = conf_duration_of(&statement->nodes[1]);
        }
    }
}

static void read_flags(const struct conf_statement *body, struct kasp_policy *policy)
{
    const struct {
        const char *name;
        bool *value;
    } flags[] = {
        {"cdnskey", &policy->cdnskey},
        {"inline-signing", &policy->inline_signing},
        {"manual-mode", &policy->manual_mode},
        {"offline-ksk", &policy->offline_ksk},
    };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        const struct conf_statement *statement = conf_find_statement(body, flags[i].name);
        if (statement != NULL) {
            *flags[i].value = conf_boolean_of(&statement->nodes[1]);
        }
    }
}

/* --- does it hang together? ----------------------------------------------------------------- */

static void check_validity(struct conf_loader *loader, const struct conf_statement *statement,
                           const struct kasp_policy *policy, sg_duration validity,
                           const char *option)
{
    const struct conf_statement *body = conf_body(statement);
    const struct conf_statement *refresh = conf_find_statement(body, "signatures-refresh");
    const struct conf_statement *jitter = conf_find_statement(body, "signatures-jitter");
    const struct conf_statement *given = conf_find_statement(body, option);
    const struct conf_statement *at = given == NULL ? statement : given;

    if (policy->signatures_refresh * 10 >= validity * 9) {
        conf_error(loader, refresh == NULL ? at : refresh, NULL,
                   "dnssec-policy: policy '%s' signatures-refresh must be at most 90%% of the %s",
                   policy->name, option);
    }
    if (policy->signatures_jitter > validity) {
        conf_error(loader, jitter == NULL ? at : jitter, NULL,
                   "dnssec-policy: signatures-jitter cannot be larger than %s", option);
    }
}

/* How long a key of that role needs until it can be replaced: RFC 7583 3.2.1 and 3.3.1. */
static sg_duration rollover_duration(const struct kasp_policy *policy, enum kasp_role role)
{
    sg_duration publish =
        (sg_duration)policy->dnskey_ttl + policy->publish_safety + policy->zone_propagation_delay;
    sg_duration largest_ttl = policy->max_zone_ttl == 0 ? MAX_TTL_UNLIMITED : policy->max_zone_ttl;
    sg_duration retire =
        role == KASP_ROLE_KSK
            ? policy->parent_ds_ttl + policy->retire_safety + policy->parent_propagation_delay
            : policy->signatures_validity - policy->signatures_refresh + largest_ttl +
                  policy->retire_safety + policy->zone_propagation_delay;
    return publish > retire ? publish : retire;
}

static void check_lifetime(struct conf_loader *loader, const struct conf_statement *entry,
                           const struct kasp_policy *policy, const struct kasp_key *key)
{
    if (key->lifetime == KASP_LIFETIME_UNLIMITED) {
        return;
    }
    const struct conf_node *node = conf_statement_after(entry, "lifetime");
    bool as_ksk = (key->role & KASP_ROLE_KSK) != 0 &&
                  key->lifetime <= rollover_duration(policy, KASP_ROLE_KSK);
    bool as_zsk = (key->role & KASP_ROLE_ZSK) != 0 &&
                  key->lifetime <= rollover_duration(policy, KASP_ROLE_ZSK);
    if (key->lifetime < KEY_LIFETIME_SHORT) {
        conf_warning(loader, entry, node, "dnssec-policy: key lifetime is shorter than 30 days");
    }
    if (as_ksk || as_zsk) {
        wrong(loader, entry, node,
              "key lifetime is shorter than the time it takes to do a rollover");
    }
}

/* How many of the first `count` keys have the algorithm and the role, alone or with the other. */
static unsigned count_keys(const struct kasp_policy *policy, unsigned count, uint8_t algorithm,
                           enum kasp_role role)
{
    unsigned found = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct kasp_key *key = &policy->keys[i];
        found += key->algorithm == algorithm && (key->role & role) != 0;
    }
    return found;
}

static void check_roles(struct conf_loader *loader, const struct conf_statement *statement,
                        const struct kasp_policy *policy)
{
    for (unsigned i = 0; i < policy->keys_count; i++) {
        uint8_t algorithm = policy->keys[i].algorithm;
        if (count_keys(policy, i, algorithm, KASP_ROLE_CSK) > 0) {
            continue; /* Told already. */
        }
        unsigned ksks = count_keys(policy, policy->keys_count, algorithm, KASP_ROLE_KSK);
        unsigned zsks = count_keys(policy, policy->keys_count, algorithm, KASP_ROLE_ZSK);
        if (ksks == 0 || zsks == 0) {
            conf_error(loader, statement, NULL,
                       "dnssec-policy: algorithm %u requires both KSK and ZSK roles", algorithm);
        }
        if (ksks > 1) {
            conf_warning(loader, statement, NULL,
                         "dnssec-policy: algorithm %u has multiple keys with KSK role", algorithm);
        }
        if (zsks > 1) {
            conf_warning(loader, statement, NULL,
                         "dnssec-policy: algorithm %u has multiple keys with ZSK role", algorithm);
        }
    }
}

static void check_offline_ksk(struct conf_loader *loader, const struct conf_statement *statement,
                              const struct kasp_policy *policy)
{
    for (unsigned i = 0; policy->offline_ksk && i < policy->keys_count; i++) {
        if (policy->keys[i].role == KASP_ROLE_CSK) {
            wrong(loader, statement, NULL, "csk keys are not allowed when offline-ksk is enabled");
            return;
        }
    }
}

static void check_policy(struct conf_loader *loader, const struct conf_statement *statement,
                         const struct kasp_policy *policy)
{
    const struct conf_statement *keys = conf_find_statement(conf_body(statement), "keys");

    check_validity(loader, statement, policy, policy->signatures_validity, "signatures-validity");
    check_validity(loader, statement, policy, policy->signatures_validity_dnskey,
                   "signatures-validity-dnskey");
    check_roles(loader, keys == NULL ? statement : keys, policy);
    check_offline_ksk(loader, statement, policy);

    const struct conf_statement *entry = keys == NULL ? NULL : conf_body(keys);
    for (unsigned i = 0; entry != NULL && i < policy->keys_count; i++, entry = entry->next) {
        check_lifetime(loader, entry, policy, &policy->keys[i]);
    }
}

static struct kasp_policy *read_policy(struct conf_loader *loader,
                                       const struct conf_statement *statement)
{
    struct kasp_policy *policy = kasp_policy_default();
    const struct conf_statement *body = conf_body(statement);
    const struct conf_statement *keys = conf_find_statement(body, "keys");
    const struct conf_statement *digests = conf_find_statement(body, "cds-digest-types");
    const struct conf_statement *nsec3 = conf_find_statement(body, "nsec3param");
    size_t errors = loader->report->errors;

    mem_free(policy->name);
    policy->name = mem_copy_text(statement->nodes[1].text);
    read_durations(body, policy);
    read_flags(body, policy);
    if (keys != NULL) {
        read_keys(loader, keys, policy);
    }
    if (digests != NULL) {
        read_digests(loader, digests, policy);
    }
    if (nsec3 != NULL) {
        read_nsec3(loader, nsec3, policy);
    }
    if (loader->report->errors == errors) { /* Else the checks would only add confusion. */
        check_policy(loader, statement, policy);
    }
    return policy;
}

static void add_policy(struct conf_loader *loader, struct kasp_policy *policy)
{
    loader->conf->policies[loader->conf->policies_count++] = policy;
    bool added = conf_names_add(&loader->policies, policy->name, strlen(policy->name), policy);
    ASSERT(added);
}

void conf_resolve_policies(struct conf_loader *loader)
{
    static const char *const reserved[] = {"none", "default", "insecure"};
    size_t count = 2;

    for (const struct conf_statement *at = conf_next_statement(loader->top, "dnssec-policy");
         at != NULL; at = conf_next_statement(at->next, "dnssec-policy")) {
        count++;
    }
    loader->conf->policies =
        conf_memory_take_zero(loader->memory, count, sizeof(struct kasp_policy *));
    add_policy(loader, kasp_policy_default());
    add_policy(loader, kasp_policy_insecure());
    for (const struct conf_statement *at = conf_next_statement(loader->top, "dnssec-policy");
         at != NULL; at = conf_next_statement(at->next, "dnssec-policy")) {
        const char *name = at->nodes[1].text;
        bool is_reserved = false;
        for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
            is_reserved |= strcmp(name, reserved[i]) == 0;
        }
        if (is_reserved) {
            conf_error(loader, at, &at->nodes[1],
                       "dnssec-policy: dnssec-policy name may not be 'insecure', 'none', or "
                       "'default' (which are built-in policies)");
        } else if (conf_names_find(&loader->policies, name, strlen(name)) != NULL) {
            conf_error(loader, at, &at->nodes[1],
                       "dnssec-policy: duplicately named policy found '%s'", name);
        } else {
            add_policy(loader, read_policy(loader, at));
        }
    }
}
