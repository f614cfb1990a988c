#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "dns/text.h"
#include "support/table.h"
#include "zone/zonefile.h"
#include "zone/zonefile_loader.h"

enum { NAME_BYTES = 64, SOAS = 200000 };

#define SOA "@ 9 SOA . . 1 2 3 4 5\n"

/* Every record on a line, "owner ttl TYPE rdata"; then problems, "E line text" or "W line text". */
static const struct load_case {
    const char *name;
    const char *text;
    const char *records;
    const char *problems; /* each a part of the text; NULL: none */
} cases[] = {
    {"an empty file has no records", "", "", NULL},
    {"names are completed by the zone's", "a 1 A 1.1.1.1\nb. 1 A 1.1.1.1\n@ 1 A 1.1.1.1\n",
     "a.e. 1 A 1.1.1.1\ne. 1 A 1.1.1.1\n", "W 2 ignoring out-of-zone data (b)"},
    {"owners are lower case, rdata keeps its case", "aB 1 NS aB\n", "ab.e. 1 NS aB.e.\n", NULL},
    {"a line that begins with a blank has the owner before", "a 1 A 1.1.1.1\n 1 TXT x\n\t1 TXT y\n",
     "a.e. 1 A 1.1.1.1\na.e. 1 TXT \"x\"\na.e. 1 TXT \"y\"\n", NULL},
    {"blank lines and comments leave the owner alone", "a 1 A 1.1.1.1\n\n  ; x\n 1 TXT x\n",
     "a.e. 1 A 1.1.1.1\na.e. 1 TXT \"x\"\n", NULL},
    {"the first line needs an owner", " 1 A 1.1.1.1\n", "", "E 1 no owner name"},
    {"TTL and class come in either order",
     "a 1 IN A 1.1.1.1\nb IN 1m A 1.1.1.1\nc CLASS1 1 A 1.1.1.1\n",
     "a.e. 1 A 1.1.1.1\nb.e. 60 A 1.1.1.1\nc.e. 1 A 1.1.1.1\n", NULL},
    {"types may be numbers, in any case", "a 1 type1 1.1.1.1\na 1 TyPe16 x\n",
     "a.e. 1 A 1.1.1.1\na.e. 1 TXT \"x\"\n", NULL},
    {"a class of its own is refused", "a 1 CH TXT x\n", "",
     "E 1 class 'CH' is not the zone's class 'IN'"},
    {"what is no type is refused",
     "a 1 FOO x\na 1 1 A 1.1.1.1\na IN IN A 1.1.1.1\na 1 \"A\" 1.1.1.1\n", "",
     "E 1 unknown RR type 'FOO'|E 2 unknown RR type '1'|E 3 unknown RR type 'IN'|E 4 unknown RR "
     "type 'A'"},
    {"a line may not end early", "a\na 1\na IN\na A\n", "",
     "E 1 unexpected end|E 2 unexpected end|E 3 unexpected end|E 4 unexpected end"},
    {"questions are no data", "a 1 AXFR x\n", "", "E 1 AXFR is not a type of zone data"},
    {"$TTL is the TTL of those without",
     "$TTL 1h\na A 1.1.1.1\na 5 TXT x\nb A 1.1.1.1\n$ttl 7\nc A 1.1.1.1\n",
     "a.e. 3600 A 1.1.1.1\na.e. 5 TXT \"x\"\nb.e. 3600 A 1.1.1.1\nc.e. 7 A 1.1.1.1\n", NULL},
    {"without $TTL the last TTL holds", "a 5 A 1.1.1.1\nb A 1.1.1.1\nc 6 A 1.1.1.1\nd A 1.1.1.1\n",
     "a.e. 5 A 1.1.1.1\nb.e. 5 A 1.1.1.1\nc.e. 6 A 1.1.1.1\nd.e. 6 A 1.1.1.1\n",
     "W 2 no TTL specified"},
    {"the SOA's minimum serves a first SOA",
     "@ SOA . . 1 2 3 4 5\na A 1.1.1.1\nb 7 A 1.1.1.1\nc A 1.1.1.1\n",
     "e. 5 SOA . . 1 2 3 4 5\na.e. 5 A 1.1.1.1\nb.e. 7 A 1.1.1.1\nc.e. 5 A 1.1.1.1\n",
     "W 1 no TTL specified; using the SOA's minimum"},
    {"nothing else can do without a TTL", "a A 1.1.1.1\n", "", "E 1 no TTL specified"},
    {"a TTL with its high bit set is 0", "a 2147483648 A 1.1.1.1\n$TTL 4294967295\nb A 1.1.1.1\n",
     "a.e. 0 A 1.1.1.1\nb.e. 0 A 1.1.1.1\n", "W 1 TTL 2147483648|W 2 $TTL 4294967295"},
    {"a TTL has 32 bits", "a 4294967296 A 1.1.1.1\n$TTL 1x\n", "",
     "E 1 TTL out of range: '4294967296'|E 2 not a valid TTL: '1x'"},
    {"$ORIGIN completes what follows",
     "$TTL 1\n$ORIGIN b\na NS a\n$ORIGIN c\na NS @\n$ORIGIN .\na.E NS a\n",
     "a.b.e. 1 NS a.b.e.\na.c.b.e. 1 NS c.b.e.\na.e. 1 NS a.\n", NULL},
    {"the same word is another name after $ORIGIN", "$TTL 1\na A 1.1.1.1\n$ORIGIN b\na A 1.1.1.1\n",
     "a.e. 1 A 1.1.1.1\na.b.e. 1 A 1.1.1.1\n", NULL},
    {"what is outside is passed by, odd as it may be",
     "$TTL 1\nx. FOO (\n ) y\n A 1.1.1.1\na A 1.1.1.1\n", "a.e. 1 A 1.1.1.1\n",
     "W 3 ignoring out-of-zone data (x)"},
    {"directives need arguments and no more",
     "$TTL\n$ORIGIN\n$INCLUDE\n$TTL 1 2\n$ORIGIN a b\n$X\n", "",
     "E 1 unexpected end|E 2 unexpected end|E 3 unexpected end|E 4 extra input|E 5 extra input|E 6 "
     "unknown $ directive '$X'"},
    {"a directive begins its line", " $TTL 1\n\\$x 1 TXT x\n", "\\$x.e. 1 TXT \"x\"\n",
     "E 1 no owner name"},
    {"an error ends with its line",
     "a 1 A ( 1.2\n ; c\n x )\nb 1 A 1.1.1.1\nc 1 TXT \"x\nd 1 A 1.1.1.1\n",
     "b.e. 1 A 1.1.1.1\nd.e. 1 A 1.1.1.1\n",
     "E 1 bad IPv4 address near '1.2'|E 5 unbalanced quotes"},
    {"a broken owner is nobody's predecessor", "a..b 1 A 1.1.1.1\n 1 TXT x\n", "",
     "E 1 owner name 'a..b': empty label|E 2 no owner name"},
    {"an SOA belongs at the apex", "a 1 SOA . . 1 2 3 4 5\n", "",
     "E 1 SOA record not at top of zone"},
    {"TTLs of one RRset differ", "a 5 A 1.1.1.1\na 5 A 1.1.1.2\na 6 A 1.1.1.3\n",
     "a.e. 5 A 1.1.1.1\na.e. 5 A 1.1.1.2\na.e. 6 A 1.1.1.3\n", "W 3 TTLs of one RRset differ"},
    {"the last line may lack its newline", "a 1 A 1.1.1.1", "a.e. 1 A 1.1.1.1\n",
     "W 1 file does not end with newline"},
    {"a zero byte breaks its line", "a 1 TXT \1\nb 1 A 1.1.1.1\n", "b.e. 1 A 1.1.1.1\n",
     "E 1 a zero byte"},
    {"$GENERATE makes a series",
     "$TTL 9\n$GENERATE 1-3 a$ A 1.1.1.$\n$GENERATE 8-16/4 b 5 NS c${1,4,x}\n",
     "a1.e. 9 A 1.1.1.1\na2.e. 9 A 1.1.1.2\na3.e. 9 A 1.1.1.3\nb.e. 5 NS c0009.e.\nb.e. 5 NS "
     "c000d.e.\nb.e. 5 NS c0011.e.\n",
     NULL},
    {"$GENERATE is bounded",
     "$GENERATE 0-1000000 a$ 1 A 1.1.1.1\n$GENERATE 1-0 a 1 A 1.1.1.1\n$GENERATE x a 1 A 1.1.1.1\n",
     "", "E 1 invalid range '0-1000000'|E 2 invalid range '1-0'|E 3 invalid range 'x'"},
    {"a series ends at its first error", "$GENERATE 1-9 a$ 1 A 1.1.1.${250}\n",
     "a1.e. 1 A 1.1.1.251\na2.e. 1 A 1.1.1.252\na3.e. 1 A 1.1.1.253\na4.e. 1 A 1.1.1.254\na5.e. 1 "
     "A 1.1.1.255\n",
     "E 1 bad IPv4 address near '1.1.1.256'"},
    {"rdata of a series may be empty, and then is missing", "$GENERATE 1-2 a 1 TXT \"\"\n", "",
     "E 1 unexpected end of line"},
    {"a bad modifier", "$GENERATE 1-2 a${1,2,q} 1 A 1.1.1.1\n$GENERATE 1-2 a 1 TXT ${1,999}\n", "",
     "E 1 bad modifier|E 2 bad modifier"},
};

static enum sg_result collect(void *argument, const struct dns_name *owner, uint16_t type,
                              uint32_t ttl, struct span rdata, uint32_t *out_ttl)
{
    char name[DNS_NAME_TEXT_BYTES];
    char type_text[DNS_TYPE_TEXT_BYTES];
    struct buffer *seen = argument;
    buffer_format(seen, "%s %u %s ", dns_name_to_text(owner, name), ttl,
                  dns_type_to_text(type, type_text));
    dns_rdata_to_text(type, rdata, seen);
    buffer_append_u8(seen, '\n');
    *out_ttl = ttl;
    return SG_OK;
}

static void read_text(struct span text, size_t window_bytes, struct buffer *out_records,
                      struct zonefile_report *report)
{
    struct zonefile_source source;
    struct zonefile_options options = {.path = "file"};
    struct zonefile_sink sink = {.add = collect, .argument = out_records, .rrclass = 1};
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &sink.apex), SG_OK);
    *report = (struct zonefile_report){0};
    zonefile_source_from_text(&source, text, window_bytes);
    enum sg_result result = zonefile_read_source(&sink, &options, &source, report);
    assert_int_equal(result, report->errors == 0 ? SG_OK : SG_MALFORMED);
}

/* `expected` is "E 1 words|W 2 words": a part of each problem, in order. */
static void assert_problems(const struct zonefile_report *report, const char *expected)
{
    char *copy = mem_copy_text(expected == NULL ? "" : expected);
    char *rest = copy;
    size_t i = 0;
    for (char *part; (part = strtok_r(rest, "|", &rest)) != NULL; i++) {
        char seen[2000] = "";
        const struct zonefile_problem *problem = &report->problems[i];
        assert_true(i < report->problems_count);
        snprintf(seen, sizeof(seen), "%c %u %s", problem->severity == ZONEFILE_ERROR ? 'E' : 'W',
                 problem->line, problem->text);
        size_t prefix = strcspn(part + 2, " ") + 3;
        if (strncmp(seen, part, prefix) != 0 || strstr(seen, part + prefix) == NULL) {
            fail_msg("%s, expected %s", seen, part);
        }
        assert_string_equal(problem->file, "file");
    }
    if (i < report->problems_count) {
        fail_msg("unexpected: %s", report->problems[i].text);
    }
    mem_free(copy);
}

/* In a row's text \1 stands for a zero byte. */
static struct span text_of(const struct load_case *c, char *out_text)
{
    size_t length = strlen(c->text);
    memcpy(out_text, c->text, length);
    for (size_t i = 0; i < length; i++) {
        out_text[i] = out_text[i] == 1 ? 0 : out_text[i];
    }
    return (struct span){(const uint8_t *)out_text, length};
}

static void is_read(void **state)
{
    const struct load_case *c = *state;
    char text[2000];
    struct buffer records = BUFFER_EMPTY;
    struct zonefile_report report;
    read_text(text_of(c, text), ZONEFILE_WINDOW_BYTES, &records, &report);
    assert_string_equal(buffer_text(&records), c->records);
    assert_problems(&report, c->problems);
    zonefile_report_clear(&report);
    buffer_free(&records);
}

static void is_read_the_same_through_every_window(void **state)
{
    const struct load_case *c = *state;
    char text[2000];
    struct span span = text_of(c, text);
    for (size_t window_bytes = 1; window_bytes <= span.length + 1; window_bytes++) {
        struct buffer records = BUFFER_EMPTY;
        struct zonefile_report report;
        read_text(span, window_bytes, &records, &report);
        assert_string_equal(buffer_text(&records), c->records);
        assert_problems(&report, c->problems);
        zonefile_report_clear(&report);
        buffer_free(&records);
    }
}

/* ---- files ---- */

static char folder[NAME_BYTES];

static void write_file(const char *name, const char *text)
{
    char path[2 * NAME_BYTES];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(file_write_unsynced(path, 0600, span_of_text(text)), SG_OK);
}

static enum sg_result load_file(const char *name, struct zonefile_options options,
                                struct zone_edit **out_edit, struct zonefile_report *report)
{
    struct dns_name apex;
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    *out_edit = zone_edit_new(&apex, 1);
    options.path = name;
    options.directory = folder;
    return zonefile_load(*out_edit, &options, report);
}

static char *dump(struct zone_edit *edit)
{
    const struct zone_version *version;
    struct buffer text = BUFFER_EMPTY;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    zonefile_write(version, ZONE_VIEW_UNSIGNED, &text);
    zone_version_unref(version);
    char *copy = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return copy;
}

static void included_files_have_an_origin_and_owners_of_their_own(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    write_file("zone", SOA "w A 1.1.1.1\n$INCLUDE inner sub\n TXT after\n"
                           "$INCLUDE \"in\\\"ner\" ; quoted\nz A 1.1.1.1\n");
    write_file("inner", " TXT inherited\nx A 1.1.1.1\n$ORIGIN deeper\ny A 1.1.1.1\n");
    write_file("in\"ner", "$INCLUDE last\nq A 1.1.1.1\n");
    write_file("last", "l 7 A 1.1.1.1\n");
    assert_int_equal(load_file("zone", (struct zonefile_options){0}, &edit, &report), SG_OK);
    assert_int_equal(report.records, 9);
    assert_int_equal(report.files_count, 4);
    char path[2 * NAME_BYTES];
    snprintf(path, sizeof(path), "%s/last", folder);
    assert_string_equal(report.files[3], path);
    zonefile_report_clear(&report);
    char *text = dump(edit);
    assert_string_equal(text, "e. 9 IN SOA . . 1 2 3 4 5\n"
                              "l.e. 7 IN A 1.1.1.1\n"
                              "q.e. 7 IN A 1.1.1.1\n"
                              "y.deeper.sub.e. 9 IN A 1.1.1.1\n"
                              "x.sub.e. 9 IN A 1.1.1.1\n"
                              "w.e. 9 IN A 1.1.1.1\n"
                              "w.e. 9 IN TXT \"after\"\n"
                              "w.e. 9 IN TXT \"inherited\"\n"
                              "z.e. 7 IN A 1.1.1.1\n");
    mem_free(text);
}

static void a_file_may_not_include_itself_for_ever(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    write_file("loop", SOA "$INCLUDE loop\n");
    assert_int_equal(load_file("loop", (struct zonefile_options){0}, &edit, &report), SG_MALFORMED);
    assert_int_equal(report.errors, 1);
    assert_non_null(strstr(report.problems[report.problems_count - 1].text, "deep"));
    assert_int_equal(report.files_count, ZONEFILE_INCLUDE_DEPTH_MAX + 1);
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    assert_int_equal(load_file("nope", (struct zonefile_options){0}, &edit, &report), SG_NOT_FOUND);
    assert_int_equal(report.errors, 1);
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);

    write_file("zone", SOA "$INCLUDE nope\na A 1.1.1.1\n");
    assert_int_equal(load_file("zone", (struct zonefile_options){0}, &edit, &report), SG_MALFORMED);
    assert_int_equal(report.problems[0].line, 2);
    assert_int_equal(report.records, 2);
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);
}

static void a_folder_is_no_zone(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    assert_int_equal(load_file("/", (struct zonefile_options){0}, &edit, &report), SG_IO);
    assert_int_equal(report.errors, 1);
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);
}

static void what_will_be_generated_is_left_out(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    write_file("signed",
               SOA "@ DNSKEY 257 3 13 AAAA\n@ CDS 0 0 0 00\n@ NSEC3PARAM 1 0 0 -\n"
                   "@ TYPE65280 \\# 1 00\n@ TYPE65534 \\# 1 00\n@ RRSIG A 13 1 9 1 1 1 e. AAAA\n"
                   "a NSEC b. A NSEC\nb NSEC3 no ( matter\n )\n");
    struct zonefile_options options = {.strip_generated = true, .private_type = 65280};
    assert_int_equal(load_file("signed", options, &edit, &report), SG_OK);
    assert_int_equal(report.records, 4);
    assert_int_equal(report.stripped, 5);
    assert_int_equal(report.warnings, 2); /* the SOA's TTL; and once for all of these */
    assert_int_equal(report.problems[1].line, 4);
    assert_non_null(strstr(report.problems[1].text, "NSEC3PARAM is left out"));
    zonefile_report_clear(&report);
    char *text = dump(edit);
    assert_string_equal(text, "e. 9 IN SOA . . 1 2 3 4 5\ne. 9 IN DNSKEY 257 3 13 AAAA\n"
                              "e. 9 IN CDS 0 0 0 00\ne. 9 IN TYPE65534 \\# 1 00\n");
    mem_free(text);
}

static void ttls_above_the_limit_are_refused(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    write_file("ttl", SOA "a 300 A 1.1.1.1\nb 301 A 1.1.1.1\n");
    struct zonefile_options options = {.ttl_max = 300};
    assert_int_equal(load_file("ttl", options, &edit, &report), SG_MALFORMED);
    assert_int_equal(report.errors, 1);
    assert_string_equal(report.problems[0].text, "TTL 301 exceeds configured max-zone-ttl 300");
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);
}

/* `sync` writes our DNSKEY and CDS with the dnskey-ttl, and a store that is lost needs that file.
 */
static void what_the_signer_makes_is_not_bounded_by_max_zone_ttl(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    write_file("ttl", SOA "a 300 A 1.1.1.1\n@ 3600 DNSKEY 257 3 13 AAAA\n@ 3600 CDS 1 13 2 "
                          "00000000000000000000000000000000000000000000000000000000000000AA\n");
    struct zonefile_options options = {.ttl_max = 300, .strip_generated = true};
    assert_int_equal(load_file("ttl", options, &edit, &report), SG_OK);
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);
    options.strip_generated = false;
    assert_int_equal(load_file("ttl", options, &edit, &report), SG_MALFORMED);
    assert_int_equal(report.errors, 2);
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);
}

static void duplicates_are_dropped_in_silence(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    write_file("same", SOA "a A 1.1.1.1\na A 1.1.1.1\na MX 1 X.\nb A 1.1.1.1\na MX 1 x.\n");
    assert_int_equal(load_file("same", (struct zonefile_options){0}, &edit, &report), SG_OK);
    assert_int_equal(report.warnings, 1); /* no $TTL */
    zonefile_report_clear(&report);
    const struct zone_version *version;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    assert_int_equal(zone_version_facts(version)->records, 4);
    zone_version_unref(version);
}

static void a_comment_of_megabytes_is_one_line(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    struct buffer text = BUFFER_EMPTY;
    buffer_append_text(&text, SOA "a A ( ;");
    for (int i = 0; i < SOAS; i++) {
        buffer_append_text(&text, "a comment ");
    }
    buffer_append_text(&text, "\n;\n 1.1.1.1 )\nb..c A 1.1.1.1\n");
    write_file("long", buffer_text(&text));
    buffer_free(&text);
    assert_int_equal(load_file("long", (struct zonefile_options){0}, &edit, &report), SG_MALFORMED);
    assert_int_equal(report.records, 2);
    assert_int_equal(report.problems[report.problems_count - 1].line, 5);
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);
}

static void a_line_without_end_is_refused(void **state)
{
    (void)state;
    struct zone_edit *edit;
    struct zonefile_report report;
    size_t length = ZONEFILE_LINE_BYTES_MAX + 100;
    char *text = mem_alloc(length + 1);
    memset(text, 'x', length);
    text[length] = 0;
    write_file("endless", text);
    mem_free(text);
    assert_int_equal(load_file("endless", (struct zonefile_options){0}, &edit, &report),
                     SG_MALFORMED);
    assert_string_equal(report.problems[0].text, "a line is too long");
    zonefile_report_clear(&report);
    zone_edit_abandon(edit);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_zonefile.XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[2 * NAME_BYTES];
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(included_files_have_an_origin_and_owners_of_their_own),
        cmocka_unit_test(a_file_may_not_include_itself_for_ever),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_folder_is_no_zone),
        cmocka_unit_test(what_will_be_generated_is_left_out),
        cmocka_unit_test(ttls_above_the_limit_are_refused),
        cmocka_unit_test(what_the_signer_makes_is_not_bounded_by_max_zone_ttl),
        cmocka_unit_test(duplicates_are_dropped_in_silence),
        cmocka_unit_test(a_comment_of_megabytes_is_one_line),
        cmocka_unit_test(a_line_without_end_is_refused),
    };
    return RUN_TABLE(cases, is_read) + RUN_TABLE(cases, is_read_the_same_through_every_window) +
           cmocka_run_group_tests(tests, make_folder, remove_folder);
}
