/*
 * What the zone's tree costs: nanoseconds and, under `valgrind --tool=callgrind`, instructions.
 *
 * usage: bench_tree [NAMES [CASE ...]]    cases: exact nxdomain nsec update table; default all
 *
 * Names and records are those of a flat zone of hosts: 1.5 records a name. Lookups are random, so
 * that each begins with cold caches when the zone is large. bench/instructions counts the lookups;
 * for the others, use a case by itself and few names, with --toggle-collect='case_*'.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/random.h"
#include "measure.h"
#include "zone/edit.h"
#include "zone/hash.h"
#include "zone/lineage.h"
#include "zone/table.h"

#define NOINLINE __attribute__((noinline)) /* so that callgrind finds the cases by name */

enum { LOOKUPS = 1000000, UPDATES = 20000, NAMES_DEFAULT = 1000000 };

struct scene {
    struct dns_name apex;
    struct dns_name *names;
    size_t count;
    const struct zone_version *version;
    struct dns_name *questions;
};

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void report(const char *what, double start, size_t count)
{
    double spent = now_ns() - start;
    printf("%-28s %10.1f ns each %10.3f s\n", what, spent / (double)count, spent / 1e9);
}

static struct dns_name random_host(struct random_seeded *random, const struct dns_name *apex)
{
    static const char *const syllables[] = {"ba",  "ko",  "mi", "tra", "lo", "ne",  "shi", "ver",
                                            "don", "pal", "qu", "zen", "ar", "ith", "um"};
    char text[DNS_NAME_TEXT_BYTES] = "";
    for (unsigned i = 2 + random_seeded_below(random, 4); i > 0; i--) {
        strcat(text, syllables[random_seeded_below(random, ARRAY_LEN(syllables))]);
    }
    if (random_seeded_below(random, 10) < 6) {
        sprintf(text + strlen(text), "%u", random_seeded_below(random, 10000));
    }
    struct dns_name name;
    if (dns_name_from_text(text, strlen(text), apex, &name) != SG_OK) {
        abort();
    }
    return name;
}

static bool is_new(uint32_t *seen, size_t mask, struct scene *scene, size_t index)
{
    const struct dns_name *name = &scene->names[index];
    size_t at = hash_bytes(1, name->wire, name->length) & mask;
    for (; seen[at] != 0; at = (at + 1) & mask) {
        if (dns_name_equal(&scene->names[seen[at] - 1], name)) {
            return false;
        }
    }
    seen[at] = (uint32_t)index + 1;
    return true;
}

static void make_names(struct scene *scene)
{
    struct random_seeded random = {42};
    size_t size = 16;
    while (size < scene->count * 2) {
        size *= 2;
    }
    uint32_t *seen = mem_alloc_zero(size, sizeof(*seen));
    scene->names = mem_alloc_zero(scene->count, sizeof(*scene->names));
    for (size_t i = 0; i < scene->count;) {
        scene->names[i] = random_host(&random, &scene->apex);
        i += is_new(seen, size - 1, scene, i);
    }
    mem_free(seen);
}

static void add(struct zone_edit *edit, const struct dns_name *owner, uint16_t type,
                const void *rdata, size_t length)
{
    uint32_t ttl;
    enum sg_result result =
        zone_edit_add_record(edit, owner, type, 3600, (struct span){rdata, length}, &ttl);
    if (result != SG_OK && result != SG_EXISTS) {
        abort();
    }
}

static void add_host(struct zone_edit *edit, const struct dns_name *owner, size_t index)
{
    static const uint8_t mx[] = "\0\012\006mail42\007example\003net";
    static const uint8_t txt[] = "\x2cv=spf1 include:spf42.example.net and more -all";
    uint8_t address[16] = {10, (uint8_t)index, (uint8_t)(index >> 8), (uint8_t)(index >> 16)};
    add(edit, owner, DNS_TYPE_A, address, 4);
    if (index % 4 == 0) {
        add(edit, owner, DNS_TYPE_AAAA, address, 16);
    }
    if (index % 8 == 0) {
        add(edit, owner, DNS_TYPE_MX, mx, sizeof(mx));
    }
    if (index % 8 == 1) {
        add(edit, owner, DNS_TYPE_TXT, txt, 45);
    }
}

static size_t tree_bytes(uint8_t *const *chunks, const struct tree_cell *cell)
{
    if (!tree_is_branch(cell)) {
        return 0;
    }
    unsigned count = tree_twigs_count(cell);
    size_t bytes = (count * sizeof(*cell) + 7) / 8 * 8;
    for (unsigned i = 0; i < count; i++) {
        bytes += tree_bytes(chunks, tree_twigs(chunks, cell) + i);
    }
    return bytes;
}

static NOINLINE void case_build(struct scene *scene)
{
    static const uint8_t soa[22] = {0, 0, 0, 0, 0, 1};
    double start = now_ns();
    struct zone_edit *edit = zone_edit_new(&scene->apex, DNS_CLASS_IN);
    add(edit, &scene->apex, DNS_TYPE_SOA, soa, sizeof(soa));
    for (size_t i = 0; i < scene->count; i++) {
        add_host(edit, &scene->names[i], i);
    }
    if (zone_edit_seal(edit, &scene->version) != SG_OK) {
        abort();
    }
    report("build, a name", start, scene->count);

    const struct zone_facts *facts = zone_version_facts(scene->version);
    const struct arena *arena = &scene->version->lineage->arena;
    size_t tree = tree_bytes(scene->version->chunks, &scene->version->names);
    double names = (double)facts->names;
    printf("names %llu records %llu: %.1f bytes a record; a name: tree %.1f, blocks and slack "
           "%.1f, free %.1f\n",
           (unsigned long long)facts->names, (unsigned long long)facts->records,
           (double)arena_bytes(arena) / (double)facts->records, (double)tree / names,
           ((double)arena_bytes(arena) - (double)tree - (double)arena->free_bytes) / names,
           (double)arena->free_bytes / names);
}

static void ask(struct scene *scene, bool existing)
{
    struct random_seeded random = {7};
    for (size_t i = 0; i < LOOKUPS; i++) {
        scene->questions[i] =
            existing ? scene->names[random_seeded_below(&random, (uint32_t)scene->count)]
                     : random_host(&random, &scene->apex);
        if (!existing) { /* a letter more: names that fall between those that are there */
            struct dns_name *name = &scene->questions[i];
            uint8_t *end = name->wire + 1 + name->wire[0];
            memmove(end + 1, end, name->length - 1U - name->wire[0]);
            *end = (uint8_t)('a' + i % 26);
            name->wire[0]++;
            name->length++;
        }
    }
}

static void find_all(void *argument)
{
    const struct scene *scene = argument;
    size_t found = 0;
    for (size_t i = 0; i < LOOKUPS; i++) {
        struct zone_match match;
        if (zone_version_find(scene->version, &scene->questions[i], &match) == SG_OK) {
            found += match.kind == ZONE_MATCH_NAME;
        }
    }
    printf("  %zu of %d exist\n", found, LOOKUPS);
}

static void find_predecessors(void *argument)
{
    const struct scene *scene = argument;
    size_t found = 0;
    for (size_t i = 0; i < LOOKUPS; i++) {
        struct tree_key key;
        const struct dns_name *name = &scene->questions[i];
        tree_key_encode(name->wire, (size_t)name->length - scene->apex.length, &key);
        found += tree_floor(scene->version->chunks, &scene->version->names, &key, false) != NULL;
    }
    if (found != LOOKUPS) {
        abort();
    }
}

static void measure_lookups(struct scene *scene, const char *what, void (*work)(void *argument))
{
    measure_and_tell(&(struct measured){
        .what = what, .operations = LOOKUPS, .rounds = 1, .work = work, .argument = scene});
}

static NOINLINE void case_update(struct scene *scene)
{
    struct random_seeded random = {9};
    double start = now_ns();
    for (size_t i = 0; i < UPDATES; i++) {
        const struct dns_name *owner =
            &scene->names[random_seeded_below(&random, (uint32_t)scene->count)];
        uint8_t address[4] = {192, 0, 2, (uint8_t)i};
        uint32_t ttl;
        struct zone_edit *edit = zone_edit_open(scene->version);
        const struct zone_version *next;
        if (zone_edit_add_record(edit, owner, DNS_TYPE_A, 3600, (struct span){address, 4}, &ttl) >
                SG_EXISTS ||
            zone_edit_set_serial(edit, ZONE_SOURCE, (uint32_t)i) != SG_OK ||
            zone_edit_seal(edit, &next) != SG_OK) {
            abort();
        }
        zone_version_unref(scene->version);
        scene->version = next;
        if (i % 64 == 0) {
            epoch_reclaim();
        }
    }
    report("update of a name and SOA", start, UPDATES);
    printf("  arena %.1f MB\n", (double)arena_bytes(&scene->version->lineage->arena) / 1e6);
}

static NOINLINE void case_table(struct scene *scene)
{
    size_t count = zone_version_facts(scene->version)->names;
    struct zone_slot *slots = mem_alloc_zero(count, sizeof(*slots));
    struct zone_slot **list = mem_alloc_zero(count, sizeof(struct zone_slot *));
    static struct zone_cursor cursor;
    zone_cursor_start(&cursor, scene->version);
    for (size_t i = 0; zone_cursor_next(&cursor); i++) {
        zone_version_owner(scene->version, &cursor.node, &slots[i].apex);
        list[i] = &slots[i];
    }
    struct zone_table *table = NULL;
    size_t duplicate;
    double start = now_ns();
    if (zone_table_new(list, count, &table, &duplicate) != SG_OK) {
        abort();
    }
    report("table, build, a zone", start, count);
    start = now_ns();
    size_t found = 0;
    for (size_t i = 0; i < LOOKUPS; i++) {
        found += zone_table_find(table, &scene->questions[i], false) != NULL;
    }
    report("table, find", start, LOOKUPS);
    printf("  %zu found\n", found);
    zone_table_free(table);
    mem_free(slots);
    mem_free(list);
}

static bool wanted(int argc, char **argv, const char *name)
{
    bool any = argc <= 2;
    for (int i = 2; i < argc; i++) {
        any = any || strcmp(argv[i], name) == 0;
    }
    return any;
}

int main(int argc, char **argv)
{
    struct scene scene = {.count = argc > 1 ? strtoul(argv[1], NULL, 10) : NAMES_DEFAULT};
    if (dns_name_from_text("example.com.", 12, NULL, &scene.apex) != SG_OK) {
        return 1;
    }
    make_names(&scene);
    scene.questions = mem_alloc_zero(LOOKUPS, sizeof(*scene.questions));
    case_build(&scene);
    ask(&scene, true);
    if (wanted(argc, argv, "exact")) {
        measure_lookups(&scene, "find, existing name", find_all);
    }
    if (wanted(argc, argv, "table")) {
        case_table(&scene);
    }
    ask(&scene, false);
    if (wanted(argc, argv, "nxdomain")) {
        measure_lookups(&scene, "find, name that is not", find_all);
    }
    if (wanted(argc, argv, "nsec")) {
        measure_lookups(&scene, "predecessor", find_predecessors);
    }
    if (wanted(argc, argv, "update")) {
        case_update(&scene);
    }
    zone_version_unref(scene.version);
    epoch_barrier();
    mem_free(scene.names);
    mem_free(scene.questions);
    return 0;
}
