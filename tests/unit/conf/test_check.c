#include "conf/check.h"
#include "conf/load.h"
#include "support/table.h"

#define OPTION(text) "options { " text " };"
#define ZONE(text)   "zone \"a\" { " text " };"

static const struct text_case cases[] = {
    {"an unknown statement names the nearest", "optoins { };", true,
     "t:1:1: unknown option 'optoins', did you mean 'options'?"},
    {"an unknown option names the nearest", OPTION("dnsec-policy default;"), true,
     "t:1:11: unknown option 'dnsec-policy', did you mean 'dnssec-policy'?"},
    {"an unknown option that is near nothing", OPTION("xyzzy yes;"), true,
     "t:1:11: unknown option 'xyzzy'"},
    {"an option in the wrong place", OPTION("file \"x\";"), true,
     "'file' is not allowed in options"},
    {"an option of another type of zone",
     ZONE("type secondary; primaries { ::1; }; allow-update { any; };"), true,
     "option 'allow-update' is not allowed in 'secondary' zone 'a'"},
    {"an option that comes twice", OPTION("recursion no;\n recursion no;"), true,
     "t:2:2: 'recursion' is given again, after line 1 of t"},
    {"a statement that comes twice", "options { }; options { };", true, "is given again"},
    {"an option that may repeat", OPTION("listen-on { ::1; }; listen-on port 54 { any; };"), false,
     NULL},
    {"each block counts for itself", ZONE(PRIMARY) "zone b { type primary; file \"y\"; };", false,
     NULL},
    {"statements ignore case", "OPTIONS { Recursion NO; };", false, NULL},
    {"what is not done yet is named once",
     OPTION("notify-defer 1;\n dump-file \"d\"; also-notify { ::1; };"), false,
     "t:1:11: warning: read and checked, but not in effect yet in this version: dump-file, "
     "notify-defer"},
    {"a no to what is not done yet is in effect",
     OPTION("notify no; answer-cookie false; session-keyfile none;"), false, NULL},
    {"check-names twice for a kind",
     OPTION("check-names primary warn; check-names secondary warn; check-names Master fail;"), true,
     "t:1:65: 'check-names Master' is given again"},
    {"check-names for each kind",
     OPTION("check-names primary warn; check-names secondary warn; check-names response ignore;"),
     false, NULL},
    {"a dscp does nothing", ZONE(PRIMARY "also-notify port 54 dscp 4 { ::1; };"), false,
     "t:1:36: warning: 'dscp' in 'also-notify' has no effect"},
    {"a number out of the range of an obsolete option", OPTION("dnskey-sig-validity 3661;"), true,
     "expected a number from 0 to 3660, found '3661'"},
    {"a duration out of its range", OPTION("interface-interval P1D;"), true,
     "expected a number from 0 to 40320, found 'P1D'"},
    {"an age out of its range", OPTION("max-journal-age 0;"), true, "found '0'"},
    {"an age that is unlimited", OPTION("max-journal-age unlimited;"), false, NULL},
    {"a percentage out of its range", OPTION("max-ixfr-ratio 0%;"), true, "found '0%'"},
    {"resolver options draw one warning",
     OPTION("forwarders { ::1; };\n dnssec-validation auto; prefetch 2 9;"), false,
     "t:1:11: warning: without effect, since Signet is no resolver: dnssec-validation, forwarders, "
     "prefetch"},
    {"even so they must be well written", OPTION("forwarders { foo; };"), true,
     "t:1:24: expected an IP address, found 'foo'"},
    {"an option that does nothing", OPTION("memstatistics yes;"), false,
     "t:1:11: warning: 'memstatistics' has no effect in Signet"},
    {"an obsolete option", OPTION("sig-validity-interval 30;"), false,
     "warning: option 'sig-validity-interval' is obsolete and has no effect: use "
     "signatures-validity"},
    {"an option that is gone", ZONE(PRIMARY "auto-dnssec maintain;"), true,
     "option 'auto-dnssec' no longer exists: use a dnssec-policy"},
    {"an option that has been gone for long", OPTION("dnssec-enable yes;"), true,
     "option 'dnssec-enable' no longer exists"},
    {"a block where a name should be", "{ };", true, "expected the name of an option, found '{'"},
    {"a not where a name should be", "! a;", true, "expected the name of an option, found '!'"},
    {"every mistake is told", OPTION("recursion maybe; portt 1; tcp-clients x;"), true,
     "t:1:49: expected a number, found 'x'"},
    {"a statement of the top level in a zone", ZONE(PRIMARY "acl x { any; };"), true,
     "'acl' is not allowed in a zone"},
};

static const struct zone_type_case {
    const char *name; /* the zone's body */
    unsigned type;
} zone_types[] = {
    {"type primary;", ZONE_TYPE_PRIMARY},
    {"file \"x\"; type MASTER;", ZONE_TYPE_PRIMARY},
    {"type slave;", ZONE_TYPE_SECONDARY},
    {"type hint;", ZONE_TYPE_HINT},
    {"in-view b;", ZONE_TYPE_IN_VIEW},
    {"type foo;", 0},
    {"file \"x\";", 0},
    {"", 0},
};

static void has_its_type(void **state)
{
    const struct zone_type_case *c = *state;
    struct conf_tree tree = {.memory = conf_memory_new()};
    struct conf_report report = {0};
    char text[128];

    snprintf(text, sizeof(text), "zone a { %s };", c->name);
    conf_tree_read_text(&tree, "t", span_of_text(text), &report);
    assert_int_equal(conf_check_zone_type(tree.first), c->type);
    conf_memory_free(tree.memory);
    conf_report_clear(&report);
}

int main(void)
{
    return RUN_TABLE(cases, says_what_it_should) | RUN_TABLE(zone_types, has_its_type);
}
