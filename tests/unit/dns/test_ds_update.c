#include "dns/ds_update.h"
#include "dns/message.h"
#include "dns/rrtype.h"
#include "support/table.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static void an_update_says_what_comes_and_what_goes(void **state)
{
    static const uint8_t coming[] = {1, 2, 13, 2, 9, 9}, going[] = {3, 4, 13, 2, 8, 8};
    struct dns_name parent = name_of("example."), child = name_of("a.example.");
    struct ds_update update;
    struct dns_message message;
    struct dns_record record;
    (void)state;
    ds_update_begin(&update, &parent, &child, DNS_CLASS_IN);
    assert_int_equal(ds_update_add(&update, 300, (struct span){coming, sizeof(coming)}), SG_OK);
    assert_int_equal(ds_update_remove(&update, (struct span){going, sizeof(going)}), SG_OK);
    assert_int_equal(dns_message_parse(buffer_span(&update.wire), &message), SG_OK);
    assert_int_equal(message.opcode, 5);
    assert_true(dns_name_equal(&message.qname, &parent));
    assert_int_equal(message.qtype, DNS_TYPE_SOA);
    assert_int_equal(message.counts[2], 2);
    assert_int_equal(dns_record_parse(message.wire, message.section_offsets[1], &record), SG_OK);
    assert_true(dns_name_equal(&record.owner, &child));
    assert_int_equal(record.type, DNS_TYPE_DS);
    assert_int_equal(record.rrclass, DNS_CLASS_IN);
    assert_int_equal(record.ttl, 300);
    assert_int_equal(dns_record_parse(message.wire, record.after, &record), SG_OK);
    assert_int_equal(record.rrclass, DNS_CLASS_NONE);
    assert_int_equal(record.ttl, 0);
    assert_int_equal(record.after, update.wire.length);
    buffer_free(&update.wire);
}

static void a_message_is_bounded(void **state)
{
    static const uint8_t rdata[1000];
    struct dns_name parent = name_of("."), child = name_of("a.");
    struct ds_update update;
    int added = 0;
    (void)state;
    ds_update_begin(&update, &parent, &child, DNS_CLASS_IN);
    while (ds_update_add(&update, 1, (struct span){rdata, sizeof(rdata)}) == SG_OK) {
        assert_true(added++ < 20);
    }
    assert_in_range(update.wire.length, 10000, 20000);
    buffer_free(&update.wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_says_what_comes_and_what_goes),
        cmocka_unit_test(a_message_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
