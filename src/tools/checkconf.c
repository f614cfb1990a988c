#include "tools/checkconf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "dns/rrtype.h"
#include "keeper/foreign_journal.h"
#include "tools/checkconf_keys.h"

static const char usage_text[] =
    "usage: signet checkconf [-chijklvz] [-p [-x]] [-t directory] [file]\n";

struct checkconf {
    const char *path;
    const char *root_directory;
    bool print;
    bool hide_secrets;
    bool list;
    bool load_zones;
    bool check_keys;
    bool hide_warnings;
    FILE *messages;
};

/* -1, or the exit status when there is nothing to check. */
static int parse_arguments(struct checkconf *checkconf, int argc, char **argv)
{
    int flag;
    optind = 1;
    while ((flag = getopt(argc, argv, "chijklpt:vxz")) != -1) {
        switch (flag) {
        case 'c': /* plugins, and journals, which Signet has none of */
        case 'j':
            break;
        case 'h':
            fputs(usage_text, stdout);
            return 0;
        case 'v':
            puts(SIGNET_VERSION);
            return 0;
        case 'i':
            checkconf->hide_warnings = true;
            break;
        case 'k':
            checkconf->check_keys = true;
            break;
        case 'l':
            checkconf->list = true;
            break;
        case 'p':
            checkconf->print = true;
            break;
        case 't':
            checkconf->root_directory = optarg;
            break;
        case 'x':
            checkconf->hide_secrets = true;
            break;
        case 'z':
            checkconf->load_zones = true;
            break;
        default:
            fputs(usage_text, stderr);
            return 1;
        }
    }
    if (argc - optind > 1) {
        fputs(usage_text, stderr);
        return 1;
    }
    if (checkconf->hide_secrets && !checkconf->print) {
        fputs("signet checkconf: -x does nothing without -p\n", stderr);
        return 1;
    }
    if (checkconf->print && checkconf->check_keys) {
        fputs("signet checkconf: -k cannot be used with -p\n", stderr);
        return 1;
    }
    if (argc - optind == 1) {
        checkconf->path = argv[optind];
    }
    return -1;
}

static void print_report(const void *argument, const struct conf_report *report)
{
    const struct checkconf *checkconf = argument;
    struct buffer text = BUFFER_EMPTY;
    size_t unlisted = report->errors + report->warnings;

    for (size_t i = 0; i < report->count; i++) {
        enum conf_severity severity = report->problems[i].severity;
        unlisted -= severity != CONF_NOTE; /* Notes are not counted. */
        if (severity == CONF_ERROR || !checkconf->hide_warnings) {
            conf_problem_text(&report->problems[i], &text);
        }
    }
    if (unlisted > 0) {
        buffer_format(&text, "%zu more problems are not listed (%zu errors, %zu warnings)\n",
                      unlisted, report->errors, report->warnings);
    }
    fputs(buffer_text(&text), checkconf->messages);
    buffer_free(&text);
}

static void list_zones(const struct conf *conf)
{
    char rrclass[DNS_TYPE_TEXT_BYTES];

    for (size_t i = 0; i < conf->views_count; i++) {
        const struct conf_view *view = conf->views[i];
        for (size_t j = 0; j < view->zones_count; j++) {
            const struct conf_zone *zone = view->zones[j];
            printf("%s %s %s %s\n", zone->name, dns_class_to_text(zone->rrclass, rrclass),
                   view->name, zone->type == CONF_ZONE_PRIMARY ? "primary" : "secondary");
        }
        for (size_t j = 0; j < view->shared_zones_count; j++) {
            const struct conf_zone *zone = view->shared_zones[j];
            printf("%s %s %s in-view\n", zone->name, dns_class_to_text(zone->rrclass, rrclass),
                   view->name);
        }
    }
}

/* --- -z --------------------------------------------------------------------------------------- */

static void print_zone_problems(const char *zone, const struct zonefile_report *report)
{
    for (size_t i = 0; i < report->problems_count; i++) {
        const struct zonefile_problem *problem = &report->problems[i];
        if (problem->file == NULL) {
            printf("zone %s: ", zone);
        } else if (problem->line == 0) {
            printf("%s: ", problem->file);
        } else {
            printf("%s:%u: ", problem->file, problem->line);
        }
        printf("%s%s\n", problem->severity == ZONEFILE_WARNING ? "warning: " : "", problem->text);
    }
}

/* signetd does not take the file of a zone that it does not have yet, without these updates. */
static void warn_of_journal(const struct conf_zone *zone, const char *name, uint32_t serial)
{
    bool may_come_from_named = zone->policy != NULL || conf_zone_is_dynamic(zone);
    char *problem =
        may_come_from_named ? foreign_journal_problem(zone->file, zone->journal, serial) : NULL;
    if (problem != NULL) {
        printf("zone %s: warning: it is not loaded unless this server has it already: %s\n", name,
               problem);
    }
    mem_free(problem);
}

/* Takes the edit. */
static bool print_serial(const struct conf_zone *zone, const char *name, struct zone_edit *edit)
{
    const struct zone_version *version;
    enum sg_result result = zone_edit_seal(edit, &version);

    if (result != SG_OK) {
        printf("zone %s: not loaded: %s\n", name, sg_result_text(result));
        return false;
    }
    const struct zone_facts *facts = zone_version_facts(version);
    warn_of_journal(zone, name, facts->source_serial);
    printf("zone %s: loaded serial %u%s\n", name, facts->source_serial,
           facts->denial != ZONE_DENIAL_NONE ? " (DNSSEC signed)" : "");
    zone_version_unref(version);
    return true;
}

static bool load_zone(const struct conf_zone *zone)
{
    struct dns_name apex;
    char name[DNS_NAME_TEXT_BYTES + DNS_TYPE_TEXT_BYTES], rrclass[DNS_TYPE_TEXT_BYTES];
    struct zonefile_report report;
    struct zonefile_options options = {
        .path = zone->file,
        .strip_generated = zone->policy != NULL,
        .private_type = zone->options->sig_signing_type,
        .ttl_max = zone->policy != NULL ? zone->policy->max_zone_ttl : zone->options->max_zone_ttl,
    };

    conf_zone_apex(zone, &apex);
    size_t length = strlen(dns_name_to_text_short(&apex, name));
    snprintf(name + length, sizeof(name) - length, "/%s",
             dns_class_to_text(zone->rrclass, rrclass));
    struct zone_edit *edit = zone_edit_new(&apex, zone->rrclass);
    enum sg_result result = zonefile_load(edit, &options, &report);
    if (result == SG_OK) {
        struct zone_check_options checks = zone->options->checks;
        if (zone->policy != NULL) { /* The keys that a CDS goes with may be ours. */
            checks.cds = CHECK_WARN;
        }
        result = zone_check(zone_edit_draft(edit), &checks, &report);
        zonefile_locate(&apex, zone->rrclass, &options, &report);
    } else if (report.errors == 0) {
        printf("zone %s: loading from master file %s failed: %s\n", name, zone->file,
               sg_result_text(result));
    }
    print_zone_problems(name, &report);
    zonefile_report_clear(&report);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        printf("zone %s: not loaded due to errors.\n", name);
        return false;
    }
    return print_serial(zone, name, edit);
}

/* How many of its zones do not load. */
static size_t load_zones_of(const struct conf_view *view)
{
    size_t failed = 0;

    for (size_t i = 0; i < view->zones_count; i++) {
        const struct conf_zone *zone = view->zones[i];
        if (zone->type == CONF_ZONE_PRIMARY && zone->file != NULL) {
            failed += !load_zone(zone);
        }
    }
    return failed;
}

static int load_zones(const struct conf *conf)
{
    size_t failed = 0;

    for (size_t i = 0; i < conf->views_count; i++) {
        failed += load_zones_of(conf->views[i]);
    }
    return failed > 0;
}

/* ---------------------------------------------------------------------------------------------- */

/* What the files say that the configuration names; relative paths begin at its directory. */
static int look_at_files(const struct checkconf *checkconf, const struct conf *conf)
{
    const char *directory = conf->options.directory;
    int status = 0;

    if (directory != NULL && chdir(directory) != 0) {
        fprintf(checkconf->messages, "change directory to '%s' failed: %s\n", directory,
                strerror(errno));
        return 1;
    }
    if (checkconf->check_keys && checkconf_keys(conf, time_now(), print_report, checkconf) > 0) {
        status = 1;
    }
    return checkconf->load_zones && load_zones(conf) != 0 ? 1 : status;
}

static int print_conf(const struct checkconf *checkconf, const struct conf *conf)
{
    struct buffer text = BUFFER_EMPTY;
    conf_print(conf, checkconf->hide_secrets, &text);
    bool written = fwrite(text.bytes, 1, text.length, stdout) == text.length;
    buffer_wipe(&text);
    return written && fflush(stdout) == 0 ? 0 : 1;
}

static int report_on(const struct checkconf *checkconf, const struct conf *conf)
{
    if (checkconf->print) {
        return print_conf(checkconf, conf);
    }
    if (checkconf->list) {
        list_zones(conf);
    }
    return checkconf->check_keys || checkconf->load_zones ? look_at_files(checkconf, conf) : 0;
}

int tool_checkconf(int argc, char **argv)
{
    struct checkconf checkconf = {.path = SIGNET_SYSCONFDIR "/signet.conf", .messages = stdout};
    struct conf_report report = {0};
    struct conf *conf = NULL;

    int status = parse_arguments(&checkconf, argc, argv);
    if (status >= 0) {
        return status;
    }
    checkconf.messages = checkconf.print ? stderr : stdout;
    const char *root = checkconf.root_directory;
    if (root != NULL && (chroot(root) != 0 || chdir("/") != 0)) {
        fprintf(stderr, "signet checkconf: %s: %s\n", root, strerror(errno));
        return 1;
    }
    enum sg_result result = conf_load(checkconf.path, &conf, &report);
    print_report(&checkconf, &report);
    conf_report_clear(&report);
    status = result == SG_OK ? report_on(&checkconf, conf) : 1;
    conf_free(conf);
    return status;
}
