#include "zone/zonefile_rdata.h"

#include <stdio.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "zone/zonefile_fields.h"
#include "zone/zonefile_words.h"

enum { FIELDS_MAX = 10, TYPES_IN_TABLE = 260 };

/* clang-format off */
static const uint8_t type_fields[TYPES_IN_TABLE][FIELDS_MAX] = {
    [DNS_TYPE_A] = {FIELD_IPV4},
    [DNS_TYPE_AAAA] = {FIELD_IPV6},
    [DNS_TYPE_NS] = {FIELD_NAME},
    [DNS_TYPE_CNAME] = {FIELD_NAME},
    [DNS_TYPE_DNAME] = {FIELD_NAME},
    [DNS_TYPE_PTR] = {FIELD_NAME},
    [DNS_TYPE_MX] = {FIELD_U16, FIELD_NAME},
    [DNS_TYPE_AFSDB] = {FIELD_U16, FIELD_NAME},
    [DNS_TYPE_KX] = {FIELD_U16, FIELD_NAME},
    [DNS_TYPE_RP] = {FIELD_NAME, FIELD_NAME},
    [DNS_TYPE_SRV] = {FIELD_U16, FIELD_U16, FIELD_U16, FIELD_NAME},
    [DNS_TYPE_NAPTR] = {FIELD_U16, FIELD_U16, FIELD_STRING, FIELD_STRING, FIELD_STRING, FIELD_NAME},
    [DNS_TYPE_SOA] = {FIELD_NAME, FIELD_NAME, FIELD_U32, FIELD_PERIOD, FIELD_PERIOD, FIELD_PERIOD,
                      FIELD_PERIOD},
    [DNS_TYPE_TXT] = {FIELD_STRINGS},
    [DNS_TYPE_SPF] = {FIELD_STRINGS},
    [DNS_TYPE_HINFO] = {FIELD_STRING, FIELD_STRING},
    [DNS_TYPE_CAA] = {FIELD_U8, FIELD_TAG, FIELD_LONG_STRING},
    [DNS_TYPE_TLSA] = {FIELD_U8, FIELD_U8, FIELD_U8, FIELD_HEX},
    [DNS_TYPE_SSHFP] = {FIELD_U8, FIELD_U8, FIELD_HEX},
    [DNS_TYPE_DS] = {FIELD_U16, FIELD_U8, FIELD_U8, FIELD_HEX},
    [DNS_TYPE_CDS] = {FIELD_U16, FIELD_U8, FIELD_U8, FIELD_HEX},
    [DNS_TYPE_DNSKEY] = {FIELD_U16, FIELD_U8, FIELD_U8, FIELD_BASE64},
    [DNS_TYPE_CDNSKEY] = {FIELD_U16, FIELD_U8, FIELD_U8, FIELD_BASE64},
    [DNS_TYPE_RRSIG] = {FIELD_TYPE, FIELD_U8, FIELD_U8, FIELD_U32, FIELD_TIME, FIELD_TIME,
                        FIELD_U16, FIELD_NAME, FIELD_BASE64},
    [DNS_TYPE_NSEC] = {FIELD_NAME, FIELD_BITMAP},
    [DNS_TYPE_NSEC3] = {FIELD_U8, FIELD_U8, FIELD_U16, FIELD_SALT, FIELD_HASH, FIELD_BITMAP},
    [DNS_TYPE_NSEC3PARAM] = {FIELD_U8, FIELD_U8, FIELD_U16, FIELD_SALT},
    [DNS_TYPE_CSYNC] = {FIELD_U32, FIELD_U16, FIELD_BITMAP},
    [DNS_TYPE_OPENPGPKEY] = {FIELD_BASE64},
};
/* clang-format on */

const uint8_t *zonefile_type_fields(uint16_t type)
{
    return type_fields[type < TYPES_IN_TABLE ? type : 0];
}

struct zonefile_rdata *zonefile_rdata_new(void)
{
    return mem_alloc_zero(1, sizeof(struct zonefile_rdata));
}

void zonefile_rdata_free(struct zonefile_rdata *rdata)
{
    if (rdata != NULL) {
        buffer_free(&rdata->slow);
        buffer_free(&rdata->slow_text);
        mem_free(rdata);
    }
}

static enum sg_result refuse(struct zonefile_rdata *rdata, const char *problem)
{
    snprintf(rdata->problem, sizeof(rdata->problem), "%s", problem);
    return SG_MALFORMED;
}

static enum sg_result refuse_misfit(struct zonefile_rdata *rdata, uint16_t type)
{
    char name[DNS_TYPE_TEXT_BYTES];
    bool digest = type == DNS_TYPE_DS || type == DNS_TYPE_CDS || type == DNS_TYPE_SSHFP ||
                  type == DNS_TYPE_ZONEMD;
    snprintf(rdata->problem, sizeof(rdata->problem), "%s rdata %s", dns_type_to_text(type, name),
             digest ? "whose digest is too short or too long" : "that does not fit its type");
    return SG_MALFORMED;
}

/* RFC 3597 5, behind the "\#": a length and hexadecimal words. */
static enum sg_result read_generic(struct zonefile_rdata *rdata, uint16_t type)
{
    struct scan_token token;
    uint32_t length;
    if (scan_next(rdata->scan, &token) != SCAN_WORD ||
        zonefile_number(&token, DNS_RDATA_BYTES_MAX, &length) != SG_OK) {
        return refuse(rdata, "\\# is not followed by a length");
    }
    buffer_clear(&rdata->slow_text);
    buffer_clear(&rdata->slow);
    enum scan_kind kind;
    while ((kind = scan_next(rdata->scan, &token)) == SCAN_WORD) {
        buffer_append(&rdata->slow_text, token.text, token.length);
    }
    if (kind == SCAN_BROKEN) {
        return refuse(rdata, rdata->scan->problem);
    }
    if (kind != SCAN_END || hex_decode(buffer_span(&rdata->slow_text), &rdata->slow) != SG_OK) {
        return refuse(rdata, "\\# is followed by something that is not hexadecimal");
    }
    if (rdata->slow.length != length) {
        return refuse(rdata, "\\# and the length do not fit together");
    }
    return dns_rdata_check(type, buffer_span(&rdata->slow)) == SG_OK ? SG_OK
                                                                     : refuse_misfit(rdata, type);
}

/* `before` is where the last word ended: a quote right behind it belongs to the same field, as in
 * alpn="h2" (RFC 9460 2.1). */
static void append_token(struct buffer *text, const struct scan_token *token, const uint8_t *before)
{
    bool is_quoted = token->kind == SCAN_QUOTED;
    const char *quote = is_quoted ? "\"" : "";
    bool joined = text->length == 0 || (is_quoted && token->text - 1 == before);
    buffer_append_text(text, joined ? "" : " ");
    buffer_append_text(text, quote);
    buffer_append(text, token->text, token->length);
    buffer_append_text(text, quote);
}

/* As one logical line through ldns. */
static enum sg_result read_by_ldns(struct zonefile_rdata *rdata, uint16_t type)
{
    struct scan_token token;
    enum scan_kind kind;
    const uint8_t *before = NULL;
    buffer_clear(&rdata->slow_text);
    buffer_clear(&rdata->slow);
    while ((kind = scan_next(rdata->scan, &token)) == SCAN_WORD || kind == SCAN_QUOTED) {
        append_token(&rdata->slow_text, &token, before);
        before = kind == SCAN_WORD ? token.text + token.length : NULL;
    }
    if (kind == SCAN_BROKEN) {
        return refuse(rdata, rdata->scan->problem);
    }
    if (rdata->scan->starved) {
        return SG_MALFORMED;
    }
    if (rdata->slow_text.length == 0) {
        return refuse(rdata, "unexpected end of line");
    }
    const char *error = "bad rdata";
    if (dns_rdata_from_text(type, buffer_text(&rdata->slow_text), rdata->slow_text.length,
                            rdata->origin, &rdata->slow, &error) != SG_OK) {
        char name[DNS_TYPE_TEXT_BYTES];
        snprintf(rdata->problem, sizeof(rdata->problem), "%s rdata '%.100s': %s",
                 dns_type_to_text(type, name), buffer_text(&rdata->slow_text), error);
        return SG_MALFORMED;
    }
    return SG_OK;
}

/* Types without a row, RFC 3597's form, and what is odd. */
static enum sg_result read_slowly(struct zonefile_rdata *rdata, uint16_t type)
{
    struct scan_mark begin = scan_mark(rdata->scan);
    struct scan_token token;
    if (scan_next(rdata->scan, &token) == SCAN_WORD && token.length == 2 &&
        memcmp(token.text, "\\#", 2) == 0) {
        return read_generic(rdata, type);
    }
    scan_return(rdata->scan, begin);
    return read_by_ldns(rdata, type);
}

/* Types for which rdata that has the fields needs no further look (dns_rdata_check()). */
static bool is_plain(uint16_t type)
{
    const uint64_t plain = UINT64_C(1) << DNS_TYPE_A | UINT64_C(1) << DNS_TYPE_NS |
                           UINT64_C(1) << DNS_TYPE_CNAME | UINT64_C(1) << DNS_TYPE_SOA |
                           UINT64_C(1) << DNS_TYPE_PTR | UINT64_C(1) << DNS_TYPE_MX |
                           UINT64_C(1) << DNS_TYPE_TXT | UINT64_C(1) << DNS_TYPE_AAAA |
                           UINT64_C(1) << DNS_TYPE_SRV | UINT64_C(1) << DNS_TYPE_DNAME;
    return type < 64 && (plain >> type & 1) != 0;
}

enum sg_result zonefile_rdata_read(struct zonefile_rdata *rdata, struct scan *scan,
                                   const struct dns_name *origin, uint16_t type,
                                   struct span *out_wire)
{
    const uint8_t *fields = zonefile_type_fields(type);
    struct scan_mark begin = scan_mark(scan);
    rdata->scan = scan;
    rdata->origin = origin;
    rdata->out = writer_of(rdata->bytes, sizeof(rdata->bytes));
    rdata->odd = fields[0] == FIELD_END;
    rdata->problem[0] = 0;

    bool good = !rdata->odd && zonefile_fields_read(rdata, fields);
    if (rdata->odd) {
        scan_return(scan, begin);
        enum sg_result result = read_slowly(rdata, type);
        if (result == SG_OK) {
            *out_wire = buffer_span(&rdata->slow);
        }
        return result;
    }
    if (rdata->out.failed) {
        return refuse(rdata, "rdata longer than 65535 bytes");
    }
    if (!good) {
        return SG_MALFORMED;
    }
    struct span wire = {rdata->bytes, writer_length(&rdata->out)};
    if (!is_plain(type) && dns_rdata_check(type, wire) != SG_OK) {
        return refuse_misfit(rdata, type);
    }
    *out_wire = wire;
    return SG_OK;
}
