#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "conf/conf.h"
#include "conf/load.h"
#include "conf/memory.h"

/* The names are those of Debian's package; the statements are what they hold. */
static void debians_own_files_and_a_zone_of_mine_load_unchanged(void **state)
{
    (void)state;
    struct conf *conf = load_saying(
        "options {\n\tdirectory \"/var/cache/bind\";\n\t// forwarders {\n\t//\t0.0.0.0;\n\t// };\n"
        "\t//=====\n\tdnssec-validation auto;\n\n\tlisten-on-v6 { any; };\n};\n"
        "zone \".\" {\n\ttype hint;\n\tfile \"/usr/share/dns/root.hints\";\n};\n"
        "zone \"localhost\" {\n\ttype master;\n\tfile \"/etc/bind/db.local\";\n};\n"
        "zone \"127.in-addr.arpa\" {\n\ttype master;\n\tfile \"/etc/bind/db.127\";\n};\n"
        "zone \"0.in-addr.arpa\" {\n\ttype master;\n\tfile \"/etc/bind/db.0\";\n};\n"
        "zone \"255.in-addr.arpa\" {\n\ttype master;\n\tfile \"/etc/bind/db.255\";\n};\n"
        "zone \"example.org\" { type primary; file \"/etc/bind/example.org\"; };\n",
        "zone '.' of type 'hint' is ignored");

    assert_int_equal(conf->views[0]->zones_count, 5);
    conf_free(conf);
}

static void the_installed_configuration_loads_where_there_is_one(void **state)
{
    (void)state;
    struct conf_report report = {0};
    struct conf *conf = NULL;
    struct stat status;

    if (stat("/etc/bind/named.conf", &status) != 0) {
        skip();
    }
    assert_int_equal(conf_load("/etc/bind/named.conf", &conf, &report), SG_OK);
    conf_free(conf);
    conf_report_clear(&report);
}

static void a_command_line_overrides_the_port_and_the_family(void **state)
{
    (void)state;
    char path[] = "/tmp/signet-test-conf-XXXXXX";
    struct conf_report report = {0};
    struct conf *conf = NULL;
    const struct conf_overrides overrides = {.port = 5300, .ipv4_only = true};

    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(
        file_write(path, 0600,
                   span_of_text("options { port 99; listen-on { any; }; listen-on port 1 { any; };"
                                "listen-on-v6 { any; }; };"
                                "zone a { type secondary; primaries { ::1; 192.0.2.1; }; };")),
        SG_OK);
    assert_int_equal(conf_load_overriding(path, &overrides, &conf, &report), SG_OK);
    assert_int_equal(conf->options.listens_count, 2);
    assert_int_equal(conf->options.listens[0].port, 5300);
    assert_int_equal(conf->options.listens[1].port, 1);
    const struct conf_remotes *primaries =
        &conf->views[0]->zones[0]->options->transfer_in.primaries;
    assert_int_equal(primaries->count, 1);
    assert_int_equal(net_address_port(&primaries->remotes[0].address), 5300);
    conf_free(conf);
    conf_report_clear(&report);
    unlink(path);
}

static void a_file_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct conf_report report = {0};
    struct conf *conf = NULL;

    assert_int_equal(conf_load("/nosuch/signet.conf", &conf, &report), SG_NOT_FOUND);
    assert_true(report_says(&report, "/nosuch/signet.conf: file not found"));
    assert_null(conf);
    conf_report_clear(&report);
    conf_free(NULL);
}

static void after_a_missing_brace_nothing_is_guessed(void **state)
{
    (void)state;
    struct conf_report report = {0};
    struct conf *conf = NULL;

    assert_int_equal(
        conf_load_text("t", span_of_text("options { foo bar;\nzone a { };\n"), &conf, &report),
        SG_MALFORMED);
    assert_int_equal(report.count, 1);
    conf_report_clear(&report);
}

static void ten_thousand_zones_take_little_each(void **state)
{
    (void)state;
    enum { ZONES = 10000, BYTES_PER_ZONE_MAX = 256 };
    struct buffer text = BUFFER_EMPTY;

    buffer_append_text(&text, POLICY_P);
    for (int i = 0; i < ZONES; i++) {
        buffer_format(&text,
                      "zone zone%d.example { type primary; file \"zone%d.example.zone\"; "
                      "dnssec-policy p; allow-update { 127.0.0.1; }; also-notify { ::1; }; };\n",
                      i, i);
    }
    struct conf *conf = load(buffer_text(&text));
    assert_int_equal(conf->views[0]->zones_count, ZONES);
    assert_in_range(conf_memory_bytes(conf->memory) / ZONES, 0, BYTES_PER_ZONE_MAX);
    assert_ptr_equal(conf->views[0]->zones[0]->options, conf->views[0]->zones[ZONES - 1]->options);
    conf_free(conf);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debians_own_files_and_a_zone_of_mine_load_unchanged),
        cmocka_unit_test(the_installed_configuration_loads_where_there_is_one),
        cmocka_unit_test(a_command_line_overrides_the_port_and_the_family),
        cmocka_unit_test(a_file_that_is_not_there_is_not_found),
        cmocka_unit_test(after_a_missing_brace_nothing_is_guessed),
        cmocka_unit_test(ten_thousand_zones_take_little_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
