/*
 * What one answer costs, without sockets: nanoseconds and, under bench/instructions, instructions
 * for parsing the query, building and rendering, over a zone of 100,000 names asked for in random
 * order; and how fast the zone goes out as a transfer. usage: bench_answer [names]
 */
#include <stdio.h>
#include <stdlib.h>

#include "answer/axfr.h"
#include "base/encoding.h"
#include "base/mem.h"
#include "base/random.h"
#include "measure.h"
#include "zone/edit.h"

enum {
    NAMES = 100000,
    NAMES_MAX = 9999999, /* as the names' digits go */
    QUERIES = 4096,      /* of a kind, asked again and again */
    ROUNDS = 100,
    QUERY_BYTES = 96,
    RDATA_BYTES = 512,
    SIGNATURE_BYTES = 64, /* P-256 */
    DELEGATION_EVERY = 10,
    TRANSFERS = 5,
};

static const char apex_text[] = "bench.test.";

struct bench_zone {
    struct zone_edit *edit;
    struct dns_name apex;
    struct random_seeded random;
    struct nsec3_hasher *hasher;
    bool nsec3;
};

static void check(enum sg_result result)
{
    if (result != SG_OK && result != SG_EXISTS) {
        fprintf(stderr, "%s\n", sg_result_text(result));
        abort();
    }
}

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    check(dns_name_from_text(text, strlen(text), NULL, &name));
    return name;
}

static void add(struct bench_zone *zone, const struct dns_name *owner, uint16_t type,
                const struct writer *rdata)
{
    uint32_t ttl;
    check(zone_edit_add_record(zone->edit, owner, type, 3600,
                               (struct span){rdata->start, writer_length(rdata)}, &ttl));
}

/* A signature of the right size; nobody verifies it here. */
static void sign(struct bench_zone *zone, const struct dns_name *owner, uint16_t type)
{
    uint8_t rdata[RDATA_BYTES];
    struct writer w = writer_of(rdata, sizeof(rdata));

    writer_u16(&w, type);
    writer_u8(&w, 13);
    writer_u8(&w, owner->labels);
    writer_u32(&w, 3600);
    writer_u32(&w, 2000000000);
    writer_u32(&w, 1700000000);
    writer_u16(&w, 12345);
    writer_bytes(&w, zone->apex.wire, zone->apex.length);
    for (int i = 0; i < SIGNATURE_BYTES / 8; i++) {
        uint64_t bits = random_seeded_u64(&zone->random);
        writer_bytes(&w, &bits, sizeof(bits));
    }
    add(zone, owner, DNS_TYPE_RRSIG, &w);
}

static void add_host(struct bench_zone *zone, const struct dns_name *owner)
{
    uint8_t rdata[RDATA_BYTES];
    struct writer w = writer_of(rdata, sizeof(rdata));

    writer_u32(&w, (uint32_t)random_seeded_u64(&zone->random));
    add(zone, owner, DNS_TYPE_A, &w);
    sign(zone, owner, DNS_TYPE_A);
}

static void add_delegation(struct bench_zone *zone, const struct dns_name *owner)
{
    uint8_t rdata[RDATA_BYTES];
    struct dns_name server;
    struct dns_name label = {5, 1, "\3ns1"};

    check(dns_name_join(&label, owner, &server));
    for (int i = 0; i < 2; i++) {
        struct writer w = writer_of(rdata, sizeof(rdata));
        server.wire[3] = (uint8_t)('1' + i);
        writer_bytes(&w, server.wire, server.length);
        add(zone, owner, DNS_TYPE_NS, &w);
    }
    struct writer ds = writer_of(rdata, sizeof(rdata));
    writer_u32(&ds, 0x30390D02);
    for (int i = 0; i < 4; i++) {
        uint64_t bits = random_seeded_u64(&zone->random);
        writer_bytes(&ds, &bits, sizeof(bits));
    }
    add(zone, owner, DNS_TYPE_DS, &ds);
    sign(zone, owner, DNS_TYPE_DS);
    for (int i = 0; i < 2; i++) {
        struct writer w = writer_of(rdata, sizeof(rdata));
        server.wire[3] = (uint8_t)('1' + i);
        writer_u32(&w, (uint32_t)random_seeded_u64(&zone->random));
        add(zone, &server, DNS_TYPE_A, &w);
    }
}

static void add_apex(struct bench_zone *zone)
{
    uint8_t rdata[RDATA_BYTES];
    struct writer w = writer_of(rdata, sizeof(rdata));
    struct dns_name mname = name_of("ns1.bench.test.");
    struct dns_name rname = name_of("hostmaster.bench.test.");

    writer_bytes(&w, mname.wire, mname.length);
    writer_bytes(&w, rname.wire, rname.length);
    writer_u32(&w, 1);
    writer_u32(&w, 7200);
    writer_u32(&w, 3600);
    writer_u32(&w, 1209600);
    writer_u32(&w, 300);
    add(zone, &zone->apex, DNS_TYPE_SOA, &w);
    sign(zone, &zone->apex, DNS_TYPE_SOA);
    w = writer_of(rdata, sizeof(rdata));
    writer_bytes(&w, mname.wire, mname.length);
    add(zone, &zone->apex, DNS_TYPE_NS, &w);
    sign(zone, &zone->apex, DNS_TYPE_NS);
    if (zone->nsec3) {
        w = writer_of(rdata, sizeof(rdata));
        writer_bytes(&w, "\1\0\0\0\0", 5);
        add(zone, &zone->apex, DNS_TYPE_NSEC3PARAM, &w);
        sign(zone, &zone->apex, DNS_TYPE_NSEC3PARAM);
    }
}

static void add_nsec(struct bench_zone *zone, const struct dns_name *owner,
                     const struct dns_name *next)
{
    uint8_t rdata[RDATA_BYTES];
    struct writer w = writer_of(rdata, sizeof(rdata));

    writer_bytes(&w, next->wire, next->length);
    writer_bytes(&w, "\0\6\x40\0\0\0\0\3", 8); /* A RRSIG NSEC */
    add(zone, owner, DNS_TYPE_NSEC, &w);
    sign(zone, owner, DNS_TYPE_NSEC);
}

static void add_nsec3(struct bench_zone *zone, const uint8_t *hash, const uint8_t *next)
{
    uint8_t rdata[RDATA_BYTES];
    struct writer w = writer_of(rdata, sizeof(rdata));
    struct dns_name label = {NSEC3_HASH_TEXT_BYTES + 2, 1, {NSEC3_HASH_TEXT_BYTES}};
    struct dns_name owner;

    base32hex_encode(hash, NSEC3_HASH_BYTES, (char *)label.wire + 1);
    label.wire[NSEC3_HASH_TEXT_BYTES + 1] = 0;
    check(dns_name_join(&label, &zone->apex, &owner));
    writer_bytes(&w, "\1\0\0\0\0", 5);
    writer_u8(&w, NSEC3_HASH_BYTES);
    writer_bytes(&w, next, NSEC3_HASH_BYTES);
    writer_bytes(&w, "\0\6\x40\0\0\0\0\2", 8); /* A RRSIG */
    add(zone, &owner, DNS_TYPE_NSEC3, &w);
    sign(zone, &owner, DNS_TYPE_NSEC3);
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, NSEC3_HASH_BYTES);
}

static struct dns_name owner_at(unsigned i)
{
    char text[64];
    snprintf(text, sizeof(text), "n%07u.%s", i, apex_text);
    return name_of(text);
}

static void add_chain(struct bench_zone *zone, unsigned names)
{
    struct nsec3_params params = {.algorithm = 1};
    uint8_t(*hashes)[NSEC3_HASH_BYTES] = mem_alloc((names + 1) * sizeof(*hashes));

    for (unsigned i = 0; i <= names; i++) {
        struct dns_name owner = i == names ? zone->apex : owner_at(i);
        if (zone->nsec3) {
            nsec3_hash(zone->hasher, &params, owner.wire, owner.length, hashes[i]);
        } else {
            struct dns_name next = i == names       ? owner_at(0)
                                   : i == names - 1 ? zone->apex
                                                    : owner_at(i + 1);
            add_nsec(zone, &owner, &next);
        }
    }
    if (zone->nsec3) {
        qsort(hashes, names + 1, sizeof(*hashes), compare_hashes);
        for (unsigned i = 0; i <= names; i++) {
            add_nsec3(zone, hashes[i], hashes[(i + 1) % (names + 1)]);
        }
    }
    mem_free(hashes);
}

static const struct zone_version *make_zone(unsigned names, bool nsec3)
{
    struct bench_zone zone = {.apex = name_of(apex_text), .random = {7}, .nsec3 = nsec3};
    const struct zone_version *version;

    zone.edit = zone_edit_new(&zone.apex, DNS_CLASS_IN);
    zone.hasher = nsec3_hasher_new();
    add_apex(&zone);
    for (unsigned i = 0; i < names; i++) {
        struct dns_name owner = owner_at(i);
        if (i % DELEGATION_EVERY == 0) {
            add_delegation(&zone, &owner);
        } else {
            add_host(&zone, &owner);
        }
    }
    add_chain(&zone, names);
    check(zone_edit_seal(zone.edit, &version));
    nsec3_hasher_free(zone.hasher);
    return version;
}

/* What is asked: a name made of the number, a type. */
static const struct bench_case {
    const char *name;
    const char *format;
    uint16_t type;
    bool nsec3;
    bool delegation;
    enum answer_kind kind;
} cases[] = {
    {"positive, signed", "n%07u.%s", DNS_TYPE_A, false, false, ANSWER_POSITIVE},
    {"AAAA NODATA, NSEC", "n%07u.%s", DNS_TYPE_AAAA, false, false, ANSWER_NODATA},
    {"AAAA NODATA, NSEC3", "n%07u.%s", DNS_TYPE_AAAA, true, false, ANSWER_NODATA},
    {"NXDOMAIN, NSEC", "n%07ux.%s", DNS_TYPE_A, false, false, ANSWER_NXDOMAIN},
    {"NXDOMAIN, NSEC3", "n%07ux.%s", DNS_TYPE_A, true, false, ANSWER_NXDOMAIN},
    {"NXDOMAIN below a host, NSEC3", "x.n%07u.%s", DNS_TYPE_A, true, false, ANSWER_NXDOMAIN},
    {"referral, DS and glue", "www.n%07u.%s", DNS_TYPE_A, false, true, ANSWER_REFERRAL},
};

struct query {
    uint8_t bytes[QUERY_BYTES];
    size_t length;
};

static struct query query_of(const struct bench_case *c, unsigned number)
{
    struct query query;
    char text[64];
    struct writer w = writer_of(query.bytes, sizeof(query.bytes));

    snprintf(text, sizeof(text), c->format, number, apex_text);
    struct dns_name name = name_of(text);
    writer_bytes(&w, "\0\1\1\0\0\1\0\0\0\0\0\1", DNS_HEADER_BYTES);
    writer_bytes(&w, name.wire, name.length);
    writer_u16(&w, c->type);
    writer_u16(&w, DNS_CLASS_IN);
    writer_bytes(&w, "\0\0\51\x10\0\0\0\x80\0\0\0", EDNS_OPT_BYTES);
    query.length = writer_length(&w);
    return query;
}

/* How far to go: the differences are what each stage costs. */
enum stage { STAGE_PARSE, STAGE_BUILD, STAGE_RENDER, STAGES };

/* The questions of a case, asked up to a stage. */
struct asking {
    const struct bench_case *c;
    const struct answer_context *context;
    const struct query *queries;
    enum stage stage;
    size_t bytes; /* of one response */
};

static void ask(void *argument)
{
    static struct answer answer;
    static uint8_t out[DNS_MESSAGE_BYTES_MAX];
    struct answer_envelope envelope = {.bytes_max = EDNS_PAYLOAD_DEFAULT,
                                       .edns_payload = EDNS_PAYLOAD_DEFAULT};
    struct asking *asking = argument;
    for (unsigned i = 0; i < QUERIES; i++) {
        const struct query *query = &asking->queries[i];
        struct dns_message question;
        check(dns_message_parse((struct span){query->bytes, query->length}, &question));
        if (asking->stage >= STAGE_BUILD) {
            answer_build(asking->context, &question, &answer);
            ASSERT(answer.kind == asking->c->kind);
        }
        if (asking->stage >= STAGE_RENDER) {
            asking->bytes = answer_render(&question, &answer, 0, &envelope, out);
        }
    }
}

static void run(const struct bench_case *c, const struct answer_context *context, unsigned names)
{
    static struct query queries[QUERIES];
    struct random_seeded random = {42};
    static const char *const stages[] = {"parse", "parse, build", "parse, build, render"};
    struct asking asking = {.c = c, .context = context, .queries = queries};
    double ns[STAGES];

    for (unsigned i = 0; i < QUERIES; i++) {
        unsigned number = random_seeded_below(&random, names / DELEGATION_EVERY) * DELEGATION_EVERY;
        queries[i] = query_of(c, c->delegation ? number : number + 1 + i % (DELEGATION_EVERY - 1));
    }
    for (enum stage stage = 0; stage < STAGES; stage++) {
        char what[80];
        snprintf(what, sizeof(what), "%s: %s", c->name, stages[stage]);
        asking.stage = stage;
        ns[stage] = measure(&(struct measured){.what = what,
                                               .operations = QUERIES,
                                               .rounds = ROUNDS,
                                               .work = ask,
                                               .argument = &asking});
    }
    if (!measure_is_counted()) {
        printf("%-30s %6.0f ns  (parse %4.0f, build %4.0f, render %4.0f)  %4zu bytes\n", c->name,
               ns[STAGE_RENDER], ns[STAGE_PARSE], ns[STAGE_BUILD] - ns[STAGE_PARSE],
               ns[STAGE_RENDER] - ns[STAGE_BUILD], asking.bytes);
    }
}

static void transfer(const struct zone_version *version, const char *name)
{
    static uint8_t out[DNS_MESSAGE_BYTES_MAX];
    const struct bench_case apex = {.format = "%.0u%s", .type = DNS_TYPE_AXFR};
    struct query query = query_of(&apex, 0);
    struct dns_message question;
    struct axfr_totals totals = {0};
    double ns = 1e18;

    check(dns_message_parse((struct span){query.bytes, query.length}, &question));
    for (int round = 0; round < TRANSFERS; round++) {
        uint64_t start = measure_cpu_ns();
        struct axfr *axfr = axfr_new(version, &question);
        while (axfr_next(axfr, NULL, 0, out) > 0) {
        }
        totals = axfr_totals(axfr);
        axfr_free(axfr);
        double took = (double)(measure_cpu_ns() - start);
        ns = took < ns ? took : ns;
    }
    printf("%-30s %6.2f GB/s  (%.1f ms, %.0f ns a record, %.1f MB)\n", name,
           (double)totals.bytes / ns, ns / 1e6, ns / (double)totals.records,
           (double)totals.bytes / 1e6);
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long names_long = argc > 1 ? strtoul(argv[1], &end, 10) : NAMES;
    if (names_long < DELEGATION_EVERY || names_long > NAMES_MAX || (end != NULL && *end != 0)) {
        fprintf(stderr, "usage: bench_answer [names], %d to %d\n", DELEGATION_EVERY, NAMES_MAX);
        return 1;
    }
    unsigned names = (unsigned)names_long;
    struct zone_slot slots[2];
    struct answer_context context = {.minimal = ANSWER_MINIMAL_NO_AUTH_RECURSIVE,
                                     .hasher = nsec3_hasher_new()};

    for (int i = 0; i < 2; i++) {
        slots[i] = (struct zone_slot){.apex = name_of(apex_text), .rrclass = DNS_CLASS_IN};
        slots[i].version = make_zone(names, i == 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        context.slot = &slots[cases[i].nsec3];
        run(&cases[i], &context, names);
    }
    if (!measure_is_counted()) {
        transfer(slots[0].version, "AXFR, NSEC");
        transfer(slots[1].version, "AXFR, NSEC3");
    }
    for (int i = 0; i < 2; i++) {
        zone_version_unref(slots[i].version);
    }
    nsec3_hasher_free(context.hasher);
    return 0;
}
