/*
 * Two properties of reading master files, chosen by the first byte of the input.
 *
 * Odd: the rest is a master file. Read through a window of a few bytes, so that every line is cut
 * off again and again, it gives the same records and the same problems as read in one piece.
 *
 * Even: the second byte chooses a type, the rest is rdata. What our own parser takes, without help
 * of ldns, ldns takes as well where it knows the form, and both make the same wire format.
 */
#include <ldns/ldns.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/rrtype.h"
#include "dns/text.h"
#include "zone/zonefile_loader.h"

enum { SMALL_WINDOW_BYTES = 5, TEXT_BYTES_MAX = 1 << 16 };

static const uint16_t types[] = {
    DNS_TYPE_A,     DNS_TYPE_AAAA,       DNS_TYPE_NS,    DNS_TYPE_MX,      DNS_TYPE_TXT,
    DNS_TYPE_SOA,   DNS_TYPE_SRV,        DNS_TYPE_DS,    DNS_TYPE_DNSKEY,  DNS_TYPE_RRSIG,
    DNS_TYPE_NSEC,  DNS_TYPE_NSEC3,      DNS_TYPE_CAA,   DNS_TYPE_TLSA,    DNS_TYPE_SSHFP,
    DNS_TYPE_NAPTR, DNS_TYPE_NSEC3PARAM, DNS_TYPE_HINFO, DNS_TYPE_RP,      DNS_TYPE_CSYNC,
    DNS_TYPE_AFSDB, DNS_TYPE_CDS,        DNS_TYPE_SPF,   DNS_TYPE_CDNSKEY, DNS_TYPE_OPENPGPKEY,
    DNS_TYPE_CNAME, DNS_TYPE_LOC,        DNS_TYPE_SVCB,  DNS_TYPE_APL,     65280,
};

static void require(bool condition, const char *what, struct span input)
{
    if (!condition) {
        fprintf(stderr, "%s: %.*s\n", what, (int)input.length, (const char *)input.bytes);
        abort();
    }
}

/* ---- windows ---- */

static enum sg_result record(void *argument, const struct dns_name *owner, uint16_t type,
                             uint32_t ttl, struct span rdata, uint32_t *out_ttl)
{
    struct buffer *records = argument;
    buffer_append(records, owner->wire, owner->length);
    buffer_append_u16(records, type);
    buffer_append_u32(records, ttl);
    buffer_append_u32(records, (uint32_t)rdata.length);
    buffer_append(records, rdata.bytes, rdata.length);
    *out_ttl = ttl;
    return SG_OK;
}

static void read_whole(struct span text, size_t window_bytes, struct buffer *out_seen)
{
    struct zonefile_report report = {0};
    struct zonefile_source source;
    struct zonefile_options options = {.path = "fuzz"};
    struct zonefile_sink sink = {.add = record, .argument = out_seen, .rrclass = DNS_CLASS_IN};
    require(dns_name_from_text("example.", 8, NULL, &sink.apex) == SG_OK, "apex", text);
    zonefile_source_from_text(&source, text, window_bytes);
    enum sg_result result = zonefile_read_source(&sink, &options, &source, &report);
    require((result == SG_OK) == (report.errors == 0), "a result without its reason", text);
    for (size_t i = 0; i < report.problems_count; i++) {
        buffer_append_u32(out_seen, report.problems[i].line);
        buffer_append_text(out_seen, report.problems[i].text);
    }
    zonefile_report_clear(&report);
}

static bool reads_other_files(struct span text)
{
    return memmem(text.bytes, text.length, "$", 1) != NULL &&
           strcasestr((const char *)text.bytes, "$include") != NULL;
}

static bool generates_much(struct span text)
{
    return strcasestr((const char *)text.bytes, "$generate") != NULL && text.length > 200;
}

static void compare_windows(struct span text)
{
    struct buffer whole = BUFFER_EMPTY;
    struct buffer pieces = BUFFER_EMPTY;
    if (reads_other_files(text) || generates_much(text)) {
        return;
    }
    read_whole(text, ZONEFILE_WINDOW_BYTES, &whole);
    read_whole(text, SMALL_WINDOW_BYTES, &pieces);
    require(whole.length == pieces.length &&
                (whole.length == 0 || memcmp(whole.bytes, pieces.bytes, whole.length) == 0),
            "a window changed what was read", text);
    buffer_free(&whole);
    buffer_free(&pieces);
}

/* ---- rdata ---- */

/* The tokens as one line, as ldns wants them. */
static bool join_tokens(struct scan *scan, struct buffer *out_line)
{
    struct scan_token token;
    enum scan_kind kind;
    while ((kind = scan_next(scan, &token)) == SCAN_WORD || kind == SCAN_QUOTED) {
        const char *quote = kind == SCAN_QUOTED ? "\"" : "";
        buffer_format(out_line, "%s%s", out_line->length > 0 ? " " : "", quote);
        buffer_append(out_line, token.text, token.length);
        buffer_append_text(out_line, quote);
    }
    return kind == SCAN_END;
}

/* By the path that zone files take for what is odd. */
static void compare_with_text(uint16_t type, const struct dns_name *origin, struct buffer *line,
                              struct span wire)
{
    struct buffer other = BUFFER_EMPTY;
    const char *error = "";
    enum sg_result result =
        dns_rdata_from_text(type, buffer_text(line), line->length, origin, &other, &error);
    if (result != SG_OK) {
        fprintf(stderr, "type %u, %s\n", type, error);
    }
    require(result == SG_OK, "the slow path refuses", buffer_span(line));
    require(other.length == wire.length && memcmp(other.bytes, wire.bytes, wire.length) == 0,
            "the slow path reads something else", buffer_span(line));
    buffer_free(&other);
}

/* "@x" begins with the origin, "\\#" begins unknown rdata in the middle of others, and type bit
 * maps end before type 32768. */
static bool ldns_has_its_own_way(struct buffer *line)
{
    const char *text = buffer_text(line);
    return strchr(text, '@') != NULL || strstr(text, "\\#") != NULL ||
           strcasestr(text, " TA") != NULL || strcasestr(text, " DLV") != NULL ||
           strcasestr(text, " TYPE") != NULL;
}

/* By ldns itself. It refuses some forms that it could take, and reads others in its own way. */
static void compare_with_ldns(uint16_t type, struct buffer *line, struct span wire)
{
    char type_text[DNS_TYPE_TEXT_BYTES];
    ldns_rr *rr = NULL;
    ldns_rdf *origin = ldns_dname_new_frm_str("example.");
    struct buffer text = BUFFER_EMPTY;
    uint8_t *theirs = NULL;
    size_t length = 0;
    buffer_format(&text, "x. 1 IN %s ", dns_type_to_text(type, type_text));
    buffer_append(&text, line->bytes, line->length);
    ldns_status status = ldns_rr_new_frm_str(&rr, buffer_text(&text), 0, origin, NULL);
    if (status == LDNS_STATUS_OK) {
        require(ldns_rr2wire(&theirs, rr, LDNS_SECTION_ANSWER, &length) == LDNS_STATUS_OK, "ldns",
                buffer_span(line));
        enum { BEFORE = 3 + 10 }; /* the owner "x.", type, class, TTL, length */
        require(length == BEFORE + wire.length &&
                    memcmp(theirs + BEFORE, wire.bytes, wire.length) == 0,
                "ldns reads something else", buffer_span(line));
        free(theirs);
    }
    ldns_rr_free(rr);
    ldns_rdf_deep_free(origin);
    buffer_free(&text);
}

static void compare_rdata(uint16_t type, struct span text)
{
    static struct zonefile_rdata *rdata; /* as a load keeps it, from line to line */
    struct dns_name origin;
    struct span wire;
    if (rdata == NULL) {
        rdata = zonefile_rdata_new();
    }
    require(dns_name_from_text("example.", 8, NULL, &origin) == SG_OK, "origin", text);
    struct scan begin = {
        .at = text.bytes, .end = text.bytes + text.length, .final = true, .line = 1};
    struct scan scan = begin;
    enum sg_result result = zonefile_rdata_read(rdata, &scan, &origin, type, &wire);
    require(result == SG_OK || rdata->problem[0] != 0, "refused without a reason", text);
    if (result != SG_OK) {
        return;
    }
    require(dns_rdata_check(type, wire) == SG_OK, "rdata that does not fit its type", text);
    struct buffer line = BUFFER_EMPTY;
    scan = begin;
    if (!rdata->odd && join_tokens(&scan, &line)) {
        compare_with_text(type, &origin, &line, wire);
        if (!ldns_has_its_own_way(&line)) {
            compare_with_ldns(type, &line, wire);
        }
    }
    buffer_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 2 || length > TEXT_BYTES_MAX) {
        return 0;
    }
    /* A copy with the slack that a window has. */
    uint8_t *text = calloc(1, length - 1 + SCAN_SLACK_BYTES);
    memcpy(text, bytes + 1, length - 1);
    if (bytes[0] % 2 == 1) {
        compare_windows((struct span){text, length - 1});
    } else {
        uint16_t type = types[text[0] % ARRAY_LEN(types)];
        compare_rdata(type, (struct span){text + 1, length - 2});
    }
    free(text);
    return 0;
}
