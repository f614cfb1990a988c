/*
 * store/image_file.h - image files in a folder: whole under their name, or not there
 *
 * A file is written beside its name (".partial"), synced, renamed, and its folder synced; after
 * that it never changes. Its name is its zone and commit, in hexadecimal. What the bytes mean, and
 * their checksums, is zone/image.h. The functions work on files alone: several threads may be busy
 * with one image each.
 */
#pragma once

#include "store/store_io.h"

/* SG_NO_SPACE, SG_IO. */
MUST_USE enum sg_result image_file_create(const char *folder, uint64_t zone, uint64_t commit,
                                          struct store_image **out_image);
MUST_USE enum sg_result image_file_append(struct store_image *image, struct span bytes);
/* After a failed append nothing is kept, and that failure is told again. Frees the handle. */
MUST_USE enum sg_result image_file_finish(struct store_image *image, bool keep);

/* SG_NOT_FOUND, SG_IO. */
MUST_USE enum sg_result image_file_open(const char *folder, uint64_t zone, uint64_t commit,
                                        struct store_image **out_image);
size_t image_file_read(struct store_image *image, uint8_t *out_bytes, size_t bytes_max);
void image_file_close(struct store_image *image);

void image_file_remove(const char *folder, uint64_t zone, uint64_t commit);
/* The same file in another folder: a second link, or on another file system a synced copy. */
MUST_USE enum sg_result image_file_copy(const char *folder, const char *to_folder, uint64_t zone,
                                        uint64_t commit);
/* Remove the images that are not wanted, and all that were never finished. Returns how many. */
size_t image_file_sweep(const char *folder,
                        bool (*is_wanted)(void *argument, uint64_t zone, uint64_t commit),
                        void *argument);
/* SG_NO_SPACE where the disk or a quota is full, else SG_IO. */
enum sg_result image_file_result(int error);
