#include <unistd.h>

#include "fixture.h"

#define ZONE "zone example { type primary; file \"example\"; };\n"

static size_t ask_chaos(struct desk *desk, const char *name, uint16_t type)
{
    struct packet packet = packet_of(name, type, 0);
    wire_put_u16(packet.bytes + packet.length - 2, DNS_CLASS_CH);
    return desk_ask_packet(desk, &packet);
}

/* The answer's only TXT string, behind a pointer to the question's name. */
static void assert_text(struct desk *desk, const char *name, const char *text)
{
    ask_chaos(desk, name, DNS_TYPE_TXT);
    assert_int_equal(desk_flags(desk), DNS_FLAG_QR | DNS_FLAG_AA);
    assert_int_equal(wire_get_u16(desk->reply + 6), 1);
    size_t question = DNS_HEADER_BYTES + desk_name(name).length + 4;
    const uint8_t *answer = desk->reply + question;
    assert_memory_equal(answer, "\300\14\0\20\0\3\0\0\0\0", 10);
    assert_int_equal(answer[12], strlen(text));
    assert_memory_equal(answer + 13, text, strlen(text));
    assert_int_equal(desk->length, question + 13 + strlen(text));
}

static void the_server_tells_what_the_options_say(void **state)
{
    struct desk *desk = desk_open("options { version \"none of yours\"; hostname \"a.host\";"
                                  " server-id \"an-id\"; };" ZONE);

    (void)state;
    assert_text(desk, "version.bind", "none of yours");
    assert_text(desk, "VERSION.Bind", "none of yours");
    assert_text(desk, "version.server", "none of yours");
    assert_text(desk, "hostname.bind", "a.host");
    assert_text(desk, "id.server", "an-id");
    assert_text(desk, "authors.bind", "The Signet authors");
    assert_int_equal(desk_count(desk, STATS_CHAOS), 6);
    desk_close(desk);
}

static void without_options_version_and_host_are_told_and_no_id(void **state)
{
    struct desk *desk = desk_open(ZONE);
    char host[256] = "";

    (void)state;
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    assert_text(desk, "version.bind", "Signet " SIGNET_VERSION);
    assert_text(desk, "hostname.bind", host);
    ask_chaos(desk, "id.server", DNS_TYPE_TXT);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_REFUSED);
    desk_close(desk);
}

static void what_shall_not_be_told_is_refused(void **state)
{
    static const char *const names[] = {"version.bind", "version.server", "hostname.bind",
                                        "id.server",    "authors.bind",   "other.bind"};
    struct desk *desk = desk_open("options { version none; hostname none; server-id none; };" ZONE);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ask_chaos(desk, names[i], DNS_TYPE_TXT);
        assert_int_equal(desk_rcode(desk), DNS_RCODE_REFUSED);
    }
    desk_close(desk);
}

static void other_questions_are_answered_as_by_any_zone(void **state)
{
    struct desk *desk = desk_open(ZONE);

    (void)state;
    ask_chaos(desk, "version.bind", DNS_TYPE_A);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_NOERROR);
    assert_memory_equal(desk->reply + 4, "\0\1\0\0\0\1\0\0", 8); /* NODATA with SOA */
    ask_chaos(desk, "x.version.bind", DNS_TYPE_TXT);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_NXDOMAIN);
    ask_chaos(desk, "version.bind", DNS_TYPE_NS);
    assert_memory_equal(desk->reply + 4, "\0\1\0\1\0\0\0\0", 8);
    ask_chaos(desk, "version.bind", DNS_TYPE_SOA);
    assert_memory_equal(desk->reply + 4, "\0\1\0\1\0\0\0\0", 8);
    desk->tcp = true;
    ask_chaos(desk, "version.bind", DNS_TYPE_AXFR);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_REFUSED);
    assert_null(desk->stream);
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_tells_what_the_options_say),
        cmocka_unit_test(without_options_version_and_host_are_told_and_no_id),
        cmocka_unit_test(what_shall_not_be_told_is_refused),
        cmocka_unit_test(other_questions_are_answered_as_by_any_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
