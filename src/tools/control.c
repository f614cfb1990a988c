#include "tools/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "conf/rndc_conf.h"
#include "net/address.h"
#include "net/control_message.h"
#include "tools/command_words.h"
#include "tools/zone_trouble.h"

enum { TIMEOUT_SECONDS = 60, ADDRESSES_TRIED_MAX = 32 };

/* Where a key is looked for without -c and -k; the latter ones are signetd's store. */
static const char *const key_files[] = {
    SIGNET_SYSCONFDIR "/rndc.key",
    "/var/lib/signet/rndc.key",
    "/var/lib/signet/signet-store/rndc.key",
};

struct client {
    const char *conf_path, *key_path;  /* -c, -k */
    const char *server, *source;       /* -s, -b */
    const char *key_name;              /* -y */
    uint16_t port;                     /* -p; 0: as the configuration says */
    unsigned timeout_seconds;          /* -t; 0: none */
    int family;                        /* -4, -6 */
    bool quiet, verbose, shows_result; /* -q, -V, -r */
    const struct tsig_key *key;
    struct net_address addresses[ADDRESSES_TRIED_MAX];
    size_t addresses_count;
    char *command;
    int fd;
    uint64_t deadline_ns; /* 0: none */
};

static const struct result_name {
    uint32_t result;
    const char *name;
} result_names[] = {
    {0, "ISC_R_SUCCESS"},       {6, "ISC_R_NOPERM"},           {18, "ISC_R_EXISTS"},
    {22, "ISC_R_SHUTTINGDOWN"}, {23, "ISC_R_NOTFOUND"},        {24, "ISC_R_UNEXPECTEDEND"},
    {25, "ISC_R_FAILURE"},      {27, "ISC_R_NOTIMPLEMENTED"},  {38, "ISC_R_FILENOTFOUND"},
    {41, "ISC_R_RANGE"},        {56, "ISC_R_BADNUMBER"},       {62, "ISC_R_MULTIPLE"},
    {90, "DNS_R_SYNTAX"},       {111, "DNS_R_UPTODATE"},       {155, "DNS_R_FROZEN"},
    {172, "DNS_R_DYNAMIC"},     {173, "DNS_R_UNKNOWNCOMMAND"}, {179, "DNS_R_NOTPRIMARY"},
    {182, "DNS_R_NOTDYNAMIC"},
};

static const char *result_name(uint32_t result)
{
    for (size_t i = 0; i < ARRAY_LEN(result_names); i++) {
        if (result_names[i].result == result) {
            return result_names[i].name;
        }
    }
    return "(unknown)";
}

static void usage(FILE *out)
{
    fputs("Usage: signet [-b address] [-c config] [-k key-file] [-s server] [-p port] [-y key]\n"
          "              [-t seconds] [-q] [-r] [-V] [-4 | -6] command ...\n\n"
          "Sends the command to signetd (or named): status, reload [zone], reconfig,\n"
          "zonestatus zone, stop, ... The manual page signet(8) has all of them.\n",
          out);
}

static bool take_number(const char *text, unsigned long max, unsigned long *out_value)
{
    char *end = NULL;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value > max) {
        return false;
    }
    *out_value = value;
    return true;
}

static bool take_option(struct client *client, int option, const char *argument)
{
    unsigned long number = 0;

    switch (option) {
    case '4':
        client->family = AF_INET;
        return true;
    case '6':
        client->family = AF_INET6;
        return true;
    case 'b':
        client->source = argument;
        return true;
    case 'c':
        client->conf_path = argument;
        return true;
    case 'k':
        client->key_path = argument;
        return true;
    case 's':
        client->server = argument;
        return true;
    case 'y':
        client->key_name = argument;
        return true;
    case 'p':
        if (!take_number(argument, UINT16_MAX, &number) || number == 0) {
            fprintf(stderr, "signet: port '%s' is not a number from 1 to 65535\n", argument);
            return false;
        }
        client->port = (uint16_t)number;
        return true;
    case 't':
        if (!take_number(argument, 86400, &number)) {
            fprintf(stderr, "signet: timeout '%s' is not a number of seconds\n", argument);
            return false;
        }
        client->timeout_seconds = (unsigned)number;
        return true;
    case 'q':
        client->quiet = true;
        return true;
    case 'r':
        client->shows_result = true;
        return true;
    case 'V':
        client->verbose = true;
        return true;
    case 'h':
        usage(stdout);
        exit(EXIT_SUCCESS);
    default:
        usage(stderr);
        return false;
    }
}

/* Which file says whom to speak to. NULL: none is there. */
static const char *find_configuration(const struct client *client)
{
    if (client->conf_path != NULL) {
        return client->conf_path;
    }
    if (client->key_path != NULL) {
        return client->key_path;
    }
    if (access(SIGNET_SYSCONFDIR "/rndc.conf", F_OK) == 0) {
        return SIGNET_SYSCONFDIR "/rndc.conf";
    }
    for (size_t i = 0; i < ARRAY_LEN(key_files); i++) {
        if (access(key_files[i], F_OK) == 0) {
            return key_files[i];
        }
    }
    return NULL;
}

/* `word` is what shall be sent. */
static bool load_configuration(struct client *client, const char *word, struct rndc_conf *out_conf)
{
    const char *path = find_configuration(client);
    char *problem = NULL;

    if (path == NULL) {
        if (!command_word_is_known(word)) {
            fprintf(stderr, "signet: '%s' is no subcommand (`signet help` has them)\n", word);
        }
        fprintf(stderr,
                "signet: neither %s/rndc.conf nor a key file %s was found.\n"
                "signetd makes the key when it is started first; use -k for one elsewhere.\n",
                SIGNET_SYSCONFDIR, key_files[0]);
        return false;
    }
    if (client->verbose) {
        fprintf(stderr, "using configuration %s\n", path);
    }
    if (rndc_conf_load(path, out_conf, &problem) != SG_OK) {
        fprintf(stderr, "signet: %s\n", problem);
        mem_free(problem);
        return false;
    }
    return true;
}

static bool choose_key(struct client *client, const struct rndc_conf *conf,
                       const struct rndc_server *server)
{
    const char *name = client->key_name;

    if (name == NULL && server != NULL) {
        name = server->key;
    }
    if (name == NULL) {
        name = conf->defaults.key;
    }
    if (name != NULL) {
        client->key = rndc_conf_key(conf, name);
        if (client->key == NULL) {
            fprintf(stderr, "signet: no key definition for name %s\n", name);
        }
        return client->key != NULL;
    }
    if (conf->keys_count == 0) {
        fprintf(stderr, "signet: no key for server and no default\n");
        return false;
    }
    client->key = &conf->keys[0];
    return true;
}

static bool add_addresses(struct client *client, const char *host, uint16_t port)
{
    struct addrinfo hints = {.ai_family = client->family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    int error = getaddrinfo(host, NULL, &hints, &found);
    if (error != 0) {
        fprintf(stderr, "signet: cannot find the address of '%s': %s\n", host, gai_strerror(error));
        return false;
    }
    for (const struct addrinfo *at = found;
         at != NULL && client->addresses_count < ADDRESSES_TRIED_MAX; at = at->ai_next) {
        struct net_address *address = &client->addresses[client->addresses_count];
        if (at->ai_addrlen > sizeof(address->at)) {
            continue;
        }
        memcpy(&address->at, at->ai_addr, at->ai_addrlen);
        net_address_set_port(address, port);
        client->addresses_count++;
    }
    freeaddrinfo(found);
    return true;
}

/* -s and -p stand above the server's statement, and that above `options`. */
static bool choose_addresses(struct client *client, const struct rndc_conf *conf,
                             const struct rndc_server *server)
{
    const char *host = client->server != NULL ? client->server : conf->defaults.name;
    uint16_t port = client->port;

    port = port == 0 && server != NULL ? server->port : port;
    port = port == 0 ? conf->defaults.port : port;
    port = port == 0 ? CONTROL_PORT : port;
    if (host == NULL) {
        bool found = client->family == AF_INET6 || add_addresses(client, "127.0.0.1", port);
        return found && (client->family == AF_INET || add_addresses(client, "::1", port));
    }
    if (server == NULL || server->addresses_count == 0) {
        return add_addresses(client, host, port);
    }
    for (size_t i = 0; i < server->addresses_count; i++) {
        const struct rndc_address *address = &server->addresses[i];
        bool own_port = client->port == 0 && address->port != 0;
        if (!add_addresses(client, address->host, own_port ? address->port : port)) {
            return false;
        }
    }
    return true;
}

/* Milliseconds for poll(2). */
static int time_left(const struct client *client)
{
    uint64_t now_ns = time_monotonic_ns();

    if (client->deadline_ns == 0) {
        return -1;
    }
    return now_ns >= client->deadline_ns ? 0 : (int)((client->deadline_ns - now_ns) / 1000000) + 1;
}

static bool wait_for(const struct client *client, short events)
{
    struct pollfd wanted = {.fd = client->fd, .events = events};
    int ready;

    do {
        ready = poll(&wanted, 1, time_left(client));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        errno = ETIMEDOUT;
    }
    return ready > 0;
}

static bool bind_source(const struct client *client, int fd, const struct net_address *to)
{
    struct net_address source;

    if (client->source == NULL) {
        return true;
    }
    if (net_address_from_text(client->source, 0, &source) != SG_OK) {
        errno = EINVAL;
        return false;
    }
    return net_address_is_v6(&source) != net_address_is_v6(to) ||
           bind(fd, &source.at.any, net_address_length(&source)) == 0;
}

static bool connect_one(struct client *client, const struct net_address *address)
{
    int error = 0;
    socklen_t length = sizeof(error);

    client->fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->fd < 0) {
        return false;
    }
    if (!bind_source(client, client->fd, address)) {
        return false;
    }
    if (connect(client->fd, &address->at.any, net_address_length(address)) == 0) {
        return true;
    }
    if (errno != EINPROGRESS || !wait_for(client, POLLOUT)) {
        return false;
    }
    (void)getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error;
    return error == 0;
}

static bool connect_any(struct client *client)
{
    char text[NET_ADDRESS_TEXT_BYTES];

    for (size_t i = 0; i < client->addresses_count; i++) {
        const struct net_address *address = &client->addresses[i];
        if (client->verbose) {
            fprintf(stderr, "connecting to %s\n", net_address_to_text(address, text));
        }
        if (connect_one(client, address)) {
            return true;
        }
        /* Without a server of one's own choice only the first address is worth a word. */
        if (i == 0 || client->server != NULL) {
            fprintf(stderr, "signet: connect failed: %s: %s\n", net_address_to_text(address, text),
                    strerror(errno));
        }
        if (client->fd >= 0) {
            close(client->fd);
            client->fd = -1;
        }
    }
    return false;
}

/* Was the call only too early, and may it be tried again now? */
static bool try_again(const struct client *client, short events)
{
    return errno == EINTR || (errno == EAGAIN && wait_for(client, events));
}

static bool send_all(const struct client *client, struct span bytes)
{
    while (bytes.length > 0) {
        ssize_t sent = send(client->fd, bytes.bytes, bytes.length, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.bytes += sent;
            bytes.length -= (size_t)sent;
        } else if (!try_again(client, POLLOUT)) {
            return false;
        }
    }
    return true;
}

/* errno is 0 when the server closed the connection. */
static bool receive_all(const struct client *client, uint8_t *out_bytes, size_t length)
{
    size_t got = 0;

    while (got < length) {
        ssize_t more = recv(client->fd, out_bytes + got, length - got, 0);
        if (more == 0) {
            errno = 0;
            return false;
        }
        if (more > 0) {
            got += (size_t)more;
        } else if (!try_again(client, POLLIN)) {
            return false;
        }
    }
    return true;
}

/* `trusted`: it has answered us before, so that it is not our key that it does not like. */
static void explain_receive_failure(const struct client *client, bool trusted)
{
    if (errno == ETIMEDOUT) {
        fprintf(stderr, "signet: no answer within %u seconds (-t sets another time)%s\n",
                client->timeout_seconds,
                trusted ? "; the server may still be at work on the command" : "");
        return;
    }
    if (errno != 0 && errno != ECONNRESET) {
        fprintf(stderr, "signet: recv failed: %s\n", strerror(errno));
        return;
    }
    if (trusted) {
        fputs("signet: the server closed the connection before it answered.\n"
              "It was stopped or has crashed in the meantime: whether the command was done is not\n"
              "known. Its log says more.\n",
              stderr);
        return;
    }
    fputs("signet: connection to remote host closed.\n"
          "The server says nothing to those it does not trust. Perhaps\n"
          "* the key is not one of the server's control channel,\n"
          "* the key's algorithm is not the one the server has for it,\n"
          "* this address is not in the server's `allow` list, or\n"
          "* the clocks of both machines differ by more than five minutes.\n"
          "The server's log says which.\n",
          stderr);
}

/* Send one request and read its reply into `frame`, which `out_reply` points into. */
static bool exchange(const struct client *client, const struct control_message *request,
                     struct buffer *frame, struct control_message *out_reply)
{
    struct buffer wire = BUFFER_EMPTY;
    const struct tsig_key *key = NULL;
    struct span body;
    uint8_t header[4];

    control_message_encode(request, client->key, &wire);
    bool sent = send_all(client, buffer_span(&wire));
    buffer_wipe(&wire);
    if (!sent) {
        fprintf(stderr, "signet: send failed: %s\n", strerror(errno));
        return false;
    }
    if (!receive_all(client, header, sizeof(header))) {
        explain_receive_failure(client, request->nonce != 0);
        return false;
    }
    uint32_t length = wire_get_u32(header);
    if (length > CONTROL_REPLY_BYTES_MAX) {
        fprintf(stderr, "signet: the reply is too long\n");
        return false;
    }
    buffer_clear(frame);
    buffer_reserve(frame, length);
    if (!receive_all(client, frame->bytes, length)) {
        explain_receive_failure(client, request->nonce != 0);
        return false;
    }
    frame->length = length;
    enum sg_result result =
        control_message_verify(buffer_span(frame), &client->key, 1, &key, &body);
    if (result == SG_OK) {
        result = control_message_decode(body, out_reply);
    }
    if (result != SG_OK || !out_reply->is_reply || out_reply->serial != request->serial) {
        fprintf(stderr, "signet: the reply is not authentic: %s\n",
                result == SG_OK ? "it answers another request" : sg_result_text(result));
        return false;
    }
    return true;
}

static int show_reply(const struct client *client, const struct control_message *reply)
{
    bool failed = reply->error.length > 0;

    if (failed) {
        fprintf(stderr, "signet: '%.*s' failed: %.*s\n", (int)strcspn(client->command, " "),
                client->command, (int)reply->error.length, (const char *)reply->error.bytes);
    }
    if (reply->text.length > 0 && (failed || !client->quiet)) {
        fprintf(failed ? stderr : stdout, "%.*s\n", (int)reply->text.length,
                (const char *)reply->text.bytes);
    }
    if (client->shows_result) {
        printf("%s %u\n", result_name(reply->result), reply->result);
    }
    return failed ? EXIT_FAILURE : zone_trouble(client->command, reply->text);
}

static int run(struct client *client)
{
    struct buffer frame = BUFFER_EMPTY;
    struct control_message reply;
    int status = EXIT_FAILURE;
    sg_time now = time_now();

    struct control_message request = {
        .serial = random_u32(),
        .made_at = now,
        .expires_at = now + CONTROL_LIFETIME,
        .command = span_of_text("null"),
    };
    /* The first request is for the nonce alone: whatever it asked would not be run. */
    if (exchange(client, &request, &frame, &reply)) {
        request.serial++;
        request.nonce = reply.nonce;
        request.command = span_of_text(client->command);
        if (exchange(client, &request, &frame, &reply)) {
            status = show_reply(client, &reply);
        }
    }
    buffer_wipe(&frame);
    return status;
}

static char *join_words(int count, char **words)
{
    struct buffer line = BUFFER_EMPTY;

    for (int i = 0; i < count; i++) {
        buffer_append_text(&line, i == 0 ? "" : " ");
        buffer_append_text(&line, words[i]);
    }
    char *text = mem_copy_text(buffer_text(&line));
    buffer_free(&line);
    return text;
}

/* The server has another working directory than we. */
static char *write_command(int count, char **words)
{
    char here[PATH_MAX];

    if (count != 2 || strcasecmp(words[0], "backup") != 0 || words[1][0] == '/' ||
        getcwd(here, sizeof(here)) == NULL) {
        return join_words(count, words);
    }
    return mem_format("backup \"%s/%s\"", here, words[1]);
}

/* A slip of the finger is not sent anywhere. What we have never heard of is: the server may know.
 */
static bool check_word(const char *word)
{
    const char *meant = command_word_meant(word);

    if (meant == NULL) {
        return true;
    }
    fprintf(stderr, "signet: '%s' is no subcommand and no command; did you mean '%s'?\n", word,
            meant);
    return false;
}

int tool_control(int count, char **arguments)
{
    struct client client = {.timeout_seconds = TIMEOUT_SECONDS, .family = AF_UNSPEC, .fd = -1};
    struct rndc_conf conf = {.keys = NULL};
    int status = EXIT_FAILURE;

    optind = 1;
    /* "+": what follows the command is the command's, also `-status`. */
    for (int option; (option = getopt(count, arguments, "+46b:c:hk:p:qrs:t:Vy:")) != -1;) {
        if (!take_option(&client, option, optarg)) {
            return EXIT_FAILURE;
        }
    }
    if (optind >= count) {
        usage(stderr);
        return EXIT_FAILURE;
    }
    if (!check_word(arguments[optind])) {
        return EXIT_FAILURE;
    }
    if (!load_configuration(&client, arguments[optind], &conf)) {
        return EXIT_FAILURE;
    }
    const char *name = client.server != NULL ? client.server : conf.defaults.name;
    const struct rndc_server *server = name == NULL ? NULL : rndc_conf_server(&conf, name);
    client.command = write_command(count - optind, arguments + optind);
    if (client.timeout_seconds > 0) {
        client.deadline_ns = time_monotonic_ns() + client.timeout_seconds * 1000000000ULL;
    }
    if (strlen(client.command) > CONTROL_REQUEST_BYTES_MAX / 2) {
        fprintf(stderr, "signet: the command is too long\n");
    } else if (choose_key(&client, &conf, server) && choose_addresses(&client, &conf, server) &&
               connect_any(&client)) {
        status = run(&client);
    }
    if (client.fd >= 0) {
        close(client.fd);
    }
    mem_free(client.command);
    rndc_conf_clear(&conf);
    return status;
}
