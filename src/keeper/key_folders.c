#include "keeper/key_folders.h"

#include <string.h>

#include "base/mem.h"

enum { FOLDERS_MAX = 16 };

struct key_folder {
    char *path;
    struct keystore_index *index;
    uint64_t round;
};

struct key_folders {
    struct key_folder folders[FOLDERS_MAX];
    size_t count;
    size_t oldest; /* goes first when there are too many */
    uint64_t round;
    struct keystore_batch *batch;
};

struct key_folders *key_folders_new(void)
{
    struct key_folders *folders = mem_alloc_zero(1, sizeof(*folders));
    folders->round = 1;
    folders->batch = keystore_batch_new();
    return folders;
}

static void clear(struct key_folder *folder)
{
    mem_free(folder->path);
    keystore_index_free(folder->index);
    *folder = (struct key_folder){NULL, NULL, 0};
}

void key_folders_free(struct key_folders *folders)
{
    if (folders == NULL) {
        return;
    }
    for (size_t i = 0; i < folders->count; i++) {
        clear(&folders->folders[i]);
    }
    keystore_batch_free(folders->batch);
    mem_free(folders);
}

void key_folders_begin(struct key_folders *folders, uint64_t round)
{
    folders->round = round;
}

static struct key_folder *place_of(struct key_folders *folders, const char *path)
{
    for (size_t i = 0; i < folders->count; i++) {
        if (folders->folders[i].path != NULL && strcmp(folders->folders[i].path, path) == 0) {
            return &folders->folders[i];
        }
    }
    if (folders->count < FOLDERS_MAX) {
        return &folders->folders[folders->count++];
    }
    folders->oldest = (folders->oldest + 1) % FOLDERS_MAX;
    return &folders->folders[folders->oldest];
}

enum sg_result key_folders_find(struct key_folders *folders, const char *folder, uint64_t wished,
                                struct keystore_index **out_index)
{
    struct key_folder *place = place_of(folders, folder);
    bool same = place->path != NULL && strcmp(place->path, folder) == 0;
    if (same && place->round > wished) {
        *out_index = place->index;
        return SG_OK;
    }
    if (!same) {
        clear(place);
    }
    enum sg_result result =
        same ? keystore_index_refresh(place->index) : keystore_index_read(folder, &place->index);
    if (result != SG_OK) {
        clear(place);
        return result;
    }
    place->path = same ? place->path : mem_copy_text(folder);
    place->round = folders->round;
    *out_index = place->index;
    return SG_OK;
}

struct keystore_batch *key_folders_batch(struct key_folders *folders)
{
    return folders->batch;
}

enum sg_result key_folders_commit(struct key_folders *folders)
{
    return keystore_batch_commit(folders->batch);
}
