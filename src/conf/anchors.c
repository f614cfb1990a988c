/* trust-anchors: the keys from which answers of parents are proven (`checkds-validate`). */
#include "base/encoding.h"
#include "conf/loader.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

enum { ANCHORS_MAX = 1000, DIGEST_SHA1 = 1 };

static bool is_ds(const struct conf_node *kind)
{
    return conf_node_says(kind, "static-ds") || conf_node_says(kind, "initial-ds");
}

/* "257 3 8 base64", or "tag algorithm type hex". False: said why. */
static bool read_rdata(struct conf_loader *loader, const struct conf_statement *statement,
                       uint16_t type, struct buffer *rdata)
{
    uint32_t numbers[3];
    for (size_t i = 0; i < 3; i++) {
        numbers[i] = conf_integer_of(&statement->nodes[2 + i]);
        if (numbers[i] > (i == 0 ? UINT16_MAX : UINT8_MAX)) {
            conf_error(loader, statement, &statement->nodes[2 + i], "%s is too large",
                       statement->nodes[2 + i].text);
            return false;
        }
    }
    struct span text = span_of_text(statement->nodes[5].text);
    buffer_append_u16(rdata, (uint16_t)numbers[0]);
    buffer_append_u8(rdata, (uint8_t)numbers[1]);
    buffer_append_u8(rdata, (uint8_t)numbers[2]);
    bool is_read = type == DNS_TYPE_DS ? hex_decode(text, rdata) == SG_OK
                                       : base64_decode(text, rdata) == SG_OK;
    if (!is_read || dns_rdata_check(type, buffer_span(rdata)) != SG_OK) {
        conf_error(loader, statement, &statement->nodes[5], "this is not the %s of a %s",
                   type == DNS_TYPE_DS ? "digest" : "key", type == DNS_TYPE_DS ? "DS" : "DNSKEY");
        return false;
    }
    return true;
}

static void warn(struct conf_loader *loader, const struct conf_statement *statement,
                 const struct trust_anchor *anchor)
{
    const struct conf_node *kind = &statement->nodes[1];
    if (conf_node_says(kind, "initial-key") || conf_node_says(kind, "initial-ds")) {
        conf_warning(loader, statement, kind,
                     "'%s' is taken as '%s': keys are not followed as RFC 5011 has it", kind->text,
                     anchor->type == DNS_TYPE_DS ? "static-ds" : "static-key");
    }
    if (anchor->type == DNS_TYPE_DS && anchor->rdata.bytes[3] == DIGEST_SHA1) {
        conf_warning(loader, statement, &statement->nodes[4],
                     "a SHA-1 digest proves nothing: this trust anchor is of no use");
    }
}

static void read_anchor(struct conf_loader *loader, const struct conf_statement *statement,
                        struct trust_anchors *anchors)
{
    struct trust_anchor *anchor = (struct trust_anchor *)(uintptr_t)anchors->anchors;
    const char *name = statement->nodes[0].text;
    struct buffer rdata = BUFFER_EMPTY;
    if (anchors->count == ANCHORS_MAX) {
        conf_error(loader, statement, NULL, "more than %d trust anchors", ANCHORS_MAX);
        return;
    }
    anchor += anchors->count;
    anchor->type = is_ds(&statement->nodes[1]) ? DNS_TYPE_DS : DNS_TYPE_DNSKEY;
    if (dns_name_from_text(name, strlen(name), NULL, &anchor->zone) != SG_OK) {
        conf_error(loader, statement, &statement->nodes[0], "'%s' is not a domain name", name);
    } else if (read_rdata(loader, statement, anchor->type, &rdata)) {
        dns_name_lower(&anchor->zone);
        anchor->rdata = (struct span){
            conf_memory_copy_bytes(loader->memory, rdata.bytes, rdata.length), rdata.length};
        warn(loader, statement, anchor);
        anchors->count++;
    }
    buffer_free(&rdata);
}

static size_t count_anchors(const struct conf_statement *first)
{
    size_t count = 0;
    for (const struct conf_statement *at = conf_next_statement(first, "trust-anchors"); at != NULL;
         at = conf_next_statement(at->next, "trust-anchors")) {
        for (const struct conf_statement *each = conf_body(at); each != NULL; each = each->next) {
            count++;
        }
    }
    return count < ANCHORS_MAX ? count : ANCHORS_MAX;
}

void conf_resolve_anchors(struct conf_loader *loader)
{
    struct trust_anchors *anchors = &loader->conf->anchors;
    size_t count = count_anchors(loader->top);
    anchors->anchors = conf_memory_take_zero(loader->memory, count + 1, sizeof(*anchors->anchors));
    for (const struct conf_statement *at = conf_next_statement(loader->top, "trust-anchors");
         at != NULL; at = conf_next_statement(at->next, "trust-anchors")) {
        for (const struct conf_statement *each = conf_body(at); each != NULL; each = each->next) {
            read_anchor(loader, each, anchors);
        }
    }
}
