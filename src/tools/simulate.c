#include "tools/simulate.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf/value.h"
#include "dns/rrtype.h"
#include "kasp/keyset.h"
#include "tools/key_date.h"
#include "tools/simulation_margins.h"
#include "tools/simulation_print.h"
#include "tools/simulation_why.h"
#include "tools/zone_key_files.h"

#define LENGTH_MAX ((sg_duration)100 * 365 * SG_DAY)

enum { LINES_MAX = 64 };

static const char usage_text[] =
    "usage: signet simulate [-h] [-c file] [--for duration] [--from time]\n"
    "                       [--parent-delay duration|never] [--step-delay duration|never]\n"
    "                       [--json] [--svg file] zone [class [view]]\n";

/* Lines of text, owned. */
struct lines {
    char *lines[LINES_MAX];
    size_t count;
};

struct simulate {
    const char *path;
    const char *zone, *rrclass, *view;
    const char *svg;
    bool json;
    sg_time now, from;
    sg_duration length;
    sg_duration parent_delay, step_delay;
    struct lines notes, warnings;
    bool failed;  /* a key file cannot be read */
    bool lacking; /* an entry of the policy has no key */
    bool lost;    /* a key has lost its private half */
};

/* Takes the text. */
static void add_line(struct lines *lines, char *text)
{
    if (lines->count == LINES_MAX) {
        mem_free(text);
        return;
    }
    lines->lines[lines->count++] = text;
}

static void clear_lines(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        mem_free(lines->lines[i]);
    }
    lines->count = 0;
}

/* Takes the text. The exit status. */
static int complain(char *text)
{
    fprintf(stderr, "signet simulate: %s\n", text);
    mem_free(text);
    return 1;
}

/* ---- the command line ---- */

enum simulate_option {
    OPTION_FOR = 256,
    OPTION_FROM,
    OPTION_PARENT,
    OPTION_STEP,
    OPTION_JSON,
    OPTION_SVG
};

static const struct option_name {
    enum simulate_option option;
    const char *name;
} option_names[] = {
    {OPTION_FOR, "--for"},
    {OPTION_FROM, "--from"},
    {OPTION_PARENT, "--parent-delay"},
    {OPTION_STEP, "--step-delay"},
};

static const char *name_of_option(int option)
{
    for (size_t i = 0; i < ARRAY_LEN(option_names); i++) {
        if ((int)option_names[i].option == option) {
            return option_names[i].name;
        }
    }
    return "option";
}

/* "3y", "36h" as key tools have it, or as signet.conf does; not longer than LENGTH_MAX. */
static bool read_duration(const char *text, sg_duration *out_duration)
{
    uint32_t seconds;
    if (key_duration_parse(text, out_duration) != SG_OK) {
        if (!conf_value_duration(text, &seconds)) {
            return false;
        }
        *out_duration = seconds;
    }
    return *out_duration <= LENGTH_MAX;
}

static bool read_delay(const char *text, sg_duration *out_delay)
{
    if (strcmp(text, "never") == 0) {
        *out_delay = SIMULATION_NEVER;
        return true;
    }
    return read_duration(text, out_delay);
}

/* True if the option's value can be. */
static bool take_value(struct simulate *simulate, int option, const char *value)
{
    sg_time from;
    switch (option) {
    case OPTION_FOR:
        return read_duration(value, &simulate->length) && simulate->length > 0;
    case OPTION_PARENT:
        return read_delay(value, &simulate->parent_delay);
    case OPTION_STEP:
        return read_delay(value, &simulate->step_delay);
    default:
        if (key_date_parse(value, simulate->now, simulate->now, &from) != SG_OK ||
            from == KEY_TIME_UNSET || from < 0 || from > simulate->now + LENGTH_MAX) {
            return false;
        }
        simulate->from = from;
        return true;
    }
}

static int usage(FILE *out)
{
    fputs(usage_text, out);
    return out == stdout ? 0 : 1;
}

/* -1, or the exit status when there is nothing to simulate. */
static int take_option(struct simulate *simulate, int option, const char *value)
{
    switch (option) {
    case 'c':
        simulate->path = value;
        return -1;
    case 'h':
        return usage(stdout);
    case OPTION_JSON:
        simulate->json = true;
        return -1;
    case OPTION_SVG:
        simulate->svg = value;
        return -1;
    case '?':
        return usage(stderr);
    default:
        return take_value(simulate, option, value)
                   ? -1
                   : complain(mem_format("%s: '%s' cannot be", name_of_option(option), value));
    }
}

static int parse_arguments(struct simulate *simulate, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"for", required_argument, NULL, OPTION_FOR},
        {"from", required_argument, NULL, OPTION_FROM},
        {"parent-delay", required_argument, NULL, OPTION_PARENT},
        {"step-delay", required_argument, NULL, OPTION_STEP},
        {"json", no_argument, NULL, OPTION_JSON},
        {"svg", required_argument, NULL, OPTION_SVG},
        {NULL, 0, NULL, 0},
    };
    int flag;
    optind = 1;
    while ((flag = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        int status = take_option(simulate, flag, optarg);
        if (status >= 0) {
            return status;
        }
    }
    if (argc - optind < 1 || argc - optind > 3) {
        return usage(stderr);
    }
    simulate->zone = argv[optind];
    simulate->rrclass = argc - optind > 1 ? argv[optind + 1] : NULL;
    simulate->view = argc - optind > 2 ? argv[optind + 2] : NULL;
    return -1;
}

/* ---- the zone ---- */

static bool is_meant(const struct simulate *simulate, const struct conf_zone *zone,
                     const struct dns_name *apex)
{
    uint16_t rrclass = zone->rrclass;
    struct dns_name name;
    conf_zone_apex(zone, &name);
    if (simulate->rrclass != NULL &&
        dns_class_from_text(simulate->rrclass, strlen(simulate->rrclass), &rrclass) != SG_OK) {
        return false;
    }
    return rrclass == zone->rrclass && dns_name_equal(&name, apex) &&
           (simulate->view == NULL || strcmp(simulate->view, zone->view->name) == 0);
}

/* NULL, and told, unless exactly one zone is meant. */
static const struct conf_zone *find_zone(const struct simulate *simulate, const struct conf *conf)
{
    const struct conf_zone *found = NULL;
    struct dns_name apex;
    size_t count = 0;
    if (dns_name_from_text(simulate->zone, strlen(simulate->zone), &dns_name_root, &apex) !=
        SG_OK) {
        (void)complain(mem_format("'%s' is no domain name", simulate->zone));
        return NULL;
    }
    for (size_t v = 0; v < conf->views_count; v++) {
        for (size_t z = 0; z < conf->views[v]->zones_count; z++) {
            const struct conf_zone *zone = conf->views[v]->zones[z];
            bool meant = is_meant(simulate, zone, &apex);
            found = meant ? zone : found;
            count += meant;
        }
    }
    if (count != 1) {
        (void)complain(count == 0 ? mem_format("zone '%s' is not in %s", simulate->zone, conf->path)
                                  : mem_format("zone '%s' is in several views: name class and view",
                                               simulate->zone));
        return NULL;
    }
    if (found->policy == NULL) {
        (void)complain(mem_format("zone '%s' has no dnssec-policy", simulate->zone));
        return NULL;
    }
    return found;
}

/* ---- its keys ---- */

static void tell_trouble(void *argument, char *text)
{
    struct simulate *simulate = argument;
    simulate->failed = true;
    (void)complain(text);
}

static void tell_lost(void *argument, const char *folder, const char *name, const char *suffix)
{
    struct simulate *simulate = argument;
    simulate->lost = true;
    add_line(
        &simulate->warnings,
        mem_format("%s.%s is in '%s' but %s.private is not%s", name, suffix, folder, name,
                   simulate->lacking ? ": no key is made and none leaves before it is back" : ""));
}

/* As the engine takes them; does each entry have one? */
static void adopt_keys(struct simulate *simulate, const struct kasp_policy *policy,
                       const struct key_list *list)
{
    bool *taken = mem_alloc_zero(list->count + 1, sizeof(*taken));
    for (size_t i = 0; i < list->count; i++) {
        (void)kasp_key_adopt(list->keys[i], policy,
                             kasp_key_is_alone(list, i, policy, simulate->from), simulate->from);
    }
    for (unsigned k = 0; k < policy->keys_count; k++) {
        size_t chosen = kasp_key_choose(&policy->keys[k], list, taken);
        simulate->lacking |= chosen == SIZE_MAX;
        if (chosen != SIZE_MAX) {
            taken[chosen] = true;
        }
    }
    mem_free(taken);
}

/* ---- what is said beside ---- */

static void add_warning(void *argument, const char *text)
{
    struct simulate *simulate = argument;
    add_line(&simulate->warnings, mem_copy_text(text));
}

static void note_parent(struct simulate *simulate, const struct conf_zone *zone)
{
    if (simulate->parent_delay == SIMULATION_NEVER) {
        add_line(&simulate->notes, mem_copy_text("the parent never does what CDS asks for "
                                                 "(--parent-delay never)"));
        return;
    }
    char *delay = simulation_duration(simulate->parent_delay);
    bool looks = zone->options->parent.checkds != CONF_CHECKDS_NO;
    add_line(&simulate->notes,
             mem_format("the parent does what CDS asks for after %s (--parent-delay), and %s",
                        delay,
                        looks ? "the server sees it at once"
                              : "the operator says so at once, since checkds is no"));
    mem_free(delay);
}

static void note_policy(struct simulate *simulate, const struct kasp_policy *policy)
{
    static const char *const roles[] = {"", "ksk", "zsk", "csk"};
    if (policy->manual_mode && simulate->step_delay == SIMULATION_NEVER) {
        add_line(&simulate->notes, mem_copy_text("manual-mode: the operator never says -step "
                                                 "(--step-delay never)"));
    } else if (policy->manual_mode) {
        char *delay = simulation_duration(simulate->step_delay);
        add_line(&simulate->notes,
                 mem_format("manual-mode: the operator says -step %s after something waits for it "
                            "(--step-delay)",
                            delay));
        mem_free(delay);
    }
    if (policy->offline_ksk) {
        add_line(&simulate->notes,
                 mem_copy_text("offline-ksk: key-signing keys are shown as if they were here; "
                               "bundles that are signed elsewhere are not simulated"));
    }
    for (unsigned i = 0; i < policy->keys_count; i++) {
        if (policy->keys[i].lifetime == KASP_LIFETIME_UNLIMITED) {
            add_line(&simulate->notes,
                     mem_format("%s: lifetime unlimited, it rolls by an edit of the policy or "
                                "`signet dnssec -rollover` alone",
                                roles[policy->keys[i].role]));
        }
    }
    add_line(&simulate->notes,
             mem_copy_text("not simulated: the zone's data and TTLs above max-zone-ttl, NSEC and "
                           "NSEC3, a zone signed anew as a whole (`signet sign`), outages"));
    add_line(&simulate->notes,
             mem_copy_text("* a key that does not exist yet; its tag is made up"));
}

/* ---- output ---- */

static bool write_text(struct buffer *text)
{
    return fwrite(text->bytes, 1, text->length, stdout) == text->length && fflush(stdout) == 0;
}

static int print(struct simulate *simulate, const struct simulation *simulation,
                 const struct conf_zone *zone, const char *svg_path)
{
    const struct simulation_page page = {
        .zone = zone->name,
        .view = zone->view->name,
        .checkds = zone->options->parent.checkds != CONF_CHECKDS_NO,
        .notes = (const char *const *)simulate->notes.lines,
        .notes_count = simulate->notes.count,
        .warnings = (const char *const *)simulate->warnings.lines,
        .warnings_count = simulate->warnings.count,
    };
    struct buffer text = BUFFER_EMPTY;
    int status = 0;
    if (svg_path != NULL) {
        simulation_print_svg(simulation, &page, &text);
        enum sg_result result = file_write(svg_path, 0644, buffer_span(&text));
        if (result != SG_OK) {
            status = complain(mem_format("%s: %s", svg_path, sg_result_text(result)));
        }
        buffer_clear(&text);
    }
    if (simulate->json) {
        simulation_print_json(simulation, &page, &text);
    } else {
        simulation_print_table(simulation, &page, &text);
    }
    if (!write_text(&text)) {
        status = complain(mem_format("standard output: %s", strerror(errno)));
    }
    buffer_free(&text);
    return status;
}

/* ---------------------------------------------------------------------------------------------- */

static int run(struct simulate *simulate, const struct conf_zone *zone, struct key_list *list,
               const char *svg_path)
{
    struct simulation simulation;
    struct dns_name apex;
    conf_zone_apex(zone, &apex);
    const struct simulation_request request = {
        .policy = zone->policy,
        .apex = &apex,
        .from = simulate->from,
        .until = simulate->from + simulate->length,
        .parent_delay = simulate->parent_delay,
        .step_delay = simulate->step_delay,
        .files_missing = simulate->lost && simulate->lacking,
    };
    note_parent(simulate, zone);
    note_policy(simulate, zone->policy);
    policy_margins(zone->policy, simulate->parent_delay, add_warning, simulate);
    simulation_run(&request, list, &simulation);
    simulation_margins(&simulation, add_warning, simulate);
    int status = print(simulate, &simulation, zone, svg_path);
    simulation_clear(&simulation);
    return status;
}

static int simulate_zone(struct simulate *simulate, const struct conf *conf,
                         const struct conf_zone *zone, const char *svg_path)
{
    struct key_folders *folders = key_folders_new();
    struct zone_key_files files;
    int status = 1;
    const struct zone_key_listener listener = {tell_trouble, tell_lost, simulate};
    zone_key_files_read(conf, zone, folders, &listener, &files);
    adopt_keys(simulate, zone->policy, &files.list);
    zone_key_files_find_lost(&files, zone, folders, simulate->now, &listener);
    if (!simulate->failed) {
        status = run(simulate, zone, &files.list, svg_path);
    }
    zone_key_files_clear(&files);
    key_folders_free(folders);
    return status;
}

/* Where the picture goes, seen from any directory; NULL: nowhere. The caller frees. */
static char *picture_path(const struct simulate *simulate)
{
    char here[4096];
    if (simulate->svg == NULL) {
        return NULL;
    }
    if (simulate->svg[0] == '/' || getcwd(here, sizeof(here)) == NULL) {
        return mem_copy_text(simulate->svg);
    }
    return mem_format("%s/%s", here, simulate->svg);
}

static int simulate_by(struct simulate *simulate, const struct conf *conf)
{
    const struct conf_zone *zone = find_zone(simulate, conf);
    const char *directory = conf->options.directory;
    if (zone == NULL) {
        return 1;
    }
    char *svg_path = picture_path(simulate);
    int status = directory != NULL && chdir(directory) != 0
                     ? complain(mem_format("change directory to '%s' failed: %s", directory,
                                           strerror(errno)))
                     : simulate_zone(simulate, conf, zone, svg_path);
    mem_free(svg_path);
    return status;
}

/* Notes and warnings are checkconf's business. */
static void print_errors(const struct conf_report *report)
{
    struct buffer text = BUFFER_EMPTY;
    for (size_t i = 0; i < report->count; i++) {
        if (report->problems[i].severity == CONF_ERROR) {
            conf_problem_text(&report->problems[i], &text);
        }
    }
    fputs(buffer_text(&text), stderr);
    buffer_free(&text);
}

int tool_simulate(int argc, char **argv)
{
    sg_time now = time_now();
    struct simulate simulate = {
        .path = SIGNET_SYSCONFDIR "/signet.conf",
        .now = now,
        .from = now,
        .length = (sg_duration)3 * 365 * SG_DAY,
        .parent_delay = SG_DAY,
        .step_delay = 0,
    };
    struct conf_report report = {0};
    struct conf *conf = NULL;
    int status = parse_arguments(&simulate, argc, argv);
    if (status >= 0) {
        return status;
    }
    enum sg_result result = conf_load(simulate.path, &conf, &report);
    print_errors(&report);
    conf_report_clear(&report);
    status = result == SG_OK ? simulate_by(&simulate, conf) : 1;
    clear_lines(&simulate.notes);
    clear_lines(&simulate.warnings);
    conf_free(conf);
    return status;
}
