/*
 * How fast is a zone file read: scanning and rdata alone, then into an edit, sealed and checked?
 *
 * usage: bench_zonefile ZONE FILE [ROUNDS]; the best round counts, in CPU time. Under
 * bench/instructions: the instructions that parsing takes a record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "measure.h"
#include "zone/check.h"
#include "zone/zonefile_loader.h"

static size_t bytes_seen;

static enum sg_result look(void *argument, const struct dns_name *owner, uint16_t type,
                           uint32_t ttl, struct span rdata, uint32_t *out_ttl)
{
    (void)argument;
    (void)type;
    bytes_seen += owner->length + rdata.length;
    *out_ttl = ttl;
    return SG_OK;
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct rounds {
    uint64_t best;
    size_t records;
};

static void count(struct rounds *rounds, uint64_t since, size_t records)
{
    uint64_t took = cpu_ns() - since;
    if (rounds->best == 0 || took < rounds->best) {
        rounds->best = took;
    }
    rounds->records = records;
}

static void print(const char *what, const struct rounds *rounds, size_t file_bytes)
{
    double ns = (double)rounds->best;
    printf("%-16s %8.1f ms %7.0f MB/s %7.1f ns/record\n", what, ns / 1e6,
           (double)file_bytes * 1e3 / ns, ns / (double)rounds->records);
}

static void parse(const struct zonefile_options *options, const struct dns_name *apex,
                  struct rounds *rounds)
{
    struct zonefile_report report = {0};
    struct zonefile_source source;
    struct zonefile_sink sink = {.add = look, .apex = *apex, .rrclass = 1};
    uint64_t start = cpu_ns();
    if (zonefile_source_open(&source, options->path) != SG_OK ||
        zonefile_read_source(&sink, options, &source, &report) != SG_OK) {
        fprintf(stderr, "%s: not read: %s\n", options->path,
                report.problems_count > 0 ? report.problems[0].text : "");
        exit(1);
    }
    count(rounds, start, report.records);
    zonefile_report_clear(&report);
}

static void load(const struct zonefile_options *options, const struct dns_name *apex,
                 struct rounds rounds[3])
{
    struct zonefile_report report;
    struct zone_edit *edit = zone_edit_new(apex, 1);
    const struct zone_version *version;
    uint64_t start = cpu_ns();
    if (zonefile_load(edit, options, &report) != SG_OK) {
        exit(1);
    }
    count(&rounds[0], start, report.records);
    start = cpu_ns();
    (void)!zone_check(zone_edit_draft(edit), &zone_check_defaults, &report);
    count(&rounds[1], start, report.records);
    start = cpu_ns();
    if (zone_edit_seal(edit, &version) != SG_OK) {
        exit(1);
    }
    count(&rounds[2], start, report.records);
    printf("%llu bytes of memory, %.1f a record\n",
           (unsigned long long)zone_version_facts(version)->bytes,
           (double)zone_version_facts(version)->bytes / (double)report.records);
    zone_version_unref(version);
    zonefile_report_clear(&report);
}

/* The file, read by its scanner and its rdata parsers alone. */
struct reading {
    const struct zonefile_options *options;
    const struct dns_name *apex;
    struct rounds rounds;
};

static void read_once(void *argument)
{
    struct reading *reading = argument;
    parse(reading->options, reading->apex, &reading->rounds);
}

int main(int argc, char **argv)
{
    struct dns_name apex;
    struct stat status;
    if (argc < 3 || dns_name_from_text(argv[1], strlen(argv[1]), NULL, &apex) != SG_OK ||
        stat(argv[2], &status) != 0) {
        fprintf(stderr, "usage: bench_zonefile ZONE FILE [ROUNDS]\n");
        return 1;
    }
    dns_name_lower(&apex);
    int rounds = argc > 3 ? atoi(argv[3]) : 3;
    struct zonefile_options options = {.path = argv[2]};
    struct rounds parsed = {0};
    struct rounds loaded[3] = {{0}};
    for (int i = 0; i < (measure_is_counted() ? 1 : rounds); i++) {
        parse(&options, &apex, &parsed);
        load(&options, &apex, loaded);
    }
    if (measure_is_counted()) {
        struct reading reading = {.options = &options, .apex = &apex};
        measure_and_tell(&(struct measured){.what = "parse, a record",
                                            .operations = parsed.records,
                                            .work = read_once,
                                            .argument = &reading});
        return 0;
    }
    size_t bytes = (size_t)status.st_size;
    printf("%zu records, %zu bytes\n", parsed.records, bytes);
    print("parse", &parsed, bytes);
    print("parse and edit", &loaded[0], bytes);
    print("check", &loaded[1], bytes);
    print("seal", &loaded[2], bytes);
    return 0;
}
