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

/*
 * The record that a problem of the whole zone speaks of. Zone data keeps no line numbers, so its
 * line is looked for when it is wanted: zonefile_locate().
 */
enum zonefile_which {
    ZONEFILE_FIRST,
    ZONEFILE_SECOND,       /* the first that stands beside another of its type */
    ZONEFILE_BESIDE_CNAME, /* the first by which its owner has a CNAME and other data */
};
struct zonefile_subject {
    const struct dns_name *owner;
    uint16_t type; /* 0: any */
    enum zonefile_which which;
    struct span rdata; /* without bytes: any */
};

/* What is wrong and where. `text` and `subject` are owned by the report. */
struct zonefile_problem {
    enum zonefile_severity severity;
    char *file; /* NULL: no file, the zone as a whole */
    unsigned line;
    char *text;
    struct zonefile_subject *subject; /* NULL: no record, or its line is known */
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
/* The same for a record whose line is not known. Copies the subject. */
void zonefile_report_add_about(struct zonefile_report *report, enum zonefile_severity severity,
                               const struct zonefile_subject *subject, const char *text);

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

/*
 * Give the problems that have a subject the file and the line of it, by reading the file, and what
 * it includes, once more. For a report that zonefile_load() began, with the same options, and that
 * a check of the whole zone went on with. Problems stay as they are whose record is no longer
 * found, and all do if one of the files is none that can be read twice, such as a pipe. O(file).
 */
void zonefile_locate(const struct dns_name *apex, uint16_t rrclass,
                     const struct zonefile_options *options, struct zonefile_report *report);
/* The same for a text in memory. */
void zonefile_locate_text(const struct dns_name *apex, uint16_t rrclass,
                          const struct zonefile_options *options, struct span text,
                          struct zonefile_report *report);

/* Write a view of a version as a master file, in canonical order: a record a line, whole in itself,
 * for programs. */
void zonefile_write(const struct zone_version *version, enum zone_view view,
                    struct buffer *out_text);
/* The same zone as people write one: $ORIGIN, $TTL, relative owner names, each once. */
void zonefile_write_readable(const struct zone_version *version, enum zone_view view,
                             struct buffer *out_text);
