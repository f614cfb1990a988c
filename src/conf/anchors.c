/* trust-anchors: the keys from which answers of parents are proven (`checkds-validate`). */
#include "base/encoding.h"
#include "conf/loader.h"
#include "dns/rrtype.h"
#include "dnssec/key.h"

enum { ANCHORS_MAX = 1000, FIXED_BYTES = 4 /* of both types */, DNSKEY_PROTOCOL = 3 };
enum { DIGEST_SHA1 = 1, DIGEST_SHA256 = 2, DIGEST_SHA384 = 4 };

/* The words of an anchor: name, kind, three numbers, data. */
enum {
    AT_KIND = 1,
    AT_TAG_OR_FLAGS,
    AT_DS_ALGORITHM,
    AT_DS_TYPE,
    AT_DATA,
    AT_KEY_PROTOCOL = AT_DS_ALGORITHM,
    AT_KEY_ALGORITHM = AT_DS_TYPE,
};

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
        const struct conf_node *node = &statement->nodes[AT_TAG_OR_FLAGS + i];
        numbers[i] = conf_integer_of(node);
        if (numbers[i] > (i == 0 ? UINT16_MAX : UINT8_MAX)) {
            conf_error(loader, statement, node, "%s is too large", node->text);
            return false;
        }
    }
    struct span text = span_of_text(statement->nodes[AT_DATA].text);
    buffer_append_u16(rdata, (uint16_t)numbers[0]);
    buffer_append_u8(rdata, (uint8_t)numbers[1]);
    buffer_append_u8(rdata, (uint8_t)numbers[2]);
    bool is_read = type == DNS_TYPE_DS ? hex_decode(text, rdata) == SG_OK
                                       : base64_decode(text, rdata) == SG_OK;
    if (!is_read || rdata->length == FIXED_BYTES) {
        conf_error(loader, statement, &statement->nodes[AT_DATA], "this is not the %s of a %s",
                   type == DNS_TYPE_DS ? "digest, in hexadecimal," : "key, in base64,",
                   type == DNS_TYPE_DS ? "DS" : "DNSKEY");
    }
    return is_read && rdata->length > FIXED_BYTES;
}

/* --- one that can never fit a key proves nothing, in silence ------------------------------------
 */

static bool check_algorithm(struct conf_loader *loader, const struct conf_statement *statement,
                            size_t word, uint8_t algorithm)
{
    if (!dnssec_algorithm_is_known(algorithm)) {
        conf_warning(loader, statement, &statement->nodes[word],
                     "no key of algorithm %u can be verified: this trust anchor is left out; known "
                     "are 8, 10, 13, 14, 15 and 16",
                     algorithm);
    }
    return dnssec_algorithm_is_known(algorithm);
}

static size_t digest_bytes(uint8_t digest_type)
{
    return digest_type == DIGEST_SHA1     ? 20
           : digest_type == DIGEST_SHA256 ? 32
           : digest_type == DIGEST_SHA384 ? 48
                                          : 0;
}

static bool check_ds(struct conf_loader *loader, const struct conf_statement *statement,
                     struct span rdata)
{
    uint8_t type = rdata.bytes[3];
    size_t length = rdata.length - FIXED_BYTES;
    if (!check_algorithm(loader, statement, AT_DS_ALGORITHM, rdata.bytes[2])) {
        return false;
    }
    if (digest_bytes(type) == 0) {
        conf_warning(loader, statement, &statement->nodes[AT_DS_TYPE],
                     "unknown digest type %u: this trust anchor is left out; give the DS of type 2 "
                     "(SHA-256) or 4 (SHA-384)",
                     type);
        return false;
    }
    if (digest_bytes(type) != length) {
        conf_error(loader, statement, &statement->nodes[AT_DATA],
                   "a digest of type %u has %zu bytes, this one %zu: copy it anew", type,
                   digest_bytes(type), length);
    }
    return digest_bytes(type) == length;
}

static bool check_key(struct conf_loader *loader, const struct conf_statement *statement,
                      struct span rdata)
{
    uint8_t algorithm = rdata.bytes[3];
    unsigned flags = (unsigned)rdata.bytes[0] << 8 | rdata.bytes[1];
    if ((flags & KEY_FLAG_ZONE) == 0) {
        conf_error(loader, statement, &statement->nodes[AT_TAG_OR_FLAGS],
                   "flags %u are those of a key that is no zone's: a zone's key has 257 or 256",
                   flags);
        return false;
    }
    if ((flags & KEY_FLAG_REVOKE) != 0) {
        conf_warning(loader, statement, &statement->nodes[AT_TAG_OR_FLAGS],
                     "flags %u are those of a key that is revoked: this trust anchor is left out",
                     flags);
        return false;
    }
    if (rdata.bytes[2] != DNSKEY_PROTOCOL) {
        conf_error(loader, statement, &statement->nodes[AT_KEY_PROTOCOL],
                   "the protocol of a DNSKEY is 3, not %u", rdata.bytes[2]);
        return false;
    }
    if (!check_algorithm(loader, statement, AT_KEY_ALGORITHM, algorithm)) {
        return false;
    }
    if (dnskey_check(rdata) == SG_MALFORMED) {
        conf_error(loader, statement, &statement->nodes[AT_DATA],
                   "these %zu bytes are no key of algorithm %u (%s): copy it anew",
                   rdata.length - FIXED_BYTES, algorithm, dnssec_algorithm_text(algorithm));
        return false;
    }
    return true;
}

static bool check_rdata(struct conf_loader *loader, const struct conf_statement *statement,
                        uint16_t type, struct span rdata)
{
    return type == DNS_TYPE_DS ? check_ds(loader, statement, rdata)
                               : check_key(loader, statement, rdata);
}

/* --- one that is taken ------------------------------------------------------------------------ */

static void warn(struct conf_loader *loader, const struct conf_statement *statement,
                 const struct trust_anchor *anchor)
{
    const struct conf_node *kind = &statement->nodes[AT_KIND];
    bool has_digest = anchor->type == DNS_TYPE_DS;
    uint8_t algorithm = anchor->rdata.bytes[has_digest ? 2 : 3];
    if (conf_node_says(kind, "initial-key") || conf_node_says(kind, "initial-ds")) {
        conf_warning(loader, statement, kind,
                     "'%s' is taken as '%s': keys are not followed as RFC 5011 has it", kind->text,
                     has_digest ? "static-ds" : "static-key");
    }
    if (has_digest && anchor->rdata.bytes[3] == DIGEST_SHA1) {
        conf_warning(loader, statement, &statement->nodes[AT_DS_TYPE],
                     "a SHA-1 digest proves nothing: this trust anchor is of no use");
    }
    if (algorithm == DNSSEC_RSASHA1 || algorithm == DNSSEC_NSEC3RSASHA1) {
        conf_warning(loader, statement,
                     &statement->nodes[has_digest ? AT_DS_ALGORITHM : AT_KEY_ALGORITHM],
                     "signatures of SHA-1 prove nothing: this trust anchor is of no use");
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
    anchor->type = is_ds(&statement->nodes[AT_KIND]) ? DNS_TYPE_DS : DNS_TYPE_DNSKEY;
    if (dns_name_from_text(name, strlen(name), NULL, &anchor->zone) != SG_OK) {
        conf_error(loader, statement, &statement->nodes[0], "'%s' is not a domain name", name);
    } else if (read_rdata(loader, statement, anchor->type, &rdata) &&
               check_rdata(loader, statement, anchor->type, buffer_span(&rdata))) {
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

/* The grammar of one is wrong, and that was said. */
static bool has_broken(const struct conf_statement *first)
{
    for (const struct conf_statement *at = first; at != NULL; at = at->next) {
        if (at->row == NULL && conf_node_says(&at->nodes[0], "trust-anchors")) {
            return true;
        }
    }
    return false;
}

void conf_resolve_anchors(struct conf_loader *loader)
{
    size_t errors = loader->report->errors;
    struct trust_anchors *anchors = &loader->conf->anchors;
    size_t count = count_anchors(loader->top);
    anchors->anchors = conf_memory_take_zero(loader->memory, count + 1, sizeof(*anchors->anchors));
    for (const struct conf_statement *at = conf_next_statement(loader->top, "trust-anchors");
         at != NULL; at = conf_next_statement(at->next, "trust-anchors")) {
        for (const struct conf_statement *each = conf_body(at); each != NULL; each = each->next) {
            read_anchor(loader, each, anchors);
        }
    }
    loader->anchors_refused = loader->report->errors > errors || has_broken(loader->top);
}
