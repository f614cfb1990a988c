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
    return sign_zone(edit, &bench->dnskey, 1, &bench->list, &bench->policy, BENCH_SERIAL,
                     bench->now, bench->pool, &bench->report);
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

/* `format` has one %s for the file. True when the judge is content. */
static inline bool bench_ask(const char *command)
{
    bool content = system(command) == 0; /* NOLINT */
    if (!content) {
        print_error("the judge objects: %s\n", command);
    }
    return content;
}

/* Ask ldns-verify-zone, dnssec-verify and kzonecheck, those that are there, about the version. */
static inline void bench_judge(const struct bench *bench, const struct zone_version *version,
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
    dns_name_to_text(&bench->apex, apex);
    bool csk = false;
    for (size_t i = 0; i < bench->list.count; i++) {
        csk = csk || (bench->sign_keys[i].signs_keys && bench->sign_keys[i].signs_zone);
    }
    char *commands[] = {
        mem_format("ldns-verify-zone %s >/dev/null", path),
        mem_format("dnssec-verify -q %s -o %s %s >/dev/null", csk ? "-z" : "", apex, path),
        mem_format("kzonecheck -o %s %s >/dev/null", apex, path),
    };
    static const char *const tools[] = {"ldns-verify-zone", "dnssec-verify", "kzonecheck"};
    bool content = true;
    size_t judges = knot_too ? 3 : 2;
    for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
        content = (i >= judges || !bench_has_tool(tools[i]) || bench_ask(commands[i])) && content;
        mem_free(commands[i]);
    }
    buffer_free(&text);
    if (!content) {
        fail_msg("see %s", path);
    }
    unlink(path);
}
