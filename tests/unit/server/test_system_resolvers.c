#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "keeper/remote_text.h"
#include "server/system_resolvers.h"
#include "support/table.h"

/* clang-format off */
static const struct resolvers_case {
    const char *name;
    const char *file;
    const char *expected; /* a blank between */
} cases[] = {
    {"none: this host", "search example.org\noptions edns0\n", "127.0.0.1#53"},
    {"an empty file", "", "127.0.0.1#53"},
    {"comments and blanks", "# nameserver 192.0.2.9\n;nameserver 192.0.2.8\n\nnameserver\t192.0.2.1 \n", "192.0.2.1#53"},
    {"both families", "nameserver 192.0.2.1\nnameserver 2001:db8::1\n", "192.0.2.1#53 2001:db8:0:0:0:0:0:1#53"},
    {"no more than three", "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n", "192.0.2.1#53 192.0.2.2#53 192.0.2.3#53"},
    {"what is no address", "nameserver\nnameserver ns.example\nnameservers 192.0.2.7\nnameserver 192.0.2.1 192.0.2.2", "192.0.2.1#53"},
};
/* clang-format on */

static void are_read(void **state)
{
    const struct resolvers_case *c = *state;
    char path[] = "/tmp/signet-resolvers-XXXXXX";
    struct system_resolvers system;
    struct buffer text = BUFFER_EMPTY;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write(path, 0600, span_of_text(c->file)), SG_OK);
    system_resolvers_read(path, &system);
    assert_int_equal(unlink(path), 0);
    for (size_t i = 0; i < system.count; i++) {
        char name[REMOTE_TEXT_BYTES];
        remote_text(&system.resolvers[i], name);
        buffer_format(&text, "%s%s", i > 0 ? " " : "", name);
    }
    assert_string_equal(buffer_text(&text), c->expected);
    buffer_free(&text);
}

static void a_file_that_is_not_there_is_none(void **state)
{
    struct system_resolvers system;
    (void)state;
    system_resolvers_read("/nonexistent/resolv.conf", &system);
    assert_int_equal(system.count, 1);
    assert_true(system.ipv4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_file_that_is_not_there_is_none)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(cases, are_read);
}
