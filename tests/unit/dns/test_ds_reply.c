#include <stdlib.h>

#include "dns/ds_reply.h"
#include "support/table.h"

/* Questions are "a.example. DS IN": a.example. at 12, example. at 14. */
#define AA            "\x12\x34\x84\x00\0\1"
#define RA            "\x12\x34\x80\x80\0\1"
#define NEITHER       "\x12\x34\x80\x00\0\1"
#define ASKED         "\1a\7example\0\0\53\0\1"
#define DS_A          "\300\14\0\53\0\1\0\0\16\20\0\10\x1a\x2b\15\2hash"
#define DS_B          "\300\14\0\53\0\1\0\0\34\40\0\10\x1a\x2c\15\4HASH"
#define DS_OF_PARENT  "\300\16\0\53\0\1\0\0\16\20\0\10\x1a\x2b\15\2hash"
#define NUMBERS       "\0\0\0\7\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"
#define SOA_RDATA     "\0\6\0\1\0\0\16\20\0\30\300\14\300\14" NUMBERS
#define SOA_OF_PARENT "\300\16" SOA_RDATA
#define SOA_OF_CHILD  "\300\14" SOA_RDATA
#define SOA_OF_ROOT   "\0" SOA_RDATA
#define SOA_ELSEWHERE "\1b\300\16" SOA_RDATA
#define NS_OF_CHILD   "\300\14\0\2\0\1\0\0\16\20\0\2\300\14"

/* clang-format off */
static const struct row {
    const char *name;
    const char *bytes;
    size_t length;
    enum ds_reply_kind kind;
    size_t count;
    uint32_t ttl;
    uint16_t rcode;
} rows[] = {
#define ROW(text) text, sizeof(text) - 1
    {"one DS", ROW(AA "\0\1\0\0\0\0" ASKED DS_A), DS_REPLY_PRESENT, 1, 3600, 0},
    {"from a resolver", ROW(RA "\0\1\0\0\0\0" ASKED DS_A), DS_REPLY_PRESENT, 1, 3600, 0},
    {"the largest TTL of two", ROW(AA "\0\2\0\0\0\0" ASKED DS_A DS_B), DS_REPLY_PRESENT, 2, 7200, 0},
    {"another name's DS does not count", ROW(AA "\0\1\0\1\0\0" ASKED DS_OF_PARENT SOA_OF_PARENT),
     DS_REPLY_ABSENT, 0, 0, 0},
    {"none, says the parent", ROW(AA "\0\0\0\1\0\0" ASKED SOA_OF_PARENT), DS_REPLY_ABSENT, 0, 0, 0},
    {"none, says a grandparent", ROW(AA "\0\0\0\1\0\0" ASKED SOA_OF_ROOT), DS_REPLY_ABSENT, 0, 0, 0},
    {"none, says a resolver", ROW(RA "\0\0\0\1\0\0" ASKED SOA_OF_PARENT), DS_REPLY_ABSENT, 0, 0, 0},
    {"none, says the child", ROW(AA "\0\0\0\1\0\0" ASKED SOA_OF_CHILD), DS_REPLY_CHILD, 0, 0, 0},
    {"both SOAs: the child's word", ROW(AA "\0\0\0\2\0\0" ASKED SOA_OF_PARENT SOA_OF_CHILD),
     DS_REPLY_CHILD, 0, 0, 0},
    {"an SOA from elsewhere", ROW(AA "\0\0\0\1\0\0" ASKED SOA_ELSEWHERE), DS_REPLY_UNPROVEN, 0, 0, 0},
    {"nothing at all", ROW(AA "\0\0\0\0\0\0" ASKED), DS_REPLY_UNPROVEN, 0, 0, 0},
    {"a referral to the child", ROW(RA "\0\0\0\1\0\0" ASKED NS_OF_CHILD), DS_REPLY_UNPROVEN, 0, 0, 0},
    {"neither AA nor RA", ROW(NEITHER "\0\1\0\0\0\0" ASKED DS_A), DS_REPLY_LAME, 0, 0, 0},
    {"NXDOMAIN is no word about a DS", ROW("\x12\x34\x84\x03\0\1" "\0\0\0\1\0\0" ASKED SOA_OF_PARENT),
     DS_REPLY_REFUSED, 0, 0, 3},
    {"SERVFAIL with a DS", ROW("\x12\x34\x84\x02\0\1" "\0\1\0\0\0\0" ASKED DS_A), DS_REPLY_REFUSED, 0, 0, 2},
    {"truncated", ROW("\x12\x34\x86\x00\0\1" "\0\1\0\0\0\0" ASKED DS_A), DS_REPLY_MALFORMED, 0, 0, 0},
    {"a query", ROW("\x12\x34\x04\x00\0\1" "\0\0\0\1\0\0" ASKED SOA_OF_PARENT), DS_REPLY_MALFORMED, 0, 0, 0},
    {"of another type", ROW(AA "\0\0\0\1\0\0" "\1a\7example\0\0\6\0\1" SOA_OF_PARENT), DS_REPLY_MALFORMED, 0, 0, 0},
    {"a DS without digest", ROW(AA "\0\1\0\0\0\0" ASKED "\300\14\0\53\0\1\0\0\16\20\0\4\x1a\x2b\15\2"),
     DS_REPLY_MALFORMED, 0, 0, 0},
    {"a DS of three bytes", ROW(AA "\0\2\0\0\0\0" ASKED DS_A "\300\14\0\53\0\1\0\0\16\20\0\3\x1a\x2b\15"),
     DS_REPLY_MALFORMED, 0, 0, 0},
};
/* clang-format on */

static void a_reply_is_judged(void **state)
{
    const struct row *row = *state;
    struct dns_message message;
    struct ds_reply reply;

    /* On the heap, to the byte, so that a look beyond the end is seen. */
    uint8_t *bytes = malloc(row->length);
    memcpy(bytes, row->bytes, row->length);
    assert_int_equal(dns_message_parse((struct span){bytes, row->length}, &message), SG_OK);
    ds_reply_read(&message, &reply);
    assert_int_equal(reply.kind, row->kind);
    assert_int_equal(reply.count, row->count);
    assert_int_equal(reply.ttl, row->ttl);
    assert_int_equal(reply.rcode, row->rcode);
    if (reply.count > 0) {
        assert_int_equal(reply.records[0].tag, 0x1a2b);
        assert_int_equal(reply.records[0].algorithm, 13);
        assert_int_equal(reply.records[0].digest_type, 2);
        assert_int_equal(reply.records[0].digest.length, 4);
        assert_memory_equal(reply.records[0].digest.bytes, "hash", 4);
    }
    assert_true(strlen(ds_reply_kind_text(reply.kind)) > 0);
    free(bytes);
}

/* One more than fit: to look at some of them only would be to believe a part of an answer. */
static void too_many_records_are_no_answer(void **state)
{
    struct dns_message message;
    struct ds_reply reply;
    (void)state;

    for (unsigned count = DS_REPLY_RECORDS_MAX; count <= DS_REPLY_RECORDS_MAX + 1; count++) {
        struct buffer wire = BUFFER_EMPTY;
        buffer_append(&wire, AA "\0\0\0\0\0\0" ASKED, 12 + 15);
        wire.bytes[7] = (uint8_t)count;
        for (unsigned i = 0; i < count; i++) {
            buffer_append(&wire, DS_A, sizeof(DS_A) - 1);
        }
        assert_int_equal(dns_message_parse(buffer_span(&wire), &message), SG_OK);
        ds_reply_read(&message, &reply);
        assert_int_equal(reply.kind,
                         count > DS_REPLY_RECORDS_MAX ? DS_REPLY_MALFORMED : DS_REPLY_PRESENT);
        buffer_free(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(too_many_records_are_no_answer)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, a_reply_is_judged);
}
