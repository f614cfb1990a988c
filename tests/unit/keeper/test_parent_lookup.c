#include "base/mem.h"
#include "base/random.h"
#include "dns/rrtype.h"
#include "keeper/parent_lookup.h"
#include "support/table.h"

/*
 * A small world. sub.example. is a name in example., whose servers are three names with five
 * addresses; alias.example. is an alias of elsewhere.test., a zone of another's.
 */
struct fact {
    const char *name;
    uint16_t type;
    const char *rdata; /* a name, or the bytes of an address */
};
static const struct fact world[] = {
    {"example.", DNS_TYPE_NS, "a.example."},
    {"example.", DNS_TYPE_NS, "b.test."},
    {"example.", DNS_TYPE_NS, "c.test."},
    {"a.example.", DNS_TYPE_A, "\300\0\2\1"},
    {"a.example.", DNS_TYPE_AAAA, " \1\r\270AAAAAAAAAAAA"},
    {"b.test.", DNS_TYPE_A, "\300\0\2\2"},
    {"b.test.", DNS_TYPE_A, "\300\0\2\1"}, /* the same host as a.example. */
    {"b.test.", DNS_TYPE_AAAA, " \1\r\270BBBBBBBBBBBB"},
    {"c.test.", DNS_TYPE_CNAME, "d.test."},
    {"d.test.", DNS_TYPE_A, "\300\0\2\3"},
    {"alias.example.", DNS_TYPE_CNAME, "elsewhere.test."},
    {"elsewhere.test.", DNS_TYPE_NS, "evil.test."},
    {"evil.test.", DNS_TYPE_A, "\306\63\144\1"},
    {"lonely.", DNS_TYPE_NS, "gone.test."},
    {"loop.", DNS_TYPE_NS, "round.test."},
    {"round.test.", DNS_TYPE_CNAME, "round.test."},
};
enum { FACTS = sizeof(world) / sizeof(world[0]), ADDRESSES = 5 };

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static void put_name(struct buffer *wire, const struct dns_name *name)
{
    buffer_append(wire, name->wire, name->length);
}

static void put_record(struct buffer *wire, const struct dns_name *owner, uint16_t type,
                       struct span rdata, unsigned section)
{
    put_name(wire, owner);
    buffer_append_u16(wire, type);
    buffer_append_u16(wire, DNS_CLASS_IN);
    buffer_append_u32(wire, 600);
    buffer_append_u16(wire, (uint16_t)rdata.length);
    buffer_append(wire, rdata.bytes, rdata.length);
    wire->bytes[5 + 2 * section]++;
}

/* All facts of name and type, or its alias with what that leads to. */
static bool put_facts(struct buffer *wire, const struct dns_name *name, uint16_t type, int depth)
{
    bool has_type = false;
    for (size_t i = 0; i < FACTS; i++) {
        struct dns_name owner = name_of(world[i].name);
        if (!dns_name_equal(&owner, name) ||
            (world[i].type != type && world[i].type != DNS_TYPE_CNAME)) {
            continue;
        }
        if (world[i].type == DNS_TYPE_A || world[i].type == DNS_TYPE_AAAA) {
            size_t length = world[i].type == DNS_TYPE_A ? 4 : 16;
            put_record(wire, name, world[i].type,
                       (struct span){(const uint8_t *)world[i].rdata, length}, 1);
            has_type = true;
            continue;
        }
        struct dns_name target = name_of(world[i].rdata);
        put_record(wire, name, world[i].type, (struct span){target.wire, target.length}, 1);
        if (world[i].type == type) {
            has_type = true;
        } else if (depth > 0) {
            has_type = put_facts(wire, &target, type, depth - 1);
        }
    }
    return has_type;
}

/* The SOA of the name's last label. */
static void put_soa(struct buffer *wire, const struct dns_name *name)
{
    struct dns_name apex = dns_name_parent(name, name->labels > 0 ? name->labels - 1u : 0);
    static const uint8_t rdata[22] = {0};
    put_record(wire, &apex, DNS_TYPE_SOA, (struct span){rdata, sizeof(rdata)}, 2);
}

static void answer(const struct parent_lookup_order *order, struct buffer *wire)
{
    static const uint8_t header[12] = {0, 0, 0x81, 0x80, 0, 1};
    buffer_append(wire, header, sizeof(header));
    put_name(wire, order->name);
    buffer_append_u16(wire, order->type);
    buffer_append_u16(wire, DNS_CLASS_IN);
    if (!put_facts(wire, order->name, order->type, 2)) {
        put_soa(wire, order->name);
    }
}

/* --- lookups -------------------------------------------------------------------------------- */

enum ill { HEALTHY, TIMES_OUT, SERVFAIL, LAME, TRUNCATES, ILLS };

static struct remote resolvers[3];

static void hear(struct parent_lookup *lookup, const struct parent_lookup_order *order,
                 enum ill ill)
{
    struct buffer wire = BUFFER_EMPTY;
    struct dns_message message;
    if (ill == TIMES_OUT) {
        parent_lookup_heard(lookup, SG_TIMEOUT, NULL);
        return;
    }
    answer(order, &wire);
    if (ill == SERVFAIL) {
        wire.bytes[3] |= 2;
    } else if (ill == TRUNCATES) {
        wire.bytes[2] |= 2;
    } else if (ill == LAME) {
        memset(wire.bytes + 6, 0, 6);
    }
    assert_int_equal(dns_message_parse(buffer_span(&wire), &message), SG_OK);
    parent_lookup_heard(lookup, SG_OK, &message);
    buffer_free(&wire);
}

static struct parent_lookup *begin(const char *zone, size_t count, bool ipv4, bool ipv6)
{
    const struct parent_lookup_settings settings = {resolvers, count, ipv4, ipv6, 53};
    struct dns_name name = name_of(zone);
    struct parent_lookup *lookup = NULL;
    for (size_t i = 0; i < 3; i++) {
        resolvers[i] = (struct remote){
            .address = {127, 0, 0, (uint8_t)(i + 1)}, .address_length = 4, .port = 53};
    }
    assert_int_equal(parent_lookup_new(&settings, &name, &lookup), SG_OK);
    return lookup;
}

struct found {
    enum sg_result result;
    size_t count;
    uint32_t ttl;
    char *problem;
};

static struct found end(struct parent_lookup *lookup)
{
    struct found found = {0};
    const struct remote *addresses;
    found.result =
        parent_lookup_result(lookup, &addresses, &found.count, &found.ttl, &found.problem);
    return found;
}

static const struct row {
    const char *name;
    const char *zone;
    bool ipv4, ipv6;
    enum sg_result result;
    size_t count;
    const char *parent, *problem;
} rows[] = {
    {"the name above is the parent", "child.example.", true, true, SG_OK, 5, "example.", NULL},
    {"IPv4 alone", "child.example.", true, false, SG_OK, 3, "example.", NULL},
    {"IPv6 alone", "child.example.", false, true, SG_OK, 2, "example.", NULL},
    {"the parent is two labels up", "child.sub.example.", true, true, SG_OK, 5, "example.", NULL},
    {"below an alias", "child.alias.example.", true, true, SG_OK, 5, "example.", NULL},
    {"servers without addresses", "child.lonely.", true, true, SG_NOT_FOUND, 0, NULL,
     "no name server of the parent has an address"},
    {"a server's name leads to itself", "child.loop.", true, true, SG_NOT_FOUND, 0, NULL,
     "no resolver has an answer (at the addresses of round.test.)"},
    {"nobody knows the parent", "child.unknown.", true, true, SG_NOT_FOUND, 0, NULL,
     "no resolver has an answer (at the name servers of unknown.)"},
};

static void a_parent_is_found(void **state)
{
    const struct row *row = *state;
    struct parent_lookup *lookup = begin(row->zone, 3, row->ipv4, row->ipv6);
    struct parent_lookup_order order;
    assert_null(parent_lookup_parent(lookup));
    assert_int_equal(end(lookup).result, SG_CANCELLED);
    while (parent_lookup_next(lookup, &order)) {
        hear(lookup, &order, HEALTHY);
    }
    struct found found = end(lookup);
    assert_int_equal(found.result, row->result);
    assert_int_equal(found.count, row->count);
    if (row->result == SG_OK) {
        struct dns_name parent = name_of(row->parent);
        assert_true(dns_name_equal(parent_lookup_parent(lookup), &parent));
        assert_int_equal(found.ttl, 600);
    } else {
        assert_non_null(strstr(found.problem, row->problem));
        mem_free(found.problem);
    }
    parent_lookup_free(lookup);
}

/* Whatever resolvers do, the result is all or nothing. */
static void a_part_of_the_servers_is_never_taken_for_all(void **state)
{
    struct random_seeded random = {42};
    unsigned ended_well = 0;
    (void)state;
    for (int run = 0; run < 2000; run++) {
        struct parent_lookup *lookup = begin("child.sub.example.", 3, true, true);
        struct parent_lookup_order order;
        unsigned questions = 0;
        while (parent_lookup_next(lookup, &order)) {
            enum ill ill = random_seeded_below(&random, 3) > 0
                               ? HEALTHY
                               : (enum ill)random_seeded_below(&random, ILLS);
            assert_false(order.tcp && order.resolver == NULL);
            hear(lookup, &order, ill);
            assert_true(++questions < 100);
        }
        struct found found = end(lookup);
        if (found.result == SG_OK) {
            ended_well++;
            assert_int_equal(found.count, ADDRESSES);
        } else {
            mem_free(found.problem);
        }
        parent_lookup_free(lookup);
    }
    assert_in_range(ended_well, 1000, 1999);
}

static void the_next_resolver_is_asked_and_kept(void **state)
{
    struct parent_lookup *lookup = begin("child.example.", 3, true, true);
    struct parent_lookup_order order;
    (void)state;
    assert_true(parent_lookup_next(lookup, &order));
    assert_ptr_equal(order.resolver, &resolvers[0]);
    hear(lookup, &order, SERVFAIL);
    assert_true(parent_lookup_next(lookup, &order));
    assert_ptr_equal(order.resolver, &resolvers[1]);
    assert_false(order.tcp);
    hear(lookup, &order, TRUNCATES);
    assert_true(parent_lookup_next(lookup, &order));
    assert_ptr_equal(order.resolver, &resolvers[1]);
    assert_true(order.tcp);
    hear(lookup, &order, HEALTHY);
    assert_true(parent_lookup_next(lookup, &order));
    assert_ptr_equal(order.resolver, &resolvers[1]);
    assert_false(order.tcp);
    assert_int_equal(order.type, DNS_TYPE_A);
    parent_lookup_free(lookup);
}

static void what_cannot_be_looked_up(void **state)
{
    const struct parent_lookup_settings fine = {resolvers, 1, true, true, 53};
    struct parent_lookup_settings none = fine;
    struct parent_lookup *lookup;
    struct dns_name zone = name_of("example.");
    (void)state;
    assert_int_equal(parent_lookup_new(&fine, &dns_name_root, &lookup), SG_UNSUPPORTED);
    none.resolvers_count = 0;
    assert_int_equal(parent_lookup_new(&none, &zone, &lookup), SG_UNSUPPORTED);
    none = fine;
    none.ipv4 = none.ipv6 = false;
    assert_int_equal(parent_lookup_new(&none, &zone, &lookup), SG_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_the_servers_is_never_taken_for_all),
        cmocka_unit_test(the_next_resolver_is_asked_and_kept),
        cmocka_unit_test(what_cannot_be_looked_up),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, a_parent_is_found);
}
