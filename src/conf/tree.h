/*
 * conf/tree.h - the statements of a configuration, as they are written
 *
 * Grammar of every statement: words, `!` and blocks in any order, ended by `;`. What they mean is
 * not looked at here, but `include`, whose statements take its place. The tree is short-lived:
 * it is gone once the configuration is resolved. Nothing here calls itself: blocks and includes
 * are two explicit, bounded stacks.
 */
#pragma once

#include <stdbool.h>

#include "conf/memory.h"
#include "conf/report.h"

enum {
    CONF_FILE_BYTES_MAX = 64 << 20,
    CONF_FILES_MAX = 10000,
    CONF_INCLUDE_DEPTH_MAX = 16,
    CONF_NESTING_MAX = 32,
    CONF_STATEMENT_WORDS_MAX = 4096,
    CONF_STATEMENTS_MAX = 16 << 20,
};

enum conf_node_kind {
    CONF_NODE_WORD,
    CONF_NODE_QUOTED,
    CONF_NODE_NOT,
    CONF_NODE_BLOCK,
};

struct conf_node {
    union {
        const char *text;             /* of WORD and QUOTED */
        struct conf_statement *block; /* its first statement, NULL: empty */
    };
    uint32_t line;
    uint16_t column;
    uint8_t kind;
};

struct schema_row;

struct conf_statement {
    struct conf_statement *next;
    const char *file;
    const struct schema_row *row; /* what conf/check.c found it to be; NULL: broken, skip it */
    const void *resolved;         /* what it was resolved to, where many zones inherit it */
    uint32_t end_line;            /* of its semicolon */
    uint16_t end_column;
    uint16_t count; /* at least 1 */
    struct conf_node nodes[];
};

struct conf_tree {
    struct conf_memory *memory;
    struct conf_statement *first;
    const char *start_folder; /* of relative includes; NULL: the working directory */
};

/* Read a file and what it includes. SG_OK even when something is wrong: the report tells.
 * SG_NOT_FOUND, SG_DENIED, SG_LIMIT, SG_IO for `path` itself. */
MUST_USE enum sg_result conf_tree_read(struct conf_tree *tree, const char *path,
                                       struct conf_report *report);
/* The same from memory; `include` is an error. */
void conf_tree_read_text(struct conf_tree *tree, const char *name, struct span text,
                         struct conf_report *report);

static inline bool conf_node_is_text(const struct conf_node *node)
{
    return node->kind == CONF_NODE_WORD || node->kind == CONF_NODE_QUOTED;
}
/* The node at `index` as text, or NULL: no such node, or not text. */
const char *conf_statement_text(const struct conf_statement *statement, unsigned index);
/* The first block of the statement, or NULL: it has none. */
const struct conf_node *conf_statement_block(const struct conf_statement *statement);
/* The text behind the word `keyword` (case ignored), from index 1 on; NULL: not there. */
const struct conf_node *conf_statement_after(const struct conf_statement *statement,
                                             const char *keyword);

/* A problem at a node; `node` NULL: at the statement's first word. */
void conf_problem_at(struct conf_report *report, enum conf_severity severity,
                     const struct conf_statement *statement, const struct conf_node *node,
                     const char *format, ...) PRINTF_LIKE(5, 6);
