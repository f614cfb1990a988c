#include "zone/zonefile_source.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"

static void start(struct zonefile_source *source, int file, struct span text, size_t window_bytes)
{
    *source = (struct zonefile_source){
        .file = file,
        .text = text,
        .window = mem_alloc(window_bytes + SCAN_SLACK_BYTES),
        .window_bytes = window_bytes,
        .scan = {.line = 1},
    };
    memset(source->window, 0, SCAN_SLACK_BYTES);
    source->scan.at = source->window;
    source->scan.end = source->window;
}

enum sg_result zonefile_source_open(struct zonefile_source *source, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return errno == ENOENT ? SG_NOT_FOUND : errno == EACCES ? SG_DENIED : SG_IO;
    }
    posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    start(source, file, (struct span){NULL, 0}, ZONEFILE_WINDOW_BYTES);
    return SG_OK;
}

void zonefile_source_from_text(struct zonefile_source *source, struct span text,
                               size_t window_bytes)
{
    start(source, -1, text, window_bytes);
}

/* Fill [at, at + room) as far as the source goes: fewer bytes mean its end. */
static enum sg_result fill(struct zonefile_source *source, uint8_t *at, size_t room,
                           size_t *out_length)
{
    if (source->file < 0) {
        size_t length = source->text.length < room ? source->text.length : room;
        if (length > 0) {
            memcpy(at, source->text.bytes, length);
            source->text.bytes += length;
            source->text.length -= length;
        }
        *out_length = length;
        return SG_OK;
    }
    size_t length = 0;
    while (length < room) {
        ssize_t got = read(source->file, at + length, room - length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return SG_IO;
        }
        if (got == 0) {
            break;
        }
        length += (size_t)got;
    }
    *out_length = length;
    return SG_OK;
}

enum sg_result zonefile_source_refill(struct zonefile_source *source)
{
    struct scan *scan = &source->scan;
    size_t kept = (size_t)(scan->end - scan->at);
    ASSERT(!scan->final);
    memmove(source->window, scan->at, kept);
    if (kept == source->window_bytes) {
        if (source->window_bytes >= ZONEFILE_LINE_BYTES_MAX) {
            return SG_LIMIT;
        }
        source->window_bytes *= 2;
        source->window = mem_resize(source->window, source->window_bytes + SCAN_SLACK_BYTES);
    }
    size_t length = 0;
    size_t room = source->window_bytes - kept;
    enum sg_result result = fill(source, source->window + kept, room, &length);
    if (result != SG_OK) {
        return result;
    }
    uint8_t *end = source->window + kept + length;
    memset(end, 0, SCAN_SLACK_BYTES);
    scan->at = source->window;
    scan->end = end;
    scan->final = length < room;
    scan->starved = false;
    return SG_OK;
}

void zonefile_source_close(struct zonefile_source *source)
{
    if (source->file >= 0) {
        close(source->file);
    }
    mem_free(source->window);
    *source = (struct zonefile_source){.file = -1};
}
