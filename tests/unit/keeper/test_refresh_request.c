/* What is asked for, and how much may come; what becomes of it: test_secondary.c. */
#include "keeper/refresh_request.h"
#include "support/table.h"

static const struct refresh_primary primary = {.request_expire = true, .edns = true};

static uint16_t asked(const struct dns_request *request, struct dns_message *out_message)
{
    const struct span bytes = {request->bytes, request->length};
    assert_int_equal(dns_message_parse(bytes, out_message), SG_OK);
    return out_message->qtype;
}

static void a_zone_that_never_came_is_asked_for_whole(void **state)
{
    struct zone_settings settings = {.rrclass = 1};
    struct refresh_order order = {.primary = &primary, .edns = true, .ixfr = true};
    struct dns_request request;
    struct dns_message message;
    (void)state;
    assert_int_equal(dns_name_from_text("example.test.", 13, NULL, &settings.apex), SG_OK);
    refresh_request_soa(&settings, &order, &request);
    assert_int_equal(asked(&request, &message), DNS_TYPE_SOA);
    assert_true(message.edns.present);
    assert_false(refresh_request_transfer(&settings, NULL, &order, &request));
    assert_int_equal(asked(&request, &message), DNS_TYPE_AXFR);
    order.edns = false; /* It does not take it, not even for EXPIRE. */
    refresh_request_soa(&settings, &order, &request);
    assert_int_equal(asked(&request, &message), DNS_TYPE_SOA);
    assert_false(message.edns.present);
}

static void a_transfer_that_never_ends_does_not_take_all_memory(void **state)
{
    const uint64_t mib = UINT64_C(1) << 20, most = mib << 16;
    (void)state;
    assert_int_equal(refresh_request_bytes_max(0, 8192 * mib), 2048 * mib);
    assert_int_equal(refresh_request_bytes_max(0, 128 * mib), 64 * mib);
    assert_int_equal(refresh_request_bytes_max(0, 16 * most), most);
    assert_int_equal(refresh_request_bytes_max(0, 0), most);
    assert_int_equal(refresh_request_bytes_max(1, 8192 * mib), most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_that_never_came_is_asked_for_whole),
        cmocka_unit_test(a_transfer_that_never_ends_does_not_take_all_memory),
    };
    return cmocka_run_group_tests_name("refresh_request", tests, NULL, NULL);
}
