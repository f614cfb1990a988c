/*
 * A version as people write a zone: $ORIGIN and $TTL once, owner names relative and only where
 * they change, a TTL only where it is another, the SOA a number a line. Names in rdata stay
 * absolute: whatever is copied from there to elsewhere keeps its meaning.
 */
#include <stdio.h>

#include "dns/text.h"
#include "zone/zonefile.h"

enum {
    OWNER_COLUMN = 24,
    TTL_COLUMN = 8,
    TYPE_COLUMN = 8,
    RDATA_COLUMN = OWNER_COLUMN + TTL_COLUMN + TYPE_COLUMN,
    SOA_NUMBERS = 5,
    NUMBER_COLUMN = 11
};

struct page {
    const struct zone_version *version;
    enum zone_view view;
    struct buffer *text;
    unsigned apex_labels;
    bool ttl_known; /* of $TTL */
    uint32_t ttl;
};

/* Text, then blanks up to the column, at least one. */
static void put_column(struct buffer *text, const char *word, size_t width)
{
    static const char blanks[RDATA_COLUMN + 1] = "                                        ";
    size_t length = strlen(word);
    buffer_append(text, word, length);
    buffer_append(text, blanks, length < width ? width - length : 1);
}

/* "@" for the apex, else the labels in front of it. */
static const char *owner_text(const struct page *page, const struct dns_name *owner, char *out_text)
{
    struct dns_name front = {.length = 1, .labels = 0, .wire = {0}};
    unsigned labels = owner->labels - page->apex_labels;
    if (labels == 0) {
        return "@";
    }
    size_t length = (size_t)(dns_name_skip(owner, labels) - owner->wire);
    memcpy(front.wire, owner->wire, length);
    front.wire[length] = 0;
    front.length = (uint8_t)(length + 1);
    front.labels = (uint8_t)labels;
    return dns_name_to_text_short(&front, out_text);
}

static void put_ttl(const struct page *page, uint32_t ttl)
{
    char digits[TTL_COLUMN + 4] = "";
    if (!page->ttl_known || ttl != page->ttl) {
        snprintf(digits, sizeof(digits), "%u", ttl);
    }
    put_column(page->text, digits, TTL_COLUMN);
}

/* What the operator edits by hand: each number named. Its names hold no blank, but as \032. */
static void put_soa_rdata(const struct page *page, const char *rdata)
{
    static const char *const meanings[SOA_NUMBERS] = {"serial", "refresh", "retry", "expire",
                                                      "negative TTL"};
    const char *at = strchr(strchr(rdata, ' ') + 1, ' ') + 1;
    buffer_append(page->text, rdata, (size_t)(at - rdata));
    buffer_append_text(page->text, "(\n");
    for (size_t i = 0; i < SOA_NUMBERS; i++) {
        char number[NUMBER_COLUMN + 2] = "";
        size_t length = strcspn(at, " ");
        memcpy(number, at, length < NUMBER_COLUMN ? length : NUMBER_COLUMN);
        at += length + (at[length] != '\0');
        put_column(page->text, "", RDATA_COLUMN);
        put_column(page->text, number, NUMBER_COLUMN);
        buffer_format(page->text, "; %s\n", meanings[i]);
    }
    put_column(page->text, "", RDATA_COLUMN);
    buffer_append_text(page->text, ")\n");
}

static void put_soa(const struct page *page, const struct dns_rrset *soa)
{
    struct buffer rdata = BUFFER_EMPTY;
    char rrclass[DNS_TYPE_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES + 4];
    snprintf(type, sizeof(type), "%s SOA",
             dns_class_to_text(zone_version_class(page->version), rrclass));
    dns_rdata_to_text(soa->type, dns_rrset_first(soa), &rdata);
    put_column(page->text, "@", OWNER_COLUMN);
    put_ttl(page, soa->ttl);
    put_column(page->text, type, TYPE_COLUMN);
    put_soa_rdata(page, buffer_text(&rdata));
    buffer_free(&rdata);
}

/* `owner` is empty from its second record on. */
static void put_rrset(const struct page *page, const struct dns_rrset *rrset, const char **owner)
{
    struct dns_rdata_cursor cursor = dns_rrset_walk(rrset);
    while (dns_rdata_next(&cursor)) {
        char type[DNS_TYPE_TEXT_BYTES];
        put_column(page->text, *owner, OWNER_COLUMN);
        put_ttl(page, rrset->ttl);
        put_column(page->text, dns_type_to_text(rrset->type, type), TYPE_COLUMN);
        dns_rdata_to_text(rrset->type, cursor.rdata, page->text);
        buffer_append_u8(page->text, '\n');
        *owner = "";
    }
}

static void put_node(const struct page *page, const struct zone_node *node)
{
    char text[DNS_NAME_TEXT_BYTES];
    struct dns_name name;
    struct dns_rrset soa;
    zone_version_owner(page->version, node, &name);
    const char *owner = owner_text(page, &name, text);
    bool is_apex = (node->flags & ZONE_NODE_APEX) != 0;
    if (is_apex && zone_node_rrset(node, page->view, DNS_TYPE_SOA, &soa)) {
        put_soa(page, &soa);
        owner = "";
    }
    struct zone_rrset_walk walk = zone_node_walk(node, page->view);
    while (zone_node_walk_next(&walk)) {
        if (!is_apex || walk.rrset.type != DNS_TYPE_SOA) {
            put_rrset(page, &walk.rrset, &owner);
        }
    }
}

/* Zones mostly have one TTL, and the SOA has it. */
static void put_head(struct page *page)
{
    const struct zone_node *apex = zone_version_apex_node(page->version);
    const struct dns_name *origin = zone_version_apex(page->version);
    char name[DNS_NAME_TEXT_BYTES];
    struct dns_rrset soa;
    page->apex_labels = origin->labels;
    buffer_format(page->text, "$ORIGIN %s\n", dns_name_to_text(origin, name));
    if (zone_node_rrset(apex, page->view, DNS_TYPE_SOA, &soa)) {
        page->ttl_known = true;
        page->ttl = soa.ttl;
        buffer_format(page->text, "$TTL %u\n", soa.ttl);
    }
}

void zonefile_write_readable(const struct zone_version *version, enum zone_view view,
                             struct buffer *out_text)
{
    struct page page = {.version = version, .view = view, .text = out_text};
    struct zone_cursor cursor;
    put_head(&page);
    zone_cursor_start(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        put_node(&page, &cursor.node);
    }
    /* A chain has one layer, whoever made it. */
    if (view == ZONE_VIEW_UNSIGNED && zone_version_facts(version)->signed_here) {
        return;
    }
    zone_cursor_start_nsec3(&cursor, version);
    while (zone_cursor_next(&cursor)) {
        put_node(&page, &cursor.node);
    }
}
