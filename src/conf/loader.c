#include "conf/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "conf/schema.h"
#include "conf/value.h"

enum { TEXT_BYTES = 900, HINT_NAMES_MAX = 4096 };

const struct conf_statement *conf_next_statement(const struct conf_statement *at, const char *name)
{
    while (at != NULL && (at->row == NULL || strcmp(at->row->name, name) != 0)) {
        at = at->next;
    }
    return at;
}

const struct conf_statement *conf_find_statement(const struct conf_statement *first,
                                                 const char *name)
{
    return conf_next_statement(first, name);
}

const struct conf_statement *conf_body(const struct conf_statement *statement)
{
    const struct conf_node *block = conf_statement_block(statement);
    return block == NULL ? NULL : block->block;
}

static void report(struct conf_loader *loader, enum conf_severity severity,
                   const struct conf_statement *statement, const struct conf_node *node,
                   const char *format, va_list arguments)
{
    char text[TEXT_BYTES];
    vsnprintf(text, sizeof(text), format, arguments);
    conf_problem_at(loader->report, severity, statement, node, "%s", text);
}

void conf_error(struct conf_loader *loader, const struct conf_statement *statement,
                const struct conf_node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(loader, loader->errors_are_warnings ? CONF_WARNING : CONF_ERROR, statement, node, format,
           arguments);
    va_end(arguments);
}

void conf_warning(struct conf_loader *loader, const struct conf_statement *statement,
                  const struct conf_node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(loader, CONF_WARNING, statement, node, format, arguments);
    va_end(arguments);
}

bool conf_boolean_of(const struct conf_node *node)
{
    bool value = false;
    bool good = conf_value_boolean(node->text, &value);
    ASSERT(good); /* conf/check.c has seen to it, here and below. */
    return value;
}

uint32_t conf_integer_of(const struct conf_node *node)
{
    uint32_t value = 0;
    bool good = conf_value_integer(node->text, &value);
    ASSERT(good);
    return value;
}

uint32_t conf_duration_of(const struct conf_node *node)
{
    uint32_t value = 0;
    bool good = conf_value_duration(node->text, &value);
    ASSERT(good);
    return value;
}

bool conf_node_says(const struct conf_node *node, const char *word)
{
    return conf_node_is_text(node) && strcasecmp(node->text, word) == 0;
}

enum answer_minimal conf_minimal_responses_of(const struct conf_node *node)
{
    if (conf_node_says(node, "no-auth")) {
        return ANSWER_MINIMAL_NO_AUTH;
    }
    if (conf_node_says(node, "no-auth-recursive")) {
        return ANSWER_MINIMAL_NO_AUTH_RECURSIVE;
    }
    return conf_boolean_of(node) ? ANSWER_MINIMAL_YES : ANSWER_MINIMAL_NO;
}

const char *conf_lower_name(const char *name, char out_lower[CONF_NAME_BYTES])
{
    size_t i = 0;

    for (; name[i] != '\0' && i + 1 < CONF_NAME_BYTES; i++) {
        out_lower[i] = (char)dns_lower[(uint8_t)name[i]];
    }
    out_lower[i] = '\0';
    return out_lower;
}

const char *conf_did_you_mean(const struct conf_loader *loader, const struct conf_names *names,
                              const char *name, struct schema_hint *out_hint)
{
    struct schema_nearest nearest;
    const char *key;

    schema_nearest_begin(&nearest, name);
    /* Not for ten thousand errors among ten thousand names. */
    bool few = names->count <= HINT_NAMES_MAX && loader->report->errors < CONF_PROBLEMS_MAX;
    for (size_t at = 0; few && (key = conf_names_next(names, &at)) != NULL;) {
        schema_nearest_try(&nearest, key);
    }
    return schema_nearest_hint(&nearest, out_hint);
}
