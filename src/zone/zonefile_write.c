/*
 * A version as a master file: every record on a line of its own, names absolute, the SOA first.
 */
#include "dns/text.h"
#include "zone/zonefile.h"

enum { NUMBER_BYTES = 11 };

static void append_number(struct buffer *text, uint32_t number)
{
    char digits[NUMBER_BYTES];
    char *at = digits + sizeof(digits);
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_append(text, at, (size_t)(digits + sizeof(digits) - at));
}

static void append_type(struct buffer *text, uint16_t type)
{
    char name[DNS_TYPE_TEXT_BYTES];
    buffer_append_text(text, dns_type_to_text(type, name));
}

static void append_rrset(struct buffer *text, const struct dns_rrset *rrset, struct span before,
                         const char *class_text)
{
    struct dns_rdata_cursor cursor = dns_rrset_walk(rrset);
    while (dns_rdata_next(&cursor)) {
        buffer_append(text, before.bytes, before.length);
        append_number(text, rrset->ttl);
        buffer_append_text(text, class_text);
        append_type(text, rrset->type);
        buffer_append_u8(text, ' ');
        dns_rdata_to_text(rrset->type, cursor.rdata, text);
        buffer_append_u8(text, '\n');
    }
}

/* What all lines of a dump have in common. */
struct dump {
    const struct zone_version *version;
    enum zone_view view;
    char class_text[DNS_TYPE_TEXT_BYTES + 3]; /* " IN " */
    struct buffer *text;
};

static void append_node(const struct dump *dump, const struct zone_node *node)
{
    struct dns_name owner;
    char name[DNS_NAME_TEXT_BYTES + 1];
    zone_version_owner(dump->version, node, &owner);
    dns_name_to_text(&owner, name);
    size_t length = strlen(name);
    name[length] = ' ';
    struct span before = {(const uint8_t *)name, length + 1};

    bool is_apex = (node->flags & ZONE_NODE_APEX) != 0;
    struct dns_rrset soa;
    if (is_apex && zone_node_rrset(node, dump->view, DNS_TYPE_SOA, &soa)) {
        append_rrset(dump->text, &soa, before, dump->class_text);
    }
    struct zone_rrset_walk walk = zone_node_walk(node, dump->view);
    while (zone_node_walk_next(&walk)) {
        if (!is_apex || walk.rrset.type != DNS_TYPE_SOA) {
            append_rrset(dump->text, &walk.rrset, before, dump->class_text);
        }
    }
}

void zonefile_write(const struct zone_version *version, enum zone_view view,
                    struct buffer *out_text)
{
    struct dump dump = {version, view, " ", out_text};
    char class_text[DNS_TYPE_TEXT_BYTES];
    strcat(dump.class_text, dns_class_to_text(zone_version_class(version), class_text));
    strcat(dump.class_text, " ");

    struct zone_cursor cursor;
    zone_cursor_start(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        append_node(&dump, &cursor.node);
    }
    /* A chain has one layer, whoever made it. */
    if (view == ZONE_VIEW_UNSIGNED && zone_version_facts(version)->signed_here) {
        return;
    }
    zone_cursor_start_nsec3(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        append_node(&dump, &cursor.node);
    }
}
