/*
 * dnssec/keystore.h - keys in a folder, as BIND's three files each (reference: key files)
 *
 * K<zone>+<alg>+<tag>.key, .private, .state: read with either spelling of the tags that BIND
 * confuses, written exactly as BIND writes them. Blocks on the disk: workers, start-up, tools.
 */
#pragma once

#include "dnssec/key.h"

struct key_list {
    struct signing_key **keys; /* sorted by algorithm, then tag */
    size_t count;
};
void key_list_clear(struct key_list *list);

/* A problem with one file, in operators' words, e.g. for the log. */
typedef void keystore_report(void *argument, const char *path, const char *problem);

/*
 * All keys of `zone` in `folder`. A key whose files are broken is reported and makes the result
 * SG_BAD_KEY (`out_list` still holds the good ones, so that nobody takes a broken key for an
 * absent one); SG_NOT_FOUND, SG_DENIED for the folder.
 */
MUST_USE enum sg_result keystore_list(const char *folder, const struct dns_name *zone,
                                      keystore_report *report, void *argument,
                                      struct key_list *out_list);

/*
 * Which keys are in a folder, by zone, for many zones: a folder of a hundred thousand keys is read
 * once. Thread: any, one at a time.
 */
struct keystore_index;
MUST_USE enum sg_result keystore_index_read(const char *folder, struct keystore_index **out_index);
void keystore_index_free(struct keystore_index *index);
/*
 * Learn what came or went since, whoever did it. Costs what has changed where the kernel tells of
 * it; else the folder is read again if its time says so. Results as of keystore_index_read(); the
 * index knows what it knew then.
 */
MUST_USE enum sg_result keystore_index_refresh(struct keystore_index *index);
/* As keystore_list(), of what was there when the index was read or refreshed. The files themselves
 * are always read. */
MUST_USE enum sg_result keystore_index_list(struct keystore_index *index,
                                            const struct dns_name *zone, keystore_report *report,
                                            void *argument, struct key_list *out_list);

/*
 * The base name of a key of `zone` whose .state file was in the folder while its .private was not:
 * a key that was in use here and was lost. NULL: none. Borrowed until the next refresh.
 */
const char *keystore_index_orphan(struct keystore_index *index, const struct dns_name *zone);
/*
 * The keys of `zone` whose .key file was in the folder while the .private was not, without secret
 * and with the times of the .key file: the DS of one may be at the parent, so that its absence is
 * no leave to make another. What our own batch was cut off from naming is none. Results as of
 * keystore_list().
 */
MUST_USE enum sg_result keystore_index_halves(struct keystore_index *index,
                                              const struct dns_name *zone, keystore_report *report,
                                              void *argument, struct key_list *out_list);
/*
 * One key by its base name or path, with or without suffix: for tools. Without a .private file
 * the key has no secret. SG_NOT_FOUND (no .key file, not reported), SG_UNSUPPORTED ...
 */
MUST_USE enum sg_result keystore_read(const char *path, keystore_report *report, void *argument,
                                      struct signing_key **out_key);
/* The same, never looking at the .state file, which may be broken: no states and no roles. */
MUST_USE enum sg_result keystore_read_pair(const char *path, keystore_report *report,
                                           void *argument, struct signing_key **out_key);
/* The same, never looking at the .private file, which the reader may not be allowed to see. */
MUST_USE enum sg_result keystore_read_public(const char *path, keystore_report *report,
                                             void *argument, struct signing_key **out_key);

/* Tags that a new key must not have: its own nor its revoked one. */
struct key_tag_set {
    const uint16_t *tags;
    size_t count;
    uint16_t tag_min, tag_max; /* both tags lie within; 0, 65535: any */
};

/* A key that is to be made. */
struct key_request {
    const char *folder;
    const struct dns_name *zone;
    uint8_t algorithm;
    unsigned bits; /* 0: the default */
    uint16_t flags;
    const struct key_tag_set *taken; /* NULL: any tag */
    /* signing_key_init()ed: gives times, state and ttl as they shall be in the files. */
    const struct signing_key *metadata;
};

/*
 * Make a key pair and write its files, durably, before anyone learns of it. The .private file has
 * mode 0600 from the start. SG_UNSUPPORTED for an algorithm that is not made any more, SG_LIMIT
 * for a size out of range or no free tag.
 */
MUST_USE enum sg_result keystore_generate(const struct key_request *request,
                                          struct signing_key **out_key);
/* Rewrite the files of a key after its times or states changed (.private last, and .state
 * only if `state.present`). */
MUST_USE enum sg_result keystore_write(const struct signing_key *key);
/* Remove the files of a key that is done with. Cut off in between, what is left is taken neither
 * for a key in use nor for one that was lost, as its .key file says that it is deleted. */
MUST_USE enum sg_result keystore_remove(const struct signing_key *key);

/*
 * Many keys at the price of one: their files are written under other names, and commit makes all
 * of them durable by one sync before it gives them their names, in the order in which they were
 * staged. A crash leaves each key as it was or as it was to be. Nobody may learn of a key before
 * the commit. Thread: one at a time.
 */
struct keystore_batch;
struct keystore_batch *keystore_batch_new(void);
/* Removes what was not committed. NULL is fine. */
void keystore_batch_free(struct keystore_batch *batch);
/* As keystore_generate() and keystore_write(), but for durability. */
MUST_USE enum sg_result keystore_batch_generate(struct keystore_batch *batch,
                                                const struct key_request *request,
                                                struct signing_key **out_key);
MUST_USE enum sg_result keystore_batch_write(struct keystore_batch *batch,
                                             const struct signing_key *key);
/* How many files are staged; and back to so many, without what was staged since. */
size_t keystore_batch_count(const struct keystore_batch *batch);
void keystore_batch_keep(struct keystore_batch *batch, size_t count);
/* SG_EXISTS, SG_IO ...: some keys may have got their names, the rest never will. Empties it. */
MUST_USE enum sg_result keystore_batch_commit(struct keystore_batch *batch);
