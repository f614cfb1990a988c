#include <stdarg.h>
#include <stdio.h>

#include "dns/rrtype.h"
#include "zone/zonefile_loader.h"
#include "zone/zonefile_words.h"

enum { LINE_PROBLEM_BYTES = 1500, TOKEN_SHOWN_BYTES = 60 };

bool zonefile_ttl_is_valid(uint32_t ttl)
{
    return ttl <= INT32_MAX;
}

void zonefile_refuse_line(struct zonefile_loader *loader, struct scan *scan, const char *format,
                          ...)
{
    char text[LINE_PROBLEM_BYTES];
    unsigned line = scan->line;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    /* What looks wrong may only be cut off: wait until the line is whole. */
    scan_skip_line(scan);
    if (scan->starved) {
        return;
    }
    zonefile_report_add(loader->report, ZONEFILE_ERROR, zonefile_present_file(loader)->path, line,
                        "%s", text);
    scan_consume_end(scan);
}

void zonefile_warn_line(struct zonefile_loader *loader, const struct scan *scan, const char *format,
                        ...)
{
    char text[LINE_PROBLEM_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    zonefile_report_add(loader->report, ZONEFILE_WARNING, zonefile_present_file(loader)->path,
                        scan->line, "%s", text);
}

static int shown(const struct scan_token *token)
{
    return (int)(token->length < TOKEN_SHOWN_BYTES ? token->length : TOKEN_SHOWN_BYTES);
}

static bool refuse_token(struct zonefile_loader *loader, struct scan *scan, const char *problem,
                         const struct scan_token *token)
{
    zonefile_refuse_line(loader, scan, "%s '%.*s'", problem, shown(token),
                         (const char *)token->text);
    return false;
}

bool zonefile_line_is_whole(struct zonefile_loader *loader, struct scan *scan)
{
    struct scan_token token;
    switch (scan_next(scan, &token)) {
    case SCAN_WORD:
    case SCAN_QUOTED:
        return refuse_token(loader, scan, "extra input text near", &token);
    case SCAN_BROKEN:
        zonefile_refuse_line(loader, scan, "%s", scan->problem);
        return false;
    case SCAN_END:
        return !scan->starved;
    }
    UNREACHABLE();
}

/* ---- owner ---- */

bool zonefile_set_owner(struct zonefile_loader *loader, struct scan *scan,
                        const struct scan_token *token)
{
    struct zonefile_owner *owner = &loader->owner;
    if (token->kind == SCAN_WORD && token->length == owner->text_length &&
        memcmp(token->text, owner->text, token->length) == 0) {
        return true; /* The records of a name mostly follow each other. */
    }
    const struct zonefile_file *file = zonefile_present_file(loader);
    owner->text_length = 0;
    owner->state = OWNER_NONE;
    owner->reported = false;
    owner->type = 0;
    const char *problem = zonefile_owner_name(token, &file->origin_lower, &owner->name);
    if (problem != NULL) {
        zonefile_refuse_line(loader, scan, "owner name '%.*s': %s", shown(token),
                             (const char *)token->text, problem);
        return false;
    }
    /* A relative name is below its origin, which mostly is the apex. */
    bool in_zone = (file->origin_in_zone && token->text[token->length - 1] != '.') ||
                   dns_name_is_at_or_below(&owner->name, &loader->sink->apex);
    owner->state = in_zone ? OWNER_IN_ZONE : OWNER_OUTSIDE;
    if (token->length <= OWNER_TEXT_BYTES) {
        owner->text_length = (uint8_t)token->length;
        memcpy(owner->text, token->text, token->length);
    }
    return true;
}

/* BIND ignores such data, however it goes on. */
static void ignore_outside(struct zonefile_loader *loader, struct scan *scan)
{
    scan_skip_line(scan);
    if (scan->starved) {
        return;
    }
    if (!loader->owner.reported) {
        char name[DNS_NAME_TEXT_BYTES];
        zonefile_warn_line(loader, scan, "ignoring out-of-zone data (%s)",
                           dns_name_to_text_short(&loader->owner.name, name));
        loader->owner.reported = true;
    }
    scan_consume_end(scan);
}

/* ---- TTL, class, type ---- */

static bool is_class_in(const struct scan_token *token)
{
    return token->length == 2 && dns_lower[token->text[0]] == 'i' &&
           dns_lower[token->text[1]] == 'n';
}

/* Is it a class? Then it must be the zone's. */
static bool read_class(struct zonefile_loader *loader, struct scan *scan,
                       const struct scan_token *token, bool *out_refused)
{
    uint16_t rrclass = DNS_CLASS_IN;
    *out_refused = false;
    if (!is_class_in(token) &&
        dns_class_from_text((const char *)token->text, token->length, &rrclass) != SG_OK) {
        return false;
    }
    if (rrclass != loader->sink->rrclass) {
        char wanted[DNS_TYPE_TEXT_BYTES];
        zonefile_refuse_line(loader, scan, "class '%.*s' is not the zone's class '%s'",
                             shown(token), (const char *)token->text,
                             dns_class_to_text(loader->sink->rrclass, wanted));
        *out_refused = true;
    }
    return true;
}

static bool read_ttl(struct zonefile_loader *loader, struct scan *scan,
                     const struct scan_token *token, uint32_t *out_ttl)
{
    enum sg_result result = zonefile_period(token, out_ttl);
    return result == SG_OK ||
           refuse_token(loader, scan,
                        result == SG_LIMIT ? "TTL out of range:" : "not a valid TTL:", token);
}

/* A word that is neither TTL nor class. */
static bool is_type(const struct scan_token *token, uint16_t *out_type)
{
    return token->kind == SCAN_WORD && !token->escaped && zonefile_type(token, out_type) == SG_OK;
}

bool zonefile_read_type(struct zonefile_loader *loader, struct scan *scan,
                        struct zonefile_record *out_record)
{
    uint32_t ttl = 0;
    bool ttl_given = false;
    bool class_given = false;
    uint16_t type;
    struct scan_token token;
    /* Each turn takes one of TTL, class and type; the type is the last. */
    for (unsigned turn = 0; turn < 3; turn++) {
        enum scan_kind kind = scan_next(scan, &token);
        if (kind == SCAN_BROKEN) {
            zonefile_refuse_line(loader, scan, "%s", scan->problem);
            return false;
        }
        if (kind == SCAN_END) {
            zonefile_refuse_line(loader, scan, "unexpected end of line");
            return false;
        }
        bool digits = kind == SCAN_WORD && (scan_chars[token.text[0]] & SCAN_CHAR_DIGIT) != 0;
        bool is_ttl = digits && !ttl_given;
        if (is_ttl && !read_ttl(loader, scan, &token, &ttl)) {
            return false;
        }
        if (is_ttl) {
            ttl_given = true;
            continue;
        }
        if (is_type(&token, &type)) {
            out_record->type = type;
            out_record->ttl_given = ttl_given;
            out_record->ttl = ttl;
            return true;
        }
        bool refused;
        if (class_given || !read_class(loader, scan, &token, &refused)) {
            break;
        }
        if (refused) {
            return false;
        }
        class_given = true;
    }
    return refuse_token(loader, scan, "unknown RR type", &token);
}

/* ---- the record ---- */

/* The TTL of a record that has none of its own, by BIND's rules (RFC 1035 5.1, RFC 2308 4). */
static bool missing_ttl(struct zonefile_loader *loader, struct scan *scan, uint16_t type,
                        struct span rdata, uint32_t *out_ttl)
{
    struct zonefile_ttl *ttl = &loader->ttl;
    if (ttl->default_known) {
        *out_ttl = ttl->standard;
        return true;
    }
    if (ttl->known) {
        *out_ttl = ttl->last;
        if (!ttl->rfc1035_reported) {
            ttl->rfc1035_reported = true;
            zonefile_warn_line(loader, scan,
                               "no TTL specified and no $TTL; using the previous record's TTL");
        }
        return true;
    }
    if (type == DNS_TYPE_SOA) {
        uint32_t minimum = wire_get_u32(rdata.bytes + rdata.length - 4);
        ttl->standard = zonefile_ttl_is_valid(minimum) ? minimum : 0;
        ttl->default_known = true;
        *out_ttl = ttl->standard;
        zonefile_warn_line(loader, scan, "no TTL specified; using the SOA's minimum instead");
        return true;
    }
    zonefile_refuse_line(loader, scan, "no TTL specified");
    return false;
}

/* Where the zone is signed here these have the TTL that the policy gives them (dnskey-ttl), which
 * its max-zone-ttl does not bound: a file that was written with them can be read again. */
static bool is_bounded(const struct zonefile_loader *loader, uint16_t type)
{
    bool is_signers = type == DNS_TYPE_DNSKEY || type == DNS_TYPE_CDS || type == DNS_TYPE_CDNSKEY;
    return loader->options->ttl_max != 0 && !(is_signers && loader->options->strip_generated);
}

/* The TTL that holds for the record. False: the line was refused. */
static bool settle_ttl(struct zonefile_loader *loader, struct scan *scan,
                       const struct zonefile_record *record, struct span rdata, uint32_t *out_ttl)
{
    uint32_t ttl = record->ttl;
    if (!record->ttl_given) {
        if (!missing_ttl(loader, scan, record->type, rdata, &ttl)) {
            return false;
        }
    } else if (!zonefile_ttl_is_valid(ttl)) {
        zonefile_warn_line(loader, scan, "TTL %u is larger than 2147483647, taken as 0", ttl);
        ttl = 0;
    }
    loader->ttl.last = ttl;
    loader->ttl.known = true;
    uint32_t ttl_max = loader->options->ttl_max;
    if (is_bounded(loader, record->type) && ttl > ttl_max) {
        zonefile_refuse_line(loader, scan, "TTL %u exceeds configured max-zone-ttl %u", ttl,
                             ttl_max);
        return false;
    }
    *out_ttl = ttl;
    return true;
}

static bool add_record(struct zonefile_loader *loader, struct scan *scan, uint16_t type,
                       uint32_t ttl, struct span rdata)
{
    struct zonefile_owner *owner = &loader->owner;
    const struct zonefile_sink *sink = loader->sink;
    uint32_t standing = ttl;
    if (sink->place != NULL) {
        *sink->place = (struct zonefile_place){zonefile_present_file(loader)->path, scan->line};
    }
    enum sg_result result = sink->add(sink->argument, &owner->name, type, ttl, rdata, &standing);
    if (result == SG_LIMIT) {
        zonefile_refuse_line(loader, scan, "too many records at one name");
        return false;
    }
    if (result != SG_OK && result != SG_EXISTS) {
        zonefile_refuse_line(loader, scan, "record not taken: %s", sg_result_text(result));
        return false;
    }
    loader->report->records += result == SG_OK;
    bool differs = owner->type == type && owner->ttl != ttl;
    owner->type = type;
    owner->ttl = ttl;
    /* RRSIGs of one name go by the TTLs of what they cover (RFC 4034 3). */
    if (result == SG_OK && (differs || standing != ttl) && type != DNS_TYPE_RRSIG) {
        owner->ttl = standing;
        zonefile_warn_line(loader, scan, "TTLs of one RRset differ; set to the lowest, %u",
                           standing);
    }
    return true;
}

static bool is_stripped(const struct zonefile_loader *loader, uint16_t type)
{
    return loader->options->strip_generated &&
           (dns_type_is_generated(type) ||
            (loader->options->private_type != 0 && type == loader->options->private_type));
}

/* A record that will be made anew. Read no further than needed to pass it by. */
static bool strip(struct zonefile_loader *loader, struct scan *scan, uint16_t type)
{
    unsigned line = scan->line;
    char text[DNS_TYPE_TEXT_BYTES];
    scan_skip_line(scan);
    if (scan->starved) {
        return true;
    }
    if (loader->report->stripped++ == 0) { /* One word for all: a zone that came signed has many. */
        zonefile_report_add(loader->report, ZONEFILE_WARNING, zonefile_present_file(loader)->path,
                            line,
                            "%s is left out, as is all that follows of what a signer makes: the "
                            "zone is signed here",
                            dns_type_to_text(type, text));
    }
    scan_consume_end(scan);
    return true;
}

static bool refuse_type(struct zonefile_loader *loader, struct scan *scan, uint16_t type,
                        const char *problem)
{
    char text[DNS_TYPE_TEXT_BYTES];
    zonefile_refuse_line(loader, scan, "%s %s", dns_type_to_text(type, text), problem);
    return false;
}

bool zonefile_read_rdata(struct zonefile_loader *loader, struct scan *scan,
                         const struct zonefile_record *record)
{
    if (is_stripped(loader, record->type)) {
        return strip(loader, scan, record->type);
    }
    if (dns_type_is_meta(record->type)) {
        return refuse_type(loader, scan, record->type, "is not a type of zone data");
    }
    if (!dns_class_has_type(loader->sink->rrclass, record->type)) {
        return refuse_type(loader, scan, record->type, "is not a type of the zone's class");
    }
    struct span rdata;
    if (zonefile_rdata_read(loader->rdata, scan, &zonefile_present_file(loader)->origin,
                            record->type, &rdata) != SG_OK) {
        zonefile_refuse_line(loader, scan, "%s", loader->rdata->problem);
        return false;
    }
    if (scan->starved) {
        return false;
    }
    if (record->type == DNS_TYPE_SOA && !dns_name_equal(&loader->owner.name, &loader->sink->apex)) {
        return refuse_type(loader, scan, record->type, "record not at top of zone");
    }
    uint32_t ttl;
    if (!settle_ttl(loader, scan, record, rdata, &ttl) ||
        !add_record(loader, scan, record->type, ttl, rdata)) {
        return false;
    }
    scan_consume_end(scan);
    return true;
}

/* The line has an owner name, its own or its predecessor's. */
static void read_record(struct zonefile_loader *loader, struct scan *scan)
{
    struct zonefile_record record;
    if (loader->owner.state == OWNER_NONE) {
        zonefile_refuse_line(loader, scan, "no owner name");
    } else if (loader->owner.state == OWNER_OUTSIDE) {
        ignore_outside(loader, scan);
    } else if (zonefile_read_type(loader, scan, &record)) {
        (void)zonefile_read_rdata(loader, scan, &record);
    }
}

void zonefile_read_line(struct zonefile_loader *loader, struct scan *scan)
{
    bool inherits = (scan_chars[*scan->at] & SCAN_CHAR_BLANK) != 0;
    struct scan_mark begin = scan_mark(scan);
    struct scan_token token;
    enum scan_kind kind = scan_next(scan, &token);
    if (kind == SCAN_END) {
        if (!scan->starved) {
            scan_consume_end(scan);
        }
        return;
    }
    if (kind == SCAN_BROKEN) {
        zonefile_refuse_line(loader, scan, "%s", scan->problem);
        return;
    }
    if (inherits) {
        scan_return(scan, begin); /* The token is not the owner. */
        read_record(loader, scan);
    } else if (kind == SCAN_WORD && token.text[0] == '$') {
        zonefile_read_directive(loader, scan, &token);
    } else if (zonefile_set_owner(loader, scan, &token)) {
        read_record(loader, scan);
    }
}
