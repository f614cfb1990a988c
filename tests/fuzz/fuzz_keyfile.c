/*
 * Whatever stands in a key file. The first byte chooses which of the three files the rest is; the
 * others are sound. What was read is written, and that is read again and written the same.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "dnssec/key_secret.h"
#include "dnssec/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

typedef enum sg_result read_file(struct span text, struct signing_key *key,
                                 struct keyfile_problem *problem);
typedef void write_file(const struct signing_key *key, struct buffer *out_text);

static const struct {
    read_file *read;
    write_file *write;
} files[] = {
    {keyfile_public_read, keyfile_public_write},
    {keyfile_private_read, keyfile_private_write},
    {keyfile_state_read, keyfile_state_write},
};
enum { PUBLIC_FILE, PRIVATE_FILE, STATE_FILE };

static const char public_p256[] =
    "example.test. IN DNSKEY 256 3 13 Kfo9v2QEcyjNa2dnPgScXD19Ya8SJk+Lbq+8jHpRIQGaMJAuLar8G2MC "
    "G9lys7bUmYnSX3XGc3eE0iI20C5p2A==";
static const char public_rsa[] = "example.test. IN DNSKEY 256 3 8 "
                                 "AwEAAeolpXjdXR45KasQ+0oTiCseNhD9Sv295Uc+kWMYKxN6hCSFrMEZKw6O"
                                 "ew4OexUeK82AFV6YC9Iy7M79dL6k4Iu+Lz+kfIeF4YkjaXvjUY4auhdBdkvO"
                                 "ojjpmTc3gbkRtXCwyaHuYgubPpwdXLdbTHb/Hv4CZ8OvlZi5pQcQiQH5";

static void key_init(struct signing_key *key, int file, const char *public_text)
{
    struct keyfile_problem problem;
    signing_key_init(key);
    if (file != PUBLIC_FILE) {
        enum sg_result result = keyfile_public_read(span_of_text(public_text), key, &problem);
        ASSERT(result == SG_OK);
    }
}

static void key_clear(struct signing_key *key)
{
    key_secret_unref(key->secret);
    mem_free((void *)key->dnskey.bytes);
}

static bool may_write(int file, const struct signing_key *key)
{
    return file != PRIVATE_FILE || key->secret != NULL;
}

static void try_file(int file, struct span text, const char *public_text)
{
    struct keyfile_problem problem;
    struct signing_key key, again;
    struct buffer first = BUFFER_EMPTY, second = BUFFER_EMPTY;

    key_init(&key, file, public_text);
    key_init(&again, file, public_text);
    if (files[file].read(text, &key, &problem) == SG_OK && may_write(file, &key)) {
        files[file].write(&key, &first);
        enum sg_result result = files[file].read(buffer_span(&first), &again, &problem);
        ASSERT(result == SG_OK);
        files[file].write(&again, &second);
        /* The .key file's comments are written, never read. */
        ASSERT(file == PUBLIC_FILE || (first.length == second.length &&
                                       memcmp(first.bytes, second.bytes, first.length) == 0));
        ASSERT(file != PUBLIC_FILE || (key.tag == again.tag && key.ttl == again.ttl &&
                                       dns_name_equal(&key.zone, &again.zone)));
    }
    buffer_wipe(&first);
    buffer_wipe(&second);
    key_clear(&key);
    key_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0) {
        return 0;
    }
    int file = bytes[0] % 3;
    struct span text = {bytes + 1, length - 1};
    try_file(file, text, public_p256);
    if (file != PUBLIC_FILE) {
        try_file(file, text, public_rsa);
    }
    return 0;
}
