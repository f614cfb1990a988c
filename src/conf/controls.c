/* controls: where commands are taken. */
#include "conf/loader.h"

enum { CONTROL_PORT = 953, CONTROLS_MAX = 64, CONTROL_KEYS_MAX = 64 };

static void read_keys(struct conf_loader *loader, const struct conf_statement *inet,
                      const struct conf_node *block, struct conf_control *control)
{
    const struct tsig_key *keys[CONTROL_KEYS_MAX];
    size_t count = 0;

    for (const struct conf_statement *each = block->block; each != NULL; each = each->next) {
        if (count == CONTROL_KEYS_MAX) {
            conf_error(loader, each, NULL, "more than %d keys", CONTROL_KEYS_MAX);
            break;
        }
        keys[count] = conf_key_named(loader, each, &each->nodes[0]);
        count += keys[count] != NULL;
    }
    if (count == 0 && block->block == NULL) {
        conf_error(loader, inet, block, "'keys' names no key");
    }
    control->keys = conf_memory_take(loader->memory, (count + 1) * sizeof(keys[0]));
    memcpy(control->keys, keys, count * sizeof(keys[0]));
    control->keys_count = count;
}

static void read_inet(struct conf_loader *loader, const struct conf_statement *inet,
                      struct conf_control *control)
{
    const struct conf_node *port_node = conf_statement_after(inet, "port");
    const struct conf_node *keys = conf_statement_after(inet, "keys");
    const struct conf_node *read_only = conf_statement_after(inet, "read-only");
    uint16_t port = CONTROL_PORT;

    if (port_node != NULL && !conf_node_says(port_node, "*")) {
        port = (uint16_t)conf_integer_of(port_node);
    }
    *control = (struct conf_control){
        .address = conf_address_of(&inet->nodes[1], port, false),
        .allow = conf_build_acl(loader, conf_statement_after(inet, "allow")),
        .read_only = read_only != NULL && conf_boolean_of(read_only),
    };
    if (keys != NULL) {
        read_keys(loader, inet, keys, control);
    }
}

/* No more than CONTROLS_MAX. */
static size_t count_inets(const struct conf_statement *first)
{
    size_t count = 0;

    for (const struct conf_statement *at = conf_next_statement(first, "controls"); at != NULL;
         at = conf_next_statement(at->next, "controls")) {
        for (const struct conf_statement *inet = conf_next_statement(conf_body(at), "inet");
             inet != NULL && count < CONTROLS_MAX; inet = conf_next_statement(inet->next, "inet")) {
            count++;
        }
    }
    return count;
}

/* False when there is no room for one of them. */
static bool read_inets(struct conf_loader *loader, const struct conf_statement *controls)
{
    struct conf *conf = loader->conf;

    for (const struct conf_statement *inet = conf_next_statement(conf_body(controls), "inet");
         inet != NULL; inet = conf_next_statement(inet->next, "inet")) {
        if (conf->controls_count == CONTROLS_MAX) {
            conf_error(loader, inet, NULL, "more than %d control channels", CONTROLS_MAX);
            return false;
        }
        read_inet(loader, inet, &conf->controls[conf->controls_count++]);
    }
    return true;
}

void conf_resolve_controls(struct conf_loader *loader)
{
    struct conf *conf = loader->conf;

    conf->controls = conf_memory_take_zero(loader->memory, count_inets(loader->top) + 1,
                                           sizeof(*conf->controls));
    for (const struct conf_statement *at = conf_next_statement(loader->top, "controls"); at != NULL;
         at = conf_next_statement(at->next, "controls")) {
        conf->controls_given = true;
        if (!read_inets(loader, at)) {
            return;
        }
    }
}
