#include "dnssec/touched.h"
#include "signing_bench.h"

static const char plain[] = "@ 300 IN SOA ns hostmaster 1 2 3 4 60\n"
                            "@ 300 IN NS ns\n"
                            "ns 300 IN A 192.0.2.1\n"
                            "a.b.c 300 IN A 192.0.2.2\n"
                            "b.c 300 IN NS ns\n"
                            "x.a.b.c 300 IN A 192.0.2.2\n"
                            "y.c 300 IN A 192.0.2.2\n"
                            "z 300 IN A 192.0.2.2\n";

struct pair {
    struct bench bench;
    const struct zone_version *base;
    struct zone_edit *edit;
    struct touched touched;
};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct span relative_of(struct dns_name *name)
{
    return (struct span){name->wire, name->length - 1u};
}

static void begin(struct pair *pair)
{
    *pair = (struct pair){.touched = TOUCHED_EMPTY};
    assert_int_equal(dns_name_from_text("example.", 8, NULL, &pair->bench.apex), SG_OK);
    struct zone_edit *edit = bench_load(&pair->bench, span_of_text(plain));
    assert_int_equal(zone_edit_seal(edit, &pair->base), SG_OK);
    pair->edit = zone_edit_open(pair->base);
}

static void end(struct pair *pair)
{
    touched_free(&pair->touched);
    zone_edit_abandon(pair->edit);
    zone_version_unref(pair->base);
    epoch_barrier();
}

static void put(struct pair *pair, const char *owner, uint16_t type, uint16_t count)
{
    struct dns_name name = name_of(owner);
    const struct dns_rrset rrset = {(const uint8_t *)"\0\3\1x\0", 5, 60, type, 0, count};
    assert_int_equal(zone_edit_put_rrset(pair->edit, &name, ZONE_SOURCE, &rrset), SG_OK);
}

/* The touched names in text, "-" behind those that are only above others. */
static void expect(const struct touched *touched, const char *expected)
{
    struct buffer text = BUFFER_EMPTY;
    for (size_t i = 0; i < touched->count; i++) {
        struct dns_name name;
        char owner[DNS_NAME_TEXT_BYTES];
        relative_join(touched_owner(touched, &touched->names[i]), &dns_name_root, &name);
        buffer_format(&text, "%s%s%s", i > 0 ? " " : "", dns_name_to_text(&name, owner),
                      touched->names[i].changed ? "" : "-");
    }
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
}

/* clang-format off */
static const struct touched_case {
    const char *name;
    struct { const char *owner; uint16_t type, count; } puts[3];
    const char *expected, *above;
} cases[] = {
    {"nothing: the apex", {{NULL, 0, 0}}, ".", "."},
    {"a name", {{"z.example.", DNS_TYPE_TXT, 1}}, ". z.", ". z."},
    {"a name that goes", {{"y.c.example.", DNS_TYPE_A, 0}}, ". y.c.", ". c.- y.c."},
    {"a new name far below", {{"l.m.n.example.", DNS_TYPE_TXT, 1}}, ". l.m.n.", ". n.- m.n.- l.m.n."},
    {"a delegation goes: what was below it is ours",
     {{"b.c.example.", DNS_TYPE_NS, 0}}, ". b.c. a.b.c. x.a.b.c.", ". c.- b.c. a.b.c. x.a.b.c."},
    {"a delegation comes: what is below it is glue",
     {{"c.example.", DNS_TYPE_NS, 1}}, ". c. b.c. a.b.c. x.a.b.c. y.c.", ". c. b.c. a.b.c. x.a.b.c. y.c."},
    {"a DNAME comes",
     {{"c.example.", DNS_TYPE_DNAME, 1}}, ". c. b.c. a.b.c. x.a.b.c. y.c.", ". c. b.c. a.b.c. x.a.b.c. y.c."},
    {"a DNAME takes a delegation's place",
     {{"b.c.example.", DNS_TYPE_NS, 0}, {"b.c.example.", DNS_TYPE_DNAME, 1}}, ". b.c.", ". c.- b.c."},
    {"a delegation below one is of no consequence",
     {{"a.b.c.example.", DNS_TYPE_NS, 1}}, ". a.b.c.", ". c.- b.c.- a.b.c."},
    {"a DNAME at the apex is over all",
     {{"example.", DNS_TYPE_DNAME, 1}}, ". c.- b.c. a.b.c. x.a.b.c. y.c. ns. z.", NULL},
};
/* clang-format on */

static void a_change_touches(void **state)
{
    const struct touched_case *c = *state;
    struct pair pair;
    begin(&pair);
    for (int i = 0; i < 3 && c->puts[i].owner != NULL; i++) {
        put(&pair, c->puts[i].owner, c->puts[i].type, c->puts[i].count);
    }
    assert_int_equal(touched_collect(&pair.touched, pair.base, zone_edit_draft(pair.edit)), SG_OK);
    if (c->above != NULL) {
        expect(&pair.touched, c->expected);
    }
    assert_int_equal(touched_add_ancestors(&pair.touched), SG_OK);
    expect(&pair.touched, c->above != NULL ? c->above : c->expected);
    for (size_t i = 1; i < pair.touched.count; i++) {
        struct span owner = touched_owner(&pair.touched, &pair.touched.names[i]);
        struct span above =
            touched_owner(&pair.touched, &pair.touched.names[pair.touched.names[i].above]);
        assert_int_equal(owner.length, 1 + owner.bytes[0] + above.length);
        assert_true(relative_is_at_or_below(owner, above));
    }
    end(&pair);
}

static void relative_names_compare_as_absolute_ones(void **state)
{
    (void)state;
    static const char *const texts[] = {"a.",  "b.",   "a.b.", "\\001.a.", "\\255.a.",
                                        "aa.", "*.a.", "a.a.", "b.a.b.",   "abc."};
    struct dns_name apex = name_of("example.");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            struct dns_name left = name_of(texts[i]), right = name_of(texts[k]);
            struct dns_name left_full, right_full;
            relative_join(relative_of(&left), &apex, &left_full);
            relative_join(relative_of(&right), &apex, &right_full);
            int order = relative_compare(relative_of(&left), relative_of(&right));
            int expected = dns_name_compare(&left_full, &right_full);
            assert_int_equal((order > 0) - (order < 0), (expected > 0) - (expected < 0));
            assert_int_equal(relative_is_at_or_below(relative_of(&left), relative_of(&right)),
                             dns_name_is_at_or_below(&left_full, &right_full));
        }
    }
}

static void glue_is_not_authoritative(void **state)
{
    (void)state;
    struct pair pair;
    struct zone_node node;
    begin(&pair);
    struct dns_name glue = name_of("a.b.c.example."), cut = name_of("b.c.example."),
                    none = name_of("c.example.");
    assert_false(touched_is_authoritative(pair.base, &glue, &node));
    assert_true(touched_is_authoritative(pair.base, &cut, &node));
    assert_false(touched_is_authoritative(pair.base, &none, &node));
    end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_names_compare_as_absolute_ones),
        cmocka_unit_test(glue_is_not_authoritative),
    };
    return RUN_TABLE(cases, a_change_touches) + cmocka_run_group_tests(tests, NULL, NULL);
}
