#include <stdio.h>

#include "base/random.h"
#include "dns/rrtype.h"
#include "support/table.h"
#include "zone/edit.h"
#include "zone/prefetch.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static void add(struct zone_edit *edit, const char *owner, uint16_t type, struct span rdata)
{
    struct dns_name name = name_of(owner);
    uint32_t ttl;
    assert_int_equal(zone_edit_add_record(edit, &name, type, 300, rdata, &ttl), SG_OK);
}

static const struct zone_version *make_zone(const char *apex, unsigned names)
{
    static const uint8_t soa[] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
    static const uint8_t address[] = {192, 0, 2, 1};
    struct dns_name name = name_of(apex);
    struct zone_edit *edit = zone_edit_new(&name, DNS_CLASS_IN);
    const struct zone_version *version;
    char owner[64];

    add(edit, apex, DNS_TYPE_SOA, (struct span){soa, sizeof(soa)});
    for (unsigned i = 0; i < names; i++) {
        snprintf(owner, sizeof(owner), "n%u.%s", i * 7919, strcmp(apex, ".") == 0 ? "" : apex);
        add(edit, owner, DNS_TYPE_A, (struct span){address, sizeof(address)});
    }
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

/* A hint returns nothing: what can be proved is that it ends, and stays in bounds (ASan). */
static void names_of_any_kind_in_several_zones(void **state)
{
    const struct zone_version *versions[] = {make_zone("a.", 1000), make_zone("b.a.", 0),
                                             make_zone(".", 10)};
    struct random_seeded random = {1};
    struct dns_name names[ZONE_PREFETCH_MAX];
    struct zone_prefetch questions[ZONE_PREFETCH_MAX];
    char text[64];

    (void)state;
    for (int round = 0; round < 200; round++) {
        size_t count = random_seeded_below(&random, ZONE_PREFETCH_MAX + 1);
        for (size_t i = 0; i < count; i++) {
            static const struct {
                const char *before, *behind;
            } forms[] = {
                {"n", ".a."}, {"x", ".b.a."}, {"n", ".n0.a."}, {"", ".elsewhere."}, {"n", "."}};
            unsigned form = random_seeded_below(&random, ARRAY_LEN(forms));
            snprintf(text, sizeof(text), "%s%u%s", forms[form].before,
                     random_seeded_below(&random, 1000) * 7919, forms[form].behind);
            names[i] = name_of(text);
            questions[i] = (struct zone_prefetch){
                versions[random_seeded_below(&random, ARRAY_LEN(versions))], &names[i]};
        }
        zone_prefetch(questions, count);
    }
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        zone_version_unref(versions[i]);
    }
    epoch_barrier();
}

static void a_draft_without_names(void **state)
{
    const struct dns_name apex = name_of("a.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    const struct zone_prefetch question = {zone_edit_draft(edit), &apex};

    (void)state;
    zone_prefetch(&question, 1);
    zone_prefetch(NULL, 0);
    zone_edit_abandon(edit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_any_kind_in_several_zones),
        cmocka_unit_test(a_draft_without_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
