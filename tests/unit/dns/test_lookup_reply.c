#include <stdlib.h>

#include "dns/lookup_reply.h"
#include "dns/rrtype.h"
#include "support/table.h"

/* Questions are "a.example. A IN": a.example. at 12, example. at 14. */
#define HEADER(flags)                      "\x12\x34" flags "\0\1"
#define FINE                               HEADER("\x81\x80")
#define ASKED                              "\1a\7example\0\0\1\0\1"
#define A_OF(name)                         name "\0\1\0\1\0\0\2\130\0\4\300\0\2\1"
#define ALIAS(name, target_length, target) name "\0\5\0\1\0\0\1\54\0" target_length target
#define NUMBERS                            "\0\0\0\7\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"
#define SOA                                "\300\16\0\6\0\1\0\0\0\144\0\30\300\14\300\14" NUMBERS

/* clang-format off */
static const struct row {
    const char *name;
    const char *bytes;
    size_t length;
    enum lookup_reply_kind kind;
    size_t count;
    uint32_t ttl;
    bool aliased;
} rows[] = {
#define ROW(text) text, sizeof(text) - 1
    {"an address", ROW(FINE "\0\1\0\0\0\0" ASKED A_OF("\300\14")), LOOKUP_FOUND, 1, 600, false},
    {"through an alias, whose TTL is smaller",
     ROW(FINE "\0\2\0\0\0\0" ASKED ALIAS("\300\14", "\4", "\1b\300\16") A_OF("\1b\300\16")),
     LOOKUP_FOUND, 1, 300, true},
    {"an alias behind what it leads to",
     ROW(FINE "\0\2\0\0\0\0" ASKED A_OF("\1b\300\16") ALIAS("\300\14", "\4", "\1b\300\16")),
     LOOKUP_FOUND, 1, 300, true},
    {"an alias to nothing", ROW(FINE "\0\1\0\1\0\0" ASKED ALIAS("\300\14", "\4", "\1b\300\16") SOA),
     LOOKUP_NODATA, 0, 100, true},
    {"an alias to itself", ROW(FINE "\0\1\0\0\0\0" ASKED ALIAS("\300\14", "\2", "\300\14")),
     LOOKUP_FAILED, 0, 0, true},
    {"an alias with bytes behind it", ROW(FINE "\0\1\0\0\0\0" ASKED ALIAS("\300\14", "\3", "\300\14x")),
     LOOKUP_FAILED, 0, 0, false},
    {"somebody else's address", ROW(FINE "\0\1\0\0\0\0" ASKED A_OF("\1b\300\16")), LOOKUP_FAILED, 0, 0, false},
    {"none", ROW(FINE "\0\0\0\1\0\0" ASKED SOA), LOOKUP_NODATA, 0, 100, false},
    {"none, and nobody says so", ROW(FINE "\0\0\0\0\0\0" ASKED), LOOKUP_FAILED, 0, 0, false},
    {"no such name", ROW(HEADER("\x81\x83") "\0\0\0\1\0\0" ASKED SOA), LOOKUP_NXDOMAIN, 0, 0, false},
    {"SERVFAIL", ROW(HEADER("\x81\x82") "\0\1\0\0\0\0" ASKED A_OF("\300\14")), LOOKUP_FAILED, 0, 0, false},
    {"truncated", ROW(HEADER("\x83\x80") "\0\1\0\0\0\0" ASKED A_OF("\300\14")), LOOKUP_TRUNCATED, 0, 0, false},
    {"a query", ROW(HEADER("\x01\x00") "\0\0\0\0\0\0" ASKED), LOOKUP_FAILED, 0, 0, false},
};
/* clang-format on */

static void a_reply_is_read(void **state)
{
    const struct row *row = *state;
    struct dns_message message;
    struct lookup_reply reply;

    /* On the heap, to the byte, so that a look beyond the end is seen. */
    uint8_t *bytes = malloc(row->length);
    memcpy(bytes, row->bytes, row->length);
    assert_int_equal(dns_message_parse((struct span){bytes, row->length}, &message), SG_OK);
    lookup_reply_read(&message, &reply);
    assert_int_equal(reply.kind, row->kind);
    assert_int_equal(reply.count, row->count);
    assert_int_equal(reply.ttl, row->ttl);
    assert_int_equal(reply.aliased, row->aliased);
    if (reply.count > 0) {
        assert_int_equal(reply.records[0].rdata_length, 4);
        assert_memory_equal(bytes + reply.records[0].rdata_offset, "\300\0\2\1", 4);
    }
    if (reply.kind == LOOKUP_NODATA) {
        assert_int_equal(reply.soa_owner.length, 9);
        assert_memory_equal(reply.soa_owner.wire, "\7example", 9);
    }
    free(bytes);
}

/* Eight aliases in a row are followed, nine are not. */
static void aliases_are_bounded(void **state)
{
    (void)state;
    for (unsigned aliases = 7; aliases <= 10; aliases++) {
        struct dns_message message;
        struct lookup_reply reply;
        struct buffer wire = BUFFER_EMPTY;
        buffer_append(&wire, FINE "\0\0\0\0\0\0" ASKED, 12 + 15);
        wire.bytes[7] = (uint8_t)(aliases + 1);
        for (unsigned i = 0; i < aliases; i++) {
            char name[] = "\1?\300\16";
            name[1] = (char)('a' + i);
            buffer_append(&wire, name, 4);
            buffer_append(&wire, "\0\5\0\1\0\0\1\54\0\4", 10);
            name[1]++;
            buffer_append(&wire, name, 4);
        }
        char last[] = "\1?\300\16";
        last[1] = (char)('a' + aliases);
        buffer_append(&wire, last, 4);
        buffer_append(&wire, A_OF(""), sizeof(A_OF("")) - 1);
        assert_int_equal(dns_message_parse(buffer_span(&wire), &message), SG_OK);
        lookup_reply_read(&message, &reply);
        assert_int_equal(reply.kind, aliases <= LOOKUP_ALIASES_MAX ? LOOKUP_FOUND : LOOKUP_FAILED);
        buffer_free(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(aliases_are_bounded)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, a_reply_is_read);
}
