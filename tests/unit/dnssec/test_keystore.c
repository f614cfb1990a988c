/* Keys that are found again, and what is not one; how they are made: test_keystore_write.c. */
#include "dnssec/keystore_scene.h"

static void what_is_generated_is_found_again(void **state)
{
    (void)state;
    struct signing_key *ksk = generate("Example.Test.", DNSSEC_ECDSAP256SHA256, 257);
    struct signing_key *zsk = generate("example.test.", DNSSEC_ED25519, 256);
    struct signing_key *other = generate("www.example.test.", DNSSEC_ED25519, 256);
    struct key_list found;

    assert_int_equal(list("EXAMPLE.test.", &found), SG_OK);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.keys[0]->tag, ksk->tag);
    assert_int_equal(found.keys[0]->flags, 257);
    assert_int_equal(found.keys[0]->ttl, 3600);
    assert_int_equal(found.keys[0]->times[KEY_CREATED], 1795317163);
    assert_int_equal(found.keys[0]->times[KEY_PUBLISH], KEY_TIME_UNSET);
    assert_non_null(found.keys[0]->secret);
    assert_false(found.keys[0]->state.present);
    assert_string_equal(found.keys[0]->folder, folder);
    assert_int_equal(found.keys[1]->tag, zsk->tag);
    assert_string_equal(reported, "");
    key_list_clear(&found);
    signing_key_free(ksk);
    signing_key_free(zsk);
    signing_key_free(other);
}

static void a_broken_key_is_reported_and_is_not_absent(void **state)
{
    (void)state;
    struct key_list found;
    struct signing_key *good = generate("example.", DNSSEC_ED25519, 256);
    struct signing_key *broken = generate("example.", DNSSEC_ECDSAP256SHA256, 256);
    write_text(broken, "private", "Private-key-format: v1.3\nAlgorithm: 13\n");

    assert_int_equal(list("example.", &found), SG_BAD_KEY);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.keys[0]->tag, good->tag);
    assert_non_null(strstr(reported, ".private: a part of the private key is missing\n"));
    key_list_clear(&found);
    signing_key_free(good);
    signing_key_free(broken);
}

static void files_of_different_keys_do_not_make_a_key(void **state)
{
    (void)state;
    struct key_list found;
    struct buffer text;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    struct signing_key *other = generate("example.", DNSSEC_ED25519, 256);
    char *path = path_of(other, "private");
    assert_int_equal(file_read(path, 4096, &text), SG_OK);
    write_text(key, "private", buffer_text(&text));

    assert_int_equal(list("example.", &found), SG_BAD_KEY);
    assert_int_equal(found.count, 1);
    assert_non_null(strstr(reported, "does not belong"));
    key_list_clear(&found);
    buffer_free(&text);
    mem_free(path);
    signing_key_free(key);
    signing_key_free(other);
}

static void a_private_file_without_key_file_is_reported(void **state)
{
    (void)state;
    struct key_list found;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    char *path = path_of(key, "key");
    unlink(path);
    assert_int_equal(list("example.", &found), SG_BAD_KEY);
    assert_int_equal(found.count, 0);
    assert_non_null(strstr(reported, "no .key file"));
    mem_free(path);
    key_list_clear(&found);
    signing_key_free(key);
}

static void a_file_under_another_name_is_reported(void **state)
{
    (void)state;
    struct key_list found;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    static const char *const suffixes[] = {"key", "private"};
    for (size_t i = 0; i < 2; i++) {
        char *path = path_of(key, suffixes[i]);
        char *moved =
            mem_format("%s/Kexample.+015+%05u.%s", folder, (key->tag + 1) % 65536, suffixes[i]);
        assert_int_equal(rename(path, moved), 0);
        mem_free(moved);
        mem_free(path);
    }
    assert_int_equal(list("example.", &found), SG_BAD_KEY);
    assert_non_null(strstr(reported, "another name"));
    key_list_clear(&found);
    signing_key_free(key);
}

static void other_files_of_the_folder_do_not_matter(void **state)
{
    (void)state;
    struct key_list found;
    static const char *const names[] = {
        "Kexample.+015+1234.private",   "Kexample.+15+01234.private",
        "Kexample.+015+012345.private", "Kexample.+015+01234.private~",
        "Kexample.+015+01234.key",      "Kexample2.+015+01234.private",
        "example.+015+01234.private",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = mem_format("%s/%s", folder, names[i]);
        assert_int_equal(file_write(path, 0600, span_of_text("junk")), SG_OK);
        mem_free(path);
    }
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 0);
    assert_string_equal(reported, "");
    key_list_clear(&found);
}

/* Made by dnssec-keygen 9.18 for this test: its private half is of 31 bytes. */
static void a_private_half_without_its_leading_zero_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *suffix, *text;
    } files[] = {
        {"key", "keys.test. IN DNSKEY 256 3 13 i6slAJGqnOymWdPAugIr3JF3iFaugamgylvHOYpdjaSEXE+IjzZ"
                "ph/6h aSj4MyVW5EhHsAuovxtB8Ex0rPA5SQ==\n"},
        {"private", "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n"
                    "PrivateKey: CCqDJuop3pjsOvbCmzGpzngr/aAeEeSb7rF8AKJdMA==\n"},
    };
    struct key_list found;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = mem_format("%s/Kkeys.test.+013+07204.%s", folder, files[i].suffix);
        assert_int_equal(file_write(path, 0600, span_of_text(files[i].text)), SG_OK);
        mem_free(path);
    }
    assert_int_equal(list("keys.test.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    assert_non_null(found.keys[0]->secret);
    /* And still one when we have written it. */
    assert_int_equal(keystore_write(found.keys[0]), SG_OK);
    key_list_clear(&found);
    assert_int_equal(list("keys.test.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    key_list_clear(&found);
}

static void an_index_serves_many_zones(void **state)
{
    (void)state;
    static const char *const zones[] = {"a.", "a.b.", "b.", ".", "a-.", "aa."};
    struct keystore_index *index;
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        signing_key_free(generate(zones[i], DNSSEC_ED25519, 256));
        signing_key_free(generate(zones[i], DNSSEC_ED25519, 257));
    }
    assert_int_equal(keystore_index_read(folder, &index), SG_OK);
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        struct key_list found;
        struct dns_name zone = name_of(zones[i]);
        assert_int_equal(keystore_index_list(index, &zone, report, folder, &found), SG_OK);
        assert_int_equal(found.count, 2);
        assert_true(dns_name_equal(&found.keys[0]->zone, &zone));
        assert_true(found.keys[0]->tag < found.keys[1]->tag);
        key_list_clear(&found);
    }
    keystore_index_free(index);
    keystore_index_free(NULL);
}

static void folders_that_are_not_there_are_told(void **state)
{
    (void)state;
    struct key_list found;
    struct dns_name zone = name_of("example.");
    assert_int_equal(keystore_list("/nonexistent", &zone, report, folder, &found), SG_NOT_FOUND);
}

static void tools_read_one_key_by_any_of_its_names(void **state)
{
    (void)state;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 257);
    static const char *const suffixes[] = {"key", "private", "state"};
    struct signing_key *read;
    char *path = path_of(key, "key");
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char *named = path_of(key, suffixes[i]);
        assert_int_equal(keystore_read(named, report, folder, &read), SG_OK);
        assert_int_equal(read->tag, key->tag);
        assert_non_null(read->secret);
        signing_key_free(read);
        mem_free(named);
    }
    path[strlen(path) - strlen(".key")] = 0;
    assert_int_equal(keystore_read_public(path, report, folder, &read), SG_OK);
    assert_null(read->secret);
    signing_key_free(read);
    assert_int_equal(keystore_read("/nonexistent/Kx.+015+00001", report, folder, &read),
                     SG_NOT_FOUND);
    mem_free(path);
    signing_key_free(key);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_generated_is_found_again),
        TEST(a_broken_key_is_reported_and_is_not_absent),
        TEST(files_of_different_keys_do_not_make_a_key),
        TEST(a_private_file_without_key_file_is_reported),
        TEST(a_file_under_another_name_is_reported),
        TEST(other_files_of_the_folder_do_not_matter),
        TEST(a_private_half_without_its_leading_zero_is_one),
        TEST(an_index_serves_many_zones),
        TEST(folders_that_are_not_there_are_told),
        TEST(tools_read_one_key_by_any_of_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
