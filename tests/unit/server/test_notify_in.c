#include "fixture.h"

#define CONF                                                                                       \
    "zone example { type primary; file \"x\"; };\n"                                                \
    "zone second { type secondary; file \"none\"; primaries { 127.0.0.5; }; };\n"

/* clang-format off */
static const struct row {
    const char *name, *zone, *client;
    int rcode;
    const char *log;
} rows[] = {
    {"a primary acknowledges, and does nothing", "example",     "127.0.0.1", 0, "received notify for zone 'example'\n"},
    {"another zone is not ours",                 "other",       "127.0.0.1", 9, "received notify for zone 'other': not authoritative\n"},
    {"a secondary hears its primary",            "second",      "127.0.0.5", 0, "received notify for zone 'second'\n"},
    {"and no one else",                          "second",      "127.0.0.6", 5, "zone second: refused notify from non-primary: 127.0.0.6#5300\n"},
};
/* clang-format on */

static void is_heard(void **state)
{
    const struct row *row = *state;
    struct desk *desk = desk_open(CONF);
    struct packet packet = packet_of(row->zone, DNS_TYPE_SOA, DNS_OPCODE_NOTIFY << 11);

    assert_int_equal(net_address_from_text(row->client, 5300, &desk->client), SG_OK);
    desk_ask_packet(desk, &packet);
    assert_int_equal(desk_rcode(desk), row->rcode);
    assert_true(desk_logged(desk, row->log));
    assert_int_equal(desk_count(desk, STATS_NOTIFIES), 1);
    desk_close(desk);
}

int main(void)
{
    return RUN_TABLE(rows, is_heard);
}
