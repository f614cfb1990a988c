#include "conf/check.h"

#include <strings.h>

#include "base/mem.h"
#include "conf/grammar.h"
#include "conf/value.h"

enum { BLOCKS_MAX = 8, ROWS_MAX = 512, GATHERED_NAMES_MAX = 64 };

/* A block that is being gone through. */
struct checked_block {
    enum schema_place place;
    uint16_t zone_type;           /* with PLACE_ZONE; 0: not known, anything goes */
    const char *zone;             /* its name, for errors */
    struct conf_statement *first; /* all of it */
    struct conf_statement *next;  /* what is still to be checked */
    uint8_t seen[ROWS_MAX / 8];   /* rows that must not come again */
    uint8_t check_names;          /* for which kinds it was said: bits of name_kinds */
};

/* Options that one warning names together. */
struct gathered {
    const struct conf_statement *first;
    uint8_t seen[ROWS_MAX / 8];
};

struct checker {
    struct conf_report *report;
    struct checked_block blocks[BLOCKS_MAX];
    unsigned depth;
    struct gathered resolver, pending;
};

static const struct {
    const char *name;
    enum schema_zone_type type;
} zone_types[] = {
    {"primary", ZONE_TYPE_PRIMARY},
    {"master", ZONE_TYPE_PRIMARY},
    {"secondary", ZONE_TYPE_SECONDARY},
    {"slave", ZONE_TYPE_SECONDARY},
    {"mirror", ZONE_TYPE_MIRROR},
    {"hint", ZONE_TYPE_HINT},
    {"stub", ZONE_TYPE_STUB},
    {"static-stub", ZONE_TYPE_STATIC_STUB},
    {"forward", ZONE_TYPE_FORWARD},
    {"redirect", ZONE_TYPE_REDIRECT},
    {"delegation-only", ZONE_TYPE_DELEGATION_ONLY},
};

static bool statement_is(const struct conf_statement *statement, const char *name)
{
    const char *text = conf_statement_text(statement, 0);
    return text != NULL && strcasecmp(text, name) == 0;
}

static enum schema_zone_type zone_type_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(zone_types); i++) {
        if (strcasecmp(name, zone_types[i].name) == 0) {
            return zone_types[i].type;
        }
    }
    return (enum schema_zone_type)0;
}

enum schema_zone_type conf_check_zone_type(const struct conf_statement *zone)
{
    const struct conf_node *block = conf_statement_block(zone);

    for (const struct conf_statement *at = block == NULL ? NULL : block->block; at != NULL;
         at = at->next) {
        const char *text = conf_statement_text(at, 1);
        if (text == NULL) {
            continue;
        }
        if (statement_is(at, "in-view")) {
            return ZONE_TYPE_IN_VIEW;
        }
        if (statement_is(at, "type") && zone_type_named(text) != 0) {
            return zone_type_named(text);
        }
    }
    return (enum schema_zone_type)0;
}

static bool test_and_set(uint8_t seen[ROWS_MAX / 8], const struct schema_row *row)
{
    size_t index = (size_t)(row - schema_rows);
    ASSERT(index < ROWS_MAX);
    bool before = (seen[index / 8] >> index % 8 & 1) != 0;
    seen[index / 8] = (uint8_t)(seen[index / 8] | 1u << index % 8);
    return before;
}

/* The row, or NULL when an error was reported. */
static const struct schema_row *find_row(struct checker *checker, const struct checked_block *block,
                                         const struct conf_statement *statement)
{
    const char *name = conf_statement_text(statement, 0);
    if (name == NULL) {
        conf_problem_at(checker->report, CONF_ERROR, statement, NULL,
                        "expected the name of an option, found '%s'",
                        statement->nodes[0].kind == CONF_NODE_BLOCK ? "{" : "!");
        return NULL;
    }
    const struct schema_row *row = schema_find(name, block->place);
    if (row != NULL) {
        return row;
    }
    if (block->place == PLACE_KEY) { /* It may be the secret. */
        conf_problem_at(checker->report, CONF_ERROR, statement, NULL,
                        "unknown option: a key has 'algorithm' and 'secret'");
        return NULL;
    }
    const char *nearest = schema_nearest(name, block->place);
    if (schema_is_known(name)) {
        conf_problem_at(checker->report, CONF_ERROR, statement, NULL, "'%s' is not allowed in %s",
                        name, schema_place_text(block->place));
    } else if (nearest != NULL) {
        conf_problem_at(checker->report, CONF_ERROR, statement, NULL,
                        "unknown option '%s', did you mean '%s'?", name, nearest);
    } else {
        conf_problem_at(checker->report, CONF_ERROR, statement, NULL, "unknown option '%s'", name);
    }
    return NULL;
}

static const char *zone_type_text(unsigned type)
{
    for (size_t i = 0; i < ARRAY_LEN(zone_types); i++) {
        if (zone_types[i].type == type) {
            return zone_types[i].name;
        }
    }
    return "in-view";
}

static void report_repeated(struct checker *checker, const struct checked_block *block,
                            const struct conf_statement *statement, const struct schema_row *row)
{
    const struct conf_statement *first = block->first;

    while (first->row != row) {
        first = first->next;
        if (first == statement) {
            return; /* The first one has an error of its own. */
        }
    }
    conf_problem_at(checker->report, CONF_ERROR, statement, NULL,
                    "'%s' is given again, after line %u of %s", row->name, first->nodes[0].line,
                    first->file);
}

/* May it stand here, once more, in this type of zone? */
static bool is_allowed(struct checker *checker, struct checked_block *block,
                       const struct conf_statement *statement, const struct schema_row *row)
{
    if (!row->repeats && test_and_set(block->seen, row)) {
        report_repeated(checker, block, statement, row);
        return false;
    }
    if (block->place == PLACE_ZONE && block->zone_type != 0 &&
        (row->zone_types & block->zone_type) == 0) {
        conf_problem_at(checker->report, CONF_ERROR, statement, NULL,
                        "option '%s' is not allowed in '%s' zone '%s'", row->name,
                        zone_type_text(block->zone_type), block->zone);
        return false;
    }
    return true;
}

static void gather(struct gathered *gathered, const struct conf_statement *statement,
                   const struct schema_row *row)
{
    if (gathered->first == NULL) {
        gathered->first = statement;
    }
    (void)test_and_set(gathered->seen, row);
}

/* A "no" to what is not done yet is in effect. */
static bool says_no(const struct conf_statement *statement)
{
    const char *word = statement->count == 2 ? conf_statement_text(statement, 1) : NULL;
    bool value = true;

    return word != NULL && (strcasecmp(word, "none") == 0 ||
                            (strcmp(word, "0") != 0 && conf_value_boolean(word, &value) && !value));
}

static bool check_status(struct checker *checker, const struct conf_statement *statement,
                         const struct schema_row *row)
{
    const char *colon = row->note == NULL ? "" : ": ";
    const char *note = row->note == NULL ? "" : row->note;

    switch ((enum schema_status)row->status) {
    case STATUS_USED:
        return true;
    case STATUS_RESOLVER:
        gather(&checker->resolver, statement, row);
        return true;
    case STATUS_PENDING:
        if (!says_no(statement)) {
            gather(&checker->pending, statement, row);
        }
        return true;
    case STATUS_IDLE:
        conf_problem_at(checker->report, CONF_WARNING, statement, NULL,
                        "'%s' has no effect in Signet%s%s", row->name, colon, note);
        return true;
    case STATUS_OBSOLETE:
        conf_problem_at(checker->report, CONF_WARNING, statement, NULL,
                        "option '%s' is obsolete and has no effect%s%s", row->name, colon, note);
        return true;
    case STATUS_REMOVED:
        conf_problem_at(checker->report, CONF_ERROR, statement, NULL,
                        "option '%s' no longer exists%s%s", row->name, colon, note);
        return false;
    }
    UNREACHABLE();
}

static void enter_block(struct checker *checker, const struct conf_statement *statement,
                        const struct schema_row *row)
{
    ASSERT(checker->depth + 1 < BLOCKS_MAX); /* The schema is nested four deep. */
    struct checked_block *block = &checker->blocks[++checker->depth];
    const struct conf_node *node = conf_statement_block(statement);

    *block = (struct checked_block){.place = row->body, .first = node->block, .next = node->block};
    if (row->body == PLACE_ZONE) {
        block->zone = conf_statement_text(statement, 1);
        block->zone_type = (uint16_t)conf_check_zone_type(statement);
    }
}

/* Above zones check-names may stand once for each kind. */
static bool check_name_kind(struct checker *checker, struct checked_block *block,
                            const struct conf_statement *statement)
{
    static const struct {
        const char *word;
        uint8_t bit;
    } kinds[] = {{"primary", 1}, {"master", 1}, {"secondary", 2}, {"slave", 2}, {"response", 4}};
    const char *word = conf_statement_text(statement, 1);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcasecmp(word, kinds[i].word) != 0) {
            continue;
        }
        if ((block->check_names & kinds[i].bit) != 0) {
            conf_problem_at(checker->report, CONF_ERROR, statement, NULL,
                            "'check-names %s' is given again", word);
            return false;
        }
        block->check_names |= kinds[i].bit;
    }
    return true;
}

static void check_statement(struct checker *checker, struct conf_statement *statement)
{
    struct checked_block *block = &checker->blocks[checker->depth];
    const struct schema_row *row = find_row(checker, block, statement);

    if (row == NULL || !is_allowed(checker, block, statement, row) ||
        !check_status(checker, statement, row) ||
        !conf_grammar_match(row->grammar, statement, checker->report)) {
        return;
    }
    if (strcmp(row->name, "check-names") == 0 && !check_name_kind(checker, block, statement)) {
        return;
    }
    if (strstr(row->grammar, "[ dscp") != NULL && conf_statement_after(statement, "dscp") != NULL) {
        conf_problem_at(checker->report, CONF_WARNING, statement, NULL,
                        "'dscp' in '%s' has no effect", row->name);
    }
    statement->row = row;
    if (row->body != 0) {
        enter_block(checker, statement, row);
    }
}

static void warn_of_gathered(struct checker *checker, const struct gathered *gathered,
                             const char *what)
{
    struct buffer names = BUFFER_EMPTY;
    unsigned count = 0;

    for (size_t i = 0; i < schema_rows_count; i++) {
        if ((gathered->seen[i / 8] >> i % 8 & 1) == 0) {
            continue;
        }
        if (i > 0 && strcmp(schema_rows[i].name, schema_rows[i - 1].name) == 0 &&
            (gathered->seen[(i - 1) / 8] >> (i - 1) % 8 & 1) != 0) {
            continue; /* the same name in another place */
        }
        if (count++ < GATHERED_NAMES_MAX) {
            buffer_format(&names, "%s%s", count > 1 ? ", " : "", schema_rows[i].name);
        }
    }
    conf_problem_at(checker->report, CONF_WARNING, gathered->first, NULL, "%s: %s%s", what,
                    buffer_text(&names), count > GATHERED_NAMES_MAX ? ", ..." : "");
    buffer_free(&names);
}

void conf_check_tree(struct conf_tree *tree, struct conf_report *report)
{
    struct checker *checker = mem_alloc_zero(1, sizeof(*checker));

    ASSERT(schema_rows_count <= ROWS_MAX);
    checker->report = report;
    checker->blocks[0] =
        (struct checked_block){.place = PLACE_TOP, .first = tree->first, .next = tree->first};
    for (;;) {
        struct checked_block *block = &checker->blocks[checker->depth];
        struct conf_statement *statement = block->next;
        if (statement != NULL) {
            block->next = statement->next;
            check_statement(checker, statement);
        } else if (checker->depth-- == 0) {
            break;
        }
    }
    if (checker->resolver.first != NULL) {
        warn_of_gathered(checker, &checker->resolver,
                         "without effect, since Signet is no resolver");
    }
    if (checker->pending.first != NULL) {
        warn_of_gathered(checker, &checker->pending,
                         "read and checked, but not in effect yet in this version");
    }
    mem_free(checker);
}
