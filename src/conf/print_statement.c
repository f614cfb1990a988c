/* Parts of conf/print.h: the statement of a zone, as a whole. */
#include "conf/print.h"
#include "conf/schema.h"
#include "dns/rrtype.h"

static void begin_zone(const struct conf_zone *zone, struct buffer *out_text)
{
    char class_text[DNS_TYPE_TEXT_BYTES];

    buffer_append_text(out_text, "zone ");
    print_quoted(zone->name, out_text);
    if (zone->rrclass != DNS_CLASS_IN) {
        buffer_format(out_text, " %s", dns_class_to_text(zone->rrclass, class_text));
    }
    buffer_append_text(out_text, " {\n");
}

void print_zone(const struct conf_zone *zone, struct buffer *out_text)
{
    bool secondary = zone->type == CONF_ZONE_SECONDARY;
    unsigned zone_type = secondary ? ZONE_TYPE_SECONDARY : ZONE_TYPE_PRIMARY;

    begin_zone(zone, out_text);
    buffer_format(out_text, "\ttype %s;\n", secondary ? "secondary" : "primary");
    print_text_option("file", zone->file, out_text);
    print_text_option("journal", zone->journal, out_text);
    if (zone->policy != NULL) {
        print_text_option("dnssec-policy", zone->policy->name, out_text);
        print_boolean_option("inline-signing", zone->inline_signing, out_text);
        print_text_option("key-directory", zone->key_directory, out_text);
    }
    print_zone_content(zone->options, zone_type, out_text);
    print_zone_service(zone->options, zone_type, out_text);
    buffer_append_text(out_text, "};\n");
}

void print_shared_zone(const struct conf_zone *zone, struct buffer *out_text)
{
    begin_zone(zone, out_text);
    print_text_option("in-view", zone->view->name, out_text);
    buffer_append_text(out_text, "};\n");
}

/* What is in quotes stays as it is: a file may be called anything. */
static void join_lines(struct span lines, struct buffer *out_text)
{
    bool quoted = false;

    for (size_t i = 0; i < lines.length; i++) {
        const uint8_t *at = &lines.bytes[i];
        if (quoted && *at == '\\' && i + 1 < lines.length) {
            buffer_append(out_text, at, 2);
            i++;
            continue;
        }
        quoted ^= *at == '"';
        if (!quoted && *at == '\n') {
            buffer_append_text(out_text, " ");
        } else if (quoted || *at != '\t') {
            buffer_append(out_text, at, 1);
        }
    }
}

void conf_print_zone(const struct conf_zone *zone, struct buffer *out_text)
{
    struct buffer lines = BUFFER_EMPTY;

    print_zone(zone, &lines);
    join_lines((struct span){lines.bytes, lines.length - 1}, out_text);
    buffer_free(&lines);
}
