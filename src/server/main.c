/*
 * server/main.c - signetd: the command line, which is named's
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/buffer.h"
#include "net/net.h"
#include "server/server.h"

enum { DEBUG_LEVEL_MAX = 99 };

/*
 * For jemalloc, which looks for this name. Its own choice, four arenas a processor, keeps memory of
 * each apart for threads that hardly allocate: queries take none, and all threads have a cache.
 */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0";

static void usage(FILE *out)
{
    fputs(
        "usage: signetd [-4 | -6] [-c file] [-d level] [-f | -g] [-L file] [-n threads] [-p port]\n"
        "               [-t folder] [-u user] [-D text]\n"
        "       signetd -v | -V | -h\n\n"
        "  -c file     configuration (" SIGNET_SYSCONFDIR "/signet.conf)\n"
        "  -g          in the foreground, log to standard error whatever the configuration says\n"
        "  -f          in the foreground\n"
        "  -u user     become this user once the addresses are bound\n"
        "  -t folder   chroot there first\n"
        "  -p port     instead of 53\n"
        "  -n threads  for queries on each address, and for signing\n"
        "  -d level    of debugging\n"
        "  -L file     log there instead of syslog, without a logging statement\n"
        "  -4, -6      IPv4 or IPv6 alone\n"
        "  -v, -V      version; version and libraries\n"
        "Options of named without a meaning here (-E -m -M -s -S -T -U -x -X) are accepted.\n",
        out);
}

static void show_version(bool long_form)
{
    puts("Signet " SIGNET_VERSION);
    if (!long_form) {
        return;
    }
#if defined(__clang__)
    puts("compiled by " __VERSION__); /* clang puts its name there itself */
#else
    puts("compiled by GCC " __VERSION__);
#endif
    printf("compiled with libuv %d.%d.%d, linked to %s\n", UV_VERSION_MAJOR, UV_VERSION_MINOR,
           UV_VERSION_PATCH, uv_version_string());
    puts("default paths:");
    puts("  configuration: " SIGNET_SYSCONFDIR "/signet.conf");
    puts("  rndc key:      " SIGNET_SYSCONFDIR "/rndc.key");
}

/* Says what is wrong, where it is no number from `min` to `max`. */
static bool take_number(const char *text, unsigned min, unsigned max, const char *what,
                        unsigned *out_number)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || text[0] == '-' || number < min || number > max) {
        fprintf(stderr, "signetd: %s '%s' is not a number from %u to %u\n", what, text, min, max);
        return false;
    }
    *out_number = (unsigned)number;
    return true;
}

/* named also takes "dns=5300"; its other ports have no meaning here. */
static bool take_port(const char *text, uint16_t *out_port)
{
    const char *digits = strncmp(text, "dns=", 4) == 0 ? text + 4 : text;
    unsigned port = 0;

    if (!take_number(digits, 1, UINT16_MAX, "port", &port)) {
        return false;
    }
    *out_port = (uint16_t)port;
    return true;
}

static bool take_option(struct server_options *options, int option, const char *argument)
{
    switch (option) {
    case '4':
        options->overrides.ipv4_only = true;
        return true;
    case '6':
        options->overrides.ipv6_only = true;
        return true;
    case 'c':
        options->configuration = argument;
        return true;
    case 'd':
        return take_number(argument, 0, DEBUG_LEVEL_MAX, "debug level", &options->log.debug_level);
    case 'f':
        options->foreground = true;
        options->log.foreground = true;
        return true;
    case 'g':
        options->foreground = true;
        options->log.stderr_always = true;
        options->overrides.no_log_files = true;
        return true;
    case 'L':
        options->log.file = argument;
        return true;
    case 'n':
        return take_number(argument, 1, NET_THREADS_MAX, "number of threads", &options->threads);
    case 'p':
        return take_port(argument, &options->overrides.port);
    case 't':
        options->chroot_folder = argument;
        return true;
    case 'u':
        options->user = argument;
        return true;
    case 'v':
    case 'V':
        show_version(option == 'V');
        exit(EXIT_SUCCESS);
    case 'h':
        usage(stdout);
        exit(EXIT_SUCCESS);
    case '?':
        usage(stderr);
        return false;
    default: /* -D, and what has a meaning for named alone */
        return true;
    }
}

int main(int count, char **arguments)
{
    struct server_options options = {.configuration = SIGNET_SYSCONFDIR "/signet.conf"};
    struct buffer command_line = BUFFER_EMPTY;

    for (int i = 0; i < count; i++) {
        buffer_format(&command_line, "%s%s", i == 0 ? "" : " ", arguments[i]);
    }
    options.command_line = buffer_text(&command_line);
    for (int option;
         (option = getopt(count, arguments, "46c:d:D:E:fghL:m:M:n:p:sS:t:T:u:U:vVx:X:")) != -1;) {
        if (!take_option(&options, option, optarg)) {
            return EXIT_FAILURE;
        }
    }
    if (optind < count) {
        fprintf(stderr, "signetd: extra argument '%s'\n", arguments[optind]);
        usage(stderr);
        return EXIT_FAILURE;
    }
    if (options.overrides.ipv4_only && options.overrides.ipv6_only) {
        fputs("signetd: -4 and -6 exclude each other\n", stderr);
        return EXIT_FAILURE;
    }
    char here[PATH_MAX];
    if (options.chroot_folder != NULL) {
        options.overrides.start_folder = "/";
    } else if (getcwd(here, sizeof(here)) != NULL) {
        options.overrides.start_folder = here;
    }
    server_signals_hold(true);
    int status = startup_run(&options);
    buffer_free(&command_line);
    return status;
}
