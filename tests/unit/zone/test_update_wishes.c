#include "update_scene.h"
#include "zone/draft.h"
#include "zone/update_wishes.h"

/* What was told, one "owner/TYPE+" a line; "+": it adds. */
static void note_wish(struct buffer *told, const struct zone_update_wish *wish)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES];
    buffer_format(told, "%s/%s%s\n", dns_name_to_text_short(wish->owner, owner),
                  dns_type_to_text(wish->type, type), wish->adds ? "+" : "");
}

static void hear(void *argument, const struct zone_update_wish *wish)
{
    note_wish(argument, wish);
}

static bool may(void *argument, const struct zone_update_wish *wish, uint16_t *out_records_max)
{
    *out_records_max = 0;
    note_wish(argument, wish);
    return true;
}

/* The message that is in the scene, of `version`. */
static void tell(const struct scene *scene, const struct zone_version *version,
                 struct buffer *out_told)
{
    struct dns_message message;
    struct span wire = {scene->wire, writer_length(&scene->writer)};
    assert_int_equal(dns_message_parse(wire, &message), SG_OK);
    zone_update_wishes(version, &scene->apex, &message, hear, out_told);
}

/* clang-format off */
static const struct row {
    const char *name, *lines, *told;
    bool is_refused; /* so that the update asks for less */
} rows[] = {
    {"an RR is added",           "u IN New 60 A 192.0.2.1",                        "new.e/A+\n", false},
    {"an RR is deleted",         "u NONE www 0 A 192.0.2.80",                      "www.e/A\n", false},
    {"an RRset is deleted",      "u ANY www 0 TXT",                                "www.e/TXT\n", false},
    {"a name is deleted",        "u ANY www 0 ANY",                                "www.e/A\nwww.e/TXT\n", false},
    {"a delegation is deleted",  "u ANY sub 0 ANY",                                "sub.e/NS\nsub.e/DS\n", false},
    {"an empty name is deleted", "u ANY ent 0 ANY",                                "", false},
    {"several",                  "u IN a 60 A 192.0.2.1\nu ANY b 0 MX\nu IN a 60 A 192.0.2.2", "a.e/A+\nb.e/MX\na.e/A+\n", false},
    {"what is added is not there yet", "u IN www 60 MX 1 www\nu ANY www 0 ANY",    "www.e/MX+\nwww.e/A\nwww.e/TXT\n", false},
    {"prerequisites ask nothing", "p ANY www 0 A\nu IN a 60 A 192.0.2.1",          "a.e/A+\n", false},
    {"a name out of zone is the end", "u IN a 60 A 192.0.2.1\nu IN www.f. 60 A 192.0.2.1\nu IN b 60 A 192.0.2.1", "a.e/A+\n", true},
};
/* clang-format on */

/* And all that the update itself asks for is among it. */
static void is_told_in_advance(void **state)
{
    const struct row *row = *state;
    struct scene *scene = scene_open(false);
    struct buffer told = BUFFER_EMPTY, asked = BUFFER_EMPTY;
    struct zone_update_options options = {.may = may, .argument = &asked};
    char *copy = mem_copy_text(row->lines), *rest = copy, *line;
    scene_start_message(scene);
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        scene_add_line(scene, line);
    }
    mem_free(copy);
    tell(scene, zone_edit_draft(scene->edit), &told);
    assert_string_equal(buffer_text(&told), row->told);

    struct zone_update_outcome outcome;
    struct dns_message message;
    struct span wire = {scene->wire, writer_length(&scene->writer)};
    assert_int_equal(dns_message_parse(wire, &message), SG_OK);
    assert_int_equal(zone_update_apply(scene->edit, &message, &options, &outcome), SG_OK);
    assert_int_equal(outcome.rcode != DNS_RCODE_NOERROR, row->is_refused);
    assert_string_equal(buffer_text(&asked), row->told);
    buffer_free(&told);
    buffer_free(&asked);
    scene_close(scene);
}

static void of_a_zone_that_is_not_there_yet_nothing_is_deleted(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    struct buffer told = BUFFER_EMPTY;
    char all[] = "u ANY www 0 ANY", one[] = "u IN a 60 TXT x";
    scene_start_message(scene);
    scene_add_line(scene, all);
    scene_add_line(scene, one);
    tell(scene, NULL, &told);
    assert_string_equal(buffer_text(&told), "a.e/TXT+\n");
    buffer_free(&told);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_zone_that_is_not_there_yet_nothing_is_deleted)};
    int failed = RUN_TABLE(rows, is_told_in_advance);
    return failed + cmocka_run_group_tests_name("update_wishes", tests, NULL, NULL);
}
