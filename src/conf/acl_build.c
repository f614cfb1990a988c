/* Address match lists: from the tree to conf/acl_list.h. */
#include <ifaddrs.h>
#include <net/if.h>
#include <strings.h>

#include "base/mem.h"
#include "conf/acl_list.h"
#include "conf/loader.h"
#include "conf/value.h"

enum acl_state { ACL_WAITING, ACL_IN_WORK, ACL_DONE };

struct acl_definition {
    const struct conf_statement *statement;
    enum acl_state state;
    bool negated; /* it was built behind a "!", where a key must be defined */
    const struct conf_acl *list;
};

/* A list that is being built: from an `acl` statement, or from a block inside another. */
struct build_frame {
    struct acl_definition *definition;    /* NULL: a block */
    const struct conf_statement *at;      /* where it stands, for errors */
    const struct conf_statement *element; /* what comes next */
    bool negated;                         /* its sign in the list around it */
    size_t first;                         /* its elements begin here in the builder's */
};

struct acl_builder {
    struct conf_loader *loader;
    struct build_frame frames[CONF_NESTING_MAX];
    unsigned depth;
    struct acl_element *elements; /* of all open lists, the innermost last */
    size_t count, capacity;
    bool failed;
};

static struct acl_element blank_element(enum acl_element_kind kind, bool negated)
{
    struct acl_element element;

    memset(&element, 0, sizeof(element)); /* Lists are interned by their bytes. */
    element.kind = (uint8_t)kind;
    element.negated = negated;
    return element;
}

static void add_element(struct acl_builder *builder, struct acl_element element)
{
    if (builder->count == builder->capacity) {
        builder->capacity = builder->capacity * 2 + 16;
        builder->elements =
            mem_resize_array(builder->elements, builder->capacity, sizeof(*builder->elements));
    }
    memcpy(&builder->elements[builder->count++], &element, sizeof(element));
}

/* Put a list into the one around it. It can be dissolved where its elements never refuse. */
static void add_list(struct acl_builder *builder, const struct conf_statement *at,
                     const struct conf_acl *list, bool negated)
{
    bool dissolves = list->name == NULL && !list->has_negated;
    if (!dissolves) {
        struct acl_element element = blank_element(ACL_LIST, negated);
        element.list = list;
        if (list->depth + 1 >= ACL_DEPTH_MAX) {
            conf_error(builder->loader, at, NULL, "address match lists are nested too deeply (%d)",
                       ACL_DEPTH_MAX);
            builder->failed = true;
            return;
        }
        add_element(builder, element);
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct acl_element element = list->elements[i];
        element.negated = element.negated != negated;
        add_element(builder, element);
    }
}

static void open_frame(struct acl_builder *builder, const struct conf_statement *at,
                       struct build_frame frame)
{
    if (builder->depth + 1 == CONF_NESTING_MAX) {
        conf_error(builder->loader, at, NULL, "address match lists are nested too deeply (%d)",
                   CONF_NESTING_MAX);
        builder->failed = true;
        return;
    }
    frame.at = at;
    frame.first = builder->count;
    builder->frames[++builder->depth] = frame;
}

/* Names of ACLs ignore case. */
static struct acl_definition *definition_named(const struct conf_loader *loader, const char *name)
{
    char lower[CONF_NAME_BYTES];
    const char *key = conf_lower_name(name, lower);
    return conf_names_find(&loader->acls, key, strlen(key));
}

/* Does the element, or a list around it, stand behind a "!"? */
static bool is_negated_here(const struct acl_builder *builder, bool negated)
{
    for (unsigned i = builder->depth; i > 0 && !negated; i--) {
        negated = builder->frames[i].negated;
    }
    return negated;
}

static void add_named(struct acl_builder *builder, const struct conf_statement *element,
                      const struct conf_node *node, bool negated)
{
    struct conf_loader *loader = builder->loader;
    const char *name = node->text;

    if (strcasecmp(name, "any") == 0 || strcasecmp(name, "none") == 0) {
        add_element(builder, blank_element(ACL_ANY, negated != (strcasecmp(name, "none") == 0)));
        return;
    }
    if (strcasecmp(name, "localhost") == 0 || strcasecmp(name, "localnets") == 0) {
        bool host = strcasecmp(name, "localhost") == 0;
        add_list(builder, element, host ? loader->acl_localhost : loader->acl_localnets, negated);
        return;
    }
    struct acl_definition *definition = definition_named(loader, name);
    bool refuses = is_negated_here(builder, negated);
    if (definition == NULL) {
        struct schema_hint hint;
        conf_error(loader, element, node, "undefined ACL '%s'%s", name,
                   conf_did_you_mean(loader, &loader->acls, name, &hint));
        builder->failed = true;
    } else if (definition->state == ACL_IN_WORK) {
        /* Used or not: it cannot be meant. */
        bool lenient = loader->errors_are_warnings;
        loader->errors_are_warnings = false;
        conf_error(loader, element, node, "acl loop detected: '%s' is part of itself", name);
        loader->errors_are_warnings = lenient;
        builder->failed = true;
    } else if (definition->state == ACL_DONE && (definition->negated || !refuses)) {
        add_list(builder, element, definition->list, negated);
    } else {
        definition->state = ACL_IN_WORK;
        definition->negated = refuses;
        open_frame(builder, element,
                   (struct build_frame){.definition = definition,
                                        .element = conf_body(definition->statement),
                                        .negated = negated});
    }
}

static void take_element(struct acl_builder *builder, const struct conf_statement *element)
{
    bool negated = element->nodes[0].kind == CONF_NODE_NOT;
    const struct conf_node *node = &element->nodes[negated ? 1 : 0];
    struct conf_prefix prefix;
    bool looks_like;

    if (node->kind == CONF_NODE_BLOCK) {
        open_frame(builder, element,
                   (struct build_frame){.element = node->block, .negated = negated});
    } else if (strcasecmp(node->text, "key") == 0 && node + 1 < element->nodes + element->count) {
        struct acl_element made = blank_element(ACL_KEY, negated);
        made.key =
            conf_acl_key(builder->loader, element, node + 1, is_negated_here(builder, negated));
        if (made.key == NULL) {
            builder->failed = true;
            return;
        }
        add_element(builder, made);
    } else if (conf_value_prefix(node->text, &prefix, &looks_like) == NULL) {
        struct acl_element made = acl_element_of_bytes(prefix.ipv6, prefix.bytes, prefix.length);
        made.negated = negated;
        add_element(builder, made);
    } else {
        add_named(builder, element, node, negated);
    }
}

static const struct conf_acl *finish_list(struct acl_builder *builder, size_t first)
{
    size_t count = builder->count - first;
    const struct acl_element *elements = count == 0 ? NULL : builder->elements + first;

    builder->count = first;
    return acl_list_new(builder->loader->memory, elements, count, NULL);
}

static void close_frame(struct acl_builder *builder)
{
    struct build_frame frame = builder->frames[builder->depth--];
    const struct conf_acl *list = finish_list(builder, frame.first);

    if (frame.definition != NULL) {
        frame.definition->state = ACL_DONE;
        frame.definition->list = list;
    }
    add_list(builder, frame.at, list, frame.negated);
}

static const struct conf_acl *build(struct conf_loader *loader,
                                    const struct conf_statement *elements)
{
    struct acl_builder builder = {.loader = loader};

    builder.frames[0].element = elements;
    /* Each turn takes an element or closes a list; names are followed twice at most. */
    for (;;) {
        struct build_frame *frame = &builder.frames[builder.depth];
        if (builder.failed || builder.count > ACL_ELEMENTS_MAX) {
            break;
        }
        const struct conf_statement *element = frame->element;
        if (element != NULL) {
            frame->element = element->next;
            take_element(&builder, element);
        } else if (builder.depth > 0) {
            close_frame(&builder);
        } else {
            break;
        }
    }
    for (unsigned i = 1; i <= builder.depth; i++) { /* After an error: nobody is left in work. */
        struct acl_definition *definition = builder.frames[i].definition;
        if (definition != NULL) {
            definition->state = ACL_DONE;
            definition->list = loader->acl_none;
        }
    }
    bool failed = builder.failed || builder.count > ACL_ELEMENTS_MAX;
    const struct conf_acl *list = failed ? loader->acl_none : finish_list(&builder, 0);
    mem_free(builder.elements);
    return list;
}

const struct conf_acl *conf_build_acl(struct conf_loader *loader, const struct conf_node *block)
{
    return build(loader, block->block);
}

/* --- localhost, localnets --------------------------------------------------------------------- */

static unsigned mask_bits(const struct sockaddr *mask)
{
    const uint8_t *bytes;
    unsigned length, bits = 0;

    if (mask == NULL) {
        return 128;
    }
    struct net_address address = {0};
    memcpy(&address.at, mask,
           mask->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    bool ipv6 = mask->sa_family == AF_INET6;
    bytes = ipv6 ? address.at.v6.sin6_addr.s6_addr : (const uint8_t *)&address.at.v4.sin_addr;
    length = ipv6 ? 16 : 4;
    while (bits < length * 8 && (bytes[bits / 8] & (0x80u >> bits % 8)) != 0) {
        bits++;
    }
    return bits;
}

static struct acl_element interface_element(const struct ifaddrs *interface, bool whole_net)
{
    struct net_address address = {0};
    bool ipv6 = interface->ifa_addr->sa_family == AF_INET6;
    uint8_t bytes[16] = {0};
    unsigned bits = ipv6 ? 128 : 32;

    memcpy(&address.at, interface->ifa_addr,
           ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    if (ipv6) {
        memcpy(bytes, address.at.v6.sin6_addr.s6_addr, 16);
    } else {
        memcpy(bytes, &address.at.v4.sin_addr, 4);
    }
    if (whole_net) {
        unsigned net = mask_bits(interface->ifa_netmask);
        bits = net < bits ? net : bits;
        for (unsigned bit = bits; bit < (ipv6 ? 128u : 32u); bit++) {
            bytes[bit / 8] = (uint8_t)(bytes[bit / 8] & ~(0x80u >> bit % 8));
        }
    }
    return acl_element_of_bytes(ipv6, bytes, bits);
}

static const struct conf_acl *interface_list(struct conf_loader *loader,
                                             const struct ifaddrs *interfaces, const char *name)
{
    struct acl_builder builder = {.loader = loader};
    bool whole_net = strcmp(name, "localnets") == 0;

    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next) {
        bool up = (at->ifa_flags & IFF_UP) != 0 && at->ifa_addr != NULL;
        if (up && (at->ifa_addr->sa_family == AF_INET || at->ifa_addr->sa_family == AF_INET6)) {
            add_element(&builder, interface_element(at, whole_net));
        }
    }
    const struct conf_acl *list = acl_list_new(loader->memory, builder.elements, builder.count,
                                               conf_memory_intern(loader->memory, name));
    mem_free(builder.elements);
    return list;
}

static void collect_acl(struct conf_loader *loader, const struct conf_statement *statement)
{
    static const char *const builtin[] = {"any", "none", "localhost", "localnets"};
    const struct conf_node *node = &statement->nodes[1];
    const char *name = node->text;

    for (size_t i = 0; i < ARRAY_LEN(builtin); i++) {
        if (strcasecmp(name, builtin[i]) == 0) {
            conf_error(loader, statement, node, "attempt to redefine builtin acl '%s'", name);
        }
    }
    struct acl_definition *definition =
        conf_memory_take_zero(loader->scratch, 1, sizeof(*definition));
    definition->statement = statement;
    char lower[CONF_NAME_BYTES];
    const char *key = conf_memory_intern(loader->scratch, conf_lower_name(name, lower));
    if (strlen(name) >= CONF_NAME_BYTES) {
        conf_error(loader, statement, node, "the name is too long");
    } else if (!conf_names_add(&loader->acls, key, strlen(key), definition)) {
        conf_error(loader, statement, node, "acl '%s' is defined twice", name);
    }
}

void conf_collect_acls(struct conf_loader *loader)
{
    struct acl_element any = blank_element(ACL_ANY, false);
    struct ifaddrs *interfaces = NULL;

    loader->acl_any = acl_list_new(loader->memory, &any, 1, NULL);
    any.negated = true;
    loader->acl_none = acl_list_new(loader->memory, &any, 1, NULL);
    if (getifaddrs(&interfaces) != 0) {
        interfaces = NULL;
    }
    loader->acl_localhost = interface_list(loader, interfaces, "localhost");
    loader->acl_localnets = interface_list(loader, interfaces, "localnets");
    if (interfaces != NULL) {
        freeifaddrs(interfaces);
    }

    for (const struct conf_statement *at = conf_next_statement(loader->top, "acl"); at != NULL;
         at = conf_next_statement(at->next, "acl")) {
        collect_acl(loader, at);
    }
}

void conf_check_unused_acls(struct conf_loader *loader)
{
    loader->errors_are_warnings = true; /* BIND does not look at these at all. */
    for (const struct conf_statement *at = conf_next_statement(loader->top, "acl"); at != NULL;
         at = conf_next_statement(at->next, "acl")) {
        const char *name = at->nodes[1].text;
        struct acl_definition *definition = definition_named(loader, name);
        if (definition != NULL && definition->state == ACL_WAITING) {
            definition->state = ACL_IN_WORK;
            definition->list = build(loader, conf_body(definition->statement));
            definition->state = ACL_DONE;
        }
    }
    loader->errors_are_warnings = false;
}
