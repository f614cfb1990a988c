#include <stdio.h>

#include "answer/compress.h"
#include "base/random.h"
#include "dns/name.h"
#include "support/table.h"

enum { MESSAGE_BYTES = 40000, NAMES = 3000, BEGIN = 12 };

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct span labels_of(const struct dns_name *name)
{
    return (struct span){name->wire, name->length - 1u};
}

/* A message whose writing goes on at `at`. */
struct sheet {
    struct compress compress;
    struct compress_slot slots[COMPRESS_SLOTS];
    uint8_t bytes[MESSAGE_BYTES];
    uint8_t *at;
};

static void sheet_start(struct sheet *sheet)
{
    memset(sheet->bytes, 0xEE, sizeof(sheet->bytes));
    compress_start(&sheet->compress, sheet->bytes, sheet->slots, COMPRESS_SLOTS);
    sheet->at = sheet->bytes + BEGIN;
}

/* Write a name and read it back; returns how many bytes it took. */
static size_t sheet_write(struct sheet *sheet, const char *text, enum compress_case letters)
{
    struct dns_name name = name_of(text);
    struct dns_name got;
    size_t offset = (size_t)(sheet->at - sheet->bytes);
    size_t after;
    uint8_t *end = compress_write(&sheet->compress, labels_of(&name), letters, sheet->at,
                                  sheet->bytes + MESSAGE_BYTES);
    assert_non_null(end);
    struct span message = {sheet->bytes, (size_t)(end - sheet->bytes)};
    assert_int_equal(dns_name_from_message(message, offset, &got, &after), SG_OK);
    assert_int_equal(after, end - sheet->bytes);
    assert_true(dns_name_equal(&name, &got));
    if (letters == COMPRESS_CASE_KEPT) {
        assert_memory_equal(name.wire, got.wire, name.length);
    }
    sheet->at = end;
    return after - offset;
}

static void the_longest_known_suffix_becomes_a_pointer(void **state)
{
    static struct sheet sheet;
    (void)state;
    sheet_start(&sheet);
    assert_int_equal(sheet_write(&sheet, "www.example.com.", COMPRESS_CASE_IGNORED), 17);
    assert_int_equal(sheet_write(&sheet, "www.example.com.", COMPRESS_CASE_IGNORED), 2);
    assert_int_equal(sheet_write(&sheet, "mail.example.com.", COMPRESS_CASE_IGNORED), 7);
    assert_int_equal(sheet_write(&sheet, "a.mail.example.com.", COMPRESS_CASE_IGNORED), 4);
    assert_int_equal(sheet_write(&sheet, "com.", COMPRESS_CASE_IGNORED), 2);
    assert_int_equal(sheet_write(&sheet, "example.", COMPRESS_CASE_IGNORED), 9);
    assert_int_equal(sheet_write(&sheet, ".", COMPRESS_CASE_IGNORED), 1);
}

static void a_learned_question_is_pointed_at(void **state)
{
    static struct sheet sheet;
    struct dns_name question = name_of("WWW.Example.com.");
    (void)state;
    sheet_start(&sheet);
    memcpy(sheet.at, question.wire, question.length);
    compress_learn(&sheet.compress, BEGIN);
    sheet.at += question.length;
    assert_int_equal(sheet_write(&sheet, "www.example.com.", COMPRESS_CASE_IGNORED), 2);
    assert_int_equal(sheet_write(&sheet, "ftp.example.com.", COMPRESS_CASE_IGNORED), 6);
}

static void names_in_rdata_keep_their_case(void **state)
{
    static struct sheet sheet;
    (void)state;
    sheet_start(&sheet);
    sheet_write(&sheet, "WWW.Example.com.", COMPRESS_CASE_KEPT);
    assert_int_equal(sheet_write(&sheet, "www.example.com.", COMPRESS_CASE_KEPT), 14);
    assert_int_equal(sheet_write(&sheet, "WWW.Example.com.", COMPRESS_CASE_KEPT), 2);
    assert_int_equal(sheet_write(&sheet, "www.example.com.", COMPRESS_CASE_KEPT), 2);
}

static void bytes_that_only_look_like_letters_are_told_apart(void **state)
{
    static struct sheet sheet;
    (void)state;
    sheet_start(&sheet);
    /* '@' and '`', '[' and '{' differ in bit 5 as letters do. */
    sheet_write(&sheet, "a\\@b\\[c.example.", COMPRESS_CASE_IGNORED);
    assert_int_equal(sheet_write(&sheet, "a`b{c.example.", COMPRESS_CASE_IGNORED), 8);
}

static void names_below_the_apex_end_in_a_pointer_to_it(void **state)
{
    static struct sheet sheet;
    struct dns_name question = name_of("a.very.long.name.Example.test.");
    struct dns_name apex = name_of("example.test.");
    struct dns_name relative = name_of("ns1.");
    (void)state;
    sheet_start(&sheet);
    memcpy(sheet.at, question.wire, question.length);
    size_t apex_offset = BEGIN + (size_t)(question.length - apex.length);
    compress_set_apex(&sheet.compress, apex_offset, apex.length - 1u);
    compress_learn(&sheet.compress, BEGIN);
    sheet.at += question.length;
    uint8_t *end =
        compress_write_relative(&sheet.compress, labels_of(&relative), sheet.at, sheet.at + 100);
    assert_int_equal(end - sheet.at, 6);
    assert_int_equal(wire_get_u16(end - 2), 0xC000 | apex_offset);
    sheet.at = end;
    assert_int_equal(sheet_write(&sheet, "ns1.example.test.", COMPRESS_CASE_IGNORED), 2);
    assert_int_equal(sheet_write(&sheet, "x.long.name.example.test.", COMPRESS_CASE_IGNORED), 4);
    assert_int_equal(sheet_write(&sheet, "example.test.", COMPRESS_CASE_IGNORED), 2);
    /* Its bytes inside a label are not the apex. */
    assert_int_equal(sheet_write(&sheet, "a\\007example.test.", COMPRESS_CASE_IGNORED), 12);
    /* Beside it and above it. */
    assert_int_equal(sheet_write(&sheet, "other.test.", COMPRESS_CASE_IGNORED), 8);
    assert_int_equal(sheet_write(&sheet, "test.", COMPRESS_CASE_IGNORED), 2);
    /* In another case it stands on its own. */
    assert_int_equal(sheet_write(&sheet, "ns1.example.test.", COMPRESS_CASE_KEPT), 14);
    assert_int_equal(sheet_write(&sheet, "ns2.Example.test.", COMPRESS_CASE_KEPT), 6);
}

static void a_name_that_does_not_fit_is_refused(void **state)
{
    static struct sheet sheet;
    struct dns_name name = name_of("www.example.");
    (void)state;
    for (size_t room = 0; room <= 13; room++) {
        sheet_start(&sheet);
        uint8_t *end = compress_write(&sheet.compress, labels_of(&name), COMPRESS_CASE_IGNORED,
                                      sheet.at, sheet.at + room);
        assert_true((end == NULL) == (room < 13));
        assert_int_equal(sheet.at[room], 0xEE);
    }
}

/* Names of few labels from few words, so that suffixes are shared, in a message that outgrows
 * what pointers reach and a table that fills up. */
static void any_sequence_of_names_reads_back(void **state)
{
    static struct sheet sheet;
    static const char *const words[] = {"a",         "bb", "ccc", "dddd",    "eeeeeee", "ffffffff",
                                        "ggggggggg", "G",  "A",   "example", "Example", "test"};
    struct random_seeded random = {20261122};
    (void)state;
    for (int round = 0; round < 20; round++) {
        sheet_start(&sheet);
        if (round % 2 == 0) {
            sheet.at = compress_write(&sheet.compress, (struct span){(uint8_t *)"\7example", 8},
                                      COMPRESS_CASE_KEPT, sheet.at, sheet.at + 100);
            compress_set_apex(&sheet.compress, BEGIN, 8);
        }
        size_t plain = 0;
        for (int i = 0; i < NAMES && sheet.at - sheet.bytes < MESSAGE_BYTES - 300; i++) {
            char text[256] = "";
            uint32_t labels = 1 + random_seeded_below(&random, 6);
            for (uint32_t j = 0; j < labels; j++) {
                uint32_t word = random_seeded_below(&random, ARRAY_LEN(words));
                strcat(text, words[word]);
                if (random_seeded_below(&random, 2) == 0) {
                    char number[16];
                    snprintf(number, sizeof(number), "%u", random_seeded_below(&random, 500));
                    strcat(text, number);
                }
                strcat(text, ".");
            }
            plain += strlen(text) + 1;
            sheet_write(&sheet, text,
                        random_seeded_below(&random, 2) == 0 ? COMPRESS_CASE_IGNORED
                                                             : COMPRESS_CASE_KEPT);
        }
        assert_true((size_t)(sheet.at - sheet.bytes) < plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_known_suffix_becomes_a_pointer),
        cmocka_unit_test(a_learned_question_is_pointed_at),
        cmocka_unit_test(names_in_rdata_keep_their_case),
        cmocka_unit_test(bytes_that_only_look_like_letters_are_told_apart),
        cmocka_unit_test(names_below_the_apex_end_in_a_pointer_to_it),
        cmocka_unit_test(a_name_that_does_not_fit_is_refused),
        cmocka_unit_test(any_sequence_of_names_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
