/*
 * zone/zonefile.h - master files (RFC 1035 5) into an edit
 *
 * $ORIGIN $TTL $INCLUDE $GENERATE, parentheses, escapes, quoted strings, BIND's time units, RFC
 * 3597. Common types go by a parser of our own, all others and every odd form through ldns
 * (dns/text.h); the two agree on everything, and a differential fuzz test holds them to it.
 * A worker's job: blocks on the disk, O(file).
 */
#pragma once

#include "zone/edit.h"

enum { ZONEFILE_INCLUDE_DEPTH_MAX = 10, ZONEFILE_PROBLEMS_MAX = 100 };

struct zonefile_options {
    const char *path;
    const char *directory; /* what relative paths of $INCLUDE start from; NULL: the process's */
    bool strip_generated;  /* the zone will be signed here: RRSIG, NSEC, NSEC3, NSEC3PARAM and
                              private-type records are left out, counted in the report */
    uint16_t private_type; /* sig-signing-type; 0: none */
    uint32_t ttl_max;      /* of policy or zone option max-zone-ttl; 0: no limit */
};

enum zonefile_severity { ZONEFILE_ERROR, ZONEFILE_WARNING };

/* What is wrong and where. `text` is owned by the report. */
struct zonefile_problem {
    enum zonefile_severity severity;
    char *file; /* NULL: no file, the zone as a whole */
    unsigned line;
    char *text;
};

struct zonefile_report {
    struct zonefile_problem problems[ZONEFILE_PROBLEMS_MAX];
    size_t problems_count;
    size_t errors; /* also those beyond the list */
    size_t warnings;
    size_t records;
    size_t stripped;
    char **files; /* every file read, for `zonestatus` and for telling whether one changed */
    size_t files_count;
};
void zonefile_report_clear(struct zonefile_report *report);
/* Append one problem: "file:line: text" is how it is printed. Takes nothing. */
void zonefile_report_add(struct zonefile_report *report, enum zonefile_severity severity,
                         const char *file, unsigned line, const char *format, ...)
    PRINTF_LIKE(5, 6);

/*
 * Read the file into `edit`, which is new. SG_OK; SG_NOT_FOUND, SG_DENIED, SG_IO for the file
 * itself; SG_MALFORMED when there was any error (it reads on, to report as many as it can). The
 * report is filled in all cases and is the caller's to clear.
 */
MUST_USE enum sg_result zonefile_load(struct zone_edit *edit,
                                      const struct zonefile_options *options,
                                      struct zonefile_report *report);
/* The same from memory; `options->path` names it in problems. For tests and the fuzz target. */
MUST_USE enum sg_result zonefile_load_text(struct zone_edit *edit,
                                           const struct zonefile_options *options, struct span text,
                                           struct zonefile_report *report);

/* Write a view of a version as a master file, in canonical order: a record a line, whole in itself,
 * for programs. */
void zonefile_write(const struct zone_version *version, enum zone_view view,
                    struct buffer *out_text);
/* The same zone as people write one: $ORIGIN, $TTL, relative owner names, each once. */
void zonefile_write_readable(const struct zone_version *version, enum zone_view view,
                             struct buffer *out_text);
