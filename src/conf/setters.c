#include "conf/setters.h"

#include <stdio.h>

#include "conf/value.h"

enum { TENTHS_PER_SECOND = 10 };

void conf_setters_init(struct conf_setters *setters, const struct conf_setter *table, size_t count,
                       enum schema_place place)
{
    ASSERT(count < UINT8_MAX && schema_rows_count <= CONF_SETTER_ROWS);
    *setters = (struct conf_setters){.table = table};
    for (size_t i = 0; i < count; i++) {
        const struct schema_row *row = schema_find(table[i].option, place);
        ASSERT(row != NULL);
        setters->of_row[row - schema_rows] = (uint8_t)(i + 1);
    }
}

static uint64_t size_of(const struct conf_node *node)
{
    uint64_t bytes = 0;

    if (conf_node_says(node, "unlimited")) {
        return UINT64_MAX;
    }
    if (!conf_node_says(node, "default")) {
        bool good = conf_value_size(node->text, &bytes);
        ASSERT(good);
    }
    return bytes;
}

static uint32_t percent_of(const struct conf_node *node)
{
    uint32_t percent = 0;

    if (!conf_node_says(node, "unlimited")) {
        bool good = conf_value_percent(node->text, &percent);
        ASSERT(good);
    }
    return percent;
}

static enum check_mode check_mode_of(const struct conf_node *node)
{
    return conf_node_says(node, "fail")   ? CHECK_FAIL
           : conf_node_says(node, "warn") ? CHECK_WARN
                                          : CHECK_IGNORE;
}

static const char *text_or_none(struct conf_loader *loader, const struct conf_node *node)
{
    if (node->kind == CONF_NODE_WORD && conf_node_says(node, "none")) {
        return NULL;
    }
    return conf_memory_intern(loader->memory, node->text);
}

/* The number, brought into the range of a grammar such as "<integer 1~9>", as BIND does. */
static uint32_t number_in_range(struct conf_loader *loader, const struct conf_statement *statement)
{
    const struct conf_node *node = &statement->nodes[1];
    uint32_t value = conf_integer_of(node);
    unsigned long low, high;

    if (sscanf(statement->row->grammar, "<integer %lu~%lu>", &low, &high) != 2) {
        return value;
    }
    unsigned long nearest = value < low ? low : value > high ? high : value;
    if (nearest != value) {
        conf_warning(loader, statement, node, "'%s' is %lu to %lu: %lu is used for %u",
                     statement->row->name, low, high, nearest, value);
    }
    return (uint32_t)nearest;
}

static void set_number(struct conf_loader *loader, const struct conf_statement *statement,
                       enum conf_setter_kind kind, void *member)
{
    uint32_t value = number_in_range(loader, statement);

    switch (kind) {
    case SET_U16:
        *(uint16_t *)member = value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
        return;
    case SET_U32:
        *(uint32_t *)member = value;
        return;
    case SET_SECONDS:
        *(sg_duration *)member = value;
        return;
    case SET_MINUTES:
        *(sg_duration *)member = (value == 0 ? 1 : value) * SG_MINUTE;
        return;
    case SET_TENTHS:
        *(sg_duration *)member = ((sg_duration)value + TENTHS_PER_SECOND - 1) / TENTHS_PER_SECOND;
        return;
    default:
        UNREACHABLE();
    }
}

bool conf_setters_apply(const struct conf_setters *setters, struct conf_loader *loader,
                        const struct conf_statement *statement, void *target)
{
    unsigned number = setters->of_row[statement->row - schema_rows];
    if (number == 0) {
        return false;
    }
    const struct conf_setter *setter = &setters->table[number - 1];
    const struct conf_node *node = statement->count > 1 ? &statement->nodes[1] : NULL;
    void *member = (char *)target + setter->offset;

    switch (setter->kind) {
    case SET_BOOL:
        *(bool *)member = conf_boolean_of(node);
        break;
    case SET_SIZE:
        *(uint64_t *)member = size_of(node);
        break;
    case SET_PERCENT:
        *(uint32_t *)member = percent_of(node);
        break;
    case SET_TEXT:
        *(const char **)member = conf_memory_intern(loader->memory, node->text);
        break;
    case SET_TEXT_OR_NONE:
        *(const char **)member = text_or_none(loader, node);
        break;
    case SET_ACL:
        *(const struct conf_acl **)member = conf_build_acl(loader, conf_statement_block(statement));
        break;
    case SET_REMOTES:
        *(struct conf_remotes *)member = conf_build_remotes(loader, statement);
        break;
    case SET_SOURCE:
        conf_set_source(statement, member);
        break;
    case SET_CHECK:
        *(enum check_mode *)member = check_mode_of(node);
        break;
    case SET_CHECK_BOOL:
        *(enum check_mode *)member = conf_boolean_of(node) ? CHECK_WARN : CHECK_IGNORE;
        break;
    default:
        set_number(loader, statement, setter->kind, member);
    }
    return true;
}
