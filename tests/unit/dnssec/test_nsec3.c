#include "base/encoding.h"
#include "base/log.h"
#include "dnssec/sign_work.h"
#include "signing_bench.h"

/* RFC 5155 appendix A: the names of the example zone, and their hashes. */
static const struct {
    const char *owner; /* relative */
    const char *hash;
} example[] = {
    {"", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},    {"a", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
    {"ai", "gjeqe526plbf1g8mklp59enfd789njgi"},  {"ns1", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
    {"ns2", "q04jkcevqvmu85r014c7dkba38o0ji5r"}, {"w", "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
    {"*.w", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"}, {"x.w", "b4um86eghhds6nea196smvmlo4ors995"},
    {"y.w", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"}, {"x.y.w", "2vptu5timamqttgl4luu9kg21e0aor3s"},
    {"xx", "t644ebqk9bibcna874givr6joj62mlhv"},
};

static const struct sign_policy policy = {
    .nsec3 = true,
    .nsec3_params = {
        .algorithm = 1, .iterations = 12, .salt_length = 4, .salt = "\xaa\xbb\xcc\xdd"}};

static void add(struct sign_work *work, const char *relative)
{
    struct dns_name name = dns_name_root;
    if (*relative != 0) {
        assert_int_equal(dns_name_from_text(relative, strlen(relative), NULL, &name), SG_OK);
    }
    work->items = mem_resize_array(work->items, work->items_count + 1, sizeof(*work->items));
    work->items[work->items_count++] = (struct sign_item){.owner = (uint32_t)work->owners.length};
    buffer_append_u8(&work->owners, (uint8_t)(name.length - 1));
    buffer_append(&work->owners, name.wire, name.length - 1u);
}

static void work_init(struct sign_work *work, struct worker_pool *pool)
{
    *work = (struct sign_work){.run = {.policy = &policy}, .pool = pool};
    assert_int_equal(dns_name_from_text("example.", 8, NULL, &work->apex), SG_OK);
    work->lanes_count = 1 + (pool != NULL ? worker_pool_threads(pool) : 0);
    work->lanes = mem_alloc_zero(work->lanes_count, sizeof(*work->lanes));
    work->lanes_taken = mem_alloc_zero(work->lanes_count, sizeof(*work->lanes_taken));
}

static void work_clear(struct sign_work *work)
{
    for (size_t i = 0; i < work->lanes_count; i++) {
        sign_lane_clear(&work->lanes[i]);
    }
    mem_free(work->lanes);
    mem_free(work->lanes_taken);
    mem_free(work->items);
    mem_free(work->chain);
    buffer_free(&work->owners);
}

static void the_chain_of_rfc_5155_comes_out(void **state)
{
    (void)state;
    struct sign_work work;
    work_init(&work, NULL);
    for (size_t i = 0; i < ARRAY_LEN(example); i++) {
        add(&work, example[i].owner);
    }
    assert_int_equal(nsec3_chain_make(&work), SG_OK);
    assert_int_equal(work.chain_count, ARRAY_LEN(example));
    for (size_t i = 0; i < work.chain_count; i++) {
        char text[NSEC3_HASH_TEXT_BYTES];
        base32hex_encode(work.chain[i].hash, NSEC3_HASH_BYTES, text);
        assert_memory_equal(text, example[work.chain[i].item].hash, sizeof(text));
        assert_true(i == 0 || memcmp(work.chain[i - 1].hash, work.chain[i].hash, 20) < 0);
    }
    work_clear(&work);
}

static void many_names_are_sorted_by_many_workers(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct worker_pool *pool;
    struct sign_work work;
    assert_int_equal(worker_pool_new(3, &pool), SG_OK);
    work_init(&work, pool);
    for (int i = 0; i < COUNT; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        add(&work, name);
    }
    assert_int_equal(nsec3_chain_make(&work), SG_OK);
    uint8_t *seen = mem_alloc_zero(COUNT, 1);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(seen[work.chain[i].item]++, 0);
        assert_true(i == 0 || memcmp(work.chain[i - 1].hash, work.chain[i].hash, 20) < 0);
    }
    mem_free(seen);
    work_clear(&work);
    worker_pool_free(pool);
}

static void count_line(void *argument, enum log_category category, int severity, const char *line)
{
    assert_int_equal(category, LOG_DNSSEC);
    assert_int_equal(severity, SEVERITY_ERROR);
    assert_non_null(strstr(line, "another salt"));
    ++*(int *)argument;
}

static void two_names_of_one_hash_are_a_conflict(void **state)
{
    (void)state;
    struct sign_work work;
    int lines = 0;
    work_init(&work, NULL);
    add(&work, "a"); /* the same name twice stands for a collision of SHA-1 */
    add(&work, "b");
    add(&work, "a");
    log_set_sink(count_line, &lines);
    assert_int_equal(nsec3_chain_make(&work), SG_CONFLICT);
    log_set_sink(NULL, NULL);
    assert_int_equal(lines, 1);
    work_clear(&work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_of_rfc_5155_comes_out),
        cmocka_unit_test(many_names_are_sorted_by_many_workers),
        cmocka_unit_test(two_names_of_one_hash_are_a_conflict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
