/*
 * Any question to a few signed zones, whole and broken: an answer comes, it keeps its limit, and
 * two parsers read it. The first byte chooses zone and options, the rest is the query.
 */
#include <ldns/ldns.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "base/file.h"
#include "base/mem.h"
#include "zone/zonefile.h"

enum { ZONES = 4, PARENT_AND_CHILD = 2, BROKEN = 3, BROKEN_EVERY = 3 };

struct served {
    struct zone_slot slots[PARENT_AND_CHILD];
    struct zone_table *table;
};

static struct served zones[ZONES];
static struct answer_context context;

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* The text without every third line that has a denial of existence. */
static void break_proofs(struct buffer *text)
{
    struct buffer kept = BUFFER_EMPTY;
    unsigned seen = 0;

    for (char *line = strtok((char *)(uintptr_t)buffer_text(text), "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        bool denial = strstr(line, "\tNSEC") != NULL && strstr(line, "NSEC3PARAM") == NULL;
        if (!denial || ++seen % BROKEN_EVERY != 0) {
            buffer_append_text(&kept, line);
            buffer_append_text(&kept, "\n");
        }
    }
    buffer_free(text);
    *text = kept;
}

static void load(struct zone_slot *slot, const char *apex, const char *file, bool broken)
{
    static char folder[] = __FILE__; /* .../tests/fuzz/fuzz_answer.c */
    char path[1024];
    struct buffer text = BUFFER_EMPTY;
    struct zonefile_report report = {0};
    struct zonefile_options options = {.path = file};

    *strrchr(folder, '/') = '\0';
    snprintf(path, sizeof(path), "%s/../unit/answer/zones/%s", folder, file);
    folder[strlen(folder)] = '/';
    need(file_read(path, SIZE_MAX, &text) == SG_OK, path);
    if (broken) {
        break_proofs(&text);
    }
    need(dns_name_from_text(apex, strlen(apex), NULL, &slot->apex) == SG_OK, apex);
    slot->rrclass = DNS_CLASS_IN;
    struct zone_edit *edit = zone_edit_new(&slot->apex, DNS_CLASS_IN);
    need(zonefile_load_text(edit, &options, buffer_span(&text), &report) == SG_OK, file);
    need(zone_edit_seal(edit, &slot->version) == SG_OK, "seal");
    zonefile_report_clear(&report);
    buffer_free(&text);
}

static void prepare(void)
{
    static const char *const files[ZONES] = {"nsec.zone", "nsec3.zone", "optout.zone",
                                             "nsec3.zone"};
    for (int i = 0; i < ZONES; i++) {
        struct served *served = &zones[i];
        struct zone_slot *slots[] = {&served->slots[0], &served->slots[1]};
        size_t duplicate;
        load(slots[0], "nasty.test.", files[i], i == BROKEN);
        load(slots[1], "child.nasty.test.", "child.zone", i == BROKEN);
        need(zone_table_new(slots, PARENT_AND_CHILD, &served->table, &duplicate) == SG_OK,
             "zone table");
    }
    context.hasher = nsec3_hasher_new();
}

static void check(const struct dns_message *question, const uint8_t *bytes, size_t length,
                  size_t bytes_max)
{
    struct dns_message got;
    ldns_pkt *packet;

    need(length <= bytes_max, "a response above its limit");
    need(dns_message_parse((struct span){bytes, length}, &got) == SG_OK, "a broken response");
    need(got.id == question->id && got.qtype == question->qtype &&
             memcmp(bytes + DNS_HEADER_BYTES, question->wire.bytes + DNS_HEADER_BYTES,
                    question->question_end - DNS_HEADER_BYTES) == 0,
         "another question");
    need(got.edns.present == question->edns.present, "OPT");
    need(ldns_wire2pkt(&packet, bytes, length) == LDNS_STATUS_OK, "ldns cannot read it");
    need(ldns_rr_list_rr_count(ldns_pkt_answer(packet)) == got.counts[1], "the answer's count");
    ldns_pkt_free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const size_t limits[] = {512, 1232, 4096, DNS_MESSAGE_BYTES_MAX};
    static struct answer answer;
    static uint8_t out[DNS_MESSAGE_BYTES_MAX];
    struct dns_message question;

    if (context.hasher == NULL) {
        prepare();
    }
    if (length == 0 ||
        dns_message_parse((struct span){bytes + 1, length - 1}, &question) != SG_OK ||
        !question.has_question || question.opcode != DNS_OPCODE_QUERY) {
        return 0;
    }
    unsigned choice = bytes[0];
    const struct served *served = &zones[choice % ZONES];
    struct answer_envelope envelope = {.bytes_max = limits[choice / ZONES % ARRAY_LEN(limits)],
                                       .edns_payload = EDNS_PAYLOAD_DEFAULT,
                                       .nsid = {(const uint8_t *)"fuzz", 4}};
    context.table = served->table;
    context.minimal = choice / 16 % 4;
    context.minimal_any = choice / 64 % 2 == 1;
    context.slot = zone_table_find(served->table, &question.qname, question.qtype == DNS_TYPE_DS);
    if (context.slot == NULL) {
        return 0;
    }
    answer_build(&context, &question, &answer);
    size_t got = answer_render(&question, &answer, 0, &envelope, out);
    check(&question, out, got, envelope.bytes_max);
    return 0;
}
