#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "base/random.h"
#include "dns/rrtype.h"
#include "support/table.h"
#include "zone/zonefile_words.h"

enum { ROUNDS = 200000, TEXT_BYTES = 512 };

/* A token of `text`, in a window with slack. */
static struct scan_token token_of(const char *text)
{
    static uint8_t window[TEXT_BYTES + SCAN_SLACK_BYTES];
    size_t length = strlen(text);
    assert_true(length <= TEXT_BYTES);
    memset(window, 0xdd, sizeof(window)); /* what lies behind the word must not matter */
    memcpy(window, text, length);
    return (struct scan_token){window, length, SCAN_WORD, strchr(text, '\\') != NULL};
}

static const struct period_case {
    const char *name;
    enum sg_result result;
    uint32_t seconds;
} periods[] = {
    {"0", SG_OK, 0},
    {"300", SG_OK, 300},
    {"4294967295", SG_OK, UINT32_MAX},
    {"4294967296", SG_LIMIT, 0},
    {"99999999999999999999999", SG_LIMIT, 0},
    {"1w2d3h4m5s", SG_OK, 788645},
    {"1W2D", SG_OK, 777600},
    {"1h1h", SG_OK, 7200},
    {"7101w", SG_OK, 4294684800},
    {"7102w", SG_LIMIT, 0},
    {"1h30", SG_MALFORMED, 0},
    {"h", SG_MALFORMED, 0},
    {"1x", SG_MALFORMED, 0},
    {"-1", SG_MALFORMED, 0},
    {"1w2x", SG_MALFORMED, 0},
    {"1 h", SG_MALFORMED, 0},
};

static void period_is_read(void **state)
{
    const struct period_case *c = *state;
    uint32_t seconds = 0;
    struct scan_token token = token_of(c->name);
    assert_int_equal(zonefile_period(&token, &seconds), c->result);
    assert_int_equal(seconds, c->seconds);
}

static void number_has_a_maximum(void **state)
{
    (void)state;
    uint32_t value = 0;
    struct scan_token token = token_of("65535");
    assert_int_equal(zonefile_number(&token, UINT16_MAX, &value), SG_OK);
    assert_int_equal(value, 65535);
    assert_int_equal(zonefile_number(&token, 65534, &value), SG_LIMIT);
    token = token_of("0000000001");
    assert_int_equal(zonefile_number(&token, 1, &value), SG_OK);
    token = token_of("00000000001");
    assert_int_equal(zonefile_number(&token, 1, &value), SG_MALFORMED);
    token = token_of("1a");
    assert_int_equal(zonefile_number(&token, UINT16_MAX, &value), SG_MALFORMED);
    token = token_of("");
    assert_int_equal(zonefile_number(&token, UINT16_MAX, &value), SG_MALFORMED);
}

/* Random text of the characters that matter. */
static size_t random_text(struct random_seeded *random, const char *alphabet, unsigned length_max,
                          char *out_text)
{
    size_t length = 1 + random_seeded_below(random, length_max);
    for (size_t i = 0; i < length; i++) {
        out_text[i] = alphabet[random_seeded_below(random, (uint32_t)strlen(alphabet))];
    }
    out_text[length] = 0;
    return length;
}

static void ipv4_is_what_inet_pton_says(void **state)
{
    (void)state;
    struct random_seeded random = {7};
    unsigned good = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char text[64];
        uint8_t ours[4], theirs[4];
        if (i % 2 == 0) {
            unsigned bound = i % 3 == 0 ? 300 : 256;
            snprintf(text, sizeof(text), "%s%u.%u.%u.%u", i % 10 == 0 ? "0" : "",
                     random_seeded_below(&random, bound), random_seeded_below(&random, bound),
                     random_seeded_below(&random, bound), random_seeded_below(&random, bound));
        } else {
            random_text(&random, "0125.9/:", 12, text);
        }
        struct scan_token token = token_of(text);
        bool expected = inet_pton(AF_INET, text, theirs) == 1;
        if (zonefile_ipv4(token.text, token.length, ours) != expected) {
            fail_msg("%s", text);
        }
        if (expected) {
            good++;
            assert_memory_equal(ours, theirs, sizeof(ours));
        }
    }
    assert_true(good > ROUNDS / 10);
}

static void ipv6_is_what_inet_pton_says(void **state)
{
    (void)state;
    struct random_seeded random = {11};
    unsigned good = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char text[64];
        uint8_t ours[16], theirs[16];
        static const char *const alphabets[] = {":::1a", "1:f", "::0.25a:", "12:.:g", "a:::::::1"};
        random_text(&random, alphabets[i % 5], i % 7 == 0 ? 45 : 18, text);
        struct scan_token token = token_of(text);
        bool expected = inet_pton(AF_INET6, text, theirs) == 1;
        if (zonefile_ipv6(token.text, token.length, ours) != expected) {
            fail_msg("%s", text);
        }
        if (expected) {
            good++;
            assert_memory_equal(ours, theirs, sizeof(ours));
        }
    }
    assert_true(good > ROUNDS / 1000);
}

static void name_is_what_the_slow_way_says(void **state)
{
    (void)state;
    struct random_seeded random = {13};
    struct dns_name origin;
    unsigned good = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char text[TEXT_BYTES];
        struct dns_name fast, slow, owner;
        const char *origin_text = i % 3 == 0 ? "." : i % 3 == 1 ? "exAmple." : "a.b.c.example.net.";
        assert_int_equal(dns_name_from_text(origin_text, strlen(origin_text), NULL, &origin),
                         SG_OK);
        /* Few dots, so that labels and names become too long now and then. */
        static const char *const alphabets[] = {"aB.", "abcdefghijklmnopqrstuvwxyzA@*_\x80.",
                                                "abcdefghijklmnopqrstuv\\1234."};
        random_text(&random, alphabets[i % 3], i % 11 == 0 ? 300 : 20, text);
        size_t length = strlen(text);
        if (length > 1 && text[length - 1] == '\\') {
            continue; /* The scan lets no such word through. */
        }
        struct scan_token token = token_of(text);
        bool expected = dns_name_from_text(text, length, &origin, &slow) == SG_OK;
        if ((zonefile_name(&token, &origin, &fast) == NULL) != expected) {
            fail_msg("%s", text);
        }
        if (!expected) {
            continue;
        }
        good++;
        assert_int_equal(fast.length, slow.length);
        assert_int_equal(fast.labels, slow.labels);
        assert_memory_equal(fast.wire, slow.wire, slow.length);

        uint8_t bytes[300];
        struct writer writer = writer_of(bytes, i % 2 == 0 ? sizeof(bytes) : slow.length);
        assert_null(zonefile_name_write(&token, &origin, &writer));
        assert_int_equal(writer_length(&writer), slow.length);
        assert_memory_equal(bytes, slow.wire, slow.length);

        dns_name_lower(&origin);
        dns_name_lower(&slow);
        assert_null(zonefile_owner_name(&token, &origin, &owner));
        assert_int_equal(owner.length, slow.length);
        assert_int_equal(owner.labels, slow.labels);
        assert_memory_equal(owner.wire, slow.wire, slow.length);
    }
    assert_true(good > ROUNDS / 4);
}

static void a_quoted_name_is_refused(void **state)
{
    (void)state;
    struct dns_name name;
    struct scan_token token = token_of("a");
    token.kind = SCAN_QUOTED;
    assert_non_null(zonefile_name(&token, &dns_name_root, &name));
    assert_non_null(zonefile_owner_name(&token, &dns_name_root, &name));
}

static void every_type_is_found_in_any_case(void **state)
{
    (void)state;
    for (unsigned type = 1; type < 66000; type++) {
        char text[DNS_TYPE_TEXT_BYTES];
        uint16_t found = 0;
        uint16_t expected = (uint16_t)type;
        dns_type_to_text(expected, text);
        struct scan_token token = token_of(text);
        enum sg_result result = dns_type_from_text(text, token.length, &expected);
        assert_int_equal(zonefile_type(&token, &found), result);
        assert_int_equal(found, result == SG_OK ? expected : 0);
        for (char *c = text; *c != 0; c++) {
            *c = (char)tolower(*c);
        }
        token = token_of(text);
        found = 0;
        assert_int_equal(zonefile_type(&token, &found), result);
        assert_int_equal(found, result == SG_OK ? expected : 0);
    }
}

static void what_only_resembles_a_type_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"NSEC\x13", "n\x93", "", "AA", "AAAAA", "M\xd8", "@", "!"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        uint16_t type;
        struct scan_token token = token_of(texts[i]);
        assert_int_equal(zonefile_type(&token, &type), SG_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_has_a_maximum),
        cmocka_unit_test(ipv4_is_what_inet_pton_says),
        cmocka_unit_test(ipv6_is_what_inet_pton_says),
        cmocka_unit_test(name_is_what_the_slow_way_says),
        cmocka_unit_test(a_quoted_name_is_refused),
        cmocka_unit_test(every_type_is_found_in_any_case),
        cmocka_unit_test(what_only_resembles_a_type_is_none),
    };
    return RUN_TABLE(periods, period_is_read) + cmocka_run_group_tests(tests, NULL, NULL);
}
