#include "conf/rndc_conf.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "conf/lexer.h"

enum { STATEMENTS_MAX = 4096, PROBLEM_BYTES = 200, WORD_BYTES_MAX = 1024 };

/* Includes are put into a queue, so that no file is read within another. */
struct parser {
    struct rndc_conf *conf;
    char *paths[RNDC_FILES_MAX];
    size_t paths_count;
    const char *path; /* the present one */
    struct conf_lexer lexer;
    struct conf_token token;
    char *problem; /* the first; nothing is read after it */
};

static void fail(struct parser *parser, const char *what)
{
    if (parser->problem == NULL) {
        parser->problem = mem_format("%s:%u: %s", parser->path, parser->token.line, what);
    }
    parser->token.kind = CONF_TOKEN_END;
}

static void advance(struct parser *parser)
{
    if (parser->problem != NULL) {
        return;
    }
    parser->token = conf_lexer_next(&parser->lexer);
    if (parser->token.kind == CONF_TOKEN_BROKEN) {
        fail(parser, parser->token.text);
    }
}

static bool at(const struct parser *parser, enum conf_token_kind kind)
{
    return parser->problem == NULL && parser->token.kind == kind;
}

static void expect(struct parser *parser, enum conf_token_kind kind, const char *what)
{
    if (parser->problem != NULL) {
        return;
    }
    if (parser->token.kind != kind) {
        char text[PROBLEM_BYTES];
        snprintf(text, sizeof(text), "%s is missing", what);
        fail(parser, text);
        return;
    }
    advance(parser);
}

static bool at_word(const struct parser *parser, const char *word)
{
    return at(parser, CONF_TOKEN_WORD) && parser->token.length == strlen(word) &&
           strncasecmp(parser->token.text, word, parser->token.length) == 0;
}

static bool skip_word(struct parser *parser, const char *word)
{
    bool found = at_word(parser, word);

    if (found) {
        advance(parser);
    }
    return found;
}

/* A word or a quoted string; replaces `*text`, which stays as it is on error. */
static void take_text(struct parser *parser, char **text)
{
    if (!at(parser, CONF_TOKEN_WORD) && !at(parser, CONF_TOKEN_QUOTED)) {
        fail(parser, "a name or a string is missing");
        return;
    }
    if (parser->token.length > WORD_BYTES_MAX) {
        fail(parser, "too long");
        return;
    }
    mem_free(*text);
    *text = mem_format("%.*s", (int)parser->token.length, parser->token.text);
    advance(parser);
}

static void take_port(struct parser *parser, uint16_t *out_port)
{
    char *text = NULL;
    unsigned long port = 0;

    take_text(parser, &text);
    for (const char *digit = text; digit != NULL && *digit != '\0' && port <= UINT16_MAX; digit++) {
        port = *digit >= '0' && *digit <= '9' ? port * 10 + (unsigned long)(*digit - '0')
                                              : UINT16_MAX + 1UL;
    }
    mem_free(text);
    if (port == 0 || port > UINT16_MAX) {
        fail(parser, "not a port");
        return;
    }
    *out_port = (uint16_t)port;
}

static void close_block(struct parser *parser)
{
    expect(parser, CONF_TOKEN_CLOSE, "'}'");
    expect(parser, CONF_TOKEN_SEMICOLON, "';'");
}

static void set_secret(struct parser *parser, const char *text, struct tsig_key *key)
{
    struct buffer secret = BUFFER_EMPTY;

    if (base64_decode(span_of_text(text), &secret) != SG_OK || secret.length == 0) {
        fail(parser, "the secret is not base64");
    } else if (secret.length > TSIG_SECRET_BYTES_MAX) {
        fail(parser, "the secret is too long");
    } else {
        memcpy(key->secret, secret.bytes, secret.length);
        key->secret_length = (uint16_t)secret.length;
    }
    buffer_wipe(&secret);
}

static void parse_key_option(struct parser *parser, struct tsig_key *key, bool *out_algorithm)
{
    char *text = NULL;

    if (skip_word(parser, "algorithm")) {
        take_text(parser, &text);
        if (text != NULL &&
            tsig_algorithm_from_text(text, &key->algorithm, &key->mac_bits) != SG_OK) {
            fail(parser, "unknown algorithm");
        }
        *out_algorithm = true;
    } else if (skip_word(parser, "secret")) {
        take_text(parser, &text);
        if (text != NULL) {
            set_secret(parser, text, key);
        }
    } else {
        fail(parser, "a key has an algorithm and a secret, nothing else");
    }
    if (text != NULL) {
        mem_wipe_free(text, strlen(text));
    }
    expect(parser, CONF_TOKEN_SEMICOLON, "';'");
}

static void parse_key(struct parser *parser)
{
    struct rndc_conf *conf = parser->conf;
    struct tsig_key key = {.secret_length = 0};
    char *name = NULL;
    bool has_algorithm = false;

    take_text(parser, &name);
    if (name != NULL && dns_name_from_text(name, strlen(name), NULL, &key.name) != SG_OK) {
        fail(parser, "not a name for a key");
    }
    mem_free(name);
    dns_name_lower(&key.name);
    expect(parser, CONF_TOKEN_OPEN, "'{'");
    for (int i = 0; i < STATEMENTS_MAX && !at(parser, CONF_TOKEN_CLOSE) && parser->problem == NULL;
         i++) {
        parse_key_option(parser, &key, &has_algorithm);
    }
    close_block(parser);
    if (parser->problem == NULL && (!has_algorithm || key.secret_length == 0)) {
        fail(parser, "a key needs an algorithm and a secret");
    } else if (conf->keys_count == RNDC_KEYS_MAX) {
        fail(parser, "too many keys");
    } else if (parser->problem == NULL) {
        conf->keys[conf->keys_count++] = key;
    }
    mem_wipe(&key, sizeof(key));
}

static void parse_addresses(struct parser *parser, struct rndc_server *server)
{
    expect(parser, CONF_TOKEN_OPEN, "'{'");
    for (int i = 0; i < STATEMENTS_MAX && !at(parser, CONF_TOKEN_CLOSE) && parser->problem == NULL;
         i++) {
        if (server->addresses_count == RNDC_ADDRESSES_MAX) {
            fail(parser, "too many addresses");
            return;
        }
        struct rndc_address *address = &server->addresses[server->addresses_count++];
        take_text(parser, &address->host);
        if (skip_word(parser, "port")) {
            take_port(parser, &address->port);
        }
        /* Where the answer comes from is the kernel's choice, as for most who write this. */
        char *ignored = NULL;
        while (skip_word(parser, "source") || skip_word(parser, "source-v6")) {
            take_text(parser, &ignored);
        }
        mem_free(ignored);
        expect(parser, CONF_TOKEN_SEMICOLON, "';'");
    }
    expect(parser, CONF_TOKEN_CLOSE, "'}'");
}

/* In a server statement the words lack the "default-" that they have in `options`. */
static void parse_server_option(struct parser *parser, struct rndc_server *server)
{
    if (skip_word(parser, "key") || skip_word(parser, "default-key")) {
        take_text(parser, &server->key);
    } else if (skip_word(parser, "port") || skip_word(parser, "default-port")) {
        take_port(parser, &server->port);
    } else if (skip_word(parser, "default-server")) {
        take_text(parser, &server->name);
    } else if (skip_word(parser, "source-address") || skip_word(parser, "default-source-address")) {
        take_text(parser, &server->source_v4);
    } else if (skip_word(parser, "source-address-v6") ||
               skip_word(parser, "default-source-address-v6")) {
        take_text(parser, &server->source_v6);
    } else if (skip_word(parser, "addresses")) {
        parse_addresses(parser, server);
    } else {
        fail(parser, "unknown option");
    }
    expect(parser, CONF_TOKEN_SEMICOLON, "';'");
}

static void parse_server(struct parser *parser, struct rndc_server *server)
{
    expect(parser, CONF_TOKEN_OPEN, "'{'");
    for (int i = 0; i < STATEMENTS_MAX && !at(parser, CONF_TOKEN_CLOSE) && parser->problem == NULL;
         i++) {
        parse_server_option(parser, server);
    }
    close_block(parser);
}

static void parse_include(struct parser *parser)
{
    char *path = NULL;

    take_text(parser, &path);
    if (parser->paths_count == RNDC_FILES_MAX) {
        mem_free(path);
        fail(parser, "too many files are included");
        return;
    }
    parser->paths[parser->paths_count++] = path;
    expect(parser, CONF_TOKEN_SEMICOLON, "';'");
}

static void parse_statement(struct parser *parser)
{
    struct rndc_conf *conf = parser->conf;

    if (skip_word(parser, "key")) {
        parse_key(parser);
    } else if (skip_word(parser, "options")) {
        parse_server(parser, &conf->defaults);
    } else if (skip_word(parser, "include")) {
        parse_include(parser);
    } else if (!skip_word(parser, "server")) {
        fail(parser, "expected 'key', 'options', 'server' or 'include'");
    } else if (conf->servers_count == RNDC_SERVERS_MAX) {
        fail(parser, "too many servers");
    } else {
        struct rndc_server *server = &conf->servers[conf->servers_count++];
        take_text(parser, &server->name);
        parse_server(parser, server);
    }
}

static enum sg_result parse_file(struct parser *parser)
{
    struct buffer text = BUFFER_EMPTY;

    enum sg_result result = file_read(parser->path, RNDC_FILE_BYTES_MAX, &text);
    if (result != SG_OK) {
        parser->problem =
            mem_format("%s: %s", parser->path, result == SG_LIMIT ? "too large" : strerror(errno));
        return result;
    }
    parser->lexer = conf_lexer_of(buffer_span(&text));
    advance(parser);
    for (int i = 0; i < STATEMENTS_MAX && !at(parser, CONF_TOKEN_END) && parser->problem == NULL;
         i++) {
        parse_statement(parser);
    }
    if (parser->problem == NULL && !at(parser, CONF_TOKEN_END)) {
        fail(parser, "too many statements");
    }
    buffer_wipe(&text);
    return parser->problem == NULL ? SG_OK : SG_MALFORMED;
}

static void server_clear(struct rndc_server *server)
{
    for (size_t i = 0; i < server->addresses_count; i++) {
        mem_free(server->addresses[i].host);
    }
    mem_free(server->name);
    mem_free(server->key);
    mem_free(server->source_v4);
    mem_free(server->source_v6);
}

enum sg_result rndc_conf_load(const char *path, struct rndc_conf *out_conf, char **out_problem)
{
    struct rndc_conf conf = {
        .keys = mem_alloc_zero(RNDC_KEYS_MAX, sizeof(*conf.keys)),
        .servers = mem_alloc_zero(RNDC_SERVERS_MAX, sizeof(*conf.servers)),
    };
    struct parser parser = {.conf = &conf, .paths = {mem_copy_text(path)}, .paths_count = 1};
    enum sg_result result = SG_OK;

    for (size_t i = 0; i < parser.paths_count && result == SG_OK; i++) {
        parser.path = parser.paths[i];
        result = parse_file(&parser);
    }
    for (size_t i = 0; i < parser.paths_count; i++) {
        mem_free(parser.paths[i]);
    }
    if (result != SG_OK) {
        rndc_conf_clear(&conf);
        *out_problem = parser.problem;
        return result;
    }
    *out_conf = conf;
    return SG_OK;
}

void rndc_conf_clear(struct rndc_conf *conf)
{
    for (size_t i = 0; i < conf->servers_count; i++) {
        server_clear(&conf->servers[i]);
    }
    server_clear(&conf->defaults);
    mem_free(conf->servers);
    if (conf->keys != NULL) {
        mem_wipe_free(conf->keys, RNDC_KEYS_MAX * sizeof(*conf->keys));
    }
    *conf = (struct rndc_conf){.keys = NULL};
}

const struct tsig_key *rndc_conf_key(const struct rndc_conf *conf, const char *name)
{
    struct dns_name wanted;

    if (dns_name_from_text(name, strlen(name), NULL, &wanted) != SG_OK) {
        return NULL;
    }
    for (size_t i = 0; i < conf->keys_count; i++) {
        if (dns_name_equal(&conf->keys[i].name, &wanted)) {
            return &conf->keys[i];
        }
    }
    return NULL;
}

const struct rndc_server *rndc_conf_server(const struct rndc_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->servers_count; i++) {
        if (strcasecmp(conf->servers[i].name, name) == 0) {
            return &conf->servers[i];
        }
    }
    return NULL;
}

void rndc_key_make(const char *name, struct tsig_key *out_key)
{
    struct tsig_key key = {.algorithm = TSIG_HMAC_SHA256, .secret_length = RNDC_KEY_SECRET_BYTES};

    enum sg_result result = dns_name_from_text(name, strlen(name), NULL, &key.name);
    ASSERT(result == SG_OK); /* The name is one of ours. */
    random_bytes(key.secret, key.secret_length);
    *out_key = key;
    mem_wipe(&key, sizeof(key));
}

void rndc_key_text(const struct tsig_key *key, struct buffer *out_text)
{
    char name[DNS_NAME_TEXT_BYTES];

    buffer_format(out_text, "key \"%s\" {\n\talgorithm %s;\n\tsecret \"",
                  dns_name_to_text_short(&key->name, name), tsig_algorithm_text(key->algorithm));
    base64_encode((struct span){key->secret, key->secret_length}, out_text);
    buffer_append_text(out_text, "\";\n};\n");
}
