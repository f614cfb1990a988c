/* Records of the private type in BIND's words. */
#include <stdio.h>

#include "server/signing_text.h"
#include "support/table.h"

static const struct {
    const char *rdata; /* in hexadecimal */
    const char *text;  /* NULL: it is none of them */
} cases[] = {
    {"0d30390000", "Signing with key 12345/ECDSAP256SHA256"},
    {"0d30390001", "Done signing with key 12345/ECDSAP256SHA256"},
    {"0830390100", "Removing signatures for key 12345/RSASHA256"},
    {"0830390101", "Done removing signatures for key 12345/RSASHA256"},
    {"000180000000", "Creating NSEC3 chain 1 0 0 -"},
    {"000181000003aabbcc", "Creating NSEC3 chain 1 1 0 AABBCC"},
    {"0001a0000000", "Pending NSEC3 chain 1 0 0 -"},
    {"000140000000", "Removing NSEC3 chain 1 0 0 - / creating NSEC chain"},
    {"0001500005020102", "Removing NSEC3 chain 1 0 5 0102"},
    {"0030390000", NULL},
    {"0d3039000000", NULL},
    {"0001800000", NULL},
    {"000180000001", NULL},
    {"0001800000000a", NULL},
    {"", NULL},
};

static void each_record_is_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer rdata = BUFFER_EMPTY;
        struct buffer text = BUFFER_EMPTY;
        for (const char *at = cases[i].rdata; *at != '\0'; at += 2) {
            unsigned byte;
            assert_int_equal(sscanf(at, "%2x", &byte), 1);
            const uint8_t one = (uint8_t)byte;
            buffer_append(&rdata, &one, 1);
        }
        bool is_told = signing_text_append(buffer_span(&rdata), &text);
        assert_int_equal(is_told, cases[i].text != NULL);
        assert_string_equal(is_told ? buffer_text(&text) : "", is_told ? cases[i].text : "");
        buffer_free(&rdata);
        buffer_free(&text);
    }
}

static void lines_follow_each_other(void **state)
{
    static const uint8_t rdata[] = {13, 0, 7, 0, 1};
    struct buffer text = BUFFER_EMPTY;
    (void)state;
    assert_true(signing_text_append((struct span){rdata, sizeof(rdata)}, &text));
    assert_true(signing_text_append((struct span){rdata, sizeof(rdata)}, &text));
    assert_string_equal(buffer_text(&text), "Done signing with key 7/ECDSAP256SHA256\n"
                                            "Done signing with key 7/ECDSAP256SHA256");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_is_a_line),
        cmocka_unit_test(lines_follow_each_other),
    };
    return cmocka_run_group_tests_name("signing_text", tests, NULL, NULL);
}
