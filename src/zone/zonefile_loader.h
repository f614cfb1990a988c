/*
 * zone/zonefile_loader.h - the state of one load. Private to zonefile.
 *
 * zonefile.c opens and closes files and hands out lines; zonefile_record.c reads a line;
 * zonefile_directives.c and zonefile_generate.c the lines that begin with '$'. A line is read again
 * when its window was too small, so it changes the loader only once its end has been seen: see
 * zonefile_line_is_whole().
 */
#pragma once

#include "zone/zonefile.h"
#include "zone/zonefile_rdata.h"
#include "zone/zonefile_source.h"

enum { OWNER_TEXT_BYTES = 64 };

enum owner_state { OWNER_NONE, OWNER_IN_ZONE, OWNER_OUTSIDE };

/* The last owner name, which a line that begins with a blank inherits. */
struct zonefile_owner {
    struct dns_name name; /* lower case */
    enum owner_state state;
    bool reported;       /* that it is outside */
    uint8_t text_length; /* the word it came from, or 0: lines of one owner follow each other */
    uint8_t text[OWNER_TEXT_BYTES];
    uint16_t type; /* of its last record, 0: none yet */
    uint32_t ttl;
};

struct zonefile_file {
    struct zonefile_source source;
    char *path;
    struct dns_name origin;
    struct dns_name origin_lower;
    bool origin_in_zone;
    struct zonefile_owner includer_owner; /* what holds again when this file ends */
};

struct zonefile_ttl {
    bool known;         /* some record had one: RFC 1035's default for the next */
    bool default_known; /* $TTL (RFC 2308 4), or the first SOA's minimum */
    bool rfc1035_reported;
    uint32_t last;
    uint32_t standard; /* the default */
};

/* Where the record at hand stands. */
struct zonefile_place {
    const char *file; /* borrowed from the loader, while the record is added */
    unsigned line;
};

/* Where records go, with the contract of zone_edit_add_record(): an edit, or what a test or a
 * benchmark puts in its place. */
struct zonefile_sink {
    enum sg_result (*add)(void *argument, const struct dns_name *owner, uint16_t type, uint32_t ttl,
                          struct span rdata, uint32_t *out_ttl);
    void *argument;
    struct dns_name apex;
    uint16_t rrclass;
    struct zonefile_place *place; /* kept up to date for `add`; NULL: not wanted */
};

struct zonefile_loader {
    const struct zonefile_sink *sink;
    const struct zonefile_options *options;
    struct zonefile_report *report;
    struct zonefile_ttl ttl;
    struct zonefile_owner owner;
    struct zonefile_rdata *rdata;
    struct zonefile_file files[ZONEFILE_INCLUDE_DEPTH_MAX + 1];
    unsigned depth; /* files open */
};

static inline struct zonefile_file *zonefile_present_file(struct zonefile_loader *loader)
{
    return &loader->files[loader->depth - 1];
}

/* Open a file on top of the present one. Reports what fails at `line` of the present one. */
void zonefile_include(struct zonefile_loader *loader, const char *path,
                      const struct dns_name *origin, unsigned line);
void zonefile_set_origin(struct zonefile_loader *loader, const struct dns_name *origin);
/* Say what is wrong with the line at hand and skip the rest of it. */
void zonefile_refuse_line(struct zonefile_loader *loader, struct scan *scan, const char *format,
                          ...) PRINTF_LIKE(3, 4);
/* The same for what only deserves a warning; the line is not skipped, and must be whole. */
void zonefile_warn_line(struct zonefile_loader *loader, const struct scan *scan, const char *format,
                        ...) PRINTF_LIKE(3, 4);
/* Is this the line's end, seen unstarved? Otherwise refuses it. */
bool zonefile_line_is_whole(struct zonefile_loader *loader, struct scan *scan);

/* One logical line: a record, a directive or nothing. */
void zonefile_read_line(struct zonefile_loader *loader, struct scan *scan);
/* `token` is the word with the '$'. */
void zonefile_read_directive(struct zonefile_loader *loader, struct scan *scan,
                             const struct scan_token *token);
void zonefile_read_generate(struct zonefile_loader *loader, struct scan *scan);

/* The parts of a record's line, for $GENERATE. Each false: the line was refused. */
struct zonefile_record {
    uint16_t type;
    bool ttl_given;
    uint32_t ttl;
};
bool zonefile_set_owner(struct zonefile_loader *loader, struct scan *scan,
                        const struct scan_token *token);
/* TTL and class in either order, both optional, and the type. */
bool zonefile_read_type(struct zonefile_loader *loader, struct scan *scan,
                        struct zonefile_record *out_record);
/* The rdata, up to the end of the line; then the record is added. */
bool zonefile_read_rdata(struct zonefile_loader *loader, struct scan *scan,
                         const struct zonefile_record *record);
/* RFC 2181 8: the most significant bit of a TTL is zero; BIND takes 0 for a larger one. */
bool zonefile_ttl_is_valid(uint32_t ttl);

/* Read a source that is open, and all that it includes. As zonefile_load(). Takes the source. */
MUST_USE enum sg_result zonefile_read_source(const struct zonefile_sink *sink,
                                             const struct zonefile_options *options,
                                             const struct zonefile_source *source,
                                             struct zonefile_report *report);
