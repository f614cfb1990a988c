/* remote-servers, primaries, parental-agents, also-notify: lists of servers, flattened. */
#include <strings.h>

#include "base/mem.h"
#include "conf/loader.h"

enum { REMOTES_MAX = 65536, REMOTE_LISTS_DEPTH_MAX = 16 };

/* A list that is being flattened, with what its head says for all of its servers. */
struct remote_frame {
    const struct conf_statement *list;
    const struct conf_statement *next;
    uint16_t port;
    struct conf_source source;
    /* Of the element that named this list: for its servers that say nothing themselves. */
    const struct tsig_key *key;
    const char *tls;
};

struct remotes_builder {
    struct conf_loader *loader;
    struct remote_frame frames[REMOTE_LISTS_DEPTH_MAX];
    unsigned depth;
    struct conf_remote *remotes;
    size_t count, capacity;
    bool failed;
};

struct net_address conf_address_of(const struct conf_node *node, uint16_t port, bool ipv6)
{
    struct net_address address = {0};

    if (conf_node_says(node, "*")) {
        address.at.any.sa_family = ipv6 ? AF_INET6 : AF_INET;
        net_address_set_port(&address, port);
        return address;
    }
    enum sg_result result = net_address_from_text(node->text, port, &address);
    ASSERT(result == SG_OK); /* conf/check.c has seen to it. */
    return address;
}

void conf_check_source_port(struct conf_loader *loader, const struct conf_statement *statement)
{
    const struct conf_node *port = conf_statement_after(statement, "port");

    if (strstr(statement->row->name, "-source") != NULL && port != NULL &&
        !conf_node_says(port, "*") && conf_integer_of(port) == loader->default_port) {
        conf_error(loader, statement, port, "'%s' cannot have the port that the server listens on",
                   statement->row->name);
    }
}

void conf_set_source(const struct conf_statement *statement, struct conf_source *source)
{
    const struct conf_node *port_node = conf_statement_after(statement, "port");
    uint16_t port = 0;
    bool ipv6 = strstr(statement->row->name, "-v6") != NULL;

    if (port_node != NULL && !conf_node_says(port_node, "*")) {
        port = (uint16_t)conf_integer_of(port_node);
    }
    bool given = !conf_node_says(&statement->nodes[1], "*") || port != 0;
    struct net_address address = conf_address_of(&statement->nodes[1], port, ipv6);
    if (ipv6) {
        source->has_v6 = given;
        source->v6 = address;
    } else {
        source->has_v4 = given;
        source->v4 = address;
    }
}

static const char *tls_named(struct remotes_builder *builder,
                             const struct conf_statement *statement, const struct conf_node *node)
{
    struct conf_loader *loader = builder->loader;

    if (strcasecmp(node->text, "none") == 0) {
        return NULL;
    }
    if (strcasecmp(node->text, "ephemeral") == 0) {
        return "ephemeral";
    }
    const char *name = conf_terms_named(&loader->tls, node->text);
    if (name == NULL) {
        struct schema_hint hint;
        conf_error(loader, statement, node, "tls '%s' is not defined%s", node->text,
                   conf_did_you_mean(loader, &loader->tls, node->text, &hint));
        builder->failed = true;
    }
    return name;
}

static void open_list(struct remotes_builder *builder, const struct conf_statement *list,
                      const struct tsig_key *key, const char *tls)
{
    struct remote_frame *frame = &builder->frames[builder->depth];
    const struct conf_node *port = NULL, *source = NULL, *source6 = NULL;

    /* Only in front of the block: behind it the words are the servers'. */
    unsigned begin = (list->row->places & PLACE_TOP) != 0 ? 2 : 1;
    for (unsigned i = begin; i + 1 < list->count && list->nodes[i].kind != CONF_NODE_BLOCK; i++) {
        port = conf_node_says(&list->nodes[i], "port") ? &list->nodes[i + 1] : port;
        source = conf_node_says(&list->nodes[i], "source") ? &list->nodes[i + 1] : source;
        source6 = conf_node_says(&list->nodes[i], "source-v6") ? &list->nodes[i + 1] : source6;
    }
    *frame = (struct remote_frame){.list = list, .next = conf_body(list), .key = key, .tls = tls};
    frame->port = port != NULL ? (uint16_t)conf_integer_of(port) : builder->loader->default_port;
    if (source != NULL && !conf_node_says(source, "*")) {
        frame->source.has_v4 = true;
        frame->source.v4 = conf_address_of(source, 0, false);
    }
    if (source6 != NULL && !conf_node_says(source6, "*")) {
        frame->source.has_v6 = true;
        frame->source.v6 = conf_address_of(source6, 0, true);
    }
}

static void add_remote(struct remotes_builder *builder, struct net_address address,
                       const struct tsig_key *key, const char *tls)
{
    const struct remote_frame *frame = &builder->frames[builder->depth];
    bool ipv6 = net_address_is_v6(&address);

    if ((ipv6 && builder->loader->overrides.ipv4_only) ||
        (!ipv6 && builder->loader->overrides.ipv6_only)) {
        return;
    }
    if (builder->count == builder->capacity) {
        builder->capacity = builder->capacity * 2 + 8;
        builder->remotes =
            mem_resize_array(builder->remotes, builder->capacity, sizeof(*builder->remotes));
    }
    struct conf_remote *remote = &builder->remotes[builder->count++];
    memset(remote, 0, sizeof(*remote)); /* Lists are interned by their bytes. */
    remote->address = address;
    remote->key = key;
    remote->tls = tls;
    remote->has_source = ipv6 ? frame->source.has_v6 : frame->source.has_v4;
    if (remote->has_source) {
        remote->source = ipv6 ? frame->source.v6 : frame->source.v4;
    }
}

/* Names of lists ignore case. */
static const struct conf_statement *list_named(const struct conf_loader *loader, const char *name)
{
    char lower[CONF_NAME_BYTES];
    const char *key = conf_lower_name(name, lower);
    return conf_names_find(&loader->remote_lists, key, strlen(key));
}

static void follow_list(struct remotes_builder *builder, const struct conf_statement *element,
                        const struct tsig_key *key, const char *tls)
{
    struct conf_loader *loader = builder->loader;
    const char *name = element->nodes[0].text;
    const struct conf_statement *list = list_named(loader, name);

    if (list == NULL) {
        struct schema_hint hint;
        conf_error(loader, element, NULL,
                   "'%s' is neither an IP address nor a list of remote-servers%s", name,
                   conf_did_you_mean(loader, &loader->remote_lists, name, &hint));
        builder->failed = true;
        return;
    }
    for (unsigned i = 0; i <= builder->depth; i++) {
        if (builder->frames[i].list == list) {
            conf_error(loader, element, NULL, "the list '%s' is part of itself", name);
            builder->failed = true;
            return;
        }
    }
    if (builder->depth + 1 == REMOTE_LISTS_DEPTH_MAX) {
        conf_error(loader, element, NULL, "lists of servers are nested too deeply (%d)",
                   REMOTE_LISTS_DEPTH_MAX);
        builder->failed = true;
        return;
    }
    builder->depth++;
    open_list(builder, list, key, tls);
}

static void take_server(struct remotes_builder *builder, const struct conf_statement *element)
{
    const struct remote_frame *frame = &builder->frames[builder->depth];
    const struct conf_node *port_node = conf_statement_after(element, "port");
    const struct conf_node *key_node = conf_statement_after(element, "key");
    const struct conf_node *tls_node = conf_statement_after(element, "tls");
    const struct tsig_key *key = frame->key;
    const char *tls = frame->tls;
    struct net_address address;

    if (key_node != NULL) {
        key = conf_key_named(builder->loader, element, key_node);
        builder->failed |= key == NULL;
    }
    if (tls_node != NULL) {
        tls = tls_named(builder, element, tls_node);
    }
    uint16_t port = port_node == NULL ? frame->port : (uint16_t)conf_integer_of(port_node);
    if (net_address_from_text(element->nodes[0].text, port, &address) == SG_OK) {
        add_remote(builder, address, key, tls);
    } else if (port_node != NULL) {
        conf_error(builder->loader, element, port_node,
                   "a port needs an IP address before it, '%s' is none", element->nodes[0].text);
        builder->failed = true;
    } else {
        follow_list(builder, element, key, tls);
    }
}

struct conf_remotes conf_build_remotes(struct conf_loader *loader,
                                       const struct conf_statement *statement)
{
    struct remotes_builder builder = {.loader = loader};
    struct conf_remotes made = {NULL, 0};

    open_list(&builder, statement, NULL, NULL);
    /* Each turn takes a server or closes a list; no list is open twice. */
    while (!builder.failed && builder.count <= REMOTES_MAX) {
        struct remote_frame *frame = &builder.frames[builder.depth];
        const struct conf_statement *element = frame->next;
        if (element != NULL) {
            frame->next = element->next;
            take_server(&builder, element);
        } else if (builder.depth-- == 0) {
            break;
        }
    }
    if (!builder.failed && builder.count > REMOTES_MAX) {
        conf_error(loader, statement, NULL, "more than %d servers", REMOTES_MAX);
        builder.count = 0;
    }
    if (builder.count > 0) {
        made.remotes = conf_memory_intern_bytes(loader->memory, builder.remotes,
                                                builder.count * sizeof(*builder.remotes));
        made.count = builder.count;
    }
    mem_free(builder.remotes);
    return made;
}

static bool is_list(const struct conf_statement *statement)
{
    static const char *const names[] = {"masters", "parental-agents", "primaries",
                                        "remote-servers"};

    for (size_t i = 0; statement->row != NULL && i < ARRAY_LEN(names); i++) {
        if (strcmp(statement->row->name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

void conf_collect_remotes(struct conf_loader *loader)
{
    for (const struct conf_statement *at = loader->top; at != NULL; at = at->next) {
        if (!is_list(at)) {
            continue;
        }
        const char *name = at->nodes[1].text;
        const struct conf_statement *first = list_named(loader, name);
        if (strlen(name) >= CONF_NAME_BYTES) {
            conf_error(loader, at, &at->nodes[1], "the name is too long");
        } else if (first != NULL) {
            conf_error(loader, at, &at->nodes[1], "'%s' is defined twice, first in %s:%u", name,
                       first->file, first->nodes[0].line);
        } else {
            char lower[CONF_NAME_BYTES];
            const char *key = conf_memory_intern(loader->scratch, conf_lower_name(name, lower));
            (void)conf_names_add(&loader->remote_lists, key, strlen(key), (void *)at);
        }
    }
}

void conf_check_unused_remotes(struct conf_loader *loader)
{
    loader->errors_are_warnings = true;
    for (const struct conf_statement *at = loader->top; at != NULL; at = at->next) {
        if (is_list(at)) {
            (void)conf_build_remotes(loader, at);
        }
    }
    loader->errors_are_warnings = false;
}
