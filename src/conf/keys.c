/* key, tls, http and key-store statements: what others refer to by name. */
#include <stdio.h>
#include <strings.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "conf/loader.h"

enum { KEYS_MAX = 100000, SECRET_BITS_GOOD = 128, HINT_KEYS_MAX = 50 };

static const char *const key_algorithms[] = {"hmac-md5",    "hmac-sha1",   "hmac-sha224",
                                             "hmac-sha256", "hmac-sha384", "hmac-sha512"};

static bool decode_secret(struct conf_loader *loader, const struct conf_statement *secret,
                          struct tsig_key *key)
{
    struct buffer bytes = BUFFER_EMPTY;
    const char *text = secret->nodes[1].text;
    bool good = base64_decode(span_of_text(text), &bytes) == SG_OK && bytes.length > 0 &&
                bytes.length <= sizeof(key->secret);

    if (good) {
        memcpy(key->secret, bytes.bytes, bytes.length);
        key->secret_length = (uint16_t)bytes.length;
    } else {
        /* Not a word of the text: it may be a good secret with a slip. */
        conf_error(loader, secret, &secret->nodes[1], "the secret is not base64 of 1 to %d bytes",
                   TSIG_SECRET_BYTES_MAX);
    }
    buffer_wipe(&bytes);
    return good;
}

static bool same_key(const struct tsig_key *a, const struct tsig_key *b)
{
    return a->algorithm == b->algorithm && a->mac_bits == b->mac_bits &&
           a->secret_length == b->secret_length &&
           memcmp(a->secret, b->secret, a->secret_length) == 0;
}

static void keep_key(struct conf_loader *loader, const struct conf_statement *statement,
                     const struct tsig_key *draft, bool in_view)
{
    struct conf *conf = loader->conf;
    const struct tsig_key *known =
        conf_names_find(&loader->keys, draft->name.wire, draft->name.length);

    if (known != NULL) {
        if (!in_view || !same_key(known, draft)) { /* Views may repeat a key. */
            conf_error(loader, statement, &statement->nodes[1], "key '%s' is defined twice",
                       statement->nodes[1].text);
        }
        return;
    }
    if (conf->keys_count == KEYS_MAX) {
        conf_error(loader, statement, NULL, "more than %d keys", KEYS_MAX);
        return;
    }
    struct tsig_key *key = conf_memory_take(loader->memory, sizeof(*key));
    *key = *draft;
    bool added = conf_names_add(&loader->keys, key->name.wire, key->name.length, key);
    ASSERT(added);
    if ((conf->keys_count & (conf->keys_count - 1)) == 0) { /* Grown at each power of two. */
        struct tsig_key **keys = conf_memory_take(loader->memory, (conf->keys_count * 2 + 1) *
                                                                      sizeof(struct tsig_key *));
        if (conf->keys_count > 0) {
            memcpy(keys, conf->keys, conf->keys_count * sizeof(struct tsig_key *));
        }
        conf->keys = keys;
    }
    conf->keys[conf->keys_count++] = key;
}

void conf_check_hmac(struct conf_loader *loader, const struct conf_statement *statement,
                     enum tsig_algorithm algorithm)
{
    const struct conf_statement *allow = conf_find_statement(loader->options, "allow-hmac-md5");
    bool allowed = allow != NULL && conf_boolean_of(&allow->nodes[1]);
    if (algorithm == TSIG_HMAC_MD5 && !allowed) {
        /* RFC 8945 6: MUST NOT be used. */
        conf_error(loader, statement, &statement->nodes[1],
                   "hmac-md5 is not to be used any more: take hmac-sha256 on both sides, or say "
                   "'allow-hmac-md5 yes' in options");
    }
}

static void add_key(struct conf_loader *loader, const struct conf_statement *statement,
                    bool in_view)
{
    const struct conf_node *name = &statement->nodes[1];
    const struct conf_statement *algorithm = conf_find_statement(conf_body(statement), "algorithm");
    const struct conf_statement *secret = conf_find_statement(conf_body(statement), "secret");
    struct tsig_key key = {0};

    if (dns_name_from_text(name->text, strlen(name->text), NULL, &key.name) != SG_OK) {
        conf_error(loader, statement, name, "key '%s': the name is not a domain name", name->text);
        return;
    }
    dns_name_lower(&key.name);
    if (algorithm == NULL || secret == NULL) {
        conf_error(loader, statement, name, "key '%s' must have both 'secret' and 'algorithm'",
                   name->text);
        return;
    }
    if (tsig_algorithm_from_text(algorithm->nodes[1].text, &key.algorithm, &key.mac_bits) !=
        SG_OK) {
        /* With the two options swapped, this would be the secret. */
        bool is_hmac = strncasecmp(algorithm->nodes[1].text, "hmac", 4) == 0;
        struct schema_nearest nearest;
        struct schema_hint hint;
        schema_nearest_begin(&nearest, is_hmac ? algorithm->nodes[1].text : "");
        for (size_t i = 0; i < ARRAY_LEN(key_algorithms); i++) {
            schema_nearest_try(&nearest, key_algorithms[i]);
        }
        conf_error(loader, algorithm, &algorithm->nodes[1], "unknown algorithm '%s'%s",
                   is_hmac ? algorithm->nodes[1].text : "...",
                   schema_nearest_hint(&nearest, &hint));
        return;
    }
    conf_check_hmac(loader, algorithm, key.algorithm);
    if (decode_secret(loader, secret, &key)) {
        if (key.secret_length * 8 < SECRET_BITS_GOOD) {
            conf_warning(loader, secret, NULL, "the key '%s' is too short to be secure",
                         name->text);
        }
        keep_key(loader, statement, &key, in_view);
    }
    mem_wipe(key.secret, sizeof(key.secret));
}

/* Which key was meant? */
static const char *key_hint(const struct conf_loader *loader, const char *wanted,
                            struct schema_hint *out_hint)
{
    char texts[HINT_KEYS_MAX][DNS_NAME_TEXT_BYTES];
    struct schema_nearest nearest;
    size_t count = loader->conf->keys_count;

    schema_nearest_begin(&nearest, wanted);
    for (size_t i = 0; i < count && i < HINT_KEYS_MAX; i++) {
        schema_nearest_try(&nearest,
                           dns_name_to_text_short(&loader->conf->keys[i]->name, texts[i]));
    }
    return schema_nearest_hint(&nearest, out_hint);
}

const struct tsig_key *conf_key_named(struct conf_loader *loader,
                                      const struct conf_statement *statement,
                                      const struct conf_node *node)
{
    struct dns_name name;
    const struct tsig_key *key = NULL;

    if (dns_name_from_text(node->text, strlen(node->text), NULL, &name) == SG_OK) {
        dns_name_lower(&name);
        key = conf_names_find(&loader->keys, name.wire, name.length);
    }
    if (key == NULL) {
        struct schema_hint hint;
        conf_error(loader, statement, node, "key '%s' is not defined%s", node->text,
                   key_hint(loader, node->text, &hint));
    }
    return key;
}

/* The session key is made at start; another name may be that of a SIG(0) signer. */
static bool is_key_known(const struct conf_loader *loader, const struct dns_name *name,
                         const char *text)
{
    const struct conf_statement *session = conf_find_statement(loader->options, "session-keyname");
    const char *session_name = session == NULL ? "local-ddns" : session->nodes[1].text;
    return conf_names_find(&loader->keys, name->wire, name->length) != NULL ||
           strcasecmp(text, session_name) == 0;
}

void conf_note_signer(struct conf_loader *loader, const struct conf_statement *statement,
                      const struct conf_node *node, const struct dns_name *name)
{
    struct schema_hint hint;
    if (!is_key_known(loader, name, node->text)) {
        conf_warning(loader, statement, node,
                     "key '%s' is not defined%s: only SIG(0) signers of that name match",
                     node->text, key_hint(loader, node->text, &hint));
    }
}

const struct dns_name *conf_acl_key(struct conf_loader *loader,
                                    const struct conf_statement *statement,
                                    const struct conf_node *node, bool negated)
{
    struct dns_name name;

    memset(&name, 0, sizeof(name)); /* interned by its bytes */
    if (dns_name_from_text(node->text, strlen(node->text), NULL, &name) != SG_OK) {
        conf_error(loader, statement, node, "'%s' is not the name of a key", node->text);
        return NULL;
    }
    dns_name_lower(&name);
    const struct tsig_key *key = conf_names_find(&loader->keys, name.wire, name.length);
    if (key != NULL) {
        return &key->name;
    }
    if (negated && !is_key_known(loader, &name, node->text)) {
        struct schema_hint hint;
        conf_error(loader, statement, node,
                   "key '%s' is not defined%s: behind '!' it would refuse nobody", node->text,
                   key_hint(loader, node->text, &hint));
        return NULL;
    }
    conf_note_signer(loader, statement, node, &name);
    return conf_memory_intern_bytes(loader->memory, &name, sizeof(name));
}

/* --- key-store ------------------------------------------------------------------------------ */

static void add_key_store(struct conf_loader *loader, const struct conf_statement *statement,
                          struct conf_key_store *store)
{
    const struct conf_node *name = &statement->nodes[1];
    const struct conf_statement *directory = conf_find_statement(conf_body(statement), "directory");
    const struct conf_statement *uri = conf_find_statement(conf_body(statement), "pkcs11-uri");

    *store = (struct conf_key_store){.name = conf_memory_intern(loader->memory, name->text)};
    if (strcmp(name->text, "key-directory") == 0) {
        conf_error(loader, statement, name, "key-store: name 'key-directory' not allowed");
    }
    if (directory != NULL) {
        store->directory = conf_memory_intern(loader->memory, directory->nodes[1].text);
    }
    if (uri != NULL) {
        store->pkcs11_uri = conf_memory_intern(loader->memory, uri->nodes[1].text);
    }
    if (!conf_names_add(&loader->key_stores, store->name, strlen(store->name), store)) {
        conf_error(loader, statement, name, "duplicate key-store found '%s'", name->text);
    }
}

/* --- tls, http ------------------------------------------------------------------------------ */

/* Their names ignore case. */
static bool add_terms(struct conf_loader *loader, struct conf_names *names, const char *name)
{
    char lower[CONF_NAME_BYTES];
    const char *key = conf_memory_intern(loader->scratch, conf_lower_name(name, lower));

    return conf_names_add(names, key, strlen(key), (void *)(uintptr_t)name);
}

const char *conf_terms_named(const struct conf_names *names, const char *name)
{
    char lower[CONF_NAME_BYTES];
    const char *key = conf_lower_name(name, lower);

    return conf_names_find(names, key, strlen(key));
}

static const char *text_option(struct conf_loader *loader, const struct conf_statement *body,
                               const char *name)
{
    const struct conf_statement *statement = conf_find_statement(body, name);
    return statement == NULL ? NULL : conf_memory_intern(loader->memory, statement->nodes[1].text);
}

static unsigned tls_protocols(struct conf_loader *loader, const struct conf_statement *body)
{
    const struct conf_statement *statement = conf_find_statement(body, "protocols");
    unsigned protocols = 0;

    for (const struct conf_statement *each = statement == NULL ? NULL : conf_body(statement);
         each != NULL; each = each->next) {
        if (conf_node_says(&each->nodes[0], "TLSv1.2")) {
            protocols |= CONF_TLS_V12;
        } else if (conf_node_says(&each->nodes[0], "TLSv1.3")) {
            protocols |= CONF_TLS_V13;
        } else {
            conf_error(loader, each, NULL, "'%s' is not a TLS version: TLSv1.2 or TLSv1.3",
                       each->nodes[0].text);
        }
    }
    return protocols;
}

static bool boolean_option(const struct conf_statement *body, const char *name, bool otherwise)
{
    const struct conf_statement *statement = conf_find_statement(body, name);
    return statement == NULL ? otherwise : conf_boolean_of(&statement->nodes[1]);
}

static void add_tls(struct conf_loader *loader, const struct conf_statement *statement,
                    struct conf_tls *tls)
{
    static const char *const reserved[] = {"ephemeral", "none"};
    const struct conf_node *name = &statement->nodes[1];
    const struct conf_statement *body = conf_body(statement);

    *tls = (struct conf_tls){
        .name = conf_memory_intern(loader->memory, name->text),
        .cert_file = text_option(loader, body, "cert-file"),
        .key_file = text_option(loader, body, "key-file"),
        .ca_file = text_option(loader, body, "ca-file"),
        .dhparam_file = text_option(loader, body, "dhparam-file"),
        .remote_hostname = text_option(loader, body, "remote-hostname"),
        .ciphers = text_option(loader, body, "ciphers"),
        .cipher_suites = text_option(loader, body, "cipher-suites"),
        .protocols = tls_protocols(loader, body),
        .prefer_server_ciphers = boolean_option(body, "prefer-server-ciphers", false),
        .session_tickets = boolean_option(body, "session-tickets", true),
    };
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (strcasecmp(name->text, reserved[i]) == 0) {
            conf_error(loader, statement, name, "tls statement name '%s' is reserved", name->text);
        }
    }
    if ((tls->cert_file == NULL) != (tls->key_file == NULL)) {
        conf_error(loader, statement, name,
                   "tls '%s': 'cert-file' and 'key-file' must both be given, or neither",
                   name->text);
    }
    if (!add_terms(loader, &loader->tls, tls->name)) {
        conf_error(loader, statement, name, "tls '%s' is defined twice", name->text);
    }
}

static unsigned integer_option(const struct conf_statement *body, const char *name,
                               unsigned otherwise)
{
    const struct conf_statement *statement = conf_find_statement(body, name);
    return statement == NULL ? otherwise : conf_integer_of(&statement->nodes[1]);
}

static size_t count_statements(const struct conf_statement *first)
{
    size_t count = 0;

    for (const struct conf_statement *each = first; each != NULL; each = each->next) {
        count++;
    }
    return count;
}

static void add_http(struct conf_loader *loader, const struct conf_statement *statement,
                     struct conf_http *http)
{
    const struct conf_node *name = &statement->nodes[1];
    const struct conf_statement *body = conf_body(statement);
    const struct conf_statement *endpoints = conf_find_statement(body, "endpoints");
    const struct conf_statement *first = endpoints == NULL ? NULL : conf_body(endpoints);

    *http = (struct conf_http){
        .name = conf_memory_intern(loader->memory, name->text),
        .listener_clients = integer_option(body, "listener-clients", 300),
        .streams_per_connection = integer_option(body, "streams-per-connection", 100),
        .endpoints =
            conf_memory_take(loader->memory, (count_statements(first) + 1) * sizeof(const char *)),
    };
    for (const struct conf_statement *each = first; each != NULL; each = each->next) {
        if (each->nodes[0].text[0] != '/') {
            conf_error(loader, each, NULL, "'%s' is not an absolute path", each->nodes[0].text);
        }
        http->endpoints[http->endpoints_count++] =
            conf_memory_intern(loader->memory, each->nodes[0].text);
    }
    if (strcasecmp(name->text, "default") == 0) {
        conf_error(loader, statement, name, "http statement name 'default' is reserved");
    }
    if (!add_terms(loader, &loader->http, http->name)) {
        conf_error(loader, statement, name, "http '%s' is defined twice", name->text);
    }
}

static size_t count_named(const struct conf_statement *first, const char *name)
{
    size_t count = 0;

    for (const struct conf_statement *at = conf_next_statement(first, name); at != NULL;
         at = conf_next_statement(at->next, name)) {
        count++;
    }
    return count;
}

void conf_resolve_keys(struct conf_loader *loader)
{
    struct conf *conf = loader->conf;
    const struct conf_statement *first = loader->top;

    conf->key_stores = conf_memory_take_zero(loader->memory, count_named(first, "key-store") + 1,
                                             sizeof(*conf->key_stores));
    conf->tls =
        conf_memory_take_zero(loader->memory, count_named(first, "tls") + 1, sizeof(*conf->tls));
    conf->http =
        conf_memory_take_zero(loader->memory, count_named(first, "http") + 1, sizeof(*conf->http));
    for (const struct conf_statement *at = conf_next_statement(first, "key"); at != NULL;
         at = conf_next_statement(at->next, "key")) {
        add_key(loader, at, false);
    }
    for (const struct conf_statement *view = conf_next_statement(first, "view"); view != NULL;
         view = conf_next_statement(view->next, "view")) {
        for (const struct conf_statement *at = conf_next_statement(conf_body(view), "key");
             at != NULL; at = conf_next_statement(at->next, "key")) {
            add_key(loader, at, true);
        }
    }
    for (const struct conf_statement *at = conf_next_statement(first, "key-store"); at != NULL;
         at = conf_next_statement(at->next, "key-store")) {
        add_key_store(loader, at, &conf->key_stores[conf->key_stores_count++]);
    }
    for (const struct conf_statement *at = conf_next_statement(first, "tls"); at != NULL;
         at = conf_next_statement(at->next, "tls")) {
        add_tls(loader, at, &conf->tls[conf->tls_count++]);
    }
    for (const struct conf_statement *at = conf_next_statement(first, "http"); at != NULL;
         at = conf_next_statement(at->next, "http")) {
        add_http(loader, at, &conf->http[conf->http_count++]);
    }
}
