/*
 * How long does a restart read? usage: bench_image [NAMES [THREADS]]
 *
 * A zone of NAMES names, signed with NSEC by THREADS workers (2.5 signatures each: 5 records a
 * name), is written as an image into memory and read back, several times; then the same with
 * NSEC3. CPU time is shown beside the wall clock, which a busy machine disturbs more. Last, what
 * the checksums that an image might have would cost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "base/time.h"
#include "dns/rrtype.h"
#include "dnssec/pkey.h"
#include "dnssec/sign_zone.h"
#include "zone/image.h"

enum { NAMES = 100000, THREADS = 2, TURNS = 5 };

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    if (dns_name_from_text(text, strlen(text), NULL, &name) != SG_OK) {
        abort();
    }
    return name;
}

static struct signing_key *make_key(void)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    struct buffer rdata = BUFFER_EMPTY;
    signing_key_init(key);
    buffer_append(&rdata, "\1\1\3", 3);
    buffer_append_u8(&rdata, DNSSEC_ECDSAP256SHA256);
    if (pkey_generate(DNSSEC_ECDSAP256SHA256, 2048, &rdata, &key->secret) != SG_OK) {
        abort();
    }
    key->zone = name_of("example.test.");
    key->algorithm = DNSSEC_ECDSAP256SHA256;
    key->flags = 257;
    key->dnskey = (struct span){mem_copy(rdata.bytes, rdata.length), rdata.length};
    key->tag = dnskey_tag(key->dnskey);
    buffer_free(&rdata);
    return key;
}

static void add(struct zone_edit *edit, const struct dns_name *owner, uint16_t type,
                const void *bytes, size_t length)
{
    uint32_t ttl;
    if (zone_edit_add_record(edit, owner, type, 3600, (struct span){bytes, length}, &ttl) !=
        SG_OK) {
        abort();
    }
}

static struct zone_edit *make_zone(const struct dns_name *apex, size_t names)
{
    static const char soa[] = "\2ns\0\1h\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\1\54";
    struct zone_edit *edit = zone_edit_new(apex, DNS_CLASS_IN);
    add(edit, apex, DNS_TYPE_SOA, soa, sizeof(soa) - 1);
    add(edit, apex, DNS_TYPE_NS, "\2ns\0", 4);
    for (size_t i = 0; i < names; i++) {
        char text[64];
        uint8_t address[4];
        snprintf(text, sizeof(text), "name-%06zu.example.test.", i);
        struct dns_name owner = name_of(text);
        wire_put_u32(address, (uint32_t)i);
        add(edit, &owner, DNS_TYPE_A, address, sizeof(address));
        if (i % 2 == 0) {
            add(edit, &owner, DNS_TYPE_TXT, "\3abc", 4);
        }
    }
    return edit;
}

static const struct zone_version *make_signed(size_t names, size_t threads, bool nsec3)
{
    struct signing_key *key = make_key();
    struct zone_edit *edit = make_zone(&key->zone, names);
    uint8_t packed[KEY_PUBLIC_BYTES_MAX];
    wire_put_u16(packed, (uint16_t)key->dnskey.length);
    memcpy(packed + 2, key->dnskey.bytes, key->dnskey.length);
    const struct dns_rrset dnskey = {
        packed, (uint32_t)key->dnskey.length + 2, 3600, DNS_TYPE_DNSKEY, 0, 1};
    const struct sign_key csk = {key, true, true};
    const struct sign_keys keys = {&csk, 1};
    const struct sign_policy policy = {.inception_offset = 3600,
                                       .validity = 14 * SG_DAY,
                                       .validity_dnskey = 14 * SG_DAY,
                                       .jitter = SG_DAY,
                                       .nsec3 = nsec3,
                                       .nsec3_params = {.algorithm = 1}};
    const struct sign_request request = {&dnskey, 1, &keys, &policy, 2, 1000000, NULL, NULL};
    struct sign_report report;
    const struct zone_version *version;
    struct worker_pool *pool;
    if (worker_pool_new(threads, &pool) != SG_OK ||
        sign_zone(edit, &request, pool, &report) != SG_OK ||
        zone_edit_seal(edit, &version) != SG_OK) {
        abort();
    }
    worker_pool_free(pool);
    signing_key_free(key);
    return version;
}

struct times {
    uint64_t wall, cpu;
};

static struct times times_now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (struct times){time_monotonic_ns(),
                          (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec};
}

/* The best turn: what the machine can do when it is not disturbed. */
static void note(struct times *best, struct times begin)
{
    struct times end = times_now();
    struct times spent = {end.wall - begin.wall, end.cpu - begin.cpu};
    best->wall = best->wall == 0 || spent.wall < best->wall ? spent.wall : best->wall;
    best->cpu = best->cpu == 0 || spent.cpu < best->cpu ? spent.cpu : best->cpu;
}

static void show(const char *what, struct times best)
{
    printf("  %-6s %7.1f ms, CPU %7.1f ms\n", what, (double)best.wall / 1e6,
           (double)best.cpu / 1e6);
}

static bool append_to(void *argument, struct span bytes)
{
    buffer_append(argument, bytes.bytes, bytes.length);
    return true;
}

static size_t take_from(void *argument, uint8_t *out_bytes, size_t bytes_max)
{
    struct reader *reader = argument;
    size_t count = reader_left(reader) < bytes_max ? reader_left(reader) : bytes_max;
    memcpy(out_bytes, reader->at, count);
    reader->at += count;
    return count;
}

static void bench_zone(size_t names, size_t threads, bool nsec3, struct buffer *image)
{
    const struct zone_version *version = make_signed(names, threads, nsec3);
    struct times writing = {0}, reading = {0}, sealing = {0};
    for (int turn = 0; turn < TURNS; turn++) {
        const struct zone_version *copy;
        struct zone_edit *edit;
        buffer_clear(image);
        struct times begin = times_now();
        if (zone_image_write(version, append_to, image) != SG_OK) {
            abort();
        }
        note(&writing, begin);
        struct reader reader = reader_of(buffer_span(image));
        begin = times_now();
        if (zone_image_read(zone_version_apex(version), DNS_CLASS_IN, take_from, &reader, &edit) !=
            SG_OK) {
            abort();
        }
        note(&reading, begin);
        begin = times_now();
        if (zone_edit_seal(edit, &copy) != SG_OK ||
            zone_version_facts(copy)->records != zone_version_facts(version)->records) {
            abort();
        }
        note(&sealing, begin);
        zone_version_unref(copy);
        epoch_barrier();
    }
    printf("%zu names, %s, %llu records, %.1f MB\n", names, nsec3 ? "NSEC3" : "NSEC",
           (unsigned long long)zone_version_facts(version)->records, (double)image->length / 1e6);
    show("write", writing);
    show("read", reading);
    show("seal", sealing);
    zone_version_unref(version);
    epoch_barrier();
}

static void bench_checksums(struct span bytes)
{
    static const uint8_t key[16] = "bench";
    static const char *const names[] = {"CRC-32C", "CRC-32C by tables", "SipHash-2-4"};
    volatile uint64_t sum = 0;
    for (int which = 0; which < 3; which++) {
        struct times best = {0};
        for (int turn = 0; turn < TURNS; turn++) {
            struct times begin = times_now();
            sum = sum + (which == 0   ? crc32c(0, bytes.bytes, bytes.length)
                         : which == 1 ? crc32c_by_tables(0, bytes.bytes, bytes.length)
                                      : siphash(key, bytes.bytes, bytes.length));
            note(&best, begin);
        }
        printf("  %-18s %6.1f ms, %5.2f GB/s\n", names[which], (double)best.cpu / 1e6,
               (double)bytes.length / (double)best.cpu);
    }
}

int main(int argc, char **argv)
{
    size_t names = argc > 1 ? strtoul(argv[1], NULL, 10) : NAMES;
    size_t threads = argc > 2 ? strtoul(argv[2], NULL, 10) : THREADS;
    struct buffer image = BUFFER_EMPTY;
    bench_zone(names, threads, false, &image);
    bench_checksums(buffer_span(&image));
    bench_zone(names, threads, true, &image);
    buffer_free(&image);
    return 0;
}
