#include <limits.h>

#include "zone/zonefile_loader.h"
#include "zone/zonefile_words.h"

/* The argument of a directive. Sets the line's problem. */
static bool read_argument(struct zonefile_loader *loader, struct scan *scan,
                          struct scan_token *out_token)
{
    enum scan_kind kind = scan_next(scan, out_token);
    if (kind == SCAN_WORD || kind == SCAN_QUOTED) {
        return true;
    }
    zonefile_refuse_line(loader, scan, "%s",
                         kind == SCAN_BROKEN ? scan->problem : "unexpected end of line");
    return false;
}

static bool read_name(struct zonefile_loader *loader, struct scan *scan,
                      const struct scan_token *token, struct dns_name *out_name)
{
    struct dns_name name;
    const char *problem = zonefile_name(token, &zonefile_present_file(loader)->origin, &name);
    if (problem != NULL) {
        zonefile_refuse_line(loader, scan, "origin '%.*s': %s", (int)token->length,
                             (const char *)token->text, problem);
        return false;
    }
    *out_name = name;
    return true;
}

static void read_origin(struct zonefile_loader *loader, struct scan *scan)
{
    struct scan_token token;
    struct dns_name origin;
    if (!read_argument(loader, scan, &token) || !read_name(loader, scan, &token, &origin) ||
        !zonefile_line_is_whole(loader, scan)) {
        return;
    }
    zonefile_set_origin(loader, &origin);
    scan_consume_end(scan);
}

static void read_ttl(struct zonefile_loader *loader, struct scan *scan)
{
    struct scan_token token;
    uint32_t ttl;
    if (!read_argument(loader, scan, &token)) {
        return;
    }
    if (token.kind != SCAN_WORD || zonefile_period(&token, &ttl) != SG_OK) {
        zonefile_refuse_line(loader, scan, "not a valid TTL: '%.*s'", (int)token.length,
                             (const char *)token.text);
        return;
    }
    if (!zonefile_line_is_whole(loader, scan)) {
        return;
    }
    if (!zonefile_ttl_is_valid(ttl)) {
        zonefile_warn_line(loader, scan, "$TTL %u is larger than 2147483647, taken as 0", ttl);
        ttl = 0;
    }
    loader->ttl.standard = ttl;
    loader->ttl.default_known = true;
    scan_consume_end(scan);
}

/* A file name: escapes let it hold blanks and quotes. */
static bool copy_path(const struct scan_token *token, char out_path[PATH_MAX])
{
    size_t length = 0;
    for (size_t i = 0; i < token->length; i++) {
        i += token->text[i] == '\\';
        if (length == PATH_MAX - 1) {
            return false;
        }
        out_path[length++] = (char)token->text[i];
    }
    out_path[length] = 0;
    return length > 0;
}

static void read_include(struct zonefile_loader *loader, struct scan *scan)
{
    struct scan_token token;
    char path[PATH_MAX];
    struct dns_name origin = zonefile_present_file(loader)->origin;
    if (!read_argument(loader, scan, &token)) {
        return;
    }
    if (!copy_path(&token, path)) {
        zonefile_refuse_line(loader, scan, "file name is too long or empty");
        return;
    }
    struct scan_mark before = scan_mark(scan);
    if (scan_next(scan, &token) == SCAN_WORD) {
        if (!read_name(loader, scan, &token, &origin)) {
            return;
        }
    } else {
        scan_return(scan, before);
    }
    if (!zonefile_line_is_whole(loader, scan)) {
        return;
    }
    unsigned line = scan->line;
    scan_consume_end(scan);
    zonefile_include(loader, path, &origin, line);
}

void zonefile_read_directive(struct zonefile_loader *loader, struct scan *scan,
                             const struct scan_token *token)
{
    if (scan_token_is(token, "$ORIGIN")) {
        read_origin(loader, scan);
    } else if (scan_token_is(token, "$TTL")) {
        read_ttl(loader, scan);
    } else if (scan_token_is(token, "$INCLUDE")) {
        read_include(loader, scan);
    } else if (scan_token_is(token, "$GENERATE")) {
        zonefile_read_generate(loader, scan);
    } else {
        zonefile_refuse_line(loader, scan, "unknown $ directive '%.*s'", (int)token->length,
                             (const char *)token->text);
    }
}
