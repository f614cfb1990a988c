#include "conf/load.h"
#include "support/table.h"

#define ZONE(text)      "zone a { " PRIMARY text " };"
#define SECONDARY(text) "zone a { type secondary; primaries { ::1; }; " text " };"

static const struct conf_zone_options *options_of(const struct conf *conf)
{
    return conf->views[0]->zones[0]->options;
}

static void the_defaults_are_those_of_bind(void **state)
{
    (void)state;
    struct conf *conf = load(ZONE(""));
    const struct conf_zone_options *options = options_of(conf);

    assert_null(options->access.allow_query);
    assert_null(options->access.allow_transfer);
    assert_null(options->access.allow_update);
    assert_null(options->access.allow_notify);
    assert_null(options->access.update_policy);
    assert_int_equal(options->access.minimal_responses, ANSWER_MINIMAL_NO_AUTH_RECURSIVE);
    assert_int_equal(options->notify.mode, CONF_NOTIFY_YES);
    assert_int_equal(options->notify.delay, 5);
    assert_int_equal(options->loadkeys_interval_minutes, 60);
    assert_int_equal(options->sig_signing_type, 65534);
    assert_int_equal(options->serial_update, CONF_SERIAL_INCREMENT);
    assert_int_equal(options->max_zone_ttl, 0);
    assert_int_equal(options->limits.transfer_time_out_max, 7200);
    assert_int_equal(options->limits.ixfr_ratio_percent, 100);
    assert_int_equal(options->limits.journal_bytes_max, 0);
    assert_int_equal(options->limits.journal_age_max, 0);
    assert_int_equal(options->checks.names, CHECK_FAIL);
    conf_free(conf);
    conf = load(SECONDARY(""));
    assert_int_equal(options_of(conf)->checks.names, CHECK_WARN);
    assert_true(options_of(conf)->transfer_in.request_ixfr);
    assert_int_equal(options_of(conf)->transfer_in.time_max, 7200);
    assert_int_equal(options_of(conf)->transfer_in.idle_max, 3600);
    assert_int_equal(options_of(conf)->transfer_in.rate_bytes_min, 10240);
    assert_int_equal(options_of(conf)->transfer_in.rate_window, 300);
    assert_int_equal(options_of(conf)->transfer_in.ixfr_diffs_max, 0);
    assert_int_equal(options_of(conf)->notify.defer, 0);
    conf_free(conf);
}

static void a_primary_zone_has_what_it_says(void **state)
{
    (void)state;
    struct conf *conf = load(
        ZONE("allow-query { 10/8; }; allow-query-on { ::1; };"
             "allow-transfer port 853 transport tls { any; };"
             "also-notify { 192.0.2.9; }; notify explicit; notify-delay 9; notify-to-soa yes;"
             "notify-source 192.0.2.1; notify-source-v6 * port 5300;"
             "check-names warn; check-mx fail; check-mx-cname fail; check-srv-cname ignore;"
             "check-dup-records ignore; check-wildcard no; check-sibling no; check-integrity no;"
             "check-spf ignore; serial-update-method date; max-zone-ttl 1d;"
             "dnssec-loadkeys-interval 5; sig-signing-type 65280; masterfile-style full;"
             "ixfr-from-differences yes; max-ixfr-ratio 40%; max-journal-size unlimited; "
             "max-journal-age 2d;"
             "max-records 7; max-records-per-type 8; max-types-per-name 9;"
             "max-transfer-time-out 1; max-transfer-idle-out 2; zone-statistics full;"
             "journal \"j\"; parental-source 192.0.2.2;"));
    const struct conf_zone_options *options = options_of(conf);

    assert_non_null(options->access.allow_query);
    assert_non_null(options->access.allow_query_on);
    assert_true(conf_acl_is_any(options->access.allow_transfer));
    assert_int_equal(options->access.transfer_port, 853);
    assert_true(options->access.transfer_tls_only);
    assert_int_equal(options->notify.also.count, 1);
    assert_int_equal(options->notify.mode, CONF_NOTIFY_EXPLICIT);
    assert_int_equal(options->notify.delay, 9);
    assert_true(options->notify.to_soa);
    assert_true(options->notify.source.has_v4);
    assert_true(options->notify.source.has_v6);
    assert_int_equal(net_address_port(&options->notify.source.v6), 5300);
    assert_int_equal(options->checks.names, CHECK_WARN);
    assert_int_equal(options->checks.mx, CHECK_FAIL);
    assert_int_equal(options->checks.mx_cname, CHECK_FAIL);
    assert_int_equal(options->checks.srv_cname, CHECK_IGNORE);
    assert_int_equal(options->checks.dup_records, CHECK_IGNORE);
    assert_int_equal(options->checks.wildcard, CHECK_IGNORE);
    assert_int_equal(options->checks.sibling, CHECK_IGNORE);
    assert_false(options->checks.integrity);
    assert_false(options->checks.spf);
    assert_int_equal(options->serial_update, CONF_SERIAL_DATE);
    assert_int_equal(options->max_zone_ttl, 86400);
    assert_int_equal(options->loadkeys_interval_minutes, 5);
    assert_int_equal(options->sig_signing_type, 65280);
    assert_int_equal(options->file_style, CONF_STYLE_FULL);
    assert_true(options->ixfr_from_differences);
    assert_int_equal(options->limits.ixfr_ratio_percent, 40);
    assert_true(options->limits.journal_bytes_max == UINT64_MAX);
    assert_int_equal(options->limits.journal_age_max, 2 * 86400);
    assert_int_equal(options->limits.records_max, 7);
    assert_int_equal(options->limits.records_per_type_max, 8);
    assert_int_equal(options->limits.types_per_name_max, 9);
    assert_int_equal(options->limits.transfer_time_out_max, 60);
    assert_int_equal(options->limits.transfer_idle_out_max, 120);
    assert_int_equal(options->statistics, CONF_STATISTICS_FULL);
    assert_string_equal(conf->views[0]->zones[0]->journal, "j");
    assert_true(options->parent.source.has_v4);
    conf_free(conf);
}

/* OpenDNSSEC's word: a zone that is signed anew needs a serial of its own, which is said. */
static void a_serial_that_is_kept_comes_with_a_warning(void **state)
{
    (void)state;
    struct conf *conf =
        load_saying(ZONE("serial-update-method keep;"), "refused unless its serial is above");
    assert_int_equal(options_of(conf)->serial_update, CONF_SERIAL_KEEP);
    conf_free(conf);
}

static void a_secondary_zone_has_what_it_says(void **state)
{
    (void)state;
    struct conf *conf =
        load(SECONDARY("allow-notify { 192.0.2.1; }; allow-update-forwarding { any; };"
                       "request-ixfr no; request-expire no; try-tcp-refresh no; multi-master yes;"
                       "min-refresh-time 1; max-refresh-time 2; min-retry-time 3; max-retry-time 4;"
                       "max-transfer-time-in 5; max-transfer-idle-in 6; transfer-source 192.0.2.2;"
                       "transfer-source-v6 *; notify primary-only; notify-defer 7;"
                       "min-transfer-rate-in 99 2; request-ixfr-max-diffs 8;"));
    const struct conf_zone_options *options = options_of(conf);
    const struct conf_zone_transfer_in *in = &options->transfer_in;

    assert_non_null(options->access.allow_notify);
    assert_true(conf_acl_is_any(options->access.allow_update_forwarding));
    assert_int_equal(options->notify.mode, CONF_NOTIFY_PRIMARY);
    assert_false(in->request_ixfr);
    assert_false(in->request_expire);
    assert_false(in->try_tcp_refresh);
    assert_true(in->multi_primary);
    assert_int_equal(in->min_refresh_time, 1);
    assert_int_equal(in->max_refresh_time, 2);
    assert_int_equal(in->min_retry_time, 3);
    assert_int_equal(in->max_retry_time, 4);
    assert_int_equal(in->time_max, 300);
    assert_int_equal(in->rate_bytes_min, 99);
    assert_int_equal(in->rate_window, 120);
    assert_int_equal(in->ixfr_diffs_max, 8);
    assert_int_equal(options->notify.defer, 7);
    assert_int_equal(in->idle_max, 360);
    assert_true(in->source.has_v4);
    assert_false(in->source.has_v6);
    conf_free(conf);
}

static void above_zones_some_options_say_for_which_type(void **state)
{
    (void)state;
    struct conf *conf = load("options { check-names primary ignore; check-names slave fail;"
                             "ixfr-from-differences secondary; };"
                             "zone a { " PRIMARY " };"
                             "zone b { type secondary; primaries { ::1; }; };");
    const struct conf_zone_options *a = conf->views[0]->zones[0]->options;
    const struct conf_zone_options *b = conf->views[0]->zones[1]->options;

    assert_int_equal(a->checks.names, CHECK_IGNORE);
    assert_int_equal(b->checks.names, CHECK_FAIL);
    assert_false(a->ixfr_from_differences);
    assert_true(b->ixfr_from_differences);
    conf_free(conf);
}

static void allow_update_of_options_is_not_for_secondaries(void **state)
{
    (void)state;
    struct conf *conf = load("options { allow-update { any; }; };" SECONDARY(""));

    assert_null(options_of(conf)->access.allow_update);
    assert_false(conf_zone_is_dynamic(conf->views[0]->zones[0]));
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_bind),
        cmocka_unit_test(a_primary_zone_has_what_it_says),
        cmocka_unit_test(a_serial_that_is_kept_comes_with_a_warning),
        cmocka_unit_test(a_secondary_zone_has_what_it_says),
        cmocka_unit_test(above_zones_some_options_say_for_which_type),
        cmocka_unit_test(allow_update_of_options_is_not_for_secondaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
