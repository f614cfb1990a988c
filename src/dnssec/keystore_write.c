#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "dnssec/key_secret.h"
#include "dnssec/keyfile.h"
#include "dnssec/keystore.h"
#include "dnssec/pkey.h"

enum {
    DNSKEY_PROTOCOL = 3,
    KEY_DRAWS_MAX = 2048, /* a sixtieth of all tags is found almost surely; RSA draws take long */
    PRIVATE_MODE = 0600,
    PUBLIC_MODE = 0644,
    BATCH_FIRST = 8,
    FILES_SYNCED_SINGLY = 8, /* more than these: the whole file system at once */
    KEY_FILE_BYTES_MAX = 64 * 1024,
};

/* A file that is written, under another name. */
struct staged {
    char *temporary;
    char *path;
    uint32_t path_hash;
    bool is_new;     /* it must not replace another */
    bool of_new_key; /* and goes again where that key's last file cannot come */
    bool is_last;    /* of its key's files */
};

/* One of a key's three files. */
struct key_file {
    const char *suffix;
    mode_t mode;
    bool may_replace; /* even beside a new key: what is left of another */
    void (*write)(const struct signing_key *key, struct buffer *out_text);
};

struct keystore_batch {
    struct staged *files;
    size_t count, max;
};

static bool is_in_range(const struct key_tag_set *taken, uint16_t tag)
{
    return tag >= taken->tag_min && tag <= taken->tag_max;
}

static bool is_free(const struct key_tag_set *taken, uint16_t tag)
{
    for (size_t i = 0; i < taken->count; i++) {
        if (taken->tags[i] == tag) {
            return false;
        }
    }
    return is_in_range(taken, tag);
}

/* The tag that the key has once it is revoked (RFC 5011 3). */
static uint16_t revoked_tag(struct span dnskey)
{
    uint8_t copy[KEY_PUBLIC_BYTES_MAX + 4];
    ASSERT(dnskey.length <= sizeof(copy));
    memcpy(copy, dnskey.bytes, dnskey.length);
    copy[1] |= KEY_FLAG_REVOKE;
    return dnskey_tag((struct span){copy, dnskey.length});
}

static char *base_path(const struct signing_key *key)
{
    char *name = signing_key_file_name(key);
    char *path = mem_format("%s/%s", key->folder, name);
    mem_free(name);
    return path;
}

static bool has_files(const struct signing_key *key)
{
    char *base = base_path(key);
    char *public_path = mem_format("%s.key", base);
    char *private_path = mem_format("%s.private", base);
    bool has = access(public_path, F_OK) == 0 || access(private_path, F_OK) == 0;
    mem_free(private_path);
    mem_free(public_path);
    mem_free(base);
    return has;
}

/* A new pair in `key`, whatever its tag. */
static enum sg_result draw(struct signing_key *key)
{
    struct buffer rdata = BUFFER_EMPTY;
    struct signing_key_secret *secret;
    buffer_append_u16(&rdata, key->flags);
    buffer_append_u8(&rdata, DNSKEY_PROTOCOL);
    buffer_append_u8(&rdata, key->algorithm);
    enum sg_result result = pkey_generate(key->algorithm, key->bits, &rdata, &secret);
    if (result == SG_OK) {
        key_secret_unref(key->secret);
        key->secret = secret;
        mem_free((void *)key->dnskey.bytes);
        key->dnskey = (struct span){mem_copy(rdata.bytes, rdata.length), rdata.length};
        key->tag = dnskey_tag(key->dnskey);
    }
    buffer_free(&rdata);
    return result;
}

static enum sg_result draw_untaken(struct signing_key *key, const struct key_tag_set *taken)
{
    for (int i = 0; i < KEY_DRAWS_MAX; i++) {
        enum sg_result result = draw(key);
        if (result != SG_OK) {
            return result;
        }
        uint16_t revoked = revoked_tag(key->dnskey);
        if (is_free(taken, key->tag) && is_free(taken, revoked) && !has_files(key)) {
            return SG_OK;
        }
        if (is_in_range(taken, key->tag) && is_in_range(taken, revoked)) {
            log_write(LOG_DNSSEC, SEVERITY_INFO, "keymgr: key collision id %u", key->tag);
        }
    }
    return SG_LIMIT;
}

/* A key as the request wants it, which has no pair yet. */
static struct signing_key *key_of_request(const struct key_request *request, unsigned bits)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    signing_key_init(key);
    memcpy(key->times, request->metadata->times, sizeof(key->times));
    key->state = request->metadata->state;
    key->ttl = request->metadata->ttl;
    key->zone = *request->zone;
    dns_name_lower(&key->zone);
    key->algorithm = request->algorithm;
    key->flags = (uint16_t)(request->flags | KEY_FLAG_ZONE);
    key->bits = (uint16_t)bits;
    key->folder = mem_copy_text(request->folder);
    return key;
}

static void warn_of_wide_mode(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & 07777) != PRIVATE_MODE) {
        log_write(LOG_GENERAL, SEVERITY_WARNING,
                  "Permissions on the file %s have changed from 0%o to 0600 as a result of this "
                  "operation.",
                  path, (unsigned)status.st_mode & 07777);
    }
}

static uint32_t hash_of(const char *path)
{
    return crc32c(0, path, strlen(path));
}

/* What the batch holds for that path already, or NULL. A key is made and gets its first states
 * within one look, so it is mostly the last. */
static const struct staged *staged_already(const struct keystore_batch *batch, const char *path)
{
    uint32_t hash = hash_of(path);
    for (size_t i = batch->count; i > 0; i--) {
        const struct staged *file = &batch->files[i - 1];
        if (file->path_hash == hash && strcmp(file->path, path) == 0) {
            return file;
        }
    }
    return NULL;
}

/* A change of state leaves most files as they are, and reading costs less than writing. */
static bool is_as_on_disk(const char *path, mode_t mode, struct span text)
{
    struct stat status;
    struct buffer present = BUFFER_EMPTY;
    if (stat(path, &status) != 0 || (status.st_mode & 07777) != mode ||
        (uint64_t)status.st_size != text.length ||
        file_read(path, KEY_FILE_BYTES_MAX, &present) != SG_OK) {
        return false;
    }
    bool same =
        present.length == text.length && memcmp(present.bytes, text.bytes, text.length) == 0;
    buffer_wipe(&present);
    return same;
}

static void batch_append(struct keystore_batch *batch, struct staged file)
{
    if (batch->count == batch->max) {
        batch->max = batch->max == 0 ? BATCH_FIRST : 2 * batch->max;
        batch->files = mem_resize_array(batch->files, batch->max, sizeof(*batch->files));
    }
    batch->files[batch->count++] = file;
}

/* One of a key's files, written beside its place. */
static enum sg_result stage(struct keystore_batch *batch, const struct signing_key *key,
                            const struct key_file *file, bool of_new_key)
{
    struct buffer text = BUFFER_EMPTY;
    enum sg_result result = SG_OK;
    char *base = base_path(key);
    char *path = mem_format("%s.%s", base, file->suffix);
    char *temporary = NULL;
    const struct staged *earlier = staged_already(batch, path);

    file->write(key, &text);
    if (earlier != NULL) {
        result = file_write_bare(earlier->temporary, O_TRUNC, file->mode, buffer_span(&text));
        goto out;
    }
    if (!of_new_key && is_as_on_disk(path, file->mode, buffer_span(&text))) {
        goto out;
    }
    if (file->mode == PRIVATE_MODE) {
        warn_of_wide_mode(path);
    }
    temporary = mem_format("%s.%08x.new", path, random_u32());
    result = file_write_bare(temporary, O_CREAT | O_EXCL, file->mode, buffer_span(&text));
    if (result == SG_OK) {
        batch_append(batch, (struct staged){.temporary = temporary,
                                            .path = path,
                                            .path_hash = hash_of(path),
                                            .is_new = of_new_key && !file->may_replace,
                                            .of_new_key = of_new_key,
                                            .is_last = file->mode == PRIVATE_MODE});
        temporary = path = NULL;
    }

out:
    mem_free(temporary);
    mem_free(path);
    mem_free(base);
    buffer_wipe(&text);
    return result;
}

static bool is_present(const struct signing_key *key, const struct key_file *file)
{
    return file->mode == PRIVATE_MODE ? key->secret != NULL : key->state.present;
}

/*
 * A folder is searched by .private files, so that one is last: a key without its .state would be
 * taken for one that somebody brought, and another one made beside it. What a crash leaves before
 * it is no key; keystore_index_read() completes what has its .state and only lacks this name.
 *
 * Of a key that is there .state comes last: it says what was done, and whoever finds it done looks
 * no more at the times of .private, which would be those of before.
 */
static enum sg_result stage_key(struct keystore_batch *batch, const struct signing_key *key,
                                bool is_new)
{
    static const struct key_file public_file = {"key", PUBLIC_MODE, false, keyfile_public_write};
    static const struct key_file private_file = {"private", PRIVATE_MODE, false,
                                                 keyfile_private_write};
    static const struct key_file state_file = {"state", PUBLIC_MODE, true, keyfile_state_write};

    const struct key_file *before_last = is_new ? &state_file : &private_file;
    const struct key_file *last = is_new ? &private_file : &state_file;
    enum sg_result result = stage(batch, key, &public_file, is_new);
    if (result == SG_OK && is_present(key, before_last)) {
        result = stage(batch, key, before_last, is_new);
    }
    if (result == SG_OK && is_present(key, last)) {
        result = stage(batch, key, last, is_new);
    }
    return result;
}

static enum sg_result result_of_errno(void)
{
    return errno == EEXIST ? SG_EXISTS : errno == EACCES || errno == EPERM ? SG_DENIED : SG_IO;
}

static enum sg_result sync_path(const char *path, int (*sync)(int fd))
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return result_of_errno();
    }
    enum sg_result result = sync(fd) == 0 ? SG_OK : SG_IO;
    close(fd);
    return result;
}

/* The bytes of all files are on the disk before any of them has its name. */
static enum sg_result sync_contents(const struct keystore_batch *batch)
{
    bool singly = batch->count <= FILES_SYNCED_SINGLY;
    dev_t synced = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const char *path = batch->files[i].temporary;
        struct stat status;
        if (stat(path, &status) != 0) {
            return result_of_errno();
        }
        if (!singly && i > 0 && status.st_dev == synced) {
            continue;
        }
        synced = status.st_dev;
        enum sg_result result = sync_path(path, singly ? fsync : syncfs);
        if (result != SG_OK) {
            return result;
        }
    }
    return SG_OK;
}

static enum sg_result give_name(const struct staged *file)
{
    if (file->is_new) {
        if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0) {
            return SG_OK;
        }
        if (errno == ENOENT && access(file->path, F_OK) == 0) {
            return SG_OK; /* Whoever read the folder meanwhile has completed the key. */
        }
        if (errno != EINVAL) { /* which a file system says that cannot do this */
            return result_of_errno();
        }
    }
    return rename(file->temporary, file->path) == 0 ? SG_OK : result_of_errno();
}

static enum sg_result sync_folders(const struct keystore_batch *batch)
{
    char *synced = NULL;
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < batch->count && result == SG_OK; i++) {
        const char *path = batch->files[i].path;
        char *folder = mem_format("%.*s", (int)(strrchr(path, '/') - path), path);
        if (synced == NULL || strcmp(synced, folder) != 0) {
            result = sync_path(*folder != 0 ? folder : "/", fsync);
        }
        mem_free(synced);
        synced = folder;
    }
    mem_free(synced);
    return result;
}

static void clear_staged(struct staged *file)
{
    mem_free(file->temporary);
    mem_free(file->path);
}

static void batch_empty(struct keystore_batch *batch, size_t named)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (i >= named) {
            unlink(batch->files[i].temporary);
        }
        clear_staged(&batch->files[i]);
    }
    mem_free(batch->files);
    *batch = (struct keystore_batch){NULL, 0, 0};
}

/* A new key whose private half never got its name is no key, and what has been named of it would
 * pass for one that was lost. */
static void unname_incomplete(const struct keystore_batch *batch, size_t named)
{
    for (size_t i = named; i > 0 && batch->files[i - 1].of_new_key && !batch->files[i - 1].is_last;
         i--) {
        unlink(batch->files[i - 1].path);
    }
}

static size_t collect(const struct keystore_batch *batch, bool of_new_key, struct staged *out_files)
{
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->files[i].of_new_key == of_new_key) {
            out_files[count++] = batch->files[i];
        }
    }
    return count;
}

/*
 * Those of keys that were there come first, in their order, whenever the others were made: who is
 * told to leave has its name before who follows. Cut off in between, a new key that is alone would
 * be one more beside a key that knows of no successor, and a third would be made.
 */
static void put_new_keys_last(struct keystore_batch *batch)
{
    if (batch->count == 0) {
        return;
    }
    struct staged *ordered = mem_alloc_zero(batch->count, sizeof(*ordered));
    size_t present = collect(batch, false, ordered);
    (void)collect(batch, true, ordered + present);
    mem_free(batch->files);
    batch->files = ordered;
    batch->max = batch->count;
}

struct keystore_batch *keystore_batch_new(void)
{
    return mem_alloc_zero(1, sizeof(struct keystore_batch));
}

void keystore_batch_free(struct keystore_batch *batch)
{
    if (batch != NULL) {
        batch_empty(batch, 0);
        mem_free(batch);
    }
}

enum sg_result keystore_batch_generate(struct keystore_batch *batch,
                                       const struct key_request *request,
                                       struct signing_key **out_key)
{
    static const struct key_tag_set none = {NULL, 0, 0, UINT16_MAX};
    unsigned bits;
    if (!dnssec_algorithm_can_generate(request->algorithm)) {
        return SG_UNSUPPORTED;
    }
    enum sg_result result = dnssec_algorithm_bits(request->algorithm, request->bits, &bits);
    if (result != SG_OK) {
        return result;
    }
    struct signing_key *key = key_of_request(request, bits);
    result = draw_untaken(key, request->taken != NULL ? request->taken : &none);
    if (result != SG_OK) {
        goto out;
    }
    size_t staged_before = batch->count;
    result = stage_key(batch, key, true);
    if (result != SG_OK) {
        keystore_batch_keep(batch, staged_before); /* Half a key would pass for a lost one. */
        goto out;
    }
    *out_key = key;
    key = NULL;

out:
    signing_key_free(key);
    return result;
}

enum sg_result keystore_batch_write(struct keystore_batch *batch, const struct signing_key *key)
{
    return stage_key(batch, key, false);
}

size_t keystore_batch_count(const struct keystore_batch *batch)
{
    return batch->count;
}

void keystore_batch_keep(struct keystore_batch *batch, size_t count)
{
    while (batch->count > count) {
        struct staged *last = &batch->files[--batch->count];
        unlink(last->temporary);
        clear_staged(last);
    }
}

enum sg_result keystore_batch_commit(struct keystore_batch *batch)
{
    size_t named = 0;
    put_new_keys_last(batch);
    enum sg_result result = sync_contents(batch);
    while (result == SG_OK && named < batch->count) {
        result = give_name(&batch->files[named]);
        named += result == SG_OK;
    }
    if (result == SG_OK) {
        result = sync_folders(batch);
    } else {
        unname_incomplete(batch, named);
    }
    batch_empty(batch, named);
    return result;
}

enum sg_result keystore_generate(const struct key_request *request, struct signing_key **out_key)
{
    struct keystore_batch batch = {NULL, 0, 0};
    struct signing_key *key = NULL;
    enum sg_result result = keystore_batch_generate(&batch, request, &key);
    if (result == SG_OK) {
        result = keystore_batch_commit(&batch);
    }
    batch_empty(&batch, 0);
    if (result != SG_OK) {
        signing_key_free(key);
        return result;
    }
    *out_key = key;
    return SG_OK;
}

enum sg_result keystore_write(const struct signing_key *key)
{
    struct keystore_batch batch = {NULL, 0, 0};
    enum sg_result result = keystore_batch_write(&batch, key);
    if (result == SG_OK) {
        result = keystore_batch_commit(&batch);
    }
    batch_empty(&batch, 0);
    return result;
}

enum sg_result keystore_remove(const struct signing_key *key)
{
    static const char *const suffixes[] = {"state", "private", "key"};
    enum sg_result result = SG_OK;
    char *base = base_path(key);
    for (size_t i = 0; i < ARRAY_LEN(suffixes) && result == SG_OK; i++) {
        char *path = mem_format("%s.%s", base, suffixes[i]);
        if (unlink(path) != 0 && errno != ENOENT) {
            result = result_of_errno();
        }
        mem_free(path);
    }
    mem_free(base);
    return result;
}
