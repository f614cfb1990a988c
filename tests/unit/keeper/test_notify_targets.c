#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dns/text.h"
#include "keeper/notify_targets.h"
#include "support/table.h"
#include "zone/edit.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

/* Lines of "owner type rdata"; names are absolute. */
static const struct zone_version *zone_of_lines(const char *apex_text, const char *const *lines)
{
    struct dns_name apex = name_of(apex_text);
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    const struct zone_version *version;

    for (; *lines != NULL; lines++) {
        char owner[128];
        char type_text[16];
        int used = 0;
        uint16_t type;
        uint32_t ttl;
        struct buffer rdata = BUFFER_EMPTY;
        assert_int_equal(sscanf(*lines, "%127s %15s %n", owner, type_text, &used), 2);
        assert_int_equal(dns_type_from_text(type_text, strlen(type_text), &type), SG_OK);
        struct dns_name name = name_of(owner);
        assert_int_equal(
            dns_rdata_from_text(type, *lines + used, strlen(*lines + used), NULL, &rdata, NULL),
            SG_OK);
        assert_int_equal(zone_edit_add_record(edit, &name, type, 3600, buffer_span(&rdata), &ttl),
                         SG_OK);
        buffer_free(&rdata);
    }
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static const char *const main_zone[] = {
    "example. SOA ns1.example. admin.example. 1 2 3 4 5",
    "example. NS ns1.example.",          /* the primary, by the SOA */
    "example. NS ns2.example.",          /* in the zone, both families */
    "example. NS ns.sub.example.",       /* glue below a cut */
    "example. NS ns.host.test.",         /* in another zone that is served here */
    "example. NS ns.elsewhere.invalid.", /* nowhere */
    "example. NS lost.example.",         /* in the zone, and not there */
    "ns1.example. A 192.0.2.1",
    "ns2.example. A 192.0.2.2",
    "ns2.example. AAAA 2001:db8::2",
    "sub.example. NS ns.sub.example.",
    "ns.sub.example. A 192.0.2.3",
    NULL,
};
static const char *const host_zone[] = {
    "host.test. SOA ns.host.test. admin.host.test. 1 2 3 4 5",
    "host.test. NS ns.host.test.",
    "ns.host.test. A 198.51.100.1",
    "ns.host.test. A 198.51.100.2",
    NULL,
};

struct scene {
    const struct zone_version *host;
};

static const struct zone_version *zone_of(void *argument, const struct dns_name *name)
{
    struct scene *scene = argument;
    struct dns_name apex = name_of("host.test.");
    return dns_name_is_at_or_below(name, &apex) ? scene->host : NULL;
}

static bool is_192_0_2_2(void *argument, const struct remote *remote)
{
    static const uint8_t ours[] = {192, 0, 2, 2};
    (void)argument;
    return remote->address_length == 4 && memcmp(remote->address, ours, 4) == 0 &&
           remote->port == 53;
}

#define NS2  "192.0.2.2 2001:db8::2 "
#define GLUE "192.0.2.3 "
#define HOST "198.51.100.1 198.51.100.2 "

/* clang-format off */
static const struct row {
    const char *name;
    enum notify_mode mode;
    bool is_primary, to_soa, knows_hosts, is_us, is_bogus;
    const char *also; /* an address with port 53 */
    const char *told;
    size_t unknown;
} rows[] = {
    {"notify no", NOTIFY_NO, true, true, true, false, false, "203.0.113.9", "", 0},
    {"notify explicit", NOTIFY_EXPLICIT, true, true, true, false, false, "203.0.113.9", "203.0.113.9 ", 0},
    {"notify explicit, nobody", NOTIFY_EXPLICIT, true, true, true, false, false, NULL, "", 0},
    {"RFC 1996 2.1: all name servers but the SOA's", NOTIFY_YES, true, false, true, false, false, NULL,
     GLUE HOST NS2, 2},
    {"notify-to-soa", NOTIFY_YES, true, true, true, false, false, NULL, GLUE HOST "192.0.2.1 " NS2, 2},
    {"also-notify first", NOTIFY_YES, true, false, false, false, false, "203.0.113.9", "203.0.113.9 " GLUE NS2, 3},
    {"who is listed twice is told once", NOTIFY_YES, true, false, false, false, false, "192.0.2.2",
     "192.0.2.2 " GLUE "2001:db8::2 ", 3},
    {"not ourselves", NOTIFY_YES, true, false, false, true, false, NULL, GLUE "2001:db8::2 ", 3},
    {"not ourselves by also-notify", NOTIFY_EXPLICIT, true, false, false, true, false, "192.0.2.2", "", 0},
    {"nobody who is bogus", NOTIFY_YES, true, false, false, false, true, NULL, GLUE "2001:db8::2 ", 3},
    {"primary-only, a primary", NOTIFY_PRIMARY_ONLY, true, false, false, false, false, NULL, GLUE NS2, 3},
    {"primary-only, a secondary", NOTIFY_PRIMARY_ONLY, false, false, false, false, false, "203.0.113.9", "", 0},
    {"yes, a secondary", NOTIFY_YES, false, false, false, false, false, NULL, GLUE NS2, 3},
};
/* clang-format on */

static struct remote remote_of(const char *text)
{
    struct remote remote = {.address_length = 4, .port = 53};
    assert_int_equal(inet_pton(AF_INET, text, remote.address), 1);
    return remote;
}

static void those_are_told(void **state)
{
    const struct row *row = *state;
    struct scene scene = {zone_of_lines("host.test.", host_zone)};
    const struct zone_version *version = zone_of_lines("example.", main_zone);
    struct remote also = row->also != NULL ? remote_of(row->also) : (struct remote){0};
    const struct notify_rules rules = {
        .mode = row->mode,
        .is_primary = row->is_primary,
        .to_soa = row->to_soa,
        .port = 53,
        .also = &also,
        .also_count = row->also != NULL,
        .is_ours = row->is_us ? is_192_0_2_2 : NULL,
        .is_bogus = row->is_bogus ? is_192_0_2_2 : NULL,
        .zone_of = row->knows_hosts ? zone_of : NULL,
        .argument = &scene,
    };
    struct notify_targets targets;
    char told[512] = "";

    notify_targets_collect(version, &rules, &targets);
    for (size_t i = 0; i < targets.count; i++) {
        char text[64];
        const struct remote *remote = &targets.remotes[i];
        inet_ntop(remote->address_length == 4 ? AF_INET : AF_INET6, remote->address, text,
                  sizeof(text));
        assert_int_equal(remote->port, 53);
        strncat(told, text, sizeof(told) - strlen(told) - 2);
        strcat(told, " ");
    }
    assert_string_equal(told, row->told);
    assert_int_equal(targets.unknown, row->unknown);
    assert_false(targets.cut_short);
    assert_int_equal(targets.some_bogus, row->is_bogus);
    notify_targets_clear(&targets);
    zone_version_unref(version);
    zone_version_unref(scene.host);
}

static void a_key_stays_with_its_address(void **state)
{
    const struct zone_version *version = zone_of_lines("example.", main_zone);
    struct tsig_key key = {0};
    struct remote also = remote_of("192.0.2.2");
    struct notify_rules rules = {
        .mode = NOTIFY_YES, .is_primary = true, .port = 53, .also = &also, .also_count = 1};
    struct notify_targets targets;
    (void)state;

    also.key = &key;
    notify_targets_collect(version, &rules, &targets);
    assert_ptr_equal(targets.remotes[0].key, &key);
    assert_null(targets.remotes[1].key);
    notify_targets_clear(&targets);
    zone_version_unref(version);
}

static void there_is_an_end_to_it(void **state)
{
    const struct zone_version *version = zone_of_lines("example.", main_zone);
    struct remote *also = mem_alloc_zero(NOTIFY_TARGETS_MAX + 5, sizeof(*also));
    struct notify_rules rules = {
        .mode = NOTIFY_YES, .port = 53, .also = also, .also_count = NOTIFY_TARGETS_MAX + 5};
    struct notify_targets targets;
    (void)state;

    for (unsigned i = 0; i < NOTIFY_TARGETS_MAX + 5; i++) {
        also[i] = (struct remote){
            .address = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}, .address_length = 4, .port = 53};
    }
    notify_targets_collect(version, &rules, &targets);
    assert_int_equal(targets.count, NOTIFY_TARGETS_MAX);
    assert_true(targets.cut_short);
    notify_targets_clear(&targets);
    mem_free(also);
    zone_version_unref(version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_stays_with_its_address),
        cmocka_unit_test(there_is_an_end_to_it),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, those_are_told);
}
