/*
 * bench_serve - the query path alone: one zone file, no keeper, no store, no control channel
 *
 * What bench.py `query` measures of signetd, without the rest: for perf, and to tell the front
 * desk's share. Ends at SIGTERM or SIGINT and prints its counters.
 *
 * usage: bench_serve ADDRESS PORT APEX FILE [UDP-THREADS [TCP-THREADS]]
 *        bench_serve answer QUERIES APEX FILE [BATCH]
 *            without sockets: ns of CPU for each query; QUERIES is a file for dnsperf, and as many
 *            as BATCH (64) arrive together
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "net/net.h"
#include "server/dispatch.h"
#include "zone/zonefile.h"

static struct dispatch *serve_front(struct zone_slot *slot, const char *apex)
{
    char *text = mem_format("options { recursion no; minimal-responses yes;"
                            " allow-transfer { 127.0.0.1; }; };"
                            " zone \"%s\" { type primary; file \"none\"; };",
                            apex);
    struct conf_report report = {0};
    struct conf *conf;
    struct front *front;

    if (conf_load_text("bench", span_of_text(text), &conf, &report) != SG_OK) {
        exit(1);
    }
    mem_free(text);
    conf_report_clear(&report);
    slot->options = conf->views[0]->zones[0];
    struct zone_slot *slots[] = {slot};
    const struct front_zones zones = {slots, 1};
    if (front_new(conf, &zones, &front) != SG_OK) {
        exit(1);
    }
    struct dispatch *desk = dispatch_new(NULL);
    dispatch_publish(desk, front);
    return desk;
}

static void load(struct zone_slot *slot, const char *apex, const char *path)
{
    const struct zonefile_options options = {.path = path};
    struct zonefile_report report = {0};
    const struct zone_version *version;

    if (dns_name_from_text(apex, strlen(apex), NULL, &slot->apex) != SG_OK) {
        exit(2);
    }
    slot->rrclass = 1;
    struct zone_edit *edit = zone_edit_new(&slot->apex, 1);
    if (zonefile_load(edit, &options, &report) != SG_OK ||
        zone_edit_seal(edit, &version) != SG_OK) {
        fprintf(stderr, "%s: %s\n", path,
                report.problems_count > 0 ? report.problems[0].text : "not loaded");
        exit(1);
    }
    zonefile_report_clear(&report);
    slot->version = version;
}

static void wait_for_end(void)
{
    sigset_t ends;
    int number;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    sigwait(&ends, &number);
}

/* --- without sockets ------------------------------------------------------------------------ */

struct packets {
    struct span *wires;
    size_t count;
    struct buffer bytes;
};

/* Header, question, OPT with DO and a payload of 4096. */
static void add_query(struct packets *packets, const char *name, const char *type)
{
    static const uint8_t header[] = {0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1};
    static const uint8_t opt[] = {0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0};
    struct dns_name owner;
    uint16_t number;

    if (dns_name_from_text(name, strlen(name), NULL, &owner) != SG_OK ||
        dns_type_from_text(type, strlen(type), &number) != SG_OK) {
        return;
    }
    size_t before = packets->bytes.length;
    buffer_append(&packets->bytes, header, sizeof(header));
    buffer_append(&packets->bytes, owner.wire, owner.length);
    buffer_append_u16(&packets->bytes, number);
    buffer_append_u16(&packets->bytes, 1);
    buffer_append(&packets->bytes, opt, sizeof(opt));
    packets->wires = mem_resize_array(packets->wires, packets->count + 1, sizeof(struct span));
    packets->wires[packets->count++] = (struct span){NULL, packets->bytes.length - before};
}

static struct packets read_queries(const char *path)
{
    struct packets packets = {.bytes = BUFFER_EMPTY};
    struct buffer text = BUFFER_EMPTY;
    char *line_at;
    char *word_at;

    if (file_read(path, 1 << 30, &text) != SG_OK) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    (void)buffer_text(&text);
    for (char *line = strtok_r((char *)text.bytes, "\n", &line_at); line != NULL;
         line = strtok_r(NULL, "\n", &line_at)) {
        const char *name = strtok_r(line, " ", &word_at);
        const char *type = strtok_r(NULL, " ", &word_at);
        if (name != NULL && type != NULL) {
            add_query(&packets, name, type);
        }
    }
    buffer_free(&text);
    const uint8_t *at = packets.bytes.bytes;
    for (size_t i = 0; i < packets.count; i++) {
        packets.wires[i].bytes = at;
        at += packets.wires[i].length;
    }
    return packets;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum { ROUNDS = 5, SLAB_BYTES = 1 << 18, REPLY_BYTES_MAX = 4096 };

/* As a UDP thread does it. Returns bytes of answers. */
static size_t answer_batch(const struct net_service *service, void *thread,
                           const struct net_request *requests, size_t count)
{
    static uint8_t slab[SLAB_BYTES];
    size_t at = 0;

    service->prepare(service->argument, thread, requests, count);
    for (size_t i = 0; i < count; i++) {
        at += service->answer(service->argument, thread, &requests[i], slab + at, REPLY_BYTES_MAX,
                              NULL);
    }
    return at;
}

static int answer_all(const struct net_service *service, const char *path, size_t batch)
{
    struct packets packets = read_queries(path);
    struct net_request requests[NET_BATCH_MAX];
    struct net_address address;
    void *thread = service->thread_start(service->argument, false);
    size_t bytes = 0;

    if (net_address_from_text("127.0.0.1", 5300, &address) != SG_OK || packets.count == 0) {
        return 1;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        for (size_t i = 0; i < packets.count; i += batch) {
            size_t count = packets.count - i < batch ? packets.count - i : batch;
            for (size_t k = 0; k < count; k++) {
                requests[k] = (struct net_request){
                    .wire = packets.wires[i + k], .client = &address, .local = &address};
            }
            bytes += answer_batch(service, thread, requests, count);
        }
        printf("%.0f ns/query\n", (cpu_seconds() - start) * 1e9 / (double)packets.count);
    }
    printf("%zu queries, %.0f bytes/answer\n", packets.count,
           (double)bytes / ROUNDS / (double)packets.count);
    service->thread_stop(service->argument, thread);
    buffer_free(&packets.bytes);
    mem_free(packets.wires);
    return 0;
}

static int serve(const struct net_service *service, const struct net_address *address,
                 unsigned udp_threads, unsigned tcp_threads)
{
    const struct net_settings settings = {.udp_threads = udp_threads, .tcp_threads = tcp_threads};
    const struct net_limits limits = {1000, 30, 30};
    struct net *net = net_new(service, &settings, &limits);

    if (net_bind(net, address, 1) != 1 || net_start(net) != SG_OK) {
        return 1;
    }
    wait_for_end();
    net_stop(net);
    net_free(net);
    return 0;
}

static void print_counts(const struct dispatch *desk)
{
    struct stats_counts counts;

    dispatch_counts(desk, &counts);
    for (int i = 0; i < STATS_COUNTERS; i++) {
        if (counts.counters[i] > 0) {
            printf("%12llu %s\n", (unsigned long long)counts.counters[i],
                   stats_counter_text((enum stats_counter)i));
        }
    }
}

static size_t batch_of(const char *text)
{
    int batch = atoi(text);
    return batch < 1 || batch > NET_BATCH_MAX ? NET_BATCH_MAX : (size_t)batch;
}

int main(int argc, char **argv)
{
    static struct zone_slot slot;
    struct net_address address;
    bool sockets = argc >= 5 && strcmp(argv[1], "answer") != 0;

    if (argc < 5 ||
        (sockets && net_address_from_text(argv[1], (uint16_t)atoi(argv[2]), &address) != SG_OK)) {
        fprintf(stderr, "usage: bench_serve ADDRESS PORT APEX FILE [UDP-THREADS [TCP-THREADS]]\n"
                        "       bench_serve answer QUERIES APEX FILE [BATCH]\n");
        return 2;
    }
    load(&slot, argv[3], argv[4]);
    struct dispatch *desk = serve_front(&slot, argv[3]);
    const struct net_service service = dispatch_service(desk);
    int failed = sockets ? serve(&service, &address, argc > 5 ? (unsigned)atoi(argv[5]) : 1,
                                 argc > 6 ? (unsigned)atoi(argv[6]) : 1)
                         : answer_all(&service, argv[2], batch_of(argc > 5 ? argv[5] : "64"));
    print_counts(desk);
    dispatch_free(desk);
    return failed;
}
