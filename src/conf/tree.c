#include "conf/tree.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/lexer.h"

enum { WORDS_FIRST = 64 };

/* A file that is being read; the innermost include last. */
struct source {
    const char *name;
    struct buffer contents; /* empty when read from memory */
    struct conf_lexer lexer;
    unsigned depth; /* blocks that were open when it began */
    /* The files of the `include` that is being followed, one after the other. */
    glob_t included;
    size_t included_next;
    struct conf_node included_at;
};

/* A block that is being read. Its unfinished statement is words[first_word..]. */
struct open_block {
    struct conf_statement *first;
    struct conf_statement **last;
    size_t first_word;
    unsigned line, column;
};

struct tree_reader {
    struct conf_tree *tree;
    struct conf_report *report;
    bool may_include;
    bool failed;
    struct source sources[CONF_INCLUDE_DEPTH_MAX];
    unsigned sources_count;
    struct open_block blocks[CONF_NESTING_MAX];
    unsigned depth; /* index of the innermost block */
    struct conf_node *words;
    size_t words_count, words_capacity;
    size_t files_count, statements_count;
};

static const char *file_error_text(enum sg_result result)
{
    switch (result) {
    case SG_NOT_FOUND:
        return "file not found";
    case SG_DENIED:
        return "permission denied";
    case SG_LIMIT:
        return "the file is too large";
    default:
        return strerror(errno);
    }
}

static void PRINTF_LIKE(4, 5)
    fail(struct tree_reader *reader, unsigned line, unsigned column, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const struct source *source = &reader->sources[reader->sources_count - 1];
    conf_report_add(reader->report, CONF_ERROR, source->name, line, column, "%s", text);
    reader->failed = true;
}

static struct open_block *innermost(struct tree_reader *reader)
{
    return &reader->blocks[reader->depth];
}

static size_t words_pending(struct tree_reader *reader)
{
    return reader->words_count - innermost(reader)->first_word;
}

static void add_word(struct tree_reader *reader, struct conf_node node)
{
    if (words_pending(reader) == CONF_STATEMENT_WORDS_MAX) {
        fail(reader, node.line, node.column, "a statement of more than %d words: is a ';' missing?",
             CONF_STATEMENT_WORDS_MAX);
        return;
    }
    if (reader->words_count == reader->words_capacity) {
        reader->words_capacity *= 2;
        reader->words =
            mem_resize_array(reader->words, reader->words_capacity, sizeof(*reader->words));
    }
    reader->words[reader->words_count++] = node;
}

static uint16_t short_column(unsigned column)
{
    return column > UINT16_MAX ? UINT16_MAX : (uint16_t)column;
}

static const char *token_text(struct tree_reader *reader, const struct conf_token *token)
{
    char *text = conf_memory_take(reader->tree->memory, (size_t)token->length + 1);
    size_t length = 0;

    for (uint32_t i = 0; i < token->length; i++) {
        bool escape = token->escaped && token->text[i] == '\\' && i + 1 < token->length;
        if (escape && token->text[i + 1] != '"') {
            text[length++] = token->text[i];
        }
        i += escape;
        text[length++] = token->text[i];
    }
    text[length] = '\0';
    return text;
}

/* --- files ---------------------------------------------------------------------------------- */

static enum sg_result open_source(struct tree_reader *reader, const char *path)
{
    struct source *source = &reader->sources[reader->sources_count];
    *source = (struct source){.name = conf_memory_intern(reader->tree->memory, path),
                              .contents = BUFFER_EMPTY,
                              .depth = reader->depth};
    enum sg_result result = file_read(path, CONF_FILE_BYTES_MAX, &source->contents);
    if (result == SG_OK) {
        source->lexer = conf_lexer_of(buffer_span(&source->contents));
        reader->sources_count++;
        reader->files_count++;
    }
    return result;
}

static void close_source(struct tree_reader *reader)
{
    struct source *source = &reader->sources[--reader->sources_count];
    globfree(&source->included);
    buffer_wipe(&source->contents); /* Keys and their secrets stand in there. */
}

static void open_next_included(struct tree_reader *reader)
{
    struct source *source = &reader->sources[reader->sources_count - 1];
    const struct conf_node *at = &source->included_at;
    const char *path = source->included.gl_pathv[source->included_next++];

    if (reader->sources_count == CONF_INCLUDE_DEPTH_MAX) {
        fail(reader, at->line, at->column, "includes are nested too deeply (%d): in a circle?",
             CONF_INCLUDE_DEPTH_MAX);
        return;
    }
    if (reader->files_count == CONF_FILES_MAX) {
        fail(reader, at->line, at->column, "more than %d files", CONF_FILES_MAX);
        return;
    }
    enum sg_result result = open_source(reader, path);
    if (result != SG_OK) {
        fail(reader, at->line, at->column, "cannot include '%s': %s", path,
             file_error_text(result));
    }
}

static void include(struct tree_reader *reader)
{
    const struct conf_node *words = &reader->words[innermost(reader)->first_word];
    struct conf_node path = words[words_pending(reader) - 1];

    reader->words_count = innermost(reader)->first_word;
    if (!reader->may_include) {
        fail(reader, path.line, path.column, "'include' is not possible here");
        return;
    }
    struct source *source = &reader->sources[reader->sources_count - 1];
    globfree(&source->included);
    source->included = (glob_t){0};
    source->included_next = 0;
    source->included_at = path;
    const char *folder = reader->tree->start_folder;
    char *pattern = path.text[0] == '/' || folder == NULL ? mem_copy_text(path.text)
                                                          : mem_format("%s/%s", folder, path.text);
    if (glob(pattern, GLOB_ERR, NULL, &source->included) != 0) {
        fail(reader, path.line, path.column, "cannot include '%s': %s", path.text,
             "file not found");
    }
    mem_free(pattern);
}

/* --- statements ----------------------------------------------------------------------------- */

static bool is_include(struct tree_reader *reader)
{
    const struct conf_node *words = &reader->words[innermost(reader)->first_word];
    return words_pending(reader) == 2 && words[0].kind == CONF_NODE_WORD &&
           strcasecmp(words[0].text, "include") == 0 && conf_node_is_text(&words[1]);
}

static void end_statement(struct tree_reader *reader, const struct conf_token *token)
{
    struct open_block *block = innermost(reader);
    size_t count = words_pending(reader);

    if (count == 0) {
        return; /* A stray semicolon says nothing. */
    }
    if (is_include(reader)) {
        include(reader);
        return;
    }
    if (++reader->statements_count > CONF_STATEMENTS_MAX) {
        fail(reader, token->line, token->column, "more than %d statements", CONF_STATEMENTS_MAX);
        return;
    }
    size_t bytes = count * sizeof(struct conf_node);
    struct conf_statement *statement =
        conf_memory_take(reader->tree->memory, sizeof(*statement) + bytes);
    *statement = (struct conf_statement){
        .file = reader->sources[reader->sources_count - 1].name,
        .end_line = token->line,
        .end_column = short_column(token->column),
        .count = (uint16_t)count,
    };
    memcpy(statement->nodes, &reader->words[block->first_word], bytes);
    reader->words_count = block->first_word;
    *block->last = statement;
    block->last = &statement->next;
}

/* Statements whose block is for a library of its own, in whatever grammar. */
static bool block_is_foreign(struct tree_reader *reader)
{
    static const char *const foreign[] = {"dyndb", "plugin", "dnsrps-options"};
    const struct conf_node *words = &reader->words[innermost(reader)->first_word];

    for (size_t i = 0; words_pending(reader) > 0 && i < ARRAY_LEN(foreign); i++) {
        if (conf_node_is_text(words) && strcasecmp(words[0].text, foreign[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void open_block(struct tree_reader *reader, const struct conf_token *token)
{
    if (block_is_foreign(reader)) {
        struct conf_lexer *lexer = &reader->sources[reader->sources_count - 1].lexer;
        lexer->at--; /* back to the brace */
        if (!conf_lexer_skip_block(lexer)) {
            fail(reader, token->line, token->column, "the '{' that begins here is not closed");
            return;
        }
        add_word(reader, (struct conf_node){.kind = CONF_NODE_BLOCK,
                                            .line = token->line,
                                            .column = short_column(token->column)});
        return;
    }
    if (reader->depth + 1 == CONF_NESTING_MAX) {
        fail(reader, token->line, token->column, "blocks are nested too deeply (%d)",
             CONF_NESTING_MAX);
        return;
    }
    struct open_block *block = &reader->blocks[++reader->depth];
    *block = (struct open_block){
        .first_word = reader->words_count, .line = token->line, .column = token->column};
    block->last = &block->first;
}

static void close_block(struct tree_reader *reader, const struct conf_token *token)
{
    if (words_pending(reader) > 0) {
        fail(reader, token->line, token->column, "missing ';' before '}'");
        return;
    }
    if (reader->depth == reader->sources[reader->sources_count - 1].depth) {
        fail(reader, token->line, token->column, "'}' without a '{' before it");
        return;
    }
    struct open_block *block = innermost(reader);
    struct conf_node node = {.block = block->first,
                             .kind = CONF_NODE_BLOCK,
                             .line = block->line,
                             .column = short_column(block->column)};
    reader->depth--;
    add_word(reader, node);
}

static void end_source(struct tree_reader *reader, const struct conf_token *token)
{
    const struct source *source = &reader->sources[reader->sources_count - 1];

    if (reader->depth > source->depth) {
        fail(reader, token->line, token->column,
             "unexpected end of the file: the '{' of line %u is not closed",
             innermost(reader)->line);
    } else if (words_pending(reader) > 0) {
        fail(reader, token->line, token->column, "unexpected end of the file: missing ';'");
    }
    close_source(reader);
}

static void take_token(struct tree_reader *reader, const struct conf_token *token)
{
    struct conf_node node = {.line = token->line, .column = short_column(token->column)};

    switch (token->kind) {
    case CONF_TOKEN_END:
        end_source(reader, token);
        return;
    case CONF_TOKEN_BROKEN:
        fail(reader, token->line, token->column, "%s", token->text);
        return;
    case CONF_TOKEN_WORD:
    case CONF_TOKEN_QUOTED:
        node.kind = token->kind == CONF_TOKEN_WORD ? CONF_NODE_WORD : CONF_NODE_QUOTED;
        node.text = token_text(reader, token);
        add_word(reader, node);
        return;
    case CONF_TOKEN_NOT:
        node.kind = CONF_NODE_NOT;
        node.text = "!";
        add_word(reader, node);
        return;
    case CONF_TOKEN_OPEN:
        open_block(reader, token);
        return;
    case CONF_TOKEN_CLOSE:
        close_block(reader, token);
        return;
    case CONF_TOKEN_SEMICOLON:
        end_statement(reader, token);
        return;
    }
}

static void read_all(struct tree_reader *reader)
{
    /* Each token moves a lexer on, each file ends: bounded by the files' sizes and number. */
    while (reader->sources_count > 0 && !reader->failed) {
        struct source *source = &reader->sources[reader->sources_count - 1];
        if (source->included_next < source->included.gl_pathc) {
            open_next_included(reader);
            continue;
        }
        struct conf_token token = conf_lexer_next(&source->lexer);
        take_token(reader, &token);
    }
    while (reader->sources_count > 0) {
        close_source(reader);
    }
    reader->tree->first = reader->blocks[0].first;
}

static struct tree_reader *reader_new(struct conf_tree *tree, struct conf_report *report)
{
    struct tree_reader *reader = mem_alloc_zero(1, sizeof(*reader));

    reader->tree = tree;
    reader->report = report;
    reader->blocks[0].last = &reader->blocks[0].first;
    reader->words_capacity = WORDS_FIRST;
    reader->words = mem_alloc(WORDS_FIRST * sizeof(*reader->words));
    return reader;
}

enum sg_result conf_tree_read(struct conf_tree *tree, const char *path, struct conf_report *report)
{
    struct tree_reader *reader = reader_new(tree, report);

    reader->may_include = true;
    enum sg_result result = open_source(reader, path);
    if (result == SG_OK) {
        read_all(reader);
    } else {
        conf_report_add(report, CONF_ERROR, path, 0, 0, "%s", file_error_text(result));
    }
    mem_free(reader->words);
    mem_free(reader);
    return result;
}

void conf_tree_read_text(struct conf_tree *tree, const char *name, struct span text,
                         struct conf_report *report)
{
    struct tree_reader *reader = reader_new(tree, report);

    reader->sources[0] = (struct source){.name = conf_memory_intern(tree->memory, name),
                                         .contents = BUFFER_EMPTY,
                                         .lexer = conf_lexer_of(text)};
    reader->sources_count = 1;
    read_all(reader);
    mem_free(reader->words);
    mem_free(reader);
}

const char *conf_statement_text(const struct conf_statement *statement, unsigned index)
{
    if (index >= statement->count || !conf_node_is_text(&statement->nodes[index])) {
        return NULL;
    }
    return statement->nodes[index].text;
}

const struct conf_node *conf_statement_block(const struct conf_statement *statement)
{
    for (unsigned i = 0; i < statement->count; i++) {
        if (statement->nodes[i].kind == CONF_NODE_BLOCK) {
            return &statement->nodes[i];
        }
    }
    return NULL;
}

const struct conf_node *conf_statement_after(const struct conf_statement *statement,
                                             const char *keyword)
{
    for (unsigned i = 1; i + 1 < statement->count; i++) {
        if (statement->nodes[i].kind == CONF_NODE_WORD &&
            strcasecmp(statement->nodes[i].text, keyword) == 0) {
            return &statement->nodes[i + 1];
        }
    }
    return NULL;
}

void conf_problem_at(struct conf_report *report, enum conf_severity severity,
                     const struct conf_statement *statement, const struct conf_node *node,
                     const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (node == NULL) {
        node = &statement->nodes[0];
    }
    conf_report_add(report, severity, statement->file, node->line, node->column, "%s", text);
}
