#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/interfaces.h"
#include "support/table.h"

static size_t no_answer(void *argument, void *thread_state, const struct net_request *request,
                        uint8_t *out_bytes, size_t bytes_max, struct net_stream **out_stream)
{
    (void)argument;
    (void)thread_state;
    (void)request;
    (void)out_bytes;
    (void)bytes_max;
    (void)out_stream;
    return 0;
}

/* A port of 127.0.0.1 and the socket that has it; SO_REUSEADDR is not set: it is taken. Not one
 * that is given to who asks for any: it is let go of and bound again. */
static int take_port(uint16_t *out_port)
{
    static uint16_t next;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    do {
        *out_port = (uint16_t)(20000 + ((unsigned)getpid() * 16 + next++) % 10000);
        address.sin_port = htons(*out_port);
    } while (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0);
    return fd;
}

static struct conf *configure(const char *format, unsigned port)
{
    struct conf_report report = {.problems = NULL};
    struct conf *conf = NULL;
    char *listen = mem_format(format, port);
    char *text = mem_format("options { %s };\n", listen);

    assert_int_equal(conf_load_text("t", span_of_text(text), &conf, &report), SG_OK);
    conf_report_clear(&report);
    mem_free(text);
    mem_free(listen);
    return conf;
}

static struct net *new_net(void)
{
    const struct net_service service = {.answer = no_answer};
    const struct net_settings settings = {.udp_threads = 1, .tcp_threads = 1};
    const struct net_limits limits = {.tcp_clients = 1};

    return net_new(&service, &settings, &limits);
}

static const struct problem_case {
    const char *name;
    const char *listen;
    bool taken;        /* another has the port */
    const char *start; /* of the problem; NULL: none */
    size_t served;
} cases[] = {
    {"what is free is served", "listen-on port %u { 127.0.0.1; }; listen-on-v6 { none; };", false,
     NULL, 1},
    {"a taken address is named", "listen-on port %u { 127.0.0.1; }; listen-on-v6 { none; };", true,
     "could not listen on 127.0.0.1#", 0},
    {"none is no problem", "listen-on port %u { none; }; listen-on-v6 { none; };", false, NULL, 0},
    {"an address of another host is", "listen-on port %u { 192.0.2.55; }; listen-on-v6 { none; };",
     false, "listen-on names no address of this host", 0},
    {"any is one address", "listen-on port %u { any; }; listen-on-v6 { none; };", false, NULL, 1},
};

static void problem_is_told(void **state)
{
    const struct problem_case *c = *state;
    uint16_t port = 0;
    size_t wanted = 0;
    int fd = take_port(&port);
    struct conf *conf = configure(c->listen, port);
    struct net *net = new_net();

    thread_name(THREAD_KEEPER, "test");
    if (!c->taken) {
        close(fd);
    }
    assert_int_equal(interfaces_bind(net, conf, &wanted), c->served);
    char *problem = interfaces_problem(net, conf);
    if (c->start == NULL) {
        assert_null(problem);
    } else {
        assert_non_null(problem);
        assert_memory_equal(problem, c->start, strlen(c->start));
    }
    mem_free(problem);
    net_free(net);
    conf_free(conf);
    if (c->taken) {
        close(fd);
    }
}

static char told[4096];

static void note_line(void *argument, enum log_category category, int severity, const char *line)
{
    (void)argument, (void)category, (void)severity;
    snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s\n", line);
}

/* Others may match: the one that nobody has is named all the same. */
static void an_address_of_another_host_is_named_in_the_log(void **state)
{
    (void)state;
    uint16_t port = 0;
    size_t wanted = 0;
    int fd = take_port(&port);
    struct conf *conf =
        configure("listen-on port %u { 127.0.0.1; 192.0.2.55; }; listen-on-v6 { none; };", port);
    struct net *net = new_net();
    thread_name(THREAD_KEEPER, "test");
    close(fd);
    told[0] = 0;
    log_set_sink(note_line, NULL);
    assert_int_equal(interfaces_bind(net, conf, &wanted), 1);
    assert_non_null(strstr(told, "t:1: listen-on: no interface of this host has the address "
                                 "192.0.2.55"));
    assert_null(strstr(told, "has the address 127.0.0.1"));
    net_free(net);
    conf_free(conf);
    conf = configure("listen-on port %u { 203.0.113/24; }; listen-on-v6 { none; };", port);
    net = new_net();
    told[0] = 0;
    assert_int_equal(interfaces_bind(net, conf, &wanted), 0);
    assert_non_null(strstr(told, "t:1: listen-on matches no address of this host"));
    log_set_sink(NULL, NULL);
    net_free(net);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_of_another_host_is_named_in_the_log),
    };
    int failed = RUN_TABLE(cases, problem_is_told);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
