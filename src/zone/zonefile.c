#include "zone/zonefile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "zone/zonefile_loader.h"

static void remember_file(struct zonefile_report *report, const char *path)
{
    report->files = mem_resize_array(report->files, report->files_count + 1, sizeof(char *));
    report->files[report->files_count++] = mem_copy_text(path);
}

void zonefile_set_origin(struct zonefile_loader *loader, const struct dns_name *origin)
{
    struct zonefile_file *file = zonefile_present_file(loader);
    file->origin = *origin;
    file->origin_lower = *origin;
    dns_name_lower(&file->origin_lower);
    file->origin_in_zone = dns_name_is_at_or_below(&file->origin_lower, &loader->sink->apex);
    loader->owner.text_length = 0; /* The same word is another name now. */
}

/* Let a source that is open be the present file. */
static void push_file(struct zonefile_loader *loader, const struct zonefile_source *source,
                      const char *path, const struct dns_name *origin)
{
    struct zonefile_file *file = &loader->files[loader->depth++];
    file->source = *source;
    file->path = mem_copy_text(path);
    file->includer_owner = loader->owner;
    zonefile_set_origin(loader, origin);
    remember_file(loader->report, path);
}

static void pop_file(struct zonefile_loader *loader)
{
    struct zonefile_file *file = zonefile_present_file(loader);
    loader->owner = file->includer_owner;
    zonefile_source_close(&file->source);
    mem_free(file->path);
    loader->depth--;
}

/* `path` as it is opened: relative to the directory that the options name. The caller frees it. */
static char *resolve_path(const struct zonefile_options *options, const char *path)
{
    if (path[0] == '/' || options->directory == NULL) {
        return mem_copy_text(path);
    }
    return mem_format("%s/%s", options->directory, path);
}

void zonefile_include(struct zonefile_loader *loader, const char *path,
                      const struct dns_name *origin, unsigned line)
{
    struct zonefile_source source;
    const char *includer = zonefile_present_file(loader)->path;
    if (loader->depth > ZONEFILE_INCLUDE_DEPTH_MAX) {
        zonefile_report_add(loader->report, ZONEFILE_ERROR, includer, line,
                            "$INCLUDE %s: more than %d files deep", path,
                            ZONEFILE_INCLUDE_DEPTH_MAX);
        return;
    }
    char *resolved = resolve_path(loader->options, path);
    enum sg_result result = zonefile_source_open(&source, resolved);
    if (result == SG_OK) {
        push_file(loader, &source, resolved, origin);
    } else {
        zonefile_report_add(loader->report, ZONEFILE_ERROR, includer, line, "$INCLUDE %s: %s",
                            resolved, result == SG_IO ? strerror(errno) : sg_result_text(result));
    }
    mem_free(resolved);
}

/* The file has been read to its end. */
static void finish_file(struct zonefile_loader *loader)
{
    const struct zonefile_file *file = zonefile_present_file(loader);
    const struct scan *scan = &file->source.scan;
    bool empty = scan->end == file->source.window;
    if (!empty && scan->end[-1] != '\n' && scan->end[-1] != '\r') {
        zonefile_warn_line(loader, scan, "file does not end with newline");
    }
    pop_file(loader);
}

/* Read on in the present file. What cannot be read is reported, and ends its file. */
static enum sg_result refill(struct zonefile_loader *loader)
{
    struct zonefile_file *file = zonefile_present_file(loader);
    enum sg_result result = zonefile_source_refill(&file->source);
    if (result != SG_OK) {
        zonefile_report_add(loader->report, ZONEFILE_ERROR, file->path, file->source.scan.line,
                            "%s", result == SG_LIMIT ? "a line is too long" : strerror(errno));
        pop_file(loader);
    }
    return result;
}

/* One logical line. False: it goes on behind the window, and is to be read from its begin. */
static bool read_whole_line(struct zonefile_loader *loader, struct scan *scan)
{
    if (scan->at == scan->end) {
        return false;
    }
    struct scan_mark line = scan_mark(scan);
    zonefile_read_line(loader, scan);
    if (scan->starved) {
        scan_return(scan, line);
        return false;
    }
    return true;
}

/* Every line of every file. SG_IO if one of them could not be read; errors in lines are reported.
 */
static enum sg_result read_files(struct zonefile_loader *loader)
{
    enum sg_result worst = SG_OK;
    while (loader->depth > 0) {
        struct scan *scan = &zonefile_present_file(loader)->source.scan;
        if (scan_is_finished(scan)) {
            finish_file(loader);
        } else if (!read_whole_line(loader, scan) && refill(loader) == SG_IO) {
            worst = SG_IO;
        }
    }
    return worst;
}

enum sg_result zonefile_read_source(const struct zonefile_sink *sink,
                                    const struct zonefile_options *options,
                                    const struct zonefile_source *source,
                                    struct zonefile_report *report)
{
    struct zonefile_loader *loader = mem_alloc_zero(1, sizeof(*loader));
    char *path = resolve_path(options, options->path);
    loader->sink = sink;
    loader->options = options;
    loader->report = report;
    loader->rdata = zonefile_rdata_new();
    push_file(loader, source, path, &sink->apex);
    mem_free(path);

    enum sg_result result = read_files(loader);
    if (result == SG_OK && report->errors > 0) {
        result = SG_MALFORMED;
    }
    zonefile_rdata_free(loader->rdata);
    mem_free(loader);
    return result;
}

static enum sg_result add_to_edit(void *argument, const struct dns_name *owner, uint16_t type,
                                  uint32_t ttl, struct span rdata, uint32_t *out_ttl)
{
    return zone_edit_add_record(argument, owner, type, ttl, rdata, out_ttl);
}

static enum sg_result read_into(struct zone_edit *edit, const struct zonefile_options *options,
                                const struct zonefile_source *source,
                                struct zonefile_report *report)
{
    const struct zone_version *draft = zone_edit_draft(edit);
    struct zonefile_sink sink = {.add = add_to_edit,
                                 .argument = edit,
                                 .apex = *zone_version_apex(draft),
                                 .rrclass = zone_version_class(draft)};
    return zonefile_read_source(&sink, options, source, report);
}

enum sg_result zonefile_load(struct zone_edit *edit, const struct zonefile_options *options,
                             struct zonefile_report *report)
{
    struct zonefile_source source;
    char *path = resolve_path(options, options->path);
    *report = (struct zonefile_report){0};
    enum sg_result result = zonefile_source_open(&source, path);
    if (result == SG_OK) {
        result = read_into(edit, options, &source, report);
    } else {
        zonefile_report_add(report, ZONEFILE_ERROR, path, 0, "%s",
                            result == SG_IO ? strerror(errno) : sg_result_text(result));
    }
    mem_free(path);
    return result;
}

enum sg_result zonefile_load_text(struct zone_edit *edit, const struct zonefile_options *options,
                                  struct span text, struct zonefile_report *report)
{
    struct zonefile_source source;
    *report = (struct zonefile_report){0};
    zonefile_source_from_text(&source, text, ZONEFILE_WINDOW_BYTES);
    return read_into(edit, options, &source, report);
}
