#include "conf/grammar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "conf/value.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "dnssec/algorithm.h"
#include "net/address.h"

enum { EXPECTED_BYTES = 256, TYPE_NAME_BYTES = 32 };

/* A part of a grammar: from `at` to before `end`. */
struct rule {
    const char *at, *end;
};

struct match {
    const struct conf_statement *statement;
    struct conf_report *report;
    unsigned next; /* index of the node that comes next */
};

/* --- rules ---------------------------------------------------------------------------------- */

static struct rule trim(struct rule rule)
{
    while (rule.at < rule.end && *rule.at == ' ') {
        rule.at++;
    }
    while (rule.end > rule.at && rule.end[-1] == ' ') {
        rule.end--;
    }
    return rule;
}

/* The first item of the rule, whole with its brackets; the rule is moved behind it. */
static struct rule take_item(struct rule *rule)
{
    *rule = trim(*rule);
    struct rule item = {rule->at, rule->at};
    unsigned depth = 0;

    while (item.end < rule->end && (depth > 0 || *item.end != ' ')) {
        char c = *item.end++;
        depth += c == '(' || c == '[' || c == '{' || c == '<';
        depth -= c == ')' || c == ']' || c == '}' || c == '>';
    }
    rule->at = item.end;
    return item;
}

static struct rule inside(struct rule item)
{
    return trim((struct rule){item.at + 1, item.end - 1});
}

/* The next alternative of what is inside ( ); the rule is moved behind it and its bar. */
static struct rule take_alternative(struct rule *rule)
{
    struct rule alternative = {rule->at, rule->at};

    while (rule->at < rule->end) {
        struct rule item = take_item(rule);
        if (item.end - item.at == 1 && *item.at == '|') {
            break;
        }
        alternative.end = item.end;
    }
    return trim(alternative);
}

/* --- values --------------------------------------------------------------------------------- */

static bool is_in_range(uint32_t value, const char *range)
{
    if (*range == '\0') {
        return true;
    }
    char *dots;
    unsigned long low = strtoul(range, &dots, 10);
    if (*dots == '~') {
        return true; /* conf/setters.c brings it into its range, and says so. */
    }
    unsigned long high = strtoul(dots + 2, NULL, 10);
    return value >= low && value <= high;
}

static bool accepts_integer(const char *text, const char *range)
{
    uint32_t value;
    return conf_value_integer(text, &value) && is_in_range(value, range);
}

static bool accepts_boolean(const char *text, const char *range)
{
    bool value;
    (void)range;
    return conf_value_boolean(text, &value);
}

static bool accepts_duration(const char *text, const char *range)
{
    uint32_t value;
    return conf_value_duration(text, &value) && is_in_range(value, range);
}

static bool accepts_size(const char *text, const char *range)
{
    uint64_t value;
    (void)range;
    return conf_value_size(text, &value);
}

static bool accepts_percent(const char *text, const char *range)
{
    uint32_t value;
    return conf_value_percent(text, &value) && is_in_range(value, range);
}

static bool accepts_decimal(const char *text, const char *range)
{
    (void)range;
    return *text != '\0' && strspn(text, "0123456789.") == strlen(text);
}

static bool accepts_string(const char *text, const char *range)
{
    (void)text;
    (void)range;
    return true;
}

static bool accepts_name(const char *text, const char *range)
{
    struct dns_name name;
    (void)range;
    return dns_name_from_text(text, strlen(text), NULL, &name) == SG_OK;
}

static bool accepts_address(const char *text, const char *family)
{
    struct net_address address;

    if (net_address_from_text(text, 0, &address) != SG_OK) {
        return false;
    }
    return *family == '\0' || net_address_is_v6(&address) == (strcmp(family, "6") == 0);
}

static bool accepts_prefix(const char *text, const char *range)
{
    struct conf_prefix prefix;
    bool looks_like;
    (void)range;
    return conf_value_prefix(text, &prefix, &looks_like) == NULL;
}

static bool accepts_rrtype(const char *text, const char *range)
{
    uint16_t type;
    (void)range;
    /* "A(4)": at most four A records. */
    return dns_type_from_text(text, strcspn(text, "("), &type) == SG_OK;
}

static const struct value_type {
    const char *name;
    bool (*accepts)(const char *text, const char *range);
    const char *words; /* in errors, behind "expected" */
    bool must_be_quoted;
} value_types[] = {
    {"integer", accepts_integer, "a number", false},
    {"boolean", accepts_boolean, "'yes' or 'no'", false},
    {"duration", accepts_duration, "a duration such as 3600, 1h30m or PT1H30M", false},
    {"size", accepts_size, "a size such as 512, 64k or 10m", false},
    {"percent", accepts_percent, "a percentage such as 50%", false},
    {"decimal", accepts_decimal, "a decimal number", false},
    {"string", accepts_string, "a word or a quoted string", false},
    {"quoted", accepts_string, "a quoted string", true},
    {"name", accepts_name, "a domain name", false},
    {"address", accepts_address, "an IP address", false},
    {"ipv4", accepts_address, "an IPv4 address", false},
    {"ipv6", accepts_address, "an IPv6 address", false},
    {"prefix", accepts_prefix, "an address or prefix such as 192.0.2.0/24", false},
    {"rrtype", accepts_rrtype, "an RR type", false},
};

/* Which type, and its range behind a space, into `out_range`. */
static const struct value_type *type_of(struct rule item, char out_range[TYPE_NAME_BYTES])
{
    struct rule name = inside(item);
    const char *space = memchr(name.at, ' ', (size_t)(name.end - name.at));
    size_t length = (size_t)((space == NULL ? name.end : space) - name.at);

    out_range[0] = '\0';
    if (space != NULL) {
        snprintf(out_range, TYPE_NAME_BYTES, "%.*s", (int)(name.end - space - 1), space + 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(value_types); i++) {
        const struct value_type *type = &value_types[i];
        if (strlen(type->name) != length || memcmp(type->name, name.at, length) != 0) {
            continue;
        }
        if (strncmp(type->name, "ipv", 3) == 0) {
            snprintf(out_range, TYPE_NAME_BYTES, "%s", type->name + 3);
        }
        return type;
    }
    UNREACHABLE();
}

static bool is_rule(struct rule item, const char *text)
{
    return (size_t)(item.end - item.at) == strlen(text) && memcmp(item.at, text, strlen(text)) == 0;
}

static bool accepts_value(struct rule item, const struct conf_node *node)
{
    char range[TYPE_NAME_BYTES];

    if (is_rule(item, "<acl>")) {
        return node->kind == CONF_NODE_BLOCK;
    }
    if (!conf_node_is_text(node)) {
        return false;
    }
    const struct value_type *type = type_of(item, range);
    return (!type->must_be_quoted || node->kind == CONF_NODE_QUOTED) &&
           type->accepts(node->text, range);
}

/* --- what was expected ---------------------------------------------------------------------- */

static void describe_value(struct rule item, char *out_text, size_t bytes)
{
    char range[TYPE_NAME_BYTES];

    if (is_rule(item, "<acl>")) {
        snprintf(out_text, bytes, "'{' and an address match list");
        return;
    }
    const struct value_type *type = type_of(item, range);
    const char *dots = strstr(range, "..");
    if (dots != NULL) {
        snprintf(out_text, bytes, "a number from %.*s to %s", (int)(dots - range), range, dots + 2);
    } else {
        snprintf(out_text, bytes, "%s", type->words);
    }
}

/* An item that is no list of alternatives. */
static void describe_plain(struct rule item, char *out_text, size_t bytes)
{
    if (*item.at == '<') {
        describe_value(item, out_text, bytes);
    } else if (*item.at == '{') {
        snprintf(out_text, bytes, "'{'");
    } else {
        snprintf(out_text, bytes, "'%.*s'", (int)(item.end - item.at), item.at);
    }
}

static void describe(struct rule item, char out_text[EXPECTED_BYTES])
{
    size_t used = 0;

    if (*item.at != '(') {
        describe_plain(item, out_text, EXPECTED_BYTES);
        return;
    }
    out_text[0] = '\0';
    for (struct rule inner = inside(item); inner.at < inner.end && used + 1 < EXPECTED_BYTES;) {
        struct rule alternative = take_alternative(&inner);
        used +=
            (size_t)snprintf(out_text + used, EXPECTED_BYTES - used, "%s", used > 0 ? " or " : "");
        if (used < EXPECTED_BYTES) {
            describe_plain(take_item(&alternative), out_text + used, EXPECTED_BYTES - used);
            used += strlen(out_text + used);
        }
    }
}

/* Its words must not be told. */
static bool is_secret(const struct conf_statement *statement)
{
    static const char *const secrets[] = {"secret", "cookie-secret", "algorithm"};
    const char *name = conf_statement_text(statement, 0);

    for (size_t i = 0; name != NULL && i < ARRAY_LEN(secrets); i++) {
        if (strcasecmp(name, secrets[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The node that comes next, or what stands in its place, for an error. */
static void expected(const struct match *match, const char *what)
{
    const struct conf_statement *statement = match->statement;

    if (match->next >= statement->count) {
        conf_report_add(match->report, CONF_ERROR, statement->file, statement->end_line,
                        statement->end_column, "expected %s before ';'", what);
        return;
    }
    const struct conf_node *node = &statement->nodes[match->next];
    if (is_secret(statement)) {
        conf_problem_at(match->report, CONF_ERROR, statement, node, "expected %s", what);
        return;
    }
    const char *found = node->kind == CONF_NODE_BLOCK ? "{" : node->text;
    conf_problem_at(match->report, CONF_ERROR, statement, node, "expected %s, found '%s'", what,
                    found);
}

/* --- address match lists -------------------------------------------------------------------- */

static bool match_acl_element(const struct conf_statement *element, struct conf_report *report)
{
    struct match match = {element, report, element->nodes[0].kind == CONF_NODE_NOT};
    struct conf_prefix prefix;
    bool looks_like;
    const char *text = conf_statement_text(element, match.next);

    if (match.next == element->count) {
        expected(&match, "an address, a prefix, a name or a list");
        return false;
    }
    if (text != NULL && strcasecmp(text, "geoip") == 0) {
        conf_problem_at(report, CONF_ERROR, element, NULL, "'geoip' is not supported");
        return false;
    }
    if (text != NULL && strcasecmp(text, "key") == 0 && element->count > match.next + 1) {
        match.next++;
        if (conf_statement_text(element, match.next) == NULL) {
            expected(&match, "the name of a key");
            return false;
        }
    } else if (text != NULL) {
        const char *wrong = conf_value_prefix(text, &prefix, &looks_like);
        if (wrong != NULL && looks_like) {
            conf_problem_at(report, CONF_ERROR, element, &element->nodes[match.next], "'%s' is %s",
                            text, wrong);
            return false;
        }
    } else if (element->nodes[match.next].kind == CONF_NODE_NOT) {
        expected(&match, "an address, a prefix, a name or a list");
        return false;
    }
    match.next++;
    if (match.next < element->count) {
        expected(&match, "';'");
        return false;
    }
    return true;
}

static bool match_acl(const struct conf_node *block, struct conf_report *report)
{
    const struct conf_statement *open[CONF_NESTING_MAX];
    unsigned depth = 1;

    open[0] = block->block;
    while (depth > 0) {
        const struct conf_statement *element = open[depth - 1];
        if (element == NULL) {
            depth--;
            continue;
        }
        if (!match_acl_element(element, report)) {
            return false;
        }
        open[depth - 1] = element->next;
        const struct conf_node *nested = conf_statement_block(element);
        if (nested != NULL) {
            ASSERT(depth < CONF_NESTING_MAX); /* conf/tree.c has seen to it. */
            open[depth++] = nested->block;
        }
    }
    return true;
}

/* --- matching ------------------------------------------------------------------------------- */

/* Could an item that is neither optional nor a list of alternatives begin with this node? */
static bool plain_begins_with(struct rule item, const struct conf_node *node)
{
    if (*item.at == '<') {
        return accepts_value(item, node);
    }
    if (*item.at == '{') {
        return node->kind == CONF_NODE_BLOCK;
    }
    return is_rule(item, "...") ||
           (conf_node_is_text(node) && strlen(node->text) == (size_t)(item.end - item.at) &&
            strncasecmp(item.at, node->text, strlen(node->text)) == 0);
}

/* The first alternative that can begin with the node; an empty rule when there is none. */
static struct rule alternative_for(struct rule item, const struct conf_node *node)
{
    struct rule inner = inside(item);

    while (inner.at < inner.end) {
        struct rule alternative = take_alternative(&inner);
        struct rule rest = alternative;
        if (plain_begins_with(take_item(&rest), node)) {
            return alternative;
        }
    }
    return (struct rule){item.end, item.end};
}

static bool begins_with(struct rule item, const struct conf_node *node)
{
    if (*item.at == '(') {
        struct rule alternative = alternative_for(item, node);
        return alternative.at < alternative.end;
    }
    return plain_begins_with(item, node);
}

static bool match_rule(struct match *match, struct rule rule);

static bool match_block(struct match *match, struct rule item)
{
    const struct conf_node *block = &match->statement->nodes[match->next++];
    struct rule inner = inside(item);

    for (const struct conf_statement *statement = block->block;
         statement != NULL && inner.at < inner.end; statement = statement->next) {
        struct match each = {statement, match->report, 0};
        if (!match_rule(&each, inner)) {
            return false;
        }
        if (each.next < statement->count) {
            expected(&each, "';'");
            return false;
        }
    }
    return true;
}

/* An item that begins with the next node. */
static bool match_item(struct match *match, struct rule item)
{
    const struct conf_node *node = &match->statement->nodes[match->next];

    if (is_rule(item, "<acl>")) {
        match->next++;
        return match_acl(node, match->report);
    }
    if (*item.at == '{') {
        return match_block(match, item);
    }
    if (is_rule(item, "...")) {
        match->next = match->statement->count;
        return true;
    }
    match->next++;
    return true;
}

static bool match_rule(struct match *match, struct rule rule)
{
    char what[EXPECTED_BYTES];

    while (rule.at < rule.end) {
        struct rule item = take_item(&rule);
        rule = trim(rule);
        bool optional = *item.at == '[';
        struct rule inner = optional ? inside(item) : item;
        struct rule rest = inner;
        struct rule first = optional ? take_item(&rest) : item;
        bool here = match->next < match->statement->count &&
                    begins_with(first, &match->statement->nodes[match->next]);

        if (!here && (optional || is_rule(item, "..."))) {
            continue;
        }
        if (!here) {
            describe(first, what);
            expected(match, what);
            return false;
        }
        bool matched =
            optional ? match_rule(match, inner)
            : *item.at == '('
                ? match_rule(match, alternative_for(item, &match->statement->nodes[match->next]))
                : match_item(match, item);
        if (!matched) {
            return false;
        }
    }
    return true;
}

bool conf_grammar_match(const char *grammar, const struct conf_statement *statement,
                        struct conf_report *report)
{
    struct match match = {statement, report, 1};

    if (!match_rule(&match, (struct rule){grammar, grammar + strlen(grammar)})) {
        return false;
    }
    if (match.next < statement->count) {
        expected(&match, "';'");
        return false;
    }
    return true;
}
