#include "fixture.h"

#define CONF                                                                                       \
    "zone example { type primary; file \"x\"; };\n" DESK_KEY                                       \
    "zone dynamic { type primary; file \"y\"; allow-update { 127.0.0.5; }; };\n"                   \
    "zone policed { type primary; file \"z\"; update-policy { grant k zonesub; "                   \
    "grant * tcp-self . PTR; }; };\n"                                                              \
    "zone hidden { type primary; file \"h\"; allow-query { 127.0.0.1; }; "                         \
    "allow-update { 127.0.0.5; 127.0.0.1; }; };\n"                                                 \
    "zone still { type primary; file \"s\"; allow-query { none; }; };\n"                           \
    "zone here { type primary; file \"w\"; allow-query-on { none; }; "                             \
    "allow-update { 127.0.0.5; }; };\n"

/* clang-format off */
static const struct row {
    const char *name, *zone, *client;
    int rcode;
    const char *log;
} rows[] = {
    {"a zone without a list denies",             "example", "127.0.0.1", 5, "update-security info: client @0x1234 127.0.0.1#5300 (example): update 'example/IN' denied\n"},
    {"a client outside the list is denied",      "dynamic", "127.0.0.6", 5, "update 'dynamic/IN' denied\n"},
    {"who is allowed is heard, here in vain",    "dynamic", "127.0.0.5", 2, ""},
    {"whom no rule could grant anything",        "policed", "127.0.0.5", 5, "update 'policed/IN' denied\n"},
    {"who may not ask may not update either",    "hidden",  "127.0.0.5", 5, "update-security error: client @0x1234 127.0.0.5#5300 (hidden): update 'hidden/IN' denied due to allow-query\n"},
    {"who may do both is heard, here in vain",   "hidden",  "127.0.0.1", 2, ""},
    {"nobody could have updated it anyway",      "still",   "127.0.0.5", 5, "update-security info: client @0x1234 127.0.0.5#5300 (still): update 'still/IN' denied due to allow-query\n"},
    {"allow-query-on is for queries, in BIND",   "here",    "127.0.0.5", 2, ""},
    {"another zone is not ours",                 "other",   "127.0.0.1", 9, "update failed: other: not authoritative for update zone (NOTAUTH)\n"},
};
/* clang-format on */

static void is_refused(void **state)
{
    const struct row *row = *state;
    struct desk *desk = desk_open(CONF);
    struct packet packet = packet_of(row->zone, DNS_TYPE_SOA, DNS_OPCODE_UPDATE << 11);

    assert_int_equal(net_address_from_text(row->client, 5300, &desk->client), SG_OK);
    desk_ask_packet(desk, &packet);
    assert_int_equal(desk_rcode(desk), row->rcode);
    assert_true(desk_logged(desk, row->log));
    assert_int_equal(desk_count(desk, STATS_UPDATES), 1);
    desk_close(desk);
}

int main(void)
{
    return RUN_TABLE(rows, is_refused);
}
