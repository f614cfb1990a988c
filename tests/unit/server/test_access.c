#include "fixture.h"
#include "server/access.h"

#define LISTS                                                                                      \
    DESK_KEY                                                                                       \
    "zone defaults { type primary; file \"none0\"; allow-transfer { none; }; };\n"                 \
    "zone lists { type primary; file \"none1\"; allow-query { 127.0.0.1; };"                       \
    " allow-transfer { key k; 127.0.0.2; }; allow-update { key k; }; };\n"                         \
    "zone on { type primary; file \"none2\"; allow-query-on { 127.0.0.9; }; };\n"                  \
    "zone ported { type primary; file \"none3\"; allow-transfer port 5353 { any; }; };\n"          \
    "zone second { type secondary; file \"none4\"; primaries { 127.0.0.5; };"                      \
    " allow-notify { 127.0.0.6; }; };\n"

enum what { QUERY, TRANSFER, UPDATE, NOTIFY };

/* clang-format off */
static const struct row {
    const char *name;
    enum what what;
    unsigned zone; /* of LISTS */
    const char *client;
    bool key;
    bool allowed;
} rows[] = {
    {"any may ask by default",                      QUERY,    0, "192.0.2.1", false, true},
    {"none may transfer where it says so",          TRANSFER, 0, "127.0.0.1", true,  false},
    {"none may update by default",                  UPDATE,   0, "127.0.0.1", true,  false},
    {"none may notify a primary",                   NOTIFY,   0, "127.0.0.1", false, false},
    {"allow-query takes its clients",               QUERY,    1, "127.0.0.1", false, true},
    {"allow-query refuses others",                  QUERY,    1, "127.0.0.2", false, false},
    {"allow-transfer takes a key",                  TRANSFER, 1, "192.0.2.1", true,  true},
    {"allow-transfer takes an address",             TRANSFER, 1, "127.0.0.2", false, true},
    {"allow-transfer refuses others",               TRANSFER, 1, "127.0.0.3", false, false},
    {"allow-update takes a key",                    UPDATE,   1, "192.0.2.1", true,  true},
    {"allow-update refuses others",                 UPDATE,   1, "192.0.2.1", false, false},
    {"allow-query-on goes by our address",          QUERY,    2, "127.0.0.9", false, false},
    {"allow-transfer of another port refuses",      TRANSFER, 3, "127.0.0.1", false, false},
    {"a primary may notify",                        NOTIFY,   4, "127.0.0.5", false, true},
    {"allow-notify adds to the primaries",          NOTIFY,   4, "127.0.0.6", false, true},
    {"others may not notify",                       NOTIFY,   4, "127.0.0.7", false, false},
};
/* clang-format on */

static void is_decided(void **state)
{
    const struct row *row = *state;
    struct desk *desk = desk_open(LISTS);
    struct net_address client;

    assert_int_equal(net_address_from_text(row->client, 5300, &client), SG_OK);
    const struct net_request net = {.client = &client, .local = &desk->local};
    const struct request request = {.net = &net, .key = row->key ? desk->conf->keys[0] : NULL};
    const struct zone_slot *slot = &desk->slots[row->zone];
    bool allowed = row->what == QUERY      ? access_query(&request, slot)
                   : row->what == TRANSFER ? access_transfer(&request, slot)
                   : row->what == UPDATE   ? access_update(&request, slot)
                                           : access_notify(&request, slot);
    assert_int_equal(allowed, row->allowed);
    desk_close(desk);
}

int main(void)
{
    return RUN_TABLE(rows, is_decided);
}
