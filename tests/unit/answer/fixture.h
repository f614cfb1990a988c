/*
 * Zones to answer from, and what the answers look like to ldns.
 *
 * The zones under zones/ hold every trap that we know of. dnssec-signzone of BIND signed them, with
 * NSEC, with NSEC3, and with NSEC3 opt-out with salt and iterations; they are valid until 2036.
 * zones/nasty.txt is what they were before.
 */
#pragma once

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "support/table.h"
#include "zone/zonefile.h"

enum {
    FIXTURE_ZONES_MAX = 3,
    FIXTURE_NOW = 1800000000, /* 2027 */
    FIXTURE_TEXT_BYTES = 8192,
};

struct fixture {
    struct zone_slot slots[FIXTURE_ZONES_MAX];
    struct zone_slot *list[FIXTURE_ZONES_MAX];
    size_t count;
    struct answer_context context;
};

static inline struct dns_name fixture_name(const char *text)
{
    static const struct dns_name nasty = {12, 2, "\5nasty\4test"};
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), &nasty, &name), SG_OK);
    return name;
}

static inline void fixture_add(struct fixture *fixture, const char *apex,
                               const struct zone_version *version)
{
    struct zone_slot *slot = &fixture->slots[fixture->count];
    size_t duplicate;

    slot->apex = fixture_name(apex);
    slot->rrclass = DNS_CLASS_IN;
    slot->id = fixture->count;
    slot->version = version;
    fixture->list[fixture->count++] = slot;
    zone_table_free((struct zone_table *)(uintptr_t)fixture->context.table);
    struct zone_table *table;
    assert_int_equal(zone_table_new(fixture->list, fixture->count, &table, &duplicate), SG_OK);
    fixture->context.table = table;
    if (fixture->context.hasher == NULL) {
        fixture->context.hasher = nsec3_hasher_new();
        fixture->context.minimal = ANSWER_MINIMAL_NO_AUTH;
    }
}

static inline const struct zone_version *fixture_seal(struct zone_edit *edit, enum sg_result result,
                                                      struct zonefile_report *report)
{
    const struct zone_version *version;

    for (size_t i = 0; i < report->problems_count; i++) {
        print_message("%u: %s\n", report->problems[i].line, report->problems[i].text);
    }
    zonefile_report_clear(report);
    assert_int_equal(result, SG_OK);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

/* From tests/unit/answer/zones/. */
static inline void fixture_load(struct fixture *fixture, const char *apex, const char *file)
{
    struct dns_name name = fixture_name(apex);
    struct zone_edit *edit = zone_edit_new(&name, DNS_CLASS_IN);
    struct zonefile_report report = {0};
    char path[512];

    snprintf(path, sizeof(path), "%s/tests/unit/answer/zones/%s", SOURCE_DIR, file);
    struct zonefile_options options = {.path = path};
    enum sg_result result = zonefile_load(edit, &options, &report);
    fixture_add(fixture, apex, fixture_seal(edit, result, &report));
}

static inline void fixture_load_text(struct fixture *fixture, const char *apex, const char *text)
{
    struct dns_name name = fixture_name(apex);
    struct zone_edit *edit = zone_edit_new(&name, DNS_CLASS_IN);
    struct zonefile_report report = {0};
    struct zonefile_options options = {.path = "text"};
    enum sg_result result = zonefile_load_text(edit, &options, span_of_text(text), &report);
    fixture_add(fixture, apex, fixture_seal(edit, result, &report));
}

static inline void fixture_clear(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->count; i++) {
        zone_version_unref(fixture->slots[i].version);
    }
    zone_table_free((struct zone_table *)(uintptr_t)fixture->context.table);
    nsec3_hasher_free(fixture->context.hasher);
    epoch_barrier();
    *fixture = (struct fixture){0};
}

struct fixture_query {
    const char *name;
    uint16_t type;
    bool dnssec;
    bool edns; /* implied by dnssec */
    uint16_t payload;
    bool recursion_desired;
};

/* The query's bytes; returns their length. */
static inline size_t fixture_query_wire(const struct fixture_query *query, uint8_t *out_bytes)
{
    struct dns_name name = fixture_name(query->name);
    struct writer w = writer_of(out_bytes, 512);
    bool edns = query->dnssec || query->edns;

    writer_u16(&w, 0x1234);
    writer_u16(&w, query->recursion_desired ? DNS_FLAG_RD : 0);
    writer_u16(&w, 1);
    writer_u32(&w, 0);
    writer_u16(&w, edns ? 1 : 0);
    writer_bytes(&w, name.wire, name.length);
    writer_u16(&w, query->type);
    writer_u16(&w, DNS_CLASS_IN);
    if (edns) {
        writer_u8(&w, 0);
        writer_u16(&w, DNS_TYPE_OPT);
        writer_u16(&w, query->payload != 0 ? query->payload : 4096);
        writer_u32(&w, query->dnssec ? 0x8000 : 0);
        writer_u16(&w, 0);
    }
    assert_false(w.failed);
    return writer_length(&w);
}

/* Parse, find the zone, build. */
static inline void fixture_build(struct fixture *fixture, struct span wire,
                                 struct dns_message *out_question, struct answer *out_answer)
{
    assert_int_equal(dns_message_parse(wire, out_question), SG_OK);
    fixture->context.slot = zone_table_find(fixture->context.table, &out_question->qname,
                                            out_question->qtype == DNS_TYPE_DS);
    assert_non_null(fixture->context.slot);
    memset(out_answer, 0xA5, sizeof(*out_answer)); /* Nothing may rest on cleared memory. */
    answer_build(&fixture->context, out_question, out_answer);
}

/* The whole way; `out_bytes` has DNS_MESSAGE_BYTES_MAX. Returns the response's length. */
static inline size_t fixture_ask(struct fixture *fixture, const struct fixture_query *query,
                                 uint8_t *out_bytes)
{
    static struct answer answer;
    struct dns_message question;
    uint8_t wire[512];
    size_t length = fixture_query_wire(query, wire);
    struct answer_envelope envelope = {.edns_payload = 1232};

    fixture_build(fixture, (struct span){wire, length}, &question, &answer);
    envelope.bytes_max = question.edns.present ? question.edns.payload : 512;
    size_t got = answer_render(&question, &answer, 0, &envelope, out_bytes);
    assert_true(got <= envelope.bytes_max);
    return got;
}

static inline void fixture_append(char *text, const char *more)
{
    assert_true(strlen(text) + strlen(more) < FIXTURE_TEXT_BYTES);
    strcat(text, more);
}

/* Owner relative to nasty.test, "@" for itself. */
static inline void fixture_append_owner(char *text, const ldns_rdf *owner)
{
    char *whole = ldns_rdf2str(owner);
    char *suffix = strcasestr(whole, "nasty.test.");

    if (suffix == whole) {
        strcpy(whole, "@");
    } else if (suffix != NULL && suffix[-1] == '.') {
        suffix[-1] = '\0';
    }
    fixture_append(text, whole);
    free(whole);
}

static inline bool fixture_signed(const ldns_rr_list *section, const ldns_rr *rr)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *other = ldns_rr_list_rr(section, i);
        if (ldns_rr_get_type(other) == LDNS_RR_TYPE_RRSIG &&
            ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(other)) == ldns_rr_get_type(rr) &&
            ldns_dname_compare(ldns_rr_owner(other), ldns_rr_owner(rr)) == 0) {
            return true;
        }
    }
    return false;
}

/* "c1/CNAME+ target/A+": one word an RRset, "+" where its RRSIGs are with it. NSEC3 owners are "#".
 */
static inline void fixture_append_section(char *text, const char *title,
                                          const ldns_rr_list *section, bool signatures)
{
    const ldns_rr *previous = NULL;

    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(section, i);
        char *type = ldns_rr_type2str(ldns_rr_get_type(rr));
        bool same = previous != NULL && ldns_rr_get_type(previous) == ldns_rr_get_type(rr) &&
                    ldns_dname_compare(ldns_rr_owner(previous), ldns_rr_owner(rr)) == 0;
        if (!same && (signatures || ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG)) {
            fixture_append(text, title);
            title = " ";
            if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NSEC3) {
                fixture_append(text, "#");
            } else {
                fixture_append_owner(text, ldns_rr_owner(rr));
            }
            fixture_append(text, "/");
            fixture_append(text, type);
            fixture_append(text, fixture_signed(section, rr) ? "+" : "");
            previous = rr;
        }
        free(type);
    }
}

/* The response as ldns reads it, in one line: "NOERROR aa | AN ... | AU ... | AD ...". */
static inline const char *fixture_describe(const uint8_t *bytes, size_t length, char *out_text)
{
    ldns_pkt *packet;

    assert_int_equal(ldns_wire2pkt(&packet, bytes, length), LDNS_STATUS_OK);
    char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet));
    bool signatures =
        ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_question(packet), 0)) == LDNS_RR_TYPE_RRSIG;
    out_text[0] = '\0';
    fixture_append(out_text, rcode);
    fixture_append(out_text, ldns_pkt_aa(packet) ? " aa" : "");
    fixture_append(out_text, ldns_pkt_tc(packet) ? " tc" : "");
    fixture_append_section(out_text, " | AN ", ldns_pkt_answer(packet), signatures);
    fixture_append_section(out_text, " | AU ", ldns_pkt_authority(packet), signatures);
    fixture_append_section(out_text, " | AD ", ldns_pkt_additional(packet), signatures);
    free(rcode);
    ldns_pkt_free(packet);
    return out_text;
}

/* "www A", "www A do", "www A rd": name, type, and what else is asked for. */
static inline void fixture_expect(struct fixture *fixture, const char *asked, const char *expected)
{
    static uint8_t bytes[DNS_MESSAGE_BYTES_MAX];
    char text[FIXTURE_TEXT_BYTES];
    char name[256], type[32], flags[3][8] = {"", "", ""};
    struct fixture_query query = {.name = name};

    assert_true(sscanf(asked, "%255s %31s %7s %7s %7s", name, type, flags[0], flags[1], flags[2]) >=
                2);
    assert_int_equal(dns_type_from_text(type, strlen(type), &query.type), SG_OK);
    for (int i = 0; i < 3; i++) {
        query.dnssec |= strcmp(flags[i], "do") == 0;
        query.edns |= strcmp(flags[i], "edns") == 0;
        query.recursion_desired |= strcmp(flags[i], "rd") == 0;
    }
    size_t length = fixture_ask(fixture, &query, bytes);
    assert_string_equal(fixture_describe(bytes, length, text), expected);
}
