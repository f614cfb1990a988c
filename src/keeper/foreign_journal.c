#include "keeper/foreign_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "dns/serial.h"

enum { HEADER_BYTES = 32, BEGIN = 16, END = 24 };
static const char magic[] = ";BIND LOG V9"; /* .2 differs in what follows the header */

/* 0: it has none; -1: errno tells. */
static ssize_t read_header(const char *path, uint8_t out_bytes[HEADER_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    ssize_t got = read(fd, out_bytes, HEADER_BYTES);
    int error = errno;
    close(fd);
    errno = error;
    return got;
}

static bool leads_beyond(const uint8_t header[HEADER_BYTES], uint32_t serial)
{
    bool is_empty = wire_get_u32(header + BEGIN + 4) == wire_get_u32(header + END + 4);
    return !is_empty && serial_compare(wire_get_u32(header + END), serial) > 0;
}

char *foreign_journal_problem(const char *file, const char *given, uint32_t serial)
{
    uint8_t header[HEADER_BYTES];
    char *journal = given != NULL ? mem_copy_text(given) : mem_format("%s.jnl", file);
    char *problem = NULL;
    ssize_t got = read_header(journal, header);
    if (got < 0) {
        problem = mem_format("%s cannot be read (%s): it may hold updates that named has taken and "
                             "that are not in the zone's file; let us read it, or remove it if it "
                             "is of no use",
                             journal, strerror(errno));
    } else if (got == HEADER_BYTES && memcmp(header, magic, sizeof(magic) - 1) == 0 &&
               leads_beyond(header, serial)) {
        problem =
            mem_format("%s holds updates that named has taken, up to serial %u, and the zone's "
                       "file has serial %u: have named write them (`rndc sync`, then "
                       "stop it; named-journalprint shows them), or remove the journal to go "
                       "on without them",
                       journal, wire_get_u32(header + END), serial);
    }
    mem_free(journal);
    return problem;
}
