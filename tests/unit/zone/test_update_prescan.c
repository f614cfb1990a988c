#include "update_scene.h"

#define NEW "u IN new 60 A 192.0.2.1\n" /* would be done, if all the rest were in order */

/* clang-format off */
static const struct scene_row rows[] = {
    {"3.4.1.1 a name out of zone, added",         NEW "u IN www.f. 60 A 192.0.2.1",   DNS_RCODE_NOTZONE, NULL, "www.f/A: the name is out of zone"},
    {"3.4.1.1 a name out of zone, deleted",       NEW "u ANY www.f. 0 A",             DNS_RCODE_NOTZONE, NULL, "out of zone"},
    {"3.4.1.2 another class",                     NEW "u CH www 60 A 192.0.2.1",      DNS_RCODE_FORMERR, NULL, "malformed update"},
    {"3.4.1.2 ANY added",                         NEW "u IN www 60 ANY",              DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 AXFR added",                        NEW "u IN www 60 AXFR",             DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 MAILA added",                       NEW "u IN www 60 MAILA",            DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 MAILB added",                       NEW "u IN www 60 MAILB",            DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 type 0 added",                      NEW "u IN www 60 TYPE0",            DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 rdata that does not fit",           NEW "u IN www 60 A raw 01",         DNS_RCODE_FORMERR, NULL, "malformed rdata"},
    {"3.4.1.2 no rdata where there must be some", NEW "u IN www 60 A",                DNS_RCODE_FORMERR, NULL, "malformed rdata"},
    {"3.4.1.2 an unknown type is taken",          "u IN www 60 TYPE65280 \\# 1 07",   DNS_RCODE_NOERROR, "+www.e. 60 IN TYPE65280 \\# 1 07\n", NULL},
    {"3.4.1.2 ANY with a TTL",                    NEW "u ANY www 1 A",                DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 ANY with rdata",                    NEW "u ANY www 0 A 192.0.2.80",     DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 ANY of AXFR",                       NEW "u ANY www 0 AXFR",             DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 ANY of OPT",                        NEW "u ANY www 0 TKEY",             DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 NONE with a TTL",                   NEW "u NONE www 1 A 192.0.2.80",    DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 NONE of ANY",                       NEW "u NONE www 0 ANY",             DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 NONE of IXFR",                      NEW "u NONE www 0 IXFR",            DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.4.1.2 NONE with rdata that does not fit", NEW "u NONE www 0 A raw 0102030405",DNS_RCODE_FORMERR, NULL, "malformed rdata"},
    {"RRSIG is the signer's",                     NEW "u IN www 60 RRSIG A 13 2 300 20300101000000 20200101000000 1 e. AAAA", DNS_RCODE_REFUSED, NULL, "www.e/RRSIG"},
    {"RRSIG cannot be deleted",                   NEW "u ANY www 0 RRSIG",            DNS_RCODE_REFUSED, NULL, "www.e/RRSIG"},
    {"nor at the apex",                           NEW "u ANY @ 0 RRSIG",              DNS_RCODE_REFUSED, NULL, "e/RRSIG"},
    {"NSEC is the signer's",                      NEW "u IN www 60 NSEC a. A",        DNS_RCODE_REFUSED, NULL, "www.e/NSEC"},
    {"NSEC cannot be deleted",                    NEW "u ANY www 0 NSEC",             DNS_RCODE_REFUSED, NULL, "www.e/NSEC"},
    {"NSEC3 is the signer's",                     NEW "u ANY www 0 NSEC3",            DNS_RCODE_REFUSED, NULL, "www.e/NSEC3"},
    {"SIG is refused",                            NEW "u ANY www 0 SIG",              DNS_RCODE_REFUSED, NULL, "www.e/SIG"},
    {"NXT is refused",                            NEW "u ANY www 0 NXT",              DNS_RCODE_REFUSED, NULL, "www.e/NXT"},
    {"NS of a wildcard",                          NEW "u IN *.x 60 NS ns1",           DNS_RCODE_REFUSED, NULL, "wildcard"},
    {"a host with an underscore",                 NEW "u IN _a 60 A 192.0.2.1",       DNS_RCODE_REFUSED, NULL, "_a.e/A: bad owner name"},
    {"an underscore elsewhere is fine",           "u IN _a 60 TXT x",                 DNS_RCODE_NOERROR, "+_a.e. 60 IN TXT \"x\"\n", NULL},
    {"a bad host may be deleted",                 "u NONE _a 0 A 192.0.2.1",          DNS_RCODE_NOERROR, NULL, NULL},
};
/* clang-format on */

static void is_found_before_anything_changes(void **state)
{
    struct zone_update_options options = {.check_names = CHECK_FAIL};
    scene_check_row(*state, true, &options);
}

static void a_bad_owner_may_be_a_warning(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    struct zone_update_options options = {.check_names = CHECK_WARN};
    assert_int_equal(scene_update(scene, &options, "u IN _a 60 MX 1 www").changes, 1);
    assert_string_equal(buffer_text(&scene->notes), "_a.e/MX: bad owner name (check-names)\n");
    options.check_names = CHECK_IGNORE;
    assert_int_equal(scene_update(scene, &options, "u IN _b 60 AAAA 2001:db8::1").changes, 1);
    assert_string_equal(buffer_text(&scene->notes), "");
    scene_close(scene);
}

/* ---- the policy ---- */

struct asked {
    char text[1000];
    uint16_t denied; /* type */
    uint16_t records_max;
};

static bool ask(void *argument, const struct zone_update_wish *wish, uint16_t *out_records_max)
{
    struct asked *asked = argument;
    char owner[DNS_NAME_TEXT_BYTES], type[DNS_TYPE_TEXT_BYTES];
    size_t length = strlen(asked->text);
    snprintf(asked->text + length, sizeof(asked->text) - length, "%s%s %s %zu;",
             wish->adds ? "+" : "-", dns_name_to_text_short(wish->owner, owner),
             dns_type_to_text(wish->type, type), wish->rdata.length);
    *out_records_max = asked->records_max;
    return wish->type != asked->denied;
}

static void quiet(void *argument, int severity, const char *text)
{
    (void)argument;
    (void)severity;
    (void)text;
}

static struct zone_update_outcome apply_with_policy(struct scene *scene, struct asked *asked,
                                                    const char *lines)
{
    struct zone_update_options options = {.may = ask, .argument = asked};
    struct dns_message message;
    struct zone_update_outcome outcome;
    char *copy = mem_copy_text(lines), *rest = copy, *line;
    scene_start_message(scene);
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        scene_add_line(scene, line);
    }
    mem_free(copy);
    options.note = quiet;
    struct span wire = {scene->wire, writer_length(&scene->writer)};
    assert_int_equal(dns_message_parse(wire, &message), SG_OK);
    assert_int_equal(zone_update_apply(scene->edit, &message, &options, &outcome), SG_OK);
    return outcome;
}

static void the_policy_is_asked_record_by_record(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    struct asked asked = {.text = ""};
    struct zone_update_outcome outcome =
        apply_with_policy(scene, &asked,
                          "u IN New 60 A 192.0.2.1\nu NONE www 0 A 192.0.2.80\n"
                          "u ANY www 0 TXT\nu ANY alias 0 ANY\nu ANY @ 0 ANY\nu ANY none 0 ANY");
    assert_int_equal(outcome.rcode, DNS_RCODE_NOERROR);
    assert_string_equal(asked.text, "+new.e A 4;-www.e A 4;-www.e TXT 0;-alias.e CNAME 0;"
                                    "-e TXT 0;-e DNSKEY 0;");
    scene_close(scene);
}

static void one_record_denied_and_nothing_is_done(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    char *before = scene_dump(scene);
    struct asked asked = {.denied = DNS_TYPE_TXT};
    struct zone_update_outcome outcome =
        apply_with_policy(scene, &asked, "u IN new 60 A 192.0.2.1\nu ANY www 0 ANY");
    assert_int_equal(outcome.rcode, DNS_RCODE_REFUSED);
    assert_string_equal(outcome.reason, "www.e/ANY: rejected by update-policy");
    char *after = scene_dump(scene);
    assert_string_equal(before, after);
    mem_free(before);
    mem_free(after);
    scene_close(scene);
}

static void records_beyond_the_policys_number_are_ignored(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    char *before = scene_dump(scene);
    struct asked asked = {.records_max = 2};
    struct zone_update_outcome outcome = apply_with_policy(
        scene, &asked,
        "u IN www 300 A 192.0.2.90\nu IN new 60 A 192.0.2.1\nu IN new 60 A 192.0.2.2\n"
        "u IN new 60 A 192.0.2.3\nu IN new 60 A 192.0.2.1");
    assert_int_equal(outcome.rcode, DNS_RCODE_NOERROR);
    char *after = scene_dump(scene);
    char *difference = scene_difference(before, after);
    assert_string_equal(difference, "+new.e. 60 IN A 192.0.2.1\n+new.e. 60 IN A 192.0.2.2\n");
    mem_free(before);
    mem_free(after);
    mem_free(difference);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_owner_may_be_a_warning),
        cmocka_unit_test(the_policy_is_asked_record_by_record),
        cmocka_unit_test(one_record_denied_and_nothing_is_done),
        cmocka_unit_test(records_beyond_the_policys_number_are_ignored),
    };
    int failed = RUN_TABLE(rows, is_found_before_anything_changes);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
