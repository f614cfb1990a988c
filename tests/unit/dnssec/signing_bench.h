/*
 * What the tests of signing share: keys in memory, a zone from text, its signed version, judges.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dnssec/pkey.h"
#include "dnssec/sign_zone.h"
#include "support/table.h"
#include "zone/zonefile.h"

enum { BENCH_KEYS_MAX = 4, BENCH_SERIAL = 4711 };

struct bench {
    struct dns_name apex;
    struct signing_key *keys[BENCH_KEYS_MAX];
    struct sign_key sign_keys[BENCH_KEYS_MAX];
    struct sign_keys list;
    struct buffer dnskey_bytes;
    struct dns_rrset dnskey;
    struct sign_policy policy;
    sg_time now;
    struct worker_pool *pool;
    struct sign_report report;
};

/* One letter a role: K, Z or C, each followed by the algorithm: "K13 Z13 C15". */
static inline void bench_add_key(struct bench *bench, char role, uint8_t algorithm)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    struct buffer rdata = BUFFER_EMPTY;
    signing_key_init(key);
    key->flags = role == 'Z' ? 256 : 257;
    buffer_append_u16(&rdata, key->flags);
    buffer_append_u8(&rdata, 3);
    buffer_append_u8(&rdata, algorithm);
    assert_int_equal(pkey_generate(algorithm, 1024, &rdata, &key->secret), SG_OK);
    key->zone = bench->apex;
    key->algorithm = algorithm;
    key->dnskey = (struct span){mem_copy(rdata.bytes, rdata.length), rdata.length};
    key->tag = dnskey_tag(key->dnskey);
    buffer_free(&rdata);
    bench->keys[bench->list.count] = key;
    bench->sign_keys[bench->list.count] = (struct sign_key){key, role != 'Z', role != 'K'};
    bench->list.count++;
}

static inline int bench_compare_keys(const void *a, const void *b)
{
    return dns_rdata_compare(DNS_TYPE_DNSKEY, (*(struct signing_key *const *)a)->dnskey,
                             (*(struct signing_key *const *)b)->dnskey);
}

static inline void bench_init(struct bench *bench, const char *apex, const char *keys)
{
    *bench = (struct bench){
        .policy = {.inception_offset = 3600,
                   .validity = 14 * SG_DAY,
                   .validity_dnskey = 10 * SG_DAY,
                   .jitter = SG_DAY,
                   .nsec3_params = {.algorithm = 1}},
        .now = (sg_time)time(NULL),
    };
    assert_int_equal(dns_name_from_text(apex, strlen(apex), NULL, &bench->apex), SG_OK);
    bench->list.keys = bench->sign_keys;
    for (const char *at = keys; *at != 0; at += strcspn(at, " "), at += strspn(at, " ")) {
        bench_add_key(bench, at[0], (uint8_t)strtol(at + 1, NULL, 10));
    }
    struct signing_key *sorted[BENCH_KEYS_MAX];
    memcpy(sorted, bench->keys, sizeof(sorted));
    qsort(sorted, bench->list.count, sizeof(*sorted), bench_compare_keys);
    for (size_t i = 0; i < bench->list.count; i++) {
        buffer_append_u16(&bench->dnskey_bytes, (uint16_t)sorted[i]->dnskey.length);
        buffer_append(&bench->dnskey_bytes, sorted[i]->dnskey.bytes, sorted[i]->dnskey.length);
    }
    bench->dnskey = (struct dns_rrset){.packed = bench->dnskey_bytes.bytes,
                                       .bytes = (uint32_t)bench->dnskey_bytes.length,
                                       .ttl = 3600,
                                       .type = DNS_TYPE_DNSKEY,
                                       .count = (uint16_t)bench->list.count};
    assert_int_equal(worker_pool_new(2, &bench->pool), SG_OK);
}

static inline void bench_clear(struct bench *bench)
{
    for (size_t i = 0; i < bench->list.count; i++) {
        signing_key_free(bench->keys[i]);
    }
    buffer_free(&bench->dnskey_bytes);
    worker_pool_free(bench->pool);
}

static inline struct zone_edit *bench_load(const struct bench *bench, struct span text)
{
    struct zone_edit *edit = zone_edit_new(&bench->apex, DNS_CLASS_IN);
    struct zonefile_report report = {.errors = 0};
    const struct zonefile_options options = {.path = "text"};
    enum sg_result result = zonefile_load_text(edit, &options, text, &report);
    if (result != SG_OK) {
        print_error("%s\n", report.problems_count > 0 ? report.problems[0].text : "");
    }
    assert_int_equal(result, SG_OK);
    zonefile_report_clear(&report);
    return edit;
}

static inline enum sg_result bench_sign(struct bench *bench, struct zone_edit *edit)
{
    struct sign_progress progress = {0};
    const struct sign_request request = {
        .apex = &bench->dnskey,
        .apex_count = 1,
        .keys = &bench->list,
        .policy = &bench->policy,
        .serial = BENCH_SERIAL,
        .now = bench->now,
        .progress = &progress,
    };
    enum sg_result result = sign_zone(edit, &request, bench->pool, &bench->report);
    assert_true(result != SG_OK ||
                (progress.all >= bench->report.names && progress.done == progress.all));
    return result;
}

/* Load, sign, seal. The caller lets the version go. */
static inline const struct zone_version *bench_sign_text(struct bench *bench, const char *text)
{
    const struct zone_version *version;
    struct zone_edit *edit = bench_load(bench, span_of_text(text));
    assert_int_equal(bench_sign(bench, edit), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

enum { BENCH_JUDGES = 3 };
static const char *const bench_tools[BENCH_JUDGES] = {"ldns-verify-zone", "dnssec-verify",
                                                      "kzonecheck"};

static inline bool bench_has_tool(const char *tool)
{
    char *command = mem_format("command -v %s >/dev/null", tool);
    bool has = system(command) == 0; /* NOLINT */
    mem_free(command);
    if (!has) {
        print_message("SKIPPED: %s is not installed, it has not judged\n", tool);
    }
    return has;
}

/* How many judges there are; kzonecheck is the last one. */
static inline size_t bench_judges(bool knot_too)
{
    size_t judges = 0;
    for (size_t i = 0; i < (knot_too ? BENCH_JUDGES : BENCH_JUDGES - 1); i++) {
        judges += bench_has_tool(bench_tools[i]);
    }
    return judges;
}

/* How many of them object to the version. */
static inline size_t bench_objections(const struct bench *bench, const struct zone_version *version,
                                      bool knot_too)
{
    char path[] = "/tmp/signed_zone.XXXXXX";
    char apex[DNS_NAME_TEXT_BYTES];
    struct buffer text = BUFFER_EMPTY;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    zonefile_write(version, ZONE_VIEW_SIGNED, &text);
    assert_int_equal(write(fd, text.bytes, text.length), text.length);
    close(fd);
    buffer_free(&text);
    dns_name_to_text(&bench->apex, apex);
    bool csk = false;
    for (size_t i = 0; i < bench->list.count; i++) {
        csk = csk || (bench->sign_keys[i].signs_keys && bench->sign_keys[i].signs_zone);
    }
    char *commands[BENCH_JUDGES] = {
        mem_format("ldns-verify-zone %s", path),
        mem_format("dnssec-verify -q %s -o %s %s", csk ? "-z" : "", apex, path),
        mem_format("kzonecheck -o %s %s", apex, path),
    };
    size_t objections = 0;
    for (size_t i = 0; i < BENCH_JUDGES; i++) {
        bool asked = (knot_too || i + 1 < BENCH_JUDGES) && bench_has_tool(bench_tools[i]);
        char *quiet = mem_format("exec >%s.says 2>&1; %s", path, commands[i]);
        if (asked && system(quiet) != 0) { /* NOLINT */
            char *says = mem_format("head -5 %s.says >&2", path);
            print_message("%s objects:\n", bench_tools[i]);
            objections += system(says) == 0; /* NOLINT */
            mem_free(says);
        }
        mem_free(quiet);
        mem_free(commands[i]);
    }
    char *says = mem_format("%s.says", path);
    unlink(says);
    unlink(path);
    mem_free(says);
    return objections;
}

/* Every judge that is there must be content. */
static inline void bench_judge(const struct bench *bench, const struct zone_version *version,
                               bool knot_too)
{
    assert_int_equal(bench_objections(bench, version, knot_too), 0);
}
