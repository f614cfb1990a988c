#include "tools/checkzone.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "dns/rrtype.h"
#include "zone/check.h"

enum {
    DUMP_MODE = 0644,
    POLICY_TTL_MAX = 86400 /* max-zone-ttl of a dnssec-policy, if it says none */
};

static const char usage_text[] =
    "usage: signet checkzone [-dhjqvD] [-c class] [-f text] [-F text] [-i mode] [-J file] [-k "
    "mode]\n"
    "         [-l ttl] [-L serial] [-m mode] [-M mode] [-n mode] [-o file] [-r mode] [-s full]\n"
    "         [-S mode] [-t directory] [-T mode] [-w directory] [-W mode] zone file\n";

struct checkzone {
    struct zone_check_options checks;
    struct zonefile_options load;
    uint16_t rrclass;
    bool names_given, ttl_given; /* by -k, -l */
    bool quiet;
    bool dump;
    const char *dump_path; /* NULL: standard output */
    const char *working_directory;
    const char *root_directory;
    FILE *messages;
    const char *zone_text;
    struct dns_name apex;
};

static bool parse_mode(const char *text, enum check_mode *out_mode)
{
    static const char *const modes[] = {"ignore", "warn", "fail"};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (strcmp(text, modes[i]) == 0) {
            *out_mode = (enum check_mode)i;
            return true;
        }
    }
    return false;
}

/* "full" asks other servers in named-checkzone; nothing outside of the zone is asked here. */
static bool parse_integrity(const char *text, struct zone_check_options *checks)
{
    bool sibling = strcmp(text, "full") == 0 || strcmp(text, "local") == 0;
    bool no_sibling = strcmp(text, "full-sibling") == 0 || strcmp(text, "local-sibling") == 0;
    if (!sibling && !no_sibling && strcmp(text, "none") != 0) {
        return false;
    }
    checks->integrity = sibling || no_sibling;
    checks->sibling = sibling ? CHECK_WARN : CHECK_IGNORE;
    return true;
}

static bool parse_number(const char *text, uint32_t *out_number)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || text[0] == '-' || number > UINT32_MAX) {
        return false;
    }
    *out_number = (uint32_t)number;
    return true;
}

/* One of -k -m -M -n -r -S -T -W. False: not one of these, or no such mode. */
static bool parse_check_flag(struct zone_check_options *checks, int flag, const char *text)
{
    enum check_mode mode = CHECK_WARN;
    if (!parse_mode(text, &mode)) {
        return false;
    }
    switch (flag) {
    case 'k':
        checks->names = mode;
        return true;
    case 'm':
        checks->mx = mode;
        return true;
    case 'M':
        checks->mx_cname = mode;
        return true;
    case 'n':
        checks->ns = mode;
        return true;
    case 'r':
        checks->dup_records = mode;
        return true;
    case 'S':
        checks->srv_cname = mode;
        return true;
    case 'T':
        checks->spf = mode == CHECK_WARN;
        return mode != CHECK_FAIL;
    case 'W':
        checks->wildcard = mode;
        return mode != CHECK_FAIL;
    default:
        return false;
    }
}

/* False: the flag's argument is not one it takes. */
static bool parse_flag(struct checkzone *checkzone, int flag, const char *argument)
{
    uint32_t unused;
    switch (flag) {
    case 'd': /* debugging, and journals, which Signet has none of beside its zone files */
    case 'j':
    case 'J':
        return true;
    case 'q':
        checkzone->quiet = true;
        return true;
    case 'D':
        checkzone->dump = true;
        return true;
    case 'o':
        checkzone->dump = true;
        checkzone->dump_path = strcmp(argument, "-") == 0 ? NULL : argument;
        return true;
    case 'c':
        return dns_class_from_text(argument, strlen(argument), &checkzone->rrclass) == SG_OK;
    case 'f':
    case 'F':
        return strcmp(argument, "text") == 0;
    case 's':
        return strcmp(argument, "full") == 0;
    case 'L':
        return parse_number(argument, &unused);
    case 'i':
        return parse_integrity(argument, &checkzone->checks);
    case 'l':
        checkzone->ttl_given = true;
        return parse_number(argument, &checkzone->load.ttl_max);
    case 't':
        checkzone->root_directory = argument;
        return true;
    case 'w':
        checkzone->working_directory = argument;
        return true;
    case 'k':
        checkzone->names_given = true;
        return parse_check_flag(&checkzone->checks, flag, argument);
    default:
        return parse_check_flag(&checkzone->checks, flag, argument);
    }
}

/* -1, or the exit status when there is nothing to check. */
static int parse_arguments(struct checkzone *checkzone, int argc, char **argv)
{
    int flag;
    optind = 1;
    while ((flag = getopt(argc, argv, "c:df:F:hi:jJ:k:l:L:m:M:n:o:qr:s:S:t:T:vw:W:D")) != -1) {
        if (flag == 'h') {
            fputs(usage_text, stdout);
            return 0;
        }
        if (flag == 'v') {
            puts(SIGNET_VERSION);
            return 0;
        }
        if (flag == '?') {
            fputs(usage_text, stderr);
            return 1;
        }
        if (!parse_flag(checkzone, flag, optarg)) {
            fprintf(stderr, "signet checkzone: -%c does not take '%s'\n", flag, optarg);
            return 1;
        }
    }
    if (argc - optind != 2) {
        fputs(usage_text, stderr);
        return 1;
    }
    checkzone->zone_text = argv[optind];
    checkzone->load.path = strcmp(argv[optind + 1], "-") == 0 ? "/dev/stdin" : argv[optind + 1];
    if (dns_name_from_text(checkzone->zone_text, strlen(checkzone->zone_text), NULL,
                           &checkzone->apex) != SG_OK) {
        fprintf(stderr, "signet checkzone: '%s' is not a zone name\n", checkzone->zone_text);
        return 1;
    }
    dns_name_lower(&checkzone->apex);
    return -1;
}

static bool enter_directories(const struct checkzone *checkzone)
{
    const char *root = checkzone->root_directory;
    const char *directory = checkzone->working_directory;
    if (root != NULL && (chroot(root) != 0 || chdir("/") != 0)) {
        fprintf(stderr, "signet checkzone: %s: %s\n", root, strerror(errno));
        return false;
    }
    if (directory != NULL && chdir(directory) != 0) {
        fprintf(stderr, "signet checkzone: %s: %s\n", directory, strerror(errno));
        return false;
    }
    return true;
}

/* "zone example.com/IN: " */
static void print_zone(const struct checkzone *checkzone)
{
    char name[DNS_NAME_TEXT_BYTES];
    char rrclass[DNS_TYPE_TEXT_BYTES];
    fprintf(checkzone->messages, "zone %s/%s: ", dns_name_to_text_short(&checkzone->apex, name),
            dns_class_to_text(checkzone->rrclass, rrclass));
}

static void print_problems(const struct checkzone *checkzone, const struct zonefile_report *report)
{
    if (checkzone->quiet) {
        return;
    }
    for (size_t i = 0; i < report->problems_count; i++) {
        const struct zonefile_problem *problem = &report->problems[i];
        if (problem->file == NULL) {
            print_zone(checkzone);
        } else if (problem->line == 0) {
            fprintf(checkzone->messages, "%s: ", problem->file);
        } else {
            fprintf(checkzone->messages, "%s:%u: ", problem->file, problem->line);
        }
        fprintf(checkzone->messages, "%s%s\n",
                problem->severity == ZONEFILE_WARNING ? "warning: " : "", problem->text);
    }
    size_t unlisted = report->errors + report->warnings - report->problems_count;
    if (unlisted > 0) {
        print_zone(checkzone);
        fprintf(checkzone->messages,
                "%zu more problems are not listed (%zu errors, %zu warnings)\n", unlisted,
                report->errors, report->warnings);
    }
}

/* What this accepts, as named-checkzone does, and the server would not: it has a zone statement and
 * its defaults, which are not known here. */
static void print_notes(const struct checkzone *checkzone, const struct zonefile_report *report,
                        const struct zone_version *version)
{
    uint32_t ttl = zone_version_facts(version)->ttl_max;
    bool names = false;
    for (size_t i = 0; i < report->problems_count; i++) {
        names |= strstr(report->problems[i].text, "(check-names)") != NULL;
    }
    if (names && !checkzone->names_given && !checkzone->quiet) {
        print_zone(checkzone);
        fputs("note: the server refuses it for its names, unless the zone's statement has "
              "'check-names warn': -k fail is its default\n",
              checkzone->messages);
    }
    if (ttl > POLICY_TTL_MAX && !checkzone->ttl_given && !checkzone->quiet) {
        print_zone(checkzone);
        fprintf(checkzone->messages,
                "note: with a dnssec-policy the server refuses it for the TTL %u, unless the "
                "policy has another max-zone-ttl: -l %d is its default\n",
                ttl, POLICY_TTL_MAX);
    }
}

static int dump_version(const struct checkzone *checkzone, const struct zone_version *version)
{
    struct buffer text = BUFFER_EMPTY;
    int status = 0;
    zonefile_write(version, ZONE_VIEW_UNSIGNED, &text);
    if (checkzone->dump_path == NULL) {
        status = fwrite(text.bytes, 1, text.length, stdout) == text.length ? 0 : 1;
    } else if (file_write(checkzone->dump_path, DUMP_MODE, buffer_span(&text)) != SG_OK) {
        fprintf(stderr, "signet checkzone: %s: %s\n", checkzone->dump_path, strerror(errno));
        status = 1;
    }
    buffer_free(&text);
    return status;
}

/* The zone passed: say so, and dump it if that was asked for. Takes the edit. */
static int accept(const struct checkzone *checkzone, struct zone_edit *edit)
{
    const struct zone_version *version;
    if (zone_edit_seal(edit, &version) != SG_OK) {
        return 1;
    }
    if (!checkzone->quiet) {
        print_zone(checkzone);
        fprintf(checkzone->messages, "loaded serial %u\n",
                zone_version_facts(version)->source_serial);
    }
    int status = checkzone->dump ? dump_version(checkzone, version) : 0;
    zone_version_unref(version);
    if (!checkzone->quiet && status == 0) {
        fputs("OK\n", checkzone->messages);
    }
    return status;
}

static int check_file(const struct checkzone *checkzone)
{
    struct zonefile_report report;
    struct zone_edit *edit = zone_edit_new(&checkzone->apex, checkzone->rrclass);
    enum sg_result result = zonefile_load(edit, &checkzone->load, &report);
    if (result == SG_OK) {
        result = zone_check(zone_edit_draft(edit), &checkzone->checks, &report);
        zonefile_locate(&checkzone->apex, checkzone->rrclass, &checkzone->load, &report);
    }
    print_problems(checkzone, &report);
    if (result == SG_OK) {
        print_notes(checkzone, &report, zone_edit_draft(edit));
    }
    zonefile_report_clear(&report);
    if (result == SG_OK) {
        return accept(checkzone, edit);
    }
    if (!checkzone->quiet) {
        print_zone(checkzone);
        fputs("not loaded due to errors.\n", checkzone->messages);
    }
    zone_edit_abandon(edit);
    return 1;
}

int tool_checkzone(int argc, char **argv)
{
    struct checkzone checkzone = {.checks = zone_check_defaults, .rrclass = DNS_CLASS_IN};
    checkzone.checks.names = CHECK_WARN; /* named-checkzone's default, unlike a primary's */
    int status = parse_arguments(&checkzone, argc, argv);
    if (status >= 0) {
        return status;
    }
    checkzone.messages = checkzone.dump && checkzone.dump_path == NULL ? stderr : stdout;
    return enter_directories(&checkzone) ? check_file(&checkzone) : 1;
}
