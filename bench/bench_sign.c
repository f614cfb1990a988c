/*
 * How far is signing from what OpenSSL can do? usage: bench_sign [NAMES [THREADS]]
 *        bench_sign change [NAMES ...]
 *        bench_sign signature    nanoseconds, and under bench/instructions, instructions of one
 *
 * For each algorithm, signatures a second of one thread: raw (EVP_PKEY_sign over a constant digest
 * again and again, which is what `openssl speed` measures) and by a signer (canonical form, digest,
 * RRSIG rdata), in turns, so that a busy machine hurts both alike. Then a whole zone of NAMES names
 * (2.5 signatures each, with NSEC) signed, placed and sealed by THREADS workers, beside as many
 * threads that sign raw. CPU time is shown as well, which a busy machine disturbs less; what the
 * wall clock has beyond it is work that only one thread did.
 *
 * "change": what one record more or less costs in a signed zone, from opening the edit to sealing
 * it, less what the signatures cost: Ed25519, counted, a signature's time taken in the same run.
 * And what the index of expirations weighs, and what it costs to note the change there.
 */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "dns/rrtype.h"
#include "dnssec/pkey.h"
#include "dnssec/resign.h"
#include "dnssec/sign_change.h"
#include "measure.h"

enum { TURN_NS = 100000000, TURNS = 10, BATCH = 16, NAMES = 100000, THREADS = 2, WORKER_NICE = 10 };
enum { CHANGES = 3000, FEW = 3 };

static const struct dns_rrset address = {
    (const uint8_t *)"\0\4\300\0\2\1", 6, 3600, DNS_TYPE_A, 0, 1};
static const struct sign_times times = {1, 1000000000};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    if (dns_name_from_text(text, strlen(text), NULL, &name) != SG_OK) {
        abort();
    }
    return name;
}

static struct signing_key *make_key(uint8_t algorithm)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    struct buffer rdata = BUFFER_EMPTY;
    signing_key_init(key);
    buffer_append(&rdata, "\1\1\3", 3);
    buffer_append_u8(&rdata, algorithm);
    if (pkey_generate(algorithm, 2048, &rdata, &key->secret) != SG_OK) {
        abort();
    }
    key->zone = name_of("example.test.");
    key->algorithm = algorithm;
    key->flags = 257;
    key->dnskey = (struct span){mem_copy(rdata.bytes, rdata.length), rdata.length};
    key->tag = dnskey_tag(key->dnskey);
    buffer_free(&rdata);
    return key;
}

/* OpenSSL alone, as its own benchmark does it. */
struct raw {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *operation;
    EVP_MD_CTX *one_shot;
    size_t digest_bytes;
};

static struct raw raw_new(const struct signing_key *key)
{
    struct raw raw = {0};
    struct span public_key = {key->dnskey.bytes + 4, key->dnskey.length - 4};
    const char *digest = pkey_digest_name(key->algorithm);
    if (pkey_import_private(NULL, key->secret, public_key, &raw.pkey) != SG_OK) {
        abort();
    }
    if (digest == NULL) {
        raw.one_shot = EVP_MD_CTX_new();
        EVP_DigestSignInit(raw.one_shot, NULL, NULL, NULL, raw.pkey);
        return raw;
    }
    EVP_MD *md = EVP_MD_fetch(NULL, digest, NULL);
    raw.digest_bytes = (size_t)EVP_MD_get_size(md);
    raw.operation = EVP_PKEY_CTX_new(raw.pkey, NULL);
    EVP_PKEY_sign_init(raw.operation);
    if (dnssec_algorithm_is_rsa(key->algorithm)) {
        EVP_PKEY_CTX_set_signature_md(raw.operation, md);
    }
    EVP_MD_free(md);
    return raw;
}

static void raw_free(struct raw *raw)
{
    EVP_PKEY_CTX_free(raw->operation);
    EVP_MD_CTX_free(raw->one_shot);
    EVP_PKEY_free(raw->pkey);
}

static void raw_sign(struct raw *raw)
{
    static const uint8_t digest[64] = {1, 2, 3};
    uint8_t signature[DNSSEC_SIGNATURE_BYTES_MAX];
    size_t length = sizeof(signature);
    int done = raw->one_shot != NULL
                   ? EVP_DigestSign(raw->one_shot, signature, &length, digest, 20)
                   : EVP_PKEY_sign(raw->operation, signature, &length, digest, raw->digest_bytes);
    if (done != 1) {
        abort();
    }
}

static void bench_algorithm(uint8_t algorithm)
{
    struct signing_key *key = make_key(algorithm);
    struct raw raw = raw_new(key);
    struct signer *signer = signer_new();
    struct dns_name owner = name_of("name-123456.example.test.");
    struct buffer rrsig = BUFFER_EMPTY;
    uint64_t counts[2] = {0}, spent[2] = {0};
    for (int turn = 0; turn < 2 * TURNS; turn++) {
        int which = turn % 2;
        uint64_t begin = time_monotonic_ns();
        do {
            for (int i = 0; i < BATCH; i++) {
                buffer_clear(&rrsig);
                if (which == 0) {
                    raw_sign(&raw);
                } else if (signer_sign(signer, key, &owner, &address, &times, &rrsig) != SG_OK) {
                    abort();
                }
            }
            counts[which] += BATCH;
        } while (time_monotonic_ns() - begin < TURN_NS);
        spent[which] += time_monotonic_ns() - begin;
    }
    double rates[2];
    for (int i = 0; i < 2; i++) {
        rates[i] = (double)counts[i] * 1e9 / (double)spent[i];
    }
    printf("%-16s raw %8.0f/s  signer %8.0f/s  %5.1f %%\n", dnssec_algorithm_text(algorithm),
           rates[0], rates[1], 100 * rates[1] / rates[0]);
    buffer_free(&rrsig);
    signer_free(signer);
    raw_free(&raw);
    signing_key_free(key);
}

/* One signature after another, for bench/instructions. */
struct signing {
    struct signer *signer;
    const struct signing_key *key;
    struct dns_name owner;
    struct buffer rrsig;
};

static void sign_batch(void *argument)
{
    struct signing *signing = argument;
    for (int i = 0; i < BATCH; i++) {
        buffer_clear(&signing->rrsig);
        if (signer_sign(signing->signer, signing->key, &signing->owner, &address, &times,
                        &signing->rrsig) != SG_OK) {
            abort();
        }
    }
}

static void count_algorithm(uint8_t algorithm)
{
    struct signing_key *key = make_key(algorithm);
    struct signing signing = {signer_new(), key, name_of("name-123456.example.test."),
                              BUFFER_EMPTY};
    sign_batch(&signing); /* what a signer prepares once is no part of it */
    measure_and_tell(&(struct measured){.what = dnssec_algorithm_text(algorithm),
                                        .operations = BATCH,
                                        .rounds = TURNS,
                                        .work = sign_batch,
                                        .argument = &signing});
    buffer_free(&signing.rrsig);
    signer_free(signing.signer);
    signing_key_free(key);
}

/* Of all threads of the process. */
static uint64_t cpu_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

struct raw_thread {
    pthread_t thread;
    const struct signing_key *key;
    uint64_t count;
};

static void *raw_run(void *argument)
{
    struct raw_thread *self = argument;
    struct raw raw = raw_new(self->key);
    uint64_t begin = time_monotonic_ns();
    setpriority(PRIO_PROCESS, (id_t)gettid(), WORKER_NICE); /* as workers run */
    while (time_monotonic_ns() - begin < TURNS * (uint64_t)TURN_NS) {
        for (int i = 0; i < BATCH; i++) {
            raw_sign(&raw);
        }
        self->count += BATCH;
    }
    raw_free(&raw);
    return NULL;
}

struct rate {
    double per_second;
    double cpu_us; /* of one signature */
};

static struct rate raw_rate(const struct signing_key *key, size_t threads)
{
    uint64_t cpu = cpu_ns();
    struct raw_thread *all = mem_alloc_zero(threads, sizeof(*all));
    uint64_t sum = 0;
    for (size_t i = 0; i < threads; i++) {
        all[i].key = key;
        pthread_create(&all[i].thread, NULL, raw_run, &all[i]);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(all[i].thread, NULL);
        sum += all[i].count;
    }
    mem_free(all);
    return (struct rate){(double)sum / (TURNS * (double)TURN_NS / 1e9),
                         (double)(cpu_ns() - cpu) / 1e3 / (double)sum};
}

static struct zone_edit *make_zone(const struct dns_name *apex, size_t names)
{
    static const char soa[] = "\2ns\0\1h\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\1\54";
    struct zone_edit *edit = zone_edit_new(apex, DNS_CLASS_IN);
    uint32_t ttl;
    enum sg_result result = zone_edit_add_record(
        edit, apex, DNS_TYPE_SOA, 3600, (struct span){(const uint8_t *)soa, sizeof(soa) - 1}, &ttl);
    result |= zone_edit_add_record(edit, apex, DNS_TYPE_NS, 3600,
                                   (struct span){(const uint8_t *)"\2ns\0", 4}, &ttl);
    for (size_t i = 0; i < names; i++) {
        char text[64];
        uint8_t rdata[4];
        snprintf(text, sizeof(text), "name-%06zu.example.test.", i);
        struct dns_name owner = name_of(text);
        wire_put_u32(rdata, (uint32_t)i);
        result |=
            zone_edit_add_record(edit, &owner, DNS_TYPE_A, 3600, (struct span){rdata, 4}, &ttl);
        if (i % 2 == 0) {
            result |= zone_edit_add_record(edit, &owner, DNS_TYPE_TXT, 3600,
                                           (struct span){(const uint8_t *)"\3abc", 4}, &ttl);
        }
    }
    if (result != SG_OK) {
        abort();
    }
    return edit;
}

static void bench_zone(size_t names, size_t threads, bool nsec3)
{
    struct signing_key *key = make_key(DNSSEC_ECDSAP256SHA256);
    struct dns_name apex = name_of("example.test.");
    struct worker_pool *pool;
    if (worker_pool_new(threads, &pool) != SG_OK) {
        abort();
    }
    struct zone_edit *edit = make_zone(&apex, names);
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
    struct rate before = raw_rate(key, threads);
    uint64_t begin = time_monotonic_ns();
    uint64_t cpu = cpu_ns();
    if (sign_zone(edit, &request, pool, &report) != SG_OK) {
        abort();
    }
    uint64_t sealing = time_monotonic_ns();
    if (zone_edit_seal(edit, &version) != SG_OK) {
        abort();
    }
    uint64_t end = time_monotonic_ns();
    cpu = cpu_ns() - cpu;
    struct rate after = raw_rate(key, threads);
    double count = (double)report.signatures;
    double seconds = (double)(end - begin) / 1e9;
    double raw_per_second = (before.per_second + after.per_second) / 2;
    double raw_cpu_us = (before.cpu_us + after.cpu_us) / 2;
    double cpu_us = (double)cpu / 1e3 / count;
    printf("%zu names, %s, %zu threads: %.0f signatures in %.2f s (seal %.3f s)\n", names,
           nsec3 ? "NSEC3" : "NSEC", threads, count, seconds, (double)(end - sealing) / 1e9);
    printf("  wall: %.0f/s, raw %.0f/s, %.1f %%; CPU: %.1f us each, raw %.1f us, %.1f %%\n",
           count / seconds, raw_per_second, 100 * count / seconds / raw_per_second, cpu_us,
           raw_cpu_us, 100 * raw_cpu_us / cpu_us);
    zone_version_unref(version);
    epoch_barrier();
    worker_pool_free(pool);
    signing_key_free(key);
}

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Of this thread. */
static double thread_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

/* What a signature costs, in microseconds, between the changes: a few, with caches as cold. */
static double sign_us(const struct signing_key *key)
{
    struct dns_name owner = name_of("name-123456.example.test.");
    struct buffer rrsig = BUFFER_EMPTY;
    double begin = thread_us();
    for (int i = 0; i < FEW; i++) {
        buffer_clear(&rrsig);
        if (signer_sign(signer_of_thread(), key, &owner, &address, &times, &rrsig) != SG_OK) {
            abort();
        }
    }
    buffer_free(&rrsig);
    return (thread_us() - begin) / FEW;
}

struct changes {
    const struct zone_version *version;
    struct resign_index *index;
    struct sign_request request;
    const struct signing_key *key;
    double all_us[CHANGES], own_us[CHANGES], note_us[CHANGES];
    uint64_t signatures;
};

/* Change `i`: a name comes, gets another address, goes. */
static void change_once(struct changes *changes, unsigned i)
{
    char text[64];
    snprintf(text, sizeof(text), "name-%06u-new.example.test.", i / 3 * 7919 % NAMES);
    struct dns_name owner = name_of(text);
    struct dns_rrset rrset = address;
    rrset.ttl += i % 3;
    rrset.count = i % 3 < 2;
    const struct zone_version *next;
    struct sign_report report;
    changes->request.serial++;
    double begin = thread_us();
    struct zone_edit *edit = zone_edit_open(changes->version);
    if (zone_edit_put_rrset(edit, &owner, ZONE_SOURCE, &rrset) != SG_OK ||
        sign_change(edit, changes->version, &changes->request, NULL, &report) != SG_OK ||
        zone_edit_seal(edit, &next) != SG_OK) {
        abort();
    }
    double sealed = thread_us();
    resign_index_note(changes->index, changes->version, next, changes->request.now);
    double end = thread_us();
    changes->all_us[i] = sealed - begin;
    changes->note_us[i] = end - sealed;
    changes->signatures += report.signatures;
    zone_version_unref(changes->version);
    changes->version = next;
    epoch_barrier();
    changes->own_us[i] = changes->all_us[i] - (double)report.signatures * sign_us(changes->key);
}

static void bench_change(size_t names, bool nsec3)
{
    static struct changes changes;
    struct signing_key *key = make_key(DNSSEC_ED25519);
    struct dns_name apex = name_of("example.test.");
    struct zone_edit *edit = make_zone(&apex, names);
    struct worker_pool *pool;
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
    struct sign_report report;
    changes = (struct changes){.request = {&dnskey, 1, &keys, &policy, 2, 1000000}, .key = key};
    if (worker_pool_new(THREADS, &pool) != SG_OK ||
        sign_zone(edit, &changes.request, pool, &report) != SG_OK ||
        zone_edit_seal(edit, &changes.version) != SG_OK) {
        abort();
    }
    uint64_t begin = time_monotonic_ns();
    changes.index = resign_index_new(changes.version, changes.request.now);
    double index_ms = (double)(time_monotonic_ns() - begin) / 1e6;
    for (unsigned i = 0; i < CHANGES; i++) {
        change_once(&changes, i);
    }
    qsort(changes.all_us, CHANGES, sizeof(double), compare_numbers);
    qsort(changes.own_us, CHANGES, sizeof(double), compare_numbers);
    qsort(changes.note_us, CHANGES, sizeof(double), compare_numbers);
    printf("%zu names, %s: one record changed in %.1f us (median), without its %.1f signatures "
           "%.1f us; noted in %.1f us\n",
           names, nsec3 ? "NSEC3" : "NSEC", changes.all_us[CHANGES / 2],
           (double)changes.signatures / CHANGES, changes.own_us[CHANGES / 2],
           changes.note_us[CHANGES / 2]);
    printf("  index of expirations: %.0f ms to make, %.2f bytes a name\n", index_ms,
           (double)resign_index_bytes(changes.index) / (double)names);
    resign_index_free(changes.index);
    zone_version_unref(changes.version);
    epoch_barrier();
    worker_pool_free(pool);
    signing_key_free(key);
}

int main(int argc, char **argv)
{
    static const uint8_t algorithms[] = {8, 10, 13, 14, 15, 16};
    if (argc > 1 && strcmp(argv[1], "change") == 0) {
        for (int i = 2; i < argc || i == 2; i++) {
            size_t names = argc > 2 ? strtoul(argv[i], NULL, 10) : NAMES;
            bench_change(names, false);
            bench_change(names, true);
        }
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "signature") == 0) {
        for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
            count_algorithm(algorithms[i]);
        }
        return 0;
    }
    size_t names = argc > 1 ? strtoul(argv[1], NULL, 10) : NAMES;
    size_t threads = argc > 2 ? strtoul(argv[2], NULL, 10) : THREADS;
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        bench_algorithm(algorithms[i]);
    }
    bench_zone(names, threads, false);
    bench_zone(names, threads, true);
    return 0;
}
