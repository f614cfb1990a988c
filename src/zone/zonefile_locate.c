/*
 * Where does a record stand? Asked only once a zone has failed, so that the zone data need not
 * carry a line number for each of its records.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "zone/zonefile_loader.h"

/* What of a subject's owner has been seen so far. */
struct seen {
    bool record; /* one of the type, for ZONEFILE_SECOND */
    bool cname;
    bool other; /* than a CNAME and what may stand beside it */
};

struct search {
    struct zonefile_report *report; /* whose problems are to be located */
    struct zonefile_place place;    /* of the record at hand */
    struct seen seen[ZONEFILE_PROBLEMS_MAX];
};

/* Is this record of the subject's owner the one that is looked for? */
static bool completes(const struct zonefile_subject *subject, uint16_t type, struct seen *seen)
{
    bool before = seen->record;
    switch (subject->which) {
    case ZONEFILE_FIRST:
        return true;
    case ZONEFILE_SECOND:
        seen->record = true;
        return before;
    case ZONEFILE_BESIDE_CNAME:
        seen->cname |= type == DNS_TYPE_CNAME;
        seen->other |= type != DNS_TYPE_CNAME && !dns_type_is_beside_cname(type);
        return seen->cname && seen->other;
    }
    UNREACHABLE();
}

static bool is_about(const struct zonefile_subject *subject, const struct dns_name *owner,
                     uint16_t type, struct span rdata)
{
    struct span wanted = subject->rdata;
    return (subject->type == 0 || subject->type == type) && dns_name_equal(subject->owner, owner) &&
           (wanted.length == 0 || (wanted.length == rdata.length &&
                                   memcmp(wanted.bytes, rdata.bytes, wanted.length) == 0));
}

static enum sg_result look(void *argument, const struct dns_name *owner, uint16_t type,
                           uint32_t ttl, struct span rdata, uint32_t *out_ttl)
{
    struct search *search = argument;
    for (size_t i = 0; i < search->report->problems_count; i++) {
        struct zonefile_problem *problem = &search->report->problems[i];
        if (problem->subject != NULL && problem->file == NULL &&
            is_about(problem->subject, owner, type, rdata) &&
            completes(problem->subject, type, &search->seen[i])) {
            problem->file = mem_copy_text(search->place.file);
            problem->line = search->place.line;
        }
    }
    *out_ttl = ttl;
    return SG_OK;
}

/* Opening a pipe again might wait forever for somebody to write into it. */
static bool can_be_read_again(const struct zonefile_report *report)
{
    for (size_t i = 0; i < report->files_count; i++) {
        struct stat file;
        if (stat(report->files[i], &file) != 0 || !S_ISREG(file.st_mode)) {
            return false;
        }
    }
    return report->files_count > 0;
}

static bool wants_place(const struct zonefile_report *report)
{
    for (size_t i = 0; i < report->problems_count; i++) {
        if (report->problems[i].subject != NULL) {
            return true;
        }
    }
    return false;
}

static void search_source(const struct dns_name *apex, uint16_t rrclass,
                          const struct zonefile_options *options,
                          const struct zonefile_source *source, struct zonefile_report *report)
{
    struct search search = {.report = report};
    struct zonefile_sink sink = {.add = look,
                                 .argument = &search,
                                 .apex = *apex,
                                 .rrclass = rrclass,
                                 .place = &search.place};
    /* What the lines themselves suffer from was said at the first reading. */
    struct zonefile_report *again = mem_alloc_zero(1, sizeof(*again));
    enum sg_result result = zonefile_read_source(&sink, options, source, again);
    (void)result; /* What was found until then is true. */
    zonefile_report_clear(again);
    mem_free(again);
}

void zonefile_locate(const struct dns_name *apex, uint16_t rrclass,
                     const struct zonefile_options *options, struct zonefile_report *report)
{
    struct zonefile_source source;
    /* The first file is the zone file itself, its path as it was opened. */
    if (wants_place(report) && can_be_read_again(report) &&
        zonefile_source_open(&source, report->files[0]) == SG_OK) {
        search_source(apex, rrclass, options, &source, report);
    }
}

void zonefile_locate_text(const struct dns_name *apex, uint16_t rrclass,
                          const struct zonefile_options *options, struct span text,
                          struct zonefile_report *report)
{
    struct zonefile_source source;
    if (wants_place(report)) {
        zonefile_source_from_text(&source, text, ZONEFILE_WINDOW_BYTES);
        search_source(apex, rrclass, options, &source, report);
    }
}
